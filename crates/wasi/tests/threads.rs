//! Threads of guests: started, ended with the guest, limited.
#![cfg(feature = "threads")]

use std::time::Duration;

use zwasm::{Config, Engine, Error, ErrorKind, Linker, Module, Store};
use zwasm_wasi::{Capabilities, I32Exit, MemoryPipe, Threads, WasiCtx};

/// What every guest here imports.
const PRELUDE: &str = r#"
    (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (import "wasi_snapshot_preview1" "fd_write"
        (func $write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "poll_oneoff"
        (func $poll (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
    (import "env" "memory" (memory 1 1 shared))
    (export "memory" (memory 0))
    (func $wait (drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1))))
    (func $spin (loop (br 0)))
    ;; An hour of the monotonic clock.
    (func $sleep
        (i32.store (i32.const 0x210) (i32.const 1))
        (i64.store (i32.const 0x218) (i64.const 3600000000000))
        (drop (call $poll (i32.const 0x200) (i32.const 0x300) (i32.const 1) (i32.const 16))))
    (func $must_spawn (param i32)
        (if (i32.le_s (call $spawn (local.get 0)) (i32.const 0)) (then unreachable)))
"#;

struct Guest {
    threads: Threads<WasiCtx>,
    store: Store<WasiCtx>,
}

impl Guest {
    fn new(caps: Capabilities, main: &str, thread: &str) -> Guest {
        Guest::configured(Config::new().epoch_interruption(true), caps, main, thread)
    }

    fn configured(config: &Config, caps: Capabilities, main: &str, thread: &str) -> Guest {
        let engine = Engine::new(config).unwrap();
        let text = format!(
            r#"(module {PRELUDE}
                (func (export "_start") {main})
                (func (export "wasi_thread_start") (param $id i32) (param $arg i32) {thread}))"#
        );
        let module = Module::new(&engine, wat::parse_str(text).unwrap()).unwrap();
        assert!(Threads::<WasiCtx>::wanted_by(&module));
        let mut linker = Linker::new(&engine);
        zwasm_wasi::add_to_linker(&mut linker, |ctx| ctx).unwrap();
        let ctx = WasiCtx::builder().caps(caps).build();
        let mut store = Store::new(&engine, ctx);
        let threads = Threads::new(&mut store, linker, &module, |ctx| ctx).unwrap();
        Guest { threads, store }
    }

    /// Runs the guest; afterwards no thread of it may be left.
    fn run(&mut self) -> Result<(), Error> {
        let outcome = self.threads.run(&mut self.store, |store, instance| {
            instance.get_typed_func::<(), ()>(&mut *store, "_start")?.call(store, ())
        });
        assert!(self.threads.join(Duration::from_secs(20)), "a thread goes on");
        outcome
    }
}

fn exit_code(error: &Error) -> Option<i32> {
    error.downcast_ref::<I32Exit>().map(|exit| exit.0)
}

#[test]
fn threads_share_the_memory_and_the_context() {
    // Each adds its argument to 8 and wakes the first, which waits for both.
    let main = r#"
        (local $seen i32)
        (call $must_spawn (i32.const 30)) (call $must_spawn (i32.const 12))
        (loop $again
            (local.set $seen (i32.atomic.load (i32.const 8)))
            (if (i32.ne (local.get $seen) (i32.const 42)) (then
                (drop (memory.atomic.wait32 (i32.const 8) (local.get $seen) (i64.const -1)))
                (br $again))))
        (call $exit (i32.atomic.load (i32.const 8)))"#;
    let thread = r#"
        (drop (i32.atomic.rmw.add (i32.const 8) (local.get $arg)))
        (drop (memory.atomic.notify (i32.const 8) (i32.const 1)))"#;
    let error = Guest::new(Capabilities::ALL, main, thread).run().unwrap_err();
    assert_eq!(exit_code(&error), Some(42));
}

#[test]
fn the_end_of_the_first_is_the_end_of_all() {
    for thread in ["(call $wait)", "(call $spin)", "(call $sleep)"] {
        let main = "(call $must_spawn (i32.const 0)) (call $must_spawn (i32.const 0))";
        Guest::new(Capabilities::ALL, main, thread).run().unwrap();
        let main = format!("{main} (call $exit (i32.const 9))");
        let error = Guest::new(Capabilities::ALL, &main, thread).run().unwrap_err();
        assert_eq!(exit_code(&error), Some(9), "{thread}");
    }
}

#[test]
fn the_exit_of_one_is_the_end_of_all() {
    for main in ["(call $wait)", "(call $spin)", "(call $sleep)"] {
        let main = format!("(call $must_spawn (i32.const 7)) {main}");
        let thread = "(call $exit (local.get $arg))";
        let error = Guest::new(Capabilities::ALL, &main, thread).run().unwrap_err();
        assert_eq!(exit_code(&error), Some(7), "{main}");
    }
}

#[test]
fn the_trap_of_one_is_the_end_of_all() {
    for main in ["(call $wait)", "(call $spin)", "(call $sleep)"] {
        let main = format!("(call $must_spawn (i32.const 7)) {main}");
        let error = Guest::new(Capabilities::ALL, &main, "unreachable").run().unwrap_err();
        assert_eq!(error.summary(), "trap: unreachable");
        assert!(error.backtrace().is_some_and(|trace| !trace.frames().is_empty()));
    }
}

#[test]
fn a_thread_gets_half_of_the_fuel() {
    let main = "(call $must_spawn (i32.const 0)) (call $wait)";
    let config = &mut Config::new();
    let config = config.consume_fuel(true);
    for (thread, kind) in [
        ("(call $spin)", ErrorKind::OutOfFuel),
        // It has some, but not all.
        ("(call $exit (i32.const 3))", ErrorKind::Host),
    ] {
        let mut guest = Guest::configured(config, Capabilities::ALL, main, thread);
        guest.store.set_fuel(1_000_001).unwrap();
        assert_eq!(guest.run().unwrap_err().kind(), kind);
        let left = guest.store.get_fuel().unwrap();
        assert!((499_000..=500_000).contains(&left), "{left}");
    }
}

#[test]
fn the_number_of_threads_is_limited() {
    // Starts threads until it fails, and exits with how many and the reason.
    let main = r#"
        (local $count i32) (local $result i32)
        (loop $more
            (local.set $result (call $spawn (i32.const 0)))
            (if (i32.gt_s (local.get $result) (i32.const 0)) (then
                (local.set $count (i32.add (local.get $count) (i32.const 1)))
                (br $more))))
        (call $exit (i32.sub (i32.mul (local.get $count) (i32.const 100)) (local.get $result)))"#;
    const AGAIN: i32 = 6;
    let mut guest = Guest::new(Capabilities::ALL, main, "(call $wait)");
    guest.threads.max_threads(5);
    assert_eq!(exit_code(&guest.run().unwrap_err()), Some(500 + AGAIN));
    let mut guest = Guest::new(Capabilities::ALL, main, "(call $wait)");
    guest.threads.max_threads(0);
    assert_eq!(exit_code(&guest.run().unwrap_err()), Some(AGAIN));
}

#[test]
fn threads_take_a_capability() {
    let main = "(call $exit (i32.sub (i32.const 0) (call $spawn (i32.const 0))))";
    let mut guest = Guest::new(Capabilities::default(), main, "");
    const NOTCAPABLE: i32 = 76;
    assert_eq!(exit_code(&guest.run().unwrap_err()), Some(NOTCAPABLE));
    assert_eq!(guest.store.data().refused(), Capabilities::PROC);
}

#[test]
fn an_interruption_of_the_first_is_the_end_of_all() {
    let main = "(call $must_spawn (i32.const 0)) (call $wait)";
    let mut guest = Guest::new(Capabilities::ALL, main, "(call $spin)");
    let handle = guest.store.interrupt_handle();
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(50));
        handle.interrupt();
    });
    assert_eq!(guest.run().unwrap_err().kind(), ErrorKind::Interrupted);
}

