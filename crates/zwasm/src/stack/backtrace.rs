//! Walking the guest's frames.
//!
//! A frame's header holds where its caller continues, the caller's frame and
//! the caller's `vmctx`; which function an address belongs to, and thereby where
//! in the frame the header is, is looked up among the code of the store. Names
//! and byte offsets are found only when somebody asks for them: an error that is
//! caught, as exceptions may be in great numbers, has no use for them.

use std::ptr::NonNull;

use super::activation::HostFrame;
use crate::code::Origin;
use crate::error::{FrameInfo, WasmBacktrace};
use crate::interp;
use crate::module::Module;
use crate::store::instance::InstanceData;
use crate::store::stored::Stored;
use crate::store::vmctx::VmCtx;
use crate::tuning::MAX_BACKTRACE_FRAMES;

/// A place in the guest: an instruction, and the frame executing it.
#[derive(Clone, Copy)]
pub(crate) struct Cursor {
    /// An address within the instruction; in machine code it may be any.
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

/// A place in the code of a module, kept until it is shown.
#[derive(Clone)]
pub(crate) struct Place {
    module: Module,
    instance: Stored<InstanceData>,
    defined: u32,
    origin: Origin,
}

impl Place {
    /// The function, and whether it runs as machine code.
    #[cfg(feature = "trace")]
    pub(crate) fn function(&self) -> (&Module, u32, bool) {
        let func = self.module.inner().func_index(self.defined);
        (&self.module, func, !matches!(self.origin, Origin::Word(_)))
    }

    /// Appends what a user wants to know of the place: of the functions inlined
    /// there, innermost first, and of the function itself. Without its offset, if
    /// `stop` says that it takes too long to find.
    pub(crate) fn describe(&self, frames: &mut Vec<FrameInfo>, stop: &dyn Fn() -> bool) {
        let inner = self.module.inner();
        let mut describe = |defined: u32, offset: Option<usize>| {
            let func_index = inner.func_index(defined);
            frames.push(FrameInfo {
                instance: self.instance,
                func_index,
                func_start: inner.bodies[defined as usize].start as usize,
                func_name: self.module.function_name(func_index),
                module_name: self.module.name(),
                offset,
            });
        };
        let offsets = self.origin.wasm_offsets(inner, self.defined, stop);
        for &offset in &offsets {
            describe(inner.defined_at(offset), Some(offset as usize));
        }
        if offsets.is_empty() {
            describe(self.defined, None);
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
        if trace.places.len() == MAX_BACKTRACE_FRAMES {
            trace.omitted = true;
            return trace;
        }
        // SAFETY: the `vmctx` of a frame is that of an instance of the store.
        let Some(data) = (unsafe { NonNull::new((*cursor.vm).instance) }) else { return trace };
        // SAFETY: both live while frames are walked.
        let (store, module) = unsafe { ((*cursor.vm).store, data.as_ref().module.clone()) };
        // SAFETY: as above.
        let Some((code, position)) = (unsafe { (*store).code_at(cursor.ip) }) else {
            return trace;
        };
        // SAFETY: the instance is the store's.
        let instance = unsafe { Stored::new(store, data) };
        let origin = code.origin(position);
        trace.places.push(Place { module, instance, defined: code.defined, origin });
        // SAFETY: the frame is laid out as its code says.
        next = Some(unsafe { Cursor::of_caller(cursor.fp.add(code.header as usize)) });
    }
}
