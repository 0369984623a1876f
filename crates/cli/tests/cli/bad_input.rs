//! Input that is broken, hostile or too large: always one `error:` line, the
//! right exit code, soon, and never a panic.

use std::time::Duration;

use crate::support::{Dir, IS_A_DIRECTORY, Outcome, assemble, line, zwasm};

/// A module that uses most sections of the binary format.
const RICH: &str = r#"(module $rich
  (type $unary (func (param i32) (result i32)))
  (table 4 8 funcref)
  (memory (export "memory") 1 2)
  (global $g (mut i64) (i64.const -7))
  (elem (i32.const 1) $inc $inc)
  (data (i32.const 16) "some bytes")
  (data $passive "more")
  (func $inc (type $unary) local.get 0 i32.const 1 i32.add)
  (func (export "_start") (local f64 i32)
    (loop $again
      (local.set 1 (call_indirect (type $unary) (local.get 1) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get 1) (i32.const 10))))
    (memory.init $passive (i32.const 0) (i32.const 0) (i32.const 4))
    (global.set $g (i64.extend_i32_u (local.get 1)))))"#;

const WASI: &str = r#"(module
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 8) "hi\n")
  (func (export "_start")
    (i32.store (i32.const 0) (i32.const 8))
    (i32.store (i32.const 4) (i32.const 3))
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16)))))"#;

fn wat(text: impl AsRef<[u8]>) -> Outcome {
    let dir = Dir::new();
    dir.write("m.wat", text);
    line(&dir, "m.wat")
}

/// Runs a file with a name that tells nothing about its format.
fn file(bytes: impl AsRef<[u8]>) -> Outcome {
    let dir = Dir::new();
    dir.write("m", bytes);
    line(&dir, "m")
}

#[test]
fn files_that_cannot_be_read() {
    let dir = Dir::new();
    line(&dir, "missing.wasm").fails_saying(126, &["missing.wasm", "(os error 2)"]);
    line(&dir, ".").fails_saying(126, &[IS_A_DIRECTORY]);
    line(&dir, "validate .").fails_saying(126, &[IS_A_DIRECTORY]);
    let missing = if cfg!(windows) { "(os error 3)" } else { "(os error 2)" };
    line(&dir, "no/such/dir.wasm").fails_saying(126, &[missing]);
    assert_eq!(zwasm([""]).run().code, Some(126));
}

#[test]
fn files_that_are_no_modules() {
    for bytes in [
        &b""[..],
        b"\0",
        b"\0asm",
        b"\0asm\x02\0\0\0",
        b"\0asm\x01\0\0\0\xff",
        b"\x7fELF\x02\x01\x01\0",
        b"#!/bin/sh\n",
        b"hello",
        b"(",
        b")",
        b"(module",
        b"(modul)",
        b"\xff\xfe(module)",
    ] {
        let outcome = file(bytes);
        assert!(!outcome.fails(2).contains('\n'), "{bytes:?}");
    }
    assert!(!wat("(module))").fails(2).is_empty());
    assert!(!wat(b"(module \xff)").fails(2).is_empty());
}

#[test]
fn random_bytes() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    for round in 0..60 {
        let mut bytes = if round % 2 == 0 { Vec::new() } else { b"\0asm\x01\0\0\0".to_vec() };
        bytes.extend((0..round * 11 + 1).map(|_| random()));
        file(&bytes).fails(2);
    }
}

/// A prefix that ends between two sections can be a module of its own, so
/// success is possible; anything but a clean verdict is not.
fn truncated(name: &str, bytes: &[u8]) {
    let dir = Dir::new();
    let mut refused = 0;
    for length in 0..bytes.len() {
        dir.write(name, &bytes[..length]);
        let outcome = line(&dir, name);
        if outcome.code != Some(0) {
            outcome.fails(2);
            refused += 1;
        }
    }
    assert!(refused > bytes.len() * 9 / 10, "{refused} of {}", bytes.len());
    dir.write(name, bytes);
    assert_eq!(line(&dir, name).code, Some(0));
}

#[test]
fn a_module_cut_at_every_byte() {
    truncated("m.wasm", &assemble(RICH));
}

