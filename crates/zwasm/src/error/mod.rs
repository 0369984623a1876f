//! Errors: one type for everything that can go wrong, with a kind to match on.
//!
//! An [`Error`] works as the one of `anyhow` and that of wasmtime: it is made of any error
//! or message, has [context](Error::context) added on its way up, and what it was made of
//! is found again by its type. The guest's frames are such a context, a
//! [`WasmBacktrace`]; a [`Trap`] is what is below.

mod backtrace;
mod context;
mod fault;
#[doc(hidden)]
pub mod macros;
mod payload;
mod trap;

use std::any::Any;
use std::error::Error as StdError;
use std::fmt::{self, Debug, Display, Formatter};
use std::ops::Deref;

pub use backtrace::{FrameInfo, FrameSymbol, WasmBacktrace};
pub use context::{Chain, Context};
pub use fault::MemoryFault;
pub use trap::Trap;

pub use crate::{bail, ensure, format_err};
use payload::{Layer, Message, Payload, Source, Trapped};
use zwasm_regir::TrapCode;

/// A result whose error is [`Error`] unless said otherwise.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// `Ok` of a [`Result`] with this crate's error: for closures whose error nothing else names.
/// In this file it hides the variant, which is `Result::Ok`.
#[expect(non_snake_case, reason = "it is used as the variant is")]
pub fn Ok<T>(value: T) -> Result<T> {
    Result::Ok(value)
}

/// What went wrong, with the place and, for traps, the backtrace.
///
/// Like the error types of `anyhow` and wasmtime it does not implement
/// [`std::error::Error`] itself, so that `?` converts any error into it; it
/// converts into `Box<dyn std::error::Error>`.
///
/// ```
/// use zwasm::error::Context;
/// let engine = zwasm::Engine::default();
/// let error = zwasm::Module::new(&engine, b"\0asm\x01\0\0\0\xFF").unwrap_err();
/// assert_eq!(error.kind(), zwasm::ErrorKind::Invalid);
///
/// let error = std::fs::read("/nowhere").context("cannot load the plugin").unwrap_err();
/// assert_eq!(error.to_string(), "cannot load the plugin");
/// assert!(error.downcast_ref::<std::io::Error>().is_some());
/// assert_eq!(error.chain().count(), 2);
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    offset: Option<usize>,
    payload: Box<dyn Payload>,
}

/// The classes of errors.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The bytes are not a valid module.
    Invalid,
    /// The module is valid but needs what this build cannot run.
    Unsupported,
    /// Imports are missing or have other types.
    Link,
    /// The guest trapped for another reason than the next three.
    Trap,
    /// The guest's calls did not fit on the stack: [`Trap::StackOverflow`].
    StackOverflow,
    /// The guest has used up its fuel: [`Trap::OutOfFuel`].
    OutOfFuel,
    /// The guest has reached its deadline, or was interrupted: [`Trap::Interrupt`].
    Interrupted,
    /// The guest or a host function threw an exception that nothing caught.
    Exception,
    /// A configured limit or the embedder's limiter does not allow it.
    Limit,
    /// The system has no memory or address space for it.
    OutOfMemory,
    /// A file could not be read.
    Io,
    /// A host function or a misuse of the API.
    Host,
}

impl Error {
    fn with(kind: ErrorKind, payload: impl Payload) -> Error {
        Error(Box::new(Inner { kind, offset: None, payload: Box::new(payload) }))
    }

