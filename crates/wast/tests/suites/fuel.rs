//! Real programs pay the same fuel whatever runs them. They are looked for beside the
//! repository; without them there is nothing to test.

use std::path::{Path, PathBuf};

use zwasm::{Engine, Error, ErrorKind, Linker, Module, Store, Val};
use zwasm_wasi::{Capabilities, I32Exit, MemoryPipe, WasiCtx};
use zwasm_wast::Mode;

/// Fuel that a program gets: enough for most in little time. `ZWASM_FUEL` overrides it.
const FUEL: u64 = 50_000_000;

/// The programs of the benchmark suite z29, the functions called and their arguments.
const CALLS: &[(&str, &str, &[i32])] = &[
    ("fib", "fib", &[35]),
    ("tak", "tak", &[24, 16, 8]),
    ("sieve", "sieve", &[1_000_000]),
    ("nbody", "run", &[1_000_000]),
    ("nqueens", "nqueens", &[8]),
    ("tgo_fib", "fib", &[35]),
    ("tgo_tak", "tak", &[24, 16, 8]),
    ("tgo_arith", "arith_loop", &[100_000_000]),
    ("tgo_sieve", "sieve", &[1_000_000]),
    ("tgo_fib_loop", "fib_loop", &[25]),
    ("tgo_gcd", "gcd", &[12345, 67890]),
    ("tgo_nqueens", "nqueens", &[1000]),
    ("tgo_mfr", "mfr", &[100_000]),
    ("tgo_list", "list_build", &[100_000]),
    ("tgo_rwork", "real_work", &[2_000_000]),
    ("tgo_strops", "string_ops", &[10_000_000]),
    ("st_fib2", "_start", &[]),
    ("st_sieve", "_start", &[]),
    ("st_nestedloop", "_start", &[]),
    ("st_ackermann", "_start", &[]),
    ("st_matrix", "_start", &[]),
    ("gc_alloc", "gc_bench", &[100_000]),
    ("gc_tree", "gc_tree_bench", &[18]),
    ("rw_rust_fib", "_start", &[]),
    ("rw_c_matrix", "_start", &[]),
    ("rw_c_math", "_start", &[]),
    ("rw_c_string", "_start", &[]),
    ("rw_cpp_string", "_start", &[]),
    ("rw_cpp_sort", "_start", &[]),
];

/// The fuel left, and whether the program came to its end.
fn run(mode: Mode, file: &Path, func: &str, arguments: &[i32], fuel: u64) -> (u64, bool) {
    let engine = Engine::new(mode.config().gc_stress(false).consume_fuel(true)).unwrap();
    let module = Module::from_file(&engine, file).unwrap();
    let mut linker = Linker::new(&engine);
    zwasm_wasi::add_to_linker(&mut linker, |ctx: &mut WasiCtx| ctx).unwrap();
    let mut builder = WasiCtx::builder();
    builder.caps(Capabilities::ALL).stdout(Box::new(MemoryPipe::new()));
    let mut store = Store::new(&engine, builder.build());
    store.set_fuel(fuel).unwrap();
    let mut called = || -> Result<(), Error> {
        let instance = linker.instantiate(&mut store, &module)?;
        let function = instance.get_func(&mut store, func).expect("it is exported");
        let arguments: Vec<Val> = arguments.iter().copied().map(Val::I32).collect();
        let mut results = vec![Val::I32(0); function.ty(&store).results().len()];
        function.call(&mut store, &arguments, &mut results)
    };
    let ended = match called() {
        Ok(()) => true,
        Err(error) if error.downcast_ref::<I32Exit>().is_some() => true,
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::OutOfFuel, "{}: {error}", file.display());
            false
        }
    };
    (store.get_fuel().unwrap(), ended)
}

#[test]
fn real_programs_pay_the_same_in_every_mode() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora/bench/z29");
    if !folder.is_dir() {
        println!("passed over: there is no {}", folder.display());
        return;
    }
    let fuel = std::env::var("ZWASM_FUEL").map_or(FUEL, |fuel| fuel.parse().expect("a number"));
    let modes = ["interp", "baseline", "auto", "mixed:1", "mixed:2", "tier-stress", "no-guards"];
    let mut whole = 0;
    for (name, func, arguments) in CALLS {
        let file: PathBuf = folder.join(format!("{name}.wasm"));
        let mut expected = None;
        for mode in modes {
            let found = run(mode.parse().unwrap(), &file, func, arguments, fuel);
            let expected = *expected.get_or_insert(found);
            assert_eq!(found, expected, "{name} in {mode}, of {fuel}");
        }
        whole += u32::from(expected.is_some_and(|(_, ended)| ended));
    }
    println!("{whole} of {} programs came to their end", CALLS.len());
    assert!(whole >= 10, "only {whole} came to their end");
}
