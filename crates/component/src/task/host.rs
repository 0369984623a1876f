//! What the host does while guests wait: its functions that are not finished, its calls of
//! guests, and its loop.
//!
//! Nothing here is asked in turn: a function of the host is given a waker, and is asked
//! again when that was woken. Only when no guest can go on and nobody was woken does the
//! host's loop wait, for descriptors and time or whatever it wakes wakers for.
//!
//! A function of the host knows its store's data by its type, the rest of this does not:
//! so it is asked through a core function, which is made once for each store.

use std::any::Any;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
#[cfg(feature = "async")]
use std::{future::Future, pin::Pin};

use zwasm::{
    AsContextMut, Caller, Error, Func, FuncType, Result, SlotFunc, StoreContextMut, ValType,
};

use super::waitable::Event;
use super::{Callee, HostLift, HostResult, Key, Slab, SubtaskState, lost, run};
use crate::RawCall;
use crate::abi::call::{LowerArgs, Passing, lower_args};
use crate::abi::signature::CALL_SLOTS;
use crate::abi::{AnyStore, stack, thrown};
use crate::state::{Components, Export};
use crate::tuning::MAX_HOST_CALLS;

/// What an asynchronous call gives whose result is there.
pub(crate) const RETURNED: u64 = SubtaskState::Returned as u64;

/// Asks a function of the host for its result.
pub(crate) type PollCall<T> = Box<
    dyn FnMut(StoreContextMut<'_, T>, &mut RawCall<'_>, &mut Context<'_>) -> Poll<Result<()>>
        + Send
        + Sync,
>;

/// How a store waits when none of its guests can go on.
pub trait Loop: Send + Sync {
    /// Waits until something has happened for which somebody was given a waker, and wakes
    /// it. Tells whether there is anything to wait for; if not, it returns at once.
    ///
    /// # Errors
    ///
    /// If waiting fails, or is interrupted.
    fn wait(&mut self) -> Result<bool>;

    /// Wakes whom it would wake by now, without waiting. It is asked now and then while guests
    /// go on, as one that only ever gives its turn away would keep others waiting.
    ///
    /// # Errors
    ///
    /// Likewise.
    fn look(&mut self) -> Result<()> {
        Ok(())
    }
}

/// What the host does.
#[derive(Default)]
pub(crate) struct HostTasks {
    calls: Slab<HostCall>,
    woken: Arc<Woken>,
    looper: Option<Box<dyn Loop>>,
    /// What is told whoever lets guests go on next: work could not be begun.
    #[cfg(feature = "async")]
    failed: Option<Error>,
}

#[cfg(feature = "async")]
impl HostTasks {
    /// Who was woken.
    pub(crate) fn woken(&self) -> Arc<Woken> {
        self.woken.clone()
    }

    /// Whether nobody was woken, and no loop waits.
    pub(super) fn is_idle(&self) -> bool {
        self.failed.is_none() && self.looper.is_none() && self.woken.lock().calls.is_empty()
    }
}

/// Goes on with work of the host.
pub(crate) type PollWork<T> =
    Box<dyn FnMut(StoreContextMut<'_, T>, &mut Context<'_>) -> Poll<Result<()>> + Send + Sync>;

/// A function that is not finished, or work of the host.
struct HostCall {
    /// The subtask that it is, if it is a guest's call.
    waitable: Option<Key>,
    /// Asks it.
    poll: SlotFunc,
    /// Has it asked again.
    waker: Waker,
}

/// Who was woken.
#[derive(Default)]
pub(crate) struct Woken(Mutex<WokenCalls>);

#[derive(Default)]
struct WokenCalls {
    calls: Vec<Key>,
    /// Who polls the host's call that waits for them.
    poller: Option<Waker>,
}

impl Woken {
    fn lock(&self) -> MutexGuard<'_, WokenCalls> {
        // Nothing leaves it half-changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Vec<Key> {
        std::mem::take(&mut self.lock().calls)
    }

    /// Whether somebody was; if not, the waker is woken when somebody is.
    #[cfg(feature = "async")]
    pub(crate) fn poll(&self, context: &mut Context<'_>) -> Poll<()> {
        let mut woken = self.lock();
        if !woken.calls.is_empty() {
            return Poll::Ready(());
        }
        woken.poller = Some(context.waker().clone());
        Poll::Pending
    }
}

/// Is ready when somebody was woken.
#[cfg(feature = "async")]
struct AnyWoken(Arc<Woken>);

