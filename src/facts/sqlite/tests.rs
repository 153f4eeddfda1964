//! Small files, worked out by hand: what is loaded is what is handed out.

use chrono::{DateTime, Utc};

use super::*;
use crate::facts::ingest::{Ingest, Ingested, PartnerFrom};
use crate::facts::{Carried, Coverage, Fact, Measure, ProductMap};

pub(in crate::facts) fn instant(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

pub(in crate::facts) fn now() -> DateTime<Utc> {
    instant("2026-11-25T08:00:00Z")
}

pub(in crate::facts) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/facts").join(name)
}

/// An empty facts database in a folder of its own.
pub(in crate::facts) async fn database() -> (tempfile::TempDir, SqliteFacts) {
    let folder = tempfile::tempdir().unwrap();
    let facts = SqliteFacts::open(&folder.path().join("facts.db"), now()).await.unwrap();
    (folder, facts)
}

/// Loads fixtures, each with its export date.
pub(in crate::facts) async fn load(facts: &SqliteFacts, from: PartnerFrom, files: &[(&str, &str)]) {
    let ingest = Ingest::new(facts, &ProductMap::shipped(), from);
    for (name, exported_at) in files {
        let exported_at = instant(&format!("{exported_at}T06:00:00Z"));
        let ingested = ingest.file(&fixture(name), Some(exported_at), now(), &|_| {}).await.unwrap();
        assert!(matches!(ingested, Ingested::Loaded(_)), "{name}: {ingested:?}");
    }
}

/// What a burst hands out of one partner.
pub(in crate::facts) struct Handed {
    pub partner: Partner,
    pub coverage: Coverage,
    pub facts: Vec<Fact>,
}

impl Handed {
    /// Each fact as `month key rank | licenses deployed active added removed revenue`, absent measures as `-`.
    pub fn lines(&self) -> Vec<String> {
        let figure = |fact: &Fact, measure| fact.measures.get(measure).map_or("-".to_owned(), |n| n.to_string());
        let line = |fact: &Fact| {
            let figures = Measure::ALL.map(|measure| figure(fact, measure)).join(" ");
            format!("{} {} {} | {figures}", fact.month, fact.license_key, fact.attach_rank)
        };
        self.facts.iter().map(line).collect()
    }
}

pub(in crate::facts) async fn burst(source: &dyn FactSource, data: DataSet, ids: &[&str]) -> Vec<Handed> {
    let mut receiver = source.burst(BurstRequest {
        data,
        partner_ids: ids.iter().map(|id| (*id).to_owned()).collect(),
        first: "2026-09".parse().unwrap(),
        last: "2026-10".parse().unwrap(),
        closing_day: 20,
    });
    let mut handed = Vec::new();
    while let Some(partner) = receiver.recv().await {
        let mut partner = partner.unwrap();
        let mut facts = Vec::new();
        while let Some(batch) = partner.batches.recv().await {
            facts.extend(batch.unwrap());
        }
        handed.push(Handed { partner: partner.partner, coverage: partner.coverage, facts });
    }
    handed
}

async fn one(facts: &SqliteFacts) -> Handed {
    burst(facts, facts.pin(now()).await.unwrap(), &["1234566"]).await.remove(0)
}

#[tokio::test]
async fn one_source_is_believed_per_measure_product_and_month() {
    let (_folder, facts) = database().await;
    let files = [
        ("precedence-resellers.csv", "2026-11-21"),
        ("precedence-ems.csv", "2026-11-21"),
        ("precedence-dynamics.tsv", "2026-11-22"),
        ("precedence-seats.csv", "2026-11-21"),
    ];
    load(&facts, PartnerFrom::Account, &files).await;
    let handed = one(&facts).await;
    // August is outside the range. In October SeatsSubscriptionsAndRevenue is believed for licenses, adds and
    // revenue of every product; DynamicsUsage for its deployed and active; EMSUsage for active only;
    // ResellerPerformance for the deployed of Microsoft 365, which nobody else has.
    assert_eq!(
        handed.lines(),
        [
            "2026-09 sub:s1|dynamics 365 sales 3 | 100 - - 0 0 800",
            "2026-10 sub:s1|dynamics 365 sales 3 | 120 - - 20 0 1000.5",
            "2026-10 sub:s1|dynamics 365 sales 3 | - 100 80 - - -",
            "2026-10 sub:s2 6 | - 200 - - - -",
            "2026-10 sub:s2|office 365 e3 3 | 300 - - 0 5 2500",
            "2026-10 sub:s3|windows 365 enterprise 3 | 10.5 - - 0 0 -",
            "2026-10 sub:s4|ems e3 3 | - - 55 - - -",
        ]
    );
    let products: Vec<&str> = handed.facts.iter().map(|fact| &*fact.product).collect();
    assert_eq!(products[3..6], ["Microsoft 365", "Microsoft 365", "Windows 365"]);
    let office = &handed.facts[4];
    assert_eq!(office.customer_name.as_deref(), Some("Ferme \"Le Puy\""));
    assert_eq!(office.customer_market.code(), "FR");
    assert_eq!((office.location_id.as_deref(), office.segment.as_deref()), (Some("6104425"), Some("SMC Commercial")));
    assert_eq!((handed.partner.name.as_str(), handed.partner.locations.len()), ("Contoso", 2));
    assert_eq!(handed.coverage.left_out, ["1 row of Microsoft Azure"]);
    assert_eq!(
        facts.unmapped_products().await.unwrap(),
        [UnmappedProduct { product: "Windows 365".to_owned(), n_rows: 1 }]
    );
}

