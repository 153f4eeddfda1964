//! The product from outside, and the rules of its source.

#[cfg(test)]
mod backups;
#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod brakes;
#[cfg(test)]
mod daemons;
#[cfg(test)]
#[path = "../days/mod.rs"]
mod days;
#[cfg(test)]
mod gaps;
#[cfg(test)]
mod leaks;
#[cfg(test)]
mod looks;
#[cfg(test)]
mod mails;
#[cfg(test)]
mod rehearsals;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod runs;
#[cfg(test)]
#[expect(dead_code, reason = "the tests against other programs use the rest of it")]
#[path = "../sheets/mod.rs"]
mod sheets;
#[cfg(test)]
mod stores;
#[cfg(test)]
mod support;
#[cfg(test)]
mod views;
#[cfg(test)]
mod workbooks;
