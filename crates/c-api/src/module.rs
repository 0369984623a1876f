//! Modules: compiling, reflection, serialization, sharing between threads.

use std::mem::MaybeUninit;
use std::sync::Arc;

use runtime::{Engine, Error};

use crate::object::{Body, Object, OwnInfo};
use crate::store::StoreRef;
use crate::types::{ExportType, ImportType};
use crate::vec::{CVec, Ptr};
use crate::{attempt, guard};

/// `wasm_module_t`
pub struct Module {
    pub module: runtime::Module,
    pub info: OwnInfo,
}

/// `wasm_shared_module_t`
pub struct SharedModule(runtime::Module);

/// What a serialized module starts with: a module is compiled as it runs, so that
/// its bytes are all there is to keep.
const SERIALIZED: &[u8] = b"zwasm module 1\n";

fn object(module: runtime::Module) -> Box<Object> {
    Object::free(Body::Module(Arc::new(Module { module, info: OwnInfo::default() })))
}

/// The module that an object is.
///
/// # Errors
///
/// If it is something else.
pub fn module(object: &Object) -> runtime::Result<&runtime::Module> {
    match &object.body {
        Body::Module(module) => Ok(&module.module),
        _ => Err(Error::msg("the object is not a module")),
    }
}

fn compile(engine: &Engine, binary: &CVec<u8>) -> runtime::Result<runtime::Module> {
    runtime::Module::from_binary(engine, binary.as_slice())
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_module_new(store: &StoreRef, binary: &CVec<u8>) -> Ptr<Object> {
    attempt(|| compile(&store.engine(), binary).map(object))
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_module_validate(store: &StoreRef, binary: &CVec<u8>) -> bool {
    attempt(|| compile(&store.engine(), binary)).is_some()
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_module_imports(
    object: &Object,
    out: &mut MaybeUninit<CVec<Ptr<ImportType>>>,
) {
    let imports = attempt(|| {
        let module = module(object)?;
        let new = |import| Some(Box::new(ImportType::new(&import)));
        Ok(module.imports().map(new).collect())
    });
    out.write(imports.unwrap_or_default());
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_module_exports(
    object: &Object,
    out: &mut MaybeUninit<CVec<Ptr<ExportType>>>,
) {
    let exports = attempt(|| {
        let module = module(object)?;
        let new = |export| Some(Box::new(ExportType::new(&export)));
        Ok(module.exports().map(new).collect())
    });
    out.write(exports.unwrap_or_default());
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_module_serialize(object: &Object, out: &mut MaybeUninit<CVec<u8>>) {
    let bytes = attempt(|| Ok(CVec::from([SERIALIZED, module(object)?.binary()].concat())));
    out.write(bytes.unwrap_or_default());
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_module_deserialize(store: &StoreRef, bytes: &CVec<u8>) -> Ptr<Object> {
    attempt(|| {
        let binary = bytes.as_slice().strip_prefix(SERIALIZED);
        let other = || Error::msg("the bytes are not a module serialized by this version");
        runtime::Module::from_binary(&store.engine(), binary.ok_or_else(other)?).map(object)
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_module_share(object: &Object) -> Ptr<SharedModule> {
    attempt(|| Ok(Box::new(SharedModule(module(object)?.clone()))))
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_shared_module_delete(module: Ptr<SharedModule>) {
    guard(|| drop(module));
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_module_obtain(store: &StoreRef, shared: &SharedModule) -> Ptr<Object> {
    attempt(|| {
        let engine = store.engine();
        if Engine::same(&engine, shared.0.engine()) {
            return Ok(object(shared.0.clone()));
        }
        runtime::Module::from_binary(&engine, shared.0.binary()).map(object)
    })
}
