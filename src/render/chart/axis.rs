//! Axes: round ticks, and month labels that never touch.

use crate::base::{Month, Quantity};

/// An axis of values: from `low` to `high`, with a line at each tick.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Axis {
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) ticks: Vec<Quantity>,
}

/// An axis that holds zero, `max` above it and `min` below it, with at most `n_steps_max` round steps.
///
/// The upper end is a tick. The lower end is one too when the values reach more than half of its step; else the
/// axis ends with the values, so that a few removed licenses do not push a chart of many added ones upwards.
pub(super) fn axis(min: Quantity, max: Quantity, n_steps_max: i128) -> Axis {
    let (min, max) = (i128::from(min.millionths()).min(0), i128::from(max.millionths()).max(0));
    if min == 0 && max == 0 {
        return Axis { low: 0.0, high: 1.0, ticks: vec![Quantity::ZERO, Quantity::whole(1)] };
    }
    let step = step(max - min, n_steps_max);
    let upper = (max + step - 1) / step;
    let lower = (min.abs() + step / 2) / step;
    let quantity = |millionths: i128| {
        Quantity::from_millionths(i64::try_from(millionths).unwrap_or(if millionths < 0 { i64::MIN } else { i64::MAX }))
    };
    let ticks: Vec<Quantity> = (-lower..=upper).map(|n| quantity(n * step)).collect();
    let low = quantity((-lower * step).min(min)).to_f64();
    Axis { low, high: quantity(upper * step).to_f64(), ticks }
}

/// The smallest of 1, 2, 2.5 or 5 times a power of ten (in millionths) of which `n` cover the span.
fn step(span: i128, n: i128) -> i128 {
    let mut power = 1;
    loop {
        // 2.5 millionths do not exist.
        let quarter = if power >= 10 { power * 5 / 2 } else { power * 5 };
        if let Some(step) = [power, power * 2, quarter, power * 5].into_iter().find(|step| step * n >= span) {
            return step;
        }
        power *= 10;
    }
}

/// A label below a column.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct MonthLabel {
    /// Which month it stands for.
    pub(super) index: usize,
    pub(super) text: String,
}

/// As many month labels as fit: the year stands at the first label and wherever a new year begins.
///
/// `span` says where a label of a month would begin and end, `gap` is the least between two, all in the same unit.
pub(super) fn month_labels(months: &[Month], gap: f32, span: impl Fn(&MonthLabel) -> (f32, f32)) -> Vec<MonthLabel> {
    for stride in [1, 2, 3, 4, 6, 12, 24, 60] {
        let labels = labels_of(months, stride);
        if labels.windows(2).all(|pair| span(&pair[0]).1 + gap <= span(&pair[1]).0) {
            return labels;
        }
    }
    labels_of(months, months.len().max(1))
}

fn labels_of(months: &[Month], stride: usize) -> Vec<MonthLabel> {
    let mut year = None;
    months
        .iter()
        .enumerate()
        .step_by(stride)
        .map(|(index, month)| {
            let is_new = year.replace(month.year()) != Some(month.year());
            let text = if is_new { month.short() } else { month.abbreviation().to_owned() };
            MonthLabel { index, text }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticks(min: &str, max: &str, n: i128) -> (Vec<String>, f64) {
        let axis = axis(min.parse().unwrap(), max.parse().unwrap(), n);
        assert!(axis.low <= min.parse::<f64>().unwrap() && axis.high >= max.parse::<f64>().unwrap());
        (axis.ticks.iter().map(|tick| tick.to_string()).collect(), axis.low)
    }

    #[test]
    fn ticks_are_round_and_hold_the_values() {
        for (min, max, n, expected, low) in [
            ("-1000", "2540", 4, &["-1000", "0", "1000", "2000", "3000"][..], -1000.0),
            ("0", "1990", 4, &["0", "500", "1000", "1500", "2000"], 0.0),
            ("-40", "190", 3, &["0", "100", "200"], -40.0),
            ("-300", "95", 3, &["-400", "-200", "0", "200"], -400.0),
            ("0", "0.469", 2, &["0", "0.25", "0.5"], 0.0),
            ("0", "0", 4, &["0", "1"], 0.0),
            ("0", "247616265", 4, &["0", "100000000", "200000000", "300000000"], 0.0),
            ("0", "0.000001", 4, &["0", "0.000001"], 0.0),
        ] {
            let expected: Vec<String> = expected.iter().map(|tick| (*tick).to_owned()).collect();
            assert_eq!(ticks(min, max, n), (expected, low), "{min} {max}");
        }
        // Whatever the size, there are some ticks and not too many.
        for exponent in 0..19 {
            let max = Quantity::from_millionths(7 * 10_i64.pow(exponent.min(17)));
            let n = axis(Quantity::ZERO, max, 4).ticks.len();
            assert!((2..=6).contains(&n), "{max} {n}");
        }
    }

    #[test]
    fn month_labels_never_touch_and_say_each_year_once() {
        let months: Vec<Month> = (0..60).map(|n| Month::new(2021, 11).unwrap().plus(n)).collect();
        let width = |text: &str| text.len() as f32 * 4.0;
        let span = |label: &MonthLabel, slot: f32| {
            let (x, half) = (label.index as f32 * slot, width(&label.text) / 2.0);
            (x - half, x + half)
        };
        for n in [1, 2, 12, 13, 36, 60] {
            for slot in [4.0, 8.0, 17.0, 40.0, 100.0] {
                let labels = month_labels(&months[..n], 4.0, |label| span(label, slot));
                assert_eq!(labels[0].text, "Nov 2021");
                let mut right = f32::MIN;
                for label in &labels {
                    let (x, half) = (label.index as f32 * slot, width(&label.text) / 2.0);
                    assert!(x - half >= right + 4.0 || labels.len() == 1, "{n} {slot} {labels:?}");
                    right = x + half;
                }
            }
        }
        let texts: Vec<String> =
            month_labels(&months[..4], 4.0, |label| span(label, 100.0)).into_iter().map(|l| l.text).collect();
        assert_eq!(texts, ["Nov 2021", "Dec", "Jan 2022", "Feb"]);
    }
}
