//! Every tuning constant, with the reason for its value.

/// Numbers of types that are gone which rest before one is given to another type: a
/// host that still names one of the latest by its number is told so.
pub(crate) const RESTING_TYPES: usize = 4096;

/// Bytes of a store's value stack unless configured. A frame of a simple
/// recursive function takes 8 to 20 slots, so this holds 100,000 of them and
/// more; pages are touched only as they are used.
pub(crate) const DEFAULT_MAX_STACK: usize = 16 << 20;

/// The smallest value stack that can be configured: one frame of the largest
/// signature fits.
pub(crate) const MIN_MAX_STACK: usize = 64 << 10;

/// The largest value stack that `Config::max_wasm_stack` sets, where other engines take
/// "no limit" for an answer.
pub(crate) const MAX_WASM_STACK: usize = 1 << 30;

/// The part of the value stack kept back from the limit that calls compare
/// with, for the header and arguments a tail call writes before its check.
pub(crate) const VALUE_STACK_RESERVE: usize = 32 << 10;

/// Bytes of native stack that host functions find free when they are called.
pub(crate) const HOST_STACK_RESERVE: usize = 512 << 10;

/// Bytes of a store's native stack: the reserve, and room for a few hundred
/// host functions that call back into the guest. With optimized code there are as many
/// more as the value stack has, which are not touched before they are used.
pub(crate) const NATIVE_STACK: usize = 2 << 20;

/// Bytes for values on the stack of a fiber, if that of a store has as many: as much as other
/// engines give a call that can wait. Frames are the guest's, so there is no less native stack.
pub(crate) const FIBER_VALUE_STACK: usize = 1 << 20;

/// Bytes of a fiber's native stack besides those for optimized code: the reserve, and as much
/// again for what calls back into the guest.
pub(crate) const FIBER_NATIVE_STACK: usize = 2 * HOST_STACK_RESERVE;

/// Bytes at the start of each part of a fiber's stack that stay in memory meanwhile.
pub(crate) const FIBER_STACK_KEPT: usize = 64 << 10;

/// Stacks of fibers that an engine keeps: a server's calls that wait come and go in
/// hundreds, and mapping a stack takes longer than most of them run.
pub(crate) const WARM_FIBERS: usize = 256;

/// Bytes of the largest file read as a module. The largest programs compiled to
/// WebAssembly have tens of megabytes.
pub(crate) const MAX_MODULE_BYTES: u64 = 512 << 20;

/// Bytes of modules of which so much is left on the heap when they are dropped that looking for
/// it, which takes a millisecond, is worth it.
pub(crate) const LARGE_MODULE: usize = 4 << 20;

/// Operands that a function may have on its stack: no function has more whose
/// instructions have one result each, for its 7.6 MB at most are two bytes for each.
pub(crate) const MAX_OPERANDS: u32 = 4 << 20;

/// Bytes of a body after which validation asks whether to give up: well below a
/// millisecond, and so many instructions that asking costs nothing.
pub(crate) const VALIDATION_PIECE: u64 = 16 << 10;

/// Code sections above this many bytes are validated by several threads; below
/// it, starting a thread costs more than it saves.
pub(crate) const PARALLEL_VALIDATION_BYTES: usize = 512 << 10;

/// Bytes behind the 4 GiB that a 32-bit index reaches which cannot be accessed
/// either. Offsets up to this size need no check in compiled code, and hardly any
/// is larger; covering all of them would take another 4 GiB.
pub(crate) const MEMORY32_GUARD: usize = 32 << 20;

/// Address space reserved for a 32-bit memory with guard pages.
pub(crate) const MEMORY32_RESERVATION: usize = (4 << 30) + MEMORY32_GUARD;

/// Memories with such reservations that the process has at most: twice as many mappings are a
/// quarter of what Linux gives a process, and their addresses a quarter of all. Memories
/// beyond have no guard pages.
pub(crate) const MAX_ROOMS: usize = 8192;

/// Stacks, and memories with guard pages, that an engine keeps of each when stores give them
/// back: more than threads make and drop stores at the same time.
pub(crate) const WARM: usize = 16;

/// Bytes where the value stack and the native stack begin that stay in memory meanwhile: what
/// most calls use, host functions included.
pub(crate) const STACK_KEPT: usize = 64 << 10;

/// How often a stack is given back between two times that memory which deep frames may have
/// used goes back to the system without a sign of them: asking takes a microsecond and more.
pub(crate) const SHED_EVERY: u32 = 64;

