//! What is done with a program of WASI 0.3 while it runs: writing to its standard input
//! and waiting for what it prints, one after the other.

use std::io::{PipeWriter, Write};
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
                _ => None,
            }
        });
        let steps: Vec<_> = steps.collect();
        let outputs = outputs.map(MemoryPipe::clone);
        Script::Running(thread::spawn(move || {
            let mut seen = [0; 2];
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
