//! Values: a kind and a union, of which references own a root.

use std::ffi::c_void;
use std::mem::{ManuallyDrop, MaybeUninit};
use std::ptr;

use runtime::{AnyRef, AsContextMut, Error, ExnRef, ExternRef, GcRef, OwnedRooted, Ref, Rooted};

use super::words::FuncWords;
use crate::store::Data;
use crate::types::ValType;
use crate::vec::Ptr;
use crate::{attempt, guard};

const I32: u8 = 0;
const I64: u8 = 1;
const F32: u8 = 2;
const F64: u8 = 3;
const V128: u8 = 4;
const FUNCREF: u8 = 5;
const EXTERNREF: u8 = 6;
const ANYREF: u8 = 7;
const EXNREF: u8 = 8;

/// `wasmtime_externref_t` and its like: a root, or null if the store's number is 0. Letting
/// go of it needs no store.
#[repr(C)]
pub struct RefWords {
    store: u64,
    low: u32,
    high: u32,
    token: *const c_void,
}

impl RefWords {
    pub const NULL: RefWords = RefWords { store: 0, low: 0, high: 0, token: ptr::null() };

    fn of<T: GcRef>(reference: OwnedRooted<T>) -> RefWords {
        let (store, number, token) = reference.into_words();
        RefWords { store, low: number as u32, high: (number >> 32) as u32, token: token.cast() }
    }

    /// A new root of what is referred to.
    ///
    /// # Errors
    ///
    /// If that is gone or in another store.
    pub fn new<T: GcRef>(
        store: impl AsContextMut<Data = Data>,
        reference: Option<Rooted<T>>,
    ) -> runtime::Result<RefWords> {
        match reference {
            Some(reference) => Ok(RefWords::of(reference.to_owned_rooted(store)?)),
            None => Ok(RefWords::NULL),
        }
    }

    /// The root, which stays where it is. What it is to counts only with a store.
    fn owned<T: GcRef>(&self) -> Option<ManuallyDrop<OwnedRooted<T>>> {
        let number = u64::from(self.low) | u64::from(self.high) << 32;
        // SAFETY: the words were taken apart by `of`; see the module's header of `words`.
        // What they are to is dropped by nobody else.
        let owned = unsafe { OwnedRooted::from_words(self.store, number, self.token.cast()) };
        owned.map(ManuallyDrop::new)
    }

    /// The reference in the innermost scope, or null.
    ///
    /// # Errors
    ///
    /// If it is of another store.
    pub fn get<T: GcRef>(
        &self,
        mut store: impl AsContextMut<Data = Data>,
    ) -> runtime::Result<Option<Rooted<T>>> {
        if self.store != 0 && self.store != store.as_context_mut().id() {
            return Err(Error::msg("object used with the wrong store"));
        }
        Ok(self.owned::<T>().map(|owned| owned.to_rooted(store)))
    }
}

impl Clone for RefWords {
    fn clone(&self) -> RefWords {
        match self.owned::<AnyRef>() {
            Some(owned) => RefWords::of(OwnedRooted::clone(&owned)),
            None => RefWords::NULL,
        }
    }
}

impl Drop for RefWords {
    fn drop(&mut self) {
        drop(self.owned::<AnyRef>().map(ManuallyDrop::into_inner));
    }
}

/// `wasmtime_val_t`
#[repr(C)]
pub struct Val {
    kind: u8,
    of: Of,
}

#[repr(C)]
union Of {
    i32: i32,
    i64: i64,
    f32: u32,
    f64: u64,
    v128: [u8; 16],
    func: FuncWords,
    reference: ManuallyDrop<RefWords>,
}

impl Val {
    fn is_rooted(&self) -> bool {
        matches!(self.kind, EXTERNREF | ANYREF | EXNREF)
    }

