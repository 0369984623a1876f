//! Servers for programs to talk to over HTTP/1.1: each answers requests for its endpoints as
//! a description says, and closes the connection behind every answer.

use std::io::{self, BufRead, BufReader, ErrorKind, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use super::json::Json;

/// Servers that run as long as this value.
pub(super) struct Peers {
    /// The variables that tell a program where they are.
    pub(super) env: List,
    running: Vec<(SocketAddr, JoinHandle<()>)>,
    over: Arc<AtomicBool>,
}

/// Names and values.
type List = Vec<(String, String)>;

/// What is answered to a method and a path.
struct Endpoint {
    method: String,
    path: String,
    answer: Answer,
}

enum Answer {
    Static(Reply),
    EchoBody,
    EchoHeaders,
}

/// A response.
#[derive(Clone, Default)]
struct Reply {
    status: u16,
    headers: List,
    body: Vec<u8>,
    /// The body in pieces instead, and the trailers behind it.
    chunks: Option<(Vec<String>, List)>,
}

/// A request.
struct Request {
    method: String,
    path: String,
    headers: List,
    body: Vec<u8>,
    trailers: List,
}

fn fields(json: &Json) -> List {
    let entries = json.entries().iter();
    entries.map(|(name, value)| (name.clone(), value.string().to_owned())).collect()
}

impl Endpoint {
    fn new(json: &Json) -> Endpoint {
        let response = json.get("response");
        let answer = match (json.get("mode").string(), response) {
            ("echo-body", _) => Answer::EchoBody,
            ("echo-headers", _) => Answer::EchoHeaders,
            (_, Json::String(body)) => {
                Answer::Static(Reply { status: 200, body: body.clone().into(), ..Reply::default() })
            }
            (_, response) => Answer::Static(Reply {
                status: response.get("status").number().unwrap_or(200.0) as u16,
                headers: fields(response.get("headers")),
                body: response.get("body").string().into(),
                chunks: matches!(response.get("chunks"), Json::List(_)).then(|| {
                    let chunks = response.get("chunks").strings().map(str::to_owned);
                    (chunks.collect(), fields(response.get("trailers")))
                }),
            }),
        };
        let text = |key| json.get(key).string().to_owned();
        Endpoint { method: text("method"), path: text("path"), answer }
    }

    fn answer(&self, request: Request) -> Reply {
        let headers = match &self.answer {
            Answer::Static(reply) => return reply.clone(),
            Answer::EchoBody => {
                return Reply { status: 200, body: request.body, ..Reply::default() };
            }
            Answer::EchoHeaders => {
                let prefixed = |fields: List, prefix: &str| {
                    let named = |(name, value)| (format!("{prefix}{name}"), value);
                    fields.into_iter().map(named).collect::<Vec<_>>()
                };
                let mut headers = prefixed(request.headers, "x-echo-");
                headers.append(&mut prefixed(request.trailers, "x-trailer-"));
                headers.push(("x-request-method".into(), request.method));
                headers.push(("x-request-path".into(), request.path));
                headers
            }
        };
        Reply { status: 200, headers, ..Reply::default() }
    }
}

impl Peers {
    /// Starts the servers of a description.
    pub(super) fn start(servers: &[Json]) -> io::Result<Peers> {
        let (env, running) = (Vec::new(), Vec::new());
        let mut peers = Peers { env, running, over: Arc::default() };
        for server in servers {
            let listener = TcpListener::bind("127.0.0.1:0")?;
            let address = listener.local_addr()?;
            let name = server.get("name").string().to_uppercase();
            peers.env.push((format!("HTTP_SERVER_{name}"), address.to_string()));
            // Nobody listens at the address of one that is closed.
            if server.get("kind").string() != "closed" {
                let endpoints = server.get("endpoints").values().iter().map(Endpoint::new);
                let (endpoints, over): (Vec<_>, _) = (endpoints.collect(), peers.over.clone());
                let serve = move || serve(&listener, &endpoints, &over);
                peers.running.push((address, thread::spawn(serve)));
            }
        }
        Ok(peers)
    }
}

impl Drop for Peers {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Release);
        for (address, thread) in self.running.drain(..) {
            // Who waits for a connection gets one.
            let _ = TcpStream::connect(address);
            let _ = thread.join();
        }
    }
}

