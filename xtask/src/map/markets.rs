//! Which shape of the atlas is which market, and where markets without a shape are.

/// ISO 3166-1: numeric code and alpha-2. `XK` is what exports write for Kosovo.
const CODES: &str = "\
    020AD 784AE 004AF 028AG 660AI 008AL 051AM 024AO 010AQ 032AR 016AS 040AT 036AU 533AW 248AX 031AZ 070BA 052BB \
    050BD 056BE 854BF 100BG 048BH 108BI 204BJ 652BL 060BM 096BN 068BO 535BQ 076BR 044BS 064BT 074BV 072BW 112BY \
    084BZ 124CA 166CC 180CD 140CF 178CG 756CH 384CI 184CK 152CL 120CM 156CN 170CO 188CR 192CU 132CV 531CW 162CX \
    196CY 203CZ 276DE 262DJ 208DK 212DM 214DO 012DZ 218EC 233EE 818EG 732EH 232ER 724ES 231ET 246FI 242FJ 238FK \
    583FM 234FO 250FR 266GA 826GB 308GD 268GE 254GF 831GG 288GH 292GI 304GL 270GM 324GN 312GP 226GQ 300GR 239GS \
    320GT 316GU 624GW 328GY 344HK 334HM 340HN 191HR 332HT 348HU 360ID 372IE 376IL 833IM 356IN 086IO 368IQ 364IR \
    352IS 380IT 832JE 388JM 400JO 392JP 404KE 417KG 116KH 296KI 174KM 659KN 408KP 410KR 414KW 136KY 398KZ 418LA \
    422LB 662LC 438LI 144LK 430LR 426LS 440LT 442LU 428LV 434LY 504MA 492MC 498MD 499ME 663MF 450MG 584MH 807MK \
    466ML 104MM 496MN 446MO 580MP 474MQ 478MR 500MS 470MT 480MU 462MV 454MW 484MX 458MY 508MZ 516NA 540NC 562NE \
    574NF 566NG 558NI 528NL 578NO 524NP 520NR 570NU 554NZ 512OM 591PA 604PE 258PF 598PG 608PH 586PK 616PL 666PM \
    612PN 630PR 275PS 620PT 585PW 600PY 634QA 638RE 642RO 688RS 643RU 646RW 682SA 090SB 690SC 729SD 752SE 702SG \
    654SH 705SI 744SJ 703SK 694SL 674SM 686SN 706SO 740SR 728SS 678ST 222SV 534SX 760SY 748SZ 796TC 148TD 260TF \
    768TG 764TH 762TJ 772TK 626TL 795TM 788TN 776TO 792TR 780TT 798TV 158TW 834TZ 804UA 800UG 581UM 840US 858UY \
    860UZ 336VA 670VC 862VE 092VG 850VI 704VN 548VU 876WF 882WS 383XK 887YE 175YT 710ZA 894ZM 716ZW";

/// Shapes that the atlas has without a code, by their names there. Some are parts of what ISO lists; the glacier
/// between India and Pakistan is drawn as nobody's.
const NAMED: [(&str, &str); 5] = [
    ("Kosovo", "XK"),
    ("Somaliland", "SO"),
    ("N. Cyprus", "CY"),
    ("Siachen Glacier", NOBODY),
    ("Indian Ocean Ter.", "CX"),
];

/// The code of land that no market has.
pub const NOBODY: &str = "--";

/// Parts of a market's shape that are markets of their own in ISO 3166-1, or that ISO 3166-2 has in another one:
/// from, to, and the box of longitudes and latitudes in which their middles lie.
const PARTS: [(&str, &str, [f64; 4]); 9] = [
    ("FR", "GF", [-55.0, -51.0, 2.0, 6.0]),
    ("FR", "GP", [-62.0, -61.0, 15.7, 16.7]),
    ("FR", "MQ", [-61.4, -60.7, 14.2, 15.0]),
    ("FR", "RE", [55.0, 56.0, -21.6, -20.7]),
    ("FR", "YT", [45.0, 45.5, -13.2, -12.5]),
    ("NO", "SJ", [-10.0, -7.0, 70.5, 71.5]),
    ("NO", "SJ", [5.0, 35.0, 74.0, 82.0]),
    ("NL", "BQ", [-69.0, -62.0, 11.0, 18.0]),
    ("RU", "UA", [32.4, 36.6, 44.3, 46.2]),
];

/// Markets too small for the atlas, or whose middle is not in their largest part: longitude and latitude.
const PLACES: [(&str, f64, f64); 12] = [
    // The map ends north of Antarctica: its dot stands at the lower edge.
    ("AQ", 0.0, -56.0),
    ("BQ", -68.3, 12.2),
    ("BV", 3.4, -54.4),
    ("CC", 96.9, -12.2),
    ("CX", 105.6, -10.5),
    ("GI", -5.3, 36.1),
    ("GP", -61.5, 16.2),
    ("MQ", -61.0, 14.6),
    ("TK", -171.8, -9.2),
    ("TV", 179.2, -8.5),
    // Wake Island; the others lie at the other edge of the map.
    ("UM", 166.6, 19.3),
    ("YT", 45.2, -12.8),
];

/// Every market.
pub fn all() -> impl Iterator<Item = &'static str> {
    CODES.split_whitespace().map(|code| &code[3..])
}

/// The market of a shape, by its numeric code or its name.
pub fn of(numeric: Option<&str>, name: &str) -> Result<&'static str, String> {
    let named = NAMED.iter().find(|(of, _)| *of == name && numeric.is_none()).map(|(_, market)| *market);
    let coded = || CODES.split_whitespace().find(|code| Some(&code[..3]) == numeric).map(|code| &code[3..]);
    named.or_else(coded).ok_or(format!("no market has the shape `{name}` ({})", numeric.unwrap_or("no code")))
}

/// The market of a part whose middle is at a longitude and latitude.
pub fn of_part(market: &'static str, (longitude, latitude): (f64, f64)) -> &'static str {
    let is_in = |[west, east, south, north]: [f64; 4]| {
        (west..=east).contains(&longitude) && (south..=north).contains(&latitude)
    };
    PARTS.iter().find(|(from, _, area)| *from == market && is_in(*area)).map_or(market, |(_, to, _)| to)
}

/// Where a market is, if it is not in the middle of its shape.
pub fn place(market: &str) -> Option<(f64, f64)> {
    PLACES.iter().find(|(of, _, _)| *of == market).map(|(_, longitude, latitude)| (*longitude, *latitude))
}
