//! Values as the API passes them.

use super::exception::ExnRef;
use super::func::Func;
use super::gc;
use super::gc::anyref::AnyRef;
use super::gc::arrayref::ArrayRef;
use super::gc::eqref::EqRef;
use super::gc::externref::ExternRef;
use super::gc::rooted::{Handle, Rooted};
use super::gc::structref::StructRef;
use super::store::AsContext;
use super::types::{HeapType, RefType, ValType};
use super::v128::V128;
use crate::error::{Error, Result};
use crate::store::StoreCore;
use crate::types;

/// A value of the guest.
///
/// ```
/// use zwasm::Val;
/// assert_eq!(Val::from(7i64).i64(), Some(7));
/// assert_eq!(Val::F32(1.5f32.to_bits()).f32(), Some(1.5));
/// ```
#[derive(Clone, Copy, Debug)]
pub enum Val {
    /// A 32-bit integer.
    I32(i32),
    /// A 64-bit integer.
    I64(i64),
    /// The bits of a 32-bit float.
    F32(u32),
    /// The bits of a 64-bit float.
    F64(u64),
    /// A vector.
    V128(V128),
    /// A function reference or null.
    FuncRef(Option<Func>),
    /// A reference to a value of the host, or null.
    ExternRef(Option<Rooted<ExternRef>>),
    /// A reference to a value internal to the guest, or null.
    AnyRef(Option<Rooted<AnyRef>>),
    /// A reference to an exception, or null.
    ExnRef(Option<Rooted<ExnRef>>),
}

/// A reference of the guest.
#[derive(Clone, Copy, Debug)]
pub enum Ref {
    /// A function reference or null.
    Func(Option<Func>),
    /// A reference to a value of the host, or null.
    Extern(Option<Rooted<ExternRef>>),
    /// A reference to a value internal to the guest, or null.
    Any(Option<Rooted<AnyRef>>),
    /// A reference to an exception, or null.
    Exn(Option<Rooted<ExnRef>>),
}

/// Accessors of values: the value if it is of a kind, and the value or a panic.
macro_rules! numbers {
    ($($get:ident $unwrap:ident $ty:ty, $what:literal, $pattern:pat => $value:expr;)*) => {
        impl Val {
            $(
                #[doc = concat!("The value, if it is ", $what, ".")]
                pub fn $get(&self) -> Option<$ty> {
                    match *self {
                        $pattern => Some($value),
                        _ => None,
                    }
                }

                #[doc = concat!("The value, which is ", $what, ".")]
                ///
                /// # Panics
                ///
                /// If it is not.
                #[track_caller]
                pub fn $unwrap(&self) -> $ty {
                    self.$get().expect(concat!("expected ", $what))
                }
            )*
        }
    };
}

numbers! {
    i32 unwrap_i32 i32, "an i32", Val::I32(value) => value;
    i64 unwrap_i64 i64, "an i64", Val::I64(value) => value;
    f32 unwrap_f32 f32, "an f32", Val::F32(bits) => f32::from_bits(bits);
    f64 unwrap_f64 f64, "an f64", Val::F64(bits) => f64::from_bits(bits);
    v128 unwrap_v128 V128, "a v128", Val::V128(vector) => vector;
}

macro_rules! references {
    ($of:ident: $($get:ident $unwrap:ident $variant:ident $ty:ty, $what:literal;)*) => {
        impl $of {
            $(
                #[doc = concat!("The reference, if it is ", $what, " or its null.")]
                pub fn $get(&self) -> Option<Option<&$ty>> {
                    match self {
                        $of::$variant(reference) => Some(reference.as_ref()),
                        _ => None,
                    }
                }

                #[doc = concat!("The reference, which is ", $what, " or its null.")]
                ///
                /// # Panics
                ///
                /// If it is not.
                #[track_caller]
                pub fn $unwrap(&self) -> Option<&$ty> {
                    self.$get().expect(concat!("expected ", $what))
                }
            )*
        }
    };
}

references! { Val:
    funcref unwrap_funcref FuncRef Func, "a funcref";
    externref unwrap_externref ExternRef Rooted<ExternRef>, "an externref";
    anyref unwrap_anyref AnyRef Rooted<AnyRef>, "an anyref";
    exnref unwrap_exnref ExnRef Rooted<ExnRef>, "an exnref";
}

