//! Product families by a mapping file: which products belong together, and which are no licenses at all.

use serde::Deserialize;

/// A product map that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProductMapError {
    /// The file is no TOML, or has other keys than a product map.
    #[error("{message} at line {line}, column {column}")]
    Syntax {
        /// What is wrong.
        message: String,
        /// The line, from 1.
        line: usize,
        /// The column in characters, from 1.
        column: usize,
    },
    /// A family or product without a letter or digit in its name.
    #[error("`{0}` is no name of a product or family")]
    NoName(String),
    /// One name stands in two places.
    #[error("product `{product}` belongs to both `{first}` and `{second}`")]
    Twice {
        /// The name, as the second place has it.
        product: String,
        /// The family, or `left_out`, that has it first.
        first: String,
        /// The family, or `left_out`, that has it too.
        second: String,
    },
}

/// Product families: what belongs together, and what is left out since it is consumed, not licensed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProductMap {
    families: Vec<String>,
    patterns: Vec<Pattern>,
}

/// Names that begin with these words, or have just these.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Pattern {
    words: Vec<String>,
    open: bool,
    /// The family by its place in the list; none for what is left out.
    family: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    family: Vec<Family>,
    #[serde(default)]
    left_out: LeftOut,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Family {
    name: String,
    products: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct LeftOut {
    products: Vec<String>,
}

impl ProductMap {
    /// Reads a product map from TOML: `[[family]]` with `name` and `products`, and `[left_out]` with `products`.
    ///
    /// # Errors
    /// When it is no such file, a name is empty, or a product belongs to two families.
    pub fn parse(toml: &str) -> Result<ProductMap, ProductMapError> {
        let file: File = toml::from_str(toml).map_err(|error| syntax(toml, &error))?;
        let mut map = ProductMap { families: Vec::new(), patterns: Vec::new() };
        for (n, family) in file.family.into_iter().enumerate() {
            // The family's own name is one of its products.
            map.add(&family.name, &family.name, Some(n), true)?;
            for product in &family.products {
                map.add(product, &family.name, Some(n), false)?;
            }
            map.families.push(family.name);
        }
        for product in &file.left_out.products {
            map.add(product, "left_out", None, false)?;
        }
        Ok(map)
    }

    /// The map that ships with the program, with Partner Center's four families.
    pub fn shipped() -> ProductMap {
        // A test reads it, so that the empty map never comes up.
        ProductMap::parse(include_str!("../../report_templates/products.toml"))
            .unwrap_or(ProductMap { families: Vec::new(), patterns: Vec::new() })
    }

    /// The family of a product as a file names it; none when nothing fits or it is left out.
    pub fn family(&self, raw: &str) -> Option<&str> {
        self.fitting(raw)?.family.map(|n| self.families[n].as_str())
    }

    /// Whether it is consumed, not licensed, as Azure is: such rows are counted and left out.
    pub fn is_left_out(&self, raw: &str) -> bool {
        self.fitting(raw).is_some_and(|pattern| pattern.family.is_none())
    }

    /// The families, in the order of the file.
    pub fn families(&self) -> impl Iterator<Item = &str> {
        self.families.iter().map(String::as_str)
    }

    fn fitting(&self, raw: &str) -> Option<&Pattern> {
        let words = words(raw);
        self.patterns
            .iter()
            .filter(|pattern| match pattern.open {
                true => words.starts_with(&pattern.words),
                false => words == pattern.words,
            })
            .max_by_key(|pattern| (pattern.words.len(), !pattern.open))
    }

    fn add(&mut self, product: &str, of: &str, family: Option<usize>, own: bool) -> Result<(), ProductMapError> {
        let trimmed = product.trim();
        let open = !own && trimmed.ends_with('*');
        let pattern = Pattern { words: words(trimmed), open, family };
        if pattern.words.is_empty() {
            return Err(ProductMapError::NoName(product.to_owned()));
        }
        let same = |other: &&Pattern| other.words == pattern.words && other.open == pattern.open;
        match self.patterns.iter().find(same) {
            Some(other) if other.family != pattern.family || own => Err(ProductMapError::Twice {
                product: product.to_owned(),
                first: other.family.and_then(|n| self.families.get(n)).map_or("left_out", String::as_str).to_owned(),
                second: of.to_owned(),
            }),
            Some(_) => Ok(()),
            None => {
                self.patterns.push(pattern);
                Ok(())
            }
        }
    }
}

/// The words of a name in lower case: `Enterprise Mobility + Security` → `enterprise`, `mobility`, `security`.
fn words(name: &str) -> Vec<String> {
    name.split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

fn syntax(text: &str, error: &toml::de::Error) -> ProductMapError {
    let at = error.span().map_or(0, |span| span.start).min(text.len());
    let before = text.get(..at).unwrap_or("");
    let line_start = before.rfind('\n').map_or(0, |n| n + 1);
    ProductMapError::Syntax {
        message: error.message().to_owned(),
        line: before.matches('\n').count() + 1,
        column: before[line_start..].chars().count() + 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_map_has_partner_centers_four_families() {
        let map = ProductMap::shipped();
        let families: Vec<&str> = map.families().collect();
        assert_eq!(families, ["Microsoft 365", "Dynamics 365", "Enterprise Mobility + Security", "Power BI"]);
        for (raw, family) in [
            ("Microsoft Office 365", Some("Microsoft 365")),
            ("OFFICE 365 ENTERPRISE E3", Some("Microsoft 365")),
            ("Microsoft 365 E5 (no Teams)", Some("Microsoft 365")),
            ("Dynamics 365", Some("Dynamics 365")),
            ("Enterprise Mobility", Some("Enterprise Mobility + Security")),
            ("enterprise mobility+security", Some("Enterprise Mobility + Security")),
            ("Azure Active Directory Premium P1", Some("Enterprise Mobility + Security")),
            ("Power BI Pro", Some("Power BI")),
            ("Azure", None),
            ("Windows 365", None),
            ("Power Bicycle", None),
            ("", None),
        ] {
            assert_eq!(map.family(raw), family, "{raw}");
        }
    }

    #[test]
    fn azure_is_left_out_and_unnamed_products_are_not() {
        let map = ProductMap::shipped();
        for (raw, left_out) in [
            ("Microsoft Azure", true),
            ("Azure Plan", true),
            ("Azure Information Protection Plan 1", false),
            ("Azurite", false),
            ("Windows 365", false),
        ] {
            assert_eq!(map.is_left_out(raw), left_out, "{raw}");
        }
    }

    #[test]
    fn a_map_that_cannot_be_used_says_where() {
        let check = |toml: &str, message: &str| {
            assert_eq!(ProductMap::parse(toml).unwrap_err().to_string(), message, "{toml}");
        };
        check(
            "[[family]]\nname = \"A\"\nproduct = []\n",
            "unknown field `product`, expected `name` or `products` at line 3, column 1",
        );
        check("[[family]]\nname = \"+\"\nproducts = []\n", "`+` is no name of a product or family");
        check(
            "[[family]]\nname = \"A\"\nproducts = [\"X*\"]\n[left_out]\nproducts = [\"x *\"]\n",
            "product `x *` belongs to both `A` and `left_out`",
        );
        check(
            "[[family]]\nname = \"A\"\nproducts = []\n[[family]]\nname = \"a\"\nproducts = []\n",
            "product `a` belongs to both `A` and `a`",
        );
    }
}
