//! Tasks, and who may go on.
//!
//! Specification: Canonical ABI, "Thread State", "Task State", "Subtask State", `canon
//! lift`, `canon lower`.

use super::{
    BLOCKED, CopyState, Event, Flight, Given, Model, Owner, Status, Subtask, SubtaskState, Task,
    TaskState, Told, Trap, Wait, Waitable,
};
use crate::schedules::guest::{ENTERED, EVENT, RESULT};
use crate::schedules::model::{Caller, Entry};
use crate::schedules::program::{Kind, Name, Target};

/// What a callback is told when its task is cancelled.
const CANCELLED: u32 = 6;

/// How a call of a function of the host's goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Begun {
    /// With the readable end that it gives.
    Returns(Option<Name>),
    Pends,
}

impl Task {
    fn needs_exclusive(&self) -> bool {
        self.kind != Kind::Stackful
    }
}

impl Model {
    pub fn may_block(&self, id: Name) -> bool {
        let task = self.task(id);
        task.kind.blocks() || task.state == TaskState::Resolved
    }

    fn has_backpressure(&self, id: Name) -> bool {
        let task = self.task(id);
        let instance = &self.instances[task.instance];
        instance.pressure > 0 || task.needs_exclusive() && instance.exclusive.is_some()
    }

    /// Whether a call may begin at once.
    fn may_begin(&self, id: Name) -> bool {
        let task = self.task(id);
        let waiting = self.instances[task.instance].waiting_to_enter;
        !task.kind.blocks() || !self.has_backpressure(id) && waiting == 0
    }

    /// The same before there is a task.
    pub fn takes_calls(&self, instance: usize, kind: Kind) -> bool {
        let instance = &self.instances[instance];
        !kind.blocks()
            || instance.pressure == 0
                && instance.waiting_to_enter == 0
                && !(kind != Kind::Stackful && instance.exclusive.is_some())
    }

    /// Whether a thread that waits may go on.
    pub fn is_ready(&self, id: Name) -> bool {
        let task = self.task(id);
        let Status::Waiting(wait) = task.status else { return false };
        let free = self.instances[task.instance].exclusive.is_none();
        match wait {
            Wait::Enter => !self.has_backpressure(id),
            Wait::Turn => true,
            Wait::CallbackTurn => free,
            Wait::CallbackSet(set) => free && (task.cancelled || self.set_has_event(set)),
            Wait::Set(set) => self.set_has_event(set),
            Wait::Copy { pipe, reads } => self.has_event(Target::End { pipe, reads }),
            Wait::Call(id) | Wait::Cancelled(id) => {
                self.subtasks[&id].state >= SubtaskState::Returned
            }
        }
    }

    fn add_task(&mut self, id: Name, instance: usize, kind: Kind, caller: Caller, given: Given) {
        let task = Task {
            instance,
            kind,
            state: TaskState::Initial,
            caller,
            given,
            status: Status::New,
            flight: None,
            told: None,
            cancelled: false,
            result: None,
        };
        self.tasks.insert(id, task);
    }

    /// The host calls a function, which takes calls now.
    pub fn host_start(
        &mut self,
        id: Name,
        instance: usize,
        kind: Kind,
        end: Option<Name>,
    ) -> Result<(), Trap> {
        self.add_task(id, instance, kind, Caller::Host, Given::Host(end));
        self.begin(id)
    }

    /// A guest calls a function of the other guest, as what it does now.
    pub(super) fn start_call(
        &mut self,
        caller: Name,
        (id, kind, sync): (Name, Kind, bool),
        (case, index): (u32, u32),
    ) -> Result<(), Trap> {
        let instance = self.task(caller).instance;
        self.add_subtask(id, instance, sync);
        let given = Given::Guest { instance, case, index };
        self.add_task(id, 0, kind, Caller::Guest(id), given);
        self.task_mut(caller).flight = Some(Flight::Call(id));
        if self.may_begin(id) {
            return self.begin(id);
        }
        // Who is not blocked by that goes on when others have made way for the call, or could
        // not.
        if sync {
            self.conclude();
        }
        Ok(())
    }

    pub(super) fn add_subtask(&mut self, id: Name, instance: usize, sync: bool) {
        let subtask = Subtask {
            instance,
            state: SubtaskState::Starting,
            delivered: false,
            cancel_requested: false,
            sync,
            host: false,
            finishing: false,
            waitable: Waitable::default(),
        };
        self.subtasks.insert(id, subtask);
    }

