//! Values between C and the runtime.

use std::mem::ManuallyDrop;

use runtime::{
    AnyRef, AsContextMut, Error, Extern, HeapType, Ref, RefType, Rooted, ThrownException,
};

use crate::foreign;
use crate::object::{Body, Object};
use crate::store::{Data, StoreRef};
use crate::types::kind;
use crate::vec::Ptr;

/// `wasm_val_t`: a kind, and a value of it. A reference is owned, and so is a vector, for
/// which there is no room in the structure.
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
    reference: ManuallyDrop<Ptr<Object>>,
    /// Null where all lanes are 0.
    vector: ManuallyDrop<Ptr<[u8; 16]>>,
}

impl Val {
    fn reference(kind: u8, object: Ptr<Object>) -> Val {
        Val { kind, of: Of { reference: ManuallyDrop::new(object) } }
    }

    /// A vector, the first lane first.
    pub fn vector(bytes: [u8; 16]) -> Val {
        let vector = Some(Box::new(bytes));
        Val { kind: kind::V128, of: Of { vector: ManuallyDrop::new(vector) } }
    }

    /// The vector, if the value is one.
    fn as_vector(&self) -> Option<[u8; 16]> {
        if self.kind != kind::V128 {
            return None;
        }
        // SAFETY: a value of this kind holds a vector; see the crate's header.
        let vector = unsafe { self.of.vector.as_deref() };
        Some(vector.copied().unwrap_or_default())
    }

    /// What is referred to, if the value is a reference and not null.
    fn object(&self) -> Option<&Object> {
        if !kind::is_ref(self.kind) {
            return None;
        }
        // SAFETY: a value of such a kind holds a reference; see the crate's header.
        unsafe { self.of.reference.as_deref() }
    }

    /// The zero or null of a type's kind.
    pub fn zero(kind: u8) -> Val {
        if kind::is_ref(kind) {
            Val::reference(kind, None)
        } else if kind == kind::V128 {
            Val { kind, of: Of { vector: ManuallyDrop::new(None) } }
        } else {
            Val { kind, of: Of { i64: 0 } }
        }
    }

    /// The value as the runtime has it, where one of this type is wanted.
    pub fn to_runtime(
        &self,
        store: impl AsContextMut<Data = Data>,
        want: &runtime::ValType,
    ) -> runtime::Result<runtime::Val> {
        // SAFETY: the kind says which field has been written; see the crate's header.
        // Bits of every field are a value of it.
        unsafe {
            Ok(match self.kind {
                kind::I32 => runtime::Val::I32(self.of.i32),
                kind::I64 => runtime::Val::I64(self.of.i64),
                kind::F32 => runtime::Val::F32(self.of.f32),
                kind::F64 => runtime::Val::F64(self.of.f64),
                kind::V128 => {
                    let bytes = self.as_vector().unwrap_or_default();
                    runtime::Val::V128(u128::from_le_bytes(bytes).into())
                }
                kind if kind::is_ref(kind) => {
                    let Some(want) = want.as_ref() else {
                        let message = format!("expected a value of type {want}, got a reference");
                        return Err(Error::msg(message));
                    };
                    return to_reference(store, self.object(), want).map(Into::into);
                }
                kind => return Err(Error::msg(format!("no value is of kind {kind}"))),
            })
        }
    }

    /// A value of the runtime's as C has it.
    ///
    /// # Errors
    ///
    /// If it is a reference to what is gone.
    pub fn from_runtime(
        store: &StoreRef,
        context: impl AsContextMut<Data = Data>,
        value: runtime::Val,
    ) -> runtime::Result<Val> {
        use runtime::Val::*;
        let object = |body| Some(Object::of_store(store, body));
        Ok(match value {
            I32(value) => Val { kind: kind::I32, of: Of { i32: value } },
            I64(value) => Val { kind: kind::I64, of: Of { i64: value } },
            F32(bits) => Val { kind: kind::F32, of: Of { f32: bits } },
            F64(bits) => Val { kind: kind::F64, of: Of { f64: bits } },
            V128(vector) => Val::vector(vector.as_u128().to_le_bytes()),
            FuncRef(func) => {
                let func = func.and_then(|func| object(Body::Extern(Extern::Func(func))));
                Val::reference(kind::FUNCREF, func)
            }
            ExternRef(reference) => {
                let any = reference.map(|reference| reference.to_any());
                Val::reference(kind::EXTERNREF, from_any(store, context, any)?)
            }
            AnyRef(any) => Val::reference(kind::ANYREF, from_any(store, context, any)?),
            ExnRef(exn) => {
                let thrown = exn.map(|exn| ThrownException::new(context, exn)).transpose()?;
                Val::reference(kind::EXNREF, thrown.and_then(|exn| object(Body::Exn(exn))))
            }
        })
    }

