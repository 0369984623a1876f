//! Errors and addresses, and the handle to the network.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use rustix::io::Errno;
use zwasm::Result;
use zwasm_component::Resource;

use crate::host::net::address::Family;
use crate::p2::WasiCtxView;
use crate::p2::io::IoError;
use crate::p2::table::{Code, interface};
use crate::p2::wit::{wit_enum, wit_record, wit_variant};

/// Access to the network, which is as much as the guest may have.
pub(crate) struct Network;

wit_enum! {
    /// Why a socket does not do what it is asked to.
    ErrorCode {
        Unknown = "unknown",
        AccessDenied = "access-denied",
        NotSupported = "not-supported",
        InvalidArgument = "invalid-argument",
        OutOfMemory = "out-of-memory",
        Timeout = "timeout",
        ConcurrencyConflict = "concurrency-conflict",
        NotInProgress = "not-in-progress",
        WouldBlock = "would-block",
        InvalidState = "invalid-state",
        NewSocketLimit = "new-socket-limit",
        AddressNotBindable = "address-not-bindable",
        AddressInUse = "address-in-use",
        RemoteUnreachable = "remote-unreachable",
        ConnectionRefused = "connection-refused",
        ConnectionReset = "connection-reset",
        ConnectionAborted = "connection-aborted",
        DatagramTooLarge = "datagram-too-large",
        NameUnresolvable = "name-unresolvable",
        TemporaryResolverFailure = "temporary-resolver-failure",
        PermanentResolverFailure = "permanent-resolver-failure",
    }
}

impl Code for ErrorCode {
    fn refused() -> ErrorCode {
        ErrorCode::AccessDenied
    }

    fn system(error: io::Error) -> ErrorCode {
        ErrorCode::from(&error)
    }
}

impl From<&io::Error> for ErrorCode {
    fn from(error: &io::Error) -> ErrorCode {
        match Errno::from_io_error(error) {
            Some(errno) => errno.into(),
            None => error.kind().into(),
        }
    }
}

impl From<Errno> for ErrorCode {
    fn from(errno: Errno) -> ErrorCode {
        match errno {
            #[cfg(not(windows))]
            Errno::PERM => ErrorCode::AccessDenied,
            #[cfg(not(windows))]
            Errno::NFILE => ErrorCode::NewSocketLimit,
            #[cfg(not(windows))]
            Errno::NOMEM => ErrorCode::OutOfMemory,
            #[cfg(any(target_os = "linux", target_os = "android"))]
            Errno::NONET => ErrorCode::RemoteUnreachable,
            Errno::ACCESS => ErrorCode::AccessDenied,
            Errno::MFILE => ErrorCode::NewSocketLimit,
            Errno::NOBUFS => ErrorCode::OutOfMemory,
            Errno::HOSTUNREACH | Errno::HOSTDOWN | Errno::NETDOWN | Errno::NETUNREACH => {
                ErrorCode::RemoteUnreachable
            }
            Errno::WOULDBLOCK | Errno::INTR => ErrorCode::WouldBlock,
            Errno::ADDRINUSE => ErrorCode::AddressInUse,
            Errno::ADDRNOTAVAIL => ErrorCode::AddressNotBindable,
            Errno::ALREADY => ErrorCode::ConcurrencyConflict,
            Errno::TIMEDOUT => ErrorCode::Timeout,
            Errno::CONNREFUSED => ErrorCode::ConnectionRefused,
            Errno::CONNRESET => ErrorCode::ConnectionReset,
            Errno::CONNABORTED => ErrorCode::ConnectionAborted,
            Errno::INVAL => ErrorCode::InvalidArgument,
            Errno::ISCONN | Errno::NOTCONN | Errno::DESTADDRREQ => ErrorCode::InvalidState,
            Errno::MSGSIZE => ErrorCode::DatagramTooLarge,
            Errno::OPNOTSUPP
            | Errno::NOPROTOOPT
            | Errno::PFNOSUPPORT
            | Errno::PROTONOSUPPORT
            | Errno::PROTOTYPE
            | Errno::SOCKTNOSUPPORT
            | Errno::AFNOSUPPORT => ErrorCode::NotSupported,
            _ => ErrorCode::Unknown,
        }
    }
}

/// Errors without a number are the host layer's own.
impl From<io::ErrorKind> for ErrorCode {
    fn from(kind: io::ErrorKind) -> ErrorCode {
        match kind {
            io::ErrorKind::AddrInUse => ErrorCode::AddressInUse,
            io::ErrorKind::AddrNotAvailable => ErrorCode::AddressNotBindable,
            io::ErrorKind::ConnectionAborted => ErrorCode::ConnectionAborted,
            io::ErrorKind::ConnectionRefused => ErrorCode::ConnectionRefused,
            io::ErrorKind::ConnectionReset => ErrorCode::ConnectionReset,
            io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock => ErrorCode::WouldBlock,
            io::ErrorKind::InvalidInput => ErrorCode::InvalidArgument,
            io::ErrorKind::NotConnected => ErrorCode::InvalidState,
            io::ErrorKind::OutOfMemory => ErrorCode::OutOfMemory,
            io::ErrorKind::PermissionDenied => ErrorCode::AccessDenied,
            io::ErrorKind::TimedOut => ErrorCode::Timeout,
            io::ErrorKind::Unsupported => ErrorCode::NotSupported,
            _ => ErrorCode::Unknown,
        }
    }
}

wit_enum! {
    /// The kind of addresses a socket works with.
    IpAddressFamily {
        Ipv4 = "ipv4",
        Ipv6 = "ipv6",
    }
}

