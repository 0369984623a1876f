//! Arguments and results of every type, as words and in JSON.

use crate::support::{Dir, line, zwasm};

const ID: &str = r#"(module
  (func (export "i32") (param i32) (result i32) local.get 0)
  (func (export "i64") (param i64) (result i64) local.get 0)
  (func (export "f32") (param f32) (result f32) local.get 0)
  (func (export "f64") (param f64) (result f64) local.get 0)
  (func (export "v128") (param v128) (result v128) local.get 0)
  (func (export "bits32") (param f32) (result i32) (i32.reinterpret_f32 (local.get 0)))
  (func (export "bits64") (param f64) (result i64) (i64.reinterpret_f64 (local.get 0))))"#;

#[test]
fn numbers_are_written_as_in_the_text_format() {
    let dir = Dir::with(&[("id.wat", ID)]);
    for (call, printed) in [
        ("i32 0x7fff_ffff", "2147483647"),
        ("i32 -0x8000_0000", "-2147483648"),
        ("i32 1_000_000", "1000000"),
        ("i32 +1", "1"),
        ("i64 -0x1", "-1"),
        ("i64 18_446_744_073_709_551_615", "-1"),
        ("f32 0x1.8p3", "12"),
        ("f64 -0x1p-1074", "-5e-324"),
        ("f64 0x1_0.8p0_1", "33"),
        ("f64 1_0.2_5", "10.25"),
        ("f32 +inf", "inf"),
        ("f64 -inf", "-inf"),
        ("f64 -nan:0x1", "nan"),
        ("bits32 0x1p-149", "1"),
        ("bits32 0x1.0000010p0", "1065353216"),
        ("bits32 0x1.0000011p0", "1065353217"),
        ("bits32 nan:canonical", "2143289344"),
        ("bits32 -nan", "-4194304"),
        ("bits32 nan:0x200000", "2141192192"),
        ("bits64 -nan:0xf_ffff_ffff_ffff", "-1"),
        ("bits64 nan", "9221120237041090560"),
        ("bits64 0x1.fffffffffffff8p1022", "9214364837600034816"),
        ("v128 0x1234_5678_9abc_def0", "0x0000000000000000123456789abcdef0"),
    ] {
        line(&dir, &format!("id.wat --invoke {call}")).prints(&format!("{printed}\n"));
        let batch = zwasm(["id.wat", "--batch"]).dir(dir.path()).stdin(call).run();
        batch.prints(&format!("{printed}\n"));
    }
    let calls = "nan\n-nan\ninf\n-0x1p1\n+1\nnan:0x1\n";
    let batch = zwasm(["id.wat", "--batch", "--invoke", "f64"]).dir(dir.path()).stdin(calls).run();
    batch.prints("nan\nnan\ninf\n-2\n1\nnan\n");
}

#[test]
fn words_that_are_no_numbers() {
    let dir = Dir::with(&[("id.wat", ID)]);
    for (function, word, wrong) in [
        ("i32", "0b1", "is not an i32"),
        ("i32", "1__0", "is not an i32"),
        ("i32", "0x1p3", "is not an i32"),
        ("i64", "1.0", "is not an i64"),
        ("i64", "0x1_0000_0000_0000_0000", "is out of range for i64"),
        ("f32", "0x1p128", "is out of range for f32"),
        ("f32", "nan:0x800000", "is out of range for f32"),
        ("f64", "nan:0x0", "is out of range for f64"),
        ("f64", "-nan:1", "is not an f64"),
        ("f64", "nan:arithmetic", "is not an f64"),
        ("f64", "0x", "is not an f64"),
        ("f64", "0x1.8p", "is not an f64"),
        ("f64", "1_e5", "is not an f64"),
        ("v128", "1.5", "is not a v128: one integer of 128 bits"),
    ] {
        let outcome = line(&dir, &format!("id.wat --invoke {function} {word}"));
        assert_eq!(outcome.fails(1), format!("argument 1 of '{function}': '{word}' {wrong}"));
    }
}

const REFERENCES: &str = r#"(module
  (type $s (struct (field i32))) (type $a (array i8)) (type $f (func))
  (tag $e)
  (func $f (type $f)) (elem declare func $f)
  (func (export "i31") (param i32) (result (ref i31)) (ref.i31 (local.get 0)))
  (func (export "any") (param i32) (result anyref) (ref.i31 (local.get 0)))
  (func (export "eq") (param i32) (result (ref null eq)) (ref.i31 (local.get 0)))
  (func (export "objects")
    (result anyref (ref $s) (ref null struct) (ref $a) (ref array) (ref null eq))
    (struct.new $s (i32.const 1)) (struct.new $s (i32.const 1)) (struct.new $s (i32.const 1))
    (array.new $a (i32.const 1) (i32.const 1)) (array.new $a (i32.const 1) (i32.const 1))
    (array.new $a (i32.const 1) (i32.const 1)))
  (func (export "others") (result funcref (ref $f) (ref func) externref (ref exn))
    (ref.func $f) (ref.func $f) (ref.func $f)
    (extern.convert_any (ref.i31 (i32.const 1)))
    (block (result (ref exn)) (try_table (catch_all_ref 0) (throw $e)) unreachable))
  (func (export "nulls") (result
      anyref (ref null i31) (ref null $s) (ref null $a) (ref null none)
      funcref (ref null $f) (ref null nofunc) externref (ref null noextern) exnref)
    (ref.null any) (ref.null i31) (ref.null $s) (ref.null $a) (ref.null none)
    (ref.null func) (ref.null $f) (ref.null nofunc) (ref.null extern) (ref.null noextern)
    (ref.null exn)))"#;

