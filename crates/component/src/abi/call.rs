//! Calls across the boundary, whichever way: guest to host, guest to guest, host to guest.
//!
//! Each is a core function over slots. What a call needs to know of its types was found
//! when the function was lifted or lowered ([`Signature`]); a call checks the flags of
//! its instances, reads the arguments where they lie, and writes the result.
//!
//! The host's functions have one form, [`HostFunc`], and the store behind `dyn AnyStore`
//! does not know its data's type: so lifting and lowering are code once per Rust type,
//! not once per store.
//!
//! Specification: Canonical ABI, `canon lift`, `canon lower`.

use std::any::Any;
use std::ops::Deref;
use std::sync::Arc;
use std::task::{Context, Poll};

use zwasm::{AsContextMut, Caller, Engine, Error, Func, FuncType, Result, StoreContextMut};

use super::lift::check_pointer;
use super::lower::realloc;
use super::signature::{CALL_SLOTS, Passed, Signature};
use super::stack;
use super::transfer::{Side, Transfer};
use super::{
    AnyStore, Check, ComponentNamedList, Lift, LiftContext, Lower, LowerContext, Place,
    TypeContext, thrown,
};
use crate::state::{
    Components, Export, Lifted, Options, RuntimeInstance, check_leave, set_may_leave,
};
use crate::task::{host, start_guest};
use crate::types::{ComponentFunc, FuncIndex, InterfaceType, Types};
use crate::{ResourceType, Val, fuse};

/// A host function for the guest, the one form that all have inside.
pub(crate) type HostFunc<T> =
    Arc<dyn Fn(StoreContextMut<'_, T>, &mut RawCall<'_>) -> Result<()> + Send + Sync>;

/// How a function is passed that some instance imports: what is the same in all instances
/// of a component.
pub(crate) struct Lowering {
    pub(crate) types: Arc<Types>,
    pub(crate) ty: FuncIndex,
    pub(crate) signature: Signature,
    /// The type of the core function.
    pub(crate) core: FuncType,
    /// Whether the caller goes on if the callee waits.
    pub(crate) asynchronous: bool,
    /// Whether the callee may wait.
    waits: bool,
}

impl Lowering {
    pub(crate) fn new(
        engine: &Engine,
        types: &Arc<Types>,
        ty: FuncIndex,
        asynchronous: bool,
    ) -> Lowering {
        let signature = match asynchronous {
            true => Signature::lowered_async(types, ty),
            false => Signature::new(types, ty),
        };
        let core = signature.lowered(engine);
        let waits = types[ty].asynchronous;
        Lowering { types: types.clone(), ty, signature, core, asynchronous, waits }
    }
}

/// A function as an instance imports it.
#[derive(Clone)]
pub(crate) struct Lowered {
    lowering: Arc<Lowering>,
    pub(crate) resources: Arc<[ResourceType]>,
    pub(crate) options: Options,
}

impl Lowered {
    fn new(lowering: &Arc<Lowering>, resources: &Arc<[ResourceType]>, options: Options) -> Lowered {
        Lowered { lowering: lowering.clone(), resources: resources.clone(), options }
    }

    pub(crate) fn cx(&self) -> TypeContext<'_> {
        self.passing().cx()
    }

    pub(crate) fn passing(&self) -> Passing<'_> {
        let Lowered { lowering, resources, options } = self;
        Passing { lowering, resources, options }
    }
}

impl Deref for Lowered {
    type Target = Lowering;

    fn deref(&self) -> &Lowering {
        &self.lowering
    }
}

/// The same during a call, which does not count references: threads that answer requests
/// share what all instances have alike, and would wait for each other.
#[derive(Clone, Copy)]
pub(crate) struct Passing<'a> {
    pub(crate) lowering: &'a Arc<Lowering>,
    pub(crate) resources: &'a Arc<[ResourceType]>,
    pub(crate) options: &'a Options,
}

impl<'a> Passing<'a> {
    fn cx(self) -> TypeContext<'a> {
        TypeContext { types: &self.lowering.types, resources: self.resources }
    }

    /// For a call that lasts longer than this one.
    pub(crate) fn keep(self) -> Lowered {
        Lowered::new(self.lowering, self.resources, *self.options)
    }
}

