//! The bulk operations on memories and tables, and growing tables.
//!
//! Each is checked whole, then paid for by its size, then done piece by piece; the
//! guest can be stopped between two pieces, so that none delays a deadline by more
//! than a piece takes. What has been done by then stays done.
//!
//! What cold handlers call is `extern "C"`: it cannot unwind, so that they need
//! no landing pads. It gets the place and not the registers, because a handler
//! whose registers have an address could not leave by a jump.

use super::call::function;
use super::globals_tables::table_index;
use super::{Regs, done, handlers, next, outside};
use crate::stack::activation;
use crate::stack::stop::{Access, Outcome, Stopped};
use crate::stack::walk::Cursor;
use crate::store::vmctx::VmCtx;
use crate::store::{StoreCore, TableInst};
use crate::tuning::BULK_PIECE;
use zwasm_regir::TrapCode;

const OUT_OF_MEMORY_BOUNDS: Outcome = Outcome::trap(TrapCode::MemoryOutOfBounds);
const OUT_OF_TABLE_BOUNDS: Outcome = Outcome::trap(TrapCode::TableOutOfBounds);

/// Executes an instruction of so many words by a function of the place.
macro_rules! bulk {
    ($regs:ident, $execute:expr, $words:expr) => {{
        let outcome = $execute($regs.ip, $regs.fp, $regs.vm);
        if outcome == OUT_OF_MEMORY_BOUNDS {
            outside!($regs, 0, TOLD)
        }
        done!($regs, outcome);
        next!($regs, $words)
    }};
}

handlers! {
    /// Field 0 starts destination, value and length; the upper half is the memory.
    #[cold]
    fn memory_fill(regs) {
        bulk!(regs, fill_memory, 2)
    }

    /// Field 0 starts destination, source and length; the upper half is the
    /// destination memory, word 2 the source memory.
    #[cold]
    fn memory_copy(regs) {
        bulk!(regs, copy_memory, 3)
    }

    /// Field 0 starts destination, source and length; the upper half is the
    /// memory, word 2 the segment.
    #[cold]
    fn memory_init(regs) {
        bulk!(regs, init_memory, 3)
    }

    #[cold]
    fn data_drop(regs) {
        drop_data(regs.vm, regs.upper() as usize);
        next!(regs, 2)
    }

    /// Field 0 starts start, value and length; the upper half is the table.
    #[cold]
    fn table_fill(regs) {
        bulk!(regs, fill_table, 2)
    }

    /// As `memory_copy`, for tables.
    #[cold]
    fn table_copy(regs) {
        bulk!(regs, copy_table, 3)
    }

    /// As `memory_init`, for tables.
    #[cold]
    fn table_init(regs) {
        bulk!(regs, init_table, 3)
    }

    #[cold]
    fn elem_drop(regs) {
        drop_elements(regs.vm, regs.upper() as usize);
        next!(regs, 2)
    }

    /// Field 0 starts value and delta and receives the old size.
    #[cold]
    fn table_grow(regs) {
        done!(regs, grow_table(regs.ip, regs.fp, regs.vm));
        next!(regs, 2)
    }
}

/// Does `work` on `bytes` piece by piece, each given by its distance from the start
/// and its length, from the end on if `backwards`.
///
/// # Errors
///
/// The trap that stopped it; likewise below.
///
/// # Safety
///
/// The store of `vm` runs, and nothing else uses it meanwhile.
#[inline(always)]
pub(in crate::interp) unsafe fn in_pieces(
    vm: *mut VmCtx,
    bytes: usize,
    backwards: bool,
    work: impl Fn(usize, usize),
) -> Result<(), TrapCode> {
    // SAFETY: by the contract.
    let store = unsafe { &*(*vm).store };
    let mut left = bytes;
    while left > BULK_PIECE {
        work(if backwards { left - BULK_PIECE } else { bytes - left }, BULK_PIECE);
        left -= BULK_PIECE;
        if store.must_stop() {
            return Err(TrapCode::Interrupt);
        }
    }
    work(if backwards { 0 } else { bytes - left }, left);
    Ok(())
}

