//! The text of a page and where it stands: content streams (ISO 32000-2, 7.8.2, 9.4 and 14.6).

use std::borrow::Cow;
use std::collections::HashMap;
use std::rc::Rc;

use super::file::File;
use super::font::Font;
use super::object::{Dict, Object, Operands, Reader};
use super::string::Text;

/// How deep forms may lie in forms, and pages in page nodes.
const DEPTH_MAX: u32 = 16;

/// Few runs are longer: a cell of a table, a word or two of a sentence.
const RUN_BYTES: usize = 32;

/// A piece of text that was placed as one.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Run {
    /// Where it begins, in points of the page.
    pub(super) x: f64,
    pub(super) y: f64,
    /// How large it is set, in points.
    pub(super) points: f64,
    pub(super) text: String,
}

/// Hands out each page's runs, in the order in which they are drawn. `page` says whether it wants to know of the next
/// ones where they stand; else each stands at the corner.
pub(super) fn pages(file: &File<'_>, page: &mut dyn FnMut(Vec<Run>) -> bool) -> Result<(), String> {
    let root = file.dict(file.trailer(), b"Root").ok_or("it has no catalogue")?;
    let node = file.dict(&root, b"Pages").ok_or("it has no pages")?;
    let mut reading = Reading { file, fonts: HashMap::new(), page, is_placing: true };
    reading.node(&node, &Dict::default(), 0)
}

type Matrix = [f64; 6];

const IDENTITY: Matrix = [1.0, 0.0, 0.0, 1.0, 0.0, 0.0];

/// First `first`, then `then`.
fn times(first: Matrix, then: Matrix) -> Matrix {
    let [a, b, c, d, e, f] = first;
    let [g, h, i, j, k, l] = then;
    [a * g + b * i, a * h + b * j, c * g + d * i, c * h + d * j, e * g + f * i + k, e * h + f * j + l]
}

struct Reading<'f, 'a> {
    file: &'f File<'a>,
    fonts: HashMap<u32, Rc<Font>>,
    page: &'f mut dyn FnMut(Vec<Run>) -> bool,
    is_placing: bool,
}

/// What stands while a content stream is read.
struct State {
    ctm: Matrix,
    /// Whether it matters where text stands: reckoning that takes a tenth of the time.
    is_placing: bool,
    saved: Vec<Matrix>,
    line: Matrix,
    leading: f64,
    font: Option<Rc<Font>>,
    points: f64,
    /// Whether the next text is placed anew.
    is_fresh: bool,
    /// For each open piece of marked content: the text that stands for it, until it is used.
    marked: Vec<Option<Option<String>>>,
    /// The codes of the text that is shown.
    codes: Vec<u8>,
}

impl<'f> Reading<'f, '_> {
    fn node(&mut self, node: &Dict<'f>, inherited: &Dict<'f>, depth: u32) -> Result<(), String> {
        let resources = self.file.dict(node, b"Resources").unwrap_or_else(|| inherited.clone());
        let Some(Object::Array(kids)) = self.file.entry(node, b"Kids") else {
            let mut runs = Vec::new();
            self.content(&self.contents(node)?, &resources, IDENTITY, &mut runs, 0)?;
            self.is_placing = (self.page)(runs);
            return Ok(());
        };
        if depth > DEPTH_MAX {
            return Err("its pages lie too deep".to_owned());
        }
        for kid in kids {
            let Some(Object::Dict(kid)) = self.file.resolved(&kid) else { return Err("a page is missing".to_owned()) };
            self.node(&kid, &resources, depth + 1)?;
        }
        Ok(())
    }

    /// A page's content, which may come in several streams.
    fn contents(&self, page: &Dict<'f>) -> Result<Cow<'f, [u8]>, String> {
        let parts = match page.get(b"Contents") {
            None => return Ok(Cow::Borrowed(b"")),
            Some(Object::Array(parts)) => parts.clone(),
            Some(Object::Ref(number)) => match self.file.object(*number) {
                Some(Object::Array(parts)) => parts,
                _ => return Ok(self.file.stream(*number)?.1),
            },
            Some(_) => return Err("a page's content is no stream".to_owned()),
        };
        let mut content = Vec::new();
        for part in parts {
            let Object::Ref(number) = part else { return Err("a page's content is no stream".to_owned()) };
            content.extend_from_slice(&self.file.stream(number)?.1);
            content.push(b'\n');
        }
        Ok(content.into())
    }

    fn content(
        &mut self,
        content: &[u8],
        resources: &Dict<'f>,
        ctm: Matrix,
        runs: &mut Vec<Run>,
        depth: u32,
    ) -> Result<(), String> {
        let mut state = State::new(ctm, self.is_placing);
        let mut operands = Operands::new(self.is_placing);
        // Fonts are set anew for each run; looking one up reads its dictionary.
        let mut named: Vec<(&[u8], Option<Rc<Font>>)> = Vec::new();
        let mut reader = Reader::of_content(content);
        while let Some(operator) = reader.operator(&mut operands) {
            match (operator, operands.others.first()) {
                (b"Tf", Some(Object::Name(name))) => {
                    state.points = operands.number(0);
                    if let Some((_, font)) = named.iter().find(|(is, _)| is == name) {
                        state.font.clone_from(font);
                    } else {
                        state.font = self.font(resources, name)?;
                        named.push((name, state.font.clone()));
                    }
                }
                (b"Do", Some(Object::Name(name))) => self.form(resources, name, state.ctm, runs, depth)?,
                _ => state.apply(operator, &operands, runs),
            }
        }
        Ok(())
    }

    /// A font of the resources; none when it has no map, so that its text stays unknown.
    fn font(&mut self, resources: &Dict<'f>, name: &[u8]) -> Result<Option<Rc<Font>>, String> {
        let Some(fonts) = self.file.dict(resources, b"Font") else { return Ok(None) };
        let Some(font) = self.file.dict(&fonts, name) else { return Ok(None) };
        let Some(Object::Ref(number)) = font.get(b"ToUnicode") else { return Ok(None) };
        if let Some(font) = self.fonts.get(number) {
            return Ok(Some(Rc::clone(font)));
        }
        let font = Rc::new(Font::new(&self.file.stream(*number)?.1));
        self.fonts.insert(*number, Rc::clone(&font));
        Ok(Some(font))
    }

    fn form(
        &mut self,
        resources: &Dict<'f>,
        name: &[u8],
        ctm: Matrix,
        runs: &mut Vec<Run>,
        depth: u32,
    ) -> Result<(), String> {
        let forms = self.file.dict(resources, b"XObject");
        let Some(Object::Ref(number)) = forms.as_ref().and_then(|forms| forms.get(name)) else { return Ok(()) };
        let is_form = match self.file.object(*number) {
            Some(Object::Dict(dict)) => dict.get(b"Subtype").is_some_and(|subtype| subtype.is_name(b"Form")),
            _ => false,
        };
        if !is_form || depth > DEPTH_MAX {
            return Ok(());
        }
        let (dict, content) = self.file.stream(*number)?;
        let matrix = match dict.get(b"Matrix") {
            Some(Object::Array(numbers)) => matrix(numbers).unwrap_or(IDENTITY),
            _ => IDENTITY,
        };
        let own = self.file.dict(&dict, b"Resources").unwrap_or_else(|| resources.clone());
        self.content(&content, &own, times(matrix, ctm), runs, depth + 1)
    }
}

