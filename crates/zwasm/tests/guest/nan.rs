//! Which NaN an instruction yields does not depend on what executes it, nor on where
//! its operands are; and in deterministic engines it is the canonical one.
#![cfg(feature = "wat")]

use std::fmt::Write as _;
use zwasm::{Config, Engine, Linker, Module, Store, Strategy};
use zwasm_regir::Type;
use zwasm_regir::ops::{BinaryOp, UnaryOp};

/// Numbers that matter, and NaN of both signs, quiet and signalling, with payloads.
const SINGLES: [u32; 14] = [
    0x0000_0000,
    0x8000_0000,
    0x3FC0_0000,
    0xBF80_0000,
    0x7F7F_FFFF,
    0x7F80_0000,
    0xFF80_0000,
    0x7FC0_0000,
    0xFFC0_0000,
    0x7F80_0001,
    0xFF80_0002,
    0x7FA0_0003,
    0xFFFF_FFFF,
    0x7FC1_2345,
];
const DOUBLES: [u64; 14] = [
    0x0000_0000_0000_0000,
    0x8000_0000_0000_0000,
    0x3FF8_0000_0000_0000,
    0xBFF0_0000_0000_0000,
    0x7FEF_FFFF_FFFF_FFFF,
    0x7FF0_0000_0000_0000,
    0xFFF0_0000_0000_0000,
    0x7FF8_0000_0000_0000,
    0xFFF8_0000_0000_0000,
    0x7FF0_0000_0000_0001,
    0xFFF0_0000_2000_0002,
    0x7FF4_0000_0000_0003,
    0xFFFF_FFFF_FFFF_FFFF,
    0x7FF8_1234_5678_9ABC,
];

/// Where results go.
const RESULTS: usize = 0x1_0000;

fn name(ty: Type) -> &'static str {
    match ty {
        Type::F32 => "f32",
        Type::F64 => "f64",
        _ => panic!("it is a float"),
    }
}

/// An operand of bits that no text of a float need express.
fn constant(ty: Type, index: usize) -> String {
    match ty {
        Type::F32 if f32::from_bits(SINGLES[index]).is_nan() => {
            let sign = if SINGLES[index] >> 31 == 1 { "-" } else { "" };
            format!("(f32.const {sign}nan:{:#x})", SINGLES[index] & 0x7F_FFFF)
        }
        Type::F32 => format!("(f32.const {:?})", f32::from_bits(SINGLES[index])),
        _ if f64::from_bits(DOUBLES[index]).is_nan() => {
            let sign = if DOUBLES[index] >> 63 == 1 { "-" } else { "" };
            format!("(f64.const {sign}nan:{:#x})", DOUBLES[index] & 0xF_FFFF_FFFF_FFFF)
        }
        _ => format!("(f64.const {:?})", f64::from_bits(DOUBLES[index])),
    }
}

/// A function that applies an op to operands in all kinds of places, and writes what
/// it yields, for all pairs of values; and what is to be compared.
struct Guest {
    text: String,
    results: usize,
    result: Type,
}

