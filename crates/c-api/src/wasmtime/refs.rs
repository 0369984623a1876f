//! References to values of the host, to objects of the guest and to exceptions.

use std::any::Any;
use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::ptr;

use runtime::{
    AnyRef, AsContext, Error, ExnRef, ExnRefPre, ExnType, ExternRef, I31, RootScope, Rooted, Tag,
    ThrownException,
};

use super::error::Failure;
use super::objects::{Scope, ask};
use super::val::{RefWords, Val};
use super::words::SplitWords;
use super::{Context, array, giving};
use crate::object::{Finalizer, HostInfo, Object};
use crate::trap;
use crate::types::ExternType;
use crate::vec::Ptr;
use crate::{attempt, guard, guard_or};

/// What a value of C's is to the guest.
struct Held(HostInfo);

/// The functions that every kind of reference has.
macro_rules! references {
    ($($name:literal)*) => {$(
        const _: () = {
            #[unsafe(export_name = concat!("wasmtime_", $name, "_clone"))]
            pub extern "C" fn clone(reference: &RefWords, out: &mut MaybeUninit<RefWords>) {
                out.write(guard(|| reference.clone()));
            }

            #[unsafe(export_name = concat!("wasmtime_", $name, "_unroot"))]
            pub extern "C" fn unroot(reference: Option<&mut RefWords>) {
                guard(|| drop(reference.map(std::mem::take)));
            }
        };
    )*};
}

references! {
    "externref" "anyref" "eqref" "structref" "arrayref" "exnref"
}

/// Those as numbers.
macro_rules! numbers {
    ($($name:literal $ty:ident;)*) => {$(
        const _: () = {
            /// Null if the number is no reference's.
            #[unsafe(export_name = concat!("wasmtime_", $name, "_from_raw"))]
            pub extern "C" fn from_raw(
                context: &Context,
                raw: u32,
                out: &mut MaybeUninit<RefWords>,
            ) {
                out.write(attempt(|| {
                    let mut scope = RootScope::new(context.context());
                    let reference = $ty::from_raw(&mut scope, raw);
                    RefWords::new(&mut scope, reference)
                }).unwrap_or_default());
            }

            /// 0 if the reference is null or of another store.
            #[unsafe(export_name = concat!("wasmtime_", $name, "_to_raw"))]
            pub extern "C" fn to_raw(context: &Context, reference: &RefWords) -> u32 {
                attempt(|| {
                    let mut scope = RootScope::new(context.context());
                    let reference: Option<Rooted<$ty>> = reference.get(&mut scope)?;
                    reference.map_or(Ok(0), |reference| reference.to_raw(&mut scope))
                }).unwrap_or(0)
            }
        };
    )*};
}

numbers! {
    "externref" ExternRef;
    "anyref" AnyRef;
    "exnref" ExnRef;
}

