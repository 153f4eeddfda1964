//! Just enough of Rust's grammar for the rules: what is code, where functions end, what is for tests only.

/// A function and where it stands.
#[derive(Debug, PartialEq, Eq)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// The line of its `fn`, from 1.
    pub line: usize,
    /// Its lines, from `fn` to the closing brace.
    pub n_lines: usize,
}

/// The text with comments and the insides of literals blanked out, line for line as long as before.
pub fn only(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut code = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = literal_end(&chars, at);
        if end > at {
            code.extend(chars[at..end].iter().map(|one| if *one == '\n' { '\n' } else { ' ' }));
            at = end;
        } else {
            code.push(chars[at]);
            at += 1;
        }
    }
    code
}

/// Where the comment or literal that begins here ends; here, when none does.
fn literal_end(chars: &[char], at: usize) -> usize {
    let rest = &chars[at..];
    let is_word = |one: char| one.is_alphanumeric() || one == '_';
    let is_after_word = at > 0 && is_word(chars[at - 1]);
    match rest {
        ['/', '/', ..] => at + rest.iter().position(|one| *one == '\n').unwrap_or(rest.len()),
        ['/', '*', ..] => at + comment_length(rest),
        ['"', ..] => at + string_length(rest),
        ['r', '"' | '#', ..] | ['b', 'r', '"' | '#', ..] if !is_after_word => at + raw_length(rest),
        ['\'', '\\', ..] => at + 2 + rest[3..].iter().position(|one| *one == '\'').map_or(1, |end| end + 2),
        ['\'', _, '\'', ..] => at + 3,
        _ => at,
    }
}

