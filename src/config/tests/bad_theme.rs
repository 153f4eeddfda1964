//! Looks, good and bad: colours that are read and told apart, logos that are images, fonts that may be embedded.

use std::collections::BTreeMap;
use std::io::Write;

use super::super::PARTNER_THEMES_MAX;
use super::{Folder, root, smallest_and};
use crate::render::{Colour, Theme};

/// A fixture's bytes.
fn fixture(path: &str) -> Vec<u8> {
    std::fs::read(root().join("tests/fixtures").join(path)).unwrap()
}

/// The smallest configuration, and `theme` from its line 11 on, beside these files.
fn folder(theme: &str, files: &[(&str, Vec<u8>)]) -> Folder {
    let folder = Folder::with(&[("pressrun.toml", &smallest_and(theme))]);
    for (name, bytes) in files {
        std::fs::write(folder.path(name), bytes).unwrap();
    }
    folder
}

/// A look ends in one error; its first key stands on line 12.
fn refuses(keys: &str, files: &[(&str, Vec<u8>)], first_line: &str, hint: &str) {
    let found = folder(&format!("[theme]\n{keys}\n"), files).errors();
    assert_eq!(found, [(first_line.to_owned(), hint.to_owned())], "in {keys}");
}

const DARKER: &str = "take a darker colour";
const COLOUR: &str = "`#` and six hexadecimal digits for red, green and blue, as in `#1f86b9`";
const STEPS: &str = "take colours in steps of lightness, dark and light by turns";
const NO_FILE: &str = "paths in the configuration count from its own folder";

/// Six products of which one is `colour`, by its number.
fn products(n: usize, colour: &str) -> String {
    let mut all: Vec<String> = Theme::default().products.iter().map(|colour| colour.hex()).collect();
    all[n] = colour.to_owned();
    format!("products = [\"{}\"]", all.join("\", \""))
}

#[test]
fn what_is_no_colour_is_refused() {
    for written in ["blue", "#1f86b", "#1f86b99", "1f86b9", "#1f86bg", "#+f86b9", "rgb(1, 2, 3)"] {
        let what = format!("`{written}` is not a colour at pressrun.toml:12:10");
        refuses(&format!("accent = \"{written}\""), &[], &what, COLOUR);
    }
    let what = "`blue` is not a colour at pressrun.toml:12:46";
    refuses(&products(3, "blue"), &[], what, COLOUR);
}

#[test]
fn words_that_cannot_be_read_on_their_ground_are_refused() {
    for (key, what) in [
        ("ink = \"#999999\"", "`#999999` for `ink` has a contrast of 2.84 : 1 on white, below 4.5 : 1"),
        ("ink = \"#757575\"", "`#757575` for `ink` has a contrast of 4.25 : 1 on the ground of cards, below 4.5 : 1"),
        ("grey = \"#FFFFFF\"", "`#ffffff` for `grey` has a contrast of 1.00 : 1 on white, below 4.5 : 1"),
        ("accent = \"#66bb99\"", "`#66bb99` for `accent` has a contrast of 2.29 : 1 on white, below 3 : 1"),
    ] {
        let column = key.find('"').unwrap() + 1;
        let what = format!("{what} at pressrun.toml:12:{column}");
        let is_ink_of_labels = key.starts_with("ink");
        if !is_ink_of_labels {
            refuses(key, &[], &what, DARKER);
        } else {
            // The labels on products may suffer with it.
            assert!(folder(&format!("[theme]\n{key}\n"), &[]).errors().contains(&(what, DARKER.to_owned())), "{key}");
        }
    }
    let ink = "neither white nor `ink` is read on the product's colour `#44aa86`: a contrast of 2.86 : 1, below 3 : 1";
    let hint = "take a darker `ink`, or a darker or lighter colour for the product";
    refuses("ink = \"#6b6b6b\"", &[], &format!("{ink} at pressrun.toml:12:7"), hint);
}

#[test]
fn products_that_are_pale_or_alike_are_refused() {
    for (n, colour, what, hint) in [
        (4, "#fff2cc", "`#fff2cc` for a product has a contrast of 1.11 : 1 on white, below 1.5 : 1", DARKER),
        (5, "#1f86ba", "`#1f86ba` and `#1f86b9` are too alike for two products: a ΔE of 0.6, below 15", STEPS),
        (
            3,
            "#9ea6ae",
            "`#9ea6ae` and the grey of *Others* are too alike for two products: a ΔE of 0.6, below 15",
            STEPS,
        ),
        (
            3,
            "#a8702a",
            "`#1f86b9` and `#a8702a` follow each other and are one in grey print: a contrast of 1.03 : 1, below 1.1 : 1",
            STEPS,
        ),
    ] {
        let keys = products(n, colour);
        let column = keys.find(&format!("\"{colour}\"")).unwrap() + 1;
        refuses(&keys, &[], &format!("{what} at pressrun.toml:12:{column}"), hint);
    }
    let six = "one for each of the largest products; what comes after them is grey";
    let what = "`products` names 1 colours, and six are needed at pressrun.toml:12:12";
    refuses("products = [\"#13395c\"]", &[], what, six);
}

