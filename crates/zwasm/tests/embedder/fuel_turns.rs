//! Guests that give others a turn whenever they have used so much fuel: what they compute,
//! what they pay and where they stop is what it is without.
#![cfg(all(feature = "async", feature = "wat"))]

use std::pin::pin;
use std::task::{Context, Waker};

use super::async_api::{block_on, strategies};
use super::limits::fuel::{COSTS, PROGRAMS};
use zwasm::{
    Caller, Config, Engine, ErrorKind, Func, Instance, Linker, Module, Result, Store, Strategy,
    Trap,
};

const INTERVALS: [u64; 5] = [1, 3, 50, 1000, u64::MAX];

fn engines(configure: impl Fn(&mut Config)) -> impl Iterator<Item = (Strategy, Engine)> {
    strategies().map(move |strategy| {
        let mut config = Config::new();
        configure(config.strategy(strategy).consume_fuel(true));
        (strategy, Engine::new(&config).unwrap())
    })
}

/// What comes of a call: the result or the trap with its frames, the fuel left, and how many
/// turns there were.
type Came = (Result<i32, (Option<Trap>, Vec<(u32, Option<usize>)>)>, u64, usize);

fn called(
    store: &mut Store<()>,
    instance: Instance,
    name: &str,
    arg: i32,
    fuel: u64,
    interval: Option<u64>,
) -> Came {
    let func = instance.get_typed_func::<i32, i32>(&mut *store, name).unwrap();
    store.set_fuel(fuel).unwrap();
    store.fuel_async_yield_interval(interval).unwrap();
    assert_eq!(store.get_fuel().unwrap(), fuel, "all of it is seen");
    let (result, turns) = match interval {
        None => (func.call(&mut *store, arg), 0),
        Some(_) => block_on(func.call_async(&mut *store, arg)),
    };
    let result = result.map_err(|error| {
        let frames = error.backtrace().unwrap().frames().iter();
        let frames = frames.map(|frame| (frame.func_index(), frame.module_offset())).collect();
        (error.trap(), frames)
    });
    (result, store.get_fuel().unwrap(), turns)
}

#[test]
fn programs_cost_and_stop_as_without_turns() {
    for (strategy, engine) in engines(|_| {}) {
        let module = Module::new(&engine, PROGRAMS).unwrap();
        for &(name, arg, _, cost) in COSTS {
            for fuel in [cost + 100, cost, cost - 1, cost / 2] {
                let run = |interval| {
                    let mut store = Store::new(&engine, ());
                    let instance = Instance::new(&mut store, &module, &[]).unwrap();
                    called(&mut store, instance, name, arg, fuel, interval)
                };
                let (result, left, _) = run(None);
                for interval in INTERVALS {
                    let (with, with_left, turns) = run(Some(interval));
                    let what = format!("{strategy:?} {name} {arg} {fuel} {interval}");
                    assert_eq!((&with, with_left), (&result, left), "{what}");
                    let used = fuel - left;
                    assert!(turns as u64 <= used / interval, "{what}: {turns} turns");
                    // Of a run and of what is moved at once, all is paid at once.
                    let most = if name.contains(['.', 'f', 'p']) { used } else { 14 };
                    assert!((turns as u64 + 1) * interval.saturating_add(most) >= used, "{what}");
                }
            }
        }
    }
}

/// Stops everywhere that it can: where, and with what.
#[test]
fn whatever_there_is_they_stop_where_they_did() {
    for (strategy, engine) in engines(|_| {}) {
        let module = Module::new(&engine, PROGRAMS).unwrap();
        for (name, arg) in [("fib", 5), ("count", 9), ("tail", 9), ("steps", 1), ("catch", 1)] {
            let mut store = Store::new(&engine, ());
            let instance = Instance::new(&mut store, &module, &[]).unwrap();
            for fuel in 0.. {
                let (result, left, _) = called(&mut store, instance, name, arg, fuel, None);
                for interval in [1, 7] {
                    let came = called(&mut store, instance, name, arg, fuel, Some(interval));
                    let what = format!("{strategy:?} {name} {fuel} {interval}");
                    assert_eq!((&came.0, came.1), (&result, left), "{what}");
                }
                if result.is_ok() {
                    break;
                }
            }
        }
    }
}

