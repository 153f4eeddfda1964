//! A view of the user's own over his warehouse, in another SQLite file.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use futures::TryStreamExt;
use futures::future::BoxFuture;
use sha2::Digest as _;
use sqlx::{AssertSqlSafe, Connection, SqliteConnection};
use tokio::sync::mpsc;

use super::directory;
use super::lacking;
use super::recipients::quoted;
use super::view_burst;
use super::view_values::{cells, column_names};
use super::{name_failure, other_kind, read_only, require};
use crate::audience::Partner;
use crate::base::{Digest, Month};
use crate::facts::{
    BURST_PARTNERS_AHEAD, BurstRequest, DataSet, DirectoryEntry, FactSource, FactsError, Lacking, Measure, PartnerFacts,
};

/// The columns of the canonical relation, in its order.
pub(super) const COLUMNS: [&str; 22] = [
    "month",
    "partner_id",
    "partner_name",
    "location_id",
    "location_name",
    "customer_id",
    "customer_name",
    "customer_market",
    "product",
    "sku_id",
    "sku",
    "sales_channel",
    "attach_type",
    "segment",
    "license_key",
    "attach_rank",
    "licenses",
    "deployed",
    "active",
    "added",
    "removed",
    "billed_revenue_usd",
];

/// Where the measures begin among [`COLUMNS`].
pub(super) const FIRST_MEASURE: usize = COLUMNS.len() - Measure::N;

/// The columns that a view must have.
const REQUIRED: [&str; 5] = ["month", "partner_id", "customer_market", "product", "licenses"];

/// A view with the columns of the canonical relation; those that it lacks are absent in the report.
#[derive(Clone, Debug)]
pub struct SqliteView {
    path: PathBuf,
    view: String,
    /// The view's own names of [`COLUMNS`]; none for those that it lacks.
    columns: Vec<Option<String>>,
}

impl SqliteView {
    /// Opens a view (or table) of a database that is only read.
    ///
    /// # Errors
    /// When the database or the view is missing or locked, or a column is missing that it must have.
    pub async fn open(path: &Path, view: &str) -> Result<SqliteView, FactsError> {
        require(path)?;
        let connection = SqliteConnection::connect_with(&read_only(path)).await;
        let mut connection = connection.map_err(|error| name_failure(path, error))?;
        let found = column_names(&mut connection, path, view).await?;
        let own = |column: &str| found.iter().find(|name| name.eq_ignore_ascii_case(column)).cloned();
        if let Some(missing) = REQUIRED.into_iter().find(|column| own(column).is_none()) {
            return Err(FactsError::MissingColumn { view: view.to_owned(), column: missing.to_owned() });
        }
        let columns = COLUMNS.iter().map(|column| own(column)).collect();
        Ok(SqliteView { path: path.to_owned(), view: view.to_owned(), columns })
    }

    /// The columns of the canonical relation that the view lacks; what they say is absent in the report.
    pub async fn missing_columns(&self) -> Vec<String> {
        let lacking = COLUMNS.iter().zip(&self.columns).filter(|(_, own)| own.is_none());
        lacking.map(|(column, _)| (*column).to_owned()).collect()
    }

    pub(super) fn name(&self) -> &str {
        &self.view
    }

    /// A column as SQL reads it; NULL where the view lacks it. Partners' ids are texts here, whatever they are there.
    pub(super) fn sql_of(&self, column: &str) -> String {
        let own =
            COLUMNS.iter().zip(&self.columns).find(|(name, _)| **name == column).and_then(|(_, own)| own.as_ref());
        match own {
            Some(own) if column == "partner_id" => format!("CAST({} AS TEXT)", quoted(own)),
            Some(own) => quoted(own),
            None => "NULL".to_owned(),
        }
    }

    /// `SELECT` of these columns.
    pub(super) fn select(&self, columns: &[&str]) -> String {
        let columns: Vec<String> = columns.iter().map(|column| self.sql_of(column)).collect();
        format!("SELECT {} FROM {}", columns.join(", "), quoted(&self.view))
    }

    pub(super) fn failed(&self, error: sqlx::Error) -> FactsError {
        name_failure(&self.path, error)
    }

    pub(super) fn bad(&self, column: &str, reason: String) -> FactsError {
        FactsError::BadValue { view: self.view.clone(), column: column.to_owned(), reason }
    }

    pub(super) async fn connect(&self) -> Result<SqliteConnection, FactsError> {
        require(&self.path)?;
        SqliteConnection::connect_with(&read_only(&self.path)).await.map_err(|error| self.failed(error))
    }

