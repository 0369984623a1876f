//! Directories, and opening what is in them.
//!
//! Directories are listed straight from the system's own positions, for which
//! [`cookies`](super::cookies) has smaller numbers: an entry's cookie stays good
//! while others come and go, which an index into a listing would not.

use cap_fs_ext::{DirExt, OpenOptionsFollowExt};
use cap_std::fs::{Dir, Metadata, MetadataExt, OpenOptions, OpenOptionsExt};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, Timespec, fcntl_getfl, fcntl_setfl, openat, statat,
};
use std::borrow::Cow;
use std::fs::File;
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use super::cookies::Cookies;
use super::{Listing, RawEntry, is_for_paths_only, time};
use crate::host::fs::dir::{DirEntry, OpenHow, follow};
use crate::host::fs::room::Room;
use crate::host::fs::{FileKind, Stat};

/// Checks that a path has only names that the system takes for nothing but names: here
/// all are.
pub(crate) fn check_name(_: &str) -> io::Result<()> {
    Ok(())
}

/// An open directory.
pub(crate) type Directory = Dir;

/// Opens a directory of the host by path.
pub(crate) fn preopen(path: &Path) -> io::Result<Dir> {
    let flags = OFlags::DIRECTORY.bits() as i32;
    let file = File::options().read(true).custom_flags(flags).open(path)?;
    Ok(Dir::from_std_file(file))
}

/// Takes a descriptor that is open on a directory.
pub(crate) fn below(mut fd: OwnedFd) -> io::Result<Dir> {
    // Without `openat2`, cap-std opens some directories for looking up
    // paths only.
    if is_for_paths_only(fcntl_getfl(&fd)?) {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        fd = openat(&fd, ".", flags, Mode::empty())?;
    }
    Ok(Dir::from_std_file(fd.into()))
}

/// Opens or creates a file, or opens a directory.
///
/// Opening never waits: a pipe that nobody writes to is open at once, and
/// one that nobody reads can not be opened for writing.
pub(crate) fn open(dir: &Dir, path: &str, how: OpenHow) -> io::Result<OwnedFd> {
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
    let fd = OwnedFd::from(dir.open_with(path.as_ref(), &options)?.into_std());
    let flags = fcntl_getfl(&fd)?;
    if flags.contains(OFlags::NONBLOCK) && !how.flags.nonblock {
        fcntl_setfl(&fd, flags - OFlags::NONBLOCK)?;
    }
    Ok(fd)
}

/// What the system knows of a file found by path.
pub(crate) fn stat_of(meta: &Metadata) -> Stat {
    let time =
        |secs: i64, nanos: i64| time::nanoseconds(Timespec { tv_sec: secs, tv_nsec: nanos as _ });
    Stat {
        dev: meta.dev(),
        ino: meta.ino(),
        kind: FileKind::from(FileType::from_raw_mode(meta.mode() as _)),
        nlink: meta.nlink(),
        size: meta.size(),
        accessed: time(meta.atime(), meta.atime_nsec()),
        modified: time(meta.mtime(), meta.mtime_nsec()),
        changed: time(meta.ctime(), meta.ctime_nsec()),
    }
}

/// Creates a symbolic link at `path`; absolute targets are refused.
pub(crate) fn symlink(dir: &Dir, target: &str, path: &str) -> io::Result<()> {
    DirExt::symlink(dir, target, path)
}

/// Removes a file or a symbolic link.
pub(crate) fn unlink(dir: &Dir, path: &str) -> io::Result<()> {
    dir.remove_file(path)
}

/// Moves what is at `from` to `to` below `to_dir`, replacing that.
pub(crate) fn rename(dir: &Dir, from: &str, to_dir: &Dir, to: &str) -> io::Result<()> {
    dir.rename(from, to_dir, to)
}

/// Where reading a directory stands, and what its cookies are.
#[derive(Default)]
pub(crate) struct Listings {
    listing: Listing,
    cookies: Cookies,
}

impl Listings {
    /// Calls `entry` for every name from `cookie` on until it returns false. `.` and
    /// `..` are among them. `ahead` is how much to read from the system at a time.
    pub(crate) fn read(
        &mut self,
        dir: &Dir,
        cookie: u64,
        ahead: usize,
        room: &Room,
        entry: &mut dyn FnMut(DirEntry<'_>) -> bool,
    ) -> io::Result<()> {
        let Listings { listing, cookies } = self;
        let Some(position) = cookies.position(cookie) else {
            return Ok(());
        };
        let fd = dir.as_fd();
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
                next: cookies.of(raw.next, room),
            })
        };
        Ok(listing.read(fd, position, ahead, &mut each)?)
    }
}
