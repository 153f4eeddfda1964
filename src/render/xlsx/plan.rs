//! How wide the columns of a sheet are, by what will stand in them.

use crate::report::{Block, Choice, Column, ColumnKind, Figure, Kpi, Section, Table, Value};

use super::{chart, choice};

/// The first column that holds something; the one before it is a margin.
pub(super) const FIRST: u16 = 1;

/// The widest that the first column, where names stand, and the others may get, in characters.
const NAME_CHARS_MAX: u16 = 44;
const CHARS_MAX: u16 = 30;
const CHARS_MIN: u16 = 11;

/// Columns and characters that even an empty sheet has, so that text has a line to stand on.
const COLUMNS_MIN: usize = 7;
const SHEET_CHARS_MIN: u16 = 96;

/// As many rows are looked at; more would cost more than they tell.
const ROWS_LOOKED_AT: usize = 200;

/// The columns of one sheet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Plan {
    /// The width of each column from [`FIRST`] on, in characters.
    pub(super) widths: Vec<u16>,
    /// How many tables there are.
    pub(super) n_tables: usize,
}

impl Plan {
    /// The columns that a section's blocks need.
    pub(super) fn of(section: &Section) -> Plan {
        let mut plan = Plan { widths: vec![CHARS_MIN; COLUMNS_MIN], n_tables: 0 };
        plan.widths[0] = 22;
        plan.blocks(&section.blocks);
        let sum: u16 = plan.widths.iter().sum();
        if let Some(last) = plan.widths.last_mut() {
            *last += SHEET_CHARS_MIN.saturating_sub(sum).min(CHARS_MAX);
        }
        plan
    }

    /// The last column that holds something.
    pub(super) fn last(&self) -> u16 {
        FIRST + u16::try_from(self.widths.len()).unwrap_or(u16::MAX / 2) - 1
    }

    /// How many characters stand in a line from a column to the last.
    pub(super) fn chars_from(&self, column: u16) -> u16 {
        self.widths.iter().skip(usize::from(column.saturating_sub(FIRST))).sum()
    }

    /// The width of a column in characters.
    pub(super) fn width(&self, column: u16) -> u16 {
        self.widths.get(usize::from(column.saturating_sub(FIRST))).copied().unwrap_or(CHARS_MIN)
    }

    /// The width of the columns from one to the last, in pixels: 7 a character and 5 a column, in Calibri 11.
    pub(super) fn pixels_from(&self, column: u16) -> u32 {
        let widths = self.widths.iter().skip(usize::from(column.saturating_sub(FIRST)));
        widths.map(|width| u32::from(*width) * 7 + 5).sum()
    }

    fn blocks(&mut self, blocks: &[Block]) {
        for block in blocks {
            match block {
                Block::Kpis(kpis) => kpis.iter().for_each(|kpi| self.kpi(kpi)),
                Block::Cards(cards) => {
                    for card in cards {
                        self.need(0, chars(&card.label) + 2);
                        self.need(1, if matches!(card.figure, Figure::Ratio(_)) { 14 } else { 18 });
                    }
                }
                Block::Table(table) => self.table(table),
                Block::Chart(chart) => chart::data(chart).iter().for_each(|table| self.table(table)),
                Block::Choice(choice) => self.choice(choice),
                Block::Panels { panels, .. } => panels.iter().for_each(|panel| self.blocks(&panel.blocks)),
                Block::Reading { .. }
                | Block::Heading(_)
                | Block::Text(_)
                | Block::Definitions(_)
                | Block::OnPaper(_)
                | Block::RawRows { .. } => {}
            }
        }
    }

    fn kpi(&mut self, kpi: &Kpi) {
        let figure = kpi.current.map_or(0, |quantity| chars(&quantity.grouped()));
        self.need(0, chars(&kpi.label) + 4);
        // The figure is set in 20 points, the column's characters are of 11.
        self.need(1, figure * 2 + 2);
        self.need(2, chars(&kpi.growth.text()).max(chars(&kpi.growth_note)) + 5);
    }

    fn choice(&mut self, choice: &Choice) {
        let names: u16 = choice::names(choice).map(chars).max().unwrap_or(0);
        self.need(0, names + 3);
        for (n, width) in choice::widths(choice).enumerate() {
            self.need(n + 1, width);
        }
    }

    fn table(&mut self, table: &Table) {
        self.n_tables += 1;
        for (n, column) in table.columns.iter().enumerate() {
            let cells = table.rows.iter().take(ROWS_LOOKED_AT).map(|row| row.get(n));
            let total = table.total.as_ref().map(|total| total.cells.get(n));
            let widest = cells.chain(total).flatten().map(|value| value_chars(value, column.kind)).max();
            // Headings break into lines, but not within a word.
            let word = column.label.split_whitespace().map(chars).max().unwrap_or(0) + 4;
            self.need(n, widest.unwrap_or(0).max(word));
        }
    }

    fn need(&mut self, n: usize, chars: u16) {
        if n >= self.widths.len() {
            self.widths.resize(n + 1, CHARS_MIN);
        }
        let max = if n == 0 { NAME_CHARS_MAX } else { CHARS_MAX };
        self.widths[n] = self.widths[n].max(chars.min(max));
    }
}

/// Whether figures stand in a column, which are set at the right.
pub(super) fn is_right(column: &Column) -> bool {
    match column.kind {
        ColumnKind::Quantity | ColumnKind::QuantityBar | ColumnKind::Usd | ColumnKind::Ratio | ColumnKind::Growth => {
            true
        }
        ColumnKind::Text | ColumnKind::Trend | ColumnKind::Month => false,
    }
}

fn value_chars(value: &Value, kind: ColumnKind) -> u16 {
    let text = chars(&value.text());
    match kind {
        ColumnKind::QuantityBar => text + 8,
        ColumnKind::Growth => text + 4,
        ColumnKind::Trend => 18,
        _ => text + 3,
    }
}

/// How wide a text is, in the width of a digit; East Asian letters are twice as wide.
pub(super) fn chars(text: &str) -> u16 {
    let wide = |letter: char| {
        matches!(letter, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}'
            | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe4f}' | '\u{ff00}'..='\u{ff60}' | '\u{1f000}'..='\u{3fffd}')
    };
    let n: usize = text.chars().map(|letter| if wide(letter) { 2 } else { 1 }).sum();
    u16::try_from(n).unwrap_or(u16::MAX / 4)
}

/// How many lines a text takes where so many characters stand in one; words stay whole, so lines end early.
pub(super) fn n_lines(text: &str, chars_a_line: u16) -> u16 {
    let line = u32::from(chars_a_line.max(8));
    let lines = u32::from(chars(text)).div_ceil(line * 9 / 10).max(1);
    u16::try_from(lines).unwrap_or(u16::MAX)
}
