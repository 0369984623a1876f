//! Chains of tail calls between the worlds take constant space in both, and lose no value.

use super::shapes::*;
use super::*;
use std::fmt::Write as _;

/// How the next function is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    Direct,
    Indirect,
    Reference,
    /// Every other function is in another instance, which is reached through a table, and
    /// from there the others as imports.
    Elsewhere,
}

const ALL: [How; 4] = [How::Direct, How::Indirect, How::Reference, How::Elsewhere];

/// Functions that call each other in a ring.
struct Ring {
    params: Vec<Vec<Ty>>,
    results: Vec<Ty>,
    how: How,
}

impl Ring {
    fn types(&self) -> String {
        let mut text = String::from(CELL);
        for (at, params) in self.params.iter().enumerate() {
            let (params, results) = (list(params), list(&self.results));
            let _ =
                writeln!(text, "(type $s{at} (func (param i64 i64 {params}) (result {results})))");
        }
        text
    }

    /// Function `at`: with a count, a number, and values made of that. It adds the values
    /// to the number, and returns results made of it when the count is zero.
    fn function(&self, at: usize) -> String {
        let next = (at + 1) % self.params.len();
        let call = match self.how {
            How::Direct => format!("return_call $f{next}"),
            How::Elsewhere if at % 2 == 1 => format!("return_call $f{next}"),
            How::Indirect | How::Elsewhere => format!("return_call_indirect (type $s{next})"),
            How::Reference => format!("return_call_ref $s{next}"),
        };
        let callee = match self.how {
            How::Direct => String::new(),
            How::Elsewhere if at % 2 == 1 => String::new(),
            How::Indirect | How::Elsewhere => format!("(i32.const {next})"),
            How::Reference => format!("(ref.func $f{next})"),
        };
        let params = &self.params[at];
        format!(
            "(func $f{at} (export \"f{at}\") (type $s{at}) (param $n i64) (param $acc i64) {} (result {})
              {}(if (i64.eqz (local.get $n)) (then (return {})))
              ({call} (i64.sub (local.get $n) (i64.const 1)) (local.get $acc)
              {} {callee}))\n",
            declare("param", params, "p"),
            list(&self.results),
            fold(params, "p", "$acc"),
            spread(&self.results, "$acc"),
            spread(&self.params[next], "$acc"),
        )
    }

    /// `run` with a count and a number calls the first function and folds its results.
    fn run(&self) -> String {
        format!(
            "(func (export \"run\") (param $n i64) (param $acc i64) (result i64) (local $kept i64) {}
              (local.set $kept (local.get $acc))
              (call $f0 (local.get $n) (local.get $acc) {})
              {}{}(local.get $kept))",
            declare("local", &self.results, "r"),
            spread(&self.params[0], "$acc"),
            take(&self.results, "r"),
            fold(&self.results, "r", "$kept"),
        )
    }

    /// A guest with the whole ring.
    fn guest(&self, config: &Config) -> Guest {
        let count = self.params.len();
        let names =
            |step| (0..count).step_by(step).map(|at| format!("$f{at} ")).collect::<String>();
        if self.how != How::Elsewhere {
            let functions: String = (0..count).map(|at| self.function(at)).collect();
            let wat = format!(
                "(module {} (table funcref (elem {})) {functions} {})",
                self.types(),
                names(1),
                self.run()
            );
            return Guest::new(config, &wat);
        }
        assert!(
            count.is_multiple_of(2),
            "the last function is elsewhere, so that it can import the first"
        );
        let engine = Engine::new(config).unwrap();
        let mut store = Store::new(&engine, Host::default());
        let mut linker = Linker::new(&engine);
        let near: String = (0..count).step_by(2).map(|at| self.function(at)).collect();
        let near = format!(
            "(module {} (memory 2) (table (export \"table\") {count} funcref) {near} {})",
            self.types(),
            self.run()
        );
        let module = Module::new(&engine, near).unwrap();
        let instance = linker.instantiate(&mut store, &module).unwrap();
        linker.instance(&mut store, "near", instance).unwrap();
        let mut far = format!("(module {}", self.types());
        for at in (0..count).step_by(2) {
            let _ = writeln!(far, "(import \"near\" \"f{at}\" (func $f{at} (type $s{at})))");
        }
        let _ = writeln!(far, "(import \"near\" \"table\" (table {count} funcref)) (memory 3)");
        for at in (1..count).step_by(2) {
            far.push_str(&self.function(at));
            let _ = writeln!(far, "(elem (i32.const {at}) func $f{at})");
        }
        far.push(')');
        let module = Module::new(&engine, far).unwrap();
        linker.instantiate(&mut store, &module).unwrap();
        Guest { store, instance }
    }

    /// What `run` has to return.
    fn expected(&self, n: i64, acc: i64) -> i64 {
        let mut number = acc;
        for at in 0..=n {
            let params = &self.params[(at % self.params.len() as i64) as usize];
            number = folded(params, number, number);
        }
        folded(&self.results, acc, number)
    }

    /// Runs chains of some length in all these ways.
    fn check(&self, pins: &[&[Pin]], lengths: &[i64]) {
        let expected: Vec<_> = lengths.iter().map(|n| (*n, self.expected(*n, 77))).collect();
        for pins in pins {
            let mut config = config(Strategy::pinned(pins));
            config.max_stack(64 << 10);
            let mut guest = self.guest(&config);
            for (n, expected) in &expected {
                let found = guest.call("run", &[*n, 77]).unwrap();
                assert_eq!(found, *expected, "{pins:?} {:?} {:?} {n}", self.how, self.results);
            }
            if lengths.iter().any(|n| *n > 2 * self.params.len() as i64) {
                guest.check_pins(pins, if self.how == How::Elsewhere { 2 } else { 1 });
            }
        }
    }
}

