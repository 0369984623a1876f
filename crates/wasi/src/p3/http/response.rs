//! `response`.

use zwasm::Result;
use zwasm_component::{FutureReader, Resource, StreamReader};

use super::body::{Behind, Body, Consumed, Ending};
use super::request::{New, made};
use crate::http::fields::Fields;
use crate::p2::WasiCtxView;
use crate::p2::http::body::Attempt;
use crate::p2::http::fields::Headers;
use crate::p2::table::Failed;
use crate::p3::table::Store;

/// A response: one that has come, or one to give.
pub(crate) struct Response {
    pub(super) status: u16,
    pub(super) headers: Fields,
    pub(super) body: Body,
}

pub(super) fn new_response(
    store: &mut dyn Store,
    headers: Resource<Headers>,
    contents: Option<StreamReader<u8>>,
    trailers: FutureReader<Behind>,
) -> Result<(New<Response>,)> {
    let (body, told) = made(store, contents, trailers)?;
    let mut cx = store.view();
    let headers = cx.table.delete(headers)?.fields;
    Ok(((cx.push(Response { status: 200, headers, body })?, told),))
}

/// The guest drops a response.
pub(super) fn close_response(store: &mut dyn Store, response: Response) -> Result<()> {
    response.body.close(store)
}

pub(super) fn status(cx: &mut WasiCtxView<'_>, response: Resource<Response>) -> Result<(u16,)> {
    Ok((cx.table.get(&response)?.status,))
}

/// Sets the status. There are five classes of them. RFC 9110, section 15.
pub(super) fn set_status(
    cx: &mut WasiCtxView<'_>,
    response: Resource<Response>,
    status: u16,
) -> Attempt {
    let response = cx.table.get_mut(&response)?;
    if !matches!(status, 100..=599) {
        return Err(Failed::With(()));
    }
    response.status = status;
    Ok(())
}

pub(super) fn response_headers(
    cx: &mut WasiCtxView<'_>,
    response: Resource<Response>,
) -> Result<(Resource<Headers>,)> {
    let headers = Headers::of(&cx.table.get(&response)?.headers);
    Ok((cx.push(headers)?,))
}

pub(super) fn consume_response(
    store: &mut dyn Store,
    response: Resource<Response>,
    handled: FutureReader<Ending>,
) -> Result<(Consumed,)> {
    let response = store.view().table.delete(response)?;
    Ok((response.body.consume(store, handled)?,))
}
