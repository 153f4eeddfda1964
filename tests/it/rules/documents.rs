//! What the documents promise: the tables of states, and a comment for every key.

use std::collections::BTreeSet;

use super::imports::table;

/// A row's kind, a state of it, and a state it may go to.
pub type Move = (String, String, String);

/// The moves in the table whose head is `| row | state | moved by | to |`. An empty first cell repeats the one above.
///
/// # Errors
/// With a sentence when there is no such table or a cell names no state.
pub fn moves(document: &str) -> Result<BTreeSet<Move>, String> {
    let mut moves = BTreeSet::new();
    let mut row_kind = String::new();
    for row in table(document, "| row | state | moved by | to |")? {
        let [kind, from, _, to] = row.as_slice() else { return Err(format!("not four cells: {row:?}")) };
        if !kind.is_empty() {
            row_kind.clone_from(kind);
        }
        let (from, to) = (quoted(from), quoted(to));
        if row_kind.is_empty() || from.is_empty() || to.is_empty() {
            return Err(format!("a cell without a state in backticks: {row:?}"));
        }
        let pairs = from.iter().flat_map(|from| to.iter().map(move |to| (from, to)));
        moves.extend(pairs.map(|(from, to)| (row_kind.clone(), (*from).to_owned(), (*to).to_owned())));
    }
    Ok(moves)
}

/// What one side has and the other has not, in words; nothing when they are the same.
pub fn differences(drawn: &BTreeSet<Move>, held: &[(&str, &str, &str)]) -> Vec<String> {
    let held: BTreeSet<Move> =
        held.iter().map(|(row, from, to)| ((*row).to_owned(), (*from).to_owned(), (*to).to_owned())).collect();
    let said = |(row, from, to): &Move, what: &str| format!("{row}: `{from}` to `{to}` {what}");
    let only_drawn = drawn.difference(&held).map(|one| said(one, "is drawn, but the code does not move so"));
    let only_held = held.difference(drawn).map(|one| said(one, "is in the code, but not drawn"));
    only_drawn.chain(only_held).collect()
}

/// The words in backticks.
fn quoted(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// The keys of a configuration, those commented out as `#key = …` included, that no comment explains: neither on the
/// same line nor right above. A second form of the same key may follow the first.
pub fn undocumented(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut is_explained = false;
    let mut key_above = None;
    for (index, line) in text.lines().enumerate() {
        let key = key(line);
        match key {
            Some(key) if key_above == Some(key) => {}
            Some(key) if !is_explained && !has_comment_after(line) => {
                found.push(format!("line {}: `{key}`", index + 1));
            }
            Some(_) => is_explained = false,
            None => is_explained = line.trim_start().starts_with("# ") || (is_explained && is_inside(line)),
        }
        key_above = key;
    }
    found
}

/// How many keys a configuration has, those commented out included.
pub fn n_keys(text: &str) -> usize {
    text.lines().filter(|line| key(line).is_some()).count()
}

/// The key of `key = …` or `#key = …`; prose comments have a blank after the mark.
fn key(line: &str) -> Option<&str> {
    let (key, _) = line.trim_start().trim_start_matches('#').split_once('=')?;
    let key = key.trim_end();
    let is_bare = |one: char| one.is_ascii_alphanumeric() || matches!(one, '_' | '-' | '.' | '"');
    (!key.is_empty() && key.chars().all(is_bare)).then_some(key)
}

/// Whether a comment follows the value on its line.
fn has_comment_after(line: &str) -> bool {
    let value = line.trim_start().trim_start_matches('#');
    let mut is_in_text = false;
    value.chars().any(|one| {
        is_in_text ^= one == '"';
        one == '#' && !is_in_text
    })
}

/// A table's head stands between a comment and its first key.
fn is_inside(line: &str) -> bool {
    line.trim_start().trim_start_matches('#').starts_with('[')
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRAWN: &str = "| row | state | moved by | to |\n|---|---|---|---|\n| run | `planned` | who | `running`, `held` (later) |\n\
        | | `held` | an admin's `release` | `running` |\n| edition | `a`, `b` | x | `c` |\n\nend\n";

    #[test]
    fn moves_are_read_row_by_row() {
        let expected = [
            ("run", "planned", "running"),
            ("run", "planned", "held"),
            ("run", "held", "running"),
            ("edition", "a", "c"),
            ("edition", "b", "c"),
        ];
        assert_eq!(differences(&moves(DRAWN).unwrap(), &expected), Vec::<String>::new());
        let other = [&expected[..4], &[("edition", "b", "d")]].concat();
        let told = differences(&moves(DRAWN).unwrap(), &other);
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[0].contains("`b` to `c` is drawn") && told[1].contains("`b` to `d` is in the code"), "{told:?}");
        assert!(moves("nothing").is_err() && moves(&DRAWN.replace("`c`", "c")).is_err());
    }

    #[test]
    fn a_key_without_a_comment_is_found() {
        let text = "# why\n[mail]\nhost = \"a#b\"\nport = 25 # which\n\n# off by default\n#cap = 3\n#cap = 9\n#bare = 4\n[[x]]\nlast = \"#\"\n";
        assert_eq!(undocumented(text), ["line 9: `bare`", "line 11: `last`"]);
        assert_eq!(n_keys(text), 6);
    }
}
