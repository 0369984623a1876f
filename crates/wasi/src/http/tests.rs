//! Exchanges with servers on loopback, which answer well, badly, slowly and not at all.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::{JoinHandle, sleep, spawn};
use std::time::{Duration, Instant};

use super::body::Outlet;
use super::error::Error;
use super::exchange::{Exchange, Timeouts};
use super::fields::Fields;
use super::flow::{Flow, Piece, Want};
use super::request::{Authority, Method, Request, Scheme};
use super::response::Response;
use super::{BODY_BUFFER, MAX_SECTION};
use crate::Capabilities;
use crate::host::poll::{Need, Waiter};
use crate::host::sys::AsFd;
use crate::host::{Failure, Host, sys};

fn host() -> Host {
    Host::new(Capabilities::HTTP)
}

/// Lets a connection be served, and gives what serving it gave.
fn serve<R: Send + 'static>(
    serve: impl FnOnce(TcpStream) -> R + Send + 'static,
) -> (SocketAddr, JoinHandle<R>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
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

/// A server that reads a head, gives an answer and closes the connection.
fn answer(answer: impl Into<Vec<u8>>) -> SocketAddr {
    let answer = answer.into();
    serve(move |mut stream| {
        head(&mut stream);
        let _ = stream.write_all(&answer);
    })
    .0
}

fn request(host: &Host, address: SocketAddr, method: &str) -> Request {
    Request {
        method: Method::new(method).unwrap(),
        scheme: Scheme::Http,
        authority: Authority::parse(&address.to_string()).unwrap(),
        target: String::from("/x?y"),
        headers: Fields::new(&host.budget).unwrap(),
    }
}

fn start(host: &Host, address: SocketAddr, method: &str) -> Arc<Exchange> {
    Exchange::start(host, request(host, address, method), None, Timeouts::default()).unwrap()
}

/// Waits until what is wanted can be had; fails if that takes many turns, each of which
/// has to be woken for something.
fn wait(host: &Host, exchange: &Exchange, want: Want) -> Result<(), Failure> {
    for _ in 0..20_000 {
        let mut needs = Vec::new();
        if exchange.is_ready(host, want, &mut needs)? {
            return Ok(());
        }
        assert!(!needs.is_empty(), "there is nothing to wait for");
        let mut waiter = Waiter::new(host);
        let mut until = u64::MAX;
        for need in &needs {
            match need {
                Need::Socket(socket, direction) => drop(waiter.add(socket.as_fd(), *direction)),
                #[cfg(feature = "serve")]
                Need::Stream(stream, direction) => drop(waiter.add(stream.as_fd(), *direction)),
                #[cfg(feature = "serve")]
                Need::Event(event) => drop(waiter.add_event(event)),
                Need::Lookup(lookup) => drop(lookup.event().map(|event| waiter.add_event(event))),
                Need::Until(moment) => until = until.min(*moment),
            }
        }
        let now = sys::now(crate::host::clocks::Clock::Monotonic);
        waiter.wait(Some(until.saturating_sub(now)))?;
    }
    panic!("waiting for {want:?} goes round and round");
}

fn response(host: &Host, exchange: &Exchange) -> Result<Response, Error> {
    wait(host, exchange, Want::Head).unwrap();
    exchange.response(host).unwrap().unwrap()
}

fn body(host: &Host, exchange: &Exchange) -> Result<Vec<u8>, Error> {
    let mut body = Vec::new();
    loop {
        match exchange.read(host, 1000).unwrap() {
            Piece::Bytes(bytes) => {
                assert!(!bytes.is_empty() && bytes.len() <= 1000);
                body.extend(bytes);
            }
            Piece::Later => wait(host, exchange, Want::Body).unwrap(),
            Piece::End => return Ok(body),
            Piece::Failed(error) => return Err(error),
        }
    }
}

/// Status and body of an answer.
fn get(method: &str, text: impl Into<Vec<u8>>) -> Result<(u16, String), Error> {
    let host = host();
    let exchange = start(&host, answer(text), method);
    let status = response(&host, &exchange)?.status;
    Ok((status, String::from_utf8(body(&host, &exchange)?).unwrap()))
}

fn ok(status: u16, body: &str) -> Result<(u16, String), Error> {
    Ok((status, body.to_owned()))
}

#[test]
fn a_request_gets_a_response() {
    let host = host();
    let (address, server) = serve(|mut stream| {
        let head = head(&mut stream);
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nX-A: b\r\n\r\nhello").unwrap();
        head
    });
    let exchange = start(&host, address, "GET");
    let response = response(&host, &exchange).unwrap();
    assert_eq!(response.status, 200);
    let fields: Vec<_> = response.headers.iter().collect();
    assert_eq!(fields, [("content-length", &b"5"[..]), ("x-a", b"b")]);
    assert_eq!(body(&host, &exchange).unwrap(), b"hello");
    assert!(matches!(exchange.trailers(&host), Ok(Some(Ok(None)))));
    let head = server.join().unwrap();
    assert_eq!(head, format!("GET /x?y HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n"));
}

#[test]
fn answers_end_as_they_say() {
    assert_eq!(get("GET", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi, more"), ok(200, "hi"));
    assert_eq!(get("GET", "HTTP/1.1 200 OK\r\n\r\nhi, more"), ok(200, "hi, more"));
    assert_eq!(get("GET", "HTTP/1.0 500\r\n\r\n"), ok(500, ""));
    let chunked =
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n1\r\n!\r\n0\r\n\r\n";
    assert_eq!(get("GET", chunked), ok(200, "hi!"));
    for status in [204, 304] {
        let head = format!("HTTP/1.1 {status} x\r\ncontent-length: 5\r\n\r\n");
        assert_eq!(get("GET", head), ok(status, ""));
    }
    assert_eq!(get("HEAD", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n"), ok(200, ""));
    let early = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n";
    let late = "HTTP/1.1 201 Created\r\ncontent-length: 1\r\n\r\n!";
    assert_eq!(get("GET", format!("{early}{late}")), ok(201, "!"));
}

#[test]
fn bad_answers_are_errors() {
    let head = "HTTP/1.1 200 OK\r\n";
    assert_eq!(get("GET", ""), Err(Error::Terminated));
    assert_eq!(get("GET", "HTTP/1.1 20"), Err(Error::Incomplete));
    assert_eq!(get("GET", format!("{head}content-length: 9\r\n\r\nhello")), Err(Error::Incomplete));
    let chunked = format!("{head}transfer-encoding: chunked\r\n\r\n");
    assert_eq!(get("GET", format!("{chunked}5\r\nhel")), Err(Error::Incomplete));
    assert_eq!(get("GET", format!("{chunked}5\r\nhello\r\n")), Err(Error::Incomplete));
    assert_eq!(get("GET", format!("{chunked}5\nhello\n0\n\n")), Err(Error::Protocol));
    assert_eq!(get("GET", format!("{chunked}fffffffffffffffff\r\n")), Err(Error::Protocol));
    assert_eq!(get("GET", "220 smtp.example.com ESMTP\r\n\r\n"), Err(Error::Protocol));
    assert_eq!(get("GET", "\r\n\r\n"), Err(Error::Protocol));
    assert_eq!(get("GET", "HTTP/1.1 101 Switching Protocols\r\n\r\n"), Err(Error::Protocol));
    let gzip = format!("{head}transfer-encoding: gzip, chunked\r\n\r\n");
    assert_eq!(get("GET", gzip), Err(Error::TransferCoding(String::from("gzip"))));
    let two = format!("{head}content-length: 5\r\ncontent-length: 6\r\n\r\nhello");
    assert_eq!(get("GET", two), Err(Error::Protocol));
    let again = "HTTP/1.1 100 Continue\r\n\r\n".repeat(100);
    assert_eq!(get("GET", again), Err(Error::Protocol));
    let endless = format!("{head}a: {}", "x".repeat(2 * MAX_SECTION));
    assert!(matches!(get("GET", endless), Err(Error::HeadSize(_))));
    let many = format!("{head}{}\r\n", "a: b\r\n".repeat(1000));
    assert!(matches!(get("GET", many), Err(Error::HeadSize(_))));
}

#[test]
fn what_comes_byte_by_byte_is_put_together() {
    let host = host();
    let (address, server) = serve(|mut stream| {
        head(&mut stream);
        stream.set_nodelay(true).unwrap();
        let answer = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 6\r\n\r\n";
        for byte in answer {
            stream.write_all(&[*byte]).unwrap();
            sleep(Duration::from_millis(1));
        }
    });
    let exchange = start(&host, address, "GET");
    assert_eq!(response(&host, &exchange).unwrap().status, 200);
    assert_eq!(body(&host, &exchange).unwrap(), b"abc");
    let trailers = exchange.trailers(&host).unwrap().unwrap().unwrap().unwrap();
    assert_eq!(trailers.iter().collect::<Vec<_>>(), [("x-sum", &b"6"[..])]);
    server.join().unwrap();
}

#[test]
fn a_body_is_skipped_to_its_trailers() {
    let host = host();
    let mut text = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    for _ in 0..100 {
        text.extend_from_slice(b"8000\r\n");
        text.extend_from_slice(&[b'x'; 0x8000]);
        text.extend_from_slice(b"\r\n");
    }
    text.extend_from_slice(b"0\r\nX-Sum: 6\r\n\r\n");
    let exchange = start(&host, answer(text), "GET");
    response(&host, &exchange).unwrap();
    wait(&host, &exchange, Want::End).unwrap();
    let trailers = exchange.trailers(&host).unwrap().unwrap().unwrap().unwrap();
    assert_eq!(trailers.iter().count(), 1);
    assert!(matches!(exchange.trailers(&host), Ok(Some(Ok(None)))));
}

/// Sends a body by and by, and gives what the server got.
fn send(length: Option<u64>, pieces: usize, trailers: bool) -> (String, Vec<u8>) {
    let host = host();
    let (address, server) = serve(|mut stream| {
        let head = head(&mut stream);
        let mut body = Vec::new();
        let mut buffer = [0; 4096];
        // An answer comes when the request is whole.
        let whole = |body: &[u8]| match head.contains("chunked") {
            true => body.ends_with(b"\r\n0\r\n\r\n") || body.ends_with(b"X-Sum: 9\r\n\r\n"),
            false => {
                let length = head.split("content-length: ").nth(1).unwrap();
                body.len() >= length.split("\r\n").next().unwrap().parse().unwrap()
            }
        };
        while !whole(&body) {
            let len = stream.read(&mut buffer).unwrap();
            assert!(len > 0, "the request broke off");
            body.extend_from_slice(&buffer[..len]);
        }
        stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap();
        (head, body)
    });
    let mut request = request(&host, address, "POST");
    if let Some(length) = length {
        request.headers.append("content-length", length.to_string().into_bytes()).unwrap();
    }
    let outlet = Outlet::new(&host.budget, length).unwrap();
    let taken = Some(outlet.clone());
    let exchange = Exchange::start(&host, request, taken, Timeouts::default()).unwrap();
    for _ in 0..pieces {
        let mut bytes = &[b'x'; 10_000][..];
        while !bytes.is_empty() {
            exchange.push(&host).unwrap();
            let room = outlet.room().unwrap();
            assert!(room <= BODY_BUFFER);
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            outlet.write(now).unwrap();
            bytes = later;
            if room == 0 {
                let mut needs = Vec::new();
                exchange.is_ready(&host, Want::Send, &mut needs).unwrap();
                sleep(Duration::from_millis(1));
            }
        }
    }
    let trailers = trailers.then(|| {
        let mut trailers = Fields::new(&host.budget).unwrap();
        trailers.append("X-Sum", b"9".to_vec()).unwrap();
        trailers.append("Content-Length", b"9".to_vec()).unwrap();
        trailers
    });
    outlet.finish(trailers).unwrap();
    assert_eq!(response(&host, &exchange).unwrap().status, 204);
    server.join().unwrap()
}

/// The contents of a body in chunks.
fn unchunk(mut body: &[u8]) -> Vec<u8> {
    let mut contents = Vec::new();
    loop {
        let line = body.iter().position(|&byte| byte == b'\r').unwrap();
        let size = usize::from_str_radix(std::str::from_utf8(&body[..line]).unwrap(), 16).unwrap();
        body = &body[line + 2..];
        if size == 0 {
            return contents;
        }
        contents.extend_from_slice(&body[..size]);
        assert_eq!(&body[size..size + 2], b"\r\n");
        body = &body[size + 2..];
    }
}

#[test]
fn bodies_go_out_as_they_are_written() {
    let (head, body) = send(Some(30_000), 3, false);
    assert!(head.contains("\r\ncontent-length: 30000\r\n") && !head.contains("chunked"), "{head}");
    assert_eq!(body.len(), 30_000);
    let (head, body) = send(None, 200, false);
    assert!(head.contains("\r\ntransfer-encoding: chunked\r\n"), "{head}");
    assert_eq!(unchunk(&body).len(), 2_000_000);
    let (_, body) = send(None, 2, true);
    assert!(body.ends_with(b"\r\n0\r\nX-Sum: 9\r\n\r\n"));
    let (head, body) = send(None, 0, false);
    assert!(head.contains("\r\ncontent-length: 0\r\n") && body.is_empty(), "{head}");
}

#[test]
fn a_short_body_that_is_whole_has_a_length() {
    let host = host();
    let (address, server) = serve(|mut stream| {
        let head = head(&mut stream);
        let mut body = [0; 5];
        stream.read_exact(&mut body).unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
        (head, body)
    });
    let outlet = Outlet::new(&host.budget, None).unwrap();
    outlet.write(b"hello").unwrap();
    outlet.finish(None).unwrap();
    let request = request(&host, address, "PUT");
    let exchange = Exchange::start(&host, request, Some(outlet), Timeouts::default()).unwrap();
    response(&host, &exchange).unwrap();
    let (head, body) = server.join().unwrap();
    assert!(head.contains("\r\ncontent-length: 5\r\n"), "{head}");
    assert_eq!(&body, b"hello");
}

#[test]
fn a_body_that_is_not_finished_breaks_the_request_off() {
    let host = host();
    let (address, server) = serve(|mut stream| {
        head(&mut stream);
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
        rest
    });
    let outlet = Outlet::new(&host.budget, None).unwrap();
    outlet.write(b"hello").unwrap();
    let taken = Some(outlet.clone());
    let request = request(&host, address, "POST");
    let exchange = Exchange::start(&host, request, taken, Timeouts::default()).unwrap();
    let mut needs = Vec::new();
    while outlet.room().is_some_and(|room| room < BODY_BUFFER) {
        exchange.is_ready(&host, Want::Send, &mut needs).unwrap();
        sleep(Duration::from_millis(1));
    }
    outlet.abort();
    assert_eq!(response(&host, &exchange).err(), Some(Error::Protocol));
    assert_eq!(server.join().unwrap(), b"5\r\nhello\r\n");
    assert_eq!(outlet.room(), None);
}

#[test]
fn a_response_may_come_before_the_body_is_wanted() {
    let host = host();
    let (address, server) = serve(|mut stream| {
        head(&mut stream);
        stream.write_all(b"HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno").unwrap();
        // Nobody reads the body, and its end is abrupt.
        sleep(Duration::from_millis(50));
    });
    let outlet = Outlet::new(&host.budget, None).unwrap();
    let taken = Some(outlet.clone());
    let request = request(&host, address, "POST");
    let exchange = Exchange::start(&host, request, taken, Timeouts::default()).unwrap();
    assert_eq!(response(&host, &exchange).unwrap().status, 413);
    assert_eq!(body(&host, &exchange).unwrap(), b"no");
    server.join().unwrap();
    for _ in 0..1000 {
        if outlet.room().is_none() {
            return;
        }
        outlet.write(&[0; 1000]).unwrap();
        exchange.push(&host).unwrap();
        sleep(Duration::from_millis(1));
    }
    panic!("the connection is never found closed");
}

#[test]
fn a_request_to_get_something_waits_for_no_body() {
    let host = host();
    let (address, server) = serve(|mut stream| {
        let head = head(&mut stream);
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
        head
    });
    let outlet = Outlet::new(&host.budget, None).unwrap();
    let taken = Some(outlet.clone());
    let request = request(&host, address, "GET");
    let exchange = Exchange::start(&host, request, taken, Timeouts::default()).unwrap();
    assert_eq!(response(&host, &exchange).unwrap().status, 200);
    let head = server.join().unwrap();
    assert!(!head.contains("chunked") && !head.contains("length"), "{head}");
    assert_eq!(outlet.finish(None), Ok(()));
}

#[test]
fn what_takes_too_long_is_given_up() {
    let host = host();
    let millis = 1_000_000;
    let (address, server) = serve(|mut stream| {
        head(&mut stream);
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
    });
    let timeouts = Timeouts { first_byte: 50 * millis, ..Timeouts::default() };
    let start = Instant::now();
    let exchange = Exchange::start(&host, request(&host, address, "GET"), None, timeouts).unwrap();
    assert_eq!(response(&host, &exchange).err(), Some(Error::ReadTimeout));
    let took = start.elapsed();
    assert!(took >= Duration::from_millis(50) && took < Duration::from_secs(5), "{took:?}");
    server.join().unwrap();

    let (address, server) = serve(|mut stream| {
        head(&mut stream);
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhel").unwrap();
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
    });
    let timeouts = Timeouts { between_bytes: 50 * millis, ..Timeouts::default() };
    let exchange = Exchange::start(&host, request(&host, address, "GET"), None, timeouts).unwrap();
    response(&host, &exchange).unwrap();
    assert_eq!(body(&host, &exchange).err(), Some(Error::ReadTimeout));
    server.join().unwrap();

    // Nobody answers there: the address is for documentation.
    let timeouts = Timeouts { connect: 50 * millis, ..Timeouts::default() };
    let nowhere = request(&host, "192.0.2.1:80".parse().unwrap(), "GET");
    let exchange = Exchange::start(&host, nowhere, None, timeouts).unwrap();
    let error = response(&host, &exchange).err().unwrap();
    let unreachable =
        [Error::ConnectTimeout, Error::Unroutable, Error::Unavailable, Error::Refused];
    assert!(unreachable.contains(&error), "{error:?}");
}

#[test]
fn waiting_is_interrupted() {
    let host = host();
    let handle = host.interrupt.arm().unwrap();
    let (address, _server) = serve(|mut stream| {
        head(&mut stream);
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
    });
    let exchange = start(&host, address, "GET");
    let interrupter = spawn(move || {
        sleep(Duration::from_millis(50));
        handle.interrupt();
    });
    assert!(matches!(wait(&host, &exchange, Want::Head), Err(Failure::Interrupted)));
    interrupter.join().unwrap();
}

#[test]
fn nobody_there_is_an_error() {
    let host = host();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    assert_eq!(response(&host, &start(&host, address, "GET")).err(), Some(Error::Refused));
    let mut nobody = request(&host, address, "GET");
    nobody.authority = Authority::parse("no-such-host.invalid").unwrap();
    let exchange = Exchange::start(&host, nobody, None, Timeouts::default()).unwrap();
    assert!(matches!(response(&host, &exchange), Err(Error::Lookup(_))));
}

#[test]
fn names_are_looked_up_and_all_their_addresses_tried() {
    let host = host();
    let address = answer("HTTP/1.1 200 OK\r\n\r\n");
    let mut local = request(&host, address, "GET");
    // Perhaps also an address of IPv6, where nobody is.
    local.authority = Authority::parse(&format!("localhost:{}", address.port())).unwrap();
    let exchange = Exchange::start(&host, local, None, Timeouts::default()).unwrap();
    assert_eq!(response(&host, &exchange).unwrap().status, 200);
}

#[test]
fn requests_that_can_not_be_are_not_begun() {
    let host = host();
    let address = "127.0.0.1:9".parse().unwrap();
    let refused =
        |request: Request| Exchange::start(&host, request, None, Timeouts::default()).err();
    assert_eq!(refused(request(&host, address, "CONNECT")), Some(Error::Method));
    let mut other = request(&host, address, "GET");
    other.target = String::from("http://other/");
    assert_eq!(refused(other), Some(Error::Target));
    let mut long = request(&host, address, "POST");
    long.headers.append("content-length", b"5".to_vec()).unwrap();
    assert_eq!(refused(long), Some(Error::RequestBodySize(0)));
    let mut odd = request(&host, address, "GET");
    odd.authority = Authority::parse("a%20b").unwrap();
    assert_eq!(refused(odd), Some(Error::Target));
    let socketless = Host::new(Capabilities::NET);
    let request = request(&socketless, address, "GET");
    let denied = Exchange::start(&socketless, request, None, Timeouts::default());
    assert_eq!(denied.err(), Some(Error::Denied));
    assert_eq!(socketless.refused(), Capabilities::HTTP);
}

#[cfg(not(feature = "tls"))]
#[test]
fn without_tls_there_is_no_https() {
    let host = host();
    let mut request = request(&host, "127.0.0.1:9".parse().unwrap(), "GET");
    request.scheme = Scheme::Https;
    let error = Exchange::start(&host, request, None, Timeouts::default()).err().unwrap();
    assert!(error.to_string().contains("'tls'"), "{error}");
}

#[test]
fn there_are_only_so_many_exchanges() {
    let host = host();
    let address = "127.0.0.1:9".parse().unwrap();
    let mut all = Vec::new();
    let error = loop {
        let request = request(&host, address, "GET");
        match Exchange::start(&host, request, None, Timeouts::default()) {
            Ok(exchange) => all.push(exchange),
            Err(error) => break error,
        }
    };
    assert_eq!(error, Error::TooMany);
    assert!(all.len() >= 100, "{}", all.len());
    drop(all);
    start(&host, address, "GET");
}

#[test]
fn others_go_on_while_one_is_waited_for() {
    let host = host();
    let (address, server) = serve(|mut stream| {
        let head = head(&mut stream);
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
        head
    });
    let exchange = start(&host, address, "GET");
    let deadline = Instant::now() + Duration::from_secs(10);
    while !server.is_finished() {
        assert!(Instant::now() < deadline, "the request never goes out");
        host.background.go_on(&host, &mut Vec::new()).unwrap();
        sleep(Duration::from_millis(1));
    }
    assert!(server.join().unwrap().starts_with("GET "));
    assert_eq!(response(&host, &exchange).unwrap().status, 200);
}

/// Numbers that look like chance.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }
}

#[test]
fn no_answer_is_too_odd() {
    use super::decode::{Decoder, Next, Received};
    use crate::host::budget::Budget;

    let answers: [&[u8]; 4] = [
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nx: y\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nx: y\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 404\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\ncontent-length: 18446744073709551615\r\n\r\nhello",
    ];
    let pieces: [&[u8]; 8] =
        [b"\r\n", b"\n", b"\r\n\r\n", b"0", b"ffffffffffffffff", b":", b"\0", b"\xff"];
    let (mut chance, budget) = (Chance(0x9e37_79b9_7f4a_7c15), Budget::new(crate::http::BUDGET));
    let method = Method::new("GET").unwrap();
    for _ in 0..20_000 {
        let mut answer = answers[chance.below(answers.len())].to_vec();
        for _ in 0..chance.below(4) {
            let at = chance.below(answer.len() + 1);
            match chance.below(4) {
                0 => answer.truncate(at),
                1 => drop(answer.drain(at..(at + chance.below(8)).min(answer.len()))),
                2 => drop(answer.splice(at..at, pieces[chance.below(pieces.len())].to_vec())),
                _ if at < answer.len() => answer[at] = chance.below(256) as u8,
                _ => {}
            }
        }
        let (mut received, mut decoder) = (Received::default(), None);
        let mut left = &answer[..];
        let mut taken = 0;
        loop {
            let ended = received.ended;
            let more = match &mut decoder {
                None => match received.section(MAX_SECTION) {
                    Ok(Some(head)) => match super::response::parse(head, &method, &budget) {
                        Ok((_, framing)) => {
                            decoder = Some(Decoder::new(framing));
                            false
                        }
                        Err(_) => break,
                    },
                    Ok(None) if ended => break,
                    Ok(None) => true,
                    Err(_) => break,
                },
                Some(decoder) => match decoder.next(&mut received, &budget) {
                    Ok(Next::Bytes(len)) => {
                        let len = 1 + chance.below(len);
                        taken += received.take(len).len();
                        decoder.took(len);
                        false
                    }
                    Ok(Next::More) => true,
                    Ok(Next::End) | Err(_) => break,
                },
            };
            if more {
                let (now, later) =
                    left.split_at(chance.below(left.len() + 1).max(1).min(left.len()));
                received.push(now);
                received.ended = now.is_empty();
                left = later;
            }
        }
        assert!(taken <= answer.len());
    }
}
