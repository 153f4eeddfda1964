//! What the tests share: the program as its users start it, and folders to let it work in.

pub mod daemon;
pub mod workplace;
