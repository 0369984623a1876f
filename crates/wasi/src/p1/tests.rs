//! The ABI called as a guest calls it, without an engine: every function
//! through [`FUNCTIONS`], pointers into a memory of the test's own.

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::rights::{self, Rights};
use super::{Args, Errno, FUNCTIONS, Memory, Stop, UNSTABLE};
use crate::{Capabilities, I32Exit, MemoryPipe, WasiCtx};

/// A directory of its own for each test, gone when the test is over.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Scratch {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("zwasm-wasi-{}-{count}", std::process::id()));
        fs::create_dir(&path).unwrap();
        Scratch(path)
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A guest with one page of memory and one directory, at descriptor 3.
struct Guest {
    cx: WasiCtx,
    memory: Vec<u8>,
    scratch: Scratch,
}

/// Where the guest keeps a path, another one, buffers, and results.
const PATH: u32 = 0x100;
const OTHER: u32 = 0x200;
const BUFFERS: u32 = 0x300;
const DATA: u32 = 0x1000;
const RESULT: u32 = 0x800;

const DIR: u64 = 3;

impl Guest {
    fn new() -> Guest {
        Guest::with(|_| {})
    }

    fn with(configure: impl FnOnce(&mut crate::WasiCtxBuilder)) -> Guest {
        let scratch = Scratch::new();
        let mut builder = WasiCtx::builder();
        builder.caps(Capabilities::ALL).preopen_dir(scratch.path(), "/").unwrap();
        configure(&mut builder);
        Guest { cx: builder.build(), memory: vec![0; 0x10000], scratch }
    }

    /// 0, or the error number.
    fn call(&mut self, name: &str, args: &[u64]) -> u16 {
        match self.try_call(name, args) {
            Ok(()) => 0,
            Err(Stop::Errno(errno)) => errno as u16,
            Err(_) => panic!("{name} does not return"),
        }
    }

    fn try_call(&mut self, name: &str, args: &[u64]) -> super::Result {
        let function = FUNCTIONS.iter().find(|function| function.name == name).unwrap();
        self.invoke(function, args)
    }

    fn unstable(&mut self, name: &str, args: &[u64]) -> u16 {
        let function = UNSTABLE.iter().find(|function| function.name == name).unwrap();
        match self.invoke(function, args) {
            Ok(()) => 0,
            Err(Stop::Errno(errno)) => errno as u16,
            Err(_) => panic!("{name} does not return"),
        }
    }

    fn invoke(&mut self, function: &super::Function, args: &[u64]) -> super::Result {
        assert_eq!(args.len(), function.params.len(), "{}", function.name);
        (function.call)(&self.cx.0, &mut Memory::Own(&mut self.memory), Args(args))
    }

    fn put(&mut self, pointer: u32, bytes: &[u8]) -> (u64, u64) {
        self.memory[pointer as usize..][..bytes.len()].copy_from_slice(bytes);
        (pointer.into(), bytes.len() as u64)
    }

    fn u32(&self, pointer: u32) -> u32 {
        u32::from_le_bytes(self.memory[pointer as usize..][..4].try_into().unwrap())
    }

    fn u64(&self, pointer: u32) -> u64 {
        u64::from_le_bytes(self.memory[pointer as usize..][..8].try_into().unwrap())
    }

    /// Lays out the buffers and returns their array.
    fn buffers(&mut self, buffers: &[(u32, u32)]) -> (u64, u64) {
        for (index, (pointer, len)) in buffers.iter().enumerate() {
            let at = BUFFERS + index as u32 * 8;
            self.put(at, &pointer.to_le_bytes());
            self.put(at + 4, &len.to_le_bytes());
        }
        (BUFFERS.into(), buffers.len() as u64)
    }

    /// `path_open` with open flags and base rights; inheriting the same.
    fn open(&mut self, path: &str, oflags: u64, base: Rights) -> Result<u64, u16> {
        let (pointer, len) = self.put(PATH, path.as_bytes());
        let args = [DIR, 0, pointer, len, oflags, base, base, 0, RESULT.into()];
        match self.call("path_open", &args) {
            0 => Ok(self.u32(RESULT).into()),
            errno => Err(errno),
        }
    }

    fn write(&mut self, fd: u64, bytes: &[u8]) -> u16 {
        self.put(DATA, bytes);
        let (array, count) = self.buffers(&[(DATA, bytes.len() as u32)]);
        self.call("fd_write", &[fd, array, count, RESULT.into()])
    }

    fn read(&mut self, fd: u64, len: u32) -> Result<Vec<u8>, u16> {
        let (array, count) = self.buffers(&[(DATA, len)]);
        match self.call("fd_read", &[fd, array, count, RESULT.into()]) {
            0 => Ok(self.memory[DATA as usize..][..self.u32(RESULT) as usize].to_vec()),
            errno => Err(errno),
        }
    }
}

const CREATE: u64 = 1;
const DIRECTORY: u64 = 2;
const TRUNCATE: u64 = 8;
const READ_WRITE: Rights = rights::FD_READ | rights::FD_WRITE;

