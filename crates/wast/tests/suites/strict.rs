//! No directive passes for another reason than the one it names: every kind of failure
//! is tried under every message and with every other kind of assertion.

use std::collections::BTreeSet;
use zwasm::Strategy;
use zwasm_wast::{Mode, run_source};

/// What the directives of a script expected and got that failed.
fn failures(script: &str) -> Vec<String> {
    let outcome = run_source("t.wast", script, Mode::Interp);
    assert_eq!(outcome.directives.failed, outcome.failures.len());
    outcome.failures.iter().map(ToString::to_string).collect()
}

/// Modes beside the interpreter that have something of their own to get wrong.
fn modes() -> Vec<Mode> {
    let mut modes = vec![Mode::Auto];
    if Strategy::Baseline.is_available() {
        modes.extend([Mode::Baseline, Mode::Mixed(1)]);
    }
    modes
}

/// Whether the last directive of a script passes, in every mode; all others have to.
#[track_caller]
fn passes(before: &str, directive: &str) -> bool {
    let script = format!("{before}\n{directive}");
    let line = before.lines().count() + 1;
    let run = |mode| {
        let outcome = run_source("t.wast", &script, mode);
        let failures = &outcome.failures;
        assert!(failures.iter().all(|failure| failure.line == line), "{mode}: {failures:?}");
        failures.is_empty()
    };
    let passed = run(Mode::Interp);
    modes().into_iter().for_each(|mode| assert_eq!(run(mode), passed, "{mode}: {directive}"));
    passed
}

