//! Stacks and memories that stores give back and others get: nothing of one guest is seen
//! by the next, limits hold, and whatever is dropped first.
#![cfg(feature = "wat")]

use zwasm::{
    Caller, Config, Engine, Error, ErrorKind, Extern, Instance, InstanceAllocationStrategy, Linker,
    Module, PoolConcurrencyLimitError, PoolingAllocationConfig, Result, Store, Strategy, Trap,
};

/// What memories and stacks may come from.
fn configs() -> Vec<Config> {
    let mut kept = PoolingAllocationConfig::new();
    kept.linear_memory_keep_resident(100_000).max_memories_per_module(9);
    let mut bare = PoolingAllocationConfig::new();
    bare.max_unused_warm_slots(0).max_memories_per_module(9);
    let mut blind = PoolingAllocationConfig::new();
    blind.pagemap_scan(zwasm::Enabled::No).max_memories_per_module(9);
    let mut all = vec![Config::new(); 5];
    all[1].guard_pages(false);
    all[2].allocation_strategy(kept);
    all[3].allocation_strategy(bare);
    all[4].allocation_strategy(blind);
    all
}

fn strategies() -> impl Iterator<Item = Strategy> {
    let compilers = [Strategy::Baseline, Strategy::Optimizing].into_iter();
    let there = |strategy: &Strategy| Engine::new(Config::new().strategy(*strategy)).is_ok();
    compilers.filter(there).chain([Strategy::Interpreter])
}

/// Memories of several sizes and kinds, one of which is filled and grown.
const MEMORIES: &str = r#"(module
    (memory (export "small") 1)
    (memory (export "large") 40)
    (memory (export "huge") 0)
    (memory (export "wide") i64 2)
    (memory (export "bytes") 300 (pagesize 1))
    (func (export "fill")
        (drop (memory.grow 0 (i32.const 3)))
        (drop (memory.grow 1 (i32.const 1)))
        (drop (memory.grow 2 (i32.const 70)))
        (drop (memory.grow 3 (i64.const 50)))
        (drop (memory.grow 4 (i32.const 5000)))
        (memory.fill 0 (i32.const 0) (i32.const 0xA5) (i32.const 0x40000))
        (memory.fill 1 (i32.const 0) (i32.const 0xA5) (i32.const 0x290000))
        (memory.fill 2 (i32.const 0) (i32.const 0xA5) (i32.const 0x460000))
        (memory.fill 3 (i64.const 0) (i32.const 0xA5) (i64.const 0x340000))
        (memory.fill 4 (i32.const 0) (i32.const 0xA5) (i32.const 5300)))
    (func (export "load") (param i32) (result i32) (i32.load8_u 0 (local.get 0)))
    (func (export "grow") (drop (memory.grow 0 (i32.const 3)))))"#;

const NAMES: [&str; 5] = ["small", "large", "huge", "wide", "bytes"];

fn assert_blank(store: &mut Store<()>, instance: Instance, when: &str) {
    for name in NAMES {
        let memory = instance.get_memory(&mut *store, name).expect("it is exported");
        assert!(memory.data(&*store).iter().all(|byte| *byte == 0), "{name} {when}");
    }
}

#[test]
fn memories_are_blank_whoever_had_them_before() {
    for config in configs() {
        let engine = Engine::new(&config).unwrap();
        let module = Module::new(&engine, MEMORIES).unwrap();
        for round in 0..20 {
            let mut stores: Vec<Store<()>> = (0..3).map(|_| Store::new(&engine, ())).collect();
            for store in &mut stores {
                let instance = Instance::new(&mut *store, &module, &[]).unwrap();
                assert_blank(store, instance, "at first");
                if round % 2 == 0 {
                    let fill = instance.get_typed_func::<(), ()>(&mut *store, "fill").unwrap();
                    fill.call(&mut *store, ()).unwrap();
                } else {
                    // What grows into what another has had is blank as well.
                    let grow = instance.get_typed_func::<(), ()>(&mut *store, "grow").unwrap();
                    grow.call(&mut *store, ()).unwrap();
                    assert_blank(store, instance, "grown");
                }
            }
        }
    }
}

