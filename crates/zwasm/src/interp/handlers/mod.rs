//! The handlers of threaded code.
//!
//! Every handler has the same signature: six integer and two float arguments,
//! which all travel in registers, and a scalar result. A handler ends by jumping
//! to the next instruction's handler; with this signature, and nothing left to
//! drop, LLVM makes that call a jump. Whatever really calls out is marked
//! `#[cold]` and reached by a jump as well, so that the hot handlers need no
//! stack frame. Where the compiler cannot be relied on for that (unoptimised
//! builds, other targets) a handler parks its registers in the store instead
//! and a loop calls the next one. Compiled code is a handler too: it is entered
//! and left by jumps with the same registers, in this order of arguments, which
//! leaves the two registers that shifts and divisions need to `ip` and `acc`.
//!
//! # Safety
//!
//! The handlers trust the encoder, which trusts the validator:
//! - `ip` points at an instruction of the threaded code whose first word is this
//!   handler; its operands follow in the form this handler expects.
//! - `fp` is a frame with room for every slot the code names; the check at the
//!   call made sure of it.
//! - `vm` is the `vmctx` of the instance the code runs in, and `mem` and `len`
//!   are the base and size of its memory 0. They are read again after anything
//!   that can change them.
//! - `acc`, `fd` and `fs` hold what the encoder says they hold, or anything.

#[cfg(feature = "threads")]
pub(super) mod atomic;
pub(super) mod bulk;
pub(super) mod call;
pub(super) mod check;
pub(super) mod control;
pub(super) mod dispatch;
pub(super) mod exceptions;
pub(super) mod far;
mod float;
pub(super) mod gc;
pub(super) mod globals_tables;
pub(super) mod memory;
pub(super) mod numeric;
#[cfg(feature = "trace")]
pub(super) mod observe;
#[cfg(feature = "simd")]
pub(super) mod simd;
pub(super) mod warmth;

#[cfg(all(
    test,
    any(target_arch = "x86_64", target_arch = "aarch64"),
    target_os = "linux",
    tail_dispatch,
    not(debug_assertions)
))]
mod disassembly;

use crate::stack::stop::{Outcome, Stopped};
use crate::stack::walk::Cursor;
use crate::store::vmctx::VmCtx;
use zwasm_regir::TrapCode;
use zwasm_regir::ops::Scalar;

/// The interpreter's registers.
#[derive(Clone, Copy)]
pub(crate) struct Regs {
    /// The instance.
    pub(crate) vm: *mut VmCtx,
    /// The frame.
    pub(crate) fp: *mut u64,
    /// The instruction being executed.
    pub(crate) ip: *const u64,
    /// The integer accumulator.
    pub(crate) acc: u64,
    /// The first byte of memory 0.
    pub(crate) mem: *mut u8,
    /// The size of memory 0 in bytes.
    pub(crate) len: usize,
    /// The `f64` accumulator.
    pub(crate) fd: f64,
    /// The `f32` accumulator.
    pub(crate) fs: f32,
}

/// What a handler returns when the activation ends.
const DONE: usize = 0;
/// What a handler returns when the guest is stopped.
pub(crate) const STOPPED: usize = 1;
/// What a handler returns to the loop when it has parked its registers.
#[cfg(not(tail_dispatch))]
pub(crate) const NEXT: usize = 2;