#[cfg(feature = "async")]
impl Future for AnyWoken {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.0.poll(context)
    }
}

struct CallWaker {
    woken: Arc<Woken>,
    call: Key,
}

impl Wake for CallWaker {
    fn wake(self: Arc<Self>) {
        let mut woken = self.woken.lock();
        woken.calls.push(self.call);
        let poller = woken.poller.take();
        // It may poll at once.
        drop(woken);
        if let Some(poller) = poller {
            poller.wake();
        }
    }
}

enum Work<T: 'static> {
    Call(PollCall<T>),
    Own(PollWork<T>),
}

/// The functions of a store that are not finished.
struct Polls<T: 'static> {
    /// By the places of their keys.
    polls: Vec<Option<(Key, Work<T>)>>,
    func: Option<SlotFunc>,
}

impl<T: 'static> Default for Polls<T> {
    fn default() -> Polls<T> {
        Polls { polls: Vec::new(), func: None }
    }
}

impl<T: 'static> Polls<T> {
    fn insert(&mut self, key: Key, work: Work<T>) {
        if self.polls.len() <= key.place() {
            self.polls.resize_with(key.place() + 1, || None);
        }
        self.polls[key.place()] = Some((key, work));
    }

    fn remove(&mut self, key: Key) -> Option<Work<T>> {
        let place = self.polls.get_mut(key.place())?;
        Some(place.take_if(|(other, _)| *other == key)?.1)
    }
}

/// What is to be done with a function that is not finished.
const ASK: u64 = 0;
const FORGET: u64 = 1;

/// The core function that asks functions of the host.
fn poll_func<T: 'static>(store: &mut StoreContextMut<'_, T>) -> Result<SlotFunc> {
    if let Some(func) = store.attachment::<Polls<T>>().func {
        return Ok(func);
    }
    let ty = FuncType::new(store.engine(), [ValType::I64, ValType::I32], []);
    let func = Func::from_slots(store.as_context_mut(), ty, |mut caller: Caller<'_, T>, slots| {
        ask(caller.as_context_mut(), Key::from_bits(slots[0]), slots[1] == FORGET)
    })?;
    let func = func.slots(&store)?;
    store.attachment::<Polls<T>>().func = Some(func);
    Ok(func)
}

fn ask<T: 'static>(mut store: StoreContextMut<'_, T>, key: Key, forget: bool) -> Result<()> {
    let polls: &mut Polls<T> = store.attachment();
    let Some(work) = polls.remove(key) else { return Ok(()) };
    if forget {
        // It may look into the store once more.
        #[cfg(feature = "async")]
        crate::concurrent::lend(store, || drop(work));
        return Ok(());
    }
    let state: &mut Components = store.attachment();
    let call = state.tasks.host.calls.get(key).ok_or_else(|| lost("the call"))?;
    let (waitable, waker) = (call.waitable, call.waker.clone());
    let mut context = Context::from_waker(&waker);
    let (mut poll, waitable) = match (work, waitable) {
        (Work::Call(poll), Some(waitable)) => (poll, waitable),
        (Work::Call(_), None) => return Err(lost("the call")),
        (Work::Own(mut poll), _) => {
            match poll(store.as_context_mut(), &mut context) {
                Poll::Pending => {
                    store.attachment::<Polls<T>>().insert(key, Work::Own(poll));
                }
                Poll::Ready(result) => {
                    store.attachment::<Components>().tasks.host.calls.remove(key);
                    result?;
                }
            }
            return Ok(());
        }
    };
    let subtask = state.subtask(waitable)?;
    let (lowered, mut slots) = (subtask.lowered.clone(), subtask.slots);
    let caller = lowered.options.instance;
    if state.is_poisoned(caller) {
        // It has ended meanwhile, and nobody reads the result.
        state.tasks.host.calls.remove(key);
        #[cfg(feature = "async")]
        crate::concurrent::lend(store, || drop(poll));
        return Ok(());
    }
    let mut call = RawCall { slots: &mut slots, lowered: lowered.passing(), pending: None };
    let polled = poll(store.as_context_mut(), &mut call, &mut context);
    let state: &mut Components = store.attachment();
    match polled {
        Poll::Pending => {
            store.attachment::<Polls<T>>().insert(key, Work::Call(poll));
        }
        Poll::Ready(result) => {
            state.tasks.host.calls.remove(key);
            if result.is_err() {
                // The caller may not be on the stack, and would wait for ever.
                state.poison(caller);
            }
            result.map_err(thrown)?;
            let subtask = state.subtask(waitable)?;
            subtask.slots = slots;
            subtask.state = SubtaskState::Returned;
            subtask.callee = Callee::None;
            state.tasks.set_event(waitable, Event::Progress);
        }
    }
    Ok(())
}

