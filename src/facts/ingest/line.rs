//! What a row says apart from its month and figures: read once, however many rows say the same.

use std::sync::Arc;

use super::columns::{Columns, Field};
use super::{BadValue, PartnerFrom};
use crate::base::{Digest, Market};
use crate::facts::ProductMap;
use crate::facts::attach::{RANK_OTHER, attach_rank};
use crate::facts::source::Source;

/// A line as the tables have it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Line {
    pub line_no: i64,
    pub digest: Digest,
    pub location_id: Option<Arc<str>>,
    pub location_name: Option<Arc<str>>,
    pub customer_id: Option<Arc<str>>,
    pub customer_name: Option<Arc<str>>,
    pub customer_market: Market,
    pub product: Arc<str>,
    pub sku_id: Option<Arc<str>>,
    pub sku: Option<Arc<str>>,
    pub sales_channel: Option<Arc<str>>,
    pub attach_type: Option<Arc<str>>,
    pub segment: Option<Arc<str>>,
    pub license_key: Arc<str>,
    pub subscription_id: Option<Arc<str>>,
    pub attach_rank: i64,
}

/// A line with what is to be done about its rows.
#[derive(Clone, Debug)]
pub(super) struct Said {
    /// Whose rows they are: a partner's id, or in usage that waits for its reseller the account's; none if unknown.
    pub owner: Option<Arc<str>>,
    pub owner_name: Option<Arc<str>>,
    /// The account whose file it is, where the owner is a reseller.
    pub account_id: Arc<str>,
    /// The line; none when its product has no licenses.
    pub line: Option<Line>,
    /// The product as the file names it.
    pub product: Arc<str>,
    /// Whether the product map names it.
    pub is_mapped: bool,
    /// The country as the file has it, where nobody knows it.
    pub unread_market: Option<Arc<str>>,
}

/// How rows are read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading<'a> {
    pub columns: &'a Columns,
    pub products: &'a ProductMap,
    pub partner_from: PartnerFrom,
}

