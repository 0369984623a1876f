//! Traps: whatever stopped the guest, with its message and frames.
//!
//! A trap that a function of C's returns travels through the guest as an error and
//! comes out as the same trap, host information included. An exception that C got
//! as a trap and returns is thrown again, so that the guest can catch it.

use std::fmt;
use std::mem::MaybeUninit;
use std::sync::{Arc, OnceLock};

use runtime::{Error, ErrorKind, FrameInfo, ThrownException, WasmBacktrace};
use zwasm_wasi::I32Exit;

use crate::guard;
use crate::object::{Body, Object, OwnInfo};
use crate::store::StoreRef;
use crate::vec::{CVec, Ptr};

/// `wasm_trap_t`
pub struct Trap {
    message: String,
    kind: ErrorKind,
    /// Which of the machine's traps it is, if it is one.
    code: Option<runtime::Trap>,
    exit: Option<i32>,
    thrown: Option<ThrownException>,
    /// Filled in when the trap leaves the guest.
    trace: OnceLock<WasmBacktrace>,
    pub info: OwnInfo,
}

/// A trap of C's on its way through the guest.
#[derive(Clone)]
struct Raised(Arc<Trap>);

impl fmt::Debug for Raised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Display for Raised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Raised {}

impl Trap {
    /// The trap that an error is, and that says `message` unless it is one of C's.
    fn of(error: &Error, message: impl FnOnce(&Error) -> String) -> Arc<Trap> {
        let trap = match error.downcast_ref::<Raised>() {
            Some(raised) => raised.0.clone(),
            None => Arc::new(Trap {
                message: message(error),
                kind: error.kind(),
                code: error.trap(),
                exit: error.downcast_ref::<I32Exit>().map(|exit| exit.0),
                thrown: error.exception().cloned(),
                trace: OnceLock::new(),
                info: OwnInfo::default(),
            }),
        };
        if let Some(trace) = error.backtrace() {
            trap.trace.get_or_init(|| trace.clone());
        }
        trap
    }

    /// The error that a function of C's fails with.
    fn raise(self: &Arc<Trap>) -> Error {
        match &self.thrown {
            Some(thrown) => thrown.clone().into(),
            None => Raised(self.clone()).into(),
        }
    }
}

/// A trap for C.
pub fn from_error(store: &StoreRef, error: &Error) -> Box<Object> {
    let message = |error: &Error| match error.trap_message() {
        Some(message) => message.to_owned(),
        None => error.summary(),
    };
    Object::of_store(store, Body::Trap(Trap::of(error, message)))
}

/// The trap that an error is in the eyes of `wasmtime.h`, where what is no doing of the
/// guest's is none. It keeps no store alive, and its message has the guest's frames.
pub fn of_guest(error: &Error) -> Ptr<Object> {
    let raised = error.downcast_ref::<Raised>();
    let of_guest = match raised {
        Some(Raised(trap)) => trap.code.is_some() || trap.thrown.is_some(),
        None => error.trap().is_some() || error.exception().is_some(),
    };
    let message = |error: &Error| format!("{error:?}");
    of_guest.then(|| Object::free(Body::Trap(Trap::of(error, message))))
}

/// A trap of C's, which needs no store.
pub fn of_host(error: &Error) -> Box<Object> {
    Object::free(Body::Trap(Trap::of(error, |error| error.to_string())))
}

/// Which of the machine's traps a trap is, if it is one.
pub fn code(object: &Object) -> Option<runtime::Trap> {
    trap(object)?.code
}

/// What a trap of C's means to the guest that called C; nothing if there is none.
pub fn raised(object: Ptr<Object>) -> runtime::Result<()> {
    let Some(object) = object else { return Ok(()) };
    Err(match &object.body {
        Body::Trap(trap) => trap.raise(),
        _ => Error::msg("the host function returned what is not a trap"),
    })
}

