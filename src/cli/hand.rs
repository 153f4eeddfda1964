//! `release`, `skip`, `resend`, `settle`: what is done by hand, recorded with who did it and why.

use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::ledger::{
    DeliveryId, DeliveryRow, DeliveryState, DigestId, DigestRow, Ledger, LedgerError, LeftOut, Released, RunId, Settled,
};

use super::say::{Failure, Say};
use super::{FAILED, WELL, compose};

/// Who does it.
#[derive(clap::Args, Debug)]
struct Who {
    /// Who does it; else the user of this machine who runs the command
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
}

#[derive(clap::Args, Debug)]
pub(super) struct HeldArgs {
    /// The run's number, as `status` has it
    #[arg(value_name = "RUN")]
    run: i64,
    /// Why; kept with everything that is moved
    #[arg(long, value_name = "TEXT", alias = "reason")]
    why: String,
    #[command(flatten)]
    who: Who,
}

#[derive(clap::Args, Debug)]
pub(super) struct ResendArgs {
    /// The mails' numbers, as `status --run` has them
    #[arg(value_name = "DELIVERY", required = true)]
    deliveries: Vec<i64>,
    /// The numbers are those of digests, as `status` has them
    #[arg(long)]
    digest: bool,
    /// Why; kept with each
    #[arg(long, value_name = "TEXT", default_value = "no reason given")]
    why: String,
    #[command(flatten)]
    who: Who,
}

#[derive(clap::Args, Debug)]
#[command(group(clap::ArgGroup::new("found").required(true).args(["delivered", "failed"])))]
pub(super) struct SettleArgs {
    /// The mails' numbers, as `status --run` has them
    #[arg(value_name = "DELIVERY", required = true)]
    deliveries: Vec<i64>,
    /// The numbers are those of digests, as `status` has them
    #[arg(long)]
    digest: bool,
    /// They arrived
    #[arg(long)]
    delivered: bool,
    /// They did not arrive, and are not to be sent
    #[arg(long)]
    failed: bool,
    /// Why; kept with each
    #[arg(long, value_name = "TEXT", default_value = "no reason given")]
    why: String,
    #[command(flatten)]
    who: Who,
}

pub(super) async fn release(config: &Config, args: &HeldArgs, say: &Say) -> Result<u8, Failure> {
    let reason = reason(&args.why, &args.who)?;
    let now = SystemClock.now();
    let ledger = compose::ledger(config).await?;
    let released = ledger.release(RunId(args.run), &reason, now).await?;
    ledger.close(now).await?;
    let json = serde_json::json!({ "run": args.run, "released": released, "reason": reason });
    say.result(&json, &released_text(args.run, &released));
    Ok(if released.is_nothing() { FAILED } else { WELL })
}

pub(super) async fn skip(config: &Config, args: &HeldArgs, say: &Say) -> Result<u8, Failure> {
    let reason = reason(&args.why, &args.who)?;
    let now = SystemClock.now();
    let ledger = compose::ledger(config).await?;
    let left_out = ledger.skip(RunId(args.run), &reason, now).await?;
    ledger.close(now).await?;
    let json = serde_json::json!({ "run": args.run, "left_out": left_out, "reason": reason });
    say.result(&json, &left_out_text(args.run, &left_out));
    Ok(WELL)
}

fn left_out_text(run: i64, left_out: &LeftOut) -> String {
    let mut text = format!("Run {run} is left out for good.");
    for (n, what) in [(left_out.n_editions, "editions never leave"), (left_out.n_deliveries, "mails are not sent")] {
        if n > 0 {
            text.push_str(&format!("\n{n} {what}."));
        }
    }
    text
}