/// Rings of all parameters there are, or of an even number of them.
fn ring(how: How, results: Vec<Ty>) -> Ring {
    let mut params = parameters();
    if how == How::Elsewhere {
        params.pop();
    }
    Ring { params, results, how }
}

#[test]
fn values_of_all_types_survive_every_way_to_call() {
    for how in ALL {
        for results in results() {
            ring(how, results).check(&PINS, &[0, 1, 2, 3, 4, 5, 6, 7, 50]);
        }
    }
}

#[test]
fn long_chains_take_constant_space() {
    for how in ALL {
        ring(how, vec![I64]).check(&PINS[2..], &[MANY / 10, MANY / 10 + 3]);
    }
    // The fewest values, so that little stack per call shows.
    for how in ALL {
        let ring = Ring { params: vec![vec![], vec![I32]], results: vec![I64], how };
        ring.check(&PINS[2..], &[MANY, MANY + 1]);
    }
}

/// A hundred million calls for each way to call and each choice of tiers.
#[test]
#[ignore = "takes 17 s optimised and minutes otherwise: `.ci/release` asks for it"]
fn a_hundred_million_tail_calls_take_constant_space() {
    for how in ALL {
        let ring = Ring { params: vec![vec![], vec![I32, F64]], results: vec![I64], how };
        for pins in [&[O, B][..], &[O, I], &[O], &[I, B, O], &[R]] {
            ring.check(&[pins], &[100_000_000]);
        }
    }
}

/// A chain with vectors and references, in which every step allocates.
#[test]
fn collections_see_what_tail_calls_carry() {
    for how in ALL {
        let ring = ring(how, vec![Cell, I31, Cell, Cell, Cell, F64, Cell, Cell]);
        let n = 40;
        let expected = ring.expected(n, 5);
        for pins in PINS {
            let mut config = config(Strategy::pinned(pins));
            config.gc_stress(true);
            assert_eq!(ring.guest(&config).call("run", &[n, 5]).unwrap(), expected, "{pins:?}");
        }
    }
}

/// A host function is called in tail position, from both worlds and across them, and fails
/// in tail position too.
#[test]
fn hosts_are_called_in_tail_position() {
    let wat = r#"(module
        (import "host" "pass" (func $pass (param i64 i64 i32) (result i64)))
        (import "other" "tail" (func $tail (param i64 i64 i32) (result i64)))
        (import "other" "table" (table 64 funcref))
        (import "host" "fail" (func $fail))
        (elem (i32.const 0) func $f0 $f1 $f2 $f3)
        (func $f0 (export "f0") (param i64 i64) (result i64)
            (if (i64.eqz (local.get 0)) (then (return (local.get 1))))
            (return_call $pass (i64.sub (local.get 0) (i64.const 1))
                (i64.add (local.get 1) (i64.const 1)) (i32.const 1)))
        (func $f1 (export "f1") (param i64 i64) (result i64)
            (if (i64.eqz (local.get 0)) (then (return (local.get 1))))
            (return_call $tail (i64.sub (local.get 0) (i64.const 1))
                (i64.mul (local.get 1) (i64.const 3)) (i32.const 2)))
        (func $f2 (export "f2") (param i64 i64) (result i64)
            (if (i64.eqz (local.get 0)) (then (return (local.get 1))))
            (i64.add (i64.const 5) (call $tail (i64.sub (local.get 0) (i64.const 1))
                (i64.mul (local.get 1) (i64.const 7)) (i32.const 0))))
        (func $f3 (param i64 i64) (result i64)
            (call $lost)
            (unreachable))
        (func $lost (return_call $fail))
        (func (export "lose") (param i64) (result i64)
            (return_call $tail (i64.const 0) (i64.const 0) (i32.const 3))))"#;
    let found = everywhere(
        wat,
        |_| {},
        |guest| {
            let sums: Vec<_> = (0..30).map(|n| guest.call("f0", &[n, 1]).unwrap()).collect();
            let lost: Vec<_> =
                (0..3).map(|_| guest.call("lose", &[0]).unwrap_err().summary()).collect();
            (sums, lost)
        },
    );
    assert_eq!(found.0[..4], [1, 2, 6, 47]);
}
