//! Modules.

use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;

use runtime::Engine;

use super::error::Failure;
use super::{array, fallible, giving};
use crate::types::{ExportType, ImportType};
use crate::vec::{CVec, Ptr};
use crate::{attempt, guard};

/// `wasmtime_module_t`
pub struct Module(pub runtime::Module);

type Out<'a> = &'a mut MaybeUninit<Ptr<Module>>;

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtime_module_new(
    engine: &Engine,
    wasm: *const u8,
    len: usize,
    out: Out<'_>,
) -> Ptr<Failure> {
    giving(out, || {
        // SAFETY: see the crate's header.
        let module = runtime::Module::from_binary(engine, unsafe { array(wasm, len) })?;
        Ok(Some(Box::new(Module(module))))
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtime_module_validate(
    engine: &Engine,
    wasm: *const u8,
    len: usize,
) -> Ptr<Failure> {
    fallible(|| {
        // SAFETY: see the crate's header.
        runtime::Module::from_binary(engine, unsafe { array(wasm, len) }).map(drop)
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_module_delete(module: Ptr<Module>) {
    guard(|| drop(module));
}

#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_module_clone(module: &Module) -> Ptr<Module> {
    attempt(|| Ok(Box::new(Module(module.0.clone()))))
}

#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_module_imports(
    module: &Module,
    out: &mut MaybeUninit<CVec<Ptr<ImportType>>>,
) {
    let new = |import| Some(Box::new(ImportType::new(&import)));
    out.write(guard(|| module.0.imports().map(new).collect()));
}

#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_module_exports(
    module: &Module,
    out: &mut MaybeUninit<CVec<Ptr<ExportType>>>,
) {
    let new = |export| Some(Box::new(ExportType::new(&export)));
    out.write(guard(|| module.0.exports().map(new).collect()));
}

#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_module_serialize(
    module: &Module,
    out: &mut MaybeUninit<CVec<u8>>,
) -> Ptr<Failure> {
    giving(out, || Ok(module.0.serialize()?.into()))
}

/// From what `wasmtime_module_serialize` gave; anything else is an error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtime_module_deserialize(
    engine: &Engine,
    bytes: *const u8,
    len: usize,
    out: Out<'_>,
) -> Ptr<Failure> {
    giving(out, || {
        // SAFETY: see the crate's header.
        let bytes = unsafe { array(bytes, len) };
        Ok(Some(Box::new(Module(runtime::Module::deserialize(engine, bytes)?))))
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtime_module_deserialize_file(
    engine: &Engine,
    path: *const c_char,
    out: Out<'_>,
) -> Ptr<Failure> {
    giving(out, || {
        // SAFETY: see the crate's header.
        let path = unsafe { crate::string(path) }?;
        Ok(Some(Box::new(Module(runtime::Module::deserialize_file(engine, path)?))))
    })
}

/// Where the module's image lies.
#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_module_image_range(
    module: &Module,
    start: &mut MaybeUninit<*const c_void>,
    end: &mut MaybeUninit<*const c_void>,
) {
    let range = module.0.image_range();
    start.write(range.start.cast());
    end.write(range.end.cast());
}

/// Writes the binary form of a module given as text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtime_wat2wasm(
    text: *const c_char,
    len: usize,
    out: &mut MaybeUninit<CVec<u8>>,
) -> Ptr<Failure> {
    giving(out, || {
        // SAFETY: see the crate's header.
        crate::text::assemble(unsafe { super::name(text, len) }?)
    })
}
