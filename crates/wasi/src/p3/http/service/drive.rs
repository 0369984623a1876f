//! What a thread does with an instance: it has it answer requests until there are no more.

use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use zwasm::{AsContextMut, Error, Result, StoreContextMut, Trap};
use zwasm_component::{Call, Resource, poll_until};

use super::mailbox::{Listener, Mailbox};
use super::{Answer, Handle, Live, Request, Service, incoming, respond};
use crate::WasiView;
use crate::host::background;
use crate::host::clocks::Clock;
use crate::host::patience::Bystander;
use crate::host::sys;
use crate::http::server::{Ending, Later, Served};
use crate::p2::table::Caller;
use crate::p3::http::transmit::Fate;
use crate::p3::reactor::Waiting;

thread_local! {
    /// Whether this thread is with an instance.
    static DRIVING: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread is with an instance, and what it begins is within that.
pub(super) fn is_driving() -> bool {
    DRIVING.get()
}

/// How much longer than its time a request may hold up an instance that waits for nothing
/// else, in nanoseconds.
const GRACE: u64 = 100_000_000;

/// A request that an instance answers.
struct Active {
    served: Arc<Served>,
    until: u64,
    ending: Ending,
    step: Step,
}

enum Step {
    /// The guest has not answered yet.
    Call(Call<(Answer,)>),
    /// The answer is sent.
    Send(Arc<Fate>),
}

impl Active {
    /// Goes on until the answer is sent.
    fn poll<T: WasiView + 'static>(
        &mut self,
        mut store: StoreContextMut<'_, T>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<()>> {
        loop {
            match &mut self.step {
                Step::Call(call) => {
                    let (answer,) = ready!(call.poll(store.as_context_mut(), cx))?;
                    let fate = respond(store.as_context_mut(), &self.served, answer)?;
                    self.step = Step::Send(fate);
                }
                // That the client went away is no fault of the guest's.
                Step::Send(fate) => return fate.poll_over(cx).map(|_| Ok(())),
            }
        }
    }
}

/// A thread with an instance.
struct Driver<'a, T: 'static> {
    service: &'a Service<T>,
    mailbox: Arc<Mailbox>,
    handle: Handle,
    left: u32,
    /// Requests that are to be begun.
    new: VecDeque<Later>,
    /// How many have ended whose places those that wait for one may take.
    freed: usize,
    active: Vec<Active>,
    waiting: Waiting,
}

impl<T: WasiView + 'static> Service<T> {
    /// Has an instance answer a request, a new one if there is none, and others that come
    /// meanwhile. What is left over then another one answers.
    pub(super) fn drive(
        &self,
        mut live: Option<Live<T>>,
        request: Later,
        bystander: &Arc<dyn Bystander>,
    ) {
        let mut requests = VecDeque::from([request]);
        DRIVING.set(true);
        loop {
            let found = live.take().or_else(|| self.pool().take_idle());
            let driven = found.map_or_else(|| self.instantiate(bystander), Ok);
            match driven {
                Ok(live) => requests = self.run(live, requests),
                Err(error) => {
                    if let Some(request) = requests.pop_front() {
                        request.ending.finish(Err(error));
                    }
                }
            }
            if requests.is_empty() {
                let mut pool = self.pool();
                let Some(request) = pool.queue.pop_front() else {
                    pool.drivers -= 1;
                    break;
                };
                requests.push_back(request);
            }
        }
        DRIVING.set(false);
    }

    /// Makes an instance.
    fn instantiate(&self, bystander: &Arc<dyn Bystander>) -> Result<Live<T>> {
        let mut store = (self.store)()?;
        let mailbox = Arc::new(Mailbox::new(store.interrupt_handle()));
        let listener = Listener { mailbox: mailbox.clone(), inner: bystander.clone() };
        let host = &store.data_mut().ctx().ctx.0.host;
        host.patience.set(u64::MAX, Arc::new(listener));
        // Guests wait for more requests even if for nothing else.
        Caller::new(store.as_context_mut()).install_loop();
        let instance = self.pre.instantiate(&mut store)?;
        let handle = instance.get_typed_func(&mut store, self.handle)?;
        self.pool().driven.push(mailbox.clone());
        Ok(Live { store, handle, mailbox, left: self.requests })
    }

    /// Has an instance answer requests. Gives those back that it has not begun.
    fn run(&self, live: Live<T>, new: VecDeque<Later>) -> VecDeque<Later> {
        let Live { mut store, handle, mailbox, left } = live;
        let (active, waiting) = (Vec::new(), Waiting::default());
        let (service, freed) = (self, 0);
        let own = mailbox.clone();
        let mut driver =
            Driver { service, mailbox: own, handle, left, new, freed, active, waiting };
        let outcome = poll_until(&mut store, |store, cx| driver.poll(store, cx));
        let Driver { left, active, mut new, .. } = driver;
        let mut pool = self.pool();
        pool.driven.retain(|other| !Arc::ptr_eq(other, &mailbox));
        let (mut put, is_calm) = mailbox.close();
        new.append(&mut put);
        if outcome.is_ok() && is_calm && left > 0 && pool.idle.len() < self.kept {
            pool.idle.push(Live { store, handle, mailbox, left });
        }
        drop(pool);
        if let Err(error) = outcome {
            let mut error = Some(error);
            for Active { ending, .. } in active {
                let text = "another request has stopped the instance that answered this one";
                ending.finish(Err(error.take().unwrap_or_else(|| Error::msg(text))));
            }
        }
        new
    }
}

