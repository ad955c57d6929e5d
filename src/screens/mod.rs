//! One file a screen: state, keys, drawing.