impl Reading<'_> {
    /// Whether rows wait for their reseller, who is known from the subscription only.
    pub fn waits_for_reseller(&self) -> bool {
        self.partner_from == PartnerFrom::Reseller && !matches!(self.columns.source, Source::Seats | Source::Reseller)
    }

    /// The column that names whose rows they are.
    pub fn owner_field(&self) -> Field {
        match self.partner_from {
            PartnerFrom::Reseller if !self.waits_for_reseller() => Field::Reseller,
            _ => Field::Account,
        }
    }

    /// What a row says; `cell` gives its cells by place.
    ///
    /// The error names the field whose cell is no flag.
    pub fn say<'r>(&self, cell: impl Fn(usize) -> &'r str) -> Result<Said, (Field, BadValue)> {
        let get = |field: Field| self.columns.place(field).map(&cell).and_then(filled);
        let shared = |field: Field| get(field).map(Arc::<str>::from);
        let market = get(Field::Market).unwrap_or("");
        let customer_market = market.parse::<Market>();
        let (product, family) = self.product(get(Field::Product), get(Field::ProductInReports));
        let is_account = self.partner_from == PartnerFrom::Account;
        let owner_name = match self.owner_field() {
            Field::Reseller => shared(Field::ResellerName),
            _ => shared(Field::PartnerName),
        };
        let account_id = match is_account {
            true => "".into(),
            false => shared(Field::Account).unwrap_or_default(),
        };
        let line = match &family {
            Family::LeftOut => None,
            Family::Named(name) | Family::Own(name) => {
                let mut line = Line {
                    line_no: 0,
                    digest: Digest::of(&[]),
                    // A distributor's location is not its reseller's.
                    location_id: shared(Field::Location).filter(|_| is_account),
                    location_name: shared(Field::LocationName).filter(|_| is_account),
                    customer_id: get(Field::Customer).and_then(guid),
                    customer_name: shared(Field::CustomerName),
                    customer_market: customer_market.clone().unwrap_or(Market::UNKNOWN),
                    product: name.clone(),
                    sku_id: get(Field::SkuId).and_then(guid),
                    sku: shared(Field::Workload).or_else(|| shared(Field::Sku)),
                    sales_channel: shared(Field::Channel),
                    attach_type: shared(Field::AttachType),
                    segment: shared(Field::Segment),
                    license_key: "".into(),
                    subscription_id: get(Field::Subscription).and_then(guid),
                    attach_rank: self.rank(get(Field::AttachType), get(Field::IsDuplicate))?,
                };
                line.license_key = self.license_key(&line, get(Field::CustomerTop)).into();
                Some(line.numbered())
            }
        };
        Ok(Said {
            owner: shared(self.owner_field()),
            owner_name,
            account_id,
            line,
            is_mapped: !matches!(family, Family::Own(_)),
            product: product.into(),
            unread_market: customer_market.is_err().then(|| market.into()),
        })
    }

    /// A product as the file names it, and its family.
    fn product<'r>(&self, product: Option<&'r str>, in_reports: Option<&'r str>) -> (&'r str, Family) {
        if let Some(only) = self.columns.source.only_product() {
            return (only, Family::Named(self.products.family(only).unwrap_or(only).into()));
        }
        let raw = product.or(in_reports).unwrap_or("Unknown");
        if self.products.is_left_out(raw) {
            return (raw, Family::LeftOut);
        }
        let family = self.products.family(raw).or_else(|| self.products.family(in_reports?));
        (raw, family.map_or_else(|| Family::Own(raw.into()), |family| Family::Named(family.into())))
    }

    /// Which of several rows for one license counts: a row that is not flagged as a duplicate, then by attach type.
    fn rank(&self, attach_type: Option<&str>, is_duplicate: Option<&str>) -> Result<i64, (Field, BadValue)> {
        let flag = match is_duplicate.map(str::to_ascii_lowercase).as_deref() {
            None | Some("0" | "false") => 0,
            Some("1" | "true") => 1,
            Some(_) => return Err((Field::IsDuplicate, BadValue::NotAFlag)),
        };
        Ok(flag * 10 + attach_type.map_or(RANK_OTHER, attach_rank))
    }

    /// What a license is the same as another by: its subscription and SKU, since a subscription may have several; a
    /// workload's customer; without a subscription, customer and SKU.
    fn license_key(&self, line: &Line, customer_top: Option<&str>) -> String {
        let escaped = |text: &str| text.to_lowercase().replace('%', "%25").replace('|', "%7C");
        let customer = line
            .customer_id
            .as_deref()
            .map(str::to_owned)
            .or_else(|| customer_top.map(|top| format!("tpid:{}", escaped(top))))
            .or_else(|| line.customer_name.as_deref().map(|name| format!("name:{}", escaped(name))));
        let sku = line.sku.as_deref().or(line.sku_id.as_deref()).map(escaped);
        match (self.columns.source, &line.subscription_id, customer) {
            (Source::Office, _, Some(customer)) => format!("customer:{customer}"),
            (_, Some(subscription), _) => match sku {
                Some(sku) => format!("sub:{subscription}|{sku}"),
                None => format!("sub:{subscription}"),
            },
            (_, None, Some(customer)) => {
                format!("sku:{customer}|{}", sku.unwrap_or_else(|| escaped(&line.product)))
            }
            // Nothing tells whose it is: it is the same as its own line only.
            (_, None, None) => format!("line:{}", line.clone().numbered().digest),
        }
    }
}

enum Family {
    Named(Arc<str>),
    Own(Arc<str>),
    LeftOut,
}

impl Line {
    /// The line with the digest of all that it says, and the number that this gives it.
    fn numbered(mut self) -> Line {
        let rank = self.attach_rank.to_string();
        let texts = [
            &self.location_id,
            &self.location_name,
            &self.customer_id,
            &self.customer_name,
            &self.sku_id,
            &self.sku,
            &self.sales_channel,
            &self.attach_type,
            &self.segment,
            &self.subscription_id,
        ];
        let absent: Vec<u8> = texts.iter().map(|text| u8::from(text.is_none())).collect();
        let texts = texts.iter().map(|text| text.as_deref().unwrap_or("").as_bytes());
        let always: [&[u8]; 5] = [
            self.product.as_bytes(),
            self.license_key.as_bytes(),
            self.customer_market.code().as_bytes(),
            rank.as_bytes(),
            &absent,
        ];
        self.digest = Digest::of_parts(texts.chain(always));
        let mut first = [0; 8];
        first.copy_from_slice(&self.digest.as_bytes()[..8]);
        self.line_no = i64::from_be_bytes(first);
        self
    }
}

/// A cell that says something; blank, NULL and UNKNOWN do not.
pub(super) fn filled(cell: &str) -> Option<&str> {
    let cell = cell.trim();
    let says_nothing = cell.is_empty() || cell.eq_ignore_ascii_case("null") || cell.eq_ignore_ascii_case("unknown");
    (!says_nothing).then_some(cell)
}

/// An id in lower case; the GUID of zeros is none.
fn guid(cell: &str) -> Option<Arc<str>> {
    let zeros = cell.bytes().all(|byte| matches!(byte, b'0' | b'-' | b'{' | b'}'));
    (!zeros).then(|| cell.trim_matches(['{', '}']).to_lowercase().into())
}
