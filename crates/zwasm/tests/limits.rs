//! Fuel, epochs, interruption, limiters: what stops a guest, and where exactly.
#![cfg(feature = "wat")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use zwasm::{
    Caller, Config, Engine, Error, ErrorKind, Func, Instance, InterruptHandle, Linker, Memory,
    MemoryType, Module, RefType, ResourceLimiter, Result, Store, StoreLimits, StoreLimitsBuilder,
    Strategy, Table, TableType, Trap, UpdateDeadline, Val,
};

/// An engine for each way to run code that this build has.
fn engines(configure: impl Fn(&mut Config)) -> Vec<Engine> {
    let mut engines = Vec::new();
    let fixed = [Strategy::Interpreter, Strategy::Baseline, Strategy::Auto, Strategy::Stress];
    for strategy in fixed.into_iter().chain((0..4).map(Strategy::Mixed)) {
        let mut config = Config::new();
        configure(&mut config);
        engines.extend(Engine::new(config.strategy(strategy)));
    }
    assert!(engines.len() >= 3);
    engines
}

fn fueled() -> Vec<Engine> {
    engines(|config| {
        config.consume_fuel(true);
    })
}

fn timed() -> Vec<Engine> {
    engines(|config| {
        config.epoch_interruption(true);
    })
}

/// A store with this data, and an instance of the text in it.
fn instance<T: 'static>(engine: &Engine, data: T, wat: &str) -> (Store<T>, Instance) {
    let mut store = Store::new(engine, data);
    let module = Module::new(engine, wat).unwrap();
    let instance = Linker::new(engine).instantiate(&mut store, &module).unwrap();
    (store, instance)
}

fn call<T>(store: &mut Store<T>, instance: Instance, name: &str, arg: i32) -> Result<i32> {
    instance.get_typed_func::<i32, i32>(&mut *store, name)?.call(&mut *store, arg)
}

