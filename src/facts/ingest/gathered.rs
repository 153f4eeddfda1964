//! What is counted over a file while it is read; its size follows slices, not rows.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::line::Said;
use super::read::NOBODY;
use crate::base::Month;
use crate::facts::sqlite::RemarkKind;

/// A row with its figures in millionths, in the order of the measures.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// The place of its owner among the file's owners.
    pub owner: u32,
    pub month: Month,
    /// Of the file, from 1.
    pub row_no: i64,
    pub line_no: i64,
    /// Where it waits for its reseller: the subscription that tells.
    pub subscription: Option<Arc<str>>,
    pub figures: [Option<i64>; 6],
}

/// What was counted over a file.
#[derive(Default)]
pub(super) struct Gathered {
    /// All rows, those left out too.
    pub n_rows: u64,
    /// The ids of partners, or of accounts whose rows wait for their reseller.
    pub owners: Vec<Arc<str>>,
    pub slices: HashMap<(u32, Month), SliceCount>,
    pub remarks: BTreeMap<(u32, Month, RemarkKind, Arc<str>), u64>,
    /// By owner: the name that its newest row has.
    pub owner_names: BTreeMap<u32, (Month, Arc<str>)>,
    /// By owner and location: the name that its newest row has.
    pub location_names: BTreeMap<(u32, Arc<str>), (Month, Arc<str>)>,
    pub unmapped: BTreeMap<Arc<str>, u64>,
    /// By column: how many figures were finer than a millionth.
    pub rounded: BTreeMap<String, u64>,
    n_nobodys: u64,
}

/// A slice of a file.
#[derive(Clone, Debug, Default)]
pub(super) struct SliceCount {
    /// Rows that are kept.
    pub n_rows: u64,
    pub account_id: Arc<str>,
}

impl Gathered {
    /// Counts a row.
    pub fn count(&mut self, owner: u32, month: Month, said: &Said) {
        if owner == NOBODY {
            self.n_nobodys += 1;
            *self.remarks.entry((NOBODY, month, RemarkKind::NoPartner, "".into())).or_default() += 1;
            return;
        }
        let slice = self
            .slices
            .entry((owner, month))
            .or_insert_with(|| SliceCount { n_rows: 0, account_id: said.account_id.clone() });
        let Some(line) = &said.line else {
            let key = (owner, month, RemarkKind::LeftOutProduct, said.product.clone());
            *self.remarks.entry(key).or_default() += 1;
            return;
        };
        slice.n_rows += 1;
        if let Some(market) = &said.unread_market {
            *self.remarks.entry((owner, month, RemarkKind::UnreadMarket, market.clone())).or_default() += 1;
        }
        if !said.is_mapped {
            *self.unmapped.entry(said.product.clone()).or_default() += 1;
        }
        if let Some(name) = &said.owner_name {
            newer(self.owner_names.entry(owner).or_insert_with(|| (month, name.clone())), month, name);
        }
        if let Some(id) = &line.location_id {
            let name = line.location_name.as_ref().unwrap_or(id);
            let named = self.location_names.entry((owner, id.clone())).or_insert_with(|| (month, name.clone()));
            newer(named, month, name);
        }
    }

    /// Rows without an owner.
    pub fn n_nobodys(&self) -> u64 {
        self.n_nobodys
    }

    /// Rows that are kept.
    pub fn n_kept(&self) -> u64 {
        self.slices.values().map(|slice| slice.n_rows).sum()
    }
}

/// Of several rows of the newest month, the last gives the name.
fn newer(named: &mut (Month, Arc<str>), month: Month, name: &Arc<str>) {
    if month >= named.0 && (month != named.0 || !Arc::ptr_eq(&named.1, name)) {
        *named = (month, name.clone());
    }
}
