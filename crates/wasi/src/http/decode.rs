//! Taking what is received apart: sections of lines, and bodies as they are framed.
//!
//! RFC 9112, sections 6 and 7. Nothing is looked at twice, so that what comes byte by byte
//! costs no more than what comes at once.

use super::error::Error;
use super::fields::Fields;
use super::response::parse_trailers;
use super::{MAX_CHUNK_LINE, MAX_TRAILERS};
use crate::host::budget::Budget;

/// What was received and not used yet.
#[derive(Default)]
pub(crate) struct Received {
    bytes: Vec<u8>,
    /// What is used of them.
    start: usize,
    /// How far, from there, there is no end of what is looked for.
    seen: usize,
    /// Whether nothing comes any more.
    pub ended: bool,
}

/// That there is more of something than there may be.
pub(crate) struct TooLong;

impl Received {
    /// What is there.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    /// Adds bytes.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        // What is left is less than what comes: a part of a line or of a section.
        self.bytes.drain(..std::mem::take(&mut self.start));
        self.bytes.extend_from_slice(bytes);
    }

    /// Removes and returns the first bytes, of which there are so many.
    pub(crate) fn take(&mut self, len: usize) -> &[u8] {
        let from = self.start;
        (self.start, self.seen) = (from + len, 0);
        &self.bytes[from..from + len]
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        *self = Received { ended: self.ended, ..Received::default() };
    }

    /// Removes and returns a line, with its end.
    fn line(&mut self, max: usize) -> Result<Option<&[u8]>, TooLong> {
        let from = self.seen;
        match self.bytes()[from..].iter().position(|&byte| byte == b'\n') {
            Some(at) if from + at < max => Ok(Some(self.take(from + at + 1))),
            None if self.bytes().len() < max => {
                self.seen = self.bytes().len();
                Ok(None)
            }
            Some(_) | None => Err(TooLong),
        }
    }

    /// Removes and returns lines up to an empty one, with that.
    pub(crate) fn section(&mut self, max: usize) -> Result<Option<&[u8]>, TooLong> {
        let bytes = self.bytes();
        let mut from = self.seen;
        // Each turn looks at one line.
        while let Some(at) = bytes[from..].iter().position(|&byte| byte == b'\n') {
            let line = from + at + 1;
            // Where the line began is where the last one ended, or a part was seen before.
            let start = bytes[..line - 1].iter().rposition(|&byte| byte == b'\n');
            let content = &bytes[start.map_or(0, |at| at + 1)..line - 1];
            if line > max {
                return Err(TooLong);
            }
            if content.is_empty() || content == b"\r" {
                return Ok(Some(self.take(line)));
            }
            from = line;
        }
        if bytes.len() > max {
            return Err(TooLong);
        }
        self.seen = bytes.len();
        Ok(None)
    }
}

/// How the body of a response ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Framing {
    /// It is empty.
    None,
    /// After so many bytes.
    Length(u64),
    /// With the last chunk.
    Chunked,
    /// With the connection.
    Close,
}

/// What comes next of a body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Next {
    /// So many bytes are there.
    Bytes(usize),
    /// More has to be received first.
    More,
    /// It is over.
    End,
}

/// Finds the contents of a body in what is received.
pub(crate) struct Decoder {
    place: Place,
    trailers: Option<Fields>,
}

/// Where in a body the decoder is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    /// So many bytes before the end.
    Plain(u64),
    /// Before the end of the connection.
    Open,
    /// Before the line that begins a chunk.
    ChunkLine,
    /// So many bytes before the end of a chunk.
    Chunk(u64),
    /// Between a chunk and the end of its last line.
    ChunkEnd,
    Trailers,
    End,
}

impl Decoder {
    pub(crate) fn new(framing: Framing) -> Decoder {
        let place = match framing {
            Framing::None | Framing::Length(0) => Place::End,
            Framing::Length(length) => Place::Plain(length),
            Framing::Chunked => Place::ChunkLine,
            Framing::Close => Place::Open,
        };
        Decoder { place, trailers: None }
    }

