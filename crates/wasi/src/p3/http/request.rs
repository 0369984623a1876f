//! `request` and `request-options`.

use zwasm::Result;
use zwasm_component::{FutureReader, FutureWriter, Resource, StreamReader};

use super::body::{Behind, Body, Consumed, Ending, Made};
use crate::host::budget::Share;
use crate::http::MAX_TARGET;
use crate::http::fields::Fields;
use crate::http::request::{Authority, Method as HttpMethod, is_scheme};
use crate::p2::WasiCtxView;
use crate::p2::http::body::Attempt;
use crate::p2::http::fields::{Headers, no_room};
use crate::p2::http::request::RequestOptions;
use crate::p2::http::types::{Method, Scheme};
use crate::p2::table::{Answer, Failed};
use crate::p2::wit::wit_variant;
use crate::p3::table::Store;

/// A request: one to send, or one to answer.
pub(crate) struct Request {
    pub(super) method: Method,
    pub(super) path: Option<String>,
    pub(super) scheme: Option<Scheme>,
    pub(super) authority: Option<String>,
    pub(super) headers: Fields,
    pub(super) options: Option<RequestOptions>,
    pub(super) body: Body,
    /// What its texts take.
    share: Share,
}

impl Request {
    /// A request of which nothing is said yet but its headers.
    pub(super) fn new(
        cx: &WasiCtxView<'_>,
        headers: Fields,
        options: Option<RequestOptions>,
        body: Body,
    ) -> Result<Request> {
        let share = cx.ctx.0.host.budget.take(size_of::<Request>()).ok_or_else(no_room)?;
        let (path, scheme, authority) = (None, None, None);
        Ok(Request { method: Method::Get, path, scheme, authority, headers, options, body, share })
    }

    /// Checks that there is room for what was set.
    pub(super) fn settle(&mut self) -> Result<()> {
        let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let scheme = match &self.scheme {
            Some(Scheme::Other(name)) => name.len(),
            Some(Scheme::Http | Scheme::Https) | None => 0,
        };
        let size = self.method.name().len() + text(&self.path) + text(&self.authority) + scheme;
        if self.share.resize(size_of::<Request>() + size) { Ok(()) } else { Err(no_room()) }
    }
}

/// A message, and whether it was sent.
pub(super) type New<M> = (Resource<M>, FutureReader<Ending>);

/// The body of a message that a guest makes, and whether the message was sent.
pub(super) fn made(
    store: &mut dyn Store,
    contents: Option<StreamReader<u8>>,
    trailers: FutureReader<Behind>,
) -> Result<(Body, FutureReader<Ending>)> {
    let (sent, told): (FutureWriter<Ending>, _) = zwasm_component::future_in(store.access())?;
    Ok((Body::Made(Made { contents, trailers, sent }), told))
}

pub(super) fn new_request(
    store: &mut dyn Store,
    headers: Resource<Headers>,
    contents: Option<StreamReader<u8>>,
    trailers: FutureReader<Behind>,
    options: Option<Resource<Options>>,
) -> Result<(New<Request>,)> {
    let (body, told) = made(store, contents, trailers)?;
    let mut cx = store.view();
    let headers = cx.table.delete(headers)?.fields;
    let options = match options {
        Some(options) => Some(cx.table.delete(options)?.times),
        None => None,
    };
    let request = Request::new(&cx, headers, options, body)?;
    Ok(((cx.push(request)?, told),))
}

/// The guest drops a request.
pub(super) fn close_request(store: &mut dyn Store, request: Request) -> Result<()> {
    request.body.close(store)
}

pub(super) fn method(cx: &mut WasiCtxView<'_>, request: Resource<Request>) -> Result<(Method,)> {
    Ok((cx.table.get(&request)?.method.clone(),))
}

/// Sets something if it is what it is to be.
fn set<T>(
    cx: &mut WasiCtxView<'_>,
    request: &Resource<Request>,
    value: Option<T>,
    set: impl FnOnce(&mut Request, T),
) -> Attempt {
    let request = cx.table.get_mut(request)?;
    set(request, value.ok_or(Failed::With(()))?);
    Ok(request.settle()?)
}

/// Sets the method. One that has a name of its own here gets it.
pub(super) fn set_method(
    cx: &mut WasiCtxView<'_>,
    request: Resource<Request>,
    method: Method,
) -> Attempt {
    let good = HttpMethod::new(method.name()).map(|_| Method::of(method.name()));
    set(cx, &request, good, |request, method| request.method = method)
}

pub(super) fn path(
    cx: &mut WasiCtxView<'_>,
    request: Resource<Request>,
) -> Result<(Option<String>,)> {
    Ok((cx.table.get(&request)?.path.clone(),))
}

/// Whether a text is a path with a query, or without. What does not begin with a slash
/// gets one when it is sent. Brackets, braces and what is no ASCII are met in URIs though
/// RFC 3986 does not know them, and pass.
fn is_path(text: &str) -> bool {
    let is_part = |byte: u8| byte > b' ' && byte != 0x7f && !b"#\"<>\\`".contains(&byte);
    text.len() <= MAX_TARGET && text.bytes().all(is_part)
}

/// Sets the path and the query. One that is empty is the root.
pub(super) fn set_path(
    cx: &mut WasiCtxView<'_>,
    request: Resource<Request>,
    path: Option<String>,
) -> Attempt {
    let good = path.as_deref().is_none_or(is_path);
    let path = path.map(|path| if path.is_empty() { String::from("/") } else { path });
    set(cx, &request, good.then_some(path), |request, path| request.path = path)
}

