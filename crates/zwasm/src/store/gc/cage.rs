//! What a forged reference reaches.
//!
//! No module can forge one; a bug in a tier could. The tests write numbers that are no
//! references into globals of reference types, behind the guest's back, and have every
//! tier use them.

use crate::{
    AsContext, AsContextMut, Config, Engine, Error, Global, Instance, Module, Store, Strategy,
    Trap, Val,
};

const WAT: &str = r#"(module
    (type $pair (struct (field $a (mut i64)) (field $next (mut (ref null $pair)))))
    (type $base (sub (struct (field i32))))
    (type $derived (sub $base (struct (field i32) (field i32))))
    (type $bytes (array (mut i8)))
    (type $words (array (mut i64)))
    (type $vectors (array (mut v128)))
    (type $f (func (result i32)))
    (type $g (func (param i64 i64) (result i64)))
    (type $box (struct (field (mut (ref null $f)))))
    (global $pair (export "pair") (mut (ref null $pair)) (ref.null $pair))
    (global $base (export "base") (mut (ref null $base)) (ref.null $base))
    (global $bytes (export "bytes") (mut (ref null $bytes)) (ref.null $bytes))
    (global $words (export "words") (mut (ref null $words)) (ref.null $words))
    (global $vectors (export "vectors") (mut (ref null $vectors)) (ref.null $vectors))
    (global $func (export "func") (mut (ref null $f)) (ref.null $f))
    (global $any (export "any") (mut anyref) (ref.null any))
    (table $t 1 funcref)
    (elem declare func $one $two)
    (func $one (type $f) (i32.const 1))
    (func $two (type $g) (i64.add (local.get 0) (local.get 1)))
    (func (export "make")
        (global.set $pair (struct.new $pair (i64.const 77) (ref.null $pair)))
        (global.set $base (struct.new $derived (i32.const 3) (i32.const 4)))
        (global.set $bytes (array.new $bytes (i32.const 5) (i32.const 100)))
        (global.set $words (array.new $words (i64.const 6) (i32.const 100)))
        (global.set $vectors (array.new $vectors (v128.const i64x2 7 7) (i32.const 100)))
        (global.set $func (ref.func $one)))
    ;; Twice through a local, so that what a tier knows of it shows.
    (func (export "get") (result i64) (local $p (ref null $pair))
        (local.set $p (global.get $pair))
        (i64.add (struct.get $pair $a (local.get $p)) (struct.get $pair $a (local.get $p))))
    ;; The same around an allocation.
    (func (export "get_around") (result i64) (local $p (ref null $pair)) (local $sum i64)
        (local.set $p (global.get $pair))
        (local.set $sum (struct.get $pair $a (local.get $p)))
        (global.set $any (struct.new $pair (i64.const 1) (ref.null $pair)))
        (i64.add (local.get $sum) (struct.get $pair $a (local.get $p))))
    (func (export "get_in_loop") (result i64) (local $p (ref null $pair)) (local $n i64)
        (local.set $p (global.get $pair))
        (loop $again
            (global.set $any (local.get $p))
            (local.set $n (i64.add (local.get $n) (struct.get $pair $a (local.get $p))))
            (br_if $again (i64.lt_u (local.get $n) (i64.const 150))))
        (local.get $n))
    (func (export "set") (param i64)
        (struct.set $pair $a (global.get $pair) (local.get 0)))
    (func (export "byte") (param i32) (result i32)
        (array.get_u $bytes (global.get $bytes) (local.get 0)))
    (func (export "word") (param i32) (result i64)
        (array.get $words (global.get $words) (local.get 0)))
    (func (export "set_word") (param i32 i64)
        (array.set $words (global.get $words) (local.get 0) (local.get 1)))
    (func (export "vector") (param i32) (result i64)
        (i64x2.extract_lane 0 (array.get $vectors (global.get $vectors) (local.get 0))))
    (func (export "len") (result i32) (array.len (global.get $words)))
    (func (export "fill") (param i32 i32)
        (array.fill $words (global.get $words) (local.get 0) (i64.const 9) (local.get 1)))
    (func (export "is_derived") (result i32)
        (ref.test (ref $derived) (global.get $base)))
    (func (export "is_struct") (result i32)
        (ref.test (ref struct) (global.get $any)))
    (func (export "call") (result i32)
        (call_ref $f (global.get $func)))
    (func (export "tail_call") (result i32)
        (return_call_ref $f (global.get $func)))
    (func (export "call_boxed") (result i32)
        (call_ref $f (struct.get $box 0 (struct.new $box (global.get $func)))))
    (func (export "call_listed") (result i32)
        (table.set $t (i32.const 0) (global.get $func))
        (call_indirect $t (type $f) (i32.const 0)))
    (func (export "call_filled") (result i32)
        (table.fill $t (i32.const 0) (global.get $func) (i32.const 1))
        (call_indirect $t (type $f) (i32.const 0)))
    (func (export "test_func") (result i32)
        (ref.test (ref $g) (block (result funcref) (global.get $func)))))"#;

