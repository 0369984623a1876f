//! The head of a request that is received: found, taken apart, and checked.
//!
//! RFC 9112, sections 2, 3 and 6. Whatever two parties on the way might understand in two
//! ways is refused and not guessed at: lines that end with a bare line feed, folded
//! fields, two lengths, a length beside chunks, codings that are not known, two hosts. An
//! answer to such a request closes the connection, since nobody knows where the next
//! request would begin.

use super::reply::Refusal;
use crate::host::budget::Budget;
use crate::http::decode::Framing;
use crate::http::fields::{FieldError, Fields};
use crate::http::request::{Authority, Method};
use crate::http::{MAX_FIELDS, MAX_TARGET};

/// The empty lines before a request that are passed over, at most: some clients send one
/// behind a body.
const MAX_EMPTY_LINES: usize = 4;

/// A request, without its body.
pub(crate) struct Head {
    pub method: Method,
    /// The path with the query, or `*`.
    pub target: String,
    pub authority: Option<String>,
    pub headers: Fields,
    /// How the body ends.
    pub framing: Framing,
    /// Whether the client knows HTTP/1.1.
    pub modern: bool,
    /// Whether the connection may be used again.
    pub keep: bool,
    /// Whether the client waits to be told to send the body.
    pub expects: bool,
}

/// Where a head ends in what is received: behind its empty line. What was looked at before
/// is not looked at again; `seen` says how much that is. Empty lines before it have been
/// removed.
pub(super) fn end(bytes: &[u8], seen: &mut usize) -> Result<Option<usize>, Refusal> {
    let mut from = *seen;
    while let Some(at) = bytes[from..].iter().position(|&byte| byte == b'\n') {
        let line = from + at;
        if line == 0 || bytes[line - 1] != b'\r' {
            return Err(Refusal::BadRequest);
        }
        if line >= 3 && bytes[line - 2] == b'\n' {
            return Ok(Some(line + 1));
        }
        from = line + 1;
    }
    *seen = bytes.len();
    Ok(None)
}

/// How many bytes of empty lines there are before a request; none if there are too many.
pub(super) fn empty_lines(bytes: &[u8]) -> Result<usize, Refusal> {
    let lines = bytes.chunks_exact(2).take_while(|pair| pair == b"\r\n").count();
    if lines > MAX_EMPTY_LINES { Err(Refusal::BadRequest) } else { Ok(2 * lines) }
}

/// Reads a head, which is whole.
pub(super) fn parse(bytes: &[u8], budget: &Budget) -> Result<Head, Refusal> {
    let mut fields = [const { httparse::EMPTY_HEADER }; MAX_FIELDS];
    let mut request = httparse::Request::new(&mut fields);
    match request.parse(bytes) {
        Ok(httparse::Status::Complete(len)) if len == bytes.len() => {}
        Err(httparse::Error::TooManyHeaders) => return Err(Refusal::HeadTooLarge),
        Err(httparse::Error::Version) => return Err(Refusal::Version),
        Ok(_) | Err(_) => return Err(Refusal::BadRequest),
    }
    let (Some(method), Some(target), Some(version)) =
        (request.method, request.path, request.version)
    else {
        return Err(Refusal::BadRequest);
    };
    let modern = version == 1;
    let fields = &*request.headers;
    let framing = framing(modern, fields)?;
    let (target, named) = self::target(method, target)?;
    let host = host(modern, fields)?;
    let (mut close, mut alive) = (false, false);
    for option in values(fields, "connection") {
        close |= option.eq_ignore_ascii_case(b"close");
        alive |= option.eq_ignore_ascii_case(b"keep-alive");
    }
    let mut expects = false;
    for expectation in values(fields, "expect") {
        if !expectation.eq_ignore_ascii_case(b"100-continue") {
            return Err(Refusal::Expectation);
        }
        // Old clients do not know the answer.
        expects = modern;
    }
    let all = fields.iter().map(|field| (field.name, field.value));
    let headers = Fields::received(budget, all).map_err(|error| match error {
        FieldError::TooLarge => Refusal::HeadTooLarge,
        FieldError::Syntax | FieldError::Forbidden => Refusal::BadRequest,
    })?;
    Ok(Head {
        method: Method::new(method).ok_or(Refusal::NotImplemented)?,
        target,
        authority: named.or(host),
        headers,
        framing,
        modern,
        keep: !close && (modern || alive),
        expects: expects && framing != Framing::None,
    })
}

/// The elements of the lists that the fields of a name are. RFC 9110, section 5.6.1.
fn values<'a>(
    fields: &'a [httparse::Header<'a>],
    name: &'static str,
) -> impl Iterator<Item = &'a [u8]> {
    let named = fields.iter().filter(move |field| field.name.eq_ignore_ascii_case(name));
    named.flat_map(|field| field.value.split(|&byte| byte == b',')).map(<[u8]>::trim_ascii)
}

