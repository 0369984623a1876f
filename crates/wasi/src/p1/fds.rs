//! The descriptor table.
//!
//! A new descriptor gets the lowest free number, as in POSIX; C libraries
//! count on finding 0, 1 and 2 again after closing them. Every lookup names
//! the rights it needs.
//!
//! A guest's threads share the table. A lookup gives a copy whose object is
//! counted, so that nobody holds the table while a call works or waits, and what
//! another thread closes meanwhile stays open until the call is over.

use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Errno;
use super::rights::{self, Rights};
use crate::host::fs::FileKind;
use crate::host::fs::dir::Dir;
use crate::host::fs::file::{Handle, Origin};
use crate::host::stdio::{Stdio, Stream};
use crate::host::sys::{AsFd, OwnedFd};
use crate::host::{Host, MAX_OPEN};

/// What a descriptor stands for.
#[derive(Clone)]
pub(crate) enum Object {
    /// A standard stream; the stream itself is the context's.
    Std(Std),
    /// Anything opened by path that is not a directory.
    File(Arc<File>),
    Dir(Arc<Directory>),
    Socket(Arc<Socket>),
}

/// A standard stream.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Std {
    pub stream: Stream,
    pub kind: FileKind,
}

/// An open file.
pub(crate) struct File {
    pub fd: OwnedFd,
    pub kind: FileKind,
    /// Below a directory in which nothing may be changed.
    pub read_only: bool,
    /// Whether writes go to its end; see [`file::write_at`].
    pub append: AtomicBool,
    pub nonblock: AtomicBool,
}

/// An open directory.
pub(crate) struct Directory {
    pub dir: Arc<Dir>,
    /// The guest's name for it, when it was there from the start.
    pub preopen: Option<Box<str>>,
}

/// A socket. It never waits by itself: `nonblock` is what the guest asked for.
pub(crate) struct Socket {
    pub fd: OwnedFd,
    pub listening: bool,
    pub nonblock: AtomicBool,
}

/// An entry of the table.
#[derive(Clone)]
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
            Object::Socket(_) => FileKind::Socket,
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
    fn directory(&self) -> Result<&Arc<Directory>, Errno> {
        match &self.object {
            Object::Dir(directory) => Ok(directory),
            _ => Err(Errno::Notdir),
        }
    }

    fn std(stdio: &Stdio, stream: Stream) -> Descriptor {
        let (kind, terminal) = stdio.kind(stream);
        let input = stream == Stream::In;
        Descriptor {
            object: Object::Std(Std { stream, kind }),
            base: rights::of_file(kind, terminal, input, !input),
            inheriting: 0,
        }
    }
}

/// The descriptors of a guest.
pub(crate) struct Table(Mutex<Entries>);

struct Entries {
    entries: Vec<Option<Descriptor>>,
    /// No number below this one is free.
    lowest: usize,
}

