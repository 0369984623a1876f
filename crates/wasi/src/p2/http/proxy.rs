//! `wasi:http/incoming-handler`: a component that answers requests.

use std::sync::{Arc, Mutex, PoisonError};

use zwasm::{Error, Result, Store};
use zwasm_component::{ComponentExportIndex, InstancePre, Resource};

use super::body::IncomingBody;
use super::request::IncomingRequest;
use super::response::{OutgoingResponse, ResponseOutparam};
use super::types::{ErrorCode, Method, Scheme};
use crate::host::background;
use crate::http::flow::Flow;
use crate::http::server::{Head, Request, Service};
use crate::p2::WasiView;

/// The interface whose `handle` answers requests, without its version.
const HANDLER: &str = "wasi:http/incoming-handler@0.2.";

/// A component that answers requests through `wasi:http/incoming-handler`: each by an
/// instance of its own, in a store of its own. See [`Server`](crate::http::Server).
pub struct Proxy<T: 'static> {
    pre: InstancePre<T>,
    handle: ComponentExportIndex,
    store: Box<dyn Fn() -> Result<Store<T>> + Send + Sync>,
}

impl<T: WasiView + 'static> Proxy<T> {
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
    ) -> Result<Proxy<T>> {
        let component = pre.component();
        let ty = component.component_type();
        let mut names = ty.exports().map(|(name, _)| name);
        let name = names.find(|name| name.starts_with(HANDLER)).ok_or_else(|| {
            Error::msg(
                "this component answers no requests: it exports no 'wasi:http/incoming-handler'",
            )
        })?;
        let handle = component.get_export_index(None, &format!("{name}#handle"));
        let handle =
            handle.ok_or_else(|| Error::msg(format!("'{name}' has no function 'handle'")))?;
        Ok(Proxy { pre, handle, store: Box::new(store) })
    }
}

/// What the guest said where there should have been a response.
type Refused = Arc<Mutex<Option<Error>>>;

impl<T: WasiView + 'static> Service for Proxy<T> {
    fn answer(&self, request: Request) -> Result<()> {
        let Request { head, served, until, bystander, .. } = request;
        let mut store = (self.store)()?;
        let interrupt = store.interrupt_handle();
        served.interrupt_with(Box::new(move || interrupt.interrupt()));
        let refused = Refused::default();
        let view = store.data_mut().ctx();
        let host = &view.ctx.0.host;
        host.patience.set(until, bystander);
        background::add(host, &served);
        let flow: Arc<dyn Flow> = served.clone();
        let incoming = incoming(*head, flow);
        let (outparam, told) = (served.clone(), refused.clone());
        let respond = move |response: std::result::Result<OutgoingResponse, ErrorCode>| {
            let error = match response {
                Ok(response) if response.status >= 200 => {
                    return outparam.respond(response.status, response.headers, response.body);
                }
                Ok(response) => {
                    Error::msg(format!("the status {} is of no final response", response.status))
                }
                Err(code) => Error::msg(format!("the guest answers with an error: {code:?}")),
            };
            *told.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        };
        let incoming = view.table.push(incoming)?;
        let outparam = view.table.push(ResponseOutparam(Box::new(respond)))?;
        let instance = self.pre.instantiate(&mut store)?;
        let handle = instance
            .get_typed_func::<(Resource<IncomingRequest>, Resource<ResponseOutparam>), ()>(
                &mut store,
                self.handle,
            )?;
        let outcome = handle.call(&mut store, (incoming, outparam));
        let flushed = store.data_mut().ctx().ctx.flush();
        outcome?;
        flushed?;
        match refused.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
}

/// The request as the guest sees it.
fn incoming(head: Head, flow: Arc<dyn Flow>) -> IncomingRequest {
    IncomingRequest {
        method: Method::of(head.method.name()),
        path: Some(head.target),
        scheme: Some(Scheme::Http),
        authority: head.authority,
        headers: head.headers,
        body: Some(IncomingBody::new(flow)),
    }
}
