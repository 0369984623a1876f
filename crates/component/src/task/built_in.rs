//! The functions of tasks, streams and futures as core functions of an instance.
//!
//! One function does what any of them does, whatever the store's data, so that they cost no
//! code for each.
//!
//! Specification: Canonical ABI, "Canonical Definitions".

use std::sync::Arc;

use zwasm::{
    AsContextMut, Caller, Error, Func, FuncType, Memory, Ref, Result, StoreContextMut, Table,
    ValType,
};

use super::pipe::{Request, guest_cancel, guest_copy};
use super::waitable::{EventWords, Item, NONE, wrong};
use super::{Wait, call, run, thread};
use crate::Place;
use crate::ResourceType;
use crate::abi::signature::Signature;
use crate::abi::{AnyStore, LiftContext, LowerContext, TypeContext, check_pointer, stack};
use crate::state::{Components, Options, RuntimeInstance, check_leave};
use crate::types::{Defined, InterfaceType, TypeIndex, Types};

/// A function with what it refers to found.
pub(crate) enum BuiltIn {
    ContextGet { slot: u32, wide: bool },
    ContextSet { slot: u32, wide: bool },
    BackpressureInc,
    BackpressureDec,
    TaskReturn { result: Option<InterfaceType>, results: TypeIndex, options: Options },
    TaskCancel,
    SubtaskCancel { asynchronous: bool },
    SubtaskDrop,
    SetNew,
    SetWait(Memory),
    SetPoll(Memory),
    SetDrop,
    Join,
    Pipe { ty: TypeIndex, operation: Operation },
    ErrorNew(Options),
    ErrorMessage(Options),
    ErrorDrop,
    ThreadIndex,
    ThreadNew(Table),
    ThreadResumeLater,
    ThreadSuspend,
    ThreadYield,
    ThreadSwitch { yields: bool, promotes: bool },
}

/// What is done with the end of a pipe.
pub(crate) enum Operation {
    New,
    Copy { reads: bool, options: Options, asynchronous: bool },
    Cancel { reads: bool, asynchronous: bool },
    Drop { reads: bool },
}

/// Where a function is.
pub(crate) struct Home {
    pub(crate) instance: RuntimeInstance,
    pub(crate) types: Arc<Types>,
    pub(crate) resources: Arc<[ResourceType]>,
}

impl Home {
    fn cx(&self) -> TypeContext<'_> {
        TypeContext { types: &self.types, resources: &self.resources }
    }
}

/// The core function.
///
/// # Errors
///
/// If it cannot be made.
pub(crate) fn make<T: 'static>(
    mut store: StoreContextMut<'_, T>,
    home: Home,
    built_in: BuiltIn,
) -> Result<Func> {
    let (params, results) = core_type(&home, &built_in);
    let ty = FuncType::new(store.engine(), params, results);
    Func::from_slots(store.as_context_mut(), ty, move |mut caller: Caller<'_, T>, slots| {
        let mut store = caller.as_context_mut();
        // Of all functions, only the table's needs the store as it is.
        if let BuiltIn::ThreadNew(table) = &built_in {
            check_leave(&mut store, home.instance)?;
            let func = start_func(store.as_context_mut(), *table, slots[0] as u32)?;
            let func = func.slots(&store)?;
            let state: &mut Components = store.attachment();
            slots[0] = state.new_thread(home.instance, func, slots[1])?.into();
            return Ok(());
        }
        stack::pass(store, |mut store| run(&mut store, &home, &built_in, slots))
    })
}

/// The function that a new thread begins with.
fn start_func<T>(mut store: StoreContextMut<'_, T>, table: Table, index: u32) -> Result<Func> {
    match table.get(&mut store, index.into()) {
        Some(Ref::Func(Some(func))) => {
            let ty = func.ty(&store);
            let mut params = ty.params();
            let number = matches!(params.next(), Some(ValType::I32 | ValType::I64));
            match number && params.next().is_none() && ty.results().next().is_none() {
                true => Ok(func),
                false => Err(Error::trap_msg("start function does not match expected type")),
            }
        }
        Some(_) => Err(Error::trap_msg("the start function is not present in the table")),
        None => Err(Error::trap_msg(format_args!("table index {index} is out of bounds"))),
    }
}

