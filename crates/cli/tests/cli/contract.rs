//! Every command line that the documentation shows, on modules written here.

use crate::support::{Dir, line, zwasm};

const MATH: &str = r#"(module
  (func $add (export "add") (param i32 i32) (result i32)
    local.get 0 local.get 1 i32.add)
  (func (export "negate") (param i32) (result i32) i32.const 0 local.get 0 i32.sub)
  (func (export "abs") (param i32) (result i32)
    (select (i32.sub (i32.const 0) (local.get 0)) (local.get 0)
      (i32.lt_s (local.get 0) (i32.const 0))))
  (func (export "double") (param f64) (result f64) local.get 0 f64.const 2 f64.mul)
  (func (export "half") (param f64) (result f64) local.get 0 f64.const 2 f64.div)
  (func (export "half32") (param f32) (result f32) local.get 0 f32.const 2 f32.div)
  (func (export "fib") (param i64) (result i64) (local i64 i64 i64)
    (local.set 2 (i64.const 1))
    (block $done (loop $next
      (br_if $done (i64.eqz (local.get 0)))
      (local.set 3 (i64.add (local.get 1) (local.get 2)))
      (local.set 1 (local.get 2))
      (local.set 2 (local.get 3))
      (local.set 0 (i64.sub (local.get 0) (i64.const 1)))
      (br $next)))
    local.get 1)
  (func (export "id64") (param i64) (result i64) local.get 0)
  (func (export "max") (result i32 i64) i32.const -1 i64.const -1)
  (func (export "swap") (param i32 f64) (result f64 i32) local.get 1 local.get 0)
  (func (export "nothing"))
  (func (export "refs") (param funcref externref) (result funcref externref)
    local.get 0 local.get 1)
  (func (export "self") (result funcref) ref.func $add)
  (memory (export "memory") 1)
  (func (export "grow") (param i32) (result i32) local.get 0 memory.grow)
  (func (export "load") (param i32) (result i32) local.get 0 i32.load))"#;

/// Writes its arguments after `argv[0]` and its environment, one a line.
const ECHO: &str = r#"(module
  (import "wasi_snapshot_preview1" "args_get" (func $args_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_sizes_get"
    (func $args_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_get" (func $environ_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_sizes_get"
    (func $environ_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 4)
  (func $put (param $from i32) (param $size i32)
    (i32.store (i32.const 0) (local.get $from))
    (i32.store (i32.const 4) (local.get $size))
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))
  (func $lines (param $from i32) (param $end i32)
    (local $at i32)
    (local.set $at (local.get $from))
    (block $done (loop $next
      (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
      (if (i32.eqz (i32.load8_u (local.get $at)))
        (then (i32.store8 (local.get $at) (i32.const 10))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br $next)))
    (call $put (local.get $from) (i32.sub (local.get $end) (local.get $from))))
  (func (export "_start")
    (drop (call $args_sizes_get (i32.const 16) (i32.const 20)))
    (drop (call $args_get (i32.const 65536) (i32.const 131072)))
    (call $lines (i32.const 131072)
      (i32.add (i32.const 131072) (i32.load (i32.const 20))))
    (drop (call $environ_sizes_get (i32.const 16) (i32.const 20)))
    (drop (call $environ_get (i32.const 65536) (i32.const 131072)))
    (call $lines (i32.const 131072)
      (i32.add (i32.const 131072) (i32.load (i32.const 20))))))"#;

const HELLO: &str = r#"(module
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 8) "hello\n")
  (func (export "_start")
    (i32.store (i32.const 0) (i32.const 8))
    (i32.store (i32.const 4) (i32.const 6))
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16)))))"#;

