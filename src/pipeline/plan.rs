//! What a run will make and for whom, before anything is done.

use std::collections::{BTreeMap, BTreeSet};

use crate::audience::{Audience, Burst, Decision, Partner, Recipient, Scope, audiences};
use crate::base::{EditionId, Period};
use crate::deliver::message_id;
use crate::facts::{DataSet, FactsError};
use crate::ledger::{NewDelivery, NewEdition, NewExclusion};

use super::destinations::MAIL;
use super::order::{Order, Press};

/// The number of an edition that corrects none.
pub(super) const FIRST: u32 = 1;

/// The language of editions that are made for a store: the only one that ships.
const STORE_LANGUAGE: &str = "en";

/// What a run will make and for whom.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The pinned data set.
    pub data: DataSet,
    /// What it is about.
    pub period: Period,
    /// The editions, in the order of partners and audiences.
    pub editions: Vec<PlannedEdition>,
    /// Whom mails would go to, in lower case, whatever is left to a later part of the run.
    pub addresses: BTreeSet<String>,
    /// What became of each recipient's grant, and by which rule.
    pub decisions: Vec<Decision>,
    /// Partners of the data that nobody gets a report of.
    pub without_recipients: Vec<Partner>,
    /// Recipients whose partner is not in the data.
    pub without_partner: Vec<Recipient>,
}

/// An edition with those who will get it.
#[derive(Clone, Debug)]
pub struct PlannedEdition {
    /// Its id.
    pub id: EditionId,
    /// The partner's name.
    pub partner_name: String,
    /// For whom it is.
    pub audience: Audience,
    /// Who gets it.
    pub recipients: Vec<Recipient>,
    /// Which stores get it, by their names in the ledger.
    pub stores: Vec<String>,
}

/// Pins the data and works out what a run of an order about a period makes; writes nothing.
///
/// # Errors
/// When the facts cannot be read.
pub async fn plan(press: &Press, order: &Order, period: Period) -> Result<Plan, FactsError> {
    plan_pinned(press, order, period, press.facts.pin(press.clock.now()).await?).await
}

/// The same over a data set that is pinned already.
pub(super) async fn plan_pinned(
    press: &Press,
    order: &Order,
    period: Period,
    data: DataSet,
) -> Result<Plan, FactsError> {
    let partners = press.facts.partners(&data).await?;
    Ok(plan_over(order, period, data, partners))
}

/// The same over partners that are known already.
pub fn plan_over(order: &Order, period: Period, data: DataSet, partners: Vec<Partner>) -> Plan {
    let (bursts, decisions) = audiences(&order.recipients, &order.roles);
    let partners: BTreeMap<&str, &Partner> =
        partners.iter().filter(|partner| order.covers(&partner.id)).map(|partner| (&*partner.id, partner)).collect();
    let mut reached: BTreeSet<&str> = BTreeSet::new();
    let mut editions = BTreeMap::new();
    let planned = |partner: &Partner, audience: &Audience| PlannedEdition {
        id: EditionId::of(&order.schedule, period, &audience.key(), FIRST),
        partner_name: partner.name.clone(),
        audience: audience.clone(),
        recipients: Vec::new(),
        stores: Vec::new(),
    };
    for Burst { audience, recipients } in bursts.iter().filter(|burst| order.is_for(&burst.audience.role)) {
        let Some(partner) = partners.get(audience.partner_id.as_str()) else { continue };
        reached.insert(&partner.id);
        let edition = PlannedEdition { recipients: recipients.clone(), ..planned(partner, audience) };
        editions.insert(audience.clone(), edition);
    }
    // Before any edition is made for a store: one that names no role gets what is made for people, and no more.
    for store in order.stores.iter().filter(|store| store.role.is_none()) {
        editions.values_mut().for_each(|edition| edition.stores.push(store.name.clone()));
    }
    for (store, role) in order.stores.iter().filter_map(|store| Some((store, store.role.as_ref()?))) {
        for partner in partners.values().filter(|_| order.is_for(role)) {
            reached.insert(&partner.id);
            let audience = Audience {
                partner_id: partner.id.clone(),
                role: role.clone(),
                scope: Scope::Organization,
                language: STORE_LANGUAGE.to_owned(),
            };
            let edition = editions.entry(audience).or_insert_with_key(|audience| planned(partner, audience));
            edition.stores.push(store.name.clone());
        }
    }
    let all = editions.values().flat_map(|edition| &edition.recipients);
    let addresses = all
        .filter(|recipient| order.brakes.refusal(&recipient.address).is_none())
        .map(|recipient| recipient.address.to_lowercase())
        .collect();
    let left = |partner: &&Partner| !reached.contains(partner.id.as_str());
    let gone = |recipient: &&Recipient| {
        order.covers(&recipient.partner_id) && !partners.contains_key(recipient.partner_id.as_str())
    };
    Plan {
        data,
        period,
        without_recipients: partners.values().copied().filter(left).cloned().collect(),
        without_partner: order.recipients.iter().filter(gone).cloned().collect(),
        editions: editions.into_values().collect(),
        addresses,
        decisions,
    }
}

impl Plan {
    /// Who gets nothing of the partners it is for, and by which rule.
    pub fn exclusions(&self, order: &Order) -> Vec<NewExclusion> {
        let gone: BTreeSet<&str> = self.without_partner.iter().map(|recipient| recipient.partner_id.as_str()).collect();
        let decided = self.decisions.iter().filter(|decision| order.covers(&decision.recipient.partner_id));
        let of_decision = |decision: &Decision| {
            let recipient = &decision.recipient;
            let rule = match &decision.audience {
                None => decision.rule.clone(),
                Some(_) if gone.contains(recipient.partner_id.as_str()) => "the partner is not in the data".to_owned(),
                Some(audience) if !order.is_for(&audience.role) => {
                    format!("the schedule is not for the role `{}`", audience.role)
                }
                Some(_) => return None,
            };
            Some(NewExclusion {
                partner_id: recipient.partner_id.clone(),
                address: recipient.address.clone(),
                role: recipient.grant.role.clone(),
                rule,
            })
        };
        let of_partner = |partner: &Partner| NewExclusion {
            partner_id: partner.id.clone(),
            address: String::new(),
            role: String::new(),
            rule: "nobody is to get a report of this partner".to_owned(),
        };
        decided.filter_map(of_decision).chain(self.without_recipients.iter().map(of_partner)).collect()
    }
}

impl PlannedEdition {
    /// As the ledger takes it; new deliveries of it wait for an admin where there is a reason to hold them.
    pub(super) fn row(&self, order: &Order, period: Period, held: Option<&String>) -> NewEdition {
        let delivery = |address: &str, name: &str, destination: &str| NewDelivery {
            address: address.to_owned(),
            name: name.to_owned(),
            message_id: message_id(self.id, address, &order.message_id_domain),
            destination: destination.to_owned(),
            suppressed: order.brakes.refusal(address),
            held: held.cloned(),
        };
        let mails = self.recipients.iter().map(|recipient| delivery(&recipient.address, &recipient.name, MAIL));
        // A store's name stands for its address: an edition goes to each once.
        let packs = self.stores.iter().map(|store| delivery(store, "", store));
        NewEdition {
            id: self.id,
            partner_name: self.partner_name.clone(),
            audience: self.audience.clone(),
            number: FIRST,
            period,
            recipients: mails.chain(packs).collect(),
        }
    }
}
