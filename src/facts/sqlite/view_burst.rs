//! Reads a view in one transaction and hands out one partner's facts at a time.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use futures::{StreamExt, TryStreamExt};
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Connection, SqliteConnection};
use tokio::sync::mpsc;

use super::burst::{BATCHES_AHEAD, Batches, Ended, PARTNERS_A_QUERY_MAX, Sender, month_bounds, send, sorted};
use super::choice::{RemarkKind, is_full};
use super::order::{Placed, ordered};
use super::other_kind;
use super::recipients::quoted;
use super::rows::Texts;
use super::view::{COLUMNS, FIRST_MEASURE, SqliteView};
use super::view_values::{Cell, cells, iso_month};
use crate::audience::Partner;
use crate::base::{Market, Month, Quantity};
use crate::facts::attach::{RANK_OTHER, attach_rank};
use crate::facts::{
    BurstRequest, Carried, Coverage, DataSet, Export, Fact, FactsError, Measure, Measures, MonthCoverage, PartnerFacts,
};

/// Runs a burst to its end; a failure is the last thing that is sent.
pub(super) async fn run(view: &SqliteView, request: BurstRequest, sender: &Sender) {
    if let Err(Ended::Failed(error)) = stream(view, request, sender).await {
        // When nobody reads any more there is nobody to tell.
        let _ = sender.send(Err(error)).await;
    }
}

async fn stream(view: &SqliteView, request: BurstRequest, sender: &Sender) -> Result<(), Ended> {
    let DataSet::View { digest: pinned, read_at } = request.data else {
        return Err(other_kind("the data set is one of our own tables, not of a view").into());
    };
    let mut connection = view.connect().await?;
    // One transaction: what is read after the digest is what the digest is of.
    let mut reading = connection.begin().await.map_err(|error| view.failed(error))?;
    let (found, _) = view.digest(&mut reading).await?;
    if found != pinned {
        return Err(FactsError::Changed { view: view.name().to_owned(), pinned, found }.into());
    }
    let mut texts = Texts::default();
    for ids in sorted(request.partner_ids).chunks(PARTNERS_A_QUERY_MAX) {
        let asked = AskedOfView { view, ids, first: request.first, last: request.last };
        let partners = asked.partners(&mut reading).await?;
        let mut coverage = asked.coverage(&mut reading, request.closing_day, read_at).await?;
        let (sql, bounds) = (asked.rows_sql(), month_bounds(request.first, request.last));
        let rows = sqlx::query(AssertSqlSafe(sql)).bind(asked.json()).bind(bounds.0).bind(bounds.1);
        let mut rows = Rows { view, rows: rows.fetch(&mut *reading).boxed(), head: None, texts: &mut texts };
        for partner in partners {
            rows.texts.trim();
            let coverage = coverage.remove(&partner.id).unwrap_or_default();
            let (batches, receiver) = mpsc::channel(BATCHES_AHEAD);
            let id = partner.id.clone();
            let handed = sender.send(Ok(PartnerFacts { partner, coverage, batches: receiver })).await;
            handed.map_err(|_| Ended::Gone)?;
            if let Err(error) = rows.partner(&id, &batches).await {
                return match batches.send(Err(error)).await {
                    Err(mpsc::error::SendError(Err(error))) => Err(Ended::Failed(error)),
                    _ => Err(Ended::Gone),
                };
            }
        }
    }
    Ok(())
}

/// Partners and months that a view is asked for.
pub(super) struct AskedOfView<'a> {
    pub view: &'a SqliteView,
    pub ids: &'a [String],
    pub first: Month,
    pub last: Month,
}

