//! Options that embedders of other engines set.
//!
//! Each does what it says, or says that it has no effect, and why.

use std::num::{NonZeroU32, NonZeroUsize};

use crate::engine::{Config, ModuleVersionStrategy};
use crate::error::{Error, Result};
use crate::features::Feature;
use crate::tier::Strategy;
use crate::tuning;

macro_rules! features {
    ($($name:ident $feature:ident $what:literal;)*) => {
        impl Config {
            $(
                #[doc = concat!("Whether modules may use ", $what, ": [`Feature::", stringify!($feature), "`].")]
                pub fn $name(&mut self, enable: bool) -> &mut Config {
                    self.wasm_feature(Feature::$feature, enable)
                }
            )*
        }
    };
}

features! {
    wasm_multi_value MultiValue "several results, and blocks with parameters";
    wasm_bulk_memory BulkMemory "bulk operations on memories and tables";
    wasm_reference_types ReferenceTypes "references as values";
    wasm_simd Simd "vectors";
    wasm_relaxed_simd RelaxedSimd "vector operations with results that hosts may choose";
    wasm_tail_call TailCall "calls that replace the caller's frame";
    wasm_extended_const ExtendedConst "arithmetic in constant expressions";
    wasm_function_references FunctionReferences "typed function references";
    wasm_gc Gc "structures and arrays";
    wasm_exceptions Exceptions "exceptions";
    wasm_multi_memory MultiMemory "several memories";
    wasm_memory64 Memory64 "64-bit memories and tables";
    wasm_branch_hinting BranchHinting "hints which way a branch goes";
    wasm_threads Threads "shared memories and atomic instructions";
    wasm_wide_arithmetic WideArithmetic "integer arithmetic on 128 bits";
    wasm_custom_page_sizes CustomPageSizes "pages of other sizes";
    wasm_component_model ComponentModel "components";
    wasm_component_model_async ComponentAsync "asynchronous functions of components";
    wasm_component_model_async_stackful ComponentAsyncStackful "asynchronous functions of components with stacks of their own";
    wasm_component_model_more_async_builtins ComponentMoreAsyncBuiltins "built-in functions of components that wait";
    wasm_component_model_threading ComponentThreading "threads of components";
    wasm_component_model_error_context ComponentErrorContext "what is known of a failure, in components";
    wasm_component_model_map ComponentMap "the type `map` of components";
    wasm_component_model_fixed_length_lists ComponentFixedLengthLists "lists of a fixed length in components";
    gc_support Gc "structures and arrays";
}

/// Options that change nothing here.
macro_rules! without_effect {
    ($($name:ident $ty:ty, $why:literal;)*) => {
        impl Config {
            $(
                #[doc = concat!("Has no effect: ", $why, ".")]
                pub fn $name(&mut self, value: $ty) -> &mut Config {
                    let _ = value;
                    self
                }
            )*
        }
    };
}

without_effect! {
    async_support bool, "any store has calls of both kinds";
    async_stack_zeroing bool, "no guest can read what was on a stack";
    concurrency_support bool, "what is concurrent in components is decided by their features";
    collector Collector, "there is one collector";
    gc_heap_initial_size u64, "the heap takes memory as it is used";
    gc_heap_guard_size u64, "the heap lies in 4 GiB of address space of its own";
    gc_heap_reservation_for_growth u64, "the heap never moves";
    memory_reservation_for_growth u64, "how far a memory without guard pages reaches is decided as it grows";
    guard_before_linear_memory bool, "no address is below a memory's start";
    force_memory_init_memfd bool, "memories share data that they do not write to anyway";
    memory_guaranteed_dense_image_size u64, "data that is not much thinner than zeros is shared";
    table_lazy_init bool, "tables are filled when they are made";
    relaxed_simd_deterministic bool, "the results are always the same";
    native_unwind_info bool, "nothing unwinds through machine code";
    wasm_backtrace_details WasmBacktraceDetails, "lines of source are read where there are any";
    debug_symbols bool, "see `Config::debug_info`";
    cranelift_opt_level OptLevel, "the compilers have one level each: see `Config::strategy`";
    cranelift_regalloc_algorithm RegallocAlgorithm, "the compilers have one each";
    cranelift_debug_verifier bool, "the compilers verify in tests";
    parallel_compilation bool, "large modules are validated in parallel, and functions compiled when they are warm";
    macos_use_mach_ports bool, "signals are used";
    wmemcheck bool, "it is not part of the engine";
}

