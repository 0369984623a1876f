//! Every command line that the contract prints, one by one and as it prints them,
//! with what it says they do.
//!
//! Where the contract prints no output, the module written for the line here decides
//! what that is. What a line needs besides its modules is in the folder it runs in.

use std::path::Path;

use crate::guests::{CAT, ECHO, HELLO};
use crate::support::{Dir, line, zwasm};

/// `negate` makes numbers negative: of -5 the contract prints -5.
const MATH: &str = r#"(module
  (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func (export "mul") (param i32 i32) (result i32) (i32.mul (local.get 0) (local.get 1)))
  (func $abs (export "abs") (param i32) (result i32)
    (select (local.get 0) (i32.sub (i32.const 0) (local.get 0))
      (i32.gt_s (local.get 0) (i32.const 0))))
  (func (export "negate") (param i32) (result i32)
    (i32.sub (i32.const 0) (call $abs (local.get 0))))
  (func (export "double") (param f64) (result f64) (f64.mul (local.get 0) (f64.const 2)))
  (func (export "half") (param f64) (result f64) (f64.div (local.get 0) (f64.const 2)))
  (func $fib (export "fib") (param i64) (result i64) (local i64 i64)
    (local.set 2 (i64.const 1))
    (loop $next
      (if (i64.eqz (local.get 0)) (then (return (local.get 1))))
      (local.get 1) (local.get 2)
      (local.set 1 (local.get 2))
      (local.set 2 (i64.add))
      (local.set 0 (i64.sub (local.get 0) (i64.const 1)))
      (br $next))
    unreachable))"#;

/// `zwasm …` as printed, and the standard output.
const LINES: &[(&str, &str)] = &[
    // Quick start.
    ("zwasm hello.wasm", "hello\n"),
    ("zwasm math.wasm --invoke add 2 3", "5\n"),
    ("zwasm program.wat", "hello\n"),
    // Getting started.
    ("zwasm version", concat!("zwasm ", env!("CARGO_PKG_VERSION"), "\n")),
    ("zwasm hello.wat --invoke add 2 3", "5\n"),
    ("zwasm hello_wasi.wasm --allow-all", "hello\n"),
    ("zwasm hello_wasi.wasm --allow-read --dir ./data", "hello\n"),
    ("zwasm validate hello.wasm", "hello.wasm: valid\n"),
    ("zwasm examples/wat/01_hello_add.wat --invoke add 2 3", "5\n"),
    ("zwasm examples/wat/02_if_else.wat --invoke abs -7", "7\n"),
    ("zwasm examples/wat/03_loop.wat --invoke sum 100", "5050\n"),
    ("zwasm examples/wat/05_fibonacci.wat --invoke fib 10", "55\n"),
    ("zwasm examples/wat/24_call_indirect.wat --invoke apply 0 10 3", "13\n"),
    ("zwasm examples/wat/25_return_call.wat --invoke sum 1000000", "500000500000\n"),
    ("zwasm examples/wat/30_wasi_hello.wat --allow-all", "Hi!\n"),
    ("zwasm examples/wat/32_wasi_args.wat --allow-all -- hi", "hi\n"),
    // Reference.
    ("zwasm hello.wasm --allow-all", "hello\n"),
    ("zwasm math.wat --invoke add 2 3", "5\n"),
    ("zwasm math.wat --invoke negate -5", "-5\n"),
    ("zwasm math.wat --invoke abs -42", "42\n"),
    ("zwasm math.wat --invoke double 3.14", "6.28\n"),
    ("zwasm math.wat --invoke half -6.28", "-3.14\n"),
    ("zwasm math.wat --invoke fib 50", "12586269025\n"),
    ("zwasm args.wasm --allow-all -- hello world", "args.wasm\nhello\nworld\n"),
    ("zwasm cat.wasm --allow-read --dir ./data -- input.txt", "input\n"),
    ("zwasm args.wasm --env HOME=/tmp --env USER=alice", "args.wasm\nHOME=/tmp\nUSER=alice\n"),
    ("zwasm untrusted.wasm --sandbox", "hello\n"),
    ("zwasm untrusted.wasm --sandbox --allow-read --dir ./data", "hello\n"),
    ("zwasm app.wasm --link math=math.wasm --invoke compute 42", "84\n"),
    ("zwasm untrusted.wasm --fuel 1000000 --max-memory 16777216", "hello\n"),
];

