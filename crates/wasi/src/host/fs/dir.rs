//! Directories, and every operation that takes a path.
//!
//! A path is relative to an open directory and can not leave it: not by `..`,
//! not by an absolute path, not through a symbolic link, not while somebody
//! renames things underneath. That is cap-std's work (`openat2` with
//! `RESOLVE_BENEATH` where the kernel has it, component by component where it
//! has not). Names that a system takes for something other than names are refused
//! before: see `check_name` there.

use cap_fs_ext::{DirExt, FollowSymlinks, SystemTimeSpec};
use cap_std::time::{Duration, SystemClock};
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::file::{Handle, Origin};
use super::{FileKind, Flags, SetTime, Stat};
use crate::Capabilities;
use crate::host::sys::{self, AsFd, BorrowedFd, Directory, Listings, OwnedFd};
use crate::host::{Host, Result};

/// An open directory.
pub(crate) struct Dir {
    dir: Directory,
    read_only: bool,
    /// Locked while the directory is read, as the system's position in it is
    /// one for all threads.
    listings: Mutex<Listings>,
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
        Ok(Dir { dir: sys::preopen(path)?, read_only, listings: Mutex::default() })
    }

    /// Takes a descriptor that is open on a directory below this one.
    pub(crate) fn below(&self, fd: OwnedFd) -> Result<Dir> {
        let dir = sys::below(fd)?;
        Ok(Dir { dir, read_only: self.read_only, listings: Mutex::default() })
    }

    /// Whether nothing may be changed here.
    pub(crate) fn read_only(&self) -> bool {
        self.read_only
    }

    /// The directory as something open.
    pub(crate) fn handle(&self) -> Handle<'_> {
        let (kind, read_only) = (FileKind::Directory, self.read_only);
        Handle { fd: self.as_fd(), origin: Origin::Path { kind, read_only, nonblock: false } }
    }

    /// Checks that the guest may change something here for which it needs one of
    /// the capabilities `any`.
    fn require_change(&self, host: &Host, any: Capabilities) -> Result {
        host.require(any)?;
        if self.read_only { Err(ErrorKind::ReadOnlyFilesystem.into()) } else { Ok(()) }
    }

    /// Opens or creates a file, or opens a directory.
    ///
    /// Opening never waits.
    pub(crate) fn open(&self, host: &Host, path: &str, how: OpenHow) -> Result<OwnedFd> {
        if how.write || how.create || how.truncate {
            self.require_change(host, Capabilities::WRITE)?;
        }
        if how.read {
            host.require(Capabilities::READ)?;
        } else if !how.write {
            host.require(Capabilities::READ | Capabilities::WRITE | Capabilities::PATH)?;
        }

        sys::check_name(path)?;
        Ok(sys::open(&self.dir, path, how)?)
    }

    /// Creates a directory.
    pub(crate) fn create_dir(&self, host: &Host, path: &str) -> Result {
        self.require_change(host, Capabilities::PATH)?;
        sys::check_name(path)?;
        Ok(self.dir.create_dir(path)?)
    }

    /// What the host knows of the file at `path`.
    pub(crate) fn stat(&self, host: &Host, path: &str, follow: bool) -> Result<Stat> {
        host.require(Capabilities::READ | Capabilities::PATH)?;
        sys::check_name(path)?;
        // A trailing slash asks for what a link leads to.
        let meta = match follow || path.ends_with('/') {
            true => self.dir.metadata(path)?,
            false => self.dir.symlink_metadata(path)?,
        };
        Ok(sys::stat_of(&meta))
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
        sys::check_name(path)?;
        let (accessed, modified) = (time_spec(accessed), time_spec(modified));
        match follow {
            true => self.dir.set_times(path, accessed, modified)?,
            false => self.dir.set_symlink_times(path, accessed, modified)?,
        }
        Ok(())
    }

    /// Gives the file at `from` another name, `to` below `to_dir`.
    pub(crate) fn hard_link(&self, host: &Host, from: &str, to_dir: &Dir, to: &str) -> Result {
        // Through its new name the file could be changed.
        self.require_change(host, Capabilities::PATH)?;
        to_dir.require_change(host, Capabilities::PATH)?;
        sys::check_name(from)?;
        sys::check_name(to)?;
        Ok(self.dir.hard_link(from, &to_dir.dir, to)?)
    }

    /// The text of the symbolic link at `path`; absolute ones are refused.
    pub(crate) fn read_link(&self, host: &Host, path: &str) -> Result<Vec<u8>> {
        host.require(Capabilities::READ | Capabilities::PATH)?;
        sys::check_name(path)?;
        Ok(self.dir.read_link(path)?.into_os_string().into_encoded_bytes())
    }

    /// Removes an empty directory.
    pub(crate) fn remove_dir(&self, host: &Host, path: &str) -> Result {
        self.require_change(host, Capabilities::PATH)?;
        sys::check_name(path)?;
        // A slash at the end says no more than that it is a directory, but cap-std
        // fails for it.
        let name = match path.trim_end_matches('/') {
            "" => path,
            name => name,
        };
        // Not everywhere is this the system's answer.
        if name.ends_with("/.") {
            return Err(ErrorKind::InvalidInput.into());
        }
        match self.dir.remove_dir(name) {
            // The slash asks for what a link leads to, which may be out of reach.
            Err(error) if name != path && error.kind() == ErrorKind::NotADirectory => {
                self.dir.metadata(name)?;
                Err(error.into())
            }
            removed => Ok(removed?),
        }
    }

    /// Moves what is at `from` to `to` below `to_dir`, replacing that.
    pub(crate) fn rename(&self, host: &Host, from: &str, to_dir: &Dir, to: &str) -> Result {
        self.require_change(host, Capabilities::PATH)?;
        to_dir.require_change(host, Capabilities::PATH)?;
        sys::check_name(from)?;
        sys::check_name(to)?;
        // What has a slash at its end is to be a directory, which cap-std lets pass.
        if from.ends_with('/') || to.ends_with('/') {
            let name = from.trim_end_matches('/');
            if !name.is_empty() && !self.dir.symlink_metadata(name)?.is_dir() {
                return Err(ErrorKind::NotADirectory.into());
            }
        }
        Ok(sys::rename(&self.dir, from, &to_dir.dir, to)?)
    }

    /// Creates a symbolic link at `path`; absolute targets are refused.
    pub(crate) fn symlink(&self, host: &Host, target: &str, path: &str) -> Result {
        self.require_change(host, Capabilities::PATH)?;
        sys::check_name(target)?;
        sys::check_name(path)?;
        Ok(sys::symlink(&self.dir, target, path)?)
    }

    /// Removes a file or a symbolic link.
    pub(crate) fn unlink(&self, host: &Host, path: &str) -> Result {
        self.require_change(host, Capabilities::PATH)?;
        sys::check_name(path)?;
        Ok(sys::unlink(&self.dir, path)?)
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
        let mut listings = self.listings.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(listings.read(&self.dir, cookie, ahead, &host.room, entry)?)
    }
}

impl AsFd for Dir {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.dir.as_fd()
    }
}

/// Whether to follow a symbolic link in the last component.
pub(crate) fn follow(follow: bool) -> FollowSymlinks {
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
