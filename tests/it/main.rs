//! The product from outside, and the rules of its source.

#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod looks;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod runs;
#[cfg(test)]
mod support;
#[cfg(test)]
mod views;
