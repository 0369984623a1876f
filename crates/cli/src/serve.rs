//! `zwasm serve FILE`: answers HTTP requests by a component.

use std::fs::File;
use std::io::Write;
use std::net::ToSocketAddrs;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use zwasm::{Engine, Store};
use zwasm_component::Linker;
use zwasm_wasi::http::{Report, Server, Service};
use zwasm_wasi::{p2, p3};

use crate::args::{Run, expected};
use crate::failure::{Failure, one_line, say};
use crate::guest::Guest;
use crate::limits::Limits;
use crate::module::{self, Program};
use crate::operands::Unknown;
use crate::options::Id;
use crate::run::{config, wasi_context};
use crate::units;

/// The interface that a component of WASI 0.3 answers through.
const NEWER: &str = "wasi:http/handler@0.3.";

/// Where to listen unless told otherwise.
const ADDRESS: &str = "127.0.0.1:8080";

/// The time that a request may take unless told otherwise.
const TIME: Duration = Duration::from_secs(60);

/// What is about answering requests.
#[derive(Debug, Default, PartialEq)]
pub struct Options {
    address: Option<String>,
    log: Option<Log>,
    threads: Option<usize>,
    connections: Option<usize>,
    requests: Option<usize>,
    head: Option<usize>,
    body: Option<u64>,
    head_time: Option<Duration>,
    idle: Option<Duration>,
}

/// Where to write a line for each request.
#[derive(Debug, PartialEq)]
enum Log {
    Stderr,
    File(PathBuf),
}

impl Options {
    /// Takes over an option.
    ///
    /// # Errors
    /// One line that says what its value should have been.
    pub fn set(&mut self, id: Id, name: &str, value: Option<String>) -> Result<(), String> {
        let optional = value.as_ref();
        let value = value.as_deref().unwrap_or_default();
        let count = || {
            let count = units::count(value).and_then(|count| usize::try_from(count).ok());
            expected(count.filter(|count| *count > 0), name, "a number above 0", value).map(Some)
        };
        let bytes = || expected(units::bytes(value), name, "a number of bytes", value);
        let time = || {
            let what = "milliseconds or a time like 1.5s";
            expected(units::time(value), name, what, value).map(Some)
        };
        match id {
            Id::Addr => self.address = Some(value.to_owned()),
            Id::Log => self.log = Some(optional.map_or(Log::Stderr, |file| Log::File(file.into()))),
            Id::Threads => self.threads = count()?,
            Id::MaxConnections => self.connections = count()?,
            Id::MaxRequests => self.requests = count()?,
            Id::MaxHead => self.head = Some(usize::try_from(bytes()?).unwrap_or(usize::MAX)),
            Id::MaxBody => self.body = Some(bytes()?),
            Id::HeadTimeout => self.head_time = time()?,
            Id::IdleTimeout => self.idle = time()?,
            _ => {}
        }
        Ok(())
    }

    fn limits(&self, time: Option<Duration>) -> zwasm_wasi::http::Limits {
        let default = zwasm_wasi::http::Limits::default();
        zwasm_wasi::http::Limits {
            connections: self.connections.unwrap_or(default.connections),
            requests: self.requests.unwrap_or(default.requests),
            threads: self.threads.unwrap_or(default.threads),
            head: self.head.unwrap_or(default.head),
            body: self.body.unwrap_or(default.body),
            head_time: self.head_time.unwrap_or(default.head_time),
            idle: self.idle.unwrap_or(default.idle),
            time,
        }
    }
}

