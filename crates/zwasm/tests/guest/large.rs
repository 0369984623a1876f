//! Functions with more locals and operands than instructions can name with 16 bits,
//! against the same functions without, in all tiers.
#![cfg(all(feature = "wat", feature = "simd", feature = "gc", feature = "threads"))]

use std::fmt::Write;
use zwasm::{Config, Engine, ErrorKind, Instance, Module, Store, Strategy, Trap, Val};

/// How much the functions of a program have beside what they compute with.
#[derive(Clone, Copy, Debug)]
struct Filling {
    /// Vectors among the locals.
    locals: usize,
    /// Operands on the stack below everything else.
    operands: usize,
}

const NONE: Filling = Filling { locals: 0, operands: 0 };
/// As many locals as a function may have, but for a few.
const LOCALS: Filling = Filling { locals: 49_960, operands: 0 };
const OPERANDS: Filling = Filling { locals: 0, operands: 100_000 };
const BOTH: Filling = Filling { locals: 49_960, operands: 70_000 };
/// Some of the slots in use are near, others not.
const AROUND: Filling = Filling { locals: 32_750, operands: 0 };

/// Functions whose locals lie before and behind the filling.
struct Program {
    filling: Filling,
    text: String,
}

impl Program {
    /// A function that has `body` leave `results` above the filling; those below are
    /// summed up and added to the last local, `$acc`, which is the result if there is
    /// no other.
    fn function(&mut self, name: &str, results: &str, body: &str) {
        let Filling { locals, operands } = self.filling;
        let text = &mut self.text;
        let _ = write!(text, "(func ${name} (export \"{name}\") (param $p i64) (result {results})");
        text.push_str("(local $q i64) (local $n i32) (local $x v128)");
        let _ = write!(text, "(local {})", "v128 ".repeat(locals));
        text.push_str(
            "(local $i i32) (local $j i32) (local $f f32) (local $d f64) (local $v v128)
             (local $w v128) (local $r (ref null $pair)) (local $o (ref null $pair))
             (local $bytes (ref null $bytes)) (local $longs (ref null $longs))
             (local $vectors (ref null $vectors)) (local $refs (ref null $refs))
             (local $e exnref) (local $any anyref) (local $g (ref null $mixer)) (local $acc i64)\n",
        );
        for operand in 0..operands {
            let _ = match operand % 3 {
                0 => writeln!(text, "(local.get $p)"),
                1 => writeln!(text, "(i64.extend_i32_u (i32.const {operand}))"),
                _ => writeln!(text, "(i64.xor (local.get $p) (i64.const {operand}))"),
            };
        }
        text.push_str(body);
        if results == "i64" {
            text.push_str("(local.get $acc)");
            text.push_str(&"i64.add\n".repeat(operands));
        } else {
            text.push_str("(unreachable)");
        }
        text.push_str(")\n");
    }
}

/// What the operands of the filling add up to for an argument.
fn sum(filling: Filling, argument: i64) -> i64 {
    let value = |operand: usize| match operand % 3 {
        0 => argument,
        1 => operand as i64,
        _ => argument ^ operand as i64,
    };
    (0..filling.operands).map(value).fold(0, i64::wrapping_add)
}

/// Adds the value of an expression to the result.
fn add(value: &str) -> String {
    format!("(local.set $acc (i64.add (i64.mul (local.get $acc) (i64.const 31)) {value}))\n")
}

const MANY: usize = 300;

