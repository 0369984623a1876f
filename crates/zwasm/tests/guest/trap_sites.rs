//! A trap names its instruction and the calls around it, inlined or not, whatever
//! executes the code and whatever follows.
#![cfg(all(feature = "wat", feature = "gc", feature = "simd", feature = "threads"))]

use zwasm::{Config, Engine, Error, Linker, Module, Store, Strategy, Trap, Val};

/// An expression that traps for these arguments: an `i32`, an `i64`, an `f32` and an
/// `f64`, which are locals 0 to 3. What it yields, the bytes it starts with in the
/// binary format, the arguments, and the trap.
struct Case {
    code: String,
    result: &'static str,
    opcode: Vec<u8>,
    arguments: (i32, i64, f64),
    trap: Trap,
}

const PRELUDE: &str = r#"
    (type $plain (func))
    (type $other (func (param i64)))
    (type $pair (struct (field i32) (field (mut i64))))
    (type $open (sub (struct (field i32))))
    (type $more (sub $open (struct (field i32))))
    (type $bytes (array (mut i8)))
    (type $longs (array (mut i64)))
    (memory $m 1 1)
    (memory $n 1 1)
    (memory $w i64 1 1)
    (table $t 4 funcref)
    (table $x 4 externref)
    (elem $e func $noop)
    (elem (table $t) (i32.const 1) func $noop)
    (data $d "abc")
    (global $null_pair (mut (ref null $pair)) (ref.null $pair))
    (global $null_bytes (mut (ref null $bytes)) (ref.null $bytes))
    (global $null_i31 (mut i31ref) (ref.null i31))
    (global $null_func (mut (ref null $plain)) (ref.null $plain))
    (global $any (mut anyref) (ref.null any))
    (global $i32 (mut i32) (i32.const 0))
    (global $i64 (mut i64) (i64.const 0))
    (global $f32 (mut f32) (f32.const 0))
    (global $f64 (mut f64) (f64.const 0))
    (global $v128 (mut v128) (v128.const i64x2 0 0))
    (func $noop)"#;

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut add = |result, code: String, opcode: &[u8], arguments, trap| {
        cases.push(Case { code, result, opcode: opcode.to_vec(), arguments, trap });
    };
    for (index, name) in ["div_s", "div_u", "rem_s", "rem_u"].into_iter().enumerate() {
        let zero = Trap::IntegerDivisionByZero;
        let (narrow, wide) = (0x6D + index as u8, 0x7F + index as u8);
        let code = format!("(i32.{name} (i32.const 7) (local.get 0))");
        add("i32", code, &[narrow], (0, 0, 0.0), zero);
        let code = format!("(i64.{name} (i64.const 7) (local.get 1))");
        add("i64", code, &[wide], (0, 0, 0.0), zero);
        let code = format!("(i32.{name} (local.get 0) (i32.const 0))");
        add("i32", code, &[narrow], (5, 0, 0.0), zero);
    }
    for (code, opcode) in [
        ("(i32.div_s (local.get 0) (i32.const -1))", 0x6D),
        ("(i32.div_s (i32.const 0x80000000) (i32.wrap_i64 (local.get 1)))", 0x6D),
    ] {
        add("i32", code.into(), &[opcode], (i32::MIN, -1, 0.0), Trap::IntegerOverflow);
    }
    let code = "(i64.div_s (i64.const 0x8000000000000000) (local.get 1))";
    add("i64", code.into(), &[0x7F], (0, -1, 0.0), Trap::IntegerOverflow);
    for (ty, first) in [("i32", 0xA8), ("i64", 0xAE)] {
        let names = ["f32_s", "f32_u", "f64_s", "f64_u"];
        for (index, name) in names.into_iter().enumerate() {
            let local = if name.starts_with("f32") { 2 } else { 3 };
            for (value, trap) in [
                (1e30, Trap::IntegerOverflow),
                (-1e30, Trap::IntegerOverflow),
                (f64::NAN, Trap::BadConversionToInteger),
                (-f64::NAN, Trap::BadConversionToInteger),
            ] {
                let code = format!("({ty}.trunc_{name} (local.get {local}))");
                add(ty, code, &[first + index as u8], (0, 0, value), trap);
            }
        }
    }
    let out = Trap::MemoryOutOfBounds;
    let far = (0x1_0000, 0x1_0000, 0.0);
    let loads = "i32.load i64.load f32.load f64.load i32.load8_s i32.load8_u i32.load16_s \
         i32.load16_u i64.load8_s i64.load8_u i64.load16_s i64.load16_u i64.load32_s i64.load32_u";
    for (index, name) in loads.split_whitespace().enumerate() {
        let (ty, opcode) = (&name[..3], 0x28 + index as u8);
        let ty = ["i32", "i64", "f32", "f64"].into_iter().find(|each| *each == ty).unwrap();
        for (memory, offset, address) in [
            ("$m", "", "(local.get 0)"),
            ("$n", "", "(local.get 0)"),
            ("$w", "", "(local.get 1)"),
            ("$m", "offset=0xffffffff", "(local.get 0)"),
            ("$w", "offset=0xffffffffffffffff", "(local.get 1)"),
        ] {
            add(ty, format!("({name} {memory} {offset} {address})"), &[opcode], far, out);
        }
    }
    let stores = "i32.store i64.store f32.store f64.store i32.store8 i32.store16 i64.store8 \
         i64.store16 i64.store32";
    for (index, name) in stores.split_whitespace().enumerate() {
        let value = ["i32", "i64", "f32", "f64"].into_iter().position(|ty| *ty == name[..3]);
        let value = value.unwrap();
        for (memory, address) in [("$m", 0), ("$n", 0), ("$w", 1)] {
            let code = format!("({name} {memory} (local.get {address}) (local.get {value}))");
            add("", code, &[0x36 + index as u8], far, out);
        }
    }
    for (memory, address) in [("$m", 0), ("$n", 0), ("$w", 1)] {
        let code = format!("(v128.load {memory} (local.get {address}))");
        add("v128", code, &[0xFD, 0], far, out);
        let code =
            format!("(i32x4.add (v128.load {memory} (local.get {address})) (global.get $v128))");
        add("v128", code, &[0xFD, 0], far, out);
        let code = format!("(f32x4.splat (f32.load {memory} (local.get {address})))");
        add("v128", code, &[0x2A], far, out);
        let code = format!("(v128.load8_splat {memory} (local.get {address}))");
        add("v128", code, &[0xFD, 7], far, out);
        let code = format!("(v128.store {memory} (local.get {address}) (global.get $v128))");
        add("", code, &[0xFD, 11], far, out);
        let lane = format!("{memory} 1 (local.get {address}) (global.get $v128)");
        add("v128", format!("(v128.load32_lane {lane})"), &[0xFD, 86], far, out);
        add("", format!("(v128.store32_lane {lane})"), &[0xFD, 90], far, out);
        let code = format!("(i32.atomic.load {memory} (local.get {address}))");
        add("i32", code.clone(), &[0xFE, 16], far, out);
        let unaligned = Trap::HeapMisaligned;
        add("i32", code, &[0xFE, 16], (3, 3, 0.0), unaligned);
        let code = format!("(i64.atomic.rmw.add {memory} (local.get {address}) (local.get 1))");
        add("i64", code.clone(), &[0xFE, 31], far, out);
        add("i64", code, &[0xFE, 31], (4, 4, 0.0), unaligned);
        let code = format!("(i32.atomic.store {memory} (local.get {address}) (local.get 0))");
        add("", code, &[0xFE, 23], (2, 2, 0.0), unaligned);
        let code = format!("(memory.atomic.notify {memory} (local.get {address}) (local.get 0))");
        add("i32", code, &[0xFE, 0], (2, 2, 0.0), unaligned);
    }
    let bulk = "(i32.const 1) (i32.const 70000)";
    add("", format!("(memory.fill (local.get 0) {bulk})"), &[0xFC, 11], far, out);
    add("", format!("(memory.copy (local.get 0) {bulk})"), &[0xFC, 10], far, out);
    add("", format!("(memory.init $d (local.get 0) {bulk})"), &[0xFC, 8], far, out);
    let out = Trap::TableOutOfBounds;
    let nine = (9, 9, 0.0);
    add("", format!("(table.init $t $e (local.get 0) {bulk})"), &[0xFC, 12], nine, out);
    add("", format!("(table.copy $t $t (local.get 0) {bulk})"), &[0xFC, 14], nine, out);
    let code = "(table.fill $x (local.get 0) (ref.null extern) (i32.const 9))";
    add("", code.into(), &[0xFC, 17], nine, out);
    add("", "(drop (table.get $t (local.get 0)))".into(), &[0x25], nine, out);
    add("", "(drop (table.get $x (local.get 0)))".into(), &[0x25], nine, out);
    add("", "(table.set $t (local.get 0) (ref.func $noop))".into(), &[0x26], nine, out);
    let mut indirect = |ty: &str, arguments: &str, index: i32, trap| {
        let code = format!("(call_indirect $t (type {ty}) {arguments} (local.get 0))");
        add("", code, &[0x11], (index, 0, 0.0), trap);
        let code = format!("(return_call_indirect $t (type {ty}) {arguments} (local.get 0))");
        add("", code, &[0x13], (index, 0, 0.0), trap);
    };
    indirect("$plain", "", 9, Trap::TableOutOfBounds);
    indirect("$plain", "", 0, Trap::IndirectCallToNull);
    indirect("$other", "(local.get 1)", 1, Trap::BadSignature);
    let any = (9, 9, 0.0);
    let code = "(call_ref $plain (global.get $null_func))";
    add("", code.into(), &[0x14], any, Trap::NullReference);
    let code = "(drop (ref.as_non_null (global.get $null_pair)))";
    add("", code.into(), &[0xD4], any, Trap::NullReference);
    let null = Trap::NullReference;
    add("i32", "(struct.get $pair 0 (global.get $null_pair))".into(), &[0xFB, 2], any, null);
    add("i64", "(struct.get $pair 1 (global.get $null_pair))".into(), &[0xFB, 2], any, null);
    let code = "(struct.set $pair 1 (global.get $null_pair) (local.get 1))";
    add("", code.into(), &[0xFB, 5], any, null);
    let null = Trap::NullReference;
    let code = "(array.get_u $bytes (global.get $null_bytes) (local.get 0))";
    add("i32", code.into(), &[0xFB, 13], any, null);
    let code = "(array.set $bytes (global.get $null_bytes) (local.get 0) (local.get 0))";
    add("", code.into(), &[0xFB, 14], any, null);
    add("i32", "(array.len (global.get $null_bytes))".into(), &[0xFB, 15], any, null);
    let out = Trap::ArrayOutOfBounds;
    let new = "(array.new_default $bytes (i32.const 5))";
    add("i32", format!("(array.get_s $bytes {new} (local.get 0))"), &[0xFB, 12], any, out);
    let code = format!("(array.set $bytes {new} (local.get 0) (local.get 0))");
    add("", code, &[0xFB, 14], any, out);
    let code = format!("(array.fill $bytes {new} (local.get 0) (local.get 0) (i32.const 1))");
    add("", code, &[0xFB, 16], any, out);
    let code =
        format!("(array.copy $bytes $bytes {new} (local.get 0) {new} (i32.const 0) (i32.const 1))");
    add("", code, &[0xFB, 17], any, out);
    let code = "(drop (array.new_data $bytes $d (local.get 0) (i32.const 1)))";
    add("", code.into(), &[0xFB, 9], any, Trap::MemoryOutOfBounds);
    let null = Trap::NullReference;
    add("i32", "(i31.get_s (global.get $null_i31))".into(), &[0xFB, 29], any, null);
    add("i32", "(i31.get_u (global.get $null_i31))".into(), &[0xFB, 30], any, null);
    let cast = Trap::CastFailure;
    for (ty, value) in [
        ("i31", "(struct.new_default $pair)"),
        ("$pair", "(ref.i31 (local.get 0))"),
        ("$pair", "(array.new_default $longs (i32.const 1))"),
        ("$pair", "(global.get $any)"),
        ("any", "(global.get $any)"),
        ("$more", "(struct.new $pair (local.get 0) (local.get 1))"),
        ("array", "(struct.new $pair (local.get 0) (local.get 1))"),
    ] {
        let code = format!("(drop (ref.cast (ref {ty}) {value}))");
        add("", code, &[0xFB, 22], any, cast);
    }
    add("", "(unreachable)".into(), &[0x00], any, Trap::UnreachableCodeReached);
    cases
}

