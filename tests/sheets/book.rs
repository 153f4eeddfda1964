//! A workbook's parts as another program would read them: sheets with their cells, tables and charts.

use std::collections::{BTreeMap, HashMap};
use std::io::{Cursor, Read};

use super::area::{Area, Place};
use super::xml::{Element, unescaped};

/// A workbook.
pub struct Book {
    /// Every part of XML, by its path.
    pub parts: BTreeMap<String, Element>,
    /// The paths of all parts.
    pub paths: Vec<String>,
    pub sheets: Vec<Sheet>,
    /// Defined names with what they stand for, and the sheet that they are of if they are of one.
    pub names: Vec<(String, Option<usize>, String)>,
    pub strings: Vec<String>,
    /// How many formats cells and conditions may choose from.
    pub n_formats: usize,
    pub n_conditional_formats: usize,
    /// What was wrong already as the file was read.
    pub findings: Vec<String>,
}

/// A sheet.
pub struct Sheet {
    pub name: String,
    pub is_hidden: bool,
    pub path: String,
    /// In the file's order.
    pub cells: Vec<Cell>,
    places: HashMap<Place, usize>,
    pub tables: Vec<Table>,
    pub charts: Vec<Chart>,
}

/// A cell.
#[derive(Clone, Debug)]
pub struct Cell {
    pub place: Place,
    /// The row that it stands in, as the row says.
    pub row: u32,
    pub format: usize,
    /// `n`, `s`, `str`, `inlineStr`, `e`, `b`.
    pub kind: String,
    pub formula: Option<String>,
    pub value: Value,
}

/// What stands in a cell.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    Empty,
    Number(f64),
    Text(String),
    Error(String),
    Bool(bool),
    /// What no program could read, and why.
    Broken(String),
}

/// A table.
#[derive(Clone, Debug)]
pub struct Table {
    pub name: String,
    pub area: Area,
    pub columns: Vec<TableColumn>,
    pub has_total: bool,
    pub filter: Option<String>,
    pub alt: String,
}

/// A column of a table.
#[derive(Clone, Debug)]
pub struct TableColumn {
    pub name: String,
    pub total_label: Option<String>,
    pub total_function: Option<String>,
}

/// A chart.
pub struct Chart {
    pub path: String,
    pub name: String,
    pub alt: String,
}

/// A part that another one names.
pub struct Relation {
    pub id: String,
    pub kind: String,
    /// The path of the part, or an address outside.
    pub target: String,
    pub is_outside: bool,
}

impl Book {
    /// Reads a workbook.
    ///
    /// # Errors
    /// With a sentence, when a part that holds it together is missing or broken.
    pub fn read(bytes: &[u8]) -> Result<Book, String> {
        let (mut parts, mut findings) = (BTreeMap::new(), Vec::new());
        let texts = texts(bytes)?;
        for (path, text) in &texts {
            let strange = |letter: char| {
                (letter < ' ' && !"\t\r\n".contains(letter)) || ('\u{fffe}'..='\u{ffff}').contains(&letter)
            };
            if text.contains(strange) {
                findings.push(format!("{path}: a sign that XML has not"));
            }
            parts.insert(path.clone(), Element::parse(text).map_err(|why| format!("{path}: {why}"))?);
        }
        let paths = texts.into_keys().collect();
        let mut book = Book {
            parts,
            paths,
            sheets: Vec::new(),
            names: Vec::new(),
            strings: Vec::new(),
            n_formats: 0,
            n_conditional_formats: 0,
            findings,
        };
        book.frame()?;
        Ok(book)
    }

    /// A part.
    ///
    /// # Errors
    /// When it is missing.
    pub fn part(&self, path: &str) -> Result<&Element, String> {
        self.parts.get(path).ok_or_else(|| format!("{path} is missing"))
    }

    fn frame(&mut self) -> Result<(), String> {
        let count = |styles: &Element, list: &str| styles.child(list).map_or(0, |list| list.children.len());
        let styles = self.part("xl/styles.xml")?;
        (self.n_formats, self.n_conditional_formats) = (count(styles, "cellXfs"), count(styles, "dxfs"));
        let strings = self.parts.get("xl/sharedStrings.xml").map(|part| part.all("si").map(text_of).collect());
        self.strings = strings.unwrap_or_default();
        let workbook = self.part("xl/workbook.xml")?;
        let names = workbook.child("definedNames").map(|names| names.all("definedName").map(defined).collect());
        let names: Option<Vec<_>> = names;
        let relations = self.relations("xl/workbook.xml");
        let listed = workbook.child("sheets").ok_or("the workbook lists no sheets")?;
        let sheets = listed.all("sheet").map(|sheet| {
            let id = sheet.get("r:id").unwrap_or_default();
            let relation = relations.iter().find(|relation| relation.id == id);
            let path = relation.map(|relation| relation.target.clone()).ok_or("a sheet has no part")?;
            self.sheet(sheet.get("name").unwrap_or_default(), sheet.get("state").is_some(), path)
        });
        let sheets = sheets.collect::<Result<Vec<_>, String>>()?;
        (self.sheets, self.names) = (sheets, names.unwrap_or_default());
        Ok(())
    }

