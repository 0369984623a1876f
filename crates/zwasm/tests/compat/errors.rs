//! Errors: made, given context, and found by their type.

use engine::error::Context as _;
use engine::{
    Caller, Config, Engine, Error, Func, Instance, Linker, Module, Result, Store, Trap,
    WasmBacktrace, WasmCoreDump, bail, ensure, format_err,
};

#[derive(Debug)]
struct Refused(u32);

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "refused with {}", self.0)
    }
}

impl std::error::Error for Refused {}

#[test]
fn errors_are_made_of_messages_and_errors() {
    assert_eq!(Error::msg("no").to_string(), "no");
    assert!(Error::msg("no").is::<&str>());
    assert_eq!(format_err!("{} of {}", 1, 2).to_string(), "1 of 2");
    let error = Error::new(Refused(3));
    assert_eq!(error.downcast_ref::<Refused>().map(|error| error.0), Some(3));
    let error = format_err!(Refused(4));
    assert_eq!(error.downcast::<Refused>().map(|error| error.0).ok(), Some(4));
    let kept = Error::new(Refused(5)).downcast::<std::fmt::Error>().unwrap_err();
    assert!(kept.is::<Refused>());
}

#[test]
fn context_goes_before_and_hides_nothing() {
    let error = Error::new(Refused(1)).context("inner").context(format!("outer {}", 2));
    assert_eq!(error.to_string(), "outer 2");
    assert_eq!(format!("{error:#}"), "outer 2: inner: refused with 1");
    let chain: Vec<String> = error.chain().map(|error| error.to_string()).collect();
    assert_eq!(chain, ["outer 2", "inner", "refused with 1"]);
    assert_eq!(error.root_cause().to_string(), "refused with 1");
    assert!(error.is::<Refused>() && error.is::<&str>() && error.is::<String>());
    let text = format!("{error:?}");
    assert!(text.starts_with("outer 2\n\nCaused by:\n") && text.contains("refused with 1"));
    let mut error = error;
    error.downcast_mut::<Refused>().expect("it is there").0 = 9;
    assert_eq!(error.downcast::<Refused>().expect("it is there").0, 9);
}

#[test]
fn results_and_options_get_context() {
    let parsed: Result<u32> = "x".parse::<u32>().context("not a number");
    assert_eq!(parsed.unwrap_err().to_string(), "not a number");
    let none: Option<u32> = None;
    let error = none.with_context(|| format!("nothing at {}", 7)).unwrap_err();
    assert_eq!(error.to_string(), "nothing at 7");
    let again: Result<()> = Err(error).context("again");
    assert_eq!(again.unwrap_err().chain().count(), 2);
}

fn checked(value: u32) -> Result<u32> {
    ensure!(value < 10, "{value} is too large");
    ensure!(value != 5);
    if value == 7 {
        bail!(Refused(value));
    }
    Ok(value)
}

#[test]
fn macros_return_errors() {
    assert_eq!(checked(3).unwrap(), 3);
    assert_eq!(checked(12).unwrap_err().to_string(), "12 is too large");
    assert_eq!(checked(5).unwrap_err().to_string(), "Condition failed: `value != 5`");
    assert!(checked(7).unwrap_err().is::<Refused>());
}

#[test]
fn a_trap_has_its_kind_and_its_frames() -> Result<()> {
    let engine = Engine::default();
    let module = Module::new(
        &engine,
        r#"(module $m
            (func $inner (unreachable))
            (func $outer (export "run") (call $inner)))"#,
    )?;
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[])?;
    let run = instance.get_typed_func::<(), ()>(&mut store, "run")?;
    let error = run.call(&mut store, ()).unwrap_err();
    assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::UnreachableCodeReached));
    assert_eq!(
        error.root_cause().to_string(),
        "wasm trap: wasm `unreachable` instruction executed"
    );
    let trace = error.downcast_ref::<WasmBacktrace>().expect("it has frames");
    let names: Vec<_> = trace.frames().iter().map(|frame| frame.func_name()).collect();
    assert_eq!(names, [Some("inner"), Some("outer")]);
    assert_eq!(trace.frames()[0].func_index(), 0);
    assert_eq!(trace.frames()[0].module().name(), Some("m"));
    let text = error.to_string();
    assert!(text.starts_with("error while executing at wasm backtrace:\n"), "{text}");
    assert!(text.contains("m!inner"), "{text}");
    Ok(())
}

