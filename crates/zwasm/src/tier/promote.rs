//! From baseline code to optimized code.
//!
//! A function's patience is a few times the time that optimizing it will probably take. When
//! it has run for so long in baseline code, what it costs to be rid of that is a fraction of
//! what has been spent there already, and is lost by programs that end right after. A
//! background thread compiles (`background`), or the store's own where tests want to know
//! when; the store's own thread puts the code into use, when it asks the next time.
//!
//! Where a background thread compiles, it also measures: every now and then it has baseline
//! code ask here, which looks for that at calls and loop headers, and the function that
//! does so is charged with the time since the last one did. Otherwise baseline code counts
//! its instructions, and asks when the patience is used up, so that what happens follows
//! from the program alone.
//!
//! Two things can be asked for: the function, for calls to come, and the rest of it from a
//! loop header on, for the frame that is in the loop (on-stack replacement). Who got into
//! baseline code in the middle of a loop is probably a call that takes long, for which the
//! function itself is of no use; then the rest comes first. Otherwise it is only wanted
//! for frames that are still in baseline code when the function is optimized already.
//!
//! Of nested loops the outermost is the one to go on from: the whole nest is optimized
//! then, and nothing has to be built twice. But it is mostly in an inner loop that patience
//! is used up, so the frame is waited for at the outer header, with every arrival at an
//! inner one asking here. Only a frame that does so too often, because it stays in the
//! inner loop for long, goes on from a header further inside.

use std::collections::{BTreeMap, BTreeSet};
use std::ptr::NonNull;
use std::sync::{Mutex, MutexGuard};

use super::{
    ENTRY, Pin, Promotion, Replaced, Strategy, Tier, Variant, background, publish, resolver,
    scramble,
};
use crate::code::{Code, Text};
use crate::engine::Config;
use crate::error::Result;
use crate::module::{Inner, Module};
use crate::stack::walk::Cursor;
use crate::store::StoreCore;
use crate::store::instance::InstanceData;
use crate::store::vmctx::{FuncRecord, VmCtx};
use crate::tuning;
use zwasm_regir::Label;

/// What can be compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Request {
    defined: u32,
    guarded: bool,
    /// For frames at the loop header with this label; otherwise for calls.
    header: Option<Label>,
}

/// What is asked for and known of the functions of a module.
#[derive(Default)]
pub(crate) struct Promotions(Mutex<Known>);

#[derive(Default)]
struct Known {
    /// What the background thread is to compile, or does.
    asked: BTreeSet<Request>,
    /// Functions that got into baseline code in the middle of a loop.
    looping: BTreeSet<u32>,
    /// The functions with nests of loops that frames are in.
    nests: BTreeMap<u32, Nest>,
    /// The functions that calls with a changing callee have always called, by where in the
    /// module the calls are.
    targets: BTreeMap<u32, u32>,
    /// What the background thread has compiled for calls and nobody has put into use.
    finished: Vec<Request>,
}

/// What is known of a function with loops that are in others.
#[derive(Default)]
struct Nest {
    /// At which header frames are waited for, and how often they may still come to others.
    waiting: Option<(Label, u32)>,
    /// Where they did not come soon enough.
    passed: Vec<Label>,
}

impl Promotions {
    fn known(&self) -> MutexGuard<'_, Known> {
        // Nothing in here leaves it half-changed.
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// A function has got into baseline code in the middle of a loop.
    pub(super) fn note_loop(&self, defined: u32) {
        self.known().looping.insert(defined);
    }

    /// Whether to go on waiting for a function's frames at an outer header, when one comes to
    /// an inner one: unless there was time enough for all that happened meanwhile.
    fn waits(&self, defined: u32, has_time: bool) -> bool {
        let mut known = self.known();
        let Some(nest) = known.nests.get_mut(&defined) else { return false };
        let Some((header, left)) = &mut nest.waiting else { return false };
        if *left > 0 && has_time {
            *left -= 1;
            return true;
        }
        nest.passed.push(*header);
        nest.waiting = None;
        false
    }

