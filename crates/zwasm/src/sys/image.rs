//! Bytes that mappings share until they write to them: a file without a name.
//!
//! # Safety
//!
//! The file is sealed: nobody changes its bytes or its length, whoever gets hold of it. All of
//! it is written, so that reading it takes no more memory.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};

/// A copy of some bytes.
pub(crate) struct Image {
    pub(super) file: File,
    len: usize,
}

impl Image {
    /// Copies bytes, which are whole pages.
    pub(crate) fn new(bytes: &[u8]) -> io::Result<Image> {
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let file = File::from(memfd_create("zwasm", flags)?);
        file.write_all_at(bytes, 0)?;
        let all = SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL;
        fcntl_add_seals(&file, all)?;
        Ok(Image { file, len: bytes.len() })
    }

    /// How many bytes there are.
    pub(crate) fn len(&self) -> usize {
        self.len
    }
}
