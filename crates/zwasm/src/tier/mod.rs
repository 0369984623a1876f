//! Which tier runs a function, and going from one to the next.
//!
//! A function starts in the interpreter, which counts its entries and loops; when
//! they have used up a budget that grows with the function's size, it is compiled,
//! and goes on in machine code at once: at its entry, or in the middle of a loop
//! (on-stack replacement), because both tiers keep the same frames. The store's
//! own thread compiles and publishes, which is one write to the function's record.
//! A function that cannot be compiled stays where it is.
//!
//! Each instance counts anew, so that one that does little would never get anywhere,
//! however many of them come and go. So a function starts in the best code that other
//! instances have had made; what many of them have called is compiled when the next does;
//! and what they have used up of the time until it is optimized is not given back.

#[cfg(optimizer)]
mod background;
#[cfg(compiler)]
mod machine;
#[cfg(not(compiler))]
#[path = "none.rs"]
mod machine;
#[cfg(optimizer)]
pub(crate) mod promote;

#[cfg(optimizer)]
pub(crate) use background::Background;
#[cfg(feature = "trace")]
pub(crate) use machine::listing;
pub(crate) use machine::{AVAILABLE, Compiled, MachineCode, enter};
#[cfg(optimizer)]
pub(crate) use machine::{
    NativeCode, land_in_native, land_in_slots, resolver, restore, returns_to_slots,
};
#[cfg(all(optimizer, feature = "trace"))]
pub(crate) use machine::{ssa, ssa_of_loops};

#[cfg(optimizer)]
pub(crate) use promote::{counts_in_baseline, go_on, samples};

use std::ptr::NonNull;

use crate::code::Code;
#[cfg(optimizer)]
use crate::code::Text;
use crate::engine::Config;
use crate::error::Result;
use crate::interp;
use crate::module::Inner;
use crate::store::vmctx::FuncRecord;
use crate::store::{MemoryInst, StoreCore};
use crate::tuning;

/// What runs the code of an engine's modules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Strategy {
    /// The interpreter, and the compiler for what runs often; in a build without
    /// compiler, or for a processor that it does not know, the interpreter.
    Auto,
    /// The interpreter.
    Interpreter,
    /// The baseline compiler: functions are compiled when they are first called.
    Baseline,
    /// The optimizing compiler: functions are compiled when they are first called. Those
    /// that it refuses are compiled by the baseline compiler.
    Optimizing,
    /// As `Auto`, with chance instead of counting, drawn from this seed: some
    /// functions start compiled, some never are, some are promoted at any time.
    #[doc(hidden)]
    Mixed(u64),
    /// As `Auto` with the smallest budgets: the second entry is compiled, and
    /// a loop when it is first gone back to.
    #[doc(hidden)]
    Stress,
    /// As `Stress` up to baseline code, which is asked where it is at one of so many of its
    /// calls and loop headers, and is promoted a few times later.
    #[doc(hidden)]
    Asked(u32),
    /// Each function where the number says: two bits for each of the first 32 that a
    /// module defines, the lowest for the first of them, as [`Pin`] counts. Later
    /// functions are where the first are again.
    #[doc(hidden)]
    Pinned(u64),
}

/// How functions get from baseline code to optimized code, see
/// [`Config::promotion`](crate::Config::promotion).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Promotion {
    /// They never do.
    Never,
    /// A thread of the engine compiles them while they go on.
    Background,
    /// The thread that runs them compiles them when they have run long enough: what is
    /// executed when follows from the program alone.
    Synchronous,
}

/// Where [`Strategy::Pinned`] has a function.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pin {
    /// In the interpreter for ever.
    Interpreted,
    /// In baseline code from the first call on.
    Baseline,
    /// In optimised code from the first call on, where there is some, or else in baseline
    /// code.
    Optimized,
    /// Through all tiers as fast as can be, as with [`Strategy::Stress`].
    Rising,
}

impl Pin {
    /// In the order of the numbers.
    const ALL: [Pin; 4] = [Pin::Interpreted, Pin::Baseline, Pin::Optimized, Pin::Rising];
}

/// The compilers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tier {
    /// In one pass, in the frames of the interpreter.
    Baseline,
    /// Through SSA, with native frames.
    #[cfg(optimizer)]
    Optimized,
}

/// What a function can have machine code for, each of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Variant {
    pub(crate) tier: Tier,
    /// Whether it leaves the bounds of memories to guard pages.
    pub(crate) guarded: bool,
}