    /// Starts to wait for a function's frames at an outer header, unless that was in vain.
    fn wait(&self, defined: u32, header: Label, waits: u32) -> bool {
        let mut known = self.known();
        let nest = known.nests.entry(defined).or_default();
        if nest.passed.contains(&header) {
            return false;
        }
        nest.waiting = Some((header, waits));
        true
    }

    /// Forgets where it was in vain to wait for a function's frames.
    fn forget_waits(&self, defined: u32) {
        self.known().nests.remove(&defined);
    }

    /// Whom the call at a place in the module has always called.
    pub(crate) fn target(&self, call: u32) -> Option<u32> {
        self.known().targets.get(&call).copied()
    }

    /// Something asked for has been made, or will not be.
    pub(super) fn settle(&self, request: Request) {
        let mut known = self.known();
        known.asked.remove(&request);
        if request.header.is_none() {
            known.finished.push(request);
        }
    }
}

impl Request {
    /// What has become of it; none if nobody has done it.
    fn made(self, module: &Inner) -> Option<Option<&Code>> {
        let Request { defined, guarded, header } = self;
        match header {
            Some(label) => module.compiled.made_replacement(defined, guarded, label),
            None => module.compiled.made(defined, Variant { tier: Tier::Optimized, guarded }),
        }
    }

    /// Compiles it; none if that is not possible.
    ///
    /// # Errors
    ///
    /// If `stop` said to give up.
    pub(super) fn make<'a>(
        self,
        module: &'a Inner,
        stop: &dyn Fn() -> bool,
    ) -> Result<Option<&'a Code>> {
        let Request { defined, guarded, header } = self;
        match header {
            Some(label) => module.compiled.replacement(module, defined, guarded, label, stop),
            None => {
                let variant = Variant { tier: Tier::Optimized, guarded };
                module.compiled.get(module, defined, variant, stop)
            }
        }
    }

    /// Has it compiled: here, or in the background. What there is now, if that is known.
    ///
    /// # Safety
    ///
    /// The record is that of the function in a live instance, whose store's thread calls.
    unsafe fn ask(self, module: &Module, record: *const FuncRecord) -> Option<Option<&Code>> {
        let inner = module.inner();
        let config = inner.engine.config();
        // SAFETY: by the contract.
        let (store, data) = unsafe { ((*(*record).vmctx).store, (*(*record).vmctx).instance) };
        let promotions = &inner.compiled.promotions;
        if !promotions.known().asked.insert(self) {
            // It is being made.
            return None;
        }
        #[cfg(feature = "trace")]
        config.observer.tell(
            crate::observe::Trace::JIT,
            format_args!(
                "f{} is hot{}: it has run as long as optimizing it takes",
                inner.func_index(self.defined),
                if self.header.is_some() { ", in a loop" } else { "" }
            ),
        );
        // SAFETY: the instance is live.
        unsafe { self.note_targets(inner, &*data) };
        if !in_background(config) {
            // SAFETY: the store waits meanwhile.
            let stop = || unsafe { (*store).must_stop() };
            let made = self.make(inner, &stop).ok();
            promotions.settle(self);
            return made;
        }
        if !inner.engine.background().ask(background::Job::new(module, self)) {
            promotions.settle(self);
        }
        None
    }

    /// Reads the cells of the function's calls.
    fn note_targets(self, module: &Inner, instance: &InstanceData) {
        let variant = Variant { tier: Tier::Baseline, guarded: self.guarded };
        let Some(Some(code)) = module.compiled.made(self.defined, variant) else { return };
        let Text::Machine(machine) = &code.text else { return };
        let (sites, first) = machine.sites();
        let Some(cells) = instance.cells.get(first..first + sites.len()) else { return };
        let records = VmCtx::record_offset(0) as u32;
        let types = module.engine.types().read();
        let mut known = module.compiled.promotions.known();
        for (&(place, ty), &cell) in sites.iter().zip(cells) {
            let changes = (cell >> 32) as u32;
            // The lower half of the address of a record; perhaps of one of the instance's.
            let offset = (cell as u32).wrapping_sub(instance.vmctx.as_ptr() as usize as u32);
            let defined = offset.wrapping_sub(records) / size_of::<FuncRecord>() as u32;
            let is_record =
                (defined as usize) < module.bodies.len() && module.record_offset(defined) == offset;
            if !is_record || !(1..=tuning::MAX_CALLEE_CHANGES).contains(&changes) {
                continue;
            }
            let func = module.func_index(defined);
            if types.is_subtype(module.func_type_id(func), module.types[ty as usize]) {
                known.targets.insert(place, func);
            }
        }
    }
}

