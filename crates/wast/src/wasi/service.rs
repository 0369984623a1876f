//! Programs that answer HTTP requests: each is served on loopback, and gets the requests of
//! its description one after the other.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use zwasm::{Error, Store};
use zwasm_component::{Component, Linker, ResourceTable};
use zwasm_wasi::http::Server;
use zwasm_wasi::{WasiCtx, p2, p3};

use super::State;
use super::json::Json;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Serves a program, and compares what it answers with what it should.
pub(super) fn check(
    context: WasiCtx,
    component: &Component,
    operations: &[Json],
) -> Result<(), String> {
    let told = Arc::new(Mutex::new(Vec::new()));
    let (service, server) =
        prepare(context, component, &told).map_err(|error| error.to_string())?;
    let address = server.local_addr().map_err(|error| error.to_string())?;
    let stopper = server.stopper();
    let serving = thread::spawn(move || server.run(service));
    let mut outcome = Ok(());
    for operation in operations.iter().filter(|one| one.get("type").string() == "request") {
        outcome = outcome.and_then(|()| request(address, operation));
    }
    stopper.stop();
    let ended = serving.join().map_err(|_| "the server panicked")?;
    ended.map_err(|error| format!("the server: {error}"))?;
    outcome.map_err(|failure| {
        let told = told.lock().unwrap_or_else(PoisonError::into_inner);
        format!("{failure}; the server said: {}", told.join(", "))
    })
}

fn prepare(
    context: WasiCtx,
    component: &Component,
    told: &Arc<Mutex<Vec<String>>>,
) -> Result<(p3::Service<State>, Server), Error> {
    let engine = component.engine().clone();
    let mut linker = Linker::new(&engine);
    p2::add_to_linker_sync(&mut linker)?;
    p3::add_to_linker(&mut linker)?;
    let service = p3::Service::new(linker.instantiate_pre(component)?, move || {
        let state = State { wasi: context.another(), table: ResourceTable::new() };
        let mut store = Store::new(&engine, state);
        store.set_epoch_deadline(1);
        Ok(store)
    })?;
    let mut server = Server::bind("127.0.0.1:0")?;
    let told = told.clone();
    server.on_request(move |report| {
        if let Some(error) = report.error {
            told.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{error:#}"));
        }
    });
    Ok((service, server))
}

/// Sends a request, and looks at the answer.
fn request(address: SocketAddr, operation: &Json) -> Result<(), String> {
    let [method, path] = ["method", "path"].map(|key| operation.get(key).string());
    let mut message =
        format!("{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n");
    for (name, value) in operation.get("headers").entries() {
        message += &format!("{name}: {}\r\n", value.string());
    }
    if let Json::String(body) = operation.get("body") {
        message += &format!("content-length: {}\r\n\r\n{body}", body.len());
    } else {
        message += "\r\n";
    }
    let answer =
        exchange(address, &message).map_err(|error| format!("{method} {path}: {error}"))?;
    let answer = String::from_utf8_lossy(&answer);
    let wrong = |what: String| Err(format!("{method} {path}: {what}; the answer is {answer:?}"));
    let Some((head, body)) = answer.split_once("\r\n\r\n") else {
        return wrong(String::from("there is no whole answer"));
    };
    let expected = operation.get("response");
    let status = expected.get("status").number().unwrap_or(200.0);
    if !head.starts_with(&format!("HTTP/1.1 {status} ")) {
        return wrong(format!("the status is not {status}"));
    }
    for (name, value) in expected.get("headers").entries() {
        let mut fields = head.lines().skip(1).filter_map(|line| line.split_once(": "));
        if !fields.any(|field| field.0.eq_ignore_ascii_case(name) && field.1 == value.string()) {
            return wrong(format!("{name} is not {:?}", value.string()));
        }
    }
    let body = match head.to_lowercase().contains("transfer-encoding: chunked") {
        true => unframed(body).unwrap_or_default(),
        false => body.to_owned(),
    };
    match expected.get("body") {
        Json::String(expected) if *expected != body => {
            wrong(format!("the body is not {expected:?}"))
        }
        _ => Ok(()),
    }
}

/// Sends bytes, and takes what comes up to the end of the connection.
fn exchange(address: SocketAddr, message: &str) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(message.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(answer)
}

/// A body that came in chunks; none if it is not whole.
fn unframed(mut body: &str) -> Option<String> {
    let mut whole = String::new();
    loop {
        let (len, rest) = body.split_once("\r\n")?;
        let len = usize::from_str_radix(len, 16).ok()?;
        if len == 0 {
            return Some(whole);
        }
        let (chunk, rest) = rest.split_at_checked(len)?;
        whole.push_str(chunk);
        body = rest.strip_prefix("\r\n")?;
    }
}
