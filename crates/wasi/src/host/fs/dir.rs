//! Directories, and every operation that takes a path.
//!
//! A path is relative to an open directory and can not leave it: not by `..`,
//! not by an absolute path, not through a symbolic link, not while somebody
//! renames things underneath. That is cap-std's work (`openat2` with
//! `RESOLVE_BENEATH` where the kernel has it, component by component where it
//! has not).
//!
//! Directories are listed straight from the kernel's own positions, for which
//! [`cookies`](super::cookies) has smaller numbers: an entry's cookie stays good
//! while others come and go, which an index into a listing would not.

use cap_fs_ext::{DirExt, FollowSymlinks, OpenOptionsFollowExt, SystemTimeSpec};
use cap_std::fs::{MetadataExt, OpenOptions, OpenOptionsExt};
use cap_std::time::{Duration, SystemClock};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, Timespec, fcntl_getfl, fcntl_setfl, openat, statat,
};
use rustix::io::Errno;
use std::borrow::Cow;
use std::fs::File;
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::cookies::Cookies;
use super::{FileKind, Flags, SetTime, Stat};
use crate::Capabilities;
use crate::host::unix::{self, Listing, RawEntry};
use crate::host::{Host, Result, clocks};

/// An open directory.
pub(crate) struct Dir {
    dir: cap_std::fs::Dir,
    read_only: bool,
    /// Locked while the directory is read, as the kernel's position in it is
    /// one for all threads.
    reading: Mutex<(Listing, Cookies)>,
}

/// How to open a path.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct OpenHow {
    pub read: bool,
    pub write: bool,
    pub create: bool,
    /// Fail when the path exists.
    pub exclusive: bool,
    pub truncate: bool,
    /// Fail when the path is no directory.
    pub directory: bool,
    /// Follow a symbolic link in the last component.
    pub follow: bool,
    pub flags: Flags,
}

/// One name in a directory.
pub(crate) struct DirEntry<'a> {
    pub name: &'a [u8],
    pub ino: u64,
    pub kind: FileKind,
    /// Where the next entry starts.
    pub next: u64,
}

impl Dir {
    /// Opens a directory of the host by path: the one ambient operation, for
    /// whoever sets up the guest.
    ///
    /// With `read_only`, nothing can be changed through it or through what is
    /// opened from it, whatever the guest's capabilities.
    pub(crate) fn preopen(path: &Path, read_only: bool) -> io::Result<Dir> {
        let file =
            File::options().read(true).custom_flags(OFlags::DIRECTORY.bits() as i32).open(path)?;
        Ok(Dir { dir: cap_std::fs::Dir::from_std_file(file), read_only, reading: Mutex::default() })
    }

    /// Takes a descriptor that is open on a directory below this one.
    pub(crate) fn below(&self, mut fd: OwnedFd) -> Result<Dir> {
        // Without `openat2`, cap-std opens some directories for looking up
        // paths only.
        if unix::is_for_paths_only(fcntl_getfl(&fd)?) {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
            fd = openat(&fd, ".", flags, Mode::empty())?;
        }
        let dir = cap_std::fs::Dir::from_std_file(fd.into());
        Ok(Dir { dir, read_only: self.read_only, reading: Mutex::default() })
    }

    /// Whether nothing may be changed here.
    pub(crate) fn read_only(&self) -> bool {
        self.read_only
    }

    /// Checks that the guest may change something here for which it needs one of
    /// the capabilities `any`.
    fn require_change(&self, host: &Host, any: Capabilities) -> Result {
        host.require(any)?;
        if self.read_only { Err(Errno::ROFS.into()) } else { Ok(()) }
    }