#[test]
fn arguments_and_environment_are_laid_out() {
    let mut guest = Guest::with(|builder| {
        builder.args(["prog", "", "é\0cut"]).env("A", "b=c").envs(&[("N", "")]);
    });
    assert_eq!(guest.call("args_sizes_get", &[0, 4]), 0);
    assert_eq!((guest.u32(0), guest.u32(4)), (3, 9));
    assert_eq!(guest.call("args_get", &[16, 64]), 0);
    assert_eq!([guest.u32(16), guest.u32(20), guest.u32(24)], [64, 69, 70]);
    assert_eq!(&guest.memory[64..73], "prog\0\0é\0".as_bytes());

    assert_eq!(guest.call("environ_sizes_get", &[0, 4]), 0);
    assert_eq!((guest.u32(0), guest.u32(4)), (2, 9));
    assert_eq!(guest.call("environ_get", &[16, 64]), 0);
    assert_eq!(&guest.memory[64..73], b"A=b=c\0N=\0");

    let end = guest.memory.len() as u64;
    assert_eq!(guest.call("args_get", &[end - 12, end - 9]), 0);
    assert_eq!(guest.call("args_get", &[0, end - 8]), Errno::Fault as u16);
    assert_eq!(guest.call("args_get", &[end - 11, 0]), Errno::Fault as u16);
}

#[test]
fn output_is_gathered_from_many_buffers() {
    let (out, err) = (MemoryPipe::new(), MemoryPipe::new());
    let mut guest = Guest::with(|builder| {
        builder.stdout(Box::new(out.clone())).stderr(Box::new(err.clone()));
    });
    guest.put(DATA, b"abcdefghij");
    let mut list: Vec<_> = (0..40).map(|index| (DATA + index % 10, 1)).collect();
    list.push((0, 0));
    let (array, count) = guest.buffers(&list);
    assert_eq!(guest.call("fd_write", &[1, array, count, RESULT.into()]), 0);
    assert_eq!(guest.u32(RESULT), 40);
    assert_eq!(out.contents(), b"abcdefghij".repeat(4));

    assert_eq!(guest.write(2, b"oh"), 0);
    assert_eq!(err.contents(), b"oh");

    // Nothing is written unless everything can be.
    let (array, count) = guest.buffers(&[(DATA, 4), (0xffff, 2)]);
    assert_eq!(guest.call("fd_write", &[2, array, count, RESULT.into()]), Errno::Fault as u16);
    let (array, count) = guest.buffers(&[(DATA, 4)]);
    assert_eq!(guest.call("fd_write", &[2, array, count, 0xffff]), Errno::Fault as u16);
    assert_eq!(err.contents(), b"oh");
}

#[test]
fn input_comes_from_the_embedder() {
    let mut guest = Guest::with(|builder| {
        builder.stdin(Box::new(Cursor::new(b"some words".to_vec())));
    });
    assert_eq!(guest.read(0, 4).unwrap(), b"some");
    let (array, count) = guest.buffers(&[(DATA, 0), (DATA + 100, 3), (DATA, 50)]);
    assert_eq!(guest.call("fd_read", &[0, array, count, RESULT.into()]), 0);
    assert_eq!(guest.read(0, 100).unwrap(), b"rds");
    assert_eq!(guest.read(0, 100).unwrap(), b"");
    assert_eq!(guest.write(0, b"no"), Errno::Badf as u16);
}

#[test]
fn overlapping_buffers_are_read_one_after_the_other() {
    let mut guest = Guest::new();
    fs::write(guest.scratch.path().join("file"), "0123456789").unwrap();
    let file = guest.open("file", 0, rights::FD_READ).unwrap();
    let (array, count) =
        guest.buffers(&[(DATA, 4), (DATA + 2, 4), (DATA + 6, 1), (DATA + 7, 1), (DATA + 8, 9)]);
    assert_eq!(guest.call("fd_read", &[file, array, count, RESULT.into()]), 0);
    assert_eq!(guest.u32(RESULT), 10);
    assert_eq!(&guest.memory[DATA as usize..][..8], b"01456789");
}

/// Makes a symbolic link; false if the system does not let everybody do that.
fn symlink(target: &Path, link: &Path) -> bool {
    #[cfg(unix)]
    std::os::unix::fs::symlink(target, link).unwrap();
    #[cfg(windows)]
    if std::os::windows::fs::symlink_dir(target, link).is_err() || link.read_link().is_err() {
        return false;
    }
    true
}

