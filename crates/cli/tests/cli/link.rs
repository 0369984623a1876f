//! Modules that import from modules.

use crate::guests::{MATH, exit};
use crate::support::{Dir, line};

#[test]
fn linking() {
    let app = r#"(module
      (import "math" "add" (func $add (param i32 i32) (result i32)))
      (func (export "compute") (param i32) (result i32)
        (call $add (local.get 0) (i32.const 100))))"#;
    // Three in a chain, each with a start function that needs the one below.
    let middle = r#"(module
      (import "base" "value" (func $value (result i32)))
      (import "base" "memory" (memory 1))
      (func (export "value") (result i32) (i32.add (call $value) (i32.load8_u (i32.const 0)))))"#;
    let base = r#"(module
      (memory (export "memory") 1) (data (i32.const 0) "\05")
      (func (export "value") (result i32) i32.const 10))"#;
    let top = r#"(module
      (import "middle" "value" (func $value (result i32)))
      (import "base" "value" (func $base (result i32)))
      (func (export "sum") (result i32) (i32.add (call $value) (call $base))))"#;
    let dir = Dir::with(&[
        ("app.wasm", app),
        ("math.wasm", MATH),
        ("top.wasm", top),
        ("middle.wasm", middle),
        ("base.wat", base),
    ]);
    line(&dir, "app.wasm --link math=math.wasm --invoke compute 42").prints("142\n");
    line(&dir, "top.wasm --link base=base.wat --link middle=middle.wasm --invoke sum")
        .prints("25\n");
    line(&dir, "top.wasm --link middle=middle.wasm --link=base=base.wat --invoke sum")
        .prints("25\n");
    line(&dir, "app.wasm --invoke compute 42").fails_saying(1, &["math", "add", "--link"]);
    line(&dir, "app.wasm --link math=no.wasm --invoke compute 1")
        .fails_saying(126, &["no.wasm", "--link math=no.wasm"]);
    line(&dir, "top.wasm --link middle=middle.wasm --invoke sum")
        .fails_saying(1, &["base", "value", "--link middle=middle.wasm"]);
    line(&dir, "app.wasm --link math --invoke compute 1").fails_saying(1, &["NAME=FILE"]);
}

#[test]
fn links_in_a_circle() {
    let ping = r#"(import "pong" "f" (func)) (func (export "f"))"#;
    let pong = r#"(import "ping" "f" (func)) (func (export "f"))"#;
    let own = r#"(import "own" "f" (func)) (func (export "f"))"#;
    let dir = Dir::with(&[("ping.wasm", ping), ("pong.wasm", pong), ("own.wasm", own)]);
    line(&dir, "ping.wasm --link ping=ping.wasm --link pong=pong.wasm")
        .fails_saying(1, &["'--link'", "ping -> pong -> ping"]);
    line(&dir, "own.wasm --link own=own.wasm").fails_saying(1, &["own -> own"]);
}

/// A module that takes the system's name stands between it and the program.
#[test]
fn a_link_may_wrap_the_system() {
    let wrapper = r#"(module
      (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
      (func (export "proc_exit") (param i32)
        (call $exit (i32.add (local.get 0) (i32.const 1)))))"#;
    let dir = Dir::with(&[("wrapper.wat", wrapper)]);
    dir.write("exit.wat", exit(40));
    let outcome = line(&dir, "exit.wat --link wasi_snapshot_preview1=wrapper.wat");
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(41), ""));
}

/// Module names may be empty and may contain what divides the option.
#[test]
fn names_of_any_kind() {
    let importing = |name: &str| {
        format!(r#"(import "{name}" "f" (func $f (result i32))) (export "f" (func $f))"#)
    };
    let seven = r#"(func (export "f") (result i32) i32.const 7)"#;
    let eight = r#"(func (export "f") (result i32) i32.const 8)"#;
    let dir = Dir::with(&[
        ("empty.wat", &*importing("")),
        ("equals.wat", &*importing("a=b")),
        ("odd.wat", &*importing("=")),
        ("a.wat", &*importing("a")),
        ("seven.wat", seven),
        ("x=8.wat", eight),
    ]);
    line(&dir, "empty.wat --link =seven.wat --invoke f").prints("7\n");
    line(&dir, "empty.wat --link==seven.wat --invoke f").prints("7\n");
    line(&dir, "equals.wat --link a=b=seven.wat --invoke f").prints("7\n");
    line(&dir, "odd.wat --link ==seven.wat --invoke f").prints("7\n");
    line(&dir, "a.wat --link a=x=8.wat --invoke f").prints("8\n");
    line(&dir, "empty.wat --link =seven.wat --link =seven.wat")
        .fails_saying(1, &["gives the name '' twice"]);
    line(&dir, "empty.wat --invoke f").fails_saying(1, &["\"\"", "--link"]);
    line(&dir, "empty.wat --link =missing.wat").fails_saying(126, &["--link =missing.wat"]);
    line(&dir, "a.wat --link seven.wat").fails_saying(1, &["did you mean 'seven=seven.wat'?"]);
    line(&dir, "a.wat --link a:seven.wat").fails_saying(1, &["did you mean 'a=seven.wat'?"]);
    let text = line(&dir, "inspect empty.wat").text();
    let start =
        "empty.wat\nimports:\n  \"\".f: func (result i32)\nexports:\n  f: func (result i32)\n";
    assert!(text.starts_with(start), "{text}");
}
