//! `i8x16.shuffle`: the instruction that does it, if there is one.
//!
//! Compilers write the interleavings, rotations and blends of other instruction sets as
//! shuffles; those are looked for. Then come shuffles of which one lane is put where it
//! belongs afterwards, and blends under a mask. What remains are look-ups in a table of
//! one vector, or of two in registers that follow each other.

use super::vector::{OnOne, OnTwo, S, T};
use crate::asm::Reg;
use crate::baseline::Compiler;
use crate::baseline::state::Class;
use crate::isa::Primitives;
use crate::isa::aarch64::regs::Lanes;
use crate::isa::aarch64::{Assembler, Inst, vec};
use zwasm_regir::Slot;

/// A lane that may be anything.
const ANY: u8 = 0xFF;

/// Lanes of all sizes, the smallest first, and how many bytes each has.
const SIZES: [(usize, Lanes); 4] =
    [(1, Lanes::B16), (2, Lanes::H8), (4, Lanes::S4), (8, Lanes::D2)];

/// How a shuffle takes lanes of a size in turn from two vectors.
struct Order {
    inst: OnTwo,
    /// The number of the lane, of those of both vectors, that comes to a place, given how
    /// many one vector has.
    lane: fn(usize, usize) -> usize,
}

const ORDERS: [Order; 6] = [
    Order { inst: vec::zip1, lane: |i, count| i / 2 + i % 2 * count },
    Order { inst: vec::zip2, lane: |i, count| i / 2 + i % 2 * count + count / 2 },
    Order { inst: vec::uzp1, lane: |i, _| i * 2 },
    Order { inst: vec::uzp2, lane: |i, _| i * 2 + 1 },
    Order { inst: vec::trn1, lane: |i, count| i / 2 * 2 + i % 2 * count },
    Order { inst: vec::trn2, lane: |i, count| i / 2 * 2 + i % 2 * count + 1 },
];

/// An instruction that shuffles.
#[derive(Clone, Copy)]
enum Step {
    /// Lanes in turn from two vectors.
    Turns(OnTwo, Lanes),
    /// The first vector's bytes from one on, and then the second's.
    From(u8),
    /// One lane of the first vector in all places.
    Everywhere(Lanes, u8),
    /// The first vector with its lanes in reverse order within larger units.
    Reversed(OnOne, Lanes),
}

impl Step {
    fn inst(self, d: Reg, a: Reg, b: Reg) -> Inst {
        match self {
            Step::Turns(inst, lanes) => inst(lanes, d, a, b),
            Step::From(byte) => vec::ext(Lanes::B16, d, a, b, byte),
            Step::Everywhere(lanes, lane) => vec::dup_lane(lanes, d, a, lane),
            Step::Reversed(inst, lanes) => inst(lanes, d, a),
        }
    }
}

/// Whether each byte comes from where `expected` says, but for those that may be anything.
/// With one vector, that is what both operands are.
fn agrees(lanes: &[u8; 16], one: bool, expected: impl Fn(usize) -> usize) -> bool {
    lanes.iter().enumerate().all(|(i, &lane)| {
        let byte = expected(i) % if one { 16 } else { 32 };
        lane == ANY || usize::from(lane) == byte
    })
}

/// The instruction for a shuffle.
fn step(lanes: &[u8; 16], one: bool) -> Option<Step> {
    for (size, kind) in SIZES {
        for Order { inst, lane } in ORDERS {
            if agrees(lanes, one, |i| lane(i / size, 16 / size) * size + i % size) {
                return Some(Step::Turns(inst, kind));
            }
        }
    }
    let known = lanes.iter().enumerate().find(|(_, lane)| **lane != ANY);
    let (place, &first) = known?;
    let from = (usize::from(first) + 32 - place) % if one { 16 } else { 32 };
    if (1..16).contains(&from) && agrees(lanes, one, |i| from + i) {
        return Some(Step::From(from as u8));
    }
    if !lanes.iter().all(|&lane| lane < 16 || lane == ANY) {
        return None;
    }
    for (size, kind) in SIZES {
        let lane = usize::from(first) / size;
        if agrees(lanes, one, |i| lane * size + i % size) {
            return Some(Step::Everywhere(kind, lane as u8));
        }
        let within: [(usize, OnOne); 3] = [(2, vec::rev16), (4, vec::rev32), (8, vec::rev64)];
        for (unit, inst) in within {
            if size < unit && agrees(lanes, one, |i| i ^ (unit - size)) {
                return Some(Step::Reversed(inst, kind));
            }
        }
    }
    None
}

