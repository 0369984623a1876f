//! Values as the API passes them.

use super::exception::ExnRef;
use super::func::Func;
use super::gc::{self, AnyRef, ExternRef, Handle};
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};
use crate::store::StoreCore;
use crate::types::registry::Composite;
use crate::types::{HeapType, RefType, ValType};

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
    /// A vector, lane 0 in the lowest bits.
    V128(u128),
    /// A function reference or null.
    FuncRef(Option<Func>),
    /// A reference to a value of the host, or null.
    ExternRef(Option<ExternRef>),
    /// A reference to a value of the guest's heap, or null.
    AnyRef(Option<AnyRef>),
    /// A reference to an exception, or null.
    ExnRef(Option<ExnRef>),
}

impl Val {
    /// The null or zero of a type, if it has one.
    pub fn default_for(ty: ValType) -> Option<Val> {
        Some(match ty {
            ValType::I32 => Val::I32(0),
            ValType::I64 => Val::I64(0),
            ValType::F32 => Val::F32(0),
            ValType::F64 => Val::F64(0),
            ValType::V128 => Val::V128(0),
            ValType::Ref(ty) if ty.is_nullable() => match ty.heap_type() {
                HeapType::Func | HeapType::NoFunc => Val::FuncRef(None),
                HeapType::Extern | HeapType::NoExtern => Val::ExternRef(None),
                HeapType::Exn | HeapType::NoExn => Val::ExnRef(None),
                HeapType::Concrete(_) => return None,
                _ => Val::AnyRef(None),
            },
            ValType::Ref(_) => return None,
        })
    }

    /// The null of a reference type, which may name types of the engine; none if
    /// the type has no null or is of another engine.
    pub fn null(engine: &Engine, ty: RefType) -> Option<Val> {
        match ty.heap_type() {
            HeapType::Concrete(defined) if ty.is_nullable() => {
                Some(match engine.types().read().definition(defined)? {
                    Composite::Func(_) => Val::FuncRef(None),
                    Composite::Struct(_) | Composite::Array(_) => Val::AnyRef(None),
                })
            }
            _ => Val::default_for(ValType::Ref(ty)),
        }
    }

    /// The value, if it is an `i32`.
    pub fn i32(&self) -> Option<i32> {
        match self {
            Val::I32(value) => Some(*value),
            _ => None,
        }
    }

    /// The value, if it is an `i64`.
    pub fn i64(&self) -> Option<i64> {
        match self {
            Val::I64(value) => Some(*value),
            _ => None,
        }
    }

    /// The value, if it is an `f32`.
    pub fn f32(&self) -> Option<f32> {
        match self {
            Val::F32(bits) => Some(f32::from_bits(*bits)),
            _ => None,
        }
    }

    /// The value, if it is an `f64`.
    pub fn f64(&self) -> Option<f64> {
        match self {
            Val::F64(bits) => Some(f64::from_bits(*bits)),
            _ => None,
        }
    }

    /// The value, if it is a function reference or its null.
    pub fn funcref(&self) -> Option<Option<Func>> {
        match self {
            Val::FuncRef(func) => Some(*func),
            _ => None,
        }
    }

    /// The value, if it is an internal reference or its null.
    pub fn anyref(&self) -> Option<Option<AnyRef>> {
        match self {
            Val::AnyRef(reference) => Some(*reference),
            _ => None,
        }
    }

    /// The value, if it is an external reference or its null.
    pub fn externref(&self) -> Option<Option<ExternRef>> {
        match self {
            Val::ExternRef(reference) => Some(*reference),
            _ => None,
        }
    }

    /// The value, which is an `i32`.
    ///
    /// # Panics
    ///
    /// If it is not; likewise below.
    #[track_caller]
    pub fn unwrap_i32(&self) -> i32 {
        self.i32().expect("the value is not an i32")
    }

    /// The value, which is an `i64`.
    #[track_caller]
    pub fn unwrap_i64(&self) -> i64 {
        self.i64().expect("the value is not an i64")
    }

    /// The value, which is an `f32`.
    #[track_caller]
    pub fn unwrap_f32(&self) -> f32 {
        self.f32().expect("the value is not an f32")
    }

    /// The value, which is an `f64`.
    #[track_caller]
    pub fn unwrap_f64(&self) -> f64 {
        self.f64().expect("the value is not an f64")
    }

    /// Whether the value has a type; a mismatch is told in words.
    pub(crate) fn check(&self, core: *const StoreCore, ty: ValType) -> Result<()> {
        if self.has_type(core, ty) {
            return Ok(());
        }
        Err(Error::of_kind(ErrorKind::Host, format!("expected a value of type {ty}, got {self:?}")))
    }

