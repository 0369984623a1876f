//! Calls that are tasks: how they begin, return, are cancelled and end.
//!
//! Specification: Canonical ABI, "Task State", "Subtask State", `canon lift`, `canon lower`,
//! `canon task.return`, `canon task.cancel`, `canon subtask.cancel`.

use std::sync::Arc;

use zwasm::{Error, Result};

use super::pipe::BLOCKED;
#[cfg(feature = "async")]
use super::promise;
use super::waitable::{CANCELLED, Event, EventWords, Item, Kind, NONE, Waitable, wrong};
use super::{
    Callee, Caller, HostLift, HostResult, Key, Resume, Subtask, SubtaskState, Task, TaskState,
    ThreadState, Wait, lost, run,
};
use crate::abi::call::{Lowered, allocate, passed, post_return, result_place};
use crate::abi::signature::CALL_SLOTS;
use crate::abi::{AnyStore, LiftContext, Side, Transfer, TypeContext};
use crate::state::{Components, Export, Options, RuntimeInstance};
use crate::types::InterfaceType;
use crate::{Lift, Place};

/// What a callback asks for.
const EXIT: u32 = 0;
const YIELD: u32 = 1;
const WAIT: u32 = 2;

/// Reads a result that the host knows as a type.
pub(crate) fn lift_for_host<R: Lift + 'static>(
    cx: &mut LiftContext<'_>,
    ty: InterfaceType,
    at: Place,
) -> Result<HostResult> {
    Ok(Box::new(R::lift(cx, ty, at)?))
}

impl Components {
    pub(super) fn exclusive(&self, instance: RuntimeInstance) -> Option<Key> {
        self.instance_tasks_ref(instance).exclusive
    }

    /// Whether a task may begin, as far as its instance takes calls.
    pub(super) fn may_enter(&self, instance: RuntimeInstance, task: Key) -> bool {
        let found = self.instance_tasks_ref(instance);
        let exclusive = self.tasks.tasks.get(task).is_some_and(Task::needs_exclusive);
        found.backpressure == 0 && !(exclusive && found.exclusive.is_some())
    }

    /// Whether the host may begin a call now.
    pub(super) fn takes_calls(&self, export: &Export) -> bool {
        let lifted = &export.lifted;
        let found = self.instance_tasks_ref(lifted.options.instance);
        let exclusive = !lifted.asynchronous || lifted.callback.is_some();
        !lifted.types[lifted.ty].asynchronous
            || found.backpressure == 0
                && found.waiting_to_enter == 0
                && !(exclusive && found.exclusive.is_some())
    }

    /// A thread begins its task if it may; if not, it waits.
    pub(super) fn enter_task(&mut self, key: Key) -> Result<bool> {
        let thread = self.thread(key)?;
        let (task, instance, cancelled) = (thread.task, thread.instance, thread.cancelled);
        let found = self.task(task)?;
        let waited = found.entering.take().is_some();
        let (asynchronous, exclusive) = (found.asynchronous(), found.needs_exclusive());
        if waited {
            self.instance_tasks(instance).waiting_to_enter -= 1;
        }
        if cancelled {
            self.tasks.threads.remove(key);
            self.resolve_cancelled(task)?;
            self.remove_task(task);
            self.wake(instance);
            return Ok(false);
        }
        if asynchronous {
            let may = self.may_enter(instance, task);
            let others = !waited && self.instance_tasks(instance).waiting_to_enter > 0;
            if !may || others {
                self.task(task)?.entering = Some(key);
                let found = self.instance_tasks(instance);
                found.waiting_to_enter += 1;
                let entering = &mut found.entering[usize::from(exclusive)];
                match waited {
                    true => entering.push_front(key),
                    false => entering.push_back(key),
                }
                let thread = self.thread(key)?;
                thread.resume = Resume::Call;
                thread.state = ThreadState::Waiting(Wait::Enter);
                // It may be that it waits for nothing but its turn.
                self.wake_entering(instance);
                return Ok(false);
            }
            if exclusive {
                self.instance_tasks(instance).exclusive = Some(task);
            } else {
                self.wake(instance);
            }
        }
        self.register_thread(key)?;
        Ok(true)
    }