#[test]
fn memories_end_where_they_should_whoever_had_them_before() {
    for strategy in strategies() {
        for mut config in configs() {
            let engine = Engine::new(config.strategy(strategy)).unwrap();
            let module = Module::new(&engine, MEMORIES).unwrap();
            for _ in 0..4 {
                let mut store = Store::new(&engine, ());
                let instance = Instance::new(&mut store, &module, &[]).unwrap();
                let load = instance.get_typed_func::<i32, i32>(&mut store, "load").unwrap();
                let grow = instance.get_typed_func::<(), ()>(&mut store, "grow").unwrap();
                assert_eq!(load.call(&mut store, 0xffff).unwrap(), 0);
                for beyond in [0x1_0000, 0x3_ffff, -1] {
                    let error = load.call(&mut store, beyond).unwrap_err();
                    assert_eq!(error.trap(), Some(Trap::MemoryOutOfBounds), "{strategy:?}");
                }
                grow.call(&mut store, ()).unwrap();
                assert_eq!(load.call(&mut store, 0x3_ffff).unwrap(), 0);
                assert!(load.call(&mut store, 0x4_0000).is_err());
            }
        }
    }
}

#[test]
fn memories_are_blank_on_all_threads() {
    let engine = Engine::default();
    let module = Module::new(&engine, MEMORIES).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..10 {
                    let mut store = Store::new(&engine, ());
                    let instance = Instance::new(&mut store, &module, &[]).unwrap();
                    assert_blank(&mut store, instance, "on a thread");
                    let fill = instance.get_typed_func::<(), ()>(&mut store, "fill").unwrap();
                    fill.call(&mut store, ()).unwrap();
                }
            });
        }
    });
}

const CALLS: &str = r#"(module
    (import "env" "again" (func $again (param i32) (result i32)))
    (memory 1)
    (table 2 funcref)
    (func $depth (export "depth") (param i32) (result i32)
        (if (result i32) (i32.eqz (local.get 0))
            (then (i32.const 0))
            (else (i32.add (i32.const 1)
                (call $depth (i32.sub (local.get 0) (i32.const 1)))))))
    (func $forever (export "forever") (call $forever))
    (func (export "nest") (param i32) (result i32)
        (if (result i32) (i32.eqz (local.get 0))
            (then (call $depth (i32.const 5)))
            (else (i32.add (i32.const 1) (call $again (local.get 0)))))))"#;

/// A linker whose function calls the guest that called it.
fn linker(engine: &Engine) -> Linker<Option<Instance>> {
    let mut linker = Linker::new(engine);
    let again = |mut caller: Caller<'_, Option<Instance>>, left: i32| -> Result<i32> {
        let instance = caller.data().ok_or_else(|| Error::msg("there is no instance"))?;
        let nest = instance.get_typed_func::<i32, i32>(&mut caller, "nest")?;
        nest.call(&mut caller, left - 1)
    };
    linker.func_wrap("env", "again", again).unwrap();
    linker
}

fn pooled(change: impl FnOnce(&mut PoolingAllocationConfig)) -> Engine {
    let mut pool = PoolingAllocationConfig::new();
    change(&mut pool);
    Engine::new(Config::new().allocation_strategy(pool)).unwrap()
}

