//! `Config` and `Engine`: what all modules and stores share.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use crate::error::{Error, ErrorKind, Result};
use crate::features::{Disabled, Feature};
use crate::pooling::PoolingAllocationConfig;
use crate::store::pool::Pool;
#[cfg(optimizer)]
use crate::tier::Background;
use crate::tier::{Promotion, Strategy};
use crate::tuning;
use crate::types::TypeRegistry;

/// How an [`Engine`] behaves.
///
/// ```
/// let mut config = zwasm::Config::new();
/// config.max_stack(1 << 20).max_memory(64 << 20);
/// let engine = zwasm::Engine::new(&config)?;
/// # Ok::<(), zwasm::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Config {
    pub(crate) max_stack: usize,
    pub(crate) fiber_stack: usize,
    pub(crate) guard_pages: bool,
    /// Whether memories reserve address space, and whether they have guard pages: without
    /// either they have none of both.
    pub(crate) reserves: bool,
    pub(crate) guards: bool,
    pub(crate) backtrace_frames: usize,
    pub(crate) coredump_on_trap: bool,
    pub(crate) module_version: ModuleVersionStrategy,
    pub(crate) max_memory: u64,
    pub(crate) max_table_elements: u64,
    pub(crate) max_gc_heap: u64,
    pub(crate) max_total: u64,
    pub(crate) gc_stress: bool,
    pub(crate) check_held: bool,
    pub(crate) far_frames: bool,
    #[cfg(feature = "trace")]
    pub(crate) observer: crate::observe::Observer,
    pub(crate) consume_fuel: bool,
    pub(crate) epoch_interruption: bool,
    pub(crate) deterministic: bool,
    pub(crate) inlining: bool,
    pub(crate) strategy: Strategy,
    pub(crate) promotion: Promotion,
    /// Whether instances share what a module's data makes of its memory.
    pub(crate) memory_init_cow: bool,
    /// The limits of the pool, unless there are none.
    pub(crate) pooling: Option<PoolingAllocationConfig>,
    pub(crate) code: CodeConfig,
    pub(crate) disabled: Disabled,
    pub(crate) reserved: Reserved,
    pub(crate) shared_memory: bool,
    pub(crate) frame_offsets: bool,
    /// Whether code is for another processor or system.
    pub(crate) is_foreign: bool,
    /// Whether modules are made of what is not serialized.
    pub(crate) takes_source: bool,
}

/// How far memories and heaps reach that may not move.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reserved {
    pub(crate) memory: u64,
    pub(crate) memory_ends: bool,
    pub(crate) heap: u64,
    pub(crate) heap_ends: bool,
}

/// How machine code is made and what it relies on.
#[derive(Clone, Debug)]
pub(crate) struct CodeConfig {
    pub(crate) max_bytes: u64,
    pub(crate) signals_based_traps: bool,
    pub(crate) perf_map: bool,
    pub(crate) debug_info: bool,
    /// Passes of the optimizing compiler that are left out.
    pub(crate) without: Vec<String>,
    pub(crate) oldest_processor: bool,
}

impl Default for Config {
    fn default() -> Config {
        Config::new()
    }
}

impl Config {
    /// The defaults.
    pub fn new() -> Config {
        Config {
            max_stack: tuning::DEFAULT_MAX_STACK,
            fiber_stack: tuning::FIBER_VALUE_STACK,
            guard_pages: true,
            reserves: true,
            guards: true,
            backtrace_frames: tuning::MAX_BACKTRACE_FRAMES,
            coredump_on_trap: false,
            module_version: ModuleVersionStrategy::WasmtimeVersion,
            max_memory: u64::MAX,
            max_table_elements: tuning::MAX_TABLE_ELEMENTS,
            max_gc_heap: u64::MAX,
            max_total: u64::MAX,
            gc_stress: false,
            check_held: false,
            far_frames: false,
            #[cfg(feature = "trace")]
            observer: crate::observe::Observer::default(),
            consume_fuel: false,
            epoch_interruption: false,
            deterministic: false,
            inlining: true,
            strategy: Strategy::Auto,
            promotion: Promotion::Background,
            memory_init_cow: true,
            pooling: None,
            code: CodeConfig {
                max_bytes: tuning::DEFAULT_MAX_CODE,
                signals_based_traps: true,
                perf_map: false,
                debug_info: false,
                without: Vec::new(),
                oldest_processor: false,
            },
            disabled: Disabled::default(),
            reserved: Reserved { memory: u64::MAX, heap: u64::MAX, ..Reserved::default() },
            shared_memory: true,
            frame_offsets: true,
            is_foreign: false,
            takes_source: true,
        }
    }