/// A PNG of the fixture's pixels that says another size.
fn png_of(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = fixture("logos/tiny.png");
    bytes[16..20].copy_from_slice(&width.to_be_bytes());
    bytes[20..24].copy_from_slice(&height.to_be_bytes());
    bytes
}

/// A file with other bytes in place of the first such.
fn replaced(file: &[u8], what: &[u8], by: &[u8]) -> Vec<u8> {
    let at = file.windows(what.len()).position(|part| part == what).unwrap();
    [&file[..at], by, &file[at + what.len()..]].concat()
}

#[test]
fn a_logo_that_is_no_usable_image_is_refused_with_what_to_do() {
    const ANEW: &str = "save it anew as a PNG, and copy the whole file";
    const SMALLER: &str = "save it smaller: 600 pixels wide are enough";
    let plain = fixture("logos/plain.png");
    let jpeg = fixture("logos/photo.jpg");
    let mut torn = plain.clone();
    torn[300] ^= 0xff;
    let huge = [plain.clone(), vec![0; 2 << 20]].concat();
    for (bytes, what, hint) in [
        (
            b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>".to_vec(),
            "is an SVG drawing",
            "save it as a PNG, 600 pixels wide",
        ),
        (
            b"\xef\xbb\xbf<?xml version=\"1.0\"?><svg/>".to_vec(),
            "is an SVG drawing",
            "save it as a PNG, 600 pixels wide",
        ),
        (b"GIF89a".to_vec(), "is neither a PNG nor a JPEG image", "save it as a PNG or JPEG"),
        (Vec::new(), "is neither a PNG nor a JPEG image", "save it as a PNG or JPEG"),
        (plain[..400].to_vec(), "is broken or cut off", ANEW),
        (plain[..12].to_vec(), "is broken or cut off", ANEW),
        (torn, "is broken or cut off", ANEW),
        (jpeg[..1500].to_vec(), "is broken or cut off", ANEW),
        (jpeg[..5].to_vec(), "is broken or cut off", ANEW),
        // An arithmetic one, which PDFs do not show, and one whose pixels never begin.
        (replaced(&jpeg, b"\xff\xc0", b"\xff\xc9"), "is broken or cut off", ANEW),
        (replaced(&jpeg, b"\xff\xda", b"\xff\xfe"), "is broken or cut off", ANEW),
        (png_of(0, 10), "has no pixels: it is 0 × 10", ANEW),
        (fixture("logos/too-wide.png"), "has 4001 × 8 pixels, more than 4000 a side", SMALLER),
        (png_of(10, u32::MAX), "has 10 × 4294967295 pixels, more than 4000 a side", SMALLER),
        (fixture("logos/cmyk.jpg"), "is in CMYK, which screens show wrongly", "save it in RGB"),
        (huge, "has more than 2097152 bytes", SMALLER),
    ] {
        let what = format!("the logo `logo.png` {what} at pressrun.toml:12:8");
        refuses("logo = \"logo.png\"", &[("logo.png", bytes)], &what, hint);
    }
    let what = "cannot read the logo `logo.png`: there is no such file at pressrun.toml:12:8";
    refuses("logo = \"logo.png\"", &[], what, NO_FILE);
    refuses("logo = \".\"", &[], "cannot read the logo `.`: it is a folder at pressrun.toml:12:8", "");
}

/// A PNG of noise in black and white, which takes more bytes unpacked and packed again than it has itself.
fn noise(width: u32, height: u32) -> Vec<u8> {
    let mut state = 1_u32;
    let mut byte = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_be_bytes()[1]
    };
    let row = |_| std::iter::once(0).chain((0..width / 8).map(|_| byte())).collect::<Vec<u8>>();
    let rows: Vec<u8> = (0..height).flat_map(row).collect();
    let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(&rows).unwrap();
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[1, 0, 0, 0, 0]].concat();
    for (name, data) in [(b"IHDR", header), (b"IDAT", packed.finish().unwrap()), (b"IEND", Vec::new())] {
        let mut sum = flate2::Crc::new();
        sum.update(name);
        sum.update(&data);
        let length = u32::try_from(data.len()).unwrap();
        png.extend([&length.to_be_bytes()[..], name, &data, &sum.sum().to_be_bytes()].concat());
    }
    png
}