impl Config {
    /// As [`Config::max_stack`], of which it sets at least the smallest, and no more than the
    /// address space has room for in many stores.
    pub fn max_wasm_stack(&mut self, size: usize) -> &mut Config {
        let size = size.min(tuning::MAX_WASM_STACK);
        self.max_stack(if size == 0 { 0 } else { size.max(tuning::MIN_MAX_STACK) })
    }

    /// The bytes for frames of interpreted and baseline code on the stack of a call that can
    /// wait, and with optimized code as many for its frames: 1 MiB unless set, no more than
    /// [`Config::max_stack`], and at least 64 KiB.
    pub fn async_stack_size(&mut self, size: usize) -> &mut Config {
        self.fiber_stack = size.max(tuning::MIN_MAX_STACK);
        self
    }

    /// With 0, as [`Config::guard_pages`] switched off: memories reserve no address space.
    /// Else they reserve all that 32 bits can address, and may grow to so many bytes if they
    /// [may not move](Config::memory_may_move).
    pub fn memory_reservation(&mut self, bytes: u64) -> &mut Config {
        self.reserves = bytes > 0;
        self.reserved.memory = bytes;
        self
    }

    /// Without, no memory grows beyond what [`Config::memory_reservation`] says. On unless
    /// set; whether memories do move depends on [`Config::guard_pages`].
    pub fn memory_may_move(&mut self, enable: bool) -> &mut Config {
        self.reserved.memory_ends = !enable;
        self
    }

    /// How many bytes of objects each store may have, if the heap
    /// [may not move](Config::gc_heap_may_move); it lies in 4 GiB of address space anyway.
    pub fn gc_heap_reservation(&mut self, bytes: u64) -> &mut Config {
        self.reserved.heap = bytes;
        self
    }

    /// Without, no heap grows beyond what [`Config::gc_heap_reservation`] says. On unless set;
    /// the heap never does move.
    pub fn gc_heap_may_move(&mut self, enable: bool) -> &mut Config {
        self.reserved.heap_ends = !enable;
        self
    }

    /// Whether there may be shared memories. They may unless it is set otherwise.
    pub fn shared_memory(&mut self, enable: bool) -> &mut Config {
        self.shared_memory = enable;
        self
    }

    /// With 0, as [`Config::guard_pages`] switched off: every access is checked. Else
    /// memories have as many guard pages as are of use.
    pub fn memory_guard_size(&mut self, bytes: u64) -> &mut Config {
        self.guards = bytes > 0;
        self
    }

    /// Whether modules can be made of WebAssembly, which they can unless it is set otherwise;
    /// else only of what [`Module::serialize`](crate::Module::serialize) has given.
    pub fn enable_compiler(&mut self, enable: bool) -> &mut Config {
        self.takes_source = enable;
        self
    }

    /// Has no effect: it is about a compiler that is not here.
    ///
    /// # Safety
    ///
    /// Nothing is asked for; where others ask for something.
    pub unsafe fn cranelift_flag_enable(&mut self, flag: &str) -> &mut Config {
        let _ = flag;
        self
    }

    /// Has no effect: it is about a compiler that is not here.
    ///
    /// # Safety
    ///
    /// Likewise.
    pub unsafe fn cranelift_flag_set(&mut self, name: &str, value: &str) -> &mut Config {
        let _ = (name, value);
        self
    }

    /// Whether memories with guard pages share what a module's data makes of them, until they
    /// write to it, on Linux: if there is much data, for the second instance of a module and
    /// later ones. On unless set.
    pub fn memory_init_cow(&mut self, enable: bool) -> &mut Config {
        self.memory_init_cow = enable;
        self
    }

    /// As [`Config::deterministic`].
    pub fn cranelift_nan_canonicalization(&mut self, enable: bool) -> &mut Config {
        self.deterministic(enable)
    }

    /// As [`Config::inlining`].
    pub fn compiler_inlining(&mut self, inlining: Inlining) -> &mut Config {
        self.inlining(inlining != Inlining::No)
    }

    /// As [`Config::gc_stress`] with a counter given: every allocation collects, whatever
    /// the counter says.
    ///
    /// # Errors
    ///
    /// None; where others have some.
    pub fn gc_zeal_alloc_counter(&mut self, counter: Option<NonZeroU32>) -> Result<&mut Config> {
        Ok(self.gc_stress(counter.is_some()))
    }

    /// Whether errors have the guest's frames. On unless set.
    pub fn wasm_backtrace(&mut self, enable: bool) -> &mut Config {
        self.backtrace_frames = if enable { tuning::MAX_BACKTRACE_FRAMES } else { 0 };
        self
    }