#[test]
fn a_wasi_program_cut_at_every_byte() {
    truncated("m.wasm", &assemble(WASI));
}

#[test]
fn a_text_cut_at_every_byte() {
    truncated("m.wat", WASI.as_bytes());
}

#[test]
fn text_errors_show_line_and_column() {
    let syntax = wat("(module\n  (func\n    i32.cosnt 1))\n");
    syntax.fails_saying(2, &["m.wat:3:5: ", "unknown operator"]);
    let unclosed = wat("(module\n  (func)\n");
    unclosed.fails_saying(2, &["m.wat:3:1: "]);
    let name = wat("(module (func (call $nowhere)))");
    name.fails_saying(2, &["m.wat:1:21: ", "nowhere"]);
}

#[test]
fn invalid_modules_say_where() {
    let binary = file(assemble("(func) (func (result i32) i64.const 1)"));
    binary.fails_saying(2, &["invalid module", "type mismatch", "offset 0x"]);
    wat("(func (result i32) i64.const 1)").fails_saying(2, &["type mismatch"]);
}

#[test]
fn missing_imports_are_all_listed() {
    let outcome = wat(r#"(module
      (import "env" "log" (func (param i32 i64)))
      (import "env" "memory" (memory 2 4))
      (import "js" "table" (table 1 funcref))
      (import "js" "base" (global (mut i32)))
      (import "wasi_snapshot_preview1" "no_such_call" (func (result i32))))"#);
    outcome.fails_saying(
        1,
        &["env", "log", "i32 i64", "memory", "js", "table", "base", "mut i32", "no_such_call"],
    );
}