    /// A task begins, on top of whoever runs.
    fn begin(&mut self, id: Name) -> Result<(), Trap> {
        let task = self.task(id);
        let (instance, given, caller) = (task.instance, task.given, task.caller);
        if task.kind.blocks() && task.needs_exclusive() {
            self.instances[instance].exclusive = Some(id);
        }
        if let Caller::Guest(id) = caller {
            self.progress(id, SubtaskState::Started);
        }
        let end = match given {
            Given::Guest { instance, case, index } => self.lift_end(instance, case, index)?,
            Given::Host(end) => end,
        };
        let (case, index) = self.lower_end(instance, end);
        let task = self.task_mut(id);
        task.status = Status::Running;
        task.told = Some(Told::Is { what: ENTERED, a: pair(case, index), b: 0 });
        self.stack.push(id);
        Ok(())
    }

    /// A subtask has another state, which its caller is told if it has a handle of it.
    fn progress(&mut self, id: Name, state: SubtaskState) {
        let subtask = self.subtask_mut(id);
        subtask.state = state;
        if subtask.waitable.index != 0 {
            subtask.waitable.event = Some(Event::Progress);
        }
    }

    /// A task has its result.
    pub(super) fn resolve(&mut self, id: Name, end: Option<Name>) {
        let task = self.task_mut(id);
        task.state = TaskState::Resolved;
        match task.caller {
            Caller::Host => {
                task.result = Some(Some(end));
                self.give_to_host(end, Owner::ToHost);
            }
            Caller::Guest(id) => self.return_to(id, end),
        }
    }

    fn return_to(&mut self, id: Name, end: Option<Name>) {
        let instance = self.subtasks[&id].instance;
        let (case, index) = self.lower_end(instance, end);
        let out = Self::out(id);
        self.instances[instance].memory[out] = case as u8;
        if end.is_some() {
            self.store(instance, out + 4, index);
        }
        self.progress(id, SubtaskState::Returned);
    }

    fn give_to_host(&mut self, end: Option<Name>, owner: Owner) {
        if let Some(pipe) = end {
            let end = self.pipe_mut(pipe).end_mut(true);
            end.owner = owner;
            end.state = CopyState::Idle;
            end.waitable = Waitable::default();
            end.host_done = None;
        }
    }

    /// The host takes the result of its call.
    pub fn host_takes(&mut self, end: Option<Name>) {
        if let Some(pipe) = end {
            self.pipe_mut(pipe).end_mut(true).owner = Owner::Host;
        }
    }

    /// A task that was cancelled has no result.
    pub(super) fn resolve_cancelled(&mut self, id: Name) {
        let task = self.task_mut(id);
        task.state = TaskState::Resolved;
        match task.caller {
            Caller::Host => task.result = Some(None),
            Caller::Guest(id) => self.cancelled(id),
        }
    }

    fn cancelled(&mut self, id: Name) {
        let state = match self.subtasks[&id].state {
            SubtaskState::Starting => SubtaskState::CancelledBeforeStarted,
            _ => SubtaskState::CancelledBeforeReturned,
        };
        self.progress(id, state);
    }

    /// What a synchronous call tells.
    fn out_told(&self, id: Name) -> Told {
        let (instance, out) = (self.subtasks[&id].instance, Self::out(id));
        let case = u32::from(self.instances[instance].memory[out]);
        Told::Is { what: RESULT, a: pair(case, self.load(instance, out + 4)), b: 0 }
    }

    /// A function of the host was called by instance 0: what comes of it at once, if that
    /// can be told.
    pub(super) fn host_called(
        &mut self,
        (id, kind, sync): (Name, Kind, bool),
        (case, index): (u32, u32),
    ) -> Result<Option<Told>, Trap> {
        let given = self.lift_end(0, case, index)?;
        self.give_to_host(given, Owner::Host);
        self.add_subtask(id, 0, sync);
        let begun = self.begun(id, kind);
        self.given_to_host.insert(id, (given, begun));
        let subtask = self.subtask_mut(id);
        subtask.host = true;
        subtask.state = SubtaskState::Started;
        Ok(match begun {
            Begun::Returns(end) => {
                self.return_to(id, end);
                self.subtask_mut(id).delivered = true;
                let a = SubtaskState::Returned as u64;
                Some(if sync { self.out_told(id) } else { Told::Is { what: RESULT, a, b: 0 } })
            }
            Begun::Pends if sync => None,
            Begun::Pends => Some(self.add_handle(id)),
        })
    }