/// Prints the file named by its last argument, found below descriptor 3; exits
/// with the error number when it cannot.
const CAT: &str = r#"(module
  (import "wasi_snapshot_preview1" "args_get" (func $args_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_sizes_get"
    (func $args_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read"
    (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 2)
  (func $check (param i32)
    (if (local.get 0) (then (call $proc_exit (local.get 0)))))
  (func (export "_start") (local $path i32) (local $size i32)
    (call $check (call $args_sizes_get (i32.const 16) (i32.const 20)))
    (call $check (call $args_get (i32.const 1024) (i32.const 4096)))
    (local.set $path (i32.load (i32.add (i32.const 1020)
      (i32.mul (i32.load (i32.const 16)) (i32.const 4)))))
    (local.set $size (i32.sub
      (i32.add (i32.const 4095) (i32.load (i32.const 20))) (local.get $path)))
    (call $check (call $path_open (i32.const 3) (i32.const 0) (local.get $path)
      (local.get $size) (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 24)))
    (i32.store (i32.const 0) (i32.const 65536))
    (i32.store (i32.const 4) (i32.const 65536))
    (call $check (call $fd_read (i32.load (i32.const 24)) (i32.const 0) (i32.const 1)
      (i32.const 4)))
    (call $check (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))"#;

fn exit(code: u32) -> String {
    format!(
        r#"(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
             (memory (export "memory") 1)
             (func (export "_start") (call $exit (i32.const {code})) unreachable))"#
    )
}

fn math() -> Dir {
    Dir::with(&[("math.wat", MATH), ("math.wasm", MATH)])
}

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
    let object =
        r#"{"name": "threads", "status": "proposal", "supported": true, "executed": true}"#;
    assert!(json.contains(object), "{json}");
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
fn inspect() {
    let module = r#"(module $shop
      (import "env" "log" (func (param i32 i64)))
      (import "env" "memory" (memory 1 4))
      (global (export "price") (mut f64) (f64.const 1))
      (table (export "t") 2 funcref)
      (tag (export "sold out") (param i32))
      (func (export "buy") (param i32) (result i32 f32) unreachable))"#;
    let dir = Dir::with(&[("shop.wasm", module), ("empty.wat", "(module)")]);
    line(&dir, "inspect shop.wasm").prints(
        "shop.wasm (module shop)
imports:
  env.log: func (param i32 i64)
  env.memory: memory 1 4
exports:
  price: global (mut f64)
  t: table 2 funcref
  sold out: tag (param i32)
  buy: func (param i32) (result i32 f32)
",
    );
    line(&dir, "inspect empty.wat").prints("empty.wat\nimports: none\nexports: none\n");
    line(&dir, "inspect --json shop.wasm").prints(
        r#"{
  "file": "shop.wasm",
  "name": "shop",
  "imports": [
    {"module": "env", "name": "log", "kind": "func", "params": ["i32", "i64"], "results": []},
    {"module": "env", "name": "memory", "kind": "memory", "minimum": 1, "maximum": 4, "index": "i32", "shared": false, "page_size": 65536}
  ],
  "exports": [
    {"name": "price", "kind": "global", "type": "f64", "mutable": true},
    {"name": "t", "kind": "table", "element": "funcref", "minimum": 2, "maximum": null, "index": "i32"},
    {"name": "sold out", "kind": "tag", "params": ["i32"]},
    {"name": "buy", "kind": "func", "params": ["i32"], "results": ["i32", "f32"]}
  ]
}
"#,
    );
    line(&dir, "inspect empty.wat --json").prints(
        "{\n  \"file\": \"empty.wat\",\n  \"name\": null,\n  \"imports\": [],\n  \"exports\": []\n}\n",
    );
    line(&dir, "inspect missing.wasm").fails_saying(126, &["missing.wasm"]);
    line(&dir, "inspect").fails_saying(1, &["'inspect' needs a file", "zwasm help inspect"]);
}

#[test]
fn validate_in_json() {
    let dir = Dir::with(&[("good.wat", "(module)"), ("bad.wasm", "(func (result i32))")]);
    line(&dir, "validate --json good.wat").prints("{\"file\": \"good.wat\", \"valid\": true}\n");
    let bad = line(&dir, "validate --json bad.wasm");
    assert_eq!((bad.code, bad.stderr.as_str()), (Some(2), ""));
    let text = bad.text();
    let start = "{\"file\": \"bad.wasm\", \"valid\": false, \"error\": \"invalid module: type";
    assert!(text.starts_with(start) && text.ends_with("}\n"), "{text}");
    assert!(text.contains("\"offset\": 2"), "{text}");
    line(&dir, "validate --json missing.wasm").fails(126);
}

#[test]
fn modules_from_standard_input() {
    let dir = math();
    let from_stdin = |words: &str, module: &[u8]| {
        zwasm(words.split_whitespace()).dir(dir.path()).stdin(module).run()
    };
    let binary = std::fs::read(dir.path().join("math.wasm")).unwrap();
    from_stdin("- --invoke add 2 3", &binary).prints("5\n");
    from_stdin("run - --invoke negate -5", MATH.as_bytes()).prints("5\n");
    from_stdin("validate -", MATH.as_bytes()).prints("-: valid\n");
    let text = from_stdin("inspect -", &binary).text();
    assert!(text.contains("add: func (param i32 i32) (result i32)"), "{text}");
    from_stdin("-", b"(module (func (bad)))").fails_saying(2, &["standard input:1:16"]);
    from_stdin("-", b"").fails(2);
    from_stdin("- --batch", &binary).fails_saying(1, &["'--batch'", "standard input"]);
}

#[test]
fn results_in_json() {
    let dir = math();
    for (words, json) in [
        ("add 2 3", "[5]"),
        ("fib 92", "[7540113804746346429]"),
        ("swap 7 0.5", "[0.5, 7]"),
        ("double inf", "[\"inf\"]"),
        ("refs null null", "[null, null]"),
        ("nothing", "[]"),
    ] {
        let outcome = line(&dir, &format!("math.wat --json --invoke {words}"));
        outcome.prints(&format!("{{\"results\": {json}}}\n"));
    }
    line(&dir, "math.wat --json --invoke load -1").fails(1);
}

/// A nullable reference to a defined type takes `null` like any other.
#[test]
fn null_references() {
    let module = r#"(module
      (type $point (struct (field i32)))
      (type $unary (func (param i32) (result i32)))
      (func (export "point") (param (ref null $point)) (result i32) (ref.is_null (local.get 0)))
      (func (export "unary") (param (ref null $unary)) (result i32) (ref.is_null (local.get 0)))
      (func (export "some") (param (ref $point))))"#;
    let dir = Dir::with(&[("refs.wat", module)]);
    line(&dir, "refs.wat --invoke point null").prints("1\n");
    line(&dir, "refs.wat --invoke unary null").prints("1\n");
    line(&dir, "refs.wat --invoke point 1").fails_saying(1, &["only 'null' can"]);
    line(&dir, "refs.wat --invoke some null").fails_saying(1, &["is not possible"]);
}

