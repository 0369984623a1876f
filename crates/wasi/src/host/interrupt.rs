//! Stopping a guest that waits.
//!
//! Whatever may wait for ever waits for one thing more: an event that stays set from
//! the moment somebody interrupts. It is made when a handle is first asked for; a
//! guest that nobody can interrupt costs neither the event nor the extra wait before
//! each read.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use super::sys::Event;

/// Whether a guest is to stop.
#[derive(Default)]
pub(crate) struct Interrupt {
    requested: AtomicBool,
    event: OnceLock<Event>,
}

impl Interrupt {
    /// What is set when the guest is to stop; none while nobody holds a handle.
    pub(crate) fn event(&self) -> Option<&Event> {
        self.event.get()
    }

    /// Whether the guest is to stop.
    pub(crate) fn requested(&self) -> bool {
        self.requested.load(Ordering::Acquire)
    }

    /// Makes the guest one that can be stopped.
    pub(crate) fn arm(self: &Arc<Interrupt>) -> io::Result<InterruptHandle> {
        if self.event.get().is_none() {
            let event = Event::new()?;
            // Of two that are made at once, one is closed again.
            let _ = self.event.set(event);
        }
        Ok(InterruptHandle(self.clone()))
    }
}

/// Stops a guest that waits in a call: in a poll, a sleep, reading a pipe or a
/// terminal, on a socket. That call does not return to the guest; it ends the
/// guest as [`zwasm::Trap::Interrupt`]. So does every later call that would wait.
///
/// Handles can be cloned and used on any thread. To have the guest stopped
/// together with its store, at a timeout for example:
///
/// ```
/// # use zwasm::{Engine, Store};
/// # use zwasm_wasi::WasiCtx;
/// # fn main() -> zwasm::Result<()> {
/// # let mut store = Store::new(&Engine::default(), WasiCtx::builder().build());
/// let waits = store.data().interrupt_handle()?;
/// store.add_interrupt_waker(move || waits.interrupt());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct InterruptHandle(Arc<Interrupt>);

impl InterruptHandle {
    /// Interrupts the guest.
    pub fn interrupt(&self) {
        self.0.requested.store(true, Ordering::Release);
        if let Some(event) = self.0.event.get() {
            event.set();
        }
    }

    /// Takes interruptions back, so that the guest may wait again.
    pub fn clear(&self) {
        self.0.requested.store(false, Ordering::Release);
        if let Some(event) = self.0.event.get() {
            event.clear();
        }
    }
}
