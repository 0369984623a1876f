//! Walking the guest's frames, from the innermost outwards.
//!
//! A frame of slots has a header that says where its caller continues; a native frame has
//! its caller's `rbp` and a return address. Where the two worlds meet, a stub has left a
//! record: `docs/calling-convention.md`, "Optimised code", has its layout. A header whose
//! frame is native is that of a call from native code, and its frame is the stub's; a
//! return address in a stub from slots has the record of the call above it.
//!
//! A walk ends where the activation does. It remembers what a frame needs to go on with
//! when everything inside it is dropped: the native stack pointer of its world of slots,
//! and the value top.
//!
//! # Safety
//!
//! Frames of an activation are live until it ends, and are laid out as their code says;
//! the pointers in headers and records were written by code of the runtime, where no
//! guest can reach them.

use crate::code::Code;
use crate::interp;
use crate::store::StoreCore;
use crate::store::vmctx::VmCtx;
#[cfg(optimizer)]
use crate::tier;

/// A place in the guest: an instruction, and the frame executing it.
#[derive(Clone, Copy)]
pub(crate) struct Cursor {
    /// An address within the instruction; in machine code it may be any.
    pub(crate) ip: *const u64,
    /// The frame of slots, or in native code `rbp`.
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
        // SAFETY: by the contract.
        unsafe { Outer::of_slots(header).place() }
    }

    /// Where the frame of slots at this place ends at most. Behind that is room for what is
    /// pushed in the reserve of the stack.
    ///
    /// # Safety
    ///
    /// The store runs the guest here, in a frame of slots or on a scratch frame.
    pub(crate) unsafe fn frame_end(self) -> *mut u64 {
        // SAFETY: by the contract; a body begins with the size of its frames.
        unsafe {
            let slots = match (*(*self.vm).store).code_at(self.ip) {
                #[cfg(optimizer)]
                Some((code, _)) if code.native_frame().is_some() => {
                    zwasm_compiler::lower::MAX_SCRATCH_SLOTS as usize
                }
                Some((code, _)) => *code.body() as usize / size_of::<u64>(),
                None => 0,
            };
            self.fp.add(slots)
        }
    }
}

/// What a world of slots goes on with when all that it has called is dropped.
#[derive(Clone, Copy)]
#[cfg_attr(not(optimizer), expect(dead_code, reason = "there is one world"))]
pub(crate) struct Base {
    /// The native stack pointer.
    pub(crate) sp: usize,
    /// The value top of the store.
    pub(crate) value_top: *mut u64,
}

/// A caller, and what it goes on with if it is in another world than what it called.
#[derive(Clone, Copy)]
pub(crate) struct Outer {
    cursor: Cursor,
    base: Option<Base>,
}

impl Outer {
    /// The place where it waits.
    pub(crate) fn place(self) -> Cursor {
        self.cursor
    }

    /// The caller that a header of a frame of slots describes.
    ///
    /// # Safety
    ///
    /// `header` is the header of a live frame.
    pub(crate) unsafe fn of_slots(header: *const u64) -> Outer {
        // SAFETY: the header's three slots were written by the call. The return
        // address follows the call, so the word before it is part of the call.
        unsafe {
            let after = *header as *const u64;
            let (fp, vm) = (*header.add(1) as *mut u64, *header.add(2) as *mut VmCtx);
            #[cfg(optimizer)]
            if (*(*vm).store).is_native(fp) {
                return Outer::of_native(fp);
            }
            let ip = if interp::is_exit(after) { after } else { after.sub(1) };
            Outer { cursor: Cursor { ip, fp, vm }, base: None }
        }
    }

    /// The caller of a host function: of the frame whose header is at `place`, or in native
    /// code of the stub whose frame is there.
    ///
    /// # Safety
    ///
    /// The function is being called in the store.
    pub(crate) unsafe fn of_host(store: *const StoreCore, place: *const u64) -> Outer {
        // SAFETY: by the contract.
        unsafe {
            #[cfg(optimizer)]
            if (*store).is_native(place) {
                return Outer::of_native(place);
            }
            #[cfg(not(optimizer))]
            let _ = store;
            Outer::of_slots(place)
        }
    }

