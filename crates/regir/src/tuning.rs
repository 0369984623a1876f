//! The tuning constants of the translator.

/// Bytes of a body that is inlined wherever it is called: what takes the place of
/// a call is not larger than the call.
pub const INLINE_ANYWHERE: usize = 32;

/// Bytes of a body that is inlined where it is called in a loop. Larger ones do
/// enough that the call does not show.
pub const INLINE_IN_LOOP: usize = 80;

/// Bytes of bodies inlined into one function, beside as many as it has itself: a
/// bound on how much longer than its source code becomes.
pub const INLINE_BUDGET: usize = 128;

/// Calls inlined into each other. The second is for wrappers of wrappers.
pub const INLINE_DEPTH: usize = 2;

/// Slots that a function reserves for parameters and locals of what is inlined
/// into it, once something is. Frames of deep recursion grow by them.
pub const INLINE_SLOTS: u32 = 6;

/// Bytes of a body for which these slots are reserved at once. Nearly all larger ones
/// inline something, and would be translated twice to learn it.
pub const RESERVE_AT_ONCE: usize = 150;

/// For the optimizing compiler: bytes of a body that may be inlined where no loop is around
/// the call. A function that is compiled at all is hot, and most of its calls with it.
pub const PLAN_ANYWHERE: usize = 160;

/// The same for calls in loops. What is larger spends most of its time elsewhere.
pub const PLAN_IN_LOOP: usize = 480;

/// Bytes of bodies inlined into one function, at least; otherwise twice as many as it has.
pub const PLAN_BUDGET: usize = 400;

/// The same, at most: compiling takes time with every byte.
pub const PLAN_MAX_BUDGET: usize = 5000;

/// The part of a body's length that it takes from the budget if it multiplies to 128 bits:
/// one instruction and two stores are left of it.
pub const PLAN_PRODUCT: usize = 8;

/// Calls inlined into each other.
pub const PLAN_DEPTH: usize = 6;

/// How often a body may stand inside itself. Each time divides the calls that recursion
/// makes by how often it calls itself.
pub const PLAN_RECURSIONS: usize = 2;

/// A body in a loop may be so many times (as a power of two) as long as one outside to be
/// as promising.
pub const PLAN_HEAT_BITS: u32 = 2;

/// Loops around a call of which more make no difference.
pub const PLAN_MAX_HEAT: u32 = 4;

/// How many times the budget may be looked at in bodies, inlined or not.
pub const PLAN_SCANS: usize = 4;

/// Slots of parameters and locals of a body that is inlined for the optimizing compiler.
pub const PLAN_SLOTS: u32 = 64;

/// Values that a branch carries from which on they are copied by one instruction if
/// they are not where the branch wants them: a branch of a few bytes may carry a
/// thousand, and must not become as many instructions.
pub const CARRIED_ONE_BY_ONE: usize = 15;

/// Instructions and operands that are translated before the translator asks whether to
/// give up: a few ten microseconds.
pub const WORK_UNASKED: usize = 2048;

/// Bytes of a structure's fields that `struct.new` fills for the price of any
/// instruction: a store of that size takes no longer than a call. More is paid for by
/// size, as arrays are.
pub const FREE_STRUCT_BYTES: usize = 64;

/// Slots of locals that a function zeroes for the price of its entry. More are paid for
/// one by one, as bytes of bulk operations are by eights. What is inlined has fewer, so
/// that it costs what a call does.
pub const FREE_LOCAL_SLOTS: u32 = 256;

const _: () = assert!(INLINE_SLOTS <= FREE_LOCAL_SLOTS && PLAN_SLOTS <= FREE_LOCAL_SLOTS);
