//! What ops read, change and may end with: one table, from which passes derive what they
//! may move, share and leave out.

use super::{Handler, Op};
use zwasm_regir::Inst as SlotInst;
use zwasm_regir::gc::GcOp;
use zwasm_regir::inst::Bulk;

/// A part of the world that instructions read and change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// The bytes of a memory.
    Memory(u32),
    /// Where a memory lies and how long it is.
    MemoryShape(u32),
    /// A global.
    Global(u32),
    /// The elements of a table.
    Table(u32),
    /// The length of a table.
    TableLen(u32),
    /// A field of a structure type.
    Field {
        /// The type; passes name its family instead, for a subtype's first fields are those of
        /// its supertypes.
        ty: u32,
        /// The field.
        field: u32,
    },
    /// The elements of arrays.
    Elements {
        /// The type; passes name its family.
        ty: u32,
    },
    /// The state of a module's segments, and all else that no other part is.
    Rest,
}

/// What an op does beside computing its results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effects {
    /// What it reads.
    pub reads: Touch,
    /// What it changes.
    pub writes: Touch,
    /// Whether it may trap, and thus must not be done where it would not have been.
    pub traps: bool,
    /// Whether it leaves the function for a while: a call, a handler. Everything that the
    /// guest can reach may be collected then, and nothing stays in registers.
    pub leaves: bool,
}

/// How much of the world an op touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touch {
    /// Nothing.
    Nothing,
    /// One part.
    One(Part),
    /// Two parts.
    Two(Part, Part),
    /// Anything.
    Everything,
}

impl Touch {
    /// Whether it touches a part.
    pub fn has(self, part: Part) -> bool {
        match self {
            Touch::Nothing => false,
            Touch::One(one) => one == part,
            Touch::Two(one, other) => one == part || other == part,
            Touch::Everything => true,
        }
    }

    /// Whether two touch something in common.
    pub fn meets(self, other: Touch) -> bool {
        match self {
            Touch::Nothing => false,
            Touch::One(one) => other.has(one),
            Touch::Two(one, two) => other.has(one) || other.has(two),
            Touch::Everything => other != Touch::Nothing,
        }
    }
}

impl Effects {
    /// Those of what only computes.
    pub const PURE: Effects =
        Effects { reads: Touch::Nothing, writes: Touch::Nothing, traps: false, leaves: false };

    /// Those of what may do anything.
    pub const ALL: Effects =
        Effects { reads: Touch::Everything, writes: Touch::Everything, traps: true, leaves: true };

    const fn reading(part: Part) -> Effects {
        Effects { reads: Touch::One(part), ..Effects::PURE }
    }

    const fn writing(part: Part) -> Effects {
        Effects { writes: Touch::One(part), ..Effects::PURE }
    }

    const fn trapping(self) -> Effects {
        Effects { traps: true, ..self }
    }

    /// Whether it can be left out if nobody uses its results.
    pub fn is_removable(self) -> bool {
        self.writes == Touch::Nothing && !self.traps && !self.leaves
    }

    /// Whether it gives the same wherever and however often it is done, if at all.
    pub fn is_pure(self) -> bool {
        self == Effects::PURE
    }
}