    /// What comes next. What is there of the frame around it is used up.
    pub(crate) fn next(&mut self, received: &mut Received, budget: &Budget) -> Result<Next, Error> {
        loop {
            let there = received.bytes().len();
            self.place = match self.place {
                Place::End => return Ok(Next::End),
                Place::Open if there == 0 && received.ended => Place::End,
                Place::Open if there > 0 => return Ok(Next::Bytes(there)),
                Place::Plain(left) | Place::Chunk(left) if there > 0 => {
                    return Ok(Next::Bytes(
                        usize::try_from(left).map_or(there, |left| left.min(there)),
                    ));
                }
                Place::Open | Place::Plain(_) | Place::Chunk(_) => return more(received),
                Place::ChunkLine => match received.line(MAX_CHUNK_LINE) {
                    Ok(Some(line)) => match chunk_size(line).ok_or(Error::Protocol)? {
                        0 => Place::Trailers,
                        size => Place::Chunk(size),
                    },
                    Ok(None) => return more(received),
                    Err(TooLong) => return Err(Error::Protocol),
                },
                Place::ChunkEnd => match received.line(2) {
                    Ok(Some(b"\r\n")) => Place::ChunkLine,
                    Ok(None) => return more(received),
                    Ok(Some(_)) | Err(TooLong) => return Err(Error::Protocol),
                },
                Place::Trailers => match received.section(MAX_TRAILERS) {
                    Ok(Some(b"\r\n" | b"\n")) => Place::End,
                    Ok(Some(section)) => {
                        self.trailers = Some(parse_trailers(section, budget)?);
                        Place::End
                    }
                    Ok(None) => return more(received),
                    Err(TooLong) => return Err(Error::TrailersSize(MAX_TRAILERS as u32)),
                },
            };
        }
    }

    /// Says that bytes of those that are there were taken.
    pub(crate) fn took(&mut self, len: usize) {
        self.place = match self.place {
            Place::Plain(left) if left == len as u64 => Place::End,
            Place::Plain(left) => Place::Plain(left - len as u64),
            Place::Chunk(left) if left == len as u64 => Place::ChunkEnd,
            Place::Chunk(left) => Place::Chunk(left - len as u64),
            place => place,
        };
    }

    /// The fields behind the body, once.
    pub(crate) fn trailers(&mut self) -> Option<Fields> {
        self.trailers.take()
    }
}

/// That more has to be received, if it comes.
fn more(received: &Received) -> Result<Next, Error> {
    if received.ended { Err(Error::Incomplete) } else { Ok(Next::More) }
}

