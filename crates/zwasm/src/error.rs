//! Errors: one type for everything that can go wrong, with a kind to match on.

use std::cell::Cell;
use std::error::Error as StdError;
use std::fmt::{self, Debug, Display, Formatter};
use std::sync::OnceLock;

use crate::stack::backtrace::Place;
use crate::store::instance::InstanceData;
use crate::store::stored::Stored;
use crate::tuning::BACKTRACE_WORK;
use zwasm_regir::TrapCode;

/// A result whose error is [`Error`] unless said otherwise.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, with the place and, for traps, the backtrace.
///
/// Like the error types of `anyhow` and wasmtime it does not implement
/// [`std::error::Error`] itself, so that `?` converts any error into it; it
/// converts into `Box<dyn std::error::Error>`.
///
/// ```
/// let engine = zwasm::Engine::default();
/// let error = zwasm::Module::new(&engine, b"\0asm\x01\0\0\0\xFF").unwrap_err();
/// assert_eq!(error.kind(), zwasm::ErrorKind::Invalid);
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    payload: Payload,
    offset: Option<usize>,
    backtrace: Option<WasmBacktrace>,
}

enum Payload {
    Message(String),
    /// The kind, and the words for what it was exactly.
    Trap(Trap, &'static str),
    Source(Box<dyn StdError + Send + Sync>),
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

macro_rules! traps {
    ($($name:ident $message:literal, $doc:literal;)*) => {
        /// The kinds of traps. They have wasmtime's names and cover what these do there; what
        /// exactly went wrong is in the words of [`Error::trap_message`].
        #[non_exhaustive]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Trap {
            $(#[doc = $doc] $name,)*
        }

        impl Trap {
            /// The kind in the official suite's words, where it has some.
            pub fn message(self) -> &'static str {
                match self {
                    $(Trap::$name => $message,)*
                }
            }
        }
    };
}

traps! {
    UnreachableCodeReached "unreachable", "`unreachable` was executed.";
    MemoryOutOfBounds "out of bounds memory access", "A memory access or bulk operation left its memory.";
    TableOutOfBounds "out of bounds table access", "A table access, bulk operation or indirect call left its table.";
    IndirectCallToNull "uninitialized element", "An indirect call found a null element.";
    BadSignature "indirect call type mismatch", "An indirect call found a function of another type.";
    IntegerOverflow "integer overflow", "A quotient or conversion does not fit.";
    IntegerDivisionByZero "integer divide by zero", "Division or remainder by zero.";
    BadConversionToInteger "invalid conversion to integer", "A NaN was converted to an integer.";
    StackOverflow "call stack exhausted", "The frames do not fit on the store's stack any more.";
    NullReference "null reference", "A null reference was dereferenced or called.";
    ArrayOutOfBounds "out of bounds array access", "An array access left its array.";
    CastFailure "cast failure", "A reference was cast to a type that it does not have.";
    AllocationTooLarge "allocation size too large", "An object has more bytes than 32 bits can count.";
    HeapMisaligned "unaligned atomic", "An atomic access is not aligned to its size.";
    AtomicWaitNonSharedMemory "expected shared memory", "A wait on a memory that no other thread can reach.";
    OutOfFuel "fuel exhausted", "The fuel left does not pay for what comes next.";
    Interrupt "interrupted", "The epoch's deadline was reached, or the store was interrupted.";
}

impl Trap {
    /// The kind of the error that it becomes.
    fn kind(self) -> ErrorKind {
        match self {
            Trap::StackOverflow => ErrorKind::StackOverflow,
            Trap::OutOfFuel => ErrorKind::OutOfFuel,
            Trap::Interrupt => ErrorKind::Interrupted,
            Trap::AllocationTooLarge => ErrorKind::Limit,
            _ => ErrorKind::Trap,
        }
    }
}

macro_rules! codes {
    ($($code:ident $name:ident $message:literal, $doc:literal;)*) => {
        impl Trap {
            pub(crate) fn from_code(code: TrapCode) -> Trap {
                match code {
                    $(TrapCode::$code => Trap::$name,)*
                }
            }
        }
    };
}
zwasm_regir::for_each_trap!(codes);

impl Display for Trap {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl StdError for Trap {}

impl Error {
    fn with(kind: ErrorKind, payload: Payload, offset: Option<usize>) -> Error {
        Error(Box::new(Inner { kind, payload, offset, backtrace: None }))
    }

