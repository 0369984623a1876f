//! Tasks and what they wait for.
//!
//! A call of an asynchronous function is a *task* of the callee and, if a guest makes it, a
//! *subtask* of the caller. A task's code runs on *threads*, which take turns: one runs until
//! it waits or ends (`run`). What is waited for is a *waitable*: a subtask, or an end of a
//! stream or future with a copy under way. A waitable has at most one event, and may be in a
//! *set*, which is waited for as a whole (`waitable`).
//!
//! A thread that waits within its code has a stack that stays; a task that is lifted with
//! a callback returns from its code to wait, and needs none. A thread is resumed by whoever
//! makes it ready only through the queue: each turn starts from the event loop, but for the
//! first turn of a task, which the caller gives it at once.
//!
//! Streams and futures are *pipes*: two ends, and at most one side that waits for the other.
//! When the other side comes, values go straight from the memory of one to that of the
//! other (`pipe`).
//!
//! Synchronous calls make none of this, unless the instance that is called has functions
//! for tasks: then a call has a thread, as there are numbers that each thread has of its own.
//!
//! Everything is named by keys into tables of the store; a key that is stale finds nothing,
//! so that whoever was woken for nothing goes on waiting.
//!
//! Specification: Component Model, "Concurrency"; Canonical ABI, "Runtime State".

pub(crate) mod built_in;
mod call;
pub(crate) mod ends;
pub(crate) mod host;
mod pipe;
#[cfg(feature = "async")]
mod promise;
mod run;
mod slab;
mod thread;
mod waitable;

pub(crate) use call::{lift_for_host, start_guest};
pub(crate) use pipe::{lift_end, lower_end};
#[cfg(feature = "async")]
pub(crate) use promise::{LowerLater, Promised};
#[cfg(feature = "async")]
pub(crate) use run::{Turns, turns};
pub(crate) use slab::{Key, Slab};
pub(crate) use waitable::Item;

use std::any::Any;
use std::collections::VecDeque;
use std::sync::Arc;

use zwasm::{Error, Result};

use crate::abi::call::Lowered;
use crate::plan;
use crate::state::{Components, Export, RuntimeInstance};
use crate::tuning::MAX_THREADS;
use pipe::Pipe;
use waitable::{Set, Waitable};

/// What a store has of tasks.
#[derive(Default)]
pub(crate) struct Tasks {
    pub(crate) tasks: Slab<Task>,
    pub(crate) threads: Slab<Thread>,
    pub(crate) waitables: Slab<Waitable>,
    pub(crate) sets: Slab<Set>,
    pub(crate) pipes: Slab<Pipe>,
    /// What is known of failures, one for each handle.
    pub(crate) errors: Slab<Arc<str>>,
    /// Threads that may have something to do.
    queue: VecDeque<Key>,
    /// The thread that runs.
    current: Option<Key>,
    /// The thread to go on with when the one that runs waits.
    next: Option<Key>,
    /// Whether what of the host's was woken is asked before the next thread has its turn.
    host_first: bool,
    /// Turns since the host's loop was looked into.
    turns: usize,
    /// Threads whose calls begin when code of their components has left the stack.
    #[cfg(feature = "async")]
    put_off: Vec<Key>,
    /// Whether a component has trapped whose threads are still there.
    pub(crate) unpurged: bool,
    pub(crate) host: host::HostTasks,
}

/// What an instance has of tasks.
#[derive(Default)]
pub(crate) struct InstanceTasks {
    /// Whether calls of its functions are tasks, whatever their type, and need stacks.
    pub(crate) kind: plan::Tasks,
    backpressure: u32,
    /// The task that no other may run beside, but those with stacks of their own.
    exclusive: Option<Key>,
    /// Threads that wait to begin, in order: those whose tasks run beside others, and those
    /// whose tasks do not. Neither waits for the other.
    entering: [VecDeque<Key>; 2],
    /// How many of them still do.
    waiting_to_enter: usize,
    /// Threads that would go on but for the exclusive task.
    excluded: VecDeque<Key>,
    /// Its threads by their numbers, which are one more than the places.
    threads: Vec<Option<Key>>,
    /// Places in it that are free.
    free: Vec<u32>,
    /// What start functions have instead of the numbers of a thread.
    context: [u64; 2],
}

/// A call of a lifted function.
pub(crate) struct Task {
    callee: Arc<Export>,
    state: TaskState,
    caller: Caller,
    /// What the call lends.
    scope: Option<u64>,
    /// The thread that waits to begin.
    entering: Option<Key>,
    /// The threads it has.
    threads: Vec<Key>,
    /// The core values that the host passes.
    args: [u64; crate::abi::signature::CALL_SLOTS],
    /// What writes them when the call begins, if they are not there yet.
    #[cfg(feature = "async")]
    lower: Option<LowerLater>,
}

/// Who gets a task's result.
enum Caller {
    /// The guest with this subtask.
    Guest(Key),
    Host {
        /// Reads the result.
        lift: HostLift,
        /// What was read, or nothing if the task was cancelled.
        result: Option<Option<HostResult>>,
        /// Who is told.
        waker: Option<std::task::Waker>,
    },
    /// The host, which waits for the result without the store.
    #[cfg(feature = "async")]
    Promise { lift: HostLift, promise: promise::Promise },
    /// The host, which has the result.
    Gone,
}

/// A result that the host takes as a type it knows.
pub(crate) type HostResult = Box<dyn Any + Send + Sync>;

/// How the host reads a result.
pub(crate) type HostLift =
    fn(&mut crate::LiftContext<'_>, crate::InterfaceType, crate::Place) -> Result<HostResult>;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum TaskState {
    Initial,
    PendingCancel,
    CancelDelivered,
    Resolved,
}

