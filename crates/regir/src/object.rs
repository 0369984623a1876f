//! How objects lie in the collected heap: what the runtime and the compilers share.
//!
//! An object is an 8-byte header and its contents. The header's first word is the
//! canonical number of the type with the kind in its low bits; the second is the
//! length of an array, or the index of a host value. Fields follow in their declared
//! order, each at its natural alignment (vectors at 8), so that a subtype's fields
//! begin like its supertype's. References into the heap and those to functions take
//! four bytes, exception references eight.
//!
//! A reference is an object's offset in the heap, which is even, or an integer of 31
//! bits beside a one.

use crate::types::Type;
use crate::work;

/// Bytes of an object's header.
pub const HEADER: usize = 8;

/// The byte of the header at which an array's length is.
pub const LENGTH: usize = 4;

/// Objects start at multiples of this and are followed by others at once; a bit of a side
/// table says where.
pub const GRANULE: usize = 8;

/// The words that are read of a display: types have fewer supertypes, those of valid
/// modules and so all that are defined.
pub const DISPLAY: usize = 64;

/// What an object is: the low bits of the header's first word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Kind {
    /// A structure.
    Struct = 0,
    /// An array.
    Array = 1,
    /// A value of the host.
    Extern = 2,
}

/// How many bits of a header's first word hold the kind; above it is the type's number.
pub const KIND_BITS: u32 = 2;

/// These bits.
pub const KIND: u32 = (1 << KIND_BITS) - 1;

/// The first header word of a host value.
pub const EXTERN_WORD: u32 = Kind::Extern as u32;

/// The first header word of objects of the type with this number.
#[inline(always)]
pub const fn word(number: u32, kind: Kind) -> u32 {
    number << KIND_BITS | kind as u32
}

/// The number of the type in a header's first word.
#[inline(always)]
pub const fn number(word: u32) -> u32 {
    word >> KIND_BITS
}

/// Whether a header's first word is that of an object of a kind.
#[inline(always)]
pub const fn is_kind(word: u32, kind: Kind) -> bool {
    word & KIND == kind as u32
}

/// The bit that tells an integer from an object, and from null.
pub const I31: u32 = 1;

/// How far an integer lies above the lowest bit of a reference.
pub const I31_SHIFT: u32 = 1;

/// The reference that is an integer; its highest bit is dropped.
#[inline(always)]
pub const fn i31(value: u32) -> u32 {
    value << I31_SHIFT | I31
}

/// Whether a reference is an integer.
#[inline(always)]
pub const fn is_i31(reference: u32) -> bool {
    reference & I31 != 0
}

/// What a field of a structure or an element of an array holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Storage {
    /// Eight bits of an `i32`.
    I8,
    /// Sixteen bits of an `i32`.
    I16,
    /// A 32-bit integer.
    I32,
    /// A 64-bit integer.
    I64,
    /// A 32-bit float.
    F32,
    /// A 64-bit float.
    F64,
    /// A vector.
    V128,
    /// A reference into the collected heap, 32 bits wide.
    HeapRef,
    /// The number of a function, 32 bits wide.
    FuncRef,
    /// A reference to an exception, as slots hold it.
    WideRef,
}

impl Storage {
    /// Bytes of a field or element.
    pub const fn size(self) -> usize {
        match self {
            Storage::I8 => 1,
            Storage::I16 => 2,
            Storage::I32 | Storage::F32 | Storage::HeapRef | Storage::FuncRef => 4,
            Storage::I64 | Storage::F64 | Storage::WideRef => 8,
            Storage::V128 => 16,
        }
    }

    /// The logarithm of the bytes.
    pub const fn scale(self) -> u32 {
        self.size().trailing_zeros()
    }

    /// The kind of the value once it is in a slot.
    pub const fn kind(self) -> Type {
        match self {
            Storage::I8 | Storage::I16 | Storage::I32 => Type::I32,
            Storage::I64 => Type::I64,
            Storage::F32 => Type::F32,
            Storage::F64 => Type::F64,
            Storage::V128 => Type::V128,
            Storage::HeapRef | Storage::FuncRef | Storage::WideRef => Type::Ref,
        }
    }
}

/// The offset of each field from the object's start, and the object's size.
pub fn struct_layout(fields: &[Storage]) -> (Vec<u32>, usize) {
    let mut at = HEADER;
    let mut offsets = Vec::with_capacity(fields.len());
    work::count(fields.len());
    for &field in fields {
        let size = field.size();
        at = at.next_multiple_of(size.min(8));
        offsets.push(at as u32);
        at += size;
    }
    (offsets, at)
}

/// Bytes of an array of so many elements.
pub const fn array_size(element: Storage, length: u32) -> u64 {
    HEADER as u64 + length as u64 * element.size() as u64
}

/// The offset of an array's element in the heap, less that of the first in the array.
///
/// The sum is cut to 32 bits. That changes no element of an array; but the length that
/// the index was compared with is the guest's to write, should it ever forge a
/// reference, and then this still leads to its own objects.
#[inline(always)]
pub const fn element_offset(reference: u32, index: u32, size: usize) -> u32 {
    reference.wrapping_add(index.wrapping_mul(size as u32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_aligned_and_in_order() {
        let fields = [Storage::I8, Storage::I16, Storage::HeapRef, Storage::I8, Storage::V128];
        assert_eq!(struct_layout(&fields), (vec![8, 10, 12, 16, 24], 40));
        assert_eq!(struct_layout(&[]), (vec![], HEADER));
        assert_eq!(struct_layout(&[Storage::I32, Storage::HeapRef]), (vec![8, 12], 16));
    }
}
