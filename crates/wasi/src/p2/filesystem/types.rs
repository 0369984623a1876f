//! The types of `wasi:filesystem`.

use std::io;

use crate::host::fs::file::Advice as HostAdvice;
use crate::host::fs::{FileKind, SetTime, Stat};
use crate::p1::Errno;
use crate::p2::clocks::Datetime;
use crate::p2::table::Code;
use crate::p2::wit::{wit_enum, wit_flags, wit_record, wit_variant};

wit_enum! {
    /// What kind of thing is open, or has a name.
    DescriptorType {
        Unknown = "unknown",
        BlockDevice = "block-device",
        CharacterDevice = "character-device",
        Directory = "directory",
        Fifo = "fifo",
        SymbolicLink = "symbolic-link",
        RegularFile = "regular-file",
        Socket = "socket",
    }
}

impl From<FileKind> for DescriptorType {
    fn from(kind: FileKind) -> DescriptorType {
        match kind {
            FileKind::Unknown => DescriptorType::Unknown,
            FileKind::BlockDevice => DescriptorType::BlockDevice,
            FileKind::CharacterDevice => DescriptorType::CharacterDevice,
            FileKind::Directory => DescriptorType::Directory,
            FileKind::RegularFile => DescriptorType::RegularFile,
            FileKind::Socket => DescriptorType::Socket,
            FileKind::SymbolicLink => DescriptorType::SymbolicLink,
        }
    }
}

wit_flags! {
    /// What a descriptor is open for.
    DescriptorFlags {
        READ = "read",
        WRITE = "write",
        FILE_INTEGRITY_SYNC = "file-integrity-sync",
        DATA_INTEGRITY_SYNC = "data-integrity-sync",
        REQUESTED_WRITE_SYNC = "requested-write-sync",
        MUTATE_DIRECTORY = "mutate-directory",
    }
}

wit_flags! {
    /// How a path is followed.
    PathFlags {
        /// Follow a symbolic link in its last component.
        SYMLINK_FOLLOW = "symlink-follow",
    }
}

impl PathFlags {
    /// Whether a symbolic link in the last component is followed.
    pub(crate) fn follow(self) -> bool {
        self.contains(PathFlags::SYMLINK_FOLLOW)
    }
}

wit_flags! {
    /// How a path is opened.
    OpenFlags {
        CREATE = "create",
        DIRECTORY = "directory",
        EXCLUSIVE = "exclusive",
        TRUNCATE = "truncate",
    }
}

wit_record! {
    /// What is known of a file.
    DescriptorStat {
        kind: DescriptorType = "type",
        link_count: u64 = "link-count",
        size: u64 = "size",
        accessed: Option<Datetime> = "data-access-timestamp",
        modified: Option<Datetime> = "data-modification-timestamp",
        changed: Option<Datetime> = "status-change-timestamp",
    }
}

impl From<Stat> for DescriptorStat {
    fn from(stat: Stat) -> DescriptorStat {
        DescriptorStat {
            kind: stat.kind.into(),
            link_count: stat.nlink,
            size: stat.size,
            accessed: Some(Datetime::from_nanoseconds(stat.accessed)),
            modified: Some(Datetime::from_nanoseconds(stat.modified)),
            changed: Some(Datetime::from_nanoseconds(stat.changed)),
        }
    }
}

wit_variant! {
    /// What to do with one of a file's times.
    NewTimestamp {
        NoChange = "no-change",
        Now = "now",
        Timestamp(time: Datetime) = "timestamp",
    }
}

impl NewTimestamp {
    /// The same for the host, which counts nanoseconds and can not count all of them.
    pub(crate) fn set_time(&self) -> Result<SetTime, ErrorCode> {
        Ok(match self {
            NewTimestamp::NoChange => SetTime::Keep,
            NewTimestamp::Now => SetTime::Now,
            NewTimestamp::Timestamp(time) => {
                SetTime::To(time.nanoseconds().ok_or(ErrorCode::Overflow)?)
            }
        })
    }
}

wit_record! {
    /// A name in a directory.
    DirectoryEntry {
        kind: DescriptorType = "type",
        name: String = "name",
    }
}

