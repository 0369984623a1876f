//! Fields of messages: headers and trailers.
//!
//! RFC 9110, section 5.

use std::sync::Arc;

use crate::host::budget::{Budget, Share};

/// The bytes that the fields of one message may take, with what each field takes besides.
const MAX_SIZE: usize = 128 << 10;

/// What each field takes besides its name and value, and all of them take together.
const OVERHEAD: usize = 64;

/// Names and values, in the order in which they are sent. Names keep their case, which
/// does not matter for comparing them.
#[derive(Clone)]
pub(crate) struct Fields(Arc<Inner>);

struct Inner {
    entries: Vec<Field>,
    /// What they take.
    share: Share,
}

#[derive(Clone)]
struct Field {
    name: Box<str>,
    value: Box<[u8]>,
}

impl Field {
    /// What it takes.
    fn size(&self) -> usize {
        self.name.len() + self.value.len() + OVERHEAD
    }
}

/// Why a field can not be set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum FieldError {
    /// The name or a value is none.
    Syntax,
    /// The field is not the guest's.
    Forbidden,
    /// There is no room for more.
    TooLarge,
}

/// What a field says about how its message is framed or sent, which is not the guest's.
const FORBIDDEN: [&str; 9] = [
    "connection",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "transfer-encoding",
    "upgrade",
];

/// What means nothing, or something dangerous, behind a body. RFC 9110, section 6.5.1.
const NOT_BEHIND: [&str; 11] = [
    "authorization",
    "cache-control",
    "content-encoding",
    "content-length",
    "content-range",
    "content-type",
    "expect",
    "max-forwards",
    "set-cookie",
    "te",
    "trailer",
];

fn is_one_of(name: &str, names: &[&str]) -> bool {
    names.iter().any(|one| one.eq_ignore_ascii_case(name))
}

/// Whether a field is not the guest's to set, nor to see.
pub(crate) fn is_forbidden(name: &str) -> bool {
    is_one_of(name, &FORBIDDEN)
}

/// Whether a text is a token: a name or a method. RFC 9110, section 5.6.2.
pub(crate) fn is_token(text: &str) -> bool {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_token)
}

/// Whether bytes are the value of a field: nothing that ends a line or a string.
fn is_value(value: &[u8]) -> bool {
    value.iter().all(|&byte| byte == b'\t' || (byte >= b' ' && byte != 0x7f))
}

/// A length as `content-length` has it: digits only.
fn length(value: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(value).ok()?;
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok())?
}

impl Fields {
    /// No fields; none if there is no room for them.
    pub(crate) fn new(budget: &Budget) -> Option<Fields> {
        let share = budget.take(OVERHEAD)?;
        Some(Fields(Arc::new(Inner { entries: Vec::new(), share })))
    }