/// Whether the background thread of an engine compiles, and measures what runs long.
fn in_background(config: &Config) -> bool {
    config.strategy == Strategy::Auto && config.promotion == Promotion::Background
}

/// Whether baseline code is asked where it is, rather than counting.
pub(crate) fn samples(config: &Config) -> bool {
    in_background(config) || matches!(config.strategy, Strategy::Asked(_))
}

/// Whether baseline code does something to be optimized.
pub(crate) fn counts_in_baseline(config: &Config) -> bool {
    match config.strategy {
        Strategy::Auto => config.promotion != Promotion::Never,
        Strategy::Mixed(_) | Strategy::Stress | Strategy::Asked(_) | Strategy::Pinned(_) => true,
        Strategy::Interpreter | Strategy::Baseline | Strategy::Optimizing => false,
    }
}

/// What is never used up.
const ENDLESS: i64 = i64::MAX / 2;

/// What is used up, whatever is measured.
const NONE: i64 = i64::MIN / 2;

/// How long a function whose body has so many bytes runs in baseline code before it is
/// optimized: in nanoseconds where that is measured, else in what code counts.
pub(super) fn patience(config: &Config, defined: u32, bytes: usize) -> i64 {
    let strategy = config.strategy;
    match strategy {
        Strategy::Auto => {
            let bytes = bytes as i64;
            let body = bytes.saturating_mul(tuning::OPTIMIZING_BYTE);
            let optimizing = tuning::OPTIMIZING_OVERHEAD.saturating_add(body);
            let unit = if samples(config) { 1 } else { tuning::COUNTED_IN_NANOSECOND };
            optimizing.saturating_mul(tuning::PATIENCE).saturating_mul(unit)
        }
        Strategy::Mixed(seed) => {
            let drawn = scramble(seed ^ u64::from(defined) << 32 ^ !(bytes as u64));
            if drawn.is_multiple_of(4) { ENDLESS } else { (drawn >> 32) as i64 & 255 }
        }
        Strategy::Stress => 0,
        Strategy::Asked(_) => bytes as i64 & 3,
        Strategy::Pinned(_) if strategy.pin(defined) == Some(Pin::Rising) => 0,
        Strategy::Pinned(_) | Strategy::Interpreter | Strategy::Baseline | Strategy::Optimizing => {
            ENDLESS
        }
    }
}

/// How often a frame of a function may come to the header of an inner loop while it is
/// waited for at an outer one.
fn waits(strategy: Strategy, defined: u32) -> u32 {
    match strategy {
        Strategy::Auto => tuning::WAITS,
        Strategy::Mixed(seed) => scramble(!seed ^ u64::from(defined)) as u32 & 3,
        Strategy::Asked(_) => defined & 3,
        Strategy::Stress
        | Strategy::Pinned(_)
        | Strategy::Interpreter
        | Strategy::Baseline
        | Strategy::Optimizing => 0,
    }
}

/// The headers from which the rest of a function may be optimized for a frame at one of
/// them, in the order of preference: those of the outermost loops that this one is in, if
/// there is time to wait for the frame there, and its own.
fn headers(module: &Inner, calls: Request, label: Label, waits: u32) -> Vec<Label> {
    let variant = Variant { tier: Tier::Baseline, guarded: calls.guarded };
    let mut headers = vec![label];
    if waits > 0
        && let Some(Some(code)) = module.compiled.made(calls.defined, variant)
        && let Text::Machine(machine) = &code.text
    {
        headers.extend(std::iter::successors(machine.around(label), |each| machine.around(*each)));
    }
    let inner = headers.len().saturating_sub(tuning::NEST);
    headers.drain(1..=inner);
    headers.reverse();
    headers
}

