//! A directory that is a symbolic link every other moment.
//!
//! One thread swaps `in/swap`, a directory, with `in/link`, which leads outside,
//! as fast as the system does it. The guest goes through `swap` to read, look at,
//! create, rename and remove, all the while. Half of its calls may work; none may
//! reach outside.

use std::fs;
use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use zwasm_wasi::{Capabilities, WasiCtx};

use super::guest::Arg::{Buffer, I, L, Last, Out, S};
use super::guest::{Call, Guest, program};
use super::{Ground, SECRET};

/// How often the two change places.
const SWAPS: u32 = 100_000;

const READ: u64 = 2;
const WRITE: u64 = 64;

const CALLS: &[Call] = &[
    ("path_open", &[I(3), I(1), S(b"swap/secret"), I(0), L(READ), L(0), I(0), Out], &[]),
    ("fd_read", &[Last, Buffer(64), Out], &[]),
    ("fd_close", &[I(4)], &[]),
    ("path_open", &[I(3), I(1), S(b"swap/new"), I(1), L(WRITE), L(0), I(0), Out], &[]),
    ("fd_close", &[I(4)], &[]),
    ("path_create_directory", &[I(3), S(b"swap/made")], &[]),
    ("path_filestat_get", &[I(3), I(1), S(b"swap/outside-only"), I(0xc000)], &[]),
    ("path_symlink", &[S(b"x"), I(3), S(b"swap/symlink")], &[]),
    ("path_link", &[I(3), I(0), S(b"swap/secret"), I(3), S(b"stolen")], &[]),
    ("path_rename", &[I(3), S(b"swap/secret"), I(3), S(b"taken")], &[]),
    ("path_rename", &[I(3), S(b"taken"), I(3), S(b"swap/secret")], &[]),
    ("path_unlink_file", &[I(3), S(b"swap/new")], &[]),
    ("path_unlink_file", &[I(3), S(b"swap/outside-only")], &[]),
    ("path_unlink_file", &[I(3), S(b"swap/symlink")], &[]),
    ("path_unlink_file", &[I(3), S(b"stolen")], &[]),
    ("path_remove_directory", &[I(3), S(b"swap/made")], &[]),
];

#[test]
fn a_directory_that_keeps_becoming_a_link_leads_nowhere() {
    let ground = Ground::prepare();
    fs::create_dir(ground.path("in/swap")).unwrap();
    fs::write(ground.path("in/swap/secret"), "harmless").unwrap();
    fs::write(ground.path("out/outside-only"), SECRET).unwrap();
    symlink("../out", ground.path("in/link")).unwrap();
    let before = ground.picture("out");

    let mut builder = WasiCtx::builder();
    builder.caps(Capabilities::ALL).preopen_dir(ground.path("in"), "in").unwrap();
    let mut guest = Guest::new(&mut builder, &program(CALLS));
    let (mut worked, mut failed) = (0u64, 0u64);
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..SWAPS {
                let (a, b) = (ground.path("in/swap"), ground.path("in/link"));
                renameat_with(CWD, a, CWD, b, RenameFlags::EXCHANGE).unwrap();
            }
            over.store(true, Ordering::Release);
        });
        while !over.load(Ordering::Acquire) {
            let answers = guest.attack(CALLS.len());
            // Looking for what exists only outside must never succeed.
            assert_ne!(answers[6], 0, "the guest saw what is outside");
            worked += answers.iter().filter(|answer| **answer == 0).count() as u64;
            failed += answers.iter().filter(|answer| **answer != 0).count() as u64;
            assert!(!guest.knows(SECRET), "the guest read what is outside");
        }
    });
    assert_eq!(ground.picture("out"), before, "something outside has changed");
    // Both sides of the race were met.
    assert!(worked > 0 && failed > 0, "{worked} calls worked, {failed} failed");
}