const PROGRAMS: &str = r#"(module
  (memory 40) (table $t 100 funcref) (elem $e func 0 0 0)
  (data $d "0123456789abcdef") (global $g (mut i32) (i32.const 0))
  (tag $oops (param i32))
  (func $nothing)
  (func (export "nothing") (param i32) (result i32) (local.get 0))
  (func (export "free") (param i32) (result i32)
    (nop) (block (nop) (loop (nop))) (drop (i32.const 1)) (return (local.get 0)))
  (func (export "count") (param i32) (result i32) (local $n i32)
    (loop $next
      (local.set $n (i32.add (local.get $n) (local.get 0)))
      (br_if $next (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
    (local.get $n))
  (func $fib (export "fib") (param i32) (result i32)
    (if (result i32) (i32.lt_u (local.get 0) (i32.const 2))
      (then (local.get 0))
      (else (i32.add
        (call $fib (i32.sub (local.get 0) (i32.const 1)))
        (call $fib (i32.sub (local.get 0) (i32.const 2)))))))
  (func (export "switch") (param i32) (result i32)
    (block $c (block $b (block $a
      (br_table $a $b $c (local.get 0)))
      (return (i32.const 10)))
      (return (i32.add (i32.const 10) (i32.const 1))))
    (i32.const 12))
  (func $tail (export "tail") (param i32) (result i32)
    (if (i32.eqz (local.get 0)) (then (return (i32.const 5))))
    (return_call $tail (i32.sub (local.get 0) (i32.const 1))))
  (func (export "catch") (param i32) (result i32)
    (block $caught (result i32)
      (try_table (catch $oops $caught) (throw $oops (local.get 0)))
      (unreachable)))
  (func (export "fill") (param i32) (result i32)
    (memory.fill (i32.const 0) (i32.const 7) (local.get 0)) (i32.const 0))
  (func (export "copy") (param i32) (result i32)
    (memory.copy (i32.const 1) (i32.const 0) (local.get 0)) (i32.const 0))
  (func (export "init") (param i32) (result i32)
    (memory.init $d (i32.const 0) (i32.const 0) (local.get 0)) (i32.const 0))
  (func (export "table.fill") (param i32) (result i32)
    (table.fill $t (i32.const 0) (ref.func $nothing) (local.get 0)) (i32.const 0))
  (func (export "table.copy") (param i32) (result i32)
    (table.copy $t $t (i32.const 1) (i32.const 0) (local.get 0)) (i32.const 0))
  (func (export "table.init") (param i32) (result i32)
    (table.init $t $e (i32.const 0) (i32.const 0) (local.get 0)) (i32.const 0))
  (func (export "table.grow") (param i32) (result i32)
    (table.grow $t (ref.null func) (local.get 0)))
  (func (export "memory.grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "steps") (param i32) (result i32)
    (global.set $g (i32.const 1))
    (if (local.get 0) (then
      (global.set $g (i32.const 2))
      (call $nothing)
      (global.set $g (i32.const 3))))
    (global.set $g (i32.const 4))
    (i32.const 0))
  (func (export "reached") (param i32) (result i32) (global.get $g)))"#;

/// Name, argument, result, cost: 1 for the call itself and for each instruction that
/// is not free, bulk operations 1 more for each 8 bytes.
const COSTS: &[(&str, i32, i32, u64)] = &[
    ("nothing", 3, 3, 2),
    ("free", 3, 3, 3),
    // Nine in each round.
    ("count", 1, 1, 1 + 9 + 1),
    ("count", 10, 55, 1 + 90 + 1),
    ("count", 1000, 500_500, 1 + 9000 + 1),
    // A leaf costs 6: the call, four up to and with the `if`, and the result; each
    // other call costs 14.
    ("fib", 1, 1, 6),
    ("fib", 2, 1, 6 * 2 + 14),
    ("fib", 10, 55, 89 * 6 + 88 * 14),
    ("switch", 0, 10, 3 + 1),
    ("switch", 1, 11, 3 + 3),
    ("switch", 9, 12, 3 + 1),
    ("tail", 0, 5, 4 + 1),
    ("tail", 100, 5, 101 * 4 + 100 * 4 + 1),
    ("catch", 9, 9, 4),
    ("fill", 0, 0, 6),
    ("fill", 7, 0, 6),
    ("fill", 8, 0, 6 + 1),
    ("fill", 2_000_001, 0, 6 + 250_000),
    ("copy", 2_000_001, 0, 6 + 250_000),
    ("init", 16, 0, 6 + 2),
    ("table.fill", 50, 0, 6 + 50),
    ("table.copy", 50, 0, 6 + 50),
    ("table.init", 3, 0, 6 + 3),
    ("table.grow", 20, 100, 4 + 20),
    // What does not happen costs nothing.
    ("table.grow", -1, -1, 4),
    ("memory.grow", 5, 40, 3),
    ("memory.grow", -1, -1, 3),
];

#[test]
fn every_program_has_its_price() {
    let engines = fueled();
    let all = engines.iter().flat_map(|engine| COSTS.iter().map(move |cost| (engine, cost)));
    for (engine, &(name, arg, result, cost)) in all {
        let (mut store, instance) = instance(engine, (), PROGRAMS);
        store.set_fuel(1 << 40).unwrap();
        assert_eq!(call(&mut store, instance, name, arg).unwrap(), result, "{name} {arg}");
        assert_eq!((1 << 40) - store.get_fuel().unwrap(), cost, "{name} {arg}");
        store.set_fuel(cost).unwrap();
        if name != "table.grow" && name != "memory.grow" {
            assert_eq!(call(&mut store, instance, name, arg).unwrap(), result, "{name} {arg}");
            assert_eq!(store.get_fuel().unwrap(), 0);
            store.set_fuel(cost - 1).unwrap();
            let error = call(&mut store, instance, name, arg).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::OutOfFuel, "{name} {arg}");
            assert_eq!(error.trap(), Some(Trap::OutOfFuel));
            assert_eq!(error.to_string(), "trap: fuel exhausted");
            assert_eq!(store.get_fuel().unwrap(), 0);
        }
    }
}

/// Locals are zeroed at each call, which a few bytes of a function may declare
/// thousands of.
#[test]
fn many_locals_are_paid_for() {
    for (locals, cost) in [(256, 1), (257, 2), (1256, 1001), (50_000, 49_745)] {
        let declared = "i64 ".repeat(locals);
        let text = format!(
            r#"(module
              (func $many (local {declared}))
              (func (export "run") (param i32) (result i32)
                (call $many) (call $many) (local.get 0)))"#
        );
        for engine in fueled() {
            let (mut store, instance) = instance(&engine, (), &text);
            store.set_fuel(1 << 40).unwrap();
            call(&mut store, instance, "run", 7).unwrap();
            // The function, three of its instructions, and twice the other.
            assert_eq!((1 << 40) - store.get_fuel().unwrap(), 4 + 2 * cost, "{locals}");
        }
    }
}

#[test]
fn epochs_do_not_change_the_price() {
    let engines = engines(|config| {
        config.consume_fuel(true).epoch_interruption(true);
    });
    let all = engines.iter().flat_map(|engine| COSTS.iter().map(move |cost| (engine, cost)));
    for (engine, &(name, arg, result, cost)) in all {
        let (mut store, instance) = instance(engine, (), PROGRAMS);
        store.set_fuel(cost).unwrap();
        assert_eq!(call(&mut store, instance, name, arg).unwrap(), result, "{name} {arg}");
        assert_eq!(store.get_fuel().unwrap(), 0, "{name} {arg}");
    }
}

#[test]
fn a_run_that_cannot_be_paid_for_is_not_begun() {
    for engine in fueled() {
        runs_are_begun_when_paid_for(&engine);
    }
}

fn runs_are_begun_when_paid_for(engine: &Engine) {
    // The first run has the call, the first two lines up to the `if`, and costs 5;
    // that of the `if` costs 5, with the empty function 1 more; the rest 3.
    for (fuel, arg, reached) in
        [(0, 1, 0), (4, 1, 0), (5, 1, 1), (9, 1, 1), (10, 1, 2), (11, 1, 3), (13, 1, 3), (7, 0, 1)]
    {
        let (mut store, instance) = instance(engine, (), PROGRAMS);
        store.set_fuel(fuel).unwrap();
        let error = call(&mut store, instance, "steps", arg).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::OutOfFuel);
        assert!(!error.backtrace().unwrap().frames().is_empty());
        store.set_fuel(10).unwrap();
        assert_eq!(call(&mut store, instance, "reached", 0).unwrap(), reached, "{fuel}");
    }
    let (mut store, instance) = instance(engine, (), PROGRAMS);
    store.set_fuel(14).unwrap();
    call(&mut store, instance, "steps", 1).unwrap();
    assert_eq!(store.get_fuel().unwrap(), 0);
}

#[test]
fn a_bulk_operation_is_checked_then_paid_for_then_done() {
    let (mut store, instance) = instance(&fueled()[0], (), PROGRAMS);
    store.set_fuel(10).unwrap();
    let error = call(&mut store, instance, "fill", 1 << 30).unwrap_err();
    assert_eq!(error.trap(), Some(Trap::MemoryOutOfBounds));
    store.set_fuel(10).unwrap();
    let error = call(&mut store, instance, "fill", 1000).unwrap_err();
    assert_eq!(error.trap(), Some(Trap::OutOfFuel));
    store.set_fuel(1000).unwrap();
    let size = call(&mut store, instance, "memory.grow", 0).unwrap();
    assert_eq!(size, 40);
}

#[test]
#[cfg(feature = "gc")]
fn arrays_are_paid_for_by_their_bytes() {
    let wat = r#"(module (type $a (array (mut i16)))
      (global $keep (mut (ref null $a)) (ref.null $a))
      (func (export "new") (param i32) (result i32)
        (array.len (array.new_default $a (local.get 0))))
      (func (export "fill") (param i32) (result i32)
        (array.fill $a (array.new $a (i32.const 1) (local.get 0))
          (i32.const 0) (i32.const 2) (local.get 0))
        (i32.const 0)))"#;
    for (name, arg, cost) in [("new", 3, 4), ("new", 4, 4 + 1), ("fill", 400, 9 + 100 + 100)] {
        let (mut store, instance) = instance(&fueled()[0], (), wat);
        store.set_fuel(1000).unwrap();
        call(&mut store, instance, name, arg).unwrap();
        assert_eq!(1000 - store.get_fuel().unwrap(), cost, "{name} {arg}");
        store.set_fuel(cost - 1).unwrap();
        let error = call(&mut store, instance, name, arg).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::OutOfFuel);
    }
}

