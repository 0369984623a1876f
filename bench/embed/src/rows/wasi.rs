//! Calls of WASI.

use super::runtime::{Engine, Module, Store};
use crate::measure::{Row, each};

pub const ROWS: &[Row] = &[("wasi-clock-time-get", clock_time_get)];

fn clock_time_get() -> f64 {
    let engine = Engine::default();
    let text = r#"(module
        (import "wasi_snapshot_preview1" "clock_time_get"
            (func $time (param i32 i64 i32) (result i32)))
        (memory (export "memory") 1)
        (func (export "run") (param $n i32) (result i32)
            (local $errno i32)
            (loop $again
                (local.set $errno
                    (i32.or (local.get $errno)
                        (call $time (i32.const 1) (i64.const 0) (i32.const 64))))
                (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
            (local.get $errno)))"#;
    let module = Module::new(&engine, text).expect("the module is valid");
    let (linker, data) = super::wasi(&engine);
    let mut store = Store::new(&engine, data);
    let instance = linker.instantiate(&mut store, &module).expect("WASI is there");
    let run = instance.get_typed_func::<i32, i32>(&mut store, "run").expect("it is exported");
    each(|count| {
        let errno = run.call(&mut store, count as i32).expect("the guest does not trap");
        assert_eq!(errno, 0, "the clock may be read");
    })
}
