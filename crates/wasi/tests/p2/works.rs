//! What works, over all of the interfaces.

use std::fs;
use std::io::{Cursor, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use zwasm::ErrorKind;
use zwasm_wasi::{Capabilities, I32Exit, MemoryPipe, WasiCtx, WasiCtxBuilder};

use super::guest::Answer::{Any, Code, Fine, Is};
use super::guest::Arg::{Dir, I, L, List, Of, S};
use super::guest::{Call, Guest, bytes, differences, program, result};

/// Makes calls that are all answered as expected, and returns the guest's memory.
fn run(builder: &mut WasiCtxBuilder, calls: &[Call]) -> Vec<u8> {
    let mut guest = Guest::new(builder, &program(calls, "0.2.12"));
    guest.attack().unwrap();
    let contents = guest.contents();
    assert_eq!(differences(&contents, calls), Vec::<String>::new());
    contents
}

fn number(contents: &[u8], call: usize, offset: usize) -> u64 {
    u64::from_le_bytes(result(contents, call)[offset..offset + 8].try_into().unwrap())
}

fn word(contents: &[u8], at: usize) -> usize {
    u32::from_le_bytes(contents[at..at + 4].try_into().unwrap()) as usize
}

/// The strings of a list that is the result of a call, `each` of them in every element.
fn strings(contents: &[u8], call: usize, each: usize) -> Vec<String> {
    let list = bytes_of_elements(contents, call, 8 * each);
    list.into_iter()
        .flat_map(|at| (0..each).map(move |part| at + 8 * part))
        .map(|at| {
            let text = &contents[word(contents, at)..][..word(contents, at + 4)];
            String::from_utf8(text.to_vec()).unwrap()
        })
        .collect()
}

/// Where the elements of a list lie that is the result of a call.
fn bytes_of_elements(contents: &[u8], call: usize, size: usize) -> Vec<usize> {
    let result = result(contents, call);
    (0..word(result, 4)).map(|index| word(result, 0) + size * index).collect()
}

/// A directory that is gone when the test is over.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Scratch {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("zwasm-p2-{}-{count}", std::process::id()));
        fs::create_dir(&path).unwrap();
        Scratch(path)
    }

    fn builder(&self) -> WasiCtxBuilder {
        let mut builder = WasiCtx::builder();
        builder.caps(Capabilities::ALL).preopen_dir(&self.0, "/").unwrap();
        builder
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const DIRS: Call = ("get-directories", &[], &[Any]);

#[test]
fn components_of_all_versions_find_their_imports() {
    for version in ["0.2.0", "0.2.1", "0.2.3", "0.2.9", "0.2.12"] {
        Guest::new(&mut WasiCtx::builder(), &program(&[], version)).attack().unwrap();
    }
}

#[test]
fn arguments_and_environment() {
    let mut builder = WasiCtx::builder();
    builder.arg("program").arg("one two").arg("").arg(b"\xff").env("A", "1=2").env("EMPTY", "");
    let contents = run(
        &mut builder,
        &[
            ("get-arguments", &[], &[Any]),
            ("get-environment", &[], &[Any]),
            ("initial-cwd", &[], &[Is(0)]),
            ("get-terminal-stdin", &[], &[Is(0)]),
            ("get-terminal-stdout", &[], &[Is(0)]),
            ("get-terminal-stderr", &[], &[Is(0)]),
        ],
    );
    assert_eq!(strings(&contents, 0, 1), ["program", "one two", "", "\u{fffd}"]);
    assert_eq!(strings(&contents, 1, 2), ["A", "1=2", "EMPTY", ""]);
}

#[test]
fn ending() {
    for (call, code) in [
        (("exit", &[I(0)][..], &[][..]), 0),
        (("exit", &[I(1)], &[]), 1),
        (("exit-with-code", &[I(0)], &[]), 0),
        (("exit-with-code", &[I(77)], &[]), 77),
    ] {
        let mut guest = Guest::new(&mut WasiCtx::builder(), &program(&[call], "0.2.12"));
        let error = guest.attack().unwrap_err();
        assert_eq!(error.downcast_ref::<I32Exit>(), Some(&I32Exit(code)));
    }
}

#[test]
fn output() {
    let (out, err) = (MemoryPipe::new(), MemoryPipe::new());
    let mut builder = WasiCtx::builder();
    builder.stdout(Box::new(out.clone())).stderr(Box::new(err.clone()));
    run(
        &mut builder,
        &[
            ("get-stdout", &[], &[Any]),
            ("get-stderr", &[], &[Any]),
            ("check-write", &[Of(0)], &[Fine]),
            ("output-stream.write", &[Of(0), S("a")], &[Fine]),
            ("output-stream.flush", &[Of(0)], &[Fine]),
            ("blocking-flush", &[Of(0)], &[Fine]),
            ("blocking-write-and-flush", &[Of(1), S("to err")], &[Fine]),
            ("write-zeroes", &[Of(0), L(2)], &[Fine]),
            ("blocking-write-zeroes-and-flush", &[Of(0), L(3)], &[Fine]),
            ("output-stream.subscribe", &[Of(0)], &[Any]),
            ("pollable.ready", &[Of(9)], &[Is(1)]),
            ("pollable.block", &[Of(9)], &[Any]),
            ("pollable_drop", &[Of(9)], &[Any]),
            ("output-stream_drop", &[Of(0)], &[Any]),
            // Each time it is another stream, to the same place.
            ("get-stdout", &[], &[Any]),
            ("output-stream.write", &[Of(14), S("b")], &[Fine]),
        ],
    );
    assert_eq!(out.contents(), b"a\0\0\0\0\0b");
    assert_eq!(err.contents(), b"to err");
}

#[test]
fn input() {
    let mut builder = WasiCtx::builder();
    builder.stdin(Box::new(Cursor::new(b"some words, and more")));
    let calls: &[Call] = &[
        ("get-stdin", &[], &[Any]),
        ("input-stream.subscribe", &[Of(0)], &[Any]),
        ("pollable.ready", &[Of(1)], &[Is(1)]),
        ("input-stream.read", &[Of(0), L(0)], &[Fine]),
        ("input-stream.read", &[Of(0), L(4)], &[Fine]),
        ("skip", &[Of(0), L(1)], &[Fine]),
        ("input-stream.blocking-read", &[Of(0), L(6)], &[Fine]),
        ("blocking-skip", &[Of(0), L(5)], &[Fine]),
        ("input-stream.read", &[Of(0), L(1 << 40)], &[Fine]),
        ("input-stream.read", &[Of(0), L(1)], &[Code(1)]),
        ("input-stream.blocking-read", &[Of(0), L(0)], &[Code(1)]),
        ("skip", &[Of(0), L(1)], &[Code(1)]),
    ];
    let contents = run(&mut builder, calls);
    assert_eq!(bytes(&contents, 4, 4), b"some");
    assert_eq!(number(&contents, 5, 8), 1);
    assert_eq!(bytes(&contents, 6, 4), b"words,");
    assert_eq!(number(&contents, 7, 8), 5);
    assert_eq!(bytes(&contents, 8, 4), b"more");
}

#[test]
fn files() {
    let scratch = Scratch::new();
    const CREATE: u32 = 1;
    const READ_WRITE: u32 = 3;
    let calls: &[Call] = &[
        DIRS,
        ("open-at", &[Dir(0), I(0), S("f"), I(CREATE), I(READ_WRITE)], &[Fine]),
        ("descriptor.write", &[Of(1), S("0123456789"), L(0)], &[Fine]),
        ("descriptor.write", &[Of(1), S("xy"), L(3)], &[Fine]),
        ("descriptor.read", &[Of(1), L(100), L(2)], &[Fine]),
        ("descriptor.read", &[Of(1), L(100), L(10)], &[Fine]),
        ("set-size", &[Of(1), L(8)], &[Fine]),
        ("descriptor.stat", &[Of(1)], &[Fine]),
        ("set-times", &[Of(1), I(2), L(7), I(5), I(2), L(9), I(1_000_000_001)], &[Fine]),
        ("stat-at", &[Dir(0), I(0), S("f")], &[Fine]),
        ("append-via-stream", &[Of(1)], &[Fine]),
        ("output-stream.write", &[Of(10), S("end")], &[Fine]),
        ("descriptor.write", &[Of(1), S("!"), L(0)], &[Fine]),
        ("output-stream.write", &[Of(10), S(".")], &[Fine]),
        ("write-via-stream", &[Of(1), L(1)], &[Fine]),
        ("blocking-write-and-flush", &[Of(14), S("A")], &[Fine]),
        ("blocking-write-and-flush", &[Of(14), S("B")], &[Fine]),
        ("read-via-stream", &[Of(1), L(0)], &[Fine]),
        ("input-stream.blocking-read", &[Of(17), L(5)], &[Fine]),
        ("input-stream.read", &[Of(17), L(100)], &[Fine]),
        ("input-stream.read", &[Of(17), L(100)], &[Code(1)]),
        ("advise", &[Of(1), L(0), L(0), I(1)], &[Fine]),
        ("descriptor.sync", &[Of(1)], &[Fine]),
        ("sync-data", &[Of(1)], &[Fine]),
        ("descriptor.sync", &[Dir(0)], &[Fine]),
        ("get-flags", &[Of(1)], &[Fine]),
        ("get-type", &[Of(1)], &[Fine]),
        ("get-flags", &[Dir(0)], &[Fine]),
        ("get-type", &[Dir(0)], &[Fine]),
    ];
    let contents = run(&mut scratch.builder(), calls);
    assert_eq!(number(&contents, 2, 8), 10);
    assert_eq!(bytes(&contents, 4, 4), b"2xy56789");
    assert_eq!((bytes(&contents, 5, 4), result(&contents, 5)[12]), (&b""[..], 1));
    // A regular file with one name and eight bytes.
    assert_eq!(result(&contents, 7)[8], 6);
    assert_eq!((number(&contents, 7, 16), number(&contents, 7, 24)), (1, 8));
    let times = |call: usize| {
        [32, 56]
            .map(|at| (number(&contents, call, at + 8), number(&contents, call, at + 16) as u32))
    };
    assert_eq!(times(9), [(7, 5), (10, 1)]);
    assert_eq!(bytes(&contents, 18, 4), b"!ABxy");
    assert_eq!(bytes(&contents, 19, 4), b"567end.");
    assert_eq!(fs::read(scratch.0.join("f")).unwrap(), b"!ABxy567end.");
    assert_eq!((result(&contents, 25)[1], result(&contents, 26)[1]), (READ_WRITE as u8, 6));
    assert_eq!((result(&contents, 27)[1], result(&contents, 28)[1]), (1 | 32, 3));
}

#[test]
fn directories() {
    let scratch = Scratch::new();
    for number in 0..40 {
        fs::write(scratch.0.join(format!("file-{number:02}")), "").unwrap();
    }
    let mut calls: Vec<Call> = vec![
        DIRS,
        ("create-directory-at", &[Dir(0), S("d")], &[Fine]),
        ("open-at", &[Dir(0), I(1), S("d"), I(2), I(1)], &[Fine]),
        ("open-at", &[Of(2), I(1), S("x"), I(1), I(2)], &[Fine]),
        ("rename-at", &[Of(2), S("x"), Dir(0), S("moved")], &[Fine]),
        ("link-at", &[Dir(0), I(0), S("moved"), Of(2), S("second")], &[Fine]),
        ("open-at", &[Of(2), I(1), S("second"), I(0), I(1)], &[Fine]),
        ("is-same-object", &[Of(3), Of(6)], &[Is(1)]),
        ("is-same-object", &[Of(3), Of(2)], &[Is(0)]),
        ("metadata-hash", &[Of(3)], &[Fine]),
        ("metadata-hash-at", &[Dir(0), I(0), S("d/second")], &[Fine]),
        ("metadata-hash-at", &[Dir(0), I(0), S("file-01")], &[Fine]),
        ("remove-directory-at", &[Dir(0), S("d")], &[Code(25)]),
        ("unlink-file-at", &[Of(2), S("second")], &[Fine]),
        ("remove-directory-at", &[Dir(0), S("d")], &[Fine]),
        ("unlink-file-at", &[Dir(0), S("moved")], &[Fine]),
        ("read-directory", &[Dir(0)], &[Fine]),
        ("read-directory", &[Dir(0)], &[Fine]),
        ("read-directory-entry", &[Of(17)], &[Fine]),
        ("directory-entry-stream_drop", &[Of(17)], &[Any]),
    ];
    let first = calls.len();
    calls.extend([("read-directory-entry", &[Of(16)][..], &[Fine][..]); 42]);
    let contents = run(&mut scratch.builder(), &calls);
    let hash = |call| [number(&contents, call, 8), number(&contents, call, 16)];
    assert_eq!(hash(9), hash(10));
    assert_ne!(hash(9), hash(11));
    assert_ne!(hash(9)[0], hash(9)[1]);
    let mut names = Vec::new();
    for call in first..calls.len() {
        // The option, the entry's type, its name.
        if result(&contents, call)[4] == 1 {
            assert_eq!(result(&contents, call)[8], 6);
            names.push(String::from_utf8(bytes(&contents, call, 12).to_vec()).unwrap());
        }
    }
    names.sort();
    let expected: Vec<_> = (0..40).map(|number| format!("file-{number:02}")).collect();
    assert_eq!(names, expected);
}

#[cfg(unix)]
#[test]
fn symbolic_links() {
    let scratch = Scratch::new();
    fs::write(scratch.0.join("f"), "four").unwrap();
    let contents = run(
        &mut scratch.builder(),
        &[
            DIRS,
            ("symlink-at", &[Dir(0), S("f"), S("l")], &[Fine]),
            ("readlink-at", &[Dir(0), S("l")], &[Fine]),
            ("stat-at", &[Dir(0), I(1), S("l")], &[Fine]),
            ("stat-at", &[Dir(0), I(0), S("l")], &[Fine]),
            ("readlink-at", &[Dir(0), S("f")], &[Code(12)]),
            ("set-times-at", &[Dir(0), I(1), S("l"), I(2), L(3), I(0), I(0), L(0), I(0)], &[Fine]),
            ("stat-at", &[Dir(0), I(0), S("f")], &[Fine]),
        ],
    );
    assert_eq!(bytes(&contents, 2, 4), b"f");
    assert_eq!((result(&contents, 3)[8], number(&contents, 3, 24)), (6, 4));
    assert_eq!((result(&contents, 4)[8], number(&contents, 4, 24)), (5, 1));
    assert_eq!(number(&contents, 7, 40), 3);
}

#[test]
fn splicing() {
    let scratch = Scratch::new();
    fs::write(scratch.0.join("f"), "0123456789").unwrap();
    let out = MemoryPipe::new();
    let contents = run(
        scratch.builder().stdout(Box::new(out.clone())),
        &[
            DIRS,
            ("open-at", &[Dir(0), I(0), S("f"), I(0), I(1)], &[Fine]),
            ("read-via-stream", &[Of(1), L(2)], &[Fine]),
            ("get-stdout", &[], &[Any]),
            ("output-stream.splice", &[Of(3), Of(2), L(3)], &[Fine]),
            ("blocking-splice", &[Of(3), Of(2), L(u64::MAX)], &[Fine]),
            ("output-stream.splice", &[Of(3), Of(2), L(1)], &[Code(1)]),
            ("output-stream.splice", &[Of(3), Of(2), L(0)], &[Fine]),
        ],
    );
    assert_eq!(out.contents(), b"23456789");
    assert_eq!((number(&contents, 4, 8), number(&contents, 5, 8)), (3, 5));
}

#[test]
fn errors_of_streams_say_what_they_are() {
    struct Broken;
    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("it broke"))
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let scratch = Scratch::new();
    fs::write(scratch.0.join("f"), "").unwrap();
    let contents = run(
        scratch.builder().stdout(Box::new(Broken)),
        &[
            DIRS,
            ("get-stdout", &[], &[Any]),
            // The handles of errors lie behind the case, where `Of` does not look: they
            // are the third and the sixth.
            ("output-stream.write", &[Of(1), S("x")], &[Code(0)]),
            ("open-at", &[Dir(0), I(0), S("f"), I(0), I(1)], &[Fine]),
            ("read-via-stream", &[Of(3), L(u64::MAX)], &[Fine]),
            ("input-stream.read", &[Of(4), L(1)], &[Code(0)]),
            ("to-debug-string", &[I(3)], &[Any]),
            ("filesystem-error-code", &[I(3)], &[Is(0)]),
            ("to-debug-string", &[I(6)], &[Any]),
            ("filesystem-error-code", &[I(6)], &[Any]),
        ],
    );
    let handle = |call: usize| word(result(&contents, call), 8);
    assert_eq!((handle(2), handle(5)), (3, 6), "handles of the errors");
    assert_eq!(bytes(&contents, 6, 0), b"it broke");
    // Some: invalid.
    assert_eq!(result(&contents, 9)[..2], [1, 12]);
}

