//! `i8x16.shuffle`: operands and results. What a shuffle becomes is decided in
//! [`crate::isa::x64::vector_shuffle`].

use crate::baseline::Compiler;
use crate::baseline::state::Class;
use crate::isa::x64::Assembler;
use crate::isa::x64::vector_shuffle::{Shuffle, Single, shuffle};
use zwasm_regir::Slot;

impl Compiler<'_, Assembler> {
    pub(super) fn shuffle(&mut self, dst: Slot, a: Slot, b: Slot, lanes: [u8; 16]) {
        match shuffle(lanes, a == b) {
            Shuffle::Single { second, how } => {
                let (used, unused) = if second { (b, a) } else { (a, b) };
                if unused != used {
                    self.consume(unused);
                }
                self.shuffle_one(dst, used, how);
            }
            Shuffle::One(one) => self.in_one(dst, a, b, one),
            Shuffle::Tables(tables) => {
                let (first, second) = (self.vector_operand(a), self.vector_operand(b));
                self.consume(a);
                self.consume(b);
                let reg = self.alloc(Class::Vector, Some(dst.0));
                self.asm.shuffle_by_tables(tables, reg, first, second);
                self.define(reg, dst, Class::Vector);
            }
        }
    }

    fn shuffle_one(&mut self, dst: Slot, a: Slot, how: Single) {
        if how == Single::Same {
            return self.unchanged(dst, a);
        }
        let src = self.vector_operand(a);
        self.consume(a);
        let reg = self.result(dst);
        self.asm.shuffle_single(how, reg, src);
        self.define(reg, dst, Class::Vector);
    }
}
