//! Looking names up.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use zwasm::{Result, Trap};
use zwasm_component::Resource;

use super::SocketAnswer;
use super::network::{ErrorCode, IpAddress, Network};
use crate::ctx::State;
use crate::host::Failure;
use crate::host::net::domain::HostName;
use crate::host::net::lookup::Lookup;
use crate::host::net::socket::Purpose;
use crate::host::poll::Need;
use crate::p2::WasiCtxView;
use crate::p2::io::poll::{Interest, Pollable, Source};
use crate::p2::table::{Failed, interface};

/// The addresses of a name, one after the other.
struct Addresses {
    lookup: Lookup,
    /// How many were given.
    given: AtomicUsize,
}

/// The same as a resource.
pub(crate) struct ResolveAddressStream(Arc<Addresses>);

impl Source for Addresses {
    fn interest<'a>(&'a self, _: &'a State) -> Interest<'a> {
        match self.lookup.addresses() {
            Some(_) => Interest::Ready,
            None => Interest::Any(vec![Need::Lookup(self.lookup.clone())]),
        }
    }
}

interface! {
    /// Defines `wasi:sockets/ip-name-lookup`.
    fn define_ip_name_lookup = "wasi:sockets/ip-name-lookup@0.2.12" {
        resource "resolve-address-stream": ResolveAddressStream;
        "resolve-addresses" = resolve_addresses(network, name);
        "[method]resolve-address-stream.resolve-next-address" = resolve_next_address(stream);
        "[method]resolve-address-stream.subscribe" = subscribe(stream);
    }
}

fn resolve_addresses(
    cx: &mut WasiCtxView<'_>,
    network: Resource<Network>,
    name: String,
) -> SocketAnswer<Resource<ResolveAddressStream>> {
    cx.table.get(&network)?;
    let host = &cx.ctx.0.host;
    // A name that is none is asked for without leave, too, and refused as any other.
    let parsed = HostName::parse(&name);
    let unknown = HostName::Address(IpAddr::from([0; 4]));
    let asked = parsed.as_ref().unwrap_or(&unknown);
    let lookup = match host.network.resolver.look_up(host, asked, Purpose::Guest) {
        Ok(lookup) => lookup,
        // To a guest that may not ask, the resolver is one that never works.
        Err(Failure::Refused) => {
            return Err(Failed::With(ErrorCode::PermanentResolverFailure));
        }
        Err(Failure::Interrupted) => return Err(Failed::Stop(Trap::Interrupt.into())),
        Err(Failure::System(error)) => return Err(Failed::With(ErrorCode::from(&error))),
    };
    if parsed.is_none() {
        return Err(Failed::With(ErrorCode::InvalidArgument));
    }
    let addresses = Addresses { lookup, given: AtomicUsize::new(0) };
    Ok(cx.push(ResolveAddressStream(Arc::new(addresses)))?)
}

fn resolve_next_address(
    cx: &mut WasiCtxView<'_>,
    stream: Resource<ResolveAddressStream>,
) -> SocketAnswer<Option<IpAddress>> {
    let Addresses { lookup, given } = &*cx.table.get(&stream)?.0;
    match lookup.addresses() {
        None => Err(Failed::With(ErrorCode::WouldBlock)),
        // Systems do not say in a way that could be understood what kind of failure it is.
        Some(Err(_)) => Err(Failed::With(ErrorCode::NameUnresolvable)),
        Some(Ok(addresses)) => match addresses.get(given.load(Ordering::Relaxed)) {
            Some(address) => {
                given.fetch_add(1, Ordering::Relaxed);
                Ok(Some((*address).into()))
            }
            None => Ok(None),
        },
    }
}

fn subscribe(
    cx: &mut WasiCtxView<'_>,
    stream: Resource<ResolveAddressStream>,
) -> Result<(Resource<Pollable>,)> {
    let source: Arc<dyn Source> = cx.table.get(&stream)?.0.clone();
    Ok((cx.push_child(Pollable(source), &stream)?,))
}
