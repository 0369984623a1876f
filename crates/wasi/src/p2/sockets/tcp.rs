//! TCP: the functions of sockets.
//!
//! What a socket is and how it changes is in `connection`.

use std::net::{Shutdown, SocketAddr};
use std::sync::Arc;

use zwasm::Result;
use zwasm_component::Resource;

use super::connection::{Operation, Receiver, Sender, Stage, Tcp};
use super::network::{ErrorCode, IpAddressFamily, IpSocketAddress, Network};
use super::{Place, SocketAnswer, check_positive, options};
use crate::host::Host;
use crate::host::net::address::{is_remote, is_unicast};
use crate::host::net::socket::{Kind, Purpose, Socket};
use crate::p2::WasiCtxView;
use crate::p2::io::poll::{Pollable, Source};
use crate::p2::io::streams::{InputStream, OutputStream};
use crate::p2::table::{Failed, interface};
use crate::p2::wit::wit_enum;

/// A socket as a resource.
pub(crate) struct TcpSocket(Arc<Tcp>);

wit_enum! {
    /// Which way a connection is closed.
    ShutdownType {
        Receive = "receive",
        Send = "send",
        Both = "both",
    }
}

impl From<ShutdownType> for Shutdown {
    fn from(way: ShutdownType) -> Shutdown {
        match way {
            ShutdownType::Receive => Shutdown::Read,
            ShutdownType::Send => Shutdown::Write,
            ShutdownType::Both => Shutdown::Both,
        }
    }
}

interface! {
    /// Defines `wasi:sockets/tcp-create-socket`.
    fn define_tcp_create_socket = "wasi:sockets/tcp-create-socket@0.2.12" {
        "create-tcp-socket" = create_tcp_socket(family);
    }
}

interface! {
    /// Defines `wasi:sockets/tcp`.
    fn define_tcp = "wasi:sockets/tcp@0.2.12" {
        resource "tcp-socket": TcpSocket;
        "[method]tcp-socket.start-bind" = start_bind(socket, network, address);
        "[method]tcp-socket.finish-bind" = finish_bind(socket);
        "[method]tcp-socket.start-connect" = start_connect(socket, network, address);
        "[method]tcp-socket.finish-connect" = finish_connect(socket);
        "[method]tcp-socket.start-listen" = start_listen(socket);
        "[method]tcp-socket.finish-listen" = finish_listen(socket);
        "[method]tcp-socket.accept" = accept(socket);
        "[method]tcp-socket.local-address" = local_address(socket);
        "[method]tcp-socket.remote-address" = remote_address(socket);
        "[method]tcp-socket.is-listening" = is_listening(socket);
        "[method]tcp-socket.address-family" = address_family(socket);
        "[method]tcp-socket.set-listen-backlog-size" = set_listen_backlog_size(socket, value);
        "[method]tcp-socket.keep-alive-enabled" = keep_alive_enabled(socket);
        "[method]tcp-socket.set-keep-alive-enabled" = set_keep_alive_enabled(socket, value);
        "[method]tcp-socket.keep-alive-idle-time" = keep_alive_idle_time(socket);
        "[method]tcp-socket.set-keep-alive-idle-time" = set_keep_alive_idle_time(socket, value);
        "[method]tcp-socket.keep-alive-interval" = keep_alive_interval(socket);
        "[method]tcp-socket.set-keep-alive-interval" = set_keep_alive_interval(socket, value);
        "[method]tcp-socket.keep-alive-count" = keep_alive_count(socket);
        "[method]tcp-socket.set-keep-alive-count" = set_keep_alive_count(socket, value);
        "[method]tcp-socket.hop-limit" = hop_limit(socket);
        "[method]tcp-socket.set-hop-limit" = set_hop_limit(socket, value);
        "[method]tcp-socket.receive-buffer-size" = receive_buffer_size(socket);
        "[method]tcp-socket.set-receive-buffer-size" = set_receive_buffer_size(socket, value);
        "[method]tcp-socket.send-buffer-size" = send_buffer_size(socket);
        "[method]tcp-socket.set-send-buffer-size" = set_send_buffer_size(socket, value);
        "[method]tcp-socket.subscribe" = subscribe(socket);
        "[method]tcp-socket.shutdown" = shutdown(socket, way);
    }
}

fn with<T>(code: ErrorCode) -> SocketAnswer<T> {
    Err(Failed::With(code))
}

fn create_tcp_socket(
    cx: &mut WasiCtxView<'_>,
    family: IpAddressFamily,
) -> SocketAnswer<Resource<TcpSocket>> {
    let host = &cx.ctx.0.host;
    let place = Place::take(host).map_err(Failed::With)?;
    let socket = Socket::new(host, Kind::Stream, family.into(), Purpose::Guest)?;
    Ok(cx.push(TcpSocket(Arc::new(Tcp::new(socket, Stage::Unbound, place))))?)
}