    /// Bytes of stack for the guest's frames in each store; deeper recursion
    /// traps. At least 64 KiB; 16 MiB unless set. Frames of optimized code lie on a stack of
    /// their own, which is as large and takes memory only as it is used.
    pub fn max_stack(&mut self, bytes: usize) -> &mut Config {
        self.max_stack = bytes;
        self
    }

    /// Whether 32-bit memories reserve their whole address space with guard
    /// pages. Without, each takes the address space of its size and moves when
    /// it grows: for hosts with little address space or very many instances.
    pub fn guard_pages(&mut self, enable: bool) -> &mut Config {
        self.guard_pages = enable;
        self
    }

    /// The largest size in bytes of each memory: growth beyond fails, and a
    /// module that asks for more at once cannot be instantiated.
    pub fn max_memory(&mut self, bytes: u64) -> &mut Config {
        self.max_memory = bytes;
        self
    }

    /// The bytes of call stack that [`max_stack`](Self::max_stack) has set.
    pub fn stack_bytes(&self) -> usize {
        self.max_stack
    }

    /// The largest number of elements of each table; 10 million unless set.
    pub fn max_table_elements(&mut self, elements: u64) -> &mut Config {
        self.max_table_elements = elements;
        self
    }

    /// The most bytes of garbage-collected objects in each store, up to 4 GiB:
    /// an allocation beyond stops the guest with an error of kind
    /// [`ErrorKind::Limit`](crate::ErrorKind::Limit).
    pub fn max_gc_heap(&mut self, bytes: u64) -> &mut Config {
        self.max_gc_heap = bytes;
        self
    }

    /// The most bytes that each store's memories, tables, objects, exceptions and
    /// instances may take together, with those of the stores made
    /// [beside](crate::Store::beside) it. Growing a memory or table beyond fails in the
    /// guest as the specification has it; making one, an object or an exception is
    /// an error of kind [`ErrorKind::Limit`](crate::ErrorKind::Limit).
    pub fn max_total(&mut self, bytes: u64) -> &mut Config {
        self.max_total = bytes;
        self
    }

    /// The most bytes of machine code that the engine's modules may have together; 512
    /// MiB unless set. What would be more is interpreted, like functions that would
    /// become more than 32 MiB each, and what does not fit the 1 GiB of the process.
    pub fn max_code(&mut self, bytes: u64) -> &mut Config {
        self.code.max_bytes = bytes;
        self
    }

    /// Whether every allocation collects garbage first: slow, and finds
    /// references that the collector does not see.
    pub fn gc_stress(&mut self, enable: bool) -> &mut Config {
        self.gc_stress = enable;
        self
    }

    /// Whether the interpreter compares every value that it remembers of a slot with
    /// the slot before it uses it, and aborts the process if they differ: slow, and
    /// finds what it should have forgotten. Off unless set.
    pub fn check_held(&mut self, enable: bool) -> &mut Config {
        self.check_held = enable;
        self
    }

    /// Whether the interpreter treats all locals and operands as if they were too far
    /// off for its instructions, as some are in functions with more than 65,000 of
    /// them: slow, and tries every instruction on far slots. Off unless set.
    #[doc(hidden)]
    pub fn far_frames(&mut self, enable: bool) -> &mut Config {
        self.far_frames = enable;
        self
    }

    /// Whether code consumes fuel, see [`Store::set_fuel`](crate::Store::set_fuel).
    /// Off unless set, and then it costs nothing.
    pub fn consume_fuel(&mut self, enable: bool) -> &mut Config {
        self.consume_fuel = enable;
        self
    }

    /// Whether code looks at function entries and loop headers if it should stop,
    /// see [`Store::set_epoch_deadline`](crate::Store::set_epoch_deadline) and
    /// [`Store::interrupt_handle`](crate::Store::interrupt_handle). Off unless set,
    /// and then it costs nothing.
    pub fn epoch_interruption(&mut self, enable: bool) -> &mut Config {
        self.epoch_interruption = enable;
        self
    }

