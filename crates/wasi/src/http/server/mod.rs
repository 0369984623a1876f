//! A server for HTTP/1.1: connections, limits, and threads in which requests are answered.
//!
//! All threads wait for the same sockets, and the one that is woken does everything for
//! its connection: it receives, takes the head apart, answers and sends, without handing
//! the request to another. So a request costs a wait, a receive and a send. That an answer
//! has to wait, for the client or for another server, costs the others nothing: another
//! thread takes the place of the one that waits (`workers`).
//!
//! `head` reads what clients send and refuses what could be understood in two ways,
//! `connection` is the state of a connection from one request to the next, `serving` the
//! part of it that a guest sees, `reply` what is said without a guest.

mod connection;
mod head;
mod out;
mod poller;
mod reply;
mod serving;
mod workers;

use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;
use std::{fmt, io};

pub(crate) use self::head::Head;
pub(crate) use self::serving::Served;
pub(crate) use self::workers::Ending;
use self::workers::Shared;

/// A body that is no longer than this is received before a guest is asked, in bytes; of
/// one that is longer, as much.
const GATHER: u64 = super::BODY_BUFFER as u64;

/// How long what a client sends is thrown away, after it was told that this is useless.
const LINGER: Duration = Duration::from_secs(1);

/// What clients and requests may take. All of them have defaults.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Connections at once; more wait to be accepted. 10,000.
    pub connections: usize,
    /// Requests that are answered at once, those that wait for something included. What
    /// waits takes a thread. 256.
    pub requests: usize,
    /// Requests that compute at once. As many as there are processors.
    pub threads: usize,
    /// Bytes of the head of a request. 64 KiB.
    pub head: usize,
    /// Bytes of the body of a request. No limit.
    pub body: u64,
    /// The time in which a head has to come, from its first byte or, in a new connection,
    /// from its beginning. 10 seconds.
    pub head_time: Duration,
    /// The time in which a connection may transmit nothing although it could: between
    /// requests, within a body, while a response waits to be taken. 60 seconds.
    pub idle: Duration,
    /// The time that a request takes from its head to the end of the answer. 60 seconds;
    /// none is no limit.
    pub time: Option<Duration>,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            connections: 10_000,
            requests: 256,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            head: 64 << 10,
            body: u64::MAX,
            head_time: Duration::from_secs(10),
            idle: Duration::from_secs(60),
            time: Some(Duration::from_secs(60)),
        }
    }
}

/// What became of a request.
#[derive(Debug)]
pub struct Report {
    /// Who has sent it.
    pub peer: SocketAddr,
    /// Its first line, as it came; what is no UTF-8 in it is replaced.
    pub line: String,
    /// The status code of the response.
    pub status: u16,
    /// The bytes of its body.
    pub sent: u64,
    /// The time it took.
    pub time: Duration,
    /// Why there was no good response.
    pub error: Option<zwasm::Error>,
}

/// A request, for a [`Service`] to have it answered.
pub struct Request {
    pub(crate) head: Box<Head>,
    pub(crate) served: Arc<Served>,
    /// Until when it has to be answered, on the monotonic clock.
    pub(crate) until: u64,
    pub(crate) bystander: Arc<dyn crate::host::patience::Bystander>,
    ending: Ending,
}

impl Request {
    /// The method, in capital letters as a rule.
    pub fn method(&self) -> &str {
        self.head.method.name()
    }

    /// The path with the query, as it was sent; or `*`.
    pub fn target(&self) -> &str {
        &self.head.target
    }

    /// The names of headers, in lower case, and their values.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.head.headers.iter()
    }
}

/// A request that is answered later than [`Service::answer`] returns.
pub(crate) struct Later {
    pub(crate) head: Box<Head>,
    pub(crate) served: Arc<Served>,
    /// Until when it has to be answered, on the monotonic clock.
    pub(crate) until: u64,
    pub(crate) ending: Ending,
    /// Whether as many requests as there may be are answered besides.
    pub(crate) crowded: bool,
    /// Whether as many threads as there are to be compute besides.
    pub(crate) busy: bool,
}

