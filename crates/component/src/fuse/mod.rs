//! Calls from guest to guest as generated code.
//!
//! A function that one instance imports from another becomes a core module of its own: an
//! *adapter*, which imports both guests' memories and `realloc`s, checks and copies what
//! is passed, and calls. It runs in the tiers like any module, so that a call with numbers
//! costs two calls and a load, and no word of the host's. What it does is what
//! `abi::transfer` does, in the same order, and that is what remains of it: types with
//! handles, with lists of anything but numbers, strings that change their encoding, calls
//! between components that know nothing of each other, variants of very many cases.
//!
//! The flags: whether an instance may leave is a variable (a global) that adapters share
//! with the host once there is one; before that it is the host's alone. An adapter reads
//! its caller's, and clears and sets a guest's around `realloc` and `post-return` as the
//! host does. There is none to read for entering: within a component the host has entered
//! all of it, and a call that could come back to its caller is no adapter but traps. Calls
//! that lend handles, which have a scope, have no adapter.
//!
//! A trap in an adapter is a call of the host with a number, which makes the error; what a
//! guest throws ends in one, too. Text that is not ASCII is checked by the host.
//!
//! Equal code is one module of the component, so that one with a hundred functions over
//! the same types compiles one, and the next store finds it compiled.
//!
//! Why a module per function, and not one per component: functions are lowered between
//! the core instances that need them, and those to call come into being in between.

mod adapter;
mod bytes;
mod emit;
mod trap;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use zwasm::{
    AsContextMut, Caller, Engine, Error, Extern, Func, FuncType, Instance, Memory, Module, Result,
    StoreContextMut, ValType,
};

use self::adapter::{Call, Need};
use crate::abi::signature::Signature;
use crate::abi::validate_utf8;
use crate::state::{Components, Lifted, Options, shared_flag};
use crate::tuning::MAX_ADAPTER_MODULES;
use crate::types::Types;

/// Bytes of a page, unless a memory has pages of its own.
const PAGE_SIZE: u64 = 1 << 16;

/// The adapters of a component, which all its instances share, whatever their stores.
#[derive(Default)]
pub(crate) struct Adapters(Mutex<HashMap<Vec<u8>, Module>>);

impl Adapters {
    fn modules(&self) -> MutexGuard<'_, HashMap<Vec<u8>, Module>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The module of an adapter. Nothing if the engine has switched off what it needs.
    fn module(
        &self,
        engine: &Engine,
        bytes: Vec<u8>,
        two_memories: bool,
    ) -> Result<Option<Module>> {
        if let Some(module) = self.modules().get(&bytes) {
            return Ok(Some(module.clone()));
        }
        let module = match Module::from_binary(engine, &bytes) {
            Ok(module) => module,
            Err(_) if two_memories => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut modules = self.modules();
        if modules.len() < MAX_ADAPTER_MODULES {
            modules.insert(bytes, module.clone());
        }
        Ok(Some(module))
    }

    /// How many there are.
    #[cfg(test)]
    pub(crate) fn count(&self) -> usize {
        self.modules().len()
    }
}

impl fmt::Debug for Adapters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Adapters").field(&self.modules().len()).finish()
    }
}

/// A core function that calls a function of another instance of the same component, if
/// the function is one to have an adapter. Both know it by the same types.
///
/// # Errors
///
/// If what it is made of cannot be.
pub(crate) fn adapt<T: 'static>(
    mut store: StoreContextMut<'_, T>,
    types: &Types,
    signature: &Signature,
    caller: &Options,
    callee: &Lifted,
) -> Result<Option<Func>> {
    let post_return = callee.post_return.is_some();
    let exceptions = store.engine().component_features().exceptions();
    let call = Call { types, signature, caller, callee: &callee.options, post_return, exceptions };
    let Ok(adapter::Module { bytes, needs }) = adapter::make(&call) else { return Ok(None) };
    let Some(imports) = imports(&mut store, &needs, caller, callee)? else { return Ok(None) };
    let two_memories = needs.contains(&Need::CallerMemory);
    let Some(module) = types.adapters.module(store.engine(), bytes, two_memories)? else {
        return Ok(None);
    };
    let instance = Instance::new(store.as_context_mut(), &module, &imports)?;
    Ok(instance.get_func(store, ""))
}

fn imports<T: 'static>(
    store: &mut StoreContextMut<'_, T>,
    needs: &[Need],
    caller: &Options,
    callee: &Lifted,
) -> Result<Option<Vec<Extern>>> {
    let mut imports = Vec::with_capacity(needs.len());
    for need in needs {
        let import: Option<Extern> = match need {
            Need::Callee => Some(callee.core.func().into()),
            Need::Trap => Some(trap_func(store)?.into()),
            Need::CallerFlag => Some(shared_flag(store, caller.instance)?.into()),
            Need::CalleeFlag => Some(shared_flag(store, callee.options.instance)?.into()),
            Need::CallerMemory => memory(store, caller.memory),
            Need::CalleeMemory => memory(store, callee.options.memory),
            Need::CallerRealloc => caller.realloc.map(|func| func.func().into()),
            Need::CalleeRealloc => callee.options.realloc.map(|func| func.func().into()),
            Need::CallerUtf8 => utf8_func(store, caller.memory)?.map(Extern::from),
            Need::CalleeUtf8 => utf8_func(store, callee.options.memory)?.map(Extern::from),
            Need::PostReturn => callee.post_return.map(|func| func.func().into()),
        };
        match import {
            Some(import) => imports.push(import),
            // The function needs what its options do not have; its calls say so.
            None => return Ok(None),
        }
    }
    Ok(Some(imports))
}

/// A memory that adapters know how to measure.
fn memory<T>(store: &StoreContextMut<'_, T>, memory: Option<Memory>) -> Option<Extern> {
    let memory = memory.filter(|memory| memory.ty(store).page_size() == PAGE_SIZE)?;
    Some(memory.into())
}

/// The function that adapters call to trap.
fn trap_func<T: 'static>(store: &mut StoreContextMut<'_, T>) -> Result<Func> {
    if let Some(func) = store.attachment::<Components>().trap {
        return Ok(func);
    }
    let ty = FuncType::new(store.engine(), [ValType::I32], []);
    let func = Func::from_slots(store.as_context_mut(), ty, |_: Caller<'_, T>, slots| {
        Err(Error::trap_msg(trap::message(slots[0] as u32)))
    })?;
    store.attachment::<Components>().trap = Some(func);
    Ok(func)
}

/// A function that traps unless bytes of a memory are UTF-8.
fn utf8_func<T: 'static>(
    store: &mut StoreContextMut<'_, T>,
    memory: Option<Memory>,
) -> Result<Option<Func>> {
    let Some(memory) = memory else { return Ok(None) };
    let ty = FuncType::new(store.engine(), [ValType::I32, ValType::I32], []);
    let func = move |mut caller: Caller<'_, T>, slots: &mut [u64]| {
        let memory = memory.data(&mut caller);
        let (address, length) = (slots[0] as u32 as usize, slots[1] as u32 as usize);
        let bytes = memory.get(address..).and_then(|memory| memory.get(..length));
        validate_utf8(bytes.unwrap_or_default())
    };
    Func::from_slots(store.as_context_mut(), ty, func).map(Some)
}