impl AskedOfView<'_> {
    fn json(&self) -> String {
        serde_json::Value::from(self.ids.to_vec()).to_string()
    }

    fn condition(&self) -> String {
        let (partner, month) = (self.view.sql_of("partner_id"), self.view.sql_of("month"));
        format!(
            "FROM {} WHERE {partner} IN (SELECT value FROM json_each(?1)) AND {month} >= ?2 AND {month} < ?3",
            quoted(self.view.name())
        )
    }

    /// All columns, in the order of partner, month and then everything else.
    fn rows_sql(&self) -> String {
        let columns: Vec<String> = COLUMNS.iter().map(|column| self.view.sql_of(column)).collect();
        let order: Vec<String> = (3..=COLUMNS.len()).map(|n| n.to_string()).collect();
        format!("SELECT {} {} ORDER BY 2, 1, {}", columns.join(", "), self.condition(), order.join(", "))
    }

    async fn all(&self, connection: &mut SqliteConnection, sql: String) -> Result<Vec<Vec<Cell>>, FactsError> {
        let bounds = month_bounds(self.first, self.last);
        let rows = sqlx::query(AssertSqlSafe(sql)).bind(self.json()).bind(bounds.0).bind(bounds.1);
        let rows: Result<Vec<SqliteRow>, sqlx::Error> = rows.fetch_all(connection).await;
        let rows = rows.map_err(|error| self.view.failed(error))?;
        rows.iter().map(|row| cells(row).map_err(|error| self.view.failed(error))).collect()
    }

    /// These partners, each with the names that its newest rows have.
    pub async fn partners(&self, connection: &mut SqliteConnection) -> Result<Vec<Partner>, FactsError> {
        let unnamed = |id: &String| Partner { id: id.clone(), name: id.clone(), locations: BTreeMap::new() };
        let mut partners: BTreeMap<String, Partner> = self.ids.iter().map(|id| (id.clone(), unnamed(id))).collect();
        let of = |column: &str| self.view.sql_of(column);
        let names = format!(
            "SELECT {}, {}, max({}) {} GROUP BY 1, 2 ORDER BY 1, 3, 2",
            of("partner_id"),
            of("partner_name"),
            of("month"),
            self.condition()
        );
        for row in self.all(connection, names).await? {
            let partner = row[0].text().and_then(|id| partners.get_mut(&id));
            if let (Some(partner), Some(name)) = (partner, row[1].filled()) {
                partner.name = name;
            }
        }
        let locations = format!(
            "SELECT {}, {}, {}, max({}) {} GROUP BY 1, 2, 3 ORDER BY 1, 2, 4, 3",
            of("partner_id"),
            of("location_id"),
            of("location_name"),
            of("month"),
            self.condition()
        );
        for row in self.all(connection, locations).await? {
            let partner = row[0].text().and_then(|id| partners.get_mut(&id));
            if let (Some(partner), Some(id)) = (partner, row[1].filled()) {
                let name = row[2].filled().unwrap_or_else(|| id.clone());
                partner.locations.insert(id, name);
            }
        }
        Ok(partners.into_values().collect())
    }

    /// What the view carries for each of these partners: a measure whose column it has, for all products but those
    /// that have rows in a month and never a value.
    pub(super) async fn coverage(
        &self,
        connection: &mut SqliteConnection,
        closing_day: u32,
        read_at: chrono::DateTime<chrono::Utc>,
    ) -> Result<HashMap<String, Coverage>, FactsError> {
        let counts: Vec<String> =
            Measure::ALL.iter().map(|measure| format!("count({})", self.view.sql_of(measure.column()))).collect();
        let of = |column: &str| self.view.sql_of(column);
        let sql = format!(
            "SELECT {}, substr({}, 1, 7), {}, {} {} GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
            of("partner_id"),
            of("month"),
            of("product"),
            counts.join(", "),
            self.condition()
        );
        let mut products: BTreeMap<(String, Month), Vec<Product>> = BTreeMap::new();
        for row in self.all(connection, sql).await? {
            let month = row[1].text().as_deref().and_then(iso_month);
            let (Some(id), Some(month), Some(product)) = (row[0].text(), month, row[2].filled()) else { continue };
            let mut has = [false; Measure::N];
            for (n, has) in has.iter_mut().enumerate() {
                *has = matches!(row[3 + n], Cell::Whole(count) if count > 0);
            }
            products.entry((id, month)).or_default().push((product.into(), has));
        }
        let mut coverage: HashMap<String, Coverage> = HashMap::new();
        for ((id, month), products) in products {
            let of = coverage.entry(id).or_default();
            let carried = Measure::ALL.map(|measure| carried(&products, measure));
            let full = is_full(month, closing_day, std::iter::once(read_at));
            of.months.insert(month, MonthCoverage { full, carried });
            let source = self.view.name().to_owned();
            of.exports.push(Export { source, month, exported_at: read_at, load_no: None });
        }
        self.remark_markets(connection, &mut coverage).await?;
        Ok(coverage)
    }

    /// Counts the rows whose country nobody knows; they stand under Unknown.
    async fn remark_markets(
        &self,
        connection: &mut SqliteConnection,
        coverage: &mut HashMap<String, Coverage>,
    ) -> Result<(), FactsError> {
        let (partner, market) = (self.view.sql_of("partner_id"), self.view.sql_of("customer_market"));
        let sql = format!("SELECT {partner}, {market}, count(*) {} GROUP BY 1, 2 ORDER BY 1, 2", self.condition());
        for row in self.all(connection, sql).await? {
            let text = row[1].text().unwrap_or_default();
            if let (Err(_), Some(id), Cell::Whole(n)) = (text.parse::<Market>(), row[0].text(), &row[2]) {
                let words = RemarkKind::UnreadMarket.words(&text, u64::try_from(*n).unwrap_or(0));
                coverage.entry(id).or_default().left_out.push(words);
            }
        }
        Ok(())
    }
}

/// A product with whether it has a value of each measure in a month.
type Product = (Arc<str>, [bool; Measure::N]);

