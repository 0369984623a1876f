//! Allocating, filling and copying objects, out of line.
//!
//! What the handlers of [`super::handlers::gc`] call when an instruction is more
//! than a few loads and stores. `extern "C"`, because it cannot unwind, so that
//! the handlers need no clean-up and still leave by a jump.
//!
//! # Safety
//!
//! Arguments are what an instruction being executed has; the store is used by
//! nothing else meanwhile.

use super::handlers::bulk::{copy, in_pieces};
use super::handlers::gc::{length, object};
use crate::stack::activation;
use crate::stack::stop::{Outcome, Why};
use crate::stack::walk::Cursor;
use crate::store::StoreCore;
use crate::store::gc::heap::REGION;
use crate::store::gc::layout::write;
use crate::store::vmctx::VmCtx;
use zwasm_regir::gc::GcOp;
use zwasm_regir::object::HEADER;
use zwasm_regir::{Storage, TrapCode};

/// The instructions that [`execute`] executes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Operation {
    StructNewDefault,
    ArrayNew,
    ArrayNewDefault,
    ArrayNewFixed,
    ArrayNewData,
    ArrayNewElem,
    ArrayFill,
    ArrayCopy,
    ArrayInitData,
    ArrayInitElem,
}

/// The operation of an instruction, and its other operand; none for `struct.new`.
pub(super) fn operation(op: GcOp) -> Option<(Operation, u32)> {
    Some(match op {
        GcOp::StructNew { .. } => return None,
        GcOp::StructNewDefault { .. } => (Operation::StructNewDefault, 0),
        GcOp::ArrayNew { .. } => (Operation::ArrayNew, 0),
        GcOp::ArrayNewDefault { .. } => (Operation::ArrayNewDefault, 0),
        GcOp::ArrayNewFixed { count, .. } => (Operation::ArrayNewFixed, count),
        GcOp::ArrayNewData { data, .. } => (Operation::ArrayNewData, data),
        GcOp::ArrayNewElem { elem, .. } => (Operation::ArrayNewElem, elem),
        GcOp::ArrayFill { .. } => (Operation::ArrayFill, 0),
        GcOp::ArrayCopy { .. } => (Operation::ArrayCopy, 0),
        GcOp::ArrayInitData { data, .. } => (Operation::ArrayInitData, data),
        GcOp::ArrayInitElem { elem, .. } => (Operation::ArrayInitElem, elem),
    })
}

const STORAGES: [Storage; 10] = [
    Storage::I8,
    Storage::I16,
    Storage::I32,
    Storage::I64,
    Storage::F32,
    Storage::F64,
    Storage::V128,
    Storage::HeapRef,
    Storage::FuncRef,
    Storage::WideRef,
];

const OPERATIONS: [Operation; 10] = [
    Operation::StructNewDefault,
    Operation::ArrayNew,
    Operation::ArrayNewDefault,
    Operation::ArrayNewFixed,
    Operation::ArrayNewData,
    Operation::ArrayNewElem,
    Operation::ArrayFill,
    Operation::ArrayCopy,
    Operation::ArrayInitData,
    Operation::ArrayInitElem,
];

#[inline(never)]
pub(super) unsafe extern "C" fn make_room(
    ip: *const u64,
    fp: *mut u64,
    vm: *mut VmCtx,
    top: *mut u64,
    size: usize,
) -> Outcome {
    // SAFETY: slots from `top` on are dead.
    unsafe {
        let store = (*vm).store;
        activation::attempt(store, Cursor { ip, fp, vm }, || StoreCore::make_room(store, top, size))
            .into()
    }
}