/// Bytes of a memory that nobody uses which stay, if it is known which of them a guest has used:
/// the answer to a request of a server takes 40 to 200 KiB.
pub(crate) const MEMORY_KEPT: usize = 256 << 10;

/// Bytes at the start of a memory that stay if that is not known: setting them to zero takes
/// half a microsecond, giving them back and having each page again three times as long.
pub(crate) const MEMORY_KEPT_BLINDLY: usize = 64 << 10;

/// Memories that an engine clears before it looks for used pages: being sure of the answers
/// takes as long as clearing a few.
pub(crate) const CLEARED_BLINDLY: usize = 4;

/// Bytes from the start of a memory among which it is looked for used ones: asking for a page
/// takes 5 to 10 nanoseconds, and those of large memories that are used are seldom few.
#[cfg(all(compiler, target_os = "linux"))]
pub(crate) const MEMORY_LOOKED_AT: usize = 4 << 20;

/// Bytes of data from which on memories share an image of it: writing less takes no longer
/// than mapping, and than the faults at which pages are copied.
pub(crate) const MIN_IMAGE: usize = 128 << 10;

/// How many times as long as the data an image is at most, which is written in full.
pub(crate) const IMAGE_SHARE: usize = 4;

/// Images that the process has at most: each is an open file.
pub(crate) const MAX_IMAGES: usize = 100;

/// Stores that keep a stack between calls. Those that come later borrow one for each call,
/// which takes a fraction of a microsecond.
pub(crate) const IDLE_STACKS: usize = 64;

/// Instances that a store has at most which borrows a stack for each call: each of them is
/// told where that ends.
pub(crate) const RESTING_INSTANCES: usize = 16;

/// Sizes of memories that lie many to a mapping: whatever is larger has hardly more to gain.
pub(crate) const SMALLEST_CELL: usize = 4 << 10;
pub(crate) const LARGEST_CELL: usize = 2 << 20;

/// Bytes of such a mapping, which takes memory only as it is touched.
pub(crate) const ARENA: usize = 16 << 20;

/// Address space a shared memory takes at most: it cannot move, so this is what a
/// 64-bit one with a larger maximum can grow to.
#[cfg(feature = "threads")]
pub(crate) const MAX_SHARED_RESERVATION: u64 = 64 << 30;

/// Elements a table may have unless configured.
pub(crate) const MAX_TABLE_ELEMENTS: u64 = 10_000_000;

/// Bytes that are allocated between two collections at least: less, and small
/// heaps would be collected all the time; more, and they would leave the cache.
pub(crate) const MIN_GC_BUDGET: usize = 4 << 20;

/// A collection that is made for want of room is in vain if it frees less than this share of
/// what it keeps, and less than this share of the heap is free: and so many in a row may be.
/// A heap that is next to full would be looked through for every few objects.
pub(crate) const GC_WORTH_SHARE: usize = 64;
pub(crate) const GC_VAIN: u32 = 8;

/// Bytes of tables, segments and the stack that are looked through for each byte that is
/// allocated until the next collection: reading four takes no longer than allocating
/// one, and a guest with large tables has a heap larger by a quarter of them.
pub(crate) const GC_SCAN_SHARE: usize = 4;

/// Bytes that a bulk operation moves for a unit of fuel: as many as the largest
/// scalar store, so that a copy by instructions is never the cheaper one.
pub(crate) const BYTES_PER_FUEL: u64 = 8;

/// Bytes that a bulk operation moves before it looks whether it should stop; on
/// fresh pages that takes a fraction of a millisecond.
pub(crate) const BULK_PIECE: usize = 1 << 20;

/// Frames and catch clauses that the search for a handler looks at before it asks whether the
/// guest should stop: a fraction of a millisecond.
pub(crate) const SEARCH_STEPS: usize = 1 << 16;

/// Clauses at a place that are looked at again in each frame there: to remember that none of
/// them catches takes as long.
pub(crate) const FEW_CLAUSES: usize = 32;

/// Fields of a structure whose places are part of the instruction that makes it: of
/// those with more, only operands that a few bytes leave can be that many.
pub(crate) const INLINE_FIELDS: usize = 64;

/// Bytes by which the heap of objects asks a limiter to grow at a time, at least.
pub(crate) const HEAP_STEP: usize = 1 << 20;

