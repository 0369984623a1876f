//! The types of what can be imported and exported.

use std::fmt::{self, Display, Formatter};

use super::{FuncType, RefType, ValType};
use crate::api::caller::Caller;
use crate::api::externs::{Extern, Global, Memory, Tag};
use crate::api::func::Func;
use crate::api::store::AsContextMut;
use crate::api::table::Table;
use crate::api::val::{Ref, Val};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::types::{self, MemoryType, Mutability};

/// The type of a global.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct GlobalType {
    content: ValType,
    mutability: Mutability,
}

impl GlobalType {
    /// A global type.
    pub fn new(content: ValType, mutability: Mutability) -> GlobalType {
        GlobalType { content, mutability }
    }

    /// The type of the value.
    pub fn content(&self) -> &ValType {
        &self.content
    }

    /// Whether it can be written.
    pub fn mutability(&self) -> Mutability {
        self.mutability
    }

    /// A global of this type with zero or null in it.
    ///
    /// # Errors
    ///
    /// If the type has no such value, and as [`Global::new`].
    pub fn default_value(&self, store: impl AsContextMut) -> Result<Global> {
        let value = self.content.default_value();
        let value = value.ok_or_else(|| no_default(format!("global of type {}", self.content)))?;
        Global::new(store, self.clone(), value)
    }

    pub(crate) fn of(engine: &Engine, ty: types::GlobalType) -> GlobalType {
        GlobalType { content: ValType::of(engine, ty.content()), mutability: ty.mutability() }
    }

    /// The type as it is below the interface.
    pub(crate) fn inner(&self) -> types::GlobalType {
        types::GlobalType::new(self.content.inner(), self.mutability)
    }
}

fn no_default(what: impl Display) -> Error {
    Error::msg(format!("there is no default value for a {what}"))
}

/// The type of a table.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TableType {
    element: RefType,
    /// The same with the elements as they are below the interface.
    inner: types::TableType,
}

impl TableType {
    /// A table with 32-bit indices.
    pub fn new(element: RefType, min: u32, max: Option<u32>) -> TableType {
        let inner = types::TableType::new(element.inner(), min, max);
        TableType { element, inner }
    }

    /// A table with 64-bit indices.
    pub fn new64(element: RefType, min: u64, max: Option<u64>) -> TableType {
        let inner = types::TableType::new64(element.inner(), min, max);
        TableType { element, inner }
    }

    /// The type of the elements.
    pub fn element(&self) -> &RefType {
        &self.element
    }

    /// The initial size in elements.
    pub fn minimum(&self) -> u64 {
        self.inner.minimum()
    }

    /// The largest size in elements, if there is one.
    pub fn maximum(&self) -> Option<u64> {
        self.inner.maximum()
    }

    /// Whether indices are 64 bits wide.
    pub fn is_64(&self) -> bool {
        self.inner.is_64()
    }

    /// A table of this type full of null.
    ///
    /// # Errors
    ///
    /// If the elements cannot be null, and as [`Table::new`].
    pub fn default_value(&self, store: impl AsContextMut) -> Result<Table> {
        if !self.element.is_nullable() {
            return Err(no_default(format!("table of {}", self.element)));
        }
        Table::new(store, self.clone(), Ref::null(self.element.heap_type()))
    }

    pub(crate) fn of(engine: &Engine, inner: types::TableType) -> TableType {
        TableType { element: RefType::of(engine, inner.element()), inner }
    }

    /// The type as it is below the interface.
    pub(crate) fn inner(&self) -> types::TableType {
        self.inner
    }
}

/// The type of an exception tag.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TagType {
    func: FuncType,
}

impl TagType {
    /// A tag whose payload is the function type's parameters.
    pub fn new(ty: FuncType) -> TagType {
        TagType { func: ty }
    }

    /// The function type whose parameters are the payload.
    pub fn ty(&self) -> &FuncType {
        &self.func
    }

    /// A tag of this type.
    ///
    /// # Errors
    ///
    /// As [`Tag::new`].
    pub fn default_value(&self, store: impl AsContextMut) -> Result<Tag> {
        Tag::new(store, self)
    }

    pub(crate) fn of(engine: &Engine, ty: types::TagType) -> TagType {
        TagType { func: FuncType::of(engine, ty.ty().clone()) }
    }
}

