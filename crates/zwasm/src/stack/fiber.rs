//! Fibers: stacks of a store besides the one it borrows, on which what runs can wait.
//!
//! A fiber is a closure of the host on a stack of its own. It may call the guest, which
//! calls host functions, and any of these may *suspend*: control goes back to whoever has
//! resumed the fiber, and all frames on its stack stay as they are until it is resumed.
//!
//! All that the store knows of the stack in use is a [`StackState`]. Resuming a fiber
//! exchanges that of the store with the fiber's, and suspending exchanges them back. So each
//! fiber has the state of a stack that is not in use: its own while it is suspended, and that
//! of its resumer while it runs. Collections find all stacks there. The roots of the host
//! are exchanged likewise, by [`Gc::switch_roots`](crate::store::gc::Gc::switch_roots), so
//! that scopes end on the stack that they began on.
//!
//! A fiber ends by running to its end and not otherwise: one that is no longer wanted is
//! *cancelled*, which means that it is resumed, and suspending gives an error from then on.
//! Whoever drops the handle of a fiber may not have the store, so the fiber is put on a list
//! and is cancelled the next time that its store has to do with fibers, at last when the
//! store is dropped.
//!
//! # Safety
//!
//! - A stack with frames on it is never given back: the record of a fiber is freed after its
//!   closure has returned, or if it was never started. A forgotten handle leaves the record
//!   to the store. A store ends its fibers before anything else of it goes. One that a future
//!   resumes has borrowed the store, and what waits on it may look at the user's data as long as
//!   that lasts; it is ended by the future, and if that was forgotten it is never resumed, and
//!   its stack is lost.
//! - Only one stack of a store runs at a time, because resuming takes a context, which is
//!   exclusive, and so does suspending: no reference into the store or its data lives across
//!   either. A context on a fiber and one outside are never used at the same time, for one of
//!   the two stacks waits for the other.
//! - A store moves to other threads with its suspended fibers, if its data can. What a
//!   closure owns is `Send`; that nothing else is lost in frames that does not bear it, is
//!   the contract of [`suspend`]. Those who keep it look at what lies between: at
//!   [`StackState::barriers`], and host functions of the embedder.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use corosensei::{Coroutine, CoroutineResult, Yielder};

use super::activation::HostFrame;
use super::{Native, Stack, backtrace};
use crate::error::{Error, Result, WasmBacktrace};
use crate::store::StoreCore;

/// What a store knows of one of its stacks.
pub(crate) struct StackState {
    stack: Option<Stack>,
    stack_limit: *mut u64,
    value_top: *mut u64,
    value_end: *mut u64,
    native_limit: usize,
    #[cfg(optimizer)]
    native_base: usize,
    #[cfg(optimizer)]
    native_bottom: usize,
    host_frame: *const HostFrame,
    on_stack: bool,
    rests: bool,
    barriers: u32,
    passable: u32,
}

impl StackState {
    /// That of a stack on which a fiber is to begin.
    fn new(stack: Stack) -> StackState {
        StackState {
            stack_limit: stack.value_limit(),
            value_top: stack.value_base(),
            value_end: stack.value_end(),
            native_limit: stack.native_limit(),
            #[cfg(optimizer)]
            native_base: stack.native_top(),
            #[cfg(optimizer)]
            native_bottom: stack.native_top(),
            host_frame: ptr::null(),
            on_stack: true,
            rests: false,
            barriers: 0,
            passable: 0,
            stack: Some(stack),
        }
    }

    /// Exchanges it with that of the stack in use.
    ///
    /// # Safety
    ///
    /// `core` is valid and ours alone, and what runs from here on runs on that stack.
    #[inline]
    unsafe fn switch(&mut self, core: *mut StoreCore) {
        // SAFETY: by the contract.
        let core = unsafe { &mut *core };
        self.exchange(core);
        core.limit_host();
        // SAFETY: contexts live as long as the store.
        unsafe { StoreCore::end_frames_at(core, core.stack_limit) };
    }

