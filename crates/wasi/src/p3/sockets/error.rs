//! Why a socket does not do what it is asked to.

use std::io;

use rustix::io::Errno;

use crate::p2::sockets::network::ErrorCode as Code02;
use crate::p2::table::Code;
use crate::p2::wit::wit_variant;

wit_variant! {
    /// The errors of sockets.
    #[derive(Clone, Debug)]
    ErrorCode {
        AccessDenied = "access-denied",
        NotSupported = "not-supported",
        InvalidArgument = "invalid-argument",
        OutOfMemory = "out-of-memory",
        Timeout = "timeout",
        InvalidState = "invalid-state",
        AddressNotBindable = "address-not-bindable",
        AddressInUse = "address-in-use",
        RemoteUnreachable = "remote-unreachable",
        ConnectionRefused = "connection-refused",
        ConnectionBroken = "connection-broken",
        ConnectionReset = "connection-reset",
        ConnectionAborted = "connection-aborted",
        DatagramTooLarge = "datagram-too-large",
        Other(message: Option<String>) = "other",
    }
}

impl ErrorCode {
    /// What has no name of its own.
    pub(super) fn other(message: &str) -> ErrorCode {
        ErrorCode::Other(Some(message.to_owned()))
    }
}

impl Code for ErrorCode {
    fn refused() -> ErrorCode {
        ErrorCode::AccessDenied
    }

    fn system(error: io::Error) -> ErrorCode {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return ErrorCode::ConnectionBroken;
        }
        // There a destination that is missing is a state, here it is an argument.
        if Errno::from_io_error(&error) == Some(Errno::DESTADDRREQ) {
            return ErrorCode::InvalidArgument;
        }
        match Code02::from(&error) {
            Code02::AccessDenied => ErrorCode::AccessDenied,
            Code02::NotSupported => ErrorCode::NotSupported,
            Code02::InvalidArgument => ErrorCode::InvalidArgument,
            Code02::OutOfMemory => ErrorCode::OutOfMemory,
            Code02::Timeout => ErrorCode::Timeout,
            Code02::ConcurrencyConflict | Code02::NotInProgress | Code02::InvalidState => {
                ErrorCode::InvalidState
            }
            Code02::AddressNotBindable => ErrorCode::AddressNotBindable,
            Code02::AddressInUse => ErrorCode::AddressInUse,
            Code02::RemoteUnreachable => ErrorCode::RemoteUnreachable,
            Code02::ConnectionRefused => ErrorCode::ConnectionRefused,
            Code02::ConnectionReset => ErrorCode::ConnectionReset,
            Code02::ConnectionAborted => ErrorCode::ConnectionAborted,
            Code02::DatagramTooLarge => ErrorCode::DatagramTooLarge,
            Code02::Unknown
            | Code02::WouldBlock
            | Code02::NewSocketLimit
            | Code02::NameUnresolvable
            | Code02::TemporaryResolverFailure
            | Code02::PermanentResolverFailure => ErrorCode::other(&error.to_string()),
        }
    }
}