/// Declares handlers: `fn name[generics](registers) { body }`. A body ends in
/// one of the macros below, which return.
macro_rules! handlers {
    ($abi:literal; $($(#[$meta:meta])* fn $name:ident $([$($generics:tt)*])? ($regs:ident) $body:block)*) => {$(
        $(#[$meta])*
        #[allow(unused_mut, unused_unsafe, reason = "not every handler changes registers or memory")]
        pub(in crate::interp) unsafe extern $abi fn $name $(<$($generics)*>)? (
            vm: *mut $crate::store::vmctx::VmCtx,
            fp: *mut u64,
            ip: *const u64,
            acc: u64,
            mem: *mut u8,
            len: usize,
            fd: f64,
            fs: f32,
        ) -> usize {
            let mut $regs = $crate::interp::handlers::Regs { vm, fp, ip, acc, mem, len, fd, fs };
            // SAFETY: the encoder chose this handler for this instruction; see the
            // module header for what that guarantees.
            unsafe { $body }
        }
    )*};
    ($($rest:tt)*) => { $crate::interp::handlers::with_abi!($($rest)*); };
}

/// The calling convention with six integer registers, whatever the system.
#[cfg(target_arch = "x86_64")]
macro_rules! with_abi {
    ($($rest:tt)*) => { $crate::interp::handlers::handlers!("sysv64"; $($rest)*); };
}
#[cfg(not(target_arch = "x86_64"))]
macro_rules! with_abi {
    ($($rest:tt)*) => { $crate::interp::handlers::handlers!("C"; $($rest)*); };
}

/// The type of a handler.
#[cfg(target_arch = "x86_64")]
pub(crate) type Handler = unsafe extern "sysv64" fn(
    *mut VmCtx,
    *mut u64,
    *const u64,
    u64,
    *mut u8,
    usize,
    f64,
    f32,
) -> usize;
/// The type of a handler.
#[cfg(not(target_arch = "x86_64"))]
pub(crate) type Handler =
    unsafe extern "C" fn(*mut VmCtx, *mut u64, *const u64, u64, *mut u8, usize, f64, f32) -> usize;

/// Leaves for another handler, given as an expression, with these registers.
macro_rules! tail {
    ($regs:ident, $handler:expr) => {
        return $handler(
            $regs.vm, $regs.fp, $regs.ip, $regs.acc, $regs.mem, $regs.len, $regs.fd, $regs.fs,
        )
    };
}

/// Continues at `ip`.
#[cfg(tail_dispatch)]
macro_rules! jump {
    ($regs:ident) => {
        $crate::interp::handlers::tail!(
            $regs,
            (*$regs.ip.cast::<$crate::interp::handlers::Handler>())
        )
    };
}

/// Continues at `ip`, through the loop.
#[cfg(not(tail_dispatch))]
macro_rules! jump {
    ($regs:ident) => {{
        (*(*$regs.vm).store).parked = $regs;
        return $crate::interp::handlers::NEXT;
    }};
}

/// Continues at the instruction `$words` further on.
macro_rules! next {
    ($regs:ident, $words:expr) => {{
        $regs.ip = $regs.ip.add($words);
        $crate::interp::handlers::jump!($regs)
    }};
}

/// Stops the guest because an access that starts at an address leaves a memory: memory 0,
/// or the one that the constant says of [`memory::out_of_bounds`]. A handler must leave
/// before it changes anything: if the memory was grown by another thread, the instruction
/// is executed once more.
macro_rules! outside {
    ($regs:ident, $address:expr) => {
        $crate::interp::handlers::outside!($regs, $address, ZERO)
    };
    ($regs:ident, $address:expr, $which:tt) => {{
        $regs.len = $address as usize;
        $crate::interp::handlers::tail!(
            $regs,
            $crate::interp::handlers::memory::out_of_bounds::<
                { $crate::interp::handlers::memory::$which },
            >
        )
    }};
}

/// Stops the guest with a trap.
macro_rules! trap {
    ($regs:ident, $code:expr) => {{
        $regs.acc = $code as u64;
        $crate::interp::handlers::tail!($regs, $crate::interp::handlers::raise)
    }};
}

/// Leaves as an outcome says that is not [`Outcome::DONE`].
macro_rules! leave_with {
    ($regs:ident, $outcome:expr) => {{
        $regs.acc = $outcome.word();
        $crate::interp::handlers::tail!($regs, $crate::interp::handlers::raise)
    }};
}

/// Leaves as an outcome says, unless all went well.
macro_rules! done {
    ($regs:ident, $outcome:expr) => {
        let outcome: $crate::stack::stop::Outcome = $outcome;
        if outcome != $crate::stack::stop::Outcome::DONE {
            $crate::interp::handlers::leave_with!($regs, outcome)
        }
    };
}

use {done, handlers, jump, leave_with, next, outside, tail, trap, with_abi};

impl Regs {
    /// The operand in 16-bit field `field` of the word after the handler.
    #[inline(always)]
    unsafe fn field(&self, field: usize) -> usize {
        // SAFETY: the instruction has an operand word.
        usize::from(unsafe { *self.ip.add(1).cast::<u16>().add(field) })
    }

    /// The slot that a field names.
    #[inline(always)]
    unsafe fn slot(&self, field: usize) -> *mut u64 {
        // SAFETY: the frame has the slot.
        unsafe { self.fp.add(self.field(field)) }
    }

    /// The lower half of the slot in a field, read alone: the reference in it.
    #[inline(always)]
    unsafe fn reference(&self, field: usize) -> u32 {
        // SAFETY: the frame has the slot.
        unsafe { *self.slot(field).cast::<u32>() }
    }

    /// The upper half of the operand word.
    #[inline(always)]
    unsafe fn upper(&self) -> u32 {
        // SAFETY: the instruction has an operand word.
        unsafe { *self.ip.add(1).cast::<u32>().add(1) }
    }

    /// The slot that the lower half of the operand word names.
    #[inline(always)]
    unsafe fn far_slot(&self) -> *mut u64 {
        // SAFETY: the frame has the slot.
        unsafe { self.fp.add(*self.ip.add(1).cast::<u32>() as usize) }
    }

    /// Word `word` of the instruction.
    #[inline(always)]
    unsafe fn word(&self, word: usize) -> u64 {
        // SAFETY: the instruction is that long.
        unsafe { *self.ip.add(word) }
    }

    /// Stores a result in the slot of field 0 and in its accumulator.
    #[inline(always)]
    unsafe fn result<T: Lane>(&mut self, value: T) {
        // SAFETY: field 0 names the destination.
        unsafe { *self.slot(0) = value.to_slot() };
        value.set_acc(self);
    }

    /// Moves `ip` by the signed byte offset in the upper half of the operand word.
    #[inline(always)]
    unsafe fn branch(&mut self) {
        // SAFETY: the encoder wrote the distance to an instruction.
        unsafe { self.ip = self.ip.byte_offset(self.upper() as i32 as isize) }
    }

    /// The registers for looking at an instruction out of line.
    fn at(ip: *const u64, fp: *mut u64, vm: *mut VmCtx) -> Regs {
        Regs { ip, fp, vm, mem: std::ptr::null_mut(), len: 0, acc: 0, fd: 0.0, fs: 0.0 }
    }

    /// The place in the guest.
    fn cursor(&self) -> Cursor {
        Cursor { ip: self.ip, fp: self.fp, vm: self.vm }
    }

    /// Reads base and size of memory 0 again.
    #[inline(always)]
    unsafe fn reload(&mut self) {
        // SAFETY: every `vmctx` has a memory 0, if only one of size zero.
        unsafe {
            let memory = (*self.vm).memory0;
            self.mem = (*memory).base;
            self.len = (*memory).len;
        }
    }
}

#[cfg(not(tail_dispatch))]
impl Default for Regs {
    fn default() -> Regs {
        Regs::at(std::ptr::null(), std::ptr::null_mut(), std::ptr::null_mut())
    }
}

/// A type handlers compute with: it has an accumulator.
pub(in crate::interp) trait Lane: Scalar {
    /// Whether an immediate of this type takes a word of its own.
    const WIDE: bool;
    fn acc(regs: &Regs) -> Self;
    fn set_acc(self, regs: &mut Regs);
}

impl Lane for u32 {
    const WIDE: bool = false;
    #[inline(always)]
    fn acc(regs: &Regs) -> u32 {
        regs.acc as u32
    }
    #[inline(always)]
    fn set_acc(self, regs: &mut Regs) {
        regs.acc = u64::from(self);
    }
}

impl Lane for u64 {
    const WIDE: bool = true;
    #[inline(always)]
    fn acc(regs: &Regs) -> u64 {
        regs.acc
    }
    #[inline(always)]
    fn set_acc(self, regs: &mut Regs) {
        regs.acc = self;
    }
}

impl Lane for f32 {
    const WIDE: bool = false;
    #[inline(always)]
    fn acc(regs: &Regs) -> f32 {
        regs.fs
    }
    #[inline(always)]
    fn set_acc(self, regs: &mut Regs) {
        regs.fs = self;
    }
}

impl Lane for f64 {
    const WIDE: bool = true;
    #[inline(always)]
    fn acc(regs: &Regs) -> f64 {
        regs.fd
    }
    #[inline(always)]
    fn set_acc(self, regs: &mut Regs) {
        regs.fd = self;
    }
}

/// Where a handler finds an operand.
pub(in crate::interp) trait Source {
    /// Words it adds to an instruction on a narrow type.
    const NARROW: usize;
    /// Words it adds to an instruction on a wide type.
    const WIDE: usize;
    /// Reads the operand; `field` is its field if it is a slot.
    unsafe fn get<T: Lane>(regs: &Regs, field: usize) -> T;
    /// Reads a reference to an object.
    #[inline(always)]
    unsafe fn reference(regs: &Regs, field: usize) -> u32 {
        // SAFETY: by the contract of `get`.
        unsafe { Self::get(regs, field) }
    }
}

/// Words a source adds for a type.
const fn words<S: Source, T: Lane>() -> usize {
    if T::WIDE { S::WIDE } else { S::NARROW }
}

/// In a slot.
pub(in crate::interp) struct InSlot;
/// In the type's accumulator.
pub(in crate::interp) struct InAcc;
/// An immediate: in the operand word's upper half, or in word 2 if it is wide.
pub(in crate::interp) struct InImm;
/// An immediate in word `N`.
pub(in crate::interp) struct InWord<const N: usize>;

impl Source for InSlot {
    const NARROW: usize = 0;
    const WIDE: usize = 0;
    #[inline(always)]
    unsafe fn get<T: Lane>(regs: &Regs, field: usize) -> T {
        // SAFETY: the frame has the slot.
        T::from_slot(unsafe { *regs.slot(field) })
    }
    #[inline(always)]
    unsafe fn reference(regs: &Regs, field: usize) -> u32 {
        // SAFETY: as above.
        unsafe { regs.reference(field) }
    }
}

impl Source for InAcc {
    const NARROW: usize = 0;
    const WIDE: usize = 0;
    #[inline(always)]
    unsafe fn get<T: Lane>(regs: &Regs, _: usize) -> T {
        T::acc(regs)
    }
}

impl Source for InImm {
    const NARROW: usize = 0;
    const WIDE: usize = 1;
    #[inline(always)]
    unsafe fn get<T: Lane>(regs: &Regs, _: usize) -> T {
        // SAFETY: the instruction carries the immediate.
        T::from_slot(unsafe { if T::WIDE { regs.word(2) } else { u64::from(regs.upper()) } })
    }
}

impl<const N: usize> Source for InWord<N> {
    const NARROW: usize = 1;
    const WIDE: usize = 1;
    #[inline(always)]
    unsafe fn get<T: Lane>(regs: &Regs, _: usize) -> T {
        // SAFETY: the instruction carries the immediate.
        T::from_slot(unsafe { regs.word(N) })
    }
}

handlers! {
    /// Goes on where an exception was caught or stops the guest, as the outcome in
    /// `acc` says.
    #[cold]
    #[inline(never)]
    fn raise(regs) {
        if regs.acc == Outcome::LANDED.word() {
            let landing = &raw const (*(*regs.vm).store).landing;
            regs.ip = (*landing).ip;
            regs.fp = (*landing).fp;
            regs.vm = (*landing).vm;
            #[cfg(optimizer)]
            {
                let store = (*regs.vm).store;
                regs.acc = (*store).landing_sp as u64;
                if regs.acc != 0 {
                    if (*store).is_native(regs.fp) {
                        tail!(regs, crate::tier::land_in_native)
                    }
                    regs.reload();
                    tail!(regs, crate::tier::land_in_slots)
                }
            }
            regs.reload();
            jump!(regs)
        }
        stop(regs.ip, regs.fp, regs.vm, regs.acc, regs.len);
        // Opaque, because a result known to the compiler would be returned by the
        // caller itself, behind a call instead of a jump.
        std::hint::black_box(STOPPED)
    }

    /// A form the encoder never emits.
    #[cold]
    fn no_form(regs) {
        trap!(regs, TrapCode::Unreachable)
    }
}

/// Remembers where and why the guest stopped. If it is an access that left its memory, its
/// address is where the length of memory 0 was.
#[inline(never)]
unsafe extern "C" fn stop(
    ip: *const u64,
    fp: *mut u64,
    vm: *mut VmCtx,
    outcome: u64,
    address: usize,
) {
    let place = Cursor { ip, fp, vm };
    // SAFETY: the store is running this handler and nothing else uses it.
    let _: Stopped = unsafe { Outcome::stop(outcome, (*vm).store, place, address as u64) };
}
