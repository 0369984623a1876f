//! Functions: calling them, and making them of C's.

use std::ffi::c_void;
use std::mem::MaybeUninit;

use runtime::{AsContext, Caller, Error, Extern, Func, FuncType, RootScope};

use crate::object::{Body, Finalizer, HostInfo, Object};
use crate::store::{Data, StoreRef};
use crate::trap::{self, trapping};
use crate::types::{ExternType, ValType};
use crate::value::Val;
use crate::vec::{CVec, Ptr};
use crate::{attempt, guard};

/// A function of C's.
type Callback = unsafe extern "C" fn(*const CVec<Val>, *mut CVec<Val>) -> Ptr<Object>;

/// A function of C's that gets a pointer of its own.
type CallbackWithEnv =
    unsafe extern "C" fn(*mut c_void, *const CVec<Val>, *mut CVec<Val>) -> Ptr<Object>;

/// Calls a function of C's on behalf of the guest.
fn called(
    mut caller: Caller<'_, Data>,
    ty: &FuncType,
    params: &[runtime::Val],
    results: &mut [runtime::Val],
    call: impl FnOnce(*const CVec<Val>, *mut CVec<Val>) -> Ptr<Object>,
) -> runtime::Result<()> {
    let store = StoreRef::of(caller.data())?;
    let mut args = Vec::with_capacity(params.len());
    for value in params {
        args.push(Val::from_runtime(&store, &mut caller, *value)?);
    }
    let args = CVec::from(args);
    let zero = |ty| Val::zero(ValType::new(ty).kind());
    let mut out: CVec<Val> = ty.results().map(zero).collect();
    trap::raised(crate::outside(|| call(&args, &mut out)))?;
    for ((value, ty), result) in out.as_slice().iter().zip(ty.results()).zip(results) {
        *result = value.to_runtime(&mut caller, &ty)?;
    }
    Ok(())
}

fn new(
    store: &StoreRef,
    ty: &ExternType,
    call: impl Fn(*const CVec<Val>, *mut CVec<Val>) -> Ptr<Object> + Send + Sync + 'static,
) -> runtime::Result<Box<Object>> {
    let ty = ty.func(&store.engine()).ok_or_else(|| Error::msg("the type is not a function's"))?;
    let own = ty.clone();
    let func = Func::try_new(store.context(), ty, move |caller, params, results| {
        called(caller, &own, params, results, &call)
    })?;
    Ok(Object::of_store(store, Body::Extern(Extern::Func(func))))
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_func_new(
    store: &StoreRef,
    ty: &ExternType,
    callback: Callback,
) -> Ptr<Object> {
    attempt(|| {
        // SAFETY: the function takes vectors of values and gives a trap or null.
        new(store, ty, move |args, results| unsafe { callback(args, results) })
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_func_new_with_env(
    store: &StoreRef,
    ty: &ExternType,
    callback: CallbackWithEnv,
    env: *mut c_void,
    finalizer: Finalizer,
) -> Ptr<Object> {
    let env = HostInfo::new(env, finalizer);
    attempt(|| {
        // SAFETY: as above; the function knows what its pointer is.
        new(store, ty, move |args, results| unsafe { callback(env.data(), args, results) })
    })
}

/// The store and the function that an object is.
fn func(object: &Object) -> runtime::Result<(&StoreRef, Func)> {
    match object.external() {
        Some((store, Extern::Func(func))) => Ok((store, *func)),
        _ => Err(Error::msg("the object is not a function")),
    }
}

fn func_type(object: &Object) -> runtime::Result<FuncType> {
    let (store, func) = func(object)?;
    Ok(func.ty(store.context()))
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_func_type(object: &Object) -> Ptr<ExternType> {
    attempt(|| {
        let (store, func) = func(object)?;
        let context = store.context();
        Ok(Box::new(ExternType::from_func(&func.ty(context.as_context()))))
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_func_param_arity(object: &Object) -> usize {
    attempt(|| func_type(object)).map_or(0, |ty| ty.params().len())
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_func_result_arity(object: &Object) -> usize {
    attempt(|| func_type(object)).map_or(0, |ty| ty.results().len())
}

fn call(
    store: &StoreRef,
    func: Func,
    args: &[Val],
    results: &mut [MaybeUninit<Val>],
) -> runtime::Result<()> {
    let mut scope = RootScope::new(store.context());
    let ty = func.ty(&scope);
    let count = |what, want: usize, got: usize| {
        let message = || Error::msg(format!("expected {want} {what}, got {got}"));
        if want == got { Ok(()) } else { Err(message()) }
    };
    count("arguments", ty.params().len(), args.len())?;
    count("results", ty.results().len(), results.len())?;
    let mut params = Vec::with_capacity(args.len());
    for (value, ty) in args.iter().zip(ty.params()) {
        params.push(value.to_runtime(&mut scope, &ty)?);
    }
    let mut values = vec![runtime::Val::I32(0); results.len()];
    func.call(&mut scope, &params, &mut values)?;
    let mut out = Vec::with_capacity(values.len());
    for value in values {
        out.push(Val::from_runtime(store, &mut scope, value)?);
    }
    for (place, value) in results.iter_mut().zip(out) {
        place.write(value);
    }
    Ok(())
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_func_call(
    object: &Object,
    args: Option<&CVec<Val>>,
    results: Option<&mut CVec<Val>>,
) -> Ptr<Object> {
    let (store, func) = guard(|| func(object).ok().map(|(store, func)| (store.clone(), func)))?;
    trapping(&store, || {
        let args = args.map_or(&[][..], CVec::as_slice);
        let results = results.map_or(&mut [][..], CVec::places);
        call(&store, func, args, results)
    })
}
