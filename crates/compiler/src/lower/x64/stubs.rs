//! The stubs between the world of slots and the native world.
//!
//! A call that crosses the boundary moves arguments and results between registers and
//! slots. Which of them are where depends on the kinds in the signature alone, its
//! [`Shape`]; so there is one pair of stubs for each shape, made when it is first needed.
//! What finds no register lies in slots in both worlds, and is copied by a loop, so that
//! a pair of stubs has a few hundred bytes whatever its shape.
//!
//! A stub leaves a record on the native stack, of three words:
//!
//! ```text
//! to slots                                from slots
//! +8   return address into native code    +16  the header that it returns through
//! +0   the caller's rbp  <- rbp           +8   the value top of the caller
//! -8   the vmctx                          +0   the vmctx
//! -16  the stack pointer to end with      -8   return address into the stub
//! -24  the routine `Ending`  <- rsp
//! ```
//!
//! The three words at the bottom of a world of slots are the same when a handler is
//! called from native code. Host functions are no world of their own: the stub to the host
//! has the frame of a stub to slots, and calls the function's thunk from there.
//! `docs/calling-convention.md` has the whole of it; whoever
//! changes one of the stubs looks at the walk over frames in the runtime as well.

use super::emit::{load_fuel, store_fuel};
use super::regs::{MEMORY, PASSED};
use crate::VmLayout;
use crate::asm::{AsmLabel, Mem, Reg, Rm, at};
use crate::code::{Field, Relocation, Routine, Value};
use crate::isa::x64::{
    Assembler, Cond, R8, R9, R10, R11, R12, RAX, RBP, RCX, RDI, RDX, RSI, RSP, emit,
};
use crate::isa::{Alu, Primitives, Size};
use crate::lower::shape::{self, Passed};
use crate::target::Features;
use zwasm_regir::inst::HEADER_SLOTS;
use zwasm_regir::types::slots_of;
use zwasm_regir::{Signature, Type};

/// The kinds of a function's parameters and results, as far as passing them goes, and
/// whether code pays fuel, of which native code has what is left in a register.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shape {
    metered: bool,
    params: Box<[Kind]>,
    results: Box<[Kind]>,
}

/// What a value fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// A general register.
    Int,
    /// The lower half of a vector register.
    Float,
    /// A vector register, and two slots.
    Vector,
}

impl Kind {
    fn of(ty: &Type) -> Kind {
        match ty {
            Type::I32 | Type::I64 | Type::Ref => Kind::Int,
            Type::F32 | Type::F64 => Kind::Float,
            Type::V128 => Kind::Vector,
        }
    }

    /// The largest of its types.
    fn ty(&self) -> Type {
        match self {
            Kind::Int => Type::I64,
            Kind::Float => Type::F64,
            Kind::Vector => Type::V128,
        }
    }
}

impl Shape {
    /// The shape of a function type, in code that pays fuel or does not.
    pub fn of(signature: Signature<'_>, metered: bool) -> Shape {
        Shape {
            metered,
            params: signature.params.iter().map(Kind::of).collect(),
            results: signature.results.iter().map(Kind::of).collect(),
        }
    }

    /// Bytes that it takes to keep.
    pub fn bytes(&self) -> usize {
        self.params.len() + self.results.len()
    }
}

/// The stubs of a shape, and where in the bytes they are.
#[derive(Clone, Debug)]
pub struct Stubs {
    /// Code and the words that are jumped through; 16-byte aligned when mapped. They start
    /// with a body as function records name it: that of optimized functions.
    pub bytes: Vec<u8>,
    /// What has to be written into the bytes.
    pub relocations: Vec<Relocation>,
    /// What `code` of functions leads to that are not optimized.
    pub to_slots: u32,
    /// What `code` of host functions leads to.
    pub to_host: u32,
    /// The word through which on-stack replacement goes on, with the frame in `rsi` and
    /// the address of the entry in `rcx`.
    pub replace: u32,
    /// Where native code returns to that was entered from slots.
    pub returns: u32,
}

