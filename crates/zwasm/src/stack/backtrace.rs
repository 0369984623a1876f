//! The frames of the guest as a backtrace, innermost first.
//!
//! What is kept of a frame is where in which code it is. Names and byte offsets are
//! found only when somebody asks for them: an error that is caught, as exceptions may
//! be in great numbers, has no use for them.

use std::ptr::NonNull;
use std::sync::Arc;

use super::walk::{Cursor, Frame, Walk};
use crate::code::{Origin, Text};
use crate::error::{FrameInfo, WasmBacktrace};
use crate::module::Module;
use crate::store::StoreCore;
use crate::store::instance::InstanceData;
use crate::store::stored::Stored;
use crate::tuning::DUMPED_SLOTS;
use zwasm_regir::inst::{NEAR_SLOTS, SCRATCH_SLOTS};

/// A place in the code of a module, kept until it is shown.
#[derive(Clone)]
pub(crate) struct Place {
    /// What its frame held, if core dumps are wanted and that is known.
    slots: Option<Arc<[u64]>>,
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
        let mut describe = |defined: u32, offset: Option<usize>, slots| {
            let func_index = inner.func_index(defined);
            frames.push(FrameInfo {
                module: self.module.clone(),
                instance: self.instance,
                func_index,
                func_start: inner.bodies[defined as usize].start as usize,
                func_name: self.module.function_name(func_index),
                offset: offset.filter(|_| inner.engine.config().frame_offsets),
                symbols: std::sync::OnceLock::new(),
                slots,
            });
        };
        let offsets = self.origin.wasm_offsets(inner, self.defined, stop);
        for (at, &offset) in offsets.iter().enumerate() {
            // The frame is laid out for the outermost function.
            let slots = self.slots.clone().filter(|_| at + 1 == offsets.len());
            describe(inner.defined_at(offset), Some(offset as usize), slots);
        }
        if offsets.is_empty() {
            describe(self.defined, None, self.slots.clone());
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
    let (mut host, dumps) =
        unsafe { ((*store).host_frame, (*store).engine.config().coredump_on_trap) };
    let mut stopped = start.is_some();
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
            let slots = if dumps { slots(&frame, stopped) } else { None };
            stopped = false;
            let defined = frame.code.defined;
            trace.places.push(Place { slots, module, instance, defined, origin });
        }
    }
}

/// The slots of a frame, up to a number of them: where all values are there. The interpreter
/// keeps none elsewhere. Baseline code has them there at calls, but where it is stopped itself
/// some are in registers, as they are in native frames.
///
/// # Safety
///
/// The frame is live.
unsafe fn slots(frame: &Frame<'_>, stopped: bool) -> Option<Arc<[u64]>> {
    match &frame.code.text {
        Text::Threaded(_) => {}
        Text::Machine(_) if !stopped => {}
        Text::Machine(_) => return None,
        #[cfg(optimizer)]
        Text::Native(_) => return None,
    }
    // SAFETY: a body starts with the size of its frames, which lie on the value stack.
    unsafe {
        let size = *frame.code.body() as usize / size_of::<u64>();
        let config = (*(*frame.vm).store).engine.config();
        if config.far_frames || size + SCRATCH_SLOTS as usize > NEAR_SLOTS as usize {
            // The locals are behind a window.
            return None;
        }
        Some(std::slice::from_raw_parts(frame.fp, size.min(DUMPED_SLOTS)).into())
    }
}
