//! Components that try to get out: of their directories, of their capabilities, of what
//! their handles are. Directories: 0 is `in`, 1 `other`, 2 `kept` (read-only).

use zwasm::ErrorKind;
use zwasm_wasi::{Capabilities, WasiCtx};

use super::ground::{Ground, SECRET};
use super::guest::Answer::{self, Any, Code, Fine};
use super::guest::Arg::{Bytes, Dir, I, L, List, Of, S};
use super::guest::{Call, Guest, differences, knows, program};

/// A program and what must come of it.
struct Case {
    name: &'static str,
    caps: Capabilities,
    /// What the host must remember as refused.
    refused: Capabilities,
    calls: &'static [Call],
}

const BAD_DESCRIPTOR: Answer = Code(3);
const BUSY: Answer = Code(4);
const EXIST: Answer = Code(7);
const FILE_TOO_LARGE: Answer = Code(8);
const INVALID: Answer = Code(12);
const IS_DIRECTORY: Answer = Code(14);
const LOOP: Answer = Code(15);
const NAME_TOO_LONG: Answer = Code(18);
const NO_ENTRY: Answer = Code(20);
const NOT_DIRECTORY: Answer = Code(24);
const NOT_EMPTY: Answer = Code(25);
const NO_SUCH_DEVICE: Answer = Code(29);
const OVERFLOW: Answer = Code(30);
const NOT_PERMITTED: Answer = Code(31);
const READ_ONLY: Answer = Code(33);
const INVALID_SEEK: Answer = Code(34);
/// Of a stream: the last operation failed.
const FAILED: Answer = Code(0);
/// Of a stream: it is at its end.
const CLOSED: Answer = Code(1);
const OK: Answer = Fine;

const READ: u32 = 1;
const WRITE: u32 = 2;
const MUTATE: u32 = 32;
const CREATE: u32 = 1;
const DIRECTORY: u32 = 2;
const EXCLUSIVE: u32 = 4;
const TRUNCATE: u32 = 8;

const DIRS: Call = ("get-directories", &[], &[Any]);

/// Opens a path, following links.
macro_rules! open {
    ($dir:expr, $path:expr, $open:expr, $flags:expr => $($answer:ident)|+) => {
        ("open-at", &[$dir, I(1), S($path), I($open), I($flags)], &[$($answer),+])
    };
}

/// A call of another function.
macro_rules! call {
    ($name:literal($($arg:expr),*) => $($answer:ident)|+) => {
        ($name, &[$($arg),*], &[$($answer),+])
    };
}

/// Everything that can be done to a path.
macro_rules! everything {
    ($dir:literal, $path:expr => $($answer:ident)|+) => {
        &[
            DIRS,
            open!(Dir($dir), $path, 0, READ => $($answer)|+),
            open!(Dir($dir), $path, CREATE, WRITE => $($answer)|+),
            open!(Dir($dir), $path, TRUNCATE, WRITE => $($answer)|+),
            open!(Dir($dir), $path, DIRECTORY, 0 => $($answer)|+),
            call!("stat-at"(Dir($dir), I(1), S($path)) => $($answer)|+),
            call!("metadata-hash-at"(Dir($dir), I(1), S($path)) => $($answer)|+),
            call!("set-times-at"(
                Dir($dir), I(1), S($path), I(1), L(0), I(0), I(1), L(0), I(0)) => $($answer)|+),
        ]
    };
}

/// Everything that can be done to a name without following it.
macro_rules! everything_to_a_name {
    ($dir:literal, $path:expr => $($answer:ident)|+) => {
        &[
            DIRS,
            call!("create-directory-at"(Dir($dir), S($path)) => $($answer)|+),
            call!("remove-directory-at"(Dir($dir), S($path)) => $($answer)|+),
            call!("unlink-file-at"(Dir($dir), S($path)) => $($answer)|+),
            call!("symlink-at"(Dir($dir), S("file"), S($path)) => $($answer)|+),
            call!("readlink-at"(Dir($dir), S($path)) => $($answer)|+),
            call!("rename-at"(Dir($dir), S($path), Dir(0), S("mine")) => $($answer)|+),
            call!("rename-at"(Dir(0), S("file"), Dir($dir), S($path)) => $($answer)|+),
            call!("link-at"(Dir($dir), I(0), S($path), Dir(0), S("mine")) => $($answer)|+),
            call!("link-at"(Dir(0), I(0), S("file"), Dir($dir), S($path)) => $($answer)|+),
            call!("stat-at"(Dir($dir), I(0), S($path)) => $($answer)|+),
        ]
    };
}

