//! Loads, stores and the other memory instructions.
//!
//! # Bounds checks
//!
//! Everything that keeps the guest inside its memories is in this file and in
//! the bulk operations of [`super::bulk`]. An access of `N` bytes at `address`
//! is made only if `address + N <= len`. For the fast forms, `address` is the sum
//! of two 32-bit numbers, so neither sum can wrap; the general form adds with a
//! check.
//!
//! # Volatile accesses
//!
//! Another thread may change a shared memory during an access, and the compiler
//! must not assume otherwise. So all accesses are volatile: one machine
//! instruction each, like an ordinary one, and with a value that is fixed once it
//! is read. See `store::shared` for the rest of that argument.

use super::{
    Handler, InAcc, InSlot, InWord, Lane, Regs, Source, done, handlers, jump, leave_with, next,
    outside, tail, words,
};
use crate::stack::activation;
use crate::stack::stop::{Access, Outcome};
use crate::store::StoreCore;
use crate::store::vmctx::VmCtx;
use zwasm_regir::TrapCode;
use zwasm_regir::ops::{Load, Store, meaning};

/// What [`out_of_bounds`] is about: memory 0.
pub(super) const ZERO: u8 = 0;
/// The memory in the upper half.
pub(super) const UPPER: u8 = 1;
/// The memory in word 3.
pub(super) const WORD: u8 = 2;
/// What the store has been told of.
pub(super) const TOLD: u8 = 3;

/// A value at any address.
#[repr(C, packed)]
struct Unaligned<T>(T);

/// Reads from a memory.
///
/// # Safety
///
/// The address is checked against the memory's bounds.
#[inline(always)]
pub(super) unsafe fn read<T: Copy>(address: *const u8) -> T {
    // SAFETY: the bytes are mapped, and any bytes are a `T`, an integer.
    unsafe { address.cast::<Unaligned<T>>().read_volatile().0 }
}

/// Writes to a memory.
///
/// # Safety
///
/// As [`read`].
#[inline(always)]
pub(super) unsafe fn write<T: Copy>(address: *mut u8, value: T) {
    // SAFETY: as above.
    unsafe { address.cast::<Unaligned<T>>().write_volatile(Unaligned(value)) }
}

/// Looks whether another thread has grown a memory of the instance.
#[inline(never)]
unsafe extern "C" fn refresh(vm: *mut VmCtx) -> bool {
    let mut grown = false;
    // SAFETY: the instance runs, and its store is ours; no memory is borrowed.
    unsafe {
        for &memory in &(*(*vm).instance).memories {
            grown |= (*memory).refresh();
        }
        if grown {
            (*(*vm).store).outside = None;
        }
    }
    grown
}

