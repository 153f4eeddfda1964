//! What stands on a page: marks with places, and pieces of a page that are never cut.
//!
//! Marks stand in reading order. Among them stand the beginnings and ends of the elements of the document's
//! structure, like brackets, so that an element may go on over pages and nothing but the order says what is in it.

use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;

use crate::render::chart::Picture;
use crate::render::text::{Direction, Line, Shaped, Style, fit};
use crate::render::{Colour, Theme};
use crate::report::Head;

/// One thing on a page. Lengths are in points, downwards from the upper left corner.
#[derive(Clone, Debug)]
pub(super) enum Mark<'r> {
    /// A line of text from its left end on the base line.
    Text { x: f32, y: f32, shaped: Arc<Shaped>, size: f32, colour: Colour },
    /// A filled rectangle; thin ones are rules.
    Rect { x: f32, y: f32, width: f32, height: f32, colour: Colour },
    /// A filled circle.
    Dot { x: f32, y: f32, radius: f32, colour: Colour },
    /// Growth's sign: `y` is its lower edge.
    Triangle { x: f32, y: f32, side: f32, is_up: bool, colour: Colour },
    /// What plotters draws, and what it shows in words: a figure of the structure.
    Picture { x: f32, y: f32, width: f32, height: f32, picture: Picture<'r>, alt: Cow<'r, str> },
    /// The theme's logo, and what it is in words: a figure of the structure.
    Logo { x: f32, y: f32, width: f32, height: f32, alt: String },
    /// A place that bookmarks and links lead to: `y` is its upper edge.
    Anchor { x: f32, y: f32, anchor: Anchor<'r> },
    /// What follows, up to its end, is an element of the structure.
    Begin(Role<'r>),
    /// The end of the element that began last.
    End,
}

/// What an element of the structure is (ISO 32000-1, 14.8.4).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Role<'r> {
    /// What stands on every page, and what is repeated: seen, and not read aloud.
    Artifact(Furniture),
    Section,
    /// A heading of a level, from 1, with its text.
    Heading(u16, &'r str),
    Paragraph,
    List,
    Item,
    /// What an item of a list is called.
    Label,
    Body,
    /// A table and what it shows.
    Table(&'r str),
    TableHead,
    TableBody,
    TableFoot,
    Row,
    ColumnHeader,
    RowHeader,
    Cell,
    /// The list of sections, wherever it stands on its page: read before the first section.
    Contents,
    ContentsItem,
    /// What an entry of the list of sections refers to.
    Reference,
    /// Text that leads somewhere in the document.
    Link(Anchor<'r>),
}

/// Where furniture stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Furniture {
    Header,
    Footer,
    /// A table's head, above the rows that a page break has parted from it.
    Repeated,
}

/// A place in the document.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Anchor<'r> {
    /// A section, by its index.
    Section(usize),
    /// A sub-heading.
    Heading(&'r str),
    /// The panel of a name that has a colour, as a product's.
    Name(&'r str),
}

impl Mark<'_> {
    /// Moves it right and down.
    pub(super) fn shift(&mut self, dx: f32, dy: f32) {
        match self {
            Mark::Text { x, y, .. }
            | Mark::Rect { x, y, .. }
            | Mark::Dot { x, y, .. }
            | Mark::Triangle { x, y, .. }
            | Mark::Picture { x, y, .. }
            | Mark::Logo { x, y, .. }
            | Mark::Anchor { x, y, .. } => {
                *x += dx;
                *y += dy;
            }
            Mark::Begin(_) | Mark::End => {}
        }
    }
}

impl Mark<'_> {
    /// How many characters of it no font has.
    pub(super) fn n_missing(&self) -> u32 {
        if let Mark::Text { shaped, .. } = self { shaped.n_missing } else { 0 }
    }
}

/// Marks that stay together, with their place in the flow.
#[derive(Clone, Debug, Default)]
pub(super) struct Piece<'r> {
    /// Placed from the piece's own upper left corner.
    pub(super) marks: Vec<Mark<'r>>,
    /// How much of the page it takes.
    pub(super) height: f32,
    /// The space above it; none at the top of a page.
    pub(super) gap: f32,
    /// Whether it must not be the last on its page: headings, first lines.
    pub(super) is_glued: bool,
    /// What is repeated above it when it begins a page: a table's head.
    pub(super) repeated: Option<Rc<Piece<'r>>>,
}