const COUNTER: &str = r#"(module
  (global $n (mut i32) (i32.const 0))
  (func $add (export "add") (param i32) (result i32)
    (global.set $n (i32.add (global.get $n) (local.get 0)))
    (global.get $n))
  (func (export "fail") (drop (call $add (i32.const 1))) unreachable)
  (func (export "two words") (result i32) (global.get $n)))"#;

#[test]
fn batches() {
    let mul = MATH.replace(
        "(func $add",
        "(func (export \"mul\") (param i32 i32) (result i32) local.get 0 local.get 1 i32.mul)\n\
         (func $add",
    );
    let dir = Dir::with(&[("math.wasm", mul.as_str()), ("counter.wat", COUNTER)]);
    let batch = |words: &str, stdin: &str| {
        zwasm(words.split_whitespace()).dir(dir.path()).stdin(stdin).run()
    };
    let words = "math.wasm --batch --invoke add";
    batch(words, "add 2 3\nmul 4 5\n").prints("5\n20\n");
    batch("math.wasm --batch", "add 2 3\nmul 4 5\nfib 10").prints("5\n20\n55\n");
    batch(words, "2 3\n-4 5\n\n  mul 2 2  \r\n").prints("5\n1\n4\n");
    batch("math.wasm --batch --json", "add 2 3\nmax\n")
        .prints("{\"results\": [5]}\n{\"results\": [-1, -1]}\n");
    batch("math.wasm --batch --invoke ad", "add 2 3").fails_saying(1, &["'ad'", "'add'?"]);
    batch("math.wasm --batch", "").prints("");
}

#[test]
fn batches_keep_their_state_and_survive_errors() {
    let dir = Dir::with(&[("counter.wat", COUNTER)]);
    let batch = |stdin: &str| zwasm(["counter.wat", "--batch"]).dir(dir.path()).stdin(stdin).run();
    let outcome = batch("add 1\nad 1\nadd x\nadd\nfail\nadd 1\n");
    assert_eq!((outcome.code, outcome.text().as_str()), (Some(1), "1\n3\n"));
    let errors: Vec<_> =
        outcome.stderr.lines().filter_map(|line| line.strip_prefix("error: ")).collect();
    assert_eq!(errors.len(), 4, "{errors:?}");
    assert!(errors[0].starts_with("line 2: no exported function 'ad' (did you mean 'add'?)"));
    assert_eq!(errors[1], "line 3: argument 1 of 'add': 'x' is not an i32");
    assert_eq!(errors[2], "line 4: 'add' expects 1 argument, got 0");
    assert_eq!(errors[3], "line 5: trap: unreachable");

    let outcome = batch(concat!(
        r#"{"invoke": "add", "args": [40]}"#,
        "\n",
        r#"{"id": 7, "invoke": "add", "args": ["0x2"]}"#,
        "\n",
        r#"{"id": "x", "invoke": "fail"}"#,
        "\nnot json\n{\"invoke\" \n",
        r#"{"invoke": "two words", "args": []}"#,
    ));
    assert_eq!(outcome.code, Some(1));
    assert_eq!(
        outcome.text(),
        r#"{"results": [40]}
{"id": 7, "results": [42]}
{"id": "x", "error": "trap: unreachable"}
{"error": "not JSON: expected ':' at character 10"}
{"results": [43]}
"#
    );
    assert!(outcome.stderr.starts_with("error: line 4: no exported function 'not'"), "{outcome:?}");
}

