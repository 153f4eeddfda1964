//! The page of a rehearsal: every edition with its first page, its files, and who would get it.

use std::panic::UnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use futures::StreamExt as _;
use minijinja::{Environment, UndefinedBehavior};
use serde::Serialize;

use crate::base::{EditionId, Period, percent_encoded};
use crate::ledger::{DeliveryRow, DeliveryState};
use crate::pipeline::{MAIL, Rehearsed, RehearsedEdition, Sample};
use crate::render::Format;

use super::super::say::{Failure, Say};
use super::{PACKS, Target, picture};

const PAGE: &str = "index.html";
const PICTURES: &str = "first-pages";

/// What the template prints.
#[derive(Serialize)]
struct View<'a> {
    schedule: &'a str,
    period: String,
    state: String,
    reason: &'a str,
    target: String,
    sample: Option<String>,
    n_editions: usize,
    n_deliveries: usize,
    n_delivered: usize,
    is_cut: bool,
    trips: Vec<String>,
    without_recipients: Vec<String>,
    without_partner: Vec<String>,
    cards: Vec<Card>,
}

/// An edition.
#[derive(Serialize)]
struct Card {
    partner: String,
    partner_id: String,
    role: String,
    scope: String,
    language: String,
    report_id: String,
    state: String,
    reason: String,
    is_well: bool,
    /// The picture of its first page, if it has one.
    picture: Option<String>,
    pdf: Option<String>,
    files: Vec<File>,
    deliveries: Vec<Delivery>,
}

/// A file of an edition's pack.
#[derive(Serialize)]
struct File {
    name: String,
    href: String,
    n_bytes: u64,
}

#[derive(Serialize)]
struct Delivery {
    to: String,
    name: String,
    state: String,
    is_well: bool,
    is_none: bool,
    reason: String,
    note: Option<String>,
    href: Option<String>,
}

/// Draws the first pages and writes the page; returns where it stands.
pub(super) async fn write(
    folder: &Path,
    rehearsed: &Rehearsed,
    target: &Target,
    sample: Option<Sample>,
    say: &Say,
) -> Result<PathBuf, Failure> {
    let cannot = || format!("`{}` cannot be written", folder.display());
    std::fs::create_dir_all(folder.join(PICTURES)).with_context(cannot)?;
    let bar = say.bar(rehearsed.editions.len() as u64, "Drawing first pages");
    let n_at_once = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let folder: Arc<Path> = folder.into();
    let drawn = rehearsed.editions.iter().map(|edition| {
        let (folder, edition) = (Arc::clone(&folder), edition.clone());
        tokio::task::spawn_blocking(move || card(&folder, &edition))
    });
    let mut drawn = futures::stream::iter(drawn).buffered(n_at_once);
    let mut cards = Vec::with_capacity(rehearsed.editions.len());
    while let Some(card) = drawn.next().await {
        cards.push(card.context("drawing a first page")?.with_context(cannot)?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    let path = folder.join(PAGE);
    std::fs::write(&path, text(&view(rehearsed, target, sample, cards))?).with_context(cannot)?;
    Ok(path)
}

fn view<'a>(rehearsed: &'a Rehearsed, target: &Target, sample: Option<Sample>, cards: Vec<Card>) -> View<'a> {
    let Rehearsed { ran, n_editions, trips, is_cut, .. } = rehearsed;
    let deliveries = || cards.iter().flat_map(|card| &card.deliveries);
    let plan = ran.plan.as_ref();
    let sampled = |sample: Sample| format!("{} of {n_editions} editions, drawn with seed {}", cards.len(), sample.seed);
    View {
        schedule: &ran.run.schedule,
        period: Period::long(ran.run.period),
        state: ran.run.state.to_string(),
        reason: &ran.run.reason,
        target: match target {
            Target::Address(address) => address.clone(),
            Target::Folder(_) => "files in a folder".to_owned(),
        },
        sample: sample.map(sampled),
        n_editions: cards.len(),
        n_deliveries: deliveries().filter(|delivery| !delivery.is_none).count(),
        n_delivered: deliveries().filter(|delivery| delivery.is_well).count(),
        is_cut: *is_cut,
        trips: trips.iter().map(ToString::to_string).collect(),
        without_recipients: plan
            .into_iter()
            .flat_map(|plan| &plan.without_recipients)
            .map(|partner| format!("{} ({})", partner.name, partner.id))
            .collect(),
        without_partner: plan
            .into_iter()
            .flat_map(|plan| &plan.without_partner)
            .map(|recipient| format!("{}: partner {}", recipient.address, recipient.partner_id))
            .collect(),
        cards,
    }
}

fn text(view: &View<'_>) -> Result<String, Failure> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    // Its name's ending has everything escaped that it prints.
    let written = environment.render_named_str(PAGE, include_str!("page.html"), minijinja::value::Serde(view));
    Ok(written.context("the page of the rehearsal")?)
}

