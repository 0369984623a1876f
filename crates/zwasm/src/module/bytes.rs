//! The bytes of a module, which may be a part of a larger file.

use std::ops::{Deref, Range};
use std::sync::Arc;

/// Bytes that stay where they are: modules within a component share those of the whole.
#[derive(Clone, Default)]
pub(crate) struct Bytes {
    whole: Arc<Vec<u8>>,
    range: Range<usize>,
}

impl Bytes {
    /// A part of shared bytes, if it is one.
    pub(crate) fn part(whole: &Arc<Vec<u8>>, range: Range<usize>) -> Option<Bytes> {
        whole.get(range.clone())?;
        Some(Bytes { whole: whole.clone(), range })
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Bytes {
        let range = 0..bytes.len();
        Bytes { whole: Arc::new(bytes), range }
    }
}

impl Deref for Bytes {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.whole[self.range.clone()]
    }
}
