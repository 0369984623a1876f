//! What a guest has open.

use std::fs::{File, FileTimes};
use std::io::{self, ErrorKind, IoSlice, IoSliceMut, IsTerminal, Read, Seek, SeekFrom, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::windows::fs::FileExt;
use std::os::windows::io::{
    AsHandle, AsRawHandle, AsSocket, BorrowedHandle, BorrowedSocket, OwnedHandle,
};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cap_fs_ext::{DirExt, SystemTimeSpec};
use cap_std::fs::Metadata;
use zwasm_win32::HandleKind;

use super::{console, stat_of};
use crate::host::fs::file::Advice;
use crate::host::fs::{FileKind, Flags, SetTime, Stat};
use crate::host::poll::{Direction, Ready};
use crate::host::stdio::Stream;

/// Something open, with the state that other systems keep with a descriptor.
pub(crate) struct OwnedFd {
    object: Object,
    append: AtomicBool,
    nonblock: AtomicBool,
    dsync: bool,
    sync: bool,
    /// Held while the position of a file is used: reading at an offset moves it, and
    /// has to move it back.
    position: Mutex<()>,
}

enum Object {
    Regular(File),
    Directory(File),
    Device(File),
    Pipe(File),
    /// The console, as this standard stream of the process.
    Console(Stream),
    /// A standard stream that the process has not.
    Nothing,
    Listener(TcpListener),
    /// A connection, or what can become one or accept some.
    Connection(TcpStream),
    Datagrams(UdpSocket),
}

/// What is open, for a while.
pub(crate) type BorrowedFd<'a> = &'a OwnedFd;

/// What has something open.
pub(crate) trait AsFd {
    /// What is open.
    fn as_fd(&self) -> BorrowedFd<'_>;
}

impl AsFd for OwnedFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self
    }
}

impl From<Object> for OwnedFd {
    fn from(object: Object) -> OwnedFd {
        OwnedFd {
            object,
            append: AtomicBool::new(false),
            nonblock: AtomicBool::new(false),
            dsync: false,
            sync: false,
            position: Mutex::new(()),
        }
    }
}

impl From<OwnedHandle> for OwnedFd {
    fn from(handle: OwnedHandle) -> OwnedFd {
        File::from(handle).into()
    }
}

impl From<File> for OwnedFd {
    fn from(file: File) -> OwnedFd {
        let object = match zwasm_win32::kind(file.as_handle()) {
            HandleKind::Disk if file.metadata().is_ok_and(|meta| meta.is_dir()) => {
                Object::Directory(file)
            }
            HandleKind::Disk => Object::Regular(file),
            HandleKind::Pipe => Object::Pipe(file),
            HandleKind::Character | HandleKind::Unknown => Object::Device(file),
        };
        object.into()
    }
}

impl From<TcpListener> for OwnedFd {
    fn from(listener: TcpListener) -> OwnedFd {
        Object::Listener(listener).into()
    }
}

impl From<TcpStream> for OwnedFd {
    fn from(connection: TcpStream) -> OwnedFd {
        Object::Connection(connection).into()
    }
}

impl From<UdpSocket> for OwnedFd {
    fn from(socket: UdpSocket) -> OwnedFd {
        Object::Datagrams(socket).into()
    }
}

/// A standard stream of the process.
fn standard(stream: Stream, handle: BorrowedHandle<'_>) -> OwnedFd {
    if handle.as_raw_handle().is_null() {
        return Object::Nothing.into();
    }
    if handle.is_terminal() && zwasm_win32::kind(handle) == HandleKind::Character {
        return Object::Console(stream).into();
    }
    // The copy shares the position with the original, and with other processes.
    handle.try_clone_to_owned().map_or_else(|_| Object::Nothing.into(), OwnedFd::from)
}

/// Standard input.
pub(crate) fn stdin() -> BorrowedFd<'static> {
    static STDIN: LazyLock<OwnedFd> =
        LazyLock::new(|| standard(Stream::In, io::stdin().as_handle()));
    &STDIN
}

/// Standard output.
pub(crate) fn stdout() -> BorrowedFd<'static> {
    static STDOUT: LazyLock<OwnedFd> =
        LazyLock::new(|| standard(Stream::Out, io::stdout().as_handle()));
    &STDOUT
}

/// Standard error.
pub(crate) fn stderr() -> BorrowedFd<'static> {
    static STDERR: LazyLock<OwnedFd> =
        LazyLock::new(|| standard(Stream::Err, io::stderr().as_handle()));
    &STDERR
}

