//! Calls with arguments that make no sense: through real guests, with numbers at
//! every extreme. Nothing may panic, and no descriptor of the host may be left.
//!
//! A short run with a fixed seed is part of the tests. For a long one:
//!
//! ```sh
//! ZWASM_WASI_CALLS=1000000 ZWASM_WASI_SEED=7 cargo test -p zwasm-wasi --test arguments
//! ```

#[path = "attacks/guest.rs"]
#[expect(dead_code, reason = "the attacks use the rest")]
mod guest;

use std::fs;
use std::net::TcpListener;

use guest::{Guest, SIGNATURES, program};
use zwasm::Val;
use zwasm_wasi::{Capabilities, WasiCtx};

/// The calls of the short run.
const CALLS: u64 = 50_000;

/// Calls after which a guest is thrown away and another begins.
const LIFE: u64 = 500;

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
        const EDGES: [u64; 14] = [
            0x400,
            0x1000,
            0x8000,
            0x1_fff0,
            0x1_ffff,
            0x2_0000,
            0x7fff_ffff,
            0x8000_0000,
            0xffff_fff0,
            0xffff_ffff,
            1 << 62,
            1 << 63,
            u64::MAX - 1,
            u64::MAX,
        ];
        match self.below(4) {
            0 => EDGES[self.below(EDGES.len() as u64) as usize],
            1 => self.below(64),
            2 => self.below(0x2_0000) & !7,
            _ => self.below(12),
        }
    }
}

/// The descriptors this process has open.
fn open_descriptors() -> usize {
    // Under wine this folder is there, and shows what wine has open.
    if cfg!(windows) {
        return 0;
    }
    fs::read_dir("/dev/fd").map_or(0, |entries| entries.count())
}

#[test]
fn no_arguments_are_trouble() {
    let root = std::env::temp_dir().join(format!("zwasm-arguments-{}", std::process::id()));
    fs::create_dir_all(root.join("sub")).unwrap();
    let (calls, seed) = (setting("ZWASM_WASI_CALLS", CALLS), setting("ZWASM_WASI_SEED", 1));
    let mut random = Random(seed.max(1));
    let text = program(&[]);
    let before = open_descriptors();
    let mut done = 0;
    while done < calls {
        fs::write(root.join("file"), [b'x'; 1000]).unwrap();
        let mut builder = WasiCtx::builder();
        builder.caps(Capabilities::ALL).args(["a", "b"]).env("c", "d");
        builder.preopen_dir(&root, "/").unwrap();
        builder.preopen_dir_read_only(&root, "/kept").unwrap();
        builder.listener(TcpListener::bind("127.0.0.1:0").unwrap());
        let mut guest = Guest::new(&mut builder, &text);
        // What would wait ends the call instead, in every other guest.
        let interrupted = random.below(2) == 0;
        if interrupted {
            guest.store.data().interrupt_handle().unwrap().interrupt();
        }
        for _ in 0..LIFE.min(calls - done) {
            done += 1;
            one_call(&mut guest, &mut random, interrupted);
        }
    }
    let _ = fs::remove_dir_all(&root);
    assert_eq!(open_descriptors(), before, "descriptors are left");
}

fn one_call(guest: &mut Guest, random: &mut Random, interrupted: bool) {
    let (name, params) = SIGNATURES[random.below(SIGNATURES.len() as u64) as usize];
    // What the pointers may point at: names, and buffers and subscriptions of
    // anything.
    let at = random.below(0x400) as usize;
    let scrap: &[u8] = match random.below(4) {
        0 => b"file\0sub/../file\0\0",
        1 => b"sub/x/../../../y",
        2 => &random.next().to_le_bytes(),
        _ => &random.number().to_le_bytes(),
    };
    guest.memory.data_mut(&mut guest.store)[at..at + scrap.len()].copy_from_slice(scrap);
    let mut args: Vec<Val> = Vec::new();
    for (index, ty) in params.split_whitespace().enumerate() {
        let number = match (index, random.below(3)) {
            (0, 0 | 1) if name.starts_with("fd_") || name.starts_with("path_") => random.below(9),
            _ => random.number(),
        };
        args.push(match ty {
            "i64" => Val::I64(number as i64),
            _ => Val::I32(number as u32 as i32),
        });
    }
    match name {
        // A gigabyte of anything is right to take its time, or the disk's space.
        "random_get" => args[1] = Val::I32(random.below(0x2_0000) as i32),
        "fd_allocate" | "fd_filestat_set_size" => {
            let last = args.len() - 1;
            args[last] = Val::I64((random.number() & 0x8000_0000_0000_ffff) as i64);
            args[1] = Val::I64((random.number() & 0x8000_0000_0000_ffff) as i64);
        }
        "fd_pwrite" => args[3] = Val::I64((random.number() & 0x8000_0000_0000_ffff) as i64),
        "poll_oneoff" if interrupted => args[2] = Val::I32(random.below(6) as i32),
        // They would wait, and be right to.
        "poll_oneoff" => args[2] = Val::I32(-(random.below(2) as i32)),
        "sock_accept" if !interrupted => args[1] = Val::I32(-1),
        _ => {}
    }
    let function = guest.instance.get_func(&mut guest.store, name).unwrap();
    let mut results = vec![Val::I32(0); usize::from(name != "proc_exit")];
    // An exit is an error here, and the guest can be called again.
    let _ = function.call(&mut guest.store, &args, &mut results);
}