/// Answers requests until a signal comes, and returns the exit code.
///
/// # Errors
/// When the file is no component that answers requests or cannot be linked, and when
/// there is no listening where the options say.
pub fn serve(mut options: Run) -> Result<i32, Failure> {
    options.timeout.get_or_insert(TIME);
    options.batch = true;
    options.listen.clear();
    let (told, tells) = std::sync::mpsc::channel::<()>();
    // Before there are threads that the signals might go to.
    #[cfg(unix)]
    zwasm_signals::on_end(move || _ = told.send(()))
        .map_err(|error| Failure::runtime(format!("cannot wait for signals: {error}")))?;
    let limits = Limits::of(&options);
    let engine = Engine::new(&config(&options, &limits))?;
    let Program::Component(component) = module::load(&engine, &options.file)? else {
        return Err(Failure::runtime(
            "this is a module; requests are answered by components that export \
             'wasi:http/incoming-handler' or 'wasi:http/handler'",
        ));
    };
    let mut linker = Linker::new(&engine);
    p2::add_to_linker_sync(&mut linker)?;
    p3::add_to_linker(&mut linker)?;
    if options.unknown_imports == Some(Unknown::Trap) {
        linker.define_unknown_imports_as_traps(&component)?;
    }
    let context = wasi_context(&options)?;
    let pre = linker.instantiate_pre(&component)?;
    let store = {
        let context = context.clone();
        move || {
            let mut store = Store::new(&engine, Guest::new(context.another()));
            limits.fuel(&mut store)?;
            Ok(store)
        }
    };
    // The newer interface counts if a component exports both.
    let is_newer = component.component_type().exports().any(|(name, _)| name.starts_with(NEWER));
    let service: Box<dyn Service> = match is_newer {
        true => {
            let mut service = p3::Service::new(pre, store)?;
            if limits.has_fuel() {
                // It is that of one request.
                service.reuse(1, 1);
            }
            Box::new(service)
        }
        false => Box::new(p2::Proxy::new(pre, store)?),
    };
    let address = options.serving.address.as_deref().unwrap_or(ADDRESS);
    let server = address
        .to_socket_addrs()
        .and_then(|addresses| Server::bind(&*addresses.collect::<Vec<_>>()));
    let mut server = server.map_err(|error| {
        let hint = if address.contains(':') { "" } else { " (an address is HOST:PORT)" };
        Failure::runtime(format!("cannot listen on '{address}': {error}{hint}"))
    })?;
    server.limits(options.serving.limits(options.timeout));
    let log = match &options.serving.log {
        None => None,
        Some(Log::Stderr) => Some(None),
        Some(Log::File(path)) => {
            let file = File::options().append(true).create(true).open(path);
            let file = file.map_err(|error| {
                Failure::runtime(format!("cannot write '{}': {error}", path.display()))
            })?;
            Some(Some(Mutex::new(file)))
        }
    };
    server.on_request(move |report| {
        match &log {
            None => {}
            Some(None) => say(&line(&report)),
            Some(Some(file)) => {
                let mut file = file.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                // A log that is full is no reason to stop.
                let _ = file.write_all(line(&report).as_bytes());
            }
        }
        if let Some(text) = problem(report, limits) {
            say(&text);
        }
    });
    let stopper = server.stopper();
    std::thread::spawn(move || {
        if tells.recv().is_ok() {
            stopper.stop();
        }
    });
    let bound = server.local_addr().map_err(|error| Failure::runtime(error.to_string()))?;
    say(&format!("serving HTTP on http://{bound}/\n"));
    server.run(service).map_err(|error| Failure::runtime(format!("cannot serve: {error}")))?;
    context.flush().map_err(|error| Failure::output(&error))?;
    Ok(0)
}

/// What is told of a request that was not answered well.
fn problem(report: Report, limits: Limits) -> Option<String> {
    let mut failure = Failure::from(report.error?);
    limits.explain(&mut failure);
    Some(one_line(&format!("error: '{}': {}", report.line, failure.message())))
}

/// The line of the log for a request.
fn line(report: &Report) -> String {
    let Report { peer, line, status, sent, time, .. } = report;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let (seconds, thousandths) = (now.as_secs(), now.subsec_millis());
    let line = line.replace('\\', "\\\\").replace('"', "\\\"");
    let time = time.as_secs_f64();
    one_line(&format!("{peer} {seconds}.{thousandths:03} \"{line}\" {status} {sent} {time:.6}"))
}
