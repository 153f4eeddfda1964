//! The finished report of one audience, as plain values: no format, no rows, no database, no clock.

mod chart;
mod choice;
mod rows;
mod table;
mod value;
pub mod words;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

pub use chart::{Chart, Columns, Donut, Map, MapClass, Series, Slice};
pub use choice::{Choice, FlowChoice, FlowCourse, FlowGroup, GroupPart, PartChoice, PartGroup};
pub use rows::{Cell, RawColumn, RawKind, Rows, RowsBuffer, RowsError};
pub use table::{Column, ColumnKind, Table, Total};
pub use value::{Slot, Value};

use crate::base::{EditionId, Growth, Month, Period, Quantity, Range, Ratio};

/// The finished report of one audience: everything that its files show, but for the raw rows.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Report {
    /// What it is about, for whom, and from what data.
    pub head: Head,
    /// Its sections, in the template's order.
    pub sections: Vec<Section>,
}

/// What a report is about, for whom, and from what data.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Head {
    /// Printed as *Report ID*.
    pub edition: EditionId,
    /// Printed as *Revision*: 1, and higher as the edition is corrected or made again.
    pub revision: u32,
    /// `Product licenses`.
    pub title: String,
    /// The partner's id.
    pub partner_id: String,
    /// The partner's name, as the newest data has it.
    pub partner_name: String,
    /// The role's label, as in `Executive report viewer`.
    pub role: String,
    /// The scope in words, as in `Entire organization` or the names of its locations.
    pub scope: String,
    /// The language, an IETF tag as in `en`.
    pub language: String,
    /// What it is about.
    pub period: Period,
    /// The months it shows.
    pub range: Range,
    /// The two full months that growth compares; none when the range has no full month.
    pub compared: Option<Compared>,
    /// The banner's sentence when the period itself is not full.
    pub preliminary: Option<String>,
    /// The banner's sentence when this revision corrects an earlier one.
    pub correction: Option<String>,
    /// The newest export among its data: the date printed as *data of*, and the files' creation date.
    pub data_at: DateTime<Utc>,
    /// Who sends it and whom to ask, as the schedule names them.
    pub contact: String,
    /// The products in their order: the order and colours of every table and chart.
    pub products: Vec<Series>,
}

/// The first and the last full month of a range; the same month when there is one only.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Compared {
    /// The first full month.
    pub first: Month,
    /// The last full month: what *current* means.
    pub last: Month,
}

/// Which section of the report; `snake_case` in templates.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SectionKind {
    /// KPIs, the reading, deployment and usage, by product.
    Summary,
    /// Geographical spread of licenses.
    Geography,
    /// License adds per month, by product and SKU.
    LicenseAdds,
    /// License distribution by product, country/region and the five dimensions.
    Distribution,
    /// The rows behind it.
    RawData,
    /// Definitions, sources, coverage, what is withheld.
    About,
}

impl SectionKind {
    /// Every kind, in the order of the shipped template.
    pub const ALL: [SectionKind; 6] = [
        SectionKind::Summary,
        SectionKind::Geography,
        SectionKind::LicenseAdds,
        SectionKind::Distribution,
        SectionKind::RawData,
        SectionKind::About,
    ];

    /// Its name in templates.
    pub fn key(self) -> &'static str {
        match self {
            SectionKind::Summary => "summary",
            SectionKind::Geography => "geography",
            SectionKind::LicenseAdds => "license-adds",
            SectionKind::Distribution => "distribution",
            SectionKind::RawData => "raw-data",
            SectionKind::About => "about",
        }
    }
}

/// A titled part of a report. Renderers lay its blocks out in order, whatever its kind.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Section {
    /// Which one it is.
    pub kind: SectionKind,
    /// Its heading.
    pub title: String,
    /// One sentence that says what it shows; empty when there is nothing to say.
    pub lead: String,
    /// What is in it, in reading order.
    pub blocks: Vec<Block>,
}