fn program(filling: Filling) -> String {
    let longs = "i64 ".repeat(MANY);
    let text = format!(
        r#"(module
          (type $pair (struct (field (mut i64)) (field (mut v128)) (field (mut i32))
                              (field (mut (ref null $pair))) (field (mut i8))))
          (type $words (struct (field i32) (field i32)))
          (type $long (struct {fields}))
          (type $mixed (struct {mixed}))
          (type $bytes (array (mut i8)))
          (type $longs (array (mut i64)))
          (type $vectors (array (mut v128)))
          (type $refs (array (mut anyref)))
          (type $mixer (func (param i64 i32 f64 v128) (result i64 v128)))
          (type $long-mixer (func (param {longs}) (result i64)))
          (type $unary (func (param i64) (result i64)))
          (memory 1) (memory $other i64 1) (data $bytes "\01\02\03\04\05\06\07\08\09\0a")
          (table $t 8 funcref) (elem (table $t) (i32.const 1) func $mix $many $twice $wide)
          (elem $refs anyref (ref.i31 (i32.const 5)) (ref.i31 (i32.const 6)))
          (elem declare func $mix $many $twice $wide)
          (global $gi (mut i64) (i64.const 3)) (global $gv (mut v128) (v128.const i64x2 4 5))
          (tag $tag (param i64 v128)) (tag $longs (param {longs}))
          (func $mix (type $mixer)
            (i64.add (local.get 0) (i64.extend_i32_u (local.get 1)))
            (i64x2.add (local.get 3) (i64x2.splat (i64.trunc_sat_f64_s (local.get 2)))))
          (func $many (type $long-mixer) {fold})
          (func $wide (param i64) (result {longs}) {spread})
          (func $twice (type $unary) (i64.shl (local.get 0) (i64.const 1)))
          (func $throw (param i64 v128) (throw $tag (local.get 0) (local.get 1)))
        "#,
        fields = "(field i64) ".repeat(2_000),
        mixed = "(field i8) (field v128) (field i64) (field (ref null $pair)) ".repeat(20),
        fold = (1..MANY).fold("(local.get 0)".into(), |sum: String, index| format!(
            "{sum} (i64.mul (local.get {index}) (i64.const {index})) i64.add\n"
        )),
        spread = (0..MANY).fold(String::new(), |all, index| format!(
            "{all} (i64.add (local.get 0) (i64.const {index}))"
        )),
    );
    let mut program = Program { filling, text };
    let many: String =
        (0..MANY).map(|index| format!("(i64.xor (local.get $p) (i64.const {index}))")).collect();
    let fold = "(i64.mul (i64.const 3)) i64.add\n".repeat(MANY - 1);
    let lane = |vector: &str| {
        add(&format!("(i64.add (i64x2.extract_lane 0 {vector}) (i64x2.extract_lane 1 {vector}))"))
    };

    program.function(
        "numbers",
        "i64",
        &[
            "(local.set $q (i64.add (local.get $p) (i64.const 5)))
             (local.set $acc (i64.mul (local.get $q) (local.get $p)))
             (local.set $i (i32.wrap_i64 (local.get $acc)))
             (local.set $n (i32.sub (i32.const 7) (local.get $i)))
             (local.set $d (f64.convert_i64_s (local.get $q)))
             (local.set $f (f32.demote_f64 (f64.div (f64.const 1) (local.get $d))))
             (local.set $d (f64.add (local.get $d) (f64.promote_f32 (local.get $f))))\n",
            &add("(i64.extend_i32_u (i32.rotl (local.get $n) (local.get $i)))"),
            &add("(i64.reinterpret_f64 (local.get $d))"),
            &add("(i64.extend_i32_u (i32.reinterpret_f32 (local.get $f)))"),
            &add("(select (local.get $q) (i64.const 9) (i32.lt_s (local.get $n) (local.get $i)))"),
            &add("(select (i64.const 8) (local.get $acc) (local.get $n))"),
            "(local.get $acc) (local.get $q) (local.get $p) (i64.const 77) i64.add128
             (local.set $q) (local.set $acc)
             (local.get $acc) (local.get $q) i64.mul_wide_u (local.set $q) (local.set $acc)\n",
            &add("(local.get $q)"),
            // Copies, also swapping.
            "(local.get $acc) (local.get $q) (local.set $acc) (local.set $q)
             (local.set $q (local.tee $acc (i64.add (local.get $q) (local.get $acc))))",
        ]
        .concat(),
    );
    program.function(
        "vectors",
        "i64",
        &[
            "(local.set $x (i64x2.splat (local.get $p)))
             (local.set $v (i32x4.replace_lane 2 (local.get $x) (i32.const 99)))
             (local.set $w (i8x16.shuffle 0 17 2 19 4 21 6 23 8 25 10 27 12 29 14 31
                             (local.get $x) (local.get $v)))
             (local.set $v (i16x8.mul (local.get $w) (v128.const i32x4 1 2 3 4)))
             (local.set $x (v128.bitselect (local.get $v) (local.get $w) (local.get $x)))
             (local.set $w (i32x4.shl (local.get $x) (i32.const 3)))
             (local.set $n (i32x4.bitmask (local.get $w)))
             (local.set $w (i64x2.shr_u (local.get $w) (local.get $n)))
             (local.set $v (select (local.get $v) (local.get $x) (local.get $n)))
             (v128.store offset=32 (local.get $n) (local.get $v))
             (v128.store64_lane 1 (i32.const 64) (local.get $w))
             (local.set $x (v128.load32_lane offset=2 3 (i32.const 33) (local.get $x)))
             (local.set $w (i64x2.add (local.get $w) (v128.load16x4_s (i32.const 60))))
             (global.set $gv (i64x2.add (global.get $gv) (local.get $x)))
             (v128.store $other offset=8 (i64.extend_i32_u (local.get $n)) (local.get $x))
             (local.set $v (i8x16.add (local.get $v) (v128.load $other (i64.const 8))))\n",
            &lane("(local.get $v)"),
            &lane("(local.get $w)"),
            &lane("(local.get $x)"),
            &lane("(global.get $gv)"),
            &add("(i64.extend_i32_u (v128.any_true (local.get $w)))"),
        ]
        .concat(),
    );
    program.function(
        "memory",
        "i64",
        &[
            "(local.set $i (i32.and (i32.wrap_i64 (local.get $p)) (i32.const 63)))
             (i64.store (local.get $i) (local.get $p))
             (i64.store16 offset=9 (local.get $i) (i64.const 4711))
             (i64.store $other offset=3 (i64.extend_i32_u (local.get $i)) (local.get $p))
             (f64.store offset=24 (i32.const 8) (f64.convert_i64_s (local.get $p)))
             (memory.copy (i32.const 40) (local.get $i) (i32.const 30))
             (memory.fill (i32.const 50) (local.get $i) (i32.const 3))
             (memory.init $bytes (i32.const 54) (i32.const 1) (i32.const 5))
             (local.set $n (memory.grow (i32.const 1)))
             (local.set $acc (i64.load offset=1 (local.get $i)))\n",
            &add("(i64.load $other (i64.const 5))"),
            &add("(i64.load offset=13 (i32.const 33))"),
            &add("(i64.extend_i32_u (i32.add (memory.size) (local.get $n)))"),
            &add("(i64.atomic.rmw.add (i32.const 48) (local.get $p))"),
            &add("(i64.atomic.rmw.cmpxchg (i32.const 48) (local.get $p) (local.get $acc))"),
            "(i32.atomic.store (i32.const 56) (local.get $i))",
            &add("(i64.extend_i32_u (memory.atomic.notify (i32.const 48) (local.get $i)))"),
            &add("(i64.load (i32.const 52))"),
            "(global.set $gi (i64.add (global.get $gi) (local.get $acc)))",
            &add("(global.get $gi)"),
            "(local.set $n (table.grow $t (ref.func $twice) (i32.const 2)))
             (table.fill $t (i32.const 6) (ref.func $mix) (i32.const 2))
             (table.copy $t $t (local.get $n) (i32.const 1) (i32.const 1))
             (table.set $t (i32.const 7) (table.get $t (local.get $n)))",
            &add("(i64.extend_i32_u (ref.is_null (table.get $t (i32.const 7))))"),
            &add("(i64.extend_i32_u (table.size $t))"),
        ]
        .concat(),
    );
    program.function(
        "control",
        "i64",
        &[
            "(local.set $i (i32.const 5))
             (loop $again
               (block $out
                 (block $b (result i64 i64)
                   (block $a (result i64 i64)
                     (local.get $acc) (local.get $p)
                     (br_table $a $b $a (i32.and (local.get $i) (i32.const 3))))
                   (i64.const 7) i64.mul)
                 i64.add (local.set $acc)
                 (br_if $out (i32.eqz (local.get $i)))
                 (local.set $i (i32.sub (local.get $i) (i32.const 1)))
                 (br $again)))
             (local.get $p)
             (if (param i64) (result i64) (i64.lt_s (local.get $acc) (local.get $p))
               (then (i64.add (local.get $acc)))
               (else (i64.sub (local.get $acc))))
             (local.set $q)\n",
            &add("(block $b (result i64)
                   (drop (br_if $b (local.get $q) (i64.ne (local.get $q) (local.get $acc))))
                   (i64.const 1))"),
            &add("(i64.extend_i32_u (block $b (result i32)
                   (drop (block $n (result (ref $pair))
                     (br_on_non_null $n (local.get $r))
                     (br $b (i32.const 3))))
                   (i32.const 4)))"),
            // Many values carried at once, from where they are and from one higher.
            &format!(
                "(block $all (result {longs}) {many} (br_if $all (local.get $n)))
                 {fold} (local.set $q)
                 (block $all (result {longs})
                   (i64.const 1) {many} (br_if $all (local.get $n))
                   (br_table $all $all (local.get $n)))
                 {fold} (i64.add (local.get $q)) (local.set $q)"
            ),
            &add("(local.get $q)"),
        ]
        .concat(),
    );
    program.function(
        "calls",
        "i64",
        &[
            "(local.set $d (f64.const 6)) (local.set $n (i32.const 2))
             (local.set $v (i64x2.splat (local.get $p)))
             (call $mix (local.get $p) (local.get $n) (local.get $d) (local.get $v))
             (local.set $v) (local.set $acc)
             (call_indirect $t (type $mixer) (local.get $acc) (i32.const 8) (local.get $d)
               (local.get $v) (i32.const 1))
             (local.set $v) (local.set $acc)
             (local.set $i (i32.const 1))
             (call_indirect $t (type $mixer) (local.get $acc) (i32.const 8) (local.get $d)
               (local.get $v) (local.get $i))
             (local.set $v) (local.set $acc)
             (local.set $g (ref.func $mix))
             (call_ref $mixer (local.get $acc) (i32.const 8) (local.get $d) (local.get $v)
               (local.get $g))
             (local.set $v) (local.set $acc)\n",
            &lane("(local.get $v)"),
            &format!("{many} (call $many) (local.set $q)"),
            &add("(local.get $q)"),
            &format!("{many} (call_indirect $t (type $long-mixer) (i32.const 2)) (local.set $q)"),
            &add("(local.get $q)"),
            &format!("(call $wide (local.get $q)) {fold} (local.set $q)"),
            &add("(local.get $q)"),
            // Small enough to be inlined.
            &add("(call $twice (local.get $q))"),
            &add("(call $twice (i64.const 21))"),
        ]
        .concat(),
    );
    program.function(
        "objects",
        "i64",
        &[
            "(local.set $v (i64x2.splat (local.get $p)))
             (local.set $o (struct.new_default $pair))
             (local.set $r (struct.new $pair (local.get $p) (local.get $v) (i32.const 9)
                             (local.get $o) (i32.const 200)))
             (struct.set $pair 3 (local.get $r)
               (struct.new $pair (i64.const 6) (local.get $v) (i32.const 7) (local.get $r)
                 (i32.const -1)))
             (local.set $o (struct.get $pair 3 (local.get $r)))
             (struct.set $pair 1 (local.get $o) (i64x2.add (local.get $v) (local.get $v)))
             (struct.set $pair 0 (local.get $o) (i64.const 60))
             (local.set $n (struct.get_s $pair 4 (local.get $r)))\n",
            &add("(struct.get $pair 0 (local.get $r))"),
            &add("(struct.get $pair 0 (local.get $o))"),
            &add("(i64.extend_i32_s (local.get $n))"),
            &lane("(struct.get $pair 1 (local.get $o))"),
            &add("(i64.extend_i32_u (struct.get $words 1
                   (struct.new $words (local.get $n) (i32.wrap_i64 (local.get $p)))))"),
            &format!(
                "(local.set $q (struct.get $long 1999 (struct.new $long {})))",
                (0..2_000)
                    .map(|index| format!("(i64.add (local.get $p) (i64.const {index}))"))
                    .collect::<String>()
            ),
            &add("(local.get $q)"),
            &add("(struct.get $long 7 (struct.new_default $long))"),
            // Fields that are results of calls.
            &format!(
                "{} {} (struct.new $long) (struct.get $long 1) (local.set $q)",
                "(call $wide (local.get $p))".repeat(6),
                "(local.get $q)".repeat(200)
            ),
            &add("(local.get $q)"),
            &format!(
                "{} (struct.new $mixed) (local.set $any)
                 (local.set $q (i64.add
                   (struct.get $mixed 78 (ref.cast (ref $mixed) (local.get $any)))
                   (struct.get $pair 0
                     (struct.get $mixed 79 (ref.cast (ref $mixed) (local.get $any))))))
                 (local.set $n (struct.get_s $mixed 76 (ref.cast (ref $mixed) (local.get $any))))
                 (local.set $w (struct.get $mixed 77 (ref.cast (ref $mixed) (local.get $any))))",
                "(local.get $n) (local.get $v) (local.get $p) (local.get $r)".repeat(20)
            ),
            &add("(i64.add (local.get $q) (i64.extend_i32_s (local.get $n)))"),
            &lane("(local.get $w)"),
            "(local.set $bytes (array.new $bytes (local.get $n) (i32.const 20)))
             (array.set $bytes (local.get $bytes) (i32.const 3) (local.get $n))
             (array.init_data $bytes $bytes (local.get $bytes) (i32.const 4) (i32.const 2)
               (i32.const 5))
             (local.set $longs (array.new_default $longs (i32.const 6)))
             (array.set $longs (local.get $longs) (i32.const 1) (local.get $p))
             (array.fill $longs (local.get $longs) (i32.const 2) (local.get $q) (i32.const 2))
             (array.copy $longs $longs (local.get $longs) (i32.const 4) (local.get $longs)
               (i32.const 1) (i32.const 2))
             (local.set $vectors (array.new $vectors (local.get $v) (i32.const 3)))
             (array.set $vectors (local.get $vectors) (i32.const 1) (local.get $v))
             (local.set $vectors (array.new_fixed $vectors 3 (local.get $v)
               (array.get $vectors (local.get $vectors) (i32.const 2)) (local.get $v)))
             (local.set $refs (array.new_fixed $refs 4 (local.get $r) (local.get $longs)
               (ref.i31 (local.get $n)) (struct.new_default $pair)))
             (local.set $i (i32.const 2))\n",
            &add("(i64.extend_i32_u (array.get_u $bytes (local.get $bytes) (i32.const 5)))"),
            &add("(i64.extend_i32_s (array.get_s $bytes (local.get $bytes) (local.get $i)))"),
            &add("(array.get $longs (local.get $longs) (i32.const 4))"),
            &add("(array.get $longs (local.get $longs) (local.get $i))"),
            &lane("(array.get $vectors (local.get $vectors) (local.get $i))"),
            // Vectors whose halves differ, after others have been where they are copied.
            "(local.set $w (i64x2.replace_lane 1 (local.get $v) (i64.const 77)))
             (local.set $v (i64x2.add (local.get $v) (local.get $v)))
             (struct.set $pair 1 (local.get $o) (local.get $w))
             (local.set $v (i64x2.add (local.get $v) (local.get $v)))
             (array.set $vectors (local.get $vectors) (local.get $i) (local.get $w))\n",
            &add("(i64x2.extract_lane 1 (struct.get $pair 1 (local.get $o)))"),
            &add("(i64x2.extract_lane 1
                   (array.get $vectors (local.get $vectors) (local.get $i)))"),
            &add("(i64.extend_i32_u (array.len (local.get $refs)))"),
            &add("(i64.extend_i32_s (i31.get_s (ref.cast (ref i31)
                   (array.get $refs (local.get $refs) (local.get $i)))))"),
            &add("(i64.extend_i32_u (ref.test (ref $longs)
                   (array.get $refs (local.get $refs) (i32.const 1))))"),
            &add("(struct.get $pair 0 (ref.as_non_null (ref.cast (ref null $pair)
                   (array.get $refs (local.get $refs) (i32.const 0)))))"),
            "(local.set $refs (array.new_elem $refs $refs (i32.const 0) (i32.const 2)))",
            &add("(i64.extend_i32_u (ref.eq (local.get $o) (struct.get $pair 3 (local.get $r))))"),
            &add("(i64.extend_i32_s (i31.get_u (ref.cast (ref i31)
                   (array.get $refs (local.get $refs) (i32.const 1)))))"),
        ]
        .concat(),
    );
    program.function(
        "exceptions",
        "i64",
        &[
            "(local.set $v (i64x2.splat (local.get $p)))
             (local.set $q (i64.const 17))
             (local.get $q)
             (block $caught (result i64 v128)
               (try_table (catch $tag $caught)
                 (local.set $q (i64.const 18))
                 (throw $tag (i64.add (local.get $q) (local.get $p)) (local.get $v)))
               (unreachable))
             (local.set $w) (i64.add) (local.set $acc)\n",
            &lane("(local.get $w)"),
            "(block $again (result i64 v128 exnref)
               (try_table (catch_ref $tag $again)
                 (call $throw (local.get $acc) (local.get $w)))
               (unreachable))
             (local.set $e) (local.set $v) (local.set $q)\n",
            &add("(local.get $q)"),
            "(block $all (result exnref)
               (try_table (catch_all_ref $all) (throw_ref (local.get $e)))
               (unreachable))
             (drop)\n",
            &format!(
                "(block $caught (result {longs})
                   (try_table (catch $longs $caught) {many} (throw $longs))
                   (unreachable))
                 {fold} (local.set $q)"
            ),
            &add("(local.get $q)"),
            &lane("(local.get $v)"),
        ]
        .concat(),
    );
    program.function("returned", &longs, &format!("{many} (return)"));
    program.function("tail", "i64", &format!("{many} (return_call $many)"));
    program.function(
        "tail_indirect",
        "i64",
        &format!("(local.set $n (i32.const 2)) {many} (return_call_indirect $t (type $long-mixer) (local.get $n))"),
    );
    program.function(
        "tail_ref",
        "i64",
        &format!("{many} (return_call_ref $long-mixer (ref.func $many))"),
    );
    program.function("tail_value", "i64", "(return (i64.add (local.get $acc) (local.get $p)))");
    program.function("tail_vector", "v128", "(return (i64x2.splat (local.get $p)))");
    program.function("null", "i64", "(drop (struct.get $pair 0 (local.get $r)))");
    program.text.push(')');
    program.text
}

