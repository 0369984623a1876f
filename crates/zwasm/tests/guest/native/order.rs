//! What a program has done when it traps is what it did before the trap: passes move
//! nothing over what can be seen, and hoist nothing that may trap out of where it is.

use super::*;

/// Each is called with a count and a number; everything that can be seen is compared with
/// the interpreter's afterwards.
const PROGRAMS: [&str; 12] = [
    // A division by what does not change in the loop, behind a store of each round.
    "(loop $l
       (i64.store (i32.wrap_i64 (i64.and (i64.mul (local.get $n) (i64.const 8)) (i64.const 0x3f8))) (local.get $n))
       (local.set $a (i64.add (local.get $a) (i64.div_s (i64.const 1000) (local.get $x))))
       (br_if $l (i64.gt_s (local.tee $n (i64.sub (local.get $n) (i64.const 1))) (i64.const 0))))
     (local.get $a)",
    // The same in a branch that the last round takes.
    "(loop $l
       (global.set $g (i64.add (global.get $g) (i64.const 1)))
       (if (i64.eq (local.get $n) (i64.const 1)) (then
         (local.set $a (i64.rem_u (i64.const 1000) (local.get $x)))))
       (br_if $l (i64.gt_s (local.tee $n (i64.sub (local.get $n) (i64.const 1))) (i64.const 0))))
     (i64.add (local.get $a) (global.get $g))",
    // A value that is loaded, stored over elsewhere, and loaded again.
    "(i64.store (i32.const 64) (local.get $x))
     (loop $l
       (local.set $a (i64.add (local.get $a) (i64.load (i32.const 64))))
       (i64.store offset=60 (i32.wrap_i64 (i64.and (local.get $n) (i64.const 7))) (local.get $a))
       (local.set $a (i64.xor (local.get $a) (i64.load32_s (i32.const 66))))
       (br_if $l (i64.gt_s (local.tee $n (i64.sub (local.get $n) (i64.const 1))) (i64.const 0))))
     (local.get $a)",
    // A global read before and behind a call that writes it.
    "(loop $l
       (local.set $a (i64.add (global.get $g) (call $bump (local.get $x))))
       (local.set $a (i64.sub (local.get $a) (global.get $g)))
       (global.set $h (i64.add (global.get $h) (local.get $a)))
       (br_if $l (i64.gt_s (local.tee $n (i64.sub (local.get $n) (i64.const 1))) (i64.const 0))))
     (i64.xor (global.get $g) (global.get $h))",
    // An object that escapes only in some rounds, and is written after that.
    "(local.set $p (struct.new $pair (i64.const 0) (local.get $x)))
     (loop $l
       (local.set $p (struct.new $pair (local.get $n) (struct.get $pair 1 (local.get $p))))
       (if (i64.eqz (i64.and (local.get $n) (i64.const 3))) (then
         (global.set $kept (local.get $p))))
       (struct.set $pair 1 (local.get $p)
         (i64.add (struct.get $pair 1 (local.get $p)) (struct.get $pair 0 (local.get $p))))
       (local.set $a (i64.add (local.get $a)
         (struct.get $pair 1 (ref.as_non_null (global.get $kept)))))
       (br_if $l (i64.gt_s (local.tee $n (i64.sub (local.get $n) (i64.const 1))) (i64.const 0))))
     (i64.add (local.get $a) (struct.get $pair 1 (local.get $p)))",
    // Two references that may be the same object, or null.
    "(local.set $p (struct.new $pair (i64.const 1) (local.get $x)))
     (local.set $q (local.get $p))
     (if (i64.gt_u (local.get $x) (i64.const 1)) (then
       (local.set $q (struct.new $pair (i64.const 2) (local.get $x)))))
     (loop $l
       (struct.set $pair 0 (local.get $p) (i64.add (struct.get $pair 0 (local.get $q)) (i64.const 1)))
       (local.set $a (i64.add (local.get $a) (struct.get $pair 0 (local.get $p))))
       (struct.set $pair 0 (local.get $q) (local.get $a))
       (local.set $a (i64.add (local.get $a) (struct.get $pair 0 (local.get $p))))
       (if (i64.eq (local.get $n) (local.get $x)) (then (local.set $q (ref.null $pair))))
       (br_if $l (i64.gt_s (local.tee $n (i64.sub (local.get $n) (i64.const 1))) (i64.const 0))))
     (local.get $a)",
    // Elements of arrays behind one check, and beyond it.
    "(local.set $v (array.new $longs (i64.const 3) (i32.const 9)))
     (loop $l
       (local.set $i (i32.wrap_i64 (local.get $n)))
       (array.set $longs (local.get $v) (local.get $i)
         (i64.add (array.get $longs (local.get $v) (local.get $i)) (local.get $x)))
       (global.set $g (i64.add (global.get $g) (array.get $longs (local.get $v) (local.get $i))))
       (local.set $a (i64.add (local.get $a) (array.get $longs (local.get $v)
         (i32.add (local.get $i) (i32.const 1)))))
       (local.set $n (i64.add (local.get $n) (i64.const 2)))
       (br_if $l (i64.lt_s (local.get $n) (i64.const 20))))
     (local.get $a)",
    // Casts behind casts, of which some fail.
    "(local.set $any (struct.new $pair (local.get $n) (local.get $x)))
     (loop $l
       (if (i64.eq (local.get $n) (local.get $x)) (then
         (local.set $any (array.new $longs (local.get $x) (i32.const 2)))))
       (if (ref.test (ref $pair) (local.get $any)) (then
         (local.set $a (i64.add (local.get $a)
           (struct.get $pair 0 (ref.cast (ref $pair) (local.get $any)))))))
       (global.set $g (i64.add (global.get $g) (i64.const 1)))
       (local.set $a (i64.add (local.get $a)
         (struct.get $pair 1 (ref.cast (ref $pair) (local.get $any)))))
       (br_if $l (i64.gt_s (local.tee $n (i64.sub (local.get $n) (i64.const 1))) (i64.const 0))))
     (local.get $a)",
    // Locals written in a try, of which the handler sees the last.
    "(loop $l
       (local.set $a (i64.add (local.get $a) (local.get $n)))
       (block $h (result i64)
         (try_table (result i64) (catch $e $h)
           (local.set $a (i64.mul (local.get $a) (i64.const 3)))
           (drop (call $may_throw (local.get $n) (local.get $x)))
           (local.set $a (i64.add (local.get $a) (i64.const 5)))
           (drop (call $may_throw (i64.add (local.get $n) (i64.const 1)) (local.get $x)))
           (local.set $a (i64.sub (local.get $a) (i64.const 7)))
           (i64.div_u (local.get $a) (i64.sub (local.get $n) (i64.const 3)))))
       (local.set $a (i64.add (local.get $a)))
       (br_if $l (i64.gt_s (local.tee $n (i64.sub (local.get $n) (i64.const 1))) (i64.const 0))))
     (local.get $a)",
    // A conversion that traps in a round, between stores.
    "(loop $l
       (i64.store (i32.const 8) (local.get $n))
       (local.set $a (i64.add (local.get $a)
         (i64.extend_i32_s (i32.trunc_f64_s (f64.mul (f64.convert_i64_s (local.get $n)) (f64.const 1e9))))))
       (i64.store (i32.const 16) (local.get $a))
       (local.set $n (i64.add (local.get $n) (i64.or (local.get $x) (i64.const 1))))
       (br_if $l (i64.lt_s (local.get $n) (i64.const 8))))
     (local.get $a)",
    // A shift by and a division by what ranges could be found of.
    "(loop $l
       (local.set $i (i32.and (i32.wrap_i64 (local.get $n)) (i32.const 31)))
       (local.set $a (i64.add (local.get $a) (i64.extend_i32_s
         (i32.div_s (i32.shl (i32.const 1) (local.get $i))
           (i32.sub (local.get $i) (i32.wrap_i64 (local.get $x)))))))
       (global.set $g (local.get $a))
       (br_if $l (i64.gt_s (local.tee $n (i64.sub (local.get $n) (i64.const 1))) (i64.const -40))))
     (local.get $a)",
    // A table that changes under an indirect call.
    "(loop $l
       (local.set $a (i64.add (local.get $a)
         (call_indirect (type $t) (local.get $n) (local.get $x)
           (i32.wrap_i64 (i64.and (local.get $n) (i64.const 3))))))
       (if (i64.eq (local.get $n) (local.get $x)) (then
         (table.set (i32.const 1) (table.get (i32.const 0)))
         (table.set (i32.const 2) (ref.null func))))
       (br_if $l (i64.gt_s (local.tee $n (i64.sub (local.get $n) (i64.const 1))) (i64.const 0))))
     (local.get $a)",
];

