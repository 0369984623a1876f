//! Every pass of the optimizing compiler changes programs, and often: what it does is
//! compared with what other tiers do only where it does something.

use super::program;
use std::collections::BTreeMap;
use wasmparser::{Parser, Payload};
use zwasm::{Config, Engine, ExternType, Module};
use zwasm_wast::mutate::Rng;

/// The passes by their names, and in how many of a hundred functions each has to change
/// the form that machine code is made from.
const PASSES: [(&str, usize); 11] = [
    ("tables", 1),
    ("branches", 20),
    ("simplify", 20),
    ("gvn", 10),
    ("casts", 1),
    ("objects", 1),
    ("loads", 10),
    ("choose", 1),
    ("licm", 5),
    ("dce", 20),
    ("split", 1),
];

/// Ops that passes are to remove some of: in as many places of a hundred functions at least.
const REMOVED: [(&str, usize); 12] = [
    ("global.get", 5),
    ("i32.load", 2),
    ("i64.load", 1),
    ("memory.base", 5),
    ("struct.get", 1),
    ("ref.cast", 1),
    ("i32.div_s", 1),
    ("i64.div_u", 1),
    ("i64.mul", 1),
    ("i32.and", 5),
    ("select", 1),
    ("i64.extend_i32_u", 2),
];

/// Programs looked at.
const PROGRAMS: u64 = if cfg!(debug_assertions) { 80 } else { 400 };

/// The forms of all functions of a program, with a pass left out; none of those that are
/// too large.
fn forms(bytes: &[u8], without: Option<&str>, pass: Option<&str>) -> Vec<Option<String>> {
    let mut config = Config::new();
    without.into_iter().for_each(|name| {
        config.without_pass(name);
    });
    let engine = Engine::new(&config).unwrap();
    let module = Module::new(&engine, bytes).unwrap();
    let is_func = |ty| matches!(ty, ExternType::Func(_));
    let first = module.imports().filter(|import| is_func(import.ty())).count() as u32;
    let bodies = Parser::new(0).parse_all(bytes).find_map(|payload| match payload.unwrap() {
        Payload::CodeSectionStart { count, .. } => Some(count),
        _ => None,
    });
    let functions = first..first + bodies.unwrap_or(0);
    functions.map(|func| module.ssa(func, pass).ok()).collect()
}

/// How often each op stands in a form, by the first word of its text.
fn count(form: &str, ops: &mut BTreeMap<String, usize>) {
    for line in form.lines().filter_map(|line| line.strip_prefix("  ")) {
        let op = line.split_once(" = ").map_or(line, |(_, op)| op);
        let name = op.split(' ').next().unwrap_or_default();
        *ops.entry(name.to_owned()).or_default() += 1;
    }
}

#[test]
fn passes_change_programs() {
    let mut functions = 0;
    let mut changed = [0; PASSES.len()];
    let (mut built, mut left) = (BTreeMap::new(), BTreeMap::new());
    for case in 0..PROGRAMS {
        let bytes = program(&mut Rng::for_case(19, case));
        let all = forms(&bytes, None, None);
        for (count, (pass, _)) in changed.iter_mut().zip(PASSES) {
            let without = forms(&bytes, Some(pass), None);
            *count += all.iter().zip(&without).filter(|(one, other)| one != other).count();
        }
        functions += all.iter().flatten().count();
        all.iter().flatten().for_each(|form| count(form, &mut left));
        forms(&bytes, None, Some("build")).iter().flatten().for_each(|form| {
            count(form, &mut built);
        });
    }
    println!("{functions} functions");
    for ((pass, least), changed) in PASSES.iter().zip(changed) {
        println!("{pass}: {changed}");
        assert!(changed * 100 >= least * functions, "{pass} changes {changed} of {functions}");
    }
    for (name, built) in &built {
        println!("{name}: {built}, left {}", left.get(name).unwrap_or(&0));
    }
    for (op, least) in REMOVED {
        let of = |ops: &BTreeMap<String, usize>| ops.get(op).copied().unwrap_or(0);
        let removed = of(&built).saturating_sub(of(&left));
        assert!(removed * 100 >= least * functions, "{removed} of {op} in {functions}");
    }
}
