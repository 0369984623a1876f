//! Calls between the worlds: arguments and results of all types, and what the caller keeps
//! meanwhile in registers and spill slots.

use super::shapes::*;
use super::*;
use std::fmt::Write as _;

/// How the next function is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    Direct,
    Indirect,
    Reference,
    /// Through an instance that calls it through a table.
    Elsewhere,
    /// Through a host function.
    Host,
}

const ALL: [How; 5] = [How::Direct, How::Indirect, How::Reference, How::Elsewhere, How::Host];

/// Functions, each of which calls the next unless its count is zero, folds what that
/// returns and, once more, all that it got itself.
fn chain(params: &[Vec<Ty>], results: &[Vec<Ty>], how: How) -> String {
    let count = params.len();
    let mut text = format!("(module {CELL}\n");
    for (name, module, function) in
        [("pass", "host", "pass"), ("hop", "other", "hop"), ("tail", "other", "tail")]
    {
        let _ = writeln!(
            text,
            "(import \"{module}\" \"{function}\"
               (func ${name} (param i64 i64 i32) (result i64)))"
        );
    }
    text.push_str("(import \"other\" \"table\" (table 64 funcref))\n");
    for at in 0..count {
        let (params, results) = (list(&params[at]), list(&results[at % results.len()]));
        let _ = writeln!(text, "(type $s{at} (func (param i64 i64 {params}) (result {results})))");
    }
    for at in 0..count {
        let next = (at + 1) % count;
        let (own, given) = (&params[at], &params[next]);
        let (returned, got) = (&results[at % results.len()], &results[next % results.len()]);
        let call = match how {
            How::Indirect => format!("(call_indirect (type $s{next}) (i32.const {next}))"),
            How::Reference => format!("(call_ref $s{next} (ref.func $f{next}))"),
            How::Direct | How::Elsewhere | How::Host => format!("(call $f{next})"),
        };
        let _ = writeln!(
            text,
            "(func $f{at} (type $s{at}) (param $n i64) (param $acc i64) {} (result {})
              (local $kept i64) {}
              (local.set $kept (local.get $acc))
              {}(if (i64.eqz (local.get $n)) (then (return {})))
              (i64.sub (local.get $n) (i64.const 1)) (local.get $acc) {} {call}
              {}{}{}{})
            (elem (i32.const {at}) func $f{at})",
            declare("param", own, "p"),
            list(returned),
            declare("local", got, "r"),
            fold(own, "p", "$acc"),
            spread(returned, "$acc"),
            spread(given, "$acc"),
            take(got, "r"),
            fold(got, "r", "$kept"),
            fold(own, "p", "$kept"),
            spread(returned, "$kept"),
        );
    }
    // The first function with the fewest parameters and one result, for ways that have
    // only these.
    let way = match how {
        How::Host => "(call $pass (local.get $n) (local.get $acc) (i32.const 99))",
        How::Elsewhere => {
            "(i64.add (call $hop (local.get $n) (local.get $acc) (i32.const 60))
                (call $tail (local.get $n) (local.get $acc) (i32.const 60)))"
        }
        How::Direct | How::Indirect | How::Reference => {
            "(call $plain (local.get $n) (local.get $acc))"
        }
    };
    let _ = write!(
        text,
        "(func $plain (export \"f99\") (param $n i64) (param $acc i64) (result i64)
           (local $kept i64) {}
           (local.set $kept (local.get $acc))
           (call $f0 (local.get $n) (local.get $acc) {})
           {}{}(local.get $kept))
         (elem (i32.const 60) func $plain)
         (func (export \"run\") (param $n i64) (param $acc i64) (result i64)
           (local $kept f64) (local $wide v128)
           (local.set $kept (f64.convert_i64_s (local.get $acc)))
           (local.set $wide (i64x2.splat (local.get $n)))
           (i64.add {way}
             (i64.add (i64.trunc_f64_s (local.get $kept))
               (i64x2.extract_lane 1 (local.get $wide))))))",
        declare("local", &results[0], "r"),
        spread(&params[0], "$acc"),
        take(&results[0], "r"),
        fold(&results[0], "r", "$kept"),
    );
    text
}

/// What function `at` returns results of.
fn returned(params: &[Vec<Ty>], results: &[Vec<Ty>], at: usize, n: i64, acc: i64, of: i64) -> i64 {
    let own = &params[at];
    let number = folded(own, acc, of);
    if n == 0 {
        return number;
    }
    let next = (at + 1) % params.len();
    let got = returned(params, results, next, n - 1, number, number);
    folded(own, folded(&results[next % results.len()], acc, got), of)
}

