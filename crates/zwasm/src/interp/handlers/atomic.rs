//! Atomic accesses, waiting and notifying.
//!
//! Every access has a form for memory 0 with 32-bit addresses and one for any
//! memory. Both check alignment before bounds, on the effective address. All
//! accesses are sequentially consistent, which is all that WebAssembly has; on
//! memories that are not shared they work just the same.

use std::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering::SeqCst, fence};

use super::{Handler, Regs, done, handlers, next, outside, trap};
use crate::stack::stop::{self, Outcome};
use crate::store::MemoryInst;
use crate::store::shared::timeout;
use zwasm_regir::TrapCode;

/// A type that memory is accessed as atomically.
pub(in crate::interp) trait Word: Copy {
    type Cell: 'static;
    /// # Safety
    ///
    /// The pointer is aligned and into a memory.
    unsafe fn cell<'a>(pointer: *mut u8) -> &'a Self::Cell;
}

macro_rules! word {
    ($($word:ident $cell:ident)*) => {$(
        impl Word for $word {
            type Cell = $cell;
            #[inline(always)]
            unsafe fn cell<'a>(pointer: *mut u8) -> &'a $cell {
                // SAFETY: by the contract; an atomic may be shared with anybody.
                unsafe { $cell::from_ptr(pointer.cast()) }
            }
        }
    )*};
}
word!(u8 AtomicU8 u16 AtomicU16 u32 AtomicU32 u64 AtomicU64);

/// What an op does, on operands and results as slots hold them.
pub(in crate::interp) trait Access {
    type M: Word;
    const RESULT: bool;
    fn run(cell: &<Self::M as Word>::Cell, a: u64, b: u64) -> u64;
}

macro_rules! run {
    (load $m:ident $cell:ident $a:ident $b:ident) => {
        u64::from($cell.load(SeqCst))
    };
    (store $m:ident $cell:ident $a:ident $b:ident) => {{
        $cell.store($a as $m, SeqCst);
        0
    }};
    (add $m:ident $cell:ident $a:ident $b:ident) => {
        u64::from($cell.fetch_add($a as $m, SeqCst))
    };
    (sub $m:ident $cell:ident $a:ident $b:ident) => {
        u64::from($cell.fetch_sub($a as $m, SeqCst))
    };
    (and $m:ident $cell:ident $a:ident $b:ident) => {
        u64::from($cell.fetch_and($a as $m, SeqCst))
    };
    (or $m:ident $cell:ident $a:ident $b:ident) => {
        u64::from($cell.fetch_or($a as $m, SeqCst))
    };
    (xor $m:ident $cell:ident $a:ident $b:ident) => {
        u64::from($cell.fetch_xor($a as $m, SeqCst))
    };
    (xchg $m:ident $cell:ident $a:ident $b:ident) => {
        u64::from($cell.swap($a as $m, SeqCst))
    };
    (cmpxchg $m:ident $cell:ident $a:ident $b:ident) => {{
        let found = $cell.compare_exchange($a as $m, $b as $m, SeqCst, SeqCst);
        u64::from(found.unwrap_or_else(|found| found))
    }};
}

/// Where an access goes, or the trap. A macro, because it leaves the handler.
macro_rules! checked {
    ($regs:ident, $memory:ident, $size:expr, $offset:expr) => {{
        let address = *$regs.slot(1);
        let address = if (*$memory).ty.memory64 { address } else { address as u32 as u64 };
        let (start, wrapped) = address.overflowing_add($offset);
        let (end, past) = start.overflowing_add($size as u64);
        if !wrapped && !start.is_multiple_of($size as u64) {
            trap!($regs, TrapCode::UnalignedAtomic)
        }
        if wrapped || past || end > (*$memory).len as u64 {
            outside!($regs, if wrapped { stop::Access::NOWHERE } else { start }, WORD)
        }
        start
    }};
}