impl Strategy {
    /// Whether this build can do it: whether it has a compiler if it wants one.
    pub const fn is_available(self) -> bool {
        match self {
            Strategy::Baseline => AVAILABLE,
            Strategy::Optimizing => cfg!(optimizer),
            _ => true,
        }
    }

    /// Whether there may be code with native frames.
    pub(crate) fn may_optimize(self) -> bool {
        cfg!(optimizer) && !matches!(self, Strategy::Interpreter | Strategy::Baseline)
    }

    /// Whether interpreted code counts.
    pub(crate) fn counts(self) -> bool {
        AVAILABLE
            && !matches!(self, Strategy::Interpreter | Strategy::Baseline | Strategy::Optimizing)
    }

    /// What an entry takes from the budget of a function whose body has so many
    /// bytes.
    pub(crate) fn entry_weight(self, bytes: usize) -> u32 {
        match self {
            Strategy::Auto => (auto_budget(bytes) / tuning::MAX_ENTRIES) as u32,
            _ => tuning::STRESS_ENTRY_WEIGHT,
        }
    }

    /// The budget of a function whose body has so many bytes; none if it is
    /// compiled at once.
    fn budget(self, defined: u32, bytes: usize) -> Option<i32> {
        match self {
            Strategy::Interpreter => Some(i32::MAX),
            Strategy::Baseline | Strategy::Optimizing => None,
            Strategy::Auto => Some(auto_budget(bytes) as i32),
            Strategy::Mixed(seed) => {
                let drawn = draw(seed, defined, bytes);
                match drawn % MIXTURE {
                    OPTIMIZED | BASELINE => None,
                    INTERPRETED => Some(i32::MAX),
                    _ => Some((drawn >> 32) as i32 & 63),
                }
            }
            Strategy::Stress | Strategy::Asked(_) => Some(tuning::STRESS_BUDGET),
            Strategy::Pinned(_) => match self.pin(defined)? {
                Pin::Interpreted => Some(i32::MAX),
                Pin::Baseline | Pin::Optimized => None,
                Pin::Rising => Some(tuning::STRESS_BUDGET),
            },
        }
    }

    /// The strategy that has the functions of a module where the list says, and those
    /// behind the list where its beginning does.
    #[doc(hidden)]
    pub fn pinned(pins: &[Pin]) -> Strategy {
        let places = pins.iter().cycle().take(32).enumerate();
        Strategy::Pinned(places.fold(0, |all, (at, pin)| all | (*pin as u64) << (2 * at)))
    }

    /// Whether a function is to be optimized when it is first called.
    #[cfg(optimizer)]
    fn optimizes_at_once(self, defined: u32, bytes: usize) -> bool {
        match self {
            Strategy::Optimizing => true,
            Strategy::Mixed(seed) => draw(seed, defined, bytes) % MIXTURE == OPTIMIZED,
            Strategy::Pinned(_) => self.pin(defined) == Some(Pin::Optimized),
            Strategy::Auto
            | Strategy::Interpreter
            | Strategy::Baseline
            | Strategy::Stress
            | Strategy::Asked(_) => false,
        }
    }

    /// Where a function has to be; none if that is not said.
    pub(crate) fn pin(self, defined: u32) -> Option<Pin> {
        let Strategy::Pinned(pins) = self else { return None };
        Some(Pin::ALL[(pins >> (2 * (defined % 32)) & 3) as usize])
    }
}

/// The budget of a function whose body has so many bytes.
fn auto_budget(bytes: usize) -> usize {
    let budget = bytes.saturating_mul(tuning::BUDGET_PER_BYTE);
    budget.clamp(tuning::MIN_BUDGET, tuning::MAX_BUDGET)
}

/// What [`Strategy::Mixed`] draws for functions that are in one tier from the first call
/// on, of so many; with all other numbers they rise.
const MIXTURE: u64 = 5;
const OPTIMIZED: u64 = 0;
const BASELINE: u64 = 1;
const INTERPRETED: u64 = 2;

/// What [`Strategy::Mixed`] draws for a function whose body has so many bytes.
fn draw(seed: u64, defined: u32, bytes: usize) -> u64 {
    scramble(seed ^ u64::from(defined) << 32 ^ bytes as u64)
}

/// A number that looks random for each argument (the finalizer of SplitMix64).
fn scramble(mut bits: u64) -> u64 {
    bits = bits.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ bits >> 31
}

