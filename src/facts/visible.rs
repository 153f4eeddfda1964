//! What a grant may see of a fact: everything else is dropped here, before figures are made.

use crate::audience::{Role, Scope, Withheld};

use super::{Coverage, Fact, Measure};

/// The eyes of one audience: made once a partner, applied to every fact.
#[derive(Clone, Debug)]
pub struct AudienceFacts {
    scope: Scope,
    revenue: bool,
    customer_names: bool,
}

/// A fact as one audience may see it; nothing else reaches figures or rows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Visible(Fact);

impl Visible {
    /// The fact, without what was withheld.
    pub fn fact(&self) -> &Fact {
        &self.0
    }
}

impl AudienceFacts {
    /// The eyes of a role over a scope.
    pub fn new(role: &Role, scope: &Scope) -> AudienceFacts {
        AudienceFacts {
            scope: scope.clone(),
            revenue: role.may_see(Withheld::Revenue),
            customer_names: role.may_see(Withheld::CustomerNames),
        }
    }

    /// The fact as the audience may see it; none when it lies outside its scope.
    pub fn see(&self, fact: &Fact) -> Option<Visible> {
        if !self.scope.covers(fact.location_id.as_deref()) {
            return None;
        }
        let mut seen = fact.clone();
        if !self.revenue {
            seen.measures.set(Measure::BilledRevenueUsd, None);
        }
        if !self.customer_names {
            seen.customer_name = None;
        }
        Some(Visible(seen))
    }

    /// The coverage as the audience may see it: revenue that is withheld is not even counted as carried.
    pub fn coverage(&self, coverage: &Coverage) -> Coverage {
        let mut seen = coverage.clone();
        if self.scope != Scope::Organization {
            // Counted over the whole partner: not for eyes that see a part of it.
            seen.left_out.clear();
        }
        if !self.revenue {
            for month in seen.months.values_mut() {
                month.carried[Measure::BilledRevenueUsd as usize] = super::Carried::nothing();
            }
        }
        seen
    }
}
