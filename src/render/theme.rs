//! The look: one palette, the same in every format.

use serde::{Deserialize, Serialize};

use crate::report::Slot;

/// An sRGB colour.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Colour(pub u8, pub u8, pub u8);

impl Colour {
    /// As `0x1F86B9`.
    pub fn rgb(self) -> u32 {
        u32::from(self.0) << 16 | u32::from(self.1) << 8 | u32::from(self.2)
    }

    /// As `#1f86b9`.
    pub fn hex(self) -> String {
        format!("#{:02x}{:02x}{:02x}", self.0, self.1, self.2)
    }

    /// Mixed with white: 0 stays as it is, 100 is white.
    #[must_use]
    pub fn lighter(self, percent: u8) -> Colour {
        let mix = |part: u8| {
            let part = u32::from(part);
            u8::try_from(part + (255 - part) * u32::from(percent.min(100)) / 100).unwrap_or(u8::MAX)
        };
        Colour(mix(self.0), mix(self.1), mix(self.2))
    }
}

/// The paper of a PDF.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Paper {
    /// 210 × 297 mm.
    #[default]
    A4,
    /// 8.5 × 11 in.
    Letter,
}

impl Paper {
    /// Width and height in points.
    pub fn size(self) -> (f32, f32) {
        match self {
            Paper::A4 => (595.28, 841.89),
            Paper::Letter => (612.0, 792.0),
        }
    }
}

/// The look of every file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Theme {
    /// The paper of the PDF.
    pub paper: Paper,
    /// Words and figures.
    pub ink: Colour,
    /// Second words: labels, notes, axes.
    pub grey: Colour,
    /// Lines between rows.
    pub line: Colour,
    /// The ground of cards and of bars' rests.
    pub ground: Colour,
    /// The house's one accent.
    pub accent: Colour,
    /// Rise, never without ▲ and sign.
    pub rise: Colour,
    /// Fall, never without ▼ and sign.
    pub fall: Colour,
    /// The banner's ground.
    pub banner: Colour,
    /// The products, in steps of lightness, so that grey print tells them apart.
    pub products: [Colour; 6],
    /// All that is summed as *Others*.
    pub others: Colour,
}

impl Default for Theme {
    fn default() -> Theme {
        Theme {
            paper: Paper::A4,
            ink: Colour(26, 36, 51),
            grey: Colour(86, 97, 110),
            line: Colour(217, 220, 224),
            ground: Colour(244, 246, 248),
            accent: Colour(31, 134, 185),
            rise: Colour(28, 122, 72),
            fall: Colour(178, 48, 42),
            banner: Colour(253, 243, 219),
            products: [
                Colour(19, 57, 92),
                Colour(107, 60, 160),
                Colour(31, 134, 185),
                Colour(68, 170, 134),
                Colour(232, 171, 46),
                Colour(196, 108, 150),
            ],
            others: Colour(158, 166, 175),
        }
    }
}

impl Theme {
    /// The colour of a slot.
    pub fn colour(&self, slot: Slot) -> Colour {
        match slot {
            Slot::Product(n) => self.products.get(usize::from(n)).copied().unwrap_or(self.others),
            Slot::Others => self.others,
            Slot::Accent => self.accent,
        }
    }
}
