//! The types of component values, interned per component.
//!
//! Types are plain data in one table; a type is named by its index there, and equal
//! types have equal indices. Each entry knows how its values lie in linear memory and
//! how many core values they are (`layout`), so that whoever moves values computes
//! nothing. Resources are named by their place in the component's flat plan: which
//! resource such a place is differs from instance to instance, and is found there.

pub(crate) mod items;
mod layout;
pub(crate) mod matching;
mod public;
pub(crate) mod versions;

pub(crate) use layout::Shape;

use std::collections::HashMap;
use std::ops::Index;

pub use public::{
    Case, Component, ComponentFunc, ComponentInstance, ComponentItem, Enum, Field, FixedLengthList,
    Flags, FutureType, List, Map, Module, OptionType, Record, ResultType, StreamType, Tuple, Type,
    Variant,
};

use crate::fuse::Adapters;

/// The type of a component value.
///
/// Specification: Component Model, "Type Definitions", `defvaltype`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum InterfaceType {
    /// `bool`
    Bool,
    /// `s8`
    S8,
    /// `u8`
    U8,
    /// `s16`
    S16,
    /// `u16`
    U16,
    /// `s32`
    S32,
    /// `u32`
    U32,
    /// `s64`
    S64,
    /// `u64`
    U64,
    /// `f32`
    F32,
    /// `f64`
    F64,
    /// `char`
    Char,
    /// `string`
    String,
    /// `own`: a handle that is its resource's owner.
    Own(ResourceIndex),
    /// `borrow`: a handle that is lent for a call.
    Borrow(ResourceIndex),
    /// `error-context`: a handle to what is known of a failure.
    ErrorContext,
    /// A type with parts, in the table.
    Defined(TypeIndex),
}

/// The place of a type with parts among the types of a component.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct TypeIndex(pub(crate) u32);

/// The place of a resource type among those of the flat plan: those that are imported,
/// and those that each of the nested instances defines.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ResourceIndex(pub(crate) u32);

/// The place of a function type among those of a component.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct FuncIndex(pub(crate) u32);

/// A type with parts.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Defined {
    Record(Box<[(Box<str>, InterfaceType)]>),
    Tuple(Box<[InterfaceType]>),
    Variant(Box<[(Box<str>, Option<InterfaceType>)]>),
    Enum(Box<[Box<str>]>),
    Option(InterfaceType),
    Result {
        ok: Option<InterfaceType>,
        err: Option<InterfaceType>,
    },
    Flags(Box<[Box<str>]>),
    List(InterfaceType),
    /// A list whose length belongs to the type.
    FixedList(InterfaceType, u32),
    /// Lies in memory as a list of pairs.
    Map(InterfaceType, InterfaceType),
    /// A handle to the readable end of a stream, of values if not just of their number.
    Stream(Option<InterfaceType>),
    /// A handle to the readable end of a future.
    Future(Option<InterfaceType>),
}

/// A function type: names and types of parameters, and the type of the result.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct FuncType {
    pub(crate) params: Box<[(Box<str>, InterfaceType)]>,
    pub(crate) result: Option<InterfaceType>,
    /// Whether calls may wait.
    pub(crate) asynchronous: bool,
}

/// Parameters and results of a function as tuples; see [`Types::tuples`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tuples {
    pub(crate) params: TypeIndex,
    pub(crate) results: TypeIndex,
}

/// A core type that a part of a value becomes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Flat {
    I32,
    I64,
    F32,
    F64,
}

/// How the values of a type lie in memory with 32-bit addresses, and as core values.
///
/// Specification: Canonical ABI, "Alignment", "Element Size", "Flattening".
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Layout {
    /// Bytes in memory; a multiple of `align`.
    pub(crate) size: u32,
    /// 1, 2, 4 or 8.
    pub(crate) align: u32,
    /// How many core values a value is. Saturates at [`MANY_FLAT`], for beyond that
    /// values are never passed that way.
    pub(crate) flat: u32,
    /// What these core values are, unless there are too many.
    pub(crate) kinds: Box<[Flat]>,
    /// Of each field, element or case's payload: where it lies, in bytes and in core
    /// values. A list of fixed length has one for its first element.
    pub(crate) parts: Box<[Part]>,
    /// Bytes of the discriminant of a variant, enum, option or result; of a flags type,
    /// bytes of one of its words.
    pub(crate) discriminant: u32,
    /// Whether it is numbers all through, so that every byte pattern is a value and
    /// values may be copied as bytes.
    pub(crate) numbers: bool,
    /// Whether there are borrowed handles in it.
    pub(crate) borrows: bool,
}

/// Where a part of a value lies within it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Part {
    /// From the first byte.
    pub(crate) offset: u32,
    /// From the first core value.
    pub(crate) flat: u32,
}

/// More core values than any call passes.
pub(crate) const MANY_FLAT: u32 = 17;

/// All types of a component.
#[derive(Default, Debug)]
pub(crate) struct Types {
    defined: Vec<(Defined, Layout)>,
    indices: HashMap<Defined, TypeIndex>,
    funcs: Vec<(FuncType, Tuples)>,
    func_indices: HashMap<FuncType, FuncIndex>,
    /// Code for functions of these types.
    pub(crate) adapters: Adapters,
}

impl Types {
    /// The index of a type whose parts are in the table.
    pub(crate) fn intern(&mut self, ty: Defined) -> TypeIndex {
        if let Some(&index) = self.indices.get(&ty) {
            return index;
        }
        let index = TypeIndex(self.defined.len() as u32);
        let layout = self.layout_of(&ty);
        self.defined.push((ty.clone(), layout));
        self.indices.insert(ty, index);
        index
    }

    /// The index of a function type whose parts are in the table.
    pub(crate) fn intern_func(&mut self, ty: FuncType) -> FuncIndex {
        if let Some(&index) = self.func_indices.get(&ty) {
            return index;
        }
        let params = ty.params.iter().map(|(_, ty)| *ty).collect();
        let params = self.intern(Defined::Tuple(params));
        let results = self.intern(Defined::Tuple(ty.result.into_iter().collect()));
        let index = FuncIndex(self.funcs.len() as u32);
        self.funcs.push((ty.clone(), Tuples { params, results }));
        self.func_indices.insert(ty, index);
        index
    }

    /// The table when no more types come: without what finds those that are there.
    pub(crate) fn sealed(self) -> Types {
        Types { indices: HashMap::new(), func_indices: HashMap::new(), ..self }
    }

    /// What a function takes and gives, as the tuples that they are passed like.
    pub(crate) fn tuples(&self, index: FuncIndex) -> Tuples {
        self.funcs[index.0 as usize].1
    }

    /// The layout of a type with parts.
    pub(crate) fn layout(&self, index: TypeIndex) -> &Layout {
        &self.defined[index.0 as usize].1
    }
}

#[cfg(test)]
impl Types {
    /// The same types in a table of their own.
    pub(crate) fn copy(&self) -> Types {
        Types {
            defined: self.defined.clone(),
            indices: self.indices.clone(),
            funcs: self.funcs.clone(),
            func_indices: self.func_indices.clone(),
            adapters: Adapters::default(),
        }
    }
}

impl Index<TypeIndex> for Types {
    type Output = Defined;
    fn index(&self, index: TypeIndex) -> &Defined {
        &self.defined[index.0 as usize].0
    }
}

impl Index<FuncIndex> for Types {
    type Output = FuncType;
    fn index(&self, index: FuncIndex) -> &FuncType {
        &self.funcs[index.0 as usize].0
    }
}