impl Guest {
    fn new(op: &str, operand: Type, result: Type, arity: usize) -> Guest {
        let (from, to) = (name(operand), name(result));
        let mut guest = Guest { text: String::new(), results: 0, result };
        let value = |local: usize| format!("(local.get {local})");
        let copy =
            |local: usize| format!("({from}.copysign (local.get {local}) (local.get {local}))");
        let load = |index: usize| format!("({from}.load (i32.const {}))", index * 8);
        for a in 0..SINGLES.len() {
            for b in 0..if arity == 1 { 1 } else { SINGLES.len() } {
                let places = |index, local| {
                    [constant(operand, index), value(local), copy(local), load(index)]
                };
                let _ = writeln!(guest.text, "(local.set 0 {}) (local.set 1 {})", load(a), load(b));
                for first in places(a, 0) {
                    for second in places(b, 1).into_iter().take(if arity == 1 { 1 } else { 4 }) {
                        let operands =
                            if arity == 1 { first.clone() } else { first.clone() + &second };
                        guest.store(to, &format!("({op} {operands})"));
                    }
                }
                if arity == 2 {
                    guest.store(to, &format!("({op} (local.get 0) (local.get 0))"));
                    for (into, back) in [(0, a), (1, b)] {
                        let _ = writeln!(
                            guest.text,
                            "(local.set {into} ({op} (local.get 0) (local.get 1)))"
                        );
                        guest.store(to, &format!("(local.get {into})"));
                        let _ = writeln!(guest.text, "(local.set {into} {})", load(back));
                    }
                }
            }
        }
        guest.text = format!(
            "(module (memory (export \"memory\") {})
              (func (export \"run\") (local {from} {from}) {}))",
            (RESULTS + guest.results * 8) / 0x1_0000 + 1,
            guest.text
        );
        guest
    }

    fn store(&mut self, ty: &str, value: &str) {
        let place = RESULTS + self.results * 8;
        let _ = writeln!(self.text, "({ty}.store (i32.const {place}) {value})");
        self.results += 1;
    }

    fn run(&self, operand: Type, config: &Config) -> Vec<u64> {
        let engine = Engine::new(config).unwrap();
        let module = Module::new(&engine, &self.text).unwrap();
        let mut store = Store::new(&engine, ());
        let instance = Linker::new(&engine).instantiate(&mut store, &module).unwrap();
        let memory = instance.get_memory(&mut store, "memory").unwrap();
        for index in 0..SINGLES.len() {
            let bits = if operand == Type::F32 { SINGLES[index].into() } else { DOUBLES[index] };
            memory.write(&mut store, index * 8, &bits.to_le_bytes()).unwrap();
        }
        let run = instance.get_typed_func::<(), ()>(&mut store, "run").unwrap();
        run.call(&mut store, ()).unwrap();
        let mut results = vec![0; self.results * 8];
        memory.read(&store, RESULTS, &mut results).unwrap();
        results.as_chunks().0.iter().map(|bytes| u64::from_le_bytes(*bytes)).collect()
    }

    /// Whether a result is a NaN that is not the canonical one.
    fn is_odd(&self, bits: u64) -> bool {
        match self.result {
            Type::F32 => f32::from_bits(bits as u32).is_nan() && bits != 0x7FC0_0000,
            _ => f64::from_bits(bits).is_nan() && bits != 0x7FF8_0000_0000_0000,
        }
    }
}

/// Runs an op everywhere. `computes` says whether a NaN that it yields is its own;
/// `per_pair` is how many results must be alike.
fn check(op: &str, operand: Type, result: Type, arity: usize, computes: bool) {
    let guest = Guest::new(op, operand, result, arity);
    let per_pair = if arity == 1 { 4 } else { 19 };
    for deterministic in [false, true] {
        let mut config = Config::new();
        config.deterministic(deterministic);
        let expected = guest.run(operand, config.strategy(Strategy::Interpreter));
        for (pair, results) in expected.chunks(per_pair).enumerate() {
            let alike = if arity == 1 { 4 } else { 16 };
            assert!(results[..alike].iter().all(|r| *r == results[0]), "{op} {pair}: {results:x?}");
            if deterministic && computes {
                assert!(!results.iter().any(|bits| guest.is_odd(*bits)), "{op}: {results:x?}");
            }
        }
        if !computes || !deterministic {
            assert!(expected.iter().any(|bits| guest.is_odd(*bits)), "{op}");
        }
        for strategy in [Strategy::Baseline, Strategy::Auto, Strategy::Stress, Strategy::Mixed(1)] {
            config.strategy(strategy);
            if Engine::new(&config).is_err() {
                continue;
            }
            let found = guest.run(operand, &config);
            let differs = expected.iter().zip(&found).position(|(a, b)| a != b);
            if let Some(index) = differs {
                panic!(
                    "{op}, {strategy:?}, deterministic {deterministic}, pair {}, form {}: \
                     {:#x} and {:#x}",
                    index / per_pair,
                    index % per_pair,
                    expected[index],
                    found[index]
                );
            }
        }
    }
}

fn is_float(ty: Type) -> bool {
    matches!(ty, Type::F32 | Type::F64)
}

#[test]
fn ops_on_one_float() {
    for &op in UnaryOp::ALL {
        if is_float(op.operand()) && is_float(op.result()) && !op.text().ends_with("canonical") {
            let moves = ["abs", "neg"].iter().any(|name| op.text().ends_with(name));
            check(op.text(), op.operand(), op.result(), 1, !moves);
        }
    }
}

#[test]
fn ops_on_two_floats() {
    for &op in BinaryOp::ALL {
        if is_float(op.result()) {
            let moves = op.text().ends_with("copysign");
            check(op.text(), op.result(), op.result(), 2, !moves);
        }
    }
}
