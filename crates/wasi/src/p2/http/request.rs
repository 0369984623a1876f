//! Requests: those that a guest sends and those that it answers.

use std::sync::Arc;

use zwasm::Result;
use zwasm_component::Resource;

use super::body::{Attempt, IncomingBody, Message, OutgoingBody};
use super::fields::{Headers, no_room};
use super::types::{Method, Scheme};
use crate::host::budget::Share;
use crate::http::MAX_TARGET;
use crate::http::body::Outlet;
use crate::http::exchange::Timeouts;
use crate::http::fields::Fields;
use crate::http::request::{Authority, Method as HttpMethod, is_scheme, is_target};
use crate::p2::WasiCtxView;
use crate::p2::table::Failed;

/// A request to answer.
pub(crate) struct IncomingRequest {
    pub(crate) method: Method,
    pub(crate) path: Option<String>,
    pub(crate) scheme: Option<Scheme>,
    pub(crate) authority: Option<String>,
    pub(crate) headers: Fields,
    pub(crate) body: Option<IncomingBody>,
}

pub(crate) fn incoming_method(
    cx: &mut WasiCtxView<'_>,
    request: Resource<IncomingRequest>,
) -> Result<(Method,)> {
    Ok((cx.table.get(&request)?.method.clone(),))
}

pub(crate) fn incoming_path(
    cx: &mut WasiCtxView<'_>,
    request: Resource<IncomingRequest>,
) -> Result<(Option<String>,)> {
    Ok((cx.table.get(&request)?.path.clone(),))
}

pub(crate) fn incoming_scheme(
    cx: &mut WasiCtxView<'_>,
    request: Resource<IncomingRequest>,
) -> Result<(Option<Scheme>,)> {
    Ok((cx.table.get(&request)?.scheme.clone(),))
}

pub(crate) fn incoming_authority(
    cx: &mut WasiCtxView<'_>,
    request: Resource<IncomingRequest>,
) -> Result<(Option<String>,)> {
    Ok((cx.table.get(&request)?.authority.clone(),))
}

pub(crate) fn incoming_request_headers(
    cx: &mut WasiCtxView<'_>,
    request: Resource<IncomingRequest>,
) -> Result<(Resource<Headers>,)> {
    let headers = Headers::of(&cx.table.get(&request)?.headers);
    Ok((cx.push(headers)?,))
}

pub(crate) fn consume_request(
    cx: &mut WasiCtxView<'_>,
    request: Resource<IncomingRequest>,
) -> Attempt<Resource<IncomingBody>> {
    let body = cx.table.get_mut(&request)?.body.take().ok_or(Failed::With(()))?;
    Ok(cx.push(body)?)
}

/// A request to send.
pub(crate) struct OutgoingRequest {
    pub(crate) method: Method,
    pub(crate) path: Option<String>,
    pub(crate) scheme: Option<Scheme>,
    pub(crate) authority: Option<String>,
    pub(crate) headers: Fields,
    pub(crate) body: Option<Arc<Outlet>>,
    /// What its texts take.
    share: Share,
}

impl OutgoingRequest {
    /// Checks that there is room for what was set.
    fn settle(&mut self) -> Result<()> {
        let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let scheme = match &self.scheme {
            Some(Scheme::Other(name)) => name.len(),
            Some(Scheme::Http | Scheme::Https) | None => 0,
        };
        let size = self.method.name().len() + text(&self.path) + text(&self.authority) + scheme;
        if self.share.resize(size_of::<OutgoingRequest>() + size) { Ok(()) } else { Err(no_room()) }
    }
}

pub(crate) fn new_request(
    cx: &mut WasiCtxView<'_>,
    headers: Resource<Headers>,
) -> Result<(Resource<OutgoingRequest>,)> {
    let headers = cx.table.delete(headers)?.fields;
    let budget = &cx.ctx.0.host.budget;
    let share = budget.take(size_of::<OutgoingRequest>()).ok_or_else(no_room)?;
    let request = OutgoingRequest {
        method: Method::Get,
        path: None,
        scheme: None,
        authority: None,
        headers,
        body: None,
        share,
    };
    Ok((cx.push(request)?,))
}

pub(crate) fn request_body(
    cx: &mut WasiCtxView<'_>,
    request: Resource<OutgoingRequest>,
) -> Attempt<Resource<OutgoingBody>> {
    let outgoing = cx.table.get_mut(&request)?;
    if outgoing.body.is_some() {
        return Err(Failed::With(()));
    }
    let length = outgoing.headers.content_length();
    let outlet = Outlet::new(&cx.ctx.0.host.budget, length).ok_or_else(no_room)?;
    outgoing.body = Some(outlet.clone());
    Ok(cx.push(OutgoingBody::new(outlet, Message::Request))?)
}

pub(crate) fn method(
    cx: &mut WasiCtxView<'_>,
    request: Resource<OutgoingRequest>,
) -> Result<(Method,)> {
    Ok((cx.table.get(&request)?.method.clone(),))
}