#[test]
fn the_words_of_traps() {
    for (trap, words) in [
        (Trap::StackOverflow, "wasm trap: call stack exhausted"),
        (Trap::MemoryOutOfBounds, "wasm trap: out of bounds memory access"),
        (Trap::HeapMisaligned, "wasm trap: unaligned atomic"),
        (Trap::TableOutOfBounds, "wasm trap: undefined element: out of bounds table access"),
        (Trap::IndirectCallToNull, "wasm trap: uninitialized element"),
        (Trap::BadSignature, "wasm trap: indirect call type mismatch"),
        (Trap::IntegerOverflow, "wasm trap: integer overflow"),
        (Trap::IntegerDivisionByZero, "wasm trap: integer divide by zero"),
        (Trap::BadConversionToInteger, "wasm trap: invalid conversion to integer"),
        (Trap::Interrupt, "wasm trap: interrupt"),
        (Trap::OutOfFuel, "wasm trap: all fuel consumed by WebAssembly"),
        (Trap::NullReference, "wasm trap: null reference"),
        (Trap::CastFailure, "wasm trap: cast failure"),
    ] {
        assert_eq!(trap.to_string(), words);
    }
}

#[test]
fn an_error_of_a_host_function_comes_out_as_it_went_in() -> Result<()> {
    let engine = Engine::default();
    let module = Module::new(
        &engine,
        r#"(module (import "" "f" (func $f)) (func (export "run") (call $f)))"#,
    )?;
    let mut store = Store::new(&engine, ());
    let mut linker = Linker::new(&engine);
    linker.func_wrap("", "f", |_: Caller<'_, ()>| -> Result<()> {
        Err(Error::new(Refused(11)).context("in the host"))
    })?;
    let instance = linker.instantiate(&mut store, &module)?;
    let run = instance.get_typed_func::<(), ()>(&mut store, "run")?;
    let error = run.call(&mut store, ()).unwrap_err();
    assert_eq!(error.downcast_ref::<Refused>().map(|error| error.0), Some(11));
    assert!(error.is::<WasmBacktrace>() && !error.is::<Trap>());
    assert!(error.chain().any(|error| error.to_string() == "in the host"));
    // A trap of the host's is one.
    let trap = Func::wrap(&mut store, || -> Result<()> { Err(Trap::CastFailure.into()) });
    let error = trap.call(&mut store, &[], &mut []).unwrap_err();
    assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::CastFailure));
    Ok(())
}

#[test]
fn backtraces_can_be_left_out_and_taken_at_any_time() -> Result<()> {
    let mut config = Config::new();
    config.wasm_backtrace(false);
    let engine = Engine::new(&config)?;
    let module = Module::new(
        &engine,
        r#"(module (import "" "f" (func $f (result i32)))
            (func (export "run") (result i32) (call $f))
            (func (export "trap") unreachable))"#,
    )?;
    let mut store = Store::new(&engine, ());
    let count = Func::wrap(&mut store, |caller: Caller<'_, ()>| {
        assert!(WasmBacktrace::capture(&caller).frames().is_empty());
        WasmBacktrace::force_capture(&caller).frames().len() as u32
    });
    let instance = Instance::new(&mut store, &module, &[count.into()])?;
    let run = instance.get_typed_func::<(), u32>(&mut store, "run")?;
    assert_eq!(run.call(&mut store, ())?, 1);
    let trap = instance.get_typed_func::<(), ()>(&mut store, "trap")?;
    let error = trap.call(&mut store, ()).unwrap_err();
    assert!(error.is::<Trap>() && !error.is::<WasmBacktrace>());
    Ok(())
}

#[test]
fn a_core_dump_is_found_in_the_error() -> Result<()> {
    let mut config = Config::new();
    config.coredump_on_trap(true);
    let engine = Engine::new(&config)?;
    let module = Module::new(
        &engine,
        r#"(module (memory 1) (global i32 (i32.const 7)) (func (export "f") unreachable))"#,
    )?;
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[])?;
    let f = instance.get_typed_func::<(), ()>(&mut store, "f")?;
    let error = f.call(&mut store, ()).unwrap_err();
    let dump = error.downcast_ref::<WasmCoreDump>().expect("it was asked for");
    assert_eq!((dump.frames().len(), dump.modules().len()), (1, 1));
    assert_eq!((dump.instances().len(), dump.memories().len()), (1, 1));
    assert!(!dump.globals().is_empty());
    assert!(dump.serialize(&mut store, "f").starts_with(b"\0asm"));
    Ok(())
}

