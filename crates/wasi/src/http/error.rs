//! What goes wrong with requests and responses, whatever the ABI calls it.

use std::{fmt, io};

/// Why there is no response, or no more of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Error {
    /// Finding the address took too long.
    LookupTimeout,
    /// The name has no address.
    Lookup(String),
    /// The address can not be reached from here.
    Unroutable,
    /// Connecting failed otherwise.
    Unavailable,
    Refused,
    /// The other side closed the connection.
    Terminated,
    ConnectTimeout,
    /// What should come did not come in time.
    ReadTimeout,
    /// There are too many requests at once.
    TooMany,
    /// The guest may send none.
    Denied,
    #[cfg_attr(not(feature = "tls"), expect(dead_code, reason = "for TLS"))]
    Tls,
    #[cfg_attr(not(feature = "tls"), expect(dead_code, reason = "for TLS"))]
    Certificate,
    /// The other side says that it does not like ours.
    #[cfg_attr(not(feature = "tls"), expect(dead_code, reason = "for TLS"))]
    Alert {
        id: u8,
        message: String,
    },
    /// The body is not as long as was said; it is so long.
    RequestBodySize(u64),
    /// The same for a response of the guest's.
    ResponseBodySize(u64),
    Method,
    Target,
    TargetTooLong,
    /// The message broke off.
    Incomplete,
    /// The head has this many bytes or more, which is too many, or too many fields in them.
    HeadSize(u32),
    /// The same for trailers.
    TrailersSize(u32),
    /// The body is encoded as nobody asked for.
    TransferCoding(String),
    /// What was received is no message of HTTP.
    Protocol,
    /// Anything else.
    #[cfg_attr(feature = "tls", expect(dead_code, reason = "nothing else is left then"))]
    Other(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::LookupTimeout => f.write_str("finding the address took too long"),
            Error::Lookup(why) => write!(f, "the name has no address: {why}"),
            Error::Unroutable => f.write_str("the address can not be reached"),
            Error::Unavailable => f.write_str("connecting failed"),
            Error::Refused => f.write_str("the connection was refused"),
            Error::Terminated => f.write_str("the connection was closed"),
            Error::ConnectTimeout => f.write_str("connecting took too long"),
            Error::ReadTimeout => f.write_str("the response took too long"),
            Error::TooMany => f.write_str("there are too many requests at once"),
            Error::Denied => f.write_str("sending requests is not allowed"),
            Error::Tls => f.write_str("the other side does not do TLS as it should"),
            Error::Certificate => f.write_str("the certificate is not good"),
            Error::Alert { message, .. } => write!(f, "TLS alert: {message}"),
            Error::RequestBodySize(size) | Error::ResponseBodySize(size) => {
                write!(f, "the body is not as long as its 'content-length': {size} bytes")
            }
            Error::Method => f.write_str("the method is not possible"),
            Error::Target => f.write_str("the target of the request is no URI"),
            Error::TargetTooLong => f.write_str("the target of the request is too long"),
            Error::Incomplete => f.write_str("what was received broke off"),
            Error::HeadSize(_) => f.write_str("the head is too large"),
            Error::TrailersSize(_) => f.write_str("the trailers are too large"),
            Error::TransferCoding(coding) => write!(f, "unknown transfer coding '{coding}'"),
            Error::Protocol => f.write_str("what was received is no HTTP"),
            Error::Other(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for Error {}

impl Error {
    /// What connecting failed with.
    pub(crate) fn connecting(error: &io::Error) -> Error {
        match error.kind() {
            io::ErrorKind::ConnectionRefused => Error::Refused,
            io::ErrorKind::TimedOut => Error::ConnectTimeout,
            io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::NetworkDown => Error::Unroutable,
            io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted => Error::Terminated,
            _ => Error::Unavailable,
        }
    }

    /// What transmitting failed with: one of these that was passed on, or that the
    /// connection is gone.
    pub(crate) fn transmitting(error: io::Error) -> Error {
        match error.downcast::<Error>() {
            Ok(error) => error,
            Err(_) => Error::Terminated,
        }
    }
}

impl From<Error> for io::Error {
    fn from(error: Error) -> io::Error {
        io::Error::other(error)
    }
}