#[test]
fn clocks() {
    let contents = run(
        &mut WasiCtx::builder(),
        &[
            ("monotonic-clock.now", &[], &[Any]),
            ("subscribe-duration", &[L(500_000_000)], &[Any]),
            ("subscribe-duration", &[L(u64::MAX)], &[Any]),
            ("subscribe-instant", &[L(0)], &[Any]),
            ("pollable.ready", &[Of(1)], &[Is(0)]),
            ("pollable.ready", &[Of(2)], &[Is(0)]),
            ("pollable.ready", &[Of(3)], &[Is(1)]),
            ("poll", &[List(&[2, 3, 1, 3])], &[Any]),
            ("poll", &[List(&[2, 1])], &[Any]),
            ("monotonic-clock.now", &[], &[Any]),
            ("pollable.block", &[Of(1)], &[Any]),
            ("wall-clock.now", &[], &[Any]),
            ("monotonic-clock.resolution", &[], &[Any]),
            ("utc-offset", &[L(0), I(0)], &[Is(0)]),
            ("display", &[L(0), I(0)], &[Any]),
        ],
    );
    let indices = |call| -> Vec<usize> {
        let elements = bytes_of_elements(&contents, call, 4);
        elements.into_iter().map(|at| word(&contents, at)).collect()
    };
    assert_eq!(indices(7), [1, 3]);
    assert_eq!(indices(8), [1]);
    assert!(number(&contents, 9, 0) - number(&contents, 0, 0) >= 500_000_000);
    assert!(number(&contents, 11, 0) > 1_600_000_000);
    assert!(number(&contents, 12, 0) >= 1);
    assert_eq!(bytes(&contents, 14, 4), b"UTC");
}