/// Modules that no grammar has, and what is wrong with them.
const MALFORMED: &[(&str, &str)] = &[
    (r#"(module binary "")"#, "unexpected end"),
    (r#"(module binary "msa\00\01\00\00\00")"#, "magic header not detected"),
    (r#"(module binary "\00asm\02\00\00\00")"#, "unknown binary version"),
    (r#"(module binary "\00asm\01\00\00\00" "\7f\00")"#, "malformed section id"),
    (r#"(module binary "\00asm\01\00\00\00" "\05\03\01\10\00")"#, "malformed limits flags"),
    (
        r#"(module binary "\00asm\01\00\00\00" "\05\08\01\00\80\80\80\80\80\80\80\80\80\80\00")"#,
        "integer representation too long",
    ),
    (r#"(module binary "\00asm\01\00\00\00" "\07\05\01\01\ff\00\00")"#, "malformed UTF-8 encoding"),
    (
        r#"(module binary "\00asm\01\00\00\00" "\01\04\01\60\00\00" "\03\02\01\00" "\0a\05\01\03\00\ff\0b")"#,
        "illegal opcode",
    ),
    (
        r#"(module binary "\00asm\01\00\00\00" "\01\04\01\60\00\00" "\03\02\01\00")"#,
        "function and code section have inconsistent lengths",
    ),
    (
        r#"(module binary "\00asm\01\00\00\00" "\03\01\00" "\01\01\00")"#,
        "unexpected content after last section",
    ),
    (r#"(module quote "(func (i32.bogus))")"#, "unknown operator"),
    (r#"(module quote "(func (result i32) (param i32))")"#, "unexpected token"),
    (
        r#"(module quote "(memory 1) (func (drop (i32.load align=3 (i32.const 0))))")"#,
        "alignment must be a power of two",
    ),
    (r#"(module quote "(func (drop (i32.const 0x100000000)))")"#, "constant out of range"),
    (r#"(module quote "(func $f) (func $f)")"#, "duplicate func"),
    (r#"(module quote "(func) (import \"m\" \"f\" (func))")"#, "import after function"),
    (r#"(module quote "(func block $a end $b)")"#, "mismatching label"),
    (r#"(module quote "(type $t (func)) (func (type $t) (param i32))")"#, "inline function type"),
    (r#"(module (func (br $none)))"#, "unknown label"),
];

/// Modules that are not valid, and why.
const INVALID: &[(&str, &str)] = &[
    (r#"(module quote "(func (drop (local.get 3)))")"#, "unknown local 3"),
    ("(module (func (call 7)))", "unknown function 7"),
    ("(module (func (br 1)))", "unknown label"),
    ("(module (global i32 (i32.const 0)) (func (global.set 0 (i32.const 1))))", "immutable global"),
    (
        "(module (memory 1) (func (drop (i32.load align=8 (i32.const 0)))))",
        "alignment must not be larger than natural",
    ),
    (r#"(module (func (export "a")) (memory (export "a") 1))"#, "duplicate export name"),
    ("(module (func (param i32)) (start 0))", "start function"),
    ("(module (memory 2 1))", "size minimum must not be greater than maximum"),
    ("(module (memory 65537))", "memory size must be at most 65536 pages (4GiB)"),
    ("(module (global i32 (i32.ctz (i32.const 0))))", "constant expression required"),
    (
        r#"(module binary "\00asm\01\00\00\00" "\01\05\01\60\00\01\7f" "\03\02\01\00" "\0a\06\01\04\00\42\01\0b")"#,
        "type mismatch",
    ),
];

/// Modules whose imports do not fit, and why.
const UNLINKABLE: &[(&str, &str)] = &[
    (r#"(module (import "spectest" "none" (func)))"#, "unknown import"),
    (r#"(module (import "spectest" "print" (func (param i32))))"#, "incompatible import type"),
];

const TRAPS: &str = r#"(module $m
  (memory 1) (type $f (func)) (table 2 funcref) (elem (i32.const 0) $odd)
  (func $odd (param i32))
  (tag $e)
  (func (export "unreachable") unreachable)
  (func (export "zero") (drop (i32.div_s (i32.const 1) (i32.const 0))))
  (func (export "overflow") (drop (i32.div_s (i32.const 0x80000000) (i32.const -1))))
  (func (export "nan") (drop (i32.trunc_f32_s (f32.const nan))))
  (func (export "memory") (drop (i32.load (i32.const -1))))
  (func (export "table") (drop (table.get (i32.const 2))))
  (func (export "undefined") (call_indirect (type $f) (i32.const 2)))
  (func (export "uninitialized") (call_indirect (type $f) (i32.const 1)))
  (func (export "signature") (call_indirect (type $f) (i32.const 0)))
  (func (export "null") (call_ref $f (ref.null $f)))
  (func $deep (export "deep") (call $deep))
  (func (export "throw") (throw $e))
  (func (export "return")))"#;

/// Exports of `TRAPS`, and the messages of their traps.
const TRAPPING: &[(&str, &str)] = &[
    (r#"(invoke "unreachable")"#, "unreachable"),
    (r#"(invoke "zero")"#, "integer divide by zero"),
    (r#"(invoke "overflow")"#, "integer overflow"),
    (r#"(invoke "nan")"#, "invalid conversion to integer"),
    (r#"(invoke "memory")"#, "out of bounds memory access"),
    (r#"(invoke "table")"#, "out of bounds table access"),
    (r#"(invoke "undefined")"#, "undefined element"),
    (r#"(invoke "uninitialized")"#, "uninitialized element"),
    (r#"(invoke "signature")"#, "indirect call type mismatch"),
    (r#"(invoke "null")"#, "null function reference"),
    ("(module (func $f unreachable) (start $f))", "unreachable"),
    (r#"(module (memory 1) (data (i32.const 65536) "x"))"#, "out of bounds memory access"),
];

const KINDS: [(&str, &[(&str, &str)]); 4] = [
    ("assert_malformed", MALFORMED),
    ("assert_invalid", INVALID),
    ("assert_unlinkable", UNLINKABLE),
    ("assert_trap", TRAPPING),
];

#[test]
fn each_failure_has_one_message_and_one_kind() {
    let messages = KINDS.iter().flat_map(|(_, cases)| cases.iter().map(|(_, message)| *message));
    let messages: BTreeSet<&str> = messages.chain(["", "x", "un", "integer o"]).collect();
    for (kind, cases) in KINDS {
        for (subject, message) in cases {
            let mut script = format!("{TRAPS}\n");
            let mut expected = BTreeSet::new();
            for (other_kind, _) in KINDS {
                for other in &messages {
                    if other_kind != kind || other != message {
                        expected.insert(script.lines().count() + 1);
                    }
                    script += &format!("({other_kind} {subject} \"{other}\")\n");
                }
            }
            let outcome = run_source("t.wast", &script, Mode::Interp);
            let failed: BTreeSet<usize> = outcome.failures.iter().map(|one| one.line).collect();
            assert_eq!(outcome.directives.passed, 2, "{kind} {subject}: {message}");
            assert_eq!(failed, expected, "{kind} {subject}: {message}");
        }
    }
}

/// The directives that passed for the wrong reason once.
#[test]
fn malformed_and_invalid_are_not_swapped() {
    let script = r#"(assert_malformed (module binary "\00asm\01\00\00\00" "\01\05\01\60\00\01\7f" "\03\02\01\00" "\0a\06\01\04\00\42\01\0b") "x")
(assert_invalid (module binary "\00asm\02\00\00\00") "unknown binary version")
(assert_invalid (module quote "(func (i32.bogus))") "type mismatch")
(assert_malformed (module quote "(func (result i32) (i64.const 1))") "unexpected token")
(assert_invalid (module (func (result i32) (i64.const 1))) "unknown local")
(assert_malformed (module quote "(func (i32.bogus))") "alignment")
(assert_trap (invoke "x") "y")"#;
    let mismatch = "invalid module: type mismatch: expected i32, found i64 \
                    (at byte offset 0x1a, function 0)";
    assert_eq!(
        failures(script),
        [
            &format!(
                r#"t.wast:1: assert_malformed, expected malformed module "x", got {mismatch}"#
            ),
            r#"t.wast:2: assert_invalid, expected invalid module "unknown binary version", got malformed binary: unknown binary version:        0x2 (at byte offset 0x4)"#,
            r#"t.wast:3: assert_invalid, expected invalid module "type mismatch", got malformed text: unknown operator i32.bogus"#,
            &format!(
                r#"t.wast:4: assert_malformed, expected malformed module "unexpected token", got {mismatch}"#
            ),
            &format!(
                r#"t.wast:5: assert_invalid, expected invalid module "unknown local", got {mismatch}"#
            ),
            r#"t.wast:6: assert_malformed, expected malformed module "alignment", got malformed text: unknown operator i32.bogus"#,
            r#"t.wast:7: assert_trap invoke "x", expected trap "y", got no module before this"#,
        ]
    );
}

#[test]
fn traps_exhaustion_and_exceptions_are_not_swapped() {
    for (directive, right) in [
        (r#"(assert_exhaustion (invoke "deep") "call stack exhausted")"#, true),
        (r#"(assert_exhaustion (invoke "deep") "unreachable")"#, false),
        (r#"(assert_exhaustion (invoke "unreachable") "unreachable")"#, false),
        (r#"(assert_exhaustion (invoke "return") "call stack exhausted")"#, false),
        (r#"(assert_exhaustion (invoke "throw") "call stack exhausted")"#, false),
        (r#"(assert_trap (invoke "deep") "call stack exhausted")"#, false),
        (r#"(assert_trap (invoke "return") "unreachable")"#, false),
        (r#"(assert_trap (invoke "throw") "unreachable")"#, false),
        (r#"(assert_trap (invoke "none") "unreachable")"#, false),
        (r#"(assert_trap (invoke "unreachable" (i32.const 1)) "unreachable")"#, false),
        (r#"(assert_trap (invoke "uninitialized") "uninitialized element 1")"#, true),
        (r#"(assert_trap (invoke "uninitialized") "uninitialized element x")"#, false),
        (r#"(assert_trap (module (import "a" "b" (func))) "unknown import")"#, false),
        (r#"(assert_trap (module (func (result i32))) "type mismatch")"#, false),
        (r#"(assert_trap (module (func $f) (start $f)) "unreachable")"#, false),
        (r#"(assert_exception (invoke "throw"))"#, true),
        (r#"(assert_exception (invoke "unreachable"))"#, false),
        (r#"(assert_exception (invoke "deep"))"#, false),
        (r#"(assert_exception (invoke "return"))"#, false),
        (r#"(assert_exception (invoke "none"))"#, false),
        (r#"(assert_suspension (invoke "return") "unhandled")"#, false),
        (r#"(assert_suspension (invoke "unreachable") "unreachable")"#, false),
        (r#"(assert_return (invoke "throw"))"#, false),
        (r#"(assert_return (invoke "unreachable"))"#, false),
        (r#"(assert_return (invoke "return" (i32.const 0)))"#, false),
        (r#"(invoke "return")"#, true),
        (r#"(invoke "throw")"#, false),
        (r#"(invoke "deep")"#, false),
        (r#"(invoke "return" (i32.const 0))"#, false),
    ] {
        assert_eq!(passes(TRAPS, directive), right, "{directive}");
    }
}

const REFERENCES: &str = r#"(module $other (func) (func $x) (func (export "x") (result funcref) (ref.func $x)) (elem declare func $x))
(register "other" $other)
(module $m
  (import "other" "x" (func $imported (result funcref)))
  (type $s (struct)) (type $a (array i32)) (tag $e)
  (func $one) (func $two (export "two")) (func $named (@name "else"))
  (elem declare func $imported $one $two $named)
  (func (export "func imported") (result funcref) (ref.func $imported))
  (func (export "func one") (result funcref) (ref.func $one))
  (func (export "func two") (result funcref) (ref.func $two))
  (func (export "func of another") (result funcref) (call $imported))
  (func (export "null func") (result funcref) (ref.null func))
  (func (export "null extern") (result externref) (ref.null extern))
  (func (export "null any") (result anyref) (ref.null any))
  (func (export "null i31") (result i31ref) (ref.null i31))
  (func (export "null exn") (result exnref) (ref.null exn))
  (func (export "i31") (result anyref) (ref.i31 (i32.const 1)))
  (func (export "struct") (result anyref) (struct.new $s))
  (func (export "array") (result anyref) (array.new_default $a (i32.const 1)))
  (func (export "extern") (param externref) (result externref) (local.get 0))
  (func (export "host") (param anyref) (result anyref) (local.get 0))
  (func (export "outside") (param anyref) (result externref) (extern.convert_any (local.get 0)))
  (func (export "exn") (result exnref)
    (block $caught (result exnref) (try_table (catch_all_ref $caught) (throw $e)) unreachable))
  (func (export "number") (result i32) (i32.const 1)))"#;

const PATTERNS: [&str; 25] = [
    "(i32.const 1)",
    "(i64.const 1)",
    "(ref.null)",
    "(ref.null func)",
    "(ref.null extern)",
    "(ref.null any)",
    "(ref.null exn)",
    "(ref.func)",
    "(ref.func 0)",
    "(ref.func 1)",
    "(ref.func $one)",
    "(ref.func 2)",
    "(ref.func $two)",
    "(ref.func $none)",
    "(ref.func 99)",
    "(ref.extern)",
    "(ref.extern 1)",
    "(ref.extern 2)",
    "(ref.host 1)",
    "(ref.host 2)",
    "(ref.any)",
    "(ref.eq)",
    "(ref.i31)",
    "(ref.struct)",
    "(ref.array)",
];

#[test]
fn a_reference_matches_what_it_is_and_nothing_else() {
    for (call, matching) in [
        (r#"(invoke "number")"#, &["(i32.const 1)"][..]),
        (r#"(invoke "func imported")"#, &["(ref.func)", "(ref.func 0)"]),
        (r#"(invoke "func one")"#, &["(ref.func)", "(ref.func 1)", "(ref.func $one)"]),
        (r#"(invoke $m "func two")"#, &["(ref.func)", "(ref.func 2)", "(ref.func $two)"]),
        // It is function 1 of the other instance.
        (r#"(invoke "func of another")"#, &["(ref.func)"]),
        (r#"(invoke $other "x")"#, &["(ref.func)", "(ref.func 1)"]),
        (r#"(invoke "null func")"#, &["(ref.null)", "(ref.null func)"]),
        (r#"(invoke "null extern")"#, &["(ref.null)", "(ref.null extern)"]),
        (r#"(invoke "null any")"#, &["(ref.null)", "(ref.null any)"]),
        (r#"(invoke "null i31")"#, &["(ref.null)", "(ref.null any)"]),
        (r#"(invoke "null exn")"#, &["(ref.null)", "(ref.null exn)"]),
        (r#"(invoke "exn")"#, &[]),
        (r#"(invoke "i31")"#, &["(ref.any)", "(ref.eq)", "(ref.i31)"]),
        (r#"(invoke "struct")"#, &["(ref.any)", "(ref.eq)", "(ref.struct)"]),
        (r#"(invoke "array")"#, &["(ref.any)", "(ref.eq)", "(ref.array)"]),
        (r#"(invoke "extern" (ref.extern 1))"#, &["(ref.extern)", "(ref.extern 1)"]),
        (r#"(invoke "host" (ref.host 1))"#, &["(ref.any)", "(ref.host 1)"]),
        (r#"(invoke "outside" (ref.host 2))"#, &["(ref.extern)", "(ref.extern 2)"]),
    ] {
        for pattern in PATTERNS {
            let right = matching.contains(&pattern);
            let directive = format!("(assert_return {call} {pattern})");
            assert_eq!(passes(REFERENCES, &directive), right, "{directive}");
            let directive = format!("(assert_return {call} (either (f32.const 0) {pattern}))");
            assert_eq!(passes(REFERENCES, &directive), right, "{directive}");
        }
        assert!(!passes(REFERENCES, &format!("(assert_return {call} (either))")), "{call}");
        assert!(!passes(REFERENCES, &format!("(assert_return {call})")), "{call}");
    }
}

#[test]
fn a_name_that_stands_for_another_is_not_taken_for_it() {
    let named = r#"(module (func $a (@name "b")) (func $b (@name "c"))
  (func (export "a") (result funcref) (ref.func $a)) (elem declare func $a $b))"#;
    assert!(passes(named, r#"(assert_return (invoke "a") (ref.func 0))"#));
    assert!(!passes(named, r#"(assert_return (invoke "a") (ref.func 1))"#));
    assert!(!passes(named, r#"(assert_return (invoke "a") (ref.func $c))"#));
}

#[test]
fn numbers_and_how_many_of_them() {
    let module = r#"(module
  (func (export "two") (result i32 i64) (i32.const 1) (i64.const 2))
  (func (export "none"))
  (func (export "v") (param v128) (result v128) (local.get 0)))"#;
    let canonical = "(v128.const i32x4 0x7fc00000 0xffc00000 0x3f800000 0x80000000)";
    let arithmetic = "(v128.const i64x2 0xfff8000000000001 0x8000000000000000)";
    let signalling = "(v128.const f32x4 nan:0x200000 0 0 0)";
    for (call, results, right) in [
        (r#"(invoke "two")"#, "(i32.const 1) (i64.const 2)", true),
        (r#"(invoke "two")"#, "(i32.const 1)", false),
        (r#"(invoke "two")"#, "(i32.const 1) (i64.const 2) (i32.const 0)", false),
        (r#"(invoke "two")"#, "(i64.const 2) (i32.const 1)", false),
        (r#"(invoke "two")"#, "(i64.const 1) (i64.const 2)", false),
        (r#"(invoke "two")"#, "", false),
        (r#"(invoke "none")"#, "", true),
        (r#"(invoke "none")"#, "(i32.const 0)", false),
        (canonical, "(v128.const f32x4 nan:canonical nan:canonical 1 -0)", true),
        (canonical, "(v128.const f32x4 nan:arithmetic nan:arithmetic 1 -0)", true),
        (canonical, "(v128.const f32x4 nan -nan 1 -0)", true),
        (canonical, "(v128.const f32x4 nan nan 1 -0)", false),
        (canonical, "(v128.const f32x4 nan:canonical nan:canonical 1 0)", false),
        (canonical, "(v128.const f32x4 nan:canonical nan:canonical nan:canonical -0)", false),
        (arithmetic, "(v128.const f64x2 nan:arithmetic -0)", true),
        (arithmetic, "(v128.const f64x2 nan:canonical -0)", false),
        (arithmetic, "(v128.const f64x2 nan:arithmetic nan:arithmetic)", false),
        (arithmetic, "(v128.const f64x2 nan:arithmetic 0)", false),
        (signalling, "(v128.const f32x4 nan:0x200000 0 0 0)", true),
        (signalling, "(v128.const f32x4 nan:arithmetic 0 0 0)", false),
        (signalling, "(v128.const f32x4 nan:canonical 0 0 0)", false),
        (
            signalling,
            "(either (v128.const f32x4 1 0 0 0) (v128.const f32x4 nan:0x200000 0 0 0))",
            true,
        ),
        (signalling, "(either (v128.const f32x4 1 0 0 0) (v128.const f32x4 2 0 0 0))", false),
    ] {
        let call = match call.starts_with("(invoke") {
            true => call.to_string(),
            false => format!(r#"(invoke "v" {call})"#),
        };
        let directive = format!("(assert_return {call} {results})");
        assert_eq!(passes(module, &directive), right, "{directive}");
    }
}

#[test]
fn modules_are_what_their_directives_say() {
    let before = r#"(module $m (func (export "f") (result i32) (i32.const 1)) (global (export "g") i32 (i32.const 2)))
(module definition $d (func (export "f") (result i32) (i32.const 3)))
(module instance $i $d)"#;
    for (directive, right) in [
        (r#"(assert_return (invoke "f") (i32.const 3))"#, true),
        (r#"(assert_return (invoke $m "f") (i32.const 1))"#, true),
        (r#"(assert_return (invoke $d "f") (i32.const 3))"#, false),
        (r#"(assert_return (get $m "g") (i32.const 2))"#, true),
        (r#"(assert_return (get $m "g") (i32.const 3))"#, false),
        (r#"(assert_return (get $m "f"))"#, false),
        (r#"(assert_return (get "g") (i32.const 2))"#, false),
        (r#"(register "r")"#, true),
        (r#"(register "r" $m)"#, true),
        (r#"(register "r" $none)"#, false),
        (r#"(register "r" $d)"#, false),
        ("(module instance $j $d)", true),
        ("(module instance $j $m)", false),
        ("(module instance $j $none)", false),
        ("(module definition (func (result i32)))", false),
        ("(module definition $x quote \"(func)\")", false),
        (r#"(module quote "(func)")"#, true),
        (r#"(module quote "(func")"#, false),
        (r#"(module quote "(func (result i32))")"#, false),
        (r#"(module binary "\00asm")"#, false),
        // An instance is there to be imported from once it is registered.
        (r#"(module (import "m" "f" (func (result i32))))"#, false),
        (
            r#"(assert_unlinkable (module (import "m" "f" (func (result i32)))) "unknown import")"#,
            true,
        ),
        (r#"(assert_unlinkable (module (func)) "unknown import")"#, false),
        (r#"(assert_unlinkable (module (func (result i32))) "type mismatch")"#, false),
        (r#"(assert_unlinkable (module (func $f unreachable) (start $f)) "unreachable")"#, false),
        (r#"(assert_malformed (module quote "(func)") "")"#, false),
        (r#"(assert_invalid (module) "")"#, false),
        ("(thread $t (shared (module $none)))", false),
        ("(thread $t (shared (module $m)))", true),
        ("(wait $t)", false),
        ("(assert_unknown (invoke \"f\"))", false),
        ("(component)", true),
        ("(component (export \"f\" (func 0)))", false),
        ("(get \"g\")", false),
        ("(func)", false),
        ("junk", false),
        (")", false),
        ("(module", false),
        ("(module) (; comment", false),
        ("\"text\"", false),
    ] {
        assert_eq!(passes(before, directive), right, "{directive}");
    }
    for empty in ["", " \n", ";; a comment", "(; a comment ;)", "(@annotation)"] {
        assert_eq!(failures(empty), ["t.wast:1: script, expected a directive, got none"]);
    }
}

#[test]
fn custom_sections_are_judged_apart_from_modules() {
    let hint = |at: u8| {
        format!(
            r#"(module binary "\00asm\01\00\00\00" "\01\04\01\60\00\00" "\03\02\01\00"
            "\00\20\19metadata.code.branch_hint\01\00\01\{at:02x}\01\00"
            "\0a\09\01\07\00\41\00\04\40\0b\0b")"#
        )
    };
    let (branch, other) = (hint(3), hint(1));
    let no_target = "@metadata.code.branch_hint annotation: invalid target";
    let custom = r#"(module quote "(@custom 4)")"#;
    let missing = "@custom annotation: missing section name";
    let function = r#"(module quote "(@metadata.code.branch_hint \"\\00\") (func)")"#;
    let misplaced = "@metadata.code.branch_hint annotation: not in a function";
    for (directive, right) in [
        (format!("(assert_invalid_custom {other} \"{no_target}\")"), true),
        (format!("(assert_invalid_custom {branch} \"{no_target}\")"), false),
        (format!("(assert_invalid_custom {other} \"{misplaced}\")"), false),
        (format!("(assert_invalid {other} \"{no_target}\")"), false),
        (format!("(assert_malformed {other} \"{no_target}\")"), false),
        (format!("(assert_malformed_custom {other} \"{no_target}\")"), false),
        (format!("(assert_malformed_custom {custom} \"{missing}\")"), true),
        (format!("(assert_malformed_custom {custom} \"{misplaced}\")"), false),
        (format!("(assert_invalid_custom {custom} \"{missing}\")"), false),
        (format!("(assert_malformed_custom {function} \"{misplaced}\")"), true),
        (format!("(assert_malformed_custom {function} \"{missing}\")"), false),
        ("(assert_malformed_custom (module (func (result i32))) \"type mismatch\")".into(), false),
        ("(assert_invalid_custom (module (func (result i32))) \"type mismatch\")".into(), false),
        (r#"(assert_malformed_custom (module binary "") "unexpected end")"#.into(), false),
    ] {
        assert_eq!(passes("(module)", &directive), right, "{directive}");
    }
}
