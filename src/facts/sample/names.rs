//! The words of the sample: invented companies, and names that a report must bear.

use super::mix::Mix;

const STEMS: [&str; 16] = [
    "Vel", "Quor", "Tarn", "Brem", "Osk", "Miv", "Zalt", "Fenn", "Lyrr", "Drov", "Kesh", "Jund", "Plim", "Sarv", "Ubr",
    "Wexl",
];

const ENDINGS: [&str; 12] =
    ["omora", "istrel", "adune", "avik", "olune", "ibarra", "etisk", "onovo", "agrin", "ulla", "emond", "iquil"];

const TRADES: [&str; 18] = [
    "Textiles",
    "Logistics",
    "Foods",
    "Clinics",
    "Instruments",
    "Orchards",
    "Shipping",
    "Glassworks",
    "Housing",
    "Academy",
    "Insurance",
    "Energy",
    "Bakeries",
    "Printing",
    "Museums",
    "Rail",
    "Ceramics",
    "Water",
];

const IT_TRADES: [&str; 8] =
    ["Networks", "Cloud", "Systems", "Digital", "Software", "Consulting", "Data Works", "IT Services"];

/// Names in many scripts and of many shapes, each of which has broken some report.
pub(super) const ODD: [&str; 20] = [
    "Ærøskvist Måleværk ApS",
    "Żółtowik i Ćmielnik Sp. z o.o.",
    "Công ty Lá Thuyền Đỏ Velomora",
    "ООО «Велмора Пряжа»",
    "Βελμόρα Υφαντουργία Α.Ε.",
    "شركة فلمورا للمنسوجات",
    "ולמורה טקסטיל בע״מ",
    "वेलमोरा वस्त्र प्राइवेट लिमिटेड",
    "บริษัท เวลโมร่า สิ่งทอ จำกัด",
    "维尔莫拉纺织有限公司",
    "ヴェルモラ織物株式会社",
    "벨모라 직물 주식회사",
    TWO_HUNDRED,
    "Drovetisk <r>x</r> Studios",
    "=SUM(A1:A9) Plimonovo",
    "Kesholune \"Nord\", Söhne & Co.",
    "Oskavik: Süd",
    "Oskavik/ Süd",
    "Sarvemond\u{2014}O\u{2019}Brienavik",
    "+44 Jundulla",
];

/// A name of 200 characters.
const TWO_HUNDRED: &str = concat!(
    "The Worshipful Fellowship of Velomora Weavers, Dyers, Fullers, Spinners, Carders, Combers, Shearers, ",
    "Feltmakers, Lacemakers, Ropers and Sailmakers of the Upper or Lower Quoristrel Valley, Incorporated",
);

/// Markets by the names Partner Center gives them, the larger ones first.
pub(super) const MARKETS: [&str; 60] = [
    "United States",
    "United Kingdom",
    "Germany",
    "Japan",
    "France",
    "Canada",
    "Australia",
    "Netherlands",
    "India",
    "Brazil",
    "Italy",
    "Spain",
    "Sweden",
    "Switzerland",
    "Norway",
    "Denmark",
    "Belgium",
    "Poland",
    "Mexico",
    "Austria",
    "Ireland",
    "Finland",
    "Singapore",
    "South Africa",
    "New Zealand",
    "Portugal",
    "Czechia",
    "Hong Kong SAR",
    "Türkiye",
    "United Arab Emirates",
    "Korea",
    "Taiwan",
    "Israel",
    "Saudi Arabia",
    "Greece",
    "Hungary",
    "Romania",
    "Thailand",
    "Malaysia",
    "Indonesia",
    "Philippines",
    "Vietnam",
    "Argentina",
    "Chile",
    "Colombia",
    "Peru",
    "Egypt",
    "Nigeria",
    "Kenya",
    "Morocco",
    "Qatar",
    "Kuwait",
    "Ukraine",
    "Slovakia",
    "Croatia",
    "Slovenia",
    "Bulgaria",
    "Estonia",
    "Côte d'Ivoire",
    "Costa Rica",
];

/// Customer segments with their top segment and what Partner Center calls the area (EOU).
pub(super) const SEGMENTS: [(&str, &str, &str); 6] = [
    ("Small, Medium & Corporate Commercial", "SMC", "SMC Commercial"),
    ("Small, Medium & Corporate Commercial", "SMC", "SMC Commercial"),
    ("Small, Medium & Corporate Education", "SMC", "SMC Education"),
    ("Small, Medium & Corporate Public Sector", "SMC", "SMC Public Sector"),
    ("Major Commercial", "Enterprise", "Enterprise Commercial"),
    ("Major Public Sector", "Enterprise", "Enterprise Public Sector"),
];

