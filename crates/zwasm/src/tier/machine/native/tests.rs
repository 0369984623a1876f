//! The boundary between the worlds, crossed by code that is written by hand here: no
//! compiler's choice decides what is tried.

use super::*;
use crate::store::vmctx::{FuncRecord, VmCtx};
use crate::store::{MemoryInst, StoreCore};
use crate::{
    AsContext, Caller, Config, Engine, Error, Extern, Func, Instance, Module, Result, Store,
    Strategy, Trap, Val,
};
use std::mem::offset_of;
use zwasm_compiler::code::{Field, Relocation, Routine, Value};
use zwasm_compiler::{Environment, Threaded};
use zwasm_regir::{Function, Inst, Slot, TrapCode};

/// Writes machine code.
#[derive(Default)]
struct Asm {
    bytes: Vec<u8>,
    relocations: Vec<Relocation>,
    landings: Vec<Landing>,
    /// Where a routine is called, to be found behind the code.
    routines: Vec<(usize, Routine)>,
    /// Threaded code, where its address is wanted, and where it leads back to.
    threaded: Vec<(usize, Threaded, u32)>,
}

const FRAME: u32 = 16;

impl Asm {
    /// A frame of two words, the first of which has the context.
    fn function() -> Asm {
        let mut asm = Asm::default();
        // push rbp; mov rbp, rsp; lea r10, [rsp - 16]
        asm.raw(&[0x55, 0x48, 0x89, 0xE5, 0x4C, 0x8D, 0x54, 0x24, 0xF0]);
        // mov r11, [rdi + store]; cmp r10, [r11 + native_limit]; jae behind
        asm.raw(&[0x4C, 0x8B, 0x9F]).offset(offset_of!(VmCtx, store));
        asm.raw(&[0x4D, 0x3B, 0x93]).offset(offset_of!(StoreCore, native_limit));
        asm.raw(&[0x73, 0x0B]).trap(TrapCode::StackOverflow);
        // mov rsp, r10; mov [rbp - 8], rdi
        asm.raw(&[0x4C, 0x89, 0xD4, 0x48, 0x89, 0x7D, 0xF8]);
        asm
    }

    fn raw(&mut self, bytes: &[u8]) -> &mut Asm {
        self.bytes.extend_from_slice(bytes);
        self
    }

    fn offset(&mut self, offset: usize) -> &mut Asm {
        self.raw(&(offset as u32).to_le_bytes())
    }

    /// mov ecx, code; call [routine]: 11 bytes.
    fn trap(&mut self, code: TrapCode) -> &mut Asm {
        self.raw(&[0xB9]).offset(code as usize).raw(&[0xFF, 0x15]);
        self.routines.push((self.bytes.len(), Routine::Trap));
        self.offset(0)
    }

    /// lea r11, [rdi + record]; call [r11 + code]
    fn call(&mut self, defined: u32) -> &mut Asm {
        self.raw(&[0x4C, 0x8D, 0x9F]).offset(VmCtx::record_offset(defined));
        self.raw(&[0x41, 0xFF, 0x93]).offset(offset_of!(FuncRecord, code))
    }

    /// The record of an import in `r11`.
    fn import(&mut self, index: usize) -> &mut Asm {
        // mov r11, [rdi + imports]; mov r11, [r11 + 8 * index]
        self.raw(&[0x4C, 0x8B, 0x9F]).offset(offset_of!(VmCtx, imported_funcs));
        self.raw(&[0x4D, 0x8B, 0x9B]).offset(8 * index)
    }

    /// Calls an import: mov rdi, [r11 + vmctx]; call [r11 + code]; mov rdi, [rbp - 8]
    fn call_import(&mut self, index: usize) -> &mut Asm {
        self.import(index);
        self.raw(&[0x49, 0x8B, 0xBB]).offset(offset_of!(FuncRecord, vmctx));
        self.raw(&[0x41, 0xFF, 0x93]).offset(offset_of!(FuncRecord, code));
        self.raw(&[0x48, 0x8B, 0x7D, 0xF8])
    }

    /// mov rsp, rbp; pop rbp
    fn unwind(&mut self) -> &mut Asm {
        self.raw(&[0x48, 0x89, 0xEC, 0x5D])
    }

    fn ret(&mut self) -> &mut Asm {
        self.unwind().raw(&[0xC3])
    }

    /// Replaces the frame by a call of a function of the module.
    fn tail_call(&mut self, defined: u32) -> &mut Asm {
        self.unwind();
        self.raw(&[0x4C, 0x8D, 0x9F]).offset(VmCtx::record_offset(defined));
        self.raw(&[0x41, 0xFF, 0xA3]).offset(offset_of!(FuncRecord, code))
    }

