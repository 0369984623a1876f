//! What the bodies of a request and its response go through, whoever began it: an
//! [`Exchange`](super::exchange::Exchange) that a guest began, or a request that it answers.

use super::error::Error;
use super::fields::Fields;
use crate::host::poll::Need;
use crate::host::{Host, Result};

/// What somebody wants of a flow.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Want {
    /// That what was written goes out.
    Send,
    /// The head of what is received.
    Head,
    /// More of its body.
    Body,
    /// The end of its body, without the rest.
    End,
}

/// A piece of a body.
#[derive(Debug)]
pub(crate) enum Piece {
    Bytes(Vec<u8>),
    /// It has to be waited for.
    Later,
    End,
    Failed(Error),
}

/// The fields behind a body, if they are there by now, or why there are none.
pub(crate) type Trailers = Option<std::result::Result<Option<Fields>, Error>>;

/// What bodies go through. It never waits.
pub(crate) trait Flow: Send + Sync {
    /// Sends what can be sent, unless it is better gathered for a moment.
    fn push(&self, host: &Host) -> Result;

    /// Takes at most so many bytes of the body that is received.
    fn read(&self, host: &Host, len: usize) -> Result<Piece>;

    /// Skips what is left of the body, and takes the fields behind it; none if they have
    /// to be waited for. They are given once.
    fn trailers(&self, host: &Host) -> Result<Trailers>;

    /// Whether all of what is sent has left, or why it never will; none if more is to go
    /// out.
    fn sent(&self) -> Option<std::result::Result<(), Error>>;

    /// Whether what is wanted can be had now; what it waits for otherwise.
    fn is_ready(&self, host: &Host, want: Want, needs: &mut Vec<Need>) -> Result<bool>;
}