impl OwnedFd {
    /// Takes a file that was opened with these flags.
    pub(super) fn opened(file: File, flags: Flags) -> OwnedFd {
        OwnedFd {
            append: AtomicBool::new(flags.append),
            nonblock: AtomicBool::new(flags.nonblock),
            dsync: flags.dsync && !flags.sync,
            sync: flags.sync,
            ..OwnedFd::from(file)
        }
    }

    /// The directory that is open here.
    pub(super) fn directory(&self) -> Option<&File> {
        match &self.object {
            Object::Directory(file) => Some(file),
            _ => None,
        }
    }

    /// The connection that is open here.
    pub(super) fn connection(&self) -> Option<&TcpStream> {
        match &self.object {
            Object::Connection(connection) => Some(connection),
            _ => None,
        }
    }

    /// The socket that is open here.
    pub(super) fn as_socket(&self) -> Option<BorrowedSocket<'_>> {
        match &self.object {
            Object::Listener(listener) => Some(listener.as_socket()),
            Object::Connection(connection) => Some(connection.as_socket()),
            Object::Datagrams(socket) => Some(socket.as_socket()),
            _ => None,
        }
    }

    /// A regular file, which has a position and a size.
    fn regular(&self) -> io::Result<(&File, MutexGuard<'_, ()>)> {
        match &self.object {
            Object::Regular(file) => {
                Ok((file, self.position.lock().unwrap_or_else(PoisonError::into_inner)))
            }
            Object::Directory(_) => Err(ErrorKind::IsADirectory.into()),
            // What can not seek, as Windows numbers it.
            Object::Device(_) | Object::Pipe(_) | Object::Console(_) | Object::Nothing => {
                Err(io::Error::from_raw_os_error(132))
            }
            Object::Listener(_) | Object::Connection(_) | Object::Datagrams(_) => {
                Err(io::Error::from_raw_os_error(132))
            }
        }
    }

    /// A file or directory, which has times.
    fn stored(&self) -> io::Result<&File> {
        match &self.object {
            Object::Regular(file) | Object::Directory(file) => Ok(file),
            _ => Err(ErrorKind::InvalidInput.into()),
        }
    }

    /// How something that is no socket stands.
    pub(super) fn ready(&self, direction: Direction) -> Option<Ready> {
        let ready = |bytes| Some(Ready { bytes, hangup: false });
        match (&self.object, direction) {
            (Object::Pipe(pipe), Direction::Read) => {
                match zwasm_win32::readable(pipe.as_handle()) {
                    Ok(0) => None,
                    Ok(bytes) => ready(bytes.into()),
                    Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                        Some(Ready { bytes: 0, hangup: true })
                    }
                    // Trying tells what is wrong.
                    Err(_) => ready(0),
                }
            }
            (Object::Console(Stream::In), Direction::Read) => console::readable().and_then(ready),
            (Object::Regular(file), Direction::Read) => {
                let at = (&*file).stream_position().unwrap_or(0);
                ready(file.metadata().map_or(0, |meta| meta.len().saturating_sub(at)))
            }
            _ => ready(0),
        }
    }

    /// How many bytes a connection has that can be read, as far as that is known: at
    /// least so many.
    pub(super) fn available(&self) -> u64 {
        let peeked = self.connection().map(|connection| connection.peek(&mut [0; 4096]));
        match peeked {
            Some(Ok(bytes)) => bytes as u64,
            // More than there was room for.
            Some(Err(error)) if error.raw_os_error() == Some(10040) => 4096,
            Some(Err(_)) | None => 0,
        }
    }
}

/// An offset as Windows has them; those beyond mean something else to it.
fn offset(offset: u64) -> io::Result<u64> {
    match i64::try_from(offset) {
        Ok(_) => Ok(offset),
        Err(_) => Err(ErrorKind::InvalidInput.into()),
    }
}

