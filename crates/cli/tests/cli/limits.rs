//! What limits a guest: fuel, time, memory, and a sandbox's of each.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{Dir, line, slowness, zwasm};

const GUEST: &str = r#"(module
  (import "wasi_snapshot_preview1" "fd_read"
    (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff"
    (func $poll (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 64) "said\n")
  (func (export "count") (param i32)
    (loop (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
  (func (export "spin") (loop (br 0)))
  (func $recurse (export "recurse") (param i32)
    (if (local.get 0) (then
      (call $recurse (i32.sub (local.get 0) (i32.const 1)))
      (call $recurse (i32.sub (local.get 0) (i32.const 1))))))
  (func (export "grow") (loop (drop (memory.grow (i32.const 1))) (br 0)))
  (func (export "fill")
    (drop (memory.grow (i32.const 16384)))
    (loop (memory.fill (i32.const 0) (i32.const 1) (i32.const 0x40000000)) (br 0)))
  (func (export "read")
    (i32.store (i32.const 0) (i32.const 128))
    (i32.store (i32.const 4) (i32.const 16))
    (loop (drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8))) (br 0)))
  (func (export "sleep")
    (i32.store (i32.const 272) (i32.const 1))
    (i64.store (i32.const 280) (i64.const 60_000_000_000))
    (drop (call $poll (i32.const 256) (i32.const 512) (i32.const 1) (i32.const 8))))
  (func (export "say")
    (i32.store (i32.const 0) (i32.const 64))
    (i32.store (i32.const 4) (i32.const 5))
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
    (loop (br 0)))
  (func (export "pour") (param i32)
    (i32.store (i32.const 0) (i32.const 64))
    (i32.store (i32.const 4) (i32.const 5))
    (loop
      (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
      (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
    (loop (br 0)))
  (func (export "grown") (param i32) (result i32) (memory.grow (local.get 0))))"#;

fn guest() -> Dir {
    Dir::with(&[("guest.wat", GUEST)])
}

#[test]
fn fuel() {
    let dir = guest();
    // Five in each round and one for the call.
    line(&dir, "guest.wat --fuel 501 --invoke count 100").prints("");
    let outcome = line(&dir, "guest.wat --fuel 500 --invoke count 100");
    assert_eq!(outcome.fails(1), "trap: fuel exhausted (the limit is 500, see --fuel)");
    assert!(outcome.stderr.contains("\n  at function "), "{outcome:?}");
    let message = line(&dir, "guest.wat --fuel 1000000 --max-memory 16777216 --invoke spin");
    message.fails_saying(1, &["trap: fuel exhausted"]);
    for engine in ["interp", "auto"] {
        let with = |fuel: u32| {
            let words = format!("guest.wat --engine {engine} --fuel {fuel} --invoke count 100000");
            line(&dir, &words)
        };
        with(500_001).prints("");
        with(500_000).fails_saying(1, &["trap: fuel exhausted (the limit is 500000"]);
    }
}

#[test]
fn a_sandbox_has_fuel_and_memory() {
    let dir = guest();
    line(&dir, "guest.wat --sandbox --invoke count 1000").prints("");
    line(&dir, "guest.wat --sandbox --invoke grown 4096").prints("-1\n");
    line(&dir, "guest.wat --sandbox --invoke grown 4095").prints("1\n");
    line(&dir, "guest.wat --sandbox --max-memory 1M --invoke grown 16").prints("-1\n");
    let outcome = line(&dir, "guest.wat --sandbox --fuel 100 --invoke spin");
    outcome.fails_saying(1, &["fuel exhausted (the limit is 100"]);
}

#[test]
fn the_heap_of_objects() {
    let list = r#"(module (type $l (struct (field (ref null $l))))
      (func (export "list") (local (ref null $l))
        (loop (local.set 0 (struct.new $l (local.get 0))) (br 0))))"#;
    let dir = Dir::with(&[("list.wat", list)]);
    let outcome = line(&dir, "list.wat --max-gc-heap 8M --invoke list");
    // It is no trap, so that no frames follow.
    assert_eq!(outcome.stderr.lines().count(), 1, "{outcome:?}");
    let message = outcome.fails(1);
    assert!(message.starts_with("out of garbage-collected memory: "), "{message}");
    assert!(message.ends_with(" (the limit is 8388608 bytes), see --max-gc-heap"), "{message}");
}

/// What a timeout may be late by, on a machine that does nothing else.
const PROMISE: Duration = Duration::from_millis(100);
/// And on one that does.
const BUSY: Duration = Duration::from_secs(5);

#[test]
fn time() {
    let dir = guest();
    let limit = Duration::from_millis(200);
    for engine in ["interp", "auto"] {
        for call in ["spin", "recurse 40", "grow", "fill", "read", "sleep"] {
            let mut shortest = Duration::MAX;
            // The best of a few is what a machine can do that is not busy otherwise.
            for _ in 0..5 {
                let mut words = vec!["guest.wat", "--allow-clock", "--engine", engine];
                words.extend(["--timeout", "200", "--invoke"].into_iter().chain(call.split(' ')));
                let (time, code, stderr) = timed(&dir, &words);
                assert_eq!(code, Some(1), "{call}: {stderr}");
                let message = "error: trap: interrupted (the limit is 200 ms, see --timeout)\n";
                assert!(stderr.starts_with(message), "{call}: {stderr}");
                assert!(time >= limit && time < limit + BUSY, "{call}: {time:?}");
                shortest = shortest.min(time);
                if shortest < limit + PROMISE * slowness() {
                    break;
                }
            }
            assert!(shortest < limit + PROMISE * slowness(), "{engine} {call}: {shortest:?}");
        }
    }
}

/// Runs the command with a pipe as its input that nobody writes to: how long it took, its
/// exit code, and what it wrote to the standard error.
fn timed(dir: &Dir, words: &[&str]) -> (Duration, Option<i32>, String) {
    let start = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_zwasm"))
        .args(words)
        .current_dir(dir.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary under test starts");
    let _pipe = child.stdin.take();
    let output = child.wait_with_output().expect("it ends");
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    (start.elapsed(), output.status.code(), stderr)
}

/// A module whose function calls another `calls` times, with a thousand operands each
/// time: a few bytes that take long to be validated and translated.
fn wide_calls(calls: usize) -> Vec<u8> {
    fn number(mut value: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        while value >= 0x80 {
            bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        bytes.push(value as u8);
        bytes
    }
    let with_size = |content: Vec<u8>| [number(content.len()), content].concat();
    let section = |id: u8, content: Vec<u8>| [vec![id], with_size(content)].concat();
    let thousand = [number(1000), vec![0x7F; 1000]].concat();
    let gets: Vec<u8> = (0..1000).flat_map(|local| [vec![0x20], number(local)].concat()).collect();
    let wide = with_size([vec![0], gets, vec![0x0B]].concat());
    let (constants, drops) = ([0x41, 1].repeat(1000), vec![0x1A; 1000]);
    let many = [vec![0], constants, [0x10, 0].repeat(calls), drops, vec![0x0B]].concat();
    [
        b"\0asm\x01\0\0\0".to_vec(),
        section(1, [vec![2, 0x60], thousand.clone(), thousand, vec![0x60, 0, 0]].concat()),
        section(3, vec![2, 0, 1]),
        section(7, b"\x01\x03run\0\x01".to_vec()),
        section(10, [vec![2], wide, with_size(many)].concat()),
    ]
    .concat()
}

#[test]
fn time_covers_loading_and_compiling() {
    let dir = Dir::with(&[]);
    std::fs::write(dir.path().join("long.wasm"), wide_calls(3_000_000)).expect("it is written");
    std::fs::write(dir.path().join("short.wasm"), wide_calls(1_000)).expect("it is written");
    let run = |words: &[&str]| {
        let (time, code, stderr) =
            timed(&dir, &[words, &["--timeout", "300", "--invoke", "run"]].concat());
        assert!(time < Duration::from_millis(300) + BUSY, "{words:?}");
        (code, stderr)
    };
    let over = "error: trap: interrupted (the limit is 300 ms, see --timeout)\n";
    for engine in ["interp", "baseline", "auto"] {
        assert_eq!(run(&["long.wasm", "--engine", engine]), (Some(1), over.into()));
    }
    assert_eq!(run(&["-"]), (Some(1), over.into()));
    let linked = ["short.wasm", "--link", "long=long.wasm"];
    assert_eq!(run(&linked), (Some(1), over.into()));
}

#[test]
fn time_that_suffices_changes_nothing() {
    let dir = guest();
    line(&dir, "guest.wat --timeout 60000 --invoke count 1000").prints("");
    line(&dir, "guest.wat --timeout 18446744073709551615 --invoke count 1000").prints("");
}

#[test]
fn what_was_written_before_the_end_is_not_lost() {
    let dir = guest();
    let outcome = zwasm(["guest.wat", "--timeout", "50", "--invoke", "say"]).dir(dir.path()).run();
    outcome.fails_saying(1, &["trap: interrupted"]);
    assert_eq!(outcome.text(), "said\n");
    let timeout = (500 * slowness()).to_string();
    let words = ["guest.wat", "--timeout", &timeout, "--invoke", "pour", "3000"];
    let outcome = zwasm(words).dir(dir.path()).run();
    outcome.fails_saying(1, &["trap: interrupted"]);
    assert_eq!(outcome.text(), "said\n".repeat(3000));
}

#[test]
fn deterministic_results_have_the_same_bits() {
    let wat = r#"(module (func (export "bits") (param f64 f64) (result i64)
        (i64.reinterpret_f64 (f64.mul (local.get 0) (local.get 1)))))"#;
    let dir = Dir::with(&[("guest.wat", wat)]);
    for engine in ["interp", "baseline", "auto"] {
        for operands in ["inf 0", "-nan 1", "nan -nan"] {
            let words = format!("guest.wat --engine {engine} --deterministic --invoke bits");
            line(&dir, &format!("{words} {operands}")).prints("9221120237041090560\n");
        }
        line(&dir, &format!("guest.wat --engine {engine} --invoke bits -nan 1"))
            .prints("-2251799813685248\n");
    }
}

/// Runs a module in a sandbox; its messages, and the most kilobytes of memory it was
/// seen to have.
#[cfg(target_os = "linux")]
fn bomb(text: &str, words: &[&str]) -> (String, u64) {
    let dir = Dir::with(&[("bomb.wat", text)]);
    let child = Command::new(env!("CARGO_BIN_EXE_zwasm"))
        .args(["bomb.wat", "--sandbox"])
        .args(words)
        .current_dir(dir.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary under test starts");
    let status = format!("/proc/{}/status", child.id());
    let waiting = std::thread::spawn(move || child.wait_with_output().expect("it ends"));
    let mut most = 0;
    while !waiting.is_finished() {
        let status = std::fs::read_to_string(&status).unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak = peak.and_then(|peak| peak.trim().strip_suffix(" kB")?.parse().ok());
        most = most.max(peak.unwrap_or(0));
        std::thread::sleep(Duration::from_millis(1));
    }
    let output = waiting.join().expect("nothing panics");
    (String::from_utf8_lossy(&output.stderr).into_owned(), most)
}

#[cfg(target_os = "linux")]
#[test]
fn a_sandbox_has_memory_for_everything_together() {
    const MOST: u64 = 400_000_000 / 1024;
    let start = r#"(func (export "_start") "#;
    let tables = format!("(module {} {start}))", "(table 9999999 funcref)".repeat(30));
    let memories = format!("(module {} {start}))", "(memory 4000)".repeat(30));
    let list =
        "(type $a (array (mut i8))) (type $l (struct (field (ref $a)) (field (ref null $l))))
        (global $g (mut (ref null $l)) (ref.null $l))";
    let objects = format!(
        "(module {list} {start} (loop $l (global.set $g (struct.new $l
           (array.new $a (i32.const 1) (i32.const 16000000)) (global.get $g))) (br $l))))"
    );
    let constant = "(module (type $a (array (mut i8)))
        (global (ref $a) (array.new $a (i32.const 1) (i32.const 0x7fff0000))))";
    for text in [&*tables, &memories, &objects, constant] {
        let (message, most) = bomb(text, &[]);
        assert!(message.contains(" (the limit is 285212672 bytes in all), see --max-total\n"));
        assert!(most < MOST, "{most} kB");
        let (message, _) = bomb(text, &["--max-total", "8M"]);
        assert!(message.contains(" (the limit is 8388608 bytes in all), see --max-total\n"));
    }
    let message = "error: trap: fuel exhausted (the limit is 10, see --fuel)\n";
    assert_eq!(bomb(constant, &["--fuel", "10"]).0, message);

    // What a guest polls takes more in the host than in the guest.
    let poll = r#"(module (import "wasi_snapshot_preview1" "poll_oneoff"
        (func $poll (param i32 i32 i32 i32) (result i32)))
      (memory (export "memory") 4096)
      (func (export "_start") (drop (call $poll
        (i32.const 0) (i32.const 0) (i32.const 5592400) (i32.const 268435000)))))"#;
    let (message, most) = bomb(poll, &["--allow-clock"]);
    let limit =
        "error: the program polls 5592400 subscriptions at once (the fixed limit is 16384)\n";
    assert_eq!(message, limit);
    assert!(most < MOST, "{most} kB");
}