#[test]
fn a_logo_that_would_make_every_pdf_large_is_refused() {
    let bytes = noise(4000, 3900);
    assert!(bytes.len() < 2 << 20, "{}", bytes.len());
    let found = folder("[theme]\nlogo = \"logo.png\"\n", &[("logo.png", bytes)]).errors();
    let [(what, hint)] = found.as_slice() else { panic!("{found:?}") };
    assert!(
        what.starts_with("the logo `logo.png` would add ")
            && what.contains(" bytes to each PDF, more than 2097152 at ")
    );
    assert_eq!(hint, "save it smaller: 600 pixels wide are enough");
    assert_eq!(folder("[theme]\nlogo = \"logo.png\"\n", &[("logo.png", noise(400, 400))]).errors(), []);
}

#[test]
fn more_looks_than_may_be_are_refused_and_counted() {
    let tables: String = (0..=PARTNER_THEMES_MAX).map(|n| format!("[theme.partners.{n}]\n")).collect();
    let found = folder(&tables, &[]).errors();
    let [(what, hint)] = found.as_slice() else { panic!("{found:?}") };
    assert!(what.starts_with("10001 partners have a look of their own, at most 10000 may at "), "{what}");
    assert_eq!(hint, "give the look that most partners have under `[theme]`");
}

/// A font whose maker says this in its `fsType` (OpenType, OS/2, at 8).
fn font_with(fs_type: u16) -> Vec<u8> {
    let mut bytes = fixture("fonts/NotoSerif-Regular.ttf");
    let at = bytes.windows(4).position(|tag| tag == b"OS/2").unwrap();
    let table = u32::from_be_bytes(bytes[at + 8..at + 12].try_into().unwrap()) as usize;
    bytes[table + 8..table + 10].copy_from_slice(&fs_type.to_be_bytes());
    bytes
}

#[test]
fn a_font_that_cannot_or_must_not_be_embedded_is_refused_with_the_reason() {
    const FILE: &str = "a `.ttf` or `.otf` file, as its maker delivers it";
    const FREE: &str = "take a font whose licence lets PDFs carry it, as the SIL Open Font License does";
    let serif = fixture("fonts/NotoSerif-Regular.ttf");
    let broken = "is not a TrueType or OpenType font, or is broken";
    for (bytes, what, hint) in [
        (b"not a font".to_vec(), broken, FILE),
        (serif[..500].to_vec(), broken, FILE),
        (b"wOF2\0\x01\0\0".to_vec(), "is a web font (WOFF)", "take the font's `.ttf` or `.otf` file"),
        (font_with(0x0002), "may not be embedded: its `fsType` says restricted license embedding", FREE),
        (
            font_with(0x0104),
            "may not be embedded: its `fsType` says no subsetting, and a PDF carries only the letters it shows",
            FREE,
        ),
        (font_with(0x0208), "may not be embedded: its `fsType` says bitmap embedding only", FREE),
        // The first of its tables, under the name of another.
        (
            replaced(&serif, b"GDEF", b"COLR"),
            "is a font of coloured glyphs (`COLR`)",
            "take a font of plain glyphs, as Noto Emoji is",
        ),
        (vec![0; (24 << 20) + 1], "has more than 25165824 bytes", "take a font of fewer scripts"),
    ] {
        let files = [("a.ttf", bytes)];
        refuses(
            "font = { regular = \"a.ttf\" }",
            &files,
            &format!("the font `a.ttf` {what} at pressrun.toml:12:20"),
            hint,
        );
        refuses("fonts = [\"a.ttf\"]", &files, &format!("the font `a.ttf` {what} at pressrun.toml:12:10"), hint);
    }
    let what = "cannot read the font `a.ttf`: there is no such file at pressrun.toml:12:10";
    refuses("fonts = [\"a.ttf\"]", &[], what, NO_FILE);
    let armenian = [("a.ttf", fixture("fonts/NotoSansArmenian-Regular.ttf"))];
    let what = "the font `a.ttf` lacks some of the digits 0 to 9 at pressrun.toml:12:20";
    let hint = "name it in `fonts`, for characters that the carried fonts lack";
    refuses("font = { regular = \"a.ttf\" }", &armenian, what, hint);
    let what = "missing key `regular` in `[theme.font]` at pressrun.toml:12:1";
    let hint = "add `regular = …`: the file of what is read";
    refuses("font = { bold = \"a.ttf\" }", &armenian, what, hint);
    let nine = format!("fonts = [{}]", ["\"a.ttf\""; 9].join(", "));
    let hint = "keep those whose characters your partners' names need";
    refuses(&nine, &armenian, "`fonts` names 9 fonts, at most 8 may be at pressrun.toml:12:9", hint);
}

