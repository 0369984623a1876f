//! Directories, and opening what is in them.
//!
//! cap-std looks paths up component by component, holding directories open in a way
//! that nobody can rename or remove them meanwhile. So does this: a guest's directories
//! are opened like cap-std's own.

use cap_fs_ext::{DirExt, MetadataExt as _, OpenOptionsFollowExt};
use cap_std::ambient_authority;
use cap_std::fs::{Dir, Metadata, MetadataExt, OpenOptions, OpenOptionsExt};
use std::collections::HashMap;
use std::collections::hash_map::Entry as Place;
use std::io::{self, ErrorKind};
use std::ops::Deref;
use std::path::Path;

use super::{AsFd, BorrowedFd, OwnedFd, kind, time};
use crate::host::fs::dir::{DirEntry, OpenHow, follow};
use crate::host::fs::room::Room;
use crate::host::fs::{FileKind, Stat};

/// `FILE_FLAG_BACKUP_SEMANTICS`: what is opened may be a directory.
const ALSO_DIRECTORIES: u32 = 0x0200_0000;
/// `FILE_FLAG_WRITE_THROUGH`.
const WRITE_THROUGH: u32 = 0x8000_0000;
/// `GENERIC_READ`, and `FILE_WRITE_ATTRIBUTES` besides.
const READ_AND_SET_TIMES: u32 = 0x8000_0000 | 0x100;

/// An open directory: for paths below it, and itself.
pub(crate) struct Directory {
    dir: Dir,
    fd: OwnedFd,
}

impl Deref for Directory {
    type Target = Dir;

    fn deref(&self) -> &Dir {
        &self.dir
    }
}

impl AsFd for Directory {
    fn as_fd(&self) -> BorrowedFd<'_> {
        &self.fd
    }
}

/// Opens a directory of the host by path.
pub(crate) fn preopen(path: &Path) -> io::Result<Directory> {
    let dir = Dir::open_ambient_dir(path, ambient_authority())?;
    below(OwnedFd::from(dir.into_std_file()))
}

/// Takes what is open on a directory.
pub(crate) fn below(fd: OwnedFd) -> io::Result<Directory> {
    let copy = fd.directory().ok_or(ErrorKind::NotADirectory)?.try_clone()?;
    Ok(Directory { dir: Dir::from_std_file(copy), fd })
}

/// Opens or creates a file, or opens a directory.
///
/// Opening never waits.
pub(crate) fn open(dir: &Dir, path: &str, how: OpenHow) -> io::Result<OwnedFd> {
    let open = |options: &OpenOptions| -> io::Result<OwnedFd> {
        let file = dir.open_with(path, options)?.into_std();
        Ok(OwnedFd::opened(file, how.flags))
    };
    let mut options = OpenOptions::new();
    options.follow(follow(how.follow));
    let durable = if how.flags.sync || how.flags.dsync { WRITE_THROUGH } else { 0 };
    options.custom_flags(ALSO_DIRECTORIES | durable);

    let existing = || match how.write {
        true => open(options.clone().read(how.read).write(true)),
        // Setting times takes no right to write elsewhere.
        false => match open(options.clone().read(true).access_mode(READ_AND_SET_TIMES)) {
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                open(options.clone().read(true))
            }
            result => result,
        },
    };
    // Creating takes the right to write here, which others do not ask for.
    let new = || open(options.clone().read(true).write(true).create_new(true));

    let fd = match (how.create, how.exclusive) {
        (false, _) => existing()?,
        (true, true) => new()?,
        (true, false) => loop {
            match existing() {
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                result => break result?,
            }
            match new() {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                result => break result?,
            }
        },
    };
    let is_directory = kind(fd.as_fd())? == FileKind::Directory;
    if is_directory && how.write {
        return Err(ErrorKind::IsADirectory.into());
    }
    if how.directory && !is_directory {
        return Err(ErrorKind::NotADirectory.into());
    }
    if is_directory {
        drop(fd);
        let dir = match how.follow {
            true => dir.open_dir(path)?,
            false => dir.open_dir_nofollow(path)?,
        };
        return Ok(OwnedFd::opened(dir.into_std_file(), how.flags));
    }
    if how.truncate {
        super::set_size(fd.as_fd(), 0)?;
    }
    Ok(fd)
}

fn file_kind(file: &cap_std::fs::FileType) -> FileKind {
    if file.is_dir() {
        FileKind::Directory
    } else if file.is_symlink() {
        FileKind::SymbolicLink
    } else if file.is_file() {
        FileKind::RegularFile
    } else {
        FileKind::Unknown
    }
}

/// What the system knows of a file. It tells no time of the last change other than to
/// its contents.
pub(crate) fn stat_of(meta: &Metadata) -> Stat {
    let modified = time::nanoseconds(meta.last_write_time());
    Stat {
        dev: meta.dev(),
        ino: meta.ino(),
        kind: file_kind(&meta.file_type()),
        nlink: meta.nlink(),
        size: meta.len(),
        accessed: time::nanoseconds(meta.last_access_time()),
        modified,
        changed: modified,
    }
}