// Wasmtime has these by two names.
references! { Val:
    func_ref unwrap_func_ref FuncRef Func, "a funcref";
    extern_ref unwrap_extern_ref ExternRef Rooted<ExternRef>, "an externref";
    any_ref unwrap_any_ref AnyRef Rooted<AnyRef>, "an anyref";
}

references! { Ref:
    as_func unwrap_func Func Func, "a function reference";
    as_extern unwrap_extern Extern Rooted<ExternRef>, "an external reference";
    as_any unwrap_any Any Rooted<AnyRef>, "an internal reference";
    as_exn unwrap_exn Exn Rooted<ExnRef>, "an exception reference";
}

impl Ref {
    /// The null of a heap type.
    pub fn null(heap_type: &HeapType) -> Ref {
        match heap_type.top() {
            HeapType::Func => Ref::Func(None),
            HeapType::Extern => Ref::Extern(None),
            HeapType::Exn => Ref::Exn(None),
            _ => Ref::Any(None),
        }
    }

    /// Whether this is null.
    pub fn is_null(&self) -> bool {
        matches!(self, Ref::Func(None) | Ref::Extern(None) | Ref::Any(None) | Ref::Exn(None))
    }

    /// Whether this is not null.
    pub fn is_non_null(&self) -> bool {
        !self.is_null()
    }

    /// Whether this is a function reference or its null.
    pub fn is_func(&self) -> bool {
        matches!(self, Ref::Func(_))
    }

    /// Whether this is an external reference or its null.
    pub fn is_extern(&self) -> bool {
        matches!(self, Ref::Extern(_))
    }

    /// Whether this is an internal reference or its null.
    pub fn is_any(&self) -> bool {
        matches!(self, Ref::Any(_))
    }

    /// Whether this is an exception reference or its null.
    pub fn is_exn(&self) -> bool {
        matches!(self, Ref::Exn(_))
    }

    /// The exact type: of null, the one with no other value.
    ///
    /// # Errors
    ///
    /// If the reference's scope has ended or it is of another store; likewise below.
    pub fn ty(&self, store: impl AsContext) -> Result<RefType> {
        let store = store.as_context();
        Ok(match self {
            Ref::Func(None) => RefType::NULLFUNCREF,
            Ref::Extern(None) => RefType::NULLEXTERNREF,
            Ref::Any(None) => RefType::NULLREF,
            Ref::Exn(None) => RefType::NULLEXNREF,
            Ref::Func(Some(func)) => {
                let id = func.0.of(&store)?.ty;
                let ty = store.engine().types().heap_type(id);
                RefType::new(false, HeapType::of(store.engine(), ty))
            }
            Ref::Extern(Some(reference)) => {
                reference.handle().get(store.core())?;
                RefType::new(false, HeapType::Extern)
            }
            Ref::Any(Some(reference)) => RefType::new(false, reference.ty(store)?),
            Ref::Exn(Some(exn)) => RefType::new(false, HeapType::ConcreteExn(exn.ty(store)?)),
        })
    }

    /// Whether this is of a type.
    ///
    /// # Errors
    ///
    /// Likewise.
    pub fn matches_ty(&self, store: impl AsContext, ty: &RefType) -> Result<bool> {
        Ok(self.ty(store)?.matches(ty))
    }
}

impl Val {
    /// The null of function references.
    pub const fn null_func_ref() -> Val {
        Val::FuncRef(None)
    }

    /// The null of external references.
    pub const fn null_extern_ref() -> Val {
        Val::ExternRef(None)
    }

    /// The null of internal references.
    pub const fn null_any_ref() -> Val {
        Val::AnyRef(None)
    }

    /// The null of a heap type.
    pub fn null_ref(heap_type: &HeapType) -> Val {
        Ref::null(heap_type).into()
    }

