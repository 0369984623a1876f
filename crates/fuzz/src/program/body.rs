//! The body of one function: its locals, the labels around, and how much may still
//! be written.

use super::code::*;
use super::{Layout, Role, Signature};
use crate::ty::Ty;
use zwasm_wast::mutate::Rng;

/// A body being drawn.
pub struct Body<'a> {
    pub layout: &'a mut Layout,
    pub rng: &'a mut Rng,
    pub code: Code,
    /// Parameters and locals.
    pub locals: Vec<Ty>,
    /// Locals from here on count the loops and are not otherwise written.
    pub counters: usize,
    /// What a branch to each label carries, the outermost first; none for those that
    /// only branches of their own lead to, as of loops.
    pub labels: Vec<Option<Vec<Ty>>>,
    pub results: Vec<Ty>,
    /// How many more instructions are wanted.
    pub budget: i32,
    /// Whether the body is to be inlined.
    pub small: bool,
    /// Whether values are made of operators, loads and reads of objects alone, so that
    /// their code can stand anywhere and again.
    pub simple: bool,
}

/// How many counters there are: as deep as loops nest.
pub const COUNTERS: usize = 3;

impl Body<'_> {
    /// The types of the locals and the code of a function.
    pub fn draw(layout: &mut Layout, function: u32, rng: &mut Rng) -> (Vec<Ty>, Vec<u8>) {
        let Signature { params, results } = layout.of_type(layout.functions[function as usize]);
        let role = layout.roles[function as usize];
        let small = role != Role::Ordinary;
        let mut locals = params.clone();
        match role {
            Role::Ordinary => {
                let many = [2, 6, 24][rng.below(3)];
                for _ in 0..rng.below(many) {
                    locals.push(layout.tys[rng.below(layout.tys.len())]);
                }
            }
            Role::Small => locals.extend(Self::draw_small_locals(layout, params.len(), rng)),
            Role::Test { .. } => locals.extend(layout.draw_number_types(0, 1, rng)),
        }
        let counters = locals.len();
        if !small {
            locals.extend([Ty::I32, Ty::I64, Ty::I32]);
        }
        let budget = if small { 6 } else { [20, 50, 120][rng.below(3)] };
        let mut body = Body {
            layout,
            rng,
            code: Code::default(),
            locals,
            counters,
            labels: vec![Some(results.clone())],
            results: results.clone(),
            budget,
            small,
            simple: false,
        };
        match role {
            Role::Ordinary => {
                while body.budget > 0 {
                    body.statement(3);
                }
                body.budget = 30;
                body.values(&results, 2);
            }
            Role::Small => body.small(),
            Role::Test { last } => body.answer(last),
        }
        body.code.op(END);
        let Body { locals, code, .. } = body;
        (locals[params.len()..].to_vec(), code.0)
    }

    /// Whether something that happens once in `many` times does.
    pub fn once_in(&mut self, many: usize) -> bool {
        self.rng.below(many) == 0
    }

    pub fn any_ty(&mut self) -> Ty {
        self.layout.tys[self.rng.below(self.layout.tys.len())]
    }

    /// A local of a type that may be written; any that may be read if `counters`.
    pub fn local(&mut self, ty: Ty, counters: bool) -> Option<u32> {
        let end = if counters { self.locals.len() } else { self.counters };
        let all: Vec<u32> = (0..end as u32).filter(|at| self.locals[*at as usize] == ty).collect();
        self.rng.pick(&all).copied()
    }

    /// A value of each type.
    pub fn values(&mut self, tys: &[Ty], depth: u32) {
        tys.iter().for_each(|ty| self.value(*ty, depth));
    }

    /// Takes values off the stack, the last type being on top.
    pub fn keep_or_drop(&mut self, tys: &[Ty]) {
        for &ty in tys.iter().rev() {
            match self.local(ty, false) {
                Some(local) if !self.once_in(4) => self.code.with(LOCAL_SET, local),
                _ => self.code.op(DROP),
            }
        }
    }

    /// A label that may be branched to: how far it is away, and what it carries.
    pub fn label(&mut self) -> Option<(u32, Vec<Ty>)> {
        let away = self.rng.below(self.labels.len());
        let carried = self.labels[self.labels.len() - 1 - away].clone()?;
        Some((away as u32, carried))
    }

    /// Code in a block whose label carries `label`.
    pub fn within(&mut self, label: Option<Vec<Ty>>, inside: impl FnOnce(&mut Self)) {
        self.labels.push(label);
        inside(self);
        self.labels.pop();
        self.code.op(END);
    }
}
