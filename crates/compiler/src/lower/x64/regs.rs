//! Registers: which are allocated, and how the allocator's names become ours.

use crate::asm::Reg;
use crate::isa::Primitives;
use crate::isa::x64::{Assembler, FLOAT_SCRATCH, INT_SCRATCH, RAX, RBX, RCX, RDX, RSI};
use crate::isa::x64::{R8, R9, R10, R12, R13, R14, R15};
use crate::lower::shape::{FLOAT_RESULTS, INT_RESULTS, Registers};
use regalloc2::{MachineEnv, PReg, PRegSet, RegClass};
use zwasm_regir::Type;

/// Registers of arguments and results.
pub(crate) const PASSED: Registers = Registers {
    ints: [RAX, RCX, RDX, RSI, R8, R9],
    floats: [
        Reg::vector(0),
        Reg::vector(1),
        Reg::vector(2),
        Reg::vector(3),
        Reg::vector(4),
        Reg::vector(5),
        Reg::vector(6),
        Reg::vector(7),
    ],
};

/// The first byte of memory 0, where the environment pins it. It carries no argument, its
/// encodings are short, and what is called by the system's convention preserves it.
pub(crate) const MEMORY: Reg = RBX;

/// General registers that are allocated; first those whose encodings are shorter.
/// Instructions that change the last one by themselves say so.
const INTS: [Reg; 13] = [RAX, RCX, RDX, MEMORY, RSI, R8, R9, R10, R12, R13, R14, R15, INT_SCRATCH];
const SHORT: usize = 5;
/// The register with the fuel left, in code that pays it; not allocated there.
pub(crate) const FUEL: Reg = <Assembler as Primitives>::FUEL;
/// Vector registers that are allocated.
const FLOATS: u8 = 15;

/// What any instruction may change.
pub(crate) const SCRATCH: [PReg; 1] = [preg(FLOAT_SCRATCH)];

/// The class of a value's register.
pub(crate) fn class(ty: Type) -> RegClass {
    match ty {
        Type::I32 | Type::I64 | Type::Ref => RegClass::Int,
        Type::F32 | Type::F64 | Type::V128 => RegClass::Float,
    }
}

/// A register as the allocator knows it.
pub(crate) const fn preg(reg: Reg) -> PReg {
    let class = if reg.is_vector() { RegClass::Float } else { RegClass::Int };
    PReg::new(reg.enc() as usize, class)
}

/// A register as the encoder knows it.
pub(crate) fn reg(preg: PReg) -> Reg {
    let number = preg.hw_enc() as u8;
    match preg.class() {
        RegClass::Int => Reg(number),
        RegClass::Float | RegClass::Vector => Reg::vector(number),
    }
}

/// The general registers that are allocated, where memory 0 is pinned or is not, and fuel is
/// paid or is not.
fn ints(pinned: bool, metered: bool) -> impl Iterator<Item = Reg> {
    let is_taken = move |reg| pinned && reg == MEMORY || metered && reg == FUEL;
    INTS.into_iter().filter(move |reg| !is_taken(*reg))
}

fn set(regs: impl Iterator<Item = Reg>) -> PRegSet {
    regs.fold(PRegSet::empty(), |set, reg| set.with(preg(reg)))
}

/// What the allocator may use, where memory 0 is pinned or is not, and fuel is paid or is not.
pub(crate) fn environment(pinned: bool, metered: bool) -> MachineEnv {
    let ints = || ints(pinned, metered);
    let floats = |numbers: core::ops::Range<u8>| set(numbers.map(Reg::vector));
    MachineEnv {
        preferred_regs_by_class: [set(ints().take(SHORT)), floats(0..8), PRegSet::empty()],
        non_preferred_regs_by_class: [set(ints().skip(SHORT)), floats(8..FLOATS), PRegSet::empty()],
        scratch_by_class: [None, Some(SCRATCH[0]), None],
        fixed_stack_slots: Vec::new(),
    }
}

/// The number of the set of registers that an instruction clobbers which defines the first
/// so many result registers of each kind; nothing is kept by a call but what is pinned.
pub(crate) fn all_but(ints: usize, floats: usize) -> u8 {
    (1 + ints * (FLOAT_RESULTS + 1) + floats) as u8
}

/// The sets, where memory 0 is pinned or is not, and fuel is paid or is not; the first is
/// empty.
pub(crate) fn clobbers(pinned: bool, metered: bool) -> Vec<PRegSet> {
    let mut sets = vec![PRegSet::empty()];
    let all = set(ints(pinned, metered).chain((0..FLOATS).map(Reg::vector)));
    for ints in 0..=INT_RESULTS {
        for floats in 0..=FLOAT_RESULTS {
            let mut set = all;
            PASSED.ints[..ints].iter().for_each(|reg| set.remove(preg(*reg)));
            PASSED.floats[..floats].iter().for_each(|reg| set.remove(preg(*reg)));
            sets.push(set);
        }
    }
    sets
}
