//! HTTP/1.1 over the host layer: requests that are sent for a guest.
//!
//! An `exchange` is one request and its response over one connection, which is closed
//! behind it. It never waits: it does what can be done now, and says what it waits for
//! otherwise. Bodies go through it in both directions piece by piece, and it keeps no more
//! of them than `BODY_BUFFER`. Heads and trailers are kept whole, up to
//! `MAX_SECTION` and `MAX_TRAILERS`.
//!
//! What a guest gives becomes part of a message only as what it is said to be: names,
//! values, methods and targets are checked when they are set, and the fields that say how
//! messages are framed are not the guest's (`fields::is_forbidden`).

pub(crate) mod body;
pub(crate) mod decode;
pub(crate) mod error;
pub(crate) mod exchange;
pub(crate) mod fields;
pub(crate) mod flow;
pub(crate) mod request;
pub(crate) mod response;
#[cfg(feature = "serve")]
pub(crate) mod server;
#[cfg(test)]
mod tests;
#[cfg(feature = "tls")]
mod tls;
pub(crate) mod transport;

#[cfg(feature = "serve")]
pub use server::{Limits, Report, Request, Server, Service, Stopper};

/// The bytes of the head of a message, at most.
pub(crate) const MAX_SECTION: usize = 128 << 10;

/// The fields in a head or in trailers, at most.
pub(crate) const MAX_FIELDS: usize = 256;

/// The bytes of trailers, at most.
pub(crate) const MAX_TRAILERS: usize = 16 << 10;

/// The bytes of the line before each chunk, at most: a number, and extensions that nobody
/// uses.
pub(crate) const MAX_CHUNK_LINE: usize = 1 << 10;

/// The provisional responses before the final one, at most.
pub(crate) const MAX_PROVISIONAL: u32 = 32;

/// The bytes of a body that are kept between the guest and the connection, at most.
pub(crate) const BODY_BUFFER: usize = 64 << 10;

/// The bytes that are received at once.
pub(crate) const RECEIVE: usize = 16 << 10;

/// The bytes of a target or an authority, at most.
pub(crate) const MAX_TARGET: usize = 64 << 10;

/// The addresses of a name that are tried, at most.
pub(crate) const MAX_ADDRESSES: usize = 8;

/// How long one of several addresses is tried, in nanoseconds.
pub(crate) const ATTEMPT: u64 = 5_000_000_000;

/// How long anything takes, in nanoseconds, unless the guest says otherwise.
pub(crate) const DEFAULT_TIMEOUT: u64 = 600_000_000_000;

/// What is skipped at once of a body that nobody reads, in bytes.
pub(crate) const SKIP: usize = 1 << 20;

/// The bytes that all requests, bodies and fields of a guest may take.
pub(crate) const BUDGET: usize = 64 << 20;
