//! Arguments and environment.

use super::{Args, Errno, Memory, Result, State};

/// A list of strings as a guest gets it: each with a NUL after it, one after
/// the other.
#[derive(Clone, Default)]
pub(crate) struct Strings {
    bytes: Vec<u8>,
    count: usize,
}

impl Strings {
    /// Adds the string that `parts` make together, up to its first NUL.
    pub(crate) fn push(&mut self, parts: &[&[u8]]) {
        let bytes = parts.iter().copied().flatten().copied();
        self.bytes.extend(bytes.take_while(|&byte| byte != 0));
        self.bytes.push(0);
        self.count += 1;
    }

    /// The strings.
    #[cfg(feature = "component")]
    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.bytes.split_inclusive(|&byte| byte == 0).map(|string| &string[..string.len() - 1])
    }

    /// Writes the bytes to `buffer` and a pointer to each string to `pointers`.
    fn write(&self, mem: &mut Memory<'_>, pointers: u32, buffer: u32) -> Result {
        mem.write(buffer, &self.bytes)?;
        let (mut start, mut pointer) = (buffer, pointers);
        for string in self.bytes.split_inclusive(|&byte| byte == 0) {
            mem.write_u32(pointer, start)?;
            // What lies inside the memory has addresses below 2³², up to the
            // one behind the last.
            start = start.wrapping_add(string.len() as u32);
            pointer = pointer.wrapping_add(4);
        }
        Ok(())
    }

    /// Writes the number of strings and of bytes.
    fn write_sizes(&self, mem: &mut Memory<'_>, count: u32, size: u32) -> Result {
        let number = |number| u32::try_from(number).or(Err(Errno::Overflow));
        mem.write_u32(count, number(self.count)?)?;
        Ok(mem.write_u32(size, number(self.bytes.len())?)?)
    }
}

pub(super) fn args_get(cx: &State, mem: &mut Memory<'_>, args: Args<'_>) -> Result {
    cx.args.write(mem, args.u32(0), args.u32(1))
}

pub(super) fn args_sizes_get(cx: &State, mem: &mut Memory<'_>, args: Args<'_>) -> Result {
    cx.args.write_sizes(mem, args.u32(0), args.u32(1))
}

pub(super) fn environ_get(cx: &State, mem: &mut Memory<'_>, args: Args<'_>) -> Result {
    cx.env.write(mem, args.u32(0), args.u32(1))
}

pub(super) fn environ_sizes_get(cx: &State, mem: &mut Memory<'_>, args: Args<'_>) -> Result {
    cx.env.write_sizes(mem, args.u32(0), args.u32(1))
}
