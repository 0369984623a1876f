//! Linkers: imports by name, as those of `zwasm.h`.

use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;

use runtime::{Engine, Linker as Inner};

use super::error::Failure;
use super::func::{Callback, RawCallback, callback, func_type, raw_callback};
use super::instance::{InstancePre, Out, instantiate};
use super::module::Module;
use super::words::{ExternWords, FuncWords, InstanceWords};
use super::{Context, TrapOut, fallible, giving, name};
use crate::linker::Linker;
use crate::object::{Finalizer, HostInfo};
use crate::store::Data;
use crate::types::ExternType;
use crate::vec::Ptr;
use crate::{attempt, guard};

#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_linker_new(engine: &Engine) -> Ptr<Linker> {
    attempt(|| Ok(Box::new(Linker::new(Inner::new(engine)))))
}

#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_linker_clone(linker: &Linker) -> Ptr<Linker> {
    attempt(|| Ok(Box::new(Linker::new(linker.look()?.clone()))))
}

#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_linker_delete(linker: Ptr<Linker>) {
    guard(|| drop(linker));
}

#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_linker_allow_shadowing(linker: &Linker, allow: bool) {
    attempt(|| {
        linker.change()?.allow_shadowing(allow);
        Ok(())
    });
}

#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_linker_define_unknown_imports_as_traps(
    linker: &Linker,
    module: &Module,
) -> Ptr<Failure> {
    fallible(|| linker.change()?.define_unknown_imports_as_traps(&module.0))
}

#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_linker_define_unknown_imports_as_default_values(
    linker: &Linker,
    context: &Context,
    module: &Module,
) -> Ptr<Failure> {
    fallible(|| {
        let mut linker = linker.change()?;
        linker.define_unknown_imports_as_default_values(context.context(), &module.0)
    })
}

/// The two parts of a name.
///
/// # Safety
///
/// As [`name`].
unsafe fn names<'a>(
    module: *const c_char,
    module_len: usize,
    item: *const c_char,
    item_len: usize,
) -> runtime::Result<(&'a str, &'a str)> {
    // SAFETY: by the contract.
    unsafe { Ok((name(module, module_len)?, name(item, item_len)?)) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtime_linker_define(
    linker: &Linker,
    context: &Context,
    module: *const c_char,
    module_len: usize,
    item: *const c_char,
    item_len: usize,
    of: &ExternWords,
) -> Ptr<Failure> {
    fallible(|| {
        // SAFETY: see the crate's header.
        let (module, item) = unsafe { names(module, module_len, item, item_len) }?;
        let of = of.get(context.context())?;
        linker.change()?.define(context.context(), module, item, of)?;
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtime_linker_define_func(
    linker: &Linker,
    module: *const c_char,
    module_len: usize,
    item: *const c_char,
    item_len: usize,
    ty: &ExternType,
    function: Callback,
    data: *mut c_void,
    finalizer: Finalizer,
) -> Ptr<Failure> {
    let code = callback(function, HostInfo::new(data, finalizer));
    fallible(|| {
        // SAFETY: see the crate's header.
        let (module, item) = unsafe { names(module, module_len, item, item_len) }?;
        let mut linker = linker.change()?;
        let ty = func_type(ty, linker.engine())?;
        linker.func_new(module, item, ty, code)?;
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtime_linker_define_func_unchecked(
    linker: &Linker,
    module: *const c_char,
    module_len: usize,
    item: *const c_char,
    item_len: usize,
    ty: &ExternType,
    function: RawCallback,
    data: *mut c_void,
    finalizer: Finalizer,
) -> Ptr<Failure> {
    let code = raw_callback(function, HostInfo::new(data, finalizer));
    fallible(|| {
        // SAFETY: see the crate's header.
        let (module, item) = unsafe { names(module, module_len, item, item_len) }?;
        let mut linker = linker.change()?;
        let ty = func_type(ty, linker.engine())?;
        // SAFETY: the header demands of C that results are of the function's types.
        unsafe { linker.func_new_unchecked(module, item, ty, code) }?;
        Ok(())
    })
}

/// Defines WASI preview 1; what it grants is the store's.
#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_linker_define_wasi(linker: &Linker) -> Ptr<Failure> {
    fallible(|| linker.define_wasi())
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtime_linker_define_instance(
    linker: &Linker,
    context: &Context,
    module: *const c_char,
    len: usize,
    instance: &InstanceWords,
) -> Ptr<Failure> {
    fallible(|| {
        // SAFETY: see the crate's header.
        let module = unsafe { name(module, len) }?;
        let instance = instance.get(context.context())?;
        linker.change()?.instance(context.context(), module, instance)?;
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_linker_instantiate(
    linker: &Linker,
    context: &Context,
    module: &Module,
    out: Out<'_>,
    trap: TrapOut<'_>,
) -> Ptr<Failure> {
    instantiate(out, trap, || linker.look()?.instantiate(context.context(), &module.0))
}

/// Defines what a module exports, instantiated once or, if it is a command, by each call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtime_linker_module(
    linker: &Linker,
    context: &Context,
    as_module: *const c_char,
    len: usize,
    module: &Module,
) -> Ptr<Failure> {
    fallible(|| {
        // SAFETY: see the crate's header.
        let as_module = unsafe { name(as_module, len) }?;
        linker.change()?.module(context.context(), as_module, &module.0)?;
        Ok(())
    })
}

/// The store, if it is of the linker's engine: functions of the linker's are made in it.
fn same_engine(linker: &Inner<Data>, context: &Context) -> runtime::Result<()> {
    match Engine::same(linker.engine(), &context.engine()) {
        true => Ok(()),
        false => {
            let message = "the linker belongs to another engine than the store";
            Err(runtime::Error::msg(message))
        }
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtime_linker_get_default(
    linker: &Linker,
    context: &Context,
    module: *const c_char,
    len: usize,
    out: &mut MaybeUninit<FuncWords>,
) -> Ptr<Failure> {
    giving(out, || {
        // SAFETY: see the crate's header.
        let module = unsafe { name(module, len) }?;
        let linker = linker.look()?;
        same_engine(&linker, context)?;
        Ok(linker.get_default(context.context(), module)?.into())
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtime_linker_get(
    linker: &Linker,
    context: &Context,
    module: *const c_char,
    module_len: usize,
    item: *const c_char,
    item_len: usize,
    out: &mut MaybeUninit<ExternWords>,
) -> bool {
    let found = attempt(|| {
        // SAFETY: see the crate's header.
        let (module, item) = unsafe { names(module, module_len, item, item_len) }?;
        let linker = linker.look()?;
        same_engine(&linker, context)?;
        linker.get(context.context(), module, item)
    });
    found.map(|item| out.write(item.into())).is_some()
}

#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_linker_instantiate_pre(
    linker: &Linker,
    module: &Module,
    out: &mut MaybeUninit<Ptr<InstancePre>>,
) -> Ptr<Failure> {
    giving(out, || Ok(Some(Box::new(InstancePre(linker.look()?.instantiate_pre(&module.0)?)))))
}
