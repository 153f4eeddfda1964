//! A page's content (ISO 32000-1, 8.2): paths, texts and images, with the structure that they are of.
//!
//! All of it stands in whole twips, downwards from the page's upper left corner, and a colour, a font or a width is
//! set only where it changes. Texts follow one another within one text object, each placed from the one before it.

use super::fonts::{Fonts, Place, Shown};
use crate::render::Colour;
use crate::render::text::{Glyph, Run, Shaped};

/// A point of paper has so many twips.
pub(in crate::render::pdf) const TWIPS: f32 = 20.0;

/// Points → twips.
pub(in crate::render::pdf) fn twips(points: f32) -> i32 {
    (points * TWIPS).round() as i32
}

/// A path, in twips.
#[derive(Default)]
pub(in crate::render::pdf) struct Path(Vec<u8>);

impl Path {
    pub(in crate::render::pdf) fn move_to(&mut self, x: i32, y: i32) {
        put(&mut self.0, &[x, y], b"m");
    }

    pub(in crate::render::pdf) fn line_to(&mut self, x: i32, y: i32) {
        put(&mut self.0, &[x, y], b"l");
    }

    pub(in crate::render::pdf) fn close(&mut self) {
        put(&mut self.0, &[], b"h");
    }

    /// From its upper left corner.
    pub(in crate::render::pdf) fn rect(&mut self, x: i32, y: i32, width: i32, height: i32) {
        put(&mut self.0, &[x, y, width, height], b"re");
    }

    /// A circle as four Bézier curves.
    pub(in crate::render::pdf) fn circle(&mut self, x: i32, y: i32, radius: i32) {
        // 4/3 (√2 − 1): the handle that keeps within 0.03 % of the circle.
        let handle = (radius as f32 * 0.552_284_8).round() as i32;
        let (left, top, right, bottom) = (x - radius, y - radius, x + radius, y + radius);
        self.move_to(right, y);
        for curve in [
            [right, y + handle, x + handle, bottom, x, bottom],
            [x - handle, bottom, left, y + handle, left, y],
            [left, y - handle, x - handle, top, x, top],
            [x + handle, top, right, y - handle, right, y],
        ] {
            put(&mut self.0, &curve, b"c");
        }
        self.close();
    }
}

/// Writes an operator after its numbers.
fn put(bytes: &mut Vec<u8>, numbers: &[i32], operator: &[u8]) {
    for number in numbers {
        push(bytes, *number);
        bytes.push(b' ');
    }
    bytes.extend_from_slice(operator);
    bytes.push(b'\n');
}

fn push(bytes: &mut Vec<u8>, number: i32) {
    bytes.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// The content of a page as it is being painted.
pub(in crate::render::pdf) struct Content<'d> {
    bytes: Vec<u8>,
    fonts: &'d mut Fonts,
    fill: Option<Colour>,
    /// Colour and width of strokes.
    stroke: Option<(Colour, i32)>,
    /// Font and size of texts.
    set_in: Option<(Place, i32)>,
    /// Where the text that was placed last begins; none outside of a text object.
    line: Option<(i32, i32)>,
    has_image: bool,
}

/// What marked content is of (14.6).
#[derive(Clone, Copy)]
pub(in crate::render::pdf) enum Marked<'a> {
    /// Seen and not read; with what is said of it.
    Artifact(&'a str),
    /// A piece of an element of the structure, by its number on the page.
    Content(usize),
    /// One that is read as a text, whatever is drawn (14.9.4).
    Instead(usize, &'a str),
}

/// What marked content holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::render::pdf) enum Holds {
    /// Nothing but texts.
    Text,
    /// Paths and images, and perhaps texts too.
    Shapes,
}

/// The content of a page that is painted.
pub(in crate::render::pdf) struct Painted {
    pub(super) bytes: Vec<u8>,
    pub(super) has_image: bool,
}