impl Deref for Passing<'_> {
    type Target = Lowering;

    fn deref(&self) -> &Lowering {
        self.lowering
    }
}

/// Checks that a function's parameters and results are those of Rust types.
///
/// # Errors
///
/// What is different.
pub(crate) fn check_func(
    ty: FuncIndex,
    cx: &TypeContext<'_>,
    params: Check,
    results: Check,
) -> Result<()> {
    let tuples = cx.types.tuples(ty);
    params(InterfaceType::Defined(tuples.params), cx)
        .map_err(|error| Error::msg(format!("parameters: {error}")))?;
    results(InterfaceType::Defined(tuples.results), cx)
        .map_err(|error| Error::msg(format!("result: {error}")))
}

/// Calls a host function on behalf of an instance that imports it.
///
/// # Errors
///
/// If the instance may not be left, and what the function says.
pub(crate) fn call_host<T: 'static>(
    mut store: StoreContextMut<'_, T>,
    func: &HostFunc<T>,
    lowered: Passing<'_>,
    slots: &mut [u64],
) -> Result<()> {
    let depth = begin_host(&mut store, lowered)?;
    let asynchronous = lowered.asynchronous;
    if lowered.waits && !asynchronous {
        host::check_wait(&mut store, lowered)?;
    }
    let mut call = RawCall { slots, lowered, pending: None };
    let result = func(store.as_context_mut(), &mut call);
    let mut result = result.map_err(thrown);
    let pending = call.pending.take();
    if let (Some(pending), Ok(())) = (pending, &result) {
        let scope = depth.and_then(|_| store.attachment::<Components>().keep_scope());
        return stack::pass(store, |store| host::wait(store, lowered, pending, scope, slots));
    }
    if asynchronous && result.is_ok() {
        slots[0] = host::RETURNED;
    }
    if let Some(depth) = depth {
        result = end_host(store.attachment(), depth, result);
    }
    result
}

/// Before a host function: how many calls lend handles, if this one does.
fn begin_host(store: &mut dyn AnyStore, lowered: Passing<'_>) -> Result<Option<usize>> {
    check_leave(store, lowered.options.instance)?;
    if !lowered.signature.borrows {
        return Ok(None);
    }
    let state = store.state();
    let depth = state.depth();
    state.open_scope();
    Ok(Some(depth))
}

/// After a host function that was lent handles.
fn end_host(state: &mut Components, depth: usize, result: Result<()>) -> Result<()> {
    let ended = if result.is_ok() { state.close_scope() } else { Ok(()) };
    state.unwind(depth);
    result.and(ended)
}

/// A function of one instance as a core function of another. Types and resources are the
/// caller's.
///
/// # Errors
///
/// If the function cannot be made.
pub(crate) fn lower_guest<T: 'static>(
    mut store: impl AsContextMut<Data = T>,
    callee: Lifted,
    lowering: &Arc<Lowering>,
    resources: &Arc<[ResourceType]>,
    options: Options,
) -> Result<Func> {
    let mut store = store.as_context_mut();
    let lowered = Lowered::new(lowering, resources, options);
    let core = lowering.core.clone();
    let state: &mut Components = store.attachment();
    let (caller, instance) = (options.instance, callee.options.instance);
    // A component within another runs on behalf of it: neither may call the other, so that
    // no call enters an instance that waits for one. Nothing needs to be checked then when
    // it is called.
    if state.nested(caller, instance) {
        return Func::from_slots(store, core, |_: Caller<'_, T>, _| {
            Err(Error::trap_msg("cannot enter component instance"))
        });
    }
    let foreign = state.root(caller) != state.root(instance);
    let tasks = lowering.asynchronous
        || callee.types[callee.ty].asynchronous
        || state.instance_tasks(instance).kind.any;
    if tasks {
        let (lowered, callee) = (Arc::new(lowered), Arc::new(Export::new(callee)));
        return Func::from_slots(store, core, move |mut caller: Caller<'_, T>, slots| {
            stack::pass(caller.as_context_mut(), |mut store| {
                check_leave(&mut store, lowered.options.instance)?;
                if foreign {
                    store.attachment::<Components>().check_enter(instance)?;
                }
                start_guest(&mut store, &lowered, &callee, slots)
            })
        });
    }
    let types = &lowering.types;
    if !foreign && Arc::ptr_eq(types, &callee.types) && lowering.ty == callee.ty {
        let store = store.as_context_mut();
        if let Some(func) = fuse::adapt(store, types, &lowered.signature, &options, &callee)? {
            return Ok(func);
        }
    }
    let callee = Export::new(callee);
    Func::from_slots(store, core, move |mut caller: Caller<'_, T>, slots| {
        let mut store = caller.as_context_mut();
        check_leave(&mut store, lowered.options.instance)?;
        let state: &mut Components = store.attachment();
        if foreign {
            state.enter(instance)?;
        }
        let depth = state.depth();
        let result = stack::pass(store.as_context_mut(), |mut store| {
            call_guest(&mut store, &lowered, &callee, slots)
        });
        if foreign || result.is_err() {
            end_guest(store.attachment(), instance, foreign, depth, &result);
        }
        result
    })
}

