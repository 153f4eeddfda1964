//! Pages in a look of one's own: logo, fonts, and the same bytes for the same look.

use super::*;
use crate::render::{FontFile, FontSet, Logo, fonts_digest};

const LOGOS: [(&str, f32, f32); 4] =
    [("plain.png", 112.0, 28.0), ("wide.png", 150.0, 3.75), ("tiny.png", 10.0, 10.0), ("photo.jpg", 56.0, 28.0)];

fn fixture(path: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/fixtures/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn logo(name: &str) -> Option<Logo> {
    Some(Logo::new(fixture(&format!("logos/{name}"))).unwrap())
}

fn font(name: &str) -> FontFile {
    FontFile::new(fixture(&format!("fonts/{name}.ttf"))).unwrap()
}

fn serif() -> FontSet {
    let (regular, bold) = (font("NotoSerif-Regular"), font("NotoSerif-Bold"));
    FontSet::new(Some([regular, bold.clone(), bold]), Vec::new())
}

fn with_armenian() -> FontSet {
    FontSet::new(None, vec![font("NotoSansArmenian-Regular")])
}

/// The names of the embedded fonts, without the marks of their subsets.
fn fonts(bytes: &[u8]) -> BTreeSet<String> {
    let document = Document::load_mem(bytes).unwrap();
    let names =
        document.objects.values().filter_map(|object| object.as_dict().ok()?.get(b"FontName").ok()?.as_name().ok());
    names.map(|name| String::from_utf8_lossy(&name[7..]).into_owned()).collect()
}

/// How many images each page shows.
fn n_images(bytes: &[u8]) -> Vec<usize> {
    let document = Document::load_mem(bytes).unwrap();
    document.get_pages().values().map(|page| document.get_page_images(*page).unwrap().len()).collect()
}

#[test]
fn a_logo_stands_beside_the_title_of_the_first_page_and_is_never_made_larger() {
    for (name, width, height) in LOGOS {
        for paper in [Paper::A4, Paper::Letter] {
            let theme = Theme { paper, logo: logo(name), ..Theme::default() };
            let report = sample_report::full(12);
            let pages = layout(&report, &theme);
            let found: Vec<(usize, [f32; 4])> = pages
                .iter()
                .enumerate()
                .flat_map(|(at, page)| page.marks.iter().map(move |mark| (at, mark)))
                .filter(|(_, mark)| matches!(mark, Mark::Logo { alt, .. } if alt == "Example Distribution logo"))
                .map(|(at, mark)| (at, bounds(mark)))
                .collect();
            let [(0, [left, top, right, bottom])] = found[..] else { panic!("{name}: {found:?}") };
            assert!((right - left - width).abs() < 0.01 && (bottom - top - height).abs() < 0.01, "{name}: {found:?}");
            assert!((right - (paper.size().0 - 40.0)).abs() < 0.01, "{name}: {found:?}");
            let images = n_images(&render(&report, &theme));
            assert!(images[0] == 1 && images[1..].iter().all(|n| *n == 0), "{name}: {images:?}");
        }
    }
    assert!(n_images(&render(&sample_report::full(12), &Theme::default())).iter().all(|n| *n == 0));
}

#[test]
fn nothing_overlaps_or_leaves_the_page_with_a_logo_and_other_fonts() {
    for (name, ..) in LOGOS {
        for paper in [Paper::A4, Paper::Letter] {
            let theme = Theme { paper, logo: logo(name), fonts: serif(), ..Theme::default() };
            check(name, &sample_report::full(12), &theme);
            check(name, &hostile(), &theme);
        }
    }
}

#[test]
fn a_character_that_the_carried_fonts_lack_is_drawn_by_a_further_font() {
    let mut report = sample_report::full(1);
    report.head.partner_name = "Հայաստան ՍՊԸ".to_owned();
    let armenian = Theme { fonts: with_armenian(), ..Theme::default() };
    assert!(!fonts(&render(&report, &Theme::default())).contains("NotoSansArmenian-Regular"));
    let bytes = render(&report, &armenian);
    assert!(fonts(&bytes).contains("NotoSansArmenian-Regular") && fonts(&bytes).contains("Inter-Bold"));
    assert!(texts(&bytes).iter().all(|page| page.contains("Հայաստան")), "it is extracted as itself");
}

#[test]
fn a_main_family_takes_inters_place_and_inter_draws_what_it_lacks() {
    let theme = Theme { fonts: serif(), ..Theme::default() };
    let found = fonts(&render(&sample_report::full(12), &theme));
    assert!(found.contains("NotoSerif-Regular") && found.contains("NotoSerif-Bold"), "{found:?}");
    // U+2212 and ▲ are not in the family: a figure with a sign is whole all the same.
    let first = &texts(&render(&sample_report::full(12), &theme))[0];
    for figure in ["173,682", "+7.74%", "5.74%", "n/a"] {
        assert!(first.contains(figure), "{figure}: {first}");
    }
}

#[test]
fn the_same_look_makes_the_same_bytes_whoever_else_is_rendered() {
    let report = sample_report::full(12);
    let look = || Theme {
        accent: Colour(138, 21, 56),
        logo: logo("plain.png"),
        fonts: FontSet::new(serif().main().cloned(), with_armenian().more().to_vec()),
        ..Theme::default()
    };
    let (plain, own) = (render(&report, &Theme::default()), render(&report, &look()));
    assert!(plain != own);
    std::thread::scope(|scope| {
        for n in 0..8 {
            let (report, plain, own, look) = (&report, &plain, &own, &look);
            scope.spawn(move || match n % 2 {
                0 => assert!(render(report, &look()) == *own),
                _ => assert!(render(report, &Theme::default()) == *plain),
            });
        }
    });
}

#[test]
fn the_digests_of_a_look_tell_its_logo_and_its_fonts() {
    let text = |theme: &Theme| serde_json::to_string(theme).unwrap();
    let plain = Theme::default();
    let one = Theme { logo: logo("plain.png"), ..Theme::default() };
    let other = Theme { logo: logo("tiny.png"), ..Theme::default() };
    let set = Theme { fonts: serif(), ..Theme::default() };
    let further = Theme { fonts: FontSet::new(None, vec![font("NotoSerif-Regular")]), ..Theme::default() };
    let all: BTreeSet<String> = [&plain, &one, &other, &set, &further].map(text).into();
    assert_eq!(all.len(), 5);
    assert_eq!(text(&one), text(&Theme { logo: logo("plain.png"), ..Theme::default() }));
    assert_eq!(fonts_digest(&plain), fonts_digest(&one));
    let fonts: BTreeSet<_> = [&plain, &set, &further].map(fonts_digest).into();
    assert_eq!(fonts.len(), 3);
    assert!(!text(&plain).contains("logo") && !text(&plain).contains("fonts"), "an older manifest's digest stays true");
}