pub(super) fn scheme(
    cx: &mut WasiCtxView<'_>,
    request: Resource<Request>,
) -> Result<(Option<Scheme>,)> {
    Ok((cx.table.get(&request)?.scheme.clone(),))
}

/// Sets the scheme. One that has a name of its own here gets it: case does not matter. RFC
/// 3986, section 3.1.
pub(super) fn set_scheme(
    cx: &mut WasiCtxView<'_>,
    request: Resource<Request>,
    scheme: Option<Scheme>,
) -> Attempt {
    let good = match scheme {
        Some(Scheme::Other(name)) if name.eq_ignore_ascii_case("http") => Some(Some(Scheme::Http)),
        Some(Scheme::Other(name)) if name.eq_ignore_ascii_case("https") => {
            Some(Some(Scheme::Https))
        }
        Some(Scheme::Other(name)) => is_scheme(&name).then_some(Some(Scheme::Other(name))),
        scheme @ (Some(Scheme::Http | Scheme::Https) | None) => Some(scheme),
    };
    set(cx, &request, good, |request, scheme| request.scheme = scheme)
}

pub(super) fn authority(
    cx: &mut WasiCtxView<'_>,
    request: Resource<Request>,
) -> Result<(Option<String>,)> {
    Ok((cx.table.get(&request)?.authority.clone(),))
}

/// Whether a text is an authority. RFC 3986, section 3.2. One that says who asks is one,
/// though no request with it is sent.
fn is_authority(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=%:".contains(&byte);
    match text.rsplit_once('@') {
        Some((user, host)) => user.bytes().all(is_part) && Authority::parse(host).is_some(),
        None => Authority::parse(text).is_some(),
    }
}

pub(super) fn set_authority(
    cx: &mut WasiCtxView<'_>,
    request: Resource<Request>,
    authority: Option<String>,
) -> Attempt {
    let good = authority.as_deref().is_none_or(is_authority).then_some(authority);
    set(cx, &request, good, |request, authority| request.authority = authority)
}

pub(super) fn options(
    cx: &mut WasiCtxView<'_>,
    request: Resource<Request>,
) -> Result<(Option<Resource<Options>>,)> {
    let options = cx.table.get(&request)?.options.clone();
    let options = options.map(|times| cx.push(Options { times, mutable: false }));
    Ok((options.transpose()?,))
}

pub(super) fn request_headers(
    cx: &mut WasiCtxView<'_>,
    request: Resource<Request>,
) -> Result<(Resource<Headers>,)> {
    let headers = Headers::of(&cx.table.get(&request)?.headers);
    Ok((cx.push(headers)?,))
}

pub(super) fn consume_request(
    store: &mut dyn Store,
    request: Resource<Request>,
    handled: FutureReader<Ending>,
) -> Result<(Consumed,)> {
    let request = store.view().table.delete(request)?;
    Ok((request.body.consume(store, handled)?,))
}

/// How long things may take.
pub(crate) struct Options {
    times: RequestOptions,
    /// Whether the guest may change them: those of requests it may not.
    mutable: bool,
}

wit_variant! {
    /// Why an option can not be set.
    #[derive(PartialEq, Eq, Debug)]
    OptionsError {
        NotSupported = "not-supported",
        Immutable = "immutable",
        Other(why: Option<String>) = "other",
    }
}

/// A time in nanoseconds, or what holds where nothing is said.
type Time = Option<u64>;

pub(super) fn new_options(cx: &mut WasiCtxView<'_>) -> Result<(Resource<Options>,)> {
    Ok((cx.push(Options { times: RequestOptions::default(), mutable: true })?,))
}

pub(super) fn clone_options(
    cx: &mut WasiCtxView<'_>,
    options: Resource<Options>,
) -> Result<(Resource<Options>,)> {
    let times = cx.table.get(&options)?.times.clone();
    Ok((cx.push(Options { times, mutable: true })?,))
}

/// The times, for the guest to change.
fn mutable<'a>(
    cx: &'a mut WasiCtxView<'_>,
    options: &Resource<Options>,
) -> Answer<&'a mut RequestOptions, OptionsError> {
    let options = cx.table.get_mut(options)?;
    if options.mutable {
        Ok(&mut options.times)
    } else {
        Err(Failed::With(OptionsError::Immutable))
    }
}

pub(super) fn connect_timeout(
    cx: &mut WasiCtxView<'_>,
    options: Resource<Options>,
) -> Result<(Time,)> {
    Ok((cx.table.get(&options)?.times.connect,))
}

pub(super) fn set_connect_timeout(
    cx: &mut WasiCtxView<'_>,
    options: Resource<Options>,
    time: Time,
) -> Answer<(), OptionsError> {
    mutable(cx, &options)?.connect = time;
    Ok(())
}

pub(super) fn first_byte_timeout(
    cx: &mut WasiCtxView<'_>,
    options: Resource<Options>,
) -> Result<(Time,)> {
    Ok((cx.table.get(&options)?.times.first_byte,))
}

pub(super) fn set_first_byte_timeout(
    cx: &mut WasiCtxView<'_>,
    options: Resource<Options>,
    time: Time,
) -> Answer<(), OptionsError> {
    mutable(cx, &options)?.first_byte = time;
    Ok(())
}

pub(super) fn between_bytes_timeout(
    cx: &mut WasiCtxView<'_>,
    options: Resource<Options>,
) -> Result<(Time,)> {
    Ok((cx.table.get(&options)?.times.between_bytes,))
}

pub(super) fn set_between_bytes_timeout(
    cx: &mut WasiCtxView<'_>,
    options: Resource<Options>,
    time: Time,
) -> Answer<(), OptionsError> {
    mutable(cx, &options)?.between_bytes = time;
    Ok(())
}
