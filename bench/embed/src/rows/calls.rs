//! Calls from guest to host, and from host to guest.

use std::hint::black_box;

use super::runtime::{
    Caller, Engine, Extern, Func, Instance, Module, Store, TypedFunc, Val, ValType,
};
use crate::measure::{Row, each};

pub const ROWS: &[Row] = &[
    ("host-typed", host_typed),
    ("host-caller", host_caller),
    ("host-mixed", host_mixed),
    ("host-dynamic", host_dynamic),
    ("host-export-read", host_export_read),
    ("guest-typed-0", guest_typed_0),
    ("guest-typed-2", guest_typed_2),
    ("guest-typed-8", guest_typed_8),
    ("guest-untyped-2", guest_untyped_2),
    ("guest-re-entry", guest_re_entry),
];

/// What a host function with one number is called by, `n` times.
const ONE: &str = r#"(module
    (import "" "" (func $host (param i32) (result i32)))
    (memory (export "memory") 1)
    (func (export "run") (param $n i32) (result i32)
        (local $sum i32)
        (loop $again
            (local.set $sum (i32.add (local.get $sum) (call $host (local.get $n))))
            (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (local.get $sum)))"#;

/// A store whose data is a number, and a module's instance in it.
fn instance(
    text: &str,
    imports: impl FnOnce(&mut Store<u64>) -> Vec<Extern>,
) -> (Store<u64>, Instance) {
    let engine = Engine::default();
    let module = Module::new(&engine, text).expect("the module is valid");
    let mut store = Store::new(&engine, 0);
    let imports = imports(&mut store);
    let instance = Instance::new(&mut store, &module, &imports).expect("the imports fit");
    (store, instance)
}

/// Times the calls of a host function that `run` of the module makes.
fn host(text: &str, func: impl FnOnce(&mut Store<u64>) -> Func) -> f64 {
    let (mut store, instance) = instance(text, |store| vec![func(store).into()]);
    let run = instance.get_typed_func::<i32, i32>(&mut store, "run").expect("it is exported");
    each(|count| {
        let sum = run.call(&mut store, count as i32).expect("the guest does not trap");
        // Each call gives its argument.
        let sums = u64::from(count) * (u64::from(count) + 1) / 2;
        assert_eq!(sum, sums as i32);
    })
}

fn host_typed() -> f64 {
    host(ONE, |store| Func::wrap(store, |number: i32| black_box(number)))
}

fn host_caller() -> f64 {
    host(ONE, |store| {
        Func::wrap(store, |mut caller: Caller<'_, u64>, number: i32| {
            *caller.data_mut() += 1;
            number
        })
    })
}

fn host_mixed() -> f64 {
    let text = r#"(module
        (import "" "" (func $host (param i32 i64 f32 f64) (result f64)))
        (func (export "run") (param $n i32) (result i32)
            (local $sum i32)
            (loop $again
                (local.set $sum (i32.add (local.get $sum)
                    (i32.trunc_sat_f64_s (call $host (local.get $n) (i64.const 1) (f32.const 2) (f64.const 3)))))
                (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
            (local.get $sum)))"#;
    host(text, |store| {
        Func::wrap(store, |a: i32, b: i64, c: f32, d: f64| {
            f64::from(a) + (b as f64 + f64::from(c) - d)
        })
    })
}

fn host_dynamic() -> f64 {
    host(ONE, |store| {
        let ty = super::func_type(store.engine(), [ValType::I32], [ValType::I32]);
        Func::new(store, ty, |_, args, results| {
            results.clone_from_slice(args);
            Ok(())
        })
    })
}

#[allow(unused_mut, reason = "wasmi looks exports up in a shared caller")]
fn host_export_read() -> f64 {
    host(ONE, |store| {
        Func::wrap(store, |mut caller: Caller<'_, u64>, number: i32| {
            let memory = caller.get_export("memory").and_then(Extern::into_memory);
            let memory = memory.expect("the caller exports it");
            let mut bytes = [0; 16];
            memory.read(&caller, 64, &mut bytes).expect("it has a page");
            number + i32::from(black_box(bytes)[0])
        })
    })
}

/// What a host calls.
const CALLED: &str = r#"(module
    (func (export "0") (result i32) (i32.const 1))
    (func (export "2") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
    (func (export "8") (param i32 i64 f32 f64 i32 i64 f32 f64) (result f64)
        (f64.add
            (f64.add (f64.convert_i32_s (local.get 0)) (f64.convert_i64_s (local.get 1)))
            (f64.add (f64.promote_f32 (local.get 2)) (f64.add (local.get 3) (local.get 7))))))"#;

fn called<P, R>(name: &str) -> (Store<u64>, TypedFunc<P, R>)
where
    P: super::runtime::WasmParams,
    R: super::runtime::WasmResults,
{
    let (mut store, instance) = instance(CALLED, |_| Vec::new());
    let func = instance.get_typed_func(&mut store, name).expect("it is exported");
    (store, func)
}

fn guest_typed_0() -> f64 {
    let (mut store, func) = called::<(), i32>("0");
    each(|count| {
        for _ in 0..count {
            assert_eq!(func.call(&mut store, ()).ok(), Some(1));
        }
    })
}

fn guest_typed_2() -> f64 {
    let (mut store, func) = called::<(i32, i32), i32>("2");
    each(|count| {
        for at in 0..count as i32 {
            assert_eq!(func.call(&mut store, (at, 1)).ok(), Some(at.wrapping_add(1)));
        }
    })
}

fn guest_typed_8() -> f64 {
    type Eight = (i32, i64, f32, f64, i32, i64, f32, f64);
    let (mut store, func) = called::<Eight, f64>("8");
    each(|count| {
        for at in 0..count as i32 {
            let sum = func.call(&mut store, (at, 1, 2.0, 3.0, 4, 5, 6.0, 7.0)).ok();
            assert_eq!(sum, Some(f64::from(at) + 13.0));
        }
    })
}

fn guest_untyped_2() -> f64 {
    let (mut store, instance) = instance(CALLED, |_| Vec::new());
    let func = instance.get_func(&mut store, "2").expect("it is exported");
    each(|count| {
        let mut results = [Val::I32(0)];
        for at in 0..count as i32 {
            func.call(&mut store, &[Val::I32(at), Val::I32(1)], &mut results).expect("it is right");
            assert_eq!(results[0].i32(), Some(at.wrapping_add(1)));
        }
    })
}

/// A host function called by the guest that calls the guest.
fn guest_re_entry() -> f64 {
    let text = r#"(module
        (import "" "" (func $host (param i32) (result i32)))
        (func (export "inner") (param i32) (result i32) (local.get 0))
        (func (export "run") (param $n i32) (result i32)
            (local $sum i32)
            (loop $again
                (local.set $sum (i32.add (local.get $sum) (call $host (local.get $n))))
                (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
            (local.get $sum)))"#;
    host(text, |store| {
        Func::wrap(store, |mut caller: Caller<'_, u64>, number: i32| {
            let inner = caller.get_export("inner").and_then(Extern::into_func);
            let inner = inner.expect("the caller exports it");
            let inner = inner.typed::<i32, i32>(&caller).expect("it has this type");
            inner.call(&mut caller, number).expect("it does not trap")
        })
    })
}
