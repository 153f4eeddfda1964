//! From raw to checked: the look, of all partners and of those that have their own.
//!
//! Logos and fonts are read and tried here, each file once, so that nothing is refused when a report is made.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use super::at::At;
use super::check::Check;
use super::raw::{RawFont, RawLook, RawTheme};
use super::source::{hint_for, read_bytes, reason};
use crate::base::{header_text, short_name};
use crate::render::chart::readable_on;
use crate::render::{Colour, FONT_BYTES_MAX, FontFile, FontSet, LOGO_BYTES_MAX, Logo, Theme, Themes};

/// How many partners may have a look of their own.
pub const PARTNER_THEMES_MAX: usize = 10_000;

/// How many further fonts a look may name.
const FONTS_MAX: usize = 8;
/// What all logos and fonts of a configuration may have together: 256 MiB.
const FILES_BYTES_MAX: u64 = 256 << 20;

/// The least contrast of text (WCAG 2.2, 1.4.3).
const TEXT_CONTRAST_MIN: f32 = 4.5;
/// The least contrast of what is drawn, and of the few large words on it (WCAG 2.2, 1.4.11 and 1.4.3).
const DRAWN_CONTRAST_MIN: f32 = 3.0;
/// The least contrast of a product's colour on white, below which its column is lost on the paper.
const PRODUCT_CONTRAST_MIN: f32 = 1.5;
/// The least contrast of two products that follow each other: they touch in columns, and grey print has nothing else.
const NEIGHBOUR_CONTRAST_MIN: f32 = 1.1;
/// The least difference of any two products, as CIE ΔE of 1976: far above what is just noticed, 2.3.
const PRODUCT_DIFFERENCE_MIN: f32 = 15.0;

/// The look of each partner.
pub(super) fn settings(raw: Option<RawTheme>, check: &mut Check<'_>) -> Themes {
    let Some(raw) = raw else { return Themes::default() };
    let paper = raw.paper.map(At::into_inner).unwrap_or_default();
    let RawTheme { ink, grey, accent, products, logo, font, fonts, .. } = raw;
    let look = RawLook { ink, grey, accent, products, logo, font, fonts };
    let mut files = Files::default();
    let default = theme(&Theme { paper, ..Theme::default() }, &look, &mut files, check);
    if let Some((partner, _)) = raw.partners.iter().nth(PARTNER_THEMES_MAX) {
        let what =
            format!("{} partners have a look of their own, at most {PARTNER_THEMES_MAX} may", raw.partners.len());
        check.wrong(partner.span(), what, "give the look that most partners have under `[theme]`");
    }
    let mut by_partner = BTreeMap::new();
    for (partner, look) in raw.partners.into_iter().take(PARTNER_THEMES_MAX) {
        if partner.get().is_empty() || partner.get() == "*" || partner.get().chars().any(char::is_control) {
            let what = format!("`{}` is not a partner's id", shown(partner.get()));
            check.wrong(partner.span(), what, "the look of all partners is `[theme]` itself");
        }
        let own = theme(&default, &look, &mut files, check);
        by_partner.insert(partner.into_inner(), Arc::new(own));
    }
    Themes { default, by_partner }
}

/// A look over the one that it inherits from.
fn theme(inherited: &Theme, look: &RawLook, files: &mut Files, check: &mut Check<'_>) -> Theme {
    let mut theme = inherited.clone();
    for (key, written, part) in [("ink", &look.ink, &mut theme.ink), ("grey", &look.grey, &mut theme.grey)] {
        if let Some((at, given)) = colour(written, check) {
            *part = given;
            let grounds = [("white", Colour::WHITE), ("the ground of cards", inherited.ground)];
            readable((key, at.span()), given, &grounds, TEXT_CONTRAST_MIN, check);
        }
    }
    if let Some((at, given)) = colour(&look.accent, check) {
        theme.accent = given;
        readable(("accent", at.span()), given, &[("white", Colour::WHITE)], DRAWN_CONTRAST_MIN, check);
    }
    if let Some(written) = &look.products
        && let Some(given) = products(written, theme.others, check)
    {
        theme.products = given;
    }
    labels(&theme, look, check);
    if let Some(at) = &look.logo
        && let Some(logo) = files.logo(at, check)
    {
        theme.logo = Some(logo);
    }
    if look.font.is_some() || look.fonts.is_some() {
        let main = look.font.as_ref().and_then(|font| family(font, files, check));
        let main = main.or_else(|| inherited.fonts.main().cloned());
        let more = look.fonts.as_ref().map(|fonts| further(fonts, files, check));
        theme.fonts = FontSet::new(main, more.unwrap_or_else(|| inherited.fonts.more().to_vec()));
    }
    theme
}

fn shown(text: &str) -> String {
    short_name(&header_text(text), 60)
}

