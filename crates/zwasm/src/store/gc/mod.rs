//! The collected heap of a store: structures, arrays and values of the host.
//!
//! A reference is a slot whose value is the offset of an object in the heap's
//! region, or zero for null, or, with the lowest bit set, a 31-bit integer.
//! `externref`s are the same: a value of the host is an object that holds the
//! index of a boxed value, so that it is collected like any other, and the
//! conversions between `anyref` and `externref` do nothing.
//!
//! The collector marks and sweeps without moving anything. What it needs of the
//! rest of the engine:
//!
//! 1. A reference in a slot is zero-extended; a word below 2³² at which an object
//!    starts keeps that object alive, whatever it was meant to be.
//! 2. Addresses in the heap are made for one access and never kept.
//! 3. Collections happen only where something is allocated. Slots at and above
//!    the `top` given there are dead.
//! 4. An object is initialised before the next allocation.
//! 5. The host holds [roots](Roots), never references.
//!
//! Roots are the value stack up to `top`, the native stack while the guest waits on it, globals, tables, element segments, the
//! payloads of exceptions and the host's roots. While an instance is being
//! initialised, values are in none of these; collections are put off until it is done.
//!
//! A collection is due when as many bytes have been handed out as were live after
//! the last one, or as a share of the roots' bytes, if that is more. That bounds both
//! the heap's size and the time spent collecting, in proportion to what the guest
//! keeps.

#[cfg(all(test, feature = "wat"))]
mod cage;
pub(crate) mod full;
pub(crate) mod heap;
pub(crate) mod layout;
mod mark;

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::StoreCore;
use super::held::{Held, Token};
use super::pool::{Kind, Ticket};
use crate::engine::Config;
use crate::error::{Error, ErrorKind, Result, Trap};
use crate::tuning::{BULK_PIECE, GC_SCAN_SHARE, GC_VAIN, GC_WORTH_SHARE, MIN_GC_BUDGET};
use full::GcHeapOutOfMemory;
use heap::{Heap, LARGE};
use layout::Layouts;
use mark::Marker;
use zwasm_regir::object::{EXTERN_WORD, GRANULE, HEADER};

/// A value of the host and the object that stands for it.
struct Extern {
    object: u32,
    value: Option<Box<dyn Any + Send + Sync>>,
}

/// The collector's part of a store.
pub(crate) struct Gc {
    pub(crate) heap: Heap,
    pub(crate) layouts: Layouts,
    /// Bytes to hand out before the next collection.
    budget: usize,
    /// Bytes that the last collection has kept.
    live: usize,
    /// How many collections in a row were made for want of room and freed next to nothing.
    vain: u32,
    /// Collections are put off while this is not zero.
    paused: usize,
    stress: bool,
    externs: Vec<Extern>,
    /// Indices of `externs` without a value.
    free_externs: Vec<u32>,
    /// Those of the stack in use.
    roots: Roots,
    /// Those of the others, by their numbers; that of the stack in use is empty.
    waiting: Vec<Roots>,
    /// Numbers that no stack has.
    free_roots: Vec<usize>,
    /// The last generation.
    generation: u64,
    /// References that the host owns whatever scope it is in.
    owned: Held,
    /// The limit in all that the heap cannot grow for.
    pub(super) refused: Option<usize>,
    /// Collections so far.
    pub(crate) collections: u64,
    ticket: Option<Ticket>,
}

/// References that the host holds, in the order in which it got them.
///
/// Entries are released from the end, by the end of a scope. A handle names its
/// entry and the generation in which that was made, so that one that outlives
/// its scope is noticed and never mistaken for another: there are more generations
/// than scopes can be closed in a process's life.
///
/// Each stack of the store has its own, with a number, since scopes on different stacks end in
/// any order. Generations are the store's.
#[derive(Default)]
pub(crate) struct Roots {
    number: usize,
    entries: Vec<(u64, u64)>,
    generation: u64,
}

/// A place in the [`Roots`] of a stack, whose number is the upper part of the index, or, with
/// the generation [`OWNED`], a number in [`Held`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Root {
    index: u64,
    generation: u64,
}

/// Bits of an index that are not the number of a stack: no process has so many roots, nor,
/// with the others, so many stacks.
const ENTRY_BITS: u32 = 40;

impl Root {
    /// What [`Gc::own`] gave with this number.
    pub(crate) fn owned(number: u64) -> Root {
        Root { index: number, generation: OWNED }
    }

