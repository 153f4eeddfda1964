//! `why`: what somebody got, gets or does not get, and by which rule.

use crate::audience::{Decision, audiences};
use crate::base::Period;
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::ledger::{DeliveriesOf, DeliveryRow};

use super::say::{Failure, Say};
use super::{WELL, compose};

pub(super) async fn why(config: &Config, who: &str, period: Option<Period>, say: &Say) -> Result<u8, Failure> {
    let is_address = who.contains('@');
    let recipients = compose::recipients(config).await?;
    let (_, decisions) = audiences(&recipients, &config.roles);
    let asked = |decision: &&Decision| {
        let recipient = &decision.recipient;
        if is_address { recipient.address.eq_ignore_ascii_case(who) } else { recipient.partner_id == who }
    };
    let decisions: Vec<&Decision> = decisions.iter().filter(asked).collect();
    let ledger = compose::ledger(config).await?;
    let of = if is_address { DeliveriesOf::Address(who.to_owned()) } else { DeliveriesOf::Partner(who.to_owned()) };
    let mut deliveries = ledger.deliveries(&of).await?;
    deliveries.rows.retain(|row| period.is_none_or(|period| row.period == period));
    ledger.close(SystemClock.now()).await?;

    let mut text = String::new();
    if decisions.is_empty() {
        text.push_str(&format!("{who} has no grant in the configuration, so nothing is sent.\n"));
    }
    for decision in &decisions {
        text.push_str(&told(config, decision));
    }
    if deliveries.rows.is_empty() {
        text.push_str("Nothing was planned for them so far.\n");
    }
    for row in &deliveries.rows {
        text.push_str(&got(row));
    }
    if deliveries.more {
        text.push_str("  and older ones\n");
    }
    say.result(&serde_json::json!({ "grants": decisions, "deliveries": deliveries }), &text);
    Ok(WELL)
}

/// What a grant gives, and by which schedules.
fn told(config: &Config, decision: &Decision) -> String {
    let recipient = &decision.recipient;
    let schedules: Vec<&str> = config
        .schedules
        .iter()
        .filter(|schedule| schedule.partners.includes(&recipient.partner_id))
        .filter(|schedule| schedule.roles.as_ref().is_none_or(|roles| roles.contains(&recipient.grant.role)))
        .map(|schedule| schedule.name.as_str())
        .collect();
    let by = if schedules.is_empty() { "no schedule is for it".to_owned() } else { schedules.join(", ") };
    match &decision.audience {
        Some(audience) => format!(
            "{} gets {} of partner {} by {by}: {}\n",
            recipient.address,
            audience.short(),
            recipient.partner_id,
            decision.rule
        ),
        None => format!(
            "{} does not get {} of partner {}: {}\n",
            recipient.address, recipient.grant.role, recipient.partner_id, decision.rule
        ),
    }
}

fn got(row: &DeliveryRow) -> String {
    let path = row.archive_path.as_ref().map_or(String::new(), |path| format!("; {path}"));
    format!(
        "  {} {} {}: {}: {} ({} tries){path}\n",
        row.period,
        row.schedule,
        row.audience.short(),
        row.state,
        row.reason,
        row.n_attempts
    )
}