    /// The null or zero of a type, if it has one.
    pub fn default_for_ty(ty: &ValType) -> Option<Val> {
        Some(match ty {
            ValType::I32 => Val::I32(0),
            ValType::I64 => Val::I64(0),
            ValType::F32 => Val::F32(0),
            ValType::F64 => Val::F64(0),
            ValType::V128 => Val::V128(V128::from(0)),
            ValType::Ref(ty) if ty.is_nullable() => Val::null_ref(ty.heap_type()),
            ValType::Ref(_) => return None,
        })
    }

    /// The type: of a reference, the exact one.
    ///
    /// # Errors
    ///
    /// If the reference's scope has ended or it is of another store; likewise below.
    pub fn ty(&self, store: impl AsContext) -> Result<ValType> {
        Ok(match self {
            Val::I32(_) => ValType::I32,
            Val::I64(_) => ValType::I64,
            Val::F32(_) => ValType::F32,
            Val::F64(_) => ValType::F64,
            Val::V128(_) => ValType::V128,
            Val::FuncRef(func) => Ref::Func(*func).ty(store)?.into(),
            Val::ExternRef(reference) => Ref::Extern(*reference).ty(store)?.into(),
            Val::AnyRef(reference) => Ref::Any(*reference).ty(store)?.into(),
            Val::ExnRef(exn) => Ref::Exn(*exn).ty(store)?.into(),
        })
    }

    /// Whether the value is of a type.
    ///
    /// # Errors
    ///
    /// Likewise.
    pub fn matches_ty(&self, store: impl AsContext, ty: &ValType) -> Result<bool> {
        Ok(self.ty(store)?.matches(ty))
    }

    /// The value, if it is a reference.
    pub fn ref_(self) -> Option<Ref> {
        match self {
            Val::FuncRef(func) => Some(Ref::Func(func)),
            Val::ExternRef(reference) => Some(Ref::Extern(reference)),
            Val::AnyRef(reference) => Some(Ref::Any(reference)),
            Val::ExnRef(exn) => Some(Ref::Exn(exn)),
            Val::I32(_) | Val::I64(_) | Val::F32(_) | Val::F64(_) | Val::V128(_) => None,
        }
    }

    /// Makes sure that the value has a type.
    ///
    /// # Errors
    ///
    /// What is wrong, in words.
    #[inline]
    pub(crate) fn check(&self, core: *const StoreCore, ty: types::ValType) -> Result<()> {
        if self.is_number(ty) || self.is_reference(core, ty) {
            return Ok(());
        }
        Err(self.mismatch(core, ty))
    }

    #[cold]
    fn mismatch(&self, core: *const StoreCore, want: types::ValType) -> Error {
        let handle = match self {
            Val::ExternRef(Some(reference)) => Some(reference.handle()),
            Val::AnyRef(Some(reference)) => Some(reference.handle()),
            Val::ExnRef(Some(exn)) => Some(exn.handle()),
            Val::FuncRef(Some(func)) => match func.0.find(core) {
                Ok(_) => None,
                Err(error) => return error,
            },
            _ => None,
        };
        if let Some(Err(error)) = handle.map(|handle| handle.get(core)) {
            return error;
        }
        let found = match self {
            Val::I32(_) => "i32",
            Val::I64(_) => "i64",
            Val::F32(_) => "f32",
            Val::F64(_) => "f64",
            Val::V128(_) => "v128",
            Val::FuncRef(None) => "(ref null nofunc)",
            Val::ExternRef(None) => "(ref null noextern)",
            Val::AnyRef(None) => "(ref null none)",
            Val::ExnRef(None) => "(ref null noexn)",
            Val::FuncRef(Some(_)) => "(ref func)",
            Val::ExternRef(Some(_)) => "(ref extern)",
            Val::AnyRef(Some(_)) => "(ref any)",
            Val::ExnRef(Some(_)) => "(ref exn)",
        };
        Error::msg(format!("type mismatch: expected {want}, found {found}"))
    }

    /// Whether the value is a number or vector of a type.
    #[inline]
    fn is_number(&self, ty: types::ValType) -> bool {
        matches!(
            (self, ty),
            (Val::I32(_), types::ValType::I32)
                | (Val::I64(_), types::ValType::I64)
                | (Val::F32(_), types::ValType::F32)
                | (Val::F64(_), types::ValType::F64)
                | (Val::V128(_), types::ValType::V128)
        )
    }

