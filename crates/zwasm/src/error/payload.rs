//! What an error is made of.

use std::any::Any;
use std::error::Error as StdError;
use std::fmt::{self, Debug, Display, Formatter};

use super::{Error, Trap};

/// The payload of an [`Error`]: a standard error, and what is found in it by its type.
pub(super) trait Payload: Send + Sync + 'static {
    /// The payload as an error.
    fn std(&self) -> &(dyn StdError + Send + Sync + 'static);
    /// What is found by its type.
    fn any(&self) -> &dyn Any;
    /// The same, to be changed.
    fn any_mut(&mut self) -> &mut dyn Any;
    /// The same by value.
    fn into_any(self: Box<Self>) -> Box<dyn Any>;
    /// The error that this one gives context to.
    fn under(&self) -> Option<&Error> {
        None
    }
    /// The same, to be changed.
    fn under_mut(&mut self) -> Option<&mut Error> {
        None
    }
    /// The same by value.
    fn into_under(self: Box<Self>) -> Option<Error> {
        None
    }
    /// Whether this is context that is of no use in a line for people.
    fn is_detail(&self) -> bool {
        false
    }
    /// The words of a trap.
    fn trap_words(&self) -> Option<&'static str> {
        None
    }
}

impl dyn Payload {
    /// Whether something of type `T` is found here.
    pub(super) fn holds<T: Display + Debug + Send + Sync + 'static>(&self) -> bool {
        #[cfg(feature = "anyhow")]
        if self.any().downcast_ref::<anyhow::Error>().is_some_and(anyhow::Error::is::<T>) {
            return true;
        }
        self.any().is::<T>()
    }
}

macro_rules! found {
    ($field:tt) => {
        fn any(&self) -> &dyn Any {
            &self.$field
        }
        fn any_mut(&mut self) -> &mut dyn Any {
            &mut self.$field
        }
        fn into_any(self: Box<Self>) -> Box<dyn Any> {
            Box::new(self.$field)
        }
    };
}

/// A message, which is shown.
#[derive(Debug)]
pub(super) struct Message<M>(pub(super) M);

impl<M: Display> Display for Message<M> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<M: Display + Debug> StdError for Message<M> {}

impl<M: Display + Debug + Send + Sync + 'static> Payload for Message<M> {
    fn std(&self) -> &(dyn StdError + Send + Sync + 'static) {
        self
    }
    found!(0);
}

/// Another error.
pub(super) struct Source<E>(pub(super) E);

impl<E: StdError + Send + Sync + 'static> Payload for Source<E> {
    fn std(&self) -> &(dyn StdError + Send + Sync + 'static) {
        &self.0
    }
    fn trap_words(&self) -> Option<&'static str> {
        (&self.0 as &dyn Any).downcast_ref::<Trap>().map(|trap| trap.message())
    }
    found!(0);
}

/// Another error whose type is not known.
pub(super) struct Boxed(pub(super) Box<dyn StdError + Send + Sync>);

impl Payload for Boxed {
    fn std(&self) -> &(dyn StdError + Send + Sync + 'static) {
        &*self.0
    }
    found!(0);
}

/// An error of `anyhow`.
#[cfg(feature = "anyhow")]
pub(super) struct Anyhow(pub(super) anyhow::Error);

#[cfg(feature = "anyhow")]
impl Payload for Anyhow {
    fn std(&self) -> &(dyn StdError + Send + Sync + 'static) {
        self.0.as_ref()
    }
    found!(0);
}

/// A trap of the guest, and the words for what it was exactly.
pub(super) struct Trapped(pub(super) Trap, pub(super) &'static str);

impl Payload for Trapped {
    fn std(&self) -> &(dyn StdError + Send + Sync + 'static) {
        &self.0
    }
    fn trap_words(&self) -> Option<&'static str> {
        Some(self.1)
    }
    found!(0);
}

/// An error with context.
pub(super) struct Layer<C> {
    pub(super) context: C,
    pub(super) is_detail: bool,
    pub(super) error: Error,
}

impl<C: Display> Display for Layer<C> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.context.fmt(f)
    }
}

impl<C: Display> Debug for Layer<C> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?}", self.context, self.error)
    }
}

impl<C: Display> StdError for Layer<C> {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(self.error.as_std())
    }
}

impl<C: Display + Send + Sync + 'static> Payload for Layer<C> {
    fn std(&self) -> &(dyn StdError + Send + Sync + 'static) {
        self
    }
    fn under(&self) -> Option<&Error> {
        Some(&self.error)
    }
    fn under_mut(&mut self) -> Option<&mut Error> {
        Some(&mut self.error)
    }
    fn into_under(self: Box<Self>) -> Option<Error> {
        Some(self.error)
    }
    fn is_detail(&self) -> bool {
        self.is_detail
    }
    found!(context);
}