    /// Replaces the frame by a call of an import in another instance.
    fn tail_call_import(&mut self, index: usize) -> &mut Asm {
        self.unwind().import(index);
        // mov r10, [restore]; cmp r10, [rsp]; je behind; push rdi; push r10
        self.raw(&[0x4C, 0x8B, 0x15]);
        self.routines.push((self.bytes.len(), Routine::Restore));
        self.offset(0).raw(&[0x4C, 0x3B, 0x14, 0x24, 0x74, 0x03, 0x57, 0x41, 0x52]);
        // mov r10, [r11 + vmctx]; mov [r10 + tail_caller], rdi; mov rdi, r10
        self.raw(&[0x4D, 0x8B, 0x93]).offset(offset_of!(FuncRecord, vmctx));
        self.raw(&[0x49, 0x89, 0xBA]).offset(offset_of!(VmCtx, tail_caller));
        self.raw(&[0x4C, 0x89, 0xD7]);
        self.raw(&[0x41, 0xFF, 0xA3]).offset(offset_of!(FuncRecord, code))
    }

    /// The call that was just written lands here.
    fn land(&mut self, call: u32, tag: Option<u32>, by_ref: bool) -> &mut Asm {
        let target = self.here();
        self.landings.push(Landing { call, tag, by_ref, target });
        self
    }

    /// Executes an instruction on a scratch frame whose first slot is `eax`; that slot is in
    /// `rax` afterwards.
    fn handler(&mut self, threaded: Threaded, routine: Routine) -> &mut Asm {
        // mov r10, [rdi + store]; mov rsi, [r10 + value_top]; mov [rsi], rbp
        self.raw(&[0x4C, 0x8B, 0x97]).offset(offset_of!(VmCtx, store));
        self.raw(&[0x49, 0x8B, 0xB2]).offset(offset_of!(StoreCore, value_top));
        // mov [rsi], rbp; add rsi, 8; mov [rsi], rax; lea rdx, [threaded]
        self.raw(&[0x48, 0x89, 0x2E, 0x48, 0x83, 0xC6, 0x08, 0x48, 0x89, 0x06, 0x48, 0x8D, 0x15]);
        let wanted = self.bytes.len();
        self.offset(0).raw(&[0xFF, 0x15]);
        self.routines.push((self.bytes.len(), routine));
        self.offset(0);
        self.threaded.push((wanted, threaded, self.here()));
        // mov rbp, [rsi - 8]; lea rsp, [rbp - 16]; mov rax, [rsi]
        self.raw(&[0x48, 0x8B, 0x6E, 0xF8, 0x48, 0x8D, 0x65, 0xF0, 0x48, 0x8B, 0x06])
    }

    fn here(&self) -> u32 {
        self.bytes.len() as u32
    }

    fn finish(&mut self) -> code::NativeCode {
        for (at, routine) in std::mem::take(&mut self.routines) {
            let place = self.bytes.len().next_multiple_of(8);
            self.bytes.resize(place, 0xCC);
            self.bytes.extend_from_slice(&[0; 8]);
            let distance = (place - at - 4) as u32;
            self.bytes[at..at + 4].copy_from_slice(&distance.to_le_bytes());
            let value = Value::Runtime(routine);
            self.relocations.push(Relocation { at: place as u32, field: Field::Word64, value });
        }
        for (at, Threaded { words, relocations }, back) in std::mem::take(&mut self.threaded) {
            let place = self.bytes.len().next_multiple_of(8);
            self.bytes.resize(place, 0xCC);
            let distance = (place - at - 4) as u32;
            self.bytes[at..at + 4].copy_from_slice(&distance.to_le_bytes());
            words.iter().for_each(|word| self.bytes.extend_from_slice(&word.to_le_bytes()));
            let moved = |each: Relocation| Relocation { at: each.at + place as u32, ..each };
            self.relocations.extend(relocations.into_iter().map(moved));
            let at = self.bytes.len() as u32;
            self.relocations.push(Relocation { at, field: Field::Word64, value: Value::Own(back) });
            self.bytes.extend_from_slice(&[0; 8]);
        }
        code::NativeCode {
            bytes: std::mem::take(&mut self.bytes),
            relocations: std::mem::take(&mut self.relocations),
            landings: std::mem::take(&mut self.landings),
            frame: FRAME,
            ..code::NativeCode::default()
        }
    }
}

/// A store in which functions are replaced by code of our own.
struct Fixture {
    store: Store<Vec<String>>,
    instance: Instance,
}

