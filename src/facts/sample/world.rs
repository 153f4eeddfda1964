//! What a partner sells: customers, their subscriptions, and how seats and use go month by month.

use chrono::{DateTime, Datelike, NaiveDate, Utc};

use super::mix::Mix;
use super::people::{Plan, Quirk, SamplePartner, partner, plan_of};
use super::sku::{Family, Sku};
use super::{SampleSize, names};
use crate::base::{Market, Month};

/// The months of a sample.
pub(super) struct Calendar {
    pub(super) months: Vec<Month>,
    /// Whether each was exported on or after the 20th of the next month, when Partner Center closes it.
    is_full: Vec<bool>,
}

/// One partner with all that it sells.
pub(super) struct World {
    pub(super) partner: SamplePartner,
    pub(super) quirk: Quirk,
    pub(super) customers: Vec<Customer>,
}

/// A customer.
pub(super) struct Customer {
    pub(super) name: String,
    /// A GUID.
    pub(super) tenant: String,
    pub(super) tpid: String,
    pub(super) duns: String,
    pub(super) market: &'static str,
    pub(super) segment: &'static (&'static str, &'static str, &'static str),
    pub(super) industry: &'static (&'static str, &'static str),
    /// The first partner account that its licenses are attributed to.
    pub(super) home: Attribution,
    /// A second one; rows under it repeat those under the first.
    pub(super) second: Option<Attribution>,
    pub(super) n_workloads: usize,
    pub(super) subscriptions: Vec<Subscription>,
}

/// To which partner account a license is attributed, and why.
pub(super) struct Attribution {
    /// The number of the location, to be taken modulo the account's locations.
    pub(super) location: usize,
    pub(super) attach: &'static str,
    /// Whether the row is a duplicate for the account (`IsDuplicateRowForPGA`).
    pub(super) is_duplicate: bool,
}

/// A subscription.
pub(super) struct Subscription {
    /// A GUID; of zeros or blank where Partner Center does not know it.
    pub(super) id: String,
    pub(super) sku: &'static Sku,
    pub(super) channel: &'static (&'static str, &'static str),
    pub(super) auto_renews: bool,
    pub(super) started_on: NaiveDate,
    pub(super) ends_on: NaiveDate,
    /// Whether it is attributed to the customer's second account, too.
    pub(super) is_twice: bool,
    /// Whether it was bought without a reseller.
    pub(super) is_direct: bool,
    /// Whether it ends with its last row, which has no seats any more.
    pub(super) is_churned: bool,
    /// The number of the first month it has a row in.
    pub(super) first: usize,
    /// Seats at the end of the month before its first row, in thousandths.
    before: i64,
    /// Seats at the end of each month from the first, in thousandths.
    levels: Vec<i64>,
    seed: u64,
}

/// How much of a subscription is used in a month, in thousandths of a seat.
pub(super) struct Usage {
    pub(super) available: i64,
    pub(super) assigned: i64,
    pub(super) active: i64,
}

/// Seats added a month over the year, in thousandths: fiscal years end in June, calendar years in December.
const SEASON: [i64; 12] = [-5, 0, 6, 0, 2, 16, -12, -7, 8, 4, 2, 10];

/// In a month that is not full yet, this share of its use has arrived, in thousandths.
const ARRIVED: i64 = 620;

/// How often a customer that does not fit into a partner's rows is replaced by another.
const MISSES_MAX: usize = 24;

impl Calendar {
    pub(super) fn of(size: &SampleSize) -> Calendar {
        let n_months = i32::try_from(size.n_months).unwrap_or(i32::MAX);
        let months: Vec<Month> = (0..n_months).map(|back| size.last.plus(back + 1 - n_months)).collect();
        let is_full = months.iter().map(|month| closes_on(*month) <= day_of(size.exported_at)).collect();
        Calendar { months, is_full }
    }
}

fn closes_on(month: Month) -> NaiveDate {
    let first = month.next().first_day();
    first.with_day(20).unwrap_or(first)
}

fn day_of(at: DateTime<Utc>) -> NaiveDate {
    at.date_naive()
}