/// Fills the buffers one after the other, until one is not filled. An error after a part
/// was read is not one.
fn fill(
    buffers: &mut [IoSliceMut<'_>],
    mut read: impl FnMut(&mut [u8], u64) -> io::Result<usize>,
) -> io::Result<usize> {
    let mut total = 0;
    for buffer in buffers.iter_mut().filter(|buffer| !buffer.is_empty()) {
        match read(buffer, total as u64) {
            Ok(given) => {
                total += given;
                if given < buffer.len() {
                    break;
                }
            }
            Err(_) if total > 0 => break,
            Err(error) => return Err(error),
        }
    }
    Ok(total)
}

/// The same for writing.
fn drain(
    buffers: &[IoSlice<'_>],
    mut write: impl FnMut(&[u8], u64) -> io::Result<usize>,
) -> io::Result<usize> {
    let mut total = 0;
    for buffer in buffers.iter().filter(|buffer| !buffer.is_empty()) {
        match write(buffer, total as u64) {
            Ok(taken) => {
                total += taken;
                if taken < buffer.len() {
                    break;
                }
            }
            Err(_) if total > 0 => break,
            Err(error) => return Err(error),
        }
    }
    Ok(total)
}

/// Reads at the position and advances it; may read less. Of anything but a file it
/// reads once, for more could have to be waited for.
pub(crate) fn readv(fd: BorrowedFd<'_>, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
    match &fd.object {
        Object::Regular(_) => {
            let (mut file, _position) = fd.regular()?;
            fill(buffers, |buffer, _| file.read(buffer))
        }
        Object::Directory(_) => Err(ErrorKind::IsADirectory.into()),
        Object::Device(file) | Object::Pipe(file) => {
            let first = buffers.iter_mut().find(|buffer| !buffer.is_empty());
            match first.map_or(Ok(0), |first| (&*file).read(first)) {
                // Nobody will write any more.
                Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(0),
                result => result,
            }
        }
        Object::Console(Stream::In) => console::read(buffers),
        Object::Console(_) => Err(super::bad_descriptor()),
        Object::Nothing => Ok(0),
        Object::Listener(_) | Object::Datagrams(_) => Err(ErrorKind::NotConnected.into()),
        Object::Connection(_) => super::receive(fd, buffers, false),
    }
}

/// Writes at the position, or at the end of what is open for appending; may write less.
pub(crate) fn writev(fd: BorrowedFd<'_>, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
    match &fd.object {
        Object::Regular(_) => {
            let (mut file, _position) = fd.regular()?;
            match fd.append.load(Ordering::Relaxed) {
                // The end, wherever it is by then.
                true => drain(buffers, |buffer, _| file.seek_write(buffer, u64::MAX)),
                false => drain(buffers, |buffer, _| file.write(buffer)),
            }
        }
        Object::Directory(_) => Err(ErrorKind::IsADirectory.into()),
        Object::Device(file) | Object::Pipe(file) => {
            drain(buffers, |buffer, _| (&*file).write(buffer))
        }
        Object::Console(stream) => drain(buffers, |buffer, _| console::write(*stream, buffer)),
        Object::Nothing => Ok(buffers.iter().map(|buffer| buffer.len()).sum()),
        Object::Listener(_) | Object::Datagrams(_) => Err(ErrorKind::NotConnected.into()),
        Object::Connection(_) => super::send(fd, buffers),
    }
}

/// Writes at the end, wherever that is; may write less.
#[cfg(feature = "component")]
pub(crate) fn append(fd: BorrowedFd<'_>, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
    let (file, _position) = fd.regular()?;
    drain(buffers, |buffer, _| file.seek_write(buffer, u64::MAX))
}

/// The same with one buffer.
pub(crate) fn write(fd: BorrowedFd<'_>, buffer: &[u8]) -> io::Result<usize> {
    writev(fd, &[IoSlice::new(buffer)])
}

/// Reads at `at`; may read less.
pub(crate) fn preadv(
    fd: BorrowedFd<'_>,
    buffers: &mut [IoSliceMut<'_>],
    at: u64,
) -> io::Result<usize> {
    let (mut file, _position) = fd.regular()?;
    let before = file.stream_position()?;
    let read =
        fill(buffers, |buffer, done| file.seek_read(buffer, offset(at.saturating_add(done))?));
    file.seek(SeekFrom::Start(before))?;
    read
}

/// Writes at `at`, also to what is open for appending; may write less.
pub(crate) fn pwritev(
    fd: BorrowedFd<'_>,
    buffers: &[IoSlice<'_>],
    at: u64,
    _appending: bool,
) -> io::Result<usize> {
    let (mut file, _position) = fd.regular()?;
    let before = file.stream_position()?;
    let written =
        drain(buffers, |buffer, done| file.seek_write(buffer, offset(at.saturating_add(done))?));
    file.seek(SeekFrom::Start(before))?;
    written
}

/// Moves the position and returns it.
pub(crate) fn seek(fd: BorrowedFd<'_>, to: SeekFrom) -> io::Result<u64> {
    if let SeekFrom::Start(at) = to {
        offset(at)?;
    }
    // Other systems have nothing there, and stay where they are.
    if let Object::Device(_) = &fd.object {
        return Ok(0);
    }
    let (mut file, _position) = fd.regular()?;
    file.seek(to)
}

/// Tells the system how a range will be used, which it does not want to know.
pub(crate) fn advise(fd: BorrowedFd<'_>, at: u64, len: u64, _: Advice) -> io::Result<()> {
    offset(at)?;
    offset(len)?;
    fd.regular().map(drop)
}

/// Reserves space for a range, growing the file to its end where that is beyond it.
pub(crate) fn allocate(fd: BorrowedFd<'_>, at: u64, len: u64) -> io::Result<()> {
    if len == 0 {
        return Err(ErrorKind::InvalidInput.into());
    }
    offset(at)?;
    offset(len)?;
    let end = offset(at + len).map_err(|_| ErrorKind::FileTooLarge)?;
    let (file, _position) = fd.regular()?;
    if file.metadata()?.len() < end {
        file.set_len(end)?;
    }
    Ok(())
}

/// Cuts or extends (with zeros) the file to `size`.
pub(crate) fn set_size(fd: BorrowedFd<'_>, size: u64) -> io::Result<()> {
    let (file, _position) = fd.regular()?;
    file.set_len(offset(size)?)
}

/// Waits until data and metadata are on the disk.
pub(crate) fn fsync(fd: BorrowedFd<'_>) -> io::Result<()> {
    match fd.stored()?.sync_all() {
        // What is not open for writing has nothing to be written.
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Ok(()),
        result => result,
    }
}

/// Waits until data is on the disk.
pub(crate) fn fdatasync(fd: BorrowedFd<'_>) -> io::Result<()> {
    fsync(fd)
}

/// Sets the time of last access and of last modification.
pub(crate) fn set_times(
    fd: BorrowedFd<'_>,
    accessed: SetTime,
    modified: SetTime,
) -> io::Result<()> {
    let time = |time| match time {
        SetTime::Keep => None,
        SetTime::Now => Some(SystemTime::now()),
        SetTime::To(nanoseconds) => Some(UNIX_EPOCH + Duration::from_nanos(nanoseconds)),
    };
    let (accessed, modified) = (time(accessed), time(modified));
    if let Object::Directory(dir) = &fd.object {
        // It is open for reading alone.
        let dir = cap_std::fs::Dir::from_std_file(dir.try_clone()?);
        let spec = |time| SystemTimeSpec::Absolute(cap_std::time::SystemTime::from_std(time));
        return dir.set_times(".", accessed.map(spec), modified.map(spec));
    }
    let mut times = FileTimes::new();
    if let Some(accessed) = accessed {
        times = times.set_accessed(accessed);
    }
    if let Some(modified) = modified {
        times = times.set_modified(modified);
    }
    fd.stored()?.set_times(times)
}

/// What the system knows of the file.
pub(crate) fn stat(fd: BorrowedFd<'_>) -> io::Result<Stat> {
    match &fd.object {
        Object::Regular(file) | Object::Directory(file) => Ok(stat_of(&Metadata::from_file(file)?)),
        _ => Ok(Stat { kind: kind(fd)?, nlink: 1, ..Stat::STREAM }),
    }
}

/// What kind of thing is open.
pub(crate) fn kind(fd: BorrowedFd<'_>) -> io::Result<FileKind> {
    Ok(match &fd.object {
        Object::Regular(_) => FileKind::RegularFile,
        Object::Directory(_) => FileKind::Directory,
        Object::Device(_) | Object::Console(_) => FileKind::CharacterDevice,
        Object::Pipe(_) | Object::Nothing => FileKind::Unknown,
        Object::Listener(_) | Object::Connection(_) | Object::Datagrams(_) => FileKind::Socket,
    })
}

/// Whether this is a terminal.
pub(crate) fn is_terminal(fd: BorrowedFd<'_>, _: FileKind) -> bool {
    match &fd.object {
        Object::Console(_) => true,
        Object::Device(file) => file.is_terminal(),
        _ => false,
    }
}

/// The state kept here.
pub(crate) fn flags(fd: BorrowedFd<'_>) -> io::Result<Flags> {
    Ok(Flags {
        append: fd.append.load(Ordering::Relaxed),
        nonblock: fd.nonblock.load(Ordering::Relaxed),
        dsync: fd.dsync,
        sync: fd.sync,
    })
}

/// Switches appending and blocking.
pub(crate) fn set_flags(fd: BorrowedFd<'_>, append: bool, nonblock: bool) -> io::Result<()> {
    fd.append.store(append, Ordering::Relaxed);
    fd.nonblock.store(nonblock, Ordering::Relaxed);
    Ok(())
}
