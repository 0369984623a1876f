//! Streams and futures.
//!
//! Specification: Canonical ABI, "Buffer State", "Stream State", "Future State",
//! `canon stream.read` and what follows.

use super::{
    BLOCKED, CopyResult, CopyState, End, Event, IN_SET, Model, NO_BLOCK, Owner, PAGE, Pipe, Told,
    Trap, WRONG_TYPE, Wait, Waitable, element,
};
use crate::schedules::guest::{MEMORY, RESULT};
use crate::schedules::model::exec::Step;
use crate::schedules::program::{Element, Name, PIPES, Target};

/// An element.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Value {
    Nothing,
    U8(u8),
    U32(u32),
    String(String),
    Own(Name),
}

/// Where elements come from or go to.
#[derive(Clone, Default)]
pub struct Buffer {
    /// The instance whose memory it is in, or none if it is the host's.
    instance: Option<usize>,
    address: u32,
    length: u32,
    progress: u32,
    /// What the host gives, or has got.
    values: Vec<Value>,
}

impl Buffer {
    fn remaining(&self) -> u32 {
        self.length - self.progress
    }
}

/// What comes of asking for the host's copy.
#[derive(PartialEq, Eq, Debug)]
pub enum Copied {
    Pending,
    /// Whether the other end is there, what was read, and how much was not written.
    Ready {
        there: bool,
        values: Vec<Value>,
        left: usize,
    },
}

impl Model {
    pub fn add_pipe(&mut self, ty: usize, name: Name, owner: Owner) {
        let end = || End {
            owner,
            state: CopyState::Idle,
            waitable: Waitable::default(),
            buffer: Buffer::default(),
            host_done: None,
        };
        let pipe = Pipe { ty, ends: [end(), end()], dropped: false, pending: None };
        self.pipes.insert(name, pipe);
    }

    /// The end that a handle of an instance is.
    fn end_at(&self, instance: usize, index: u32, ty: usize, reads: bool) -> Result<Name, Trap> {
        match self.instances[instance].table.get(index)? {
            super::Entry::Waitable(Target::End { pipe, reads: found })
                if found == reads && self.pipe(pipe).ty == ty =>
            {
                Ok(pipe)
            }
            super::Entry::Waitable(_) | super::Entry::Set(_) | super::Entry::Own(_) => {
                Err(WRONG_TYPE)
            }
        }
    }

    /// `stream.read` and its like.
    pub(super) fn guest_copy(
        &mut self,
        task: Name,
        (ty, reads, sync): (usize, bool, bool),
        [index, address, length]: [u32; 3],
    ) -> Result<Step, Trap> {
        let instance = self.task(task).instance;
        if sync && !self.may_block(task) {
            return Err(NO_BLOCK);
        }
        let pipe = self.end_at(instance, index, ty, reads)?;
        let future = PIPES[ty].future;
        match self.pipe(pipe).end(reads).state {
            CopyState::Idle => {}
            CopyState::Done if future => return Err("future after previous"),
            CopyState::Done => return Err("stream after being notified"),
            CopyState::SyncCopying | CopyState::AsyncCopying | CopyState::Cancelling => {
                return Err("cannot have concurrent operations active");
            }
        }
        if sync && self.pipe(pipe).end(reads).waitable.set.is_some() {
            return Err(IN_SET);
        }
        let length = if future { 1 } else { length };
        let element = element(ty);
        if element != Element::None && length > 0 {
            if !address.is_multiple_of(element.alignment()) {
                return Err("unaligned pointer");
            }
            if u64::from(address) + u64::from(length) * u64::from(element.size()) > PAGE as u64 {
                return Err("out of bounds");
            }
        }
        let buffer =
            Buffer { instance: Some(instance), address, length, progress: 0, values: Vec::new() };
        self.copy(pipe, reads, buffer)?;
        let target = Target::End { pipe, reads };
        if self.has_event(target) {
            let (_, _, payload) = self.deliver(target);
            return Ok(Step::result(u64::from(payload)));
        }
        let end = self.pipe_mut(pipe).end_mut(reads);
        if sync {
            end.state = CopyState::SyncCopying;
            end.waitable.waited = true;
            return Ok(Step::Blocks(Wait::Copy { pipe, reads }));
        }
        end.state = CopyState::AsyncCopying;
        Ok(Step::result(BLOCKED))
    }