/// More stores than keep their stacks: each still has the depth, the traps and the calls
/// back that the first one has.
#[test]
fn many_stores_share_few_stacks() {
    let engine = pooled(|pool| {
        pool.total_stacks(20);
    });
    let metrics = engine.pooling_allocator_metrics().unwrap();
    let pre = linker(&engine).instantiate_pre(&Module::new(&engine, CALLS).unwrap()).unwrap();
    let mut stores = Vec::new();
    for _ in 0..100 {
        let mut store = Store::new(&engine, None);
        let instance = pre.instantiate(&mut store).unwrap();
        *store.data_mut() = Some(instance);
        stores.push((store, instance));
    }
    assert_eq!(metrics.stacks(), 0, "nobody was called");
    for round in 0..3 {
        for (store, instance) in &mut stores {
            let depth = instance.get_typed_func::<i32, i32>(&mut *store, "depth").unwrap();
            assert_eq!(depth.call(&mut *store, 50_000).unwrap(), 50_000);
            let nest = instance.get_typed_func::<i32, i32>(&mut *store, "nest").unwrap();
            assert_eq!(nest.call(&mut *store, 6).unwrap(), 11);
            let forever = instance.get_typed_func::<(), ()>(&mut *store, "forever").unwrap();
            let error = forever.call(&mut *store, ()).unwrap_err();
            assert_eq!(error.trap(), Some(Trap::StackOverflow));
            assert_eq!(error.backtrace().unwrap().frames()[0].func_name(), Some("forever"));
            // What is made while there is no stack gets one, too.
            if round == 0 {
                let other = pre.instantiate(&mut *store).unwrap();
                let depth = other.get_typed_func::<i32, i32>(&mut *store, "depth").unwrap();
                assert_eq!(depth.call(&mut *store, 1000).unwrap(), 1000);
            }
        }
        assert_eq!(metrics.stacks(), 10);
    }
    drop(stores);
    assert_eq!((metrics.stacks(), metrics.core_instances(), metrics.memories()), (0, 0, 0));
    assert!(metrics.unused_warm_stacks() > 0);
}

/// A store with many instances keeps its stack; all of its instances know where it ends.
#[test]
fn a_store_with_many_instances_has_one_stack() {
    let engine = pooled(|pool| {
        pool.total_stacks(1);
    });
    let metrics = engine.pooling_allocator_metrics().unwrap();
    let linker = linker(&engine);
    let module = Module::new(&engine, CALLS).unwrap();
    let mut store = Store::new(&engine, None);
    let mut instances = Vec::new();
    for count in 1..40 {
        instances.push(linker.instantiate(&mut store, &module).unwrap());
        for instance in &instances {
            let depth = instance.get_typed_func::<i32, i32>(&mut store, "depth").unwrap();
            assert_eq!(depth.call(&mut store, 300).unwrap(), 300);
        }
        assert_eq!(metrics.stacks(), usize::from(count > 16));
    }
    // Another store gets none meanwhile.
    let mut other = Store::new(&engine, None);
    let instance = linker.instantiate(&mut other, &module).unwrap();
    let depth = instance.get_typed_func::<i32, i32>(&mut other, "depth").unwrap();
    let error = depth.call(&mut other, 1).unwrap_err();
    assert!(error.is::<PoolConcurrencyLimitError>(), "{error}");
    drop(store);
    assert_eq!(depth.call(&mut other, 1).unwrap(), 1);
}

/// Collections while a store has instances and no stack.
#[test]
#[cfg(feature = "gc")]
fn a_store_without_a_stack_collects() {
    let engine = pooled(|pool| {
        pool.total_stacks(1).total_gc_heaps(1);
    });
    let text = r#"(module
        (type $node (struct (field (ref null $node)) (field i32)))
        (global $list (mut (ref null $node)) (ref.null $node))
        (func (export "push") (param i32)
            (global.set $list (struct.new $node (global.get $list) (local.get 0))))
        (func (export "sum") (result i32) (local (ref null $node) i32)
            (local.set 0 (global.get $list))
            (block $end (loop $next
                (br_if $end (ref.is_null (local.get 0)))
                (local.set 1 (i32.add (local.get 1) (struct.get $node 1 (local.get 0))))
                (local.set 0 (struct.get $node 0 (local.get 0)))
                (br $next)))
            (local.get 1)))"#;
    let module = Module::new(&engine, text).unwrap();
    let metrics = engine.pooling_allocator_metrics().unwrap();
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let push = instance.get_typed_func::<i32, ()>(&mut store, "push").unwrap();
    let sum = instance.get_typed_func::<(), i32>(&mut store, "sum").unwrap();
    for value in 1..=100 {
        push.call(&mut store, value).unwrap();
        assert_eq!(metrics.stacks(), 0);
        store.gc(None).unwrap();
    }
    assert_eq!(sum.call(&mut store, ()).unwrap(), 5050);
    assert_eq!(metrics.gc_heaps(), 1);
    let mut other = Store::new(&engine, ());
    let instance = Instance::new(&mut other, &module, &[]).unwrap();
    let push = instance.get_typed_func::<i32, ()>(&mut other, "push").unwrap();
    let error = push.call(&mut other, 1).unwrap_err();
    assert!(error.is::<PoolConcurrencyLimitError>(), "{error}");
    drop(store);
    push.call(&mut other, 1).unwrap();
}

