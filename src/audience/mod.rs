//! Partners, locations, roles, grants and recipients, and what each may see.

mod recipient;
mod role;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

pub use recipient::{Burst, Decision, Recipient, audiences};
pub use role::{Grant, Role, Roles, RolesError, Withheld};

/// An account that a report is about: a partner global account, or a reseller of a distributor.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Partner {
    /// Its id, as in `1234566`.
    pub id: String,
    /// Its name, as the newest data has it.
    pub name: String,
    /// Its location accounts by id, each with its name.
    pub locations: BTreeMap<String, String>,
}

/// Which part of a partner's data a grant covers.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// The whole partner.
    Organization,
    /// Some of its location accounts, by id; never empty.
    Locations(BTreeSet<String>),
}

impl Scope {
    /// Whether a row of that location lies in it; a row without a location is the whole partner's only.
    pub fn covers(&self, location_id: Option<&str>) -> bool {
        match self {
            Scope::Organization => true,
            Scope::Locations(ids) => location_id.is_some_and(|id| ids.contains(id)),
        }
    }

    /// `Entire organization`, or the names of its locations where the partner has them.
    pub fn label(&self, partner: &Partner) -> String {
        match self {
            Scope::Organization => "Entire organization".to_owned(),
            Scope::Locations(ids) => {
                let names: Vec<&str> =
                    ids.iter().map(|id| partner.locations.get(id).map_or(id.as_str(), String::as_str)).collect();
                names.join(" · ")
            }
        }
    }
}

/// Written `organization` or `locations:6104425+6105399`.
impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scope::Organization => f.write_str("organization"),
            Scope::Locations(ids) => {
                write!(f, "locations:{}", joined(ids))
            }
        }
    }
}

/// Those who get the same edition: partner × grant × language.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Audience {
    /// The partner's id.
    pub partner_id: String,
    /// The role's key, as in `report-viewer`.
    pub role: String,
    /// What part of the partner's data it covers.
    pub scope: Scope,
    /// The language, an IETF tag as in `en`.
    pub language: String,
}

impl Audience {
    /// A text that is the same for the same audience and no other; part of the edition's id.
    pub fn key(&self) -> String {
        let parts = [&self.partner_id, &self.role, &self.scope.to_string(), &self.language];
        parts.map(|part| part.replace('%', "%25").replace('|', "%7C")).join("|")
    }

    /// The audience without its partner, for paths and tables: `report-viewer`, `report-viewer.6104425.en`.
    pub fn short(&self) -> String {
        match &self.scope {
            Scope::Organization => format!("{}.{}", self.role, self.language),
            Scope::Locations(ids) => {
                format!("{}.{}.{}", self.role, joined(ids), self.language)
            }
        }
    }
}

/// Ids with `+` between them; one that has a `+` itself is told from two.
fn joined(ids: &BTreeSet<String>) -> String {
    ids.iter().map(|id| id.replace('%', "%25").replace('+', "%2B")).collect::<Vec<_>>().join("+")
}