impl Request {
    /// Leaves the request to somebody who ends it.
    pub(crate) fn later(self) -> Later {
        let Request { head, served, until, ending, .. } = self;
        ending.leave();
        let (crowded, busy) = (ending.is_crowded(), ending.is_busy());
        Later { head, served, until, ending, crowded, busy }
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method())
            .field("target", &self.target())
            .finish_non_exhaustive()
    }
}

/// Who answers requests: [`Proxy`](crate::p2::Proxy) and, for WASI 0.3,
/// [`Service`](crate::p3::Service) have components do so.
pub trait Service: Send + Sync + 'static {
    /// Has a request answered, in the calling thread or in one that does so already. Several
    /// threads call this at once.
    ///
    /// # Errors
    ///
    /// Why there is no answer, or no whole one. The client gets the status 500 if it has
    /// not got another yet, 400 if its own body was malformed, or 504 if the time is over;
    /// otherwise its connection is closed.
    fn answer(&self, request: Request) -> zwasm::Result<()>;
}

impl Service for Box<dyn Service> {
    fn answer(&self, request: Request) -> zwasm::Result<()> {
        (**self).answer(request)
    }
}

/// A server that listens.
///
/// ```no_run
/// use zwasm::{Engine, Store};
/// use zwasm_component::{Component, Linker, ResourceTable};
/// use zwasm_wasi::http::Server;
/// use zwasm_wasi::p2::Proxy;
/// # use zwasm_wasi::{WasiCtx, WasiCtxView, WasiView};
/// # struct State { wasi: WasiCtx, table: ResourceTable }
/// # impl WasiView for State {
/// #     fn ctx(&mut self) -> WasiCtxView<'_> {
/// #         WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
/// #     }
/// # }
/// # fn main() -> zwasm::Result<()> {
/// let engine = Engine::default();
/// let mut linker: Linker<State> = Linker::new(&engine);
/// zwasm_wasi::p2::add_to_linker_sync(&mut linker)?;
/// let component = Component::from_file(&engine, "app.wasm")?;
/// let proxy = Proxy::new(linker.instantiate_pre(&component)?, move || {
///     let wasi = WasiCtx::builder().inherit_stdout().build();
///     Ok(Store::new(&engine, State { wasi, table: ResourceTable::new() }))
/// })?;
/// Server::bind("127.0.0.1:8080")?.run(proxy)?;
/// # Ok(())
/// # }
/// ```
pub struct Server {
    listener: TcpListener,
    limits: Limits,
    report: Option<Box<Reporter>>,
    stopper: Stopper,
}

/// Hears what became of requests.
type Reporter = dyn Fn(Report) + Send + Sync;

impl Server {
    /// Listens at an address.
    ///
    /// # Errors
    ///
    /// When that is not possible.
    pub fn bind(address: impl ToSocketAddrs) -> io::Result<Server> {
        Server::new(TcpListener::bind(address)?)
    }

    /// Takes what listens already.
    ///
    /// # Errors
    ///
    /// When the process has no descriptor left.
    pub fn new(listener: TcpListener) -> io::Result<Server> {
        listener.set_nonblocking(true)?;
        let stopper = Stopper(Arc::new(poller::Poller::new()?));
        Ok(Server { listener, limits: Limits::default(), report: None, stopper })
    }

    /// Sets the limits.
    pub fn limits(&mut self, limits: Limits) -> &mut Self {
        self.limits = limits;
        self
    }

    /// Has a function told what became of each request, after its response was sent. It is
    /// called in the threads that answer.
    pub fn on_request(&mut self, report: impl Fn(Report) + Send + Sync + 'static) -> &mut Self {
        self.report = Some(Box::new(report));
        self
    }

    /// The address it listens at.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// What stops the server.
    pub fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// Answers requests until the server is stopped.
    ///
    /// # Errors
    ///
    /// When the process has no descriptors or threads for it.
    pub fn run(self, service: impl Service) -> io::Result<()> {
        Shared::run(self, Box::new(service))
    }
}

/// Stops a server: it accepts no connections from then on, answers the requests it has
/// got, and closes connections behind them.
#[derive(Clone)]
pub struct Stopper(Arc<poller::Poller>);

impl Stopper {
    /// Stops it.
    pub fn stop(&self) {
        self.0.wake();
    }
}