#[test]
fn host_functions_see_and_give_fuel() {
    let engine = fueled().remove(0);
    let mut linker = Linker::<()>::new(&engine);
    linker
        .func_wrap("", "refuel", |mut caller: Caller<'_, ()>| -> Result<()> {
            assert_eq!(caller.get_fuel()?, 1);
            caller.set_fuel(100)
        })
        .unwrap();
    let wat = r#"(module (import "" "refuel" (func $refuel))
        (func (export "f") (call $refuel) (block (br_if 0 (i32.const 0)))))"#;
    let mut store = Store::new(&engine, ());
    let instance = linker.instantiate(&mut store, &Module::new(&engine, wat).unwrap()).unwrap();
    store.set_fuel(5).unwrap();
    let f = instance.get_typed_func::<(), ()>(&mut store, "f").unwrap();
    f.call(&mut store, ()).unwrap();
    assert_eq!(store.get_fuel().unwrap(), 100);
}

#[test]
fn fuel_has_to_be_asked_for() {
    let mut store = Store::new(&Engine::default(), ());
    for error in [store.set_fuel(1).unwrap_err(), store.get_fuel().unwrap_err()] {
        assert!(error.to_string().contains("consume_fuel"), "{error}");
    }
    let mut store = Store::new(&fueled()[0], ());
    assert_eq!(store.get_fuel().unwrap(), 0);
    store.set_fuel(u64::MAX).unwrap();
    assert!(store.get_fuel().unwrap() >= i64::MAX as u64);
}

const SPIN: &str = r#"(module
  (memory (export "memory") 4) (global $n (mut i32) (i32.const 0))
  (func (export "loop") (param i32) (result i32) (loop (br 0)) (unreachable))
  (func (export "recurse") (param i32) (result i32)
    (loop (drop (call $deep (i32.const 30))) (br 0)) (unreachable))
  (func $deep (param i32) (result i32)
    (if (local.get 0) (then
      (drop (call $deep (i32.sub (local.get 0) (i32.const 1))))
      (drop (call $deep (i32.sub (local.get 0) (i32.const 1))))))
    (i32.const 0))
  (func $tail (export "tail") (param i32) (result i32) (return_call $tail (local.get 0)))
  (func (export "grow") (param i32) (result i32)
    (loop (drop (memory.grow (i32.const 1))) (br 0)) (unreachable))
  (func (export "fill") (param i32) (result i32)
    (loop (memory.fill (i32.const 0) (i32.const 1) (i32.const 262144)) (br 0)) (unreachable))
  (func (export "rounds") (param i32) (result i32)
    (loop $next
      (global.set $n (i32.add (global.get $n) (i32.const 1)))
      (br_if $next (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
    (global.get $n)))"#;

/// Calls `work` when `time` has passed, on another thread.
fn later(time: Duration, work: impl FnOnce() + Send + 'static) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        thread::sleep(time);
        work();
    })
}

const SOON: Duration = Duration::from_millis(30);
/// Far more than anything here takes, far less than it would take uninterrupted.
const LATE: Duration = Duration::from_secs(20);

#[test]
fn another_thread_ends_what_runs_by_an_epoch() {
    let names = ["loop", "recurse", "tail", "grow", "fill"];
    for (engine, name) in timed().iter().flat_map(|engine| names.map(|name| (engine, name))) {
        let (mut store, instance) = instance(engine, (), SPIN);
        store.set_epoch_deadline(1);
        let start = Instant::now();
        let ticks = engine.clone();
        let ticker = later(SOON, move || ticks.increment_epoch());
        let error = call(&mut store, instance, name, 0).unwrap_err();
        ticker.join().unwrap();
        assert_eq!(error.kind(), ErrorKind::Interrupted, "{name}");
        assert_eq!(error.trap(), Some(Trap::Interrupt));
        assert_eq!(error.to_string(), "trap: interrupted");
        assert!(start.elapsed() < LATE, "{name}");
        // The deadline stays where it was.
        let error = call(&mut store, instance, "rounds", 1).unwrap_err();
        assert_eq!(error.trap(), Some(Trap::Interrupt));
        store.set_epoch_deadline(1);
        assert_eq!(call(&mut store, instance, "rounds", 1).unwrap(), 1);
    }
}

#[test]
fn a_store_has_no_deadline_until_it_gets_one() {
    let engine = timed().remove(0);
    let (mut store, instance) = instance(&engine, (), SPIN);
    engine.increment_epoch();
    assert_eq!(call(&mut store, instance, "rounds", 5).unwrap(), 5);
    store.set_epoch_deadline(u64::MAX);
    engine.increment_epoch();
    assert_eq!(call(&mut store, instance, "rounds", 5).unwrap(), 10);
    store.set_epoch_deadline(0);
    assert!(call(&mut store, instance, "rounds", 5).is_err());
}

#[test]
fn a_callback_decides_at_the_deadline() {
    timed().iter().for_each(callback_decides);
}

fn callback_decides(engine: &Engine) {
    let (mut store, instance) = instance(engine, 0u32, SPIN);
    store.set_epoch_deadline(0);
    let ticks = engine.clone();
    store.epoch_deadline_callback(move |mut context| {
        ticks.increment_epoch();
        *context.data_mut() += 1;
        Ok(match *context.data() {
            1..=3 => UpdateDeadline::Continue(1),
            4 => UpdateDeadline::Continue(0),
            5 => return Err(Error::msg("enough")),
            _ => UpdateDeadline::Interrupt,
        })
    });
    // The engine's epoch stands still between two answers.
    for asked in 1..=4 {
        assert_eq!(call(&mut store, instance, "rounds", 1).unwrap(), asked);
        assert_eq!(*store.data(), asked as u32);
        engine.increment_epoch();
    }
    let error = call(&mut store, instance, "rounds", 1).unwrap_err();
    assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Host, "enough"));
    assert!(!error.backtrace().unwrap().frames().is_empty());
    let error = call(&mut store, instance, "rounds", 1).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Interrupted);
    store.epoch_deadline_trap();
    assert_eq!(call(&mut store, instance, "rounds", 1).unwrap_err().trap(), Some(Trap::Interrupt));
    assert_eq!(*store.data(), 6);
}