#[test]
fn references() {
    let dir = Dir::with(&[("refs.wat", REFERENCES)]);
    for function in ["i31", "any", "eq"] {
        for (argument, value) in [
            ("0", "0"),
            ("5", "5"),
            ("-1", "-1"),
            ("0x3fffffff", "1073741823"),
            ("0x40000000", "-1073741824"),
            ("0x7fffffff", "-1"),
        ] {
            let words = format!("refs.wat --invoke {function} {argument}");
            line(&dir, &words).prints(&format!("{value}\n"));
            line(&dir, &format!("{words} --json")).prints(&format!("{{\"results\": [{value}]}}\n"));
        }
    }
    let objects = "structref\nstructref\nstructref\narrayref\narrayref\narrayref\n";
    line(&dir, "refs.wat --invoke objects").prints(objects);
    let others = "funcref\nfuncref\nfuncref\nexternref\nexnref\n";
    line(&dir, "refs.wat --invoke others").prints(others);
    line(&dir, "refs.wat --invoke nulls").prints(&"null\n".repeat(11));
    let quoted: Vec<_> = others.lines().map(|word| format!("\"{word}\"")).collect();
    let json = format!("{{\"results\": [{}]}}\n", quoted.join(", "));
    line(&dir, "refs.wat --json --invoke others").prints(&json);
    let nulls = format!("{{\"results\": [{}]}}\n", ["null"; 11].join(", "));
    line(&dir, "refs.wat --json=safe --invoke nulls").prints(&nulls);
}

#[test]
fn safe_json_has_no_integer_that_a_float_would_round() {
    let dir = Dir::with(&[("id.wat", ID)]);
    for (number, safe) in [
        ("9007199254740991", true),
        ("9007199254740992", false),
        ("-9007199254740991", true),
        ("-9007199254740992", false),
        ("-9223372036854775808", false),
    ] {
        let words = format!("id.wat --invoke i64 {number}");
        let string = format!("\"{number}\"");
        let shown = if safe { number } else { &string };
        line(&dir, &format!("{words} --json")).prints(&format!("{{\"results\": [{number}]}}\n"));
        line(&dir, &format!("{words} --json=safe"))
            .prints(&format!("{{\"results\": [{shown}]}}\n"));
        let call = format!("{{\"invoke\": \"i64\", \"args\": [{number}]}}");
        let batch = |flag| zwasm(["id.wat", "--batch", flag]).dir(dir.path()).stdin(&*call).run();
        batch("--json").prints(&format!("{{\"results\": [{number}]}}\n"));
        batch("--json=safe").prints(&format!("{{\"results\": [{shown}]}}\n"));
    }
    let large = "(module (table (export \"t\") i64 0 0xffff_ffff_ffff_ffff funcref)
        (memory (export \"m\") i64 1 0xffff_ffff_ffff_ffff (pagesize 1)))";
    dir.write("large.wat", large);
    let inspect = |flag: &str| line(&dir, &format!("inspect {flag} large.wat")).text();
    assert_eq!(inspect("--json").matches("\"maximum\": 18446744073709551615,").count(), 3);
    assert_eq!(inspect("--json=safe").matches("\"maximum\": \"18446744073709551615\",").count(), 3);
    assert_eq!(inspect("--json=safe").matches("\"minimum\": 1,").count(), 2);
}

/// What is no number in JSON is a string.
#[test]
fn json_has_numbers_for_finite_floats_only() {
    let dir = Dir::with(&[("id.wat", ID)]);
    for (call, value) in [
        ("f64 nan", "\"nan\""),
        ("f32 -nan:0x1", "\"nan\""),
        ("f32 -inf", "\"-inf\""),
        ("f64 -0", "-0"),
        ("f64 1e300", "1e300"),
        ("f64 -0x1p-1074", "-5e-324"),
        ("f32 1e20", "100000000000000000000"),
    ] {
        let outcome = line(&dir, &format!("id.wat --json=safe --invoke {call}"));
        outcome.prints(&format!("{{\"results\": [{value}]}}\n"));
    }
}
