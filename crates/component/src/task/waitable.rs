//! Waitables, their events, and sets of them.
//!
//! A set counts its waitables that have an event and keeps these in a list, so that a wait
//! costs the same however many there are. An entry of the list may be stale; then it is
//! passed over.
//!
//! Specification: Canonical ABI, "Waitable State".

use std::collections::VecDeque;

use zwasm::{Error, Result};

use super::pipe::End;
use super::{Key, Subtask, Tasks};
use crate::state::{Components, RuntimeInstance};

/// What a handle is of that is no resource.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Item {
    Waitable(Key),
    Set(Key),
    /// What is known of a failure.
    Error(Key),
}

/// Something that can be waited for.
pub(crate) struct Waitable {
    pub(super) kind: Kind,
    /// Whose it is.
    pub(super) instance: RuntimeInstance,
    /// The handle by which it is known there, or 0.
    pub(super) handle: u32,
    pub(super) event: Option<Event>,
    pub(super) set: Option<Key>,
    /// The thread that waits for just this.
    pub(super) waiter: Option<Key>,
}

pub(super) enum Kind {
    Subtask(Box<Subtask>),
    End(End),
}

/// Something that has happened, as far as it is known before it is delivered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Event {
    /// A subtask has another state.
    Progress,
    /// A copy has got somewhere, with this result.
    Copied(CopyResult),
}

/// How a copy ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum CopyResult {
    Completed = 0,
    Dropped = 1,
    Cancelled = 2,
}

/// A set of waitables.
#[derive(Default)]
pub(crate) struct Set {
    /// How many there are.
    members: usize,
    /// How many of them have an event.
    pending: usize,
    /// Those that may have one.
    ready: VecDeque<Key>,
    /// The threads that wait.
    pub(super) waiters: Vec<Key>,
}

/// What a guest is told: a code and two numbers.
pub(super) type EventWords = [u32; 3];

/// That a task is cancelled.
pub(super) const CANCELLED: EventWords = [6, 0, 0];
/// That nothing has happened.
pub(super) const NONE: EventWords = [0, 0, 0];

impl Set {
    pub(super) fn has_event(&self) -> bool {
        self.pending > 0
    }
}

impl Tasks {
    pub(super) fn has_event(&self, waitable: Key) -> bool {
        self.waitables.get(waitable).is_some_and(|waitable| waitable.event.is_some())
    }

    /// Something has happened to a waitable: whoever waits for it is woken.
    pub(super) fn set_event(&mut self, key: Key, event: Event) {
        let Some(waitable) = self.waitables.get_mut(key) else { return };
        let had = waitable.event.replace(event).is_some();
        if let Some(waiter) = waitable.waiter {
            self.enqueue(waiter);
        } else if let Some(set) = waitable.set
            && !had
        {
            self.ready_in(set, key);
        }
    }

    /// A waitable of a set has an event.
    fn ready_in(&mut self, set: Key, waitable: Key) {
        let Some(found) = self.sets.get_mut(set) else { return };
        found.pending += 1;
        if found.ready.len() > 2 * found.members {
            let waitables = &self.waitables;
            found
                .ready
                .retain(|other| waitables.get(*other).is_some_and(|other| other.event.is_some()));
        }
        found.ready.push_back(waitable);
        for waiter in found.waiters.clone() {
            self.enqueue(waiter);
        }
    }

    /// Takes the event of a waitable away, without delivering it.
    pub(super) fn clear_event(&mut self, key: Key) -> Option<Event> {
        let waitable = self.waitables.get_mut(key)?;
        let event = waitable.event.take()?;
        if let Some(set) = waitable.set.and_then(|set| self.sets.get_mut(set)) {
            set.pending -= 1;
            if set.pending == 0 {
                set.ready.clear();
            }
        }
        Some(event)
    }

    /// Puts a waitable into a set, or out of the one it is in.
    pub(super) fn join(&mut self, key: Key, set: Option<Key>) {
        let Some(waitable) = self.waitables.get_mut(key) else { return };
        let pending = waitable.event.is_some();
        let before = std::mem::replace(&mut waitable.set, set);
        if let Some(before) = before.and_then(|set| self.sets.get_mut(set)) {
            before.members -= 1;
            if pending {
                before.pending -= 1;
            }
        }
        if let Some(set) = set
            && let Some(found) = self.sets.get_mut(set)
        {
            found.members += 1;
            if pending {
                self.ready_in(set, key);
            }
        }
    }

