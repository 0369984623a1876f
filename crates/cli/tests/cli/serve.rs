//! `zwasm serve`: a server on loopback, and clients of all kinds.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{Dir, slowness, zwasm};

/// The component that answers: see `server.wat`.
const COMPONENT: &str = concat!(
    "(component\n",
    include_str!("../../../wasi/tests/p2/world.wat"),
    include_str!("../../../wasi/tests/p2/network.wat"),
    include_str!("server.wat"),
);

/// The same for WASI 0.3.
const SERVICE: &str = concat!(
    "(component\n",
    include_str!("../../../wasi/tests/p3/http.wat"),
    include_str!("service.wat"),
);

const PATIENCE: Duration = Duration::from_secs(30);

/// A server that runs.
struct Server {
    child: Child,
    stderr: BufReader<std::process::ChildStderr>,
    address: SocketAddr,
    _dir: Dir,
}

impl Server {
    fn start(options: &[&str]) -> Server {
        Server::of(COMPONENT, options)
    }

    /// One that answers by a component.
    fn of(component: &str, options: &[&str]) -> Server {
        let dir = Dir::new();
        let file = dir.write("server.wat", component);
        let mut child = Command::new(env!("CARGO_BIN_EXE_zwasm"))
            .args(["serve", "--addr", "127.0.0.1:0"])
            .args(options)
            .arg(file)
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        stderr.read_line(&mut line).unwrap();
        let address = line.trim_end().strip_prefix("serving HTTP on http://");
        let address = address.and_then(|rest| rest.strip_suffix('/')).expect(&line);
        Server { child, stderr, address: address.parse().unwrap(), _dir: dir }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE * slowness())).unwrap();
        stream.set_nodelay(true).unwrap();
        stream
    }

    /// What comes for these bytes, up to the end of the connection.
    fn answer(&self, request: impl AsRef<[u8]>) -> String {
        let mut stream = self.connect();
        // It may be refused before it is whole.
        let _ = stream.write_all(request.as_ref());
        rest(&mut stream)
    }

    /// The status for a request whose connection is closed behind it.
    fn status(&self, request: impl AsRef<[u8]>) -> u16 {
        status(&self.answer(request))
    }

    /// The status of getting something.
    fn get(&self, path: &str) -> u16 {
        self.status(get(path, "Connection: close\r\n"))
    }

    fn lives(&self) {
        assert_eq!(self.get("/"), 200);
    }

    #[cfg(unix)]
    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &id]).status().unwrap().success());
    }

    /// Waits for its end, and gives what it wrote.
    fn wait(mut self) -> (ExitStatus, String) {
        let mut text = String::new();
        self.stderr.read_to_string(&mut text).unwrap();
        (self.child.wait().unwrap(), text)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn get(path: &str, fields: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: a\r\n{fields}\r\n")
}

fn post(path: &str, fields: &str, body: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nHost: a\r\n{fields}\r\n{body}")
}

/// What comes up to the end.
fn rest(stream: &mut TcpStream) -> String {
    let mut all = Vec::new();
    // A connection that is reset has ended as well.
    let _ = stream.read_to_end(&mut all);
    String::from_utf8_lossy(&all).into_owned()
}

fn status(answer: &str) -> u16 {
    let status = answer.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3));
    status.and_then(|status| status.parse().ok()).unwrap_or(0)
}

/// Whether the client is told that this is no whole answer: by its status or, where the
/// head was sent before anybody knew, by the end that it has not.
fn is_broken(answer: &str) -> bool {
    let Some((head, body)) = answer.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let is_whole = match length {
        Some(length) => body.len() >= length.parse().unwrap(),
        None => body.ends_with("0\r\n\r\n"),
    };
    matches!(status(answer), 400 | 500) || (status(answer) == 200 && !is_whole)
}

/// Reads so many bytes.
fn exactly(stream: &mut TcpStream, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    stream.read_exact(&mut bytes).unwrap();
    bytes
}

/// Reads the head of a response.
fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.extend(exactly(stream, 1));
    }
    String::from_utf8(head).unwrap()
}

