//! The vector ops.
//!
//! A vector is read from its two slots and written to them as one 16-byte value:
//! two writes of 8 bytes would make the next read of 16 wait for both to retire.
//! There is no vector accumulator. Lanes that are replaced are blended in under a
//! mask from the code for the same reason.
//!
//! Whole vectors are moved from and to memory by ordinary accesses, lanes by volatile
//! ones as in [`super::memory`]: a volatile access of an array would be one for each of
//! its lanes. What is read is used once, for the result, and decides nothing; so if
//! another thread changes it meanwhile, lanes may be of different times, which the
//! specification allows.
//!
//! All handlers exist for each tier of machine, made from the same source: the
//! lane arrays of the reference definitions become the vector instructions the
//! tier has, and the tier's own definitions, written with intrinsics, take the
//! place of those the compiler does not see through. [`tier`] says which one to use
//! when code is encoded.

#[cfg_attr(target_arch = "x86_64", path = "simd/x86.rs")]
#[cfg_attr(target_arch = "aarch64", path = "simd/aarch64.rs")]
#[cfg_attr(not(any(target_arch = "x86_64", target_arch = "aarch64")), path = "simd/portable.rs")]
mod level;
#[cfg(all(test, target_arch = "x86_64"))]
mod tests;

use super::control::leave;
use super::memory::{read, write};
use super::{Handler, InAcc, InImm, InSlot, Lane, Regs, Source, handlers, next, outside};
use crate::stack::stop::Access;
use crate::store::GlobalInst;
use std::sync::atomic::{Ordering, compiler_fence};
use zwasm_regir::lanes::{Lanes, U8x16, U64x2};
use zwasm_regir::simd_ops::{Binary, Extract, Load, Shift, Splat, Ternary, Test, Unary, meaning};

/// Reads a vector.
#[inline(always)]
unsafe fn get<T: Lanes>(slot: *const u64) -> T {
    const { assert!(size_of::<T>() == 16) }
    // SAFETY: the two slots are the caller's; any bits are a value of these types.
    unsafe { slot.cast::<T>().read_unaligned() }
}

/// Writes a vector.
#[inline(always)]
unsafe fn set<T: Lanes>(slot: *mut u64, value: T) {
    const { assert!(size_of::<T>() == 16) }
    // SAFETY: the two slots are the caller's.
    unsafe { slot.cast::<T>().write_unaligned(value) }
}

impl Regs {
    /// Stores a vector in the slots of field 0. The fence (for the compiler only)
    /// keeps it from reading the field before it has a register to spare.
    #[inline(always)]
    unsafe fn vector<T: Lanes>(&self, value: T) {
        compiler_fence(Ordering::SeqCst);
        // SAFETY: field 0 names the destination.
        unsafe { set(self.slot(0), value) }
    }
}

/// The lanes of `a` where the mask is set, of `b` elsewhere.
#[inline(always)]
fn blend(mask: U64x2, a: U64x2, b: U64x2) -> U64x2 {
    [(a[0] & mask[0]) | (b[0] & !mask[0]), (a[1] & mask[1]) | (b[1] & !mask[1])]
}

/// A lane as moved to and from memory.
pub(in crate::interp) trait Bits: Copy {
    /// The low bits of a slot.
    fn from_slot(bits: u64) -> Self;
    /// A vector of copies.
    fn splat(self) -> U64x2;
}

macro_rules! bits {
    ($($ty:ident)*) => {$(
        impl Bits for $ty {
            #[inline(always)]
            fn from_slot(bits: u64) -> $ty {
                bits as $ty
            }
            #[inline(always)]
            fn splat(self) -> U64x2 {
                [u64::from(self) * (u64::MAX / u64::from($ty::MAX)); 2]
            }
        }
    )*};
}
bits! { u8 u16 u32 u64 }

/// Where an access of a `T` goes, or none if it is out of bounds: to memory 0 with
/// 32-bit addresses and the offset in the upper half; or with `ANY` to the memory
/// in the upper half, and the offset in word 2. The sums of the first kind cannot
/// wrap, as in [`super::memory`].
#[inline(always)]
unsafe fn place<T, A: Source, const ANY: bool>(regs: &Regs, field: usize) -> Result<*mut T, u64> {
    // SAFETY: the instruction has these operands and the instance this memory; the
    // place is within it.
    unsafe {
        if !ANY {
            let address: u32 = A::get(regs, field);
            let start = address as usize + regs.upper() as usize;
            let inside = start + size_of::<T>() <= regs.len;
            return if inside { Ok(regs.mem.add(start).cast()) } else { Err(start as u64) };
        }
        let memory = *(*regs.vm).memories.add(regs.upper() as usize);
        let address: u64 = A::get(regs, field);
        let address = if (*memory).ty.memory64 { address } else { address as u32 as u64 };
        let (start, wrapped) = address.overflowing_add(regs.word(2));
        let (end, past) = start.overflowing_add(size_of::<T>() as u64);
        let inside = !wrapped && !past && end <= (*memory).len as u64;
        match inside {
            true => Ok((*memory).base.add(start as usize).cast()),
            false => Err(if wrapped { Access::NOWHERE } else { start }),
        }
    }
}