impl From<IpAddressFamily> for Family {
    fn from(family: IpAddressFamily) -> Family {
        match family {
            IpAddressFamily::Ipv4 => Family::V4,
            IpAddressFamily::Ipv6 => Family::V6,
        }
    }
}

impl From<Family> for IpAddressFamily {
    fn from(family: Family) -> IpAddressFamily {
        match family {
            Family::V4 => IpAddressFamily::Ipv4,
            Family::V6 => IpAddressFamily::Ipv6,
        }
    }
}

type Ipv4Address = (u8, u8, u8, u8);
type Ipv6Address = (u16, u16, u16, u16, u16, u16, u16, u16);

wit_variant! {
    /// An address of a machine.
    IpAddress {
        Ipv4(address: Ipv4Address) = "ipv4",
        Ipv6(address: Ipv6Address) = "ipv6",
    }
}

wit_record! {
    /// An address of IPv4 with a port.
    Ipv4SocketAddress {
        port: u16 = "port",
        address: Ipv4Address = "address",
    }
}

wit_record! {
    /// An address of IPv6 with a port.
    Ipv6SocketAddress {
        port: u16 = "port",
        flow_info: u32 = "flow-info",
        address: Ipv6Address = "address",
        scope_id: u32 = "scope-id",
    }
}

wit_variant! {
    /// An address with a port.
    #[derive(Clone, Debug)]
    IpSocketAddress {
        Ipv4(address: Ipv4SocketAddress) = "ipv4",
        Ipv6(address: Ipv6SocketAddress) = "ipv6",
    }
}

fn from_v4(address: Ipv4Addr) -> Ipv4Address {
    let [a, b, c, d] = address.octets();
    (a, b, c, d)
}

fn to_v4((a, b, c, d): Ipv4Address) -> Ipv4Addr {
    Ipv4Addr::new(a, b, c, d)
}

fn from_v6(address: Ipv6Addr) -> Ipv6Address {
    let [a, b, c, d, e, f, g, h] = address.segments();
    (a, b, c, d, e, f, g, h)
}

fn to_v6((a, b, c, d, e, f, g, h): Ipv6Address) -> Ipv6Addr {
    Ipv6Addr::new(a, b, c, d, e, f, g, h)
}

impl From<IpAddr> for IpAddress {
    fn from(address: IpAddr) -> IpAddress {
        match address {
            IpAddr::V4(address) => IpAddress::Ipv4(from_v4(address)),
            IpAddr::V6(address) => IpAddress::Ipv6(from_v6(address)),
        }
    }
}

impl From<SocketAddr> for IpSocketAddress {
    fn from(address: SocketAddr) -> IpSocketAddress {
        match address {
            SocketAddr::V4(address) => IpSocketAddress::Ipv4(Ipv4SocketAddress {
                port: address.port(),
                address: from_v4(*address.ip()),
            }),
            SocketAddr::V6(address) => IpSocketAddress::Ipv6(Ipv6SocketAddress {
                port: address.port(),
                flow_info: address.flowinfo(),
                address: from_v6(*address.ip()),
                scope_id: address.scope_id(),
            }),
        }
    }
}

impl From<IpSocketAddress> for SocketAddr {
    fn from(address: IpSocketAddress) -> SocketAddr {
        match address {
            IpSocketAddress::Ipv4(address) => {
                SocketAddrV4::new(to_v4(address.address), address.port).into()
            }
            IpSocketAddress::Ipv6(address) => SocketAddrV6::new(
                to_v6(address.address),
                address.port,
                address.flow_info,
                address.scope_id,
            )
            .into(),
        }
    }
}

interface! {
    /// Defines `wasi:sockets/network`.
    fn define_network = "wasi:sockets/network@0.2.12" {
        resource "network": Network;
        "network-error-code" = network_error_code(error);
    }
}

interface! {
    /// Defines `wasi:sockets/instance-network`.
    fn define_instance_network = "wasi:sockets/instance-network@0.2.12" {
        "instance-network" = instance_network();
    }
}

/// What an error of a stream is as one of the network, if it is one of the system.
fn network_error_code(
    cx: &mut WasiCtxView<'_>,
    error: Resource<IoError>,
) -> Result<(Option<ErrorCode>,)> {
    let error = &cx.table.get(&error)?.0;
    let own = error.raw_os_error().is_some() || error.get_ref().is_none();
    Ok((own.then(|| ErrorCode::from(error)),))
}

fn instance_network(cx: &mut WasiCtxView<'_>) -> Result<(Resource<Network>,)> {
    Ok((cx.push(Network)?,))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_survive_the_way_there_and_back() {
        for text in ["1.2.3.4:5", "[::1]:80", "[fe80::1:2%3]:65535"] {
            let address: SocketAddr = text.parse().unwrap();
            assert_eq!(SocketAddr::from(IpSocketAddress::from(address)), address);
        }
    }

    #[test]
    fn errors_have_their_code() {
        let of = |errno: Errno| ErrorCode::from(&io::Error::from(errno));
        assert_eq!(of(Errno::ADDRINUSE), ErrorCode::AddressInUse);
        assert_eq!(of(Errno::MFILE), ErrorCode::NewSocketLimit);
        assert_eq!(of(Errno::AGAIN), ErrorCode::WouldBlock);
        assert_eq!(of(Errno::NETUNREACH), ErrorCode::RemoteUnreachable);
        assert_eq!(of(Errno::NOTDIR), ErrorCode::Unknown);
        let own = io::Error::from(io::ErrorKind::AddrInUse);
        assert_eq!(ErrorCode::from(&own), ErrorCode::AddressInUse);
    }
}
