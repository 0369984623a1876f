//! The text of a script, read token by token.
//!
//! Only what directives are made of is taken apart here: parentheses, words and strings.
//! A module among them is a form whose text is handed on as it is. Comments and
//! annotations are passed over.

use std::borrow::Cow;

/// Why a text cannot be read further.
pub type Malformed = String;

type Result<T> = std::result::Result<T, Malformed>;

/// A place in a script.
#[derive(Clone)]
pub struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    /// The beginning of a text.
    pub fn new(text: &'a str) -> Reader<'a> {
        Reader { text, at: 0 }
    }

    /// The byte offset.
    pub fn at(&self) -> usize {
        self.at
    }

    fn rest(&self) -> &'a [u8] {
        &self.text.as_bytes()[self.at..]
    }

    /// Passes over white space, comments and annotations; the byte that follows, if any.
    ///
    /// # Errors
    /// If a comment or annotation does not end; likewise below.
    pub fn peek(&mut self) -> Result<Option<u8>> {
        loop {
            match self.rest() {
                [b' ' | b'\t' | b'\n' | b'\r', ..] => self.at += 1,
                [b';', b';', ..] => self.line(),
                [b'(', b';', ..] => self.comment()?,
                [b'(', b'@', ..] => {
                    self.form()?;
                }
                rest => return Ok(rest.first().copied()),
            }
        }
    }

    fn line(&mut self) {
        let rest = self.rest();
        self.at += rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
    }

    fn comment(&mut self) -> Result<()> {
        let mut depth = 0_usize;
        loop {
            match self.rest() {
                [b'(', b';', ..] => depth += 1,
                [b';', b')', ..] => depth -= 1,
                [] => return Err("a comment does not end".into()),
                _ => {
                    self.at += 1;
                    continue;
                }
            }
            self.at += 2;
            if depth == 0 {
                return Ok(());
            }
        }
    }

    fn take(&mut self, byte: u8) -> Result<bool> {
        let found = self.peek()? == Some(byte);
        self.at += usize::from(found);
        Ok(found)
    }

    /// Takes an opening parenthesis, if one follows.
    pub fn open(&mut self) -> Result<bool> {
        self.take(b'(')
    }

    /// Takes the closing parenthesis that has to follow.
    pub fn close(&mut self) -> Result<()> {
        match self.take(b')')? {
            true => Ok(()),
            false => Err("expected `)`".into()),
        }
    }

    /// Takes a word, if one follows.
    pub fn word(&mut self) -> Result<Option<&'a str>> {
        self.peek()?;
        let rest = self.rest();
        let is_end = |byte: &u8| b" \t\n\r()\";".contains(byte);
        let length = rest.iter().position(is_end).unwrap_or(rest.len());
        let word = &self.text[self.at..self.at + length];
        self.at += length;
        Ok((length > 0).then_some(word))
    }

    /// Takes the word that has to follow.
    pub fn expect_word(&mut self) -> Result<&'a str> {
        self.word()?.ok_or_else(|| "expected a word".into())
    }

    /// Takes a name `$x` or `$"x"`, if one follows.
    pub fn id(&mut self) -> Result<Option<Cow<'a, str>>> {
        if self.peek()? != Some(b'$') {
            return Ok(None);
        }
        let word = self.expect_word()?;
        if word != "$" {
            return Ok(Some(word[1..].into()));
        }
        Ok(Some(self.name()?.into()))
    }

    /// Takes the string that has to follow, which is text.
    pub fn name(&mut self) -> Result<String> {
        let bytes = self.string()?.ok_or("expected a string")?;
        String::from_utf8(bytes).map_err(|_| "malformed UTF-8 encoding".into())
    }

    /// Takes a string, if one follows: the bytes that it stands for.
    pub fn string(&mut self) -> Result<Option<Vec<u8>>> {
        if self.peek()? != Some(b'"') {
            return Ok(None);
        }
        let start = self.at;
        self.skip_string()?;
        unescape(&self.text[start + 1..self.at - 1]).map(Some)
    }

    fn skip_string(&mut self) -> Result<()> {
        self.at += 1;
        loop {
            match self.rest() {
                [b'"', ..] => break,
                [b'\\', _, ..] => self.at += 2,
                [] | [b'\\'] => return Err("a string does not end".into()),
                _ => self.at += 1,
            }
        }
        self.at += 1;
        Ok(())
    }

    /// Takes the form in parentheses that has to follow, with these.
    pub fn form(&mut self) -> Result<&'a str> {
        let (start, mut depth) = (self.at, 0_usize);
        loop {
            match self.rest() {
                [b';', b';', ..] => self.line(),
                [b'(', b';', ..] => self.comment()?,
                [b'"', ..] => self.skip_string()?,
                [b'(', ..] => {
                    depth += 1;
                    self.at += 1;
                }
                [b')', ..] if depth > 0 => {
                    depth -= 1;
                    self.at += 1;
                    if depth == 0 {
                        return Ok(&self.text[start..self.at]);
                    }
                }
                [] => return Err("`(` without its `)`".into()),
                [_, ..] if depth > 0 => self.at += 1,
                _ => return Err("expected `(`".into()),
            }
        }
    }
}