    /// Gives a thread a number among those of its instance.
    pub(super) fn register_thread(&mut self, key: Key) -> Result<u32> {
        let thread = self.thread(key)?;
        let (task, instance) = (thread.task, thread.instance);
        self.task(task)?.threads.push(key);
        let found = self.instance_tasks(instance);
        let place = match found.free.pop() {
            Some(place) => {
                found.threads[place as usize] = Some(key);
                place
            }
            None => {
                found.threads.push(Some(key));
                found.threads.len() as u32 - 1
            }
        };
        self.thread(key)?.index = place + 1;
        Ok(place + 1)
    }

    /// A thread has ended. `whole` says that its task's own code has.
    fn end_thread(&mut self, key: Key, whole: bool) -> Result<()> {
        let thread = self.tasks.threads.remove(key).ok_or_else(|| lost("the thread"))?;
        let found = self.instance_tasks(thread.instance);
        if let Some(place) = thread.index.checked_sub(1) {
            found.threads[place as usize] = None;
            found.free.push(place);
        }
        let task = self.task(thread.task)?;
        task.threads.retain(|other| *other != key);
        let (ended, resolved) = (task.threads.is_empty(), task.state == TaskState::Resolved);
        let exclusive = task.asynchronous() && task.needs_exclusive();
        if ended && !resolved {
            return Err(Error::trap_msg(
                "async-lifted export failed to produce a result: a task ended without returning",
            ));
        }
        if whole && exclusive {
            self.instance_tasks(thread.instance).exclusive = None;
            self.wake(thread.instance);
        }
        if ended {
            self.remove_task(thread.task);
        }
        Ok(())
    }

    /// A task has ended; what the host has not taken of it stays.
    fn remove_task(&mut self, key: Key) {
        match self.tasks.tasks.get(key).map(|task| &task.caller) {
            None | Some(Caller::Host { .. }) => {}
            #[cfg(feature = "async")]
            Some(Caller::Promise { .. }) => {
                self.tasks.tasks.remove(key);
            }
            Some(Caller::Gone) => {
                self.tasks.tasks.remove(key);
            }
            Some(Caller::Guest(waitable)) => {
                let waitable = *waitable;
                if let Ok(subtask) = self.subtask(waitable) {
                    subtask.callee = Callee::None;
                }
                self.tasks.tasks.remove(key);
            }
        }
    }

    /// Whether a task's call has given back what it was lent.
    fn check_borrows(&mut self, task: Key) -> Result<()> {
        match self.task(task)?.scope {
            Some(scope) => self.check_scope(scope),
            None => Ok(()),
        }
    }

    /// A task that was cancelled has no result.
    fn resolve_cancelled(&mut self, key: Key) -> Result<()> {
        let task = self.task(key)?;
        task.state = TaskState::Resolved;
        match &mut task.caller {
            Caller::Guest(waitable) => {
                let waitable = *waitable;
                let subtask = self.subtask(waitable)?;
                subtask.state = match subtask.state {
                    SubtaskState::Starting => SubtaskState::CancelledBeforeStarted,
                    _ => SubtaskState::CancelledBeforeReturned,
                };
                self.tasks.set_event(waitable, Event::Progress);
            }
            Caller::Host { result, waker, .. } => {
                *result = Some(None);
                if let Some(waker) = waker.take() {
                    waker.wake();
                }
            }
            #[cfg(feature = "async")]
            Caller::Promise { promise, .. } => {
                promise.settle(Err(Error::msg("the call was cancelled")));
            }
            Caller::Gone => {}
        }
        Ok(())
    }