const EXPORTS: [&str; 7] =
    ["numbers", "vectors", "memory", "control", "calls", "objects", "exceptions"];
const OTHERS: [&str; 7] =
    ["returned", "tail", "tail_indirect", "tail_ref", "tail_value", "tail_vector", "null"];

/// What every export returns, or says.
fn outcomes(bytes: &[u8], filling: Filling, config: &Config) -> Vec<String> {
    let engine = Engine::new(config).unwrap();
    let module = Module::new(&engine, bytes).unwrap();
    let mut outcomes = Vec::new();
    for argument in [5, -0x1234_5678_9ABC] {
        let mut store = Store::new(&engine, ());
        if store.set_fuel(1 << 40).is_ok() {
            store.set_epoch_deadline(1);
        }
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        for name in EXPORTS.into_iter().chain(OTHERS) {
            let func = instance.get_func(&mut store, name).unwrap();
            let results = func.ty(&store).results().len();
            let mut results = vec![Val::I64(0); results];
            let called = func.call(&mut store, &[Val::I64(argument)], &mut results);
            outcomes.push(match (called, &results[..]) {
                (Err(error), _) => format!("{name}: {error}"),
                (Ok(()), [Val::I64(value)]) if EXPORTS.contains(&name) => {
                    format!("{name}: {:#x}", value.wrapping_sub(sum(filling, argument)))
                }
                (Ok(()), values) => format!("{name}: {values:?}"),
            });
        }
    }
    outcomes
}

