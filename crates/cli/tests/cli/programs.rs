//! Real programs, compiled from C, C++, Rust, Go, Zig and more, with the
//! output that other runtimes agree on. They are data of others and lie beside
//! the repository, where they are present.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use crate::support::{Dir, Outcome, zwasm};

/// The longest a program may take, on a slow and busy machine, in a build for
/// tests.
pub const PATIENCE: Duration = Duration::from_secs(300);

/// Programs run side by side.
pub const WORKERS: usize = 2;

/// A folder of the test data; where it is absent, says so and is none.
pub fn corpus(name: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora");
    let path = root.join(name);
    if path.is_dir() {
        return Some(path);
    }
    println!("passed over: there is no {}", path.display());
    None
}

/// The files of a kind in a folder.
pub fn names(dir: &Path, extension: &str) -> Vec<PathBuf> {
    let mut paths: Vec<_> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ext| ext == extension))
        .collect();
    paths.sort();
    paths
}

#[test]
fn realworld() {
    let Some(root) = corpus("realworld") else { return };
    let programs = names(&root.join("wasm"), "wasm");
    assert_eq!(programs.len(), 49);
    let queue = Mutex::new(programs.into_iter());
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some(program) = { queue.lock().unwrap().next() } {
                    if let Err(failure) = as_expected(&root, &program) {
                        failures.lock().unwrap().push(failure);
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{} of 49:\n{}", failures.len(), failures.join("\n"));
}

/// What a program needs beyond its standard streams.
fn needs(name: &str) -> &'static [&'static str] {
    match name {
        "go_hello_wasi" => &["clock"],
        "rust_file_io" => &["read", "write", "path"],
        "rust_hashmap_ops" => &["random"],
        _ => &[],
    }
}

/// Runs a program as it is, in a sandbox with exactly what it needs, and with each of that
/// denied.
fn as_expected(root: &Path, program: &Path) -> Result<(), String> {
    let name = program.file_stem().unwrap().to_str().unwrap();
    let expected = root.join("expected");
    let stdout = std::fs::read(expected.join(format!("{name}.stdout"))).unwrap();
    let code = std::fs::read_to_string(expected.join(format!("{name}.exit"))).unwrap();
    let run = |flags: &[String]| {
        let empty = Dir::new();
        let args = [program.as_os_str(), "--dir".as_ref(), ".".as_ref()];
        let args = args.into_iter().chain(flags.iter().map(AsRef::as_ref));
        let run = || zwasm(args).dir(empty.path()).patience(PATIENCE).run();
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(run))
            .map_err(|_| format!("{name}: no end"))
    };
    let said = |outcome: &Outcome| {
        let text = outcome.text();
        format!("{name}: exit {:?}, {text:.400}{:.400}", outcome.code, outcome.stderr)
    };
    let needs = needs(name);
    let mut sandbox = ["--sandbox", "--fuel", "1e12"].map(String::from).to_vec();
    sandbox.extend(needs.iter().map(|need| format!("--allow-{need}")));
    for flags in [&[][..], &sandbox] {
        let outcome = run(flags)?;
        if outcome.code != code.trim().parse().ok() || outcome.stdout != stdout {
            return Err(said(&outcome));
        }
    }
    for need in needs {
        let outcome = run(&[format!("--deny-{need}")])?;
        let note = format!("'--deny-{need}' denies\n");
        if !matches!(outcome.code, Some(1 | 2)) || !outcome.stderr.ends_with(&note) {
            return Err(format!("without {need}: {}", said(&outcome)));
        }
    }
    Ok(())
}

/// Runs a program of the benchmarks below `dir`, as its manifest says.
fn benchmark(dir: &str, file: &str, args: &[&str]) -> Option<Outcome> {
    let root = corpus("bench")?;
    let file = root.join(file);
    let args = [file.to_str().unwrap()].into_iter().chain(args.iter().copied());
    Some(zwasm(args).dir(&root.join(dir)).patience(PATIENCE).run())
}

/// Checks the first eight bytes of the SHA-256 of the output.
#[track_caller]
fn digest_is(outcome: &Outcome, digest: u64) {
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let actual = hmac_sha256::Hash::hash(&outcome.stdout);
    assert_eq!(actual[..8], digest.to_be_bytes(), "{}", outcome.text());
}

#[test]
fn quickjs() {
    let args = ["--allow-all", "--dir", ".", "--", "--std", "t.js"];
    if let Some(outcome) = benchmark("real/data/quickjs", "real/quickjs-run.wasm", &args) {
        digest_is(&outcome, 0xdb0b_7749_e9d1_f656);
    }
}

#[test]
fn lua() {
    let args = ["--allow-all", "--dir", ".", "--", "t.lua"];
    if let Some(outcome) = benchmark("real/data/lua", "real/lua-run.wasm", &args) {
        digest_is(&outcome, 0x8ebc_4e37_62aa_d6f0);
    }
}

#[test]
fn sqlite() {
    if let Some(outcome) = benchmark("", "real/sqlite-mem.wasm", &["--allow-all"]) {
        digest_is(&outcome, 0xb926_6331_146e_31ed);
    }
}

/// Output of compilers for what is newer than the first release: garbage
/// collection, tail calls, 64-bit memories, bulk memory, sign extension.
#[test]
fn newer_features() {
    let Some(root) = corpus("realworld/p10") else { return };
    for name in [
        "clang_O0_arr_sum/arr_sum",
        "clang_O0_fp_sum/fp_sum",
        "clang_musttail/musttail_sum",
        "clang_wasm64/wasm64_load_store",
        "moonbit/gc_shapes",
        "rust_bubble_sort/sort",
        "rust_data/data_sum",
        "rust_fib/fib",
        "rust_loop_sum/loop_sum",
    ] {
        let program = root.join(name).with_extension("wasm");
        let expected = std::fs::read_to_string(program.with_extension("expect")).unwrap();
        let expected = expected.trim().strip_prefix("i32: ").unwrap();
        let args = [program.as_os_str(), "--invoke".as_ref(), "test".as_ref()];
        zwasm(args).run().prints(&format!("{expected}\n"));
    }
}