/// The size in a line that begins a chunk. Extensions mean nothing.
fn chunk_size(line: &[u8]) -> Option<u64> {
    let line = line.strip_suffix(b"\r\n")?;
    let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let (digits, rest) = line.split_at(digits);
    let blank = rest.iter().take_while(|byte| b" \t".contains(byte)).count();
    let extended = rest.get(blank).is_none_or(|&byte| byte == b';');
    if digits.is_empty() || digits.len() > 16 || !extended || rest.contains(&b'\r') {
        return None;
    }
    u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Decodes a body that comes in pieces of a size.
    fn decode(
        framing: Framing,
        body: &[u8],
        piece: usize,
    ) -> (Vec<u8>, Result<Option<Fields>, Error>) {
        let (mut received, mut decoder) = (Received::default(), Decoder::new(framing));
        let (mut pieces, mut contents) = (body.chunks(piece), Vec::new());
        let budget = Budget::new(crate::http::BUDGET);
        loop {
            match decoder.next(&mut received, &budget) {
                Ok(Next::Bytes(len)) => {
                    contents.extend_from_slice(received.take(len));
                    decoder.took(len);
                }
                Ok(Next::More) => match pieces.next() {
                    Some(piece) => received.push(piece),
                    None => received.ended = true,
                },
                Ok(Next::End) => return (contents, Ok(decoder.trailers())),
                Err(error) => return (contents, Err(error)),
            }
        }
    }

    fn contents(framing: Framing, body: &str) -> String {
        let whole = decode(framing, body.as_bytes(), body.len().max(1));
        for piece in [1, 2, 3, 7] {
            let pieces = decode(framing, body.as_bytes(), piece);
            assert_eq!(whole.0, pieces.0, "{body:?} in pieces of {piece}");
            assert_eq!(
                whole.1.as_ref().err(),
                pieces.1.as_ref().err(),
                "{body:?} in pieces of {piece}"
            );
        }
        match whole.1 {
            Ok(None) => String::from_utf8(whole.0).unwrap(),
            Ok(Some(trailers)) => {
                let mut out = whole.0;
                out.push(b'|');
                trailers.write(&mut out, true);
                String::from_utf8(out).unwrap()
            }
            Err(error) => format!("{error:?}"),
        }
    }

    #[test]
    fn bodies_end_as_their_frame_says() {
        assert_eq!(contents(Framing::None, "more"), "");
        assert_eq!(contents(Framing::Length(0), "more"), "");
        assert_eq!(contents(Framing::Length(5), "hello more"), "hello");
        assert_eq!(contents(Framing::Length(9), "hello"), "Incomplete");
        assert_eq!(contents(Framing::Length(u64::MAX), "hello"), "Incomplete");
        assert_eq!(contents(Framing::Close, "hello"), "hello");
        assert_eq!(contents(Framing::Close, ""), "");
    }

    #[test]
    fn chunks_are_joined() {
        fn chunked(body: &str) -> String {
            contents(Framing::Chunked, body)
        }
        assert_eq!(
            chunked("5\r\nhello\r\n1;x=\"y\"\r\n \r\n05 \t;\r\nworld\r\n0\r\n\r\n"),
            "hello world"
        );
        assert_eq!(
            chunked("A\r\n0123456789\r\n0\r\nX-Sum: 9\r\ny: z\r\n\r\n"),
            "0123456789|x-sum: 9\r\ny: z\r\n"
        );
        assert_eq!(chunked("0\r\n\r\nmore"), "");
        for broken in [
            "",
            "5\r\nhel",
            "5\r\nhello",
            "5\r\nhello\r",
            "5\r\nhello\r\n",
            "0\r\n",
            "0\r\nX: y\r\n",
        ] {
            assert_eq!(chunked(broken), "Incomplete", "{broken:?}");
        }
        let wrong = [
            "x\r\n",
            "\r\n",
            "-1\r\n",
            "0x5\r\n",
            "5\nhello\r\n",
            " 5\r\n",
            "5 5\r\nhello\r\n",
            "11111111111111111\r\n",
            "5\r\nhello!\r\n0\r\n\r\n",
            "5\r\nhello\n0\r\n\r\n",
            "5;a\rb\r\nhello\r\n",
            "5\r\nhello\r\r\n",
            "0\r\nno field\r\n\r\n",
            "0\r\n a: b\r\n\r\n",
        ];
        for wrong in wrong {
            assert_eq!(chunked(wrong), "Protocol", "{wrong:?}");
        }
        assert_eq!(chunked(&format!("5;{}\r\nhello", "x".repeat(2000))), "Protocol");
        assert_eq!(chunked(&format!("5;{}", "x".repeat(2000))), "Protocol");
        let long = format!("0\r\na: {}\r\n\r\n", "x".repeat(MAX_TRAILERS));
        assert!(chunked(&long).starts_with("TrailersSize"));
        let many = format!("0\r\n{}\r\n", "a: b\r\n".repeat(300));
        assert!(chunked(&many).starts_with("TrailersSize"));
    }

    #[test]
    fn sections_end_with_an_empty_line() {
        let mut received = Received::default();
        for &byte in b"HTTP/1.1 200 OK\r\na: b\r\n\r" {
            received.push(&[byte]);
            assert!(matches!(received.section(100), Ok(None)));
        }
        received.push(b"\nrest");
        let section = received.section(100).ok().flatten().unwrap();
        assert_eq!(section, b"HTTP/1.1 200 OK\r\na: b\r\n\r\n");
        assert_eq!(received.bytes(), b"rest");
        received.push(b"\n\nx");
        assert_eq!(received.section(100).ok().flatten().unwrap(), b"rest\n\n");
        received.push(&[b'x'; 100]);
        assert!(received.section(100).is_err());
    }
}