/// Frames a backtrace keeps.
pub(crate) const MAX_BACKTRACE_FRAMES: usize = 64;

/// How often a translator may ask whether to give up while the offsets of a backtrace
/// are looked for, all frames together: some ten million instructions, which no
/// program has in the functions of one backtrace, take a fraction of a second.
pub(crate) const BACKTRACE_WORK: usize = 8192;

/// Slots of a frame that are kept for a core dump. Most functions have fewer than a hundred; of
/// the ones that have thousands a dump tells the first.
pub(crate) const DUMPED_SLOTS: usize = 1024;

/// How many answers are tried while lines of source are looked for. Of sensible debugging
/// information each place has one; a guest's may say that all of it belongs to every line.
#[cfg(feature = "addr2line")]
pub(crate) const LINE_WORK: usize = 1 << 20;

/// Bytes of exceptions before those nothing refers to are looked for; enough
/// that a throw's share of looking through a shallow stack is small.
pub(crate) const MIN_EXCEPTION_BYTES: usize = 256 << 10;

/// Bytes that are looked through for each byte of exceptions that are made until the
/// next time: reading a word takes a fraction of the time of making an exception.
pub(crate) const EXCEPTION_SCAN_SHARE: usize = 16;

/// Bytes that the exceptions in use may take.
pub(crate) const MAX_EXCEPTION_BYTES: usize = 256 << 20;

/// How often a guest that waits on a memory looks whether its deadline is reached: an
/// epoch wakes nobody when it starts.
#[cfg(feature = "threads")]
pub(crate) const WAIT_LOOK: std::time::Duration = std::time::Duration::from_millis(10);

/// References that the host owns of which a store remembers so many before it
/// looks which of them are gone.
pub(crate) const MIN_HELD: usize = 1024;

/// Bytes of machine code that the modules of an engine have unless configured: what an
/// engine with a few very large programs wants, and half of what the process has.
pub(crate) const DEFAULT_MAX_CODE: u64 = 512 << 20;

/// What arriving at a loop header takes from a function's budget.
pub(crate) const LOOP_WEIGHT: i32 = 1;

/// Entries that use a function's budget up, whatever its size: what compiling costs
/// and what each entry then saves both grow with that.
pub(crate) const MAX_ENTRIES: usize = 250;

/// What each byte of a function's body adds to its budget: compiling takes time in
/// proportion to its size, of which one entry or iteration runs only a part. With
/// 16, CPython, Lua, QuickJS and SQLite took 1.1 to 1.3 times as long as with 2.
pub(crate) const BUDGET_PER_BYTE: usize = 2;

/// The smallest budget, in iterations.
pub(crate) const MIN_BUDGET: usize = 2_000;

/// The largest budget: whatever its size, a loop of this many iterations is hot.
/// The loops of interpreters are the largest functions there are, and the hottest.
pub(crate) const MAX_BUDGET: usize = 10_000;

/// Instances that have called a function before it is compiled when another one does: the
/// answers to so many requests are to be had while it is interpreted, and those to all others
/// are worth more than compiling takes.
#[cfg(compiler)]
pub(crate) const CALLING_INSTANCES: u8 = 32;

/// When everything is to be promoted as soon as can be: one entry, one arrival at
/// a loop, and then going back or entering again is too much.
pub(crate) const STRESS_BUDGET: i32 = 3;
pub(crate) const STRESS_ENTRY_WEIGHT: u32 = 2;

#[cfg(compiler)]
pub(crate) use machine::*;

/// What only a build with a compiler needs.
#[cfg(compiler)]
mod machine {
    /// Address space for machine code; on a host that has less, half as much and so
    /// on, down to the smallest that is worth having.
    pub(crate) const CODE_REGION: usize = 1 << 30;
    pub(crate) const MIN_CODE_REGION: usize = 16 << 20;

    /// Bytes that processors keep of instructions at a time; code is aligned to no more.
    pub(crate) const CODE_LINE: usize = 64;

    /// How many lines further into its pages each piece of code begins than the one before:
    /// a number without common factors with those of lines that are left.
    pub(crate) const SKEW: usize = 23;

    /// Bytes of machine code that are mapped at once where much is compiled at once: a
    /// few dozen functions share the cost of the system calls.
    pub(crate) const CODE_GROUP: usize = 64 << 10;

    /// Nanoseconds that optimizing a function takes, whatever its size: what is inlined into
    /// small ones above all;
    #[cfg(optimizer)]
    pub(crate) const OPTIMIZING_OVERHEAD: i64 = 120_000;

