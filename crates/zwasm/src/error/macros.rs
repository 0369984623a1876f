//! The macros that make errors, and what they expand to.

use std::fmt::{Arguments, Debug, Display};

use super::Error;

/// An [`Error`] from a message as `format!` takes it, or from an error or anything that
/// can be shown.
///
/// ```
/// let limit = 3;
/// let error = zwasm::format_err!("more than {limit} of {}", "them");
/// assert_eq!(error.to_string(), "more than 3 of them");
/// let error = zwasm::format_err!(std::fmt::Error);
/// assert!(error.is::<std::fmt::Error>());
/// ```
#[macro_export]
macro_rules! format_err {
    ($message:literal $(,)?) => {
        $crate::error::macros::formatted(::std::format_args!($message))
    };
    ($message:literal, $($arguments:tt)*) => {
        $crate::error::macros::formatted(::std::format_args!($message, $($arguments)*))
    };
    ($error:expr $(,)?) => {{
        use $crate::error::macros::{OfError as _, OfMessage as _};
        let error = $error;
        (&error).zwasm_error_maker().make(error)
    }};
}

/// Returns the [`Error`] that [`format_err!`](crate::format_err) makes.
///
/// ```
/// fn half(of: u32) -> zwasm::Result<u32> {
///     if of % 2 == 1 {
///         zwasm::bail!("{of} is odd");
///     }
///     Ok(of / 2)
/// }
/// assert_eq!(half(3).unwrap_err().to_string(), "3 is odd");
/// ```
#[macro_export]
macro_rules! bail {
    ($($arguments:tt)*) => {
        return ::std::result::Result::Err($crate::format_err!($($arguments)*))
    };
}

/// Returns an [`Error`] unless a condition holds.
///
/// ```
/// fn half(of: u32) -> zwasm::Result<u32> {
///     zwasm::ensure!(of % 2 == 0, "{of} is odd");
///     Ok(of / 2)
/// }
/// assert!(half(3).is_err());
/// ```
#[macro_export]
macro_rules! ensure {
    ($condition:expr $(,)?) => {
        $crate::ensure!(
            $condition,
            ::std::concat!("Condition failed: `", ::std::stringify!($condition), "`")
        )
    };
    ($condition:expr, $($arguments:tt)*) => {
        if !$condition {
            $crate::bail!($($arguments)*);
        }
    };
}

/// The error of a message.
#[cold]
pub fn formatted(message: Arguments<'_>) -> Error {
    match message.as_str() {
        Some(message) => Error::msg(message),
        None => Error::msg(message.to_string()),
    }
}

/// Makes an error of an error.
pub struct FromError;

impl FromError {
    /// The error.
    #[cold]
    pub fn make(self, error: impl Into<Error>) -> Error {
        error.into()
    }
}

/// Makes an error of something that can be shown.
pub struct FromMessage;

impl FromMessage {
    /// The error.
    #[cold]
    pub fn make(self, message: impl Display + Debug + Send + Sync + 'static) -> Error {
        Error::msg(message)
    }
}

/// What becomes an error by conversion. It is looked at before [`OfMessage`], since that
/// needs one reference more.
pub trait OfError: Sized {
    /// Who makes the error.
    fn zwasm_error_maker(&self) -> FromError {
        FromError
    }
}

impl<E: Into<Error>> OfError for E {}

/// What can be shown.
pub trait OfMessage: Sized {
    /// Who makes the error.
    fn zwasm_error_maker(&self) -> FromMessage {
        FromMessage
    }
}

impl<M: Display + Debug + Send + Sync + 'static> OfMessage for &M {}
