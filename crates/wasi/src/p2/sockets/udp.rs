//! Datagrams.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use zwasm::{Error, Result};
use zwasm_component::Resource;

use super::network::{ErrorCode, IpAddressFamily, IpSocketAddress, Network};
use super::{Place, SocketAnswer, check_positive, options};
use crate::ctx::State;
use crate::host::Host;
use crate::host::net::address::is_remote;
use crate::host::net::socket::{Kind, Purpose, Socket};
use crate::host::net::tcp::would_block;
use crate::host::net::udp::MAX_DATAGRAM;
use crate::host::poll::{self, Direction};
use crate::host::sys::AsFd;
use crate::p2::WasiCtxView;
use crate::p2::io::poll::{Interest, Pollable, Source};
use crate::p2::io::streams::CHUNK;
use crate::p2::table::{Failed, interface};
use crate::p2::wit::wit_record;

/// The datagrams that one call sends or receives, at most.
const MAX_DATAGRAMS: usize = 16;

/// The datagrams of others that one call throws away, at most.
const MAX_STRAY: usize = 1024;

/// A socket, with what is known of it.
struct Udp {
    socket: Socket,
    inner: Mutex<Inner>,
    _place: Place,
}

struct Inner {
    bound: bool,
    /// Whether binding is to be finished.
    binding: bool,
    /// Whom datagrams are exchanged with, if it is somebody in particular.
    remote: Option<SocketAddr>,
    /// What went wrong behind the last datagram that was received.
    failed: Option<ErrorCode>,
}

impl Udp {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Receives a datagram, of those that are for the guest.
    fn receive(&self, host: &Host, buffer: &mut [u8]) -> Option<SocketAnswer<IncomingDatagram>> {
        let remote = self.lock().remote;
        for _ in 0..MAX_STRAY {
            match self.socket.receive_from(host, buffer) {
                // One that came before there was somebody in particular.
                Ok((_, whose)) if remote.is_some_and(|remote| remote != whose) => {}
                Ok((len, whose)) => {
                    let data = buffer[..len].to_vec();
                    return Some(Ok(IncomingDatagram { data, remote_address: whose.into() }));
                }
                Err(failure) if would_block(&failure) => return None,
                Err(failure) => return Some(Err(failure.into())),
            }
        }
        None
    }

    /// Sends a datagram.
    fn send(&self, host: &Host, datagram: OutgoingDatagram) -> SocketAnswer {
        let connected = self.lock().remote;
        if datagram.data.len() > MAX_DATAGRAM {
            return Err(Failed::With(ErrorCode::DatagramTooLarge));
        }
        let given = datagram.remote_address.map(SocketAddr::from);
        let good = match (given, connected) {
            (None, connected) => connected.is_some(),
            (Some(given), Some(connected)) => given == connected,
            (Some(given), None) => is_remote(given) && self.socket.family().takes(given.ip()),
        };
        if !good {
            return Err(Failed::With(ErrorCode::InvalidArgument));
        }
        let to = if connected.is_some() { None } else { given };
        Ok(self.socket.send_to(host, &datagram.data, to)?)
    }
}

/// A socket as a resource.
pub(crate) struct UdpSocket {
    udp: Arc<Udp>,
    /// How many of its streams there are.
    streams: Arc<AtomicUsize>,
}

/// That a stream is one of those that there are.
struct Alive(Arc<AtomicUsize>);

