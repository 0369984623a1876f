//! `wasmi`, an interpreter: no garbage collection, exceptions or threads.
//!
//! In version 2.0.0 a `select` whose condition compares a local with zero or null takes the
//! wrong condition: the comparison is fused into it, and then the operand is looked
//! for in the register of the comparison's result. So it gets a copy of the module
//! in which something stands between the two. It also gives what a local has become for
//! what it was, if that waits below the parameters of a loop which changes the local. So
//! modules that have loops with types of functions are not for it.

use super::{HOST_FAILURE, Oracle};
use crate::outcome::{Ending, Event, Outcome, hash};
use crate::plan::{Host, Plan};
use crate::tame::{FUEL, FUEL_PER_CALL};
use crate::value::{Top, Value};
use std::convert::Infallible;
use wasm_encoder::CodeSection;
use wasm_encoder::reencode::{self, Reencode};
use wasmi::errors::{ErrorKind, InstantiationError};
use wasmi::{
    Config, Engine, Error, Extern, ExternType, Func, Global, Instance, Memory, Module, Nullable,
    Ref, Store, Table, TrapCode, V128, Val,
};
use wasmparser::{
    BlockType, CompositeInnerType, FunctionBody, Operator, Parser, Payload, RecGroup,
};
use zwasm::Trap;

/// The engine.
pub struct Wasmi(Engine);

impl Wasmi {
    pub fn new() -> Self {
        let mut config = Config::default();
        config
            .wasm_custom_page_sizes(true)
            .wasm_wide_arithmetic(true)
            .wasm_memory64(true)
            .wasm_multi_memory(true)
            .wasm_simd(true)
            .wasm_relaxed_simd(false);
        Self(Engine::new(&config))
    }
}

impl Oracle for Wasmi {
    fn has_one_nan(&self) -> bool {
        false
    }

    fn run(&self, bytes: &[u8], plan: &Plan) -> Option<Outcome> {
        let module = Module::new(&self.0, &apart(bytes)?).ok()?;
        let mut store = Store::new(&self.0, Host::new(plan));
        let mut functions = 0;
        let imports: Option<Vec<Extern>> = module
            .imports()
            .map(|import| stub(&mut store, import.ty().clone(), &mut functions))
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
            let Some(function) = instance.get_func(&store, &call.name) else {
                continue;
            };
            if let Some(fuel) = instance.get_global(&store, FUEL) {
                // The module has been made so that this holds.
                let _ = fuel.set(&mut store, Val::I32(FUEL_PER_CALL));
            }
            let arguments: Vec<Val> = call.arguments.iter().map(|value| to_val(*value)).collect();
            let results = function.ty(&store).results().len();
            let mut results = vec![Val::I32(0); results];
            let result = match function.call(&mut store, &arguments, &mut results) {
                Ok(()) => Ok(results.iter().map(to_value).collect()),
                Err(error) => Err(ending(&error)),
            };
            events.append(&mut store.data_mut().take());
            events.push(Event::Called(call.name.clone(), result));
        }
        look(&instance, &store, plan, &mut events);
        Some(events)
    }
}

/// The module with comparisons and selections apart; none if it is not for this engine.
fn apart(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut module = wasm_encoder::Module::new();
    let mut apart = Apart { with_params: Vec::new(), is_understood: true };
    for payload in Parser::new(0).parse_all(bytes) {
        let Payload::TypeSection(groups) = payload.ok()? else { continue };
        for ty in groups.into_iter().flatten().flat_map(RecGroup::into_types) {
            let inner = ty.composite_type.inner;
            let has_params =
                matches!(&inner, CompositeInnerType::Func(ty) if !ty.params().is_empty());
            apart.with_params.push(has_params);
        }
    }
    apart.parse_core_module(&mut module, Parser::new(0), bytes).ok()?;
    apart.is_understood.then(|| module.finish())
}

struct Apart {
    /// Which types are of functions with parameters.
    with_params: Vec<bool>,
    is_understood: bool,
}

impl Reencode for Apart {
    type Error = Infallible;

    fn parse_function_body(
        &mut self,
        code: &mut CodeSection,
        body: FunctionBody<'_>,
    ) -> Result<(), reencode::Error> {
        let mut function = self.new_function_with_parsed_locals(&body)?;
        let (bytes, base) = (body.as_bytes(), body.range().start);
        let mut reader = body.get_operators_reader()?;
        let mut compared = false;
        while !reader.eof() {
            let start = reader.original_position();
            let operator = reader.read()?;
            if compared && matches!(operator, Operator::Select | Operator::TypedSelect { .. }) {
                function.instructions().i32_const(1).i32_and();
            }
            if let Operator::Loop { blockty: BlockType::FuncType(ty) } = operator {
                self.is_understood &= self.with_params.get(ty as usize) == Some(&false);
            }
            compared = matches!(
                operator,
                Operator::I32Eqz | Operator::I32Eq | Operator::I32Ne | Operator::RefIsNull
            );
            let end = reader.original_position();
            function.raw(bytes[(start - base) as usize..(end - base) as usize].iter().copied());
        }
        code.function(&function);
        Ok(())
    }
}

