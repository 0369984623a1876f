//! Structures, arrays, 31-bit integers and casts.
//!
//! Reading and writing a field or element, testing a type and allocating a
//! structure are a few instructions each. A structure is allocated by moving the
//! window's cursor; when the window is full, [`refill`] makes room (and collects,
//! if that is due) and the instruction is executed again. Arrays are allocated,
//! filled and copied by [`op`], which calls out to [`objects`](crate::interp::objects).

use super::call::function;
use super::{Handler, InAcc, InSlot, InWord, Source, done, handlers, jump, next, tail, trap};
use crate::interp::objects::{execute, large_struct, make_room};
use crate::store::vmctx::VmCtx;
use zwasm_regir::gc::{Extend, HeapTarget};
use zwasm_regir::object::{
    EXTERN_WORD, HEADER, I31_SHIFT, KIND_BITS, Kind, LENGTH, element_offset, i31, is_i31, is_kind,
    number,
};
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
    unsafe fn passes(vm: *mut VmCtx, reference: u32, target: u64) -> bool;
}

macro_rules! tests {
    ($($(#[$meta:meta])* $name:ident = |$vm:ident, $reference:ident, $target:ident| $passes:expr;)*) => {$(
        $(#[$meta])*
        pub(in crate::interp) struct $name;
        impl Test for $name {
            #[allow(unused_unsafe, reason = "not every test looks at the object")]
            #[inline(always)]
            unsafe fn passes($vm: *mut VmCtx, $reference: u32, $target: u64) -> bool {
                // SAFETY: a reference that is not null and not an integer is a live
                // object of the heap; records live as long as the store.
                unsafe { $passes }
            }
        }
    )*};
}

tests! {
    IsTop = |_vm, _reference, _target| true;
    IsBottom = |_vm, _reference, _target| false;
    IsI31 = |_vm, reference, _target| is_i31(reference);
    IsEq = |vm, reference, _target| is_i31(reference) || header(vm, reference) != EXTERN_WORD;
    IsStruct = |vm, reference, _target| {
        !is_i31(reference) && is_kind(header(vm, reference), Kind::Struct)
    };
    IsArray = |vm, reference, _target| {
        !is_i31(reference) && is_kind(header(vm, reference), Kind::Array)
    };
    /// Exactly the target.
    IsFinal = |vm, reference, target| {
        !is_i31(reference) && header(vm, reference) == target as u32
    };
    /// The target, or a type whose display has it at its depth.
    IsType = |vm, reference, target| {
        if is_i31(reference) {
            false
        } else {
            let word = header(vm, reference);
            word == target as u32 || {
                let displays = &(*(*vm).store).gc.layouts.displays;
                displays.has(word, (target >> 32) as usize, number(target as u32))
            }
        }
    };
    /// A function of the target's type, or one whose display has it at its depth.
    IsFunc = |vm, reference, target| {
        let record = function(vm, reference.into());
        !record.is_null() && {
            let word = (*record).ty << KIND_BITS;
            word == target as u32 || {
                let displays = &(*(*vm).store).gc.layouts.displays;
                displays.has(word, (target >> 32) as usize, number(target as u32))
            }
        }
    };
}

/// Where an object is.
///
/// The reference is 32 bits of whatever the slot holds: what is read or written through
/// the result, at whatever offset of a field, is in the heap's region or its guard.
#[inline(always)]
pub(in crate::interp) unsafe fn object(vm: *mut VmCtx, reference: u32) -> *mut u8 {
    // SAFETY: the instance is live.
    unsafe { (*vm).heap.add(reference as usize) }
}

/// Where an element of an array is.
#[inline(always)]
unsafe fn element(vm: *mut VmCtx, reference: u32, index: u32, size: usize) -> *mut u8 {
    // SAFETY: as above.
    unsafe { object(vm, element_offset(reference, index, size)).add(HEADER) }
}

/// The length of an array.
#[inline(always)]
pub(in crate::interp) unsafe fn length(array: *const u8) -> u32 {
    // SAFETY: the array is a live object, or what a forged reference leads to.
    unsafe { *array.add(LENGTH).cast::<u32>() }
}

/// The first word of an object's header.
#[inline(always)]
pub(in crate::interp) unsafe fn header(vm: *mut VmCtx, reference: u32) -> u32 {
    // SAFETY: the reference is a live object.
    unsafe { *object(vm, reference).cast::<u32>() }
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
        let object = (*$regs.vm).heap.add(at);
        // The type; a structure's second word is unused.
        object.cast::<u64>().write($regs.word(2) as u32 as u64);
        (at as u64, object)
    }};
}

