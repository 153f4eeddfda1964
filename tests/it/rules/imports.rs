//! Which module may import which: the table in `ARCHITECTURE.md`, held against the paths in the code.

use std::collections::{BTreeMap, BTreeSet};

use super::code;
use super::tree::SourceFile;

/// What each module may import beside `base` and itself.
pub struct Law {
    allowed: BTreeMap<String, BTreeSet<String>>,
}

impl Law {
    /// Reads the table whose head is `| module | may import | …`.
    ///
    /// # Errors
    /// With a sentence when there is no such table, or a cell names what is no module.
    pub fn of(document: &str) -> Result<Law, String> {
        let rows = table(document, "| module | may import |")?;
        let mut allowed: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for row in &rows {
            let [module, may_import, ..] = row.as_slice() else { return Err(format!("a short row: {row:?}")) };
            let names = names_in(may_import);
            let mut set: BTreeSet<String> = match may_import.trim() {
                text if text.starts_with("all above but") => &allowed.keys().cloned().collect() - &names,
                text if text.starts_with("all") => allowed.keys().cloned().collect(),
                _ => names,
            };
            if let Some(unknown) = set.iter().find(|name| !rows.iter().any(|row| module_name(&row[0]) == **name)) {
                return Err(format!("`{unknown}` may be imported, but is no module"));
            }
            set.insert("base".to_owned());
            allowed.insert(module_name(module), set);
        }
        Ok(Law { allowed })
    }

    /// Whether the table has this module.
    pub fn knows(&self, module: &str) -> bool {
        self.allowed.contains_key(module)
    }

    /// Every path in a file that leads where it may not, as `file:line`; tests may look further.
    pub fn breaches(&self, file: &SourceFile, test_only: &BTreeSet<String>) -> Vec<String> {
        let Some(allowed) = module_of(file).and_then(|module| self.allowed.get(module)) else { return Vec::new() };
        if test_only.contains(&file.path) {
            return Vec::new();
        }
        let module = module_of(file).unwrap_or_default();
        let used = used_modules(&code::without_tests(&file.code), depth(&file.path));
        let breaches = used
            .into_iter()
            .filter(|(_, name)| name != module && self.allowed.contains_key(name) && !allowed.contains(name));
        breaches.map(|(line, name)| format!("{}:{line}: `{module}` may not import `{name}`", file.path)).collect()
    }
}

/// The top-level module that a file belongs to; none for `lib.rs` and `main.rs`.
pub fn module_of(file: &SourceFile) -> Option<&str> {
    let below = file.path.strip_prefix("src/")?;
    let name = below.split('/').next()?;
    match name.strip_suffix(".rs") {
        Some("lib" | "main") => None,
        Some(module) => Some(module),
        None => Some(name),
    }
}

/// How many `super` lead from a file to the crate's root.
fn depth(path: &str) -> usize {
    path.matches('/').count() - usize::from(path.ends_with("/mod.rs"))
}

/// The top-level modules that paths name, each with its line: `crate::x`, `crate::{x, y::z}`, `super::super::x`.
fn used_modules(code: &str, depth: usize) -> Vec<(usize, String)> {
    let roots = ["crate::".to_owned(), "super::".repeat(depth)];
    let mut used = Vec::new();
    for root in &roots {
        for (at, _) in code.match_indices(root.as_str()) {
            let before = code[..at].chars().next_back();
            if before
                .is_some_and(|one| one.is_alphanumeric() || one == '_' || (root.starts_with("super") && one == ':'))
            {
                continue;
            }
            let line = code[..at].matches('\n').count() + 1;
            used.extend(first_names(&code[at + root.len()..]).into_iter().map(|name| (line, name)));
        }
    }
    used
}

/// The first name of a path, or of each path in a group.
fn first_names(path: &str) -> Vec<String> {
    let name = |text: &str| text.trim_start().chars().take_while(|one| one.is_alphanumeric() || *one == '_').collect();
    let Some(group) = path.strip_prefix('{') else { return vec![name(path)] };
    let (mut depth, mut starts) = (0_usize, vec![0]);
    for (at, one) in group.char_indices() {
        match one {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => starts.push(at + 1),
            _ => {}
        }
    }
    starts.into_iter().map(|at| name(&group[at..])).filter(|name: &String| !name.is_empty()).collect()
}

