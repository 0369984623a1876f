//! The descriptor table.
//!
//! A new descriptor gets the lowest free number, as in POSIX; C libraries
//! count on finding 0, 1 and 2 again after closing them. Every lookup names
//! the rights it needs.

use rustix::fd::{AsFd, BorrowedFd, OwnedFd};

use super::Errno;
use super::rights::{self, Rights};
use crate::host::fs::dir::Dir;
use crate::host::fs::{FileKind, file};
use crate::host::stdio::{Stdio, Stream};

/// What a descriptor stands for.
pub(crate) enum Object {
    /// A standard stream; the stream itself is the context's.
    Std(Std),
    /// Anything opened by path that is not a directory.
    File(File),
    Dir(Directory),
}

/// A standard stream.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Std {
    pub stream: Stream,
    pub kind: FileKind,
    /// Kept here and not set on the host's descriptor, which the process
    /// shares with whoever started it.
    pub nonblock: bool,
}

/// An open file.
pub(crate) struct File {
    pub fd: OwnedFd,
    pub kind: FileKind,
    /// Whether writes go to its end; see [`file::write_at`].
    pub append: bool,
}

/// An open directory.
pub(crate) struct Directory {
    pub dir: Dir,
    /// The guest's name for it, when it was there from the start.
    pub preopen: Option<Box<str>>,
}

/// An entry of the table.
pub(crate) struct Descriptor {
    pub object: Object,
    pub base: Rights,
    pub inheriting: Rights,
}

impl Descriptor {
    /// Checks that all of `needed` is granted.
    pub(crate) fn require(&self, needed: Rights) -> Result<(), Errno> {
        match needed & !self.base {
            0 => Ok(()),
            missing => Err(self.refusal(missing)),
        }
    }

    /// The error for wanting rights that are not there: POSIX's own where the
    /// descriptor never could have had them.
    fn refusal(&self, missing: Rights) -> Errno {
        let kind = match &self.object {
            Object::Std(std) => std.kind,
            Object::File(file) => file.kind,
            Object::Dir(_) => FileKind::Directory,
        };
        let unreadable = missing & rights::FD_READ != 0;
        let unwritable = missing & rights::WRITING != 0 && self.base & rights::FD_WRITE == 0;
        match kind {
            _ if unreadable || unwritable => Errno::Badf,
            FileKind::Directory if missing & rights::DIRECTORY == 0 => Errno::Badf,
            FileKind::Directory | FileKind::RegularFile | FileKind::BlockDevice => {
                Errno::Notcapable
            }
            _ if missing & (rights::FD_SEEK | rights::FD_TELL) != 0 => Errno::Spipe,
            _ => Errno::Notcapable,
        }
    }

    /// The directory, for operations on paths below it.
    fn directory(&self) -> Result<&Directory, Errno> {
        match &self.object {
            Object::Dir(directory) => Ok(directory),
            _ => Err(Errno::Notdir),
        }
    }

    fn std(stdio: &Stdio, stream: Stream) -> Descriptor {
        let fd = stdio.fd(stream);
        let stat = fd.and_then(|fd| file::stat(fd).ok());
        let kind = stat.map_or(FileKind::Unknown, |stat| stat.kind);
        let terminal = fd.is_some_and(|fd| is_terminal(fd, kind));
        let input = stream == Stream::In;
        Descriptor {
            object: Object::Std(Std { stream, kind, nonblock: false }),
            base: rights::of_file(kind, terminal, input, !input),
            inheriting: 0,
        }
    }
}

/// Whether a descriptor of this kind is a terminal.
pub(crate) fn is_terminal(fd: BorrowedFd<'_>, kind: FileKind) -> bool {
    use std::io::IsTerminal;
    kind == FileKind::CharacterDevice && fd.is_terminal()
}

/// The descriptors of a guest.
pub(crate) struct Table {
    entries: Vec<Option<Descriptor>>,
    /// No number below this one is free.
    lowest: usize,
}

impl Table {
    /// A table with the standard streams at 0, 1 and 2.
    pub(crate) fn new(stdio: &Stdio) -> Table {
        let streams = [Stream::In, Stream::Out, Stream::Err];
        let entries: Vec<_> = streams.map(|stream| Some(Descriptor::std(stdio, stream))).into();
        Table { lowest: entries.len(), entries }
    }

    /// Adds a directory that is there from the start.
    pub(crate) fn preopen(&mut self, dir: Dir, name: Box<str>) {
        let object = Object::Dir(Directory { dir, preopen: Some(name) });
        self.insert(Descriptor { object, base: rights::DIRECTORY, inheriting: rights::ALL });
    }

    /// Adds a descriptor under the lowest free number and returns that.
    pub(crate) fn insert(&mut self, descriptor: Descriptor) -> u32 {
        let free = self.entries[self.lowest..].iter().position(Option::is_none);
        let fd = free.map_or(self.entries.len(), |offset| self.lowest + offset);
        match self.entries.get_mut(fd) {
            Some(entry) => *entry = Some(descriptor),
            None => self.entries.push(Some(descriptor)),
        }
        self.lowest = fd + 1;
        // Each entry holds a descriptor of the host, so there are never many.
        fd as u32
    }

