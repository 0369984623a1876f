//! Looking names up.

use std::net::IpAddr;
use std::sync::Arc;
use std::task::Poll;

use zwasm::{Result, Trap};

use crate::ctx::State;
use crate::host::net::domain::HostName;
use crate::host::net::lookup::Lookup;
use crate::host::net::socket::Purpose;
use crate::host::poll::Need;
use crate::host::{Failure, Host};
use crate::p2::io::poll::{Interest, Source};
use crate::p2::sockets::network::IpAddress;
use crate::p2::table::{Answer, Failed};
use crate::p2::wit::wit_variant;
use crate::p3::reactor::Waiting;
use crate::p3::table::{Poller, Store, interface};

wit_variant! {
    /// Why a name has no addresses.
    ErrorCode {
        AccessDenied = "access-denied",
        InvalidArgument = "invalid-argument",
        NameUnresolvable = "name-unresolvable",
        TemporaryResolverFailure = "temporary-resolver-failure",
        PermanentResolverFailure = "permanent-resolver-failure",
        Other(message: Option<String>) = "other",
    }
}

interface! {
    /// Defines `wasi:sockets/ip-name-lookup`.
    fn define_ip_name_lookup = "wasi:sockets/ip-name-lookup@0.3.0" {
        "resolve-addresses" as wait = resolve_addresses(name);
    }
}

/// What becomes ready when a name is looked up.
struct Known(Lookup);

impl Source for Known {
    fn interest<'a>(&'a self, _: &'a State) -> Interest<'a> {
        match self.0.addresses() {
            Some(_) => Interest::Ready,
            None => Interest::Any(vec![Need::Lookup(self.0.clone())]),
        }
    }
}

fn begin(host: &Host, name: &str) -> Answer<Lookup, ErrorCode> {
    // A name that is none is asked for without leave, too, and refused as any other.
    let parsed = HostName::parse(name);
    let unknown = HostName::Address(IpAddr::from([0; 4]));
    let asked = parsed.as_ref().unwrap_or(&unknown);
    match host.network.resolver.look_up(host, asked, Purpose::Guest) {
        Ok(lookup) if parsed.is_some() => Ok(lookup),
        Ok(_) => Err(Failed::With(ErrorCode::InvalidArgument)),
        Err(Failure::Refused) => Err(Failed::With(ErrorCode::AccessDenied)),
        Err(Failure::Interrupted) => Err(Failed::Stop(Trap::Interrupt.into())),
        Err(Failure::System(error)) => Err(Failed::With(ErrorCode::Other(Some(error.to_string())))),
    }
}

fn resolve_addresses(
    store: &mut dyn Store,
    name: String,
) -> Result<Poller<Answer<Vec<IpAddress>, ErrorCode>>> {
    let mut begun = Some(begin(&store.view().ctx.0.host, &name));
    let mut waiting = Waiting::default();
    Ok(Box::new(move |store, cx| {
        let lookup = match begun.take() {
            Some(Ok(lookup)) => lookup,
            Some(Err(failed)) => return Poll::Ready(Err(failed)),
            None => return Poll::Pending,
        };
        match lookup.addresses() {
            None => {
                waiting.on(store, Arc::new(Known(lookup.clone())), cx);
                begun = Some(Ok(lookup));
                Poll::Pending
            }
            Some(Ok(addresses)) if !addresses.is_empty() => {
                Poll::Ready(Ok(addresses.iter().map(|ip| IpAddress::from(*ip)).collect()))
            }
            // Systems do not say in a way that could be understood what kind of failure it is.
            Some(_) => Poll::Ready(Err(Failed::With(ErrorCode::NameUnresolvable))),
        }
    }))
}