#[test]
fn a_callback_may_call_the_guest_and_grow_its_memory() {
    for guard_pages in [false, true] {
        let configure = |config: &mut Config| {
            config.epoch_interruption(true).guard_pages(guard_pages);
        };
        engines(configure).iter().for_each(callback_calls);
    }
}

fn callback_calls(engine: &Engine) {
    let wat = r#"(module
      (memory (export "memory") 1)
      (func (export "helper") (param i32) (result i32)
        (i32.store (i32.const 8) (local.get 0)) (i32.const 0))
      (func (export "f") (param i32) (result i32) (local $kept i32) (local $float f64)
        (local.set $kept (i32.const 77))
        (local.set $float (f64.const 0.5))
        (loop $next
          (local.set $kept (i32.sub (i32.add (local.get $kept) (i32.const 2)) (i32.const 2)))
          (local.set $float (f64.add (local.get $float) (f64.const 0)))
          (br_if $next (i32.eqz (i32.load (i32.const 8)))))
        (i32.store (i32.const 70000) (local.get $kept))
        (if (f64.ne (local.get $float) (f64.const 0.5)) (then (unreachable)))
        (i32.add (i32.load (i32.const 70000)) (i32.load (i32.const 8)))))"#;
    let (mut store, instance) = instance(engine, None::<Instance>, wat);
    *store.data_mut() = Some(instance);
    store.set_epoch_deadline(1);
    let ticks = engine.clone();
    store.epoch_deadline_callback(move |mut context| {
        let instance = context.data().expect("it is set");
        context.set_epoch_deadline(1000);
        let memory = instance.get_memory(&mut context, "memory").expect("it has one");
        memory.grow(&mut context, 9)?;
        let helper = instance.get_typed_func::<i32, i32>(&mut context, "helper")?;
        helper.call(&mut context, 5)?;
        ticks.increment_epoch();
        Ok(UpdateDeadline::Continue(1000))
    });
    let ticks = engine.clone();
    let ticker = later(SOON, move || ticks.increment_epoch());
    assert_eq!(call(&mut store, instance, "f", 0).unwrap(), 82);
    ticker.join().unwrap();
}

#[test]
fn an_interruption_stays_until_it_is_taken_back() {
    timed().iter().for_each(interruption_stays);
}

fn interruption_stays(engine: &Engine) {
    let (mut store, instance) = instance(engine, (), SPIN);
    store.set_epoch_deadline(1000);
    store.epoch_deadline_callback(|_| panic!("an interruption does not ask"));
    let handle = store.interrupt_handle();
    let interrupts = handle.clone();
    let thread = later(SOON, move || interrupts.interrupt());
    let error = call(&mut store, instance, "loop", 0).unwrap_err();
    thread.join().unwrap();
    assert_eq!(error.kind(), ErrorKind::Interrupted);
    assert!(handle.is_interrupted());
    store.set_epoch_deadline(1000);
    assert!(call(&mut store, instance, "rounds", 1).is_err());
    store.clear_interrupt();
    assert!(!handle.is_interrupted());
    assert_eq!(call(&mut store, instance, "rounds", 1).unwrap(), 1);
    drop(store);
    handle.interrupt();
}

#[test]
fn host_functions_that_wait_are_woken() {
    // Without epochs: host calls end interrupted all the same.
    let engine = Engine::default();
    let mut linker = Linker::<()>::new(&engine);
    let (send, receive) = channel();
    let receive = std::sync::Mutex::new(receive);
    let wait = move || drop(receive.lock().map(|receive| receive.recv_timeout(LATE)));
    linker.func_wrap("", "wait", wait).unwrap();
    let wat = r#"(module (import "" "wait" (func $wait))
        (func (export "f") (param i32) (result i32) (call $wait) (i32.const 1)))"#;
    let mut store = Store::new(&engine, ());
    let instance = linker.instantiate(&mut store, &Module::new(&engine, wat).unwrap()).unwrap();
    store.add_interrupt_waker(move || send.send(()).unwrap_or_default());
    let handle = store.interrupt_handle();
    let start = Instant::now();
    let thread = later(SOON, move || handle.interrupt());
    let error = call(&mut store, instance, "f", 0).unwrap_err();
    thread.join().unwrap();
    assert_eq!(error.kind(), ErrorKind::Interrupted);
    assert_eq!(error.backtrace().unwrap().frames().len(), 1);
    assert!(start.elapsed() < LATE);
}

#[test]
fn a_guest_cannot_hide_from_an_interruption_behind_the_host() {
    let engine = timed().remove(0);
    let mut linker = Linker::<Option<Func>>::new(&engine);
    let swallow = |mut caller: Caller<'_, Option<Func>>| {
        let spin = caller.data().expect("it is set");
        let _ = spin.call(&mut caller, &[], &mut []);
    };
    linker.func_wrap("", "swallow", swallow).unwrap();
    let wat = r#"(module (import "" "swallow" (func $swallow))
        (func (export "spin") (loop (br 0)))
        (func (export "f") (loop (call $swallow) (br 0))))"#;
    let mut store = Store::new(&engine, None);
    let instance = linker.instantiate(&mut store, &Module::new(&engine, wat).unwrap()).unwrap();
    *store.data_mut() = instance.get_func(&mut store, "spin");
    let handle = store.interrupt_handle();
    let thread = later(SOON, move || handle.interrupt());
    let f = instance.get_typed_func::<(), ()>(&mut store, "f").unwrap();
    assert_eq!(f.call(&mut store, ()).unwrap_err().kind(), ErrorKind::Interrupted);
    thread.join().unwrap();
}