/// Whether compiled code of an instance with these memories may leave checking to
/// guard pages: all that can have them do.
///
/// # Safety
///
/// The memories are live.
pub(crate) unsafe fn may_rely_on_guards(config: &Config, memories: &[*mut MemoryInst]) -> bool {
    let mut guards = false;
    for &memory in memories {
        // SAFETY: live by the contract.
        let memory = unsafe { &*memory };
        if MemoryInst::can_be_guarded(memory.ty) {
            if !memory.is_guarded() {
                return false;
            }
            guards = true;
        }
    }
    AVAILABLE && guards && config.code.signals_based_traps
}

/// Gives a function the code to run it with that an instance calls for the first time; its
/// body.
///
/// # Errors
///
/// Those of [`translate`](crate::code::translate::translate); it gives up when the store has to stop.
///
/// # Safety
///
/// The record is that of a defined function of a live instance of the module, and the
/// store's thread calls.
pub(crate) unsafe fn start(
    record: *mut FuncRecord,
    module: &Inner,
    defined: u32,
) -> Result<*const u64> {
    // SAFETY: by the contract; the code is the function's.
    unsafe {
        let code = first(record, module, defined)?;
        publish((*(*record).vmctx).store, record, code);
        #[cfg(optimizer)]
        if let Text::Machine(_) = code.text {
            let guarded = (*(*(*record).vmctx).instance).guarded;
            promote::begin(record, module, defined, guarded);
        }
        Ok((*record).body)
    }
}

/// The code to run a function with that an instance calls for the first time.
///
/// # Errors
///
/// As [`start`].
///
/// # Safety
///
/// As [`start`].
unsafe fn first(record: *mut FuncRecord, module: &Inner, defined: u32) -> Result<&Code> {
    // SAFETY: the record is that of a live instance.
    let store = unsafe { (*(*record).vmctx).store };
    // SAFETY: the store waits for the code meanwhile.
    let stop = || unsafe { (*store).must_stop() };
    let strategy = module.engine.config().strategy;
    let budget = strategy.budget(defined, module.body(defined).len());
    // SAFETY: the record and its instance are live.
    let guarded = unsafe {
        (*record).hot = budget.unwrap_or(i32::MAX);
        #[cfg(optimizer)]
        {
            let config = module.engine.config();
            let patience = promote::patience(config, defined, module.body(defined).len());
            (*record).patience = patience - module.compiled.spent(defined);
        }
        (*(*(*record).vmctx).instance).guarded
    };
    #[cfg(optimizer)]
    if strategy.optimizes_at_once(defined, module.body(defined).len()) {
        let variant = Variant { tier: Tier::Optimized, guarded };
        if let Some(code) = module.compiled.get(module, defined, variant, &stop)? {
            return Ok(code);
        }
    }
    if matches!(strategy, Strategy::Auto | Strategy::Stress)
        && let Some(code) = again(module, defined, guarded, &stop)?
    {
        return Ok(code);
    }
    let variant = Variant { tier: Tier::Baseline, guarded };
    if budget.is_none()
        && let Some(code) = module.compiled.get(module, defined, variant, &stop)?
    {
        return Ok(code);
    }
    interp::code::code(module, defined, &stop)
}

/// The machine code of a function that other instances have called, if there is any or
/// they were many.
///
/// # Errors
///
/// If `stop` said to give up.
fn again<'a>(
    module: &'a Inner,
    defined: u32,
    guarded: bool,
    stop: &dyn Fn() -> bool,
) -> Result<Option<&'a Code>> {
    let compiled = &module.compiled;
    #[cfg(optimizer)]
    if let Some(Some(code)) = compiled.made(defined, Variant { tier: Tier::Optimized, guarded }) {
        return Ok(Some(code));
    }
    let variant = Variant { tier: Tier::Baseline, guarded };
    match compiled.made(defined, variant) {
        Some(code) => Ok(code),
        None if compiled.meet(module, defined) => compiled.get(module, defined, variant, stop),
        None => Ok(None),
    }
}

/// Makes code the one that a function runs from now on; its body.
///
/// # Safety
///
/// The record is that of a function of the store, whose code it is.
pub(crate) unsafe fn publish(
    store: *mut StoreCore,
    record: *mut FuncRecord,
    code: &Code,
) -> *const u64 {
    // SAFETY: by the contract.
    unsafe {
        (*store).add_code(code);
        #[cfg(optimizer)]
        if let Text::Native(code) = &code.text {
            (*record).code = code.entry();
        }
        #[cfg(optimizer)]
        if let Text::Machine(machine) = &code.text {
            let (sites, first) = machine.sites();
            let instance = &mut *(*(*record).vmctx).instance;
            if instance.cells.len() < first + sites.len() {
                instance.cells.resize(first + sites.len(), 0);
                (*(*record).vmctx).feedback = instance.cells.as_mut_ptr();
            }
        }
        (*record).body = code.body();
        (*record).body
    }
}

