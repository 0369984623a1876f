//! Structures, arrays, 31-bit integers and casts.
//!
//! Reading and writing a field or element, testing a type and allocating a
//! structure are a few instructions each. A structure is allocated by moving the
//! window's cursor; when the window is full, [`refill`] makes room (and collects,
//! if that is due) and the instruction is executed again. Arrays are allocated,
//! filled and copied by [`op`], which calls out.

use super::{Handler, InAcc, InSlot, InWord, STOPPED, Source, handlers, jump, next, tail, trap};
use crate::stack::activation::Stop;
use crate::stack::backtrace::Cursor;
use crate::store::StoreCore;
use crate::store::gc::heap::{GRANULE, STARTS};
use crate::store::gc::layout::{EXTERN_WORD, HEADER, KIND, Kind, size_of, write};
use crate::store::vmctx::{FuncRecord, VmCtx};
use zwasm_regir::gc::{Extend, GcOp, HeapTarget};
use zwasm_regir::{Storage, TrapCode};

/// A value as objects hold it.
pub(in crate::interp) trait Cell {
    const SIZE: usize;
    unsafe fn load(from: *const u8) -> u64;
    unsafe fn store(to: *mut u8, slot: u64);
}

macro_rules! cells {
    ($($name:ident $bits:ty, $raw:ident => $slot:expr;)*) => {$(
        pub(in crate::interp) struct $name;
        impl Cell for $name {
            const SIZE: usize = std::mem::size_of::<$bits>();
            #[inline(always)]
            unsafe fn load(from: *const u8) -> u64 {
                // SAFETY: the cell lies in a live object.
                let $raw = unsafe { from.cast::<$bits>().read_unaligned() };
                $slot
            }
            #[inline(always)]
            unsafe fn store(to: *mut u8, slot: u64) {
                // SAFETY: as above.
                unsafe { to.cast::<$bits>().write_unaligned(slot as $bits) }
            }
        }
    )*};
}

cells! {
    Byte u8, raw => u64::from(raw);
    SignedByte u8, raw => u64::from(raw as i8 as i32 as u32);
    Half u16, raw => u64::from(raw);
    SignedHalf u16, raw => u64::from(raw as i16 as i32 as u32);
    Word u32, raw => u64::from(raw);
    Double u64, raw => raw;
}

/// What a reference that is not null is tested for.
pub(in crate::interp) trait Test {
    unsafe fn passes(vm: *mut VmCtx, reference: u64, target: u64) -> bool;
}

