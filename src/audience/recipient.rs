//! Recipients, and the audiences that their grants make.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Audience, Grant, Roles, Scope};

/// A named address with what it is granted at one partner.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Recipient {
    /// The mail address.
    pub address: String,
    /// The person's name; may be empty.
    pub name: String,
    /// The partner's id.
    pub partner_id: String,
    /// What they may see there.
    pub grant: Grant,
    /// The language, an IETF tag as in `en`.
    pub language: String,
}

/// An audience with those who are in it, sorted by address.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Burst {
    /// The audience.
    pub audience: Audience,
    /// Who gets its editions.
    pub recipients: Vec<Recipient>,
}

/// What became of one grant of a recipient, and by which rule; what `why` prints.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Decision {
    /// The recipient with that grant.
    pub recipient: Recipient,
    /// The audience they are in by it; none when another grant or a rule keeps it out.
    pub audience: Option<Audience>,
    /// The rule, in words.
    pub rule: String,
}

/// Splits recipients into audiences, each with its reason.
///
/// Between two roles of one address at the same partner and scope the wider (higher rank) counts; grants of
/// different scope make separate editions. Sorted by audience; the same recipients in any order give the same.
pub fn audiences(recipients: &[Recipient], roles: &Roles) -> (Vec<Burst>, Vec<Decision>) {
    let mut best: BTreeMap<(String, &str, &Scope), (&Recipient, u32)> = BTreeMap::new();
    let mut decisions = Vec::new();
    let mut given: Vec<(&Recipient, u32)> = Vec::new();
    for recipient in recipients {
        match roles.of(&recipient.grant) {
            Ok(role) => given.push((recipient, role.rank)),
            Err(error) => {
                decisions.push(Decision { recipient: recipient.clone(), audience: None, rule: error.to_string() });
            }
        }
    }
    given.sort_by(|(a, _), (b, _)| recipient_order(a).cmp(&recipient_order(b)));
    for &(recipient, rank) in &given {
        let key = (recipient.address.to_lowercase(), recipient.partner_id.as_str(), &recipient.grant.scope);
        let kept = best.entry(key).or_insert((recipient, rank));
        if rank > kept.1 {
            *kept = (recipient, rank);
        }
    }
    let mut bursts: BTreeMap<Audience, Vec<Recipient>> = BTreeMap::new();
    for (recipient, _) in given {
        let key = (recipient.address.to_lowercase(), recipient.partner_id.as_str(), &recipient.grant.scope);
        let Some(&(winner, _)) = best.get(&key) else { continue };
        let (audience, rule) = decide(recipient, winner);
        if let Some(audience) = &audience {
            bursts.entry(audience.clone()).or_default().push(recipient.clone());
        }
        decisions.push(Decision { recipient: recipient.clone(), audience, rule });
    }
    let bursts = bursts.into_iter().map(|(audience, recipients)| Burst { audience, recipients }).collect();
    (bursts, decisions)
}

fn decide(recipient: &Recipient, winner: &Recipient) -> (Option<Audience>, String) {
    if std::ptr::eq(recipient, winner) {
        let audience = Audience {
            partner_id: recipient.partner_id.clone(),
            role: recipient.grant.role.clone(),
            scope: recipient.grant.scope.clone(),
            language: recipient.language.clone(),
        };
        return (Some(audience), format!("granted `{}` over {}", recipient.grant.role, recipient.grant.scope));
    }
    let rule = if recipient.grant.role == winner.grant.role {
        format!("named twice with `{}` over {}; one mail is sent", winner.grant.role, winner.grant.scope)
    } else {
        format!("`{}` over the same scope is wider than `{}`", winner.grant.role, recipient.grant.role)
    };
    (None, rule)
}

fn recipient_order(recipient: &Recipient) -> (&str, String, &Grant, &str, &str) {
    let Recipient { address, name, partner_id, grant, language } = recipient;
    (partner_id, address.to_lowercase(), grant, language, name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audience::{Role, Withheld};

    fn roles() -> Roles {
        let role = |key: &str, rank, withhold: &[Withheld], organization_only| Role {
            key: key.to_owned(),
            label: key.to_owned(),
            withhold: withhold.to_vec(),
            organization_only,
            rank,
        };
        Roles::new([
            role("executive", 50, &[], false),
            role("viewer", 20, &[Withheld::Revenue], false),
            role("admin", 30, &[Withheld::Revenue], true),
        ])
    }

    fn recipient(address: &str, role: &str, scope: Scope) -> Recipient {
        Recipient {
            address: address.to_owned(),
            name: String::new(),
            partner_id: "1".to_owned(),
            grant: Grant { role: role.to_owned(), scope },
            language: "en".to_owned(),
        }
    }

    fn locations(ids: &[&str]) -> Scope {
        Scope::Locations(ids.iter().map(|id| (*id).to_owned()).collect())
    }

    #[test]
    fn the_wider_role_counts_at_one_scope_and_other_scopes_make_their_own_editions() {
        let recipients = [
            recipient("a@example.com", "viewer", Scope::Organization),
            recipient("A@example.com", "executive", Scope::Organization),
            recipient("a@example.com", "viewer", locations(&["7"])),
        ];
        let (bursts, decisions) = audiences(&recipients, &roles());
        let roles: Vec<_> = bursts.iter().map(|burst| burst.audience.short()).collect();
        assert_eq!(roles, ["executive.en", "viewer.7.en"]);
        assert_eq!(decisions.len(), 3);
        assert!(decisions.iter().any(|decision| decision.audience.is_none() && decision.rule.contains("wider")));
    }

    #[test]
    fn a_recipient_named_twice_is_in_the_audience_once() {
        let named = recipient("a@example.com", "viewer", Scope::Organization);
        let recipients = [named.clone(), named];
        let (bursts, decisions) = audiences(&recipients, &roles());
        assert_eq!(bursts.iter().map(|burst| burst.recipients.len()).sum::<usize>(), 1);
        assert!(decisions.iter().any(|decision| decision.rule.contains("named twice")));
    }

    #[test]
    fn a_role_for_the_whole_partner_is_not_given_for_locations() {
        let (bursts, decisions) = audiences(&[recipient("a@example.com", "admin", locations(&["7"]))], &roles());
        assert!(bursts.is_empty());
        assert!(decisions[0].rule.contains("entire organization only"));
    }

    #[test]
    fn unknown_roles_are_named() {
        let (_, decisions) = audiences(&[recipient("a@example.com", "boss", Scope::Organization)], &roles());
        assert_eq!(decisions[0].rule, "unknown role `boss`");
    }
}