/// The rows of a Markdown table below its head, each a list of cells.
pub fn table(document: &str, head: &str) -> Result<Vec<Vec<String>>, String> {
    let mut lines = document.lines().skip_while(|line| !line.starts_with(head)).skip(2).peekable();
    lines.peek().ok_or_else(|| format!("no table begins with `{head}`"))?;
    let cells = |line: &str| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
    Ok(lines.take_while(|line| line.starts_with('|')).map(cells).collect())
}

/// ``[`render/`]`` → `render`.
fn module_name(cell: &str) -> String {
    cell.chars().filter(|one| one.is_alphanumeric() || *one == '_').collect()
}

/// `report, render` → both; `all above but clock` → `clock`; `–` → none.
fn names_in(cell: &str) -> BTreeSet<String> {
    let listed = cell.trim().trim_start_matches("all above but").trim_start_matches("all");
    listed.split(',').map(module_name).filter(|name| !name.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "text\n\n| module | may import | it |\n|---|---|---|\n| `base/` | – | w |\n| `clock` | – | w |\n\
        | `report/` | – | w |\n| `render/` | report | w |\n| `config/` | all above but clock | w |\n| `cli/` | all | w |\n\nend\n";

    fn file(path: &str, text: &str) -> SourceFile {
        SourceFile { path: path.to_owned(), text: text.to_owned(), code: code::only(text) }
    }

    fn check(path: &str, text: &str, expected: &[&str]) {
        let law = Law::of(TABLE).unwrap();
        assert_eq!(law.breaches(&file(path, text), &BTreeSet::new()), expected, "{text}");
    }

    #[test]
    fn an_import_that_is_not_allowed_is_named_with_file_and_line() {
        check("src/render/mod.rs", "use crate::report::Report;\nuse crate::base::Month;\nuse super::Job;\n", &[]);
        let breach = "src/render/pdf/mod.rs:2: `render` may not import `clock`";
        check("src/render/pdf/mod.rs", "\nuse crate::clock::Clock;\n", &[breach]);
        check("src/render/pdf/mod.rs", "\nuse crate::{base::Month, clock::{A, B}};\n", &[breach]);
        check("src/render/pdf/mod.rs", "\nuse super::super::clock::Clock;\n", &[breach]);
        check("src/render/pdf/mod.rs", "\nlet x = crate::clock::now();\n", &[breach]);
        check("src/render/pdf/mod.rs", "\n// crate::clock\nlet s = \"crate::clock\";\n", &[]);
        check(
            "src/config/mod.rs",
            "use crate::clock::Clock;\n",
            &["src/config/mod.rs:1: `config` may not import `clock`"],
        );
        check("src/config/mod.rs", "use crate::{render::Job, report::Report};\n", &[]);
        check("src/cli/mod.rs", "use crate::{clock::Clock, config::Config};\n", &[]);
        check("src/report/mod.rs", "use crate::cli::X;\n", &["src/report/mod.rs:1: `report` may not import `cli`"]);
    }

    #[test]
    fn tests_may_look_further() {
        check("src/render/mod.rs", "#[cfg(test)]\nmod tests {\n    use crate::clock::Clock;\n}\n", &[]);
        let law = Law::of(TABLE).unwrap();
        let apart = file("src/render/tests.rs", "use crate::clock::Clock;\n");
        assert_eq!(law.breaches(&apart, &BTreeSet::from([apart.path.clone()])), Vec::<String>::new());
        assert_eq!(law.breaches(&apart, &BTreeSet::new()).len(), 1);
    }

    #[test]
    fn a_table_that_names_what_is_no_module_is_refused() {
        assert!(Law::of("no table\n").is_err());
        assert!(Law::of(&TABLE.replace("| report |", "| raport |")).is_err_and(|why| why.contains("raport")));
        assert!(!Law::of(TABLE).unwrap().knows("ledger"));
    }
}
