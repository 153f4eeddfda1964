//! Each finding is seen to be found: a sound workbook, damaged in one place at a time.

use std::collections::HashMap;

use rust_xlsxwriter::{
    Chart, ChartType, ConditionalFormatFormula, DataValidation, Format, Formula, Sparkline, Table, TableColumn,
    TableFunction, Url, Workbook, Worksheet,
};

use super::area::Place;
use super::book::Value;
use super::readers::{Cells, differences};
use super::{findings, tampered};

/// A workbook of two sheets with one of everything that the checks know.
fn sound() -> Vec<u8> {
    let mut workbook = Workbook::new();
    let (data, living) = (data(), living());
    workbook.push_worksheet(data);
    workbook.push_worksheet(living);
    workbook.define_name("Products", "=Data!$A$2:$A$4").unwrap();
    workbook.save_to_buffer().unwrap()
}

/// A table with a total, and a formula, an error and merged cells beside it.
fn data() -> Worksheet {
    let mut sheet = Worksheet::new();
    sheet.set_name("Data").unwrap();
    let columns = [
        TableColumn::new().set_header("Product").set_total_label("All"),
        TableColumn::new().set_header("Licenses").set_total_function(TableFunction::Sum),
    ];
    let table =
        Table::new().set_name("by_product").set_columns(&columns).set_total_row(true).set_alt_text("By product");
    sheet.add_table(0, 0, 4, 1, &table).unwrap();
    for (row, (name, n)) in (1..).zip([("Office 365", 120), ("Power BI", 30), ("Fabric", 7)]) {
        sheet.write_string(row, 0, name).unwrap();
        sheet.write_number(row, 1, n).unwrap();
    }
    let total = Formula::new("SUBTOTAL(109,by_product[Licenses])").set_result("157");
    sheet.write_string(4, 0, "All").unwrap();
    sheet.write_formula(4, 1, total).unwrap();
    sheet.write_formula(6, 0, Formula::new("NA()").set_result("#N/A")).unwrap();
    sheet.merge_range(7, 0, 7, 1, "merged", &Format::default()).unwrap();
    sheet.write_boolean(8, 0, true).unwrap();
    sheet
}

/// A selector, what it selects, a chart, a sparkline, a link and a condition.
fn living() -> Worksheet {
    let mut sheet = Worksheet::new();
    sheet.set_name("Living sheet").unwrap();
    let list = DataValidation::new().allow_list_formula("Products".into());
    sheet.add_data_validation(0, 0, 0, 0, &list).unwrap();
    sheet.write_string(0, 0, "Power BI").unwrap();
    let found = Formula::new("IFERROR(INDEX(Data!$B$2:$B$4,MATCH(A1,Products,0)),\"none\")").set_result("30");
    sheet.write_formula(1, 0, found).unwrap();
    sheet.write_formula(2, 0, Formula::new("IF(A2>0,\"some\",\"none\")").set_result("some")).unwrap();
    let mut chart = Chart::new(ChartType::Column);
    chart.add_series().set_categories(("Data", 1, 0, 3, 0)).set_values(("Data", 1, 1, 3, 1)).set_name(("Data", 0, 1));
    sheet.insert_chart(4, 2, chart.set_alt_text("Three products")).unwrap();
    sheet.add_sparkline(1, 1, &Sparkline::new().set_range(("Data", 1, 1, 3, 1))).unwrap();
    sheet.write_url(3, 0, Url::new("internal:Data!A1").set_text("Data")).unwrap();
    let condition = ConditionalFormatFormula::new().set_rule("=A2>Products").set_format(Format::new().set_bold());
    sheet.add_conditional_format(1, 0, 1, 0, &condition).unwrap();
    sheet
}

const DATA: &str = "xl/worksheets/sheet1.xml";
const LIVING: &str = "xl/worksheets/sheet2.xml";
const TABLE: &str = "xl/tables/table1.xml";
const CHART: &str = "xl/charts/chart1.xml";

/// A part, what is replaced in it by what, and what is found.
type Damage = (&'static str, &'static str, &'static str, &'static str);