/// Every limit's error says which one it is, how much, and how to have more.
#[test]
fn errors_name_their_limit() {
    let exceptions = r#"(module (tag $e (param i64)) (func (export "f")
      (local $kept exnref) (local $n i32)
      (loop $more
        (block $caught (result exnref)
          (try_table (catch_all_ref $caught) (throw $e (i64.const 1))) unreachable)
        (table.set $t (local.get $n))
        (br_if $more (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1)))
          (i32.const 5000000))))) (table $t 5000000 exnref))"#
        .replace("(block $caught (result exnref)", "(local.get $n) (block $caught (result exnref)")
        .replace("(table.set $t (local.get $n))", "(table.set $t)");
    let dir = Dir::with(&[
        ("guest.wat", GUEST),
        ("memory.wat", "(memory 4097)"),
        ("memory64.wat", "(memory i64 4097)"),
        ("table.wat", "(table 10000001 funcref)"),
        ("exceptions.wat", &exceptions),
    ]);
    for (words, message) in [
        (
            "guest.wat --max-stack 64K --invoke recurse 1000000",
            "trap: call stack exhausted (the limit is 65536 bytes, see --max-stack)",
        ),
        (
            "guest.wat --invoke recurse 100000000",
            "trap: call stack exhausted (the limit is 16777216 bytes, see --max-stack)",
        ),
        (
            "memory.wat --sandbox",
            "cannot allocate a memory of 4097 x 65536 bytes (the limit is 268435456 bytes), \
             see --max-memory",
        ),
        (
            "memory64.wat --max-memory 64K",
            "cannot allocate a memory of 4097 x 65536 bytes (the limit is 65536 bytes), \
             see --max-memory",
        ),
        (
            "memory.wat --max-total 1M",
            "no room for a memory of 268500992 bytes (the limit is 1048576 bytes in all), \
             see --max-total",
        ),
        ("table.wat", "cannot allocate a table of 10000001 elements (the limit is 10000000)"),
        (
            "exceptions.wat --invoke f",
            "too many exceptions in use (the fixed limit is 268435456 bytes)",
        ),
    ] {
        assert_eq!(line(&dir, words).fails(1), message, "{words}");
    }
    let exceptions = line(&dir, "exceptions.wat --sandbox --fuel 10000000000 --invoke f");
    exceptions.fails_saying(1, &["exceptions", " bytes in all), see --max-total"]);
    // In a batch as well, and the batch goes on.
    let batch = zwasm(["guest.wat", "--batch", "--max-stack", "64K"]).dir(dir.path());
    let batch = batch.stdin("recurse 1000000\ncount 1\n").run();
    assert_eq!(batch.code, Some(1));
    let message = "error: line 1: trap: call stack exhausted (the limit is 65536 bytes, see";
    assert!(batch.stderr.starts_with(message), "{batch:?}");
}

