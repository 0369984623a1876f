//! Fuel and epochs in every world: the same totals, the same places, and stores that go on.

use super::*;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use zwasm::{ErrorKind, Trap, UpdateDeadline};

const WORK: &str = r#"(module
    (import "host" "again" (func $again (param i64) (result i64)))
    (import "other" "hop" (func $hop (param i64 i64 i32) (result i64)))
    (import "other" "table" (table 64 funcref))
    (memory (export "memory") 1)
    (global $g (export "g") (mut i64) (i64.const 0))
    (type $cell (struct (field (mut i64))))
    (tag $e (param i64))
    (elem (i32.const 0) func $leaf)
    (func $leaf (param i64 i64) (result i64)
        (global.set $g (i64.add (global.get $g) (i64.const 1)))
        (i64.add (local.get 0) (i64.mul (local.get 1) (i64.const 3))))
    (func $small (param i64) (result i64)
        (if (result i64) (i64.eqz (i64.and (local.get 0) (i64.const 1)))
            (then (i64.const 2))
            (else (i64.add (local.get 0) (i64.const 1)))))
    (func $tail (param i64 i64) (result i64)
        (if (i64.eqz (local.get 0)) (then (return (local.get 1))))
        (return_call $tail (i64.sub (local.get 0) (i64.const 1))
            (i64.add (local.get 1) (i64.const 2))))
    (func $throws (param i64) (result i64)
        (if (i64.eqz (i64.rem_u (local.get 0) (i64.const 3))) (then (throw $e (local.get 0))))
        (local.get 0))
    (func (export "back") (param i64) (result i64) (call $small (local.get 0)))
    (func (export "run") (param $n i64) (result i64) (local $sum i64) (local $i i32)
        (local $cell (ref $cell))
        (local.set $cell (struct.new $cell (i64.const 0)))
        (loop $outer
            (local.set $i (i32.const 0))
            (loop $inner
                (local.set $sum (i64.add (local.get $sum) (call $small (i64.extend_i32_u (local.get $i)))))
                (i64.store (i32.shl (local.get $i) (i32.const 3)) (local.get $sum))
                (br_if $inner (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1)))
                    (i32.const 5))))
            (local.set $sum (i64.add (local.get $sum) (call $leaf (local.get $n) (local.get $sum))))
            (local.set $sum (i64.add (local.get $sum)
                (call $hop (local.get $n) (local.get $sum) (i32.const 0))))
            (local.set $sum (i64.add (local.get $sum) (call $tail (i64.const 4) (local.get $n))))
            (local.set $sum (i64.add (local.get $sum) (call $again (local.get $n))))
            (struct.set $cell 0 (local.get $cell)
                (block $h (result i64)
                    (try_table (result i64) (catch $e $h) (call $throws (local.get $n)))))
            (memory.fill (i32.const 100) (i32.wrap_i64 (local.get $n)) (i32.const 60))
            (local.set $sum (i64.add (local.get $sum) (struct.get $cell 0 (local.get $cell))))
            (br_if $outer (i64.ne (i64.const 0)
                (local.tee $n (i64.sub (local.get $n) (i64.const 1))))))
        (local.get $sum)))"#;

/// What can be seen of a guest from outside.
fn state(guest: &mut Guest) -> (Val, Vec<u8>) {
    let global = guest.instance.get_global(&mut guest.store, "g").unwrap();
    let value = global.get(&mut guest.store);
    let memory = guest.instance.get_memory(&mut guest.store, "memory").unwrap();
    (value, memory.data(&guest.store)[..256].to_vec())
}

/// `Val` has no equality.
fn seen(guest: &mut Guest) -> String {
    format!("{:?}", state(guest))
}

#[test]
fn fuel_ends_at_the_same_place_everywhere() {
    let fueled = |config: &mut Config| {
        config.consume_fuel(true);
    };
    let found = everywhere(WORK, fueled, |guest| {
        let mut all = Vec::new();
        // Promoted while it is well.
        guest.store.set_fuel(1 << 40).unwrap();
        for n in [1, 2, 30, 5] {
            let result = guest.call("run", &[n]).unwrap();
            all.push((Ok(result), guest.store.get_fuel().unwrap(), seen(guest)));
        }
        let step = if cfg!(debug_assertions) { 41 } else { 7 };
        let before = guest.store.get_fuel().unwrap();
        guest.call("run", &[5]).unwrap();
        let cost = before - guest.store.get_fuel().unwrap();
        for fuel in (0..cost).step_by(step).chain([cost - 1, cost]) {
            guest.store.set_fuel(fuel).unwrap();
            let result = guest.call("run", &[5]).map_err(|error| error.trap());
            let left = guest.store.get_fuel().unwrap();
            all.push((result, left, seen(guest)));
        }
        all
    });
    let ends = found.iter().filter(|each| each.0 == Err(Some(Trap::OutOfFuel))).count();
    assert!(found.last().unwrap().0.is_ok() && found.last().unwrap().1 == 0);
    // The fuel of all runs but the last and the first few is not enough.
    assert_eq!(ends, found.len() - 5);
}

