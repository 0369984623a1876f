//! What core dumps tell of frames, read here by the form that the tool conventions describe.
#![cfg(feature = "wat")]

use zwasm::{Caller, Config, Engine, Linker, Module, Store, Strategy, Val, WasmCoreDump};

/// A value of a frame; none is one that is missing.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Value {
    I32(i32),
    I64(i64),
    F32(f32),
    F64(f64),
}

/// A frame: its function, its locals, and what is on its stack.
#[derive(Debug)]
struct Frame {
    func: u64,
    locals: Vec<Option<Value>>,
    stack: Vec<Option<Value>>,
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(length);
        self.0 = rest;
        taken
    }

    fn byte(&mut self) -> u8 {
        self.take(1)[0]
    }

    fn number(&mut self) -> u64 {
        let byte = self.byte();
        let rest = if byte < 0x80 { 0 } else { self.number() << 7 };
        u64::from(byte & 0x7f) | rest
    }

    fn signed(&mut self) -> i64 {
        let byte = self.byte();
        if byte >= 0x80 {
            return i64::from(byte & 0x7f) | self.signed() << 7;
        }
        i64::from(byte << 1) << 56 >> 57
    }

    fn value(&mut self) -> Option<Value> {
        match self.byte() {
            0x01 => None,
            0x7f => Some(Value::I32(self.signed().try_into().unwrap())),
            0x7e => Some(Value::I64(self.signed())),
            0x7d => Some(Value::F32(f32::from_le_bytes(self.take(4).try_into().unwrap()))),
            0x7c => Some(Value::F64(f64::from_le_bytes(self.take(8).try_into().unwrap()))),
            other => panic!("a value of kind {other:#x}"),
        }
    }

    fn values(&mut self) -> Vec<Option<Value>> {
        (0..self.number()).map(|_| self.value()).collect()
    }
}

/// The frames in a dump, innermost first.
fn frames(dump: &[u8]) -> Vec<Frame> {
    let mut reader = Reader(&dump[8..]);
    loop {
        let id = reader.byte();
        let size = reader.number() as usize;
        let mut section = Reader(reader.take(size));
        if id != 0 {
            continue;
        }
        let length = section.number() as usize;
        if section.take(length) != b"corestack" {
            continue;
        }
        assert_eq!(section.take(6), b"\0\x04main");
        let frames = (0..section.number())
            .map(|_| {
                assert_eq!(section.byte(), 0);
                let (_instance, func, _offset) =
                    (section.number(), section.number(), section.number());
                let (locals, stack) = (section.values(), section.values());
                Frame { func, locals, stack }
            })
            .collect();
        assert!(section.0.is_empty());
        return frames;
    }
}

const GUEST: &str = r#"(module
  (import "" "host" (func $host))
  (memory 1)
  (func $inner (param $a i32) (param $b i64) (result f64 f64 f64)
    (local $x f32) (local $v v128) (local $y f64) (local $r funcref) (local $z i32) (local i64)
    (local.set $x (f32.const -1.5))
    (local.set $y (f64.convert_i64_s (i64.mul (local.get $b) (i64.const 3))))
    (local.set $z (i32.add (local.get $a) (i32.const 40)))
    (local.set $a (i32.const -7))
    (local.set $v (v128.const i64x2 1 2))
    (i32.store (i32.load (i32.const 0)) (local.get $z))
    (call $host)
    (f64.add (local.get $y) (f64.promote_f32 (local.get $x)))
    (f64.convert_i32_s (i32.add (local.get $z) (local.get $a)))
    (f64.convert_i64_s (i64.add (i64x2.extract_lane 0 (local.get $v)) (local.get $b)))
    unreachable)
  (func $outer (export "f") (param $n i64) (local $k i32) (local $e i64)
    (local.set $k (i32.wrap_i64 (local.get $n)))
    (local.set $e (i64.sub (i64.const 0) (local.get $n)))
    (call $inner (local.get $k) (i64.const 1000000000000))
    drop drop drop
    (drop (i64.add (i64.extend_i32_u (local.get $k)) (local.get $e)))))"#;

/// The frames of a guest that `host` stops, or that stops itself behind it.
fn stopped(strategy: Strategy, by_host: bool) -> Vec<Frame> {
    let mut config = Config::new();
    config.strategy(strategy).coredump_on_trap(true).inlining(false);
    let engine = Engine::new(&config).unwrap();
    let module = Module::new(&engine, GUEST).unwrap();
    let mut store = Store::new(&engine, ());
    let mut linker = Linker::new(&engine);
    let host = move |_: Caller<'_, ()>| -> zwasm::Result<()> {
        if by_host { Err(zwasm::Error::msg("no")) } else { Ok(()) }
    };
    linker.func_wrap("", "host", host).unwrap();
    let instance = linker.instantiate(&mut store, &module).unwrap();
    let f = instance.get_func(&mut store, "f").unwrap();
    let error = f.call(&mut store, &[Val::I64(99)], &mut []).unwrap_err();
    let dump = error.downcast_ref::<WasmCoreDump>().expect("it was asked for");
    let frames = frames(&dump.serialize(&mut store, "guest"));
    assert_eq!(frames.iter().map(|frame| frame.func).collect::<Vec<_>>(), [1, 2]);
    assert!(frames.iter().all(|frame| frame.stack.is_empty()));
    frames
}

fn inner() -> Vec<Option<Value>> {
    vec![
        Some(Value::I32(-7)),
        Some(Value::I64(1_000_000_000_000)),
        Some(Value::F32(-1.5)),
        None,
        Some(Value::F64(3e12)),
        None,
        Some(Value::I32(139)),
        Some(Value::I64(0)),
    ]
}

fn outer() -> Vec<Option<Value>> {
    vec![Some(Value::I64(99)), Some(Value::I32(99)), Some(Value::I64(-99))]
}

#[test]
fn locals_of_the_interpreter() {
    for by_host in [false, true] {
        let frames = stopped(Strategy::Interpreter, by_host);
        assert_eq!(frames[0].locals, inner(), "{by_host}");
        assert_eq!(frames[1].locals, outer(), "{by_host}");
    }
}

/// Values that are in registers are missing, and none is told that is wrong.
#[cfg(compiler)]
#[test]
fn locals_of_compiled_code() {
    for by_host in [false, true] {
        let frames = stopped(Strategy::Baseline, by_host);
        assert_eq!(frames[0].locals, [None; 8]);
        assert_eq!(frames[1].locals, outer());
    }
    for strategy in
        [Strategy::Auto, Strategy::Stress].into_iter().chain((0..12).map(Strategy::Mixed))
    {
        for by_host in [false, true] {
            let frames = stopped(strategy, by_host);
            for (frame, known) in frames.iter().zip([inner(), outer()]) {
                let missing = vec![None; known.len()];
                assert!(frame.locals == known || frame.locals == missing, "{strategy:?} {frame:?}");
            }
        }
    }
}
