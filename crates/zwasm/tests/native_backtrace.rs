//! Native backtraces taken in host functions end at the entry into the guest, whatever
//! way led to the host function, however little the build is optimised.
#![cfg(feature = "wat")]

use std::backtrace::Backtrace;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;
use zwasm::{Caller, Config, Engine, Error, Linker, Module, Store, Strategy};

/// What the host function does.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Act {
    Capture,
    Panic,
    Fail,
}

/// Modules that reach the imported function in every way: (name, text, whether the
/// start function does, whether through a host function that calls the guest).
const WAYS: [(&str, &str); 7] = [
    ("call", r#"(import "h" "f" (func $f)) (func (export "run") (call $f) (call $f))"#),
    ("tail call", r#"(import "h" "f" (func $f)) (func (export "run") (return_call $f))"#),
    ("exported import", r#"(import "h" "f" (func $f)) (export "run" (func $f))"#),
    ("start", r#"(import "h" "f" (func $f)) (start $f)"#),
    ("start of the guest", r#"(import "h" "f" (func $f)) (func $s (call $f)) (start $s)"#),
    (
        "nested",
        r#"(import "h" "f" (func $f)) (import "h" "again" (func $again))
           (func (export "inner") (call $f)) (func (export "run") (call $again))"#,
    ),
    (
        "through a table, from a loop",
        r#"(import "h" "f" (func $f)) (table funcref (elem $f)) (type $t (func))
           (func (export "run") (local i32)
             (loop
               (call_indirect (type $t) (i32.const 0))
               (br_if 0 (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 1)))
                 (i32.const 50)))))"#,
    ),
];

fn act(act: Act) -> zwasm::Result<()> {
    match act {
        Act::Capture => {
            // Rendering reads every frame's symbols as well.
            let trace = Backtrace::force_capture().to_string();
            assert!(trace.contains("native_backtrace"), "{trace}");
            Ok(())
        }
        Act::Panic => panic!("the host's"),
        Act::Fail => Err(Error::msg(format!("failed at {}", Backtrace::force_capture()))),
    }
}

/// Runs a module until its host function has acted.
fn run(engine: &Engine, text: &str, what: Act) -> zwasm::Result<()> {
    let mut linker = Linker::<()>::new(engine);
    linker.func_wrap("h", "f", move || act(what))?;
    linker.func_wrap("h", "again", |mut caller: Caller<'_, ()>| {
        let inner = caller.get_export("inner").and_then(|item| item.into_func());
        inner.expect("it is exported").call(&mut caller, &[], &mut [])
    })?;
    let module = Module::new(engine, format!("(module {text})"))?;
    let mut store = Store::new(engine, ());
    let instance = linker.instantiate(&mut store, &module)?;
    let Some(run) = instance.get_func(&mut store, "run") else { return Ok(()) };
    for _ in 0..3 {
        run.call(&mut store, &[], &mut [])?;
    }
    Ok(())
}

#[test]
fn backtraces_end_at_the_entry() {
    let strategies = [
        Strategy::Interpreter,
        Strategy::Baseline,
        Strategy::Optimizing,
        Strategy::Auto,
        Strategy::Mixed(1),
    ];
    for strategy in strategies {
        let mut config = Config::new();
        config.strategy(strategy);
        let Ok(engine) = Engine::new(&config) else { continue };
        for (way, text) in WAYS {
            for what in [Act::Capture, Act::Panic, Act::Fail] {
                let place = format!("{strategy:?}, {way}, {what:?}");
                let outcome = catch_unwind(AssertUnwindSafe(|| run(&engine, text, what)));
                match (what, outcome) {
                    (Act::Capture, Ok(Ok(()))) => {}
                    (Act::Fail, Ok(Err(error))) => {
                        assert!(error.summary().contains("failed at"), "{place}: {error}");
                    }
                    (Act::Panic, Err(panic)) => {
                        assert_eq!(panic.downcast_ref(), Some(&"the host's"), "{place}");
                    }
                    (_, other) => panic!("{place}: {other:?}"),
                }
            }
        }
    }
}

/// The same in a process whose panics print backtraces.
#[test]
fn panics_print_backtraces() {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "backtraces_end_at_the_entry", "--nocapture"])
        .env("RUST_BACKTRACE", "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{:?}: {said}", output.status);
    assert!(said.contains("stack backtrace:") && said.contains("native_backtrace"), "{said}");
}
