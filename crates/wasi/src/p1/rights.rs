//! Rights: what may be done with a descriptor, and with those opened from it.
//!
//! A guest gives rights away with `fd_fdstat_set_rights`, and what it gave away
//! stays away, also from whatever it opens below. Opening a path does not
//! narrow them: of what a guest asks for there only reading and writing count,
//! and the rest is what the directory passes on and the kind of file has.
//! Programs ask for less than they use as a matter of course, since engines
//! have been granting it for years.

use crate::host::fs::FileKind;

/// A set of the constants below.
pub(crate) type Rights = u64;

pub(crate) const FD_DATASYNC: Rights = 1 << 0;
pub(crate) const FD_READ: Rights = 1 << 1;
/// Includes [`FD_TELL`].
pub(crate) const FD_SEEK: Rights = 1 << 2;
pub(crate) const FD_FDSTAT_SET_FLAGS: Rights = 1 << 3;
pub(crate) const FD_SYNC: Rights = 1 << 4;
pub(crate) const FD_TELL: Rights = 1 << 5;
pub(crate) const FD_WRITE: Rights = 1 << 6;
pub(crate) const FD_ADVISE: Rights = 1 << 7;
pub(crate) const FD_ALLOCATE: Rights = 1 << 8;
pub(crate) const PATH_CREATE_DIRECTORY: Rights = 1 << 9;
pub(crate) const PATH_CREATE_FILE: Rights = 1 << 10;
pub(crate) const PATH_LINK_SOURCE: Rights = 1 << 11;
pub(crate) const PATH_LINK_TARGET: Rights = 1 << 12;
pub(crate) const PATH_OPEN: Rights = 1 << 13;
pub(crate) const FD_READDIR: Rights = 1 << 14;
pub(crate) const PATH_READLINK: Rights = 1 << 15;
pub(crate) const PATH_RENAME_SOURCE: Rights = 1 << 16;
pub(crate) const PATH_RENAME_TARGET: Rights = 1 << 17;
pub(crate) const PATH_FILESTAT_GET: Rights = 1 << 18;
pub(crate) const PATH_FILESTAT_SET_SIZE: Rights = 1 << 19;
pub(crate) const PATH_FILESTAT_SET_TIMES: Rights = 1 << 20;
pub(crate) const FD_FILESTAT_GET: Rights = 1 << 21;
pub(crate) const FD_FILESTAT_SET_SIZE: Rights = 1 << 22;
pub(crate) const FD_FILESTAT_SET_TIMES: Rights = 1 << 23;
pub(crate) const PATH_SYMLINK: Rights = 1 << 24;
pub(crate) const PATH_REMOVE_DIRECTORY: Rights = 1 << 25;
pub(crate) const PATH_UNLINK_FILE: Rights = 1 << 26;
pub(crate) const POLL_FD_READWRITE: Rights = 1 << 27;
pub(crate) const SOCK_SHUTDOWN: Rights = 1 << 28;
pub(crate) const SOCK_ACCEPT: Rights = 1 << 29;

/// What applies to a directory.
pub(crate) const DIRECTORY: Rights = FD_FDSTAT_SET_FLAGS
    | FD_SYNC
    | FD_ADVISE
    | PATH_CREATE_DIRECTORY
    | PATH_CREATE_FILE
    | PATH_LINK_SOURCE
    | PATH_LINK_TARGET
    | PATH_OPEN
    | FD_READDIR
    | PATH_READLINK
    | PATH_RENAME_SOURCE
    | PATH_RENAME_TARGET
    | PATH_FILESTAT_GET
    | PATH_FILESTAT_SET_SIZE
    | PATH_FILESTAT_SET_TIMES
    | FD_FILESTAT_GET
    | FD_FILESTAT_SET_TIMES
    | PATH_SYMLINK
    | PATH_REMOVE_DIRECTORY
    | PATH_UNLINK_FILE
    | POLL_FD_READWRITE;

/// What applies to anything that is read or written as a stream.
const STREAM: Rights = FD_DATASYNC
    | FD_READ
    | FD_FDSTAT_SET_FLAGS
    | FD_SYNC
    | FD_WRITE
    | FD_FILESTAT_GET
    | FD_FILESTAT_SET_TIMES
    | POLL_FD_READWRITE;

/// What applies to a file with positions.
const FILE: Rights = STREAM | FD_SEEK | FD_TELL | FD_ADVISE | FD_ALLOCATE | FD_FILESTAT_SET_SIZE;

/// What can be done with a descriptor only if it is open for writing.
pub(crate) const WRITING: Rights = FD_WRITE | FD_ALLOCATE | FD_FILESTAT_SET_SIZE;

/// What can be inherited from a directory: everything there is in one.
pub(crate) const ALL: Rights = DIRECTORY | FILE;

/// What applies to a connection.
pub(crate) const CONNECTION: Rights =
    FD_READ | FD_FDSTAT_SET_FLAGS | FD_WRITE | FD_FILESTAT_GET | POLL_FD_READWRITE | SOCK_SHUTDOWN;

/// What applies to a socket that accepts connections. `FD_READ` is what polling
/// it for one takes.
pub(crate) const LISTENER: Rights =
    FD_READ | FD_FDSTAT_SET_FLAGS | FD_FILESTAT_GET | POLL_FD_READWRITE | SOCK_ACCEPT;

/// What applies to something other than a directory that is open for reading
/// or writing or both.
///
/// A terminal can not seek, and guests recognise one by that: wasi-libc's
/// `isatty` is a character device without the rights to seek.
pub(crate) fn of_file(kind: FileKind, terminal: bool, read: bool, write: bool) -> Rights {
    let mut rights = match kind {
        FileKind::RegularFile | FileKind::BlockDevice => FILE,
        FileKind::CharacterDevice if !terminal => STREAM | FD_SEEK | FD_TELL,
        _ => STREAM,
    };
    if !read {
        rights &= !FD_READ;
    }
    if !write {
        rights &= !WRITING;
    }
    rights
}