/// Pays for moving bytes at a place.
///
/// # Safety
///
/// The store runs the guest there.
#[inline(always)]
unsafe fn pay(place: Cursor, bytes: u64) -> Result<(), Stopped> {
    // SAFETY: by the contract.
    unsafe {
        if (*(*place.vm).limits).pay(bytes) {
            return Ok(());
        }
        out_of_fuel(place)
    }
}

/// The rest of [`pay`] where that costs more than is active.
#[cold]
#[inline(never)]
unsafe fn out_of_fuel(place: Cursor) -> Result<(), Stopped> {
    // SAFETY: as there.
    unsafe { StoreCore::out_of_fuel((*place.vm).store, place, place.frame_end()) }
}

/// Pays for copying bytes at a place, then does it; the ranges may overlap.
///
/// # Safety
///
/// As [`in_pieces`] and [`pay`]; both ranges are mapped.
#[inline(always)]
unsafe fn pay_and_copy(place: Cursor, to: *mut u8, from: *const u8, bytes: usize) -> Outcome {
    // SAFETY: by the contract.
    unsafe {
        match pay(place, bytes as u64) {
            Ok(()) => copy(place.vm, to, from, bytes).into(),
            Err(stopped) => stopped.into(),
        }
    }
}

/// Copies bytes that have been paid for; the ranges may overlap.
///
/// # Safety
///
/// As [`in_pieces`]; both ranges are mapped.
#[inline(always)]
pub(in crate::interp) unsafe fn copy(
    vm: *mut VmCtx,
    to: *mut u8,
    from: *const u8,
    bytes: usize,
) -> Result<(), TrapCode> {
    // SAFETY: by the contract.
    unsafe {
        // Most copies are a few bytes long.
        if bytes <= BULK_PIECE {
            to.copy_from(from, bytes);
            return Ok(());
        }
        copy_in_pieces(vm, to, from, bytes)
    }
}

/// As [`copy`], of many bytes.
#[inline(never)]
unsafe fn copy_in_pieces(
    vm: *mut VmCtx,
    to: *mut u8,
    from: *const u8,
    bytes: usize,
) -> Result<(), TrapCode> {
    // A piece may overwrite only what has been read.
    let backwards = to.cast_const() > from;
    // SAFETY: by the contract.
    unsafe {
        in_pieces(vm, bytes, backwards, |at, length| to.add(at).copy_from(from.add(at), length))
    }
}

/// The start of a range of a table, if the range is within it.
unsafe fn table_range(table: *const TableInst, start: u64, length: u64) -> Option<usize> {
    // SAFETY: the table is live.
    let (start, size) = unsafe { (table_index(table, start), (*table).len as u64) };
    (start.checked_add(length)? <= size).then_some(start as usize)
}

/// The start of a range of the memory with this index, if the range is within it; if not,
/// the store knows where it starts.
unsafe fn memory_range(vm: *mut VmCtx, index: u32, start: u64, length: u64) -> Option<usize> {
    // SAFETY: the memory is live.
    unsafe {
        let memory = *(*vm).memories.add(index as usize);
        let start = if (*memory).ty.memory64 { start } else { u64::from(start as u32) };
        let end = start.checked_add(length);
        if end.is_some_and(|end| end <= (*memory).len as u64) {
            return Some(start as usize);
        }
        (*(*vm).store).outside = Some(Access { memory: index, address: start });
        None
    }
}

/// `memory.fill`.
#[inline(never)]
unsafe extern "C" fn fill_memory(ip: *const u64, fp: *mut u64, vm: *mut VmCtx) -> Outcome {
    // SAFETY: memory and instance are live, the slots are the operands, and the
    // range is within the memory; likewise below.
    unsafe {
        let regs = Regs::at(ip, fp, vm);
        let base = regs.slot(0);
        let memory = *(*vm).memories.add(regs.upper() as usize);
        let length = *base.add(2);
        let length = if (*memory).ty.memory64 { length } else { u64::from(length as u32) };
        let Some(start) = memory_range(vm, regs.upper(), *base, length) else {
            return OUT_OF_MEMORY_BOUNDS;
        };
        if let Err(stopped) = pay(regs.cursor(), length) {
            return stopped.into();
        }
        let (to, value) = ((*memory).base.add(start), *base.add(1) as u8);
        in_pieces(vm, length as usize, false, |at, length| to.add(at).write_bytes(value, length))
            .into()
    }
}