    /// The fields of a message that was received, except those that are not the guest's.
    /// Names are in lower case.
    pub(crate) fn received<'a>(
        budget: &Budget,
        fields: impl Iterator<Item = (&'a str, &'a [u8])>,
    ) -> Result<Fields, FieldError> {
        let mut all = Fields::new(budget).ok_or(FieldError::TooLarge)?;
        let fields = fields.filter(|(name, _)| !is_forbidden(name));
        let own = |(name, value): (&str, &[u8])| Field {
            name: name.to_ascii_lowercase().into(),
            value: value.into(),
        };
        let fields: Vec<Field> = fields.map(own).collect();
        let size = all.size() + fields.iter().map(Field::size).sum::<usize>();
        all.change(size, |entries| *entries = fields)?;
        Ok(all)
    }

    /// Names and values.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0.entries.iter().map(|field| (&*field.name, &*field.value))
    }

    /// The values of a name.
    pub(crate) fn get<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.iter().filter(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Gives a name these values, and no others. They come where the first was.
    pub(crate) fn set(&mut self, name: &str, values: Vec<Vec<u8>>) -> Result<(), FieldError> {
        check(name, values.iter().map(|value| &value[..]))?;
        let is_other = |field: &Field| !field.name.eq_ignore_ascii_case(name);
        let values = values.into_iter().map(Vec::into_boxed_slice);
        let new: Vec<_> = values.map(|value| Field { name: name.into(), value }).collect();
        let size = self.size_without(name) + new.iter().map(Field::size).sum::<usize>();
        self.change(size, |entries| {
            let at = entries.iter().position(|field| !is_other(field)).unwrap_or(entries.len());
            entries.retain(is_other);
            entries.splice(at..at, new);
        })
    }

    /// Adds a value.
    pub(crate) fn append(&mut self, name: &str, value: Vec<u8>) -> Result<(), FieldError> {
        check(name, [&value[..]].into_iter())?;
        // A message of two lengths is one of none.
        if name.eq_ignore_ascii_case("content-length") && self.get(name).next().is_some() {
            return Err(FieldError::Syntax);
        }
        let field = Field { name: name.into(), value: value.into() };
        self.change(self.size() + field.size(), |entries| entries.push(field))
    }

    /// Removes all values of a name.
    pub(crate) fn delete(&mut self, name: &str) -> Result<(), FieldError> {
        check(name, std::iter::empty())?;
        self.change(self.size_without(name), |entries| {
            entries.retain(|field| !field.name.eq_ignore_ascii_case(name));
        })
    }

    /// The length that the fields say the body has.
    pub(crate) fn content_length(&self) -> Option<u64> {
        self.get("content-length").next().and_then(length)
    }

    /// Writes the fields as lines; only those that may be behind a body if these are.
    pub(crate) fn write(&self, out: &mut Vec<u8>, behind: bool) {
        for (name, value) in self.iter() {
            if behind && is_one_of(name, &NOT_BEHIND) {
                continue;
            }
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b": ");
            out.extend_from_slice(value);
            out.extend_from_slice(b"\r\n");
        }
    }

    /// What they take.
    fn size(&self) -> usize {
        OVERHEAD + self.0.entries.iter().map(Field::size).sum::<usize>()
    }

    /// The same without those of a name.
    fn size_without(&self, name: &str) -> usize {
        let others = self.0.entries.iter().filter(|field| !field.name.eq_ignore_ascii_case(name));
        OVERHEAD + others.map(Field::size).sum::<usize>()
    }

    /// Changes the fields, of which others may have a copy, so that they take so much; if
    /// there is room for that.
    fn change(
        &mut self,
        size: usize,
        change: impl FnOnce(&mut Vec<Field>),
    ) -> Result<(), FieldError> {
        if size > MAX_SIZE {
            return Err(FieldError::TooLarge);
        }
        if Arc::get_mut(&mut self.0).is_none() {
            let share = self.0.share.again().ok_or(FieldError::TooLarge)?;
            self.0 = Arc::new(Inner { entries: self.0.entries.clone(), share });
        }
        let inner = Arc::get_mut(&mut self.0).ok_or(FieldError::TooLarge)?;
        if !inner.share.resize(size) {
            return Err(FieldError::TooLarge);
        }
        change(&mut inner.entries);
        Ok(())
    }
}