/// What the lanes are with the vectors exchanged.
fn exchanged(lanes: [u8; 16]) -> [u8; 16] {
    lanes.map(|lane| if lane == ANY { ANY } else { lane ^ 16 })
}

/// A lane that is put in its place behind a step, or into an operand.
struct Insertion {
    /// None: the first operand itself.
    step: Option<Step>,
    /// Whether the step's operands are exchanged.
    swapped: bool,
    lanes: Lanes,
    to: u8,
    /// Of those of both vectors.
    from: u8,
}

/// A shuffle of two vectors by a step, but for one lane.
fn insertion(lanes: &[u8; 16]) -> Option<Insertion> {
    // The largest lanes first, which leave the most open.
    for (size, kind) in SIZES.into_iter().rev() {
        for to in 0..16 / size {
            let from = usize::from(lanes[to * size]);
            let whole = from % size == 0
                && (0..size).all(|i| usize::from(lanes[to * size + i]) == from + i);
            if !whole {
                continue;
            }
            let mut rest = *lanes;
            rest[to * size..][..size].fill(ANY);
            for swapped in [false, true] {
                let rest = if swapped { exchanged(rest) } else { rest };
                let insertion = |step| Insertion {
                    step,
                    swapped,
                    lanes: kind,
                    to: to as u8,
                    from: (from / size) as u8,
                };
                if agrees(&rest, false, |i| i) {
                    return Some(insertion(None));
                }
                if let Some(step) = step(&rest, false) {
                    return Some(insertion(Some(step)));
                }
            }
        }
    }
    None
}

/// The mask of a blend, with ones where a byte of the first vector stays where it is.
fn blend(lanes: &[u8; 16]) -> Option<[u8; 16]> {
    let stays = |(i, lane): (usize, &u8)| usize::from(*lane) % 16 == i;
    let blends = lanes.iter().enumerate().all(stays);
    blends.then(|| lanes.map(|lane| if lane < 16 { 0xFF } else { 0 }))
}

fn halves(bytes: [u8; 16]) -> [u64; 2] {
    let bits = u128::from_le_bytes(bytes);
    [bits as u64, (bits >> 64) as u64]
}

/// Whether a register is the one behind another.
fn follows(second: Reg, first: Reg) -> bool {
    second.enc() == (first.enc() + 1) % 32
}

