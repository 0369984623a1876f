//! `wasmtime`, a compiler that knows every proposal.

use super::strict::strict;
use super::{HOST_FAILURE, Oracle};
use crate::outcome::{Ending, Event, Outcome, hash};
use crate::plan::{Host, Plan};
use crate::tame::{FUEL, FUEL_PER_CALL};
use crate::value::{Top, Value};
use wasmtime::{
    AnyRef, AsContext, AsContextMut, Config, Engine, Error, Extern, ExternType, Func, Global, I31,
    Instance, Memory, Module, OptLevel, Ref, RefType, SharedMemory, Store, Table, Tag,
    ThrownException, Val, ValType,
};
use zwasm::Trap;

/// The engine.
pub struct Wasmtime(Engine);

impl Wasmtime {
    /// # Panics
    ///
    /// If this machine is none that it compiles for.
    pub fn new() -> Self {
        let mut config = Config::new();
        config
            .cranelift_opt_level(OptLevel::Speed)
            .cranelift_nan_canonicalization(true)
            .wasm_backtrace_max_frames(None)
            .wasm_tail_call(true)
            .wasm_custom_page_sizes(true)
            .wasm_threads(true)
            .shared_memory(true)
            .wasm_function_references(true)
            .wasm_gc(true)
            .wasm_exceptions(true)
            .wasm_wide_arithmetic(true)
            .wasm_multi_memory(true)
            .wasm_memory64(true)
            .wasm_extended_const(true)
            .wasm_relaxed_simd(true)
            .relaxed_simd_deterministic(true);
        Self(Engine::new(&config).expect("it compiles for this machine"))
    }
}

impl Oracle for Wasmtime {
    fn has_one_nan(&self) -> bool {
        true
    }

    fn run(&self, bytes: &[u8], plan: &Plan) -> Option<Outcome> {
        let module = Module::new(&self.0, strict(bytes)?).ok()?;
        let mut store = Store::new(&self.0, Host::new(plan));
        let mut functions = 0;
        let imports: Option<Vec<Extern>> = module
            .imports()
            .map(|import| stub(&mut store, &self.0, import.ty(), &mut functions))
            .collect();
        let Some(imports) = imports else {
            return Some(vec![Event::NotMade(Ending::Failed(HOST_FAILURE.into()))]);
        };
        let instance = Instance::new(&mut store, &module, &imports);
        let mut events = store.data_mut().take();
        let instance = match instance {
            Ok(instance) => instance,
            Err(error) => {
                events.push(Event::NotMade(ending(&error)));
                return Some(events);
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
            let arguments: Vec<Val> =
                call.arguments.iter().map(|value| to_val(&mut store, *value)).collect();
            let results = function.ty(&store).results().len();
            let mut results = vec![Val::I32(0); results];
            let result = match function.call(&mut store, &arguments, &mut results) {
                Ok(()) => Ok(results.iter().map(|val| to_value(&store, val)).collect()),
                Err(error) => Err(ending(&error)),
            };
            events.append(&mut store.data_mut().take());
            events.push(Event::Called(call.name.clone(), result));
        }
        look(&instance, &mut store, plan, &mut events);
        Some(events)
    }
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
        } else if let Some(memory) = instance.get_shared_memory(&mut *store, name)
            && let Some(data) = contents(&memory, store)
        {
            events.push(Event::Memory(name.clone(), data.len() as u64, hash(&data)));
        }
    }
    for name in &plan.tables {
        if let Some(table) = instance.get_table(&mut *store, name) {
            let nulls = (0..table.size(&*store))
                .filter_map(|index| table.get(&mut *store, index))
                .map(|value| value.is_null())
                .collect();
            events.push(Event::Table(name.clone(), nulls));
        }
    }
}

