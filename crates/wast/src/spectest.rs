//! The host modules that scripts import.
//!
//! What `spectest` exports is fixed by the reference interpreter; its functions
//! print there and do nothing here. Scripts of wasmtime import a function that
//! collects garbage, which may do nothing as well. Their components import an instance
//! `host` with a few functions and resources.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use zwasm::{
    Error, FuncType, Global, GlobalType, Linker, Memory, MemoryType, Module, Mutability, Ref,
    RefType, Result, SharedMemory, Store, Table, TableType, Val, ValType,
};
use zwasm_component::{self as component, Resource, ResourceType};

/// Defines the modules in `linker`, their items living in `store`.
///
/// # Errors
/// When the engine cannot create one of the items.
pub(crate) fn define(store: &mut Store<()>, linker: &mut Linker<()>) -> Result<()> {
    use ValType::{F32, F64, I32, I64};
    let functions: [(&str, &[ValType]); 7] = [
        ("print", &[]),
        ("print_i32", &[I32]),
        ("print_i64", &[I64]),
        ("print_f32", &[F32]),
        ("print_f64", &[F64]),
        ("print_i32_f32", &[I32, F32]),
        ("print_f64_f64", &[F64, F64]),
    ];
    for (name, parameters) in functions {
        let ty = FuncType::new(linker.engine(), parameters.iter().cloned(), []);
        linker.func_new("spectest", name, ty, |_, _, _| Ok(()))?;
    }
    linker.func_wrap("wasmtime", "gc", || {})?;
    let globals = [
        ("global_i32", I32, Val::I32(666)),
        ("global_i64", I64, Val::I64(666)),
        ("global_f32", F32, Val::F32(666.6_f32.to_bits())),
        ("global_f64", F64, Val::F64(666.6_f64.to_bits())),
    ];
    for (name, ty, value) in globals {
        let global = Global::new(&mut *store, GlobalType::new(ty, Mutability::Const), value)?;
        linker.define(&mut *store, "spectest", name, global)?;
    }
    let tables = [
        ("table", TableType::new(RefType::FUNCREF, 10, Some(20))),
        ("table64", TableType::new64(RefType::FUNCREF, 10, Some(20))),
    ];
    for (name, ty) in tables {
        let table = Table::new(&mut *store, ty, Ref::Func(None))?;
        linker.define(&mut *store, "spectest", name, table)?;
    }
    let memory = Memory::new(&mut *store, MemoryType::new(1, Some(2)))?;
    linker.define(&mut *store, "spectest", "memory", memory)?;
    let shared = SharedMemory::new(store.engine(), MemoryType::shared(1, 2))?;
    linker.define(&mut *store, "spectest", "shared_memory", shared)?;
    Ok(())
}

/// Defines what scripts of components import from the host, as wasmtime has it.
///
/// # Errors
/// When a name is taken.
pub(crate) fn define_for_components(linker: &mut component::Linker<()>) -> Result<()> {
    let engine = linker.engine().clone();
    let mut root = linker.root();
    root.func_wrap("host-echo-u32", |_, (value,): (u32,)| Ok((value,)))?;
    root.func_wrap("host-return-two", |_, (): ()| Ok((2_u32,)))?;
    let mut host = linker.instance("host")?;
    host.func_wrap("return-three", |_, (): ()| Ok((3_u32,)))?;
    host.func_wrap("return-hi", |_, (): ()| Ok(("hi".to_string(),)))?;
    host.instance("nested")?.func_wrap("return-four", |_, (): ()| Ok((4_u32,)))?;
    host.module("simple-module", &Module::new(&engine, SIMPLE_MODULE)?)?;
    define_resources(&mut host)
}

const SIMPLE_MODULE: &str = r#"(module
  (global (export "g") i32 (i32.const 100))
  (func (export "f") (result i32) (i32.const 101)))"#;

/// A resource of the host, whose handles' numbers are the guest's choice.
struct Resource1;

/// Another one, that nothing is known of.
struct Resource2;

fn define_resources(host: &mut component::LinkerInstance<'_, ()>) -> Result<()> {
    /// How many were dropped, and which one last.
    #[derive(Default)]
    struct Dropped {
        count: AtomicU32,
        last: AtomicU32,
    }
    let dropped = Arc::new(Dropped::default());
    let ty = ResourceType::host::<Resource1>();
    let seen = dropped.clone();
    host.resource("resource1", ty, move |_, rep| {
        seen.count.fetch_add(1, Ordering::Relaxed);
        seen.last.store(rep, Ordering::Relaxed);
        Ok(())
    })?;
    host.resource("resource2", ResourceType::host::<Resource2>(), |_, _| Ok(()))?;
    host.resource("resource1-again", ty, |_, _| {
        Err(Error::msg("the resource is destroyed under its other name"))
    })?;
    let right = |right: bool| match right {
        true => Ok(()),
        false => Err(Error::msg("another resource was expected")),
    };
    type One = Resource<Resource1>;
    host.func_wrap("[constructor]resource1", |_, (rep,): (u32,)| Ok((One::new_own(rep),)))?;
    host.func_wrap("[static]resource1.assert", move |_, (one, rep): (One, u32)| {
        right(one.rep() == rep)
    })?;
    let seen = dropped.clone();
    host.func_wrap("[static]resource1.last-drop", move |_, (): ()| {
        Ok((seen.last.load(Ordering::Relaxed),))
    })?;
    host.func_wrap("[static]resource1.drops", move |_, (): ()| {
        Ok((dropped.count.load(Ordering::Relaxed),))
    })?;
    host.func_wrap("[method]resource1.simple", move |_, (one, rep): (One, u32)| {
        right(!one.owned() && one.rep() == rep)
    })?;
    host.func_wrap("[method]resource1.take-borrow", move |_, (one, other): (One, One)| {
        right(!one.owned() && !other.owned())
    })?;
    host.func_wrap("[method]resource1.take-own", move |_, (one, other): (One, One)| {
        right(!one.owned() && other.owned())
    })
}