    fn sheet(&self, name: &str, is_hidden: bool, path: String) -> Result<Sheet, String> {
        let root = self.part(&path)?;
        let rows = root.child("sheetData").into_iter().flat_map(|data| data.all("row"));
        let cells: Vec<Cell> =
            rows.flat_map(|row| row.all("c").map(|cell| self.cell(row, cell))).collect::<Result<_, _>>()?;
        let places = cells.iter().enumerate().map(|(n, cell)| (cell.place, n)).collect();
        let relations = self.relations(&path);
        let of = |kind: &'static str| relations.iter().filter(move |relation| relation.kind == kind);
        let tables = of("table").map(|relation| table(self.part(&relation.target)?)).collect::<Result<_, _>>()?;
        let drawings = of("drawing").map(|relation| self.charts(&relation.target)).collect::<Result<Vec<_>, _>>()?;
        let charts = drawings.into_iter().flatten().collect();
        Ok(Sheet { name: name.to_owned(), is_hidden, path, cells, places, tables, charts })
    }

    fn cell(&self, row: &Element, cell: &Element) -> Result<Cell, String> {
        let address = cell.get("r").unwrap_or_default();
        let place = Place::parse(address).ok_or_else(|| format!("`{address}` is no cell"))?;
        let number = row.number("r").and_then(|row| u32::try_from(row).ok()?.checked_sub(1));
        let kind = cell.get("t").unwrap_or("n").to_owned();
        let value = self.value(&kind, cell);
        Ok(Cell {
            place,
            row: number.ok_or("a row without a number")?,
            format: cell.number("s").unwrap_or(0),
            kind,
            formula: cell.child("f").map(|formula| unescaped(&formula.text)),
            value,
        })
    }

    fn value(&self, kind: &str, cell: &Element) -> Value {
        let held = cell.child("v").map(|value| value.text.as_str());
        let broken = |why: &str| Value::Broken(format!("`{}` {why}", held.unwrap_or_default()));
        match (kind, held) {
            ("inlineStr", _) => {
                cell.child("is").map_or_else(|| broken("is no text"), |text| Value::Text(text_of(text)))
            }
            ("n", None) => Value::Empty,
            ("n", Some(text)) => match text.parse::<f64>() {
                // Rust reads `inf` and `NaN`, which are no numbers of a workbook (xsd:double has them, Excel has not).
                Ok(number) if number.is_finite() && !text.ends_with(char::is_alphabetic) => Value::Number(number),
                _ => broken("is no number"),
            },
            ("s", Some(text)) => {
                let string = text.parse::<usize>().ok().and_then(|n| self.strings.get(n));
                string.map_or_else(|| broken("is no shared string"), |text| Value::Text(text.clone()))
            }
            ("str", Some(text)) => Value::Text(unescaped(text)),
            ("e", Some(text)) if text.starts_with('#') => Value::Error(text.to_owned()),
            ("b", Some("0" | "1")) => Value::Bool(held == Some("1")),
            _ => broken(&format!("is no value of a cell of type `{kind}`")),
        }
    }

    fn charts(&self, path: &str) -> Result<Vec<Chart>, String> {
        let relations = self.relations(path);
        let frames = self.part(path)?.below("graphicFrame");
        let charts = frames.iter().filter_map(|frame| {
            let id = frame.below("chart").first()?.get("r:id")?.to_owned();
            let described = frame.below("cNvPr").into_iter().next()?;
            let target = relations.iter().find(|relation| relation.id == id)?.target.clone();
            let word = |name: &str| described.get(name).unwrap_or_default().to_owned();
            Some(Chart { path: target, name: word("name"), alt: word("descr") })
        });
        Ok(charts.collect())
    }