    /// That number.
    pub(crate) fn number(self) -> u64 {
        self.index
    }
}

impl Roots {
    fn all(&self) -> &[(u64, u64)] {
        &self.entries
    }
}

/// No process has so many generations.
const OWNED: u64 = u64::MAX;

impl Gc {
    pub(super) fn new(config: &Config) -> Gc {
        let mut heap = Heap::new(config.max_gc_heap);
        if config.max_total != u64::MAX {
            heap.limit_growth();
        }
        Gc {
            heap,
            layouts: Layouts::default(),
            budget: MIN_GC_BUDGET,
            live: 0,
            vain: 0,
            paused: 0,
            stress: config.gc_stress,
            externs: Vec::new(),
            free_externs: Vec::new(),
            roots: Roots::default(),
            waiting: vec![],
            free_roots: vec![],
            generation: 0,
            owned: Held::default(),
            refused: None,
            collections: 0,
            ticket: None,
        }
    }

    /// Keeps a reference alive for the host.
    pub(crate) fn root(&mut self, reference: u64) -> Root {
        let roots = &mut self.roots;
        let generation = roots.generation;
        roots.entries.push((reference, generation));
        let index = (roots.number as u64) << ENTRY_BITS | (roots.entries.len() as u64 - 1);
        Root { index, generation }
    }

    /// Keeps a reference alive as long as the token lives.
    pub(crate) fn own(&mut self, reference: u64) -> (Root, Token) {
        let (index, token) = self.owned.hold(reference);
        (Root::owned(index), token)
    }

    /// The reference of a root; none if its scope has ended or its token is gone.
    pub(crate) fn rooted(&self, root: Root) -> Option<u64> {
        if root.generation == OWNED {
            return self.owned.find(root.index);
        }
        let number = (root.index >> ENTRY_BITS) as usize;
        let roots = match number == self.roots.number {
            true => &self.roots,
            false => self.waiting.get(number)?,
        };
        let entry = root.index & ((1 << ENTRY_BITS) - 1);
        let &(reference, generation) = roots.entries.get(entry as usize)?;
        (generation == root.generation).then_some(reference)
    }

    /// Makes room for so many roots.
    pub(crate) fn reserve_roots(&mut self, additional: usize) {
        self.roots.entries.reserve(additional);
    }

    /// All references that the host holds, those to exceptions included.
    pub(super) fn held(&mut self) -> impl Iterator<Item = u64> + '_ {
        let scoped = self.roots.entries.iter().chain(self.waiting.iter().flat_map(Roots::all));
        scoped.map(|(reference, _)| *reference).chain(self.owned.references())
    }

    /// Makes roots for another stack; their number.
    pub(crate) fn add_roots(&mut self) -> usize {
        if self.waiting.is_empty() {
            // Those of the first stack.
            self.waiting.push(Roots::default());
        }
        let number = self.free_roots.pop().unwrap_or(self.waiting.len());
        if number == self.waiting.len() {
            self.waiting.push(Roots::default());
        }
        self.generation += 1;
        let generation = self.generation;
        self.waiting[number] = Roots { number, entries: Vec::new(), generation };
        number
    }

    /// Releases the roots of a stack that is gone.
    pub(crate) fn remove_roots(&mut self, number: usize) {
        self.waiting[number] = Roots::default();
        self.free_roots.push(number);
    }

    /// Has the roots of another stack in use; the number of those that were.
    pub(crate) fn switch_roots(&mut self, number: usize) -> usize {
        let next = std::mem::take(&mut self.waiting[number]);
        let last = std::mem::replace(&mut self.roots, next);
        let from = last.number;
        self.waiting[from] = last;
        from
    }

    /// Where a scope of roots begins.
    #[inline]
    pub(crate) fn open_scope(&self) -> usize {
        self.roots.entries.len()
    }

    /// Releases the roots made since the scope began.
    #[inline]
    pub(crate) fn close_scope(&mut self, start: usize) {
        let roots = &mut self.roots;
        if roots.entries.len() > start {
            roots.entries.truncate(start);
            self.generation += 1;
            roots.generation = self.generation;
        }
    }

    /// The value of the host behind a reference; none for other objects.
    pub(crate) fn get_extern(&self, reference: u64) -> Option<&(dyn Any + Send + Sync)> {
        if !self.heap.is_object(reference) {
            return None;
        }
        // SAFETY: an object starts there.
        let (word, index) = unsafe { self.header(reference) };
        if word != EXTERN_WORD {
            return None;
        }
        self.externs.get(index as usize)?.value.as_deref()
    }

    /// The same, to be changed.
    pub(crate) fn get_extern_mut(
        &mut self,
        reference: u64,
    ) -> Option<&mut (dyn Any + Send + Sync + 'static)> {
        if !self.heap.is_object(reference) {
            return None;
        }
        // SAFETY: an object starts there.
        let (word, index) = unsafe { self.header(reference) };
        if word != EXTERN_WORD {
            return None;
        }
        self.externs.get_mut(index as usize)?.value.as_deref_mut()
    }

    /// The two words of an object's header.
    ///
    /// # Safety
    ///
    /// `reference` is a live object.
    pub(crate) unsafe fn header(&self, reference: u64) -> (u32, u32) {
        // SAFETY: by the contract.
        unsafe {
            let header = self.heap.base().add(reference as u32 as usize).cast::<u32>();
            (*header, *header.add(1))
        }
    }
}

