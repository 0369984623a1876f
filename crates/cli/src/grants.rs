//! The capabilities a user grants to a WASI program on the command line, and
//! telling which flag would have granted what the program was refused.
//!
//! Whoever runs a program wants to see what it prints and how it ended, so that
//! the standard streams and exiting need no flag. Everything else does.

use zwasm_wasi::Capabilities;

/// A set of capabilities.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Grants(Capabilities);

impl Grants {
    /// Reading files.
    pub const READ: Self = Self(Capabilities::READ);
    /// Writing files.
    pub const WRITE: Self = Self(Capabilities::WRITE);
    /// The host's environment variables.
    pub const ENV: Self = Self(Capabilities::ENV);
    /// Operations on paths: creating, renaming, linking, removing.
    pub const PATH: Self = Self(Capabilities::PATH);
    /// Clocks.
    pub const CLOCK: Self = Self(Capabilities::CLOCK);
    /// Random numbers.
    pub const RANDOM: Self = Self(Capabilities::RANDOM);
    /// Process operations.
    pub const PROC: Self = Self(Capabilities::PROC);
    /// Sockets and looking names up.
    pub const NET: Self = Self(Capabilities::NET);
    /// Sending HTTP requests.
    pub const HTTP: Self = Self(Capabilities::HTTP);
    /// All of the above.
    pub const ALL: Self = Self(Capabilities::ALL);

    /// Adds the capabilities of `other`.
    pub fn insert(&mut self, other: Self) {
        self.0.insert(other.0);
    }

    /// Whether every capability of `other` is in the set.
    #[cfg(test)]
    pub fn contains(self, other: Self) -> bool {
        self.0.contains(other.0)
    }

    /// The set as the library knows it.
    pub fn capabilities(self) -> Capabilities {
        self.0
    }
}

/// What a program has without any flag.
impl Default for Grants {
    fn default() -> Self {
        Self(Capabilities::STDIO | Capabilities::EXIT)
    }
}

/// The remark on a program that was refused something, if it was.
pub fn refusal(refused: Capabilities) -> Option<String> {
    let mut flags: Vec<_> = refused.names().map(|name| format!("--allow-{name}")).collect();
    let last = flags.pop()?;
    if flags.is_empty() {
        return Some(format!("the program was refused something that '{last}' allows"));
    }
    let flags = flags.join("', '");
    Some(format!("the program was refused things that '{flags}' and '{last}' allow"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets() {
        let mut grants = Grants::default();
        assert!(!grants.contains(Grants::READ));
        assert!(grants.capabilities().contains(Capabilities::STDIO));
        grants.insert(Grants::READ);
        grants.insert(Grants::ENV);
        assert!(grants.contains(Grants::READ) && grants.contains(Grants::ENV));
        assert!(!grants.contains(Grants::ALL));
        assert!(Grants::ALL.contains(Grants::PROC));
    }

    #[test]
    fn refusals_name_the_flags() {
        assert_eq!(refusal(Capabilities::NONE), None);
        let one = refusal(Capabilities::CLOCK).unwrap();
        assert_eq!(one, "the program was refused something that '--allow-clock' allows");
        let three = refusal(Capabilities::READ | Capabilities::PATH | Capabilities::CLOCK);
        let three = three.unwrap();
        assert!(three.ends_with("that '--allow-read', '--allow-path' and '--allow-clock' allow"));
    }
}
