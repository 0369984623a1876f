//! Vectors as values of embedders.

use std::fmt::{self, Debug, Formatter};

/// A 128-bit vector, lane 0 in the lowest bits.
///
/// ```
/// use zwasm::V128;
/// assert_eq!(V128::from(7u128).as_u128(), 7);
/// ```
// In halves, so that it is aligned as the other values are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct V128([u64; 2]);

impl V128 {
    /// The bits.
    pub fn as_u128(&self) -> u128 {
        u128::from(self.0[0]) << 64 | u128::from(self.0[1])
    }
}

impl From<u128> for V128 {
    fn from(bits: u128) -> V128 {
        // The upper half first, so that vectors are ordered as their bits.
        V128([(bits >> 64) as u64, bits as u64])
    }
}

impl From<V128> for u128 {
    fn from(vector: V128) -> u128 {
        vector.as_u128()
    }
}

impl Debug for V128 {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "V128({:#034x})", self.as_u128())
    }
}