#[test]
fn backtraces_have_as_many_frames_as_they_may() -> Result<()> {
    use std::num::NonZeroUsize;
    for (limit, frames) in [(Some(3), 3), (Some(6), 6), (Some(50), 7), (None, 0)] {
        let mut config = Config::new();
        config.wasm_backtrace_max_frames(limit.and_then(NonZeroUsize::new));
        let engine = Engine::new(&config)?;
        // Functions as small as these are inlined, and have frames all the same.
        let module = Module::new(
            &engine,
            r#"(module
                (func $1 (export "run") (call $2))
                (func $2 (call $3)) (func $3 (call $4)) (func $4 (call $5))
                (func $5 (call $6)) (func $6 (call $7)) (func $7 (unreachable))
                (func $deep (export "deep") (call $deep)))"#,
        )?;
        let mut store = Store::new(&engine, ());
        let instance = Instance::new(&mut store, &module, &[])?;
        let run = instance.get_typed_func::<(), ()>(&mut store, "run")?;
        for _ in 0..3 {
            let error = run.call(&mut store, ()).unwrap_err();
            let trace = error.downcast_ref::<WasmBacktrace>();
            assert_eq!(trace.map_or(0, |trace| trace.frames().len()), frames, "{limit:?}");
        }
        let deep = instance.get_typed_func::<(), ()>(&mut store, "deep")?;
        let error = deep.call(&mut store, ()).unwrap_err();
        let trace = error.downcast_ref::<WasmBacktrace>();
        assert_eq!(trace.map_or(0, |trace| trace.frames().len()), limit.unwrap_or(0));
    }
    Ok(())
}

#[test]
fn without_frames_of_the_guest_an_error_is_what_the_host_made() -> Result<()> {
    let mut store = Store::<()>::default();
    let fail = Func::wrap(&mut store, || -> Result<()> { bail!("just this") });
    let error = fail.call(&mut store, &[], &mut []).unwrap_err();
    assert_eq!(error.to_string(), "just this");
    assert!(!error.is::<WasmBacktrace>());
    let module = Module::new(store.engine(), r#"(module (import "" "" (func)) (start 0))"#)?;
    let error = Instance::new(&mut store, &module, &[fail.into()]).unwrap_err();
    assert!(error.to_string().contains("just this"), "{error}");
    Ok(())
}

#[test]
fn a_core_dump_is_made_for_errors_of_the_host_too() -> Result<()> {
    let mut config = Config::new();
    config.coredump_on_trap(true);
    let engine = Engine::new(&config)?;
    let module = Module::new(
        &engine,
        r#"(module (import "" "f" (func $f)) (func (export "run") (call $f)))"#,
    )?;
    let mut store = Store::new(&engine, ());
    let fail = Func::wrap(&mut store, || -> Result<()> { bail!(Refused(2)) });
    let instance = Instance::new(&mut store, &module, &[fail.into()])?;
    let run = instance.get_typed_func::<(), ()>(&mut store, "run")?;
    let error = run.call(&mut store, ()).unwrap_err();
    assert!(error.is::<Refused>());
    assert_eq!(error.downcast_ref::<WasmCoreDump>().map(|dump| dump.frames().len()), Some(1));
    Ok(())
}

#[test]
fn frames_may_have_no_offsets() -> Result<()> {
    for enable in [true, false] {
        let mut config = Config::new();
        config.generate_address_map(enable);
        let engine = Engine::new(&config)?;
        let module = Module::new(
            &engine,
            r#"(module (func (export "run") (call $f)) (func $f unreachable))"#,
        )?;
        let mut store = Store::new(&engine, ());
        let instance = Instance::new(&mut store, &module, &[])?;
        let run = instance.get_typed_func::<(), ()>(&mut store, "run")?;
        let error = run.call(&mut store, ()).unwrap_err();
        let trace = error.downcast_ref::<WasmBacktrace>().expect("it has frames");
        assert_eq!(trace.frames().len(), 2);
        assert_eq!(trace.frames()[0].func_name(), Some("f"));
        let offsets = trace.frames().iter().map(|frame| frame.module_offset().is_some());
        assert!(offsets.eq([enable, enable]));
    }
    Ok(())
}