/// Whether optimized code of a function is in use.
///
/// # Safety
///
/// The record is that of the function, of a live instance of the module.
pub(super) unsafe fn is_optimized(
    record: *const FuncRecord,
    module: &Inner,
    defined: u32,
    guarded: bool,
) -> bool {
    let calls = Request { defined, guarded, header: None };
    let Some(Some(Code { text: Text::Native(code), .. })) = calls.made(module) else {
        return false;
    };
    // SAFETY: by the contract.
    unsafe { (*record).code == code.entry() }
}

/// Called when a function has got into baseline code: from now on somebody measures how
/// long the store's functions run, and calls to come have code that is there already.
///
/// # Safety
///
/// The record is that of the function, of a live instance of the module, whose store's
/// thread calls.
pub(super) unsafe fn begin(record: *mut FuncRecord, module: &Inner, defined: u32, guarded: bool) {
    if !samples(module.engine.config()) {
        return;
    }
    // SAFETY: by the contract.
    unsafe {
        let store = (*(*record).vmctx).store;
        (*store).begin_samples((*record).vmctx);
        let calls = Request { defined, guarded, header: None };
        if let Some(Some(code)) = calls.made(module) {
            publish(store, record, code);
        } else if (*record).code != resolver() {
            called(record);
        }
    }
}

/// Called when optimized code calls a function that is not optimized. One that never asks for
/// better code gets it, if it is in baseline code: its calls come here until it is there.
///
/// # Safety
///
/// The record is that of a function of a live instance, whose store's thread calls.
pub(crate) unsafe fn called(record: *mut FuncRecord) {
    // SAFETY: by the contract.
    unsafe {
        let vm = (*record).vmctx;
        let Some(module) = (*vm).module() else { return };
        let inner = module.inner();
        let Some(defined) = inner.defined_func((*record).index) else { return };
        let guarded = (*(*vm).instance).guarded;
        let calls = Request { defined, guarded, header: None };
        let variant = Variant { tier: Tier::Baseline, guarded };
        if samples(inner.engine.config())
            && let Some(Some(Code { text: Text::Machine(code), .. })) =
                inner.compiled.made(defined, variant)
            && code.is_silent
        {
            if calls.made(inner).is_none() {
                calls.ask(module, record);
                // Optimized code does not look for what is finished: the next call does.
                if inner.compiled.promotions.known().asked.contains(&calls) {
                    (*record).code = resolver();
                    return;
                }
            }
            // What is no longer asked for has been made or will not be.
            if let Some(Some(code)) = calls.made(inner) {
                publish((*vm).store, record, code);
            }
        }
    }
}

/// Puts into use what the background thread has compiled for calls of an instance's
/// functions.
///
/// # Safety
///
/// The context is live, and its store's thread calls.
unsafe fn put_into_use(vm: *mut VmCtx) {
    // SAFETY: by the contract.
    let Some(module) = (unsafe { (*vm).module() }) else { return };
    let module = module.inner();
    let finished = std::mem::take(&mut module.compiled.promotions.known().finished);
    for request in finished {
        let Some(Some(code)) = request.made(module) else { continue };
        // SAFETY: by the contract; the module defines the function.
        unsafe {
            if request.guarded == (*(*vm).instance).guarded {
                publish((*vm).store, VmCtx::record(vm, request.defined), code);
            }
        }
    }
}

/// The function whose baseline code is at a place, if it may be charged with time.
///
/// # Safety
///
/// The place is one of the store, whose thread calls.
unsafe fn charged_at(store: *const StoreCore, place: Cursor) -> Option<NonNull<FuncRecord>> {
    // SAFETY: by the contract; the code is that of a function of the place's instance.
    unsafe {
        let (code, _) = (*store).code_at(place.ip)?;
        let record = match code.text {
            Text::Machine(_) => VmCtx::record(place.vm, code.defined),
            _ => return None,
        };
        NonNull::new(record).filter(|_| (*record).patience < ENDLESS / 2)
    }
}

