//! From one partner's facts to the packs of its audiences: read once, split per audience, rendered.

use crate::archive::{Manifest, ManifestAudience, PackFile, PackKey};
use crate::audience::{Audience, Partner, Role};
use crate::base::{Digest, EditionId, Month, Period, Range};
use crate::deliver::brakes::Measure;
use crate::facts::{AudienceFacts, DataSet, Fact, FactsError, PartnerFacts, Visible};
use crate::gate::{Book, Own, Search};
use crate::render::email::{Letter, compose};
use crate::render::{Artifact, Job, RenderError, fonts_digest};
use crate::report::{Cell, Report, Rows};
use crate::sections::{self, Figures, OutOfOrder, RawField, Tally};

use super::brakes::measures;
use super::check::{OwnTexts, search};
use super::order::Order;
use super::spool::{Spool, SpoolWriter};

/// An edition that is to be made.
#[derive(Clone, Debug)]
pub(super) struct Edition {
    pub(super) id: EditionId,
    pub(super) audience: Audience,
    pub(super) number: u32,
}

/// What a run's editions share.
#[derive(Clone)]
pub(super) struct Of {
    pub(super) period: Period,
    pub(super) data: DataSet,
    /// The run's pinned instant, which stands for the data's date where no slice has one.
    pub(super) pinned_at: chrono::DateTime<chrono::Utc>,
    /// Every id and name of the data: none but an audience's own may stand in its files.
    pub(super) book: Book,
    /// What may stand in every file.
    pub(super) own: Own,
}

/// A made edition.
pub(super) enum Made {
    /// Its files, and what the gate is to look for in them.
    Pack(Box<Draft>),
    /// There was nothing to report, and the schedule does not send that.
    Empty,
}

/// The files of an edition before they are archived.
pub(super) struct Draft {
    pub(super) key: PackKey,
    pub(super) files: Vec<PackFile>,
    pub(super) manifest: Manifest,
    /// What must not stand in them.
    pub(super) search: Search,
    /// For whom it is.
    pub(super) audience: Audience,
    /// What the brakes look at.
    pub(super) measures: Vec<Measure>,
}