impl<'r> Piece<'r> {
    /// An empty piece of a height.
    pub(super) fn new(height: f32) -> Piece<'r> {
        Piece { height, ..Piece::default() }
    }

    /// With a space above it.
    pub(super) fn below(mut self, gap: f32) -> Piece<'r> {
        self.gap = gap;
        self
    }

    /// Kept with what follows it.
    pub(super) fn glued(mut self) -> Piece<'r> {
        self.is_glued = true;
        self
    }

    /// Begins an element of the structure.
    pub(super) fn begin(&mut self, role: Role<'r>) {
        self.marks.push(Mark::Begin(role));
    }

    /// Ends the element that began last.
    pub(super) fn end(&mut self) {
        self.marks.push(Mark::End);
    }

    /// Adds what `draw` adds, as a paragraph of the structure.
    pub(super) fn paragraph<T>(&mut self, draw: impl FnOnce(&mut Piece<'r>) -> T) -> T {
        self.begin(Role::Paragraph);
        let drawn = draw(self);
        self.end();
        drawn
    }

    /// As one element of the structure.
    pub(super) fn element(mut self, role: Role<'r>) -> Piece<'r> {
        self.marks.insert(0, Mark::Begin(role));
        self.end();
        self
    }

    /// A place to lead to, at its upper edge.
    pub(super) fn anchored(mut self, anchor: Anchor<'r>) -> Piece<'r> {
        self.marks.insert(0, Mark::Anchor { x: 0.0, y: 0.0, anchor });
        self
    }

    /// The same marks as furniture: seen again, and not read again.
    pub(super) fn again(&self) -> Piece<'r> {
        let is_seen = |mark: &&Mark<'r>| !matches!(mark, Mark::Begin(_) | Mark::End | Mark::Anchor { .. });
        let marks = self.marks.iter().filter(is_seen).cloned().collect();
        Piece { marks, ..self.clone() }.element(Role::Artifact(Furniture::Repeated))
    }

    /// Adds a line of text from its left end.
    pub(super) fn text(&mut self, x: f32, y: f32, shaped: Arc<Shaped>, style: Style) {
        self.marks.push(Mark::Text { x, y, shaped, size: style.size, colour: style.colour });
    }

    /// Adds a line of our own words.
    pub(super) fn words(&mut self, x: f32, y: f32, text: &str, style: Style) {
        self.text(x, y, style.shape(text, Direction::Ltr), style);
    }

    /// Adds a name, shortened in its middle to a width; says how wide it became.
    pub(super) fn name(&mut self, x: f32, y: f32, text: &str, style: Style, width: f32) -> f32 {
        let shaped = fit(text, style, Direction::Auto, width);
        let width = shaped.width * style.size;
        self.text(x, y, shaped, style);
        width
    }

    /// Adds a text that ends at `right`, shortened to a width.
    pub(super) fn right(&mut self, right: f32, y: f32, text: &str, style: Style, width: f32) {
        let shaped = fit(text, style, Direction::Auto, width);
        self.text(right - shaped.width * style.size, y, shaped, style);
    }

    /// Adds a line of a paragraph.
    pub(super) fn line(&mut self, x: f32, y: f32, line: Line) {
        for (dx, shaped, size, colour) in line.parts {
            self.marks.push(Mark::Text { x: x + dx, y, shaped, size, colour });
        }
    }

    /// Adds a filled rectangle.
    pub(super) fn rect(&mut self, x: f32, y: f32, width: f32, height: f32, colour: Colour) {
        self.marks.push(Mark::Rect { x, y, width, height, colour });
    }

    /// Adds the dot of a name: `y` is the name's base line.
    pub(super) fn dot(&mut self, x: f32, y: f32, colour: Colour) {
        self.marks.push(Mark::Dot { x: x + DOT_RADIUS, y: y - DOT_RADIUS + 0.4, radius: DOT_RADIUS, colour });
    }

    /// Takes over another's marks.
    pub(super) fn absorb(&mut self, other: Piece<'r>, dx: f32, dy: f32) {
        self.marks.extend(other.marks.into_iter().map(|mut mark| {
            mark.shift(dx, dy);
            mark
        }));
    }
}

/// Pieces as one element of the structure, from the first one's first mark to the last one's last.
pub(super) fn element<'r>(role: Role<'r>, mut pieces: Vec<Piece<'r>>) -> Vec<Piece<'r>> {
    if let Some(first) = pieces.first_mut() {
        first.marks.insert(0, Mark::Begin(role));
    }
    if let Some(last) = pieces.last_mut() {
        last.end();
    }
    pieces
}

/// Pieces one below the other as one that is never cut.
pub(super) fn stacked(pieces: Vec<Piece<'_>>) -> Piece<'_> {
    let mut whole = Piece::default();
    for (n, piece) in pieces.into_iter().enumerate() {
        let top = whole.height + if n == 0 { 0.0 } else { piece.gap };
        whole.height = top + piece.height;
        whole.absorb(piece, 0.0, top);
    }
    whole
}

/// The dot before a product's name, and where the name begins.
const DOT_RADIUS: f32 = 3.6;
pub(super) const DOT_WIDTH: f32 = 12.0;

/// Where a block stands: how much room it has and what surrounds it.
#[derive(Clone, Copy)]
pub(super) struct Room<'r> {
    /// The look.
    pub(super) theme: &'r Theme,
    /// How wide it may be, in points.
    pub(super) width: f32,
    /// How much of it an empty page has, in points.
    pub(super) height: f32,
    /// The colour of bars and courses that stand for nothing else.
    pub(super) tint: Colour,
    /// The title that stands above it already.
    pub(super) title: &'r str,
    /// The level of the next heading, from 1.
    pub(super) level: u16,
    /// What the report is about.
    pub(super) head: &'r Head,
    /// Whether it stands in a panel.
    pub(super) is_panel: bool,
}
