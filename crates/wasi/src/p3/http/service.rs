//! `wasi:http/handler`: a component that answers requests.

use std::sync::Arc;
use std::task::ready;

use zwasm::{AsContextMut, Error, Result, Store, StoreContextMut};
use zwasm_component::{ComponentExportIndex, InstancePre, Resource, poll_until};

use super::body::Body;
use super::request::Request;
use super::response::Response;
use super::transmit::{Fate, transmit};
use crate::WasiView;
use crate::host::background;
use crate::http::flow::Flow;
use crate::http::server::{self, Head, Served};
use crate::p2::WasiCtxView;
use crate::p2::http::body::Message;
use crate::p2::http::types::{ErrorCode, Method, Scheme};
use crate::p2::table::Caller;

/// The interface whose `handle` answers requests, without its version.
const HANDLER: &str = "wasi:http/handler@0.3.";

/// A component that answers requests through `wasi:http/handler`.
/// See [`Server`](crate::http::Server).
pub struct Service<T: 'static> {
    pre: InstancePre<T>,
    handle: ComponentExportIndex,
    store: Box<dyn Fn() -> Result<Store<T>> + Send + Sync>,
}

/// What `handle` gives.
type Answer = std::result::Result<Resource<Response>, ErrorCode>;

impl<T: WasiView + 'static> Service<T> {
    /// Takes a component, with its imports found, and what makes stores for instances of
    /// it. If the engine has epoch interruption, the limit of time for a request interrupts
    /// also what computes.
    ///
    /// # Errors
    ///
    /// If the component answers no requests.
    pub fn new(
        pre: InstancePre<T>,
        store: impl Fn() -> Result<Store<T>> + Send + Sync + 'static,
    ) -> Result<Service<T>> {
        let component = pre.component();
        let ty = component.component_type();
        let mut names = ty.exports().map(|(name, _)| name);
        let name = names.find(|name| name.starts_with(HANDLER)).ok_or_else(|| {
            Error::msg("this component answers no requests: it exports no 'wasi:http/handler'")
        })?;
        let handle = component.get_export_index(None, &format!("{name}#handle"));
        let handle =
            handle.ok_or_else(|| Error::msg(format!("'{name}' has no function 'handle'")))?;
        Ok(Service { pre, handle, store: Box::new(store) })
    }
}

impl<T: WasiView + 'static> server::Service for Service<T> {
    fn answer(&self, request: server::Request) -> Result<()> {
        let server::Request { head, served, until, bystander } = request;
        let mut store = (self.store)()?;
        served.interrupt_with(store.interrupt_handle());
        let mut view = store.data_mut().ctx();
        let host = &view.ctx.0.host;
        host.patience.set(until, bystander);
        background::add(host, &served);
        let request = incoming(&view, *head, served.clone())?;
        let request = view.push(request)?;
        let instance = self.pre.instantiate(&mut store)?;
        let handle =
            instance.get_typed_func::<(Resource<Request>,), (Answer,)>(&mut store, self.handle)?;
        let mut call = handle.start(&mut store, (request,))?;
        let mut fate = None;
        let outcome = poll_until(&mut store, |mut store, cx| {
            let fate = match &fate {
                Some(fate) => fate,
                None => {
                    let (answer,) = ready!(call.poll(store.as_context_mut(), cx))?;
                    fate.insert(respond(store, &served, answer)?)
                }
            };
            // That the client went away is no fault of the guest's.
            fate.poll_over(cx).map(|_| Ok(()))
        });
        let flushed = store.data_mut().ctx().ctx.flush();
        outcome?;
        Ok(flushed?)
    }
}

/// Has the answer to a request sent.
fn respond<T: WasiView + 'static>(
    mut store: StoreContextMut<'_, T>,
    served: &Arc<Served>,
    answer: Answer,
) -> Result<Arc<Fate>> {
    let response = match answer {
        Ok(response) => store.data_mut().ctx().table.delete(response)?,
        Err(code) => return Err(Error::msg(format!("the guest answers with an error: {code:?}"))),
    };
    let Response { status, headers, body } = response;
    if status < 200 {
        return Err(Error::msg(format!("the status {status} is of no final response")));
    }
    let (served, length) = (served.clone(), headers.content_length());
    let begin = Box::new(move |_: &crate::ctx::State, outlet| {
        served.respond(status, headers, outlet);
        let flow: Arc<dyn Flow> = served;
        Ok(Ok(flow))
    });
    transmit(&mut Caller(store), body, Message::Response, length, begin)
}

/// The request as the guest sees it.
fn incoming(cx: &WasiCtxView<'_>, head: Head, flow: Arc<dyn Flow>) -> Result<Request> {
    let mut request = Request::new(cx, head.headers, None, Body::Received(flow))?;
    request.method = Method::of(head.method.name());
    request.path = Some(head.target);
    request.scheme = Some(Scheme::Http);
    request.authority = head.authority;
    request.settle()?;
    Ok(request)
}