/// Why an edition could not be made.
#[derive(Debug, thiserror::Error)]
pub(super) enum MakeError {
    #[error(transparent)]
    Facts(#[from] FactsError),
    #[error(transparent)]
    Order(#[from] OutOfOrder),
    #[error(transparent)]
    Render(#[from] RenderError),
    #[error(transparent)]
    Role(#[from] crate::audience::RolesError),
    #[error("raw rows: {0}")]
    Spool(#[from] std::io::Error),
    #[error("report: {0}")]
    Report(#[from] serde_json::Error),
}

/// One audience while its partner's facts are read.
struct Eyes<'a> {
    edition: &'a Edition,
    role: &'a Role,
    facts: AudienceFacts,
    tally: Tally,
    fields: Vec<RawField>,
    spool: Option<SpoolWriter>,
}

/// Makes the editions of one partner from its facts, which are read once for all of them.
///
/// Blocks on the facts' stream and on the processor: run it where that is allowed. The order of the results is
/// that of the editions; one that fails does not stop another, but facts that break off stop them all.
pub(super) fn make(
    order: &Order,
    of: &Of,
    mut facts: PartnerFacts,
    editions: &[Edition],
) -> Result<Vec<Result<Made, MakeError>>, MakeError> {
    let range = order.range(of.period);
    let mut eyes = editions.iter().map(|edition| open(order, edition, &facts, range)).collect::<Vec<_>>();
    let mut own = OwnTexts::default();
    while let Some(batch) = facts.batches.blocking_recv() {
        let batch = batch?;
        own.read(&batch);
        for of_one in &mut eyes {
            let read = of_one.as_mut().map_or(Ok(()), |eyes| eyes.read(&batch, range.first()));
            if let Err(error) = read {
                *of_one = Err(error);
            }
        }
    }
    let partner = &facts.partner;
    let of = &Of { own: own.of(&of.own, &facts.coverage), ..of.clone() };
    Ok(eyes.into_iter().map(|eyes| eyes.and_then(|eyes| eyes.close(order, of, partner, range))).collect())
}

fn open<'a>(order: &'a Order, edition: &'a Edition, facts: &PartnerFacts, range: Range) -> Result<Eyes<'a>, MakeError> {
    let role = order.roles.get(&edition.audience.role)?;
    let seen = AudienceFacts::new(role, &edition.audience.scope);
    let coverage = seen.coverage(&facts.coverage);
    let shows_rows = sections::shows_rows(&order.template, role);
    let fields = if shows_rows { sections::raw_fields(&order.template, role, &coverage) } else { Vec::new() };
    let columns = fields.iter().map(|field| field.column()).collect();
    let spool = if shows_rows { Some(SpoolWriter::new(columns)?) } else { None };
    Ok(Eyes { edition, role, facts: seen, tally: Tally::new(range, coverage), fields, spool })
}

impl Eyes<'_> {
    fn read(&mut self, batch: &[Fact], first: Month) -> Result<(), MakeError> {
        for fact in batch {
            let Some(visible) = self.facts.see(fact) else { continue };
            if fact.month >= first {
                self.spool_row(&visible)?;
            }
            self.tally.add(visible)?;
        }
        Ok(())
    }

    fn spool_row(&mut self, visible: &Visible) -> Result<(), MakeError> {
        if let Some(spool) = &mut self.spool {
            let cells: Vec<Cell<'_>> = sections::raw_cells(visible, &self.fields);
            spool.push(&cells)?;
        }
        Ok(())
    }

    fn close(self, order: &Order, of: &Of, partner: &Partner, range: Range) -> Result<Made, MakeError> {
        let figures = self.tally.finish();
        if figures.is_empty() && !order.send_empty {
            return Ok(Made::Empty);
        }
        let report = report(order, of, (partner, self.role, self.edition), range, &figures);
        let rows = self.spool.map(SpoolWriter::finish).transpose()?;
        let search = search(order, of, partner, self.role, self.edition);
        let draft = draft(order, of, self.edition, &report, rows.as_ref(), search)?;
        Ok(Made::Pack(Box::new(draft)))
    }
}

fn report(
    order: &Order,
    of: &Of,
    (partner, role, edition): (&Partner, &Role, &Edition),
    range: Range,
    figures: &Figures,
) -> Report {
    let request = sections::Request {
        edition: edition.id,
        revision: edition.number,
        correction: None,
        partner,
        role,
        scope: &edition.audience.scope,
        language: &edition.audience.language,
        period: of.period,
        range,
        contact: &order.contact,
        data_at: of.pinned_at,
    };
    sections::report(&order.template, &request, figures)
}

/// Renders the files and lays the pack out.
fn draft(
    order: &Order,
    of: &Of,
    edition: &Edition,
    report: &Report,
    rows: Option<&Spool>,
    search: Search,
) -> Result<Draft, MakeError> {
    let theme = order.themes.of(&edition.audience.partner_id);
    let job = Job { report, rows: rows.map(|rows| rows as &dyn Rows), theme };
    let artifacts: Vec<Artifact> =
        order.formats.iter().map(|format| Artifact::of(job, *format)).collect::<Result<_, _>>()?;
    for artifact in artifacts.iter().filter(|artifact| artifact.n_replaced > 0) {
        tracing::warn!(
            edition.id = %edition.id,
            format = artifact.format.extension(),
            n_replaced = artifact.n_replaced,
            "characters that no font has were replaced by a sign; a font that has them can be named in the configuration"
        );
    }
    let attached: Vec<(&str, u64)> =
        artifacts.iter().map(|artifact| (artifact.file_name.as_str(), artifact.bytes.len() as u64)).collect();
    let mail = compose(report, &order.mail, theme, &Letter { attached: &attached, ..Letter::default() })?;
    let mut files: Vec<PackFile> = artifacts.iter().map(PackFile::artifact).collect();
    files.push(PackFile::report(report)?);
    if let Some(rows) = rows {
        files.push(PackFile::rows(rows.bytes()?));
    }
    files.extend(PackFile::mail(&mail));
    Ok(Draft {
        key: key(order, of.period, &edition.audience, edition.number),
        files,
        manifest: manifest(order, of, edition, report)?,
        search,
        audience: edition.audience.clone(),
        measures: measures(report, &artifacts),
    })
}

/// Where an edition's pack stands.
pub(super) fn key(order: &Order, period: Period, audience: &Audience, number: u32) -> PackKey {
    PackKey {
        report: order.template.name.clone(),
        schedule: order.schedule.clone(),
        period,
        partner_id: audience.partner_id.clone(),
        audience: audience.short(),
        number,
    }
}

fn manifest(order: &Order, of: &Of, edition: &Edition, report: &Report) -> Result<Manifest, MakeError> {
    let theme = order.themes.of(&edition.audience.partner_id);
    Ok(Manifest {
        schema: 1,
        edition: edition.id,
        revision: edition.number,
        supersedes: None,
        report: order.template.name.clone(),
        schedule: order.schedule.clone(),
        period: of.period,
        partner_id: edition.audience.partner_id.clone(),
        audience: ManifestAudience {
            role: edition.audience.role.clone(),
            scope: edition.audience.scope.to_string(),
            language: edition.audience.language.clone(),
        },
        data_set: serde_json::to_value(&of.data)?,
        data_at: report.head.data_at,
        template: digest(&order.template)?,
        theme: digest(theme)?,
        fonts: fonts_digest(theme),
        program: concat!("pressrun ", env!("CARGO_PKG_VERSION")).to_owned(),
        files: Vec::new(),
    })
}

fn digest(value: &impl serde::Serialize) -> Result<Digest, MakeError> {
    Ok(Digest::of(&serde_json::to_vec(value)?))
}
