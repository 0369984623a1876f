//! Waitables, their events, and sets of them.
//!
//! A set keeps its waitables that have an event by when they got it, so that a wait costs
//! next to the same however many there are. The threads that wait are kept in the same way:
//! an event wakes the first. Who was woken and takes the event wakes the next if there is
//! another event; who was woken and cannot go on, because another task is exclusive, is no
//! more among those that are woken, until it could.
//!
//! Specification: Canonical ABI, "Waitable State".

use std::collections::BTreeMap;

use zwasm::{Error, Result};

use super::pipe::End;
use super::{Key, Subtask, Tasks, ThreadState, Wait};
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
    /// The number of its event in the set.
    pub(super) number: u64,
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
    /// Those that have an event, by the numbers of the events.
    ready: BTreeMap<u64, Key>,
    /// How many threads wait.
    waiting: usize,
    /// Those of them that an event wakes, by the numbers of their waits.
    waiters: BTreeMap<u64, Key>,
    /// The number of the next event or wait.
    next: u64,
}

/// What a guest is told: a code and two numbers.
pub(super) type EventWords = [u32; 3];

/// That a task is cancelled.
pub(super) const CANCELLED: EventWords = [6, 0, 0];
/// That nothing has happened.
pub(super) const NONE: EventWords = [0, 0, 0];

