//! `wasi:sockets`: TCP, UDP, and looking names up.
//!
//! Nothing waits in the system: what would is asked again when the loop of the store has
//! seen it to be ready.

mod error;
mod lookup;
mod tcp;
mod transfer;
mod udp;

use std::sync::Arc;
use std::task::Context;

use zwasm::Result;
use zwasm_component::Linker;

use self::error::ErrorCode;
use self::tcp::*;
pub(crate) use self::transfer::Listeners;
use self::udp::*;
use super::reactor::Waiting;
use super::table::{Store, interface};
use crate::WasiView;
use crate::ctx::State;
use crate::host::Host;
use crate::host::net::socket::Socket;
use crate::host::poll::Direction;
use crate::host::sys::AsFd;
use crate::p2::io::poll::{Interest, Source};
use crate::p2::sockets::Place;
use crate::p2::table::{Answer, Failed};

/// Defines all interfaces of `wasi:sockets`.
pub(super) fn add_to_linker<T: WasiView + 'static>(linker: &mut Linker<T>) -> Result<()> {
    define_types(linker)?;
    lookup::define_ip_name_lookup(linker)
}

/// What a function of these interfaces returns.
type SocketAnswer<T = ()> = Answer<T, ErrorCode>;

fn with<T>(code: ErrorCode) -> SocketAnswer<T> {
    Err(Failed::With(code))
}

/// Checks a value of which there has to be some.
fn check_positive(value: u64) -> SocketAnswer {
    if value == 0 { with(ErrorCode::InvalidArgument) } else { Ok(()) }
}

/// Takes a place among the sockets that a guest may have.
fn take_place(host: &Host) -> SocketAnswer<Place> {
    Place::take(host).map_err(|_| Failed::With(ErrorCode::other("too many sockets")))
}

/// What becomes ready when a socket can be read or written.
struct Ready(Arc<Socket>, Direction);

impl Source for Ready {
    fn interest<'a>(&'a self, _: &'a State) -> Interest<'a> {
        Interest::Descriptor(self.0.as_fd(), self.1)
    }
}

/// Waits for a socket.
fn wait_for(
    waiting: &mut Waiting,
    store: &mut dyn Store,
    socket: &Arc<Socket>,
    direction: Direction,
    cx: &mut Context<'_>,
) {
    waiting.on(store, Arc::new(Ready(socket.clone(), direction)), cx);
}

interface! {
    /// Defines `wasi:sockets/types`.
    fn define_types = "wasi:sockets/types@0.3.0" {
        resource "tcp-socket": TcpSocket;
        resource "udp-socket": UdpSocket;
        "[static]tcp-socket.create" = tcp_create(family);
        "[method]tcp-socket.bind" as over = tcp_bind(socket, address);
        "[method]tcp-socket.connect" as wait = tcp_connect(socket, address);
        "[method]tcp-socket.listen" as over = listen(socket);
        "[method]tcp-socket.send" as over = tcp_send(socket, data);
        "[method]tcp-socket.receive" as over = tcp_receive(socket);
        "[method]tcp-socket.get-local-address" = tcp_local(socket);
        "[method]tcp-socket.get-remote-address" = tcp_remote(socket);
        "[method]tcp-socket.get-is-listening" = is_listening(socket);
        "[method]tcp-socket.get-address-family" = tcp_family(socket);
        "[method]tcp-socket.set-listen-backlog-size" = set_backlog(socket, value);
        "[method]tcp-socket.get-keep-alive-enabled" = keep_alive(socket);
        "[method]tcp-socket.set-keep-alive-enabled" = set_keep_alive(socket, value);
        "[method]tcp-socket.get-keep-alive-idle-time" = keep_alive_idle(socket);
        "[method]tcp-socket.set-keep-alive-idle-time" = set_keep_alive_idle(socket, value);
        "[method]tcp-socket.get-keep-alive-interval" = keep_alive_interval(socket);
        "[method]tcp-socket.set-keep-alive-interval" = set_keep_alive_interval(socket, value);
        "[method]tcp-socket.get-keep-alive-count" = keep_alive_count(socket);
        "[method]tcp-socket.set-keep-alive-count" = set_keep_alive_count(socket, value);
        "[method]tcp-socket.get-hop-limit" = tcp_hop_limit(socket);
        "[method]tcp-socket.set-hop-limit" = set_tcp_hop_limit(socket, value);
        "[method]tcp-socket.get-receive-buffer-size" = tcp_receive_buffer(socket);
        "[method]tcp-socket.set-receive-buffer-size" = set_tcp_receive_buffer(socket, value);
        "[method]tcp-socket.get-send-buffer-size" = tcp_send_buffer(socket);
        "[method]tcp-socket.set-send-buffer-size" = set_tcp_send_buffer(socket, value);
        "[static]udp-socket.create" = udp_create(family);
        "[method]udp-socket.bind" = udp_bind(socket, address);
        "[method]udp-socket.connect" = udp_connect(socket, address);
        "[method]udp-socket.disconnect" = udp_disconnect(socket);
        "[method]udp-socket.send" as wait = udp_send(socket, data, remote);
        "[method]udp-socket.receive" as wait = udp_receive(socket);
        "[method]udp-socket.get-local-address" = udp_local(socket);
        "[method]udp-socket.get-remote-address" = udp_remote(socket);
        "[method]udp-socket.get-address-family" = udp_family(socket);
        "[method]udp-socket.get-unicast-hop-limit" = udp_hop_limit(socket);
        "[method]udp-socket.set-unicast-hop-limit" = set_udp_hop_limit(socket, value);
        "[method]udp-socket.get-receive-buffer-size" = udp_receive_buffer(socket);
        "[method]udp-socket.set-receive-buffer-size" = set_udp_receive_buffer(socket, value);
        "[method]udp-socket.get-send-buffer-size" = udp_send_buffer(socket);
        "[method]udp-socket.set-send-buffer-size" = set_udp_send_buffer(socket, value);
    }
}

/// Declares the two functions of each option: one reads it, the other sets it to a value
/// of which there has to be some.
macro_rules! options {
    ($socket:ty { $($get:ident, $set:ident: $ty:ty = $read:ident, $write:ident;)* }) => {$(
        pub(super) fn $get(
            cx: &mut WasiCtxView<'_>,
            socket: Resource<$socket>,
        ) -> SocketAnswer<$ty> {
            option(cx, &socket, Socket::$read)
        }

        pub(super) fn $set(
            cx: &mut WasiCtxView<'_>,
            socket: Resource<$socket>,
            value: $ty,
        ) -> SocketAnswer {
            check_positive(value.into())?;
            option(cx, &socket, |socket, host| socket.$write(host, value))
        }
    )*};
}
use options;
