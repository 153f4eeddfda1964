//! The words that our own files are made of, so that who is called like one of them is not taken for a leak.

use std::collections::HashSet;
use std::sync::{Arc, LazyLock};

/// The texts of the program itself, one a line: those of its sources, and those of the files' own machinery.
const PHRASES: &str = include_str!("own_words.txt");

static SHIPPED: LazyLock<Words> = LazyLock::new(|| {
    let mut words = Words::default();
    PHRASES.lines().for_each(|phrase| words.add(phrase));
    words
});

/// Words and whole labels, in lower case.
#[derive(Default)]
struct Words {
    words: HashSet<String>,
    labels: HashSet<String>,
    /// All of them, a line each.
    text: String,
}

impl Words {
    fn add(&mut self, phrase: &str) {
        let label = phrase.trim().to_lowercase();
        self.words.extend(words_of(&label).map(str::to_owned));
        self.text.push_str(&label);
        self.text.push('\n');
        self.labels.insert(label);
    }
}

/// What stands in a file and is no news of anybody: the program's texts, the template's, and the partner's own products.
#[derive(Clone, Default)]
pub struct Own {
    of_run: Arc<Words>,
    of_partner: Arc<Words>,
    /// Texts of the partner's own in which a name may stand that is another's too.
    texts: Vec<String>,
}

impl Own {
    /// What every file of a run may have, besides what ships with the program: titles, roles, sentences of mails.
    pub fn of_run<'a>(phrases: impl IntoIterator<Item = &'a str>) -> Own {
        let mut words = Words::default();
        phrases.into_iter().for_each(|phrase| words.add(phrase));
        Own { of_run: Arc::new(words), ..Own::default() }
    }

    /// The same, and what the partner's own rows say of anything but partners, locations and customers.
    #[must_use]
    pub fn with<'a>(&self, texts: impl IntoIterator<Item = &'a str>) -> Own {
        let mut words = Words::default();
        let texts: Vec<String> = texts.into_iter().map(str::to_owned).collect();
        texts.iter().for_each(|text| words.add(text));
        Own { of_run: Arc::clone(&self.of_run), of_partner: Arc::new(words), texts }
    }

    fn lists(&self) -> [&Words; 3] {
        [&SHIPPED, &self.of_run, &self.of_partner]
    }

    /// Whether a name is, as a whole, a label of ours.
    pub(super) fn is_label(&self, name: &str) -> bool {
        let name = name.to_lowercase();
        self.lists().iter().any(|list| list.labels.contains(&name))
    }

    /// Whether our texts say a name: it is a word of theirs, or several words that stand together.
    pub(super) fn says(&self, name: &str) -> bool {
        let name = name.to_lowercase();
        let lists = self.lists();
        if words_of(&name).any(|word| !lists.iter().any(|list| list.words.contains(word))) {
            return false;
        }
        let is_said = |list: &&Words| {
            list.text.match_indices(&name).any(|(at, _)| {
                let sticks = |letter: Option<char>| letter.is_some_and(char::is_alphanumeric);
                !sticks(list.text[..at].chars().next_back()) && !sticks(list.text[at + name.len()..].chars().next())
            })
        };
        lists.iter().any(is_said)
    }

    /// Whether a name at this place of a text is a part of one of the partner's own texts.
    pub(super) fn covers(&self, text: &str, start: usize, name: &str) -> bool {
        self.texts.iter().any(|own| is_within(text, start, name, own))
    }

    /// The partner's own texts.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        self.texts.iter().map(String::as_str)
    }
}

/// Whether a name that stands at `start` is there as a part of a longer text.
fn is_within(text: &str, start: usize, name: &str, longer: &str) -> bool {
    longer.match_indices(name).any(|(offset, _)| {
        start.checked_sub(offset).is_some_and(|from| text.is_char_boundary(from) && text[from..].starts_with(longer))
    })
}

