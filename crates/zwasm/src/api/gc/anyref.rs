//! References to values internal to the guest.

use super::arrayref::ArrayRef;
use super::eqref::EqRef;
use super::externref::ExternRef;
use super::i31::I31;
use super::rooted::{Handle, OwnedRooted, Rooted, gc_ref};
use super::structref::StructRef;
use super::{is_object, shown_type};
use crate::api::store::{AsContext, AsContextMut};
use crate::api::types::HeapType;
use crate::error::Result;
use zwasm_regir::object::{Kind, is_i31};

gc_ref! {
    /// A value internal to the guest: a structure, an array, an integer, or a value of the
    /// host that was converted to one of the guest.
    AnyRef Any
}

/// What [`AnyRef`] and [`EqRef`] can be asked.
macro_rules! casts {
    ($name:ident) => {
        impl $name {
            /// `ref.i31`: an integer.
            pub fn from_i31(mut store: impl AsContextMut, value: I31) -> Rooted<Self> {
                let core = store.as_context_mut().core();
                // SAFETY: the context is exclusive, and integers are references of any heap.
                Rooted::of(unsafe { Handle::new(core, value.reference()) })
            }

            /// The exact type of what is referred to.
            ///
            /// # Errors
            ///
            /// If the reference's scope has ended or it is of another store; likewise below.
            pub fn ty(&self, store: impl AsContext) -> Result<HeapType> {
                let core = store.as_context().core();
                let reference = self.0.get(core)?;
                // SAFETY: the store is borrowed, and the reference one of its heap.
                Ok(unsafe { shown_type(core, reference) })
            }

            /// Whether what is referred to is of a type.
            ///
            /// # Errors
            ///
            /// Likewise.
            pub fn matches_ty(&self, store: impl AsContext, ty: &HeapType) -> Result<bool> {
                Ok(self.ty(store)?.matches(ty))
            }

            /// Whether this is an integer.
            ///
            /// # Errors
            ///
            /// Likewise.
            pub fn is_i31(&self, store: impl AsContext) -> Result<bool> {
                Ok(is_i31(self.0.get(store.as_context().core())? as u32))
            }

            /// The integer, if this is one.
            ///
            /// # Errors
            ///
            /// Likewise.
            pub fn as_i31(&self, store: impl AsContext) -> Result<Option<I31>> {
                let reference = self.0.get(store.as_context().core())?;
                Ok(is_i31(reference as u32).then(|| I31::of(reference)))
            }

            /// The integer.
            ///
            /// # Errors
            ///
            /// Likewise.
            ///
            /// # Panics
            ///
            /// If it is none, too; likewise below.
            #[track_caller]
            pub fn unwrap_i31(&self, store: impl AsContext) -> Result<I31> {
                Ok(self.as_i31(store)?.expect("the reference is an i31"))
            }

            fn is_kind(&self, store: impl AsContext, kind: Kind) -> Result<bool> {
                let core = store.as_context().core();
                let reference = self.0.get(core)?;
                // SAFETY: the store is borrowed, and the reference one of its heap.
                Ok(unsafe { is_object(core, reference, kind) })
            }

            /// Whether this is a structure.
            ///
            /// # Errors
            ///
            /// Likewise.
            pub fn is_struct(&self, store: impl AsContext) -> Result<bool> {
                self.is_kind(store, Kind::Struct)
            }

            /// The structure, if this is one.
            ///
            /// # Errors
            ///
            /// Likewise.
            pub fn as_struct(&self, store: impl AsContext) -> Result<Option<Rooted<StructRef>>> {
                Ok(self.is_struct(store)?.then(|| Rooted::of(self.0)))
            }

            /// The structure.
            ///
            /// # Errors
            ///
            /// Likewise.
            #[track_caller]
            pub fn unwrap_struct(&self, store: impl AsContext) -> Result<Rooted<StructRef>> {
                Ok(self.as_struct(store)?.expect("the reference is to a structure"))
            }

            /// Whether this is an array.
            ///
            /// # Errors
            ///
            /// Likewise.
            pub fn is_array(&self, store: impl AsContext) -> Result<bool> {
                self.is_kind(store, Kind::Array)
            }

            /// The array, if this is one.
            ///
            /// # Errors
            ///
            /// Likewise.
            pub fn as_array(&self, store: impl AsContext) -> Result<Option<Rooted<ArrayRef>>> {
                Ok(self.is_array(store)?.then(|| Rooted::of(self.0)))
            }

            /// The array.
            ///
            /// # Errors
            ///
            /// Likewise.
            #[track_caller]
            pub fn unwrap_array(&self, store: impl AsContext) -> Result<Rooted<ArrayRef>> {
                Ok(self.as_array(store)?.expect("the reference is to an array"))
            }
        }
    };
}
pub(super) use casts;

