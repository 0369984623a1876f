//! The runner itself: what does not hold must be reported, in the exact form.

use zwasm_wast::{Mode, Tally, run_source};

/// Runs `script` and compares the lines of its failures.
#[track_caller]
fn fails(script: &str, lines: &[&str]) {
    let outcome = run_source("t.wast", script, Mode::Interp);
    let failures: Vec<String> = outcome.failures.iter().map(ToString::to_string).collect();
    assert_eq!(failures, lines);
    assert_eq!(outcome.directives.failed, lines.len());
}

const MODULE: &str = r#"(module $m
  (global (export "g") i32 (i32.const 7))
  (memory 1)
  (func (export "inc") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
  (func (export "div") (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1)))
  (func (export "f32") (param f32) (result f32) (local.get 0))
  (func (export "f64") (param f64) (result f64) (local.get 0))
  (func (export "extern") (param externref) (result externref) (local.get 0))
  (func (export "func") (param funcref) (result funcref) (local.get 0))
  (func $self (export "self") (result funcref) (ref.func $self))
  (func (export "two") (result i32 i64) (i32.const 1) (i64.const 2))
  (func $deep (export "deep") (call $deep))
  (func (export "nothing"))
)
"#;

/// As [`fails`], with `MODULE` on the lines before.
#[track_caller]
fn fails_after_module(script: &str, lines: &[&str]) {
    let before = MODULE.lines().count();
    let shifted: Vec<String> = lines
        .iter()
        .map(|line| {
            let (number, rest) = line.split_once(':').expect("a line number");
            let number: usize = number.parse().expect("a line number");
            format!("t.wast:{}:{rest}", number + before)
        })
        .collect();
    let shifted: Vec<&str> = shifted.iter().map(String::as_str).collect();
    fails(&format!("{MODULE}{script}"), &shifted);
}

#[test]
fn what_holds_passes() {
    let script = format!(
        r#"{MODULE}
        (assert_return (invoke "inc" (i32.const 2)) (i32.const 3))
        (assert_return (invoke $m "inc" (i32.const -1)) (either (i32.const 5) (i32.const 0)))
        (assert_return (get "g") (i32.const 7))
        (assert_return (invoke "f32" (f32.const nan)) (f32.const nan:canonical))
        (assert_return (invoke "f32" (f32.const -nan:0x600000)) (f32.const nan:arithmetic))
        (assert_return (invoke "f64" (f64.const -0)) (f64.const -0))
        (assert_return (invoke "f64" (f64.const nan:0x8000000000001)) (f64.const nan:arithmetic))
        (assert_return (invoke "extern" (ref.extern 3)) (ref.extern 3))
        (assert_return (invoke "extern" (ref.extern 3)) (ref.extern))
        (assert_return (invoke "extern" (ref.null extern)) (ref.null extern))
        (assert_return (invoke "func" (ref.null func)) (ref.null))
        (assert_return (invoke "self") (ref.func))
        (assert_return (invoke "two") (i32.const 1) (i64.const 2))
        (assert_return (invoke "nothing"))
        (invoke "nothing")
        (assert_trap (invoke "div" (i32.const 1) (i32.const 0)) "integer divide by zero")
        (assert_trap (module (func $f unreachable) (start $f)) "unreachable")
        (assert_exhaustion (invoke "deep") "call stack exhausted")
        (assert_invalid (module (func (result i32))) "type mismatch")
        (assert_malformed (module quote "(func") "unexpected token")
        (assert_malformed (module binary "\00asm") "unexpected end")
        (assert_unlinkable (module (import "none" "f" (func))) "unknown import")
        (register "lib" $m)
        (module (import "lib" "inc" (func $inc (param i32) (result i32))) (export "inc" (func $inc)))
        (assert_return (invoke "inc" (i32.const 4)) (i32.const 5))
        (assert_return (invoke $m "div" (i32.const 9) (i32.const 3)) (i32.const 3))
        (module definition $d (global $g (export "g") (mut i32) (i32.const 0))
          (func (export "next") (global.set $g (i32.add (global.get $g) (i32.const 1)))))
        (module instance $a $d)
        (module instance $b $d)
        (invoke $a "next")
        (assert_return (get $a "g") (i32.const 1))
        (assert_return (get $b "g") (i32.const 0))
        (module (import "spectest" "print_i32" (func (param i32)))
          (import "spectest" "print_f64_f64" (func (param f64 f64)))
          (import "spectest" "global_f32" (global $f f32))
          (import "spectest" "table" (table 10 20 funcref))
          (import "spectest" "memory" (memory 1 2))
          (export "f" (global $f)))
        (assert_return (get "f") (f32.const 666.6))
        "#
    );
    let outcome = run_source("t.wast", &script, Mode::Interp);
    assert_eq!(outcome.failures, []);
    assert_eq!(outcome.directives, Tally { passed: 35, failed: 0 });
    assert_eq!(outcome.assertions, Tally { passed: 26, failed: 0 });
}

