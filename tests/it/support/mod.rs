//! What the tests share: the program as its users start it, and folders to let it work in.

pub mod daemon;
#[expect(dead_code, reason = "the tests of delivery by SMTP use the rest of it")]
pub mod smtp;
pub mod workplace;