/// Loops without calls, with calls, in tail calls; ended from another thread, and by a
/// callback that lets them go on for a while.
const SPIN: &str = r#"(module
    (import "host" "again" (func $again (param i64) (result i64)))
    (func (export "loop") (param i64) (result i64) (loop (br 0)) (unreachable))
    (func (export "sum") (param i64) (result i64) (local f64)
        (loop $l
            (local.set 0 (i64.add (local.get 0) (i64.const 3)))
            (local.set 1 (f64.add (local.get 1) (f64.const 0.5)))
            (br_if $l (i64.ne (local.get 0) (i64.const 1))))
        (i64.trunc_f64_s (local.get 1)))
    (func $small (param i64) (result i64) (i64.xor (local.get 0) (i64.const 5)))
    (func (export "calls") (param i64) (result i64)
        (loop $l (local.set 0 (call $small (local.get 0))) (br $l)) (unreachable))
    (func (export "hosts") (param i64) (result i64)
        (loop $l (local.set 0 (call $again (local.get 0))) (br $l)) (unreachable))
    (func (export "back") (param i64) (result i64) (i64.add (local.get 0) (i64.const 1)))
    (func $ping (export "tail") (param i64) (result i64) (return_call $pong (local.get 0)))
    (func $pong (param i64) (result i64) (return_call $ping (local.get 0)))
    (func (export "fine") (param i64) (result i64) (local i64)
        (loop $l
            (local.set 1 (i64.add (local.get 1) (local.get 0)))
            (br_if $l (i64.ne (i64.const 0) (local.tee 0 (i64.sub (local.get 0) (i64.const 1))))))
        (local.get 1)))"#;

const SPINS: [&str; 5] = ["loop", "sum", "calls", "hosts", "tail"];

#[test]
fn epochs_and_interruptions_end_what_runs() {
    for strategy in strategies() {
        let mut config = config(strategy);
        config.epoch_interruption(true);
        let mut guest = Guest::new(&config, SPIN);
        let engine = guest.store.engine().clone();
        for (round, name) in SPINS.iter().cycle().take(10).enumerate() {
            guest.store.set_epoch_deadline(1);
            let handle = guest.store.interrupt_handle();
            let error = std::thread::scope(|scope| {
                scope.spawn(|| {
                    std::thread::sleep(Duration::from_millis(3));
                    if round < 5 {
                        engine.increment_epoch();
                    } else {
                        handle.interrupt();
                    }
                });
                guest.call(name, &[2]).unwrap_err()
            });
            assert_eq!(error.kind(), ErrorKind::Interrupted, "{strategy:?} {name}");
            guest.store.clear_interrupt();
            guest.store.set_epoch_deadline(1);
            assert_eq!(guest.call("fine", &[100]).unwrap(), 5050, "{strategy:?} {name}");
        }
    }
}

#[test]
fn callbacks_let_loops_go_on_with_all_their_values() {
    for strategy in strategies() {
        let mut config = config(strategy);
        config.epoch_interruption(true);
        let mut guest = Guest::new(&config, SPIN);
        guest.store.set_epoch_deadline(0);
        guest.store.epoch_deadline_callback(|mut context| {
            let host = context.data_mut();
            host.calls += 1;
            Ok(if host.calls < 1 << 40 {
                UpdateDeadline::Continue(1)
            } else {
                UpdateDeadline::Interrupt
            })
        });
        let engine = guest.store.engine().clone();
        let ended = AtomicBool::new(false);
        std::thread::scope(|scope| {
            // The epoch passes all the time, so that many rounds ask.
            scope.spawn(|| {
                while !ended.load(Ordering::Relaxed) {
                    engine.increment_epoch();
                    std::hint::spin_loop();
                }
            });
            let mut sums = Vec::new();
            while guest.store.data().calls < 50 && sums.len() < 10_000 {
                sums.push(guest.call("fine", &[20_000]));
            }
            let mut stopped = Vec::new();
            for name in SPINS {
                guest.store.data_mut().calls = (1 << 40) - 20;
                stopped.push(guest.call(name, &[2]));
            }
            ended.store(true, Ordering::Relaxed);
            for sum in sums {
                assert_eq!(sum.unwrap(), 200_010_000, "{strategy:?}");
            }
            for (name, result) in SPINS.into_iter().zip(stopped) {
                let trap = result.map_err(|error| error.trap());
                assert_eq!(trap, Err(Some(Trap::Interrupt)), "{strategy:?} {name}");
            }
        });
    }
}
