//! A document that is thrown away: what a PDF refuses of a logo or a font is told when the configuration is read, and
//! not at night.

use krilla::configure::{Archival, ConfigurationBuilder};
use krilla::surface::Surface;
use krilla::{Document, SerializeSettings};

/// The bytes of a page with what `draw` draws, under the rules of PDF/A-3 that do not speak of structure; none when it
/// is refused.
pub(super) fn draw(draw: impl FnOnce(&mut Surface<'_>)) -> Option<Vec<u8>> {
    let configuration = ConfigurationBuilder::new().with_archival_validator(Archival::A3_B).finish().ok()?;
    let mut document = Document::new_with(SerializeSettings { configuration, ..SerializeSettings::default() });
    let mut page = document.start_page();
    let mut surface = page.surface();
    draw(&mut surface);
    surface.finish();
    page.finish();
    document.finish().ok()
}