/// Many values of each kind live around a loop and across calls.
fn busy(simd: bool) -> String {
    let mut text =
        String::from("(module (import \"\" \"id\" (func $id (param i32) (result i32)))\n");
    text.push_str("(func $mix (param i64 f64) (result i64)\n");
    text.push_str("(i64.add (local.get 0) (i64.reinterpret_f64 (local.get 1))))\n");
    text.push_str("(func (export \"busy\") (param $n i32) (result i32)\n");
    for at in 0..16 {
        text.push_str(&format!("(local $i{at} i64) (local $f{at} f64) (local $s{at} f32)"));
        if simd {
            text.push_str(&format!("(local $v{at} v128)"));
        }
    }
    text.push_str("(loop $l\n");
    for at in 0..16 {
        let from = (at + 1) % 16;
        text.push_str(&format!(
            "(local.set $i{at} (i64.add (i64.mul (local.get $i{from}) (i64.const {}))
                (i64.extend_i32_u (local.get $n))))
            (local.set $f{at} (f64.add (local.get $f{from}) (f64.const 0.{at}1)))
            (local.set $s{at} (f32.add (local.get $s{from}) (f32.const 1.{at})))
            (if (i32.and (local.get $n) (i32.const {from}))
                (then (local.set $i{from} (i64.xor (local.get $i{at}) (i64.const {at})))))",
            2 * at + 3
        ));
        if simd {
            text.push_str(&format!(
                "(local.set $v{at} (i32x4.add (local.get $v{from})
                    (i32x4.splat (i32.wrap_i64 (local.get $i{at})))))"
            ));
        }
    }
    text.push_str(
        "(local.set $i0 (call $mix (local.get $i0) (local.get $f1)))
        (local.set $i1 (i64.extend_i32_u (call $id (i32.wrap_i64 (local.get $i1)))))
        (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))\n(i64.const 0)\n",
    );
    for at in 0..16 {
        text.push_str(&format!(
            "(i64.mul (i64.const 31)) (i64.add (local.get $i{at}))
            (i64.xor (i64.reinterpret_f64 (local.get $f{at})))
            (i64.xor (i64.extend_i32_u (i32.reinterpret_f32 (local.get $s{at}))))"
        ));
        if simd {
            text.push_str(&format!("(i64.xor (i64x2.extract_lane 1 (local.get $v{at})))"));
        }
    }
    text.push_str("(i64.xor (i64.const 32) (i64.const 0)) i64.rotl i32.wrap_i64))");
    text
}

#[test]
fn all_values_come_through() {
    let text = busy(cfg!(feature = "simd"));
    let mut results = Vec::new();
    for (strategy, engine) in engines(|_| {}) {
        let module = Module::new(&engine, &text).unwrap();
        for interval in [None, Some(1), Some(20), Some(777)] {
            let mut store = Store::new(&engine, ());
            let id = Func::wrap(&mut store, |x: i32| x);
            let instance = Instance::new(&mut store, &module, &[id.into()]).unwrap();
            let (result, left, turns) = called(&mut store, instance, "busy", 60, 1 << 40, interval);
            assert_eq!(turns > 10, interval.is_some(), "{strategy:?} {interval:?} {turns}");
            results.push((result.unwrap(), left));
        }
    }
    assert!(results.iter().all(|result| *result == results[0]), "{results:?}");
}

