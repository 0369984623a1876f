//! Small functions, as compilers of languages make them by the thousand and ours
//! inlines them: with locals of several types that may be read before they are
//! written, one conversion or access, a result or none. And stretches of calls of
//! them, in which the locals of one take the slots of another.
//!
//! Others answer a question, as the condition of a branch. Often one ends with a call
//! of the next, so that the locals of both die at the same comparison.

use super::Signature;
use super::body::Body;
use super::code::*;
use super::{Layout, Role};
use crate::ty::Ty;
use zwasm_wast::mutate::Rng;

/// Most locals of a small function, with its parameters.
const MOST_SLOTS: usize = 6;

impl Layout {
    /// The signature of a small function.
    pub fn draw_small_signature(&mut self, rng: &mut Rng) -> u32 {
        // Those with vectors are not inlined.
        let tys: Vec<Ty> = match rng.below(8) {
            0 => self.tys.clone(),
            _ => self.tys.iter().copied().filter(|ty| *ty != Ty::V128).collect(),
        };
        let mut some =
            |most| (0..rng.below(most)).map(|_| tys[rng.below(tys.len())]).collect::<Vec<_>>();
        let (params, mut results) = (some(4), some(3));
        results.truncate(if params.len() == 3 { 1 } else { 2 });
        self.signature(Signature { params, results })
    }

    /// Functions that answer questions: some by themselves, the others by these. They
    /// have few parameters, so that there is room for those of two in one caller.
    pub fn draw_tests(&mut self, rng: &mut Rng) {
        let first = self.functions.len();
        let most: usize = [0, 0, 3, 5][rng.below(4)];
        for at in 0..most {
            let params = self.draw_number_types(1, 2, rng);
            let ty = self.signature(Signature { params, results: vec![Ty::I32] });
            self.functions.push(ty);
            let by_itself = most.div_ceil(2);
            let last = (at >= by_itself).then(|| (first + rng.below(by_itself)) as u32);
            self.roles.push(Role::Test { last });
        }
    }

    /// From `least` to `most` types of numbers.
    pub fn draw_number_types(&self, least: usize, most: usize, rng: &mut Rng) -> Vec<Ty> {
        let is_number = |ty: &Ty| !matches!(ty, Ty::V128 | Ty::Ref(_));
        let all: Vec<Ty> = self.tys.iter().copied().filter(is_number).collect();
        let count = least + rng.below(most - least + 1);
        (0..count).map(|_| all[rng.below(all.len())]).collect()
    }
}

