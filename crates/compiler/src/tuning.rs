//! Every tuning constant of the compilers, with the reason for its value.

/// Instructions that are compiled, or loops looked at, before the environment is asked
/// whether to give up: a fraction of a millisecond.
pub(crate) const UNASKED: usize = 1024;

/// Instructions that may be left to their handlers because they find no register. Each takes
/// another attempt at the whole function, so more would cost the square of its size.
pub(crate) const BY_HANDLER: usize = 8;

/// Bytes that code behind a function takes at least for each piece of it; more pieces
/// than that allows are too many.
pub(crate) const LATE_BYTES: usize = 8;

/// Bytes that a jump may lead over to be thought short, by what instructions take as a rule.
/// Where that is wrong the function is compiled again, which hardly any is.
pub(crate) const NEAR_BYTES: usize = 100;

/// Instructions that are looked at for that.
pub(crate) const NEAR_INSTS: usize = 24;

/// Values that are moved behind a branch that is not taken, for the jump over that to be
/// thought short.
pub(crate) const MOVES_NEAR: usize = 8;

/// Traps of the same kind that share the code that raises it: so many are within reach of
/// short jumps.
pub(crate) const TRAPS: usize = 12;

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

/// Bytes of a `memory.copy` or `memory.fill` of constant length that are moved inline: eight
/// vectors, which have to be in registers at once.
pub(crate) const BULK_INLINE_BYTES: u32 = 128;

/// Slots that a branch, return or tail call moves with instructions for each; more, and
/// a loop moves them: a few bytes of a function may move two thousand.
pub(crate) const MOVES_INLINE: u32 = 32;

/// Slots that are cleared with instructions for each two; more, and a loop clears them.
pub(crate) const CLEARS_INLINE: u32 = 64;

/// Bytes of a structure that are cleared inline, as of an array.
pub(crate) const STRUCT_INLINE_BYTES: u32 = 256;

/// The alignment of the headers of innermost loops.
pub(crate) const LOOP_ALIGN: usize = 16;

/// Rules that are applied to an instruction, one after the other, before it stays as it is.
#[cfg(feature = "optimize")]
pub(crate) const SIMPLER: usize = 8;

/// Values that are looked at for a byte swap: one of 64 bits is made of some thirty.
#[cfg(feature = "optimize")]
pub(crate) const SWAP_STEPS: u32 = 48;

/// Terms of a sum that are looked at for a product of 128 bits: a product takes 4 with
/// what is added to it by the usual function.
#[cfg(feature = "optimize")]
pub(crate) const SUM_TERMS: usize = 12;

/// Bytes of the longest access.
pub(crate) const ACCESS_BYTES: u64 = 16;

/// Entries of a hash table with the same hash that are compared: more are none but by
/// intent.
#[cfg(feature = "optimize")]
pub(crate) const SAME_HASH: usize = 32;

/// Places whose contents are remembered at once. All are compared at each store and where
/// paths meet; few programs have more that are read again.
#[cfg(feature = "optimize")]
pub(crate) const PLACES: usize = 32;

/// Fields of a structure that is taken apart: more would live as values than there are
/// registers.
#[cfg(feature = "optimize")]
pub(crate) const OBJECT_FIELDS: usize = 16;

/// Blocks that are walked for each field that is written of structures that are taken apart,
/// all together: each structure walks what its block dominates.
#[cfg(feature = "optimize")]
pub(crate) const OBJECT_WORK: usize = 1 << 14;

/// Times that structures are looked for which can be taken apart: how deep those are in each
/// other that are made of several.
#[cfg(feature = "optimize")]
pub(crate) const OBJECT_ROUNDS: usize = 4;

/// Parts that a loop changes, beyond which it is taken to change everything.
#[cfg(feature = "optimize")]
pub(crate) const LOOP_PARTS: usize = 16;

/// Times that parameters are looked at for such as are always the same.
#[cfg(feature = "optimize")]
pub(crate) const PARAM_ROUNDS: usize = 2;

/// Blocks that an edge is sent past, one after the other.
#[cfg(feature = "optimize")]
pub(crate) const THREAD_STEPS: usize = 4;

/// Parameters of a block that edges are sent past; each edge looks at all.
#[cfg(feature = "optimize")]
pub(crate) const THREAD_PARAMS: usize = 8;

/// Places remembered for all blocks that others have yet to look at: a few megabytes.
#[cfg(feature = "optimize")]
pub(crate) const PLACES_KEPT: usize = 1 << 15;

