//! What each function does that guests call.
//!
//! Specification: Canonical ABI, "Canonical Definitions".

use super::{
    Entry, IN_SET, Model, NO_BLOCK, Owner, Status, SubtaskState, TaskState, Told, Trap, WRONG_TYPE,
    Wait,
};
use crate::schedules::guest::{RESULT, Shape};
use crate::schedules::program::{Func, Kind, Name, Op, PIPES, Target};

/// What comes of an operation.
pub enum Step {
    /// The guest goes on, and tells this.
    Told(Told),
    Blocks(Wait),
    /// Others run first, on top of it.
    Over,
    Ended,
}

impl Step {
    pub(super) fn result(a: u64) -> Self {
        Self::Told(Told::Is { what: RESULT, a, b: 0 })
    }
}

/// An operation with its names found.
#[derive(Clone, Copy, Debug)]
pub struct Found {
    pub shape: Shape,
    pub func: Option<Func>,
    pub numbers: [u32; 3],
    /// The name of what is new.
    name: Name,
}

impl Model {
    /// Finds what an operation of a task is about, or nothing if it is about what the task's
    /// instance does not have.
    pub fn find(&self, id: Name, op: Op) -> Option<Found> {
        let task = self.task(id);
        let kind = task.kind;
        let table = &self.instances[task.instance].table;
        let end = |pipe, reads| table.find(Entry::Waitable(Target::End { pipe, reads }));
        let waitable = |target| table.find(Entry::Waitable(target));
        let set = |set| table.find(Entry::Set(set));
        let passed = |pipe: Option<Name>| match pipe {
            Some(pipe) => end(pipe, true).map(|index| (self.pipe(pipe).ty as u32 + 1, index)),
            None => Some((0, 0)),
        };
        let ty = |pipe: Name| self.pipes.get(&pipe).map(|pipe| pipe.ty);
        let plain = |shape, numbers| Some(Found { shape, func: None, numbers, name: 0 });
        let named = |func: Func, numbers, name| {
            Some(Found { shape: func.shape(), func: Some(func), numbers, name })
        };
        let call = |func: Func, numbers| named(func, numbers, 0);
        match op {
            Op::New { ty, pipe } => {
                (!self.pipes.contains_key(&pipe)).then_some(())?;
                named(Func::New { ty }, [0; 3], pipe)
            }
            Op::Copy { pipe, reads, sync, address, length } => call(
                Func::Copy { ty: ty(pipe)?, reads, sync },
                [end(pipe, reads)?, address, length],
            ),
            Op::Cancel { pipe, reads, sync } => {
                call(Func::Cancel { ty: ty(pipe)?, reads, sync }, [end(pipe, reads)?, 0, 0])
            }
            Op::Drop { pipe, reads } => {
                call(Func::Drop { ty: ty(pipe)?, reads }, [end(pipe, reads)?, 0, 0])
            }
            Op::SetNew(name) => {
                (!self.sets.contains_key(&name)).then_some(())?;
                named(Func::SetNew, [0; 3], name)
            }
            Op::SetWait(name) => call(Func::SetWait, [set(name)?, 0, 0]),
            Op::SetPoll(name) => call(Func::SetPoll, [set(name)?, 0, 0]),
            Op::SetDrop(name) => call(Func::SetDrop, [set(name)?, 0, 0]),
            Op::Join(target, to) => {
                let to = to.map_or(Some(0), set)?;
                call(Func::Join, [waitable(target)?, to, 0])
            }
            Op::Call { kind, sync, id, end } => {
                let new = !self.tasks.contains_key(&id) && !self.subtasks.contains_key(&id);
                let (case, index) = passed(end)?;
                // A synchronous function has no other calls.
                let sync = sync || !kind.blocks();
                new.then_some(())?;
                named(Func::Call { kind, sync }, [id, case, index], id)
            }
            Op::SubtaskCancel { id, sync } => {
                call(Func::SubtaskCancel { sync }, [waitable(Target::Subtask(id))?, 0, 0])
            }
            Op::SubtaskDrop(id) => call(Func::SubtaskDrop, [waitable(Target::Subtask(id))?, 0, 0]),
            Op::Yield => call(Func::Yield, [0; 3]),
            Op::Pressure { more } => call(Func::Pressure { more }, [0; 3]),
            Op::Return(pipe) => {
                let (case, index) = passed(pipe)?;
                call(Func::Return, [case, index, 0])
            }
            Op::TaskCancel => call(Func::TaskCancel, [0; 3]),
            Op::Exit(_) if kind.lifted_async() => plain(Shape::Exit, [0; 3]),
            Op::Exit(pipe) => {
                let (case, index) = passed(pipe)?;
                plain(Shape::ExitWith, [case, index, 0])
            }
            Op::ExitYield => (kind == Kind::Callback).then(|| plain(Shape::Exit, [1, 0, 0]))?,
            Op::ExitWait(name) => {
                let packed = 2 | set(name)? << 4;
                let numbers = [packed & 0xffff, packed >> 16, 0];
                (kind == Kind::Callback).then(|| plain(Shape::Exit, numbers))?
            }
            Op::Store { address, value } => {
                plain(Shape::Store, [address, value & 0xffff, value >> 16])
            }
            Op::StoreOwn { address, resource } => {
                plain(Shape::Store, [address, table.find(Entry::Own(resource))?, 0])
            }
            Op::Make(resource) => {
                (!self.resources.contains(&resource)).then_some(())?;
                named(Func::Make, [resource, 0, 0], resource)
            }
            Op::ResourceDrop(resource) => {
                call(Func::ResourceDrop, [table.find(Entry::Own(resource))?, 0, 0])
            }
            Op::Trap => plain(Shape::Trap, [0; 3]),
            Op::Raw { func, x, y, z } => match func {
                // What is new has a name.
                Func::New { .. } | Func::SetNew | Func::Call { .. } | Func::Make => None,
                _ => call(func, [x, y, z]),
            },
        }
    }

