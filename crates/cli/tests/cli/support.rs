//! Running the binary under test, and temporary files to run it on.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// The longest a command may take that should answer at once, on a slow and
/// busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// How many times longer everything takes: more than once where the processor is
/// emulated, as the script that runs the tests there says.
pub fn slowness() -> u32 {
    let factor = std::env::var("ZWASM_SLOWNESS").ok().and_then(|text| text.parse().ok());
    factor.unwrap_or(1)
}

/// What the system says of a directory that was to be read: Windows, that it may not be.
pub const IS_A_DIRECTORY: &str = if cfg!(windows) { "(os error 5)" } else { "Is a directory" };

/// The variable that says where an emulated processor finds its system's libraries.
const EMULATOR: &str = "QEMU_LD_PREFIX";

/// The binary under test with its arguments; configured, then run.
pub struct Zwasm {
    command: Command,
    stdin: Vec<u8>,
    stdout: Option<File>,
    patience: Duration,
}

/// `zwasm` with these arguments, no environment variables and an empty standard
/// input.
pub fn zwasm<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Zwasm {
    let mut command = Command::new(env!("CARGO_BIN_EXE_zwasm"));
    command.args(args).env_clear();
    if let Some(prefix) = std::env::var_os(EMULATOR) {
        command.env(EMULATOR, prefix);
    }
    Zwasm { command, stdin: Vec::new(), stdout: None, patience: PATIENCE * slowness() }
}

/// `zwasm` run in a directory, with the words of a line as arguments.
pub fn line(dir: &Dir, words: &str) -> Outcome {
    zwasm(words.split_whitespace()).dir(dir.path()).run()
}

impl Zwasm {
    /// Sets the working directory.
    pub fn dir(mut self, dir: &Path) -> Self {
        self.command.current_dir(dir);
        self
    }

    /// Sets an environment variable of the host.
    pub fn env(mut self, key: &str, value: &str) -> Self {
        self.command.env(key, value);
        self
    }

    /// Gives the command something on standard input.
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    /// Sends standard output to a file instead of the outcome.
    pub fn stdout(mut self, file: File) -> Self {
        self.stdout = Some(file);
        self
    }

    /// Allows more time than a command that answers at once needs.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience * slowness();
        self
    }

    /// Runs to the end; a panic when it takes too long.
    pub fn run(mut self) -> Outcome {
        let stdout = self.stdout.take().map_or_else(Stdio::piped, Stdio::from);
        let stdin = if self.stdin.is_empty() { Stdio::null() } else { Stdio::piped() };
        self.command.stdin(stdin).stdout(stdout).stderr(Stdio::piped());
        let mut child = self.command.spawn().expect("the binary under test starts");
        if let Some(mut pipe) = child.stdin.take() {
            let bytes = std::mem::take(&mut self.stdin);
            // A command that ends without reading all of it closes the pipe.
            thread::spawn(move || pipe.write_all(&bytes));
        }
        let stdout = reader(child.stdout.take());
        let stderr = reader(child.stderr.take());
        let end = Instant::now() + self.patience;
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if Instant::now() > end {
                child.kill().unwrap();
                child.wait().unwrap();
                panic!("no end after {:?}: {:?}", self.patience, self.command);
            }
            thread::sleep(Duration::from_millis(2));
        };
        Outcome {
            command: format!("{:?}", self.command),
            code: status.code(),
            stdout: stdout.join().unwrap(),
            stderr: String::from_utf8_lossy(&stderr.join().unwrap()).into_owned(),
        }
    }
}

fn reader(pipe: Option<impl Read + Send + 'static>) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            pipe.read_to_end(&mut bytes).unwrap();
        }
        bytes
    })
}

/// What a finished command left behind.
#[derive(Debug)]
pub struct Outcome {
    command: String,
    /// The exit code; none after a signal.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: String,
}

impl Outcome {
    /// Standard output as text.
    pub fn text(&self) -> String {
        let mut text = String::from_utf8_lossy(&self.stdout).into_owned();
        // A guest that may see the environment sees what the emulator needs as well.
        if let Ok(prefix) = std::env::var(EMULATOR) {
            text = text.replace(&format!("{EMULATOR}={prefix}\n"), "");
        }
        // A process of Windows has some variables whatever it is given, and wine adds its own.
        let given = |line: &&str| line.starts_with("WINE") || line.starts_with("System");
        match cfg!(windows) && text.lines().any(|line| given(&line)) {
            true => text.split_inclusive('\n').filter(|line| !given(line)).collect(),
            false => text,
        }
    }

    /// Checks that the command succeeded with this output and nothing to say
    /// on standard error.
    #[track_caller]
    pub fn prints(&self, stdout: &str) {
        assert_eq!((self.code, self.stderr.as_str()), (Some(0), ""), "{self:?}");
        assert_eq!(self.text(), stdout, "{}", self.command);
    }

    /// Checks that the command failed with this code and exactly one line
    /// `error: …`, whose text is returned. Lines after it may only be the
    /// indented frames of a trap or an exception.
    #[track_caller]
    pub fn fails(&self, code: i32) -> &str {
        assert_eq!(self.code, Some(code), "{self:?}");
        let (message, frames) = self.stderr.split_once('\n').unwrap_or_default();
        let message = message.strip_prefix("error: ").unwrap_or_else(|| panic!("{self:?}"));
        assert!(!message.trim().is_empty(), "{self:?}");
        assert!(frames.lines().all(|line| line.starts_with("  ")), "{self:?}");
        let has_frames = ["trap: ", "uncaught exception"];
        let framed = has_frames.iter().any(|start| message.starts_with(start));
        assert!(frames.is_empty() || framed, "{self:?}");
        assert!(frames.lines().count() <= 25, "{self:?}");
        assert!(!self.stderr.contains("panicked"), "{self:?}");
        message
    }

    /// Checks that the command failed with this code and a message that
    /// contains each of these parts.
    #[track_caller]
    pub fn fails_saying(&self, code: i32, parts: &[&str]) {
        let message = self.fails(code);
        for part in parts {
            assert!(message.contains(part), "no '{part}' in: {message}");
        }
    }
}

/// A temporary directory, removed with its contents when dropped.
pub struct Dir(PathBuf);

impl Dir {
    /// A new, empty directory.
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// A new directory with these files in it.
    pub fn with(files: &[(&str, &str)]) -> Self {
        let dir = Self::new();
        for (name, text) in files {
            dir.write(name, text);
        }
        dir
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file; with the extension `wasm`, text that opens with a
    /// parenthesis is assembled.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let content = content.as_ref();
        let path = self.0.join(name);
        if name.ends_with(".wasm") && content.starts_with(b"(") {
            std::fs::write(&path, assemble(std::str::from_utf8(content).unwrap())).unwrap();
        } else {
            std::fs::write(&path, content).unwrap();
        }
        path
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        // A leftover in the target directory hurts nobody.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The binary of a module in the text format.
pub fn assemble(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap()
}
