//! Turns: which thread runs next, and what happens when one waits.
//!
//! The queue has threads that may go on. Whether one may is found when its turn comes, as
//! what woke it may be gone by then; a thread that may not is woken again by whatever
//! changes that. When the queue is empty, what the host does meanwhile is asked, and when
//! that has nothing either, the host's loop waits; if there is nothing to wait for, what
//! waits would wait for ever.
//!
//! A thread that waits within its code leaves its stack to whoever resumed it. Those of
//! instances with no function that waits before it returns have none of their own: they run
//! on that of whoever gives them their turn, and return to wait. Where there is no stack to
//! leave (the host's own, or none are to be had), others have their turns on top of it until
//! it may go on.
//!
//! Specification: Canonical ABI, "Thread State", `Store.tick`.

#[cfg(feature = "async")]
use std::sync::atomic::{AtomicBool, Ordering};

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use zwasm::{Error, Result};

use super::{Key, Resume, ThreadState, Wait, call, host, lost};
use crate::abi::AnyStore;
use crate::state::{Components, Export, RuntimeInstance};
use crate::tuning::TURNS;

impl Components {
    /// Whether a thread that waits may go on.
    pub(super) fn may_go_on(&self, key: Key) -> bool {
        let Some(thread) = self.tasks.threads.get(key) else { return false };
        let ThreadState::Waiting(wait) = thread.state else { return false };
        let has_event = |set: Key| self.tasks.sets.get(set).is_some_and(|set| set.has_event());
        match wait {
            Wait::Turn => true,
            Wait::Enter => self.may_enter(thread.instance, thread.task),
            Wait::CallbackTurn | Wait::CallbackSet(_) => {
                self.is_excluded(key) && self.exclusive(thread.instance).is_none()
            }
            Wait::Set(set) => has_event(set),
            Wait::Waitable(waitable) => self.tasks.has_event(waitable),
        }
    }

    /// Whether all that can keep a thread is that another task is exclusive.
    fn is_excluded(&self, key: Key) -> bool {
        let Some(thread) = self.tasks.threads.get(key) else { return false };
        match thread.state {
            ThreadState::Waiting(Wait::CallbackTurn) => true,
            ThreadState::Waiting(Wait::CallbackSet(set)) => {
                thread.cancelled || self.tasks.sets.get(set).is_some_and(|set| set.has_event())
            }
            ThreadState::Waiting(Wait::Turn | Wait::Enter | Wait::Set(_) | Wait::Waitable(_))
            | ThreadState::Running
            | ThreadState::Suspended => false,
        }
    }

    /// No task of an instance is exclusive now, or it takes calls again.
    pub(super) fn wake(&mut self, instance: RuntimeInstance) {
        self.wake_excluded(instance);
        self.wake_entering(instance);
    }

    /// The first thread that another task's being exclusive keeps is woken.
    fn wake_excluded(&mut self, instance: RuntimeInstance) {
        while let Some(thread) = self.instance_tasks(instance).excluded.pop_front() {
            if self.is_excluded(thread) {
                self.tasks.enqueue(thread);
                break;
            }
            self.tasks.set_woken(thread, true);
        }
    }

    /// A thread that had its turn cannot go on: it is woken when it could.
    fn put_aside(&mut self, key: Key, instance: RuntimeInstance) {
        if self.is_excluded(key) {
            self.tasks.set_woken(key, false);
            self.instance_tasks(instance).excluded.push_back(key);
        } else {
            self.tasks.set_woken(key, true);
            if self.exclusive(instance).is_none() {
                self.wake_excluded(instance);
            }
        }
    }

    /// The first thread of each kind that waits to begin looks whether it may.
    pub(super) fn wake_entering(&mut self, instance: RuntimeInstance) {
        for exclusive in [0, 1] {
            while let Some(&thread) = self.instance_tasks(instance).entering[exclusive].front() {
                let found = self.tasks.threads.get(thread);
                if found.is_some_and(|found| found.state == ThreadState::Waiting(Wait::Enter)) {
                    self.tasks.enqueue(thread);
                    break;
                }
                self.instance_tasks(instance).entering[exclusive].pop_front();
            }
        }
    }

    /// A thread waits no more.
    fn stop_waiting(&mut self, key: Key) {
        let Some(thread) = self.tasks.threads.get_mut(key) else { return };
        match std::mem::replace(&mut thread.state, ThreadState::Running) {
            ThreadState::Waiting(Wait::CallbackSet(set) | Wait::Set(set)) => {
                self.tasks.remove_waiter(key, set);
            }
            ThreadState::Waiting(Wait::Waitable(waitable)) => {
                if let Some(waitable) = self.tasks.waitables.get_mut(waitable) {
                    waitable.waiter = None;
                }
            }
            ThreadState::Waiting(Wait::Turn | Wait::Enter | Wait::CallbackTurn)
            | ThreadState::Running
            | ThreadState::Suspended => {}
        }
    }