impl Default for RefWords {
    fn default() -> RefWords {
        RefWords::NULL
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_externref_new(
    context: &Context,
    data: *mut c_void,
    finalizer: Finalizer,
    out: &mut MaybeUninit<RefWords>,
) -> bool {
    let held = Held(HostInfo::new(data, finalizer));
    let reference = attempt(|| {
        let mut scope = RootScope::new(context.context());
        let reference = ExternRef::new(&mut scope, held)?;
        RefWords::new(&mut scope, Some(reference))
    });
    let made = reference.is_some();
    out.write(reference.unwrap_or_default());
    made
}

/// The pointer of C's; null if it is another's value.
#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_externref_data(context: &Context, reference: &RefWords) -> *mut c_void {
    let data = |value: &(dyn Any + Send + Sync)| {
        value.downcast_ref::<Held>().map_or(ptr::null_mut(), |held| held.0.data())
    };
    guard_or(ptr::null_mut, || {
        let mut scope = RootScope::new(context.context());
        let Ok(Some(reference)) = reference.get::<ExternRef>(&mut scope) else {
            return ptr::null_mut();
        };
        reference.data(scope.as_context()).ok().flatten().map_or(ptr::null_mut(), data)
    })
}

fn integer(context: &Context, reference: &RefWords) -> Option<I31> {
    ask(context, reference, |scope, reference| reference.as_i31(scope)).flatten()
}

macro_rules! integers {
    ($($name:literal)*) => {$(
        const _: () = {
            #[unsafe(export_name = concat!("wasmtime_", $name, "_from_i31"))]
            pub extern "C" fn from_i31(
                context: &Context,
                value: u32,
                out: &mut MaybeUninit<RefWords>,
            ) {
                let reference = attempt(|| {
                    let mut scope = RootScope::new(context.context());
                    let reference = AnyRef::from_i31(&mut scope, I31::wrapping_u32(value));
                    RefWords::new(&mut scope, Some(reference))
                });
                out.write(reference.unwrap_or_default());
            }

            #[unsafe(export_name = concat!("wasmtime_", $name, "_i31_get_u"))]
            pub extern "C" fn get_u(
                context: &Context,
                reference: &RefWords,
                out: &mut MaybeUninit<u32>,
            ) -> bool {
                let value = integer(context, reference);
                value.map(|value| out.write(value.get_u32())).is_some()
            }

            #[unsafe(export_name = concat!("wasmtime_", $name, "_i31_get_s"))]
            pub extern "C" fn get_s(
                context: &Context,
                reference: &RefWords,
                out: &mut MaybeUninit<i32>,
            ) -> bool {
                let value = integer(context, reference);
                value.map(|value| out.write(value.get_i32())).is_some()
            }
        };
    )*};
}

integers! {
    "anyref" "eqref"
}

#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_tag_new(
    context: &Context,
    ty: &ExternType,
    out: &mut MaybeUninit<SplitWords>,
) -> Ptr<Failure> {
    giving(out, || {
        let ty = ty.tag(&context.engine()).ok_or_else(|| Error::msg("the type is not a tag's"))?;
        Ok(Tag::new(context.context(), &ty)?.into())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_tag_type(context: &Context, tag: &SplitWords) -> Ptr<ExternType> {
    attempt(|| {
        let ty = tag.tag(context.context())?.ty(context.context());
        Ok(Box::new(ExternType::new(&runtime::ExternType::Tag(ty))))
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_tag_eq(context: &Context, a: &SplitWords, b: &SplitWords) -> bool {
    let tags = || Ok(a.tag(context.context())? == b.tag(context.context())?);
    attempt(tags) == Some(true)
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtime_exnref_new(
    context: &Context,
    tag: &SplitWords,
    fields: *const Val,
    count: usize,
    out: &mut MaybeUninit<RefWords>,
) -> Ptr<Failure> {
    giving(out, || {
        let mut scope = RootScope::new(context.context());
        let tag = tag.tag(&mut scope)?;
        // SAFETY: see the crate's header.
        let fields = unsafe { array(fields, count) }.iter();
        let fields = fields.map(|field| field.get(&mut scope));
        let fields = fields.collect::<runtime::Result<Vec<_>>>()?;
        let ty = ExnType::from_tag_type(&tag.ty(&scope))?;
        let pre = ExnRefPre::new(&mut scope, ty);
        let exn = ExnRef::new(&mut scope, &pre, &tag, &fields)?;
        RefWords::new(&mut scope, Some(exn))
    })
}

/// Works with an exception that is not null.
fn with_exn<R>(
    context: &Context,
    exn: &RefWords,
    work: impl FnOnce(&mut Scope<'_>, Rooted<ExnRef>) -> runtime::Result<R>,
) -> runtime::Result<R> {
    let mut scope = RootScope::new(context.context());
    let exn = exn.get(&mut scope)?;
    work(&mut scope, exn.ok_or_else(|| Error::msg("the exception is null"))?)
}

#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_exnref_tag(
    context: &Context,
    exn: &RefWords,
    out: &mut MaybeUninit<SplitWords>,
) -> Ptr<Failure> {
    giving(out, || with_exn(context, exn, |scope, exn| Ok(exn.tag(scope)?.into())))
}

#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_exnref_field_count(context: &Context, exn: &RefWords) -> usize {
    attempt(|| {
        with_exn(context, exn, |scope, exn| {
            let tag = exn.tag(&mut *scope)?;
            Ok(tag.ty(scope).ty().params().len())
        })
    })
    .unwrap_or(0)
}

#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_exnref_field(
    context: &Context,
    exn: &RefWords,
    index: usize,
    out: &mut MaybeUninit<Val>,
) -> Ptr<Failure> {
    giving(out, || {
        with_exn(context, exn, |scope, exn| {
            let value = exn.field(&mut *scope, index)?;
            Val::new(scope, value)
        })
    })
}

/// Has a function of C's throw: it returns this.
#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_context_set_exception(context: &Context, exn: &RefWords) -> Ptr<Object> {
    attempt(|| {
        with_exn(context, exn, |scope, exn| {
            let thrown = ThrownException::new(&mut *scope, exn)?;
            Ok(trap::of_host(&Error::from(thrown)))
        })
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_context_take_exception(
    context: &Context,
    out: &mut MaybeUninit<RefWords>,
) -> bool {
    let taken = attempt(|| {
        let mut scope = RootScope::new(context.context());
        let exn = context.context().take_pending_exception();
        exn.map(|exn| RefWords::new(&mut scope, Some(exn))).transpose()
    });
    taken.flatten().map(|exn| out.write(exn)).is_some()
}

#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_context_has_exception(context: &Context) -> bool {
    context.context().has_pending_exception()
}