    /// An error of kind [`ErrorKind::Host`] made of another error, as `?` makes it.
    pub fn new<E: StdError + Send + Sync + 'static>(error: E) -> Error {
        Error::from(error)
    }

    /// An error of kind [`ErrorKind::Host`] with a message.
    pub fn msg<M: Display + Debug + Send + Sync + 'static>(message: M) -> Error {
        Error::with(ErrorKind::Host, Message(message))
    }

    /// An error of kind [`ErrorKind::Host`] made of another error whose type is not known.
    pub fn from_boxed(error: Box<dyn StdError + Send + Sync>) -> Error {
        Error::with(ErrorKind::Host, payload::Boxed(error))
    }

    /// An error of kind [`ErrorKind::Limit`] with a message, which should name the limit.
    pub fn limit(message: impl Display) -> Error {
        Error::of_kind(ErrorKind::Limit, message.to_string())
    }

    /// A trap whose cause is none of [`Trap`]'s: for what a guest must not do at a border
    /// that a crate above this one guards.
    pub fn trap_msg(message: impl Display) -> Error {
        Error::of_kind(ErrorKind::Trap, format!("trap: {message}"))
    }

    /// An error with a message, for the crates above this one.
    #[doc(hidden)]
    pub fn of_kind(kind: ErrorKind, message: impl Into<String>) -> Error {
        Error::with(kind, Message(message.into()))
    }

    /// The same error with the byte offset that it is about.
    #[doc(hidden)]
    pub fn at(mut self, offset: usize) -> Error {
        self.0.offset = Some(offset);
        self
    }

    /// The guest trapped.
    pub(crate) fn trapped(code: TrapCode) -> Error {
        let trap = Trap::from_code(code);
        Error::with(trap.kind(), Trapped(trap, code.message()))
    }

    /// What an error of another type becomes.
    pub(crate) fn converted<E: StdError + Send + Sync + 'static>(
        kind: ErrorKind,
        error: E,
    ) -> Error {
        let any = &error as &(dyn StdError + 'static);
        if let Some(&trap) = any.downcast_ref::<Trap>() {
            return Error::with(trap.kind(), Trapped(trap, trap.message()));
        }
        Error::with(kind, Source(error))
    }

    /// An invalid module; the message gains the byte offset.
    pub(crate) fn invalid(message: &str, offset: usize) -> Error {
        Error::malformed("module", message, offset)
    }

    /// Invalid bytes of some kind; the message gains the byte offset.
    #[doc(hidden)]
    pub fn malformed(what: &str, message: &str, offset: usize) -> Error {
        let message = one_line(message);
        let message = format!("invalid {what}: {message} (at byte offset {offset:#x})");
        Error::of_kind(ErrorKind::Invalid, message).at(offset)
    }

    /// An invalid function body; the message gains function and byte offset.
    pub(crate) fn invalid_in(message: &str, offset: usize, func: u32) -> Error {
        let message = format!(
            "invalid module: {} (at byte offset {offset:#x}, function {func})",
            one_line(message)
        );
        Error::of_kind(ErrorKind::Invalid, message).at(offset)
    }

    /// Puts the reason before the message of an invalid module.
    pub(crate) fn because(reason: impl Display, error: &Error) -> Error {
        let message = error.to_string();
        let detail = message.strip_prefix("invalid module: ").unwrap_or(&message);
        let mut because =
            Error::of_kind(error.kind(), format!("invalid module: {reason}: {detail}"));
        because.0.offset = error.offset();
        because
    }

    /// The kind of error, for matching. Context leaves it as it is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The byte offset in the module that the error is about.
    pub fn offset(&self) -> Option<usize> {
        self.0.offset
    }

    /// The trap, if the guest trapped.
    pub fn trap(&self) -> Option<Trap> {
        self.downcast_ref::<Trap>().copied()
    }

    /// What the trap was, if the guest trapped, in the words of the official suite where
    /// it has some: they tell more than the kind, as which kind of reference was null.
    pub fn trap_message(&self) -> Option<&'static str> {
        self.layers().find_map(|error| error.0.payload.trap_words())
    }

    /// The whole in a line for people: what context says, then what went wrong, a trap as
    /// `trap: ` and [its words](Error::trap_message), without the guest's frames.
    pub fn summary(&self) -> String {
        let mut text = String::new();
        for error in self.layers().filter(|error| !error.0.payload.is_detail()) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            match error.0.payload.trap_words() {
                Some(words) => {
                    text.push_str("trap: ");
                    text.push_str(words);
                }
                None => text.push_str(&error.0.payload.std().to_string()),
            }
        }
        text
    }

    /// The frames of the guest at the time of a trap, a throw or a host function's error.
    pub fn backtrace(&self) -> Option<&WasmBacktrace> {
        self.downcast_ref()
    }

    /// Adds the guest's frames, unless they are there.
    pub(crate) fn add_backtrace(self, backtrace: WasmBacktrace) -> Error {
        match self.backtrace() {
            Some(_) => self,
            None => self.detail(backtrace),
        }
    }

    /// The error, and those that it gives context to.
    fn layers(&self) -> impl Iterator<Item = &Error> {
        std::iter::successors(Some(self), |error| error.0.payload.under())
    }

    /// Puts a message, or anything that can be shown, before the error. The error is found
    /// by its type as before, and so is what is put before it.
    pub fn context<C: Display + Send + Sync + 'static>(self, context: C) -> Error {
        self.layer(context, false)
    }

    /// The same with what [`Error::summary`] has no use for.
    pub(crate) fn detail<C: Display + Send + Sync + 'static>(self, context: C) -> Error {
        self.layer(context, true)
    }

    fn layer<C: Display + Send + Sync + 'static>(self, context: C, is_detail: bool) -> Error {
        let (kind, offset) = (self.0.kind, self.0.offset);
        let payload = Box::new(Layer { context, is_detail, error: self });
        Error(Box::new(Inner { kind, offset, payload }))
    }

    /// The error, what it gives context to, and the sources of that, one after the other.
    pub fn chain(&self) -> Chain<'_> {
        Chain::new(self.as_std())
    }

    /// The last of [`Error::chain`].
    pub fn root_cause(&self) -> &(dyn StdError + 'static) {
        self.chain().last().unwrap_or(self.as_std())
    }

    fn as_std(&self) -> &(dyn StdError + 'static) {
        self.0.payload.std()
    }

    /// What of type `T` the error was made of, or what of that type is its context.
    pub fn downcast_ref<T: Display + Debug + Send + Sync + 'static>(&self) -> Option<&T> {
        self.layers().find_map(|error| {
            let any = error.0.payload.any();
            #[cfg(feature = "anyhow")]
            if let Some(found) = any.downcast_ref().and_then(anyhow::Error::downcast_ref) {
                return Some(found);
            }
            any.downcast_ref()
        })
    }

    /// The same, to be changed.
    pub fn downcast_mut<T: Display + Debug + Send + Sync + 'static>(&mut self) -> Option<&mut T> {
        let depth = self.layers().position(|error| error.0.payload.holds::<T>())?;
        let mut error = self;
        for _ in 0..depth {
            error = error.0.payload.under_mut()?;
        }
        let any = error.0.payload.any_mut();
        #[cfg(feature = "anyhow")]
        if any.is::<anyhow::Error>() && !any.is::<T>() {
            return any.downcast_mut().and_then(anyhow::Error::downcast_mut);
        }
        any.downcast_mut()
    }

    /// The same by value; the rest is dropped.
    ///
    /// # Errors
    ///
    /// The error itself, if it has nothing of this type.
    pub fn downcast<T: Display + Debug + Send + Sync + 'static>(self) -> Result<T, Error> {
        let Some(depth) = self.layers().position(|error| error.0.payload.holds::<T>()) else {
            return Err(self);
        };
        let mut error = self;
        for _ in 0..depth {
            error = error.0.payload.into_under().expect("the layer has one below");
        }
        let any: Box<dyn Any> = error.0.payload.into_any();
        #[cfg(feature = "anyhow")]
        let any = match any.downcast::<anyhow::Error>() {
            Result::Ok(error) => match error.downcast::<T>() {
                Result::Ok(found) => return Result::Ok(found),
                Err(error) => Box::new(error) as Box<dyn Any>,
            },
            Err(any) => any,
        };
        Result::Ok(*any.downcast::<T>().expect("it was looked at before"))
    }

    /// Whether something of type `T` is found in the error.
    pub fn is<T: Display + Debug + Send + Sync + 'static>(&self) -> bool {
        self.downcast_ref::<T>().is_some()
    }

    /// The error as a standard one.
    pub fn into_boxed_dyn_error(self) -> Box<dyn StdError + Send + Sync> {
        Box::new(Opaque(self))
    }
}