impl StoreCore {
    /// Makes room for an object of `size` bytes, at most [`LARGE`], in the
    /// allocation window; collects if that is due.
    ///
    /// # Safety
    ///
    /// `this` is valid and not borrowed; slots from `top` on are dead.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Limit`] if the heap is full.
    pub(crate) unsafe fn make_room(this: *mut StoreCore, top: *mut u64, size: usize) -> Result<()> {
        // SAFETY: by the contract.
        unsafe {
            StoreCore::reserve_heap(this)?;
            StoreCore::grow_heap(this, size)?;
            let gc = &raw mut (*this).gc;
            if (*gc).stress && (*gc).paused == 0 {
                StoreCore::collect(this, top);
            }
            let budget = if (*gc).paused == 0 { (*gc).budget } else { usize::MAX };
            if !(*gc).heap.refill(size, budget) {
                if (*gc).paused == 0 {
                    StoreCore::collect_for_room(this, top, size)?;
                }
                if !(*gc).heap.refill(size, usize::MAX) {
                    return Err((*gc).full(size));
                }
            }
            if (*gc).stress {
                (*gc).heap.window.limit = (*gc).heap.window.cursor + size;
            }
            Ok(())
        }
    }

    /// Allocates an object of any size, zeroed but for its header.
    ///
    /// # Safety
    ///
    /// As [`StoreCore::make_room`]; the header names a layout of that size.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Limit`] if the heap is full or could never hold it.
    pub(crate) unsafe fn allocate(
        this: *mut StoreCore,
        top: *mut u64,
        word: u32,
        second: u32,
        size: usize,
    ) -> Result<u64> {
        // SAFETY: by the contract; the range was just handed out.
        unsafe {
            if u32::try_from(size).is_err() {
                return Err(Trap::AllocationTooLarge.into());
            }
            let gc = &raw mut (*this).gc;
            let rounded = size.next_multiple_of(GRANULE);
            let offset = if size > LARGE {
                StoreCore::reserve_heap(this)?;
                StoreCore::grow_heap(this, rounded)?;
                let first = match (*gc).paused {
                    0 if (*gc).stress => None,
                    0 => (*gc).heap.large(rounded, (*gc).budget),
                    _ => (*gc).heap.large(rounded, usize::MAX),
                };
                match first {
                    Some(offset) => offset,
                    None => {
                        if (*gc).paused == 0 {
                            StoreCore::collect_for_room(this, top, size)?;
                        }
                        let again = (*gc).heap.large(rounded, usize::MAX);
                        again.ok_or_else(|| (*gc).full(size))?
                    }
                }
            } else {
                let window = &raw mut (*gc).heap.window;
                if (*window).limit - (*window).cursor < rounded {
                    StoreCore::make_room(this, top, rounded)?;
                }
                let offset = (*window).cursor;
                (*window).cursor += rounded;
                offset
            };
            let object = (*gc).heap.base().add(offset);
            // Without its start the range is free again if this is interrupted.
            let mut done = 0;
            while done < size {
                if done > 0 && (*this).must_stop() {
                    return Err(Trap::Interrupt.into());
                }
                let piece = BULK_PIECE.min(size - done);
                object.add(done).write_bytes(0, piece);
                done += piece;
            }
            (*gc).heap.set_start(offset);
            object.cast::<u32>().write(word);
            object.cast::<u32>().add(1).write(second);
            Ok(offset as u64)
        }
    }

