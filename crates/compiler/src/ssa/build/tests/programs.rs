//! Random bodies of functions.

use super::{F32, I32, I64, LOCALS, TYPES, V128};
use zwasm_regir::Type;

/// Numbers that look random.
pub(super) struct Random(pub(super) u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        ((self.0 ^ self.0 >> 31) >> 16) as usize % end
    }
}

/// Writes a body.
pub(super) struct Writer<'a> {
    random: &'a mut Random,
    bytes: Vec<u8>,
    /// For each open label the types that a branch to it carries; innermost last.
    labels: Vec<&'static [Type]>,
    /// What may still be written.
    budget: usize,
}

impl Writer<'_> {
    pub(super) fn body(random: &mut Random) -> Vec<u8> {
        let mut bytes = vec![LOCALS.len() as u8];
        LOCALS.iter().for_each(|ty| bytes.extend([1, code(*ty)]));
        let mut writer = Writer { random, bytes, labels: Vec::new(), budget: 120 };
        writer.statements();
        TYPES[0].1.iter().for_each(|ty| writer.expression(*ty, 2));
        writer.bytes.push(0x0B);
        writer.bytes
    }

    fn local(&mut self, ty: Type) -> u8 {
        let all: Vec<Type> = TYPES[0].0.iter().chain(&LOCALS).copied().collect();
        loop {
            let index = self.random.below(all.len());
            if all[index] == ty {
                return index as u8;
            }
        }
    }

    fn expression(&mut self, ty: Type, deep: usize) {
        self.budget = self.budget.saturating_sub(1);
        let pick = if deep == 0 || self.budget == 0 { 0 } else { self.random.below(10) };
        match (pick, ty) {
            (0..2, _) => {
                let local = self.local(ty);
                self.bytes.extend([0x20, local]);
            }
            (2, I32) => {
                let bits = self.random.below(64) as u8;
                self.bytes.extend([0x41, bits]);
            }
            (2, I64) => {
                let bits = self.random.below(64) as u8;
                self.bytes.extend([0x42, bits]);
            }
            (2, F32) => {
                let bits = self.random.below(200) as u8;
                self.bytes.extend([0x43, bits, 1, 2, 3]);
            }
            (2, _) => {
                self.bytes.extend([0xFD, 0x0C]);
                let bytes: [u8; 16] = core::array::from_fn(|_| self.random.below(256) as u8);
                self.bytes.extend(bytes);
            }
            (3, I32) => {
                self.expression(F32, deep - 1);
                self.bytes.push(0xBC);
            }
            (3, I64) => {
                self.expression(V128, deep - 1);
                let lane = self.random.below(2) as u8;
                self.bytes.extend([0xFD, 0x1D, lane]);
            }
            (3, F32) => {
                self.expression(I32, deep - 1);
                self.bytes.push(0xBE);
            }
            (3, _) => {
                self.expression(I64, deep - 1);
                self.bytes.extend([0xFD, 0x12]);
            }
            (4, _) => {
                self.expression(I32, deep - 1);
                self.bytes.extend([0x04, code(ty)]);
                self.labels.push(list(ty));
                self.expression(ty, deep - 1);
                self.bytes.push(0x05);
                self.expression(ty, deep - 1);
                self.bytes.push(0x0B);
                self.labels.pop();
            }
            (5, _) => {
                self.bytes.extend([0x02, code(ty)]);
                self.labels.push(list(ty));
                self.statement();
                self.expression(ty, deep - 1);
                self.expression(I32, deep - 1);
                // Perhaps out of an outer block that takes the same.
                let depth = self.label(list(ty));
                self.bytes.extend([0x0D, depth, 0x0B]);
                self.labels.pop();
            }
            (6, _) => {
                self.expression(ty, deep - 1);
                self.expression(ty, deep - 1);
                self.expression(I32, deep - 1);
                self.bytes.extend([0x1C, 1, code(ty)]);
            }
            (7, _) => {
                self.expression(ty, deep - 1);
                let local = self.local(ty);
                self.bytes.extend([0x22, local]);
            }
            (8, I32) => {
                self.expression(I32, deep - 1);
                self.bytes.extend([0x10, 0]);
            }
            (_, I32 | I64) => {
                self.expression(ty, deep - 1);
                self.expression(ty, deep - 1);
                let ops: [u8; 4] =
                    if ty == I32 { [0x6A, 0x73, 0x6B, 0x49] } else { [0x7C, 0x85, 0x7D, 0x7C] };
                let op = ops[self.random.below(4)];
                self.bytes.push(op);
            }
            _ => self.expression(ty, deep - 1),
        }
    }

    /// A label that takes these types, of the innermost or any.
    fn label(&mut self, types: &[Type]) -> u8 {
        let depths = 0..self.labels.len();
        let fits: Vec<usize> =
            depths.filter(|depth| self.labels[self.labels.len() - 1 - depth] == types).collect();
        fits[self.random.below(fits.len())] as u8
    }

    fn statements(&mut self) {
        for _ in 0..1 + self.random.below(4) {
            self.statement();
        }
    }

    fn statement(&mut self) {
        if self.budget == 0 {
            return;
        }
        self.budget -= 1;
        let open = self.labels.iter().any(|types| types.is_empty());
        match self.random.below(14) {
            0..5 => {
                let ty = [I32, I64, F32, V128, I32][self.random.below(5)];
                self.expression(ty, 3);
                let local = self.local(ty);
                self.bytes.extend([0x21, local]);
            }
            5 => {
                self.bytes.extend([0x02, 0x40]);
                self.inside(&[]);
            }
            6 | 7 => {
                self.bytes.extend([0x03, 0x40]);
                self.labels.push(&[]);
                self.statements();
                self.expression(I32, 2);
                let depth = self.label(&[]);
                self.bytes.extend([0x0D, depth, 0x0B]);
                self.labels.pop();
            }
            8 => {
                self.expression(I32, 2);
                self.bytes.extend([0x04, 0x40]);
                self.labels.push(&[]);
                self.statements();
                self.bytes.push(0x05);
                self.statement();
                if self.random.below(4) == 0 {
                    let depth = self.label(&[]);
                    self.bytes.extend([0x0C, depth]);
                }
                self.bytes.push(0x0B);
                self.labels.pop();
            }
            9 if open => {
                self.expression(I32, 2);
                let depth = self.label(&[]);
                self.bytes.extend([0x0D, depth]);
            }
            10 if open => {
                self.bytes.extend([0x02, 0x40]);
                self.labels.push(&[]);
                self.expression(I32, 2);
                let count = 1 + self.random.below(4);
                self.bytes.extend([0x0E, count as u8]);
                for _ in 0..=count {
                    let depth = self.label(&[]);
                    self.bytes.push(depth);
                }
                self.bytes.push(0x0B);
                self.labels.pop();
            }
            11 => {
                // A loop with values on the stack below it and as its parameters.
                self.expression(F32, 2);
                self.expression(I32, 2);
                self.expression(I64, 2);
                self.bytes.extend([0x03, 2]);
                self.labels.push(TYPES[2].0);
                let (i32, i64) = (self.local(I32), self.local(I64));
                self.bytes.extend([0x21, i64, 0x21, i32]);
                self.statement();
                self.expression(I32, 2);
                self.bytes.extend([0x20, i64]);
                self.expression(I32, 1);
                let depth = self.label(TYPES[2].0);
                self.bytes.extend([0x0D, depth, 0x0B]);
                self.labels.pop();
                let (i32, i64, f32) = (self.local(I32), self.local(I64), self.local(F32));
                self.bytes.extend([0x21, i64, 0x21, i32, 0x21, f32]);
            }
            12 => {
                // What is caught is stored.
                self.bytes.extend([0x02, 0x40, 0x02, 4]);
                self.labels.push(&[]);
                self.labels.push(TYPES[3].0);
                let all = self.random.below(2) as u8;
                self.bytes.extend([0x1F, 0x40, 1 + all, 0, 0, 0]);
                if all == 1 {
                    self.bytes.extend([2, 1]);
                }
                self.labels.push(&[]);
                self.statements();
                self.bytes.push(0x0B);
                self.labels.pop();
                let (i32, v128) = (self.local(I32), self.local(V128));
                self.bytes.extend([0x0C, 1, 0x0B]);
                self.labels.pop();
                self.bytes.extend([0x21, v128, 0x21, i32, 0x0B]);
                self.labels.pop();
            }
            _ => {
                self.expression(I32, 2);
                self.bytes.extend([0x10, 0, 0x1A]);
            }
        }
    }

    fn inside(&mut self, types: &'static [Type]) {
        self.labels.push(types);
        self.statements();
        self.bytes.push(0x0B);
        self.labels.pop();
    }
}

fn code(ty: Type) -> u8 {
    match ty {
        Type::I32 => 0x7F,
        Type::I64 => 0x7E,
        Type::F32 => 0x7D,
        Type::V128 => 0x7B,
        Type::F64 | Type::Ref => unreachable!("there are none"),
    }
}

fn list(ty: Type) -> &'static [Type] {
    match ty {
        Type::I32 => &[I32],
        Type::I64 => &[I64],
        Type::F32 => &[F32],
        Type::V128 => &[V128],
        Type::F64 | Type::Ref => unreachable!("there are none"),
    }
}