    /// How many of the guest's frames errors have at most, and no more than 100 anyway;
    /// none without a limit given.
    pub fn wasm_backtrace_max_frames(&mut self, limit: Option<NonZeroUsize>) -> &mut Config {
        let limit = limit.map_or(0, NonZeroUsize::get);
        self.backtrace_frames = limit.min(tuning::MAX_BACKTRACE_FRAMES);
        self
    }

    /// Whether the error of a trap has a [`WasmCoreDump`](crate::WasmCoreDump). Off unless
    /// set.
    pub fn coredump_on_trap(&mut self, enable: bool) -> &mut Config {
        self.coredump_on_trap = enable;
        self
    }

    /// Which modules [`Module::deserialize`](crate::Module::deserialize) takes by the version
    /// that they carry.
    ///
    /// # Errors
    ///
    /// If the version has more than 255 bytes.
    pub fn module_version(&mut self, strategy: ModuleVersionStrategy) -> Result<&mut Config> {
        if strategy.text().len() > usize::from(u8::MAX) {
            return Err(Error::msg("custom module version cannot be more than 255 bytes"));
        }
        self.module_version = strategy;
        Ok(self)
    }

    /// Says which processor and system code is for, as in `x86_64-unknown-linux-gnu`. If
    /// they are not those that it runs on, modules can be
    /// [serialized](crate::Engine::precompile_module), which is the same for all, and none
    /// can be made.
    ///
    /// # Errors
    ///
    /// If nothing is named.
    pub fn target(&mut self, target: &str) -> Result<&mut Config> {
        let mut parts = target.split('-');
        let arch = parts.next().unwrap_or_default();
        if arch.is_empty() {
            return Err(Error::msg("the target names no processor"));
        }
        let here =
            arch == std::env::consts::ARCH || (arch == "arm64" && cfg!(target_arch = "aarch64"));
        let system = if cfg!(target_os = "macos") { "darwin" } else { std::env::consts::OS };
        let mut parts = parts.peekable();
        self.is_foreign = !here || (parts.peek().is_some() && !parts.any(|part| part == system));
        Ok(self)
    }

    /// Whether frames of backtraces have their byte offset in the module. On unless set.
    pub fn generate_address_map(&mut self, enable: bool) -> &mut Config {
        self.frame_offsets = enable;
        self
    }

    /// Tells a profiler of machine code: with [`ProfilingStrategy::PerfMap`] as
    /// [`Config::perf_map`]; the others are as none.
    pub fn profiler(&mut self, profile: ProfilingStrategy) -> &mut Config {
        self.perf_map(profile == ProfilingStrategy::PerfMap)
    }
}

#[expect(non_upper_case_globals, reason = "they stand for variants")]
impl Strategy {
    /// What code for wasmtime calls its optimizing compiler: the tiers together.
    pub const Cranelift: Strategy = Strategy::Auto;
    /// What code for wasmtime calls its baseline compiler.
    pub const Winch: Strategy = Strategy::Baseline;
}

/// Collectors of garbage, see [`Config::collector`].
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Collector {
    /// The one that is there.
    Auto,
    /// Counting references.
    DeferredReferenceCounting,
    /// Never collecting.
    Null,
    /// Copying what is alive.
    Copying,
}

/// How much compilers optimise, see [`Config::cranelift_opt_level`].
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OptLevel {
    /// Not at all.
    None,
    /// For speed.
    Speed,
    /// For speed and size.
    SpeedAndSize,
}

/// How registers are allocated, see [`Config::cranelift_regalloc_algorithm`].
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RegallocAlgorithm {
    /// Slowly and well.
    Backtracking,
    /// Fast.
    SinglePass,
}

/// Which calls are replaced by what they do, see [`Config::compiler_inlining`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Inlining {
    /// Those that are worth it.
    Yes,
    /// The same.
    InterModuleAndIntraGc,
    /// None.
    No,
}

/// Who is told of machine code, see [`Config::profiler`].
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProfilingStrategy {
    /// Nobody.
    None,
    /// `perf`, by a file of addresses and names.
    PerfMap,
    /// `perf`, by a file with code in it.
    JitDump,
    /// VTune.
    VTune,
    /// Pulley's own.
    Pulley,
}

/// Whether backtraces have files and lines, see [`Config::wasm_backtrace_details`].
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WasmBacktraceDetails {
    /// They have.
    Enable,
    /// They have not.
    Disable,
    /// As the environment says.
    Environment,
}
