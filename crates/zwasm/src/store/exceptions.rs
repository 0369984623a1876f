//! The exceptions of a store.
//!
//! An exception reference is a number with a mark in its top byte, a generation
//! and, in the lower half, the number of a place in an arena, which is never zero.
//! What nothing refers to any more is found by marking whenever the arena has grown to
//! twice what the marking before left:
//! conservatively from the stack (a word that looks like a reference is
//! one; the mark and the generation make an accident unlikely and cost no more
//! than memory), exactly from globals, tables and the host's handles. So a
//! throw costs an allocation, and a program that throws in a loop runs in
//! constant space. Nothing is moved, and a reference that is out of date is
//! found out by its generation.

use std::ptr::NonNull;
use zwasm_regir::work;

use super::{StoreCore, TagInst};
use crate::engine::Config;
use crate::error::{Error, ErrorKind, Result};
use crate::tuning;
use crate::types::{HeapType, ValType};

/// What the top byte of every reference is.
const MARK: u64 = 0xE7 << 56;
const GENERATION_BITS: u32 = 24;

struct Exception {
    /// None in an entry that is free.
    tag: Option<NonNull<TagInst>>,
    values: Box<[u64]>,
    generation: u32,
    marked: bool,
}

/// The arena.
pub(crate) struct Exceptions {
    entries: Vec<Exception>,
    free: Vec<u32>,
    /// Bytes of all exceptions.
    bytes: usize,
    /// Bytes at which unreachable exceptions are looked for.
    threshold: usize,
    /// Bytes of roots that the collection in progress has looked through.
    looked_through: usize,
    /// Bytes that exceptions may take.
    limit: usize,
    /// Bytes of the arena that a limiter has allowed so far.
    allowed: usize,
}

/// The reference to the exception at an index.
fn name(entry: &Exception, index: u32) -> u64 {
    MARK | u64::from(entry.generation) << 32 | u64::from(index + 1)
}

/// Bytes of an entry, and of its place among the free ones.
const ENTRY: usize = size_of::<Exception>() + size_of::<u32>();

/// Bytes that an allocation takes beside its contents.
const ALLOCATION: usize = 2 * size_of::<usize>();

fn payload(values: usize) -> usize {
    if values == 0 { 0 } else { values * size_of::<u64>() + ALLOCATION }
}

fn size(values: usize) -> usize {
    ENTRY + payload(values)
}

impl Exceptions {
    pub(super) fn new(config: &Config) -> Exceptions {
        Exceptions {
            entries: Vec::new(),
            free: Vec::new(),
            bytes: 0,
            threshold: tuning::MIN_EXCEPTION_BYTES,
            looked_through: 0,
            limit: tuning::MAX_EXCEPTION_BYTES,
            allowed: if config.max_total == u64::MAX { usize::MAX } else { 0 },
        }
    }

    /// Lets the arena grow only as it is allowed to from now on.
    pub(super) fn limit_growth(&mut self) {
        self.allowed = self.footprint();
    }

    /// Bytes of the arena: its entries stay when they are free.
    fn footprint(&self) -> usize {
        self.bytes + self.free.len() * ENTRY
    }

    /// Bytes that a limiter has allowed, or else those of the arena.
    pub(super) fn granted(&self) -> usize {
        if self.allowed == usize::MAX { self.footprint() } else { self.allowed }
    }

    /// How many bytes the arena should be allowed to have for `more` in it; none if
    /// it may have them already.
    pub(super) fn wants(&self, more: usize) -> Option<usize> {
        let desired = self.footprint() + more;
        (desired > self.allowed).then(|| desired.next_multiple_of(tuning::MIN_EXCEPTION_BYTES))
    }

    /// Lets the arena have this many bytes.
    pub(super) fn allow(&mut self, bytes: usize) {
        self.allowed = bytes;
    }

    /// The index of what a word refers to, if that is an exception.
    fn index(&self, reference: u64) -> Option<usize> {
        let index = (reference as u32).checked_sub(1)?;
        let entry = self.entries.get(index as usize)?;
        let is_it = entry.tag.is_some() && reference == name(entry, index);
        is_it.then_some(index as usize)
    }

    /// The reference whose lower half is a number, if there is such an exception.
    pub(crate) fn numbered(&self, number: u32) -> Option<u64> {
        let index = number.checked_sub(1)?;
        let entry = self.entries.get(index as usize)?;
        entry.tag.is_some().then(|| name(entry, index))
    }

    /// Tag and values of an exception.
    pub(crate) fn get(&self, reference: u64) -> Option<(NonNull<TagInst>, &[u64])> {
        let entry = &self.entries[self.index(reference)?];
        Some((entry.tag?, &entry.values))
    }

