//! What a schedule orders, composed from the configuration by whoever starts a run.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Semaphore;

use crate::archive::Archive;
use crate::audience::{Recipient, Roles};
use crate::base::{Digest, Period, Range};
use crate::clock::Clock;
use crate::deliver::{Brakes, Mailbox};
use crate::facts::FactSource;
use crate::ledger::{Ledger, Retries};
use crate::render::email::MailTemplates;
use crate::render::{Format, Themes};
use crate::schedule::NotFull;
use crate::sections::Template;

use super::destinations::Destinations;

/// Everything outside that a run touches.
#[derive(Clone)]
pub struct Press {
    /// Where facts come from.
    pub facts: Arc<dyn FactSource>,
    /// What was planned, made and sent.
    pub ledger: Arc<Ledger>,
    /// Where packs are filed.
    pub archive: Arc<Archive>,
    /// Where mails and packs go.
    pub destinations: Destinations,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Set when nothing new is to be begun.
    pub stop: Stop,
    /// Who makes editions: one at a time a core, however many runs there are.
    pub makers: Makers,
    /// In a rehearsal, the ledger and archive of what really went out before; none where these are the ones above.
    pub past: Option<Past>,
}

/// Where it is looked up what went out before: for what a mail says of it, and for the brakes.
#[derive(Clone)]
pub struct Past {
    /// What was sent.
    pub ledger: Arc<Ledger>,
    /// What was filed.
    pub archive: Arc<Archive>,
}

impl Press {
    /// Where it is looked up what went out before.
    pub(super) fn past(&self) -> Past {
        let own = || Past { ledger: Arc::clone(&self.ledger), archive: Arc::clone(&self.archive) };
        self.past.clone().unwrap_or_else(own)
    }
}

/// Places for as many makers as there are cores.
#[derive(Clone, Debug)]
pub struct Makers(pub(super) Arc<Semaphore>);

impl Default for Makers {
    fn default() -> Makers {
        let n = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Makers(Arc::new(Semaphore::new(n)))
    }
}

/// A flag that is set once: nothing new is begun, what is under way is finished.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Sets it.
    pub fn set(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether it is set.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// What a schedule orders. There may be thousands: what is the same for all is held once.
#[derive(Clone)]
pub struct Order {
    /// The schedule's name.
    pub schedule: String,
    /// What is in the report.
    pub template: Arc<Template>,
    /// What each role may see.
    pub roles: Arc<Roles>,
    /// The look of each partner.
    pub themes: Arc<Themes>,
    /// The mail's subject and bodies.
    pub mail: Arc<MailTemplates>,
    /// Which files are made.
    pub formats: Vec<Format>,
    /// How many months an edition shows.
    pub range_months: u32,
    /// The day of the next month from which on a month counts as full.
    pub closing_day: u32,
    /// What is done about a partner whose data for the period is not full when an occurrence is due.
    pub not_full: NotFull,
    /// Whether an audience without figures gets a report that says so.
    pub send_empty: bool,
    /// Of which partners only; of all when none.
    pub partners: Option<BTreeSet<String>>,
    /// For which roles only; for all when none.
    pub only_roles: Option<BTreeSet<String>>,
    /// Who is to get something.
    pub recipients: Arc<Vec<Recipient>>,
    /// Who sends.
    pub from: Mailbox,
    /// Where answers go, if not to the sender.
    pub reply_to: Option<Mailbox>,
    /// Whom to ask, as report and mail print it.
    pub contact: String,
    /// The domain of Message-IDs.
    pub message_id_domain: String,
    /// What stops a run or an edition that is unlike the last one.
    pub brakes: Brakes,
    /// Whether it is for chosen partners or roles only, by hand: then its number of recipients is compared with no other.
    pub is_narrowed: bool,
    /// When a mail that was not taken is tried again, and what is done when nobody can tell.
    pub retries: Retries,
    /// Which stores get editions.
    pub stores: Vec<OrderStore>,
    /// The digest of the configuration it comes from.
    pub config_digest: Digest,
}

/// A store that gets a schedule's editions.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OrderStore {
    /// Its name in the ledger, as in `store finance`: destination and address in one.
    pub name: String,
    /// The editions of this role over each whole partner, made for it if for nobody else; without it, whatever is made
    /// for recipients.
    pub role: Option<String>,
    /// When a pack that was not taken is tried again.
    pub retries: Retries,
}

impl Order {
    /// When what a destination did not take is tried again.
    pub fn retries_at(&self, destination: &str) -> &Retries {
        let store = self.stores.iter().find(|store| store.name == destination);
        store.map_or(&self.retries, |store| &store.retries)
    }

    /// The longest pause between two tries at any of its destinations, in seconds.
    pub fn backoff_secs_max(&self) -> u64 {
        let all = self.stores.iter().map(|store| &store.retries).chain([&self.retries]);
        all.map(|retries| retries.backoff_secs_max).max().unwrap_or_default()
    }

    /// The months that an edition about a period shows.
    pub fn range(&self, period: Period) -> Range {
        Range::ending_with(period, self.range_months)
    }

    /// Whether it is for a partner.
    pub fn covers(&self, partner_id: &str) -> bool {
        self.partners.as_ref().is_none_or(|ids| ids.contains(partner_id))
    }

    /// Whether it is for a role.
    pub fn is_for(&self, role: &str) -> bool {
        self.only_roles.as_ref().is_none_or(|roles| roles.contains(role))
    }
}
