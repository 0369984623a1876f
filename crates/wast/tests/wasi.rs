//! The official WASI tests, which are looked for beside the repository; without
//! them there is nothing to test.

use std::path::Path;

use zwasm_wast::Mode;
use zwasm_wast::wasi::{check, programs};

/// All programs of these folders must hold, and there must be so many.
fn all_hold(folders: &[&str], expected: usize) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora/wasi-testsuite");
    if !root.is_dir() {
        println!("passed over: there is no {}", root.display());
        return;
    }
    let (mut count, mut failures) = (0, Vec::new());
    for folder in folders {
        for program in programs(&root.join(folder)).unwrap() {
            count += 1;
            for mode in [Mode::Interp, Mode::Auto] {
                if let Err(failure) = check(&program, mode) {
                    failures.push(format!("{} [{mode}]: {failure}", program.display()));
                }
            }
        }
    }
    assert_eq!(count, expected, "programs");
    assert!(failures.is_empty(), "{} fail:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn preview_1() {
    let folders = ["assemblyscript", "c", "rust"].map(|suite| format!("{suite}/wasm32-wasip1"));
    all_hold(&folders.each_ref().map(String::as_str), 72);
}

#[test]
fn threads() {
    all_hold(&["proposals/wasi-threads"], 15);
}
