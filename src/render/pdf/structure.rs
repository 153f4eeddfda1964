//! The document's structure: what is read, in which order and as what (ISO 32000-1, 14.7 and 14.8; ISO 14289-1).

use pdf_writer::types::{ListNumbering, StructRole, TableHeaderScope};
use pdf_writer::writers::{StructElement, StructTreeRoot};
use pdf_writer::{Finish, Name, Ref, TextStr};

use super::mark::{Furniture, Role};
use super::write::{Document, Linked, short};

/// The elements of a document as they are being painted, page after page.
#[derive(Default)]
pub(super) struct Structure<'r> {
    elements: Vec<Element<'r>>,
    roots: Vec<usize>,
    /// What has begun and not ended; an element may go on over pages.
    open: Vec<Open>,
    /// For each page, the element of each piece of its content, by the piece's number.
    pages: Vec<Vec<usize>>,
    /// The links, each with its element.
    links: Vec<(Linked, usize)>,
}

struct Element<'r> {
    kind: Kind<'r>,
    /// The element that it stands in; none at the top.
    parent: Option<usize>,
    children: Vec<Child>,
}

enum Kind<'r> {
    Role(Role<'r>),
    /// A figure: its words, and its left, upper, right and lower edge on its page.
    Figure(String, [f32; 4]),
}

#[derive(Clone, Copy)]
enum Child {
    Element(usize),
    /// A piece of a page's content.
    Content {
        page: usize,
        mcid: usize,
    },
    Link {
        page: usize,
        link: Linked,
    },
}

/// What marks are painted into.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Open {
    /// Seen and not read.
    Artifact(Furniture),
    /// An element, by its index.
    Element(usize),
}

impl<'r> Structure<'r> {
    /// What marks are painted into at present; none between two elements at the top.
    pub(super) fn current(&self) -> Option<Open> {
        self.open.last().copied()
    }