#[test]
fn wrong_results() {
    fails_after_module(
        r#"(assert_return (invoke "inc" (i32.const 2)) (i32.const 4))
(assert_return
  (invoke $m "two") (i32.const 1))
(assert_return (invoke "nothing") (i32.const 1))
(assert_return (invoke "inc" (i32.const 2)) (i64.const 3))
(assert_return (invoke "inc" (i32.const 2)) (either (i32.const 1) (i32.const 2)))
(assert_return (get "g") (i32.const 8))
(assert_return (invoke "f32" (f32.const nan:0x400001)) (f32.const nan:canonical))
(assert_return (invoke "f32" (f32.const nan:0x200000)) (f32.const nan:arithmetic))
(assert_return (invoke "f32" (f32.const inf)) (f32.const nan:arithmetic))
(assert_return (invoke "f64" (f64.const -0)) (f64.const 0))
(assert_return (invoke "extern" (ref.extern 3)) (ref.extern 4))
(assert_return (invoke "extern" (ref.null extern)) (ref.extern 0))
(assert_return (invoke "extern" (ref.extern 3)) (ref.null extern))
(assert_return (invoke "func" (ref.null func)) (ref.null extern))
(assert_return (invoke "self") (ref.null func))
(assert_return (invoke "div" (i32.const 1) (i32.const 0)) (i32.const 0))"#,
        &[
            r#"1: assert_return invoke "inc", expected (i32.const 4), got (i32.const 3)"#,
            r#"2: assert_return invoke $m "two", expected (i32.const 1), got (i32.const 1) (i64.const 2)"#,
            r#"4: assert_return invoke "nothing", expected (i32.const 1), got no result"#,
            r#"5: assert_return invoke "inc", expected (i64.const 3), got (i32.const 3)"#,
            r#"6: assert_return invoke "inc", expected (either (i32.const 1) (i32.const 2)), got (i32.const 3)"#,
            r#"7: assert_return get "g", expected (i32.const 8), got (i32.const 7)"#,
            r#"8: assert_return invoke "f32", expected (f32.const nan:canonical), got (f32.const nan:0x400001)"#,
            r#"9: assert_return invoke "f32", expected (f32.const nan:arithmetic), got (f32.const nan:0x200000)"#,
            r#"10: assert_return invoke "f32", expected (f32.const nan:arithmetic), got (f32.const inf)"#,
            r#"11: assert_return invoke "f64", expected (f64.const 0.0), got (f64.const -0.0)"#,
            r#"12: assert_return invoke "extern", expected (ref.extern 4), got (ref.extern 3)"#,
            r#"13: assert_return invoke "extern", expected (ref.extern 0), got (ref.null extern)"#,
            r#"14: assert_return invoke "extern", expected (ref.null extern), got (ref.extern 3)"#,
            r#"15: assert_return invoke "func", expected (ref.null extern), got (ref.null func)"#,
            r#"16: assert_return invoke "self", expected (ref.null func), got (ref.func)"#,
            r#"17: assert_return invoke "div", expected (i32.const 0), got trap "integer divide by zero""#,
        ],
    );
}