impl World {
    /// The partner of a number, the same each time.
    pub(super) fn of(no: usize, calendar: &Calendar) -> World {
        let plan = plan_of(no);
        let mut world = World { partner: partner(no), quirk: plan.quirk, customers: Vec::new() };
        let n_rows_max = (plan.n_rows_max * calendar.months.len()).div_ceil(14);
        let (mut n_rows, mut n_misses, mut attempt) = (0, 0, 0);
        while n_misses < MISSES_MAX {
            let mut mix = Mix::of(&[no as u64, 4, attempt]);
            let customer = world.draw(no, &plan, calendar, n_misses > 0, &mut mix);
            let n_more = world.n_rows_of(&customer, calendar);
            if n_rows + n_more <= n_rows_max {
                n_rows += n_more;
                world.customers.push(customer);
            } else {
                n_misses += 1;
            }
            attempt += 1;
        }
        world
    }

    fn draw(&self, no: usize, plan: &Plan, calendar: &Calendar, is_small: bool, mix: &mut Mix) -> Customer {
        let customer_no = self.customers.len();
        let home_location = mix.below(self.partner.locations.len());
        let mut customer = Customer {
            name: names::customer(no, customer_no, mix),
            tenant: mix.guid(),
            tpid: mix.between(600_000, 99_999_999).to_string(),
            duns: mix.between(100_000_000, 999_999_999).to_string(),
            market: market(&self.partner.locations[home_location].name, customer_no, mix),
            segment: mix.pick(&names::SEGMENTS),
            industry: mix.pick(&names::INDUSTRIES),
            home: Attribution {
                location: home_location,
                attach: names::SELLING[mix.below(names::SELLING.len())],
                is_duplicate: false,
            },
            second: None,
            n_workloads: [1, 2, 2, 3][mix.below(4)],
            subscriptions: Vec::new(),
        };
        if mix.one_in(4) {
            customer.attribute_twice(self.partner.locations.len(), mix);
        }
        let n_subscriptions = if is_small { 1 } else { 1 + mix.below(4) };
        for place in 0..n_subscriptions {
            let subscription = Subscription::draw(plan, calendar, place == 0, mix);
            customer.subscriptions.push(subscription);
        }
        customer
    }

    /// How many rows a customer makes in all files of an account.
    fn n_rows_of(&self, customer: &Customer, calendar: &Calendar) -> usize {
        let n_attributions = |is_twice: bool| if is_twice && customer.second.is_some() { 2 } else { 1 };
        let of_subscription = |subscription: &Subscription| {
            let n_files = if self.usage_of(subscription).is_some() { 2 } else { 1 };
            subscription.levels.len() * n_files * n_attributions(subscription.is_twice)
        };
        let n_office = (0..calendar.months.len()).filter(|month| customer.m365_seats(*month).is_some()).count();
        let office = n_office * customer.n_workloads * n_attributions(true);
        customer.subscriptions.iter().map(of_subscription).sum::<usize>() + office
    }

    /// The family whose usage file has rows of a subscription; OfficeUsage speaks of customers instead.
    pub(super) fn usage_of(&self, subscription: &Subscription) -> Option<Family> {
        match subscription.sku.family {
            Family::Dynamics if self.quirk == Quirk::NoDynamicsUsage => None,
            family @ (Family::Dynamics | Family::PowerBi | Family::Ems) => Some(family),
            Family::M365 | Family::Azure => None,
        }
    }

    /// The use of a subscription in a month, if it has a row then.
    pub(super) fn usage(&self, subscription: &Subscription, calendar: &Calendar, month: usize) -> Option<Usage> {
        let level = subscription.level(month)?;
        let mut mix = Mix::of(&[subscription.seed, month as u64]);
        let mut own = Mix::of(&[subscription.seed]);
        let age = (month - subscription.first) as i64;
        let deployed = (own.between(600, 920) + 4 * age + mix.between(-15, 15)).min(985);
        let mut assigned = whole(level * deployed / 1000);
        let mut active = whole(assigned * (own.between(520, 930) + mix.between(-30, 30)).min(1000) / 1000);
        if self.quirk == Quirk::PowerBiAboveHundred && subscription.sku.family == Family::PowerBi {
            assigned = level;
            active = whole(level * mix.between(1_080, 1_260) / 1000 + 999);
        }
        if !calendar.is_full[month] {
            active = whole(active * ARRIVED / 1000);
        }
        let disagrees = self.quirk == Quirk::SeatsDisagree && level > 0 && mix.one_in(3);
        Some(Usage { available: if disagrees { level + 1_000 } else { level }, assigned, active })
    }
}

