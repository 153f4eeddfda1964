//! Small documents made here, read back.

use krilla::Document;
use krilla::destination::XyzDestination;
use krilla::embed::{AssociationKind, EmbeddedFile, MimeType};
use krilla::geom::Point;
use krilla::metadata::Metadata;
use krilla::outline::{Outline, OutlineNode};
use krilla::page::PageSettings;
use krilla::text::{Font, GlyphId, KrillaGlyph};

use crate::gate::sample::{report, search};
use crate::gate::{GateError, Kind, inspect};

const INTER: &[u8] = include_bytes!("../../../tests/fixtures/gate/Inter-Regular.otf");

/// A text at a place from the page's upper left, in points.
#[derive(Clone)]
struct Text(f32, f32, f32, String);

fn texts(partner: &str) -> Vec<Text> {
    let text = |x: f32, y: f32, size: f32, text: &str| Text(x, y, size, text.to_owned());
    let mut texts = vec![
        text(40.0, 40.0, 7.5, &format!("{partner} · Product licenses")),
        text(300.0, 40.0, 7.5, "October 2026"),
        // The table's header and total look like a KPI, but for the size of the figure.
        text(40.0, 400.0, 9.0, "Licenses"),
        text(40.0, 420.0, 9.0, "173,682"),
        text(90.0, 420.0, 9.0, "+7.74%"),
    ];
    for (n, (label, figure, growth)) in [
        ("Licenses", "173,682", "+7.74%"),
        ("Licenses deployed", "136,134.5", "new"),
        ("Active licenses", "n/a", "n/a"),
    ]
    .into_iter()
    .enumerate()
    {
        let x = 50.0 + 178.0 * n as f32;
        texts.extend([
            text(x, 100.0, 10.5, label),
            text(x, 112.0, 7.5, "a note"),
            text(x, 140.0, 24.0, figure),
            text(x, 155.0, 9.0, "▲"),
            text(x + 10.0, 155.0, 9.0, growth),
        ]);
    }
    texts
}

fn shaped(text: &str, reversed: bool) -> Vec<KrillaGlyph> {
    let face = rustybuzz::Face::from_slice(INTER, 0).unwrap();
    let per_em = face.units_per_em() as f32;
    let mut buffer = rustybuzz::UnicodeBuffer::new();
    buffer.push_str(text);
    buffer.guess_segment_properties();
    let shaped = rustybuzz::shape(&face, &[], buffer);
    let starts: Vec<usize> = shaped.glyph_infos().iter().map(|info| info.cluster as usize).collect();
    let glyph = |n: usize| {
        let end = starts.iter().copied().find(|start| *start > starts[n]).unwrap_or(text.len());
        let (info, position) = (shaped.glyph_infos()[n], shaped.glyph_positions()[n]);
        let advance = position.x_advance as f32 / per_em;
        KrillaGlyph::new(GlyphId::new(info.glyph_id), advance, 0.0, 0.0, 0.0, starts[n]..end, None)
    };
    let glyphs = (0..shaped.len()).map(glyph);
    if reversed { glyphs.rev().collect() } else { glyphs.collect() }
}

fn pdf(texts: &[Text], reversed: bool) -> Vec<u8> {
    pdf_of(&[texts], reversed)
}

fn pdf_of(pages: &[&[Text]], reversed: bool) -> Vec<u8> {
    let font = Font::new(INTER.to_vec().into(), 0).unwrap();
    let mut document = Document::new();
    for texts in pages {
        let mut page = document.start_page_with(PageSettings::from_wh(595.0, 842.0).unwrap());
        let mut surface = page.surface();
        for Text(x, y, size, text) in *texts {
            surface.draw_glyphs(Point::from_xy(*x, *y), &shaped(text, reversed), font.clone(), text, *size, false);
        }
        surface.finish();
        page.finish();
    }
    document.finish().unwrap()
}

fn look(partner: &str, bytes: &[u8], others: &[&str]) -> Result<(), GateError> {
    inspect(&report(partner), Kind::Pdf, bytes, &search(partner, others))
}