#[tokio::test]
async fn coverage_says_for_which_products_a_measure_is_carried() {
    let (_folder, facts) = database().await;
    let files = [("precedence-ems.csv", "2026-11-21"), ("precedence-dynamics.tsv", "2026-11-19")];
    load(&facts, PartnerFrom::Account, &files).await;
    let handed = one(&facts).await;
    let (september, october) = ("2026-09".parse().unwrap(), "2026-10".parse().unwrap());
    let carries = |product: &str, measure| handed.coverage.carries(october, product, measure);
    assert!(carries("Dynamics 365", Measure::Deployed) && carries("Dynamics 365", Measure::Active));
    assert!(carries("Enterprise Mobility + Security", Measure::Licenses));
    assert!(!carries("Enterprise Mobility + Security", Measure::Deployed));
    assert!(!carries("Microsoft 365", Measure::Licenses) && !carries("Dynamics 365", Measure::Added));
    assert!(!handed.coverage.carries(september, "Dynamics 365", Measure::Licenses));
    // One slice of two was exported before the closing day.
    assert!(!handed.coverage.is_full(october));
    assert_eq!(handed.coverage.exports.len(), 2);
    load(&facts, PartnerFrom::Account, &[("precedence-seats.csv", "2026-11-20")]).await;
    let handed = one(&facts).await;
    assert_eq!(handed.coverage.months[&october].carried[Measure::BilledRevenueUsd as usize], Carried::all());
    assert!(handed.coverage.is_full(september) && !handed.coverage.is_full(october));
    assert!(handed.coverage.carries(september, "Power BI", Measure::Licenses), "no row in a loaded slice is 0");
}

#[tokio::test]
async fn a_later_load_supersedes_the_slice_and_a_pinned_run_still_reads_the_earlier() {
    let (_folder, facts) = database().await;
    load(&facts, PartnerFrom::Account, &[("precedence-seats.csv", "2026-11-05")]).await;
    let first = facts.pin(now()).await.unwrap();
    assert_eq!(first, DataSet::Loads(1));
    load(&facts, PartnerFrom::Account, &[("later-seats.csv", "2026-11-21")]).await;
    let pinned = burst(&facts, first.clone(), &["1234566"]).await.remove(0);
    assert_eq!(pinned.facts.len(), 4);
    assert_eq!((pinned.partner.name.as_str(), pinned.coverage.exports.len()), ("Contoso", 2));
    let now = one(&facts).await;
    assert_eq!(
        now.lines(),
        [
            "2026-09 sub:s1|dynamics 365 sales 3 | 100 - - 0 0 800",
            "2026-10 sub:s1|dynamics 365 sales 6 | 125 - - 25 0 -",
        ]
    );
    assert_eq!(now.partner.name, "Contoso Ltd");
    assert_eq!(now.partner.locations["6104425"], "US, Seattle");
    // The later file has no revenue column: what it superseded has none either.
    let october = "2026-10".parse().unwrap();
    assert!(!now.coverage.carries(october, "Dynamics 365", Measure::BilledRevenueUsd));
    assert!(now.coverage.is_full(october) && !pinned.coverage.is_full(october));
    assert_eq!(facts.partners(&first).await.unwrap()[0].name, "Contoso");
}

