//! A micro chart as a small picture for mails: one colour, let through more or less, on no ground of its own, so that it
//! stands on a light and on a dark card alike.

use std::convert::Infallible;

use libdeflater::{CompressionLvl, Compressor, Crc};
use plotters_backend::{BackendColor, BackendCoord, BackendStyle, DrawingBackend, DrawingErrorKind};

use super::{Colour, Picture, draw};
use crate::base::Quantity;
use crate::render::Theme;

/// Drawing units in a pixel of a mail's page: one of these stands for a point of paper.
const UNITS_PER_PIXEL: u32 = super::UNITS_PER_POINT as u32;

/// Dots of the picture in a pixel of a mail's page, in each direction: phones show twice as many, and more.
const DOTS_PER_PIXEL: u32 = 2;

/// The micro chart of a course as a PNG of so many pixels of a mail's page, in tints of one colour. The same course, the
/// same bytes.
pub(crate) fn micro(
    values: &[Option<Quantity>],
    current: Option<usize>,
    (width, height): (u32, u32),
    colour: Colour,
) -> Vec<u8> {
    let size = (width * DOTS_PER_PIXEL, height * DOTS_PER_PIXEL);
    let mut veil = Veil { size, colour, dots: vec![0.0; (size.0 * size.1) as usize] };
    let theme = Theme { accent: colour, ..Theme::default() };
    // The backend itself never fails; what plotters might find wrong leaves what was drawn until then.
    let _ = draw(&mut veil, Picture::Micro(values, current), &theme);
    veil.png()
}

/// How much of the one colour each dot lets through, from 0 to 1.
struct Veil {
    size: (u32, u32),
    colour: Colour,
    dots: Vec<f32>,
}

impl Veil {
    /// How much of the colour a tint of it with white is.
    fn strength(&self, tint: BackendColor) -> f32 {
        let parts = [self.colour.0, self.colour.1, self.colour.2].into_iter().zip([tint.rgb.0, tint.rgb.1, tint.rgb.2]);
        // The part farthest from white tells best; of white itself everything is a tint.
        let far = parts.map(|(whole, part)| (255.0 - f32::from(whole), 255.0 - f32::from(part)));
        let (whole, part) = far.fold((0.0, 1.0), |most, one| if one.0 > most.0 { one } else { most });
        let strength = if whole > 0.0 { part / whole } else { 1.0 };
        strength.clamp(0.0, 1.0) * tint.alpha as f32
    }

    fn add(&mut self, (x, y): (u32, u32), part: f32) {
        if x < self.size.0
            && y < self.size.1
            && let Some(dot) = self.dots.get_mut((y * self.size.0 + x) as usize)
        {
            *dot = (*dot + part).min(1.0);
        }
    }

    /// The picture: eight bits of red, green, blue and opacity a dot (PNG, third edition, 11.2.1).
    fn png(&self) -> Vec<u8> {
        let Colour(red, green, blue) = self.colour;
        let mut rows = Vec::with_capacity(self.dots.len() * 4 + self.size.1 as usize);
        for row in self.dots.chunks(self.size.0.max(1) as usize) {
            // No filter: rows of columns repeat as they are.
            rows.push(0);
            rows.extend(row.iter().flat_map(|part| [red, green, blue, (part * 255.0).round() as u8]));
        }
        let mut head = [self.size.0.to_be_bytes(), self.size.1.to_be_bytes()].concat();
        head.extend([8, 6, 0, 0, 0]);
        let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
        for (kind, data) in [(b"IHDR", head), (b"IDAT", deflated(&rows)), (b"IEND", Vec::new())] {
            let start = png.len() + 4;
            png.extend(u32::try_from(data.len()).unwrap_or(u32::MAX).to_be_bytes());
            png.extend(kind);
            png.extend(data);
            let mut sum = Crc::new();
            sum.update(&png[start..]);
            png.extend(sum.sum().to_be_bytes());
        }
        png
    }
}

fn deflated(bytes: &[u8]) -> Vec<u8> {
    // A mail each has some: the best level takes ten times as long for a tenth less.
    let mut compressor = Compressor::new(CompressionLvl::default());
    let mut deflated = vec![0; compressor.zlib_compress_bound(bytes.len())];
    // The bound holds whatever comes out, by the library's word.
    let n_bytes = compressor.zlib_compress(bytes, &mut deflated).unwrap_or_default();
    deflated.truncate(n_bytes);
    deflated
}

