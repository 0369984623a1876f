//! Configurations.

use std::ffi::c_char;

use runtime::{Config, Error, Feature, Strategy};

use crate::attempt;
use crate::vec::Ptr;

#[unsafe(no_mangle)]
pub extern "C" fn wasm_config_new() -> Box<Config> {
    Box::new(Config::new())
}

#[unsafe(no_mangle)]
pub extern "C" fn wasm_config_delete(_: Ptr<Config>) {}

/// Bytes of stack for the guest's frames in each store.
#[unsafe(no_mangle)]
pub extern "C" fn zwasm_config_max_stack(config: &mut Config, bytes: usize) {
    config.max_stack(bytes);
}

/// The largest size in bytes of each memory.
#[unsafe(no_mangle)]
pub extern "C" fn zwasm_config_max_memory(config: &mut Config, bytes: u64) {
    config.max_memory(bytes);
}

/// The largest number of elements of each table.
#[unsafe(no_mangle)]
pub extern "C" fn zwasm_config_max_table_elements(config: &mut Config, elements: u64) {
    config.max_table_elements(elements);
}

/// The most bytes of garbage-collected objects in each store.
#[unsafe(no_mangle)]
pub extern "C" fn zwasm_config_max_gc_heap(config: &mut Config, bytes: u64) {
    config.max_gc_heap(bytes);
}

/// The most bytes of everything in each store together.
#[unsafe(no_mangle)]
pub extern "C" fn zwasm_config_max_total(config: &mut Config, bytes: u64) {
    config.max_total(bytes);
}

/// The most bytes of machine code.
#[unsafe(no_mangle)]
pub extern "C" fn zwasm_config_max_code(config: &mut Config, bytes: u64) {
    config.max_code(bytes);
}

/// Whether memories reserve address space instead of checking every access.
#[unsafe(no_mangle)]
pub extern "C" fn zwasm_config_guard_pages(config: &mut Config, enable: bool) {
    config.guard_pages(enable);
}

/// Whether compiled code relies on signals rather than checks; see `zwasm.h`.
#[unsafe(no_mangle)]
pub extern "C" fn zwasm_config_signals_based_traps(config: &mut Config, enable: bool) {
    config.signals_based_traps(enable);
}

/// What runs the code, as `zwasm_strategy_t` numbers it; false for other numbers.
#[unsafe(no_mangle)]
pub extern "C" fn zwasm_config_strategy(config: &mut Config, strategy: u8) -> bool {
    attempt(|| {
        config.strategy(match strategy {
            0 => Strategy::Auto,
            1 => Strategy::Interpreter,
            2 => Strategy::Baseline,
            _ => return Err(Error::msg(format!("there is no strategy {strategy}"))),
        });
        Ok(())
    })
    .is_some()
}

/// Switches a feature of WebAssembly on or off, by the name that `zwasm features`
/// prints; false if there is none of that name.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zwasm_config_feature(
    config: &mut Config,
    name: *const c_char,
    enable: bool,
) -> bool {
    attempt(|| {
        // SAFETY: see the crate's header.
        let feature: Feature = unsafe { crate::string(name) }?.parse()?;
        config.wasm_feature(feature, enable);
        Ok(())
    })
    .is_some()
}

/// Whether every NaN that is computed is the canonical one.
#[unsafe(no_mangle)]
pub extern "C" fn zwasm_config_deterministic(config: &mut Config, enable: bool) {
    config.deterministic(enable);
}

/// Whether code consumes fuel.
#[unsafe(no_mangle)]
pub extern "C" fn zwasm_config_consume_fuel(config: &mut Config, enable: bool) {
    config.consume_fuel(enable);
}

/// Whether code looks if it should stop.
#[unsafe(no_mangle)]
pub extern "C" fn zwasm_config_epoch_interruption(config: &mut Config, enable: bool) {
    config.epoch_interruption(enable);
}
