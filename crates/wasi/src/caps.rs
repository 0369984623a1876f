//! What a guest may do, as one set.

use std::fmt;
use std::ops::BitOr;

/// A set of capabilities. Each lets a guest do one kind of thing; a call that
/// needs one the guest has not is refused with the error number `NOTCAPABLE`.
///
/// Capabilities come on top of what a guest was given: without a preopened
/// directory there is nothing to read, whatever the set says.
///
/// ```
/// use zwasm_wasi::Capabilities;
/// let caps = Capabilities::default() | Capabilities::READ;
/// assert!(caps.contains(Capabilities::CLOCK));
/// assert!(!caps.contains(Capabilities::WRITE));
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Capabilities(u16);

impl Capabilities {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// Opening files to read them, reading them, listing directories, looking
    /// at what files and links are.
    pub const READ: Self = Self(1 << 0);
    /// Opening, creating and truncating files to write them, writing them,
    /// changing their size and times.
    pub const WRITE: Self = Self(1 << 1);
    /// Changing directories: creating and removing them, removing, renaming and
    /// linking what is in them. Also opening a path to neither read nor write
    /// it, and looking at what paths are.
    pub const PATH: Self = Self(1 << 2);
    /// The environment variables of the host's own process.
    pub const ENV: Self = Self(1 << 3);
    /// Reading clocks, and waiting for them.
    pub const CLOCK: Self = Self(1 << 4);
    /// Random numbers.
    pub const RANDOM: Self = Self(1 << 5);
    /// Signals to itself, and starting threads.
    pub const PROC: Self = Self(1 << 6);
    /// Sockets: looking names up, connecting, accepting connections and talking through
    /// them, datagrams.
    pub const NET: Self = Self(1 << 7);
    /// The standard streams.
    pub const STDIO: Self = Self(1 << 8);
    /// Ending with an exit code of its choice.
    pub const EXIT: Self = Self(1 << 9);
    /// Sending HTTP requests, and nothing else over the network.
    pub const HTTP: Self = Self(1 << 10);
    /// Everything.
    pub const ALL: Self = Self((1 << 11) - 1);

    const NAMES: [(Self, &'static str); 11] = [
        (Self::READ, "read"),
        (Self::WRITE, "write"),
        (Self::PATH, "path"),
        (Self::ENV, "env"),
        (Self::CLOCK, "clock"),
        (Self::RANDOM, "random"),
        (Self::PROC, "proc"),
        (Self::NET, "net"),
        (Self::STDIO, "stdio"),
        (Self::EXIT, "exit"),
        (Self::HTTP, "http"),
    ];

    /// Whether every capability of `other` is in the set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether any capability of `other` is in the set.
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Adds the capabilities of `other`.
    pub const fn insert(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// Takes the capabilities of `other` away.
    pub const fn remove(&mut self, other: Self) {
        self.0 &= !other.0;
    }

    /// The names of the capabilities in the set.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES.iter().filter(move |(one, _)| self.contains(*one)).map(|(_, name)| *name)
    }

    /// The capability of a name, of which `all` is everything and `none` nothing.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "all" => Some(Self::ALL),
            "none" => Some(Self::NONE),
            _ => Self::NAMES.iter().find(|(_, own)| *own == name).map(|(caps, _)| *caps),
        }
    }

    pub(crate) const fn bits(self) -> u16 {
        self.0
    }

    pub(crate) const fn from_bits(bits: u16) -> Self {
        Self(bits & Self::ALL.0)
    }

    /// The one that is asked for when any of the set would do.
    pub(crate) const fn first(self) -> Self {
        Self(self.0 & self.0.wrapping_neg())
    }
}

/// What a guest gets unless told otherwise: the standard streams, clocks,
/// randomness and exiting.
impl Default for Capabilities {
    fn default() -> Self {
        Self::STDIO | Self::CLOCK | Self::RANDOM | Self::EXIT
    }
}

impl BitOr for Capabilities {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl fmt::Debug for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets() {
        let mut caps = Capabilities::NONE;
        assert!(!caps.contains(Capabilities::READ));
        caps.insert(Capabilities::READ | Capabilities::ENV);
        assert!(caps.contains(Capabilities::READ) && caps.intersects(Capabilities::ALL));
        assert!(!caps.contains(Capabilities::ALL));
        assert_eq!(caps.names().collect::<Vec<_>>(), ["read", "env"]);
        for name in Capabilities::ALL.names() {
            let one = Capabilities::named(name).unwrap();
            assert_eq!(one.names().collect::<Vec<_>>(), [name]);
        }
        assert_eq!(Capabilities::named("all"), Some(Capabilities::ALL));
        assert_eq!(Capabilities::named("reed"), None);
        assert_eq!(caps.first(), Capabilities::READ);
        caps.remove(Capabilities::READ);
        assert_eq!(caps, Capabilities::ENV);
        assert_eq!(Capabilities::ALL.names().count(), 11);
        assert!(!Capabilities::NET.contains(Capabilities::HTTP));
        assert!(!Capabilities::default().intersects(Capabilities::NET | Capabilities::HTTP));
        assert_eq!(Capabilities::NONE.first(), Capabilities::NONE);
    }
}
