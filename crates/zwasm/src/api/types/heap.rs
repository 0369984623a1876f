//! What references refer to.

use std::fmt::{self, Display, Formatter};

use super::composite::{ArrayType, ExnType, StructType};
use super::func::FuncType;
use crate::engine::Engine;
use crate::types::{self, Composite, abstract_matches};

/// What a reference refers to.
///
/// ```
/// use zwasm::{Engine, FuncType, HeapType};
/// let engine = Engine::default();
/// let ty = HeapType::ConcreteFunc(FuncType::new(&engine, [], []));
/// assert!(ty.matches(&HeapType::Func));
/// assert!(HeapType::NoFunc.matches(&ty));
/// assert!(matches!(ty.top(), HeapType::Func));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum HeapType {
    /// Any value of the host, or one of the guest's as one of the host.
    Extern,
    /// No value of the host: only null.
    NoExtern,
    /// Any function.
    Func,
    /// Functions of a type.
    ConcreteFunc(FuncType),
    /// No function: only null.
    NoFunc,
    /// Any value internal to WebAssembly.
    Any,
    /// Values that can be compared.
    Eq,
    /// Unboxed 31-bit integers.
    I31,
    /// Any array.
    Array,
    /// Arrays of a type.
    ConcreteArray(ArrayType),
    /// Any structure.
    Struct,
    /// Structures of a type.
    ConcreteStruct(StructType),
    /// Any exception.
    Exn,
    /// Exceptions with values of some types.
    ConcreteExn(ExnType),
    /// No exception: only null.
    NoExn,
    /// No internal value: only null.
    None,
}

macro_rules! concrete {
    ($($variant:ident $ty:ident $is:ident $as:ident $unwrap:ident $what:literal;)*) => {
        impl HeapType {
            $(
                #[doc = concat!("Whether this is ", $what, " of a type.")]
                pub fn $is(&self) -> bool {
                    matches!(self, HeapType::$variant(_))
                }

                #[doc = concat!("The type, if this is ", $what, " of a type.")]
                pub fn $as(&self) -> Option<&$ty> {
                    match self {
                        HeapType::$variant(ty) => Some(ty),
                        _ => None,
                    }
                }

                #[doc = concat!("The type of ", $what, ".")]
                ///
                /// # Panics
                ///
                /// If it is something else.
                #[track_caller]
                pub fn $unwrap(&self) -> &$ty {
                    self.$as().expect(concat!("the heap type is ", $what, " of a type"))
                }
            )*
        }

        $(
            impl From<$ty> for HeapType {
                fn from(ty: $ty) -> HeapType {
                    HeapType::$variant(ty)
                }
            }
        )*
    };
}

concrete! {
    ConcreteFunc FuncType is_concrete_func as_concrete_func unwrap_concrete_func "functions";
    ConcreteArray ArrayType is_concrete_array as_concrete_array unwrap_concrete_array "arrays";
    ConcreteStruct StructType is_concrete_struct as_concrete_struct unwrap_concrete_struct "structures";
    ConcreteExn ExnType is_concrete_exn as_concrete_exn unwrap_concrete_exn "exceptions";
}

macro_rules! tests {
    ($($name:ident $variant:ident;)*) => {
        impl HeapType {
            $(
                #[doc = concat!("Whether this is [`HeapType::", stringify!($variant), "`].")]
                pub fn $name(&self) -> bool {
                    matches!(self, HeapType::$variant)
                }
            )*
        }
    };
}

tests! {
    is_extern Extern;
    is_func Func;
    is_no_func NoFunc;
    is_any Any;
    is_i31 I31;
    is_none None;
    is_exn Exn;
    is_no_exn NoExn;
}

impl HeapType {
    /// Whether this names no defined type.
    pub fn is_abstract(&self) -> bool {
        !self.is_concrete()
    }

    /// Whether this names a defined type.
    pub fn is_concrete(&self) -> bool {
        self.engine().is_some()
    }

    /// The type that all references to this and related types have in common:
    /// `Func`, `Extern`, `Any` or `Exn`.
    pub fn top(&self) -> HeapType {
        match self {
            HeapType::Func | HeapType::ConcreteFunc(_) | HeapType::NoFunc => HeapType::Func,
            HeapType::Extern | HeapType::NoExtern => HeapType::Extern,
            HeapType::Exn | HeapType::ConcreteExn(_) | HeapType::NoExn => HeapType::Exn,
            HeapType::Any
            | HeapType::Eq
            | HeapType::I31
            | HeapType::Array
            | HeapType::ConcreteArray(_)
            | HeapType::Struct
            | HeapType::ConcreteStruct(_)
            | HeapType::None => HeapType::Any,
        }
    }