    /// `task.cancel`
    pub(super) fn cancel_task(&mut self, instance: RuntimeInstance) -> Result<()> {
        let (thread, task) = self.current_task(instance).ok_or_else(no_task)?;
        if !task.callee.lifted.asynchronous {
            return Err(not_asynchronous("cancel"));
        }
        match task.state {
            TaskState::CancelDelivered => {}
            TaskState::Resolved => return Err(twice()),
            TaskState::Initial | TaskState::PendingCancel => {
                return Err(Error::trap_msg(
                    "`task.cancel` called by task which has not been cancelled",
                ));
            }
        }
        let task = self.thread(thread)?.task;
        self.check_borrows(task)?;
        self.resolve_cancelled(task)
    }

    /// Whether a thread that could be told now that its task is cancelled is.
    pub(super) fn take_cancel(&mut self, key: Key) -> Result<bool> {
        let task = self.thread(key)?.task;
        let task = self.task(task)?;
        let pending = task.state == TaskState::PendingCancel;
        if pending {
            task.state = TaskState::CancelDelivered;
        }
        Ok(pending)
    }
}

#[cold]
fn no_task() -> Error {
    Error::trap_msg("there is no task whose result this could be")
}

#[cold]
fn not_asynchronous(what: &str) -> Error {
    Error::trap_msg(format_args!("`task.{what}` called by a function that is lifted synchronously"))
}

#[cold]
fn twice() -> Error {
    Error::trap_msg("`task.return` or `task.cancel` called more than once for current task")
}

/// Runs a thread from where it begins to where it ends, or waits without a stack.
pub(super) fn begin(store: &mut dyn AnyStore, key: Key, resume: Resume) -> Result<()> {
    match resume {
        Resume::Call => call(store, key),
        Resume::Callback => {
            let state = store.state();
            let thread = state.thread(key)?;
            let (instance, task) = (thread.instance, thread.task);
            let event = state.callback_event(key)?;
            state.instance_tasks(instance).exclusive = Some(task);
            callbacks(store, key, task, event)
        }
        Resume::Func(func, number) => {
            store.call(func, &mut [number])?;
            store.state().end_thread(key, false)
        }
        Resume::Stack(_) => Err(lost("the thread's beginning")),
    }
}

impl Components {
    /// What a callback is told.
    fn callback_event(&mut self, key: Key) -> Result<EventWords> {
        let thread = self.thread(key)?;
        if std::mem::take(&mut thread.cancelled) {
            return Ok(CANCELLED);
        }
        match std::mem::take(&mut thread.callback_set) {
            Some(set) => self.event_of(set)?.ok_or_else(|| lost("the event")),
            None => Ok(NONE),
        }
    }
}

fn call(store: &mut dyn AnyStore, key: Key) -> Result<()> {
    let state = store.state();
    let task_key = state.thread(key)?.task;
    let task = state.task(task_key)?;
    let callee = task.callee.clone();
    let scope = task.scope;
    let guest = match task.caller {
        Caller::Guest(waitable) => Some(waitable),
        Caller::Host { .. } | Caller::Gone => None,
        #[cfg(feature = "async")]
        Caller::Promise { .. } => None,
    };
    let mut args = [0; CALL_SLOTS];
    match guest {
        Some(waitable) => {
            let subtask = state.subtask(waitable)?;
            subtask.state = SubtaskState::Started;
            let (lowered, slots) = (subtask.lowered.clone(), subtask.slots);
            if state.tasks.waitables.get(waitable).is_some_and(|found| found.handle != 0) {
                state.tasks.set_event(waitable, Event::Progress);
            }
            state.open.extend(scope);
            let given = give_args(store, &lowered, &callee, &slots, &mut args);
            if scope.is_some() {
                store.state().open.pop();
            }
            given?;
        }
        None => {
            args = std::mem::replace(&mut task.args, args);
            #[cfg(feature = "async")]
            if let Some(mut lower) = task.lower.take()
                && !promise::write_args(store, task_key, &callee, &mut lower, &mut args)?
            {
                return store.state().end_thread(key, true);
            }
        }
    }
    let lifted = &callee.lifted;
    store.call(lifted.core, &mut args)?;
    if !lifted.asynchronous {
        let state = store.state();
        if state.task(task_key)?.state == TaskState::Resolved {
            return Err(twice());
        }
        resolve(store, task_key, &callee, lifted.options, &args)?;
        post_return(store, lifted, &mut args)?;
        return store.state().end_thread(key, true);
    }
    match lifted.callback {
        None => store.state().end_thread(key, true),
        Some(_) => asked(store, key, task_key, args[0] as u32),
    }
}

