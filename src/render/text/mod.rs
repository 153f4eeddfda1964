//! Text: fonts carried and configured, shaping with fallback and direction, line breaking. Pure, and shared between
//! documents.

mod cache;
mod cut;
mod fonts;
mod own;
mod shape;
mod wrap;

use std::sync::Arc;

pub(crate) use cut::Program;
pub(crate) use fonts::{FontRef, Weight};
pub use own::{FONT_BYTES_MAX, FontError, FontFile, FontSet};
pub(crate) use shape::{Glyph, Run, Shaped};
pub(crate) use wrap::{Line, Span, Style, fit, wrap};

/// Which way a text runs as a whole.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Direction {
    /// A sentence of ours: from left to right, whatever names stand in it.
    Ltr,
    /// A name by itself: as its first letter says.
    Auto,
}

/// Shapes one line of text.
///
/// Control characters become blanks; a character that no font has is drawn as U+FFFD and still extracted as itself.
pub(crate) fn shape(text: &str, weight: Weight, direction: Direction, set: &FontSet) -> Arc<Shaped> {
    cache::shaped(text, weight, direction, set, || shape::shape(text, weight, direction, set))
}