    /// The same without telling the instances, for whoever only looks.
    fn exchange(&mut self, core: &mut StoreCore) {
        use std::mem::swap;
        swap(&mut self.stack, &mut core.stack);
        swap(&mut self.stack_limit, &mut core.stack_limit);
        swap(&mut self.value_top, &mut core.value_top);
        swap(&mut self.value_end, &mut core.value_end);
        swap(&mut self.native_limit, &mut core.native_limit);
        #[cfg(optimizer)]
        {
            swap(&mut self.native_base, &mut core.native_base);
            swap(&mut self.native_bottom, &mut core.native_bottom);
        }
        swap(&mut self.host_frame, &mut core.host_frame);
        swap(&mut self.on_stack, &mut core.on_stack);
        swap(&mut self.rests, &mut core.rests);
        swap(&mut self.barriers, &mut core.barriers);
        swap(&mut self.passable, &mut core.passable);
    }

    /// The stack, the end of its frames of slots, and the lower end of the native ones;
    /// see [`super::roots`].
    pub(super) fn extent(&self) -> Option<(&Stack, *mut u64, usize)> {
        let stack = self.stack.as_ref()?;
        #[cfg(optimizer)]
        let bottom = if self.on_stack { self.native_bottom } else { stack.native_top() };
        #[cfg(not(optimizer))]
        let bottom = stack.native_top();
        Some((stack, self.value_top.min(self.value_end), bottom))
    }
}

/// What a fiber's closure came to: a panic, or what it gave.
pub(crate) type Done = std::thread::Result<Box<dyn Any + Send>>;
/// How a fiber is resumed: to be cancelled or not.
type Resumed = bool;
/// A fiber's closure, which is told its store.
pub(crate) type Work = Box<dyn FnOnce(*mut StoreCore) -> Box<dyn Any + Send> + Send>;

/// Who resumes a fiber.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resumer {
    /// Whoever has its handle.
    Handle,
    /// A future that has borrowed the store and whatever else lies on the stack. It ends the
    /// fiber when it is dropped.
    #[cfg(feature = "async")]
    Future,
}

/// What a store keeps of a fiber until it has ended.
struct Record {
    /// On its stack, which the state below owns.
    coroutine: Coroutine<Resumed, (), Done, Native>,
    /// On its stack too, once it has begun.
    yielder: *const Yielder<Resumed, ()>,
    /// That of the stack of the fiber and of its resumer that is not in use.
    other: StackState,
    resumer: Resumer,
    runs: bool,
    cancelled: bool,
    number: u64,
    /// What its roots are found by.
    roots: usize,
    /// The resumer's.
    outer_roots: usize,
    /// The fiber that has resumed it, if one has.
    outer: Option<NonNull<Record>>,
    /// Bytes that the store holds for it.
    bytes: usize,
}

/// Names a fiber of a store.
#[derive(Clone, Copy)]
pub(crate) struct Key {
    place: usize,
    number: u64,
}

impl Key {
    /// A number that no other fiber of the store ever has.
    #[cfg(feature = "async")]
    pub(crate) fn number(self) -> u64 {
        self.number
    }
}

/// Fibers that nobody has the handles of any more.
#[derive(Default)]
pub(crate) struct Abandoned {
    any: AtomicBool,
    keys: Mutex<Vec<Key>>,
}

impl Abandoned {
    /// Has a fiber cancelled as soon as that can be.
    pub(crate) fn add(&self, key: Key) {
        // Nothing in here leaves the list half-changed.
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).push(key);
        self.any.store(true, Ordering::Release);
    }

    fn take(&self) -> Vec<Key> {
        if !self.any.swap(false, Ordering::Acquire) {
            return Vec::new();
        }
        std::mem::take(&mut *self.keys.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A store's fibers.
#[derive(Default)]
pub(crate) struct Fibers {
    all: Vec<Option<NonNull<Record>>>,
    free: Vec<usize>,
    /// How many there have been.
    made: u64,
    /// The one that runs.
    current: Option<NonNull<Record>>,
    /// The stack of one that has ended, for the next: a call that never waits has one for as
    /// long as it runs, and to have it from the engine takes longer than many calls.
    idle: Option<Stack>,
    abandoned: Arc<Abandoned>,
}

impl Fibers {
    /// Where those that nobody wants any more are put.
    pub(crate) fn abandoned(&self) -> &Arc<Abandoned> {
        &self.abandoned
    }

    /// Whether a fiber runs.
    pub(crate) fn inside(&self) -> bool {
        self.current.is_some()
    }

    /// Whether a fiber runs that has a handle.
    pub(crate) fn inside_handled(&self) -> bool {
        // SAFETY: the record of a fiber that runs is there.
        self.current.is_some_and(|record| unsafe { (*record.as_ptr()).resumer == Resumer::Handle })
    }

    /// The number of the one that runs.
    #[cfg(feature = "async")]
    pub(crate) fn current(&self) -> Option<u64> {
        // SAFETY: the record of a fiber that runs is there.
        self.current.map(|record| unsafe { (*record.as_ptr()).number })
    }

    /// The stacks that are not in use.
    pub(super) fn stacks(&self) -> impl Iterator<Item = &StackState> {
        // SAFETY: records live until they are taken from the list; their states are
        // changed only by switches.
        self.all.iter().flatten().map(|record| unsafe { &(*record.as_ptr()).other })
    }

    fn find(&self, key: Key) -> Option<NonNull<Record>> {
        let record = (*self.all.get(key.place)?)?;
        // SAFETY: records live until they are taken from the list.
        (unsafe { (*record.as_ptr()).number } == key.number).then_some(record)
    }
}

/// Why a fiber that is no longer wanted stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cancelled;

impl std::fmt::Display for Cancelled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the call was cancelled while it waited")
    }
}

