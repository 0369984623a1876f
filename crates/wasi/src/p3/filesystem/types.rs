//! The types of `wasi:filesystem`, where they are not those of 0.2.

use std::io;

use crate::p2::clocks::Datetime;
use crate::p2::filesystem::types as old;
use crate::p2::table::{Answer, Code, Failed};
use crate::p2::wit::{wit_record, wit_variant};
use crate::p3::clocks::Instant;

wit_variant! {
    /// What kind of thing is open, or has a name.
    #[derive(Clone, Debug)]
    DescriptorType {
        BlockDevice = "block-device",
        CharacterDevice = "character-device",
        Directory = "directory",
        Fifo = "fifo",
        SymbolicLink = "symbolic-link",
        RegularFile = "regular-file",
        Socket = "socket",
        /// Something else, of which this may be known.
        Other(what: Option<String>) = "other",
    }
}

impl From<old::DescriptorType> for DescriptorType {
    fn from(kind: old::DescriptorType) -> DescriptorType {
        match kind {
            old::DescriptorType::Unknown => DescriptorType::Other(None),
            old::DescriptorType::BlockDevice => DescriptorType::BlockDevice,
            old::DescriptorType::CharacterDevice => DescriptorType::CharacterDevice,
            old::DescriptorType::Directory => DescriptorType::Directory,
            old::DescriptorType::Fifo => DescriptorType::Fifo,
            old::DescriptorType::SymbolicLink => DescriptorType::SymbolicLink,
            old::DescriptorType::RegularFile => DescriptorType::RegularFile,
            old::DescriptorType::Socket => DescriptorType::Socket,
        }
    }
}

wit_record! {
    /// What is known of a file.
    DescriptorStat {
        kind: DescriptorType = "type",
        link_count: u64 = "link-count",
        size: u64 = "size",
        accessed: Option<Instant> = "data-access-timestamp",
        modified: Option<Instant> = "data-modification-timestamp",
        changed: Option<Instant> = "status-change-timestamp",
    }
}

impl From<old::DescriptorStat> for DescriptorStat {
    fn from(stat: old::DescriptorStat) -> DescriptorStat {
        let instant =
            |time: Option<Datetime>| Some(Instant::from_nanoseconds(time?.nanoseconds()?));
        DescriptorStat {
            kind: stat.kind.into(),
            link_count: stat.link_count,
            size: stat.size,
            accessed: instant(stat.accessed),
            modified: instant(stat.modified),
            changed: instant(stat.changed),
        }
    }
}

wit_record! {
    /// A name in a directory.
    DirectoryEntry {
        kind: DescriptorType = "type",
        name: String = "name",
    }
}

impl From<old::DirectoryEntry> for DirectoryEntry {
    fn from(entry: old::DirectoryEntry) -> DirectoryEntry {
        DirectoryEntry { kind: entry.kind.into(), name: entry.name }
    }
}

wit_variant! {
    /// What to do with one of a file's times.
    NewTimestamp {
        NoChange = "no-change",
        Now = "now",
        Timestamp(time: Instant) = "timestamp",
    }
}

impl NewTimestamp {
    /// The same as 0.2 has it, whose times begin in 1970.
    pub(super) fn old(self) -> Answer<old::NewTimestamp, ErrorCode> {
        Ok(match self {
            NewTimestamp::NoChange => old::NewTimestamp::NoChange,
            NewTimestamp::Now => old::NewTimestamp::Now,
            NewTimestamp::Timestamp(time) => {
                let nanoseconds = time.nanoseconds().ok_or(Failed::With(ErrorCode::Overflow))?;
                old::NewTimestamp::Timestamp(Datetime::from_nanoseconds(nanoseconds))
            }
        })
    }
}

wit_variant! {
    /// Why an operation failed.
    #[derive(Clone, Debug)]
    ErrorCode {
        Access = "access",
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
        /// Something else, of which this may be known.
        Other(what: Option<String>) = "other",
    }
}

impl From<old::ErrorCode> for ErrorCode {
    fn from(code: old::ErrorCode) -> ErrorCode {
        match code {
            // What would wait waits.
            old::ErrorCode::WouldBlock => ErrorCode::Other(None),
            old::ErrorCode::Access => ErrorCode::Access,
            old::ErrorCode::Already => ErrorCode::Already,
            old::ErrorCode::BadDescriptor => ErrorCode::BadDescriptor,
            old::ErrorCode::Busy => ErrorCode::Busy,
            old::ErrorCode::Deadlock => ErrorCode::Deadlock,
            old::ErrorCode::Quota => ErrorCode::Quota,
            old::ErrorCode::Exist => ErrorCode::Exist,
            old::ErrorCode::FileTooLarge => ErrorCode::FileTooLarge,
            old::ErrorCode::IllegalByteSequence => ErrorCode::IllegalByteSequence,
            old::ErrorCode::InProgress => ErrorCode::InProgress,
            old::ErrorCode::Interrupted => ErrorCode::Interrupted,
            old::ErrorCode::Invalid => ErrorCode::Invalid,
            old::ErrorCode::Io => ErrorCode::Io,
            old::ErrorCode::IsDirectory => ErrorCode::IsDirectory,
            old::ErrorCode::Loop => ErrorCode::Loop,
            old::ErrorCode::TooManyLinks => ErrorCode::TooManyLinks,
            old::ErrorCode::MessageSize => ErrorCode::MessageSize,
            old::ErrorCode::NameTooLong => ErrorCode::NameTooLong,
            old::ErrorCode::NoDevice => ErrorCode::NoDevice,
            old::ErrorCode::NoEntry => ErrorCode::NoEntry,
            old::ErrorCode::NoLock => ErrorCode::NoLock,
            old::ErrorCode::InsufficientMemory => ErrorCode::InsufficientMemory,
            old::ErrorCode::InsufficientSpace => ErrorCode::InsufficientSpace,
            old::ErrorCode::NotDirectory => ErrorCode::NotDirectory,
            old::ErrorCode::NotEmpty => ErrorCode::NotEmpty,
            old::ErrorCode::NotRecoverable => ErrorCode::NotRecoverable,
            old::ErrorCode::Unsupported => ErrorCode::Unsupported,
            old::ErrorCode::NoTty => ErrorCode::NoTty,
            old::ErrorCode::NoSuchDevice => ErrorCode::NoSuchDevice,
            old::ErrorCode::Overflow => ErrorCode::Overflow,
            old::ErrorCode::NotPermitted => ErrorCode::NotPermitted,
            old::ErrorCode::Pipe => ErrorCode::Pipe,
            old::ErrorCode::ReadOnly => ErrorCode::ReadOnly,
            old::ErrorCode::InvalidSeek => ErrorCode::InvalidSeek,
            old::ErrorCode::TextFileBusy => ErrorCode::TextFileBusy,
            old::ErrorCode::CrossDevice => ErrorCode::CrossDevice,
        }
    }
}

impl From<Failed<old::ErrorCode>> for Failed<ErrorCode> {
    fn from(failed: Failed<old::ErrorCode>) -> Failed<ErrorCode> {
        match failed {
            Failed::With(code) => Failed::With(code.into()),
            Failed::Stop(error) => Failed::Stop(error),
        }
    }
}

impl Code for ErrorCode {
    fn refused() -> ErrorCode {
        old::ErrorCode::refused().into()
    }

    fn system(error: io::Error) -> ErrorCode {
        old::ErrorCode::system(error).into()
    }
}