fn start_bind(
    cx: &mut WasiCtxView<'_>,
    socket: Resource<TcpSocket>,
    network: Resource<Network>,
    address: IpSocketAddress,
) -> SocketAnswer {
    cx.table.get(&network)?;
    let tcp = &*cx.table.get(&socket)?.0;
    let mut inner = tcp.lock();
    inner.begin()?;
    if !matches!(inner.stage, Stage::Unbound) {
        return with(ErrorCode::InvalidState);
    }
    let address = SocketAddr::from(address);
    if !is_unicast(address.ip()) || !tcp.socket.family().takes(address.ip()) {
        return with(ErrorCode::InvalidArgument);
    }
    tcp.socket.bind(&cx.ctx.0.host, Kind::Stream, address)?;
    (inner.stage, inner.operation) = (Stage::Bound, Some(Operation::Bind));
    Ok(())
}

fn finish_bind(cx: &mut WasiCtxView<'_>, socket: Resource<TcpSocket>) -> SocketAnswer {
    cx.table.get(&socket)?.0.lock().finish(Operation::Bind)
}

fn start_connect(
    cx: &mut WasiCtxView<'_>,
    socket: Resource<TcpSocket>,
    network: Resource<Network>,
    address: IpSocketAddress,
) -> SocketAnswer {
    cx.table.get(&network)?;
    let tcp = &*cx.table.get(&socket)?.0;
    let mut inner = tcp.lock();
    inner.begin()?;
    if !matches!(inner.stage, Stage::Unbound | Stage::Bound) {
        return with(ErrorCode::InvalidState);
    }
    let address = SocketAddr::from(address);
    let takes = tcp.socket.family().takes(address.ip());
    if !is_unicast(address.ip()) || !is_remote(address) || !takes {
        return with(ErrorCode::InvalidArgument);
    }
    // What goes wrong at once is told when connecting is finished, as what goes wrong later.
    inner.stage = match tcp.socket.start_connect(&cx.ctx.0.host, address).map_err(Failed::from) {
        Ok(()) => Stage::Connecting,
        Err(Failed::With(error)) => Stage::Closed(error),
        Err(failed) => return Err(failed),
    };
    inner.operation = Some(Operation::Connect);
    Ok(())
}

/// The two streams of a connection.
type Streams = (Resource<InputStream>, Resource<OutputStream>);

fn streams(cx: &mut WasiCtxView<'_>, socket: &Resource<TcpSocket>) -> Result<Streams> {
    let tcp = cx.table.get(socket)?.0.clone();
    let input = InputStream(Arc::new(Receiver(tcp.clone())));
    let output = OutputStream(Arc::new(Sender(tcp)));
    Ok((cx.push_child(input, socket)?, cx.push_child(output, socket)?))
}

fn finish_connect(cx: &mut WasiCtxView<'_>, socket: Resource<TcpSocket>) -> SocketAnswer<Streams> {
    let tcp = &*cx.table.get(&socket)?.0;
    let mut inner = tcp.lock();
    if inner.operation != Some(Operation::Connect) {
        return with(ErrorCode::NotInProgress);
    }
    if let Stage::Connecting = inner.stage {
        inner.stage = match tcp.socket.finish_connect(&cx.ctx.0.host).map_err(Failed::from) {
            Ok(()) => Stage::Connected,
            Err(Failed::With(ErrorCode::WouldBlock)) => return with(ErrorCode::WouldBlock),
            Err(Failed::With(error)) => Stage::Closed(error),
            Err(failed) => return Err(failed),
        };
    }
    inner.operation = None;
    if let Stage::Closed(error) = inner.stage {
        return with(error);
    }
    drop(inner);
    Ok(streams(cx, &socket)?)
}

fn start_listen(cx: &mut WasiCtxView<'_>, socket: Resource<TcpSocket>) -> SocketAnswer {
    let tcp = &*cx.table.get(&socket)?.0;
    let mut inner = tcp.lock();
    inner.begin()?;
    if !matches!(inner.stage, Stage::Bound) {
        return with(ErrorCode::InvalidState);
    }
    tcp.socket.listen(&cx.ctx.0.host, inner.backlog)?;
    (inner.stage, inner.operation) = (Stage::Listening, Some(Operation::Listen));
    Ok(())
}

fn finish_listen(cx: &mut WasiCtxView<'_>, socket: Resource<TcpSocket>) -> SocketAnswer {
    cx.table.get(&socket)?.0.lock().finish(Operation::Listen)
}

fn accept(
    cx: &mut WasiCtxView<'_>,
    socket: Resource<TcpSocket>,
) -> SocketAnswer<(Resource<TcpSocket>, Resource<InputStream>, Resource<OutputStream>)> {
    let tcp = &*cx.table.get(&socket)?.0;
    let host = &cx.ctx.0.host;
    if !tcp.lock().is_listening() {
        return with(ErrorCode::InvalidState);
    }
    let place = Place::take(host).map_err(Failed::With)?;
    let connection = tcp.socket.accept(host)?;
    let tcp = Arc::new(Tcp::new(connection, Stage::Connected, place));
    let socket = cx.push(TcpSocket(tcp))?;
    let (input, output) = streams(cx, &socket)?;
    Ok((socket, input, output))
}