impl std::error::Error for Cancelled {}

/// Makes a fiber, which does nothing before it is resumed.
///
/// # Errors
///
/// If there is no stack for it.
///
/// # Safety
///
/// `core` is valid, and the user's data is not borrowed. What the closure borrows lives until
/// the fiber has ended, or its resumer is [`Resumer::Future`] and cancels it before that.
pub(crate) unsafe fn make(core: *mut StoreCore, resumer: Resumer, work: Work) -> Result<Key> {
    // SAFETY: by the contract. The closure runs on the fiber's stack while the store, which
    // outlives it, waits for it.
    unsafe {
        reap(core);
        let bytes = (*core).engine.pool().fiber_bytes();
        StoreCore::check_total(core, "a fiber's stack", bytes)?;
        let stack = match (*core).fibers.idle.take() {
            Some(stack) => stack,
            None => (*core).engine.pool().lend_fiber_stack()?,
        };
        (*core).hold(bytes);
        let fibers = &mut (*core).fibers;
        fibers.made += 1;
        let number = fibers.made;
        let place = fibers.free.pop().unwrap_or(fibers.all.len());
        if place == fibers.all.len() {
            fibers.all.push(None);
        }
        let key = Key { place, number };
        let native = stack.native();
        let store = Sendable(core);
        let body = move |yielder: &Yielder<Resumed, ()>, _: Resumed| -> Done {
            let core = store.get();
            if let Some(record) = (*core).fibers.find(key) {
                (*record.as_ptr()).yielder = yielder;
            }
            catch_unwind(AssertUnwindSafe(|| work(core)))
        };
        let record = Record {
            coroutine: Coroutine::with_stack(native, body),
            yielder: ptr::null(),
            other: StackState::new(stack),
            resumer,
            runs: false,
            cancelled: false,
            number,
            roots: (*core).gc.add_roots(),
            outer_roots: 0,
            outer: None,
            bytes,
        };
        (&mut (*core).fibers.all)[place] = Some(NonNull::from(Box::leak(Box::new(record))));
        Ok(key)
    }
}

/// A store that the closure of a fiber takes along.
struct Sendable(*mut StoreCore);

impl Sendable {
    fn get(&self) -> *mut StoreCore {
        self.0
    }
}

/// Has a fiber go on until it suspends or ends. What its closure gave if it has ended, or
/// the panic that ended it.
///
/// # Errors
///
/// If it runs, or has ended before.
///
/// # Safety
///
/// `core` is valid and ours alone, the user's data is not borrowed.
pub(crate) unsafe fn resume(core: *mut StoreCore, key: Key) -> Result<Option<Done>> {
    // SAFETY: by the contract.
    unsafe {
        reap(core);
        enter(core, key, false)
    }
}

/// Says who resumes a fiber from now on.
///
/// # Safety
///
/// `core` is valid.
#[cfg(feature = "async")]
pub(super) unsafe fn set_resumer(core: *mut StoreCore, key: Key, resumer: Resumer) {
    // SAFETY: records live until they are taken from the list.
    unsafe {
        if let Some(record) = (*core).fibers.find(key) {
            (*record.as_ptr()).resumer = resumer;
        }
    }
}

