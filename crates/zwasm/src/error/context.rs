//! Context of errors, and the chain of what they come from.

use std::error::Error as StdError;
use std::fmt::{self, Display, Formatter, Write};

use super::{Error, Result};

mod sealed {
    pub trait Sealed {}
    impl<T, E> Sealed for Result<T, E> {}
    impl<T> Sealed for Option<T> {}
}

/// Adds context to the errors of results, and makes errors of what is missing.
///
/// ```
/// use zwasm::error::Context;
/// let none: Option<u32> = None;
/// assert_eq!(none.context("no number").unwrap_err().to_string(), "no number");
/// let error = "x".parse::<u32>().with_context(|| format!("{:?}", "x")).unwrap_err();
/// assert_eq!(format!("{error:#}"), "\"x\": invalid digit found in string");
/// ```
pub trait Context<T, E>: sealed::Sealed {
    /// Puts context before the error.
    ///
    /// # Errors
    ///
    /// The error with its context; likewise below.
    fn context<C: Display + Send + Sync + 'static>(self, context: C) -> Result<T>;

    /// The same with context that is made only if there is an error.
    fn with_context<C: Display + Send + Sync + 'static>(
        self,
        context: impl FnOnce() -> C,
    ) -> Result<T>;
}

impl<T, E: StdError + Send + Sync + 'static> Context<T, E> for Result<T, E> {
    fn context<C: Display + Send + Sync + 'static>(self, context: C) -> Result<T> {
        self.map_err(|error| Error::new(error).context(context))
    }

    fn with_context<C: Display + Send + Sync + 'static>(
        self,
        context: impl FnOnce() -> C,
    ) -> Result<T> {
        self.map_err(|error| Error::new(error).context(context()))
    }
}

impl<T> Context<T, Error> for Result<T> {
    fn context<C: Display + Send + Sync + 'static>(self, context: C) -> Result<T> {
        self.map_err(|error| error.context(context))
    }

    fn with_context<C: Display + Send + Sync + 'static>(
        self,
        context: impl FnOnce() -> C,
    ) -> Result<T> {
        self.map_err(|error| error.context(context()))
    }
}

impl<T> Context<T, std::convert::Infallible> for Option<T> {
    fn context<C: Display + Send + Sync + 'static>(self, context: C) -> Result<T> {
        self.ok_or_else(|| Error::msg(context.to_string()))
    }

    fn with_context<C: Display + Send + Sync + 'static>(
        self,
        context: impl FnOnce() -> C,
    ) -> Result<T> {
        self.ok_or_else(|| Error::msg(context().to_string()))
    }
}

/// The errors of [`Error::chain`].
#[derive(Clone)]
pub struct Chain<'a>(Option<&'a (dyn StdError + 'static)>);

impl<'a> Chain<'a> {
    pub(super) fn new(first: &'a (dyn StdError + 'static)) -> Chain<'a> {
        Chain(Some(first))
    }
}

impl<'a> Iterator for Chain<'a> {
    type Item = &'a (dyn StdError + 'static);

    fn next(&mut self) -> Option<Self::Item> {
        let error = self.0?;
        self.0 = error.source();
        Some(error)
    }
}

impl std::iter::FusedIterator for Chain<'_> {}

/// Writes a chain as several lines: the outermost error, and what caused it.
pub(super) fn debug(mut chain: Chain<'_>, f: &mut Formatter<'_>) -> fmt::Result {
    if let Some(error) = chain.next() {
        write!(f, "{error}")?;
    }
    let only = chain.clone().count() == 1;
    for (at, error) in chain.enumerate() {
        if at == 0 {
            f.write_str("\n\nCaused by:")?;
        }
        let head = if only { String::from("    ") } else { format!("{at:>5}: ") };
        let indent = if only { "    " } else { "       " };
        let mut text = String::new();
        write!(text, "{error}")?;
        for (line, part) in text.lines().enumerate() {
            write!(f, "\n{}{part}", if line == 0 { &head } else { indent })?;
        }
    }
    Ok(())
}
