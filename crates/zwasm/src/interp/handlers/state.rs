//! Globals, tables, references and the bulk operations.
//!
//! What cold handlers call is `extern "C"`: it cannot unwind, so that they need
//! no landing pads.

use super::{InSlot, InWord, Source, handlers, next, trap};
use crate::interp::handlers::Handler;
use crate::store::vmctx::VmCtx;
use crate::store::{GlobalInst, MemoryInst, TableInst};
use zwasm_regir::TrapCode;

handlers! {
    /// A global of the instance, at the byte offset in the upper half.
    fn global_get(regs) {
        let global: *const GlobalInst = regs.vm.byte_add(regs.upper() as usize).cast();
        let value = (*global).value as u64;
        regs.result(value);
        next!(regs, 2)
    }

    fn global_get_imported(regs) {
        let global = *(*regs.vm).globals.add(regs.upper() as usize);
        let value = (*global).value as u64;
        regs.result(value);
        next!(regs, 2)
    }

    fn global_set[V: Source](regs) {
        let global: *mut GlobalInst = regs.vm.byte_add(regs.upper() as usize).cast();
        let value: u64 = V::get(&regs, 0);
        (*global).value = u128::from(value);
        next!(regs, 2 + V::WIDE)
    }

    fn global_set_imported[V: Source](regs) {
        let global = *(*regs.vm).globals.add(regs.upper() as usize);
        let value: u64 = V::get(&regs, 0);
        (*global).value = u128::from(value);
        next!(regs, 2 + V::WIDE)
    }

    /// Field 0 is the destination, field 1 the index, the upper half the table.
    fn table_get(regs) {
        let table = *(*regs.vm).tables.add(regs.upper() as usize);
        let index = table_index(table, *regs.slot(1));
        if index >= (*table).len as u64 {
            trap!(regs, TrapCode::TableOutOfBounds)
        }
        let value = *(*table).base.add(index as usize);
        regs.result(value);
        next!(regs, 2)
    }

    /// Field 0 is the index, field 1 the value, the upper half the table.
    fn table_set(regs) {
        let table = *(*regs.vm).tables.add(regs.upper() as usize);
        let index = table_index(table, *regs.slot(0));
        if index >= (*table).len as u64 {
            trap!(regs, TrapCode::TableOutOfBounds)
        }
        *(*table).base.add(index as usize) = *regs.slot(1);
        next!(regs, 2)
    }

    fn table_size(regs) {
        let table = *(*regs.vm).tables.add(regs.upper() as usize);
        let size = (*table).len as u64;
        regs.result(size);
        next!(regs, 2)
    }

    /// The record at the byte offset in the upper half.
    fn ref_func(regs) {
        let reference = regs.vm.byte_add(regs.upper() as usize) as u64;
        regs.result(reference);
        next!(regs, 2)
    }

    fn ref_func_imported(regs) {
        let reference = *(*regs.vm).imported_funcs.add(regs.upper() as usize) as u64;
        regs.result(reference);
        next!(regs, 2)
    }

    fn ref_as_non_null(regs) {
        if *regs.slot(0) == 0 {
            trap!(regs, TrapCode::NullReference)
        }
        next!(regs, 2)
    }

    /// Field 0 starts destination, value and length; the upper half is the memory.
    #[cold]
    fn memory_fill(regs) {
        let memory = *(*regs.vm).memories.add(regs.upper() as usize);
        let base = regs.slot(0);
        let Some((start, length)) = memory_range(memory, *base, *base.add(2)) else {
            trap!(regs, TrapCode::MemoryOutOfBounds)
        };
        (*memory).base.add(start).write_bytes(*base.add(1) as u8, length);
        next!(regs, 2)
    }

    /// Field 0 starts destination, source and length; the upper half is the
    /// destination memory, word 2 the source memory.
    #[cold]
    fn memory_copy(regs) {
        let to = *(*regs.vm).memories.add(regs.upper() as usize);
        let from = *(*regs.vm).memories.add(regs.word(2) as usize);
        let base = regs.slot(0);
        // The length has the narrower of the two index types.
        let length = if (*to).ty.memory64 && (*from).ty.memory64 {
            *base.add(2)
        } else {
            u64::from(*base.add(2) as u32)
        };
        let ranges = (exact_range(to, *base, length), exact_range(from, *base.add(1), length));
        let (Some(target), Some(source)) = ranges else {
            trap!(regs, TrapCode::MemoryOutOfBounds)
        };
        let bytes = (*from).base.add(source);
        (*to).base.add(target).copy_from(bytes, length as usize);
        next!(regs, 3)
    }

    /// Field 0 starts destination, source and length; the upper half is the
    /// memory, word 2 the segment.
    #[cold]
    fn memory_init(regs) {
        if !memory_init_segment(regs.vm, regs.slot(0), regs.upper(), regs.word(2) as usize) {
            trap!(regs, TrapCode::MemoryOutOfBounds)
        }
        next!(regs, 3)
    }

    #[cold]
    fn data_drop(regs) {
        drop_data(regs.vm, regs.upper() as usize);
        next!(regs, 2)
    }

    /// Field 0 starts start, value and length; the upper half is the table.
    #[cold]
    fn table_fill(regs) {
        let table = *(*regs.vm).tables.add(regs.upper() as usize);
        let base = regs.slot(0);
        let length = table_index(table, *base.add(2));
        let Some(start) = table_range(table, *base, length) else {
            trap!(regs, TrapCode::TableOutOfBounds)
        };
        fill_table(table, start, length as usize, *base.add(1));
        next!(regs, 2)
    }

    /// As `memory_copy`, for tables.
    #[cold]
    fn table_copy(regs) {
        let to = *(*regs.vm).tables.add(regs.upper() as usize);
        let from = *(*regs.vm).tables.add(regs.word(2) as usize);
        let base = regs.slot(0);
        let length = if (*to).ty.table64 && (*from).ty.table64 {
            *base.add(2)
        } else {
            u64::from(*base.add(2) as u32)
        };
        let ranges = (table_range(to, *base, length), table_range(from, *base.add(1), length));
        let (Some(target), Some(source)) = ranges else {
            trap!(regs, TrapCode::TableOutOfBounds)
        };
        if length > 0 {
            let elements = (*from).base.add(source);
            (*to).base.add(target).copy_from(elements, length as usize);
        }
        next!(regs, 3)
    }

    /// As `memory_init`, for tables.
    #[cold]
    fn table_init(regs) {
        if !table_init_segment(regs.vm, regs.slot(0), regs.upper(), regs.word(2) as usize) {
            trap!(regs, TrapCode::TableOutOfBounds)
        }
        next!(regs, 3)
    }

    #[cold]
    fn elem_drop(regs) {
        drop_elements(regs.vm, regs.upper() as usize);
        next!(regs, 2)
    }

    /// Field 0 starts value and delta and receives the old size.
    #[cold]
    fn table_grow(regs) {
        let table = *(*regs.vm).tables.add(regs.upper() as usize);
        grow_table(table, regs.slot(0));
        next!(regs, 2)
    }
}

