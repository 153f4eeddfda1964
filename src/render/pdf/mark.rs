//! What stands on a page: marks with places, and pieces of a page that are never cut.

use std::rc::Rc;
use std::sync::Arc;

use crate::render::chart::Picture;
use crate::render::text::{Direction, Line, Shaped, Style, fit, shape};
use crate::render::{Colour, Theme};

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
    /// What plotters draws.
    Picture { x: f32, y: f32, width: f32, height: f32, picture: Picture<'r> },
}

impl Mark<'_> {
    /// Moves it right and down.
    pub(super) fn shift(&mut self, dx: f32, dy: f32) {
        match self {
            Mark::Text { x, y, .. }
            | Mark::Rect { x, y, .. }
            | Mark::Dot { x, y, .. }
            | Mark::Triangle { x, y, .. }
            | Mark::Picture { x, y, .. } => {
                *x += dx;
                *y += dy;
            }
        }
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

    /// Adds a line of text from its left end.
    pub(super) fn text(&mut self, x: f32, y: f32, shaped: Arc<Shaped>, style: Style) {
        self.marks.push(Mark::Text { x, y, shaped, size: style.size, colour: style.colour });
    }

    /// Adds a line of our own words.
    pub(super) fn words(&mut self, x: f32, y: f32, text: &str, style: Style) {
        self.text(x, y, shape(text, style.weight, Direction::Ltr), style);
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
        for (dx, shaped, style) in line.parts {
            self.text(x + dx, y, shaped, style);
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
    /// Whether it stands in a panel.
    pub(super) is_panel: bool,
}
