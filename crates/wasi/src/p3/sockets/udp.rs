//! Datagrams.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use zwasm::Result;
use zwasm_component::Resource;

use super::error::ErrorCode;
use super::tcp::any_address;
use super::{SocketAnswer, check_positive, options, take_place, wait_for, with};
use crate::WasiCtxView;
use crate::host::Host;
use crate::host::net::address::is_remote;
use crate::host::net::socket::{Kind, Purpose, Socket};
use crate::host::net::tcp::would_block;
use crate::host::net::udp::MAX_DATAGRAM;
use crate::host::poll::Direction;
use crate::p2::sockets::Place;
use crate::p2::sockets::network::{IpAddressFamily, IpSocketAddress};
use crate::p2::table::Failed;
use crate::p3::reactor::Waiting;
use crate::p3::table::{Poller, Store};

/// The datagrams of others that one call throws away before it waits again, at most.
const MAX_STRAY: usize = 1024;

/// A socket as a resource.
pub(crate) struct UdpSocket(Arc<Udp>);

struct Udp {
    socket: Arc<Socket>,
    inner: Mutex<Inner>,
    _place: Place,
}

#[derive(Clone, Copy)]
struct Inner {
    bound: bool,
    /// Whom datagrams are exchanged with, if it is somebody in particular.
    remote: Option<SocketAddr>,
}

/// A datagram, and whose it is.
pub(super) type Datagram = (Vec<u8>, IpSocketAddress);

impl Udp {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Binds it to any address if it is not bound.
    fn bind_implicitly(&self, host: &Host, inner: &mut Inner) -> SocketAnswer {
        if !inner.bound {
            self.socket.bind(host, Kind::Datagram, any_address(self.socket.family()))?;
            inner.bound = true;
        }
        Ok(())
    }

    /// Whom a datagram has to be sent to, or nobody if the system knows.
    fn destination(
        &self,
        host: &Host,
        given: Option<SocketAddr>,
    ) -> SocketAnswer<Option<SocketAddr>> {
        let mut inner = self.lock();
        let good = match (given, inner.remote) {
            (None, remote) => remote.is_some(),
            (Some(given), Some(remote)) => given == remote,
            (Some(given), None) => is_remote(given) && self.socket.family().takes(given.ip()),
        };
        if !good {
            return with(ErrorCode::InvalidArgument);
        }
        self.bind_implicitly(host, &mut inner)?;
        Ok(if inner.remote.is_some() { None } else { given })
    }

    /// Sends a datagram; not if that is not possible yet.
    fn send(&self, host: &Host, data: &[u8], remote: Option<SocketAddr>) -> SocketAnswer<bool> {
        let to = self.destination(host, remote)?;
        if data.len() > MAX_DATAGRAM {
            return with(ErrorCode::DatagramTooLarge);
        }
        match self.socket.send_to(host, data, to) {
            Err(failure) if would_block(&failure) => Ok(false),
            sent => Ok(sent.map(|()| true)?),
        }
    }

    /// Receives a datagram, if there is one.
    fn receive(&self, host: &Host) -> Option<SocketAnswer<Datagram>> {
        let Inner { bound, remote } = *self.lock();
        if !bound {
            return Some(with(ErrorCode::InvalidState));
        }
        let mut buffer = vec![0; MAX_DATAGRAM];
        for _ in 0..MAX_STRAY {
            match self.socket.receive_from(host, &mut buffer) {
                // One that came before there was somebody in particular.
                Ok((_, whose)) if remote.is_some_and(|remote| remote != whose) => {}
                Ok((len, whose)) => return Some(Ok((buffer[..len].to_vec(), whose.into()))),
                Err(failure) if would_block(&failure) => return None,
                Err(failure) => return Some(Err(failure.into())),
            }
        }
        None
    }
}

fn find(store: &mut dyn Store, socket: &Resource<UdpSocket>) -> Result<Arc<Udp>> {
    Ok(store.view().table.get(socket)?.0.clone())
}

pub(super) fn udp_send(
    store: &mut dyn Store,
    socket: Resource<UdpSocket>,
    data: Vec<u8>,
    remote: Option<IpSocketAddress>,
) -> Result<Poller<SocketAnswer>> {
    let udp = find(store, &socket)?;
    let remote = remote.map(SocketAddr::from);
    let mut waiting = Waiting::default();
    Ok(Box::new(move |store, cx| match udp.send(&store.view().ctx.0.host, &data, remote) {
        Ok(false) => {
            wait_for(&mut waiting, store, &udp.socket, Direction::Write, cx);
            Poll::Pending
        }
        Ok(true) => Poll::Ready(Ok(())),
        Err(failed) => Poll::Ready(Err(failed)),
    }))
}

