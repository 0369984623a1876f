//! The kinds of traps, and their words.

use std::error::Error as StdError;
use std::fmt::{self, Display, Formatter};

use super::ErrorKind;
use zwasm_regir::TrapCode;

macro_rules! traps {
    ($($name:ident $message:literal $shown:literal, $doc:literal;)*) => {
        /// The kinds of traps. They have wasmtime's names and cover what these do there; what
        /// exactly went wrong is in the words of [`Error::trap_message`](super::Error::trap_message).
        #[non_exhaustive]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Trap {
            $(#[doc = $doc] $name,)*
        }

        impl Trap {
            /// The kind in the official suite's words, where it has some.
            pub fn message(self) -> &'static str {
                match self {
                    $(Trap::$name => $message,)*
                }
            }
        }

        impl Display for Trap {
            /// The kind in wasmtime's words.
            fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
                f.write_str("wasm trap: ")?;
                f.write_str(match self {
                    $(Trap::$name => $shown,)*
                })
            }
        }
    };
}

traps! {
    UnreachableCodeReached "unreachable" "wasm `unreachable` instruction executed", "`unreachable` was executed.";
    MemoryOutOfBounds "out of bounds memory access" "out of bounds memory access", "A memory access or bulk operation left its memory.";
    TableOutOfBounds "out of bounds table access" "undefined element: out of bounds table access", "A table access, bulk operation or indirect call left its table.";
    IndirectCallToNull "uninitialized element" "uninitialized element", "An indirect call found a null element.";
    BadSignature "indirect call type mismatch" "indirect call type mismatch", "An indirect call found a function of another type.";
    IntegerOverflow "integer overflow" "integer overflow", "A quotient or conversion does not fit.";
    IntegerDivisionByZero "integer divide by zero" "integer divide by zero", "Division or remainder by zero.";
    BadConversionToInteger "invalid conversion to integer" "invalid conversion to integer", "A NaN was converted to an integer.";
    StackOverflow "call stack exhausted" "call stack exhausted", "The frames do not fit on the store's stack any more.";
    NullReference "null reference" "null reference", "A null reference was dereferenced or called.";
    ArrayOutOfBounds "out of bounds array access" "out of bounds array access", "An array access left its array.";
    CastFailure "cast failure" "cast failure", "A reference was cast to a type that it does not have.";
    AllocationTooLarge "allocation size too large" "allocation size too large", "An object has more bytes than 32 bits can count.";
    HeapMisaligned "unaligned atomic" "unaligned atomic", "An atomic access is not aligned to its size.";
    AtomicWaitNonSharedMemory "expected shared memory" "atomic wait on non-shared memory", "A wait on a memory that no other thread can reach.";
    OutOfFuel "fuel exhausted" "all fuel consumed by WebAssembly", "The fuel left does not pay for what comes next.";
    Interrupt "interrupted" "interrupt", "The epoch's deadline was reached, or the store was interrupted.";
}

impl Trap {
    /// The kind of the error that it becomes.
    pub(super) fn kind(self) -> ErrorKind {
        match self {
            Trap::StackOverflow => ErrorKind::StackOverflow,
            Trap::OutOfFuel => ErrorKind::OutOfFuel,
            Trap::Interrupt => ErrorKind::Interrupted,
            Trap::AllocationTooLarge => ErrorKind::Limit,
            _ => ErrorKind::Trap,
        }
    }
}

macro_rules! codes {
    ($($code:ident $name:ident $message:literal, $doc:literal;)*) => {
        impl Trap {
            pub(crate) fn from_code(code: TrapCode) -> Trap {
                match code {
                    $(TrapCode::$code => Trap::$name,)*
                }
            }
        }
    };
}
zwasm_regir::for_each_trap!(codes);

impl StdError for Trap {}
