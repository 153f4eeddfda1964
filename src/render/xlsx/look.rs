//! The theme as cell formats: one palette, one scale of type, lines instead of boxes.

use rust_xlsxwriter::{Color, Format, FormatAlign, FormatBorder};

use crate::base::{Growth, Quantity};
use crate::render::{Colour, Theme};
use crate::report::Slot;

use super::cell::n_decimals;

/// How quantities with 0 to 6 decimals are shown; a fixed number of places, since `#.######` leaves a lone point.
const QUANTITIES: [&str; 7] = [
    "#,##0;\"\u{2212}\"#,##0",
    "#,##0.0;\"\u{2212}\"#,##0.0",
    "#,##0.00;\"\u{2212}\"#,##0.00",
    "#,##0.000;\"\u{2212}\"#,##0.000",
    "#,##0.0000;\"\u{2212}\"#,##0.0000",
    "#,##0.00000;\"\u{2212}\"#,##0.00000",
    "#,##0.000000;\"\u{2212}\"#,##0.000000",
];
const RATIO: &str = "#,##0.0%;\"\u{2212}\"#,##0.0%";
const GROWTH: &str = "\"▲ +\"#,##0.00%;\"▼ \u{2212}\"#,##0.00%;0.00%";
const MONTH: &str = "mmm yyyy";

/// The number format of quantities with so many decimals.
pub(super) fn quantities(n_decimals: usize) -> &'static str {
    QUANTITIES[n_decimals.min(6)]
}

/// A colour as the crate has it.
pub(super) fn colour(colour: Colour) -> Color {
    Color::RGB(colour.rgb())
}

/// Where a cell stands, which decides its lines and weight.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Place {
    /// A row of a table.
    Row,
    /// The row below a table.
    Total,
    /// Raw rows: no lines, the table's own style has them.
    Raw,
}

/// The formats of a workbook.
#[derive(Clone, Debug)]
pub(super) struct Look {
    theme: Theme,
}

impl Look {
    pub(super) fn new(theme: &Theme) -> Look {
        Look { theme: theme.clone() }
    }

    pub(super) fn theme(&self) -> &Theme {
        &self.theme
    }

    /// Lines that a name from right to left begins still run from left to right.
    fn ltr(format: Format) -> Format {
        format.set_align(FormatAlign::Left).set_reading_direction(1)
    }

    fn ink(&self, size: f64) -> Format {
        Format::new().set_font_size(size).set_font_color(colour(self.theme.ink)).set_align(FormatAlign::VerticalCenter)
    }

    fn grey(&self, size: f64) -> Format {
        self.ink(size).set_font_color(colour(self.theme.grey))
    }

    /// The section's title.
    pub(super) fn title(&self) -> Format {
        Look::ltr(self.ink(20.0).set_bold())
    }

    /// Partner, report and period below it.
    pub(super) fn subtitle(&self) -> Format {
        Look::ltr(self.grey(11.0).set_text_wrap())
    }

    /// The sentence that says what a section shows, and other paragraphs.
    pub(super) fn paragraph(&self) -> Format {
        Look::ltr(self.ink(11.0).set_text_wrap().set_align(FormatAlign::Top))
    }

    /// The reading's first sentence.
    pub(super) fn bold_paragraph(&self) -> Format {
        self.paragraph().set_bold()
    }

    /// A sub-heading.
    pub(super) fn heading(&self) -> Format {
        Look::ltr(self.ink(13.0).set_bold().set_align(FormatAlign::Bottom))
    }

    /// The heading of a panel, with its product's colour at the left.
    pub(super) fn panel(&self, slot: Option<Slot>) -> Format {
        let format = Look::ltr(self.ink(11.0).set_bold());
        match slot {
            Some(slot) => self.marked(format, slot),
            None => format,
        }
    }

    /// Captions, notes and footnotes.
    pub(super) fn note(&self) -> Format {
        Look::ltr(self.grey(9.0))
    }

    /// The same, over several lines.
    pub(super) fn wrapped_note(&self) -> Format {
        self.note().set_text_wrap().set_align(FormatAlign::Top)
    }

    /// What a card's figure is made of.
    pub(super) fn card_note(&self) -> Format {
        self.placed(Place::Row).set_font_size(9.0).set_font_color(colour(self.theme.grey)).set_indent(1)
    }

    /// What a selector chooses.
    pub(super) fn selector_label(&self) -> Format {
        Look::ltr(self.grey(10.0).set_bold())
    }

    /// A cell to choose in: framed, and of text where a name that reads like a number is chosen.
    pub(super) fn selector(&self, num_format: &str) -> Format {
        let format = self.ink(11.0).set_bold().set_background_color(colour(self.theme.ground)).set_indent(1);
        Look::ltr(format.set_border(FormatBorder::Thin).set_border_color(colour(self.theme.accent)))
            .set_num_format(num_format)
    }

    /// What says that an edition is preliminary or corrected.
    pub(super) fn banner(&self) -> Format {
        let format = self.ink(11.0).set_bold().set_text_wrap().set_indent(1);
        Look::ltr(format.set_background_color(colour(self.theme.banner)))
    }

    /// A link to another sheet, and the sheet one is on.
    pub(super) fn link(&self, is_here: bool) -> Format {
        let format = self.ink(9.0);
        if is_here { format.set_bold() } else { format.set_font_color(colour(self.theme.accent)) }
    }

