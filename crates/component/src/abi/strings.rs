//! Strings: three encodings, from any to any.
//!
//! A guest's memory is asked for in the steps that the specification prescribes, which a
//! guest can watch: a first guess, more if it was too small, less at the end. The first
//! follows from the number of code units, the second from whether there is a character
//! that does not fit, so that a guest that refuses refuses before there is work; then the
//! string is encoded, beside the memories, unless it stays as it is. This keeps the two
//! memories, which may be one, apart; how much is beside them at a time has a limit.
//!
//! Specification: Canonical ABI, "Loading", `load_string`; "Storing", `store_string`.

use std::borrow::Cow;

use zwasm::{Error, Memory, Result};

use super::lift::LiftContext;
use super::lower::{LowerContext, realloc};
use super::{AnyStore, Place, StringEncoding};
use crate::state::Options;
use crate::tuning::MAX_ENCODED;
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

    /// Whether it is UTF-16 where it might be Latin-1: it becomes that if it can.
    pub(super) fn is_wide_compact(&self) -> bool {
        self.compact && self.form == Form::Utf16
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

    /// Checks that it is no longer than any string may be.
    ///
    /// # Errors
    ///
    /// If it is.
    pub(super) fn check_length(&self) -> Result<()> {
        check_bytes(self.size())
    }
}

fn check_bytes(bytes: usize) -> Result<()> {
    if bytes > MAX_BYTES {
        return Err(Error::trap_msg(format_args!(
            "string content out-of-bounds: a string of {bytes} bytes does not fit"
        )));
    }
    Ok(())
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
    pub(crate) fn string(&mut self, at: Place) -> Result<String> {
        let (address, length) = self.pair(at)?;
        let header = Header::new(self.options.encoding, length);
        let bytes = self.range(address, header.length, header.shape(), "string")?;
        header.check_length()?;
        self.budget.allocate(header.length, 3)?;
        Ok(decode(header.form, bytes)?.into_owned())
    }
}

impl LowerContext<'_> {
    pub(crate) fn put_string(&mut self, at: Place, text: &str) -> Result<()> {
        let header = Header { form: Form::Utf8, length: text.len(), compact: false };
        let bytes = Source::Host(text.as_bytes());
        let (address, length) = store(self.store, &self.options, header, bytes)?;
        self.put_pair(at, address, length)
    }
}

impl Header {
    /// Bytes that are asked for at first.
    fn first(&self, target: StringEncoding) -> usize {
        let wide = match (self.form, target) {
            (Form::Utf16, StringEncoding::Utf16) => true,
            (Form::Latin1 | Form::Utf8, StringEncoding::Utf16) => true,
            (_, StringEncoding::Utf8) => false,
            // Of the same encoding, what was UTF-16 probably has to be.
            (Form::Utf16, StringEncoding::CompactUtf16) => self.compact,
            (Form::Utf8 | Form::Latin1, StringEncoding::CompactUtf16) => false,
        };
        if wide { 2 * self.length } else { self.length }
    }

    /// Bytes that are asked for when these are too few, which one character shows.
    fn more(&self, bytes: &[u8], target: StringEncoding) -> Option<usize> {
        let count = self.length;
        let (found, size) = match (self.form, target) {
            (Form::Utf8, StringEncoding::Utf8) | (_, StringEncoding::Utf16) => return None,
            (Form::Latin1, StringEncoding::CompactUtf16) => return None,
            (Form::Utf16, StringEncoding::CompactUtf16) if self.compact => return None,
            // Only ASCII has one byte for a unit.
            (Form::Latin1, StringEncoding::Utf8) => (!bytes.is_ascii(), 2 * count),
            (Form::Utf16, StringEncoding::Utf8) => (units(bytes).any(|u| u >= 0x80), 3 * count),
            // What begins with these bytes is not Latin-1.
            (Form::Utf8, StringEncoding::CompactUtf16) => {
                (bytes.iter().any(|&byte| byte >= 0xc4), 2 * count)
            }
            (Form::Utf16, StringEncoding::CompactUtf16) => {
                (units(bytes).any(|unit| unit >= 0x100), 2 * count)
            }
        };
        found.then_some(size)
    }
}

