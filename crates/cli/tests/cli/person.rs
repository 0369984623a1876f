//! Command lines as people write them who have not read the manual: what each means, or
//! what it is told.

use crate::guests::{CAT, ECHO, HELLO, MATH};
use crate::support::{Dir, Outcome, line, zwasm};

/// Makes calls of WASI, each with its parameters and arguments, and ends with the sum of
/// what they answer.
fn calls(all: &[(&str, &str, &str)]) -> String {
    let imports: String = all
        .iter()
        .map(|(name, params, _)| {
            format!(
                r#"(import "wasi_snapshot_preview1" "{name}"
                     (func ${name} (param {params}) (result i32)))"#
            )
        })
        .collect();
    let sum: String = all
        .iter()
        .map(|(name, _, args)| {
            format!("(local.set 0 (i32.add (local.get 0) (call ${name} {args})))")
        })
        .collect();
    format!(
        r#"(module {imports}
          (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
          (memory (export "memory") 1) (data (i32.const 8) "new")
          (func (export "_start") (local i32) {sum} (call $exit (local.get 0))))"#
    )
}

const CLOCK: (&str, &str, &str) =
    ("clock_time_get", "i32 i64 i32", "(i32.const 0) (i64.const 0) (i32.const 32)");
const RANDOM: (&str, &str, &str) = ("random_get", "i32 i32", "(i32.const 32) (i32.const 8)");
const RAISE: (&str, &str, &str) = ("proc_raise", "i32", "(i32.const 0)");
/// Creates the file `new`.
const CREATE: (&str, &str, &str) = (
    "path_open",
    "i32 i32 i32 i32 i32 i64 i64 i32 i32",
    "(i32.const 3) (i32.const 0) (i32.const 8) (i32.const 3) (i32.const 1) (i64.const 64)
     (i64.const 0) (i32.const 0) (i32.const 32)",
);

const ROFS: i32 = 69;
const NOTCAPABLE: i32 = 76;