    /// Gives a value to the heap and returns the reference to it. If there is no room, the
    /// value is given back.
    ///
    /// # Safety
    ///
    /// `this` is valid and not borrowed.
    pub(crate) unsafe fn add_extern<T: Any + Send + Sync>(
        this: *mut StoreCore,
        value: T,
    ) -> Result<u64, (T, Error)> {
        // SAFETY: by the contract; guest frames end at the value stack's top
        // whenever the host runs.
        unsafe {
            let top = (*this).value_top;
            match StoreCore::allocate(this, top, EXTERN_WORD, 0, HEADER) {
                Ok(object) => Ok(StoreCore::keep_extern(this, object, Box::new(value))),
                Err(error) => Err((value, error)),
            }
        }
    }

    /// Has an object just allocated stand for a value.
    ///
    /// # Safety
    ///
    /// As [`StoreCore::add_extern`].
    unsafe fn keep_extern(
        this: *mut StoreCore,
        object: u64,
        value: Box<dyn Any + Send + Sync>,
    ) -> u64 {
        // SAFETY: by the contract.
        unsafe {
            let gc = &mut (*this).gc;
            let entry = Extern { object: object as u32, value: Some(value) };
            let index = match gc.free_externs.pop() {
                Some(index) => {
                    gc.externs[index as usize] = entry;
                    index
                }
                None => {
                    gc.externs.push(entry);
                    gc.externs.len() as u32 - 1
                }
            };
            gc.heap.base().add(object as usize).cast::<u32>().add(1).write(index);
            object
        }
    }

    /// Reserves the heap's region, and tells all instances where it is.
    ///
    /// # Safety
    ///
    /// `this` is valid and not borrowed.
    unsafe fn reserve_heap(this: *mut StoreCore) -> Result<()> {
        // SAFETY: by the contract; instances live as long as the store.
        unsafe {
            if (*this).gc.heap.is_reserved() {
                return Ok(());
            }
            let ticket = (*this).engine.pool().ticket(Kind::Heaps)?;
            (*this).gc.heap.reserve().map_err(|error| {
                let message = format!("cannot reserve the garbage-collected heap: {error}");
                Error::of_kind(ErrorKind::OutOfMemory, message)
            })?;
            (*this).gc.ticket = ticket;
            let base = (*this).gc.heap.base();
            for instance in &(*this).instances {
                (*(*instance.as_ptr()).vmctx.as_ptr()).heap = base;
            }
            Ok(())
        }
    }

    /// Puts collections off as long as the returned token lives. If much of the heap
    /// is in use, there is one now.
    ///
    /// # Safety
    ///
    /// `this` is valid, longer than the token, and not borrowed.
    pub(crate) unsafe fn pause_collections(this: *mut StoreCore) -> Paused {
        // SAFETY: by the contract; the host runs, as in `add_extern`.
        unsafe {
            let gc = &raw mut (*this).gc;
            if (*gc).paused == 0 && (*gc).heap.size() > (*gc).heap.max() / 2 {
                let top = (*this).value_top;
                StoreCore::collect(this, top);
            }
            (*gc).paused += 1;
            Paused(this)
        }
    }

    /// Collects, and frees the exceptions that nothing refers to.
    ///
    /// # Safety
    ///
    /// As [`StoreCore::make_room`].
    pub(crate) unsafe fn collect_all(this: *mut StoreCore, top: *mut u64) {
        // SAFETY: by the contract.
        unsafe {
            StoreCore::collect_exceptions(this, &[], top);
            if (*this).gc.paused == 0 {
                StoreCore::collect(this, top);
            }
        }
    }