/// Begins work of the host that goes on while guests wait: `poll` is asked now, and again
/// whenever the waker that it is given was woken, until it is ready. An error ends the call
/// of the host's that runs then.
///
/// # Errors
///
/// What `poll` gives at once, and if there is too much work.
pub fn spawn<T: 'static>(
    mut store: impl AsContextMut<Data = T>,
    poll: impl FnMut(StoreContextMut<'_, T>, &mut Context<'_>) -> Poll<Result<()>>
    + Send
    + Sync
    + 'static,
) -> Result<()> {
    let mut store = store.as_context_mut();
    let func = poll_func(&mut store)?;
    let key = add_call(store.attachment(), None, func)?;
    store.attachment::<Polls<T>>().insert(key, Work::Own(Box::new(poll)));
    stack::embedders(store, |store| ask(store, key, false))
}

/// The same, but `poll` is asked when the turn of the host's work comes. That there is too
/// much work ends the call of the host's that runs then.
#[cfg(feature = "async")]
pub(crate) fn spawn_later<T: 'static>(mut store: StoreContextMut<'_, T>, poll: PollWork<T>) {
    let key = poll_func(&mut store).and_then(|func| add_call(store.attachment(), None, func));
    let host = &mut store.attachment::<Components>().tasks.host;
    match key {
        Ok(key) => {
            host.woken.lock().calls.push(key);
            store.attachment::<Polls<T>>().insert(key, Work::Own(poll));
        }
        Err(error) => host.failed = Some(error),
    }
}

fn add_call(state: &mut Components, waitable: Option<Key>, poll: SlotFunc) -> Result<Key> {
    if state.tasks.host.calls.len() >= MAX_HOST_CALLS {
        return Err(Error::limit(format_args!("more than {MAX_HOST_CALLS} calls of the host")));
    }
    let HostTasks { calls, woken, .. } = &mut state.tasks.host;
    Ok(calls.insert_with(|call| {
        let waker = Waker::from(Arc::new(CallWaker { woken: woken.clone(), call }));
        HostCall { waitable, poll, waker }
    }))
}

/// Checks that the caller of a function of the host may wait for it.
///
/// # Errors
///
/// If it may not.
pub(crate) fn check_wait(store: &mut dyn AnyStore, lowered: Passing<'_>) -> Result<()> {
    store.state().check_block(lowered.options.instance).map(|_| ())
}

/// A function of the host is not finished: its caller waits, or is told so.
///
/// # Errors
///
/// If it may not wait, and what stops the host's function.
pub(crate) fn wait<T: 'static>(
    mut store: StoreContextMut<'_, T>,
    lowered: Passing<'_>,
    pending: Box<dyn Any + Send + Sync>,
    scope: Option<u64>,
    slots: &mut [u64],
) -> Result<()> {
    let Ok(poll) = pending.downcast::<PollCall<T>>() else {
        return Err(Error::msg("the function is of a store with other data"));
    };
    if !lowered.types[lowered.ty].asynchronous {
        return Err(Error::msg("a function of a synchronous type has to return its result"));
    }
    let func = poll_func(&mut store)?;
    let state: &mut Components = store.attachment();
    let waitable = state.add_subtask(&Arc::new(lowered.keep()), slots, scope)?;
    let key = add_call(state, Some(waitable), func)?;
    state.set_callee(waitable, key)?;
    store.attachment::<Polls<T>>().insert(key, Work::Call(*poll));
    stack::embedders(store.as_context_mut(), |store| ask(store, key, false))?;
    let store: &mut dyn AnyStore = &mut store;
    if lowered.asynchronous {
        return store.state().started(waitable, slots);
    }
    while !store.state().subtask(waitable)?.state.resolved() {
        let caller = store.state().check_block(lowered.options.instance)?;
        run::wait_for(store, caller, waitable)?;
    }
    store.state().finish_sync(waitable, slots)
}