#[test]
fn long_bulk_operations_stop_half_way() {
    // No epochs, so that nothing stops before the operation.
    let wat = r#"(module (memory (export "memory") 64)
      (func (export "fill") (param i32) (result i32)
        (memory.fill (i32.const 0) (i32.const 7) (local.get 0)) (i32.const 0))
      (func (export "copy") (param i32) (result i32)
        (memory.copy (i32.const 8) (i32.const 0) (local.get 0)) (i32.const 0)))"#;
    let (mut store, instance) = instance(&Engine::default(), (), wat);
    let memory = instance.get_memory(&mut store, "memory").unwrap();
    store.interrupt_handle().interrupt();
    call(&mut store, instance, "fill", 1000).unwrap();
    let error = call(&mut store, instance, "fill", 3 << 20).unwrap_err();
    assert_eq!(error.trap(), Some(Trap::Interrupt));
    assert_eq!((memory.data(&store)[0], memory.data(&store)[2 << 20]), (7, 0));
    store.clear_interrupt();
    // The pieces of a copy onto itself come in the order that keeps the source.
    for (at, byte) in memory.data_mut(&mut store)[..3 << 20].iter_mut().enumerate() {
        *byte = (at % 251) as u8;
    }
    call(&mut store, instance, "copy", 3 << 20).unwrap();
    let copied = memory.data(&store)[8..].iter().take(3 << 20);
    assert!(copied.enumerate().all(|(at, &byte)| byte == (at % 251) as u8));
}

#[cfg(feature = "threads")]
#[test]
fn waiting_on_a_memory_ends_at_an_interruption() {
    let wat = r#"(module (memory 1 1 shared)
      (func (export "wait32") (param i32) (result i32)
        (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1)))
      (func (export "wait64") (param i32) (result i32)
        (memory.atomic.wait64 (i32.const 0) (i64.const 0) (i64.const 60_000_000_000))))"#;
    for name in ["wait32", "wait64"] {
        let (mut store, instance) = instance(&Engine::default(), (), wat);
        let handle = store.interrupt_handle();
        let start = Instant::now();
        let again = handle.clone();
        let thread = later(SOON, move || handle.interrupt());
        let error = call(&mut store, instance, name, 0).unwrap_err();
        thread.join().unwrap();
        assert_eq!(error.kind(), ErrorKind::Interrupted);
        // The next one does not even start.
        assert_eq!(call(&mut store, instance, name, 0).unwrap_err().kind(), ErrorKind::Interrupted);
        assert!(start.elapsed() < LATE);
        again.interrupt();
    }
}

/// A limiter that remembers what it was asked.
#[derive(Default)]
struct Asked {
    questions: Vec<String>,
    answer: Option<bool>,
    failures: usize,
}

impl Asked {
    fn decide(&mut self, what: &str, current: usize, desired: usize) -> Result<bool> {
        self.questions.push(format!("{what} {current} {desired}"));
        self.answer.ok_or_else(|| Error::msg("the limiter objects"))
    }
}

impl ResourceLimiter for Asked {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> Result<bool> {
        self.decide("memory", current, desired)
    }
    fn memory_grow_failed(&mut self, error: Error) -> Result<()> {
        assert_eq!(error.kind(), ErrorKind::OutOfMemory);
        self.failures += 1;
        Ok(())
    }
    fn table_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> Result<bool> {
        self.decide("table", current, desired)
    }
    fn table_grow_failed(&mut self, _: Error) -> Result<()> {
        self.failures += 1;
        Ok(())
    }
}

const GROWS: &str = r#"(module (memory (export "memory") 1 9) (table (export "table") 2 9 funcref)
  (func (export "memory.grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "table.grow") (param i32) (result i32)
    (table.grow (ref.null func) (local.get 0))))"#;

#[test]
fn a_limiter_is_asked_about_everything_that_grows() {
    let engine = Engine::default();
    let mut store = Store::new(&engine, Asked { answer: Some(true), ..Asked::default() });
    store.limiter(|asked| asked);
    let module = Module::new(&engine, GROWS).unwrap();
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let memory = instance.get_memory(&mut store, "memory").unwrap();
    let table = instance.get_table(&mut store, "table").unwrap();
    assert_eq!(call(&mut store, instance, "memory.grow", 2).unwrap(), 1);
    assert_eq!(call(&mut store, instance, "table.grow", 2).unwrap(), 2);
    assert_eq!(memory.grow(&mut store, 1).unwrap(), 3);
    assert_eq!(table.grow(&mut store, 1, Val::FuncRef(None)).unwrap(), 4);
    assert_eq!(call(&mut store, instance, "memory.grow", 9).unwrap(), -1);
    assert_eq!(call(&mut store, instance, "table.grow", 9).unwrap(), -1);
    let page = 65536;
    assert_eq!(
        store.data().questions,
        [
            format!("memory 0 {page}"),
            "table 0 2".into(),
            format!("memory {page} {}", 3 * page),
            "table 2 4".into(),
            format!("memory {} {}", 3 * page, 4 * page),
            "table 4 5".into(),
            format!("memory {} {}", 4 * page, 13 * page),
            "table 5 14".into(),
        ]
    );
    assert_eq!(store.data().failures, 2);
    store.data_mut().answer = Some(false);
    assert_eq!(call(&mut store, instance, "memory.grow", 1).unwrap(), -1);
    assert_eq!(call(&mut store, instance, "table.grow", 1).unwrap(), -1);
    assert!(memory.grow(&mut store, 1).is_err());
    assert_eq!(store.data().failures, 2);
    for error in [
        Instance::new(&mut store, &module, &[]).unwrap_err(),
        Memory::new(&mut store, MemoryType::new(1, None)).unwrap_err(),
        Table::new(&mut store, TableType::new(RefType::FUNCREF, 1, None), Val::FuncRef(None))
            .unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Limit);
    }
    store.data_mut().answer = None;
    for name in ["memory.grow", "table.grow"] {
        let error = call(&mut store, instance, name, 1).unwrap_err();
        assert_eq!(error.to_string(), "the limiter objects");
        assert_eq!(error.backtrace().unwrap().frames().len(), 1);
    }
    assert_eq!((memory.size(&store), table.size(&store)), (4, 5));
}

