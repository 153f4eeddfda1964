//! As much of JSON as an atlas needs (RFC 8259, without escapes in texts).

/// A value.
pub enum Json {
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Json>),
    /// Names with their values.
    Table(Vec<(String, Json)>),
    /// `true`, `false` or `null`.
    Word,
}

impl Json {
    /// Reads a whole text.
    pub fn parse(text: &str) -> Result<Json, String> {
        let mut reader = Reader { rest: text };
        let value = reader.value()?;
        reader.blanks();
        if reader.rest.is_empty() { Ok(value) } else { Err(reader.unexpected()) }
    }

    /// What a table has under a name.
    pub fn get(&self, name: &str) -> Result<&Json, String> {
        let Json::Table(entries) = self else { return Err(format!("no table with `{name}`")) };
        entries.iter().find(|(key, _)| key == name).map(|(_, value)| value).ok_or(format!("no `{name}`"))
    }

    /// The items of a list.
    pub fn list(&self) -> Result<&[Json], String> {
        if let Json::List(items) = self { Ok(items) } else { Err("not a list".to_owned()) }
    }

    /// A number.
    pub fn number(&self) -> Result<f64, String> {
        if let Json::Number(number) = self { Ok(*number) } else { Err("not a number".to_owned()) }
    }

    /// A text.
    pub fn text(&self) -> Result<&str, String> {
        if let Json::Text(text) = self { Ok(text) } else { Err("not a text".to_owned()) }
    }

    /// A list of whole numbers.
    pub fn whole(&self) -> Result<Vec<i64>, String> {
        self.list()?.iter().map(|item| item.number().map(|number| number as i64)).collect()
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn blanks(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn unexpected(&self) -> String {
        format!("unexpected `{}`", self.rest.chars().take(20).collect::<String>())
    }

    /// Passes over a sign if it stands here.
    fn takes(&mut self, sign: char) -> bool {
        self.blanks();
        let rest = self.rest.strip_prefix(sign);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn value(&mut self) -> Result<Json, String> {
        if self.takes('{') {
            return self
                .items('}', |reader| {
                    let name = reader.value()?.text()?.to_owned();
                    if reader.takes(':') { Ok((name, reader.value()?)) } else { Err(reader.unexpected()) }
                })
                .map(Json::Table);
        }
        if self.takes('[') {
            return self.items(']', Reader::value).map(Json::List);
        }
        if self.takes('"') {
            let (text, rest) = self.rest.split_once('"').ok_or("a text without an end")?;
            if text.contains('\\') {
                return Err(format!("an escape in `{text}`"));
            }
            self.rest = rest;
            return Ok(Json::Text(text.to_owned()));
        }
        let end = self.rest.find([',', ']', '}', ' ', '\n', '\r', '\t']).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        let value = match word {
            "true" | "false" | "null" => Json::Word,
            _ => Json::Number(word.parse().map_err(|_| self.unexpected())?),
        };
        self.rest = rest;
        Ok(value)
    }

    fn items<T>(&mut self, end: char, one: impl Fn(&mut Self) -> Result<T, String>) -> Result<Vec<T>, String> {
        let mut items = Vec::new();
        if self.takes(end) {
            return Ok(items);
        }
        loop {
            items.push(one(self)?);
            if self.takes(end) {
                return Ok(items);
            }
            if !self.takes(',') {
                return Err(self.unexpected());
            }
        }
    }
}
