//! The machine's instructions, before and after registers are allocated.
//!
//! An instruction says all but its registers. These are its operands, in an order that
//! is written beside each, and come from the allocator when it is emitted. A place in
//! memory takes its registers from the operands as well, base first. What is rare or has
//! more than an instruction or two is an [`Inst::Seq`]: a function that emits it, on the
//! registers given, so that ops are added without adding to this list.

use super::allocate::Allocation;
use super::emit::{Emitter, Regs};
use super::objects::Cast;
#[cfg(feature = "simd")]
use super::vector_inst::VectorInst;
use crate::asm::AsmLabel;
use crate::heap::Check;
use crate::isa::x64::integer::Shift;
use crate::isa::x64::{Cond, Condition};
use crate::isa::{Alu, Size};
use zwasm_regir::TrapCode;

/// What an address counts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Base {
    /// The next operand.
    Operand,
    /// The `vmctx`.
    Vmctx,
    /// The first byte of memory 0, where that has its register.
    Memory,
}

/// A place in memory. The registers are operands: the base, then the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) base: Base,
    /// The logarithm of the index's scale, if there is an index.
    pub(crate) scale: Option<u8>,
    pub(crate) disp: i32,
}

impl Address {
    /// At a distance from an operand.
    pub(crate) fn operand(disp: i32) -> Address {
        Address { base: Base::Operand, scale: None, disp }
    }

    /// In memory 0, where that has its register.
    pub(crate) fn memory() -> Address {
        Address { base: Base::Memory, scale: None, disp: 0 }
    }

    /// At a distance from an operand plus another.
    pub(crate) fn indexed(scale: u8, disp: i32) -> Address {
        Address { base: Base::Operand, scale: Some(scale), disp }
    }

    /// In the `vmctx`.
    pub(crate) fn vmctx(offset: u32) -> Address {
        Address { base: Base::Vmctx, scale: None, disp: offset as i32 }
    }
}

/// What an instruction reads as its last operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Src {
    /// The next operand, which may be spilled if it was declared so.
    Operand,
    /// A constant.
    Imm(i32),
    /// A place in memory.
    Mem(Address),
    /// Data behind the code.
    Label(AsmLabel),
}

/// What a load or move makes of the bytes it reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Load {
    /// Fills up with zeros; also of a float or a vector.
    Zero(Size),
    /// Fills up with the sign, 32 bits.
    Sign32(Size),
    /// Fills up with the sign, 64 bits.
    Sign64(Size),
}

/// Whom a call calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Callee {
    /// The function itself.
    Itself,
    /// A function of the instance, by the place of its record in the `vmctx`.
    Own(u32),
    /// A function imported, by its number among those.
    Imported(u32),
    /// Whoever has the record in the first operand.
    Record,
}

/// Emits a sequence, on registers and data that are its own business.
pub(crate) type Sequence = fn(&mut Emitter<'_>, &mut Regs<'_>, Data);

/// What a sequence is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Data {
    pub(crate) bits: u64,
    pub(crate) address: Address,
}

impl Data {
    /// For a sequence without a place in memory.
    pub(crate) fn bits(bits: u64) -> Data {
        Data { bits, address: Address::operand(0) }
    }
}