/// Industries with their verticals; one has a line end inside, as exports do.
pub(super) const INDUSTRIES: [(&str, &str); 8] = [
    ("Manufacturing & Resources", "Discrete Manufacturing"),
    ("Retail & Consumer Goods", "Retailers"),
    ("Health", "Health Provider"),
    ("Education", "Higher Education"),
    ("Government", "Local Government"),
    ("Financial Services", "Insurance"),
    ("Professional\nServices", "Partner Professional Services"),
    ("UNKNOWN", ""),
];

/// Sales channels as `SalesChannel` has them, with the usage data sets' `DetailedSalesModel`.
pub(super) const CHANNELS: [(&str, &str); 6] = [
    ("CSP", "Direct/CSP"),
    ("CSP", "Direct/CSP"),
    ("CSP indirect", "Indirect/CSP"),
    ("EA", "Enterprise Agreement"),
    ("Direct", "Direct"),
    ("Open", "Open License"),
];

/// How partners are attached to licenses; whoever sells is drawn first.
pub(super) const SELLING: [&str; 4] =
    ["CSP Tier 1", "CSP Tier 2", "Transacting Partner of Record", "Partner as end-customer"];

/// How a second partner account is attached to the same license.
pub(super) const ADVISING: [&str; 5] =
    ["Partner Admin Link", "Partner of Record", "DPOR", "Claiming Partner of Record (CPOR)", "Advisor"];

/// Partner Center's order of attach types, by which one of several rows counts.
const ATTACH_ORDER: [&str; 9] = [
    "Partner Admin Link",
    "Transacting Partner of Record",
    "Partner of Record",
    "DPOR",
    "CSP Tier 1",
    "CSP Tier 2",
    "Partner as end-customer",
    "Claiming Partner of Record (CPOR)",
    "Advisor",
];

/// The place of an attach type in that order; lower wins.
pub(super) fn attach_place(attach: &str) -> usize {
    ATTACH_ORDER.iter().position(|one| *one == attach).unwrap_or(ATTACH_ORDER.len())
}

/// The name of a partner's customer: every third is an odd one, until all are used.
pub(super) fn customer(partner_no: usize, customer_no: usize, mix: &mut Mix) -> String {
    if customer_no % 3 == 1 && customer_no < 3 * ODD.len() {
        return ODD[(customer_no / 3 + partner_no) % ODD.len()].to_owned();
    }
    format!("{} {}", invented(mix.below(STEMS.len()), mix.below(ENDINGS.len())), mix.pick(&TRADES))
}

/// The name of a partner beyond the first twelve, with its number, which keeps it apart from the others.
pub(super) fn partner(partner_no: usize) -> String {
    let mut mix = Mix::of(&[partner_no as u64, 1]);
    let name = invented(mix.below(STEMS.len()), mix.below(ENDINGS.len()));
    format!("{name} {} {partner_no}", mix.pick(&IT_TRADES))
}

fn invented(stem: usize, ending: usize) -> String {
    format!("{}{}", STEMS[stem], ENDINGS[ending])
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::base::Market;

    #[test]
    fn the_long_name_has_200_characters() {
        assert_eq!(TWO_HUNDRED.chars().count(), 200);
    }

    #[test]
    fn the_markets_are_sixty_countries_or_regions() {
        let codes: HashSet<Market> = MARKETS.iter().map(|name| name.parse().unwrap()).collect();
        assert_eq!(codes.len(), 60);
        assert!(!codes.contains(&Market::UNKNOWN));
    }

    #[test]
    fn odd_names_come_in_every_script_that_was_asked_for() {
        for (script, range) in [
            ("Cyrillic", '\u{400}'..='\u{4FF}'),
            ("Greek", '\u{370}'..='\u{3FF}'),
            ("Arabic", '\u{600}'..='\u{6FF}'),
            ("Hebrew", '\u{590}'..='\u{5FF}'),
            ("Devanagari", '\u{900}'..='\u{97F}'),
            ("Thai", '\u{E00}'..='\u{E7F}'),
            ("Chinese", '\u{4E00}'..='\u{9FFF}'),
            ("Japanese", '\u{30A0}'..='\u{30FF}'),
            ("Korean", '\u{AC00}'..='\u{D7AF}'),
            ("diacritics", '\u{C0}'..='\u{17F}'),
        ] {
            assert!(ODD.iter().any(|name| name.chars().any(|letter| range.contains(&letter))), "{script}");
        }
    }
}