fn check(bytes: &[u8], others: &[&str], wants: &[&str]) {
    let whats: Vec<String> = match look("Example Söhne", bytes, others) {
        Ok(()) => Vec::new(),
        Err(error) => error.findings.into_iter().map(|finding| finding.what).collect(),
    };
    assert_eq!(whats.len(), wants.len(), "{whats:?}");
    for (what, want) in whats.iter().zip(wants) {
        assert!(what.contains(want), "{what} has no {want}");
    }
}

fn with(change: impl Fn(&mut Text)) -> Vec<u8> {
    let mut texts = texts("Example Söhne");
    texts.iter_mut().for_each(change);
    pdf(&texts, false)
}

#[test]
fn a_right_page_may_leave() {
    check(&with(|_| ()), &["Another Partner", "Example"], &[]);
}

#[test]
fn every_page_is_read_run_by_run_before_and_after_the_figures_were_found() {
    let name = [Text(40.0, 40.0, 9.0, "of".to_owned()), Text(40.0, 60.0, 9.0, "Another Partner".to_owned())];
    let (figures, others) = (texts("Example Söhne"), ["Another Partner"]);
    check(&pdf_of(&[&figures, &name], false), &others, &["the name"]);
    check(&pdf_of(&[&name, &figures], false), &others, &["the name"]);
    check(&pdf_of(&[&figures[..2], &figures[2..]], false), &others, &[]);
}

#[test]
fn another_partner_is_found_in_titles_bookmarks_and_attached_files_too() {
    let hidden = |title: &str, bookmark: &str, csv: &str| {
        let font = Font::new(INTER.to_vec().into(), 0).unwrap();
        let mut document = Document::new();
        let mut page = document.start_page_with(PageSettings::from_wh(595.0, 842.0).unwrap());
        let mut surface = page.surface();
        for Text(x, y, size, text) in texts("Example Söhne") {
            surface.draw_glyphs(Point::from_xy(x, y), &shaped(&text, false), font.clone(), &text, size, false);
        }
        surface.finish();
        page.finish();
        document.set_metadata(Metadata::new().title(title.to_owned()));
        let mut outline = Outline::new();
        let place = XyzDestination::new(0, Point::from_xy(0.0, 0.0));
        outline.push_child(OutlineNode::new(bookmark.to_owned(), place));
        document.set_outline(outline);
        document.embed_file(EmbeddedFile {
            path: "figures.csv".to_owned(),
            mime_type: MimeType::new("text/csv"),
            description: None,
            association_kind: AssociationKind::Data,
            data: csv.as_bytes().to_vec().into(),
            modification_date: None,
            compress: Some(true),
            location: None,
        });
        document.finish().unwrap()
    };
    let others = &["Another Partner", "Zürich", "The \"Other\", Inc"];
    check(&hidden("Licenses", "Summary", "a,b"), others, &[]);
    let both = &["`p0`, found the name in its metadata", "`p0`, found the name in its titles"];
    check(&hidden("Another Partner", "Summary", "a,b"), others, both);
    check(&hidden("Licenses", "In Zürich", "a,b"), others, &["`p1`, found the name in its titles"]);
    let quoted = "a,\"The \"\"Other\"\", Inc\"\n";
    check(&hidden("Licenses", "Summary", quoted), others, &["`p2`, found the name in an attached file"]);
    let csv = "b,Third\n".to_owned() + &"a,Another Partner\n".repeat(9);
    check(&hidden("Licenses", "Summary", &csv), others, &["`p0`, found the name in an attached file"]);
}

#[test]
fn a_wrong_figure_is_found_though_a_table_has_the_right_one() {
    let bytes = with(|text| {
        if text.2 == 24.0 && text.3 == "173,682" {
            text.3 = "173,683".to_owned();
        }
    });
    check(&bytes, &[], &["expected `173,682` and `+7.74%` beside `licenses`, found `173,683`"]);
    let bytes = with(|text| text.3 = text.3.replace("173,682", "1,173,682"));
    check(&bytes, &[], &["found `1,173,682`"]);
}

