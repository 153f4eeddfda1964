//! The license SKUs that sample customers subscribe to: Microsoft's real names and GUIDs.

use std::sync::LazyLock;

use super::mix::Mix;

/// Which of Partner Center's usage data sets speaks of a SKU.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Family {
    /// OfficeUsage.
    M365,
    /// EMSUsage.
    Ems,
    /// DynamicsUsage.
    Dynamics,
    /// PowerBIUsage.
    PowerBi,
    /// None: not licensed by seats.
    Azure,
}

/// A SKU.
#[derive(Debug)]
pub(super) struct Sku {
    pub(super) family: Family,
    pub(super) name: &'static str,
    /// `skuPartNumber`, as in `SPE_E3`.
    pub(super) part_number: &'static str,
    /// `skuId`, a GUID.
    pub(super) guid: &'static str,
    weight: usize,
    /// The sample's own price, in US dollars a month.
    pub(super) price_usd: i64,
}

static SKUS: LazyLock<Vec<Sku>> =
    LazyLock::new(|| include_str!("skus.tsv").lines().filter(|line| !line.starts_with('#')).filter_map(read).collect());

static AZURE: Sku =
    Sku { family: Family::Azure, name: "Azure plan", part_number: "AZURE-PLAN", guid: "", weight: 0, price_usd: 0 };

fn read(line: &'static str) -> Option<Sku> {
    let mut fields = line.split('\t');
    let family = match fields.next()? {
        "m365" => Family::M365,
        "ems" => Family::Ems,
        "dynamics" => Family::Dynamics,
        "power-bi" => Family::PowerBi,
        _ => return None,
    };
    Some(Sku {
        family,
        name: fields.next()?,
        part_number: fields.next()?,
        guid: fields.next()?,
        weight: fields.next()?.parse().ok()?,
        price_usd: fields.next()?.parse().ok()?,
    })
}

impl Sku {
    /// A SKU of a family, the more usual ones more often; of Azure its only one.
    pub(super) fn draw(mix: &mut Mix, family: Family) -> &'static Sku {
        let of_family = || SKUS.iter().filter(|sku| sku.family == family);
        let mut place = mix.below(of_family().map(|sku| sku.weight).sum::<usize>().max(1));
        for sku in of_family() {
            if place < sku.weight {
                return sku;
            }
            place -= sku.weight;
        }
        &AZURE
    }

    /// What Partner Center's column `Product` says: Office 365 under its own name, since files have both.
    pub(super) fn product(&self) -> &'static str {
        match self.family {
            Family::M365 if self.name.starts_with("Microsoft") => "Microsoft 365",
            Family::M365 => "Office 365",
            Family::Ems => "Enterprise Mobility + Security",
            Family::Dynamics => "Dynamics 365",
            Family::PowerBi => "Power BI",
            Family::Azure => "Microsoft Azure",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_sku_has_a_guid_of_its_own() {
        // 66 rows stand in the reference; the table has no line that is not read.
        assert_eq!(SKUS.len(), 66);
        assert_eq!(SKUS.iter().map(|sku| sku.guid).collect::<HashSet<_>>().len(), 66);
        for sku in SKUS.iter() {
            assert_eq!(sku.guid.len(), 36, "{}", sku.name);
            assert!(sku.price_usd > 0, "{}", sku.name);
        }
        let e3 = SKUS.iter().find(|sku| sku.name == "Office 365 E3").unwrap();
        assert_eq!((e3.part_number, e3.guid), ("ENTERPRISEPACK", "6fd2c87f-b296-42f0-b197-1e91e994b900"));
    }
}