    /// A task does something.
    pub fn perform(&mut self, id: Name, found: Found) {
        match self.exec(id, found) {
            Ok(Step::Told(told)) => self.task_mut(id).told = Some(told),
            Ok(Step::Blocks(wait)) => self.pop(Status::Waiting(wait)),
            Ok(Step::Over) => {}
            Ok(Step::Ended) => self.pop(Status::Ended),
            Err(trap) => self.trap = Some(trap),
        }
    }

    fn exec(&mut self, id: Name, found: Found) -> Result<Step, Trap> {
        let Found { shape, func, numbers: [x, y, z], name } = found;
        let instance = self.task(id).instance;
        let Some(func) = func else {
            return match shape {
                Shape::Exit => self.exit(id, x | y << 16),
                Shape::ExitWith => {
                    let end = self.lift_end(instance, x, y)?;
                    self.resolve(id, end);
                    Ok(self.end(id))
                }
                Shape::Store => {
                    self.store(instance, x as usize, y | z << 16);
                    Ok(Step::result(0))
                }
                _ => Err("unreachable"),
            };
        };
        match func {
            Func::New { ty } => {
                self.add_pipe(ty, name, Owner::Guest(instance));
                let reader = self.add_end(instance, name, true);
                let writer = self.add_end(instance, name, false);
                Ok(Step::result(u64::from(reader) | u64::from(writer) << 32))
            }
            Func::Copy { ty, reads, sync } => self.guest_copy(id, (ty, reads, sync), [x, y, z]),
            Func::Cancel { ty, reads, sync } => self.guest_cancel(id, (ty, reads, sync), x),
            Func::Drop { ty, reads } => self.guest_drop(id, (ty, reads), x),
            Func::SetNew => {
                self.sets.insert(name, super::Set::default());
                let index = self.instances[instance].table.add(Entry::Set(name));
                Ok(Step::result(index.into()))
            }
            Func::SetWait => {
                if !self.may_block(id) {
                    return Err(NO_BLOCK);
                }
                let set = self.set_at(instance, x)?;
                if self.set_has_event(set) {
                    return Ok(Step::Told(Told::EventOf { set, what: RESULT }));
                }
                self.start_waiting(set);
                Ok(Step::Blocks(Wait::Set(set)))
            }
            Func::SetPoll => {
                let set = self.set_at(instance, x)?;
                Ok(match self.set_has_event(set) {
                    true => Step::Told(Told::EventOf { set, what: RESULT }),
                    false => Step::result(0),
                })
            }
            Func::SetDrop => {
                let set = self.set_at(instance, x)?;
                if !self.members(set).is_empty() {
                    return Err("cannot drop non-empty waitable set");
                }
                if self.sets[&set].waiting > 0 {
                    return Err("cannot drop waitable set with waiters");
                }
                self.instances[instance].table.remove(x);
                Ok(Step::result(0))
            }
            Func::Join => {
                let Entry::Waitable(target) = self.instances[instance].table.get(x)? else {
                    return Err(WRONG_TYPE);
                };
                let set = match y {
                    0 => None,
                    _ => Some(self.set_at(instance, y)?),
                };
                if self.waitable(target).waited {
                    return Err(IN_SET);
                }
                self.waitable_mut(target).set = set;
                Ok(Step::result(0))
            }
            Func::SubtaskCancel { sync } => self.subtask_cancel(id, sync, x),
            Func::SubtaskDrop => {
                let subtask = self.subtask_at(instance, x)?;
                if !self.subtasks[&subtask].delivered {
                    return Err("cannot drop a subtask which has not yet resolved");
                }
                self.waitable_mut(Target::Subtask(subtask)).set = None;
                self.instances[instance].table.remove(x);
                Ok(Step::result(0))
            }
            Func::Yield => Ok(match self.may_block(id) {
                true => Step::Blocks(Wait::Turn),
                false => Step::result(0),
            }),
            Func::Pressure { more: true } => {
                self.instances[instance].pressure += 1;
                Ok(Step::result(0))
            }
            Func::Pressure { more: false } => {
                let pressure = &mut self.instances[instance].pressure;
                *pressure = pressure.checked_sub(1).ok_or("backpressure counter underflow")?;
                Ok(Step::result(0))
            }
            Func::Return => {
                if !self.task(id).kind.lifted_async() {
                    return Err("called by a function that is lifted synchronously");
                }
                if self.task(id).state == TaskState::Resolved {
                    return Err("called more than once");
                }
                let end = self.lift_end(instance, x, y)?;
                self.resolve(id, end);
                Ok(Step::result(0))
            }
            Func::TaskCancel => {
                if !self.task(id).kind.lifted_async() {
                    return Err("called by a function that is lifted synchronously");
                }
                match self.task(id).state {
                    TaskState::CancelDelivered => {}
                    TaskState::Resolved => return Err("called more than once"),
                    TaskState::Initial | TaskState::PendingCancel => {
                        return Err("called by task which has not been cancelled");
                    }
                }
                self.resolve_cancelled(id);
                Ok(Step::result(0))
            }
            Func::Make => {
                self.resources.insert(name);
                let index = self.instances[instance].table.add(Entry::Own(name));
                Ok(Step::result(index.into()))
            }
            Func::ResourceDrop => {
                let Entry::Own(resource) = self.instances[instance].table.get(x)? else {
                    return Err(WRONG_TYPE);
                };
                self.instances[instance].table.remove(x);
                self.dropped.push(resource);
                Ok(Step::result(0))
            }
            Func::Call { kind, sync } => {
                if sync && kind.blocks() && !self.may_block(id) {
                    return Err(NO_BLOCK);
                }
                if instance == 1 {
                    self.start_call(id, (name, kind, sync), (y, z))?;
                    return Ok(Step::Over);
                }
                Ok(match self.host_called((name, kind, sync), (y, z))? {
                    Some(told) => Step::Told(told),
                    None => Step::Blocks(Wait::Call(name)),
                })
            }
        }
    }

