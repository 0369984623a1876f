//! Compiled vector code gives what the interpreter gives: every op over edge
//! values, bit for bit, with operands in registers, in memory and in the result's place.
#![cfg(all(feature = "wat", feature = "simd", compiler))]

use std::fmt::Write as _;
use zwasm::{Config, Engine, Linker, Module, Store, Strategy};
use zwasm_regir::simd_ops::{
    BinaryOp, ExtractOp, LoadOp, ShiftOp, SplatOp, TernaryOp, TestOp, UnaryOp,
};

/// The opcodes of all vector instructions.
const OPCODES: std::ops::RangeInclusive<u16> = 0..=0x113;

/// The strategies that this build has, each with and without the processor's features.
fn modes<const N: usize>(strategies: [Strategy; N]) -> impl Iterator<Item = (Strategy, bool)> {
    let available = strategies.into_iter().filter(|strategy| strategy.is_available());
    available.flat_map(|strategy| [(strategy, false), (strategy, true)])
}

/// Where results go.
const RESULTS: usize = 0x1_0000;

/// Vectors of edge values: of each lane width, of floats, and mixtures.
fn edges() -> Vec<[u8; 16]> {
    let mut edges: Vec<[u8; 16]> = Vec::new();
    edges.extend([0u8, 1, 0x0F, 0x10, 0x70, 0x7F, 0x80, 0x81, 0xF0, 0xFF].map(|byte| [byte; 16]));
    for half in [1u16, 0x3FFF, 0x4000, 0x7FFF, 0x8000, 0x8001, 0xFF7F, 0x00FF, 0xFF80] {
        let half = u128::from(half);
        edges.push((0..8).fold(0, |bits, _| bits << 16 | half).to_le_bytes());
    }
    let singles = [
        0.0f32,
        -0.0,
        1.5,
        -1.0,
        0.49999997,
        8388609.0,
        1e-45,
        2147483520.0,
        2147483648.0,
        -2147483648.0,
        -2147483904.0,
        4294967040.0,
        4294967296.0,
        -0.99,
        f32::INFINITY,
        f32::NEG_INFINITY,
        f32::NAN,
        f32::from_bits(0x7F80_0001),
        f32::from_bits(0xFFA0_0002),
        f32::from_bits(0xFFC0_0003),
        f32::MAX,
    ];
    for window in singles.windows(4) {
        let bits = window.iter().rev().fold(0, |bits, x| bits << 32 | u128::from(x.to_bits()));
        edges.push(bits.to_le_bytes());
    }
    let doubles = [
        0.0f64,
        -0.0,
        2.5,
        -1.0,
        0.49999999999999994,
        2147483647.9,
        2147483648.0,
        -2147483648.9,
        -2147483649.0,
        4294967295.9,
        4294967296.0,
        -0.99,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
        f64::from_bits(0x7FF0_0000_0000_0001),
        f64::from_bits(0xFFF4_0000_0000_0002),
        f64::from_bits(0xFFF8_0000_0000_0003),
        f64::MAX,
    ];
    for window in doubles.windows(2) {
        let bits = u128::from(window[1].to_bits()) << 64 | u128::from(window[0].to_bits());
        edges.push(bits.to_le_bytes());
    }
    // Lanes that differ from all of their neighbours.
    let mut state = 0x9E37_79B9_7F4A_7C15_u128;
    for _ in 0..12 {
        state = state.wrapping_mul(0x2360_ED05_1FC6_5DA4_4385_DF64_9FCC_F645).wrapping_add(1);
        edges.push((state ^ state >> 64).to_le_bytes());
    }
    edges
}

/// A module whose function goes through all pairs of edges, in the locals `a` and
/// `b`, and writes what expressions give for them.
struct Guest {
    body: String,
    results: usize,
}

impl Guest {
    fn new() -> Guest {
        Guest { body: String::new(), results: 0 }
    }

    /// Writes a result of a type.
    fn store(&mut self, ty: &str, value: &str) {
        // The upper half of a 32-bit slot must be zero.
        let (ty, value) = match ty {
            "f32" => ("i64", format!("(i64.extend_i32_u (i32.reinterpret_f32 {value}))")),
            "i32" => ("i64", format!("(i64.extend_i32_u {value})")),
            _ => (ty, value.to_string()),
        };
        let offset = self.results * 16;
        let _ = writeln!(self.body, "({ty}.store offset={offset} (local.get $out) {value})");
        self.results += 1;
    }