#[test]
fn paths_do_not_lead_out() {
    let mut guest = Guest::new();
    let outside = Scratch::new();
    fs::write(outside.path().join("secret"), "s").unwrap();
    let inside = guest.scratch.path().to_owned();
    let relative = Path::new("..").join(outside.path().file_name().unwrap());
    let links = symlink(outside.path(), &inside.join("absolute"))
        && symlink(&relative, &inside.join("relative"));
    fs::create_dir(inside.join("sub")).unwrap();

    let up = relative.to_str().unwrap().replace('\\', "/");
    for path in [
        format!("{}/secret", outside.path().display()),
        "..".into(),
        "sub/../..".into(),
        format!("{up}/secret"),
        format!("sub/../{up}/secret"),
        "absolute/secret".into(),
        "relative/secret".into(),
    ] {
        if !links && path.ends_with("e/secret") {
            continue;
        }
        // A drive's letter is no name to begin with.
        let refused = if path.contains(':') { Errno::Inval } else { Errno::Perm } as u16;
        assert_eq!(guest.open(&path, 0, rights::FD_READ), Err(refused), "{path}");
        assert_eq!(guest.open(&path, CREATE, 0), Err(refused), "{path}");
        let (pointer, len) = guest.put(PATH, path.as_bytes());
        for follow in [0, 1] {
            let args = [DIR, follow, pointer, len, RESULT.into()];
            assert_eq!(guest.call("path_filestat_get", &args), refused, "{path}");
        }
        let unlink = guest.call("path_unlink_file", &[DIR, pointer, len]);
        assert_ne!(unlink, 0, "{path}");
    }
    let (target, target_len) = guest.put(PATH, b"/etc");
    let (link, link_len) = guest.put(OTHER, b"link");
    let args = [target, target_len, DIR, link, link_len];
    assert_eq!(guest.call("path_symlink", &args), Errno::Perm as u16);
    if links {
        let (link, link_len) = guest.put(OTHER, b"absolute");
        let args = [DIR, link, link_len, DATA.into(), 100, RESULT.into()];
        assert_eq!(guest.call("path_readlink", &args), Errno::Perm as u16);
    }
    assert_eq!(fs::read(outside.path().join("secret")).unwrap(), b"s");
}

/// What Windows takes for drives, streams, devices and other names than they are.
#[cfg(windows)]
#[test]
fn names_of_windows_lead_nowhere() {
    let mut guest = Guest::new();
    let scratch = guest.scratch.path().to_owned();
    fs::create_dir(scratch.join("sub")).unwrap();
    fs::write(scratch.join("file"), "kept").unwrap();
    for path in [
        "..\\x",
        "sub\\..\\..\\x",
        "\\\\?\\C:\\x",
        "C:x",
        "C:/x",
        "c:",
        "file:stream",
        "file::$DATA",
        "nul",
        "sub/NUL.txt",
        "con",
        "COM1",
        "lpt³.x",
        "conout$",
        "file.",
        "file ",
        "sub./x",
        "...",
    ] {
        let inval = Errno::Inval as u16;
        assert_eq!(guest.open(path, CREATE, READ_WRITE), Err(inval), "{path}");
        assert_eq!(guest.open(path, 0, rights::FD_READ), Err(inval), "{path}");
        let (pointer, len) = guest.put(PATH, path.as_bytes());
        let (file, file_len) = guest.put(OTHER, b"file");
        for function in ["path_create_directory", "path_remove_directory", "path_unlink_file"] {
            assert_eq!(guest.call(function, &[DIR, pointer, len]), inval, "{function} {path}");
        }
        let args = [DIR, 1, pointer, len, RESULT.into()];
        assert_eq!(guest.call("path_filestat_get", &args), inval, "{path}");
        for (from, to) in [((pointer, len), (file, file_len)), ((file, file_len), (pointer, len))] {
            let args = [DIR, from.0, from.1, DIR, to.0, to.1];
            assert_eq!(guest.call("path_rename", &args), inval, "{path}");
            let args = [DIR, 0, from.0, from.1, DIR, to.0, to.1];
            assert_eq!(guest.call("path_link", &args), inval, "{path}");
            let args = [from.0, from.1, DIR, to.0, to.1];
            assert_eq!(guest.call("path_symlink", &args), inval, "{path}");
        }
    }
    let mut names: Vec<_> =
        fs::read_dir(&scratch).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["file", "sub"]);
    assert_eq!(fs::read(scratch.join("file")).unwrap(), b"kept");
}

#[test]
fn bad_paths_are_errors() {
    let mut guest = Guest::new();
    assert_eq!(guest.open("", 0, 0), Err(Errno::Noent as u16));
    assert_eq!(guest.open("a\0b", 0, 0), Err(Errno::Inval as u16));
    guest.put(PATH, b"\xff\xfe");
    let args = [DIR, 0, PATH.into(), 2, 0, 0, 0, 0, RESULT.into()];
    assert_eq!(guest.call("path_open", &args), Errno::Ilseq as u16);
    assert_eq!(guest.open("x", CREATE | DIRECTORY, 0), Err(Errno::Inval as u16));
    assert_eq!(guest.open("x", 1 << 9, 0), Err(Errno::Inval as u16));
    fs::write(guest.scratch.path().join("file"), "").unwrap();
    let (pointer, len) = guest.put(PATH, b"file/");
    let args = [DIR, 0, pointer, len, RESULT.into()];
    assert_eq!(guest.call("path_filestat_get", &args), Errno::Notdir as u16);
}

