//! Where a value lies in the heap.

use std::num::NonZeroU64;

use crate::api::val::Val;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::store::StoreCore;
use crate::store::gc::layout;
use crate::types::{FieldType, Held, TypeId};
use zwasm_regir::object::Storage;

/// Where a value lies in the heap, and its type.
pub(super) struct Place {
    pub(super) address: *mut u8,
    pub(super) field: FieldType,
    pub(super) storage: Storage,
}

impl Place {
    /// # Safety
    ///
    /// `core` is valid and exclusive, and the place is in its heap.
    pub(super) unsafe fn read(&self, core: *mut StoreCore) -> Val {
        let mut bytes = [0; 16];
        // SAFETY: by the contract; the place is as large as its storage.
        unsafe {
            bytes.as_mut_ptr().copy_from(self.address, self.storage.size());
            Val::from_bits(core, u128::from_le_bytes(bytes), self.field.storage.unpack())
        }
    }

    /// # Safety
    ///
    /// As [`Place::read`].
    pub(super) unsafe fn write(&self, core: *mut StoreCore, value: Val) -> Result<()> {
        value.check(core, self.field.storage.unpack())?;
        // SAFETY: by the contract; the value has the place's type.
        unsafe { layout::write(self.storage, self.address, value.to_bits(core)) };
        Ok(())
    }
}

/// Tells a store's collector how objects of a type lie in the heap.
///
/// # Panics
///
/// If the type is of another engine than the store's.
#[track_caller]
pub(super) fn prepare(
    core: *mut StoreCore,
    engine: &Engine,
    (id, held): (TypeId, &Held),
) -> NonZeroU64 {
    // SAFETY: contexts only give out pointers to live stores, and this one is exclusive.
    let store = unsafe { &mut *core };
    assert!(
        Engine::same(engine, &store.engine),
        "the type is of the wrong engine, another one than the store's"
    );
    store.hold_type(held.clone());
    // Should there be no memory for it, `admit` says so.
    let _ = store.gc.layouts.add(&engine.types().read(), &[id]);
    store.id
}

/// Makes sure that the collector knows objects of a type, and that it was prepared for the
/// store.
///
/// # Errors
///
/// If it was prepared for another store.
pub(super) fn admit(core: *mut StoreCore, store: NonZeroU64, id: TypeId) -> Result<()> {
    // SAFETY: as above.
    let core = unsafe { &mut *core };
    if core.id != store {
        return Err(Error::msg("the type was prepared for another store: this is the wrong store"));
    }
    if core.gc.layouts.knows(id) {
        return Ok(());
    }
    core.gc.layouts.add(&core.engine.types().read(), &[id])
}

/// Allocates an object; its reference and address.
pub(super) fn allocate(
    core: *mut StoreCore,
    word: u32,
    second: u32,
    size: usize,
) -> Result<(u64, *mut u8)> {
    // SAFETY: the context is exclusive, guest frames end at the value stack's top
    // whenever the host runs, and what the host refers to is rooted.
    unsafe {
        let top = (*core).value_top;
        let object = StoreCore::allocate(core, top, word, second, size)?;
        Ok((object, (*core).gc.heap.base().add(object as usize)))
    }
}