    /// Whether the value is a reference of a type.
    fn is_reference(&self, core: *const StoreCore, ty: types::ValType) -> bool {
        use types::{HeapType, RefType};
        let types::ValType::Ref(want) = ty else { return false };
        // SAFETY: contexts only give out pointers to live stores.
        let registry = unsafe { (*core).engine.types() };
        let has = match self {
            Val::FuncRef(None) => RefType::new(true, HeapType::NoFunc),
            Val::ExternRef(None) => RefType::new(true, HeapType::NoExtern),
            Val::AnyRef(None) => RefType::new(true, HeapType::None),
            Val::ExnRef(None) => RefType::new(true, HeapType::NoExn),
            Val::FuncRef(Some(func)) => match func.0.checked(core) {
                // SAFETY: the function is of the borrowed store.
                Some(record) => unsafe {
                    RefType::new(false, registry.heap_type(record.as_ref().ty))
                },
                None => return false,
            },
            Val::ExternRef(Some(reference)) => match reference.handle().reference(core) {
                Some(_) => RefType::new(false, HeapType::Extern),
                None => return false,
            },
            Val::AnyRef(Some(reference)) => match reference.handle().reference(core) {
                // SAFETY: a rooted reference is one of the store's heap.
                Some(reference) => RefType::new(false, unsafe { gc::heap_type(core, reference) }),
                None => return false,
            },
            Val::ExnRef(Some(exn)) => match exn.handle().reference(core) {
                Some(_) => RefType::new(false, HeapType::Exn),
                None => return false,
            },
            _ => return false,
        };
        registry.read().ref_matches(has, want)
    }

    /// The value as slots hold it, low half first; it has been checked.
    #[inline]
    pub(crate) fn to_bits(self, core: *const StoreCore) -> u128 {
        let reference = |handle: Handle| u128::from(handle.reference(core).unwrap_or(0));
        match self {
            Val::I32(value) => u128::from(value as u32),
            Val::I64(value) => u128::from(value as u64),
            Val::F32(bits) => u128::from(bits),
            Val::F64(bits) => u128::from(bits),
            Val::V128(vector) => vector.as_u128(),
            Val::FuncRef(func) => u128::from(Func::to_slot(func, core)),
            Val::ExternRef(each) => each.map_or(0, |each| reference(each.handle())),
            Val::AnyRef(each) => each.map_or(0, |each| reference(each.handle())),
            Val::ExnRef(each) => each.map_or(0, |each| reference(each.handle())),
        }
    }

    /// The value that slots hold; references are rooted in the innermost scope.
    ///
    /// # Safety
    ///
    /// `core` is valid and exclusive, and `bits` is a value of type `ty` in it.
    pub(crate) unsafe fn from_bits(core: *mut StoreCore, bits: u128, ty: types::ValType) -> Val {
        // SAFETY: by the contract.
        unsafe { Val::make(core, bits, ty, &mut |reference| Handle::new(core, reference)) }
    }

    /// The same with references rooted as one likes.
    ///
    /// # Safety
    ///
    /// As [`Val::from_bits`].
    #[inline]
    pub(crate) unsafe fn make(
        core: *mut StoreCore,
        bits: u128,
        ty: types::ValType,
        root: &mut dyn FnMut(u64) -> Handle,
    ) -> Val {
        match ty {
            types::ValType::I32 => Val::I32(bits as i32),
            types::ValType::I64 => Val::I64(bits as i64),
            types::ValType::F32 => Val::F32(bits as u32),
            types::ValType::F64 => Val::F64(bits as u64),
            types::ValType::V128 => Val::V128(bits.into()),
            // SAFETY: by the contract.
            types::ValType::Ref(ty) => unsafe {
                Val::make_reference(core, bits as u64, ty.heap_type(), root)
            },
        }
    }

