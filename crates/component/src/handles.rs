//! Handles to resources: a table per instance, what lifting and lowering do to them, and
//! the built-in functions.
//!
//! A table is a vector whose free entries are a list within it, the latest freed first,
//! so that guests see the same numbers everywhere; 0 is never a handle. What the host
//! holds is a map by numbers that are never given again, so that a stale handle is
//! noticed.
//!
//! Specification: Canonical ABI, "Resource State", `lift_own` and its like,
//! `canon resource.new`, `drop`, `rep`.

use zwasm::{Error, Result};

use crate::ResourceType;
use crate::abi::AnyStore;
use crate::resource::Kind;
use crate::state::{Components, Lender, RuntimeInstance, check_leave};
use crate::task::Item;
use crate::tuning::MAX_HANDLES;

/// The handles of an instance.
#[derive(Default)]
pub(crate) struct HandleTable {
    /// Handle `i` is at `i - 1`.
    entries: Vec<Entry>,
    /// The place of the first free entry, or how many entries there are.
    free: u32,
}

enum Entry {
    /// The place of the next free one.
    Free(u32),
    Own {
        ty: ResourceType,
        rep: u32,
        lent: u32,
    },
    /// Something of tasks, streams and futures.
    Item(Item),
    /// It has to be dropped before the call with this number returns.
    Borrow {
        ty: ResourceType,
        rep: u32,
        scope: u64,
    },
}

/// An owner that the host holds.
pub(crate) struct HostHandle {
    ty: ResourceType,
    rep: u32,
    lent: u32,
}

/// What a handle was that is no more.
enum Removed {
    Own(u32),
    Borrow(u64),
}

impl HandleTable {
    fn insert(&mut self, entry: Entry) -> u32 {
        let at = self.free;
        match self.entries.get_mut(at as usize) {
            Some(free) => {
                if let Entry::Free(next) = std::mem::replace(free, entry) {
                    self.free = next;
                }
            }
            None => {
                self.entries.push(entry);
                self.free = at + 1;
            }
        }
        at + 1
    }

    fn get(&mut self, ty: ResourceType, index: u32) -> Result<&mut Entry> {
        let found = index.checked_sub(1).and_then(|at| self.entries.get_mut(at as usize));
        match found {
            None | Some(Entry::Free(_)) => {
                Err(Error::trap_msg(format_args!("unknown handle index {index}")))
            }
            Some(Entry::Item(_)) => Err(no_resource(index)),
            Some(Entry::Own { ty: found, .. } | Entry::Borrow { ty: found, .. })
                if *found != ty =>
            {
                Err(wrong_type(index, ty, *found))
            }
            Some(entry) => Ok(entry),
        }
    }

    fn remove(&mut self, ty: ResourceType, index: u32) -> Result<Removed> {
        let next = self.free;
        let entry = self.get(ty, index)?;
        let removed = match *entry {
            Entry::Own { lent: 0, rep, .. } => Removed::Own(rep),
            Entry::Own { .. } => {
                return Err(Error::trap_msg("cannot remove owned resource while borrowed"));
            }
            Entry::Borrow { scope, .. } => Removed::Borrow(scope),
            Entry::Free(_) | Entry::Item(_) => return Err(unknown(index)),
        };
        *entry = Entry::Free(next);
        self.free = index - 1;
        Ok(removed)
    }

    /// What is there under a handle that is of no resource.
    pub(crate) fn item(&self, index: u32) -> Result<Item> {
        match index.checked_sub(1).and_then(|at| self.entries.get(at as usize)) {
            Some(Entry::Item(item)) => Ok(*item),
            None | Some(Entry::Free(_)) => Err(unknown(index)),
            Some(Entry::Own { .. } | Entry::Borrow { .. }) => Err(Error::trap_msg(format_args!(
                "handle index {index} used with the wrong type, found a resource"
            ))),
        }
    }
}

#[cold]
fn no_resource(index: u32) -> Error {
    Error::trap_msg(format_args!(
        "handle index {index} used with the wrong type, expected a resource"
    ))
}

#[cold]
fn unknown(index: u32) -> Error {
    Error::trap_msg(format_args!("unknown handle index {index}"))
}

#[cold]
fn wrong_type(index: u32, expected: ResourceType, found: ResourceType) -> Error {
    let name = |ty: ResourceType| match ty.0 {
        Kind::Host(_) | Kind::HostDynamic(_) => "host resource",
        Kind::Guest { .. } | Kind::Uninstantiated { .. } => "guest-defined resource",
    };
    let (expected, found) = (name(expected), name(found));
    let found = if expected == found { format!("a different {found}") } else { found.into() };
    Error::trap_msg(format_args!(
        "handle index {index} used with the wrong type, expected {expected} but found {found}"
    ))
}