/// # Safety
///
/// As [`resume`].
unsafe fn enter(core: *mut StoreCore, key: Key, cancel: Resumed) -> Result<Option<Done>> {
    // SAFETY: by the contract. The record stays until it is taken from the list, which only
    // this does; what runs meanwhile changes the list, so nothing of it is borrowed.
    unsafe {
        let record = (*core).fibers.find(key).ok_or_else(|| Error::msg("the fiber has ended"))?;
        let this = record.as_ptr();
        if (*this).runs {
            return Err(Error::msg("the fiber is running"));
        }
        (*this).runs = true;
        (*this).cancelled |= cancel;
        (*this).outer = (*core).fibers.current.replace(record);
        (*this).outer_roots = (*core).gc.switch_roots((*this).roots);
        (*this).other.switch(core);
        let result = (*this).coroutine.resume(cancel);
        (*this).other.switch(core);
        (*this).roots = (*core).gc.switch_roots((*this).outer_roots);
        (*core).fibers.current = (*this).outer.take();
        (*this).runs = false;
        match result {
            CoroutineResult::Yield(()) => Ok(None),
            CoroutineResult::Return(done) => {
                remove(core, key);
                Ok(Some(done))
            }
        }
    }
}

/// Frees the record of a fiber, and gives its stack back.
///
/// # Safety
///
/// The closure has returned, or the fiber was never started.
unsafe fn remove(core: *mut StoreCore, key: Key) {
    // SAFETY: by the contract; the record was leaked by `make`. What the closure owns is
    // dropped before the stack that it lies on is given back.
    unsafe {
        let Some(record) = (&mut (*core).fibers.all)[key.place].take() else { return };
        (*core).fibers.free.push(key.place);
        let Record { coroutine, other, roots, bytes, .. } = *Box::from_raw(record.as_ptr());
        (*core).gc.remove_roots(roots);
        (*core).release(bytes);
        let _ = catch_unwind(AssertUnwindSafe(|| drop(coroutine)));
        let Some(stack) = other.stack else { return };
        match (*core).fibers.idle {
            None if !(*core).engine.pool().are_stacks_scarce() => {
                (*core).fibers.idle = Some(stack);
            }
            Some(_) | None => (*core).engine.pool().return_fiber_stack(stack),
        }
    }
}

/// Ends a fiber: one that was started is resumed until it has returned. One that runs goes
/// on until it suspends.
///
/// # Safety
///
/// As [`resume`].
pub(crate) unsafe fn cancel(core: *mut StoreCore, key: Key) {
    // SAFETY: by the contract.
    unsafe {
        let Some(record) = (*core).fibers.find(key) else { return };
        let this = record.as_ptr();
        if (*this).runs {
            // Its frames are those that ask: it gets an error where it suspends next.
            (*this).cancelled = true;
            (*core).fibers.abandoned.add(key);
        } else if !(*this).coroutine.started() {
            remove(core, key);
        } else {
            // Suspending does not switch any more, so it has ended then.
            if let Ok(Some(Err(panic))) = enter(core, key, true) {
                // It has nobody to go to, and dropping it may panic again.
                let _ = catch_unwind(AssertUnwindSafe(|| drop(panic)));
            }
        }
    }
}

/// Cancels the fibers that nobody has a handle of.
///
/// # Safety
///
/// As [`resume`].
#[inline]
pub(crate) unsafe fn reap(core: *mut StoreCore) {
    // SAFETY: by the contract.
    unsafe {
        let fibers = &(*core).fibers;
        if fibers.abandoned.any.load(Ordering::Relaxed) {
            let keys = fibers.abandoned.take();
            keys.into_iter().for_each(|key| cancel(core, key));
        }
    }
}

/// Cancels all fibers of a store that is about to be dropped.
///
/// # Safety
///
/// As [`resume`], and nothing runs in the store.
pub(crate) unsafe fn end_all(core: *mut StoreCore) {
    // SAFETY: by the contract. What is unwound may make new ones, which follow.
    unsafe {
        loop {
            let mut all = (*core).fibers.all.iter().enumerate();
            let waits = |record: NonNull<Record>| !(*record.as_ptr()).runs;
            let found = all.find_map(|(at, record)| Some((at, record.filter(|it| waits(*it))?)));
            let Some((place, record)) = found else { break };
            #[cfg(feature = "async")]
            if (*record.as_ptr()).resumer == Resumer::Future {
                // What it has borrowed may be gone, so it must not go on, not even to end.
                (&mut (*core).fibers.all)[place] = None;
                continue;
            }
            cancel(core, Key { place, number: (*record.as_ptr()).number });
        }
        if let Some(stack) = (*core).fibers.idle.take() {
            (*core).engine.pool().return_fiber_stack(stack);
        }
    }
}

