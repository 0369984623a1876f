//! The JSON that the command reads, in a batch.
//!
//! Numbers stay text, since the type of the parameter decides how they are read; a number
//! of 64 bits so loses nothing.

use std::iter::Peekable;
use std::str::CharIndices;

/// A JSON text as read.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    /// `null`, `true`, `false` or a number, as written.
    Literal(String),
    /// A string, without its escapes.
    Text(String),
    /// An array.
    Array(Vec<Json>),
    /// An object, in its order.
    Object(Vec<(String, Json)>),
}

/// Arrays and objects may be nested so deep; a batch needs two levels.
const MAX_DEPTH: usize = 32;

impl Json {
    /// Reads one JSON text.
    ///
    /// # Errors
    /// What was expected, and at which character of the text, counted from 1.
    pub fn parse(text: &str) -> Result<Json, String> {
        let mut parser = Parser { text, chars: text.char_indices().peekable() };
        let value = parser.value(0)?;
        parser.spaces();
        match parser.chars.peek() {
            None => Ok(value),
            Some(_) => Err(parser.expected("the end of the line")),
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    chars: Peekable<CharIndices<'a>>,
}

impl Parser<'_> {
    fn value(&mut self, depth: usize) -> Result<Json, String> {
        self.spaces();
        match self.chars.peek().copied() {
            Some((_, '"')) => Ok(Json::Text(self.string()?)),
            Some((_, '{' | '[')) if depth == MAX_DEPTH => Err(self.expected("less nesting")),
            Some((_, '[')) => {
                let mut items = Vec::new();
                self.list(']', |parser| {
                    items.push(parser.value(depth + 1)?);
                    Ok(())
                })?;
                Ok(Json::Array(items))
            }
            Some((_, '{')) => {
                let mut fields = Vec::new();
                self.list('}', |parser| {
                    parser.spaces();
                    let name = parser.string()?;
                    parser.token(':')?;
                    fields.push((name, parser.value(depth + 1)?));
                    Ok(())
                })?;
                Ok(Json::Object(fields))
            }
            Some((start, _)) => {
                let part_of = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
                while self.chars.next_if(|&(_, c)| part_of(c)).is_some() {}
                let end = self.position();
                let word = &self.text[start..end];
                let number = || word.starts_with(|c: char| c == '-' || c.is_ascii_digit());
                if matches!(word, "null" | "true" | "false") || number() {
                    Ok(Json::Literal(word.to_owned()))
                } else {
                    Err(self.expected("a value"))
                }
            }
            None => Err(self.expected("a value")),
        }
    }

    /// An array's or object's items, from its opening to its closing bracket.
    fn list(
        &mut self,
        close: char,
        mut item: impl FnMut(&mut Self) -> Result<(), String>,
    ) -> Result<(), String> {
        self.chars.next();
        self.spaces();
        if self.chars.next_if(|&(_, c)| c == close).is_some() {
            return Ok(());
        }
        loop {
            item(self)?;
            self.spaces();
            match self.chars.peek() {
                Some((_, ',')) => self.chars.next(),
                _ => return self.token(close),
            };
        }
    }

    fn string(&mut self) -> Result<String, String> {
        self.token('"')?;
        let mut text = String::new();
        loop {
            match self.chars.peek().copied() {
                Some((_, '"')) => {
                    self.chars.next();
                    return Ok(text);
                }
                Some((_, '\\')) => {
                    self.chars.next();
                    text.push(self.escape()?);
                }
                Some((_, c)) if c >= ' ' => {
                    self.chars.next();
                    text.push(c);
                }
                _ => return Err(self.expected("the end of a string")),
            }
        }
    }

    /// What an escape stands for; its backslash has been read.
    fn escape(&mut self) -> Result<char, String> {
        let plain = match self.chars.next().map(|(_, c)| c) {
            Some(c @ ('"' | '\\' | '/')) => c,
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('u') => {
                let first = self.unit()?;
                let code = match first {
                    // The first half of a pair, which the second completes.
                    0xd800..0xdc00 => {
                        self.token('\\')?;
                        self.token('u')?;
                        let low = self.unit()?.wrapping_sub(0xdc00);
                        0x10000 + ((first - 0xd800) << 10) + low.min(0x3ff)
                    }
                    code => code,
                };
                char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            _ => return Err(self.expected("an escape")),
        };
        Ok(plain)
    }

    fn unit(&mut self) -> Result<u32, String> {
        let mut unit = 0;
        for _ in 0..4 {
            let digit = self.chars.next().and_then(|(_, c)| c.to_digit(16));
            unit = unit * 16 + digit.ok_or_else(|| self.expected("four hexadecimal digits"))?;
        }
        Ok(unit)
    }

    fn token(&mut self, token: char) -> Result<(), String> {
        self.spaces();
        match self.chars.next_if(|&(_, c)| c == token) {
            Some(_) => Ok(()),
            None => Err(self.expected(&format!("'{token}'"))),
        }
    }

    fn spaces(&mut self) {
        while self.chars.next_if(|(_, c)| c.is_ascii_whitespace()).is_some() {}
    }

    /// The byte at which the next character starts.
    fn position(&mut self) -> usize {
        self.chars.peek().map_or(self.text.len(), |&(at, _)| at)
    }

    fn expected(&mut self, what: &str) -> String {
        let at = self.position();
        format!("expected {what} at character {}", self.text[..at].chars().count() + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn literal(text: &str) -> Json {
        Json::Literal(text.into())
    }

    #[test]
    fn reads() {
        let text =
            r#" {"invoke": "add", "args": [2, -3.5e2, "x\n\"\u00e9\ud83d\ude00", null],"o":{}} "#;
        let args =
            vec![literal("2"), literal("-3.5e2"), Json::Text("x\n\"é😀".into()), literal("null")];
        let object = Json::Object(vec![
            ("invoke".into(), Json::Text("add".into())),
            ("args".into(), Json::Array(args)),
            ("o".into(), Json::Object(Vec::new())),
        ]);
        assert_eq!(Json::parse(text), Ok(object));
        assert_eq!(Json::parse("[]"), Ok(Json::Array(Vec::new())));
    }

    #[test]
    fn refuses() {
        for (text, message) in [
            ("", "expected a value at character 1"),
            ("{", "expected '\"' at character 2"),
            ("{\"a\" 1}", "expected ':' at character 6"),
            ("{\"a\": 1", "expected '}' at character 8"),
            ("[1, 2", "expected ']' at character 6"),
            ("[1 2]", "expected ']' at character 4"),
            ("[1,]", "expected a value at character 4"),
            ("{} x", "expected the end of the line at character 4"),
            ("\"é", "expected the end of a string at character 3"),
            ("\"\\x\"", "expected an escape at character 4"),
            ("\"\\u12\"", "expected four hexadecimal digits at character 7"),
            ("nul", "expected a value at character 4"),
        ] {
            assert_eq!(Json::parse(text), Err(message.into()), "{text}");
        }
        assert!(Json::parse(&"[".repeat(100_000)).is_err());
    }
}