fn strategies() -> Vec<Strategy> {
    let mut all = vec![Strategy::Interpreter, Strategy::Auto];
    if Strategy::Baseline.is_available() {
        all.extend([Strategy::Baseline, Strategy::Stress, Strategy::Mixed(1)]);
    }
    all
}

fn same_as_without(filling: Filling, configure: impl Fn(&mut Config)) {
    let plain = wat::parse_str(program(NONE)).unwrap();
    let expected = outcomes(&plain, NONE, &Config::new());
    assert!(
        expected
            .iter()
            .all(|each| each.contains("0x") || each.contains('[') || each.contains("null")),
        "{expected:#?}"
    );
    let filled = wat::parse_str(program(filling)).unwrap();
    for strategy in strategies() {
        let mut config = Config::new();
        configure(config.strategy(strategy));
        let found = outcomes(&filled, filling, &config);
        for (found, expected) in found.iter().zip(&expected) {
            let (found, expected) = (found.lines().next(), expected.lines().next());
            assert_eq!(found, expected, "{filling:?} {strategy:?}");
        }
    }
}

#[test]
fn many_locals() {
    same_as_without(LOCALS, |_| {});
}

#[test]
fn many_operands() {
    same_as_without(OPERANDS, |_| {});
}

#[test]
fn many_of_both() {
    same_as_without(BOTH, |_| {});
}

