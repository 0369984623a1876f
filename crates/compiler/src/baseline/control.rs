//! Traps, handlers, and the ways in and out of a function.

use super::Compiler;
use super::late::{Late, Outside};
use super::select::Select;
use crate::Threaded;
use crate::asm::{AsmLabel, Reg, Rm, at};
use crate::isa::{Relation, Size};
use zwasm_regir::{Inst, TrapCode};

/// Code of the interpreter among machine code.
pub(crate) struct Interpreted {
    pub(super) code: Threaded,
    pub(super) text: String,
}

impl<A: Select> Compiler<'_, A> {
    /// The label of code that raises a trap of the current instruction. The trap's
    /// place is where the code is now, so the jump that leads there has to follow:
    /// behind it may be where the next instruction starts.
    pub(crate) fn trap_label(&mut self, code: TrapCode) -> AsmLabel {
        trap_label(&mut self.asm, &mut self.late, code)
    }

    pub(crate) fn trap_if(&mut self, condition: A::Condition, code: TrapCode) {
        let label = self.trap_label(code);
        self.asm.jump_if(condition, label);
    }

    /// Traps if an access is outside of its memory.
    pub(crate) fn outside_if(&mut self, condition: A::Condition, outside: Outside) {
        let label =
            push_trap(&mut self.asm, &mut self.late, TrapCode::MemoryOutOfBounds, Some(outside));
        self.asm.jump_if(condition, label);
    }

    pub(crate) fn trap(&mut self, code: TrapCode) {
        let label = self.trap_label(code);
        self.asm.jump(label);
    }

    /// The interpreter's code of an instruction, and the instruction as text for a listing.
    pub(crate) fn threaded(&self, inst: &Inst) -> Interpreted {
        let text = if self.asm.lists() { inst.to_string() } else { String::new() };
        Interpreted { code: self.env.threaded(inst), text }
    }

    /// Has the interpreter execute an instruction: all values go to their slots,
    /// its threaded code is run, and a word behind that leads back.
    pub(crate) fn call_handler(&mut self, inst: &Inst) {
        self.flush(u32::MAX);
        let threaded = self.threaded(inst);
        let resume = self.asm.new_label();
        self.bring_fuel();
        self.run_threaded(&threaded, resume);
        self.asm.bind(resume);
        self.load_fuel();
    }

    /// As [`Compiler::call_handler`], for an instruction that does not return here.
    pub(crate) fn leave_to_handler(&mut self, inst: &Inst) {
        self.flush(u32::MAX);
        let threaded = self.threaded(inst);
        self.bring_fuel();
        self.enter_threaded(&threaded);
        self.reachable = false;
    }

    /// Runs threaded code, and goes on at `resume` when it is done.
    pub(crate) fn run_threaded(&mut self, threaded: &Interpreted, resume: AsmLabel) {
        self.enter_threaded(threaded);
        self.asm.address(resume);
    }

    fn enter_threaded(&mut self, threaded: &Interpreted) {
        let start = self.asm.new_label();
        self.asm.label_address(A::IP, start);
        self.asm.jump_through_label(start);
        self.asm.align(8);
        self.asm.bind(start);
        self.asm.threaded(&threaded.code, &threaded.text);
    }

    /// Reads base and size of memory 0 of the `vmctx`; `reg` is overwritten.
    pub(crate) fn reload_memory(&mut self, reg: Reg) {
        let layout = self.layout;
        self.asm.load(reg, at(A::VMCTX, layout.memory0 as i32), Size::B8);
        self.asm.load(A::MEMORY, at(reg, layout.memory_base as i32), Size::B8);
        self.asm.load(A::MEMORY_LEN, at(reg, layout.memory_len as i32), Size::B8);
    }

    /// Returns; the results are in their slots.
    pub(crate) fn leave(&mut self) {
        let header = (self.function.frame.header * 8) as i32;
        let other = *self.other_instance.get_or_insert_with(|| self.asm.new_label());
        self.bring_fuel();
        self.asm.read_header(header);
        let condition = self.asm.compare(Relation::NotEqual, true, A::BODY, Rm::Reg(A::VMCTX));
        self.asm.jump_if(condition, other);
        self.asm.jump_through(A::IP);
        self.reachable = false;
        self.state.clear();
    }

    /// The two words in front of the code, and the entry.
    pub(crate) fn prologue(&mut self, frame_slots: u32) {
        let entry = self.asm.new_label();
        self.asm.word(u64::from(frame_slots) * 8);
        self.asm.address(entry);
        self.asm.bind(entry);
        self.load_fuel();
    }
}

/// As [`Compiler::trap_label`], of the parts it needs.
pub(crate) fn trap_label<A: Select>(asm: &mut A, late: &mut Vec<Late>, code: TrapCode) -> AsmLabel {
    push_trap(asm, late, code, None)
}

fn push_trap<A: Select>(
    asm: &mut A,
    late: &mut Vec<Late>,
    code: TrapCode,
    outside: Option<Outside>,
) -> AsmLabel {
    let (label, site) = (asm.new_label(), asm.new_label());
    asm.bind(site);
    late.push(Late::Trap { label, code, site, outside });
    label
}