impl Op {
    /// What it does beside computing. `moves` says whether a memory may be moved when it
    /// grows, so that where it lies is not the same throughout.
    pub fn effects(&self, moves: &dyn Fn(u32) -> bool) -> Effects {
        match *self {
            Op::Const(_)
            | Op::Compare(_)
            | Op::Copy
            | Op::ByteSwap
            | Op::Select
            | Op::Wide(_)
            | Op::RefFunc(_)
            | Op::I31New => Effects::PURE,
            #[cfg(feature = "simd")]
            Op::VectorConst(_) | Op::Vector(_) => Effects::PURE,
            Op::Unary(op) => Effects { traps: op.traps(), ..Effects::PURE },
            Op::Binary(op) => Effects { traps: op.traps(), ..Effects::PURE },
            Op::MemoryBase(mem) if !moves(mem) => Effects::PURE,
            Op::MemoryBase(mem) | Op::MemoryLen(mem) | Op::MemorySize(mem) => {
                Effects::reading(Part::MemoryShape(mem))
            }
            Op::Load(_, access) => Effects::reading(Part::Memory(access.mem)).trapping(),
            Op::Store(_, access) => Effects::writing(Part::Memory(access.mem)).trapping(),
            #[cfg(feature = "simd")]
            Op::VectorLoad(_, access) | Op::LoadLane(_, _, access) => {
                Effects::reading(Part::Memory(access.mem)).trapping()
            }
            #[cfg(feature = "simd")]
            Op::VectorStore(access) | Op::StoreLane(_, _, access) => {
                Effects::writing(Part::Memory(access.mem)).trapping()
            }
            // What is long the handler does, which the guest may be stopped in; everything
            // stays in registers around it.
            Op::MemoryCopy(mem) => Effects {
                reads: Touch::One(Part::Memory(mem)),
                ..Effects::writing(Part::Memory(mem)).trapping()
            },
            Op::MemoryFill(mem) => Effects::writing(Part::Memory(mem)).trapping(),
            // Other threads see and are seen by what is atomic.
            Op::Atomic(_, access) => Effects {
                reads: Touch::Everything,
                writes: Touch::Two(Part::Memory(access.mem), Part::Rest),
                traps: true,
                leaves: false,
            },
            Op::AtomicFence => Effects { traps: false, leaves: false, ..Effects::ALL },
            Op::GlobalGet(global) => Effects::reading(Part::Global(global)),
            Op::GlobalSet(global) => Effects::writing(Part::Global(global)),
            Op::TableGet(table) => Effects {
                reads: Touch::Two(Part::Table(table), Part::TableLen(table)),
                ..Effects::PURE
            }
            .trapping(),
            Op::TableSet(table) => Effects {
                reads: Touch::One(Part::TableLen(table)),
                ..Effects::writing(Part::Table(table))
            }
            .trapping(),
            Op::TableHolds { table, .. } => Effects {
                reads: Touch::Two(Part::Table(table), Part::TableLen(table)),
                ..Effects::PURE
            },
            Op::TableSize(table) => Effects::reading(Part::TableLen(table)),
            Op::StructGet { ty, field, .. } => {
                Effects::reading(Part::Field { ty, field }).trapping()
            }
            Op::StructSet { ty, field } => Effects::writing(Part::Field { ty, field }).trapping(),
            Op::ArrayGet { ty, .. } => Effects::reading(Part::Elements { ty }).trapping(),
            Op::ArraySet { ty } => Effects::writing(Part::Elements { ty }).trapping(),
            // What an object is and how long never changes.
            Op::RefTest(_) => Effects::PURE,
            Op::ArrayLen | Op::RefCast(_) | Op::RefAsNonNull | Op::I31Get(_) => {
                Effects::PURE.trapping()
            }
            Op::Gc(op) => Effects { writes: of_gc(op), ..Effects::ALL },
            Op::Handler(Handler { ref inst, .. }) => of_handler(inst),
            // Nothing but what leaves looks at the fuel. Being a change, it is not shared.
            Op::Fuel(_) => Effects::writing(Part::Rest).trapping(),
            Op::Epoch | Op::Call { .. } | Op::CallIndirect { .. } | Op::CallRef { .. } => {
                Effects::ALL
            }
            // They stand at the start of their block and stay there.
            Op::FrameSlot(_) | Op::Landed(_) => Effects::reading(Part::Rest),
        }
    }
}

/// What an instruction on objects changes of what was there before.
fn of_gc(op: GcOp) -> Touch {
    match op {
        GcOp::StructNew { .. }
        | GcOp::StructNewDefault { .. }
        | GcOp::ArrayNew { .. }
        | GcOp::ArrayNewDefault { .. }
        | GcOp::ArrayNewFixed { .. }
        | GcOp::ArrayNewData { .. }
        | GcOp::ArrayNewElem { .. } => Touch::One(Part::Rest),
        GcOp::ArrayFill { ty }
        | GcOp::ArrayCopy { dst: ty, .. }
        | GcOp::ArrayInitData { ty, .. }
        | GcOp::ArrayInitElem { ty, .. } => Touch::Two(Part::Elements { ty }, Part::Rest),
    }
}

/// Those of an instruction that its handler executes.
fn of_handler(inst: &SlotInst) -> Effects {
    let writes = match *inst {
        SlotInst::Bulk { op, .. } => match op {
            Bulk::MemoryFill { mem } | Bulk::MemoryInit { mem, .. } => {
                Touch::One(Part::Memory(mem))
            }
            Bulk::MemoryCopy { dst, .. } => Touch::One(Part::Memory(dst)),
            Bulk::DataDrop { .. } | Bulk::ElemDrop { .. } => Touch::One(Part::Rest),
            Bulk::TableFill { table } | Bulk::TableInit { table, .. } => {
                Touch::One(Part::Table(table))
            }
            Bulk::TableCopy { dst, .. } => Touch::One(Part::Table(dst)),
            Bulk::TableGrow { table } => Touch::Two(Part::Table(table), Part::TableLen(table)),
        },
        _ => Touch::Everything,
    };
    Effects { writes, ..Effects::ALL }
}