    /// The descriptor `fd`, whatever its rights.
    pub(crate) fn any(&self, fd: u32) -> Result<&Descriptor, Errno> {
        self.entries.get(fd as usize).and_then(Option::as_ref).ok_or(Errno::Badf)
    }

    /// The descriptor `fd`, to change it.
    pub(crate) fn any_mut(&mut self, fd: u32) -> Result<&mut Descriptor, Errno> {
        self.entries.get_mut(fd as usize).and_then(Option::as_mut).ok_or(Errno::Badf)
    }

    /// The descriptor `fd`, of which all of `needed` is required.
    pub(crate) fn get(&self, fd: u32, needed: Rights) -> Result<&Descriptor, Errno> {
        let descriptor = self.any(fd)?;
        descriptor.require(needed)?;
        Ok(descriptor)
    }

    /// The directory `fd`, of which all of `needed` is required.
    pub(crate) fn dir(&self, fd: u32, needed: Rights) -> Result<&Dir, Errno> {
        let descriptor = self.any(fd)?;
        let directory = descriptor.directory()?;
        descriptor.require(needed)?;
        Ok(&directory.dir)
    }

    /// The guest's name for the preopened directory `fd`.
    pub(crate) fn preopen_name(&self, fd: u32) -> Result<&str, Errno> {
        match &self.any(fd)?.object {
            Object::Dir(Directory { preopen: Some(name), .. }) => Ok(name),
            // Guests ask from 3 upwards until they get this.
            _ => Err(Errno::Badf),
        }
    }

    /// Takes a descriptor out of the table.
    pub(crate) fn remove(&mut self, fd: u32) -> Result<Descriptor, Errno> {
        let entry = self.entries.get_mut(fd as usize).ok_or(Errno::Badf)?;
        let descriptor = entry.take().ok_or(Errno::Badf)?;
        self.lowest = self.lowest.min(fd as usize);
        Ok(descriptor)
    }

    /// Moves `from` to the number `to`, which must be in use, and returns what
    /// was there; nothing when they are the same.
    pub(crate) fn renumber(&mut self, from: u32, to: u32) -> Result<Option<Descriptor>, Errno> {
        self.any(from)?;
        self.any(to)?;
        if from == to {
            return Ok(None);
        }
        let moved = self.remove(from)?;
        Ok(self.entries[to as usize].replace(moved))
    }
}

impl Object {
    /// The host's descriptor behind this one, if it has any: an embedder's own
    /// streams have none.
    pub(crate) fn fd<'a>(&'a self, stdio: &Stdio) -> Option<BorrowedFd<'a>> {
        match self {
            Object::Std(std) => stdio.fd(std.stream),
            Object::File(file) => Some(file.fd.as_fd()),
            Object::Dir(directory) => Some(directory.dir.as_fd()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::WasiCtx;

    fn table() -> Table {
        Table::new(&WasiCtx::builder().build().stdio)
    }

    fn insert(table: &mut Table) -> u32 {
        let path = std::env::temp_dir();
        let object = Object::Dir(Directory { dir: Dir::preopen(&path).unwrap(), preopen: None });
        table.insert(Descriptor { object, base: rights::DIRECTORY, inheriting: rights::ALL })
    }

    #[test]
    fn the_lowest_free_number_is_taken() {
        let mut table = table();
        assert_eq!([insert(&mut table), insert(&mut table), insert(&mut table)], [3, 4, 5]);
        table.remove(4).unwrap();
        table.remove(0).unwrap();
        assert_eq!([insert(&mut table), insert(&mut table), insert(&mut table)], [0, 4, 6]);
        assert_eq!(table.remove(7).err(), Some(Errno::Badf));
        assert_eq!(table.remove(u32::MAX).err(), Some(Errno::Badf));
    }

    #[test]
    fn renumbering_moves_onto_an_open_descriptor_only() {
        let mut table = table();
        insert(&mut table);
        assert_eq!(table.renumber(3, 4).err(), Some(Errno::Badf));
        assert_eq!(table.renumber(4, 3).err(), Some(Errno::Badf));
        assert!(table.renumber(3, 3).unwrap().is_none());
        let replaced = table.renumber(3, 1).unwrap().unwrap();
        assert!(matches!(replaced.object, Object::Std(Std { stream: Stream::Out, .. })));
        assert_eq!(table.any(3).err(), Some(Errno::Badf));
        assert!(table.dir(1, rights::PATH_OPEN).is_ok());
        assert_eq!(insert(&mut table), 3);
    }

    #[test]
    fn rights_are_required() {
        let mut table = table();
        let dir = insert(&mut table);
        table.any_mut(dir).unwrap().base = rights::FD_READDIR;
        assert!(table.get(dir, rights::FD_READDIR).is_ok());
        assert_eq!(table.get(dir, rights::PATH_OPEN).err(), Some(Errno::Notcapable));
        assert_eq!(table.get(dir, rights::FD_READ).err(), Some(Errno::Badf));
        assert_eq!(table.dir(0, rights::PATH_OPEN).err(), Some(Errno::Notdir));
        assert_eq!(table.get(1, rights::FD_READ).err(), Some(Errno::Badf));
        assert_eq!(table.get(1, rights::FD_SEEK).err(), Some(Errno::Spipe));
    }
}