/// A function's baseline code has run for so long. What one instance has used up of its
/// patience, others have not.
///
/// # Safety
///
/// The record is that of a function of a live instance, whose store's thread calls.
unsafe fn charge(record: *mut FuncRecord, time: i64) {
    // SAFETY: by the contract.
    unsafe {
        (*record).patience = (*record).patience.saturating_sub(time);
        let Some(module) = (*(*record).vmctx).module() else { return };
        let inner = module.inner();
        if let Some(defined) = inner.defined_func((*record).index) {
            inner.compiled.spend(inner, defined, time);
        }
    }
}

/// Whether a function is in baseline code that may be charged with time.
///
/// # Safety
///
/// The record is that of a function of a live instance, whose store's thread calls.
unsafe fn is_in_baseline(record: *const FuncRecord) -> bool {
    // SAFETY: by the contract.
    unsafe {
        let vm = (*record).vmctx;
        let Some(module) = (*vm).module() else { return false };
        let inner = module.inner();
        let Some(defined) = inner.defined_func((*record).index) else { return false };
        let variant = Variant { tier: Tier::Baseline, guarded: (*(*vm).instance).guarded };
        let Some(Some(code)) = inner.compiled.made(defined, variant) else { return false };
        let Text::Machine(machine) = &code.text else { return false };
        code.body() == (*record).body && !machine.is_silent && (*record).patience < ENDLESS / 2
    }
}

/// Called when a function is about to be entered, with its header written, while baseline code
/// is asked where it is.
///
/// The time is the caller's, until that is optimized or cannot be: one in baseline code that
/// calls optimized code, and the other way round, loses more at each call than short functions
/// gain. Then it is that of the function called.
///
/// # Safety
///
/// The record is that of a function of a live instance, and the store's thread calls.
pub(crate) unsafe fn entered(record: *mut FuncRecord, header: *const u64) {
    // SAFETY: by the contract.
    unsafe {
        let vm = (*record).vmctx;
        let store = (*vm).store;
        let Some(spent) = (*store).spent() else { return };
        let caller = charged_at(store, Cursor::of_caller(header));
        let Some(charged) =
            caller.or_else(|| NonNull::new(record).filter(|_| is_in_baseline(record)))
        else {
            put_into_use(vm);
            return;
        };
        let charged = charged.as_ptr();
        put_into_use((*charged).vmctx);
        charge(charged, spent);
        if (*charged).patience > 0 {
            return;
        }
        if charged == record {
            // The function is entered right after this.
            let _ = advance(record, ENTRY);
        } else if spent > 0 {
            // It gets to one of its headers, or is called, soon.
            (*store).expect(tuning::CALLER_WAITS);
        }
    }
}

/// Called by baseline code, at the function's entry or at the loop header with a label, when
/// its patience is used up or it is asked where it is: where to go on optimized, if there is
/// something already.
///
/// # Safety
///
/// The record is that of a defined function of a live instance, and the store's thread
/// calls. What is continued must be a frame of that function, with everything in its canonical
/// slots.
unsafe fn optimize(record: *mut FuncRecord, header: u32) -> Option<Replaced> {
    // SAFETY: by the contract.
    unsafe {
        let vm = (*record).vmctx;
        if samples((*(*vm).store).engine.config()) {
            let spent = (*(*vm).store).spent()?;
            put_into_use(vm);
            charge(record, spent);
            if (*record).patience > 0 {
                return None;
            }
        }
        advance(record, header)
    }
}