#[test]
fn the_look_of_one_partner_is_checked_where_it_is_written() {
    let what = "unknown key `paper` in `[theme.partners.1]` at pressrun.toml:12:1";
    let known = "known keys in `[theme.partners.1]`: `accent`, `font`, `fonts`, `grey`, `ink`, `logo`, `products`";
    let errors = |text: &str| folder(text, &[]).errors();
    assert_eq!(errors("[theme.partners.1]\npaper = \"a4\"\n"), [(what.to_owned(), known.to_owned())]);
    let what = "`*` is not a partner's id at pressrun.toml:11:17";
    let hint = "the look of all partners is `[theme]` itself";
    assert_eq!(errors("[theme.partners.\"*\"]\n"), [(what.to_owned(), hint.to_owned())]);
    let what = "cannot read the logo `no.png`: there is no such file at pressrun.toml";
    let found = errors("[theme.partners.1]\nlogo = \"no.png\"\n[theme.partners.2]\nlogo = \"no.png\"\n");
    let at = |place: &str| (format!("{what}{place}"), NO_FILE.to_owned());
    assert_eq!(found, [at(":12:8"), at(":14:8")]);
}

#[test]
fn a_partner_inherits_what_its_own_look_leaves_out() {
    let text = "[theme]\npaper = \"letter\"\nink = \"#222222\"\nlogo = \"a.png\"\nfonts = [\"a.ttf\"]\n\
        [theme.partners.\"1\"]\naccent = \"#8a1538\"\nfont = { regular = \"r.ttf\", bold = \"b.ttf\" }\n\
        [theme.partners.\"2\"]\nlogo = \"b.png\"\n";
    let files = [
        ("a.png", fixture("logos/plain.png")),
        ("b.png", fixture("logos/photo.jpg")),
        ("a.ttf", fixture("fonts/NotoSansArmenian-Regular.ttf")),
        ("r.ttf", fixture("fonts/NotoSerif-Regular.ttf")),
        ("b.ttf", fixture("fonts/NotoSerif-Bold.ttf")),
    ];
    let themes = folder(text, &files).load().unwrap_or_else(|errors| panic!("{errors}")).themes;
    let (one, two, other) = (themes.of("1"), themes.of("2"), themes.of("3"));
    assert_eq!(other, &themes.default);
    assert_eq!(one.accent, Colour(0x8a, 0x15, 0x38));
    assert_eq!((one.paper, one.ink, &one.logo), (other.paper, Colour(0x22, 0x22, 0x22), &other.logo));
    assert_eq!(one.fonts.more(), other.fonts.more());
    let [regular, semi_bold, bold] = one.fonts.main().unwrap();
    assert!(regular != bold && semi_bold == bold, "the bold one stands in for the semi-bold one");
    assert_eq!((two.accent, &two.fonts), (other.accent, &other.fonts));
    assert_ne!(two.logo, other.logo);
    let digests: BTreeMap<String, &str> =
        [("1", one), ("2", two), ("3", other)].map(|(id, theme)| (serde_json::to_string(theme).unwrap(), id)).into();
    assert_eq!(digests.len(), 3, "what a manifest's digest is taken of tells them apart");
    let logo = other.logo.as_ref().unwrap().digest().to_string();
    assert!(digests.keys().any(|text| text.contains(&logo) && text.len() < 2_000), "the digest, not the bytes");
}

#[test]
fn the_look_that_the_reference_shows_for_a_partner_is_taken() {
    let reference = std::fs::read_to_string(root().join("config/reference.toml")).unwrap();
    let (_, table) = reference.split_once("#[theme.partners.").unwrap();
    let colours = ["#ink", "#grey", "#accent", "#products"];
    let keys: Vec<&str> = table
        .lines()
        .filter(|line| colours.iter().any(|key| line.starts_with(key)))
        .map(|line| line.trim_start_matches('#'))
        .collect();
    assert_eq!(keys.len(), colours.len());
    let themes = folder(&format!("[theme.partners.1]\n{}\n", keys.join("\n")), &[]);
    assert_eq!(themes.errors(), []);
}
