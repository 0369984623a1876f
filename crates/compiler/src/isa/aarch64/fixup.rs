//! Distances: which branches reach how far, and writing one into a word.
//!
//! A branch that does not reach becomes the opposite one ([`Cond::not`],
//! [`invert`]) over a `b`, which reaches 128 MiB.
//!
//! [`Cond::not`]: super::regs::Cond::not

use super::Inst;
use super::operand::{Adr21, AdrPage21, Branch14, Branch19, Branch26, Operand};

/// The kind of distance a word holds, from the word itself to a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fixup {
    /// `b`, `bl`: ± 128 MiB.
    Branch26,
    /// `b.cond`, `cbz`, `cbnz`, `ldr` of a literal: ± 1 MiB.
    Branch19,
    /// `tbz`, `tbnz`: ± 32 KiB.
    Branch14,
    /// `adr`: ± 1 MiB, not only to words.
    Adr21,
    /// `adrp`: ± 4 GiB, between the pages of 4 KiB that the two lie in.
    AdrPage21,
}

impl Fixup {
    /// All of them.
    pub(crate) const ALL: [Fixup; 5] =
        [Fixup::Branch26, Fixup::Branch19, Fixup::Branch14, Fixup::Adr21, Fixup::AdrPage21];

    /// The first distance forwards that is too far; the farthest backwards is as far.
    pub(crate) const fn range(self) -> i64 {
        match self {
            Fixup::Branch26 => 1 << 27,
            Fixup::Branch19 => 1 << 20,
            Fixup::Branch14 => 1 << 15,
            Fixup::Adr21 => 1 << 20,
            Fixup::AdrPage21 => 1 << 32,
        }
    }

    /// What distances are multiples of.
    const fn unit(self) -> i64 {
        match self {
            Fixup::Branch26 | Fixup::Branch19 | Fixup::Branch14 => 4,
            Fixup::Adr21 => 1,
            Fixup::AdrPage21 => 4096,
        }
    }

    /// Whether a label at this distance in bytes can be reached.
    pub(crate) const fn reaches(self, distance: i64) -> bool {
        -self.range() <= distance && distance < self.range() && distance % self.unit() == 0
    }

    /// The word with this distance in bytes instead of the one it has; none if it does
    /// not reach.
    pub(crate) fn patch(self, word: u32, distance: i64) -> Option<u32> {
        if !self.reaches(distance) {
            return None;
        }
        let (mask, bits) = match self {
            Fixup::Branch26 => (Branch26::MASK, Branch26::put(distance, 0)),
            Fixup::Branch19 => (Branch19::MASK, Branch19::put(distance, 0)),
            Fixup::Branch14 => (Branch14::MASK, Branch14::put(distance, 0)),
            Fixup::Adr21 => (Adr21::MASK, Adr21::put(distance, 0)),
            Fixup::AdrPage21 => (AdrPage21::MASK, AdrPage21::put(distance, 0)),
        };
        Some(word & !mask | bits)
    }
}

/// An instruction that names a label: its word, without the distance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "an instruction does nothing until it is emitted"]
pub(crate) struct Labelled {
    pub(crate) inst: Inst,
    pub(crate) fixup: Fixup,
}

/// The opposite of a conditional branch: `b.cond`, `cbz`, `cbnz`, `tbz` or `tbnz`. None
/// of anything else. The distance stays.
pub(crate) fn invert(word: u32) -> Option<u32> {
    if word & 0xFF00_0010 == 0x5400_0000 && word & 14 != 14 {
        Some(word ^ 1)
    } else if word & 0x7E00_0000 == 0x3400_0000 || word & 0x7E00_0000 == 0x3600_0000 {
        Some(word ^ 1 << 24)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::isa::aarch64::inst;
    use crate::isa::aarch64::regs::{Cond, Width, x};
    use crate::isa::aarch64::text::text;

    #[test]
    fn distances_reach_as_far_as_they_say() {
        for fixup in Fixup::ALL {
            let (range, unit) = (fixup.range(), fixup.unit());
            for distance in [-range, -unit, 0, unit, range - unit] {
                assert!(fixup.patch(0, distance).is_some(), "{fixup:?} {distance}");
            }
            for distance in [-range - unit, range, range + unit, i64::MIN, i64::MAX] {
                assert_eq!(fixup.patch(0, distance), None, "{fixup:?} {distance}");
            }
            assert!(unit == 1 || fixup.patch(0, unit / 2).is_none());
        }
    }

    #[test]
    fn a_distance_replaces_another() {
        let branch = inst::tbnz(x(7), 40);
        let once = branch.fixup.patch(branch.inst.0, -32768).unwrap();
        assert_eq!(text(Inst(once)), "tbnz x7, #40, .-32768");
        let twice = branch.fixup.patch(once, 8).unwrap();
        assert_eq!(text(Inst(twice)), "tbnz x7, #40, .+8");
    }

    #[test]
    fn branches_invert() {
        let branches = [
            (inst::b_cond(Cond::Eq), inst::b_cond(Cond::Ne)),
            (inst::b_cond(Cond::Le), inst::b_cond(Cond::Gt)),
            (inst::cbz(Width::W, x(3)), inst::cbnz(Width::W, x(3))),
            (inst::cbz(Width::X, x(30)), inst::cbnz(Width::X, x(30))),
            (inst::tbz(x(1), 3), inst::tbnz(x(1), 3)),
            (inst::tbz(x(1), 63), inst::tbnz(x(1), 63)),
        ];
        for (one, other) in branches {
            assert_eq!(invert(one.inst.0), Some(other.inst.0));
            assert_eq!(invert(other.inst.0), Some(one.inst.0));
        }
        for word in [inst::b().inst, inst::bl().inst, inst::ret(), inst::nop()] {
            assert_eq!(invert(word.0), None);
        }
    }
}