/// Has what a function needs next compiled, and puts into use what there is; where to go on.
///
/// # Safety
///
/// As [`optimize`].
unsafe fn advance(record: *mut FuncRecord, header: u32) -> Option<Replaced> {
    // SAFETY: by the contract; the code lives as long as the module, which the
    // instance holds.
    unsafe {
        let vm = (*record).vmctx;
        let module = (*vm).module()?;
        let inner = module.inner();
        let config = inner.engine.config();
        let defined = inner.defined_func((*record).index)?;
        let guarded = (*(*vm).instance).guarded;
        (*record).patience = ENDLESS;
        let strategy = config.strategy;
        let patience = patience(config, defined, inner.body(defined).len());
        // What is left when it is to ask at once, and when there may be something soon.
        let (at_once, soon) =
            if samples(config) { (NONE, NONE) } else { (0, patience / tuning::LOOKS) };
        let label = (header != ENTRY).then_some(Label(header));
        let calls = Request { defined, guarded, header: None };
        let rest_first =
            label.is_some() && inner.compiled.promotions.known().looping.contains(&defined);
        if !rest_first {
            let Some(made) = calls.made(inner).or_else(|| calls.ask(module, record)) else {
                (*record).patience = soon;
                return None;
            };
            // What cannot be optimized as a whole cannot be from a loop on.
            let code = made?;
            let body = publish((*vm).store, record, code);
            // Frames that are in loops have their chance.
            if label.is_none() {
                (*record).patience = patience;
                let ip = NonNull::new(body.add(1).cast_mut())?;
                return Some(Replaced { ip, acc: record as u64 });
            }
        }
        let label = label?;
        let waits = waits(strategy, defined);
        let rest = |header| Request { header: Some(header), ..calls };
        let promotions = &inner.compiled.promotions;
        // A frame at a header that has its code need not wait for another.
        let mut made = rest(label).made(inner).flatten();
        let has_time = !samples(config) || (*(*vm).store).expects();
        if made.is_none() && promotions.waits(defined, has_time) {
            (*record).patience = at_once;
            return None;
        }
        let mut headers = headers(inner, calls, label, waits).into_iter();
        while made.is_none()
            && let Some(header) = headers.next()
        {
            let rest = rest(header);
            let Some(code) = rest.made(inner).or_else(|| rest.ask(module, record)) else {
                (*record).patience = soon;
                return None;
            };
            if header == label {
                made = code;
            } else if code.is_some() && promotions.wait(defined, header, waits) {
                (*record).patience = at_once;
                (*(*vm).store).expect(waits);
                return None;
            }
        }
        let replaced = made.and_then(|code| {
            (*(*vm).store).add_code(code);
            let Text::Native(native) = &code.text else { return None };
            let (ip, acc) = native.replace();
            Some(Replaced { ip: NonNull::new(ip.cast_mut())?, acc })
        });
        // Calls to come, or where that failed other loops, have their chance.
        (*(*vm).store).expect(0);
        (*record).patience = match &replaced {
            Some(_) => at_once,
            None => patience.saturating_add(tuning::RETRY),
        };
        if replaced.is_none() {
            promotions.forget_waits(defined);
        }
        replaced
    }
}

/// As [`optimize`], for a handler, into which nothing may unwind. What the accumulator has
/// to be is left in the store.
///
/// # Safety
///
/// As [`optimize`].
#[inline(never)]
pub(crate) unsafe extern "C" fn go_on(
    record: *mut FuncRecord,
    header: u32,
) -> Option<NonNull<u64>> {
    // SAFETY: by the contract.
    unsafe {
        let Replaced { ip, acc } = optimize(record, header)?;
        (*(*(*record).vmctx).store).replaced_acc = acc;
        Some(ip)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_grows_with_size() {
        let config = Config::default();
        let patience = |bytes| patience(&config, 0, bytes);
        assert!(0 < patience(1) && patience(1) < patience(2000));
        assert!(patience(usize::MAX >> 1) > 0);
    }

    #[test]
    fn chance_optimizes_some_functions_and_others_never() {
        let mut config = Config::default();
        config.strategy(Strategy::Mixed(7));
        let drawn: Vec<_> = (0..1000).map(|defined| patience(&config, defined, 10)).collect();
        assert!(drawn.contains(&ENDLESS) && drawn.iter().any(|&patience| patience < 256));
    }
}