#[test]
fn creating_asks_for_no_more_than_the_guest_did() {
    let mut guest = Guest::new();
    let path = guest.scratch.path().join("file");
    fs::write(&path, "kept").unwrap();
    let mut permissions = fs::metadata(&path).unwrap().permissions();
    let before = permissions.clone();
    permissions.set_readonly(true);
    fs::set_permissions(&path, permissions).unwrap();
    let file = guest.open("file", CREATE, rights::FD_READ).unwrap();
    assert_eq!(guest.read(file, 10).unwrap(), b"kept");
    assert_eq!(guest.write(file, b"x"), Errno::Badf as u16);
    // Not every system removes what is read-only.
    fs::set_permissions(&path, before).unwrap();

    fs::write(guest.scratch.path().join("other"), "cut").unwrap();
    let file = guest.open("other", TRUNCATE, rights::FD_READ).unwrap();
    assert_eq!(guest.read(file, 10).unwrap(), b"");
    assert_eq!(guest.write(file, b"x"), Errno::Badf as u16);
}

#[test]
fn a_failed_open_leaks_nothing() {
    let mut guest = Guest::new();
    let (pointer, len) = guest.put(PATH, b"file");
    let args = [DIR, 0, pointer, len, CREATE, READ_WRITE, 0, 0, 0x10000];
    assert_eq!(guest.call("path_open", &args), Errno::Fault as u16);
    assert!(!guest.scratch.path().join("file").exists());
    assert_eq!(guest.open("file", CREATE, READ_WRITE), Ok(4));
}

#[test]
fn appending_leaves_positioned_writes_alone() {
    let mut guest = Guest::new();
    let (pointer, len) = guest.put(PATH, b"log");
    let append = 1;
    let args = [DIR, 0, pointer, len, CREATE, READ_WRITE, 0, append, RESULT.into()];
    assert_eq!(guest.call("path_open", &args), 0);
    let file = guest.u32(RESULT).into();
    assert_eq!(guest.write(file, b"one two"), 0);
    guest.put(DATA, b"ONE");
    let (array, count) = guest.buffers(&[(DATA, 1), (DATA + 1, 2)]);
    assert_eq!(guest.call("fd_pwrite", &[file, array, count, 0, RESULT.into()]), 0);
    assert_eq!(guest.write(file, b" three"), 0);
    assert_eq!(fs::read(guest.scratch.path().join("log")).unwrap(), b"ONE two three");

    let args = [file, array, count, u64::MAX, RESULT.into()];
    assert_eq!(guest.call("fd_pwrite", &args), Errno::Inval as u16);
    assert_eq!(guest.call("fd_pread", &args), Errno::Inval as u16);
}

/// The names `fd_readdir` gives with a buffer of `len` bytes; `seen` is called
/// after every call.
fn list(guest: &mut Guest, dir: u64, len: u64, mut seen: impl FnMut(&[String])) -> Vec<String> {
    let (mut names, mut cookie) = (Vec::new(), 0);
    loop {
        let args = [dir, DATA.into(), len, cookie, RESULT.into()];
        assert_eq!(guest.call("fd_readdir", &args), 0);
        let used = guest.u32(RESULT);
        let mut at = 0;
        while at + 24 <= used {
            let namlen = guest.u32(DATA + at + 16);
            if at + 24 + namlen > used {
                break;
            }
            let name = &guest.memory[(DATA + at + 24) as usize..][..namlen as usize];
            names.push(String::from_utf8(name.to_vec()).unwrap());
            cookie = guest.u64(DATA + at);
            at += 24 + namlen;
        }
        seen(&names);
        if u64::from(used) < len {
            return names;
        }
        assert!(at > 0, "a buffer of {len} bytes holds an entry");
    }
}

#[test]
fn directories_are_listed_whole_whatever_the_buffer() {
    let mut guest = Guest::new();
    let mut expected = vec![".".to_string(), "..".to_string()];
    for index in 0..300 {
        let name = format!("{index:0width$}", width = 1 + index % 200);
        fs::write(guest.scratch.path().join(&name), "").unwrap();
        expected.push(name);
    }
    expected.sort();
    for len in [224, 300, 4096, 40_000] {
        let mut names = list(&mut guest, DIR, len, |_| {});
        names.sort();
        assert_eq!(names, expected, "{len}");
    }
    let past_the_end = [DIR, DATA.into(), 4096, u64::MAX / 2 + 1, RESULT.into()];
    assert_eq!(guest.call("fd_readdir", &past_the_end), 0);
    assert_eq!(guest.u32(RESULT), 0);
    // A buffer too small for any entry is filled as far as it goes.
    assert_eq!(guest.call("fd_readdir", &[DIR, DATA.into(), 10, 0, RESULT.into()]), 0);
    assert_eq!(guest.u32(RESULT), 10);
    assert_eq!(guest.call("fd_readdir", &[DIR, DATA.into(), 0, 0, RESULT.into()]), 0);
    assert_eq!(guest.u32(RESULT), 0);
}

#[test]
fn entries_removed_while_listing_hide_no_others() {
    let mut guest = Guest::new();
    let path = guest.scratch.path().to_owned();
    for index in 0..500 {
        fs::write(path.join(format!("entry-{index}")), "").unwrap();
    }
    let mut removed = 0;
    let names = list(&mut guest, DIR, 512, |names| {
        for name in &names[removed..] {
            let _ = fs::remove_file(path.join(name));
        }
        removed = names.len();
    });
    assert_eq!(names.len(), 502);
    assert_eq!(fs::read_dir(&path).unwrap().count(), 0);
}

