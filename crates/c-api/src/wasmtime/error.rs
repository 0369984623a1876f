//! Errors, and what traps have beyond `wasm.h`.

use std::ffi::{CStr, c_char};
use std::mem::MaybeUninit;

use runtime::{Error, Trap, WasmBacktrace};
use zwasm_wasi::I32Exit;

use super::array;
use crate::object::Object;
use crate::trap::{self, Frame};
use crate::vec::{CVec, Ptr};
use crate::{guard, set_last_error};

/// `wasmtime_error_t`
pub struct Failure(Error);

impl Failure {
    pub fn new(error: Error) -> Box<Failure> {
        set_last_error(&error.summary());
        Box::new(Failure(error))
    }

    /// What it was made of.
    pub fn into_error(self) -> Error {
        self.0
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtime_error_new(message: *const c_char) -> Ptr<Failure> {
    guard(|| {
        // SAFETY: see the crate's header.
        let message = unsafe { CStr::from_ptr(message) }.to_string_lossy().into_owned();
        Some(Failure::new(Error::msg(message)))
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_error_delete(error: Ptr<Failure>) {
    guard(|| drop(error));
}

/// The error with all it was caused by.
#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_error_message(error: &Failure, out: &mut MaybeUninit<CVec<u8>>) {
    out.write(guard(|| format!("{:?}", error.0).into_bytes().into()));
}

#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_error_exit_status(
    error: &Failure,
    status: &mut MaybeUninit<i32>,
) -> bool {
    let exit = error.0.downcast_ref::<I32Exit>();
    exit.inspect(|exit| {
        status.write(exit.0);
    })
    .is_some()
}

#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_error_wasm_trace(
    error: &Failure,
    out: &mut MaybeUninit<CVec<Ptr<Frame>>>,
) {
    out.write(guard(|| {
        let frames = error.0.backtrace().map_or(&[][..], WasmBacktrace::frames);
        frames.iter().map(|frame| Some(Frame::new(frame, None))).collect()
    }));
}

/// A trap of C's own, which needs no store.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtime_trap_new(message: *const c_char, len: usize) -> Ptr<Object> {
    guard(|| {
        // SAFETY: see the crate's header.
        let message = unsafe { array(message.cast::<u8>(), len) };
        let message = String::from_utf8_lossy(message).into_owned();
        Some(trap::of_host(&Error::msg(message)))
    })
}

/// The kinds of traps, each with its number. Those that components and fibers alone have
/// there are none of, here.
macro_rules! codes {
    ($($code:literal $trap:ident;)*) => {
        fn code_of(trap: Trap) -> Option<u8> {
            match trap {
                $(Trap::$trap => Some($code),)*
                _ => None,
            }
        }

        fn trap_of(code: u8) -> Option<Trap> {
            match code {
                $($code => Some(Trap::$trap),)*
                _ => None,
            }
        }
    };
}

codes! {
    0 StackOverflow;
    1 MemoryOutOfBounds;
    2 HeapMisaligned;
    3 TableOutOfBounds;
    4 IndirectCallToNull;
    5 BadSignature;
    6 IntegerOverflow;
    7 IntegerDivisionByZero;
    8 BadConversionToInteger;
    9 UnreachableCodeReached;
    10 Interrupt;
    11 OutOfFuel;
    12 AtomicWaitNonSharedMemory;
    13 NullReference;
    14 ArrayOutOfBounds;
    15 AllocationTooLarge;
    16 CastFailure;
}

/// A trap of a kind; null for a number that is none's.
#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_trap_new_code(code: u8) -> Ptr<Object> {
    crate::attempt(|| {
        let unknown = || Error::msg(format!("no trap has the code {code}"));
        Ok(trap::of_host(&Error::from(trap_of(code).ok_or_else(unknown)?)))
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_trap_code(object: &Object, out: &mut MaybeUninit<u8>) -> bool {
    let code = trap::code(object).and_then(code_of);
    code.inspect(|code| {
        out.write(*code);
    })
    .is_some()
}

#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_frame_func_name(frame: &Frame) -> Option<&CVec<u8>> {
    frame.func_name()
}

#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_frame_module_name(frame: &Frame) -> Option<&CVec<u8>> {
    frame.module_name()
}