/// Draws an edition's first page and collects what else stands on its card.
fn card(folder: &Path, RehearsedEdition { row, path, deliveries }: &RehearsedEdition) -> std::io::Result<Card> {
    let files = match path {
        Some(path) => files(folder, Path::new(PACKS).join(path))?,
        None => Vec::new(),
    };
    let pdf = files.iter().find(|file| file.name.ends_with(Format::Pdf.extension()));
    let picture = match pdf {
        Some(pdf) => {
            let bytes = std::fs::read(folder.join(PACKS).join(path.as_deref().unwrap_or_default()).join(&pdf.name))?;
            picture(folder, row.id, || picture::first_page(bytes))?
        }
        None => None,
    };
    let audience = &row.audience;
    Ok(Card {
        partner: row.partner_name.clone(),
        partner_id: audience.partner_id.clone(),
        role: audience.role.clone(),
        scope: audience.scope.to_string(),
        language: audience.language.clone(),
        report_id: row.id.0.spoken(),
        state: row.state.to_string(),
        is_well: super::is_well_made(row.state),
        reason: row.reason.clone(),
        picture,
        pdf: pdf.map(|pdf| pdf.href.clone()),
        deliveries: deliveries.iter().map(|row| delivery(folder, row)).collect(),
        files,
    })
}

/// The files of a folder below the page's.
fn files(folder: &Path, below: PathBuf) -> std::io::Result<Vec<File>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder.join(&below))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        files.push(File { href: href(&below.join(&name)), n_bytes: entry.metadata()?.len(), name });
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(files)
}

/// Files what is drawn for an edition, if it can be drawn.
fn picture(
    folder: &Path,
    edition: EditionId,
    draw: impl FnOnce() -> Option<Vec<u8>> + UnwindSafe,
) -> std::io::Result<Option<String>> {
    // What draws it is made by others, and a page must not be lost to a picture.
    let Ok(Some(png)) = std::panic::catch_unwind(draw) else { return Ok(None) };
    let below = Path::new(PICTURES).join(format!("{edition}.png"));
    std::fs::write(folder.join(&below), png)?;
    Ok(Some(href(&below)))
}

fn delivery(folder: &Path, row: &DeliveryRow) -> Delivery {
    let receipt = row.receipt.as_ref().map(|receipt| Path::new(&receipt.0));
    let below = receipt.and_then(|path| path.strip_prefix(folder).ok());
    Delivery {
        to: if row.destination == MAIL { row.address.clone() } else { row.destination.clone() },
        name: row.name.clone(),
        state: row.state.to_string(),
        is_well: row.state == DeliveryState::Delivered,
        is_none: super::is_none(row.state),
        reason: row.reason.clone(),
        note: row.note.clone(),
        href: below.map(href),
    }
}

/// A path below the page's folder as the page links it.
fn href(below: &Path) -> String {
    let parts = below.iter().map(|part| percent_encoded(&part.to_string_lossy()));
    parts.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_cannot_be_drawn_is_none_and_breaks_nothing_off() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(PICTURES)).unwrap();
        let id = EditionId::of("monthly", "2026-10".parse().unwrap(), "a", 1);
        assert_eq!(picture(folder.path(), id, || panic!("a bug of others")).unwrap(), None);
        assert_eq!(picture(folder.path(), id, || picture::first_page(b"%PDF-1.7 nothing".to_vec())).unwrap(), None);
        assert_eq!(std::fs::read_dir(folder.path().join(PICTURES)).unwrap().count(), 0);
        let drawn = picture(folder.path(), id, || Some(vec![1])).unwrap();
        assert_eq!(drawn, Some(format!("first-pages/{id}.png")));
    }

    #[test]
    fn a_name_is_text_on_the_page_and_never_markup() {
        let hostile = "<script>alert('x')</script>\" onerror=\"x";
        let card = Card {
            partner: hostile.to_owned(),
            partner_id: "1".to_owned(),
            role: "report-viewer".to_owned(),
            scope: "organization".to_owned(),
            language: "en".to_owned(),
            report_id: "7d38 2ccb e45f".to_owned(),
            state: "held".to_owned(),
            is_well: false,
            reason: hostile.to_owned(),
            picture: Some("first-pages/1.png".to_owned()),
            pdf: Some("packs/1.pdf".to_owned()),
            files: vec![File { name: hostile.to_owned(), href: href(Path::new(hostile)), n_bytes: 1 }],
            deliveries: vec![Delivery {
                to: hostile.to_owned(),
                name: format!("{hostile} too"),
                state: "failed".to_owned(),
                is_well: false,
                is_none: false,
                reason: hostile.to_owned(),
                note: Some(hostile.to_owned()),
                href: None,
            }],
        };
        let view = View {
            schedule: hostile,
            period: "October 2026".to_owned(),
            state: "done".to_owned(),
            reason: hostile,
            target: hostile.to_owned(),
            sample: None,
            n_editions: 1,
            n_deliveries: 1,
            n_delivered: 0,
            is_cut: true,
            trips: vec![hostile.to_owned()],
            without_recipients: vec![hostile.to_owned()],
            without_partner: vec![hostile.to_owned()],
            cards: vec![card],
        };
        let page = text(&view).unwrap();
        assert_eq!(page.matches("&lt;script&gt;").count(), 15, "{page}");
        assert!(!page.contains("<script") && !page.contains("onerror=\""), "{page}");
        // Nobody would get anything: the page says so.
        let nobody = View { cards: Vec::new(), ..view };
        assert!(text(&nobody).unwrap().contains("Nobody would get anything."));
    }
}
