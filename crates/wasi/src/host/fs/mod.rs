//! Files and directories: what both have in common.
//!
//! Everything is reached through an open descriptor; there is no ambient path
//! anywhere below [`Dir::preopen`](dir::Dir::preopen).

pub(crate) mod dir;
pub(crate) mod file;
pub(crate) mod room;

/// What kind of thing a descriptor or a path is. The numbers are WASI's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum FileKind {
    /// Anything WASI has no name for: pipes, above all.
    Unknown = 0,
    #[cfg_attr(windows, expect(dead_code, reason = "Windows has none"))]
    BlockDevice = 1,
    CharacterDevice = 2,
    Directory = 3,
    RegularFile = 4,
    Socket = 6,
    SymbolicLink = 7,
}

/// What the host knows about a file; times in nanoseconds since 1970.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stat {
    pub dev: u64,
    pub ino: u64,
    pub kind: FileKind,
    pub nlink: u64,
    pub size: u64,
    pub accessed: u64,
    pub modified: u64,
    pub changed: u64,
}

impl Stat {
    /// What is known of a stream that exists only inside this process.
    pub(crate) const STREAM: Stat = Stat {
        dev: 0,
        ino: 0,
        kind: FileKind::Unknown,
        nlink: 0,
        size: 0,
        accessed: 0,
        modified: 0,
        changed: 0,
    };
}

/// What to do with one of a file's times.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum SetTime {
    Keep,
    Now,
    /// Nanoseconds since 1970.
    To(u64),
}

/// The state an open descriptor keeps besides its position.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Flags {
    pub append: bool,
    pub nonblock: bool,
    /// Writes reach the disk, data only.
    pub dsync: bool,
    /// Writes reach the disk, metadata too.
    pub sync: bool,
}
