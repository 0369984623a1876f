//! HTTP: a guest and a server on loopback.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::{JoinHandle, spawn};
use std::time::Duration;

use zwasm_wasi::{Capabilities, WasiCtx};

use super::guest::Answer::{Any, Code, Fine, Is};
use super::guest::Arg::{I, L, Of, S};
use super::guest::{Arg, Call, Guest, bytes, differences, program, result};

const REQUEST_DENIED: u8 = 15;
const BODY_SIZE: u8 = 17;
const METHOD_INVALID: u8 = 18;
const URI_INVALID: u8 = 19;
const INCOMPLETE: u8 = 25;
const PROTOCOL_ERROR: u8 = 35;
#[cfg(not(feature = "tls"))]
const INTERNAL_ERROR: u8 = 38;

const INVALID_SYNTAX: u8 = 0;
const FORBIDDEN: u8 = 1;
const IMMUTABLE: u8 = 2;

/// The error of a stream that is at its end, and of one that went wrong.
const CLOSED: u8 = 1;
const FAILED: u8 = 0;

fn guest(calls: &[Call]) -> Guest {
    let mut builder = WasiCtx::builder();
    builder.allow(Capabilities::HTTP);
    Guest::new(&mut builder, &program(calls, "0.2.12"))
}

/// Makes calls that are all answered as expected, and returns the guest's memory.
fn run(calls: &[Call]) -> Vec<u8> {
    let mut guest = guest(calls);
    guest.attack().unwrap();
    let contents = guest.contents();
    assert_eq!(differences(&contents, calls), Vec::<String>::new());
    contents
}

/// Lets a connection be served, and gives the address to ask and what serving it gave.
fn serve<R: Send + 'static>(
    serve: impl FnOnce(TcpStream) -> R + Send + 'static,
) -> (&'static str, JoinHandle<R>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string().leak();
    (address, spawn(move || serve(listener.accept().unwrap().0)))
}

/// Reads up to an empty line.
fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    String::from_utf8(head).unwrap()
}

/// A request: the fields are call 0 and the request is call 1.
fn request(authority: &'static str) -> [Call; 5] {
    [
        ("[constructor]fields", &[], &[Any]),
        ("[constructor]outgoing-request", &[Of(0)], &[Any]),
        ("set-scheme", &[Of(1), I(1), I(0), I(0), I(0)], &[Is(0)]),
        ("set-authority", vec![Of(1), I(1), S(authority)].leak(), &[Is(0)]),
        ("set-path-with-query", &[Of(1), I(1), S("/a?b=c")], &[Is(0)]),
    ]
}

const NO_OPTIONS: &[Arg] = &[Of(1), I(0), I(0)];

/// All of these, one behind the other.
fn all(parts: &[&[Call]]) -> Vec<Call> {
    parts.concat()
}

#[test]
fn a_guest_gets_something() {
    let (authority, server) = serve(|mut stream| {
        let head = head(&mut stream);
        let answer = "HTTP/1.1 200 OK\r\nX-A: b\r\ntransfer-encoding: chunked\r\n\r\n";
        stream.write_all(answer.as_bytes()).unwrap();
        stream.write_all(b"5\r\nhello\r\n0\r\nX-Sum: 9\r\n\r\n").unwrap();
        head
    });
    let calls = all(&[
        &request(authority),
        &[
            ("handle", NO_OPTIONS, &[Fine]),
            ("future-incoming-response.subscribe", &[Of(5)], &[Any]),
            ("pollable.block", &[Of(6)], &[Any]),
            ("future-incoming-response.get", &[Of(5)], &[Is(1)]),
            ("future-incoming-response.get", &[Of(5)], &[Any]),
            ("incoming-response.status", &[Of(8)], &[Is(200)]),
            ("incoming-response.headers", &[Of(8)], &[Any]),
            ("fields.entries", &[Of(11)], &[Any]),
            ("fields.append", &[Of(11), S("a"), S("b")], &[Code(IMMUTABLE)]),
            ("incoming-response.consume", &[Of(8)], &[Fine]),
            ("incoming-response.consume", &[Of(8)], &[Is(1)]),
            ("incoming-body.stream", &[Of(14)], &[Fine]),
            ("incoming-body.stream", &[Of(14)], &[Is(1)]),
            ("input-stream.blocking-read", &[Of(16), L(100)], &[Fine]),
            ("input-stream.blocking-read", &[Of(16), L(100)], &[Code(CLOSED)]),
            ("input-stream_drop", &[Of(16)], &[Any]),
            ("incoming-body.finish", &[Of(14)], &[Any]),
            ("future-trailers.subscribe", &[Of(21)], &[Any]),
            ("pollable.block", &[Of(22)], &[Any]),
            ("future-trailers.get", &[Of(21)], &[Is(1)]),
            ("fields.get", &[Of(24), S("X-SUM")], &[Any]),
        ],
    ]);
    let contents = run(&calls);
    // The second answer is that there was one already.
    assert_eq!(result(&contents, 9)[8], 1);
    assert_eq!(bytes(&contents, 18, 4), b"hello");
    let list = |call: usize| {
        let at = u32::from_le_bytes(result(&contents, call)[..4].try_into().unwrap()) as usize;
        let count = u32::from_le_bytes(result(&contents, call)[4..8].try_into().unwrap());
        (at, count)
    };
    let text = |at: usize| {
        let word = |at: usize| u32::from_le_bytes(contents[at..at + 4].try_into().unwrap());
        String::from_utf8(contents[word(at) as usize..][..word(at + 4) as usize].to_vec()).unwrap()
    };
    let (entries, count) = list(12);
    assert_eq!((text(entries), text(entries + 8), count), ("x-a".into(), "b".into(), 1));
    let (values, count) = list(25);
    assert_eq!((text(values), count), ("9".into(), 1));
    let head = server.join().unwrap();
    assert!(head.starts_with(&format!("GET /a?b=c HTTP/1.1\r\nhost: {authority}\r\n")), "{head}");
}