impl Fixture {
    fn new(strategy: Strategy, wat: &str, imports: &[Extern]) -> Fixture {
        let mut config = Config::new();
        // What is called is to be called.
        config.strategy(strategy).inlining(false);
        let engine = Engine::new(&config).expect("it is valid");
        Fixture::beside(Store::new(&engine, Vec::new()), wat, imports)
    }

    fn beside(mut store: Store<Vec<String>>, wat: &str, imports: &[Extern]) -> Fixture {
        let module = Module::new(store.engine(), wat).expect("the module is valid");
        let instance = Instance::new(&mut store, &module, imports).expect("it can be made");
        Fixture { store, instance }
    }

    /// Has an exported function run native code.
    fn install(&mut self, name: &str, asm: &mut Asm) {
        let record = self.record(name);
        let core: *mut StoreCore = self.store.core_mut();
        // SAFETY: the store is ours alone, and the function one of its instance.
        unsafe {
            let module = (*(*record).vmctx).module().expect("it is one of a module").clone();
            let inner = module.inner();
            let defined = inner.defined_func((*record).index).expect("it is defined");
            let ty = inner.funcs[(*record).index as usize];
            let stubs = stubs::of(inner.signature(ty), false).expect("there is room");
            let code = map(inner, defined, asm.finish(), Vec::new(), stubs).expect("room");
            crate::tier::publish(core, record, Box::leak(Box::new(code)));
        }
    }

    fn record(&mut self, name: &str) -> *mut FuncRecord {
        let func = self.func(name);
        let record: *const FuncRecord = func.0.of(&self.store.as_context()).expect("its own");
        record.cast_mut()
    }

    fn func(&mut self, name: &str) -> Func {
        self.instance.get_func(&mut self.store, name).expect("it is exported")
    }

    fn call(&mut self, name: &str, args: &[Val]) -> Result<Vec<Val>> {
        let func = self.func(name);
        let mut results = vec![Val::I32(0); func.ty(&self.store).results().len()];
        let value_top = self.store.core_mut().value_top;
        let outcome = func.call(&mut self.store, args, &mut results);
        let core = self.store.core_mut();
        assert!(core.value_top == value_top || value_top.is_null());
        assert!(core.native_base == 0 && core.host_frame.is_null() && !core.on_stack);
        outcome.map(|()| results)
    }
}

/// What runs the functions that are not native, in stores that may have native ones.
const STRATEGIES: [Strategy; 3] =
    [Strategy::Pinned(0), Strategy::Pinned(0x5555_5555_5555_5555), Strategy::Stress];

/// The functions of a backtrace, innermost first.
fn frames(error: &Error) -> Vec<u32> {
    let trace = error.backtrace().expect("there is one");
    trace.frames().iter().map(|frame| frame.func_index()).collect()
}

/// Code that goes through to another function of the same type, whatever its type.
fn forward(defined: u32) -> Asm {
    let mut asm = Asm::function();
    asm.call(defined).ret();
    asm
}

/// The same, and overwrites the slots of arguments and results that are in registers.
fn forward_only(defined: u32, types: &[&str]) -> Asm {
    let overwrite = |asm: &mut Asm, ints: usize, floats: usize| {
        // mov r10, [rdi + store]; mov r10, [r10 + value_top]
        asm.raw(&[0x4C, 0x8B, 0x97]).offset(offset_of!(VmCtx, store));
        asm.raw(&[0x4D, 0x8B, 0x92]).offset(offset_of!(StoreCore, value_top));
        let (mut left, mut slot) = ([ints, floats], 0);
        for ty in types {
            let slots = if *ty == "v128" { 2 } else { 1 };
            let class = usize::from(matches!(*ty, "f32" | "f64" | "v128"));
            if left[class] > 0 {
                left[class] -= 1;
                for at in slot..slot + slots {
                    // mov qword ptr [r10 + 8 * slot], -1
                    asm.raw(&[0x49, 0xC7, 0x82]).offset(8 * at).raw(&[0xFF; 4]);
                }
            }
            slot += slots;
        }
    };
    let mut asm = Asm::function();
    overwrite(&mut asm, 6, 8);
    asm.call(defined);
    overwrite(&mut asm, 4, 4);
    asm.ret();
    asm
}

#[test]
fn native_code_calls_slots_and_slots_call_native_code() -> Result<()> {
    for strategy in STRATEGIES {
        let wat = r#"(module
            (func (export "f") (param i32 i32) (result i32) unreachable)
            (func (export "g") (param i32 i32) (result i32)
                (i32.sub (local.get 0) (local.get 1)))
            (func (export "h") (param i32) (result i32)
                (i32.mul (call 0 (local.get 0) (i32.const 3)) (i32.const 10))))"#;
        let mut fixture = Fixture::new(strategy, wat, &[]);
        // f(a, b) = g(a, b) + 1
        fixture.install("f", Asm::function().call(1).raw(&[0x83, 0xC0, 0x01]).ret());
        for _ in 0..5 {
            assert_eq!(fixture.call("f", &[Val::I32(9), Val::I32(4)])?[0].i32(), Some(6));
            assert_eq!(fixture.call("h", &[Val::I32(9)])?[0].i32(), Some(70));
        }
    }
    Ok(())
}

