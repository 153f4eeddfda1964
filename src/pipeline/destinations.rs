//! Where editions go, by the names that the ledger has for it.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::FutureExt as _;
use futures::future::BoxFuture;

use super::pace::{Pace, Rates};
use crate::deliver::{Destination, Handed, Outcome, Parcel, Receipt};

/// The ledger's name of where mails go: it stays when the relay behind it becomes another.
pub const MAIL: &str = "mail";

/// The ledger's name of a store: `store finance`. It stands for the address as well.
pub fn store_name(store: &str) -> String {
    format!("store {store}")
}

/// A destination with its name in the ledger and its pace.
#[derive(Clone)]
pub struct Outlet {
    /// Its name in the ledger.
    pub name: String,
    /// It.
    pub destination: Arc<dyn Destination>,
    /// How fast it is given parcels, by all runs together.
    pub pace: Arc<Pace>,
}

/// Where mails go, and every store by its name.
#[derive(Clone)]
pub struct Destinations(BTreeMap<String, Outlet>);

impl Destinations {
    /// Where mails go, and nothing else.
    pub fn mail(mail: Arc<dyn Destination>) -> Destinations {
        Destinations(BTreeMap::new()).with(MAIL.to_owned(), mail)
    }

    /// With a store, by its ledger's name.
    #[must_use]
    pub fn with(mut self, name: String, store: Arc<dyn Destination>) -> Destinations {
        self.0.insert(name.clone(), Outlet { name, destination: store, pace: Arc::default() });
        self
    }

    /// The same, with what one of them allows.
    #[must_use]
    pub fn at(mut self, name: &str, rates: Rates) -> Destinations {
        self.0.entry(name.to_owned()).and_modify(|outlet| outlet.pace = Arc::new(Pace::new(rates)));
        self
    }

    /// The destination of a name in the ledger; one that takes nothing and says why when the configuration has it no
    /// more.
    pub fn get(&self, name: &str) -> Outlet {
        let gone =
            || Outlet { name: name.to_owned(), destination: Arc::new(Gone(name.to_owned())), pace: Arc::default() };
        self.0.get(name).cloned().unwrap_or_else(gone)
    }
}

/// A destination that rows name and the configuration does not: they wait for it as for any that is away.
struct Gone(String);

impl Destination for Gone {
    fn name(&self) -> String {
        self.0.clone()
    }

    fn deliver<'a>(&'a self, _parcel: &'a Parcel) -> BoxFuture<'a, Handed> {
        let words = format!(
            "no schedule of the configuration names `{}` any more; hint: name it again below `[stores]` and in \
             `stores` of a schedule",
            self.0
        );
        async { Outcome::Retryable(words).into() }.boxed()
    }

    fn receipt<'a>(&'a self, _message_id: &'a str) -> BoxFuture<'a, Option<Receipt>> {
        async { None }.boxed()
    }

    fn check(&self) -> BoxFuture<'_, Result<String, String>> {
        async { Err("it is not in the configuration".to_owned()) }.boxed()
    }
}