/// Moves a guest's arguments to the callee.
fn give_args(
    store: &mut dyn AnyStore,
    lowered: &Lowered,
    callee: &Export,
    slots: &[u64],
    args: &mut [u64],
) -> Result<()> {
    let Export { lifted, signature } = callee;
    let caller = Side { cx: lowered.cx(), options: lowered.options };
    let cx = TypeContext { types: &lifted.types, resources: &lifted.resources };
    let target = Side { cx, options: lifted.options };
    let from = passed(&lowered.signature.params, slots, 0, store.split(lowered.options.memory).0)?;
    let to = allocate(store, &signature.params, &lifted.options, args)?;
    let ty = (lowered.signature.params.ty(), signature.params.ty());
    Transfer::new(store, (caller, slots), (target, args)).value(ty, from, to)
}

/// Calls the callback until the task ends or waits.
fn callbacks(store: &mut dyn AnyStore, key: Key, task: Key, event: EventWords) -> Result<()> {
    let callee = store.state().task(task)?.callee.clone();
    let callback = callee.lifted.callback.ok_or_else(|| lost("the callback"))?;
    let mut slots = event.map(u64::from);
    store.call(callback, &mut slots)?;
    asked(store, key, task, slots[0] as u32)
}

/// Does what the task's code has returned for: nothing more, or to wait.
fn asked(store: &mut dyn AnyStore, key: Key, task: Key, packed: u32) -> Result<()> {
    let state = store.state();
    let (code, set) = (packed & 0xf, packed >> 4);
    let instance = state.thread(key)?.instance;
    let set = match code {
        EXIT => return state.end_thread(key, true),
        YIELD => None,
        WAIT => {
            if !state.task(task)?.may_block() {
                return Err(Error::trap_msg("cannot block a synchronous task before returning"));
            }
            Some(state.set(instance, set)?)
        }
        _ => {
            return Err(Error::trap_msg(format_args!("unsupported callback code: {code}")));
        }
    };
    if set.is_none() && !state.task(task)?.may_block() {
        return callbacks(store, key, task, NONE);
    }
    if state.instance_tasks(instance).exclusive == Some(task) {
        state.instance_tasks(instance).exclusive = None;
    }
    let cancelled = state.take_cancel(key)?;
    let thread = state.thread(key)?;
    thread.cancelled = cancelled;
    thread.resume = Resume::Callback;
    thread.callback_set = set;
    state.start_waiting(key, set.map_or(Wait::CallbackTurn, Wait::CallbackSet))?;
    state.wake(instance);
    Ok(())
}

