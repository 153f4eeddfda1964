#!/usr/bin/env python3
"""An independent computation of the report's figures, against which the program's are checked.

It reads the raw Partner Center files itself (CSV or TSV, BOM or not, plain, gz or zip) with nothing but
Python's standard library, puts their rows into SQLite in memory, and computes every figure by plain SQL.
It shares no code with the program. Counts are kept as whole millionths, so that nothing is rounded.

    oracle.py --files DIR --partner ID [--locations A,B] --range 12 --period 2026-10
              [--partner-from account|reseller] [--closing-day 20]
    oracle.py --files DIR --batch        questions from standard input, a JSON object a line
    oracle.py --self-test

The rules, each of which is one function below:

1.  read_files     a file is told by its columns; its name ends in the instant it was exported. Of a slice
                   (source x partner x month) that several files hold, the newest file's rows stand.
2.  normalise      families; Azure is left out; key (what two rows for one license have in common); rank
                   (which of them counts).
3.  office_rows    OfficeUsage has a row per workload: a customer's largest stands, for each measure.
4.  choose_sources one source per measure, product and month, by a stated order; never a sum of two.
5.  count_once     per month and key the row with the lowest rank counts, of those in scope that carry
                   the measure. By location and by attach type it is per month, key and value.
6.  add_flows      the seats' signed difference: positive is added, negative is removed. A product without
                   that source has both from the levels of consecutive months.
7.  full_months    a month is full when each of its slices was exported on or after the closing day of the
                   next month. "Current" is the last full month of the range, growth compares it with the
                   first full month, over products whose measure is carried in both.

Prints JSON. A figure that no source carries is null, never 0. Figures are decimal texts.
"""

import argparse
import csv
import gzip
import io
import json
import pathlib
import re
import sqlite3
import sys
import zipfile
from datetime import date, datetime, timezone
from decimal import Decimal

MILLION = 1_000_000
MEASURES = ("licenses", "deployed", "active", "added", "removed", "billed_revenue_usd")
LEVELS = ("licenses", "deployed", "active")

# Which sources may speak of a measure, the first that does wins (rule 4).
USAGE = ("DynamicsUsage", "PowerBIUsage", "EMSUsage", "OfficeUsage")
PRECEDENCE = {
    "licenses": ("SeatsSubscriptionsAndRevenue", *USAGE, "ResellerPerformance"),
    "deployed": ("DynamicsUsage", "PowerBIUsage", "ResellerPerformance"),
    "active": USAGE,
    "added": ("SeatsSubscriptionsAndRevenue", "levels"),
    "removed": ("SeatsSubscriptionsAndRevenue", "levels"),
    "billed_revenue_usd": ("SeatsSubscriptionsAndRevenue", "ResellerPerformance"),
}

# The one product a usage source speaks of; the other sources speak of all.
SPEAKS_OF = {
    "DynamicsUsage": "Dynamics 365",
    "PowerBIUsage": "Power BI",
    "EMSUsage": "Enterprise Mobility + Security",
    "OfficeUsage": "Microsoft 365",
}

FAMILIES = {
    "microsoft 365": "Microsoft 365",
    "office 365": "Microsoft 365",
    "microsoft office 365": "Microsoft 365",
    "dynamics 365": "Dynamics 365",
    "dynamics": "Dynamics 365",
    "enterprise mobility + security": "Enterprise Mobility + Security",
    "enterprise mobility": "Enterprise Mobility + Security",
    "ems": "Enterprise Mobility + Security",
    "power bi": "Power BI",
}

# The documented order of attach types; what is not in it comes last (rule 2).
ATTACH_ORDER = {
    "partner admin link": 0,
    "pal": 0,
    "transacting partner of record": 1,
    "tpor": 1,
    "partner of record": 2,
    "por": 2,
    "dpor": 2,
    "digital partner of record": 2,
    "csp tier 1": 3,
    "csp t1": 3,
    "cloud solution provider (csp) tier 1": 3,
    "csp tier 2": 4,
    "csp t2": 4,
    "cloud solution provider (csp) tier 2": 4,
    "partner as end-customer": 5,
}
ATTACH_OTHERS = 6
# An unflagged row comes before every flagged one, whatever its attach type.
RANK_OF_FLAG = 100

NOTHING = {"", "null", "unknown"}
ZERO_GUID = "00000000-0000-0000-0000-000000000000"