    /// The first waitable of a set that has an event.
    pub(super) fn first_of(&mut self, set: Key) -> Option<Key> {
        loop {
            let waitable = self.sets.get_mut(set)?.ready.pop_front()?;
            let found = self.waitables.get(waitable);
            if found.is_some_and(|found| found.event.is_some() && found.set == Some(set)) {
                return Some(waitable);
            }
        }
    }
}

impl Components {
    /// What an instance has under a handle that is of no resource.
    pub(super) fn item(&mut self, instance: RuntimeInstance, index: u32) -> Result<Item> {
        self.handles(instance).item(index)
    }

    pub(super) fn waitable(&mut self, instance: RuntimeInstance, index: u32) -> Result<Key> {
        match self.item(instance, index)? {
            Item::Waitable(key) => Ok(key),
            Item::Set(_) | Item::Error(_) => Err(wrong(index, "a waitable")),
        }
    }

    pub(super) fn set(&mut self, instance: RuntimeInstance, index: u32) -> Result<Key> {
        match self.item(instance, index)? {
            Item::Set(key) => Ok(key),
            Item::Waitable(_) | Item::Error(_) => Err(wrong(index, "a waitable set")),
        }
    }

    pub(super) fn new_set(&mut self, instance: RuntimeInstance) -> Result<u32> {
        let set = self.tasks.sets.insert(Set::default());
        match self.insert_item(instance, Item::Set(set)) {
            Ok(index) => Ok(index),
            Err(error) => {
                self.tasks.sets.remove(set);
                Err(error)
            }
        }
    }

    pub(super) fn drop_set(&mut self, instance: RuntimeInstance, index: u32) -> Result<()> {
        let key = self.set(instance, index)?;
        if let Some(set) = self.tasks.sets.get(key) {
            if set.members > 0 {
                return Err(Error::trap_msg("cannot drop non-empty waitable set"));
            }
            if !set.waiters.is_empty() {
                return Err(Error::trap_msg("cannot drop waitable set with waiters"));
            }
        }
        self.remove_item(instance, index)?;
        self.tasks.sets.remove(key);
        Ok(())
    }

    pub(super) fn join(&mut self, instance: RuntimeInstance, index: u32, set: u32) -> Result<()> {
        let waitable = self.waitable(instance, index)?;
        let set = match set {
            0 => None,
            set => Some(self.set(instance, set)?),
        };
        if self.tasks.waitables.get(waitable).is_some_and(|found| found.waiter.is_some()) {
            return Err(in_set());
        }
        self.tasks.join(waitable, set);
        Ok(())
    }

    /// Checks that a thread may wait for just this waitable.
    pub(super) fn check_alone(&mut self, waitable: Key) -> Result<()> {
        match self.tasks.waitables.get(waitable).is_some_and(|found| found.set.is_some()) {
            true => Err(in_set()),
            false => Ok(()),
        }
    }

    /// Tells the guest what has happened to a waitable that has an event.
    pub(super) fn deliver(&mut self, key: Key) -> Result<EventWords> {
        let event = self.tasks.clear_event(key);
        let found = self.tasks.waitables.get_mut(key);
        let (Some(event), Some(waitable)) = (event, found) else {
            return Err(super::lost("the event"));
        };
        let handle = waitable.handle;
        match (&mut waitable.kind, event) {
            (Kind::Subtask(subtask), Event::Progress) => {
                let state = subtask.state;
                if state.resolved() {
                    self.deliver_resolve(key);
                }
                Ok([1, handle, state as u32])
            }
            (Kind::End(_), Event::Copied(result)) => {
                let (code, payload) = self.finish_copy(key, result)?;
                Ok([code, handle, payload])
            }
            _ => Err(super::lost("the event")),
        }
    }

    /// The caller of a subtask knows its end: what it lent is its own again.
    pub(super) fn deliver_resolve(&mut self, key: Key) {
        if let Ok(subtask) = self.subtask(key) {
            subtask.delivered = true;
            if let Some(scope) = subtask.scope.take() {
                self.end_scope(scope);
            }
        }
    }

    /// The next event of a set, if there is one.
    pub(super) fn event_of(&mut self, set: Key) -> Result<Option<EventWords>> {
        match self.tasks.first_of(set) {
            Some(waitable) => self.deliver(waitable).map(Some),
            None => Ok(None),
        }
    }
}

#[cold]
pub(super) fn wrong(index: u32, expected: &str) -> Error {
    Error::trap_msg(format_args!(
        "handle index {index} used with the wrong type, expected {expected}"
    ))
}

#[cold]
fn in_set() -> Error {
    Error::trap_msg("waitable cannot be used synchronously while added to a waitable set")
}