    /// How a function of the host answers.
    fn begun(&self, id: Name, kind: Kind) -> Begun {
        let answer = self.answers.get(&id);
        if answer.is_some_and(|answer| answer.later) && kind.blocks() {
            return Begun::Pends;
        }
        let end = answer.and_then(|answer| answer.end);
        Begun::Returns(end.filter(|pipe| self.host_may_give(*pipe)))
    }

    /// A function of the host's may go on.
    pub fn host_lets_go_on(&mut self, id: Name) {
        self.subtask_mut(id).finishing = true;
    }

    /// It has its result: the readable end that it gives.
    pub fn host_finished(&mut self, id: Name) -> Option<Name> {
        let end = self.answers.get(&id).and_then(|answer| answer.end);
        let end = end.filter(|pipe| self.host_may_give(*pipe));
        self.subtask_mut(id).finishing = false;
        self.return_to(id, end);
        end
    }

    /// Gives the caller a handle of a call: what an asynchronous call tells.
    fn add_handle(&mut self, id: Name) -> Told {
        let subtask = &self.subtasks[&id];
        let (instance, state) = (subtask.instance, subtask.state);
        let entry = Entry::Waitable(Target::Subtask(id));
        let index = self.instances[instance].table.add(entry);
        self.subtask_mut(id).waitable.index = index;
        Told::Is { what: RESULT, a: u64::from(state as u32 | index << 4), b: 0 }
    }

    /// The task that runs waits, or has ended: whoever it runs on top of goes on.
    pub(super) fn pop(&mut self, status: Status) {
        if let Some(id) = self.stack.pop() {
            self.task_mut(id).status = status;
        }
        self.go_on();
    }

    fn go_on(&mut self) {
        while let Some(&top) = self.stack.last() {
            let wait = match self.task(top).flight {
                Some(Flight::Call(id)) => match self.tasks[&id].status {
                    Status::New => return,
                    Status::Running | Status::Waiting(_) | Status::Ended => self.called(top, id),
                },
                Some(Flight::Cancel { id, sync }) => self.cancel_told(top, id, sync),
                None => return,
            };
            let Some(wait) = wait else { return };
            self.stack.pop();
            self.task_mut(top).status = Status::Waiting(wait);
        }
    }

    /// The first turn of a call is over: what the caller is told, or that it waits.
    fn called(&mut self, caller: Name, id: Name) -> Option<Wait> {
        self.task_mut(caller).flight = None;
        let subtask = &self.subtasks[&id];
        let (sync, resolved) = (subtask.sync, subtask.state >= SubtaskState::Returned);
        let told = match (sync, resolved) {
            (true, false) => return Some(Wait::Call(id)),
            (true, true) => self.out_told(id),
            (false, true) => Told::Is { what: RESULT, a: subtask.state as u64, b: 0 },
            (false, false) => self.add_handle(id),
        };
        self.subtask_mut(id).delivered = resolved;
        self.task_mut(caller).told = Some(told);
        None
    }

    /// The same of a call that was cancelled.
    fn cancel_told(&mut self, caller: Name, id: Name, sync: bool) -> Option<Wait> {
        self.task_mut(caller).flight = None;
        let resolved = self.subtasks[&id].state >= SubtaskState::Returned;
        let a = match (resolved, sync) {
            (true, _) => u64::from(self.deliver(Target::Subtask(id)).2),
            (false, false) => BLOCKED,
            (false, true) => {
                // What it waits for is the end, whatever was to be told before.
                let waitable = self.waitable_mut(Target::Subtask(id));
                waitable.waited = true;
                return Some(Wait::Cancelled(id));
            }
        };
        self.task_mut(caller).told = Some(Told::Is { what: RESULT, a, b: 0 });
        None
    }

    /// The call that the top of the stack makes waits, since nobody made way for it.
    fn conclude(&mut self) -> bool {
        let Some(&top) = self.stack.last() else { return false };
        let Some(Flight::Call(id)) = self.task(top).flight else { return false };
        if self.task(id).status != Status::New {
            return false;
        }
        let task = self.task_mut(id);
        task.status = Status::Waiting(Wait::Enter);
        let instance = task.instance;
        self.instances[instance].waiting_to_enter += 1;
        self.go_on();
        true
    }