#[test]
fn a_panic_in_a_limiter_reaches_the_caller() {
    struct Panics;
    impl ResourceLimiter for Panics {
        fn memory_growing(&mut self, current: usize, _: usize, _: Option<usize>) -> Result<bool> {
            assert_eq!(current, 0, "no growth");
            Ok(true)
        }
        fn table_growing(&mut self, _: usize, _: usize, _: Option<usize>) -> Result<bool> {
            Ok(true)
        }
    }
    let engine = Engine::default();
    let mut store = Store::new(&engine, Panics);
    store.limiter(|limiter| limiter);
    let instance = Instance::new(&mut store, &Module::new(&engine, GROWS).unwrap(), &[]).unwrap();
    let grow = std::panic::AssertUnwindSafe(|| call(&mut store, instance, "memory.grow", 1));
    assert!(std::panic::catch_unwind(grow).is_err());
    assert_eq!(call(&mut store, instance, "table.grow", 1).unwrap(), 2);
}

#[test]
fn fixed_limits() {
    let engine = Engine::default();
    let limits = StoreLimitsBuilder::new().memory_size(3 << 16).table_elements(4);
    let limits = limits.instances(2).tables(3).memories(3).build();
    let mut store: Store<StoreLimits> = Store::new(&engine, limits);
    store.limiter(|limits| limits);
    let module = Module::new(&engine, GROWS).unwrap();
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    for (name, results) in [("memory.grow", [1, 2, -1]), ("table.grow", [2, 3, -1])] {
        for result in results {
            assert_eq!(call(&mut store, instance, name, 1).unwrap(), result, "{name}");
        }
    }
    Instance::new(&mut store, &module, &[]).unwrap();
    let error = Instance::new(&mut store, &module, &[]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit);
    assert_eq!(error.to_string(), "a store may have 2 instances");
    Memory::new(&mut store, MemoryType::new(0, None)).unwrap();
    let error = Memory::new(&mut store, MemoryType::new(0, None)).unwrap_err();
    assert_eq!(error.to_string(), "a store may have 3 memories");
    store.data_mut().clone_from(
        &StoreLimitsBuilder::new().memory_size(3 << 16).trap_on_grow_failure(true).build(),
    );
    let error = call(&mut store, instance, "memory.grow", 1).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit);
}

