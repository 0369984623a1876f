//! Our engine.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use super::HOST_FAILURE;
use crate::outcome::{Ending, Event, Outcome, hash};
use crate::plan::{Host, Plan};
use crate::tame::{FUEL, FUEL_PER_CALL};
use crate::value::{Top, Value};
use zwasm::{
    AnyRef, AsContext, AsContextMut, Engine, Error, ErrorKind, Extern, ExternType, Func, I31,
    Instance, Memory, Module, SharedMemory, Store, Tag, Trap, Val,
};

/// How many frames of a backtrace are compared: fewer than any mode keeps.
const FRAMES: usize = 16;

/// Runs a module.
pub fn run(engine: &Engine, bytes: &[u8], plan: &Plan) -> Outcome {
    match Module::from_binary(engine, bytes) {
        Ok(module) => run_instance(&module, plan, None),
        Err(error) => vec![Event::Refused(error.to_string())],
    }
}

/// Runs a module that gives others their turns, if the plan has any.
pub fn run_in_turns(engine: &Engine, bytes: &[u8], plan: &Plan) -> Outcome {
    match Module::from_binary(engine, bytes) {
        Ok(module) => run_instance(&module, plan, plan.turns),
        Err(error) => vec![Event::Refused(error.to_string())],
    }
}

/// Runs a module in two instances, one after the other. The second begins with the code that
/// the first has had made, and gives others their turns.
pub fn run_twice(engine: &Engine, bytes: &[u8], plan: &Plan) -> [Outcome; 2] {
    match Module::from_binary(engine, bytes) {
        Ok(module) => [None, plan.turns].map(|turns| run_instance(&module, plan, turns)),
        Err(error) => [(); 2].map(|()| vec![Event::Refused(error.to_string())]),
    }
}

/// Polls until there is an answer.
fn wait<R>(future: impl Future<Output = R>) -> R {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(result) = future.as_mut().poll(&mut context) {
            return result;
        }
    }
}

fn run_instance(module: &Module, plan: &Plan, turns: Option<u64>) -> Outcome {
    let engine = module.engine();
    let mut store = Store::new(engine, Host::new(plan));
    if let Some(fuel) = plan.fuel {
        // The engine has been made so that this holds, here and below.
        let _ = store.set_fuel(fuel);
        let _ = store.fuel_async_yield_interval(turns);
    }
    let mut functions = 0;
    let imports: Result<Vec<Extern>, Error> = module
        .imports()
        .map(|import| stub(&mut store, engine, import.ty(), &mut functions))
        .collect();
    let instance = imports.and_then(|imports| match turns {
        None => Instance::new(&mut store, module, &imports),
        Some(_) => wait(Instance::new_async(&mut store, module, &imports)),
    });
    let mut events = store.data_mut().take();
    let instance = match instance {
        Ok(instance) => instance,
        Err(error) => {
            events.push(Event::NotMade(ending(&error)));
            events.extend(place(&error));
            return events;
        }
    };
    for call in &plan.calls {
        let Some(function) = instance.get_func(&mut store, &call.name) else {
            continue;
        };
        if let Some(fuel) = instance.get_global(&mut store, FUEL) {
            // The module has been made so that this holds.
            let _ = fuel.set(&mut store, Val::I32(FUEL_PER_CALL));
        }
        if let Some(fuel) = plan.fuel {
            let _ = store.set_fuel(fuel);
        }
        let arguments: Vec<Val> =
            call.arguments.iter().map(|value| to_val(&mut store, *value)).collect();
        let mut results = vec![Val::I32(0); function.ty(&store).results().len()];
        let called = match turns {
            None => function.call(&mut store, &arguments, &mut results),
            Some(_) => wait(function.call_async(&mut store, &arguments, &mut results)),
        };
        let (result, place) = match called {
            Ok(()) => (Ok(results.iter().map(|val| to_value(&store, val)).collect()), None),
            Err(error) => (Err(ending(&error)), place(&error)),
        };
        events.append(&mut store.data_mut().take());
        events.push(Event::Called(call.name.clone(), result));
        events.extend(place);
        if plan.fuel.is_some()
            && let Ok(left) = store.get_fuel()
        {
            events.push(Event::Fuel(left));
        }
    }
    look(&instance, &mut store, plan, &mut events);
    events
}