    /// A value of the runtime's.
    ///
    /// # Errors
    ///
    /// If it is a reference to what is gone or in another store.
    pub fn new(store: impl AsContextMut<Data = Data>, value: runtime::Val) -> runtime::Result<Val> {
        let rooted = |reference| Of { reference: ManuallyDrop::new(reference) };
        let (kind, of) = match value {
            runtime::Val::I32(value) => (I32, Of { i32: value }),
            runtime::Val::I64(value) => (I64, Of { i64: value }),
            runtime::Val::F32(bits) => (F32, Of { f32: bits }),
            runtime::Val::F64(bits) => (F64, Of { f64: bits }),
            runtime::Val::V128(vector) => (V128, Of { v128: vector.as_u128().to_le_bytes() }),
            runtime::Val::FuncRef(func) => {
                (FUNCREF, Of { func: func.map_or(FuncWords::NULL, FuncWords::from) })
            }
            runtime::Val::ExternRef(each) => (EXTERNREF, rooted(RefWords::new(store, each)?)),
            runtime::Val::AnyRef(each) => (ANYREF, rooted(RefWords::new(store, each)?)),
            runtime::Val::ExnRef(each) => (EXNREF, rooted(RefWords::new(store, each)?)),
        };
        Ok(Val { kind, of })
    }

    /// The value as the runtime has it, rooted in the innermost scope.
    ///
    /// # Errors
    ///
    /// If it is of no kind, or a reference of another store.
    pub fn get(&self, store: impl AsContextMut<Data = Data>) -> runtime::Result<runtime::Val> {
        // SAFETY: the kind says which field has been written; see the crate's header. Bits
        // of every field are a value of it.
        unsafe {
            Ok(match self.kind {
                I32 => runtime::Val::I32(self.of.i32),
                I64 => runtime::Val::I64(self.of.i64),
                F32 => runtime::Val::F32(self.of.f32),
                F64 => runtime::Val::F64(self.of.f64),
                V128 => runtime::Val::V128(u128::from_le_bytes(self.of.v128).into()),
                FUNCREF => runtime::Val::FuncRef(self.of.func.get_nullable(store)?),
                EXTERNREF => runtime::Val::ExternRef(self.of.reference.get::<ExternRef>(store)?),
                ANYREF => runtime::Val::AnyRef(self.of.reference.get::<AnyRef>(store)?),
                EXNREF => runtime::Val::ExnRef(self.of.reference.get::<ExnRef>(store)?),
                kind => return Err(Error::msg(format!("no value is of kind {kind}"))),
            })
        }
    }

    /// The same, where only a reference will do.
    ///
    /// # Errors
    ///
    /// As [`Val::get`], and if it is none.
    pub fn reference(&self, store: impl AsContextMut<Data = Data>) -> runtime::Result<Ref> {
        let value = self.get(store)?;
        value.ref_().ok_or_else(|| Error::msg("the value is not a reference"))
    }
}

impl Default for Val {
    fn default() -> Val {
        // All of it is written: C may copy it whole.
        Val { kind: I32, of: Of { v128: [0; 16] } }
    }
}

impl Clone for Val {
    fn clone(&self) -> Val {
        if self.is_rooted() {
            // SAFETY: as in `get`.
            let reference = unsafe { self.of.reference.clone() };
            return Val { kind: self.kind, of: Of { reference } };
        }
        // SAFETY: without a root, the bits are the value.
        unsafe { ptr::read(self) }
    }
}

impl Drop for Val {
    fn drop(&mut self) {
        if self.is_rooted() {
            // SAFETY: as in `get`; this is the last use.
            unsafe { ManuallyDrop::drop(&mut self.of.reference) }
        }
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_wasm_valtype_v128() -> Ptr<ValType> {
    attempt(|| Ok(Box::new(ValType::new(runtime::ValType::V128))))
}

#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_wasm_valtype_equal(a: &ValType, b: &ValType) -> bool {
    a.ty == b.ty
}

/// Lets go of what the value refers to.
#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_val_unroot(value: &mut Val) {
    guard(|| drop(std::mem::take(value)));
}

#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_val_clone(value: &Val, out: &mut MaybeUninit<Val>) {
    out.write(guard(|| value.clone()));
}

#[cfg(test)]
mod tests {
    use std::mem::{align_of, size_of};

    use super::*;

    #[test]
    fn values_have_the_size_of_those_of_wasmtime() {
        assert_eq!(size_of::<RefWords>(), 16 + align_of::<u64>().max(size_of::<usize>()));
        assert_eq!((size_of::<Val>(), align_of::<Val>()), (8 + size_of::<Of>(), align_of::<u64>()));
    }
}
