//! What `wasmtime.h` sets of a configuration. Some of it has no effect here; the header says
//! of what and why.

use std::ffi::c_char;

use runtime::{Config, OptLevel, ProfilingStrategy, Strategy};

use super::error::Failure;
use super::fallible;
use crate::vec::Ptr;

macro_rules! options {
    ($($name:ident $option:ident $ty:ty;)*) => {$(
        #[unsafe(no_mangle)]
        pub extern "C" fn $name(config: &mut Config, value: $ty) {
            config.$option(value);
        }
    )*};
}

options! {
    wasmtime_config_debug_info_set debug_info bool;
    wasmtime_config_consume_fuel_set consume_fuel bool;
    wasmtime_config_epoch_interruption_set epoch_interruption bool;
    wasmtime_config_max_wasm_stack_set max_wasm_stack usize;
    wasmtime_config_wasm_threads_set wasm_threads bool;
    wasmtime_config_shared_memory_set shared_memory bool;
    wasmtime_config_wasm_tail_call_set wasm_tail_call bool;
    wasmtime_config_wasm_reference_types_set wasm_reference_types bool;
    wasmtime_config_wasm_function_references_set wasm_function_references bool;
    wasmtime_config_wasm_gc_set wasm_gc bool;
    wasmtime_config_gc_support_set gc_support bool;
    wasmtime_config_wasm_simd_set wasm_simd bool;
    wasmtime_config_wasm_relaxed_simd_set wasm_relaxed_simd bool;
    wasmtime_config_wasm_relaxed_simd_deterministic_set relaxed_simd_deterministic bool;
    wasmtime_config_wasm_bulk_memory_set wasm_bulk_memory bool;
    wasmtime_config_wasm_multi_value_set wasm_multi_value bool;
    wasmtime_config_wasm_multi_memory_set wasm_multi_memory bool;
    wasmtime_config_wasm_memory64_set wasm_memory64 bool;
    wasmtime_config_wasm_wide_arithmetic_set wasm_wide_arithmetic bool;
    wasmtime_config_wasm_branch_hinting_set wasm_branch_hinting bool;
    wasmtime_config_wasm_exceptions_set wasm_exceptions bool;
    wasmtime_config_wasm_custom_page_sizes_set wasm_custom_page_sizes bool;
    wasmtime_config_parallel_compilation_set parallel_compilation bool;
    wasmtime_config_cranelift_debug_verifier_set cranelift_debug_verifier bool;
    wasmtime_config_cranelift_nan_canonicalization_set cranelift_nan_canonicalization bool;
    wasmtime_config_memory_may_move_set memory_may_move bool;
    wasmtime_config_memory_reservation_set memory_reservation u64;
    wasmtime_config_memory_guard_size_set memory_guard_size u64;
    wasmtime_config_memory_reservation_for_growth_set memory_reservation_for_growth u64;
    wasmtime_config_native_unwind_info_set native_unwind_info bool;
    wasmtime_config_memory_init_cow_set memory_init_cow bool;
    wasmtime_config_concurrency_support_set concurrency_support bool;
    wasmtime_config_macos_use_mach_ports_set macos_use_mach_ports bool;
    wasmtime_config_signals_based_traps_set signals_based_traps bool;
}

/// A number that is none's chooses for itself.
#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_config_strategy_set(config: &mut Config, strategy: u8) {
    config.strategy(if strategy == 2 { Strategy::Winch } else { Strategy::Auto });
}

#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_config_cranelift_opt_level_set(config: &mut Config, level: u8) {
    config.cranelift_opt_level(match level {
        0 => OptLevel::None,
        2 => OptLevel::SpeedAndSize,
        _ => OptLevel::Speed,
    });
}

#[unsafe(no_mangle)]
pub extern "C" fn wasmtime_config_profiler_set(config: &mut Config, profiler: u8) {
    config.profiler(match profiler {
        1 => ProfilingStrategy::JitDump,
        2 => ProfilingStrategy::VTune,
        3 => ProfilingStrategy::PerfMap,
        _ => ProfilingStrategy::None,
    });
}

/// An error if no processor is named.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasmtime_config_target_set(
    config: &mut Config,
    target: *const c_char,
) -> Ptr<Failure> {
    fallible(|| {
        // SAFETY: see the crate's header.
        config.target(unsafe { crate::string(target) }?)?;
        Ok(())
    })
}
