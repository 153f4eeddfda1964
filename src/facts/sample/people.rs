//! The sample's partners: accounts, locations, and who gets their report.

use super::mix::Mix;
use super::{PARTNERS_MAX, SampleSize, names};

/// A partner of the sample, an account with its location accounts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SamplePartner {
    /// Its PartnerID, seven digits.
    pub id: String,
    /// Its name; invented, and odd for some.
    pub name: String,
    /// Its location accounts, two to five.
    pub locations: Vec<SampleLocation>,
    /// Who gets its report.
    pub people: Vec<SampleRecipient>,
}

/// A location account of a partner.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SampleLocation {
    /// Its PartnerID, seven digits.
    pub id: String,
    /// Where it is, as in `Aarhus, DK`.
    pub name: String,
}

/// Somebody who gets a report, at an address that cannot exist (RFC 2606: `.example`).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SampleRecipient {
    /// The address.
    pub address: String,
    /// The person's name.
    pub name: String,
    /// The role's key, as in `executive-report-viewer`.
    pub role: String,
    /// The ids of the locations the role is given for; none for the entire organization.
    pub locations: Vec<String>,
}

/// What is odd about a partner's files.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Quirk {
    None,
    /// It has Dynamics 365 subscriptions but no DynamicsUsage rows: two measures of the product are absent.
    NoDynamicsUsage,
    /// More Power BI licenses are in use than it sold.
    PowerBiAboveHundred,
    /// Its usage files count seats otherwise than its subscriptions do: precedence decides.
    SeatsDisagree,
}

/// What a partner's rows are drawn by.
pub(super) struct Plan {
    /// How many rows it has over all files and months, about and at most, were there 14 months.
    pub(super) n_rows_max: usize,
    /// Growth a month in thousandths.
    pub(super) pace: i64,
    pub(super) quirk: Quirk,
}

