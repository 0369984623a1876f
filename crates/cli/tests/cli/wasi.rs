//! What the command lets a WASI program do, and what it tells about the rest.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};

use crate::guests::CAT;
use crate::support::{Dir, line, zwasm};

/// Makes one call and exits with what it answers.
fn program(import: &str, params: &str, call: &str) -> String {
    format!(
        r#"(module
          (import "wasi_snapshot_preview1" "{import}" (func $call (param {params}) (result i32)))
          (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
          (memory (export "memory") 1)
          (data (i32.const 8) "file" "\00\00\00\00" "new")
          (func (export "_start") (call $exit (call $call {call}))))"#
    )
}

const NOTCAPABLE: i32 = 76;

/// `path_open` of the name at 8 or 16 with open flags and rights.
fn open(name: u32, len: u32, flags: u32, rights: u64) -> String {
    program(
        "path_open",
        "i32 i32 i32 i32 i32 i64 i64 i32 i32",
        &format!(
            "(i32.const 3) (i32.const 0) (i32.const {name}) (i32.const {len}) (i32.const {flags})
             (i64.const {rights}) (i64.const 0) (i32.const 0) (i32.const 32)"
        ),
    )
}

#[test]
fn each_flag_allows_its_own() {
    let dir = Dir::with(&[("file", "x")]);
    dir.write("read.wat", open(8, 4, 0, 2));
    dir.write("write.wat", open(16, 3, 1, 64));
    let path = "(i32.const 3) (i32.const 16) (i32.const 3)";
    dir.write("path.wat", program("path_create_directory", "i32 i32 i32", path));
    let clock = "(i32.const 0) (i64.const 0) (i32.const 32)";
    dir.write("clock.wat", program("clock_time_get", "i32 i64 i32", clock));
    dir.write("random.wat", program("random_get", "i32 i32", "(i32.const 32) (i32.const 8)"));
    dir.write("proc.wat", program("proc_raise", "i32", "(i32.const 0)"));
    for name in ["read", "write", "path", "clock", "random", "proc"] {
        let others = ["read", "write", "path", "env", "clock", "random", "proc", "net"]
            .iter()
            .filter(|other| **other != name)
            .map(|other| format!(" --allow-{other}"))
            .collect::<String>();
        let refused = |flags: &str, by: &str| {
            let outcome = line(&dir, &format!("{name}.wat --dir .{flags}"));
            assert_eq!(outcome.code, Some(NOTCAPABLE), "{name}{flags}: {outcome:?}");
            let note = format!("note: the program was refused something that '--{by}\n");
            assert_eq!(outcome.stderr, note);
        };
        let allows = format!("allow-{name}' allows");
        refused(" --sandbox", &allows);
        refused(&format!(" --allow-all --deny-{name}"), &format!("deny-{name}' denies"));
        match name {
            // These need no flag.
            "clock" | "random" => line(&dir, &format!("{name}.wat")).prints(""),
            // A flag says what a directory is for.
            "read" | "write" | "path" => refused(&others, &allows),
            _ => {
                refused("", &allows);
                refused(&others, &allows);
            }
        }
        assert!(!dir.path().join("new").exists());
        let alone = format!("--allow-{name}");
        for flags in [&alone, &format!("--sandbox {alone}"), "--allow-all"] {
            line(&dir, &format!("{name}.wat --dir . {flags}")).prints("");
            let new = dir.path().join("new");
            let _ = std::fs::remove_file(&new).or_else(|_| std::fs::remove_dir(&new));
        }
    }
}

#[test]
fn a_directory_can_be_kept_as_it_is() {
    const ROFS: i32 = 69;
    let dir = Dir::with(&[("file", "x")]);
    dir.write("read.wat", open(8, 4, 0, 2));
    dir.write("write.wat", open(16, 3, 1, 64));
    for words in ["--dir .:ro", "--dir .::/:ro"] {
        line(&dir, &format!("read.wat --allow-all {words}")).prints("");
        let outcome = line(&dir, &format!("write.wat --allow-all {words}"));
        assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(ROFS), ""), "{words}");
    }
    assert!(!dir.path().join("new").exists());
}

#[test]
fn nothing_is_said_of_refusals_that_did_no_harm() {
    let dir = Dir::new();
    let mut text = program("random_get", "i32 i32", "(i32.const 32) (i32.const 8)");
    text = text.replace("(call $exit (call", "(drop (call");
    dir.write("tolerant.wat", &text);
    line(&dir, "tolerant.wat --deny-random").prints("");
    dir.write("trap.wat", text.replace("(drop (call $call", "unreachable (drop (call $call"));
    assert_eq!(line(&dir, "trap.wat --sandbox").fails(1), "trap: unreachable");
    let trap = text.replace("(i32.const 8))))", "(i32.const 8))) unreachable)");
    dir.write("refused.wat", &trap);
    let outcome = line(&dir, "refused.wat --sandbox");
    assert!(outcome.stderr.starts_with("error: trap: unreachable\n  at"), "{outcome:?}");
    assert!(outcome.stderr.ends_with("'--allow-random' allows\n"), "{outcome:?}");
}

