//! The rules of the source tree: what may import what, how long things are, what is left over, what is documented.

mod code;
mod documents;
mod imports;
mod tree;
mod words;

use imports::Law;
use tree::{Tree, report};

/// Lines of a file.
const FILE_LINES_MAX: usize = 500;
/// Lines of a function, from `fn` to its closing brace.
const FUNCTION_LINES_MAX: usize = 70;
/// Names that say nothing of what is inside.
const EMPTY_NAMES: [&str; 6] = ["utils", "util", "common", "helpers", "types", "manager"];

#[test]
fn every_module_imports_only_what_the_table_in_the_architecture_allows() {
    let tree = Tree::read();
    let law = Law::of(tree.text("ARCHITECTURE.md")).unwrap();
    let found = tree.library().flat_map(|file| law.breaches(file, &tree.test_only));
    report("imports that the table of modules does not allow", found);
}

#[test]
fn every_module_stands_in_the_table_in_the_architecture() {
    let tree = Tree::read();
    let law = Law::of(tree.text("ARCHITECTURE.md")).unwrap();
    let modules = tree.library().filter_map(imports::module_of);
    let unknown = modules.filter(|module| !law.knows(module)).map(|module| format!("src/{module}"));
    report("modules missing from the table", unknown);
}

#[test]
fn no_file_is_longer_than_it_may_be() {
    let tree = Tree::read();
    let long = tree.rust().filter(|file| file.text.lines().count() > FILE_LINES_MAX);
    report("files over 500 lines", long.map(|file| format!("{}: {} lines", file.path, file.text.lines().count())));
}

#[test]
fn no_function_is_longer_than_it_may_be() {
    let tree = Tree::read();
    let found = tree.rust().flat_map(|file| {
        let long = code::functions(&file.code).into_iter().filter(|function| function.n_lines > FUNCTION_LINES_MAX);
        long.map(move |function| {
            let (path, line) = (&file.path, function.line);
            format!("{path}:{line}: `{}` has {} lines", function.name, function.n_lines)
        })
    });
    report("functions over 70 lines", found);
}

#[test]
fn every_file_says_first_what_it_is_for() {
    let tree = Tree::read();
    let silent = tree.rust().filter(|file| !file.text.starts_with("//! "));
    report("files that don't begin with `//!`", silent.map(|file| file.path.clone()));
}

#[test]
fn no_file_has_a_name_that_says_nothing() {
    let tree = Tree::read();
    let named = |path: &str| path.split(['/', '.']).any(|part| EMPTY_NAMES.contains(&part));
    report("empty names", tree.rust().filter(|file| named(&file.path)).map(|file| file.path.clone()));
}

#[test]
fn nothing_is_left_over() {
    let tree = Tree::read();
    report("left over", tree.files.iter().flat_map(words::leftovers));
}

#[test]
fn nothing_names_the_machine_it_was_made_on() {
    let tree = Tree::read();
    report("named, though it is no business of the product", tree.files.iter().flat_map(words::strangers));
}

#[test]
fn only_the_command_line_and_the_daemon_have_errors_without_a_kind() {
    let tree = Tree::read();
    let elsewhere = tree.library().filter(|file| {
        !matches!(imports::module_of(file), Some("cli" | "daemon") | None) && code::has_word(&file.code, "anyhow")
    });
    report("`anyhow` outside cli and daemon", elsewhere.map(|file| file.path.clone()));
}

#[test]
fn what_is_pure_touches_nothing_outside() {
    let tree = Tree::read();
    let outside = ["std::fs", "std::net", "std::env", "std::process", "sqlx::", "tokio::", "lettre::"];
    let pure = tree.library().filter(|file| {
        matches!(imports::module_of(file), Some("base" | "report" | "render" | "sections" | "schedule" | "audience"))
            && !tree.test_only.contains(&file.path)
    });
    let found = pure.flat_map(|file| {
        let code = code::without_tests(&file.code);
        let used = outside.iter().filter(move |path| code.contains(**path));
        used.map(move |path| format!("{}: `{path}`", file.path))
    });
    report("the outside world in a pure module", found);
}

#[test]
fn nothing_is_random() {
    let tree = Tree::read();
    let sources = ["rand", "fastrand", "getrandom", "RandomState"];
    let found = tree.library().flat_map(|file| {
        let used = sources.iter().filter(|word| code::has_word(&file.code, word));
        used.map(move |word| format!("{}: `{word}`", file.path))
    });
    report("randomness", found);
}

#[test]
fn every_key_of_the_reference_configuration_has_a_comment() {
    let tree = Tree::read();
    let text = tree.text("config/reference.toml");
    assert!(documents::n_keys(text) > 0, "config/reference.toml has no keys");
    report("keys without a comment", documents::undocumented(text).into_iter());
}

#[test]
fn the_states_drawn_in_the_architecture_hang_together() {
    let tree = Tree::read();
    let drawn = documents::moves(tree.text("ARCHITECTURE.md")).unwrap();
    for row in ["run", "edition", "delivery"] {
        assert!(drawn.iter().any(|(of, _, _)| of == row), "no state of a {row} is drawn");
    }
    let is_reached = |row: &str, state: &str| drawn.iter().any(|(of, _, to)| of == row && to == state);
    // Rows are born in these two; whatever else has a way out must have a way in.
    let is_born = |state: &str| matches!(state, "planned" | "suppressed");
    let stray = drawn.iter().filter(|(row, from, _)| !is_born(from) && !is_reached(row, from));
    report("states that nothing leads to", stray.map(|(row, from, _)| format!("{row}: `{from}`")));
}

#[test]
fn the_states_drawn_in_the_architecture_are_the_ones_the_ledger_holds() {
    let drawn = documents::moves(Tree::read().text("ARCHITECTURE.md")).unwrap();
    report("states", documents::differences(&drawn, &pressrun::ledger::moves()).into_iter());
}
