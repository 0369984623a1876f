//! Being told that the process is to end: by `SIGINT` or `SIGTERM`. On systems without
//! signals this crate is empty.
//!
//! There is no handler: the signals are blocked in all threads, and one thread waits for
//! them, which may then do whatever threads do. Whoever asks a second time ends the
//! process.
//!
//! # Safety
//!
//! The calls of the system take sets of signals that live on the caller's stack and were
//! initialised by `sigemptyset`. Users of this crate can forbid unsafe code.

#![cfg(unix)]

use std::io;
use std::mem::MaybeUninit;
use std::ptr::null_mut;
use std::thread;

/// The signals that ask a process to end.
const SIGNALS: [libc::c_int; 2] = [libc::SIGINT, libc::SIGTERM];

/// Has a function called in a thread of its own when the process is asked to end; when it
/// is asked again, it ends as it would have without this.
///
/// Only threads that are started afterwards leave the signals to that one: call this
/// before others are.
///
/// # Errors
///
/// When the signals can not be blocked, or there can be no thread.
pub fn on_end(told: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let set = set();
    change(libc::SIG_BLOCK, &set)?;
    let waiting = thread::Builder::new().name("signals".into()).spawn(move || {
        if wait(&set).is_ok() {
            told();
        }
        if let Ok(signal) = wait(&set) {
            let _ = change(libc::SIG_UNBLOCK, &set);
            // SAFETY: raising a signal touches no memory; its action is the one that was
            // there before, the default as a rule.
            unsafe { libc::raise(signal) };
            std::process::exit(128 + signal);
        }
    });
    waiting.map(drop)
}

/// The set of the signals.
fn set() -> libc::sigset_t {
    let mut set = MaybeUninit::uninit();
    // SAFETY: `sigemptyset` initialises the set, which is valid for writes, and
    // `sigaddset` adds to it; neither fails for signals that exist.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        for signal in SIGNALS {
            libc::sigaddset(set.as_mut_ptr(), signal);
        }
        set.assume_init()
    }
}

/// Changes which signals are blocked in this thread.
fn change(how: libc::c_int, set: &libc::sigset_t) -> io::Result<()> {
    // SAFETY: the set is initialised and outlives the call; no old set is asked for.
    match unsafe { libc::pthread_sigmask(how, set, null_mut()) } {
        0 => Ok(()),
        error => Err(io::Error::from_raw_os_error(error)),
    }
}

/// Waits for one of the signals.
fn wait(set: &libc::sigset_t) -> io::Result<libc::c_int> {
    let mut signal = 0;
    // SAFETY: both arguments are initialised and outlive the call.
    match unsafe { libc::sigwait(set, &raw mut signal) } {
        0 => Ok(signal),
        error => Err(io::Error::from_raw_os_error(error)),
    }
}
