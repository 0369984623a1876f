//! Strings: three encodings, from any to any.
//!
//! A guest's memory is asked for in the steps that the specification prescribes, which a
//! guest can watch: a first guess, more if it was too small, less at the end. How large
//! each is follows from the number of code units and from what the string becomes; so the
//! string is encoded first, beside the memories, unless it stays as it is, and then the
//! steps are taken. This keeps the two memories, which may be one, apart.
//!
//! Specification: Canonical ABI, "Loading", `load_string`; "Storing", `store_string`.

use std::borrow::Cow;

use zwasm::{Error, Result};

use super::lift::LiftContext;
use super::lower::{LowerContext, realloc};
use super::{Access, Place, StringEncoding};
use crate::state::Options;
use crate::types::Shape;

/// The bit of a length that says that a string is in UTF-16.
const UTF16_TAG: usize = 1 << 31;

/// The most bytes of a string, in whichever encoding it is for a moment.
const MAX_BYTES: usize = (1 << 31) - 1;

/// How the units of one string are encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Utf8,
    Utf16,
    Latin1,
}

/// What address and length of a string mean.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    pub(super) form: Form,
    /// Code units.
    pub(super) length: usize,
    /// Whether it was of the encoding that has both forms.
    compact: bool,
}

impl Header {
    pub(super) fn new(encoding: StringEncoding, length: usize) -> Header {
        let (form, length) = match encoding {
            StringEncoding::Utf8 => (Form::Utf8, length),
            StringEncoding::Utf16 => (Form::Utf16, length),
            StringEncoding::CompactUtf16 if length & UTF16_TAG != 0 => {
                (Form::Utf16, length & !UTF16_TAG)
            }
            StringEncoding::CompactUtf16 => (Form::Latin1, length),
        };
        Header { form, length, compact: encoding == StringEncoding::CompactUtf16 }
    }

    /// Bytes of a unit, and the alignment.
    pub(super) fn shape(&self) -> Shape {
        let size = if self.form == Form::Utf16 { 2 } else { 1 };
        let align = if self.form == Form::Utf8 { 1 } else { 2 };
        Shape { size, align, flat: 1, numbers: false, borrows: false }
    }

    /// Bytes of the string.
    pub(super) fn size(&self) -> usize {
        self.length * self.shape().size as usize
    }
}

fn units(bytes: &[u8]) -> impl Iterator<Item = u16> + '_ {
    bytes.chunks_exact(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]]))
}

/// Checks that bytes are UTF-8.
///
/// # Errors
///
/// If they are not.
pub(crate) fn validate_utf8(bytes: &[u8]) -> Result<()> {
    validate(Form::Utf8, bytes)
}

/// Checks that bytes are a string of a form.
pub(super) fn validate(form: Form, bytes: &[u8]) -> Result<()> {
    match form {
        Form::Utf8 => std::str::from_utf8(bytes).map(|_| ()).map_err(Error::trap_msg),
        Form::Utf16 => {
            char::decode_utf16(units(bytes)).try_for_each(|c| c.map(|_| ()).map_err(surrogate))
        }
        Form::Latin1 => Ok(()),
    }
}

#[cold]
fn surrogate(error: std::char::DecodeUtf16Error) -> Error {
    Error::trap_msg(format_args!("invalid utf-16: {error}"))
}

/// A string of a form as Rust has strings.
fn decode(form: Form, bytes: &[u8]) -> Result<Cow<'_, str>> {
    Ok(match form {
        Form::Utf8 => std::str::from_utf8(bytes).map_err(Error::trap_msg)?.into(),
        Form::Utf16 => {
            let chars = char::decode_utf16(units(bytes)).map(|c| c.map_err(surrogate));
            chars.collect::<Result<String>>()?.into()
        }
        Form::Latin1 => bytes.iter().map(|&byte| char::from(byte)).collect::<String>().into(),
    })
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// A string as Latin-1, if it has only such characters.
fn latin1(text: &str) -> Option<Vec<u8>> {
    text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect()
}

impl LiftContext<'_> {
    pub(super) fn string(&mut self, at: Place) -> Result<String> {
        let (address, length) = self.pair(at)?;
        let header = Header::new(self.options.encoding, length);
        let bytes = self.range(address, header.length, header.shape(), "string")?;
        self.budget.take(header.length, 3)?;
        Ok(decode(header.form, bytes)?.into_owned())
    }
}

impl LowerContext<'_> {
    pub(super) fn put_string(&mut self, at: Place, text: &str) -> Result<()> {
        let header = Header { form: Form::Utf8, length: text.len(), compact: false };
        let (address, length) = store(self.store, &self.options, header, text.as_bytes())?;
        self.put_pair(at, address, length)
    }
}

/// The steps in which a string is written.
struct Steps<'a> {
    /// Bytes asked for at first.
    first: usize,
    /// Bytes asked for when that is too little.
    more: Option<usize>,
    bytes: Cow<'a, [u8]>,
    /// The length that the guest is told.
    length: usize,
}