    /// From now on a thread waits; it gets a turn at once if there is no need to.
    pub(super) fn start_waiting(&mut self, key: Key, wait: Wait) -> Result<()> {
        self.thread(key)?.state = ThreadState::Waiting(wait);
        match wait {
            Wait::CallbackSet(set) | Wait::Set(set) => self.tasks.add_waiter(key, set)?,
            Wait::Waitable(waitable) => {
                let found = self.tasks.waitables.get_mut(waitable);
                found.ok_or_else(|| lost("the waitable"))?.waiter = Some(key);
            }
            Wait::Turn | Wait::Enter | Wait::CallbackTurn => {}
        }
        if self.may_go_on(key) || self.is_excluded(key) {
            self.tasks.enqueue(key);
        }
        Ok(())
    }
}

/// Gives a thread a turn, and those that it hands the turn over to.
pub(super) fn resume(store: &mut dyn AnyStore, thread: Key) -> Result<()> {
    let mut thread = thread;
    loop {
        turn(store, thread)?;
        match store.state().tasks.next.take() {
            Some(next) => thread = next,
            None => return Ok(()),
        }
    }
}

fn turn(store: &mut dyn AnyStore, key: Key) -> Result<()> {
    let state = store.state();
    state.stop_waiting(key);
    let thread = state.thread(key)?;
    let instance = thread.instance;
    let resume = std::mem::replace(&mut thread.resume, Resume::Stack(None));
    let scopes = std::mem::take(&mut thread.scopes);
    if let Resume::Call = resume
        && !state.enter_task(key)?
    {
        return Ok(());
    }
    let state = store.state();
    let needs_stack = state.instance_tasks(instance).kind.wait;
    let before = state.tasks.current.replace(key);
    let scopes = std::mem::replace(&mut state.open, scopes);
    let entered = state.set_entered(instance, true);
    let gone_on = catch_unwind(AssertUnwindSafe(|| match resume {
        Resume::Stack(Some(stack)) => store.resume(stack),
        Resume::Stack(None) => Err(lost("the thread's stack")),
        begin if needs_stack => store.start(Box::new(move |store| call::begin(store, key, begin))),
        begin => call::begin(store, key, begin).map(|()| None),
    }));
    let (result, panic) = match gone_on {
        Ok(result) => (result, None),
        // A function of the host's has panicked: the component has ended all the same.
        Err(panic) => (Err(lost("the turn")), Some(panic)),
    };
    let state = store.state();
    state.set_entered(instance, entered);
    state.tasks.current = before;
    let scopes = std::mem::replace(&mut state.open, scopes);
    match result {
        Ok(Some(stack)) => {
            let thread = state.thread(key)?;
            thread.resume = Resume::Stack(Some(stack));
            thread.scopes = scopes;
            Ok(())
        }
        Ok(None) => Ok(()),
        Err(error) => {
            // What the calls were lent that end here is their lenders' again.
            scopes.into_iter().for_each(|scope| state.end_scope(scope));
            state.poison(instance);
            if let Some(panic) = panic {
                resume_unwind(panic);
            }
            Err(error)
        }
    }
}

/// The thread that runs waits, or is suspended if it waits for nothing.
pub(super) fn block(store: &mut dyn AnyStore, thread: Key, wait: Option<Wait>) -> Result<()> {
    let state = store.state();
    match wait {
        Some(wait) => state.start_waiting(thread, wait)?,
        None => state.thread(thread)?.state = ThreadState::Suspended,
    }
    let instance = state.thread(thread)?.instance;
    // Without a stack of its own it is on that of another.
    if state.instance_tasks(instance).kind.wait && store.suspend()? {
        return Ok(());
    }
    // It looks for itself whenever it is on top.
    store.state().tasks.set_woken(thread, false);
    loop {
        let state = store.state();
        match state.tasks.next.take() {
            Some(next) if next == thread => break,
            Some(next) => {
                resume(store, next)?;
                continue;
            }
            None => {}
        }
        if state.may_go_on(thread) {
            break;
        }
        if !step(store)? {
            return Err(deadlock());
        }
    }
    store.state().stop_waiting(thread);
    Ok(())
}

/// The thread that runs waits for just one waitable.
pub(super) fn wait_for(store: &mut dyn AnyStore, thread: Key, waitable: Key) -> Result<()> {
    match store.state().tasks.has_event(waitable) {
        true => Ok(()),
        false => block(store, thread, Some(Wait::Waitable(waitable))),
    }
}

