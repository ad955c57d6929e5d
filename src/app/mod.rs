//! The loop that ties the rooms together; the only room that knows the clock.
