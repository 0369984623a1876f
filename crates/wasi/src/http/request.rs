//! What a request asks for, and its head.
//!
//! RFC 9112, section 3.

use std::net::Ipv6Addr;

use super::MAX_TARGET;
use super::error::Error;
use super::fields::{Fields, is_token};

/// The method, checked to be one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Method(String);

impl Method {
    /// The longest there can be.
    const MAX: usize = 256;

    /// The method of a name; none if it is no name of a method.
    pub(crate) fn new(name: &str) -> Option<Method> {
        (is_token(name) && name.len() <= Method::MAX).then(|| Method(name.to_owned()))
    }

    /// The name.
    pub(crate) fn name(&self) -> &str {
        &self.0
    }

    /// Whether a request without a body has to say that it has none.
    fn expects_body(&self) -> bool {
        matches!(self.name(), "POST" | "PUT" | "PATCH")
    }
}

/// How to talk to the other side.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Scheme {
    Http,
    Https,
}

impl Scheme {
    fn port(self) -> u16 {
        match self {
            Scheme::Http => 80,
            Scheme::Https => 443,
        }
    }
}

/// Whether a text is the name of a scheme. RFC 3986, section 3.1.
pub(crate) fn is_scheme(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(is_part)
        && text.len() <= 64
}

/// Who is asked: a host, and perhaps a port.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Authority {
    /// As it is written, for the other side to see.
    text: String,
    host: String,
    port: Option<u16>,
}

impl Authority {
    /// Takes an authority apart; none if it is not one. One that says who asks is not
    /// accepted: that has no place in HTTP. RFC 9110, section 4.2.4.
    pub(crate) fn parse(text: &str) -> Option<Authority> {
        if text.len() > MAX_TARGET {
            return None;
        }
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (host, rest) = rest.split_once(']')?;
                host.parse::<Ipv6Addr>().ok()?;
                (host, if rest.is_empty() { None } else { Some(rest.strip_prefix(':')?) })
            }
            None => match text.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            },
        };
        let is_host =
            |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=%:".contains(&byte);
        if host.is_empty() || !host.bytes().all(is_host) {
            return None;
        }
        let port = match port {
            None | Some("") => None,
            Some(port) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
                Some(port.parse().ok()?)
            }
            Some(_) => return None,
        };
        Some(Authority { text: text.to_owned(), host: host.to_owned(), port })
    }

    /// The host: a name, or an address.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    pub(crate) fn port(&self, scheme: Scheme) -> u16 {
        self.port.unwrap_or(scheme.port())
    }
}

/// Whether a text is a path with a query, or without. An empty path is one, but another
/// begins with a slash: what does not would name somebody else to be asked.
pub(crate) fn is_target(text: &str) -> bool {
    let is_part = |byte: u8| byte > b' ' && byte != 0x7f && byte != b'#';
    (text.is_empty() || text.starts_with(['/', '?'])) && text.bytes().all(is_part)
}

/// A request, without its body.
pub(crate) struct Request {
    pub method: Method,
    pub scheme: Scheme,
    pub authority: Authority,
    /// The path with the query.
    pub target: String,
    pub headers: Fields,
}

/// How long the body of a request is, as its head says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Length {
    /// There is none.
    None,
    /// So many bytes.
    Known(u64),
    /// Chunks will tell.
    Chunked,
}