/// `struct.new` of any size and with any number of fields.
#[inline(never)]
pub(super) unsafe extern "C" fn large_struct(
    ip: *const u64,
    fp: *mut u64,
    vm: *mut VmCtx,
) -> Outcome {
    // SAFETY: the instruction has the form that `struct_new_large` describes.
    unsafe {
        let halves = ip.add(1).cast::<u32>();
        let base = fp.add(*halves as usize);
        let top = base.add(*halves.add(1) as usize);
        let (word, size) = (*halves.add(2), *halves.add(3) as usize);
        let store = (*vm).store;
        let made = activation::attempt(store, Cursor { ip, fp, vm }, || {
            StoreCore::allocate(store, top, word, 0, size)
        });
        let object = match made {
            Ok(object) => object,
            Err(stopped) => return stopped.into(),
        };
        let module = (*(*vm).instance).module.inner();
        let ty = *ip.add(3) as usize;
        let mut from = base;
        for (&storage, &offset) in module.storages[ty].iter().zip(&module.layouts[ty].0) {
            let to = (*vm).heap.add(object as usize + offset as usize);
            to.copy_from(from.cast(), storage.size());
            from = from.add(storage.kind().slots() as usize);
        }
        *base = object;
        Outcome::DONE
    }
}

/// Executes an instruction.
#[inline(never)]
pub(super) unsafe extern "C" fn execute(ip: *const u64, fp: *mut u64, vm: *mut VmCtx) -> Outcome {
    // SAFETY: the instruction has the form that the handler `op` describes.
    unsafe {
        let halves = ip.add(1).cast::<u32>();
        let base = fp.add(*halves as usize);
        let top = base.add(*halves.add(1) as usize);
        let (word, other) = (*halves.add(2), *halves.add(3));
        let operation = OPERATIONS[*halves.add(4) as usize];
        let storage = STORAGES[*halves.add(5) as usize];
        let place = Cursor { ip, fp, vm };
        let operands = Operands { place, vm, base, top, storage, word, other };
        let execute = || match operation {
            Operation::StructNewDefault => operands.allocate(0, u64::from(other)).map(|_| ()),
            Operation::ArrayNew => operands.array_new(),
            Operation::ArrayNewDefault => operands.new_array(*base as u32).map(|_| ()),
            Operation::ArrayNewFixed => operands.array_new_fixed(),
            Operation::ArrayNewData => operands.array_new_data(),
            Operation::ArrayNewElem => operands.array_new_elem(),
            Operation::ArrayFill => operands.array_fill(),
            Operation::ArrayCopy => operands.array_copy(),
            Operation::ArrayInitData => operands.array_init_data(),
            Operation::ArrayInitElem => operands.array_init_elem(),
        };
        activation::attempt((*vm).store, place, execute).into()
    }
}

/// What an instruction gives, or why the guest has to stop.
type Result<T> = std::result::Result<T, Why>;

/// The operands of an instruction. Each function is called for the instruction
/// it is named after, so that slots hold what the instruction says.
struct Operands {
    place: Cursor,
    vm: *mut VmCtx,
    base: *mut u64,
    top: *mut u64,
    storage: Storage,
    word: u32,
    other: u32,
}

impl Operands {
    /// Slots of a value of the element type.
    fn slots(&self) -> usize {
        self.storage.kind().slots() as usize
    }

    unsafe fn allocate(&self, second: u32, size: u64) -> Result<*mut u8> {
        // SAFETY: the operands are in slots below `top`, where the collector
        // looks; the size is that of the layout.
        unsafe {
            let size = usize::try_from(size).unwrap_or(usize::MAX >> 1);
            let store = (*self.vm).store;
            let object = StoreCore::allocate(store, self.top, self.word, second, size)?;
            *self.base = object;
            Ok((*self.vm).heap.add(object as usize))
        }
    }

    /// Allocates an array and puts the reference into the first slot; the
    /// address of its first element.
    unsafe fn new_array(&self, len: u32) -> Result<*mut u8> {
        let bytes = u64::from(len) * self.storage.size() as u64;
        // SAFETY: an array of that length has that size.
        unsafe {
            self.pay(bytes)?;
            Ok(self.allocate(len, HEADER as u64 + bytes)?.add(HEADER))
        }
    }

