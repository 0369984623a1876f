//! The head of a response.
//!
//! RFC 9112, sections 4 to 6.

use super::decode::Framing;
use super::error::Error;
use super::fields::{FieldError, Fields};
use super::request::Method;
use super::{MAX_FIELDS, MAX_SECTION};
use crate::host::budget::Budget;

/// A response, without its body.
pub(crate) struct Response {
    pub status: u16,
    pub headers: Fields,
}

/// Reads a head; and how the body of a response to this method ends.
pub(crate) fn parse(
    head: &[u8],
    method: &Method,
    budget: &Budget,
) -> Result<(Response, Framing), Error> {
    let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
    let mut response = httparse::Response::new(&mut fields);
    match response.parse(head) {
        Ok(httparse::Status::Complete(len)) if len == head.len() => {}
        Err(httparse::Error::TooManyHeaders) => return Err(Error::HeadSize(head.len() as u32)),
        Ok(_) | Err(_) => return Err(Error::Protocol),
    }
    let (Some(status @ 100..), Some(version)) = (response.code, response.version) else {
        return Err(Error::Protocol);
    };
    let framing = framing(method, status, version, response.headers)?;
    // What is framed in another way has a length that is not its own.
    let stale =
        |name: &str| framing == Framing::Chunked && name.eq_ignore_ascii_case("content-length");
    let fields = response.headers.iter().map(|field| (field.name, field.value));
    match Fields::received(budget, fields.filter(|(name, _)| !stale(name))) {
        Ok(headers) => Ok((Response { status, headers }, framing)),
        Err(FieldError::TooLarge) => Err(Error::HeadSize(MAX_SECTION as u32)),
        Err(FieldError::Syntax | FieldError::Forbidden) => Err(Error::Protocol),
    }
}

/// Reads the fields behind a body.
pub(crate) fn parse_trailers(section: &[u8], budget: &Budget) -> Result<Fields, Error> {
    let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
    let size = Error::TrailersSize(section.len() as u32);
    let fields = match httparse::parse_headers(section, &mut fields) {
        Ok(httparse::Status::Complete((len, fields))) if len == section.len() => fields,
        Err(httparse::Error::TooManyHeaders) => return Err(size),
        Ok(_) | Err(_) => return Err(Error::Protocol),
    };
    Fields::received(budget, fields.iter().map(|field| (field.name, field.value))).or(Err(size))
}

