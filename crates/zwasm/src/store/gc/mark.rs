//! Marking: from the roots to everything they reach.
//!
//! Objects wait on an explicit stack, so that neither a long list nor a deep
//! tree costs native stack. If the system has no memory for that stack, what did
//! not fit is found again by going through all marked objects.
//!
//! # Safety
//!
//! Everything marked was found by the bit of its start, noted when a collection before found
//! it alive or by [`Heap::find_starts`], or in a reference field
//! of a marked object, so it is a live object whose header names its layout.

use super::heap::{BLOCK, Heap, REGION};
use super::layout::{Layout, Layouts};
use zwasm_regir::object::{GRANULE, HEADER, is_i31};
use zwasm_regir::work;

pub(super) struct Marker<'a> {
    pub(super) heap: &'a mut Heap,
    pub(super) layouts: &'a Layouts,
    /// Objects that are marked and whose references are to be followed.
    pub(super) stack: Vec<u32>,
    /// The most objects that may wait there.
    pub(super) limit: usize,
    /// Whether an object did not fit on the stack.
    pub(super) lost: bool,
}

impl Marker<'_> {
    /// Marks what a word refers to, if it refers to anything.
    #[inline]
    pub(super) fn word(&mut self, word: u64) {
        if word == 0 || word >> 32 != 0 {
            return;
        }
        if !self.heap.is_object(word) {
            self.heap.find_starts(word, self.layouts);
            if !self.heap.is_object(word) {
                return;
            }
        }
        self.object(word as u32);
    }

    /// Marks an object.
    #[inline]
    fn object(&mut self, reference: u32) {
        if !self.heap.mark(reference as usize) {
            return;
        }
        let full = self.stack.len() == self.stack.capacity();
        if self.stack.len() == self.limit || (full && self.stack.try_reserve(1024).is_err()) {
            self.lost = true;
        } else {
            self.stack.push(reference);
        }
    }

    /// Follows all references.
    pub(super) fn drain(&mut self) {
        loop {
            while let Some(reference) = self.stack.pop() {
                self.scan(reference as usize);
            }
            if !std::mem::take(&mut self.lost) {
                return;
            }
            for block in 0..self.heap.block_count() {
                for granule in 0..BLOCK / GRANULE {
                    if let Some(offset) = self.heap.marked_at(block, granule) {
                        self.scan(offset);
                    }
                }
            }
        }
    }

    fn scan(&mut self, offset: usize) {
        let layouts = self.layouts;
        // SAFETY: a live object; see the module header.
        unsafe {
            let object = self.heap.base().add(offset);
            let header = object.cast::<u32>();
            match layouts.of(*header) {
                Layout::Struct { size, refs } => {
                    self.heap.mark_lines(offset, *size as usize);
                    work::count(1 + refs.len());
                    for &at in refs {
                        self.field(*object.add(at as usize).cast::<u32>());
                    }
                }
                Layout::Array { element, refs } => {
                    // No array goes on behind the region, whatever its header says.
                    let room = (REGION - offset - HEADER) / *element as usize;
                    let length = (*header.add(1) as usize).min(room);
                    work::count(1 + if *refs { length } else { 0 });
                    self.heap.mark_lines(offset, HEADER + length * *element as usize);
                    if *refs {
                        let elements = object.add(HEADER).cast::<u32>();
                        for index in 0..length {
                            self.field(*elements.add(index));
                        }
                    }
                }
                Layout::None => self.heap.mark_lines(offset, HEADER),
            }
        }
    }

    /// Marks what a reference field refers to, if that is an object.
    #[inline]
    fn field(&mut self, reference: u32) {
        if reference != 0 && !is_i31(reference) {
            self.object(reference);
        }
    }
}
