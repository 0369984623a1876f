//! Exceptions thrown in one world and caught in another, with payloads of all types,
//! through host functions and other instances.

use super::shapes::*;
use super::*;
use std::fmt::Write as _;

/// What a function does about exceptions of what it calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Nothing.
    Pass,
    /// It catches those of one tag, and returns what came of the payload.
    Catch(usize),
    /// It catches those of one tag and throws the same exception again.
    Again(usize),
    /// It catches all, and throws the same again.
    AllAgain,
    /// It catches all, and throws another.
    Another(usize),
    /// It calls the next through a host function.
    Host,
    /// It calls the next through another instance, within a try that catches none.
    Hop,
    /// It calls the next in tail position, out of a try.
    Tail,
}

const KINDS: [Kind; 12] = [
    Kind::Catch(0),
    Kind::Host,
    Kind::AllAgain,
    Kind::Pass,
    Kind::Hop,
    Kind::Again(2),
    Kind::Catch(3),
    Kind::Tail,
    Kind::Another(4),
    Kind::Pass,
    Kind::Again(1),
    Kind::AllAgain,
];

fn tags() -> Vec<Vec<Ty>> {
    vec![
        vec![],
        vec![I32, I64, F32, F64, V128, I31, Cell],
        vec![I64; 12],
        [vec![F64; 10], vec![V128; 3]].concat(),
        vec![Cell, Cell, I31],
    ]
}

/// Code that throws an exception with a tag, with a payload made of the number in `$acc`.
fn throw(tags: &[Vec<Ty>], tag: usize) -> String {
    format!("(throw $t{tag} {})", spread(&tags[tag], "$acc"))
}

fn function(at: usize, kind: Kind, tags: &[Vec<Ty>]) -> String {
    let next = (at + 1) % KINDS.len();
    let arguments = "(i64.sub (local.get $n) (i64.const 1)) (local.get $acc)";
    let call = format!("(call $f{next} {arguments})");
    // The local that is written in the try is read behind it.
    let work = format!(
        "(local.set $l (i64.add (local.get $l) (local.get $n)))
         {call}
         (local.set $l (i64.const -1))"
    );
    let body = match kind {
        Kind::Pass => call,
        Kind::Host => format!("(call $pass {arguments} (i32.const {next}))"),
        Kind::Hop => format!(
            "(block $h (result i64)
               (try_table (result i64) (catch $none $h)
                 (call $hop {arguments} (i32.const {next}))))"
        ),
        Kind::Tail => format!(
            "(block $h
               (try_table (catch_all $h) (return_call $f{next} {arguments})))
             (unreachable)"
        ),
        Kind::Catch(tag) => format!(
            "(block $h (result {types})
               (return (try_table (result i64) (catch $t{tag} $h) {work})))
             {take}{fold}
             (i64.add (local.get $acc) (local.get $l))",
            types = list(&tags[tag]),
            take = take(&tags[tag], &format!("t{tag}_")),
            fold = fold(&tags[tag], &format!("t{tag}_"), "$acc"),
        ),
        Kind::Again(tag) => format!(
            "(block $h (result {types} exnref)
               (return (try_table (result i64) (catch_ref $t{tag} $h) {work})))
             (local.set $e)
             {take}{fold}
             (global.set $seen (i64.add (global.get $seen)
               (i64.xor (local.get $acc) (local.get $l))))
             (throw_ref (local.get $e))",
            types = list(&tags[tag]),
            take = take(&tags[tag], &format!("t{tag}_")),
            fold = fold(&tags[tag], &format!("t{tag}_"), "$acc"),
        ),
        Kind::AllAgain => format!(
            "(block $h (result exnref)
               (return (try_table (result i64) (catch_all_ref $h) {work})))
             (local.set $e)
             (global.set $seen (i64.add (i64.mul (global.get $seen) (i64.const 3)) (local.get $l)))
             (throw_ref (local.get $e))"
        ),
        Kind::Another(tag) => format!(
            "(block $h
               (return (try_table (result i64) (catch $none $no) (catch_all $h) {work})))
             (local.set $acc (i64.add (local.get $acc) (local.get $l)))
             {}",
            throw(tags, tag)
        ),
    };
    let body = match kind {
        Kind::Another(_) => {
            format!("(return (block $no (result i64) {body}))")
        }
        _ => body,
    };
    let locals: String = tags
        .iter()
        .enumerate()
        .map(|(tag, tys)| declare("local", tys, &format!("t{tag}_")))
        .collect();
    let throws: String = (0..tags.len())
        .map(|tag| {
            format!(
                "(if (i64.eq (i64.rem_u (local.get $acc) (i64.const {})) (i64.const {tag}))
                   (then {}))\n",
                tags.len() + 1,
                throw(tags, tag)
            )
        })
        .collect();
    format!(
        "(func $f{at} (export \"f{at}\") (param $n i64) (param $acc i64) (result i64)
           (local $l i64) (local $e exnref) {locals}
           (local.set $l (i64.mul (local.get $acc) (i64.const 5)))
           (local.set $acc (i64.add (local.get $acc) (i64.const {at})))
           (if (i64.eqz (local.get $n)) (then {throws} (return (local.get $acc))))
           {body})
         (elem (i32.const {at}) func $f{at})\n"
    )
}

