//! What went wrong, as one line on standard error and an exit code.
//!
//! The word in front is coloured where standard error is a terminal, unless the
//! environment asks for no colours (`NO_COLOR`).

use std::fmt::Write as _;
use std::io::{IsTerminal, Write};

use zwasm::{Error, ErrorKind, MemoryFault, WasmBacktrace, WasmCoreDump};
use zwasm_wasi::I32Exit;

use crate::demangle::demangle;

/// A failure of the command: the exit code and what to print.
#[derive(Debug)]
pub struct Failure {
    code: u8,
    message: String,
    frames: String,
    notes: Vec<String>,
    kind: Option<ErrorKind>,
    exit: Option<i32>,
    core_dump: Option<Box<WasmCoreDump>>,
}

/// The frames of a backtrace that are shown; of deep recursion, more tell
/// nothing new.
const MAX_FRAMES: usize = 20;

impl Failure {
    /// Wrong usage or a failure at run time.
    pub fn runtime(message: impl Into<String>) -> Self {
        Self {
            code: 1,
            message: message.into(),
            frames: String::new(),
            notes: Vec::new(),
            kind: None,
            exit: None,
            core_dump: None,
        }
    }

    /// Standard output that cannot be written to.
    pub fn output(error: &std::io::Error) -> Self {
        Self::runtime(format!("cannot write to standard output: {error}"))
    }

    /// Adds to the end of the message.
    pub fn add(&mut self, text: &str) {
        self.message.push_str(text);
    }

    /// Adds to the beginning of the message.
    pub fn put_before(&mut self, text: &str) {
        self.message.insert_str(0, text);
    }

    /// Says something else.
    pub fn replace(&mut self, message: String) {
        self.message = message;
    }

    /// Adds a remark after everything else.
    pub fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    /// Whether there are remarks.
    pub fn has_notes(&self) -> bool {
        !self.notes.is_empty()
    }

    /// The kind of the engine's error behind it.
    pub fn kind(&self) -> Option<ErrorKind> {
        self.kind
    }

    /// What went wrong.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The exit code.
    pub fn code(&self) -> u8 {
        self.code
    }

    /// The code with which a program chose to end: then nothing went wrong.
    pub fn exit(&self) -> Option<i32> {
        self.exit
    }

    /// What the guest left behind that was stopped, if one was.
    pub fn core_dump(&self) -> Option<&WasmCoreDump> {
        self.core_dump.as_deref()
    }

    /// The lines for standard error: one with the message, then the frames of
    /// a trap's or exception's backtrace, indented, and the remarks.
    pub fn report(&self, colours: bool) -> String {
        let mut text = headed("error: ", RED, colours);
        text.push_str(&one_line(&self.message));
        text.push_str(&self.frames);
        for note in &self.notes {
            text.push_str(&headed("note: ", YELLOW, colours));
            text.push_str(&one_line(note));
        }
        text
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let mut failure = Self::runtime(error.summary());
        failure.code = match error.kind() {
            ErrorKind::Invalid | ErrorKind::Unsupported => 2,
            ErrorKind::Io => 126,
            _ => 1,
        };
        failure.kind = Some(error.kind());
        if let Some(exit) = error.downcast_ref::<I32Exit>() {
            failure.exit = Some(exit.0);
            failure.message = format!("the program ended with exit code {}", exit.0);
        } else if let Some(backtrace) = error.backtrace() {
            failure.core_dump = WasmCoreDump::of(&error).map(Box::new);
            match error.kind() {
                ErrorKind::Trap
                | ErrorKind::StackOverflow
                | ErrorKind::OutOfFuel
                | ErrorKind::Interrupted
                | ErrorKind::Exception => failure.frames = fault(&error) + &frames(backtrace),
                // A function of the host has stopped the guest as a trap does.
                ErrorKind::Host => {
                    failure.put_before("trap: ");
                    failure.frames = frames(backtrace);
                }
                // The guest has reached a limit, where it happens to be.
                _ => {}
            }
        }
        failure
    }
}

const RED: &str = "\x1b[1;31m";
const YELLOW: &str = "\x1b[1;33m";

fn headed(head: &str, colour: &str, colours: bool) -> String {
    if colours { format!("{colour}{head}\x1b[0m") } else { head.into() }
}

/// Whether text for a stream may be coloured.
pub fn colours(stream: &impl IsTerminal) -> bool {
    stream.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Writes a failure to standard error.
pub fn write_error(failure: &Failure) {
    say(&failure.report(colours(&std::io::stderr())));
}

/// Writes a remark to standard error that is no error.
pub fn note(text: &str) {
    say(&(headed("note: ", YELLOW, colours(&std::io::stderr())) + &one_line(text)));
}

/// Writes text to standard error.
pub fn say(text: &str) {
    // Where standard error is closed there is nobody to tell.
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// Which access left its memory, as a line above the frames.
fn fault(error: &Error) -> String {
    let fault = error.downcast_ref::<MemoryFault>();
    fault.map_or_else(String::new, |fault| format!("  {fault}\n"))
}

fn frames(backtrace: &WasmBacktrace) -> String {
    let mut text = String::new();
    let all = backtrace.frames();
    let places = places(backtrace).into_iter().chain(std::iter::repeat(None));
    for (frame, place) in all.iter().take(MAX_FRAMES).zip(places) {
        let mut line = format!("  at function {}", frame.func_index());
        // Writing to a String cannot fail.
        if let Some(name) = frame.func_name() {
            let name = demangle(name).unwrap_or_else(|| name.to_owned());
            let _ = write!(line, " <{name}>");
        }
        if let Some(offset) = frame.module_offset() {
            let _ = write!(line, ", offset {offset:#x}");
        }
        if let Some(place) = place {
            let _ = write!(line, ", {place}");
        }
        text.push_str(&one_line(&line));
    }
    if all.len() > MAX_FRAMES {
        text.push_str("  ...\n");
    }
    text
}

/// Where in their source frames are, as far as that is known.
#[cfg(feature = "addr2line")]
fn places(backtrace: &WasmBacktrace) -> Vec<Option<String>> {
    let lines = backtrace.source_lines(MAX_FRAMES).into_iter();
    lines.map(|line| line.map(|line| line.to_string())).collect()
}

#[cfg(not(feature = "addr2line"))]
fn places(_: &WasmBacktrace) -> Vec<Option<String>> {
    Vec::new()
}

/// A message as one line: control characters, which may come from names in
/// the guest, are escaped so that they neither break it nor steer the terminal.
pub fn one_line(message: &str) -> String {
    let mut line = String::with_capacity(message.len() + 1);
    for c in message.chars() {
        if c.is_control() {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
    }
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use zwasm::{Engine, Module};

    use super::*;

    #[test]
    fn codes() {
        assert_eq!(Failure::runtime("").code(), 1);
        assert_eq!(Failure::from(Error::msg("odd")).code(), 1);
        let invalid = Module::from_binary(&Engine::default(), b"no module").unwrap_err();
        assert_eq!(Failure::from(invalid).code(), 2);
    }

    #[test]
    fn a_report_is_one_line() {
        let failure = Failure::runtime("no 'a\nb\x1b[31m' é");
        assert_eq!(failure.report(false), "error: no 'a\\nb\\u{1b}[31m' é\n");
        let coloured = "\x1b[1;31merror: \x1b[0mno 'a\\nb\\u{1b}[31m' é\n";
        assert_eq!(failure.report(true), coloured);
    }
}
