//! Statements about one address, at several distances from it and at the ends of memories:
//! what has been compared already, what of a loaded value is looked at, and memories that
//! grow in between. And what is chosen of two numbers.

use super::body::Body;
use super::code::*;
use crate::mutate::draw;
use crate::ops::{self, ACCESSES, Group};
use crate::ty::Ty;

/// Constant addresses: at the start, and around the ends of pages.
const PLACES: [i64; 8] = [0, 8, 0xfff0, 0xfff8, 0xffff, 0x1_0000, 0x1_fff8, 0x2_fff4];

/// Distances.
const OFFSETS: [u32; 9] = [0, 0, 1, 2, 4, 7, 8, 12, 16];

impl Body<'_> {
    /// Loads and stores of all sizes around one address.
    pub fn neighbours(&mut self, depth: u32) {
        let memory = self.rng.below(self.layout.memories.len()) as u32;
        let ty = if self.layout.memories[memory as usize] { Ty::I64 } else { Ty::I32 };
        let cut = self.rng.below(8);
        let address = self.recorded(|body| match cut {
            0..=3 => {
                let place = PLACES[body.rng.below(if cut == 0 { PLACES.len() } else { 4 })];
                body.integer(ty, place);
            }
            4 => body.leaf(ty),
            _ => {
                body.value(ty, 1);
                body.integer(ty, 0xfff8);
                body.code.op(if ty == Ty::I64 { I64_AND } else { I32_AND });
            }
        });
        for _ in 0..2 + self.rng.below(4) {
            match self.rng.below(12) {
                0 => {
                    let more = self.rng.below(2) as i64;
                    self.integer(ty, more);
                    self.code.with(MEMORY_GROW, memory);
                    self.code.op(DROP);
                }
                1 | 2 => {
                    // On one of two ways.
                    self.condition(1);
                    self.code.block(IF, None);
                    self.within(Some(vec![]), |body| {
                        body.access(&address, memory);
                        if body.once_in(2) {
                            body.statement(depth.min(1));
                        }
                    });
                }
                _ => self.access(&address, memory),
            }
        }
    }

    fn integer(&mut self, ty: Ty, value: i64) {
        match ty {
            Ty::I64 => self.code.i64_const(value),
            _ => self.code.i32_const(value as i32),
        }
    }

    /// A load or a store at a distance from an address.
    fn access(&mut self, address: &[u8], memory: u32) {
        let numbers: Vec<Ty> =
            self.layout.tys.iter().copied().filter(|ty| !matches!(ty, Ty::Ref(_))).collect();
        let ty = numbers[self.rng.below(numbers.len())];
        let loads = self.once_in(2);
        let fits = |group: &&Group| match loads {
            true => group.result == Some(ty),
            false => group.result.is_none() && group.params == [ty],
        };
        let Some(group) = ACCESSES.iter().find(fits) else { return };
        self.code.0.extend(address);
        if !loads {
            self.value(ty, 1);
        }
        ops::push(&mut self.code.0, group.prefix, draw(group, self.rng));
        self.code.0.extend(if memory == 0 { vec![0] } else { vec![0x40, memory as u8] });
        let offset = OFFSETS[self.rng.below(OFFSETS.len())];
        self.code.number(offset);
        if loads {
            self.part(ty);
        }
    }

    /// Uses some of a value: some of its bits, or whether there are any.
    fn part(&mut self, ty: Ty) {
        let is_64 = ty == Ty::I64;
        if !matches!(ty, Ty::I32 | Ty::I64) {
            return self.show(ty);
        }
        let op = |op: u8| if is_64 { op - I32_ADD + I64_ADD } else { op };
        let mask = [1, 0x80, 0xff, 0xffff, 0x7fff_ffff, 0xffff_ffff, -2][self.rng.below(7)];
        match self.rng.below(7) {
            0 => {}
            1 => {
                self.integer(ty, mask);
                self.code.op(op(I32_AND));
            }
            2 => {
                let by = self.rng.below(if is_64 { 64 } else { 32 }) as i64;
                self.integer(ty, by);
                self.code.op(op([I32_SHR_U, I32_SHL][self.rng.below(2)]));
            }
            3 if is_64 => {
                self.code.op(I32_WRAP);
                return self.show(Ty::I32);
            }
            4 => {
                self.leaf(ty);
                let kind = [I32_ADD, I32_SUB, I32_AND, I32_OR, I32_XOR, I32_MUL];
                self.code.op(op(kind[self.rng.below(kind.len())]));
            }
            _ => {
                // A branch on a comparison, at times of some bits only.
                if self.once_in(2) {
                    self.integer(ty, mask);
                    self.code.op(op(I32_AND));
                }
                if self.once_in(2) {
                    self.code.op(if is_64 { I64_EQZ } else { I32_EQZ });
                } else {
                    let with = [0, 1, 65, 255, -1, mask][self.rng.below(6)];
                    self.integer(ty, with);
                    let compare = if is_64 { I64_EQZ } else { I32_EQZ };
                    self.code.op(compare + 1 + self.rng.below(10) as u8);
                }
                self.code.block(IF, None);
                return self.within(Some(vec![]), |body| body.assign(1));
            }
        }
        self.show(ty);
    }

    /// The lesser or greater of two numbers, one within bounds, or its magnitude: by a
    /// comparison of the same operands, in any order.
    pub fn chosen(&mut self) {
        let numbers = [Ty::I32, Ty::I64, Ty::F32, Ty::F64];
        let ty = numbers[self.rng.below(if self.layout.tys.contains(&Ty::F64) { 4 } else { 2 })];
        // The first comparison with two operands, and how many there are.
        let (compare, count) = match ty {
            Ty::I64 => (I64_EQZ + 1, 10),
            Ty::F32 => (F32_EQ, 6),
            Ty::F64 => (F64_EQ, 6),
            _ => (I32_EQZ + 1, 10),
        };
        let compare = compare + self.rng.below(count) as u8;
        let a = self.recorded_value(ty, 1);
        let b = self.recorded_value(ty, 1);
        let zero = self.recorded(|body| body.constant(ty));
        let negated = match ty {
            Ty::I32 | Ty::I64 => {
                let sub = if ty == Ty::I64 { I64_SUB } else { I32_SUB };
                self.recorded(|body| {
                    body.integer(ty, 0);
                    body.code.0.extend(&a);
                    body.code.op(sub);
                })
            }
            _ => b.clone(),
        };
        let least = [&a[..], &b, &a, &b, &[compare, SELECT]].concat();
        let bytes = match self.rng.below(5) {
            0 | 1 => least,
            2 => [&b[..], &a, &a, &b, &[compare, SELECT]].concat(),
            3 => [&negated[..], &a, &a, &zero, &[compare, SELECT]].concat(),
            _ => [&least[..], &zero, &least, &zero, &[compare, SELECT]].concat(),
        };
        self.code.0.extend(bytes);
        self.show(ty);
    }
}