fn words_of(phrase: &str) -> impl Iterator<Item = &str> {
    phrase.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    //! The list is held against the sources: `PRESSRUN_UPDATE=1` writes it anew.

    use std::collections::BTreeSet;
    use std::path::{Path, PathBuf};

    use super::*;

    /// Where texts come from that stand in files.
    const SOURCES: [&str; 10] = [
        "src/report",
        "src/sections",
        "src/render/pdf",
        "src/render/xlsx",
        "src/render/chart",
        "src/render/email",
        "src/base/month.rs",
        "src/base/period.rs",
        "src/audience/role.rs",
        "src/facts/source.rs",
    ];

    /// What the machinery of workbooks and PDFs writes itself: names of styles, themes, fonts and properties.
    const MACHINERY: &str = include_str!("machinery.txt");

    fn files(path: &Path, found: &mut Vec<PathBuf>) {
        if path.is_dir() {
            std::fs::read_dir(path).unwrap().for_each(|entry| files(&entry.unwrap().path(), found));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path.to_owned());
        }
    }

    /// The literals of a source without its tests and errors, parted where something is put in.
    fn phrases(text: &str, found: &mut BTreeSet<String>) {
        let code = text.split("\n#[cfg(test)]").next().unwrap_or(text);
        let is_text =
            |line: &&str| ["//", "#[", "#![", "assert"].iter().all(|mark| !line.trim_start().starts_with(mark));
        let code = code.lines().filter(is_text).collect::<Vec<_>>().join("\n");
        let code = code.replace("'\"'", "").replace("\\\"", "'").replace("\\\n", " ");
        for part in code.split('"').skip(1).step_by(2).flat_map(|literal| literal.split(['{', '}', '\n'])) {
            let phrase = part.split_whitespace().collect::<Vec<_>>().join(" ");
            let phrase = phrase.trim_matches([':', ';', ',', '.', '(', '·', ' ']);
            let n_letters = phrase.chars().filter(|letter| letter.is_alphabetic()).count();
            if n_letters > 2 && !phrase.contains(['<', '>', '\\', '=', '&', '`']) {
                found.insert(phrase.to_owned());
            }
        }
    }

    #[test]
    fn the_list_has_every_text_of_the_sources() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut paths = Vec::new();
        SOURCES.iter().for_each(|path| files(&root.join(path), &mut paths));
        // Samples and tests speak of invented companies, and who writes PDFs of their keys, which are no texts.
        paths.retain(|path| !["sample", "test", "pdf/write"].iter().any(|part| path.to_string_lossy().contains(part)));
        let mut found: BTreeSet<String> = MACHINERY.lines().map(str::to_owned).collect();
        for path in &paths {
            phrases(&std::fs::read_to_string(path).unwrap(), &mut found);
        }
        let list = root.join("src/gate/own_words.txt");
        if std::env::var_os("PRESSRUN_UPDATE").is_some_and(|value| value == "1") {
            let lines: Vec<String> = found.iter().map(|phrase| format!("{phrase}\n")).collect();
            std::fs::write(&list, lines.concat()).unwrap();
        }
        let known: BTreeSet<String> = std::fs::read_to_string(&list).unwrap().lines().map(str::to_owned).collect();
        let missing: Vec<&String> = found.difference(&known).collect();
        assert!(missing.is_empty(), "run this test with PRESSRUN_UPDATE=1, missing are {missing:?}");
    }

    #[test]
    fn names_that_our_texts_say_are_told_from_labels() {
        let own = Own::of_run(["Licenses at risk", "Desk"]).with(["Office 365 E3 (Contoso)"]);
        assert!(own.is_label("active licenses") && own.is_label("Desk") && own.is_label("October"));
        assert!(!own.is_label("Risk") && own.says("Risk") && own.says("At risk") && own.says("365 E3"));
        assert!(!own.says("Risk Ltd") && !own.says("Desk risk") && !own.says("isk") && !own.says("E3 Contos"));
        assert!(own.covers("has Office 365 E3 (Contoso) too", 19, "Contoso"));
        assert!(!own.covers("has Contoso", 4, "Contoso"));
    }
}
