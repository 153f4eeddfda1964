//! What changed since the edition that the reader got before, read back against both editions.

use chrono::DateTime;

use super::*;
use crate::base::{EditionId, Period, Range};
use crate::report::words::since;
use crate::report::{Block, Compared, Head, Kpi, Report, Section, SectionKind};

/// An edition about a month with one key figure.
fn edition(month: Month, revision: u32, current: Option<Quantity>, coverage: &str) -> Report {
    let period = Period::month(month);
    let head = Head {
        edition: EditionId::of("monthly", period, "1|executive|organization|en", revision),
        revision,
        title: "Product licenses".into(),
        partner_id: "1".into(),
        partner_name: "Example".into(),
        role: "Executive report viewer".into(),
        scope: "Entire organization".into(),
        language: "en".into(),
        period,
        range: Range::ending_with(period, 12),
        compared: Some(Compared { first: period.first(), last: period.last() }),
        preliminary: None,
        correction: None,
        data_at: DateTime::from_timestamp(1_795_226_400, 0).unwrap(),
        contact: String::new(),
        products: vec![],
    };
    let kpi = Kpi {
        key: "licenses".into(),
        label: "Licenses".into(),
        note: String::new(),
        current,
        growth: Growth::Absent,
        growth_note: String::new(),
        trend: vec![],
        trend_current: None,
        coverage: coverage.into(),
        alt: String::new(),
    };
    let blocks = vec![Block::Kpis(vec![kpi])];
    let summary = Section { kind: SectionKind::Summary, title: String::new(), lead: String::new(), blocks };
    Report { head, sections: vec![summary] }
}

fn told(now: &Report, before: &Report) -> String {
    since(now, now.kpis().next().unwrap(), before)
}

/// Reads the edition as it must be named.
fn read_edition(reader: &mut Reader<'_>, now: &Report, before: &Report) {
    if now.head.period == before.head.period {
        reader.expect("revision ");
        assert_eq!(reader.count(), before.head.revision as usize);
        reader.expect(", which you got before");
    } else {
        reader.expect("your last edition");
    }
}

/// Reads the sentence and holds each of its claims against both editions.
fn check(now: &Report, before: &Report) {
    let text = told(now, before);
    let [(figure, coverage), (was, coverage_before)] = [now, before].map(|report| {
        let kpi = report.kpis().next().unwrap();
        (kpi.current, kpi.coverage.clone())
    });
    let (Some(month), Some(month_before)) = (now.head.compared, before.head.compared) else {
        return assert_eq!(text, "");
    };
    let (month, month_before) = (month.last, month_before.last);
    let mut reader = Reader::new(&text);
    let figure_before = |reader: &mut Reader<'_>| {
        assert_eq!(Some(reader.number()), was, "{text}");
        reader.expect(" in ");
        assert_eq!(reader.month(), month_before, "{text}");
    };
    let (figure, was) = match (figure, was) {
        (None, None) => return assert_eq!(text, ""),
        (Some(_), None) => {
            reader.expect("not known in ");
            read_edition(&mut reader, now, before);
            return reader.end();
        }
        (figure, Some(_)) if figure.is_none() || coverage != coverage_before => {
            read_edition(&mut reader, now, before);
            reader.expect(" said ");
            figure_before(&mut reader);
            assert_eq!(reader.eat(", counted over different products"), figure.is_some(), "{text}");
            return reader.end();
        }
        (figure, was) => (figure.unwrap(), was.unwrap()),
    };
    if reader.eat("as in ") {
        assert_eq!(figure, was, "{text}");
        read_edition(&mut reader, now, before);
        if month == month_before {
            return reader.end();
        }
    } else {
        let difference = reader.number();
        let sign = reader.one_of(&[(" more than in ", 1), (" fewer than in ", -1)]);
        assert_eq!(was + if sign == 1 { difference } else { -difference }, figure, "{text}");
        assert!(difference > Quantity::ZERO, "{text}");
        read_edition(&mut reader, now, before);
    }
    reader.expect(": ");
    figure_before(&mut reader);
    reader.end();
}

#[test]
fn the_change_since_the_last_edition_reads_well() {
    let whole = |n| Some(Quantity::whole(n));
    let october = start().plus(59);
    let now = edition(october, 2, whole(173_682), "");
    for (before, expected) in [
        (
            edition(october.prev(), 1, whole(173_000), ""),
            "682 more than in your last edition: 173,000 in September 2026",
        ),
        (
            edition(october.prev(), 1, whole(173_683), ""),
            "1 fewer than in your last edition: 173,683 in September 2026",
        ),
        (edition(october.prev(), 3, whole(173_682), ""), "as in your last edition: 173,682 in September 2026"),
        (edition(october.prev(), 1, None, ""), "not known in your last edition"),
        (edition(october, 1, whole(173_682), ""), "as in revision 1, which you got before"),
        (
            edition(october, 1, whole(170_000), ""),
            "3,682 more than in revision 1, which you got before: 170,000 in October 2026",
        ),
        (
            edition(october.prev(), 1, whole(9), "without Power BI"),
            "your last edition said 9 in September 2026, counted over different products",
        ),
    ] {
        assert_eq!(told(&now, &before), expected);
    }
    let mut without = edition(october.prev(), 1, whole(5), "");
    without.head.compared = None;
    assert_eq!(told(&now, &without), "");
    without.sections.clear();
    assert_eq!(told(&now, &without), "", "a figure that was not there is compared with nothing");
}

proptest! {
    #[test]
    fn no_change_is_claimed_that_two_editions_do_not_bear_out(
        figures in (prop::option::weighted(0.85, figure()), prop::option::weighted(0.85, figure())),
        back in 0_i32..3,
        covered in (prop::bool::weighted(0.2), prop::bool::weighted(0.2)),
        is_compared in prop::bool::weighted(0.9),
    ) {
        let coverage = |is_partial| if is_partial { "without Power BI" } else { "" };
        let now = edition(start().plus(12), 2, figures.0, coverage(covered.0));
        let mut before = edition(start().plus(12 - back), 1, figures.1, coverage(covered.1));
        before.head.compared = before.head.compared.filter(|_| is_compared);
        check(&now, &before);
    }
}