    fn statement(&mut self, text: &str) {
        self.body.push_str(text);
        self.body.push('\n');
    }

    /// Writes what an op gives with vectors in all kinds of places.
    fn op(&mut self, result: &str, arity: usize, op: impl Fn(&[&str]) -> String) {
        let locals = ["(local.get $a)", "(local.get $b)", "(local.get $c)"];
        let loads = ["(v128.load (local.get $i))", "(v128.load (local.get $j))", locals[2]];
        let results = ["(call $same (local.get $a))", "(call $same (local.get $b))", locals[2]];
        for operands in [
            locals,
            loads,
            results,
            [locals[0], loads[1], loads[0]],
            [loads[0], locals[1], loads[1]],
        ] {
            self.store(result, &op(&operands[..arity]));
        }
        self.store(result, &op(&[locals[1]; 3][..arity]));
        if result == "v128" {
            for place in 0..arity {
                let mut operands = locals;
                self.statement(&format!("(local.set $d {})", operands[place]));
                operands[place] = "(local.get $d)";
                self.statement(&format!("(local.set $d {})", op(&operands[..arity])));
                self.store("v128", "(local.get $d)");
            }
        }
    }

    fn wat(&self, edges: usize) -> String {
        let (step, end) = (self.results * 16, edges * 16);
        let pages = (RESULTS + edges * edges * step) / 0x1_0000 + 1;
        let body = &self.body;
        format!(
            r#"(module
    (memory (export "memory") {pages})
    (global $g (mut v128) (v128.const i64x2 0 0))
    (func $same (param v128) (result v128) (local.get 0))
    (func $pick (param v128 v128 i32) (result v128)
        (block (result v128)
            (local.get 0)
            (br_if 0 (local.get 2))
            (drop)
            (local.get 1)))
    (func (export "run")
        (local $i i32) (local $j i32) (local $out i32)
        (local $a v128) (local $b v128) (local $c v128) (local $d v128)
        (local.set $out (i32.const {RESULTS}))
        (loop $outer
            (local.set $a (v128.load (local.get $i)))
            (local.set $j (i32.const 0))
            (loop $inner
                (local.set $b (v128.load (local.get $j)))
                (local.set $c (i8x16.add (local.get $a) (local.get $b)))
                {body}
                (local.set $out (i32.add (local.get $out) (i32.const {step})))
                (br_if $inner (i32.lt_u
                    (local.tee $j (i32.add (local.get $j) (i32.const 16)))
                    (i32.const {end}))))
            (br_if $outer (i32.lt_u
                (local.tee $i (i32.add (local.get $i) (i32.const 16)))
                (i32.const {end}))))))"#
        )
    }

    /// The results in one mode.
    fn run(&self, edges: &[[u8; 16]], wat: &str, strategy: Strategy, oldest: bool) -> Vec<u8> {
        let mut config = Config::new();
        config.strategy(strategy).oldest_processor(oldest);
        self.results_with(edges, wat, &config)
    }

    fn results_with(&self, edges: &[[u8; 16]], wat: &str, config: &Config) -> Vec<u8> {
        let engine = Engine::new(config).unwrap();
        let module = Module::new(&engine, wat).unwrap();
        let mut store = Store::new(&engine, ());
        let instance = Linker::new(&engine).instantiate(&mut store, &module).unwrap();
        let memory = instance.get_memory(&mut store, "memory").unwrap();
        memory.write(&mut store, 0, edges.as_flattened()).unwrap();
        let run = instance.get_typed_func::<(), ()>(&mut store, "run").unwrap();
        run.call(&mut store, ()).unwrap();
        let mut results = vec![0; edges.len() * edges.len() * self.results * 16];
        memory.read(&store, RESULTS, &mut results).unwrap();
        results
    }

    /// Runs the module in all modes, and compares.
    fn check(&self, name: &str, edges: &[[u8; 16]]) {
        let wat = self.wat(edges.len());
        let expected = self.run(edges, &wat, Strategy::Interpreter, false);
        for (strategy, oldest) in
            modes([Strategy::Baseline, Strategy::Optimizing]).chain([(Strategy::Stress, false)])
        {
            let found = self.run(edges, &wat, strategy, oldest);
            let differs = expected.chunks(16).zip(found.chunks(16)).position(|(a, b)| a != b);
            if let Some(index) = differs {
                let (pair, result) = (index / self.results, index % self.results);
                let (a, b) = (edges[pair / edges.len()], edges[pair % edges.len()]);
                let at = index * 16..index * 16 + 16;
                panic!(
                    "{name}, {strategy:?}, oldest {oldest}, result {result}\nof {a:02x?}\nand \
                     {b:02x?}\nis {:02x?}\nnot {:02x?}\n{}",
                    &found[at.clone()],
                    &expected[at],
                    self.body
                );
            }
        }
    }
}

