//! `wasi.h`: what a guest of WASI is given.

use std::ffi::{c_char, c_void};
use std::fs::File;
use std::io::{self, Cursor, IsTerminal, Write};

use zwasm_wasi::{FsPerms, WasiCtxBuilder};

use super::array;
use crate::object::{Finalizer, HostInfo};
use crate::vec::{CVec, Ptr};
use crate::wasi::Given;
use crate::{attempt, guard, outside};

/// `wasi_config_t`
#[derive(Default)]
pub struct WasiConfig(WasiCtxBuilder);

impl WasiConfig {
    /// What a store's guest gets.
    pub fn build(mut self) -> Given {
        Given::new(self.0.build())
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn wasi_config_new() -> Ptr<WasiConfig> {
    attempt(|| Ok(Box::default()))
}

#[unsafe(no_mangle)]
pub extern "C" fn wasi_config_delete(config: Ptr<WasiConfig>) {
    guard(|| drop(config));
}

/// Strings of C's, none if one is no UTF-8.
///
/// # Safety
///
/// As [`array`], of strings.
unsafe fn strings<'a>(strings: *const *const c_char, count: usize) -> Option<Vec<&'a str>> {
    // SAFETY: by the contract.
    let strings = unsafe { array(strings, count) };
    // SAFETY: likewise.
    let text = |text: &*const c_char| attempt(|| unsafe { crate::string(*text) });
    strings.iter().map(text).collect()
}

/// Adds arguments; the first is the program's name.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasi_config_set_argv(
    config: &mut WasiConfig,
    argc: usize,
    argv: *const *const c_char,
) -> bool {
    // SAFETY: see the crate's header.
    let args = unsafe { strings(argv, argc) };
    guard(|| args.map(|args| config.0.args(args)).is_some())
}

#[unsafe(no_mangle)]
pub extern "C" fn wasi_config_inherit_argv(config: &mut WasiConfig) {
    guard(|| {
        config.0.inherit_args();
    });
}

/// Adds environment variables.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasi_config_set_env(
    config: &mut WasiConfig,
    envc: usize,
    names: *const *const c_char,
    values: *const *const c_char,
) -> bool {
    // SAFETY: see the crate's header.
    let (names, values) = unsafe { (strings(names, envc), strings(values, envc)) };
    guard(|| {
        let Some((names, values)) = names.zip(values) else { return false };
        for (name, value) in names.iter().zip(values) {
            config.0.env(name, value);
        }
        true
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn wasi_config_inherit_env(config: &mut WasiConfig) {
    config.0.inherit_env();
}

/// Lets the guest use the network, names of hosts included.
#[unsafe(no_mangle)]
pub extern "C" fn wasi_config_inherit_network(config: &mut WasiConfig) {
    config.0.inherit_network();
}

/// Has no effect: who may use the network may ask for names.
#[unsafe(no_mangle)]
pub extern "C" fn wasi_config_allow_ip_name_lookup(_: &mut WasiConfig, _: bool) {}

/// A file of a path of C's.
///
/// # Safety
///
/// The path is a string.
unsafe fn file(path: *const c_char, open: impl FnOnce(&str) -> io::Result<File>) -> Option<File> {
    attempt(|| {
        // SAFETY: by the contract.
        let path = unsafe { crate::string(path) }?;
        open(path).map_err(|error| runtime::Error::msg(format!("cannot open {path}: {error}")))
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasi_config_set_stdin_file(
    config: &mut WasiConfig,
    path: *const c_char,
) -> bool {
    // SAFETY: see the crate's header.
    let file = unsafe { file(path, |path| File::open(path)) };
    guard(|| file.map(|file| config.0.stdin(file)).is_some())
}

/// Gives these bytes as standard input, and takes them.
#[unsafe(no_mangle)]
pub extern "C" fn wasi_config_set_stdin_bytes(config: &mut WasiConfig, bytes: &mut CVec<u8>) {
    guard(|| {
        config.0.stdin(Cursor::new(bytes.take()));
    });
}

#[unsafe(no_mangle)]
pub extern "C" fn wasi_config_inherit_stdin(config: &mut WasiConfig) {
    config.0.inherit_stdin();
}

/// A function of C's that takes what the guest writes.
type OnWrite = unsafe extern "C" fn(*mut c_void, *const u8, usize) -> isize;

struct Sink {
    write: OnWrite,
    data: HostInfo,
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // SAFETY: the function takes an array of bytes.
        let count =
            outside(|| unsafe { (self.write)(self.data.data(), bytes.as_ptr(), bytes.len()) });
        match usize::try_from(count) {
            Ok(count) => Ok(count.min(bytes.len())),
            Err(_) => Err(io::Error::from_raw_os_error(count.wrapping_neg() as i32)),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A stream of this process that is no terminal, without a buffer: nobody is told when to
/// empty one.
struct Direct<W>(W);

impl<W: Write> Write for Direct<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.0.write(bytes)?;
        self.0.flush()?;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn wasi_config_inherit_stdout(config: &mut WasiConfig) {
    guard(|| {
        let stdout = io::stdout();
        if stdout.is_terminal() {
            config.0.inherit_stdout();
        } else {
            config.0.stdout(Direct(stdout));
        }
    });
}

#[unsafe(no_mangle)]
pub extern "C" fn wasi_config_inherit_stderr(config: &mut WasiConfig) {
    config.0.inherit_stderr();
}

macro_rules! outputs {
    ($($stream:ident $to_file:ident $to_function:ident;)*) => {$(
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $to_file(config: &mut WasiConfig, path: *const c_char) -> bool {
            // SAFETY: see the crate's header.
            let file = unsafe { file(path, |path| File::create(path)) };
            guard(|| file.map(|file| config.0.$stream(file)).is_some())
        }

        #[unsafe(no_mangle)]
        pub extern "C" fn $to_function(
            config: &mut WasiConfig,
            write: OnWrite,
            data: *mut c_void,
            finalizer: Finalizer,
        ) {
            let data = HostInfo::new(data, finalizer);
            guard(|| {
                config.0.$stream(Sink { write, data });
            });
        }
    )*};
}

outputs! {
    stdout wasi_config_set_stdout_file wasi_config_set_stdout_custom;
    stderr wasi_config_set_stderr_file wasi_config_set_stderr_custom;
}

/// Gives a directory of the host, with all below it, under a name.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasi_config_preopen_dir(
    config: &mut WasiConfig,
    host: *const c_char,
    guest: *const c_char,
    mutable: bool,
) -> bool {
    attempt(|| {
        // SAFETY: see the crate's header.
        let (host, guest) = unsafe { (crate::string(host)?, crate::string(guest)?) };
        let perms = if mutable { FsPerms::ReadWrite } else { FsPerms::ReadOnly };
        config.0.preopened_dir(host, guest, perms)?;
        Ok(())
    })
    .is_some()
}
