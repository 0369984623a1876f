//! TCP: what a socket is at a time, and its functions.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use zwasm::Result;
use zwasm_component::{FutureReader, Resource, StreamReader, future_in, stream_in};

use super::error::ErrorCode;
use super::transfer::{Accepting, Ending, Receiving, Sending};
use super::{SocketAnswer, check_positive, options, take_place, wait_for, with};
use crate::WasiCtxView;
use crate::host::Host;
use crate::host::net::address::{Family, is_remote, is_unicast};
use crate::host::net::socket::{Kind, Purpose, Socket};
use crate::host::net::tcp::would_block;
use crate::host::poll::Direction;
use crate::p2::sockets::Place;
use crate::p2::sockets::network::{IpAddressFamily, IpSocketAddress};
use crate::p2::table::Failed;
use crate::p3::pump::resolve;
use crate::p3::reactor::Waiting;
use crate::p3::table::{Poller, Store};

/// The connections that wait to be accepted, unless the guest says otherwise.
const BACKLOG: i32 = 128;

/// A socket as a resource.
pub(crate) struct TcpSocket(pub(super) Arc<Tcp>);

/// A socket. Its streams have it, too, and it is closed when none has it any more.
pub(super) struct Tcp {
    pub(super) socket: Arc<Socket>,
    inner: Mutex<Inner>,
    _place: Place,
}

struct Inner {
    stage: Stage,
    backlog: i32,
    /// Whether it was asked to send or receive, which it is once at most.
    sends: bool,
    receives: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    Unbound,
    Bound,
    Listening,
    Connecting,
    Connected,
    /// Connecting failed, and nothing becomes of it any more.
    Closed,
}

impl Tcp {
    fn new(socket: Socket, stage: Stage, place: Place) -> Tcp {
        let inner = Inner { stage, backlog: BACKLOG, sends: false, receives: false };
        Tcp { socket: Arc::new(socket), inner: Mutex::new(inner), _place: place }
    }