/// Creates a symbolic link at `path`; absolute targets are refused. Links to directories
/// are of another kind, so what it leads to is looked at; if that is not there, it is
/// taken for a file.
pub(crate) fn symlink(dir: &Dir, target: &str, path: &str) -> io::Result<()> {
    let from = Path::new(path).parent().unwrap_or(Path::new(""));
    match dir.metadata(from.join(target)) {
        Ok(meta) if meta.is_dir() => dir.symlink_dir(target, path),
        _ => dir.symlink_file(target, path),
    }
}

/// Removes a file or a symbolic link.
pub(crate) fn unlink(dir: &Dir, path: &str) -> io::Result<()> {
    match dir.symlink_metadata(path)?.is_dir() {
        true => Err(ErrorKind::IsADirectory.into()),
        false => dir.remove_file_or_symlink(path),
    }
}

/// Moves what is at `from` to `to` below `to_dir`, replacing that.
///
/// As elsewhere, only a directory replaces a directory, which has to be empty, and
/// nothing else a file. For directories the system may not do that in one step; then
/// there are two.
pub(crate) fn rename(dir: &Dir, from: &str, to_dir: &Dir, to: &str) -> io::Result<()> {
    let moved = dir.symlink_metadata(from)?;
    let Ok(there) = to_dir.symlink_metadata(to) else { return dir.rename(from, to_dir, to) };
    match (moved.is_dir(), there.is_dir()) {
        (true, false) => Err(ErrorKind::NotADirectory.into()),
        (false, true) => Err(ErrorKind::IsADirectory.into()),
        (true, true) if (moved.dev(), moved.ino()) == (there.dev(), there.ino()) => Ok(()),
        (false, false) => dir.rename(from, to_dir, to),
        (true, true) => dir.rename(from, to_dir, to).or_else(|_| {
            to_dir.remove_dir(to)?;
            dir.rename(from, to_dir, to).inspect_err(|_| {
                // What could not be replaced is still there.
                let _ = to_dir.create_dir(to);
            })
        }),
    }
}

/// The names that a guest has been told of in an open directory.
///
/// Windows has no positions in directories that could be gone back to. A name gets a
/// number when it is first seen and keeps it while the directory is open, so that its
/// cookie stays good while others come and go. Reading from the start looks at the
/// directory anew.
#[derive(Default)]
pub(crate) struct Listings {
    names: Vec<Name>,
    numbers: HashMap<String, usize>,
    /// Where the room for them came from, and goes when the directory is closed.
    room: Option<Room>,
}

struct Name {
    name: String,
    kind: FileKind,
    there: bool,
}

impl Listings {
    /// Calls `entry` for every name from `cookie` on until it returns false. `.` and
    /// `..` are among them.
    pub(crate) fn read(
        &mut self,
        dir: &Dir,
        cookie: u64,
        _ahead: usize,
        room: &Room,
        entry: &mut dyn FnMut(DirEntry<'_>) -> bool,
    ) -> io::Result<()> {
        if cookie == 0 {
            self.look(dir, room)?;
        }
        let from = usize::try_from(cookie).unwrap_or(usize::MAX);
        for (index, each) in self.names.iter().enumerate().skip(from) {
            if !each.there {
                continue;
            }
            // What is above may be out of the guest's reach, and has no number for it.
            let ino = match &*each.name {
                ".." => 0,
                name => dir.symlink_metadata(name).map_or(0, |meta| meta.ino()),
            };
            let more = entry(DirEntry {
                name: each.name.as_bytes(),
                ino,
                kind: each.kind,
                next: index as u64 + 1,
            });
            if !more {
                break;
            }
        }
        Ok(())
    }

    /// Brings the names up to date.
    fn look(&mut self, dir: &Dir, room: &Room) -> io::Result<()> {
        self.room.get_or_insert_with(|| room.clone());
        self.names.iter_mut().for_each(|name| name.there = false);
        self.see(".", FileKind::Directory, room)?;
        self.see("..", FileKind::Directory, room)?;
        for each in dir.entries()? {
            let each = each?;
            let kind = each.file_type().map_or(FileKind::Unknown, |kind| file_kind(&kind));
            // What is no Unicode can not be named by a guest.
            if let Some(name) = each.file_name().to_str() {
                self.see(name, kind, room)?;
            }
        }
        Ok(())
    }

    fn see(&mut self, name: &str, kind: FileKind, room: &Room) -> io::Result<()> {
        match self.numbers.entry(name.to_owned()) {
            Place::Occupied(place) => {
                let name = &mut self.names[*place.get()];
                (name.kind, name.there) = (kind, true);
            }
            Place::Vacant(_) if !room.take() => return Err(ErrorKind::OutOfMemory.into()),
            Place::Vacant(place) => {
                place.insert(self.names.len());
                self.names.push(Name { name: name.to_owned(), kind, there: true });
            }
        }
        Ok(())
    }
}

impl Drop for Listings {
    fn drop(&mut self) {
        if let Some(room) = &self.room {
            room.give(self.names.len());
        }
    }
}