/// As many numbers as there are registers live around a loop without calls.
#[test]
fn every_register_comes_through() {
    let mut text = String::from("(module (func (export \"tight\") (param $n i32) (result i32)\n");
    (0..14).for_each(|at| text.push_str(&format!("(local $i{at} i64)")));
    text.push_str("(loop $l\n");
    for at in 0..14 {
        text.push_str(&format!(
            "(local.set $i{at} (i64.add (local.get $i{}) (i64.const {})))",
            (at + 1) % 14,
            3 * at + 1
        ));
    }
    text.push_str(
        "(br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))\n(i64.const 0)",
    );
    for at in 0..14 {
        text.push_str(&format!("(i64.mul (i64.const 31)) (i64.add (local.get $i{at}))"));
    }
    text.push_str("i32.wrap_i64))");
    let mut results = Vec::new();
    for (_, engine) in engines(|_| {}) {
        let module = Module::new(&engine, &text).unwrap();
        for interval in [None, Some(1), Some(60)] {
            let mut store = Store::new(&engine, ());
            let instance = Instance::new(&mut store, &module, &[]).unwrap();
            let (result, left, _) = called(&mut store, instance, "tight", 60, 1 << 40, interval);
            results.push((result.unwrap(), left));
        }
    }
    assert!(results.iter().all(|result| *result == results[0]), "{results:?}");
}