pub(super) fn udp_receive(
    store: &mut dyn Store,
    socket: Resource<UdpSocket>,
) -> Result<Poller<SocketAnswer<Datagram>>> {
    let udp = find(store, &socket)?;
    let mut waiting = Waiting::default();
    Ok(Box::new(move |store, cx| {
        let received = udp.receive(&store.view().ctx.0.host);
        if received.is_none() {
            wait_for(&mut waiting, store, &udp.socket, Direction::Read, cx);
        }
        received.map_or(Poll::Pending, Poll::Ready)
    }))
}

pub(super) fn udp_create(
    cx: &mut WasiCtxView<'_>,
    family: IpAddressFamily,
) -> SocketAnswer<Resource<UdpSocket>> {
    let host = &cx.ctx.0.host;
    let place = take_place(host)?;
    let socket = Socket::new(host, Kind::Datagram, family.into(), Purpose::Guest)?;
    let inner = Mutex::new(Inner { bound: false, remote: None });
    Ok(cx.push(UdpSocket(Arc::new(Udp { socket: Arc::new(socket), inner, _place: place })))?)
}

pub(super) fn udp_bind(
    cx: &mut WasiCtxView<'_>,
    socket: Resource<UdpSocket>,
    address: IpSocketAddress,
) -> SocketAnswer {
    let udp = &*cx.table.get(&socket)?.0;
    let mut inner = udp.lock();
    let address = SocketAddr::from(address);
    if !udp.socket.family().takes(address.ip()) {
        return with(ErrorCode::InvalidArgument);
    }
    if inner.bound {
        return with(ErrorCode::InvalidState);
    }
    udp.socket.bind(&cx.ctx.0.host, Kind::Datagram, address)?;
    inner.bound = true;
    Ok(())
}

pub(super) fn udp_connect(
    cx: &mut WasiCtxView<'_>,
    socket: Resource<UdpSocket>,
    address: IpSocketAddress,
) -> SocketAnswer {
    let udp = &*cx.table.get(&socket)?.0;
    let host = &cx.ctx.0.host;
    let remote = SocketAddr::from(address);
    if !is_remote(remote) || !udp.socket.family().takes(remote.ip()) {
        return with(ErrorCode::InvalidArgument);
    }
    let mut inner = udp.lock();
    udp.bind_implicitly(host, &mut inner)?;
    // What fails may have undone what was.
    inner.remote = None;
    udp.socket.associate(host, Some(remote))?;
    inner.remote = Some(remote);
    Ok(())
}

pub(super) fn udp_disconnect(
    cx: &mut WasiCtxView<'_>,
    socket: Resource<UdpSocket>,
) -> SocketAnswer {
    let udp = &*cx.table.get(&socket)?.0;
    let mut inner = udp.lock();
    if inner.remote.is_none() {
        return with(ErrorCode::InvalidState);
    }
    udp.socket.associate(&cx.ctx.0.host, None)?;
    inner.remote = None;
    Ok(())
}

pub(super) fn udp_local(
    cx: &mut WasiCtxView<'_>,
    socket: Resource<UdpSocket>,
) -> SocketAnswer<IpSocketAddress> {
    let udp = &*cx.table.get(&socket)?.0;
    if !udp.lock().bound {
        return with(ErrorCode::InvalidState);
    }
    Ok(udp.socket.local(&cx.ctx.0.host)?.into())
}

pub(super) fn udp_remote(
    cx: &mut WasiCtxView<'_>,
    socket: Resource<UdpSocket>,
) -> SocketAnswer<IpSocketAddress> {
    let remote = cx.table.get(&socket)?.0.lock().remote;
    remote.map(IpSocketAddress::from).ok_or(Failed::With(ErrorCode::InvalidState))
}

pub(super) fn udp_family(
    cx: &mut WasiCtxView<'_>,
    socket: Resource<UdpSocket>,
) -> Result<(IpAddressFamily,)> {
    Ok((cx.table.get(&socket)?.0.socket.family().into(),))
}

/// Reads or sets an option.
fn option<V>(
    cx: &mut WasiCtxView<'_>,
    socket: &Resource<UdpSocket>,
    option: impl FnOnce(&Socket, &Host) -> crate::host::Result<V>,
) -> SocketAnswer<V> {
    Ok(option(&cx.table.get(socket)?.0.socket, &cx.ctx.0.host)?)
}

options! {
    UdpSocket {
        udp_hop_limit, set_udp_hop_limit: u8 = hop_limit, set_hop_limit;
        udp_receive_buffer, set_udp_receive_buffer: u64 = receive_buffer, set_receive_buffer;
        udp_send_buffer, set_udp_send_buffer: u64 = send_buffer, set_send_buffer;
    }
}
