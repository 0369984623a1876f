//! What the documentation of the command says, on modules written here.

use crate::guests::{CAT, ECHO, HELLO, exit, math};
use crate::support::{Dir, line, zwasm};

#[test]
fn invoke_takes_arguments_by_type() {
    let dir = math();
    for (words, stdout) in [
        ("math.wasm --invoke add 2 3", "5\n"),
        ("run math.wasm --invoke add 2 3", "5\n"),
        ("math.wat --invoke add 2 3", "5\n"),
        ("--invoke add math.wat 2 3", "5\n"),
        ("math.wat --invoke negate -5", "5\n"),
        ("math.wat --invoke negate 5", "-5\n"),
        ("math.wat --invoke abs -42", "42\n"),
        ("math.wat --invoke double 3.14", "6.28\n"),
        ("math.wat --invoke half -6.28", "-3.14\n"),
        ("math.wat --invoke half32 -6.28", "-3.14\n"),
        ("math.wat --invoke double 1e300", "2e300\n"),
        ("math.wat --invoke double -inf", "-inf\n"),
        ("math.wat --invoke half nan", "nan\n"),
        ("math.wat --invoke fib 50", "12586269025\n"),
        ("math.wat --invoke add 4294967295 0", "-1\n"),
        ("math.wat --invoke add 0xff -0x1", "254\n"),
        ("math.wat --invoke id64 18446744073709551615", "-1\n"),
        ("math.wat --invoke max", "-1\n-1\n"),
        ("math.wat --invoke swap 7 0.5", "0.5\n7\n"),
        ("math.wat --invoke nothing", ""),
        ("math.wat --invoke refs null null", "null\nnull\n"),
        ("math.wat --invoke self", "funcref\n"),
        ("math.wat --allow-all --invoke=add --dir . 2 3", "5\n"),
    ] {
        line(&dir, words).prints(stdout);
    }
}

#[test]
fn invoke_checks_its_arguments() {
    let dir = math();
    for (words, message) in [
        ("math.wat --invoke add 2", "'add' expects 2 arguments, got 1"),
        ("math.wat --invoke add 2 3 4", "'add' expects 2 arguments, got 3"),
        ("math.wat --invoke abs", "'abs' expects 1 argument, got 0"),
        (
            "math.wat --invoke add -- 2 3",
            "'add' expects 2 arguments, got 0 (words after '--' go to the program)",
        ),
        ("math.wat --invoke add 2 x", "argument 2 of 'add': 'x' is not an i32"),
        ("math.wat --invoke add 1.5 2", "argument 1 of 'add': '1.5' is not an i32"),
        (
            "math.wat --invoke add 4294967296 2",
            "argument 1 of 'add': '4294967296' is out of range for i32",
        ),
        ("math.wat --invoke half x", "argument 1 of 'half': 'x' is not an f64"),
    ] {
        assert_eq!(line(&dir, words).fails(1), message, "{words}");
    }
    line(&dir, "math.wat --invoke refs 1 null")
        .fails_saying(1, &["argument 1 of 'refs': '1'", "'null'"]);
}

