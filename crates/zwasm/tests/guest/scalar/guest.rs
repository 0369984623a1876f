//! A module that evaluates expressions for all pairs of edges, run in every mode and
//! compared with what was expected.
//!
//! The values of all expressions for a pair are written to memory, in a loop over the
//! pairs. Where an expression is to trap, a byte per pair has the loop pass it over; the
//! expression is also a function of its own, which is called for these pairs.

use std::fmt::Write as _;
use zwasm::{Config, Engine, Instance, Linker, Module, Store, Strategy};
use zwasm_regir::Type;

use super::edges::name;
use super::reference::Expected;

/// Where the edges are, the second time for constant addresses.
const EDGES: usize = 0;
/// Where the bytes are that say what to pass over.
const PASSED: usize = 0x1000;

/// An expression of type `i64` over `$a` and `$b`, which are at `$i` and `$j` in memory;
/// `$d` is another local of their type, `$x` and `$y` are of type `i64`.
struct Expression {
    wat: String,
    /// For each pair, in the order of the loop.
    expected: Vec<Expected>,
}

pub struct Guest {
    name: String,
    operand: Type,
    edges: Vec<u64>,
    /// Whether there is a second operand.
    pairs: bool,
    expressions: Vec<Expression>,
}

/// A value as an `i64` that shows all of its slot.
fn shown(ty: Type, value: &str) -> String {
    match ty {
        Type::I32 => format!("(i64.extend_i32_u {value})"),
        Type::I64 => value.to_string(),
        Type::F32 => format!("(i64.extend_i32_u (i32.reinterpret_f32 {value}))"),
        Type::F64 => format!("(i64.reinterpret_f64 {value})"),
        _ => panic!("{ty:?} is no scalar"),
    }
}

impl Guest {
    pub fn new(name: &str, operand: Type, edges: &[u64], pairs: bool) -> Guest {
        let (name, edges) = (name.to_string(), edges.to_vec());
        Guest { name, operand, edges, pairs, expressions: Vec::new() }
    }

    fn inputs(&self) -> Vec<(u64, u64)> {
        let seconds: &[u64] = if self.pairs { &self.edges } else { &[0] };
        let pair = |&a| seconds.iter().map(move |&b| (a, b));
        self.edges.iter().flat_map(pair).collect()
    }

    /// Adds an expression of type `i64`.
    pub fn show(&mut self, wat: String, expected: impl Fn(u64, u64) -> Expected) {
        let expected = self.inputs().iter().map(|&(a, b)| expected(a, b)).collect();
        self.expressions.push(Expression { wat, expected });
    }

    /// Adds a value; an `i32` also as what branches and selections ask.
    pub fn value(&mut self, ty: Type, value: &str, expected: impl Fn(u64, u64) -> Expected) {
        self.show(shown(ty, value), &expected);
        if ty != Type::I32 {
            return;
        }
        let asked = |yes: u64, no: u64| {
            let expected = &expected;
            move |a, b| expected(a, b).map(|bits| if bits != 0 { yes } else { no })
        };
        self.show(format!("(select (i64.const 5) (i64.const 6) {value})"), asked(5, 6));
        self.show(
            format!("(select (result i64) (i64.load (local.get $i)) (local.get $x) {value})"),
            |a, b| expected(a, b).map(|bits| if bits != 0 { self_bits(a, b) } else { 0 }),
        );
        self.show(
            format!("(if (result i64) {value} (then (i64.const 7)) (else (i64.const 8)))"),
            asked(7, 8),
        );
        self.show(
            format!("(block (result i64) (br_if 0 (i64.const 9) {value}) (drop) (i64.const 1))"),
            asked(9, 1),
        );
        self.show(
            format!(
                "(block (result i64) (block (br_if 0 {value}) (br 1 (i64.const 2))) (i64.const 3))"
            ),
            asked(3, 2),
        );
        self.show(format!("(i64.extend_i32_u (i32.eqz {value}))"), asked(0, 1));
        self.show(
            format!(
                "(if (result i64) (i32.eqz {value}) (then (i64.const 7)) (else (i64.const 8)))"
            ),
            asked(8, 7),
        );
    }

