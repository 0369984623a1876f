//! Turns a panic of the engine into the failure of one directive or case.
//!
//! In a build whose panics abort (the `release` profile) nothing can be
//! caught: there the hook tells which input was running before the process
//! ends.

use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

thread_local! {
    /// What is being run on this thread.
    static GUARDED: RefCell<Option<Guarded>> = const { RefCell::new(None) };
}

/// How the message of a panic begins that comes of another, which a function that cannot
/// be unwound has let through.
const NO_UNWINDING: &str = "panic in a function that cannot unwind";

struct Guarded {
    last_words: Box<dyn Fn() -> String>,
    message: String,
}

/// Runs `body`. Where a panic ends the process, `last_words` are said before.
///
/// # Errors
/// When it panics: the message and place of the panic.
pub fn catch<T>(
    last_words: impl Fn() -> String + 'static,
    body: impl FnOnce() -> T,
) -> Result<T, String> {
    install();
    let last_words = Box::new(last_words);
    GUARDED.set(Some(Guarded { last_words, message: String::new() }));
    let result = panic::catch_unwind(AssertUnwindSafe(body));
    let guarded = GUARDED.take();
    result.map_err(|_| guarded.map_or_else(String::new, |guarded| guarded.message))
}

/// Puts our hook before the present one, which still serves every panic
/// outside [`catch`].
fn install() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let ours = GUARDED.with_borrow_mut(|guarded| match guarded {
                Some(guarded) => {
                    let text = info.payload_as_str().unwrap_or("a value that is not text");
                    if text.starts_with(NO_UNWINDING) {
                        // What the panic was that the process ends with.
                        eprintln!("{}: {}", (guarded.last_words)(), guarded.message);
                    }
                    let place = info.location().map(ToString::to_string).unwrap_or_default();
                    guarded.message = format!("panic at {place}: {}", text.replace('\n', " "));
                    if cfg!(panic = "abort") {
                        eprintln!("{}: {}", (guarded.last_words)(), guarded.message);
                    }
                    true
                }
                None => false,
            });
            if !ours {
                previous(info);
            }
        }));
    });
}

#[cfg(test)]
mod tests {
    use super::catch;

    #[test]
    fn a_panic_becomes_its_message() {
        let caught = catch(String::new, || panic!("no\nluck")).unwrap_err();
        assert!(caught.starts_with("panic at crates/wast/src/panics.rs:"), "{caught}");
        assert!(caught.ends_with(": no luck"), "{caught}");
        assert_eq!(catch(String::new, || 3), Ok(3));
    }
}