/// After a call of a guest that failed, or from outside of its component.
fn end_guest(
    state: &mut Components,
    callee: RuntimeInstance,
    foreign: bool,
    depth: usize,
    result: &Result<()>,
) {
    if foreign {
        state.exit(callee);
        if result.is_err() {
            state.poison(callee);
        }
    }
    if result.is_err() {
        state.unwind(depth);
    }
}

/// Where values lie that are passed by core values that start at a slot: there, or in
/// memory, where there is room for them.
pub(crate) fn passed(passed: &Passed, slots: &[u64], slot: usize, memory: &[u8]) -> Result<Place> {
    if passed.flat.is_some() {
        return Ok(Place::Flat(slot));
    }
    let address = slots.get(slot).copied().unwrap_or_default() as u32 as usize;
    check_pointer(memory, address, passed.size, passed.align)?;
    Ok(Place::Memory(address))
}

fn call_guest(
    store: &mut dyn AnyStore,
    lowered: &Lowered,
    callee: &Export,
    slots: &mut [u64],
) -> Result<()> {
    let Export { lifted, signature } = callee;
    let caller = Side { cx: lowered.cx(), options: lowered.options };
    let cx = TypeContext { types: &lifted.types, resources: &lifted.resources };
    let target = Side { cx, options: lifted.options };
    let (memory, state) = store.split(lowered.options.memory);
    if signature.borrows {
        state.open_scope();
    }
    let mut args = [0; CALL_SLOTS];
    let from = passed(&lowered.signature.params, slots, 0, memory)?;
    let to = allocate(store, &signature.params, &lifted.options, &mut args)?;
    let ty = (lowered.signature.params.ty(), signature.params.ty());
    Transfer::new(store, (caller, slots), (target, &mut args)).value(ty, from, to)?;

    store.call(lifted.core, &mut args)?;
    if signature.borrows {
        store.state().close_scope()?;
    }

    let from = passed(&signature.results, &args, 0, store.split(lifted.options.memory).0)?;
    let to = result_place(&lowered.signature, slots, store.split(lowered.options.memory).0)?;
    let ty = (signature.results.ty(), lowered.signature.results.ty());
    Transfer::new(store, (target, &args), (caller, slots)).value(ty, from, to)?;
    post_return(store, lifted, &mut args)
}

/// Where arguments are to lie: in slots, or in memory that the callee gives, whose address
/// is the first slot then.
pub(crate) fn allocate(
    store: &mut dyn AnyStore,
    params: &Passed,
    options: &Options,
    slots: &mut [u64],
) -> Result<Place> {
    if params.flat.is_some() {
        return Ok(Place::Flat(0));
    }
    let args = [0, 0, params.align as usize, params.size as usize];
    let address = realloc(store, options, "parameter", args)?;
    slots[0] = address as u64;
    Ok(Place::Memory(address))
}

/// Where a caller wants the result: in the first slot, which is made zero, or in memory.
pub(crate) fn result_place(
    signature: &Signature,
    slots: &mut [u64],
    memory: &[u8],
) -> Result<Place> {
    match signature.result_slot() {
        Some(slot) => passed(&signature.results, slots, slot, memory),
        None => {
            if let Some(slot) = slots.first_mut() {
                *slot = 0;
            }
            Ok(Place::Flat(0))
        }
    }
}