/// Calls `callee` of all cases from `main`: with arguments that `main` has, and with
/// constants; with the result dropped, and put somewhere.
fn module(case: &Case, constant: bool, kept: bool) -> String {
    let (i32, i64, float) = case.arguments;
    let arguments = match constant {
        false => "(local.get 0) (local.get 1) (local.get 2) (local.get 3)".into(),
        true => {
            let (f32, f64) = ((float as f32).to_bits(), float.to_bits());
            format!(
                "(i32.const {i32}) (i64.const {i64}) (f32.reinterpret_i32 (i32.const {f32:#x})) \
                 (f64.reinterpret_i64 (i64.const {f64:#x}))"
            )
        }
    };
    let Case { code, result, .. } = case;
    let code = match (*result, kept) {
        ("", _) => code.clone(),
        (_, false) => format!("(drop {code})"),
        (ty, true) => format!("(global.set ${ty} {code})"),
    };
    format!(
        "(module {PRELUDE}
          (func $callee (param i32 i64 f32 f64) {code})
          (func (export \"main\") (param i32 i64 f32 f64)
            (call $callee {arguments}) (call $noop)))"
    )
}

/// The official suite's words for what a case does, which are finer than kinds of traps.
fn words(case: &Case) -> &'static str {
    match (case.trap, &case.opcode[..]) {
        (Trap::TableOutOfBounds, [0x11 | 0x13]) => "undefined element",
        (Trap::NullReference, [0x14]) => "null function reference",
        (Trap::NullReference, [0xFB, 2 | 5]) => "null structure reference",
        (Trap::NullReference, [0xFB, 13..=15]) => "null array reference",
        (Trap::NullReference, [0xFB, 29 | 30]) => "null i31 reference",
        (trap, _) => trap.message(),
    }
}