wit_enum! {
    /// Why an operation failed.
    ErrorCode {
        Access = "access",
        WouldBlock = "would-block",
        Already = "already",
        BadDescriptor = "bad-descriptor",
        Busy = "busy",
        Deadlock = "deadlock",
        Quota = "quota",
        Exist = "exist",
        FileTooLarge = "file-too-large",
        IllegalByteSequence = "illegal-byte-sequence",
        InProgress = "in-progress",
        Interrupted = "interrupted",
        Invalid = "invalid",
        Io = "io",
        IsDirectory = "is-directory",
        Loop = "loop",
        TooManyLinks = "too-many-links",
        MessageSize = "message-size",
        NameTooLong = "name-too-long",
        NoDevice = "no-device",
        NoEntry = "no-entry",
        NoLock = "no-lock",
        InsufficientMemory = "insufficient-memory",
        InsufficientSpace = "insufficient-space",
        NotDirectory = "not-directory",
        NotEmpty = "not-empty",
        NotRecoverable = "not-recoverable",
        Unsupported = "unsupported",
        NoTty = "no-tty",
        NoSuchDevice = "no-such-device",
        Overflow = "overflow",
        NotPermitted = "not-permitted",
        Pipe = "pipe",
        ReadOnly = "read-only",
        InvalidSeek = "invalid-seek",
        TextFileBusy = "text-file-busy",
        CrossDevice = "cross-device",
    }
}

impl Code for ErrorCode {
    fn refused() -> ErrorCode {
        ErrorCode::NotPermitted
    }

    fn system(error: io::Error) -> ErrorCode {
        Errno::from(error).into()
    }
}

impl From<Errno> for ErrorCode {
    fn from(errno: Errno) -> ErrorCode {
        match errno {
            Errno::Acces => ErrorCode::Access,
            Errno::Again => ErrorCode::WouldBlock,
            Errno::Already => ErrorCode::Already,
            Errno::Badf => ErrorCode::BadDescriptor,
            Errno::Busy => ErrorCode::Busy,
            Errno::Deadlk => ErrorCode::Deadlock,
            Errno::Dquot => ErrorCode::Quota,
            Errno::Exist => ErrorCode::Exist,
            Errno::Fbig => ErrorCode::FileTooLarge,
            Errno::Ilseq => ErrorCode::IllegalByteSequence,
            Errno::Inprogress => ErrorCode::InProgress,
            Errno::Intr => ErrorCode::Interrupted,
            Errno::Inval => ErrorCode::Invalid,
            Errno::Isdir => ErrorCode::IsDirectory,
            Errno::Loop => ErrorCode::Loop,
            Errno::Mlink => ErrorCode::TooManyLinks,
            Errno::Msgsize => ErrorCode::MessageSize,
            Errno::Nametoolong => ErrorCode::NameTooLong,
            Errno::Nodev => ErrorCode::NoDevice,
            Errno::Noent => ErrorCode::NoEntry,
            Errno::Nolck => ErrorCode::NoLock,
            Errno::Nomem => ErrorCode::InsufficientMemory,
            Errno::Nospc => ErrorCode::InsufficientSpace,
            Errno::Notdir => ErrorCode::NotDirectory,
            Errno::Notempty => ErrorCode::NotEmpty,
            Errno::Notrecoverable => ErrorCode::NotRecoverable,
            Errno::Notsup | Errno::Nosys => ErrorCode::Unsupported,
            Errno::Notty => ErrorCode::NoTty,
            Errno::Nxio => ErrorCode::NoSuchDevice,
            Errno::Overflow => ErrorCode::Overflow,
            Errno::Perm | Errno::Notcapable => ErrorCode::NotPermitted,
            Errno::Pipe => ErrorCode::Pipe,
            Errno::Rofs => ErrorCode::ReadOnly,
            Errno::Spipe => ErrorCode::InvalidSeek,
            Errno::Txtbsy => ErrorCode::TextFileBusy,
            Errno::Xdev => ErrorCode::CrossDevice,
            // Files know no others.
            _ => ErrorCode::Io,
        }
    }
}

wit_enum! {
    /// How a range of a file will be used.
    Advice {
        Normal = "normal",
        Sequential = "sequential",
        Random = "random",
        WillNeed = "will-need",
        DontNeed = "dont-need",
        NoReuse = "no-reuse",
    }
}

impl From<Advice> for HostAdvice {
    fn from(advice: Advice) -> HostAdvice {
        match advice {
            Advice::Normal => HostAdvice::Normal,
            Advice::Sequential => HostAdvice::Sequential,
            Advice::Random => HostAdvice::Random,
            Advice::WillNeed => HostAdvice::WillNeed,
            Advice::DontNeed => HostAdvice::DontNeed,
            Advice::NoReuse => HostAdvice::NoReuse,
        }
    }
}

wit_record! {
    /// What tells files apart.
    MetadataHashValue {
        lower: u64 = "lower",
        upper: u64 = "upper",
    }
}