/// Bits above a reference, such as those of an address.
const HIGH: u64 = 0x7FFF_1234 << 32;

struct Guest {
    store: Store<()>,
    instance: Instance,
}

impl Guest {
    fn each(test: impl Fn(&mut Guest)) {
        for strategy in
            [Strategy::Interpreter, Strategy::Baseline, Strategy::Auto, Strategy::Mixed(1)]
        {
            let mut config = Config::new();
            config.strategy(strategy);
            let engine = Engine::new(&config).expect("the strategy exists");
            let module = Module::new(&engine, WAT).expect("the module is valid");
            let mut store = Store::new(&engine, ());
            let instance = Instance::new(&mut store, &module, &[]).expect("it can be made");
            let mut guest = Guest { store, instance };
            guest.call("make", &[]).expect("there is room");
            test(&mut guest);
        }
    }

    fn global(&mut self, name: &str) -> Global {
        self.instance.get_global(&mut self.store, name).expect("it is exported")
    }

    fn reference(&mut self, name: &str) -> u64 {
        let global = self.global(name);
        global.0.of(&self.store.as_context()).expect("it is the store's").value as u64
    }

    fn forge(&mut self, name: &str, reference: u64) {
        let global = self.global(name);
        let global = global.0.of_mut(self.store.as_context_mut()).expect("it is the store's");
        // That this is no reference is what is tested.
        global.value = u128::from(reference);
    }

    fn call(&mut self, name: &str, params: &[Val]) -> Result<i64, Error> {
        let func = self.instance.get_func(&mut self.store, name).expect("it is exported");
        let mut results = vec![Val::I32(0); func.ty(&self.store).results().len()];
        func.call(&mut self.store, params, &mut results)?;
        Ok(match results.first() {
            Some(Val::I32(value)) => i64::from(*value),
            Some(Val::I64(value)) => *value,
            _ => 0,
        })
    }

    fn trap(&mut self, name: &str, params: &[Val]) -> Trap {
        self.call(name, params).expect_err("it stops").trap().expect("by a trap")
    }
}

#[test]
fn what_is_above_a_reference_does_not_count() {
    Guest::each(|guest| {
        for name in ["pair", "base", "bytes", "words", "vectors"] {
            let reference = guest.reference(name);
            guest.forge(name, reference | HIGH);
        }
        for name in ["get", "get_around", "get_in_loop"] {
            assert_eq!(guest.call(name, &[]).expect("it is an object"), 154, "{name}");
        }
        guest.call("set", &[Val::I64(50)]).expect("it is an object");
        assert_eq!(guest.call("get", &[]).expect("it is an object"), 100);
        let last = [Val::I32(99)];
        assert_eq!(guest.call("byte", &last).expect("it is there"), 5);
        assert_eq!(guest.call("word", &last).expect("it is there"), 6);
        assert_eq!(guest.call("vector", &last).expect("it is there"), 7);
        assert_eq!(guest.call("len", &[]).expect("it is an array"), 100);
        guest.call("set_word", &[Val::I32(99), Val::I64(8)]).expect("it is there");
        guest.call("fill", &[Val::I32(0), Val::I32(99)]).expect("they are there");
        assert_eq!(guest.call("word", &last).expect("it is there"), 8);
        assert_eq!(guest.call("is_derived", &[]).expect("it is an object"), 1);
        guest.forge("pair", HIGH);
        assert_eq!(guest.trap("get", &[]), Trap::NullReference);
        guest.forge("words", HIGH);
        assert_eq!(guest.trap("word", &last), Trap::NullReference);
        assert_eq!(guest.trap("fill", &[Val::I32(0), Val::I32(1)]), Trap::NullReference);
        guest.forge("any", HIGH);
        assert_eq!(guest.call("is_struct", &[]).expect("null is no object"), 0);
    });
}

