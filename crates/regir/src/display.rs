//! Prints the slot form, one instruction a line.

use core::fmt::{self, Display, Formatter};

use crate::gc::Extend;
use crate::inst::{Bulk, Catch, Function, Inst, Label, Operand, Slot, WideOp};

impl Display for Slot {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "s{}", self.0)
    }
}

impl Display for Label {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "L{}", self.0)
    }
}

impl Display for Operand {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Operand::Slot(slot) => slot.fmt(f),
            Operand::Const(value) => write!(f, "{value:#x}"),
        }
    }
}

impl Display for Bulk {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Bulk::MemoryFill { mem } => write!(f, "memory.fill m{mem}"),
            Bulk::MemoryCopy { dst, src } => write!(f, "memory.copy m{dst} m{src}"),
            Bulk::MemoryInit { mem, data } => write!(f, "memory.init m{mem} d{data}"),
            Bulk::DataDrop { data } => write!(f, "data.drop d{data}"),
            Bulk::TableFill { table } => write!(f, "table.fill t{table}"),
            Bulk::TableCopy { dst, src } => write!(f, "table.copy t{dst} t{src}"),
            Bulk::TableInit { table, elem } => write!(f, "table.init t{table} e{elem}"),
            Bulk::ElemDrop { elem } => write!(f, "elem.drop e{elem}"),
            Bulk::TableGrow { table } => write!(f, "table.grow t{table}"),
        }
    }
}

impl WideOp {
    /// The op's name in the text format.
    pub const fn text(self) -> &'static str {
        match self {
            WideOp::Add128 => "i64.add128",
            WideOp::Sub128 => "i64.sub128",
            WideOp::MulWideS => "i64.mul_wide_s",
            WideOp::MulWideU => "i64.mul_wide_u",
        }
    }
}

impl Display for Catch {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let suffix = if self.by_ref { "_ref" } else { "" };
        match self.tag {
            Some(tag) => write!(f, "catch{suffix} e{tag}")?,
            None => write!(f, "catch_all{suffix}")?,
        }
        write!(f, " {} {}", self.base, self.target)
    }
}