#[test]
fn two_figures_in_each_others_place_are_found() {
    let mut swapped = texts("Example Söhne");
    for text in &mut swapped {
        text.3 = match text.3.as_str() {
            "173,682" => "136,134.5".to_owned(),
            "136,134.5" => "173,682".to_owned(),
            other => other.to_owned(),
        };
    }
    let wants = ["beside `licenses`", "beside `licenses deployed`"];
    check(&pdf(&swapped, false), &[], &wants);
    // On a later page as well as on the first.
    check(&pdf_of(&[&swapped[..2], &swapped[2..]], false), &[], &wants);
}

#[test]
fn a_wrong_growth_period_or_partner_is_found() {
    check(&with(|text| text.3 = text.3.replace('+', "−")), &[], &["`+7.74%`"]);
    check(&with(|text| text.3 = text.3.replace("2026", "2025")), &[], &["the period `October 2026`"]);
    check(&with(|text| text.3 = text.3.replace("Söhne", "Sohn")), &[], &["the partner's name"]);
    check(&with(|text| text.3 = text.3.replace("Active", "Idle")), &[], &["found no such label"]);
}

#[test]
fn another_partners_name_is_found() {
    let bytes = with(|text| text.3 = text.3.replace("a note", "for Another Partner"));
    check(&bytes, &["Another Partner", "Third"], &["partner `p0`, found the name on page 1"]);
}

#[test]
fn a_name_may_be_set_from_right_to_left_or_shortened() {
    let name = "Ελληνική Εταιρεία";
    let page: Vec<Text> = texts("").into_iter().filter(|text| text.3 != "October 2026").collect();
    let mut reversed = page.clone();
    reversed[0].3 = name.chars().rev().collect();
    reversed.push(Text(40.0, 60.0, 9.0, "October 2026".to_owned()));
    assert_eq!(look(name, &pdf(&reversed, false), &[]), Ok(()));
    let one_off = "Ελληνικά Εταιρεία";
    assert!(look(one_off, &pdf(&reversed, false), &[]).is_err());
    let mut short = reversed;
    short[0].3 = "A very long nam…partner GmbH · Product licenses".to_owned();
    let long = format!("A very long name {}of a partner GmbH", "and on ".repeat(20));
    assert_eq!(look(&long, &pdf(&short, false), &[]), Ok(()));
    assert!(look(&long.replace("A very", "A"), &pdf(&short, false), &[]).is_err());
}

#[test]
fn glyphs_drawn_in_reverse_are_read_by_their_letters() {
    // As a shaper hands out right-to-left text: last letter first.
    let mut page = texts("");
    page[0].3 = "Ελληνική Εταιρεία".to_owned();
    let bytes = pdf(&page[..1], true);
    let error = look("Ελληνική Εταιρεία", &bytes, &[]).unwrap_err();
    assert!(!error.to_string().contains("the partner's name"), "{error}");
}

#[test]
fn object_streams_are_read_too() {
    let mut document = lopdf::Document::load_mem(&with(|_| ())).unwrap();
    let mut packed = Vec::new();
    document.save_modern(&mut packed).unwrap();
    assert!(packed.windows(7).any(|window| window == b"/ObjStm"));
    check(&packed, &["Another Partner"], &[]);
}

#[test]
fn a_broken_file_is_found() {
    let bytes = with(|_| ());
    for broken in [&bytes[..bytes.len() / 2], &bytes[..bytes.len() - 9], b"%PDF-1.7", b"PK", b""] {
        let error = look("Example Söhne", broken, &[]).unwrap_err();
        assert!(error.to_string().contains("found one that does not"), "{error}");
    }
    let mut shifted = b"%PDF-1.7\n".to_vec();
    shifted.extend(&bytes);
    assert!(look("Example Söhne", &shifted, &[]).is_err());
}
