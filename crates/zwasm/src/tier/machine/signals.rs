//! Accesses of compiled code that run into guard pages, as traps.
//!
//! A fault is the guest's if its place is in compiled code and its address in the
//! reservation of a memory of the instance that runs, whose context is pinned in a
//! register throughout compiled code. Then execution continues in the handler that
//! raises traps, as if the code had jumped there; from native code, in the routine that it
//! calls to trap. Every other fault is somebody
//! else's, and whoever handled such faults before handles it still.
//!
//! # Safety
//!
//! The signal handler allocates nothing, takes no lock, and reads only what does
//! not change while an instance runs: where the code region is, which memories the
//! instance has, and where these were reserved. It writes the fuel left and the access, which
//! only the store's thread uses.

use super::code_memory::{World, addresses};
#[cfg(optimizer)]
use super::routines;
use std::sync::atomic::Ordering;

use crate::interp;
use crate::stack::stop::Access;
use crate::store::MemoryInst;
use crate::store::vmctx::VmCtx;
use crate::sys::signals::{self, Fault};
use crate::tuning::MEMORY32_RESERVATION;
use zwasm_regir::TrapCode;

/// Sees to it that faults come here; false if that is not possible.
pub(super) fn install() -> bool {
    signals::install(recover)
}

/// Turns a fault of compiled code into a trap; false if it is none.
fn recover(fault: &mut Fault<'_>) -> bool {
    let is_in = |world| addresses(world).is_some_and(|code| code.contains(&fault.pc()));
    let resume = match () {
        () if is_in(World::Slots) => interp::raise() as usize,
        #[cfg(optimizer)]
        () if is_in(World::Native) => routines::fault as *const () as usize,
        () => return false,
    };
    let vm: *const VmCtx = fault.vm().cast();
    // SAFETY: compiled code keeps its context in that register, and its instance
    // and their memories live as long as it runs.
    let hit = unsafe {
        let reserves = |(index, &memory): (usize, &*mut MemoryInst)| {
            let address = fault.address().wrapping_sub((*memory).base as usize);
            let hit = (*memory).is_guarded() && address < MEMORY32_RESERVATION;
            hit.then_some(Access { memory: index as u32, address: address as u64 })
        };
        let instance = (*vm).instance.as_ref();
        instance.and_then(|instance| instance.memories.iter().enumerate().find_map(reserves))
    };
    if hit.is_some() {
        // SAFETY: as above; the store is that of the thread, which runs compiled code and
        // borrows nothing of it. Without fuel nobody looks at that.
        unsafe {
            (*(*vm).limits).fuel.store(fault.fuel(), Ordering::Relaxed);
            (*(*vm).store).outside = hit;
        }
        fault.resume(resume, fault.pc(), TrapCode::MemoryOutOfBounds as u64);
    }
    hit.is_some()
}
