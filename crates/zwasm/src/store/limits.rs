//! What stops a guest in time: fuel, epochs and interruption.
//!
//! [`Limits`] holds the numbers that code compares with. One is shared by all
//! instances of a store and, behind an `Arc`, by the handles with which other
//! threads interrupt it.
//!
//! - *Fuel* is paid by the store's own thread alone. It is an atomic only because
//!   it lies beside fields that are not; a relaxed load and store are the plain
//!   instructions of the machine. Code sees the *active* part of it alone: all that it can
//!   count, or as much as it may use between two turns of others. The rest is in *reserve*.
//!   Whoever finds that something cost more than was active asks [`StoreCore::out_of_fuel`],
//!   which takes the debt from the reserve: it has been paid, and the guest goes on behind
//!   the check, or it could not be.
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

use std::num::NonZeroU64;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::StoreCore;
#[cfg(optimizer)]
use super::samples;
use crate::error::{Error, Result, Trap};
use crate::stack::activation;
use crate::stack::stop::Stopped;
#[cfg(feature = "async")]
use crate::stack::waiting;
use crate::stack::walk::Cursor;
use crate::tuning;
use zwasm_regir::TrapCode;

/// Wakes something that waits on behalf of a guest.
pub(crate) type Waker = Arc<dyn Fn() + Send + Sync>;

/// A deadline that is never reached.
const NEVER: u64 = u64::MAX;

/// What code compares with to stop in time.
#[repr(C)]
pub(crate) struct Limits {
    /// The fuel that is active; negative where something cost more.
    pub(crate) fuel: AtomicI64,
    /// The epoch at which the guest stops.
    pub(crate) epoch_deadline: AtomicU64,
    /// For the thread that wants to know what runs long.
    #[cfg(optimizer)]
    pub(crate) samples: samples::Asked,
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
    pub(crate) fn new(consumes_fuel: bool) -> Limits {
        Limits {
            fuel: AtomicI64::new(0),
            epoch_deadline: AtomicU64::new(NEVER),
            #[cfg(optimizer)]
            samples: samples::Asked::default(),
            consumes_fuel,
            interrupted: AtomicBool::new(false),
            wakers: Mutex::default(),
        }
    }

    /// Whether the store has been interrupted.
    #[inline]
    pub(crate) fn interrupted(&self) -> bool {
        self.interrupted.load(Ordering::SeqCst)
    }

    /// Pays for moving this many bytes, if fuel is paid. False if that is more than is active.
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

