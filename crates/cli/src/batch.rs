//! `--batch`: calls read from standard input, one a line.
//!
//! A line is either a call, as `--invoke` takes it, or a JSON object that is
//! answered in kind. All calls go to one instance, whose state so lasts from line
//! to line. What fails is reported with its line, and the next line is read; each
//! answer is written out before that, so that a program can hold a dialogue.

use std::io::{BufRead, Read, Write};

use crate::failure::{Failure, write_error};
use crate::json::{Format, quote};
use crate::json_reader::Json;
use crate::limits::Limits;
use crate::run::print;

/// The most bytes of a line: of a longer one it is only said that it is.
const MAX_LINE: usize = 16 << 20;

/// What lines call.
pub trait Callee {
    /// What a line means that is no JSON.
    fn words(&self, text: &str) -> Request;

    /// Carries out a request; what it returned, as it is printed.
    ///
    /// # Errors
    /// When there is no such function, its arguments are others, or it is stopped.
    fn call(&mut self, request: &Request, format: Format) -> Result<String, Failure>;

    /// Writes out what the guest wrote.
    ///
    /// # Errors
    /// When it cannot be written.
    fn flush(&self) -> std::io::Result<()>;
}

/// Lines of standard input as calls.
pub struct Batch<C> {
    pub callee: C,
    /// How lines of words are answered; those of JSON always in that.
    pub format: Format,
    /// What failures are explained by.
    pub limits: Limits,
}

/// A line as understood.
#[derive(Debug, Default, PartialEq)]
pub struct Request {
    pub function: String,
    pub args: Vec<String>,
    /// What the answer repeats, as JSON.
    pub id: Option<String>,
}

impl<C: Callee> Batch<C> {
    /// Reads and carries out all lines; the exit code is 1 if any failed.
    ///
    /// # Errors
    /// When standard input cannot be read or standard output not be written.
    pub fn run(&mut self) -> Result<i32, Failure> {
        let mut input = std::io::stdin().lock();
        let mut line = Vec::new();
        let mut code = 0;
        for number in 1.. {
            line.clear();
            let cannot = |error| Failure::runtime(format!("cannot read standard input: {error}"));
            let mut most = (&mut input).take(MAX_LINE as u64 + 1);
            if most.read_until(b'\n', &mut line).map_err(cannot)? == 0 {
                break;
            }
            if line.len() > MAX_LINE && !line.ends_with(b"\n") {
                input.skip_until(b'\n').map_err(cannot)?;
                let message = format!("the line is longer than {MAX_LINE} bytes");
                self.answer(number, self.format, None, Err(Failure::runtime(message)))?;
                code = 1;
                continue;
            }
            let text = String::from_utf8_lossy(&line);
            let text = text.trim_start_matches('\u{feff}').trim();
            if !text.is_empty() && !self.line(number, text)? {
                code = 1;
            }
        }
        Ok(code)
    }

    /// Carries out a line; whether that went well.
    fn line(&mut self, number: u64, text: &str) -> Result<bool, Failure> {
        let is_json = text.starts_with('{');
        let format = match self.format {
            Format::Words if is_json => Format::Json,
            format => format,
        };
        let mut id = None;
        let request = if is_json { request(text) } else { Ok(self.callee.words(text)) };
        let outcome = request.map_err(Failure::runtime).and_then(|mut request| {
            id = request.id.take();
            self.callee.call(&request, format).map_err(|mut failure| {
                self.limits.explain(&mut failure);
                failure
            })
        });
        let outcome = outcome.or_else(|failure| match failure.exit() {
            Some(0) if format.is_json() => Ok("[]".into()),
            Some(0) => Ok(String::new()),
            _ => Err(failure),
        });
        self.answer(number, format, id, outcome)
    }

    /// Tells what came of a line; whether that is good.
    fn answer(
        &self,
        number: u64,
        format: Format,
        id: Option<String>,
        outcome: Result<String, Failure>,
    ) -> Result<bool, Failure> {
        self.callee.flush().map_err(|error| Failure::output(&error))?;
        let good = outcome.is_ok();
        match outcome {
            Ok(results) if !format.is_json() => print(&results, format)?,
            Ok(results) => answer(id, "results", &results)?,
            Err(failure) if format.is_json() => {
                answer(id, "error", &quote(failure.message()))?;
            }
            Err(mut failure) => {
                failure.put_before(&format!("line {number}: "));
                write_error(&failure);
            }
        }
        Ok(good)
    }
}

/// A line of JSON: `{"invoke": NAME, "args": [...], "id": ...}`.
fn request(text: &str) -> Result<Request, String> {
    let Json::Object(fields) = Json::parse(text).map_err(|wrong| format!("not JSON: {wrong}"))?
    else {
        return Err("a call in JSON is an object".into());
    };
    let mut request = Request::default();
    let mut named = false;
    for (name, value) in fields {
        match (name.as_str(), value) {
            ("invoke", Json::Text(function)) => {
                request.function = function;
                named = true;
            }
            ("invoke", _) => return Err("'invoke' must be a string".into()),
            ("args", Json::Array(items)) => {
                request.args = items.into_iter().map(argument).collect::<Result<_, _>>()?;
            }
            ("args", _) => return Err("'args' must be an array".into()),
            ("id", Json::Literal(literal)) => request.id = Some(literal),
            ("id", Json::Text(text)) => request.id = Some(quote(&text)),
            ("id", _) => return Err("'id' must be a number or a string".into()),
            (other, _) => {
                return Err(format!("unknown field '{other}': there are 'invoke', 'args', 'id'"));
            }
        }
    }
    if !named {
        return Err("the field 'invoke' is missing: the name of a function".into());
    }
    Ok(request)
}

fn argument(value: Json) -> Result<String, String> {
    match value {
        Json::Literal(text) | Json::Text(text) => Ok(text),
        _ => Err("'args' may hold numbers, strings and null".into()),
    }
}

/// Writes a line of JSON with one field, and the id of the request before it.
fn answer(id: Option<String>, field: &str, value: &str) -> Result<(), Failure> {
    let id = id.map_or(String::new(), |id| format!("\"id\": {id}, "));
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{{{id}\"{field}\": {value}}}")
        .and_then(|()| stdout.flush())
        .map_err(|error| Failure::output(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests() {
        let full = request(r#"{"id": "x", "invoke": "add", "args": [2, "0x3", null]}"#).unwrap();
        assert_eq!(full.function, "add");
        assert_eq!(full.args, ["2", "0x3", "null"]);
        assert_eq!(full.id.as_deref(), Some("\"x\""));
        assert_eq!(request(r#"{"invoke": "f"}"#).unwrap().args.len(), 0);
    }

    #[test]
    fn faulty_requests() {
        for (text, message) in [
            (r#"{"invoke": 1}"#, "'invoke' must be a string"),
            (r#"{"args": []}"#, "'invoke' is missing"),
            (r#"{"invoke": "f", "args": 1}"#, "'args' must be an array"),
            (r#"{"invoke": "f", "args": [[]]}"#, "numbers, strings and null"),
            (r#"{"invoke": "f", "id": {}}"#, "'id' must be"),
            (r#"{"call": "f"}"#, "unknown field 'call'"),
            (r#"{"invoke""#, "not JSON: expected ':'"),
        ] {
            let error = request(text).unwrap_err();
            assert!(error.contains(message), "{text}: {error}");
        }
    }
}