/// A call that a guest makes.
pub(crate) struct Subtask {
    state: SubtaskState,
    /// Whether the caller knows the end.
    delivered: bool,
    cancel_requested: bool,
    callee: Callee,
    lowered: Arc<Lowered>,
    /// The core values that the caller passed, and its result.
    slots: [u64; crate::abi::signature::CALL_SLOTS],
    scope: Option<u64>,
}

/// What a subtask is at the other side.
#[derive(Clone, Copy)]
enum Callee {
    None,
    Task(Key),
    Host(Key),
}

/// As a guest knows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum SubtaskState {
    Starting = 0,
    Started = 1,
    Returned = 2,
    CancelledBeforeStarted = 3,
    CancelledBeforeReturned = 4,
}

impl SubtaskState {
    fn resolved(self) -> bool {
        match self {
            SubtaskState::Starting | SubtaskState::Started => false,
            SubtaskState::Returned
            | SubtaskState::CancelledBeforeStarted
            | SubtaskState::CancelledBeforeReturned => true,
        }
    }
}

/// A thread of a task.
pub(crate) struct Thread {
    task: Key,
    instance: RuntimeInstance,
    state: ThreadState,
    /// What it does when it is resumed.
    resume: Resume,
    /// Whether it is told that its task is cancelled.
    cancelled: bool,
    /// The set whose events its callback gets next.
    callback_set: Option<Key>,
    /// Whether it is in the queue.
    queued: bool,
    /// The number of its wait for a set.
    number: u64,
    index: u32,
    context: [u64; 2],
    /// The calls that lend handles and are under way on it, while it does not run.
    scopes: Vec<u64>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum ThreadState {
    Running,
    /// Until another thread resumes it.
    Suspended,
    Waiting(Wait),
}

/// What a thread waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Wait {
    /// Its turn.
    Turn,
    /// To begin.
    Enter,
    /// Its turn, for its callback.
    CallbackTurn,
    /// An event of a set, for its callback.
    CallbackSet(Key),
    Set(Key),
    Waitable(Key),
}

/// How a thread goes on.
enum Resume {
    /// By beginning the call.
    Call,
    /// By its callback.
    Callback,
    /// By a function of the guest, with a number.
    Func(zwasm::SlotFunc, u64),
    /// Where it waits.
    Stack(Option<crate::abi::Stack>),
}

impl Task {
    /// Whether its function is of a type whose calls may wait.
    fn asynchronous(&self) -> bool {
        let lifted = &self.callee.lifted;
        lifted.types[lifted.ty].asynchronous
    }

    fn needs_exclusive(&self) -> bool {
        let lifted = &self.callee.lifted;
        !lifted.asynchronous || lifted.callback.is_some()
    }

    fn may_block(&self) -> bool {
        self.asynchronous() || self.state == TaskState::Resolved
    }
}

impl Tasks {
    /// A new thread of a task, which does not run yet.
    fn add_thread(&mut self, task: Key, instance: RuntimeInstance, resume: Resume) -> Result<Key> {
        if self.threads.len() >= MAX_THREADS {
            return Err(Error::limit(format_args!(
                "more than {MAX_THREADS} threads of components"
            )));
        }
        Ok(self.threads.insert(Thread {
            task,
            instance,
            state: ThreadState::Suspended,
            resume,
            cancelled: false,
            callback_set: None,
            queued: false,
            number: 0,
            index: 0,
            context: [0; 2],
            scopes: Vec::new(),
        }))
    }

    /// Gives a thread a turn, if what it waits for is there then.
    fn enqueue(&mut self, thread: Key) {
        if let Some(found) = self.threads.get_mut(thread)
            && !std::mem::replace(&mut found.queued, true)
        {
            self.queue.push_back(thread);
        }
    }
}

/// What is there by a key that was checked before.
#[cold]
fn lost(what: &str) -> Error {
    Error::msg(format!("{what} is gone"))
}

impl Components {
    fn thread(&mut self, thread: Key) -> Result<&mut Thread> {
        self.tasks.threads.get_mut(thread).ok_or_else(|| lost("the thread"))
    }

    fn task(&mut self, task: Key) -> Result<&mut Task> {
        self.tasks.tasks.get_mut(task).ok_or_else(|| lost("the task"))
    }

    fn subtask(&mut self, waitable: Key) -> Result<&mut Subtask> {
        match self.tasks.waitables.get_mut(waitable).map(|waitable| &mut waitable.kind) {
            Some(waitable::Kind::Subtask(subtask)) => Ok(subtask),
            Some(waitable::Kind::End(_)) | None => Err(lost("the subtask")),
        }
    }

    /// The thread that runs code of an instance now, if a task's.
    fn current(&self, instance: RuntimeInstance) -> Option<Key> {
        let current = self.tasks.current?;
        let thread = self.tasks.threads.get(current)?;
        (thread.instance == instance).then_some(current)
    }

    /// The same, with its task.
    fn current_task(&mut self, instance: RuntimeInstance) -> Option<(Key, &mut Task)> {
        let current = self.current(instance)?;
        let task = self.tasks.threads.get(current)?.task;
        Some((current, self.tasks.tasks.get_mut(task)?))
    }

    /// Checks that code of an instance may wait now: the thread that does.
    ///
    /// # Errors
    ///
    /// If a synchronous call is under way that has not returned.
    fn check_block(&mut self, instance: RuntimeInstance) -> Result<Key> {
        match self.current_task(instance) {
            Some((thread, task)) if task.may_block() => Ok(thread),
            Some(_) | None => {
                Err(Error::trap_msg("cannot block a synchronous task before returning"))
            }
        }
    }
}