#[cold]
fn too_many() -> Error {
    Error::limit(format_args!("more than {MAX_HANDLES} handles to resources"))
}

#[cold]
fn stale() -> Error {
    Error::msg("the handle was dropped or given away before, or is of another store")
}

impl Components {
    /// Checks that there is room for one more handle or loan, and counts it.
    fn count(&mut self) -> Result<()> {
        if self.live >= MAX_HANDLES {
            return Err(too_many());
        }
        self.live += 1;
        Ok(())
    }

    fn insert(&mut self, instance: RuntimeInstance, entry: Entry) -> Result<u32> {
        self.count()?;
        Ok(self.handles(instance).insert(entry))
    }

    /// Gives an instance a handle of something that is no resource.
    ///
    /// # Errors
    ///
    /// If there are too many.
    pub(crate) fn insert_item(&mut self, instance: RuntimeInstance, item: Item) -> Result<u32> {
        self.insert(instance, Entry::Item(item))
    }

    /// Takes such a handle away.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub(crate) fn remove_item(&mut self, instance: RuntimeInstance, index: u32) -> Result<Item> {
        let table = self.handles(instance);
        let item = table.item(index)?;
        table.entries[index as usize - 1] = Entry::Free(table.free);
        table.free = index - 1;
        self.live -= 1;
        Ok(item)
    }

    /// Takes an owner from an instance: the representation.
    ///
    /// # Errors
    ///
    /// If there is none of this resource, or it is lent.
    pub(crate) fn lift_own(
        &mut self,
        from: RuntimeInstance,
        ty: ResourceType,
        index: u32,
    ) -> Result<u32> {
        match self.handles(from).get(ty, index)? {
            Entry::Borrow { .. } => Err(Error::trap_msg("cannot lift own resource from a borrow")),
            Entry::Own { .. } | Entry::Free(_) | Entry::Item(_) => {
                match self.handles(from).remove(ty, index)? {
                    Removed::Own(rep) => {
                        self.live -= 1;
                        Ok(rep)
                    }
                    Removed::Borrow(_) => Err(unknown(index)),
                }
            }
        }
    }

    /// Lends a handle of an instance to the innermost call.
    ///
    /// # Errors
    ///
    /// If there is none of this resource.
    pub(crate) fn lift_borrow(
        &mut self,
        from: RuntimeInstance,
        ty: ResourceType,
        index: u32,
    ) -> Result<u32> {
        match *self.handles(from).get(ty, index)? {
            Entry::Borrow { rep, .. } => Ok(rep),
            Entry::Own { rep, .. } => {
                self.lend(Lender::Guest(from, index))?;
                if let Entry::Own { lent, .. } = self.handles(from).get(ty, index)? {
                    *lent += 1;
                }
                Ok(rep)
            }
            Entry::Free(_) | Entry::Item(_) => Err(unknown(index)),
        }
    }

    fn lend(&mut self, lender: Lender) -> Result<()> {
        self.scope()?;
        self.count()?;
        self.scope()?.1.push(lender);
        Ok(())
    }

    /// Ends one loan of a handle.
    pub(crate) fn give_back(&mut self, lender: Lender) {
        let lent = match lender {
            Lender::Host(number) => self.held.get_mut(&number).map(|handle| &mut handle.lent),
            Lender::Guest(instance, index) => {
                match self.handles(instance).entries.get_mut(index as usize - 1) {
                    Some(Entry::Own { lent, .. }) => Some(lent),
                    Some(Entry::Borrow { .. } | Entry::Free(_) | Entry::Item(_)) | None => None,
                }
            }
        };
        if let Some(lent) = lent {
            *lent -= 1;
        }
    }

    /// Gives an instance an owner.
    ///
    /// # Errors
    ///
    /// If there are too many handles.
    pub(crate) fn lower_own(
        &mut self,
        to: RuntimeInstance,
        ty: ResourceType,
        rep: u32,
    ) -> Result<u32> {
        self.insert(to, Entry::Own { ty, rep, lent: 0 })
    }

    /// Gives an instance what it borrows for the innermost call: the representation
    /// itself if it defines the resource, else a handle.
    ///
    /// # Errors
    ///
    /// If there are too many handles.
    pub(crate) fn lower_borrow(
        &mut self,
        to: RuntimeInstance,
        ty: ResourceType,
        rep: u32,
    ) -> Result<u32> {
        if self.defines(to, ty) {
            return Ok(rep);
        }
        let (scope, ..) = self.scope()?;
        let index = self.insert(to, Entry::Borrow { ty, rep, scope })?;
        *self.scope()?.2 += 1;
        Ok(index)
    }

    /// Gives the host an owner: the number under which it holds it.
    ///
    /// # Errors
    ///
    /// If there are too many handles.
    pub(crate) fn hold(&mut self, ty: ResourceType, rep: u32) -> Result<u64> {
        self.count()?;
        let number = self.next_held;
        self.next_held += 1;
        self.held.insert(number, HostHandle { ty, rep, lent: 0 });
        Ok(number)
    }

    /// Takes an owner from the host.
    ///
    /// # Errors
    ///
    /// If it does not hold it, or has lent it.
    pub(crate) fn take_held(&mut self, number: u64) -> Result<(ResourceType, u32)> {
        let &HostHandle { ty, rep, lent } = self.held.get(&number).ok_or_else(stale)?;
        if lent > 0 {
            return Err(Error::msg("cannot remove owned resource while borrowed"));
        }
        self.held.remove(&number);
        self.live -= 1;
        Ok((ty, rep))
    }

    /// Lends an owner that the host holds to the innermost call.
    ///
    /// # Errors
    ///
    /// If it does not hold it.
    pub(crate) fn lend_held(&mut self, number: u64) -> Result<u32> {
        let rep = self.held.get(&number).ok_or_else(stale)?.rep;
        self.lend(Lender::Host(number))?;
        if let Some(handle) = self.held.get_mut(&number) {
            handle.lent += 1;
        }
        Ok(rep)
    }

    /// Drops a handle of an instance: the representation if it was the owner.
    fn drop_handle(
        &mut self,
        instance: RuntimeInstance,
        ty: ResourceType,
        index: u32,
    ) -> Result<Option<u32>> {
        let removed = self.handles(instance).remove(ty, index)?;
        self.live -= 1;
        Ok(match removed {
            Removed::Own(rep) => Some(rep),
            Removed::Borrow(scope) => {
                self.returned(scope);
                None
            }
        })
    }

    fn representation(
        &mut self,
        instance: RuntimeInstance,
        ty: ResourceType,
        index: u32,
    ) -> Result<u32> {
        match *self.handles(instance).get(ty, index)? {
            Entry::Own { rep, .. } | Entry::Borrow { rep, .. } => Ok(rep),
            Entry::Free(_) | Entry::Item(_) => Err(unknown(index)),
        }
    }
}