impl Body<'_> {
    /// Locals of a small function beside its parameters.
    pub fn draw_small_locals(layout: &Layout, params: usize, rng: &mut Rng) -> Vec<Ty> {
        let most = MOST_SLOTS.saturating_sub(params);
        let tys = |ty: &&Ty| **ty != Ty::V128;
        let all: Vec<Ty> = layout.tys.iter().filter(tys).copied().collect();
        (0..rng.below(most + 1)).map(|_| all[rng.below(all.len())]).collect()
    }

    /// The statements and results of a small function.
    pub fn small(&mut self) {
        for _ in 0..self.rng.below(3) {
            match self.rng.below(10) {
                // Chains of small functions come of it.
                9 => self.call(0),
                0..=5 => self.write_local(),
                6 => self.store(),
                7 => self.set_global(),
                _ => {
                    self.condition(0);
                    self.code.block(IF, None);
                    self.within(Some(vec![]), Self::write_local);
                }
            }
        }
        for ty in self.results.clone() {
            // Mostly what a local has, often none that was written.
            match self.local(ty, true) {
                Some(local) if self.once_in(2) => self.code.with(LOCAL_GET, local),
                _ => self.value(ty, 1),
            }
        }
    }

    /// The statements of a function that answers a question, and the answer.
    pub fn answer(&mut self, last: Option<u32>) {
        // What is asked about was mostly computed just before.
        for _ in 0..1 + self.rng.below(2) {
            let local = self.rng.below(self.locals.len());
            self.pure(self.locals[local], 0);
            self.code.with(LOCAL_SET, local as u32);
        }
        match last {
            Some(function) => {
                self.values(&self.layout.of_function(function).params, 0);
                self.code.with(CALL, function);
            }
            None => self.condition(0),
        }
        if self.once_in(6) {
            self.code.op(I32_EQZ);
        }
    }

    /// The answer of a function to a question, if there are any.
    pub fn asked(&mut self, depth: u32) -> bool {
        let is_test = |at: &u32| matches!(self.layout.roles[*at as usize], Role::Test { .. });
        let all: Vec<u32> = (0..self.layout.functions.len() as u32).filter(is_test).collect();
        let Some(&function) = self.rng.pick(&all) else { return false };
        self.values(&self.layout.of_function(function).params, depth);
        self.code.with(CALL, function);
        true
    }

    fn write_local(&mut self) {
        let all: Vec<Ty> = self.locals.clone();
        let ty = match self.rng.pick(&all) {
            Some(ty) => *ty,
            None => return,
        };
        self.value(ty, 1);
        match self.local(ty, false) {
            Some(local) => self.code.with(LOCAL_SET, local),
            None => self.code.op(DROP),
        }
    }

    /// A value in a small function, by instructions that are inlined.
    pub fn small_value(&mut self, ty: Ty, depth: u32) {
        match self.rng.below(16) {
            0..=4 => self.leaf(ty),
            5 => self.load(ty, depth),
            6 if self.once_in(3) => self.if_value(ty, depth),
            7 if self.once_in(2) => self.call_value(ty, depth),
            8..=10 if ty == Ty::I32 && self.test_local() => {}
            11 if self.convert(ty) => {}
            _ => self.pure(ty, depth),
        }
    }

    /// A conversion to an integer, which may trap; false if there is none to this type.
    fn convert(&mut self, ty: Ty) -> bool {
        let first = match ty {
            Ty::I32 => 0xa8,
            Ty::I64 => 0xae,
            _ => return false,
        };
        if !self.layout.tys.contains(&Ty::F32) {
            return false;
        }
        // Two of singles, two of doubles.
        let at = self.rng.below(4) as u8;
        self.leaf(if at < 2 { Ty::F32 } else { Ty::F64 });
        self.code.op(first + at);
        true
    }

    /// Whether a local is null, if one is a reference.
    fn test_local(&mut self) -> bool {
        let is_ref = |at: &u32| matches!(self.locals[*at as usize], Ty::Ref(_));
        let all: Vec<u32> = (0..self.locals.len() as u32).filter(is_ref).collect();
        let Some(&local) = self.rng.pick(&all) else { return false };
        self.code.with(LOCAL_GET, local);
        self.code.op(REF_IS_NULL);
        true
    }

    /// A small function, if there are any.
    pub fn small_function(&mut self) -> Option<u32> {
        let is_small = |at: &u32| self.layout.roles[*at as usize] == Role::Small;
        let all: Vec<u32> = (0..self.layout.functions.len() as u32).filter(is_small).collect();
        self.rng.pick(&all).copied()
    }

    /// Calls of small functions, one right after the other.
    pub fn stretch(&mut self) {
        for _ in 0..2 + self.rng.below(5) {
            let Some(function) = self.small_function() else { return };
            self.budget -= 2;
            let signature = self.layout.of_function(function);
            let depth = self.rng.below(2) as u32;
            self.values(&signature.params, depth);
            self.code.with(CALL, function);
            for &ty in signature.results.iter().rev() {
                self.show(ty);
            }
        }
    }

    /// Takes a value off the stack, so that it is likely seen from outside.
    pub fn show(&mut self, ty: Ty) {
        let ty = match ty {
            Ty::Ref(heap) if self.once_in(2) => self.number_of(heap),
            _ => ty,
        };
        let global = self.layout.globals.iter().position(|each| *each == ty);
        match global {
            Some(global) if self.once_in(2) => self.code.with(GLOBAL_SET, global as u32),
            _ => self.keep_or_drop(&[ty]),
        }
    }
}