    /// `stream.cancel-read` and its like.
    pub(super) fn guest_cancel(
        &mut self,
        task: Name,
        (ty, reads, sync): (usize, bool, bool),
        index: u32,
    ) -> Result<Step, Trap> {
        let instance = self.task(task).instance;
        if sync && !self.may_block(task) {
            return Err(NO_BLOCK);
        }
        let pipe = self.end_at(instance, index, ty, reads)?;
        let end = self.pipe(pipe).end(reads);
        if sync && end.waitable.set.is_some() {
            return Err(IN_SET);
        }
        if end.state != CopyState::AsyncCopying {
            return Err("there is no copy under way");
        }
        let target = Target::End { pipe, reads };
        self.pipe_mut(pipe).end_mut(reads).state = CopyState::Cancelling;
        // Guests' buffers are given back at once. The reference leaves it at the event of a
        // copy that came somewhere but not to its end, the official tests say that it is
        // cancelled; of one that came to its end, both say that it is completed.
        let going_on =
            matches!(self.waitable(target).event, Some(Event::Copied { reclaims: true, .. }))
                && self.pipe(pipe).end(reads).buffer.remaining() > 0;
        if going_on || !self.has_event(target) {
            self.reset_and_notify(pipe, CopyResult::Cancelled);
        }
        let (_, _, payload) = self.deliver(target);
        Ok(Step::Told(Told::Is { what: RESULT, a: u64::from(payload), b: 0 }))
    }

    /// `stream.drop-readable` and its like.
    pub(super) fn guest_drop(
        &mut self,
        task: Name,
        (ty, reads): (usize, bool),
        index: u32,
    ) -> Result<Step, Trap> {
        let instance = self.task(task).instance;
        let pipe = self.end_at(instance, index, ty, reads)?;
        match self.pipe(pipe).end(reads).state {
            CopyState::SyncCopying | CopyState::AsyncCopying | CopyState::Cancelling => {
                return Err(if reads { "cannot remove busy" } else { "cannot drop busy" });
            }
            CopyState::Idle if PIPES[ty].future && !reads => {
                return Err("cannot drop future write end without first writing a value");
            }
            CopyState::Idle | CopyState::Done => {}
        }
        self.instances[instance].table.remove(index);
        self.drop_end(pipe, reads);
        Ok(Step::result(0))
    }

    fn drop_end(&mut self, name: Name, reads: bool) {
        let pipe = self.pipe_mut(name);
        let end = pipe.end_mut(reads);
        end.owner = Owner::Gone;
        end.waitable = Waitable::default();
        end.host_done = None;
        if !std::mem::replace(&mut pipe.dropped, true) && pipe.pending.is_some() {
            self.reset_and_notify(name, CopyResult::Dropped);
        }
    }

    /// The pending copy is over.
    fn reset_and_notify(&mut self, name: Name, result: CopyResult) {
        let Some(reads) = self.pipe_mut(name).pending.take() else { return };
        self.copy_done(name, reads, result);
    }

    fn copy_done(&mut self, name: Name, reads: bool, result: CopyResult) {
        let end = self.pipe_mut(name).end_mut(reads);
        match end.owner {
            Owner::Guest(_) => {
                end.waitable.event = Some(Event::Copied { result, reclaims: false });
            }
            Owner::Host => end.host_done = Some(result),
            Owner::ToHost | Owner::Gone => {}
        }
    }

