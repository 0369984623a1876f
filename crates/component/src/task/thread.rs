//! Threads of components, which take turns within an instance.
//!
//! Specification: Canonical ABI, `canon thread.index` and what follows.

use zwasm::{Error, Result, SlotFunc};

use super::{Key, Resume, ThreadState, Wait, run};
use crate::abi::AnyStore;
use crate::state::{Components, RuntimeInstance};

impl Components {
    /// The thread of an instance with a number.
    fn thread_at(&mut self, instance: RuntimeInstance, index: u32) -> Result<Key> {
        let found = self.instance_tasks(instance);
        let thread = index.checked_sub(1).and_then(|place| found.threads.get(place as usize));
        let unknown = || Error::trap_msg(format_args!("unknown thread index {index}"));
        thread.copied().flatten().ok_or_else(unknown)
    }

    fn suspended_at(&mut self, instance: RuntimeInstance, index: u32) -> Result<Key> {
        let key = self.thread_at(instance, index)?;
        match self.thread(key)?.state {
            ThreadState::Suspended => Ok(key),
            ThreadState::Running | ThreadState::Waiting(_) => Err(Error::trap_msg(format_args!(
                "cannot resume thread {index}, which is not suspended"
            ))),
        }
    }

    /// The thread that runs code of an instance.
    fn here(&self, instance: RuntimeInstance) -> Result<Key> {
        self.current(instance)
            .ok_or_else(|| Error::trap_msg("cannot block a synchronous task before returning"))
    }

    /// `thread.index`
    pub(super) fn thread_index(&mut self, instance: RuntimeInstance) -> Result<u32> {
        let key = self.here(instance)?;
        Ok(self.thread(key)?.index)
    }

    /// `thread.new-indirect`: a thread that will call a function with a number.
    pub(super) fn new_thread(
        &mut self,
        instance: RuntimeInstance,
        func: SlotFunc,
        number: u64,
    ) -> Result<u32> {
        let key = self.here(instance)?;
        let task = self.thread(key)?.task;
        let thread = self.tasks.add_thread(task, instance, Resume::Func(func, number))?;
        self.register_thread(thread)
    }

    /// `thread.resume-later`
    pub(super) fn resume_later(&mut self, instance: RuntimeInstance, index: u32) -> Result<()> {
        let key = self.suspended_at(instance, index)?;
        self.start_waiting(key, Wait::Turn)
    }
}

/// `thread.yield`
pub(super) fn give_turn(store: &mut dyn AnyStore, instance: RuntimeInstance) -> Result<()> {
    let state = store.state();
    match state.check_block(instance) {
        Ok(thread) => run::block(store, thread, Some(Wait::Turn)),
        // Others may have their turns later just as well.
        Err(_) => Ok(()),
    }
}

/// `thread.suspend`
pub(super) fn suspend(store: &mut dyn AnyStore, instance: RuntimeInstance) -> Result<()> {
    let thread = store.state().check_block(instance)?;
    run::block(store, thread, None)
}

/// `thread.suspend-then-resume` and its like: the turn goes to another thread.
pub(super) fn switch(
    store: &mut dyn AnyStore,
    instance: RuntimeInstance,
    yields: bool,
    promotes: bool,
    index: u32,
) -> Result<()> {
    let state = store.state();
    let thread = state.here(instance)?;
    let wait = yields.then_some(Wait::Turn);
    let other = match promotes {
        false => state.suspended_at(instance, index)?,
        true => {
            let other = state.thread_at(instance, index)?;
            let found = state.thread(other)?.state;
            if found == ThreadState::Running || found == ThreadState::Suspended {
                return Err(Error::trap_msg(format_args!(
                    "cannot promote thread {index}, which does not wait"
                )));
            }
            if !state.may_go_on(other) {
                return match yields {
                    true => give_turn(store, instance),
                    false => suspend(store, instance),
                };
            }
            other
        }
    };
    state.tasks.next = Some(other);
    run::block(store, thread, wait)
}