    fn has_type(&self, core: *const StoreCore, ty: ValType) -> bool {
        let ValType::Ref(want) = ty else {
            return matches!(
                (self, ty),
                (Val::I32(_), ValType::I32)
                    | (Val::I64(_), ValType::I64)
                    | (Val::F32(_), ValType::F32)
                    | (Val::F64(_), ValType::F64)
                    | (Val::V128(_), ValType::V128)
            );
        };
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
            Val::ExternRef(Some(reference)) => match reference.0.reference(core) {
                Some(_) => RefType::new(false, HeapType::Extern),
                None => return false,
            },
            Val::AnyRef(Some(reference)) => match reference.0.reference(core) {
                // SAFETY: a rooted reference is one of the store's heap.
                Some(reference) => RefType::new(false, unsafe { gc::heap_type(core, reference) }),
                None => return false,
            },
            Val::ExnRef(Some(exn)) if exn.is_of(core) => RefType::new(false, HeapType::Exn),
            _ => return false,
        };
        registry.read().ref_matches(has, want)
    }

    /// The value as slots hold it, low half first; it has been checked.
    pub(crate) fn to_bits(self, core: *const StoreCore) -> u128 {
        let reference = |handle: Handle| u128::from(handle.reference(core).unwrap_or(0));
        match self {
            Val::I32(value) => u128::from(value as u32),
            Val::I64(value) => u128::from(value as u64),
            Val::F32(bits) => u128::from(bits),
            Val::F64(bits) => u128::from(bits),
            Val::V128(bits) => bits,
            Val::FuncRef(func) => u128::from(Func::to_slot(func, core)),
            Val::ExternRef(each) => each.map_or(0, |each| reference(each.0)),
            Val::AnyRef(each) => each.map_or(0, |each| reference(each.0)),
            Val::ExnRef(exn) => exn.map_or(0, |exn| u128::from(exn.reference())),
        }
    }

    /// The value that slots hold.
    ///
    /// # Safety
    ///
    /// `core` is valid and exclusive, and `bits` is a value of type `ty` in it.
    pub(crate) unsafe fn from_bits(core: *mut StoreCore, bits: u128, ty: ValType) -> Val {
        match ty {
            ValType::I32 => Val::I32(bits as i32),
            ValType::I64 => Val::I64(bits as i64),
            ValType::F32 => Val::F32(bits as u32),
            ValType::F64 => Val::F64(bits as u64),
            ValType::V128 => Val::V128(bits),
            ValType::Ref(ty) => {
                let reference = bits as u64;
                // SAFETY: by the contract.
                let is_func = unsafe {
                    (*core).engine.types().read().heap_matches(ty.heap_type(), HeapType::Func)
                };
                // SAFETY: as above.
                let handle = || (reference != 0).then(|| unsafe { Handle::new(core, reference) });
                match ty.heap_type() {
                    // SAFETY: by the contract a function reference is a record.
                    _ if is_func => Val::FuncRef(unsafe { Func::from_slot(core, reference) }),
                    HeapType::Extern | HeapType::NoExtern => {
                        Val::ExternRef(handle().map(ExternRef))
                    }
                    HeapType::Exn | HeapType::NoExn => {
                        // SAFETY: by the contract.
                        Val::ExnRef(unsafe { ExnRef::from_slot(core, reference) })
                    }
                    _ => Val::AnyRef(handle().map(AnyRef)),
                }
            }
        }
    }

    /// Keeps what the value refers to while the host may use it.
    ///
    /// # Safety
    ///
    /// `core` is valid and ours alone.
    pub(crate) unsafe fn keep(&self, core: *mut StoreCore) {
        if let Val::ExnRef(Some(exn)) = self {
            // SAFETY: by the contract.
            unsafe { (*core).exceptions.keep(exn.reference()) };
        }
    }

    /// Writes values to consecutive slots.
    pub(crate) fn write_all(
        core: *const StoreCore,
        values: &[Val],
        types: &[ValType],
        slots: &mut [u64],
    ) {
        let mut at = 0;
        for (value, ty) in values.iter().zip(types) {
            let bits = value.to_bits(core);
            slots[at] = bits as u64;
            if *ty == ValType::V128 {
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
        types: &[ValType],
        slots: &[u64],
    ) {
        let mut at = 0;
        for (value, ty) in values.iter_mut().zip(types) {
            let mut bits = u128::from(slots[at]);
            if *ty == ValType::V128 {
                at += 1;
                bits |= u128::from(slots[at]) << 64;
            }
            at += 1;
            // SAFETY: by the contract.
            *value = unsafe { Val::from_bits(core, bits, *ty) };
        }
    }
}

impl From<i32> for Val {
    fn from(value: i32) -> Val {
        Val::I32(value)
    }
}

impl From<i64> for Val {
    fn from(value: i64) -> Val {
        Val::I64(value)
    }
}

impl From<f32> for Val {
    fn from(value: f32) -> Val {
        Val::F32(value.to_bits())
    }
}

impl From<f64> for Val {
    fn from(value: f64) -> Val {
        Val::F64(value.to_bits())
    }
}

impl From<u128> for Val {
    fn from(value: u128) -> Val {
        Val::V128(value)
    }
}

impl From<Option<Func>> for Val {
    fn from(func: Option<Func>) -> Val {
        Val::FuncRef(func)
    }
}

impl From<Func> for Val {
    fn from(func: Func) -> Val {
        Val::FuncRef(Some(func))
    }
}

impl From<Option<ExternRef>> for Val {
    fn from(reference: Option<ExternRef>) -> Val {
        Val::ExternRef(reference)
    }
}

impl From<Option<AnyRef>> for Val {
    fn from(reference: Option<AnyRef>) -> Val {
        Val::AnyRef(reference)
    }
}

impl ExternRef {
    pub(crate) fn to_slot(reference: Option<ExternRef>, core: *const StoreCore) -> Result<u64> {
        let value = Val::ExternRef(reference);
        value.check(core, ValType::EXTERNREF)?;
        Ok(value.to_bits(core) as u64)
    }

    /// # Safety
    ///
    /// `core` is valid and exclusive, and the slot holds an external reference of it.
    pub(crate) unsafe fn from_slot(core: *mut StoreCore, slot: u64) -> Option<ExternRef> {
        // SAFETY: by the contract.
        (slot != 0).then(|| ExternRef(unsafe { Handle::new(core, slot) }))
    }
}

impl std::fmt::Debug for Func {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Func")
    }
}