#[test]
fn programs_in_batches() {
    let dir = Dir::with(&[("hello.wasm", HELLO), ("echo.wasm", ECHO)]);
    dir.write("exit.wat", exit(3));
    let batch = |words: &str, stdin: &str| {
        zwasm(words.split_whitespace()).dir(dir.path()).stdin(stdin).run()
    };
    batch("hello.wasm --batch", "_start\n_start\n").prints("hello\nhello\n");
    batch("echo.wasm --batch -- a", "_start\n").prints("echo.wasm\na\n");
    let exits = batch("exit.wat --batch", "_start\n_start");
    assert_eq!(exits.stderr.matches("ended with exit code 3").count(), 2, "{exits:?}");
    dir.write("exit.wat", exit(0));
    batch("exit.wat --batch", "_start\n").prints("");
}

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

#[test]
fn looking_at_the_guest() {
    let dir = math();
    let regir = line(&dir, "math.wat --invoke add 2 3 --dump-regir=0");
    assert_eq!((regir.code, regir.text().as_str()), (Some(0), "5\n"));
    assert!(regir.stderr.starts_with("function f0 <add>: frame params 2"), "{regir:?}");
    assert!(regir.stderr.contains("= i32.add s0 s1"), "{regir:?}");
    line(&dir, "math.wat --invoke add 2 3 --dump-regir=99")
        .fails_saying(1, &["'--dump-regir=99'", "no function 99"]);

    if cfg!(all(feature = "jit", target_arch = "x86_64", target_os = "linux")) {
        let code = line(&dir, "math.wat --invoke add 2 3 --dump-jit=0");
        assert_eq!((code.code, code.text().as_str()), (Some(0), "5\n"));
        assert!(code.stderr.starts_with("function f0 <add>:\n0x"), "{code:?}");
        let compiled = line(&dir, "math.wat --invoke add 2 3 --engine baseline --trace=jit");
        assert!(compiled.stderr.starts_with("[jit] f0 compiled: "), "{compiled:?}");
    } else {
        line(&dir, "math.wat --invoke add 2 3 --dump-jit=0").fails_saying(2, &["no compiler"]);
    }

    let traced = line(&dir, "math.wat --invoke add 2 3 --trace=regir,exec,mem,call,jit");
    assert_eq!((traced.code, traced.text().as_str()), (Some(0), "5\n"));
    for part in ["[regir] function f0: frame", "[exec] f0+0x", "[call] f0 <add> 0x2 0x3\n"] {
        assert!(traced.stderr.contains(part), "no {part}: {traced:?}");
    }
    let memory = line(&dir, "math.wat --invoke load 8 --trace=mem");
    assert!(memory.stderr.starts_with("[mem] f14+0x"), "{memory:?}");
    assert!(memory.stderr.ends_with("i32.load m0[s0 + 0x0]  ; s0=0x8\n"), "{memory:?}");
    line(&dir, "math.wat --trace=cals").fails_saying(1, &["'cals'", "'call'?", "regir"]);

    let profile = line(&dir, "math.wat --invoke fib 50 --profile");
    assert_eq!((profile.code, profile.text().as_str()), (Some(0), "12586269025\n"));
    let lines: Vec<_> = profile.stderr.lines().collect();
    assert!(
        lines[0].starts_with("profile: ") && lines[0].ends_with("the register IR"),
        "{lines:?}"
    );
    let adds = lines.iter().find(|line| line.ends_with("  i64.add")).expect("additions");
    assert_eq!(adds.split_whitespace().next(), Some("50"));
    assert!(lines.iter().any(|line| line.contains(" 100.0            1  6 ")), "{lines:?}");
}