impl<'d> Content<'d> {
    /// An empty page; `height` is in points.
    pub(in crate::render::pdf) fn new(fonts: &'d mut Fonts, height: f32) -> Content<'d> {
        // Twips from the upper left corner, and lines that are joined roundly.
        let bytes = format!(".05 0 0 -.05 0 {height} cm\n1 j\n").into_bytes();
        Content { bytes, fonts, fill: None, stroke: None, set_in: None, line: None, has_image: false }
    }

    /// The finished content.
    pub(in crate::render::pdf) fn finish(mut self) -> Painted {
        self.end_text();
        Painted { bytes: self.bytes, has_image: self.has_image }
    }

    /// Fills a path.
    pub(in crate::render::pdf) fn fill(&mut self, path: &Path, colour: Colour) {
        self.end_text();
        self.set_fill(colour);
        self.draw(path, b"f\n");
    }

    /// Draws a path as a line of a width in twips.
    pub(in crate::render::pdf) fn stroke(&mut self, path: &Path, colour: Colour, width: i32) {
        self.end_text();
        if self.stroke.is_none_or(|(known, _)| known != colour) {
            self.colour(colour, b"RG");
        }
        if self.stroke.is_none_or(|(_, known)| known != width) {
            put(&mut self.bytes, &[width], b"w");
        }
        self.stroke = Some((colour, width));
        self.draw(path, b"S\n");
    }

    fn draw(&mut self, path: &Path, operator: &[u8]) {
        if !path.0.is_empty() {
            self.bytes.extend_from_slice(&path.0);
            self.bytes.extend_from_slice(operator);
        }
    }

    /// Fills a rectangle with the image of the resources' name.
    pub(in crate::render::pdf) fn image(&mut self, name: &str, x: i32, y: i32, width: i32, height: i32) {
        self.end_text();
        self.has_image = true;
        self.bytes.extend_from_slice(b"q ");
        // Not even the thinnest is nothing.
        let (width, height) = (width.max(1), height.max(1));
        put(&mut self.bytes, &[width, 0, 0, -height, x, y + height], b"cm");
        self.bytes.extend_from_slice(format!("/{name} Do Q\n").as_bytes());
    }

    fn set_fill(&mut self, colour: Colour) {
        if self.fill != Some(colour) {
            self.colour(colour, b"rg");
            self.fill = Some(colour);
        }
    }

    fn colour(&mut self, Colour(red, green, blue): Colour, operator: &[u8]) {
        for part in [red, green, blue] {
            // Three decimals tell 256 steps apart.
            let thousandths = (u32::from(part) * 1000 + 127) / 255;
            let text = format!(".{thousandths:03} ");
            let text = match part {
                0 => "0 ",
                255 => "1 ",
                _ => &text,
            };
            self.bytes.extend_from_slice(text.as_bytes());
        }
        self.bytes.extend_from_slice(operator);
        self.bytes.push(b'\n');
    }

    /// Begins content of a kind.
    ///
    /// Marked content begins and ends within one text object, or outside of all (14.6.1). Texts stand within one that
    /// goes on from one to the next.
    pub(in crate::render::pdf) fn begin(&mut self, marked: Marked<'_>, holds: Holds) {
        match holds {
            Holds::Text => self.begin_text(),
            Holds::Shapes => self.end_text(),
        }
        let operator = match marked {
            Marked::Artifact(entries) => format!("/Artifact<<{entries}>>BDC\n"),
            Marked::Content(mcid) => format!("/P<</MCID {mcid}>>BDC\n"),
            Marked::Instead(mcid, text) => format!("/Span<</MCID {mcid}/ActualText{}>>BDC\n", utf16(text)),
        };
        self.bytes.extend_from_slice(operator.as_bytes());
    }

    /// Ends the content that began last, and holds such.
    pub(in crate::render::pdf) fn end(&mut self, holds: Holds) {
        if holds == Holds::Shapes {
            self.end_text();
        }
        self.bytes.extend_from_slice(b"EMC\n");
    }

    fn begin_text(&mut self) {
        if self.line.is_none() {
            self.bytes.extend_from_slice(b"BT\n1 0 0 -1 0 0 Tm\n");
            self.line = Some((0, 0));
        }
    }

    fn end_text(&mut self) {
        if self.line.take().is_some() {
            self.bytes.extend_from_slice(b"ET\n");
        }
    }

    /// Draws a shaped line from its left end on the base line, in points. `is_read` says that its letters are read
    /// from what is drawn: what is not drawn as it is written says there how it is.
    pub(in crate::render::pdf) fn text(
        &mut self,
        (x, y): (f32, f32),
        shaped: &Shaped,
        size: f32,
        colour: Colour,
        is_read: bool,
    ) {
        let mut x = x;
        for run in &shaped.runs {
            self.place(twips(x), twips(y));
            self.set_fill(colour);
            self.run(run, &shaped.text, twips(size), is_read);
            x += run.width * size;
        }
    }

    /// Where the next text begins.
    fn place(&mut self, x: i32, y: i32) {
        self.begin_text();
        let (from_x, from_y) = self.line.unwrap_or_default();
        put(&mut self.bytes, &[x - from_x, from_y - y], b"Td");
        self.line = Some((x, y));
    }

    fn run(&mut self, run: &Run, text: &str, size: i32, is_read: bool) {
        let face = self.fonts.face(&run.font);
        let mut show = Show::default();
        for cluster in run.glyphs.chunk_by(|one, other| one.start == other.start && one.end == other.end) {
            let mut is_instead = false;
            for (n, glyph) in cluster.iter().enumerate() {
                let says = text.get(glyph.start as usize..glyph.end as usize).unwrap_or_default();
                let shown = self.fonts.show(face, glyph.id, says);
                if n == 0 && is_read && (cluster.len() > 1 || !shown.is_read_so) {
                    is_instead = true;
                    show.end(&mut self.bytes);
                    self.bytes.extend_from_slice(format!("/Span<</ActualText{}>>BDC\n", utf16(says)).as_bytes());
                }
                if self.set_in != Some((shown.place, size)) {
                    show.end(&mut self.bytes);
                    self.bytes.extend_from_slice(format!("/{} {size} Tf\n", shown.place).as_bytes());
                    self.set_in = Some((shown.place, size));
                }
                show.glyph(&mut self.bytes, &shown, size, glyph);
            }
            if is_instead {
                show.end(&mut self.bytes);
                self.bytes.extend_from_slice(b"EMC\n");
            }
        }
        show.end(&mut self.bytes);
    }
}

/// A text as a string of hexadecimal digits (7.9.2.2).
fn utf16(text: &str) -> String {
    text.encode_utf16().fold("<FEFF".to_owned(), |all, unit| all + &format!("{unit:04X}")) + ">"
}

/// Glyphs being shown: strings, with the spaces between them that are not the font's own (9.4.3).
#[derive(Default)]
struct Show {
    /// Where the strings begin.
    start: Option<usize>,
    /// Whether a space stands among them.
    is_spaced: bool,
    /// What the next glyph is to be moved by to the right, in thousandths of the size.
    ahead: f32,
}

impl Show {
    fn glyph(&mut self, bytes: &mut Vec<u8>, shown: &Shown, size: i32, glyph: &Glyph) {
        let raised = (glyph.y_offset * size as f32).round() as i32;
        if raised != 0 {
            self.end(bytes);
            put(bytes, &[raised], b"Ts");
        }
        self.ahead += glyph.x_offset * 1000.0;
        let ahead = self.ahead.round();
        self.ahead -= ahead;
        match self.start {
            None => {
                self.start = Some(bytes.len());
                self.is_spaced = ahead != 0.0;
                if self.is_spaced {
                    bytes.push(b'[');
                    push(bytes, -ahead as i32);
                }
                bytes.push(b'(');
            }
            Some(start) if ahead != 0.0 => {
                if !self.is_spaced {
                    self.is_spaced = true;
                    bytes.insert(start, b'[');
                }
                bytes.push(b')');
                push(bytes, -ahead as i32);
                bytes.push(b'(');
            }
            Some(_) => {}
        }
        for byte in shown.number.to_be_bytes() {
            match byte {
                b'(' | b')' | b'\\' => bytes.extend_from_slice(&[b'\\', byte]),
                b'\r' => bytes.extend_from_slice(b"\\r"),
                _ => bytes.push(byte),
            }
        }
        self.ahead += (glyph.advance - shown.advance - glyph.x_offset) * 1000.0;
        if raised != 0 {
            self.end(bytes);
            bytes.extend_from_slice(b"0 Ts\n");
        }
    }

