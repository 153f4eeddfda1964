//! Words that must not be in the tree. They are put together from halves here, so that this file may be searched too.

use super::code::words;
use super::tree::SourceFile;

/// Marks of unfinished work, as whole words.
const MARKS: [&str; 3] = [concat!("FIX", "ME"), concat!("TO", "DO"), concat!("XX", "X")];
/// Code that is unfinished or silences a check.
const CALLS: [&str; 6] = [
    concat!("to", "do!"),
    concat!("unimple", "mented!"),
    concat!("d", "bg!"),
    concat!("#[ig", "nore"),
    concat!("#[al", "low"),
    concat!("#![al", "low"),
];
/// Paths of a developer's machine, hosts that packages come from, and who or what typed the text.
const STRANGERS: [&str; 15] = [
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
    concat!("crates", ".io"),
    concat!("pypi", ".org"),
    concat!("pythonhosted", ".org"),
    concat!("npmjs", ".org"),
    concat!("npmjs", ".com"),
    concat!("deb.deb", "ian.org"),
    concat!("proxy.gol", "ang.org"),
    concat!("AI ag", "ent"),
    concat!("sub", "agent"),
    concat!("language ", "model"),
    concat!("Cla", "ude"),
    concat!("this se", "ssion"),
];

/// What of a file is unfinished, as `file:line: word`.
pub fn leftovers(file: &SourceFile) -> Vec<String> {
    let is_code = [".rs", ".sql", ".toml", ".html", ".j2"].iter().any(|ending| file.path.ends_with(ending));
    let marks = MARKS.iter().filter(|mark| words(&file.text).any(|(_, word)| word == **mark));
    let calls = CALLS.iter().filter(|call| file.code.contains(**call));
    marks.chain(calls).filter(|_| is_code).flat_map(|word| places(file, word)).collect()
}

/// What of a file speaks of the machine or the maker.
pub fn strangers(file: &SourceFile) -> Vec<String> {
    STRANGERS.iter().flat_map(|word| places(file, word)).collect()
}

fn places(file: &SourceFile, word: &str) -> Vec<String> {
    let lines = file.text.lines().enumerate().filter(|(_, line)| line.contains(word));
    lines.map(|(index, _)| format!("{}:{}: `{word}`", file.path, index + 1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::code;

    fn file(path: &str, text: &str) -> SourceFile {
        SourceFile { path: path.to_owned(), text: text.to_owned(), code: code::only(text) }
    }

    #[test]
    fn leftovers_are_found_with_their_line_and_words_of_people_are_not() {
        let mark = MARKS[1];
        let text = format!("let s = 1;\n// {mark}: later\n");
        assert_eq!(leftovers(&file("src/a.rs", &text)), [format!("src/a.rs:2: `{mark}`")]);
        assert_eq!(leftovers(&file("src/a.rs", &format!("fn f() {{ {}() }}", CALLS[0]))).len(), 1);
        assert_eq!(leftovers(&file("src/a.rs", &format!("{}(dead_code)]", CALLS[4]))).len(), 1);
        assert!(leftovers(&file("src/a.rs", &format!("let {mark}S = \"{}()\";", CALLS[0]))).is_empty());
        assert!(leftovers(&file("README.md", &text)).is_empty());
    }

    #[test]
    fn a_path_of_the_machine_is_found() {
        let text = format!("ok\nsee {}x\n", STRANGERS[0]);
        assert_eq!(strangers(&file("docs/a.md", &text)), [format!("docs/a.md:2: `{}`", STRANGERS[0])]);
        assert!(strangers(&file("docs/a.md", "the framework/x of an Admin agent\n")).is_empty());
    }
}