#[test]
fn profiles_in_files() {
    let spin = r#"(module
      (func $inner (param i32) (loop $next
        (br_if $next (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
      (func (export "_start") (local i32)
        (local.set 0 (i32.const 50))
        (loop $next
          (call $inner (i32.const 1000000))
          (br_if $next (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))"#;
    let dir = Dir::with(&[("spin.wat", spin)]);
    for engine in ["interp", "auto"] {
        line(&dir, &format!("spin.wat --engine {engine} --profile=p.json --profile=p.json"))
            .fails_saying(1, &["'--profile' is given twice"]);
        line(&dir, &format!("spin.wat --engine {engine} --profile=p.json")).prints("");
        let json = std::fs::read_to_string(dir.path().join("p.json")).unwrap();
        for part in ["\"unit\": \"us\"", "\"compiled\": ", "{\"name\": \"inner\", \"self\": "] {
            assert!(json.contains(part), "{engine}: no {part} in {json}");
        }
        let interpreted = json.contains("\"compiled\": 0,");
        assert!(engine != "interp" || interpreted, "{json}");
    }
    line(&dir, "spin.wat --profile=p.svg").prints("");
    let svg = std::fs::read_to_string(dir.path().join("p.svg")).unwrap();
    assert!(svg.starts_with("<svg ") && svg.contains("<title>inner: "), "{svg}");
    line(&dir, "spin.wat --profile=no/p.svg").fails_saying(1, &["'--profile'", "no/p.svg"]);
    line(&dir, "spin.wat --profile=p.txt").fails_saying(1, &[".svg or .json", "'p.txt'"]);
}

#[test]
fn completions_and_manual() {
    let dir = Dir::new();
    for (words, part) in [
        ("completions bash", "complete -o filenames -F _zwasm zwasm"),
        ("completions zsh", "#compdef zwasm"),
        ("completions fish", "complete -c zwasm"),
        ("man", ".TH ZWASM 1"),
    ] {
        let outcome = line(&dir, words);
        outcome.prints(&outcome.text());
        assert!(outcome.text().contains(part), "{words}");
    }
    line(&dir, "completions tcsh").fails_saying(1, &["'tcsh'", "fish"]);
}

/// The script for bash, asked in bash.
#[test]
fn completions_complete() {
    let dir = Dir::new();
    dir.write("zwasm.bash", line(&dir, "completions bash").stdout);
    std::fs::create_dir(dir.path().join("folder")).unwrap();
    let complete = |words: &str| {
        let count = words.split(' ').count() - 1;
        let script = format!(
            "source ./zwasm.bash; COMP_WORDS=({words}); COMP_CWORD={count}; \
             COMP_WORDS[$COMP_CWORD]=\"${{COMP_WORDS[$COMP_CWORD]-}}\"; _zwasm; \
             echo \"${{COMPREPLY[*]}}\""
        );
        let mut bash = std::process::Command::new("bash");
        let bash = bash.args(["-c", &script]).current_dir(dir.path()).output();
        bash.ok().map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let Some(first) = complete("zwasm insp") else {
        println!("passed over: there is no bash");
        return;
    };
    assert_eq!(first, "inspect");
    assert_eq!(complete("zwasm a.wasm --inv").unwrap(), "--invoke");
    assert_eq!(complete("zwasm validate --j").unwrap(), "--json");
    assert_eq!(complete("zwasm a.wasm --dir f").unwrap(), "folder");
    assert_eq!(complete("zwasm a.wasm --disable sim").unwrap(), "simd");
    assert_eq!(complete("zwasm completions f").unwrap(), "fish");
}

#[test]
fn wrong_usage() {
    let dir = math();
    for (words, part) in [
        ("", "no file given"),
        ("math.wat --invok add", "did you mean '--invoke'?"),
        ("--frobnicate math.wat", "'--frobnicate'"),
        ("math.wat --std x", "after '--'"),
        ("math.wat --max-memory lots", "got 'lots'"),
        ("math.wat --env HOME", "KEY=VALUE"),
        ("math.wat --link", "'--link' needs a value: NAME=FILE"),
        ("inspect --invoke math.wat", "it is for 'zwasm run'"),
    ] {
        line(&dir, words).fails_saying(1, &[part]);
    }
    line(&dir, "valdiate math.wat").fails_saying(126, &["did you mean 'validate'?"]);
}