    fn set_at(&self, instance: usize, index: u32) -> Result<Name, Trap> {
        match self.instances[instance].table.get(index)? {
            Entry::Set(set) => Ok(set),
            Entry::Waitable(_) | Entry::Own(_) => Err(WRONG_TYPE),
        }
    }

    fn subtask_at(&self, instance: usize, index: u32) -> Result<Name, Trap> {
        match self.instances[instance].table.get(index)? {
            Entry::Waitable(Target::Subtask(id)) => Ok(id),
            Entry::Waitable(Target::End { .. }) | Entry::Set(_) | Entry::Own(_) => Err(WRONG_TYPE),
        }
    }

    fn subtask_cancel(&mut self, id: Name, sync: bool, index: u32) -> Result<Step, Trap> {
        if sync && !self.may_block(id) {
            return Err(NO_BLOCK);
        }
        let subtask = self.subtask_at(self.task(id).instance, index)?;
        let found = &self.subtasks[&subtask];
        if sync && found.waitable.set.is_some() {
            return Err(IN_SET);
        }
        if found.delivered {
            return Err("called after terminal status delivered");
        }
        if found.cancel_requested {
            return Err("called more than once for a subtask");
        }
        self.cancel_call(id, subtask, sync);
        Ok(Step::Over)
    }

    /// Code that is lifted asynchronously returns a number.
    fn exit(&mut self, id: Name, packed: u32) -> Result<Step, Trap> {
        let task = self.task(id);
        let (instance, kind) = (task.instance, task.kind);
        // What waits in its code returns nothing.
        let code = if kind == Kind::Callback { packed & 0xf } else { 0 };
        let wait = match code {
            0 if task.state != TaskState::Resolved => {
                return Err("async-lifted export failed to produce a result");
            }
            0 => return Ok(self.end(id)),
            1 => Wait::CallbackTurn,
            2 => {
                let set = self.set_at(instance, packed >> 4)?;
                self.start_waiting(set);
                Wait::CallbackSet(set)
            }
            _ => return Err("unsupported callback code"),
        };
        self.instances[instance].exclusive = None;
        let cancelled = self.take_cancel(id);
        self.task_mut(id).cancelled = cancelled;
        Ok(Step::Blocks(wait))
    }

    /// The code of a task has ended.
    fn end(&mut self, id: Name) -> Step {
        let task = self.task(id);
        if task.kind.blocks() && task.kind != Kind::Stackful {
            let instance = task.instance;
            self.instances[instance].exclusive = None;
        }
        Step::Ended
    }

    /// Whether a call is over, and its caller knows.
    pub fn is_over(&self, id: Name) -> bool {
        let subtask = &self.subtasks[&id];
        subtask.delivered && subtask.state >= SubtaskState::Returned
    }

    /// The type of a pipe's elements, whether it is a future, and of which number it is.
    pub fn pipe_type(&self, pipe: Name) -> Option<(usize, bool)> {
        self.pipes.get(&pipe).map(|pipe| (pipe.ty, PIPES[pipe.ty].future))
    }
}