impl Compiler<'_, Assembler> {
    pub(super) fn shuffle(&mut self, dst: Slot, a: Slot, b: Slot, lanes: [u8; 16]) {
        let lanes = if a == b { lanes.map(|lane| lane % 16) } else { lanes };
        let one = if lanes.iter().all(|lane| *lane < 16) {
            Some((a, b))
        } else if lanes.iter().all(|lane| *lane >= 16) {
            Some((b, a))
        } else {
            None
        };
        if let Some((used, unused)) = one {
            if unused != used {
                self.consume(unused);
            }
            return self.shuffle_one(dst, used, lanes.map(|lane| lane % 16));
        }
        for (lanes, swapped) in [(lanes, false), (exchanged(lanes), true)] {
            if let Some(step) = step(&lanes, false) {
                let (a, b) = if swapped { (b, a) } else { (a, b) };
                let (first, second) = self.vector_operands(a, b);
                let d = self.vector_result(dst);
                self.asm.emit(step.inst(d, first, second));
                return self.define(d, dst, Class::Vector);
            }
        }
        if let Some(insertion) = insertion(&lanes) {
            return self.shuffle_and_insert(dst, a, b, insertion);
        }
        let (first, second) = self.vector_operands(a, b);
        if let Some(mask) = blend(&lanes) {
            let d = self.alloc(Class::Vector, Some(dst.0));
            self.asm.vector_constant(d, halves(mask));
            self.asm.emit(vec::bsl(Lanes::B16, d, first, second));
            return self.define(d, dst, Class::Vector);
        }
        self.look_up(dst, first, second, lanes);
    }

    /// Looks bytes up in two vectors.
    fn look_up(&mut self, dst: Slot, first: Reg, second: Reg, lanes: [u8; 16]) {
        for (first, second, lanes) in [(first, second, lanes), (second, first, exchanged(lanes))] {
            if follows(second, first) {
                let d = self.vector_result(dst);
                self.asm.vector_constant(S, halves(lanes));
                self.asm.emit(vec::tbl2(Lanes::B16, d, first, S));
                return self.define(d, dst, Class::Vector);
            }
        }
        self.asm.mov(T, first);
        self.asm.mov(S, second);
        let d = self.vector_result(dst);
        self.asm.vector_constant(d, halves(lanes));
        self.asm.emit(vec::tbl2(Lanes::B16, d, T, d));
        self.define(d, dst, Class::Vector);
    }

    fn shuffle_and_insert(&mut self, dst: Slot, a: Slot, b: Slot, insertion: Insertion) {
        let Insertion { step, swapped, lanes, to, from } = insertion;
        let regs = [self.vector_operand(a), self.vector_operand(b)];
        let count = 16 / (lanes.elem().bits() / 8) as u8;
        let (source, lane) = (regs[usize::from(from / count)], from % count);
        let [(first, slot), (second, other)] = match swapped {
            false => [(regs[0], a), (regs[1], b)],
            true => [(regs[1], b), (regs[0], a)],
        };
        let d = match step {
            Some(step) => {
                self.consume(slot);
                self.consume(other);
                let d = self.alloc(Class::Vector, Some(dst.0));
                self.asm.emit(step.inst(d, first, second));
                d
            }
            None => {
                self.consume(other);
                self.vector_over(dst, slot)
            }
        };
        self.asm.emit(vec::ins_lane(lanes.elem(), d, to, source, lane));
        self.define(d, dst, Class::Vector);
    }

    fn shuffle_one(&mut self, dst: Slot, a: Slot, lanes: [u8; 16]) {
        if agrees(&lanes, true, |i| i) {
            return self.unchanged(dst, a);
        }
        let src = self.vector_operand(a);
        self.consume(a);
        let d = self.vector_result(dst);
        match step(&lanes, true) {
            Some(step) => self.asm.emit(step.inst(d, src, src)),
            None => {
                self.asm.vector_constant(S, halves(lanes));
                self.asm.emit(vec::tbl1(Lanes::B16, d, src, S));
            }
        }
        self.define(d, dst, Class::Vector);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counting(f: impl Fn(u8) -> u8) -> [u8; 16] {
        std::array::from_fn(|i| f(i as u8))
    }

    #[test]
    fn shuffles_of_one_instruction() {
        use crate::isa::aarch64::regs::v;
        use Lanes::{B16, H8, S4};
        let [d, a, b] = [v(0), v(1), v(2)];
        let found = |lanes, one| step(&lanes, one).map(|step| step.inst(d, a, b));
        let expect = |lanes, inst| assert_eq!(found(lanes, false), Some(inst));
        expect(counting(|i| i / 2 + i % 2 * 16), vec::zip1(B16, d, a, b));
        expect(counting(|i| i / 2 + i % 2 * 16 + 8), vec::zip2(B16, d, a, b));
        expect(counting(|i| i * 2), vec::uzp1(B16, d, a, b));
        expect(counting(|i| i / 4 * 8 + i % 4 + 4), vec::uzp2(S4, d, a, b));
        expect(counting(|i| (i & !2) + (i & 2) * 8), vec::trn1(H8, d, a, b));
        expect(counting(|i| i + 5), vec::ext(B16, d, a, b, 5));
        let expect = |lanes, inst| assert_eq!(found(lanes, true), Some(inst));
        expect(counting(|i| (i + 3) % 16), vec::ext(B16, d, a, b, 3));
        expect(counting(|i| 4 + i % 4), vec::dup_lane(S4, d, a, 1));
        expect(counting(|i| i ^ 7), vec::rev64(B16, d, a));
        expect(counting(|i| i ^ 2), vec::rev32(H8, d, a));
        expect(counting(|i| i ^ 1), vec::rev16(B16, d, a));
        assert_eq!(found(counting(|i| 15 - i), true), None);
        assert_eq!(found(counting(|i| i + i / 8 * 7), false), None);
    }

    #[test]
    fn shuffles_with_a_lane_inserted() {
        let blends =
            |lanes| insertion(&lanes).map(|each| (each.step.is_none(), each.to, each.from));
        // The third 32-bit lane comes from the second vector.
        assert_eq!(blends(counting(|i| i + i / 4 % 3 / 2 * 16)), Some((true, 2, 6)));
        assert_eq!(blends(counting(|i| (i * 7) % 32)), None);
    }
}