fn module(body: &str) -> String {
    format!(
        r#"(module
        (memory (export "memory") 1 1)
        (type $pair (struct (field (mut i64)) (field (mut i64))))
        (type $longs (array (mut i64)))
        (type $t (func (param i64 i64) (result i64)))
        (tag $e (param i64))
        (global $g (export "g") (mut i64) (i64.const 0))
        (global $h (export "h") (mut i64) (i64.const 0))
        (global $kept (mut (ref null $pair)) (ref.null $pair))
        (table 4 funcref)
        (elem (i32.const 0) func $one $two $one $run)
        (func $one (param i64 i64) (result i64) (i64.add (local.get 0) (i64.const 1)))
        (func $two (param i64 i64) (result i64)
            (global.set $g (local.get 0)) (i64.mul (local.get 0) (local.get 1)))
        (func $bump (param i64) (result i64)
            (global.set $g (i64.add (global.get $g) (local.get 0)))
            (i64.store (i32.const 24) (global.get $g))
            (global.get $g))
        (func $may_throw (param i64 i64) (result i64)
            (if (i64.eqz (i64.rem_s (local.get 0) (i64.add (local.get 1) (i64.const 2))))
                (then (throw $e (local.get 0))))
            (local.get 0))
        (func $run (export "run") (param $n i64) (param $x i64) (result i64)
            (local $a i64) (local $i i32) (local $p (ref null $pair)) (local $q (ref null $pair))
            (local $v (ref null $longs)) (local $any anyref)
            {body}))"#
    )
}

