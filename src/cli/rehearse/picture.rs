//! The first page of a PDF as a picture.

use hayro::hayro_interpret::InterpreterSettings;
use hayro::hayro_syntax::Pdf;
use hayro::vello_cpu::color::palette::css::WHITE;
use hayro::{PixmapSettings, RenderCache, RenderSettings, render};

/// Dots of the picture in a point of paper: sharp enough to be read, and some 60 KB a page.
const DOTS_PER_POINT: f32 = 1.0;

/// The first page as a PNG; none when it cannot be drawn.
pub(super) fn first_page(pdf: Vec<u8>) -> Option<Vec<u8>> {
    let pdf = Pdf::new(pdf).ok()?;
    let pages = pdf.pages();
    let settings = PixmapSettings { x_scale: DOTS_PER_POINT, y_scale: DOTS_PER_POINT, bg_color: WHITE };
    let interpreter = InterpreterSettings::default();
    render(pages.first()?, &RenderCache::new(), &interpreter, &RenderSettings::default(), &settings).into_png().ok()
}