/// Reads a response: its head and its body, taken out of its chunks.
fn response(stream: &mut TcpStream) -> (String, Vec<u8>) {
    let head = head(stream);
    let field = |name: &str| {
        let start = head.find(name)? + name.len();
        head[start..].lines().next()
    };
    if let Some(length) = field("content-length: ") {
        let body = exactly(stream, length.parse().unwrap());
        return (head, body);
    }
    let mut body = Vec::new();
    while field("transfer-encoding: chunked").is_some() {
        let size = line(stream);
        let size = usize::from_str_radix(&size, 16).unwrap();
        body.extend(exactly(stream, size));
        assert_eq!(line(stream), "");
        if size == 0 {
            break;
        }
    }
    (head, body)
}

fn line(stream: &mut TcpStream) -> String {
    let mut line = Vec::new();
    while !line.ends_with(b"\r\n") {
        line.extend(exactly(stream, 1));
    }
    line.truncate(line.len() - 2);
    String::from_utf8(line).unwrap()
}

#[test]
fn requests_are_answered() {
    let server = Server::start(&[]);
    let mut stream = server.connect();
    for _ in 0..3 {
        stream.write_all(get("/", "").as_bytes()).unwrap();
        let (head, body) = response(&mut stream);
        assert!(head.starts_with("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n"), "{head}");
        assert!(
            head.contains("\r\ncontent-length: 6\r\n") && head.contains("\r\ndate: "),
            "{head}"
        );
        assert!(!head.contains("connection"), "{head}");
        assert_eq!(body, b"hello\n");
    }
    let (mut long, mut chunks) = (String::new(), String::new());
    for number in 0..40_000 {
        let text = format!("{number} ");
        chunks += &format!("{:x};x=y\r\n{text}\r\n", text.len());
        long += &text;
    }
    chunks += "0\r\nX-Sum: 9\r\n\r\n";
    for body in ["", "x", &long] {
        let request = post("/e", &format!("Content-Length: {}\r\n", body.len()), body);
        stream.write_all(request.as_bytes()).unwrap();
        assert!(response(&mut stream).1 == body.as_bytes());
    }
    let mut writer = stream.try_clone().unwrap();
    let request = post("/e", "Transfer-Encoding: chunked\r\n", &chunks);
    let writing = thread::spawn(move || writer.write_all(request.as_bytes()).unwrap());
    assert!(response(&mut stream).1 == long.as_bytes());
    writing.join().unwrap();
    stream.write_all(get("/b", "").as_bytes()).unwrap();
    assert!(response(&mut stream).1 == [0; 65536]);
    stream.write_all(get("/z", "").as_bytes()).unwrap();
    let (head, _) = response(&mut stream);
    assert!(head.starts_with("HTTP/1.1 204 No Content\r\n") && !head.contains("content-length"));
    stream.write_all(b"HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
    let all = rest(&mut stream);
    assert!(all.starts_with("HTTP/1.1 200 OK") && all.ends_with("\r\n\r\n"), "{all}");
    assert!(all.contains("content-length: 6\r\n") && all.contains("connection: close\r\n"));
}

#[test]
fn requests_may_be_sent_ahead() {
    let server = Server::start(&[]);
    let mut all = String::new();
    for _ in 0..50 {
        all += &get("/", "");
        all += &post("/e", "Content-Length: 4\r\n", "abcd");
        all += &post("/", "Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\n\r\n");
        all += "\r\n";
    }
    let mut stream = server.connect();
    stream.write_all(all.as_bytes()).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    for _ in 0..50 {
        assert_eq!(response(&mut stream).1, b"hello\n");
        assert_eq!(response(&mut stream).1, b"abcd");
        assert_eq!(response(&mut stream).1, b"hello\n");
    }
    assert_eq!(rest(&mut stream), "");
}

/// Some clients send an empty line behind a body, which may come in two pieces.
#[test]
fn empty_lines_between_requests_are_passed_over() {
    let server = Server::start(&[]);
    let mut stream = server.connect();
    stream.write_all(post("/e", "Content-Length: 1\r\n", "x").as_bytes()).unwrap();
    assert_eq!(response(&mut stream).1, b"x");
    for piece in ["\r", "\n\r\n\r", "\n", &get("/", "")] {
        stream.write_all(piece.as_bytes()).unwrap();
        thread::sleep(Duration::from_millis(50));
    }
    let (head, _) = response(&mut stream);
    assert!(head.starts_with("HTTP/1.1 200 OK"), "{head}");
}

#[test]
fn old_clients_are_answered() {
    let server = Server::start(&[]);
    let answer = server.answer("GET / HTTP/1.0\r\n\r\n");
    assert!(answer.contains("connection: close\r\n") && answer.ends_with("\r\n\r\nhello\n"));
    // What takes long has no length, and old clients know no chunks.
    let answer = server.answer("GET /s HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    assert!(answer.contains("connection: close\r\n"), "{answer}");
    assert!(!answer.contains("chunked") && answer.ends_with("\r\n\r\nhello\nhello\n"), "{answer}");
    let mut stream = server.connect();
    for _ in 0..2 {
        stream.write_all(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").unwrap();
        let (head, body) = response(&mut stream);
        assert!(head.contains("connection: keep-alive\r\n") && body == b"hello\n", "{head}");
    }
}

#[test]
fn what_is_written_goes_out_before_the_guest_is_done() {
    let server = Server::start(&["--timeout", "2s"]);
    for path in ["/s", "/f"] {
        let mut stream = server.connect();
        stream.write_all(get(path, "").as_bytes()).unwrap();
        let asked = Instant::now();
        assert!(head(&mut stream).contains("transfer-encoding: chunked"));
        assert_eq!((line(&mut stream), line(&mut stream)), ("6".into(), "hello\n".into()));
        if slowness() == 1 && path == "/f" {
            assert!(asked.elapsed() < Duration::from_millis(1500));
        }
        let rest = if path == "/s" { "6\r\nhello\n\r\n0\r\n\r\n" } else { "" };
        stream.shutdown(Shutdown::Write).unwrap();
        assert_eq!(self::rest(&mut stream), rest, "{path}");
    }
}

#[test]
fn guests_that_fail_are_told_of_and_the_server_lives() {
    let server = Server::start(&["--timeout", "500ms"]);
    let mut stream = server.connect();
    for path in ["/t", "/n", "/x"] {
        stream.write_all(get(path, "").as_bytes()).unwrap();
        let (head, body) = response(&mut stream);
        assert_eq!((status(&head), &*body), (500, &b"500 Internal Server Error\n"[..]), "{path}");
    }
    let short = server.answer(get("/c", ""));
    assert!(is_broken(&short), "{short}");
    for path in ["/l", "/p"] {
        stream.write_all(get(path, "").as_bytes()).unwrap();
        assert_eq!(status(&response(&mut stream).0), 504, "{path}");
    }
    // The beginning of an answer that is not to be whole is not made one.
    let cut = server.answer(get("/w", ""));
    assert!(status(&cut) == 200 && cut.ends_with("6\r\nhello\n\r\n"), "{cut}");
    server.lives();
    #[cfg(unix)]
    {
        server.signal("-TERM");
        drop(stream);
        let (exit, told) = server.wait();
        assert_eq!(exit.code(), Some(0));
        let all = [
            "error: 'GET /t HTTP/1.1': trap: unreachable",
            "error: 'GET /n HTTP/1.1': the guest gave no response",
            "error: 'GET /x HTTP/1.1': the guest answers with an error: LoopDetected",
            "error: 'GET /l HTTP/1.1': trap: interrupted (the limit is 500 ms, see --timeout)",
            "error: 'GET /p HTTP/1.1': trap: interrupted (the limit is 500 ms, see --timeout)",
            "error: 'GET /w HTTP/1.1': trap: unreachable",
        ];
        for line in all {
            assert!(told.lines().any(|told| told.starts_with(line)), "{line}: {told}");
        }
    }
}

#[test]
fn malformed_requests_are_refused() {
    let server = Server::start(&["--max-head", "8K", "--max-body", "1000"]);
    let field = |fields: &str| get("/", fields);
    let chunked = |body: &str| post("/e", "Transfer-Encoding: chunked\r\n", body);
    let cases: Vec<(String, u16)> = vec![
        ("nonsense\r\n\r\n".into(), 400),
        ("\0\x01\x02\r\n\r\n".into(), 400),
        ("GET /\r\n\r\n".into(), 400),
        ("GET / HTTP/1.1\r\n\r\n".into(), 400),
        ("GET / HTTP/1.1\nHost: a\n\n".into(), 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n".into(), 400),
        ("GET / HTTP/3.0\r\nHost: a\r\n\r\n".into(), 505),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".into(), 505),
        ("CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n".into(), 501),
        ("GET a HTTP/1.1\r\nHost: a\r\n\r\n".into(), 400),
        ("GET http://a/ HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n".into(), 200),
        ("OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".into(), 200),
        (field("a: b\r\n c\r\n"), 400),
        (field("a : b\r\n"), 400),
        (field(": b\r\n"), 400),
        (field("a: \0\r\n"), 400),
        (field("Expect: more\r\n"), 417),
        (field(&format!("a: {}\r\n", "x".repeat(9000))), 431),
        (field(&"a: b\r\n".repeat(500)), 431),
        ("x".repeat(9000), 431),
        (field("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), 400),
        (field("Content-Length: 5\r\nContent-Length: 5\r\n"), 400),
        (field("Content-Length: 5\r\nContent-Length: 6\r\n"), 400),
        (field("Content-Length: 5, 5\r\n"), 400),
        (field("Content-Length: +5\r\n"), 400),
        (field("Content-Length: 99999999999999999999999\r\n"), 413),
        (field("Content-Length: 1001\r\n"), 413),
        (field("Transfer-Encoding: chunked, chunked\r\n"), 501),
        (field("Transfer-Encoding: gzip\r\n"), 501),
        (field("Transfer-Encoding: \x0bchunked\r\n"), 400),
        ("GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n".into(), 400),
        (chunked("x\r\n"), 400),
        (chunked("-1\r\n"), 400),
        (chunked("5\nhello\r\n0\r\n\r\n"), 400),
        (chunked("5\r\nhello!\r\n0\r\n\r\n"), 400),
        (chunked("fffffffffffffffff\r\n"), 400),
        (chunked(&format!("5;{}\r\nhello\r\n0\r\n\r\n", "x".repeat(3000))), 400),
        (chunked(&format!("7d0\r\n{}\r\n0\r\n\r\n", "x".repeat(2000))), 413),
    ];
    for (request, status) in cases {
        let answer = server.answer(&request);
        let shown: String = request.chars().take(100).collect();
        // What is wrong in a body shows late.
        let late = self::status(&answer) == 200 && is_broken(&answer);
        if !(late && request.contains("Transfer-Encoding: chunked\r\n\r\n")) {
            assert_eq!(self::status(&answer), status, "{shown:?}: {answer}");
        }
        // Nothing that was hidden behind it is taken for a request.
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{shown:?}: {answer}");
    }
    let smuggled = "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 40\r\nTransfer-Encoding: chunked\
                    \r\n\r\n0\r\n\r\nGET /t HTTP/1.1\r\nHost: a\r\n\r\n";
    assert_eq!(server.answer(smuggled).matches("HTTP/1.1 ").count(), 1);
    server.lives();
}

#[test]
fn the_body_is_asked_for_when_it_is_wanted() {
    let server = Server::start(&[]);
    let fields = "Content-Length: 5\r\nExpect: 100-continue\r\n";
    let mut stream = server.connect();
    for _ in 0..2 {
        stream.write_all(post("/e", fields, "").as_bytes()).unwrap();
        assert_eq!(head(&mut stream), "HTTP/1.1 100 Continue\r\n\r\n");
        stream.write_all(b"hello").unwrap();
        assert_eq!(response(&mut stream).1, b"hello");
    }
    // A guest that does not want it has not to wait for it.
    stream.write_all(post("/", fields, "").as_bytes()).unwrap();
    let (head, body) = response(&mut stream);
    assert!(head.contains("connection: close\r\n") && body == b"hello\n", "{head}");
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(rest(&mut stream), "");
}

#[test]
fn slow_clients_and_waiting_guests_hold_nobody_up() {
    let server = Server::start(&["--threads", "1", "--max-requests", "2"]);
    let slow: Vec<_> = (0..20)
        .map(|at| {
            let mut stream = server.connect();
            let request = post("/e", "Content-Length: 5\r\n", "hell");
            stream
                .write_all(&request.as_bytes()[..if at % 2 == 0 { 20 } else { request.len() }])
                .unwrap();
            stream
        })
        .collect();
    let mut sleeping = server.connect();
    sleeping.write_all(get("/p", "").as_bytes()).unwrap();
    thread::sleep(Duration::from_millis(50));
    for _ in 0..20 {
        server.lives();
    }
    for mut stream in slow.into_iter().skip(1).step_by(2) {
        stream.write_all(b"o").unwrap();
        assert_eq!(response(&mut stream).1, b"hello");
    }
}

#[test]
fn time_is_limited() {
    let options = ["--head-timeout", "400ms", "--idle-timeout", "900ms", "--timeout", "20s"];
    let server = Server::start(&options);
    assert_eq!(server.status("GET / HTTP/1.1\r\nHos"), 408);
    // Without a byte there is nothing to answer.
    assert_eq!(server.answer(""), "");
    assert_eq!(server.status(post("/e", "Content-Length: 5\r\n", "hell")), 408);
    let mut stream = server.connect();
    stream.write_all(get("/", "").as_bytes()).unwrap();
    response(&mut stream);
    assert_eq!(rest(&mut stream), "");
    // One that sends its body slowly may take its time, but not more.
    let body = post("/e", "Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n");
    let answer = server.answer(body);
    assert!(answer.ends_with("5\r\nhello\r\n"), "{answer}");
    // Nobody takes what is sent.
    let mut stream = server.connect();
    stream.write_all(get("/g", "").as_bytes()).unwrap();
    thread::sleep(Duration::from_millis(3000));
    let mut all = Vec::new();
    let _ = stream.read_to_end(&mut all);
    assert!(all.len() < 64 << 20);
    server.lives();
}

#[test]
fn half_closed_connections_get_their_answer() {
    let server = Server::start(&[]);
    for path in ["/", "/s", "/b"] {
        let mut stream = server.connect();
        stream.write_all(get(path, "").as_bytes()).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        assert_eq!(status(&rest(&mut stream)), 200, "{path}");
    }
    // What is not whole is not answered by more than a refusal.
    for part in ["GET / HT", "GET / HTTP/1.1\r\nHost: a\r\n"] {
        let mut stream = server.connect();
        stream.write_all(part.as_bytes()).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        assert_eq!(rest(&mut stream), "", "{part}");
    }
    let mut stream = server.connect();
    stream.write_all(post("/e", "Content-Length: 5\r\n", "hel").as_bytes()).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let answer = rest(&mut stream);
    assert!(is_broken(&answer), "{answer}");
}

/// How many descriptors and threads a process has.
#[cfg(target_os = "linux")]
fn holdings(server: &Server) -> (usize, usize) {
    let count = |what: &str| {
        std::fs::read_dir(format!("/proc/{}/{what}", server.child.id())).unwrap().count()
    };
    (count("fd"), count("task"))
}

#[test]
#[cfg(target_os = "linux")]
fn nothing_is_left_of_connections_that_are_cut() {
    let server = Server::start(&["--max-requests", "20"]);
    // From the first few requests on it has all that it keeps.
    for _ in 0..10 {
        server.lives();
    }
    let before = holdings(&server);
    for round in 0..300 {
        let mut stream = server.connect();
        let request = match round % 6 {
            0 => get("/g", ""),
            1 => get("/s", ""),
            2 => post("/e", "Content-Length: 100000\r\n", &"x".repeat(70_000)),
            3 => post("/e", "Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n"),
            4 => "GET / HTTP/1.1\r\nHo".into(),
            _ => get("/t", ""),
        };
        let _ = stream.write_all(request.as_bytes());
        // Some see the beginning of an answer before they go.
        if round % 12 < 3 {
            let _ = stream.read(&mut [0; 100]);
        }
    }
    let end = Instant::now() + PATIENCE * slowness();
    while holdings(&server).0 > before.0 && Instant::now() < end {
        thread::sleep(Duration::from_millis(20));
    }
    let after = holdings(&server);
    assert!(after.0 <= before.0, "{before:?} {after:?}");
    assert!(after.1 <= before.1 + 20, "{before:?} {after:?}");
    server.lives();
}

#[test]
fn too_many_connections_wait() {
    let server = Server::start(&["--max-connections", "3"]);
    let mut some: Vec<_> = (0..3).map(|_| server.connect()).collect();
    for stream in &mut some {
        stream.write_all(get("/", "").as_bytes()).unwrap();
        assert_eq!(status(&response(stream).0), 200);
    }
    let mut more = server.connect();
    more.write_all(get("/", "").as_bytes()).unwrap();
    more.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    assert!(more.read(&mut [0]).is_err());
    drop(some.pop());
    more.set_read_timeout(Some(PATIENCE * slowness())).unwrap();
    assert_eq!(status(&response(&mut more).0), 200);
}

#[test]
#[cfg(unix)]
fn signals_end_it_when_all_is_answered() {
    for signal in ["-INT", "-TERM"] {
        let server = Server::start(&["--log"]);
        let mut idle = server.connect();
        idle.write_all(get("/", "").as_bytes()).unwrap();
        response(&mut idle);
        let mut busy = server.connect();
        busy.write_all(get("/s", "").as_bytes()).unwrap();
        head(&mut busy);
        server.signal(signal);
        let all = rest(&mut busy);
        assert!(all.ends_with("6\r\nhello\n\r\n0\r\n\r\n"), "{all}");
        assert_eq!(rest(&mut idle), "");
        let (exit, log) = server.wait();
        assert_eq!(exit.code(), Some(0), "{log}");
        let mut lines = log.lines();
        let line = lines.next().unwrap();
        assert!(
            line.starts_with("127.0.0.1:") && line.contains(" \"GET / HTTP/1.1\" 200 6 0."),
            "{log}"
        );
        assert!(lines.next().unwrap().contains(" \"GET /s HTTP/1.1\" 200 12 0."), "{log}");
        assert_eq!(lines.next(), None);
    }
    let server = Server::start(&[]);
    let mut busy = server.connect();
    busy.write_all(get("/p", "").as_bytes()).unwrap();
    thread::sleep(Duration::from_millis(100));
    server.signal("-INT");
    thread::sleep(Duration::from_millis(100));
    server.signal("-INT");
    // By the signal, unless whoever has started the tests ignores it.
    let code = server.wait().0.code();
    assert!(matches!(code, None | Some(130)), "{code:?}");
}

#[test]
fn services_answer() {
    let server = Server::of(SERVICE, &[]);
    let mut stream = server.connect();
    for path in ["/", "/d", "/s"] {
        let request = post(path, "Content-Length: 5\r\n", "12345");
        stream.write_all(request.as_bytes()).unwrap();
        let (head, body) = response(&mut stream);
        assert_eq!((status(&head), &*body), (200, &b"hello\n"[..]), "{path}");
    }
    // What comes goes out again, with what is behind it.
    let body = "5\r\nhello\r\n0\r\nX-Sum: 9\r\nContent-Length: 1\r\n\r\n";
    let echoed =
        server.answer(post("/e", "Transfer-Encoding: chunked\r\nConnection: close\r\n", body));
    assert!(echoed.ends_with("5\r\nhello\r\n0\r\nx-sum: 9\r\n\r\n"), "{echoed}");
    let long = "0123456789abcdef".repeat(20_000);
    let length = format!("Content-Length: {}\r\n", long.len());
    stream.write_all(post("/e", &length, &long).as_bytes()).unwrap();
    assert!(response(&mut stream).1 == long.as_bytes());
    // A body that breaks off is no whole answer.
    let mut cut = server.connect();
    cut.write_all(post("/e", "Content-Length: 5\r\n", "hel").as_bytes()).unwrap();
    cut.shutdown(Shutdown::Write).unwrap();
    let answer = rest(&mut cut);
    assert!(is_broken(&answer), "{answer}");
    for path in ["/t", "/x"] {
        stream.write_all(get(path, "").as_bytes()).unwrap();
        assert_eq!(status(&response(&mut stream).0), 500, "{path}");
    }
    let cut = server.answer(get("/w", ""));
    assert!(is_broken(&cut), "{cut}");
    server.lives();
}

#[test]
fn an_instance_answers_several_requests() {
    let server = Server::of(SERVICE, &["--threads", "1", "--max-requests", "20"]);
    let start = Instant::now();
    let mut clients: Vec<_> = (0..12).map(|_| server.connect()).collect();
    for stream in &mut clients {
        stream.write_all(get("/s", "").as_bytes()).unwrap();
    }
    // Those that wait do so at once, and hold no thread each.
    #[cfg(target_os = "linux")]
    {
        thread::sleep(Duration::from_millis(150));
        assert!(holdings(&server).1 < 12, "{:?}", holdings(&server));
    }
    for stream in &mut clients {
        assert_eq!(response(stream).1, b"hello\n");
    }
    assert!(start.elapsed() < Duration::from_millis(300) * 8 * slowness());
    // What one leaves others see, until there is another.
    let number = |server: &Server| {
        let answer = server.answer(get("/n", "Connection: close\r\n"));
        let number = answer.rsplit("\r\n").find_map(|line| line.strip_suffix(";\n\n"));
        number.and_then(|number| number.parse::<u32>().ok()).unwrap_or_else(|| panic!("{answer}"))
    };
    let before = number(&server);
    assert!(before >= 2 && number(&server) == before + 1);
    assert_eq!(server.get("/t"), 500);
    assert_eq!(number(&server), 0);
    // Those with a limit of their own are answered by instances of their own.
    let server = Server::of(SERVICE, &["--fuel", "1M"]);
    assert_eq!((number(&server), number(&server)), (0, 0));
}

#[test]
fn one_request_of_an_instance_does_not_hold_up_others() {
    let options = ["--threads", "1", "--max-requests", "4", "--timeout", "700ms"];
    let server = Server::of(SERVICE, &options);
    // p never answers, r never says whether there are trailers, l computes for ever.
    let mut stuck: Vec<_> = ["/p", "/r", "/p"].map(|path| (path, server.connect())).into();
    for (path, stream) in &mut stuck {
        stream.write_all(get(path, "").as_bytes()).unwrap();
    }
    thread::sleep(Duration::from_millis(100));
    for _ in 0..20 {
        server.lives();
    }
    for (path, stream) in &mut stuck {
        if *path == "/p" {
            assert_eq!(status(&response(stream).0), 504);
        } else {
            let answer = rest(stream);
            assert!(status(&answer) == 200 && !answer.contains("\r\n0\r\n"), "{answer}");
        }
    }
    let mut looping = server.connect();
    looping.write_all(get("/l", "").as_bytes()).unwrap();
    assert_eq!(status(&response(&mut looping).0), 504);
    server.lives();
}

#[test]
fn more_requests_than_there_may_be_have_their_turn() {
    let server = Server::of(SERVICE, &["--threads", "2", "--max-requests", "4"]);
    let start = Instant::now();
    let mut clients: Vec<_> = (0..12).map(|_| server.connect()).collect();
    for stream in &mut clients {
        // The second is sent ahead.
        let both = get("/s", "") + &get("/", "");
        stream.write_all(both.as_bytes()).unwrap();
    }
    for stream in &mut clients {
        assert_eq!(response(stream).1, b"hello\n");
        assert_eq!(response(stream).1, b"hello\n");
    }
    assert!(start.elapsed() >= Duration::from_millis(900), "{:?}", start.elapsed());
}

#[test]
#[cfg(target_os = "linux")]
fn services_leave_nothing_of_connections_that_are_cut() {
    let server = Server::of(SERVICE, &["--max-requests", "20", "--timeout", "1s"]);
    server.lives();
    let before = holdings(&server);
    for round in 0..300 {
        let mut stream = server.connect();
        let request = match round % 6 {
            0 => get("/s", ""),
            1 => get("/r", ""),
            2 => post("/e", "Content-Length: 100000\r\n", &"x".repeat(70_000)),
            3 => post("/e", "Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n"),
            4 => post("/d", "Content-Length: 5\r\n", "he"),
            _ => get("/w", ""),
        };
        let _ = stream.write_all(request.as_bytes());
        // Some see the beginning of an answer before they go.
        if round % 60 < 3 {
            let _ = stream.read(&mut [0; 100]);
        }
    }
    let end = Instant::now() + PATIENCE * slowness();
    // An instance that waits for requests has a descriptor.
    while holdings(&server).0 > before.0 + 20 && Instant::now() < end {
        thread::sleep(Duration::from_millis(20));
    }
    let after = holdings(&server);
    assert!(after.0 <= before.0 + 20 && after.1 <= before.1 + 20, "{before:?} {after:?}");
    // Those that are left may take all places until their time is over.
    while server.get("/") != 200 {
        assert!(Instant::now() < end + PATIENCE, "nothing is answered any more");
    }
}

#[test]
fn what_can_not_serve_is_told() {
    let dir = Dir::new();
    let module = dir.write("m.wat", "(module)");
    let component = dir.write("c.wat", "(component)");
    let server = dir.write("s.wat", COMPONENT);
    let path = |file: &Path| file.to_str().unwrap().to_owned();
    let [module, component, server] = [&module, &component, &server].map(|file| path(file));
    for (args, said) in [
        (vec![&*module], "this is a module"),
        (vec![&component], "this component answers no requests"),
        (vec!["--addr", "nowhere", &server], "cannot listen on 'nowhere'"),
        (vec!["--threads", "0", &server], "a number above 0, got '0'"),
        (vec!["--max-body", "x", &server], "a number of bytes, got 'x'"),
        (vec![&server, "more"], "'serve' takes one file, got 'more' as well"),
        (vec!["--invoke", "f", &server], "takes no option '--invoke'"),
    ] {
        zwasm(["serve"].into_iter().chain(args)).run().fails_saying(1, &[said]);
    }
}
