//! Values that host functions take and leave.

use super::engines;
use zwasm::{Engine, Func, FuncType, Linker, Module, Store, Val, ValType};

#[test]
fn narrow_results_in_raw_slots_lose_their_upper_half() {
    for engine in engines() {
        let mut linker = Linker::<()>::new(&engine);
        let ty = FuncType::new(&engine, [], [ValType::I32, ValType::I64, ValType::F32]);
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

#[test]
fn raw_slots_that_are_not_written_hold_nothing_of_the_host() {
    for engine in engines() {
        let mut linker = Linker::<()>::new(&engine);
        let ty = FuncType::new(&engine, [], [ValType::I64, ValType::I64]);
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
        let func =
            Func::new(&mut store, FuncType::new(&engine, [], [ty.clone()]), |_, _, _| Ok(()));
        let error = func.call(&mut store, &[], &mut [Val::I32(0)]).unwrap_err();
        assert!(!error.summary().is_empty(), "{ty:?}");
    }
}