/// What is found while a pair of stubs is made.
struct Maker<'a> {
    asm: Assembler,
    layout: &'a VmLayout,
    metered: bool,
    params: Places,
    results: Places,
    /// The byte of the frame at which its header is.
    header: i32,
}

/// Where the values of a list are passed.
struct Places {
    /// Those in registers, with their slots.
    regs: Vec<(Reg, Size, u32)>,
    /// The slots of the others, from the first to behind the last.
    overflow: Option<(u32, u32)>,
}

impl Places {
    fn new(types: &[Type], passed: &[Passed]) -> Places {
        let mut places = Places { regs: Vec::new(), overflow: None };
        let mut slot = 0;
        for (ty, passed) in types.iter().zip(passed) {
            let end = slot + ty.slots();
            match *passed {
                Passed::Reg(reg) => {
                    let size = if *ty == Type::V128 { Size::B16 } else { Size::B8 };
                    places.regs.push((reg, size, slot));
                }
                Passed::Slot(_) => {
                    let (first, _) = places.overflow.unwrap_or((slot, end));
                    places.overflow = Some((first, end));
                }
            }
            slot = end;
        }
        places
    }
}

/// Makes the stubs of a shape. The bytes fit a few hundred, whatever the shape.
///
/// None if a label is out of reach, which it is not.
pub fn make(shape: &Shape, layout: &VmLayout) -> Option<Stubs> {
    let types = |kinds: &[Kind]| kinds.iter().map(Kind::ty).collect::<Vec<_>>();
    let (params, results) = (types(&shape.params), types(&shape.results));
    let signature = Signature { params: &params, results: &results };
    let header = slots_of(&params).max(slots_of(&results)) as i32 * 8;
    let mut maker = Maker {
        asm: Assembler::new(Features::default(), true, false),
        layout,
        metered: shape.metered,
        params: Places::new(&params, &shape::params(signature, &PASSED)),
        results: Places::new(&results, &shape::results(signature, &PASSED)),
        header,
    };
    let [from_slots, replace] = [(); 2].map(|()| maker.asm.new_label());
    let frame_bytes = header + HEADER_SLOTS as i32 * 8;
    maker.asm.word(frame_bytes as u64);
    maker.asm.address(from_slots);
    let through = maker.asm.offset();
    maker.asm.address(replace);
    let to_slots = maker.enter_slots();
    let to_host = maker.enter_host();
    let returns = maker.enter_native(from_slots, replace);
    let finished = maker.asm.finish().ok()?;
    let (bytes, relocations) = (finished.bytes, finished.relocations);
    Some(Stubs { bytes, relocations, to_slots, to_host, replace: through, returns })
}

