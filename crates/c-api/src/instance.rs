//! Instances.

use std::ffi::c_char;
use std::mem::MaybeUninit;

use runtime::{Error, Export, Extern, Instance};

use crate::attempt;
use crate::module::module;
use crate::object::{Body, Object};
use crate::store::StoreRef;
use crate::trap::trapping;
use crate::vec::{CVec, Ptr};

/// Where the reason why there is no instance goes, if the caller wants it.
pub type TrapOut<'a> = Option<&'a mut MaybeUninit<Ptr<Object>>>;

/// Makes an instance, or else writes a trap.
pub fn instantiate(
    store: &StoreRef,
    out: TrapOut<'_>,
    make: impl FnOnce() -> runtime::Result<Instance>,
) -> Ptr<Object> {
    let mut instance = None;
    let trap = trapping(store, || {
        instance = Some(Object::of_store(store, Body::Instance(make()?)));
        Ok(())
    });
    if let Some(out) = out {
        out.write(trap);
    }
    instance
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_instance_new(
    store: &StoreRef,
    object: &Object,
    imports: Option<&CVec<Ptr<Object>>>,
    trap: TrapOut<'_>,
) -> Ptr<Object> {
    // The store lives on if C deletes it in a function that is called here.
    let store = store.clone();
    instantiate(&store, trap, || {
        let external = |import: &Ptr<Object>| -> runtime::Result<Extern> {
            let import = import.as_deref().and_then(Object::external);
            let missing = || Error::msg("an import is null or cannot be imported");
            import.map(|(_, item)| item.clone()).ok_or_else(missing)
        };
        let imports = imports.map_or(&[][..], CVec::as_slice);
        let imports = imports.iter().map(external).collect::<runtime::Result<Vec<Extern>>>()?;
        Instance::new(store.context(), module(object)?, &imports)
    })
}

/// The store and the instance that an object is.
///
/// # Errors
///
/// If it is something else.
pub fn instance(object: &Object) -> runtime::Result<(&StoreRef, Instance)> {
    object.instance().ok_or_else(|| Error::msg("the object is not an instance"))
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_instance_exports(object: &Object, out: &mut MaybeUninit<CVec<Ptr<Object>>>) {
    let exports = attempt(|| {
        let (store, instance) = instance(object)?;
        let mut context = store.context();
        let exports = instance.exports(&mut context);
        let own =
            |export: Export| Some(Object::of_store(store, Body::Extern(export.into_extern())));
        Ok(exports.map(own).collect())
    });
    out.write(exports.unwrap_or_default());
}

/// What is exported under a name.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zwasm_instance_export(
    object: &Object,
    name: *const c_char,
) -> Ptr<Object> {
    attempt(|| {
        let (store, instance) = instance(object)?;
        // SAFETY: see the crate's header.
        let name = unsafe { crate::string(name) }?;
        let missing = || Error::msg(format!("nothing is exported as {name:?}"));
        let item = instance.get_export(store.context(), name).ok_or_else(missing)?;
        Ok(Object::of_store(store, Body::Extern(item)))
    })
}
