//! Fuel, deadlines and interruption of a store; see [`crate::store::limits`].

use std::sync::Arc;

use super::caller::Caller;
use super::store::{AsContext, Store, StoreContextMut};
use crate::error::Result;
use crate::store::limits::{Limits, UpdateDeadline};

/// Interrupts a store from any thread, as long as one likes: also when the store is
/// gone, and then without effect.
///
/// ```
/// use zwasm::{Config, Engine, ErrorKind, Instance, Module, Store};
/// let mut config = Config::new();
/// config.epoch_interruption(true);
/// let engine = Engine::new(&config)?;
/// let module = Module::new(&engine, r#"(module (func (export "spin") (loop (br 0))))"#)?;
/// let mut store = Store::new(&engine, ());
/// let instance = Instance::new(&mut store, &module, &[])?;
/// let spin = instance.get_typed_func::<(), ()>(&mut store, "spin")?;
/// let handle = store.interrupt_handle();
/// std::thread::spawn(move || handle.interrupt());
/// let error = spin.call(&mut store, ()).unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Interrupted);
/// # Ok::<(), zwasm::Error>(())
/// ```
#[derive(Clone)]
pub struct InterruptHandle(Arc<Limits>);

impl InterruptHandle {
    /// Stops what the store runs, and everything that it is asked to run later,
    /// until [`Store::clear_interrupt`]: with [`Trap::Interrupt`](crate::Trap::Interrupt), at the next
    /// function entry or loop header if the engine has
    /// [`Config::epoch_interruption`](crate::Config::epoch_interruption), and in any
    /// case when a host function returns, during a wait on a shared memory, and in the
    /// middle of long bulk operations and of translating or compiling a large function
    /// that is called. Then the wakers of
    /// [`Store::add_interrupt_waker`] are called, on this thread.
    pub fn interrupt(&self) {
        self.0.interrupt();
    }

    /// Whether the store has been interrupted and nobody has taken it back.
    pub fn is_interrupted(&self) -> bool {
        self.0.interrupted()
    }
}

impl<T> Store<T> {
    /// Sets the fuel left. A new store has none.
    ///
    /// Each instruction costs one as it is executed, and so does entering a
    /// function; `nop`, `drop`, `block`, `loop`, `else`, `end`, `return` and
    /// `unreachable` are free. Bulk operations on memories, tables and arrays, and
    /// making arrays, cost one more for every 8 bytes, and making structures one more for
    /// every 8 bytes of fields beyond 64. An object made by a constant expression costs
    /// one for every 8 bytes. A straight run of
    /// instructions, from a label or conditional branch to the next, is paid for
    /// before its first one, and one that cannot be paid for is not begun: then
    /// nothing is left, and the guest stops with [`Trap::OutOfFuel`](crate::Trap::OutOfFuel).
    ///
    /// ```
    /// use zwasm::{Config, Engine, ErrorKind, Instance, Module, Store};
    /// let mut config = Config::new();
    /// config.consume_fuel(true);
    /// let engine = Engine::new(&config)?;
    /// let module = Module::new(&engine, r#"(module (func (export "f") (drop (i32.const 1))))"#)?;
    /// let mut store = Store::new(&engine, ());
    /// store.set_fuel(3)?;
    /// let instance = Instance::new(&mut store, &module, &[])?;
    /// let f = instance.get_typed_func::<(), ()>(&mut store, "f")?;
    /// f.call(&mut store, ())?;
    /// assert_eq!(store.get_fuel()?, 1);
    /// assert_eq!(f.call(&mut store, ()).unwrap_err().kind(), ErrorKind::OutOfFuel);
    /// # Ok::<(), zwasm::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the engine does not have [`Config::consume_fuel`](crate::Config::consume_fuel).
    pub fn set_fuel(&mut self, fuel: u64) -> Result<()> {
        self.core_mut().set_fuel(fuel)
    }

    /// The fuel left.
    ///
    /// # Errors
    ///
    /// As [`Store::set_fuel`].
    pub fn get_fuel(&self) -> Result<u64> {
        self.core_ref().get_fuel()
    }

