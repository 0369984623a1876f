//! `wasi:http/outgoing-handler`: sending requests.

use zwasm_component::Resource;

use super::request::{OutgoingRequest, RequestOptions};
use super::response::FutureIncomingResponse;
use super::types::{ErrorCode, Method as GuestMethod, Scheme};
use crate::http::error::Error;
use crate::http::exchange::Exchange;
use crate::http::fields::Fields;
use crate::http::flow::Flow;
use crate::http::request::{Authority, Method, Request, Scheme as HttpScheme};
use crate::p2::WasiCtxView;
use crate::p2::table::{Answer, Failed, interface, stop};

interface! {
    /// Defines `wasi:http/outgoing-handler`.
    fn define_outgoing_handler = "wasi:http/outgoing-handler@0.2.12" {
        "handle" = handle(request, options);
    }
}

fn handle(
    cx: &mut WasiCtxView<'_>,
    request: Resource<OutgoingRequest>,
    options: Option<Resource<RequestOptions>>,
) -> Answer<Resource<FutureIncomingResponse>, ErrorCode> {
    let request = cx.table.delete(request)?;
    let options = match options {
        Some(options) => cx.table.delete(options)?,
        None => RequestOptions::default(),
    };
    let OutgoingRequest { method, scheme, authority, path, headers, body, .. } = request;
    let started = checked(&method, scheme.as_ref(), authority.as_deref(), path, headers)
        .and_then(|request| Exchange::start(&cx.ctx.0.host, request, body, options.timeouts()));
    match started {
        Ok(exchange) => {
            // It is under way before the guest waits for it.
            exchange.push(&cx.ctx.0.host).map_err(|failure| stop(failure, "send"))?;
            Ok(cx.push(FutureIncomingResponse::new(exchange))?)
        }
        Err(error) => Err(Failed::With(ErrorCode::from(&error))),
    }
}

/// A request as it is sent. One that does not say how to talk to the other side does so
/// in secret.
pub(crate) fn checked(
    method: &GuestMethod,
    scheme: Option<&Scheme>,
    authority: Option<&str>,
    path: Option<String>,
    headers: Fields,
) -> Result<Request, Error> {
    let scheme = match scheme {
        Some(Scheme::Http) => HttpScheme::Http,
        Some(Scheme::Https) | None => HttpScheme::Https,
        Some(Scheme::Other(_)) => return Err(Error::Protocol),
    };
    Ok(Request {
        method: Method::new(method.name()).ok_or(Error::Method)?,
        scheme,
        authority: authority.and_then(Authority::parse).ok_or(Error::Target)?,
        target: path.unwrap_or_default(),
        headers,
    })
}