fn folder() -> Dir {
    let app = r#"(module
      (import "math" "add" (func $add (param i32 i32) (result i32)))
      (func (export "compute") (param i32) (result i32) (call $add (local.get 0) (local.get 0))))"#;
    let add = r#"(module
      (func (export "add") (param i32 i32) (result i32)
        local.get 0
        local.get 1
        i32.add))"#;
    let dir = Dir::with(&[
        ("hello.wasm", HELLO),
        ("hello.wat", add),
        ("hello_wasi.wasm", HELLO),
        ("program.wat", HELLO),
        ("untrusted.wasm", HELLO),
        ("math.wasm", MATH),
        ("math.wat", MATH),
        ("args.wasm", ECHO),
        ("cat.wasm", CAT),
        ("app.wasm", app),
    ]);
    std::fs::create_dir(dir.path().join("data")).unwrap();
    dir.write("data/input.txt", "input\n");
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    #[cfg(unix)]
    std::os::unix::fs::symlink(examples, dir.path().join("examples")).unwrap();
    #[cfg(windows)]
    copy(&examples, &dir.path().join("examples"));
    dir
}

/// Copies a folder, where links take a privilege.
#[cfg(windows)]
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let (path, to) = (entry.as_ref().unwrap().path(), to.join(entry.unwrap().file_name()));
        match path.is_dir() {
            true => copy(&path, &to),
            false => drop(std::fs::copy(&path, &to).unwrap()),
        }
    }
}

#[test]
fn lines_print_what_the_contract_says() {
    let dir = folder();
    for (command, stdout) in LINES {
        let words = command.strip_prefix("zwasm ").unwrap();
        line(&dir, words).prints(stdout);
        // The word `run` is optional where a file comes first.
        if words.split('/').next_back().is_some_and(|file| file.contains(".wa"))
            && !words.starts_with("validate")
        {
            line(&dir, &format!("run {words}")).prints(stdout);
        }
    }
}

#[test]
fn errors_are_those_of_the_contract() {
    let dir = folder();
    let message = line(&dir, "math.wat --invoke add 2").fails(1).to_owned();
    assert_eq!(message, "'add' expects 2 arguments, got 1");
    // Exit codes: a trap, an invalid module, a file that is not there.
    dir.write("trap.wat", r#"(func (export "_start") unreachable)"#);
    dir.write("invalid.wat", "(func (result i32))");
    line(&dir, "trap.wat").fails(1);
    line(&dir, "invalid.wat").fails(2);
    line(&dir, "missing.wasm").fails(126);
}

#[test]
fn a_batch_is_that_of_the_contract() {
    let dir = folder();
    let words = ["math.wasm", "--batch", "--invoke", "add"];
    zwasm(words).dir(dir.path()).stdin("add 2 3\nmul 4 5\n").run().prints("5\n20\n");
    zwasm(words).dir(dir.path()).stdin("add 2 3\nmul 4 5\nfib 10\n").run().prints("5\n20\n55\n");
}

/// Lines whose output the contract leaves open: it has to be there, and to name what
/// was asked for.
#[test]
fn lines_that_list_things() {
    let dir = folder();
    for (words, parts) in [
        ("inspect hello.wasm", &["wasi_snapshot_preview1.fd_write", "_start", "memory"][..]),
        ("inspect examples/wat/01_hello_add.wat", &["add: func (param i32 i32) (result i32)"]),
        ("inspect --json math.wasm", &[r#"{"name": "add", "kind": "func""#]),
        ("features", &["gc", "tail-call", "threads", "wide-arithmetic", "custom-page-sizes"]),
        ("features --json", &[r#"{"name": "gc""#]),
        (
            "help",
            &[
                "--invoke",
                "--batch",
                "--link",
                "--sandbox",
                "--allow-all",
                "--allow-read",
                "--allow-write",
                "--allow-env",
                "--allow-path",
                "--dir",
                "--env",
                "--max-memory",
                "--fuel",
                "--trace",
                "inspect",
                "validate",
                "features",
                "version",
                "help",
            ],
        ),
    ] {
        let outcome = line(&dir, words);
        outcome.prints(&outcome.text());
        for part in parts {
            assert!(outcome.text().contains(part), "{words}: no {part}");
        }
    }
}

#[cfg(feature = "trace")]
#[test]
fn debugging_options() {
    let dir = folder();
    for (option, part) in [
        ("--profile", "i32.add"),
        ("--trace=jit,regir,exec,mem,call", "[call] f0 0x2 0x3"),
        ("--dump-regir=0", "i32.add s0 s1"),
    ] {
        let outcome = line(&dir, &format!("math.wasm --invoke add 2 3 {option}"));
        assert_eq!((outcome.code, outcome.text().as_str()), (Some(0), "5\n"), "{outcome:?}");
        assert!(outcome.stderr.contains(part), "{option}: no {part} in {outcome:?}");
    }
}
