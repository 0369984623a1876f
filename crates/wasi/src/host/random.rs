//! Randomness, always of cryptographic quality.

use rustix::io::Errno;
use rustix::rand::{GetRandomFlags, getrandom};
use std::io;

/// Fills `buffer` with random bytes from the operating system.
pub(crate) fn fill(mut buffer: &mut [u8]) -> io::Result<()> {
    while !buffer.is_empty() {
        match getrandom(&mut *buffer, GetRandomFlags::empty()) {
            Ok(filled) => buffer = &mut buffer[filled..],
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn fills_everything() {
        let mut bytes = [0; 4096];
        super::fill(&mut bytes).unwrap();
        assert!(bytes.chunks(32).all(|chunk| chunk.iter().any(|&byte| byte != 0)));
        super::fill(&mut []).unwrap();
    }
}