/// The first name that `fd_readdir` gives from `cookie` on, and the cookie of
/// the next; none at the end.
fn entry_at(guest: &mut Guest, dir: u64, cookie: u64) -> Option<(String, u64)> {
    let args = [dir, DATA.into(), 300, cookie, RESULT.into()];
    assert_eq!(guest.call("fd_readdir", &args), 0);
    if guest.u32(RESULT) == 0 {
        return None;
    }
    let len = guest.u32(DATA + 16) as usize;
    let name = &guest.memory[DATA as usize + 24..][..len];
    Some((String::from_utf8(name.to_vec()).unwrap(), guest.u64(DATA)))
}

/// What a guest keeps in a `long` of 32 bits leads back to the same entries, in
/// any order, through a rewind, and while other entries come and go.
#[test]
fn cookies_fit_32_bits_and_stay() {
    let mut guest = Guest::new();
    let path = guest.scratch.path().to_owned();
    for index in 0..50 {
        fs::write(path.join(format!("entry-{index}")), "").unwrap();
    }
    let (mut seen, mut cookie) = (Vec::new(), 0);
    while let Some((name, next)) = entry_at(&mut guest, DIR, cookie) {
        seen.push((cookie, name));
        assert!(i32::try_from(next).is_ok(), "{next:#x}");
        cookie = next;
    }
    assert_eq!(seen.len(), 52);
    for _ in 0..2 {
        for (cookie, name) in seen.iter().rev() {
            assert_eq!(&entry_at(&mut guest, DIR, *cookie).unwrap().0, name);
        }
        for (at, next) in seen.iter().zip(&seen[1..]) {
            assert_eq!(entry_at(&mut guest, DIR, at.0), Some((at.1.clone(), next.0)));
        }
    }
    assert_eq!(entry_at(&mut guest, DIR, cookie), None);
    for made_up in [cookie + 1, 1 << 31, u64::MAX >> 1] {
        assert_eq!(entry_at(&mut guest, DIR, made_up), None, "{made_up:#x}");
    }

    // Another descriptor of the same directory counts for itself.
    let other = guest.open(".", DIRECTORY, rights::DIRECTORY).unwrap();
    assert_eq!(entry_at(&mut guest, other, cookie), None);
    assert_eq!(entry_at(&mut guest, other, 0).unwrap().0, seen[0].1);

    let (kept, gone) = seen.split_at(26);
    for (_, name) in gone.iter().filter(|(_, name)| name.starts_with("entry")) {
        fs::remove_file(path.join(name)).unwrap();
    }
    for (cookie, name) in kept {
        assert_eq!(&entry_at(&mut guest, DIR, *cookie).unwrap().0, name);
    }
}

#[test]
fn a_directory_to_remove_may_end_in_slashes() {
    let mut guest = Guest::new();
    let path = guest.scratch.path().to_owned();
    fs::create_dir(path.join("in")).unwrap();
    for name in ["a", "a/", "a//", "in/a/", "in//a///", "./a/"] {
        let directory = path.join(name.trim_end_matches('/'));
        fs::create_dir(&directory).unwrap();
        let (pointer, len) = guest.put(PATH, name.as_bytes());
        assert_eq!(guest.call("path_remove_directory", &[DIR, pointer, len]), 0, "{name}");
        assert!(!directory.exists(), "{name}");
    }

    fs::create_dir(path.join("in/full")).unwrap();
    fs::write(path.join("file"), "").unwrap();
    let links = symlink(Path::new("in/full"), &path.join("link"));
    for (name, errno) in [
        ("in/", Errno::Notempty),
        ("file/", Errno::Notdir),
        ("link/", Errno::Notdir),
        ("missing/", Errno::Noent),
        ("in/.", Errno::Inval),
        ("in/full/.", Errno::Inval),
        ("", Errno::Noent),
        ("/", Errno::Perm),
        ("//", Errno::Perm),
    ] {
        if name == "link/" && !links {
            continue;
        }
        let (pointer, len) = guest.put(PATH, name.as_bytes());
        let result = guest.call("path_remove_directory", &[DIR, pointer, len]);
        assert_eq!(result, errno as u16, "{name}");
    }
    assert!(path.join("in/full").exists() && path.join("file").exists());
}

#[test]
fn preopens_have_names() {
    let mut guest = Guest::new();
    assert_eq!(guest.call("fd_prestat_get", &[3, RESULT.into()]), 0);
    assert_eq!((guest.u32(RESULT), guest.u32(RESULT + 4)), (0, 1));
    assert_eq!(guest.call("fd_prestat_dir_name", &[3, RESULT.into(), 1]), 0);
    assert_eq!(guest.memory[RESULT as usize], b'/');
    let short = guest.call("fd_prestat_dir_name", &[3, RESULT.into(), 0]);
    assert_eq!(short, Errno::Nametoolong as u16);
    let other = guest.open(".", DIRECTORY, rights::DIRECTORY).unwrap();
    for fd in [0, other, other + 1, u64::from(u32::MAX)] {
        assert_eq!(guest.call("fd_prestat_get", &[fd, RESULT.into()]), Errno::Badf as u16);
    }
}

