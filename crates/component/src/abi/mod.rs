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
mod parts;

pub use parts::Check;
use zwasm::{AsContextMut, Memory, Result, SlotFunc, StoreContextMut};

use crate::ResourceType;
use crate::state::{Components, Options};
use crate::types::{InterfaceType, Part, Types};

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

/// A Rust type that stands for a component type.
pub trait ComponentType: Send + Sync {
    /// Checks that values of the type are this Rust type's.
    ///
    /// # Errors
    ///
    /// What was expected, and what the type is.
    fn typecheck(ty: InterfaceType, cx: &TypeContext<'_>) -> Result<()>;
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
pub trait Access {
    /// The contents of a memory, and the state of the store's components.
    #[doc(hidden)]
    fn split(&mut self, memory: Option<Memory>) -> (&mut [u8], &mut Components);
    /// Calls a core function over slots.
    #[doc(hidden)]
    fn call(&mut self, func: SlotFunc, slots: &mut [u64]) -> Result<()>;
}

impl<T> Access for StoreContextMut<'_, T> {
    fn split(&mut self, memory: Option<Memory>) -> (&mut [u8], &mut Components) {
        match memory {
            Some(memory) => memory.data_and_attachment_mut(self.as_context_mut()),
            None => (&mut [], self.attachment()),
        }
    }

    fn call(&mut self, func: SlotFunc, slots: &mut [u64]) -> Result<()> {
        func.call(self, slots)
    }
}

/// What lifting reads from.
pub struct LiftContext<'a> {
    pub(crate) cx: TypeContext<'a>,
    pub(crate) options: Options,
    pub(crate) slots: &'a [u64],
    pub(crate) memory: &'a [u8],
    pub(crate) state: &'a mut Components,
}

impl LiftContext<'_> {
    /// Bytes that an element of a list takes.
    pub fn size_of(&self, ty: InterfaceType) -> usize {
        self.cx.types.shape(ty).size as usize
    }
}

/// What lowering writes to.
pub struct LowerContext<'a> {
    pub(crate) cx: TypeContext<'a>,
    pub(crate) options: Options,
    pub(crate) slots: &'a mut [u64],
    pub(crate) store: &'a mut dyn Access,
}

impl LowerContext<'_> {
    /// Bytes that an element of a list takes.
    pub fn size_of(&self, ty: InterfaceType) -> usize {
        self.cx.types.shape(ty).size as usize
    }
}