#[test]
fn a_guest_sends_something() {
    let (authority, server) = serve(|mut stream| {
        let head = head(&mut stream);
        let mut body = Vec::new();
        while !body.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            body.push(byte[0]);
        }
        stream.write_all(b"HTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n").unwrap();
        (head, String::from_utf8(body).unwrap())
    });
    run(&all(&[
        &request(authority),
        &[
            ("set-method", &[Of(1), I(2), I(0), I(0)], &[Is(0)]),
            ("outgoing-request.body", &[Of(1)], &[Fine]),
            ("outgoing-request.body", &[Of(1)], &[Is(1)]),
            ("outgoing-body.write", &[Of(6)], &[Fine]),
            ("outgoing-body.write", &[Of(6)], &[Is(1)]),
            ("blocking-write-and-flush", &[Of(8), S("hel")], &[Fine]),
            ("handle", NO_OPTIONS, &[Fine]),
            ("blocking-write-and-flush", &[Of(8), S("lo")], &[Fine]),
            ("output-stream_drop", &[Of(8)], &[Any]),
            ("[constructor]fields", &[], &[Any]),
            ("fields.append", &[Of(14), S("X-Sum"), S("9")], &[Fine]),
            ("outgoing-body.finish", &[Of(6), I(1), Of(14)], &[Fine]),
            ("future-incoming-response.subscribe", &[Of(11)], &[Any]),
            ("pollable.block", &[Of(17)], &[Any]),
            ("future-incoming-response.get", &[Of(11)], &[Is(1)]),
            ("incoming-response.status", &[Of(19)], &[Is(201)]),
        ],
    ]));
    let (head, body) = server.join().unwrap();
    assert!(head.starts_with("POST /a?b=c ") && head.contains("chunked"), "{head}");
    let contents: String = body.split("\r\n").filter(|line| "hello".contains(line)).collect();
    assert_eq!(contents, "hello", "{body:?}");
    assert!(body.ends_with("0\r\nX-Sum: 9\r\n\r\n"), "{body:?}");
}

#[test]
fn what_breaks_off_is_an_error_of_the_stream() {
    let (authority, server) = serve(|mut stream| {
        head(&mut stream);
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhello").unwrap();
    });
    let contents = run(&all(&[
        &request(authority),
        &[
            ("handle", NO_OPTIONS, &[Fine]),
            ("future-incoming-response.subscribe", &[Of(5)], &[Any]),
            ("pollable.block", &[Of(6)], &[Any]),
            ("future-incoming-response.get", &[Of(5)], &[Is(1)]),
            ("incoming-response.consume", &[Of(8)], &[Fine]),
            ("incoming-body.stream", &[Of(9)], &[Fine]),
            ("input-stream.blocking-read", &[Of(10), L(5)], &[Fine]),
            ("input-stream.blocking-read", &[Of(10), L(5)], &[Code(FAILED)]),
            ("http-error-code", &[super::guest::Arg::At(12, 8)], &[Any]),
            ("network-error-code", &[super::guest::Arg::At(12, 8)], &[Is(0)]),
            ("input-stream.blocking-read", &[Of(10), L(5)], &[Code(CLOSED)]),
            ("input-stream_drop", &[Of(10)], &[Any]),
            ("incoming-body.finish", &[Of(9)], &[Any]),
            ("future-trailers.get", &[Of(17)], &[Is(1)]),
        ],
    ]));
    let (is_some, code) = (result(&contents, 13)[0], result(&contents, 13)[8]);
    assert_eq!((is_some, code), (1, INCOMPLETE));
    // Trailers: some, for the first time, an error, and which.
    let trailers = result(&contents, 18);
    assert_eq!((trailers[8], trailers[16], trailers[24]), (0, 1, INCOMPLETE));
    server.join().unwrap();
}