/// `memory.copy`.
#[inline(never)]
unsafe extern "C" fn copy_memory(ip: *const u64, fp: *mut u64, vm: *mut VmCtx) -> Outcome {
    // SAFETY: as above.
    unsafe {
        let regs = Regs::at(ip, fp, vm);
        let base = regs.slot(0);
        let to = *(*vm).memories.add(regs.upper() as usize);
        let from = *(*vm).memories.add(regs.word(2) as usize);
        // The length has the narrower of the two index types.
        let is_64 = (*to).ty.memory64 && (*from).ty.memory64;
        let length = if is_64 { *base.add(2) } else { u64::from(*base.add(2) as u32) };
        let Some(target) = memory_range(vm, regs.upper(), *base, length) else {
            return OUT_OF_MEMORY_BOUNDS;
        };
        let Some(source) = memory_range(vm, regs.word(2) as u32, *base.add(1), length) else {
            return OUT_OF_MEMORY_BOUNDS;
        };
        let (to, from) = ((*to).base.add(target), (*from).base.add(source));
        pay_and_copy(regs.cursor(), to, from, length as usize)
    }
}

/// `memory.init`.
#[inline(never)]
unsafe extern "C" fn init_memory(ip: *const u64, fp: *mut u64, vm: *mut VmCtx) -> Outcome {
    // SAFETY: as above.
    unsafe {
        let regs = Regs::at(ip, fp, vm);
        let base = regs.slot(0);
        let memory = *(*vm).memories.add(regs.upper() as usize);
        let segment = regs.word(2) as usize;
        let instance = &*(*vm).instance;
        let module = instance.module.inner();
        let bytes = match instance.dropped_data[segment] {
            true => &[][..],
            false => &module.bytes[module.data[segment].range.clone()],
        };
        // Source and length are 32 bits wide whatever the memory is.
        let source = *base.add(1) as u32 as usize;
        let length = *base.add(2) as u32 as usize;
        let start = memory_range(vm, regs.upper(), *base, length as u64);
        let bytes = bytes.get(source..).and_then(|bytes| bytes.get(..length));
        let (Some(start), Some(bytes)) = (start, bytes) else { return OUT_OF_MEMORY_BOUNDS };
        pay_and_copy(regs.cursor(), (*memory).base.add(start), bytes.as_ptr(), length)
    }
}

/// `data.drop`.
#[inline(never)]
unsafe extern "C" fn drop_data(vm: *mut VmCtx, segment: usize) {
    // SAFETY: the instance is live and runs nothing else.
    unsafe { (&mut (*(*vm).instance).dropped_data)[segment] = true }
}

/// `table.fill`.
#[inline(never)]
unsafe extern "C" fn fill_table(ip: *const u64, fp: *mut u64, vm: *mut VmCtx) -> Outcome {
    // SAFETY: as for memories; likewise below.
    unsafe {
        let regs = Regs::at(ip, fp, vm);
        let base = regs.slot(0);
        let table = *(*vm).tables.add(regs.upper() as usize);
        let length = table_index(table, *base.add(2));
        let Some(start) = table_range(table, *base, length) else { return OUT_OF_TABLE_BOUNDS };
        let bytes = length as usize * 8;
        let value = (*table).element(&(*(*vm).store).functions, *base.add(1));
        if let Err(stopped) = pay(regs.cursor(), bytes as u64) {
            return stopped.into();
        }
        in_pieces(vm, bytes, false, |at, bytes| {
            let first = start + at / 8;
            let elements = (*table).elements_mut();
            elements[first..first + bytes / 8].fill(value);
        })
        .into()
    }
}

