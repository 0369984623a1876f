//! What went wrong, as one line on standard error and an exit code.

use std::fmt::Write;

use zwasm::{Error, ErrorKind, WasmBacktrace};

/// A failure of the command: the exit code and what to print.
#[derive(Debug)]
pub struct Failure {
    code: u8,
    kind: Option<ErrorKind>,
    message: String,
    frames: String,
    note: String,
}

/// The frames of a backtrace that are shown; of deep recursion, more tell
/// nothing new.
const MAX_FRAMES: usize = 20;

impl Failure {
    /// Wrong usage or a failure at run time.
    pub fn runtime(message: impl Into<String>) -> Self {
        Self {
            code: 1,
            kind: None,
            message: message.into(),
            frames: String::new(),
            note: String::new(),
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

    /// Adds a line after everything else; none if it is empty.
    pub fn with_note(mut self, note: String) -> Self {
        self.note = note;
        self
    }

    /// The kind of the engine's error behind it.
    pub fn kind(&self) -> Option<ErrorKind> {
        self.kind
    }

    /// The exit code.
    pub fn code(&self) -> u8 {
        self.code
    }

    /// The lines for standard error: one with the message, then the frames of
    /// a trap's or exception's backtrace, indented, and the note.
    pub fn report(&self) -> String {
        let mut text = String::from("error: ");
        text.push_str(&one_line(&self.message));
        text.push_str(&self.frames);
        if !self.note.is_empty() {
            text.push_str(&one_line(&self.note));
        }
        text
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let mut failure = Self::runtime(error.to_string());
        failure.kind = Some(error.kind());
        failure.code = match error.kind() {
            ErrorKind::Invalid | ErrorKind::Unsupported => 2,
            ErrorKind::Io => 126,
            _ => 1,
        };
        if let Some(backtrace) = error.backtrace() {
            failure.frames = frames(backtrace);
        }
        failure
    }
}

fn frames(backtrace: &WasmBacktrace) -> String {
    let mut text = String::new();
    let all = backtrace.frames();
    for frame in all.iter().take(MAX_FRAMES) {
        let mut line = format!("  at function {}", frame.func_index());
        // Writing to a String cannot fail.
        if let Some(name) = frame.func_name() {
            let _ = write!(line, " <{name}>");
        }
        if let Some(offset) = frame.module_offset() {
            let _ = write!(line, ", offset {offset:#x}");
        }
        text.push_str(&one_line(&line));
    }
    if all.len() > MAX_FRAMES {
        text.push_str(
            "  ...
",
        );
    }
    text
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
        let report = Failure::runtime("no 'a\nb\x1b[31m' é").report();
        assert_eq!(report, "error: no 'a\\nb\\u{1b}[31m' é\n");
    }
}