#[test]
fn randomness() {
    let contents = run(
        &mut WasiCtx::builder(),
        &[
            ("get-random-bytes", &[L(32)], &[Any]),
            ("get-random-bytes", &[L(32)], &[Any]),
            ("get-random-bytes", &[L(0)], &[Any]),
            ("get-random-u64", &[], &[Any]),
            ("get-insecure-random-u64", &[], &[Any]),
            ("get-insecure-random-bytes", &[L(100_000)], &[Any]),
            ("insecure-seed", &[], &[Any]),
            ("insecure-seed", &[], &[Any]),
        ],
    );
    assert_eq!(bytes(&contents, 0, 0).len(), 32);
    assert_ne!(bytes(&contents, 0, 0), bytes(&contents, 1, 0));
    assert_eq!(bytes(&contents, 2, 0), b"");
    assert_ne!(number(&contents, 3, 0), number(&contents, 4, 0));
    assert_eq!(bytes(&contents, 5, 0).len(), 100_000);
    assert_eq!(result(&contents, 6)[..16], result(&contents, 7)[..16]);
    assert_ne!(number(&contents, 6, 0), number(&contents, 6, 8));
}

#[test]
fn a_guest_that_waits_can_be_interrupted() {
    let (reader, _writer) = std::io::pipe().unwrap();
    let waits: [&[Call]; 3] = [
        &[("subscribe-duration", &[L(u64::MAX / 2)], &[]), ("pollable.block", &[Of(0)], &[])],
        &[
            ("subscribe-duration", &[L(u64::MAX)], &[]),
            ("get-stdin", &[], &[]),
            ("input-stream.subscribe", &[Of(1)], &[]),
            ("poll", &[List(&[0, 2])], &[]),
        ],
        &[("get-stdin", &[], &[]), ("input-stream.blocking-read", &[Of(0), L(1)], &[])],
    ];
    for calls in waits {
        let mut builder = WasiCtx::builder();
        builder.stdin_from(reader.try_clone().unwrap());
        let mut guest = Guest::new(&mut builder, &program(calls, "0.2.12"));
        let handle = guest.store.data().wasi.interrupt_handle().unwrap();
        let start = Instant::now();
        let interrupting = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(50));
            handle.interrupt();
        });
        let error = guest.attack().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Interrupted, "{error:?}");
        assert!(start.elapsed() < Duration::from_secs(20));
        interrupting.join().unwrap();
    }
}

