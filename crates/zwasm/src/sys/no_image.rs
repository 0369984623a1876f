//! What stands for images where mappings cannot share bytes until they write to them.

use std::convert::Infallible;
use std::io;

use super::Mapping;

/// There is none.
pub(crate) struct Image(Infallible);

impl Image {
    /// Fails.
    pub(crate) fn new(_: &[u8]) -> io::Result<Image> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// How many bytes there are.
    pub(crate) fn len(&self) -> usize {
        match self.0 {}
    }
}

impl Mapping {
    /// Never called.
    pub(crate) fn show(&self, _: usize, image: &Image) -> io::Result<()> {
        match image.0 {}
    }

    /// Never called, as there is nothing to hide.
    pub(crate) fn hide(&self, offset: usize, len: usize) -> io::Result<()> {
        self.reset(offset, len)
    }
}