#[test]
fn requests_that_can_not_be_are_refused() {
    let refused = |calls: &[Call], code: u8| {
        let mut calls = all(&[&request("127.0.0.1:9"), calls]);
        calls.push(("handle", NO_OPTIONS, vec![Code(code)].leak()));
        run(&calls);
    };
    refused(&[("set-method", &[Of(1), I(5), I(0), I(0)], &[Is(0)])], METHOD_INVALID);
    refused(&[("set-authority", &[Of(1), I(0), I(0), I(0)], &[Is(0)])], URI_INVALID);
    refused(&[("set-scheme", &[Of(1), I(1), I(2), S("ftp")], &[Is(0)])], PROTOCOL_ERROR);
    #[cfg(not(feature = "tls"))]
    for scheme in [&[Of(1), I(1), I(1), I(0), I(0)], &[Of(1), I(0), I(0), I(0), I(0)]] {
        refused(&[("set-scheme", scheme, &[Is(0)])], INTERNAL_ERROR);
    }
    run(&all(&[
        &request("127.0.0.1:9"),
        &[
            ("set-authority", &[Of(1), I(1), S("user@host")], &[Is(1)]),
            ("set-authority", &[Of(1), I(1), S("a\r\nb: c")], &[Is(1)]),
            ("set-path-with-query", &[Of(1), I(1), S("/ HTTP/1.1\r\na: b")], &[Is(1)]),
            ("set-path-with-query", &[Of(1), I(1), S("http://other/")], &[Is(1)]),
            ("set-method", &[Of(1), I(9), S("GET /")], &[Is(1)]),
            ("set-scheme", &[Of(1), I(1), I(2), S("a b")], &[Is(1)]),
        ],
    ]));
}

#[test]
fn a_length_that_is_said_is_kept() {
    let fields: [Call; 3] = [
        ("[constructor]fields", &[], &[Any]),
        ("fields.append", &[Of(0), S("content-length"), S("5")], &[Fine]),
        ("[constructor]outgoing-request", &[Of(0)], &[Any]),
    ];
    run(&all(&[
        &fields,
        &[
            ("outgoing-request.body", &[Of(2)], &[Fine]),
            ("outgoing-body.write", &[Of(3)], &[Fine]),
            ("check-write", &[Of(4)], &[Fine]),
            ("output-stream.write", &[Of(4), S("hello!")], &[Code(FAILED)]),
            ("output-stream_drop", &[Of(4)], &[Any]),
            ("outgoing-body.finish", &[Of(3), I(0), I(0)], &[Code(BODY_SIZE)]),
        ],
    ]));
    run(&all(&[
        &fields,
        &[
            ("outgoing-request.body", &[Of(2)], &[Fine]),
            ("outgoing-body.finish", &[Of(3), I(0), I(0)], &[Code(BODY_SIZE)]),
        ],
    ]));
}