#[test]
fn rights_only_shrink() {
    let mut guest = Guest::new();
    let dir = guest.open(".", DIRECTORY, 0).unwrap();
    assert_eq!(guest.call("fd_fdstat_get", &[dir, RESULT.into()]), 0);
    let (base, inheriting) = (guest.u64(RESULT + 8), guest.u64(RESULT + 16));
    assert_eq!((base, inheriting), (rights::DIRECTORY, rights::ALL));
    let less = inheriting & !(rights::PATH_CREATE_FILE | rights::FD_WRITE);
    assert_eq!(guest.call("fd_fdstat_set_rights", &[dir, base, less]), 0);
    let regain = guest.call("fd_fdstat_set_rights", &[dir, base, inheriting]);
    assert_eq!(regain, Errno::Notcapable as u16);

    // What was given away can not be had below either; what is no right at all
    // does not matter.
    let (pointer, len) = guest.put(PATH, b"new");
    let mut args = [dir, 0, pointer, len, CREATE, rights::FD_WRITE, 0, 0, RESULT.into()];
    assert_eq!(guest.call("path_open", &args), Errno::Notcapable as u16);
    args[5] = rights::FD_READ | 1 << 40;
    assert_eq!(guest.call("path_open", &args), 0);
    let (pointer, len) = guest.put(PATH, b".");
    let args = [dir, 0, pointer, len, DIRECTORY, less, less, 0, RESULT.into()];
    assert_eq!(guest.call("path_open", &args), 0);
    let below = guest.u32(RESULT).into();
    assert_eq!(guest.call("fd_fdstat_get", &[below, RESULT.into()]), 0);
    assert_eq!(guest.u64(RESULT + 8), base & less);
    assert_eq!(guest.u64(RESULT + 16), less);
    let (pointer, len) = guest.put(PATH, b"newer");
    let args = [below, 0, pointer, len, CREATE, 0, 0, 0, RESULT.into()];
    assert_eq!(guest.call("path_open", &args), Errno::Notcapable as u16);
}

#[test]
fn what_can_not_be_done_with_a_descriptor_has_its_own_error() {
    let mut guest = Guest::new();
    let result = RESULT.into();
    let file = guest.open("file", CREATE, rights::FD_READ).unwrap();
    for (args, name, errno) in [
        (&[DIR, 0, 0, result][..], "fd_read", Errno::Badf),
        (&[DIR, 0, 0, result], "fd_write", Errno::Badf),
        (&[DIR, 0, 0, result], "fd_seek", Errno::Badf),
        (&[DIR, result], "fd_tell", Errno::Badf),
        (&[DIR, 0, 1], "fd_allocate", Errno::Badf),
        (&[DIR, 0], "fd_filestat_set_size", Errno::Badf),
        (&[file, 0], "fd_filestat_set_size", Errno::Badf),
        (&[file, 0, 1], "fd_allocate", Errno::Badf),
        (&[1, 0, 0, result], "fd_seek", Errno::Spipe),
        (&[file, DATA.into(), 10, 0, result], "fd_readdir", Errno::Notdir),
        (&[file, DATA.into(), 0], "path_create_directory", Errno::Notdir),
    ] {
        assert_eq!(guest.call(name, args), errno as u16, "{name} {args:?}");
    }
}

#[test]
fn standard_streams_move_and_close() {
    let out = MemoryPipe::new();
    let mut guest = Guest::with(|builder| {
        builder.stdout(Box::new(out.clone()));
    });
    let file = guest.open("file", CREATE, READ_WRITE).unwrap();
    assert_eq!(guest.call("fd_renumber", &[1, file]), 0);
    assert_eq!(guest.write(1, b"x"), Errno::Badf as u16);
    assert_eq!(guest.write(file, b"moved"), 0);
    assert_eq!(guest.open("file", 0, READ_WRITE), Ok(1));
    assert_eq!(guest.write(1, b"to the file"), 0);
    assert_eq!(guest.call("fd_close", &[file]), 0);
    assert_eq!(guest.call("fd_close", &[file]), Errno::Badf as u16);
    assert_eq!(out.contents(), b"moved");
    assert_eq!(fs::read(guest.scratch.path().join("file")).unwrap(), b"to the file");
}