    /// Collects before an object of `size` bytes is allocated.
    ///
    /// # Safety
    ///
    /// As [`StoreCore::make_room`].
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Limit`] if the heap is so full that collecting it is in vain again and
    /// again.
    unsafe fn collect_for_room(this: *mut StoreCore, top: *mut u64, size: usize) -> Result<()> {
        // SAFETY: by the contract.
        unsafe {
            let gc = &raw mut (*this).gc;
            let is_full = (*gc).heap.allocated.saturating_add(size) <= (*gc).budget;
            let used = (*gc).live.saturating_add((*gc).heap.allocated);
            StoreCore::collect(this, top);
            let (live, all) = ((*gc).live, (*gc).heap.granted());
            let is_vain = used.saturating_sub(live) < live / GC_WORTH_SHARE
                && live > all - all / GC_WORTH_SHARE;
            (*gc).vain = if is_full && is_vain { (*gc).vain + 1 } else { 0 };
            if (*gc).vain > GC_VAIN && !(*gc).stress {
                return Err((*gc).full(size));
            }
            Ok(())
        }
    }

    /// Collects.
    ///
    /// # Safety
    ///
    /// As [`StoreCore::make_room`].
    #[inline(never)]
    pub(crate) unsafe fn collect(this: *mut StoreCore, top: *mut u64) {
        // SAFETY: by the contract nothing else uses the store's contents now.
        let dead = unsafe {
            let gc = &mut (*this).gc;
            gc.collections += 1;
            gc.heap.begin();
            let mut marker = Marker {
                heap: &mut gc.heap,
                layouts: &gc.layouts,
                stack: Vec::new(),
                // A small stack, when testing, for the way on without one to be taken.
                limit: if gc.stress { 2 } else { usize::MAX },
                lost: false,
            };
            let mut looked_through = 0;
            for words in StoreCore::stacks(this, top) {
                looked_through += words.bytes();
                words.for_each(|word| marker.word(word));
            }
            // Tables of functions hold addresses of records, and no objects.
            let tables = (*this).tables.iter().map(|table| table.as_ref());
            for table in tables.filter(|table| !table.holds_functions) {
                looked_through += size_of_val(table.elements());
                table.elements().iter().for_each(|&word| marker.word(word));
            }
            for global in &(*this).globals {
                marker.word((*global.as_ptr()).value as u64);
            }
            for instance in &(*this).instances {
                let instance = &*instance.as_ptr();
                instance.globals.iter().for_each(|&global| marker.word((*global).value as u64));
                for segment in &instance.elements {
                    looked_through += size_of_val(&**segment);
                    segment.iter().for_each(|&word| marker.word(word));
                }
            }
            (*this).exceptions.payloads().for_each(|word| marker.word(word));
            // Those to exceptions are no words of the heap.
            let waiting = gc.waiting.iter().flat_map(Roots::all);
            for &(reference, _) in gc.roots.entries.iter().chain(waiting) {
                marker.word(reference);
            }
            gc.owned.references().for_each(|reference| marker.word(reference));
            marker.drain();
            let mut dead = Vec::new();
            for (index, each) in gc.externs.iter_mut().enumerate() {
                if each.value.is_some() && !gc.heap.is_marked(each.object as usize) {
                    dead.extend(each.value.take());
                    gc.free_externs.push(index as u32);
                }
            }
            let live = gc.heap.sweep();
            gc.live = live;
            gc.budget = live.max(looked_through / GC_SCAN_SHARE).max(MIN_GC_BUDGET);
            dead
        };
        // Destructors of the host run when the heap is whole again. What called for
        // the collection cannot unwind, so a panic in one of them ends here; one by one,
        // since a second panic would end the process.
        for value in dead {
            let _ = catch_unwind(AssertUnwindSafe(|| drop(value)));
        }
    }
}

/// Collections of a store are put off, also if what has to be done first panics.
pub(crate) struct Paused(*mut StoreCore);

impl Drop for Paused {
    fn drop(&mut self) {
        // SAFETY: by the contract of `pause_collections`.
        unsafe { (*self.0).gc.paused -= 1 }
    }
}

impl Gc {
    /// Bytes of the heap and of what stands for values of the host.
    pub(super) fn bytes(&self) -> usize {
        self.heap.granted() + self.externs.capacity() * size_of::<Extern>()
    }

    #[cold]
    fn full(&self, size: usize) -> Error {
        let limit = match self.refused {
            Some(limit) => format!("{limit} bytes in all"),
            None => format!("{} bytes", self.heap.max()),
        };
        let message = format!(
            "out of garbage-collected memory: no room for an object of {size} bytes (the limit is {limit})"
        );
        Error::converted(ErrorKind::Limit, GcHeapOutOfMemory { inner: (), message })
    }
}

#[cfg(all(test, feature = "wat"))]
mod tests {
    use crate::tuning::GC_SCAN_SHARE;
    use crate::{Config, Engine, ErrorKind, Instance, Module, Result, Store};

    #[test]
    fn garbage_beside_a_large_table_is_collected_in_proportion() -> Result<()> {
        const ELEMENTS: usize = 8_000_000;
        const OBJECTS: usize = 4_000_000;
        let wat = format!(
            r#"(module
                (type $s (struct (field i64)))
                (table {ELEMENTS} anyref)
                ;; Seen for a moment, lest it is not allocated.
                (global $seen (mut anyref) (ref.null any))
                (func (export "garbage") (param i32)
                    (loop $again
                        (global.set $seen (struct.new $s (i64.const 0)))
                        (br_if $again
                            (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))"#
        );
        let mut store = Store::new(&Engine::default(), ());
        let module = Module::new(store.engine(), wat)?;
        let instance = Instance::new(&mut store, &module, &[])?;
        let garbage = instance.get_typed_func::<i32, ()>(&mut store, "garbage")?;
        garbage.call(&mut store, OBJECTS as i32)?;
        let collections = store.core_mut().gc.collections as usize;
        // The first comes before anyone knows of the table.
        let most = 1 + OBJECTS * 16 * GC_SCAN_SHARE / (ELEMENTS * 8);
        assert!((1..=most).contains(&collections), "{collections} collections");
        Ok(())
    }

    /// Small objects here and there leave much room, of which larger ones find little each time.
    #[test]
    fn a_heap_with_room_is_not_full_however_little_is_freed() -> Result<()> {
        let wat = format!(
            r#"(module
                (type $s (struct {}))
                (type $a (array (mut (ref null $s))))
                (type $b (array (mut i8)))
                (global $all (mut (ref null $a)) (ref.null $a))
                (global $seen (mut (ref null $b)) (ref.null $b))
                (func (export "run") (param $n i32) (param $m i32) (local $i i32)
                    (global.set $all (array.new_default $a (local.get $n)))
                    (loop $each
                        (array.set $a (global.get $all) (local.get $i) (struct.new_default $s))
                        (local.set $i (i32.add (local.get $i) (i32.const 1)))
                        (br_if $each (i32.lt_u (local.get $i) (local.get $n))))
                    (local.set $i (i32.const 0))
                    (loop $each
                        (array.set $a (global.get $all) (local.get $i) (ref.null $s))
                        (local.set $i (i32.add (local.get $i) (i32.const 2)))
                        (br_if $each (i32.lt_u (local.get $i) (local.get $n))))
                    (loop $each
                        (global.set $seen (array.new_default $b (i32.const 1000)))
                        (br_if $each
                            (local.tee $m (i32.sub (local.get $m) (i32.const 1)))))))"#,
            "(field i64) ".repeat(30)
        );
        let mut config = Config::new();
        config.max_gc_heap(16 << 20);
        let mut store = Store::new(&Engine::new(&config)?, ());
        let module = Module::new(store.engine(), wat)?;
        let instance = Instance::new(&mut store, &module, &[])?;
        let run = instance.get_typed_func::<(i32, i32), ()>(&mut store, "run")?;
        run.call(&mut store, (62_500, 100_000))
    }

    #[test]
    fn a_heap_that_is_next_to_full_is_not_collected_for_every_few_objects() -> Result<()> {
        let wat = r#"(module
            (type $s (struct (field (ref null $s)) (field i64)))
            (global $head (mut (ref null $s)) (ref.null $s))
            (global $seen (mut (ref null $s)) (ref.null $s))
            (func (export "fill")
                (loop $again
                    (global.set $head (struct.new $s (global.get $head) (i64.const 1)))
                    (br $again)))
            (func (export "drop") (param i32)
                (loop $again
                    (global.set $head (struct.get $s 0 (global.get $head)))
                    (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
            (func (export "garbage") (param i32)
                (loop $again
                    (global.set $seen (struct.new $s (ref.null $s) (i64.const 1)))
                    (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))"#;
        let mut config = Config::new();
        config.max_gc_heap(2 << 20);
        let mut store = Store::new(&Engine::new(&config)?, ());
        let module = Module::new(store.engine(), wat)?;
        let instance = Instance::new(&mut store, &module, &[])?;
        let fill = instance.get_typed_func::<(), ()>(&mut store, "fill")?;
        let drop = instance.get_typed_func::<i32, ()>(&mut store, "drop")?;
        let garbage = instance.get_typed_func::<i32, ()>(&mut store, "garbage")?;
        assert_eq!(fill.call(&mut store, ()).unwrap_err().kind(), ErrorKind::Limit);
        drop.call(&mut store, 500)?;
        let before = store.core_mut().gc.collections;
        assert_eq!(garbage.call(&mut store, 1_000_000).unwrap_err().kind(), ErrorKind::Limit);
        let collections = store.core_mut().gc.collections - before;
        assert!(collections <= 12, "{collections} collections");
        // Where there is room it is found again.
        drop.call(&mut store, 20_000)?;
        garbage.call(&mut store, 1_000_000)?;
        Ok(())
    }
}