/// An instruction. The lists are those of operands: `=` is written, `a` to `c` are read,
/// `@` are those of a place.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Inst {
    /// `[=..]`: arguments are where the caller left them.
    Args,
    /// `[=, a]`.
    Move,
    /// `[=, a]`, the same register: where it has to be another one the allocator moves it.
    Copy,
    /// `[=]`, general.
    Const(u64),
    /// `[=]`, of a float.
    FloatConst { bits: u64, single: bool },
    /// `[= over a, a, b or @]`.
    Alu { op: Alu, wide: bool, src: Src },
    /// `[@]` or `[b, @]`: in memory.
    AluMem { op: Alu, size: Size, address: Address, src: Src },
    /// `[= over a, a, b or @]`.
    Mul { wide: bool, src: Src },
    /// `[=, a or @]`.
    MulImm { wide: bool, src: Src, by: i32 },
    /// `[= over a, a]`.
    Negate { wide: bool },
    /// `[= over a, a]`.
    Not { wide: bool },
    /// `[= over a, a]`: by a constant.
    Shift { op: Shift, wide: bool, count: u8 },
    /// `[= over a, a, count in rcx]`.
    ShiftBy { op: Shift, wide: bool },
    /// `[=, count, a or @]`, with BMI2.
    ShiftAny { op: Shift, wide: bool, src: Src },
    /// `[=, @]`.
    Lea { wide: bool, address: Address },
    /// `[=, a or @]`; of a register, only what fills up with zeros.
    Load { load: Load, src: Src },
    /// `[a, @]`.
    Store { size: Size, address: Address },
    /// `[@]`.
    StoreImm { size: Size, address: Address, value: i32 },
    /// `[a or @, b or @]`: compares integers; at most one is in memory, and a constant second.
    Cmp { size: Size, a: Src, b: Src },
    /// `[a, b]`: compares `a & b` with zero.
    Test { wide: bool },
    /// `[a]`: compares it with zero.
    TestZero { wide: bool },
    /// `[a or @]`: compares `a & mask` with zero. The mask has no more bits than the size.
    TestImm { size: Size, a: Src, mask: u32 },
    /// `[a, b or @]`.
    CmpFloat { single: bool, src: Src },
    /// `[=]`: 1 if the condition holds, else 0.
    Set(Condition),
    /// `[= over a, a, b]`: `b` if the condition holds.
    Cmov(Cond),
    /// `[= over a, a, b]`: the same of vector registers.
    FloatCmov(Condition),
    /// `[]`.
    TrapIf { condition: Condition, code: TrapCode },
    /// `[end]`: traps if what was compared is above, as an access of so many bytes to a memory
    /// that ends there and not in it.
    OutsideIf { mem: u32, size: u32 },
    /// `[..]`, as the function wants them; it may change the scratch register.
    Seq(Sequence, Data),
    /// The same, but it leaves the scratch register alone.
    Plain(Sequence, Data),
    /// `[..]`, as is said there.
    #[cfg(feature = "simd")]
    Vector(VectorInst),
    /// `[..]`, as is said there.
    Cast(Cast),
    /// `[..]`, as is said there.
    Allocate(Allocation),

    /// `[(record), arguments.., =..]`. With clauses it ends its block.
    Call { callee: Callee, clauses: Option<u32> },
    /// `[(record), arguments..]`.
    TailCall { callee: Callee },
    /// `[scratch frame in rsi]`: the handler of the threaded code with this number.
    Handler { code: u32 },
    /// `[= early]`: compares the epoch with the deadline, and if that is reached leaves for
    /// the handler of the threaded code with this number, which keeps all registers.
    Epoch { code: u32 },
    /// `[scratch frame in rsi]`: as [`Inst::Handler`], which does not come back.
    Throw { code: u32, clauses: Option<u32> },

    /// `[]`.
    Jump,
    /// `[]`: to the block's first successor if the condition holds, else to the second.
    Branch(Condition),
    /// `[t, a]`: to the block's first successor if a reference passes, else to the second.
    BranchCast(Check),
    /// `[index, = early]`: to the successors that the list with this number names.
    Table { entries: u32 },
    /// `[..]`: results are in their places.
    Return,
    /// `[]`.
    Trap(TrapCode),
}

impl Inst {
    /// Whether it changes the scratch register, and perhaps before it has read all operands.
    /// Calls clobber it as they do all others, and what leaves the function has no use for it.
    pub(crate) fn needs_scratch(&self) -> bool {
        match self {
            Inst::Seq(..)
            | Inst::Cast(_)
            | Inst::Allocate(_)
            | Inst::BranchCast(_)
            | Inst::Epoch { .. }
            | Inst::Table { .. }
            | Inst::Set(Condition::OrderedEqual | Condition::NotEqualOrUnordered) => true,
            #[cfg(feature = "simd")]
            Inst::Vector(_) => true,
            Inst::Plain(..)
            | Inst::Args
            | Inst::Move
            | Inst::Copy
            | Inst::Const(_)
            | Inst::FloatConst { .. }
            | Inst::Alu { .. }
            | Inst::AluMem { .. }
            | Inst::Mul { .. }
            | Inst::MulImm { .. }
            | Inst::Negate { .. }
            | Inst::Not { .. }
            | Inst::Shift { .. }
            | Inst::ShiftBy { .. }
            | Inst::ShiftAny { .. }
            | Inst::Lea { .. }
            | Inst::Load { .. }
            | Inst::Store { .. }
            | Inst::StoreImm { .. }
            | Inst::Cmp { .. }
            | Inst::Test { .. }
            | Inst::TestZero { .. }
            | Inst::TestImm { .. }
            | Inst::CmpFloat { .. }
            | Inst::Set(Condition::Flag(_))
            | Inst::Cmov(_)
            | Inst::FloatCmov(_)
            | Inst::TrapIf { .. }
            | Inst::OutsideIf { .. }
            | Inst::Call { .. }
            | Inst::TailCall { .. }
            | Inst::Handler { .. }
            | Inst::Throw { .. }
            | Inst::Jump
            | Inst::Branch(_)
            | Inst::Return
            | Inst::Trap(_) => false,
        }
    }
}
