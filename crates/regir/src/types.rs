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
    crate::work::count(types.len());
    types.iter().map(|ty| ty.slots()).sum()
}

/// Calls a macro with every trap: its name here, the name of its kind for embedders, what
/// the message says (the official suite's wording where it has one), and what it means.
#[macro_export]
macro_rules! for_each_trap {
    ($callback:ident) => {
        $callback! {
            Unreachable UnreachableCodeReached "unreachable", "`unreachable` was executed.";
            MemoryOutOfBounds MemoryOutOfBounds "out of bounds memory access", "A memory access or bulk operation left its memory.";
            TableOutOfBounds TableOutOfBounds "out of bounds table access", "A table access or bulk operation left its table.";
            UndefinedElement TableOutOfBounds "undefined element", "A `call_indirect` index is beyond the table.";
            UninitializedElement IndirectCallToNull "uninitialized element", "A `call_indirect` found a null element.";
            BadSignature BadSignature "indirect call type mismatch", "A `call_indirect` found a function of another type.";
            IntegerOverflow IntegerOverflow "integer overflow", "A quotient or conversion does not fit.";
            IntegerDivisionByZero IntegerDivisionByZero "integer divide by zero", "Division or remainder by zero.";
            BadConversionToInteger BadConversionToInteger "invalid conversion to integer", "A NaN was converted to an integer.";
            StackOverflow StackOverflow "call stack exhausted", "The frames do not fit on the store's stack any more.";
            NullFunctionReference NullReference "null function reference", "A null function reference was called.";
            NullReference NullReference "null reference", "A null reference was dereferenced.";
            NullStructReference NullReference "null structure reference", "A null structure reference was dereferenced.";
            NullArrayReference NullReference "null array reference", "A null array reference was dereferenced.";
            NullI31Reference NullReference "null i31 reference", "A null `i31` reference was dereferenced.";
            ArrayOutOfBounds ArrayOutOfBounds "out of bounds array access", "An array access left its array.";
            CastFailure CastFailure "cast failure", "A reference was cast to a type that it does not have.";
            UnalignedAtomic HeapMisaligned "unaligned atomic", "An atomic access is not aligned to its size.";
            ExpectedSharedMemory AtomicWaitNonSharedMemory "expected shared memory", "A wait on a memory that no other thread can reach.";
            OutOfFuel OutOfFuel "fuel exhausted", "The fuel left does not pay for what comes next.";
            Interrupt Interrupt "interrupted", "The epoch's deadline was reached, or the store was interrupted.";
        }
    };
}

macro_rules! trap_codes {
    (
        $first:ident $_a:ident $first_message:literal, $first_doc:literal;
        $($name:ident $_b:ident $message:literal, $doc:literal;)*
    ) => {
        /// Why an op stopped the guest; numbered from 1.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum TrapCode {
            #[doc = $first_doc]
            $first = 1,
            $(#[doc = $doc] $name,)*
        }

        impl TrapCode {
            /// Every code, in the order of their numbers.
            pub const ALL: &'static [TrapCode] = &[TrapCode::$first, $(TrapCode::$name,)*];

            /// The code with this number.
            pub fn from_number(number: u64) -> Option<TrapCode> {
                TrapCode::ALL.get(usize::try_from(number).ok()?.checked_sub(1)?).copied()
            }

            /// The word with which code says that an access left this memory of its
            /// instance, if it tells its address as well.
            pub const fn access(memory: u32) -> u64 {
                TrapCode::MemoryOutOfBounds as u64 | (memory as u64 + 1) << u8::BITS
            }

            /// The memory that such a word is about.
            pub fn accessed(word: u64) -> Option<u32> {
                let is_access = word & 0xFF == TrapCode::MemoryOutOfBounds as u64;
                let memory = u32::try_from(word >> u8::BITS).ok()?.checked_sub(1)?;
                is_access.then_some(memory)
            }

            /// The official suite's wording, where it has one.
            pub fn message(self) -> &'static str {
                match self {
                    TrapCode::$first => $first_message,
                    $(TrapCode::$name => $message,)*
                }
            }
        }
    };
}
for_each_trap!(trap_codes);

#[cfg(test)]
mod tests {
    use super::TrapCode;

    #[test]
    fn trap_codes_have_their_numbers() {
        for &code in TrapCode::ALL {
            assert_eq!(TrapCode::from_number(code as u64), Some(code));
        }
        for memory in [0, 1, 99] {
            let word = TrapCode::access(memory);
            assert_eq!(
                (TrapCode::accessed(word), TrapCode::from_number(word)),
                (Some(memory), None)
            );
        }
        assert_eq!(TrapCode::accessed(TrapCode::MemoryOutOfBounds as u64), None);
        assert_eq!(TrapCode::accessed(u64::MAX), None);
        assert_eq!(TrapCode::from_number(0), None);
        assert_eq!(TrapCode::from_number(TrapCode::ALL.len() as u64 + 1), None);
    }
}