/// A limit, what goes beyond it, and what is said of that.
type Limit = (fn(&mut PoolingAllocationConfig), &'static str, &'static str);

/// What a limit refuses, and that it does not once something is given back.
#[test]
fn the_limits_of_a_pool_hold() {
    let table: [Limit; 3] = [
        (|pool| _ = pool.total_core_instances(2), "(module)", "core instances"),
        (|pool| _ = pool.total_memories(2), "(module (memory 1))", "memories"),
        (|pool| _ = pool.total_tables(2), "(module (table 1 funcref))", "tables"),
    ];
    for (change, text, what) in table {
        let engine = pooled(change);
        let module = Module::new(&engine, text).unwrap();
        let make = |store: &mut Store<()>| Instance::new(store, &module, &[]);
        let (mut one, mut two) = (Store::new(&engine, ()), Store::new(&engine, ()));
        make(&mut one).unwrap();
        make(&mut two).unwrap();
        for _ in 0..3 {
            let error = make(&mut two).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Limit);
            let limit = error.downcast_ref::<PoolConcurrencyLimitError>().unwrap();
            let expected = format!("maximum concurrent limit of 2 for {what} reached");
            assert_eq!(limit.to_string(), expected);
            assert!(error.to_string().contains(&expected), "{error}");
        }
        drop(one);
        make(&mut two).unwrap();
        assert!(make(&mut two).is_err());
    }
}

#[test]
fn the_sizes_of_a_pool_hold() {
    let table: [Limit; 6] = [
        (|pool| _ = pool.max_memory_size(65536), "(memory 2)", "the limit is 65536 bytes"),
        (|pool| _ = pool.table_elements(10), "(table 11 funcref)", "the limit is 10"),
        (|_| (), "(memory 1) (memory 1)", "takes 2 memories"),
        (|_| (), "(table 1 funcref) (table 1 funcref)", "takes 2 tables"),
        (|pool| _ = pool.max_core_instance_size(100), "", "bytes beside memories and tables"),
        (|pool| _ = pool.total_memories(0), "(memory 0)", "limit of 0 for memories"),
    ];
    for (change, items, expected) in table {
        let engine = pooled(change);
        let module = Module::new(&engine, format!("(module {items})")).unwrap();
        let error = Instance::new(&mut Store::new(&engine, ()), &module, &[]).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!(error.kind(), ErrorKind::Limit, "{error}");
        let metrics = engine.pooling_allocator_metrics().unwrap();
        assert_eq!((metrics.core_instances(), metrics.memories(), metrics.tables()), (0, 0, 0));
    }
    // Growing is refused as the specification has it.
    let engine = pooled(|pool| _ = pool.max_memory_size(3 << 16).table_elements(3));
    let text = r#"(module (memory (export "m") 1) (table (export "t") 1 funcref)
        (func (export "grow") (param i32) (result i32)
            (i32.add (memory.grow (local.get 0))
                (i32.mul (i32.const 100) (table.grow (ref.null func) (local.get 0))))))"#;
    let module = Module::new(&engine, text).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let grow = instance.get_typed_func::<i32, i32>(&mut store, "grow").unwrap();
    assert_eq!(grow.call(&mut store, 3).unwrap(), -101);
    assert_eq!(grow.call(&mut store, 2).unwrap(), 101);
    assert_eq!(grow.call(&mut store, 1).unwrap(), -101);
}

