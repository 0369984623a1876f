//! What an embedder can do wrong in safe Rust ends in an error, never in the guest's
//! reach beyond itself.
#![cfg(feature = "wat")]

use std::cell::Cell;
use zwasm::{
    AsContext, AsContextMut, Config, Engine, Func, FuncType, Linker, Module, Store, StoreContext,
    StoreContextMut, Strategy, Val, ValType,
};

const STRATEGIES: [Strategy; 4] =
    [Strategy::Interpreter, Strategy::Baseline, Strategy::Auto, Strategy::Mixed(1)];

fn engines() -> impl Iterator<Item = Engine> {
    STRATEGIES.into_iter().filter_map(|strategy| {
        let mut config = Config::new();
        config.strategy(strategy);
        Engine::new(&config).ok()
    })
}

#[test]
fn narrow_results_in_raw_slots_lose_their_upper_half() {
    for engine in engines() {
        let mut linker = Linker::<()>::new(&engine);
        let ty = FuncType::new([], [ValType::I32, ValType::I64, ValType::F32]);
        linker
            .func_slots("host", "dirty", ty, |_, slots| {
                slots.copy_from_slice(&[u64::MAX - 0xFFF0, u64::MAX, 0xFFFF_FFFF_3F80_0000]);
                Ok(())
            })
            .unwrap();
        let module = Module::new(
            &engine,
            r#"(module
                 (import "host" "dirty" (func $dirty (result i32 i64 f32)))
                 (memory 1)
                 (func (export "address") (result i32)
                   (local i32) (local.set 0 (call $dirty) (drop) (drop))
                   (i32.load (local.get 0)))
                 (func (export "wide") (result i64)
                   (local i32) (local.set 0 (call $dirty) (drop) (drop))
                   (i64.extend_i32_u (local.get 0)))
                 (func (export "long") (result i64)
                   (local i64) (call $dirty) (drop) (local.set 0) (drop) (local.get 0)))"#,
        )
        .unwrap();
        let mut store = Store::new(&engine, ());
        let instance = linker.instantiate(&mut store, &module).unwrap();
        let address = instance.get_typed_func::<(), i32>(&mut store, "address").unwrap();
        assert!(address.call(&mut store, ()).is_err());
        let wide = instance.get_typed_func::<(), u64>(&mut store, "wide").unwrap();
        assert_eq!(wide.call(&mut store, ()).unwrap(), 0xFFFF_000F);
        let long = instance.get_typed_func::<(), u64>(&mut store, "long").unwrap();
        assert_eq!(long.call(&mut store, ()).unwrap(), u64::MAX);
    }
}

/// Answers with another store each time it is asked.
struct Fickle {
    stores: [Store<()>; 2],
    asked: Cell<usize>,
}

impl Fickle {
    fn next(&self) -> usize {
        let asked = self.asked.get();
        self.asked.set(asked + 1);
        asked % 2
    }
}

impl AsContext for Fickle {
    type Data = ();
    fn as_context(&self) -> StoreContext<'_, ()> {
        self.stores[self.next()].as_context()
    }
}

impl AsContextMut for Fickle {
    fn as_context_mut(&mut self) -> StoreContextMut<'_, ()> {
        let next = self.next();
        self.stores[next].as_context_mut()
    }
}

#[test]
fn a_linker_takes_one_store() {
    let engine = Engine::default();
    let mut linker = Linker::<()>::new(&engine);
    linker.func_wrap("host", "first", || 1).unwrap();
    linker.func_wrap("host", "second", || 2).unwrap();
    let module = Module::new(
        &engine,
        r#"(module
             (import "host" "first" (func $first (result i32)))
             (import "host" "second" (func $second (result i32)))
             (func (export "sum") (result i32) (i32.add (call $first) (call $second))))"#,
    )
    .unwrap();
    let stores = [Store::new(&engine, ()), Store::new(&engine, ())];
    let mut fickle = Fickle { stores, asked: Cell::new(0) };
    let instance = linker.instantiate(&mut fickle, &module).unwrap();
    assert_eq!(fickle.asked.get(), 1);
    let [mut first, second] = fickle.stores;
    let sum = instance.get_typed_func::<(), i32>(&mut first, "sum").unwrap();
    drop(second);
    assert_eq!(sum.call(&mut first, ()).unwrap(), 3);
}

