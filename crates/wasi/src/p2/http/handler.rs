//! `wasi:http/outgoing-handler`: sending requests.

use zwasm_component::Resource;

use super::request::{OutgoingRequest, RequestOptions};
use super::response::FutureIncomingResponse;
use super::types::{ErrorCode, Scheme};
use crate::http::error::Error;
use crate::http::exchange::{Exchange, Timeouts};
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
    let default = Timeouts::default();
    let timeouts = Timeouts {
        connect: options.connect.unwrap_or(default.connect),
        first_byte: options.first_byte.unwrap_or(default.first_byte),
        between_bytes: options.between_bytes.unwrap_or(default.between_bytes),
    };
    let body = request.body.clone();
    let started = checked(request)
        .and_then(|request| Exchange::start(&cx.ctx.0.host, request, body, timeouts));
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
fn checked(request: OutgoingRequest) -> Result<Request, Error> {
    let scheme = match request.scheme {
        Some(Scheme::Http) => HttpScheme::Http,
        Some(Scheme::Https) | None => HttpScheme::Https,
        Some(Scheme::Other(_)) => return Err(Error::Protocol),
    };
    let authority = request.authority.as_deref().and_then(Authority::parse);
    Ok(Request {
        method: Method::new(request.method.name()).ok_or(Error::Method)?,
        scheme,
        authority: authority.ok_or(Error::Target)?,
        target: request.path.unwrap_or_default(),
        headers: request.headers,
    })
}
