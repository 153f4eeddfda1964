//! Customer markets: ISO 3166-1 alpha-2 codes, and `ZZ` for what is unknown.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

/// A country or region by its ISO 3166-1 alpha-2 code, or `ZZ` (user-assigned) for UNKNOWN.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Market([u8; 2]);

/// A text that names no market.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no country or region of ISO 3166-1")]
pub struct MarketError(String);

/// Names as Microsoft's pages and everyday English have them, where the ISO name is another.
const EVERYDAY: [(&str, &str); 45] = [
    ("AE", "United Arab Emirates"),
    ("AG", "Antigua and Barbuda"),
    ("AX", "Åland Islands"),
    ("BA", "Bosnia and Herzegovina"),
    ("BL", "Saint Barthélemy"),
    ("BO", "Bolivia"),
    ("CC", "Cocos (Keeling) Islands"),
    ("CD", "Congo (DRC)"),
    ("CG", "Congo"),
    ("CI", "Côte d'Ivoire"),
    ("CW", "Curaçao"),
    ("CZ", "Czechia"),
    ("FM", "Micronesia"),
    ("GB", "United Kingdom"),
    ("GS", "South Georgia and the South Sandwich Islands"),
    ("GW", "Guinea-Bissau"),
    ("HK", "Hong Kong SAR"),
    ("HM", "Heard Island and McDonald Islands"),
    ("IM", "Isle of Man"),
    ("IR", "Iran"),
    ("KN", "Saint Kitts and Nevis"),
    ("KP", "North Korea"),
    ("KR", "Korea"),
    ("LA", "Laos"),
    ("MD", "Moldova"),
    ("MK", "North Macedonia"),
    ("MO", "Macao SAR"),
    ("PM", "Saint Pierre and Miquelon"),
    ("PS", "Palestinian Authority"),
    ("RE", "Réunion"),
    ("RU", "Russia"),
    ("SJ", "Svalbard and Jan Mayen"),
    ("ST", "São Tomé and Príncipe"),
    ("SY", "Syria"),
    ("TC", "Turks and Caicos Islands"),
    ("TL", "Timor-Leste"),
    ("TR", "Türkiye"),
    ("TT", "Trinidad and Tobago"),
    ("TW", "Taiwan"),
    ("TZ", "Tanzania"),
    ("US", "United States"),
    ("VC", "Saint Vincent and the Grenadines"),
    ("VE", "Venezuela"),
    ("VN", "Vietnam"),
    ("WF", "Wallis and Futuna"),
];

/// Spellings met in exports that neither ISO nor the crate's aliases have, folded.
const ALIASES: [(&str, &str); 53] = [
    ("bonairesainteustatiusandsaba", "BQ"),
    ("bonairesinteustatiusandsaba", "BQ"),
    ("burma", "MM"),
    ("capeverde", "CV"),
    ("chinaprc", "CN"),
    ("congodemocraticrepublicofthe", "CD"),
    ("congodrc", "CD"),
    ("deutschland", "DE"),
    ("easttimor", "TL"),
    ("falklandislandsislasmalvinas", "FK"),
    ("fyrmacedonia", "MK"),
    ("gambiathe", "GM"),
    ("greatbritain", "GB"),
    ("holyseevaticancity", "VA"),
    ("hongkongsarchina", "HK"),
    ("iranislamicrepublicof", "IR"),
    ("koreademocraticpeoplesrepublicof", "KP"),
    ("koreanorth", "KP"),
    ("korearepublicof", "KR"),
    ("koreasouth", "KR"),
    ("laopdr", "LA"),
    ("macausar", "MO"),
    ("macausarchina", "MO"),
    ("macedoniaformeryugoslavrepublicof", "MK"),
    ("macedoniafyro", "MK"),
    ("micronesiafederatedstatesof", "FM"),
    ("moldovarepublicof", "MD"),
    ("palestinianterritories", "PS"),
    ("palestinianterritory", "PS"),
    ("peoplesrepublicofchina", "CN"),
    ("pitcairnislands", "PN"),
    ("republicofireland", "IE"),
    ("republicofkorea", "KR"),
    ("republicofthecongo", "CG"),
    ("sainthelenaascensiontristandacunha", "SH"),
    ("saintmartinfrenchpart", "MF"),
    ("sintmaarten", "SX"),
    ("sintmaartendutchpart", "SX"),
    ("slovakrepublic", "SK"),
    ("southkorea", "KR"),
    ("svalbard", "SJ"),
    ("swaziland", "SZ"),
    ("taiwanprovinceofchina", "TW"),
    ("tanzaniaunitedrepublicof", "TZ"),
    ("uae", "AE"),
    ("uk", "GB"),
    ("usa", "US"),
    ("usoutlyingislands", "UM"),
    ("vaticancity", "VA"),
    ("venezuelabolivarianrepublicof", "VE"),
    ("vietnam", "VN"),
    ("virginislandsbritish", "VG"),
    ("virginislandsus", "VI"),
];

impl Market {
    /// What Partner Center writes as `UNKNOWN`, NULL or blank.
    pub const UNKNOWN: Market = Market(*b"ZZ");

    /// Its code, as in `DE`.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("ZZ")
    }

    /// Its English name for people, as in `Germany`; `Unknown` for `ZZ`.
    pub fn name(self) -> &'static str {
        if self == Market::UNKNOWN {
            return "Unknown";
        }
        if let Some((_, name)) = EVERYDAY.iter().find(|(code, _)| *code == self.code()) {
            return name;
        }
        let name = celes::Country::from_alpha2(self.code()).map_or("Unknown", |country| country.long_name);
        name.strip_prefix("The ").unwrap_or(name)
    }
}

