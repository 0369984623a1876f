//! Every tuning constant of the compilers, with the reason for its value.

/// Instructions that are compiled, or loops looked at, before the environment is asked
/// whether to give up: a fraction of a millisecond.
pub(crate) const UNASKED: usize = 1024;

/// Instructions that may be left to their handlers because they find no register. Each takes
/// another attempt at the whole function, so more would cost the square of its size.
pub(crate) const BY_HANDLER: usize = 8;

/// Bytes that code behind a function takes at least for each piece of it; more pieces
/// than that allows are too many.
pub(crate) const LATE_BYTES: usize = 16;

/// Instructions of a loop's body that are looked at to choose what it keeps in
/// registers.
pub(crate) const LOOP_SCAN: usize = 400;

/// General registers that a loop's header leaves to what is computed in between.
pub(crate) const FREE_INTS: usize = 3;

/// Vector registers that a loop's header leaves to what is computed in between.
pub(crate) const FREE_FLOATS: usize = 4;

/// Constants that are not written to their slots yet. Branches, calls and exits look
/// at all of them, and few expressions have more.
pub(crate) const CONSTANTS: usize = 32;

/// Fields of a structure that are initialised inline; beyond, the interpreter's loop
/// does it: a few bytes of a function may fill thousands.
pub(crate) const STRUCT_INLINE_FIELDS: usize = 64;

/// Elements of an `array.new_fixed` that are written inline.
pub(crate) const ARRAY_INLINE_ELEMENTS: u32 = 16;

/// Bytes of elements up to which an array is made inline: clearing or filling more
/// takes longer than the way to the handler.
pub(crate) const ARRAY_INLINE_BYTES: u32 = 256;

/// Slots that a branch, return or tail call moves with instructions for each; more, and
/// a loop moves them: a few bytes of a function may move two thousand.
pub(crate) const MOVES_INLINE: u32 = 32;

/// Slots that are cleared with instructions for each two; more, and a loop clears them.
pub(crate) const CLEARS_INLINE: u32 = 64;

/// Bytes of a structure that are cleared inline, as of an array.
pub(crate) const STRUCT_INLINE_BYTES: u32 = 256;

/// The alignment of the headers of innermost loops.
pub(crate) const LOOP_ALIGN: usize = 16;
