//! The type scale: five sizes and no others, and the styles made of them.

use crate::render::text::{Style, Weight};
use crate::render::{Colour, Theme};

/// The report's title and the KPIs.
pub(super) const TITLE: f32 = 24.0;
/// Headings.
pub(super) const HEADING: f32 = 13.0;
/// The reading, and the line below the title.
pub(super) const READING: f32 = 10.5;
/// Everything that is read.
pub(super) const BODY: f32 = 9.0;
/// Everything that is looked up: notes, axes, heads of tables.
pub(super) const SMALL: f32 = 7.5;

/// The height of a line of a size.
pub(super) fn line_height(size: f32) -> f32 {
    (size * 1.5).round()
}

/// Where the base line of a size stands in a line of a height: capital letters are centred.
pub(super) fn base_line(size: f32, height: f32) -> f32 {
    (height + 0.727 * size) / 2.0
}

/// The styles of a theme.
impl Theme {
    pub(super) fn regular(&self, size: f32) -> Style<'_> {
        Style { weight: Weight::Regular, size, colour: self.ink, fonts: &self.fonts }
    }

    pub(super) fn semi_bold(&self, size: f32) -> Style<'_> {
        Style { weight: Weight::SemiBold, size, colour: self.ink, fonts: &self.fonts }
    }

    pub(super) fn bold(&self, size: f32) -> Style<'_> {
        Style { weight: Weight::Bold, size, colour: self.ink, fonts: &self.fonts }
    }

    /// Second words.
    pub(super) fn quiet(&self, size: f32) -> Style<'_> {
        Style { weight: Weight::Regular, size, colour: self.grey, fonts: &self.fonts }
    }

    /// The colour of a direction: rise, fall, or neither.
    pub(super) fn direction(&self, direction: i8) -> Colour {
        match direction {
            1.. => self.rise,
            0 => self.ink,
            _ => self.fall,
        }
    }
}
