//! Responses: those that a guest gets and those that it gives.

use std::sync::Arc;

use zwasm::Result;
use zwasm_component::Resource;

use super::body::{Attempt, IncomingBody, Later, Message, OutgoingBody, Wanted};
use super::fields::{Headers, no_room};
use super::types::ErrorCode;
use crate::http::body::Outlet;
use crate::http::exchange::Exchange;
use crate::http::fields::Fields;
use crate::http::flow::Want;
use crate::p2::WasiCtxView;
use crate::p2::io::poll::Pollable;
use crate::p2::table::{Answer, Failed, stop};

/// A response that has come.
pub(crate) struct IncomingResponse {
    status: u16,
    headers: Fields,
    body: Option<IncomingBody>,
}

pub(super) fn status(
    cx: &mut WasiCtxView<'_>,
    response: Resource<IncomingResponse>,
) -> Result<(u16,)> {
    Ok((cx.table.get(&response)?.status,))
}

pub(super) fn incoming_response_headers(
    cx: &mut WasiCtxView<'_>,
    response: Resource<IncomingResponse>,
) -> Result<(Resource<Headers>,)> {
    let headers = Headers::of(&cx.table.get(&response)?.headers);
    Ok((cx.push(headers)?,))
}

pub(super) fn consume_response(
    cx: &mut WasiCtxView<'_>,
    response: Resource<IncomingResponse>,
) -> Attempt<Resource<IncomingBody>> {
    let body = cx.table.get_mut(&response)?.body.take().ok_or(Failed::With(()))?;
    Ok(cx.push(body)?)
}

/// A response that may come.
pub(crate) struct FutureIncomingResponse {
    exchange: Arc<Exchange>,
    /// Whether the guest has got it.
    taken: bool,
}

impl FutureIncomingResponse {
    pub(super) fn new(exchange: Arc<Exchange>) -> FutureIncomingResponse {
        FutureIncomingResponse { exchange, taken: false }
    }
}

pub(super) fn subscribe_response(
    cx: &mut WasiCtxView<'_>,
    response: Resource<FutureIncomingResponse>,
) -> Result<(Resource<Pollable>,)> {
    let exchange = cx.table.get(&response)?.exchange.clone();
    let source = Wanted(exchange, Want::Head);
    Ok((cx.push_child(Pollable(Arc::new(source)), &response)?,))
}

pub(super) fn get_response(
    cx: &mut WasiCtxView<'_>,
    response: Resource<FutureIncomingResponse>,
) -> Result<(Later<Resource<IncomingResponse>>,)> {
    let future = cx.table.get_mut(&response)?;
    if future.taken {
        return Ok((Some(Err(())),));
    }
    let answer = future.exchange.response(&cx.ctx.0.host);
    let Some(result) = answer.map_err(|failure| stop(failure, "receive"))? else {
        return Ok((None,));
    };
    future.taken = true;
    let body = Some(IncomingBody::new(future.exchange.clone()));
    Ok((Some(Ok(match result {
        Ok(response) => Ok(cx.push(IncomingResponse {
            status: response.status,
            headers: response.headers,
            body,
        })?),
        Err(error) => Err(ErrorCode::from(&error)),
    })),))
}

/// A response to give.
pub(crate) struct OutgoingResponse {
    pub(super) status: u16,
    pub(super) headers: Fields,
    pub(super) body: Option<Arc<Outlet>>,
}

pub(super) fn new_response(
    cx: &mut WasiCtxView<'_>,
    headers: Resource<Headers>,
) -> Result<(Resource<OutgoingResponse>,)> {
    let headers = cx.table.delete(headers)?.fields;
    Ok((cx.push(OutgoingResponse { status: 200, headers, body: None })?,))
}

pub(super) fn status_code(
    cx: &mut WasiCtxView<'_>,
    response: Resource<OutgoingResponse>,
) -> Result<(u16,)> {
    Ok((cx.table.get(&response)?.status,))
}

pub(super) fn set_status_code(
    cx: &mut WasiCtxView<'_>,
    response: Resource<OutgoingResponse>,
    status: u16,
) -> Attempt {
    if !matches!(status, 100..=999) {
        return Err(Failed::With(()));
    }
    cx.table.get_mut(&response)?.status = status;
    Ok(())
}

pub(super) fn response_headers(
    cx: &mut WasiCtxView<'_>,
    response: Resource<OutgoingResponse>,
) -> Result<(Resource<Headers>,)> {
    let headers = Headers::of(&cx.table.get(&response)?.headers);
    Ok((cx.push(headers)?,))
}

pub(super) fn response_body(
    cx: &mut WasiCtxView<'_>,
    response: Resource<OutgoingResponse>,
) -> Attempt<Resource<OutgoingBody>> {
    let outgoing = cx.table.get_mut(&response)?;
    if outgoing.body.is_some() {
        return Err(Failed::With(()));
    }
    let length = outgoing.headers.content_length();
    let outlet = Outlet::new(&cx.ctx.0.host.budget, length).ok_or_else(no_room)?;
    outgoing.body = Some(outlet.clone());
    Ok(cx.push(OutgoingBody::new(outlet, Message::Response))?)
}

/// Takes the response to a request, or why there is none.
pub(super) type Respond = dyn FnOnce(std::result::Result<OutgoingResponse, ErrorCode>) + Send;

/// Where the response to a request goes.
pub(crate) struct ResponseOutparam(pub(super) Box<Respond>);

pub(super) fn set_response(
    cx: &mut WasiCtxView<'_>,
    to: Resource<ResponseOutparam>,
    response: std::result::Result<Resource<OutgoingResponse>, ErrorCode>,
) -> Result<()> {
    let response = match response {
        Ok(response) => Ok(cx.table.delete(response)?),
        Err(error) => Err(error),
    };
    (cx.table.delete(to)?.0)(response);
    Ok(())
}

pub(super) fn send_informational(
    cx: &mut WasiCtxView<'_>,
    to: Resource<ResponseOutparam>,
    status: u16,
    headers: Resource<Headers>,
) -> Answer<(), ErrorCode> {
    cx.table.get(&to)?;
    cx.table.delete(headers)?;
    Err(Failed::With(match status {
        100..=199 => {
            ErrorCode::InternalError(Some(String::from("provisional responses are not supported")))
        }
        _ => ErrorCode::HttpProtocolError,
    }))
}