/// How the body ends.
fn framing(modern: bool, fields: &[httparse::Header<'_>]) -> Result<Framing, Refusal> {
    let named = |name: &'static str| {
        fields.iter().filter(move |field| field.name.eq_ignore_ascii_case(name))
    };
    let mut lengths = named("content-length").map(|field| field.value);
    let length = match (lengths.next(), lengths.next()) {
        (None, _) => None,
        (Some(length), None) => Some(length.trim_ascii()),
        (Some(_), Some(_)) => return Err(Refusal::BadRequest),
    };
    if named("transfer-encoding").next().is_some() {
        if length.is_some() || !modern {
            return Err(Refusal::BadRequest);
        }
        let mut codings = values(fields, "transfer-encoding");
        return match (codings.next(), codings.next()) {
            (Some(coding), None) if coding.eq_ignore_ascii_case(b"chunked") => Ok(Framing::Chunked),
            _ => Err(Refusal::NotImplemented),
        };
    }
    let Some(length) = length else { return Ok(Framing::None) };
    if length.is_empty() || !length.iter().all(u8::is_ascii_digit) {
        return Err(Refusal::BadRequest);
    }
    let length = std::str::from_utf8(length).ok().and_then(|length| length.parse().ok());
    // As many bytes as no number has are too many.
    match length.ok_or(Refusal::BodyTooLarge)? {
        0 => Ok(Framing::None),
        length => Ok(Framing::Length(length)),
    }
}

/// The path that a target names and, if it does, the host. RFC 9112, section 3.2.
fn target(method: &str, target: &str) -> Result<(String, Option<String>), Refusal> {
    if method == "CONNECT" {
        return Err(Refusal::NotImplemented);
    }
    if target.len() > MAX_TARGET {
        return Err(Refusal::TargetTooLong);
    }
    if target.contains('#') {
        return Err(Refusal::BadRequest);
    }
    if target.starts_with('/') || (target == "*" && method == "OPTIONS") {
        return Ok((target.to_owned(), None));
    }
    let (scheme, rest) = target.split_once("://").ok_or(Refusal::BadRequest)?;
    if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
        return Err(Refusal::BadRequest);
    }
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    Authority::parse(authority).ok_or(Refusal::BadRequest)?;
    let slash = if path.starts_with('/') { "" } else { "/" };
    Ok((format!("{slash}{path}"), Some(authority.to_owned())))
}