/// Lets a guest free what its result lay in. The first slot is as it returned it.
pub(crate) fn post_return(
    store: &mut dyn AnyStore,
    lifted: &Lifted,
    slots: &mut [u64],
) -> Result<()> {
    let Some(func) = lifted.post_return else { return Ok(()) };
    let instance = lifted.options.instance;
    set_may_leave(store, instance, false)?;
    let result = store.call(func, slots);
    set_may_leave(store, instance, true)?;
    result
}

/// How arguments are written, where.
pub(crate) type LowerArgs<'a> =
    &'a mut dyn FnMut(&mut LowerContext<'_>, InterfaceType, Place) -> Result<()>;

/// How a result is read, from where.
pub(crate) type LiftResult<'a> =
    &'a mut dyn FnMut(&mut LiftContext<'_>, InterfaceType, Place) -> Result<()>;

/// Calls a guest's function from the host.
///
/// # Errors
///
/// If it cannot be entered, the arguments cannot be lowered, and whatever stopped it.
pub(crate) fn call_export(
    store: &mut dyn AnyStore,
    export: &Export,
    lower: LowerArgs<'_>,
    lift: LiftResult<'_>,
) -> Result<()> {
    let instance = export.lifted.options.instance;
    let state = store.state();
    state.enter(instance)?;
    let depth = state.depth();
    let mut slots = [0; CALL_SLOTS];
    let result = lower_args(store, export, lower, &mut slots).and_then(|()| {
        let result = run_export(store, export, lift, &mut slots);
        if result.is_err() {
            store.state().poison(instance);
        }
        result
    });
    let state = store.state();
    state.unwind(depth);
    state.exit(instance);
    result
}

/// Writes the arguments. If the host's values are at fault, the guest is as it was but for
/// memory that it gave for them.
pub(crate) fn lower_args(
    store: &mut dyn AnyStore,
    export: &Export,
    lower: LowerArgs<'_>,
    slots: &mut [u64],
) -> Result<()> {
    let Export { lifted, signature } = export;
    if signature.borrows {
        store.state().open_scope();
    }
    let at = allocate(store, &signature.params, &lifted.options, slots)?;
    let cx = TypeContext { types: &lifted.types, resources: &lifted.resources };
    let result = store.unsuspendable(&mut |store| {
        let mut cx = LowerContext { cx, options: lifted.options, slots: &mut *slots, store };
        lower(&mut cx, signature.params.ty(), at)
    });
    if result.is_err() && signature.borrows {
        let state = store.state();
        // What was lent already would be borrowed for ever.
        if state.scope().is_ok_and(|(.., borrows)| *borrows > 0) {
            state.poison(lifted.options.instance);
        }
    }
    result
}

fn run_export(
    store: &mut dyn AnyStore,
    export: &Export,
    lift: LiftResult<'_>,
    slots: &mut [u64],
) -> Result<()> {
    let Export { lifted, signature } = export;
    store.call(lifted.core, slots)?;
    if signature.borrows {
        store.state().close_scope()?;
    }
    let (memory, state) = store.split(lifted.options.memory);
    let at = passed(&signature.results, slots, 0, memory)?;
    let cx = TypeContext { types: &lifted.types, resources: &lifted.resources };
    let mut cx = LiftContext::new(cx, lifted.options, slots, (memory, state));
    lift(&mut cx, signature.results.ty(), at)?;
    post_return(store, lifted, slots)
}

/// A call that the guest makes of a host function: its arguments, and where its result
/// goes. It knows nothing of the store's data, so that tables of host functions are code
/// once for all of them.
pub struct RawCall<'a> {
    pub(crate) slots: &'a mut [u64],
    pub(crate) lowered: Passing<'a>,
    /// What is to be asked for the result later.
    pub(crate) pending: Option<Box<dyn Any + Send + Sync>>,
}