#[test]
fn imports_of_the_wrong_type() {
    let outcome = wat(r#"(import "wasi_snapshot_preview1" "fd_write" (func (param i64)))"#);
    outcome.fails_saying(1, &["fd_write"]);
}

#[test]
fn a_start_function_that_traps() {
    wat("(func unreachable) (start 0)").fails_saying(1, &["trap: unreachable"]);
}

#[test]
fn traps() {
    for (body, message) in [
        ("unreachable", "trap: unreachable"),
        ("(drop (i32.div_s (i32.const 1) (i32.const 0)))", "trap: integer divide by zero"),
        ("(drop (i32.load (i32.const -4)))", "trap: out of bounds memory access"),
        ("(call_indirect (i32.const 0))", "trap: uninitialized element"),
        ("(call_indirect (i32.const 9))", "trap: undefined element"),
    ] {
        let outcome = wat(format!(
            r#"(module (memory 1) (table 1 funcref) (func (export "_start") {body}))"#
        ));
        outcome.fails_saying(1, &[message]);
    }
}

#[test]
fn uncaught_exceptions() {
    let outcome = wat(r#"(module
        (tag $e (param i32 f64)) (tag $none)
        (func $throw (throw $e (i32.const -7) (f64.const 0.5)))
        (func (export "_start") (call $throw))
        (func (export "none") (throw $none)))"#);
    assert_eq!(outcome.fails(1), "uncaught exception with i32 -7, f64 0.5");
    assert!(outcome.stderr.contains("\n  at function 0 <throw>, offset 0x"), "{outcome:?}");
    let start = wat("(tag $e) (func $f (throw $e)) (start $f)");
    assert_eq!(start.fails(1), "uncaught exception");
}

#[test]
fn infinite_recursion() {
    let outcome = wat(r#"(func $f (export "_start") (call $f))"#);
    outcome.fails_saying(1, &["trap: call stack exhausted"]);
    let mutual = wat(r#"(func $f (export "_start") (call $g)) (func $g (call $f))"#);
    mutual.fails_saying(1, &["trap: call stack exhausted"]);
}

#[test]
fn requests_too_large() {
    // Whether 4 GiB can be had is the machine's business.
    for request in ["(memory 65536)", "(table 100000000 funcref)"] {
        let outcome = wat(request);
        assert!(outcome.code == Some(0) || !outcome.fails(1).is_empty(), "{request}");
    }
    let dir = Dir::with(&[("m.wat", "(memory 65536)")]);
    line(&dir, "m.wat --max-memory 1G").fails(1);
    wat("(memory 65537)").fails(2);
    wat("(memory i64 0x800000000000)").fails(1);
    wat("(table 4294967295 funcref)").fails(1);
}

#[test]
fn a_function_with_two_billion_locals() {
    let mut bytes = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0".to_vec();
    bytes.extend(b"\x0a\x0b\x01\x09\x01\x80\x80\x80\x80\x08\x7f\x01\x0b");
    file(&bytes).fails_saying(2, &["locals"]);
}

/// Modules with many of each kind run, or the error names the limit.
#[test]
fn very_many() {
    let f = r#"(func $f (export "f") (result i32) (i32.const 7))"#;
    let many = |count: usize, each: &str| {
        let each = |n: usize| each.replace("$n", &n.to_string());
        format!("(module {f} {})", (0..count).map(each).collect::<String>())
    };
    let run = |text: String| {
        let dir = Dir::new();
        dir.write("m.wasm", text);
        let words = ["m.wasm", "--invoke", "f"];
        zwasm(words).dir(dir.path()).patience(Duration::from_secs(120)).run()
    };
    run(many(100, "(memory 1)")).prints("7\n");
    run(many(1000, "(table 1 funcref)")).prints("7\n");
    run(many(100_000, "(export \"e$n\" (func $f))")).prints("7\n");
    run(many(10_000, "(global (mut i64) (i64.const $n))")).prints("7\n");
    run(many(10_000, "(tag (param i32))")).prints("7\n");
    run(many(10_000, "(func (param i32))")).prints("7\n");
    let data = many(1000, "(data (i32.const $n) \"a\")").replace("(func", "(memory 1) (func");
    run(data).prints("7\n");
    let elements = many(1000, "(elem (i32.const $n) $f)");
    run(elements.replace("(module", "(module (table 1000 funcref)")).prints("7\n");
    // Each can be used.
    let last = r#"(func (export "last") (result i32)
        (i32.store $m99 (i32.const 65532) (i32.const 5)) (i32.load $m99 (i32.const 65532)))"#;
    let dir = Dir::new();
    dir.write("m.wat", many(100, "(memory $m$n 1)").replace("(module", &format!("(module {last}")));
    for engine in ["interp", "baseline"] {
        line(&dir, &format!("m.wat --engine {engine} --invoke last")).prints("5\n");
        line(&dir, &format!("m.wat --sandbox --engine {engine} --invoke last")).prints("5\n");
    }
    for count in [101, 128, 1000] {
        run(many(count, "(memory 1)")).fails_saying(2, &["memories count exceeds limit of 100 "]);
    }
    let message = ["data segments count exceeds limit of 100000 "];
    run(many(100_001, "(data \"\")")).fails_saying(2, &message);
}

#[test]
fn deep_nesting() {
    let depth = 100_000;
    wat("(".repeat(depth)).fails(2);
    let blocks = "block ".repeat(depth) + &"end ".repeat(depth);
    let outcome = file(assemble(&format!(r#"(func (export "_start") {blocks})"#)));
    assert!(outcome.code == Some(0) || !outcome.fails(2).is_empty());
}

#[test]
fn names_cannot_break_the_line() {
    let dir = Dir::with(&[("m.wat", r#"(func (export "a\nerror: b\1b[31m"))"#)]);
    line(&dir, "m.wat --invoke x").fails_saying(1, &[r"a\nerror: b\u{1b}[31m"]);
    zwasm(["a\nb.wasm"]).run().fails_saying(126, &[r"a\nb.wasm"]);
}

#[cfg(target_os = "linux")]
#[test]
fn output_that_cannot_be_written() {
    let dir = Dir::with(&[("m.wat", r#"(func (export "f") (result i32) i32.const 1)"#)]);
    let words = "m.wat --invoke f|m.wat --json --invoke f|validate m.wat|inspect m.wat|version|help\
                 |features --json|man|completions zsh";
    for words in words.split('|') {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let outcome = zwasm(words.split_whitespace()).dir(dir.path()).stdout(full).run();
        outcome.fails_saying(1, &["cannot write"]);
    }
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let batch = zwasm(["m.wat", "--batch"]).dir(dir.path()).stdin("f\nf\n").stdout(full).run();
    batch.fails_saying(1, &["cannot write"]);
}