impl FuncType {
    /// A function of this type that gives zeros and nulls.
    ///
    /// # Errors
    ///
    /// If a result has no such value, or the type is of another engine than the store.
    pub fn default_value<S: AsContextMut<Data: 'static>>(&self, store: S) -> Result<Func> {
        let values: Option<Vec<Val>> = self.results().map(|ty| Val::default_for_ty(&ty)).collect();
        let values = values.ok_or_else(|| no_default(self))?;
        let give = move |_: Caller<'_, S::Data>, _: &[Val], results: &mut [Val]| {
            results.copy_from_slice(&values);
            Ok(())
        };
        Func::try_new(store, self.clone(), give)
    }
}

impl MemoryType {
    /// A memory of this type.
    ///
    /// # Errors
    ///
    /// As [`Memory::new`].
    pub fn default_value(&self, store: impl AsContextMut) -> Result<Extern> {
        #[cfg(feature = "threads")]
        if self.is_shared() {
            let engine = store.as_context().engine().clone();
            return Ok(crate::SharedMemory::new(&engine, *self)?.into());
        }
        Memory::new(store, *self).map(Extern::Memory)
    }
}

/// The type of something imported or exported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExternType {
    /// A function.
    Func(FuncType),
    /// A global.
    Global(GlobalType),
    /// A table.
    Table(TableType),
    /// A memory.
    Memory(MemoryType),
    /// An exception tag.
    Tag(TagType),
}

macro_rules! accessors {
    ($($variant:ident $ty:ident $get:ident $unwrap:ident $what:literal;)*) => {
        impl ExternType {
            $(
                #[doc = concat!("The type of the ", $what, ", if it is one.")]
                pub fn $get(&self) -> Option<&$ty> {
                    match self {
                        ExternType::$variant(ty) => Some(ty),
                        _ => None,
                    }
                }

                #[doc = concat!("The type of the ", $what, ".")]
                ///
                /// # Panics
                ///
                /// If it is something else.
                #[track_caller]
                pub fn $unwrap(&self) -> &$ty {
                    self.$get().expect(concat!("the type is that of a ", $what))
                }
            )*
        }

        $(
            impl From<$ty> for ExternType {
                fn from(ty: $ty) -> ExternType {
                    ExternType::$variant(ty)
                }
            }
        )*
    };
}

accessors! {
    Func FuncType func unwrap_func "function";
    Global GlobalType global unwrap_global "global";
    Table TableType table unwrap_table "table";
    Memory MemoryType memory unwrap_memory "memory";
    Tag TagType tag unwrap_tag "tag";
}

impl ExternType {
    /// Something of this type: memories of zeros, tables of null, functions that give
    /// these.
    ///
    /// # Errors
    ///
    /// If there is nothing of the kind, or a limit does not allow it.
    pub fn default_value<S: AsContextMut<Data: 'static>>(&self, store: S) -> Result<Extern> {
        Ok(match self {
            ExternType::Func(ty) => ty.default_value(store)?.into(),
            ExternType::Global(ty) => ty.default_value(store)?.into(),
            ExternType::Table(ty) => ty.default_value(store)?.into(),
            ExternType::Memory(ty) => ty.default_value(store)?,
            ExternType::Tag(ty) => ty.default_value(store)?.into(),
        })
    }

    pub(crate) fn of(engine: &Engine, ty: types::ExternType) -> ExternType {
        match ty {
            types::ExternType::Func(ty) => FuncType::of(engine, ty).into(),
            types::ExternType::Table(ty) => TableType::of(engine, ty).into(),
            types::ExternType::Memory(ty) => ty.into(),
            types::ExternType::Global(ty) => GlobalType::of(engine, ty).into(),
            types::ExternType::Tag(ty) => TagType::of(engine, ty).into(),
        }
    }

    /// The type as it is below the interface.
    fn inner(&self) -> types::ExternType {
        match self {
            ExternType::Func(ty) => types::ExternType::Func(ty.inner().clone()),
            ExternType::Table(ty) => types::ExternType::Table(ty.inner()),
            ExternType::Memory(ty) => types::ExternType::Memory(*ty),
            ExternType::Global(ty) => types::ExternType::Global(ty.inner()),
            ExternType::Tag(ty) => {
                types::ExternType::Tag(types::TagType::new(ty.ty().inner().clone()))
            }
        }
    }
}

macro_rules! shown {
    ($($ty:ident)*) => {$(
        impl Display for $ty {
            fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
                self.inner().fmt(f)
            }
        }
    )*};
}
shown!(GlobalType TableType ExternType);

impl Display for TagType {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        types::TagType::new(self.func.inner().clone()).fmt(f)
    }
}