impl DrawingBackend for &mut Veil {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        let units = UNITS_PER_PIXEL / DOTS_PER_PIXEL;
        (self.size.0 * units, self.size.1 * units)
    }

    fn ensure_prepared(&mut self) -> Result<(), DrawingErrorKind<Infallible>> {
        Ok(())
    }

    fn present(&mut self) -> Result<(), DrawingErrorKind<Infallible>> {
        Ok(())
    }

    fn draw_pixel(&mut self, (x, y): BackendCoord, tint: BackendColor) -> Result<(), DrawingErrorKind<Infallible>> {
        let units = UNITS_PER_PIXEL / DOTS_PER_PIXEL;
        if let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y)) {
            let strength = self.strength(tint);
            self.add((x / units, y / units), strength / (units * units) as f32);
        }
        Ok(())
    }

    /// A rectangle's edges are as sharp as the dots allow: each dot gets what of it is covered.
    fn draw_rect<S: BackendStyle>(
        &mut self,
        from: BackendCoord,
        to: BackendCoord,
        style: &S,
        _fill: bool,
    ) -> Result<(), DrawingErrorKind<Infallible>> {
        let units = (UNITS_PER_PIXEL / DOTS_PER_PIXEL) as f32;
        let strength = self.strength(style.color());
        let along = |one: i32, other: i32| (one.min(other).max(0) as f32 / units, one.max(other).max(0) as f32 / units);
        let ((left, right), (top, bottom)) = (along(from.0, to.0), along(from.1, to.1));
        let covered = |at: u32, start: f32, end: f32| (end.min(at as f32 + 1.0) - start.max(at as f32)).clamp(0.0, 1.0);
        for y in (top as u32)..(bottom.ceil() as u32).min(self.size.1) {
            for x in (left as u32)..(right.ceil() as u32).min(self.size.0) {
                self.add((x, y), strength * covered(x, left, right) * covered(y, top, bottom));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The dots of a picture as opacities, unpacked by hand.
    fn dots(png: &[u8]) -> (usize, Vec<[u8; 4]>) {
        let word = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap()) as usize;
        assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
        assert_eq!((&png[12..16], &png[24..29]), (b"IHDR".as_slice(), [8, 6, 0, 0, 0].as_slice()));
        let (width, height) = (word(16), word(20));
        let mut at = 8;
        let mut rows = Vec::new();
        while at < png.len() {
            let (n, kind) = (word(at), &png[at + 4..at + 8]);
            let mut sum = Crc::new();
            sum.update(&png[at + 4..at + 8 + n]);
            assert_eq!(word(at + 8 + n), sum.sum() as usize);
            if kind == b"IDAT" {
                rows = vec![0; (width * 4 + 1) * height];
                libdeflater::Decompressor::new().zlib_decompress(&png[at + 8..at + 8 + n], &mut rows).unwrap();
            }
            at += 12 + n;
        }
        let dots = rows.chunks(width * 4 + 1).flat_map(|row| row[1..].chunks(4).map(|dot| dot.try_into().unwrap()));
        (width, dots.collect())
    }

    #[test]
    fn the_current_month_is_the_colour_itself_and_the_others_let_the_ground_through() {
        let colour = Colour(31, 134, 185);
        let values = [Some(Quantity::whole(5)), None, Some(Quantity::whole(10)), Some(Quantity::ZERO)];
        let png = micro(&values, Some(2), (96, 24), colour);
        assert_eq!(png, micro(&values, Some(2), (96, 24), colour));
        assert!(png.len() < 2_000, "{} bytes", png.len());
        let (width, dots) = dots(&png);
        assert_eq!((width, dots.len()), (192, 192 * 48));
        assert!(dots.iter().all(|dot| dot[..3] == [31, 134, 185]));
        // In the middle of each month's place, half way up and at the foot.
        let at = |month: usize, y: usize| dots[y * width + month * 48 + 20][3];
        assert_eq!([at(0, 10), at(1, 10), at(2, 10), at(3, 10)], [0, 0, 255, 0]);
        assert_eq!([at(1, 47), at(2, 47)], [0, 255]);
        assert!((90..120).contains(&at(0, 47)) && (90..120).contains(&at(3, 47)), "{} {}", at(0, 47), at(3, 47));
    }

    #[test]
    fn a_course_of_any_length_or_none_is_a_picture() {
        for n in [0, 1, 2, 36, 400] {
            let values = vec![Some(Quantity::whole(7)); n];
            let (_, dots) = dots(&micro(&values, n.checked_sub(1), (240, 40), Colour(0, 0, 0)));
            assert_eq!(dots.iter().any(|dot| dot[3] > 0), n > 0);
        }
        let (_, dots) = dots(&micro(&[Some(Quantity::whole(1))], None, (10, 10), Colour::WHITE));
        assert!(dots.iter().any(|dot| dot[3] > 0), "white is drawn, too");
    }
}
