//! Which official scripts are known to fail, and why: the one list of them.
//!
//! A listed script that passes is an error as well, so that the list cannot
//! outlive what it records.

use std::fmt::Write;
use zwasm_wast::{Mode, Outcome, Tally};

/// A feature this engine does not have yet.
struct Missing {
    feature: &'static str,
    /// What failures for want of it say; at least one failure of each script.
    sign: &'static str,
    /// The scripts that need it, as folder and file; a final `*` stands for
    /// any rest.
    scripts: &'static [&'static str],
    /// Scripts among those that pass without it.
    but: &'static [&'static str],
}

const MISSING: &[Missing] = &[
    Missing {
        feature: "custom descriptors, which are not in Wasm 3.0",
        sign: "custom descriptors",
        scripts: &["custom-descriptors/*"],
        but: &[
            "custom-descriptors/binary.wast",
            "custom-descriptors/br_on_cast.wast",
            "custom-descriptors/br_on_cast_fail.wast",
        ],
    },
    Missing {
        feature: "the exception handling before Wasm 3.0, whose text does not parse",
        sign: "unparsable text",
        scripts: &["legacy/exceptions/core/*"],
        but: &[],
    },
];

/// A script of an older version of the specification that asserts, in so many
/// directives, what Wasm 3.0 has changed.
type Superseded = (&'static str, usize, &'static str);

const SUPERSEDED: &[Superseded] = &[
    ("wasm-v1/address.wast", 1, LONG_NUMBERS),
    ("wasm-v1/binary-leb128.wast", 12, LONG_NUMBERS),
    ("wasm-v1/binary.wast", 2, FLAGS),
    ("wasm-v1/imports.wast", 3, MULTIPLE_MEMORIES),
    ("wasm-v1/memory.wast", 2, MULTIPLE_MEMORIES),
    ("wasm-v2/address.wast", 1, LONG_NUMBERS),
    ("wasm-v2/align.wast", 5, FLAGS),
    ("wasm-v2/binary-leb128.wast", 10, LONG_NUMBERS),
    ("wasm-v2/binary.wast", 17, MEMORY_INDICES),
    ("wasm-v2/imports.wast", 3, MULTIPLE_MEMORIES),
    ("wasm-v2/memory.wast", 5, MULTIPLE_MEMORIES),
    ("wasm-v2/table.wast", 3, LONG_NUMBERS),
    ("proposals/custom-descriptors/br_on_cast.wast", 1, WIDER_CASTS),
    ("proposals/custom-descriptors/br_on_cast_fail.wast", 1, WIDER_CASTS),
    ("proposals/function-references/binary.wast", 17, MEMORY_INDICES),
    ("proposals/function-references/elem.wast", 1, "additions may be constant"),
    ("proposals/function-references/table.wast", 3, LONG_NUMBERS),
    ("proposals/memory64/binary.wast", 11, MEMORY_INDICES),
    ("proposals/memory64/memory.wast", 2, MULTIPLE_MEMORIES),
    ("proposals/memory64/memory64.wast", 2, MULTIPLE_MEMORIES),
    ("proposals/multi-value/binary.wast", 15, MEMORY_INDICES),
    ("proposals/mutable-global/globals.wast", 2, FLAGS),
    (
        "proposals/mutable-global/linking.wast",
        10,
        "a segment out of bounds is a trap, and those before it stay",
    ),
    ("proposals/reference-types/binary-leb128.wast", 12, LONG_NUMBERS),
    ("proposals/reference-types/binary.wast", 24, MEMORY_INDICES),
    ("proposals/reference-types/imports.wast", 3, MULTIPLE_MEMORIES),
    ("proposals/reference-types/table.wast", 3, LONG_NUMBERS),
    (
        "proposals/reference-types/unreached-invalid.wast",
        1,
        "types in unreachable code may be bottom",
    ),
    ("proposals/simd/simd_lane.wast", 1, "a lane out of range is no syntax error"),
    ("test/validation/kebab.wast", 1, "names that differ in hyphens only are the same"),
    (
        "component-model/simple.wast",
        2,
        "wasmtime refuses components that import or export components; they are valid",
    ),
];