handlers! {
    /// Executes the instruction again if a memory is larger than was known, else
    /// traps. The address is where the length of memory 0 was.
    #[cold]
    #[inline(never)]
    fn out_of_bounds[const WHICH: u8](regs) {
        if refresh(regs.vm) {
            regs.reload();
            jump!(regs)
        }
        let memory = match WHICH {
            UPPER => regs.upper(),
            WORD => regs.word(3) as u32,
            TOLD => leave_with!(regs, Outcome::trap(TrapCode::MemoryOutOfBounds)),
            _ => 0,
        };
        leave_with!(regs, Outcome::outside(memory))
    }

    /// A load from memory 0 with 32-bit addresses: field 0 is the destination,
    /// field 1 the address, the upper half the offset.
    fn load[O: Load<R: Lane>, A: Source](regs) {
        let address: u32 = A::get(&regs, 1);
        let address = address as usize + regs.upper() as usize;
        if address + size_of::<O::M>() > regs.len {
            outside!(regs, address)
        }
        let raw = read::<O::M>(regs.mem.add(address));
        regs.result(O::extend(raw));
        next!(regs, 2)
    }

    /// A load from the constant address in word 2.
    fn load_at[O: Load<R: Lane>](regs) {
        let address = regs.word(2) as usize;
        if address + size_of::<O::M>() > regs.len {
            outside!(regs, address)
        }
        let raw = read::<O::M>(regs.mem.add(address));
        regs.result(O::extend(raw));
        next!(regs, 3)
    }

    /// A load from any memory: field 1 is the address, the upper half the
    /// memory, word 2 the offset.
    fn load_any[O: Load<R: Lane>](regs) {
        let memory = *(*regs.vm).memories.add(regs.upper() as usize);
        let address = *regs.slot(1);
        let address = if (*memory).ty.memory64 { address } else { address as u32 as u64 };
        let (start, wrapped) = address.overflowing_add(regs.word(2));
        let (end, past) = start.overflowing_add(size_of::<O::M>() as u64);
        if wrapped || past || end > (*memory).len as u64 {
            outside!(regs, if wrapped { Access::NOWHERE } else { start }, UPPER)
        }
        let raw = read::<O::M>((*memory).base.add(start as usize));
        regs.result(O::extend(raw));
        next!(regs, 3)
    }

    /// A store to memory 0 with 32-bit addresses: field 0 is the address, field
    /// 1 the value, the upper half the offset.
    fn store[O: Store<A: Lane>, A: Source, V: Source](regs) {
        let address: u32 = A::get(&regs, 0);
        let value: O::A = V::get(&regs, 1);
        let address = address as usize + regs.upper() as usize;
        if address + size_of::<O::M>() > regs.len {
            outside!(regs, address)
        }
        write(regs.mem.add(address), O::narrow(value));
        next!(regs, 2 + words::<V, O::A>())
    }

    /// A store to the constant address in word 2.
    fn store_at[O: Store<A: Lane>, V: Source](regs) {
        let address = regs.word(2) as usize;
        let value: O::A = V::get(&regs, 1);
        if address + size_of::<O::M>() > regs.len {
            outside!(regs, address)
        }
        write(regs.mem.add(address), O::narrow(value));
        next!(regs, 3 + words::<V, O::A>())
    }

    /// A store to any memory: field 0 is the address, field 1 the value, the
    /// upper half the memory, word 2 the offset.
    fn store_any[O: Store<A: Lane>](regs) {
        let memory = *(*regs.vm).memories.add(regs.upper() as usize);
        let address = *regs.slot(0);
        let value: O::A = InSlot::get(&regs, 1);
        let address = if (*memory).ty.memory64 { address } else { address as u32 as u64 };
        let (start, wrapped) = address.overflowing_add(regs.word(2));
        let (end, past) = start.overflowing_add(size_of::<O::M>() as u64);
        if wrapped || past || end > (*memory).len as u64 {
            outside!(regs, if wrapped { Access::NOWHERE } else { start }, UPPER)
        }
        write((*memory).base.add(start as usize), O::narrow(value));
        next!(regs, 3)
    }

    fn memory_size(regs) {
        let memory = *(*regs.vm).memories.add(regs.upper() as usize);
        let pages = (*memory).len as u64 >> (*memory).ty.page_size_log2;
        regs.result(pages);
        next!(regs, 2)
    }

    /// `memory.size` of a memory that other threads may grow.
    #[cold]
    fn memory_size_shared(regs) {
        refresh(regs.vm);
        regs.reload();
        tail!(regs, memory_size)
    }

    /// Field 0 holds the delta and receives the old size.
    #[cold]
    fn memory_grow(regs) {
        done!(regs, grow(regs.ip, regs.fp, regs.vm));
        regs.reload();
        next!(regs, 2)
    }
}

/// `memory.grow`.
#[inline(never)]
unsafe extern "C" fn grow(ip: *const u64, fp: *mut u64, vm: *mut VmCtx) -> Outcome {
    // SAFETY: the memory is live, and the frame has the slot.
    unsafe {
        let regs = Regs::at(ip, fp, vm);
        let (store, slot) = ((*vm).store, regs.slot(0));
        let memory = *(*vm).memories.add(regs.upper() as usize);
        let is_64 = (*memory).ty.memory64;
        let delta = if is_64 { *slot } else { u64::from(*slot as u32) };
        let grown = activation::attempt(store, regs.cursor(), || {
            StoreCore::grow_memory(store, memory, delta)
        });
        let old = match grown {
            Ok(old) => old,
            Err(stopped) => return stopped.into(),
        };
        *slot = match old {
            Some(old) => old,
            None if is_64 => u64::MAX,
            None => u64::from(u32::MAX),
        };
        Outcome::DONE
    }
}

macro_rules! load_table {
    ($($name:ident $facts:tt $meaning:tt;)*) => {
        /// Handlers of the loads: address in a slot, the accumulator, constant;
        /// any memory.
        pub(in crate::interp) static LOAD: &[[Handler; 4]] = &[$([
            load::<meaning::$name, InSlot>,
            load::<meaning::$name, InAcc>,
            load_at::<meaning::$name>,
            load_any::<meaning::$name>,
        ],)*];
    };
}
zwasm_regir::for_each_load!(load_table);

macro_rules! store_table {
    ($($name:ident $facts:tt $meaning:tt;)*) => {
        /// Handlers of the stores: by the form of the address (slot, accumulator,
        /// constant), then of the value (slot, accumulator, immediate).
        pub(in crate::interp) static STORE: &[[[Handler; 3]; 3]] = &[$([
            [
                store::<meaning::$name, InSlot, InSlot>,
                store::<meaning::$name, InSlot, InAcc>,
                store::<meaning::$name, InSlot, InWord<2>>,
            ],
            [
                store::<meaning::$name, InAcc, InSlot>,
                store::<meaning::$name, InAcc, InAcc>,
                store::<meaning::$name, InAcc, InWord<2>>,
            ],
            [
                store_at::<meaning::$name, InSlot>,
                store_at::<meaning::$name, InAcc>,
                store_at::<meaning::$name, InWord<3>>,
            ],
        ],)*];

        /// Handlers of the stores to any memory.
        pub(in crate::interp) static STORE_ANY: &[Handler] =
            &[$(store_any::<meaning::$name>,)*];
    };
}
zwasm_regir::for_each_store!(store_table);
