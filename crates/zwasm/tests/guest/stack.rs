//! Depth, tail calls, re-entry and traps: what the stack of a store promises.
#![cfg(feature = "wat")]

use zwasm::{Caller, Config, Engine, ErrorKind, Func, Linker, Module, Store, Trap, Val};

const DEPTH: &str = r#"(module
    (func $depth (export "depth") (param i32) (result i32)
        (if (result i32) (i32.eqz (local.get 0))
            (then (i32.const 0))
            (else (i32.add (i32.const 1)
                (call $depth (i32.sub (local.get 0) (i32.const 1)))))))
    (func $forever (export "forever") (call $forever)))"#;

fn depth(config: &Config, frames: i32) -> zwasm::Result<i32> {
    let engine = Engine::new(config)?;
    let module = Module::new(&engine, DEPTH)?;
    let mut store = Store::new(&engine, ());
    let instance = Linker::new(&engine).instantiate(&mut store, &module)?;
    instance.get_typed_func::<i32, i32>(&mut store, "depth")?.call(&mut store, frames)
}

#[test]
fn the_default_stack_holds_fifty_thousand_frames() {
    assert_eq!(depth(&Config::new(), 50_000).unwrap(), 50_000);
}

#[test]
fn a_raised_limit_holds_a_million_frames() {
    let mut config = Config::new();
    config.max_stack(256 << 20);
    assert_eq!(depth(&config, 1_000_000).unwrap(), 1_000_000);
}

#[test]
fn depth_does_not_depend_on_the_thread() {
    let thread = std::thread::Builder::new().stack_size(128 << 10);
    let result = thread.spawn(|| depth(&Config::new(), 50_000).unwrap()).unwrap().join();
    assert_eq!(result.unwrap(), 50_000);
}

#[test]
fn endless_recursion_traps_and_the_store_stays_usable() {
    let engine = Engine::default();
    let module = Module::new(&engine, DEPTH).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = Linker::new(&engine).instantiate(&mut store, &module).unwrap();
    let forever = instance.get_typed_func::<(), ()>(&mut store, "forever").unwrap();
    for _ in 0..3 {
        let error = forever.call(&mut store, ()).unwrap_err();
        assert_eq!(error.trap(), Some(Trap::StackOverflow));
        let frames = error.backtrace().unwrap().frames();
        assert_eq!(frames[0].func_name(), Some("forever"));
    }
    let depth = instance.get_typed_func::<i32, i32>(&mut store, "depth").unwrap();
    assert_eq!(depth.call(&mut store, 10).unwrap(), 10);
}

#[test]
fn too_small_a_stack_is_refused() {
    assert!(Engine::new(Config::new().max_stack(100)).is_err());
}

/// Two instances call each other in tail position through imports and a table.
#[test]
fn tail_calls_across_instances_run_in_constant_stack() {
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let mut linker = Linker::new(&engine);
    let ping = r#"(module
        (type $t (func (param i64) (result i64)))
        (table (export "table") 1 funcref)
        (memory (export "memory") 1)
        (func (export "ping") (param i64) (result i64)
            (if (i64.eqz (local.get 0))
                (then (return (i64.extend_i32_u (memory.size)))))
            (return_call_indirect (type $t) (i64.sub (local.get 0) (i64.const 1)) (i32.const 0))))"#;
    let module = Module::new(&engine, ping).unwrap();
    let first = linker.instantiate(&mut store, &module).unwrap();
    linker.instance(&mut store, "first", first).unwrap();
    let pong = r#"(module
        (import "first" "ping" (func $ping (param i64) (result i64)))
        (import "first" "table" (table 1 funcref))
        (memory 3)
        (func $pong (param i64) (result i64)
            (if (i64.eqz (local.get 0))
                (then (return (i64.extend_i32_u (memory.size)))))
            (return_call $ping (i64.sub (local.get 0) (i64.const 1))))
        (elem (i32.const 0) func $pong))"#;
    let module = Module::new(&engine, pong).unwrap();
    linker.instantiate(&mut store, &module).unwrap();
    let ping = first.get_typed_func::<i64, i64>(&mut store, "ping").unwrap();
    assert_eq!(ping.call(&mut store, 2_000_000).unwrap(), 1);
    assert_eq!(ping.call(&mut store, 2_000_001).unwrap(), 3);
}

