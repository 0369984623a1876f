//! What is done with a mutant that is a valid component: it is instantiated with imports
//! that trap, and what it exports is called with values of the types that it says, all of
//! it with little fuel and memory.

use super::{GUEST_ELEMENTS, GUEST_MEMORY};
use zwasm::{Config, Engine, Error, ErrorKind, Store, Strategy};
use zwasm_component::types::ComponentItem;
use zwasm_component::{Component, Instance, Linker, Type, Val};

/// Fuel for instantiation, and for each call.
const FUEL: u64 = 200_000;
/// Bytes that all memories and tables of a mutant may take together.
const MOST_MEMORY: u64 = 4 * GUEST_MEMORY;
/// Functions called of one component.
const MOST_CALLS: usize = 50;
/// How deep instances within instances are looked into.
const DEPTH: usize = 8;

/// An engine whose guests end, with functions in either tier.
pub(super) fn engine(seed: u64) -> zwasm::Result<Engine> {
    let mut config = Config::new();
    config.max_memory(GUEST_MEMORY).max_table_elements(GUEST_ELEMENTS);
    config.max_total(MOST_MEMORY).consume_fuel(true).strategy(Strategy::Mixed(seed));
    Engine::new(&config)
}

/// Whether an instance could be made, and how many functions of it were called.
///
/// # Errors
/// When something ends in another way than it must; the text says how.
pub(super) fn probe(engine: &Engine, component: &Component) -> (bool, Result<usize, String>) {
    let mut linker = Linker::new(engine);
    if let Err(error) = linker.define_unknown_imports_as_traps(component) {
        return (false, orderly("imports", &error).map(|()| 0));
    }
    let mut store = Store::new(engine, ());
    if let Err(error) = store.set_fuel(FUEL) {
        return (false, Err(error.summary()));
    }
    let instance = match linker.instantiate(&mut store, component) {
        Ok(instance) => instance,
        Err(error) => return (false, orderly("instantiation", &error).map(|()| 0)),
    };
    let mut names = Vec::new();
    for (name, item) in instance.exports(&mut store) {
        functions(name, item, DEPTH, &mut names);
    }
    let mut called = 0;
    for name in names.into_iter().take(MOST_CALLS) {
        match call(&mut store, instance, &name) {
            Ok(true) => called += 1,
            Ok(false) => {}
            Err(wrong) => return (true, Err(wrong)),
        }
    }
    (true, Ok(called))
}

/// The names of functions that are exported.
fn functions(path: String, item: ComponentItem, depth: usize, names: &mut Vec<String>) {
    match item {
        ComponentItem::ComponentFunc(_) => names.push(path),
        ComponentItem::ComponentInstance(within) if depth > 0 => {
            for (name, item) in within.exports() {
                functions(format!("{path}#{name}"), item, depth - 1, names);
            }
        }
        _ => {}
    }
}

/// Calls a function, if there are values for its parameters.
fn call(store: &mut Store<()>, instance: Instance, name: &str) -> Result<bool, String> {
    let Some(func) = instance.get_func(&mut *store, name) else {
        return Err(format!("no exported function {name}"));
    };
    let ty = func.ty(&*store);
    let Some(arguments) = ty.params().map(|(_, ty)| default(&ty)).collect::<Option<Vec<Val>>>()
    else {
        return Ok(false);
    };
    let mut results = vec![Val::Bool(false); ty.results().len()];
    store.set_fuel(FUEL).map_err(|error| error.summary())?;
    match func.call(&mut *store, &arguments, &mut results) {
        Ok(()) => {
            for result in results {
                if let Val::Resource(handle) = result
                    && let Err(error) = handle.resource_drop(&mut *store)
                {
                    orderly("a destructor", &error)?;
                }
            }
        }
        Err(error) => orderly(name, &error)?,
    }
    Ok(true)
}

