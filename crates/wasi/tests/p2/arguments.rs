//! Calls with arguments that make no sense: through real components, with numbers at
//! every extreme and handles of everything. Nothing may panic, and no descriptor of the
//! host may be left.
//!
//! A short run with a fixed seed is part of the tests. For a long one:
//!
//! ```sh
//! ZWASM_WASI_CALLS=1000000 ZWASM_WASI_SEED=7 cargo test -p zwasm-wasi --test p2 arguments
//! ```

use std::fs;

use zwasm_component::Val;
use zwasm_wasi::{Capabilities, WasiCtx};

use super::guest::Arg::{Dir, I, L, Of, S};
use super::guest::{Call, FUNCTIONS, Guest, prepare, program};

/// The calls of the short run.
const CALLS: u64 = 5_000;

/// Calls after which a guest is thrown away, unless one stops it before.
const LIFE: u64 = 200;

/// What a guest has from the start: handles 1 and 2 are of directories, 3 of a file, 4
/// of a directory below, and so on.
const BEGINNING: &[Call] = &[
    ("get-directories", &[], &[]),
    ("open-at", &[Dir(0), I(1), S("file"), I(1), I(3)], &[]),
    ("open-at", &[Dir(0), I(1), S("sub"), I(2), I(1)], &[]),
    ("read-via-stream", &[Of(1), L(0)], &[]),
    ("get-stdin", &[], &[]),
    ("append-via-stream", &[Of(1)], &[]),
    ("get-stdout", &[], &[]),
    ("subscribe-duration", &[L(1 << 40)], &[]),
    ("input-stream.subscribe", &[Of(3)], &[]),
    ("read-directory", &[Dir(0)], &[]),
];

/// The handles of a resource, from the first on, and how many.
fn handles(function: &str) -> Option<(u64, u64)> {
    Some(match function.trim_start_matches("[method]").split(['.', '_']).next()? {
        "descriptor" => (1, 4),
        "input-stream" => (5, 2),
        "output-stream" => (7, 2),
        "pollable" => (9, 2),
        "directory-entry-stream" => (11, 1),
        _ => return None,
    })
}

/// A setting from the environment.
fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

/// A small random generator.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// A number that is likely to be trouble.
    fn number(&mut self) -> u64 {
        const EDGES: [u64; 12] = [
            0x4000,
            0x3_fff0,
            0x3_ffff,
            0x4_0000,
            0x7fff_ffff,
            0x8000_0000,
            0xffff_fff0,
            0xffff_ffff,
            1 << 62,
            1 << 63,
            u64::MAX - 1,
            u64::MAX,
        ];
        match self.below(8) {
            0 => EDGES[self.below(EDGES.len() as u64) as usize],
            1 => self.below(0x2_0000) & !7,
            _ => self.below(12),
        }
    }
}

/// The descriptors this process has open. Other tests run beside this one, so that it is
/// at least so many.
fn open_descriptors() -> usize {
    if cfg!(windows) {
        return 0;
    }
    fs::read_dir("/dev/fd").map_or(0, |entries| entries.count())
}

#[test]
fn no_arguments_are_trouble() {
    let root = std::env::temp_dir().join(format!("zwasm-p2-arguments-{}", std::process::id()));
    fs::create_dir_all(root.join("sub")).unwrap();
    let (calls, seed) = (setting("ZWASM_WASI_CALLS", CALLS), setting("ZWASM_WASI_SEED", 1));
    let mut random = Random(seed.max(1));
    let program = prepare(&program(BEGINNING, "0.2.12"));
    let before = open_descriptors();
    let (mut done, mut good) = (0, 0);
    while done < calls {
        // Some file systems wait for the disk when a file is cut to be written anew.
        let _ = fs::remove_file(root.join("file"));
        fs::write(root.join("file"), [b'x'; 1000]).unwrap();
        fs::create_dir_all(root.join("sub")).unwrap();
        let mut builder = WasiCtx::builder();
        builder.caps(Capabilities::ALL).args(["a", "b"]).env("c", "d");
        builder.preopen_dir(&root, "/").unwrap();
        builder.preopen_dir_read_only(&root, "/kept").unwrap();
        let mut guest = Guest::of(&mut builder, &program);
        guest.attack().unwrap();
        // What would wait ends the guest instead, for every other one.
        let interrupted = random.below(2) == 0;
        if interrupted {
            guest.store.data().wasi.interrupt_handle().unwrap().interrupt();
        }
        for _ in 0..LIFE {
            done += 1;
            if !one_call(&mut guest, &mut random, interrupted) {
                break;
            }
            good += 1;
        }
    }
    let _ = fs::remove_dir_all(&root);
    assert!(good > calls / 4, "{good} of {done} calls come back");
    let left = open_descriptors().saturating_sub(before);
    assert!(left < 200, "{left} descriptors are left");
}

/// Makes a call; whether it comes back.
fn one_call(guest: &mut Guest, random: &mut Random, interrupted: bool) -> bool {
    let index = random.below(FUNCTIONS.len() as u64) as usize;
    let (_, name, params, ..) = FUNCTIONS[index];
    // These would wait, and be right to.
    if !interrupted && matches!(name, "poll" | "[method]pollable.block") {
        return true;
    }
    // Waiting for the disk takes longer than all else.
    if name.contains("sync") && random.below(100) != 0 {
        return true;
    }
    // A name, or anything, where pointers may point.
    let scrap = match random.below(4) {
        0 => u64::from_le_bytes(*b"file\0sub"),
        1 => u64::from_le_bytes(*b"sub/../f"),
        2 => random.next(),
        _ => random.number(),
    };
    let poke = guest.instance.get_func(&mut guest.store, "poke").unwrap();
    let at = Val::U32(0x100 + random.below(16) as u32);
    poke.call(&mut guest.store, &[at, Val::U64(scrap)], &mut []).unwrap();
    let count = params.split_whitespace().count();
    let mut args: Vec<_> = (0..count).map(|_| random.number()).collect();
    if let Some((first, count)) = handles(name)
        && random.below(32) != 0
    {
        args[0] = first + random.below(count);
    }
    // Pointers: to what was put there, with a length; the last to where results go.
    if random.below(16) != 0 {
        for (at, param) in params.split_whitespace().enumerate().skip(1) {
            if param == "i32" && random.below(2) == 0 {
                args[at] = 0x100 + random.below(16);
            }
        }
        if count > 0 && args.len() > 1 {
            args[count - 1] = 0x4000;
        }
    }
    match name {
        // Megabytes of anything are right to take their time, or the disk's space.
        "get-random-bytes" | "get-insecure-random-bytes" => args[0] &= 0x8000_0000_0000_ffff,
        "[method]descriptor.set-size" => args[1] &= 0x8000_0000_0000_ffff,
        "[method]descriptor.write" => args[3] &= 0x8000_0000_0000_ffff,
        "[method]descriptor.write-via-stream" => args[1] &= 0x8000_0000_0000_ffff,
        _ => {}
    }
    let args: Vec<_> = args.into_iter().map(Val::U64).collect();
    let call = guest.instance.get_func(&mut guest.store, format!("call-{index}")).unwrap();
    call.call(&mut guest.store, &args, &mut []).is_ok()
}
