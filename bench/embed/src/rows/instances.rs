//! Stores and instances, made and dropped.

use super::runtime::{
    Config, Engine, InstanceAllocationStrategy, InstancePre, Linker, Module, Store,
};
use crate::measure::{Row, each};

pub const ROWS: &[Row] = &[
    ("store", store),
    ("instance-demand", || instances(InstanceAllocationStrategy::OnDemand, false)),
    ("instance-demand-call", || instances(InstanceAllocationStrategy::OnDemand, true)),
    ("instance-pool", || instances(InstanceAllocationStrategy::pooling(), false)),
    ("instance-pool-call", || instances(InstanceAllocationStrategy::pooling(), true)),
];

/// A bit of everything.
const TEXT: &str = r#"(module
    (import "env" "add" (func $add (param i32 i32) (result i32)))
    (memory (export "memory") 1)
    (table 8 funcref)
    (elem (i32.const 1) $run $other)
    (global $calls (mut i32) (i32.const 0))
    (data (i32.const 1024) "what the module brings along")
    (func $run (export "run") (param i32) (result i32)
        (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
        (i32.store (i32.const 2048) (local.get 0))
        (call $add (i32.load (i32.const 2048)) (global.get $calls)))
    (func $other (export "other") (result i32) (i32.const 7)))"#;

fn store() -> f64 {
    let engine = Engine::default();
    each(|count| {
        for number in 0..u64::from(count) {
            std::hint::black_box(Store::new(&engine, number));
        }
    })
}

/// A store with an instance, made and dropped; whether it is called meanwhile.
fn instances(strategy: InstanceAllocationStrategy, calls: bool) -> f64 {
    let engine = Engine::new(Config::new().allocation_strategy(strategy)).expect("an engine");
    let mut linker = Linker::new(&engine);
    linker.func_wrap("env", "add", |a: i32, b: i32| a + b).expect("it is defined once");
    let module = Module::new(&engine, TEXT).expect("the module is valid");
    let pre: InstancePre<u64> = linker.instantiate_pre(&module).expect("the imports fit");
    each(|count| {
        for number in 0..count {
            let mut store = Store::new(&engine, u64::from(number));
            let instance = pre.instantiate(&mut store).expect("there is memory");
            if calls {
                let run = instance.get_typed_func::<i32, i32>(&mut store, "run");
                let run = run.expect("it is exported");
                let sum = run.call(&mut store, 41).expect("the guest does not trap");
                assert_eq!(sum, 42);
            }
        }
    })
}
