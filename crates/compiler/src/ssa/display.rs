//! SSA as text, for listings and filetests: a line for each block, instruction and
//! terminator, blocks in the order in which control gets to them.

use super::graph::Graph;
use super::{Access, Block, Callee, Clause, Edge, Func, Handler, Likely, Op, Terminator, Value};
#[cfg(feature = "simd")]
use super::{VectorOp, simd_ops};
use core::fmt::{self, Display, Formatter};
use zwasm_regir::Type;
use zwasm_regir::gc::Extend;
#[cfg(feature = "simd")]
use zwasm_regir::simd::Width;

impl Display for Value {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "v{}", self.0)
    }
}

impl Display for Block {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "b{}", self.0)
    }
}

impl Display for Func {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let graph = Graph::of(self);
        for &block in &graph.order {
            let data = self.block(block);
            write!(f, "{block}")?;
            self.defined(f, "(", &data.params, ")")?;
            f.write_str(":")?;
            match graph.depth(block) {
                0 => {}
                depth => write!(f, "  ; loop {depth}")?,
            }
            for &inst in &data.insts {
                let inst = self.inst(inst);
                f.write_str("\n  ")?;
                self.defined(f, "", &inst.results, " = ")?;
                write!(f, "{}", inst.op)?;
                list(f, " ", &inst.args, "")?;
            }
            writeln!(f, "\n  {}", data.terminator)?;
        }
        Ok(())
    }
}

impl Func {
    /// Values with their types, between two texts if there are any.
    fn defined(
        &self,
        f: &mut Formatter<'_>,
        before: &str,
        values: &[Value],
        behind: &str,
    ) -> fmt::Result {
        for (index, value) in values.iter().enumerate() {
            f.write_str(if index == 0 { before } else { ", " })?;
            write!(f, "{value}: {}", name(self.ty(*value)))?;
        }
        f.write_str(if values.is_empty() { "" } else { behind })
    }
}

/// Values, between two texts if there are any.
fn list(f: &mut Formatter<'_>, before: &str, values: &[Value], behind: &str) -> fmt::Result {
    for (index, value) in values.iter().enumerate() {
        f.write_str(if index == 0 { before } else { ", " })?;
        value.fmt(f)?;
    }
    f.write_str(if values.is_empty() { "" } else { behind })
}

fn name(ty: Type) -> &'static str {
    match ty {
        Type::I32 => "i32",
        Type::I64 => "i64",
        Type::F32 => "f32",
        Type::F64 => "f64",
        Type::V128 => "v128",
        Type::Ref => "ref",
    }
}

fn sign(extend: Extend) -> &'static str {
    match extend {
        Extend::Zero => "",
        Extend::Sign => "_s",
    }
}

impl Display for Access {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "m{}+{:#x}", self.mem, self.offset)?;
        f.write_str(if self.checked { " checked" } else { "" })
    }
}

impl Display for Op {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match *self {
            Op::Const(bits) => write!(f, "const {bits:#x}"),
            Op::Unary(op) => f.write_str(op.text()),
            Op::Binary(op) => f.write_str(op.text()),
            Op::Compare(op) => f.write_str(op.text()),
            Op::Copy => f.write_str("copy"),
            Op::Select => f.write_str("select"),
            Op::ByteSwap => f.write_str("byte_swap"),
            Op::Wide(op) => f.write_str(op.text()),
            #[cfg(feature = "simd")]
            Op::VectorConst([low, high]) => write!(f, "v128.const {high:#018x}{low:016x}"),
            #[cfg(feature = "simd")]
            Op::Vector(op) => op.fmt(f),
            Op::MemoryBase(mem) => write!(f, "memory.base m{mem}"),
            Op::MemoryLen(mem) => write!(f, "memory.len m{mem}"),
            Op::Load(op, access) => write!(f, "{} {access}", op.text()),
            Op::Store(op, access) => write!(f, "{} {access}", op.text()),
            #[cfg(feature = "simd")]
            Op::VectorLoad(op, access) => write!(f, "{} {access}", simd_ops::LoadOp::text(op)),
            #[cfg(feature = "simd")]
            Op::LoadLane(width, lane, access) => {
                write!(f, "v128.load{}_lane {access} [{lane}]", bits(width))
            }
            #[cfg(feature = "simd")]
            Op::VectorStore(access) => write!(f, "v128.store {access}"),
            #[cfg(feature = "simd")]
            Op::StoreLane(width, lane, access) => {
                write!(f, "v128.store{}_lane {access} [{lane}]", bits(width))
            }
            Op::Atomic(op, access) => write!(f, "{} {access}", op.text()),
            Op::AtomicFence => f.write_str("atomic.fence"),
            Op::MemorySize(mem) => write!(f, "memory.size m{mem}"),
            Op::MemoryCopy(mem) => write!(f, "memory.copy m{mem}"),
            Op::MemoryFill(mem) => write!(f, "memory.fill m{mem}"),
            Op::GlobalGet(global) => write!(f, "global.get g{global}"),
            Op::GlobalSet(global) => write!(f, "global.set g{global}"),
            Op::TableGet(table) => write!(f, "table.get t{table}"),
            Op::TableSet(table) => write!(f, "table.set t{table}"),
            Op::TableSize(table) => write!(f, "table.size t{table}"),
            Op::TableHolds { table, func } => write!(f, "table.holds t{table} f{func}"),
            Op::RefFunc(func) => write!(f, "ref.func f{func}"),
            Op::StructGet { ty, field, extend } => {
                write!(f, "struct.get{} type {ty}[{field}]", sign(extend))
            }
            Op::StructSet { ty, field } => write!(f, "struct.set type {ty}[{field}]"),
            Op::ArrayGet { ty, extend } => write!(f, "array.get{} type {ty}", sign(extend)),
            Op::ArraySet { ty } => write!(f, "array.set type {ty}"),
            Op::ArrayLen => f.write_str("array.len"),
            Op::RefTest(target) => write!(f, "ref.test {target}"),
            Op::RefCast(target) => write!(f, "ref.cast {target}"),
            Op::RefAsNonNull => f.write_str("ref.as_non_null"),
            Op::I31New => f.write_str("ref.i31"),
            Op::I31Get(extend) => write!(f, "i31.get{}", sign(extend)),
            Op::Gc(op) => op.fmt(f),
            Op::Handler(Handler { ref inst, .. }) => write!(f, "handler [{inst}]"),
            Op::Fuel(cost) => write!(f, "fuel {cost}"),
            Op::Epoch => f.write_str("epoch"),
            Op::Call { func } => write!(f, "call f{func}"),
            Op::CallIndirect { ty, table } => write!(f, "call_indirect type {ty} t{table}"),
            Op::CallRef { ty } => write!(f, "call_ref type {ty}"),
            Op::FrameSlot(slot) => write!(f, "frame.slot s{slot}"),
            Op::Landed(slot) => write!(f, "landed s{slot}"),
        }
    }
}