/// The words of an access up to its lane or mask.
const fn access_words(any: bool) -> usize {
    if any { 3 } else { 2 }
}

handlers! {
    /// An immediate, in words 2 and 3.
    fn vector_const(regs) {
        regs.vector(get::<U64x2>(regs.ip.add(2)));
        next!(regs, 4)
    }

    fn vector_copy(regs) {
        regs.vector(get::<U64x2>(regs.slot(1)));
        next!(regs, 2)
    }

    /// `cond ? a : b`, the condition in field 3.
    fn vector_select[C: Source](regs) {
        let cond: u32 = C::get(&regs, 3);
        let chosen = if cond != 0 { regs.slot(1) } else { regs.slot(2) };
        regs.vector(get::<U64x2>(chosen));
        next!(regs, 2)
    }

    fn vector_global_get(regs) {
        let global: *const GlobalInst = regs.vm.byte_add(regs.upper() as usize).cast();
        regs.vector(get::<U64x2>((&raw const (*global).value).cast()));
        next!(regs, 2)
    }

    fn vector_global_get_imported(regs) {
        let global = *(*regs.vm).globals.add(regs.upper() as usize);
        regs.vector(get::<U64x2>((&raw const (*global).value).cast()));
        next!(regs, 2)
    }

    fn vector_global_set(regs) {
        let global: *mut GlobalInst = regs.vm.byte_add(regs.upper() as usize).cast();
        set((&raw mut (*global).value).cast(), get::<U64x2>(regs.slot(0)));
        next!(regs, 2)
    }

    fn vector_global_set_imported(regs) {
        let global = *(*regs.vm).globals.add(regs.upper() as usize);
        set((&raw mut (*global).value).cast(), get::<U64x2>(regs.slot(0)));
        next!(regs, 2)
    }

    /// Returns the vector of field 1. Field 0 is the header.
    fn ret_vector(regs) {
        set(regs.fp, get::<U64x2>(regs.slot(1)));
        let header = regs.slot(0);
        leave!(regs, header)
    }

    /// Field 2 is the byte of the vector at which the lane starts.
    fn extract[O: Extract<R: Lane>](regs) {
        let lane = regs.slot(1).byte_add(regs.field(2)).cast::<O::M>();
        regs.result(O::extend(lane.read_unaligned()));
        next!(regs, 2)
    }

    /// Field 1 is the vector, field 2 the scalar; words 2 and 3 mask the lane.
    fn replace[T: Bits, V: Source](regs) {
        let value: u64 = V::get(&regs, 2);
        let vector = get(regs.slot(1));
        regs.vector(blend(get(regs.ip.add(2)), T::from_slot(value).splat(), vector));
        next!(regs, 4)
    }

    /// Field 1 is the address. Behind the access are a mask of the lane and the
    /// slot of the vector.
    fn load_lane[T: Bits, const ANY: bool](regs) {
        let place = match place::<T, InSlot, ANY>(&regs, 1) {
            Ok(place) => place,
            Err(start) if ANY => outside!(regs, start, UPPER),
            Err(start) => outside!(regs, start),
        };
        let value: T = read(place.cast());
        let at = access_words(ANY);
        let vector = get(regs.fp.add(regs.word(at + 2) as usize));
        regs.vector(blend(get(regs.ip.add(at)), value.splat(), vector));
        next!(regs, at + 3)
    }

    /// Field 0 is the address, field 1 the vector.
    fn store[A: Source, const ANY: bool](regs) {
        let place = match place::<U64x2, A, ANY>(&regs, 0) {
            Ok(place) => place,
            Err(start) if ANY => outside!(regs, start, UPPER),
            Err(start) => outside!(regs, start),
        };
        place.write_unaligned(get(regs.slot(1)));
        next!(regs, access_words(ANY))
    }

    /// As `store`; behind the access is the byte of the vector at which the lane
    /// starts.
    fn store_lane[T: Bits, const ANY: bool](regs) {
        let place = match place::<T, InSlot, ANY>(&regs, 0) {
            Ok(place) => place,
            Err(start) if ANY => outside!(regs, start, UPPER),
            Err(start) => outside!(regs, start),
        };
        let at = access_words(ANY);
        let lane = regs.slot(1).byte_add(regs.word(at) as usize).cast::<T>();
        write(place.cast(), lane.read_unaligned());
        next!(regs, at + 1)
    }
}