impl Table {
    /// A table with the standard streams at 0, 1 and 2.
    pub(crate) fn new(stdio: &Stdio) -> Table {
        let streams = [Stream::In, Stream::Out, Stream::Err];
        let entries: Vec<_> = streams.map(|stream| Some(Descriptor::std(stdio, stream))).into();
        Table(Mutex::new(Entries { lowest: entries.len(), entries }))
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        // Nothing in here leaves the table half-changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a directory that is there from the start.
    pub(crate) fn preopen(&self, dir: Arc<Dir>, name: Box<str>) {
        let object = Object::Dir(Arc::new(Directory { dir, preopen: Some(name) }));
        self.insert(Descriptor { object, base: rights::DIRECTORY, inheriting: rights::ALL });
    }

    /// Adds a socket to accept connections on.
    pub(crate) fn listener(&self, listener: TcpListener) {
        // It fails only for what is no socket.
        let _ = listener.set_nonblocking(true);
        let (fd, nonblock) = (listener.into(), AtomicBool::new(false));
        let object = Object::Socket(Arc::new(Socket { fd, listening: true, nonblock }));
        self.insert(Descriptor { object, base: rights::LISTENER, inheriting: rights::CONNECTION });
    }

    /// Adds a descriptor that the guest has opened, as [`Table::insert`] does.
    ///
    /// # Errors
    ///
    /// When too many are open.
    pub(crate) fn open(&self, host: &Host, descriptor: Descriptor) -> Result<u32, Errno> {
        let mut table = self.lock();
        if table.lowest_free() >= MAX_OPEN {
            host.reach(|| format!("more than {MAX_OPEN} open descriptors"));
            return Err(Errno::Mfile);
        }
        Ok(table.insert(descriptor))
    }

    /// Adds a descriptor under the lowest free number and returns that.
    fn insert(&self, descriptor: Descriptor) -> u32 {
        self.lock().insert(descriptor)
    }

    /// The descriptor `fd`, whatever its rights.
    pub(crate) fn any(&self, fd: u32) -> Result<Descriptor, Errno> {
        self.lock().get(fd).cloned()
    }

    /// The descriptor `fd`, of which all of `needed` is required.
    pub(crate) fn get(&self, fd: u32, needed: Rights) -> Result<Descriptor, Errno> {
        let table = self.lock();
        let descriptor = table.get(fd)?;
        descriptor.require(needed)?;
        Ok(descriptor.clone())
    }

    /// The directory `fd`, of which all of `needed` is required.
    pub(crate) fn dir(&self, fd: u32, needed: Rights) -> Result<Arc<Directory>, Errno> {
        Ok(self.dir_and_inheriting(fd, needed)?.0)
    }

    /// The same, with the rights it passes on to what is opened from it.
    pub(crate) fn dir_and_inheriting(
        &self,
        fd: u32,
        needed: Rights,
    ) -> Result<(Arc<Directory>, Rights), Errno> {
        let table = self.lock();
        let descriptor = table.get(fd)?;
        let directory = descriptor.directory()?;
        descriptor.require(needed)?;
        Ok((directory.clone(), descriptor.inheriting))
    }

    /// The preopened directory `fd`, which has a name.
    pub(crate) fn preopened(&self, fd: u32) -> Result<Arc<Directory>, Errno> {
        match self.any(fd)?.object {
            Object::Dir(directory) if directory.preopen.is_some() => Ok(directory),
            // Guests ask from 3 upwards until they get this.
            _ => Err(Errno::Badf),
        }
    }

    /// Gives rights of the descriptor `fd` away.
    pub(crate) fn set_rights(
        &self,
        fd: u32,
        base: Rights,
        inheriting: Rights,
    ) -> Result<(), Errno> {
        let mut table = self.lock();
        let entry = table.entries.get_mut(fd as usize).and_then(Option::as_mut);
        let descriptor = entry.ok_or(Errno::Badf)?;
        if base & !descriptor.base != 0 || inheriting & !descriptor.inheriting != 0 {
            return Err(Errno::Notcapable);
        }
        (descriptor.base, descriptor.inheriting) = (base, inheriting);
        Ok(())
    }

    /// Takes a descriptor out of the table.
    pub(crate) fn remove(&self, fd: u32) -> Result<Descriptor, Errno> {
        self.lock().remove(fd)
    }

    /// Moves `from` to the number `to`, which must be in use, and returns what
    /// was there; nothing when they are the same.
    pub(crate) fn renumber(&self, from: u32, to: u32) -> Result<Option<Descriptor>, Errno> {
        let mut table = self.lock();
        table.get(from)?;
        table.get(to)?;
        if from == to {
            return Ok(None);
        }
        let moved = table.remove(from)?;
        Ok(table.entries[to as usize].replace(moved))
    }
}

impl Entries {
    fn lowest_free(&mut self) -> usize {
        let free = self.entries[self.lowest..].iter().position(Option::is_none);
        self.lowest = free.map_or(self.entries.len(), |offset| self.lowest + offset);
        self.lowest
    }

    fn insert(&mut self, descriptor: Descriptor) -> u32 {
        let fd = self.lowest_free();
        match self.entries.get_mut(fd) {
            Some(entry) => *entry = Some(descriptor),
            None => self.entries.push(Some(descriptor)),
        }
        self.lowest = fd + 1;
        // The guest's are limited, and the embedder's own are few.
        fd as u32
    }

    fn get(&self, fd: u32) -> Result<&Descriptor, Errno> {
        self.entries.get(fd as usize).and_then(Option::as_ref).ok_or(Errno::Badf)
    }

