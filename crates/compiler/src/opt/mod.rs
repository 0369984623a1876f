//! The passes over SSA, and their order.
//!
//! | pass | why there |
//! |---|---|
//! | `tables` | what becomes branches is seen by all others |
//! | `branches` | what is never reached costs the others nothing, and blocks are long |
//! | `simplify` | makes forms canonical, so that the same is found to be the same |
//! | `gvn` | addresses and objects that are the same have one name |
//! | `casts` | gives an object one name, whatever it has been cast to |
//! | `objects` | what is left of an object that nobody sees is values for all that follows |
//! | `loads` | compares those names; makes constants of what was stored before |
//! | `simplify` | of those constants, and the idioms that span stores and loads |
//! | `branches` | conditions are constants by then |
//! | `gvn` | for what has been simplified |
//! | `choose` | conditions and numbers are as simple as they become |
//! | `licm` | last but one, for it is what makes values live long |
//! | `dce` | removes what the others left |
//! | `split` | for the allocator of registers; nothing else would see through it |
//!
//! Each is linear in the size of the function, or little more; none walks by recursion,
//! for the guest chooses how deep things are nested. Each can be switched off, for
//! measuring. Between them the verifier looks at the form in builds with debug
//! assertions.

mod aliases;
mod bits;
mod branches;
mod casts;
mod choose;
mod dce;
mod edges;
mod fold;
mod gvn;
mod ints;
mod licm;
mod loads;
mod objects;
mod simplify;
mod split;
mod tables;
#[cfg(test)]
mod testing;
mod world;

use crate::ssa::effects::{Effects, Part, Touch};
use crate::ssa::graph::Graph;
use crate::ssa::{Func, InstData, Op};
use crate::{CompileError, Environment, Place};
use ints::Int;

/// A pass.
struct Pass {
    name: &'static str,
    /// Whether it may change which blocks lead to which.
    reshapes: bool,
    run: fn(&mut Func, &Context<'_>),
}

const TABLES: Pass = Pass { name: "tables", reshapes: true, run: tables::run };
const BRANCHES: Pass = Pass { name: "branches", reshapes: true, run: branches::run };
const SIMPLIFY: Pass = Pass { name: "simplify", reshapes: true, run: simplify::run };
const GVN: Pass = Pass { name: "gvn", reshapes: false, run: gvn::run };
const CASTS: Pass = Pass { name: "casts", reshapes: false, run: casts::run };
const OBJECTS: Pass = Pass { name: "objects", reshapes: false, run: objects::run };
const LOADS: Pass = Pass { name: "loads", reshapes: false, run: loads::run };
const CHOOSE: Pass = Pass { name: "choose", reshapes: true, run: choose::run };
const LICM: Pass = Pass { name: "licm", reshapes: true, run: licm::run };
const DCE: Pass = Pass { name: "dce", reshapes: false, run: dce::run };
const SPLIT: Pass = Pass { name: "split", reshapes: false, run: split::run };

/// The passes in the order in which they run.
const ORDER: [Pass; 14] = [
    TABLES, BRANCHES, SIMPLIFY, GVN, CASTS, OBJECTS, LOADS, SIMPLIFY, BRANCHES, GVN, CHOOSE, LICM,
    DCE, SPLIT,
];

/// What passes are told beside the function.
struct Context<'a> {
    env: &'a dyn Environment,
    /// The shape of the function as it is when the pass starts.
    graph: Graph,
}