/// A task's result, in core values as the callee passes them, goes to the caller.
fn resolve(
    store: &mut dyn AnyStore,
    key: Key,
    callee: &Export,
    options: Options,
    slots: &[u64],
) -> Result<()> {
    let state = store.state();
    state.check_borrows(key)?;
    let Export { lifted, signature } = callee;
    let cx = TypeContext { types: &lifted.types, resources: &lifted.resources };
    let guest = match &state.task(key)?.caller {
        Caller::Guest(waitable) => Ok(*waitable),
        Caller::Host { lift, .. } => Err(*lift),
        #[cfg(feature = "async")]
        Caller::Promise { lift, .. } => Err(*lift),
        Caller::Gone => return Err(twice()),
    };
    let from = passed(&signature.results, slots, 0, store.split(options.memory).0)?;
    match guest {
        Ok(waitable) => {
            let subtask = store.state().subtask(waitable)?;
            let (lowered, mut target) = (subtask.lowered.clone(), subtask.slots);
            let source = Side { cx, options };
            let caller = Side { cx: lowered.cx(), options: lowered.options };
            let memory = store.split(lowered.options.memory).0;
            let to = result_place(&lowered.signature, &mut target, memory)?;
            let ty = (signature.results.ty(), lowered.signature.results.ty());
            Transfer::new(store, (source, slots), (caller, &mut target)).value(ty, from, to)?;
            let state = store.state();
            let subtask = state.subtask(waitable)?;
            subtask.slots = target;
            subtask.state = SubtaskState::Returned;
            state.tasks.set_event(waitable, Event::Progress);
        }
        Err(lift) => {
            let memory = store.split(options.memory);
            let mut cx = LiftContext::new(cx, options, slots, memory);
            let value = lift(&mut cx, signature.results.ty(), from)?;
            let state = store.state();
            let task = state.task(key)?;
            let scope = task.scope.take();
            match &mut task.caller {
                Caller::Host { result, waker, .. } => {
                    *result = Some(Some(value));
                    if let Some(waker) = waker.take() {
                        waker.wake();
                    }
                }
                #[cfg(feature = "async")]
                Caller::Promise { promise, .. } => promise.settle(Ok(value)),
                Caller::Guest(_) | Caller::Gone => {}
            }
            if let Some(scope) = scope {
                state.end_scope(scope);
            }
        }
    }
    store.state().task(key)?.state = TaskState::Resolved;
    Ok(())
}

/// `task.return`: core values as a result of this type.
pub(super) fn task_return(
    store: &mut dyn AnyStore,
    result: Option<InterfaceType>,
    options: Options,
    slots: &[u64],
) -> Result<()> {
    let state = store.state();
    let (thread, task) = state.current_task(options.instance).ok_or_else(no_task)?;
    let callee = task.callee.clone();
    let lifted = &callee.lifted;
    if !lifted.asynchronous {
        return Err(not_asynchronous("return"));
    }
    if task.state == TaskState::Resolved {
        return Err(twice());
    }
    if lifted.types[lifted.ty].result != result || !options.lifts_like(&lifted.options) {
        return Err(Error::trap_msg(
            "invalid `task.return` signature and/or options for current task",
        ));
    }
    let task = state.thread(thread)?.task;
    resolve(store, task, &callee, lifted.options, slots)
}

/// A guest calls another's function as a task: the callee runs until it waits, and the
/// caller waits as well if its call is synchronous.
///
/// # Errors
///
/// If the caller may not wait, and what stopped the callee.
pub(crate) fn start_guest(
    store: &mut dyn AnyStore,
    lowered: &Arc<Lowered>,
    callee: &Arc<Export>,
    slots: &mut [u64],
) -> Result<()> {
    let instance = lowered.options.instance;
    let state = store.state();
    let may_wait = lowered.types[lowered.ty].asynchronous;
    let caller = match may_wait && !lowered.asynchronous {
        true => Some(state.check_block(instance)?),
        false => state.current(instance),
    };
    run::make_way(store, callee)?;
    let state = store.state();
    let scope = callee.signature.borrows.then(|| state.new_scope());
    let waitable = state.add_subtask(lowered, slots, scope)?;
    let task = state.add_task(callee, Caller::Guest(waitable), scope);
    state.subtask(waitable)?.callee = Callee::Task(task);
    let resume = Resume::Call;
    let thread = state.tasks.add_thread(task, callee.lifted.options.instance, resume)?;
    run::resume(store, thread)?;
    if lowered.asynchronous {
        return store.state().started(waitable, slots);
    }
    while !store.state().subtask(waitable)?.state.resolved() {
        match caller.filter(|_| may_wait) {
            Some(caller) => run::wait_for(store, caller, waitable)?,
            // A thread of the callee's that it has switched to has to switch back.
            None if run::step(store)? => {}
            None => return Err(run::deadlock()),
        }
    }
    store.state().finish_sync(waitable, slots)
}