    /// Pays for filling elements.
    unsafe fn pay(&self, bytes: u64) -> Result<()> {
        // SAFETY: the instance is live, and its store runs the guest here.
        unsafe {
            if (*(*self.vm).limits).pay(bytes) {
                return Ok(());
            }
            let store = (*self.vm).store;
            StoreCore::out_of_fuel(store, self.place, self.top)
                .map_err(|stopped| StoreCore::why_stopped(store, stopped).why)
        }
    }

    /// Pays for copying bytes, and does it.
    unsafe fn copy(&self, to: *mut u8, from: *const u8, bytes: usize) -> Result<()> {
        // SAFETY: both ranges are within arrays, or the second within a segment.
        unsafe {
            self.pay(bytes as u64)?;
            Ok(copy(self.vm, to, from, bytes)?)
        }
    }

    /// Writes values from slots to elements.
    unsafe fn write(&self, to: *mut u8, from: *const u64) {
        // SAFETY: the slots hold a value of the element type.
        unsafe {
            let high = if self.slots() == 2 { *from.add(1) } else { 0 };
            write(self.storage, to, u128::from(*from) | u128::from(high) << 64);
        }
    }

    /// The first of `len` elements from `start` of the array in a slot.
    unsafe fn range(&self, array: usize, start: usize, len: u32) -> Result<*mut u8> {
        // SAFETY: the slot holds an array or null.
        unsafe {
            let reference = *self.base.add(array) as u32;
            if reference == 0 {
                return Err(TrapCode::NullArrayReference.into());
            }
            let array = object(self.vm, reference);
            let start = *self.base.add(start) as u32;
            let size = length(array);
            // An array never goes on behind the region. Nor does one whose length is forged.
            let room = (REGION - reference as usize).saturating_sub(HEADER);
            let size = u64::from(size).min((room / self.storage.size()) as u64);
            if u64::from(start) + u64::from(len) > size {
                return Err(TrapCode::ArrayOutOfBounds.into());
            }
            Ok(array.add(HEADER + start as usize * self.storage.size()))
        }
    }

    unsafe fn array_new(&self) -> Result<()> {
        // SAFETY: operands: a value and a length. The value is saved, because the
        // reference replaces it; a collection sees it in its slot.
        unsafe {
            let value = [*self.base, *self.base.add(1)];
            let len = *self.base.add(self.slots()) as u32;
            let to = self.new_array(len)?;
            self.fill(to, value.as_ptr(), len)
        }
    }

    unsafe fn fill(&self, to: *mut u8, value: *const u64, len: u32) -> Result<()> {
        let size = self.storage.size();
        // SAFETY: the range is within an array.
        unsafe {
            Ok(in_pieces(self.vm, len as usize * size, false, |at, bytes| {
                let (to, len) = (to.add(at), bytes / size);
                match size {
                    1 => to.write_bytes(*value as u8, len),
                    4 if to.cast::<u32>().is_aligned() => {
                        std::slice::from_raw_parts_mut(to.cast::<u32>(), len).fill(*value as u32);
                    }
                    8 if to.cast::<u64>().is_aligned() => {
                        std::slice::from_raw_parts_mut(to.cast::<u64>(), len).fill(*value);
                    }
                    _ => (0..len).for_each(|index| self.write(to.add(index * size), value)),
                }
            })?)
        }
    }

    unsafe fn array_new_fixed(&self) -> Result<()> {
        // SAFETY: operands: the elements. The first is saved, because the
        // reference replaces it.
        unsafe {
            let first = [*self.base, *self.base.add(1)];
            let to = self.new_array(self.other)?;
            for index in 0..self.other as usize {
                let from = match index {
                    0 => first.as_ptr(),
                    _ => self.base.add(index * self.slots()),
                };
                self.write(to.add(index * self.storage.size()), from);
            }
            Ok(())
        }
    }

