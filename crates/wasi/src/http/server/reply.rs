//! The head of a response that is sent, and responses that no guest has a part in.
//!
//! RFC 9110, section 6.6.1 for the date; RFC 9112, sections 4 and 6.

use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::http::fields::Fields;

/// Why a request is not answered by a guest.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Refusal {
    BadRequest,
    /// The head did not come in time.
    Timeout,
    BodyTooLarge,
    TargetTooLong,
    Expectation,
    HeadTooLarge,
    /// The guest failed, or gave no response.
    Failed,
    NotImplemented,
    /// The guest took too long.
    TooLong,
    Version,
}

impl Refusal {
    /// The status code.
    pub(crate) fn status(self) -> u16 {
        match self {
            Refusal::BadRequest => 400,
            Refusal::Timeout => 408,
            Refusal::BodyTooLarge => 413,
            Refusal::TargetTooLong => 414,
            Refusal::Expectation => 417,
            Refusal::HeadTooLarge => 431,
            Refusal::Failed => 500,
            Refusal::NotImplemented => 501,
            Refusal::TooLong => 504,
            Refusal::Version => 505,
        }
    }
}

/// The phrase for a status code, which nobody has to read.
fn phrase(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        206 => "Partial Content",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        409 => "Conflict",
        413 => "Content Too Large",
        414 => "URI Too Long",
        415 => "Unsupported Media Type",
        417 => "Expectation Failed",
        418 => "I'm a teapot",
        422 => "Unprocessable Content",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        _ => "",
    }
}

/// How a body is framed that is sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Sent {
    /// There is none, and none is spoken of.
    None,
    /// So many bytes.
    Known(u64),
    /// In chunks.
    Chunked,
    /// Up to the end of the connection, for clients that do not know chunks.
    Close,
}

/// What the head of a response says beside the status and the guest's own fields.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    pub sent: Sent,
    /// Whether the client knows HTTP/1.1.
    pub modern: bool,
    /// Whether the connection stays open.
    pub keep: bool,
}

/// Writes a head.
pub(super) fn write(out: &mut Vec<u8>, status: u16, fields: Option<&Fields>, frame: Frame) {
    out.reserve(256);
    out.extend_from_slice(b"HTTP/1.1 ");
    number(out, u64::from(status));
    out.push(b' ');
    out.extend_from_slice(phrase(status).as_bytes());
    out.extend_from_slice(b"\r\n");
    let (mut dated, mut measured) = (false, false);
    for (name, value) in fields.iter().flat_map(|fields| fields.iter()) {
        if name.eq_ignore_ascii_case("content-length") {
            // A response without a body may tell what it would be, but one of this status.
            if frame.sent == Sent::None && status == 204 {
                continue;
            }
            measured = true;
        }
        dated |= name.eq_ignore_ascii_case("date");
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b": ");
        out.extend_from_slice(value);
        out.extend_from_slice(b"\r\n");
    }
    match frame.sent {
        Sent::Known(length) if !measured => {
            out.extend_from_slice(b"content-length: ");
            number(out, length);
            out.extend_from_slice(b"\r\n");
        }
        Sent::Chunked => out.extend_from_slice(b"transfer-encoding: chunked\r\n"),
        Sent::Known(_) | Sent::None | Sent::Close => {}
    }
    if !dated {
        out.extend_from_slice(b"date: ");
        out.extend_from_slice(&date());
        out.extend_from_slice(b"\r\n");
    }
    match (frame.keep, frame.modern) {
        (false, _) => out.extend_from_slice(b"connection: close\r\n"),
        (true, false) => out.extend_from_slice(b"connection: keep-alive\r\n"),
        (true, true) => {}
    }
    out.extend_from_slice(b"\r\n");
}

/// Writes a response that says what is wrong, and closes the connection or not.
pub(super) fn refuse(out: &mut Vec<u8>, refusal: Refusal, head: bool, keep: bool) {
    let status = refusal.status();
    let text = format!("{status} {}\n", phrase(status));
    let sent = Sent::Known(text.len() as u64);
    write(out, status, None, Frame { sent, modern: true, keep });
    if !head {
        out.extend_from_slice(text.as_bytes());
    }
}