type Known = (&'static str, &'static str, &'static [(&'static str, &'static str)], Plan);

const fn plan(n_rows_max: usize, pace: i64, quirk: Quirk) -> Plan {
    Plan { n_rows_max, pace, quirk }
}

/// The default partners; their sizes are a geometric row from about 40 to 40,000, shuffled.
const KNOWN: [Known; 12] = [
    (
        "Ørskovik Digital",
        "orskovik",
        &[("Aarhus", "DK"), ("København", "DK"), ("Malmö", "SE")],
        plan(3_243, 11, Quirk::None),
    ),
    (
        "Bremavik Cloud Group",
        "bremavik",
        &[("London", "GB"), ("Chicago", "US"), ("Singapore", "SG"), ("Sydney", "AU"), ("São Paulo", "BR")],
        plan(40_000, 13, Quirk::None),
    ),
    ("Tarnadune IT", "tarnadune", &[("Dublin", "IE"), ("Cork", "IE")], plan(64, 4, Quirk::None)),
    ("株式会社ケショルネ", "kesholune", &[("Tokyo", "JP"), ("Osaka", "JP")], plan(924, 9, Quirk::PowerBiAboveHundred)),
    (
        "Quoristrel Systems",
        "quoristrel",
        &[("Toronto", "CA"), ("Montréal", "CA"), ("Seattle", "US"), ("Monterrey", "MX")],
        plan(11_384, 15, Quirk::None),
    ),
    (
        "Plimonovo Servicios",
        "plimonovo",
        &[("Madrid", "ES"), ("Bilbao", "ES"), ("Porto", "PT")],
        plan(263, 6, Quirk::None),
    ),
    (
        "Drovagrin Solutions",
        "drovagrin",
        &[("Warszawa", "PL"), ("Kraków", "PL"), ("Praha", "CZ")],
        plan(1_731, 8, Quirk::NoDynamicsUsage),
    ),
    (
        "شركة فلمورا للحوسبة",
        "velmora",
        &[("Dubai", "AE"), ("Riyadh", "SA"), ("Cairo", "EG"), ("Doha", "QA")],
        plan(21_330, 18, Quirk::None),
    ),
    ("=Zaltetisk Office", "zaltetisk", &[("Wien", "AT"), ("Graz", "AT")], plan(92, 2, Quirk::None)),
    (
        "Lyrremond Conseil",
        "lyrremond",
        &[("Lyon", "FR"), ("Lille", "FR"), ("Liège", "BE"), ("Genève", "CH")],
        plan(6_076, -9, Quirk::None),
    ),
    ("Ubriquil Technologies", "ubriquil", &[("Pune", "IN"), ("Bengaluru", "IN")], plan(140, 12, Quirk::None)),
    ("Wexlulla Services", "wexlulla", &[("Durban", "ZA"), ("Nairobi", "KE")], plan(493, 7, Quirk::SeatsDisagree)),
];

/// Sizes of the partners beyond; half of them have 320 rows or fewer.
const FURTHER_ROWS: [usize; 7] = [110, 320, 180, 900, 320, 260, 560];

const CITIES: [(&str, &str); 12] = [
    ("Leeds", "GB"),
    ("Denver", "US"),
    ("Hamburg", "DE"),
    ("Utrecht", "NL"),
    ("Turin", "IT"),
    ("Bergen", "NO"),
    ("Tampere", "FI"),
    ("Sapporo", "JP"),
    ("Perth", "AU"),
    ("Recife", "BR"),
    ("Nagpur", "IN"),
    ("Calgary", "CA"),
];

const PEOPLE: [(&str, &str); 12] = [
    ("Åsa Lindqvist", "asa.lindqvist"),
    ("Tomás Arriaga", "tomas.arriaga"),
    ("Mei Tanaka", "mei.tanaka"),
    ("Oluwaseun Adeyemi", "oluwaseun.adeyemi"),
    ("Noor Haddad", "noor.haddad"),
    ("Jürgen Weiß", "juergen.weiss"),
    ("Élodie Marchand", "elodie.marchand"),
    ("Ravi Kulkarni", "ravi.kulkarni"),
    ("Siobhán Keane", "siobhan.keane"),
    ("Katarzyna Zielińska", "katarzyna.zielinska"),
    ("Grace Mbeki", "grace.mbeki"),
    ("Ivan Horák", "ivan.horak"),
];

/// The partners of a sample, in the order their rows are written; no more than [`PARTNERS_MAX`].
pub fn partners(size: &SampleSize) -> Vec<SamplePartner> {
    (0..size.n_partners.min(PARTNERS_MAX)).map(partner).collect()
}

/// The distributor that all partners of a distributor's sample buy through; they are its resellers.
pub fn distributor() -> SamplePartner {
    let cities = [("Rotterdam", "NL"), ("Leipzig", "DE"), ("Gdańsk", "PL")];
    let locations = locations(BASE_DISTRIBUTOR, &cities);
    let people = people(PARTNERS_MAX, "sarviquil", &locations);
    SamplePartner { id: BASE_DISTRIBUTOR.to_string(), name: "Sarviquil Distribution".to_owned(), locations, people }
}

/// The partner of a number.
pub(super) fn partner(no: usize) -> SamplePartner {
    let base = id_base(no);
    let (name, slug, locations) = match KNOWN.get(no) {
        Some((name, slug, cities, _)) => ((*name).to_owned(), (*slug).to_owned(), locations(base, cities)),
        None => (names::partner(no), format!("partner-{no}"), locations(base, &drawn_cities(no))),
    };
    let people = people(no, &slug, &locations);
    SamplePartner { id: base.to_string(), name, locations, people }
}

/// What the partner of a number is drawn by.
pub(super) fn plan_of(no: usize) -> Plan {
    match KNOWN.get(no) {
        Some((_, _, _, known)) => plan(known.n_rows_max, known.pace, known.quirk),
        None => plan(FURTHER_ROWS[no % FURTHER_ROWS.len()], Mix::of(&[no as u64, 2]).between(-6, 16), Quirk::None),
    }
}

/// Below every partner's id.
const BASE_DISTRIBUTOR: usize = 1_000_000;

/// Seven digits, a different one for each of 100,000 partners, not in their order, 83 apart at least.
fn id_base(no: usize) -> usize {
    // 100,003 is prime, so multiplying modulo it permutes.
    1_000_166 + (no * 48_271 + 31_415) % 100_003 * 83
}

fn locations(base: usize, cities: &[(&str, &str)]) -> Vec<SampleLocation> {
    let place = |(n, (city, country)): (usize, &(&str, &str))| SampleLocation {
        id: (base + 7 + 11 * n).to_string(),
        name: format!("{city}, {country}"),
    };
    cities.iter().enumerate().map(place).collect()
}

fn drawn_cities(no: usize) -> Vec<(&'static str, &'static str)> {
    let mut mix = Mix::of(&[no as u64, 3]);
    let (first, n) = (mix.below(CITIES.len()), 2 + mix.below(4));
    (0..n).map(|step| CITIES[(first + step) % CITIES.len()]).collect()
}

fn people(no: usize, slug: &str, locations: &[SampleLocation]) -> Vec<SampleRecipient> {
    let person = |place: usize, role: &str, locations: Vec<String>| {
        let (name, address) = PEOPLE[(no * 5 + place) % PEOPLE.len()];
        SampleRecipient {
            address: format!("{address}@{slug}.example"),
            name: name.to_owned(),
            role: role.to_owned(),
            locations,
        }
    };
    let mut people = vec![person(0, "executive-report-viewer", Vec::new())];
    if no.is_multiple_of(2) {
        let first = locations.iter().take(1).map(|location| location.id.clone()).collect();
        people.push(person(1, "report-viewer", first));
    }
    if no.is_multiple_of(3) {
        people.push(person(2, "global-admin", Vec::new()));
    }
    people
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_hundred_thousand_partners_and_their_locations_have_ids_of_their_own() {
        let mut ids: HashSet<usize> = HashSet::new();
        for no in 0..PARTNERS_MAX {
            let base = id_base(no);
            assert!((1_000_000..10_000_000).contains(&(base + 83)) && base > BASE_DISTRIBUTOR + 83);
            assert!(ids.insert(base), "{no}");
        }
        let partner = partner(1);
        let all: HashSet<_> = partner.locations.iter().map(|location| &location.id).chain([&partner.id]).collect();
        assert_eq!(all.len(), 6);
        assert!(all.iter().all(|id| id.len() == 7));
    }

    #[test]
    fn people_live_at_addresses_that_cannot_exist() {
        for no in [0, 3, 7, 8, 11, 12, 999] {
            let partner = partner(no);
            assert_eq!(partner.people[0].role, "executive-report-viewer");
            assert!((2..=5).contains(&partner.locations.len()), "{no}");
            for person in &partner.people {
                assert!(person.address.is_ascii() && person.address.ends_with(".example"), "{}", person.address);
            }
        }
    }
}