    /// `len` elements from `source` on of a data segment.
    unsafe fn data(&self, source: u64, len: u32) -> Result<&[u8]> {
        // SAFETY: the instance is live, and validation checked the index.
        let instance = unsafe { &*(*self.vm).instance };
        let module = instance.module.inner();
        let segment = self.other as usize;
        let bytes = match instance.dropped_data[segment] {
            true => &[][..],
            false => &module.bytes[module.data[segment].range.clone()],
        };
        let len = u64::from(len) * self.storage.size() as u64;
        usize::try_from(len)
            .ok()
            .and_then(|len| bytes.get(source as u32 as usize..)?.get(..len))
            .ok_or(TrapCode::MemoryOutOfBounds.into())
    }

    /// `len` references from `source` on of an element segment.
    unsafe fn elements(&self, source: u64, len: u32) -> Result<&[u64]> {
        // SAFETY: as above.
        let instance = unsafe { &*(*self.vm).instance };
        let values = instance.elements[self.other as usize].get(source as u32 as usize..);
        values
            .and_then(|values| values.get(..len as usize))
            .ok_or(TrapCode::TableOutOfBounds.into())
    }

    unsafe fn write_elements(&self, to: *mut u8, values: &[u64]) {
        let size = self.storage.size();
        for (index, value) in values.iter().enumerate() {
            // SAFETY: the range is within an array of references.
            unsafe { write(self.storage, to.add(index * size), u128::from(*value)) }
        }
    }

    unsafe fn array_new_data(&self) -> Result<()> {
        // SAFETY: operands: source and length.
        unsafe {
            let len = *self.base.add(1) as u32;
            let bytes = self.data(*self.base, len)?;
            let to = self.new_array(len)?;
            Ok(in_pieces(self.vm, bytes.len(), false, |at, length| {
                to.add(at).copy_from(bytes.as_ptr().add(at), length);
            })?)
        }
    }

    unsafe fn array_new_elem(&self) -> Result<()> {
        // SAFETY: operands: source and length.
        unsafe {
            let len = *self.base.add(1) as u32;
            let values = self.elements(*self.base, len)?;
            let to = self.new_array(len)?;
            self.write_elements(to, values);
            Ok(())
        }
    }

    unsafe fn array_fill(&self) -> Result<()> {
        // SAFETY: operands: array, start, value, length.
        unsafe {
            let len = *self.base.add(2 + self.slots()) as u32;
            let to = self.range(0, 1, len)?;
            self.pay(u64::from(len) * self.storage.size() as u64)?;
            self.fill(to, self.base.add(2), len)
        }
    }

    unsafe fn array_copy(&self) -> Result<()> {
        // SAFETY: operands: array, start, source array, its start, length.
        unsafe {
            let len = *self.base.add(4) as u32;
            if *self.base.add(2) == 0 {
                return Err(TrapCode::NullArrayReference.into());
            }
            let to = self.range(0, 1, len)?;
            let from = self.range(2, 3, len)?;
            self.copy(to, from, len as usize * self.storage.size())
        }
    }

    unsafe fn array_init_data(&self) -> Result<()> {
        // SAFETY: operands: array, start, source, length.
        unsafe {
            let len = *self.base.add(3) as u32;
            let to = self.range(0, 1, len)?;
            let bytes = self.data(*self.base.add(2), len)?;
            self.copy(to, bytes.as_ptr(), bytes.len())
        }
    }

    unsafe fn array_init_elem(&self) -> Result<()> {
        // SAFETY: operands: array, start, source, length.
        unsafe {
            let len = *self.base.add(3) as u32;
            let to = self.range(0, 1, len)?;
            let values = self.elements(*self.base.add(2), len)?;
            self.pay(u64::from(len) * self.storage.size() as u64)?;
            self.write_elements(to, values);
            Ok(())
        }
    }
}
