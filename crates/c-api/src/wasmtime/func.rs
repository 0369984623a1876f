//! Functions: calling them, and making them of C's.

use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::Weak;

use runtime::{Engine, Error, Func, FuncType, RootScope, ValRaw};

use super::error::Failure;
use super::val::Val;
use super::words::{ExternWords, FuncWords};
use super::{Context, TrapOut, array, name, places, stopping};
use crate::object::{Finalizer, HostInfo, Object};
use crate::store::Data;
use crate::trap;
use crate::types::ExternType;
use crate::vec::Ptr;
use crate::{attempt, guard_or, outside};

/// `wasmtime_caller_t`
pub struct Caller<'a>(runtime::Caller<'a, Data>);

/// A function of C's over values.
pub type Callback = unsafe extern "C" fn(
    *mut c_void,
    *mut Caller<'_>,
    *const Val,
    usize,
    *mut Val,
    usize,
) -> Ptr<Object>;

/// A function of C's over values without types.
pub type RawCallback =
    unsafe extern "C" fn(*mut c_void, *mut Caller<'_>, *mut ValRaw, usize) -> Ptr<Object>;

/// What the guest calls when it calls a function of C's. That its results are of the right
/// types is found out by who calls this.
pub fn callback(
    callback: Callback,
    env: HostInfo,
) -> impl Fn(runtime::Caller<'_, Data>, &[runtime::Val], &mut [runtime::Val]) -> runtime::Result<()>
+ Send
+ Sync
+ 'static {
    move |mut caller, params, results| {
        let mut values = Vec::with_capacity(params.len() + results.len());
        for value in params {
            values.push(Val::new(&mut caller, *value)?);
        }
        values.resize_with(params.len() + results.len(), Val::default);
        let (args, out) = values.split_at_mut(params.len());
        let mut caller = Caller(caller);
        let trap = outside(|| {
            let (args, nargs) = (args.as_ptr(), args.len());
            // SAFETY: the function takes arrays of values and gives a trap or null.
            unsafe {
                let (out, nout) = (out.as_mut_ptr(), out.len());
                callback(env.data(), &mut caller, args, nargs, out, nout)
            }
        });
        trap::raised(trap)?;
        for (value, result) in out.iter().zip(results) {
            *result = value.get(&mut caller.0)?;
        }
        Ok(())
    }
}

/// The same without types.
pub fn raw_callback(
    callback: RawCallback,
    env: HostInfo,
) -> impl Fn(runtime::Caller<'_, Data>, &mut [MaybeUninit<ValRaw>]) -> runtime::Result<()>
+ Send
+ Sync
+ 'static {
    move |caller, row| {
        let mut caller = Caller(caller);
        // SAFETY: as above; C answers for the results.
        trap::raised(outside(|| unsafe {
            callback(env.data(), &mut caller, row.as_mut_ptr().cast(), row.len())
        }))
    }
}

/// A function's type in an engine.
///
/// # Errors
///
/// If it is the type of something else, or names a type of another engine.
pub fn func_type(ty: &ExternType, engine: &Engine) -> runtime::Result<FuncType> {
    let ty = ty.func(engine).ok_or_else(|| Error::msg("the type is not a function's"))?;
    match Engine::same(ty.engine(), engine) {
        true => Ok(ty),
        false => Err(Error::msg("the function's type is of the wrong engine")),
    }
}

/// Writes a new function, or null if there is none.
fn make(
    context: &Context,
    ty: &ExternType,
    out: &mut MaybeUninit<FuncWords>,
    make: impl FnOnce(FuncType) -> runtime::Result<Func>,
) {
    let func = attempt(|| make(func_type(ty, &context.engine())?));
    out.write(func.map_or(FuncWords::NULL, FuncWords::from));
}

#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_func_new(
    context: &Context,
    ty: &ExternType,
    function: Callback,
    env: *mut c_void,
    finalizer: Finalizer,
    out: &mut MaybeUninit<FuncWords>,
) {
    let code = callback(function, HostInfo::new(env, finalizer));
    make(context, ty, out, |ty| Func::try_new(context.context(), ty, code));
}