/// Writes a number in decimal digits.
pub(super) fn number(out: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            return out.extend_from_slice(&digits[at..]);
        }
    }
}

/// The time as fields have it: `Sun, 06 Nov 1994 08:49:37 GMT`.
type Date = [u8; 29];

/// The time now, written once a second.
fn date() -> Date {
    static LAST: Mutex<(u64, Date)> = Mutex::new((u64::MAX, [0; 29]));
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    if last.0 != seconds {
        *last = (seconds, date_of(seconds));
    }
    last.1
}

/// A time in seconds since 1970 as fields have it.
fn date_of(seconds: u64) -> Date {
    const DAYS: &[u8; 21] = b"ThuFriSatSunMonTueWed";
    const MONTHS: &[u8; 36] = b"JanFebMarAprMayJunJulAugSepOctNovDec";
    let (day, second) = (seconds / 86_400, seconds % 86_400);
    let (year, month, of_month) = civil(day);
    let mut date = *b"Day, 00 Mon 0000 00:00:00 GMT";
    let weekday = (day % 7) as usize * 3;
    date[..3].copy_from_slice(&DAYS[weekday..weekday + 3]);
    let name = (month as usize - 1) * 3;
    date[8..11].copy_from_slice(&MONTHS[name..name + 3]);
    let mut put = |at: usize, digits: usize, mut value: u64| {
        for place in (at..at + digits).rev() {
            date[place] = b'0' + (value % 10) as u8;
            value /= 10;
        }
    };
    put(5, 2, of_month);
    put(12, 4, year);
    put(17, 2, second / 3600);
    put(20, 2, second / 60 % 60);
    put(23, 2, second % 60);
    date
}

/// The year, the month and the day of the month of a day since 1970. A year begins with
/// March here, so that what is added in leap years comes last.
pub(super) fn civil(day: u64) -> (u64, u64, u64) {
    let day = day + 719_468;
    let (era, of_era) = (day / 146_097, day % 146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let of_month = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + u64::from(month <= 2), month, of_month)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::budget::Budget;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (seconds, date) in [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
            (4_107_542_399, "Sun, 28 Feb 2100 23:59:59 GMT"),
            (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
        ] {
            assert_eq!(std::str::from_utf8(&date_of(seconds)).unwrap(), date);
        }
        assert_eq!(date().len(), 29);
    }

    fn head(status: u16, fields: &[(&str, &str)], sent: Sent) -> String {
        let mut all = Fields::new(&Budget::new(crate::http::BUDGET)).unwrap();
        for (name, value) in fields {
            all.append(name, value.as_bytes().to_vec()).unwrap();
        }
        let mut out = Vec::new();
        write(&mut out, status, Some(&all), Frame { sent, modern: true, keep: true });
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn heads_say_how_long_the_body_is_once() {
        let dated = ("Date", "now");
        let chunked = head(200, &[dated], Sent::Chunked);
        assert_eq!(chunked, "HTTP/1.1 200 OK\r\nDate: now\r\ntransfer-encoding: chunked\r\n\r\n");
        let known = head(299, &[dated], Sent::Known(1234));
        assert_eq!(known, "HTTP/1.1 299 \r\nDate: now\r\ncontent-length: 1234\r\n\r\n");
        let said = head(200, &[dated, ("Content-Length", "5")], Sent::Known(5));
        assert_eq!(said.matches("ontent-").count(), 1);
        let none = head(204, &[dated, ("Content-Length", "5")], Sent::None);
        assert_eq!(none, "HTTP/1.1 204 No Content\r\nDate: now\r\n\r\n");
        assert!(head(304, &[("Content-Length", "5")], Sent::None).contains("ontent-Length: 5"));
        assert!(head(200, &[], Sent::None).contains("\r\ndate: "));
    }
}