/// Where [`promote`] is asked to go on at a function's entry.
pub(crate) const ENTRY: u32 = u32::MAX;

/// Compiles the function of a record, unless it is, and publishes it. Where to
/// continue compiled: at [`ENTRY`], or at the loop header with the given label;
/// none if the interpreter has to go on.
///
/// # Safety
///
/// The record is that of a defined function of a live instance, and the store's
/// thread calls. What is continued must be a frame of that function.
#[inline(never)]
pub(crate) unsafe extern "C" fn promote(
    record: *mut FuncRecord,
    header: u32,
) -> Option<NonNull<u64>> {
    // SAFETY: by the contract; the code lives as long as the module, which the
    // instance holds.
    unsafe {
        // Counting goes on only where there is something to be promoted to.
        (*record).hot = i32::MAX;
        let vm = (*record).vmctx;
        let module = (*vm).module()?.inner();
        let defined = module.defined_func((*record).index)?;
        let (store, guarded) = ((*vm).store, (*(*vm).instance).guarded);
        let stop = || (*store).must_stop();
        let variant = Variant { tier: Tier::Baseline, guarded };
        let Ok(code) = module.compiled.get(module, defined, variant, &stop) else {
            // The interpreter stops at its next check. What it goes on with after that
            // is counted again.
            (*record).hot = tuning::MIN_BUDGET as i32;
            return None;
        };
        let code = code?;
        #[cfg(optimizer)]
        if promote::is_optimized(record, module, defined, guarded) {
            // An old frame goes on in the tier between.
            return NonNull::new(code.body().byte_add(code.loop_entry(header)?).cast_mut());
        } else if header != ENTRY && (*record).body != code.body() {
            module.compiled.promotions.note_loop(defined);
        }
        publish(store, record, code);
        #[cfg(optimizer)]
        promote::begin(record, module, defined, guarded);
        let offset = match header {
            ENTRY => size_of::<u64>(),
            label => code.loop_entry(label)?,
        };
        // Other frames of the function follow when they next count.
        (*record).hot = 0;
        NonNull::new(code.body().byte_add(offset).cast_mut())
    }
}

/// Where a frame of slots goes on in optimized code: the word to jump through, and what
/// the accumulator has to be.
#[cfg(optimizer)]
pub(crate) struct Replaced {
    pub(crate) ip: NonNull<u64>,
    pub(crate) acc: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budgets_grow_with_size_within_limits() {
        let budget = |bytes| Strategy::Auto.budget(0, bytes).expect("it is interpreted first");
        assert_eq!(budget(1), tuning::MIN_BUDGET as i32);
        assert!(budget(1) < budget(2000) && budget(2000) < budget(4000));
        assert_eq!(budget(usize::MAX), tuning::MAX_BUDGET as i32);
    }

    #[test]
    fn pins_are_where_the_list_says() {
        let strategy = Strategy::pinned(&[Pin::Rising, Pin::Interpreted, Pin::Optimized]);
        let pins: Vec<_> = (0..33).filter_map(|defined| strategy.pin(defined)).collect();
        assert_eq!(pins[..4], [Pin::Rising, Pin::Interpreted, Pin::Optimized, Pin::Rising]);
        assert_eq!((pins[31], pins[32]), (Pin::Interpreted, Pin::Rising));
        assert_eq!(strategy.budget(1, 10), Some(i32::MAX));
        assert_eq!(strategy.budget(2, 10), None);
        assert_eq!(Strategy::pinned(&[]), Strategy::pinned(&[Pin::Interpreted]));
        assert_eq!(Strategy::Auto.pin(0), None);
    }

    #[test]
    fn chance_takes_every_way_and_repeats_itself() {
        let drawn = |seed, defined| Strategy::Mixed(seed).budget(defined, 10);
        let all: Vec<_> = (0..1000).map(|defined| drawn(7, defined)).collect();
        assert!(all.contains(&None) && all.contains(&Some(i32::MAX)));
        assert!(all.iter().flatten().any(|&budget| budget < 64));
        assert_eq!(all, (0..1000).map(|defined| drawn(7, defined)).collect::<Vec<_>>());
        assert_ne!(all, (0..1000).map(|defined| drawn(8, defined)).collect::<Vec<_>>());
    }
}