impl Set {
    pub(super) fn has_event(&self) -> bool {
        !self.ready.is_empty()
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
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
    fn ready_in(&mut self, set: Key, key: Key) {
        let (Some(found), Some(waitable)) = (self.sets.get_mut(set), self.waitables.get_mut(key))
        else {
            return;
        };
        waitable.number = found.number();
        found.ready.insert(waitable.number, key);
        self.wake_waiter(set);
    }

    /// Takes the event of a waitable away, without delivering it.
    pub(super) fn clear_event(&mut self, key: Key) -> Option<Event> {
        let waitable = self.waitables.get_mut(key)?;
        let event = waitable.event.take()?;
        if let Some(set) = waitable.set.and_then(|set| self.sets.get_mut(set)) {
            set.ready.remove(&waitable.number);
        }
        Some(event)
    }

    /// Puts a waitable into a set, or out of the one it is in.
    pub(super) fn join(&mut self, key: Key, set: Option<Key>) {
        let Some(waitable) = self.waitables.get_mut(key) else { return };
        let before = std::mem::replace(&mut waitable.set, set);
        if let Some(before) = before.and_then(|set| self.sets.get_mut(set)) {
            before.members -= 1;
            if waitable.event.is_some() {
                before.ready.remove(&waitable.number);
            }
        }
        if let Some(set) = set
            && let Some(found) = self.sets.get_mut(set)
        {
            found.members += 1;
            if waitable.event.is_some() {
                self.ready_in(set, key);
            }
        }
    }

    /// The first waitable of a set that has an event.
    fn first_of(&self, set: Key) -> Option<Key> {
        self.sets.get(set)?.ready.values().next().copied()
    }

    /// A thread waits for a set from now on.
    pub(super) fn add_waiter(&mut self, key: Key, set: Key) -> Result<()> {
        let found = self.sets.get_mut(set).ok_or_else(|| super::lost("the set"))?;
        found.waiting += 1;
        if let Some(thread) = self.threads.get_mut(key) {
            thread.number = found.number();
            found.waiters.insert(thread.number, key);
        }
        Ok(())
    }

    /// A thread that waits for a set is woken by its events, or not any more.
    pub(super) fn set_woken(&mut self, key: Key, woken: bool) {
        let Some(thread) = self.threads.get(key) else { return };
        let ThreadState::Waiting(Wait::CallbackSet(set) | Wait::Set(set)) = thread.state else {
            return;
        };
        if let Some(found) = self.sets.get_mut(set) {
            match woken {
                true => found.waiters.insert(thread.number, key),
                false => found.waiters.remove(&thread.number),
            };
            self.wake_waiter(set);
        }
    }

    /// A thread does not wait for a set any more.
    pub(super) fn remove_waiter(&mut self, key: Key, set: Key) {
        if let (Some(found), Some(thread)) = (self.sets.get_mut(set), self.threads.get(key)) {
            found.waiting -= 1;
            found.waiters.remove(&thread.number);
            self.wake_waiter(set);
        }
    }

    /// If a set has an event, the first thread that waits is woken.
    fn wake_waiter(&mut self, set: Key) {
        if let Some(found) = self.sets.get(set)
            && found.has_event()
            && let Some(&first) = found.waiters.values().next()
        {
            self.enqueue(first);
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
            if set.waiting > 0 {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::Resume;

    fn waitable(tasks: &mut Tasks) -> Key {
        tasks.waitables.insert(Waitable {
            kind: Kind::End(End::idle()),
            instance: RuntimeInstance(0),
            handle: 1,
            event: None,
            set: None,
            number: 0,
            waiter: None,
        })
    }

    fn waiter(tasks: &mut Tasks, set: Key) -> Key {
        let task = Key::from_bits(0);
        let thread = tasks.add_thread(task, RuntimeInstance(0), Resume::Callback).unwrap();
        tasks.threads.get_mut(thread).unwrap().state = ThreadState::Waiting(Wait::Set(set));
        tasks.add_waiter(thread, set).unwrap();
        thread
    }

    const EVENT: Event = Event::Copied(CopyResult::Completed);

    #[test]
    fn a_set_has_an_event_once_however_often_it_is_joined() {
        let mut tasks = Tasks::default();
        let [one, other] = [(); 2].map(|()| tasks.sets.insert(Set::default()));
        let [first, second] = [(); 2].map(|()| waitable(&mut tasks));
        tasks.set_event(first, EVENT);
        for _ in 0..100 {
            tasks.join(first, Some(one));
            tasks.join(first, Some(other));
            tasks.join(first, None);
            tasks.join(first, Some(one));
        }
        tasks.join(second, Some(one));
        tasks.set_event(second, EVENT);
        tasks.set_event(second, EVENT);
        let found = |tasks: &Tasks, set| {
            let set = tasks.sets.get(set).unwrap();
            (set.members, set.ready.len())
        };
        assert_eq!((found(&tasks, one), found(&tasks, other)), ((2, 2), (0, 0)));
        assert_eq!(tasks.first_of(one), Some(first));
        assert_eq!(tasks.clear_event(first), Some(EVENT));
        assert_eq!(tasks.first_of(one), Some(second));
        tasks.join(second, None);
        assert_eq!(found(&tasks, one), (1, 0));
        assert!(tasks.first_of(one).is_none());
    }

    #[test]
    fn an_event_wakes_the_first_who_hands_on_what_is_left() {
        let mut tasks = Tasks::default();
        let set = tasks.sets.insert(Set::default());
        let waiters = [(); 3].map(|()| waiter(&mut tasks, set));
        let events = [(); 2].map(|()| waitable(&mut tasks));
        events.iter().for_each(|event| tasks.join(*event, Some(set)));
        tasks.set_event(events[0], EVENT);
        tasks.set_event(events[1], EVENT);
        assert_eq!(tasks.queue, [waiters[0]]);
        // The first goes on, and takes one of the two.
        tasks.remove_waiter(waiters[0], set);
        assert_eq!(tasks.queue, [waiters[0], waiters[1]]);
        tasks.clear_event(events[0]);
        // The second may not go on, and has the third woken.
        tasks.set_woken(waiters[1], false);
        assert_eq!(tasks.queue, [waiters[0], waiters[1], waiters[2]]);
        tasks.clear_event(events[1]);
        // Later it may, in its old place, but there is no event.
        tasks.set_woken(waiters[1], true);
        let found = tasks.sets.get(set).unwrap();
        assert!(found.waiters.values().eq(&waiters[1..]), "{:?}", found.waiters);
        assert_eq!(found.waiting, 2);
    }
}