    /// # Safety
    ///
    /// As [`Val::make`].
    unsafe fn make_reference(
        core: *mut StoreCore,
        reference: u64,
        ty: types::HeapType,
        root: &mut dyn FnMut(u64) -> Handle,
    ) -> Val {
        // SAFETY: by the contract.
        let is_func =
            unsafe { (*core).engine.types().read().heap_matches(ty, types::HeapType::Func) };
        if is_func {
            // SAFETY: by the contract a function reference is a record.
            return Val::FuncRef(unsafe { Func::from_slot(core, reference) });
        }
        let handle = (reference != 0).then(|| root(reference));
        match ty {
            types::HeapType::Extern | types::HeapType::NoExtern => {
                Val::ExternRef(handle.map(Rooted::of))
            }
            types::HeapType::Exn | types::HeapType::NoExn => Val::ExnRef(handle.map(Rooted::of)),
            _ => Val::AnyRef(handle.map(Rooted::of)),
        }
    }

    /// Writes values to consecutive slots.
    pub(crate) fn write_all(
        core: *const StoreCore,
        values: &[Val],
        types: &[types::ValType],
        slots: &mut [u64],
    ) {
        let mut at = 0;
        for (value, ty) in values.iter().zip(types) {
            let bits = value.to_bits(core);
            slots[at] = bits as u64;
            if *ty == types::ValType::V128 {
                at += 1;
                slots[at] = (bits >> 64) as u64;
            }
            at += 1;
        }
    }

    /// Reads values from consecutive slots.
    ///
    /// # Safety
    ///
    /// `core` is valid and exclusive, and the slots hold values of these types in it.
    pub(crate) unsafe fn read_all(
        core: *mut StoreCore,
        values: &mut [Val],
        types: &[types::ValType],
        slots: &[u64],
    ) {
        let root = &mut |reference| {
            // SAFETY: by the contract.
            unsafe { Handle::new(core, reference) }
        };
        // SAFETY: by the contract.
        unsafe { Val::make_all(core, values, types, slots, root) }
    }

    /// The same with references rooted as one likes.
    ///
    /// # Safety
    ///
    /// As [`Val::read_all`].
    pub(crate) unsafe fn make_all(
        core: *mut StoreCore,
        values: &mut [Val],
        types: &[types::ValType],
        slots: &[u64],
        root: &mut dyn FnMut(u64) -> Handle,
    ) {
        let mut at = 0;
        for (value, ty) in values.iter_mut().zip(types) {
            let mut bits = u128::from(slots[at]);
            if *ty == types::ValType::V128 {
                at += 1;
                bits |= u128::from(slots[at]) << 64;
            }
            at += 1;
            // SAFETY: by the contract.
            *value = unsafe { Val::make(core, bits, *ty, root) };
        }
    }
}

macro_rules! from {
    ($($of:ident: $value:ident $ty:ty => $from:expr;)*) => {$(
        impl From<$ty> for $of {
            fn from($value: $ty) -> $of {
                $from
            }
        }
    )*};
}

from! {
    Val: value i32 => Val::I32(value);
    Val: value i64 => Val::I64(value);
    Val: value f32 => Val::F32(value.to_bits());
    Val: value f64 => Val::F64(value.to_bits());
    Val: value u128 => Val::V128(value.into());
    Val: value V128 => Val::V128(value);
}

impl From<Ref> for Val {
    fn from(reference: Ref) -> Val {
        match reference {
            Ref::Func(func) => Val::FuncRef(func),
            Ref::Extern(reference) => Val::ExternRef(reference),
            Ref::Any(reference) => Val::AnyRef(reference),
            Ref::Exn(exn) => Val::ExnRef(exn),
        }
    }
}

macro_rules! from_references {
    ($($ty:ty => $val:ident $reference:ident;)*) => {$(
        from! {
            Val: value $ty => Val::$val(Some(value.into()));
            Val: value Option<$ty> => Val::$val(value.map(Into::into));
            Ref: value $ty => Ref::$reference(Some(value.into()));
            Ref: value Option<$ty> => Ref::$reference(value.map(Into::into));
        }
    )*};
}

from_references! {
    Func => FuncRef Func;
    Rooted<ExternRef> => ExternRef Extern;
    Rooted<AnyRef> => AnyRef Any;
    Rooted<EqRef> => AnyRef Any;
    Rooted<StructRef> => AnyRef Any;
    Rooted<ArrayRef> => AnyRef Any;
    Rooted<ExnRef> => ExnRef Exn;
}

impl std::fmt::Debug for Func {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Func")
    }
}