#[test]
fn a_trap_names_the_frames_of_both_worlds() {
    for strategy in STRATEGIES {
        let wat = r#"(module
            (func (export "f") (result i32) unreachable)
            (func (export "g") (result i32) (call 2))
            (func (export "f2") (result i32) unreachable)
            (func (export "g2") (result i32) (i32.div_s (i32.const 1) (i32.const 0)))
            (func (export "h") (result i32) (call 0))
            (func (export "f3") (result i32) unreachable))"#;
        let mut fixture = Fixture::new(strategy, wat, &[]);
        fixture.install("f", &mut forward(1));
        fixture.install("f2", &mut forward(3));
        for _ in 0..3 {
            let error = fixture.call("h", &[]).expect_err("it traps");
            assert_eq!(error.trap(), Some(Trap::IntegerDivisionByZero));
            assert_eq!(frames(&error), [3, 2, 1, 0, 4]);
        }
        fixture.install("f2", &mut forward(5));
        fixture.install("f3", Asm::function().trap(TrapCode::IntegerOverflow));
        for _ in 0..3 {
            let error = fixture.call("h", &[]).expect_err("it traps");
            assert_eq!(error.trap(), Some(Trap::IntegerOverflow));
            assert_eq!(frames(&error), [5, 2, 1, 0, 4]);
        }
    }
}

#[test]
fn a_fault_in_native_code_is_a_trap() {
    assert!(super::super::signals::install());
    for strategy in STRATEGIES {
        let wat = r#"(module (memory 1)
            (func (export "f") (param i32) (result i32) unreachable)
            (func (export "h") (result i32) (call 0 (i32.const 65532)))
            (func (export "h2") (result i32) (call 0 (i32.const -1))))"#;
        let mut fixture = Fixture::new(strategy, wat, &[]);
        // mov r10, [rdi + memory0]; mov r10, [r10 + base]; mov eax, [r10 + rax]
        let mut asm = Asm::function();
        asm.raw(&[0x4C, 0x8B, 0x97]).offset(offset_of!(VmCtx, memory0));
        asm.raw(&[0x4D, 0x8B, 0x92]).offset(offset_of!(MemoryInst, base));
        fixture.install("f", asm.raw(&[0x41, 0x8B, 0x04, 0x02]).ret());
        for _ in 0..3 {
            assert_eq!(fixture.call("h", &[]).expect("it is within")[0].i32(), Some(0));
            let error = fixture.call("h2", &[]).expect_err("it is outside");
            assert_eq!(error.trap(), Some(Trap::MemoryOutOfBounds));
            assert_eq!(frames(&error), [0, 2]);
        }
    }
}

/// A count of calls, passed in the only argument: returns 7 at 0, and otherwise jumps to
/// another function with one less.
fn bounce(jump: impl FnOnce(&mut Asm) -> &mut Asm) -> Asm {
    let mut asm = Asm::function();
    // test eax, eax; jne further; mov eax, 7; leave
    asm.raw(&[0x85, 0xC0, 0x75, 0x0A, 0xB8, 7, 0, 0, 0]).ret();
    // further: sub eax, 1
    jump(asm.raw(&[0x83, 0xE8, 0x01]));
    asm
}

#[test]
fn alternating_tail_calls_take_constant_stacks() -> Result<()> {
    for strategy in STRATEGIES {
        let wat = r#"(module
            (func (export "f") (param i32) (result i32) unreachable)
            (func (export "g") (param i32) (result i32) (return_call 0 (local.get 0)))
            (func (export "h") (param i32) (result i32)
                (i32.add (call 0 (local.get 0)) (call 1 (local.get 0)))))"#;
        let mut fixture = Fixture::new(strategy, wat, &[]);
        fixture.install("f", &mut bounce(|asm| asm.tail_call(1)));
        for times in [0, 1, 2, 3, 1_000_000] {
            for name in ["f", "g"] {
                assert_eq!(fixture.call(name, &[Val::I32(times)])?[0].i32(), Some(7));
            }
            assert_eq!(fixture.call("h", &[Val::I32(times)])?[0].i32(), Some(14));
        }
    }
    Ok(())
}