#[test]
fn wrong_traps() {
    fails_after_module(
        r#"(assert_trap (invoke "div" (i32.const 1) (i32.const 0)) "integer overflow")
(assert_trap (invoke "div" (i32.const 1) (i32.const 1)) "integer divide by zero")
(assert_trap (module (func $f) (start $f)) "unreachable")
(assert_exhaustion (invoke "nothing") "call stack exhausted")
(assert_exhaustion (invoke "div" (i32.const 1) (i32.const 0)) "call stack exhausted")
(invoke "div" (i32.const 1) (i32.const 0))"#,
        &[
            r#"1: assert_trap invoke "div", expected trap "integer overflow", got trap "integer divide by zero""#,
            r#"2: assert_trap invoke "div", expected trap "integer divide by zero", got (i32.const 1)"#,
            r#"3: assert_trap module, expected trap "unreachable", got no result"#,
            r#"4: assert_exhaustion invoke "nothing", expected exhaustion "call stack exhausted", got no result"#,
            r#"5: assert_exhaustion invoke "div", expected exhaustion "call stack exhausted", got trap "integer divide by zero""#,
            r#"6: invoke "div", expected a return, got trap "integer divide by zero""#,
        ],
    );
}

#[test]
fn modules_that_are_better_than_asserted() {
    fails(
        r#"(assert_invalid (module (func)) "type mismatch")
(assert_malformed (module quote "(func)") "unexpected token")
(assert_malformed (module binary "\00asm\01\00\00\00") "magic header not detected")
(assert_unlinkable (module (func)) "unknown import")
(assert_unlinkable (module (func $f unreachable) (start $f)) "unknown import")"#,
        &[
            r#"t.wast:1: assert_invalid, expected invalid module "type mismatch", got a valid module"#,
            r#"t.wast:2: assert_malformed, expected malformed module "unexpected token", got a valid module"#,
            r#"t.wast:3: assert_malformed, expected malformed module "magic header not detected", got a valid module"#,
            r#"t.wast:4: assert_unlinkable, expected unlinkable module "unknown import", got an instance"#,
            r#"t.wast:5: assert_unlinkable, expected unlinkable module "unknown import", got trap "unreachable""#,
        ],
    );
}

#[test]
fn what_is_not_there() {
    fails(
        r#"(invoke "early")
(module $m (func (export "f")) (global (export "g") i32 (i32.const 1)))
(invoke "missing")
(assert_return (get "f") (i32.const 1))
(assert_trap (invoke "g") "unreachable")
(assert_return (invoke $none "f"))
(register "lib" $none)
(module instance $i $none)
(assert_return (invoke $i "f"))
(module instance)"#,
        &[
            r#"t.wast:1: invoke "early", expected a return, got no module before this"#,
            r#"t.wast:3: invoke "missing", expected a return, got no exported function "missing""#,
            r#"t.wast:4: assert_return get "f", expected (i32.const 1), got no exported global "f""#,
            r#"t.wast:5: assert_trap invoke "g", expected trap "unreachable", got no exported function "g""#,
            r#"t.wast:6: assert_return invoke $none "f", expected no result, got nothing is called $none"#,
            r#"t.wast:7: register "lib", expected an instance to register, got nothing is called $none"#,
            r#"t.wast:8: instance $i, expected an instance, got nothing is called $none"#,
            r#"t.wast:9: assert_return invoke $i "f", expected no result, got it was not made: nothing is called $none"#,
            r#"t.wast:10: instance, expected an instance, got no module definition before this"#,
        ],
    );
}

