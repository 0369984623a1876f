//! Guests that try to get out: of their directories, of their rights, of their
//! capabilities. Each case is a program of a few calls with the only answers
//! that are allowed; after each, what lies outside is looked at from the
//! host's side.

#![cfg(unix)]

mod cases;
mod guest;
mod race;

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use guest::{Guest, program};
use zwasm_wasi::{Capabilities, WasiCtx};

/// What no guest may ever see.
const SECRET: &[u8] = b"the-secret-outside";

/// A directory with what guests are given (`in`, `other`, `kept`) and what they
/// are not (`out`), gone when the test is over.
pub struct Ground(PathBuf);

impl Ground {
    /// A new one.
    pub fn prepare() -> Ground {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let root =
            std::env::temp_dir().join(format!("zwasm-attack-{}-{count}", std::process::id()));
        let at = |name: &str| root.join(name);
        for dir in ["in/sub/deep", "other", "kept/sub", "out/dir"] {
            fs::create_dir_all(at(dir)).unwrap();
        }
        fs::write(at("out/secret"), SECRET).unwrap();
        fs::write(at("in/file"), "inside").unwrap();
        fs::write(at("in/sub/file"), "below").unwrap();
        fs::write(at("kept/file"), "kept").unwrap();
        symlink("../out", at("in/to-out")).unwrap();
        symlink("../out/secret", at("in/to-secret")).unwrap();
        symlink(at("out"), at("in/absolute")).unwrap();
        symlink("sub/../../out", at("in/winding")).unwrap();
        symlink("../../out/dir", at("in/sub/to-out")).unwrap();
        symlink("..", at("in/up")).unwrap();
        symlink("up/out", at("in/two-steps")).unwrap();
        symlink("../out/not-there", at("in/dangling")).unwrap();
        symlink("nowhere", at("in/dangling-inside")).unwrap();
        symlink("loop-b", at("in/loop-a")).unwrap();
        symlink("loop-a", at("in/loop-b")).unwrap();
        symlink("self", at("in/self")).unwrap();
        symlink("/proc/self/root", at("in/root")).unwrap();
        symlink("/proc/self/fd", at("in/fds")).unwrap();
        symlink("sub", at("in/to-sub")).unwrap();
        symlink("file", at("in/to-file")).unwrap();
        let made = Command::new("mkfifo").arg(at("in/fifo")).status();
        assert!(made.is_ok_and(|status| status.success()));
        Ground(root)
    }

    /// The path of something in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Everything below a directory: names, sizes, contents, times.
    fn picture(&self, name: &str) -> Vec<String> {
        fn look(path: &Path, into: &mut Vec<String>) {
            let meta = fs::symlink_metadata(path).unwrap();
            let times = (meta.mtime(), meta.mtime_nsec(), meta.ctime(), meta.ctime_nsec());
            into.push(format!("{} {:?} {} {times:?}", path.display(), meta.mode(), meta.nlink()));
            if meta.is_dir() {
                let entries = fs::read_dir(path).unwrap();
                let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
                paths.sort();
                paths.iter().for_each(|path| look(path, into));
            } else if meta.is_file() {
                into.push(String::from_utf8(fs::read(path).unwrap()).unwrap());
            }
        }
        let mut picture = Vec::new();
        look(&self.path(name), &mut picture);
        picture
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn every_attack_is_refused() {
    let mut failures = Vec::new();
    for case in cases::CASES {
        let ground = Ground::prepare();
        let before = [ground.picture("out"), ground.picture("kept")];
        let mut builder = WasiCtx::builder();
        builder.caps(case.caps).preopen_dir(ground.path("in"), "in").unwrap();
        builder.preopen_dir(ground.path("other"), "other").unwrap();
        builder.preopen_dir_read_only(ground.path("kept"), "kept").unwrap();
        if Path::new("/proc/self").exists() {
            builder.preopen_dir("/proc", "proc").unwrap();
            builder.preopen_dir("/dev", "dev").unwrap();
        }
        let mut guest = Guest::new(&mut builder, &program(case.calls));
        let answers = guest.attack(case.calls.len());
        for ((name, args, expected), answer) in case.calls.iter().zip(answers) {
            if !expected.contains(&answer) {
                let name = format!("{}: {name}{args:?}", case.name);
                failures.push(format!("{name} answers {answer}, not {expected:?}"));
            }
        }
        if guest.knows(SECRET) {
            failures.push(format!("{}: the guest knows the secret", case.name));
        }
        if [ground.picture("out"), ground.picture("kept")] != before {
            failures.push(format!("{}: something outside has changed", case.name));
        }
    }
    assert!(cases::CASES.len() >= 60, "{} cases", cases::CASES.len());
    assert!(failures.is_empty(), "{}:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn refusals_are_remembered_for_the_embedder() {
    for case in cases::CASES.iter().filter(|case| case.refused != Capabilities::NONE) {
        let ground = Ground::prepare();
        let mut builder = WasiCtx::builder();
        builder.caps(case.caps).preopen_dir(ground.path("in"), "in").unwrap();
        builder.preopen_dir(ground.path("other"), "other").unwrap();
        let mut guest = Guest::new(&mut builder, &program(case.calls));
        guest.attack(case.calls.len());
        let refused = guest.store.data().refused();
        assert_eq!(refused, case.refused, "{}", case.name);
    }
}
