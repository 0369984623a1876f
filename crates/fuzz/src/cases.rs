//! Where the modules come from. Seed and number determine a case, given the same
//! corpus.

use crate::plan::validate;
use crate::program::program;
use crate::tame::{MEMORY, Options, tame};
use arbitrary::Unstructured;
use wasm_smith::{Config, MemoryOffsetChoices};
use zwasm_wast::mutate::{Corpus, Rng, mutant};

/// Real modules above this size would take the time of a hundred others.
const LONGEST: usize = 40_000;
/// How often another module is drawn when one does not fit.
const TRIES: usize = 20;

/// A module fit to be compared, and the seed of what is done with it.
pub struct Case {
    pub bytes: Vec<u8>,
    pub calls: u64,
}

/// Keeps the modules that mutants can be made of.
pub fn prepare(corpus: &mut Corpus) {
    corpus.retain(|bytes| bytes.len() <= LONGEST && validate(bytes).is_some());
}

/// The case with this number.
pub fn case(corpus: &Corpus, seed: u64, number: u64) -> Case {
    let mut rng = Rng::for_case(seed, number);
    let calls = rng.bits();
    let fit = (0..TRIES).find_map(|_| draw(corpus, &mut rng));
    Case { bytes: fit.unwrap_or_else(|| b"\0asm\x01\0\0\0".to_vec()), calls }
}

fn draw(corpus: &Corpus, rng: &mut Rng) -> Option<Vec<u8>> {
    let kind = rng.below(20);
    match kind {
        0..=9 => {
            let bytes = program(rng);
            fit(&bytes, Options { loops_end: true, mutate: None })
        }
        10..=13 => fit(&smith(rng, kind < 12)?, Options::default()),
        14 => fit(&mutant(corpus, rng), Options::default()),
        15 => {
            let bytes = program(rng);
            fit(&bytes, Options { loops_end: false, mutate: Some(rng) })
        }
        _ => {
            let bytes = corpus.draw(rng);
            fit(bytes, Options { loops_end: false, mutate: Some(rng) })
        }
    }
}

fn fit(bytes: &[u8], options: Options<'_>) -> Option<Vec<u8>> {
    let types = validate(bytes)?;
    tame(bytes, types.as_ref(), options)
}

/// A module by `wasm-smith`: with every feature, or with those that all engines
/// have.
fn smith(rng: &mut Rng, every: bool) -> Option<Vec<u8>> {
    let length = [512, 2048, 8192][rng.below(3)];
    let noise: Vec<u8> = (0..length / 8).flat_map(|_| rng.bits().to_le_bytes()).collect();
    let on = |rng: &mut Rng| rng.below(2) == 0;
    let config = Config {
        max_imports: rng.below(4),
        min_funcs: 1,
        max_funcs: 12,
        max_instructions: [60, 200, 600][rng.below(3)],
        max_memories: 1 + rng.below(3),
        max_memory32_bytes: MEMORY,
        max_memory64_bytes: u128::from(MEMORY),
        max_tables: 1 + rng.below(3),
        max_table_elements: 50,
        max_types: 20,
        max_tags: 4,
        max_data_segments: 4,
        max_element_segments: 4,
        max_elements: 10,
        max_globals: 10,
        max_nesting_depth: 6,
        allow_start_export: true,
        memory_offset_choices: MemoryOffsetChoices(60, 39, 1),
        simd_enabled: on(rng),
        relaxed_simd_enabled: every && on(rng),
        gc_enabled: every && on(rng),
        exceptions_enabled: every && on(rng),
        threads_enabled: every && rng.below(4) == 0,
        tail_call_enabled: on(rng),
        memory64_enabled: on(rng),
        wide_arithmetic_enabled: on(rng),
        custom_page_sizes_enabled: on(rng),
        compact_imports_enabled: false,
        limit_arrays_in_const_exprs: true,
        disallow_traps: rng.below(4) == 0,
        ..Config::default()
    };
    let module = wasm_smith::Module::new(config, &mut Unstructured::new(&noise)).ok()?;
    Some(module.to_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::FEATURES;

    fn corpus() -> Corpus {
        let mut corpus = Corpus::default();
        corpus.add_script(
            r#"(module (memory 1) (func (export "f") (param i32 f64) (result i64)
                 (loop (br_if 0 (i32.load8_u offset=7 (local.get 0))))
                 (f64.store (i32.const 8) (f64.add (local.get 1) (f64.const 2)))
                 (i64.load (i32.const 8))))"#,
        );
        prepare(&mut corpus);
        corpus
    }

    #[test]
    fn cases_are_valid_and_follow_from_seed_and_number() {
        let corpus = corpus();
        let (mut valid, mut vectors) = (0, 0);
        for number in 0..300 {
            let first = case(&corpus, 5, number);
            let again = case(&corpus, 5, number);
            assert!(first.bytes == again.bytes && first.calls == again.calls);
            let validated =
                wasmparser::Validator::new_with_features(FEATURES).validate_all(&first.bytes);
            if let Err(error) = validated {
                panic!("case {number} is not valid: {error}");
            }
            valid += u64::from(first.bytes.len() > 8);
            vectors += u64::from(first.bytes.contains(&0xfd));
        }
        assert!(valid > 290, "{valid}");
        assert!(vectors > 50, "{vectors}");
    }
}
