//! The product's files held against other programs: qpdf, poppler, LibreOffice, openpyxl, Microsoft's validator, a mail
//! catcher, veraPDF, Prometheus's own parser; what it puts into stores held against azurite and moto; its daemon under a
//! clock that is not the machine's, faketime; and the program killed at its system calls by strace.
//!
//! `cargo xtask test` installs them and says where they are. A peer that is missing makes its test fail.

#[cfg(test)]
mod clock_changes;
#[cfg(test)]
mod crowd;
#[cfg(test)]
#[path = "../days/mod.rs"]
mod days;
#[cfg(test)]
mod draw;
#[cfg(test)]
mod fail_points;
#[cfg(test)]
mod faked;
#[cfg(test)]
mod figures;
#[cfg(test)]
mod gallery;
#[cfg(test)]
mod gallery_of_sheets;
#[cfg(test)]
mod grants;
#[cfg(test)]
mod kill_matrix;
#[cfg(test)]
mod kills;
#[cfg(test)]
mod letter;
#[cfg(test)]
mod living;
#[cfg(test)]
mod mail;
#[cfg(test)]
mod metrics;
#[cfg(test)]
mod office;
#[cfg(test)]
mod openpyxl;
#[cfg(test)]
mod outages;
#[cfg(test)]
mod packs;
#[cfg(test)]
mod pdf;
#[cfg(test)]
mod peer;
#[cfg(test)]
mod relay;
#[cfg(test)]
#[path = "../sheets/mod.rs"]
mod sheets;
#[cfg(test)]
#[expect(dead_code, reason = "the other tests use the rest of it")]
#[path = "../it/support/smtp.rs"]
mod smtp;
#[cfg(test)]
mod standard;
#[cfg(test)]
mod stores;
#[cfg(test)]
mod taker;
#[cfg(test)]
mod times;
#[cfg(test)]
mod told;
#[cfg(test)]
mod workbook;
#[cfg(test)]
mod workbooks;
#[cfg(test)]
#[expect(dead_code, reason = "the other tests use the rest of it")]
#[path = "../it/support/workplace.rs"]
mod workplace;
