//! Objects of the guest's heap, and the integers among its references: looking into what a
//! `wasm_ref_t` refers to.

use std::mem::MaybeUninit;

use runtime::{AnyRef, ArrayRef, Error, I31, RootScope, Rooted, StoreContextMut, StructRef};

use crate::attempt;
use crate::object::{Body, Object};
use crate::store::{Data, StoreRef};
use crate::value::Val;
use crate::vec::Ptr;

type Scope<'a> = RootScope<StoreContextMut<'a, Data>>;

/// What a reference to the guest's heap is to.
enum Is {
    Integer(I31),
    Struct(Rooted<StructRef>),
    Array(Rooted<ArrayRef>),
}

/// Works with what a reference is to.
fn with<R>(
    object: &Object,
    work: impl FnOnce(&StoreRef, &mut Scope<'_>, Is) -> runtime::Result<R>,
) -> runtime::Result<R> {
    let (Some(store), Body::Any(owned)) = (object.store(), &object.body) else {
        return Err(Error::msg("the reference is not to an object of the guest's"));
    };
    let mut scope = RootScope::new(store.context());
    let any = owned.to_rooted(&mut scope);
    let is = if let Some(integer) = any.as_i31(&scope)? {
        Is::Integer(integer)
    } else if let Some(object) = any.as_struct(&scope)? {
        Is::Struct(object)
    } else if let Some(array) = any.as_array(&scope)? {
        Is::Array(array)
    } else {
        return Err(Error::msg("the reference is to a value of another host's"));
    };
    work(store, &mut scope, is)
}

/// What a reference is to, as `zwasm_objectkind_t` numbers it.
#[unsafe(no_mangle)]
pub extern "C" fn zwasm_ref_objectkind(object: Option<&Object>) -> u8 {
    let kind = object.and_then(|object| {
        let kind = |_: &StoreRef, _: &mut Scope<'_>, is| {
            Ok(match is {
                Is::Integer(_) => 1,
                Is::Struct(_) => 2,
                Is::Array(_) => 3,
            })
        };
        attempt(|| with(object, kind))
    });
    kind.unwrap_or(0)
}

/// An integer as a reference; the upper bit is cut off.
#[unsafe(no_mangle)]
pub extern "C" fn zwasm_ref_new_i31(store: &StoreRef, value: i32) -> Ptr<Object> {
    attempt(|| {
        let mut scope = RootScope::new(store.context());
        let any = AnyRef::from_i31(&mut scope, I31::wrapping_i32(value));
        let owned = any.to_owned_rooted(&mut scope)?;
        Ok(Object::of_store(store, Body::Any(owned)))
    })
}

/// Writes the integer that a reference is; false if it is none.
#[unsafe(no_mangle)]
pub extern "C" fn zwasm_ref_i31(object: &Object, out: &mut MaybeUninit<i32>) -> bool {
    let integer = attempt(|| {
        with(object, |_, _, is| match is {
            Is::Integer(integer) => Ok(integer.get_i32()),
            Is::Struct(_) | Is::Array(_) => Err(Error::msg("the reference is not an integer")),
        })
    });
    integer.map(|integer| out.write(integer)).is_some()
}

/// Fields of a structure, elements of an array, or 0.
#[unsafe(no_mangle)]
pub extern "C" fn zwasm_ref_length(object: &Object) -> usize {
    let length = attempt(|| {
        with(object, |_, scope, is| {
            Ok(match is {
                Is::Integer(_) => 0,
                Is::Struct(object) => object.ty(&*scope)?.fields().len(),
                Is::Array(array) => array.len(&*scope)? as usize,
            })
        })
    });
    length.unwrap_or(0)
}

fn element(index: usize) -> runtime::Result<u32> {
    u32::try_from(index).map_err(|_| Error::msg("no array is that long"))
}

/// Writes a field or an element.
#[unsafe(no_mangle)]
pub extern "C" fn zwasm_ref_get(object: &Object, index: usize, out: &mut MaybeUninit<Val>) -> bool {
    let value = attempt(|| {
        with(object, |store, scope, is| {
            let value = match is {
                Is::Integer(_) => return Err(Error::msg("an integer has no fields")),
                Is::Struct(object) => object.field(&mut *scope, index)?,
                Is::Array(array) => array.get(&mut *scope, element(index)?)?,
            };
            Val::from_runtime(store, scope, value)
        })
    });
    value.map(|value| out.write(value)).is_some()
}

/// Changes a field or an element; false if it cannot be changed, or not to this.
#[unsafe(no_mangle)]
pub extern "C" fn zwasm_ref_set(object: &Object, index: usize, value: &Val) -> bool {
    attempt(|| {
        with(object, |_, scope, is| {
            let field = match &is {
                Is::Integer(_) => None,
                Is::Struct(object) => object.ty(&*scope)?.field(index),
                Is::Array(array) => Some(array.ty(&*scope)?.field_type()),
            };
            let field = field.ok_or_else(|| Error::msg("there is no such field"))?;
            let value = value.to_runtime(&mut *scope, field.element_type().unpack())?;
            match is {
                Is::Integer(_) => Ok(()),
                Is::Struct(object) => object.set_field(&mut *scope, index, value),
                Is::Array(array) => array.set(&mut *scope, element(index)?, value),
            }
        })
    })
    .is_some()
}