    /// Whether every NaN that an instruction computes is the canonical one, so that
    /// results have the same bits on every processor. Which instruction may compute
    /// a NaN is the specification's to say; moving one, changing its sign and
    /// reinterpreting its bits keep it as it is. Off unless set, and then it costs
    /// nothing.
    pub fn deterministic(&mut self, enable: bool) -> &mut Config {
        self.deterministic = enable;
        self
    }

    /// Whether machine code is made for the oldest processor that it can be made
    /// for, instead of the one it runs on. For tests.
    #[doc(hidden)]
    pub fn oldest_processor(&mut self, enable: bool) -> &mut Config {
        self.code.oldest_processor = enable;
        self
    }

    /// Whether calls of small functions are replaced by what these do. On unless set;
    /// where instructions or calls are traced or counted, it is off.
    pub fn inlining(&mut self, enable: bool) -> &mut Config {
        self.inlining = enable;
        self
    }

    /// Leaves out a pass of the optimizing compiler, to find out what it is worth. Unknown
    /// names do nothing.
    pub fn without_pass(&mut self, name: &str) -> &mut Config {
        self.code.without.push(String::from(name));
        self
    }

    /// What runs the code: [`Strategy::Auto`] unless set.
    pub fn strategy(&mut self, strategy: Strategy) -> &mut Config {
        self.strategy = strategy;
        self
    }

    /// How functions that run long get from baseline code to optimized code, with
    /// [`Strategy::Auto`] and in a build with the feature `optimize`: in the background unless
    /// set. Results are the same whatever is chosen.
    pub fn promotion(&mut self, promotion: Promotion) -> &mut Config {
        self.promotion = promotion;
        self
    }

    /// Whether compiled code finds out by signals (`SIGSEGV`, `SIGBUS`) that it left
    /// a memory with guard pages. The signal handler is installed when the first
    /// such code is made, and hands on what is not its own. Without, compiled code checks every access. On unless set.
    pub fn signals_based_traps(&mut self, enable: bool) -> &mut Config {
        self.code.signals_based_traps = enable;
        self
    }

    /// Whether the names and addresses of compiled functions are appended to
    /// `/tmp/perf-PID.map`, where the profiler `perf` looks for them. Where that
    /// cannot be written, nothing is.
    pub fn perf_map(&mut self, enable: bool) -> &mut Config {
        self.code.perf_map = enable;
        self
    }

    /// Whether debuggers learn the names and addresses of compiled functions, by the
    /// interface of GDB for code that is made at run time, which LLDB knows as well. On
    /// Linux, in a build with the Cargo feature `gdb`; elsewhere nobody is told. Lines of
    /// source are not part of it.
    pub fn debug_info(&mut self, enable: bool) -> &mut Config {
        self.code.debug_info = enable;
        self
    }

    /// Whether modules and components may use a feature; all that the build has are on
    /// unless switched off or their description says otherwise. A module that uses
    /// another is invalid.
    pub fn wasm_feature(&mut self, feature: Feature, enable: bool) -> &mut Config {
        self.disabled.set(feature, !enable);
        self
    }
}

/// Which version serialized modules carry and have to have; see
/// [`Config::module_version`](crate::Config::module_version).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum ModuleVersionStrategy {
    /// That of this crate.
    #[default]
    WasmtimeVersion,
    /// One's own, of at most 255 bytes.
    Custom(String),
    /// None is written, and any is taken.
    None,
}

impl ModuleVersionStrategy {
    /// The version that is written.
    pub(crate) fn text(&self) -> &str {
        match self {
            ModuleVersionStrategy::WasmtimeVersion => env!("CARGO_PKG_VERSION"),
            ModuleVersionStrategy::Custom(version) => version,
            ModuleVersionStrategy::None => "",
        }
    }
}

/// A handle that does not keep its engine; see [`Engine::weak`].
#[derive(Clone)]
pub struct EngineWeak(Weak<Inner>);

impl EngineWeak {
    /// The engine, if somebody keeps it.
    pub fn upgrade(&self) -> Option<Engine> {
        self.0.upgrade().map(Engine)
    }
}

/// What modules and stores share: the configuration and the canonical types.
/// Cheap to clone.
///
/// ```
/// let engine = zwasm::Engine::default();
/// let module = zwasm::Module::new(&engine, "(module)")?;
/// # Ok::<(), zwasm::Error>(())
/// ```
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    config: Config,
    pool: Arc<Pool>,
    types: TypeRegistry,
    epoch: AtomicU64,
    /// Bytes of machine code.
    code: AtomicU64,
    #[cfg(optimizer)]
    background: Background,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Engine").field(&Arc::as_ptr(&self.0)).finish()
    }
}