#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_func_new_unchecked(
    context: &Context,
    ty: &ExternType,
    function: RawCallback,
    env: *mut c_void,
    finalizer: Finalizer,
    out: &mut MaybeUninit<FuncWords>,
) {
    let code = raw_callback(function, HostInfo::new(env, finalizer));
    make(context, ty, out, |ty| {
        // SAFETY: the header demands of C that results are of the function's types.
        Ok(unsafe { Func::new_unchecked(context.context(), ty, code) })
    });
}

#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_func_type(context: &Context, func: &FuncWords) -> Ptr<ExternType> {
    attempt(|| {
        let func = func.get(context.context())?;
        Ok(Box::new(ExternType::from_func(&func.ty(context.context()))))
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtime_func_call(
    context: &Context,
    func: &FuncWords,
    args: *const Val,
    nargs: usize,
    results: *mut MaybeUninit<Val>,
    nresults: usize,
    trap: TrapOut<'_>,
) -> Ptr<Failure> {
    stopping(trap, || {
        let func = func.get(context.context())?;
        let mut scope = RootScope::new(context.context());
        let mut values = Vec::with_capacity(nargs + nresults);
        // SAFETY: see the crate's header.
        for value in unsafe { array(args, nargs) } {
            values.push(value.get(&mut scope)?);
        }
        values.resize(nargs + nresults, runtime::Val::I32(0));
        let (args, out) = values.split_at_mut(nargs);
        func.call(&mut scope, args, out)?;
        let out = out.iter().map(|value| Val::new(&mut scope, *value));
        let out = out.collect::<runtime::Result<Vec<Val>>>()?;
        // SAFETY: likewise.
        for (place, value) in unsafe { places(results, nresults) }.iter_mut().zip(out) {
            place.write(value);
        }
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtime_func_call_unchecked(
    context: &Context,
    func: &FuncWords,
    args_and_results: *mut ValRaw,
    len: usize,
    trap: TrapOut<'_>,
) -> Ptr<Failure> {
    stopping(trap, || {
        let func = func.get(context.context())?;
        let row = ptr::slice_from_raw_parts_mut(args_and_results, len);
        // SAFETY: the header demands of C that arguments are of the function's types.
        unsafe { func.call_unchecked(context.context(), row) }
    })
}

/// The function as a pointer for a value without type; null for the null reference.
#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_func_to_raw(context: &Context, func: &FuncWords) -> *mut c_void {
    let raw = || {
        let func = func.get_nullable(context.context())?;
        Ok(func.map_or(ptr::null_mut(), |func| func.to_raw(context.context())))
    };
    guard_or(ptr::null_mut, || {
        raw().unwrap_or_else(|error: Error| {
            crate::set_last_error(&error.summary());
            ptr::null_mut()
        })
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_func_from_raw(
    context: &Context,
    raw: *mut c_void,
    out: &mut MaybeUninit<FuncWords>,
) {
    // SAFETY: a pointer that is no function's of this store is looked up like any other.
    let func = attempt(|| Ok(unsafe { Func::from_raw(context.context(), raw) }));
    out.write(func.flatten().map_or(FuncWords::NULL, FuncWords::from));
}

/// The context of the store that calls.
#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_caller_context(caller: &Caller<'_>) -> *const Context {
    Weak::as_ptr(&caller.0.data().store)
}

/// Writes what the calling instance exports under a name.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtime_caller_export_get(
    caller: &mut Caller<'_>,
    export: *const c_char,
    len: usize,
    out: &mut MaybeUninit<ExternWords>,
) -> bool {
    let found = attempt(|| {
        // SAFETY: see the crate's header.
        let export = unsafe { name(export, len) }?;
        Ok(caller.0.get_export(export))
    });
    found.flatten().map(|item| out.write(item.into())).is_some()
}
