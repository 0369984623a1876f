//! The stubs between the worlds that there are, by shape.
//!
//! They depend on nothing but the shape and this program, so the process has one pair
//! for each, made when it is first needed, and keeps it. What is in a module can ask for
//! no more than [`MAX_STUBS`] of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{PoisonError, RwLock};

use super::code_memory::{Chunk, World};
use super::environment::LAYOUT;
use super::link::link;
use crate::tuning::MAX_STUBS;
use zwasm_compiler::lower::x64::stubs::{self, Shape};
use zwasm_regir::Signature;

/// The stubs of a shape, which stay for ever.
pub(super) struct Stubs {
    chunk: Chunk,
    to_slots: u32,
    to_host: u32,
    replace: u32,
}

impl Stubs {
    /// What `code` of a function leads to that is not optimized.
    pub(super) fn to_slots(&self) -> *const u8 {
        self.chunk.start().wrapping_add(self.to_slots as usize)
    }

    /// What `code` of a host function leads to.
    pub(super) fn to_host(&self) -> *const u8 {
        self.chunk.start().wrapping_add(self.to_host as usize)
    }

    /// The body of functions that are optimized.
    pub(super) fn body(&self) -> *const u64 {
        self.chunk.start().cast()
    }

    /// The word through which on-stack replacement goes on.
    pub(super) fn replace(&self) -> *const u64 {
        self.chunk.start().wrapping_add(self.replace as usize).cast()
    }
}

#[derive(Default)]
struct Table {
    by_shape: BTreeMap<Shape, &'static Stubs>,
    /// Where native code returns to in those from slots.
    returns: BTreeSet<usize>,
}

static TABLE: RwLock<Table> =
    RwLock::new(Table { by_shape: BTreeMap::new(), returns: BTreeSet::new() });

/// Whether an address is where a stub goes on that has called native code from slots.
pub(crate) fn returns_to_slots(address: *const u8) -> bool {
    let table = TABLE.read().unwrap_or_else(PoisonError::into_inner);
    table.returns.contains(&(address as usize))
}

/// The stubs of a signature, in code that pays fuel or does not; none if there are too many already, or no memory is left.
pub(super) fn of(signature: Signature<'_>, metered: bool) -> Option<&'static Stubs> {
    let shape = Shape::of(signature, metered);
    let table = TABLE.read().unwrap_or_else(PoisonError::into_inner);
    if let Some(found) = table.by_shape.get(&shape) {
        return Some(found);
    }
    drop(table);
    let mut table = TABLE.write().unwrap_or_else(PoisonError::into_inner);
    if let Some(found) = table.by_shape.get(&shape) {
        return Some(found);
    }
    if table.by_shape.len() >= MAX_STUBS {
        return None;
    }
    let stubs::Stubs { mut bytes, relocations, to_slots, to_host, replace, returns } =
        stubs::make(&shape, &LAYOUT)?;
    let mut own = Vec::new();
    link(None, &relocations, &mut bytes, 0, &mut own)?;
    let chunk = Chunk::new(World::Native, None, &bytes, &own)?;
    table.returns.insert(chunk.start() as usize + returns as usize);
    let made: &Stubs = Box::leak(Box::new(Stubs { chunk, to_slots, to_host, replace }));
    table.by_shape.insert(shape, made);
    Some(made)
}