    /// Takes the reference out; null for what is none.
    pub fn into_object(mut self) -> Ptr<Object> {
        if !kind::is_ref(self.kind) {
            return None;
        }
        // SAFETY: as in `object`; nothing is left behind.
        unsafe { (*self.of.reference).take() }
    }
}

/// A reference of C's, or null, where one of this type is wanted.
pub fn to_reference(
    mut store: impl AsContextMut<Data = Data>,
    object: Option<&Object>,
    want: &RefType,
) -> runtime::Result<Ref> {
    let top = want.heap_type().top();
    let wrong = || Err(Error::msg(format!("the reference is not of type {want}")));
    Ok(match (top, object.map(|object| (object, &object.body))) {
        (HeapType::Func, None) => Ref::Func(None),
        (HeapType::Func, Some((_, Body::Extern(Extern::Func(func))))) => (*func).into(),
        (HeapType::Func, _) => return wrong(),
        (HeapType::Exn, None) => Ref::Exn(None),
        (HeapType::Exn, Some((_, Body::Exn(thrown)))) => {
            Ref::Exn(Some(thrown.exn().to_rooted(&mut store)))
        }
        (HeapType::Exn, _) => return wrong(),
        (HeapType::Extern, None) => Ref::Extern(None),
        (_, None) => Ref::Any(None),
        (top, Some((object, body))) => {
            let any = match body {
                Body::Any(owned) => owned.to_rooted(&mut store),
                _ => foreign::pass(&mut store, object)?.to_any(),
            };
            if top == HeapType::Extern {
                Ref::Extern(Some(any.to_extern()))
            } else {
                Ref::Any(Some(any))
            }
        }
    })
}

/// A reference to an object or a value of the host's, for C to own.
fn from_any(
    store: &StoreRef,
    mut context: impl AsContextMut<Data = Data>,
    reference: Option<Rooted<AnyRef>>,
) -> runtime::Result<Ptr<Object>> {
    let Some(reference) = reference else { return Ok(None) };
    let passed = match reference.to_extern().data(context.as_context())? {
        Some(value) => foreign::passed(store, value)?,
        None => None,
    };
    Ok(Some(match passed {
        Some(object) => object,
        None => Object::of_store(store, Body::Any(reference.to_owned_rooted(&mut context)?)),
    }))
}

impl Default for Val {
    fn default() -> Val {
        Val::zero(kind::I32)
    }
}

impl Clone for Val {
    fn clone(&self) -> Val {
        match self.object() {
            Some(object) => Val::reference(self.kind, Some(Box::new(object.clone()))),
            None => match self.as_vector() {
                Some(bytes) => Val::vector(bytes),
                // SAFETY: without a pointer, the bits are the value.
                None => unsafe { std::ptr::read(self) },
            },
        }
    }
}

impl Drop for Val {
    fn drop(&mut self) {
        // SAFETY: as in `object` and `vector`; this is the last use.
        unsafe {
            if kind::is_ref(self.kind) {
                ManuallyDrop::drop(&mut self.of.reference);
            } else if self.kind == kind::V128 {
                ManuallyDrop::drop(&mut self.of.vector);
            }
        }
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn zwasm_val_new_v128(out: &mut std::mem::MaybeUninit<Val>, bytes: &[u8; 16]) {
    out.write(crate::guard(|| Val::vector(*bytes)));
}

/// Writes the lanes of a vector; false for any other value.
#[unsafe(no_mangle)]
pub extern "C" fn zwasm_val_v128(value: &Val, out: &mut std::mem::MaybeUninit<[u8; 16]>) -> bool {
    value.as_vector().map(|bytes| out.write(bytes)).is_some()
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_val_delete(value: Option<&mut Val>) {
    crate::guard(|| drop(value.map(std::mem::take)));
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_val_copy(out: &mut std::mem::MaybeUninit<Val>, value: &Val) {
    out.write(crate::guard(|| value.clone()));
}