    /// Nobody runs: what is left on the stack waits.
    ///
    /// # Errors
    /// If somebody should run.
    pub fn settle(&mut self) -> Result<(), String> {
        while self.conclude() {}
        match self.stack.last() {
            Some(id) => Err(format!("t{id} should run, but nobody does")),
            None => Ok(()),
        }
    }

    /// No guest goes on.
    ///
    /// # Errors
    /// If one could.
    pub fn quiet(&mut self) -> Result<(), String> {
        self.settle()?;
        if let Some(id) = self.tasks.keys().find(|id| self.is_ready(**id)) {
            return Err(format!("t{id} is ready, but does not run: {:?}", self.task(*id).status));
        }
        match self.subtasks.iter().find(|(_, subtask)| subtask.finishing) {
            Some((id, _)) => Err(format!("the host was not asked for t{id} after it was woken")),
            None => Ok(()),
        }
    }

    /// A task's code goes on, and tells something.
    ///
    /// # Errors
    /// If it is another's turn, or something else is to be told.
    pub fn arrive(&mut self, id: Name, what: u32, a: u64, b: u32, hash: u64) -> Result<(), String> {
        if let Some(trap) = self.trap {
            return Err(format!("t{id} goes on, but has to trap: {trap}"));
        }
        if !self.tasks.contains_key(&id) {
            return Err(format!("there is no t{id}"));
        }
        loop {
            let top = self.stack.last().copied();
            let calls = top.and_then(|top| match self.task(top).flight {
                Some(Flight::Call(callee)) => Some(callee),
                Some(Flight::Cancel { .. }) | None => None,
            });
            if top == Some(id) && calls.is_none() {
                break;
            }
            let making_way =
                calls.is_some_and(|callee| self.task(id).instance == self.task(callee).instance);
            if calls == Some(id) {
                if !self.may_begin(id) {
                    return Err(format!("t{id} begins, but may not yet"));
                }
                self.begin(id).map_err(|trap| format!("t{id} begins, but has to trap: {trap}"))?;
            } else if (top.is_none() || making_way) && self.is_ready(id) {
                self.resume(id).map_err(|trap| format!("t{id} has to trap: {trap}"))?;
            } else if !self.conclude() {
                let status = self.task(id).status;
                return Err(match top {
                    Some(top) => format!("t{id} goes on while t{top} runs: {status:?}"),
                    None => format!("t{id} goes on, but is not ready: {status:?}"),
                });
            }
        }
        let expected = match self.task_mut(id).told.take() {
            Some(Told::Is { what, a, b }) => (what, a, b),
            Some(Told::EventOf { set, what: told }) => {
                let index = (a >> 32) as u32;
                let members = self.members(set);
                let found = members.iter().find(|target| {
                    self.has_event(**target) && self.waitable(**target).index == index
                });
                let Some(&target) = found else {
                    return Err(format!(
                        "t{id} is told ({what}, {a:#x}, {b:#x}), but s{set} has no such event"
                    ));
                };
                let (code, index, payload) = self.deliver(target);
                (told, pair(code, index), payload)
            }
            None => return Err(format!("t{id} tells something, but does nothing")),
        };
        if (what, a, b) != expected {
            let (x, y, z) = expected;
            return Err(format!(
                "t{id} is told ({what}, {a:#x}, {b:#x}), not ({x}, {y:#x}, {z:#x})"
            ));
        }
        if hash != self.hash(self.task(id).instance) {
            return Err(format!("t{id} sees another memory"));
        }
        Ok(())
    }

    /// A thread that waits and is ready goes on.
    fn resume(&mut self, id: Name) -> Result<(), Trap> {
        let task = self.task(id);
        let (instance, cancelled) = (task.instance, task.cancelled);
        let Status::Waiting(wait) = task.status else { return Ok(()) };
        let zero = |what| Told::Is { what, a: 0, b: 0 };
        let told = match wait {
            Wait::Enter => {
                self.instances[instance].waiting_to_enter -= 1;
                return self.begin(id);
            }
            Wait::Turn => zero(RESULT),
            Wait::CallbackTurn | Wait::CallbackSet(_) => {
                return {
                    self.resume_callback(id, wait, cancelled);
                    Ok(())
                };
            }
            Wait::Set(set) => {
                self.stop_waiting(set);
                Told::EventOf { set, what: RESULT }
            }
            Wait::Copy { pipe, reads } => {
                let target = Target::End { pipe, reads };
                self.waitable_mut(target).waited = false;
                let (_, _, payload) = self.deliver(target);
                Told::Is { what: RESULT, a: payload.into(), b: 0 }
            }
            Wait::Call(id) => {
                self.subtask_mut(id).delivered = true;
                self.out_told(id)
            }
            Wait::Cancelled(id) => {
                let target = Target::Subtask(id);
                self.waitable_mut(target).waited = false;
                Told::Is { what: RESULT, a: self.deliver(target).2.into(), b: 0 }
            }
        };
        self.run(id, told);
        Ok(())
    }