/// Handlers of `select`: the condition in a slot or the accumulator.
pub(in crate::interp) static SELECT: [Handler; 2] =
    [vector_select::<InSlot>, vector_select::<InAcc>];

/// Handlers of `global.get` and `global.set`: own or imported.
pub(in crate::interp) static GLOBAL: [[Handler; 2]; 2] = [
    [vector_global_get, vector_global_get_imported],
    [vector_global_set, vector_global_set_imported],
];

/// Handlers of the replacement of a lane: by width; value in a slot or the
/// accumulator.
pub(in crate::interp) static REPLACE: [[Handler; 2]; 4] = [
    [replace::<u8, InSlot>, replace::<u8, InAcc>],
    [replace::<u16, InSlot>, replace::<u16, InAcc>],
    [replace::<u32, InSlot>, replace::<u32, InAcc>],
    [replace::<u64, InSlot>, replace::<u64, InAcc>],
];

/// Handlers of loads of a lane: by width; memory 0 or any.
pub(in crate::interp) static LOAD_LANE: [[Handler; 2]; 4] = [
    [load_lane::<u8, false>, load_lane::<u8, true>],
    [load_lane::<u16, false>, load_lane::<u16, true>],
    [load_lane::<u32, false>, load_lane::<u32, true>],
    [load_lane::<u64, false>, load_lane::<u64, true>],
];

/// Handlers of stores: address in a slot or the accumulator; any memory.
pub(in crate::interp) static STORE: [Handler; 3] =
    [store::<InSlot, false>, store::<InAcc, false>, store::<InSlot, true>];

/// Handlers of stores of a lane: by width; memory 0 or any.
pub(in crate::interp) static STORE_LANE: [[Handler; 2]; 4] = [
    [store_lane::<u8, false>, store_lane::<u8, true>],
    [store_lane::<u16, false>, store_lane::<u16, true>],
    [store_lane::<u32, false>, store_lane::<u32, true>],
    [store_lane::<u64, false>, store_lane::<u64, true>],
];

macro_rules! extract_table {
    ($($name:ident $facts:tt $meaning:tt;)*) => {
        /// Handlers of the ops that take a lane out, by op.
        pub(in crate::interp) static EXTRACT: &[Handler] = &[$(extract::<meaning::$name>,)*];
    };
}
zwasm_regir::for_each_simd_extract!(extract_table);