/// A ratio as it is printed: cut, so that what fails never reads like what passes.
fn ratio(contrast: f32) -> String {
    format!("{:.2} : 1", (contrast * 100.0).floor() / 100.0)
}

/// The colour that is written as `#1f86b9`, if one is.
fn colour<'a>(written: &'a Option<At<String>>, check: &mut Check<'_>) -> Option<(&'a At<String>, Colour)> {
    let at = written.as_ref()?;
    let digits = at.get().strip_prefix('#').filter(|digits| digits.len() == 6);
    let number = digits
        .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
        .and_then(|digits| u32::from_str_radix(digits, 16).ok());
    let Some(number) = number else {
        let what = format!("`{}` is not a colour", shown(at.get()));
        check.wrong(at.span(), what, "`#` and six hexadecimal digits for red, green and blue, as in `#1f86b9`");
        return None;
    };
    let [_, red, green, blue] = number.to_be_bytes();
    Some((at, Colour(red, green, blue)))
}

fn readable(
    (key, span): (&str, Range<usize>),
    given: Colour,
    grounds: &[(&str, Colour)],
    least: f32,
    check: &mut Check<'_>,
) {
    if let Some((ground, on)) = grounds.iter().find(|(_, on)| given.contrast(*on) < least) {
        let contrast = ratio(given.contrast(*on));
        let what = format!(
            "`{}` for `{key}` has a contrast of {contrast} on {ground}, below {}",
            given.hex(),
            least_of(least)
        );
        check.wrong(span, what, "take a darker colour");
    }
}

fn least_of(contrast: f32) -> String {
    format!("{contrast} : 1")
}

/// Six colours that are seen on white and told apart.
fn products(written: &At<Vec<At<String>>>, others: Colour, check: &mut Check<'_>) -> Option<[Colour; 6]> {
    const HINT: &str = "take colours in steps of lightness, dark and light by turns";
    let mut given: Vec<(Range<usize>, Colour)> = Vec::new();
    for at in written.get() {
        // Only what is a colour is compared; what is none was noted.
        let Some((_, one)) = colour(&Some(at.clone()), check) else { continue };
        let hex = one.hex();
        let pale = one.contrast(Colour::WHITE);
        let before = given.last().map(|(_, before)| *before);
        let alike =
            given.iter().map(|(_, other)| (*other, other.hex())).chain([(others, "the grey of *Others*".to_owned())]);
        let alike = alike.into_iter().find(|(other, _)| one.difference(*other) < PRODUCT_DIFFERENCE_MIN);
        if pale < PRODUCT_CONTRAST_MIN {
            let least = least_of(PRODUCT_CONTRAST_MIN);
            let what = format!("`{hex}` for a product has a contrast of {} on white, below {least}", ratio(pale));
            check.wrong(at.span(), what, "take a darker colour");
        } else if let Some((other, name)) = alike {
            let name = if name.starts_with('#') { format!("`{name}`") } else { name };
            let apart = one.difference(other);
            let what = format!(
                "`{hex}` and {name} are too alike for two products: a ΔE of {apart:.1}, below {PRODUCT_DIFFERENCE_MIN}"
            );
            check.wrong(at.span(), what, HINT);
        } else if let Some(before) = before.filter(|before| one.contrast(*before) < NEIGHBOUR_CONTRAST_MIN) {
            let (contrast, least) = (ratio(one.contrast(before)), least_of(NEIGHBOUR_CONTRAST_MIN));
            let what = format!(
                "`{}` and `{hex}` follow each other and are one in grey print: a contrast of {contrast}, below {least}",
                before.hex()
            );
            check.wrong(at.span(), what, HINT);
        }
        given.push((at.span(), one));
    }
    if written.get().len() != 6 {
        let what = format!("`products` names {} colours, and six are needed", written.get().len());
        check.wrong(written.span(), what, "one for each of the largest products; what comes after them is grey");
    }
    given.into_iter().map(|(_, colour)| colour).collect::<Vec<_>>().try_into().ok()
}

/// Labels on products are white or ink, whichever reads better: one of the two must be read.
fn labels(theme: &Theme, look: &RawLook, check: &mut Check<'_>) {
    let ink = look.ink.as_ref().map(At::span);
    for (n, ground) in theme.products.into_iter().enumerate() {
        let contrast = readable_on(ground, theme.ink).contrast(ground);
        let own = look.products.as_ref().and_then(|products| products.get().get(n)).map(At::span);
        if let Some(span) = own.or_else(|| ink.clone()).filter(|_| contrast < DRAWN_CONTRAST_MIN) {
            let (hex, least) = (ground.hex(), least_of(DRAWN_CONTRAST_MIN));
            let what = format!(
                "neither white nor `ink` is read on the product's colour `{hex}`: a contrast of {}, below {least}",
                ratio(contrast)
            );
            check.wrong(span, what, "take a darker `ink`, or a darker or lighter colour for the product");
            return;
        }
    }
}