    /// A connection that was accepted.
    pub(super) fn accepted(socket: Socket, place: Place) -> Tcp {
        Tcp::new(socket, Stage::Connected, place)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The socket that a resource of a store stands for.
fn find(store: &mut dyn Store, socket: &Resource<TcpSocket>) -> Result<Arc<Tcp>> {
    Ok(store.view().table.get(socket)?.0.clone())
}

pub(super) fn tcp_create(
    cx: &mut WasiCtxView<'_>,
    family: IpAddressFamily,
) -> SocketAnswer<Resource<TcpSocket>> {
    let host = &cx.ctx.0.host;
    let place = take_place(host)?;
    let socket = Socket::new(host, Kind::Stream, family.into(), Purpose::Guest)?;
    Ok(cx.push(TcpSocket(Arc::new(Tcp::new(socket, Stage::Unbound, place))))?)
}

fn bind(tcp: &Tcp, host: &Host, address: SocketAddr) -> SocketAnswer {
    let mut inner = tcp.lock();
    if !is_unicast(address.ip()) || !tcp.socket.family().takes(address.ip()) {
        return with(ErrorCode::InvalidArgument);
    }
    if inner.stage != Stage::Unbound {
        return with(ErrorCode::InvalidState);
    }
    tcp.socket.bind(host, Kind::Stream, address)?;
    inner.stage = Stage::Bound;
    Ok(())
}

pub(super) fn tcp_bind(
    store: &mut dyn Store,
    socket: Resource<TcpSocket>,
    address: IpSocketAddress,
) -> SocketAnswer {
    let tcp = find(store, &socket)?;
    let address = SocketAddr::from(address);
    let state = store.view().ctx.0.clone();
    match bind(&tcp, &state.host, address) {
        // What has it may be a listener whose stream was just dropped.
        Err(Failed::With(ErrorCode::AddressInUse)) if state.listeners.release(store)? => {
            bind(&tcp, &state.host, address)
        }
        answer => answer,
    }
}

/// Any address of a family, with a port that the system chooses.
pub(super) fn any_address(family: Family) -> SocketAddr {
    let ip = match family {
        Family::V4 => IpAddr::from(Ipv4Addr::UNSPECIFIED),
        Family::V6 => IpAddr::from(Ipv6Addr::UNSPECIFIED),
    };
    SocketAddr::new(ip, 0)
}

/// A socket that connects. If the guest does not wait for it, it is of no use any more.
struct Connecting(Arc<Tcp>);

impl Connecting {
    fn begin(tcp: Arc<Tcp>, host: &Host, address: SocketAddr) -> SocketAnswer<Connecting> {
        let takes = tcp.socket.family().takes(address.ip());
        if !is_unicast(address.ip()) || !is_remote(address) || !takes {
            return with(ErrorCode::InvalidArgument);
        }
        let mut inner = tcp.lock();
        if !matches!(inner.stage, Stage::Unbound | Stage::Bound) {
            return with(ErrorCode::InvalidState);
        }
        inner.stage = Stage::Connecting;
        drop(inner);
        let connecting = Connecting(tcp);
        connecting.0.socket.start_connect(host, address)?;
        Ok(connecting)
    }

    fn poll(
        &self,
        store: &mut dyn Store,
        waiting: &mut Waiting,
        cx: &mut Context<'_>,
    ) -> Poll<SocketAnswer> {
        let finished = self.0.socket.finish_connect(&store.view().ctx.0.host);
        match finished {
            Ok(()) => {
                self.0.lock().stage = Stage::Connected;
                Poll::Ready(Ok(()))
            }
            Err(failure) if would_block(&failure) => {
                wait_for(waiting, store, &self.0.socket, Direction::Write, cx);
                Poll::Pending
            }
            Err(failure) => Poll::Ready(Err(failure.into())),
        }
    }
}

impl Drop for Connecting {
    fn drop(&mut self) {
        let mut inner = self.0.lock();
        if inner.stage == Stage::Connecting {
            inner.stage = Stage::Closed;
        }
    }
}

pub(super) fn tcp_connect(
    store: &mut dyn Store,
    socket: Resource<TcpSocket>,
    address: IpSocketAddress,
) -> Result<Poller<SocketAnswer>> {
    let tcp = find(store, &socket)?;
    let mut begun = Some(Connecting::begin(tcp, &store.view().ctx.0.host, address.into()));
    let mut connecting = None;
    let mut waiting = Waiting::default();
    Ok(Box::new(move |store, cx| {
        match begun.take() {
            Some(Ok(begun)) => connecting = Some(begun),
            Some(Err(failed)) => return Poll::Ready(Err(failed)),
            None => {}
        }
        match &connecting {
            Some(connecting) => connecting.poll(store, &mut waiting, cx),
            None => Poll::Ready(with(ErrorCode::InvalidState)),
        }
    }))
}

fn begin_listening(tcp: &Tcp, host: &Host) -> SocketAnswer {
    let mut inner = tcp.lock();
    match inner.stage {
        Stage::Unbound => {
            tcp.socket.bind(host, Kind::Stream, any_address(tcp.socket.family()))?;
            inner.stage = Stage::Bound;
        }
        Stage::Bound => {}
        Stage::Listening | Stage::Connecting | Stage::Connected | Stage::Closed => {
            return with(ErrorCode::InvalidState);
        }
    }
    tcp.socket.listen(host, inner.backlog)?;
    inner.stage = Stage::Listening;
    Ok(())
}

pub(super) fn listen(
    store: &mut dyn Store,
    socket: Resource<TcpSocket>,
) -> SocketAnswer<StreamReader<Resource<TcpSocket>>> {
    let tcp = find(store, &socket)?;
    begin_listening(&tcp, &store.view().ctx.0.host)?;
    let (writer, reader) = stream_in(store.access())?;
    let accepting = store.view().ctx.0.listeners.add(Accepting::new(tcp, writer));
    store.spawn(Box::new(move |store, cx| accepting.lock().poll(store, cx)))?;
    Ok(reader)
}

/// Notes that a connection is used in one of its directions, if it is one and was not yet.
fn claim(tcp: &Tcp, direction: impl FnOnce(&mut Inner) -> &mut bool) -> bool {
    let mut inner = tcp.lock();
    inner.stage == Stage::Connected && !std::mem::replace(direction(&mut inner), true)
}

pub(super) fn tcp_send(
    store: &mut dyn Store,
    socket: Resource<TcpSocket>,
    data: StreamReader<u8>,
) -> Result<(FutureReader<Ending>,)> {
    let tcp = find(store, &socket)?;
    let (writer, reader) = future_in(store.access())?;
    if claim(&tcp, |inner| &mut inner.sends) {
        let mut sending = Sending::new(tcp, data, writer);
        store.spawn(Box::new(move |store, cx| sending.poll(store, cx)))?;
    } else {
        data.any().close_in(store.access())?;
        resolve(store, writer, Err(ErrorCode::InvalidState))?;
    }
    Ok((reader,))
}

/// What a connection receives, and how that ended.
type Received = (StreamReader<u8>, FutureReader<Ending>);

pub(super) fn tcp_receive(
    store: &mut dyn Store,
    socket: Resource<TcpSocket>,
) -> Result<(Received,)> {
    let tcp = find(store, &socket)?;
    let (data, data_reader) = stream_in::<u8>(store.access())?;
    let (writer, reader) = future_in(store.access())?;
    if claim(&tcp, |inner| &mut inner.receives) {
        let mut receiving = Receiving::new(tcp, data, writer);
        store.spawn(Box::new(move |store, cx| receiving.poll(store, cx)))?;
    } else {
        data.close_in(store.access())?;
        resolve(store, writer, Err(ErrorCode::InvalidState))?;
    }
    Ok(((data_reader, reader),))
}

pub(super) fn tcp_local(
    cx: &mut WasiCtxView<'_>,
    socket: Resource<TcpSocket>,
) -> SocketAnswer<IpSocketAddress> {
    let tcp = &*cx.table.get(&socket)?.0;
    let stage = tcp.lock().stage;
    match stage {
        Stage::Unbound | Stage::Closed => with(ErrorCode::InvalidState),
        Stage::Bound | Stage::Listening | Stage::Connecting | Stage::Connected => {
            Ok(tcp.socket.local(&cx.ctx.0.host)?.into())
        }
    }
}

pub(super) fn tcp_remote(
    cx: &mut WasiCtxView<'_>,
    socket: Resource<TcpSocket>,
) -> SocketAnswer<IpSocketAddress> {
    let tcp = &*cx.table.get(&socket)?.0;
    if tcp.lock().stage != Stage::Connected {
        return with(ErrorCode::InvalidState);
    }
    Ok(tcp.socket.remote(&cx.ctx.0.host)?.into())
}

pub(super) fn is_listening(
    cx: &mut WasiCtxView<'_>,
    socket: Resource<TcpSocket>,
) -> Result<(bool,)> {
    Ok((cx.table.get(&socket)?.0.lock().stage == Stage::Listening,))
}

pub(super) fn tcp_family(
    cx: &mut WasiCtxView<'_>,
    socket: Resource<TcpSocket>,
) -> Result<(IpAddressFamily,)> {
    Ok((cx.table.get(&socket)?.0.socket.family().into(),))
}

pub(super) fn set_backlog(
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
                Err(Failed::With(ErrorCode::AccessDenied)) => {
                    return with(ErrorCode::AccessDenied);
                }
                Err(Failed::With(_)) => return with(ErrorCode::NotSupported),
                Err(failed) => return Err(failed),
            }
        }
        Stage::Connecting | Stage::Connected | Stage::Closed => {
            return with(ErrorCode::InvalidState);
        }
    }
    inner.backlog = backlog;
    Ok(())
}

