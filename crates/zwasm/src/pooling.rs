//! How what instances are made of is allocated: as it is needed, or from a pool with limits.
//!
//! Either way an engine keeps some of the stacks and memories that stores have given back,
//! cleared, for those to come. A pool says how many, and how much of each stays in
//! memory, and it limits what all stores of the engine have at the same time.

use std::fmt::{self, Display, Formatter};

use crate::engine::Config;
use crate::error::{Error, ErrorKind, Result};
use crate::tuning;

/// How instances are allocated; see [`Config::allocation_strategy`].
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum InstanceAllocationStrategy {
    /// What they need is taken from the system as they need it.
    #[default]
    OnDemand,
    /// It is one of a number of slots that the engine has.
    Pooling(PoolingAllocationConfig),
}

impl InstanceAllocationStrategy {
    /// A pool with the default limits.
    pub fn pooling() -> InstanceAllocationStrategy {
        InstanceAllocationStrategy::Pooling(PoolingAllocationConfig::new())
    }
}

impl From<PoolingAllocationConfig> for InstanceAllocationStrategy {
    fn from(config: PoolingAllocationConfig) -> InstanceAllocationStrategy {
        InstanceAllocationStrategy::Pooling(config)
    }
}

/// Whether something is to be used that not every system has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Enabled {
    /// If the system has it.
    Auto,
    /// It is, or there is no engine.
    Yes,
    /// It is not.
    No,
}

/// The limits of an engine's pool. What reaches one fails with a
/// [`PoolConcurrencyLimitError`], an error of kind [`ErrorKind::Limit`].
///
/// ```
/// use zwasm::{Config, Engine, Instance, Module, PoolConcurrencyLimitError, Store};
/// let mut pool = zwasm::PoolingAllocationConfig::new();
/// pool.total_core_instances(1).max_memory_size(1 << 20);
/// let engine = Engine::new(Config::new().allocation_strategy(pool))?;
/// let module = Module::new(&engine, "(module (memory 1))")?;
/// let mut store = Store::new(&engine, ());
/// Instance::new(&mut store, &module, &[])?;
/// let error = Instance::new(&mut store, &module, &[]).unwrap_err();
/// assert!(error.is::<PoolConcurrencyLimitError>());
/// drop(store);
/// Instance::new(&mut Store::new(&engine, ()), &module, &[])?;
/// # Ok::<(), zwasm::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct PoolingAllocationConfig {
    pub(crate) max_unused_warm_slots: u32,
    pub(crate) stack_keep_resident: usize,
    pub(crate) memory_keep_resident: usize,
    pub(crate) total_core_instances: u32,
    pub(crate) total_memories: u32,
    pub(crate) total_tables: u32,
    pub(crate) total_stacks: u32,
    pub(crate) total_gc_heaps: u32,
    pub(crate) max_core_instance_size: usize,
    pub(crate) max_memories_per_module: u32,
    pub(crate) max_tables_per_module: u32,
    pub(crate) max_memory_size: usize,
    pub(crate) table_elements: usize,
    protection_keys: Enabled,
    pub(crate) pagemap_scan: Enabled,
}

impl Default for PoolingAllocationConfig {
    fn default() -> PoolingAllocationConfig {
        PoolingAllocationConfig::new()
    }
}

macro_rules! limits {
    ($($name:ident $field:ident $ty:ty, $what:literal;)*) => {
        impl PoolingAllocationConfig {
            $(
                #[doc = $what]
                pub fn $name(&mut self, value: $ty) -> &mut PoolingAllocationConfig {
                    self.$field = value;
                    self
                }
            )*
        }
    };
}

limits! {
    max_unused_warm_slots max_unused_warm_slots u32, "How many memories, and how many stacks, that nobody uses are kept for those to come; 100 unless set. Others go back to the system.";
    async_stack_keep_resident stack_keep_resident usize, "How many bytes at either end of a stack that nobody uses stay in memory. What the guest's frames had there is not cleared, and no guest can read it.";
    linear_memory_keep_resident memory_keep_resident usize, "How many bytes of a memory that nobody uses are set to zero and stay; the others go back to the system. 256 KiB unless set; where it is not known which ones a guest has used, the first 64 KiB at most.";
    total_core_instances total_core_instances u32, "How many instances there are at most; 1000 unless set. Those of components count.";
    total_memories total_memories u32, "How many memories there are at most, shared ones not counted; 1000 unless set.";
    total_tables total_tables u32, "How many tables there are at most; 1000 unless set.";
    total_stacks total_stacks u32, "How many stores have a stack at most; 1000 unless set. A store takes one when the guest is called; if half of them are taken, it gives it back when the call returns.";
    total_gc_heaps total_gc_heaps u32, "How many stores have a heap of garbage-collected objects at most; 1000 unless set.";
    max_core_instance_size max_core_instance_size usize, "The most bytes of an instance beside its memories and tables; 1 MiB unless set.";
    max_memories_per_module max_memories_per_module u32, "How many memories a module may define to be instantiated; 1 unless set.";
    max_tables_per_module max_tables_per_module u32, "How many tables a module may define to be instantiated; 1 unless set.";
    max_memory_size max_memory_size usize, "As [`Config::max_memory`]; 4 GiB unless set.";
    table_elements table_elements usize, "As [`Config::max_table_elements`]; 20,000 unless set.";
    memory_protection_keys protection_keys Enabled, "Protection keys are not used: with [`Enabled::Yes`] there is no engine.";
    pagemap_scan pagemap_scan Enabled, "Whether it is looked for which pages of a memory a guest has used, when nobody uses it any more: where the system tells, unless set. With [`Enabled::Yes`] there is no engine elsewhere.";
}

