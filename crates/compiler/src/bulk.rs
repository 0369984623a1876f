//! Short copies and fills of a memory: sequences that the compilers share, for all
//! instruction sets.
//!
//! # DANGER
//!
//! Whoever emits one has compared both ranges as a whole with the memory's length: what is
//! here checks nothing.
//!
//! A run of bytes is covered by a few accesses of powers of two, the last of which may
//! overlap the one before. Of a copy all are loaded before the first is stored, so that
//! ranges may overlap in either direction. How many accesses it takes depends on the
//! length; where that is not known, it is compared with a few powers of two, and a head
//! and a tail cover what lies between two of them.

use crate::asm::{AsmLabel, Mem, Reg, Rm};
use crate::isa::{Alu, Primitives, Relation, Shift, Size};

/// Bytes that are copied or filled at most where the length is not known; what is longer
/// is the handler's, whose way is short against the work.
pub(crate) const SHORT: i32 = 64;

/// Bytes that a bulk operation moves for a unit of fuel.
pub(crate) const BYTES_PER_FUEL: u32 = 8;

/// The accesses that cover so many bytes: the offset and size of each, none wider than
/// `widest`.
pub(crate) fn pieces(bytes: u32, widest: Size) -> Vec<(i32, Size)> {
    let wide = 1 << widest.log2();
    let mut pieces = Vec::new();
    let mut at = 0;
    while bytes - at >= wide {
        pieces.push((at as i32, widest));
        at += wide;
    }
    let rest = bytes - at;
    if rest > 0 {
        let size = rest.next_power_of_two();
        if size <= bytes {
            pieces.push(((bytes - size) as i32, Size::of(size.into())));
        } else {
            let half = size / 2;
            let size = Size::of(half.into());
            pieces.extend([(0, size), ((bytes - half) as i32, size)]);
        }
    }
    pieces
}

/// A constant of eight equal bytes.
pub(crate) fn spread_constant(value: u64) -> u64 {
    (value & 0xFF) * 0x0101_0101_0101_0101
}

/// Makes a register eight times the lowest byte of another, which may be the same;
/// `scratch` is overwritten.
pub(crate) fn spread<A: Primitives>(asm: &mut A, dst: Reg, value: Reg, scratch: Reg) {
    asm.narrow(dst, value);
    asm.alu_immediate(Alu::And, false, dst, 0xFF);
    for count in [8, 16, 32] {
        asm.mov(scratch, dst);
        asm.shift(Shift::Left, true, scratch, count);
        asm.alu(Alu::Or, true, dst, Rm::Reg(scratch));
    }
}

/// A copy of a length that is not known.
pub(crate) struct Copy {
    /// The memory's first byte.
    pub(crate) base: Reg,
    /// The places of the first bytes, zero-extended; where they end; the length.
    pub(crate) to: Reg,
    pub(crate) from: Reg,
    pub(crate) to_end: Reg,
    pub(crate) from_end: Reg,
    pub(crate) count: Reg,
    /// Registers that are overwritten.
    pub(crate) ints: [Reg; 2],
    pub(crate) vectors: [Reg; 4],
}

/// A place in memory.
fn place(base: Reg, index: Reg, disp: i32) -> Mem {
    Mem { base, index: Some((index, 0)), disp }
}

