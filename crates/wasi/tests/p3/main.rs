//! WASI 0.3: guests that send requests and do not care what becomes of them, and servers on
//! loopback that see what that is; and what the host holds of streams, and whom guests keep waiting.

mod streams;

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::{JoinHandle, spawn};
use std::time::Duration;

use zwasm::{Config, Engine, Result, Store};
use zwasm_component::{Component, Linker, ResourceTable};
use zwasm_wasi::{Capabilities, WasiCtx, WasiCtxView, WasiView, p3};

const GUEST: &str = concat!("(component\n", include_str!("http.wat"), include_str!("client.wat"));

/// What the guest does with a request.
const CANCELLED: u32 = 0;
const CANCELLED_EARLY: u32 = 1;
const DROPPED: u32 = 2;
const ANSWER_DROPPED: u32 = 3;
const CONTENTS_DROPPED: u32 = 4;
const WRITTEN_FOR_EVER: u32 = 5;
const NOT_HANDLED: u32 = 6;

struct State {
    wasi: WasiCtx,
    table: ResourceTable,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

/// Lets a guest ask somebody, and gives what it says and its store, in which nothing is to
/// hold a connection any more.
fn run(authority: &str, what: u32, caps: Capabilities) -> Result<(u32, Store<State>)> {
    // For reads and writes that wait.
    let engine = Engine::new(Config::new().wasm_component_model_more_async_builtins(true))?;
    let mut linker: Linker<State> = Linker::new(&engine);
    p3::add_to_linker(&mut linker)?;
    let component = Component::new(&engine, GUEST)?;
    let wasi = WasiCtx::builder().caps(caps).build();
    let mut store = Store::new(&engine, State { wasi, table: ResourceTable::new() });
    let instance = linker.instantiate(&mut store, &component)?;
    let run = instance.get_typed_func::<(&str, u32), (u32,)>(&mut store, "run")?;
    let (said,) = run.call(&mut store, (authority, what))?;
    Ok((said, store))
}

/// Lets a connection be served, and gives the address to ask and what serving it gave.
fn serve<R: Send + 'static>(
    serve: impl FnOnce(TcpStream) -> R + Send + 'static,
) -> (String, JoinHandle<R>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (address, spawn(move || serve(listener.accept().unwrap().0)))
}

/// Reads up to an empty line.
fn head(stream: &mut TcpStream) -> String {
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    String::from_utf8(head).unwrap()
}

/// Answers with a body that does not end, until nobody takes it.
fn endless(mut stream: TcpStream) -> usize {
    head(&mut stream);
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n").unwrap();
    stream.set_write_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut sent = 0;
    while stream.write_all(&[b'x'; 4096]).is_ok() {
        sent += 4096;
    }
    sent
}

#[test]
fn a_request_that_is_dropped_was_not_sent() {
    let (said, _) = run("127.0.0.1:1", DROPPED, Capabilities::HTTP).unwrap();
    assert_eq!(said, 1);
}

#[test]
fn a_call_that_is_cancelled_is_given_up() {
    let (address, served) = serve(|mut stream| {
        let mut all = Vec::new();
        // It may have come no further than to connect.
        let _ = stream.read_to_end(&mut all);
    });
    // It may have been sent already; its connection ends all the same.
    let (said, _store) = run(&address, CANCELLED, Capabilities::HTTP).unwrap();
    assert!(said <= 1);
    // Whoever listens is left if nobody has connected.
    let _ = TcpStream::connect(&address);
    served.join().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (said, _store) = run(&address, CANCELLED_EARLY, Capabilities::HTTP).unwrap();
    assert_eq!(said, 1);
    listener.set_nonblocking(true).unwrap();
    assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
}

#[test]
fn nobody_reads_on_for_a_guest_that_does_not() {
    for what in [ANSWER_DROPPED, NOT_HANDLED] {
        let (address, served) = serve(endless);
        let (said, _store) = run(&address, what, Capabilities::HTTP).unwrap();
        // Of the one the request was sent; the other gets its own error back.
        assert_eq!(said, u32::from(what == NOT_HANDLED));
        assert!(served.join().unwrap() < 64 << 20);
    }
}

#[test]
fn what_is_behind_contents_that_nobody_reads_comes_all_the_same() {
    let (address, served) = serve(|mut stream| {
        let head = head(&mut stream);
        let body = vec![b'x'; 100_000];
        write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len()).unwrap();
        stream.write_all(&body).unwrap();
        head
    });
    let (said, _store) = run(&address, CONTENTS_DROPPED, Capabilities::HTTP).unwrap();
    assert_eq!(said, 0);
    let head = served.join().unwrap();
    // Without contents and trailers there is no body.
    assert!(head.starts_with("GET / HTTP/1.1\r\n"), "{head}");
    assert!(!head.contains("transfer-encoding"), "{head}");
}

#[test]
fn a_guest_that_writes_for_ever_is_told_when_nobody_takes_it() {
    let (address, served) = serve(|mut stream| {
        let head = head(&mut stream);
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
        head
    });
    let (said, _store) = run(&address, WRITTEN_FOR_EVER, Capabilities::HTTP).unwrap();
    assert_eq!(said, 1);
    assert!(served.join().unwrap().contains("transfer-encoding: chunked\r\n"));
}

#[test]
fn who_may_not_send_requests_sends_none() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (said, _store) = run(&address, ANSWER_DROPPED, Capabilities::NONE).unwrap();
    assert_eq!(said, 11);
    listener.set_nonblocking(true).unwrap();
    assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
}