handlers! {
    /// Field 0 is the destination, field 1 the structure, the upper half the
    /// offset of the field.
    fn struct_get[C: Cell, O: Source](regs) {
        let reference = O::reference(&regs, 1);
        if reference == 0 {
            trap!(regs, TrapCode::NullStructReference)
        }
        let value = C::load(object(regs.vm, reference).add(regs.upper() as usize));
        regs.result(value);
        next!(regs, 2)
    }

    /// Field 0 is the structure, field 1 the value, the upper half the offset of
    /// the field.
    fn struct_set[C: Cell, V: Source](regs) {
        let reference = regs.reference(0);
        if reference == 0 {
            trap!(regs, TrapCode::NullStructReference)
        }
        let value: u64 = V::get(&regs, 1);
        C::store(object(regs.vm, reference).add(regs.upper() as usize), value);
        next!(regs, 2 + V::WIDE)
    }

    fn struct_get_v128(regs) {
        let reference = regs.reference(1);
        if reference == 0 {
            trap!(regs, TrapCode::NullStructReference)
        }
        let from = object(regs.vm, reference).add(regs.upper() as usize).cast::<u128>();
        let to = regs.slot(0).cast::<u128>();
        to.write_unaligned(from.read_unaligned());
        next!(regs, 2)
    }

    fn struct_set_v128(regs) {
        let reference = regs.reference(0);
        if reference == 0 {
            trap!(regs, TrapCode::NullStructReference)
        }
        let to = object(regs.vm, reference).add(regs.upper() as usize).cast::<u128>();
        let from = regs.slot(1).cast::<u128>();
        to.write_unaligned(from.read_unaligned());
        next!(regs, 2)
    }

    /// Field 0 is the destination, field 1 the array, field 2 the index.
    fn array_get[C: Cell, I: Source](regs) {
        let reference = regs.reference(1);
        if reference == 0 {
            trap!(regs, TrapCode::NullArrayReference)
        }
        let array = object(regs.vm, reference);
        let index: u32 = I::get(&regs, 2);
        if index >= length(array) {
            trap!(regs, TrapCode::ArrayOutOfBounds)
        }
        let value = C::load(element(regs.vm, reference, index, C::SIZE));
        regs.result(value);
        next!(regs, 2)
    }

    /// Field 0 is the array, field 1 the index, field 2 the value.
    fn array_set[C: Cell, V: Source](regs) {
        let reference = regs.reference(0);
        if reference == 0 {
            trap!(regs, TrapCode::NullArrayReference)
        }
        let array = object(regs.vm, reference);
        let index = *regs.slot(1) as u32;
        if index >= length(array) {
            trap!(regs, TrapCode::ArrayOutOfBounds)
        }
        let place = element(regs.vm, reference, index, C::SIZE);
        let value: u64 = V::get(&regs, 2);
        C::store(place, value);
        next!(regs, 2 + V::WIDE)
    }

    fn array_get_v128(regs) {
        let reference = regs.reference(1);
        if reference == 0 {
            trap!(regs, TrapCode::NullArrayReference)
        }
        let array = object(regs.vm, reference);
        let index = *regs.slot(2) as u32;
        if index >= length(array) {
            trap!(regs, TrapCode::ArrayOutOfBounds)
        }
        let from = element(regs.vm, reference, index, 16).cast::<u128>();
        let to = regs.slot(0).cast::<u128>();
        to.write_unaligned(from.read_unaligned());
        next!(regs, 2)
    }

    fn array_set_v128(regs) {
        let reference = regs.reference(0);
        if reference == 0 {
            trap!(regs, TrapCode::NullArrayReference)
        }
        let array = object(regs.vm, reference);
        let index = *regs.slot(1) as u32;
        if index >= length(array) {
            trap!(regs, TrapCode::ArrayOutOfBounds)
        }
        let to = element(regs.vm, reference, index, 16).cast::<u128>();
        let from = regs.slot(2).cast::<u128>();
        to.write_unaligned(from.read_unaligned());
        next!(regs, 2)
    }

    /// Field 0 is the destination, field 1 the array.
    fn array_len(regs) {
        let reference = regs.reference(1);
        if reference == 0 {
            trap!(regs, TrapCode::NullArrayReference)
        }
        let len = length(object(regs.vm, reference));
        regs.result(len);
        next!(regs, 2)
    }

    /// Field 0 is the destination, field 1 the reference, field 2 whether null
    /// passes; word 2 is the target.
    fn ref_test[T: Test](regs) {
        let reference = regs.reference(1);
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
        let reference = regs.reference(0);
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

    /// Field 0 is the destination, field 1 the integer.
    fn i31_new(regs) {
        let value = *regs.slot(1) as u32;
        regs.result(i31(value));
        next!(regs, 2)
    }

    /// Field 0 is the destination, field 1 the reference.
    fn i31_get_s(regs) {
        let reference = regs.reference(1);
        if reference == 0 {
            trap!(regs, TrapCode::NullI31Reference)
        }
        regs.result((reference as i32 >> I31_SHIFT) as u32);
        next!(regs, 2)
    }

    fn i31_get_u(regs) {
        let reference = regs.reference(1);
        if reference == 0 {
            trap!(regs, TrapCode::NullI31Reference)
        }
        regs.result(reference >> I31_SHIFT);
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
        let mut words = 0usize;
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
        next!(regs, 3 + words.div_ceil(2))
    }

    /// Any other structure: word 1 is where its fields start and how many slots they
    /// fill, word 2 a header's first word and the size, word 3 the type in the module.
    #[cold]
    fn struct_new_large(regs) {
        done!(regs, large_struct(regs.ip, regs.fp, regs.vm));
        next!(regs, 4)
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
        done!(regs, make_room(regs.ip, regs.fp, regs.vm, top, regs.upper() as usize));
        jump!(regs)
    }

    /// Any other instruction: word 1 is where the operands start and how many slots
    /// they fill, word 2 a header's first word and another operand, word 3 a
    /// [`Operation`](crate::interp::objects::Operation) and a storage.
    #[cold]
    fn op(regs) {
        done!(regs, execute(regs.ip, regs.fp, regs.vm));
        next!(regs, 4)
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
            (Storage::I32 | Storage::F32 | Storage::HeapRef | Storage::FuncRef, _) => {
                [$($handler::<Word, $source>),*]
            }
            (Storage::I64 | Storage::F64 | Storage::V128 | Storage::WideRef, _) => {
                [$($handler::<Double, $source>),*]
            }
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

/// Handlers for a type of objects without subtypes, and any other.
pub(in crate::interp) const FINAL: [Handler; 2] = [ref_test::<IsFinal>, ref_cast::<IsFinal>];
pub(in crate::interp) const TYPE: [Handler; 2] = [ref_test::<IsType>, ref_cast::<IsType>];

/// Handlers for a type of functions.
pub(in crate::interp) const FUNC: [Handler; 2] = [ref_test::<IsFunc>, ref_cast::<IsFunc>];