    /// The parts that a part names.
    pub fn relations(&self, path: &str) -> Vec<Relation> {
        let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
        let listed = format!("{folder}/_rels/{file}.rels");
        let Some(listed) = self.parts.get(listed.trim_start_matches('/')) else { return Vec::new() };
        let word = |relation: &Element, name: &str| relation.get(name).unwrap_or_default().to_owned();
        let relation = |relation: &Element| {
            let is_outside = relation.get("TargetMode") == Some("External");
            let target = word(relation, "Target");
            Relation {
                id: word(relation, "Id"),
                kind: word(relation, "Type").rsplit('/').next().unwrap_or_default().to_owned(),
                target: if is_outside { target } else { joined(folder, &target) },
                is_outside,
            }
        };
        listed.all("Relationship").map(relation).collect()
    }

    /// The sheet of a name; Excel does not mind case.
    pub fn named(&self, name: &str) -> Option<&Sheet> {
        self.sheets.iter().find(|sheet| sheet.name.to_lowercase() == name.to_lowercase())
    }

    /// The table of a name, and the sheet that it is on.
    pub fn table(&self, name: &str) -> Option<(&Sheet, &Table)> {
        let mut tables = self.sheets.iter().flat_map(|sheet| sheet.tables.iter().map(move |table| (sheet, table)));
        tables.find(|(_, table)| table.name.to_lowercase() == name.to_lowercase())
    }
}

impl Sheet {
    /// What stands in a cell.
    pub fn value(&self, place: Place) -> &Value {
        self.places.get(&place).map_or(&Value::Empty, |n| &self.cells[*n].value)
    }

    /// A cell, if the file has it.
    pub fn cell(&self, place: Place) -> Option<&Cell> {
        self.places.get(&place).map(|n| &self.cells[*n])
    }
}

impl Value {
    /// The number, if it is one.
    pub fn number(&self) -> Option<f64> {
        if let Value::Number(number) = self { Some(*number) } else { None }
    }

    /// The text, if it is one.
    pub fn text(&self) -> Option<&str> {
        if let Value::Text(text) = self { Some(text) } else { None }
    }
}

fn texts(bytes: &[u8]) -> Result<BTreeMap<String, String>, String> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|error| error.to_string())?;
    let mut texts = BTreeMap::new();
    for n in 0..archive.len() {
        let mut file = archive.by_index(n).map_err(|error| error.to_string())?;
        let path = file.name().map_err(|error| error.to_string())?.into_owned();
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(|error| format!("{path}: {error}"))?;
        if texts.insert(path.clone(), text).is_some() {
            return Err(format!("{path} is there twice"));
        }
    }
    Ok(texts)
}

/// A path from the folder of the part that names it.
fn joined(folder: &str, target: &str) -> String {
    let mut path: Vec<&str> = if target.starts_with('/') { Vec::new() } else { folder.split('/').collect() };
    for step in target.split('/') {
        match step {
            ".." => {
                path.pop();
            }
            "" | "." => {}
            step => path.push(step),
        }
    }
    path.join("/").trim_start_matches('/').to_owned()
}

/// The text of a string: its own, or that of its runs; what is read aloud beside it is another.
fn text_of(string: &Element) -> String {
    let runs = string.children.iter().flat_map(|child| match child.name.as_str() {
        "t" => vec![child],
        "r" => child.all("t").collect(),
        _ => Vec::new(),
    });
    runs.map(|text| unescaped(&text.text)).collect()
}

fn defined(name: &Element) -> (String, Option<usize>, String) {
    (name.get("name").unwrap_or_default().to_owned(), name.number("localSheetId"), name.text.clone())
}

fn table(root: &Element) -> Result<Table, String> {
    let name = root.get("name").unwrap_or_default().to_owned();
    let area = root.get("ref").and_then(Area::parse).ok_or_else(|| format!("the table `{name}` has no place"))?;
    let word = |column: &Element, name: &str| column.get(name).map(unescaped);
    let column = |column: &Element| TableColumn {
        name: word(column, "name").unwrap_or_default(),
        total_label: word(column, "totalsRowLabel"),
        total_function: word(column, "totalsRowFunction"),
    };
    let described = root.below("table").iter().find_map(|table| table.get("altText").or(table.get("altTextSummary")));
    Ok(Table {
        columns: root
            .child("tableColumns")
            .map(|columns| columns.all("tableColumn").map(column).collect())
            .unwrap_or_default(),
        has_total: root.number("totalsRowCount").unwrap_or(0) > 0,
        filter: root.child("autoFilter").and_then(|filter| filter.get("ref")).map(str::to_owned),
        alt: described.unwrap_or_default().to_owned(),
        name,
        area,
    })
}
