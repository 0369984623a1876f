//! `wasi:http/handler`: a component that answers requests.
//!
//! An instance answers one request after the other, and several at once: each is a task of
//! its own in the instance's store. So what a request costs is a call, not an instance; the
//! specification says that a component may keep what it likes from one request to the next.
//! An instance is given up after so many requests, and whenever one of them went wrong:
//! a trap ends all that are answered there then. `drive` is what a thread does with one.

mod drive;
mod mailbox;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use zwasm::{Error, Result, Store, StoreContextMut};
use zwasm_component::{ComponentExportIndex, InstancePre, Resource, TypedFunc};

use self::mailbox::Mailbox;
use super::body::Body;
use super::request::Request;
use super::response::Response;
use super::transmit::{Fate, transmit};
use crate::WasiView;
use crate::http::flow::Flow;
use crate::http::server::{self, Head, Later, Served};
use crate::p2::WasiCtxView;
use crate::p2::http::body::Message;
use crate::p2::http::types::{ErrorCode, Method, Scheme};
use crate::p2::table::Caller;

/// The interface whose `handle` answers requests, without its version.
const HANDLER: &str = "wasi:http/handler@0.3.";

/// How many requests an instance answers unless told otherwise.
const REQUESTS: u32 = 128;

/// How many of them at once.
const AT_ONCE: u32 = 16;

/// How many instances are kept for each processor. Those that many waiting requests have
/// called for are too many afterwards.
const KEPT: usize = 4;

/// A component that answers requests through `wasi:http/handler`: its instances answer
/// several each, one after the other and at once. See [`Server`](crate::http::Server).
pub struct Service<T: 'static> {
    pre: InstancePre<T>,
    handle: ComponentExportIndex,
    store: Box<dyn Fn() -> Result<Store<T>> + Send + Sync>,
    requests: u32,
    at_once: u32,
    /// How many instances are kept that answer nothing now.
    kept: usize,
    pool: Mutex<Pool<T>>,
}

/// The instances, and what waits for one.
struct Pool<T: 'static> {
    /// Those that answer nothing now.
    idle: Vec<Live<T>>,
    /// Those that threads are with.
    driven: Vec<Arc<Mailbox>>,
    /// How many threads there are that look at the queue before they go.
    drivers: usize,
    /// Requests for which there is no place.
    queue: VecDeque<Later>,
}

impl<T: 'static> Pool<T> {
    /// Takes an instance that answers nothing now, for a thread to be with.
    fn take_idle(&mut self) -> Option<Live<T>> {
        let live = self.idle.pop()?;
        self.driven.push(live.mailbox.clone());
        Some(live)
    }

    /// An instance that takes a request more: at once, if possible, or at all if `late`.
    fn open(&self, late: bool) -> Option<&Arc<Mailbox>> {
        let listens = self.driven.iter().find(|mailbox| mailbox.listens());
        let late = || self.driven.iter().find(|mailbox| late && mailbox.is_open());
        listens.or_else(late)
    }
}

/// An instance.
struct Live<T: 'static> {
    store: Store<T>,
    handle: Handle,
    mailbox: Arc<Mailbox>,
    /// How many requests more it answers.
    left: u32,
}

/// What `handle` gives.
type Answer = std::result::Result<Resource<Response>, ErrorCode>;

/// The function that answers.
type Handle = TypedFunc<(Resource<Request>,), (Answer,)>;

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
        let (idle, driven, queue) = (Vec::new(), Vec::new(), VecDeque::new());
        let pool = Mutex::new(Pool { idle, driven, drivers: 0, queue });
        let (requests, at_once) = (REQUESTS, AT_ONCE);
        let kept = KEPT * std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Service { pre, handle, store: Box::new(store), requests, at_once, kept, pool })
    }

    /// Sets how many requests an instance answers, and how many of them at once: 128 and 16
    /// unless this is called. With one each, no request sees what another has left.
    pub fn reuse(&mut self, requests: u32, at_once: u32) -> &mut Service<T> {
        (self.requests, self.at_once) = (requests.max(1), at_once.max(1));
        self
    }

    fn pool(&self) -> MutexGuard<'_, Pool<T>> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: WasiView + 'static> server::Service for Service<T> {
    fn answer(&self, request: server::Request) -> Result<()> {
        let bystander = request.bystander.clone();
        let request = request.later();
        let mut pool = self.pool();
        let is_driving = drive::is_driving();
        // Whoever ends one of the others comes for it.
        if request.crowded && pool.drivers > 0 {
            pool.queue.push_back(request);
            return Ok(());
        }
        let live = if is_driving { None } else { pool.take_idle() };
        if live.is_none() {
            if let Some(mailbox) = pool.open(request.busy || is_driving) {
                mailbox.put(request);
                return Ok(());
            }
            if is_driving {
                pool.queue.push_back(request);
                return Ok(());
            }
        }
        pool.drivers += 1;
        drop(pool);
        self.drive(live, request, &bystander);
        Ok(())
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
        body.close(&mut Caller::new(store))?;
        return Err(Error::msg(format!("the status {status} is of no final response")));
    }
    let (served, length) = (served.clone(), headers.content_length());
    let begin = Box::new(move |_: &crate::ctx::State, outlet| {
        served.respond(status, headers, outlet);
        let flow: Arc<dyn Flow> = served;
        Ok(Ok(flow))
    });
    transmit(&mut Caller::new(store), body, Message::Response, length, begin)
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