    /// Opens or creates a file, or opens a directory.
    ///
    /// Opening never waits: a pipe that nobody writes to is open at once, and
    /// one that nobody reads can not be opened for writing.
    pub(crate) fn open(&self, host: &Host, path: &str, how: OpenHow) -> Result<OwnedFd> {
        if how.write || how.create || how.truncate {
            self.require_change(host, Capabilities::WRITE)?;
        }
        if how.read {
            host.require(Capabilities::READ)?;
        } else if !how.write {
            host.require(Capabilities::READ | Capabilities::WRITE | Capabilities::PATH)?;
        }

        // Creation flags go past cap-std's own options, which, like std's, ask
        // for write access with them; POSIX and WASI do not.
        let mut flags = OFlags::NOCTTY | OFlags::NONBLOCK;
        flags.set(OFlags::CREATE, how.create);
        flags.set(OFlags::EXCL, how.exclusive);
        flags.set(OFlags::TRUNC, how.truncate);
        flags.set(OFlags::APPEND, how.flags.append);
        flags.set(OFlags::DSYNC, how.flags.dsync);
        if how.flags.sync {
            flags |= OFlags::SYNC;
        }

        let mut path = Cow::Borrowed(path);
        if how.directory && how.follow && !path.is_empty() {
            // The same as the flag, and understood by the fallback for
            // kernels without `openat2` as well.
            path.to_mut().push('/');
        } else {
            flags.set(OFlags::DIRECTORY, how.directory);
        }

        let mut options = OpenOptions::new();
        options
            .read(how.read || !how.write)
            .write(how.write)
            .follow(follow(how.follow))
            .custom_flags(flags.bits() as i32);
        let fd = OwnedFd::from(self.dir.open_with(path.as_ref(), &options)?.into_std());
        let flags = fcntl_getfl(&fd)?;
        if flags.contains(OFlags::NONBLOCK) && !how.flags.nonblock {
            fcntl_setfl(&fd, flags - OFlags::NONBLOCK)?;
        }
        Ok(fd)
    }

    /// Creates a directory.
    pub(crate) fn create_dir(&self, host: &Host, path: &str) -> Result {
        self.require_change(host, Capabilities::PATH)?;
        Ok(self.dir.create_dir(path)?)
    }

    /// What the host knows of the file at `path`.
    pub(crate) fn stat(&self, host: &Host, path: &str, follow: bool) -> Result<Stat> {
        host.require(Capabilities::READ | Capabilities::PATH)?;
        // A trailing slash asks for what a link leads to.
        let meta = match follow || path.ends_with('/') {
            true => self.dir.metadata(path)?,
            false => self.dir.symlink_metadata(path)?,
        };
        let time = |secs: i64, nanos: i64| {
            clocks::nanoseconds(Timespec { tv_sec: secs, tv_nsec: nanos as _ })
        };
        Ok(Stat {
            dev: meta.dev(),
            ino: meta.ino(),
            kind: FileKind::from(FileType::from_raw_mode(meta.mode() as _)),
            nlink: meta.nlink(),
            size: meta.size(),
            accessed: time(meta.atime(), meta.atime_nsec()),
            modified: time(meta.mtime(), meta.mtime_nsec()),
            changed: time(meta.ctime(), meta.ctime_nsec()),
        })
    }

    /// Sets the times of the file at `path`.
    pub(crate) fn set_times(
        &self,
        host: &Host,
        path: &str,
        follow: bool,
        accessed: SetTime,
        modified: SetTime,
    ) -> Result {
        self.require_change(host, Capabilities::WRITE | Capabilities::PATH)?;
        let (accessed, modified) = (time_spec(accessed), time_spec(modified));
        match follow {
            true => DirExt::set_times(&self.dir, path, accessed, modified)?,
            false => self.dir.set_symlink_times(path, accessed, modified)?,
        }
        Ok(())
    }

    /// Gives the file at `from` another name, `to` below `to_dir`.
    pub(crate) fn hard_link(&self, host: &Host, from: &str, to_dir: &Dir, to: &str) -> Result {
        // Through its new name the file could be changed.
        self.require_change(host, Capabilities::PATH)?;
        to_dir.require_change(host, Capabilities::PATH)?;
        Ok(self.dir.hard_link(from, &to_dir.dir, to)?)
    }