#[cfg(feature = "gc")]
#[test]
fn the_heap_grows_as_the_limiter_allows() {
    let wat = r#"(module (type $list (sub (struct (field (ref null $list)) (field i64 i64 i64))))
      (type $bytes (array i8))
      (global $all (mut (ref null $list)) (ref.null $list))
      (func (export "keep") (param i32) (result i32)
        (loop $next
          (global.set $all (struct.new $list (global.get $all)
            (i64.const 1) (i64.const 2) (i64.const 3)))
          (br_if $next (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
        (i32.const 0))
      (func (export "drop") (param i32) (result i32)
        (global.set $all (ref.null $list))
        (loop $next
          (drop (struct.new $list (ref.null $list) (i64.const 1) (i64.const 2) (i64.const 3)))
          (br_if $next (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
        (i32.const 0))
      (func (export "large") (param i32) (result i32)
        (array.len (array.new_default $bytes (local.get 0)))))"#;
    let engine = Engine::default();
    let limits = StoreLimitsBuilder::new().gc_heap_size(8 << 20).build();
    let mut store = Store::new(&engine, limits);
    store.limiter(|limits| limits);
    let instance = Instance::new(&mut store, &Module::new(&engine, wat).unwrap(), &[]).unwrap();
    for _ in 0..2 {
        assert_eq!(call(&mut store, instance, "keep", 100_000).unwrap(), 0);
        let error = call(&mut store, instance, "keep", i32::MAX).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Limit);
        // What was kept is garbage now, and room again.
        assert_eq!(call(&mut store, instance, "drop", 1_000_000).unwrap(), 0);
    }
    assert_eq!(call(&mut store, instance, "large", 1 << 20).unwrap(), 1 << 20);
    let error = call(&mut store, instance, "large", 9 << 20).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit);
}

#[test]
fn kinds_can_be_told_apart() {
    let (mut store, instance) = instance(
        &Engine::default(),
        (),
        r#"(module (func $f (export "deep") (param i32) (result i32) (call $f (local.get 0)))
            (func (export "trap") (param i32) (result i32) (unreachable)))"#,
    );
    for (name, kind) in [("deep", ErrorKind::StackOverflow), ("trap", ErrorKind::Trap)] {
        assert_eq!(call(&mut store, instance, name, 0).unwrap_err().kind(), kind);
    }
}

#[test]
fn handles_travel_between_threads() {
    fn check<T: Send + Sync + Clone + 'static>(_: &T) {}
    let store = Store::new(&Engine::default(), ());
    let handle: InterruptHandle = store.interrupt_handle();
    check(&handle);
    // Many at once, and a store that goes away meanwhile.
    let (started, stop) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicBool::new(false)));
    let threads: Vec<_> = (0..3)
        .map(|_| {
            let (handle, started, stop) = (handle.clone(), started.clone(), stop.clone());
            thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    handle.interrupt();
                    started.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    while started.load(Ordering::Relaxed) < 100 {
        thread::yield_now();
    }
    drop(store);
    stop.store(true, Ordering::Relaxed);
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

const BOMBS: &str = r#"(module
  (type $a (array (mut i8))) (type $l (struct (field (ref $a)) (field (ref null $l))))
  (memory $m 1) (memory $n i64 1) (table $t 1 funcref) (tag $list (param exnref))
  (global $g (mut (ref null $l)) (ref.null $l)) (global $e (mut exnref) (ref.null exn))
  (func $cons (param exnref) (result exnref exnref)
    (try_table (catch_ref $list 0) (throw $list (local.get 0))) (unreachable))
  (func (export "memory") (param i32) (result i32) (memory.grow $m (local.get 0)))
  (func (export "memory64") (param i32) (result i32)
    (i32.wrap_i64 (memory.grow $n (i64.extend_i32_u (local.get 0)))))
  (func (export "table") (param i32) (result i32)
    (table.grow $t (ref.null func) (local.get 0)))
  (func (export "objects") (param i32) (result i32)
    (loop $again
      (global.set $g (struct.new $l (array.new $a (i32.const 1) (i32.const 10000)) (global.get $g)))
      (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
    (i32.const 0))
  (func (export "exceptions") (param i32) (result i32)
    (loop $again
      (call $cons (global.get $e)) (global.set $e) (drop)
      (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
    (i32.const 0)))"#;

/// Engines with a limit of everything together, and stores that have it themselves.
fn with_total(bytes: usize, visit: impl Fn(Store<StoreLimits>)) {
    for engine in engines(|config| {
        config.max_total(bytes as u64);
    }) {
        visit(Store::new(&engine, StoreLimits::default()));
    }
    for engine in engines(|_| ()) {
        let limits = StoreLimitsBuilder::new().total_size(bytes).build();
        let mut store = Store::new(&engine, limits);
        store.limiter(|limits| limits);
        visit(store);
    }
}

#[test]
fn everything_together_is_limited() {
    with_total(8 << 20, |mut store| {
        let module = Module::new(store.engine(), BOMBS).unwrap();
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        // What one kind has taken is not there for another.
        assert_eq!(call(&mut store, instance, "memory", 128).unwrap(), -1);
        assert_eq!(call(&mut store, instance, "memory", 40).unwrap(), 1);
        assert_eq!(call(&mut store, instance, "memory64", 100).unwrap(), -1);
        assert_eq!(call(&mut store, instance, "memory64", 16).unwrap(), 1);
        assert_eq!(call(&mut store, instance, "table", 1 << 20).unwrap(), -1);
        // A table that moves is there twice.
        assert_eq!(call(&mut store, instance, "table", 100_000).unwrap(), 1);
        assert_eq!(call(&mut store, instance, "table", 420_000).unwrap(), -1);
        for name in ["objects", "exceptions"] {
            let error = call(&mut store, instance, name, i32::MAX).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Limit, "{name}: {error}");
        }
        assert_eq!(call(&mut store, instance, "memory", 64).unwrap(), -1);
        let error = Memory::new(&mut store, MemoryType::new(64, None)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Limit);
        let message = "no room for a memory of 4194304 bytes (the limit is 8388608 bytes in all)";
        assert_eq!(error.to_string(), message);
    });
}

#[test]
fn many_of_a_kind_are_limited_together() {
    for what in ["(memory 16)", "(memory i64 16)", "(table 100000 funcref)"] {
        with_total(8 << 20, |mut store| {
            let text = format!("(module {})", what.repeat(12));
            let module = Module::new(store.engine(), text).unwrap();
            let error = Instance::new(&mut store, &module, &[]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Limit, "{what}");
            assert!(error.to_string().contains("(the limit is 8388608 bytes in all)"), "{error}");
        });
    }
    with_total(1 << 20, |mut store| {
        let text = format!("(module {})", "(func)".repeat(1000));
        let module = Module::new(store.engine(), text).unwrap();
        let made = (0..100).take_while(|_| Instance::new(&mut store, &module, &[]).is_ok());
        assert!((10..50).contains(&made.count()));
    });
}

/// Stores beside each other share what one may have, and give back what they had.
#[test]
fn stores_beside_each_other_are_limited_together() {
    for engine in engines(|config| {
        config.max_total(8 << 20).max_stack(64 << 10);
    }) {
        let module = Module::new(&engine, BOMBS).unwrap();
        let mut first = Store::new(&engine, ());
        let instance = Instance::new(&mut first, &module, &[]).unwrap();
        assert_eq!(call(&mut first, instance, "memory", 70).unwrap(), 1);
        for round in 0..3 {
            let mut second = Store::beside(&first, ());
            let other = Instance::new(&mut second, &module, &[]).unwrap();
            assert_eq!(call(&mut second, other, "memory", 60).unwrap(), -1, "{round}");
            assert_eq!(call(&mut second, other, "table", 300_000).unwrap(), 1);
            let error = call(&mut second, other, "objects", i32::MAX).unwrap_err();
            assert!(error.to_string().contains("(the limit is 8388608 bytes in all)"), "{error}");
            // What the second has is not there for the first, until it is gone.
            assert_eq!(call(&mut first, instance, "memory64", 10).unwrap(), -1, "{round}");
            let refused = first.refusals().growth().unwrap();
            assert_eq!(second.refusals().growth(), Some(refused.clone()));
            assert!(refused.contains(" bytes (the limit is 8388608 bytes in all)"), "{refused}");
        }
        assert_eq!(call(&mut first, instance, "memory64", 10).unwrap(), 1);
        // Each has a stack, and all but the first count it.
        let stores: Vec<_> = (0..100)
            .map_while(|_| {
                let mut store = Store::beside(&first, ());
                Instance::new(&mut store, &module, &[]).is_ok().then_some(store)
            })
            .collect();
        assert!((5..40).contains(&stores.len()), "{}", stores.len());
        let alone = &mut Store::new(&engine, ());
        assert!(Instance::new(alone, &module, &[]).is_ok());
    }
}

/// Two that ask at the same time are not both given the last bytes.
#[test]
fn stores_that_grow_at_once_stay_within_the_limit() {
    let mut config = Config::new();
    let engine = Engine::new(config.max_total(16 << 20).max_stack(64 << 10)).unwrap();
    let module = "(module (memory 0) (func (export \"f\") (param i32) (result i32) (local $n i32)
        (loop (if (i32.ge_s (memory.grow (i32.const 1)) (i32.const 0))
          (then (local.set $n (i32.add (local.get $n) (i32.const 1))) (br 1))))
        (local.get $n)))";
    let module = Module::new(&engine, module).unwrap();
    for _ in 0..20 {
        let (first, start) = (Store::new(&engine, ()), &std::sync::Barrier::new(4));
        let all: i32 = std::thread::scope(|scope| {
            let grow = |_| {
                let mut store = Store::beside(&first, ());
                let instance = Instance::new(&mut store, &module, &[]).unwrap();
                scope.spawn(move || {
                    start.wait();
                    let pages = call(&mut store, instance, "f", 0).unwrap();
                    (store, pages)
                })
            };
            let threads: Vec<_> = (0..4).map(grow).collect();
            let stores: Vec<_> = threads.into_iter().map(|one| one.join().unwrap()).collect();
            stores.iter().map(|(_, pages)| pages).sum()
        });
        assert!((200..=252).contains(&all), "{all}");
    }
}

#[cfg(feature = "threads")]
#[test]
fn a_shared_memory_counts_once_for_stores_beside_each_other() {
    let mut config = Config::new();
    let engine = Engine::new(config.max_total(8 << 20).max_stack(64 << 10)).unwrap();
    let module = r#"(module (import "" "m" (memory 64 100 shared))
        (func (export "f") (param i32) (result i32) (memory.grow (local.get 0))))"#;
    let module = Module::new(&engine, module).unwrap();
    let memory = zwasm::SharedMemory::new(&engine, MemoryType::shared(64, 100)).unwrap();
    let mut first = Store::new(&engine, ());
    let one = Instance::new(&mut first, &module, &[memory.clone().into()]).unwrap();
    let mut second = Store::beside(&first, ());
    let two = Instance::new(&mut second, &module, &[memory.clone().into()]).unwrap();
    assert_eq!(call(&mut second, two, "f", 30).unwrap(), 64);
    assert_eq!(call(&mut first, one, "f", 5).unwrap(), 94);
    let text = "(module (memory 0) (func (export \"f\") (param i32) (result i32)
        (memory.grow (local.get 0))))";
    let own = Module::new(&engine, text).unwrap();
    let own = Instance::new(&mut first, &own, &[]).unwrap();
    assert_eq!(call(&mut first, own, "f", 40).unwrap(), -1);
    assert_eq!(call(&mut first, own, "f", 20).unwrap(), 0);
    // The memory stays when one of them is gone.
    drop(second);
    assert_eq!(call(&mut first, own, "f", 20).unwrap(), -1);
}