impl Context<'_> {
    /// What an op does beside computing. Two imports of a module may be the same thing,
    /// so that all imports of a kind are one part.
    fn effects(&self, op: &Op) -> Effects {
        let effects = op.effects(&|memory| self.moves(memory));
        Effects {
            reads: self.touched(effects.reads),
            writes: self.touched(effects.writes),
            ..effects
        }
    }

    /// The same of an instruction, whose arguments may tell that it does not trap.
    fn effects_of(&self, func: &Func, inst: &InstData) -> Effects {
        let effects = self.effects(&inst.op);
        let traps = match inst.op {
            Op::Binary(op) => match (Int::of(op), inst.args.get(1).and_then(|b| func.constant(*b)))
            {
                (Some((Int::DivU | Int::RemU | Int::RemS, _)), Some(by)) => by == 0,
                (Some((Int::DivS, ty)), Some(by)) => by == 0 || by == ints::mask(ty),
                _ => effects.traps,
            },
            Op::Load(op, access) => match func.constant(inst.args[1]) {
                Some(addr) => {
                    let end =
                        addr.checked_add(access.offset).and_then(|at| at.checked_add(op.size()));
                    end.is_none_or(|end| end > self.env.memory(access.mem).minimum)
                }
                None => effects.traps,
            },
            _ => effects.traps,
        };
        Effects { traps, ..effects }
    }

    /// The part that the bytes of a memory are.
    fn memory_part(&self, memory: u32) -> Part {
        self.part(Part::Memory(memory))
    }

    /// Whether what an op reads may be changed by another thread at any time.
    fn is_shared(&self, op: &Op) -> bool {
        op.access().is_some_and(|access| self.env.memory(access.mem).shared)
    }

    /// Whether reading what an op gives takes no register: it is a constant, or has one of
    /// its own.
    fn is_at_hand(&self, op: &Op) -> bool {
        match op {
            Op::Const(_) => true,
            Op::MemoryBase(0) => self.env.memory_is_pinned(),
            _ => false,
        }
    }

    fn touched(&self, touch: Touch) -> Touch {
        match touch {
            Touch::Nothing | Touch::Everything => touch,
            Touch::One(part) => Touch::One(self.part(part)),
            Touch::Two(one, two) => Touch::Two(self.part(one), self.part(two)),
        }
    }

    fn part(&self, part: Part) -> Part {
        const IMPORTED: u32 = u32::MAX;
        let memory = |memory| if self.env.memory(memory).imported { IMPORTED } else { memory };
        let table = |table| if self.env.table_is_imported(table) { IMPORTED } else { table };
        match part {
            Part::Memory(index) => Part::Memory(memory(index)),
            Part::MemoryShape(index) => Part::MemoryShape(memory(index)),
            Part::Table(index) => Part::Table(table(index)),
            Part::TableLen(index) => Part::TableLen(table(index)),
            Part::Global(index) => match self.env.global(index) {
                Place::Own(_) => part,
                Place::Imported(_) => Part::Global(IMPORTED),
            },
            Part::Field { ty, field } => Part::Field { ty: self.env.family(ty), field },
            Part::Elements { ty } => Part::Elements { ty: self.env.family(ty) },
            Part::Rest => part,
        }
    }

    /// Whether a memory may lie elsewhere after it has grown.
    fn moves(&self, memory: u32) -> bool {
        self.env.memory(memory).guard.is_none()
    }
}

/// Runs the passes.
///
/// # Errors
///
/// If the environment says to stop.
pub fn run(func: &mut Func, env: &dyn Environment) -> Result<(), CompileError> {
    run_observed(func, env, &mut |_, _| {})
}

/// Runs the passes, and shows the form to `observe` after each, with its name.
///
/// # Errors
///
/// If the environment says to stop.
pub fn run_observed(
    func: &mut Func,
    env: &dyn Environment,
    observe: &mut dyn FnMut(&str, &Func),
) -> Result<(), CompileError> {
    let mut context = Context { env, graph: Graph::of(func) };
    for pass in ORDER {
        if env.stopped() {
            return Err(CompileError::Stopped);
        }
        if !env.runs_pass(pass.name) {
            continue;
        }
        (pass.run)(func, &context);
        if cfg!(debug_assertions) {
            crate::ssa::verify::verify(func, env, pass.name);
        }
        observe(pass.name, func);
        if pass.reshapes && !context.graph.describes(func) {
            context.graph = Graph::of(func);
        }
    }
    Ok(())
}
