//! The frames of the guest as a backtrace, innermost first.
//!
//! What is kept of a frame is where in which code it is. Names and byte offsets are
//! found only when somebody asks for them: an error that is caught, as exceptions may
//! be in great numbers, has no use for them.

use std::ptr::NonNull;

use super::walk::{Cursor, Walk};
use crate::code::Origin;
use crate::error::{FrameInfo, WasmBacktrace};
use crate::module::Module;
use crate::store::StoreCore;
use crate::store::instance::InstanceData;
use crate::store::stored::Stored;

/// A place in the code of a module, kept until it is shown.
#[derive(Clone)]
pub(crate) struct Place {
    module: Module,
    instance: Stored<InstanceData>,
    defined: u32,
    origin: Origin,
}

impl Place {
    /// The function, and whether it runs as machine code, and as optimized code.
    #[cfg(feature = "trace")]
    pub(crate) fn function(&self) -> (&Module, u32, bool, bool) {
        let func = self.module.inner().func_index(self.defined);
        let (compiled, optimized) = match self.origin {
            Origin::Word(_) => (false, false),
            Origin::Source(_) => (true, false),
            #[cfg(optimizer)]
            Origin::Offsets(_) => (true, true),
        };
        (&self.module, func, compiled, optimized)
    }

    /// Appends what a user wants to know of the place: of the functions inlined
    /// there, innermost first, and of the function itself. Without its offset, if
    /// `stop` says that it takes too long to find.
    pub(crate) fn describe(&self, frames: &mut Vec<FrameInfo>, stop: &dyn Fn() -> bool) {
        let inner = self.module.inner();
        let mut describe = |defined: u32, offset: Option<usize>| {
            let func_index = inner.func_index(defined);
            frames.push(FrameInfo {
                module: self.module.clone(),
                instance: self.instance,
                func_index,
                func_start: inner.bodies[defined as usize].start as usize,
                func_name: self.module.function_name(func_index),
                offset: offset.filter(|_| inner.engine.config().frame_offsets),
                symbols: std::sync::OnceLock::new(),
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

/// Collects the frames from `start` outwards, through the host functions that are called
/// behind it, up to a number of them.
///
/// # Safety
///
/// The store is valid, and the frames are live.
pub(crate) unsafe fn capture(
    store: *const StoreCore,
    start: Option<Cursor>,
    limit: usize,
) -> WasmBacktrace {
    let mut trace = WasmBacktrace::default();
    trace.limit = limit;
    // SAFETY: by the contract.
    let mut host = unsafe { (*store).host_frame };
    let mut walk = start.map(Walk::at);
    loop {
        // SAFETY: by the contract.
        let frame = walk.as_mut().and_then(|walk| unsafe { walk.next() });
        let Some(frame) = frame else {
            if host.is_null() {
                return trace;
            }
            // SAFETY: a host frame's record lives on the native stack until the
            // host function returns, and it has not.
            let behind = unsafe { &*host };
            host = behind.previous;
            // SAFETY: likewise the guest waits for it.
            walk = Some(Walk::from(unsafe { behind.outer(store) }));
            continue;
        };
        if trace.places.len() >= limit {
            trace.omitted = true;
            return trace;
        }
        // SAFETY: the `vmctx` of a frame is that of an instance of the store, which lives
        // as long.
        unsafe {
            let Some(data) = NonNull::new((*frame.vm).instance) else { return trace };
            let (store, module) = ((*frame.vm).store, data.as_ref().module.clone());
            let instance = Stored::new(store, data);
            let origin = frame.code.origin(frame.position);
            trace.places.push(Place { module, instance, defined: frame.code.defined, origin });
        }
    }
}