fn carried(products: &[Product], measure: Measure) -> Carried {
    let n = measure as usize;
    if products.iter().all(|(_, has)| !has[n]) {
        return Carried::nothing();
    }
    let never: BTreeSet<Arc<str>> = products.iter().filter(|(_, has)| !has[n]).map(|(p, _)| p.clone()).collect();
    Carried::AllBut(never)
}

/// The rows of a view as they stream in, looked at one row ahead.
struct Rows<'a, 'c> {
    view: &'a SqliteView,
    rows: futures::stream::BoxStream<'c, Result<SqliteRow, sqlx::Error>>,
    head: Option<Vec<Cell>>,
    texts: &'a mut Texts,
}

impl Rows<'_, '_> {
    /// The next row of a partner; rows of partners before it are passed over.
    async fn next_of(&mut self, id: &str) -> Result<Option<Vec<Cell>>, FactsError> {
        loop {
            if self.head.is_none() {
                let row = self.rows.try_next().await.map_err(|error| self.view.failed(error))?;
                self.head = row.map(|row| cells(&row)).transpose().map_err(|error| self.view.failed(error))?;
            }
            let Some(row) = self.head.take() else { return Ok(None) };
            match row[1].text().unwrap_or_default().as_str().cmp(id) {
                std::cmp::Ordering::Equal => return Ok(Some(row)),
                std::cmp::Ordering::Less => {}
                std::cmp::Ordering::Greater => {
                    self.head = Some(row);
                    return Ok(None);
                }
            }
        }
    }

    async fn partner(&mut self, id: &str, batches: &Batches) -> Result<(), FactsError> {
        let mut month: Option<Month> = None;
        let mut placed: Vec<Placed> = Vec::new();
        let mut alike: HashMap<String, u64> = HashMap::new();
        while let Some(row) = self.next_of(id).await? {
            let of = row[0].month().map_err(|reason| self.view.bad("month", reason))?;
            if month.is_some_and(|month| month != of) {
                if !send(ordered(std::mem::take(&mut placed)), batches).await {
                    return Ok(());
                }
                alike.clear();
            }
            month = Some(of);
            let fact = self.fact(&row, of, &mut alike)?;
            let row_no = i64::try_from(placed.len()).unwrap_or(i64::MAX);
            placed.push(Placed { fact, source: None, load_no: 0, row_no });
        }
        send(ordered(placed), batches).await;
        Ok(())
    }

    fn fact(&mut self, row: &[Cell], month: Month, alike: &mut HashMap<String, u64>) -> Result<Fact, FactsError> {
        let view = self.view;
        let mut text = |n: usize| row[n].filled().map(|text| self.texts.share(&text));
        let mut measures = Measures::default();
        for (n, measure) in Measure::ALL.into_iter().enumerate() {
            let column = COLUMNS[FIRST_MEASURE + n];
            let value = row[FIRST_MEASURE + n].quantity().map_err(|reason| view.bad(column, reason))?;
            // Only revenue may be negative: a credit.
            if measure != Measure::BilledRevenueUsd && value.is_some_and(Quantity::is_negative) {
                return Err(view.bad(column, format!("{} is below 0", value.unwrap_or_default())));
            }
            measures.set(measure, value);
        }
        let attach_type = text(12);
        let rank = match &row[15] {
            Cell::Null => attach_type.as_deref().map_or(RANK_OTHER, attach_rank),
            cell => cell.text().and_then(|rank| rank.trim().parse().ok()).ok_or_else(|| {
                view.bad("attach_rank", format!("`{}` is no whole number", cell.text().unwrap_or_default()))
            })?,
        };
        let market = row[7].text().unwrap_or_default();
        let product = text(8).ok_or_else(|| view.bad("product", "a row has no product".to_owned()))?;
        let key = row[14].filled().unwrap_or_else(|| own_key(row, alike));
        Ok(Fact {
            month,
            location_id: text(3),
            location_name: text(4),
            customer_id: text(5),
            customer_name: text(6),
            customer_market: market.parse().unwrap_or(Market::UNKNOWN),
            product,
            sku_id: text(9),
            sku: text(10),
            sales_channel: text(11),
            attach_type,
            segment: text(13),
            license_key: self.texts.share(&key),
            attach_rank: rank,
            measures,
        })
    }
}

/// The license key of a row that has none: customer and SKU; without both, all that the row says, and which of
/// several rows of the month that say the same it is.
fn own_key(row: &[Cell], alike: &mut HashMap<String, u64>) -> String {
    let cell = |n: usize| row[n].filled().unwrap_or_default();
    let sku = row[9].filled().or_else(|| row[10].filled());
    if let (Some(customer), Some(sku)) = (row[5].filled(), sku) {
        return format!("customer:{}", serde_json::Value::from(vec![customer, sku]));
    }
    let said: Vec<String> = (3..14).map(cell).collect();
    // As JSON, so that no two rows that say different things share a key.
    let key = format!("row:{}", serde_json::Value::from(said));
    let n = alike.entry(key.clone()).or_default();
    *n += 1;
    format!("{key}|{n}")
}
