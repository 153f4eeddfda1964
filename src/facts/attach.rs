//! Which of several attributions of one license counts: the documented order of attach types.

/// The rank of an attach type whose name is not known.
pub(in crate::facts) const RANK_OTHER: i64 = 6;

/// The rank of an attach type, lower wins: the priority that Partner Center's Azure usage page documents (partner
/// admin link, transacting partner of record, partner of record, CSP Tier 1, CSP Tier 2, partner as end-customer).
///
/// Compared without case and signs, and by the short names that other data sets use.
pub(in crate::facts) fn attach_rank(attach_type: &str) -> i64 {
    let folded: String =
        attach_type.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    match folded.as_str() {
        "pal" | "partneradminlink" | "partneradminlinkpal" => 0,
        "transactingpartnerofrecord"
        | "transactingpor"
        | "transactingpartner"
        | "tpor"
        | "transactingpartnerofrecordtpor" => 1,
        "partnerofrecord"
        | "por"
        | "dpor"
        | "partnerofrecorddpor"
        | "digitalpartnerofrecord"
        | "partnerofrecordpor"
        | "digitalpartnerofrecorddpor"
        | "partnerofrecorddporpor" => 2,
        "csptier1" | "cspt1" | "csp1" | "cloudsolutionprovidertier1" | "cloudsolutionprovidercsptier1" => 3,
        "csptier2" | "cspt2" | "csp2" | "cloudsolutionprovidertier2" | "cloudsolutionprovidercsptier2" => 4,
        "partnerasendcustomer" | "endcustomer" | "partnerendcustomer" => 5,
        _ => RANK_OTHER,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attach_types_rank_in_the_documented_order_under_any_of_their_names() {
        for (names, rank) in [
            (&["PAL", "Partner Admin Link", "Partner admin link (PAL)"][..], 0),
            (&["Transacting partner of record", "TPOR", "Transacting POR"], 1),
            (&["DPOR", "POR", "Partner of record (DPOR)", "Partner of record (DPOR, POR)"], 2),
            (&["CSP Tier 1", "CSP T1", "csp tier 1", "Cloud Solution Provider (CSP) Tier 1"], 3),
            (&["CSP Tier 2", "CSP-T2"], 4),
            (&["Partner as end-customer"], 5),
            (&["CPOR - FRP", "Distributor", "Advisor", "DAP", ""], 6),
        ] {
            for name in names {
                assert_eq!(attach_rank(name), rank, "{name}");
            }
        }
    }
}