/// Whole seats, in thousandths: people are not prorated.
fn whole(thousandths: i64) -> i64 {
    thousandths / 1000 * 1000
}

/// Half of the customers are at home, the others anywhere, large markets more often; each market comes up.
fn market(home: &str, customer_no: usize, mix: &mut Mix) -> &'static str {
    let at_home = || home.rsplit(", ").next().and_then(|code| code.parse().ok()).map(Market::name);
    let anywhere = mix.below(names::MARKETS.len()).min(mix.below(names::MARKETS.len()));
    match mix.below(40) {
        0 => ["UNKNOWN", "", "NULL"][customer_no % 3],
        1..=8 => names::MARKETS[customer_no % names::MARKETS.len()],
        9..=20 => names::MARKETS[anywhere],
        _ => at_home().unwrap_or(names::MARKETS[anywhere]),
    }
}

impl Customer {
    fn attribute_twice(&mut self, n_locations: usize, mix: &mut Mix) {
        let attach = names::ADVISING[mix.below(names::ADVISING.len())];
        let location =
            if mix.one_in(3) { self.home.location } else { self.home.location + 1 + mix.below(n_locations - 1) };
        // Partner Center flags all but the first in its order of attach types, though not always.
        let in_order = names::attach_place(self.home.attach) < names::attach_place(attach);
        let is_home_first = in_order != mix.one_in(5);
        self.home.is_duplicate = !is_home_first;
        self.second = Some(Attribution { location: location % n_locations, attach, is_duplicate: is_home_first });
    }

    /// The accounts that a row is written for, one row each.
    pub(super) fn attributions(&self, is_twice: bool) -> impl Iterator<Item = (&Attribution, bool)> {
        let second = self.second.as_ref().filter(|_| is_twice);
        // A row that stands alone is no duplicate.
        [Some(&self.home), second].into_iter().flatten().map(move |one| (one, second.is_some() && one.is_duplicate))
    }

    /// Seats of all its Microsoft 365 subscriptions in a month, in thousandths; none when it has no row then.
    pub(super) fn m365_seats(&self, month: usize) -> Option<i64> {
        let of_family = self.subscriptions.iter().filter(|subscription| subscription.sku.family == Family::M365);
        of_family.filter_map(|subscription| subscription.level(month)).reduce(|sum, level| sum + level)
    }

    /// How many use the customer's seats of a workload in a month: `(available, active)` in thousandths.
    pub(super) fn workload(&self, workload: usize, seats: i64, calendar: &Calendar, month: usize) -> (i64, i64) {
        let mut mix = Mix::of(&[self.seed(), workload as u64, month as u64]);
        let (share, used) = [(1000, 740), (920, 860), (550, 240)][workload % 3];
        let available = seats * share / 1000;
        let mut active = whole(available * (used + mix.between(-40, 40)) / 1000);
        if !calendar.is_full[month] {
            active = whole(active * ARRIVED / 1000);
        }
        (available, active)
    }

    fn seed(&self) -> u64 {
        self.subscriptions.first().map_or(0, |subscription| subscription.seed)
    }
}

impl Subscription {
    fn draw(plan: &Plan, calendar: &Calendar, is_first: bool, mix: &mut Mix) -> Subscription {
        let family = match mix.below(100) {
            0..50 => Family::M365,
            50..63 => Family::Ems,
            63..79 => Family::Dynamics,
            79..98 => Family::PowerBi,
            _ => Family::Azure,
        };
        let n_months = calendar.months.len();
        let first = if mix.below(6) < 5 { 0 } else { mix.below(n_months) };
        let end = if mix.one_in(8) && first + 2 < n_months {
            Some(first + 2 + mix.below(n_months - first - 2))
        } else {
            None
        };
        // Only a customer's first subscription may lack an id, so that customer and SKU tell them apart.
        let id = match mix.below(40) {
            0 if is_first => "00000000-0000-0000-0000-000000000000".to_owned(),
            1 if is_first => String::new(),
            _ => mix.guid(),
        };
        let mut subscription = Subscription {
            id,
            sku: Sku::draw(mix, family),
            channel: mix.pick(&names::CHANNELS),
            auto_renews: !mix.one_in(4),
            started_on: NaiveDate::MIN,
            ends_on: NaiveDate::MAX,
            is_twice: !mix.one_in(4),
            is_direct: mix.one_in(30),
            is_churned: end.is_some(),
            first,
            before: 0,
            levels: Vec::new(),
            seed: mix.draw(),
        };
        subscription.date(calendar, end, mix);
        subscription.grow(plan, calendar, end, mix);
        subscription
    }

