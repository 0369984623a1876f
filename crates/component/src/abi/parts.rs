//! The parts of composite values, for Rust types of other crates: what the derives, and
//! tables of host functions, write [`Lift`](super::Lift) and [`Lower`](super::Lower) with.
//!
//! Next to nothing here is generic, so that a type costs a table of names and the calls.

use zwasm::{Error, Result};

use super::rust::mismatch;
use super::{Lift, LiftContext, Lower, LowerContext, Place, TypeContext, unexpected};
use crate::types::{Defined, InterfaceType, Layout};

/// How the type of a part is checked: `T::typecheck` of the Rust type that stands for it.
pub type Check = fn(InterfaceType, &TypeContext<'_>) -> Result<()>;

impl TypeContext<'_> {
    /// Checks that a type is a record with these fields.
    ///
    /// # Errors
    ///
    /// What is different.
    pub fn check_record(&self, ty: InterfaceType, fields: &[(&str, Check)]) -> Result<()> {
        let Some(Defined::Record(actual)) = self.defined(ty) else {
            return Err(Error::msg("expected a record"));
        };
        check_names("field", actual.iter().map(|(name, _)| &**name), fields.iter().map(|f| f.0))?;
        for ((_, ty), (name, check)) in actual.iter().zip(fields) {
            check(*ty, self).map_err(|error| in_part("field", name, &error))?;
        }
        Ok(())
    }

    /// Checks that a type is a tuple of these parts.
    pub(super) fn check_tuple(&self, ty: InterfaceType, parts: &[Check]) -> Result<()> {
        let types = self.tuple_types(ty)?;
        if types.len() != parts.len() {
            let (expected, found) = (parts.len(), types.len());
            return Err(Error::msg(format!(
                "type mismatch: expected {expected} values, found {found}"
            )));
        }
        types.iter().zip(parts).try_for_each(|(ty, check)| check(*ty, self))
    }

    /// Checks that a type is a result. A payload for which there is no check is not there.
    pub(super) fn check_result(
        &self,
        ty: InterfaceType,
        checks: [(&str, Check, bool); 2],
    ) -> Result<()> {
        let Some(Defined::Result { ok, err }) = self.defined(ty) else {
            return Err(mismatch("result", ty, self));
        };
        for (ty, (case, check, is_unit)) in [ok, err].into_iter().zip(checks) {
            match ty {
                Some(ty) => check(*ty, self)?,
                None if is_unit => {}
                None => {
                    return Err(Error::msg(format!("type mismatch: expected no `{case}` type")));
                }
            }
        }
        Ok(())
    }

    /// Checks that a type is a variant with these cases.
    ///
    /// # Errors
    ///
    /// What is different.
    pub fn check_variant(&self, ty: InterfaceType, cases: &[(&str, Option<Check>)]) -> Result<()> {
        let Some(Defined::Variant(actual)) = self.defined(ty) else {
            return Err(Error::msg("expected a variant"));
        };
        check_names("case", actual.iter().map(|(name, _)| &**name), cases.iter().map(|c| c.0))?;
        for ((_, ty), (name, check)) in actual.iter().zip(cases) {
            match (ty, check) {
                (Some(ty), Some(check)) => {
                    check(*ty, self).map_err(|error| in_part("case", name, &error))?;
                }
                (None, None) => {}
                (Some(_), None) => {
                    return Err(Error::msg(format!("case '{name}' has a payload")));
                }
                (None, Some(_)) => {
                    return Err(Error::msg(format!("case '{name}' has no payload")));
                }
            }
        }
        Ok(())
    }

    /// Checks that a type is an enum with these names.
    ///
    /// # Errors
    ///
    /// What is different.
    pub fn check_enum(&self, ty: InterfaceType, names: &[&str]) -> Result<()> {
        let Some(Defined::Enum(actual)) = self.defined(ty) else {
            return Err(Error::msg("expected an enum"));
        };
        check_names("case", actual.iter().map(|name| &**name), names.iter().copied())
    }

    /// Checks that a type is flags of these names.
    ///
    /// # Errors
    ///
    /// What is different.
    pub fn check_flags(&self, ty: InterfaceType, names: &[&str]) -> Result<()> {
        let Some(Defined::Flags(actual)) = self.defined(ty) else {
            return Err(Error::msg("expected flags"));
        };
        check_names("flag", actual.iter().map(|name| &**name), names.iter().copied())
    }

    pub(super) fn defined(&self, ty: InterfaceType) -> Option<&Defined> {
        match ty {
            InterfaceType::Defined(index) => Some(&self.types[index]),
            _ => None,
        }
    }

    /// Type and place of a field, an element of a tuple, or a case's payload.
    pub(super) fn part(
        &self,
        ty: InterfaceType,
        at: Place,
        index: usize,
    ) -> Result<(InterfaceType, Place)> {
        let part = match self.defined(ty) {
            Some(Defined::Record(fields)) => fields.get(index).map(|(_, ty)| *ty),
            Some(Defined::Tuple(types)) => types.get(index).copied(),
            Some(Defined::Variant(cases)) => cases.get(index).and_then(|(_, ty)| *ty),
            Some(Defined::Option(some)) => (index == 1).then_some(*some),
            Some(Defined::Result { ok, err }) => match index {
                0 => *ok,
                1 => *err,
                _ => None,
            },
            Some(
                Defined::Enum(_)
                | Defined::Flags(_)
                | Defined::List(_)
                | Defined::FixedList(..)
                | Defined::Map(..)
                | Defined::Stream(_)
                | Defined::Future(_),
            )
            | None => None,
        };
        let part = part.ok_or_else(unexpected)?;
        let layout = self.layout(ty)?;
        Ok((part, at.part(*layout.parts.get(index).ok_or_else(unexpected)?)))
    }

    pub(super) fn layout(&self, ty: InterfaceType) -> Result<&Layout> {
        match ty {
            InterfaceType::Defined(index) => Ok(self.types.layout(index)),
            _ => Err(unexpected()),
        }
    }

    /// How many cases there are.
    fn cases(&self, ty: InterfaceType) -> Result<u32> {
        match self.defined(ty) {
            Some(Defined::Variant(cases)) => Ok(cases.len() as u32),
            Some(Defined::Enum(names)) => Ok(names.len() as u32),
            Some(Defined::Option(_) | Defined::Result { .. }) => Ok(2),
            _ => Err(unexpected()),
        }
    }

    /// Where a word of flags lies, the bytes it has there, and which of its bits mean
    /// something.
    pub(super) fn flag_word(
        &self,
        ty: InterfaceType,
        at: Place,
        word: usize,
    ) -> Result<(Place, usize, u32)> {
        let Some(Defined::Flags(names)) = self.defined(ty) else { return Err(unexpected()) };
        let size = self.layout(ty)?.discriminant as usize;
        let left = names.len().checked_sub(32 * word).ok_or_else(unexpected)?;
        let mask = if left >= 32 { u32::MAX } else { (1 << left) - 1 };
        let at = match at {
            Place::Flat(slot) => Place::Flat(slot + word),
            Place::Memory(address) => Place::Memory(address + word * size),
        };
        Ok((at, size, mask))
    }
}

