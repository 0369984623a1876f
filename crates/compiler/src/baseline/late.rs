//! What is emitted behind a function: what is rarely executed, and ways in.

use super::Compiler;
use super::control::Interpreted;
use super::select::Select;
use super::state::{Class, Joined};
use crate::asm::{AsmLabel, Reg, at};
use crate::isa::Size;
use crate::tuning::TRAPS;
use std::rc::Rc;
use zwasm_regir::{Inst, Slot, SourceLoc, TrapCode};

/// Code that is rarely executed, emitted behind the function.
pub(crate) enum Late {
    /// Raises a trap at a place.
    Trap { label: AsmLabel, code: TrapCode, site: AsmLabel, outside: Option<Outside> },
    /// A failed conversion: one trap for what is not a number, another for the rest.
    Conversion { label: AsmLabel, single: bool, src: Reg, overflow: AsmLabel, nan: AsmLabel },
    /// An indirect call whose types are not the same: threaded code decides.
    Threaded {
        label: AsmLabel,
        threaded: Interpreted,
        resume: AsmLabel,
        source: SourceLoc,
        region: Option<u32>,
    },
    /// Something cost more fuel than is active: the runtime comes back to the label, or does
    /// not.
    Fuel { label: AsmLabel, resume: AsmLabel },
    /// The interpreter executes an instruction whose usual case is compiled.
    Slow(Box<Slow>),
    /// A call of what is beyond the limit of calls.
    Beyond { label: AsmLabel, resume: AsmLabel },
    /// A call that has another callee than before.
    Callee { label: AsmLabel, resume: AsmLabel, cell: i32 },
    /// A way into a loop for an interpreter.
    Loop { word: AsmLabel, joined: Rc<[Joined]>, header: AsmLabel },
    /// A word through which a label is reached.
    Landing { word: AsmLabel, target: AsmLabel },
}

/// An access that is outside of its memory: it starts so many bytes before what a register
/// has.
#[derive(Clone, Copy)]
pub(crate) struct Outside {
    pub(crate) mem: u32,
    pub(crate) end: Reg,
    pub(crate) size: u32,
}

/// A trap that is raised: the word that says which, where code jumps to for it, and from
/// where.
struct Raised {
    word: u64,
    label: AsmLabel,
    site: AsmLabel,
    outside: Option<Outside>,
}

/// An instruction that the interpreter executes when its usual case, compiled, does
/// not apply: all values go to their slots before and come back behind it.
pub(crate) struct Slow {
    pub(crate) label: AsmLabel,
    pub(crate) resume: AsmLabel,
    threaded: Interpreted,
    constants: Vec<(u32, u64)>,
    values: Vec<Joined>,
    /// Where the result is wanted, and its slot. Slots from there on are not live
    /// behind the instruction.
    result: Option<(Reg, u32)>,
    source: SourceLoc,
    region: Option<u32>,
}

