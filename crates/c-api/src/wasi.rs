//! WASI: what a store's guest is given.

use std::ffi::c_char;
use std::io::Cursor;
use std::mem::MaybeUninit;

use zwasm_wasi::{Capabilities, MemoryPipe, WasiCtx, WasiCtxBuilder};

use crate::store::StoreRef;
use crate::vec::{CVec, Ptr};
use crate::{attempt, guard};

/// `zwasm_wasi_t`
#[derive(Default)]
pub struct Wasi {
    builder: WasiCtxBuilder,
    output: Option<Output>,
}

/// What the guest writes, where that is kept.
struct Output {
    stdout: MemoryPipe,
    stderr: MemoryPipe,
}

/// A store's part: WASI's state, which grants nothing unless the user did.
#[derive(Default)]
pub struct Given {
    ctx: Option<WasiCtx>,
    output: Option<Output>,
}

impl Given {
    /// A context whose output is not kept.
    pub fn new(ctx: WasiCtx) -> Given {
        Given { ctx: Some(ctx), output: None }
    }

    pub fn ctx(&mut self) -> &mut WasiCtx {
        self.ctx.get_or_insert_with(|| WasiCtx::builder().build())
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn zwasm_wasi_new() -> Box<Wasi> {
    Box::default()
}

#[unsafe(no_mangle)]
pub extern "C" fn zwasm_wasi_delete(wasi: Ptr<Wasi>) {
    guard(|| drop(wasi));
}

/// Adds an argument; the first is the program's name.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zwasm_wasi_arg(wasi: &mut Wasi, arg: *const c_char) -> bool {
    attempt(|| {
        // SAFETY: see the crate's header.
        wasi.builder.arg(unsafe { crate::string(arg) }?);
        Ok(())
    })
    .is_some()
}

/// Adds an environment variable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zwasm_wasi_env(
    wasi: &mut Wasi,
    name: *const c_char,
    value: *const c_char,
) -> bool {
    attempt(|| {
        // SAFETY: see the crate's header.
        let (name, value) = unsafe { (crate::string(name)?, crate::string(value)?) };
        wasi.builder.env(name, value);
        Ok(())
    })
    .is_some()
}

/// Adds this process's environment.
#[unsafe(no_mangle)]
pub extern "C" fn zwasm_wasi_inherit_env(wasi: &mut Wasi) {
    wasi.builder.inherit_env_if_allowed();
}

/// Gives this process's standard streams.
#[unsafe(no_mangle)]
pub extern "C" fn zwasm_wasi_inherit_stdio(wasi: &mut Wasi) {
    wasi.output = None;
    wasi.builder.inherit_stdio();
}

/// Gives these bytes as standard input; they are copied.
#[unsafe(no_mangle)]
pub extern "C" fn zwasm_wasi_stdin(wasi: &mut Wasi, bytes: &CVec<u8>) {
    wasi.builder.stdin(Box::new(Cursor::new(bytes.as_slice().to_vec())));
}

/// Keeps what the guest writes for `zwasm_store_stdout` and `zwasm_store_stderr`.
#[unsafe(no_mangle)]
pub extern "C" fn zwasm_wasi_capture_output(wasi: &mut Wasi) {
    let (stdout, stderr) = (MemoryPipe::new(), MemoryPipe::new());
    wasi.builder.stdout(Box::new(stdout.clone())).stderr(Box::new(stderr.clone()));
    wasi.output = Some(Output { stdout, stderr });
}

/// Lets the guest do one kind of thing more, by the capability's name.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zwasm_wasi_allow(wasi: &mut Wasi, name: *const c_char) -> bool {
    attempt(|| {
        // SAFETY: see the crate's header.
        let name = unsafe { crate::string(name) }?;
        let unknown = || runtime::Error::msg(format!("no capability '{name}'"));
        wasi.builder.allow(Capabilities::named(name).ok_or_else(unknown)?);
        Ok(())
    })
    .is_some()
}

/// Gives a directory of the host, with all below it, under a name.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zwasm_wasi_preopen_dir(
    wasi: &mut Wasi,
    host: *const c_char,
    guest: *const c_char,
    read_only: bool,
) -> bool {
    attempt(|| {
        // SAFETY: see the crate's header.
        let (host, guest) = unsafe { (crate::string(host)?, crate::string(guest)?) };
        let failed = |error| runtime::Error::msg(format!("cannot open {host}: {error}"));
        let builder = &mut wasi.builder;
        match read_only {
            true => builder.preopen_dir_read_only(host, guest),
            false => builder.preopen_dir(host, guest),
        }
        .map_err(failed)?;
        Ok(())
    })
    .is_some()
}

/// Gives all this to a store's guest, in place of what it had.
#[unsafe(no_mangle)]
pub extern "C" fn zwasm_store_set_wasi(store: &StoreRef, wasi: Ptr<Wasi>) {
    guard(|| {
        let mut wasi = wasi.unwrap_or_default();
        let given = Given { ctx: Some(wasi.builder.build()), output: wasi.output };
        store.context().data_mut().wasi = given;
    });
}

/// Writes out what is still buffered of the guest's standard output.
#[unsafe(no_mangle)]
pub extern "C" fn zwasm_store_flush(store: &StoreRef) -> bool {
    attempt(|| Ok(store.context().data_mut().wasi.ctx().flush()?)).is_some()
}

fn captured(store: &StoreRef, stream: impl FnOnce(&Output) -> &MemoryPipe) -> CVec<u8> {
    guard(|| {
        let output = store.context();
        let output = output.data().wasi.output.as_ref();
        output.map_or(CVec::EMPTY, |output| stream(output).contents().into())
    })
}

/// What the guest has written to its standard output, if that is captured.
#[unsafe(no_mangle)]
pub extern "C" fn zwasm_store_stdout(store: &StoreRef, out: &mut MaybeUninit<CVec<u8>>) {
    out.write(captured(store, |output| &output.stdout));
}

/// What the guest has written to its standard error, if that is captured.
#[unsafe(no_mangle)]
pub extern "C" fn zwasm_store_stderr(store: &StoreRef, out: &mut MaybeUninit<CVec<u8>>) {
    out.write(captured(store, |output| &output.stderr));
}
