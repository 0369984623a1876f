//! Instances, and modules whose imports have been looked up.

use std::ffi::c_char;
use std::mem::MaybeUninit;

use runtime::{Extern, Instance};

use super::error::Failure;
use super::module::Module;
use super::words::{ExternWords, InstanceWords};
use super::{Context, TrapOut, array, name, stopping};
use crate::store::Data;
use crate::vec::Ptr;
use crate::{attempt, guard};

pub type Out<'a> = &'a mut MaybeUninit<InstanceWords>;

/// Makes an instance and writes it.
pub fn instantiate(
    out: Out<'_>,
    trap: TrapOut<'_>,
    make: impl FnOnce() -> runtime::Result<Instance>,
) -> Ptr<Failure> {
    stopping(trap, || {
        out.write(make()?.into());
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtime_instance_new(
    context: &Context,
    module: &Module,
    imports: *const ExternWords,
    count: usize,
    out: Out<'_>,
    trap: TrapOut<'_>,
) -> Ptr<Failure> {
    instantiate(out, trap, || {
        // SAFETY: see the crate's header.
        let imports = unsafe { array(imports, count) }.iter();
        let imports = imports.map(|item| item.get(context.context()));
        let imports = imports.collect::<runtime::Result<Vec<Extern>>>()?;
        Instance::new(context.context(), &module.0, &imports)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtime_instance_export_get(
    context: &Context,
    instance: &InstanceWords,
    export: *const c_char,
    len: usize,
    out: &mut MaybeUninit<ExternWords>,
) -> bool {
    let found = attempt(|| {
        // SAFETY: see the crate's header.
        let export = unsafe { name(export, len) }?;
        Ok(instance.get(context.context())?.get_export(context.context(), export))
    });
    found.flatten().map(|item| out.write(item.into())).is_some()
}

/// Writes the export at a place, and its name, which is the module's.
#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_instance_export_nth(
    context: &Context,
    instance: &InstanceWords,
    index: usize,
    name: &mut MaybeUninit<*const c_char>,
    len: &mut MaybeUninit<usize>,
    out: &mut MaybeUninit<ExternWords>,
) -> bool {
    let found = attempt(|| {
        let instance = instance.get(context.context())?;
        let Some(export) = instance.nth_export(context.context(), index)? else {
            return Ok(None);
        };
        name.write(export.name().as_ptr().cast());
        len.write(export.name().len());
        Ok(Some(out.write(export.into_extern().into())))
    });
    found.flatten().is_some()
}

/// `wasmtime_instance_pre_t`
pub struct InstancePre(pub runtime::InstancePre<Data>);

#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_instance_pre_delete(pre: Ptr<InstancePre>) {
    guard(|| drop(pre));
}

#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_instance_pre_instantiate(
    pre: &InstancePre,
    context: &Context,
    out: Out<'_>,
    trap: TrapOut<'_>,
) -> Ptr<Failure> {
    instantiate(out, trap, || pre.0.instantiate(context.context()))
}

/// The module, for the caller to delete.
#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_instance_pre_module(pre: &InstancePre) -> Ptr<Module> {
    attempt(|| Ok(Box::new(Module(pre.0.module().clone()))))
}