/// A length that was written through a forged reference: elements far behind the array
/// are those of what lies at their offset, cut to 32 bits.
#[test]
fn a_forged_length_leads_back_into_the_heap() {
    Guest::each(|guest| {
        let words = guest.reference("words");
        // A structure whose first field covers the header and the first element.
        guest.forge("pair", words - 8);
        guest.call("set", &[Val::I64(-1)]).expect("it is in the heap");
        // All of the header is gone, but the length is all that counts.
        assert_eq!(guest.call("len", &[]).expect("it is in the heap"), -1);
        // 512 MiB elements of 8 bytes lead around the region.
        for around in [0, 1 << 29, 7 << 29] {
            let index = Val::I32((around + 99_u32) as i32);
            assert_eq!(guest.call("word", &[index]).expect("it is in the heap"), 6);
            guest.call("set_word", &[index, Val::I64(6)]).expect("it is in the heap");
        }
        let far = [Val::I32(0), Val::I32(-1)];
        assert_eq!(guest.trap("fill", &far), Trap::ArrayOutOfBounds);
        let vectors = guest.reference("vectors");
        guest.forge("pair", vectors - 8);
        guest.call("set", &[Val::I64(-1)]).expect("it is in the heap");
        for around in [0, 1 << 28, 15 << 28] {
            let index = Val::I32((around + 99_u32) as i32);
            assert_eq!(guest.call("vector", &[index]).expect("it is in the heap"), 7);
        }
        // A header that names no type is no type's.
        let base = guest.reference("base");
        for word in [i64::from(u32::MAX) - 1, 0x7FFF_FFFC, 1 << 20, 0x0FFF_FFF0] {
            guest.forge("pair", base - 8);
            guest.call("set", &[Val::I64(word)]).expect("it is in the heap");
            assert_eq!(guest.call("is_derived", &[]).expect("it is in the heap"), 0);
        }
    });
}

#[test]
fn a_number_that_is_no_function_is_null_or_has_its_type_checked() {
    let calls = ["call", "tail_call", "call_boxed", "call_listed", "call_filled"];
    Guest::each(|guest| {
        let one = guest.reference("func");
        for name in calls {
            assert_eq!(guest.call(name, &[]).expect("it is a function"), 1, "{name}");
            guest.forge("func", one | HIGH);
            assert_eq!(guest.call(name, &[]).expect("it is a function"), 1, "{name}");
        }
        // An address on the stack, say, whose low half is no number either.
        for forged in [0x7FFF_1234_5678_9AB0, 1 << 20, u64::from(u32::MAX), 1 << 31] {
            guest.forge("func", forged);
            for name in calls {
                let trap = guest.trap(name, &[]);
                let null = [Trap::NullReference, Trap::IndirectCallToNull];
                assert!(null.contains(&trap), "{name} {forged:#x}: {trap}");
            }
            assert_eq!(guest.call("test_func", &[]).expect("it is no function"), 0);
            let global = guest.global("func");
            let value = global.get(&mut guest.store);
            assert!(matches!(value, Val::FuncRef(None)), "{forged:#x}");
        }
        // The number of a function of another type.
        guest.forge("func", one + 1);
        for name in calls {
            assert_eq!(guest.trap(name, &[]), Trap::BadSignature, "{name}");
        }
        assert_eq!(guest.call("test_func", &[]).expect("it is a function"), 1);
    });
}
