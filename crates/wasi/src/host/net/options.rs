//! What can be set on sockets. Times are in nanoseconds.
//!
//! Values that a system does not take are brought into the range that all of them take, so
//! that a guest sees the same everywhere.

use std::time::Duration;

use rustix::io::Errno;
use rustix::net::sockopt;

use super::address::Family;
use super::socket::Socket;
use crate::host::{Host, Result};

const SECOND: u64 = 1_000_000_000;

/// Times for keeping alive: whole seconds, and no more of them than Linux takes.
const KEEP_ALIVE_TIMES: (u64, u64) = (SECOND, i16::MAX as u64 * SECOND);
/// How often to ask before giving up.
const KEEP_ALIVE_COUNTS: (u32, u32) = (1, i8::MAX as u32);

impl Socket {
    /// Whether it is asked from time to time if the other side is still there.
    pub(crate) fn keep_alive(&self, host: &Host) -> Result<bool> {
        Ok(sockopt::socket_keepalive(self.using(host)?)?)
    }

    pub(crate) fn set_keep_alive(&self, host: &Host, on: bool) -> Result {
        Ok(sockopt::set_socket_keepalive(self.using(host)?, on)?)
    }

    /// The silence before it is asked.
    pub(crate) fn keep_alive_idle(&self, host: &Host) -> Result<u64> {
        Ok(nanoseconds(sockopt::tcp_keepidle(self.using(host)?)?))
    }

    pub(crate) fn set_keep_alive_idle(&self, host: &Host, time: u64) -> Result {
        Ok(sockopt::set_tcp_keepidle(self.using(host)?, keep_alive_time(time))?)
    }

    /// The time between asking and asking again.
    pub(crate) fn keep_alive_interval(&self, host: &Host) -> Result<u64> {
        Ok(nanoseconds(sockopt::tcp_keepintvl(self.using(host)?)?))
    }

    pub(crate) fn set_keep_alive_interval(&self, host: &Host, time: u64) -> Result {
        Ok(sockopt::set_tcp_keepintvl(self.using(host)?, keep_alive_time(time))?)
    }

    /// How often it is asked before the connection is given up.
    pub(crate) fn keep_alive_count(&self, host: &Host) -> Result<u32> {
        Ok(sockopt::tcp_keepcnt(self.using(host)?)?)
    }

    pub(crate) fn set_keep_alive_count(&self, host: &Host, count: u32) -> Result {
        let (min, max) = KEEP_ALIVE_COUNTS;
        Ok(sockopt::set_tcp_keepcnt(self.using(host)?, count.clamp(min, max))?)
    }

    /// Over how many routers what is sent may go.
    pub(crate) fn hop_limit(&self, host: &Host) -> Result<u8> {
        let socket = self.using(host)?;
        Ok(match self.family {
            Family::V4 => u8::try_from(sockopt::ip_ttl(socket)?).unwrap_or(u8::MAX),
            Family::V6 => sockopt::ipv6_unicast_hops(socket)?,
        })
    }

    pub(crate) fn set_hop_limit(&self, host: &Host, limit: u8) -> Result {
        let socket = self.using(host)?;
        let set = match self.family {
            Family::V4 => sockopt::set_ip_ttl(socket, limit.into()),
            Family::V6 => sockopt::set_ipv6_unicast_hops(socket, Some(limit)),
        };
        Ok(set?)
    }

    /// The bytes the system keeps that were received and not read.
    pub(crate) fn receive_buffer(&self, host: &Host) -> Result<u64> {
        Ok(asked_for(sockopt::socket_recv_buffer_size(self.using(host)?)?))
    }

    pub(crate) fn set_receive_buffer(&self, host: &Host, size: u64) -> Result {
        let socket = self.using(host)?;
        hint(sockopt::set_socket_recv_buffer_size(socket, buffer_size(size)))
    }

    /// The bytes the system keeps that are to be sent.
    pub(crate) fn send_buffer(&self, host: &Host) -> Result<u64> {
        Ok(asked_for(sockopt::socket_send_buffer_size(self.using(host)?)?))
    }

    pub(crate) fn set_send_buffer(&self, host: &Host, size: u64) -> Result {
        let socket = self.using(host)?;
        hint(sockopt::set_socket_send_buffer_size(socket, buffer_size(size)))
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

fn keep_alive_time(nanoseconds: u64) -> Duration {
    let (min, max) = KEEP_ALIVE_TIMES;
    Duration::from_nanos(nanoseconds.clamp(min, max))
}

fn buffer_size(size: u64) -> usize {
    size.clamp(1, i32::MAX as u64) as usize
}

/// The size that was asked for: Linux takes twice that, for its own needs.
fn asked_for(size: usize) -> u64 {
    if cfg!(any(target_os = "linux", target_os = "android")) {
        size as u64 / 2
    } else {
        size as u64
    }
}

/// A size is a wish. Where it is more than there may be, the BSDs fail and others do what
/// they can.
fn hint(result: rustix::io::Result<()>) -> Result {
    match result {
        Err(Errno::NOBUFS) => Ok(()),
        result => Ok(result?),
    }
}

#[cfg(test)]
mod tests {
    use super::super::socket::{Kind, Purpose};
    use super::*;
    use crate::Capabilities;

    #[test]
    fn what_is_set_can_be_read_back() {
        let host = Host::new(Capabilities::NET);
        for family in [Family::V4, Family::V6] {
            let Ok(socket) = Socket::new(&host, Kind::Stream, family, Purpose::Guest) else {
                assert_eq!(family, Family::V6, "there is no IPv4");
                continue;
            };
            socket.set_keep_alive(&host, true).unwrap();
            assert!(socket.keep_alive(&host).unwrap());
            for (set, read) in [(1, SECOND), (7 * SECOND, 7 * SECOND), (u64::MAX, 32767 * SECOND)] {
                socket.set_keep_alive_idle(&host, set).unwrap();
                socket.set_keep_alive_interval(&host, set).unwrap();
                assert_eq!(socket.keep_alive_idle(&host).unwrap(), read);
                assert_eq!(socket.keep_alive_interval(&host).unwrap(), read);
            }
            for (set, read) in [(1, 1), (5, 5), (u32::MAX, 127)] {
                socket.set_keep_alive_count(&host, set).unwrap();
                assert_eq!(socket.keep_alive_count(&host).unwrap(), read);
            }
            for limit in [1, 64, 255] {
                socket.set_hop_limit(&host, limit).unwrap();
                assert_eq!(socket.hop_limit(&host).unwrap(), limit);
            }
            for size in [1, 65536, u64::MAX] {
                socket.set_receive_buffer(&host, size).unwrap();
                socket.set_send_buffer(&host, size).unwrap();
                assert!(socket.receive_buffer(&host).unwrap() > 0);
                assert!(socket.send_buffer(&host).unwrap() > 0);
            }
            socket.set_receive_buffer(&host, 65536).unwrap();
            assert_eq!(socket.receive_buffer(&host).unwrap(), 65536);
        }
    }
}