fn look(instance: &Instance, store: &Store<Host>, plan: &Plan, events: &mut Outcome) {
    for name in &plan.globals {
        if let Some(global) = instance.get_global(store, name) {
            events.push(Event::Global(name.clone(), to_value(&global.get(store))));
        }
    }
    for name in &plan.memories {
        if let Some(memory) = instance.get_memory(store, name) {
            let data = memory.data(store);
            events.push(Event::Memory(name.clone(), data.len() as u64, hash(data)));
        }
    }
    for name in &plan.tables {
        if let Some(table) = instance.get_table(store, name) {
            let nulls = (0..table.size(store))
                .filter_map(|index| table.get(store, index))
                .map(|value| value.is_null())
                .collect();
            events.push(Event::Table(name.clone(), nulls));
        }
    }
}

/// Something to import.
fn stub(store: &mut Store<Host>, ty: ExternType, functions: &mut u32) -> Option<Extern> {
    Some(match ty {
        ExternType::Func(ty) => {
            let index = *functions;
            *functions += 1;
            Func::new(store, ty, move |mut caller, arguments, results| {
                let arguments = arguments.iter().map(to_value).collect();
                let answer = caller.data_mut().answer(index, arguments);
                let answer = answer.ok_or_else(|| Error::new(HOST_FAILURE))?;
                for (result, value) in results.iter_mut().zip(answer) {
                    *result = to_val(value);
                }
                Ok(())
            })
            .into()
        }
        ExternType::Table(ty) => {
            let null = Ref::default_for_ty(ty.element());
            Table::new(store, ty, null).ok()?.into()
        }
        ExternType::Memory(ty) => Memory::new(store, ty).ok()?.into(),
        ExternType::Global(ty) => {
            let zero = Val::default_for_ty(ty.content());
            Global::new(store, zero, ty.mutability()).into()
        }
    })
}

fn ending(error: &Error) -> Ending {
    if let ErrorKind::Instantiation(InstantiationError::ElementSegmentDoesNotFit { .. }) =
        error.kind()
    {
        return Ending::trap(Trap::TableOutOfBounds);
    }
    let Some(code) = error.as_trap_code() else {
        return Ending::Failed(error.to_string());
    };
    Ending::trap(match code {
        TrapCode::UnreachableCodeReached => Trap::UnreachableCodeReached,
        TrapCode::MemoryOutOfBounds => Trap::MemoryOutOfBounds,
        TrapCode::TableOutOfBounds => Trap::TableOutOfBounds,
        TrapCode::IndirectCallToNull => Trap::IndirectCallToNull,
        TrapCode::IntegerDivisionByZero => Trap::IntegerDivisionByZero,
        TrapCode::IntegerOverflow => Trap::IntegerOverflow,
        TrapCode::BadConversionToInteger => Trap::BadConversionToInteger,
        TrapCode::BadSignature => Trap::BadSignature,
        TrapCode::StackOverflow
        | TrapCode::OutOfFuel
        | TrapCode::GrowthOperationLimited
        | TrapCode::OutOfSystemMemory => return Ending::Exhausted,
    })
}

fn to_val(value: Value) -> Val {
    match value {
        Value::I32(value) => Val::I32(value),
        Value::I64(value) => Val::I64(value),
        Value::F32(bits) => Val::F32(wasmi::F32::from_bits(bits)),
        Value::F64(bits) => Val::F64(wasmi::F64::from_bits(bits)),
        Value::V128(bits) => Val::V128(V128::from(bits)),
        Value::Null(Top::Extern) => Val::ExternRef(Nullable::Null),
        // There are no others in modules that this engine accepts.
        Value::Null(_) | Value::I31(_) | Value::Reference(_) => Val::FuncRef(Nullable::Null),
    }
}

fn to_value(val: &Val) -> Value {
    let reference = |is_null, top| if is_null { Value::Null(top) } else { Value::Reference(top) };
    match val {
        Val::I32(value) => Value::I32(*value),
        Val::I64(value) => Value::I64(*value),
        Val::F32(value) => Value::F32(value.to_bits()),
        Val::F64(value) => Value::F64(value.to_bits()),
        Val::V128(value) => Value::V128(value.as_u128()),
        Val::FuncRef(func) => reference(func.is_null(), Top::Func),
        Val::ExternRef(each) => reference(each.is_null(), Top::Extern),
    }
}