impl Components {
    pub(super) fn add_subtask(
        &mut self,
        lowered: &Arc<Lowered>,
        slots: &[u64],
        scope: Option<u64>,
    ) -> Result<Key> {
        let mut all = [0; CALL_SLOTS];
        for (place, slot) in all.iter_mut().zip(slots) {
            *place = *slot;
        }
        let subtask = Subtask {
            state: SubtaskState::Starting,
            delivered: false,
            cancel_requested: false,
            callee: Callee::None,
            lowered: lowered.clone(),
            slots: all,
            scope,
        };
        Ok(self.tasks.waitables.insert(Waitable {
            kind: Kind::Subtask(Box::new(subtask)),
            instance: lowered.options.instance,
            handle: 0,
            event: None,
            set: None,
            number: 0,
            waiter: None,
        }))
    }

    pub(super) fn set_callee(&mut self, waitable: Key, host: Key) -> Result<()> {
        let subtask = self.subtask(waitable)?;
        subtask.callee = Callee::Host(host);
        subtask.state = SubtaskState::Started;
        Ok(())
    }

    pub(super) fn add_task(
        &mut self,
        callee: &Arc<Export>,
        caller: Caller,
        scope: Option<u64>,
    ) -> Key {
        self.tasks.tasks.insert(Task {
            callee: callee.clone(),
            state: TaskState::Initial,
            caller,
            scope,
            entering: None,
            threads: Vec::new(),
            args: [0; CALL_SLOTS],
            #[cfg(feature = "async")]
            lower: None,
        })
    }

    /// A call of the host's, with its arguments in core values: the task, and its thread.
    pub(super) fn add_host_task(
        &mut self,
        callee: &Arc<Export>,
        args: [u64; CALL_SLOTS],
        scope: Option<u64>,
        lift: HostLift,
    ) -> Result<(Key, Key)> {
        let caller = Caller::Host { lift, result: None, waker: None };
        let task = self.add_task(callee, caller, scope);
        self.task(task)?.args = args;
        let instance = callee.lifted.options.instance;
        let thread = self.tasks.add_thread(task, instance, Resume::Call)?;
        Ok((task, thread))
    }

    /// The result of a call of the host's, once it is there; nothing in it if the call was
    /// cancelled. The waker is woken when it is.
    pub(super) fn take_host_result(
        &mut self,
        key: Key,
        wake: Option<&std::task::Waker>,
    ) -> Result<Option<Option<HostResult>>> {
        let task = self.task(key)?;
        let ended = task.threads.is_empty() && task.entering.is_none();
        let Caller::Host { result, waker, .. } = &mut task.caller else {
            return Err(lost("the call"));
        };
        let taken = result.take();
        match &taken {
            None => *waker = wake.cloned(),
            Some(_) if ended => {
                self.tasks.tasks.remove(key);
            }
            Some(_) => task.caller = Caller::Gone,
        }
        Ok(taken)
    }

    /// What an asynchronous call gives its caller at once: how far it is, and a handle if
    /// it is not at its end.
    pub(super) fn started(&mut self, waitable: Key, slots: &mut [u64]) -> Result<()> {
        let subtask = self.subtask(waitable)?;
        let state = subtask.state;
        slots[0] = if state.resolved() {
            self.deliver_resolve(waitable);
            self.tasks.waitables.remove(waitable);
            state as u64
        } else {
            let found = self.tasks.waitables.get_mut(waitable).ok_or_else(|| lost("the call"))?;
            let instance = found.instance;
            found.event = None;
            let handle = self.insert_item(instance, Item::Waitable(waitable))?;
            if let Some(found) = self.tasks.waitables.get_mut(waitable) {
                found.handle = handle;
            }
            u64::from(state as u32 | handle << 4)
        };
        Ok(())
    }