/// The three weights of a family; none when a file of it is refused.
fn family(font: &RawFont, files: &mut Files, check: &mut Check<'_>) -> Option<[FontFile; 3]> {
    let mut weight = |written: &Option<At<String>>| {
        let at = written.as_ref()?;
        let file = files.font(at, check);
        if file.as_ref().is_some_and(|file| !file.has_digits()) {
            let what = format!("the font `{}` lacks some of the digits 0 to 9", shown(at.get()));
            check.wrong(at.span(), what, "name it in `fonts`, for characters that the carried fonts lack");
        }
        file
    };
    let (regular, semi_bold, bold) = (weight(&font.regular)?, weight(&font.semi_bold), weight(&font.bold));
    let heavy = bold.clone().or_else(|| semi_bold.clone()).unwrap_or_else(|| regular.clone());
    Some([regular, semi_bold.unwrap_or_else(|| heavy.clone()), bold.unwrap_or(heavy)])
}

fn further(written: &At<Vec<At<String>>>, files: &mut Files, check: &mut Check<'_>) -> Vec<FontFile> {
    if written.get().len() > FONTS_MAX {
        let what = format!("`fonts` names {} fonts, at most {FONTS_MAX} may be", written.get().len());
        check.wrong(written.span(), what, "keep those whose characters your partners' names need");
    }
    written.get().iter().take(FONTS_MAX).filter_map(|at| files.font(at, check)).collect()
}

/// What is wrong with a file, and what to do about it.
type Refused = (String, &'static str);

/// Logos and fonts by their paths: many partners may name the same, and each is read and tried once.
#[derive(Default)]
struct Files {
    logos: BTreeMap<PathBuf, Result<Logo, Refused>>,
    fonts: BTreeMap<PathBuf, Result<FontFile, Refused>>,
    n_bytes: u64,
}

impl Files {
    fn logo(&mut self, at: &At<String>, check: &mut Check<'_>) -> Option<Logo> {
        let path = check.path(at);
        let n_bytes = &mut self.n_bytes;
        let read = || {
            let bytes = bytes("logo", &path, LOGO_BYTES_MAX, "save it smaller: 600 pixels wide are enough", n_bytes)?;
            Logo::new(bytes).map_err(|error| (format!("the logo `{}` {error}", path.display()), error.hint()))
        };
        taken(self.logos.entry(path.to_path_buf()).or_insert_with(read), at, check)
    }

    fn font(&mut self, at: &At<String>, check: &mut Check<'_>) -> Option<FontFile> {
        let path = check.path(at);
        let n_bytes = &mut self.n_bytes;
        let read = || {
            let bytes = bytes("font", &path, FONT_BYTES_MAX, "take a font of fewer scripts", n_bytes)?;
            FontFile::new(bytes).map_err(|error| (format!("the font `{}` {error}", path.display()), error.hint()))
        };
        taken(self.fonts.entry(path.to_path_buf()).or_insert_with(read), at, check)
    }
}

fn taken<T: Clone>(file: &Result<T, Refused>, at: &At<String>, check: &mut Check<'_>) -> Option<T> {
    let refused = |(what, hint): &Refused| check.wrong(at.span(), what.clone(), *hint);
    file.as_ref().map_err(refused).ok().cloned()
}

/// A file's bytes; `n_bytes` counts those of all files.
fn bytes(
    what: &str,
    path: &std::path::Path,
    max: u64,
    hint: &'static str,
    n_bytes: &mut u64,
) -> Result<Vec<u8>, Refused> {
    let name = path.display();
    let bytes = read_bytes(path, max)
        .map_err(|error| (format!("cannot read the {what} `{name}`: {}", reason(&error)), hint_for(&error)))?
        .ok_or_else(|| (format!("the {what} `{name}` has more than {max} bytes"), hint))?;
    *n_bytes += bytes.len() as u64;
    if *n_bytes > FILES_BYTES_MAX {
        let what = format!("with `{name}`, logos and fonts have more than {FILES_BYTES_MAX} bytes together");
        return Err((what, "name the same file where partners share a look"));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_are_too_large_together_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("logo.png");
        std::fs::write(&path, [0; 8]).unwrap();
        let mut n_bytes = FILES_BYTES_MAX - 8;
        assert!(bytes("logo", &path, 10, "", &mut n_bytes).is_ok());
        let (what, hint) = bytes("logo", &path, 10, "", &mut n_bytes).unwrap_err();
        assert!(what.ends_with("logo.png`, logos and fonts have more than 268435456 bytes together"), "{what}");
        assert_eq!(hint, "name the same file where partners share a look");
    }
}