#[test]
fn the_older_abi_has_its_own_numbers() {
    let mut guest = Guest::new();
    fs::write(guest.scratch.path().join("file"), "0123456789").unwrap();
    let file = guest.open("file", 0, READ_WRITE).unwrap();
    let result = RESULT.into();
    for (whence, old, at) in [(0, 2, 2), (1, 0, 4), (2, 1, 12)] {
        assert_eq!(guest.call("fd_seek", &[file, 2, 0, result]), 0);
        assert_eq!(guest.call("fd_seek", &[file, 2, whence, result]), 0);
        assert_eq!(guest.u64(RESULT), at);
        assert_eq!(guest.call("fd_seek", &[file, 2, 0, result]), 0);
        assert_eq!(guest.unstable("fd_seek", &[file, 2, old, result]), 0);
        assert_eq!(guest.u64(RESULT), at);
    }
    assert_eq!(guest.call("fd_seek", &[file, u64::MAX, 0, result]), Errno::Inval as u16);
    assert_eq!(guest.call("fd_seek", &[file, 0, 3, result]), Errno::Inval as u16);

    guest.memory[RESULT as usize..][..64].fill(0xee);
    assert_eq!(guest.unstable("fd_filestat_get", &[file, result]), 0);
    assert_eq!((guest.u32(RESULT + 20), guest.u64(RESULT + 24)), (1, 10));
    assert_eq!(guest.u64(RESULT + 56), 0xeeee_eeee_eeee_eeee);
    let (modified, changed) = (guest.u64(RESULT + 40), guest.u64(RESULT + 48));
    let (pointer, len) = guest.put(PATH, b"file");
    assert_eq!(guest.call("path_filestat_get", &[DIR, 1, pointer, len, result]), 0);
    assert_eq!((guest.u64(RESULT + 24), guest.u64(RESULT + 32)), (1, 10));
    assert_eq!((guest.u64(RESULT + 48), guest.u64(RESULT + 56)), (modified, changed));
    assert_eq!(guest.unstable("path_filestat_get", &[DIR, 1, pointer, len, result]), 0);
    assert_eq!((guest.u32(RESULT + 20), guest.u64(RESULT + 24)), (1, 10));

    // An absolute time long past.
    let mut subscription = [0; 56];
    subscription[0] = 7;
    subscription[24] = 1;
    subscription[32] = 1;
    subscription[48] = 1;
    guest.put(DATA, &subscription);
    assert_eq!(guest.unstable("poll_oneoff", &[DATA.into(), 0x3000, 1, result]), 0);
    assert_eq!((guest.u32(RESULT), guest.u64(0x3000), guest.u32(0x3008)), (1, 7, 0));
}

/// A subscription: to a clock (number, time, flags) or a descriptor.
fn subscription(userdata: u64, event: u8, first: u32, timeout: u64, flags: u16) -> [u8; 48] {
    let mut bytes = [0; 48];
    bytes[0..8].copy_from_slice(&userdata.to_le_bytes());
    bytes[8] = event;
    bytes[16..20].copy_from_slice(&first.to_le_bytes());
    bytes[24..32].copy_from_slice(&timeout.to_le_bytes());
    bytes[40..42].copy_from_slice(&flags.to_le_bytes());
    bytes
}

/// Polls and returns user data, error and type of each event.
fn poll(guest: &mut Guest, subscriptions: &[[u8; 48]]) -> Vec<(u64, u16, u8)> {
    guest.put(DATA, subscriptions.as_flattened());
    let args = [DATA.into(), 0x3000, subscriptions.len() as u64, RESULT.into()];
    assert_eq!(guest.call("poll_oneoff", &args), 0);
    let event = |index: u32| {
        let at = 0x3000 + 32 * index;
        let word = guest.u32(at + 8);
        (guest.u64(at), word as u16, (word >> 16) as u8)
    };
    (0..guest.u32(RESULT)).map(event).collect()
}

#[test]
fn polling_waits_for_clocks_and_descriptors() {
    let mut guest = Guest::new();
    let start = std::time::Instant::now();
    let events = poll(
        &mut guest,
        &[subscription(1, 0, 1, 30_000_000, 0), subscription(2, 0, 0, 10_000_000_000, 0)],
    );
    assert_eq!(events, [(1, 0, 0)]);
    assert!(start.elapsed().as_millis() >= 30);
    assert!(start.elapsed().as_secs() < 5);

    // Everything that is ready comes, and nothing else.
    let events = poll(
        &mut guest,
        &[
            subscription(1, 0, 0, 1, 1),
            subscription(2, 0, 1, u64::MAX, 0),
            subscription(3, 2, 1, 0, 0),
            subscription(4, 1, 0, 0, 0),
        ],
    );
    assert_eq!(events, [(1, 0, 0), (3, 0, 2), (4, 0, 1)]);

    // What can not be waited for is an error.
    for (subscription, errno) in [
        (subscription(1, 1, 77, 0, 0), Errno::Badf),
        (subscription(1, 2, 0, 0, 0), Errno::Badf),
        (subscription(1, 1, DIR as u32, 0, 0), Errno::Badf),
        (subscription(1, 0, 9, 0, 0), Errno::Inval),
        (subscription(1, 0, 2, 0, 0), Errno::Notsup),
        (subscription(1, 0, 1, 0, 8), Errno::Inval),
        (subscription(1, 3, 1, 0, 0), Errno::Inval),
    ] {
        guest.put(DATA, &subscription);
        let args = [DATA.into(), 0x3000, 1, RESULT.into()];
        assert_eq!(guest.call("poll_oneoff", &args), errno as u16);
    }

    fs::write(guest.scratch.path().join("file"), "12345").unwrap();
    let file = guest.open("file", 0, READ_WRITE).unwrap();
    let events = poll(&mut guest, &[subscription(9, 1, file as u32, 0, 0)]);
    assert_eq!(events, [(9, 0, 1)]);
    assert_eq!((guest.u64(0x3010), guest.memory[0x3018]), (5, 0));

    assert_eq!(guest.call("poll_oneoff", &[0, 0, 0, 0]), Errno::Inval as u16);
    let mut large = Guest::new();
    large.memory = vec![0; 0x20_0000];
    // So many clocks at zero: they are all over.
    for index in 0..16385 {
        large.put(index * 48, &subscription(1, 0, 1, 0, 0));
    }
    assert_eq!(large.call("poll_oneoff", &[0, 0x10_0000, 16384, 0x1F_0000]), 0);
    let more = large.try_call("poll_oneoff", &[0, 0x10_0000, 16385, 0x1F_0000]);
    assert!(matches!(more, Err(Stop::Subscriptions(16385))));
    let bad = guest.call("poll_oneoff", &[0, 0, 0x1000_0000, 0]);
    assert_eq!(bad, Errno::Fault as u16);
}

