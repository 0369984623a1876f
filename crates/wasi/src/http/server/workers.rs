//! The threads of a server, and its clock.
//!
//! So many threads compute as there are to be. One that finds its guest waiting lets
//! another take its place, a spare one or a new one, up to as many as requests are
//! answered at once; one that is too many when its guest goes on becomes a spare one as
//! soon as it is done. So a guest that waits holds a thread, and no processor.
//!
//! A clock ticks while requests are answered or connections open: it interrupts guests
//! whose time is over, sends what guests have written that compute for long, and closes
//! connections in which nothing happens. While no request is answered it ticks slowly.

use std::io;
use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use super::connection::{Connection, Step, Turn, after, now};
use super::head::Head;
use super::poller::{Happened, Poller, WAKE};
use super::{Limits, Reporter, Request, Served, Server, Service, Stopper};
use crate::host::patience::Bystander;
use crate::host::sys::OwnedFd;

/// The token of the listener.
const LISTENER: u64 = u64::MAX - 1;

/// How often the clock ticks while requests are answered.
const FAST: Duration = Duration::from_millis(5);

/// How often it ticks otherwise, and looks at connections.
const SLOW: Duration = Duration::from_millis(250);

/// What the threads share.
pub(super) struct Shared {
    poller: Arc<Poller>,
    listener: TcpListener,
    /// The same for the poller.
    watched: Arc<OwnedFd>,
    /// Who accepts connections.
    accepting: Turn,
    /// Whether there are too many connections to accept more.
    full: AtomicBool,
    limits: Arc<Limits>,
    service: Box<dyn Service>,
    report: Option<Box<Reporter>>,
    connections: Mutex<Connections>,
    pool: Mutex<Pool>,
    /// That spare threads are called, or threads have ended.
    changed: Condvar,
    /// Threads that compute or wait for sockets.
    active: AtomicUsize,
    stopping: AtomicBool,
    over: AtomicBool,
    /// Requests that are answered now.
    running: AtomicUsize,
    /// What the threads do, for the clock.
    places: Mutex<Vec<Arc<Place>>>,
    /// Requests that were left to others, likewise.
    left: Mutex<Vec<Arc<Running>>>,
    clock: Mutex<()>,
    /// Wakes the clock.
    tick: Condvar,
    /// Whether the clock ticks slowly.
    slow: AtomicBool,
    me: Weak<Shared>,
}

#[derive(Default)]
struct Pool {
    threads: usize,
    spare: usize,
    /// Spare threads that are called and have not come yet.
    called: usize,
}

/// Connections by token: a place and, above it, how often it was used.
#[derive(Default)]
struct Connections {
    places: Vec<(u32, Option<Arc<Connection>>)>,
    free: Vec<u32>,
    count: usize,
}

/// What a thread does.
#[derive(Default)]
struct Place(Mutex<Option<Arc<Running>>>);

/// A request that is answered.
struct Running {
    connection: Arc<Connection>,
    served: Arc<Served>,
    until: u64,
    /// Who ends it: [`OWN`], [`LEFT`] or [`ENDED`].
    owner: AtomicU8,
}

/// The thread that has begun a request ends it.
const OWN: u8 = 0;
/// Somebody else does.
const LEFT: u8 = 1;
/// Somebody else has.
const ENDED: u8 = 2;

impl Running {
    /// Does what a request needs as time passes.
    fn tick(&self, moment: u64) {
        if self.owner.load(Ordering::Acquire) == ENDED {
            return;
        }
        self.connection.flush();
        if moment >= self.until {
            self.served.time_is_over();
        }
    }
}

/// What ends a request, if that is not the thread that has begun it.
pub(crate) struct Ending {
    shared: Arc<Shared>,
    running: Arc<Running>,
}

impl Ending {
    /// From now on this is what ends the request.
    pub(super) fn leave(&self) {
        self.running.owner.store(LEFT, Ordering::Release);
        lock(&self.shared.left).push(self.running.clone());
    }

    /// Whether as many requests as there may be are answered besides this one.
    pub(super) fn is_crowded(&self) -> bool {
        self.shared.running.load(Ordering::Acquire) > self.shared.limits.requests
    }

    /// Whether as many threads as there are to be compute besides this one.
    pub(super) fn is_busy(&self) -> bool {
        self.shared.active.load(Ordering::Acquire) > self.shared.limits.threads
    }

    /// Says how it was, and has the connection go on.
    pub(crate) fn finish(self, outcome: zwasm::Result<()>) {
        self.end(outcome);
    }