impl Request {
    /// Checks what has not been checked when it was set.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.method.name() == "CONNECT" {
            // Behind that there is no HTTP any more.
            return Err(Error::Method);
        }
        if self.target.len() > MAX_TARGET {
            return Err(Error::TargetTooLong);
        }
        if is_target(&self.target) { Ok(()) } else { Err(Error::Target) }
    }

    /// The head. If the headers say how long the body is, `length` is that.
    pub(crate) fn head(&self, length: Length) -> Vec<u8> {
        let slash = if self.target.starts_with('/') { "" } else { "/" };
        let (method, target) = (self.method.name(), &self.target);
        let start =
            format!("{method} {slash}{target} HTTP/1.1\r\nhost: {}\r\n", self.authority.text);
        let mut head = start.into_bytes();
        self.headers.write(&mut head, false);
        let said = self.headers.content_length().is_some();
        match length {
            Length::Chunked => head.extend_from_slice(b"transfer-encoding: chunked\r\n"),
            Length::Known(length) if !said => {
                head.extend_from_slice(format!("content-length: {length}\r\n").as_bytes());
            }
            Length::None if !said && self.method.expects_body() => {
                head.extend_from_slice(b"content-length: 0\r\n");
            }
            Length::Known(_) | Length::None => {}
        }
        head.extend_from_slice(b"connection: close\r\n\r\n");
        head
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::budget::Budget;

    fn request(method: &str, target: &str, fields: &[(&str, &str)]) -> Request {
        let mut headers = Fields::new(&Budget::new(crate::http::BUDGET)).unwrap();
        for (name, value) in fields {
            headers.append(name, value.as_bytes().to_vec()).unwrap();
        }
        Request {
            method: Method::new(method).unwrap(),
            scheme: Scheme::Http,
            authority: Authority::parse("example.com:8080").unwrap(),
            target: target.to_owned(),
            headers,
        }
    }

    fn head(request: &Request, length: Length) -> String {
        String::from_utf8(request.head(length)).unwrap()
    }

    #[test]
    fn heads_say_how_long_the_body_is() {
        let get = request("GET", "", &[("X-A", "1")]);
        assert_eq!(
            head(&get, Length::None),
            "GET / HTTP/1.1\r\nhost: example.com:8080\r\nX-A: 1\r\nconnection: close\r\n\r\n"
        );
        let post = request("POST", "?a=b", &[]);
        let end = "connection: close\r\n\r\n";
        let start = "POST /?a=b HTTP/1.1\r\nhost: example.com:8080\r\n";
        assert_eq!(head(&post, Length::None), format!("{start}content-length: 0\r\n{end}"));
        assert_eq!(head(&post, Length::Known(7)), format!("{start}content-length: 7\r\n{end}"));
        let chunked = format!("{start}transfer-encoding: chunked\r\n{end}");
        assert_eq!(head(&post, Length::Chunked), chunked);
        let said = request("POST", "/", &[("Content-Length", "7")]);
        assert!(head(&said, Length::Known(7)).matches("ontent-").count() == 1);
    }

    #[test]
    fn targets_stay_with_the_one_who_is_asked() {
        for good in ["", "/", "/a/b?c=d&e", "?q", "/ü", "/%20", "//x"] {
            assert!(is_target(good) && request("GET", good, &[]).check().is_ok(), "{good}");
        }
        for bad in ["x", "*", "http://other/", "/a b", "/a\r\nx: y", "/a#b", "/\0", "/\t"] {
            assert!(!is_target(bad), "{bad}");
        }
        assert_eq!(request("CONNECT", "/", &[]).check(), Err(Error::Method));
        let long = "/".repeat(MAX_TARGET + 1);
        assert_eq!(request("GET", &long, &[]).check(), Err(Error::TargetTooLong));
    }

    #[test]
    fn authorities_are_a_host_and_a_port() {
        let parts = |text: &str| {
            Authority::parse(text).map(|all| (all.host().to_owned(), all.port(Scheme::Https)))
        };
        let some = |host: &str, port| Some((host.to_owned(), port));
        assert_eq!(parts("example.com"), some("example.com", 443));
        assert_eq!(parts("example.com:"), some("example.com", 443));
        assert_eq!(parts("127.0.0.1:80"), some("127.0.0.1", 80));
        assert_eq!(parts("[::1]:8080"), some("::1", 8080));
        assert_eq!(parts("[::1]"), some("::1", 443));
        let bad = [
            "",
            ":80",
            "a:b",
            "a:65536",
            "a:+1",
            "a:1:2",
            "user@host",
            "user:pass@host",
            "a/b",
            "a b",
            "a\r\nb",
            "[::1",
            "[::1]x",
            "[x]",
            "ü",
            "a?b",
            "a#b",
            "::1",
        ];
        for text in bad {
            assert_eq!(parts(text), None, "{text:?}");
        }
    }

    #[test]
    fn methods_and_schemes_are_words() {
        assert!(Method::new("PURGE").is_some() && Method::new("M-SEARCH").is_some());
        for bad in ["", "GET ", "GET / HTTP/1.1\r\n", "G\0", &"A".repeat(300)] {
            assert!(Method::new(bad).is_none(), "{bad:?}");
        }
        assert!(is_scheme("http") && is_scheme("svn+ssh") && !is_scheme("") && !is_scheme("1a"));
        assert!(!is_scheme("a:b") && !is_scheme("a b"));
    }
}
