//! What is done with a program of WASI 0.3 while it runs: writing to its standard input,
//! waiting for what it prints, and talking to it over the network, one after the other.

use std::io::{PipeWriter, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use zwasm_wasi::MemoryPipe;

use super::json::Json;

/// How long a program may take to print something.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is going on.
pub(super) enum Script {
    /// Nothing, but the program's standard input has no end meanwhile.
    Open(PipeWriter),
    Running(JoinHandle<Result<(), String>>),
}

enum Step {
    Write(String),
    /// From standard output or standard error.
    Read(usize, String),
    /// To the address that is the next line of standard output.
    Connect,
    Send(String),
    Receive(String),
}

impl Script {
    /// Begins to do what a description says.
    pub(super) fn start(
        program: &Path,
        operations: &[Json],
        mut stdin: PipeWriter,
        outputs: [&MemoryPipe; 2],
    ) -> Script {
        let folder = program.parent().and_then(Path::file_name);
        if folder.is_none_or(|folder| folder != "wasm32-wasip3") {
            return Script::Open(stdin);
        }
        let steps = operations.iter().filter_map(|operation| {
            let payload = operation.get("payload").string().to_owned();
            match (operation.get("type").string(), operation.get("id").string()) {
                ("write", "stdin") => Some(Step::Write(payload)),
                ("read", "stdout") => Some(Step::Read(0, payload)),
                ("read", "stderr") => Some(Step::Read(1, payload)),
                ("connect", _) => Some(Step::Connect),
                ("send", _) => Some(Step::Send(payload)),
                ("recv", _) => Some(Step::Receive(payload)),
                _ => None,
            }
        });
        let steps: Vec<_> = steps.collect();
        let outputs = outputs.map(MemoryPipe::clone);
        Script::Running(thread::spawn(move || {
            let mut seen = [0; 2];
            let mut connection = None;
            for step in &steps {
                match step {
                    Step::Write(payload) => {
                        let written = stdin.write_all(payload.as_bytes());
                        written.map_err(|error| format!("its standard input: {error}"))?;
                    }
                    Step::Read(from, payload) => {
                        expect(&outputs[*from], seen[*from], payload)?;
                        seen[*from] += payload.len();
                    }
                    Step::Connect => {
                        let address = line(&outputs[0], &mut seen[0])?;
                        let connected = TcpStream::connect(address.trim()).and_then(|stream| {
                            stream.set_read_timeout(Some(PATIENCE))?;
                            Ok(stream)
                        });
                        let failed = |error| format!("connecting to {address}: {error}");
                        connection = Some(connected.map_err(failed)?);
                    }
                    Step::Send(payload) => {
                        let stream = connection.as_mut().ok_or("there is no connection")?;
                        let sent = stream.write_all(payload.as_bytes());
                        sent.map_err(|error| format!("sending: {error}"))?;
                    }
                    Step::Receive(payload) => {
                        let stream = connection.as_mut().ok_or("there is no connection")?;
                        let mut received = vec![0; payload.len()];
                        let result = stream.read_exact(&mut received);
                        result.map_err(|error| format!("receiving: {error}"))?;
                        if received != payload.as_bytes() {
                            let received = String::from_utf8_lossy(&received);
                            return Err(format!("it sent {received:?}, not {payload:?}"));
                        }
                    }
                }
            }
            Ok(())
        }))
    }

    /// Whether all of it went well.
    pub(super) fn finish(self) -> Result<(), String> {
        match self {
            Script::Open(stdin) => {
                drop(stdin);
                Ok(())
            }
            Script::Running(thread) => thread.join().map_err(|_| "the script panicked")?,
        }
    }
}

/// Waits for a text at a place.
fn expect(output: &MemoryPipe, from: usize, text: &str) -> Result<(), String> {
    let start = Instant::now();
    loop {
        let contents = output.contents();
        let found = contents.get(from..).unwrap_or_default();
        if found.starts_with(text.as_bytes()) {
            return Ok(());
        }
        if !text.as_bytes().starts_with(found) || start.elapsed() > PATIENCE {
            let found = String::from_utf8_lossy(found);
            return Err(format!("it printed {found:?}, not {text:?}"));
        }
        thread::sleep(Duration::from_millis(1));
    }
}

/// Waits for the line at a place, and goes on behind it.
fn line(output: &MemoryPipe, from: &mut usize) -> Result<String, String> {
    let start = Instant::now();
    loop {
        let contents = output.contents();
        let found = contents.get(*from..).unwrap_or_default();
        if let Some(end) = found.iter().position(|byte| *byte == b'\n') {
            *from += end + 1;
            return Ok(String::from_utf8_lossy(&found[..end]).into_owned());
        }
        if start.elapsed() > PATIENCE {
            return Err(String::from("it printed no line"));
        }
        thread::sleep(Duration::from_millis(1));
    }
}
