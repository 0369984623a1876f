//! The attacks. Descriptors: 3 is `in`, 4 `other`, 5 `kept` (read-only), 6
//! `/proc`, 7 `/dev`; what a guest opens first is 8.

use zwasm_wasi::Capabilities;

use super::guest::Arg::{Buffer, I, L, Last, Out, S};
use super::guest::Call;

/// A program and what must come of it.
pub struct Case {
    pub name: &'static str,
    pub caps: Capabilities,
    /// What the host must remember as refused.
    pub refused: Capabilities,
    pub calls: &'static [Call],
}

const ACCES: u16 = 2;
const BADF: u16 = 8;
const BUSY: u16 = 10;
const EXIST: u16 = 20;
const FAULT: u16 = 21;
const FBIG: u16 = 22;
const ILSEQ: u16 = 25;
const INVAL: u16 = 28;
const ISDIR: u16 = 31;
const LOOP: u16 = 32;
const NAMETOOLONG: u16 = 37;
const NODEV: u16 = 43;
const NOENT: u16 = 44;
const NOSPC: u16 = 51;
const NOTDIR: u16 = 54;
const NOTEMPTY: u16 = 55;
const NOTSOCK: u16 = 57;
const NOTSUP: u16 = 58;
const NXIO: u16 = 60;
const PERM: u16 = 63;
const ROFS: u16 = 69;
const SPIPE: u16 = 70;
const XDEV: u16 = 75;
const NOTCAPABLE: u16 = 76;

const READ: u64 = 1 << 1;
const WRITE: u64 = 1 << 6;
const ALLOCATE: u64 = 1 << 8;
const CREATE: u32 = 1;
const DIRECTORY: u32 = 2;
const EXCLUSIVE: u32 = 4;
const TRUNCATE: u32 = 8;
const ANY: u64 = u64::MAX;

/// Opens a path, following links.
macro_rules! open {
    ($fd:literal, $path:expr, $flags:expr, $rights:expr => $($answer:ident)|+) => {
        (
            "path_open",
            &[I($fd), I(1), S($path), I($flags), L($rights), L(0), I(0), Out],
            &[$($answer),+],
        )
    };
}

/// A call of another function.
macro_rules! call {
    ($name:ident($($arg:expr),*) => $($answer:ident)|+) => {
        (stringify!($name), &[$($arg),*], &[$($answer),+])
    };
}

/// Everything that can be done to a path.
macro_rules! everything {
    ($fd:literal, $path:expr => $($answer:ident)|+) => {
        &[
            open!($fd, $path, 0, READ => $($answer)|+),
            open!($fd, $path, CREATE, WRITE => $($answer)|+),
            open!($fd, $path, TRUNCATE, WRITE => $($answer)|+),
            open!($fd, $path, DIRECTORY, 0 => $($answer)|+),
            call!(path_filestat_get(I($fd), I(1), S($path), I(0xc000)) => $($answer)|+),
            call!(path_filestat_set_times(
                I($fd), I(1), S($path), L(0), L(0), I(5)) => $($answer)|+),
        ]
    };
}

/// Everything that can be done to a name without following it.
macro_rules! everything_to_a_name {
    ($fd:literal, $path:expr => $($answer:ident)|+) => {
        &[
            call!(path_create_directory(I($fd), S($path)) => $($answer)|+),
            call!(path_remove_directory(I($fd), S($path)) => $($answer)|+),
            call!(path_unlink_file(I($fd), S($path)) => $($answer)|+),
            call!(path_symlink(S(b"file"), I($fd), S($path)) => $($answer)|+),
            call!(path_readlink(I($fd), S($path), I(0xc000), I(100), Out) => $($answer)|+),
            call!(path_rename(I($fd), S($path), I(3), S(b"mine")) => $($answer)|+),
            call!(path_rename(I(3), S(b"file"), I($fd), S($path)) => $($answer)|+),
            call!(path_link(I($fd), I(0), S($path), I(3), S(b"mine")) => $($answer)|+),
            call!(path_link(I(3), I(0), S(b"file"), I($fd), S($path)) => $($answer)|+),
            call!(path_filestat_get(I($fd), I(0), S($path), I(0xc000)) => $($answer)|+),
        ]
    };
}