#[cfg(feature = "simd")]
fn bits(width: Width) -> u32 {
    width.bytes() * 8
}

#[cfg(feature = "simd")]
impl Display for VectorOp {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match *self {
            VectorOp::Unary(op) => f.write_str(op.text()),
            VectorOp::Binary(op) => f.write_str(op.text()),
            VectorOp::Ternary(op) => f.write_str(op.text()),
            VectorOp::Shift(op) => f.write_str(op.text()),
            VectorOp::Test(op) => f.write_str(op.text()),
            VectorOp::Splat(op) => f.write_str(op.text()),
            VectorOp::Extract(op, lane) => write!(f, "{} [{lane}]", op.text()),
            VectorOp::Replace(width, lane) => write!(f, "v128.replace{} [{lane}]", bits(width)),
            VectorOp::Shuffle(lanes) => write!(f, "i8x16.shuffle {lanes:?}"),
        }
    }
}

impl Display for Edge {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.block.fmt(f)?;
        list(f, "(", &self.args, ")")
    }
}

impl Display for Callee {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Callee::Direct { func } => write!(f, "f{func}"),
            Callee::Indirect { ty, table } => write!(f, "type {ty} t{table}"),
            Callee::Ref { ty } => write!(f, "type {ty}"),
        }
    }
}

/// Clauses in the order in which they are tried.
fn clauses(f: &mut Formatter<'_>, clauses: &[Clause]) -> fmt::Result {
    clauses.iter().try_for_each(|Clause { tag, by_ref, block }| {
        let suffix = if *by_ref { "_ref" } else { "" };
        match tag {
            Some(tag) => write!(f, " (catch{suffix} e{tag} {block})"),
            None => write!(f, " (catch_all{suffix} {block})"),
        }
    })
}

impl Display for Terminator {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Terminator::Jump(edge) => write!(f, "jump {edge}"),
            Terminator::Branch { cond, then, otherwise, likely } => {
                write!(f, "branch {cond}, {then}, {otherwise}")?;
                f.write_str(match likely {
                    Likely::Unknown => "",
                    Likely::Then => "  ; likely the first",
                    Likely::Otherwise => "  ; likely the second",
                })
            }
            Terminator::Table { index, edges } => {
                write!(f, "table {index}")?;
                edges.iter().try_for_each(|edge| write!(f, ", {edge}"))
            }
            Terminator::Return(values) => {
                f.write_str("return")?;
                list(f, " ", values, "")
            }
            Terminator::TailCall { callee, args } => {
                write!(f, "return_call {callee}")?;
                list(f, " ", args, "")
            }
            Terminator::Trap(code) => write!(f, "trap {code:?}"),
            Terminator::Throw { tag, args, clauses: around } => {
                write!(f, "throw e{tag}")?;
                list(f, " ", args, "")?;
                clauses(f, around)
            }
            Terminator::ThrowRef { exception, clauses: around } => {
                write!(f, "throw_ref {exception}")?;
                clauses(f, around)
            }
            Terminator::Try { returns, clauses: around } => {
                write!(f, "try {returns}")?;
                clauses(f, around)
            }
            Terminator::None => f.write_str("none"),
        }
    }
}