const fn case(name: &'static str, calls: &'static [Call]) -> Case {
    Case { name, caps: Capabilities::ALL, refused: Capabilities::NONE, calls }
}

/// A guest that has every capability but one.
const fn without(lacks: Capabilities, name: &'static str, calls: &'static [Call]) -> Case {
    let mut caps = Capabilities::ALL;
    caps.remove(lacks);
    Case { name, caps, refused: lacks, calls }
}

const CASES: &[Case] = &[
    // Out by name.
    case("up", everything!(0, "../out/secret" => NOT_PERMITTED)),
    case("up, to a name", everything_to_a_name!(0, "../out/secret" => NOT_PERMITTED)),
    case("up and nothing else", everything!(0, ".." => NOT_PERMITTED)),
    case("down and up", everything!(0, "sub/../../out/secret" => NOT_PERMITTED)),
    case("down and up, to a name", everything_to_a_name!(0, "sub/../../out/x" => NOT_PERMITTED)),
    case("far up", everything!(0, "../../../../../../../../../etc/passwd" => NOT_PERMITTED)),
    case("up with dots between", everything!(0, "./.././out/./secret" => NOT_PERMITTED)),
    case(
        "up through what is not there",
        everything!(0, "no/../../out/secret" => NO_ENTRY | NOT_PERMITTED),
    ),
    case("absolute", everything!(0, "/etc/passwd" => NOT_PERMITTED)),
    case("absolute, to a name", everything_to_a_name!(0, "/etc/zwasm" => NOT_PERMITTED)),
    case("root", everything!(0, "/" => NOT_PERMITTED)),
    // Out through links that are there.
    case("link to outside, in the middle", everything!(0, "to-out/secret" => NOT_PERMITTED)),
    case("link to outside, to a name", everything_to_a_name!(0, "to-out/secret" => NOT_PERMITTED)),
    case("link to a file outside", everything!(0, "to-secret" => NOT_PERMITTED)),
    case("link to a directory outside", everything!(0, "to-out" => NOT_PERMITTED)),
    case("link outside, with a slash", everything!(0, "to-out/" => NOT_PERMITTED | IS_DIRECTORY)),
    case("absolute link", everything!(0, "absolute/secret" => NOT_PERMITTED)),
    case("winding link", everything!(0, "winding/secret" => NOT_PERMITTED)),
    case("link from below", everything!(0, "sub/to-out" => NOT_PERMITTED)),
    case("link to the parent", everything!(0, "up/out/secret" => NOT_PERMITTED)),
    case("link over a link", everything!(0, "two-steps/secret" => NOT_PERMITTED)),
    case("dangling link to outside", everything!(0, "dangling" => NOT_PERMITTED)),
    case("link to the process's root", everything!(0, "root/etc/passwd" => NOT_PERMITTED | LOOP)),
    case("loop", everything!(0, "loop-a" => LOOP)),
    case("link to itself", everything!(0, "self" => LOOP)),
    case(
        "links are not followed unless asked",
        &[
            DIRS,
            ("open-at", &[Dir(0), I(0), S("to-secret"), I(0), I(READ)], &[LOOP]),
            ("open-at", &[Dir(0), I(0), S("to-out"), I(2), I(READ)], &[LOOP, NOT_DIRECTORY]),
            call!("readlink-at"(Dir(0), S("absolute")) => NOT_PERMITTED),
            call!("readlink-at"(Dir(0), S("to-sub")) => OK),
        ],
    ),
    // Links that the guest makes.
    case(
        "absolute links can not be made",
        &[
            DIRS,
            call!("symlink-at"(Dir(0), S("/etc"), S("l")) => NOT_PERMITTED),
            open!(Dir(0), "l/passwd", 0, READ => NO_ENTRY),
        ],
    ),
    case(
        "links upwards can be made and lead nowhere",
        &[
            DIRS,
            call!("symlink-at"(Dir(0), S("../out/secret"), S("l")) => OK),
            open!(Dir(0), "l", 0, READ => NOT_PERMITTED),
            open!(Dir(0), "l", CREATE, WRITE => NOT_PERMITTED),
            call!("symlink-at"(Dir(0), S("../../out"), S("sub/l")) => OK),
            open!(Dir(0), "sub/l/secret", 0, READ => NOT_PERMITTED),
            call!("rename-at"(Dir(0), S("sub/l"), Dir(0), S("m")) => OK),
            open!(Dir(0), "m/secret", 0, READ => NOT_PERMITTED),
        ],
    ),
    case(
        "a link that is harmless where it was made is moved higher",
        &[
            DIRS,
            call!("symlink-at"(Dir(0), S("../../other"), S("sub/deep/l")) => OK),
            open!(Dir(0), "sub/deep/l", DIRECTORY, 0 => NO_ENTRY),
            call!("rename-at"(Dir(0), S("sub/deep/l"), Dir(0), S("sub/l")) => OK),
            open!(Dir(0), "sub/l", DIRECTORY, 0 => NOT_PERMITTED),
            call!("rename-at"(Dir(0), S("sub/l"), Dir(1), S("l")) => OK),
            open!(Dir(1), "l", DIRECTORY, 0 => NOT_PERMITTED),
        ],
    ),
    case(
        "a directory that is open is moved away from under its parent",
        &[
            DIRS,
            open!(Dir(0), "sub/deep", DIRECTORY, READ => OK),
            call!("rename-at"(Dir(0), S("sub/deep"), Dir(1), S("deep")) => OK),
            open!(Of(1), "../file", 0, READ => NOT_PERMITTED),
            open!(Of(1), "..", DIRECTORY, READ => NOT_PERMITTED),
            open!(Of(1), "../../out/secret", 0, READ => NOT_PERMITTED),
        ],
    ),
    case(
        "hard links to what a link names",
        &[
            DIRS,
            call!("link-at"(Dir(0), I(1), S("to-secret"), Dir(0), S("l")) => INVALID),
            call!("link-at"(Dir(0), I(0), S("to-secret"), Dir(0), S("l")) => OK),
            open!(Dir(0), "l", 0, READ => NOT_PERMITTED),
            call!("link-at"(Dir(0), I(0), S("sub"), Dir(0), S("m")) => NOT_PERMITTED),
            call!("link-at"(Dir(0), I(0), S("to-out/secret"), Dir(1), S("l")) => NOT_PERMITTED),
        ],
    ),
    case(
        "replacing a directory that is given",
        &[
            DIRS,
            call!("rename-at"(Dir(0), S("sub"), Dir(0), S("..")) => NOT_PERMITTED | INVALID | EXIST | NOT_EMPTY),
            call!("rename-at"(Dir(0), S("sub"), Dir(0), S("../in")) => NOT_PERMITTED),
            call!("rename-at"(Dir(0), S("."), Dir(1), S("x")) => INVALID | BUSY | NOT_PERMITTED),
            call!("remove-directory-at"(Dir(0), S(".")) => INVALID | NOT_PERMITTED | NOT_EMPTY),
            call!("remove-directory-at"(Dir(0), S("../other")) => NOT_PERMITTED),
            call!("unlink-file-at"(Dir(0), S("sub")) => IS_DIRECTORY | NOT_PERMITTED),
            call!("remove-directory-at"(Dir(0), S("file")) => NOT_DIRECTORY),
        ],
    ),
    // Names that are none.
    case("no name", everything!(0, "" => NO_ENTRY)),
    case("no name, to a name", everything_to_a_name!(0, "" => NO_ENTRY)),
    case("a NUL", everything!(0, "file\0" => INVALID)),
    case("a NUL, to a name", everything_to_a_name!(0, "fi\0le" => INVALID)),
    case("a NUL after an escape", everything!(0, "../out/secret\0" => INVALID | NOT_PERMITTED)),
    case(
        "names that are too long",
        &[
            DIRS,
            ("open-at", &[Dir(0), I(1), Bytes(300), I(0), I(READ)], &[INVALID, NAME_TOO_LONG]),
            ("create-directory-at", &[Dir(0), Bytes(5000)], &[INVALID, NAME_TOO_LONG]),
        ],
    ),
    case(
        "slashes at the end",
        &[
            DIRS,
            open!(Dir(0), "file/", 0, READ => NOT_DIRECTORY),
            open!(Dir(0), "to-file/", 0, READ => NOT_DIRECTORY),
            call!("unlink-file-at"(Dir(0), S("file/")) => NOT_DIRECTORY),
            call!("rename-at"(Dir(0), S("file"), Dir(0), S("r/")) => NOT_DIRECTORY),
        ],
    ),
    // Special files.
    case(
        "pipes do not make the host wait",
        &[
            DIRS,
            open!(Dir(0), "fifo", 0, READ => OK),
            call!("descriptor.read"(Of(1), L(16), L(0)) => INVALID_SEEK),
            call!("read-via-stream"(Of(1), L(0)) => OK),
            call!("input-stream.read"(Of(3), L(16)) => OK | CLOSED),
            call!("input-stream_drop"(Of(3)) => Any),
            call!("descriptor_drop"(Of(1)) => Any),
            open!(Dir(0), "fifo", 0, WRITE => NO_SUCH_DEVICE),
            open!(Dir(0), "fifo", DIRECTORY, 0 => NOT_DIRECTORY),
        ],
    ),
    // Descriptors.
    case(
        "files are no directories",
        &[
            DIRS,
            open!(Dir(0), "file", 0, READ => OK),
            open!(Of(1), "../../out/secret", 0, READ => NOT_DIRECTORY),
            call!("create-directory-at"(Of(1), S("x")) => NOT_DIRECTORY),
            call!("read-directory"(Of(1)) => NOT_DIRECTORY),
            call!("rename-at"(Dir(0), S("sub"), Of(1), S("x")) => NOT_DIRECTORY),
            call!("stat-at"(Of(1), I(0), S("x")) => NOT_DIRECTORY),
        ],
    ),
    case(
        "directories are no files",
        &[
            DIRS,
            call!("descriptor.read"(Dir(0), L(16), L(0)) => BAD_DESCRIPTOR),
            call!("descriptor.write"(Dir(0), S("x"), L(0)) => BAD_DESCRIPTOR),
            call!("read-via-stream"(Dir(0), L(0)) => IS_DIRECTORY),
            call!("write-via-stream"(Dir(0), L(0)) => BAD_DESCRIPTOR),
            call!("append-via-stream"(Dir(0)) => BAD_DESCRIPTOR),
            call!("set-size"(Dir(0), L(0)) => BAD_DESCRIPTOR),
            call!("advise"(Dir(0), L(0), L(0), I(0)) => BAD_DESCRIPTOR),
            open!(Dir(0), "sub", 0, WRITE => IS_DIRECTORY),
            open!(Dir(0), "sub", CREATE | EXCLUSIVE, WRITE => EXIST),
            open!(Dir(0), "sub", CREATE | DIRECTORY, READ => INVALID),
        ],
    ),
    case(
        "a file is used for what it was not opened for",
        &[
            DIRS,
            open!(Dir(0), "file", 0, READ => OK),
            call!("descriptor.write"(Of(1), S("x"), L(0)) => BAD_DESCRIPTOR),
            call!("write-via-stream"(Of(1), L(0)) => BAD_DESCRIPTOR),
            call!("append-via-stream"(Of(1)) => BAD_DESCRIPTOR),
            call!("set-size"(Of(1), L(0)) => BAD_DESCRIPTOR),
            open!(Dir(0), "file", 0, WRITE => OK),
            call!("descriptor.read"(Of(6), L(1), L(0)) => BAD_DESCRIPTOR),
            call!("read-via-stream"(Of(6), L(0)) => BAD_DESCRIPTOR),
            open!(Dir(0), "sub/file", TRUNCATE, READ => OK),
            call!("descriptor.write"(Of(9), S("x"), L(0)) => BAD_DESCRIPTOR),
        ],
    ),
    case(
        "numbers at their ends",
        &[
            DIRS,
            open!(Dir(0), "file", 0, READ | WRITE => OK),
            call!("descriptor.read"(Of(1), L(u64::MAX), L(0)) => OK),
            call!("descriptor.read"(Of(1), L(16), L(u64::MAX)) => INVALID),
            call!("descriptor.write"(Of(1), S("x"), L(u64::MAX)) => INVALID | FILE_TOO_LARGE),
            call!("set-size"(Of(1), L(u64::MAX)) => INVALID | FILE_TOO_LARGE),
            call!("advise"(Of(1), L(u64::MAX), L(u64::MAX), I(3)) => INVALID),
            call!("set-times"(Of(1), I(2), L(u64::MAX), I(0), I(0), L(0), I(0)) => OVERFLOW),
            call!("set-times"(Of(1), I(2), L(1), I(u32::MAX), I(1), L(0), I(0)) => OK),
            call!("read-via-stream"(Of(1), L(u64::MAX)) => OK),
            call!("input-stream.read"(Of(9), L(u64::MAX)) => FAILED),
            call!("input-stream.read"(Of(9), L(u64::MAX)) => CLOSED),
            call!("write-via-stream"(Of(1), L(u64::MAX)) => OK),
            call!("output-stream.write"(Of(12), S("x")) => FAILED),
            call!("output-stream.write"(Of(12), S("x")) => CLOSED),
            call!("check-write"(Of(12)) => CLOSED),
            call!("read-via-stream"(Of(1), L(0)) => OK),
            call!("input-stream.read"(Of(16), L(u64::MAX)) => OK),
            call!("blocking-skip"(Of(16), L(u64::MAX)) => CLOSED),
        ],
    ),
    case(
        "streams outlive the file they are of, and no more",
        &[
            DIRS,
            open!(Dir(0), "file", 0, READ | WRITE => OK),
            call!("read-via-stream"(Of(1), L(0)) => OK),
            call!("append-via-stream"(Of(1)) => OK),
            call!("descriptor_drop"(Of(1)) => Any),
            call!("unlink-file-at"(Dir(0), S("file")) => OK),
            call!("output-stream.write"(Of(3), S("more")) => OK),
            call!("input-stream.read"(Of(2), L(100)) => OK),
            open!(Dir(0), "file", 0, READ => NO_ENTRY),
        ],
    ),
    // Where nothing may be changed.
    case(
        "what is read-only",
        &[
            DIRS,
            open!(Dir(2), "file", 0, READ => OK),
            open!(Dir(2), "file", 0, WRITE => READ_ONLY),
            open!(Dir(2), "file", TRUNCATE, READ => READ_ONLY),
            open!(Dir(2), "new", CREATE, READ => READ_ONLY),
            open!(Dir(2), "sub", DIRECTORY, READ | MUTATE => READ_ONLY),
            open!(Dir(2), "sub", DIRECTORY, READ => OK),
            open!(Of(6), "new", CREATE, WRITE => READ_ONLY),
            call!("create-directory-at"(Of(6), S("x")) => READ_ONLY),
            call!("create-directory-at"(Dir(2), S("x")) => READ_ONLY),
            call!("remove-directory-at"(Dir(2), S("sub")) => READ_ONLY),
            call!("unlink-file-at"(Dir(2), S("file")) => READ_ONLY),
            call!("symlink-at"(Dir(2), S("file"), S("l")) => READ_ONLY),
            call!("rename-at"(Dir(2), S("file"), Dir(0), S("x")) => READ_ONLY),
            call!("rename-at"(Dir(0), S("file"), Dir(2), S("x")) => READ_ONLY),
            call!("link-at"(Dir(2), I(0), S("file"), Dir(0), S("x")) => READ_ONLY),
            call!("link-at"(Dir(0), I(0), S("file"), Dir(2), S("x")) => READ_ONLY),
            call!("set-times-at"(
                Dir(2), I(0), S("file"), I(1), L(0), I(0), I(1), L(0), I(0)) => READ_ONLY),
            call!("set-times"(Of(1), I(1), L(0), I(0), I(1), L(0), I(0)) => READ_ONLY),
            call!("set-times"(Dir(2), I(1), L(0), I(0), I(1), L(0), I(0)) => READ_ONLY),
            call!("set-size"(Of(1), L(0)) => READ_ONLY),
            call!("descriptor.write"(Of(1), S("x"), L(0)) => READ_ONLY),
        ],
    ),
    // Capabilities.
    without(
        Capabilities::READ,
        "without reading",
        &[
            DIRS,
            open!(Dir(0), "file", 0, READ => NOT_PERMITTED),
            open!(Dir(0), "file", 0, WRITE => OK),
            call!("read-directory"(Dir(0)) => NOT_PERMITTED),
        ],
    ),
    without(
        Capabilities::WRITE,
        "without writing",
        &[
            DIRS,
            open!(Dir(0), "file", 0, WRITE => NOT_PERMITTED),
            open!(Dir(0), "new", CREATE, READ => NOT_PERMITTED),
            open!(Dir(0), "file", TRUNCATE, READ => NOT_PERMITTED),
            open!(Dir(0), "file", 0, READ => OK),
            call!("descriptor.sync"(Of(4)) => NOT_PERMITTED),
            call!("set-times"(Of(4), I(1), L(0), I(0), I(1), L(0), I(0)) => NOT_PERMITTED),
        ],
    ),
    without(
        Capabilities::PATH,
        "without changing directories",
        &[
            DIRS,
            call!("create-directory-at"(Dir(0), S("x")) => NOT_PERMITTED),
            call!("remove-directory-at"(Dir(0), S("sub/deep")) => NOT_PERMITTED),
            call!("unlink-file-at"(Dir(0), S("file")) => NOT_PERMITTED),
            call!("symlink-at"(Dir(0), S("x"), S("l")) => NOT_PERMITTED),
            call!("link-at"(Dir(0), I(0), S("file"), Dir(0), S("l")) => NOT_PERMITTED),
            call!("rename-at"(Dir(0), S("file"), Dir(0), S("l")) => NOT_PERMITTED),
        ],
    ),
    without(
        Capabilities::STDIO,
        "without the standard streams",
        &[
            DIRS,
            call!("get-stdout"() => Any),
            call!("output-stream.write"(Of(1), S("x")) => FAILED),
            call!("blocking-write-and-flush"(Of(1), S("x")) => FAILED),
            call!("get-stdin"() => Any),
            call!("input-stream.read"(Of(4), L(1)) => FAILED),
            ("get-terminal-stdout", &[], &[Answer::Is(0)]),
        ],
    ),
];