fn call(text: &str) -> impl Fn(&[&str]) -> String {
    move |operands| format!("({text} {})", operands.join(" "))
}

fn check_ops(arity: usize, texts: impl Iterator<Item = &'static str>) {
    let edges = edges();
    for text in texts {
        let mut guest = Guest::new();
        guest.op("v128", arity, call(text));
        guest.check(text, &edges);
    }
}

#[test]
fn ops_on_one_vector() {
    check_ops(1, OPCODES.filter_map(|opcode| Some(UnaryOp::from_opcode(opcode)?.text())));
}

#[test]
fn ops_on_two_vectors() {
    check_ops(2, OPCODES.filter_map(|opcode| Some(BinaryOp::from_opcode(opcode)?.text())));
}

#[test]
fn ops_on_three_vectors() {
    check_ops(3, OPCODES.filter_map(|opcode| Some(TernaryOp::from_opcode(opcode)?.text())));
}

#[test]
fn sums_with_products() {
    let edges: Vec<_> = edges().into_iter().step_by(2).collect();
    for (sum, products) in [
        ("i16x8", "i16x8.mul i16x8.extmul_low_i8x16 i16x8.extmul_high_i8x16"),
        ("i32x4", "i32x4.mul i32x4.extmul_low_i16x8 i32x4.extmul_high_i16x8"),
        ("i64x2", "i64x2.mul i64x2.extmul_low_i32x4 i64x2.extmul_high_i32x4"),
    ] {
        for product in products.split_whitespace() {
            let signs: &[&str] = if product.ends_with("mul") { &[""] } else { &["_s", "_u"] };
            for sign in signs {
                let mut guest = Guest::new();
                let op = |x: &str, y: &str| format!("({product}{sign} {x} {y})");
                guest.op("v128", 3, |o| format!("({sum}.add {} {})", op(o[0], o[1]), o[2]));
                guest.op("v128", 3, |o| format!("({sum}.add {} {})", o[0], op(o[1], o[2])));
                guest.op("v128", 2, |o| format!("({sum}.sub {} {})", o[0], op(o[1], o[0])));
                let square = op("(local.get $a)", "(local.get $b)");
                let both = format!("({sum}.add (local.tee $d {square}) (local.get $d))");
                guest.store("v128", &both);
                guest.check(&format!("{product}{sign}"), &edges);
            }
        }
    }
    for (sum, pairs) in [("i16x8", "i8x16"), ("i32x4", "i16x8")] {
        for sign in ["s", "u"] {
            let mut guest = Guest::new();
            let op = |x: &str| format!("({sum}.extadd_pairwise_{pairs}_{sign} {x})");
            guest.op("v128", 2, |o| format!("({sum}.add {} {})", op(o[0]), o[1]));
            guest.op("v128", 2, |o| format!("({sum}.add {} {})", o[0], op(o[1])));
            guest.check(&format!("{sum} {pairs} {sign}"), &edges);
        }
    }
}

#[test]
fn shifts() {
    let edges = edges();
    for op in OPCODES.filter_map(ShiftOp::from_opcode) {
        let text = op.text();
        let mut guest = Guest::new();
        for count in ["(i32.load (local.get $j))", "(i32x4.extract_lane 1 (local.get $b))"] {
            guest.op("v128", 1, |operands| format!("({text} {} {count})", operands[0]));
        }
        for count in [0, 1, 7, 8, 9, 15, 16, 31, 32, 40, 63, 64, 65, -1] {
            guest.store("v128", &format!("({text} (local.get $a) (i32.const {count}))"));
        }
        guest.op("v128", 1, |operands| format!("({text} {} (i32.const 3))", operands[0]));
        guest.check(text, &edges);
    }
}

