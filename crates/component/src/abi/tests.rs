//! Values of random types through guests and back.
//!
//! The host calls guest D, which calls guest C, which calls the host, each with what it
//! was given; the host gives it back. So every value is lowered and lifted by the host
//! and moved between guests, in all encodings of strings.

use std::fmt::Write as _;
use std::sync::Arc;

use zwasm::{AsContextMut, Engine, Func, Instance, Module, Result, Store, ValType};

use super::StringEncoding;
use super::call::{lower_guest, lower_host};
use super::signature::Signature;
use crate::state::{Components, Lifted, Options, RuntimeInstance};
use crate::types::{Defined, FuncIndex, FuncType, InterfaceType, Types};
use crate::{ResourceType, Val};

/// SplitMix64: the same numbers on every machine.
struct Rng(u64);

impl Rng {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.bits()) * bound as u128) >> 64) as usize
    }

    /// Mostly a small number, sometimes a large one.
    fn size(&mut self, small: usize, large: usize) -> usize {
        if self.below(8) == 0 { self.below(large + 1) } else { self.below(small + 1) }
    }

    fn name(&mut self, index: usize) -> Box<str> {
        format!("n{index}{}", ["", "-x", "-long-name"][self.below(3)]).into()
    }

    fn ty(&mut self, types: &mut Types, depth: usize) -> InterfaceType {
        use InterfaceType as T;
        let plain = [
            T::Bool,
            T::S8,
            T::U8,
            T::S16,
            T::U16,
            T::S32,
            T::U32,
            T::S64,
            T::U64,
            T::F32,
            T::F64,
            T::Char,
            T::String,
        ];
        if depth == 0 || self.below(3) == 0 {
            return plain[self.below(plain.len())];
        }
        let maybe =
            |rng: &mut Rng, types: &mut Types| (rng.below(3) > 0).then(|| rng.ty(types, depth - 1));
        let defined = match self.below(10) {
            0 => {
                let count = 1 + self.size(4, 20);
                Defined::Record(
                    (0..count).map(|i| (self.name(i), self.ty(types, depth - 1))).collect(),
                )
            }
            1 => {
                let count = 1 + self.size(4, 20);
                Defined::Tuple((0..count).map(|_| self.ty(types, depth - 1)).collect())
            }
            2 => {
                let count = 1 + self.size(4, 300);
                Defined::Variant((0..count).map(|i| (self.name(i), maybe(self, types))).collect())
            }
            3 => {
                let count = 1 + self.size(4, 300);
                Defined::Enum((0..count).map(|i| self.name(i)).collect())
            }
            4 => Defined::Option(self.ty(types, depth - 1)),
            5 => Defined::Result { ok: maybe(self, types), err: maybe(self, types) },
            6 => {
                let count = 1 + self.size(10, 80);
                Defined::Flags((0..count).map(|i| self.name(i)).collect())
            }
            7 => Defined::List(self.ty(types, depth - 1)),
            8 => Defined::FixedList(self.ty(types, depth - 1), 1 + self.size(3, 20) as u32),
            _ => Defined::Map(plain[self.below(plain.len())], self.ty(types, depth - 1)),
        };
        T::Defined(types.intern(defined))
    }

    fn char(&mut self) -> char {
        let limit = [0x80, 0x100, 0x3000, 0x11_0000][self.below(4)];
        char::from_u32(self.below(limit) as u32).unwrap_or('\u{fffd}')
    }

    fn string(&mut self) -> String {
        let only_latin = self.below(2) == 0;
        let count = self.size(8, 300);
        let mut next = || if only_latin { self.below(256) as u8 as char } else { self.char() };
        (0..count).map(|_| next()).collect()
    }

    fn value(&mut self, types: &Types, ty: InterfaceType) -> Val {
        use InterfaceType as T;
        let bits = self.bits();
        match ty {
            T::Bool => Val::Bool(bits & 1 == 1),
            T::S8 => Val::S8(bits as i8),
            T::U8 => Val::U8(bits as u8),
            T::S16 => Val::S16(bits as i16),
            T::U16 => Val::U16(bits as u16),
            T::S32 => Val::S32(bits as i32),
            T::U32 => Val::U32(bits as u32),
            T::S64 => Val::S64(bits as i64),
            T::U64 => Val::U64(bits),
            T::F32 => Val::Float32(f32::from_bits(bits as u32)),
            T::F64 => Val::Float64(f64::from_bits(bits)),
            T::Char => Val::Char(self.char()),
            T::String => Val::String(self.string()),
            T::Own(_) | T::Borrow(_) => unreachable!("no random type has handles"),
            T::Defined(index) => self.defined(types, &types[index]),
        }
    }

    fn defined(&mut self, types: &Types, ty: &Defined) -> Val {
        let boxed =
            |rng: &mut Rng, ty: Option<InterfaceType>| ty.map(|ty| Box::new(rng.value(types, ty)));
        match ty {
            Defined::Record(fields) => Val::Record(
                fields.iter().map(|(n, ty)| (n.to_string(), self.value(types, *ty))).collect(),
            ),
            Defined::Tuple(tys) => {
                Val::Tuple(tys.iter().map(|ty| self.value(types, *ty)).collect())
            }
            Defined::Variant(cases) => {
                let (name, ty) = &cases[self.below(cases.len())];
                Val::Variant(name.to_string(), boxed(self, *ty))
            }
            Defined::Enum(names) => Val::Enum(names[self.below(names.len())].to_string()),
            Defined::Option(ty) => {
                let some = self.below(2) == 0;
                Val::Option(boxed(self, some.then_some(*ty)))
            }
            Defined::Result { ok, err } => Val::Result(match self.below(2) {
                0 => Ok(boxed(self, *ok)),
                _ => Err(boxed(self, *err)),
            }),
            Defined::Flags(names) => Val::Flags(
                names.iter().filter(|_| self.below(2) == 0).map(|n| n.to_string()).collect(),
            ),
            Defined::List(ty) => {
                let count = self.size(3, 40);
                Val::List((0..count).map(|_| self.value(types, *ty)).collect())
            }
            Defined::FixedList(ty, length) => {
                Val::FixedLengthList((0..*length).map(|_| self.value(types, *ty)).collect())
            }
            Defined::Map(key, value) => {
                let count = self.size(3, 20);
                let pair = |_| (self.value(types, *key), self.value(types, *value));
                Val::Map((0..count).map(pair).collect())
            }
        }
    }
}