fn core_type(home: &Home, built_in: &BuiltIn) -> (Vec<ValType>, Vec<ValType>) {
    use ValType::{I32, I64};
    let number = |wide: bool| if wide { I64 } else { I32 };
    match built_in {
        BuiltIn::ContextGet { wide, .. } => (vec![], vec![number(*wide)]),
        BuiltIn::ContextSet { wide, .. } => (vec![number(*wide)], vec![]),
        BuiltIn::BackpressureInc | BuiltIn::BackpressureDec | BuiltIn::TaskCancel => {
            (vec![], vec![])
        }
        BuiltIn::TaskReturn { results, .. } => (Signature::returned(&home.types, *results), vec![]),
        BuiltIn::SubtaskCancel { .. } => (vec![I32], vec![I32]),
        BuiltIn::SubtaskDrop
        | BuiltIn::SetDrop
        | BuiltIn::ErrorDrop
        | BuiltIn::ThreadResumeLater => (vec![I32], vec![]),
        BuiltIn::SetNew | BuiltIn::ThreadIndex | BuiltIn::ThreadSuspend | BuiltIn::ThreadYield => {
            (vec![], vec![I32])
        }
        BuiltIn::SetWait(_)
        | BuiltIn::SetPoll(_)
        | BuiltIn::ErrorNew(_)
        | BuiltIn::ThreadNew(_) => (vec![I32, I32], vec![I32]),
        BuiltIn::Join | BuiltIn::ErrorMessage(_) => (vec![I32, I32], vec![]),
        BuiltIn::ThreadSwitch { .. } => (vec![I32], vec![I32]),
        BuiltIn::Pipe { ty, operation } => match operation {
            Operation::New => (vec![], vec![I64]),
            Operation::Copy { .. } => match home.types[*ty] {
                Defined::Future(_) => (vec![I32, I32], vec![I32]),
                _ => (vec![I32, I32, I32], vec![I32]),
            },
            Operation::Cancel { .. } => (vec![I32], vec![I32]),
            Operation::Drop { .. } => (vec![I32], vec![]),
        },
    }
}

fn run(store: &mut dyn AnyStore, home: &Home, built_in: &BuiltIn, slots: &mut [u64]) -> Result<()> {
    let instance = home.instance;
    match built_in {
        // These do not leave the instance.
        BuiltIn::ContextGet { slot, wide } => {
            let value = *store.state().context(instance, *slot)?;
            slots[0] = if *wide { value } else { u64::from(value as u32) };
            return Ok(());
        }
        BuiltIn::ContextSet { slot, wide } => {
            let value = if *wide { slots[0] } else { u64::from(slots[0] as u32) };
            *store.state().context(instance, *slot)? = value;
            return Ok(());
        }
        BuiltIn::BackpressureInc => return store.state().add_backpressure(instance),
        BuiltIn::BackpressureDec => return store.state().take_backpressure(instance),
        _ => check_leave(store, instance)?,
    }
    let state = store.state();
    let argument = |index: usize| slots.get(index).copied().unwrap_or_default() as u32;
    let result = match built_in {
        BuiltIn::ContextGet { .. }
        | BuiltIn::ContextSet { .. }
        | BuiltIn::BackpressureInc
        | BuiltIn::BackpressureDec
        | BuiltIn::ThreadNew(_) => return Ok(()),
        BuiltIn::TaskReturn { result, options, .. } => {
            return call::task_return(store, *result, *options, slots);
        }
        BuiltIn::TaskCancel => return state.cancel_task(instance),
        BuiltIn::SubtaskCancel { asynchronous } => {
            call::cancel_subtask(store, instance, *asynchronous, argument(0))?
        }
        BuiltIn::SubtaskDrop => return state.drop_subtask(instance, argument(0)),
        BuiltIn::SetNew => state.new_set(instance)?,
        BuiltIn::SetWait(memory) => {
            let event = wait(store, instance, argument(0))?;
            put_event(store, *memory, argument(1), event)?
        }
        BuiltIn::SetPoll(memory) => {
            let set = state.set(instance, argument(0))?;
            let event = state.event_of(set)?.unwrap_or(NONE);
            put_event(store, *memory, argument(1), event)?
        }
        BuiltIn::SetDrop => return state.drop_set(instance, argument(0)),
        BuiltIn::Join => return state.join(instance, argument(0), argument(1)),
        BuiltIn::Pipe { ty, operation } => {
            let request = |reads, options, asynchronous| Request {
                types: &home.types,
                resources: &home.resources,
                ty: *ty,
                options,
                asynchronous,
                reads,
            };
            match operation {
                Operation::New => {
                    let (reader, writer) = state.new_pipe(instance, &home.types, *ty)?;
                    slots[0] = u64::from(reader) | u64::from(writer) << 32;
                    return Ok(());
                }
                Operation::Copy { reads, options, asynchronous } => {
                    let length = match home.types[*ty] {
                        Defined::Future(_) => None,
                        _ => Some(argument(2)),
                    };
                    let request = request(*reads, *options, *asynchronous);
                    guest_copy(store, &request, argument(0), argument(1), length)?
                }
                Operation::Cancel { reads, asynchronous } => {
                    let options = Options { instance, ..Options::default() };
                    let request = request(*reads, options, *asynchronous);
                    guest_cancel(store, &request, argument(0))?
                }
                Operation::Drop { reads } => {
                    let ty = (&home.types, *ty);
                    return state.drop_end(instance, argument(0), ty, *reads);
                }
            }
        }
        BuiltIn::ErrorNew(options) => {
            let memory = store.split(options.memory);
            let text =
                LiftContext::new(home.cx(), *options, slots, memory).string(Place::Flat(0))?;
            store.state().new_error(instance, text.into())?
        }
        BuiltIn::ErrorMessage(options) => {
            let text = state.error_at(instance, argument(0))?;
            let address = argument(1) as usize;
            check_pointer(store.split(options.memory).0, address, 8, 4)?;
            let (cx, options) = (home.cx(), *options);
            let mut cx = LowerContext { cx, options, slots: &mut [], store };
            return cx.put_string(Place::Memory(address), &text);
        }
        BuiltIn::ErrorDrop => return state.drop_error(instance, argument(0)),
        BuiltIn::ThreadIndex => state.thread_index(instance)?,
        BuiltIn::ThreadResumeLater => return state.resume_later(instance, argument(0)),
        BuiltIn::ThreadSuspend => {
            thread::suspend(store, instance)?;
            0
        }
        BuiltIn::ThreadYield => {
            thread::give_turn(store, instance)?;
            0
        }
        BuiltIn::ThreadSwitch { yields, promotes } => {
            thread::switch(store, instance, *yields, *promotes, argument(0))?;
            0
        }
    };
    slots[0] = result.into();
    Ok(())
}