fn local_address(
    cx: &mut WasiCtxView<'_>,
    socket: Resource<TcpSocket>,
) -> SocketAnswer<IpSocketAddress> {
    let tcp = &*cx.table.get(&socket)?.0;
    match tcp.lock().stage {
        Stage::Unbound | Stage::Connecting => with(ErrorCode::InvalidState),
        Stage::Bound | Stage::Listening | Stage::Connected => {
            Ok(tcp.socket.local(&cx.ctx.0.host)?.into())
        }
        Stage::Closed(error) => with(error),
    }
}

fn remote_address(
    cx: &mut WasiCtxView<'_>,
    socket: Resource<TcpSocket>,
) -> SocketAnswer<IpSocketAddress> {
    let tcp = &*cx.table.get(&socket)?.0;
    match tcp.lock().stage {
        Stage::Unbound | Stage::Bound | Stage::Listening | Stage::Connecting => {
            with(ErrorCode::InvalidState)
        }
        Stage::Connected => Ok(tcp.socket.remote(&cx.ctx.0.host)?.into()),
        Stage::Closed(error) => with(error),
    }
}

fn is_listening(cx: &mut WasiCtxView<'_>, socket: Resource<TcpSocket>) -> Result<(bool,)> {
    Ok((cx.table.get(&socket)?.0.lock().is_listening(),))
}

fn address_family(
    cx: &mut WasiCtxView<'_>,
    socket: Resource<TcpSocket>,
) -> Result<(IpAddressFamily,)> {
    Ok((cx.table.get(&socket)?.0.socket.family().into(),))
}

fn set_listen_backlog_size(
    cx: &mut WasiCtxView<'_>,
    socket: Resource<TcpSocket>,
    value: u64,
) -> SocketAnswer {
    check_positive(value)?;
    let backlog = i32::try_from(value).unwrap_or(i32::MAX);
    let tcp = &*cx.table.get(&socket)?.0;
    let mut inner = tcp.lock();
    match inner.stage {
        Stage::Unbound | Stage::Bound => {}
        Stage::Listening => {
            match tcp.socket.listen(&cx.ctx.0.host, backlog).map_err(Failed::from) {
                Ok(()) => {}
                Err(Failed::With(_)) => return with(ErrorCode::NotSupported),
                Err(failed) => return Err(failed),
            }
        }
        Stage::Connecting | Stage::Connected => return with(ErrorCode::InvalidState),
        Stage::Closed(error) => return with(error),
    }
    inner.backlog = backlog;
    Ok(())
}

/// Reads or sets an option, which is not possible in all stages.
fn option<T>(
    cx: &mut WasiCtxView<'_>,
    socket: &Resource<TcpSocket>,
    option: impl FnOnce(&Socket, &Host) -> crate::host::Result<T>,
) -> SocketAnswer<T> {
    let tcp = &*cx.table.get(socket)?.0;
    match tcp.lock().stage {
        Stage::Unbound | Stage::Bound | Stage::Listening | Stage::Connected => {
            Ok(option(&tcp.socket, &cx.ctx.0.host)?)
        }
        Stage::Connecting => with(ErrorCode::InvalidState),
        Stage::Closed(error) => with(error),
    }
}

fn keep_alive_enabled(cx: &mut WasiCtxView<'_>, socket: Resource<TcpSocket>) -> SocketAnswer<bool> {
    option(cx, &socket, Socket::keep_alive)
}

fn set_keep_alive_enabled(
    cx: &mut WasiCtxView<'_>,
    socket: Resource<TcpSocket>,
    value: bool,
) -> SocketAnswer {
    option(cx, &socket, |socket, host| socket.set_keep_alive(host, value))
}

options! {
    TcpSocket {
        keep_alive_idle_time, set_keep_alive_idle_time: u64 = keep_alive_idle, set_keep_alive_idle;
        keep_alive_interval, set_keep_alive_interval: u64 = keep_alive_interval, set_keep_alive_interval;
        keep_alive_count, set_keep_alive_count: u32 = keep_alive_count, set_keep_alive_count;
        hop_limit, set_hop_limit: u8 = hop_limit, set_hop_limit;
        receive_buffer_size, set_receive_buffer_size: u64 = receive_buffer, set_receive_buffer;
        send_buffer_size, set_send_buffer_size: u64 = send_buffer, set_send_buffer;
    }
}

fn subscribe(
    cx: &mut WasiCtxView<'_>,
    socket: Resource<TcpSocket>,
) -> Result<(Resource<Pollable>,)> {
    let source: Arc<dyn Source> = cx.table.get(&socket)?.0.clone();
    Ok((cx.push_child(Pollable(source), &socket)?,))
}

fn shutdown(
    cx: &mut WasiCtxView<'_>,
    socket: Resource<TcpSocket>,
    way: ShutdownType,
) -> SocketAnswer {
    let tcp = &*cx.table.get(&socket)?.0;
    let stage = tcp.lock().stage;
    match stage {
        Stage::Unbound | Stage::Bound | Stage::Listening | Stage::Connecting => {
            with(ErrorCode::InvalidState)
        }
        Stage::Connected => Ok(tcp.shutdown(&cx.ctx.0.host, way.into())?),
        Stage::Closed(error) => with(error),
    }
}