    /// An error of kind [`ErrorKind::Host`] with a message.
    pub fn msg(message: impl Display) -> Error {
        Error::new(ErrorKind::Host, message.to_string())
    }

    /// An error of kind [`ErrorKind::Limit`] with a message, which should name the limit.
    pub fn limit(message: impl Display) -> Error {
        Error::new(ErrorKind::Limit, message.to_string())
    }

    /// A trap whose cause is none of [`Trap`]'s: for what a guest must not do at a border
    /// that a crate above this one guards.
    pub fn trap_msg(message: impl Display) -> Error {
        Error::new(ErrorKind::Trap, format!("trap: {message}"))
    }

    /// An error with a message, for the crates above this one.
    #[doc(hidden)]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Error {
        Error::with(kind, Payload::Message(message.into()), None)
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
        Error::with(trap.kind(), Payload::Trap(trap, code.message()), None)
    }

    /// What an error of another type becomes.
    pub(crate) fn converted<E: StdError + Send + Sync + 'static>(
        kind: ErrorKind,
        error: E,
    ) -> Error {
        let any = &error as &(dyn StdError + 'static);
        if let Some(&trap) = any.downcast_ref::<Trap>() {
            return Error::with(trap.kind(), Payload::Trap(trap, trap.message()), None);
        }
        Error::with(kind, Payload::Source(Box::new(error)), None)
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
        Error::with(ErrorKind::Invalid, Payload::Message(message), Some(offset))
    }

    /// An invalid function body; the message gains function and byte offset.
    pub(crate) fn invalid_in(message: &str, offset: usize, func: u32) -> Error {
        let message = format!(
            "invalid module: {} (at byte offset {offset:#x}, function {func})",
            one_line(message)
        );
        Error::with(ErrorKind::Invalid, Payload::Message(message), Some(offset))
    }

    /// Puts the reason before the message of an invalid module.
    pub(crate) fn because(reason: impl Display, error: &Error) -> Error {
        let message = error.to_string();
        let detail = message.strip_prefix("invalid module: ").unwrap_or(&message);
        let message = format!("invalid module: {reason}: {detail}");
        Error::with(error.kind(), Payload::Message(message), error.offset())
    }

    /// The kind of error, for matching.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The byte offset in the module that the error is about.
    pub fn offset(&self) -> Option<usize> {
        self.0.offset
    }

    /// The trap, if the guest trapped.
    pub fn trap(&self) -> Option<Trap> {
        match self.0.payload {
            Payload::Trap(trap, _) => Some(trap),
            _ => self.downcast_ref::<Trap>().copied(),
        }
    }

    /// What the trap was, if the guest trapped, in the words of the official suite where
    /// it has some: they tell more than the kind, as which kind of reference was null.
    pub fn trap_message(&self) -> Option<&'static str> {
        match self.0.payload {
            Payload::Trap(_, message) => Some(message),
            _ => self.trap().map(Trap::message),
        }
    }

    /// The frames of the guest at the time of a trap, a throw or a host function's error.
    pub fn backtrace(&self) -> Option<&WasmBacktrace> {
        self.0.backtrace.as_ref()
    }

    pub(crate) fn set_backtrace(&mut self, backtrace: WasmBacktrace) {
        self.0.backtrace.get_or_insert(backtrace);
    }