/// Functions of the host whose callers are in components that have trapped are forgotten.
pub(super) fn forget_poisoned(store: &mut dyn AnyStore) {
    let state = store.state();
    let is_poisoned = |call: &HostCall| {
        let caller = call.waitable.and_then(|waitable| state.tasks.waitables.get(waitable));
        caller.is_some_and(|caller| state.is_poisoned(caller.instance))
    };
    let calls = state.tasks.host.calls.iter().filter(|(_, call)| is_poisoned(call));
    let calls: Vec<_> = calls.map(|(key, call)| (key, call.poll)).collect();
    for (key, poll) in calls {
        store.state().tasks.host.calls.remove(key);
        // It only drops what the host made, as the store's own end would.
        let _ = store.call(poll, &mut [key.bits(), FORGET]);
    }
}

/// A guest cancels a function of the host, which is forgotten.
pub(super) fn cancel(store: &mut dyn AnyStore, waitable: Key, key: Key) -> Result<()> {
    if let Some(call) = store.state().tasks.host.calls.remove(key) {
        store.call(call.poll, &mut [key.bits(), FORGET])?;
    }
    let state = store.state();
    let subtask = state.subtask(waitable)?;
    subtask.state = SubtaskState::CancelledBeforeReturned;
    subtask.callee = Callee::None;
    state.tasks.set_event(waitable, Event::Progress);
    Ok(())
}

/// Waits until something is woken. Tells whether there is anything to wait for.
pub(super) fn wait_for_woken(store: &mut dyn AnyStore) -> Result<bool> {
    Ok(wait_in_loop(store)? || wait_in_call(store)?)
}

/// Has the host's loop wake who can go on by now.
pub(super) fn look_in_loop(store: &mut dyn AnyStore) -> Result<()> {
    in_loop(store, |looper| looper.look())
}

/// Does something with the host's loop, if there is one.
fn in_loop<R: Default>(
    store: &mut dyn AnyStore,
    work: impl FnOnce(&mut dyn Loop) -> Result<R>,
) -> Result<R> {
    let Some(mut looper) = store.state().tasks.host.looper.take() else {
        return Ok(R::default());
    };
    let result = work(&mut *looper);
    store.state().tasks.host.looper.get_or_insert(looper);
    result
}

/// Waits in the host's loop, if there is one and it has something to wait for. Tells whether
/// it has waited.
pub(super) fn wait_in_loop(store: &mut dyn AnyStore) -> Result<bool> {
    in_loop(store, |looper| looper.wait())
}

/// Asks what was woken. Tells whether anything was.
pub(super) fn ask_woken(store: &mut dyn AnyStore) -> Result<bool> {
    #[cfg(feature = "async")]
    if let Some(error) = store.state().tasks.host.failed.take() {
        return Err(error);
    }
    let woken = store.state().tasks.host.woken.take();
    if woken.is_empty() {
        return Ok(false);
    }
    let mut woken = woken.into_iter();
    while let Some(key) = woken.next() {
        let Some(call) = store.state().tasks.host.calls.get(key) else { continue };
        let poll = call.poll;
        if let Err(error) = store.call(poll, &mut [key.bits(), ASK]) {
            // The others are asked by whoever lets guests go on next.
            store.state().tasks.host.woken.lock().calls.extend(woken);
            return Err(error);
        }
    }
    Ok(true)
}

/// Waits until something is woken, if the host's call is a future. Tells whether it was.
#[cfg(feature = "async")]
fn wait_in_call(store: &mut dyn AnyStore) -> Result<bool> {
    let host = &store.state().tasks.host;
    if host.calls.len() == 0 {
        return Ok(false);
    }
    let woken = AnyWoken(host.woken.clone());
    store.wait_beyond(Box::pin(woken))
}

/// Nothing can be woken but by what runs.
#[cfg(not(feature = "async"))]
fn wait_in_call(_: &mut dyn AnyStore) -> Result<bool> {
    Ok(false)
}

/// Says how a store waits when none of its guests can go on. Without it, that is a
/// deadlock.
pub fn set_loop<T: 'static>(mut store: impl AsContextMut<Data = T>, looper: impl Loop + 'static) {
    store.as_context_mut().attachment::<Components>().tasks.host.looper = Some(Box::new(looper));
}

/// Calls a guest's function as a task, until its result is there.
///
/// # Errors
///
/// If it cannot be entered, the arguments cannot be lowered, and whatever stopped it.
pub(crate) fn call(
    store: &mut dyn AnyStore,
    export: &Arc<Export>,
    lower: LowerArgs<'_>,
    lift: HostLift,
) -> Result<HostResult> {
    let result = try_call(store, export, lower, lift);
    if result.is_err() {
        run::purge(store);
    }
    result
}