#[test]
fn unknown_functions_get_suggestions() {
    let dir = math();
    line(&dir, "math.wat --invoke ad 1 2")
        .fails_saying(1, &["no exported function 'ad'", "did you mean 'add'?"]);
    line(&dir, "math.wat --invoke memory").fails_saying(1, &["'memory'", "memory"]);
    let few = Dir::with(&[("few.wat", r#"(func (export "one")) (func (export "two"))"#)]);
    line(&few, "few.wat --invoke three").fails_saying(1, &["'three'", "one, two"]);
    let none = Dir::with(&[("none.wat", "(module)")]);
    line(&none, "none.wat --invoke f").fails_saying(1, &["'f'", "exports no functions"]);
}

#[test]
fn modules_without_a_start_do_nothing() {
    let dir = Dir::with(&[
        ("empty.wat", "(module)"),
        ("empty.wasm", "(module)"),
        ("start.wat", "(func nop) (start 0)"),
        ("named.anything", "(module)"),
    ]);
    line(&dir, "empty.wat").prints("");
    line(&dir, "empty.wasm").prints("");
    line(&dir, "start.wat").prints("");
    line(&dir, "named.anything").prints("");
    let library = line(&math(), "math.wat");
    assert_eq!((library.code, library.text().as_str()), (Some(0), ""));
    assert!(library.stderr.starts_with("note: no export '_start'"), "{library:?}");
    assert!(library.stderr.contains("'--invoke add'"), "{library:?}");
}

#[test]
fn wasi_programs() {
    let dir = Dir::with(&[("hello.wasm", HELLO), ("hello.wat", HELLO)]);
    std::fs::create_dir(dir.path().join("data")).unwrap();
    line(&dir, "hello.wasm").prints("hello\n");
    line(&dir, "hello.wasm --allow-all").prints("hello\n");
    line(&dir, "hello.wat --allow-read --dir ./data").prints("hello\n");
    line(&dir, "hello.wat --allow-write --allow-path --allow-clock --allow-random --allow-proc")
        .prints("hello\n");
}

#[test]
fn wasi_arguments() {
    let dir = Dir::with(&[("app.wasm", ECHO)]);
    line(&dir, "app.wasm").prints("app.wasm\n");
    line(&dir, "app.wasm --allow-all -- hello world").prints("app.wasm\nhello\nworld\n");
    line(&dir, "run app.wasm hello -- --world").prints("app.wasm\nhello\n--world\n");
    line(&dir, "./app.wasm -5").prints("app.wasm\n-5\n");
    line(&dir, "app.wasm --invoke _start -- a").prints("app.wasm\na\n");
}

#[test]
fn wasi_environment() {
    let dir = Dir::with(&[("app.wasm", ECHO)]);
    line(&dir, "app.wasm --env HOME=/tmp --env USER=alice")
        .prints("app.wasm\nHOME=/tmp\nUSER=alice\n");
    let run = |words: &str| {
        zwasm(words.split_whitespace()).dir(dir.path()).env("ZWASM_TEST", "host").run().text()
    };
    assert!(!run("app.wasm").contains("ZWASM_TEST"));
    assert!(run("app.wasm --allow-env").contains("\nZWASM_TEST=host\n"));
    let both = run("app.wasm --allow-env --env ZWASM_TEST=given");
    assert!(both.contains("\nZWASM_TEST=given\n") && !both.contains("ZWASM_TEST=host"), "{both}");
}

#[test]
fn wasi_directories() {
    let dir = Dir::with(&[("app.wasm", CAT), ("input.txt", "outside\n")]);
    let data = dir.path().join("data");
    std::fs::create_dir(&data).unwrap();
    std::fs::write(data.join("input.txt"), "inside\n").unwrap();
    line(&dir, "app.wasm --allow-read --dir ./data -- input.txt").prints("inside\n");
    line(&dir, "app.wasm --allow-all --dir data::/ input.txt").prints("inside\n");
    line(&dir, "app.wasm --allow-all --dir . --dir data input.txt").prints("outside\n");
    const BADF: i32 = 8;
    const NOENT: i32 = 44;
    const PERM: i32 = 63;
    const NOTCAPABLE: i32 = 76;
    assert_eq!(line(&dir, "app.wasm --allow-all -- input.txt").code, Some(BADF));
    assert_eq!(line(&dir, "app.wasm --allow-all --dir data -- no.txt").code, Some(NOENT));
    let escaped = line(&dir, "app.wasm --allow-all --dir data -- ../input.txt");
    assert!(matches!(escaped.code, Some(PERM | NOTCAPABLE)), "{escaped:?}");
    line(&dir, "app.wasm --dir missing").fails_saying(1, &["'missing'"]);
}

#[test]
fn reactors_are_initialised_first() {
    let reactor = r#"(module
      (import "wasi_snapshot_preview1" "fd_write"
        (func $fd_write (param i32 i32 i32 i32) (result i32)))
      (memory (export "memory") 1)
      (global $ready (mut i32) (i32.const 0))
      (func (export "_initialize")
        (global.set $ready (i32.add (global.get $ready) (i32.const 1))))
      (func (export "ready") (result i32) global.get $ready))"#;
    let dir = Dir::with(&[("reactor.wasm", reactor)]);
    line(&dir, "reactor.wasm --invoke ready").prints("1\n");
    line(&dir, "reactor.wasm").prints("");
    line(&dir, "reactor.wasm --invoke _initialize").prints("");
}

#[test]
fn a_program_chooses_its_exit_code() {
    let dir = Dir::new();
    for code in [0, 1, 2, 42, 126, 255] {
        dir.write("exit.wat", exit(code));
        let outcome = line(&dir, "exit.wat");
        assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(code as i32), ""));
    }
}

#[test]
fn memory_limit() {
    let dir = math();
    line(&dir, "math.wat --invoke grow 100").prints("1\n");
    line(&dir, "math.wat --max-memory 16777216 --invoke grow 255").prints("1\n");
    line(&dir, "math.wat --max-memory 16777216 --invoke grow 256").prints("-1\n");
    line(&dir, "math.wat --max-memory 1M --invoke grow 16").prints("-1\n");
    assert!(!line(&dir, "math.wat --max-memory 1 --invoke add 1 2").fails(1).is_empty());
}