    /// The digest of all rows in the order of all their columns, and how many they are; refuses months and partners
    /// that cannot be read, since a query by month would pass them over without a word.
    pub(super) async fn digest(&self, connection: &mut SqliteConnection) -> Result<(Digest, u64), FactsError> {
        let order: Vec<String> = (1..=COLUMNS.len()).map(|n| n.to_string()).collect();
        let sql = format!("{} ORDER BY {}", self.select(&COLUMNS), order.join(", "));
        let mut rows = sqlx::query(AssertSqlSafe(sql)).fetch(connection);
        let mut hasher = sha2::Sha256::new();
        for own in &self.columns {
            hasher.update([u8::from(own.is_some())]);
        }
        let mut n_rows = 0;
        while let Some(row) = rows.try_next().await.map_err(|error| self.failed(error))? {
            let cells = cells(&row).map_err(|error| self.failed(error))?;
            cells[0].month().map_err(|reason| self.bad("month", reason))?;
            cells[1].filled().ok_or_else(|| self.bad("partner_id", "a row has no partner".to_owned()))?;
            for cell in &cells {
                let (tag, bytes) = cell.hashed();
                hasher.update([tag]);
                hasher.update((bytes.len() as u64).to_be_bytes());
                hasher.update(bytes);
            }
            n_rows += 1;
        }
        let hex: String = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        let digest = hex.parse().map_err(|_| other_kind("a digest could not be written"))?;
        Ok((digest, n_rows))
    }

    async fn pinned(&self, read_at: DateTime<Utc>) -> Result<DataSet, FactsError> {
        let mut connection = self.connect().await?;
        match self.digest(&mut connection).await? {
            (_, 0) => Err(FactsError::Empty),
            (digest, _) => Ok(DataSet::View { digest, read_at }),
        }
    }

    async fn all_partners(&self) -> Result<Vec<Partner>, FactsError> {
        let mut connection = self.connect().await?;
        let ids = format!("SELECT DISTINCT {} FROM {} ORDER BY 1", self.sql_of("partner_id"), quoted(&self.view));
        let ids: Vec<String> = sqlx::query_scalar(AssertSqlSafe(ids))
            .fetch(&mut connection)
            .try_collect()
            .await
            .map_err(|error| self.failed(error))?;
        let (first, last) = (Month::of(chrono::NaiveDate::MIN), Month::of(chrono::NaiveDate::MAX).prev());
        let mut partners = Vec::with_capacity(ids.len());
        for ids in ids.chunks(super::burst::PARTNERS_A_QUERY_MAX) {
            let asked = view_burst::AskedOfView { view: self, ids, first, last };
            partners.extend(asked.partners(&mut connection).await?);
        }
        Ok(partners)
    }
}

impl FactSource for SqliteView {
    /// The instant stands for the export date of the rows.
    fn pin(&self, now: DateTime<Utc>) -> BoxFuture<'_, Result<DataSet, FactsError>> {
        Box::pin(self.pinned(now))
    }

    fn newest_load(&self) -> BoxFuture<'_, Result<Option<u64>, FactsError>> {
        Box::pin(async { Ok(None) })
    }

    fn lacking<'a>(&'a self, request: &'a BurstRequest) -> BoxFuture<'a, Result<Lacking, FactsError>> {
        Box::pin(lacking::of_view(self, request))
    }

    fn partners<'a>(&'a self, data: &'a DataSet) -> BoxFuture<'a, Result<Vec<Partner>, FactsError>> {
        Box::pin(async move {
            match data {
                DataSet::View { .. } => self.all_partners().await,
                DataSet::Loads(_) => Err(other_kind("the data set is one of our own tables, not of a view")),
            }
        })
    }

    fn directory(&self, data: DataSet) -> mpsc::Receiver<Result<Vec<DirectoryEntry>, FactsError>> {
        let (sender, receiver) = mpsc::channel(directory::BATCHES_AHEAD);
        let view = self.clone();
        tokio::spawn(async move { directory::of_view(&view, &data, &sender).await });
        receiver
    }

    fn burst(&self, request: BurstRequest) -> mpsc::Receiver<Result<PartnerFacts, FactsError>> {
        let (sender, receiver) = mpsc::channel(BURST_PARTNERS_AHEAD);
        let view = self.clone();
        tokio::spawn(async move { view_burst::run(&view, request, &sender).await });
        receiver
    }
}

#[cfg(test)]
mod tests;
