//! Roles are data: what each may see is in the template's `roles.toml`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Scope;

/// What a grant gives: a role over a scope.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Grant {
    /// The role's key, as in `report-viewer`.
    pub role: String,
    /// Over what.
    pub scope: Scope,
}

/// Something that a role may be kept from seeing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Withheld {
    /// Billed revenue, everywhere.
    Revenue,
    /// Customers' names and tenant domains: personal data.
    CustomerNames,
    /// The raw rows.
    RawRows,
}

impl Withheld {
    /// Everything that can be withheld.
    pub const ALL: [Withheld; 3] = [Withheld::Revenue, Withheld::CustomerNames, Withheld::RawRows];

    /// Its name in `roles.toml`.
    pub fn key(self) -> &'static str {
        match self {
            Withheld::Revenue => "revenue",
            Withheld::CustomerNames => "customer-names",
            Withheld::RawRows => "raw-rows",
        }
    }

    /// As the page says it.
    pub fn label(self) -> &'static str {
        match self {
            Withheld::Revenue => "Billed revenue",
            Withheld::CustomerNames => "Customer names",
            Withheld::RawRows => "Raw data",
        }
    }
}

/// A role: what it may see.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Role {
    /// Its key, as in `report-viewer`.
    pub key: String,
    /// Its label, as in `Report viewer`.
    pub label: String,
    /// What it may not see.
    pub withhold: Vec<Withheld>,
    /// Whether it is given for the whole partner only, as for a global admin.
    pub organization_only: bool,
    /// How wide it is: of two roles at the same scope the one with the higher rank counts.
    pub rank: u32,
}

impl Role {
    /// Whether it may see something.
    pub fn may_see(&self, what: Withheld) -> bool {
        !self.withhold.contains(&what)
    }
}

/// The roles of a template, by key.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Roles {
    roles: BTreeMap<String, Role>,
}

/// A role that is not there, or cannot be given like that.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RolesError {
    /// No such role in the template.
    #[error("unknown role `{0}`")]
    Unknown(String),
    /// A role for the whole partner was given for some locations.
    #[error("role `{0}` is given for the entire organization only, not for locations")]
    OrganizationOnly(String),
}

impl Roles {
    /// These roles; of two with one key the later stands.
    pub fn new(roles: impl IntoIterator<Item = Role>) -> Roles {
        Roles { roles: roles.into_iter().map(|role| (role.key.clone(), role)).collect() }
    }

    /// The role with a key.
    ///
    /// # Errors
    /// [`RolesError::Unknown`] when there is none.
    pub fn get(&self, key: &str) -> Result<&Role, RolesError> {
        self.roles.get(key).ok_or_else(|| RolesError::Unknown(key.to_owned()))
    }

    /// The role of a grant, if it may be given like that.
    ///
    /// # Errors
    /// When there is no such role, or it is not given for locations.
    pub fn of(&self, grant: &Grant) -> Result<&Role, RolesError> {
        let role = self.get(&grant.role)?;
        match grant.scope {
            Scope::Locations(_) if role.organization_only => Err(RolesError::OrganizationOnly(grant.role.clone())),
            _ => Ok(role),
        }
    }

    /// All roles, in the order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = &Role> {
        self.roles.values()
    }
}
