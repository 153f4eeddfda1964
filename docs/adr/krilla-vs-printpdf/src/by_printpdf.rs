//! The report by printpdf.

use printpdf::{
    Color, FontId, Mm, Op, PaintMode, ParsedFont, PdfConformance, PdfDocument, PdfFontHandle, PdfPage, PdfSaveOptions,
    Point, Pt, Rect, Rgb, TextItem, WindingOrder,
};

use crate::content::{COLUMNS, LEADING, PAGE, Page, TOP};

/// The font, parsed once.
pub struct Library {
    font: ParsedFont,
}

impl Library {
    /// Parses the font.
    pub fn new(font: &[u8]) -> Library {
        Library { font: ParsedFont::from_bytes(font, 0, &mut Vec::new()).expect("printpdf reads the font") }
    }

    /// The report's bytes; `archival` sets the library's own PDF/A-2b option.
    pub fn render(&self, pages: &[Page], archival: bool) -> Vec<u8> {
        let mut document = PdfDocument::new("Product licenses");
        if archival {
            document.metadata.info.conformance = PdfConformance::A2B_2011_PDF_1_7;
        }
        let font = document.add_font(&self.font);
        for (index, page) in pages.iter().enumerate() {
            document.add_bookmark(&page.title, index + 1);
        }
        let drawn = pages.iter().map(|page| draw(page, &font)).collect();
        document.with_pages(drawn).save(&PdfSaveOptions::default(), &mut Vec::new())
    }
}

fn draw(page: &Page, font: &FontId) -> PdfPage {
    let mut ops = vec![colour(33, 37, 41)];
    text(&mut ops, font, (COLUMNS[0], 60.0), 18.0, &page.title);
    for (n_row, row) in page.rows.iter().enumerate() {
        let y = TOP + n_row as f32 * LEADING;
        for (x, cell) in COLUMNS.into_iter().zip(row) {
            text(&mut ops, font, (x, y), 8.0, cell);
        }
    }
    ops.push(colour(45, 108, 223));
    for (n_row, bar) in page.bars.iter().enumerate().filter(|(_, bar)| **bar > 0.0) {
        let y = TOP + (n_row as f32 + 1.0) * LEADING + 2.0;
        ops.push(Op::DrawRectangle {
            rectangle: Rect {
                x: Pt(COLUMNS[6]),
                y: Pt(PAGE.1 - y - 1.5),
                width: Pt(*bar),
                height: Pt(1.5),
                mode: Some(PaintMode::Fill),
                winding_order: Some(WindingOrder::NonZero),
            },
        });
    }
    PdfPage::new(Mm(210.0), Mm(297.0), ops)
}

fn text(ops: &mut Vec<Op>, font: &FontId, at: (f32, f32), size: f32, text: &str) {
    ops.extend([
        Op::StartTextSection,
        Op::SetFont { font: PdfFontHandle::External(font.clone()), size: Pt(size) },
        Op::SetTextCursor { pos: Point { x: Pt(at.0), y: Pt(PAGE.1 - at.1) } },
        Op::ShowText { items: vec![TextItem::Text(text.to_owned())] },
        Op::EndTextSection,
    ]);
}

fn colour(red: u8, green: u8, blue: u8) -> Op {
    let part = |value: u8| f32::from(value) / 255.0;
    Op::SetFillColor { col: Color::Rgb(Rgb { r: part(red), g: part(green), b: part(blue), icc_profile: None }) }
}
