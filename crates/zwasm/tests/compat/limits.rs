//! Limits: fuel, epochs, growth, and the options that switch features.

use engine::{
    Config, Engine, Func, GcHeapOutOfMemory, Instance, Memory, MemoryType, Module, ResourceLimiter,
    Result, SharedMemory, Store, StoreLimitsBuilder, Trap, UpdateDeadline,
};

fn looping(engine: &Engine) -> Result<Module> {
    Module::new(engine, r#"(module (func (export "run") (loop (br 0))))"#)
}

#[test]
fn fuel_runs_out() -> Result<()> {
    let mut config = Config::new();
    config.consume_fuel(true);
    let engine = Engine::new(&config)?;
    let mut store = Store::new(&engine, ());
    store.set_fuel(10_000)?;
    let instance = Instance::new(&mut store, &looping(&engine)?, &[])?;
    let run = instance.get_typed_func::<(), ()>(&mut store, "run")?;
    let error = run.call(&mut store, ()).unwrap_err();
    assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::OutOfFuel));
    assert!(store.get_fuel()? < 10);
    assert!(Store::<()>::default().set_fuel(1).is_err());
    Ok(())
}

#[test]
fn deadlines_are_moved_until_they_are_not() -> Result<()> {
    let mut config = Config::new();
    config.epoch_interruption(true);
    let engine = Engine::new(&config)?;
    let mut store = Store::new(&engine, 0);
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|mut store| {
        *store.data_mut() += 1;
        Ok(match *store.data() {
            3 => UpdateDeadline::Interrupt,
            _ => UpdateDeadline::Continue(1),
        })
    });
    let module = Module::new(
        &engine,
        r#"(module (import "" "tick" (func $tick)) (func (export "run") (loop (call $tick) (br 0))))"#,
    )?;
    let other = engine.weak();
    let tick = Func::wrap(&mut store, move || {
        other.upgrade().expect("the store keeps it").increment_epoch();
    });
    let instance = Instance::new(&mut store, &module, &[tick.into()])?;
    let run = instance.get_typed_func::<(), ()>(&mut store, "run")?;
    let error = run.call(&mut store, ()).unwrap_err();
    assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::Interrupt));
    assert_eq!(*store.data(), 3);
    Ok(())
}

struct Asked(Vec<(usize, usize)>);

impl ResourceLimiter for Asked {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> Result<bool> {
        self.0.push((current >> 16, desired >> 16));
        Ok(desired <= 3 << 16)
    }

    fn table_growing(&mut self, _: usize, _: usize, _: Option<usize>) -> Result<bool> {
        Ok(true)
    }
}

#[test]
fn a_limiter_decides() -> Result<()> {
    let engine = Engine::default();
    let module = Module::new(
        &engine,
        r#"(module (memory 1)
            (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))"#,
    )?;
    let mut store = Store::new(&engine, Asked(Vec::new()));
    store.limiter(|asked| asked);
    let instance = Instance::new(&mut store, &module, &[])?;
    let grow = instance.get_typed_func::<i32, i32>(&mut store, "grow")?;
    assert_eq!((grow.call(&mut store, 2)?, grow.call(&mut store, 1)?), (1, -1));
    assert_eq!(store.data().0, [(0, 1), (1, 3), (3, 4)]);

    let limits = StoreLimitsBuilder::new().memory_size(1 << 16).instances(1).build();
    let mut store = Store::new(&engine, limits);
    store.limiter(|limits| limits);
    let instance = Instance::new(&mut store, &module, &[])?;
    let grow = instance.get_typed_func::<i32, i32>(&mut store, "grow")?;
    assert_eq!(grow.call(&mut store, 1)?, -1);
    assert!(Instance::new(&mut store, &module, &[]).is_err());
    Ok(())
}

/// What switches a feature.
type Switch = fn(&mut Config, bool);