#[test]
fn calls_are_traced() {
    let dir = Dir::new();
    dir.write("a.wat", program("random_get", "i32 i32", "(i32.const 32) (i32.const 8)"));
    let outcome = line(&dir, "a.wat --trace=wasi --deny-random");
    let note = "note: the program was refused something that '--deny-random' denies";
    let expected = format!(
        "[wasi] random_get(32, 8) = NOTCAPABLE\n[wasi] proc_exit(76) = exited with code 76\n{note}\n"
    );
    assert_eq!(outcome.stderr, expected);
    let outcome = line(&dir, "a.wat --trace wasi");
    assert!(outcome.stderr.starts_with("[wasi] random_get(32, 8) = SUCCESS\n"), "{outcome:?}");
    line(&dir, "a.wat --trace regexp").fails_saying(1, &["--trace", "'regexp'"]);
}

#[test]
fn a_sandbox_has_little_memory() {
    let dir = Dir::with(&[(
        "grow.wat",
        r#"(memory 1) (func (export "grow") (param i32) (result i32)
            (memory.grow (local.get 0)))"#,
    )]);
    line(&dir, "grow.wat --sandbox --invoke grow 4095").prints("1\n");
    line(&dir, "grow.wat --sandbox --invoke grow 4096").prints("-1\n");
    line(&dir, "grow.wat --sandbox --max-memory 1G --invoke grow 4096").prints("1\n");
}