/// An instance that cannot be made gives back what there was of it.
#[test]
fn what_fails_is_given_back() {
    let engine = pooled(|pool| _ = pool.max_memories_per_module(5).total_memories(5));
    let metrics = engine.pooling_allocator_metrics().unwrap();
    let five = "(memory 1) (memory 1) (memory 1) (memory 1) (memory 1)";
    let six = Module::new(&engine, format!("(module {five} (table 1 funcref))")).unwrap();
    let one = Module::new(&engine, "(module (memory 1))").unwrap();
    let mut store = Store::new(&engine, ());
    Instance::new(&mut store, &one, &[]).unwrap();
    for _ in 0..10 {
        let error = Instance::new(&mut store, &six, &[]).unwrap_err();
        assert!(error.is::<PoolConcurrencyLimitError>(), "{error}");
        assert_eq!((metrics.memories(), metrics.tables(), metrics.core_instances()), (1, 0, 1));
    }
    // One that fails later stays in its store, as others may refer to it.
    let text = "(module (memory 1) (table 1 funcref) (func $f) (elem (i32.const 9) $f))";
    let late = Module::new(&engine, text).unwrap();
    assert!(Instance::new(&mut store, &late, &[]).is_err());
    assert_eq!((metrics.memories(), metrics.tables()), (2, 1));
    drop(store);
    assert_eq!((metrics.memories(), metrics.tables(), metrics.core_instances()), (0, 0, 0));
}

#[test]
fn anything_may_be_dropped_first() {
    for config in configs() {
        let engine = Engine::new(&config).unwrap();
        let text = r#"(module (memory (export "memory") 1)
            (func (export "store") (param i32) (i32.store (i32.const 8) (local.get 0))))"#;
        let exporter = Module::new(&engine, text).unwrap();
        let text = r#"(module (import "" "memory" (memory 1))
            (func (export "load") (result i32) (i32.load (i32.const 8))))"#;
        let importer = Module::new(&engine, text).unwrap();
        let mut stores = Vec::new();
        for value in 0..4 {
            let mut store = Store::new(&engine, ());
            let first = Instance::new(&mut store, &exporter, &[]).unwrap();
            let memory = first.get_memory(&mut store, "memory").unwrap();
            let set = first.get_typed_func::<i32, ()>(&mut store, "store").unwrap();
            set.call(&mut store, value + 100).unwrap();
            let second = Instance::new(&mut store, &importer, &[Extern::Memory(memory)]).unwrap();
            let load = second.get_typed_func::<(), i32>(&mut store, "load").unwrap();
            stores.push((store, load));
        }
        // The modules and the engine go, and every other store.
        drop((exporter, importer, engine));
        let mut index = 0;
        stores.retain(|_| {
            index += 1;
            index % 2 == 0
        });
        for (index, (store, load)) in stores.iter_mut().enumerate() {
            assert_eq!(load.call(&mut *store, ()).unwrap(), 101 + 2 * index as i32);
        }
        // Another engine has a pool of its own.
        let other = Engine::new(&config).unwrap();
        let module = Module::new(&other, MEMORIES).unwrap();
        let mut store = Store::new(&other, ());
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        assert_blank(&mut store, instance, "of another engine");
        drop(stores);
        assert_blank(&mut store, instance, "after a pool is gone");
    }
}

/// More memories than have guard pages, in the configuration that has them.
#[test]
fn there_may_be_more_instances_than_mappings_with_guards() {
    let engine = Engine::default();
    let text = r#"(module (memory 1)
        (func (export "next") (param i32) (result i32)
            (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (local.get 0)))
            (i32.load (i32.const 0)))
        (func (export "load") (param i32) (result i32) (i32.load (local.get 0))))"#;
    let module = Module::new(&engine, text).unwrap();
    let mut stores = Vec::new();
    for value in 0..9000 {
        let mut store = Store::new(&engine, ());
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        let next = instance.get_typed_func::<i32, i32>(&mut store, "next").unwrap();
        assert_eq!(next.call(&mut store, value).unwrap(), value);
        stores.push((store, instance));
    }
    for (value, (store, instance)) in stores.iter_mut().enumerate() {
        let next = instance.get_typed_func::<i32, i32>(&mut *store, "next").unwrap();
        assert_eq!(next.call(&mut *store, 1).unwrap(), value as i32 + 1);
        let load = instance.get_typed_func::<i32, i32>(&mut *store, "load").unwrap();
        assert!(load.call(&mut *store, 65533).is_err());
        assert_eq!(load.call(&mut *store, 65532).unwrap(), 0);
    }
}