/// A table index from its slot.
#[inline(always)]
unsafe fn table_index(table: *const TableInst, slot: u64) -> u64 {
    // SAFETY: the table is live.
    if unsafe { (*table).ty.table64 } { slot } else { u64::from(slot as u32) }
}

/// The start of a range of a table, if the range is within it.
unsafe fn table_range(table: *const TableInst, start: u64, length: u64) -> Option<usize> {
    // SAFETY: the table is live.
    let (start, size) = unsafe { (table_index(table, start), (*table).len as u64) };
    (start.checked_add(length)? <= size).then_some(start as usize)
}

/// A range of a memory given by slots of its index type, if it is within it.
unsafe fn memory_range(
    memory: *const MemoryInst,
    start: u64,
    length: u64,
) -> Option<(usize, usize)> {
    // SAFETY: the memory is live.
    unsafe {
        let length = if (*memory).ty.memory64 { length } else { u64::from(length as u32) };
        Some((exact_range(memory, start, length)?, length as usize))
    }
}

/// The start of a range of a memory, if the range is within it.
unsafe fn exact_range(memory: *const MemoryInst, start: u64, length: u64) -> Option<usize> {
    // SAFETY: the memory is live.
    unsafe {
        let start = if (*memory).ty.memory64 { start } else { u64::from(start as u32) };
        (start.checked_add(length)? <= (*memory).len as u64).then_some(start as usize)
    }
}