const WIDER_CASTS: &str =
    "custom descriptors relax the type of a cast's operand; Wasm 3.0 does not";
const MULTIPLE_MEMORIES: &str = "a module may have several memories and tables, and larger ones";
const MEMORY_INDICES: &str =
    "where a zero byte stood there is a memory index, and numbers may be written longer";
const LONG_NUMBERS: &str = "limits, offsets, alignments and indices may be written longer";
const FLAGS: &str = "a byte that was malformed means something, so that the error comes later";

/// Compares outcomes with what is known.
#[derive(Default)]
pub struct Verdict {
    total: Tally,
    wrong: String,
}

impl Verdict {
    /// Takes the outcome of a script; `name` is its path.
    pub fn add(&mut self, name: &str, mode: Mode, outcome: &Outcome) {
        self.total.add(outcome.directives);
        if let Some(wrong) = judge(name, outcome) {
            let _ = writeln!(self.wrong, "{name} [{mode}]: {wrong}");
            for failure in outcome.failures.iter().take(3) {
                let _ = writeln!(self.wrong, "    {failure}");
            }
        }
    }

    /// Panics with everything that was not as known; how many directives there were.
    pub fn conclude(self) -> Tally {
        println!("{}", self.total);
        assert!(self.wrong.is_empty(), "\n{}", self.wrong);
        self.total
    }
}

/// What is wrong about an outcome, if anything.
fn judge(name: &str, outcome: &Outcome) -> Option<String> {
    let failures = outcome.failures.len();
    if let Some((_, count, why)) = SUPERSEDED.iter().find(|(script, ..)| matches(script, name)) {
        return (failures != *count)
            .then(|| format!("{failures} failures, expected {count} ({why})"));
    }
    let any = |scripts: &[&str]| scripts.iter().any(|script| matches(script, name));
    let Some(missing) = MISSING.iter().find(|one| any(one.scripts) && !any(one.but)) else {
        return (failures > 0).then(|| format!("{failures} failures"));
    };
    let Missing { feature, sign, .. } = missing;
    if failures == 0 {
        return Some(format!("passes, though listed as lacking {feature}"));
    }
    let told = outcome.failures.iter().any(|failure| failure.got.contains(sign));
    (!told).then(|| format!("{failures} failures, none for want of {feature}"))
}

/// Whether the path `name` ends with what `pattern` says, from a whole folder
/// on.
fn matches(pattern: &str, name: &str) -> bool {
    let (folder, file) = pattern.rsplit_once('/').unwrap_or(("", pattern));
    let (in_folder, name) = name.rsplit_once('/').unwrap_or(("", name));
    let same_folder = in_folder
        .strip_suffix(folder)
        .is_some_and(|before| before.is_empty() || before.ends_with('/'));
    let same_file = match file.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == file,
    };
    same_folder && same_file
}

#[test]
fn patterns_match_whole_folders_and_the_starts_of_names() {
    assert!(matches("simd/*", "core/simd/simd_lane.wast"));
    assert!(matches("simd/simd_i*", "simd/simd_i8x16_cmp.wast"));
    assert!(matches("gc/array.wast", "core/gc/array.wast"));
    assert!(!matches("gc/array.wast", "core/gc/array_copy.wast"));
    assert!(!matches("simd/*", "core/relaxed-simd/simd.wast"));
}

#[test]
fn a_listed_script_that_passes_is_wrong() {
    let run = |text: &str| zwasm_wast::run_source("t", text, zwasm_wast::Mode::Interp);
    let passing = run("(module)");
    let failing = run("(module (func (result i32)))");
    assert_eq!(judge("core/any.wast", &passing), None);
    assert_eq!(judge("core/any.wast", &failing).as_deref(), Some("1 failures"));
    assert!(judge("custom-descriptors/any.wast", &passing).is_some());
    assert!(judge("custom-descriptors/any.wast", &failing).is_some());
    assert!(judge("wasm-v1/memory.wast", &passing).is_some());
    assert!(judge("wasm-v1/memory.wast", &failing).is_some());
}