/// A piece of a section.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Block {
    /// Large figures side by side, each with its growth and micro chart.
    Kpis(Vec<Kpi>),
    /// The reading: a bold first sentence and a second one.
    Reading {
        /// The sentence that answers the executive's question.
        lead: String,
        /// What follows it; may be empty.
        rest: String,
    },
    /// Smaller figures side by side, such as deployment and usage.
    Cards(Vec<Card>),
    /// A sub-heading.
    Heading(String),
    /// A paragraph of text.
    Text(String),
    /// Terms with what they mean: term, meaning.
    Definitions(Vec<(String, String)>),
    /// A table.
    Table(Table),
    /// A chart across the full width.
    Chart(Chart),
    /// Small multiples: panels in `columns` columns (1 to 3), in reading order.
    Panels {
        /// How many stand side by side where there is room.
        columns: u8,
        /// The panels.
        panels: Vec<Panel>,
    },
    /// What stands for a choice that the reader has in a living format: left out where he has it, as in a workbook.
    OnPaper(Vec<Block>),
    /// What the reader chooses from in a living format, as in a workbook; left out on paper.
    Choice(Choice),
    /// Where the raw rows stand; the rows themselves come as [`Rows`].
    RawRows {
        /// Their columns, as the grant may see them.
        columns: Vec<RawColumn>,
        /// How many there are.
        n_rows: u64,
    },
}

/// One of several small charts or tables side by side.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Panel {
    /// Its heading, as in a product's name.
    pub title: String,
    /// The colour of its heading's dot, if it stands for a product.
    pub slot: Option<Slot>,
    /// Said beside the heading, as in `12,483 added, 4,429 removed`; may be empty.
    pub note: String,
    /// What is in it: charts, tables and texts.
    pub blocks: Vec<Block>,
    /// Said below, as in what the parts sum to; may be empty.
    pub footnote: String,
}

/// A key figure with its growth and its course.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Kpi {
    /// Its stable name, as in `licenses`.
    pub key: String,
    /// Its label, as in `Licenses deployed`.
    pub label: String,
    /// What it counts, as in `assigned to users`.
    pub note: String,
    /// The count in the last full month; absent when the source does not carry it.
    pub current: Option<Quantity>,
    /// The growth since the first full month.
    pub growth: Growth,
    /// Said after the growth, as in `since Nov 2025` or `2 of 4 products`; may be empty.
    pub growth_note: String,
    /// A value a month of the range, absent where not known.
    pub trend: Vec<Option<Quantity>>,
    /// Which of the trend's months is *current*.
    pub trend_current: Option<usize>,
    /// Which products the count leaves out since their source does not carry it; may be empty.
    pub coverage: String,
    /// What its micro chart shows, in words with figures, for screen readers.
    // Archived reports of 0.1.0 have none, and must still be read to be sent.
    #[serde(default)]
    pub alt: String,
}

/// A smaller figure: a ratio with a bar, or a count.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Card {
    /// Its label, as in `Deployment`.
    pub label: String,
    /// The figure.
    pub figure: Figure,
    /// What it is made of, as in `deployed / licenses`.
    pub note: String,
}

/// The figure of a card.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Figure {
    /// A ratio, shown in percent with one decimal and as a bar; may exceed 1.
    Ratio(Option<Ratio>),
    /// A count of licenses.
    Quantity(Option<Quantity>),
    /// US dollars.
    Usd(Option<Quantity>),
}

impl Report {
    /// The KPIs, wherever they stand: what the gate and the mail need.
    pub fn kpis(&self) -> impl Iterator<Item = &Kpi> {
        self.blocks().filter_map(|block| if let Block::Kpis(kpis) = block { Some(kpis) } else { None }).flatten()
    }

    /// The section of a kind, if the report has it.
    pub fn section(&self, kind: SectionKind) -> Option<&Section> {
        self.sections.iter().find(|section| section.kind == kind)
    }

    /// How many raw rows come with it, if any are shown.
    pub fn n_rows(&self) -> Option<u64> {
        self.blocks().find_map(|block| if let Block::RawRows { n_rows, .. } = block { Some(*n_rows) } else { None })
    }

    /// All blocks of all sections, panels not opened.
    fn blocks(&self) -> impl Iterator<Item = &Block> {
        self.sections.iter().flat_map(|section| &section.blocks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_figure_archived_without_an_alternative_text_is_still_read() {
        let archived = r#"{"key":"licenses","label":"Licenses","note":"","current":"7","growth":"absent",
            "growth_note":"","trend":["7"],"trend_current":0,"coverage":""}"#;
        let kpi: Kpi = serde_json::from_str(archived).unwrap();
        assert_eq!((kpi.current, kpi.alt.as_str()), (Some(Quantity::whole(7)), ""));
    }
}