    /// The error that was converted into this one, if it is a `T`.
    pub fn downcast_ref<T: StdError + 'static>(&self) -> Option<&T> {
        match &self.0.payload {
            Payload::Source(source) => source.downcast_ref(),
            Payload::Trap(trap, _) => (trap as &(dyn StdError + 'static)).downcast_ref(),
            Payload::Message(_) => None,
        }
    }

    /// Whether this error was converted from a `T`.
    pub fn is<T: StdError + 'static>(&self) -> bool {
        self.downcast_ref::<T>().is_some()
    }
}

/// Joins the lines of a parser's message.
fn one_line(message: &str) -> String {
    message.lines().map(str::trim).collect::<Vec<_>>().join(" ")
}

impl Display for Error {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.0.payload {
            Payload::Message(message) => f.write_str(message),
            Payload::Trap(_, message) => write!(f, "trap: {message}"),
            Payload::Source(source) => Display::fmt(source, f),
        }
    }
}

impl Debug for Error {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Display::fmt(self, f)?;
        match &self.0.backtrace {
            Some(backtrace) => write!(f, "\n{backtrace}"),
            None => Ok(()),
        }
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

impl StdError for Opaque {}

impl From<Error> for Box<dyn StdError + Send + Sync> {
    fn from(error: Error) -> Self {
        Box::new(Opaque(error))
    }
}

impl From<Error> for Box<dyn StdError> {
    fn from(error: Error) -> Self {
        Box::new(Opaque(error))
    }
}

/// One frame of a [`WasmBacktrace`].
#[derive(Clone, Debug)]
pub struct FrameInfo {
    pub(crate) instance: Stored<InstanceData>,
    pub(crate) func_index: u32,
    pub(crate) func_start: usize,
    pub(crate) func_name: Option<String>,
    pub(crate) module_name: Option<String>,
    pub(crate) offset: Option<usize>,
}

impl FrameInfo {
    /// The function's index in its module.
    pub fn func_index(&self) -> u32 {
        self.func_index
    }

    /// The function's name, from the name section.
    pub fn func_name(&self) -> Option<&str> {
        self.func_name.as_deref()
    }

    /// The module's name, from the name section.
    pub fn module_name(&self) -> Option<&str> {
        self.module_name.as_deref()
    }

    /// The byte offset in the module of the instruction being executed.
    pub fn module_offset(&self) -> Option<usize> {
        self.offset
    }

    /// The same from the start of the function's body.
    pub fn func_offset(&self) -> Option<usize> {
        self.offset?.checked_sub(self.func_start)
    }
}

/// The guest's frames, innermost first.
#[derive(Clone, Default)]
pub struct WasmBacktrace {
    pub(crate) places: Vec<Place>,
    /// What the places are, once somebody has asked.
    frames: OnceLock<Vec<FrameInfo>>,
    /// Frames beyond the ones kept.
    pub(crate) omitted: bool,
}

impl WasmBacktrace {
    /// The frames, innermost first; deep stacks keep only the innermost ones.
    pub fn frames(&self) -> &[FrameInfo] {
        self.frames.get_or_init(|| {
            let mut frames = Vec::with_capacity(self.places.len());
            let left = Cell::new(BACKTRACE_WORK);
            let stop = || left.replace(left.get().saturating_sub(1)) == 0;
            self.places.iter().for_each(|place| place.describe(&mut frames, &stop));
            frames
        })
    }
}

impl Debug for WasmBacktrace {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("WasmBacktrace").field("frames", &self.frames()).finish_non_exhaustive()
    }
}

impl Display for WasmBacktrace {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (number, frame) in self.frames().iter().enumerate() {
            if number > 0 {
                writeln!(f)?;
            }
            write!(f, "{number:4}: ")?;
            if let Some(module) = &frame.module_name {
                write!(f, "{module}!")?;
            }
            match &frame.func_name {
                Some(name) => f.write_str(name)?,
                None => write!(f, "<function {}>", frame.func_index)?,
            }
            if let Some(offset) = frame.offset {
                write!(f, " at {offset:#x}")?;
            }
        }
        if self.omitted {
            write!(f, "\n      …")?;
        }
        Ok(())
    }
}