/// Lets the threads of an instance go on that may, as far as it takes no calls because of
/// them. Nothing that is on the stack now is entered by that, as calls within a component go
/// one way.
pub(super) fn make_way(store: &mut dyn AnyStore, export: &Export) -> Result<()> {
    let instance = export.lifted.options.instance;
    let state = store.state();
    if state.takes_calls(export) || state.is_poisoned(instance) {
        return Ok(());
    }
    let is_there = |key: &Key| {
        let thread = state.tasks.threads.get(*key);
        thread.is_some_and(|thread| thread.instance == instance)
    };
    let threads: Vec<Key> = state.tasks.queue.iter().copied().filter(is_there).collect();
    for thread in threads {
        let state = store.state();
        if state.takes_calls(export) {
            break;
        }
        let found = state.tasks.threads.get(thread).map(|thread| &thread.resume);
        if !matches!(found, None | Some(Resume::Stack(None))) && state.may_go_on(thread) {
            resume(store, thread)?;
        }
    }
    Ok(())
}

/// Gives the next thread its turn, or asks the host.
///
/// # Errors
///
/// What stopped a guest.
pub(crate) fn step(store: &mut dyn AnyStore) -> Result<bool> {
    Ok(either(store)? || host::wait_for_woken(store)?)
}

/// Gives the next thread its turn, or asks what of the host's was woken. Which of them comes
/// first alternates, so that neither keeps the other from going on. Tells if nobody can.
fn either(store: &mut dyn AnyStore) -> Result<bool> {
    let tasks = &mut store.state().tasks;
    tasks.host_first = !tasks.host_first;
    let host_first = tasks.host_first;
    tasks.turns += 1;
    if tasks.turns >= TURNS {
        tasks.turns = 0;
        host::look_in_loop(store)?;
    }
    match host_first {
        true => Ok(host::ask_woken(store)? || next(store)?),
        false => Ok(next(store)? || host::ask_woken(store)?),
    }
}

/// Gives the next thread its turn. Tells if there is none that may go on.
fn next(store: &mut dyn AnyStore) -> Result<bool> {
    loop {
        let state = store.state();
        let Some(key) = state.tasks.queue.pop_front() else { return Ok(false) };
        let Some(thread) = state.tasks.threads.get_mut(key) else { continue };
        thread.queued = false;
        let instance = thread.instance;
        // One that waits beneath this goes on when it is on top again.
        if matches!(thread.resume, Resume::Stack(None)) || state.is_poisoned(instance) {
            continue;
        }
        #[cfg(feature = "async")]
        if state.put_off(key) {
            continue;
        }
        if state.may_go_on(key) {
            resume(store, key)?;
            return Ok(true);
        }
        state.put_aside(key, instance);
    }
}

/// How far turns have come.
#[cfg(feature = "async")]
pub(crate) enum Turns {
    /// Others have to be let go on.
    Taken,
    /// Nobody can go on, until something is woken.
    Idle,
}

/// Lets guests and functions of the host go on for some turns, as far as they can without
/// waiting for something beyond the store, or until `stop`.
///
/// # Errors
///
/// What stopped a guest or a function of the host; what belongs to its component has ended.
#[cfg(feature = "async")]
pub(crate) fn turns(store: &mut dyn AnyStore, stop: &AtomicBool) -> Result<Turns> {
    let result = try_turns(store, stop);
    if result.is_err() || store.state().tasks.unpurged {
        purge(store);
    }
    result
}

#[cfg(feature = "async")]
fn try_turns(store: &mut dyn AnyStore, stop: &AtomicBool) -> Result<Turns> {
    for _ in 0..TURNS {
        if !either(store)? {
            // A loop may keep the thread, so whoever is to have a turn has it first.
            if stop.load(Ordering::Acquire) {
                break;
            }
            if !host::wait_in_loop(store)? {
                return Ok(Turns::Idle);
            }
        }
        // Not before the first turn: who always asks for one would have them all.
        if stop.load(Ordering::Acquire) {
            break;
        }
    }
    Ok(Turns::Taken)
}

impl Components {
    /// Whether nobody can go on, so that [`turns`] would give none.
    #[cfg(feature = "async")]
    pub(crate) fn is_idle(&self) -> bool {
        self.tasks.queue.is_empty() && !self.tasks.unpurged && self.tasks.host.is_idle()
    }
}

/// That nobody can go on.
#[cold]
pub(super) fn deadlock() -> Error {
    Error::trap_msg("deadlock detected: event loop cannot make further progress")
}

/// Ends what belongs to components that have trapped: nobody resumes it.
pub(crate) fn purge(store: &mut dyn AnyStore) {
    let state = store.state();
    state.tasks.unpurged = false;
    let threads: Vec<Key> = state.tasks.threads.iter().map(|(key, _)| key).collect();
    let mut gone = Vec::new();
    for key in threads {
        let Some(thread) = state.tasks.threads.get(key) else { continue };
        let (instance, task) = (thread.instance, thread.task);
        // What runs, here or beneath, ends by itself.
        if thread.state != ThreadState::Running && state.is_poisoned(instance) {
            gone.extend(state.tasks.threads.remove(key));
            state.tasks.tasks.remove(task);
        }
    }
    for thread in gone {
        if let Resume::Stack(Some(stack)) = thread.resume {
            store.unwind(stack);
        }
    }
    host::forget_poisoned(store);
}
