//! Reads a data set once, many partners a query, and hands out one partner's facts at a time.

use std::collections::{BTreeMap, HashMap, HashSet};

use futures::StreamExt;
use sqlx::sqlite::SqliteRow;
use sqlx::{Connection, Row, SqliteConnection};
use tokio::sync::mpsc;

use super::choice::{self, Slice, Slices};
use super::order::{Placed, ordered};
use super::queries::{Asked, FACTS, LINES, USAGE, UsageSlices};
use super::rows::{Ahead, Texts, line_of, measures_of, packed};
use super::{SqliteFacts, load_no_of, month_number, month_of, options};
use crate::audience::Partner;
use crate::base::Month;
use crate::facts::source::Source;
use crate::facts::{BATCH_FACTS_MAX, BurstRequest, Fact, FactsError, Measure, PartnerFacts};

/// How many partners one query asks for.
pub(super) const PARTNERS_A_QUERY_MAX: usize = 256;

/// How many batches of a partner wait to be read.
pub(super) const BATCHES_AHEAD: usize = 4;

/// Where partners go.
pub(super) type Sender = mpsc::Sender<Result<PartnerFacts, FactsError>>;

/// Where one partner's facts go.
pub(super) type Batches = mpsc::Sender<Result<Vec<Fact>, FactsError>>;

/// Why a burst ended before its last partner.
pub(super) enum Ended {
    /// It failed.
    Failed(FactsError),
    /// Nobody reads any more, or the failure was told with a partner's facts.
    Gone,
}

impl From<FactsError> for Ended {
    fn from(error: FactsError) -> Ended {
        Ended::Failed(error)
    }
}

/// Runs a burst to its end; a failure is the last thing that is sent.
pub(super) async fn run(facts: &SqliteFacts, request: BurstRequest, sender: &Sender) {
    if let Err(Ended::Failed(error)) = stream(facts, request, sender).await {
        // When nobody reads any more there is nobody to tell.
        let _ = sender.send(Err(error)).await;
    }
}

/// The partners that are asked for: sorted, each once.
pub(super) fn sorted(mut ids: Vec<String>) -> Vec<String> {
    ids.sort();
    ids.dedup();
    ids
}

async fn stream(facts: &SqliteFacts, request: BurstRequest, sender: &Sender) -> Result<(), Ended> {
    let load_no = load_no_of(&request.data)?;
    let mut connections = Connections::open(facts).await.map_err(|error| facts.failed(error))?;
    let mut texts = Texts::default();
    for ids in sorted(request.partner_ids).chunks(PARTNERS_A_QUERY_MAX) {
        let asked = Asked { ids: ids.to_vec(), first: request.first, last: request.last, load_no };
        let found = Found::read(&asked, &mut connections.facts).await.map_err(|error| facts.failed(error))?;
        let mut reader = Reader {
            facts,
            lines: Ahead::new(rows(&asked, LINES, &mut connections.lines)),
            rows: Ahead::new(rows(&asked, FACTS, &mut connections.facts)),
            usage: found.has_usage.then(|| Ahead::new(rows(&asked, USAGE, &mut connections.usage))),
            texts: &mut texts,
        };
        for (key, (partner, slices, remarks)) in (0..).zip(found.partners) {
            reader.texts.trim();
            let coverage = choice::coverage(&slices, request.closing_day, &remarks);
            let (batches, receiver) = mpsc::channel(BATCHES_AHEAD);
            let handed = sender.send(Ok(PartnerFacts { partner, coverage, batches: receiver })).await;
            handed.map_err(|_| Ended::Gone)?;
            reader.partner(key, &slices, &batches).await?;
        }
    }
    Ok(())
}

/// A connection per stream, since each is read while the others are.
struct Connections {
    lines: SqliteConnection,
    facts: SqliteConnection,
    usage: SqliteConnection,
}

impl Connections {
    async fn open(facts: &SqliteFacts) -> Result<Connections, sqlx::Error> {
        let options = options(&facts.path);
        Ok(Connections {
            lines: SqliteConnection::connect_with(&options).await?,
            facts: SqliteConnection::connect_with(&options).await?,
            usage: SqliteConnection::connect_with(&options).await?,
        })
    }
}

