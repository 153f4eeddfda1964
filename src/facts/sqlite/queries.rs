//! The set-wise questions of a burst: each answers for many partners at once, in the order they were asked in.
//!
//! `?1` is a JSON array of partner ids, `?2` and `?3` the first and last month, `?4` the pinned load number.
//! `CROSS JOIN` keeps SQLite to the order that is written here ("Manual Control Of Query Plans Using CROSS JOIN" in
//! its query planner's documentation), so that rows come clustered and nothing is sorted.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::choice::{Remark, RemarkKind, Slice, Slices};
use super::{instant_of, month_number, month_of};
use crate::audience::Partner;
use crate::base::Month;
use crate::facts::source::Source;

/// The columns of a line, in the order that [`super::rows::line_of`] reads them in.
macro_rules! line_columns {
    () => {
        "l.location_id, l.location_name, l.customer_id, l.customer_name, l.customer_market, l.product, l.sku_id,
         l.sku, l.sales_channel, l.attach_type, l.segment, l.license_key, l.attach_rank"
    };
}

/// Every line of these partners.
pub(super) const LINES: &str = concat!(
    "SELECT asked.key, l.line_no, ",
    line_columns!(),
    " FROM json_each(?1) AS asked CROSS JOIN lines AS l ON l.partner_id = asked.value"
);

/// The slices of these partners that stand, by partner and month, each with its rows packed into one text that
/// [`super::rows::packed`] reads: handing rows over one by one costs more than all else.
pub(super) const FACTS: &str = "
    SELECT asked.key, s.month, s.source, s.load_no, (
        SELECT group_concat(concat_ws(',', f.row_no, f.line_no, coalesce(f.licenses, ''), coalesce(f.deployed, ''),
            coalesce(f.active, ''), coalesce(f.added, ''), coalesce(f.removed, ''),
            coalesce(f.billed_revenue_usd, '')), ';')
        FROM facts AS f WHERE f.partner_id = s.partner_id AND f.month = s.month AND f.source = s.source
            AND f.load_no = s.load_no)
    FROM json_each(?1) AS asked
    CROSS JOIN slices AS s ON s.partner_id = asked.value AND s.month BETWEEN ?2 AND ?3
        AND s.load_no = (SELECT max(n.load_no) FROM slices AS n WHERE n.partner_id = s.partner_id
            AND n.month = s.month AND n.source = s.source AND n.load_no <= ?4)";

/// Usage whose subscription one of these resellers has in the same month, by reseller and month; a row comes once
/// for each row of the reseller that has its subscription.
pub(super) const USAGE: &str = concat!(
    "SELECT asked.key, u.month, u.source, u.load_no, u.row_no, u.licenses, u.deployed, u.active, ",
    line_columns!(),
    " FROM json_each(?1) AS asked
    CROSS JOIN slices AS s ON s.partner_id = asked.value AND s.month BETWEEN ?2 AND ?3 AND s.account_id <> ''
        AND s.load_no = (SELECT max(n.load_no) FROM slices AS n WHERE n.partner_id = s.partner_id
            AND n.month = s.month AND n.source = s.source AND n.load_no <= ?4)
    CROSS JOIN facts AS f ON f.partner_id = s.partner_id AND f.month = s.month AND f.source = s.source
        AND f.load_no = s.load_no
    CROSS JOIN lines AS own ON own.partner_id = f.partner_id AND own.line_no = f.line_no
    CROSS JOIN usage_facts AS u ON u.subscription_id = own.subscription_id AND u.month = f.month
        AND u.load_no = (SELECT max(n.load_no) FROM usage_slices AS n WHERE n.account_id = u.account_id
            AND n.month = u.month AND n.source = u.source AND n.load_no <= ?4)
    CROSS JOIN lines AS l ON l.partner_id = u.account_id AND l.line_no = u.line_no"
);

/// What is asked: partners by id, months, and the pinned load number.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    /// Sorted, each once.
    pub ids: Vec<String>,
    pub first: Month,
    pub last: Month,
    pub load_no: i64,
}

impl Asked {
    /// The ids as the queries take them.
    pub fn json(&self) -> String {
        serde_json::Value::from(self.ids.clone()).to_string()
    }

    async fn rows(&self, connection: &mut SqliteConnection, sql: &'static str) -> Result<Vec<SqliteRow>, sqlx::Error> {
        sqlx::query(sql)
            .bind(self.json())
            .bind(month_number(self.first))
            .bind(month_number(self.last))
            .bind(self.load_no)
            .fetch_all(connection)
            .await
    }

    /// These partners with the names that the newest rows have, in their order; one that is not known bears its id.
    pub async fn partners(&self, connection: &mut SqliteConnection) -> Result<Vec<Partner>, sqlx::Error> {
        let unnamed = |id: &String| Partner { id: id.clone(), name: id.clone(), locations: BTreeMap::new() };
        let mut partners: Vec<Partner> = self.ids.iter().map(unnamed).collect();
        let names = "SELECT asked.key, n.name FROM json_each(?1) AS asked
                     JOIN partner_names AS n ON n.partner_id = asked.value AND n.load_no <= ?4
                     ORDER BY asked.key, n.month, n.load_no";
        for row in self.rows(connection, names).await? {
            if let Some(partner) = partners.get_mut(place(&row)?) {
                partner.name = row.try_get(1)?;
            }
        }
        let locations = "SELECT asked.key, n.location_id, n.name FROM json_each(?1) AS asked
                         JOIN location_names AS n ON n.partner_id = asked.value AND n.load_no <= ?4
                         ORDER BY asked.key, n.month, n.load_no";
        for row in self.rows(connection, locations).await? {
            if let Some(partner) = partners.get_mut(place(&row)?) {
                partner.locations.insert(row.try_get(1)?, row.try_get(2)?);
            }
        }
        Ok(partners)
    }

