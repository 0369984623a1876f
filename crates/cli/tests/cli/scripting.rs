//! What scripts use: JSON, standard input, batches.

use crate::guests::{ECHO, HELLO, MATH, exit, math};
use crate::support::{Dir, line, zwasm};

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
    let begins = |words: &str, start: &str| {
        let outcome = line(&dir, words);
        outcome.prints(&outcome.text());
        assert!(outcome.text().starts_with(start), "{outcome:?}");
        outcome.text()[start.len()..].to_owned()
    };
    let contents = begins(
        "inspect shop.wasm",
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
    assert_eq!(
        contents,
        "sections: 137 bytes in all
  type: 3 entries, 16 bytes at 0xa
  import: 2 entries, 26 bytes at 0x1c
  function: 1 entry, 2 bytes at 0x38
  table: 1 entry, 4 bytes at 0x3c
  tag: 1 entry, 3 bytes at 0x42
  global: 1 entry, 13 bytes at 0x47
  export: 4 entries, 30 bytes at 0x56
  code: 1 entry, 5 bytes at 0x76
  custom \"name\": 7 bytes at 0x82
features needed: mutable-global multi-value reference-types exceptions
"
    );
    begins("inspect empty.wat", "empty.wat\nimports: none\nexports: none\n");
    let contents = begins(
        "inspect --json shop.wasm",
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
  ],
"#,
    );
    let start = r#"  "size": 137,
  "sections": [
    {"name": "type", "offset": 10, "size": 16, "count": 3},
"#;
    assert!(contents.starts_with(start) && contents.ends_with("\n}\n"), "{contents}");
    begins(
        "inspect empty.wat --json",
        "{\n  \"file\": \"empty.wat\",\n  \"name\": null,\n  \"imports\": [],\n  \"exports\": [],\n",
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