    /// Whether this is one of the types that [`HeapType::top`] gives.
    pub fn is_top(&self) -> bool {
        matches!(self, HeapType::Any | HeapType::Extern | HeapType::Func | HeapType::Exn)
    }

    /// The type whose only value is the null of this and related types.
    pub fn bottom(&self) -> HeapType {
        match self.top() {
            HeapType::Func => HeapType::NoFunc,
            HeapType::Extern => HeapType::NoExtern,
            HeapType::Exn => HeapType::NoExn,
            _ => HeapType::None,
        }
    }

    /// Whether this is one of the types that [`HeapType::bottom`] gives.
    pub fn is_bottom(&self) -> bool {
        matches!(self, HeapType::None | HeapType::NoExtern | HeapType::NoFunc | HeapType::NoExn)
    }

    /// Whether all that this type is of is of the other, too: subtyping. Types of different
    /// engines have nothing in common.
    pub fn matches(&self, other: &HeapType) -> bool {
        match (self, other) {
            // Exceptions of a type are no defined type of the engine.
            (HeapType::ConcreteExn(a), HeapType::ConcreteExn(b)) => a.matches(b),
            (HeapType::NoExn, HeapType::ConcreteExn(_)) => true,
            (_, HeapType::ConcreteExn(_)) => false,
            _ => match self.engine().or(other.engine()) {
                Some(engine) => engine.types().read().heap_matches(self.inner(), other.inner()),
                None => abstract_matches(self.inner(), other.inner()),
            },
        }
    }

    /// The engine of the defined type that this names.
    pub(crate) fn engine(&self) -> Option<&Engine> {
        match self {
            HeapType::ConcreteFunc(ty) => Some(ty.engine()),
            HeapType::ConcreteArray(ty) => Some(ty.engine()),
            HeapType::ConcreteStruct(ty) => Some(ty.engine()),
            HeapType::ConcreteExn(ty) => Some(ty.engine()),
            _ => None,
        }
    }

    pub(crate) fn of(engine: &Engine, ty: types::HeapType) -> HeapType {
        match ty {
            types::HeapType::Func => HeapType::Func,
            types::HeapType::NoFunc => HeapType::NoFunc,
            types::HeapType::Extern => HeapType::Extern,
            types::HeapType::NoExtern => HeapType::NoExtern,
            types::HeapType::Any => HeapType::Any,
            types::HeapType::Eq => HeapType::Eq,
            types::HeapType::I31 => HeapType::I31,
            types::HeapType::Struct => HeapType::Struct,
            types::HeapType::Array => HeapType::Array,
            types::HeapType::None => HeapType::None,
            types::HeapType::Exn => HeapType::Exn,
            types::HeapType::NoExn => HeapType::NoExn,
            types::HeapType::Concrete(defined) => {
                let types = engine.types().read();
                let composite = types.definition(defined).cloned();
                let found = composite.zip(types.id(defined));
                drop(types);
                match found {
                    Some((Composite::Func(_), id)) => {
                        HeapType::ConcreteFunc(FuncType::of(engine, engine.types().func_type(id)))
                    }
                    Some((Composite::Struct(_), id)) => {
                        StructType::of(engine, id).map_or(HeapType::None, HeapType::ConcreteStruct)
                    }
                    Some((Composite::Array(_), id)) => {
                        ArrayType::of(engine, id).map_or(HeapType::None, HeapType::ConcreteArray)
                    }
                    // Nothing is of a type that is gone.
                    None => HeapType::None,
                }
            }
        }
    }

    /// The type as it is below the interface, where all exceptions are of one type.
    pub(crate) fn inner(&self) -> types::HeapType {
        match self {
            HeapType::Extern => types::HeapType::Extern,
            HeapType::NoExtern => types::HeapType::NoExtern,
            HeapType::Func => types::HeapType::Func,
            HeapType::ConcreteFunc(ty) => ty.heap_type(),
            HeapType::NoFunc => types::HeapType::NoFunc,
            HeapType::Any => types::HeapType::Any,
            HeapType::Eq => types::HeapType::Eq,
            HeapType::I31 => types::HeapType::I31,
            HeapType::Array => types::HeapType::Array,
            HeapType::ConcreteArray(ty) => ty.heap_type(),
            HeapType::Struct => types::HeapType::Struct,
            HeapType::ConcreteStruct(ty) => ty.heap_type(),
            HeapType::Exn | HeapType::ConcreteExn(_) => types::HeapType::Exn,
            HeapType::NoExn => types::HeapType::NoExn,
            HeapType::None => types::HeapType::None,
        }
    }
}

impl Display for HeapType {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.inner().fmt(f)
    }
}
