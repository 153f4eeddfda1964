//! What is particular to a mail: what its recipient got before, and what did not fit.

use std::sync::Mutex;

use super::*;
use crate::deliver::{BytesMax, encoded_bytes};
use crate::ledger::DeliveryRow;

/// A destination that keeps what it is given and takes only so much.
#[derive(Default)]
struct Narrow {
    got: Mutex<Vec<Parcel>>,
    /// What it says it takes, one mail after another; then without bound.
    says: Mutex<Vec<BytesMax>>,
    /// What it takes.
    takes: Mutex<Option<u64>>,
}

impl Destination for Narrow {
    fn name(&self) -> String {
        "relay narrow".to_owned()
    }

    fn deliver<'a>(&'a self, parcel: &'a Parcel) -> BoxFuture<'a, Handed> {
        Box::pin(async move {
            let n_bytes = encoded_bytes(parcel).unwrap();
            if self.takes.lock().unwrap().is_some_and(|takes| n_bytes > takes) {
                return Outcome::TooLarge { n_bytes, reason: "552 5.3.4 too big".to_owned() }.into();
            }
            self.got.lock().unwrap().push(parcel.clone());
            Outcome::Delivered(Receipt("taken".to_owned())).into()
        })
    }

    fn receipt<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Option<Receipt>> {
        Box::pin(async { None })
    }

    fn bytes_max(&self) -> BoxFuture<'_, BytesMax> {
        Box::pin(async { self.says.lock().unwrap().pop().unwrap_or_default() })
    }

    fn check(&self) -> BoxFuture<'_, Result<String, String>> {
        Box::pin(async { Ok(String::new()) })
    }
}

impl Narrow {
    fn take_all(&self) -> Vec<Parcel> {
        std::mem::take(&mut *self.got.lock().unwrap())
    }
}

/// A desk whose mails go there, with a PDF and a workbook, to so many recipients of one audience.
async fn desk_of(n_recipients: u8) -> (Desk, Arc<Narrow>) {
    let mut desk = desk("2026-08-20T00:00:00Z", CatchUp::Latest).await;
    let narrow = Arc::new(Narrow::default());
    let mut order = Order::clone(&desk.daemon.rota.orders[SCHEDULE]);
    let first = order.recipients[0].clone();
    let another = |letter| Recipient { address: format!("{}@example.com", char::from(letter)), ..first.clone() };
    order.recipients = Arc::new((b'a'..b'a' + n_recipients).map(another).collect());
    order.formats = vec![Format::Xlsx, Format::Pdf];
    desk.change(|rota| {
        rota.press.destinations = Destinations::mail(Arc::clone(&narrow) as Arc<dyn Destination>);
        rota.orders.insert(SCHEDULE.to_owned(), Arc::new(order));
    });
    desk.beat_at("2026-08-20T00:00:05Z").await;
    (desk, narrow)
}

async fn rows(desk: &Desk) -> Vec<DeliveryRow> {
    let ledger = &desk.daemon.rota.press.ledger;
    let run = ledger.runs(1).await.unwrap()[0].id;
    ledger.deliveries(&DeliveriesOf::Run(run)).await.unwrap().rows
}

/// The endings of a mail's attachments, in order.
fn attached(parcel: &Parcel) -> Vec<&str> {
    parcel.attachments.iter().map(|file| file.file_name.rsplit('.').next().unwrap()).collect()
}

