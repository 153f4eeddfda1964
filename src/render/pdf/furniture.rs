//! What stands on every page: header and footer; and what stands on the first: title, banner and contents.

use super::block::{below, words};
use super::flow::{MARGIN, Page};
use super::logo::Logo;
use super::look::{BODY, READING, SMALL, TITLE, line_height};
use super::mark::{Anchor, Furniture, Piece, Role, Room};
use crate::base::Range;
use crate::render::Theme;
use crate::render::text::{Span, wrap};
use crate::report::Head;

/// Header and footer of a page.
pub(super) fn dress<'r>(page: &mut Page<'r>, head: &Head, (number, n_pages): (usize, usize), theme: &'r Theme) {
    let (width, height) = theme.paper.size();
    let (inner, right) = (width - 2.0 * MARGIN, width - MARGIN);
    let style = theme.quiet(SMALL);
    let mut piece = Piece::default();

    piece.begin(Role::Artifact(Furniture::Header));
    piece.right(right, 37.0, page.title, style, inner * 0.4);
    let rest = format!(" · {} · {}", head.title, head.period.long());
    let room = inner * 0.58 - style.width(&rest);
    let after = piece.name(MARGIN, 37.0, &head.partner_name, style, room.max(60.0));
    piece.name(MARGIN + after, 37.0, &rest, style, inner * 0.58 - after);
    piece.rect(MARGIN, 46.5, inner, 0.5, theme.line);
    piece.end();
    piece.begin(Role::Artifact(Furniture::Footer));

    piece.rect(MARGIN, height - 37.0, inner, 0.5, theme.line);
    let y = height - 23.0;
    let data_on = head.data_at.format("%-d %b %Y");
    let rest = format!(" · Revision {} · data of {data_on}", head.revision);
    let room = inner * 0.55 - style.width(&rest);
    let after = piece.name(MARGIN, y, &head.role, style, room.max(40.0));
    piece.words(MARGIN + after, y, &rest, style);
    piece.words(MARGIN + inner * 0.586, y, &format!("Report ID {}", head.edition.0.spoken()), style);
    piece.right(right, y, &format!("{} of {n_pages}", number + 1), style, inner * 0.15);
    piece.end();
    page.marks.extend(piece.marks);
}

/// The banners, the report's title, and whose and which it is.
pub(super) fn opening<'r>(head: &'r Head, room: Room<'r>) -> Vec<Piece<'r>> {
    let theme = room.theme;
    let mut all: Vec<Piece<'r>> =
        [&head.preliminary, &head.correction].into_iter().flatten().map(|sentence| banner(sentence, room)).collect();

    let mut title = Piece::new(31.0).below(12.0);
    let taken = theme.logo.as_ref().map_or(0.0, Logo::room_taken);
    title.name(0.0, 24.0, &head.title, theme.bold(TITLE), room.width - taken);
    let mut title = title.element(Role::Heading(1, &head.title)).glued();
    if let Some(logo) = &theme.logo {
        logo.beside(&mut title, head, room.width);
    }
    all.push(title);

    let mut line = Piece::new(line_height(READING));
    let style = theme.quiet(READING);
    let rest = format!("  ·  {}  ·  {}", head.period.long(), months(head.range));
    let scope = if head.scope.is_empty() { 0.0 } else { room.width * 0.25 };
    let after = line.name(0.0, 13.0, &head.partner_name, style, room.width - style.width(&rest) - scope);
    line.words(after, 13.0, &rest, style);
    if !head.scope.is_empty() {
        let x = after + style.width(&rest);
        let dot = "  ·  ";
        line.words(x, 13.0, dot, style);
        let x = x + style.width(dot);
        line.name(x, 13.0, &head.scope, style, room.width - x);
    }
    all.push(line.element(Role::Paragraph));
    all
}

/// How much of the first page's foot the list of sections takes.
pub(super) const CONTENTS: f32 = 26.0;
/// The space between two entries.
const BETWEEN: f32 = 16.0;

/// The sections after the first, each with the page it begins on, in one line at the foot of the first page.
pub(super) fn contents<'r>(sections: &[(usize, &'r str, usize)], theme: &'r Theme) -> Piece<'r> {
    let (width, height) = theme.paper.size();
    let inner = width - 2.0 * MARGIN;
    let (name, number) = (theme.regular(SMALL), theme.quiet(SMALL));
    let n = sections.len() as f32;
    let numbers: Vec<String> = sections.iter().map(|(_, _, page)| format!("  {}", page + 1)).collect();
    let left: f32 = inner - BETWEEN * (n - 1.0) - numbers.iter().map(|page| number.width(page)).sum::<f32>();
    let asked: Vec<f32> = sections.iter().map(|(_, title, _)| name.width(title)).collect();
    let is_whole = asked.iter().sum::<f32>() <= left;
    let (mut x, y) = (MARGIN, height - 37.0 - 13.0);
    let mut piece = Piece::default();
    piece.begin(Role::Contents);
    for (at, (section, title, _)) in sections.iter().enumerate() {
        let share = if is_whole { asked[at] + 1.0 } else { left / n };
        piece.begin(Role::ContentsItem);
        piece.begin(Role::Reference);
        piece.begin(Role::Link(Anchor::Section(*section)));
        x += piece.name(x, y, title, name, share);
        piece.words(x, y, &numbers[at], number);
        piece.end();
        piece.end();
        piece.end();
        x += number.width(&numbers[at]) + BETWEEN;
    }
    piece.end();
    piece
}

fn months(range: Range) -> String {
    match range.n_months() {
        1 => "1 month".to_owned(),
        n => format!("{n} months"),
    }
}

fn banner<'r>(sentence: &str, room: Room<'r>) -> Piece<'r> {
    let style = room.theme.semi_bold(BODY);
    let lines = wrap(&[Span { text: sentence, style }], room.width - 24.0);
    let step = line_height(BODY);
    let mut piece = Piece::new(lines.len() as f32 * step + 12.0).below(6.0).glued();
    piece.rect(0.0, 0.0, room.width, piece.height, room.theme.banner);
    piece.rect(0.0, 0.0, 3.0, piece.height, room.theme.products[4]);
    for (n, line) in lines.into_iter().enumerate() {
        piece.line(14.0, 6.0 + n as f32 * step + 10.2, line);
    }
    piece.element(Role::Paragraph)
}

/// A section's one sentence.
pub(super) fn lead<'r>(text: &str, room: Room<'r>) -> Vec<Piece<'r>> {
    let lines = words(text, room.theme.quiet(BODY), 4.0, room);
    below(4.0, lines).into_iter().map(Piece::glued).collect()
}