    pub(crate) fn interrupt(&self) {
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
    pub(crate) fn add_waker(&self, wake: Waker) -> u64 {
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

/// What happens to a guest that has reached its deadline.
#[non_exhaustive]
pub enum UpdateDeadline {
    /// It goes on until this many epochs from now, at least one.
    Continue(u64),
    /// It stops with [`Trap::Interrupt`](crate::Trap::Interrupt).
    Interrupt,
    /// It goes on until so many epochs from now after others had their turn. It stops with an
    /// error if it was not called asynchronously.
    Yield(u64),
    /// The same with what decides when it is its turn again.
    YieldCustom(u64, Pin<Box<dyn Future<Output = ()> + Send>>),
}

/// Asks the embedder about a deadline that was reached.
pub(crate) type Ask = Box<dyn FnMut(*mut StoreCore) -> Result<UpdateDeadline> + Send + Sync>;

/// The store's own thread's part of the limits.
pub(crate) struct Deadline {
    /// The epoch that was asked for, whatever an interruption made of it.
    epoch: u64,
    /// Without it the guest stops.
    ask: Option<Ask>,
    /// The fuel that is not active.
    reserve: u64,
    /// How much is active at a time, if others get their turn when it is used.
    interval: Option<NonZeroU64>,
}

impl Deadline {
    pub(super) fn new() -> Deadline {
        Deadline { epoch: NEVER, ask: None, reserve: 0, interval: None }
    }
}

impl StoreCore {
    pub(crate) fn set_fuel(&mut self, fuel: u64) -> Result<()> {
        if !self.limits.consumes_fuel {
            return Err(no_fuel());
        }
        self.activate(fuel);
        Ok(())
    }

    /// Has so much fuel left, of which as much is active as may be.
    fn activate(&mut self, fuel: u64) {
        // Code counts with a sign.
        let most = self.deadline.interval.map_or(u64::MAX, NonZeroU64::get).min(i64::MAX as u64);
        let active = fuel.min(most);
        self.limits.fuel.store(active as i64, Ordering::Relaxed);
        self.deadline.reserve = fuel - active;
    }

    pub(crate) fn get_fuel(&self) -> Result<u64> {
        if !self.limits.consumes_fuel {
            return Err(no_fuel());
        }
        Ok(self.fuel_left().unwrap_or(0))
    }

    /// What is left; none if it is less than nothing.
    fn fuel_left(&self) -> Option<u64> {
        self.deadline.reserve.checked_add_signed(self.limits.fuel.load(Ordering::Relaxed))
    }

    /// Has others get their turn when so much is used.
    #[cfg(feature = "async")]
    pub(crate) fn set_fuel_interval(&mut self, interval: Option<u64>) -> Result<()> {
        let left = self.get_fuel()?;
        let interval = interval.map(|interval| {
            NonZeroU64::new(interval).ok_or_else(|| Error::msg("the interval of fuel is 0"))
        });
        self.deadline.interval = interval.transpose()?;
        self.activate(left);
        Ok(())
    }

    /// Takes from the reserve what something cost more than was active. False if there is
    /// less: then nothing is left.
    pub(crate) fn refuel(&mut self) -> bool {
        let left = self.fuel_left();
        match left {
            Some(left) => self.activate(left),
            None => self.deadline.reserve = 0,
        }
        left.is_some()
    }

    pub(crate) fn set_epoch_deadline(&mut self, ticks: u64) {
        self.deadline.epoch = self.engine.epoch().load(Ordering::Relaxed).saturating_add(ticks);
        self.limits.set_deadline(self.deadline.epoch);
    }

    /// Has `ask` asked about a guest that reaches its deadline, or stops it.
    pub(crate) fn ask_at_deadline(&mut self, ask: Option<Ask>) {
        self.deadline.ask = ask;
    }

    /// Takes an interruption back, if there was one.
    pub(crate) fn clear_interrupt(&self) {
        self.limits.interrupted.store(false, Ordering::SeqCst);
        self.limits.set_deadline(self.deadline.epoch);
    }

    /// Whether an instruction that takes long should stop half-way: not if the
    /// embedder has yet to be asked, which is done between instructions.
    pub(crate) fn must_stop(&self) -> bool {
        self.limits.interrupted()
            || (self.deadline.ask.is_none()
                && self.engine.epoch().load(Ordering::Relaxed) >= self.deadline.epoch)
    }

    /// Pays for moving so many bytes, and stops as an instruction would.
    pub(crate) fn pay(&mut self, bytes: u64) -> Result<()> {
        if !self.limits.pay(bytes) && !self.refuel() {
            return Err(Trap::OutOfFuel.into());
        }
        match self.must_stop() {
            true => Err(Trap::Interrupt.into()),
            false => Ok(()),
        }
    }

    /// Whether the guest may have to stop without being interrupted.
    #[cfg(feature = "threads")]
    pub(crate) fn has_deadline(&self) -> bool {
        self.deadline.ask.is_none() && self.deadline.epoch != NEVER
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
                        UpdateDeadline::Yield(ticks) => {
                            (*this).set_epoch_deadline(ticks.max(1));
                            return yields(this, place, top, None);
                        }
                        UpdateDeadline::YieldCustom(ticks, turn) => {
                            (*this).set_epoch_deadline(ticks.max(1));
                            return yields(this, place, top, Some(turn));
                        }
                    }
                }
            }
            Err(StoreCore::stop(this, TrapCode::Interrupt.into(), place))
        }
    }

    /// What code does, with the frame ending at `top`, that has found at `place` that
    /// something cost more than was active: the guest goes on behind the check, maybe after
    /// others had their turn, and otherwise traps.
    ///
    /// # Safety
    ///
    /// As [`StoreCore::deadline_reached`].
    pub(crate) unsafe fn out_of_fuel(
        this: *mut StoreCore,
        place: Cursor,
        top: *mut u64,
    ) -> Result<(), Stopped> {
        // SAFETY: by the contract; references to the store end before anything else runs.
        unsafe {
            if !(*this).refuel() {
                return Err(StoreCore::stop(this, TrapCode::OutOfFuel.into(), place));
            }
            match (*this).deadline.interval {
                None => Ok(()),
                #[cfg(feature = "async")]
                Some(interval) => {
                    let turns = u32::try_from(tuning::FUEL_PUT_OFF / interval.get());
                    let most = turns.unwrap_or(u32::MAX).max(tuning::MAX_TURNS_PUT_OFF);
                    give_turn(this, place, top, most, Box::pin(waiting::Turn::default()))
                }
                // Nobody sets one.
                #[cfg(not(feature = "async"))]
                Some(_) => {
                    let _ = top;
                    Ok(())
                }
            }
        }
    }
}

/// Has the guest at its deadline wait at `place` until it is its turn again: at once, or when
/// a future says so.
///
/// # Safety
///
/// As [`StoreCore::deadline_reached`].
unsafe fn yields(
    store: *mut StoreCore,
    place: Cursor,
    top: *mut u64,
    turn: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
) -> Result<(), Stopped> {
    // SAFETY: by the contract.
    #[cfg(feature = "async")]
    unsafe {
        let turn = turn.unwrap_or_else(|| Box::pin(waiting::Turn::default()));
        give_turn(store, place, top, tuning::MAX_TURNS_PUT_OFF, turn)
    }
    // SAFETY: by the contract.
    #[cfg(not(feature = "async"))]
    unsafe {
        let _ = (top, turn);
        let error = Error::msg("cannot yield: the call is synchronous");
        Err(StoreCore::stop(store, error.into(), place))
    }
}

/// Has the guest wait at `place` until a future says that it is its turn again. Where it
/// cannot wait it may put that off so many times.
///
/// # Safety
///
/// As [`StoreCore::deadline_reached`].
#[cfg(feature = "async")]
unsafe fn give_turn(
    store: *mut StoreCore,
    place: Cursor,
    top: *mut u64,
    most_put_off: u32,
    turn: Pin<Box<dyn Future<Output = ()> + Send>>,
) -> Result<(), Stopped> {
    let mut turn = Some(turn);
    // SAFETY: by the contract; what lies between the guest and this is of the runtime.
    unsafe {
        activation::on_behalf(store, place, top, || match turn.take() {
            Some(turn) if !waiting::put_off(store, most_put_off) => {
                Ok(waiting::wait_for(store, turn)?)
            }
            Some(_) | None => Ok(()),
        })
    }
}

#[cold]
fn no_fuel() -> Error {
    Error::msg("the engine consumes no fuel: Config::consume_fuel is off")
}