    /// Ends the strings; a space that is still ahead stands before the next ones of the same run.
    fn end(&mut self, bytes: &mut Vec<u8>) {
        if self.start.take().is_some() {
            bytes.extend_from_slice(if self.is_spaced { b")]TJ\n" } else { b")Tj\n" });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::text::{Direction, FontSet, Weight, shape};

    const INK: Colour = Colour(26, 36, 51);

    /// What is written after the page's beginning, codes as two hexadecimal digits each.
    fn written(draw: impl FnOnce(&mut Content<'_>)) -> String {
        let mut fonts = Fonts::default();
        let mut content = Content::new(&mut fonts, 800.0);
        draw(&mut content);
        let bytes = content.finish().bytes;
        let rest = bytes.strip_prefix(b".05 0 0 -.05 0 800 cm\n1 j\n").unwrap();
        rest.iter()
            .map(|byte| if byte.is_ascii_control() && *byte != b'\n' { '·' } else { char::from(*byte) })
            .collect()
    }

    fn text(content: &mut Content<'_>, at: (f32, f32), text: &str) {
        content.text(at, &shape(text, Weight::Regular, Direction::Auto, &FontSet::default()), 9.0, INK, true);
    }

    #[test]
    fn texts_follow_one_another_and_say_only_what_changes() {
        let written = written(|content| {
            content.begin(Marked::Content(0), Holds::Text);
            text(content, (40.0, 100.0), "11");
            text(content, (60.0, 110.0), "11");
            content.end(Holds::Text);
            content.begin(Marked::Artifact("/Type/Pagination"), Holds::Text);
            text(content, (40.0, 110.0), "1");
            content.end(Holds::Text);
        });
        let lines: Vec<&str> = written.lines().collect();
        assert_eq!(lines[..5], ["BT", "1 0 0 -1 0 0 Tm", "/P<</MCID 0>>BDC", "800 -2000 Td", ".102 .141 .200 rg"]);
        assert_eq!(lines[5], "/F0 180 Tf");
        assert!(lines[6].starts_with("(·") && lines[6].ends_with(")Tj"), "{}", lines[6]);
        assert_eq!(lines[7], "400 -200 Td");
        assert_eq!(lines[8], lines[6]);
        assert_eq!(lines[9..12], ["EMC", "/Artifact<</Type/Pagination>>BDC", "-400 0 Td"]);
        assert_eq!(lines[13..], ["EMC", "ET"]);
    }

    #[test]
    fn shapes_stand_outside_of_text_objects() {
        let written = written(|content| {
            text(content, (1.0, 1.0), "1");
            content.begin(Marked::Content(7), Holds::Shapes);
            let mut path = Path::default();
            path.rect(1, 2, 3, 4);
            content.fill(&path, Colour(255, 0, 51));
            content.stroke(&path, INK, 15);
            content.stroke(&path, INK, 15);
            content.fill(&Path::default(), INK);
            text(content, (1.0, 1.0), "1");
            content.end(Holds::Shapes);
            content.image("I", 20, 40, 200, 100);
        });
        let (_, shapes) = written.split_once("ET\n").unwrap();
        let (shapes, rest) = shapes.split_once("BT\n").unwrap();
        assert_eq!(
            shapes,
            "/P<</MCID 7>>BDC\n1 0 .200 rg\n1 2 3 4 re\nf\n.102 .141 .200 RG\n15 w\n1 2 3 4 re\nS\n1 2 3 4 re\nS\n\
             .102 .141 .200 rg\n"
        );
        // The colour and the font are those that were set before.
        assert!(
            rest.starts_with("1 0 0 -1 0 0 Tm\n20 -20 Td\n(") && !rest.contains("rg") && !rest.contains("Tf"),
            "{rest}"
        );
        assert!(rest.ends_with("ET\nEMC\nq 200 0 0 -100 20 140 cm\n/I Do Q\n"), "{rest}");
    }

    #[test]
    fn what_is_not_read_as_it_is_drawn_says_how_it_is_read() {
        // One glyph is read in two ways, and two glyphs are one letter.
        let spans = |text_of: &str, is_read: bool| {
            let written = written(|content| {
                let shaped = shape(text_of, Weight::Regular, Direction::Auto, &FontSet::default());
                content.text((0.0, 0.0), &shaped, 9.0, INK, is_read);
            });
            assert_eq!(written.matches("BDC\n").count(), written.matches("EMC\n").count(), "{written}");
            written
                .split("/Span<</ActualText")
                .skip(1)
                .map(|rest| rest[..rest.find(">>").unwrap() + 1].to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(spans("a b", true), [""; 0]);
        assert_eq!(spans("e\u{301}é", true), ["<FEFF00650301>"]);
        assert_eq!(spans("e\u{301}é", false), [""; 0]);
        assert_eq!(spans("น้ำ", true), ["<FEFF0E490E33>"]);
    }

    #[test]
    fn a_glyph_stands_where_it_was_placed_and_the_next_one_behind_its_advance() {
        let glyph = |advance, x_offset, y_offset| Glyph { id: 1, start: 0, end: 1, advance, x_offset, y_offset };
        let mut fonts = Fonts::default();
        let face = fonts.face(&crate::render::text::FontRef::main(Weight::Regular));
        let own = fonts.show(face, 504, "a");
        let (mut bytes, mut show) = (Vec::new(), Show::default());
        for (advance, x_offset, y_offset) in
            [(own.advance, 0.0, 0.0), (own.advance + 0.05, 0.1, 0.0), (own.advance, 0.0, 0.5), (own.advance, 0.0, 0.0)]
        {
            show.glyph(&mut bytes, &own, 180, &glyph(advance, x_offset, y_offset));
        }
        show.end(&mut bytes);
        let code = format!("\0{}", char::from(own.number as u8));
        let wants = format!("[({code})-100({code})]TJ\n90 Ts\n[50({code})]TJ\n0 Ts\n({code})Tj\n");
        assert_eq!(String::from_utf8(bytes).unwrap(), wants);
    }

    #[test]
    fn kerning_is_written_and_codes_are_escaped() {
        let mut fonts = Fonts::default();
        let mut content = Content::new(&mut fonts, 800.0);
        let all: String = (' '..='~').chain('À'..='ÿ').collect();
        let shaped = |text: &str| shape(text, Weight::Regular, Direction::Auto, &FontSet::default());
        let n_glyphs = |text: &str| shaped(text).runs.iter().map(|run| run.glyphs.len()).sum::<usize>();
        text(&mut content, (0.0, 0.0), "AVAVAVAV");
        text(&mut content, (0.0, 0.0), &all);
        let bytes = content.finish().bytes;
        assert!(bytes.windows(3).any(|part| part == b")]T"));
        // An unescaped sign would end the string early, or be read as another byte.
        for (n, byte) in bytes.iter().enumerate() {
            assert!(*byte != b'\r', "{n}");
        }
        let operations = lopdf::content::Content::decode(&bytes).unwrap().operations;
        let n_bytes: usize = operations
            .iter()
            .filter(|operation| matches!(operation.operator.as_str(), "Tj" | "TJ"))
            .flat_map(|operation| &operation.operands)
            .flat_map(|operand| operand.as_array().map_or(vec![operand], |parts| parts.iter().collect()))
            .filter_map(|part| part.as_str().ok())
            .map(<[u8]>::len)
            .sum();
        assert_eq!(n_bytes, 2 * (8 + n_glyphs(&all)));
    }
}
