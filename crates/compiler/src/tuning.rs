//! Every tuning constant of the compilers, with the reason for its value.

/// Instructions of a loop's body that are looked at to choose what it keeps in
/// registers.
pub(crate) const LOOP_SCAN: usize = 400;

/// General registers that a loop's header holds values in; the rest is for what
/// is computed in between.
pub(crate) const LOOP_INTS: usize = 7;

/// Vector registers that a loop's header holds values in.
pub(crate) const LOOP_FLOATS: usize = 11;

/// The alignment of the headers of innermost loops.
pub(crate) const LOOP_ALIGN: usize = 16;