#[test]
fn near_and_far_slots_together() {
    same_as_without(AROUND, |_| {});
}

#[test]
fn with_fuel_and_epochs() {
    same_as_without(LOCALS, |config| {
        config.consume_fuel(true).epoch_interruption(true);
    });
}

#[test]
fn what_is_remembered_of_slots() {
    same_as_without(LOCALS, |config| {
        config.check_held(true);
    });
}

#[test]
fn references_in_far_slots_are_roots() {
    same_as_without(LOCALS, |config| {
        config.gc_stress(true);
    });
    same_as_without(AROUND, |config| {
        config.gc_stress(true);
    });
}

/// The kind of error that a call ends with under a stack of so many bytes.
fn error(wat: &str, strategy: Strategy, stack: usize) -> Option<Trap> {
    let engine = Engine::new(Config::new().strategy(strategy).max_stack(stack)).unwrap();
    let module = Module::new(&engine, wat).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let run = instance.get_func(&mut store, "run").unwrap();
    let called = run.call(&mut store, &[], &mut []);
    let trap = called.err().map(|error| error.trap().expect("it is a trap"));
    // The store goes on.
    let small = instance.get_func(&mut store, "small").unwrap();
    small.call(&mut store, &[], &mut []).unwrap();
    trap
}

#[test]
fn frames_that_do_not_fit_the_stack_overflow_it() {
    let values = "(i64.extend_i32_s (memory.size))\n".repeat(100_000);
    let drops = "(drop)\n".repeat(100_000);
    let thousand = "i64 ".repeat(1000);
    let zeros = "(i64.const 0)".repeat(1000);
    let program = |body: &str| {
        format!(
            "(module (memory 1) (func (export \"small\"))
               (func $thousand (result {thousand}) {zeros})
               (func $run (export \"run\") {body}))"
        )
    };
    let fits = program(&format!("{values} {drops}"));
    let recursive = program(&format!("{values} (call $run) {drops}"));
    // Nobody has a stack for this.
    let enormous = program(&format!("{} (unreachable)", "(call $thousand)\n".repeat(3_000)));
    for strategy in strategies() {
        assert_eq!(error(&fits, strategy, 1 << 20), None, "{strategy:?}");
        assert_eq!(error(&fits, strategy, 700_000), Some(Trap::StackOverflow), "{strategy:?}");
        assert_eq!(error(&recursive, strategy, 4 << 20), Some(Trap::StackOverflow), "{strategy:?}");
        assert_eq!(error(&enormous, strategy, 1 << 20), Some(Trap::StackOverflow), "{strategy:?}");
    }
}

/// A module with a function that takes a while to be translated and compiled, and
/// that checks nothing.
fn long() -> String {
    format!(
        "(module (func (export \"run\") (result i64) (i64.const 0) {}))",
        "(i64.const 3) i64.xor (i64.const 5) i64.add\n".repeat(20_000)
    )
}

/// What `run` returns, which has no arguments.
fn run(store: &mut Store<()>, instance: Instance) -> zwasm::Result<i64> {
    let run = instance.get_typed_func::<(), i64>(&mut *store, "run")?;
    run.call(store, ())
}

#[test]
fn translating_and_compiling_can_be_interrupted() {
    let long = long();
    for strategy in strategies() {
        let engine = Engine::new(Config::new().strategy(strategy)).unwrap();
        let module = Module::new(&engine, &long).unwrap();
        let mut expected = None;
        for _ in 0..3 {
            let mut store = Store::new(&engine, ());
            let instance = Instance::new(&mut store, &module, &[]).unwrap();
            if expected.is_none() {
                // Nothing in the code looks whether it is to stop.
                store.interrupt_handle().interrupt();
                let error = run(&mut store, instance).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Interrupted, "{strategy:?}");
                store.clear_interrupt();
            }
            // Nobody remembers it.
            let value = run(&mut store, instance).unwrap();
            assert_eq!(*expected.get_or_insert(value), value, "{strategy:?}");
            // Nor does an interruption while the function becomes hot change a result.
            for round in 0..40 {
                if round % 3 == 1 {
                    store.interrupt_handle().interrupt();
                }
                let again = run(&mut store, instance);
                store.clear_interrupt();
                assert_eq!(again.ok(), expected, "{strategy:?}");
            }
        }
    }
}

#[cfg(compiler)]
#[test]
fn machine_code_has_a_limit_and_what_is_more_is_interpreted() {
    let functions: String = (0..100)
        .map(|index| {
            format!(
                "(func (export \"f{index}\") (param i32) (result i32)
                   (i32.rem_u (i32.const {index}) (local.get 0)))"
            )
        })
        .collect();
    let wat = format!("(module {functions})");
    let run = |engine: &Engine, module: &Module| {
        let mut store = Store::new(engine, ());
        let instance = Instance::new(&mut store, module, &[]).unwrap();
        for index in 0..100 {
            let func =
                instance.get_typed_func::<i32, i32>(&mut store, &format!("f{index}")).unwrap();
            assert_eq!(func.call(&mut store, 7).unwrap(), index % 7);
            assert_eq!(
                func.call(&mut store, 0).unwrap_err().trap(),
                Some(Trap::IntegerDivisionByZero)
            );
        }
    };
    let pages = |max: u64| Engine::new(Config::new().strategy(Strategy::Baseline).max_code(max));
    let all = Module::new(&pages(u64::MAX).unwrap(), &wat).unwrap().compile_all();
    for max in [0, 8, 4096, 3 * 4096] {
        let engine = pages(max).unwrap();
        for _ in 0..3 {
            // What the module before had can be used again.
            let module = Module::new(&engine, &wat).unwrap();
            run(&engine, &module);
            let compiled = module.compile_all() as u64;
            assert!(compiled <= max && (compiled > 0) == (max >= 4096), "{compiled} of {max}");
        }
    }
    let engine = pages(1 << 20).unwrap();
    let module = Module::new(&engine, &wat).unwrap();
    assert_eq!(module.compile_all(), all);
    // One function that is too much by itself.
    let engine = pages(4096).unwrap();
    let module = Module::new(&engine, long()).unwrap();
    assert_eq!(module.compile_all(), 0);
}

#[test]
fn operands_without_end_are_refused() {
    let many = |calls: usize| {
        format!(
            "(module (func $many (result {}) {})
               (func (export \"run\") {} (unreachable)))",
            "i64 ".repeat(1000),
            "(i64.const 0)".repeat(1000),
            "(call $many)\n".repeat(calls)
        )
    };
    let engine = Engine::default();
    Module::new(&engine, many(4_194)).unwrap();
    let error = Module::new(&engine, many(4_195)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit);
    let message = error.summary();
    let expected = "function 1 leaves more than 4194304 operands on its stack (at byte offset 0x";
    assert!(message.starts_with(expected), "{message}");
}
