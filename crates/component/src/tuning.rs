//! Limits, and numbers that were chosen by measuring.

/// How deep components may be nested, and their instantiations within each other.
pub(crate) const MAX_NESTING: usize = 100;

/// How much flattening a component may take: definitions followed, each as often as what
/// it stands in is instantiated. What tools make takes less than one for 8 bytes of the
/// component; in a small one with nested instantiations it may be more.
pub(crate) const FLATTENING_WORK: usize = 200_000;

/// So much more for each byte of the component.
pub(crate) const FLATTENING_WORK_PER_BYTE: usize = 1;

/// And no more than this in all.
pub(crate) const MAX_FLATTENING_WORK: usize = 4_000_000;

/// Handles that the instances of a store and its host have at a time, lent ones counted
/// again. A program has thousands; each takes 40 bytes of the host.
pub(crate) const MAX_HANDLES: usize = 1 << 18;

/// Bytes that the host makes of what a guest gives it in one call. Parts of a guest's
/// value may lie on each other in its memory, so that the memory's size is no limit. It
/// is wasmtime's.
pub(crate) const MAX_LIFTED: usize = 128 << 20;

/// Bytes that an allocation takes of the host besides what is asked for: what an allocator
/// keeps of it, and what it rounds a few bytes up by.
pub(crate) const ALLOCATION: usize = 32;

/// Bytes that move from guest to guest in one call, beyond the size of the memory they
/// come from: a value of which no two parts lie on each other always moves.
pub(crate) const MAX_TRANSFERRED_TWICE: usize = 128 << 20;

/// What it costs to move a value that is looked at, from guest to guest or to and from the
/// host: as much as moving so many bytes, and as many more for each byte that it takes,
/// which may be a part of its own. A part takes 30 ns, a unit of fuel is for 8 bytes.
pub(crate) const COST_PER_VALUE: u64 = 64;
pub(crate) const COST_PER_BYTE: u64 = 16;

/// Values that are moved between two looks at what may stop a guest.
pub(crate) const VALUES_AT_ONCE: usize = 1024;

/// Bytes of a string of a guest that the host encodes anew for another: it holds the
/// string and what it becomes meanwhile.
pub(crate) const MAX_ENCODED: usize = 64 << 20;

/// Entries of a host's table of resources unless it says otherwise: more than a program
/// has, less than hurts the host.
pub(crate) const MAX_TABLE_ENTRIES: usize = 1_000_000;

/// The weight that the uses of types in a component may have in all; a kilobyte of memory
/// and some microseconds for one, in the worst case, while it is validated.
pub(crate) const WEIGHT: usize = 50_000;

/// So much more for each byte of the component.
pub(crate) const WEIGHT_PER_BYTE: usize = 1;

/// And no more than this in all.
pub(crate) const MAX_WEIGHT: usize = 1_000_000;

/// Bytes of a name that are no more work than what it names.
pub(crate) const NAME_BYTES_PER_WORK: usize = 32;

/// Bytes that an error lists imports with; of what is more there is only the number.
pub(crate) const MAX_LINK_ERROR: usize = 64 << 10;

/// Payloads of a variant that an adapter between guests has code for. What has more is
/// moved by the host, which finds the case by its number.
pub(crate) const MAX_ADAPTER_CASES: usize = 16;

/// Parts of what a function with an adapter takes or gives.
pub(crate) const MAX_ADAPTER_PARTS: usize = 256;

/// Bytes of code of an adapter. What is longer has so many parts that the host moves it
/// about as fast.
pub(crate) const MAX_ADAPTER_BYTES: usize = 8 << 10;

/// Adapters that a store keeps to use again.
pub(crate) const MAX_ADAPTER_MODULES: usize = 256;

/// Turns that guests and functions of the host take, each until it waits, before whoever
/// lets them go on has its own, and the host's loop is looked into: a turn takes some hundred
/// nanoseconds and more, a look some microseconds.
pub(crate) const TURNS: usize = 64;

/// Threads that the tasks of a store have at a time, those that wait included; one takes
/// some hundred bytes, and 40 KB if it waits within its code.
pub(crate) const MAX_THREADS: usize = 1 << 15;

/// Functions and work of the host that a store has under way at a time: one takes one to two
/// kilobytes.
pub(crate) const MAX_HOST_CALLS: usize = 1 << 16;
