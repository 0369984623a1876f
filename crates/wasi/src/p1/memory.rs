//! The guest's memory, with every access checked.
//!
//! A pointer or length out of range is the guest's mistake and its error,
//! `FAULT`; nothing here can panic. Values are little-endian and need not be
//! aligned.

use std::io::{IoSlice, IoSliceMut};
use std::ops::Range;

use super::Errno;

/// The guest's memory; empty when it has none.
pub(crate) struct Memory<'a>(&'a mut [u8]);

/// An array of buffers in guest memory, known to lie inside it, as do the
/// buffers.
#[derive(Clone, Copy)]
pub(crate) struct Buffers {
    array: u32,
    count: u32,
}

/// The bytes one buffer takes in the array: pointer and length.
const BUFFER_SIZE: u32 = 8;

impl<'a> Memory<'a> {
    pub(crate) fn new(bytes: &'a mut [u8]) -> Memory<'a> {
        Memory(bytes)
    }

    /// The range of `len` bytes at `pointer`.
    fn range(&self, pointer: u32, len: usize) -> Result<Range<usize>, Errno> {
        let start = pointer as usize;
        match start.checked_add(len) {
            Some(end) if end <= self.0.len() => Ok(start..end),
            _ => Err(Errno::Fault),
        }
    }

    /// That `count` values of `size` bytes at `pointer` lie inside.
    pub(crate) fn check(&self, pointer: u32, count: u32, size: u32) -> Result<(), Errno> {
        let len = usize::try_from(u64::from(count) * u64::from(size)).or(Err(Errno::Fault))?;
        self.range(pointer, len).map(drop)
    }

    pub(crate) fn bytes(&self, pointer: u32, len: u32) -> Result<&[u8], Errno> {
        Ok(&self.0[self.range(pointer, len as usize)?])
    }

    pub(crate) fn bytes_mut(&mut self, pointer: u32, len: u32) -> Result<&mut [u8], Errno> {
        let range = self.range(pointer, len as usize)?;
        Ok(&mut self.0[range])
    }

    /// A string, which WASI wants to be UTF-8.
    pub(crate) fn str(&self, pointer: u32, len: u32) -> Result<&str, Errno> {
        std::str::from_utf8(self.bytes(pointer, len)?).or(Err(Errno::Ilseq))
    }

    /// `N` bytes at `pointer + offset`.
    pub(crate) fn array<const N: usize>(
        &self,
        pointer: u32,
        offset: u32,
    ) -> Result<[u8; N], Errno> {
        let pointer = pointer.checked_add(offset).ok_or(Errno::Fault)?;
        let bytes = &self.0[self.range(pointer, N)?];
        bytes.try_into().or(Err(Errno::Fault))
    }

    pub(crate) fn u32(&self, pointer: u32, offset: u32) -> Result<u32, Errno> {
        self.array(pointer, offset).map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&self, pointer: u32, offset: u32) -> Result<u64, Errno> {
        self.array(pointer, offset).map(u64::from_le_bytes)
    }

    pub(crate) fn write(&mut self, pointer: u32, bytes: &[u8]) -> Result<(), Errno> {
        let range = self.range(pointer, bytes.len())?;
        self.0[range].copy_from_slice(bytes);
        Ok(())
    }

    pub(crate) fn write_u32(&mut self, pointer: u32, value: u32) -> Result<(), Errno> {
        self.write(pointer, &value.to_le_bytes())
    }

    pub(crate) fn write_u64(&mut self, pointer: u32, value: u64) -> Result<(), Errno> {
        self.write(pointer, &value.to_le_bytes())
    }

    /// Checks an array of buffers: the array, every buffer, and that their
    /// lengths together are a length.
    pub(crate) fn buffers(&self, array: u32, count: u32) -> Result<Buffers, Errno> {
        self.check(array, count, BUFFER_SIZE)?;
        let buffers = Buffers { array, count };
        let mut total = 0u32;
        for index in 0..count {
            let (pointer, len) = self.buffer(buffers, index)?;
            self.range(pointer, len as usize)?;
            total = total.checked_add(len).ok_or(Errno::Inval)?;
        }
        Ok(buffers)
    }

    /// Pointer and length of one buffer; an empty one beyond the last.
    fn buffer(&self, buffers: Buffers, index: u32) -> Result<(u32, u32), Errno> {
        if index >= buffers.count {
            return Ok((0, 0));
        }
        // Inside the checked array, so below 2³².
        let entry = buffers.array + index * BUFFER_SIZE;
        Ok((self.u32(entry, 0)?, self.u32(entry, 4)?))
    }

    /// Hands the buffers to `write`, a few at a time, until it takes fewer
    /// bytes than it was given. An error after a part was taken is not one.
    pub(crate) fn gather(
        &self,
        buffers: Buffers,
        write: &mut dyn FnMut(&mut [IoSlice<'_>], u32) -> std::io::Result<usize>,
    ) -> Result<u32, Errno> {
        const AT_ONCE: usize = 16;
        let mut total = 0u32;
        for first in (0..buffers.count).step_by(AT_ONCE) {
            let mut slices = [IoSlice::new(&[]); AT_ONCE];
            let mut wanted = 0;
            for (slice, index) in slices.iter_mut().zip(first..buffers.count) {
                let (pointer, len) = self.buffer(buffers, index)?;
                *slice = IoSlice::new(self.bytes(pointer, len)?);
                wanted += len;
            }
            if wanted == 0 {
                continue;
            }
            let count = AT_ONCE.min((buffers.count - first) as usize);
            let taken = match write(&mut slices[..count], total) {
                Ok(taken) => taken as u32,
                Err(_) if total > 0 => break,
                Err(error) => return Err(error.into()),
            };
            total += taken;
            if taken < wanted {
                break;
            }
        }
        Ok(total)
    }

    /// Has `read` fill the buffers, two at a time (what C libraries use), until
    /// it gives fewer bytes than there was room for, or once only unless
    /// `fill`. An error after a part was read is not one.
    pub(crate) fn scatter(
        &mut self,
        buffers: Buffers,
        fill: bool,
        read: &mut dyn FnMut(&mut [IoSliceMut<'_>], u32) -> std::io::Result<usize>,
    ) -> Result<u32, Errno> {
        let mut total = 0u32;
        let mut index = 0;
        while index < buffers.count {
            let (pointer, len) = self.buffer(buffers, index)?;
            let (next_pointer, next_len) = self.buffer(buffers, index + 1)?;
            let here = self.range(pointer, len as usize)?;
            let next = self.range(next_pointer, next_len as usize)?;

            let mut wanted = len + next_len;
            index += 2;
            let mut slices = match self.0.get_disjoint_mut([here.clone(), next]) {
                Ok(both) => both.map(IoSliceMut::new),
                // They overlap: one after the other, then.
                Err(_) => {
                    wanted = len;
                    index -= 1;
                    [IoSliceMut::new(&mut self.0[here]), IoSliceMut::new(&mut [])]
                }
            };
            if wanted == 0 {
                continue;
            }
            let given = match read(&mut slices, total) {
                Ok(given) => given as u32,
                Err(_) if total > 0 => break,
                Err(error) => return Err(error.into()),
            };
            total += given;
            if given < wanted || !fill {
                break;
            }
        }
        Ok(total)
    }
}
