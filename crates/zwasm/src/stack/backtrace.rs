//! Walking the guest's frames.
//!
//! A frame's header holds where its caller continues, the caller's frame and
//! the caller's `vmctx`; which function an address belongs to, and thereby where
//! in the frame the header is, is looked up in the code of the module. That is
//! slow, and happens only when something has gone wrong.

use super::activation::HostFrame;
use crate::error::{FrameInfo, WasmBacktrace};
use crate::interp;
use crate::store::vmctx::VmCtx;
use crate::tuning::MAX_BACKTRACE_FRAMES;

/// A place in the guest: an instruction, and the frame executing it.
#[derive(Clone, Copy)]
pub(crate) struct Cursor {
    /// An address within the instruction.
    pub(crate) ip: *const u64,
    pub(crate) fp: *mut u64,
    pub(crate) vm: *mut VmCtx,
}

impl Cursor {
    /// The caller that a frame's header describes.
    ///
    /// # Safety
    ///
    /// `header` is the header of a live frame.
    pub(crate) unsafe fn of_caller(header: *const u64) -> Cursor {
        // SAFETY: the header's three slots were written by the call. The return
        // address follows the call, so the word before it is part of the call.
        unsafe {
            let after = *header as *const u64;
            let is_exit = interp::is_exit(after);
            Cursor {
                ip: if is_exit { after } else { after.sub(1) },
                fp: *header.add(1) as *mut u64,
                vm: *header.add(2) as *mut VmCtx,
            }
        }
    }
}

/// Collects the frames from `start` outwards, through the host frames behind it.
///
/// # Safety
///
/// The frames are live or were until the guest stopped.
pub(crate) unsafe fn capture(start: Option<Cursor>, mut host: *const HostFrame) -> WasmBacktrace {
    let mut trace = WasmBacktrace::default();
    let mut next = start;
    loop {
        let cursor = match next {
            Some(cursor) if !interp::is_exit(cursor.ip) => cursor,
            _ if host.is_null() => return trace,
            _ => {
                // SAFETY: a host frame's record lives on the native stack until the
                // host function returns, and it has not.
                let frame = unsafe { &*host };
                host = frame.previous;
                next = Some(frame.caller);
                continue;
            }
        };
        if trace.frames.len() == MAX_BACKTRACE_FRAMES {
            trace.omitted = true;
            return trace;
        }
        // SAFETY: the `vmctx` of a frame is that of an instance of the store.
        let Some(module) = (unsafe { (*cursor.vm).module() }) else { return trace };
        let found = module.inner().codes.iter().enumerate().find_map(|(index, code)| {
            let code = code.get()?;
            code.words.as_ptr_range().contains(&cursor.ip).then_some((index, code))
        });
        let Some((defined, code)) = found else { return trace };
        let func_index = module.inner().imported_funcs + defined as u32;
        // SAFETY: the code was made from this body, and the address is in it.
        let position = unsafe { cursor.ip.offset_from(code.words.as_ptr()) } as usize;
        trace.frames.push(FrameInfo {
            func_index,
            func_name: module.function_name(func_index),
            module_name: module.name(),
            offset: interp::code::wasm_offset(module.inner(), defined as u32, position),
        });
        // SAFETY: the frame is laid out as its code says.
        next = Some(unsafe { Cursor::of_caller(cursor.fp.add(code.header as usize)) });
    }
}