/// Runs what stops with a trap if it fails.
pub fn trapping(store: &StoreRef, body: impl FnOnce() -> runtime::Result<()>) -> Ptr<Object> {
    let failed = || Err(Error::msg("the library failed: see its message on standard error"));
    let error = crate::guard_or(failed, body).err()?;
    crate::set_last_error(&error.summary());
    Some(from_error(store, &error))
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_trap_new(store: &StoreRef, message: &CVec<u8>) -> Ptr<Object> {
    guard(|| {
        let message = message.text();
        let message = message.strip_suffix('\0').unwrap_or(&message);
        Some(from_error(store, &Error::msg(message.to_owned())))
    })
}

fn trap(object: &Object) -> Option<&Arc<Trap>> {
    match &object.body {
        Body::Trap(trap) => Some(trap),
        _ => None,
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_trap_message(object: &Object, out: &mut MaybeUninit<CVec<u8>>) {
    out.write(guard(|| {
        let message = trap(object).map_or("", |trap| &trap.message);
        message.bytes().chain([0]).collect()
    }));
}

/// What kind of error a trap is, as `zwasm_error_t` numbers it.
#[unsafe(no_mangle)]
pub extern "C" fn zwasm_trap_error(object: &Object) -> u8 {
    match trap(object).map(|trap| trap.kind) {
        Some(ErrorKind::Trap) => 1,
        Some(ErrorKind::StackOverflow) => 2,
        Some(ErrorKind::OutOfFuel) => 3,
        Some(ErrorKind::Interrupted) => 4,
        Some(ErrorKind::Exception) => 5,
        Some(ErrorKind::Limit) => 6,
        Some(ErrorKind::OutOfMemory) => 7,
        Some(ErrorKind::Link) => 8,
        Some(ErrorKind::Unsupported) => 9,
        _ => 0,
    }
}

/// Whether the guest ended itself through WASI, and with what exit code.
#[unsafe(no_mangle)]
pub extern "C" fn zwasm_trap_exit_status(
    object: &Object,
    status: Option<&mut MaybeUninit<i32>>,
) -> bool {
    let exit = trap(object).and_then(|trap| trap.exit);
    if let (Some(exit), Some(status)) = (exit, status) {
        status.write(exit);
    }
    exit.is_some()
}

/// `wasm_frame_t`
#[derive(Clone)]
pub struct Frame {
    frame: FrameInfo,
    func_name: Option<CVec<u8>>,
    module_name: Option<CVec<u8>>,
    /// The frame's instance, for C to borrow; none if the store is not kept.
    instance: Ptr<Object>,
}

impl Frame {
    pub fn new(frame: &FrameInfo, store: Option<&StoreRef>) -> Box<Frame> {
        let name = |name: &str| name.as_bytes().to_vec().into();
        Box::new(Frame {
            frame: frame.clone(),
            func_name: frame.func_name().map(name),
            module_name: frame.module_name().map(name),
            instance: store.map(|store| Object::of_store(store, Body::Instance(frame.instance()))),
        })
    }

    pub fn func_name(&self) -> Option<&CVec<u8>> {
        self.func_name.as_ref()
    }

    pub fn module_name(&self) -> Option<&CVec<u8>> {
        self.module_name.as_ref()
    }
}

/// The frames of a trap, innermost first.
fn frames(object: &Object) -> impl Iterator<Item = Box<Frame>> + '_ {
    let trace = trap(object).and_then(|trap| trap.trace.get());
    let frames = trace.map_or(&[][..], |trace| trace.frames());
    frames.iter().map(|frame| Frame::new(frame, object.store()))
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_trap_origin(object: &Object) -> Ptr<Frame> {
    guard(|| frames(object).next())
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_trap_trace(object: &Object, out: &mut MaybeUninit<CVec<Ptr<Frame>>>) {
    out.write(guard(|| frames(object).map(Some).collect()));
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_frame_copy(frame: &Frame) -> Ptr<Frame> {
    guard(|| Some(Box::new(frame.clone())))
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_frame_delete(frame: Ptr<Frame>) {
    guard(|| drop(frame));
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_frame_instance(frame: &Frame) -> Option<&Object> {
    frame.instance.as_deref()
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_frame_func_index(frame: &Frame) -> u32 {
    frame.frame.func_index()
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_frame_func_offset(frame: &Frame) -> usize {
    frame.frame.func_offset().unwrap_or(usize::MAX)
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_frame_module_offset(frame: &Frame) -> usize {
    frame.frame.module_offset().unwrap_or(usize::MAX)
}

/// The function's name from the module's name section; null if it has none.
#[unsafe(no_mangle)]
pub extern "C" fn zwasm_frame_func_name(frame: &Frame) -> Option<&CVec<u8>> {
    frame.func_name()
}