/// Sets something if it is what it is to be.
fn set<T>(
    cx: &mut WasiCtxView<'_>,
    request: &Resource<OutgoingRequest>,
    value: Option<T>,
    set: impl FnOnce(&mut OutgoingRequest, T),
) -> Attempt {
    let request = cx.table.get_mut(request)?;
    set(request, value.ok_or(Failed::With(()))?);
    Ok(request.settle()?)
}

pub(crate) fn set_method(
    cx: &mut WasiCtxView<'_>,
    request: Resource<OutgoingRequest>,
    method: Method,
) -> Attempt {
    let good = HttpMethod::new(method.name()).map(|_| method);
    set(cx, &request, good, |request, method| request.method = method)
}

pub(crate) fn path(
    cx: &mut WasiCtxView<'_>,
    request: Resource<OutgoingRequest>,
) -> Result<(Option<String>,)> {
    Ok((cx.table.get(&request)?.path.clone(),))
}

pub(crate) fn set_path(
    cx: &mut WasiCtxView<'_>,
    request: Resource<OutgoingRequest>,
    path: Option<String>,
) -> Attempt {
    let good = path.as_ref().is_none_or(|path| path.len() <= MAX_TARGET && is_target(path));
    set(cx, &request, good.then_some(path), |request, path| request.path = path)
}

pub(crate) fn scheme(
    cx: &mut WasiCtxView<'_>,
    request: Resource<OutgoingRequest>,
) -> Result<(Option<Scheme>,)> {
    Ok((cx.table.get(&request)?.scheme.clone(),))
}

pub(crate) fn set_scheme(
    cx: &mut WasiCtxView<'_>,
    request: Resource<OutgoingRequest>,
    scheme: Option<Scheme>,
) -> Attempt {
    let good = match &scheme {
        Some(Scheme::Other(name)) => is_scheme(name),
        Some(Scheme::Http | Scheme::Https) | None => true,
    };
    set(cx, &request, good.then_some(scheme), |request, scheme| request.scheme = scheme)
}

pub(crate) fn authority(
    cx: &mut WasiCtxView<'_>,
    request: Resource<OutgoingRequest>,
) -> Result<(Option<String>,)> {
    Ok((cx.table.get(&request)?.authority.clone(),))
}

pub(crate) fn set_authority(
    cx: &mut WasiCtxView<'_>,
    request: Resource<OutgoingRequest>,
    authority: Option<String>,
) -> Attempt {
    let good = authority.as_ref().is_none_or(|authority| Authority::parse(authority).is_some());
    let good = good.then_some(authority);
    set(cx, &request, good, |request, authority| request.authority = authority)
}

pub(crate) fn request_headers(
    cx: &mut WasiCtxView<'_>,
    request: Resource<OutgoingRequest>,
) -> Result<(Resource<Headers>,)> {
    let headers = Headers::of(&cx.table.get(&request)?.headers);
    Ok((cx.push(headers)?,))
}

/// How long things may take, in nanoseconds.
#[derive(Clone, Default)]
pub(crate) struct RequestOptions {
    pub(crate) connect: Option<u64>,
    pub(crate) first_byte: Option<u64>,
    pub(crate) between_bytes: Option<u64>,
}

impl RequestOptions {
    /// The same, with what holds where nothing is said.
    pub(crate) fn timeouts(&self) -> Timeouts {
        let default = Timeouts::default();
        Timeouts {
            connect: self.connect.unwrap_or(default.connect),
            first_byte: self.first_byte.unwrap_or(default.first_byte),
            between_bytes: self.between_bytes.unwrap_or(default.between_bytes),
        }
    }
}

pub(crate) fn new_options(cx: &mut WasiCtxView<'_>) -> Result<(Resource<RequestOptions>,)> {
    Ok((cx.push(RequestOptions::default())?,))
}

pub(crate) fn connect_timeout(
    cx: &mut WasiCtxView<'_>,
    options: Resource<RequestOptions>,
) -> Result<(Option<u64>,)> {
    Ok((cx.table.get(&options)?.connect,))
}

pub(crate) fn set_connect_timeout(
    cx: &mut WasiCtxView<'_>,
    options: Resource<RequestOptions>,
    time: Option<u64>,
) -> Attempt {
    cx.table.get_mut(&options)?.connect = time;
    Ok(())
}

pub(crate) fn first_byte_timeout(
    cx: &mut WasiCtxView<'_>,
    options: Resource<RequestOptions>,
) -> Result<(Option<u64>,)> {
    Ok((cx.table.get(&options)?.first_byte,))
}

pub(crate) fn set_first_byte_timeout(
    cx: &mut WasiCtxView<'_>,
    options: Resource<RequestOptions>,
    time: Option<u64>,
) -> Attempt {
    cx.table.get_mut(&options)?.first_byte = time;
    Ok(())
}

pub(crate) fn between_bytes_timeout(
    cx: &mut WasiCtxView<'_>,
    options: Resource<RequestOptions>,
) -> Result<(Option<u64>,)> {
    Ok((cx.table.get(&options)?.between_bytes,))
}

pub(crate) fn set_between_bytes_timeout(
    cx: &mut WasiCtxView<'_>,
    options: Resource<RequestOptions>,
    time: Option<u64>,
) -> Attempt {
    cx.table.get_mut(&options)?.between_bytes = time;
    Ok(())
}