    /// The slices of these partners that stand, in the order of the partners.
    pub async fn slices(&self, connection: &mut SqliteConnection) -> Result<Vec<Slices>, sqlx::Error> {
        let sql = "SELECT asked.key, s.month, s.source, s.load_no, s.exported_at, s.carried, s.product, s.n_rows,
                          s.account_id
                   FROM json_each(?1) AS asked
                   JOIN slices AS s ON s.partner_id = asked.value AND s.month BETWEEN ?2 AND ?3
                   WHERE s.load_no = (SELECT max(n.load_no) FROM slices AS n WHERE n.partner_id = s.partner_id
                       AND n.month = s.month AND n.source = s.source AND n.load_no <= ?4)
                   ORDER BY asked.key, s.month, s.source";
        let mut slices = vec![Slices::new(); self.ids.len()];
        for row in self.rows(connection, sql).await? {
            if let (Some(of), Some((month, slice))) = (slices.get_mut(place(&row)?), slice_of(&row)?) {
                of.entry(month).or_default().push(slice);
            }
        }
        Ok(slices)
    }

    /// What was remarked upon these partners' slices, in the order of the partners.
    pub async fn remarks(&self, connection: &mut SqliteConnection) -> Result<Vec<Vec<Remark>>, sqlx::Error> {
        let sql = "SELECT asked.key, r.month, r.source, r.load_no, r.kind, r.what, r.n_rows
                   FROM json_each(?1) AS asked
                   JOIN remarks AS r ON r.partner_id = asked.value AND r.month BETWEEN ?2 AND ?3 AND r.load_no <= ?4
                   ORDER BY asked.key, r.month, r.source, r.kind, r.what";
        let mut remarks = vec![Vec::new(); self.ids.len()];
        for row in self.rows(connection, sql).await? {
            let kind = RemarkKind::of_key(row.try_get(4)?);
            if let (Some(of), Some(month), Some(kind)) =
                (remarks.get_mut(place(&row)?), month_of(row.try_get(1)?), kind)
            {
                let (load_no, n_rows) = (unsigned(&row, 3)?, unsigned(&row, 6)?);
                of.push(Remark { month, source: row.try_get(2)?, load_no, kind, what: row.try_get(5)?, n_rows });
            }
        }
        Ok(remarks)
    }

    /// The usage slices that stand, by account and month; few, since accounts are few.
    pub async fn usage_slices(&self, connection: &mut SqliteConnection) -> Result<UsageSlices, sqlx::Error> {
        let sql = "SELECT 0, s.month, s.source, s.load_no, s.exported_at, s.carried, s.product, s.n_rows, s.account_id
                   FROM usage_slices AS s
                   WHERE s.month BETWEEN ?2 AND ?3 AND s.load_no = (SELECT max(n.load_no) FROM usage_slices AS n
                       WHERE n.account_id = s.account_id AND n.month = s.month AND n.source = s.source
                         AND n.load_no <= ?4)
                   ORDER BY s.account_id, s.month, s.source";
        let mut slices = UsageSlices::new();
        for row in self.rows(connection, sql).await? {
            // Without a subscription none of its rows can ever find its reseller: it carries nothing for them.
            if let Some((month, slice)) = slice_of(&row)?.filter(|(_, slice)| slice.source != Source::Office) {
                slices.entry((slice.account_id.clone(), month)).or_default().push(slice);
            }
        }
        Ok(slices)
    }
}

/// Usage slices by account and month.
pub(super) type UsageSlices = HashMap<(Arc<str>, Month), Vec<Slice>>;

fn place(row: &SqliteRow) -> Result<usize, sqlx::Error> {
    Ok(usize::try_from(row.try_get::<i64, _>(0)?).unwrap_or(usize::MAX))
}

fn unsigned(row: &SqliteRow, column: usize) -> Result<u64, sqlx::Error> {
    Ok(u64::try_from(row.try_get::<i64, _>(column)?).unwrap_or(0))
}

/// A slice; none when it is of a source that this program does not know.
fn slice_of(row: &SqliteRow) -> Result<Option<(Month, Slice)>, sqlx::Error> {
    let (month, source) = (month_of(row.try_get(1)?), Source::of_number(row.try_get(2)?));
    let (Some(month), Some(source), Some(exported_at)) = (month, source, instant_of(row.try_get(4)?)) else {
        return Ok(None);
    };
    let product: &str = row.try_get(6)?;
    let slice = Slice {
        source,
        load_no: unsigned(row, 3)?,
        exported_at,
        carried: row.try_get(5)?,
        product: (!product.is_empty()).then(|| product.into()),
        account_id: row.try_get::<&str, _>(8)?.into(),
        n_rows: unsigned(row, 7)?,
    };
    Ok(Some((month, slice)))
}
