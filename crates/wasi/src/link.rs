//! The table of functions as imports.
//!
//! Only what names the store's data is generic, and that is as little as can
//! be: it is compiled anew for every embedder.

use zwasm::{Caller, Engine, FuncType, Linker, ValType};

use crate::WasiCtx;
use crate::p1::poll::MAX_SUBSCRIPTIONS;
use crate::p1::{Args, Errno, FUNCTIONS, Function, Memory, State, Stop, Type, UNSTABLE};

/// Defines all of `wasi_snapshot_preview1`, and of `wasi_unstable` before it,
/// in `linker`. `get` finds the context in the store's data.
///
/// The functions work on the memory that the calling instance exports as
/// `memory`. Without one, those that take no pointers work, and one that would use
/// a pointer stops the guest with an error that says so.
///
/// # Errors
///
/// When one of the names is defined already and the linker does not allow
/// shadowing.
pub fn add_to_linker<T: 'static>(
    linker: &mut Linker<T>,
    get: impl Fn(&mut T) -> &mut WasiCtx + Copy + Send + Sync + 'static,
) -> zwasm::Result<()> {
    for function in &FUNCTIONS {
        define(linker, "wasi_snapshot_preview1", function, get)?;
        let own = UNSTABLE.iter().find(|own| own.name == function.name);
        define(linker, "wasi_unstable", own.unwrap_or(function), get)?;
    }
    Ok(())
}

fn define<T: 'static>(
    linker: &mut Linker<T>,
    module: &str,
    function: &'static Function,
    get: impl Fn(&mut T) -> &mut WasiCtx + Copy + Send + Sync + 'static,
) -> zwasm::Result<()> {
    let thunk = move |mut caller: Caller<'_, T>, slots: &mut [u64]| {
        if let Some((memory, data)) = caller.guest_memory() {
            return run(function, &get(data).0, &mut Memory::Own(memory), true, slots);
        }
        #[cfg(feature = "threads")]
        if let Some((memory, data)) = caller.guest_shared_memory() {
            return run(function, &get(data).0, &mut Memory::Shared(memory), true, slots);
        }
        run(function, &get(caller.data_mut()).0, &mut Memory::Own(&mut []), false, slots)
    };
    let ty = signature(linker.engine(), function);
    linker.func_slots(module, function.name, ty, thunk)?;
    Ok(())
}

fn signature(engine: &Engine, function: &Function) -> FuncType {
    let params = function.params.iter().map(|param| match param {
        Type::I32 => ValType::I32,
        Type::I64 => ValType::I64,
    });
    FuncType::new(engine, params, function.returns.then_some(ValType::I32))
}

fn run(
    function: &'static Function,
    cx: &State,
    memory: &mut Memory<'_>,
    has_memory: bool,
    slots: &mut [u64],
) -> zwasm::Result<()> {
    let outcome = (function.call)(cx, memory, Args(slots));
    if let Some(trace) = &cx.trace {
        trace(&describe(function, slots, &outcome));
    }
    let result = match outcome {
        Ok(()) => 0,
        Err(Stop::Errno(errno)) if has_memory && !errno.is_limit() => errno as u64,
        Err(stop) => failure(function, cx, has_memory, stop)? as u64,
    };
    if function.returns {
        slots[0] = result;
    }
    Ok(())
}

/// The number that a call fails with, unless it does not return.
#[cold]
fn failure(
    function: &Function,
    cx: &State,
    has_memory: bool,
    stop: Stop,
) -> Result<Errno, zwasm::Error> {
    let error = match stop {
        // Where nothing is in range, the pointer is not to blame.
        Stop::Errno(Errno::Fault) if !has_memory => zwasm::Error::msg(format!(
            "missing required memory export: '{}' works on the memory that the calling module \
             exports as 'memory', and this one exports none",
            function.name
        )),
        Stop::Errno(errno) => {
            if errno.is_limit() {
                cx.host.reach_files();
            }
            return Ok(errno);
        }
        Stop::Exit(exit) => exit.into(),
        Stop::Interrupted => zwasm::Trap::Interrupt.into(),
        Stop::Subscriptions(count) => zwasm::Error::limit(format_args!(
            "the program polls {count} subscriptions at once (the fixed limit is \
             {MAX_SUBSCRIPTIONS})"
        )),
        Stop::ExitRefused => zwasm::Error::msg("the program wants to exit, which it may not"),
    };
    // What can not be written stays for the embedder's own flush, which can tell of it.
    let _ = cx.stdio.flush(&cx.host);
    Err(error)
}

/// A call as a line: `fd_write(1, 16, 1, 8) = SUCCESS`.
fn describe(function: &Function, slots: &[u64], outcome: &crate::p1::Result) -> String {
    let mut line = String::from(function.name);
    for (index, (slot, ty)) in slots.iter().zip(function.params).enumerate() {
        line += if index == 0 { "(" } else { ", " };
        line += &match ty {
            Type::I32 => (*slot as u32).to_string(),
            Type::I64 => slot.to_string(),
        };
    }
    line += if function.params.is_empty() { "() = " } else { ") = " };
    match outcome {
        Ok(()) => line += "SUCCESS",
        Err(Stop::Errno(errno)) => line += &errno.name(),
        Err(Stop::Exit(exit)) => line += &exit.to_string(),
        Err(Stop::Interrupted) => line += "interrupted",
        Err(Stop::Subscriptions(_)) => line += "too many subscriptions",
        Err(Stop::ExitRefused) => line += "refused",
    }
    line
}
