//! `zwasm wast`: scripts of the test suite's format.

use std::path::Path;
use std::time::Duration;

use crate::support::{Dir, line, zwasm};

/// One of each directive, all as they say.
const ALL: &str = r#"#!/usr/bin/env -S zwasm wast
(module $M
  (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func (export "div") (param f32 f32) (result f32) (f32.div (local.get 0) (local.get 1)))
  (func (export "pair") (result i32 i64) (i32.const 1) (i64.const -1))
  (func (export "trap") unreachable)
  (func $deep (export "deep") (call $deep))
  (func (export "same") (param externref) (result externref) (local.get 0))
  (func (export "v") (param v128) (result v128) (local.get 0))
  (tag $e) (func (export "throw") (throw $e))
  (global (export "g") i32 (i32.const 7)) (memory (export "memory") 1))
(; a comment (; in a comment ;) with ")" ;)
(assert_return (invoke "add" (i32.const 1) (i32.const 0xffff_ffff)) (i32.const 0)) ;; (
(assert_return (invoke $M "div" (f32.const 0) (f32.const 0)) (f32.const nan:canonical))
(assert_return (invoke "pair") (i32.const 1) (i64.const -1))
(assert_return (get "g") (i32.const 7))
(assert_return (invoke "same" (ref.extern 3)) (ref.extern 3))
(assert_return (invoke "same" (ref.null extern)) (ref.null extern))
(assert_return (invoke "v" (v128.const i16x8 0 1 2 3 4 5 6 -7)) (v128.const i16x8 0 1 2 3 4 5 6 -7))
(assert_trap (invoke "trap") "unreachable")
(assert_exhaustion (invoke "deep") "call stack exhausted")
(assert_exception (invoke "throw"))
(invoke "add" (i32.const 1) (i32.const 2))
(register "m" $M)
(module (import "m" "add" (func (param i32 i32) (result i32))) (import "spectest" "memory" (memory 1)))
(assert_unlinkable (module (import "m" "add" (func))) "incompatible import type")
(assert_trap (module (func $f unreachable) (start $f)) "unreachable")
(assert_invalid (module (func (result i32))) "type mismatch")
(assert_malformed (module quote "(func" " (i32.cons" "t 0))") "unknown operator")
(assert_malformed (module binary "\00asm" "\01\00\00") "unexpected end")
(module definition $D (func (export "n") (result i32) (i32.const 5)))
(module instance $I $D)
(assert_return (invoke $I "n") (i32.const 5))
(module quote "(func (export \"q\"))")
(assert_return (invoke "q"))
(module (func (export "TURN") (result i32) (i32.const 9)))
(assert_return (invoke "TURN") (i32.const 9))
"#;

#[test]
fn every_directive_does_what_it_says() {
    // A letter that turns the direction of what follows.
    let dir = Dir::with(&[("all.wast", &ALL.replace("TURN", "\u{202E}"))]);
    line(&dir, "wast all.wast").prints("all.wast: 26 passed, 0 failed\n");
    for engine in ["interp", "baseline", "jit"] {
        line(&dir, &format!("wast --engine {engine} all.wast"))
            .prints("all.wast: 26 passed, 0 failed\n");
    }
}

#[test]
fn what_comes_otherwise_is_told_with_its_line() {
    let dir = Dir::with(&[
        (
            "wrong.wast",
            r#"(module (func (export "f") (result i32) (i32.const 1))
  (func (export "trap") unreachable))
(assert_return (invoke "f") (i32.const 2))
(assert_return (invoke "f"))
(assert_return (invoke "trap"))
(assert_trap (invoke "f") "unreachable")
(assert_trap (invoke "trap") "integer overflow")
(assert_invalid (module) "type mismatch")
(invoke "missing")
(assert_return (invoke $nobody "f") (i32.const 1))
(assert_nothing)
(assert_return (invoke "f") (i32.const 1))
"#,
        ),
        ("good.wast", "(module)"),
        ("bare.wast", "(func (result i32) (i32.const 1))"),
        ("cut.wast", "(module)\n(module"),
        ("shared.wast", r#"(module (memory 1 1 shared))"#),
    ]);
    let outcome = line(&dir, "wast wrong.wast good.wast bare.wast cut.wast");
    assert_eq!(outcome.code, Some(1));
    let text = outcome.text();
    let lines: Vec<&str> = text.lines().collect();
    for (at, start) in [
        (0, "wrong.wast:3: expected (i32.const 2), got 1"),
        (1, "wrong.wast:4: expected nothing, got 1"),
        (2, "wrong.wast:5: expected a return, got: trap: unreachable"),
        (3, "wrong.wast:6: expected a trap \"unreachable\", got 1"),
        (4, "wrong.wast:7: expected a trap \"integer overflow\", got: trap: unreachable"),
        (5, "wrong.wast:8: expected an invalid module, got a valid one"),
        (6, "wrong.wast:9: nothing is exported as \"missing\""),
        (7, "wrong.wast:10: there is no such instance"),
        (8, "wrong.wast:11: unknown directive 'assert_nothing'"),
        (9, "wrong.wast: 2 passed, 9 failed"),
        (10, "good.wast: 1 passed, 0 failed"),
        (11, "bare.wast: 1 passed, 0 failed"),
    ] {
        assert!(lines[at].starts_with(start), "{start} in {text}");
    }
    assert!(text.ends_with("cut.wast: 1 passed, 2 failed\n"), "{text}");
    // What a script contains does not steer the terminal, nor does its depth end the process.
    let deep = format!(
        "(module (func (export \"f\") (result i32) (i32.const 1)))\n\
         (assert_return (invoke \"f\") {}(i32.const 1){})\n\
         (assert_return (invoke \"\\1b[31m\"))\n{}",
        "(either ".repeat(100_000),
        ")".repeat(100_000),
        "(thread $T ".repeat(100_000)
    );
    dir.write("deep.wast", deep);
    let text = line(&dir, "wast deep.wast").text();
    assert!(!text.contains('\x1b') && text.contains("deep.wast:3: nothing is exported"), "{text}");
    assert_eq!(line(&dir, "wast shared.wast --disable threads").code, Some(1));
}

#[test]
fn threads_share_what_they_are_given() {
    let dir = Dir::with(&[(
        "threads.wast",
        r#"(module $Mem (memory (export "shared") 1 1 shared))
(thread $T1 (shared (module $Mem))
  (register "mem" $Mem)
  (module (memory (import "mem" "shared") 1 1 shared)
    (func (export "run") (i32.atomic.store (i32.const 0) (i32.const 42))))
  (invoke "run"))
(wait $T1)
(register "mem" $Mem)
(module (memory (import "mem" "shared") 1 1 shared)
  (func (export "get") (result i32) (i32.atomic.load (i32.const 0))))
(assert_return (invoke "get") (i32.const 42))
"#,
    )]);
    line(&dir, "wast threads.wast").prints("threads.wast: 9 passed, 0 failed\n");
}

#[test]
fn files_that_are_no_scripts() {
    let dir = Dir::with(&[("binary.wast", "\0asm"), ("empty.wast", "")]);
    line(&dir, "wast").fails_saying(1, &["'wast' needs a file"]);
    line(&dir, "wast missing.wast").fails_saying(126, &["missing.wast"]);
    line(&dir, "wast empty.wast").prints("empty.wast: 0 passed, 0 failed\n");
    assert_eq!(line(&dir, "wast binary.wast").code, Some(1));
    std::fs::write(dir.path().join("latin.wast"), b"(module) ;; \xE9").unwrap();
    line(&dir, "wast latin.wast").fails_saying(1, &["'latin.wast' is no text"]);
}

/// The official suite, where it is: what the command says of it is what the suite's own
/// runner does.
#[test]
fn the_official_suite() {
    let core = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora/spec-core/core");
    let Ok(files) = std::fs::read_dir(&core) else { return };
    let mut files: Vec<_> = files
        .map(|file| file.expect("it is readable").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "wast"))
        .collect();
    files.sort();
    assert!(files.len() > 50);
    let words =
        std::iter::once("wast".into()).chain(files.iter().map(|file| file.as_os_str().to_owned()));
    let outcome = zwasm(words.collect::<Vec<_>>()).patience(Duration::from_secs(600)).run();
    let text = outcome.text();
    let failed: Vec<&str> =
        text.lines().filter(|line| !line.ends_with(", 0 failed")).take(40).collect();
    assert!(failed.is_empty(), "{failed:#?}");
}
