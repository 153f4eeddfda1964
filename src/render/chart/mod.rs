//! Charts drawn by plotters, on whatever backend it is given: the PDF's, or a bitmap for mails.
//!
//! Coordinates of a plotters backend are whole numbers; a point of paper has [`UNITS_PER_POINT`] of them, so every
//! length in here goes through [`units`].

mod axis;
mod bitmap;
mod columns;
mod donut;
mod map;
mod micro;
mod world;

use plotters::coord::Shift;
use plotters::drawing::{DrawingAreaErrorKind, IntoDrawingArea};
use plotters::prelude::{DrawingArea, DrawingBackend, IntoFont, RGBColor, TextStyle};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontStyle, ShapeStyle};

pub(crate) use bitmap::micro as micro_png;
pub(crate) use map::{bare, height as map_height, shade};

use super::{Colour, Theme};
use crate::base::Quantity;
use crate::report::{Columns, Donut, Map};

/// Units of a backend in a point of 1/72 inch.
pub(crate) const UNITS_PER_POINT: f32 = 10.0;

/// The family that text in charts asks its backend for.
pub(crate) const FAMILY: &str = "Inter";

/// The size of axis labels, in points.
const LABEL_SIZE: f32 = 7.5;

/// Something that plotters draws.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Picture<'r> {
    /// Stacked columns over months.
    Columns(&'r Columns),
    /// A ring of shares.
    Donut(&'r Donut),
    /// The world, shaded.
    Map(&'r Map),
    /// A course as a line that ends in a dot.
    Spark(&'r [Option<Quantity>], Colour),
    /// A course as small columns, one of which may be *current*.
    Micro(&'r [Option<Quantity>], Option<usize>),
}

impl Picture<'_> {
    /// Whether there is nothing to be seen: no value at all, or a ring of nothing.
    pub(crate) fn is_empty(&self) -> bool {
        let absent = |values: &[Option<Quantity>]| values.iter().all(Option::is_none);
        match self {
            Picture::Columns(chart) => {
                chart.months.is_empty() || chart.above.iter().chain(&chart.below).all(|series| absent(&series.values))
            }
            Picture::Donut(chart) => chart.slices.iter().all(|slice| slice.value <= Quantity::ZERO),
            Picture::Map(chart) => chart.values.is_empty(),
            Picture::Spark(values, _) | Picture::Micro(values, _) => absent(values),
        }
    }
}

type Area<DB> = DrawingArea<DB, Shift>;
type Drawn<DB> = Result<(), DrawingAreaErrorKind<<DB as DrawingBackend>::ErrorType>>;

/// Draws a picture over the whole of a backend.
///
/// # Errors
/// As the backend's.
pub(crate) fn draw<DB: DrawingBackend>(backend: DB, picture: Picture<'_>, theme: &Theme) -> Drawn<DB> {
    let area = backend.into_drawing_area();
    match picture {
        Picture::Columns(chart) => columns::draw(&area, chart, theme)?,
        Picture::Donut(chart) => donut::draw(&area, chart, theme)?,
        Picture::Map(chart) => map::draw(&area, chart, theme)?,
        Picture::Spark(values, colour) => micro::spark(&area, values, colour)?,
        Picture::Micro(values, current) => micro::columns(&area, values, current, theme)?,
    }
    area.present()
}

/// Points as a backend's units.
fn units(points: f32) -> i32 {
    (points * UNITS_PER_POINT).round() as i32
}

fn rgb(colour: Colour) -> RGBColor {
    RGBColor(colour.0, colour.1, colour.2)
}

fn filled(colour: Colour) -> ShapeStyle {
    rgb(colour).filled()
}

fn stroke(colour: Colour, points: f32) -> ShapeStyle {
    rgb(colour).stroke_width(units(points).unsigned_abs())
}

/// A label's style; `bold` is the semi-bold of the page.
fn label<'a>(colour: Colour, size: f32, bold: bool, horizontal: HPos, vertical: VPos) -> TextStyle<'a> {
    let style = if bold { FontStyle::Bold } else { FontStyle::Normal };
    let font = (FAMILY, f64::from(size * UNITS_PER_POINT), style).into_font();
    TextStyle { font, color: rgb(colour).to_backend_color(), pos: Pos::new(horizontal, vertical) }
}

/// White or ink, whichever reads better on a colour.
pub(crate) fn readable_on(ground: Colour, ink: Colour) -> Colour {
    if Colour::WHITE.contrast(ground) >= ink.contrast(ground) { Colour::WHITE } else { ink }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::convert::Infallible;
    use std::rc::Rc;

    use plotters_backend::{BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingErrorKind};

    use super::*;
    use crate::render::{sample_map, sample_report};
    use crate::report::{Block, Chart};

    /// Left, top, right and bottom of each text, and of everything else.
    type Boxed = (Vec<[i32; 4]>, Vec<[i32; 4]>);

    /// The same, while more are noted.
    type Boxes = Rc<RefCell<Boxed>>;

    /// A backend that notes where things are.
    struct Recorder {
        size: (u32, u32),
        boxes: Boxes,
    }

    type Noted = Result<(), DrawingErrorKind<Infallible>>;

    impl DrawingBackend for Recorder {
        type ErrorType = Infallible;

        fn get_size(&self) -> (u32, u32) {
            self.size
        }

        fn ensure_prepared(&mut self) -> Noted {
            Ok(())
        }

        fn present(&mut self) -> Noted {
            Ok(())
        }

        fn draw_pixel(&mut self, (x, y): BackendCoord, _color: BackendColor) -> Noted {
            self.boxes.borrow_mut().1.push([x, y, x + 1, y + 1]);
            Ok(())
        }

        fn draw_rect<S: BackendStyle>(&mut self, from: BackendCoord, to: BackendCoord, _: &S, _: bool) -> Noted {
            self.boxes.borrow_mut().1.push([from.0.min(to.0), from.1.min(to.1), from.0.max(to.0), from.1.max(to.1)]);
            Ok(())
        }

        fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, path: I, _: &S) -> Noted {
            self.boxes.borrow_mut().1.extend(path.into_iter().map(|(x, y)| [x, y, x, y]));
            Ok(())
        }

        fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, path: I, style: &S) -> Noted {
            self.draw_path(path, style)
        }

        fn draw_circle<S: BackendStyle>(&mut self, (x, y): BackendCoord, radius: u32, _: &S, _: bool) -> Noted {
            let radius = radius as i32;
            self.boxes.borrow_mut().1.push([x - radius, y - radius, x + radius, y + radius]);
            Ok(())
        }

        fn draw_text<S: BackendTextStyle>(&mut self, text: &str, style: &S, (x, y): BackendCoord) -> Noted {
            let (width, height) = self.estimate_text_size(text, style)?;
            let (width, height) = (width as i32, height as i32);
            let left = x - match style.anchor().h_pos {
                HPos::Left => 0,
                HPos::Center => width / 2,
                HPos::Right => width,
            };
            let top = y - match style.anchor().v_pos {
                VPos::Top => 0,
                VPos::Center => height / 2,
                VPos::Bottom => height,
            };
            self.boxes.borrow_mut().0.push([left, top, left + width, top + height]);
            Ok(())
        }

        fn estimate_text_size<S: BackendTextStyle>(
            &self,
            text: &str,
            style: &S,
        ) -> Result<(u32, u32), DrawingErrorKind<Infallible>> {
            let size = style.size();
            Ok(((text.chars().count() as f64 * size * 0.6) as u32, (size * 0.73) as u32))
        }
    }

    /// No label touches another, nothing leaves the picture, and something is drawn.
    fn check(picture: Picture<'_>, width: f32, height: f32) -> Boxed {
        let boxes = Boxes::default();
        let size = (units(width).unsigned_abs(), units(height).unsigned_abs());
        draw(Recorder { size, boxes: Rc::clone(&boxes) }, picture, &Theme::default()).unwrap();
        let (texts, shapes) = boxes.take();
        assert!(!shapes.is_empty(), "{picture:?}");
        for [left, top, right, bottom] in texts.iter().chain(&shapes) {
            let is_inside = *left >= -1 && *top >= -1 && *right <= size.0 as i32 + 1 && *bottom <= size.1 as i32 + 1;
            assert!(is_inside, "{left} {top} {right} {bottom} of {size:?}: {picture:?}");
        }
        for (n, [l, t, r, b]) in texts.iter().enumerate() {
            for [left, top, right, bottom] in &texts[..n] {
                assert!(l >= right || left >= r || t >= bottom || top >= b, "{l} {t} on {left} {top}: {picture:?}");
            }
        }
        (texts, shapes)
    }

    #[test]
    fn no_label_touches_another_and_nothing_leaves_the_picture() {
        let mut n_charts = 0;
        for n_months in [1, 2, 3, 12, 13, 36, 60] {
            let report = sample_report::full(n_months);
            for block in report.sections.iter().flat_map(|section| &section.blocks) {
                match block {
                    Block::Chart(Chart::Columns(chart)) => {
                        for (width, height) in [(515.0, 184.0), (250.0, 90.0), (161.0, 90.0)] {
                            check(Picture::Columns(chart), width, height);
                            let zeros = |series: &crate::report::Series| crate::report::Series {
                                values: series.values.iter().map(|_| Some(Quantity::ZERO)).collect(),
                                ..series.clone()
                            };
                            let zero = Columns {
                                above: chart.above.iter().map(zeros).collect(),
                                below: chart.below.iter().map(zeros).collect(),
                                ..chart.clone()
                            };
                            check(Picture::Columns(&zero), width, height);
                        }
                    }
                    Block::Chart(Chart::Map(chart)) => drop(check(Picture::Map(chart), 515.0, 236.0)),
                    Block::Chart(Chart::Donut(chart)) => drop(check(Picture::Donut(chart), 126.0, 126.0)),
                    Block::Kpis(kpis) => {
                        for kpi in kpis {
                            check(Picture::Micro(&kpi.trend, kpi.trend_current), 140.0, 35.0);
                            check(Picture::Spark(&kpi.trend, Theme::default().accent), 40.0, 12.0);
                        }
                    }
                    _ => continue,
                }
                n_charts += 1;
            }
        }
        assert_eq!(n_charts, 7 * 4);
    }

    #[test]
    fn a_map_stays_in_its_picture_and_takes_few_points_with_one_market_or_all_of_them() {
        for n_markets in [1, 6, 60, 200, 250] {
            let map = sample_map::map(n_markets);
            // Across the page, in a panel, too high and too wide.
            for (width, height) in [(515.0, map_height(515.0)), (161.0, 74.0), (100.0, 400.0), (515.0, 50.0)] {
                let (texts, shapes) = check(Picture::Map(&map), width, height);
                assert!(texts.is_empty() && (3000..6200).contains(&shapes.len()), "{} points", shapes.len());
            }
        }
        assert!(!Picture::Map(&sample_map::map(1)).is_empty() && Picture::Map(&sample_map::map(0)).is_empty());
    }

    #[test]
    fn shades_are_told_apart_in_grey_and_from_bare_land() {
        let theme = Theme::default();
        // Luma of ITU-R BT.601: what a grey printer makes of a colour.
        let luma =
            |colour: Colour| (299 * u32::from(colour.0) + 587 * u32::from(colour.1) + 114 * u32::from(colour.2)) / 1000;
        for n_classes in 1..=5 {
            let mut lumas = vec![luma(bare(&theme))];
            lumas.extend((0..n_classes).map(|n| luma(shade(n, n_classes, &theme))));
            assert!(lumas.windows(2).all(|pair| pair[0] >= pair[1] + 25), "{lumas:?}");
            assert!(luma(Colour(255, 255, 255)) >= lumas[0] + 15, "{lumas:?}");
        }
    }

    #[test]
    fn labels_on_products_and_words_on_their_grounds_are_readable() {
        let theme = Theme::default();
        for ground in theme.products.into_iter().chain([theme.others]) {
            let ratio = readable_on(ground, theme.ink).contrast(ground);
            assert!(ratio >= 4.0, "{ground:?} {ratio}");
        }
        for ink in [theme.ink, theme.grey, theme.rise, theme.fall] {
            assert!(ink.contrast(Colour::WHITE) >= 4.5 && ink.contrast(theme.ground) >= 4.5, "{ink:?}");
        }
    }
}
