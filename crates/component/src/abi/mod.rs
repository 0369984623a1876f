//! The canonical ABI: how component values become core values and bytes in linear
//! memory, and what is read back from them.
//!
//! A value lies at a [`Place`]: among the core values of a call, or in memory. Where its
//! parts lie within it stands in the table of types, so that one piece of code serves
//! both: what narrow core values share a wider slot with others need no conversion, as
//! slots are 64 bits wide and the rest of them is zero.
//!
//! Specification: Canonical ABI.

pub(crate) mod call;
mod dynamic;
mod lift;
mod lower;
mod parts;
mod rust;
pub(crate) mod signature;
pub(crate) mod stack;
mod strings;
#[cfg(test)]
mod tests;
mod transfer;

pub use lift::LiftContext;
pub(crate) use lift::{check_pointer, check_range};
pub use lower::LowerContext;
pub use parts::Check;
pub(crate) use rust::mismatch;
pub use stack::Stack;
#[cfg(feature = "async")]
use std::{future::Future, pin::Pin};
pub(crate) use strings::validate_utf8;
pub(crate) use transfer::{Side, Transfer, cost};

use zwasm::{AsContextMut, Error, Global, Memory, Result, SlotFunc, StoreContextMut};

use crate::ResourceType;
use crate::state::Components;
use crate::tuning::ALLOCATION;
use crate::types::{InterfaceType, Part, Shape, Types};

/// Where a value lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the slots of a call, from this one on.
    Flat(usize),
    /// In memory, from this address on.
    Memory(usize),
}

impl Place {
    /// Where a part of the value at this place lies.
    pub(crate) fn part(self, part: Part) -> Place {
        match self {
            Place::Flat(slot) => Place::Flat(slot + part.flat as usize),
            Place::Memory(address) => Place::Memory(address + part.offset as usize),
        }
    }

    /// Where an element lies, of elements of this shape whose first is at this place.
    pub(crate) fn element(self, shape: Shape, index: usize) -> Place {
        match self {
            Place::Flat(slot) => Place::Flat(slot + index * shape.flat as usize),
            Place::Memory(address) => Place::Memory(address + index * shape.size as usize),
        }
    }
}

/// How strings are encoded in a guest's memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum StringEncoding {
    #[default]
    Utf8,
    Utf16,
    /// Latin-1, or UTF-16 where a bit of the length says so.
    CompactUtf16,
}

/// What types mean in an instance: which resource each is a handle of.
#[derive(Clone, Copy)]
pub struct TypeContext<'a> {
    pub(crate) types: &'a Types,
    pub(crate) resources: &'a [ResourceType],
}

impl TypeContext<'_> {
    /// Which resource values of a type are handles of, and whether these are owners.
    pub(crate) fn resource(&self, ty: InterfaceType) -> Option<(ResourceType, bool)> {
        let (index, owned) = match ty {
            InterfaceType::Own(index) => (index, true),
            InterfaceType::Borrow(index) => (index, false),
            _ => return None,
        };
        Some((*self.resources.get(index.0 as usize)?, owned))
    }
}

