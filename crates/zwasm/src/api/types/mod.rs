//! The types of WebAssembly as embedders see them.
//!
//! They have wasmtime's names and shape. Below the interface a type is a small value that
//! names defined types by number ([`crate::types`]); here one that names a defined type
//! holds it, so that it stays defined, and with it its engine.

mod composite;
mod func;
mod heap;
mod items;

pub use composite::{ArrayType, ExnType, FieldType, Finality, StorageType, StructType};
pub use func::FuncType;
pub use heap::HeapType;
pub use items::{ExternType, GlobalType, TableType, TagType};

use std::fmt::{self, Display, Formatter};

use super::val::Val;
use crate::engine::Engine;
use crate::types;

/// The type of a value.
///
/// Two types are equal if they are the same type; [`ValType::matches`] is subtyping.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ValType {
    /// A 32-bit integer.
    I32,
    /// A 64-bit integer.
    I64,
    /// A 32-bit float.
    F32,
    /// A 64-bit float.
    F64,
    /// A 128-bit vector.
    V128,
    /// A reference.
    Ref(RefType),
}

/// The type of a reference.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RefType {
    nullable: bool,
    heap_type: HeapType,
}

macro_rules! abstract_references {
    ($($name:ident $heap:ident $text:literal;)*) => {
        impl ValType {
            $(#[doc = $text] pub const $name: ValType = ValType::Ref(RefType::$name);)*
        }

        impl RefType {
            $(
                #[doc = $text]
                pub const $name: RefType = RefType { nullable: true, heap_type: HeapType::$heap };
            )*
        }
    };
}

abstract_references! {
    EXTERNREF Extern "`externref`, that is `(ref null extern)`.";
    NULLEXTERNREF NoExtern "`nullexternref`, that is `(ref null noextern)`.";
    FUNCREF Func "`funcref`, that is `(ref null func)`.";
    NULLFUNCREF NoFunc "`nullfuncref`, that is `(ref null nofunc)`.";
    ANYREF Any "`anyref`, that is `(ref null any)`.";
    EQREF Eq "`eqref`, that is `(ref null eq)`.";
    I31REF I31 "`i31ref`, that is `(ref null i31)`.";
    ARRAYREF Array "`arrayref`, that is `(ref null array)`.";
    STRUCTREF Struct "`structref`, that is `(ref null struct)`.";
    NULLREF None "`nullref`, that is `(ref null none)`.";
    EXNREF Exn "`exnref`, that is `(ref null exn)`.";
    NULLEXNREF NoExn "`nullexnref`, that is `(ref null noexn)`.";
}

impl ValType {
    /// Whether this is an integer or a float, but no vector.
    pub fn is_num(&self) -> bool {
        matches!(self, ValType::I32 | ValType::I64 | ValType::F32 | ValType::F64)
    }

    /// Whether this is an integer, a float or a vector.
    pub fn is_numeric(&self) -> bool {
        !self.is_ref()
    }

    /// Whether this is `i32`.
    pub fn is_i32(&self) -> bool {
        matches!(self, ValType::I32)
    }

    /// Whether this is `i64`.
    pub fn is_i64(&self) -> bool {
        matches!(self, ValType::I64)
    }

    /// Whether this is `f32`.
    pub fn is_f32(&self) -> bool {
        matches!(self, ValType::F32)
    }

    /// Whether this is `f64`.
    pub fn is_f64(&self) -> bool {
        matches!(self, ValType::F64)
    }

    /// Whether this is `v128`.
    pub fn is_v128(&self) -> bool {
        matches!(self, ValType::V128)
    }

    /// Whether this is a reference.
    pub fn is_ref(&self) -> bool {
        matches!(self, ValType::Ref(_))
    }

    /// Whether this is exactly `funcref`.
    pub fn is_funcref(&self) -> bool {
        *self == ValType::FUNCREF
    }

    /// Whether this is exactly `externref`.
    pub fn is_externref(&self) -> bool {
        *self == ValType::EXTERNREF
    }

    /// Whether this is exactly `anyref`.
    pub fn is_anyref(&self) -> bool {
        *self == ValType::ANYREF
    }

    /// The reference type, if it is one.
    pub fn as_ref(&self) -> Option<&RefType> {
        match self {
            ValType::Ref(ty) => Some(ty),
            _ => None,
        }
    }

    /// The reference type.
    ///
    /// # Panics
    ///
    /// If it is none.
    #[track_caller]
    pub fn unwrap_ref(&self) -> &RefType {
        self.as_ref().expect("the type is one of references")
    }

    /// Whether every value of this type is one of the other: subtyping.
    pub fn matches(&self, other: &ValType) -> bool {
        match (self, other) {
            (ValType::Ref(a), ValType::Ref(b)) => a.matches(b),
            _ => self == other,
        }
    }

    /// Zero or null, if it is a value of the type.
    pub fn default_value(&self) -> Option<Val> {
        Val::default_for_ty(self)
    }

    pub(crate) fn of(engine: &Engine, ty: types::ValType) -> ValType {
        match ty {
            types::ValType::I32 => ValType::I32,
            types::ValType::I64 => ValType::I64,
            types::ValType::F32 => ValType::F32,
            types::ValType::F64 => ValType::F64,
            types::ValType::V128 => ValType::V128,
            types::ValType::Ref(ty) => ValType::Ref(RefType::of(engine, ty)),
        }
    }

    /// The type as it is below the interface.
    pub(crate) fn inner(&self) -> types::ValType {
        match self {
            ValType::I32 => types::ValType::I32,
            ValType::I64 => types::ValType::I64,
            ValType::F32 => types::ValType::F32,
            ValType::F64 => types::ValType::F64,
            ValType::V128 => types::ValType::V128,
            ValType::Ref(ty) => types::ValType::Ref(ty.inner()),
        }
    }
}

impl RefType {
    /// A reference to `heap_type`, perhaps null.
    pub fn new(is_nullable: bool, heap_type: HeapType) -> RefType {
        RefType { nullable: is_nullable, heap_type }
    }

    /// Whether null is a value of this type.
    pub fn is_nullable(&self) -> bool {
        self.nullable
    }

    /// What is referred to.
    pub fn heap_type(&self) -> &HeapType {
        &self.heap_type
    }

    /// Whether every reference of this type is one of the other: subtyping.
    pub fn matches(&self, other: &RefType) -> bool {
        (other.nullable || !self.nullable) && self.heap_type.matches(&other.heap_type)
    }

    pub(crate) fn of(engine: &Engine, ty: types::RefType) -> RefType {
        RefType { nullable: ty.is_nullable(), heap_type: HeapType::of(engine, ty.heap_type()) }
    }

    /// The type as it is below the interface.
    pub(crate) fn inner(&self) -> types::RefType {
        types::RefType::new(self.nullable, self.heap_type.inner())
    }
}

impl From<RefType> for ValType {
    fn from(ty: RefType) -> ValType {
        ValType::Ref(ty)
    }
}

impl Display for RefType {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.inner().fmt(f)
    }
}

impl Display for ValType {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.inner().fmt(f)
    }
}
