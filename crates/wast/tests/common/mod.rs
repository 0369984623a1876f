//! Which official scripts are known to fail, and for want of which feature.
//!
//! A listed script that passes is an error as well, so that the list cannot
//! outlive the lack it records.

use std::fmt::Write;
use zwasm_wast::{Outcome, Tally};

/// A feature this engine does not have yet.
pub struct Missing {
    /// What is missing.
    pub feature: &'static str,
    /// The scripts that need it: the end of their paths, where a final `*`
    /// stands for any rest.
    pub scripts: &'static [&'static str],
}

/// Everything that is known to fail.
pub const MISSING: &[Missing] = &[];

/// Compares outcomes with [`MISSING`].
#[derive(Default)]
pub struct Verdict {
    total: Tally,
    wrong: String,
}

impl Verdict {
    /// Takes the outcome of the script called `name`, with its folder.
    pub fn add(&mut self, name: &str, outcome: &Outcome) {
        self.total.add(outcome.directives);
        let missing = MISSING
            .iter()
            .find(|missing| missing.scripts.iter().any(|pattern| matches(pattern, name)));
        match (missing, outcome.failures.len()) {
            (Some(Missing { feature, .. }), 0) => {
                let _ = writeln!(self.wrong, "{name}: passes, though listed as lacking {feature}");
            }
            (None, count @ 1..) => {
                let _ = writeln!(self.wrong, "{name}: {count} failures");
                for failure in outcome.failures.iter().take(3) {
                    let _ = writeln!(self.wrong, "    {failure}");
                }
            }
            _ => {}
        }
    }

    /// Panics with everything that was not as listed.
    pub fn conclude(self) {
        println!("{}", self.total);
        assert!(self.wrong.is_empty(), "\n{}", self.wrong);
    }
}

fn matches(pattern: &str, name: &str) -> bool {
    let (folder, file) = split(pattern);
    let (in_folder, name) = split(name);
    let same_folder = in_folder == folder
        || in_folder.strip_suffix(folder).is_some_and(|before| before.ends_with('/'));
    let same_file = match file.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == file,
    };
    same_folder && same_file
}

fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

#[test]
fn patterns_match_whole_folders_and_the_starts_of_names() {
    assert!(matches("simd/*", "core/simd/simd_lane.wast"));
    assert!(matches("simd/simd_i*", "simd/simd_i8x16_cmp.wast"));
    assert!(matches("gc/array.wast", "core/gc/array.wast"));
    assert!(!matches("gc/array.wast", "core/gc/array_copy.wast"));
    assert!(!matches("simd/*", "core/relaxed-simd/simd.wast"));
}