const CELLS: [Damage; 14] = [
    (DATA, r#"<c r="B3""#, r#"<c r="B2""#, "Data!B2 stands in row 3"),
    (DATA, r#"<c r="B3"><v>30</v></c>"#, r#"<c r="B3"><v>30</v></c><c r="B3"><v>30</v></c>"#, "Data!B3 is there twice"),
    (DATA, r#"<c r="A3""#, r#"<c r="C3""#, "Data!B3 comes after C3"),
    (DATA, "<v>30</v>", "<v>inf</v>", "Data!B3: `inf` is no number"),
    (DATA, "<v>30</v>", "<v>NaN</v>", "Data!B3: `NaN` is no number"),
    (DATA, "<v>30</v>", "<v/>", "Data!B3: `` is no number"),
    (DATA, "<v>157</v>", "", "Data!B5: a formula without its result"),
    (DATA, r#"t="s"><v>0</v>"#, r#"t="s"><v>99</v>"#, "Data!A1: `99` is no shared string"),
    (LIVING, r#"t="str"><f>"#, "><f>", "Living sheet!A3: `some` is no number"),
    (DATA, r#"<c r="B3"><v>"#, r#"<c r="B3" t="str"><v>"#, "Data!B3: the result of a formula, without a formula"),
    (DATA, r#"<c r="B3">"#, r#"<c r="B3" s="77">"#, "Data!B3: there is no format 77"),
    (DATA, r#"t="b"><v>1"#, r#"t="b"><v>yes"#, "Data!A9: `yes` is no value of a cell of type `b`"),
    (DATA, r#"<dimension ref="A1:B9"/>"#, r#"<dimension ref="A1:B3"/>"#, "Data!A4 is outside the dimension A1:B3"),
    (DATA, r#"<dimension ref="A1:B9"/>"#, "", "Data: no dimension"),
];

const TABLES: [Damage; 12] = [
    (TABLE, r#"name="Licenses""#, r#"name="licenses""#, "the heading `licenses` is Some(\"Licenses\") in B1"),
    (TABLE, r#"name="Licenses""#, r#"name="PRODUCT""#, "the heading `PRODUCT` is there twice"),
    (TABLE, r#"name="by_product""#, r#"name="PRODUCTS""#, "the table `PRODUCTS` on Data has the name of another"),
    (TABLE, r#"ref="A1:B5""#, r#"ref="A1:C5""#, "has 2 columns in 3"),
    (TABLE, r#"ref="A1:B5""#, r#"ref="A1:B2""#, "has no row"),
    (TABLE, r#"ref="A1:B5""#, r#"ref="A1:B8""#, "has merged cells at A8:B8"),
    (TABLE, r#"altTextSummary="By product""#, "", "has no alternative text"),
    (TABLE, r#"totalsRowLabel="All""#, r#"totalsRowLabel="Every""#, "the total's label `Every` is another in A5"),
    (
        TABLE,
        r#"totalsRowFunction="sum""#,
        "",
        "the total of `Licenses` is Some(\"SUBTOTAL(109,by_product[Licenses])\") in B5",
    ),
    (
        TABLE,
        r#"<autoFilter ref="A1:B4"/>"#,
        r#"<autoFilter ref="A1:B5"/>"#,
        "the filter is over A1:B5, the rows are A1:B4",
    ),
    (
        DATA,
        "<mergeCells count=\"1\">",
        r#"<mergeCells count="1"><mergeCell ref="B8:C9"/>"#,
        "the merged cells at A8:B8 lie upon others",
    ),
    (
        DATA,
        r#"<dimension ref="A1:B9"/>"#,
        r#"<dimension ref="A1:A9"/>"#,
        "the table `by_product` is outside the dimension A1:A9",
    ),
];

const SPEECH: [Damage; 13] = [
    (LIVING, "MATCH(A1,Products,0)", "MATCH(A1,Product,0)", "Living sheet!A2: there is no name `Product`"),
    (LIVING, "INDEX(Data!", "INDEX(Date!", "Living sheet!A2: there is no sheet `Date`"),
    (DATA, "by_product[Licenses]", "by_product[Seats]", "Data!B5: the table `by_product` has no column `Seats`"),
    (DATA, "by_product[Licenses]", "by_productz[Licenses]", "Data!B5: there is no table `by_productz`"),
    (LIVING, "INDEX(Data!", "OFFSET(Data!", "Living sheet!A2: the function OFFSET"),
    (LIVING, "INDEX(Data!", "_xlfn.XLOOKUP(Data!", "Living sheet!A2: the function _XLFN.XLOOKUP"),
    (LIVING, "MATCH(A1", "MATCH(#REF!", "is a lost reference"),
    (
        LIVING,
        "<formula1>Products</formula1>",
        "<formula1>Productz</formula1>",
        "Living sheet: the validation of A1: there is no name `Productz`",
    ),
    (
        LIVING,
        "<formula>A2&gt;Products</formula>",
        "<formula>A2&gt;TODAY()</formula>",
        "Living sheet: a conditional format: the function TODAY",
    ),
    (LIVING, r#"dxfId="0""#, r#"dxfId="5""#, "a conditional format: there is no format 5"),
    (LIVING, "<xm:f>Data!", "<xm:f>Dates!", "Living sheet: the sparkline in B2: there is no sheet `Dates`"),
    (LIVING, "<xm:sqref>B2", "<xm:sqref>", "the sparkline in  has no place"),
    ("xl/workbook.xml", "Data!$A$2:$A$4", "Data!$A$2:Last", "the name `Products`: there is no name `Last`"),
];

const CHARTS: [Damage; 8] = [
    (CHART, "<c:v>30</c:v>", "<c:v>31</c:v>", "point 1 of `Data!$B$2:$B$4` is Some(\"31\"), the cell Number(30.0)"),
    (CHART, "<c:v>Fabric</c:v>", "<c:v>fabric</c:v>", "point 2 of `Data!$A$2:$A$4` is Some(\"fabric\")"),
    (CHART, r#"<c:pt idx="1"><c:v>30</c:v></c:pt>"#, "", "point 1 of `Data!$B$2:$B$4` is None"),
    (CHART, r#"<c:ptCount val="3"/>"#, r#"<c:ptCount val="2"/>"#, "holds Some(2) points for 3 cells"),
    (CHART, r#"<c:pt idx="1">"#, r#"<c:pt idx="0">"#, "holds the point Some(\"0\") out of order"),
    (CHART, "<c:f>Data!$B$2:$B$4</c:f>", "<c:f>Data!$B$2:$C$4</c:f>", "holds Some(3) points for 6 cells"),
    (CHART, "<c:f>Data!$B$2:$B$4</c:f>", "<c:f>Products</c:f>", "`Products` is no range of cells"),
    ("xl/drawings/drawing1.xml", r#"descr="Three products""#, "", "has no alternative text"),
];

const PACKAGE: [Damage; 11] = [
    ("xl/workbook.xml", r#"<sheet name="Data""#, r#"<sheet name="History""#, "`History` is no name of a sheet"),
    (
        "xl/workbook.xml",
        r#"<sheet name="Data""#,
        r#"<sheet name="living SHEET""#,
        "two sheets are named `Living sheet`",
    ),
    (
        "xl/workbook.xml",
        "</definedNames>",
        r#"<definedName name="PRODUCTS">1</definedName></definedNames>"#,
        "the name `PRODUCTS` is defined twice",
    ),
    (
        "[Content_Types].xml",
        "/xl/tables/table1.xml",
        "/xl/tables/table2.xml",
        "xl/tables/table2.xml has a content type and is missing",
    ),
    ("[Content_Types].xml", r#"Extension="rels""#, r#"Extension="rel""#, "_rels/.rels has no content type"),
    ("xl/worksheets/_rels/sheet2.xml.rels", "drawing1.xml", "drawing7.xml", "xl/drawings/drawing7.xml is missing"),
    (LIVING, r#"<drawing r:id="rId1""#, r#"<drawing r:id="rId9""#, "there is no relation `rId9`"),
    (LIVING, r#"location="Data!A1""#, r#"location="Dada!A1""#, "the link in A4 leads to `Dada!A1`, which is not there"),
    (LIVING, r#"<hyperlink ref="A4""#, r#"<hyperlink ref="A40""#, "the link in A40 has no cell"),
    (DATA, "</sheetData>", "", "xl/worksheets/sheet1.xml"),
    ("xl/sharedStrings.xml", "Fabric", "Fab\u{1}ric", "xl/sharedStrings.xml: a sign that XML has not"),
];

#[test]
fn a_sound_workbook_has_no_findings() {
    assert_eq!(findings(&sound()), Vec::<String>::new());
}

#[test]
fn each_damage_is_found_and_named() {
    let sound = sound();
    for (part, from, to, expected) in CELLS.iter().chain(&TABLES).chain(&SPEECH).chain(&CHARTS).chain(&PACKAGE) {
        let found = findings(&tampered(&sound, part, from, to));
        assert!(
            found.iter().any(|finding| finding.contains(expected)),
            "{from} → {to}: {expected} is not in {found:#?}"
        );
    }
}

#[test]
fn what_is_longer_than_excel_takes_is_found() {
    let sound = sound();
    let long = |part, from, to: &str| findings(&tampered(&sound, part, from, to)).join("\n");
    let sum = |n: usize| vec!["A1"; n].join("+");
    let validation = format!("<formula1>{}</formula1>", sum(86));
    assert!(
        long(LIVING, "<formula1>Products</formula1>", &validation)
            .contains("the validation of A1 has 257 UTF-16 units")
    );
    assert!(long(LIVING, "IF(A2&gt;0", &format!("IF({}", sum(2_800))).contains("A3: a formula of 84"));
    let text = format!("\"{}\",\"none\")</f>", "x".repeat(256));
    assert!(long(LIVING, "\"some\",\"none\")</f>", &text).contains("A3: a text of 256 UTF-16 units in quotes"));
    let cell = format!("<t>{}</t>", "x".repeat(32_768));
    assert!(long("xl/sharedStrings.xml", "<t>Fabric</t>", &cell).contains("Data!A4: a text over 32767 UTF-16 units"));
}

#[test]
fn cells_that_two_programs_read_differently_are_told() {
    let cells =
        |value: Value| Cells::from([("Data".to_owned(), HashMap::from([(Place { row: 1, column: 1 }, value)]))]);
    let (one, other) = (cells(Value::Number(365.0)), cells(Value::Text("365".to_owned())));
    assert_eq!(differences(&one, &one), Vec::<String>::new());
    assert_eq!(differences(&one, &other), ["Data!B2: Some(Number(365.0)) and Some(Text(\"365\"))"]);
    assert_eq!(differences(&one, &Cells::new()).len(), 1);
}