#[tokio::test]
async fn of_several_workloads_the_largest_comes_first_for_each_measure() {
    let (_folder, facts) = database().await;
    load(&facts, PartnerFrom::Account, &[("workloads.csv", "2026-11-21")]).await;
    let handed = one(&facts).await;
    // C2's largest by licenses is Exchange Online, by active users Teams: the rows part. C5's are the same.
    assert_eq!(
        handed.lines(),
        [
            "2026-10 customer:c2 3000000 | 300 - - - - -",
            "2026-10 customer:c2 3000000 | - - 250 - - -",
            "2026-10 customer:c2 3000001 | - - 210 - - -",
            "2026-10 customer:c2 3000001 | 280 - - - - -",
            "2026-10 customer:c2 14000002 | 280 - - - - -",
            "2026-10 customer:c2 14000002 | - - 250 - - -",
            "2026-10 customer:c5 3000000 | 20 - 9 - - -",
            "2026-10 customer:c5 3000001 | 20 - 7 - - -",
        ]
    );
    assert_eq!(handed.facts[1].sku.as_deref(), Some("Teams"));
    assert!(handed.coverage.left_out[0].contains("workloads are never added"), "{:?}", handed.coverage.left_out);
}

#[tokio::test]
async fn attributions_of_one_license_rank_in_the_documented_order() {
    let (_folder, facts) = database().await;
    load(&facts, PartnerFrom::Account, &[("attributions.csv", "2026-11-21")]).await;
    let handed = one(&facts).await;
    // Another SKU of the same subscription is another license.
    let ranked: Vec<(&str, i64)> =
        handed.facts.iter().map(|fact| (fact.attach_type.as_deref().unwrap(), fact.attach_rank)).collect();
    let expected = [("CSP T1", 3), ("Partner Admin Link", 0), ("DPOR", 2), ("CSP Tier 2", 4), ("Deal Registration", 6)];
    assert_eq!(ranked, expected);
    let keys: std::collections::BTreeSet<&str> = handed.facts.iter().map(|fact| &*fact.license_key).collect();
    assert_eq!(keys.len(), 2);
}

#[tokio::test]
async fn without_a_subscription_customer_and_sku_tell_licenses_apart() {
    let (_folder, facts) = database().await;
    load(&facts, PartnerFrom::Account, &[("zero-guid.csv", "2026-11-21")]).await;
    let lines = one(&facts).await.lines();
    assert_eq!(
        lines,
        [
            "2026-10 sku:c1|power bi pro 3 | 12 - - - - -",
            "2026-10 sku:c1|power bi pro 12 | 12 - - - - -",
            "2026-10 sku:name:taverna ελιά|power bi pro 3 | 3 - - - - -",
            "2026-10 sku:tpid:t2|power bi pro 3 | 7 - - - - -",
        ]
    );
}

#[tokio::test]
async fn countries_that_nobody_knows_stand_under_unknown_and_are_named() {
    let (_folder, facts) = database().await;
    load(&facts, PartnerFrom::Account, &[("markets.csv", "2026-11-21")]).await;
    let handed = one(&facts).await;
    let codes: Vec<String> = handed.facts.iter().map(|fact| fact.customer_market.to_string()).collect();
    assert_eq!(codes, ["ZZ", "ZZ", "ZZ", "ZZ", "KR", "HK"]);
    assert_eq!(handed.coverage.left_out, ["the country of 2 rows, `Atlantis`, which is shown as Unknown"]);
}