/// `data.drop`.
#[inline(never)]
unsafe extern "C" fn drop_data(vm: *mut VmCtx, segment: usize) {
    // SAFETY: the instance is live and runs nothing else.
    unsafe { (&mut (*(*vm).instance).dropped_data)[segment] = true }
}

/// `elem.drop`.
#[inline(never)]
unsafe extern "C" fn drop_elements(vm: *mut VmCtx, segment: usize) {
    // SAFETY: the instance is live and runs nothing else.
    unsafe { (&mut (*(*vm).instance).elements)[segment] = Box::default() }
}

/// `table.fill` of a range within the table.
#[inline(never)]
unsafe extern "C" fn fill_table(table: *mut TableInst, start: usize, length: usize, value: u64) {
    // SAFETY: the table is live.
    unsafe { (*table).elements_mut()[start..start + length].fill(value) }
}

/// `table.grow` by value and delta in two slots; the first receives the old size.
#[inline(never)]
unsafe extern "C" fn grow_table(table: *mut TableInst, base: *mut u64) {
    // SAFETY: the table is live, and the frame has the slots.
    unsafe {
        let is_64 = (*table).ty.table64;
        let delta = table_index(table, *base.add(1));
        *base = match (*table).grow(delta, *base) {
            Some(old) => old,
            None if is_64 => u64::MAX,
            None => u64::from(u32::MAX),
        };
    }
}

/// `memory.init`; false if either range is out of bounds.
#[inline(never)]
unsafe extern "C" fn memory_init_segment(
    vm: *mut VmCtx,
    base: *const u64,
    memory: u32,
    segment: usize,
) -> bool {
    // SAFETY: memory and instance are live, and the slots are the operands.
    unsafe {
        let instance = &*(*vm).instance;
        let memory = *(*vm).memories.add(memory as usize);
        let module = instance.module.inner();
        let bytes = match instance.dropped_data[segment] {
            true => &[][..],
            false => &module.bytes[module.data[segment].range.clone()],
        };
        // Source and length are 32 bits wide whatever the memory is.
        let source = *base.add(1) as u32 as usize;
        let length = *base.add(2) as u32 as usize;
        let Some(start) = exact_range(memory, *base, length as u64) else { return false };
        let Some(bytes) = bytes.get(source..).and_then(|bytes| bytes.get(..length)) else {
            return false;
        };
        (*memory).base.add(start).copy_from(bytes.as_ptr(), length);
        true
    }
}

/// `table.init`; false if either range is out of bounds.
#[inline(never)]
unsafe extern "C" fn table_init_segment(
    vm: *mut VmCtx,
    base: *const u64,
    table: u32,
    segment: usize,
) -> bool {
    // SAFETY: table and instance are live, and the slots are the operands.
    unsafe {
        let instance = &*(*vm).instance;
        let table = *(*vm).tables.add(table as usize);
        let source = *base.add(1) as u32 as usize;
        let length = *base.add(2) as u32 as usize;
        let Some(start) = table_range(table, *base, length as u64) else { return false };
        let values = instance.elements[segment].get(source..);
        let Some(values) = values.and_then(|values| values.get(..length)) else { return false };
        (*table).elements_mut()[start..start + length].copy_from_slice(values);
        true
    }
}

/// Handlers of `global.set`: own or imported; value in a slot or immediate.
pub(in crate::interp) static GLOBAL_SET: [[Handler; 2]; 2] = [
    [global_set::<InSlot>, global_set::<InWord<2>>],
    [global_set_imported::<InSlot>, global_set_imported::<InWord<2>>],
];
