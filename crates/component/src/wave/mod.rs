//! Values as text: WAVE, the WebAssembly value encoding.
//!
//! Reading goes by the type: it says what may come next, so that the errors can, and the
//! nesting of the text is at most the type's. Writing needs the value alone. What is
//! written is read back as the same value.
//!
//! WAVE has no words for maps: they are lists of pairs here. It has none for resources
//! either, and neither do we.

mod call;
mod lexer;
mod read;
#[cfg(test)]
mod tests;
mod write;

use std::fmt::{self, Display, Formatter};

pub use call::{Call, Export, NotFound, complete, exports};
pub use read::read;
pub use write::write;

/// How deeply values may be nested.
const MAX_DEPTH: usize = 100;

/// The words that mean something by themselves; a case of such a name begins with `%`.
const KEYWORDS: [&str; 8] = ["true", "false", "some", "none", "ok", "err", "inf", "nan"];

/// Why a text is no value of its type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    message: String,
    offset: usize,
    line: usize,
    column: usize,
}

impl Error {
    /// An error at a byte of a text.
    fn new(text: &str, offset: usize, message: String) -> Error {
        let before = text.get(..offset).unwrap_or(text);
        let start = before.rfind('\n').map_or(0, |end| end + 1);
        let line = 1 + before.matches('\n').count();
        let column = 1 + before[start..].chars().count();
        Error { message, offset, line, column }
    }

    /// What was expected.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The byte of the text where it was.
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// The line, from 1.
    pub fn line(&self) -> usize {
        self.line
    }

    /// The column, in characters, from 1.
    pub fn column(&self) -> usize {
        self.column
    }
}

impl Display for Error {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.message)
    }
}

impl std::error::Error for Error {}