    fn wat(&self) -> String {
        let (ty, size) = (name(self.operand), 8);
        let count = self.expressions.len();
        let (pairs, step) = (self.inputs().len(), count * size);
        let results = self.results();
        let pages = (results + pairs * step) / 0x1_0000 + 1;
        let locals = "(local $a TY) (local $b TY) (local $d TY) (local $x i64) (local $y i64)"
            .replace("TY", ty);
        let load = format!(
            "(local.set $a ({ty}.load (local.get $i))) (local.set $b ({ty}.load (local.get $j)))"
        );
        let (mut body, mut alone) = (String::new(), String::new());
        for (index, Expression { wat, expected }) in self.expressions.iter().enumerate() {
            let at = index * size;
            let store = format!("(i64.store offset={at} (local.get $out) {wat})");
            if !expected.iter().any(|each| matches!(each, Expected::Trap(_))) {
                let _ = writeln!(body, "{store}");
                continue;
            }
            let _ = writeln!(
                body,
                "(if (i32.eqz (i32.load8_u offset={} (local.get $m))) (then {store}))",
                PASSED + index
            );
            let _ = writeln!(
                alone,
                "(func (export \"e{index}\") (param $i i32) (param $j i32) (result i64) {locals}
                    {load} {wat})"
            );
        }
        let ends = self.edges.len() * size;
        let again = if self.pairs {
            format!(
                "(br_if $inner (i32.lt_u
                    (local.tee $j (i32.add (local.get $j) (i32.const {size})))
                    (i32.const {ends})))"
            )
        } else {
            String::new()
        };
        format!(
            r#"(module
    (memory (export "memory") {pages})
    (func $same (param {ty}) (result {ty}) (local.get 0))
    {alone}
    (func (export "run")
        (local $i i32) (local $j i32) (local $out i32) (local $m i32) {locals}
        (local.set $out (i32.const {results}))
        (loop $outer
            (local.set $j (i32.const 0))
            (loop $inner
                {load}
                {body}
                (local.set $x (i64.const 0))
                (local.set $out (i32.add (local.get $out) (i32.const {step})))
                (local.set $m (i32.add (local.get $m) (i32.const {count})))
                {again})
            (br_if $outer (i32.lt_u
                (local.tee $i (i32.add (local.get $i) (i32.const {size})))
                (i32.const {ends}))))))"#
        )
    }

    /// Where results go.
    fn results(&self) -> usize {
        (PASSED + self.inputs().len() * self.expressions.len()).next_multiple_of(16)
    }

    /// Compares in every mode.
    pub fn check(&self) {
        let wasm = wat::parse_str(self.wat()).expect(&self.name);
        let mut configs = Vec::new();
        for strategy in
            [Strategy::Interpreter, Strategy::Baseline, Strategy::Stress, Strategy::Mixed(1)]
        {
            if strategy.is_available() {
                configs.push((strategy, false, false));
            }
        }
        configs.push((Strategy::Interpreter, false, true));
        if Strategy::Baseline.is_available() {
            configs.extend([(Strategy::Baseline, true, false), (Strategy::Baseline, true, true)]);
            configs.push((Strategy::Baseline, false, true));
        }
        // Which NaN is computed is the same in all of them.
        let mut first = None;
        for (strategy, oldest, deterministic) in configs {
            let mut config = Config::new();
            config.strategy(strategy).oldest_processor(oldest).deterministic(deterministic);
            let mode = format!("{strategy:?}, oldest {oldest}, deterministic {deterministic}");
            let found = self.run(&wasm, &config, &mode, deterministic);
            if !deterministic {
                let first = first.get_or_insert_with(|| found.clone());
                assert!(*first == found, "{}, {mode}: another NaN", self.name);
            }
        }
    }

    fn run(&self, wasm: &[u8], config: &Config, mode: &str, deterministic: bool) -> Vec<u64> {
        let engine = Engine::new(config).unwrap();
        let module = Module::new(&engine, wasm).unwrap();
        let mut store = Store::new(&engine, ());
        let instance = Linker::new(&engine).instantiate(&mut store, &module).unwrap();
        let memory = instance.get_memory(&mut store, "memory").unwrap();
        let bytes: Vec<u8> = self.edges.iter().flat_map(|edge| edge.to_le_bytes()).collect();
        assert!(bytes.len() <= PASSED);
        memory.write(&mut store, EDGES, &bytes).unwrap();
        let (inputs, count) = (self.inputs(), self.expressions.len());
        let mut passed = vec![0; inputs.len() * count];
        for (index, each) in self.expressions.iter().enumerate() {
            for (pair, expected) in each.expected.iter().enumerate() {
                passed[pair * count + index] = matches!(expected, Expected::Trap(_)).into();
            }
        }
        memory.write(&mut store, PASSED, &passed).unwrap();
        instance
            .get_typed_func::<(), ()>(&mut store, "run")
            .unwrap()
            .call(&mut store, ())
            .unwrap_or_else(|error| panic!("{}, {mode}: {error:?}", self.name));
        let mut results = vec![0; inputs.len() * count * 8];
        memory.read(&store, self.results(), &mut results).unwrap();
        let results: Vec<u64> =
            results.as_chunks().0.iter().map(|bytes| u64::from_le_bytes(*bytes)).collect();
        for (pair, found) in results.chunks(count).enumerate() {
            for (each, &found) in self.expressions.iter().zip(found) {
                let expected = each.expected[pair];
                assert!(
                    expected.allows(found, deterministic) || matches!(expected, Expected::Trap(_)),
                    "{}, {mode}: {}\nof {:#x?}\nis {found:#x}\nnot {expected:#x?}",
                    self.name,
                    each.wat,
                    inputs[pair],
                );
            }
        }
        self.traps(&mut store, &instance, mode);
        results
    }

    /// Calls what is to trap.
    fn traps(&self, store: &mut Store<()>, instance: &Instance, mode: &str) {
        let seconds = if self.pairs { self.edges.len() } else { 1 };
        for (index, each) in self.expressions.iter().enumerate() {
            let traps: Vec<_> = each
                .expected
                .iter()
                .enumerate()
                .filter_map(|(pair, expected)| match expected {
                    Expected::Trap(trap) => Some((pair, *trap)),
                    _ => None,
                })
                .collect();
            if traps.is_empty() {
                continue;
            }
            let alone = instance
                .get_typed_func::<(i32, i32), i64>(&mut *store, &format!("e{index}"))
                .unwrap();
            for (pair, trap) in traps {
                let (i, j) = (pair / seconds * 8, pair % seconds * 8);
                let found = alone.call(&mut *store, (i as i32, j as i32));
                assert!(
                    found.as_ref().is_err_and(|error| error.trap() == Some(trap)),
                    "{}, {mode}: {}\nof {:#x?}\nis {found:?}\nnot {trap:?}",
                    self.name,
                    each.wat,
                    self.inputs()[pair],
                );
            }
        }
    }
}

/// What the guest reads at `$i`: the bits of the first operand.
fn self_bits(a: u64, _: u64) -> u64 {
    a
}