/// An output that tells somebody of the first thing written to it.
struct Signal(Option<Sender<()>>);

impl Write for Signal {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if let Some(sender) = self.0.take() {
            sender.send(()).unwrap();
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn input_that_is_not_there_yet_is_waited_for_and_not_read() {
    let (reader, mut writer) = std::io::pipe().unwrap();
    let (sender, receiver) = std::sync::mpsc::channel();
    let calls: &[Call] = &[
        ("get-stdin", &[], &[Any]),
        ("input-stream.read", &[Of(0), L(10)], &[Fine]),
        ("input-stream.subscribe", &[Of(0)], &[Any]),
        ("pollable.ready", &[Of(2)], &[Is(0)]),
        ("get-stdout", &[], &[Any]),
        ("output-stream.write", &[Of(4), S("now")], &[Fine]),
        ("pollable.block", &[Of(2)], &[Any]),
        ("input-stream.read", &[Of(0), L(10)], &[Fine]),
        ("input-stream.blocking-read", &[Of(0), L(10)], &[Code(1)]),
    ];
    let writing = std::thread::spawn(move || {
        receiver.recv().unwrap();
        // So that the guest, most of the time, waits already.
        std::thread::sleep(Duration::from_millis(50));
        writer.write_all(b"late").unwrap();
    });
    let mut builder = WasiCtx::builder();
    builder.stdin_from(reader).stdout(Box::new(Signal(Some(sender))));
    let contents = run(&mut builder, calls);
    writing.join().unwrap();
    assert_eq!((bytes(&contents, 1, 4), bytes(&contents, 7, 4)), (&b""[..], &b"late"[..]));
}

#[test]
fn calls_are_traced() {
    let lines: Arc<Mutex<Vec<String>>> = Arc::default();
    let sink = lines.clone();
    let mut builder = WasiCtx::builder();
    builder.trace(move |line| sink.lock().unwrap().push(line.to_owned()));
    let calls: &[Call] = &[
        ("get-stdin", &[], &[Any]),
        ("input-stream.read", &[Of(0), L(1)], &[Code(1)]),
        ("exit-with-code", &[I(3)], &[]),
    ];
    Guest::new(&mut builder, &program(calls, "0.2.12")).attack().unwrap_err();
    assert_eq!(
        *lines.lock().unwrap(),
        [
            "wasi:cli/stdin.get-stdin = ok",
            "wasi:io/streams.[method]input-stream.read = error",
            "wasi:cli/exit.exit-with-code = stops",
        ]
    );
}
