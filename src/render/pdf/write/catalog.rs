//! What a document says of itself: catalogue, metadata, output intent, the attached file (ISO 32000-1, 7.7.2, 7.11.4,
//! 14.3 and 14.11.5).

use std::sync::OnceLock;

use chrono::{DateTime, Datelike, Timelike, Utc};
use pdf_writer::types::{AssociationKind, OutputIntentSubtype};
use pdf_writer::writers::{Catalog, FileSpec};
use pdf_writer::{Date, Filter, Finish, Name, Ref, Str, TextStr};
use xmp_writer::{LangId, RenditionClass, ResourceEventAction, Timezone, XmpWriter};

use super::objects::Deflater;
use super::{Document, WriteError};

/// The colours that all are meant in: sRGB, as the Compact ICC Profiles have it (CC0).
static SRGB: &[u8] = include_bytes!("sRGB-v4.icc");
/// What made the file.
const CREATOR: &str = "pressrun";

/// What a document is about.
pub(in crate::render::pdf) struct About {
    /// As [`super::short`] makes it: it stands in XML too.
    pub(in crate::render::pdf) title: String,
    /// As RFC 3066 writes it.
    pub(in crate::render::pdf) language: String,
    /// The data's date: nothing says when or where the file was made.
    pub(in crate::render::pdf) at: DateTime<Utc>,
    /// Tells the document from all others.
    pub(in crate::render::pdf) id: String,
    /// The attached file: its name, what it is and its bytes.
    pub(in crate::render::pdf) attached: (&'static str, &'static str, Vec<u8>),
}

impl Document {
    /// The file. `structure` and `outline` are the objects that lead to the structure and the bookmarks.
    ///
    /// # Errors
    /// When a font cannot be cut, or the file is too large.
    pub(in crate::render::pdf) fn finish(
        mut self,
        about: &About,
        structure: Ref,
        outline: Option<Ref>,
    ) -> Result<Vec<u8>, WriteError> {
        self.shared()?;
        let profile = self.profile();
        let attached = self.attach(about);
        let metadata = self.objects.reserve();
        self.objects.open(metadata).metadata(metadata, xmp(about, self.pages.len()).as_bytes());
        let info = self.objects.reserve();
        self.objects
            .open(info)
            .indirect(info)
            .start::<pdf_writer::writers::DocumentInfo<'_>>()
            .title(TextStr(&about.title))
            .creator(TextStr(CREATOR))
            .creation_date(date(about.at))
            .modified_date(date(about.at));
        let id = self.objects.reserve();
        let mut catalog = self.objects.open(id).indirect(id).start::<Catalog<'_>>();
        catalog.pages(self.root).metadata(metadata).lang(TextStr(&about.language));
        catalog.pair(Name(b"StructTreeRoot"), structure);
        catalog.mark_info().marked(true);
        catalog.viewer_preferences().display_doc_title(true);
        if let Some(outline) = outline {
            catalog.outlines(outline);
        }
        let mut labels = catalog.insert(Name(b"PageLabels")).dict();
        let mut labels_of = labels.insert(Name(b"Nums")).array();
        labels_of.item(0);
        labels_of.push().dict().pair(Name(b"S"), Name(b"D"));
        labels_of.finish();
        labels.finish();
        catalog
            .output_intents()
            .push()
            .subtype(OutputIntentSubtype::PDFA)
            .dest_output_profile(profile)
            .output_condition_identifier(TextStr("sRGB"))
            .output_condition(TextStr("sRGB"))
            .registry_name(TextStr(""))
            .info(TextStr("sRGB v4.2"));
        catalog.names().embedded_files().names().insert(Str(about.attached.0.as_bytes()), attached);
        catalog.insert(Name(b"AF")).array().item(attached);
        catalog.finish();
        self.objects.finish(id, info, about.id.as_bytes())
    }

    /// The colour profile, deflated once for all documents.
    fn profile(&mut self) -> Ref {
        static DEFLATED: OnceLock<Vec<u8>> = OnceLock::new();
        let id = self.objects.reserve();
        let deflated = DEFLATED.get_or_init(|| Deflater::new(12).all(SRGB));
        self.objects.deflated(id, deflated, |stream| {
            stream.pair(Name(b"N"), 3);
        });
        id
    }

    /// The attached file, as data that the document was made of (ISO 19005-3, 6.8).
    fn attach(&mut self, about: &About) -> Ref {
        let (name, description, bytes) = &about.attached;
        let (spec, file) = (self.objects.reserve(), self.objects.reserve());
        let deflated = self.objects.deflater().all(bytes);
        let mut stream = self.objects.open(file).embedded_file(file, &deflated);
        stream.subtype(Name(b"text/csv")).filter(Filter::FlateDecode);
        stream.params().size(bytes.len() as i32).modification_date(date(about.at));
        stream.finish();
        let mut described = self.objects.packed(spec).indirect(spec).start::<FileSpec<'_>>();
        described
            .path(Str(name.as_bytes()))
            .unic_file(TextStr(name))
            .embedded_file_with_unicode(file)
            .association_kind(AssociationKind::Data)
            .description(TextStr(description));
        described.finish();
        spec
    }
}

fn part(n: u32) -> u8 {
    u8::try_from(n).unwrap_or(0)
}

fn year(at: DateTime<Utc>) -> u16 {
    u16::try_from(at.year()).unwrap_or(0).min(9999)
}

fn date(at: DateTime<Utc>) -> Date {
    Date::new(year(at))
        .month(part(at.month()))
        .day(part(at.day()))
        .hour(part(at.hour()))
        .minute(part(at.minute()))
        .second(part(at.second()))
        .utc_offset_hour(0)
        .utc_offset_minute(0)
}

/// The metadata as XMP: the same as the document's information, and which standards it keeps to.
fn xmp(about: &About, n_pages: usize) -> String {
    let at = about.at;
    let date = xmp_writer::DateTime {
        year: year(at),
        month: Some(part(at.month())),
        day: Some(part(at.day())),
        hour: Some(part(at.hour())),
        minute: Some(part(at.minute())),
        second: Some(part(at.second())),
        timezone: Some(Timezone::Utc),
    };
    let mut xmp = XmpWriter::new();
    xmp.title([(None, about.title.as_str())])
        .language([LangId(&about.language)])
        .format("application/pdf")
        .creator_tool(CREATOR)
        .create_date(date)
        .modify_date(date)
        .num_pages(u32::try_from(n_pages).unwrap_or(0))
        .document_id(&about.id)
        .instance_id(&about.id)
        .rendition_class(RenditionClass::Proof)
        .pdf_version("1.7")
        .pdfa_part(3)
        .pdfa_conformance("A")
        .pdfua_part(1);
    let mut history = xmp.history();
    history.add_event().action(ResourceEventAction::Saved).when(date).instance_id(&about.id);
    drop(history);
    // PDF/UA's part is none of the properties that PDF/A knows (ISO 19005-3, 6.6.2.3).
    xmp.extension_schemas().pdfua_id().properties().describe_part();
    xmp.finish(None)
}