#[test]
fn a_linker_of_another_engine_is_an_error() {
    let (engine, other) = (Engine::default(), Engine::default());
    let mut linker: Linker<()> = Linker::new(&engine);
    linker.func_wrap("env", "f", || ()).unwrap();
    let module = Module::new(&engine, r#"(module (import "env" "f" (func)))"#).unwrap();
    let mut store = Store::new(&other, ());
    let expected = "the linker is of another engine than the store";
    for error in [
        linker.instantiate(&mut store, &module).unwrap_err(),
        linker.instantiate_pre(&module).unwrap().instantiate(&mut store).unwrap_err(),
        linker.get(&mut store, "env", "f").unwrap_err(),
    ] {
        assert!(error.to_string().contains(expected), "{error}");
    }
    let foreign = Module::new(&other, "(module)").unwrap();
    assert!(linker.instantiate(&mut store, &foreign).is_err());
    assert!(linker.instantiate_pre(&foreign).is_err());
}

#[test]
fn a_pool_promises_nothing_that_it_has_not() {
    let mut pool = PoolingAllocationConfig::new();
    pool.memory_protection_keys(zwasm::Enabled::Auto).pagemap_scan(zwasm::Enabled::Auto);
    let mut config = Config::new();
    assert!(Engine::new(config.allocation_strategy(pool.clone())).is_ok());
    pool.pagemap_scan(zwasm::Enabled::Yes);
    let scans = PoolingAllocationConfig::is_pagemap_scan_available();
    assert_eq!(Engine::new(config.allocation_strategy(pool.clone())).is_ok(), scans);
    pool.pagemap_scan(zwasm::Enabled::No);
    assert!(Engine::new(config.allocation_strategy(pool.clone())).is_ok());
    pool.memory_protection_keys(zwasm::Enabled::Yes);
    assert!(Engine::new(config.allocation_strategy(pool)).is_err());
    config.allocation_strategy(InstanceAllocationStrategy::OnDemand);
    assert!(Engine::new(&config).unwrap().pooling_allocator_metrics().is_none());
}

/// Of large memories the used pages are not looked for all over, and of many used ones not all
/// stay: whatever is done with which, the next guest finds zeros.
#[test]
fn nothing_is_left_wherever_a_guest_wrote() {
    for config in configs() {
        let engine = Engine::new(&config).unwrap();
        let text = r#"(module (memory (export "memory") 1 200)
            (func (export "fill") (param $pages i32) (param $step i32) (local $at i32)
                (drop (memory.grow (i32.sub (local.get $pages) (i32.const 1))))
                (loop $more
                    (i32.store8 (local.get $at) (i32.const 7))
                    (local.set $at (i32.add (local.get $at) (local.get $step)))
                    (br_if $more (i32.lt_u (local.get $at)
                        (i32.mul (local.get $pages) (i32.const 65536)))))))"#;
        let module = Module::new(&engine, text).unwrap();
        for (pages, step) in [1, 3, 63, 64, 65, 66, 150]
            .into_iter()
            .flat_map(|pages| [1000, 4096, 61_440, 1 << 20, 1 << 23].map(|step| (pages, step)))
        {
            let mut store = Store::new(&engine, ());
            let instance = Instance::new(&mut store, &module, &[]).unwrap();
            let memory = instance.get_memory(&mut store, "memory").unwrap();
            memory.grow(&mut store, 150).unwrap();
            assert!(memory.data(&store).iter().all(|byte| *byte == 0), "{pages} pages, {step}");
            drop(store);
            let mut store = Store::new(&engine, ());
            let instance = Instance::new(&mut store, &module, &[]).unwrap();
            let fill = instance.get_typed_func::<(u32, u32), ()>(&mut store, "fill").unwrap();
            fill.call(&mut store, (pages, step)).unwrap();
        }
    }
}