impl Default for Engine {
    /// An engine with the default configuration.
    ///
    /// # Panics
    ///
    /// If the process has made 2³² engines.
    fn default() -> Engine {
        Engine::with(Config::new()).expect("the process has fewer engines")
    }
}

impl Engine {
    /// An engine with this configuration.
    ///
    /// # Errors
    ///
    /// If a value is out of its range, or the process has made 2³² engines.
    pub fn new(config: &Config) -> Result<Engine> {
        if config.max_stack < tuning::MIN_MAX_STACK {
            return Err(Error::msg(format!(
                "a stack of {} bytes is too small: at least {} are needed",
                config.max_stack,
                tuning::MIN_MAX_STACK
            )));
        }
        if !config.strategy.is_available() {
            let message = match config.strategy {
                Strategy::Optimizing if Strategy::Baseline.is_available() => {
                    "this build has no optimizing compiler for this processor: use baseline"
                }
                _ => "this build has no compiler for this processor: use the interpreter",
            };
            return Err(Error::of_kind(ErrorKind::Unsupported, message));
        }
        let mut config = config.clone();
        config.guard_pages &= config.reserves && config.guards;
        if config.reserved.memory_ends {
            config.max_memory = config.max_memory.min(config.reserved.memory);
        }
        if config.reserved.heap_ends {
            config.max_gc_heap = config.max_gc_heap.min(config.reserved.heap);
        }
        if let Some(pooling) = &config.pooling {
            pooling.check()?;
            config.max_memory = config.max_memory.min(pooling.max_memory_size as u64);
            config.max_table_elements =
                config.max_table_elements.min(pooling.table_elements as u64);
        }
        #[cfg(feature = "trace")]
        if config.observer.needs_interpreter() {
            config.strategy = Strategy::Interpreter;
            config.inlining = false;
        }
        Engine::with(config)
    }

    fn with(config: Config) -> Result<Engine> {
        let none = || Error::of_kind(ErrorKind::Limit, "the process has made too many engines");
        let (types, epoch) = (TypeRegistry::new().ok_or_else(none)?, AtomicU64::new(0));
        let pool = Arc::new(Pool::new(&config));
        Ok(Engine(Arc::new(Inner {
            config,
            pool,
            types,
            epoch,
            code: AtomicU64::new(0),
            #[cfg(optimizer)]
            background: Background::default(),
        })))
    }

    /// Starts the next epoch: what runs in a store whose deadline that is stops at
    /// its next function entry or loop header. From any thread, also while the
    /// engine's stores run.
    pub fn increment_epoch(&self) {
        self.0.epoch.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn epoch(&self) -> &AtomicU64 {
        &self.0.epoch
    }

    /// The features that components may use, for the crate that decodes them.
    #[doc(hidden)]
    pub fn component_features(&self) -> wasmparser::WasmFeatures {
        self.config().disabled.component_flags()
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// Where stacks and memories come from.
    pub(crate) fn pool(&self) -> &Arc<Pool> {
        &self.0.pool
    }

    /// Who optimizes meanwhile.
    #[cfg(optimizer)]
    pub(crate) fn background(&self) -> &Background {
        &self.0.background
    }

    pub(crate) fn types(&self) -> &TypeRegistry {
        &self.0.types
    }

    /// A handle that does not keep the engine.
    pub fn weak(&self) -> EngineWeak {
        EngineWeak(Arc::downgrade(&self.0))
    }

    /// Whether two handles are the same engine.
    pub fn same(a: &Engine, b: &Engine) -> bool {
        Arc::ptr_eq(&a.0, &b.0)
    }
}

#[cfg_attr(not(compiler), expect(dead_code, reason = "there is no machine code"))]
impl Engine {
    /// Whether the engine may have so many more bytes of machine code, which are taken
    /// then.
    pub(crate) fn take_code(&self, bytes: u64) -> bool {
        let max = self.0.config.code.max_bytes;
        let more = |had: u64| had.checked_add(bytes).filter(|sum| *sum <= max);
        self.0.code.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
    }

    /// Gives bytes of machine code back.
    pub(crate) fn give_code(&self, bytes: u64) {
        self.0.code.fetch_sub(bytes, Ordering::Relaxed);
    }
}
