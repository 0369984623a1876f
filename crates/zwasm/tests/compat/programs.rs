//! Small embedders: a filter server, a plugin host, and the loop of a game with scripts.

use std::collections::BTreeMap;

use engine::error::Context as _;
use engine::{
    Caller, Config, Engine, Extern, Instance, InstancePre, Linker, Module, OwnedRooted, Result,
    Store, StoreLimits, StoreLimitsBuilder, StructRef, Trap, TypedFunc, format_err,
};

/// Requests go through a filter, each in a store of its own with a budget.
struct Filters {
    engine: Engine,
    filter: InstancePre<Request>,
}

struct Request {
    headers: BTreeMap<String, String>,
    limits: StoreLimits,
}

fn text(caller: &mut Caller<'_, Request>, at: u32, len: u32) -> Result<String> {
    let memory = caller.get_export("memory").and_then(Extern::into_memory);
    let memory = memory.ok_or_else(|| format_err!("the filter has no memory"))?;
    let bytes = memory.data(&*caller).get(at as usize..).and_then(|data| data.get(..len as usize));
    let bytes = bytes.ok_or(Trap::MemoryOutOfBounds)?;
    String::from_utf8(bytes.to_vec()).context("no text")
}

impl Filters {
    fn new(text_of_filter: &str) -> Result<Filters> {
        let mut config = Config::new();
        config.consume_fuel(true);
        let engine = Engine::new(&config)?;
        let module = Module::new(&engine, text_of_filter).context("cannot load the filter")?;
        let mut linker = Linker::new(&engine);
        linker.func_wrap(
            "http",
            "has",
            |mut caller: Caller<'_, Request>, at: u32, len: u32| -> Result<u32> {
                let name = text(&mut caller, at, len)?;
                Ok(caller.data().headers.contains_key(&name).into())
            },
        )?;
        Ok(Filters { filter: linker.instantiate_pre(&module)?, engine })
    }

    fn admit(&self, headers: &[(&str, &str)]) -> Result<bool> {
        let headers = headers.iter().map(|(name, value)| (name.to_string(), value.to_string()));
        let limits = StoreLimitsBuilder::new().memory_size(1 << 20).build();
        let mut store = Store::new(&self.engine, Request { headers: headers.collect(), limits });
        store.limiter(|request| &mut request.limits);
        store.set_fuel(10_000)?;
        let instance = self.filter.instantiate(&mut store)?;
        let admit = instance.get_typed_func::<(), u32>(&mut store, "admit")?;
        Ok(admit.call(&mut store, ()).context("the filter failed")? != 0)
    }
}

#[test]
fn a_filter_server() -> Result<()> {
    let filters = Filters::new(
        r#"(module
            (import "http" "has" (func $has (param i32 i32) (result i32)))
            (memory (export "memory") 1) (data (i32.const 8) "tokenloop")
            (func (export "admit") (result i32)
                (loop $again (br_if $again (call $has (i32.const 13) (i32.const 4))))
                (call $has (i32.const 8) (i32.const 5))))"#,
    )?;
    assert!(filters.admit(&[("token", "x")])?);
    assert!(!filters.admit(&[("accept", "*")])?);
    let error = filters.admit(&[("loop", "1")]).unwrap_err();
    assert_eq!(error.to_string(), "the filter failed");
    assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::OutOfFuel));
    let Err(error) = Filters::new("(module (func unknown))") else { panic!("it loads") };
    assert_eq!(error.to_string(), "cannot load the filter");
    Ok(())
}

/// Plugins that live on and register what they can do.
#[derive(Default)]
struct Registry(Vec<(String, u32)>);