    /// Sets the deadline to this many epochs from now, see
    /// [`Engine::increment_epoch`](crate::Engine::increment_epoch). A new store has
    /// none. It matters only if the engine has
    /// [`Config::epoch_interruption`](crate::Config::epoch_interruption).
    pub fn set_epoch_deadline(&mut self, ticks_beyond_current: u64) {
        self.core_mut().set_epoch_deadline(ticks_beyond_current);
    }

    /// Has a guest that reaches its deadline stop with [`Trap::Interrupt`](crate::Trap::Interrupt), as it
    /// does unless told otherwise.
    pub fn epoch_deadline_trap(&mut self) {
        self.core_mut().ask_at_deadline(None);
    }

    /// Has `callback` decide about a guest that reaches its deadline. Its error
    /// stops the guest. An interruption does not ask.
    pub fn epoch_deadline_callback(
        &mut self,
        mut callback: impl FnMut(StoreContextMut<'_, T>) -> Result<UpdateDeadline>
        + Send
        + Sync
        + 'static,
    ) {
        // SAFETY: the callback is for stores with this data, and is called while
        // the guest waits.
        let ask = move |core| callback(unsafe { StoreContextMut::from_core(core) });
        self.core_mut().ask_at_deadline(Some(Box::new(ask)));
    }

    /// A handle that interrupts this store from any thread.
    pub fn interrupt_handle(&self) -> InterruptHandle {
        InterruptHandle(self.core_ref().limits.clone())
    }

    /// Takes an interruption back, if there was one.
    pub fn clear_interrupt(&mut self) {
        self.core_mut().clear_interrupt();
    }

    /// Has `wake` called at every interruption, on the thread that interrupts: for
    /// host functions that wait, to end their waiting. What they then return does
    /// not matter; the guest stops. If the store is interrupted already, `wake` is
    /// called at once.
    pub fn add_interrupt_waker(&mut self, wake: impl Fn() + Send + Sync + 'static) {
        let limits = &self.core_mut().limits;
        let wake = Arc::new(wake);
        limits.add_waker(wake.clone());
        if limits.interrupted() {
            wake();
        }
    }
}

macro_rules! forward {
    ($($ty:ident)*) => {$(
        impl<T> $ty<'_, T> {
            /// As [`Store::set_fuel`].
            ///
            /// # Errors
            ///
            /// Likewise.
            pub fn set_fuel(&mut self, fuel: u64) -> Result<()> {
                // SAFETY: the context is exclusive.
                unsafe { (*self.as_context().core()).set_fuel(fuel) }
            }

            /// As [`Store::get_fuel`].
            ///
            /// # Errors
            ///
            /// Likewise.
            pub fn get_fuel(&self) -> Result<u64> {
                // SAFETY: the store is borrowed.
                unsafe { (*self.as_context().core()).get_fuel() }
            }

            /// As [`Store::fuel_async_yield_interval`].
            ///
            /// # Errors
            ///
            /// Likewise.
            #[cfg(feature = "async")]
            pub fn fuel_async_yield_interval(&mut self, interval: Option<u64>) -> Result<()> {
                // SAFETY: the context is exclusive.
                unsafe { (*self.as_context().core()).set_fuel_interval(interval) }
            }

            /// As [`Store::set_epoch_deadline`].
            pub fn set_epoch_deadline(&mut self, ticks_beyond_current: u64) {
                // SAFETY: the context is exclusive.
                unsafe { (*self.as_context().core()).set_epoch_deadline(ticks_beyond_current) }
            }

            /// As [`Store::interrupt_handle`].
            pub fn interrupt_handle(&self) -> InterruptHandle {
                // SAFETY: the store is borrowed.
                unsafe { InterruptHandle((*self.as_context().core()).limits.clone()) }
            }
        }
    )*};
}
forward!(StoreContextMut Caller);

impl<T> StoreContextMut<'_, T> {
    /// Pays, if fuel is paid, for what the host does for a guest and takes as long as
    /// moving so many bytes, and stops if the guest would have to.
    #[doc(hidden)]
    pub fn pay(&mut self, bytes: u64) -> Result<()> {
        // SAFETY: the context is exclusive.
        unsafe { (*self.as_context().core()).pay(bytes) }
    }
}