/// A guest's memory and allocator: from the beginning on, or from the end backwards, so
/// that the first thing it allocates ends where the memory does.
const LIBC: &str = r#"(module
    (memory (export "mem") 64)
    (global $next (mut i32) (i32.const 4194304))
    (global $up (mut i32) (i32.const 1024))
    (func (export "down") (param $old i32) (param $size i32) (param $align i32) (param $new i32)
        (result i32)
        (global.set $next (i32.and
            (i32.sub (global.get $next) (local.get $new))
            (i32.sub (i32.const 0) (local.get $align))))
        (memory.copy (global.get $next) (local.get $old)
            (select (local.get $size) (local.get $new)
                (i32.lt_u (local.get $size) (local.get $new))))
        (global.get $next))
    (func (export "up") (param $old i32) (param $size i32) (param $align i32) (param $new i32)
        (result i32)
        (local $r i32)
        (local.set $r (i32.and
            (i32.add (global.get $up) (i32.sub (local.get $align) (i32.const 1)))
            (i32.sub (i32.const 0) (local.get $align))))
        (global.set $up (i32.add (local.get $r) (local.get $new)))
        (memory.copy (local.get $r) (local.get $old)
            (select (local.get $size) (local.get $new)
                (i32.lt_u (local.get $size) (local.get $new))))
        (local.get $r)))"#;