#[test]
fn exits_and_signals_leave_the_guest() {
    let mut guest = Guest::new();
    let mut exit = |name, code| match guest.try_call(name, &[code]) {
        Ok(()) => Ok(None),
        Err(Stop::Exit(I32Exit(code))) => Ok(Some(code)),
        Err(Stop::Errno(errno)) => Err(errno),
        Err(_) => panic!("{name} is not allowed"),
    };
    assert_eq!(exit("proc_exit", 0), Ok(Some(0)));
    assert_eq!(exit("proc_exit", u64::from(u32::MAX)), Ok(Some(-1)));
    assert_eq!(exit("proc_raise", 0), Ok(None));
    assert_eq!(exit("proc_raise", 6), Ok(Some(134)));
    assert_eq!(exit("proc_raise", 16), Ok(None));
    assert_eq!(exit("proc_raise", 19), Err(Errno::Notsup));
    assert_eq!(exit("proc_raise", 31), Err(Errno::Inval));
}

#[test]
fn nothing_is_a_socket() {
    let mut guest = Guest::new();
    assert_eq!(guest.call("sock_shutdown", &[0, 1]), Errno::Notsock as u16);
    assert_eq!(guest.call("sock_shutdown", &[4, 1]), Errno::Badf as u16);
    assert_eq!(guest.call("sock_accept", &[3, 0, 0]), Errno::Notsock as u16);
}

#[test]
fn times_are_set_as_the_flags_say() {
    let mut guest = Guest::new();
    let file = guest.open("file", CREATE, READ_WRITE).unwrap();
    // Windows counts in larger steps.
    let step = if cfg!(windows) { 100 } else { 1 };
    let (early, late) = (1_000_000_000 + step, 2_000_000_000_000_000_000 + 2 * step);
    assert_eq!(guest.call("fd_filestat_set_times", &[file, early, late, 0b0101]), 0);
    assert_eq!(guest.call("fd_filestat_get", &[file, RESULT.into()]), 0);
    assert_eq!((guest.u64(RESULT + 40), guest.u64(RESULT + 48)), (early, late));
    let (pointer, len) = guest.put(PATH, b"file");
    let args = [DIR, 1, pointer, len, 0, early, 0b0110];
    assert_eq!(guest.call("path_filestat_set_times", &args), 0);
    assert_eq!(guest.call("fd_filestat_get", &[file, RESULT.into()]), 0);
    assert!(guest.u64(RESULT + 40) > 1_500_000_000_000_000_000);
    assert_eq!(guest.u64(RESULT + 48), early);
    let bad = guest.call("fd_filestat_set_times", &[file, 0, 0, 0b1100]);
    assert_eq!(bad, Errno::Inval as u16);
    let bad = guest.call("fd_filestat_set_times", &[file, 0, 0, 0b10000]);
    assert_eq!(bad, Errno::Inval as u16);
}

/// Every function with every mix of troublesome numbers: errors, never panics.
#[test]
fn no_argument_panics() {
    const NUMBERS: [u64; 12] = [
        0,
        1,
        2,
        3,
        4,
        0xfff8,
        0xffff,
        0x1_0000,
        0x7fff_ffff,
        0xffff_fff8,
        u32::MAX as u64,
        u64::MAX,
    ];
    let mut guest = Guest::new();
    let file = guest.open("file", CREATE, READ_WRITE).unwrap();
    assert_eq!(file, 4);
    // A small random generator, always with the same numbers.
    let mut state = 1u64;
    let mut random = move || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) as usize
    };
    for function in FUNCTIONS.iter().chain(&UNSTABLE) {
        for _ in 0..3000 {
            let pick = |_: &super::Type| NUMBERS[random() % NUMBERS.len()];
            let mut args: Vec<u64> = function.params.iter().map(pick).collect();
            match function.name {
                // These would close what the others need, or fill the disk.
                "fd_close" | "fd_renumber" => args[0] = args[0].wrapping_add(5),
                "fd_allocate" | "fd_pwrite" | "fd_filestat_set_size" if args[0] == 4 => continue,
                // It would wait, and be right to.
                "poll_oneoff" => args[2] = args[2].max(0x1000),
                _ => {}
            }
            guest.memory[..256].copy_from_slice(&[b'/'; 256]);
            let _ = guest.invoke(function, &args);
        }
    }
    // Without a memory there are only errors, and still no panics.
    guest.memory.clear();
    for function in &FUNCTIONS {
        let args: Vec<u64> = function.params.iter().map(|_| 1).collect();
        let _ = guest.invoke(function, &args);
    }
}
