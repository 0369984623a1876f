//! The capabilities a user grants to a WASI program on the command line.

/// A set of capabilities.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Grants(u8);

impl Grants {
    /// Reading files.
    pub const READ: Self = Self(1 << 0);
    /// Writing files.
    pub const WRITE: Self = Self(1 << 1);
    /// The host's environment variables.
    pub const ENV: Self = Self(1 << 2);
    /// Operations on paths: opening, creating, renaming, removing.
    pub const PATH: Self = Self(1 << 3);
    /// Clocks.
    pub const CLOCK: Self = Self(1 << 4);
    /// Random numbers.
    pub const RANDOM: Self = Self(1 << 5);
    /// Process operations.
    pub const PROC: Self = Self(1 << 6);
    /// All of the above.
    pub const ALL: Self = Self((1 << 7) - 1);

    /// Adds the capabilities of `other`.
    pub fn insert(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// Whether every capability of `other` is in the set.
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets() {
        let mut grants = Grants::default();
        assert!(!grants.contains(Grants::READ));
        grants.insert(Grants::READ);
        grants.insert(Grants::ENV);
        assert!(grants.contains(Grants::READ) && grants.contains(Grants::ENV));
        assert!(!grants.contains(Grants::ALL));
        assert!(Grants::ALL.contains(Grants::PROC));
    }
}