impl<'a> Steps<'a> {
    /// A string whose size is known.
    fn exact(bytes: Cow<'a, [u8]>, length: usize) -> Steps<'a> {
        Steps { first: bytes.len(), more: None, bytes, length }
    }

    fn of(source: Header, bytes: &'a [u8], target: StringEncoding) -> Result<Steps<'a>> {
        use StringEncoding as E;
        let count = source.length;
        Ok(match (source.form, target) {
            (Form::Utf8, E::Utf8) | (Form::Utf16, E::Utf16) => {
                validate(source.form, bytes)?;
                Steps::exact(bytes.into(), count)
            }
            (Form::Latin1, E::CompactUtf16) => Steps::exact(bytes.into(), count),
            (Form::Latin1, E::Utf16) => {
                let wide = bytes.iter().flat_map(|&byte| [byte, 0]).collect::<Vec<_>>();
                Steps::exact(wide.into(), count)
            }
            (Form::Utf16 | Form::Latin1, E::Utf8) => {
                let bytes = decode(source.form, bytes)?.into_owned().into_bytes();
                let worst = if source.form == Form::Utf16 { 3 * count } else { 2 * count };
                // Only ASCII has one byte for a unit.
                let more = (bytes.len() != count).then_some(worst);
                Steps { first: count, more, length: bytes.len(), bytes: bytes.into() }
            }
            (Form::Utf8, E::Utf16) => {
                let bytes = utf16(&decode(source.form, bytes)?);
                let length = bytes.len() / 2;
                Steps { first: 2 * count, more: None, bytes: bytes.into(), length }
            }
            (Form::Utf8 | Form::Utf16, E::CompactUtf16) => {
                let text = decode(source.form, bytes)?;
                // Of the same encoding, what was UTF-16 probably has to be.
                let first = if source.compact { 2 * count } else { count };
                match latin1(&text) {
                    Some(bytes) => {
                        Steps { first, more: None, length: bytes.len(), bytes: bytes.into() }
                    }
                    None => {
                        let bytes = utf16(&text);
                        let length = (bytes.len() / 2) | UTF16_TAG;
                        let more = (!source.compact).then_some(2 * count);
                        Steps { first, more, bytes: bytes.into(), length }
                    }
                }
            }
        })
    }
}

/// Writes a string into a guest's memory: its address, and its length as the guest counts.
pub(super) fn store(
    store: &mut dyn Access,
    options: &Options,
    source: Header,
    bytes: &[u8],
) -> Result<(usize, usize)> {
    let Steps { first, more, bytes, length } = Steps::of(source, bytes, options.encoding)?;
    let align = match options.encoding {
        StringEncoding::Utf8 => 1,
        StringEncoding::Utf16 | StringEncoding::CompactUtf16 => 2,
    };
    let mut size = 0;
    let mut address = 0;
    let mut resize = |store: &mut dyn Access, to: usize| {
        if to > MAX_BYTES {
            return Err(Error::trap_msg(format_args!(
                "string content out-of-bounds: a string of {to} bytes does not fit"
            )));
        }
        address = realloc(store, options, "string", [address, size, align, to])?;
        size = to;
        Ok(address)
    };
    let mut at = resize(store, first)?;
    if let Some(more) = more {
        at = resize(store, more)?;
    }
    let (memory, _) = store.split(options.memory);
    let place = memory.get_mut(at..).and_then(|memory| memory.get_mut(..bytes.len()));
    place.ok_or_else(super::unexpected)?.copy_from_slice(&bytes);
    if bytes.len() < more.unwrap_or(first) {
        at = resize(store, bytes.len())?;
    }
    Ok((at, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_becomes_every_encoding() {
        for text in ["", "plain", "gr\u{fc}n", "\u{2603}\u{fe0f} snow", "\u{1f370}"] {
            let sources = [
                Some((Form::Utf8, text.as_bytes().to_vec())),
                Some((Form::Utf16, utf16(text))),
                latin1(text).map(|bytes| (Form::Latin1, bytes)),
            ];
            for (form, bytes) in sources.into_iter().flatten() {
                let length = bytes.len() / if form == Form::Utf16 { 2 } else { 1 };
                for compact in [false, true] {
                    for target in
                        [StringEncoding::Utf8, StringEncoding::Utf16, StringEncoding::CompactUtf16]
                    {
                        let source = Header { form, length, compact };
                        let steps = Steps::of(source, &bytes, target).unwrap();
                        let room = steps.more.unwrap_or(steps.first);
                        assert!(room >= steps.bytes.len(), "{text} {source:?} {target:?}");
                        let header = Header::new(target, steps.length);
                        assert_eq!(header.size(), steps.bytes.len());
                        assert_eq!(decode(header.form, &steps.bytes).unwrap(), text);
                        let wide = latin1(text).is_none();
                        if target == StringEncoding::CompactUtf16 {
                            assert_eq!(header.form == Form::Utf16, wide);
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_no_string_is_refused() {
        for bytes in [&b"\xff"[..], b"\xc0\x80", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\xe2\x98"]
        {
            assert!(validate(Form::Utf8, bytes).is_err(), "{bytes:x?}");
        }
        for units in [&[0xd800u16][..], &[0xdc00], &[0xd800, 0x41], &[0xdc00, 0xd800]] {
            let bytes: Vec<u8> = units.iter().copied().flat_map(u16::to_le_bytes).collect();
            assert!(validate(Form::Utf16, &bytes).is_err(), "{units:x?}");
        }
    }
}
