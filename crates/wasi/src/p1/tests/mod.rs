//! The ABI called as a guest calls it, without an engine: every function
//! through [`FUNCTIONS`], pointers into a memory of the test's own.

mod paths;

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