/// What only an error number told the guest is told whoever runs it, once.
#[test]
fn refusals_are_told_when_the_guest_fails() {
    let grower = r#"(module (memory 1) (table $t 1 funcref)
      (func (export "memory") (param i32)
        (loop (br_if 0 (i32.ge_s (memory.grow (local.get 0)) (i32.const 0)))) unreachable)
      (func (export "forgiving") (drop (memory.grow (i32.const 5000))))
      (memory $bounded 1 4096)
      (func (export "bounded") (drop (memory.grow $bounded (i32.const 4096))) unreachable)
      (func (export "own") (drop (memory.grow (i32.const 65536))) unreachable)
      (func (export "table")
        (drop (table.grow $t (ref.null func) (i32.const 20000000))) unreachable))"#;
    let dir = Dir::with(&[("grower.wat", grower)]);
    let note = |words: &str| {
        let outcome = line(&dir, &format!("grower.wat {words}"));
        assert_eq!(outcome.code, Some(1), "{outcome:?}");
        assert!(outcome.stderr.starts_with("error: trap: unreachable\n"), "{outcome:?}");
        let notes = outcome.stderr.lines().filter_map(|line| line.strip_prefix("note: "));
        notes.map(str::to_owned).collect::<Vec<_>>()
    };
    let refused = "the program was refused something: cannot grow a memory to ";
    assert_eq!(
        note("--sandbox --invoke memory 5000"),
        [format!("{refused}327745536 bytes (the limit is 268435456 bytes), see --max-memory")]
    );
    assert_eq!(
        note("--max-memory 1M --invoke memory 5"),
        [format!("{refused}1376256 bytes (the limit is 1048576 bytes), see --max-memory")]
    );
    let all = note("--max-total 1M --invoke memory 1");
    let message = "no room for a memory of 65536 bytes (the limit is 1048576 bytes in all)";
    assert_eq!(all, [format!("the program was refused something: {message}, see --max-total")]);
    let table = note("--invoke table");
    assert!(table[0].ends_with("to 20000001 elements (the limit is 10000000 elements)"));
    // What no limit of the command forbids is the program's own affair.
    assert!(note("--invoke own").is_empty());
    assert!(note("--sandbox --invoke bounded").is_empty());
    line(&dir, "grower.wat --sandbox --invoke forgiving").prints("");
}