    /// The text of the symbolic link at `path`; absolute ones are refused.
    pub(crate) fn read_link(&self, host: &Host, path: &str) -> Result<Vec<u8>> {
        host.require(Capabilities::READ | Capabilities::PATH)?;
        Ok(self.dir.read_link(path)?.into_os_string().into_encoded_bytes())
    }

    /// Removes an empty directory.
    pub(crate) fn remove_dir(&self, host: &Host, path: &str) -> Result {
        self.require_change(host, Capabilities::PATH)?;
        // A slash at the end says no more than that it is a directory, but cap-std
        // fails for it.
        let name = match path.trim_end_matches('/') {
            "" => path,
            name => name,
        };
        Ok(self.dir.remove_dir(name)?)
    }

    /// Moves what is at `from` to `to` below `to_dir`, replacing that.
    pub(crate) fn rename(&self, host: &Host, from: &str, to_dir: &Dir, to: &str) -> Result {
        self.require_change(host, Capabilities::PATH)?;
        to_dir.require_change(host, Capabilities::PATH)?;
        // What has a slash at its end is to be a directory, which cap-std lets pass.
        if from.ends_with('/') || to.ends_with('/') {
            let name = from.trim_end_matches('/');
            if !name.is_empty() && !self.dir.symlink_metadata(name)?.is_dir() {
                return Err(Errno::NOTDIR.into());
            }
        }
        Ok(self.dir.rename(from, &to_dir.dir, to)?)
    }

    /// Creates a symbolic link at `path`; absolute targets are refused.
    pub(crate) fn symlink(&self, host: &Host, target: &str, path: &str) -> Result {
        self.require_change(host, Capabilities::PATH)?;
        Ok(DirExt::symlink(&self.dir, target, path)?)
    }

    /// Removes a file or a symbolic link.
    pub(crate) fn unlink(&self, host: &Host, path: &str) -> Result {
        self.require_change(host, Capabilities::PATH)?;
        Ok(self.dir.remove_file(path)?)
    }

    /// Calls `entry` for every name from `cookie` on (0 is the start; others
    /// come from [`DirEntry::next`]) until it returns false. `.` and `..` are
    /// among them. A cookie that was never handed out is past the end. `ahead` is how much to read from the host at a time, in
    /// bytes, roughly.
    pub(crate) fn read_dir(
        &self,
        host: &Host,
        cookie: u64,
        ahead: usize,
        entry: &mut dyn FnMut(DirEntry<'_>) -> bool,
    ) -> Result {
        host.require(Capabilities::READ)?;
        let mut reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        let (listing, cookies) = &mut *reading;
        let Some(position) = cookies.position(cookie) else {
            return Ok(());
        };
        let fd = self.as_fd();
        let mut each = |raw: RawEntry<'_>| {
            let kind = match raw.kind {
                // Some file systems do not keep it in the directory. Gone in
                // the meantime is no reason to fail.
                FileType::Unknown => statat(fd, raw.name, AtFlags::SYMLINK_NOFOLLOW)
                    .map_or(FileType::Unknown, |stat| FileType::from_raw_mode(stat.st_mode)),
                kind => kind,
            };
            entry(DirEntry {
                name: raw.name.to_bytes(),
                ino: raw.ino,
                kind: kind.into(),
                next: cookies.of(raw.next, &host.cookies),
            })
        };
        Ok(listing.read(fd, position, ahead, &mut each)?)
    }
}

impl AsFd for Dir {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.dir.as_fd()
    }
}

fn follow(follow: bool) -> FollowSymlinks {
    if follow { FollowSymlinks::Yes } else { FollowSymlinks::No }
}

fn time_spec(time: SetTime) -> Option<SystemTimeSpec> {
    match time {
        SetTime::Keep => None,
        SetTime::Now => Some(SystemTimeSpec::SymbolicNow),
        SetTime::To(nanoseconds) => Some(SystemTimeSpec::Absolute(
            SystemClock::UNIX_EPOCH + Duration::from_nanos(nanoseconds),
        )),
    }
}
