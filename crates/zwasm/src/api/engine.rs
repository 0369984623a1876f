//! What engines tell of themselves and of compiled modules.

use std::hash::Hash;
use std::path::Path;
use std::sync::Arc;

use super::serialize;
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};
use crate::module::Module;
use crate::store::pool::{Kind, Pool};

/// What bytes were made of, see [`Engine::detect_precompiled`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Precompiled {
    /// A module.
    Module,
    /// A component.
    Component,
}

/// What a pool has in use now; see [`Engine::pooling_allocator_metrics`].
pub struct PoolingAllocatorMetrics(Arc<Pool>);

impl PoolingAllocatorMetrics {
    /// How many instances there are.
    pub fn core_instances(&self) -> u64 {
        self.0.taken(Kind::Instances) as u64
    }

    /// How many memories there are.
    pub fn memories(&self) -> usize {
        self.0.taken(Kind::Memories)
    }

    /// How many tables there are.
    pub fn tables(&self) -> usize {
        self.0.taken(Kind::Tables)
    }

    /// How many stores have a stack.
    pub fn stacks(&self) -> usize {
        self.0.taken(Kind::Stacks)
    }

    /// How many stores have a heap of garbage-collected objects.
    pub fn gc_heaps(&self) -> usize {
        self.0.taken(Kind::Heaps)
    }

    /// How many memories nobody uses that are kept.
    pub fn unused_warm_memories(&self) -> u32 {
        self.0.unused().1 as u32
    }

    /// How many stacks nobody uses that are kept.
    pub fn unused_warm_stacks(&self) -> u32 {
        self.0.unused().0 as u32
    }
}

impl Engine {
    /// Whether the engine interprets Pulley's bytecode: it does not.
    pub fn is_pulley(&self) -> bool {
        false
    }

    /// What [`Module::serialize`] made bytes of, if it did.
    pub fn detect_precompiled(bytes: &[u8]) -> Option<Precompiled> {
        serialize::is_serialized(bytes).then_some(Precompiled::Module)
    }

    /// The same of a file.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`] if it cannot be read.
    pub fn detect_precompiled_file(path: impl AsRef<Path>) -> Result<Option<Precompiled>> {
        use std::io::Read;
        let failed = |error| Error::converted(ErrorKind::Io, error);
        let mut start = Vec::new();
        let file = std::fs::File::open(path.as_ref()).map_err(failed)?;
        file.take(serialize::MAGIC.len() as u64).read_to_end(&mut start).map_err(failed)?;
        Ok(Engine::detect_precompiled(&start))
    }

    /// A module, binary or text, as [`Module::serialize`] gives it.
    ///
    /// # Errors
    ///
    /// As [`Module::new`].
    pub fn precompile_module(&self, bytes: &[u8]) -> Result<Vec<u8>> {
        Module::of_text_or_binary(self, bytes)?.serialize()
    }

    /// What two engines have in common of which one can load what the other has serialized.
    pub fn precompile_compatibility_hash(&self) -> impl Hash + '_ {
        (serialize::MAGIC, self.config().module_version.text())
    }

    /// What the engine's pool has in use, if it has one with limits: see
    /// [`Config::allocation_strategy`](crate::Config::allocation_strategy).
    pub fn pooling_allocator_metrics(&self) -> Option<PoolingAllocatorMetrics> {
        self.config().pooling.as_ref()?;
        Some(PoolingAllocatorMetrics(self.pool().clone()))
    }

    /// Prepares the thread for running code: there is nothing to prepare.
    pub fn tls_eager_initialize() {}
}