/// A Rust type that stands for a component type.
pub trait ComponentType: Send + Sync {
    /// Checks that values of the type are this Rust type's.
    ///
    /// # Errors
    ///
    /// What was expected, and what the type is.
    fn typecheck(ty: InterfaceType, cx: &TypeContext<'_>) -> Result<()>;

    /// Whether it stands for that there is no value.
    #[doc(hidden)]
    const IS_UNIT: bool = false;
}

/// A Rust type whose values can be given to a guest.
pub trait Lower: ComponentType {
    /// Writes the value where it is to lie.
    ///
    /// # Errors
    ///
    /// If there is no room for it in memory, or `realloc` fails.
    fn lower(&self, cx: &mut LowerContext<'_>, ty: InterfaceType, at: Place) -> Result<()>;

    /// Writes the elements of a list, whose first is at an address.
    ///
    /// # Errors
    ///
    /// As [`Lower::lower`].
    fn lower_list(
        list: &[Self],
        cx: &mut LowerContext<'_>,
        element: InterfaceType,
        address: usize,
    ) -> Result<()>
    where
        Self: Sized,
    {
        let size = cx.size_of(element);
        for (at, value) in list.iter().enumerate() {
            value.lower(cx, element, Place::Memory(address + at * size))?;
        }
        Ok(())
    }
}

/// A Rust type whose values can be taken from a guest.
pub trait Lift: ComponentType + Sized {
    /// Reads the value that lies at a place.
    ///
    /// # Errors
    ///
    /// If it is no value of the type.
    fn lift(cx: &mut LiftContext<'_>, ty: InterfaceType, at: Place) -> Result<Self>;

    /// Reads the elements of a list, all of which lie in memory.
    ///
    /// # Errors
    ///
    /// As [`Lift::lift`].
    fn lift_list(
        cx: &mut LiftContext<'_>,
        element: InterfaceType,
        address: usize,
        length: usize,
    ) -> Result<Vec<Self>> {
        let size = cx.size_of(element);
        (0..length).map(|at| Self::lift(cx, element, Place::Memory(address + at * size))).collect()
    }
}

/// A tuple of types: the parameters of a function, or its results, of which there is at
/// most one.
pub trait ComponentNamedList: ComponentType {}

/// A store, whatever its data: what moving values needs of it.
pub trait AnyStore {
    /// The contents of a memory, and the state of the store's components.
    #[doc(hidden)]
    fn split(&mut self, memory: Option<Memory>) -> (&mut [u8], &mut Components);
    /// The contents of two memories, the first to be read. Nothing if they are the same.
    #[doc(hidden)]
    fn two(&mut self, from: Memory, to: Memory) -> Option<(&[u8], &mut [u8])>;
    /// Calls a core function over slots.
    #[doc(hidden)]
    fn call(&mut self, func: SlotFunc, slots: &mut [u64]) -> Result<()>;
    /// Whether a variable is set.
    #[doc(hidden)]
    fn variable(&mut self, global: Global) -> bool;
    /// Sets or clears a variable.
    #[doc(hidden)]
    fn set_variable(&mut self, global: Global, value: bool) -> Result<()>;
    /// Runs something on a stack of its own until it ends, or waits: then that is left.
    #[doc(hidden)]
    fn start(&mut self, run: OnStack) -> Result<Option<Stack>>;
    /// Goes on with what waits on a stack.
    #[doc(hidden)]
    fn resume(&mut self, stack: Stack) -> Result<Option<Stack>>;
    /// Leaves the stack to whoever started or resumed it, until it is resumed. Tells if
    /// there is no stack that could be left.
    #[doc(hidden)]
    fn suspend(&mut self) -> Result<bool>;
    /// Ends what waits on a stack.
    #[doc(hidden)]
    fn unwind(&mut self, stack: Stack);
    /// Does something during which nothing may wait, as it calls code of the embedder's.
    #[doc(hidden)]
    fn unsuspendable(
        &mut self,
        work: &mut dyn FnMut(&mut dyn AnyStore) -> Result<()>,
    ) -> Result<()>;
    /// Waits for a future, if the host's call is one. Tells if not.
    #[doc(hidden)]
    #[cfg(feature = "async")]
    fn wait_beyond(&mut self, future: Pin<Box<dyn Future<Output = ()> + Send>>) -> Result<bool>;
    /// Pays, if fuel is paid, for what takes as long as moving so many bytes, and stops
    /// if the guest would have to.
    #[doc(hidden)]
    fn pay(&mut self, bytes: u64) -> Result<()>;
    /// The state of the store's components.
    #[doc(hidden)]
    fn state(&mut self) -> &mut Components;
}

/// What runs on a stack of its own.
#[doc(hidden)]
pub type OnStack = Box<dyn FnOnce(&mut dyn AnyStore) -> Result<()> + Send>;

impl<T> AnyStore for StoreContextMut<'_, T> {
    fn split(&mut self, memory: Option<Memory>) -> (&mut [u8], &mut Components) {
        match memory {
            Some(memory) => memory.data_and_attachment_mut(self.as_context_mut()),
            None => (&mut [], self.attachment()),
        }
    }