/// Block comments nest.
fn comment_length(rest: &[char]) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        match rest[at..] {
            ['/', '*', ..] => (depth, at) = (depth + 1, at + 2),
            ['*', '/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn string_length(rest: &[char]) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != '"' {
        at += if rest[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(rest.len())
}

/// `r"…"`, `br#"…"#`; nothing for a raw identifier such as `r#type`.
fn raw_length(rest: &[char]) -> usize {
    let start = rest.iter().take_while(|one| matches!(one, 'b' | 'r')).count();
    let n_marks = rest[start..].iter().take_while(|one| **one == '#').count();
    if rest.get(start + n_marks) != Some(&'"') {
        return 0;
    }
    let inside = start + n_marks + 1;
    let closes =
        |at: &usize| rest[*at] == '"' && rest[at + 1..].iter().take_while(|one| **one == '#').count() >= n_marks;
    (inside..rest.len()).find(closes).map_or(rest.len(), |at| at + 1 + n_marks)
}

/// Every function with a body, in their order, those inside others included.
pub fn functions(code: &str) -> Vec<Function> {
    let found = words(code).filter(|(_, word)| *word == "fn").filter_map(|(at, _)| {
        let name: String =
            code[at + 2..].trim_start().chars().take_while(|one| one.is_alphanumeric() || *one == '_').collect();
        let end = body_end(code, at)?;
        let n_lines = code[at..end].matches('\n').count() + 1;
        // A type such as `fn(u8)` has no name.
        (!name.is_empty()).then(|| Function { name, line: code[..at].matches('\n').count() + 1, n_lines })
    });
    found.collect()
}

/// Where the body of the item that begins here ends; nothing when it ends with a semicolon.
fn body_end(code: &str, at: usize) -> Option<usize> {
    let (mut n_open, mut n_braces) = (0_i32, 0_i32);
    for (offset, one) in code[at..].char_indices() {
        match one {
            '(' | '[' => n_open += 1,
            ')' | ']' => n_open -= 1,
            '{' => n_braces += 1,
            '}' if n_braces == 1 => return Some(at + offset + 1),
            '}' if n_braces == 0 => return None,
            '}' => n_braces -= 1,
            ';' if n_braces == 0 && n_open == 0 => return None,
            _ => {}
        }
        if n_open < 0 {
            return None;
        }
    }
    None
}

/// Words with the byte at which each begins.
pub fn words(code: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_word = |one: char| one.is_alphanumeric() || one == '_';
    code.split(move |one| !is_word(one))
        .filter(|word| !word.is_empty())
        .map(|word| (word.as_ptr().addr() - code.as_ptr().addr(), word))
}

/// Whether a word stands in the code.
pub fn has_word(code: &str, wanted: &str) -> bool {
    words(code).any(|(_, word)| word == wanted)
}

/// The code without its `#[cfg(test)]` items, line for line as long as before.
pub fn without_tests(code: &str) -> String {
    let mut kept = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(at) = rest.find("#[cfg(test)]") {
        let after = at + "#[cfg(test)]".len();
        let end = body_end(rest, after).or_else(|| Some(after + rest[after..].find(';')? + 1)).unwrap_or(rest.len());
        kept.push_str(&rest[..at]);
        kept.extend(rest[at..end].matches('\n'));
        rest = &rest[end..];
    }
    kept.push_str(rest);
    kept
}

/// The names of modules with a file of their own that are declared for tests only.
pub fn test_modules(code: &str) -> Vec<String> {
    let declarations = code.match_indices("#[cfg(test)]").filter_map(|(at, attribute)| {
        let (declaration, _) = code[at + attribute.len()..].split_once(';')?;
        let name = declaration.trim().trim_start_matches("pub ").strip_prefix("mod ")?;
        name.chars().all(|one| one.is_alphanumeric() || one == '_').then(|| name.to_owned())
    });
    declarations.collect()
}

/// The folder that holds the files of a file's own modules.
pub fn module_folder(path: &str) -> String {
    let stem = path.strip_suffix(".rs").unwrap_or(path);
    let root = ["/mod", "/main", "/lib"].into_iter().find_map(|root| stem.strip_suffix(root));
    root.unwrap_or(stem).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_in_comments_and_literals_are_no_code() {
        let text = "a /* { /* { */ } */ b // {\n\"}\\\"{\" c r#\"\"{\"# '{' '\\'' '\\u{7b}' &'a r#type b\"{\" x";
        let code = only(text);
        assert_eq!(code.len(), text.len());
        let left: String = code.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(left, "a b c &'a r#type b x");
        assert!(!code.contains(['{', '}']), "{code}");
    }

    #[test]
    fn a_function_that_is_too_long_is_found_with_its_line_and_length() {
        let body = "    let s = \"}\"; // }\n".repeat(80);
        let text = format!("fn short(x: [u8; 3]) -> u8 {{\n    x[0]\n}}\n\npub fn long()\nwhere\n{{\n{body}}}\n");
        let found = functions(&only(&text));
        let function = |name: &str, line, n_lines| Function { name: name.to_owned(), line, n_lines };
        assert_eq!(found, [function("short", 1, 3), function("long", 5, 84)]);
    }

    #[test]
    fn declarations_and_types_are_no_functions() {
        let text = "trait T { fn declared(&self) -> [u8; 2]; fn given(&self) {} }\ntype F = fn(u8) -> u8;\nstruct S { f: fn(u8) }\n";
        let names: Vec<String> = functions(text).into_iter().map(|function| function.name).collect();
        assert_eq!(names, ["given"]);
    }

    #[test]
    fn what_is_for_tests_only_is_left_out_and_lines_stay() {
        let text = "use a;\n#[cfg(test)]\nmod tests {\n    use b;\n}\nuse c;\n#[cfg(test)]\nmod apart;\nuse d;\n";
        assert_eq!(without_tests(text), "use a;\n\n\n\n\nuse c;\n\n\nuse d;\n");
        assert_eq!(test_modules(text), ["apart"]);
        assert_eq!(module_folder("src/config/mod.rs"), "src/config");
        assert_eq!(module_folder("src/base/month.rs"), "src/base/month");
        assert_eq!(module_folder("src/lib.rs"), "src");
    }
}