    fn remove(&mut self, fd: u32) -> Result<Descriptor, Errno> {
        let entry = self.entries.get_mut(fd as usize).ok_or(Errno::Badf)?;
        let descriptor = entry.take().ok_or(Errno::Badf)?;
        self.lowest = self.lowest.min(fd as usize);
        Ok(descriptor)
    }
}

impl File {
    pub(crate) fn handle(&self) -> Handle<'_> {
        let nonblock = self.nonblock.load(Ordering::Relaxed);
        let origin = Origin::Path { kind: self.kind, read_only: self.read_only, nonblock };
        Handle { fd: self.fd.as_fd(), origin }
    }
}

impl Object {
    /// The host's descriptor behind this one, if it has any: an embedder's own
    /// streams have none.
    pub(crate) fn handle<'a>(&'a self, stdio: &'a Stdio) -> Option<Handle<'a>> {
        Some(match self {
            Object::Std(std) => Handle { fd: stdio.fd(std.stream)?, origin: Origin::Stdio },
            Object::File(file) => file.handle(),
            Object::Dir(directory) => directory.dir.handle(),
            Object::Socket(socket) => Handle { fd: socket.fd.as_fd(), origin: Origin::Socket },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::WasiCtx;

    fn table() -> Table {
        Table::new(&WasiCtx::builder().build().0.stdio)
    }

    fn insert(table: &Table) -> u32 {
        let path = std::env::temp_dir();
        let dir = Arc::new(Dir::preopen(&path, false).unwrap());
        let object = Object::Dir(Arc::new(Directory { dir, preopen: None }));
        table.insert(Descriptor { object, base: rights::DIRECTORY, inheriting: rights::ALL })
    }

    #[test]
    fn the_lowest_free_number_is_taken() {
        let table = table();
        assert_eq!([insert(&table), insert(&table), insert(&table)], [3, 4, 5]);
        table.remove(4).unwrap();
        table.remove(0).unwrap();
        assert_eq!([insert(&table), insert(&table), insert(&table)], [0, 4, 6]);
        assert_eq!(table.remove(7).err(), Some(Errno::Badf));
        assert_eq!(table.remove(u32::MAX).err(), Some(Errno::Badf));
    }

    #[test]
    fn a_guest_cannot_open_any_number() {
        let (table, host) = (table(), Host::new(crate::Capabilities::NONE));
        let std = table.any(0).unwrap();
        let open = || table.open(&host, std.clone());
        assert_eq!((3..MAX_OPEN).filter(|_| open().is_ok()).count(), MAX_OPEN - 3);
        assert_eq!(host.reached(), None);
        assert_eq!(open().err(), Some(Errno::Mfile));
        assert_eq!(host.reached(), Some("more than 16384 open descriptors"));
        table.remove(100).unwrap();
        assert_eq!(open(), Ok(100));
        assert_eq!(open().err(), Some(Errno::Mfile));
    }

    #[test]
    fn renumbering_moves_onto_an_open_descriptor_only() {
        let table = table();
        insert(&table);
        assert_eq!(table.renumber(3, 4).err(), Some(Errno::Badf));
        assert_eq!(table.renumber(4, 3).err(), Some(Errno::Badf));
        assert!(table.renumber(3, 3).unwrap().is_none());
        let replaced = table.renumber(3, 1).unwrap().unwrap();
        assert!(matches!(replaced.object, Object::Std(Std { stream: Stream::Out, .. })));
        assert_eq!(table.any(3).err(), Some(Errno::Badf));
        assert!(table.dir(1, rights::PATH_OPEN).is_ok());
        assert_eq!(insert(&table), 3);
    }

    #[test]
    fn rights_are_required() {
        let table = table();
        let dir = insert(&table);
        table.set_rights(dir, rights::FD_READDIR, rights::ALL).unwrap();
        assert!(table.set_rights(dir, rights::DIRECTORY, rights::ALL).is_err());
        assert!(table.get(dir, rights::FD_READDIR).is_ok());
        assert_eq!(table.get(dir, rights::PATH_OPEN).err(), Some(Errno::Notcapable));
        assert_eq!(table.get(dir, rights::FD_READ).err(), Some(Errno::Badf));
        assert_eq!(table.dir(0, rights::PATH_OPEN).err(), Some(Errno::Notdir));
        assert_eq!(table.get(1, rights::FD_READ).err(), Some(Errno::Badf));
        assert_eq!(table.get(1, rights::FD_SEEK).err(), Some(Errno::Spipe));
    }
}