#[test]
fn a_module_of_another_engine_is_refused() {
    let (ours, theirs) = (Engine::default(), Engine::default());
    // Types that only the other engine knows.
    let module = Module::new(
        &theirs,
        r#"(module
             (type $s (struct (field i64 i64)))
             (type $f (func (param (ref $s)) (result (ref $s))))
             (import "host" "f" (func (type $f))) (import "host" "g" (func)))"#,
    )
    .unwrap();
    let mut linker = Linker::<()>::new(&ours);
    linker.func_wrap("host", "g", || {}).unwrap();
    let error = linker.instantiate(&mut Store::new(&ours, ()), &module).unwrap_err();
    assert!(error.to_string().contains("another engine"), "{error}");
    let error = linker.instantiate(&mut Store::new(&theirs, ()), &module).unwrap_err();
    assert!(error.to_string().contains("another engine"), "{error}");
}

#[test]
fn a_result_that_was_not_written_is_an_error() {
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    for ty in [
        ValType::I32,
        ValType::I64,
        ValType::F32,
        ValType::F64,
        ValType::FUNCREF,
        ValType::EXTERNREF,
    ] {
        let func = Func::new(&mut store, FuncType::new([], [ty]), |_, _, _| Ok(()));
        let error = func.call(&mut store, &[], &mut [Val::I32(0)]).unwrap_err();
        assert!(!error.to_string().is_empty(), "{ty:?}");
    }
}

#[test]
fn fuel_reads_back_as_it_was_set() {
    let mut config = Config::new();
    config.consume_fuel(true);
    let engine = Engine::new(&config).unwrap();
    let mut store = Store::new(&engine, ());
    for fuel in [0, 1, i64::MAX as u64, i64::MAX as u64 + 1, u64::MAX] {
        store.set_fuel(fuel).unwrap();
        assert_eq!(store.get_fuel().unwrap(), fuel);
    }
    let run = Module::new(&engine, r#"(module (func (export "run") (nop) (drop (i32.const 1))))"#);
    let instance = Linker::new(&engine).instantiate(&mut store, &run.unwrap()).unwrap();
    let run = instance.get_typed_func::<(), ()>(&mut store, "run").unwrap();
    run.call(&mut store, ()).unwrap();
    let left = store.get_fuel().unwrap();
    assert!(left < u64::MAX && left > u64::MAX - 10, "{left}");
}

#[test]
fn raw_slots_that_are_not_written_hold_nothing_of_the_host() {
    for engine in engines() {
        let mut linker = Linker::<()>::new(&engine);
        let ty = FuncType::new([], [ValType::I64, ValType::I64]);
        linker.func_slots("host", "idle", ty, |_, _| Ok(())).unwrap();
        let module = Module::new(
            &engine,
            r#"(module
                 (import "host" "idle" (func $idle (result i64 i64)))
                 (elem declare func $two)
                 (func $two (param funcref funcref))
                 (func (export "run") (result i64)
                   (call $two (ref.func $two) (ref.func $two))
                   (i64.or (call $idle))))"#,
        )
        .unwrap();
        let mut store = Store::new(&engine, ());
        let instance = linker.instantiate(&mut store, &module).unwrap();
        let run = instance.get_typed_func::<(), i64>(&mut store, "run").unwrap();
        assert_eq!(run.call(&mut store, ()).unwrap(), 0);
    }
}

#[test]
fn a_call_takes_one_store() {
    let engine = Engine::default();
    let mut stores = [Store::new(&engine, ()), Store::new(&engine, ())];
    let seven = Func::wrap(&mut stores[0], || 7);
    let mut fickle = Fickle { stores, asked: Cell::new(0) };
    let mut results = [Val::I32(0)];
    seven.call(&mut fickle, &[], &mut results).unwrap();
    assert_eq!(results[0].i32(), Some(7));
}
