//! From text to values.

use super::lexer::{Lexer, Token};
use super::{Error, KEYWORDS, MAX_DEPTH};
use crate::Val;
use crate::types::{Flags, OptionType, Record, ResultType, Type, Variant};

/// The value of a type that a text stands for.
///
/// # Errors
///
/// What was expected where.
pub fn read(ty: &Type, text: &str) -> Result<Val, Error> {
    let mut reader = Reader::new(text, 0);
    let value = reader.value(ty)?;
    reader.end()?;
    Ok(value)
}

pub(super) struct Reader<'a> {
    lexer: Lexer<'a>,
    depth: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str, at: usize) -> Reader<'a> {
        Reader { lexer: Lexer::new(text, at), depth: 0 }
    }

    /// Checks that nothing follows.
    pub(super) fn end(&mut self) -> Result<(), Error> {
        match self.lexer.next()? {
            (Token::End, ..) => Ok(()),
            (_, at, found) => {
                Err(self.lexer.error(at, format!("expected nothing more, got '{found}'")))
            }
        }
    }

    pub(super) fn value(&mut self, ty: &Type) -> Result<Val, Error> {
        if self.depth == MAX_DEPTH {
            let (_, at) = self.lexer.peek()?;
            return Err(self.lexer.error(at, "the type is nested too deeply to be written"));
        }
        self.depth += 1;
        let value = self.value_of(ty)?;
        self.depth -= 1;
        Ok(value)
    }

    fn value_of(&mut self, ty: &Type) -> Result<Val, Error> {
        Ok(match ty {
            Type::Bool => match self.token(Token::Word, "true or false")? {
                (_, "true") => Val::Bool(true),
                (_, "false") => Val::Bool(false),
                (at, found) => return Err(self.expected("true or false", at, found)),
            },
            Type::S8 => Val::S8(self.integer("s8", i8::MIN, i8::MAX)?),
            Type::U8 => Val::U8(self.integer("u8", u8::MIN, u8::MAX)?),
            Type::S16 => Val::S16(self.integer("s16", i16::MIN, i16::MAX)?),
            Type::U16 => Val::U16(self.integer("u16", u16::MIN, u16::MAX)?),
            Type::S32 => Val::S32(self.integer("s32", i32::MIN, i32::MAX)?),
            Type::U32 => Val::U32(self.integer("u32", u32::MIN, u32::MAX)?),
            Type::S64 => Val::S64(self.integer("s64", i64::MIN, i64::MAX)?),
            Type::U64 => Val::U64(self.integer("u64", u64::MIN, u64::MAX)?),
            Type::Float32 => Val::Float32(self.float("an f32")?),
            Type::Float64 => Val::Float64(self.float("an f64")?),
            Type::Char => {
                let (at, text) = self.token(Token::Char, "a char: 'x'")?;
                let mut chars = String::new();
                self.unescape(&text[1..text.len() - 1], at + 1, &mut chars)?;
                let mut chars = chars.chars();
                match (chars.next(), chars.next()) {
                    (Some(c), None) => Val::Char(c),
                    _ => return Err(self.expected("one character", at, text)),
                }
            }
            Type::String => Val::String(self.string()?),
            Type::List(list) => {
                let mut values = Vec::new();
                let ty = list.ty();
                self.list('[', ']', "a list: [...]", |this, _| {
                    values.push(this.value(&ty)?);
                    Ok(())
                })?;
                Val::List(values)
            }
            Type::FixedLengthList(list) => {
                let (_, start) = self.lexer.peek()?;
                let (mut values, length) = (Vec::new(), list.len() as usize);
                let ty = list.ty();
                self.list('[', ']', "a list: [...]", |this, _| {
                    values.push(this.value(&ty)?);
                    Ok(())
                })?;
                if values.len() != length {
                    let message = format!("expected {length} elements, got {}", values.len());
                    return Err(self.lexer.error(start, message));
                }
                Val::FixedLengthList(values)
            }
            Type::Map(map) => {
                let mut pairs = Vec::new();
                let (key, value) = (map.key(), map.value());
                self.list('[', ']', "a list of pairs: [(key, value), ...]", |this, _| {
                    let mut pair = this.tuple(&[key.clone(), value.clone()])?.into_iter();
                    pairs.extend(pair.next().zip(pair.next()));
                    Ok(())
                })?;
                Val::Map(pairs)
            }
            Type::Tuple(tuple) => {
                let types: Vec<_> = tuple.types().collect();
                Val::Tuple(self.tuple(&types)?)
            }
            Type::Record(record) => self.record(record)?,
            Type::Variant(variant) => self.variant(variant)?,
            Type::Enum(names) => {
                let (at, name) = self.case()?;
                match names.names().find(|other| *other == name) {
                    Some(name) => Val::Enum(name.to_owned()),
                    None => return Err(self.one_of("case", names.names(), at, name)),
                }
            }
            Type::Flags(flags) => self.flags(flags)?,
            Type::Option(option) => self.option(option)?,
            Type::Result(result) => self.result(result)?,
            Type::Own(_) | Type::Borrow(_) => {
                let (_, at) = self.lexer.peek()?;
                return Err(self.lexer.error(at, "a resource cannot be written as text"));
            }
            Type::Stream(_) | Type::Future(_) | Type::ErrorContext => {
                let (_, at) = self.lexer.peek()?;
                return Err(self.lexer.error(at, "a handle cannot be written as text"));
            }
        })
    }

    /// What stands where something else should.
    fn expected(&self, what: &str, at: usize, found: &str) -> Error {
        let found = match found {
            "" => "the end".into(),
            // Of what is long, its beginning.
            found => format!("'{}'", found.chars().take(32).collect::<String>()),
        };
        self.lexer.error(at, format!("expected {what}, got {found}"))
    }

    fn one_of<'n>(
        &self,
        what: &str,
        names: impl Iterator<Item = &'n str>,
        at: usize,
        found: &str,
    ) -> Error {
        let names: Vec<_> = names.take(MAX_LISTED + 1).collect();
        let there = match names.len() {
            0..=MAX_LISTED => format!(": {}", names.join(", ")),
            _ => format!(": {}, ...", names[..MAX_LISTED].join(", ")),
        };
        self.lexer.error(at, format!("there is no {what} '{found}'{there}"))
    }

    fn token(&mut self, token: Token, what: &str) -> Result<(usize, &'a str), Error> {
        match self.lexer.next()? {
            (found, at, text) if found == token => Ok((at, text)),
            (_, at, text) => Err(self.expected(what, at, text)),
        }
    }

    /// Goes on if a sign is next.
    pub(super) fn eat(&mut self, sign: char) -> Result<bool, Error> {
        let is_next = self.lexer.peek()?.0 == Token::Sign(sign);
        if is_next {
            self.lexer.next()?;
        }
        Ok(is_next)
    }

    fn sign(&mut self, sign: char) -> Result<(), Error> {
        self.token(Token::Sign(sign), &format!("'{sign}'")).map(|_| ())
    }

    fn integer<I: TryFrom<i128> + std::fmt::Display>(
        &mut self,
        name: &str,
        min: I,
        max: I,
    ) -> Result<I, Error> {
        let what = format!("a {name}");
        let (at, text) = self.token(Token::Number, &what)?;
        if text.contains(['.', 'e', 'E', 'i']) {
            return Err(self.expected(&what, at, text));
        }
        let value = text.parse::<i128>().ok().and_then(|value| I::try_from(value).ok());
        value.ok_or_else(|| {
            self.lexer.error(at, format!("{text} is out of range for {name}: {min} to {max}"))
        })
    }

    fn float<F: std::str::FromStr>(&mut self, what: &str) -> Result<F, Error> {
        let (token, at, text) = self.lexer.next()?;
        let is_float = match token {
            Token::Number => true,
            Token::Word => matches!(text, "inf" | "nan"),
            _ => false,
        };
        let value = if is_float { text.parse().ok() } else { None };
        value.ok_or_else(|| self.expected(what, at, text))
    }

    fn string(&mut self) -> Result<String, Error> {
        let (token, at, text) = self.lexer.next()?;
        let mut string = String::new();
        match token {
            Token::String => self.unescape(&text[1..text.len() - 1], at + 1, &mut string)?,
            Token::Lines => self.lines(&text[3..text.len() - 3], at + 3, &mut string)?,
            _ => return Err(self.expected("a string: \"...\"", at, text)),
        }
        Ok(string)
    }

    /// The lines of a string that has them, without what they are indented by: as much as
    /// the last, which has only the quotes.
    fn lines(&mut self, text: &str, at: usize, string: &mut String) -> Result<(), Error> {
        let begins = text.strip_prefix("\r\n").or_else(|| text.strip_prefix('\n'));
        let Some(body) = begins else {
            return Err(self.lexer.error(at, "a line has to end after \"\"\""));
        };
        let mut at = at + text.len() - body.len();
        // The text before the last line; none when there is no other.
        let (body, indent) = body.rsplit_once('\n').map_or((None, body), |(a, b)| (Some(a), b));
        if indent.contains(|c| c != ' ') {
            let end = at + body.map_or(0, |body| body.len() + 1);
            return Err(self.lexer.error(end, "expected nothing but spaces before \"\"\""));
        }
        for (number, line) in body.into_iter().flat_map(|body| body.split('\n')).enumerate() {
            if number > 0 {
                string.push('\n');
            }
            let Some(text) = line.strip_prefix(indent) else {
                let message = "expected the line to be indented as much as the last one";
                return Err(self.lexer.error(at, message));
            };
            let text = text.strip_suffix('\r').unwrap_or(text);
            self.unescape(text, at + indent.len(), string)?;
            at += line.len() + 1;
        }
        Ok(())
    }

    /// Adds a text without its escapes.
    fn unescape(&self, text: &str, at: usize, string: &mut String) -> Result<(), Error> {
        let mut rest = text;
        while let Some(backslash) = rest.find('\\') {
            string.push_str(&rest[..backslash]);
            let start = at + text.len() - rest.len() + backslash;
            let wrong = |what: &str| Err(self.lexer.error(start, what));
            let mut chars = rest[backslash + 1..].chars();
            match chars.next() {
                Some(c @ ('\\' | '\'' | '"')) => string.push(c),
                Some('t') => string.push('\t'),
                Some('n') => string.push('\n'),
                Some('r') => string.push('\r'),
                Some('u') => {
                    let digits =
                        chars.as_str().strip_prefix('{').and_then(|rest| rest.split_once('}'));
                    let Some((digits, after)) = digits else {
                        return wrong("expected '\\u{...}'");
                    };
                    let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
                    if !is_hex || !(1..=6).contains(&digits.len()) {
                        return wrong("expected one to six hexadecimal digits in '\\u{...}'");
                    }
                    let code = u32::from_str_radix(digits, 16).ok().and_then(char::from_u32);
                    match code {
                        Some(c) => string.push(c),
                        None => return wrong("there is no character of this number"),
                    }
                    chars = after.chars();
                }
                _ => return wrong("unknown escape: there are \\\\ \\' \\\" \\t \\n \\r \\u{...}"),
            }
            rest = chars.as_str();
        }
        string.push_str(rest);
        Ok(())
    }

    /// Items between brackets, with commas between them and one after the last or not.
    pub(super) fn list(
        &mut self,
        open: char,
        close: char,
        what: &str,
        mut item: impl FnMut(&mut Self, usize) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.token(Token::Sign(open), what)?;
        self.rest_of_list(close, &mut item)
    }

    /// The same behind the opening bracket. `item` is told where each item begins.
    fn rest_of_list(
        &mut self,
        close: char,
        item: &mut dyn FnMut(&mut Self, usize) -> Result<(), Error>,
    ) -> Result<(), Error> {
        while !self.eat(close)? {
            let (_, at) = self.lexer.peek()?;
            item(self, at)?;
            if self.eat(',')? {
                continue;
            }
            return match self.lexer.next()? {
                (Token::Sign(sign), ..) if sign == close => Ok(()),
                (_, at, found) => Err(self.expected(&format!("',' or '{close}'"), at, found)),
            };
        }
        Ok(())
    }

    fn tuple(&mut self, types: &[Type]) -> Result<Vec<Val>, Error> {
        let (_, start) = self.lexer.peek()?;
        let mut values = Vec::new();
        let wrong = |this: &Self, found: &str| {
            let message = format!("expected {} values in a tuple, got {found}", types.len());
            this.lexer.error(start, message)
        };
        self.list('(', ')', "a tuple: (...)", |this, _| match types.get(values.len()) {
            Some(ty) => {
                values.push(this.value(ty)?);
                Ok(())
            }
            None => Err(wrong(this, "more")),
        })?;
        match values.len() == types.len() {
            true => Ok(values),
            false => Err(wrong(self, &values.len().to_string())),
        }
    }

    /// A name, which may begin with `%`.
    fn label(&mut self, what: &str) -> Result<(usize, &'a str), Error> {
        let (at, name) = self.token(Token::Word, what)?;
        Ok((at, name.strip_prefix('%').unwrap_or(name)))
    }

    /// The name of a case, which is no keyword.
    fn case(&mut self) -> Result<(usize, &'a str), Error> {
        let (at, name) = self.token(Token::Word, "the name of a case")?;
        match name.strip_prefix('%') {
            Some(name) => Ok((at, name)),
            None if KEYWORDS.contains(&name) => {
                Err(self.lexer.error(at, format!("a case of this name is written '%{name}'")))
            }
            None => Ok((at, name)),
        }
    }

    fn record(&mut self, record: &Record) -> Result<Val, Error> {
        let types: Vec<_> = record.fields().collect();
        let places: std::collections::HashMap<_, _> =
            types.iter().enumerate().map(|(at, field)| (field.name, at)).collect();
        let mut values: Vec<Option<Val>> = types.iter().map(|_| None).collect();
        let (start, _) = self.token(Token::Sign('{'), "a record: {name: value, ...}")?;
        let is_empty = self.eat(':')?;
        if is_empty {
            self.sign('}')?;
        } else if self.eat('}')? {
            return Err(self.lexer.error(start, "a record without fields is written '{:}'"));
        } else {
            self.rest_of_list('}', &mut |this, _| {
                let (at, name) = this.label("the name of a field")?;
                let Some(&place) = places.get(name) else {
                    let names = types.iter().map(|field| field.name);
                    return Err(this.one_of("field", names, at, name));
                };
                if values[place].is_some() {
                    return Err(this.lexer.error(at, format!("field '{name}' is given twice")));
                }
                this.sign(':')?;
                values[place] = Some(this.value(&types[place].ty)?);
                Ok(())
            })?;
        }
        let mut fields = Vec::with_capacity(values.len());
        for (field, value) in types.iter().zip(values) {
            let value = match (value, &field.ty) {
                (Some(value), _) => value,
                (None, Type::Option(_)) => Val::Option(None),
                (None, _) => {
                    let message = format!("field '{}' is missing", field.name);
                    return Err(self.lexer.error(start, message));
                }
            };
            fields.push((field.name.to_owned(), value));
        }
        Ok(Val::Record(fields))
    }

    fn flags(&mut self, flags: &Flags) -> Result<Val, Error> {
        let names: Vec<_> = flags.names().collect();
        let places: std::collections::HashMap<_, _> =
            names.iter().enumerate().map(|(at, name)| (*name, at)).collect();
        let mut set = vec![false; names.len()];
        self.list('{', '}', "flags: {name, ...}", |this, _| {
            let (at, name) = this.label("the name of a flag")?;
            match places.get(name) {
                Some(&place) if set[place] => {
                    Err(this.lexer.error(at, format!("flag '{name}' is given twice")))
                }
                Some(&place) => {
                    set[place] = true;
                    Ok(())
                }
                None => Err(this.one_of("flag", names.iter().copied(), at, name)),
            }
        })?;
        let names = names.iter().zip(set).filter(|(_, set)| *set);
        Ok(Val::Flags(names.map(|(name, _)| (*name).to_owned()).collect()))
    }

    /// What a case carries, if its type has anything to carry.
    fn payload(&mut self, name: &str, ty: Option<Type>) -> Result<Option<Box<Val>>, Error> {
        let (token, at) = self.lexer.peek()?;
        let has_payload = token == Token::Sign('(');
        match ty {
            Some(_) if !has_payload => {
                Err(self.lexer.error(at, format!("'{name}' needs a value: {name}(...)")))
            }
            None if has_payload => Err(self.lexer.error(at, format!("'{name}' has no value"))),
            None => Ok(None),
            Some(ty) => {
                self.sign('(')?;
                let value = self.value(&ty)?;
                self.sign(')')?;
                Ok(Some(Box::new(value)))
            }
        }
    }

    fn variant(&mut self, variant: &Variant) -> Result<Val, Error> {
        let (at, name) = self.case()?;
        match variant.cases().find(|case| case.name == name) {
            Some(case) => Ok(Val::Variant(name.to_owned(), self.payload(name, case.ty)?)),
            None => {
                let names: Vec<_> = variant.cases().map(|case| case.name).collect();
                Err(self.one_of("case", names.into_iter(), at, name))
            }
        }
    }

    /// Goes on if one of two keywords is next; which one it is.
    fn keyword(&mut self, words: [&str; 2]) -> Result<Option<&'a str>, Error> {
        let mut ahead = self.lexer.clone();
        Ok(match ahead.next()? {
            (Token::Word, _, word) if words.contains(&word) => {
                self.lexer = ahead;
                Some(word)
            }
            _ => None,
        })
    }

    fn option(&mut self, option: &OptionType) -> Result<Val, Error> {
        let ty = option.ty();
        Ok(Val::Option(match self.keyword(["some", "none"])? {
            Some("some") => self.payload("some", Some(ty))?,
            Some(none) => self.payload(none, None)?,
            None if is_flat(&ty) => Some(Box::new(self.value(&ty)?)),
            None => {
                let (_, at, found) = self.lexer.next()?;
                return Err(self.expected("some(...) or none", at, found));
            }
        }))
    }

    fn result(&mut self, result: &ResultType) -> Result<Val, Error> {
        Ok(Val::Result(match (self.keyword(["ok", "err"])?, result.ok()) {
            (Some("ok"), ok) => Ok(self.payload("ok", ok)?),
            (Some(err), _) => Err(self.payload(err, result.err())?),
            (None, Some(ok)) if is_flat(&ok) => Ok(Some(Box::new(self.value(&ok)?))),
            (None, _) => {
                let (_, at, found) = self.lexer.next()?;
                return Err(self.expected("ok or err", at, found));
            }
        }))
    }
}

/// Names are listed in a message up to this many.
const MAX_LISTED: usize = 12;

/// Whether the case that carries a type may be left unsaid: not where what is carried
/// begins with such a word itself.
fn is_flat(ty: &Type) -> bool {
    !matches!(ty, Type::Option(_) | Type::Result(_))
}
