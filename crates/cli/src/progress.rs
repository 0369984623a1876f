//! A line that tells what takes long, on a terminal, while it does.
//!
//! Large modules take seconds to load where the machine is slow or the build is not
//! optimised. Who waits should know for what. The line is there only after a second, is
//! taken away when it is over, and never gets into a file.

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

/// How long something may take without a word.
const SILENCE: Duration = Duration::from_secs(1);

/// How often the line tells of the time.
const TICK: Duration = Duration::from_secs(1);

/// Back to the beginning of the line, and nothing in it.
const CLEAR: &[u8] = b"\r\x1b[K";

/// Tells about something until it is dropped.
pub struct Progress(Option<(Sender<()>, JoinHandle<()>)>);

impl Progress {
    /// Something begins that may take long: loading a file.
    pub fn loading(path: &Path) -> Self {
        let stderr = std::io::stderr();
        if !stderr.is_terminal() {
            return Self(None);
        }
        let size = path.metadata().map_or(0, |metadata| metadata.len() >> 20);
        let size = if size > 0 { format!(" ({size} MB)") } else { String::new() };
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let text = format!("loading {}{size}", name.escape_debug());
        Self::start(text, stderr, SILENCE)
    }

    fn start(text: String, mut to: impl Write + Send + 'static, silence: Duration) -> Self {
        let (sender, receiver) = channel::<()>();
        let watch = move || {
            let (start, mut wait, mut shown) = (Instant::now(), silence, false);
            while receiver.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
                let seconds = start.elapsed().as_secs();
                // Where it cannot be written there is nobody to tell.
                let _ = to.write_all(CLEAR);
                let _ = write!(to, "{text}, {seconds} s").and_then(|()| to.flush());
                (wait, shown) = (TICK, true);
            }
            if shown {
                let _ = to.write_all(CLEAR).and_then(|()| to.flush());
            }
        };
        // Without a thread there is only silence.
        let thread = Builder::new().name("progress".into()).spawn(watch).ok();
        Self(thread.map(|thread| (sender, thread)))
    }
}

/// The line is gone when this returns.
impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((sender, thread)) = self.0.take() {
            drop(sender);
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Screen(Arc<Mutex<Vec<u8>>>);

    impl Write for Screen {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_is_fast_says_nothing() {
        let screen = Screen::default();
        drop(Progress::start("loading a".into(), screen.clone(), Duration::from_secs(600)));
        assert!(screen.0.lock().unwrap().is_empty());
    }

    #[test]
    fn what_is_slow_leaves_nothing() {
        let screen = Screen::default();
        let progress = Progress::start("loading a".into(), screen.clone(), Duration::ZERO);
        while screen.0.lock().unwrap().is_empty() {
            std::thread::yield_now();
        }
        drop(progress);
        let text = String::from_utf8(screen.0.lock().unwrap().clone()).unwrap();
        assert!(text.starts_with("\r\x1b[Kloading a, 0 s"), "{text:?}");
        assert!(text.ends_with("\r\x1b[K"), "{text:?}");
    }
}
