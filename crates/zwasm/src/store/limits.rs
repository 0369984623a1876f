//! What stops a guest in time: fuel, epochs and interruption.
//!
//! [`Limits`] holds the numbers that code compares with. One is shared by all
//! instances of a store and, behind an `Arc`, by the handles with which other
//! threads interrupt it.
//!
//! - *Fuel* is paid by the store's own thread alone. It is an atomic only because
//!   it lies beside fields that are not; a relaxed load and store are the plain
//!   instructions of the machine.
//! - The *epoch* is a counter of the engine. Code compares it with the store's
//!   deadline at function entries and loop headers. A deadline may ask the
//!   embedder, who then sets another one, or stop the guest.
//! - An *interruption* is a deadline of zero, and a flag that says it is none:
//!   the embedder is not asked, and what waits in the host is woken. The flag
//!   stays until the store's owner takes it back, so that no host function between
//!   two activations can swallow it.
//!
//! The flag is set before the deadline, and whoever sets another deadline looks
//! at the flag afterwards; so no interruption is lost, whichever comes first. A
//! deadline of zero that no flag belongs to, left by an interruption that was taken
//! back meanwhile, is noticed where it stops code and put right.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::{AsContext, Store, StoreContextMut, StoreCore};
use crate::api::func::Caller;
use crate::error::{Error, Result};
use crate::stack::activation;
use crate::stack::backtrace::Cursor;
use crate::stack::stop::Stopped;
use crate::tuning;
use zwasm_regir::TrapCode;

/// Wakes something that waits on behalf of a guest.
type Waker = Arc<dyn Fn() + Send + Sync>;

/// A deadline that is never reached.
const NEVER: u64 = u64::MAX;

/// What code compares with to stop in time.
#[repr(C)]
pub(crate) struct Limits {
    /// The fuel left; negative once something could not be paid for.
    pub(crate) fuel: AtomicI64,
    /// The epoch at which the guest stops.
    pub(crate) epoch_deadline: AtomicU64,
    /// Whether fuel is paid at all.
    consumes_fuel: bool,
    interrupted: AtomicBool,
    wakers: Mutex<Wakers>,
}

#[derive(Default)]
struct Wakers {
    next: u64,
    all: Vec<(u64, Waker)>,
}

impl Limits {
    pub(super) fn new(consumes_fuel: bool) -> Limits {
        Limits {
            fuel: AtomicI64::new(0),
            epoch_deadline: AtomicU64::new(NEVER),
            consumes_fuel,
            interrupted: AtomicBool::new(false),
            wakers: Mutex::default(),
        }
    }

    /// Whether the store has been interrupted.
    pub(crate) fn interrupted(&self) -> bool {
        self.interrupted.load(Ordering::SeqCst)
    }

    /// Pays for moving this many bytes, if fuel is paid. False if it runs out.
    pub(crate) fn pay(&self, bytes: u64) -> bool {
        if !self.consumes_fuel {
            return true;
        }
        // A cost that does not fit is more than there can be.
        let cost = i64::try_from(bytes / tuning::BYTES_PER_FUEL).unwrap_or(i64::MAX);
        let left = self.fuel.load(Ordering::Relaxed).saturating_sub(cost);
        self.fuel.store(left, Ordering::Relaxed);
        left >= 0
    }

    fn interrupt(&self) {
        self.interrupted.store(true, Ordering::SeqCst);
        self.epoch_deadline.store(0, Ordering::SeqCst);
        // Called without the lock, because whoever waits takes its own before it.
        let wakers = self.lock().all.clone();
        wakers.iter().for_each(|(_, wake)| wake());
    }

    fn set_deadline(&self, epoch: u64) {
        self.epoch_deadline.store(epoch, Ordering::SeqCst);
        if self.interrupted() {
            self.epoch_deadline.store(0, Ordering::SeqCst);
        }
    }

    /// Has `wake` called at an interruption from now on; its number.
    fn add_waker(&self, wake: Waker) -> u64 {
        let mut wakers = self.lock();
        wakers.next += 1;
        let number = wakers.next;
        wakers.all.push((number, wake));
        number
    }