macro_rules! tests {
    ($($(#[$meta:meta])* $name:ident = |$vm:ident, $reference:ident, $target:ident| $passes:expr;)*) => {$(
        $(#[$meta])*
        pub(in crate::interp) struct $name;
        impl Test for $name {
            #[allow(unused_unsafe, reason = "not every test looks at the object")]
            #[inline(always)]
            unsafe fn passes($vm: *mut VmCtx, $reference: u64, $target: u64) -> bool {
                // SAFETY: a reference that is not null and not an integer is a live
                // object of the heap.
                unsafe { $passes }
            }
        }
    )*};
}

tests! {
    IsTop = |_vm, _reference, _target| true;
    IsBottom = |_vm, _reference, _target| false;
    IsI31 = |_vm, reference, _target| reference & 1 != 0;
    IsEq = |vm, reference, _target| reference & 1 != 0 || header(vm, reference) != EXTERN_WORD;
    IsStruct = |vm, reference, _target| {
        reference & 1 == 0 && header(vm, reference) & KIND == Kind::Struct as u32
    };
    IsArray = |vm, reference, _target| {
        reference & 1 == 0 && header(vm, reference) & KIND == Kind::Array as u32
    };
    /// Exactly the target.
    IsFinal = |vm, reference, target| {
        reference & 1 == 0 && header(vm, reference) == target as u32
    };
    /// The target, or a type whose display has it at its depth.
    IsType = |vm, reference, target| {
        if reference & 1 != 0 {
            false
        } else {
            let word = header(vm, reference);
            word == target as u32 || {
                let display = (*(*vm).store).gc.layouts.displays().add((word >> 2) as usize);
                word != EXTERN_WORD
                    && (*display.cast::<u32>().add((target >> 32) as usize)) == target as u32 >> 2
            }
        }
    };
}

/// The first word of an object's header.
#[inline(always)]
unsafe fn header(vm: *mut VmCtx, reference: u64) -> u32 {
    // SAFETY: the reference is a live object.
    unsafe { *(*vm).heap.add(reference as usize).cast::<u32>() }
}

/// Takes `size` bytes from the window, or leaves to make room for them, and
/// writes the header in word 2; the object's offset and address.
macro_rules! allocate {
    ($regs:ident, $size:expr) => {{
        let size: usize = $size;
        let window = &raw mut (*(*$regs.vm).store).gc.heap.window;
        let at = (*window).cursor;
        if at + size > (*window).limit {
            tail!($regs, refill)
        }
        (*window).cursor = at + size;
        let heap = (*$regs.vm).heap;
        let starts = heap.sub(STARTS).add(at / (GRANULE * 8));
        *starts |= 1 << (at / GRANULE % 8);
        let object = heap.add(at);
        // The type; a structure's second word is unused.
        object.cast::<u64>().write($regs.word(2) as u32 as u64);
        (at as u64, object)
    }};
}

handlers! {
    /// Field 0 is the destination, field 1 the structure, the upper half the
    /// offset of the field.
    fn struct_get[C: Cell, O: Source](regs) {
        let object: u64 = O::get(&regs, 1);
        if object == 0 {
            trap!(regs, TrapCode::NullStructReference)
        }
        let value = C::load((*regs.vm).heap.add(object as usize + regs.upper() as usize));
        regs.result(value);
        next!(regs, 2)
    }

    /// Field 0 is the structure, field 1 the value, the upper half the offset of
    /// the field.
    fn struct_set[C: Cell, V: Source](regs) {
        let object = *regs.slot(0);
        if object == 0 {
            trap!(regs, TrapCode::NullStructReference)
        }
        let value: u64 = V::get(&regs, 1);
        C::store((*regs.vm).heap.add(object as usize + regs.upper() as usize), value);
        next!(regs, 2 + V::WIDE)
    }

    fn struct_get_v128(regs) {
        let object = *regs.slot(1);
        if object == 0 {
            trap!(regs, TrapCode::NullStructReference)
        }
        let from = (*regs.vm).heap.add(object as usize + regs.upper() as usize).cast::<u64>();
        let to = regs.slot(0);
        *to = from.read_unaligned();
        *to.add(1) = from.add(1).read_unaligned();
        next!(regs, 2)
    }

    fn struct_set_v128(regs) {
        let object = *regs.slot(0);
        if object == 0 {
            trap!(regs, TrapCode::NullStructReference)
        }
        let to = (*regs.vm).heap.add(object as usize + regs.upper() as usize).cast::<u64>();
        let from = regs.slot(1);
        to.write_unaligned(*from);
        to.add(1).write_unaligned(*from.add(1));
        next!(regs, 2)
    }

    /// Field 0 is the destination, field 1 the array, field 2 the index.
    fn array_get[C: Cell, I: Source](regs) {
        let object = *regs.slot(1);
        if object == 0 {
            trap!(regs, TrapCode::NullArrayReference)
        }
        let array = (*regs.vm).heap.add(object as usize);
        let index: u32 = I::get(&regs, 2);
        if index >= *array.cast::<u32>().add(1) {
            trap!(regs, TrapCode::ArrayOutOfBounds)
        }
        let value = C::load(array.add(HEADER + index as usize * C::SIZE));
        regs.result(value);
        next!(regs, 2)
    }

    /// Field 0 is the array, field 1 the index, field 2 the value.
    fn array_set[C: Cell, V: Source](regs) {
        let object = *regs.slot(0);
        if object == 0 {
            trap!(regs, TrapCode::NullArrayReference)
        }
        let array = (*regs.vm).heap.add(object as usize);
        let index = *regs.slot(1) as u32;
        if index >= *array.cast::<u32>().add(1) {
            trap!(regs, TrapCode::ArrayOutOfBounds)
        }
        let value: u64 = V::get(&regs, 2);
        C::store(array.add(HEADER + index as usize * C::SIZE), value);
        next!(regs, 2 + V::WIDE)
    }

    fn array_get_v128(regs) {
        let object = *regs.slot(1);
        if object == 0 {
            trap!(regs, TrapCode::NullArrayReference)
        }
        let array = (*regs.vm).heap.add(object as usize);
        let index = *regs.slot(2) as u32;
        if index >= *array.cast::<u32>().add(1) {
            trap!(regs, TrapCode::ArrayOutOfBounds)
        }
        let from = array.add(HEADER + index as usize * 16).cast::<u64>();
        let to = regs.slot(0);
        *to = from.read_unaligned();
        *to.add(1) = from.add(1).read_unaligned();
        next!(regs, 2)
    }

    fn array_set_v128(regs) {
        let object = *regs.slot(0);
        if object == 0 {
            trap!(regs, TrapCode::NullArrayReference)
        }
        let array = (*regs.vm).heap.add(object as usize);
        let index = *regs.slot(1) as u32;
        if index >= *array.cast::<u32>().add(1) {
            trap!(regs, TrapCode::ArrayOutOfBounds)
        }
        let to = array.add(HEADER + index as usize * 16).cast::<u64>();
        let from = regs.slot(2);
        to.write_unaligned(*from);
        to.add(1).write_unaligned(*from.add(1));
        next!(regs, 2)
    }

    /// Field 0 is the destination, field 1 the array.
    fn array_len(regs) {
        let object = *regs.slot(1);
        if object == 0 {
            trap!(regs, TrapCode::NullArrayReference)
        }
        let len = *(*regs.vm).heap.add(object as usize).cast::<u32>().add(1);
        regs.result(len);
        next!(regs, 2)
    }

    /// Field 0 is the destination, field 1 the reference, field 2 whether null
    /// passes; word 2 is the target.
    fn ref_test[T: Test](regs) {
        let reference = *regs.slot(1);
        let passes = if reference == 0 {
            regs.field(2) != 0
        } else {
            T::passes(regs.vm, reference, regs.word(2))
        };
        regs.result(u32::from(passes));
        next!(regs, 3)
    }

    /// Field 0 is the reference, field 2 whether null passes; word 2 is the target.
    fn ref_cast[T: Test](regs) {
        let reference = *regs.slot(0);
        let passes = if reference == 0 {
            regs.field(2) != 0
        } else {
            T::passes(regs.vm, reference, regs.word(2))
        };
        if !passes {
            trap!(regs, TrapCode::CastFailure)
        }
        next!(regs, 3)
    }

    /// As `ref_test`, for functions and for types too deep for displays.
    #[cold]
    fn ref_test_deep(regs) {
        let reference = *regs.slot(1);
        let passes = if reference == 0 {
            regs.field(2) != 0
        } else {
            is_subtype(regs.vm, reference, regs.word(2))
        };
        regs.result(u32::from(passes));
        next!(regs, 3)
    }

    #[cold]
    fn ref_cast_deep(regs) {
        let reference = *regs.slot(0);
        let passes = if reference == 0 {
            regs.field(2) != 0
        } else {
            is_subtype(regs.vm, reference, regs.word(2))
        };
        if !passes {
            trap!(regs, TrapCode::CastFailure)
        }
        next!(regs, 3)
    }

    /// Field 0 is the destination, field 1 the integer.
    fn i31_new(regs) {
        let value = *regs.slot(1) as u32;
        regs.result(value << 1 | 1);
        next!(regs, 2)
    }

    /// Field 0 is the destination, field 1 the reference.
    fn i31_get_s(regs) {
        let reference = *regs.slot(1) as u32;
        if reference == 0 {
            trap!(regs, TrapCode::NullI31Reference)
        }
        regs.result((reference as i32 >> 1) as u32);
        next!(regs, 2)
    }

    fn i31_get_u(regs) {
        let reference = *regs.slot(1) as u32;
        if reference == 0 {
            trap!(regs, TrapCode::NullI31Reference)
        }
        regs.result(reference >> 1);
        next!(regs, 2)
    }

    /// A structure of `N` fields of four bytes: they start at field 0, and there
    /// are as many as field 1 says. The upper half is the size, word 2 the type.
    fn struct_new_words[const N: usize](regs) {
        let (at, object) = allocate!(regs, regs.upper() as usize);
        let from = regs.slot(0);
        let to = object.add(HEADER).cast::<u32>();
        for index in 0..N {
            *to.add(index) = *from.add(index) as u32;
        }
        regs.result(at);
        next!(regs, 3)
    }

    /// A structure: as above, but behind word 2 there are 32 bits for each field,
    /// its offset and the logarithm of its size in the highest four.
    fn struct_new(regs) {
        let (at, object) = allocate!(regs, regs.upper() as usize);
        let slots = regs.field(1);
        let mut from = regs.slot(0);
        let end = from.add(slots);
        let mut places = regs.ip.add(3).cast::<u32>();
        let mut words = 0;
        while from < end {
            let place = *places;
            let to = object.add((place & 0x0FFF_FFFF) as usize);
            match place >> 28 {
                0 => *to = *from as u8,
                1 => *to.cast::<u16>() = *from as u16,
                2 => *to.cast::<u32>() = *from as u32,
                3 => *to.cast::<u64>() = *from,
                _ => {
                    *to.cast::<u64>() = *from;
                    from = from.add(1);
                    *to.cast::<u64>().add(1) = *from;
                }
            }
            from = from.add(1);
            places = places.add(1);
            words += 1;
        }
        regs.result(at);
        next!(regs, 3 + (words + 1) / 2)
    }

    /// As `struct_new`, for a structure that does not fit a window.
    #[cold]
    fn struct_new_large(regs) {
        let words = large_struct(regs.ip, regs.fp, regs.vm);
        if words == 0 {
            return STOPPED;
        }
        next!(regs, words)
    }

    /// A structure of zeros: the upper half is the size, word 2 the type.
    fn struct_new_default(regs) {
        let size = regs.upper() as usize;
        let (at, object) = allocate!(regs, size);
        let mut offset = HEADER;
        // Volatile, lest the loop become a library call.
        while offset < size {
            object.add(offset).cast::<u64>().write_volatile(0);
            offset += 8;
        }
        regs.result(at);
        next!(regs, 3)
    }

    /// Makes room for the allocation at `ip`, which is then executed again: its
    /// live operands end behind the slots that fields 0 and 1 say.
    #[cold]
    #[inline(never)]
    fn refill(regs) {
        let top = regs.slot(0).add(regs.field(1));
        if !make_room(regs.ip, regs.fp, regs.vm, top, regs.upper() as usize) {
            return STOPPED;
        }
        jump!(regs)
    }

    /// Any other instruction: field 0 starts the operands, field 1 counts their
    /// slots, field 2 is a [`Code`], field 3 a storage. Word 2 is a header's first
    /// word and another operand.
    #[cold]
    fn op(regs) {
        let code = execute(regs.ip, regs.fp, regs.vm);
        if code == FAILED {
            return STOPPED;
        }
        if code != 0 {
            regs.acc = code;
            tail!(regs, super::raise)
        }
        next!(regs, 3)
    }
}

/// What [`execute`] returns when the store has an error.
const FAILED: u64 = u64::MAX;

/// The instructions of [`op`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(in crate::interp) enum Code {
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

/// The code of an instruction, and its other operand; none for `struct.new`.
pub(in crate::interp) fn code(op: GcOp) -> Option<(Code, u32)> {
    Some(match op {
        GcOp::StructNew { .. } => return None,
        GcOp::StructNewDefault { .. } => (Code::StructNewDefault, 0),
        GcOp::ArrayNew { .. } => (Code::ArrayNew, 0),
        GcOp::ArrayNewDefault { .. } => (Code::ArrayNewDefault, 0),
        GcOp::ArrayNewFixed { count, .. } => (Code::ArrayNewFixed, count),
        GcOp::ArrayNewData { data, .. } => (Code::ArrayNewData, data),
        GcOp::ArrayNewElem { elem, .. } => (Code::ArrayNewElem, elem),
        GcOp::ArrayFill { .. } => (Code::ArrayFill, 0),
        GcOp::ArrayCopy { .. } => (Code::ArrayCopy, 0),
        GcOp::ArrayInitData { data, .. } => (Code::ArrayInitData, data),
        GcOp::ArrayInitElem { elem, .. } => (Code::ArrayInitElem, elem),
    })
}

const STORAGES: [Storage; 9] = [
    Storage::I8,
    Storage::I16,
    Storage::I32,
    Storage::I64,
    Storage::F32,
    Storage::F64,
    Storage::V128,
    Storage::HeapRef,
    Storage::WideRef,
];

const CODES: [Code; 10] = [
    Code::StructNewDefault,
    Code::ArrayNew,
    Code::ArrayNewDefault,
    Code::ArrayNewFixed,
    Code::ArrayNewData,
    Code::ArrayNewElem,
    Code::ArrayFill,
    Code::ArrayCopy,
    Code::ArrayInitData,
    Code::ArrayInitElem,
];

/// Stops the guest with an error.
unsafe fn fail(error: crate::Error, ip: *const u64, fp: *mut u64, vm: *mut VmCtx) {
    // SAFETY: the store is running this handler and nothing else uses it.
    unsafe {
        let store = (*vm).store;
        (*store).error = Some(error);
        (*store).stop = Some(Stop::Error(Cursor { ip, fp, vm }));
    }
}

#[inline(never)]
unsafe fn make_room(
    ip: *const u64,
    fp: *mut u64,
    vm: *mut VmCtx,
    top: *mut u64,
    size: usize,
) -> bool {
    // SAFETY: as for `fail`; slots from `top` on are dead.
    unsafe {
        match StoreCore::make_room((*vm).store, top, size) {
            Ok(()) => true,
            Err(error) => {
                fail(error, ip, fp, vm);
                false
            }
        }
    }
}

/// `struct.new` of any size: the words of the instruction, or 0 if it failed.
#[inline(never)]
unsafe fn large_struct(ip: *const u64, fp: *mut u64, vm: *mut VmCtx) -> usize {
    // SAFETY: the instruction has the form that `struct_new` describes.
    unsafe {
        let fields = ip.add(1).cast::<u16>();
        let base = fp.add(usize::from(*fields));
        let top = base.add(usize::from(*fields.add(1)));
        let size = *ip.add(1).cast::<u32>().add(1) as usize;
        let object = match StoreCore::allocate((*vm).store, top, *ip.add(2) as u32, 0, size) {
            Ok(object) => object,
            Err(error) => {
                fail(error, ip, fp, vm);
                return 0;
            }
        };
        let mut from = base;
        let mut places = ip.add(3).cast::<u32>();
        let mut count = 0;
        while from < top {
            let to = (*vm).heap.add(object as usize + (*places & 0x0FFF_FFFF) as usize);
            let size = 1 << (*places >> 28);
            to.copy_from(from.cast(), size);
            from = from.add(size.div_ceil(8));
            places = places.add(1);
            count += 1usize;
        }
        *base = object;
        3 + count.div_ceil(2)
    }
}

/// Whether a function or object has a subtype of the target: its header word, or
/// all ones above a function type.
#[inline(never)]
unsafe fn is_subtype(vm: *mut VmCtx, reference: u64, target: u64) -> bool {
    // SAFETY: the reference is of the kind that the target says.
    unsafe {
        let ty = if target >> 32 == u64::from(u32::MAX) {
            (*(reference as *const FuncRecord)).ty
        } else if reference & 1 != 0 || header(vm, reference) & KIND != target as u32 & KIND {
            return false;
        } else {
            header(vm, reference) >> 2
        };
        (*(*vm).store).engine.types().read().is_subtype(ty, target as u32 >> 2)
    }
}

/// Executes an instruction of [`op`]: 0, the code of a trap, or [`FAILED`].
#[inline(never)]
unsafe fn execute(ip: *const u64, fp: *mut u64, vm: *mut VmCtx) -> u64 {
    // SAFETY: the instruction has the form that `op` describes.
    unsafe {
        let fields = ip.add(1).cast::<u16>();
        let base = fp.add(usize::from(*fields));
        let top = base.add(usize::from(*fields.add(1)));
        let code = CODES[usize::from(*fields.add(2))];
        let storage = STORAGES[usize::from(*fields.add(3))];
        let (word, other) = (*ip.add(2) as u32, (*ip.add(2) >> 32) as u32);
        let operands = Operands { vm, base, top, storage, word, other };
        let result = match code {
            Code::StructNewDefault => operands.allocate(0, u64::from(other)).map(|_| ()),
            Code::ArrayNew => operands.array_new(),
            Code::ArrayNewDefault => operands.new_array(*base as u32).map(|_| ()),
            Code::ArrayNewFixed => operands.array_new_fixed(),
            Code::ArrayNewData => operands.array_new_data(),
            Code::ArrayNewElem => operands.array_new_elem(),
            Code::ArrayFill => operands.array_fill(),
            Code::ArrayCopy => operands.array_copy(),
            Code::ArrayInitData => operands.array_init_data(),
            Code::ArrayInitElem => operands.array_init_elem(),
        };
        match result {
            Ok(()) => 0,
            Err(Failure::Trap(code)) => code as u64,
            Err(Failure::Error(error)) => {
                fail(error, ip, fp, vm);
                FAILED
            }
        }
    }
}

enum Failure {
    Trap(TrapCode),
    Error(crate::Error),
}

impl From<crate::Error> for Failure {
    fn from(error: crate::Error) -> Failure {
        Failure::Error(error)
    }
}

type Outcome<T> = Result<T, Failure>;

/// The operands of an instruction of [`op`]. Its functions are called for such
/// instructions only, so that slots hold what the instruction says.
struct Operands {
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

    unsafe fn allocate(&self, second: u32, size: u64) -> Outcome<*mut u8> {
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
    unsafe fn new_array(&self, len: u32) -> Outcome<*mut u8> {
        let bytes = u64::from(len) * size_of(self.storage) as u64;
        // SAFETY: an array of that length has that size.
        unsafe { Ok(self.allocate(len, HEADER as u64 + bytes)?.add(HEADER)) }
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
    unsafe fn range(&self, array: usize, start: usize, len: u32) -> Outcome<*mut u8> {
        // SAFETY: the slot holds an array or null.
        unsafe {
            let object = *self.base.add(array);
            if object == 0 {
                return Err(Failure::Trap(TrapCode::NullArrayReference));
            }
            let array = (*self.vm).heap.add(object as usize);
            let start = *self.base.add(start) as u32;
            let size = *array.cast::<u32>().add(1);
            if start.checked_add(len).is_none_or(|end| end > size) {
                return Err(Failure::Trap(TrapCode::ArrayOutOfBounds));
            }
            Ok(array.add(HEADER + start as usize * size_of(self.storage)))
        }
    }

    unsafe fn array_new(&self) -> Outcome<()> {
        // SAFETY: operands: a value and a length. The value is saved, because the
        // reference replaces it; a collection sees it in its slot.
        unsafe {
            let value = [*self.base, *self.base.add(1)];
            let len = *self.base.add(self.slots()) as u32;
            let to = self.new_array(len)?;
            self.fill(to, value.as_ptr(), len);
            Ok(())
        }
    }

    unsafe fn fill(&self, to: *mut u8, value: *const u64, len: u32) {
        let size = size_of(self.storage);
        // SAFETY: the range is within an array.
        unsafe {
            match size {
                1 => to.write_bytes(*value as u8, len as usize),
                4 if to.cast::<u32>().is_aligned() => {
                    std::slice::from_raw_parts_mut(to.cast::<u32>(), len as usize)
                        .fill(*value as u32);
                }
                8 if to.cast::<u64>().is_aligned() => {
                    std::slice::from_raw_parts_mut(to.cast::<u64>(), len as usize).fill(*value);
                }
                _ => {
                    for index in 0..len as usize {
                        self.write(to.add(index * size), value);
                    }
                }
            }
        }
    }

    unsafe fn array_new_fixed(&self) -> Outcome<()> {
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
                self.write(to.add(index * size_of(self.storage)), from);
            }
            Ok(())
        }
    }

    /// `len` elements from `source` on of a data segment.
    unsafe fn data(&self, source: u64, len: u32) -> Outcome<&[u8]> {
        // SAFETY: the instance is live, and validation checked the index.
        let instance = unsafe { &*(*self.vm).instance };
        let module = instance.module.inner();
        let segment = self.other as usize;
        let bytes = match instance.dropped_data[segment] {
            true => &[][..],
            false => &module.bytes[module.data[segment].range.clone()],
        };
        let len = u64::from(len) * size_of(self.storage) as u64;
        usize::try_from(len)
            .ok()
            .and_then(|len| bytes.get(source as u32 as usize..)?.get(..len))
            .ok_or(Failure::Trap(TrapCode::MemoryOutOfBounds))
    }

    /// `len` references from `source` on of an element segment.
    unsafe fn elements(&self, source: u64, len: u32) -> Outcome<&[u64]> {
        // SAFETY: as above.
        let instance = unsafe { &*(*self.vm).instance };
        let values = instance.elements[self.other as usize].get(source as u32 as usize..);
        values
            .and_then(|values| values.get(..len as usize))
            .ok_or(Failure::Trap(TrapCode::TableOutOfBounds))
    }

    unsafe fn write_elements(&self, to: *mut u8, values: &[u64]) {
        let size = size_of(self.storage);
        for (index, value) in values.iter().enumerate() {
            // SAFETY: the range is within an array of references.
            unsafe { write(self.storage, to.add(index * size), u128::from(*value)) }
        }
    }

    unsafe fn array_new_data(&self) -> Outcome<()> {
        // SAFETY: operands: source and length.
        unsafe {
            let len = *self.base.add(1) as u32;
            let bytes = self.data(*self.base, len)?;
            self.new_array(len)?.copy_from(bytes.as_ptr(), bytes.len());
            Ok(())
        }
    }

    unsafe fn array_new_elem(&self) -> Outcome<()> {
        // SAFETY: operands: source and length.
        unsafe {
            let len = *self.base.add(1) as u32;
            let values = self.elements(*self.base, len)?;
            let to = self.new_array(len)?;
            self.write_elements(to, values);
            Ok(())
        }
    }

    unsafe fn array_fill(&self) -> Outcome<()> {
        // SAFETY: operands: array, start, value, length.
        unsafe {
            let len = *self.base.add(2 + self.slots()) as u32;
            let to = self.range(0, 1, len)?;
            self.fill(to, self.base.add(2), len);
            Ok(())
        }
    }

    unsafe fn array_copy(&self) -> Outcome<()> {
        // SAFETY: operands: array, start, source array, its start, length.
        unsafe {
            let len = *self.base.add(4) as u32;
            if *self.base.add(2) == 0 {
                return Err(Failure::Trap(TrapCode::NullArrayReference));
            }
            let to = self.range(0, 1, len)?;
            let from = self.range(2, 3, len)?;
            to.copy_from(from, len as usize * size_of(self.storage));
            Ok(())
        }
    }

    unsafe fn array_init_data(&self) -> Outcome<()> {
        // SAFETY: operands: array, start, source, length.
        unsafe {
            let len = *self.base.add(3) as u32;
            let to = self.range(0, 1, len)?;
            let bytes = self.data(*self.base.add(2), len)?;
            to.copy_from(bytes.as_ptr(), bytes.len());
            Ok(())
        }
    }

    unsafe fn array_init_elem(&self) -> Outcome<()> {
        // SAFETY: operands: array, start, source, length.
        unsafe {
            let len = *self.base.add(3) as u32;
            let to = self.range(0, 1, len)?;
            let values = self.elements(*self.base.add(2), len)?;
            self.write_elements(to, values);
            Ok(())
        }
    }
}

/// The cells of a storage: by the form of the other operand.
macro_rules! by_cell {
    ($handler:ident, $storage:expr, $extend:expr, [$($source:ty),*]) => {
        match ($storage, $extend) {
            (Storage::I8, Extend::Zero) => [$($handler::<Byte, $source>),*],
            (Storage::I8, Extend::Sign) => [$($handler::<SignedByte, $source>),*],
            (Storage::I16, Extend::Zero) => [$($handler::<Half, $source>),*],
            (Storage::I16, Extend::Sign) => [$($handler::<SignedHalf, $source>),*],
            (Storage::I32 | Storage::F32 | Storage::HeapRef, _) => {
                [$($handler::<Word, $source>),*]
            }
            _ => [$($handler::<Double, $source>),*],
        }
    };
}

/// Handlers of `struct.get`: reference in a slot or the accumulator.
pub(in crate::interp) fn struct_gets(storage: Storage, extend: Extend) -> [Handler; 2] {
    by_cell!(struct_get, storage, extend, [InSlot, InAcc])
}

/// Handlers of `struct.set`: value in a slot, the accumulator, or immediate.
pub(in crate::interp) fn struct_sets(storage: Storage) -> [Handler; 3] {
    by_cell!(struct_set, storage, Extend::Zero, [InSlot, InAcc, InWord<2>])
}

/// Handlers of `array.get`: index in a slot or the accumulator.
pub(in crate::interp) fn array_gets(storage: Storage, extend: Extend) -> [Handler; 2] {
    by_cell!(array_get, storage, extend, [InSlot, InAcc])
}

/// Handlers of `array.set`: value in a slot, the accumulator, or immediate.
pub(in crate::interp) fn array_sets(storage: Storage) -> [Handler; 3] {
    by_cell!(array_set, storage, Extend::Zero, [InSlot, InAcc, InWord<2>])
}

/// Handlers that test and cast to something other than a defined type.
pub(in crate::interp) fn abstract_tests(target: HeapTarget) -> [Handler; 2] {
    match target {
        HeapTarget::Top => [ref_test::<IsTop>, ref_cast::<IsTop>],
        HeapTarget::I31 => [ref_test::<IsI31>, ref_cast::<IsI31>],
        HeapTarget::Eq => [ref_test::<IsEq>, ref_cast::<IsEq>],
        HeapTarget::Struct => [ref_test::<IsStruct>, ref_cast::<IsStruct>],
        HeapTarget::Array => [ref_test::<IsArray>, ref_cast::<IsArray>],
        HeapTarget::Bottom | HeapTarget::Type(_) => [ref_test::<IsBottom>, ref_cast::<IsBottom>],
    }
}

/// Handlers for a type without subtypes, one with a display, and any other.
pub(in crate::interp) const FINAL: [Handler; 2] = [ref_test::<IsFinal>, ref_cast::<IsFinal>];
pub(in crate::interp) const SHALLOW: [Handler; 2] = [ref_test::<IsType>, ref_cast::<IsType>];
pub(in crate::interp) const DEEP: [Handler; 2] = [ref_test_deep, ref_cast_deep];