#[test]
fn what_happened_before_a_trap_is_there_and_nothing_else() {
    for program in PROGRAMS {
        let wat = module(program);
        let look = |guest: &mut Guest| {
            let mut all = Vec::new();
            for _ in 0..2 {
                for n in [1, 2, 3, 7, 8, 40] {
                    for x in [0, 1, 2, 3, 5, -1, 39] {
                        let result = guest.call("run", &[n, x]);
                        all.push(result.map_err(|error| {
                            let place =
                                error.backtrace().map(|trace| trace.frames()[0].module_offset());
                            (error.summary(), place)
                        }));
                    }
                }
                let memory = guest.instance.get_memory(&mut guest.store, "memory").unwrap();
                let sum = |sum: i64, byte: &u8| sum.wrapping_mul(31).wrapping_add(i64::from(*byte));
                all.push(Ok(memory.data(&guest.store).iter().fold(0, sum)));
                for name in ["g", "h"] {
                    let global = guest.instance.get_global(&mut guest.store, name).unwrap();
                    all.push(Ok(global.get(&mut guest.store).i64().unwrap()));
                }
            }
            all
        };
        for guard_pages in [true, false] {
            let found = everywhere(
                &wat,
                |config| {
                    config.guard_pages(guard_pages);
                },
                look,
            );
            assert!(found.iter().any(|result| result.is_ok()), "{program}");
        }
    }
}