impl Maker<'_> {
    fn load(&mut self, dst: Reg, base: Reg, disp: u32) {
        self.asm.load(dst, at(base, disp as i32), Size::B8);
    }

    fn store(&mut self, base: Reg, disp: i32, src: Reg) {
        self.asm.store(at(base, disp), src, Size::B8);
    }

    fn push(&mut self, src: impl Into<Rm>) {
        match src.into() {
            Rm::Reg(reg) => emit!(self.asm, pushq_o(reg)),
            memory => emit!(self.asm, pushq_m(memory)),
        }
    }

    /// In code that pays fuel, reads what is left; changes `r10`.
    fn load_fuel(&mut self) {
        if self.metered {
            load_fuel(&mut self.asm, self.layout, R10);
        }
    }

    /// In code that pays fuel, writes what is left; changes `r10`.
    fn store_fuel(&mut self) {
        if self.metered {
            store_fuel(&mut self.asm, self.layout, R10);
        }
    }

    /// The label of a word that holds the address of a routine.
    fn routine(&mut self, routine: Routine) -> AsmLabel {
        self.asm.align(8);
        let label = self.asm.new_label();
        self.asm.bind(label);
        let at = self.asm.offset();
        self.asm.relocate(at, Field::Word64, Value::Runtime(routine));
        self.asm.word(0);
        label
    }

    /// Loads memory 0 as handlers want it, and leaves through the word at `rdx`.
    fn leave_for_handler(&mut self) {
        self.load(R10, RDI, self.layout.memory0);
        self.load(R8, R10, self.layout.memory_base);
        self.load(R9, R10, self.layout.memory_len);
        emit!(self.asm, jmpq_m(Rm::Mem(at(RDX, 0))));
    }

    /// From native code into a function's body. `r11` is its record, `rdi` its context.
    fn enter_slots(&mut self) -> u32 {
        let layout = self.layout;
        let ending = self.routine(Routine::Ending);
        let [beyond, entered, exit] = [(); 3].map(|()| self.asm.new_label());
        self.asm.align(8);
        let exit_word = self.asm.new_label();
        self.asm.bind(exit_word);
        self.asm.address(exit);
        self.asm.align(16);
        let start = self.asm.offset();
        self.push(RBP);
        self.asm.mov(RBP, RSP);
        self.store_fuel();
        self.load(R10, RDI, layout.store);
        self.load(R10, R10, layout.value_top);
        for (reg, size, slot) in self.params.regs.clone() {
            self.asm.store(at(R10, slot as i32 * 8), reg, size);
        }
        // From here on the registers are free, but for the three that name the callee,
        // its context and its frame.
        self.load(R9, RDI, layout.store);
        self.load(R8, R11, layout.record_body);
        self.asm.load(RAX, at(R8, 0), Size::B8);
        self.asm.alu(Alu::Add, true, RAX, R10.into());
        self.asm.cmp(true, RAX, at(RDI, layout.call_limit as i32).into());
        self.asm.jcc(Cond::Above, beyond);
        self.asm.bind(entered);
        emit!(self.asm, leaq_rm(RAX, exit_word));
        self.store(R10, self.header, RAX);
        self.store(R10, self.header + 8, RBP);
        self.store(R10, self.header + 16, RDI);
        self.push(RDI);
        self.push(at(R9, layout.native_base as i32));
        self.push(ending);
        self.store(R9, layout.native_bottom as i32, RSP);
        self.asm.mov(RSI, R10);
        self.asm.mov(RCX, R11);
        self.asm.address_of(RDX, at(R8, 8), true);
        self.leave_for_handler();
        // The frame that returns here had the place of the arguments. It is at the value
        // top again, where overflowing results belong.
        self.asm.bind(exit);
        self.asm.mov(MEMORY, Assembler::MEMORY);
        self.load_fuel();
        self.load(R10, RDI, layout.store);
        self.load(R10, R10, layout.value_top);
        self.asm.mov(RSP, RSI);
        emit!(self.asm, popq_o(RBP));
        self.load_all(&self.results.regs.clone(), R10);
        self.asm.ret();
        // As for calls in baseline code.
        self.asm.bind(beyond);
        self.load(R8, RDI, layout.beyond);
        self.asm.jump(entered);
        self.asm.align(16);
        start
    }

    /// From native code into a host function. `r11` is its record, `rdi` its context.
    ///
    /// Its frame is not compared with the limit: it is at the value top, behind which there
    /// is room for arguments, results and a header.
    fn enter_host(&mut self) -> u32 {
        let layout = self.layout;
        let ended = self.routine(Routine::Ended);
        let failed = self.asm.new_label();
        self.asm.align(16);
        let start = self.asm.offset();
        self.push(RBP);
        self.asm.mov(RBP, RSP);
        self.push(RDI);
        self.push(R11);
        self.store_fuel();
        self.load(R10, RDI, layout.store);
        // The thunk preserves it.
        self.load(R12, R10, layout.value_top);
        for (reg, size, slot) in self.params.regs.clone() {
            self.asm.store(at(R12, slot as i32 * 8), reg, size);
        }
        self.store(R10, layout.native_bottom as i32, RSP);
        self.asm.mov(RDI, R11);
        self.asm.mov(RSI, R12);
        self.asm.mov(RDX, RBP);
        emit!(self.asm, callq_m(Rm::Mem(at(R11, layout.record_thunk as i32))));
        self.asm.load(RDI, at(RBP, -8), Size::B8);
        self.asm.cmp_immediate(true, RAX.into(), 0);
        self.asm.jcc(Cond::NotEqual, failed);
        self.load_fuel();
        self.asm.mov(RSP, RBP);
        emit!(self.asm, popq_o(RBP));
        self.load_all(&self.results.regs.clone(), R12);
        self.asm.ret();
        self.asm.bind(failed);
        emit!(self.asm, jmpq_m(ended));
        self.asm.align(16);
        start
    }

    /// Loads registers from their slots in the frame at `base`, which may be among them.
    fn load_all(&mut self, regs: &[(Reg, Size, u32)], base: Reg) {
        let place = |slot: u32| at(base, slot as i32 * 8);
        for &(reg, size, slot) in regs.iter().filter(|(reg, ..)| *reg != base) {
            self.asm.load(reg, place(slot), size);
        }
        if let Some(&(reg, size, slot)) = regs.iter().find(|(reg, ..)| *reg == base) {
            self.asm.load(reg, place(slot), size);
        }
    }

    /// Copies slots of the frame at `src` to the same ones of the frame that begins so many
    /// bytes from `dst`, and those in between that belong to registers. Changes `r8` and
    /// scratch registers alone.
    fn copy(&mut self, overflow: Option<(u32, u32)>, (dst, disp): (Reg, i32), src: Reg) {
        let Some((first, end)) = overflow else { return };
        let again = self.asm.new_label();
        let slot = |base, disp| Mem { base, index: Some((R8, 3)), disp };
        let scratch = Reg::vector(15);
        self.asm.constant(R8, u64::from(first));
        self.asm.bind(again);
        self.asm.load(scratch, slot(src, 0), Size::B8);
        self.asm.store(slot(dst, disp), scratch, Size::B8);
        self.asm.alu_immediate(Alu::Add, true, R8, 1);
        self.asm.cmp_immediate(false, R8.into(), end as i32);
        self.asm.jcc(Cond::Below, again);
    }

    /// From a jump through an optimized function's body into its code, and from a frame
    /// at a loop header into code for the rest; the offset that both return to.
    fn enter_native(&mut self, from_slots: AsmLabel, replace: AsmLabel) -> u32 {
        let restore = self.routine(Routine::Restore);
        let [entered, replaced, call] = [(); 3].map(|()| self.asm.new_label());
        self.asm.align(16);
        self.asm.bind(replace);
        self.asm.mov(MEMORY, Assembler::MEMORY);
        self.load_fuel();
        self.asm.mov(R10, RCX);
        self.is_from_native();
        self.asm.jcc(Cond::Above, replaced);
        self.record();
        self.asm.jump(call);

        self.asm.bind(from_slots);
        self.asm.mov(MEMORY, Assembler::MEMORY);
        self.load_fuel();
        self.load(R10, RCX, self.layout.record_code);
        self.is_from_native();
        self.asm.jcc(Cond::Above, entered);
        self.record();
        self.copy(self.params.overflow, (R9, 0), RSI);
        self.asm.mov(R11, RCX);
        self.load_all(&self.params.regs.clone(), RSI);
        self.asm.bind(call);
        emit!(self.asm, callq_m(Rm::Reg(R10)));
        let returns = self.asm.offset();
        self.store_results();
        self.asm.load(RDX, at(R10, 0), Size::B8);
        self.asm.load(RSI, at(R10, 8), Size::B8);
        self.asm.load(RDI, at(R10, 16), Size::B8);
        self.leave_for_handler();

        self.asm.bind(entered);
        self.drop_caller(restore);
        self.asm.mov(R11, RCX);
        self.load_all(&self.params.regs.clone(), RSI);
        emit!(self.asm, jmpq_m(Rm::Reg(R10)));

        self.asm.bind(replaced);
        self.drop_caller(restore);
        emit!(self.asm, jmpq_m(Rm::Reg(R10)));
        returns
    }

    /// Whether the frame at `rsi` returns to a stub to slots: above, if so.
    fn is_from_native(&mut self) {
        let caller = Rm::Mem(at(RSI, self.header + 8));
        emit!(self.asm, cmpq_mr(caller, RSP));
    }

    /// Leaves the record of a call from slots, and the value top behind the frame and in
    /// `r9`. Changes `rax`.
    fn record(&mut self) {
        let value_top = at(RAX, self.layout.value_top as i32);
        self.asm.address_of(R9, at(RSI, self.header), true);
        self.push(R9);
        self.load(RAX, RDI, self.layout.store);
        self.push(value_top);
        self.push(RDI);
        self.asm.alu_immediate(Alu::Add, true, R9, HEADER_SLOTS as i32 * 8);
        self.asm.store(value_top, R9, Size::B8);
    }

    /// Stores the results to the frame of the record, which is dropped; its header is in
    /// `r10` then.
    fn store_results(&mut self) {
        let layout = self.layout;
        self.asm.load(R10, at(RSP, 16), Size::B8);
        emit!(self.asm, popq_o(RDI));
        if self.metered {
            store_fuel(&mut self.asm, layout, R11);
        }
        self.load(R11, RDI, layout.store);
        if self.results.overflow.is_some() {
            self.load(R9, R11, layout.value_top);
            self.copy(self.results.overflow, (R10, -self.header), R9);
        }
        // Behind the copy, which comes over slots of theirs.
        for (reg, size, slot) in self.results.regs.clone() {
            self.asm.store(at(R10, slot as i32 * 8 - self.header), reg, size);
        }
        emit!(self.asm, popq_m(Rm::Mem(at(R11, layout.value_top as i32))));
        self.asm.alu_immediate(Alu::Add, true, RSP, 8);
        self.store(R11, layout.native_bottom as i32, RSP);
    }

    /// Takes down the stub to slots that the frame at `rsi` returns to, so that whoever
    /// called it is called by what follows. The frame is at the value top: overflowing
    /// arguments are where they belong.
    fn drop_caller(&mut self, restore: AsmLabel) {
        let done = self.asm.new_label();
        self.asm.load(RAX, at(RSI, self.header + 8), Size::B8);
        self.asm.load(R9, at(RSI, self.header + 16), Size::B8);
        self.asm.load(RBP, at(RAX, 0), Size::B8);
        self.asm.address_of(RSP, at(RAX, 8), true);
        // The caller wants back the context that it was left with.
        self.asm.cmp(true, R9, RDI.into());
        self.asm.jcc(Cond::Equal, done);
        emit!(self.asm, movq_rm(R8, restore));
        self.asm.cmp(true, R8, at(RSP, 0).into());
        self.asm.jcc(Cond::Equal, done);
        self.push(R9);
        self.push(R8);
        self.asm.bind(done);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(params: &[Type], results: &[Type]) -> Shape {
        Shape::of(Signature { params, results }, false)
    }

    #[test]
    fn types_that_are_passed_alike_have_one_shape() {
        let (i, f) = (Type::I32, Type::F32);
        assert_eq!(shape(&[i, f], &[Type::Ref]), shape(&[Type::I64, Type::F64], &[i]));
        assert_ne!(shape(&[i], &[]), shape(&[], &[i]));
        assert_ne!(shape(&[Type::F64], &[]), shape(&[Type::V128], &[]));
    }

    #[test]
    fn overflow_is_one_run_of_slots() {
        let params = [[Type::I32; 5], [Type::V128; 5], [Type::F64; 5]].concat();
        let signature = Signature { params: &params, results: &params };
        let places = Places::new(&params, &shape::params(signature, &PASSED));
        // Five integers and eight of the ten others are in registers.
        assert_eq!((places.regs.len(), places.overflow), (13, Some((18, 20))));
        assert_eq!(places.regs[6], (Reg::vector(1), Size::B16, 7));
        let places = Places::new(&params, &shape::results(signature, &PASSED));
        assert_eq!((places.regs.len(), places.overflow), (8, Some((4, 20))));
    }
}