/// `table.copy`.
#[inline(never)]
unsafe extern "C" fn copy_table(ip: *const u64, fp: *mut u64, vm: *mut VmCtx) -> Outcome {
    // SAFETY: as above.
    unsafe {
        let regs = Regs::at(ip, fp, vm);
        let base = regs.slot(0);
        let to = *(*vm).tables.add(regs.upper() as usize);
        let from = *(*vm).tables.add(regs.word(2) as usize);
        let is_64 = (*to).ty.table64 && (*from).ty.table64;
        let length = if is_64 { *base.add(2) } else { u64::from(*base.add(2) as u32) };
        let ranges = (table_range(to, *base, length), table_range(from, *base.add(1), length));
        let (Some(target), Some(source)) = ranges else { return OUT_OF_TABLE_BOUNDS };
        if length == 0 {
            // An empty table need not have a place.
            return Outcome::DONE;
        }
        let (to, from) = ((*to).base.add(target), (*from).base.add(source));
        pay_and_copy(regs.cursor(), to.cast(), from.cast(), length as usize * 8)
    }
}

/// `table.init`.
#[inline(never)]
unsafe extern "C" fn init_table(ip: *const u64, fp: *mut u64, vm: *mut VmCtx) -> Outcome {
    // SAFETY: as above.
    unsafe {
        let regs = Regs::at(ip, fp, vm);
        let base = regs.slot(0);
        let table = *(*vm).tables.add(regs.upper() as usize);
        let source = *base.add(1) as u32 as usize;
        let length = *base.add(2) as u32 as usize;
        let start = table_range(table, *base, length as u64);
        let values = (&(*(*vm).instance).elements)[regs.word(2) as usize].get(source..);
        let values = values.and_then(|values| values.get(..length));
        let (Some(start), Some(values)) = (start, values) else { return OUT_OF_TABLE_BOUNDS };
        if length == 0 {
            return Outcome::DONE;
        }
        let to = (*table).base.add(start);
        if !(*table).holds_functions {
            return pay_and_copy(regs.cursor(), to.cast(), values.as_ptr().cast(), length * 8);
        }
        if let Err(stopped) = pay(regs.cursor(), length as u64 * 8) {
            return stopped.into();
        }
        in_pieces(vm, length * 8, false, |at, bytes| {
            let first = at / 8;
            for (index, &value) in values[first..first + bytes / 8].iter().enumerate() {
                *to.add(first + index) = function(vm, value) as u64;
            }
        })
        .into()
    }
}

/// `elem.drop`.
#[inline(never)]
unsafe extern "C" fn drop_elements(vm: *mut VmCtx, segment: usize) {
    // SAFETY: the instance is live and runs nothing else.
    unsafe { (&mut (*(*vm).instance).elements)[segment] = Box::default() }
}

/// `table.grow`; only growth that happens is paid for.
#[inline(never)]
unsafe extern "C" fn grow_table(ip: *const u64, fp: *mut u64, vm: *mut VmCtx) -> Outcome {
    // SAFETY: as above.
    unsafe {
        let regs = Regs::at(ip, fp, vm);
        let base = regs.slot(0);
        let table = *(*vm).tables.add(regs.upper() as usize);
        let is_64 = (*table).ty.table64;
        let delta = table_index(table, *base.add(1));
        if (*table).may_grow(delta)
            && let Err(stopped) = pay(regs.cursor(), delta.saturating_mul(8))
        {
            return stopped.into();
        }
        let store = (*vm).store;
        let grown = activation::attempt(store, regs.cursor(), || {
            StoreCore::grow_table(store, table, delta, *base)
        });
        let old = match grown {
            Ok(old) => old,
            Err(stopped) => return stopped.into(),
        };
        *base = match old {
            Some(old) => old,
            None if is_64 => u64::MAX,
            None => u64::from(u32::MAX),
        };
        Outcome::DONE
    }
}
