//! What is in a facts database, in figures: for `check` and `status`.

use sqlx::Row;

use super::{SqliteFacts, instant_of, month_of};
use crate::base::Month;
use crate::facts::FactsError;

/// What is in a facts database.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FactsSummary {
    /// How many files were loaded.
    pub n_loads: u64,
    /// The number of the newest load; 0 when there is none.
    pub newest_load_no: u64,
    /// How many slices stand, those superseded not counted.
    pub n_slices: u64,
    /// How many partners have a slice.
    pub n_partners: u64,
    /// How many rows stand in these slices, with usage that waits for its reseller.
    pub n_rows: u64,
    /// How many rows of the slices that stand were left out, since what they name is no license.
    pub n_left_out: u64,
    /// How many rows had no partner, of the loads that were not superseded.
    pub n_without_partner: u64,
    /// How many usage rows of a distributor stand for no reseller, since none has their subscription.
    pub n_unmatched: u64,
    /// The first and the last month that has a slice.
    pub months: Option<(Month, Month)>,
    /// When the newest of the files was exported.
    pub exported_at: Option<chrono::DateTime<chrono::Utc>>,
}

/// A product that the product map does not name, so that it stands under its own name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnmappedProduct {
    /// As the files name it.
    pub product: String,
    /// How many rows have it, over all loads.
    pub n_rows: u64,
}

impl SqliteFacts {
    /// The products that the product map did not name when their files were loaded, by name.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn unmapped_products(&self) -> Result<Vec<UnmappedProduct>, FactsError> {
        let rows = sqlx::query("SELECT product, sum(n_rows) FROM unmapped_products GROUP BY product ORDER BY product")
            .fetch_all(self.pool())
            .await
            .map_err(|error| self.failed(error))?;
        let product = |row: sqlx::sqlite::SqliteRow| {
            Ok(UnmappedProduct { product: row.try_get(0)?, n_rows: count(row.try_get(1)?) })
        };
        rows.into_iter().map(product).collect()
    }

    /// What is in the database.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn summary(&self) -> Result<FactsSummary, FactsError> {
        self.summed().await.map_err(|error| self.failed(error))
    }

    async fn summed(&self) -> Result<FactsSummary, sqlx::Error> {
        let loads =
            sqlx::query("SELECT count(*), max(load_no), max(exported_at) FROM loads").fetch_one(&self.pool).await?;
        let slices = sqlx::query(
            "SELECT count(*), count(DISTINCT partner_id), sum(n_rows), min(month), max(month) FROM slices AS s
             WHERE load_no = (SELECT max(n.load_no) FROM slices AS n
                 WHERE n.partner_id = s.partner_id AND n.month = s.month AND n.source = s.source)",
        )
        .fetch_one(&self.pool)
        .await?;
        let usage = sqlx::query(
            "SELECT count(*), sum(n_rows), min(month), max(month) FROM usage_slices AS s
             WHERE load_no = (SELECT max(n.load_no) FROM usage_slices AS n
                 WHERE n.account_id = s.account_id AND n.month = s.month AND n.source = s.source)",
        )
        .fetch_one(&self.pool)
        .await?;
        let (n_left_out, n_without_partner) = self.remarked().await?;
        let number = |row: &sqlx::sqlite::SqliteRow, n: usize| row.try_get::<Option<i64>, _>(n);
        let first = [number(&slices, 3)?, number(&usage, 2)?].into_iter().flatten().min();
        let last = [number(&slices, 4)?, number(&usage, 3)?].into_iter().flatten().max();
        let exported_at: Option<String> = loads.try_get(2)?;
        Ok(FactsSummary {
            n_loads: count(number(&loads, 0)?),
            newest_load_no: count(number(&loads, 1)?),
            n_slices: count(number(&slices, 0)?) + count(number(&usage, 0)?),
            n_partners: count(number(&slices, 1)?),
            n_rows: count(number(&slices, 2)?) + count(number(&usage, 1)?),
            n_left_out,
            n_without_partner,
            n_unmatched: self.unmatched().await?,
            months: first.and_then(month_of).zip(last.and_then(month_of)),
            exported_at: exported_at.as_deref().and_then(instant_of),
        })
    }

    async fn remarked(&self) -> Result<(u64, u64), sqlx::Error> {
        let left_out: Option<i64> = sqlx::query_scalar(
            "SELECT sum(r.n_rows) FROM remarks AS r WHERE r.kind = 'left-out-product' AND r.load_no = (
                 SELECT max(s.load_no) FROM slices AS s
                 WHERE s.partner_id = r.partner_id AND s.month = r.month AND s.source = r.source)",
        )
        .fetch_one(&self.pool)
        .await?;
        let without_partner: Option<i64> = sqlx::query_scalar(
            "SELECT sum(r.n_rows) FROM remarks AS r WHERE r.kind = 'no-partner' AND r.load_no = (
                 SELECT max(n.load_no) FROM remarks AS n
                 WHERE n.partner_id = r.partner_id AND n.month = r.month AND n.source = r.source
                   AND n.kind = r.kind)",
        )
        .fetch_one(&self.pool)
        .await?;
        Ok((count(left_out), count(without_partner)))
    }

    /// Usage rows that no reseller's subscription of the same month answers to.
    async fn unmatched(&self) -> Result<u64, sqlx::Error> {
        let unmatched: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM usage_facts AS u
             WHERE u.load_no = (SELECT max(n.load_no) FROM usage_slices AS n
                     WHERE n.account_id = u.account_id AND n.month = u.month AND n.source = u.source)
               AND (u.subscription_id, u.month) NOT IN (
                 SELECT l.subscription_id, f.month FROM slices AS s
                 JOIN facts AS f ON f.partner_id = s.partner_id AND f.month = s.month
                     AND f.source = s.source AND f.load_no = s.load_no
                 JOIN lines AS l ON l.partner_id = f.partner_id AND l.line_no = f.line_no
                 WHERE s.account_id <> '' AND l.subscription_id IS NOT NULL
                   AND s.load_no = (SELECT max(n.load_no) FROM slices AS n
                     WHERE n.partner_id = s.partner_id AND n.month = s.month AND n.source = s.source))",
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(count(Some(unmatched)))
    }
}

fn count(number: Option<i64>) -> u64 {
    number.and_then(|number| u64::try_from(number).ok()).unwrap_or(0)
}