    /// and for each byte of its body. In CPython functions of 500 bytes took 1,200 a byte with
    /// all that, those of 5,000 took 770, the largest of 106,000 took 600.
    #[cfg(optimizer)]
    pub(crate) const OPTIMIZING_BYTE: i64 = 800;

    /// What counting code takes for a nanosecond: simple instructions of baseline code.
    #[cfg(optimizer)]
    pub(crate) const COUNTED_IN_NANOSECOND: i64 = 2;

    /// How often baseline code that does not count is asked where it is: waking up for that
    /// takes a two-hundredth of it, and few functions are optimized after less time.
    #[cfg(optimizer)]
    pub(crate) const TICK: std::time::Duration = std::time::Duration::from_millis(2);

    /// How many times as long as optimizing it takes a function runs in baseline code before.
    /// What is optimized in vain costs a program some hundredths of its time. A loop in a
    /// function of a few hundred bytes waits for a few milliseconds.
    #[cfg(optimizer)]
    pub(crate) const PATIENCE: i64 = 8;

    /// How often baseline code would look for what has been asked for in the time of its
    /// patience: a few times while it is made.
    #[cfg(optimizer)]
    pub(crate) const LOOKS: i64 = 4 * PATIENCE;

    /// How often the callee of a call may have been another than the time before, the first
    /// time included, for it to be thought to have one.
    #[cfg(optimizer)]
    pub(crate) const MAX_CALLEE_CHANGES: u32 = 2;

    /// Cells of call sites that a module has; code of functions beyond does not count.
    #[cfg(optimizer)]
    pub(crate) const MAX_CELLS: u32 = 1 << 20;

    /// Functions that wait for the background thread; others ask again.
    #[cfg(optimizer)]
    pub(crate) const BACKGROUND_QUEUE: usize = 256;

    /// Bytes of the background thread's stack: bodies are translated in each other a few
    /// levels deep, and nothing else is recursive.
    #[cfg(optimizer)]
    pub(crate) const BACKGROUND_STACK: usize = 2 << 20;

    /// Shapes of signatures that the process has stubs between the worlds for: a page each,
    /// and more than the largest programs have.
    #[cfg(optimizer)]
    pub(crate) const MAX_STUBS: usize = 2048;

    /// How often a frame comes to the header of an inner loop while it is waited for at an
    /// outer one: all together that takes no longer than optimizing a small function.
    #[cfg(optimizer)]
    pub(crate) const WAITS: u32 = 2048;

    /// How often functions are entered while their caller is waited for at one of its headers.
    #[cfg(optimizer)]
    pub(crate) const CALLER_WAITS: u32 = 64;

    /// The loops of a nest, the innermost included, for which there may be code of its own.
    #[cfg(optimizer)]
    pub(crate) const NEST: usize = 4;

    /// How long baseline code that there is nothing to go on with runs until it is looked
    /// at again, in nanoseconds.
    #[cfg(optimizer)]
    pub(crate) const RETRY: i64 = 4_000_000;

    /// Loop headers of a function that optimized code of its own is made for: each takes
    /// another compilation of all that can be reached from it.
    #[cfg(optimizer)]
    pub(crate) const MAX_REPLACEMENTS: usize = 8;

    /// The alignment of functions in machine code.
    pub(crate) const CODE_ALIGN: usize = 16;

    /// Bytes of machine code that a function may become. The largest function that is valid
    /// has 7.6 MB and becomes less, unless it was made to become more; while one is
    /// compiled, it takes a few times as much memory.
    pub(crate) const MAX_FUNCTION_CODE: usize = 32 << 20;
}

/// The bytes of a memory that stand together in a core dump or, if they are all zero, do
/// not. The segments for all of a 32-bit memory are fewer than a module may have.
pub(crate) const DUMPED_CHUNK: usize = 64 << 10;

/// Turns that a guest may put off, which its deadline has it give to others, where it cannot
/// wait in a call that is polled, as in a `realloc` that arguments are written by.
#[cfg(feature = "async")]
pub(crate) const MAX_TURNS_PUT_OFF: u32 = 16;

/// Fuel that such a guest may use at least meanwhile, if it is fuel that has it give turns:
/// intervals may be short, and this is a few milliseconds.
#[cfg(feature = "async")]
pub(crate) const FUEL_PUT_OFF: u64 = 1 << 24;