    /// Has `wake` called at an interruption while `wait` runs, which looks at
    /// [`Limits::interrupted`] first.
    #[cfg(feature = "threads")]
    pub(crate) fn waiting<R>(&self, wake: Waker, wait: impl FnOnce() -> R) -> R {
        let number = self.add_waker(wake);
        let result = wait();
        self.lock().all.retain(|(other, _)| *other != number);
        result
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Wakers> {
        // Nothing in here leaves the list half-changed.
        self.wakers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

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

/// What happens to a guest that has reached its deadline.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpdateDeadline {
    /// It goes on until this many epochs from now, at least one.
    Continue(u64),
    /// It stops with [`Trap::Interrupt`](crate::Trap::Interrupt).
    Interrupt,
}

/// Asks the embedder about a deadline that was reached.
type Ask = Box<dyn FnMut(*mut StoreCore) -> Result<UpdateDeadline> + Send + Sync>;

/// The store's own thread's part of the limits.
pub(crate) struct Deadline {
    /// The epoch that was asked for, whatever an interruption made of it.
    epoch: u64,
    /// Without it the guest stops.
    ask: Option<Ask>,
    /// The part of the fuel that was set beyond what code can count.
    uncounted_fuel: u64,
}

impl Deadline {
    pub(super) fn new() -> Deadline {
        Deadline { epoch: NEVER, ask: None, uncounted_fuel: 0 }
    }
}

impl StoreCore {
    fn set_fuel(&mut self, fuel: u64) -> Result<()> {
        if !self.limits.consumes_fuel {
            return Err(no_fuel());
        }
        // Code counts with a sign. What that leaves over would outlast the machine, and
        // is only remembered.
        let counted = i64::try_from(fuel).unwrap_or(i64::MAX);
        self.limits.fuel.store(counted, Ordering::Relaxed);
        self.deadline.uncounted_fuel = fuel - counted as u64;
        Ok(())
    }

    fn get_fuel(&self) -> Result<u64> {
        if !self.limits.consumes_fuel {
            return Err(no_fuel());
        }
        let counted = u64::try_from(self.limits.fuel.load(Ordering::Relaxed)).unwrap_or(0);
        Ok(counted + self.deadline.uncounted_fuel)
    }

    fn set_epoch_deadline(&mut self, ticks: u64) {
        self.deadline.epoch = self.engine.epoch().load(Ordering::Relaxed).saturating_add(ticks);
        self.limits.set_deadline(self.deadline.epoch);
    }

    /// Whether an instruction that takes long should stop half-way: not if the
    /// embedder has yet to be asked, which is done between instructions.
    pub(crate) fn must_stop(&self) -> bool {
        self.limits.interrupted()
            || (self.deadline.ask.is_none()
                && self.engine.epoch().load(Ordering::Relaxed) >= self.deadline.epoch)
    }

    /// What code does that finds the deadline reached at `place`, with the frame
    /// ending at `top`.
    ///
    /// # Safety
    ///
    /// `this` is valid and runs the guest at `place`.
    pub(crate) unsafe fn deadline_reached(
        this: *mut StoreCore,
        place: Cursor,
        top: *mut u64,
    ) -> Result<(), Stopped> {
        // SAFETY: by the contract; the callback is moved out while it runs, and
        // other references to the store end before.
        unsafe {
            if !(*this).limits.interrupted() {
                if (*this).engine.epoch().load(Ordering::Relaxed) < (*this).deadline.epoch {
                    (*this).limits.set_deadline((*this).deadline.epoch);
                    return Ok(());
                }
                if let Some(mut ask) = (*this).deadline.ask.take() {
                    let answer = activation::on_behalf(this, place, top, || Ok(ask(this)?));
                    (*this).deadline.ask.get_or_insert(ask);
                    match answer? {
                        UpdateDeadline::Continue(ticks) => {
                            (*this).set_epoch_deadline(ticks.max(1));
                            return Ok(());
                        }
                        UpdateDeadline::Interrupt => {}
                    }
                }
            }
            Err(StoreCore::stop(this, TrapCode::Interrupt.into(), place))
        }
    }
}

#[cold]
fn no_fuel() -> Error {
    Error::msg("the engine consumes no fuel: Config::consume_fuel is off")
}

impl<T> Store<T> {
    fn core_mut(&mut self) -> &mut StoreCore {
        // SAFETY: see the module header of `store`.
        unsafe { &mut (*self.inner.as_ptr()).core }
    }

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
        // SAFETY: see the module header of `store`.
        unsafe { (*self.inner.as_ptr()).core.get_fuel() }
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
        self.core_mut().deadline.ask = None;
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
        self.core_mut().deadline.ask = Some(Box::new(ask));
    }

    /// A handle that interrupts this store from any thread.
    pub fn interrupt_handle(&self) -> InterruptHandle {
        // SAFETY: see the module header of `store`.
        unsafe { InterruptHandle((*self.inner.as_ptr()).core.limits.clone()) }
    }

    /// Takes an interruption back, if there was one.
    pub fn clear_interrupt(&mut self) {
        let core = self.core_mut();
        core.limits.interrupted.store(false, Ordering::SeqCst);
        core.limits.set_deadline(core.deadline.epoch);
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