    /// Begins an element, or furniture, in which nothing is an element.
    pub(super) fn begin(&mut self, role: Role<'r>) {
        let open = match (self.current(), role) {
            (Some(artifact @ Open::Artifact(_)), _) => artifact,
            (_, Role::Artifact(furniture)) => Open::Artifact(furniture),
            _ => Open::Element(self.add(Kind::Role(role), role == Role::Contents)),
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

    /// Begins a figure with its words and its edges on its page.
    pub(super) fn figure(&mut self, alt: &str, edges: [f32; 4]) {
        let alt = if alt.trim().is_empty() { "Chart".to_owned() } else { short(alt) };
        let open = match self.current() {
            Some(artifact @ Open::Artifact(_)) => artifact,
            _ => Open::Element(self.add(Kind::Figure(alt, edges), false)),
        };
        self.open.push(open);
    }

    /// Makes the next piece of a page's content one of an element; gives the piece's number on its page.
    pub(super) fn content(&mut self, element: usize, page: usize) -> usize {
        if self.pages.len() <= page {
            self.pages.resize(page + 1, Vec::new());
        }
        let mcid = self.pages[page].len();
        self.pages[page].push(element);
        self.adopt(element, Child::Content { page, mcid });
        mcid
    }

    /// Makes a link of a page one of an element.
    pub(super) fn link(&mut self, element: usize, page: usize, link: Linked) {
        self.links.push((link, element));
        self.adopt(element, Child::Link { page, link });
    }

    fn adopt(&mut self, element: usize, child: Child) {
        if let Some(element) = self.elements.get_mut(element) {
            element.children.push(child);
        }
    }

    /// An element below what is open. The list of sections stands apart: it is read before the first section,
    /// whatever goes on at the foot of its page.
    fn add(&mut self, kind: Kind<'r>, is_apart: bool) -> usize {
        let index = self.elements.len();
        let parent = match self.current() {
            Some(Open::Element(parent)) if !is_apart => Some(parent),
            _ => None,
        };
        match parent {
            Some(parent) => self.adopt(parent, Child::Element(index)),
            None => {
                let is_section = |root: &usize| matches!(self.elements[*root].kind, Kind::Role(Role::Section));
                let first_section = self.roots.iter().position(is_section).filter(|_| is_apart);
                self.roots.insert(first_section.unwrap_or(self.roots.len()), index);
            }
        }
        self.elements.push(Element { kind, parent, children: Vec::new() });
        index
    }

    /// Writes the tree; gives the number of its root.
    pub(super) fn write(&self, document: &mut Document) -> Ref {
        let (root, whole) = (document.reserve(), document.reserve());
        let ids: Vec<Ref> = self.elements.iter().map(|_| document.reserve()).collect();
        let pages = document.pages().to_vec();
        for (element, id) in self.elements.iter().zip(&ids) {
            let parent = element.parent.map_or(whole, |parent| ids[parent]);
            element.write(document, (*id, parent), &ids, &pages);
        }
        let mut top = document.object(whole).struct_element(whole);
        top.kind(StructRole::Document).parent(root);
        top.insert(Name(b"K")).array().items(self.roots.iter().map(|root| ids[*root]));
        top.finish();

        let parents: Vec<Ref> = self.pages.iter().map(|_| document.reserve()).collect();
        for (page, id) in self.pages.iter().zip(&parents) {
            document.object(*id).indirect(*id).array().items(page.iter().map(|element| ids[*element]));
        }
        let mut tree = document.object(root).indirect(root).start::<StructTreeRoot<'_>>();
        tree.child(whole);
        let mut parent_tree = tree.parent_tree();
        let mut keys = parent_tree.nums();
        for (n, id) in parents.iter().enumerate() {
            keys.insert(n as i32, *id);
        }
        let mut next = parents.len();
        for (link, element) in &self.links {
            keys.insert(link.key as i32, ids[*element]);
            next = next.max(link.key + 1);
        }
        keys.finish();
        parent_tree.finish();
        tree.parent_tree_next_key(next as i32);
        root
    }
}

impl Element<'_> {
    fn write(&self, document: &mut Document, (id, parent): (Ref, Ref), ids: &[Ref], pages: &[Ref]) {
        let bounds = if let Kind::Figure(_, edges) = &self.kind { Some(document.bounds(*edges)) } else { None };
        // Most elements have content of one page only.
        let own = self.children.iter().find_map(|child| match child {
            Child::Content { page, .. } => Some(*page),
            _ => None,
        });
        let mut element = document.object(id).struct_element(id);
        element.parent(parent);
        self.describe(&mut element, bounds);
        if let Some(page) = own {
            element.page(pages[page]);
        }
        if let [Child::Content { mcid, .. }] = self.children[..] {
            element.pair(Name(b"K"), mcid as i32);
            return;
        }
        if self.children.is_empty() {
            return;
        }
        let mut children = element.children();
        for child in &self.children {
            match *child {
                Child::Element(index) => _ = children.struct_element(ids[index]),
                Child::Content { page, mcid } if Some(page) == own => _ = children.marked_content_id(mcid as i32),
                Child::Content { page, mcid } => {
                    children.marked_content_ref().page(pages[page]).marked_content_id(mcid as i32);
                }
                Child::Link { page, link } => _ = children.object_ref().page(pages[page]).object(link.object),
            }
        }
    }

    /// What the element is, and what is said of it.
    fn describe(&self, element: &mut StructElement<'_>, bounds: Option<pdf_writer::Rect>) {
        let role = match &self.kind {
            Kind::Figure(alt, ..) => {
                element.kind(StructRole::Figure).alt(TextStr(alt));
                if let Some(bounds) = bounds {
                    element.attributes().push().layout().bbox(bounds);
                }
                return;
            }
            Kind::Role(role) => *role,
        };
        element.kind(struct_role(role));
        match role {
            Role::Heading(_, text) if !text.trim().is_empty() => _ = element.title(TextStr(&short(text))),
            Role::List => _ = element.attributes().push().list().list_numbering(ListNumbering::None),
            Role::Table(summary) if !summary.trim().is_empty() => {
                element.attributes().push().table().summary(TextStr(&short(summary)));
            }
            Role::ColumnHeader => _ = element.attributes().push().table().scope(TableHeaderScope::Column),
            Role::RowHeader => _ = element.attributes().push().table().scope(TableHeaderScope::Row),
            _ => {}
        }
    }
}

fn struct_role(role: Role<'_>) -> StructRole {
    match role {
        Role::Section => StructRole::Sect,
        Role::Heading(level, text) if !text.trim().is_empty() => match level {
            0 | 1 => StructRole::H1,
            2 => StructRole::H2,
            3 => StructRole::H3,
            4 => StructRole::H4,
            5 => StructRole::H5,
            _ => StructRole::H6,
        },
        // Furniture has no element; a heading without text is none.
        Role::Paragraph | Role::Artifact(_) | Role::Heading(..) => StructRole::P,
        Role::List => StructRole::L,
        Role::Item => StructRole::LI,
        Role::Label => StructRole::Lbl,
        Role::Body => StructRole::LBody,
        Role::Table(_) => StructRole::Table,
        Role::TableHead => StructRole::THead,
        Role::TableBody => StructRole::TBody,
        Role::TableFoot => StructRole::TFoot,
        Role::Row => StructRole::TR,
        Role::ColumnHeader | Role::RowHeader => StructRole::TH,
        Role::Cell => StructRole::TD,
        Role::Contents => StructRole::TOC,
        Role::ContentsItem => StructRole::TOCI,
        Role::Reference => StructRole::Reference,
        Role::Link(_) => StructRole::Link,
    }
}

/// How furniture is marked in a page's content (14.8.2.2.2).
pub(super) fn artifact(furniture: Furniture) -> &'static str {
    match furniture {
        Furniture::Header => "/Type/Pagination/Subtype/Header",
        Furniture::Footer => "/Type/Pagination/Subtype/Footer",
        Furniture::Repeated => "/Type/Pagination",
    }
}