fn try_call(
    store: &mut dyn AnyStore,
    export: &Arc<Export>,
    lower: LowerArgs<'_>,
    lift: HostLift,
) -> Result<HostResult> {
    let instance = export.lifted.options.instance;
    let task = try_start(store, export, lower, lift)?;
    loop {
        if let Some(result) = store.state().take_host_result(task, None)? {
            return result.ok_or_else(|| Error::msg("the call was cancelled"));
        }
        if !run::step(store)? {
            store.state().poison(instance);
            return Err(run::deadlock());
        }
    }
}

/// Begins a call of a guest's function, when it takes calls: its task.
///
/// # Errors
///
/// As [`call`].
pub(crate) fn start(
    store: &mut dyn AnyStore,
    export: &Arc<Export>,
    lower: LowerArgs<'_>,
    lift: HostLift,
) -> Result<Key> {
    let result = try_start(store, export, lower, lift);
    if result.is_err() {
        run::purge(store);
    }
    result
}

fn try_start(
    store: &mut dyn AnyStore,
    export: &Arc<Export>,
    lower: LowerArgs<'_>,
    lift: HostLift,
) -> Result<Key> {
    let instance = export.lifted.options.instance;
    store.state().check_enter(instance)?;
    while !store.state().takes_calls(export) {
        if !run::step(store)? {
            return Err(run::deadlock());
        }
    }
    let state = store.state();
    state.enter(instance)?;
    let depth = state.depth();
    let mut slots = [0; CALL_SLOTS];
    let lowered = lower_args(store, export, lower, &mut slots);
    let state = store.state();
    state.exit(instance);
    if let Err(error) = lowered {
        state.unwind(depth);
        return Err(error);
    }
    let scope = export.signature.borrows.then(|| state.keep_scope()).flatten();
    let (task, thread) = state.add_host_task(export, slots, scope, lift)?;
    run::resume(store, thread)?;
    Ok(task)
}

/// A call of a guest that goes on beside others.
pub struct Call<Return> {
    /// The number of the store's components.
    store: u64,
    task: Key,
    result: PhantomData<fn() -> Return>,
}

impl<Return> Call<Return> {
    pub(crate) fn new(store: u64, task: Key) -> Call<Return> {
        Call { store, task, result: PhantomData }
    }
}

impl<Return: 'static> Call<Return> {
    /// The result, once it is there. It comes while [`poll_until`] runs.
    pub fn poll(
        &mut self,
        mut store: impl AsContextMut,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Return>> {
        let mut store = store.as_context_mut();
        let state: &mut Components = store.attachment();
        if state.id() != self.store {
            return Poll::Ready(Err(Error::msg("the call is of another store")));
        }
        match state.take_host_result(self.task, Some(cx.waker())) {
            Ok(None) => Poll::Pending,
            Ok(Some(None)) => Poll::Ready(Err(Error::msg("the call was cancelled"))),
            Ok(Some(Some(result))) => Poll::Ready(match result.downcast() {
                Ok(result) => Ok(*result),
                Err(_) => Err(Error::msg("the function returned something else")),
            }),
            Err(error) => Poll::Ready(Err(error)),
        }
    }
}

/// Whether what the host waits for was woken.
struct RootWaker(AtomicBool);

impl Wake for RootWaker {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}

/// Lets guests and functions of the host go on until `poll` is ready, which is asked
/// whenever the waker that it is given was woken.
///
/// # Errors
///
/// What stopped a guest, and if nobody can go on.
pub fn poll_until<T: 'static, R>(
    mut store: impl AsContextMut<Data = T>,
    mut poll: impl FnMut(StoreContextMut<'_, T>, &mut Context<'_>) -> Poll<Result<R>>,
) -> Result<R> {
    let mut store = store.as_context_mut();
    let root = Arc::new(RootWaker(AtomicBool::new(true)));
    let waker = Waker::from(root.clone());
    loop {
        if root.0.swap(false, Ordering::Acquire)
            && let Poll::Ready(result) =
                poll(store.as_context_mut(), &mut Context::from_waker(&waker))
        {
            return result;
        }
        match run::step(&mut store) {
            Ok(true) => {}
            Ok(false) if root.0.load(Ordering::Acquire) => {}
            Ok(false) => return Err(run::deadlock()),
            Err(error) => {
                run::purge(&mut store);
                return Err(error);
            }
        }
    }
}