#[test]
fn arguments_results_and_what_is_kept_survive_every_way_to_call() {
    let (params, results) = (parameters(), results());
    for how in ALL {
        let wat = chain(&params, &results, how);
        for pins in PINS {
            let mut guest = Guest::pinned(pins, &wat);
            for n in [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 40] {
                let acc = 1000 + n;
                let number = returned(&params, &results, 0, n, acc, acc);
                let once = folded(&results[0], acc, number);
                let twice = if how == How::Elsewhere { once.wrapping_mul(2) } else { once };
                let expected = twice.wrapping_add(acc).wrapping_add(n);
                assert_eq!(guest.call("run", &[n, acc]).unwrap(), expected, "{pins:?} {how:?} {n}");
            }
        }
    }
}

/// The same while every allocation collects: references live in registers, in spill
/// slots, among the arguments and results that have no register.
#[test]
fn collections_see_what_frames_keep() {
    let (params, results) = (parameters(), results());
    for how in ALL {
        let wat = chain(&params, &results, how);
        for pins in PINS {
            let mut config = config(Strategy::pinned(pins));
            config.gc_stress(true);
            let mut guest = Guest::new(&config, &wat);
            let number = returned(&params, &results, 0, 12, 3, 3);
            let once = folded(&results[0], 3, number);
            let twice = if how == How::Elsewhere { once.wrapping_mul(2) } else { once };
            assert_eq!(guest.call("run", &[12, 3]).unwrap(), twice.wrapping_add(15), "{pins:?}");
        }
    }
}

/// More references than there are registers live across calls that allocate, in a loop
/// that is entered at its head when it has become hot.
#[test]
fn collections_see_what_loops_keep() {
    let count = 24;
    let locals: String = (0..count).map(|at| format!("(local $c{at} (ref null $cell))")).collect();
    let set: String = (0..count)
        .map(|at| format!("(local.set $c{at} (call $make (i64.const {at})))\n"))
        .collect();
    let turn: String = (0..count)
        .map(|at| {
            let next = (at + 7) % count;
            format!(
                "(local.set $sum (i64.add (i64.mul (local.get $sum) (i64.const 3))
                   (struct.get $cell 0 (local.get $c{at}))))
                 (struct.set $cell 0 (local.get $c{at})
                   (i64.add (struct.get $cell 0 (local.get $c{next})) (local.get $sum)))\n"
            )
        })
        .collect();
    let wat = format!(
        "(module {CELL}
          (type $cells (array (mut (ref null $cell))))
          (func $make (param i64) (result (ref null $cell))
            (drop (struct.new $cell (i64.const -1) (i64.const -1)))
            (struct.new $cell (local.get 0) (i64.const 9)))
          (func (export \"run\") (param $n i64) (result i64) (local $sum i64)
            (local $all (ref null $cells)) {locals}
            {set}
            (local.set $all (array.new $cells (local.get $c3) (i32.const 5)))
            (loop $again
              {turn}
              (local.set $c5 (call $make (local.get $sum)))
              (array.set $cells (local.get $all) (i32.wrap_i64 (i64.rem_u (local.get $n) (i64.const 5)))
                (call $make (local.get $sum)))
              (local.set $c8 (array.get $cells (local.get $all) (i32.const 2)))
              (br_if $again (i64.ne (i64.const 0)
                (local.tee $n (i64.sub (local.get $n) (i64.const 1))))))
            (local.get $sum)))"
    );
    let many = everywhere(&wat, |_| {}, |guest| guest.call("run", &[500]).unwrap());
    let stressed = |config: &mut Config| {
        config.gc_stress(true);
    };
    assert_eq!(everywhere(&wat, stressed, |guest| guest.call("run", &[500]).unwrap()), many);
}

/// A store that is used again after each way in which a call can end.
#[test]
fn calls_of_the_host_return_from_everywhere() {
    let wat = r#"(module
        (import "host" "again" (func $again (param i64) (result i64)))
        (import "host" "fail" (func $fail))
        (func $back (export "back") (param i64) (result i64)
            (if (i64.eqz (local.get 0)) (then (call $fail)))
            (i64.add (call $again (i64.sub (local.get 0) (i64.const 1))) (i64.const 1)))
        (func $work (param i64) (result i64) (i64.mul (local.get 0) (i64.const 3)))
        (func (export "run") (param i64) (result i64)
            (i64.add (call $work (local.get 0)) (call $back (local.get 0)))))"#;
    everywhere(
        wat,
        |_| {},
        |guest| {
            let mut seen = Vec::new();
            for depth in [0, 1, 5, 100] {
                guest.store.data_mut().depth = depth;
                seen.push(guest.call("run", &[50]).map_err(|error| error.summary()));
                seen.push(guest.call("run", &[1000]).map_err(|error| error.summary()));
            }
            seen
        },
    );
}