fn released_text(run: i64, released: &Released) -> String {
    let mut lines = Vec::new();
    if released.was_run_held {
        lines.push(format!("Run {run} goes on."));
    }
    for (n, what) in [
        (released.n_editions, "editions are made again"),
        (released.n_deliveries, "mails are sent once their edition is archived"),
        (released.n_without_pack, "mails have nothing to send, since their edition has no files: they are skipped now"),
    ] {
        if n > 0 {
            lines.push(format!("{n} {what}."));
        }
    }
    if released.is_nothing() {
        lines.push(format!("Nothing that run {run} could let go was held."));
    } else {
        lines.push(AT_THE_NEXT_BEAT.to_owned());
    }
    for (other, n) in &released.waiting_for {
        lines.push(format!("{n} mails wait for editions that run {other} holds: pressrun release {other} --why TEXT"));
    }
    lines.join("\n")
}

/// When what was done by hand takes effect.
const AT_THE_NEXT_BEAT: &str = "The daemon does it at its next beat; without one, the next `pressrun run`.";

pub(super) async fn resend(config: &Config, args: &ResendArgs, say: &Say) -> Result<u8, Failure> {
    let reason = reason(&args.why, &args.who)?;
    let ledger = compose::ledger(config).await?;
    let mut done = Vec::new();
    for id in mails(&args.deliveries, args.digest) {
        let now = SystemClock.now();
        let asked = match id {
            Mail::Delivery(id) => ledger.resend(id, &reason, now).await,
            Mail::Digest(id) => ledger.resend_digest(id, &reason, now).await,
        };
        done.push(one(&ledger, id, asked, "is sent again").await?);
    }
    tell(ledger, done, Some(AT_THE_NEXT_BEAT), &reason, say).await
}

pub(super) async fn settle(config: &Config, args: &SettleArgs, say: &Say) -> Result<u8, Failure> {
    let reason = reason(&args.why, &args.who)?;
    let (found, is) =
        if args.delivered { (Settled::Delivered, "counts as delivered") } else { (Settled::Failed, "is given up") };
    let ledger = compose::ledger(config).await?;
    let mut done = Vec::new();
    for id in mails(&args.deliveries, args.digest) {
        let now = SystemClock.now();
        let settled = match id {
            Mail::Delivery(id) => ledger.settle(id, found, &reason, now).await,
            Mail::Digest(id) => ledger.settle_digest_by_hand(id, found, &reason, now).await,
        };
        done.push(one(&ledger, id, settled, is).await?);
    }
    tell(ledger, done, None, &reason, say).await
}

/// A mail that something is done about by hand.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mail {
    Delivery(DeliveryId),
    Digest(DigestId),
}

/// What became of it.
struct Done {
    id: Mail,
    /// What was done, or why it was not and what can be done instead.
    line: Result<String, (String, String)>,
}

/// Each number once, in their order.
fn mails(given: &[i64], is_digest: bool) -> Vec<Mail> {
    let mut mails: Vec<Mail> = Vec::new();
    for id in given.iter().copied() {
        let id = if is_digest { Mail::Digest(DigestId(id)) } else { Mail::Delivery(DeliveryId(id)) };
        if !mails.contains(&id) {
            mails.push(id);
        }
    }
    mails
}

/// One that cannot be moved stops no other.
async fn one(ledger: &Ledger, id: Mail, done: Result<(), LedgerError>, is: &str) -> Result<Done, Failure> {
    let line = match done {
        Ok(()) => Ok(match id {
            Mail::Delivery(id) => format!("Mail {id} to {} {is}.", ledger.delivery(id).await?.address),
            Mail::Digest(id) => format!("Digest {} to {} {is}.", id.0, ledger.digest(id).await?.address),
        }),
        Err(error @ LedgerError::Move { .. }) => Err((
            error.to_string(),
            match id {
                Mail::Delivery(id) => instead(&ledger.delivery(id).await?),
                Mail::Digest(id) => instead_of_digest(&ledger.digest(id).await?),
            },
        )),
        Err(error @ LedgerError::NoSuch { .. }) => {
            let hint = match id {
                Mail::Delivery(_) => "`pressrun status --run RUN` lists a run's mails with their numbers",
                Mail::Digest(_) => "`pressrun status` lists digests that did not arrive with their numbers",
            };
            Err((error.to_string(), hint.to_owned()))
        }
        Err(error) => return Err(error.into()),
    };
    Ok(Done { id, line })
}