#[test]
fn connections_are_accepted() {
    let text = r#"(module
      (import "wasi_snapshot_preview1" "sock_accept"
        (func $accept (param i32 i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "fd_read"
        (func $read (param i32 i32 i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "fd_write"
        (func $write (param i32 i32 i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
      (memory (export "memory") 1)
      (data (i32.const 0) "\40\00\00\00\40\00\00\00")
      (func $must (param i32) (if (local.get 0) (then (call $exit (local.get 0)))))
      (func (export "_start")
        (call $must (call $accept (i32.const 3) (i32.const 0) (i32.const 16)))
        (call $must (call $read (i32.load (i32.const 16)) (i32.const 0) (i32.const 1)
          (i32.const 4)))
        (call $must (call $write (i32.load (i32.const 16)) (i32.const 0) (i32.const 1)
          (i32.const 20)))))"#;
    let dir = Dir::new();
    let file = dir.write("server.wat", text);
    let mut server = Command::new(env!("CARGO_BIN_EXE_zwasm"))
        .arg(file)
        .args(["--listen", "127.0.0.1:0", "--allow-net"])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut note = String::new();
    BufReader::new(server.stderr.take().unwrap()).read_line(&mut note).unwrap();
    let address = note.trim().strip_prefix("note: listening on ").expect(&note);
    let mut client = TcpStream::connect(address).unwrap();
    client.write_all(b"echo").unwrap();
    let mut answer = [0; 4];
    client.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"echo");
    assert_eq!(server.wait().unwrap().code(), Some(0));
    line(&dir, "server.wat --listen nowhere --allow-net").fails_saying(1, &["'nowhere'"]);
    let outcome = line(&dir, "server.wat --listen 127.0.0.1:0");
    assert_eq!(outcome.code, Some(NOTCAPABLE));
    assert!(outcome.stderr.ends_with("'--allow-net' allows\n"), "{outcome:?}");
}

#[test]
fn output_that_nobody_takes_is_an_error_number() {
    const NOSPC: i32 = 51;
    const PIPE: i32 = 64;
    let write = "(i32.const 1) (i32.const 64) (i32.const 1) (i32.const 32)";
    let text = program("fd_write", "i32 i32 i32 i32", write)
        .replace("(memory", "(data (i32.const 64) \"\\08\\00\\00\\00\\04\") (memory");
    let dir = Dir::new();
    let file = dir.write("a.wat", text);
    let full = std::fs::File::options().write(true).open("/dev/full");
    // Not every system has this device.
    assert!(full.is_ok() || !cfg!(target_os = "linux"), "{full:?}");
    if let Ok(full) = full {
        assert_eq!(zwasm([&file]).stdout(full).run().code, Some(NOSPC));
    }
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = Command::new(env!("CARGO_BIN_EXE_zwasm"));
    let status = command.arg(&file).stdout(writer).status().unwrap();
    // A signal would leave no code.
    assert_eq!(status.code(), Some(PIPE));
}

#[test]
fn a_thread_ends_the_program() {
    let text = |thread: &str| {
        format!(
            r#"(module
              (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32)))
              (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
              (memory (export "memory") (import "env" "memory") 1 1 shared)
              (func (export "wasi_thread_start") (param i32 i32) {thread})
              (func (export "_start")
                (if (i32.lt_s (call $spawn (i32.const 0)) (i32.const 0)) (then (call $exit
                  (i32.const 5))))
                (loop (br 0))))"#
        )
    };
    let dir = Dir::new();
    dir.write("exit.wasm", text("(call $exit (i32.const 42))"));
    dir.write("trap.wasm", text("unreachable"));
    assert_eq!(line(&dir, "exit.wasm --allow-proc").code, Some(42));
    assert_eq!(line(&dir, "trap.wasm --allow-proc").fails(1), "trap: unreachable");
    let refused = line(&dir, "exit.wasm");
    assert_eq!(refused.code, Some(5));
    assert!(refused.stderr.ends_with("'--allow-proc' allows\n"), "{refused:?}");
}

/// Other commands divide a directory's two names by one colon.
#[test]
fn a_directory_with_one_colon() {
    let dir = Dir::with(&[("cat.wat", CAT)]);
    std::fs::create_dir(dir.path().join("data")).unwrap();
    std::fs::write(dir.path().join("data/input.txt"), "inside\n").unwrap();
    for (given, meant) in [("data:/", "data::/"), ("./data:/d:ro", "./data::/d:ro")] {
        let outcome = line(&dir, &format!("cat.wat --allow-all --dir {given} input.txt"));
        outcome.fails_saying(1, &["(os error ", &format!("did you mean '{meant}'?")]);
        let outcome = line(&dir, &format!("cat.wat --allow-all --dir {meant} input.txt"));
        outcome.prints("inside\n");
    }
    let missing = line(&dir, "cat.wat --dir missing::/");
    assert!(!missing.fails(1).contains("did you mean"), "{missing:?}");
    // A colon may be part of a name.
    std::fs::create_dir(dir.path().join("a:b")).unwrap();
    std::fs::write(dir.path().join("a:b/input.txt"), "colon\n").unwrap();
    line(&dir, "cat.wat --allow-all --dir a:b input.txt").prints("colon\n");
}

/// Functions of WASI work on a memory that the module has to export.
#[test]
fn a_module_that_exports_no_memory() {
    let message = "trap: missing required memory export: 'fd_write' works on the memory that the \
                   calling module exports as 'memory', and this one exports none";
    for memory in ["", "(memory 1)", "(memory (export \"mem\") 1)", "(func (export \"memory\"))"] {
        let module = format!(
            r#"(module
              (import "wasi_snapshot_preview1" "fd_write"
                (func $write (param i32 i32 i32 i32) (result i32)))
              (import "wasi_snapshot_preview1" "random_get"
                (func $random (param i32 i32) (result i32)))
              (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
              (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
              {memory}
              (func (export "_start")
                (drop (call $write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 0))))
              (func (export "random") (drop (call $random (i32.const 0) (i32.const 8))))
              (func (export "yield") (result i32) (call $yield))
              (func (export "exit") (call $exit (i32.const 7))))"#
        );
        let dir = Dir::with(&[("m.wat", &module)]);
        for engine in ["interp", "baseline", "auto"] {
            let outcome = line(&dir, &format!("m.wat --engine {engine}"));
            assert_eq!(outcome.fails(1), message);
            assert!(outcome.stderr.contains("\n  at function "), "{outcome:?}");
        }
        line(&dir, "m.wat --allow-all --invoke random")
            .fails_saying(1, &["missing required memory export: 'random_get'"]);
        // What needs no memory works without.
        line(&dir, "m.wat --invoke yield").prints("0\n");
        assert_eq!(line(&dir, "m.wat --invoke exit").code, Some(7));
        let batch = zwasm(["m.wat", "--batch"]).dir(dir.path()).stdin("_start\nyield\n").run();
        assert_eq!((batch.code, batch.text().as_str()), (Some(1), "0\n"));
        assert!(batch.stderr.contains("line 1: trap: missing required memory"), "{batch:?}");
    }
}

/// A program that opens files without end learns an error number; whoever runs it,
/// which limit that was.
#[cfg(unix)]
#[test]
fn files_without_end() {
    let opener = r#"(module
      (import "wasi_snapshot_preview1" "path_open"
        (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
      (memory (export "memory") 1) (data (i32.const 8) ".")
      (func (export "_start") (local $errno i32)
        (loop $again (br_if $again (i32.eqz (local.tee $errno (call $open
          (i32.const 3) (i32.const 0) (i32.const 8) (i32.const 1) (i32.const 0)
          (i64.const 0) (i64.const 0) (i32.const 0) (i32.const 0))))))
        (call $exit (local.get $errno))))"#;
    const MFILE: i32 = 33;
    let dir = Dir::with(&[("opener.wat", opener)]);
    let run = |descriptors: u32| {
        let zwasm = env!("CARGO_BIN_EXE_zwasm");
        let line =
            format!("ulimit -n {descriptors} && exec {zwasm} opener.wat --allow-all --dir .");
        Command::new("sh").args(["-c", &line]).current_dir(dir.path()).output().unwrap()
    };
    let few = run(64);
    let stderr = String::from_utf8_lossy(&few.stderr).into_owned();
    assert_eq!(few.status.code(), Some(MFILE), "{stderr}");
    let system = "the system lets this process have (see 'ulimit -n')";
    assert_eq!(stderr, format!("note: the program was refused more open files than {system}\n"));
    // Where the system allows so many.
    let many = run(20000);
    if many.status.code() == Some(MFILE) {
        let stderr = String::from_utf8_lossy(&many.stderr).into_owned();
        assert_eq!(stderr, "note: the program was refused more than 16384 open descriptors\n");
    }
}