fn rows<'c>(
    asked: &Asked,
    sql: &'static str,
    connection: &'c mut SqliteConnection,
) -> futures::stream::BoxStream<'c, Result<SqliteRow, sqlx::Error>> {
    sqlx::query(sql)
        .bind(asked.json())
        .bind(month_number(asked.first))
        .bind(month_number(asked.last))
        .bind(asked.load_no)
        .fetch(connection)
        .boxed()
}

/// What is known of the asked partners before their rows are read.
struct Found {
    partners: Vec<(Partner, Slices, Vec<choice::Remark>)>,
    has_usage: bool,
}

impl Found {
    async fn read(asked: &Asked, connection: &mut SqliteConnection) -> Result<Found, sqlx::Error> {
        let partners = asked.partners(connection).await?;
        let mut slices = asked.slices(connection).await?;
        let remarks = asked.remarks(connection).await?;
        let usage = asked.usage_slices(connection).await?;
        slices.iter_mut().for_each(|slices| add_usage(slices, &usage));
        let partners = partners.into_iter().zip(slices).zip(remarks);
        let partners = partners.map(|((partner, slices), remarks)| (partner, slices, remarks)).collect();
        Ok(Found { partners, has_usage: !usage.is_empty() })
    }
}

/// Adds to a reseller's months the usage slices of the accounts that it was found in.
pub(super) fn add_usage(slices: &mut Slices, usage: &UsageSlices) {
    for (month, of) in slices {
        let accounts: HashSet<_> = of.iter().map(|slice| slice.account_id.clone()).collect();
        let mut accounts: Vec<_> = accounts.into_iter().filter(|account| !account.is_empty()).collect();
        accounts.sort();
        for account in accounts {
            of.extend(usage.get(&(account, *month)).into_iter().flatten().cloned());
        }
    }
}

/// The streams of one query's partners.
struct Reader<'a, 'c> {
    facts: &'a SqliteFacts,
    lines: Ahead<'c>,
    rows: Ahead<'c>,
    usage: Option<Ahead<'c>>,
    texts: &'a mut Texts,
}

impl Reader<'_, '_> {
    /// Sends one partner's facts, month by month.
    async fn partner(&mut self, key: i64, slices: &Slices, batches: &Batches) -> Result<(), Ended> {
        let sent = self.months(key, slices, batches).await;
        let Err(error) = sent else { return Ok(()) };
        let error = self.facts.failed(error);
        // Told with the facts that it breaks off; when nobody reads those, with the partners.
        match batches.send(Err(error)).await {
            Ok(()) => Err(Ended::Gone),
            Err(mpsc::error::SendError(Err(error))) => Err(Ended::Failed(error)),
            Err(_) => Err(Ended::Gone),
        }
    }

    async fn months(&mut self, key: i64, slices: &Slices, batches: &Batches) -> Result<(), sqlx::Error> {
        let mut lines: HashMap<i64, Fact> = HashMap::new();
        while let Some(row) = self.lines.next_of(key).await? {
            lines.insert(row.try_get(1)?, line_of(&row, 2, self.texts)?);
        }
        let mut month: Option<(i64, Vec<Placed>)> = None;
        while let Some(row) = self.rows.next_of(key).await? {
            let number: i64 = row.try_get(1)?;
            if month.as_ref().is_some_and(|(open, _)| *open != number)
                && let Some((number, placed)) = month.take()
                && !self.close(key, number, placed, slices, batches).await?
            {
                return Ok(());
            }
            let slice = unpacked(&row, number, &lines)?;
            month.get_or_insert_with(|| (number, Vec::new())).1.extend(slice);
        }
        if let Some((number, placed)) = month.take() {
            self.close(key, number, placed, slices, batches).await?;
        }
        Ok(())
    }