    /// A place in the guest.
    pub(crate) fn at(cursor: Cursor) -> Outer {
        Outer { cursor, base: None }
    }

    /// The caller of the native frame, or of the stub to slots or to the host, at `frame`.
    ///
    /// # Safety
    ///
    /// The frame is live.
    #[cfg(optimizer)]
    pub(crate) unsafe fn of_native(frame: *const u64) -> Outer {
        // SAFETY: by the contract. A function that was called by a tail call from
        // another instance returns to a routine, above whose address lie a context
        // and the address that this returns to.
        unsafe {
            let mut place = frame.add(1);
            if *place as usize == tier::restore() {
                place = place.add(2);
            }
            let after = *place as *const u8;
            if tier::returns_to_slots(after) {
                let [_, value_top, header] = *place.add(1).cast::<[u64; 3]>();
                let base = Base { sp: place.add(4) as usize, value_top: value_top as *mut u64 };
                let outer = Outer::of_slots(header as *const u64);
                return Outer { base: outer.base.or(Some(base)), ..outer };
            }
            let fp = *frame as *mut u64;
            let vm = *fp.sub(1) as *mut VmCtx;
            Outer { cursor: Cursor { ip: after.sub(1).cast(), fp, vm }, base: None }
        }
    }
}

/// A frame, and where in its code it is.
pub(crate) struct Frame<'s> {
    pub(crate) code: &'s Code,
    /// The offset in the code.
    pub(crate) position: usize,
    /// The frame itself: in native code always `rbp`.
    pub(crate) fp: *mut u64,
    pub(crate) vm: *mut VmCtx,
    /// What it goes on with, if that has changed since the walk began.
    pub(crate) base: Option<Base>,
}

/// A walk over the frames of an activation.
pub(crate) struct Walk<'s> {
    next: Outer,
    /// Frames of a recursive function follow each other.
    last: Option<&'s Code>,
}

impl<'s> Walk<'s> {
    /// Begins with the frame at a place.
    pub(crate) fn at(place: Cursor) -> Walk<'s> {
        Walk::from(Outer::at(place))
    }

    /// Begins with a caller.
    pub(crate) fn from(outer: Outer) -> Walk<'s> {
        Walk { next: outer, last: None }
    }

    /// The next frame; none at the end of the activation.
    ///
    /// # Safety
    ///
    /// The frames are live, or were until the guest stopped; the store lives for `'s`.
    pub(crate) unsafe fn next(&mut self) -> Option<Frame<'s>> {
        let Outer { cursor, base } = self.next;
        if interp::is_exit(cursor.ip) {
            return None;
        }
        // SAFETY: by the contract; the `vmctx` of a frame is that of an instance of the
        // store.
        unsafe {
            let store: *const StoreCore = (*cursor.vm).store;
            let same = self.last.and_then(|code| Some((code, code.position(cursor.ip)?)));
            let (code, position) = same.or_else(|| (*store).code_at(cursor.ip))?;
            self.last = Some(code);
            #[cfg(optimizer)]
            if let Some(size) = code.native_frame() {
                let native = (*store).is_native(cursor.fp);
                // Threaded code runs on a scratch frame, and was left for by a call.
                let (fp, position) = match native {
                    true => (cursor.fp, position),
                    false => {
                        let fp = *cursor.fp.sub(1) as *mut u64;
                        let after = *fp.byte_sub(size).sub(1) as *const u8;
                        (fp, code.position(after.sub(1).cast())?)
                    }
                };
                let outer = Outer::of_native(fp);
                self.next = Outer { base: outer.base.or(base), ..outer };
                return Some(Frame { code, position, fp, vm: cursor.vm, base });
            }
            let outer = Outer::of_slots(cursor.fp.add(code.header as usize));
            self.next = Outer { base: outer.base.or(base), ..outer };
            Some(Frame { code, position, fp: cursor.fp, vm: cursor.vm, base })
        }
    }
}
