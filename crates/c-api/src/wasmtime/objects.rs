//! Objects of the guest's heap by their fields and elements. All references are the same
//! words, so that one type of them is another as soon as it is known to be.

use std::mem::MaybeUninit;

use runtime::{AnyRef, ArrayRef, Error, RootScope, Rooted, StoreContextMut, StructRef};

use super::error::Failure;
use super::val::{RefWords, Val};
use super::{Context, fallible, giving};
use crate::store::Data;
use crate::vec::Ptr;
use crate::{attempt, guard};

pub type Scope<'a> = RootScope<StoreContextMut<'a, Data>>;

type Out<'a> = &'a mut MaybeUninit<RefWords>;

/// What is found out about a reference that is not null.
pub fn ask<R>(
    context: &Context,
    reference: &RefWords,
    question: impl FnOnce(&mut Scope<'_>, Rooted<AnyRef>) -> runtime::Result<R>,
) -> Option<R> {
    attempt(|| {
        let mut scope = RootScope::new(context.context());
        let reference = reference.get(&mut scope)?;
        reference.map(|reference| question(&mut scope, reference)).transpose()
    })
    .flatten()
}

macro_rules! questions {
    ($($name:ident $question:ident;)*) => {$(
        #[unsafe(no_mangle)]
        pub extern "C" fn $name(context: &Context, reference: &RefWords) -> bool {
            ask(context, reference, |scope, reference| reference.$question(scope)) == Some(true)
        }
    )*};
}

questions! {
    wasmtime_anyref_is_i31 is_i31;
    wasmtime_anyref_is_eqref is_eqref;
    wasmtime_anyref_is_struct is_struct;
    wasmtime_anyref_is_array is_array;
    wasmtime_eqref_is_i31 is_i31;
    wasmtime_eqref_is_struct is_struct;
    wasmtime_eqref_is_array is_array;
}

/// Writes the reference if it is one of the other type, else null.
macro_rules! narrow {
    ($($name:ident $question:ident;)*) => {$(
        #[unsafe(no_mangle)]
        pub extern "C" fn $name(context: &Context, reference: &RefWords, out: Out<'_>) -> bool {
            let is = |scope: &mut Scope<'_>, reference: Rooted<AnyRef>| reference.$question(scope);
            let is = ask(context, reference, is) == Some(true);
            out.write(if is { guard(|| reference.clone()) } else { RefWords::NULL });
            is
        }
    )*};
}

narrow! {
    wasmtime_anyref_as_eqref is_eqref;
    wasmtime_anyref_as_struct is_struct;
    wasmtime_anyref_as_array is_array;
    wasmtime_eqref_as_struct is_struct;
    wasmtime_eqref_as_array is_array;
}

macro_rules! widen {
    ($($name:ident)*) => {$(
        #[unsafe(no_mangle)]
        pub extern "C" fn $name(reference: &RefWords, out: Out<'_>) {
            out.write(guard(|| reference.clone()));
        }
    )*};
}

widen! {
    wasmtime_eqref_to_anyref
    wasmtime_structref_to_anyref wasmtime_structref_to_eqref
    wasmtime_arrayref_to_anyref wasmtime_arrayref_to_eqref
}

/// Works with a reference that is not null.
fn with<R>(
    context: &Context,
    reference: &RefWords,
    work: impl FnOnce(&mut Scope<'_>, Rooted<AnyRef>) -> runtime::Result<R>,
) -> runtime::Result<R> {
    let mut scope = RootScope::new(context.context());
    let reference = reference.get(&mut scope)?;
    work(&mut scope, reference.ok_or_else(|| Error::msg("the reference is null"))?)
}

fn structure(scope: &Scope<'_>, any: Rooted<AnyRef>) -> runtime::Result<Rooted<StructRef>> {
    any.as_struct(scope)?.ok_or_else(|| Error::msg("the reference is not to a structure"))
}

fn array(scope: &Scope<'_>, any: Rooted<AnyRef>) -> runtime::Result<Rooted<ArrayRef>> {
    any.as_array(scope)?.ok_or_else(|| Error::msg("the reference is not to an array"))
}

#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_structref_field(
    context: &Context,
    reference: &RefWords,
    index: usize,
    out: &mut MaybeUninit<Val>,
) -> Ptr<Failure> {
    giving(out, || {
        with(context, reference, |scope, any| {
            let value = structure(scope, any)?.field(&mut *scope, index)?;
            Val::new(scope, value)
        })
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_structref_set_field(
    context: &Context,
    reference: &RefWords,
    index: usize,
    value: &Val,
) -> Ptr<Failure> {
    fallible(|| {
        with(context, reference, |scope, any| {
            let value = value.get(&mut *scope)?;
            structure(scope, any)?.set_field(scope, index, value)
        })
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_arrayref_len(
    context: &Context,
    reference: &RefWords,
    out: &mut MaybeUninit<u32>,
) -> Ptr<Failure> {
    giving(out, || with(context, reference, |scope, any| array(scope, any)?.len(&*scope)))
}

#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_arrayref_get(
    context: &Context,
    reference: &RefWords,
    index: u32,
    out: &mut MaybeUninit<Val>,
) -> Ptr<Failure> {
    giving(out, || {
        with(context, reference, |scope, any| {
            let value = array(scope, any)?.get(&mut *scope, index)?;
            Val::new(scope, value)
        })
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_arrayref_set(
    context: &Context,
    reference: &RefWords,
    index: u32,
    value: &Val,
) -> Ptr<Failure> {
    fallible(|| {
        with(context, reference, |scope, any| {
            let value = value.get(&mut *scope)?;
            array(scope, any)?.set(scope, index, value)
        })
    })
}