/// The trap, what is said of it, and the function and place of each frame.
type Seen = (Option<Trap>, Option<&'static str>, Vec<(u32, Option<usize>)>);

fn run(config: &Config, wasm: &[u8], case: &Case) -> Seen {
    let engine = Engine::new(config).unwrap();
    let module = Module::new(&engine, wasm).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = Linker::new(&engine).instantiate(&mut store, &module).unwrap();
    let main = instance.get_func(&mut store, "main").unwrap();
    let (i32, i64, float) = case.arguments;
    let single = Val::F32((float as f32).to_bits());
    let arguments = [Val::I32(i32), Val::I64(i64), single, Val::F64(float.to_bits())];
    let error: Error = main.call(&mut store, &arguments, &mut []).unwrap_err();
    let frames = error.backtrace().map(|trace| trace.frames().to_vec()).unwrap_or_default();
    let frames = frames.iter().map(|frame| (frame.func_index(), frame.module_offset()));
    assert_eq!(error.summary(), format!("trap: {}", error.trap_message().unwrap()));
    (error.trap(), error.trap_message(), frames.collect())
}

#[test]
fn traps_name_their_instruction_and_the_calls_around_it() {
    for case in cases() {
        for (constant, kept) in [(false, false), (false, true), (true, false), (true, true)] {
            let text = module(&case, constant, kept);
            let wasm = wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
            let mut first: Option<Seen> = None;
            for strategy in [
                Strategy::Interpreter,
                Strategy::Baseline,
                Strategy::Optimizing,
                Strategy::Auto,
                Strategy::Mixed(1),
            ]
            .into_iter()
            .filter(|strategy| strategy.is_available())
            {
                for (inlining, guards) in
                    [(false, true), (true, true), (false, false), (true, false)]
                {
                    let mut config = Config::new();
                    config.strategy(strategy).inlining(inlining).guard_pages(guards);
                    let seen = run(&config, &wasm, &case);
                    let told =
                        format!("{strategy:?}, inlining {inlining}, guards {guards}\n{text}");
                    assert_eq!(seen.0, Some(case.trap), "{told}");
                    assert_eq!(seen.1, Some(words(&case)), "{told}");
                    let [(1, Some(at)), (2, Some(call))] = seen.2[..] else {
                        panic!("{:?} {told}", seen.2)
                    };
                    assert!(wasm[at..].starts_with(&case.opcode), "{at:#x} {told}");
                    assert_eq!(wasm[call..call + 2], [0x10, 1], "{call:#x} {told}");
                    assert_eq!(first.get_or_insert_with(|| seen.clone()), &seen, "{told}");
                }
            }
        }
    }
}
