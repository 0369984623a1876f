//! The guest's memory, with every access checked.
//!
//! A memory that other threads use has no slices: what is in it is copied out or
//! in, large buffers piece by piece. A memory of the guest's own is used where it
//! is.
//!
//! A pointer or length out of range is the guest's mistake and its error,
//! `FAULT`; nothing here can panic. Values are little-endian and need not be
//! aligned.

use std::borrow::Cow;
use std::io::{IoSlice, IoSliceMut};
use std::ops::Range;

use super::{Errno, Result};
use crate::host;

/// The guest's memory; empty when it has none.
pub(crate) enum Memory<'a> {
    Own(&'a mut [u8]),
    #[cfg(feature = "threads")]
    Shared(zwasm::SharedMemory),
}

/// What is copied of a shared memory at once.
#[cfg(feature = "threads")]
const PIECE: usize = 64 << 10;

/// An array of buffers in guest memory, known to lie inside it, as do the
/// buffers.
#[derive(Clone, Copy)]
pub(crate) struct Buffers {
    array: u32,
    count: u32,
}

/// The bytes one buffer takes in the array: pointer and length.
const BUFFER_SIZE: u32 = 8;

impl Memory<'_> {
    fn len(&self) -> usize {
        match self {
            Memory::Own(bytes) => bytes.len(),
            #[cfg(feature = "threads")]
            Memory::Shared(memory) => memory.data_size(),
        }
    }

    /// The range of `len` bytes at `pointer`.
    fn range(&self, pointer: u32, len: usize) -> Result<Range<usize>, Errno> {
        let start = pointer as usize;
        match start.checked_add(len) {
            Some(end) if end <= self.len() => Ok(start..end),
            _ => Err(Errno::Fault),
        }
    }

    /// That `count` values of `size` bytes at `pointer` lie inside.
    pub(crate) fn check(&self, pointer: u32, count: u32, size: u32) -> Result<(), Errno> {
        let len = usize::try_from(u64::from(count) * u64::from(size)).or(Err(Errno::Fault))?;
        self.range(pointer, len).map(drop)
    }

    /// Has `fill` write to a range of the memory, whose contents it does not see;
    /// of a shared memory piece by piece.
    pub(crate) fn fill(
        &mut self,
        pointer: u32,
        len: u32,
        fill: impl Fn(&mut [u8]) -> host::Result,
    ) -> Result {
        let range = self.range(pointer, len as usize)?;
        match self {
            Memory::Own(bytes) => fill(&mut bytes[range])?,
            #[cfg(feature = "threads")]
            Memory::Shared(memory) => {
                for start in range.clone().step_by(PIECE) {
                    let mut copy = vec![0; PIECE.min(range.end - start)];
                    fill(&mut copy)?;
                    memory.write(start, &copy).or(Err(Errno::Fault))?;
                }
            }
        }
        Ok(())
    }

    /// A string, which WASI wants to be UTF-8.
    pub(crate) fn str(&self, pointer: u32, len: u32) -> Result<Cow<'_, str>, Errno> {
        let range = self.range(pointer, len as usize)?;
        match self {
            Memory::Own(bytes) => match std::str::from_utf8(&bytes[range]) {
                Ok(text) => Ok(Cow::Borrowed(text)),
                Err(_) => Err(Errno::Ilseq),
            },
            // No host has names that long.
            #[cfg(feature = "threads")]
            Memory::Shared(_) if range.len() > PIECE => Err(Errno::Nametoolong),
            #[cfg(feature = "threads")]
            Memory::Shared(memory) => {
                let mut copy = vec![0; range.len()];
                memory.read(range.start, &mut copy).or(Err(Errno::Fault))?;
                String::from_utf8(copy).map(Cow::Owned).or(Err(Errno::Ilseq))
            }
        }
    }

    /// `N` bytes at `pointer + offset`.
    pub(crate) fn array<const N: usize>(
        &self,
        pointer: u32,
        offset: u32,
    ) -> Result<[u8; N], Errno> {
        let pointer = pointer.checked_add(offset).ok_or(Errno::Fault)?;
        let range = self.range(pointer, N)?;
        match self {
            Memory::Own(bytes) => bytes[range].try_into().or(Err(Errno::Fault)),
            #[cfg(feature = "threads")]
            Memory::Shared(memory) => {
                let mut copy = [0; N];
                memory.read(range.start, &mut copy).or(Err(Errno::Fault))?;
                Ok(copy)
            }
        }
    }

    pub(crate) fn u32(&self, pointer: u32, offset: u32) -> Result<u32, Errno> {
        self.array(pointer, offset).map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&self, pointer: u32, offset: u32) -> Result<u64, Errno> {
        self.array(pointer, offset).map(u64::from_le_bytes)
    }

    pub(crate) fn write(&mut self, pointer: u32, bytes: &[u8]) -> Result<(), Errno> {
        let range = self.range(pointer, bytes.len())?;
        match self {
            Memory::Own(memory) => memory[range].copy_from_slice(bytes),
            #[cfg(feature = "threads")]
            Memory::Shared(memory) => memory.write(range.start, bytes).or(Err(Errno::Fault))?,
        }
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
        write: &mut dyn FnMut(&mut [IoSlice<'_>], u32) -> host::Result<usize>,
    ) -> Result<u32> {
        const AT_ONCE: usize = 16;
        let mut total = 0u32;
        #[cfg(feature = "threads")]
        if let Memory::Shared(memory) = self {
            return copy_out(memory, self.pieces(buffers), write);
        }
        #[allow(clippy::infallible_destructuring_match, reason = "shared memories are optional")]
        let memory = match self {
            Memory::Own(memory) => memory,
            #[cfg(feature = "threads")]
            Memory::Shared(_) => return Err(Errno::Fault.into()),
        };
        for first in (0..buffers.count).step_by(AT_ONCE) {
            let mut slices = [IoSlice::new(&[]); AT_ONCE];
            let mut wanted = 0;
            for (slice, index) in slices.iter_mut().zip(first..buffers.count) {
                let (pointer, len) = self.buffer(buffers, index)?;
                *slice = IoSlice::new(&memory[self.range(pointer, len as usize)?]);
                wanted += len as usize;
            }
            if wanted == 0 {
                continue;
            }
            let count = AT_ONCE.min((buffers.count - first) as usize);
            let taken = match write(&mut slices[..count], total) {
                Ok(taken) => taken,
                Err(_) if total > 0 => break,
                Err(error) => return Err(error.into()),
            };
            total += taken as u32;
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
        read: &mut dyn FnMut(&mut [IoSliceMut<'_>], u32) -> host::Result<usize>,
    ) -> Result<u32> {
        let mut total = 0u32;
        #[cfg(feature = "threads")]
        if let Memory::Shared(memory) = &*self {
            return copy_in(memory, self.pieces(buffers), fill, read);
        }
        let mut index = 0;
        while index < buffers.count {
            let (pointer, len) = self.buffer(buffers, index)?;
            let (next_pointer, next_len) = self.buffer(buffers, index + 1)?;
            let here = self.range(pointer, len as usize)?;
            let next = self.range(next_pointer, next_len as usize)?;

            let mut wanted = len as usize + next_len as usize;
            index += 2;
            #[allow(
                clippy::infallible_destructuring_match,
                reason = "shared memories are optional"
            )]
            let memory = match &mut *self {
                Memory::Own(memory) => memory,
                #[cfg(feature = "threads")]
                Memory::Shared(_) => return Err(Errno::Fault.into()),
            };
            let mut slices = match memory.get_disjoint_mut([here.clone(), next]) {
                Ok(both) => both.map(IoSliceMut::new),
                // They overlap: one after the other, then.
                Err(_) => {
                    wanted = len as usize;
                    index -= 1;
                    [IoSliceMut::new(&mut memory[here]), IoSliceMut::new(&mut [])]
                }
            };
            if wanted == 0 {
                continue;
            }
            let given = match read(&mut slices, total) {
                Ok(given) => given,
                Err(_) if total > 0 => break,
                Err(error) => return Err(error.into()),
            };
            // What was read may have changed the lengths of what is still to come.
            total = total.checked_add(given as u32).ok_or(Errno::Inval)?;
            if given < wanted || !fill {
                break;
            }
        }
        Ok(total)
    }

    /// The buffers in pieces that are copied at once, as they are when their turn comes:
    /// another thread may change them meanwhile.
    #[cfg(feature = "threads")]
    fn pieces(&self, buffers: Buffers) -> impl Iterator<Item = Result<Range<usize>, Errno>> {
        (0..buffers.count).flat_map(move |index| {
            let buffer = self.buffer(buffers, index);
            let whole = buffer.and_then(|(pointer, len)| self.range(pointer, len as usize));
            let (whole, failed) = match whole {
                Ok(whole) => (whole, None),
                Err(error) => (0..0, Some(Err(error))),
            };
            let Range { start, end } = whole;
            let pieces = (start..end).step_by(PIECE);
            pieces.map(move |start| Ok(start..end.min(start + PIECE))).chain(failed)
        })
    }
}

/// [`Memory::gather`] from a shared memory.
#[cfg(feature = "threads")]
fn copy_out(
    memory: &zwasm::SharedMemory,
    pieces: impl Iterator<Item = Result<Range<usize>, Errno>>,
    write: &mut dyn FnMut(&mut [IoSlice<'_>], u32) -> host::Result<usize>,
) -> Result<u32> {
    let mut total = 0u32;
    for piece in pieces {
        let piece = match piece {
            Ok(piece) => piece,
            Err(_) if total > 0 => break,
            Err(error) => return Err(error.into()),
        };
        let mut copy = vec![0; piece.len()];
        memory.read(piece.start, &mut copy).or(Err(Errno::Fault))?;
        let taken = match write(&mut [IoSlice::new(&copy)], total) {
            Ok(taken) => taken,
            Err(_) if total > 0 => break,
            Err(error) => return Err(error.into()),
        };
        total = total.checked_add(taken as u32).ok_or(Errno::Inval)?;
        if taken < piece.len() {
            break;
        }
    }
    Ok(total)
}

/// [`Memory::scatter`] to a shared memory.
#[cfg(feature = "threads")]
fn copy_in(
    memory: &zwasm::SharedMemory,
    pieces: impl Iterator<Item = Result<Range<usize>, Errno>>,
    fill: bool,
    read: &mut dyn FnMut(&mut [IoSliceMut<'_>], u32) -> host::Result<usize>,
) -> Result<u32> {
    let mut total = 0u32;
    for piece in pieces {
        let piece = match piece {
            Ok(piece) => piece,
            Err(_) if total > 0 => break,
            Err(error) => return Err(error.into()),
        };
        let mut copy = vec![0; piece.len()];
        let given = match read(&mut [IoSliceMut::new(&mut copy)], total) {
            Ok(given) => given.min(copy.len()),
            Err(_) if total > 0 => break,
            Err(error) => return Err(error.into()),
        };
        memory.write(piece.start, &copy[..given]).or(Err(Errno::Fault))?;
        total = total.checked_add(given as u32).ok_or(Errno::Inval)?;
        if given < piece.len() || !fill {
            break;
        }
    }
    Ok(total)
}