/// What can be done about a digest that was not moved.
fn instead_of_digest(row: &DigestRow) -> String {
    match row.state {
        DeliveryState::Planned => "it is sent at the daemon's next beat",
        DeliveryState::Sending => "it is under way: look again when its answer is written down",
        DeliveryState::Retryable => {
            "it did not arrive, and is tried again: `resend --digest` tries it at once, `settle --digest --failed` gives it up"
        }
        DeliveryState::Held => "`resend --digest` sends it after all",
        DeliveryState::Delivered => "it arrived: there is nothing to be done",
        _ => "what it told stands in `pressrun status`",
    }
    .to_owned()
}

/// What can be done about a mail that was not moved.
fn instead(row: &DeliveryRow) -> String {
    let (run, schedule, period) = (row.run, &row.schedule, row.period);
    match row.state {
        DeliveryState::Planned => format!("it is sent once its edition is made: `pressrun status --run {run}`"),
        DeliveryState::Sending => "it is under way: look again when its answer is written down".to_owned(),
        DeliveryState::Retryable => {
            "it did not arrive, and is tried again: `resend` tries it at once, `settle --failed` \
                                     gives it up"
                .to_owned()
        }
        DeliveryState::Uncertain => "`resend` sends it again, `settle` says what you found out".to_owned(),
        DeliveryState::Delivered => "it arrived: there is nothing to be done".to_owned(),
        DeliveryState::Failed => format!(
            "mend the address in the configuration and run `pressrun run {schedule} --period {period}`: only who got \
             nothing does"
        ),
        DeliveryState::Suppressed => "its recipient gets no mail by a rule of the configuration: see its reason by \
                                      `pressrun why ADDRESS`"
            .to_owned(),
        DeliveryState::Skipped => "its edition has no files to send".to_owned(),
        DeliveryState::Held => format!("let go on what the run holds: `pressrun release {run} --why TEXT`"),
    }
}

async fn tell(ledger: Ledger, done: Vec<Done>, after: Option<&str>, reason: &str, say: &Say) -> Result<u8, Failure> {
    ledger.close(SystemClock.now()).await?;
    let mut lines = Vec::new();
    let mut list = Vec::new();
    for Done { id, line } in &done {
        let (what, id) = match id {
            Mail::Delivery(id) => ("delivery", id.0),
            Mail::Digest(id) => ("digest", id.0),
        };
        match line {
            Ok(line) => {
                lines.push(line.clone());
                list.push(serde_json::json!({ what: id, "done": true }));
            }
            Err((error, hint)) => {
                lines.push(format!("error: {error}\nhint: {hint}"));
                list.push(serde_json::json!({ what: id, "done": false, "error": error, "hint": hint }));
            }
        }
    }
    let is_any = done.iter().any(|done| done.line.is_ok());
    lines.extend(after.filter(|_| is_any).map(str::to_owned));
    say.result(&serde_json::json!({ "deliveries": list, "reason": reason }), &lines.join("\n"));
    Ok(if done.iter().all(|done| done.line.is_ok()) { WELL } else { FAILED })
}

/// Who, and why, as it is recorded.
fn reason(why: &str, who: &Who) -> Result<String, Failure> {
    let blank = |text: &str| text.chars().all(|letter| letter.is_whitespace() || letter.is_control());
    if blank(why) {
        return Err(Failure::wrong("the reason is empty", "say why in a few words: it is kept in the ledger"));
    }
    let by = match &who.by {
        Some(name) if blank(name) => {
            return Err(Failure::wrong("the name is empty", "say who you are, or leave `--by` out"));
        }
        Some(name) => name.trim().to_owned(),
        None => user(),
    };
    Ok(format!("{by}: {}", why.trim()))
}

/// The user that this process belongs to, by the machine's list; and who became that user by sudo.
fn user() -> String {
    let uid = rustix::process::getuid().as_raw();
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let of_line = |line: &str| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    };
    let name = users.lines().find_map(of_line).unwrap_or_else(|| format!("user {uid}"));
    match std::env::var("SUDO_USER") {
        Ok(before) if !before.is_empty() && before != name => format!("{before} as {name}"),
        _ => name,
    }
}