#[test]
fn tail_calls_into_other_instances_bring_the_callers_back() -> Result<()> {
    for strategy in STRATEGIES {
        // One instance has functions of slots, the other native ones.
        let slots = r#"(module
            (type $t (func (param i32) (result i32)))
            (table (export "table") 1 funcref)
            (global (export "id") i32 (i32.const 100))
            (func (export "g") (param i32) (result i32)
                (return_call_indirect (type $t) (local.get 0) (i32.const 0))))"#;
        let native = r#"(module
            (import "a" "g" (func (param i32) (result i32)))
            (import "a" "table" (table 1 funcref))
            (elem (i32.const 0) func 1)
            (global i32 (i32.const 1000))
            (func (export "f") (param i32) (result i32) unreachable)
            (func (export "h") (param i32) (result i32)
                (i32.add (call 1 (local.get 0)) (global.get 0)))
            (func (export "through") (param i32) (result i32) unreachable)
            (func (export "h2") (param i32) (result i32)
                (i32.add (call 3 (local.get 0)) (global.get 0))))"#;
        let first = Fixture::new(strategy, slots, &[]);
        let Fixture { mut store, instance } = first;
        let exports = ["g", "table"]
            .map(|name| instance.get_export(&mut store, name).expect("it is exported"));
        let mut fixture = Fixture::beside(store, native, &exports);
        fixture.install("f", &mut bounce(|asm| asm.tail_call_import(0)));
        fixture.install("through", &mut forward(0));
        for times in [0, 1, 2, 3, 1_000_000] {
            assert_eq!(fixture.call("f", &[Val::I32(times)])?[0].i32(), Some(7));
            assert_eq!(fixture.call("h", &[Val::I32(times)])?[0].i32(), Some(1007));
            assert_eq!(fixture.call("h2", &[Val::I32(times)])?[0].i32(), Some(1007));
        }
    }
    Ok(())
}

#[test]
fn host_functions_are_told_who_calls_and_call_back() -> Result<()> {
    for strategy in STRATEGIES {
        let engine = Engine::new(Config::new().strategy(strategy).inlining(false))?;
        let mut store = Store::new(&engine, Vec::new());
        let host = Func::wrap(&mut store, |mut caller: Caller<'_, Vec<String>>, depth: i32| {
            let id = caller.get_export("id").and_then(|id| id.into_global());
            let id = id.map(|id| id.get(&mut caller).unwrap_i32());
            // What the native unwinder says of it is the host's business; it has to end.
            let trace = std::backtrace::Backtrace::force_capture().to_string();
            assert!(trace.contains("thunk"), "{trace}");
            caller.data_mut().push(format!("{id:?} {depth}"));
            if depth > 0 {
                let again = caller.get_export("h").and_then(|again| again.into_func());
                let again = again.expect("it is exported");
                again.call(&mut caller, &[Val::I32(depth - 1)], &mut [])?;
            }
            if depth == -1 {
                return Err(Error::msg("no"));
            }
            Ok(())
        });
        let wat = r#"(module
            (import "h" "f" (func (param i32)))
            (global (export "id") i32 (i32.const 5))
            (func (export "f") (param i32) unreachable)
            (func (export "h") (param i32) (call 1 (local.get 0)))
            (func (export "t") (param i32) unreachable)
            (func (export "h2") (param i32) (call 3 (local.get 0))))"#;
        let mut fixture = Fixture::beside(store, wat, &[host.into()]);
        fixture.install("f", Asm::function().call_import(0).ret());
        fixture.install("t", Asm::function().tail_call_import(0));
        fixture.call("h", &[Val::I32(3)])?;
        fixture.call("h2", &[Val::I32(2)])?;
        fixture.call("t", &[Val::I32(0)])?;
        let told = ["5 3", "5 2", "5 1", "5 0", "5 2", "5 1", "5 0", "5 0"];
        let told = told.map(|each| {
            let (id, depth) = each.split_once(' ').expect("there are two");
            format!("Some({id}) {depth}")
        });
        assert_eq!(fixture.store.data(), &told);
        let error = fixture.call("h", &[Val::I32(-1)]).expect_err("the host fails");
        assert_eq!(frames(&error), [1, 2]);
        let error = fixture.call("h2", &[Val::I32(-1)]).expect_err("the host fails");
        assert_eq!(frames(&error), [4]);
    }
    Ok(())
}