    fn add(&mut self, tag: NonNull<TagInst>, values: &[u64]) -> u64 {
        self.bytes += size(values.len());
        let index = self.free.pop().unwrap_or_else(|| {
            let values = Box::default();
            self.entries.push(Exception { tag: None, values, generation: 0, marked: false });
            self.entries.len() as u32 - 1
        });
        let entry = &mut self.entries[index as usize];
        entry.tag = Some(tag);
        entry.values = values.into();
        name(entry, index)
    }

    /// The payload slots of all exceptions, for the collector of objects.
    pub(super) fn payloads(&self) -> impl Iterator<Item = u64> + '_ {
        self.entries.iter().flat_map(|entry| entry.values.iter().copied())
    }

    /// Marks what the words refer to, and what that refers to.
    fn mark(&mut self, words: impl Iterator<Item = u64>, pending: &mut Vec<usize>) {
        for word in words {
            work::count(1);
            self.mark_one(word, pending);
        }
        while let Some(index) = pending.pop() {
            let values = std::mem::take(&mut self.entries[index].values);
            work::count(values.len());
            for &word in &values {
                self.mark_one(word, pending);
            }
            self.entries[index].values = values;
        }
    }

    fn mark_one(&mut self, word: u64, pending: &mut Vec<usize>) {
        if word & MARK == MARK
            && let Some(index) = self.index(word)
            && !std::mem::replace(&mut self.entries[index].marked, true)
        {
            pending.push(index);
        }
    }

    /// Frees what is not marked.
    fn sweep(&mut self) {
        work::count(self.entries.len());
        self.looked_through += size_of_val(&*self.entries);
        for (index, entry) in self.entries.iter_mut().enumerate() {
            if std::mem::take(&mut entry.marked) || entry.tag.is_none() {
                continue;
            }
            self.bytes -= size(entry.values.len());
            entry.tag = None;
            entry.values = Box::default();
            entry.generation += 1;
            // With the last generation an entry is used up: no reference is ever taken
            // for one to another exception.
            if entry.generation < 1 << GENERATION_BITS {
                self.free.push(index as u32);
            }
        }
        // As many bytes again as were looked through: so the heap's size does not show
        // in what a throw costs.
        let looked_through = std::mem::take(&mut self.looked_through);
        let next = self.bytes + self.bytes.max(looked_through / tuning::EXCEPTION_SCAN_SHARE);
        self.threshold = next.clamp(tuning::MIN_EXCEPTION_BYTES, self.limit);
    }
}

#[cold]
fn too_many(limit: usize) -> Error {
    let fixed = if limit == tuning::MAX_EXCEPTION_BYTES { "fixed " } else { "" };
    let message = format!("too many exceptions in use (the {fixed}limit is {limit} bytes)");
    Error::of_kind(ErrorKind::Limit, message)
}

impl StoreCore {
    /// Makes an exception; its reference. What guest frames still hold ends at
    /// `stack_end`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Limit`] if the exceptions in use take too much memory.
    ///
    /// # Safety
    ///
    /// `this` is valid, and `values` are those of the tag's type.
    pub(crate) unsafe fn add_exception(
        this: *mut StoreCore,
        tag: NonNull<TagInst>,
        values: &[u64],
        stack_end: *const u64,
    ) -> Result<u64> {
        // SAFETY: by the contract.
        unsafe {
            let size = size(values.len());
            if (*this).exceptions.bytes + size > (*this).exceptions.threshold {
                StoreCore::collect_exceptions(this, values, stack_end);
            }
            let exceptions = &mut (*this).exceptions;
            if exceptions.bytes + size > exceptions.limit {
                return Err(too_many(exceptions.limit));
            }
            if !StoreCore::grow_exceptions(this, size)? {
                StoreCore::collect_exceptions(this, values, stack_end);
                let exceptions = &(*this).exceptions;
                // With less room than that, looking would soon be all that happens.
                if exceptions.bytes > exceptions.allowed / 8 * 7 || exceptions.wants(size).is_some()
                {
                    let step = size.next_multiple_of(tuning::MIN_EXCEPTION_BYTES);
                    StoreCore::check_total(this, "exceptions", step)?;
                    return Err(too_many(exceptions.allowed));
                }
            }
            Ok((*this).exceptions.add(tag, values))
        }
    }