impl<A: Select> Compiler<'_, A> {
    /// Prepares for the interpreter to execute `inst`. If it has a result, that is
    /// in a register in compiled code, and its operands start at the slot given with
    /// that. What is in registers must not change between this and where the slow
    /// case leaves.
    pub(crate) fn slow(&mut self, inst: &Inst, result: Option<(Reg, Slot)>) -> Slow {
        let threaded = self.threaded(inst);
        self.slow_threaded(threaded, result)
    }

    /// As [`Compiler::slow`], of code of the interpreter.
    pub(super) fn slow_threaded(
        &mut self,
        threaded: Interpreted,
        result: Option<(Reg, Slot)>,
    ) -> Slow {
        self.state.forget_narrow();
        let held = |reg| self.state.held(reg).map(|held| Joined { reg, held });
        Slow {
            label: self.asm.new_label(),
            resume: self.asm.new_label(),
            threaded,
            constants: self.state.constants().to_vec(),
            values: self.state.used().iter().filter_map(held).collect(),
            result: result.map(|(reg, slot)| (reg, slot.0)),
            source: self.source(),
            region: self.code.regions.last().and_then(|(_, region)| *region),
        }
    }

    fn slow_case(&mut self, slow: &Slow) {
        let position = self.asm.offset();
        self.code.sources.push((position, slow.source));
        self.code.regions.push((position, slow.region));
        self.asm.bind(slow.label);
        for &(slot, value) in &slow.constants {
            self.store_constant(slot, value);
        }
        for Joined { reg, held } in slow.values.iter().filter(|each| each.held.dirty) {
            self.store_slot(held.slot, *reg, held.class);
        }
        let back = self.asm.new_label();
        self.store_fuel();
        self.run_threaded(&slow.threaded, back);
        self.asm.bind(back);
        self.load_fuel();
        let live = slow.result.map_or(u32::MAX, |(_, slot)| slot);
        for Joined { reg, held } in slow.values.iter().filter(|each| each.held.slot < live) {
            self.load_slot(*reg, held.slot, held.class);
        }
        if let Some((reg, slot)) = slow.result {
            self.load_slot(reg, slot, Class::Int);
        }
        self.asm.jump(slow.resume);
    }

    /// Raises traps of one kind, each at its own place: the first goes on into what all share.
    fn raise(&mut self, traps: &[Raised], raise: AsmLabel) {
        let shared = self.asm.new_label();
        for (index, trap) in traps.iter().enumerate() {
            self.asm.bind(trap.label);
            if let Some(Outside { end, size, .. }) = trap.outside {
                // Whoever raises reads it there, and nobody needs the length again.
                self.asm.address_of(A::MEMORY_LEN, at(end, -(size as i32)), true);
            }
            self.asm.label_address(A::IP, trap.site);
            if index > 0 {
                self.asm.jump(shared);
                continue;
            }
            self.asm.bind(shared);
            self.asm.constant(A::ACC, trap.word);
            if self.metered {
                self.asm.jump(raise);
            } else {
                self.asm.jump_through_label(raise);
            }
        }
    }

    /// What belongs behind the code.
    pub(crate) fn epilogue(&mut self) {
        let raise = self.asm.new_label();
        let store_and_raise = if self.metered { self.asm.new_label() } else { raise };
        if let Some(other) = self.other_instance {
            self.asm.bind(other);
            self.asm.mov(A::VMCTX, A::BODY);
            self.reload_memory(A::BODY);
            self.asm.jump_through(A::IP);
        }
        // Conversions first: they refer to traps.
        let mut traps: Vec<Raised> = Vec::new();
        let mut checks = Vec::new();
        for late in std::mem::take(&mut self.late) {
            match late {
                Late::Trap { label, code, site, outside } => {
                    let word = outside.as_ref().map(|outside| TrapCode::access(outside.mem));
                    let word = word.unwrap_or(u64::from(code as u32));
                    traps.push(Raised { word, label, site, outside });
                }
                Late::Conversion { label, single, src, overflow, nan } => {
                    self.asm.bind(label);
                    self.asm.jump_if_nan(single, src, nan);
                    self.asm.jump(overflow);
                }
                Late::Threaded { label, threaded, resume, source, region } => {
                    let position = self.asm.offset();
                    self.code.sources.push((position, source));
                    self.code.regions.push((position, region));
                    self.asm.bind(label);
                    self.store_fuel();
                    if self.metered {
                        let back = self.asm.new_label();
                        self.run_threaded(&threaded, back);
                        self.asm.bind(back);
                        self.load_fuel();
                        self.asm.jump(resume);
                    } else {
                        self.run_threaded(&threaded, resume);
                    }
                }
                Late::Fuel { label, resume } => checks.push((label, resume)),
                Late::Slow(slow) => self.slow_case(&slow),
                Late::Beyond { label, resume } => {
                    self.asm.bind(label);
                    let beyond = at(A::VMCTX, self.layout.beyond as i32);
                    self.asm.load(A::BODY, beyond, Size::B8);
                    self.asm.jump(resume);
                }
                Late::Callee { label, resume, cell } => {
                    self.asm.bind(label);
                    self.change_callee(cell);
                    self.asm.jump(resume);
                }
                Late::Loop { word, joined, header } => {
                    let stub = self.asm.new_label();
                    self.asm.align(8);
                    self.asm.bind(word);
                    self.asm.address(stub);
                    self.asm.bind(stub);
                    for &Joined { reg, held } in &*joined {
                        self.load_slot(reg, held.slot, held.class);
                    }
                    self.load_fuel();
                    self.asm.jump(header);
                }
                Late::Landing { word, target } => {
                    self.asm.align(8);
                    self.asm.bind(word);
                    if self.metered {
                        let stub = self.asm.new_label();
                        self.asm.address(stub);
                        self.asm.bind(stub);
                        self.load_fuel();
                        self.asm.jump(target);
                    } else {
                        self.asm.address(target);
                    }
                }
            }
        }
        traps.sort_by_key(|trap| trap.word);
        let raises = !traps.is_empty();
        for same in traps.chunk_by(|trap, other| trap.word == other.word) {
            for near in same.chunks(TRAPS) {
                self.raise(near, store_and_raise);
            }
        }
        if raises {
            if self.metered {
                self.asm.bind(store_and_raise);
                self.store_fuel();
                self.asm.jump_through_label(raise);
            }
            self.asm.align(8);
            self.asm.bind(raise);
            let raise = self.env.raise();
            self.asm.handler(raise, &"raise");
        }
        self.refuel(&checks);
        #[cfg(feature = "simd")]
        self.asm.place_literals();
    }

    /// Leaves checks of fuel: the label where code jumps to for one, and where it goes on.
    fn refuel(&mut self, checks: &[(AsmLabel, AsmLabel)]) {
        if checks.is_empty() {
            return;
        }
        let refuel = self.asm.new_label();
        for near in checks.chunks(TRAPS) {
            let shared = self.asm.new_label();
            for (index, &(label, resume)) in near.iter().enumerate() {
                self.asm.bind(label);
                self.asm.label_address(A::RESUME, resume);
                if index > 0 {
                    self.asm.jump(shared);
                    continue;
                }
                self.asm.bind(shared);
                self.asm.jump_through_label(refuel);
            }
        }
        self.asm.align(8);
        self.asm.bind(refuel);
        let number = self.env.refuel();
        self.asm.handler(number, &"refuel");
    }
}