#[test]
fn tests_of_vectors() {
    let edges = edges();
    for op in OPCODES.filter_map(TestOp::from_opcode) {
        let text = op.text();
        let mut guest = Guest::new();
        guest.op("i32", 1, call(text));
        let test = format!("({text} (local.get $a))");
        guest.store("i32", &format!("(select (i32.const 5) (i32.const 6) {test})"));
        guest.store("i32", &format!("(i32.eqz {test})"));
        guest
            .store("v128", &format!("(select (result v128) (local.get $b) (local.get $c) {test})"));
        let branch = format!("(if (result i32) {test} (then (i32.const 7)) (else (i32.const 8)))");
        guest.store("i32", &branch);
        let block =
            format!("(block (result i32) (br_if 0 (i32.const 9) {test}) (drop) (i32.const 1))");
        guest.store("i32", &block);
        guest.check(text, &edges);
    }
}

#[test]
fn lanes_and_scalars() {
    let edges = edges();
    for op in OPCODES.filter_map(SplatOp::from_opcode) {
        let text = op.text();
        let ty = format!("{:?}", op.operand()).to_lowercase();
        let mut guest = Guest::new();
        guest.store("v128", &format!("({text} ({ty}.load (local.get $i)))"));
        guest.store("v128", &format!("({text} ({ty}.const -77))"));
        if ty == "i32" {
            for load in ["8_s", "8_u", "16_s", "16_u"] {
                guest.store("v128", &format!("({text} (i32.load{load} offset=1 (local.get $j)))"));
            }
        }
        guest.statement(&format!("(local.set $d ({text} ({ty}.load (local.get $i))))"));
        guest.store("v128", "(local.get $d)");
        guest.check(text, &edges);
    }
    for op in OPCODES.filter_map(ExtractOp::from_opcode) {
        let text = op.text();
        let ty = format!("{:?}", op.result()).to_lowercase();
        let mut guest = Guest::new();
        let lanes = 16 / op.lane_bytes();
        for lane in 0..lanes {
            guest.op(&ty, 1, |operands| format!("({text} {lane} {})", operands[0]));
        }
        let shape = text.split('.').next().unwrap_or_default();
        for lane in [0, 1, lanes - 1] {
            guest.op("v128", 1, |operands| {
                let value = format!("({ty}.load offset=4 (local.get $j))");
                format!("({shape}.replace_lane {lane} {} {value})", operands[0])
            });
            guest.op("v128", 2, |operands| {
                let value = format!("({text} {} {})", lanes - 1 - lane, operands[1]);
                format!("({shape}.replace_lane {lane} {} {value})", operands[0])
            });
            let constant = format!("({shape}.replace_lane {lane} (local.get $a) ({ty}.const 3))");
            guest.store("v128", &constant);
        }
        guest.check(text, &edges);
    }
}

#[test]
fn shuffles() {
    let mut shuffles: Vec<[u8; 16]> = Vec::new();
    let counting: [u8; 16] = std::array::from_fn(|i| i as u8);
    for from in 0..32 {
        shuffles.push(counting.map(|i| (i + from) % 32));
    }
    for unit in [1, 2, 4, 8] {
        for (half, first) in [(0, 0), (8, 0), (0, 16), (8, 16)] {
            shuffles.push(counting.map(|i| {
                let second = i / unit % 2 * 16;
                half + i / (2 * unit) * unit + i % unit + (second ^ first)
            }));
        }
    }
    for words in
        [[0, 3, 4, 7], [6, 5, 1, 2], [3, 2, 1, 0], [5, 5, 6, 6], [0, 5, 2, 7], [1, 4, 6, 3]]
    {
        shuffles.push(counting.map(|i| words[usize::from(i / 4)] * 4 + i % 4));
    }
    shuffles.push(counting.map(|i| if i / 2 % 3 == 1 { i + 16 } else { i }));
    shuffles.push(counting.map(|i| if i % 3 == 1 { i + 16 } else { i }));
    shuffles.extend([[0; 16], [31; 16], counting.map(|i| 15 - i), counting.map(|i| 31 - i * 2)]);
    shuffles.extend(edges().into_iter().map(|lanes| lanes.map(|lane| lane % 32)));
    let edges: Vec<_> = edges().into_iter().step_by(7).chain([counting]).collect();
    for lanes in shuffles {
        let lanes = lanes.map(|lane| lane.to_string()).join(" ");
        let mut guest = Guest::new();
        guest.op("v128", 2, call(&format!("i8x16.shuffle {lanes}")));
        guest.check(&lanes, &edges);
    }
}