#[cold]
fn in_part(what: &str, name: &str, error: &Error) -> Error {
    Error::msg(format!("{what} '{name}': {error}"))
}

/// Checks that names are the expected ones, in their order.
fn check_names<'a>(
    what: &str,
    actual: impl ExactSizeIterator<Item = &'a str>,
    expected: impl ExactSizeIterator<Item = &'a str>,
) -> Result<()> {
    if actual.len() != expected.len() {
        let (expected, actual) = (expected.len(), actual.len());
        return Err(Error::msg(format!("expected {expected} {what}s, found {actual}")));
    }
    for (actual, expected) in actual.zip(expected) {
        if actual != expected {
            return Err(Error::msg(format!("expected {what} '{expected}', found '{actual}'")));
        }
    }
    Ok(())
}

impl LiftContext<'_> {
    /// Reads a field, an element of a tuple, or the payload of a case, of a value.
    ///
    /// # Errors
    ///
    /// If the type has no such part, and as [`Lift::lift`].
    pub fn lift_part<T: Lift>(&mut self, ty: InterfaceType, at: Place, index: usize) -> Result<T> {
        let (ty, at) = self.cx.part(ty, at, index)?;
        T::lift(self, ty, at)
    }

    /// Which case a variant, enum, option or result is.
    ///
    /// # Errors
    ///
    /// If it is none.
    pub fn case(&self, ty: InterfaceType, at: Place) -> Result<usize> {
        let cases = self.cx.cases(ty)?;
        let case = self.word(at, self.cx.layout(ty)?.discriminant as usize)?;
        match case < cases {
            true => Ok(case as usize),
            false => Err(super::lift::no_case(case, cases)),
        }
    }

    /// A word of 32 flags, or of how many there are. Bits that mean none are zero.
    ///
    /// # Errors
    ///
    /// If the type is no flags or has no such word.
    pub fn flags(&self, ty: InterfaceType, at: Place, word: usize) -> Result<u32> {
        let (at, size, mask) = self.cx.flag_word(ty, at, word)?;
        Ok(self.word(at, size)? & mask)
    }

    /// So many bytes as a number.
    pub(super) fn word(&self, at: Place, size: usize) -> Result<u32> {
        match at {
            Place::Flat(slot) => Ok(*self.slots.get(slot).ok_or_else(unexpected)? as u32),
            Place::Memory(_) => {
                let bytes = match size {
                    1 => self.get::<1>(at)?[0].into(),
                    2 => u16::from_le_bytes(self.get(at)?).into(),
                    _ => u32::from_le_bytes(self.get(at)?),
                };
                Ok(bytes)
            }
        }
    }
}

