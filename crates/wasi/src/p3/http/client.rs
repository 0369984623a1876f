//! `wasi:http/client`: sending requests.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use zwasm::Result;
use zwasm_component::Resource;

use super::body::Body;
use super::request::Request;
use super::response::Response;
use super::transmit::{Fate, transmit};
use crate::http::exchange::Exchange;
use crate::http::flow::{Flow, Want};
use crate::p2::http::body::{Message, Wanted};
use crate::p2::http::handler::checked;
use crate::p2::http::types::ErrorCode;
use crate::p2::table::{Answer, Failed, stop};
use crate::p3::reactor::Waiting;
use crate::p3::table::{Poller, Store, interface};

interface! {
    /// Defines `wasi:http/client`.
    fn define_client = "wasi:http/client@0.3.0" {
        "send" as wait = send(request);
    }
}

/// What waits for a response.
struct Sending {
    fate: Arc<Fate>,
    begun: Arc<Begun>,
    /// Whether the guest has the response.
    answered: bool,
    waiting: Waiting,
}

/// The exchange, once there is one.
#[derive(Default)]
struct Begun(Mutex<Option<Arc<Exchange>>>);

impl Begun {
    fn lock(&self) -> MutexGuard<'_, Option<Arc<Exchange>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn send(
    store: &mut dyn Store,
    request: Resource<Request>,
) -> Result<Poller<Answer<Resource<Response>, ErrorCode>>> {
    let request = store.view().table.delete(request)?;
    let Request { method, path, scheme, authority, headers, options, body, .. } = request;
    let length = headers.content_length();
    let times = options.unwrap_or_default().timeouts();
    let begun = Arc::new(Begun::default());
    let place = begun.clone();
    let begin = Box::new(move |state: &crate::ctx::State, outlet| {
        let (scheme, authority) = (scheme.as_ref(), authority.as_deref());
        let started = checked(&method, scheme, authority, path, headers)
            .and_then(|request| Exchange::start(&state.host, request, outlet, times));
        Ok(match started {
            Ok(exchange) => {
                // It is under way before the guest waits for it.
                exchange.push(&state.host).map_err(|failure| stop(failure, "send"))?;
                *place.lock() = Some(exchange.clone());
                let flow: Arc<dyn Flow> = exchange;
                Ok(flow)
            }
            Err(error) => Err(ErrorCode::from(&error)),
        })
    });
    let fate = transmit(store, body, Message::Request, length, begin)?;
    let mut sending = Sending { fate, begun, answered: false, waiting: Waiting::default() };
    Ok(Box::new(move |store, cx| sending.poll(store, cx)))
}

impl Sending {
    fn poll(
        &mut self,
        store: &mut dyn Store,
        cx: &mut Context<'_>,
    ) -> Poll<Answer<Resource<Response>, ErrorCode>> {
        if let Err(error) = ready!(self.fate.poll_begun(cx)) {
            return Poll::Ready(Err(Failed::With(error)));
        }
        let Some(exchange) = self.begun.lock().clone() else { return Poll::Pending };
        let mut view = store.view();
        let response = exchange.response(&view.ctx.0.host);
        match response.map_err(|failure| Failed::Stop(stop(failure, "receive")))? {
            Some(Ok(response)) => {
                self.answered = true;
                let body = Body::Received(exchange);
                let (status, headers) = (response.status, response.headers);
                Poll::Ready(view.push(Response { status, headers, body }).map_err(Failed::from))
            }
            Some(Err(error)) => {
                let error = self.fate.own_error().unwrap_or(ErrorCode::from(&error));
                self.fate.give_up(error.clone());
                Poll::Ready(Err(Failed::With(error)))
            }
            None => {
                self.waiting.on(store, Arc::new(Wanted(exchange, Want::Head)), cx);
                Poll::Pending
            }
        }
    }
}

/// A guest that cancels the call wants the request no more.
impl Drop for Sending {
    fn drop(&mut self) {
        if !self.answered {
            self.fate.give_up(ErrorCode::ConnectionTerminated);
        }
    }
}
