//! One sheet: where the next block goes, and the frame that all sheets share.

use rust_xlsxwriter::{Format, Url, Worksheet};

use crate::base::{plain_text, short_name};
use crate::render::{Paper, RenderError};
use crate::report::Head;

use super::cell::{cut, put_text};
use super::lists::Lists;
use super::look::{Look, colour};
use super::names::Names;
use super::package::Points;
use super::plan::{FIRST, Plan, n_lines};
use super::ties::Ties;

/// The height of a row of tables, in points.
pub(super) const ROW_POINTS: f64 = 18.0;

/// The tallest a row can be, in points (Excel specifications and limits).
const ROW_POINTS_MAX: f64 = 409.0;

/// Wider sheets are printed across the paper.
const PORTRAIT_CHARS_MAX: u16 = 140;

/// Headers and footers end at 255 characters with their codes.
const FOOTER_NAME_CHARS_MAX: usize = 80;

/// What all sheets of a workbook write to.
pub(super) struct Shared {
    /// The hidden sheet behind sparklines and micro charts.
    pub(super) lists: Lists,
    /// The names of tables given so far.
    pub(super) names: Names,
    /// The results of formulas that charts draw.
    pub(super) points: Points,
    /// The totals given so far.
    pub(super) ties: Ties,
}

/// A sheet being written, from top to bottom.
pub(super) struct Sheet<'a> {
    /// The crate's sheet.
    pub(super) sheet: Worksheet,
    /// Its name.
    pub(super) name: String,
    /// The next free row.
    pub(super) row: u32,
    /// Its columns.
    pub(super) plan: Plan,
    /// The formats.
    pub(super) look: &'a Look,
    /// The headings to repeat on each printed page, when the sheet has one table only.
    pub(super) repeat: Option<u32>,
    /// The last column of cells behind sparklines, all of which are hidden.
    pub(super) hidden_to: Option<u16>,
    /// The rows that printed pages begin with.
    breaks: Vec<u32>,
}