#[test]
fn a_module_that_fails_takes_its_users_along() {
    let script = r#"(module $m (func (export "f") (result i32)))
(module definition $d (func (result i32)))
(module $t (func $f unreachable) (start $f))
(assert_return (invoke $m "f") (i32.const 1))
(module instance $d)
(assert_return (invoke "f") (i32.const 1))"#;
    let outcome = run_source("t.wast", script, Mode::Interp);
    assert_eq!(outcome.directives, Tally { passed: 0, failed: 6 });
    let got: Vec<&str> = outcome.failures.iter().map(|failure| failure.got.as_str()).collect();
    assert!(got[0].starts_with("invalid module: type mismatch"), "{}", got[0]);
    assert!(got[1].starts_with("invalid module: type mismatch"), "{}", got[1]);
    assert_eq!(got[2], r#"trap "unreachable""#);
    assert!(got[3].starts_with("it was not made: invalid module: "), "{}", got[3]);
    assert!(got[4].starts_with("its definition failed: invalid module: "), "{}", got[4]);
    assert!(got[5].starts_with("it was not made: its definition failed: "), "{}", got[5]);
}

#[test]
fn what_cannot_run_or_be_read_counts() {
    fails(
        r#"(thread $t (shared (module $m))
  (register "m" $m)
  (assert_return (invoke "f")))
(wait $t)
(assert_suspension (invoke "f") "unhandled")
(assert_nothing)
(module (func (i32.frobnicate)))
(module) (module"#,
        &[
            r#"t.wast:2: register "m", expected to run, got thread $t did not start"#,
            r#"t.wast:3: assert_return invoke "f", expected to run, got thread $t did not start"#,
            "t.wast:1: thread $t, expected to run, got nothing is called $m",
            "t.wast:4: wait $t, expected a thread to wait for, got no thread $t",
            r#"t.wast:5: assert_suspension invoke "f", expected to run, got unsupported: suspension"#,
            "t.wast:6: assert_nothing, expected a directive, got unparsable text: unexpected token, expected one of: `module`, `component`, `assert_malformed`, `assert_malformed_custom`, `assert_invalid`, `assert_invalid_custom`, `register`, `invoke`, `assert_trap`, `assert_return`, `assert_exhaustion`, `assert_unlinkable`, `assert_exception`, `assert_suspension`, `thread`, `wait`",
            "t.wast:7: module, expected a directive, got unparsable text: unknown operator or unexpected token",
            "t.wast:8: script, expected a directive, got `(` without its `)`",
        ],
    );
}

const SHARED: &str = r#"(module $m
  (memory (export "memory") 1 1 shared)
  (func (export "get") (result i32) (i32.atomic.load (i32.const 0))))
"#;

const WAKER: &str = r#"(module
    (memory (import "m" "memory") 1 1 shared)
    (func (export "set") (i32.atomic.store (i32.const 0) (i32.const 1)))
    (func (export "wake") (result i32) (memory.atomic.notify (i32.const 0) (i32.const 1)))
    (func (export "sleep") (result i32)
      (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1))))"#;

#[test]
fn threads_run_beside_each_other() {
    let script = format!(
        r#"{SHARED}(thread $sleeper (shared (module $m))
  (register "m" $m)
  {WAKER}
  (assert_return (invoke "sleep") (either (i32.const 0) (i32.const 1))))
(thread $outer (shared (module $m))
  (thread $inner (shared (module $m))
    (register "m" $m)
    {WAKER}
    (invoke "set")
    (invoke "wake"))
  (wait $inner))
(wait $outer)
(wait $sleeper)
(assert_return (invoke $m "get") (i32.const 1))"#
    );
    let outcome = run_source("t.wast", &script, Mode::Interp);
    assert_eq!(outcome.failures, []);
    assert_eq!(outcome.directives, Tally { passed: 15, failed: 0 });
    assert_eq!(outcome.assertions, Tally { passed: 2, failed: 0 });
}

#[test]
fn threads_share_nothing_but_memories_and_report_what_failed() {
    let before = SHARED.lines().count();
    let script = format!(
        r#"{SHARED}(thread $t (shared (module $m))
  (invoke $m "get")
  (register "n" $m)
  (assert_unlinkable (module (import "n" "get" (func (result i32)))) "unknown import")
  (assert_return (invoke "f")))
(thread $t)
(wait $t)
(wait $t)"#
    );
    let outcome = run_source("t.wast", &script, Mode::Interp);
    let mut failures = outcome.failures;
    failures.sort_by_key(|failure| failure.line);
    let failures: Vec<String> = failures.iter().map(ToString::to_string).collect();
    let at = |line: usize, rest: &str| format!("t.wast:{}: {rest}", before + line);
    assert_eq!(
        failures,
        [
            at(2, r#"invoke $m "get", expected a return, got nothing is called $m"#),
            at(5, r#"assert_return invoke "f", expected no result, got no module before this"#),
            at(6, "thread $t, expected a new name, got a thread $t that was not waited for"),
            at(8, "wait $t, expected a thread to wait for, got no thread $t"),
        ]
    );
}