/// Whether something may end so.
fn orderly(what: &str, error: &Error) -> Result<(), String> {
    let text = error.summary();
    if text.is_empty() || text.contains('\n') {
        return Err(format!("{what}: error is not one line: {text:?}"));
    }
    match error.kind() {
        ErrorKind::Io => Err(format!("{what} ended with: {text}")),
        _ => Ok(()),
    }
}

/// A value of a type, with something in every list; none if it has handles.
fn default(ty: &Type) -> Option<Val> {
    let boxed = |ty: Option<Type>| match ty {
        Some(ty) => Some(Some(Box::new(default(&ty)?))),
        None => Some(None),
    };
    Some(match ty {
        Type::Bool => Val::Bool(true),
        Type::S8 => Val::S8(-1),
        Type::U8 => Val::U8(1),
        Type::S16 => Val::S16(-1),
        Type::U16 => Val::U16(1),
        Type::S32 => Val::S32(-1),
        Type::U32 => Val::U32(1),
        Type::S64 => Val::S64(-1),
        Type::U64 => Val::U64(1),
        Type::Float32 => Val::Float32(1.5),
        Type::Float64 => Val::Float64(1.5),
        Type::Char => Val::Char('\u{1f600}'),
        Type::String => Val::String("t\u{e9}xt \u{20ac}".into()),
        Type::List(list) => Val::List(vec![default(&list.ty())?; 2]),
        Type::Map(map) => Val::Map(vec![(default(&map.key())?, default(&map.value())?)]),
        Type::FixedLengthList(list) => {
            // Of what is too long to be made, nothing is known.
            let length = usize::try_from(list.len()).ok().filter(|length| *length <= 1000)?;
            Val::FixedLengthList(vec![default(&list.ty())?; length])
        }
        Type::Record(record) => {
            let fields =
                record.fields().map(|field| Some((field.name.into(), default(&field.ty)?)));
            Val::Record(fields.collect::<Option<_>>()?)
        }
        Type::Tuple(tuple) => {
            Val::Tuple(tuple.types().map(|ty| default(&ty)).collect::<Option<_>>()?)
        }
        Type::Variant(variant) => {
            let last = variant.cases().last()?;
            Val::Variant(last.name.into(), boxed(last.ty)?)
        }
        Type::Enum(ty) => Val::Enum(ty.names().last()?.into()),
        Type::Option(option) => Val::Option(boxed(Some(option.ty()))?),
        Type::Result(result) => Val::Result(Ok(boxed(result.ok())?)),
        Type::Flags(flags) => Val::Flags(flags.names().map(Into::into).collect()),
        Type::Own(_) | Type::Borrow(_) | Type::Stream(_) | Type::Future(_) | Type::ErrorContext => {
            return None;
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_exported_is_called() {
        let engine = engine(1).unwrap();
        let component = |text: &str| {
            let buffer = wast::parser::ParseBuffer::new(text).unwrap();
            let bytes = wast::parser::parse::<wast::Wat<'_>>(&buffer).unwrap().encode().unwrap();
            Component::from_binary(&engine, &bytes).unwrap()
        };
        let good = component(
            r#"(component
              (import "f" (func $f))
              (core func $f (canon lower (func $f)))
              (core module $m
                (import "" "f" (func $f))
                (func (export "loop") (loop (br 0)))
                (func (export "call") (call $f))
                (func (export "add") (param i32 f32) (result i32) (local.get 0)))
              (core instance $i (instantiate $m (with "" (instance (export "f" (func $f))))))
              (func $loop (export "loop") (canon lift (core func $i "loop")))
              (func (export "call") (canon lift (core func $i "call")))
              (func (export "add") (param "a" u8) (param "b" f32) (result char)
                (canon lift (core func $i "add")))
              (instance (export "a:b/c") (export "loop" (func $loop))))"#,
        );
        let (instantiated, called) = probe(&engine, &good);
        assert!(instantiated);
        assert_eq!(called, Ok(4));
        let stuck = component(
            r#"(component
              (core module $m (func $f (loop (br 0))) (start $f))
              (core instance (instantiate $m)))"#,
        );
        assert_eq!(probe(&engine, &stuck), (false, Ok(0)));
    }
}