/// How a body ends. Where two fields disagree about it, or one with itself, somebody is
/// being fooled.
fn framing(
    method: &Method,
    status: u16,
    version: u8,
    fields: &[httparse::Header<'_>],
) -> Result<Framing, Error> {
    if method.name() == "HEAD" || matches!(status, 100..=199 | 204 | 304) {
        return Ok(Framing::None);
    }
    let values = |name: &'static str| {
        let named = fields.iter().filter(move |field| field.name.eq_ignore_ascii_case(name));
        named.flat_map(|field| field.value.split(|&byte| byte == b',')).map(<[u8]>::trim_ascii)
    };
    let mut codings = values("transfer-encoding");
    if let Some(coding) = codings.next() {
        if version == 0 {
            return Err(Error::Protocol);
        }
        return match coding.eq_ignore_ascii_case(b"chunked") && codings.next().is_none() {
            true => Ok(Framing::Chunked),
            false => Err(Error::TransferCoding(String::from_utf8_lossy(coding).into_owned())),
        };
    }
    let mut lengths = values("content-length");
    let Some(length) = lengths.next() else { return Ok(Framing::Close) };
    let digits = !length.is_empty() && length.iter().all(u8::is_ascii_digit);
    if !digits || lengths.any(|other| other != length) {
        return Err(Error::Protocol);
    }
    let length = std::str::from_utf8(length).ok().and_then(|length| length.parse().ok());
    Ok(Framing::Length(length.ok_or(Error::Protocol)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(method: &str, head: &str) -> Result<(u16, Vec<String>, Framing), Error> {
        let method = Method::new(method).unwrap();
        let (response, framing) =
            parse(head.as_bytes(), &method, &Budget::new(crate::http::BUDGET))?;
        let field = |(name, value)| format!("{name}={}", String::from_utf8_lossy(value));
        Ok((response.status, response.headers.iter().map(field).collect(), framing))
    }

    fn framed(fields: &str) -> Result<Framing, Error> {
        read("GET", &format!("HTTP/1.1 200 OK\r\n{fields}\r\n")).map(|(_, _, framing)| framing)
    }

    #[test]
    fn heads_are_read() {
        let head =
            "HTTP/1.1 404 Not Found\r\nX-A:  1 \r\nConnection: close\r\nContent-Length: 3\r\n\r\n";
        let (status, fields, framing) = read("GET", head).unwrap();
        assert_eq!((status, framing), (404, Framing::Length(3)));
        assert_eq!(fields, ["x-a=1", "content-length=3"]);
        assert!(read("GET", "HTTP/1.0 200\r\n\r\n").is_ok());
        let bad = [
            "\r\n",
            "HTTP/2 200\r\n\r\n",
            "HTTP/1.1 2000 OK\r\n\r\n",
            "HTTP/1.1 099 x\r\n\r\n",
            "HTTP/1.1 200 OK\r\na b: c\r\n\r\n",
            "HTTP/1.1 200 OK\r\na : c\r\n\r\n",
            "HTTP/1.1 200 OK\r\na: b\r\n c\r\n\r\n",
            "HTTP/1.1 200 OK\r\na: \0\r\n\r\n",
            "HTTP/1.1 200 OK\r\n: b\r\n\r\n",
            "<html>\r\n\r\n",
            "HTTP/1.1 200 O\0K\r\n\r\n",
        ];
        for head in bad {
            assert_eq!(read("GET", head).unwrap_err(), Error::Protocol, "{head:?}");
        }
        let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "a: b\r\n".repeat(300));
        assert!(matches!(read("GET", &many), Err(Error::HeadSize(_))));
    }

    #[test]
    fn frames_are_found_and_fools_found_out() {
        assert_eq!(framed(""), Ok(Framing::Close));
        assert_eq!(framed("content-length: 5\r\n"), Ok(Framing::Length(5)));
        assert_eq!(framed("content-length: 5\r\ncontent-length: 5, 5\r\n"), Ok(Framing::Length(5)));
        assert_eq!(framed("Transfer-Encoding: Chunked\r\n"), Ok(Framing::Chunked));
        assert_eq!(
            framed("content-length: 5\r\ntransfer-encoding: chunked\r\n"),
            Ok(Framing::Chunked)
        );
        let bad =
            ["5\r\ncontent-length: 6", "", "-5", "+5", "5 5", "0x5", "5,", "99999999999999999999"];
        for length in bad {
            let framing = framed(&format!("content-length: {length}\r\n"));
            assert_eq!(framing, Err(Error::Protocol), "{length:?}");
        }
        for coding in ["gzip", "gzip, chunked", "chunked, chunked", "identity", "xchunked", ""] {
            let framing = framed(&format!("transfer-encoding: {coding}\r\n"));
            assert!(matches!(framing, Err(Error::TransferCoding(_))), "{coding:?}");
        }
        let old = read("GET", "HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
        assert_eq!(old.unwrap_err(), Error::Protocol);
        let both = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n";
        assert_eq!(read("GET", both).unwrap().1, [""; 0]);
    }

    #[test]
    fn some_responses_have_no_body() {
        let head = |status: u16| format!("HTTP/1.1 {status} x\r\ncontent-length: 5\r\n\r\n");
        for status in [100, 103, 204, 304] {
            assert_eq!(read("GET", &head(status)).unwrap().2, Framing::None);
        }
        assert_eq!(read("HEAD", &head(200)).unwrap().2, Framing::None);
        assert_eq!(read("GET", &head(205)).unwrap().2, Framing::Length(5));
    }
}