impl Alive {
    fn new(count: &Arc<AtomicUsize>) -> Alive {
        count.fetch_add(1, Ordering::Relaxed);
        Alive(count.clone())
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What comes.
pub(crate) struct IncomingDatagramStream {
    udp: Arc<Udp>,
    _alive: Alive,
}

/// What goes.
pub(crate) struct OutgoingDatagramStream {
    udp: Arc<Udp>,
    /// How many may be sent in the next call.
    permitted: usize,
    _alive: Alive,
}

wit_record! {
    /// A datagram that came.
    IncomingDatagram {
        data: Vec<u8> = "data",
        remote_address: IpSocketAddress = "remote-address",
    }
}

wit_record! {
    /// A datagram that is to go.
    OutgoingDatagram {
        data: Vec<u8> = "data",
        remote_address: Option<IpSocketAddress> = "remote-address",
    }
}

/// What waits for datagrams to come, or to be able to go.
struct Ready(Arc<Udp>, Direction);

impl Source for Ready {
    fn interest<'a>(&'a self, _: &'a State) -> Interest<'a> {
        Interest::Descriptor(self.0.socket.as_fd(), self.1)
    }
}

/// What is done at once.
struct Now;

impl Source for Now {
    fn interest<'a>(&'a self, _: &'a State) -> Interest<'a> {
        Interest::Ready
    }
}

interface! {
    /// Defines `wasi:sockets/udp-create-socket`.
    fn define_udp_create_socket = "wasi:sockets/udp-create-socket@0.2.12" {
        "create-udp-socket" = create_udp_socket(family);
    }
}

interface! {
    /// Defines `wasi:sockets/udp`.
    fn define_udp = "wasi:sockets/udp@0.2.12" {
        resource "udp-socket": UdpSocket;
        resource "incoming-datagram-stream": IncomingDatagramStream;
        resource "outgoing-datagram-stream": OutgoingDatagramStream;
        "[method]udp-socket.start-bind" = start_bind(socket, network, address);
        "[method]udp-socket.finish-bind" = finish_bind(socket);
        "[method]udp-socket.stream" = stream(socket, remote);
        "[method]udp-socket.local-address" = local_address(socket);
        "[method]udp-socket.remote-address" = remote_address(socket);
        "[method]udp-socket.address-family" = address_family(socket);
        "[method]udp-socket.unicast-hop-limit" = unicast_hop_limit(socket);
        "[method]udp-socket.set-unicast-hop-limit" = set_unicast_hop_limit(socket, value);
        "[method]udp-socket.receive-buffer-size" = receive_buffer_size(socket);
        "[method]udp-socket.set-receive-buffer-size" = set_receive_buffer_size(socket, value);
        "[method]udp-socket.send-buffer-size" = send_buffer_size(socket);
        "[method]udp-socket.set-send-buffer-size" = set_send_buffer_size(socket, value);
        "[method]udp-socket.subscribe" = subscribe(socket);
        "[method]incoming-datagram-stream.receive" = receive(stream, max);
        "[method]incoming-datagram-stream.subscribe" = subscribe_incoming(stream);
        "[method]outgoing-datagram-stream.check-send" = check_send(stream);
        "[method]outgoing-datagram-stream.send" = send(stream, datagrams);
        "[method]outgoing-datagram-stream.subscribe" = subscribe_outgoing(stream);
    }
}

fn create_udp_socket(
    cx: &mut WasiCtxView<'_>,
    family: IpAddressFamily,
) -> SocketAnswer<Resource<UdpSocket>> {
    let host = &cx.ctx.0.host;
    let place = Place::take(host).map_err(Failed::With)?;
    let socket = Socket::new(host, Kind::Datagram, family.into(), Purpose::Guest)?;
    let inner = Inner { bound: false, binding: false, remote: None, failed: None };
    let udp = Arc::new(Udp { socket, inner: Mutex::new(inner), _place: place });
    Ok(cx.push(UdpSocket { udp, streams: Arc::default() })?)
}

fn start_bind(
    cx: &mut WasiCtxView<'_>,
    socket: Resource<UdpSocket>,
    network: Resource<Network>,
    address: IpSocketAddress,
) -> SocketAnswer {
    cx.table.get(&network)?;
    let udp = &*cx.table.get(&socket)?.udp;
    let mut inner = udp.lock();
    let address = SocketAddr::from(address);
    if inner.binding {
        return Err(Failed::With(ErrorCode::ConcurrencyConflict));
    }
    if inner.bound {
        return Err(Failed::With(ErrorCode::InvalidState));
    }
    if !udp.socket.family().takes(address.ip()) {
        return Err(Failed::With(ErrorCode::InvalidArgument));
    }
    udp.socket.bind(&cx.ctx.0.host, Kind::Datagram, address)?;
    (inner.bound, inner.binding) = (true, true);
    Ok(())
}

fn finish_bind(cx: &mut WasiCtxView<'_>, socket: Resource<UdpSocket>) -> SocketAnswer {
    match std::mem::take(&mut cx.table.get(&socket)?.udp.lock().binding) {
        true => Ok(()),
        false => Err(Failed::With(ErrorCode::NotInProgress)),
    }
}

/// The two streams of a socket.
type Streams = (Resource<IncomingDatagramStream>, Resource<OutgoingDatagramStream>);

fn stream(
    cx: &mut WasiCtxView<'_>,
    socket: Resource<UdpSocket>,
    remote: Option<IpSocketAddress>,
) -> SocketAnswer<Streams> {
    let UdpSocket { udp, streams } = cx.table.get(&socket)?;
    let host = &cx.ctx.0.host;
    if streams.load(Ordering::Relaxed) > 0 {
        let error = "the program wants new streams of a socket whose old ones it has not dropped";
        return Err(Failed::Stop(Error::msg(error)));
    }
    let mut inner = udp.lock();
    if !inner.bound || inner.binding {
        return Err(Failed::With(ErrorCode::InvalidState));
    }
    let remote = remote.map(SocketAddr::from);
    if let Some(remote) = remote
        && !(is_remote(remote) && udp.socket.family().takes(remote.ip()))
    {
        return Err(Failed::With(ErrorCode::InvalidArgument));
    }
    if remote.is_some() || inner.remote.is_some() {
        // What fails may have undone what was.
        inner.remote = None;
        udp.socket.associate(host, remote)?;
        inner.remote = remote;
    }
    drop(inner);
    let incoming = IncomingDatagramStream { udp: udp.clone(), _alive: Alive::new(streams) };
    let outgoing =
        OutgoingDatagramStream { udp: udp.clone(), permitted: 0, _alive: Alive::new(streams) };
    Ok((cx.push_child(incoming, &socket)?, cx.push_child(outgoing, &socket)?))
}

fn local_address(
    cx: &mut WasiCtxView<'_>,
    socket: Resource<UdpSocket>,
) -> SocketAnswer<IpSocketAddress> {
    let udp = &*cx.table.get(&socket)?.udp;
    match udp.lock().bound {
        true => Ok(udp.socket.local(&cx.ctx.0.host)?.into()),
        false => Err(Failed::With(ErrorCode::InvalidState)),
    }
}

fn remote_address(
    cx: &mut WasiCtxView<'_>,
    socket: Resource<UdpSocket>,
) -> SocketAnswer<IpSocketAddress> {
    let remote = cx.table.get(&socket)?.udp.lock().remote;
    remote.map(IpSocketAddress::from).ok_or(Failed::With(ErrorCode::InvalidState))
}

fn address_family(
    cx: &mut WasiCtxView<'_>,
    socket: Resource<UdpSocket>,
) -> Result<(IpAddressFamily,)> {
    Ok((cx.table.get(&socket)?.udp.socket.family().into(),))
}

/// Reads or sets an option.
fn option<T>(
    cx: &mut WasiCtxView<'_>,
    socket: &Resource<UdpSocket>,
    option: impl FnOnce(&Socket, &Host) -> crate::host::Result<T>,
) -> SocketAnswer<T> {
    Ok(option(&cx.table.get(socket)?.udp.socket, &cx.ctx.0.host)?)
}

options! {
    UdpSocket {
        unicast_hop_limit, set_unicast_hop_limit: u8 = hop_limit, set_hop_limit;
        receive_buffer_size, set_receive_buffer_size: u64 = receive_buffer, set_receive_buffer;
        send_buffer_size, set_send_buffer_size: u64 = send_buffer, set_send_buffer;
    }
}

fn subscribe(
    cx: &mut WasiCtxView<'_>,
    socket: Resource<UdpSocket>,
) -> Result<(Resource<Pollable>,)> {
    // Nothing that a socket does itself takes any time.
    Ok((cx.push_child(Pollable(Arc::new(Now)), &socket)?,))
}

fn receive(
    cx: &mut WasiCtxView<'_>,
    stream: Resource<IncomingDatagramStream>,
    max: u64,
) -> SocketAnswer<Vec<IncomingDatagram>> {
    let udp = &*cx.table.get(&stream)?.udp;
    let max = usize::try_from(max).unwrap_or(usize::MAX).min(MAX_DATAGRAMS);
    let (mut datagrams, mut bytes) = (Vec::new(), 0);
    if max == 0 {
        return Ok(datagrams);
    }
    if let Some(failed) = udp.lock().failed.take() {
        return Err(Failed::With(failed));
    }
    let mut buffer = vec![0; MAX_DATAGRAM];
    while datagrams.len() < max && bytes < CHUNK {
        match udp.receive(&cx.ctx.0.host, &mut buffer) {
            None => break,
            Some(Ok(datagram)) => {
                bytes += datagram.data.len() + 1;
                datagrams.push(datagram);
            }
            // What came before it is not lost, and neither is the error.
            Some(Err(Failed::With(error))) if !datagrams.is_empty() => {
                udp.lock().failed = Some(error);
                break;
            }
            Some(Err(failed)) => return Err(failed),
        }
    }
    Ok(datagrams)
}

fn subscribe_incoming(
    cx: &mut WasiCtxView<'_>,
    stream: Resource<IncomingDatagramStream>,
) -> Result<(Resource<Pollable>,)> {
    let source = Ready(cx.table.get(&stream)?.udp.clone(), Direction::Read);
    Ok((cx.push_child(Pollable(Arc::new(source)), &stream)?,))
}

fn check_send(
    cx: &mut WasiCtxView<'_>,
    stream: Resource<OutgoingDatagramStream>,
) -> SocketAnswer<u64> {
    let stream = cx.table.get_mut(&stream)?;
    let fd = stream.udp.socket.as_fd();
    let ready = poll::is_ready(&cx.ctx.0.host, fd, Direction::Write)?;
    stream.permitted = if ready { MAX_DATAGRAMS } else { 0 };
    Ok(stream.permitted as u64)
}

fn send(
    cx: &mut WasiCtxView<'_>,
    stream: Resource<OutgoingDatagramStream>,
    datagrams: Vec<OutgoingDatagram>,
) -> SocketAnswer<u64> {
    let stream = cx.table.get_mut(&stream)?;
    if datagrams.is_empty() {
        return Ok(0);
    }
    let permitted = std::mem::take(&mut stream.permitted);
    if datagrams.len() > permitted {
        let count = datagrams.len();
        return Err(Failed::Stop(Error::msg(format!(
            "'send' was permitted {permitted} datagrams, and not {count}"
        ))));
    }
    let mut sent = 0;
    for datagram in datagrams {
        match stream.udp.send(&cx.ctx.0.host, datagram) {
            Ok(()) => sent += 1,
            Err(Failed::With(ErrorCode::WouldBlock)) => break,
            // The guest sees that it was not sent, and why when it tries again.
            Err(Failed::With(_)) if sent > 0 => break,
            Err(failed) => return Err(failed),
        }
    }
    Ok(sent)
}

fn subscribe_outgoing(
    cx: &mut WasiCtxView<'_>,
    stream: Resource<OutgoingDatagramStream>,
) -> Result<(Resource<Pollable>,)> {
    let source = Ready(cx.table.get(&stream)?.udp.clone(), Direction::Write);
    Ok((cx.push_child(Pollable(Arc::new(source)), &stream)?,))
}
