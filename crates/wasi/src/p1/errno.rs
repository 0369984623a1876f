//! WASI's error numbers, and which of them a host error is.

#[cfg(windows)]
mod windows;

#[cfg(unix)]
use rustix::io::Errno as Host;
use std::io;

macro_rules! errnos {
    ($($name:ident = $number:literal $($(| $host:ident)+)?),* $(,)?) => {
        /// An error number of WASI preview 1.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u16)]
        #[expect(dead_code, reason = "some are no errors of any host, or not of all")]
        pub(crate) enum Errno {
            $($name = $number,)*
        }

        impl Errno {
            /// Whether it says that there are too many of something already.
            pub(crate) fn is_limit(self) -> bool {
                matches!(self, Errno::Mfile | Errno::Nfile)
            }

            /// Its name in WASI.
            pub(crate) fn name(self) -> String {
                match self {
                    $(Errno::$name => stringify!($name),)*
                }
                .to_ascii_uppercase()
            }
        }

        #[cfg(unix)]
        impl From<Host> for Errno {
            fn from(error: Host) -> Errno {
                match error {
                    $($($(Host::$host)|+ => Errno::$name,)?)*
                    _ => Errno::Io,
                }
            }
        }
    };
}

errnos! {
    TooBig = 1 | TOOBIG,
    Acces = 2 | ACCESS,
    Addrinuse = 3 | ADDRINUSE,
    Addrnotavail = 4 | ADDRNOTAVAIL,
    Afnosupport = 5 | AFNOSUPPORT,
    Again = 6 | AGAIN,
    Already = 7 | ALREADY,
    Badf = 8 | BADF,
    Badmsg = 9 | BADMSG,
    Busy = 10 | BUSY,
    Canceled = 11 | CANCELED,
    Child = 12 | CHILD,
    Connaborted = 13 | CONNABORTED,
    Connrefused = 14 | CONNREFUSED,
    Connreset = 15 | CONNRESET,
    Deadlk = 16 | DEADLK,
    Destaddrreq = 17 | DESTADDRREQ,
    Dom = 18 | DOM,
    Dquot = 19 | DQUOT,
    Exist = 20 | EXIST,
    Fault = 21 | FAULT,
    Fbig = 22 | FBIG,
    Hostunreach = 23 | HOSTUNREACH,
    Idrm = 24 | IDRM,
    Ilseq = 25 | ILSEQ,
    Inprogress = 26 | INPROGRESS,
    Intr = 27 | INTR,
    Inval = 28 | INVAL,
    Io = 29,
    Isconn = 30 | ISCONN,
    Isdir = 31 | ISDIR,
    Loop = 32 | LOOP,
    Mfile = 33 | MFILE,
    Mlink = 34 | MLINK,
    Msgsize = 35 | MSGSIZE,
    Multihop = 36 | MULTIHOP,
    Nametoolong = 37 | NAMETOOLONG,
    Netdown = 38 | NETDOWN,
    Netreset = 39 | NETRESET,
    Netunreach = 40 | NETUNREACH,
    Nfile = 41 | NFILE,
    Nobufs = 42 | NOBUFS,
    Nodev = 43 | NODEV,
    Noent = 44 | NOENT,
    Noexec = 45 | NOEXEC,
    Nolck = 46 | NOLCK,
    Nolink = 47 | NOLINK,
    Nomem = 48 | NOMEM,
    Nomsg = 49 | NOMSG,
    Noprotoopt = 50 | NOPROTOOPT,
    Nospc = 51 | NOSPC,
    Nosys = 52 | NOSYS,
    Notconn = 53 | NOTCONN,
    Notdir = 54 | NOTDIR,
    Notempty = 55 | NOTEMPTY,
    Notrecoverable = 56,
    Notsock = 57 | NOTSOCK,
    Notsup = 58 | NOTSUP,
    Notty = 59 | NOTTY,
    Nxio = 60 | NXIO,
    Overflow = 61 | OVERFLOW,
    Ownerdead = 62,
    Perm = 63 | PERM,
    Pipe = 64 | PIPE,
    Proto = 65 | PROTO,
    Protonosupport = 66 | PROTONOSUPPORT,
    Prototype = 67 | PROTOTYPE,
    Range = 68 | RANGE,
    Rofs = 69 | ROFS,
    Spipe = 70 | SPIPE,
    Srch = 71 | SRCH,
    Stale = 72 | STALE,
    Timedout = 73 | TIMEDOUT,
    Txtbsy = 74 | TXTBSY,
    Xdev = 75 | XDEV,
    Notcapable = 76,
}

impl From<io::Error> for Errno {
    fn from(error: io::Error) -> Errno {
        #[cfg(unix)]
        if let Some(host) = Host::from_io_error(&error) {
            return host.into();
        }
        #[cfg(windows)]
        if let Some(errno) = error.raw_os_error().and_then(windows::errno) {
            return errno;
        }
        // Errors without a number: cap-std's own, and those of an embedder's
        // streams.
        match error.kind() {
            io::ErrorKind::NotFound => Errno::Noent,
            // Above all, a path that leads out of its directory.
            io::ErrorKind::PermissionDenied => Errno::Perm,
            io::ErrorKind::BrokenPipe => Errno::Pipe,
            io::ErrorKind::AlreadyExists => Errno::Exist,
            io::ErrorKind::WouldBlock => Errno::Again,
            io::ErrorKind::NotADirectory => Errno::Notdir,
            io::ErrorKind::IsADirectory => Errno::Isdir,
            io::ErrorKind::InvalidInput => Errno::Inval,
            io::ErrorKind::ReadOnlyFilesystem => Errno::Rofs,
            io::ErrorKind::TimedOut => Errno::Timedout,
            io::ErrorKind::StorageFull => Errno::Nospc,
            io::ErrorKind::Interrupted => Errno::Intr,
            io::ErrorKind::Unsupported => Errno::Notsup,
            io::ErrorKind::OutOfMemory => Errno::Nomem,
            _ => Errno::Io,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn host_errors_have_their_number() {
        assert_eq!(Errno::from(Host::NOTEMPTY) as u16, 55);
        assert_eq!(Errno::from(Host::XDEV) as u16, 75);
        assert_eq!(Errno::from(io::Error::from(Host::PIPE)), Errno::Pipe);
    }

    #[test]
    fn errors_without_a_number_go_by_their_kind() {
        assert_eq!(Errno::from(io::Error::from(io::ErrorKind::ReadOnlyFilesystem)), Errno::Rofs);
        assert_eq!(Errno::from(io::Error::from(io::ErrorKind::PermissionDenied)), Errno::Perm);
        assert_eq!(Errno::from(io::Error::other("odd")), Errno::Io);
    }
}