    /// A synchronous call is at its end: its result.
    pub(super) fn finish_sync(&mut self, waitable: Key, slots: &mut [u64]) -> Result<()> {
        self.deliver_resolve(waitable);
        let result = self.subtask(waitable)?.slots[0];
        self.tasks.waitables.remove(waitable);
        if let Some(slot) = slots.first_mut() {
            *slot = result;
        }
        Ok(())
    }

    fn subtask_at(&mut self, instance: RuntimeInstance, index: u32) -> Result<Key> {
        let key = match self.item(instance, index)? {
            Item::Waitable(key) => key,
            Item::Set(_) | Item::Error(_) => return Err(wrong(index, "a subtask")),
        };
        match self.subtask(key) {
            Ok(_) => Ok(key),
            Err(_) => Err(wrong(index, "a subtask")),
        }
    }

    /// `subtask.drop`
    pub(super) fn drop_subtask(&mut self, instance: RuntimeInstance, index: u32) -> Result<()> {
        let key = self.subtask_at(instance, index)?;
        if !self.subtask(key)?.delivered {
            return Err(Error::trap_msg("cannot drop a subtask which has not yet resolved"));
        }
        self.remove_item(instance, index)?;
        self.tasks.join(key, None);
        self.tasks.waitables.remove(key);
        Ok(())
    }
}

/// `subtask.cancel`
pub(super) fn cancel_subtask(
    store: &mut dyn AnyStore,
    instance: RuntimeInstance,
    asynchronous: bool,
    index: u32,
) -> Result<u32> {
    let state = store.state();
    let thread = match asynchronous {
        true => None,
        false => Some(state.check_block(instance)?),
    };
    let key = state.subtask_at(instance, index)?;
    if thread.is_some() {
        state.check_alone(key)?;
    }
    let subtask = state.subtask(key)?;
    if subtask.delivered {
        return Err(Error::trap_msg("`subtask.cancel` called after terminal status delivered"));
    }
    if std::mem::replace(&mut subtask.cancel_requested, true) {
        return Err(Error::trap_msg("`subtask.cancel` called more than once for a subtask"));
    }
    if !subtask.state.resolved() {
        match subtask.callee {
            Callee::Task(task) => request_cancel(store, task)?,
            Callee::Host(host) => super::host::cancel(store, key, host)?,
            Callee::None => {}
        }
    }
    while !store.state().subtask(key)?.state.resolved() {
        let Some(thread) = thread else { return Ok(BLOCKED) };
        store.state().tasks.clear_event(key);
        run::wait_for(store, thread, key)?;
    }
    let [.., payload] = store.state().deliver(key)?;
    Ok(payload)
}

/// Tells a task that it is cancelled, now or when it can be told.
fn request_cancel(store: &mut dyn AnyStore, key: Key) -> Result<()> {
    let state = store.state();
    let task = state.task(key)?;
    if let Some(thread) = task.entering {
        task.state = TaskState::CancelDelivered;
        state.thread(thread)?.cancelled = true;
        return run::resume(store, thread);
    }
    if task.state != TaskState::Initial {
        return Ok(());
    }
    let exclusive = task.needs_exclusive();
    let threads = task.threads.clone();
    task.state = TaskState::PendingCancel;
    let instance = task.callee.lifted.options.instance;
    let free = state.exclusive(instance).is_none_or(|other| other == key);
    if exclusive && !free {
        return Ok(());
    }
    for thread in threads {
        let found = state.thread(thread)?;
        if let ThreadState::Waiting(Wait::CallbackTurn | Wait::CallbackSet(_)) = found.state {
            found.cancelled = true;
            state.task(key)?.state = TaskState::CancelDelivered;
            return run::resume(store, thread);
        }
    }
    Ok(())
}
