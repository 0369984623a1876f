//! Randomness, always of cryptographic quality.

use std::io::ErrorKind;

use super::{Host, Result, sys};
use crate::Capabilities;

/// Fills `buffer` with random bytes from the operating system.
pub(crate) fn fill(host: &Host, mut buffer: &mut [u8]) -> Result {
    host.require(Capabilities::RANDOM)?;
    while !buffer.is_empty() {
        // Of a large buffer the system fills a part at a time.
        host.check_interrupt()?;
        match sys::random(buffer) {
            Ok(filled) => buffer = &mut buffer[filled..],
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fills_everything() {
        let host = Host::new(Capabilities::RANDOM);
        let mut bytes = [0; 4096];
        fill(&host, &mut bytes).unwrap();
        assert!(bytes.chunks(32).all(|chunk| chunk.iter().any(|&byte| byte != 0)));
        fill(&host, &mut []).unwrap();
    }
}