    fn resume_callback(&mut self, id: Name, wait: Wait, cancelled: bool) {
        let instance = self.task(id).instance;
        self.instances[instance].exclusive = Some(id);
        let told = match wait {
            Wait::CallbackSet(set) => {
                self.stop_waiting(set);
                Told::EventOf { set, what: EVENT }
            }
            _ => Told::Is { what: EVENT, a: 0, b: 0 },
        };
        let cancel = Told::Is { what: EVENT, a: CANCELLED.into(), b: 0 };
        self.run(id, if cancelled { cancel } else { told });
    }

    fn run(&mut self, id: Name, told: Told) {
        let task = self.task_mut(id);
        task.status = Status::Running;
        task.cancelled = false;
        task.told = Some(told);
        self.stack.push(id);
    }

    pub(super) fn start_waiting(&mut self, set: Name) {
        self.sets.get_mut(&set).expect("it was found by its handle").waiting += 1;
    }

    fn stop_waiting(&mut self, set: Name) {
        if let Some(set) = self.sets.get_mut(&set) {
            set.waiting -= 1;
        }
    }

    /// Whether a thread that waits is told now that its task is cancelled.
    pub(super) fn take_cancel(&mut self, id: Name) -> bool {
        let task = self.task_mut(id);
        let pending = task.state == TaskState::PendingCancel;
        if pending {
            task.state = TaskState::CancelDelivered;
        }
        pending
    }

    /// `Task.request_cancellation`
    fn request_cancel(&mut self, id: Name) {
        let task = self.task(id);
        let (instance, status) = (task.instance, task.status);
        if status == Status::Waiting(Wait::Enter) {
            self.instances[instance].waiting_to_enter -= 1;
            self.task_mut(id).status = Status::Ended;
            self.resolve_cancelled(id);
            return;
        }
        if task.state != TaskState::Initial {
            return;
        }
        let exclusive = self.instances[instance].exclusive;
        let free = exclusive.is_none() || exclusive == Some(id);
        if let Status::Waiting(wait @ (Wait::CallbackTurn | Wait::CallbackSet(_))) = status
            && free
        {
            self.task_mut(id).state = TaskState::CancelDelivered;
            self.resume_callback(id, wait, true);
            return;
        }
        self.task_mut(id).state = TaskState::PendingCancel;
    }

    /// `subtask.cancel`, of a call that may be cancelled.
    pub(super) fn cancel_call(&mut self, caller: Name, id: Name, sync: bool) {
        let subtask = self.subtask_mut(id);
        subtask.cancel_requested = true;
        let (host, resolved) = (subtask.host, subtask.state >= SubtaskState::Returned);
        self.task_mut(caller).flight = Some(Flight::Cancel { id, sync });
        if !resolved {
            if host {
                self.subtask_mut(id).finishing = false;
                self.cancelled(id);
            } else {
                self.request_cancel(id);
            }
        }
        if self.stack.last() == Some(&caller) {
            self.go_on();
        }
    }

    /// Whether a trap may come of a thread that goes on now, before it tells anything: one
    /// that begins, and whose argument cannot be taken.
    pub fn may_trap(&self) -> Vec<Trap> {
        let begins = |id: &&Name| match self.tasks[id].status {
            Status::New => !self.has_backpressure(**id),
            Status::Waiting(Wait::Enter) => self.is_ready(**id),
            Status::Running | Status::Waiting(_) | Status::Ended => false,
        };
        let beginning = self.tasks.keys().filter(begins);
        let traps = beginning.filter_map(|id| match self.task(*id).given {
            Given::Guest { instance, case, index } => self.check_lift(instance, case, index).err(),
            Given::Host(_) => None,
        });
        self.trap.into_iter().chain(self.or_trap).chain(traps).collect()
    }
}

/// Two numbers as one.
fn pair(low: u32, high: u32) -> u64 {
    u64::from(low) | u64::from(high) << 32
}
