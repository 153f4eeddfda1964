//! The flow of pieces over pages.

use super::mark::{Mark, Piece};
use crate::render::Theme;

/// The margins at the left and the right.
pub(super) const MARGIN: f32 = 40.0;
/// Where content begins, below the header.
const TOP: f32 = 66.0;
/// How much of the page's foot is kept for the footer.
const FOOT: f32 = 50.0;

/// A section up to this height, as one that only says where the raw rows are, needs no page of its own.
const SMALL_SECTION_MAX: f32 = 110.0;
/// How far the spaces between pieces may shrink, as a part of themselves.
const GAPS_MIN: f32 = 0.5;

/// A page and the title of the section that it shows.
pub(super) struct Page<'r> {
    pub(super) marks: Vec<Mark<'r>>,
    pub(super) title: &'r str,
}

/// Pages being filled from the top.
pub(super) struct Flow<'r> {
    pages: Vec<Page<'r>>,
    y: f32,
    bottom: f32,
    /// How much of the first page's foot is kept for the list of sections.
    contents: f32,
}

/// The size of the area that content may fill.
pub(super) fn content_size(theme: &Theme) -> (f32, f32) {
    let (width, height) = theme.paper.size();
    (width - 2.0 * MARGIN, height - TOP - FOOT)
}

impl<'r> Flow<'r> {
    /// No pages yet; `contents` is kept free at the foot of the first.
    pub(super) fn new(theme: &Theme, contents: f32) -> Flow<'r> {
        Flow { pages: Vec::new(), y: TOP, bottom: theme.paper.size().1 - FOOT, contents }
    }

    /// Where content ends on the page that is being filled.
    fn bottom(&self) -> f32 {
        self.bottom - if self.pages.len() == 1 { self.contents } else { 0.0 }
    }

    /// Begins a page.
    pub(super) fn begin(&mut self, title: &'r str) {
        self.pages.push(Page { marks: Vec::new(), title });
        self.y = TOP;
    }

    /// Places pieces one below the other. Where the next ones that belong together do not fit, a new page begins,
    /// with what is repeated above them.
    ///
    /// Spaces give way before a page breaks: where all pieces would fit but for them, they are drawn together.
    pub(super) fn place(&mut self, mut pieces: Vec<Piece<'r>>) {
        let heights: f32 = pieces.iter().map(|piece| piece.height).sum();
        let gaps: f32 = pieces.iter().map(|piece| piece.gap).sum();
        let left = self.bottom() - self.y - heights;
        if (GAPS_MIN * gaps..gaps).contains(&left) {
            // A hair less, so that rounding does not break the page after all.
            pieces.iter_mut().for_each(|piece| piece.gap *= left / gaps * 0.999);
        }
        let mut pieces = pieces.into_iter().peekable();
        while let Some(first) = pieces.next() {
            let mut group = vec![first];
            while group.last().is_some_and(|piece| piece.is_glued) {
                let Some(next) = pieces.next() else { break };
                group.push(next);
            }
            let needed: f32 = group.iter().map(|piece| piece.gap + piece.height).sum();
            if self.y > TOP && self.y + needed > self.bottom() {
                self.break_page(group.first());
            }
            for piece in group {
                // A group taller than a page breaks inside after all.
                if self.y > TOP && self.y + piece.gap + piece.height > self.bottom() {
                    self.break_page(Some(&piece));
                }
                self.put(piece);
            }
        }
    }

    /// Whether a section of that height is small enough to follow on this page. The first page is the summary's
    /// alone.
    pub(super) fn has_room_for(&self, height: f32) -> bool {
        self.pages.len() > 1 && height <= SMALL_SECTION_MAX && self.y + height <= self.bottom()
    }

    fn break_page(&mut self, next: Option<&Piece<'r>>) {
        let title = self.pages.last().map_or("", |page| page.title);
        self.begin(title);
        if let Some(repeated) = next.and_then(|piece| piece.repeated.as_deref()) {
            self.put(repeated.clone());
        }
    }

    fn put(&mut self, piece: Piece<'r>) {
        let top = self.y + if self.y > TOP { piece.gap } else { 0.0 };
        self.y = top + piece.height;
        if let Some(page) = self.pages.last_mut() {
            page.marks.extend(piece.marks.into_iter().map(|mut mark| {
                mark.shift(MARGIN, top);
                mark
            }));
        }
    }

    /// The finished pages.
    pub(super) fn finish(self) -> Vec<Page<'r>> {
        self.pages
    }
}