/// A caller's memory is the right one again after a callee tail-called elsewhere.
#[test]
fn returning_from_a_tail_call_elsewhere_restores_the_memory() {
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let mut linker = Linker::new(&engine);
    let other = r#"(module (memory 1) (data (i32.const 0) "\01")
        (func (export "load") (result i32) (i32.load8_u (i32.const 0))))"#;
    let instance = linker.instantiate(&mut store, &Module::new(&engine, other).unwrap()).unwrap();
    linker.instance(&mut store, "other", instance).unwrap();
    let user = r#"(module
        (import "other" "load" (func $load (result i32)))
        (memory 1) (data (i32.const 0) "\10")
        (func $hop (result i32) (return_call $load))
        (func (export "sum") (result i32)
            (i32.add (call $hop) (i32.load8_u (i32.const 0)))))"#;
    let module = Module::new(&engine, user).unwrap();
    let instance = linker.instantiate(&mut store, &module).unwrap();
    let sum = instance.get_typed_func::<(), i32>(&mut store, "sum").unwrap();
    assert_eq!(sum.call(&mut store, ()).unwrap(), 0x11);
}

/// Calls with more arguments, or more results, than the frame they replace.
#[test]
fn tail_calls_move_the_header() {
    let wat = r#"(module
        (func $many (param i32 i32 i32 i32 i32 i32) (result i32)
            (i32.sub (local.get 5) (local.get 0)))
        (func (export "grow") (param i32) (result i32)
            (return_call $many (local.get 0) (i32.const 2) (i32.const 3) (i32.const 4)
                (i32.const 5) (i32.const 60)))
        (func $one (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2)))
        (func (export "shrink") (param i32 i32 i32 i32) (result i32)
            (return_call $one (local.get 3))))"#;
    let grow = zwasm::invoke(wat, "grow", &[Val::I32(7)]).unwrap();
    assert_eq!(grow[0].i32(), Some(53));
    let args = [1, 2, 3, 21].map(Val::I32);
    assert_eq!(zwasm::invoke(wat, "shrink", &args).unwrap()[0].i32(), Some(42));
}

const REENTER: &str = r#"(module
    (import "host" "again" (func $again (param i32) (result i32)))
    (memory (export "memory") 1)
    (func (export "run") (param i32) (result i32)
        (local i32)
        (if (i32.eqz (local.get 0)) (then (unreachable)))
        (local.set 1 (call $again (i32.sub (local.get 0) (i32.const 1))))
        (i32.add (local.get 1) (memory.size))))"#;

fn again(mut caller: Caller<'_, u32>, n: i32) -> zwasm::Result<i32> {
    *caller.data_mut() += 1;
    if n == 0 {
        let memory = caller.get_export("memory").and_then(|item| item.into_memory()).unwrap();
        memory.grow(&mut caller, 1)?;
        return Ok(0);
    }
    let run = caller.get_export("run").and_then(|item| item.into_func()).unwrap();
    run.typed::<i32, i32>(&caller)?.call(&mut caller, n)
}

fn reentrant() -> (Store<u32>, zwasm::TypedFunc<i32, i32>) {
    let engine = Engine::default();
    let mut store = Store::new(&engine, 0);
    let mut linker = Linker::new(&engine);
    linker.func_wrap("host", "again", again).unwrap();
    let module = Module::new(&engine, REENTER).unwrap();
    let instance = linker.instantiate(&mut store, &module).unwrap();
    let run = instance.get_typed_func::<i32, i32>(&mut store, "run").unwrap();
    (store, run)
}

#[test]
fn the_host_can_call_back_into_the_guest() {
    let (mut store, run) = reentrant();
    // Every level sees the memory that the innermost has grown.
    assert_eq!(run.call(&mut store, 100).unwrap(), 200);
    assert_eq!(*store.data(), 100);
}