# A column that only one source has, by which a file is told.
TOLD_BY = (
    ("availableseatseop", "SeatsSubscriptionsAndRevenue"),
    ("resellermarket", "ResellerPerformance"),
    ("aadppaidavailableunits", "EMSUsage"),
    ("workloadname", "OfficeUsage"),
    ("revsumcategoryname", "DynamicsUsage"),
    ("partnerhierarchy", "PowerBIUsage"),
)

# ---------------------------------------------------------------- 1. files


def file_text(path):
    """A file's text without its byte order mark."""
    data = path.read_bytes()
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    elif data[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            (entry,) = archive.namelist()
            data = archive.read(entry)
    return data.decode("utf-8-sig")


def exported_at(path):
    """The instant in a file's name: 2026-11-21T04-10-00Z."""
    found = re.search(r"(\d{4}-\d{2}-\d{2})T(\d{2})-(\d{2})-(\d{2})Z", path.name)
    if not found:
        raise SystemExit(f"no export instant in the name of `{path}`")
    day, hour, minute, second = found.groups()
    return datetime.fromisoformat(f"{day}T{hour}:{minute}:{second}").replace(tzinfo=timezone.utc)


def read_files(folder):
    """Yields (exported_at, source, rows) for each file, the oldest export first. Columns are in lower case."""
    paths = [path for path in pathlib.Path(folder).iterdir() if re.search(r"\.(csv|tsv|zip)(\.gz)?$", path.name)]
    for path in sorted(paths, key=lambda path: (exported_at(path), path.name)):
        text = file_text(path)
        head = text.split("\n", 1)[0]
        rows = csv.reader(io.StringIO(text, newline=""), delimiter="\t" if "\t" in head else ",")
        columns = [column.strip().lower() for column in next(rows)]
        source = next((source for column, source in TOLD_BY if column in columns), None)
        if source is None:
            raise SystemExit(f"`{path}` is no Partner Center file")
        yield exported_at(path), source, (dict(zip(columns, row, strict=True)) for row in rows)


# ---------------------------------------------------------------- 2. rows


def month_of(text):
    """2026-10 from 2026-10-01, 2026-10-01T00:00:00Z, 10/1/2026 or 1/10/2026 (the 1 is the day)."""
    if "/" in text:
        first, second, year = text.split(" ")[0].split("/")
        month = first if int(second) == 1 else second
        return f"{int(year):04}-{int(month):02}"
    return text[:7]


def millionths(text):
    """A count in millionths, None where there is none."""
    if text is None or text.strip().lower() in NOTHING:
        return None
    if text.isdecimal():
        return int(text) * MILLION
    scaled = Decimal(text) * MILLION
    assert scaled == int(scaled), text
    return int(scaled)


def known(text):
    """A text, None where Partner Center does not know it."""
    return None if text is None or text.strip().lower() in NOTHING else text.strip()


def rank_of(row, attach):
    place = ATTACH_ORDER.get((attach or "").lower(), ATTACH_OTHERS)
    return place + (RANK_OF_FLAG if row.get("isduplicaterowforpga") == "1" else 0)


def normalise(source, row):
    """A raw row in the words of the report; None for Azure, which is not licensed by seats."""
    product_name = row.get("product") or SPEAKS_OF.get(source, "")
    if "azure" in product_name.lower():
        return None
    customer = known(row.get("customertenantid")) or known(row.get("customertpid"))
    sku = known(row.get("sku"))
    attach = known(row.get("partnerattributiontype") or row.get("partnerattachtype"))
    subscription = known(row.get("subscriptionid"))
    product = FAMILIES.get(product_name.lower(), product_name)
    if source == "OfficeUsage":
        key = f"customer {customer}"
    elif subscription and subscription != ZERO_GUID:
        key = f"subscription {subscription.lower()}"
    else:
        key = f"customer {customer} sku {sku or product}"
    measures = measures_of(source, row)
    return {
        "source": source,
        "month": month_of(row["month"]),
        "account": row.get("pgampnid") or row.get("pgapartnerid"),
        "account_name": row.get("partnername"),
        "reseller": known(row.get("resellerid") or row.get("resellermpnid")),
        "reseller_name": row.get("resellername"),
        "location_id": known(row.get("mpnid") or row.get("partnerid")),
        "location": known(row.get("partnerlocation")),
        "customer": customer,
        "market": known(row.get("customermarket")) or "UNKNOWN",
        "product": product,
        "sku": row.get("workloadname") or sku,
        "channel": known(row.get("saleschannel") or row.get("salesmodel")),
        "attach": attach,
        "segment": known(row.get("customersegment")),
        "subscription": None if subscription == ZERO_GUID else subscription,
        "key": key,
        "rank": rank_of(row, attach),
        **measures,
    }


def measures_of(source, row):
    """The measures a source carries; the others are None."""
    count = {measure: None for measure in MEASURES}
    if source == "SeatsSubscriptionsAndRevenue":
        change = millionths(row["availableseats"])
        count["licenses"] = millionths(row["availableseatseop"])
        count["added"] = None if change is None else max(change, 0)
        count["removed"] = None if change is None else max(-change, 0)
        count["billed_revenue_usd"] = millionths(row.get("billedrevenueusd"))
    elif source in ("DynamicsUsage", "PowerBIUsage"):
        count["licenses"] = millionths(row["availableseats"])
        count["deployed"] = millionths(row["assignedseats"])
        count["active"] = millionths(row["activeseats"])
    elif source in ("EMSUsage", "OfficeUsage"):
        count["licenses"] = millionths(row["paidavailableunits"])
        count["active"] = millionths(row["monthlyactiveusers"])
    elif source == "ResellerPerformance":
        count["licenses"] = millionths(row["availableseats"])
        count["deployed"] = millionths(row["assignedseats"])
        count["billed_revenue_usd"] = millionths(row.get("billedrevenueusd"))
    return count


COLUMNS = (
    "source", "month", "account", "account_name", "reseller", "reseller_name", "location_id", "location",
    "customer", "market", "product", "sku", "channel", "attach", "segment", "subscription", "key", "rank", *MEASURES,
)


def run(db, statements):
    """Runs statements with semicolons between, within the transaction (executescript would end it)."""
    for statement in statements.split(";"):
        if statement.strip():
            db.execute(statement)


def load(folder):
    """All files' rows in one table `raw`, with the file they came in and when that was exported."""
    db = sqlite3.connect(":memory:", isolation_level=None)
    db.execute(f"CREATE TABLE raw (file INTEGER, exported TEXT, {', '.join(COLUMNS)})")
    db.execute("CREATE TABLE azure (source, month, account, reseller, file)")
    marks = ", ".join("?" for _ in range(len(COLUMNS) + 2))
    for file, (at, source, rows) in enumerate(read_files(folder)):
        licensed, azure = [], []
        for row in rows:
            normal = normalise(source, row)
            if normal is not None:
                licensed.append((file, at.date().isoformat(), *(normal[column] for column in COLUMNS)))
            else:
                reseller = known(row.get("resellerid") or row.get("resellermpnid"))
                azure.append((source, month_of(row["month"]), row["pgampnid"], reseller, file))
        db.executemany(f"INSERT INTO raw VALUES ({marks})", licensed)
        db.executemany("INSERT INTO azure VALUES (?, ?, ?, ?, ?)", azure)
    # Of a slice that several files hold, the newest file's rows stand.
    run(db, """
        CREATE INDEX raw_slice ON raw (source, account, month, file);
        DELETE FROM raw WHERE file < (SELECT max(n.file) FROM raw n
            WHERE n.source = raw.source AND n.account = raw.account AND n.month = raw.month);
        DELETE FROM azure WHERE EXISTS (SELECT 1 FROM raw n WHERE n.file > azure.file
            AND n.source = azure.source AND n.account = azure.account AND n.month = azure.month);
    """)
    return db


def take_partner(db, partner, partner_from):
    """The tables `mine` (one partner's rows, all locations) and `slice` (what was loaded for it).

    Answers how many rows have no reseller, and how many usage rows belong to no reseller's subscription.
    """
    if partner_from == "account":
        db.execute("CREATE TABLE mine AS SELECT * FROM raw WHERE account = ?", (partner,))
        db.execute("CREATE TABLE slice AS SELECT DISTINCT source, month, exported FROM mine")
        return 0, 0
    # Usage files name no reseller: they are joined by subscription and month to the rows that do. What has no
    # subscription (all of OfficeUsage, and those Partner Center does not know) has no counterpart.
    run(db, """
        CREATE TABLE sold AS SELECT DISTINCT account, subscription, month, reseller FROM raw
            WHERE reseller IS NOT NULL AND subscription IS NOT NULL;
        CREATE INDEX sold_key ON sold (account, subscription, month);
        CREATE TABLE owned AS SELECT raw.rowid AS row, raw.source, CASE
                WHEN source IN ('SeatsSubscriptionsAndRevenue', 'ResellerPerformance') THEN raw.reseller
                ELSE (SELECT min(sold.reseller) FROM sold WHERE sold.account = raw.account
                    AND sold.subscription = raw.subscription AND sold.month = raw.month) END AS owner
            FROM raw;
    """)
    db.execute("CREATE TABLE mine AS SELECT raw.* FROM raw JOIN owned ON owned.row = raw.rowid WHERE owner = ?", (partner,))
    # The account's usage files are loaded for all its resellers: a reseller without a row in them has 0, not n/a.
    # OfficeUsage cannot be told by reseller at all, and speaks for none.
    run(db, """
        CREATE TABLE slice AS SELECT DISTINCT source, month, exported FROM mine
            UNION SELECT DISTINCT source, month, exported FROM raw
            WHERE source IN ('DynamicsUsage', 'PowerBIUsage', 'EMSUsage') AND account IN (SELECT account FROM mine);
    """)
    sellers = "source IN ('SeatsSubscriptionsAndRevenue', 'ResellerPerformance')"
    count = lambda where: db.execute(f"SELECT count(*) FROM owned WHERE owner IS NULL AND {where}").fetchone()[0]
    return count(sellers), count(f"NOT {sellers}")


# ---------------------------------------------------------------- 3. workloads


def office_rows(db):
    """One row per customer, month and attribution in place of its workloads: the largest of each measure."""
    kept = ", ".join(c for c in COLUMNS if c not in ("sku", *MEASURES))
    run(db, f"""
        CREATE TABLE office AS SELECT file, exported, {kept}, NULL AS sku,
                max(licenses) AS licenses, NULL AS deployed, max(active) AS active,
                NULL AS added, NULL AS removed, NULL AS billed_revenue_usd
            FROM mine WHERE source = 'OfficeUsage'
            GROUP BY month, account, customer, location_id, attach, rank;
        DELETE FROM mine WHERE source = 'OfficeUsage';
        INSERT INTO mine (file, exported, {kept}, sku, {', '.join(MEASURES)})
            SELECT file, exported, {kept}, sku, {', '.join(MEASURES)} FROM office;
    """)


# ---------------------------------------------------------------- 4. precedence


def choose_sources(db):
    """The table `chosen`: for each month, product and measure the one source that speaks of it."""
    run(db, """
        CREATE TABLE product AS SELECT DISTINCT product FROM mine;
        CREATE TABLE chosen (month, product, measure, source, PRIMARY KEY (month, product, measure));
    """)
    for measure, sources in PRECEDENCE.items():
        for source in sources:
            of_product = SPEAKS_OF.get(source)
            db.execute(
                """INSERT OR IGNORE INTO chosen SELECT slice.month, product, :measure, source FROM slice, product
                    WHERE source = :source AND (:of IS NULL OR product = :of)""",
                {"measure": measure, "source": source, "of": of_product},
            )
    # Flows from levels need licenses in the month and in the one before.
    for measure in ("added", "removed"):
        db.execute(
            """INSERT OR IGNORE INTO chosen SELECT now.month, now.product, ?, 'levels' FROM chosen now
                JOIN chosen before ON before.product = now.product AND before.measure = 'licenses'
                    AND before.month = strftime('%Y-%m', now.month || '-01', '-1 month')
                WHERE now.measure = 'licenses'""",
            (measure,),
        )


# ---------------------------------------------------------------- 5. each license once


def take_scope(db, locations):
    """The table `seen`: the rows in scope. It is cut before anything is counted."""
    marks = ", ".join("?" for _ in locations or ())
    where = f"WHERE location_id IN ({marks})" if locations else ""
    db.execute(f"CREATE TABLE seen AS SELECT * FROM mine {where}", tuple(locations or ()))


def count_once(db):
    """For each measure a table `<measure>_once` (each license once) and one each per location and attach type."""
    for measure in MEASURES:
        for table, value in (("once", "''"), ("by_location_id", "location_id"), ("by_attach", "attach")):
            db.execute(f"""
                CREATE TABLE {measure}_{table} AS
                WITH carried AS (
                    SELECT seen.* FROM seen JOIN chosen
                        ON chosen.month = seen.month AND chosen.product = seen.product
                        AND chosen.source = seen.source AND chosen.measure = '{measure}'
                    WHERE seen.{measure} IS NOT NULL),
                placed AS (
                    SELECT *, row_number() OVER (PARTITION BY month, key, {value}
                        ORDER BY rank, location_id, attach) AS place
                    FROM carried)
                SELECT month, product, sku, market, channel, segment, location_id, location, attach, key,
                    {measure} AS n FROM placed WHERE place = 1""")


# ---------------------------------------------------------------- 6. flows


def add_flows(db):
    """Where the source has no difference, what was added and removed comes from each license's levels."""
    for measure, sign in (("added", 1), ("removed", -1)):
        db.execute(f"""
            INSERT INTO {measure}_once
            WITH step AS (
                SELECT month, product, key FROM licenses_once
                UNION
                SELECT strftime('%Y-%m', month || '-01', '+1 month'), product, key FROM licenses_once),
            change AS (
                SELECT step.month, step.product, step.key, coalesce(now.n, 0) - coalesce(before.n, 0) AS n,
                    now.rowid AS now_row, before.rowid AS before_row
                FROM step
                LEFT JOIN licenses_once now ON now.month = step.month AND now.key = step.key
                LEFT JOIN licenses_once before ON before.key = step.key
                    AND before.month = strftime('%Y-%m', step.month || '-01', '-1 month')
                JOIN chosen ON chosen.month = step.month AND chosen.product = step.product
                    AND chosen.measure = '{measure}' AND chosen.source = 'levels')
            SELECT change.month, change.product, l.sku, l.market, l.channel, l.segment, l.location_id, l.location,
                l.attach, change.key, max({sign} * change.n, 0)
            FROM change JOIN licenses_once l ON l.rowid = coalesce(now_row, before_row)""")


# ---------------------------------------------------------------- 7. months


def plus(month, n):
    """The month n months later."""
    count = int(month[:4]) * 12 + int(month[5:]) - 1 + n
    return f"{count // 12:04}-{count % 12 + 1:02}"


def full_months(db, months, closing_day):
    """The months of the range of which every slice was exported on or after the closing day of the next month."""
    full = []
    for month in months:
        exports = [row[0] for row in db.execute("SELECT exported FROM slice WHERE month = ?", (month,))]
        closes_on = date.fromisoformat(f"{plus(month, 1)}-01").replace(day=closing_day).isoformat()
        if exports and min(exports) >= closes_on:
            full.append(month)
    return full


# ---------------------------------------------------------------- figures


def text(count):
    """Millionths as a decimal text without zeros at its end; None stays None."""
    if count is None:
        return None
    sign, size = ("-" if count < 0 else ""), abs(count)
    part = f"{size % MILLION:06}".rstrip("0")
    return f"{sign}{size // MILLION}{'.' + part if part else ''}"


class Figures:
    """Asks the tables above."""

    def __init__(self, db):
        self.db = db
        self.products = [row[0] for row in db.execute("SELECT product FROM product ORDER BY product")]

    def carries(self, measure, month, product):
        query = "SELECT 1 FROM chosen WHERE month = ? AND product = ? AND measure = ?"
        return self.db.execute(query, (month, product, measure)).fetchone() is not None

    def of_product(self, measure, month, product):
        """A product's figure; None when no source carries it."""
        if month is None or not self.carries(measure, month, product):
            return None
        query = f"SELECT coalesce(sum(n), 0) FROM {measure}_once WHERE month = ? AND product = ?"
        return self.db.execute(query, (month, product)).fetchone()[0]

    def total(self, measure, month, products=None):
        """The sum over products that carry it; None when none does."""
        parts = [self.of_product(measure, month, p) for p in (self.products if products is None else products)]
        parts = [part for part in parts if part is not None]
        return sum(parts) if parts else None

    def grouped(self, measure, month, column, table="once", product=None):
        """{value: figure} of a month, for those values that have a row."""
        where, values = "month = ?", [month]
        if product is not None:
            where, values = where + " AND product = ?", [month, product]
        query = f"SELECT {column}, sum(n) FROM {measure}_{table} WHERE {where} GROUP BY {column} ORDER BY {column}"
        return {("UNKNOWN" if value is None else value): text(n) for value, n in self.db.execute(query, values)}


def kpi(figures, measure, months, first, current):
    """Current, growth's two sides over products that carry the measure in both months, and each month."""
    both = [
        product for product in figures.products
        if first and current and first != current
        and figures.carries(measure, first, product) and figures.carries(measure, current, product)
    ]
    return {
        "current": text(figures.total(measure, current)),
        "growth_first": text(figures.total(measure, first, both)),
        "growth_last": text(figures.total(measure, current, both)),
        "carried_by": [p for p in figures.products if current and figures.carries(measure, current, p)],
        "months": {month: text(figures.total(measure, month)) for month in months},
    }


def ratio(figures, part, whole, month):
    """The two sides of a ratio, over products that carry both measures."""
    both = [p for p in figures.products if month and figures.carries(part, month, p) and figures.carries(whole, month, p)]
    return {"part": text(figures.total(part, month, both)), "whole": text(figures.total(whole, month, both)), "products": both}


def leaderboard(figures, column, table, months, first, current):
    """{value: {current, first, months}} of licenses."""
    board = {}
    for month in months:
        for value, n in figures.grouped("licenses", month, column, table).items():
            board.setdefault(value, {"current": "0", "first": "0", "months": {}})["months"][month] = n
    for row in board.values():
        row["current"] = row["months"].get(current, "0")
        row["first"] = row["months"].get(first, "0")
    return board


def product_figures(figures, months, first, current):
    return {
        product: {
            **{measure: text(figures.of_product(measure, current, product)) for measure in LEVELS},
            **{f"{measure}_first": text(figures.of_product(measure, first, product)) for measure in LEVELS},
            "months": {
                month: {measure: text(figures.of_product(measure, month, product)) for measure in LEVELS} for month in months
            },
        }
        for product in figures.products
    }


def market_figures(figures, current):
    licenses, active = (figures.grouped(measure, current, "market") for measure in ("licenses", "active"))
    return {
        market: {"licenses": licenses.get(market, "0"), "active": active.get(market, "0")}
        for market in sorted(licenses.keys() | active.keys())
    }


def flow_figures(figures, months):
    """Added and removed per product and month, and per product, SKU and month."""
    by_product, by_sku = {}, {}
    for product in figures.products:
        by_product[product] = {
            month: {m: text(figures.of_product(m, month, product)) for m in ("added", "removed")} for month in months
        }
        for measure in ("added", "removed"):
            for month in months:
                for sku, n in figures.grouped(measure, month, "sku", product=product).items():
                    if n != "0":
                        by_sku.setdefault(product, {}).setdefault(sku, {}).setdefault(month, {})[measure] = n
    return by_product, by_sku


def compute(db, partner, locations, n_months, period, partner_from="account", closing_day=20):
    """Everything about one partner, as one JSON-able value. The tables it makes are gone afterwards."""
    db.execute("BEGIN")
    try:
        return figures_of(db, partner, locations, n_months, period, partner_from, closing_day)
    finally:
        db.execute("ROLLBACK")


def figures_of(db, partner, locations, n_months, period, partner_from, closing_day):
    n_without, n_unmatched = take_partner(db, partner, partner_from)
    names = "account_name" if partner_from == "account" else "reseller_name"
    name = db.execute(f"SELECT {names} FROM mine WHERE {names} <> '' ORDER BY month DESC LIMIT 1").fetchone()
    owner = "account" if partner_from == "account" else "reseller"
    n_azure = db.execute(f"SELECT count(*) FROM azure WHERE {owner} = ?", (partner,)).fetchone()[0]
    office_rows(db)
    choose_sources(db)
    take_scope(db, locations)
    count_once(db)
    add_flows(db)
    months = [plus(period, back) for back in range(1 - n_months, 1)]
    full = full_months(db, months, closing_day)
    first, current = (full[0], full[-1]) if full else (None, None)
    figures = Figures(db)
    adds, adds_by_sku = flow_figures(figures, months)
    board = lambda column, table="once": leaderboard(figures, column, table, months, first, current)
    return {
        "partner": {"id": partner, "name": name and name[0]},
        "scope": locations or "organization",
        "range": months,
        "full_months": full,
        "first": first,
        "current": current,
        "is_preliminary": period not in full,
        "n_azure_rows": n_azure,
        "n_rows_without_reseller": n_without,
        "n_usage_rows_without_reseller": n_unmatched,
        "kpis": {measure: kpi(figures, measure, months, first, current) for measure in LEVELS},
        "deployment": ratio(figures, "deployed", "licenses", current),
        "usage": ratio(figures, "active", "licenses", current),
        "billed_revenue_usd": {
            "months": {month: text(figures.total("billed_revenue_usd", month)) for month in months},
            "products": figures.grouped("billed_revenue_usd", current, "product"),
            "markets": figures.grouped("billed_revenue_usd", current, "market"),
        },
        "products": product_figures(figures, months, first, current),
        "markets": market_figures(figures, current),
        "product_markets": {p: figures.grouped("licenses", current, "market", product=p) for p in figures.products},
        "adds": adds,
        "adds_by_sku": adds_by_sku,
        "by_location": board("location_id", "by_location_id"),
        "by_attach_type": board("attach", "by_attach"),
        "by_sales_channel": board("channel"),
        "by_sku": board("sku"),
        "by_segment": board("segment"),
    }


# ---------------------------------------------------------------- self-test


def without_notes(value):
    """A fixture's expectation without its worked notes (keys that begin with `_`)."""
    if isinstance(value, dict):
        return {key: without_notes(inner) for key, inner in value.items() if not key.startswith("_")}
    return value


def differences(expected, found, path=""):
    """Where what was found is not what was expected; what is not expected at all is not looked at."""
    if not isinstance(expected, dict) or not isinstance(found, dict):
        return [] if expected == found else [f"{path}: expected {expected!r}, found {found!r}"]
    lines = []
    for key, value in expected.items():
        lines += differences(value, found.get(key), f"{path}/{key}")
    # A map of figures must have no more entries than expected.
    if path.count("/") > 1 or path.startswith(("/markets", "/by_")):
        lines += [f"{path}/{key}: not expected" for key in found.keys() - expected.keys() if key != "months"]
    return lines


def self_test():
    folder = pathlib.Path(__file__).resolve().parent.parent / "fixtures" / "oracle"
    db, n_failed = load(folder), 0
    for path in sorted(folder.glob("expected-*.json")):
        case = json.loads(path.read_text(encoding="utf-8"))
        asked = case["ask"]
        found = compute(db, asked["partner"], asked.get("locations"), asked["range"], asked["period"])
        lines = differences(without_notes(case["expect"]), found)
        print(f"{path.name}: {'ok' if not lines else 'FAILED'}")
        for line in lines:
            print(f"  {line}")
        n_failed += bool(lines)
    return n_failed


def batch(db, partner_from, closing_day):
    """Answers many questions over files that are read once: a JSON object a line in, one a line out."""
    for line in sys.stdin:
        ask = json.loads(line)
        found = compute(db, ask["partner"], ask.get("locations"), ask["range"], ask["period"], partner_from, closing_day)
        print(json.dumps(found, ensure_ascii=False))
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--self-test", action="store_true")
    parser.add_argument("--batch", action="store_true", help="answer each line of the input, {partner, locations, range, period}")
    parser.add_argument("--files")
    parser.add_argument("--partner")
    parser.add_argument("--locations", help="ids with commas between; none for the whole organization")
    parser.add_argument("--range", type=int, default=12, help="months, ending with the period")
    parser.add_argument("--period", help="a month, as in 2026-10")
    parser.add_argument("--partner-from", choices=("account", "reseller"), default="account")
    parser.add_argument("--closing-day", type=int, default=20)
    asked = parser.parse_args()
    if asked.self_test:
        return 1 if self_test() else 0
    if asked.batch and asked.files:
        return batch(load(asked.files), asked.partner_from, asked.closing_day)
    if not (asked.files and asked.partner and asked.period):
        parser.error("--files, --partner and --period are needed, or --files and --batch")
    locations = asked.locations.split(",") if asked.locations else None
    db = load(asked.files)
    found = compute(db, asked.partner, locations, asked.range, asked.period, asked.partner_from, asked.closing_day)
    json.dump(found, sys.stdout, ensure_ascii=False, indent=1)
    print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
