//! Why the guest stops, from whoever finds it out to whoever has called the guest.
//!
//! There is one road. Rust that a handler calls, and that may fail, answers with an
//! [`Outcome`], a word that is zero if the guest goes on. Any other word goes into
//! `acc`, and the handler `raise` takes it from there: it continues where an exception
//! was caught, or ends the activation. Compiled code, and faults in guard pages, come
//! to `raise` too, with the number of a trap, which is an outcome.
//!
//! Why and where the guest stopped is left in the store, by [`StoreCore::stop`] alone,
//! whose answer [`Stopped`] is the proof that it is there. The start of the activation
//! takes it out as a [`Stop`], of which the interface makes an error for the host.

use std::any::Any;

use super::backtrace;
use super::walk::Cursor;
use crate::error::{Error, MemoryFault, WasmBacktrace};
use crate::store::StoreCore;
use crate::store::vmctx::VmCtx;
use zwasm_regir::TrapCode;

/// Why the guest stopped other than by returning.
pub enum Why {
    /// A trap.
    Trap(TrapCode),
    /// An exception that the activation does not catch, and the error with which a host
    /// function threw it, if one did.
    Thrown(u64, Option<Error>),
    /// An error of what the guest called.
    Error(Error),
    /// A panic of what the guest called, which goes on where the host called the guest.
    Panic(Box<dyn Any + Send>),
}

impl From<TrapCode> for Why {
    fn from(code: TrapCode) -> Why {
        Why::Trap(code)
    }
}

impl From<Error> for Why {
    fn from(error: Error) -> Why {
        Why::Error(error)
    }
}

/// Why an activation ended, and with which frames.
pub(crate) struct Stop {
    pub(crate) why: Why,
    /// None if the error has one, or there is no guest to have frames.
    pub(crate) backtrace: Option<WasmBacktrace>,
    /// Which access to a memory it was, if that is known.
    pub(crate) fault: Option<Box<MemoryFault>>,
}

/// An access that left a memory: the memory by its index in the instance that runs, and
/// where the access starts.
#[derive(Clone, Copy)]
pub(crate) struct Access {
    pub(crate) memory: u32,
    pub(crate) address: u64,
}

impl Access {
    /// What to tell of it.
    ///
    /// # Safety
    ///
    /// `vm` is of the instance that runs, which has the memory.
    unsafe fn fault(self, vm: *const VmCtx) -> Option<MemoryFault> {
        // What no address reaches starts nowhere.
        if self.address == Access::NOWHERE {
            return None;
        }
        // SAFETY: by the contract.
        let size = unsafe { (**(*vm).memories.add(self.memory as usize)).len as u64 };
        let address = self.address.max(size);
        Some(MemoryFault { memory: self.memory, address, size })
    }

    /// The start of an access whose address has more than 64 bits.
    pub(crate) const NOWHERE: u64 = u64::MAX;
}

/// The guest has to stop, and its store knows why.
#[must_use]
pub(crate) struct Stopped(());

impl Stopped {
    /// What a handler says that ended the activation.
    pub(crate) fn by_handler() -> Stopped {
        Stopped(())
    }
}

impl StoreCore {
    /// Remembers why and where the guest has to stop.
    ///
    /// # Safety
    ///
    /// `this` is valid, and runs the guest at `place`.
    pub(crate) unsafe fn stop(this: *mut StoreCore, why: Why, place: Cursor) -> Stopped {
        let captured = match &why {
            Why::Error(error) | Why::Thrown(_, Some(error)) => error.backtrace().is_some(),
            Why::Panic(_) => true,
            Why::Trap(_) | Why::Thrown(_, None) => false,
        };
        // At once: native frames are gone when the activation has ended.
        // SAFETY: by the contract.
        unsafe {
            let limit = (*this).engine.config().backtrace_frames;
            let capture = || backtrace::capture(this, Some(place), limit);
            let backtrace = (!captured && limit > 0).then(capture);
            let fault = (*this).outside.take().and_then(|access| match why {
                Why::Trap(TrapCode::MemoryOutOfBounds) => access.fault(place.vm),
                _ => None,
            });
            (*this).stopped = Some(Stop { why, backtrace, fault: fault.map(Box::new) });
        }
        Stopped(())
    }

    /// Why the guest stopped, which is taken out of the store.
    ///
    /// # Safety
    ///
    /// `this` is valid.
    pub(crate) unsafe fn why_stopped(this: *mut StoreCore, _: Stopped) -> Stop {
        // SAFETY: by the contract.
        let stopped = unsafe { (*this).stopped.take() };
        stopped.unwrap_or_else(|| {
            let why = Why::Error(Error::msg("the guest stopped without a reason"));
            Stop { why, backtrace: None, fault: None }
        })
    }
}

/// How what a handler has called went: zero, the number of a trap, or one of the words
/// below.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub(crate) struct Outcome(u64);

impl Outcome {
    /// The guest goes on.
    pub(crate) const DONE: Outcome = Outcome(0);
    /// An exception was caught: the guest goes on where `StoreCore::landing` says.
    pub(crate) const LANDED: Outcome = Outcome(u64::MAX - 1);
    const STOPPED: Outcome = Outcome(u64::MAX);

    /// The guest traps at the instruction.
    pub(crate) const fn trap(code: TrapCode) -> Outcome {
        Outcome(code as u64)
    }

    /// The outcome as `acc` has it.
    pub(crate) const fn word(self) -> u64 {
        self.0
    }

    /// The guest traps at the instruction, whose access leaves a memory; `address` of
    /// [`Outcome::stop`] says where.
    pub(crate) const fn outside(memory: u32) -> Outcome {
        Outcome(TrapCode::access(memory))
    }

    /// Sees to it that the store knows why the guest stops that `acc` tells to, at
    /// `place`. Where an access starts that left its memory is `address`.
    ///
    /// # Safety
    ///
    /// As [`StoreCore::stop`].
    pub(crate) unsafe fn stop(
        mut word: u64,
        store: *mut StoreCore,
        place: Cursor,
        address: u64,
    ) -> Stopped {
        if word == Outcome::STOPPED.0 {
            return Stopped(());
        }
        if let Some(memory) = TrapCode::accessed(word) {
            // SAFETY: by the contract.
            unsafe { (*store).outside = Some(Access { memory, address }) };
            word = TrapCode::MemoryOutOfBounds as u64;
        }
        let code = TrapCode::from_number(word).unwrap_or(TrapCode::Unreachable);
        // SAFETY: by the contract.
        unsafe { StoreCore::stop(store, Why::Trap(code), place) }
    }
}

impl From<TrapCode> for Outcome {
    fn from(code: TrapCode) -> Outcome {
        Outcome::trap(code)
    }
}

impl From<Stopped> for Outcome {
    fn from(_: Stopped) -> Outcome {
        Outcome::STOPPED
    }
}

impl<E: Into<Outcome>> From<Result<(), E>> for Outcome {
    fn from(result: Result<(), E>) -> Outcome {
        result.map_or_else(Into::into, |()| Outcome::DONE)
    }
}
