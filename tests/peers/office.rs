//! LibreOffice as a program that is asked: opens workbooks, computes them anew, sets cells, sorts, reads.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use serde_json::{Value as Json, json};

use crate::peer;
use crate::sheets::area::Place;
use crate::sheets::book::Value;
use crate::sheets::readers::Cells;

/// One LibreOffice that opens one file after the other. It ends with this value, and by itself when a request takes
/// too long.
pub struct Office {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

/// A cell to set: its sheet, its address, and a number or a text.
pub type Set<'a> = (&'a str, &'a str, Json);

impl Office {
    /// Starts LibreOffice.
    pub fn start() -> Office {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/libreoffice.py");
        let mut command = peer::command("python-uno");
        command.arg(script).arg(peer::path("soffice")).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (input, output) = (child.stdin.take(), child.stdout.take().unwrap());
        Office { child, input, output: BufReader::new(output) }
    }

    /// Asks and waits for the answer.
    ///
    /// # Errors
    /// With LibreOffice's words.
    fn ask(&mut self, request: &Json) -> Result<Json, String> {
        let input = self.input.as_mut().ok_or("it has ended")?;
        writeln!(input, "{request}").map_err(|error| error.to_string())?;
        let mut line = String::new();
        self.output.read_line(&mut line).map_err(|error| error.to_string())?;
        let mut answer: Json = serde_json::from_str(&line).map_err(|_| format!("LibreOffice ended at {request}"))?;
        if let Some(why) = answer.get("failed") { Err(format!("{request}: {why}")) } else { Ok(answer["ok"].take()) }
    }

    #[track_caller]
    fn told(&mut self, request: &Json) -> Json {
        self.ask(request).unwrap_or_else(|why| panic!("{why}"))
    }

    /// Opens a file in place of the one that is open.
    ///
    /// # Errors
    /// When LibreOffice can't.
    pub fn open(&mut self, file: &Path) -> Result<(), String> {
        self.ask(&json!({"do": "open", "file": file})).map(|_| ())
    }

    /// Computes every formula anew, whatever result the file brought.
    pub fn recalculate(&mut self) {
        self.told(&json!({"do": "recalculate"}));
    }

    /// What stands in the cells that hold formulas. LibreOffice takes the words TRUE and FALSE for formulas, too.
    pub fn formulas(&mut self) -> Cells {
        let mut cells = Cells::new();
        for cell in self.told(&json!({"do": "formulas"})).as_array().unwrap() {
            let place = Place { row: index(&cell[1]), column: index(&cell[2]) };
            cells.entry(cell[0].as_str().unwrap().to_owned()).or_default().insert(place, value(&cell[3]));
        }
        cells
    }

    /// What stands in every cell.
    pub fn cells(&mut self) -> Cells {
        let answer = self.told(&json!({"do": "cells"}));
        let sheets = answer.as_object().unwrap().iter().map(|(sheet, cells)| {
            let cells = cells.as_array().unwrap().iter();
            let placed = cells.map(|cell| (Place { row: index(&cell[0]), column: index(&cell[1]) }, value(&cell[2])));
            (sheet.clone(), placed.collect())
        });
        sheets.collect()
    }

    /// The values of a range, row by row.
    pub fn read(&mut self, sheet: &str, range: &str) -> Vec<Vec<Value>> {
        let answer = self.told(&json!({"do": "read", "sheet": sheet, "range": range}));
        let rows = answer.as_array().unwrap().iter();
        rows.map(|row| row.as_array().unwrap().iter().map(value).collect()).collect()
    }

    /// Writes a number or a text into a cell; what depends on it is computed.
    pub fn set(&mut self, (sheet, cell, value): &Set<'_>) {
        self.told(&json!({"do": "set", "sheet": sheet, "range": cell, "value": value}));
    }

    /// Sorts a range's rows by one of its columns, counted from 0.
    pub fn sort(&mut self, sheet: &str, range: &str, column: usize, ascending: bool) {
        let request = json!({"do": "sort", "sheet": sheet, "range": range, "column": column, "ascending": ascending});
        self.told(&request);
    }