#[test]
fn panics_of_host_functions_pass_native_frames() -> Result<()> {
    for strategy in STRATEGIES {
        let engine = Engine::new(Config::new().strategy(strategy).inlining(false))?;
        let mut store = Store::new(&engine, Vec::new());
        let host = Func::wrap(&mut store, || -> () { panic!("the host's") });
        let wat = r#"(module
            (import "h" "f" (func))
            (func (export "f") unreachable)
            (func (export "h") (call 1)))"#;
        let mut fixture = Fixture::beside(store, wat, &[host.into()]);
        fixture.install("f", Asm::function().call_import(0).ret());
        for name in ["f", "h"] {
            let call = std::panic::AssertUnwindSafe(|| fixture.call(name, &[]));
            let panic = std::panic::catch_unwind(call).expect_err("it passes");
            assert_eq!(panic.downcast_ref(), Some(&"the host's"));
            assert!(!fixture.store.core_mut().on_stack);
        }
    }
    Ok(())
}

/// The threaded code of an instruction in the module of a fixture.
fn threaded(fixture: &mut Fixture, inst: &Inst, slots: u32) -> Threaded {
    let module = fixture.instance.module(&fixture.store);
    let (function, target) = (Function::default(), host::target(false));
    let env = ModuleEnvironment::new(module.inner(), &function, false, target, &|| false);
    env.threaded_on_scratch(inst, slots)
}

#[test]
fn handlers_are_left_for_and_come_back() -> Result<()> {
    for strategy in STRATEGIES {
        let wat = r#"(module (memory (export "memory") 1 4)
            (func (export "f") (param i32) (result i32) unreachable)
            (func (export "h") (param i32) (result i32 i32)
                (call 0 (local.get 0)) (memory.size)))"#;
        let mut fixture = Fixture::new(strategy, wat, &[]);
        let grow = Inst::MemoryGrow { base: Slot(0), mem: 0 };
        let grow = threaded(&mut fixture, &grow, 1);
        fixture.install("f", Asm::function().handler(grow, Routine::Handler).ret());
        let mut grow = |pages| {
            let results = fixture.call("h", &[Val::I32(pages)])?;
            Ok::<_, Error>([results[0].unwrap_i32(), results[1].unwrap_i32()])
        };
        assert_eq!([grow(0)?, grow(2)?, grow(2)?, grow(1)?], [[1, 1], [1, 3], [-1, 3], [3, 4]]);
    }
    Ok(())
}

#[test]
fn exceptions_land_in_the_frame_that_catches_them() -> Result<()> {
    for strategy in STRATEGIES {
        // Functions 0 and 1 are native. What is thrown comes from slots or native code,
        // through frames of either kind, and lands in either.
        let wat = r#"(module (tag (param i32)) (tag (param i64))
            (func (export "catch") (param i32) (result i32) unreachable)
            (func (export "through") (param i32) (result i32) unreachable)
            (func (export "throw") (param i32) (result i32) (throw 0 (local.get 0)))
            (func (export "native throw") (param i32) (result i32) unreachable)
            (func (export "slots") (param i32) (result i32)
                (block (result i64) (return (i32.add (i32.const 1)
                    (block (result i32)
                        (try_table (result i32) (catch 1 1) (catch 0 0)
                            (call 1 (local.get 0)))
                        (drop) (i32.const 1000)))))
                (drop) (i32.const 2000))
            (func (export "loop") (param i32) (result i32) (local i32)
                (loop
                    (local.set 1 (i32.add (local.get 1) (call 4 (i32.const 1))))
                    (local.set 1 (i32.add (local.get 1) (call 0 (i32.const 1))))
                    (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
                (local.get 1))
            (func (export "between") (param i32) (result i32) (call 1 (local.get 0))))"#;
        let mut fixture = Fixture::new(strategy, wat, &[]);
        let throw = Inst::Throw { tag: 0, base: Slot(0) };
        let throw = threaded(&mut fixture, &throw, 1);
        fixture.install("native throw", Asm::function().handler(throw, Routine::Throw));
        for (thrower, catcher) in [(2, 1), (3, 1), (2, 6), (3, 6)] {
            fixture.install("through", &mut forward(thrower));
            // Adds the exception's value to 500 if one is caught, or else returns 0.
            let mut asm = Asm::function();
            asm.call(catcher);
            let call = asm.here();
            asm.raw(&[0x31, 0xC0]).ret();
            // mov r10, [rdi + store]; mov r10, [r10 + value_top]; mov rax, [r10]
            asm.land(call, Some(1), false).trap(TrapCode::IntegerOverflow);
            asm.land(call, Some(0), false);
            asm.raw(&[0x4C, 0x8B, 0x97]).offset(offset_of!(VmCtx, store));
            asm.raw(&[0x4D, 0x8B, 0x92]).offset(offset_of!(StoreCore, value_top));
            asm.raw(&[0x49, 0x8B, 0x02, 0x48, 0x05]).offset(500);
            fixture.install("catch", asm.ret());
            for value in [7, 8] {
                let caught = fixture.call("catch", &[Val::I32(value)])?;
                assert_eq!(caught[0].i32(), Some(value + 500));
                let caught = fixture.call("slots", &[Val::I32(value)])?;
                assert_eq!(caught[0].i32(), Some(value + 1));
            }
            // Neither stack grows, and the value top stays where it was.
            let sum = fixture.call("loop", &[Val::I32(20_000)])?;
            assert_eq!(sum[0].i32(), Some(20_000 * (2 + 501)));
            let error = fixture.call("between", &[Val::I32(1)]).expect_err("nobody catches");
            assert_eq!(error.kind(), ErrorKind::Exception);
            let all = [thrower, 1, 6];
            assert_eq!(frames(&error), all);
        }
    }
    Ok(())
}

#[test]
fn what_only_native_frames_refer_to_is_kept() -> Result<()> {
    for strategy in STRATEGIES {
        let wat = r#"(module (type $s (struct (field i32)))
            (func (export "f") (result i32) unreachable)
            (func $make (result (ref null $s)) (struct.new $s (i32.const 77)))
            (func $churn (local i32)
                (loop
                    (drop (struct.new $s (local.get 0)))
                    (br_if 0 (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 1)))
                        (i32.const 100)))))
            (func $get (param (ref null $s)) (result i32)
                (struct.get $s 0 (local.get 0)))
            (func (export "h") (result i32) (call 0)))"#;
        let engine = Engine::new(Config::new().strategy(strategy).inlining(false).gc_stress(true))?;
        let mut fixture = Fixture::beside(Store::new(&engine, Vec::new()), wat, &[]);
        // mov [rbp - 16], rax; .. mov rax, [rbp - 16]
        let mut asm = Asm::function();
        asm.call(1).raw(&[0x48, 0x89, 0x45, 0xF0]).call(2).raw(&[0x48, 0x8B, 0x45, 0xF0]);
        fixture.install("f", asm.call(3).ret());
        for _ in 0..3 {
            assert_eq!(fixture.call("h", &[])?[0].i32(), Some(77));
        }
    }
    Ok(())
}

