//! What keeps months from being full, of our own tables and of a view.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use sqlx::Connection;

use super::burst::{PARTNERS_A_QUERY_MAX, add_usage, sorted};
use super::choice::{Slices, is_full};
use super::queries::Asked;
use super::view::SqliteView;
use super::view_burst::AskedOfView;
use super::{SqliteFacts, load_no_of, other_kind};
use crate::base::Month;
use crate::facts::{BurstRequest, DataSet, FactsError, Lack, Lacking};

/// What these partners' slices lack.
pub(super) async fn of_tables(facts: &SqliteFacts, request: &BurstRequest) -> Result<Lacking, FactsError> {
    let load_no = load_no_of(&request.data)?;
    let failed = |error| facts.failed(error);
    let mut connection = facts.pool().acquire().await.map_err(failed)?;
    let mut lacking = Lacking::new();
    for ids in sorted(request.partner_ids.clone()).chunks(PARTNERS_A_QUERY_MAX) {
        // The month before tells which sources there are.
        let asked = Asked { ids: ids.to_vec(), first: request.first.prev(), last: request.last, load_no };
        let mut slices = asked.slices(&mut connection).await.map_err(failed)?;
        let usage = asked.usage_slices(&mut connection).await.map_err(failed)?;
        slices.iter_mut().for_each(|slices| add_usage(slices, &usage));
        for (id, slices) in asked.ids.into_iter().zip(slices) {
            let lacks = of_partner(&slices, request);
            if !lacks.is_empty() {
                lacking.insert(id, lacks);
            }
        }
    }
    Ok(lacking)
}

/// Months before a partner's first lack nothing: it joined within the period. Whether a source is gone is asked of the
/// last month only, as the report tells it.
fn of_partner(slices: &Slices, request: &BurstRequest) -> Vec<Lack> {
    let first = slices.keys().next().copied().unwrap_or(request.first);
    let months = months(request).filter(|month| *month >= first);
    months.flat_map(|month| of_month(slices, month, month == request.last, request.closing_day)).collect()
}

fn of_month(slices: &Slices, month: Month, is_last: bool, closing_day: u32) -> Vec<Lack> {
    let Some(there) = slices.get(&month) else {
        return vec![Lack { month, source: None, exported_at: None }];
    };
    let named = |source: &str, exported_at| Lack { month, source: Some(source.to_owned()), exported_at };
    let early = |at: &DateTime<Utc>| !is_full(month, closing_day, std::iter::once(*at));
    let early = there.iter().filter(|slice| early(&slice.exported_at));
    let mut lacks: Vec<Lack> = early.map(|slice| named(slice.source.name(), Some(slice.exported_at))).collect();
    let sources: BTreeSet<_> = there.iter().map(|slice| slice.source).collect();
    let before = slices.get(&month.prev()).into_iter().flatten().map(|slice| slice.source);
    let gone: BTreeSet<_> = before.filter(|source| is_last && !sources.contains(source)).collect();
    lacks.extend(gone.iter().map(|source| named(source.name(), None)));
    lacks
}

fn months(request: &BurstRequest) -> impl Iterator<Item = Month> {
    let first = request.first;
    (0..=request.last.since(first)).map(move |n| first.plus(n))
}

/// What these partners' rows of a view lack: it is as new as it was pinned, so all its months are closed or none.
pub(super) async fn of_view(view: &SqliteView, request: &BurstRequest) -> Result<Lacking, FactsError> {
    let DataSet::View { read_at, .. } = request.data else {
        return Err(other_kind("the data set is one of our own tables, not of a view"));
    };
    let mut connection = view.connect().await?;
    let mut reading = connection.begin().await.map_err(|error| view.failed(error))?;
    let mut lacking = Lacking::new();
    for ids in sorted(request.partner_ids.clone()).chunks(PARTNERS_A_QUERY_MAX) {
        let asked = AskedOfView { view, ids, first: request.first, last: request.last };
        let coverage = asked.coverage(&mut reading, request.closing_day, read_at).await?;
        for id in ids {
            let there = coverage.get(id).map(|coverage| &coverage.months);
            let lack = |month: Month| match there.and_then(|there| there.get(&month)) {
                None => Some(Lack { month, source: None, exported_at: None }),
                Some(of) if of.full => None,
                Some(_) => Some(Lack { month, source: Some(view.name().to_owned()), exported_at: Some(read_at) }),
            };
            let first = there.and_then(|there| there.keys().next().copied()).unwrap_or(request.first);
            let lacks: Vec<Lack> = months(request).filter(|month| *month >= first).filter_map(lack).collect();
            if !lacks.is_empty() {
                lacking.insert(id.clone(), lacks);
            }
        }
    }
    Ok(lacking)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::source::Source;
    use crate::facts::sqlite::choice::Slice;

    /// A partner's slices: each month with its sources, all exported when they were closed.
    fn slices(months: &[(&str, &[Source])]) -> Slices {
        let slice = |source: &Source| Slice {
            source: *source,
            load_no: 1,
            exported_at: "2027-01-25T00:00:00Z".parse().unwrap(),
            carried: 0,
            product: None,
            account_id: "".into(),
            n_rows: 1,
        };
        months.iter().map(|(month, sources)| (month.parse().unwrap(), sources.iter().map(slice).collect())).collect()
    }

    fn of_quarter(months: &[(&str, &[Source])]) -> Vec<String> {
        let request = BurstRequest {
            data: DataSet::Loads(1),
            partner_ids: Vec::new(),
            first: "2026-10".parse().unwrap(),
            last: "2026-12".parse().unwrap(),
            closing_day: 20,
        };
        of_partner(&slices(months), &request).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_partner_who_joined_within_the_period_lacks_nothing_before() {
        let seats: &[Source] = &[Source::Seats];
        assert!(of_quarter(&[("2026-11", seats), ("2026-12", seats)]).is_empty());
        assert_eq!(of_quarter(&[("2026-09", seats), ("2026-12", seats)]).len(), 2, "one who was there before does");
        assert_eq!(of_quarter(&[]).len(), 3);
    }

    #[test]
    fn a_source_is_missed_in_the_last_month_only() {
        let (both, seats): (&[Source], &[Source]) = (&[Source::Seats, Source::Dynamics], &[Source::Seats]);
        assert!(
            of_quarter(&[("2026-09", both), ("2026-10", seats), ("2026-11", seats), ("2026-12", seats)]).is_empty()
        );
        let lacks = of_quarter(&[("2026-10", both), ("2026-11", both), ("2026-12", seats)]);
        assert_eq!(lacks, ["DynamicsUsage of December 2026 is not there"]);
    }
}
