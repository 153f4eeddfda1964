//! Hints: what was meant, and what there is.

/// No hint: there is nothing to advise.
pub(super) const NONE: &str = "";

/// The longest list that a hint spells out.
const LISTED_MAX: usize = 24;

/// ``did you mean `x`?`` when one of the known words is near, else what there is: ``known keys: `a`, `b` ``.
pub(super) fn for_unknown<'a>(word: &str, what: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    if let Some(near) = nearest(word, known.iter().copied()) {
        return format!("did you mean `{near}`?");
    }
    let listed: Vec<String> = known.iter().take(LISTED_MAX).map(|word| format!("`{word}`")).collect();
    let rest = known.len().saturating_sub(LISTED_MAX);
    let rest = if rest > 0 { format!(" and {rest} more") } else { String::new() };
    match listed.as_slice() {
        [] => format!("there are no {what}"),
        _ => format!("known {what}: {}{rest}", listed.join(", ")),
    }
}

/// The known word that a word was likely meant to be: the same but for case and signs, or a third of it mistyped.
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = folded(word);
    known
        .into_iter()
        .map(|known| (strsim::osa_distance(&folded, &self::folded(known)), known))
        .filter(|(distance, known)| *distance * 3 <= known.chars().count().min(folded.chars().count().max(3)))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

/// Words of a thousand letters are no typing errors; the distance would only cost time.
const WORD_CHARS_MAX: usize = 64;

fn folded(word: &str) -> String {
    let plain = |letter: char| if matches!(letter, '-' | ' ') { '_' } else { letter };
    word.chars().take(WORD_CHARS_MAX).flat_map(char::to_lowercase).map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_proposed_and_far_ones_listed() {
        let known = ["summary", "geography", "license-adds"];
        for (word, hint) in [
            ("geografy", "did you mean `geography`?"),
            ("Summary", "did you mean `summary`?"),
            ("license_adds", "did you mean `license-adds`?"),
            ("smumary", "did you mean `summary`?"),
            ("x", "known sections: `summary`, `geography`, `license-adds`"),
            ("", "known sections: `summary`, `geography`, `license-adds`"),
        ] {
            assert_eq!(for_unknown(word, "sections", known), hint);
        }
        assert_eq!(for_unknown("x", "roles", []), "there are no roles");
        assert_eq!(nearest("crn", ["cron", "zone"]), Some("cron"));
        assert_eq!(nearest("tz", ["cron", "zone"]), None);
    }
}
