//! What attacks are tried on: directories that guests are given, and one they are not.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What no guest may ever see.
pub const SECRET: &[u8] = b"the-secret-outside";

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
    pub fn picture(&self, name: &str) -> Vec<String> {
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
