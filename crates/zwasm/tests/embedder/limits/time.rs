//! Deadlines and interruptions, from other threads and in the middle of long instructions.

use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use zwasm::{
    Caller, Config, Engine, Error, ErrorKind, Func, Instance, Linker, Module, Store, Trap,
    UpdateDeadline,
};

use super::{call, engines, instance, timed};

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
        assert_eq!(error.summary(), "trap: interrupted");
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
    assert_eq!((error.kind(), error.summary().as_str()), (ErrorKind::Host, "enough"));
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

#[cfg(feature = "threads")]
#[test]
fn waiting_on_a_memory_ends_at_a_deadline() {
    const WAIT: &str = r#"(module (memory 1 1 shared)
      (func (export "wait32") (param i32) (result i32)
        (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1)))
      (func (export "wait64") (param i32) (result i32)
        (memory.atomic.wait64 (i32.const 0) (i64.const 0) (i64.const 600000000000))))"#;
    for engine in timed() {
        for name in ["wait32", "wait64"] {
            let (mut store, instance) = instance(&engine, (), WAIT);
            store.set_epoch_deadline(1);
            let clock = engine.clone();
            let ticking = later(Duration::from_millis(20), move || clock.increment_epoch());
            let error = call(&mut store, instance, name, 0).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Interrupted, "{error}");
            ticking.join().unwrap();
        }
    }
}

#[test]
fn loading_a_module_ends_when_told_to() {
    use std::sync::atomic::{AtomicU32, Ordering};
    let nops = |count| "nop ".repeat(count);
    let one = format!("(module (func {}))", nops(1 << 20));
    let many = format!("(module {})", format!("(func {})", nops(3000)).repeat(600));
    for wat in [one, many] {
        let bytes = wat::parse_str(&wat).unwrap();
        let engine = Engine::default();
        let asked = AtomicU32::new(0);
        let load = |most: u32| {
            asked.store(0, Ordering::Relaxed);
            let stop = || asked.fetch_add(1, Ordering::Relaxed) >= most;
            Module::from_binary_until(&engine, &bytes, stop)
        };
        load(u32::MAX).unwrap();
        let all = asked.load(Ordering::Relaxed);
        assert!(all >= 64, "asked {all} times");
        for most in [0, 10, all / 2, all - 1] {
            let error = load(most).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Interrupted, "{error}");
            // Each thread asks once more.
            assert!(asked.load(Ordering::Relaxed) <= most + 256);
        }
    }
}
