//! Values of random types through guests and back.
//!
//! The host calls guest D, which calls guest C, which calls the host, each with what it
//! was given; the host gives it back. So every value is lowered and lifted by the host
//! and moved between guests, in all encodings of strings.

use std::collections::{BTreeMap, HashMap};
use std::fmt::{Debug, Write as _};
use std::sync::Arc;

use zwasm::{
    AsContextMut, Caller, Engine, Func, Instance, Module, Result, SlotFuncs, Store, ValType,
};

use super::call::{HostFunc, Lowered, Lowering, Passing, call_host, lower_guest};
use super::signature::Signature;
use super::{Lift, Lower, StringEncoding};
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
            T::Own(_) | T::Borrow(_) | T::ErrorContext => {
                unreachable!("no random type has handles")
            }
            T::Defined(index) => self.defined(types, &types[index]),
        }
    }

    fn defined(&mut self, types: &Types, ty: &Defined) -> Val {
        let boxed =
            |rng: &mut Rng, ty: Option<InterfaceType>| ty.map(|ty| Box::new(rng.value(types, ty)));
        match ty {
            Defined::Stream(_) | Defined::Future(_) => unreachable!("no random type has handles"),
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

fn lowering(engine: &Engine, types: &Arc<Types>, ty: FuncIndex) -> Arc<Lowering> {
    Arc::new(Lowering::new(engine, types, ty, false))
}

/// A host function as a core function of an instance.
fn lower_host(
    store: &mut Store<Data>,
    func: HostFunc<Data>,
    lowering: &Arc<Lowering>,
    options: Options,
) -> Result<zwasm::Func> {
    let none: Arc<[ResourceType]> = Arc::new([]);
    let lowered = Arc::new(Passing { lowering, resources: &none, options: &options }.keep());
    let call = move |caller: Caller<'_, Data>, lowered: &Lowered, _, slots: &mut [u64]| {
        call_host(caller.into(), &func, lowered.passing(), slots)
    };
    let funcs = SlotFuncs::new(store.engine(), [lowering.core.clone()], call)?;
    funcs.func(store, &lowered, 0)
}

/// Text of a core module whose `run` calls `f` with what it is given and returns what
/// that returns, by way of memory if it has to be.
fn echo(signature: &Signature) -> String {
    let lowered = signature.lowered(&Engine::default());
    let list = |types: &mut dyn Iterator<Item = ValType>| {
        types.map(|ty| format!(" {ty}")).collect::<String>()
    };
    let params: Vec<_> = lowered.params().collect();
    let mut text = String::new();
    let results = list(&mut lowered.results());
    let all = list(&mut params.iter().cloned());
    let given = params.len() - usize::from(signature.result_slot().is_some());
    let own = list(&mut params[..given].iter().cloned());
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
        asynchronous: false,
        callback: None,
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
    let ty = types.intern_func(FuncType {
        params: params.clone(),
        result: Some(result),
        asynchronous: false,
    });
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

    let passed = lowering(store.engine(), &types, ty);
    let host = lower_host(
        &mut store,
        Arc::new(|mut store, call| {
            let values = call.vals(&mut store)?;
            call.finish_vals(&mut store, &values[..1])?;
            store.data_mut().push(values);
            Ok(())
        }),
        &passed,
        c.options,
    )?;
    let inner = lift(&mut store, &c, host, &types, ty)?;
    // With a table of its own the caller is a stranger, for whom there is no adapter.
    let own = if rng.below(2) == 0 { types.clone() } else { Arc::new(types.copy()) };
    let lowering = lowering(store.engine(), &own, ty);
    let between = lower_guest(&mut store, inner, &lowering, &none, d.options)?;
    let outer = lift(&mut store, &d, between, &types, ty)?;
    let func = store.as_context_mut().attachment::<Components>().add_func(outer);

    let mut results = [Val::Bool(false)];
    func.call(&mut store, &values, &mut results)?;
    assert_eq!(*store.data(), std::slice::from_ref(&values), "seed {seed}: arguments");
    assert_eq!(results[0], values[0], "seed {seed}: result");
    Ok(types.adapters.count())
}

#[test]
fn what_is_lowered_is_lifted() {
    let mut adapters = 0;
    for seed in 0..800 {
        adapters += case(seed).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    }
    assert!(adapters > 80, "{adapters} adapters");
}

/// Gives a value of a Rust type to the host by way of a guest, and gets it back.
fn through<T>(value: T, ty: impl FnOnce(&mut Types) -> InterfaceType)
where
    T: Lift + Lower + PartialEq + Debug + 'static,
{
    let run = || -> Result<(T,)> {
        let mut types = Types::default();
        let ty = ty(&mut types);
        let params = Box::new([("v".into(), ty)]);
        let ty = types.intern_func(FuncType { params, result: Some(ty), asynchronous: false });
        let types = Arc::new(types);
        let mut store = Store::new(&Engine::default(), Data::new());
        let guest = guest(&mut store, StringEncoding::CompactUtf16, false, None)?;
        let passed = lowering(store.engine(), &types, ty);
        let host = lower_host(
            &mut store,
            Arc::new(|mut store, call| {
                let value: (T,) = call.args(&mut store)?;
                call.finish(&mut store, &value)
            }),
            &passed,
            guest.options,
        )?;
        let lifted = lift(&mut store, &guest, host, &types, ty)?;
        let func = store.as_context_mut().attachment::<Components>().add_func(lifted);
        assert!(func.typed::<(Vec<[T; 3]>,), (T,)>(&store).is_err());
        assert!(func.typed::<(T,), ()>(&store).is_err());
        func.typed::<(&T,), (T,)>(&store)?.call(&mut store, (&value,))
    };
    match run() {
        Ok((result,)) => assert_eq!(result, value),
        Err(error) => panic!("{value:?}: {error}"),
    }
}

#[test]
fn rust_types_stand_for_component_types() {
    use InterfaceType as T;
    fn def(ty: Defined) -> impl Fn(&mut Types) -> T {
        move |types| T::Defined(types.intern(ty.clone()))
    }
    through(true, |_| T::Bool);
    through(i8::MIN, |_| T::S8);
    through(u8::MAX, |_| T::U8);
    through(i16::MIN, |_| T::S16);
    through(u16::MAX, |_| T::U16);
    through(i32::MIN, |_| T::S32);
    through(u32::MAX, |_| T::U32);
    through(i64::MIN, |_| T::S64);
    through(u64::MAX, |_| T::U64);
    through(-0.5_f32, |_| T::F32);
    through(f64::MAX, |_| T::F64);
    through('\u{1f370}', |_| T::Char);
    through(String::from("gr\u{fc}n"), |_| T::String);
    through(Box::<str>::from("\u{2603}"), |_| T::String);
    through(Box::new(Arc::new(5_u32)), |_| T::U32);
    through(vec![i16::MIN, -1, 7], def(Defined::List(T::S16)));
    through(Box::<[u8]>::from([1, 2, 3]), def(Defined::List(T::U8)));
    through(vec![String::new(), "b".into()], def(Defined::List(T::String)));
    through(Vec::<u64>::new(), def(Defined::List(T::U64)));
    through([1_u16, 2, 3], def(Defined::FixedList(T::U16, 3)));
    through([1.5_f64; 20], def(Defined::FixedList(T::F64, 20)));
    through(Some(-1_i8), def(Defined::Option(T::S8)));
    through(None::<String>, def(Defined::Option(T::String)));
    let both = Defined::Result { ok: Some(T::F32), err: Some(T::String) };
    through(Ok::<f32, String>(2.5), def(both.clone()));
    through(Err::<f32, String>("no".into()), def(both));
    through(Ok::<(), u8>(()), def(Defined::Result { ok: None, err: Some(T::U8) }));
    through(Err::<(), ()>(()), def(Defined::Result { ok: None, err: None }));
    let tuple = Defined::Tuple([T::U8, T::S64, T::Char].into());
    through((1_u8, -2_i64, 'x'), def(tuple));
    let map = Defined::Map(T::String, T::U16);
    through(BTreeMap::from([(String::from("a"), 1_u16), ("b".into(), 2)]), def(map.clone()));
    through(HashMap::from([(String::from("c"), 3_u16)]), def(map));
}

/// A call between guests that has to fail: what is passed, what is returned, and words of
/// the error.
struct Bad {
    params: &'static [InterfaceType],
    result: Option<Wrong>,
    /// Code of the caller that leaves the arguments on the stack.
    args: &'static str,
    /// Code of the callee that leaves the result there.
    results: &'static str,
    words: &'static str,
}

/// Types with parts that the cases use.
#[derive(Clone, Copy)]
enum Wrong {
    Plain(InterfaceType),
    Option,
    List,
    Pair,
}

fn bad_call(bad: &Bad, adapted: bool) -> Result<String> {
    use InterfaceType as T;
    let mut types = Types::default();
    let list = types.intern(Defined::List(T::U32));
    let result = bad.result.map(|wrong| match wrong {
        Wrong::Plain(ty) => ty,
        Wrong::Option => T::Defined(types.intern(Defined::Option(T::U32))),
        Wrong::List => T::Defined(list),
        Wrong::Pair => T::Defined(types.intern(Defined::Tuple([T::U32, T::U64].into()))),
    });
    let params = bad.params.iter().enumerate();
    let params = params.map(|(i, ty)| (format!("p{i}").into(), *ty)).collect();
    let ty = types.intern_func(FuncType { params, result, asynchronous: false });
    let run = types.intern_func(FuncType { params: [].into(), result: None, asynchronous: false });
    let types = Arc::new(types);
    let none: Arc<[ResourceType]> = Arc::new([]);
    let signature = Signature::new(&types, ty);

    let mut store = Store::new(&Engine::default(), Data::new());
    let root = store.as_context_mut().attachment::<Components>().add_instance(None);
    let c = guest(&mut store, StringEncoding::Utf8, true, Some(root))?;
    let d = guest(&mut store, StringEncoding::Utf8, true, Some(root))?;
    let list_of = |types: &mut dyn Iterator<Item = ValType>| {
        types.map(|ty| format!(" {ty}")).collect::<String>()
    };
    let lowered = signature.lowered(store.engine());
    let mut params: Vec<_> = lowered.params().collect();
    if signature.result_slot().is_some() {
        params.pop();
    }
    let returned = match bad.result {
        None => String::new(),
        Some(_) if signature.result_slot().is_some() => " i32".into(),
        Some(_) => list_of(&mut lowered.results()),
    };
    let callee = format!(
        r#"(module (import "" "m" (memory 1))
            (func (export "run") (param{}) (result{returned}) {}))"#,
        list_of(&mut params.iter().cloned()),
        bad.results
    );
    let caller = format!(
        r#"(module (import "" "f" (func $f (param{}) (result{}))) (import "" "m" (memory 1))
            (func (export "run") {} (call $f) {}))"#,
        list_of(&mut lowered.params()),
        list_of(&mut lowered.results()),
        bad.args,
        if lowered.results().len() == 0 { "" } else { "(drop)" }
    );
    let module = Module::new(store.engine(), callee)?;
    let instance = Instance::new(&mut store, &module, &[c.options.memory.unwrap().into()])?;
    let lifted = Lifted {
        core: instance.get_func(&mut store, "run").unwrap().slots(&store)?,
        post_return: None,
        asynchronous: false,
        callback: None,
        types: types.clone(),
        ty,
        resources: none.clone(),
        options: c.options,
    };
    let own = if adapted { types.clone() } else { Arc::new(types.copy()) };
    let lowering = lowering(store.engine(), &own, ty);
    let f = lower_guest(&mut store, lifted, &lowering, &none, d.options)?;
    assert_eq!(types.adapters.count() == 1, adapted, "adapter");
    let module = Module::new(store.engine(), caller)?;
    let imports = [f.into(), d.options.memory.unwrap().into()];
    let instance = Instance::new(&mut store, &module, &imports)?;
    let core = instance.get_func(&mut store, "run").unwrap().slots(&store)?;
    let outer = Lifted {
        core,
        post_return: None,
        asynchronous: false,
        callback: None,
        types,
        ty: run,
        resources: none,
        options: d.options,
    };
    let func = store.as_context_mut().attachment::<Components>().add_func(outer);
    let error = func.call(&mut store, &[], &mut []).expect_err(bad.words);
    assert_eq!(error.kind(), zwasm::ErrorKind::Trap, "{error}");
    Ok(error.summary())
}