#[test]
fn a_plugin_host() -> Result<()> {
    let engine = Engine::default();
    let mut linker = Linker::<Registry>::new(&engine);
    linker.func_wrap(
        "host",
        "register",
        |mut caller: Caller<'_, Registry>, at: u32, len: u32, slot: u32| -> Result<()> {
            let Some(Extern::Memory(memory)) = caller.get_export("memory") else {
                engine::bail!("the plugin has no memory");
            };
            let (data, registry) = memory.data_and_store_mut(&mut caller);
            let name = data.get(at as usize..).and_then(|data| data.get(..len as usize));
            let name = std::str::from_utf8(name.ok_or(Trap::MemoryOutOfBounds)?)?;
            registry.0.push((name.to_owned(), slot));
            Ok(())
        },
    )?;
    let plugin = Module::new(
        &engine,
        r#"(module
            (import "host" "register" (func $register (param i32 i32 i32)))
            (memory (export "memory") 1) (data (i32.const 0) "doublesquare")
            (table (export "table") 2 funcref)
            (elem (i32.const 0) $double $square)
            (func $double (param i32) (result i32) (i32.shl (local.get 0) (i32.const 1)))
            (func $square (param i32) (result i32) (i32.mul (local.get 0) (local.get 0)))
            (func (export "init")
                (call $register (i32.const 0) (i32.const 6) (i32.const 0))
                (call $register (i32.const 6) (i32.const 6) (i32.const 1))))"#,
    )?;
    let mut store = Store::new(&engine, Registry::default());
    let instance = linker.instantiate(&mut store, &plugin)?;
    instance.get_typed_func::<(), ()>(&mut store, "init")?.call(&mut store, ())?;
    let table = instance.get_table(&mut store, "table").expect("it is exported");
    let registered = std::mem::take(&mut store.data_mut().0);
    let mut commands = BTreeMap::new();
    for (name, slot) in registered {
        let element = table.get(&mut store, slot.into()).context("no such slot")?;
        let func = *element.unwrap_func().context("nothing is in the slot")?;
        commands.insert(name, func.typed::<i32, i32>(&store)?);
    }
    assert_eq!(commands["double"].call(&mut store, 21)?, 42);
    assert_eq!(commands["square"].call(&mut store, 7)?, 49);
    Ok(())
}

/// Scripts own objects of the guest's heap, which the game keeps from frame to frame.
struct Game {
    store: Store<u32>,
    step: TypedFunc<(Option<engine::Rooted<engine::AnyRef>>, i32), i32>,
    actors: Vec<OwnedRooted<StructRef>>,
}

impl Game {
    fn new(count: i32) -> Result<Game> {
        let engine = Engine::default();
        let module = Module::new(
            &engine,
            r#"(module
                (import "game" "draw" (func $draw (param i32)))
                (type $actor (struct (field (mut i32)) (field i32)))
                (func (export "spawn") (param i32) (result (ref $actor))
                    (struct.new $actor (i32.const 0) (local.get 0)))
                (func (export "step") (param $a (ref null $actor)) (param $time i32) (result i32)
                    (struct.set $actor 0 (local.get $a)
                        (i32.add (struct.get $actor 0 (local.get $a))
                            (i32.mul (struct.get $actor 1 (local.get $a)) (local.get $time))))
                    (call $draw (struct.get $actor 0 (local.get $a)))
                    (struct.get $actor 0 (local.get $a))))"#,
        )?;
        let mut linker = Linker::new(&engine);
        linker.func_wrap("game", "draw", |mut caller: Caller<'_, u32>, _at: i32| {
            *caller.data_mut() += 1;
        })?;
        let mut store = Store::new(&engine, 0);
        let instance: Instance = linker.instantiate(&mut store, &module)?;
        let spawn = instance.get_typed_func::<i32, OwnedRooted<StructRef>>(&mut store, "spawn")?;
        let actors: Result<Vec<_>> =
            (1..=count).map(|speed| spawn.call(&mut store, speed)).collect();
        let step = instance.get_typed_func(&mut store, "step")?;
        Ok(Game { actors: actors?, store, step })
    }

    fn frame(&mut self, time: i32) -> Result<i32> {
        let mut sum = 0;
        for actor in &self.actors {
            let mut scope = engine::RootScope::new(&mut self.store);
            let actor = actor.to_rooted(&mut scope).to_anyref();
            sum += self.step.call(&mut scope, (Some(actor), time))?;
        }
        self.store.gc(None)?;
        Ok(sum)
    }
}

#[test]
fn a_game_with_scripts() -> Result<()> {
    let mut game = Game::new(10)?;
    assert_eq!(game.frame(1)?, 55);
    assert_eq!(game.frame(2)?, 3 * 55);
    assert_eq!(*game.store.data(), 20);
    Ok(())
}
