//! The document's structure: what is read, in which order and as what (ISO 32000-1, 14.7 and 14.8; ISO 14289-1).

use std::num::NonZeroU16;

use krilla::geom::Rect;
use krilla::tagging::{
    Artifact, ArtifactType, BBox, Identifier, ListNumbering, Node, TableHeaderScope, Tag, TagGroup, TagKind, TagTree,
};

use super::mark::{Furniture, Role};
use crate::base::plain_text;

/// The elements of a document as they are being painted, page after page.
#[derive(Default)]
pub(super) struct Structure {
    elements: Vec<Element>,
    roots: Vec<usize>,
    /// What has begun and not ended; an element may go on over pages.
    open: Vec<Open>,
}

struct Element {
    tag: TagKind,
    children: Vec<Child>,
}

enum Child {
    Element(usize),
    Content(Identifier),
}

/// What marks are painted into.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Open {
    /// Seen and not read.
    Artifact(Furniture),
    /// An element, by its index.
    Element(usize),
}

impl Structure {
    /// What marks are painted into at present; none between two elements at the top.
    pub(super) fn current(&self) -> Option<Open> {
        self.open.last().copied()
    }

    /// Begins an element, or furniture, in which nothing is an element.
    pub(super) fn begin(&mut self, role: Role<'_>) {
        let open = match (self.current(), role) {
            (Some(artifact @ Open::Artifact(_)), _) => artifact,
            (_, Role::Artifact(furniture)) => Open::Artifact(furniture),
            _ => Open::Element(self.add(tag(role), role == Role::Contents)),
        };
        self.open.push(open);
    }

    /// Goes on in what is open: for what turns out to be nothing of its own.
    pub(super) fn begin_nothing(&mut self) {
        self.open.extend(self.current());
    }

    /// Ends what began last.
    pub(super) fn end(&mut self) {
        self.open.pop();
    }

    /// Begins a figure with its words and its place on a page.
    pub(super) fn figure(&mut self, alt: &str, page_idx: usize, rect: Rect) {
        let alt = if alt.trim().is_empty() { "Chart".to_owned() } else { plain_text(alt) };
        let bbox = Some(BBox::new(page_idx, rect));
        match self.current() {
            Some(artifact @ Open::Artifact(_)) => self.open.push(artifact),
            _ => {
                let element = self.add(Tag::Figure(Some(alt)).with_bbox(bbox).into(), false);
                self.open.push(Open::Element(element));
            }
        }
    }

    /// Adds content of a page to an element.
    pub(super) fn content(&mut self, element: usize, content: Identifier) {
        if let Some(element) = self.elements.get_mut(element) {
            element.children.push(Child::Content(content));
        }
    }

    /// An element below what is open. The list of sections stands apart: it is read before the first section,
    /// whatever goes on at the foot of its page.
    fn add(&mut self, tag: TagKind, is_apart: bool) -> usize {
        let index = self.elements.len();
        let parent = match self.current() {
            Some(Open::Element(parent)) if !is_apart => self.elements.get_mut(parent),
            _ => None,
        };
        match parent {
            Some(parent) => parent.children.push(Child::Element(index)),
            None => {
                let is_section = |root: &usize| matches!(self.elements[*root].tag, TagKind::Section(_));
                let first_section = self.roots.iter().position(is_section).filter(|_| is_apart);
                self.roots.insert(first_section.unwrap_or(self.roots.len()), index);
            }
        }
        self.elements.push(Element { tag, children: Vec::new() });
        index
    }

    /// The finished tree.
    pub(super) fn finish(self, language: &str) -> TagTree {
        let mut elements: Vec<Option<Element>> = self.elements.into_iter().map(Some).collect();
        let roots: Vec<Node> = self.roots.into_iter().filter_map(|root| node(root, &mut elements)).collect();
        TagTree::from(roots).with_lang(Some(language.to_owned()))
    }
}

fn node(index: usize, elements: &mut [Option<Element>]) -> Option<Node> {
    let Element { tag, children } = elements.get_mut(index)?.take()?;
    let child = |child| match child {
        Child::Element(index) => node(index, elements),
        Child::Content(content) => Some(Node::Leaf(content)),
    };
    let children = children.into_iter().filter_map(child).collect();
    Some(Node::Group(TagGroup::with_children(tag, children)))
}

fn tag(role: Role<'_>) -> TagKind {
    match role {
        Role::Section => Tag::Section.into(),
        Role::Heading(level, text) if !text.trim().is_empty() => {
            Tag::Hn(NonZeroU16::new(level).unwrap_or(NonZeroU16::MIN), Some(plain_text(text))).into()
        }
        // Furniture has no element; a heading without text is none.
        Role::Paragraph | Role::Artifact(_) | Role::Heading(..) => Tag::P.into(),
        Role::List => Tag::L(ListNumbering::None).into(),
        Role::Item => Tag::LI.into(),
        Role::Label => Tag::Lbl.into(),
        Role::Body => Tag::LBody.into(),
        Role::Table(summary) => {
            Tag::Table.with_summary((!summary.trim().is_empty()).then(|| plain_text(summary))).into()
        }
        Role::TableHead => Tag::THead.into(),
        Role::TableBody => Tag::TBody.into(),
        Role::TableFoot => Tag::TFoot.into(),
        Role::Row => Tag::TR.into(),
        Role::ColumnHeader => Tag::TH(TableHeaderScope::Column).into(),
        Role::RowHeader => Tag::TH(TableHeaderScope::Row).into(),
        Role::Cell => Tag::TD.into(),
        Role::Contents => Tag::TOC.into(),
        Role::ContentsItem => Tag::TOCI.into(),
        Role::Reference => Tag::Reference.into(),
        Role::Link(_) => Tag::Link.into(),
    }
}

/// How furniture is marked in a page's content.
pub(super) fn artifact(furniture: Furniture) -> Artifact {
    Artifact::with_kind(match furniture {
        Furniture::Header => ArtifactType::Header,
        Furniture::Footer => ArtifactType::Footer,
        Furniture::Repeated => ArtifactType::PaginationOther,
    })
}