const OK: u16 = 0;

const fn case(name: &'static str, calls: &'static [Call]) -> Case {
    Case { name, caps: Capabilities::ALL, refused: Capabilities::NONE, calls }
}

/// A guest that has every capability but one.
const fn without(lacks: Capabilities, name: &'static str, calls: &'static [Call]) -> Case {
    let mut caps = Capabilities::ALL;
    caps.remove(lacks);
    Case { name, caps, refused: lacks, calls }
}

/// A guest that has no capability.
const fn with_nothing(refused: Capabilities, name: &'static str, calls: &'static [Call]) -> Case {
    Case { name, caps: Capabilities::NONE, refused, calls }
}

pub const CASES: &[Case] = &[
    // Out by name.
    case("up", everything!(3, b"../out/secret" => PERM)),
    case("up, to a name", everything_to_a_name!(3, b"../out/secret" => PERM)),
    case("up and nothing else", everything!(3, b".." => PERM)),
    case("up with a slash", everything!(3, b"../" => PERM)),
    case("down and up", everything!(3, b"sub/../../out/secret" => PERM)),
    case("down and up, to a name", everything_to_a_name!(3, b"sub/../../out/secret" => PERM)),
    case("far up", everything!(3, b"../../../../../../../../../../../etc/passwd" => PERM)),
    case("up with dots between", everything!(3, b"./.././out/./secret" => PERM)),
    case("up with slashes between", everything!(3, b"sub//..//..//out//secret" => PERM)),
    case("up through what is not there", everything!(3, b"no/../../out/secret" => NOENT | PERM)),
    case("up through a file", everything!(3, b"file/../../out/secret" => NOTDIR | PERM)),
    case("absolute", everything!(3, b"/etc/passwd" => PERM)),
    case("absolute, to a name", everything_to_a_name!(3, b"/etc/zwasm" => PERM)),
    case("root", everything!(3, b"/" => PERM)),
    case("two slashes", everything!(3, b"//etc/passwd" => PERM)),
    case("process, absolute", everything!(3, b"/proc/self/root/etc/passwd" => PERM)),
    case("process, relative", everything!(3, b"proc/self/root/etc/passwd" => NOENT)),
    // Out through links that are there.
    case("link to outside, in the middle", everything!(3, b"to-out/secret" => PERM)),
    case("link to outside, to a name", everything_to_a_name!(3, b"to-out/secret" => PERM)),
    case("link to a file outside", everything!(3, b"to-secret" => PERM)),
    case("link to a directory outside", everything!(3, b"to-out" => PERM)),
    case("link to a directory outside, with a slash", everything!(3, b"to-out/" => PERM | ISDIR)),
    case("link to a directory outside, with a dot", everything!(3, b"to-out/." => PERM)),
    case("absolute link", everything!(3, b"absolute/secret" => PERM)),
    case("absolute link, to a name", everything_to_a_name!(3, b"absolute/secret" => PERM)),
    case("winding link", everything!(3, b"winding/secret" => PERM)),
    case("link from below", everything!(3, b"sub/to-out" => PERM)),
    case("link from below, in the middle", everything!(3, b"sub/to-out/x" => PERM)),
    case("link to the parent", everything!(3, b"up/out/secret" => PERM)),
    case("link over a link", everything!(3, b"two-steps/secret" => PERM)),
    case("dangling link to outside", everything!(3, b"dangling" => PERM)),
    case("link and back", everything!(3, b"to-out/../in/file" => PERM)),
    case("link to the process's root", everything!(3, b"root/etc/passwd" => PERM | LOOP)),
    case("link to the process's descriptors", everything!(3, b"fds/0" => PERM | LOOP)),
    case("loop", everything!(3, b"loop-a" => LOOP)),
    case("loop, in the middle", everything!(3, b"loop-a/x" => LOOP)),
    case("link to itself", everything!(3, b"self" => LOOP)),
    case(
        "links are not followed unless asked",
        &[
            ("path_open", &[I(3), I(0), S(b"to-secret"), I(0), L(READ), L(0), I(0), Out], &[LOOP]),
            (
                "path_open",
                &[I(3), I(0), S(b"to-out"), I(2), L(READ), L(0), I(0), Out],
                &[LOOP, NOTDIR],
            ),
            ("path_open", &[I(3), I(0), S(b"dangling"), I(1), L(WRITE), L(0), I(0), Out], &[LOOP]),
            call!(path_readlink(I(3), S(b"absolute"), I(0xc000), I(100), Out) => PERM),
        ],
    ),
    // Links that the guest makes.
    case(
        "absolute links can not be made",
        &[
            call!(path_symlink(S(b"/etc"), I(3), S(b"l")) => PERM),
            call!(path_symlink(S(b"/"), I(3), S(b"l")) => PERM),
            open!(3, b"l/passwd", 0, READ => NOENT),
        ],
    ),
    case(
        "links upwards can be made and lead nowhere",
        &[
            call!(path_symlink(S(b"../out/secret"), I(3), S(b"l")) => OK),
            open!(3, b"l", 0, READ => PERM),
            open!(3, b"l", CREATE, WRITE => PERM),
            call!(path_symlink(S(b"../../out"), I(3), S(b"sub/l")) => OK),
            open!(3, b"sub/l/secret", 0, READ => PERM),
            call!(path_rename(I(3), S(b"sub/l"), I(3), S(b"m")) => OK),
            open!(3, b"m/secret", 0, READ => PERM),
        ],
    ),
    case(
        "a link that is harmless where it was made is moved deeper or higher",
        &[
            call!(path_symlink(S(b"../../other"), I(3), S(b"sub/deep/l")) => OK),
            open!(3, b"sub/deep/l", DIRECTORY, 0 => NOENT),
            call!(path_rename(I(3), S(b"sub/deep/l"), I(3), S(b"sub/l")) => OK),
            open!(3, b"sub/l", DIRECTORY, 0 => PERM),
            call!(path_rename(I(3), S(b"sub/l"), I(4), S(b"l")) => OK),
            open!(4, b"l", DIRECTORY, 0 => PERM),
        ],
    ),
    case(
        "a directory that is open is moved away from under its parent",
        &[
            open!(3, b"sub/deep", DIRECTORY, 0 => OK),
            call!(path_rename(I(3), S(b"sub/deep"), I(4), S(b"deep")) => OK),
            ("path_open", &[Last, I(1), S(b"../file"), I(0), L(0), L(0), I(0), Out], &[PERM]),
            ("path_open", &[I(8), I(1), S(b".."), I(2), L(0), L(0), I(0), Out], &[PERM]),
            (
                "path_open",
                &[I(8), I(1), S(b"../../out/secret"), I(0), L(0), L(0), I(0), Out],
                &[PERM],
            ),
        ],
    ),
    case(
        "hard links to what a link names",
        &[
            call!(path_link(I(3), I(1), S(b"to-secret"), I(3), S(b"l")) => INVAL),
            call!(path_link(I(3), I(0), S(b"to-secret"), I(3), S(b"l")) => OK),
            open!(3, b"l", 0, READ => PERM),
            call!(path_link(I(3), I(0), S(b"sub"), I(3), S(b"m")) => PERM),
            call!(path_link(I(3), I(0), S(b"to-out/secret"), I(4), S(b"l")) => PERM),
        ],
    ),
    case(
        "replacing a directory that is given",
        &[
            call!(path_rename(I(3), S(b"sub"), I(3), S(b"..")) => PERM | INVAL | EXIST | NOTEMPTY),
            call!(path_rename(I(3), S(b"sub"), I(3), S(b"../in")) => PERM),
            call!(path_rename(I(3), S(b"."), I(4), S(b"x")) => INVAL | BUSY | PERM),
            call!(path_remove_directory(I(3), S(b".")) => INVAL | PERM | NOTEMPTY),
            call!(path_remove_directory(I(3), S(b"../other")) => PERM),
            call!(path_unlink_file(I(3), S(b"sub")) => ISDIR | PERM),
        ],
    ),
    case(
        "a directory into itself",
        &[
            call!(path_rename(I(3), S(b"sub"), I(3), S(b"sub/deep/x")) => INVAL),
            call!(path_rename(I(3), S(b"sub/deep"), I(3), S(b"sub/deep")) => OK),
        ],
    ),
    // Names that are none.
    case("no name", everything!(3, b"" => NOENT)),
    case("no name, to a name", everything_to_a_name!(3, b"" => NOENT)),
    case("a NUL", everything!(3, b"file\0" => INVAL)),
    case("a NUL, to a name", everything_to_a_name!(3, b"fi\0le" => INVAL)),
    case("a NUL after an escape", everything!(3, b"../out/secret\0" => INVAL | PERM)),
    case("not UTF-8", everything!(3, b"\xff\xfe" => ILSEQ)),
    case("not UTF-8, to a name", everything_to_a_name!(3, b"a\xc0\xafb" => ILSEQ)),
    case("a surrogate", everything!(3, b"\xed\xa0\x80" => ILSEQ)),
    case("a long name", everything!(3, &[b'a'; 300] => NAMETOOLONG | NOENT)),
    case(
        "a long path",
        &[
            open!(3, &[b'/'; 5000], 0, READ => PERM | NAMETOOLONG),
            open!(3, &[b'a'; 5000], 0, READ => NAMETOOLONG | NOENT),
            call!(path_create_directory(I(3), S(&[b'a'; 5000])) => NAMETOOLONG | NOENT),
        ],
    ),
    case(
        "names outside of the memory",
        &[
            call!(path_create_directory(I(3), I(0x1fff0), I(0x20)) => FAULT),
            call!(path_create_directory(I(3), I(u32::MAX), I(1)) => FAULT),
            call!(path_create_directory(I(3), I(0), I(u32::MAX)) => FAULT),
            call!(path_unlink_file(I(3), I(0x8000_0000), I(0x8000_0000)) => FAULT),
            call!(path_rename(I(3), S(b"file"), I(3), I(0x20000), I(1)) => FAULT),
        ],
    ),
    case(
        "slashes at the end",
        &[
            open!(3, b"file/", 0, READ => NOTDIR),
            open!(3, b"to-file/", 0, READ => NOTDIR),
            open!(3, b"new/", CREATE, WRITE => ISDIR | NOTDIR | INVAL | NOENT),
            call!(path_unlink_file(I(3), S(b"file/")) => NOTDIR),
            call!(path_unlink_file(I(3), S(b"to-sub/")) => NOTDIR | ISDIR | PERM),
            call!(path_remove_directory(I(3), S(b"to-sub/")) => NOTDIR | INVAL),
            call!(path_remove_directory(I(3), S(b"to-out/")) => NOTDIR | PERM),
            call!(path_symlink(S(b"x"), I(3), S(b"l/")) => NOENT | INVAL | NOTDIR),
            call!(path_link(I(3), I(0), S(b"file"), I(3), S(b"l/")) => NOENT | NOTDIR | INVAL),
            call!(path_rename(I(3), S(b"file"), I(3), S(b"r/")) => NOTDIR),
            call!(path_rename(I(3), S(b"file/"), I(3), S(b"r")) => NOTDIR),
            call!(path_rename(I(3), S(b"to-sub/"), I(3), S(b"r")) => NOTDIR),
        ],
    ),
    // Special files.
    case(
        "devices",
        &[
            open!(7, b"null", 0, READ => OK),
            call!(fd_read(Last, Buffer(16), Out) => OK),
            call!(fd_allocate(I(8), L(0), L(1)) => BADF | NODEV | NOTCAPABLE),
            call!(fd_filestat_set_size(I(8), L(1)) => BADF | INVAL | NOTCAPABLE),
            open!(7, b"../etc/passwd", 0, READ => PERM),
            open!(7, b"stdin", 0, READ => PERM | LOOP | NOENT),
            open!(7, b"fd/0", 0, READ => PERM | LOOP | NOENT),
            open!(7, b"tty", 0, READ => OK | NXIO | ACCES | NOENT),
        ],
    ),
    case(
        "processes",
        &[
            open!(6, b"self/root/etc/passwd", 0, READ => LOOP | PERM | XDEV),
            open!(6, b"self/cwd/x", 0, READ => LOOP | PERM | XDEV),
            open!(6, b"self/exe", 0, READ => LOOP | PERM | XDEV),
            open!(6, b"self/fd/0", 0, READ => LOOP | PERM | XDEV),
            open!(6, b"self/fd/0", 0, WRITE => LOOP | PERM | XDEV),
            open!(6, b"../etc/passwd", 0, READ => PERM),
            call!(path_readlink(I(6), S(b"self/root"), I(0xc000), I(100), Out) => PERM),
        ],
    ),
    case(
        "pipes do not make the host wait",
        &[
            open!(3, b"fifo", 0, READ => OK),
            call!(fd_read(Last, Buffer(16), Out) => OK),
            call!(fd_seek(I(8), L(0), I(0), Out) => SPIPE),
            call!(fd_close(I(8)) => OK),
            open!(3, b"fifo", 0, WRITE => NXIO),
            open!(3, b"fifo", DIRECTORY, 0 => NOTDIR),
        ],
    ),
    // Descriptors.
    case(
        "descriptors that are none",
        &[
            call!(fd_read(I(8), Buffer(16), Out) => BADF),
            call!(fd_read(I(u32::MAX), Buffer(16), Out) => BADF),
            call!(fd_read(I(0x7fff_ffff), Buffer(16), Out) => BADF),
            call!(fd_write(I(0x8000_0000), Buffer(16), Out) => BADF),
            call!(path_create_directory(I(99), S(b"x")) => BADF),
            call!(fd_close(I(1000)) => BADF),
            call!(fd_renumber(I(3), I(1000)) => BADF),
            call!(fd_renumber(I(1000), I(3)) => BADF),
            call!(fd_prestat_get(I(8), I(0xc000)) => BADF),
            call!(fd_readdir(I(9), I(0xc000), I(100), L(0), Out) => BADF),
        ],
    ),
    case(
        "descriptors of the host's other files",
        &[
            call!(fd_filestat_get(I(8), I(0xc000)) => BADF),
            call!(fd_filestat_get(I(9), I(0xc000)) => BADF),
            call!(fd_filestat_get(I(10), I(0xc000)) => BADF),
            call!(fd_filestat_get(I(11), I(0xc000)) => BADF),
            call!(fd_filestat_get(I(20), I(0xc000)) => BADF),
        ],
    ),
    case(
        "files are no directories",
        &[
            open!(3, b"file", 0, READ => OK),
            (
                "path_open",
                &[Last, I(1), S(b"../../out/secret"), I(0), L(READ), L(0), I(0), Out],
                &[NOTDIR],
            ),
            call!(path_create_directory(I(8), S(b"x")) => NOTDIR),
            call!(path_create_directory(I(0), S(b"x")) => NOTDIR),
            call!(fd_readdir(I(8), I(0xc000), I(100), L(0), Out) => NOTDIR),
            call!(sock_accept(I(8), I(0), Out) => NOTSOCK),
            call!(sock_shutdown(I(3), I(3)) => NOTSOCK),
        ],
    ),
    case(
        "directories are no files",
        &[
            call!(fd_read(I(3), Buffer(16), Out) => BADF | ISDIR),
            call!(fd_write(I(3), Buffer(16), Out) => BADF | ISDIR),
            call!(fd_pread(I(3), Buffer(16), L(0), Out) => BADF | ISDIR),
            call!(fd_allocate(I(3), L(0), L(1)) => BADF | ISDIR),
            call!(fd_filestat_set_size(I(3), L(0)) => BADF | ISDIR),
            open!(3, b"sub", 0, WRITE => ISDIR),
            open!(3, b"sub", TRUNCATE, READ => ISDIR),
            open!(3, b"sub", CREATE | EXCLUSIVE, WRITE => EXIST),
        ],
    ),
    case(
        "a directory that is given becomes another",
        &[
            call!(fd_renumber(I(4), I(3)) => OK),
            open!(3, b"file", 0, READ => NOENT),
            open!(3, b"../in/file", 0, READ => PERM),
            open!(3, b"../out/secret", 0, READ => PERM),
            open!(4, b"file", 0, READ => BADF),
            call!(fd_renumber(I(5), I(0)) => OK),
            open!(0, b"file", 0, READ => OK),
            open!(0, b"file", 0, WRITE => ROFS),
            open!(0, b"../out/secret", 0, READ => PERM),
        ],
    ),
    case(
        "what is closed stays closed",
        &[
            call!(fd_close(I(3)) => OK),
            open!(3, b"file", 0, READ => BADF),
            open!(4, b"../in/file", 0, READ => PERM),
            open!(4, b"x", CREATE, WRITE => OK),
            call!(path_create_directory(I(3), S(b"x")) => NOTDIR),
        ],
    ),
    // Rights.
    case(
        "truncating without the right to write",
        &[
            call!(fd_fdstat_set_rights(I(3), L(1 << 13), L(READ)) => OK),
            open!(3, b"file", TRUNCATE, READ => NOTCAPABLE),
            open!(3, b"file", CREATE, READ => NOTCAPABLE),
            open!(3, b"file", 0, WRITE => NOTCAPABLE),
            open!(3, b"file", 0, READ => OK),
            call!(fd_write(Last, Buffer(1), Out) => BADF),
            call!(fd_filestat_set_size(I(8), L(0)) => BADF | NOTCAPABLE),
            call!(fd_allocate(I(8), L(0), L(9)) => BADF | NOTCAPABLE),
            call!(fd_pwrite(I(8), Buffer(1), L(0), Out) => BADF | NOTCAPABLE),
        ],
    ),
    case(
        "taking rights back",
        &[
            call!(fd_fdstat_set_rights(I(3), L(0), L(0)) => OK),
            call!(fd_fdstat_set_rights(I(3), L(1), L(0)) => NOTCAPABLE),
            call!(fd_fdstat_set_rights(I(3), L(ANY), L(ANY)) => NOTCAPABLE),
            open!(3, b"file", 0, 0 => NOTCAPABLE),
            call!(fd_readdir(I(3), I(0xc000), I(100), L(0), Out) => NOTCAPABLE),
            call!(path_create_directory(I(3), S(b"x")) => NOTCAPABLE),
        ],
    ),
    case(
        "sizes",
        &[
            open!(3, b"file", 0, READ | WRITE | ALLOCATE => OK),
            call!(fd_allocate(Last, L(u64::MAX), L(1)) => INVAL | FBIG),
            call!(fd_allocate(I(8), L(0), L(0)) => INVAL),
            call!(fd_allocate(I(8), L(0), L(1 << 62)) => FBIG | NOSPC | NOTSUP),
            call!(fd_filestat_set_size(I(8), L(u64::MAX)) => INVAL),
            call!(fd_filestat_set_size(I(8), L(1 << 63)) => INVAL),
            call!(fd_seek(I(8), L(u64::MAX), I(0), Out) => INVAL),
            call!(fd_seek(I(8), L(1 << 63), I(1), Out) => INVAL),
            call!(fd_pread(I(8), Buffer(16), L(u64::MAX), Out) => INVAL),
            call!(fd_pwrite(I(8), Buffer(16), L(1 << 63), Out) => INVAL),
            call!(fd_advise(I(8), L(u64::MAX), L(u64::MAX), I(0)) => INVAL | OK),
        ],
    ),
    // The read-only directory.
    case(
        "changing what may only be read",
        &[
            open!(5, b"file", 0, READ => OK),
            call!(fd_filestat_set_times(Last, L(0), L(0), I(5)) => ROFS),
            call!(fd_write(I(8), Buffer(1), Out) => BADF),
            open!(5, b"file", 0, WRITE => ROFS),
            open!(5, b"file", TRUNCATE, READ => ROFS),
            open!(5, b"new", CREATE, READ => ROFS),
            call!(path_filestat_set_times(I(5), I(1), S(b"file"), L(0), L(0), I(5)) => ROFS),
            call!(fd_filestat_set_times(I(5), L(0), L(0), I(5)) => ROFS),
            call!(path_create_directory(I(5), S(b"new")) => ROFS),
            call!(path_remove_directory(I(5), S(b"sub")) => ROFS),
            call!(path_unlink_file(I(5), S(b"file")) => ROFS),
            call!(path_symlink(S(b"file"), I(5), S(b"new")) => ROFS),
        ],
    ),
    case(
        "carrying out of or into what may only be read",
        &[
            call!(path_rename(I(5), S(b"file"), I(3), S(b"mine")) => ROFS),
            call!(path_rename(I(3), S(b"file"), I(5), S(b"file")) => ROFS),
            call!(path_link(I(5), I(0), S(b"file"), I(3), S(b"mine")) => ROFS),
            call!(path_link(I(3), I(0), S(b"file"), I(5), S(b"new")) => ROFS),
            open!(5, b"sub", DIRECTORY, 0 => OK),
            ("path_create_directory", &[Last, S(b"new")], &[ROFS]),
            ("path_open", &[I(8), I(1), S(b"new"), I(CREATE), L(WRITE), L(0), I(0), Out], &[ROFS]),
        ],
    ),
    // Memory.
    case(
        "buffers outside of the memory",
        &[
            open!(3, b"file", 0, READ | WRITE => OK),
            call!(fd_read(I(8), I(0x1fffc), I(1), Out) => FAULT),
            call!(fd_read(I(8), I(0), I(u32::MAX), Out) => FAULT),
            call!(fd_read(I(8), I(u32::MAX), I(1), Out) => FAULT),
            call!(fd_read(I(8), Buffer(0x20000), Out) => FAULT),
            call!(fd_read(I(8), Buffer(u32::MAX), Out) => FAULT),
            call!(fd_read(I(8), Buffer(1), I(0x1fffd)) => FAULT),
            call!(fd_write(I(8), Buffer(0x18001), Out) => FAULT),
            call!(random_get(I(0x1ffff), I(2)) => FAULT),
            call!(random_get(I(1), I(u32::MAX)) => FAULT),
            call!(fd_readdir(I(3), I(0x1ff00), I(0x200), L(0), Out) => FAULT),
            call!(poll_oneoff(I(0x1ffe0), I(0xc000), I(1), Out) => FAULT),
            call!(poll_oneoff(I(0xc000), I(0xd000), I(u32::MAX), Out) => FAULT),
            call!(clock_time_get(I(0), L(0), I(0x1fffc)) => FAULT),
        ],
    ),
    // Capabilities.
    without(
        Capabilities::READ,
        "reading",
        &[
            open!(3, b"file", 0, READ => NOTCAPABLE),
            open!(3, b"file", CREATE, READ | WRITE => NOTCAPABLE),
            call!(fd_readdir(I(3), I(0xc000), I(100), L(0), Out) => NOTCAPABLE),
            open!(3, b"../out/secret", 0, READ => NOTCAPABLE),
            open!(3, b"file", 0, WRITE => OK),
            call!(fd_read(Last, Buffer(16), Out) => BADF),
        ],
    ),
    without(
        Capabilities::WRITE,
        "writing",
        &[
            open!(3, b"file", 0, WRITE => NOTCAPABLE),
            open!(3, b"new", CREATE, READ => NOTCAPABLE),
            open!(3, b"file", TRUNCATE, READ => NOTCAPABLE),
            open!(3, b"file", 0, READ => OK),
            call!(fd_filestat_set_times(Last, L(0), L(0), I(5)) => NOTCAPABLE),
            call!(fd_sync(I(8)) => NOTCAPABLE),
        ],
    ),
    without(
        Capabilities::PATH,
        "changing directories",
        &[
            call!(path_create_directory(I(3), S(b"new")) => NOTCAPABLE),
            call!(path_remove_directory(I(3), S(b"sub/deep")) => NOTCAPABLE),
            call!(path_unlink_file(I(3), S(b"file")) => NOTCAPABLE),
            call!(path_rename(I(3), S(b"file"), I(3), S(b"mine")) => NOTCAPABLE),
            call!(path_link(I(3), I(0), S(b"file"), I(3), S(b"mine")) => NOTCAPABLE),
            call!(path_symlink(S(b"file"), I(3), S(b"mine")) => NOTCAPABLE),
            open!(3, b"mine", 0, READ => NOENT),
        ],
    ),
    without(
        Capabilities::CLOCK,
        "clocks",
        &[
            call!(clock_time_get(I(0), L(0), I(0xc000)) => NOTCAPABLE),
            call!(clock_time_get(I(1), L(0), I(0xc000)) => NOTCAPABLE),
            call!(clock_res_get(I(0), I(0xc000)) => NOTCAPABLE),
            call!(poll_oneoff(I(0xc000), I(0xd000), I(1), Out) => NOTCAPABLE),
        ],
    ),
    without(
        Capabilities::RANDOM,
        "randomness",
        &[call!(random_get(I(0xc000), I(8)) => NOTCAPABLE)],
    ),
    without(
        Capabilities::PROC,
        "signals",
        &[call!(proc_raise(I(6)) => NOTCAPABLE), call!(proc_raise(I(0)) => NOTCAPABLE)],
    ),
    without(
        Capabilities::STDIO,
        "standard streams",
        &[
            call!(fd_read(I(0), Buffer(16), Out) => NOTCAPABLE),
            call!(fd_write(I(1), Buffer(16), Out) => NOTCAPABLE),
            call!(fd_write(I(2), Buffer(16), Out) => NOTCAPABLE),
        ],
    ),
    with_nothing(
        Capabilities::READ,
        "nothing but names",
        &[
            open!(3, b"file", 0, READ => NOTCAPABLE),
            open!(3, b"file", 0, 0 => NOTCAPABLE),
            open!(3, b"sub", DIRECTORY, 0 => NOTCAPABLE),
            call!(path_filestat_get(I(3), I(0), S(b"file"), I(0xc000)) => NOTCAPABLE),
            call!(path_readlink(I(3), S(b"to-sub"), I(0xc000), I(100), Out) => NOTCAPABLE),
            call!(fd_filestat_get(I(3), I(0xc000)) => NOTCAPABLE),
            call!(fd_readdir(I(3), I(0xc000), I(100), L(0), Out) => NOTCAPABLE),
            call!(fd_prestat_get(I(3), I(0xc000)) => OK),
            call!(fd_close(I(3)) => OK),
        ],
    ),
    with_nothing(
        Capabilities::WRITE,
        "creating with nothing",
        &[
            open!(3, b"new", CREATE, WRITE => NOTCAPABLE),
            open!(3, b"file", TRUNCATE, WRITE => NOTCAPABLE),
            call!(path_filestat_set_times(I(3), I(1), S(b"file"), L(0), L(0), I(5)) => NOTCAPABLE),
        ],
    ),
];
