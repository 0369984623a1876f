//! As much of JSON as the tests' descriptions use.

/// A value.
pub enum Json {
    Null,
    Bool,
    Number(f64),
    String(String),
    List(Vec<Json>),
    Map(Vec<(String, Json)>),
}

impl Json {
    /// Parses a whole document.
    pub fn parse(text: &str) -> Option<Json> {
        let mut rest = text;
        let value = value(&mut rest)?;
        rest.trim_start().is_empty().then_some(value)
    }

    /// The value of a key; null without it.
    pub fn get(&self, key: &str) -> &Json {
        self.entries().iter().find(|entry| entry.0 == key).map_or(&Json::Null, |entry| &entry.1)
    }

    /// The entries of a map; none of anything else.
    pub fn entries(&self) -> &[(String, Json)] {
        match self {
            Json::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The values of a list; none of anything else.
    pub fn values(&self) -> &[Json] {
        match self {
            Json::List(values) => values,
            _ => &[],
        }
    }

    /// The strings of a list.
    pub fn strings(&self) -> impl Iterator<Item = &str> {
        self.values().iter().map(Json::string)
    }

    /// The string; empty for anything else.
    pub fn string(&self) -> &str {
        match self {
            Json::String(string) => string,
            _ => "",
        }
    }

    /// The number.
    pub fn number(&self) -> Option<f64> {
        match self {
            Json::Number(number) => Some(*number),
            _ => None,
        }
    }
}

fn value(rest: &mut &str) -> Option<Json> {
    *rest = rest.trim_start();
    match rest.chars().next()? {
        '"' => string(rest).map(Json::String),
        '[' => sequence(rest, ']', value).map(Json::List),
        '{' => sequence(rest, '}', |rest| {
            *rest = rest.trim_start();
            let key = string(rest)?;
            take(rest, ':')?;
            Some((key, value(rest)?))
        })
        .map(Json::Map),
        _ => {
            let end = rest.find([',', ']', '}']).unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            *rest = after;
            match word.trim_end() {
                "null" => Some(Json::Null),
                "true" | "false" => Some(Json::Bool),
                number => number.parse().ok().map(Json::Number),
            }
        }
    }
}

/// Drops white space and one character, which must be `expected`.
fn take(rest: &mut &str, expected: char) -> Option<()> {
    *rest = rest.trim_start().strip_prefix(expected)?;
    Some(())
}

/// Items between brackets, with commas between them.
fn sequence<T>(
    rest: &mut &str,
    close: char,
    item: impl Fn(&mut &str) -> Option<T>,
) -> Option<Vec<T>> {
    *rest = &rest[1..];
    let mut items = Vec::new();
    if take(rest, close).is_some() {
        return Some(items);
    }
    loop {
        items.push(item(rest)?);
        if take(rest, close).is_some() {
            return Some(items);
        }
        take(rest, ',')?;
    }
}

fn string(rest: &mut &str) -> Option<String> {
    take(rest, '"')?;
    let mut string = String::new();
    let mut chars = rest.chars();
    loop {
        string.push(match chars.next()? {
            '"' => break,
            '\\' => match chars.next()? {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                'b' => '\u{8}',
                'f' => '\u{c}',
                'u' => {
                    let code: String = chars.by_ref().take(4).collect();
                    char::from_u32(u32::from_str_radix(&code, 16).ok()?)?
                }
                other => other,
            },
            other => other,
        });
    }
    *rest = chars.as_str();
    Some(string)
}