    /// Writes the open file as a PDF.
    pub fn pdf(&mut self, to: &Path) {
        self.told(&json!({"do": "pdf", "to": to}));
    }

    /// What ranges hold once some cells of a file are set, as someone does who chooses from its lists.
    pub fn selections(&mut self, file: &Path, sets: &[Set<'_>], reads: &[(&str, &str)]) -> Vec<Vec<Vec<Value>>> {
        self.open(file).unwrap();
        sets.iter().for_each(|set| self.set(set));
        self.recalculate();
        reads.iter().map(|(sheet, range)| self.read(sheet, range)).collect()
    }
}

impl Drop for Office {
    fn drop(&mut self) {
        // The script ends LibreOffice when nothing more can be asked.
        self.input = None;
        let _ended = self.child.wait();
    }
}

fn index(number: &Json) -> u32 {
    u32::try_from(number.as_u64().unwrap()).unwrap()
}

/// A value as both scripts write it.
pub fn value(answer: &Json) -> Value {
    match answer {
        Json::Null => Value::Empty,
        Json::Bool(is) => Value::Bool(*is),
        Json::String(text) => Value::Text(text.clone()),
        other => match (other["number"].as_str(), other["error"].as_str()) {
            (Some(number), _) => Value::Number(number.parse().unwrap()),
            (_, Some(error)) => Value::Error(error.to_owned()),
            _ => Value::Broken(other.to_string()),
        },
    }
}

#[cfg(test)]
mod tests {
    use rust_xlsxwriter::{DataValidation, Formula, Workbook};

    use super::*;

    /// A list to choose from, and formulas that look up what was chosen: names with wildcards in them, too.
    fn living() -> Vec<u8> {
        let mut workbook = Workbook::new();
        let sheet = workbook.add_worksheet().set_name("Choose").unwrap();
        for (row, (name, n)) in (1..).zip([("Office 365", 120), ("Power*BI", 30), ("Power and BI", 7)]) {
            sheet.write_string(row, 4, name).unwrap();
            sheet.write_number(row, 5, n).unwrap();
        }
        sheet.add_data_validation(0, 0, 0, 0, &DataValidation::new().allow_list_formula("Names".into())).unwrap();
        sheet.write_string(0, 0, "Office 365").unwrap();
        let key = "SUBSTITUTE(A1,\"*\",\"~*\")";
        let found = format!("IFERROR(INDEX(F2:F4,MATCH({key},Names,0)),\"none\")");
        sheet.write_formula(1, 0, Formula::new(found).set_result("120")).unwrap();
        sheet.write_formula(2, 0, Formula::new("INDEX(F2:F4,MATCH(A1&\"!\",Names,0))").set_result("#N/A")).unwrap();
        workbook.define_name("Names", "=Choose!$E$2:$E$4").unwrap();
        workbook.save_to_buffer().unwrap()
    }

    #[test]
    fn what_is_chosen_from_a_list_is_what_the_formulas_show() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("living.xlsx");
        std::fs::write(&file, living()).unwrap();
        let mut office = Office::start();
        for (choice, shown) in [
            ("Power*BI", Value::Number(30.0)),
            ("Power and BI", Value::Number(7.0)),
            ("365", Value::Text("none".to_owned())),
        ] {
            let read = office.selections(&file, &[("Choose", "A1", json!(choice))], &[("Choose", "A1:A3")]);
            let chosen = Value::Text(choice.to_owned());
            assert_eq!(read, [[vec![chosen], vec![shown], vec![Value::Error("#N/A".to_owned())]]]);
        }
    }

    #[test]
    fn what_libreoffice_cannot_do_is_an_answer_and_it_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("living.xlsx");
        let mut office = Office::start();
        assert!(office.open(&file).is_err());
        std::fs::write(&file, living()).unwrap();
        office.open(&file).unwrap();
        assert!(office.ask(&json!({"do": "read", "sheet": "Nowhere", "range": "A1"})).is_err());
        office.sort("Choose", "E2:F4", 1, true);
        let names = office.read("Choose", "E2:E4").concat();
        assert_eq!(names, ["Power and BI", "Power*BI", "Office 365"].map(|name| Value::Text(name.to_owned())));
    }
}
