//! The pictures of a mail: a micro chart for each key figure, whose meaning its alternative text holds.

use bytes::Bytes;

use super::Letter;
use crate::render::{Colour, Theme, chart};
use crate::report::{Kpi, Report};

/// How large a micro chart stands on the page, in its pixels.
pub(super) const SIZE: (u32, u32) = (240, 40);

/// The grounds it stands on, light and dark, as the shipped `body.html` has them.
const GROUNDS: [Colour; 2] = [Colour(0xf4, 0xf6, 0xf8), Colour(0x1d, 0x25, 0x30)];

/// The contrast that what is drawn needs to its ground (WCAG 2.2, 1.4.11).
const CONTRAST_MIN: f32 = 3.0;

/// A picture that goes with a mail.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Picture {
    /// By which the HTML names it, as in `cid:…`; without angle brackets.
    pub content_id: String,
    /// Its name, for programs that list it.
    pub file_name: String,
    /// A PNG.
    pub bytes: Bytes,
}

/// The name of the n-th key figure's picture; none where there is nothing to show, no words for it, or no mail yet.
pub(super) fn content_id(n: usize, kpi: &Kpi, letter: &Letter<'_>) -> Option<String> {
    // What a picture says must stand in words, too: editions archived by 0.1.0 have none for their charts.
    let is_told = !kpi.alt.is_empty() && kpi.trend.iter().any(Option::is_some);
    let message_id = letter.message_id.filter(|_| is_told)?;
    let safe = |letter: char| if letter.is_ascii_alphanumeric() || ".@_-".contains(letter) { letter } else { '-' };
    Some(format!("kpi-{n}.{message_id}").chars().map(safe).collect())
}

/// The pictures that the HTML names, drawn.
pub(super) fn shown(report: &Report, theme: &Theme, letter: &Letter<'_>, html: &str) -> Vec<Picture> {
    let colour = visible(theme.accent);
    let named = report.kpis().enumerate().filter_map(|(n, kpi)| Some((n, kpi, content_id(n, kpi, letter)?)));
    let named = named.filter(|(_, _, content_id)| html.contains(&format!("cid:{content_id}")));
    let draw = |(n, kpi, content_id): (usize, &Kpi, String)| Picture {
        content_id,
        file_name: format!("chart-{}.png", n + 1),
        bytes: chart::micro_png(&kpi.trend, kpi.trend_current, SIZE, colour).into(),
    };
    named.map(draw).collect()
}

/// A colour as near as may be to the house's that is seen on a light and on a dark card.
fn visible(accent: Colour) -> Colour {
    let darker = |percent: u32| {
        let part = |part: u8| u8::try_from(u32::from(part) * (100 - percent) / 100).unwrap_or(part);
        Colour(part(accent.0), part(accent.1), part(accent.2))
    };
    let tints = (0..=100_u8).map(|percent| accent.lighter(percent));
    let shades = (0..=100).map(darker);
    let is_seen = |colour: &Colour| GROUNDS.iter().all(|ground| colour.contrast(*ground) >= CONTRAST_MIN);
    tints.chain(shades).find(is_seen).unwrap_or(accent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_accent_is_seen_on_light_and_on_dark() {
        assert_eq!(visible(Theme::default().accent), Theme::default().accent);
        for accent in [0, 51, 102, 153, 204, 255].into_iter().flat_map(|red| {
            [0, 64, 128, 255].into_iter().flat_map(move |green| [0, 90, 180, 255].map(|blue| Colour(red, green, blue)))
        }) {
            let seen = visible(accent);
            assert!(GROUNDS.iter().all(|ground| seen.contrast(*ground) >= CONTRAST_MIN), "{accent:?} {seen:?}");
        }
    }
}
