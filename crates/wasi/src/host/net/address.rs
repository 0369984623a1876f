//! Which addresses a socket may be bound to, connected to and sent to.
//!
//! Systems disagree on the odd ones (mapped, unspecified, of the other family), so they
//! are refused before a system sees them.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// The kind of addresses a socket works with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Family {
    V4,
    V6,
}

impl Family {
    /// The family of an address.
    pub(crate) fn of(address: SocketAddr) -> Family {
        if address.is_ipv4() { Family::V4 } else { Family::V6 }
    }

    /// Whether a socket of this family can use an address at all: not one that is an
    /// address of the other family in disguise.
    pub(crate) fn takes(self, address: IpAddr) -> bool {
        match (self, address) {
            (Family::V4, IpAddr::V4(_)) => true,
            (Family::V6, IpAddr::V6(ip)) => ip.to_ipv4_mapped().is_none() && !is_compatible(ip),
            (Family::V4, IpAddr::V6(_)) | (Family::V6, IpAddr::V4(_)) => false,
        }
    }
}

/// Whether an address is of the deprecated "IPv4-compatible" form.
fn is_compatible(ip: Ipv6Addr) -> bool {
    let embedded = matches!(ip.segments(), [0, 0, 0, 0, 0, 0, _, _]);
    embedded && ip != Ipv6Addr::UNSPECIFIED && ip != Ipv6Addr::LOCALHOST
}

/// Whether an address is of one host, and not of many.
pub(crate) fn is_unicast(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => !ip.is_multicast() && !ip.is_broadcast(),
        IpAddr::V6(ip) => !ip.is_multicast(),
    }
}

/// Whether an address can be that of somebody to talk to.
pub(crate) fn is_remote(address: SocketAddr) -> bool {
    !address.ip().to_canonical().is_unspecified() && address.port() != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_addresses_are_told_apart() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        assert!(Family::V4.takes(ip("127.0.0.1")) && !Family::V4.takes(ip("::1")));
        assert!(Family::V6.takes(ip("::1")) && Family::V6.takes(ip("::")));
        assert!(!Family::V6.takes(ip("::ffff:127.0.0.1")) && !Family::V6.takes(ip("::1.2.3.4")));
        assert!(!is_unicast(ip("255.255.255.255")) && !is_unicast(ip("::ffff:224.0.0.1")));
        assert!(!is_unicast(ip("ff02::1")) && is_unicast(ip("10.0.0.1")));
        let at = |text: &str| is_remote(text.parse().unwrap());
        assert!(at("1.2.3.4:5") && !at("1.2.3.4:0") && !at("0.0.0.0:5") && !at("[::]:5"));
    }
}