    fn pay(&mut self, bytes: u64) -> Result<()> {
        StoreContextMut::pay(self, bytes)
    }

    fn state(&mut self) -> &mut Components {
        self.attachment()
    }

    fn two(&mut self, from: Memory, to: Memory) -> Option<(&[u8], &mut [u8])> {
        Memory::data_of_two(self.as_context_mut(), from, to)
    }

    fn call(&mut self, func: SlotFunc, slots: &mut [u64]) -> Result<()> {
        func.call(self.as_context_mut(), slots).map_err(thrown)
    }

    fn variable(&mut self, global: Global) -> bool {
        global.get(self.as_context_mut()).i32() == Some(1)
    }

    fn set_variable(&mut self, global: Global, value: bool) -> Result<()> {
        global.set(self.as_context_mut(), zwasm::Val::I32(value.into()))
    }

    fn start(&mut self, run: OnStack) -> Result<Option<Stack>> {
        stack::start(self, run)
    }

    fn resume(&mut self, stack: Stack) -> Result<Option<Stack>> {
        stack::resume(self, stack)
    }

    fn suspend(&mut self) -> Result<bool> {
        stack::suspend(self)
    }

    fn unwind(&mut self, stack: Stack) {
        stack::unwind(self, stack);
    }

    fn unsuspendable(
        &mut self,
        work: &mut dyn FnMut(&mut dyn AnyStore) -> Result<()>,
    ) -> Result<()> {
        stack::unsuspendable(self, work)
    }

    #[cfg(feature = "async")]
    fn wait_beyond(&mut self, future: Pin<Box<dyn Future<Output = ()> + Send>>) -> Result<bool> {
        stack::wait_beyond(self, future)
    }
}

/// An exception is a trap where it would leave a component instance: nobody catches it
/// then, with a call half done whose loans are over.
///
/// Specification: Canonical ABI, `call_and_trap_on_throw`.
pub(crate) fn thrown(error: Error) -> Error {
    match error.exception() {
        Some(_) => Error::trap_msg(UNCAUGHT),
        None => error,
    }
}

/// That an exception would leave a component instance.
pub(crate) const UNCAUGHT: &str = "uncaught exception: it cannot leave a component instance";

/// Bytes that may still be made of what a guest gives in one call. The parts of its value
/// may lie on each other, so that its memory is no limit.
pub(crate) struct Budget(usize);

impl Budget {
    pub(crate) fn new(bytes: usize) -> Budget {
        Budget(bytes)
    }

    /// Takes so many elements of so many bytes out of it.
    pub(crate) fn take(&mut self, count: usize, size: usize) -> Result<()> {
        let rest = count.checked_mul(size).and_then(|bytes| self.0.checked_sub(bytes));
        self.0 = rest.ok_or_else(|| {
            Error::limit("too much data is moved out of a guest's memory in one call")
        })?;
        Ok(())
    }

    /// Takes an allocation of so many elements of so many bytes out of it.
    pub(crate) fn allocate(&mut self, count: usize, size: usize) -> Result<()> {
        match count {
            0 => Ok(()),
            _ => self.take(count, size).and_then(|()| self.take(1, ALLOCATION)),
        }
    }
}

/// A type or place that does not belong to a value of the Rust type. Derived code and
/// that of this crate never brings it about.
#[cold]
fn unexpected() -> Error {
    Error::msg("the value is of another type than its Rust type stands for")
}