    /// The pending copy came further. The host has its buffer back at once.
    fn copied(&mut self, name: Name, reads: bool) {
        let pipe = self.pipe_mut(name);
        match pipe.end(reads).owner {
            Owner::Guest(_) => {
                let event = Event::Copied { result: CopyResult::Completed, reclaims: true };
                pipe.end_mut(reads).waitable.event = Some(event);
            }
            Owner::Host => self.reset_and_notify(name, CopyResult::Completed),
            Owner::ToHost | Owner::Gone => {}
        }
    }

    /// `SharedStreamImpl.read`, `write`, and the same of futures.
    fn copy(&mut self, name: Name, reads: bool, buffer: Buffer) -> Result<(), Trap> {
        let pipe = self.pipe_mut(name);
        let of = pipe.of();
        let place = buffer.instance;
        pipe.end_mut(reads).buffer = buffer;
        if pipe.dropped {
            self.copy_done(name, reads, CopyResult::Dropped);
            return Ok(());
        }
        if pipe.pending.is_none() {
            pipe.pending = Some(reads);
            return Ok(());
        }
        let number = matches!(of.element, Element::None | Element::U8 | Element::U32);
        if place.is_some() && pipe.end(!reads).buffer.instance == place && !number {
            return Err("cannot read from and write to intra-component");
        }
        let there = &pipe.end(!reads).buffer;
        let here = &pipe.end(reads).buffer;
        let count = there.remaining().min(here.remaining());
        if of.future {
            self.transfer(name, 1)?;
            self.reset_and_notify(name, CopyResult::Completed);
            self.copy_done(name, reads, CopyResult::Completed);
        } else if there.remaining() > 0 {
            if here.remaining() > 0 {
                self.transfer(name, count)?;
                self.copied(name, !reads);
            }
            self.copy_done(name, reads, CopyResult::Completed);
        } else if !reads && here.length == 0 && there.length == 0 {
            self.copy_done(name, reads, CopyResult::Completed);
        } else {
            self.reset_and_notify(name, CopyResult::Completed);
            self.pipe_mut(name).pending = Some(reads);
        }
        Ok(())
    }

    /// Moves elements from the writer's buffer to the reader's.
    fn transfer(&mut self, name: Name, count: u32) -> Result<(), Trap> {
        let pipe = self.pipe(name);
        let element = pipe.of().element;
        let (from, to) = (pipe.end(false).buffer.clone(), pipe.end(true).buffer.clone());
        let mut values: Vec<Value> = Vec::new();
        match from.instance {
            Some(instance) => {
                for at in from.progress..from.progress + count {
                    let value = self.lift(instance, element, from.address + at * element.size());
                    if value.is_err() && to.instance.is_some_and(|to| !self.has_room(to, &values)) {
                        // What came before may have been moved already.
                        self.or_trap = Some("unreachable");
                    }
                    values.push(value?);
                }
            }
            None => {
                let begin = from.progress as usize;
                values.extend_from_slice(&from.values[begin..begin + count as usize]);
            }
        }
        match to.instance {
            Some(instance) => {
                for (at, value) in (to.progress..).zip(values) {
                    self.lower(instance, value, to.address + at * element.size())?;
                }
            }
            None => self.pipe_mut(name).end_mut(true).buffer.values.extend(values),
        }
        for end in &mut self.pipe_mut(name).ends {
            end.buffer.progress += count;
        }
        Ok(())
    }

    /// Whether an instance has room for texts.
    fn has_room(&self, instance: usize, values: &[Value]) -> bool {
        let size = |value: &Value| if let Value::String(text) = value { text.len() } else { 0 };
        self.instances[instance].room + values.iter().map(size).sum::<usize>() <= MEMORY
    }