/// Answers one connection after the other.
fn serve(listener: &TcpListener, endpoints: &[Endpoint], over: &AtomicBool) {
    while let Ok((stream, _)) = listener.accept() {
        if over.load(Ordering::Acquire) {
            return;
        }
        // A client that breaks off gets no answer.
        let _ = answer(stream, endpoints);
    }
}

fn answer(mut stream: TcpStream, endpoints: &[Endpoint]) -> io::Result<()> {
    let request = read(&mut BufReader::new(&mut stream))?;
    let is_head = request.method == "HEAD";
    let found = endpoints
        .iter()
        .find(|endpoint| endpoint.method == request.method && endpoint.path == request.path);
    let reply = match found {
        Some(endpoint) => endpoint.answer(request),
        None => Reply { status: 404, ..Reply::default() },
    };
    let mut out = format!("HTTP/1.1 {} -\r\nconnection: close\r\n", reply.status).into_bytes();
    let line = |out: &mut Vec<u8>, (name, value): &(String, String)| {
        out.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    };
    reply.headers.iter().for_each(|field| line(&mut out, field));
    if let Some((chunks, trailers)) = reply.chunks {
        out.extend_from_slice(b"transfer-encoding: chunked\r\n\r\n");
        for chunk in chunks {
            out.extend_from_slice(format!("{:x}\r\n{chunk}\r\n", chunk.len()).as_bytes());
        }
        out.extend_from_slice(b"0\r\n");
        trailers.iter().for_each(|field| line(&mut out, field));
        out.extend_from_slice(b"\r\n");
    } else {
        out.extend_from_slice(format!("content-length: {}\r\n\r\n", reply.body.len()).as_bytes());
        if !is_head {
            out.extend_from_slice(&reply.body);
        }
    }
    stream.write_all(&out)
}

/// A line without its end.
fn line(stream: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    match stream.read_line(&mut line)? {
        0 => Err(ErrorKind::UnexpectedEof.into()),
        _ => Ok(line.trim_end().to_owned()),
    }
}

/// The fields up to an empty line, with names in lower case.
fn section(stream: &mut impl BufRead) -> io::Result<List> {
    let mut fields = Vec::new();
    loop {
        let line = line(stream)?;
        if line.is_empty() {
            return Ok(fields);
        }
        let (name, value) = line.split_once(':').ok_or(ErrorKind::InvalidData)?;
        fields.push((name.to_lowercase(), value.trim().to_owned()));
    }
}

fn bytes(stream: &mut impl BufRead, len: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; len];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn read(stream: &mut impl BufRead) -> io::Result<Request> {
    let start = line(stream)?;
    let mut words = start.split(' ');
    let (method, path) = words.next().zip(words.next()).ok_or(ErrorKind::InvalidData)?;
    let (method, path) = (method.to_owned(), path.to_owned());
    let headers = section(stream)?;
    let header = |name| headers.iter().find(|field| field.0 == name).map(|field| &*field.1);
    let (mut body, mut trailers) = (Vec::new(), Vec::new());
    if header("transfer-encoding") == Some("chunked") {
        loop {
            let len = usize::from_str_radix(&line(stream)?, 16);
            let len = len.map_err(|_| ErrorKind::InvalidData)?;
            if len == 0 {
                break;
            }
            body.append(&mut bytes(stream, len)?);
            line(stream)?;
        }
        trailers = section(stream)?;
    } else if let Some(len) = header("content-length").and_then(|length| length.parse().ok()) {
        body = bytes(stream, len)?;
    }
    Ok(Request { method, path, headers, body, trailers })
}
