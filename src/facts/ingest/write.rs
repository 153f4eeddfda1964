//! Writes a file's rows into the tables: many rows a statement, all in one transaction.

use std::fmt::Write as _;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use sqlx::query::Query;
use sqlx::sqlite::SqliteArguments;
use sqlx::{AssertSqlSafe, Sqlite, SqliteConnection};

use super::gathered::{Gathered, Row};
use super::line::Line;
use super::read::{Chunk, Head, NOBODY};
use crate::base::Month;

/// How many rows one statement inserts.
const ROWS_A_STATEMENT: usize = 128;

/// Inserts rows of one width, many a statement.
struct Insert {
    into: String,
    /// What each row gives, as in `(?, ?, 3)`.
    row: String,
    after: &'static str,
    full: Arc<str>,
}

impl Insert {
    fn new(into: &str, row: String, after: &'static str) -> Insert {
        let mut insert = Insert { into: into.to_owned(), row, after, full: "".into() };
        insert.full = insert.sql(ROWS_A_STATEMENT).into();
        insert
    }

    fn sql(&self, n_rows: usize) -> String {
        let mut sql = format!("INSERT INTO {} VALUES {}", self.into, self.row);
        for _ in 1..n_rows {
            // Writing into a string cannot fail.
            let _ = write!(sql, ", {}", self.row);
        }
        sql.push_str(self.after);
        sql
    }

    async fn all<T>(
        &self,
        connection: &mut SqliteConnection,
        rows: &[T],
        bind: impl Fn(Bound, &T) -> Bound,
    ) -> Result<(), sqlx::Error> {
        for rows in rows.chunks(ROWS_A_STATEMENT) {
            let is_full = rows.len() == ROWS_A_STATEMENT;
            let sql: Arc<str> = if is_full { self.full.clone() } else { self.sql(rows.len()).into() };
            // Statements of every other length would only push the others out of the cache.
            let query = rows.iter().fold(sqlx::query(AssertSqlSafe(sql)).persistent(is_full), &bind);
            query.execute(&mut *connection).await?;
        }
        Ok(())
    }
}

type Bound = Query<'static, Sqlite, SqliteArguments>;

/// Writes one load.
pub(super) struct Load {
    load_no: i64,
    head: Head,
    owners: Vec<Arc<str>>,
    lines: Insert,
    rows: Insert,
}

impl Load {
    /// Takes the next number, which is given back when the transaction is.
    pub async fn begin(connection: &mut SqliteConnection, head: Head) -> Result<Load, sqlx::Error> {
        let next = "UPDATE load_counter SET load_no = load_no + 1 RETURNING load_no";
        let load_no: i64 = sqlx::query_scalar(next).fetch_one(&mut *connection).await?;
        let source = head.source.number();
        let rows = match head.waits_for_reseller {
            true => Insert::new("usage_facts", format!("(?, ?, {source}, {load_no}, ?, ?, ?, ?, ?, ?)"), ""),
            false => Insert::new("facts", format!("(?, ?, {source}, {load_no}, ?, ?, ?, ?, ?, ?, ?, ?)"), ""),
        };
        // Two lines whose numbers are the same by chance must not become one: the digest may not be NULL, so that
        // the load fails.
        let apart = " ON CONFLICT (partner_id, line_no) DO UPDATE SET digest = NULL WHERE digest <> excluded.digest";
        let lines = Insert::new("lines", format!("({})", ["?"; 17].join(", ")), apart);
        Ok(Load { load_no, head, owners: Vec::new(), lines, rows })
    }

    pub fn load_no(&self) -> i64 {
        self.load_no
    }

    pub fn head(&self) -> &Head {
        &self.head
    }

    pub async fn chunk(&mut self, connection: &mut SqliteConnection, chunk: Chunk) -> Result<(), sqlx::Error> {
        let Chunk { owners, mut lines, mut rows, .. } = chunk;
        self.owners.extend(owners);
        let owner = |place: u32| self.owners.get(place as usize).cloned().unwrap_or_default();
        // In the order of the tables, so that neighbours are written together.
        lines.sort_by_key(|(owner, line)| (*owner, line.line_no));
        self.lines.all(connection, &lines, |query, (of, line)| bind_line(query, owner(*of), line)).await?;
        if self.head.waits_for_reseller {
            rows.sort_by(|a, b| (&a.subscription, a.month, a.row_no).cmp(&(&b.subscription, b.month, b.row_no)));
            return self.rows.all(connection, &rows, |query, row| bind_usage(query, owner(row.owner), row)).await;
        }
        rows.sort_by_key(|row| (row.owner, row.month, row.row_no));
        self.rows.all(connection, &rows, |query, row| bind_row(query, owner(row.owner), row)).await
    }