/// What a shared memory holds. Only a guest can look at it safely, so one copies it.
fn contents(memory: &SharedMemory, store: &mut Store<Host>) -> Option<Vec<u8>> {
    let ty = memory.ty();
    let (least, most, pages) = (ty.minimum(), ty.maximum()?, memory.size());
    let address = if ty.is_64() { "i64" } else { "i32" };
    let (page, bytes) = (ty.page_size(), memory.data_size());
    let copier = format!(
        r#"(module
             (import "" "" (memory $shared {address} {least} {most} shared (pagesize {page})))
             (memory $own (export "own") {address} {pages} (pagesize {page}))
             (func $copy
               ({address}.const 0) ({address}.const 0) ({address}.const {bytes})
               (memory.copy $own $shared))
             (start $copy))"#
    );
    let module = Module::new(store.engine(), wat::parse_str(copier).ok()?).ok()?;
    let instance = Instance::new(&mut *store, &module, &[memory.clone().into()]).ok()?;
    Some(instance.get_memory(&mut *store, "own")?.data(&*store).to_vec())
}

/// Something to import.
fn stub(
    store: &mut Store<Host>,
    engine: &Engine,
    ty: ExternType,
    functions: &mut u32,
) -> Option<Extern> {
    Some(match ty {
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
        ExternType::Table(ty) => {
            let null = Ref::null(ty.element().heap_type());
            Table::new(store, ty, null).ok()?.into()
        }
        ExternType::Memory(ty) if ty.is_shared() => SharedMemory::new(engine, ty).ok()?.into(),
        ExternType::Memory(ty) => Memory::new(store, ty).ok()?.into(),
        ExternType::Global(ty) => {
            let zero = match ty.content() {
                ValType::Ref(content) => nullable(content),
                content => content.default_value(),
            };
            Global::new(store, ty, zero?).ok()?.into()
        }
        ExternType::Tag(ty) => Tag::new(store, &ty).ok()?.into(),
    })
}

fn nullable(ty: &RefType) -> Option<Val> {
    ty.is_nullable().then(|| Val::null_ref(ty.heap_type()))
}

fn ending(error: &Error) -> Ending {
    use wasmtime::Trap as Theirs;
    if error.is::<ThrownException>() {
        return Ending::Exception;
    }
    if error.is::<wasmtime::GcHeapOutOfMemory<()>>() {
        return Ending::Exhausted;
    }
    let Some(trap) = error.downcast_ref::<Theirs>() else {
        return Ending::Failed(error.to_string());
    };
    Ending::trap(match trap {
        Theirs::UnreachableCodeReached => Trap::UnreachableCodeReached,
        Theirs::MemoryOutOfBounds => Trap::MemoryOutOfBounds,
        Theirs::TableOutOfBounds => Trap::TableOutOfBounds,
        Theirs::IndirectCallToNull => Trap::IndirectCallToNull,
        Theirs::IntegerDivisionByZero => Trap::IntegerDivisionByZero,
        Theirs::IntegerOverflow => Trap::IntegerOverflow,
        Theirs::BadConversionToInteger => Trap::BadConversionToInteger,
        Theirs::BadSignature => Trap::BadSignature,
        Theirs::HeapMisaligned => Trap::HeapMisaligned,
        Theirs::AtomicWaitNonSharedMemory => Trap::AtomicWaitNonSharedMemory,
        Theirs::NullReference => Trap::NullReference,
        Theirs::ArrayOutOfBounds => Trap::ArrayOutOfBounds,
        Theirs::CastFailure => Trap::CastFailure,
        Theirs::StackOverflow | Theirs::AllocationTooLarge => return Ending::Exhausted,
        _ => return Ending::Failed(trap.to_string()),
    })
}

fn to_val(store: impl AsContextMut, value: Value) -> Val {
    match value {
        Value::I32(value) => Val::I32(value),
        Value::I64(value) => Val::I64(value),
        Value::F32(bits) => Val::F32(bits),
        Value::F64(bits) => Val::F64(bits),
        Value::V128(bits) => Val::V128(bits.into()),
        Value::I31(bits) => Val::AnyRef(Some(AnyRef::from_i31(store, I31::wrapping_u32(bits)))),
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
        Val::ContRef(_) => Value::Reference(Top::Any),
        Val::AnyRef(None) => Value::Null(Top::Any),
        Val::AnyRef(Some(any)) => match any.as_i31(store) {
            Ok(Some(bits)) => Value::I31(bits.get_u32()),
            _ => Value::Reference(Top::Any),
        },
    }
}
