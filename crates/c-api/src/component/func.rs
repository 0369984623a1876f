//! Functions that components export.

use std::ffi::c_char;
use std::mem::MaybeUninit;

use runtime::Error;
use zwasm_component::types::ComponentFunc;
use zwasm_component::{Func as RuntimeFunc, wave};

use super::{Instance, Val};
use crate::object::Object;
use crate::store::StoreRef;
use crate::trap::trapping;
use crate::vec::{CVec, Ptr};
use crate::{attempt, guard};

/// `zwasm_component_func_t`
pub struct Func {
    store: StoreRef,
    func: RuntimeFunc,
}

impl Func {
    fn ty(&self) -> runtime::Result<ComponentFunc> {
        self.func.try_ty(self.store.context())
    }
}

/// What is exported under a name: `name`, or `namespace:package/interface#name`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zwasm_component_instance_func(
    instance: &Instance,
    name: *const c_char,
) -> Ptr<Func> {
    attempt(|| {
        // SAFETY: see the crate's header.
        let name = unsafe { crate::string(name) }?;
        let Instance { store, instance } = instance;
        let missing = || Error::msg(format!("no function is exported as {name:?}"));
        let func = instance.get_func(store.context(), name).ok_or_else(missing)?;
        Ok(Box::new(Func { store: store.clone(), func }))
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn zwasm_component_func_delete(func: Ptr<Func>) {
    guard(|| drop(func));
}

#[unsafe(no_mangle)]
pub extern "C" fn zwasm_component_func_param_count(func: &Func) -> usize {
    attempt(|| Ok(func.ty()?.params().len())).unwrap_or(0)
}

#[unsafe(no_mangle)]
pub extern "C" fn zwasm_component_func_result_count(func: &Func) -> usize {
    attempt(|| Ok(func.ty()?.results().len())).unwrap_or(0)
}

/// The name of a parameter.
#[unsafe(no_mangle)]
pub extern "C" fn zwasm_component_func_param_name(
    func: &Func,
    index: usize,
    out: &mut MaybeUninit<CVec<u8>>,
) -> bool {
    let name = attempt(|| {
        let ty = func.ty()?;
        let missing = || Error::msg("there is no such parameter");
        let (name, _) = ty.params().nth(index).ok_or_else(missing)?;
        Ok(CVec::from(name.as_bytes().to_vec()))
    });
    let done = name.is_some();
    out.write(name.unwrap_or_default());
    done
}

/// The arguments of a call that is written as text, `name(1, "x")`; the name is only for
/// errors.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zwasm_component_func_args_from_text(
    func: &Func,
    call: *const c_char,
    out: &mut MaybeUninit<CVec<Val>>,
) -> bool {
    let args = attempt(|| {
        // SAFETY: see the crate's header.
        let call = wave::Call::parse(unsafe { crate::string(call) }?).map_err(Error::msg)?;
        let args = call.args(&func.ty()?).map_err(Error::msg)?;
        let args = args.into_iter().map(|value| Val::from_runtime(&func.store, value));
        Ok(args.collect::<runtime::Result<Vec<_>>>()?.into())
    });
    let done = args.is_some();
    out.write(args.unwrap_or_default());
    done
}

fn call(func: &Func, args: &[Val], results: &mut [MaybeUninit<Val>]) -> runtime::Result<()> {
    let params = args.iter().map(Val::to_runtime).collect::<runtime::Result<Vec<_>>>()?;
    let mut values = vec![zwasm_component::Val::Bool(false); results.len()];
    func.func.call(func.store.context(), &params, &mut values)?;
    let values = values.into_iter().map(|value| Val::from_runtime(&func.store, value));
    let values = values.collect::<runtime::Result<Vec<_>>>()?;
    for (place, value) in results.iter_mut().zip(values) {
        place.write(value);
    }
    Ok(())
}

#[unsafe(no_mangle)]
pub extern "C" fn zwasm_component_func_call(
    func: &Func,
    args: Option<&CVec<Val>>,
    results: Option<&mut CVec<Val>>,
) -> Ptr<Object> {
    // The store and the function live on if C deletes them in a function that is called.
    let func = Func { store: func.store.clone(), func: func.func };
    trapping(&func.store, || {
        let args = args.map_or(&[][..], CVec::as_slice);
        let results = results.map_or(&mut [][..], CVec::places);
        call(&func, args, results)
    })
}