#[test]
fn stack_limit() {
    let depth = r#"(func $depth (export "depth") (param i32) (result i32)
      (if (result i32) (local.get 0)
        (then (i32.add (i32.const 1) (call $depth (i32.sub (local.get 0) (i32.const 1)))))
        (else (i32.const 0))))"#;
    let dir = Dir::with(&[("depth.wat", depth)]);
    line(&dir, "depth.wat --invoke depth 1000").prints("1000\n");
    line(&dir, "depth.wat --max-stack 64M --invoke depth 100000").prints("100000\n");
    let outcome = line(&dir, "depth.wat --max-stack 64K --invoke depth 100000");
    outcome.fails_saying(1, &["trap: call stack exhausted"]);
}

#[test]
fn traps_name_their_kind_and_place() {
    let dir = math();
    let outcome = line(&dir, "math.wat --invoke load -1");
    assert_eq!(outcome.fails(1), "trap: out of bounds memory access");
    assert!(outcome.stderr.contains("\n  at function "), "{outcome:?}");
}

#[test]
fn validate() {
    let dir = Dir::with(&[
        ("hello.wasm", HELLO),
        ("hello.wat", HELLO),
        ("bad.wasm", "(func (result i32))"),
        ("bad.wat", "(func (result i32))"),
    ]);
    line(&dir, "validate hello.wasm").prints("hello.wasm: valid\n");
    line(&dir, "validate hello.wat").prints("hello.wat: valid\n");
    assert!(!line(&dir, "validate bad.wasm").fails(2).is_empty());
    assert!(!line(&dir, "validate bad.wat").fails(2).is_empty());
    assert!(!line(&dir, "bad.wasm").fails(2).is_empty());
    line(&dir, "validate missing.wasm").fails_saying(126, &["missing.wasm"]);
}

#[test]
fn features() {
    let several = r#"(module (memory 1) (memory 1) (func (export "f") (result i32) i32.const 3))"#;
    let dir = Dir::with(&[("several.wasm", several)]);
    line(&dir, "several.wasm --invoke f").prints("3\n");
    line(&dir, "several.wasm --invoke f --disable gc --disable=simd").prints("3\n");
    let message = "the feature 'multi-memory' is disabled";
    line(&dir, "several.wasm --invoke f --disable=multi-memory").fails_saying(2, &[message]);
    line(&dir, "validate --disable multi-memory several.wasm").fails_saying(2, &[message]);
    line(&dir, "several.wasm --disable multi-memroy").fails_saying(1, &["'multi-memory'?"]);
    let outcome = line(&dir, "features");
    outcome.prints(&outcome.text());
    for feature in ["multi-memory", "threads", "branch-hinting"] {
        let lines = outcome.text();
        let line = lines.lines().find(|line| line.starts_with(feature)).expect(feature);
        assert!(line.ends_with(" yes"), "{line}");
    }
    let json = line(&dir, "features --json").text();
    let object = r#"{"name": "threads", "status": "proposal", "supported": true, "executed": true, "default": true}"#;
    assert!(json.contains(object), "{json}");
    let gated = outcome.text();
    let gated = gated.lines().find(|line| line.starts_with("component-error-context"));
    assert!(gated.is_some_and(|line| line.ends_with(" with --enable")), "{gated:?}");
    line(&dir, "features --yaml").fails_saying(1, &["'--yaml'"]);
    let parsed = json.lines().filter(|line| line.starts_with("  {")).count();
    assert_eq!(parsed, outcome.text().lines().count());
}

#[test]
fn version_and_help() {
    let dir = Dir::new();
    let version = concat!("zwasm ", env!("CARGO_PKG_VERSION"), "\n");
    for words in ["version", "--version", "-V"] {
        line(&dir, words).prints(version);
    }
    for words in ["help", "--help", "-h", "run --help"] {
        let outcome = line(&dir, words);
        outcome.prints(&outcome.text());
        for part in ["Usage:", "--invoke NAME", "--dir PATH", "--max-memory N", "126"] {
            assert!(outcome.text().contains(part), "{words}: no {part}");
        }
    }
    for words in ["validate --help", "help validate"] {
        let text = line(&dir, words).text();
        assert!(text.contains("zwasm validate") && !text.contains("--invoke"), "{text}");
    }
    line(&dir, "help valdate").fails_saying(1, &["'validate'?"]);
}

#[test]
fn wrong_usage() {
    let dir = math();
    for (words, part) in [
        ("", "no file given"),
        ("math.wat --invok add", "did you mean '--invoke'?"),
        ("--frobnicate math.wat", "'--frobnicate'"),
        ("math.wat --std x", "no export '_start' to take '--std'"),
        ("math.wat --max-memory lots", "got 'lots'"),
        ("math.wat --env =HOME", "KEY=VALUE"),
        ("math.wat --link", "'--link' needs a value: NAME=FILE"),
        ("inspect --invoke math.wat", "it is for 'zwasm run'"),
    ] {
        line(&dir, words).fails_saying(1, &[part]);
    }
    line(&dir, "valdiate math.wat").fails_saying(126, &["did you mean 'validate'?"]);
}