/// The depth of the recursion is in the argument; the result is the sum of all.
fn recursive(defined: u32) -> Asm {
    let mut asm = Asm::function();
    // test rax, rax; jne further; leave
    asm.raw(&[0x48, 0x85, 0xC0, 0x75, 0x05]).ret();
    // further: mov [rbp - 16], rax; sub rax, 1; call; add rax, [rbp - 16]
    asm.raw(&[0x48, 0x89, 0x45, 0xF0, 0x48, 0x83, 0xE8, 0x01]).call(defined);
    asm.raw(&[0x48, 0x03, 0x45, 0xF0]).ret();
    asm
}

#[test]
fn native_frames_go_as_deep_as_others() -> Result<()> {
    for strategy in STRATEGIES {
        let wat = r#"(module
            (func (export "f") (param i64) (result i64) unreachable)
            (func (export "f2") (param i64) (result i64) unreachable)
            (func (export "g") (param i64) (result i64)
                (if (result i64) (i64.eqz (local.get 0))
                    (then (i64.const 0))
                    (else (i64.add (local.get 0)
                        (call 1 (i64.sub (local.get 0) (i64.const 1))))))))"#;
        let sum = |depth: i64| depth * (depth + 1) / 2;
        let mut fixture = Fixture::new(strategy, wat, &[]);
        fixture.install("f", &mut recursive(0));
        fixture.install("f2", &mut recursive(2));
        for name in ["f", "f2", "g"] {
            for _ in 0..2 {
                let result = fixture.call(name, &[Val::I64(50_000)])?;
                assert_eq!(result[0].i64(), Some(sum(50_000)));
                let error = fixture.call(name, &[Val::I64(1 << 40)]).expect_err("it is too deep");
                assert_eq!(error.trap(), Some(Trap::StackOverflow));
            }
        }
        let mut config = Config::new();
        config.strategy(strategy).inlining(false).max_stack(256 << 20);
        let store = Store::new(&Engine::new(&config)?, Vec::new());
        let mut fixture = Fixture::beside(store, wat, &[]);
        fixture.install("f", &mut recursive(0));
        fixture.install("f2", &mut recursive(2));
        for name in ["f", "f2"] {
            let result = fixture.call(name, &[Val::I64(1_000_000)])?;
            assert_eq!(result[0].i64(), Some(sum(1_000_000)));
        }
    }
    Ok(())
}

/// A list of types drawn from a seed.
fn draw(seed: &mut u64, most: u64) -> Vec<&'static str> {
    let mut next = || {
        *seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        *seed >> 33
    };
    let types = ["i32", "i64", "f32", "f64", "v128", "externref"];
    let count = next() % (most + 1);
    (0..count).map(|_| types[(next() % 6) as usize]).collect()
}