    fn end(&self, outcome: zwasm::Result<()>) {
        let owner = &self.running.owner;
        if owner.compare_exchange(LEFT, ENDED, Ordering::AcqRel, Ordering::Acquire).is_err() {
            return;
        }
        let mut left = lock(&self.shared.left);
        if let Some(at) = left.iter().position(|other| Arc::ptr_eq(other, &self.running)) {
            left.swap_remove(at);
        }
        drop(left);
        self.shared.running.fetch_sub(1, Ordering::AcqRel);
        let connection = &self.running.connection;
        connection.finish(outcome);
        self.shared.advance(connection, &Place::default());
    }
}

/// One that nobody ends has no answer.
impl Drop for Ending {
    fn drop(&mut self) {
        self.end(Err(zwasm::Error::msg("nobody has answered the request")));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Connections {
    fn get(&self, token: u64) -> Option<Arc<Connection>> {
        let (use_, connection) = self.places.get(token as u32 as usize)?;
        if u64::from(*use_) == token >> 32 { connection.clone() } else { None }
    }

    /// Adds a connection that is made with its token.
    fn add(&mut self, make: impl FnOnce(u64) -> Connection) -> Arc<Connection> {
        let at = self.free.pop().unwrap_or_else(|| {
            self.places.push((0, None));
            self.places.len() as u32 - 1
        });
        let (use_, place) = &mut self.places[at as usize];
        let connection = Arc::new(make(u64::from(*use_) << 32 | u64::from(at)));
        *place = Some(connection.clone());
        self.count += 1;
        connection
    }

    fn remove(&mut self, token: u64) {
        let at = token as u32;
        let (use_, place) = &mut self.places[at as usize];
        if u64::from(*use_) == token >> 32 && place.take().is_some() {
            // The last two tokens are taken.
            *use_ = use_.wrapping_add(1) & 0x7fff_ffff;
            self.free.push(at);
            self.count -= 1;
        }
    }
}

impl Shared {
    /// Runs a server until it is stopped.
    pub(super) fn run(server: Server, service: Box<dyn Service>) -> io::Result<()> {
        let Server { listener, limits, report, stopper: Stopper(poller) } = server;
        let watched = Arc::new(OwnedFd::from(listener.try_clone()?));
        poller.add(&watched, LISTENER)?;
        let threads = limits.threads.max(1);
        let shared = Arc::new_cyclic(|me| Shared {
            poller,
            listener,
            watched,
            accepting: Turn::default(),
            full: AtomicBool::new(false),
            limits: Arc::new(Limits { threads, requests: limits.requests.max(threads), ..limits }),
            service,
            report,
            connections: Mutex::default(),
            pool: Mutex::default(),
            changed: Condvar::new(),
            active: AtomicUsize::new(0),
            stopping: AtomicBool::new(false),
            over: AtomicBool::new(false),
            running: AtomicUsize::new(0),
            places: Mutex::default(),
            left: Mutex::default(),
            clock: Mutex::new(()),
            tick: Condvar::new(),
            slow: AtomicBool::new(true),
            me: me.clone(),
        });
        let mut outcome = Ok(());
        for _ in 0..threads {
            let mut pool = lock(&shared.pool);
            outcome = shared.start(&mut pool);
            if outcome.is_err() {
                break;
            }
        }
        let clock = shared.clone();
        let ticking = std::thread::Builder::new().name("clock".into()).spawn(move || clock.ticks());
        if outcome.is_err() || ticking.is_err() {
            shared.end();
        }
        let mut pool = lock(&shared.pool);
        while pool.threads > 0 {
            pool = shared.changed.wait(pool).unwrap_or_else(PoisonError::into_inner);
        }
        drop(pool);
        ticking.map(|clock| drop(clock.join()))?;
        outcome
    }

    /// Starts a thread.
    fn start(&self, pool: &mut Pool) -> io::Result<()> {
        let Some(shared) = self.me.upgrade() else { return Ok(()) };
        std::thread::Builder::new().name("serve".into()).spawn(move || shared.work())?;
        pool.threads += 1;
        self.active.fetch_add(1, Ordering::AcqRel);
        Ok(())
    }

    /// What a thread does.
    fn work(self: Arc<Self>) {
        let place = Arc::new(Place::default());
        lock(&self.places).push(place.clone());
        while !self.over.load(Ordering::Acquire) {
            if self.active.load(Ordering::Acquire) > self.limits.threads && !self.rest() {
                continue;
            }
            match self.poller.wait() {
                Ok(Happened { token: WAKE }) => self.stop(&place),
                Ok(Happened { token: LISTENER }) => self.accept(),
                Ok(Happened { token }) => {
                    let connection = lock(&self.connections).get(token);
                    if let Some(connection) = connection {
                        connection.news.store(true, Ordering::Release);
                        if connection.turn.take() {
                            self.advance(&connection, &place);
                        }
                    }
                }
                // Without what it waits with there is no server.
                Err(_) => self.end(),
            }
        }
        lock(&self.places).retain(|other| !Arc::ptr_eq(other, &place));
        lock(&self.pool).threads -= 1;
        self.changed.notify_all();
    }

    /// Becomes a spare thread until it is called, if there are too many; whether it is to
    /// go on as it is.
    fn rest(&self) -> bool {
        let mut pool = lock(&self.pool);
        if self.active.load(Ordering::Acquire) <= self.limits.threads {
            return true;
        }
        self.active.fetch_sub(1, Ordering::AcqRel);
        pool.spare += 1;
        while pool.called == 0 && !self.over.load(Ordering::Acquire) {
            pool = self.changed.wait(pool).unwrap_or_else(PoisonError::into_inner);
        }
        // Whoever calls has counted it.
        pool.called = pool.called.saturating_sub(1);
        true
    }

    /// Accepts the connections that there are.
    fn accept(&self) {
        if !self.accepting.take() {
            return;
        }
        loop {
            while self.accept_one() {}
            // While there are too many it is not waited for more.
            if !self.full.load(Ordering::Acquire) {
                self.poller.resume(LISTENER, false);
            }
            if self.accepting.give() {
                return;
            }
        }
    }

    /// Accepts a connection; whether there may be another.
    fn accept_one(&self) -> bool {
        if self.stopping.load(Ordering::Acquire) {
            return false;
        }
        if lock(&self.connections).count >= self.limits.connections {
            self.full.store(true, Ordering::Release);
            // One may have been closed just now.
            if lock(&self.connections).count >= self.limits.connections {
                return false;
            }
        }
        let (socket, peer) = match self.listener.accept() {
            Ok(accepted) => accepted,
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock => return false,
                io::ErrorKind::Interrupted | io::ErrorKind::ConnectionAborted => return true,
                _ => {
                    // There are no descriptors left: the clock has another look.
                    self.full.store(true, Ordering::Release);
                    return false;
                }
            },
        };
        // What is sent is gathered here.
        let _ = socket.set_nodelay(true);
        if cfg!(windows) {
            let _ = socket.set_nonblocking(true);
        }
        let socket = OwnedFd::from(socket);
        let make = |token| Connection::new(socket, peer, token, &self.limits);
        let connection = lock(&self.connections).add(make);
        let socket = connection.lock().socket.clone();
        if self.poller.add(&socket, connection.token).is_err() {
            self.close(&connection);
        }
        if self.slow.load(Ordering::Acquire) {
            self.tick.notify_one();
        }
        true
    }

    /// Has a connection go on as far as it can, by whoever has its turn.
    fn advance(&self, connection: &Arc<Connection>, place: &Place) {
        loop {
            let (step, report) = connection.step(self.stopping.load(Ordering::Acquire));
            if let (Some(report), Some(tell)) = (report, &self.report) {
                tell(report);
            }
            match step {
                Step::Run(head) => {
                    // Whoever it is left to has the connection go on.
                    if !self.answer(connection, head, place) {
                        return;
                    }
                }
                Step::Wait(write) => {
                    self.poller.resume(connection.token, write);
                    if connection.turn.give() {
                        return;
                    }
                }
                // Nobody else gets its turn any more.
                Step::Close => return self.close(connection),
            }
        }
    }

    /// Has a request answered; whether it is, and not left to others.
    fn answer(&self, connection: &Arc<Connection>, head: Box<Head>, place: &Place) -> bool {
        let Some(me) = self.me.upgrade() else { return false };
        let served = Arc::new(Served::new(connection));
        let until = after(now(), self.limits.time);
        let (connection, owner) = (connection.clone(), AtomicU8::new(OWN));
        let running = Arc::new(Running { connection, served: served.clone(), until, owner });
        *lock(&place.0) = Some(running.clone());
        self.running.fetch_add(1, Ordering::AcqRel);
        if self.slow.load(Ordering::Acquire) {
            self.tick.notify_one();
        }
        let ending = Ending { shared: me.clone(), running: running.clone() };
        let request = Request { head, served, until, bystander: me, ending };
        // It may be ended before this returns, or go on after it.
        let outcome = self.service.answer(request);
        let ran = lock(&place.0).take();
        drop(ran);
        if running.owner.load(Ordering::Acquire) != OWN {
            return false;
        }
        self.running.fetch_sub(1, Ordering::AcqRel);
        running.connection.finish(outcome);
        true
    }

    /// Closes a connection.
    fn close(&self, connection: &Arc<Connection>) {
        let mut connections = lock(&self.connections);
        connections.remove(connection.token);
        let last = connections.count == 0;
        drop(connections);
        let socket = connection.lock().socket.clone();
        self.poller.remove(&socket, connection.token);
        if self.full.swap(false, Ordering::AcqRel) {
            self.accept();
        }
        if last && self.stopping.load(Ordering::Acquire) {
            self.end();
        }
    }

    /// Accepts nothing any more, and closes connections that wait for requests.
    fn stop(&self, place: &Place) {
        if self.over.load(Ordering::Acquire) || self.stopping.swap(true, Ordering::AcqRel) {
            return;
        }
        self.poller.sleep();
        self.poller.remove(&self.watched, LISTENER);
        let all: Vec<_> = self.all();
        if all.is_empty() {
            return self.end();
        }
        for connection in all {
            if connection.turn.take() {
                self.advance(&connection, place);
            }
        }
    }

    /// All connections.
    fn all(&self) -> Vec<Arc<Connection>> {
        let connections = lock(&self.connections);
        connections.places.iter().filter_map(|(_, connection)| connection.clone()).collect()
    }

    /// Has all threads end.
    fn end(&self) {
        let pool = lock(&self.pool);
        self.over.store(true, Ordering::Release);
        drop(pool);
        self.poller.wake();
        self.changed.notify_all();
        drop(lock(&self.clock));
        self.tick.notify_all();
    }

    /// What the clock does.
    fn ticks(&self) {
        let (mut looked, mut busy) = (now(), 0);
        let place = Place::default();
        while !self.over.load(Ordering::Acquire) {
            let running = self.running.load(Ordering::Acquire) > 0;
            busy = if running { now() } else { busy };
            let fast = now().saturating_sub(busy) < SLOW.as_nanos() as u64;
            self.slow.store(!fast, Ordering::Release);
            let clock = lock(&self.clock);
            let idle = !fast && lock(&self.connections).count == 0;
            if self.over.load(Ordering::Acquire) {
                return;
            }
            let time = match (fast, idle && !self.full.load(Ordering::Acquire)) {
                (true, _) => FAST,
                (false, false) => SLOW,
                (false, true) => Duration::from_secs(3600),
            };
            drop(self.tick.wait_timeout(clock, time));
            self.tick_places();
            if now().saturating_sub(looked) >= SLOW.as_nanos() as u64 {
                looked = now();
                self.look(&place);
            }
        }
    }

    /// Looks at what is answered now.
    fn tick_places(&self) {
        let moment = now();
        for place in lock(&self.places).iter() {
            if let Some(running) = &*lock(&place.0) {
                running.tick(moment);
            }
        }
        for running in lock(&self.left).iter() {
            running.tick(moment);
        }
    }

    /// Closes connections in which nothing happens, and accepts others.
    fn look(&self, place: &Place) {
        let moment = now();
        let late = |connection: &Arc<Connection>| {
            connection.deadline.load(Ordering::Relaxed) <= moment && connection.turn.take()
        };
        for connection in self.all().iter().filter(|connection| late(connection)) {
            connection.expire(moment);
            self.advance(connection, place);
        }
        if self.full.swap(false, Ordering::AcqRel) {
            self.accept();
        }
    }
}

/// A thread whose guest waits makes place for another.
impl Bystander for Shared {
    fn waits(&self) {
        let mut pool = lock(&self.pool);
        self.active.fetch_sub(1, Ordering::AcqRel);
        if self.active.load(Ordering::Acquire) >= self.limits.threads {
            return;
        }
        if pool.spare > 0 {
            pool.spare -= 1;
            pool.called += 1;
            self.active.fetch_add(1, Ordering::AcqRel);
            drop(pool);
            self.changed.notify_all();
        } else if pool.threads < self.limits.requests {
            // Without another thread the others have more to do.
            let _ = self.start(&mut pool);
        }
    }

    fn goes_on(&self) {
        self.active.fetch_add(1, Ordering::AcqRel);
    }
}