/// The bytes that the inside of a string stands for.
fn unescape(inside: &str) -> Result<Vec<u8>> {
    let (mut bytes, mut rest) = (Vec::with_capacity(inside.len()), inside);
    while let Some(at) = rest.find('\\') {
        bytes.extend_from_slice(&rest.as_bytes()[..at]);
        rest = &rest[at + 1..];
        let simple = match rest.as_bytes().first() {
            Some(b't') => Some(b'\t'),
            Some(b'n') => Some(b'\n'),
            Some(b'r') => Some(b'\r'),
            Some(byte @ (b'"' | b'\'' | b'\\')) => Some(*byte),
            _ => None,
        };
        let length = if let Some(byte) = simple {
            bytes.push(byte);
            1
        } else if let Some(digits) = rest.strip_prefix("u{").and_then(|rest| rest.split('}').next())
        {
            let code = u32::from_str_radix(&digits.replace('_', ""), 16).ok();
            let letter = code.and_then(char::from_u32).ok_or("a string has a bad `\\u{…}`")?;
            bytes.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
            digits.len() + 3
        } else {
            let byte = rest.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
            bytes.push(byte.ok_or("a string has a bad escape")?);
            2
        };
        rest = rest.get(length..).ok_or("a string has a bad escape")?;
    }
    bytes.extend_from_slice(rest.as_bytes());
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens() {
        let mut reader = Reader::new(
            "(; (; ;) ;) (@skip (\")\")) (a-b $c $\"d\\65\" ;; end\n \"x\\n\\u{e9}\\ff\" (b (\"\\\")\")))",
        );
        assert_eq!(reader.open(), Ok(true));
        assert_eq!(reader.word(), Ok(Some("a-b")));
        assert_eq!(reader.id().unwrap().as_deref(), Some("c"));
        assert_eq!(reader.id().unwrap().as_deref(), Some("de"));
        assert_eq!(reader.id(), Ok(None));
        assert_eq!(reader.string(), Ok(Some(b"x\n\xC3\xA9\xFF".to_vec())));
        reader.peek().unwrap();
        assert_eq!(reader.form(), Ok("(b (\"\\\")\"))"));
        assert_eq!(reader.open(), Ok(false));
        assert_eq!((reader.close(), reader.peek()), (Ok(()), Ok(None)));
        assert!(reader.close().is_err() && reader.form().is_err());
    }

    #[test]
    fn what_does_not_end_is_an_error() {
        for text in ["(; ", "(@a", "(a \"", "(a \"\\", "(", "(a (b)"] {
            let mut reader = Reader::new(text);
            assert!(reader.peek().and_then(|_| reader.form()).is_err(), "{text}");
        }
        for text in ["\"\\u{110000}\"", "\"\\u{\"", "\"\\g0\"", "\"\\1\"", "\"\\é\""] {
            assert!(Reader::new(text).string().is_err(), "{text}");
        }
    }
}
