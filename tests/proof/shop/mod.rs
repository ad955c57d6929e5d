//! A shop on a disk that fails, worked through the real register, and the books it is held against.

pub mod books;
pub mod desk;
pub mod lived;
pub mod seen;
pub mod step;
