//! The SSA form of every function of real programs can be built, and is what the verifier
//! demands, which looks at it in builds with debug assertions.
#![cfg(all(
    feature = "gc",
    feature = "optimize",
    feature = "simd",
    feature = "threads",
    feature = "trace",
    target_arch = "x86_64",
    target_os = "linux"
))]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;
use zwasm::{Config, Engine, Module};

/// The modules below a folder.
fn modules(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            modules(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "wasm") {
            found.push(path);
        }
    }
}

#[test]
fn real_programs_have_a_form() {
    let corpora = std::env::var_os("ZWASM_CORPORA");
    let Some(corpora) = corpora else { return };
    let pass = std::env::var("ZWASM_PASS").unwrap_or_else(|_| "build".into());
    let mut found = Vec::new();
    modules(Path::new(&corpora), &mut found);
    found.sort();
    for path in found {
        let bytes = fs::read(&path).unwrap();
        let engine = Engine::new(&Config::new()).unwrap();
        let Ok(module) = Module::new(&engine, &bytes) else { continue };
        let start = Instant::now();
        let (mut functions, mut refused, mut lines) = (0, 0, 0);
        for func in 0.. {
            match module.ssa(func, Some(&pass)) {
                Ok(text) => {
                    functions += 1;
                    lines += text.lines().count();
                }
                Err(error) if error.to_string().contains("is imported") => {}
                Err(error) if error.to_string().contains("no function") => break,
                Err(error) if error.to_string().contains("no functions") => break,
                Err(error) => {
                    refused += 1;
                    println!("{} {func}: {error}", path.display());
                }
            }
        }
        println!(
            "{}: {} bytes, {functions} functions, {refused} refused, {lines} lines, {:?}",
            path.display(),
            bytes.len(),
            start.elapsed()
        );
    }
}