/// Objects that only registers and operands refer to, with a collection at each allocation.
#[test]
#[cfg(feature = "gc")]
fn objects_come_through() {
    let text = r#"(module
        (type $node (struct (field i32) (field (ref null $node))))
        (type $bytes (array (mut i8)))
        (func $sum (param $list (ref null $node)) (result i32) (local $sum i32)
            (block $end (loop $l
                (br_if $end (ref.is_null (local.get $list)))
                (local.set $sum (i32.add (local.get $sum) (struct.get $node 0 (local.get $list))))
                (local.set $list (struct.get $node 1 (local.get $list)))
                (br $l)))
            (local.get $sum))
        (func (export "lists") (param $n i32) (result i32)
            (local $a (ref null $node)) (local $b (ref null $node)) (local $c (ref null $bytes))
            (loop $l
                (local.set $a (struct.new $node (local.get $n) (local.get $a)))
                (local.set $b (struct.new $node (i32.const 1)
                    (if (result (ref null $node)) (i32.and (local.get $n) (i32.const 1))
                        (then (local.get $b)) (else (local.get $a)))))
                (local.set $c (array.new $bytes (local.get $n) (i32.const 40)))
                (array.copy $bytes $bytes (local.get $c) (i32.const 1)
                    (local.get $c) (i32.const 0) (i32.const 39))
                (array.fill $bytes (local.get $c) (i32.const 8) (i32.const 7) (i32.const 16))
                (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
            (i32.add (array.get_u $bytes (local.get $c) (i32.const 23))
                (i32.add (i32.mul (call $sum (local.get $a)) (i32.const 1000))
                    (call $sum (local.get $b))))))"#;
    let mut results = Vec::new();
    for (_, engine) in engines(|config| {
        config.gc_stress(true);
    }) {
        let module = Module::new(&engine, text).unwrap();
        for interval in [None, Some(1), Some(9), Some(100)] {
            let mut store = Store::new(&engine, ());
            let instance = Instance::new(&mut store, &module, &[]).unwrap();
            let came = called(&mut store, instance, "lists", 30, 100_000, interval);
            results.push((came.0.unwrap(), came.1));
        }
    }
    assert!(results.iter().all(|result| *result == results[0]), "{results:?}");
}

#[test]
fn start_functions_and_nested_calls_give_turns() -> Result<()> {
    let text = r#"(module
        (import "" "again" (func $again (param i32) (result i32)))
        (global $started (mut i32) (i32.const 0))
        (func $count (export "count") (param i32) (result i32) (local i32)
            (loop $l (local.set 1 (i32.add (local.get 1) (i32.const 2)))
                (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
            (local.get 1))
        (func (export "outer") (param i32) (result i32)
            (i32.add (call $count (local.get 0)) (call $again (local.get 0))))
        (func $start (global.set $started (call $count (i32.const 50))))
        (start $start))"#;
    for (strategy, engine) in engines(|_| {}) {
        let mut linker = Linker::<()>::new(&engine);
        linker.func_wrap_async("", "again", |mut caller: Caller<'_, ()>, (n,): (i32,)| {
            Box::new(async move {
                let count = caller.get_export("count").and_then(|item| item.into_func()).unwrap();
                let count = count.typed::<i32, i32>(&caller)?;
                // It gives and takes, and sees all there is.
                let left = caller.get_fuel()?;
                caller.set_fuel(left)?;
                assert_eq!(caller.get_fuel()?, left);
                count.call_async(&mut caller, n).await
            })
        })?;
        let module = Module::new(&engine, text)?;
        let mut store = Store::new(&engine, ());
        store.set_fuel(1 << 20)?;
        store.fuel_async_yield_interval(Some(100))?;
        let (instance, turns) = block_on(linker.instantiate_async(&mut store, &module));
        let instance = instance?;
        assert_eq!(turns, 4, "{strategy:?}");
        let outer = instance.get_typed_func::<i32, i32>(&mut store, "outer")?;
        let (result, turns) = block_on(outer.call_async(&mut store, 50));
        assert_eq!((result?, (8..=9).contains(&turns)), (200, true), "{strategy:?} {turns}");
        // 452 for each count, 4 to start and 6 for what calls two of them.
        assert_eq!((1 << 20) - store.get_fuel()?, 3 * 452 + 4 + 6, "{strategy:?}");
    }
    Ok(())
}

#[test]
fn who_waits_is_dropped_or_interrupted() -> Result<()> {
    for (_, engine) in engines(|config| {
        config.epoch_interruption(true);
    }) {
        let module = Module::new(&engine, PROGRAMS)?;
        let mut store = Store::new(&engine, ());
        let instance = Instance::new(&mut store, &module, &[])?;
        store.set_fuel(1 << 40)?;
        store.fuel_async_yield_interval(Some(1000))?;
        store.set_epoch_deadline(1 << 40);
        let count = instance.get_typed_func::<i32, i32>(&mut store, "count")?;
        let fill = instance.get_typed_func::<i32, i32>(&mut store, "fill")?;
        let mut context = Context::from_waker(Waker::noop());
        for func in [&count, &fill] {
            let mut call = Box::pin(func.call_async(&mut store, 1_000_000));
            assert!(call.as_mut().poll(&mut context).is_pending());
            drop(call);
            assert_eq!(block_on(count.call_async(&mut store, 10)).0?, 55);
        }
        let handle = store.interrupt_handle();
        let mut call = pin!(count.call_async(&mut store, 1_000_000));
        assert!(call.as_mut().poll(&mut context).is_pending());
        handle.interrupt();
        let std::task::Poll::Ready(Err(error)) = call.as_mut().poll(&mut context) else {
            panic!("it goes on")
        };
        assert_eq!(error.kind(), ErrorKind::Interrupted);
    }
    Ok(())
}

#[test]
fn turns_are_for_who_is_called_asynchronously() -> Result<()> {
    for (_, engine) in engines(|_| {}) {
        let module = Module::new(&engine, PROGRAMS)?;
        let mut store = Store::new(&engine, ());
        let instance = Instance::new(&mut store, &module, &[])?;
        assert!(store.fuel_async_yield_interval(Some(0)).is_err());
        store.set_fuel(u64::MAX)?;
        store.fuel_async_yield_interval(Some(100))?;
        assert_eq!(store.get_fuel()?, u64::MAX);
        let count = instance.get_typed_func::<i32, i32>(&mut store, "count")?;
        assert_eq!(count.call(&mut store, 3)?, 6, "that gives no turn");
        let error = count.call(&mut store, 100).unwrap_err();
        assert!(error.root_cause().to_string().contains("`*_async`"), "{error}");
        // Without an interval all of it is there at once, even what cannot be counted.
        store.fuel_async_yield_interval(None)?;
        assert_eq!(count.call(&mut store, 100)?, 5050);
        assert!(store.get_fuel()? > u64::MAX - 2000);
    }
    let mut store = Store::new(&Engine::default(), ());
    assert!(store.fuel_async_yield_interval(Some(1)).is_err(), "there is no fuel");
    Ok(())
}
