//! Each example prints what its header says, in lines `expect:`; and the porting
//! guide's program is the example `ported` with another import.

use std::path::Path;
use std::process::Command;

/// An example by its file's name: the source, and the program built of it.
macro_rules! examples {
    ($($name:ident)*) => {$(
        #[test]
        fn $name() {
            let name = concat!(stringify!($name), ".rs");
            prints(name, env!(concat!("CARGO_BIN_EXE_", stringify!($name))));
        }
    )*};
}

examples! {
    components errors gc hello host_functions imports interruption limits linking loading memory
    ported threads wasi
}

fn source(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn prints(name: &str, program: &str) {
    let source = source(name);
    let lines = source.lines().filter_map(|line| line.strip_prefix("//! expect: "));
    let expected: String = lines.map(|line| format!("{line}\n")).collect();
    assert!(!expected.is_empty(), "{name} does not say what it prints");
    let output = Command::new(program).output().expect("the example starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected, "{name}: {errors}");
    assert!(output.status.success(), "{name}: {}: {errors}", output.status);
}

#[test]
fn every_example_is_tested() {
    let this = source("tests/examples.rs");
    for entry in std::fs::read_dir(env!("CARGO_MANIFEST_DIR")).expect("it can be listed") {
        let path = entry.expect("it can be listed").path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.file_stem().expect("it has a name").to_string_lossy().into_owned();
            assert!(this.split_whitespace().any(|word| word == name), "{name} is not tested");
        }
    }
}

/// The guide shows a program for wasmtime; replacing the crate's name in it gives
/// the example, which is compiled and run as any other.
#[test]
fn the_porting_guide_shows_the_program_that_is_ported() {
    let guide = source("../../docs/porting-from-wasmtime.md");
    let start = guide.find("```rust\n").expect("the guide has a program") + "```rust\n".len();
    let shown = &guide[start..][..guide[start..].find("```\n").expect("the program ends")];
    let ported = source("ported.rs");
    let (_, ported) = ported.split_once("\n\n").expect("a header comes before the program");
    assert!(shown.contains("use wasmtime::"));
    let shown = shown.replace("wasmtime", "zwasm");
    for (shown, ported) in shown.lines().zip(ported.lines()) {
        assert_eq!(shown, ported);
    }
    assert_eq!(shown.lines().count(), ported.lines().count());
}