#[test]
fn endless_recursion_through_the_host_traps() {
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let mut linker = Linker::new(&engine);
    linker
        .func_wrap("host", "again", |mut caller: Caller<'_, ()>, n: i32| -> zwasm::Result<i32> {
            let run = caller.get_export("run").and_then(|item| item.into_func()).unwrap();
            run.typed::<i32, i32>(&caller)?.call(&mut caller, n + 2)
        })
        .unwrap();
    let module = Module::new(&engine, REENTER).unwrap();
    let instance = linker.instantiate(&mut store, &module).unwrap();
    let run = instance.get_typed_func::<i32, i32>(&mut store, "run").unwrap();
    for _ in 0..2 {
        let error = run.call(&mut store, 1).unwrap_err();
        assert_eq!(error.trap(), Some(Trap::StackOverflow));
    }
}

#[test]
fn traps_cross_host_frames_with_the_whole_backtrace() {
    let wat = r#"(module $inner-and-outer
        (import "host" "call" (func $call (param funcref)))
        (func $boom (export "boom") (drop (i32.div_s (i32.const 1) (i32.const 0))))
        (elem declare func $boom)
        (func $outer (export "outer") (call $call (ref.func $boom))))"#;
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let mut linker = Linker::new(&engine);
    linker
        .func_wrap("host", "call", |mut caller: Caller<'_, ()>, func: Option<Func>| {
            func.unwrap().call(&mut caller, &[], &mut [])
        })
        .unwrap();
    let module = Module::new(&engine, wat).unwrap();
    let instance = linker.instantiate(&mut store, &module).unwrap();
    let outer = instance.get_typed_func::<(), ()>(&mut store, "outer").unwrap();
    let error = outer.call(&mut store, ()).unwrap_err();
    assert_eq!(error.trap(), Some(Trap::IntegerDivisionByZero));
    let trace = error.backtrace().unwrap();
    let names: Vec<_> = trace.frames().iter().map(|frame| frame.func_name()).collect();
    assert_eq!(names, [Some("boom"), Some("outer")]);
    assert_eq!(trace.frames()[0].module_name(), Some("inner-and-outer"));
    let instances: Vec<_> = trace.frames().iter().map(|frame| frame.instance()).collect();
    assert_eq!(instances, [instance, instance]);
    // `boom` has no locals, two constants of two bytes, and divides; `outer` has no
    // locals, a `ref.func`, and calls.
    let offsets: Vec<_> = trace.frames().iter().map(|frame| frame.func_offset()).collect();
    assert_eq!(offsets, [Some(5), Some(3)]);
    let offsets = trace.frames().iter().map(|frame| frame.module_offset());
    assert!(offsets.zip([5, 3]).all(|(offset, least)| offset > Some(least)));
}

#[test]
fn errors_of_host_functions_arrive_unchanged() {
    #[derive(Debug)]
    struct Exit(i32);
    impl std::fmt::Display for Exit {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "exit {}", self.0)
        }
    }
    impl std::error::Error for Exit {}
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let mut linker = Linker::new(&engine);
    linker
        .func_wrap("host", "exit", |code: i32| -> zwasm::Result<()> { Err(Exit(code).into()) })
        .unwrap();
    let wat = r#"(module (import "host" "exit" (func $exit (param i32)))
        (func (export "f") (call $exit (i32.const 9)) (unreachable)))"#;
    let instance = linker.instantiate(&mut store, &Module::new(&engine, wat).unwrap()).unwrap();
    let f = instance.get_typed_func::<(), ()>(&mut store, "f").unwrap();
    let error = f.call(&mut store, ()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Host);
    assert_eq!(error.downcast_ref::<Exit>().map(|exit| exit.0), Some(9));
}

#[test]
fn panics_of_host_functions_continue_on_the_host() {
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let mut linker = Linker::new(&engine);
    linker.func_wrap("host", "panic", || -> () { panic!("on purpose") }).unwrap();
    let wat = r#"(module (import "host" "panic" (func $panic))
        (func (export "f") (call $panic)) (func (export "g") (result i32) (i32.const 3)))"#;
    let instance = linker.instantiate(&mut store, &Module::new(&engine, wat).unwrap()).unwrap();
    let f = instance.get_typed_func::<(), ()>(&mut store, "f").unwrap();
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| f.call(&mut store, ())));
    assert_eq!(caught.unwrap_err().downcast_ref(), Some(&"on purpose"));
    let g = instance.get_typed_func::<(), i32>(&mut store, "g").unwrap();
    assert_eq!(g.call(&mut store, ()).unwrap(), 3);
}