#[test]
fn what_is_written_at_the_end_arrives() {
    let engine = Engine::default();
    let text = format!(
        r#"(module {PRELUDE}
            (data (i32.const 0x400) "\10\04\00\00\06\00\00\00") (data (i32.const 0x410) "ended\n")
            (func (export "_start") (call $must_spawn (i32.const 0)) (call $wait))
            (func (export "wasi_thread_start") (param i32 i32)
                (drop (call $write (i32.const 1) (i32.const 0x400) (i32.const 1) (i32.const 16)))
                (call $exit (i32.const 3))))"#
    );
    let module = Module::new(&engine, wat::parse_str(text).unwrap()).unwrap();
    let mut linker = Linker::new(&engine);
    zwasm_wasi::add_to_linker(&mut linker, |ctx| ctx).unwrap();
    let out = MemoryPipe::new();
    let mut builder = WasiCtx::builder();
    builder.caps(Capabilities::ALL).stdout(Box::new(out.clone()));
    let mut store = Store::new(&engine, builder.build());
    let threads = Threads::new(&mut store, linker, &module, |ctx| ctx).unwrap();
    let error = threads
        .run(&mut store, |store, instance| {
            instance.get_typed_func::<(), ()>(&mut *store, "_start")?.call(store, ())
        })
        .unwrap_err();
    assert_eq!(exit_code(&error), Some(3));
    store.data().flush().unwrap();
    assert_eq!(out.contents(), b"ended\n");
}