    fn date(&mut self, calendar: &Calendar, end: Option<usize>, mix: &mut Mix) {
        let first = calendar.months[self.first];
        let start = if self.first == 0 { first.plus(-1 - mix.below(30) as i32) } else { first };
        let on_day = |month: Month, day: u32| month.first_day().with_day(day).unwrap_or(month.first_day());
        let day = 1 + mix.below(28) as u32;
        self.started_on = on_day(start, day);
        let last = calendar.months.last().copied().unwrap_or(first);
        let renewed = start.plus((last.since(start) / 12 + 1) * 12);
        self.ends_on = on_day(end.map_or(renewed, |end| calendar.months[end]), day);
    }

    fn grow(&mut self, plan: &Plan, calendar: &Calendar, end: Option<usize>, mix: &mut Mix) {
        let is_prorated = mix.one_in(90);
        let scale = [8, 25, 25, 60, 150, 400, 1_200][mix.below(7)];
        let mut level = 1000 * (1 + mix.between(scale / 4, scale)) + if is_prorated { mix.between(1, 999) } else { 0 };
        if is_prorated && mix.one_in(6) {
            level = mix.between(100, 999);
        }
        if self.sku.family == Family::Azure {
            level = 0;
        }
        self.before = if self.first == 0 { level } else { 0 };
        let last = end.unwrap_or(calendar.months.len() - 1);
        for month in self.first..=last {
            let season = SEASON[calendar.months[month].number() as usize - 1];
            level = match end {
                Some(end) if end == month => 0,
                _ => next_level(level, plan.pace + season, is_prorated, mix),
            };
            self.levels.push(level);
        }
    }

    /// Seats at the end of a month, in thousandths; none when it has no row then.
    pub(super) fn level(&self, month: usize) -> Option<i64> {
        self.levels.get(month.checked_sub(self.first)?).copied()
    }

    /// How seats changed in a month, in thousandths; none when it has no row then.
    pub(super) fn change(&self, month: usize) -> Option<i64> {
        let before = month.checked_sub(1).and_then(|prior| self.level(prior)).unwrap_or(self.before);
        Some(self.level(month)? - if month == self.first { self.before } else { before })
    }

    /// The numbers of the months it has rows in, of those asked.
    pub(super) fn months(&self, of: &std::ops::Range<usize>) -> std::ops::Range<usize> {
        self.first.max(of.start)..(self.first + self.levels.len()).min(of.end)
    }

    /// Whether Partner Center knows its id.
    pub(super) fn has_id(&self) -> bool {
        self.id.bytes().any(|byte| byte != b'0' && byte != b'-')
    }

    /// Whether a month's row is its last, without seats.
    pub(super) fn ends_in(&self, month: usize) -> bool {
        self.is_churned && month + 1 == self.first + self.levels.len()
    }
}

/// Seats a month later: most months nothing changes, small subscriptions by a seat, large ones by a share.
fn next_level(level: i64, drift: i64, is_prorated: bool, mix: &mut Mix) -> i64 {
    if level == 0 || mix.one_in(3) {
        return level;
    }
    let mut change = level * (drift * 3 / 2 + mix.between(-14, 14)) / 1000;
    if !is_prorated {
        change = whole(change);
        if change == 0 && mix.one_in(4) {
            change = if mix.between(-20, 20) <= drift { 1000 } else { -1000 };
        }
    }
    let lowest = if is_prorated { 1 } else { 1000 };
    (level + change).max(lowest)
}
