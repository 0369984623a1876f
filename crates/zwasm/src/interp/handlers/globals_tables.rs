//! Globals, tables and references.

use super::call::function;
use super::{InSlot, InWord, Source, handlers, next, trap};
use crate::interp::handlers::Handler;
use crate::store::vmctx::FuncRecord;
use crate::store::{GlobalInst, TableInst};
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

    /// As `table_get`, of a table of functions.
    fn table_get_function(regs) {
        let table = *(*regs.vm).tables.add(regs.upper() as usize);
        let index = table_index(table, *regs.slot(1));
        if index >= (*table).len as u64 {
            trap!(regs, TrapCode::TableOutOfBounds)
        }
        let record = *(*table).base.add(index as usize) as *const FuncRecord;
        let value = if record.is_null() { 0 } else { (*record).number };
        regs.result(value);
        next!(regs, 2)
    }

    #[cold]
    fn table_set_function(regs) {
        let table = *(*regs.vm).tables.add(regs.upper() as usize);
        let index = table_index(table, *regs.slot(0));
        if index >= (*table).len as u64 {
            trap!(regs, TrapCode::TableOutOfBounds)
        }
        *(*table).base.add(index as usize) = function(regs.vm, *regs.slot(1)) as u64;
        next!(regs, 2)
    }

    fn table_size(regs) {
        let table = *(*regs.vm).tables.add(regs.upper() as usize);
        let size = (*table).len as u64;
        regs.result(size);
        next!(regs, 2)
    }

    /// The function whose record is at the byte offset in the upper half.
    fn ref_func(regs) {
        let record: *const FuncRecord = regs.vm.byte_add(regs.upper() as usize).cast();
        regs.result((*record).number);
        next!(regs, 2)
    }

    fn ref_func_imported(regs) {
        let record = *(*regs.vm).imported_funcs.add(regs.upper() as usize);
        regs.result((*record).number);
        next!(regs, 2)
    }

    fn ref_as_non_null(regs) {
        if *regs.slot(0) == 0 {
            trap!(regs, TrapCode::NullReference)
        }
        next!(regs, 2)
    }
}

/// A table index from its slot.
#[inline(always)]
pub(super) unsafe fn table_index(table: *const TableInst, slot: u64) -> u64 {
    // SAFETY: the table is live.
    if unsafe { (*table).ty.table64 } { slot } else { u64::from(slot as u32) }
}

/// Handlers of `global.get`: own or imported.
pub(in crate::interp) static GLOBAL_GET: [Handler; 2] = [global_get, global_get_imported];

/// Handlers of `global.set`: own or imported; value in a slot or immediate.
pub(in crate::interp) static GLOBAL_SET: [[Handler; 2]; 2] = [
    [global_set::<InSlot>, global_set::<InWord<2>>],
    [global_set_imported::<InSlot>, global_set_imported::<InWord<2>>],
];