/// Whether what runs may suspend.
///
/// # Errors
///
/// If no fiber runs, if what asks runs on another stack than the fiber's, and behind a
/// [`barrier`].
///
/// # Safety
///
/// `core` is valid.
pub(crate) unsafe fn check(core: *mut StoreCore) -> Result<()> {
    // SAFETY: by the contract.
    unsafe {
        let why = if !(*core).fibers.inside() {
            "cannot wait outside a fiber"
        } else if (*core).stack.as_ref().is_none_or(|stack| stack.sp().is_none()) {
            "cannot wait on another stack than the fiber's"
        } else if (*core).barriers > 0 {
            "cannot wait in a synchronous call"
        } else {
            return Ok(());
        };
        Err(Error::msg(why))
    }
}

/// Gives control back to whoever has resumed the fiber that runs, until it is resumed again.
///
/// # Errors
///
/// As [`check`], and [`Cancelled`] if the fiber is to end.
///
/// # Safety
///
/// As [`resume`]; and all that is in the frames between the fiber's start and here may go to
/// other threads, if the store can.
pub(crate) unsafe fn suspend(core: *mut StoreCore) -> Result<()> {
    // SAFETY: by the contract; whoever suspends runs on the fiber's stack, so the fiber has
    // begun, and its yielder lies there.
    unsafe {
        check(core)?;
        let Some(record) = (*core).fibers.current else { return Ok(()) };
        let this = record.as_ptr();
        if !(*this).cancelled {
            let yielder = (*this).yielder;
            let _: Resumed = (*yielder).suspend(());
        }
        if (*this).cancelled { Err(Error::new(Cancelled)) } else { Ok(()) }
    }
}

/// Does something during which nothing may suspend.
///
/// # Safety
///
/// As [`resume`].
pub(crate) unsafe fn barrier<R>(core: *mut StoreCore, work: impl FnOnce() -> R) -> R {
    /// Takes it away also if there is a panic.
    struct Barrier(*mut StoreCore);

    impl Drop for Barrier {
        fn drop(&mut self) {
            // SAFETY: the store outlives what is done.
            unsafe { (*self.0).barriers -= 1 };
        }
    }

    // SAFETY: by the contract.
    unsafe { (*core).barriers += 1 };
    let _barrier = Barrier(core);
    work()
}

/// Does something in a host function that may be waited across.
///
/// # Safety
///
/// As [`suspend`], for the frames of the host function that the guest has called last, which
/// does this once.
pub(crate) unsafe fn pass<R>(core: *mut StoreCore, work: impl FnOnce() -> R) -> R {
    /// Takes it back also if there is a panic.
    struct Passable(*mut StoreCore);

    impl Drop for Passable {
        fn drop(&mut self) {
            // SAFETY: the store outlives what is done.
            unsafe { (*self.0).passable -= 1 };
        }
    }

    // SAFETY: by the contract.
    unsafe { (*core).passable += 1 };
    let _passable = Passable(core);
    work()
}

/// The frames of a suspended fiber; none of one that has not begun.
///
/// # Errors
///
/// If it runs, or has ended.
///
/// # Safety
///
/// As [`resume`].
pub(crate) unsafe fn frames(core: *mut StoreCore, key: Key) -> Result<WasmBacktrace> {
    // SAFETY: by the contract; the fiber's state is the store's as long as its frames are
    // looked at, which runs nothing.
    unsafe {
        let record = (*core).fibers.find(key).ok_or_else(|| Error::msg("the fiber has ended"))?;
        let this = record.as_ptr();
        if (*this).runs {
            return Err(Error::msg("the fiber is running"));
        }
        (*this).other.exchange(&mut *core);
        let frames = backtrace::capture(core, None, (*core).engine.config().backtrace_frames);
        (*this).other.exchange(&mut *core);
        Ok(frames)
    }
}