#[test]
fn memory() {
    let edges = edges();
    for op in OPCODES.filter_map(LoadOp::from_opcode) {
        let mut guest = Guest::new();
        guest.store("v128", &format!("({} (local.get $i))", op.text()));
        guest.store("v128", &format!("({} offset=3 (local.get $j))", op.text()));
        guest.store("v128", &format!("({} (i32.const 19))", op.text()));
        guest.check(op.text(), &edges);
    }
    for (bits, lanes) in [(8, 16), (16, 8), (32, 4), (64, 2)] {
        let mut guest = Guest::new();
        for lane in 0..lanes {
            let load = format!("v128.load{bits}_lane offset=5 {lane} (local.get $j)");
            guest.op("v128", 1, call(&load));
            guest.store("v128", "(local.get $b)");
            let back = guest.results * 16 - 16;
            let address = format!("(i32.add (local.get $out) (i32.const {back}))");
            guest.statement(&format!("(v128.store{bits}_lane {lane} {address} (local.get $a))"));
        }
        guest.check(&format!("{bits} bits"), &edges);
    }
}

#[test]
fn vectors_go_everywhere() {
    let mut guest = Guest::new();
    let less = "(i32.lt_u (local.get $i) (local.get $j))";
    guest.op("v128", 2, |operands| {
        format!("(select (result v128) {} {} {less})", operands[0], operands[1])
    });
    guest.op("v128", 2, |operands| format!("(call $pick {} {} {less})", operands[0], operands[1]));
    guest.op("v128", 2, |operands| {
        format!("(i32x4.add (local.tee $d (i32x4.sub {} {})) (i32x4.add (local.get $d) (local.get $d)))", operands[0], operands[1])
    });
    guest.op("v128", 1, |operands| {
        format!("(block (result v128) (global.set $g {}) (global.get $g))", operands[0])
    });
    guest.op("v128", 1, |operands| {
        format!("(if (result v128) {less} (then {}) (else (v128.const i64x2 1 2)))", operands[0])
    });
    guest.store("v128", "(v128.const i64x2 -1 -1)");
    guest.store("v128", "(v128.const i32x4 1 2 3 4)");
    guest.store("v128", "(local.get $d)");
    // More values than registers.
    let mut sum = String::from("(local.get $a)");
    for _ in 0..20 {
        sum = format!("(i32x4.sub (i32x4.add (local.get $b) (v128.load (local.get $i))) {sum})");
    }
    guest.store("v128", &sum);
    guest.check("moves", &edges());
}

#[test]
fn deterministic_engines_have_one_nan() {
    let edges = edges();
    let names = "add sub mul div min max ceil floor trunc nearest sqrt relaxed_madd relaxed_nmadd \
         relaxed_min relaxed_max";
    let shapes = [("f32x4", 4), ("f64x2", 8)];
    let mut ops: Vec<(String, usize, usize)> = Vec::new();
    for (shape, lane) in shapes {
        for name in names.split_whitespace() {
            let arity = match name {
                "ceil" | "floor" | "trunc" | "nearest" | "sqrt" => 1,
                "relaxed_madd" | "relaxed_nmadd" => 3,
                _ => 2,
            };
            ops.push((format!("{shape}.{name}"), arity, lane));
        }
    }
    ops.push(("f32x4.demote_f64x2_zero".into(), 1, 4));
    ops.push(("f64x2.promote_low_f32x4".into(), 1, 8));
    for (text, arity, lane) in ops {
        let mut guest = Guest::new();
        guest.op("v128", arity, call(&text));
        let wat = guest.wat(edges.len());
        let mut first = None;
        for (strategy, oldest) in
            modes([Strategy::Interpreter, Strategy::Baseline, Strategy::Optimizing])
        {
            let mut config = Config::new();
            config.strategy(strategy).oldest_processor(oldest).deterministic(true);
            let results = guest.results_with(&edges, &wat, &config);
            let mut nans = 0;
            for bytes in results.chunks(lane) {
                let (is_nan, is_canonical) = match bytes {
                    [a, b, c, d] => {
                        let bits = u32::from_le_bytes([*a, *b, *c, *d]);
                        (f32::from_bits(bits).is_nan(), bits == 0x7FC0_0000)
                    }
                    _ => {
                        let bits = u64::from_le_bytes(bytes.try_into().unwrap());
                        (f64::from_bits(bits).is_nan(), bits == 0x7FF8_0000_0000_0000)
                    }
                };
                assert!(!is_nan || is_canonical, "{text}, {strategy:?}: {bytes:x?}");
                nans += usize::from(is_nan);
            }
            assert!(nans > 0, "{text}");
            let first = first.get_or_insert_with(|| results.clone());
            assert!(*first == results, "{text}, {strategy:?}, oldest {oldest}");
        }
    }
}
