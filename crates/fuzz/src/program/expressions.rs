//! Expressions: code that leaves one value.

use super::TABLE;
use super::body::Body;
use super::code::*;
use crate::mutate::{OFFSETS, draw};
use crate::ops::{self, ACCESSES, Group, LANES, PURE, SINGLE, VECTOR};
use crate::ty::Ty;
use crate::value;
use wasm_encoder::Encode;
use zwasm_regir::opcodes::{Opcode, VectorOpcode};
use zwasm_regir::{BinaryOp, Type, UnaryOp};

/// The type of the operands of a division, which traps if the divisor is zero.
fn divides(code: u32) -> Option<Type> {
    let op = BinaryOp::from_opcode(u16::try_from(code).ok()?)?;
    op.traps().then(|| op.result())
}

/// The conversion that is like one that traps, and does not.
fn total(code: u32) -> Option<u32> {
    let op = UnaryOp::from_opcode(u16::try_from(code).ok()?)?;
    let text = op.text().replace("trunc", "trunc_sat");
    let total = UnaryOp::ALL.iter().find(|total| op.traps() && total.text() == text)?;
    Some(u32::from(total.opcode().to_be_bytes()[1]))
}

impl Body<'_> {
    /// A value of a type.
    pub fn value(&mut self, ty: Ty, depth: u32) {
        self.budget -= 1;
        if depth == 0 || self.budget < 0 {
            return self.leaf(ty);
        }
        if self.small {
            return self.small_value(ty, depth - 1);
        }
        if self.simple {
            return match self.rng.below(8) {
                0 | 1 => self.leaf(ty),
                2 | 3 => self.load(ty, depth - 1),
                _ => self.pure(ty, depth - 1),
            };
        }
        match self.rng.below(24) {
            0..=4 => self.leaf(ty),
            5..=13 => self.pure(ty, depth - 1),
            14 => self.select(ty, depth - 1),
            15 | 16 => self.load(ty, depth - 1),
            17 => self.if_value(ty, depth - 1),
            18 => self.block_value(ty, depth - 1),
            19 => self.switch_value(ty, depth - 1),
            20 => self.call_value(ty, depth - 1),
            21 => self.tee(ty, depth - 1),
            22 => self.caught_value(ty, depth - 1),
            _ => self.special(ty, depth - 1),
        }
    }

    /// A condition, mostly a comparison, here or where a call of a small function ends.
    pub fn condition(&mut self, depth: u32) {
        if !self.small && !self.simple && self.once_in(4) && self.asked(depth.min(1)) {
            return;
        }
        if self.once_in(4) {
            return self.value(Ty::I32, depth);
        }
        let compares = |group: &&Group| group.result == Some(Ty::I32) && group.params.len() == 2;
        let groups: Vec<&Group> =
            PURE.iter().filter(compares).filter(|group| self.has(group)).collect();
        let at = self.rng.below(groups.len());
        self.operate(groups[at], depth);
        if self.once_in(4) {
            self.code.op(I32_EQZ);
        }
    }

    pub fn constant(&mut self, ty: Ty) {
        match ty {
            Ty::I32 => {
                let value = value::integer(self.rng) as i32;
                self.code.i32_const(value);
            }
            Ty::I64 => {
                let value = value::integer(self.rng) as i64;
                self.code.i64_const(value);
            }
            Ty::F32 => {
                self.code.op(F32_CONST);
                self.code.0.extend(value::float32(self.rng).to_le_bytes());
            }
            Ty::F64 => {
                self.code.op(F64_CONST);
                self.code.0.extend(value::float64(self.rng).to_le_bytes());
            }
            Ty::V128 => {
                self.code.0.extend([VECTOR, V128_CONST]);
                self.code.0.extend(value::vector(self.rng).to_le_bytes());
            }
            Ty::Ref(heap) if self.small || self.once_in(2) => self.null(heap),
            Ty::Ref(heap) => self.fresh(heap, 0),
        }
    }

    pub fn leaf(&mut self, ty: Ty) {
        let global = self.layout.globals.iter().position(|each| *each == ty);
        match (self.rng.below(8), self.local(ty, true), global) {
            (0..=4, Some(local), _) => self.code.with(LOCAL_GET, local),
            (5, _, Some(global)) => self.code.with(GLOBAL_GET, global as u32),
            _ => self.constant(ty),
        }
    }

    /// Whether the types of a group are among those of this program.
    pub fn has(&self, group: &Group) -> bool {
        let known = |ty: &Ty| self.layout.tys.contains(ty);
        group.params.iter().all(known)
            && group.result.is_none_or(|ty| known(&ty))
            && (self.layout.relaxed || !group.is_relaxed())
            && !(self.small && group.has(Ty::V128))
    }

    pub fn pure(&mut self, ty: Ty, depth: u32) {
        match ty {
            Ty::Ref(_) if self.small || self.simple => return self.leaf(ty),
            Ty::Ref(heap) => return self.reference(heap, depth),
            _ if !self.small && self.once_in(4) && self.observe(ty, depth) => return,
            _ => {}
        }
        let groups: Vec<&Group> = PURE
            .iter()
            .chain(LANES.iter())
            .filter(|group| group.result == Some(ty) && self.has(group))
            .collect();
        // Groups by their weight, so that no operator is rarer than others.
        let all: usize = groups.iter().map(|group| group.len().min(20)).sum();
        if all == 0 {
            return self.leaf(ty);
        }
        let mut at = self.rng.below(all);
        let found = groups.iter().find(|group| {
            let here = at < group.len().min(20);
            at = at.saturating_sub(group.len().min(20));
            here
        });
        match found {
            Some(group) => self.operate(group, depth),
            None => self.leaf(ty),
        }
    }

    /// An operator of a group, over values.
    pub fn operate(&mut self, group: &Group, depth: u32) {
        let mut code = draw(group, self.rng);
        let mut prefix = group.prefix;
        self.values(&group.params, depth);
        // Most divisors are made odd and most truncations total.
        let tame = !self.once_in(if self.small { 6 } else { 24 });
        if tame && prefix == SINGLE {
            match (divides(code), total(code)) {
                (Some(Type::I32), _) => {
                    self.code.i32_const(1);
                    self.code.op(I32_OR);
                }
                (Some(_), _) => {
                    self.code.i64_const(1);
                    self.code.op(I64_OR);
                }
                (None, Some(total)) => (prefix, code) = (ops::NUMERIC, total),
                (None, None) => {}
            }
        }
        ops::push(&mut self.code.0, prefix, code);
        if LANES.iter().any(|each| std::ptr::eq(each, group)) {
            let lane = self.rng.below(usize::from(ops::lane_count(code))) as u8;
            self.code.op(lane);
        }
    }

    fn select(&mut self, ty: Ty, depth: u32) {
        // At times the same value twice.
        match (self.once_in(5), self.local(ty, true)) {
            (true, Some(local)) => {
                self.code.with(LOCAL_GET, local);
                self.code.with(LOCAL_GET, local);
            }
            _ => self.values(&[ty, ty], depth),
        }
        self.condition(depth);
        if matches!(ty, Ty::Ref(_)) || self.once_in(3) {
            self.code.0.extend([SELECT_TYPED, 1]);
            ty.push(&mut self.code.0);
        } else {
            self.code.op(SELECT);
        }
    }

    fn tee(&mut self, ty: Ty, depth: u32) {
        self.value(ty, depth);
        if let Some(local) = self.local(ty, false) {
            self.code.with(LOCAL_TEE, local);
        }
    }

    /// The address of an access; which memory it is for.
    pub fn address(&mut self, depth: u32) -> u32 {
        let memory = self.rng.below(self.layout.memories.len());
        let is_64 = self.layout.memories[memory];
        // Most accesses are within, for a program that traps at once shows little.
        match self.rng.below(64) {
            // Around the end of the first page, another or everything.
            0..=7 => {
                let end = [0x1_0000, 0x2_0000, 0x3_0000, 0][self.rng.below(12).saturating_sub(8)];
                let address = end - self.rng.below(40) as i64;
                if is_64 {
                    self.code.i64_const(address);
                } else {
                    self.code.i32_const(address as i32);
                }
            }
            8 => self.value(if is_64 { Ty::I64 } else { Ty::I32 }, depth),
            9..=48 => {
                let mask = [0xff, 0xffff, 0xfff8][self.rng.below(3)];
                self.value(if is_64 { Ty::I64 } else { Ty::I32 }, depth);
                if is_64 {
                    self.code.i64_const(mask);
                    self.code.op(I64_AND);
                } else {
                    self.code.i32_const(mask as i32);
                    self.code.op(I32_AND);
                }
            }
            _ => {
                let address = self.rng.below(0x1_0000) as i32;
                if is_64 {
                    self.code.i64_const(i64::from(address));
                } else {
                    self.code.i32_const(address);
                }
            }
        }
        memory as u32
    }

    /// What follows the opcode of an access.
    pub fn memarg(&mut self, memory: u32) {
        let offset = match self.rng.below(64) {
            0 => OFFSETS[self.rng.below(OFFSETS.len())],
            1..=20 => self.rng.below(64) as u32,
            _ => 0,
        };
        if memory == 0 {
            self.code.op(0);
        } else {
            self.code.op(0x40);
            self.code.number(memory);
        }
        offset.encode(&mut self.code.0);
    }

    pub fn load(&mut self, ty: Ty, depth: u32) {
        let loads = ACCESSES.iter().find(|group| group.result == Some(ty));
        let Some(group) = loads else { return self.pure(ty, depth) };
        let memory = self.address(depth);
        let code = draw(group, self.rng);
        ops::push(&mut self.code.0, group.prefix, code);
        self.memarg(memory);
    }

    pub fn if_value(&mut self, ty: Ty, depth: u32) {
        self.condition(depth);
        self.code.block(IF, Some(ty));
        self.within(Some(vec![ty]), |body| {
            body.value(ty, depth);
            body.code.op(ELSE);
            body.value(ty, depth);
        });
    }

    /// A block that may be left early with its value.
    fn block_value(&mut self, ty: Ty, depth: u32) {
        self.code.block(BLOCK, Some(ty));
        self.within(Some(vec![ty]), |body| {
            if body.budget > 0 && body.once_in(2) {
                body.statement(1);
            }
            body.value(ty, depth);
            body.condition(depth);
            body.code.with(BR_IF, 0);
            if body.once_in(2) {
                body.code.op(DROP);
                body.value(ty, depth);
            }
        });
    }

    /// What a `br_table` decides by: at times a condition, mostly not above `mask`.
    pub fn index(&mut self, mask: i32, depth: u32) {
        if self.once_in(4) {
            return self.condition(depth);
        }
        self.value(Ty::I32, depth);
        if !self.once_in(3) {
            self.code.i32_const(mask);
            self.code.op(I32_AND);
        }
    }

    /// A value that a `br_table` carries to one of several places.
    fn switch_value(&mut self, ty: Ty, depth: u32) {
        let places = 1 + self.rng.below(4) as u32;
        for _ in 0..=places {
            self.code.block(BLOCK, Some(ty));
            self.labels.push(Some(vec![ty]));
        }
        self.value(ty, depth);
        self.index(7, depth);
        let targets = self.rng.below(9) as u32;
        self.code.with(BR_TABLE, targets);
        for _ in 0..=targets {
            let to = self.rng.below(places as usize + 1) as u32;
            self.code.number(to);
        }
        for place in 0..=places {
            self.labels.pop();
            self.code.op(END);
            if place < places {
                self.keep_or_drop(&[ty]);
                self.value(ty, depth.min(1));
            }
        }
    }

    /// A call of anything, and a value whose type it should have.
    pub fn call_value(&mut self, ty: Ty, depth: u32) {
        self.call(depth);
        self.leaf(ty);
    }

    /// A call; its results go to locals or away.
    pub fn call(&mut self, depth: u32) {
        let any = self.rng.below(self.layout.functions.len()) as u32;
        let small = if self.small || self.once_in(2) { self.small_function() } else { None };
        let function = small.unwrap_or(any);
        let ty = self.layout.functions[function as usize];
        let signature = self.layout.of_type(ty);
        self.values(&signature.params, depth.min(1));
        match self.rng.below(4) {
            _ if small.is_some() && !self.once_in(6) => self.code.with(CALL, function),
            0 => {
                self.element_of(function);
                self.code.with(CALL_INDIRECT, ty);
                self.code.number(0);
            }
            1 if self.layout.references => {
                self.code.with(REF_FUNC, function);
                self.code.with(CALL_REF, ty);
            }
            _ => self.code.with(CALL, function),
        }
        self.keep_or_drop(&signature.results);
    }

    /// The index in the table of a function, or at times any or one past the end.
    pub fn element_of(&mut self, function: u32) {
        if self.once_in(40) {
            let past = [TABLE as i32, TABLE as i32 + 1, i32::MAX, i32::MIN, -1];
            let index = past[self.rng.below(past.len())];
            self.code.i32_const(index);
        } else if self.once_in(12) {
            self.element();
        } else {
            self.code.i32_const(function as i32);
        }
    }

    /// An index into the table.
    pub fn element(&mut self) {
        if self.once_in(3) {
            let index = self.rng.below(TABLE as usize) as i32;
            self.code.i32_const(index);
        } else {
            self.value(Ty::I32, 1);
            self.code.i32_const(TABLE as i32 - 1);
            self.code.op(I32_AND);
        }
    }

    /// A value of code that may throw, or one for the case that it does.
    fn caught_value(&mut self, ty: Ty, depth: u32) {
        if self.layout.tags.is_empty() {
            return self.pure(ty, depth);
        }
        let tag = self.rng.below(self.layout.tags.len());
        let payload = self.layout.of_type(self.layout.tags[tag]).params;
        let all = self.once_in(4);
        let payload = if all { vec![] } else { payload };
        let caught =
            self.layout.signature(super::Signature { params: vec![], results: payload.clone() });
        self.code.block(BLOCK, Some(ty));
        self.within(Some(vec![ty]), |body| {
            body.code.typed_block(BLOCK, caught);
            body.within(Some(payload.clone()), |body| {
                body.code.block(TRY_TABLE, Some(ty));
                body.code.number(1);
                body.code.op(if all { 2 } else { 0 });
                if !all {
                    body.code.number(tag as u32);
                }
                body.code.number(0);
                body.within(Some(vec![ty]), |body| {
                    if body.once_in(2) {
                        body.throw(1);
                    }
                    body.call(1);
                    body.value(ty, depth);
                });
                body.code.with(BR, 1);
            });
            body.keep_or_drop(&payload);
            body.value(ty, depth.min(1));
        });
    }

    /// Throws if a condition holds.
    pub fn throw(&mut self, depth: u32) {
        if self.layout.tags.is_empty() {
            return;
        }
        let tag = self.rng.below(self.layout.tags.len());
        let params = self.layout.of_type(self.layout.tags[tag]).params;
        self.condition(depth);
        self.code.block(IF, None);
        self.within(Some(vec![]), |body| {
            body.values(&params, depth);
            body.code.with(THROW, tag as u32);
        });
    }

    /// What there is one instruction for.
    fn special(&mut self, ty: Ty, depth: u32) {
        match ty {
            Ty::I32 if self.once_in(2) => {
                self.element();
                self.code.with(TABLE_GET, 0);
                self.code.op(REF_IS_NULL);
            }
            Ty::I64 if self.layout.wide => self.wide(depth),
            Ty::I32 | Ty::I64 => {
                let memory = self.rng.below(self.layout.memories.len());
                let is_64 = self.layout.memories[memory];
                if self.once_in(2) {
                    if is_64 {
                        self.code.i64_const(1);
                    } else {
                        self.code.i32_const(1);
                    }
                    self.code.with(MEMORY_GROW, memory as u32);
                } else {
                    self.code.with(MEMORY_SIZE, memory as u32);
                }
                match (is_64, ty) {
                    (true, Ty::I32) => self.code.op(I64_EQZ),
                    (false, Ty::I64) => self.code.op(I64_EXTEND_I32_U),
                    _ => {}
                }
            }
            Ty::V128 => {
                self.values(&[ty, ty], depth);
                ops::push(&mut self.code.0, VECTOR, VectorOpcode::I8x16Shuffle as u32);
                for _ in 0..16 {
                    let lane = self.rng.below(32) as u8;
                    self.code.op(lane);
                }
            }
            Ty::F32 | Ty::F64 => self.select(ty, depth),
            Ty::Ref(heap) if self.converted(heap, depth) => {}
            Ty::Ref(_) => self.select(ty, depth),
        }
    }

    /// Arithmetic on 128 bits, its halves combined.
    fn wide(&mut self, depth: u32) {
        let (opcode, operands) = [
            (Opcode::I64Add128, 4),
            (Opcode::I64Sub128, 4),
            (Opcode::I64MulWideS, 2),
            (Opcode::I64MulWideU, 2),
        ][self.rng.below(4)];
        self.values(&[Ty::I64; 4][..operands], depth.min(1));
        ops::push_opcode(&mut self.code.0, opcode);
        if self.once_in(2) {
            self.keep_or_drop(&[Ty::I64]);
        } else {
            self.code.op(I64_XOR);
        }
    }
}