impl RawCall<'_> {
    /// The arguments. To be called once, before anything else.
    ///
    /// # Errors
    ///
    /// If they are no values of their types.
    pub fn args<A: ComponentNamedList + Lift>(&mut self, store: &mut dyn AnyStore) -> Result<A> {
        let (mut cx, at) = self.lift(store)?;
        let ty = self.lowered.signature.params.ty();
        A::lift(&mut cx, ty, at)
    }

    /// Gives the guest the result. To be called once, after all else.
    ///
    /// # Errors
    ///
    /// If it cannot be lowered.
    pub fn finish<R: ComponentNamedList + Lower>(
        &mut self,
        store: &mut dyn AnyStore,
        result: &R,
    ) -> Result<()> {
        let ty = self.lowered.signature.results.ty();
        store.unsuspendable(&mut |store| {
            let (mut cx, at) = self.lower(store)?;
            result.lower(&mut cx, ty, at)
        })
    }

    /// Says that the result is not there yet: from now on `poll` is called whenever the
    /// waker that it was given is woken, until it has given the guest the result with
    /// [`RawCall::finish`] and says that it is ready. The function has to be asynchronous
    /// in its type. If the guest cancels the call, `poll` is dropped.
    pub fn pend<T: 'static>(
        &mut self,
        poll: impl FnMut(StoreContextMut<'_, T>, &mut RawCall<'_>, &mut Context<'_>) -> Poll<Result<()>>
        + Send
        + Sync
        + 'static,
    ) {
        let poll: host::PollCall<T> = Box::new(poll);
        self.pending = Some(Box::new(poll));
    }

    /// Whether the function is asynchronous in its type, so that its caller can wait for it.
    #[cfg(feature = "async")]
    pub(crate) fn may_wait(&self) -> bool {
        self.lowered.waits
    }

    /// The type of the function.
    pub fn ty(&self) -> ComponentFunc {
        let Passing { lowering, resources, .. } = self.lowered;
        ComponentFunc::new(&lowering.types, resources, lowering.ty)
    }

    /// As [`RawCall::args`], for types known at run time.
    ///
    /// # Errors
    ///
    /// If they are no values of their types.
    pub fn vals(&mut self, store: &mut dyn AnyStore) -> Result<Vec<Val>> {
        let (mut cx, at) = self.lift(store)?;
        lift_vals(&mut cx, self.lowered.signature.params.ty(), at)
    }

    /// As [`RawCall::finish`], for types known at run time.
    ///
    /// # Errors
    ///
    /// If number or types of the results are wrong, or they cannot be lowered.
    pub fn finish_vals(&mut self, store: &mut dyn AnyStore, results: &[Val]) -> Result<()> {
        let ty = self.lowered.signature.results.ty();
        let (mut cx, at) = self.lower(store)?;
        lower_vals(&mut cx, ty, at, results, "result")
    }

    fn lift<'c>(&'c self, store: &'c mut dyn AnyStore) -> Result<(LiftContext<'c>, Place)> {
        let (options, signature) = (self.lowered.options, &self.lowered.signature);
        let (memory, state) = store.split(options.memory);
        let at = passed(&signature.params, self.slots, 0, memory)?;
        let cx = LiftContext::new(self.lowered.cx(), *options, self.slots, (memory, state));
        Ok((cx, at))
    }

    fn lower<'c>(&'c mut self, store: &'c mut dyn AnyStore) -> Result<(LowerContext<'c>, Place)> {
        let (options, signature) = (self.lowered.options, &self.lowered.signature);
        let at = result_place(signature, self.slots, store.split(options.memory).0)?;
        let cx = self.lowered.cx();
        Ok((LowerContext { cx, options: *options, slots: self.slots, store }, at))
    }
}

/// Reads the values of a tuple.
pub(crate) fn lift_vals(
    cx: &mut LiftContext<'_>,
    ty: InterfaceType,
    at: Place,
) -> Result<Vec<Val>> {
    match Val::lift(cx, ty, at)? {
        Val::Tuple(values) => Ok(values),
        _ => Err(super::unexpected()),
    }
}

/// Writes the values of a tuple, each of which is called `what` in an error.
pub(crate) fn lower_vals(
    cx: &mut LowerContext<'_>,
    ty: InterfaceType,
    at: Place,
    values: &[Val],
    what: &str,
) -> Result<()> {
    let count = cx.cx.tuple_types(ty)?.len();
    if count != values.len() {
        let got = values.len();
        return Err(Error::msg(format!("expected {count} {what}(s), got {got}")));
    }
    for (index, value) in values.iter().enumerate() {
        cx.lower_part(ty, at, index, value)?;
    }
    Ok(())
}