impl Display for Inst {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match *self {
            Inst::Label { label, loop_header: false } => write!(f, "{label}:"),
            Inst::Label { label, loop_header: true } => write!(f, "{label}: (loop)"),
            Inst::Zero { from, count } => write!(f, "zero {from} x{count}"),
            Inst::Const { dst, value } => write!(f, "{dst} = {value:#x}"),
            Inst::Copy { dst, src } => write!(f, "{dst} = {src}"),
            Inst::CopySlots { dst, src, count } => write!(f, "{dst} = slots {src} x{count}"),
            Inst::Unary { op, dst, a } => write!(f, "{dst} = {} {a}", op.text()),
            Inst::Binary { op, dst, a, b } => write!(f, "{dst} = {} {a} {b}", op.text()),
            Inst::Compare { op, dst, a, b } => write!(f, "{dst} = {} {a} {b}", op.text()),
            Inst::Select { dst, cond, a, b, .. } => write!(f, "{dst} = select {cond} {a} {b}"),
            Inst::Wide { op, base } => write!(f, "{} {base}", op.text()),
            Inst::Load { op, dst, addr, mem, offset } => {
                write!(f, "{dst} = {} m{mem}[{addr} + {offset:#x}]", op.text())
            }
            Inst::Store { op, addr, value, mem, offset } => {
                write!(f, "{} m{mem}[{addr} + {offset:#x}] {value}", op.text())
            }
            Inst::Atomic { op, dst, addr, a, b, mem, offset } => {
                if op.has_result() {
                    write!(f, "{dst} = ")?;
                }
                write!(f, "{} m{mem}[{addr} + {offset:#x}]", op.text())?;
                [a, b].iter().take(op.operands()).try_for_each(|each| write!(f, " {each}"))
            }
            Inst::AtomicWait { wide, dst, addr, expected, timeout, mem, offset } => {
                let bits = if wide { 64 } else { 32 };
                write!(
                    f,
                    "{dst} = memory.atomic.wait{bits} m{mem}[{addr} + {offset:#x}] {expected} {timeout}"
                )
            }
            Inst::AtomicNotify { dst, addr, count, mem, offset } => {
                write!(f, "{dst} = memory.atomic.notify m{mem}[{addr} + {offset:#x}] {count}")
            }
            Inst::AtomicFence => write!(f, "atomic.fence"),
            Inst::MemorySize { dst, mem } => write!(f, "{dst} = memory.size m{mem}"),
            Inst::MemoryGrow { base, mem } => write!(f, "{base} = memory.grow m{mem} {base}"),
            Inst::Bulk { op, base } => write!(f, "{op} {base}"),
            Inst::GlobalGet { dst, global } => write!(f, "{dst} = global.get g{global}"),
            Inst::GlobalSet { global, value } => write!(f, "global.set g{global} {value}"),
            Inst::TableGet { dst, index, table } => {
                write!(f, "{dst} = table.get t{table}[{index}]")
            }
            Inst::TableSet { index, value, table } => {
                write!(f, "table.set t{table}[{index}] {value}")
            }
            Inst::TableSize { dst, table } => write!(f, "{dst} = table.size t{table}"),
            Inst::TableHolds { dst, index, table, func } => {
                write!(f, "{dst} = table.holds t{table} {index} f{func}")
            }
            Inst::RefFunc { dst, func } => write!(f, "{dst} = ref.func f{func}"),
            Inst::Gc { op, base } => write!(f, "{op} {base}"),
            Inst::StructGet { dst, object, ty, field, extend } => {
                let sign = sign(extend);
                write!(f, "{dst} = struct.get{sign} type {ty} {object}[{field}]")
            }
            Inst::StructSet { object, value, ty, field } => {
                write!(f, "struct.set type {ty} {object}[{field}] {value}")
            }
            Inst::ArrayGet { dst, object, index, ty, extend } => {
                let sign = sign(extend);
                write!(f, "{dst} = array.get{sign} type {ty} {object}[{index}]")
            }
            Inst::ArraySet { object, index, value, ty } => {
                write!(f, "array.set type {ty} {object}[{index}] {value}")
            }
            Inst::ArrayLen { dst, object } => write!(f, "{dst} = array.len {object}"),
            Inst::RefTest { dst, src, target } => write!(f, "{dst} = ref.test {target} {src}"),
            Inst::RefCast { src, target } => write!(f, "ref.cast {target} {src}"),
            Inst::I31New { dst, src } => write!(f, "{dst} = ref.i31 {src}"),
            Inst::I31Get { dst, src, extend } => {
                write!(f, "{dst} = i31.get{} {src}", sign(extend))
            }
            Inst::RefAsNonNull { src } => write!(f, "ref.as_non_null {src}"),
            #[cfg(feature = "simd")]
            Inst::Simd(inst) => inst.fmt(f),
            Inst::Br { target } => write!(f, "br {target}"),
            Inst::BrIf { cond, negate: false, target } => write!(f, "br_if {cond} {target}"),
            Inst::BrIf { cond, negate: true, target } => write!(f, "br_unless {cond} {target}"),
            Inst::BrTable { index, first, count } => {
                write!(f, "br_table {index} [{first}..{}]", first + count)
            }
            Inst::Unreachable => write!(f, "unreachable"),
            Inst::Return => write!(f, "return"),
            Inst::ReturnValue { value } => write!(f, "return {value}"),
            Inst::ReturnSlots { from, count } => write!(f, "return {from} x{count}"),
            Inst::Call { func, base } => write!(f, "call f{func} {base}"),
            Inst::CallIndirect { ty, table, index, base } => {
                write!(f, "call_indirect type {ty} t{table}[{index}] {base}")
            }
            Inst::CallRef { ty, callee, base } => write!(f, "call_ref type {ty} {callee} {base}"),
            Inst::ReturnCall { func, base } => write!(f, "return_call f{func} {base}"),
            Inst::ReturnCallIndirect { ty, table, index, base } => {
                write!(f, "return_call_indirect type {ty} t{table}[{index}] {base}")
            }
            Inst::ReturnCallRef { ty, callee, base } => {
                write!(f, "return_call_ref type {ty} {callee} {base}")
            }
            Inst::Throw { tag, base } => write!(f, "throw e{tag} {base}"),
            Inst::ThrowRef { src } => write!(f, "throw_ref {src}"),
            Inst::TryBegin { region } => write!(f, "try {region}"),
            Inst::TryEnd { region } => write!(f, "end_try {region}"),
            Inst::Fuel { cost } => write!(f, "fuel {cost}"),
            Inst::Epoch => write!(f, "epoch"),
        }
    }
}

fn sign(extend: Extend) -> &'static str {
    match extend {
        Extend::Zero => "",
        Extend::Sign => "_s",
    }
}

impl Display for Function {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let frame = &self.frame;
        writeln!(
            f,
            "frame params {} header s{} locals s{} stack s{} size {}",
            frame.params, frame.header, frame.locals, frame.stack, frame.size
        )?;
        for inst in &self.insts {
            let indent = if matches!(inst, Inst::Label { .. }) { "" } else { "  " };
            write!(f, "{indent}{inst}")?;
            if let Inst::BrTable { first, count, .. } = *inst {
                let range = first as usize..(first + count) as usize;
                for target in self.br_targets.get(range).unwrap_or_default() {
                    write!(f, " {target}")?;
                }
            }
            if let Inst::TryBegin { region } = *inst
                && let Some(region) = self.tries.get(region as usize)
            {
                let range = region.first as usize..(region.first + region.count) as usize;
                for catch in self.catches.get(range).unwrap_or_default() {
                    write!(f, " ({catch})")?;
                }
            }
            writeln!(f)?;
        }
        Ok(())
    }
}