    /// Reads an element from memory.
    fn lift(&mut self, instance: usize, element: Element, address: u32) -> Result<Value, Trap> {
        let at = address as usize;
        let memory = &self.instances[instance].memory;
        Ok(match element {
            Element::None => Value::Nothing,
            Element::U8 => Value::U8(memory[at]),
            Element::U32 => Value::U32(self.load(instance, at)),
            Element::String => {
                let begin = self.load(instance, at) as usize;
                let length = self.load(instance, at + 4) as usize;
                let bytes = memory.get(begin..begin + length).ok_or("out-of-bounds")?;
                let text = std::str::from_utf8(bytes).map_err(|_| "utf-8")?;
                Value::String(text.into())
            }
            Element::Own => {
                let index = self.load(instance, at);
                let table = &mut self.instances[instance].table;
                let super::Entry::Own(resource) = table.get(index)? else {
                    return Err(WRONG_TYPE);
                };
                table.remove(index);
                Value::Own(resource)
            }
        })
    }

    /// Writes an element to memory.
    fn lower(&mut self, instance: usize, value: Value, address: u32) -> Result<(), Trap> {
        let at = address as usize;
        match value {
            Value::Nothing => {}
            Value::U8(value) => self.instances[instance].memory[at] = value,
            Value::U32(value) => self.store(instance, at, value),
            Value::Own(resource) => {
                let index = self.instances[instance].table.add(super::Entry::Own(resource));
                self.store(instance, at, index);
            }
            Value::String(text) => {
                let place = self.realloc(instance, 1, text.len())?;
                let memory = &mut self.instances[instance].memory;
                memory[place..place + text.len()].copy_from_slice(text.as_bytes());
                self.store(instance, at, place as u32);
                self.store(instance, at + 4, text.len() as u32);
            }
        }
        Ok(())
    }

    /// The event of a copy is delivered.
    pub(super) fn finish_copy(
        &mut self,
        name: Name,
        reads: bool,
        result: CopyResult,
        reclaims: bool,
    ) -> (u32, u32) {
        let pipe = self.pipe_mut(name);
        if reclaims {
            pipe.pending = None;
        }
        let future = pipe.of().future;
        let end = pipe.end_mut(reads);
        let done = match result {
            CopyResult::Dropped => true,
            CopyResult::Completed => future,
            CopyResult::Cancelled => false,
        };
        end.state = if done { CopyState::Done } else { CopyState::Idle };
        let code = 2 + 2 * u32::from(future) + u32::from(!reads);
        let count = if future { 0 } else { end.buffer.progress };
        (code, result as u32 | count << 4)
    }

    /// Whether the host has an end that it may use.
    pub fn host_has(&self, name: Name, reads: bool) -> bool {
        self.pipes.get(&name).is_some_and(|pipe| {
            let end = pipe.end(reads);
            end.owner == Owner::Host && end.state != CopyState::Done
        })
    }

    /// Whether the host's copy has begun.
    pub fn host_copies(&self, name: Name, reads: bool) -> bool {
        let pipe = self.pipe(name);
        pipe.end(reads).host_done.is_some() || pipe.pending == Some(reads)
    }

    /// The host reads or writes, or asks for what it has begun.
    pub fn host_copy(
        &mut self,
        name: Name,
        reads: bool,
        length: u32,
        values: Vec<Value>,
    ) -> Result<Copied, Trap> {
        if !self.host_copies(name, reads) {
            let buffer = Buffer { length, values, ..Buffer::default() };
            self.copy(name, reads, buffer)?;
        }
        let future = self.pipe(name).of().future;
        let end = self.pipe_mut(name).end_mut(reads);
        let Some(result) = end.host_done.take() else { return Ok(Copied::Pending) };
        if result == CopyResult::Dropped || future {
            end.state = CopyState::Done;
        }
        let values = if reads { std::mem::take(&mut end.buffer.values) } else { Vec::new() };
        let left = if reads || future { 0 } else { end.buffer.remaining() as usize };
        Ok(Copied::Ready { there: result != CopyResult::Dropped, values, left })
    }

    /// The host drops an end.
    pub fn host_drop(&mut self, name: Name, reads: bool) {
        let pipe = self.pipe_mut(name);
        if pipe.pending == Some(reads) {
            pipe.pending = None;
        }
        self.drop_end(name, reads);
    }
}