#[test]
fn features_are_switched() -> Result<()> {
    let uses: [(Switch, &str); 5] = [
        (|config, enable| _ = config.wasm_multi_memory(enable), "(memory 1) (memory 1)"),
        (|config, enable| _ = config.wasm_memory64(enable), "(memory i64 1)"),
        (|config, enable| _ = config.wasm_tail_call(enable), "(func $f (return_call $f))"),
        (|config, enable| _ = config.wasm_threads(enable), "(memory 1 1 shared)"),
        (|config, enable| _ = config.wasm_custom_page_sizes(enable), "(memory 1 (pagesize 1))"),
    ];
    for (switch, body) in uses {
        for enable in [true, false] {
            let mut config = Config::new();
            switch(&mut config, enable);
            let module = Module::new(&Engine::new(&config)?, format!("(module {body})"));
            assert_eq!(module.is_ok(), enable, "{body}");
        }
    }
    Ok(())
}

#[test]
fn a_small_stack_is_soon_full() -> Result<()> {
    let mut config = Config::new();
    config.max_wasm_stack(100_000);
    let engine = Engine::new(&config)?;
    let module = Module::new(&engine, r#"(module (func $f (export "f") (call $f)))"#)?;
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[])?;
    let f = instance.get_typed_func::<(), ()>(&mut store, "f")?;
    let error = f.call(&mut store, ()).unwrap_err();
    assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::StackOverflow));
    Ok(())
}

#[test]
fn what_may_not_move_ends_where_its_reservation_does() -> Result<()> {
    let mut config = Config::new();
    config.memory_reservation(5 << 16).memory_may_move(false);
    let engine = Engine::new(&config)?;
    let mut store = Store::new(&engine, ());
    let memory = Memory::new(&mut store, MemoryType::new(0, None))?;
    assert_eq!(memory.grow(&mut store, 5)?, 0);
    assert!(memory.grow(&mut store, 1).is_err());

    let mut config = Config::new();
    config.gc_heap_may_move(false).gc_heap_reservation(64 << 10).gc_heap_reservation_for_growth(0);
    let engine = Engine::new(&config)?;
    let mut store = Store::new(&engine, ());
    let module = Module::new(
        &engine,
        r#"(module
            (type $a (array i31ref))
            (global (ref $a) (array.new_default $a (i32.const 10000000))))"#,
    )?;
    let error = Instance::new(&mut store, &module, &[]).unwrap_err();
    assert!(error.is::<GcHeapOutOfMemory<()>>(), "{error:?}");
    Ok(())
}

#[test]
fn there_may_be_no_shared_memories() -> Result<()> {
    for enable in [true, false] {
        let mut config = Config::new();
        config.wasm_threads(true).shared_memory(enable);
        let engine = Engine::new(&config)?;
        assert_eq!(SharedMemory::new(&engine, MemoryType::shared(1, 1)).is_ok(), enable);
        let module = Module::new(&engine, "(module (memory 1 1 shared))")?;
        let made = Instance::new(&mut Store::new(&engine, ()), &module, &[]);
        assert_eq!(made.is_ok(), enable);
    }
    Ok(())
}

#[test]
fn a_stack_without_a_limit_is_only_large() -> Result<()> {
    let mut config = Config::new();
    // In one of the two, it has to be larger than the guest's.
    config.max_wasm_stack(usize::MAX).async_stack_size(usize::MAX);
    let engine = Engine::new(&config)?;
    let module = Module::new(&engine, r#"(module (func (export "f")))"#)?;
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[])?;
    instance.get_typed_func::<(), ()>(&mut store, "f")?.call(&mut store, ())
}

#[test]
fn what_is_too_large_at_once_is_said() -> Result<()> {
    let engine = Engine::default();
    let limits = StoreLimitsBuilder::new().memory_size(10 << 16).table_elements(5).build();
    let mut store = Store::new(&engine, limits);
    store.limiter(|limits| limits);
    for (body, message) in [
        ("(memory 11)", "memory minimum size of 11 pages exceeds memory limits"),
        ("(table 23 funcref)", "table minimum size of 23 elements exceeds table limits"),
    ] {
        let module = Module::new(&engine, format!("(module {body})"))?;
        let error = Instance::new(&mut store, &module, &[]).unwrap_err();
        assert_eq!(error.to_string(), message);
    }
    Ok(())
}