#[tokio::test]
async fn usage_finds_its_reseller_by_subscription_and_month_in_any_order_of_loading() {
    for order in
        [["distributor-seats.csv", "distributor-dynamics.csv"], ["distributor-dynamics.csv", "distributor-seats.csv"]]
    {
        let (_folder, facts) = database().await;
        let files = order.map(|name| (name, "2026-11-21"));
        load(&facts, PartnerFrom::Reseller, &files).await;
        let handed =
            burst(&facts, facts.pin(now()).await.unwrap(), &["7000002", "7000001", "7000009", "7000001"]).await;
        let ids: Vec<&str> = handed.iter().map(|handed| handed.partner.id.as_str()).collect();
        assert_eq!(ids, ["7000001", "7000002", "7000009"], "each once, in the order of ids");
        // S1 moved from Dupont to Krämer: each has its usage for the months in which the subscription was theirs.
        assert_eq!(
            handed[0].lines(),
            [
                "2026-10 sub:s1|dynamics 365 sales 3 | - 80 65 - - -",
                "2026-10 sub:s1|dynamics 365 sales 6 | 100 - - 10 0 -",
            ]
        );
        assert_eq!(
            handed[1].lines(),
            [
                "2026-09 sub:s1|dynamics 365 sales 3 | - 70 60 - - -",
                "2026-09 sub:s1|dynamics 365 sales 6 | 90 - - 0 0 -",
                "2026-10 sub:s2|dynamics 365 sales 3 | - 30 20 - - -",
                "2026-10 sub:s2|dynamics 365 sales 6 | 40 - - 0 4 -",
            ]
        );
        assert!(handed[0].facts.iter().all(|fact| fact.location_id.is_none()), "the location is the distributor's");
        assert!(handed[2].facts.is_empty() && handed[2].coverage == Coverage::default());
        assert_eq!((handed[0].partner.name.as_str(), handed[2].partner.name.as_str()), ("Krämer", "7000009"));
        let october = "2026-10".parse().unwrap();
        assert!(handed[0].coverage.carries(october, "Dynamics 365", Measure::Active));
        let summary = facts.summary().await.unwrap();
        assert_eq!((summary.n_without_partner, summary.n_unmatched), (1, 1));
        assert_eq!((summary.n_partners, summary.n_rows, summary.n_slices), (2, 7, 5));
        let partners = facts.partners(&facts.pin(now()).await.unwrap()).await.unwrap();
        assert_eq!(partners.iter().map(|partner| partner.name.as_str()).collect::<Vec<_>>(), ["Krämer", "Dupont"]);
    }
}

#[tokio::test]
async fn a_reader_who_drops_a_partner_gets_the_next_one_whole() {
    let (_folder, facts) = database().await;
    load(&facts, PartnerFrom::Reseller, &[("distributor-seats.csv", "2026-11-21")]).await;
    let mut receiver = facts.burst(BurstRequest {
        data: facts.pin(now()).await.unwrap(),
        partner_ids: vec!["7000001".to_owned(), "7000002".to_owned()],
        first: "2026-09".parse().unwrap(),
        last: "2026-10".parse().unwrap(),
        closing_day: 20,
    });
    drop(receiver.recv().await.unwrap().unwrap());
    let mut second = receiver.recv().await.unwrap().unwrap();
    let mut n_facts = 0;
    while let Some(batch) = second.batches.recv().await {
        n_facts += batch.unwrap().len();
    }
    assert_eq!((second.partner.id.as_str(), n_facts), ("7000002", 2));
    assert!(receiver.recv().await.is_none());
}

#[tokio::test]
async fn a_database_that_is_missing_or_empty_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("facts.db");
    assert!(matches!(SqliteFacts::open_existing(&path).await, Err(FactsError::Missing { .. })));
    let facts = SqliteFacts::open(&path, now()).await.unwrap();
    assert!(matches!(facts.pin(now()).await, Err(FactsError::Empty)));
    assert_eq!(facts.summary().await.unwrap(), FactsSummary::default());
    assert!(SqliteFacts::open_existing(&path).await.is_ok());
    let versions: String =
        sqlx::query_scalar("SELECT installed_on FROM _sqlx_migrations").fetch_one(facts.pool()).await.unwrap();
    assert_eq!(versions, "2026-11-25T08:00:00Z");
}

#[tokio::test]
async fn a_database_that_cannot_be_written_to_or_is_none_says_so() {
    let (folder, facts) = database().await;
    let connection = <sqlx::SqliteConnection as sqlx::Connection>::connect_with(&read_only(facts.path())).await;
    let mut reading = connection.unwrap();
    let written = sqlx::query("UPDATE load_counter SET load_no = 7").execute(&mut reading).await;
    let error = facts.failed(written.unwrap_err());
    assert!(matches!(error, FactsError::NotWritable { .. }), "{error}");
    let error = SqliteFacts::open(&folder.path().join("no/such/folder/facts.db"), now()).await.unwrap_err();
    assert!(matches!(error, FactsError::NotWritable { .. }), "{error}");
    let other = folder.path().join("notes.txt");
    std::fs::write(&other, "not a database, but long enough to be looked at by whoever opens it".repeat(20)).unwrap();
    let error = SqliteFacts::open(&other, now()).await.unwrap_err();
    assert!(matches!(error, FactsError::NotADatabase { .. }), "{error}");
}

#[tokio::test]
async fn no_connection_ages_so_that_nothing_looks_after_them_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let facts = SqliteFacts::open(&folder.path().join("facts.db"), now()).await.unwrap();
    let options = facts.pool.options();
    let ages = (options.get_max_lifetime(), options.get_idle_timeout(), options.get_min_connections());
    assert_eq!(ages, (None, None, 0));
}
