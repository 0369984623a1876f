//! References that can be compared.

use super::anyref::{AnyRef, casts};
use super::arrayref::ArrayRef;
use super::i31::I31;
use super::rooted::{Handle, OwnedRooted, Rooted, gc_ref};
use super::structref::StructRef;
use super::{is_object, shown_type};
use crate::api::store::{AsContext, AsContextMut};
use crate::api::types::HeapType;
use crate::error::Result;
use zwasm_regir::object::{Kind, is_i31};

gc_ref! {
    /// A value that can be compared: a structure, an array or an integer.
    EqRef Eq
}

casts!(EqRef);

/// A reference as one to values of which it is one.
macro_rules! widen {
    ($($from:ident $method:ident $to:ident;)*) => {$(
        impl Rooted<$from> {
            #[doc = concat!("The same reference as an [`", stringify!($to), "`].")]
            pub fn $method(self) -> Rooted<$to> {
                self.cast()
            }
        }

        impl OwnedRooted<$from> {
            #[doc = concat!("The same reference as an [`", stringify!($to), "`].")]
            pub fn $method(self) -> OwnedRooted<$to> {
                self.cast()
            }
        }
    )*};
}

widen! {
    EqRef to_anyref AnyRef;
    StructRef to_anyref AnyRef;
    StructRef to_eqref EqRef;
    ArrayRef to_anyref AnyRef;
    ArrayRef to_eqref EqRef;
}