casts!(AnyRef);

impl AnyRef {
    /// `any.convert_extern`: a value of the host as one of the guest.
    ///
    /// # Errors
    ///
    /// If the reference's scope has ended or it is of another store; likewise below.
    pub fn convert_extern(
        mut store: impl AsContextMut,
        externref: Rooted<ExternRef>,
    ) -> Result<Rooted<AnyRef>> {
        externref.handle().get(store.as_context_mut().core())?;
        Ok(externref.cast())
    }

    /// Whether this is no value of the host: what can be compared.
    ///
    /// # Errors
    ///
    /// Likewise.
    pub fn is_eqref(&self, store: impl AsContext) -> Result<bool> {
        Ok(!self.is_kind(store, Kind::Extern)?)
    }

    /// The same reference, if it can be compared.
    ///
    /// # Errors
    ///
    /// Likewise.
    pub fn as_eqref(&self, mut store: impl AsContextMut) -> Result<Option<Rooted<EqRef>>> {
        Ok(self.is_eqref(store.as_context_mut())?.then(|| Rooted::of(self.0)))
    }

    /// The same reference, which can be compared.
    ///
    /// # Errors
    ///
    /// Likewise.
    ///
    /// # Panics
    ///
    /// If it cannot, too.
    #[track_caller]
    pub fn unwrap_eqref(&self, store: impl AsContextMut) -> Result<Rooted<EqRef>> {
        Ok(self.as_eqref(store)?.expect("the reference can be compared"))
    }
}

impl Rooted<AnyRef> {
    /// `extern.convert_any`: the same value as an external reference.
    pub fn to_extern(self) -> Rooted<ExternRef> {
        self.cast()
    }
}

/// References of a type are also ones of those above it.
macro_rules! upcasts {
    ($($from:ident => $to:ident;)*) => {$(
        impl From<Rooted<$from>> for Rooted<$to> {
            fn from(reference: Rooted<$from>) -> Self {
                reference.cast()
            }
        }

        impl From<OwnedRooted<$from>> for OwnedRooted<$to> {
            fn from(reference: OwnedRooted<$from>) -> Self {
                reference.cast()
            }
        }
    )*};
}

upcasts! {
    EqRef => AnyRef;
    StructRef => AnyRef;
    ArrayRef => AnyRef;
    StructRef => EqRef;
    ArrayRef => EqRef;
}

/// References as numbers, as embedders of C keep them.
macro_rules! numbers {
    ($name:ident) => {
        impl $name {
            /// The reference as a number, which keeps nothing: good until the next collection. Null
            /// is 0.
            ///
            /// # Errors
            ///
            /// If the reference's scope has ended or it is of another store.
            pub fn to_raw(&self, mut store: impl AsContextMut) -> Result<u32> {
                let core = store.as_context_mut().core();
                let reference = self.0.get(core)?;
                if !is_i31(reference as u32) {
                    // SAFETY: the context is exclusive, and what is rooted is an object. The heap need
                    // not have noted yet where one starts that the guest has made.
                    unsafe { (*core).gc.heap.set_start(reference as usize) };
                }
                Ok(reference as u32)
            }

            /// The reference that a number is. Nothing for null, and for what no object has as its
            /// number; one whose object is gone may be another object's.
            pub fn from_raw(mut store: impl AsContextMut, raw: u32) -> Option<Rooted<Self>> {
                let core = store.as_context_mut().core();
                // SAFETY: the context is exclusive, and what is rooted is a reference of its heap.
                unsafe {
                    let is_one = is_i31(raw) || (*core).gc.heap.is_object(raw.into());
                    is_one.then(|| Rooted::of(Handle::new(core, raw.into())))
                }
            }
        }
    };
}
pub(super) use numbers;

numbers!(AnyRef);