fn look(instance: &Instance, store: &mut Store<Host>, plan: &Plan, events: &mut Outcome) {
    for name in &plan.globals {
        if let Some(global) = instance.get_global(&mut *store, name) {
            let value = global.get(&mut *store);
            events.push(Event::Global(name.clone(), to_value(&*store, &value)));
        }
    }
    for name in &plan.memories {
        if let Some(memory) = instance.get_memory(&mut *store, name) {
            let data = memory.data(&*store);
            events.push(Event::Memory(name.clone(), data.len() as u64, hash(data)));
        } else if let Some(memory) = instance.get_shared_memory(&mut *store, name) {
            let mut data = vec![0; memory.data_size()];
            if memory.read(0, &mut data).is_ok() {
                events.push(Event::Memory(name.clone(), data.len() as u64, hash(&data)));
            }
        }
    }
    for name in &plan.tables {
        if let Some(table) = instance.get_table(&mut *store, name) {
            let nulls = (0..table.size(&*store))
                .filter_map(|index| table.get(&mut *store, index))
                .map(|reference| reference.is_null())
                .collect();
            events.push(Event::Table(name.clone(), nulls));
        }
    }
}

/// Something to import.
fn stub(
    store: &mut Store<Host>,
    engine: &Engine,
    ty: ExternType,
    functions: &mut u32,
) -> Result<Extern, Error> {
    Ok(match ty {
        ExternType::Func(ty) => {
            let index = *functions;
            *functions += 1;
            Func::new(store, ty, move |mut caller, arguments, results| {
                let arguments = arguments.iter().map(|val| to_value(&caller, val)).collect();
                let answer = caller.data_mut().answer(index, arguments);
                let answer = answer.ok_or_else(|| Error::msg(HOST_FAILURE))?;
                for (result, value) in results.iter_mut().zip(answer) {
                    *result = to_val(&mut caller, value);
                }
                Ok(())
            })
            .into()
        }
        ExternType::Table(ty) => ty.default_value(store).map_err(no_default)?.into(),
        ExternType::Memory(ty) if ty.is_shared() => SharedMemory::new(engine, ty)?.into(),
        ExternType::Memory(ty) => Memory::new(store, ty)?.into(),
        ExternType::Global(ty) => ty.default_value(store).map_err(no_default)?.into(),
        ExternType::Tag(ty) => Tag::new(store, &ty)?.into(),
    })
}

fn ending(error: &Error) -> Ending {
    match (error.trap(), error.kind()) {
        (Some(Trap::StackOverflow), _) | (_, ErrorKind::Limit | ErrorKind::OutOfMemory) => {
            Ending::Exhausted
        }
        (Some(trap), _) => {
            Ending::Trap(trap, error.trap_message().unwrap_or_else(|| trap.message()))
        }
        (_, ErrorKind::Exception) => Ending::Exception,
        _ => Ending::Failed(error.summary()),
    }
}

/// Why an import cannot be made up, without the number of a type, which is another one in
/// each engine.
fn no_default(error: Error) -> Error {
    match error.kind() {
        ErrorKind::Limit | ErrorKind::OutOfMemory => error,
        _ => Error::msg("there is no default value for an import"),
    }
}

/// Where it ended, if the engine tells.
fn place(error: &Error) -> Option<Event> {
    let frames = error.backtrace()?.frames().iter().take(FRAMES);
    Some(Event::At(frames.map(|frame| (frame.func_index(), frame.module_offset())).collect()))
}

fn to_val(store: impl AsContextMut, value: Value) -> Val {
    match value {
        Value::I32(value) => Val::I32(value),
        Value::I64(value) => Val::I64(value),
        Value::F32(bits) => Val::F32(bits),
        Value::F64(bits) => Val::F64(bits),
        Value::V128(bits) => Val::V128(bits.into()),
        Value::I31(bits) => AnyRef::from_i31(store, I31::wrapping_u32(bits)).into(),
        Value::Null(top) | Value::Reference(top) => match top {
            Top::Func => Val::FuncRef(None),
            Top::Extern => Val::ExternRef(None),
            Top::Any => Val::AnyRef(None),
            Top::Exn => Val::ExnRef(None),
        },
    }
}

fn to_value(store: impl AsContext, val: &Val) -> Value {
    let reference = |is_null, top| if is_null { Value::Null(top) } else { Value::Reference(top) };
    match val {
        Val::I32(value) => Value::I32(*value),
        Val::I64(value) => Value::I64(*value),
        Val::F32(bits) => Value::F32(*bits),
        Val::F64(bits) => Value::F64(*bits),
        Val::V128(bits) => Value::V128(bits.as_u128()),
        Val::FuncRef(func) => reference(func.is_none(), Top::Func),
        Val::ExternRef(each) => reference(each.is_none(), Top::Extern),
        Val::ExnRef(exn) => reference(exn.is_none(), Top::Exn),
        Val::AnyRef(None) => Value::Null(Top::Any),
        Val::AnyRef(Some(any)) => match any.as_i31(store) {
            Ok(Some(integer)) => Value::I31(integer.get_u32()),
            _ => Value::Reference(Top::Any),
        },
    }
}