    /// Frees the exceptions that nothing refers to.
    ///
    /// # Safety
    ///
    /// As [`StoreCore::add_exception`].
    pub(super) unsafe fn collect_exceptions(
        this: *mut StoreCore,
        values: &[u64],
        stack_end: *const u64,
    ) {
        let is_exn = |heap: HeapType| matches!(heap, HeapType::Exn | HeapType::NoExn);
        let mut pending = Vec::new();
        // SAFETY: everything the store owns is live; the guest waits for this, so
        // that nothing changes meanwhile. The value stack is mapped from its base
        // to the end of the innermost frame.
        unsafe {
            let exceptions = &mut (*this).exceptions;
            for words in StoreCore::stacks(this, stack_end) {
                exceptions.looked_through += words.bytes();
                exceptions.mark(words, &mut pending);
            }
            let mut mark = |words: &[u64]| {
                exceptions.looked_through += size_of_val(words);
                exceptions.mark(words.iter().copied(), &mut pending);
            };
            mark(values);
            // Objects hold exception references as whole words.
            (*this).gc.heap.for_each_word_run(&mut mark);
            for table in &(*this).tables {
                let table = table.as_ref();
                if is_exn(table.ty.element().heap_type()) {
                    mark(table.elements());
                }
            }
            let mut mark_global = |global: *const super::GlobalInst| {
                if let ValType::Ref(ty) = (*global).ty.content()
                    && is_exn(ty.heap_type())
                {
                    mark(&[(*global).value as u64]);
                }
            };
            for global in &(*this).globals {
                mark_global(global.as_ptr());
            }
            for instance in &(*this).instances {
                instance.as_ref().globals.iter().for_each(|global| mark_global(*global));
            }
            exceptions.mark((*this).gc.held(), &mut pending);
            exceptions.sweep();
        }
    }
}

#[cfg(all(test, feature = "wat"))]
mod tests {
    use super::Exceptions;
    use crate::{Engine, ErrorKind, Instance, Module, Result, Store, tuning};

    const WAT: &str = r#"(module
        (tag $e (param i32))
        (tag $list (param exnref))
        (global $list (mut exnref) (ref.null exn))
        (func $make (param i32)
            (block $h (try_table (catch_all $h) (throw $e (local.get 0)))))
        (func (export "throw") (param i32)
            (loop $again
                (call $make (local.get 0))
                (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
        (func $cons (param exnref) (result exnref exnref)
            (try_table (catch_ref $list 0) (throw $list (local.get 0)))
            (unreachable))
        (func (export "list") (param i32)
            (loop $again
                (call $cons (global.get $list))
                (global.set $list)
                (drop)
                (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
        (func (export "drop") (param i32) (global.set $list (ref.null exn))))"#;

    struct Fixture {
        store: Store<()>,
        instance: Instance,
    }

    impl Fixture {
        fn new() -> Fixture {
            let mut store = Store::new(&Engine::default(), ());
            let module = Module::new(store.engine(), WAT).expect("the module is valid");
            let instance = Instance::new(&mut store, &module, &[]).expect("it can be made");
            Fixture { store, instance }
        }

        fn call(&mut self, name: &str, argument: i32) -> Result<()> {
            let func = self.instance.get_typed_func::<i32, ()>(&mut self.store, name)?;
            func.call(&mut self.store, argument)
        }

        fn exceptions(&mut self) -> &mut Exceptions {
            &mut self.store.core_mut().exceptions
        }
    }

    #[test]
    fn a_million_throws_take_constant_space() {
        let mut fixture = Fixture::new();
        fixture.call("throw", 10_000).expect("all are caught");
        let entries = fixture.exceptions().entries.len();
        fixture.call("throw", 1_000_000).expect("all are caught");
        assert_eq!(fixture.exceptions().entries.len(), entries);
        assert!(entries * size_of::<super::Exception>() <= tuning::MIN_EXCEPTION_BYTES);
    }

    #[test]
    fn long_lists_are_marked_and_freed_without_recursion() {
        let mut fixture = Fixture::new();
        fixture.call("list", 200_000).expect("the list fits");
        fixture.call("throw", 200_000).expect("all are caught");
        assert!(fixture.exceptions().bytes >= 200_000 * super::size(1));
        fixture.call("drop", 0).expect("a global is set");
        fixture.call("throw", 1_000_000).expect("all are caught");
        assert!(fixture.exceptions().bytes <= tuning::MIN_EXCEPTION_BYTES * 2);
    }

    #[test]
    fn too_many_in_use_are_an_error() {
        let mut fixture = Fixture::new();
        fixture.exceptions().limit = tuning::MIN_EXCEPTION_BYTES * 4;
        let error = fixture.call("list", i32::MAX).expect_err("the list has no end");
        assert_eq!(error.kind(), ErrorKind::Limit);
        fixture.call("drop", 0).expect("a global is set");
        // Overwrites what the frames have left on the stack.
        fixture.call("throw", 1).expect("it is caught");
        fixture.call("list", 1000).expect("the list fits");
    }

    #[test]
    fn references_out_of_date_are_found_out() {
        let mut fixture = Fixture::new();
        fixture.call("list", 1).expect("the list fits");
        let exceptions = fixture.exceptions();
        let reference = super::name(&exceptions.entries[0], 0);
        assert!(exceptions.get(reference).is_some());
        exceptions.sweep();
        assert!(exceptions.get(reference).is_none());
        assert!(exceptions.get(0).is_none());
        assert!(exceptions.get(u64::MAX).is_none());
    }
}