#[test]
fn threads_are_limited_together() {
    let limited = |bytes: u64| {
        let mut config = Config::new();
        config.epoch_interruption(true).max_total(bytes).max_stack(1 << 20);
        config
    };
    // Each needs a stack; the thirty threads are there at once.
    let main = r#"(local $n i32)
        (loop $more (call $must_spawn (i32.const 0))
            (br_if $more (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1)))
                (i32.const 30))))
        (call $wait)"#;
    let thread = r#"
        (if (i32.eq (i32.atomic.rmw.add (i32.const 8) (i32.const 1)) (i32.const 29))
            (then (call $exit (i32.const 5))))
        (call $wait)"#;
    let enough = Guest::configured(&limited(64 << 20), Capabilities::ALL, main, thread).run();
    assert_eq!(exit_code(&enough.unwrap_err()), Some(5));
    let error = Guest::configured(&limited(16 << 20), Capabilities::ALL, main, thread).run();
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit);
    // Where optimized code has frames of its own, there is as much again for those.
    let message = |bytes: u32| {
        format!("no room for a stack of {bytes} bytes (the limit is 16777216 bytes in all)")
    };
    let expected = [message(1 << 20), message(2 << 20)];
    assert!(expected.contains(&error.summary()), "{error}");
}

/// A thread that spins until another has done something lets it do so.
#[test]
fn threads_that_yield_take_turns() {
    let turns = |mine: u32, next: u32| {
        format!(
            r#"(loop $turn
                (loop $spin (if (i32.ne (i32.atomic.load (i32.const 8)) (i32.const {mine})) (then
                    (drop (call $yield)) (br $spin))))
                (i32.atomic.store (i32.const 8) (i32.const {next}))
                (br_if $turn (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1)))
                    (i32.const 2000))))"#
        )
    };
    let main = format!(
        "(local $n i32) (call $must_spawn (i32.const 0)) {} (call $exit (i32.const 6))",
        turns(0, 1)
    );
    let thread = format!("(local $n i32) {} (call $wait)", turns(1, 0));
    let mut guest = Guest::new(Capabilities::ALL, &main, &thread);
    assert_eq!(exit_code(&guest.run().unwrap_err()), Some(6));
}
