//! A partner's logo: what an image must be, how large it stands beside the title, and its painting.

use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::mark::{Mark, Piece};
use super::write::{Image, PIXELS, jpeg_segments};
use crate::base::{Digest, plain_text};
use crate::report::Head;

/// The largest image file that is taken, and the most that an image may add to each PDF: 2 MiB.
pub const LOGO_BYTES_MAX: u64 = 2 << 20;
/// The longest side that is taken, in pixels.
const SIDE_PIXELS_MAX: u32 = 4000;

/// The room beside the title, in points. An image is made smaller until it fits, and never larger than a point a pixel.
const WIDTH_MAX: f32 = 150.0;
const HEIGHT_MAX: f32 = 28.0;
/// The space between the title and the logo, in points.
const GAP: f32 = 16.0;

/// An image that is known to be drawn. Cheap to clone: its pixels are unpacked once, when the configuration is read.
#[derive(Clone)]
pub struct Logo(Arc<Drawn>);

struct Drawn {
    image: Image,
    digest: Digest,
}

/// Why a file is no logo.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum LogoError {
    /// A drawing, not an image.
    #[error("is an SVG drawing")]
    Svg,
    /// Neither of the two formats.
    #[error("is neither a PNG nor a JPEG image")]
    Unknown,
    /// It begins as an image and cannot be read to its end.
    #[error("is broken or cut off")]
    Broken,
    /// A side of no length.
    #[error("has no pixels: it is {0} × {1}")]
    NoPixels(u32, u32),
    /// A side beyond the bound.
    #[error("has {0} × {1} pixels, more than {max} a side", max = SIDE_PIXELS_MAX)]
    TooManyPixels(u32, u32),
    /// In the colours of print.
    #[error("is in CMYK, which screens show wrongly")]
    Cmyk,
    /// Unpacked, it would make every PDF large.
    #[error("would add {0} bytes to each PDF, more than {max}", max = LOGO_BYTES_MAX)]
    Heavy(u64),
}

impl LogoError {
    /// What to do about it.
    pub fn hint(self) -> &'static str {
        match self {
            LogoError::Svg => "save it as a PNG, 600 pixels wide",
            LogoError::Unknown => "save it as a PNG or JPEG",
            LogoError::Broken | LogoError::NoPixels(..) => "save it anew as a PNG, and copy the whole file",
            LogoError::TooManyPixels(..) | LogoError::Heavy(_) => "save it smaller: 600 pixels wide are enough",
            LogoError::Cmyk => "save it in RGB",
        }
    }
}

impl Logo {
    /// Reads a PNG or JPEG file and draws it once.
    ///
    /// # Errors
    /// When it is no such image, broken, or too large.
    pub fn new(bytes: Vec<u8>) -> Result<Logo, LogoError> {
        let is_png = bytes.starts_with(b"\x89PNG\r\n\x1a\n");
        let ((width, height), n_colours) = if is_png { (png_size(&bytes)?, 0) } else { jpeg_size(&bytes)? };
        if width == 0 || height == 0 {
            return Err(LogoError::NoPixels(width, height));
        }
        if width.max(height) > SIDE_PIXELS_MAX {
            return Err(LogoError::TooManyPixels(width, height));
        }
        let digest = Digest::of(&bytes);
        let image = if is_png {
            Image::png(&bytes).ok_or(LogoError::Broken)?
        } else {
            Image::jpeg(bytes, (width, height), n_colours)
        };
        match image.n_bytes() as u64 {
            n if n > LOGO_BYTES_MAX => Err(LogoError::Heavy(n)),
            _ => Ok(Logo(Arc::new(Drawn { image, digest }))),
        }
    }

    /// What documents carry of it.
    pub(super) fn image(&self) -> &Image {
        &self.0.image
    }

    /// The digest of the file's bytes.
    pub fn digest(&self) -> Digest {
        self.0.digest
    }

    /// Width and height on the page, in points.
    pub(super) fn size(&self) -> (f32, f32) {
        let (width, height) = self.0.image.size();
        let (width, height) = (width as f32, height as f32);
        let scale = (WIDTH_MAX / width).min(HEIGHT_MAX / height).min(1.0);
        (width * scale, height * scale)
    }

    /// How much of the title's line is no longer the title's, in points.
    pub(super) fn room_taken(&self) -> f32 {
        self.size().0 + GAP
    }

    /// Stands at the right end of the title's line, after the title in the order of reading.
    pub(super) fn beside(&self, title: &mut Piece<'_>, head: &Head, right: f32) {
        let (width, height) = self.size();
        let alt = format!("{} logo", plain_text(&head.partner_name));
        let (x, y) = (right - width, (title.height - height) / 2.0);
        title.marks.push(Mark::Logo { x, y, width, height, alt });
    }
}

impl PartialEq for Logo {
    fn eq(&self, other: &Logo) -> bool {
        self.0.digest == other.0.digest
    }
}

impl Eq for Logo {}

impl fmt::Debug for Logo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "logo {}", self.0.digest.spoken())
    }
}

impl Serialize for Logo {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.digest.serialize(serializer)
    }
}

/// Width and height of a PNG, which its first chunk says (PNG, 11.2.2).
fn png_size(bytes: &[u8]) -> Result<(u32, u32), LogoError> {
    let number = |at: usize| Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    number(16).zip(number(20)).ok_or(LogoError::Broken)
}

/// Width, height and number of colours of a JPEG, which its frame header says (ITU-T T.81, B.2.2).
///
/// It is copied as it is, without a look at its pixels: so its kind must be one that PDFs show, its pixels must begin and
/// its end be there (ISO 32000-1, 7.4.8).
fn jpeg_size(bytes: &[u8]) -> Result<((u32, u32), u8), LogoError> {
    if !bytes.starts_with(&[0xff, 0xd8, 0xff]) {
        let is_svg = bytes.trim_ascii_start().starts_with(b"<") || bytes.starts_with(b"\xef\xbb\xbf<");
        return Err(if is_svg { LogoError::Svg } else { LogoError::Unknown });
    }
    let end = bytes.iter().rposition(|byte| *byte != 0).unwrap_or(0);
    if !bytes[..=end].ends_with(&[0xff, 0xd9]) {
        return Err(LogoError::Broken);
    }
    let mut frame = Err(LogoError::Broken);
    for (marker, held) in jpeg_segments(bytes) {
        match (marker, held) {
            (PIXELS, _) => return frame,
            (0xc0..=0xc2, &[precision, h1, h0, w1, w0, n_parts, ..]) => {
                let size = (u32::from(u16::from_be_bytes([w1, w0])), u32::from(u16::from_be_bytes([h1, h0])));
                frame = match (precision, n_parts) {
                    (8, 4) => Err(LogoError::Cmyk),
                    (8, 1 | 3) => Ok((size, n_parts)),
                    _ => Err(LogoError::Broken),
                };
            }
            // All other frames; among them stand tables and what concerns the arithmetic ones.
            (0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf, _) => return Err(LogoError::Broken),
            _ => {}
        }
    }
    Err(LogoError::Broken)
}