fn module() -> String {
    let tags = tags();
    let mut text = format!(
        "(module {CELL}
          (import \"host\" \"pass\" (func $pass (param i64 i64 i32) (result i64)))
          (import \"other\" \"hop\" (func $hop (param i64 i64 i32) (result i64)))
          (import \"other\" \"table\" (table 64 funcref))
          (tag $none (param i64))
          (global $seen (mut i64) (i64.const 0))\n"
    );
    for (tag, tys) in tags.iter().enumerate() {
        let _ = writeln!(text, "(tag $t{tag} (param {}))", list(tys));
    }
    for (at, kind) in KINDS.into_iter().enumerate() {
        text.push_str(&function(at, kind, &tags));
    }
    // One round: from each function on, some way deep.
    let calls: String = (0..KINDS.len())
        .map(|at| {
            format!(
                "(local.set $sum (i64.add (i64.mul (local.get $sum) (i64.const 7))
                   (block $h (result i64)
                     (drop (block $all (result exnref)
                       (br $h (try_table (result i64) (catch_all_ref $all)
                         (call $f{at} (local.get $deep)
                           (i64.add (local.get $n) (i64.const {at})))))))
                     (i64.const 1))))\n"
            )
        })
        .collect();
    let _ = write!(
        text,
        "(func (export \"run\") (param $n i64) (param $deep i64) (result i64) (local $sum i64)
           (loop $again
             {calls}
             (local.set $n (i64.sub (local.get $n) (i64.const 1)))
             (br_if $again (i64.gt_s (local.get $n) (i64.const 0))))
           (i64.xor (local.get $sum) (global.get $seen))))"
    );
    text
}

/// The tag and the number that the payload was made of.
type Thrown = (usize, i64);

struct Model {
    tags: Vec<Vec<Ty>>,
    seen: i64,
}

impl Model {
    fn call(&mut self, at: usize, n: i64, acc: i64) -> std::result::Result<i64, Thrown> {
        let kept = acc.wrapping_mul(5);
        let acc = acc.wrapping_add(at as i64);
        if n == 0 {
            let tag = (acc as u64 % (self.tags.len() as u64 + 1)) as usize;
            return if tag < self.tags.len() { Err((tag, acc)) } else { Ok(acc) };
        }
        let result = self.call((at + 1) % KINDS.len(), n - 1, acc);
        let Err((tag, of)) = result else { return result };
        let kept = kept.wrapping_add(n);
        match KINDS[at] {
            Kind::Catch(caught) if caught == tag => {
                Ok(folded(&self.tags[tag], acc, of).wrapping_add(kept))
            }
            Kind::Again(caught) if caught == tag => {
                let number = folded(&self.tags[tag], acc, of) ^ kept;
                self.seen = self.seen.wrapping_add(number);
                result
            }
            Kind::AllAgain => {
                self.seen = self.seen.wrapping_mul(3).wrapping_add(kept);
                result
            }
            Kind::Another(tag) => Err((tag, acc.wrapping_add(kept))),
            _ => result,
        }
    }

    fn run(&mut self, n: i64, deep: i64) -> i64 {
        let mut sum = 0i64;
        for n in (1..=n).rev() {
            for at in 0..KINDS.len() {
                let result = self.call(at, deep, n + at as i64).unwrap_or(1);
                sum = sum.wrapping_mul(7).wrapping_add(result);
            }
        }
        sum ^ self.seen
    }
}

fn check(pins: &[Pin], n: i64, deeps: &[i64], stress: bool) {
    let mut config = config(Strategy::pinned(pins));
    config.gc_stress(stress);
    let mut guest = Guest::new(&config, &module());
    let mut model = Model { tags: tags(), seen: 0 };
    for &deep in deeps {
        let expected = model.run(n, deep);
        assert_eq!(guest.call("run", &[n, deep]).unwrap(), expected, "{pins:?} {deep}");
    }
    guest.check_pins(pins, 1);
}

#[test]
fn exceptions_are_caught_where_they_have_to_be() {
    for pins in PINS {
        check(pins, 7, &[0, 1, 2, 3, 4, 5, 6, 9, 12, 30], false);
    }
}

#[test]
fn collections_see_payloads() {
    for pins in PINS {
        check(pins, 2, &[0, 1, 5, 9], true);
    }
}

/// Some 10^6 exceptions in all, when optimised.
#[test]
fn exceptions_cross_the_worlds_many_times() {
    for pins in &PINS[2..] {
        check(pins, MANY / 100, &[2, 7], false);
    }
}

/// What nobody in the guest catches arrives at the host with its payload, and the store
/// goes on.
#[test]
fn uncaught_exceptions_reach_the_host() {
    let wat = r#"(module
        (import "host" "again" (func $again (param i64) (result i64)))
        (tag $t (export "t") (param i64 f64 v128))
        (func $thrower (param i64) (result i64)
            (if (i64.lt_s (local.get 0) (i64.const 0)) (then (return (i64.const 5))))
            (throw $t (local.get 0) (f64.convert_i64_s (local.get 0))
                (i64x2.splat (local.get 0))))
        (func (export "back") (param i64) (result i64)
            (i64.add (call $thrower (local.get 0)) (i64.const 1)))
        (func (export "run") (param i64) (result i64)
            (block $h (result i64 f64 v128)
                (return (i64.mul (i64.const 2)
                    (try_table (result i64) (catch $t $h) (call $again (local.get 0))))))
            (drop) (i64.trunc_f64_s) (i64.add)))"#;
    let found = everywhere(
        wat,
        |_| {},
        |guest| {
            let mut seen = Vec::new();
            for n in 0..5 {
                let error = guest.call("back", &[n]).unwrap_err();
                let exception = error.exception().expect("it is one");
                let values = format!("{:?}", exception.values());
                seen.push((values, guest.call("run", &[n]).unwrap()));
                seen.push((String::new(), guest.call("run", &[-1]).unwrap()));
            }
            seen
        },
    );
    assert_eq!(
        found.iter().map(|each| each.1).collect::<Vec<_>>(),
        [0, 12, 2, 12, 4, 12, 6, 12, 8, 12]
    );
}