/// Distinguishes lengths. `short` emits what is done of lengths from a power of two, 1 to 8,
/// to below the next; `middle` of 16 to 32; `large` of 33 to 64.
fn by_length<A: Primitives>(
    asm: &mut A,
    count: Reg,
    long: AsmLabel,
    mut short: impl FnMut(&mut A, Size),
    middle: impl FnOnce(&mut A),
    large: impl FnOnce(&mut A),
) {
    let [small, wider, done] = [(); 3].map(|()| asm.new_label());
    let is_wide = asm.compare_immediate(Relation::AboveOrEqual, true, Rm::Reg(count), 16);
    asm.jump_if(!is_wide, small);
    let is_wider = asm.compare_immediate(Relation::Above, true, Rm::Reg(count), 32);
    asm.jump_if(is_wider, wider);
    middle(asm);
    asm.jump(done);
    asm.bind(small);
    for size in [Size::B8, Size::B4, Size::B2] {
        let next = asm.new_label();
        let is_less = asm.are_clear(count, 1 << size.log2());
        asm.jump_if(is_less, next);
        short(asm, size);
        asm.jump(done);
        asm.bind(next);
    }
    let is_none = asm.are_clear(count, 1);
    asm.jump_if(is_none, done);
    short(asm, Size::B1);
    asm.jump(done);
    asm.bind(wider);
    let is_long = asm.compare_immediate(Relation::Above, true, Rm::Reg(count), SHORT);
    asm.jump_if(is_long, long);
    large(asm);
    asm.bind(done);
}

impl Copy {
    /// Copies, or goes to `long` if that is more than [`SHORT`] bytes.
    pub(crate) fn emit<A: Primitives>(&self, asm: &mut A, long: AsmLabel) {
        let Copy { base, to, from, to_end, from_end, count, ints, vectors } = *self;
        let all = |asm: &mut A, size: Size, regs: &[Reg], heads: usize| {
            let width = 1 << size.log2();
            let tails = regs.len() - heads;
            let disp = |index: usize| match index.checked_sub(heads) {
                None => (true, index as i32 * width),
                Some(tail) => (false, (tail as i32 - tails as i32) * width),
            };
            for (index, &reg) in regs.iter().enumerate() {
                let (head, disp) = disp(index);
                asm.load(reg, place(base, if head { from } else { from_end }, disp), size);
            }
            for (index, &reg) in regs.iter().enumerate() {
                let (head, disp) = disp(index);
                asm.store(place(base, if head { to } else { to_end }, disp), reg, size);
            }
        };
        by_length(
            asm,
            count,
            long,
            |asm, size| match size {
                Size::B1 => all(asm, size, &ints[..1], 1),
                _ => all(asm, size, &ints, 1),
            },
            |asm| all(asm, Size::B16, &vectors[..2], 1),
            |asm| all(asm, Size::B16, &vectors, 2),
        );
    }
}

/// A fill of a length that is not known.
pub(crate) struct Fill {
    /// The memory's first byte.
    pub(crate) base: Reg,
    /// The place of the first byte, zero-extended; where it ends; the length.
    pub(crate) to: Reg,
    pub(crate) to_end: Reg,
    pub(crate) count: Reg,
    /// Eight times the byte.
    pub(crate) value: Reg,
}

impl Fill {
    /// Fills, or goes to `long` if that is more than [`SHORT`] bytes.
    pub(crate) fn emit<A: Primitives>(&self, asm: &mut A, long: AsmLabel) {
        let Fill { base, to, to_end, count, value } = *self;
        let words = |asm: &mut A, each: i32| {
            for index in 0..each {
                asm.store(place(base, to, index * 8), value, Size::B8);
                asm.store(place(base, to_end, (index - each) * 8), value, Size::B8);
            }
        };
        by_length(
            asm,
            count,
            long,
            |asm, size| {
                asm.store(place(base, to, 0), value, size);
                if size != Size::B1 {
                    asm.store(place(base, to_end, -(1 << size.log2())), value, size);
                }
            },
            |asm| words(asm, 2),
            |asm| words(asm, 4),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_cover_every_byte_and_nothing_else() {
        for widest in [Size::B8, Size::B16] {
            for bytes in 0..=256u32 {
                let mut covered = vec![false; bytes as usize];
                let pieces = pieces(bytes, widest);
                for &(at, size) in &pieces {
                    covered[at as usize..][..1 << size.log2()].fill(true);
                }
                assert!(covered.iter().all(|each| *each), "{bytes}");
                assert!(pieces.len() as u32 <= bytes / (1 << widest.log2()) + 2, "{bytes}");
            }
        }
    }
}