/// Changes the ledger behind its back.
async fn sql(desk: &Desk, text: &'static str) {
    let path = format!("sqlite://{}", desk.daemon.rota.press.ledger.path().display());
    let raw = sqlx::SqlitePool::connect(&path).await.unwrap();
    sqlx::query(text).execute(&raw).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_says_what_changed_since_the_last_edition_that_its_recipient_got() {
    let (mut desk, narrow) = desk_of(1).await;
    desk.beat_at("2026-09-22T06:00:00Z").await;
    let [first] = &narrow.take_all()[..] else { panic!() };
    assert!(!first.text.contains("last edition") && first.references.is_none(), "{}", first.text);
    assert_eq!(first.list.as_ref().unwrap().id, "monthly.pressrun.example.com");
    assert_eq!(attached(first), ["pdf", "xlsx"], "the PDF first");
    assert!(!first.inline.is_empty());
    assert!(first.inline.iter().all(|picture| first.html.contains(&format!("cid:{}", picture.content_id))));
    desk.beat_at("2026-10-22T06:00:00Z").await;
    let [second] = &narrow.take_all()[..] else { panic!() };
    assert!(
        second.text.contains(" in your last edition: ") && second.text.contains(" in August 2026\n"),
        "{}",
        second.text
    );
    assert!(second.html.contains(" in your last edition: ") && second.references.is_none());
    // An earlier revision of the same period is the one it follows on.
    sql(&desk, "UPDATE edition SET period = '2026-10', number = 0 WHERE period = '2026-09'").await;
    desk.beat_at("2026-11-22T06:00:00Z").await;
    let [third] = &narrow.take_all()[..] else { panic!() };
    assert_eq!(third.references.as_ref(), Some(&second.message_id));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_earlier_edition_that_is_spoilt_or_was_not_delivered_stops_no_mail() {
    let (mut desk, narrow) = desk_of(1).await;
    desk.beat_at("2026-09-22T06:00:00Z").await;
    narrow.take_all();
    let path = rows(&desk).await[0].archive_path.clone().unwrap();
    let report = desk.folder.path().join("archive").join(path).join("report.json");
    std::fs::remove_file(&report).unwrap();
    desk.beat_at("2026-10-22T06:00:00Z").await;
    let [mail] = &narrow.take_all()[..] else { panic!() };
    assert!(!mail.text.contains("last edition"), "{}", mail.text);
    sql(&desk, "UPDATE delivery SET state = 'failed'").await;
    desk.beat_at("2026-11-22T06:00:00Z").await;
    let [mail] = &narrow.take_all()[..] else { panic!() };
    assert!(!mail.text.contains("last edition"), "{}", mail.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_is_left_out_and_said_in_the_mail_and_in_the_ledger() {
    let (mut desk, narrow) = desk_of(5).await;
    desk.beat_at("2026-09-22T06:00:00Z").await;
    let mut mail = narrow.take_all().pop().unwrap();
    let full = encoded_bytes(&mail).unwrap();
    let [pdf, xlsx] = [0, 1].map(|n| mail.attachments[n].bytes.len() as u64);
    mail.attachments.pop();
    let with_pdf = encoded_bytes(&mail).unwrap();
    mail.attachments.pop();
    let alone = encoded_bytes(&mail).unwrap();
    let mails = |bytes: u64| BytesMax { mail: Some(bytes), attachments: None };
    // Half way between one choice and the next: the figures of the next month differ a little.
    *narrow.says.lock().unwrap() = vec![
        mails(full * 2),
        mails((full + with_pdf) / 2),
        mails((with_pdf + alone) / 2),
        mails(alone / 2),
        BytesMax { mail: None, attachments: Some(pdf + xlsx / 2) },
    ];
    desk.beat_at("2026-10-22T06:00:00Z").await;
    let got = narrow.take_all();
    let mut kinds: Vec<String> = got.iter().map(|mail| attached(mail).join(" ")).collect();
    kinds.sort();
    assert_eq!(kinds, ["", "pdf", "pdf", "pdf xlsx"]);
    let rows = rows(&desk).await;
    for mail in &got {
        let row = rows.iter().find(|row| row.message_id == mail.message_id).unwrap();
        let id = row.edition.to_string();
        let is_whole = mail.attachments.len() == 2;
        assert_eq!(row.note.is_none(), is_whole, "{:?}", row.note);
        for body in [&mail.text, &mail.html] {
            assert_eq!(body.contains("Not attached"), !is_whole, "{body}");
            assert!(is_whole || (body.contains(": admin") && body.contains(&id)), "{body}");
        }
        if let Some(note) = &row.note {
            let named = note.starts_with("without `product-licenses_2026-09_") && note.contains(".xlsx`");
            assert!(
                named && (note.contains("relay narrow takes at most ") || note.contains("`attachment_bytes_max`")),
                "{note}"
            );
        }
    }
    let failed: Vec<&DeliveryRow> = rows.iter().filter(|row| row.state == DeliveryState::Failed).collect();
    assert_eq!(failed.len(), 1);
    assert!(failed[0].reason.starts_with("even without a file the mail would have "), "{}", failed[0].reason);
    let ledger = &desk.daemon.rota.press.ledger;
    assert_eq!(ledger.n_noted(ledger.runs(1).await.unwrap()[0].id).await.unwrap(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_is_refused_as_too_large_is_sent_smaller() {
    let (mut desk, narrow) = desk_of(1).await;
    desk.beat_at("2026-08-22T06:00:00Z").await;
    let mut mail = narrow.take_all().pop().unwrap();
    let full = encoded_bytes(&mail).unwrap();
    mail.attachments.clear();
    let alone = encoded_bytes(&mail).unwrap();
    for (takes, now, kept, n_attempts) in
        [(full - 30_000, "2026-09-22T06:00:00Z", vec!["pdf"], 2), (alone + 20_000, "2026-10-22T06:00:00Z", vec![], 3)]
    {
        *narrow.takes.lock().unwrap() = Some(takes);
        desk.beat_at(now).await;
        let got = narrow.take_all();
        assert_eq!(got.iter().map(attached).collect::<Vec<_>>(), [kept]);
        let row = &rows(&desk).await[0];
        assert_eq!((row.state, row.n_attempts), (DeliveryState::Delivered, n_attempts));
        let note = row.note.as_deref().unwrap();
        assert!(note.contains("relay narrow refused a mail of ") && note.ends_with(" bytes as too large"), "{note}");
    }
    // Not even the body is taken: there is nothing smaller, and it has failed.
    *narrow.takes.lock().unwrap() = Some(1_000);
    desk.beat_at("2026-11-22T06:00:00Z").await;
    let row = &rows(&desk).await[0];
    assert_eq!((row.state, row.n_attempts), (DeliveryState::Failed, 4));
    assert!(row.reason.contains("even without a file relay narrow refused a mail of "), "{}", row.reason);
}
