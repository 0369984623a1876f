//! Calls of Windows that the standard library has not, as safe functions: what handles
//! are open on, what waits in pipes, processor time, randomness. On other systems this
//! crate is empty.
//!
//! Users of it can forbid unsafe code. Handles come in borrowed and are therefore open;
//! everything else a call is given lives on the caller's stack.

#![cfg(windows)]

use std::io;
use std::os::windows::io::{AsRawHandle, BorrowedHandle};
use std::ptr;

use windows_sys::Win32::Foundation::{FILETIME, HANDLE};
use windows_sys::Win32::Security::Cryptography::{
    BCRYPT_USE_SYSTEM_PREFERRED_RNG, BCryptGenRandom,
};
use windows_sys::Win32::Storage::FileSystem::{
    FILE_TYPE_CHAR, FILE_TYPE_DISK, FILE_TYPE_PIPE, GetFileType,
};
use windows_sys::Win32::System::Pipes::PeekNamedPipe;
use windows_sys::Win32::System::Threading::{
    GetCurrentProcess, GetCurrentThread, GetProcessTimes, GetThreadTimes,
};

/// What a handle is open on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HandleKind {
    /// A file or a directory.
    Disk,
    /// A console, or a device such as `NUL`.
    Character,
    /// A pipe, named or not, or a socket.
    Pipe,
    /// Anything else, or nothing.
    Unknown,
}

/// What a handle is open on.
pub fn kind(handle: BorrowedHandle<'_>) -> HandleKind {
    // SAFETY: the handle is open.
    match unsafe { GetFileType(raw(handle)) } {
        FILE_TYPE_DISK => HandleKind::Disk,
        FILE_TYPE_CHAR => HandleKind::Character,
        FILE_TYPE_PIPE => HandleKind::Pipe,
        _ => HandleKind::Unknown,
    }
}

/// How many bytes can be read from a pipe without waiting.
///
/// # Errors
///
/// [`io::ErrorKind::BrokenPipe`] if it is empty and nobody can write to it any more;
/// others if the handle is none of a pipe that can be read.
pub fn readable(pipe: BorrowedHandle<'_>) -> io::Result<u32> {
    let mut available = 0;
    // SAFETY: the handle is open, and what is not asked for is null.
    let done = unsafe {
        PeekNamedPipe(
            raw(pipe),
            ptr::null_mut(),
            0,
            ptr::null_mut(),
            &raw mut available,
            ptr::null_mut(),
        )
    };
    checked(done).map(|()| available)
}

/// Processor time of this process, in nanoseconds.
pub fn process_time() -> u64 {
    // SAFETY: the pseudo-handle is always valid.
    processor_time(|created, exited, kernel, user| unsafe {
        GetProcessTimes(GetCurrentProcess(), created, exited, kernel, user)
    })
}

/// Processor time of the calling thread, in nanoseconds.
pub fn thread_time() -> u64 {
    // SAFETY: the pseudo-handle is always valid.
    processor_time(|created, exited, kernel, user| unsafe {
        GetThreadTimes(GetCurrentThread(), created, exited, kernel, user)
    })
}

fn processor_time(
    get: impl Fn(*mut FILETIME, *mut FILETIME, *mut FILETIME, *mut FILETIME) -> i32,
) -> u64 {
    let mut times = [FILETIME { dwLowDateTime: 0, dwHighDateTime: 0 }; 4];
    let [created, exited, kernel, user] = &mut times;
    // On the process itself it does not fail.
    get(created, exited, kernel, user);
    let [_, _, kernel, user] =
        times.map(|time| u64::from(time.dwHighDateTime) << 32 | u64::from(time.dwLowDateTime));
    // They count 100 nanoseconds each.
    kernel.saturating_add(user).saturating_mul(100)
}

/// Fills the buffer with random bytes of cryptographic quality.
///
/// # Errors
///
/// When the system has no generator.
pub fn random(buffer: &mut [u8]) -> io::Result<()> {
    for part in buffer.chunks_mut(u32::MAX as usize) {
        // SAFETY: the buffer is that long.
        let status = unsafe {
            BCryptGenRandom(
                ptr::null_mut(),
                part.as_mut_ptr(),
                part.len() as u32,
                BCRYPT_USE_SYSTEM_PREFERRED_RNG,
            )
        };
        if status < 0 {
            return Err(io::Error::other("the system gives no random numbers"));
        }
    }
    Ok(())
}

fn raw(handle: BorrowedHandle<'_>) -> HANDLE {
    handle.as_raw_handle()
}

fn checked(result: i32) -> io::Result<()> {
    if result == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Write, pipe};
    use std::os::windows::io::AsHandle;

    #[test]
    fn pipes_tell_what_can_be_read() {
        let (reader, mut writer) = pipe().unwrap();
        assert_eq!(kind(reader.as_handle()), HandleKind::Pipe);
        assert_eq!(readable(reader.as_handle()).unwrap(), 0);
        writer.write_all(b"abc").unwrap();
        assert_eq!(readable(reader.as_handle()).unwrap(), 3);
        drop(writer);
        // What is left can still be read.
        assert_eq!(readable(reader.as_handle()).unwrap(), 3);
        io::Read::read_exact(&mut &reader, &mut [0; 3]).unwrap();
        let error = readable(reader.as_handle()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    }

    #[test]
    fn files_are_no_pipes() {
        let file = std::fs::File::open(std::env::current_exe().unwrap()).unwrap();
        assert_eq!(kind(file.as_handle()), HandleKind::Disk);
        assert!(readable(file.as_handle()).is_err());
    }

    #[test]
    fn processor_time_passes() {
        let before = thread_time();
        while thread_time() == before {
            std::hint::spin_loop();
        }
        assert!(process_time() > 0);
    }

    #[test]
    fn random_bytes_differ() {
        let mut bytes = [0; 64];
        random(&mut bytes).unwrap();
        assert_ne!(bytes[..32], bytes[32..]);
        random(&mut []).unwrap();
    }
}