#[test]
fn fields_are_checked() {
    run(&[
        ("[constructor]fields", &[], &[Any]),
        ("fields.append", &[Of(0), S("a b"), S("c")], &[Code(INVALID_SYNTAX)]),
        ("fields.append", &[Of(0), S("a"), S("b\r\nc: d")], &[Code(INVALID_SYNTAX)]),
        ("fields.append", &[Of(0), S("Connection"), S("close")], &[Code(FORBIDDEN)]),
        ("fields.append", &[Of(0), S("Transfer-Encoding"), S("chunked")], &[Code(FORBIDDEN)]),
        ("fields.append", &[Of(0), S("Host"), S("other")], &[Code(FORBIDDEN)]),
        ("fields.append", &[Of(0), S("a"), S("b")], &[Fine]),
        ("fields.has", &[Of(0), S("A")], &[Is(1)]),
        ("fields.clone", &[Of(0)], &[Any]),
        ("fields.delete", &[Of(0), S("A")], &[Fine]),
        ("fields.has", &[Of(0), S("a")], &[Is(0)]),
        ("fields.has", &[Of(8), S("a")], &[Is(1)]),
        ("fields.has", &[Of(8), S("a b")], &[Is(0)]),
        ("[constructor]outgoing-request", &[Of(8)], &[Any]),
        ("outgoing-request.headers", &[Of(13)], &[Any]),
        ("fields.delete", &[Of(14), S("a")], &[Code(IMMUTABLE)]),
        ("fields.clone", &[Of(14)], &[Any]),
        ("fields.delete", &[Of(16), S("a")], &[Fine]),
        ("[constructor]outgoing-response", &[Of(16)], &[Any]),
        ("outgoing-response.status-code", &[Of(18)], &[Is(200)]),
        ("set-status-code", &[Of(18), I(99)], &[Is(1)]),
        ("set-status-code", &[Of(18), I(404)], &[Is(0)]),
        ("outgoing-response.status-code", &[Of(18)], &[Is(404)]),
        ("outgoing-response.body", &[Of(18)], &[Fine]),
        ("outgoing-response.body", &[Of(18)], &[Is(1)]),
    ]);
}

#[test]
fn options_are_kept_and_used() {
    let (authority, server) = serve(|mut stream| {
        head(&mut stream);
        let _ = stream.read(&mut [0; 1]);
    });
    const READ_TIMEOUT: u8 = 9;
    let contents = run(&all(&[
        &request(authority),
        &[
            ("[constructor]request-options", &[], &[Any]),
            ("first-byte-timeout", &[Of(5)], &[Is(0)]),
            ("set-first-byte-timeout", &[Of(5), I(1), L(30_000_000)], &[Is(0)]),
            ("first-byte-timeout", &[Of(5)], &[Is(1)]),
            ("set-connect-timeout", &[Of(5), I(1), L(30_000_000_000)], &[Is(0)]),
            ("set-between-bytes-timeout", &[Of(5), I(0), L(0)], &[Is(0)]),
            ("handle", &[Of(1), I(1), Of(5)], &[Fine]),
            ("future-incoming-response.subscribe", &[Of(11)], &[Any]),
            ("pollable.block", &[Of(12)], &[Any]),
            ("future-incoming-response.get", &[Of(11)], &[Is(1)]),
        ],
    ]));
    let answer = result(&contents, 14);
    assert_eq!((answer[8], answer[16], answer[24]), (0, 1, READ_TIMEOUT));
    server.join().unwrap();
}

#[test]
fn sending_takes_a_capability() {
    let mut builder = WasiCtx::builder();
    builder.allow(Capabilities::NET);
    let calls = all(&[&request("127.0.0.1:9"), &[("handle", NO_OPTIONS, &[Code(REQUEST_DENIED)])]]);
    let mut guest = Guest::new(&mut builder, &program(&calls, "0.2.12"));
    guest.attack().unwrap();
    let contents = guest.contents();
    assert_eq!(differences(&contents, &calls), Vec::<String>::new());
    assert_eq!(guest.store.data().wasi.refused(), Capabilities::HTTP);
}

#[test]
fn bodies_are_finished_behind_their_streams() {
    let calls: [Call; 6] = [
        ("[constructor]fields", &[], &[Any]),
        ("[constructor]outgoing-request", &[Of(0)], &[Any]),
        ("outgoing-request.body", &[Of(1)], &[Fine]),
        ("outgoing-body.write", &[Of(2)], &[Fine]),
        ("outgoing-body.finish", &[Of(2), I(0), I(0)], &[Any]),
        ("output-stream_drop", &[Of(3)], &[Any]),
    ];
    let error = guest(&calls).attack().unwrap_err();
    assert!(error.summary().contains("children"), "{error}");
}

#[test]
fn waiting_for_a_response_is_interrupted() {
    let (authority, _server) = serve(|mut stream| {
        head(&mut stream);
        let _ = stream.read(&mut [0; 1]);
    });
    let mut guest = guest(&all(&[
        &request(authority),
        &[
            ("handle", NO_OPTIONS, &[Fine]),
            ("future-incoming-response.subscribe", &[Of(5)], &[Any]),
            ("pollable.block", &[Of(6)], &[Any]),
        ],
    ]));
    let handle = guest.store.data().wasi.interrupt_handle().unwrap();
    let interrupter = spawn(move || {
        std::thread::sleep(Duration::from_millis(50));
        handle.interrupt();
    });
    let error = guest.attack().unwrap_err();
    assert!(error.summary().contains("interrupt"), "{error}");
    interrupter.join().unwrap();
}
