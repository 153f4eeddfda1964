//! Rows of a burst as they stream in, one partner after the other.

use std::collections::HashSet;
use std::sync::Arc;

use futures::TryStreamExt;
use futures::stream::BoxStream;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::base::{Market, Month, Quantity};
use crate::facts::{Fact, Measure, Measures};

/// A stream of rows whose first column is the place of the partner among those asked, looked at one row ahead.
pub(super) struct Ahead<'c> {
    rows: BoxStream<'c, Result<SqliteRow, sqlx::Error>>,
    head: Option<(i64, SqliteRow)>,
    last_key: i64,
}

impl<'c> Ahead<'c> {
    pub fn new(rows: BoxStream<'c, Result<SqliteRow, sqlx::Error>>) -> Ahead<'c> {
        Ahead { rows, head: None, last_key: 0 }
    }

    /// The next row of the partner at a place; rows of partners before it are passed over.
    pub async fn next_of(&mut self, key: i64) -> Result<Option<SqliteRow>, sqlx::Error> {
        loop {
            if self.head.is_none() {
                self.head = self.read().await?;
            }
            match self.head.take() {
                Some((at, row)) if at == key => return Ok(Some(row)),
                Some((at, _)) if at < key => {}
                later => {
                    self.head = later;
                    return Ok(None);
                }
            }
        }
    }

    /// Puts a row back that belongs to a later month.
    pub fn put_back(&mut self, key: i64, row: SqliteRow) {
        self.head = Some((key, row));
    }

    async fn read(&mut self) -> Result<Option<(i64, SqliteRow)>, sqlx::Error> {
        let Some(row) = self.rows.try_next().await? else { return Ok(None) };
        let key: i64 = row.try_get(0)?;
        if key < self.last_key {
            // Rows would be lost without a word if this ever came up.
            return Err(sqlx::Error::Protocol("partners came out of the order they were asked in".to_owned()));
        }
        self.last_key = key;
        Ok(Some((key, row)))
    }
}

/// Texts that are shared between facts.
#[derive(Default)]
pub(super) struct Texts(HashSet<Arc<str>>);

/// How many texts are kept for the next partner.
const TEXTS_KEPT_MAX: usize = 100_000;

impl Texts {
    /// The shared copy of a text.
    pub fn share(&mut self, text: &str) -> Arc<str> {
        if let Some(shared) = self.0.get(text) {
            return shared.clone();
        }
        let shared: Arc<str> = text.into();
        self.0.insert(shared.clone());
        shared
    }

    /// Forgets what earlier partners had, once it is much.
    pub fn trim(&mut self) {
        if self.0.len() > TEXTS_KEPT_MAX {
            self.0.clear();
        }
    }
}

/// A line as a fact without month and figures; its columns begin at `at`.
pub(super) fn line_of(row: &SqliteRow, at: usize, texts: &mut Texts) -> Result<Fact, sqlx::Error> {
    let mut text = |n: usize| -> Result<Option<Arc<str>>, sqlx::Error> {
        Ok(row.try_get::<Option<&str>, _>(at + n)?.map(|text| texts.share(text)))
    };
    let market: &str = row.try_get(at + 4)?;
    Ok(Fact {
        month: Month::of(chrono::NaiveDate::MIN),
        location_id: text(0)?,
        location_name: text(1)?,
        customer_id: text(2)?,
        customer_name: text(3)?,
        customer_market: market.parse().unwrap_or(Market::UNKNOWN),
        product: text(5)?.unwrap_or_default(),
        sku_id: text(6)?,
        sku: text(7)?,
        sales_channel: text(8)?,
        attach_type: text(9)?,
        segment: text(10)?,
        license_key: text(11)?.unwrap_or_default(),
        attach_rank: row.try_get(at + 12)?,
        measures: Measures::default(),
    })
}

/// The measures of a row, whose columns begin at `at` in the order of [`Measure::ALL`].
pub(super) fn measures_of(row: &SqliteRow, at: usize, n_columns: usize) -> Result<Measures, sqlx::Error> {
    let mut measures = Measures::default();
    for (n, measure) in Measure::ALL.into_iter().take(n_columns).enumerate() {
        let millionths: Option<i64> = row.try_get(at + n)?;
        measures.set(measure, millionths.map(Quantity::from_millionths));
    }
    Ok(measures)
}

/// A row of a slice: its number, its line's number and its measures.
pub(super) type Packed = (i64, i64, Measures);

/// The rows of a slice, as the query packs them: rows parted by `;`, numbers by `,`, what is absent left empty.
pub(super) fn packed(text: &str) -> Result<Vec<Packed>, sqlx::Error> {
    let wrong = || sqlx::Error::Protocol("a slice's rows cannot be unpacked".to_owned());
    let rows = text.split(';').filter(|row| !row.is_empty());
    rows.map(|row| {
        let mut numbers = row.split(',');
        let mut number = || numbers.next().and_then(|number| number.parse::<i64>().ok());
        let (row_no, line_no) = (number().ok_or_else(wrong)?, number().ok_or_else(wrong)?);
        let mut measures = Measures::default();
        for measure in Measure::ALL {
            let millionths = numbers.next().ok_or_else(wrong)?;
            if !millionths.is_empty() {
                let millionths = millionths.parse().map_err(|_| wrong())?;
                measures.set(measure, Some(Quantity::from_millionths(millionths)));
            }
        }
        Ok((row_no, line_no, measures))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_unpacked_and_what_is_damaged_is_not_guessed() {
        let rows = packed("1,-7,12000000,,0,,,-5;2,8,,,,,,").unwrap();
        let figures = |n: usize| Measure::ALL.map(|measure| rows[n].2.get(measure).map(Quantity::millionths));
        assert_eq!(
            (rows[0].0, rows[0].1, figures(0)),
            (1, -7, [Some(12_000_000), None, Some(0), None, None, Some(-5)])
        );
        assert_eq!((rows[1].0, rows[1].1, figures(1)), (2, 8, [None; 6]));
        assert!(packed("").unwrap().is_empty());
        for text in ["1", "1,2,3", "1,x,,,,,,", "1,2,x,,,,,"] {
            assert!(packed(text).is_err(), "{text}");
        }
    }
}