#[test]
fn adapters_trap_as_the_host_does() {
    use InterfaceType as T;
    use Wrong::{List, Option as Maybe, Pair, Plain};
    let bad = |params, args, words| Bad { params, result: None, args, results: "", words };
    let bad_result = |result, args, results, words| Bad {
        params: &[],
        result: Some(result),
        args,
        results,
        words,
    };
    const PAIR: &str = "(i32.const 8)";
    let far = "(i32.store (i32.const 8) (i32.const 4194300)) (i32.store (i32.const 12)
        (i32.const 2)) (i32.const 8)";
    let unaligned = "(i32.store (i32.const 8) (i32.const 2)) (i32.const 8)";
    let long = "(i32.store (i32.const 8) (i32.const 0)) (i32.store (i32.const 12)
        (i32.const 0x40000000)) (i32.const 8)";
    let no_text = "(i32.store (i32.const 8) (i32.const 16)) (i32.store (i32.const 12)
        (i32.const 10)) (i32.store8 (i32.const 25) (i32.const 0x80)) (i32.const 8)";
    let cases = [
        bad(&[T::Char], "(i32.const 0xd800)", "invalid `char` bit pattern"),
        bad(&[T::Char], "(i32.const 0xdfff)", "invalid `char` bit pattern"),
        bad(&[T::Char], "(i32.const 0x110000)", "invalid `char` bit pattern"),
        bad(&[T::Char], "(i32.const -1)", "invalid `char` bit pattern"),
        bad(&[T::String], "(i32.const 4194304) (i32.const 1)", "string content out-of-bounds"),
        bad(&[T::String], "(i32.const 4194305) (i32.const 0)", "string content out-of-bounds"),
        bad(&[T::String], "(i32.const -1) (i32.const -1)", "string content out-of-bounds"),
        bad(&[T::String], "(i32.const 0) (i32.const 0x80000000)", "string content out-of-bounds"),
        bad(
            &[T::String],
            "(i64.store (i32.const 0) (i64.const 0xc300000000000000)) (i32.const 0) (i32.const 8)",
            "incomplete utf-8 byte sequence",
        ),
        bad(
            &[T::String],
            "(i64.store (i32.const 0) (i64.const 0xff00)) (i32.const 0) (i32.const 8)",
            "invalid utf-8",
        ),
        bad_result(Plain(T::Char), "", "(i32.const 0xd800)", "invalid `char` bit pattern"),
        bad_result(Plain(T::String), PAIR, "(i32.const 2)", "unaligned pointer"),
        bad_result(Plain(T::String), PAIR, "(i32.const 4194300)", "pointer out of bounds"),
        bad_result(Plain(T::String), "(i32.const 2)", "(i32.const 0)", "unaligned pointer"),
        bad_result(Plain(T::String), "(i32.const -8)", "(i32.const 0)", "pointer out of bounds"),
        bad_result(Plain(T::String), PAIR, no_text, "invalid utf-8"),
        bad_result(List, PAIR, far, "list content out-of-bounds"),
        bad_result(List, PAIR, unaligned, "unaligned pointer"),
        bad_result(List, PAIR, long, "list content out-of-bounds"),
        bad_result(Maybe, PAIR, unaligned, "invalid variant discriminant"),
        bad_result(Pair, PAIR, "(i32.const 4)", "unaligned pointer"),
        bad_result(Pair, "(i32.const 12)", "(i32.const 0)", "unaligned pointer"),
    ];
    for (index, bad) in cases.iter().enumerate() {
        for adapted in [false, true] {
            let message = bad_call(bad, adapted).unwrap_or_else(|error| panic!("{index}: {error}"));
            // The host's words tell the number, too.
            let found = bad.words.split(' ').all(|word| message.contains(word));
            assert!(found, "case {index}: expected '{}', got '{message}'", bad.words);
        }
    }
}