/// The one host that the fields name. An empty name stands for none.
fn host(modern: bool, fields: &[httparse::Header<'_>]) -> Result<Option<String>, Refusal> {
    let mut hosts = fields.iter().filter(|field| field.name.eq_ignore_ascii_case("host"));
    let host = match (hosts.next(), hosts.next()) {
        (None, _) if modern => return Err(Refusal::BadRequest),
        (None, _) => return Ok(None),
        (Some(host), None) => host.value.trim_ascii(),
        (Some(_), Some(_)) => return Err(Refusal::BadRequest),
    };
    if host.is_empty() {
        return Ok(None);
    }
    let host = std::str::from_utf8(host).map_err(|_| Refusal::BadRequest)?;
    Authority::parse(host).ok_or(Refusal::BadRequest)?;
    Ok(Some(host.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(head: &str) -> Result<Head, u16> {
        parse(head.as_bytes(), &Budget::new(crate::http::BUDGET)).map_err(Refusal::status)
    }

    fn get(fields: &str) -> Result<Head, u16> {
        read(&format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n"))
    }

    #[test]
    fn heads_end_with_an_empty_line() {
        let head = b"GET / HTTP/1.1\r\nHost: a\r\n\r\nrest";
        let mut seen = 0;
        for len in 0..head.len() - 4 {
            assert_eq!(end(&head[..len], &mut seen).ok(), Some(None), "{len}");
            assert_eq!(seen, len);
        }
        assert_eq!(end(head, &mut seen).ok(), Some(Some(head.len() - 4)));
        for bare in
            [&b"GET / HTTP/1.1\nHost: a\r\n\r\n"[..], b"GET / HTTP/1.1\r\nHost: a\n\n", b"\n"]
        {
            assert_eq!(end(bare, &mut 0).err().map(Refusal::status), Some(400));
        }
        assert_eq!(empty_lines(b"\r\n\r\nGET").ok(), Some(4));
        assert_eq!(empty_lines(b"GET \r\n").ok(), Some(0));
        assert!(empty_lines(&b"\r\n".repeat(9)).is_err());
    }

    #[test]
    fn heads_are_read() {
        let head = get("X-A: 1\r\nConnection: Keep-Alive, x\r\nX-a:2\r\n").unwrap();
        assert_eq!((head.method.name(), &*head.target), ("GET", "/"));
        assert_eq!((head.authority.as_deref(), head.modern, head.keep), (Some("a"), true, true));
        let all: Vec<_> = head.headers.iter().collect();
        assert_eq!(all, [("x-a", &b"1"[..]), ("x-a", b"2")]);
        assert!(!get("Connection: x, Close\r\n").unwrap().keep);
        let old = |fields: &str| read(&format!("GET / HTTP/1.0\r\n{fields}\r\n")).unwrap();
        assert!(!old("").keep && old("").authority.is_none() && !old("").modern);
        assert!(old("Connection: keep-alive\r\n").keep);
        for (head, status) in [
            ("GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
            ("PRI * HTTP/2.0\r\n\r\n", 505),
            ("GET /\r\n\r\n", 400),
            ("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: a\r\nx: a\r\n b\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: a\r\nx: \0\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: a\r\nx y: z\r\n\r\n", 400),
            ("G\0T / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: a\rb: c\r\n\r\n", 400),
        ] {
            assert_eq!(read(head).err(), Some(status), "{head:?}");
        }
        assert_eq!(get(&"a: b\r\n".repeat(300)).err(), Some(431));
        let long = format!("{} / HTTP/1.1\r\nHost: a\r\n\r\n", "A".repeat(300));
        assert_eq!(read(&long).err(), Some(501));
    }

    #[test]
    fn bodies_end_in_one_way() {
        let framing = |fields: &str| get(fields).map(|head| head.framing);
        assert_eq!(framing(""), Ok(Framing::None));
        assert_eq!(framing("Content-Length: 0\r\n"), Ok(Framing::None));
        assert_eq!(framing("Content-Length: 5\r\n"), Ok(Framing::Length(5)));
        assert_eq!(framing("Transfer-Encoding: Chunked\r\n"), Ok(Framing::Chunked));
        let both = "content-length: 5\r\ntransfer-encoding: chunked\r\n";
        let twice = "content-length: 5\r\ncontent-length: 5\r\n";
        for fields in [both, twice] {
            assert_eq!(framing(fields), Err(400), "{fields:?}");
        }
        for length in ["", "+5", "-5", "5 5", "5, 5", "0x5", "5,"] {
            assert_eq!(framing(&format!("content-length: {length}\r\n")), Err(400), "{length:?}");
        }
        assert_eq!(framing("content-length: 99999999999999999999\r\n"), Err(413));
        for coding in ["gzip", "gzip, chunked", "chunked, chunked", "identity", "xchunked", ""] {
            let fields = format!("transfer-encoding: {coding}\r\n");
            assert_eq!(framing(&fields), Err(501), "{coding:?}");
        }
        let old = read("GET / HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n");
        assert_eq!(old.err(), Some(400));
    }

    #[test]
    fn targets_take_all_forms_but_one() {
        let read = |method: &str, target: &str| {
            let head = read(&format!("{method} {target} HTTP/1.1\r\nHost: b\r\n\r\n"))?;
            Ok((head.target, head.authority.unwrap_or_default()))
        };
        let some = |path: &str, host: &str| Ok((path.to_owned(), host.to_owned()));
        assert_eq!(read("GET", "/a?b=c"), some("/a?b=c", "b"));
        assert_eq!(read("GET", "//x/y"), some("//x/y", "b"));
        assert_eq!(read("GET", "http://a:80/x?y"), some("/x?y", "a:80"));
        assert_eq!(read("GET", "HTTP://a"), some("/", "a"));
        assert_eq!(read("GET", "https://a?q"), some("/?q", "a"));
        assert_eq!(read("OPTIONS", "*"), some("*", "b"));
        for (method, target, status) in [
            ("GET", "*", 400),
            ("GET", "a", 400),
            ("GET", "a:80", 400),
            ("GET", "ftp://a/", 400),
            ("GET", "http:///x", 400),
            ("GET", "http://u@a/", 400),
            ("GET", "/a#b", 400),
            ("CONNECT", "a:80", 501),
        ] {
            assert_eq!(read(method, target), Err(status), "{method} {target}");
        }
        assert_eq!(read("GET", &format!("/{}", "x".repeat(MAX_TARGET))), Err(414));
    }

    #[test]
    fn expectations_are_met_or_refused() {
        assert!(get("Expect: 100-Continue\r\nContent-Length: 5\r\n").unwrap().expects);
        assert!(!get("Expect: 100-continue\r\n").unwrap().expects);
        assert_eq!(get("Expect: tea\r\n").err(), Some(417));
    }
}