/// A value of each type, no two of which are alike.
fn values(types: &[&str]) -> Vec<Val> {
    let value = |(at, ty): (usize, &&str)| {
        let bits = 0x0102_0304_0506_0708_u64.wrapping_mul(at as u64 + 1);
        match *ty {
            "i32" => Val::I32(bits as i32),
            "i64" => Val::I64(bits as i64),
            "f32" => Val::F32(bits as u32),
            "f64" => Val::F64(bits),
            "v128" => Val::V128((u128::from(bits) << 64 | u128::from(!bits)).into()),
            _ => Val::ExternRef(None),
        }
    };
    types.iter().enumerate().map(value).collect()
}

#[test]
fn signatures_of_all_shapes_are_passed() -> Result<()> {
    let mut seed = 1;
    for round in 0..60 {
        // Some are far too long for registers.
        let types = draw(&mut seed, if round % 10 == 9 { 300 } else { 24 }).join(" ");
        let wat = format!(
            r#"(module
                (func (export "f") (param {types}) (result {types}) unreachable)
                (func (export "g") (param {types}) (result {types}) {gets})
                (func (export "h") (param {types}) (result {types}) {gets} (call 0)))"#,
            gets = (0..types.split_whitespace().count())
                .map(|at| format!("(local.get {at})"))
                .collect::<String>(),
        );
        let types: Vec<_> = types.split_whitespace().collect();
        let args = values(&types);
        for strategy in STRATEGIES {
            for generic in [false, true] {
                let mut fixture = Fixture::new(strategy, &wat, &[]);
                fixture.install("f", &mut forward_only(1, &types));
                if generic {
                    let record = fixture.record("g");
                    // SAFETY: the store is ours alone, and does not run.
                    unsafe { (*record).code = super::super::generic::to_slots() };
                }
                for name in ["f", "h"] {
                    let results = fixture.call(name, &args)?;
                    assert_eq!(format!("{results:?}"), format!("{args:?}"), "{types:?}");
                }
            }
        }
    }
    Ok(())
}

#[test]
fn a_frame_of_slots_is_replaced_in_the_middle() -> Result<()> {
    for strategy in STRATEGIES {
        let wat = r#"(module
            (func (export "f") (param i64 i64) (result i64) unreachable)
            (func (export "h") (param i64 i64) (result i64)
                (i64.add (i64.const 1) (call 0 (local.get 0) (local.get 1))))
            (func (export "native") (param i64 i64) (result i64) unreachable)
            (func (export "tail") (param i64 i64) (result i64)
                (return_call 0 (local.get 0) (local.get 1))))"#;
        let mut fixture = Fixture::new(strategy, wat, &[]);
        // mov rax, [rsi]; sub rax, [rsi + 8]
        let mut asm = Asm::function();
        fixture.install("f", asm.raw(&[0x48, 0x8B, 0x06, 0x48, 0x2B, 0x46, 0x08]).ret());
        // The function's body goes on at once as if it was at a loop header.
        let record = fixture.record("f");
        // SAFETY: the store is ours alone; the code is that of the function.
        let [body, entry] = unsafe { [(*record).body, (*record).code.cast()] };
        let module = fixture.instance.module(&fixture.store);
        let ty = module.inner().funcs[0];
        let stubs = stubs::of(module.inner().signature(ty), false).expect("there is room");
        // mov rcx, entry; mov rdx, word; jmp [rdx]
        let mut bytes = vec![0x48, 0xB9];
        bytes.extend_from_slice(&(entry as u64).to_le_bytes());
        bytes.extend_from_slice(&[0x48, 0xBA]);
        bytes.extend_from_slice(&(stubs.replace() as u64).to_le_bytes());
        bytes.extend_from_slice(&[0xFF, 0x22]);
        let chunk = Chunk::new(World::Slots, Some(fixture.store.engine()), &bytes, &[]);
        let chunk = chunk.expect("there is memory");
        // SAFETY: the body lives to the end of the test.
        let own = unsafe { [*body, chunk.start() as u64] };
        // SAFETY: as above.
        unsafe {
            (*record).body = own.as_ptr();
            (*record).code = crate::tier::resolver();
        }
        fixture.install("native", &mut forward(0));
        let args = [Val::I64(30), Val::I64(4)];
        for _ in 0..3 {
            assert_eq!(fixture.call("f", &args)?[0].i64(), Some(26));
            assert_eq!(fixture.call("h", &args)?[0].i64(), Some(27));
            assert_eq!(fixture.call("native", &args)?[0].i64(), Some(26));
            assert_eq!(fixture.call("tail", &args)?[0].i64(), Some(26));
        }
    }
    Ok(())
}
