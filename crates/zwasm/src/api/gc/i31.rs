//! Integers that are references.

use std::fmt::{self, Debug, Formatter};

use zwasm_regir::object::{I31_SHIFT, i31};

/// An integer of 31 bits, which a reference can be.
///
/// ```
/// use zwasm::I31;
/// assert_eq!(I31::wrapping_i32(-1).get_u32(), 0x7FFF_FFFF);
/// assert_eq!(I31::new_u32(1 << 31), None);
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct I31(u32);

const MASK: u32 = u32::MAX >> 1;

impl I31 {
    /// The integer, if it fits without a sign.
    pub fn new_u32(value: u32) -> Option<I31> {
        (value <= MASK).then_some(I31(value))
    }

    /// The integer, if it fits with a sign.
    pub fn new_i32(value: i32) -> Option<I31> {
        let wrapped = I31::wrapping_i32(value);
        (wrapped.get_i32() == value).then_some(wrapped)
    }

    /// The lower 31 bits.
    pub fn wrapping_u32(value: u32) -> I31 {
        I31(value & MASK)
    }

    /// The lower 31 bits.
    pub fn wrapping_i32(value: i32) -> I31 {
        I31::wrapping_u32(value as u32)
    }

    /// The integer without a sign.
    pub fn get_u32(&self) -> u32 {
        self.0
    }

    /// The integer with a sign.
    pub fn get_i32(&self) -> i32 {
        (self.0 << 1) as i32 >> 1
    }

    /// The reference.
    pub(crate) fn reference(self) -> u64 {
        i31(self.0).into()
    }

    /// The integer that a reference is which is one.
    pub(crate) fn of(reference: u64) -> I31 {
        I31(reference as u32 >> I31_SHIFT)
    }
}

impl Debug for I31 {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("I31")
            .field("as_u32", &self.get_u32())
            .field("as_i32", &self.get_i32())
            .finish()
    }
}
