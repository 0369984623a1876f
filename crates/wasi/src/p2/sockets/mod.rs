//! `wasi:sockets`: TCP, UDP, and looking names up.
//!
//! The `network` that functions take is a handle that anybody can have. What a guest may
//! do depends on its capability, as everywhere.

mod connection;
mod lookup;
pub(crate) mod network;
mod tcp;
mod udp;

use zwasm::Result;
use zwasm_component::Linker;

use self::network::ErrorCode;
use super::WasiView;
use super::table::{Answer, Failed};
use crate::host::Host;
use crate::host::fs::room::Room;

/// Defines all interfaces of `wasi:sockets`.
pub(super) fn add_to_linker<T: WasiView + 'static>(linker: &mut Linker<T>) -> Result<()> {
    network::define_network(linker)?;
    network::define_instance_network(linker)?;
    tcp::define_tcp(linker)?;
    tcp::define_tcp_create_socket(linker)?;
    udp::define_udp(linker)?;
    udp::define_udp_create_socket(linker)?;
    lookup::define_ip_name_lookup(linker)
}

/// What a function of these interfaces returns.
type SocketAnswer<T = ()> = Answer<T, ErrorCode>;

/// Checks a value of which there has to be some.
fn check_positive(value: u64) -> SocketAnswer {
    if value == 0 { Err(Failed::With(ErrorCode::InvalidArgument)) } else { Ok(()) }
}

/// Declares the two functions of each option: one reads it, the other sets it to a value
/// of which there has to be some.
macro_rules! options {
    ($socket:ty { $($get:ident, $set:ident: $ty:ty = $read:ident, $write:ident;)* }) => {$(
        fn $get(cx: &mut WasiCtxView<'_>, socket: Resource<$socket>) -> SocketAnswer<$ty> {
            option(cx, &socket, Socket::$read)
        }

        fn $set(cx: &mut WasiCtxView<'_>, socket: Resource<$socket>, value: $ty) -> SocketAnswer {
            check_positive(value.into())?;
            option(cx, &socket, |socket, host| socket.$write(host, value))
        }
    )*};
}
use options;

/// The place of a socket among those that a guest may have.
pub(crate) struct Place(Room);

impl Place {
    /// Takes a place, if there is one.
    pub(crate) fn take(host: &Host) -> std::result::Result<Place, ErrorCode> {
        if host.network.room.take() {
            return Ok(Place(host.network.room.clone()));
        }
        host.reach(|| "more sockets than a program may have".to_owned());
        Err(ErrorCode::NewSocketLimit)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.give(1);
    }
}