    /// The ground that KPIs and cards stand on; the first row of a KPI has the accent above it.
    pub(super) fn ground(&self, is_top: bool) -> Format {
        let format = Format::new().set_background_color(colour(self.theme.ground));
        if is_top {
            format.set_border_top(FormatBorder::Medium).set_border_top_color(colour(self.theme.accent))
        } else {
            format
        }
    }

    /// A KPI's label.
    pub(super) fn kpi_label(&self) -> Format {
        self.on_top(self.ink(12.0).set_bold().set_indent(1))
    }

    /// A KPI's figure.
    pub(super) fn kpi_figure(&self, quantity: Option<Quantity>) -> Format {
        let format = self.on_top(self.ink(20.0).set_bold().set_align(FormatAlign::Right));
        format.set_num_format(quantities(quantity.map_or(0, n_decimals)))
    }

    /// A KPI's growth.
    pub(super) fn kpi_growth(&self, growth: Growth) -> Format {
        self.directed(self.on_top(self.ink(12.0).set_bold().set_align(FormatAlign::Right)), growth)
            .set_num_format(GROWTH)
    }

    /// What is said below a KPI's label or growth.
    pub(super) fn kpi_note(&self, is_right: bool) -> Format {
        let format = self.grey(9.0).set_background_color(colour(self.theme.ground)).set_align(FormatAlign::Top);
        if is_right { format.set_align(FormatAlign::Right) } else { format.set_align(FormatAlign::Left).set_indent(1) }
    }

    fn on_top(&self, format: Format) -> Format {
        format
            .set_background_color(colour(self.theme.ground))
            .set_border_top(FormatBorder::Medium)
            .set_border_top_color(colour(self.theme.accent))
    }

    /// A table's headings; room at the right for the filter's button.
    pub(super) fn header(&self, is_right: bool, has_filter: bool) -> Format {
        let format = self
            .grey(9.0)
            .set_bold()
            .set_text_wrap()
            .set_align(FormatAlign::Bottom)
            .set_border_bottom(FormatBorder::Thin)
            .set_border_bottom_color(colour(self.theme.ink));
        match (is_right, has_filter) {
            (true, true) => format.set_align(FormatAlign::Right).set_indent(2),
            (true, false) => format.set_align(FormatAlign::Right),
            _ => format,
        }
    }

    /// Words, at the left whatever their script.
    pub(super) fn text(&self, place: Place) -> Format {
        self.placed(place).set_align(FormatAlign::Left)
    }

    /// Words over several lines.
    pub(super) fn wrapped(&self, format: Format) -> Format {
        format.set_text_wrap()
    }

    /// A name, with the colour it stands for at the left.
    pub(super) fn name(&self, place: Place, slot: Slot) -> Format {
        self.marked(self.text(place), slot)
    }

    /// A quantity with so many decimals.
    pub(super) fn quantity(&self, place: Place, n_decimals: usize) -> Format {
        self.right(place).set_num_format(quantities(n_decimals))
    }

    /// US dollars.
    pub(super) fn usd(&self, place: Place) -> Format {
        self.quantity(place, 2)
    }

    /// A ratio.
    pub(super) fn ratio(&self, place: Place) -> Format {
        self.right(place).set_num_format(RATIO)
    }

    /// Growth, in colour only where it has a direction.
    pub(super) fn growth(&self, place: Place, growth: Growth) -> Format {
        self.directed(self.right(place), growth).set_num_format(GROWTH)
    }

    /// Growth of any direction; its colour follows by a rule.
    pub(super) fn growths(&self, place: Place) -> Format {
        self.right(place).set_num_format(GROWTH)
    }

    /// A month.
    pub(super) fn month(&self, place: Place) -> Format {
        self.placed(place).set_align(FormatAlign::Left).set_num_format(MONTH)
    }

    /// What is absent, at the right as the figures are.
    pub(super) fn absent(&self, place: Place) -> Format {
        self.right(place).set_font_color(colour(self.theme.grey))
    }

    fn right(&self, place: Place) -> Format {
        self.placed(place).set_align(FormatAlign::Right)
    }

    fn placed(&self, place: Place) -> Format {
        let format = self.ink(11.0);
        match place {
            Place::Row => format.set_border_bottom(FormatBorder::Hair).set_border_bottom_color(colour(self.theme.line)),
            Place::Total => format
                .set_bold()
                .set_border_top(FormatBorder::Thin)
                .set_border_top_color(colour(self.theme.ink))
                .set_border_bottom(FormatBorder::Thin)
                .set_border_bottom_color(colour(self.theme.ink)),
            Place::Raw => format.set_font_size(10.0),
        }
    }

    fn marked(&self, format: Format, slot: Slot) -> Format {
        self.edged(format, self.theme.colour(slot))
    }

    /// A format with a colour at its left.
    pub(super) fn edged(&self, format: Format, edge: Colour) -> Format {
        format.set_border_left(FormatBorder::Thick).set_border_left_color(colour(edge)).set_indent(1)
    }

    fn directed(&self, format: Format, growth: Growth) -> Format {
        match growth.direction() {
            1 => format.set_font_color(colour(self.theme.rise)),
            -1 => format.set_font_color(colour(self.theme.fall)),
            _ => format,
        }
    }
}