fn guest(ground: &Ground, case: &Case) -> Guest {
    let mut builder = WasiCtx::builder();
    builder.caps(case.caps).preopen_dir(ground.path("in"), "in").unwrap();
    builder.preopen_dir(ground.path("other"), "other").unwrap();
    builder.preopen_dir_read_only(ground.path("kept"), "kept").unwrap();
    Guest::new(&mut builder, &program(case.calls, "0.2.12"))
}

#[test]
fn every_attack_is_refused() {
    let mut failures = Vec::new();
    for case in CASES {
        let ground = Ground::prepare();
        let before = [ground.picture("out"), ground.picture("kept")];
        let mut guest = guest(&ground, case);
        if let Err(error) = guest.attack() {
            failures.push(format!("{}: {error}", case.name));
            continue;
        }
        let contents = guest.contents();
        let different = differences(&contents, case.calls);
        failures.extend(different.iter().map(|each| format!("{}: {each}", case.name)));
        if knows(&contents, SECRET) {
            failures.push(format!("{}: the guest knows the secret", case.name));
        }
        if [ground.picture("out"), ground.picture("kept")] != before {
            failures.push(format!("{}: something outside has changed", case.name));
        }
        let refused = guest.store.data().wasi.refused();
        if refused != case.refused {
            failures.push(format!("{}: {refused:?} is remembered as refused", case.name));
        }
    }
    assert!(CASES.len() >= 45, "{} cases", CASES.len());
    assert!(failures.is_empty(), "{}:\n{}", failures.len(), failures.join("\n"));
}

