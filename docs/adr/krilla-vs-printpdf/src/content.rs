//! What both draw: eight pages, each a heading, a table of 45 rows by 7 columns, and a bar a row.

/// Points from the left at which the columns begin.
pub const COLUMNS: [f32; 7] = [40.0, 150.0, 250.0, 310.0, 370.0, 430.0, 490.0];
/// Points from the top at which the first row stands.
pub const TOP: f32 = 90.0;
/// Points from row to row.
pub const LEADING: f32 = 15.0;
/// The page, in points: A4.
pub const PAGE: (f32, f32) = (595.28, 841.89);

/// A page: its heading and its rows, the first of which is the header row.
pub struct Page {
    /// The heading.
    pub title: String,
    /// The rows of seven cells.
    pub rows: Vec<[String; 7]>,
    /// The length of a row's bar, in points.
    pub bars: Vec<f32>,
}

/// The eight pages.
pub fn pages() -> Vec<Page> {
    (0..8).map(page).collect()
}

fn page(n_page: u32) -> Page {
    let header = ["Product", "Country/region", "Licenses", "Deployed", "Active", "Added", "Removed"].map(str::to_owned);
    let products = ["Microsoft 365", "Dynamics 365", "Enterprise Mobility + Security", "Power BI"];
    let countries = ["France", "Germany", "Brazil", "Japan", "Kenya", "Norway", "Peru", "Spain", "Türkiye"];
    let rows = (0..45_u32).map(|n_row| {
        let n = n_page * 45 + n_row;
        let figure = |factor: u32| ((n * 7919 + factor * 104_729) % 90_000).to_string();
        let product = products[(n % 4) as usize].to_owned();
        let country = countries[(n % 9) as usize].to_owned();
        [product, country, figure(1), figure(2), figure(3), figure(5), figure(7)]
    });
    Page {
        title: format!("License distribution, part {}", n_page + 1),
        rows: std::iter::once(header).chain(rows).collect(),
        bars: (0..45).map(|n_row| ((n_page * 45 + n_row) * 31 % 60) as f32).collect(),
    }
}