#[test]
fn garbage_and_what_is_thrown_away_do_not_count() {
    with_total(8 << 20, |mut store| {
        let text = r#"(module (type $a (array (mut i8))) (tag $e (param i32))
          (func $throw (block $h (try_table (catch_all $h) (throw $e (i32.const 1)))))
          (func (export "f") (param i32) (result i32)
            (loop $again
              (drop (array.new $a (i32.const 1) (i32.const 1000)))
              (call $throw)
              (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
            (i32.const 7)))"#;
        let module = Module::new(store.engine(), text).unwrap();
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        assert_eq!(call(&mut store, instance, "f", 30_000).unwrap(), 7);
    });
}

#[test]
fn constant_expressions_pay_for_objects() {
    let text = |len: u32, init: &str| {
        format!("(module (type $a (array (mut i8))) {init})").replace("LEN", &len.to_string())
    };
    let places = [
        "(global (ref $a) (array.new $a (i32.const 1) (i32.const LEN)))",
        "(global (ref $a) (array.new_default $a (i32.const LEN)))",
        "(table 1 (ref $a) (array.new $a (i32.const 1) (i32.const LEN)))",
        "(elem (ref $a) (item (array.new $a (i32.const 1) (i32.const LEN))))",
        "(table 1 (ref null $a)) (elem (i32.const 0) (ref $a) (item (array.new_default $a (i32.const LEN))))",
    ];
    for engine in fueled() {
        for init in places {
            let mut store = Store::new(&engine, ());
            let module = Module::new(&engine, text(8000, init)).unwrap();
            store.set_fuel(1001).unwrap();
            Instance::new(&mut store, &module, &[]).unwrap();
            assert_eq!(store.get_fuel().unwrap(), 0, "{init}");
            store.set_fuel(1000).unwrap();
            let error = Instance::new(&mut store, &module, &[]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::OutOfFuel, "{init}");
        }
    }
    for engine in timed() {
        for init in places {
            let mut store = Store::new(&engine, ());
            let module = Module::new(&engine, text(8, init)).unwrap();
            store.interrupt_handle().interrupt();
            let error = Instance::new(&mut store, &module, &[]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Interrupted, "{init}");
        }
    }
}

#[test]
fn arrays_of_constant_expressions_are_filled() {
    let text = r#"(module (type $a (array i16))
      (global $g (ref $a) (array.new $a (i32.const 0x1234) (i32.const 1500001)))
      (func (export "f") (param i32) (result i32) (array.get_u $a (global.get $g) (local.get 0))))"#;
    let (mut store, instance) = instance(&Engine::default(), (), text);
    for index in [0, 1, 2, 3, 524_287, 524_288, 1_048_577, 1_500_000] {
        assert_eq!(call(&mut store, instance, "f", index).unwrap(), 0x1234, "{index}");
    }
}

#[test]
fn large_structures_cost_by_size() {
    for (fields, cost) in [(1, 0), (8, 0), (9, 1), (100, 92)] {
        let text = format!(
            "(module (type $s (struct {})) (func (export \"f\") (param i32) (result i32)
               (drop (struct.new_default $s)) (i32.const 7)))",
            "(field i64)".repeat(fields)
        );
        for engine in fueled() {
            let (mut store, instance) = instance(&engine, (), &text);
            for _ in 0..5 {
                store.set_fuel(3 + cost).unwrap();
                assert_eq!(call(&mut store, instance, "f", 0).unwrap(), 7);
                assert_eq!(store.get_fuel().unwrap(), 0);
                store.set_fuel(2 + cost).unwrap();
                let error = call(&mut store, instance, "f", 0).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::OutOfFuel);
            }
        }
    }
}
