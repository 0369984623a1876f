//! The tokens of WAVE.
//!
//! Spaces and comments are between tokens only. A token is a range of the text; what it
//! stands for is found by whoever expects it.

use super::Error;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A bracket, comma or colon.
    Sign(char),
    /// Digits, with a fraction and exponent or not; or `-inf`.
    Number,
    /// A keyword or name, with `%` or not.
    Word,
    Char,
    String,
    /// A string between three quotes.
    Lines,
    End,
}

/// A text, up to where it was read.
#[derive(Clone)]
pub(super) struct Lexer<'a> {
    pub(super) text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str, at: usize) -> Lexer<'a> {
        Lexer { text, at }
    }

    pub(super) fn error(&self, offset: usize, message: impl Into<String>) -> Error {
        Error::new(self.text, offset, message.into())
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn skip(&mut self) {
        loop {
            let rest = self.rest().trim_start_matches([' ', '\t', '\n', '\r']);
            self.at = self.text.len() - rest.len();
            if !rest.starts_with("//") {
                return;
            }
            self.at += rest.find('\n').unwrap_or(rest.len());
        }
    }

    /// The next token, which stays the next; and where it begins.
    ///
    /// # Errors
    ///
    /// If there is no token.
    pub(super) fn peek(&self) -> Result<(Token, usize), Error> {
        let mut ahead = self.clone();
        let (token, start, _) = ahead.next()?;
        Ok((token, start))
    }

    /// The next token, where it begins, and its text.
    ///
    /// # Errors
    ///
    /// If there is no token.
    pub(super) fn next(&mut self) -> Result<(Token, usize, &'a str), Error> {
        self.skip();
        let (start, rest) = (self.at, self.rest());
        let Some(first) = rest.chars().next() else { return Ok((Token::End, start, "")) };
        let (token, length) = match first {
            '(' | ')' | '[' | ']' | '{' | '}' | ',' | ':' => (Token::Sign(first), 1),
            '-' | '0'..='9' => (Token::Number, self.number()?),
            '%' | 'a'..='z' | 'A'..='Z' => (Token::Word, self.word()),
            '\'' => (Token::Char, self.quoted('\'')?),
            '"' if rest.starts_with("\"\"\"") => (Token::Lines, self.lines()?),
            '"' => (Token::String, self.quoted('"')?),
            other => {
                let other = other.escape_debug();
                return Err(self.error(start, format!("unexpected character '{other}'")));
            }
        };
        self.at += length;
        Ok((token, start, &rest[..length]))
    }

    fn number(&self) -> Result<usize, Error> {
        let rest = self.rest();
        if rest.starts_with("-inf") {
            return Ok(4);
        }
        let mut at = usize::from(rest.starts_with('-'));
        let digits = |from: usize| rest[from..].bytes().take_while(u8::is_ascii_digit).count();
        let whole = digits(at);
        if whole == 0 {
            return Err(self.error(self.at, "a '-' without a number"));
        }
        if whole > 1 && rest[at..].starts_with('0') {
            return Err(self.error(self.at, "a number does not begin with zeros"));
        }
        at += whole;
        if rest[at..].starts_with('.') {
            let fraction = digits(at + 1);
            if fraction == 0 {
                return Err(self.error(self.at + at, "expected digits after the '.'"));
            }
            at += 1 + fraction;
        }
        if rest[at..].starts_with(['e', 'E']) {
            let sign = usize::from(rest[at + 1..].starts_with(['+', '-']));
            let exponent = digits(at + 1 + sign);
            if exponent == 0 {
                return Err(self.error(self.at + at, "expected digits in the exponent"));
            }
            at += 1 + sign + exponent;
        }
        match rest[at..].starts_with(|c: char| c.is_ascii_alphanumeric() || c == '.') {
            true => Err(self.error(self.at + at, "a number in decimals ends before this")),
            false => Ok(at),
        }
    }

    /// The length of a keyword or name. Which names there are, the type says.
    fn word(&self) -> usize {
        let rest = self.rest();
        let part = |c: char| c.is_ascii_alphanumeric() || c == '-';
        rest.find(|c| !part(c) && c != '%').unwrap_or(rest.len())
    }

    /// The length of a character or string on one line.
    fn quoted(&self, quote: char) -> Result<usize, Error> {
        let mut chars = self.rest().char_indices().skip(1);
        while let Some((at, c)) = chars.next() {
            match c {
                c if c == quote => return Ok(at + 1),
                '\n' => break,
                '\\' => {
                    chars.next();
                }
                _ => {}
            }
        }
        Err(self.error(self.at, format!("no {quote} ends what this begins")))
    }

    /// The length of a string of several lines.
    fn lines(&self) -> Result<usize, Error> {
        match self.rest()[3..].find("\"\"\"") {
            Some(end) => Ok(end + 6),
            None => Err(self.error(self.at, "no \"\"\" ends what this begins")),
        }
    }
}
