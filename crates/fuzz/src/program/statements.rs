//! Statements: code that leaves the operand stack as it was.

use super::Signature;
use super::body::{Body, COUNTERS};
use super::code::*;
use crate::mutate::draw;
use crate::ops::{self, ACCESSES, Group};
use crate::ty::Ty;
use zwasm_regir::opcodes::Opcode;

impl Body<'_> {
    /// A statement; `depth` is how far blocks in it may nest.
    pub fn statement(&mut self, depth: u32) {
        self.budget -= 2;
        if depth == 0 {
            return self.assign(2);
        }
        match self.rng.below(35) {
            0..=5 => self.assign(3),
            6..=8 => self.store(),
            9 => self.set_global(),
            10 | 11 => self.branch_over(depth - 1),
            12 => self.leave_block(depth - 1),
            13 | 14 => self.counted_loop(depth - 1),
            15 | 16 => self.carrying_loop(depth - 1),
            17 => self.switch(depth - 1),
            18 => self.call(2),
            19 => self.leave(),
            20 => self.swap(),
            21 | 22 => self.stretch(),
            23 | 33 => self.set_object(),
            24 => self.stacked(depth - 1),
            25 => self.decided(depth - 1),
            26..=32 => self.pattern(depth - 1),
            _ => self.rare(depth - 1),
        }
    }

    pub fn statements(&mut self, depth: u32) {
        for _ in 0..1 + self.rng.below(4) {
            self.statement(depth);
        }
    }

    pub fn assign(&mut self, depth: u32) {
        let ty = self.any_ty();
        self.value(ty, depth);
        self.keep_or_drop(&[ty]);
    }

    pub fn set_global(&mut self) {
        let global = self.rng.below(self.layout.globals.len());
        self.value(self.layout.globals[global], 2);
        self.code.with(GLOBAL_SET, global as u32);
    }

    pub fn store(&mut self) {
        let ty = self.any_ty();
        let stores = |group: &&Group| group.result.is_none() && group.params == [ty];
        let Some(group) = ACCESSES.iter().find(stores) else { return };
        let memory = self.address(2);
        self.value(ty, 2);
        let code = draw(group, self.rng);
        ops::push(&mut self.code.0, group.prefix, code);
        self.memarg(memory);
    }

    fn branch_over(&mut self, depth: u32) {
        self.condition(2);
        self.code.block(IF, None);
        self.within(Some(vec![]), |body| {
            body.statements(depth);
            if body.once_in(2) {
                body.code.op(ELSE);
                body.statements(depth);
            }
        });
    }

    /// A block with results that branches leave with them.
    fn leave_block(&mut self, depth: u32) {
        let results: Vec<Ty> = (0..self.rng.below(4)).map(|_| self.any_ty()).collect();
        let ty = self.layout.signature(Signature { params: vec![], results: results.clone() });
        self.code.typed_block(BLOCK, ty);
        self.within(Some(results.clone()), |body| {
            body.statements(depth);
            body.values(&results, 1);
            body.condition(1);
            body.code.with(BR_IF, 0);
            body.keep_or_drop(&results);
            body.statements(depth);
            body.values(&results, 1);
        });
        self.keep_or_drop(&results);
    }

    /// How many loops are around.
    pub fn loops(&self) -> usize {
        self.labels.iter().filter(|label| label.is_none()).count()
    }

    /// Sets the next counter, if there is one left.
    pub fn start_counter(&mut self) -> Option<Counter> {
        let nested = self.loops();
        if nested >= COUNTERS {
            return None;
        }
        let local = (self.counters + nested) as u32;
        let rounds = 1 + self.rng.below([12, 4, 3][nested]) as i64;
        let is_64 = self.locals[local as usize] == Ty::I64;
        let up = self.once_in(2);
        let start = if up { -rounds } else { rounds };
        if is_64 {
            self.code.i64_const(start);
        } else {
            self.code.i32_const(start as i32);
        }
        self.code.with(LOCAL_SET, local);
        Some(Counter { local, is_64, up })
    }

    /// Leaves the condition under which the loop goes on.
    pub fn step(&mut self, counter: &Counter) {
        let Counter { local, is_64, up } = *counter;
        self.code.with(LOCAL_GET, local);
        if is_64 {
            self.code.i64_const(1);
            self.code.op(if up { I64_ADD } else { I64_SUB });
        } else {
            self.code.i32_const(1);
            self.code.op(if up { I32_ADD } else { I32_SUB });
        }
        self.code.with(LOCAL_TEE, local);
        match (is_64, up) {
            // It counts up to zero, or down to it.
            (false, true) => {
                self.code.i32_const(0);
                self.code.op(I32_LT_S);
            }
            (false, false) if self.once_in(2) => {
                self.code.i32_const(0);
                self.code.op(I32_NE);
            }
            (false, false) => {}
            (true, _) if self.once_in(2) => {
                self.code.op(I64_EQZ);
                self.code.op(I32_EQZ);
            }
            (true, _) => {
                // Zero is the only number that is not above it.
                self.code.op(DROP);
                self.code.i64_const(0);
                self.code.with(LOCAL_GET, local);
                self.code.op(I64_LT_U);
            }
        }
    }

    pub fn counted_loop(&mut self, depth: u32) {
        let Some(counter) = self.start_counter() else {
            return self.assign(2);
        };
        self.code.block(LOOP, None);
        self.within(None, |body| {
            body.statements(depth);
            body.step(&counter);
            body.code.with(BR_IF, 0);
        });
    }

    /// A loop with parameters, which each round takes and gives.
    fn carrying_loop(&mut self, depth: u32) {
        if self.loops() >= COUNTERS {
            return self.assign(2);
        }
        let carried: Vec<Ty> = (0..1 + self.rng.below(4)).map(|_| self.any_ty()).collect();
        let same = Signature { params: carried.clone(), results: carried.clone() };
        let ty = self.layout.signature(same);
        // There may be loops in the values, which use the counter before this one.
        self.values(&carried, 1);
        let Some(counter) = self.start_counter() else { return };
        self.code.typed_block(LOOP, ty);
        self.within(None, |body| {
            if body.once_in(2) {
                // What was carried stays on the stack under the statements.
                body.statements(depth);
            } else {
                body.keep_or_drop(&carried);
                body.statements(depth);
                body.values(&carried, 2);
            }
            body.step(&counter);
            body.code.with(BR_IF, 0);
        });
        self.keep_or_drop(&carried);
    }

    fn switch(&mut self, depth: u32) {
        let places = 1 + self.rng.below(4) as u32;
        for _ in 0..=places {
            self.code.block(BLOCK, None);
            self.labels.push(Some(vec![]));
        }
        self.index(3, 2);
        let targets = self.rng.below(7) as u32;
        self.code.with(BR_TABLE, targets);
        for _ in 0..=targets {
            let to = self.rng.below(places as usize + 1) as u32;
            self.code.number(to);
        }
        for place in 0..=places {
            self.labels.pop();
            self.code.op(END);
            if place < places {
                self.statements(depth.min(1));
                if self.once_in(2) {
                    let out = self.rng.below((places - place) as usize) as u32;
                    self.code.with(BR, out);
                }
            }
        }
    }

    /// Leaves the function or a block around, if a condition holds.
    fn leave(&mut self) {
        self.condition(2);
        if self.once_in(2)
            && let Some((away, carried)) = self.label()
            && carried.is_empty()
        {
            return self.code.with(BR_IF, away);
        }
        self.code.block(IF, None);
        self.within(Some(vec![]), |body| match (body.rng.below(4), body.label()) {
            (0, Some((away, carried))) => {
                body.values(&carried, 1);
                body.code.with(BR, away);
            }
            (1 | 2, _) => body.tail_call(),
            _ => {
                let results = body.results.clone();
                body.values(&results, 1);
                body.code.op(RETURN);
            }
        });
    }

    fn tail_call(&mut self) {
        let same = |ty: &&u32| self.layout.of_type(**ty).results == self.results;
        let fitting: Vec<u32> = self.layout.functions.iter().filter(same).copied().collect();
        let Some(&ty) = self.rng.pick(&fitting) else {
            return self.code.op(UNREACHABLE);
        };
        let params = self.layout.of_type(ty).params;
        self.values(&params, 1);
        let of_type: Vec<u32> = (0..self.layout.functions.len() as u32)
            .filter(|function| self.layout.functions[*function as usize] == ty)
            .collect();
        let function = of_type[self.rng.below(of_type.len())];
        match self.rng.below(3) {
            0 => {
                self.element_of(function);
                self.code.with(RETURN_CALL_INDIRECT, ty);
                self.code.number(0);
            }
            1 if self.layout.references => {
                self.code.with(REF_FUNC, function);
                self.code.with(RETURN_CALL_REF, ty);
            }
            _ => self.code.with(RETURN_CALL, function),
        }
    }

    /// Two locals change places.
    fn swap(&mut self) {
        let ty = self.any_ty();
        if let (Some(one), Some(two)) = (self.local(ty, false), self.local(ty, false)) {
            self.code.with(LOCAL_GET, one);
            self.code.with(LOCAL_GET, two);
            self.code.with(LOCAL_SET, one);
            self.code.with(LOCAL_SET, two);
        }
    }

    fn rare(&mut self, depth: u32) {
        match self.rng.below(6) {
            0 => self.throw(2),
            // memory.fill, of a few bytes.
            1 => {
                let memory = self.address(1);
                self.value(Ty::I32, 1);
                self.length(self.layout.memories[memory as usize]);
                ops::push_opcode(&mut self.code.0, Opcode::MemoryFill);
                self.code.number(memory);
            }
            // memory.copy; its length is short where either address is.
            2 => {
                let to = self.address(1);
                let from = self.address(1);
                let is_64 = |memory: u32| self.layout.memories[memory as usize];
                self.length(is_64(to) && is_64(from));
                ops::push_opcode(&mut self.code.0, Opcode::MemoryCopy);
                self.code.number(to);
                self.code.number(from);
            }
            3 => self.branch_on_null(),
            4 => self.throw_again(),
            _ => self.statements(depth),
        }
    }

    /// Values that stay on the operand stack below blocks and branches, most of them
    /// constants.
    fn stacked(&mut self, depth: u32) {
        let most = [4, 4, 12, 12, 50][self.rng.below(5)];
        let tys: Vec<Ty> = (0..1 + self.rng.below(most)).map(|_| self.any_ty()).collect();
        self.budget -= tys.len() as i32;
        let constant = self.once_in(2);
        for &ty in &tys {
            if !constant && self.once_in(4) { self.value(ty, 1) } else { self.constant(ty) }
        }
        self.branch_over(depth.min(1));
        if self.once_in(2)
            && let Some((away, carried)) = self.label()
            && tys.ends_with(&carried)
        {
            // What stays is carried, or dropped by the branch.
            self.condition(1);
            self.code.with(BR_IF, away);
        }
        let kept = self.rng.below(tys.len() + 1);
        for &ty in tys[kept..].iter().rev() {
            self.show(ty);
        }
        if kept > 0 && self.once_in(2) {
            self.stretch();
        }
        self.keep_or_drop(&tys[..kept]);
    }

    /// Values that wait on the operand stack for a condition: it decides between
    /// others, or whether the block is left with all.
    fn decided(&mut self, depth: u32) {
        let most = [3, 3, 3, 24][self.rng.below(4)];
        let tys: Vec<Ty> = (0..1 + self.rng.below(most)).map(|_| self.any_ty()).collect();
        self.budget -= tys.len() as i32;
        let leave = self.once_in(3);
        if leave {
            let results = tys.clone();
            let ty = self.layout.signature(Signature { params: vec![], results });
            self.code.typed_block(BLOCK, ty);
            self.labels.push(Some(tys.clone()));
        }
        tys.iter().for_each(|ty| self.leaf(*ty));
        self.condition(1);
        if leave {
            self.code.with(BR_IF, 0);
            self.changed(&tys, depth);
            self.labels.pop();
            self.code.op(END);
        } else {
            // Without parameters, as the other engine carries those wrongly.
            let results = tys[self.rng.below(tys.len() + 1)..].to_vec();
            let ty = self.layout.signature(Signature { params: vec![], results: results.clone() });
            self.code.typed_block(IF, ty);
            self.within(Some(results.clone()), |body| {
                body.statement(depth);
                results.iter().for_each(|ty| body.leaf(*ty));
                body.code.op(ELSE);
                results.iter().for_each(|ty| body.leaf(*ty));
            });
            self.keep_or_drop(&results);
        }
        for &ty in tys.iter().rev() {
            self.show(ty);
        }
    }

    /// Statements above values that stay on the stack, or other values for them.
    fn changed(&mut self, tys: &[Ty], depth: u32) {
        if self.once_in(2) {
            self.statement(depth);
        } else {
            self.keep_or_drop(tys);
            tys.iter().for_each(|ty| self.leaf(*ty));
        }
    }

    fn length(&mut self, is_64: bool) {
        let most = [4, 40, 300][self.rng.below(3)];
        let length = self.rng.below(most) as i32;
        if is_64 {
            self.code.i64_const(i64::from(length));
        } else {
            self.code.i32_const(length);
        }
    }
}

/// What counts a loop.
pub struct Counter {
    pub local: u32,
    pub is_64: bool,
    up: bool,
}