    /// Sends a month's facts; false when nobody reads them any more.
    async fn close(
        &mut self,
        key: i64,
        number: i64,
        mut placed: Vec<Placed>,
        slices: &Slices,
        batches: &Batches,
    ) -> Result<bool, sqlx::Error> {
        placed.extend(self.usage_of(key, number).await?);
        let of = month_of(number).and_then(|month| slices.get(&month)).map_or(&[][..], Vec::as_slice);
        let placed = placed.into_iter().filter_map(|placed| believed_only(placed, of)).collect();
        Ok(send(ordered(placed), batches).await)
    }

    /// Usage of a reseller's subscriptions in a month.
    async fn usage_of(&mut self, key: i64, month: i64) -> Result<Vec<Placed>, sqlx::Error> {
        let Some(usage) = &mut self.usage else { return Ok(Vec::new()) };
        let mut placed_once: BTreeMap<(i64, i64, i64), Placed> = BTreeMap::new();
        while let Some(row) = usage.next_of(key).await? {
            let number: i64 = row.try_get(1)?;
            if number > month {
                usage.put_back(key, row);
                break;
            }
            if number < month {
                continue;
            }
            let at = (row.try_get(2)?, row.try_get(3)?, row.try_get(4)?);
            if placed_once.contains_key(&at) {
                continue;
            }
            let line = line_of(&row, 8, self.texts)?;
            if let Some(placed) = placed(&row, number, line, measures_of(&row, 5, 3)?)? {
                placed_once.insert(at, placed);
            }
        }
        Ok(placed_once.into_values().collect())
    }
}

/// Sends facts in batches; false when nobody reads them any more.
pub(super) async fn send(facts: Vec<Fact>, batches: &Batches) -> bool {
    let mut facts = facts.into_iter();
    loop {
        let batch: Vec<Fact> = facts.by_ref().take(BATCH_FACTS_MAX).collect();
        if batch.is_empty() {
            return true;
        }
        if batches.send(Ok(batch)).await.is_err() {
            return false;
        }
    }
}

/// The rows of a slice with their lines; none when its source is not known to this program.
fn unpacked(row: &SqliteRow, month: i64, lines: &HashMap<i64, Fact>) -> Result<Vec<Placed>, sqlx::Error> {
    let (source, load_no) = (Source::of_number(row.try_get(2)?), row.try_get(3)?);
    let (Some(source), Some(month)) = (source, month_of(month)) else { return Ok(Vec::new()) };
    let rows = packed(row.try_get::<Option<&str>, _>(4)?.unwrap_or(""))?;
    rows.into_iter()
        .map(|(row_no, line_no, measures)| {
            let line = lines.get(&line_no).ok_or(sqlx::Error::RowNotFound)?.clone();
            Ok(Placed { fact: Fact { month, measures, ..line }, source: Some(source), load_no, row_no })
        })
        .collect()
}

/// A row with its line; none when its source is not known to this program.
fn placed(
    row: &SqliteRow,
    month: i64,
    line: Fact,
    measures: crate::facts::Measures,
) -> Result<Option<Placed>, sqlx::Error> {
    let source = Source::of_number(row.try_get(2)?);
    let (Some(source), Some(month)) = (source, month_of(month)) else { return Ok(None) };
    let fact = Fact { month, measures, ..line };
    Ok(Some(Placed { fact, source: Some(source), load_no: row.try_get(3)?, row_no: row.try_get(4)? }))
}

/// The row with only those measures for which its source is believed; none when that leaves nothing.
fn believed_only(mut placed: Placed, slices: &[Slice]) -> Option<Placed> {
    let mut kept = false;
    for measure in Measure::ALL {
        if placed.fact.measures.get(measure).is_none() {
            continue;
        }
        if choice::believed(slices, measure, &placed.fact.product) == placed.source {
            kept = true;
        } else {
            placed.fact.measures.set(measure, None);
        }
    }
    kept.then_some(placed)
}

/// The months that a burst asks for, as texts that ISO dates compare with.
pub(super) fn month_bounds(first: Month, last: Month) -> (String, String) {
    (first.to_string(), last.next().to_string())
}