/// Text of a core module whose `run` calls `f` with what it is given and returns what
/// that returns, by way of memory if it has to be.
fn echo(signature: &Signature) -> String {
    let lowered = signature.lowered();
    let list = |types: &mut dyn Iterator<Item = ValType>| {
        types.map(|ty| format!(" {ty}")).collect::<String>()
    };
    let params: Vec<_> = lowered.params().collect();
    let mut text = String::new();
    let results = list(&mut lowered.results());
    let all = list(&mut params.iter().copied());
    let given = params.len() - usize::from(signature.result_slot().is_some());
    let own = list(&mut params[..given].iter().copied());
    let returned = if signature.result_slot().is_some() { " i32" } else { &*results };
    write!(
        text,
        r#"(module (import "" "f" (func $f (param{all}) (result{results})))
            (import "" "r" (func $r (param i32 i32 i32 i32) (result i32)))
            (func (export "run") (param{own}) (result{returned}) (local $ret i32)"#
    )
    .unwrap();
    if signature.result_slot().is_some() {
        let (align, size) = (signature.results.align, signature.results.size);
        write!(
            text,
            "(local.set $ret (call $r (i32.const 0) (i32.const 0) (i32.const {align}) \
             (i32.const {size})))"
        )
        .unwrap();
    }
    for at in 0..given {
        write!(text, "(local.get {at})").unwrap();
    }
    text.push_str(match signature.result_slot() {
        Some(_) => "(local.get $ret) (call $f) (local.get $ret)))",
        None => "(call $f)))",
    });
    text
}

/// What the host saw.
type Data = Vec<Vec<Val>>;

struct Guest {
    options: Options,
    realloc: Func,
}

fn guest(
    store: &mut Store<Data>,
    encoding: StringEncoding,
    up: bool,
    parent: Option<RuntimeInstance>,
) -> Result<Guest> {
    let module = Module::new(store.engine(), LIBC)?;
    let libc = Instance::new(&mut *store, &module, &[])?;
    let realloc = libc.get_func(&mut *store, if up { "up" } else { "down" }).unwrap();
    let options = Options {
        instance: store.as_context_mut().attachment::<Components>().add_instance(parent),
        memory: libc.get_memory(&mut *store, "mem"),
        realloc: Some(realloc.slots(&mut *store)?),
        encoding,
    };
    Ok(Guest { options, realloc })
}

/// The guest's `run` over what it imports, as a component function.
fn lift(
    store: &mut Store<Data>,
    guest: &Guest,
    import: Func,
    types: &Arc<Types>,
    ty: FuncIndex,
) -> Result<Lifted> {
    let module = Module::new(store.engine(), echo(&Signature::new(types, ty)))?;
    let instance = Instance::new(&mut *store, &module, &[import.into(), guest.realloc.into()])?;
    let run = instance.get_func(&mut *store, "run").unwrap();
    Ok(Lifted {
        core: run.slots(&mut *store)?,
        post_return: None,
        types: types.clone(),
        ty,
        resources: Arc::new([]),
        options: guest.options,
    })
}

/// How many adapters the case had.
fn case(seed: u64) -> Result<usize> {
    use StringEncoding as E;
    let mut rng = Rng(seed);
    let mut types = Types::default();
    // The result is the parameter, or the first of more.
    let params = 1 + rng.size(1, 20);
    let params: Box<[_]> = (0..params).map(|i| (rng.name(i), rng.ty(&mut types, 3))).collect();
    let result = params[0].1;
    let ty = types.intern_func(FuncType { params: params.clone(), result: Some(result) });
    let types = Arc::new(types);
    let none: Arc<[ResourceType]> = Arc::new([]);

    let mut store = Store::new(&Engine::default(), Data::new());
    let encodings = [E::Utf8, E::Utf16, E::CompactUtf16];
    let root = store.as_context_mut().attachment::<Components>().add_instance(None);
    let mut next = |store: &mut Store<Data>| {
        let encoding = encodings[rng.below(3)];
        guest(store, encoding, rng.below(2) == 0, Some(root))
    };
    let (c, d) = (next(&mut store)?, next(&mut store)?);
    let values: Vec<_> = params.iter().map(|(_, ty)| rng.value(&types, *ty)).collect();

    let host = lower_host::<Data>(
        &mut store,
        Arc::new(|mut store, call| {
            let values = call.vals(&mut store)?;
            call.finish_vals(&mut store, &values[..1])?;
            store.data_mut().push(values);
            Ok(())
        }),
        &types,
        ty,
        &none,
        c.options,
    )?;
    let inner = lift(&mut store, &c, host, &types, ty)?;
    // With a table of its own the caller is a stranger, for whom there is no adapter.
    let own = if rng.below(2) == 0 { types.clone() } else { Arc::new(Types::clone(&types)) };
    let between = lower_guest(&mut store, inner, &own, ty, &none, d.options)?;
    let outer = lift(&mut store, &d, between, &types, ty)?;
    let func = store.as_context_mut().attachment::<Components>().add_func(outer);

    let mut results = [Val::Bool(false)];
    func.call(&mut store, &values, &mut results)?;
    assert_eq!(store.data()[..], [values.clone()], "seed {seed}: arguments");
    assert_eq!(results[0], values[0], "seed {seed}: result");
    Ok(store.as_context_mut().attachment::<Components>().adapters.count())
}

#[test]
fn what_is_lowered_is_lifted() {
    let mut adapters = 0;
    for seed in 0..800 {
        adapters += case(seed).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    }
    assert!(adapters > 80, "{adapters} adapters");
}
