//! The few types the register IR knows: what a slot holds, and how an op traps.

/// The kind of a value as far as frames and registers care.
///
/// All references are one kind: they fill one slot and null is zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// A 32-bit integer, zero-extended in its slot.
    I32,
    /// A 64-bit integer.
    I64,
    /// A 32-bit float; the upper half of its slot is zero.
    F32,
    /// A 64-bit float.
    F64,
    /// A 128-bit vector in two consecutive slots, low half first.
    V128,
    /// A reference; null is zero.
    Ref,
}

impl Type {
    /// How many 8-byte slots a value of this type fills.
    pub const fn slots(self) -> u32 {
        match self {
            Type::V128 => 2,
            _ => 1,
        }
    }
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
    /// A reference to a function or an exception, as slots hold it.
    WideRef,
}

impl Storage {
    /// The kind of the value once it is in a slot.
    pub const fn kind(self) -> Type {
        match self {
            Storage::I8 | Storage::I16 | Storage::I32 => Type::I32,
            Storage::I64 => Type::I64,
            Storage::F32 => Type::F32,
            Storage::F64 => Type::F64,
            Storage::V128 => Type::V128,
            Storage::HeapRef | Storage::WideRef => Type::Ref,
        }
    }
}

/// The parameter and result kinds of a function or block.
#[derive(Clone, Copy, Debug, Default)]
pub struct Signature<'a> {
    /// Parameters, first to last.
    pub params: &'a [Type],
    /// Results, first to last.
    pub results: &'a [Type],
}

/// The number of slots a list of values fills.
pub fn slots_of(types: &[Type]) -> u32 {
    types.iter().map(|ty| ty.slots()).sum()
}

/// Why an op stopped the guest. The names follow the specification's wording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum TrapCode {
    /// `unreachable` was executed.
    Unreachable = 1,
    /// A memory access or bulk operation left its memory.
    MemoryOutOfBounds,
    /// A table access or bulk operation left its table.
    TableOutOfBounds,
    /// A `call_indirect` index is beyond the table.
    UndefinedElement,
    /// A `call_indirect` found a null element.
    UninitializedElement,
    /// A `call_indirect` found a function of another type.
    BadSignature,
    /// A quotient or conversion does not fit.
    IntegerOverflow,
    /// Division or remainder by zero.
    IntegerDivisionByZero,
    /// A NaN or infinity was converted to an integer.
    BadConversionToInteger,
    /// The frames do not fit on the store's stack any more.
    StackOverflow,
    /// A null function reference was called.
    NullFunctionReference,
    /// A null reference was dereferenced.
    NullReference,
    /// A null structure reference was dereferenced.
    NullStructReference,
    /// A null array reference was dereferenced.
    NullArrayReference,
    /// A null `i31` reference was dereferenced.
    NullI31Reference,
    /// An array access left its array.
    ArrayOutOfBounds,
    /// A reference was cast to a type that it does not have.
    CastFailure,
    /// An atomic access is not aligned to its size.
    UnalignedAtomic,
    /// A wait on a memory that no other thread can reach.
    ExpectedSharedMemory,
}