/// Machine instructions that a function may become before it is left where it is: beyond,
/// registers take too long to allocate.
#[cfg(feature = "optimize")]
pub(crate) const MAX_MACHINE_INSTS: usize = 1 << 16;

/// Machine instructions of a function after which memory for allocating registers is given
/// back: a megabyte or two stay.
#[cfg(feature = "optimize")]
pub(crate) const KEPT_MACHINE_INSTS: usize = 1 << 12;

/// Values that live at the same time, summed over the instructions of a function: a few
/// hundred everywhere in the largest, or a few thousand in a small one. What the guest has
/// live at once, the allocator compares each with each.
#[cfg(feature = "optimize")]
pub(crate) const MAX_LIVES: u64 = 1 << 24;

/// Values that the allocator of registers puts together, summed over the times that it puts
/// one more to them: a tenth of a second. CPython and QuickJS have no function with a
/// quarter of that.
#[cfg(feature = "optimize")]
pub(crate) const MAX_MERGES: u64 = 1 << 22;

/// Bytes of a frame that a function may have without looking whether the stack has room,
/// if it calls nothing: a small part of the reserve.
#[cfg(feature = "optimize")]
pub(crate) const UNCHECKED_FRAME: i32 = 4096;

/// Slots of a scratch frame that the reserve of the value stack has room for in any case.
#[cfg(feature = "optimize")]
pub const MAX_SCRATCH_SLOTS: u32 = 2000;

/// Instructions and targets of tables of a function that is optimized: what has more becomes
/// too many machine instructions, and would take a gigabyte before that is known.
#[cfg(feature = "optimize")]
pub(crate) const SSA_INSTS: usize = 4 * MAX_MACHINE_INSTS;

/// Writes to slots of a function that is optimized: some hundred megabytes of what is kept
/// about them.
#[cfg(feature = "optimize")]
pub(crate) const SSA_WRITES: usize = 1 << 22;

/// Values that edges of a function may pass: their number is that of variables times that
/// of edges where a guest wants it.
#[cfg(feature = "optimize")]
pub(crate) const SSA_PASSED: usize = 1 << 21;

/// Blocks of clauses: each call has one for each clause around it.
#[cfg(feature = "optimize")]
pub(crate) const SSA_LANDINGS: usize = 1 << 16;

/// How many times the instructions of a function on-stack replacement may build: once for
/// each loop around the one that it enters, and once more.
#[cfg(feature = "optimize")]
pub(crate) const OSR_COPIES: usize = 4;

/// Copies that are looked through for a type, where any of two will do.
#[cfg(feature = "optimize")]
pub(crate) const GUESS_STEPS: usize = 16;

/// Instructions that are executed for nothing, on one of two ways, so that a branch becomes
/// a selection: fewer than a branch that is foreseen costs, with its share of those that are
/// not.
#[cfg(feature = "optimize")]
pub(crate) const CHOICE_INSTS: usize = 2;

/// Cases of a table that become branches, one after the other: as many as take no longer than
/// the way through the table, and half of them are decided sooner.
#[cfg(feature = "optimize")]
pub(crate) const TABLE_CASES: usize = 4;

/// Values that a loop reads from outside and has copies of: as many as there are registers.
#[cfg(feature = "optimize")]
pub(crate) const LOOP_COPIES: usize = 24;

/// The alignment of the headers of innermost loops of optimized code: processors fetch
/// 32 bytes at once.
#[cfg(feature = "optimize")]
pub(crate) const WIDE_LOOP_ALIGN: usize = 32;

/// What processors keep decoded instructions by. A loop that lies in one such line takes
/// a cycle less a round than one that lies in two: 1.7 times the time, for five
/// instructions.
#[cfg(feature = "optimize")]
pub(crate) const CODE_LINE: usize = 64;

/// Instructions that fit a line.
#[cfg(feature = "optimize")]
pub(crate) const SMALL_LOOP: usize = 12;

/// Instructions of a function without loops and calls that does not ask for better code: as
/// many as two ways between the worlds take.
pub(crate) const SILENT_INSTS: usize = 48;

/// What a call takes, compared with the simplest instructions: writing and reading the
/// header, the callee's check, two jumps.
pub(crate) const CALL_WEIGHT: u64 = 8;

/// The same for what a handler of the interpreter does.
pub(crate) const HANDLER_WEIGHT: u64 = 16;

/// Branches around an instruction, as a power of two of the ways there are, of which more
/// make no difference to what it is thought to cost.
pub(crate) const MAX_UNLIKELY: u32 = 6;