impl LowerContext<'_> {
    /// Writes a field, an element of a tuple, or the payload of a case, of a value.
    ///
    /// # Errors
    ///
    /// If the type has no such part, and as [`Lower::lower`].
    pub fn lower_part<T: Lower + ?Sized>(
        &mut self,
        ty: InterfaceType,
        at: Place,
        index: usize,
        value: &T,
    ) -> Result<()> {
        let (ty, at) = self.cx.part(ty, at, index)?;
        value.lower(self, ty, at)
    }

    /// Writes which case a variant, enum, option or result is. The payload is to be
    /// written after it.
    ///
    /// # Errors
    ///
    /// If the type has no cases.
    pub fn set_case(&mut self, ty: InterfaceType, at: Place, case: usize) -> Result<()> {
        let layout = self.cx.layout(ty)?;
        if let Place::Flat(slot) = at {
            // Another case may have more core values than this one.
            let end = slot + layout.flat as usize;
            self.slots.get_mut(slot..end).ok_or_else(unexpected)?.fill(0);
        }
        self.set_word(at, layout.discriminant as usize, case as u32)
    }

    /// Writes a word of 32 flags, or of how many there are.
    ///
    /// # Errors
    ///
    /// If the type is no flags or has no such word.
    pub fn set_flags(
        &mut self,
        ty: InterfaceType,
        at: Place,
        word: usize,
        bits: u32,
    ) -> Result<()> {
        let (at, size, mask) = self.cx.flag_word(ty, at, word)?;
        self.set_word(at, size, bits & mask)
    }

    pub(super) fn set_word(&mut self, at: Place, size: usize, word: u32) -> Result<()> {
        match size {
            1 => self.put(at, word.into(), [word as u8]),
            2 => self.put(at, word.into(), (word as u16).to_le_bytes()),
            _ => self.put(at, word.into(), word.to_le_bytes()),
        }
    }
}