/// A string in another encoding: its bytes, and its length as a guest counts.
fn encode(
    source: Header,
    bytes: Cow<'_, [u8]>,
    target: StringEncoding,
) -> Result<(Cow<'_, [u8]>, usize)> {
    use StringEncoding as E;
    let count = source.length;
    if let (Form::Utf8, E::Utf8) | (Form::Utf16, E::Utf16) = (source.form, target) {
        validate(source.form, &bytes)?;
        return Ok((bytes, count));
    }
    if let (Form::Latin1, E::CompactUtf16) = (source.form, target) {
        return Ok((bytes, count));
    }
    let text = decode(source.form, &bytes)?;
    Ok(match target {
        E::Utf8 => {
            let bytes = text.into_owned().into_bytes();
            let length = bytes.len();
            (bytes.into(), length)
        }
        E::Utf16 => {
            let bytes = utf16(&text);
            let length = bytes.len() / 2;
            (bytes.into(), length)
        }
        E::CompactUtf16 => match latin1(&text) {
            Some(bytes) => {
                let length = bytes.len();
                (bytes.into(), length)
            }
            None => {
                let bytes = utf16(&text);
                let length = (bytes.len() / 2) | UTF16_TAG;
                (bytes.into(), length)
            }
        },
    })
}

/// Writes a string into a guest's memory: its address, and its length as the guest counts.
pub(super) fn store(
    store: &mut dyn AnyStore,
    options: &Options,
    source: Header,
    bytes: Source<'_>,
) -> Result<(usize, usize)> {
    let target = options.encoding;
    let align = match target {
        StringEncoding::Utf8 => 1,
        StringEncoding::Utf16 | StringEncoding::CompactUtf16 => 2,
    };
    let (mut at, mut size) = (0, 0);
    let mut resize = |store: &mut dyn AnyStore, to: usize| -> Result<usize> {
        check_bytes(to)?;
        at = realloc(store, options, "string", [at, size, align, to])?;
        size = to;
        Ok(at)
    };
    let first = source.first(target);
    let mut address = resize(store, first)?;
    let more = source.more(bytes.get(store)?, target);
    if let Some(more) = more {
        address = resize(store, more)?;
    }
    let bytes = match bytes {
        Source::Host(bytes) => Cow::Borrowed(bytes),
        Source::Guest { size, .. } if size > MAX_ENCODED => {
            return Err(Error::limit(format_args!(
                "a string of {size} bytes, more than {MAX_ENCODED}, changes its encoding"
            )));
        }
        Source::Guest { .. } => Cow::Owned(bytes.get(store)?.to_vec()),
    };
    let (bytes, length) = encode(source, bytes, target)?;
    let (memory, _) = store.split(options.memory);
    let room = memory.get_mut(address..).and_then(|memory| memory.get_mut(..bytes.len()));
    room.ok_or_else(super::unexpected)?.copy_from_slice(&bytes);
    if bytes.len() < more.unwrap_or(first) {
        address = resize(store, bytes.len())?;
    }
    Ok((address, length))
}

/// Where the bytes of a string are.
#[derive(Clone, Copy)]
pub(super) enum Source<'b> {
    Host(&'b [u8]),
    /// In a guest's memory, which may be another after its `realloc`.
    Guest {
        memory: Option<Memory>,
        address: usize,
        size: usize,
    },
}

impl<'b> Source<'b> {
    fn get<'s>(self, store: &'s mut dyn AnyStore) -> Result<&'s [u8]>
    where
        'b: 's,
    {
        match self {
            Source::Host(bytes) => Ok(bytes),
            Source::Guest { memory, address, size } => {
                let bytes = store.split(memory).0.get(address..);
                bytes.and_then(|bytes| bytes.get(..size)).ok_or_else(super::unexpected)
            }
        }
    }
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
                        let room = source.more(&bytes, target).unwrap_or(source.first(target));
                        let (result, length) = encode(source, (&bytes).into(), target).unwrap();
                        assert!(room >= result.len(), "{text} {source:?} {target:?}");
                        let header = Header::new(target, length);
                        assert_eq!(header.size(), result.len());
                        assert_eq!(decode(header.form, &result).unwrap(), text);
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