    /// Writes what was counted over the whole file.
    pub async fn finish(
        &self,
        connection: &mut SqliteConnection,
        gathered: &Gathered,
        product: &str,
        exported_at: DateTime<Utc>,
    ) -> Result<(), sqlx::Error> {
        let exported_at = Arc::<str>::from(crate::facts::sqlite::instant_text(exported_at));
        let (load_no, source, carried) = (self.load_no, self.head.source.number(), self.head.carried);
        let product = Arc::<str>::from(product);
        let (into, width) = match self.head.waits_for_reseller {
            true => ("usage_slices", 8),
            false => ("slices", 9),
        };
        let insert = Insert::new(into, format!("({})", vec!["?"; width].join(", ")), "");
        let slices: Vec<_> = gathered.slices.iter().collect();
        insert
            .all(connection, &slices, |query, ((owner, month), slice)| {
                let query = query.bind(self.id_of(*owner)).bind(number(*month)).bind(source).bind(load_no);
                let query = query.bind(exported_at.clone()).bind(carried).bind(product.clone());
                let query = if width == 9 { query.bind(slice.account_id.clone()) } else { query };
                query.bind(signed(slice.n_rows))
            })
            .await?;
        self.remarks(connection, gathered).await?;
        self.names(connection, gathered).await
    }

    async fn remarks(&self, connection: &mut SqliteConnection, gathered: &Gathered) -> Result<(), sqlx::Error> {
        let (load_no, source) = (self.load_no, self.head.source.number());
        let remarks: Vec<_> = gathered.remarks.iter().collect();
        let insert = Insert::new("remarks", "(?, ?, ?, ?, ?, ?, ?)".to_owned(), "");
        insert
            .all(connection, &remarks, |query, ((owner, month, kind, what), n_rows)| {
                let query = query.bind(self.id_of(*owner)).bind(number(*month)).bind(source).bind(load_no);
                query.bind(kind.key()).bind(what.clone()).bind(signed(**n_rows))
            })
            .await?;
        let unmapped: Vec<_> = gathered.unmapped.iter().collect();
        let insert = Insert::new("unmapped_products", "(?, ?, ?)".to_owned(), "");
        let bind = |query: Bound, of: &(&Arc<str>, &u64)| query.bind(of.0.clone()).bind(load_no).bind(signed(*of.1));
        insert.all(connection, &unmapped, bind).await
    }

    async fn names(&self, connection: &mut SqliteConnection, gathered: &Gathered) -> Result<(), sqlx::Error> {
        // Accounts whose usage waits for its reseller are no partners.
        if self.head.waits_for_reseller {
            return Ok(());
        }
        let load_no = self.load_no;
        let names: Vec<_> = gathered.owner_names.iter().collect();
        let insert = Insert::new("partner_names", "(?, ?, ?, ?)".to_owned(), "");
        insert
            .all(connection, &names, |query, (owner, (month, name))| {
                query.bind(self.id_of(**owner)).bind(load_no).bind(number(*month)).bind(name.clone())
            })
            .await?;
        let names: Vec<_> = gathered.location_names.iter().collect();
        let insert = Insert::new("location_names", "(?, ?, ?, ?, ?)".to_owned(), "");
        insert
            .all(connection, &names, |query, ((owner, location), (month, name))| {
                let query = query.bind(self.id_of(*owner)).bind(location.clone()).bind(load_no);
                query.bind(number(*month)).bind(name.clone())
            })
            .await
    }

    fn id_of(&self, owner: u32) -> Arc<str> {
        // Rows that nobody owns stand under the empty id.
        if owner == NOBODY { "".into() } else { self.owners.get(owner as usize).cloned().unwrap_or_default() }
    }
}

fn bind_line(query: Bound, owner: Arc<str>, line: &Line) -> Bound {
    query
        .bind(owner)
        .bind(line.line_no)
        .bind(line.digest.as_bytes().to_vec())
        .bind(line.location_id.clone())
        .bind(line.location_name.clone())
        .bind(line.customer_id.clone())
        .bind(line.customer_name.clone())
        .bind(line.customer_market.code().to_owned())
        .bind(line.product.clone())
        .bind(line.sku_id.clone())
        .bind(line.sku.clone())
        .bind(line.sales_channel.clone())
        .bind(line.attach_type.clone())
        .bind(line.segment.clone())
        .bind(line.license_key.clone())
        .bind(line.subscription_id.clone())
        .bind(line.attach_rank)
}

fn bind_row(query: Bound, owner: Arc<str>, row: &Row) -> Bound {
    let query = query.bind(owner).bind(number(row.month)).bind(row.row_no).bind(row.line_no);
    row.figures.iter().fold(query, |query, figure| query.bind(*figure))
}

fn bind_usage(query: Bound, account: Arc<str>, row: &Row) -> Bound {
    let query = query.bind(row.subscription.clone().unwrap_or_default()).bind(number(row.month)).bind(row.row_no);
    let query = query.bind(account).bind(row.line_no);
    row.figures.iter().take(3).fold(query, |query, figure| query.bind(*figure))
}

fn number(month: Month) -> i64 {
    crate::facts::sqlite::month_number(month)
}

pub(super) fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
