//! Reads the bytes of a function body that has been validated: numbers, of which
//! [`opcodes`](crate::opcodes) makes instructions.
//!
//! Every read is checked all the same, so that a body that was not validated
//! gives an error and never a panic.

/// The body ended early or held a number that does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// A cursor over a function body.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Reader<'a> {
    /// Starts at the first byte.
    pub fn new(bytes: &'a [u8]) -> Self {
        Reader { bytes, position: 0 }
    }

    /// The offset of the next byte.
    pub fn position(&self) -> usize {
        self.position
    }

    /// The same bytes, from another offset on.
    pub fn at(&self, position: usize) -> Reader<'a> {
        Reader { bytes: self.bytes, position }
    }

    /// Whether every byte has been read.
    pub fn is_empty(&self) -> bool {
        self.position >= self.bytes.len()
    }

    /// The next byte.
    pub fn byte(&mut self) -> Result<u8, Malformed> {
        let byte = *self.bytes.get(self.position).ok_or(Malformed)?;
        self.position += 1;
        Ok(byte)
    }

    /// The next byte, which stays unread.
    pub fn peek(&self) -> Result<u8, Malformed> {
        self.bytes.get(self.position).copied().ok_or(Malformed)
    }

    /// The next `N` bytes.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let bytes = self.bytes.get(self.position..).ok_or(Malformed)?;
        let array = bytes.first_chunk::<N>().ok_or(Malformed)?;
        self.position += N;
        Ok(*array)
    }

    /// An unsigned LEB128 of at most 32 bits.
    #[inline]
    pub fn u32(&mut self) -> Result<u32, Malformed> {
        let byte = self.byte()?;
        if byte < 0x80 {
            return Ok(u32::from(byte));
        }
        let value = self.unsigned_tail(byte)?;
        u32::try_from(value).map_err(|_| Malformed)
    }

    /// An unsigned LEB128 of at most 64 bits.
    pub fn u64(&mut self) -> Result<u64, Malformed> {
        let byte = self.byte()?;
        self.unsigned_tail(byte)
    }

    fn unsigned_tail(&mut self, first: u8) -> Result<u64, Malformed> {
        let mut value = u64::from(first & 0x7F);
        let mut shift = 7;
        let mut byte = first;
        while byte >= 0x80 {
            byte = self.byte()?;
            if shift > 63 || (shift == 63 && byte > 1) {
                return Err(Malformed);
            }
            value |= u64::from(byte & 0x7F) << shift;
            shift += 7;
        }
        Ok(value)
    }

    /// A signed LEB128 of at most 64 bits; narrower ones are its truncation.
    pub fn i64(&mut self) -> Result<i64, Malformed> {
        let mut value = 0i64;
        let mut shift = 0;
        loop {
            let byte = self.byte()?;
            if shift > 63 {
                return Err(Malformed);
            }
            value |= i64::from(byte & 0x7F) << shift;
            shift += 7;
            if byte < 0x80 {
                if shift < 64 && byte & 0x40 != 0 {
                    value |= -1i64 << shift;
                }
                return Ok(value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leb128_edges() {
        assert_eq!(Reader::new(&[0xFF, 0xFF, 0xFF, 0xFF, 0x0F]).u32(), Ok(u32::MAX));
        assert_eq!(Reader::new(&[0xFF, 0xFF, 0xFF, 0xFF, 0x1F]).u32(), Err(Malformed));
        assert_eq!(Reader::new(&[0x80]).u32(), Err(Malformed));
        assert_eq!(Reader::new(&[0x7F]).i64(), Ok(-1));
        let min = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7F];
        assert_eq!(Reader::new(&min).i64(), Ok(i64::MIN));
        let max = [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01];
        assert_eq!(Reader::new(&max).u64(), Ok(u64::MAX));
    }
}