#[cfg(feature = "anyhow")]
impl Error {
    /// An error of kind [`ErrorKind::Host`] made of one of `anyhow`; what that was made of
    /// is found by its type. One that was an [`Error`] before is that again.
    pub fn from_anyhow(error: anyhow::Error) -> Error {
        match error.downcast::<Opaque>() {
            Result::Ok(Opaque(error)) => error,
            Err(error) => Error::with(ErrorKind::Host, payload::Anyhow(error)),
        }
    }
}

#[cfg(feature = "anyhow")]
impl From<Error> for anyhow::Error {
    fn from(error: Error) -> anyhow::Error {
        match error.downcast::<anyhow::Error>() {
            Result::Ok(error) => error,
            Err(error) => anyhow::Error::new(Opaque(error)),
        }
    }
}

/// Joins the lines of a parser's message.
fn one_line(message: &str) -> String {
    message.lines().map(str::trim).collect::<Vec<_>>().join(" ")
}

impl Display for Error {
    /// What is outermost; all that [`Error::chain`] has with `{:#}`.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if !f.alternate() {
            return Display::fmt(self.as_std(), f);
        }
        for (at, error) in self.chain().enumerate() {
            write!(f, "{}{error}", if at == 0 { "" } else { ": " })?;
        }
        Result::Ok(())
    }
}

impl Debug for Error {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        context::debug(self.chain(), f)
    }
}

impl Deref for Error {
    type Target = dyn StdError + Send + Sync;

    fn deref(&self) -> &Self::Target {
        self.0.payload.std()
    }
}

impl AsRef<dyn StdError + Send + Sync> for Error {
    fn as_ref(&self) -> &(dyn StdError + Send + Sync + 'static) {
        self.0.payload.std()
    }
}

impl AsRef<dyn StdError> for Error {
    fn as_ref(&self) -> &(dyn StdError + 'static) {
        self.as_std()
    }
}

/// An [`Error`] as a standard error.
struct Opaque(Error);

impl Display for Opaque {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Display::fmt(&self.0, f)
    }
}

impl Debug for Opaque {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Debug::fmt(&self.0, f)
    }
}

impl StdError for Opaque {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.as_std().source()
    }
}

macro_rules! boxed {
    ($($target:ty),*) => {$(
        impl From<Error> for Box<$target> {
            fn from(error: Error) -> Self {
                Box::new(Opaque(error))
            }
        }
    )*};
}
boxed!(dyn StdError + Send + Sync, dyn StdError + Send, dyn StdError);
