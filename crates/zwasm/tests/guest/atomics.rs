//! Every atomic access does the same compiled as interpreted, whatever the memory.
#![cfg(all(feature = "wat", feature = "threads"))]

use zwasm::{
    Config, Engine, Instance, Linker, MemoryType, Module, SharedMemory, Store, Strategy, Val,
};

/// The accesses with their types and the bytes of the cell.
fn ops() -> Vec<(String, &'static str, u64)> {
    let mut ops = Vec::new();
    for ty in ["i32", "i64"] {
        for bits in [8, 16, 32, 64] {
            let whole = ty.ends_with(&bits.to_string());
            if bits == 64 && ty == "i32" {
                continue;
            }
            let (narrow, unsigned) =
                if whole { (String::new(), "") } else { (bits.to_string(), "_u") };
            ops.push((format!("{ty}.atomic.load{narrow}{unsigned}"), ty, bits / 8));
            ops.push((format!("{ty}.atomic.store{narrow}"), ty, bits / 8));
            for kind in ["add", "sub", "and", "or", "xor", "xchg", "cmpxchg"] {
                let name = format!("{ty}.atomic.rmw{narrow}.{kind}{unsigned}");
                ops.push((name, ty, bits / 8));
            }
        }
    }
    ops
}

/// A module with a function for each op: of address and two operands, its result
/// with those locals, so that registers that are not meant to change show.
fn module(memory: &str, index: u32, offset: u64) -> String {
    let address = if memory.starts_with("i64") { "i64" } else { "i32" };
    let others = "(memory 1)".repeat(index as usize);
    let mut wat = format!("(module {others} (memory (export \"m\") {memory})");
    for (name, ty, size) in ops() {
        let operands = match name.as_str() {
            name if name.contains("load") => "",
            name if name.contains("cmpxchg") => "(local.get $a) (local.get $b)",
            _ => "(local.get $a)",
        };
        let access = format!(
            "({name} {index} offset={} (local.get $p) {operands})",
            offset * size + u64::from(offset > 1)
        );
        let access =
            if name.contains("store") { format!("{access} ({ty}.const 5)") } else { access };
        wat += &format!(
            "(func (export \"{name}\") (param $p {address}) (param $a {ty}) (param $b {ty}) \
             (result {ty} {ty} {ty} {address}) \
             {access} (local.get $a) (local.get $b) (local.get $p))"
        );
    }
    wat + ")"
}

/// The results of all ops on all operands, with the memory's bytes, as text.
fn run(wat: &str, strategy: Strategy, guards: bool, wide: bool) -> Vec<String> {
    let mut config = Config::new();
    config.strategy(strategy).guard_pages(guards);
    let engine = Engine::new(&config).unwrap();
    let module = Module::new(&engine, wat).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = Linker::new(&engine).instantiate(&mut store, &module).unwrap();
    let addresses: [u64; 10] = [0, 8, 1, 2, 4, 0xFFF8, 0xFFFE, 0x1_0000, 0xFFFF_FFF8, 0xFFFF_FFFF];
    let values = [0, 1, 0x80, 0xFFFF, 0x1234_5678_9ABC_DEF0, u64::MAX];
    let mut found = Vec::new();
    for (name, ty, _) in ops() {
        let func = instance.get_func(&mut store, &name).unwrap();
        for address in addresses {
            for a in values {
                // What is there is expected now and then.
                for b in [7, u64::MAX] {
                    let value = |bits: u64| match ty {
                        "i32" => Val::I32(bits as i32),
                        _ => Val::I64(bits as i64),
                    };
                    let p = match wide {
                        true => Val::I64(address as i64 | if b == 7 { 0 } else { !0xFFFF_FFFF }),
                        false => Val::I32(address as i32),
                    };
                    let mut results = [value(0), value(0), value(0), p];
                    let ended = func.call(&mut store, &[p, value(a), value(b)], &mut results);
                    let trap = ended.err().map(|error| error.summary());
                    let trap = trap.map(|trap| trap.lines().next().unwrap_or("").to_owned());
                    found.push(format!("{name} {address:#x} {a:#x} {b:#x}: {trap:?} {results:?}"));
                }
            }
        }
    }
    found
}

/// The compilers that this build has, with and without guard pages.
fn modes() -> impl Iterator<Item = (Strategy, bool)> {
    let compilers = [Strategy::Baseline, Strategy::Optimizing].into_iter();
    let available = compilers.filter(|strategy| strategy.is_available());
    available.flat_map(|strategy| [(strategy, true), (strategy, false)])
}

#[test]
fn compiled_accesses_do_what_interpreted_ones_do() {
    let modules = [
        ("1", 0, 0),
        ("1", 0, 1),
        ("1", 0, 3),
        ("1 1 shared", 0, 1),
        ("1 1 shared", 1, 3),
        ("1", 1, 1),
        ("i64 1", 0, 0),
        ("i64 1", 0, 3),
    ];
    for (memory, index, offset) in modules {
        let wat = module(memory, index, offset);
        let wide = memory.starts_with("i64");
        let expected = run(&wat, Strategy::Interpreter, true, wide);
        assert!(expected.iter().any(|line| line.contains("unaligned")), "{}", expected[3]);
        for (strategy, guards) in modes() {
            let found = run(&wat, strategy, guards, wide);
            let differs = expected.iter().zip(&found).find(|(expected, found)| expected != found);
            let what = format!("{memory}, memory {index}, offset {offset}");
            assert_eq!(differs, None, "{what}, {strategy:?}, guards {guards}");
        }
    }
}

/// The size that code keeps of a memory may be out of date; accesses that are
/// compared with it must look again: of a second memory, or far behind an address.
#[test]
fn what_another_thread_has_grown_is_in_bounds_for_compiled_code() {
    let wat = r#"(module
        (memory (import "" "m") 0 2000 shared)
        (memory (import "" "m") 0 2000 shared)
        (func (export "second") (param i32) (result i32) (i32.load 1 (local.get 0)))
        (func (export "atomic") (param i32) (result i32) (i32.atomic.load 1 (local.get 0)))
        (func (export "far") (param i32) (result i32) (i32.load offset=66666660 (local.get 0))))"#;
    for (strategy, guards) in modes() {
        let mut config = Config::new();
        config.strategy(strategy).guard_pages(guards);
        let engine = Engine::new(&config).unwrap();
        let memory = SharedMemory::new(&engine, MemoryType::shared(1, 2000)).unwrap();
        let module = Module::new(&engine, wat).unwrap();
        let mut store = Store::new(&engine, ());
        let imports = [memory.clone().into(), memory.clone().into()];
        let instance = Instance::new(&mut store, &module, &imports).unwrap();
        memory.grow(1999).unwrap();
        for (name, address) in [("second", 70_000), ("atomic", 80_000), ("far", 4)] {
            let func = instance.get_typed_func::<i32, i32>(&mut store, name).unwrap();
            assert_eq!(func.call(&mut store, address).unwrap(), 0, "{name}, guards {guards}");
        }
    }
}
