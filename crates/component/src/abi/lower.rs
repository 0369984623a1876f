//! Writing values: to the slots of a call or to a guest's memory.
//!
//! Memory comes from the guest's `realloc`, which may do anything: grow the memory,
//! return what was allocated before, trap. So the memory is found anew for each write,
//! and what `realloc` returns is checked before it is used.
//!
//! Specification: Canonical ABI, "Storing", "Flat Lowering".

use zwasm::{Error, Result};

use super::{AnyStore, Place, TypeContext, unexpected};
use crate::state::{Components, Options, set_may_leave};
use crate::types::{InterfaceType, Shape};

/// What lowering writes to.
pub struct LowerContext<'a> {
    pub(crate) cx: TypeContext<'a>,
    pub(crate) options: Options,
    pub(crate) slots: &'a mut [u64],
    pub(crate) store: &'a mut dyn AnyStore,
}

impl LowerContext<'_> {
    /// Bytes that an element of a list takes.
    pub fn size_of(&self, ty: InterfaceType) -> usize {
        self.cx.types.shape(ty).size as usize
    }

    /// Writes a number: a whole slot, or bytes.
    #[inline]
    pub(super) fn put<const N: usize>(
        &mut self,
        at: Place,
        slot: u64,
        bytes: [u8; N],
    ) -> Result<()> {
        match at {
            Place::Flat(index) => *self.slots.get_mut(index).ok_or_else(unexpected)? = slot,
            Place::Memory(address) => {
                let memory = self.memory().get_mut(address..);
                let place = memory.and_then(|memory| memory.first_chunk_mut());
                *place.ok_or_else(unexpected)? = bytes;
            }
        }
        Ok(())
    }

    /// Writes an address and a length.
    pub(super) fn put_pair(&mut self, at: Place, address: usize, length: usize) -> Result<()> {
        let second = match at {
            Place::Flat(slot) => Place::Flat(slot + 1),
            Place::Memory(address) => Place::Memory(address + 4),
        };
        for (at, number) in [(at, address), (second, length)] {
            // What lies in a 32-bit memory has smaller numbers.
            let number = number as u32;
            self.put(at, number.into(), number.to_le_bytes())?;
        }
        Ok(())
    }

    /// The memory as it is now.
    pub(super) fn memory(&mut self) -> &mut [u8] {
        self.store.split(self.options.memory).0
    }

    /// The state of the store's components.
    pub(crate) fn state(&mut self) -> &mut Components {
        self.store.state()
    }

    /// So many bytes of it.
    pub(super) fn bytes(&mut self, address: usize, length: usize) -> Result<&mut [u8]> {
        let memory = self.memory().get_mut(address..);
        memory.and_then(|memory| memory.get_mut(..length)).ok_or_else(unexpected)
    }

    /// Room for elements of a shape.
    pub(super) fn allocate(&mut self, length: usize, shape: Shape, what: &str) -> Result<usize> {
        let size = length.checked_mul(shape.size as usize);
        let size = size.filter(|&size| u32::try_from(size).is_ok()).ok_or_else(|| {
            Error::msg(format!("a {what} of {length} elements does not fit in any memory"))
        })?;
        realloc(self.store, &self.options, what, [0, 0, shape.align as usize, size])
    }
}

/// Calls a guest's `realloc` with the address and size of what there is, an alignment and
/// the new size; `what` is to lie there. Bytes at the address that it returns are in bounds. A guest that fails in
/// it is never entered again.
///
/// # Errors
///
/// If it traps, or returns what cannot be.
pub(super) fn realloc(
    store: &mut dyn AnyStore,
    options: &Options,
    what: &str,
    args: [usize; 4],
) -> Result<usize> {
    let instance = options.instance;
    let result = try_realloc(store, options, what, args);
    if result.is_err() {
        store.state().poison(instance);
    }
    result
}

fn try_realloc(
    store: &mut dyn AnyStore,
    options: &Options,
    what: &str,
    args: [usize; 4],
) -> Result<usize> {
    let [.., align, size] = args;
    let realloc = options.realloc.ok_or_else(|| Error::msg("the function has no `realloc`"))?;
    // All of them are addresses or sizes in a 32-bit memory.
    let mut slots = args.map(|number| u64::from(number as u32));
    set_may_leave(store, options.instance, false)?;
    let called = store.call(realloc, &mut slots);
    // Whoever called may leave, or it would not have come here.
    set_may_leave(store, options.instance, true)?;
    called?;
    let (memory, _) = store.split(options.memory);
    let address = slots[0] as u32 as usize;
    if !address.is_multiple_of(align) {
        return Err(Error::trap_msg("unaligned pointer: realloc return: result not aligned"));
    }
    match address as u64 + size as u64 <= memory.len() as u64 {
        true => Ok(address),
        false => Err(Error::trap_msg(format_args!(
            "{what} content out-of-bounds: realloc return: beyond end of memory"
        ))),
    }
}
