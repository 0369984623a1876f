//! Host functions that many stores have: each is given the context of its store, whatever is
//! dropped first, and there is nothing to be had that is not there.
#![cfg(feature = "wat")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use zwasm::{Engine, FuncType, Instance, Module, Result, SlotFuncs, Store, Strategy, ValType};

/// Adds to a number of its own, and to one of the store's.
fn funcs(engine: &Engine) -> Result<SlotFuncs<u64, AtomicU64>> {
    let types = [
        FuncType::new(engine, [ValType::I32], [ValType::I64]),
        FuncType::new(engine, [ValType::I64, ValType::F32], [ValType::F32, ValType::I32]),
    ];
    SlotFuncs::new(engine, types, |mut caller, total: &AtomicU64, number, slots| {
        total.fetch_add(slots[0], Ordering::Relaxed);
        *caller.data_mut() += 1;
        match number {
            0 => slots[0] = total.load(Ordering::Relaxed),
            // The upper halves are nobody's business.
            _ => (slots[0], slots[1]) = (slots[1] | 5 << 32, u64::MAX),
        }
        Ok(())
    })
}

const GUEST: &str = r#"(module
    (import "" "0" (func $first (param i32) (result i64)))
    (import "" "1" (func $second (param i64 f32) (result f32 i32)))
    (func (export "run") (param i32) (result i64 f32 i32)
        (call $first (local.get 0))
        (call $second (i64.extend_i32_u (local.get 0)) (f32.const 2.5))))"#;

#[test]
fn each_store_has_its_context() {
    for strategy in [Strategy::Interpreter, Strategy::Baseline, Strategy::Optimizing] {
        let Ok(engine) = Engine::new(zwasm::Config::new().strategy(strategy)) else { continue };
        let funcs = funcs(&engine).unwrap();
        let module = Module::new(&engine, GUEST).unwrap();
        let contexts = [100, 200].map(|start| Arc::new(AtomicU64::new(start)));
        let mut stores: Vec<_> = contexts
            .iter()
            .map(|context| {
                let mut store = Store::new(&engine, 0_u64);
                let imports = [0, 1].map(|at| funcs.func(&mut store, context, at).unwrap().into());
                let instance = Instance::new(&mut store, &module, &imports).unwrap();
                (store, instance)
            })
            .collect();
        // The stores keep what their functions need.
        drop((funcs, module));
        let [first, _] = contexts;
        for round in 1..4_u64 {
            for (start, (store, instance)) in [100, 200].into_iter().zip(&mut stores) {
                let run = instance.get_typed_func::<u32, (i64, f32, i32)>(&mut *store, "run");
                let results = run.unwrap().call(&mut *store, 7).unwrap();
                assert_eq!(results, (start + 14 * round as i64 - 7, 2.5, -1), "{strategy:?}");
                assert_eq!(*store.data(), 2 * round);
            }
        }
        assert_eq!(first.load(Ordering::Relaxed), 142);
        assert_eq!(Arc::strong_count(&first), 2);
        drop(stores);
        assert_eq!(Arc::strong_count(&first), 1);
    }
}

#[test]
fn what_is_not_there_is_not_given() {
    let (engine, other) = (Engine::default(), Engine::default());
    let funcs = funcs(&engine).unwrap();
    let context = Arc::default();
    let mut store = Store::new(&engine, 0);
    let error = funcs.func(&mut store, &context, 2).unwrap_err();
    assert_eq!(error.to_string(), "there is no function 2");
    assert!(funcs.slot_func(&mut store, &context, usize::MAX).is_err());
    assert!(funcs.func(Store::new(&other, 0), &context, 0).is_err());
    let mut slots = [3];
    funcs.slot_func(&mut store, &context, 0).unwrap().call(&mut store, &mut slots).unwrap();
    assert_eq!(slots, [3]);
    let wide = FuncType::new(&engine, [ValType::V128], []);
    let foreign = FuncType::new(&other, [], []);
    for ty in [wide, foreign] {
        assert!(SlotFuncs::<(), ()>::new(&engine, [ty], |_, _, _, _| Ok(())).is_err());
    }
}
