//! The error of a heap that is full.

use std::error::Error as StdError;
use std::fmt::{self, Debug, Display, Formatter};

/// The heap of garbage-collected objects has no room for an object, of guest or host, where
/// `T` is `()`; or for a value of the host: then it is in the error of
/// [`ExternRef::new`](crate::ExternRef::new), from which it can be taken back.
pub struct GcHeapOutOfMemory<T> {
    pub(crate) inner: T,
    pub(crate) message: String,
}

impl<T> GcHeapOutOfMemory<T> {
    /// The value.
    pub fn into_inner(self) -> T {
        self.inner
    }
}

impl<T> Display for GcHeapOutOfMemory<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl<T> Debug for GcHeapOutOfMemory<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_tuple("GcHeapOutOfMemory").field(&self.message).finish()
    }
}

impl<T> StdError for GcHeapOutOfMemory<T> {}