impl PoolingAllocationConfig {
    /// The default limits.
    pub fn new() -> PoolingAllocationConfig {
        const TOTAL: u32 = 1000;
        PoolingAllocationConfig {
            max_unused_warm_slots: 100,
            stack_keep_resident: tuning::STACK_KEPT,
            memory_keep_resident: tuning::MEMORY_KEPT,
            total_core_instances: TOTAL,
            total_memories: TOTAL,
            total_tables: TOTAL,
            total_stacks: TOTAL,
            total_gc_heaps: TOTAL,
            max_core_instance_size: 1 << 20,
            max_memories_per_module: 1,
            max_tables_per_module: 1,
            max_memory_size: 4 << 30,
            table_elements: 20_000,
            protection_keys: Enabled::No,
            pagemap_scan: Enabled::Auto,
        }
    }

    /// Has no effect: each memory goes back by itself.
    pub fn decommit_batch_size(&mut self, count: usize) -> &mut PoolingAllocationConfig {
        let _ = count;
        self
    }

    /// Has no effect: tables that nobody uses are given back.
    pub fn table_keep_resident(&mut self, bytes: usize) -> &mut PoolingAllocationConfig {
        let _ = bytes;
        self
    }

    /// Has no effect: there are none.
    pub fn max_memory_protection_keys(&mut self, count: usize) -> &mut PoolingAllocationConfig {
        let _ = count;
        self
    }

    /// They are not.
    pub fn are_memory_protection_keys_available() -> bool {
        false
    }

    /// Whether the system tells which pages a guest has used: Linux does, where a process may
    /// read `/proc/self/pagemap`.
    pub fn is_pagemap_scan_available() -> bool {
        crate::sys::looks_at_pages()
    }

    /// Makes sure that a module may be instantiated with so many bytes, memories and tables.
    pub(crate) fn check_module(&self, [bytes, memories, tables]: [usize; 3]) -> Result<()> {
        let limits = [
            (bytes, self.max_core_instance_size, "bytes beside memories and tables"),
            (memories, self.max_memories_per_module as usize, "memories"),
            (tables, self.max_tables_per_module as usize, "tables"),
        ];
        match limits.into_iter().find(|(has, limit, _)| has > limit) {
            Some((has, limit, what)) => Err(Error::limit(format_args!(
                "an instance of the module takes {has} {what}, and the pool's limit is {limit}"
            ))),
            None => Ok(()),
        }
    }

    /// Makes sure that the engine has what the pool must have.
    pub(crate) fn check(&self) -> Result<()> {
        let missing = if self.protection_keys == Enabled::Yes {
            "pools do not use protection keys"
        } else if self.pagemap_scan == Enabled::Yes && !Self::is_pagemap_scan_available() {
            "the system does not tell which pages are used"
        } else {
            return Ok(());
        };
        Err(Error::of_kind(ErrorKind::Unsupported, missing))
    }
}

impl Config {
    /// How instances are allocated: on demand unless set. The limits of a pool on the size
    /// of memories and tables hold beside those of the configuration.
    pub fn allocation_strategy(
        &mut self,
        strategy: impl Into<InstanceAllocationStrategy>,
    ) -> &mut Config {
        self.pooling = match strategy.into() {
            InstanceAllocationStrategy::OnDemand => None,
            InstanceAllocationStrategy::Pooling(config) => Some(config),
        };
        self
    }
}

/// As many of something are in use as an engine's pool has: found in the error with
/// [`Error::downcast_ref`].
#[derive(Clone, Debug)]
pub struct PoolConcurrencyLimitError {
    pub(crate) limit: usize,
    pub(crate) what: &'static str,
}

impl Display for PoolConcurrencyLimitError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let PoolConcurrencyLimitError { limit, what } = self;
        write!(f, "maximum concurrent limit of {limit} for {what} reached")
    }
}

impl std::error::Error for PoolConcurrencyLimitError {}