handlers! {
    /// An access to memory 0 with 32-bit addresses: the fields are destination,
    /// address and the operands; word 2 is the offset.
    fn access[O: Access](regs) {
        let address = *regs.slot(1) as u32 as usize + regs.word(2) as usize;
        if !address.is_multiple_of(size_of::<O::M>()) {
            trap!(regs, TrapCode::UnalignedAtomic)
        }
        if address + size_of::<O::M>() > regs.len {
            outside!(regs, address)
        }
        let cell = O::M::cell(regs.mem.add(address));
        let value = O::run(cell, *regs.slot(2), *regs.slot(3));
        if O::RESULT {
            regs.result(value);
        }
        next!(regs, 3)
    }

    /// An access to any memory: word 3 is the memory.
    fn access_any[O: Access](regs) {
        let memory = *(*regs.vm).memories.add(regs.word(3) as usize);
        let start = checked!(regs, memory, size_of::<O::M>(), regs.word(2));
        let cell = O::M::cell((*memory).base.add(start as usize));
        let value = O::run(cell, *regs.slot(2), *regs.slot(3));
        if O::RESULT {
            regs.result(value);
        }
        next!(regs, 4)
    }

    fn atomic_fence(regs) {
        fence(SeqCst);
        next!(regs, 2)
    }

    /// The fields are destination, address, expected value and timeout; word 2 is
    /// the offset, word 3 the memory.
    #[cold]
    fn wait32(regs) {
        let memory = *(*regs.vm).memories.add(regs.word(3) as usize);
        let start = checked!(regs, memory, 4, regs.word(2));
        done!(regs, wait_on(&regs, memory, start, false));
        regs.acc = *regs.slot(0);
        next!(regs, 4)
    }

    /// As `wait32`.
    #[cold]
    fn wait64(regs) {
        let memory = *(*regs.vm).memories.add(regs.word(3) as usize);
        let start = checked!(regs, memory, 8, regs.word(2));
        done!(regs, wait_on(&regs, memory, start, true));
        regs.acc = *regs.slot(0);
        next!(regs, 4)
    }

    /// The fields are destination, address and count; words as for `wait32`.
    #[cold]
    fn notify(regs) {
        let memory = *(*regs.vm).memories.add(regs.word(3) as usize);
        let start = checked!(regs, memory, 4, regs.word(2));
        let woken = notify_at(memory, start, *regs.slot(2) as u32);
        regs.result(u64::from(woken));
        next!(regs, 4)
    }
}

/// Waits, on the operands in slots, and writes the result.
#[inline(never)]
unsafe extern "C" fn wait_on(
    regs: &Regs,
    memory: *const MemoryInst,
    start: u64,
    wide: bool,
) -> Outcome {
    // SAFETY: the memory is live, and the slots are the operands.
    unsafe {
        let Some(core) = (*memory).as_shared() else {
            return Outcome::trap(TrapCode::ExpectedSharedMemory);
        };
        let (expected, timeout) = (*regs.slot(2), timeout(*regs.slot(3)));
        let store = Some(&*(*regs.vm).store);
        let ended = match wide {
            false => core.wait32(store, start, expected as u32, timeout),
            true => core.wait64(store, start, expected, timeout),
        };
        ended.map(|ended| *regs.slot(0) = ended as u64).into()
    }
}

/// Notifies; nobody can wait on a memory that is not shared.
#[inline(never)]
unsafe extern "C" fn notify_at(memory: *const MemoryInst, start: u64, count: u32) -> u32 {
    // SAFETY: the memory is live.
    let core = unsafe { (*memory).as_shared() };
    core.and_then(|core| core.notify(start, count)).unwrap_or(0)
}

mod meaning {
    use super::*;

    macro_rules! meanings {
        ($($name:ident $facts:tt [$kind:ident $m:ident as $ty:ident];)*) => {$(
            pub(in crate::interp) struct $name;
            impl Access for $name {
                type M = $m;
                const RESULT: bool = zwasm_regir::AtomicOp::$name.has_result();
                #[inline(always)]
                #[allow(unused_variables, reason = "not every op has two operands")]
                fn run(cell: &<$m as Word>::Cell, a: u64, b: u64) -> u64 {
                    run!($kind $m cell a b)
                }
            }
        )*};
    }
    zwasm_regir::for_each_atomic!(meanings);
}

macro_rules! table {
    ($($name:ident $facts:tt $meaning:tt;)*) => {
        /// Handlers of the accesses: to memory 0, and to any memory.
        pub(in crate::interp) static ATOMIC: &[[Handler; 2]] =
            &[$([access::<meaning::$name>, access_any::<meaning::$name>],)*];
    };
}
zwasm_regir::for_each_atomic!(table);