/// What does not return to the guest: calls, and a part of what is said then.
const STOPS: &[(&str, &[Call], &str)] = &[
    ("an empty list to poll", &[("poll", &[List(&[])], &[])], "polls nothing"),
    (
        "a stream that something still waits for",
        &[
            ("get-stdout", &[], &[Any]),
            ("output-stream.subscribe", &[Of(0)], &[Any]),
            ("output-stream_drop", &[Of(0)], &[Any]),
        ],
        "has children",
    ),
    (
        "a handle of another resource",
        &[("get-stdout", &[], &[Any]), ("input-stream.read", &[Of(0), L(1)], &[Any])],
        "handle",
    ),
    (
        "a handle that was dropped",
        &[
            ("get-stdin", &[], &[Any]),
            ("input-stream_drop", &[Of(0)], &[Any]),
            ("input-stream.read", &[Of(0), L(1)], &[Any]),
        ],
        "handle",
    ),
    (
        "a handle that is dropped twice",
        &[
            ("get-stdin", &[], &[Any]),
            ("input-stream_drop", &[Of(0)], &[Any]),
            ("input-stream_drop", &[Of(0)], &[Any]),
        ],
        "handle",
    ),
    ("a handle that is made up", &[("pollable.block", &[I(77)], &[])], "handle"),
    ("handle zero", &[("pollable.block", &[I(0)], &[])], "handle"),
    (
        "a path outside of memory",
        &[DIRS, ("create-directory-at", &[Dir(0), Bytes(u32::MAX)], &[])],
        "out of bounds",
    ),
    (
        "too much at once to wait for",
        &[("get-stdout", &[], &[Any]), ("blocking-write-and-flush", &[Of(0), Bytes(4097)], &[Any])],
        "at most 4096 bytes",
    ),
    (
        "too many zeros to wait for",
        &[
            ("get-stdout", &[], &[Any]),
            ("blocking-write-zeroes-and-flush", &[Of(0), L(u64::MAX)], &[Any]),
        ],
        "at most 4096 bytes",
    ),
    (
        "more zeros than permitted",
        &[("get-stdout", &[], &[Any]), ("write-zeroes", &[Of(0), L(u64::MAX)], &[Any])],
        "was permitted 65536 bytes",
    ),
    (
        "more random bytes than there can be",
        &[("get-random-bytes", &[L(u64::MAX)], &[])],
        "random bytes at once",
    ),
    ("an enum that is none", &[DIRS, ("advise", &[Dir(0), L(0), L(0), I(6)], &[])], "discriminant"),
];