/// Checks a name, and values for it.
fn check<'a>(
    name: &str,
    mut values: impl ExactSizeIterator<Item = &'a [u8]>,
) -> Result<(), FieldError> {
    if !is_token(name) {
        return Err(FieldError::Syntax);
    }
    if is_forbidden(name) {
        return Err(FieldError::Forbidden);
    }
    let good = match name.eq_ignore_ascii_case("content-length") {
        true => values.len() <= 1 && values.all(|value| length(value).is_some()),
        false => values.all(is_value),
    };
    if good { Ok(()) } else { Err(FieldError::Syntax) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(budget: &Budget) -> Fields {
        Fields::new(budget).unwrap()
    }

    fn values(fields: &Fields, name: &str) -> Vec<Vec<u8>> {
        fields.get(name).map(<[u8]>::to_vec).collect()
    }

    #[test]
    fn names_keep_their_case_and_places() {
        let mut fields = fields(&Budget::new(crate::http::BUDGET));
        fields.append("X-One", b"1".to_vec()).unwrap();
        fields.append("two", b"2".to_vec()).unwrap();
        fields.append("x-one", b"3".to_vec()).unwrap();
        assert_eq!(values(&fields, "X-ONE"), [b"1", b"3"]);
        fields.set("x-One", vec![b"4".to_vec(), b"".to_vec()]).unwrap();
        let all: Vec<_> = fields.iter().collect();
        assert_eq!(all, [("x-One", &b"4"[..]), ("x-One", b""), ("two", b"2")]);
        let copy = fields.clone();
        fields.delete("X-ONE").unwrap();
        assert_eq!((fields.iter().count(), copy.iter().count()), (1, 3));
        fields.set("two", vec![]).unwrap();
        assert_eq!(fields.iter().count(), 0);
    }

    #[test]
    fn what_could_be_taken_for_something_else_is_refused() {
        let mut fields = fields(&Budget::new(crate::http::BUDGET));
        for name in ["", "a b", "a:b", "a\r\nb", "ü", "a\0", "(a)"] {
            assert_eq!(fields.append(name, vec![]), Err(FieldError::Syntax), "{name:?}");
            assert_eq!(fields.set(name, vec![]), Err(FieldError::Syntax));
            assert_eq!(fields.delete(name), Err(FieldError::Syntax));
        }
        for value in ["a\r\nb: c", "a\nb", "a\0b", "a\rb", "\x7f"] {
            assert_eq!(fields.append("a", value.into()), Err(FieldError::Syntax), "{value:?}");
            assert_eq!(fields.set("a", vec![b"".into(), value.into()]), Err(FieldError::Syntax));
        }
        for name in ["Connection", "transfer-encoding", "HOST", "upgrade", "keep-alive"] {
            assert_eq!(fields.append(name, b"x".to_vec()), Err(FieldError::Forbidden), "{name}");
            assert_eq!(fields.delete(name), Err(FieldError::Forbidden), "{name}");
        }
        fields.append("a", "\t ü".into()).unwrap();
        assert_eq!(fields.iter().count(), 1);
    }

    #[test]
    fn a_message_has_one_length() {
        let mut fields = fields(&Budget::new(crate::http::BUDGET));
        for value in ["", "+5", "-5", " 5", "5 ", "5,5", "0x5", "99999999999999999999"] {
            let refused = fields.append("content-length", value.into());
            assert_eq!(refused, Err(FieldError::Syntax), "{value:?}");
        }
        fields.append("Content-Length", b"5".to_vec()).unwrap();
        assert_eq!(fields.append("content-length", b"5".to_vec()), Err(FieldError::Syntax));
        let two = vec![b"5".to_vec(), b"5".to_vec()];
        assert_eq!(fields.set("content-length", two), Err(FieldError::Syntax));
        assert_eq!(fields.content_length(), Some(5));
    }

    #[test]
    fn room_is_limited() {
        let budget = Budget::new(crate::http::BUDGET);
        let mut one = fields(&budget);
        let long = vec![b'x'; MAX_SIZE / 3];
        one.append("a", long.clone()).unwrap();
        one.append("a", long.clone()).unwrap();
        let copy = one.clone();
        assert_eq!(one.append("a", long.clone()), Err(FieldError::TooLarge));
        assert_eq!(copy.iter().count(), 2);
        let mut all = Vec::new();
        let last = loop {
            let mut one = copy.clone();
            match one.append("b", vec![]) {
                Ok(()) => all.push(one),
                Err(error) => break error,
            }
        };
        assert_eq!(last, FieldError::TooLarge);
        assert!(all.len() * MAX_SIZE <= 2 * super::super::BUDGET);
        let more = super::super::BUDGET / OVERHEAD;
        let empty: Vec<_> = std::iter::from_fn(|| Fields::new(&budget)).take(more).collect();
        assert!(empty.len() < more);
        drop((all, empty));
        assert!(one.delete("a").is_ok());
    }

    #[test]
    fn what_is_received_is_in_lower_case_and_without_what_is_not_the_guests() {
        let received = [("X-A", &b"1"[..]), ("Connection", b"close"), ("x-B", b"2")];
        let fields =
            Fields::received(&Budget::new(crate::http::BUDGET), received.into_iter()).unwrap();
        let all: Vec<_> = fields.iter().collect();
        assert_eq!(all, [("x-a", &b"1"[..]), ("x-b", b"2")]);
    }

    #[test]
    fn trailers_have_no_say_in_framing() {
        let mut fields = fields(&Budget::new(crate::http::BUDGET));
        fields.append("Content-Length", b"5".to_vec()).unwrap();
        fields.append("X-Sum", b"9".to_vec()).unwrap();
        let mut out = Vec::new();
        fields.write(&mut out, true);
        assert_eq!(out, b"X-Sum: 9\r\n");
        fields.write(&mut out, false);
        assert_eq!(out, b"X-Sum: 9\r\nContent-Length: 5\r\nX-Sum: 9\r\n");
    }
}
