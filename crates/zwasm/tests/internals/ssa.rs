//! The SSA form of every function of the modules here can be built, also from the headers
//! of its loops on, and is what the verifier demands, which looks at it in builds with
//! debug assertions.
//!
//! The modules are the examples and filetests, and the real programs beside the project, if
//! they are there.
#![cfg(all(
    feature = "gc",
    feature = "optimize",
    feature = "simd",
    feature = "threads",
    feature = "trace",
    feature = "wat",
    target_arch = "x86_64",
    target_os = "linux"
))]

use std::fs;
use std::path::{Path, PathBuf};
use zwasm::{Config, Engine, Module};

/// Loops of a function that are entered.
const LOOPS: u32 = 3;

/// The modules below a folder.
fn modules(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            modules(&path, found);
        } else if path.extension().is_some_and(|end| end == "wasm" || end == "wat") {
            found.push(path);
        }
    }
}

/// How many functions and loops of the modules below a folder have forms.
fn forms(folder: &Path) -> (u32, u32) {
    let mut found = Vec::new();
    modules(folder, &mut found);
    let (mut functions, mut loops) = (0, 0);
    for path in found {
        let bytes = fs::read(&path).unwrap();
        for guards in [true, false] {
            let engine = Engine::new(Config::new().guard_pages(guards)).unwrap();
            // Components, and what proposals add.
            let Ok(module) = Module::new(&engine, &bytes) else { break };
            for func in 0.. {
                match module.ssa(func, Some("build")) {
                    Ok(text) => assert!(text.contains("\nb0"), "{text}"),
                    Err(error) if error.summary().contains("is imported") => continue,
                    Err(error) if error.summary().contains("no function") => break,
                    Err(error) => panic!("{} {func}: {error}", path.display()),
                }
                functions += 1;
                loops += module.ssa_of_loops(func, LOOPS).unwrap();
            }
        }
    }
    (functions, loops)
}

#[test]
fn functions_have_a_form() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (functions, loops) = forms(&root.join("tests/filetests"));
    assert!(functions > 50 && loops > 5, "{functions} functions, {loops} loops");
    let (functions, loops) = forms(&root.join("../../examples"));
    assert!(functions > 50 && loops > 5, "{functions} functions, {loops} loops");
    let corpora = root.join("../../../shared/corpora");
    for folder in ["bench", "realworld", "wasi-testsuite"] {
        let folder = corpora.join(folder);
        if folder.is_dir() {
            let (functions, _) = forms(&folder);
            assert!(functions > 100, "{functions} functions of {}", folder.display());
        }
    }
}