impl<T: WasiView + 'static> Driver<'_, T> {
    /// How many requests more may be answered now.
    fn room(&self) -> u32 {
        let at_once = self.service.at_once.saturating_sub(self.active.len() as u32);
        at_once.min(self.left).saturating_sub(self.new.len() as u32)
    }

    fn poll(
        &mut self,
        mut store: StoreContextMut<'_, T>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<()>> {
        loop {
            let mut taken = self.mailbox.take(self.room(), cx.waker());
            self.new.append(&mut taken);
            self.fill();
            while self.left > 0
                && self.active.len() < self.service.at_once as usize
                && let Some(request) = self.new.pop_front()
            {
                self.begin(store.as_context_mut(), request)?;
            }
            if self.left == 0 {
                self.pass_on();
            }
            if !self.poll_active(store.as_context_mut(), cx) && self.freed == 0 {
                break;
            }
        }
        if self.active.is_empty() {
            // What was put into the mailbox just now goes on elsewhere, if not here.
            return Poll::Ready(Ok(()));
        }
        let until = self.active.iter().map(|active| active.until).min().unwrap_or(u64::MAX);
        let host = &store.data_mut().ctx().ctx.0.host;
        host.patience.extend(until.saturating_add(GRACE));
        self.mailbox.listen(self.room(), until);
        self.waiting.on(&mut Caller::new(store), self.mailbox.clone(), cx);
        Poll::Pending
    }

    /// Has those that wait for a place take the places of those that have ended: here, or
    /// where else there is room.
    fn fill(&mut self) {
        let service = self.service;
        while self.freed > 0 {
            self.freed -= 1;
            let mut pool = service.pool();
            if self.room() > 0 {
                self.new.extend(pool.queue.pop_front());
            } else if let Some(mailbox) = pool.open(false).cloned()
                && let Some(request) = pool.queue.pop_front()
            {
                mailbox.put(request);
            }
        }
    }

    /// Gives away what an instance has got that takes nothing more, as long as it has others
    /// to end.
    fn pass_on(&mut self) {
        if self.active.is_empty() {
            return;
        }
        let mut pool = self.service.pool();
        for request in self.new.drain(..) {
            match pool.open(true).cloned() {
                Some(mailbox) => mailbox.put(request),
                None => pool.queue.push_back(request),
            }
        }
    }

    /// Has the guest begin with a request.
    fn begin(&mut self, mut store: StoreContextMut<'_, T>, request: Later) -> Result<()> {
        let Later { head, served, until, ending, .. } = request;
        if sys::now(Clock::Monotonic) >= until {
            // It has waited for its turn too long.
            ending.finish(Err(Trap::Interrupt.into()));
            self.freed += 1;
            return Ok(());
        }
        let mailbox = self.mailbox.clone();
        served.interrupt_with(Box::new(move || mailbox.warn()));
        self.left -= 1;
        let mut view = store.data_mut().ctx();
        let host = &view.ctx.0.host;
        host.patience.extend(until.saturating_add(GRACE));
        background::add(host, &served);
        let incoming = incoming(&view, *head, served.clone()).and_then(|one| view.push(one));
        let call = incoming.and_then(|request: Resource<Request>| {
            self.handle.start(store.as_context_mut(), (request,))
        });
        match call {
            Ok(call) => {
                self.active.push(Active { served, until, ending, step: Step::Call(call) });
                Ok(())
            }
            // What stops a guest as it begins stops the instance.
            Err(error) => {
                let stop = Error::msg("another request has stopped the instance");
                ending.finish(Err(error));
                Err(stop)
            }
        }
    }

    /// Has all requests go on; whether one of them was ended.
    fn poll_active(&mut self, mut store: StoreContextMut<'_, T>, cx: &mut Context<'_>) -> bool {
        let now = sys::now(Clock::Monotonic);
        let mut ended = Vec::new();
        let mut at = 0;
        while let Some(active) = self.active.get_mut(at) {
            let outcome = match active.poll(store.as_context_mut(), cx) {
                Poll::Ready(outcome) => outcome,
                Poll::Pending if now >= active.until => {
                    if let Step::Send(fate) = &active.step {
                        fate.give_up(crate::p2::http::types::ErrorCode::ConnectionWriteTimeout);
                    }
                    // What the guest still does for it nobody waits for.
                    self.left = 0;
                    Err(Trap::Interrupt.into())
                }
                Poll::Pending => {
                    at += 1;
                    continue;
                }
            };
            ended.push((self.active.swap_remove(at).ending, outcome));
        }
        let any = !ended.is_empty();
        self.freed += ended.len();
        if any {
            let flushed = store.data_mut().ctx().ctx.flush().map_err(Error::from);
            let mut flushed = Some(flushed);
            for (ending, outcome) in ended {
                ending.finish(outcome.and_then(|()| flushed.take().unwrap_or(Ok(()))));
            }
        }
        any
    }
}