impl State {
    fn new(ctm: Matrix, is_placing: bool) -> State {
        State {
            ctm,
            is_placing,
            saved: Vec::new(),
            line: IDENTITY,
            leading: 0.0,
            font: None,
            points: 0.0,
            is_fresh: true,
            marked: Vec::new(),
            codes: Vec::new(),
        }
    }

    fn apply(&mut self, operator: &[u8], operands: &Operands<'_>, runs: &mut Vec<Run>) {
        match operator {
            b"Tj" | b"TJ" => self.show(&operands.others, runs),
            b"BT" | b"Tm" | b"Td" | b"TD" | b"T*" if !self.is_placing => self.is_fresh = true,
            b"q" | b"Q" | b"cm" | b"TL" if !self.is_placing => {}
            b"q" => self.saved.push(self.ctm),
            b"Q" => self.ctm = self.saved.pop().unwrap_or(self.ctm),
            b"cm" => self.ctm = operands.matrix().map_or(self.ctm, |matrix| times(matrix, self.ctm)),
            b"BT" => self.place(IDENTITY),
            b"Tm" => self.place(operands.matrix().unwrap_or(self.line)),
            b"TL" => self.leading = operands.number(0),
            b"Td" => self.down(operands.number(0), operands.number(1)),
            b"TD" => {
                self.leading = -operands.number(1);
                self.down(operands.number(0), operands.number(1));
            }
            b"T*" => self.down(0.0, -self.leading),
            b"'" | b"\"" => {
                self.down(0.0, -self.leading);
                self.show(&operands.others, runs);
            }
            b"BDC" => {
                let instead = match operands.others.get(1) {
                    Some(Object::Dict(dict)) => match dict.get(b"ActualText") {
                        Some(Object::Text(text)) => Some(Some(text.says().into_owned())),
                        _ => None,
                    },
                    _ => None,
                };
                self.marked.push(instead);
            }
            b"BMC" => self.marked.push(None),
            b"EMC" => {
                self.marked.pop();
            }
            _ => {}
        }
    }

    fn place(&mut self, line: Matrix) {
        (self.line, self.is_fresh) = (line, true);
    }

    fn down(&mut self, x: f64, y: f64) {
        self.place(times([1.0, 0.0, 0.0, 1.0, x, y], self.line));
    }

    fn show(&mut self, operands: &[Object<'_>], runs: &mut Vec<Run>) {
        for operand in operands {
            if let Object::Text(text) = operand {
                self.text(*text, runs);
            }
        }
    }

    fn text(&mut self, shown: Text<'_>, runs: &mut Vec<Run>) {
        if self.is_fresh || runs.is_empty() {
            let at = if self.is_placing { times(self.line, self.ctm) } else { IDENTITY };
            let points = if self.is_placing { self.points * at[2].hypot(at[3]) } else { 0.0 };
            runs.push(Run { x: at[4], y: at[5], points, text: String::with_capacity(RUN_BYTES) });
            self.is_fresh = false;
        }
        let Some(run) = runs.last_mut() else { return };
        // The outermost text that stands for marked content counts, once.
        if let Some(instead) = self.marked.iter_mut().find_map(Option::as_mut) {
            run.text.push_str(&instead.take().unwrap_or_default());
        } else if let Some(font) = &self.font {
            self.codes.clear();
            shown.append_to(&mut self.codes);
            font.text(&self.codes, &mut run.text);
        } else {
            run.text.push('\u{fffd}');
        }
    }
}

fn matrix(numbers: &[Object<'_>]) -> Option<Matrix> {
    let mut matrix = IDENTITY;
    for (part, number) in matrix.iter_mut().zip(numbers.get(..6)?) {
        *part = number.number()?;
    }
    Some(matrix)
}
