//! What adapters trap with.

use crate::abi::UNCAUGHT;

/// Why an adapter ends, as a number in its code.
#[derive(Clone, Copy, Debug)]
#[repr(u32)]
pub(super) enum Trap {
    Leave,
    Pointer,
    Unaligned,
    Char,
    Case,
    List,
    String,
    Exception,
}

/// The words for a number, which are those of `abi` for the same.
pub(super) fn message(number: u32) -> &'static str {
    const ALL: [(Trap, &str); 8] = [
        (Trap::Leave, "cannot leave component instance"),
        (Trap::Pointer, "pointer out of bounds of memory"),
        (Trap::Unaligned, "unaligned pointer"),
        (Trap::Char, "invalid `char` bit pattern"),
        (Trap::Case, "invalid variant discriminant"),
        (Trap::List, "list content out-of-bounds"),
        (Trap::String, "string content out-of-bounds"),
        (Trap::Exception, UNCAUGHT),
    ];
    let found = ALL.iter().find(|(trap, _)| *trap as u32 == number);
    found.map_or("a value is none of its type", |(_, message)| message)
}