/// A module with much data: instances after the first begin with an image of it.
fn with_data(pages: u32, rest: &str) -> String {
    let data = "0123456789abcdef".repeat(20_000);
    format!(
        r#"(module (memory (export "memory") {pages}) {rest}
        (data (i32.const 70000) "{data}")
        (data (i32.const 70010) "later data wins")
        (data (i32.const 3) "and some at the start")
        (func (export "spoil") (memory.fill (i32.const 0) (i32.const 7) (i32.const 400000)))
        (func (export "grow") (drop (memory.grow (i32.const 2)))))"#
    )
}

/// What the memory of such a module begins with.
fn expected(len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    bytes[70_000..390_000].copy_from_slice("0123456789abcdef".repeat(20_000).as_bytes());
    bytes[70_010..70_025].copy_from_slice(b"later data wins");
    bytes[3..24].copy_from_slice(b"and some at the start");
    bytes
}

#[test]
fn every_instance_begins_with_the_data() {
    let mut configs = configs();
    configs.push(Config::new().memory_init_cow(false).clone());
    for config in configs {
        let engine = Engine::new(&config).unwrap();
        let modules = [7, 9].map(|pages| Module::new(&engine, with_data(pages, "")).unwrap());
        let blank = Module::new(&engine, MEMORIES).unwrap();
        for round in 0..12 {
            let mut stores: Vec<Store<()>> = (0..3).map(|_| Store::new(&engine, ())).collect();
            for (index, store) in stores.iter_mut().enumerate() {
                let module = &modules[(round + index) % 3 % 2];
                let instance = Instance::new(&mut *store, module, &[]).unwrap();
                let memory = instance.get_memory(&mut *store, "memory").unwrap();
                let len = memory.data_size(&*store);
                assert!(memory.data(&*store) == expected(len), "round {round}");
                if round % 3 > 0 {
                    let grow = instance.get_typed_func::<(), ()>(&mut *store, "grow").unwrap();
                    grow.call(&mut *store, ()).unwrap();
                    assert!(memory.data(&*store) == expected(len + (2 << 16)), "grown");
                }
                if round % 2 > 0 {
                    let spoil = instance.get_typed_func::<(), ()>(&mut *store, "spoil").unwrap();
                    spoil.call(&mut *store, ()).unwrap();
                }
            }
            let mut store = Store::new(&engine, ());
            let instance = Instance::new(&mut store, &blank, &[]).unwrap();
            assert_blank(&mut store, instance, "after one with data");
        }
        // What shows in memories outlives its module.
        let mut store = Store::new(&engine, ());
        let instance = Instance::new(&mut store, &modules[0], &[]).unwrap();
        let memory = instance.get_memory(&mut store, "memory").unwrap();
        drop((modules, engine));
        assert!(memory.data(&store) == expected(7 << 16));
    }
}

/// Elements come before data: where they trap, no data has been written, and a function that
/// was put in a table before sees that.
#[test]
fn no_data_is_seen_that_was_not_to_be_written() {
    let engine = Engine::default();
    let rest = r#"(import "" "table" (table 4 funcref))
        (elem (i32.const 0) $load) (elem (i32.const 9) $load)
        (func $load (result i32) (i32.load (i32.const 70000)))"#;
    let text = with_data(7, "").replace("(module", &format!("(module {rest}"));
    let module = Module::new(&engine, text).unwrap();
    for _ in 0..4 {
        let mut store = Store::new(&engine, ());
        let ty = zwasm::TableType::new(zwasm::RefType::FUNCREF, 4, None);
        let null = zwasm::Ref::Func(None);
        let table = zwasm::Table::new(&mut store, ty, null).unwrap();
        let error = Instance::new(&mut store, &module, &[Extern::Table(table)]).unwrap_err();
        assert_eq!(error.trap(), Some(Trap::TableOutOfBounds));
        let zwasm::Ref::Func(Some(load)) = table.get(&mut store, 0).unwrap() else {
            panic!("the first segment was written");
        };
        let load = load.typed::<(), i32>(&store).unwrap();
        assert_eq!(load.call(&mut store, ()).unwrap(), 0);
    }
}
