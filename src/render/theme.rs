//! The look: one palette, the same in every format.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::pdf::Logo;
use super::text::FontSet;
use crate::report::Slot;

/// An sRGB colour.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Colour(pub u8, pub u8, pub u8);

impl Colour {
    /// The paper, and the ground of a sheet.
    pub const WHITE: Colour = Colour(255, 255, 255);

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

    /// The contrast to another, from 1 to 21 (WCAG 2.2).
    pub fn contrast(self, other: Colour) -> f32 {
        let (one, other) = (self.luminance(), other.luminance());
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    /// How far another is from it, as CIE ΔE of 1976 in L*a*b* under D65; 2.3 is just noticed, black to white is 100.
    pub fn difference(self, other: Colour) -> f32 {
        let apart = |(one, other): (f32, f32)| (one - other) * (one - other);
        self.lab().into_iter().zip(other.lab()).map(apart).sum::<f32>().sqrt()
    }

    /// Relative luminance, from 0 to 1 (WCAG 2.2).
    fn luminance(self) -> f32 {
        let [red, green, blue] = self.linear();
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    /// The parts without the curve of sRGB (IEC 61966-2-1).
    fn linear(self) -> [f32; 3] {
        [self.0, self.1, self.2].map(|part| {
            let part = f32::from(part) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        })
    }

    /// L*a*b* under D65 (CIE 15).
    fn lab(self) -> [f32; 3] {
        let [red, green, blue] = self.linear();
        let curve = |part: f32| if part > 0.008_856 { part.cbrt() } else { 7.787 * part + 16.0 / 116.0 };
        let x = curve((0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.950_47);
        let y = curve(self.luminance());
        let z = curve((0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.088_83);
        [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
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

/// The look of every file of a partner. Serialized, logo and fonts are the digests of their bytes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
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
    /// What stands beside the title on a PDF's first page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logo: Option<Logo>,
    /// What a PDF is set in.
    #[serde(skip_serializing_if = "FontSet::is_carried")]
    pub fonts: FontSet,
}

/// The look of each partner.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Themes {
    /// Of every partner that has none of its own.
    pub default: Theme,
    /// By the partner's id, those that have one.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub by_partner: BTreeMap<String, Arc<Theme>>,
}

impl Themes {
    /// The look of a partner.
    pub fn of(&self, partner_id: &str) -> &Theme {
        self.by_partner.get(partner_id).map_or(&self.default, |theme| theme)
    }
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
            logo: None,
            fonts: FontSet::default(),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contrast_is_that_of_wcag_and_difference_that_of_cie() {
        assert!((Colour(0, 0, 0).contrast(Colour::WHITE) - 21.0).abs() < 1e-3);
        // #767676 on white is the textbook's 4.54.
        assert!((Colour(0x76, 0x76, 0x76).contrast(Colour::WHITE) - 4.54).abs() < 0.01);
        assert!((Colour(0, 0, 0).difference(Colour::WHITE) - 100.0).abs() < 0.1);
        // sRGB's red and green in L*a*b*: (53.2, 80.1, 67.2) and (87.7, −86.2, 83.2).
        assert!((Colour(255, 0, 0).difference(Colour(0, 255, 0)) - 170.6).abs() < 0.5);
        assert!(Colour(31, 134, 185).difference(Colour(31, 134, 185)).abs() < 1e-6);
    }

    #[test]
    fn a_partner_has_its_own_look_or_the_default() {
        let own = Theme { accent: Colour(1, 2, 3), ..Theme::default() };
        let by_partner = BTreeMap::from([("1".to_owned(), Arc::new(own.clone()))]);
        let themes = Themes { by_partner, ..Themes::default() };
        assert_eq!((themes.of("1"), themes.of("2")), (&own, &Theme::default()));
    }
}