fn folder() -> Dir {
    let dir = Dir::with(&[
        ("hello.wasm", HELLO),
        ("args.wasm", ECHO),
        ("cat.wasm", CAT),
        ("math.wasm", MATH),
        ("input.txt", "outside\n"),
        ("spin.wat", r#"(func (export "_start") (loop (br 0)))"#),
    ]);
    dir.write("starts.wasm", calls(&[CLOCK, RANDOM]));
    dir.write("create.wasm", calls(&[CREATE]));
    dir.write("greedy.wasm", calls(&[CLOCK, RANDOM, RAISE]));
    std::fs::create_dir(dir.path().join("data")).unwrap();
    dir.write("data/input.txt", "inside\n");
    dir
}

#[track_caller]
fn refused(outcome: &Outcome, code: i32, note: &str) {
    assert_eq!(outcome.code, Some(code), "{outcome:?}");
    assert_eq!(outcome.stderr, format!("note: the program was refused {note}\n"));
}

#[test]
fn programs_start_without_flags() {
    let dir = folder();
    line(&dir, "starts.wasm").prints("");
    let words = "things that '--allow-clock' and '--allow-random' allow";
    refused(&line(&dir, "starts.wasm --sandbox"), 2 * NOTCAPABLE, words);
    line(&dir, "starts.wasm --sandbox --allow-clock --allow-random").prints("");
    let words = "something that '--deny-clock' denies";
    refused(&line(&dir, "starts.wasm --deny-clock"), NOTCAPABLE, words);
    refused(&line(&dir, "starts.wasm --allow-all --deny-clock"), NOTCAPABLE, words);
}

#[test]
fn a_directory_is_there_to_be_used() {
    let dir = folder();
    line(&dir, "cat.wasm --dir data input.txt").prints("inside\n");
    line(&dir, "cat.wasm input.txt --dir data").prints("inside\n");
    line(&dir, "cat.wasm --dir data:ro input.txt").prints("inside\n");
    line(&dir, "cat.wasm --dir data --allow-net input.txt").prints("inside\n");
    let made = |words: &str| {
        let outcome = line(&dir, words);
        let new = dir.path().join("data/new");
        let made = new.exists();
        let _ = std::fs::remove_file(new);
        assert_eq!(outcome.code == Some(0), made, "{words}: {outcome:?}");
        outcome
    };
    made("create.wasm --dir data").prints("");
    assert_eq!(made("create.wasm --dir data:ro").code, Some(ROFS));
    let words = "something that '--allow-write' allows";
    refused(&made("create.wasm --dir data --allow-read"), NOTCAPABLE, words);
    refused(&made("create.wasm --dir data --sandbox"), NOTCAPABLE, words);
    let words = "something that '--deny-write' denies";
    refused(&made("create.wasm --dir data --deny-write"), NOTCAPABLE, words);
    let words = "something that '--allow-read' allows";
    refused(&line(&dir, "cat.wasm --sandbox --dir data input.txt"), NOTCAPABLE, words);
}

#[test]
fn a_file_without_a_directory() {
    let dir = folder();
    let outcome = line(&dir, "cat.wasm input.txt");
    assert_ne!(outcome.code, Some(0));
    let note = "note: the program was given no directory; '--dir .' lets it reach 'input.txt'\n";
    assert_eq!(outcome.stderr, note);
    line(&dir, "cat.wasm --dir . input.txt").prints("outside\n");
    // What is not there, or not below, is no reason.
    assert_eq!(line(&dir, "cat.wasm no.txt").stderr, "");
    assert_eq!(line(&dir, "cat.wasm ../input.txt").stderr, "");
}

#[test]
fn all_that_was_refused_is_in_one_note() {
    let dir = folder();
    let words = "things that '--allow-proc' allows and '--deny-random' denies";
    refused(&line(&dir, "greedy.wasm --deny-random"), 2 * NOTCAPABLE, words);
    let words = "things that '--allow-clock', '--allow-random' and '--allow-proc' allow";
    refused(&line(&dir, "greedy.wasm --sandbox"), 3 * NOTCAPABLE, words);
}

#[test]
fn programs_have_options_of_their_own() {
    let dir = folder();
    line(&dir, "args.wasm -quiet x.c -o x.s --std=c11")
        .prints("args.wasm\n-quiet\nx.c\n-o\nx.s\n--std=c11\n");
    line(&dir, "args.wasm --help").prints("args.wasm\n--help\n");
    line(&dir, "run args.wasm -V --version -h").prints("args.wasm\n-V\n--version\n-h\n");
    line(&dir, "args.wasm check --json").prints("args.wasm\ncheck\n--json\n");
    line(&dir, "args.wasm --verbose --env A=b --dir .").prints("args.wasm\n--verbose\nA=b\n");
    line(&dir, "args.wasm --allow-all -- --dir").prints("args.wasm\n--dir\n");
    // The program would run without what was meant.
    line(&dir, "args.wasm --sandbx").fails_saying(1, &["'--sandbox'?", "after '--'"]);
    line(&dir, "--mapdir /::. args.wasm").fails_saying(1, &["'--dir HOST::GUEST'"]);
    line(&dir, "--verbose args.wasm").fails_saying(1, &["behind its file"]);
}

#[test]
fn names_and_variables() {
    let dir = folder();
    line(&dir, "args.wasm --argv0 /bin/tool x").prints("/bin/tool\nx\n");
    let run = |words: &str| {
        zwasm(words.split_whitespace()).dir(dir.path()).env("USER", "bo").env("X", "1").run()
    };
    run("args.wasm --env USER").prints("args.wasm\nUSER=bo\n");
    run("args.wasm --sandbox --env USER --env NONE").prints("args.wasm\nUSER=bo\n");
}

#[test]
fn numbers_have_units() {
    let dir = folder();
    line(&dir, "spin.wat --timeout 0.1s").fails_saying(1, &["the limit is 100 ms"]);
    line(&dir, "spin.wat --timeout 50").fails_saying(1, &["the limit is 50 ms"]);
    line(&dir, "spin.wat --fuel 1e6").fails_saying(1, &["the limit is 1000000,"]);
    line(&dir, "spin.wat --fuel 20k").fails_saying(1, &["the limit is 20000,"]);
    line(&dir, "math.wasm --max-memory 1.5MiB --invoke grow 22").prints("1\n");
    line(&dir, "spin.wat --timeout soon").fails_saying(1, &["milliseconds or a time like 1.5s"]);
}

#[test]
fn functions_called_without_a_word() {
    let dir = folder();
    let message = line(&dir, "math.wasm add 2 3").fails(1).to_owned();
    let expected = "'add' is a function of the module, which is called by '--invoke add 2 3'";
    assert_eq!(message, expected);
    line(&dir, "math.wasm ad 2 3").fails_saying(1, &["to take 'ad'", "did you mean 'add'?"]);
    let none = Dir::with(&[("none.wat", "(module)")]);
    line(&none, "none.wat f").fails_saying(1, &["exports no functions", "'f'"]);
}

#[test]
fn commands_of_other_runtimes() {
    let dir = folder();
    for (words, part) in [
        ("compile hello.wasm", "compiled while it runs"),
        ("compile -o x.cwasm hello.wasm", "compiled while it runs"),
        #[cfg(not(feature = "serve"))]
        ("serve --addr 0.0.0.0:80 hello.wasm", "'--allow-net'"),
        ("explore hello.wasm", "'--dump-jit N'"),
        ("objdump hello.wasm", "'--dump-jit N'"),
        ("info hello.wasm", "'zwasm inspect FILE'"),
        #[cfg(not(feature = "serve"))]
        ("help serve", "there is no command 'serve'"),
    ] {
        line(&dir, words).fails_saying(1, &[part]);
    }
    // A file may have such a name.
    dir.write("compile", HELLO);
    line(&dir, "compile").prints("hello\n");
}

#[test]
fn modules_made_for_somewhere_else() {
    let dir = Dir::new();
    let many = |from: &str, count: usize| -> String {
        (0..count).map(|n| format!(r#"(import "{from}" "f{n}" (func))"#)).collect()
    };
    dir.write("many.wat", many("env", 30) + &many("js", 2));
    let message = line(&dir, "many.wat").fails(1).to_owned();
    let start = "32 unknown imports: 30 of \"env\" (f0, f1, f2, f3, ...), 2 of \"js\" (f0, f1) (";
    assert!(message.starts_with(start), "{message}");
    assert!(message.contains("'--link NAME=FILE'"), "{message}");
    for (import, part) in [
        (r#""wbg" "__wbg_log_1" (func)"#, "made by wasm-bindgen"),
        (r#""gojs" "runtime.ticks" (func)"#, "GOOS=wasip1"),
        (r#""env" "emscripten_memcpy_js" (func)"#, "'-sSTANDALONE_WASM'"),
        (r#""env" "napi_throw" (func)"#, "Node.js"),
        (r#""env" "__memory_base" (global i32)"#, "dynamic library"),
        (r#""env" "abort" (func (param i32 i32 i32 i32))"#, "AssemblyScript"),
    ] {
        dir.write("made.wat", format!("(import {import})"));
        let outcome = line(&dir, "made.wat");
        assert!(outcome.stderr.starts_with("error: unknown import "), "{outcome:?}");
        let note = outcome.stderr.lines().nth(1).unwrap_or_default();
        assert!(note.starts_with("note: ") && note.contains(part), "{outcome:?}");
        assert_eq!((outcome.code, outcome.stderr.lines().count()), (Some(1), 2), "{outcome:?}");
    }
}

#[test]
fn imports_that_nothing_provides() {
    let module = r#"(module
      (import "env" "f" (func $f (param i64) (result i32 funcref)))
      (import "env" "memory" (memory 1))
      (import "env" "table" (table 2 externref))
      (import "env" "base" (global $base f64))
      (import "env" "tag" (tag (param i32)))
      (func (export "quiet") (result i32) (i32.const 7))
      (func (export "call") (result i32 funcref) (call $f (i64.const 1)))
      (func (export "base") (result f64) (global.get $base)))"#;
    let called = r#"(module
      (import "env" "f" (func $f (result i32)))
      (func (export "quiet") (result i32) (i32.const 7))
      (func (export "call") (result i32) (call $f)))"#;
    let user = r#"(module (import "lib" "call" (func $call (result i32)))
      (func (export "call") (result i32) (call $call)))"#;
    let strict = r#"(module (import "env" "f" (func $f (result (ref func)))))"#;
    let dir = Dir::with(&[
        ("all.wat", module),
        ("func.wat", called),
        ("user.wat", user),
        ("strict.wat", strict),
    ]);
    line(&dir, "func.wat --invoke quiet").fails_saying(1, &["'--unknown-imports trap'"]);
    line(&dir, "func.wat --unknown-imports trap --invoke quiet").prints("7\n");
    let message = "trap: the unknown import \"env\".\"f\" was called";
    let outcome = line(&dir, "func.wat --unknown-imports trap --invoke call");
    assert_eq!(outcome.fails(1), message);
    line(&dir, "all.wat --unknown-imports trap --invoke quiet").fails_saying(1, &["memory"]);
    line(&dir, "all.wat --unknown-imports default --invoke call").prints("0\nnull\n");
    line(&dir, "all.wat --unknown-imports=default --invoke base").prints("0\n");
    // Of modules that are linked as well.
    let linked = "user.wat --link lib=func.wat --invoke call --unknown-imports";
    line(&dir, &format!("{linked} default")).prints("0\n");
    assert_eq!(line(&dir, &format!("{linked} trap")).fails(1), message);
    line(&dir, "strict.wat --unknown-imports default").fails_saying(1, &["without a default"]);
    line(&dir, "func.wat --unknown-imports ignore").fails_saying(1, &["trap or default"]);
}

#[test]
fn what_is_in_a_module() {
    let dir = folder();
    let outcome = line(&dir, "inspect cat.wasm");
    for part in [
        "\nexports:\n  memory: memory 2\n",
        "\nsections: ",
        "\n  code: 2 entries, ",
        "\nown memory 0: 128 KB to any size\n",
        "\nfeatures needed: none\n",
    ] {
        assert!(outcome.text().contains(part), "no {part} in {}", outcome.text());
    }
    dir.write(
        "new.wat",
        "(func (result v128) (i32x4.splat (i32.extend8_s (i32.const 1)))) (memory i64 1 2)",
    );
    let text = line(&dir, "inspect new.wat").text();
    assert!(text.contains("\nfeatures needed: sign-extension simd memory64\n"), "{text}");
    assert!(text.contains("\nown memory 0: 64 KB to 128 KB\n"), "{text}");
    let json = line(&dir, "inspect --json new.wat").text();
    let needed = r#""features_needed": ["sign-extension", "simd", "memory64"]"#;
    assert!(json.contains(needed), "{json}");
}

#[cfg(feature = "trace")]
#[test]
fn nothing_is_overwritten() {
    let dir = folder();
    line(&dir, "hello.wasm --profile=p.json").prints("hello\n");
    dir.write("p.json", "mine");
    line(&dir, "hello.wasm --profile=p.json").fails_saying(1, &["'p.json'", "'--overwrite'"]);
    let kept = || std::fs::read_to_string(dir.path().join("p.json")).unwrap();
    assert_eq!(kept(), "mine");
    line(&dir, "hello.wasm --profile=p.json --overwrite").prints("hello\n");
    assert!(kept().starts_with('{'));
}

/// Defaults are the user's: a file in the usual place and variables.
#[test]
fn defaults() {
    let dir = folder();
    std::fs::create_dir_all(dir.path().join("home/.config/zwasm")).unwrap();
    let config = dir.write("home/.config/zwasm/config", "# mine\ntimeout = 0.1s\ndir = data\n");
    // There is no such custom elsewhere.
    let base = if cfg!(windows) { ("APPDATA", "home/.config") } else { ("HOME", "home") };
    let home = |words: &str| {
        let command = zwasm(words.split_whitespace()).dir(dir.path());
        command.env(base.0, dir.path().join(base.1).to_str().unwrap())
    };
    home("spin.wat").run().fails_saying(1, &["the limit is 100 ms"]);
    home("spin.wat --timeout 20ms").run().fails_saying(1, &["the limit is 20 ms"]);
    home("spin.wat").env("ZWASM_TIMEOUT", "30ms").run().fails_saying(1, &["the limit is 30 ms"]);
    home("cat.wasm input.txt").run().prints("inside\n");
    assert_ne!(home("cat.wasm input.txt --no-config").run().code, Some(0));
    assert_ne!(home("cat.wasm input.txt").env("ZWASM_CONFIG", "").run().code, Some(0));
    home("args.wasm").env("ZWASM_ENV", "A=b").run().prints("args.wasm\nA=b\n");
    // A sandbox is made of what stands beside it.
    let sandbox = home("cat.wasm input.txt --sandbox --allow-read").env("ZWASM_DIR", "data");
    assert_ne!(sandbox.run().code, Some(0));
    home("spin.wat --sandbox --fuel 1e15").run().fails_saying(1, &["the limit is 100 ms"]);
    let sandbox = home("starts.wasm").env("ZWASM_SANDBOX", "1").run();
    assert_eq!(sandbox.code, Some(2 * NOTCAPABLE), "{sandbox:?}");
    // A slip in it is told of.
    std::fs::write(&config, "\ntimeot = 1s\n").unwrap();
    home("hello.wasm").run().fails_saying(1, &["line 2", "'--timeot'", "'--timeout'?"]);
    home("hello.wasm").env("ZWASM_CONFIG", "none").run().fails_saying(1, &["'none'"]);
    std::fs::write(dir.path().join("long"), [b'\n'; (1 << 20) + 1]).unwrap();
    home("hello.wasm").env("ZWASM_CONFIG", "long").run().fails_saying(1, &["'long' is larger"]);
    home("hello.wasm").env("ZWASM_FUEL", "x").run().fails(1);
    // A file in the working directory is another's.
    dir.write("config", "allow-all\n");
    std::fs::create_dir(dir.path().join("zwasm")).unwrap();
    dir.write("zwasm/config", "dir = data\n");
    assert_ne!(line(&dir, "cat.wasm input.txt").code, Some(0));
}