/// `waitable-set.wait`
fn wait(store: &mut dyn AnyStore, instance: RuntimeInstance, index: u32) -> Result<EventWords> {
    let state = store.state();
    let thread = state.check_block(instance)?;
    let set = state.set(instance, index)?;
    loop {
        let state = store.state();
        if let Some(event) = state.event_of(set)? {
            return Ok(event);
        }
        run::block(store, thread, Some(Wait::Set(set)))?;
    }
}

/// Writes what has happened to memory; the code is left.
fn put_event(
    store: &mut dyn AnyStore,
    memory: Memory,
    address: u32,
    [code, first, second]: EventWords,
) -> Result<u32> {
    let memory = store.split(Some(memory)).0;
    let address = address as usize;
    check_pointer(memory, address, 8, 4)?;
    let bytes = memory.get_mut(address..address + 8).unwrap_or_default();
    for (place, number) in bytes.chunks_exact_mut(4).zip([first, second]) {
        place.copy_from_slice(&number.to_le_bytes());
    }
    Ok(code)
}

impl Components {
    /// A number that a thread of an instance has of its own.
    fn context(&mut self, instance: RuntimeInstance, slot: u32) -> Result<&mut u64> {
        let context = match self.current(instance) {
            Some(thread) => &mut self.thread(thread)?.context,
            None => &mut self.instance_tasks(instance).context,
        };
        context.get_mut(slot as usize).ok_or_else(|| super::lost("the number"))
    }

    fn add_backpressure(&mut self, instance: RuntimeInstance) -> Result<()> {
        let count = &mut self.instance_tasks(instance).backpressure;
        if *count == u32::from(u16::MAX) {
            return Err(Error::trap_msg("backpressure counter overflow"));
        }
        *count += 1;
        Ok(())
    }

    fn take_backpressure(&mut self, instance: RuntimeInstance) -> Result<()> {
        let count = &mut self.instance_tasks(instance).backpressure;
        *count = count
            .checked_sub(1)
            .ok_or_else(|| Error::trap_msg("backpressure counter underflow"))?;
        if *count == 0 {
            self.wake(instance);
        }
        Ok(())
    }

    /// Gives an instance what is known of a failure.
    ///
    /// # Errors
    ///
    /// If there are too many handles.
    pub(crate) fn new_error(&mut self, instance: RuntimeInstance, text: Arc<str>) -> Result<u32> {
        let error = self.tasks.errors.insert(text);
        match self.insert_item(instance, Item::Error(error)) {
            Ok(index) => Ok(index),
            Err(failure) => {
                self.tasks.errors.remove(error);
                Err(failure)
            }
        }
    }

    /// What an instance knows of a failure.
    ///
    /// # Errors
    ///
    /// If there is no such handle.
    pub(crate) fn error_at(&mut self, instance: RuntimeInstance, index: u32) -> Result<Arc<str>> {
        match self.item(instance, index)? {
            Item::Error(error) => {
                self.tasks.errors.get(error).cloned().ok_or_else(|| super::lost("the error"))
            }
            Item::Waitable(_) | Item::Set(_) => Err(wrong(index, "an error context")),
        }
    }

    fn drop_error(&mut self, instance: RuntimeInstance, index: u32) -> Result<()> {
        self.error_at(instance, index)?;
        if let Item::Error(error) = self.remove_item(instance, index)? {
            self.tasks.errors.remove(error);
        }
        Ok(())
    }
}