impl<'a> Sheet<'a> {
    /// A sheet with its columns set.
    pub(super) fn new(name: &str, plan: Plan, look: &'a Look) -> Result<Sheet<'a>, RenderError> {
        let mut sheet = Worksheet::new();
        sheet.set_name(name)?;
        sheet.set_screen_gridlines(false);
        sheet.set_default_row_height(ROW_POINTS);
        sheet.set_column_width(0, 2)?;
        for (column, width) in (FIRST..).zip(&plan.widths) {
            sheet.set_column_width(column, f64::from(*width))?;
        }
        Ok(Sheet {
            sheet,
            name: name.to_owned(),
            row: 0,
            plan,
            look,
            repeat: None,
            hidden_to: None,
            breaks: Vec::new(),
        })
    }

    /// The links to the other sheets, the title, and what it is about.
    pub(super) fn head(&mut self, names: &[String], title: &str, lead: &str, head: &Head) -> Result<(), RenderError> {
        links(&mut self.sheet, names, &self.name, self.look)?;
        self.sheet.set_freeze_panes(1, 0)?;
        self.sheet.set_row_height(1, 34)?;
        put_text(&mut self.sheet, (1, FIRST), title, &self.look.title())?;
        self.row = 2;
        self.paragraph(FIRST, &subtitle(head), &self.look.subtitle(), 11.0)?;
        for sentence in head.preliminary.iter().chain(&head.correction) {
            self.paragraph(FIRST, sentence, &self.look.banner(), 11.0)?;
        }
        if !lead.is_empty() {
            self.paragraph(FIRST, lead, &self.look.paragraph(), 11.0)?;
        }
        self.gap(9.0)
    }

    /// Begins a printed page with the next row, if the next rows would not be seen together otherwise.
    pub(super) fn keep_together(&mut self, n_rows: u32) {
        let first = self.breaks.last().copied().unwrap_or(0);
        if self.row - first + n_rows > self.rows_a_page() && self.row > first {
            self.breaks.push(self.row);
        }
    }

    /// How many rows a printed page has about, on A4: the sheet is as wide as the paper.
    fn rows_a_page(&self) -> u32 {
        let (width, height) = if self.is_landscape() { (760.0, 470.0) } else { (520.0, 720.0) };
        // 0.75 points are a pixel.
        let scale = (width / (f64::from(self.plan.pixels_from(FIRST)) * 0.75)).min(1.0);
        (height / (ROW_POINTS * scale)) as u32
    }

    fn is_landscape(&self) -> bool {
        self.plan.chars_from(FIRST) > PORTRAIT_CHARS_MAX
    }

    /// A low empty row.
    pub(super) fn gap(&mut self, points: f64) -> Result<(), RenderError> {
        self.sheet.set_row_height(self.row, points)?;
        self.row += 1;
        Ok(())
    }

    /// One line of text that may run over the empty cells at its right.
    pub(super) fn line(&mut self, text: &str, format: &Format, points: f64) -> Result<(), RenderError> {
        self.sheet.set_row_height(self.row, points)?;
        put_text(&mut self.sheet, (self.row, FIRST), text, format)?;
        self.row += 1;
        Ok(())
    }

    /// A paragraph from a column to the last, its row as high as its lines.
    pub(super) fn paragraph(
        &mut self,
        column: u16,
        text: &str,
        format: &Format,
        font_points: f64,
    ) -> Result<(), RenderError> {
        let chars = f64::from(self.plan.chars_from(column)) * 11.0 / font_points;
        self.sheet.set_row_height(self.row, lines_height(text, chars as u16, font_points))?;
        let last = self.plan.last();
        if column < last {
            self.sheet.merge_range(self.row, column, self.row, last, "", format)?;
        }
        put_text(&mut self.sheet, (self.row, column), text, format)?;
        self.row += 1;
        Ok(())
    }

    /// Print set-up, tab and headings; what is written, is written.
    pub(super) fn finish(mut self, section: &str, head: &Head) -> Result<Worksheet, RenderError> {
        let last = self.row.max(1) - 1;
        self.sheet.set_print_area(0, 0, last, self.plan.last())?;
        if self.is_landscape() {
            self.sheet.set_landscape();
        }
        if let Some(last) = self.hidden_to {
            self.sheet.set_column_range_hidden(self.plan.last() + 2, last)?;
        }
        if let Some(row) = self.repeat {
            self.sheet.set_repeat_rows(row, row)?;
        }
        self.sheet.set_page_breaks(&self.breaks)?;
        print_frame(&mut self.sheet, section, head, self.look);
        Ok(self.sheet)
    }
}

/// The height of a row with a text of several lines, in points.
pub(super) fn lines_height(text: &str, chars_a_line: u16, font_points: f64) -> f64 {
    (f64::from(n_lines(text, chars_a_line)) * font_points * 1.4 + 3.0).min(ROW_POINTS_MAX)
}

/// `Example Distribution · Product licenses · October 2026 · 12 months`.
pub(super) fn subtitle(head: &Head) -> String {
    let n = head.range.n_months();
    let months = if n == 1 { "month" } else { "months" };
    format!("{} · {} · {} · {n} {months}", head.partner_name, head.title, head.period.long())
}

/// A row of links to every sheet.
pub(super) fn links(sheet: &mut Worksheet, names: &[String], here: &str, look: &Look) -> Result<(), RenderError> {
    for (column, name) in (FIRST..).zip(names) {
        let format = look.link(name == here);
        if name == here {
            put_text(sheet, (0, column), name, &format)?;
        } else {
            let url = Url::new(format!("internal:'{name}'!A1")).set_text(name).set_tip(format!("Go to {name}"));
            sheet.write_url_with_format(0, column, url, &format)?;
        }
    }
    Ok(())
}

/// Paper, margins, headers and footers: partner, report and period; role, revision, data, Report ID, page.
pub(super) fn print_frame(sheet: &mut Worksheet, section: &str, head: &Head, look: &Look) {
    let paper = match look.theme().paper {
        Paper::A4 => 9,
        Paper::Letter => 1,
    };
    sheet.set_paper_size(paper).set_print_fit_to_pages(1, 0).set_margins(0.5, 0.5, 0.75, 0.7, 0.3, 0.3);
    let name = footer_text(&head.partner_name);
    let title = footer_text(&head.title);
    sheet.set_header(cut(&format!("&L&8 {name} · {title} · {}&R&8 {section}", head.period.long()), 255));
    let role = footer_text(&head.role);
    let data_on = head.data_at.format("%-d %b %Y");
    let footer = format!(
        "&L&8 {role} · Revision {} · data of {data_on}&C&8 Report ID {}&R&8 &P of &N",
        head.revision,
        head.edition.0.spoken(),
    );
    sheet.set_footer(cut(&footer, 255));
    sheet.set_tab_color(colour(look.theme().accent));
}

/// A name in a header or footer, where `&` begins a code.
fn footer_text(name: &str) -> String {
    short_name(&plain_text(name), FOOTER_NAME_CHARS_MAX).replace('&', "&&")
}