/// Reads or sets an option, which is not possible in all stages.
fn option<V>(
    cx: &mut WasiCtxView<'_>,
    socket: &Resource<TcpSocket>,
    option: impl FnOnce(&Socket, &Host) -> crate::host::Result<V>,
) -> SocketAnswer<V> {
    let tcp = &*cx.table.get(socket)?.0;
    if tcp.lock().stage == Stage::Closed {
        return with(ErrorCode::InvalidState);
    }
    Ok(option(&tcp.socket, &cx.ctx.0.host)?)
}

pub(super) fn keep_alive(
    cx: &mut WasiCtxView<'_>,
    socket: Resource<TcpSocket>,
) -> SocketAnswer<bool> {
    option(cx, &socket, Socket::keep_alive)
}

pub(super) fn set_keep_alive(
    cx: &mut WasiCtxView<'_>,
    socket: Resource<TcpSocket>,
    value: bool,
) -> SocketAnswer {
    option(cx, &socket, |socket, host| socket.set_keep_alive(host, value))
}

options! {
    TcpSocket {
        keep_alive_idle, set_keep_alive_idle: u64 = keep_alive_idle, set_keep_alive_idle;
        keep_alive_interval, set_keep_alive_interval: u64 = keep_alive_interval, set_keep_alive_interval;
        keep_alive_count, set_keep_alive_count: u32 = keep_alive_count, set_keep_alive_count;
        tcp_hop_limit, set_tcp_hop_limit: u8 = hop_limit, set_hop_limit;
        tcp_receive_buffer, set_tcp_receive_buffer: u64 = receive_buffer, set_receive_buffer;
        tcp_send_buffer, set_tcp_send_buffer: u64 = send_buffer, set_send_buffer;
    }
}
