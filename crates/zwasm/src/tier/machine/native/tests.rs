//! The boundary between the worlds, crossed by code that is written by hand here: no
//! compiler's choice decides what is tried.

use super::*;
use crate::store::StoreCore;
use crate::store::vmctx::{FuncRecord, VmCtx};
use crate::{
    AsContext, Config, Engine, Extern, Func, Instance, Module, Result, Store, Strategy, Val,
};
use std::mem::offset_of;
use zwasm_compiler::code::{Field, Relocation, Routine, Value};
use zwasm_regir::TrapCode;

/// Writes machine code.
#[derive(Default)]
struct Asm {
    bytes: Vec<u8>,
    relocations: Vec<Relocation>,
    landings: Vec<Landing>,
    /// Where a routine is called, to be found behind the code.
    routines: Vec<(usize, Routine)>,
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
        let func = self.func(name);
        let record: *const FuncRecord = func.0.of(&self.store.as_context()).expect("its own");
        let record = record.cast_mut();
        let core: *mut StoreCore = self.store.core_mut();
        // SAFETY: the store is ours alone, and the function one of its instance.
        unsafe {
            let module = (*(*record).vmctx).module().expect("it is one of a module").clone();
            let inner = module.inner();
            let defined = inner.defined_func((*record).index).expect("it is defined");
            let ty = inner.funcs[(*record).index as usize];
            let stubs = stubs::of(inner.signature(ty)).expect("there is room");
            let code = map(inner, defined, asm.finish(), Vec::new(), stubs).expect("room");
            crate::tier::publish(core, record, Box::leak(Box::new(code)));
        }
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

const STRATEGIES: [Strategy; 3] = [Strategy::Interpreter, Strategy::Baseline, Strategy::Stress];

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
