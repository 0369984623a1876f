//! Reading values: from the slots of a call or from a guest's memory.
//!
//! What is read is a guest's word. Addresses of lists and strings are checked for
//! alignment and bounds before any of it is read, then all that lies within is in bounds;
//! each read checks again, which costs nothing beside the rest and leaves no way to panic.
//!
//! Specification: Canonical ABI, "Loading", "Flat Lifting".

use zwasm::{Error, Result};

use super::{Budget, Place, TypeContext, unexpected};
use crate::state::{Components, Options};
use crate::tuning::MAX_LIFTED;
use crate::types::{InterfaceType, Shape};

/// What lifting reads from.
pub struct LiftContext<'a> {
    pub(crate) cx: TypeContext<'a>,
    pub(crate) options: Options,
    pub(crate) slots: &'a [u64],
    pub(crate) memory: &'a [u8],
    pub(crate) state: &'a mut Components,
    pub(crate) budget: Budget,
}

/// A discriminant that no case has.
#[cold]
pub(super) fn no_case(case: u32, cases: u32) -> Error {
    Error::trap_msg(format_args!("invalid variant discriminant {case}, there are {cases} cases"))
}

/// A character from its number.
pub(super) fn character(number: u32) -> Result<char> {
    char::from_u32(number)
        .ok_or_else(|| Error::trap_msg(format_args!("invalid `char` bit pattern {number:#x}")))
}

impl<'a> LiftContext<'a> {
    pub(crate) fn new(
        cx: TypeContext<'a>,
        options: Options,
        slots: &'a [u64],
        (memory, state): (&'a mut [u8], &'a mut Components),
    ) -> LiftContext<'a> {
        LiftContext { cx, options, slots, memory, state, budget: Budget::new(MAX_LIFTED) }
    }

    /// Bytes that an element of a list takes.
    pub fn size_of(&self, ty: InterfaceType) -> usize {
        self.cx.types.shape(ty).size as usize
    }

    /// The low bytes of what lies at a place.
    #[inline]
    pub(super) fn get<const N: usize>(&self, at: Place) -> Result<[u8; N]> {
        match at {
            Place::Flat(slot) => {
                let bytes = self.slots.get(slot).ok_or_else(unexpected)?.to_le_bytes();
                Ok(*bytes.first_chunk().ok_or_else(unexpected)?)
            }
            Place::Memory(address) => {
                let bytes = self.memory.get(address..).and_then(|bytes| bytes.first_chunk());
                Ok(*bytes.ok_or_else(unexpected)?)
            }
        }
    }

    /// An address and a length.
    pub(super) fn pair(&self, at: Place) -> Result<(usize, usize)> {
        let second = match at {
            Place::Flat(slot) => Place::Flat(slot + 1),
            Place::Memory(address) => Place::Memory(address + 4),
        };
        let number = |at| self.get(at).map(|bytes| u32::from_le_bytes(bytes) as usize);
        Ok((number(at)?, number(second)?))
    }

    /// Address and length of a list whose elements have a shape, checked. `size` is what
    /// an element takes of the host.
    pub(super) fn list(&mut self, at: Place, shape: Shape, size: usize) -> Result<(usize, usize)> {
        let (address, length) = self.pair(at)?;
        check_range(self.memory, address, length, shape, "list")?;
        self.budget.allocate(length, size.max(shape.size as usize))?;
        Ok((address, length))
    }

    /// The bytes of elements that lie at an address, checked.
    pub(super) fn range(
        &self,
        address: usize,
        length: usize,
        shape: Shape,
        what: &str,
    ) -> Result<&'a [u8]> {
        check_range(self.memory, address, length, shape, what)?;
        let bytes = self.memory.get(address..).unwrap_or_default();
        bytes.get(..length * shape.size as usize).ok_or_else(unexpected)
    }
}

/// Checks that elements of a shape lie in memory.
pub(crate) fn check_range(
    memory: &[u8],
    address: usize,
    length: usize,
    shape: Shape,
    what: &str,
) -> Result<()> {
    if !address.is_multiple_of(shape.align as usize) {
        return Err(Error::trap_msg(format_args!("unaligned pointer to a {what}: {address:#x}")));
    }
    // Both are below 2^32, and so is the product below 2^64.
    match address as u64 + length as u64 * u64::from(shape.size) <= memory.len() as u64 {
        true => Ok(()),
        false => Err(Error::trap_msg(format_args!(
            "{what} content out-of-bounds: {what} pointer/length out of bounds of memory"
        ))),
    }
}

/// Checks an address at which a value of so many bytes lies.
pub(crate) fn check_pointer(memory: &[u8], address: usize, size: u32, align: u32) -> Result<()> {
    if !address.is_multiple_of(align as usize) {
        return Err(Error::trap_msg(format_args!("unaligned pointer {address:#x}")));
    }
    match address as u64 + u64::from(size) <= memory.len() as u64 {
        true => Ok(()),
        false => Err(Error::trap_msg(format_args!("pointer {address:#x} out of bounds of memory"))),
    }
}