/// Reads a code or a name without case, blanks or marks; blank, `UNKNOWN` and `NULL` are `ZZ`.
impl FromStr for Market {
    type Err = MarketError;

    fn from_str(text: &str) -> Result<Market, MarketError> {
        let trimmed = text.trim();
        if let Some(code) = alpha2(trimmed) {
            return Ok(code);
        }
        let folded = folded(trimmed);
        if matches!(folded.as_str(), "" | "unknown" | "null" | "na" | "notavailable" | "other" | "others") {
            return Ok(Market::UNKNOWN);
        }
        if let Some(market) = NAMES.get(&folded) {
            return Ok(*market);
        }
        celes::Country::from_alpha3(trimmed)
            .ok()
            .or_else(|| celes::Country::from_alias(&folded).ok())
            .and_then(|country| alpha2(country.alpha2))
            .ok_or_else(|| MarketError(text.to_owned()))
    }
}

/// Every name that is known, folded: folding all of them for each text that is read takes too long.
static NAMES: LazyLock<HashMap<String, Market>> = LazyLock::new(|| {
    let mut names = HashMap::new();
    for country in celes::Country::get_countries() {
        let Some(market) = alpha2(country.alpha2) else { continue };
        let name = folded(country.long_name);
        if let Some(short) = name.strip_prefix("the") {
            names.insert(short.to_owned(), market);
        }
        names.insert(name, market);
    }
    // Ours stand before the crate's.
    for (name, code) in ALIASES.iter().map(|(name, code)| ((*name).to_owned(), *code)) {
        names.extend(alpha2(code).map(|market| (name, market)));
    }
    for (name, code) in EVERYDAY.iter().map(|(code, name)| (folded(name), *code)) {
        names.extend(alpha2(code).map(|market| (name, market)));
    }
    names
});

/// The market of a two-letter code, if ISO has it.
fn alpha2(text: &str) -> Option<Market> {
    let [first, second] = <[u8; 2]>::try_from(text.as_bytes()).ok()?;
    let code = [first.to_ascii_uppercase(), second.to_ascii_uppercase()];
    let text = std::str::from_utf8(&code).ok()?;
    (code == *b"ZZ" || celes::Country::from_alpha2(text).is_ok()).then_some(Market(code))
}

/// Lower case letters without marks, blanks and signs: `Côte d'Ivoire` → `cotedivoire`, `St. Lucia` → `saintlucia`.
fn folded(text: &str) -> String {
    let lower = text.to_lowercase().replace('&', " and ");
    let saint = ["st. ", "st "].into_iter().find_map(|short| lower.strip_prefix(short));
    let spelled = saint.map_or(lower.clone(), |rest| format!("saint {rest}"));
    spelled
        .chars()
        .flat_map(char::to_lowercase)
        .filter_map(|letter| match letter {
            'à'..='å' => Some('a'),
            'ç' => Some('c'),
            'è'..='ë' => Some('e'),
            'ì'..='ï' => Some('i'),
            'ò'..='ö' => Some('o'),
            'ù'..='ü' => Some('u'),
            'ñ' => Some('n'),
            _ => letter.is_alphanumeric().then_some(letter),
        })
        .collect()
}

impl fmt::Display for Market {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Market {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for Market {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Market {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Market, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markets_are_read_from_codes_names_and_aliases() {
        for (text, code) in [
            ("de", "DE"),
            ("DEU", "DE"),
            ("Germany", "DE"),
            ("UNITED STATES", "US"),
            ("United States of America", "US"),
            ("Korea", "KR"),
            ("Türkiye", "TR"),
            ("Turkey", "TR"),
            ("Czech Republic", "CZ"),
            ("Côte d'Ivoire", "CI"),
            ("Cote d'Ivoire", "CI"),
            ("Hong Kong SAR", "HK"),
            ("Viet Nam", "VN"),
            ("The Netherlands", "NL"),
            ("Netherlands", "NL"),
            ("UK", "GB"),
            ("St. Kitts & Nevis", "KN"),
            ("Trinidad & Tobago", "TT"),
            ("Iran, Islamic Republic of", "IR"),
            ("Virgin Islands, U.S.", "VI"),
            ("Bonaire, Sint Eustatius and Saba", "BQ"),
            ("Sint Maarten", "SX"),
            ("Macedonia, FYRO", "MK"),
            ("Congo (DRC)", "CD"),
            ("Hong Kong S.A.R.", "HK"),
            ("São Tomé and Príncipe", "ST"),
            ("UNKNOWN", "ZZ"),
            ("NULL", "ZZ"),
            (" ", "ZZ"),
            ("", "ZZ"),
        ] {
            assert_eq!(text.parse::<Market>().map(|market| market.code().to_owned()), Ok(code.to_owned()), "{text}");
        }
        assert!("Atlantis".parse::<Market>().is_err());
        assert!("XX".parse::<Market>().is_err());
    }

    #[test]
    fn every_market_has_a_name_that_reads_back() {
        for country in celes::Country::get_countries() {
            let market: Market = country.alpha2.parse().unwrap();
            assert_eq!(market.name().parse::<Market>(), Ok(market), "{}", market.name());
        }
        assert_eq!("GB".parse::<Market>().unwrap().name(), "United Kingdom");
        assert_eq!("NL".parse::<Market>().unwrap().name(), "Netherlands");
        assert_eq!(Market::UNKNOWN.name(), "Unknown");
    }
}