#[test]
fn what_goes_too_far_stops_the_guest() {
    let mut failures = Vec::new();
    for (name, calls, expected) in STOPS {
        let ground = Ground::prepare();
        let case = case(name, calls);
        match guest(&ground, &case).attack() {
            Ok(()) => failures.push(format!("{name}: nothing stops it")),
            Err(error) if !format!("{error:?}").contains(expected) => {
                failures.push(format!("{name}: {error:?}"));
            }
            Err(_) => {}
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn what_has_no_error_stops_the_guest_that_may_not_and_is_remembered() {
    let cases: [(Capabilities, &[Call]); 5] = [
        (Capabilities::CLOCK, &[("monotonic-clock.now", &[], &[])]),
        (Capabilities::CLOCK, &[("wall-clock.resolution", &[], &[])]),
        (Capabilities::CLOCK, &[("subscribe-duration", &[L(1)], &[])]),
        (Capabilities::RANDOM, &[("get-random-u64", &[], &[])]),
        (Capabilities::EXIT, &[("exit", &[I(0)], &[])]),
    ];
    for (lacks, calls) in cases {
        let mut caps = Capabilities::ALL;
        caps.remove(lacks);
        let mut builder = WasiCtx::builder();
        let mut guest = Guest::new(builder.caps(caps), &program(calls, "0.2.12"));
        let error = guest.attack().unwrap_err();
        assert!(error.summary().contains("may not"), "{error:?}");
        assert_eq!(guest.store.data().wasi.refused(), lacks);
    }
}

#[test]
fn a_guest_cannot_have_any_number_of_resources() {
    // 64 calls of a function that gives a list of a hundred handles each, again and again.
    let calls = [DIRS; 64];
    let mut builder = WasiCtx::builder();
    for number in 0..100 {
        builder.preopen_dir(std::env::temp_dir(), format!("d{number}")).unwrap();
    }
    let mut guest = Guest::new(&mut builder, &program(&calls, "0.2.12"));
    let error = (0..10_000).find_map(|_| guest.attack().err()).expect("a limit");
    assert_eq!(error.kind(), ErrorKind::Limit, "{error:?}");
}