/// Declares a tier: its handlers, compiled with the given attributes, of the ops as
/// module `ops` defines them.
macro_rules! tier {
    ($(#[$doc:meta])* mod $tier:ident, ops from $ops:path, $(#[$target:meta])*) => {
        $(#[$doc])*
        mod $tier {
            use super::*;
            pub(super) use $ops as ops;

            handlers! {
                $(#[$target])*
                fn unary[O: Unary](regs) {
                    regs.vector(O::eval(get(regs.slot(1))));
                    next!(regs, 2)
                }

                $(#[$target])*
                fn binary[O: Binary](regs) {
                    regs.vector(O::eval(get(regs.slot(1)), get(regs.slot(2))));
                    next!(regs, 2)
                }

                $(#[$target])*
                fn ternary[O: Ternary](regs) {
                    let (a, b) = (get(regs.slot(1)), get(regs.slot(2)));
                    regs.vector(O::eval(a, b, get(regs.slot(3))));
                    next!(regs, 2)
                }

                /// The count is field 2 or the upper half.
                $(#[$target])*
                fn shift[O: Shift, N: Source](regs) {
                    regs.vector(O::eval(get(regs.slot(1)), N::get(&regs, 2)));
                    next!(regs, 2)
                }

                $(#[$target])*
                fn test[O: Test](regs) {
                    let value: u32 = O::eval(get(regs.slot(1)));
                    regs.result(value);
                    next!(regs, 2)
                }

                $(#[$target])*
                fn splat[O: Splat<A: Lane>, A: Source](regs) {
                    regs.vector(O::eval(A::get(&regs, 1)));
                    next!(regs, 2)
                }

                /// Field 1 is the address.
                $(#[$target])*
                fn load[O: Load, A: Source, const ANY: bool](regs) {
                    let place = match place::<O::M, A, ANY>(&regs, 1) {
                        Ok(place) => place,
                        Err(start) if ANY => outside!(regs, start, UPPER),
                        Err(start) => outside!(regs, start),
                    };
                    regs.vector(O::extend(place.read_unaligned()));
                    next!(regs, access_words(ANY))
                }

                /// The lanes chosen are words 2 and 3.
                $(#[$target])*
                fn shuffle(regs) {
                    let lanes: U8x16 = get(regs.ip.add(2));
                    let (a, b) = (regs.slot(1), regs.slot(2));
                    regs.vector(ops::shuffle(a, b, lanes));
                    next!(regs, 4)
                }
            }
        }
    };
}

tier! {
    /// What every machine has.
    mod base, ops from super::level::baseline,
}

#[cfg(target_arch = "x86_64")]
tier! {
    /// Machines with SSE4.2 and what came before it.
    mod better, ops from super::level::sse4, #[target_feature(enable = "sse4.2")]
}

#[cfg(not(target_arch = "x86_64"))]
use base as better;

/// Which of the two handlers in a table this machine runs.
pub(in crate::interp) fn tier() -> usize {
    #[cfg(target_arch = "x86_64")]
    let better = std::arch::is_x86_feature_detected!("sse4.2");
    #[cfg(not(target_arch = "x86_64"))]
    let better = false;
    usize::from(better)
}

/// Declares the table of a class of ops: for each op the handlers of both tiers,
/// an entry each or an array of operand forms.
macro_rules! table {
    (
        $(#[$doc:meta])* $table:ident: $entry:ty, $handler:ident $forms:tt;
        $($name:ident $facts:tt $meaning:tt;)*
    ) => {
        $(#[$doc])*
        pub(in crate::interp) static $table: &[[$entry; 2]] = &[$([
            table!(@ base $handler $name $forms),
            table!(@ better $handler $name $forms),
        ],)*];
    };
    (@ $tier:ident $handler:ident $name:ident []) => {
        $tier::$handler::<$tier::ops::$name>
    };
    (@ $tier:ident $handler:ident $name:ident [SlotAcc]) => {
        [
            $tier::$handler::<$tier::ops::$name, InSlot>,
            $tier::$handler::<$tier::ops::$name, InAcc>,
        ]
    };
    (@ $tier:ident $handler:ident $name:ident [SlotAccImm]) => {
        [
            $tier::$handler::<$tier::ops::$name, InSlot>,
            $tier::$handler::<$tier::ops::$name, InAcc>,
            $tier::$handler::<$tier::ops::$name, InImm>,
        ]
    };
    (@ $tier:ident $handler:ident $name:ident [Access]) => {
        [
            $tier::$handler::<$tier::ops::$name, InSlot, false>,
            $tier::$handler::<$tier::ops::$name, InAcc, false>,
            $tier::$handler::<$tier::ops::$name, InSlot, true>,
        ]
    };
}

macro_rules! unary_table {
    ($($rows:tt)*) => {
        table! {
            /// Handlers of ops on one vector.
            UNARY: Handler, unary []; $($rows)*
        }
    };
}
zwasm_regir::for_each_simd_unary!(unary_table);

macro_rules! binary_table {
    ($($rows:tt)*) => {
        table! {
            /// Handlers of ops on two vectors.
            BINARY: Handler, binary []; $($rows)*
        }
    };
}
zwasm_regir::for_each_simd_binary!(binary_table);

macro_rules! ternary_table {
    ($($rows:tt)*) => {
        table! {
            /// Handlers of ops on three vectors.
            TERNARY: Handler, ternary []; $($rows)*
        }
    };
}
zwasm_regir::for_each_simd_ternary!(ternary_table);

macro_rules! shift_table {
    ($($rows:tt)*) => {
        table! {
            /// Handlers of shifts: the count in a slot, the accumulator, immediate.
            SHIFT: [Handler; 3], shift [SlotAccImm]; $($rows)*
        }
    };
}
zwasm_regir::for_each_simd_shift!(shift_table);

macro_rules! test_table {
    ($($rows:tt)*) => {
        table! {
            /// Handlers of ops from a vector to an `i32`.
            TEST: Handler, test []; $($rows)*
        }
    };
}
zwasm_regir::for_each_simd_test!(test_table);

macro_rules! splat_table {
    ($($rows:tt)*) => {
        table! {
            /// Handlers of splats: the scalar in a slot or its accumulator.
            SPLAT: [Handler; 2], splat [SlotAcc]; $($rows)*
        }
    };
}
zwasm_regir::for_each_simd_splat!(splat_table);

macro_rules! load_table {
    ($($rows:tt)*) => {
        table! {
            /// Handlers of loads: address in a slot or the accumulator; any memory.
            LOAD: [Handler; 3], load [Access]; $($rows)*
        }
    };
}
zwasm_regir::for_each_simd_load!(load_table);

/// Handlers of `shuffle`.
pub(in crate::interp) static SHUFFLE: [Handler; 2] = [base::shuffle, better::shuffle];