/// Runs what the resource's owner wants run when it is dropped. `caller` is the instance
/// that drops it, if it is not the host.
///
/// # Errors
///
/// If its instance cannot be entered, and what stopped the destructor.
pub(crate) fn destroy(
    store: &mut dyn AnyStore,
    ty: ResourceType,
    rep: u32,
    caller: Option<RuntimeInstance>,
) -> Result<()> {
    let state = store.state();
    let destructor = state.destructor(ty);
    let root = |state: &Components, instance| Some(state.root(instance));
    // Within a component everything is entered already.
    let enter = destructor
        .instance
        .filter(|&instance| caller.and_then(|caller| root(state, caller)) != root(state, instance));
    if let Some(instance) = enter {
        state.enter(instance)?;
    }
    let Some(func) = destructor.func else {
        if let Some(instance) = enter {
            state.exit(instance);
        }
        return Ok(());
    };
    let depth = state.depth();
    let result = store.call(func, &mut [rep.into()]);
    let state = store.state();
    if result.is_err() {
        state.unwind(depth);
    }
    if let Some(instance) = enter {
        state.exit(instance);
        if result.is_err() {
            state.poison(instance);
        }
    }
    result
}

/// `resource.new`: a handle that owns a resource, from its representation.
///
/// # Errors
///
/// If the instance may not be left, or has too many handles.
pub(crate) fn resource_new(
    store: &mut dyn AnyStore,
    resource: ResourceType,
    instance: RuntimeInstance,
    rep: u32,
) -> Result<u32> {
    check_leave(store, instance)?;
    store.state().lower_own(instance, resource, rep)
}

/// `resource.rep`: the representation behind a handle.
///
/// # Errors
///
/// If it is no handle to such a resource; likewise below.
pub(crate) fn resource_rep(
    store: &mut dyn AnyStore,
    resource: ResourceType,
    instance: RuntimeInstance,
    index: u32,
) -> Result<u32> {
    store.state().representation(instance, resource, index)
}

/// `resource.drop`: gives up a handle, and the resource with it if it is the owner. The
/// destructor, if there is one, was set before it is called.
pub(crate) fn resource_drop(
    store: &mut dyn AnyStore,
    resource: ResourceType,
    instance: RuntimeInstance,
    index: u32,
) -> Result<()> {
    check_leave(store, instance)?;
    if let Some(rep) = store.state().drop_handle(instance, resource, index)? {
        destroy(store, resource, rep, Some(instance))?;
    }
    Ok(())
}
