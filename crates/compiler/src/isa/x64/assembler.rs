//! Encodes instructions, and keeps them as text.
//!
//! Most are encoded by the structs of `cranelift-assembler-x64`; the [`emit!`] macro
//! names one and its operands, and records them as text when a listing is wanted. Jumps
//! are ours. The displacements of jumps forward have 32 bits: what short ones save does not
//! pay for a second pass.

use crate::asm::{AsmLabel, Buffer, Mem, Reg, Rm};
use crate::isa::TypeWord;
use crate::target::Features;
use cranelift_assembler_x64 as x64;
use std::fmt::Write as _;
use std::ops::{Deref, DerefMut};

/// The types of registers for the instruction structs.
pub(crate) struct Registers;

impl x64::Registers for Registers {
    type ReadGpr = u8;
    type ReadWriteGpr = u8;
    type WriteGpr = u8;
    type ReadXmm = u8;
    type ReadWriteXmm = u8;
    type WriteXmm = u8;
}

impl From<Reg> for x64::Gpr<u8> {
    fn from(reg: Reg) -> Self {
        x64::Gpr::new(reg.enc())
    }
}

impl From<Reg> for x64::Xmm<u8> {
    fn from(reg: Reg) -> Self {
        x64::Xmm::new(reg.enc())
    }
}

impl<const E: u8> From<Reg> for x64::Fixed<u8, E> {
    fn from(reg: Reg) -> Self {
        x64::Fixed(reg.enc())
    }
}

impl From<Mem> for x64::Amode<u8> {
    fn from(mem: Mem) -> Self {
        let simm32 = x64::AmodeOffset::new(mem.disp);
        match mem.index {
            None => x64::Amode::ImmReg {
                base: mem.base.enc(),
                simm32: x64::AmodeOffsetPlusKnownOffset { simm32, offset: None },
                trap: None,
            },
            Some((index, scale)) => x64::Amode::ImmRegRegShift {
                base: mem.base.enc(),
                index: x64::NonRspGpr::new(index.enc()),
                scale: x64::Scale::new(scale),
                simm32,
                trap: None,
            },
        }
    }
}

impl From<AsmLabel> for x64::Amode<u8> {
    fn from(label: AsmLabel) -> Self {
        let target = x64::DeferredTarget::Label(x64::Label(label.0));
        x64::Amode::RipRelative { target }
    }
}

impl From<Rm> for x64::GprMem<u8, u8> {
    fn from(rm: Rm) -> Self {
        match rm {
            Rm::Reg(reg) => x64::GprMem::Gpr(reg.enc()),
            Rm::Mem(mem) => x64::GprMem::Mem(mem.into()),
            Rm::Label(label) => x64::GprMem::Mem(label.into()),
        }
    }
}

impl From<Rm> for x64::XmmMem<u8, u8> {
    fn from(rm: Rm) -> Self {
        match rm {
            Rm::Reg(reg) => x64::XmmMem::Xmm(reg.enc()),
            Rm::Mem(mem) => x64::XmmMem::Mem(mem.into()),
            Rm::Label(label) => x64::XmmMem::Mem(label.into()),
        }
    }
}

macro_rules! from_plain {
    ($($from:ty),*) => {$(
        impl From<$from> for x64::GprMem<u8, u8> {
            fn from(from: $from) -> Self {
                Rm::from(from).into()
            }
        }
        impl From<$from> for x64::XmmMem<u8, u8> {
            fn from(from: $from) -> Self {
                Rm::from(from).into()
            }
        }
    )*};
}
from_plain!(Reg, Mem, AsmLabel);

/// What an instruction is shown with.
pub(crate) trait Shown {
    fn show(&self, out: &mut String);
}

impl Shown for Reg {
    fn show(&self, out: &mut String) {
        const GENERAL: [&str; 16] = [
            "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11",
            "r12", "r13", "r14", "r15",
        ];
        if self.is_vector() {
            let _ = write!(out, "xmm{}", self.enc());
        } else {
            out.push_str(GENERAL[usize::from(self.enc())]);
        }
    }
}

impl Shown for Mem {
    fn show(&self, out: &mut String) {
        out.push('[');
        self.base.show(out);
        if let Some((index, scale)) = self.index {
            out.push_str(" + ");
            index.show(out);
            let _ = write!(out, "*{}", 1 << scale);
        }
        match self.disp {
            0 => {}
            disp if disp < 0 => drop(write!(out, " - {:#x}", disp.unsigned_abs())),
            disp => drop(write!(out, " + {disp:#x}")),
        }
        out.push(']');
    }
}

impl Shown for AsmLabel {
    fn show(&self, out: &mut String) {
        let _ = write!(out, "{self}");
    }
}

impl Shown for Rm {
    fn show(&self, out: &mut String) {
        match self {
            Rm::Reg(reg) => reg.show(out),
            Rm::Mem(mem) => mem.show(out),
            Rm::Label(label) => label.show(out),
        }
    }
}

macro_rules! shown_number {
    ($($number:ty),*) => {$(
        impl Shown for $number {
            fn show(&self, out: &mut String) {
                let _ = write!(out, "{self:#x}");
            }
        }
    )*};
}
shown_number!(u8, i8, u16, i32, u32, u64);

impl Shown for x64::TrapCode {
    fn show(&self, out: &mut String) {
        out.push_str("trap");
    }
}

/// Encodes an instruction: `emit!(asm, addl_rm(dst, src))`.
macro_rules! emit {
    ($asm:expr, $name:ident ($($operand:expr),* $(,)?)) => {{
        let asm: &mut $crate::isa::x64::Assembler = &mut $asm;
        if asm.lists() {
            asm.show(stringify!($name), &[$(&$operand),*]);
        }
        cranelift_assembler_x64::inst::$name::<$crate::isa::x64::assembler::Registers>::new(
            $($operand),*
        )
        .encode(&mut asm.buffer);
    }};
}
pub(crate) use emit;

/// The condition of a jump or `setcc`, as encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Cond {
    Overflow = 0x0,
    NoOverflow = 0x1,
    Below = 0x2,
    AboveOrEqual = 0x3,
    Equal = 0x4,
    NotEqual = 0x5,
    BelowOrEqual = 0x6,
    Above = 0x7,
    Sign = 0x8,
    NoSign = 0x9,
    Parity = 0xA,
    NoParity = 0xB,
    Less = 0xC,
    GreaterOrEqual = 0xD,
    LessOrEqual = 0xE,
    Greater = 0xF,
}

impl Cond {
    /// The opposite condition.
    pub(crate) fn not(self) -> Cond {
        match self {
            Cond::Overflow => Cond::NoOverflow,
            Cond::NoOverflow => Cond::Overflow,
            Cond::Parity => Cond::NoParity,
            Cond::NoParity => Cond::Parity,
            Cond::Below => Cond::AboveOrEqual,
            Cond::AboveOrEqual => Cond::Below,
            Cond::Equal => Cond::NotEqual,
            Cond::NotEqual => Cond::Equal,
            Cond::BelowOrEqual => Cond::Above,
            Cond::Above => Cond::BelowOrEqual,
            Cond::Sign => Cond::NoSign,
            Cond::NoSign => Cond::Sign,
            Cond::Less => Cond::GreaterOrEqual,
            Cond::GreaterOrEqual => Cond::Less,
            Cond::LessOrEqual => Cond::Greater,
            Cond::Greater => Cond::LessOrEqual,
        }
    }

    fn name(self) -> &'static str {
        const NAMES: [&str; 16] = [
            "o", "no", "b", "ae", "e", "ne", "be", "a", "s", "ns", "p", "np", "l", "ge", "le", "g",
        ];
        NAMES[self as usize]
    }
}

/// What names a label by a 32-bit distance from behind itself, added to what is there.
const RELATIVE: u8 = 0;

/// The same of a jump with 8 bits.
const SHORT: u8 = 1;

impl x64::CodeSink for Buffer {
    fn put1(&mut self, value: u8) {
        self.bytes.push(value);
    }

    fn put2(&mut self, value: u16) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    fn put4(&mut self, value: u32) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    fn put8(&mut self, value: u64) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    fn add_trap(&mut self, _: x64::TrapCode) {}

    fn use_target(&mut self, target: x64::DeferredTarget) {
        if let x64::DeferredTarget::Label(label) = target {
            self.refer(AsmLabel(label.0), RELATIVE);
        }
    }

    fn known_offset(&self, _: x64::KnownOffset) -> i32 {
        0
    }
}

/// Collects the code of one function.
pub(crate) struct Assembler {
    pub(crate) buffer: Buffer,
    pub(crate) features: Features,
    /// Whether jumps to labels that are called near reach all others too.
    pub(super) far: bool,
}

impl Deref for Assembler {
    type Target = Buffer;

    fn deref(&self) -> &Buffer {
        &self.buffer
    }
}

impl DerefMut for Assembler {
    fn deref_mut(&mut self) -> &mut Buffer {
        &mut self.buffer
    }
}

/// Makes a displacement of [`RELATIVE`] or [`SHORT`] name what is so far from its start.
pub(super) fn patch(kind: u8, bytes: &mut [u8], distance: i64) -> bool {
    if kind == SHORT {
        let (Some(field), Ok(distance)) = (bytes.first_mut(), i8::try_from(distance - 1)) else {
            return false;
        };
        *field = distance as u8;
        return true;
    }
    let Some(field) = bytes.first_chunk_mut::<4>() else { return false };
    let addend = i64::from(i32::from_le_bytes(*field));
    let Ok(distance) = i32::try_from(distance - 4 + addend) else { return false };
    *field = distance.to_le_bytes();
    true
}

impl Assembler {
    /// Keeps an instruction as text.
    #[cold]
    pub(crate) fn show(&mut self, name: &str, operands: &[&dyn Shown]) {
        // The structs' names end in the form of the operands, which are shown.
        let (lock, name) = name.strip_prefix("lock_").map_or(("", name), |name| ("lock ", name));
        let mnemonic = name.split_once('_').map_or(name, |(mnemonic, _)| mnemonic);
        let mut text = String::from(lock);
        text.push_str(mnemonic);
        for (index, operand) in operands.iter().enumerate() {
            text.push_str(if index == 0 { " " } else { ", " });
            operand.show(&mut text);
        }
        self.buffer.list(text);
    }

    fn relative(&mut self, label: AsmLabel) {
        self.refer(label, RELATIVE);
        self.buffer.bytes.extend_from_slice(&[0; 4]);
    }

    /// Jumps with two bytes, of which this is the first, if that reaches the label.
    fn short(&mut self, opcode: u8, label: AsmLabel) -> bool {
        let offset = self.buffer.offset();
        let distance = match self.buffer.bound(label) {
            Some(position) => i8::try_from(i64::from(position) - i64::from(offset) - 2).ok(),
            None => (label.is_near() && !self.far).then_some(0),
        };
        let Some(distance) = distance else { return false };
        self.buffer.bytes.push(opcode);
        if self.buffer.bound(label).is_none() {
            self.refer(label, SHORT);
        }
        self.buffer.bytes.push(distance as u8);
        true
    }

    pub(super) fn jmp(&mut self, label: AsmLabel) {
        if self.lists() {
            self.show("jmp", &[&label]);
        }
        if !self.short(0xEB, label) {
            self.buffer.bytes.push(0xE9);
            self.relative(label);
        }
    }

    /// Returns.
    #[cfg(feature = "optimize")]
    pub(crate) fn ret(&mut self) {
        if self.lists() {
            self.show("ret", &[]);
        }
        self.buffer.bytes.push(0xC3);
    }

    /// Calls a place in the code.
    #[cfg(feature = "optimize")]
    pub(crate) fn call(&mut self, label: AsmLabel) {
        if self.lists() {
            self.show("call", &[&label]);
        }
        self.buffer.bytes.push(0xE8);
        self.relative(label);
    }

    pub(crate) fn jcc(&mut self, cond: Cond, label: AsmLabel) {
        if self.lists() {
            let mut name = String::from("j");
            name.push_str(cond.name());
            self.show(&name, &[&label]);
        }
        if !self.short(0x70 | cond as u8, label) {
            self.buffer.bytes.extend_from_slice(&[0x0F, 0x80 | cond as u8]);
            self.relative(label);
        }
    }

    /// Sets the low byte of a register to a condition; the rest stays.
    pub(crate) fn setcc(&mut self, cond: Cond, dst: Reg) {
        if self.lists() {
            let mut name = String::from("set");
            name.push_str(cond.name());
            self.show(&name, &[&dst]);
        }
        let rex = 0x40 | u8::from(dst.enc() >= 8);
        self.buffer.bytes.extend_from_slice(&[
            rex,
            0x0F,
            0x90 | cond as u8,
            0xC0 | (dst.enc() & 7),
        ]);
    }

    /// Copies `src` to `dst` if a condition holds, 64 bits wide.
    pub(crate) fn cmov(&mut self, cond: Cond, dst: Reg, src: Reg) {
        if self.lists() {
            let mut name = String::from("cmov");
            name.push_str(cond.name());
            self.show(&name, &[&dst, &src]);
        }
        let rex = 0x48 | u8::from(dst.enc() >= 8) << 2 | u8::from(src.enc() >= 8);
        self.buffer.bytes.extend_from_slice(&[
            rex,
            0x0F,
            0x40 | cond as u8,
            0xC0 | (dst.enc() & 7) << 3 | (src.enc() & 7),
        ]);
    }

    /// Appends bytes of an instruction.
    #[cfg(feature = "simd")]
    pub(super) fn raw(&mut self, bytes: &[u8]) {
        self.buffer.bytes.extend_from_slice(bytes);
    }

    /// Appends what names a register and a register or memory operand. One byte of
    /// the instruction follows, or none.
    #[cfg(feature = "simd")]
    pub(super) fn modrm(&mut self, reg: Reg, rm: Rm, byte_follows: bool) {
        let reg = (reg.enc() & 7) << 3;
        match rm {
            Rm::Reg(rm) => self.raw(&[0xC0 | reg | (rm.enc() & 7)]),
            Rm::Label(label) => {
                self.raw(&[reg | 5]);
                self.relative(label);
                if byte_follows {
                    // The processor counts from the end of the instruction.
                    let place = self.buffer.bytes.len() - 4;
                    self.buffer.bytes[place..].copy_from_slice(&(-1i32).to_le_bytes());
                }
            }
            Rm::Mem(Mem { base, index, disp }) => {
                let low = base.enc() & 7;
                // Without a displacement, number 5 as base means another thing.
                let (mode, size) = match i8::try_from(disp) {
                    Ok(0) if low != 5 => (0x00, 0),
                    Ok(_) => (0x40, 1),
                    Err(_) => (0x80, 4),
                };
                match index {
                    Some((index, scale)) => {
                        self.raw(&[mode | reg | 4, scale << 6 | (index.enc() & 7) << 3 | low]);
                    }
                    None if low == 4 => self.raw(&[mode | reg | 4, 0x24]),
                    None => self.raw(&[mode | reg | low]),
                }
                self.raw(&disp.to_le_bytes()[..size]);
            }
        }
    }

    /// Fills up with one instruction that does nothing, or several, until the
    /// offset is a multiple of `align`.
    pub(super) fn fill_with_nops(&mut self, align: usize) {
        const NOPS: [&[u8]; 9] = [
            &[0x90],
            &[0x66, 0x90],
            &[0x0F, 0x1F, 0x00],
            &[0x0F, 0x1F, 0x40, 0x00],
            &[0x0F, 0x1F, 0x44, 0x00, 0x00],
            &[0x66, 0x0F, 0x1F, 0x44, 0x00, 0x00],
            &[0x0F, 0x1F, 0x80, 0x00, 0x00, 0x00, 0x00],
            &[0x0F, 0x1F, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00],
            &[0x66, 0x0F, 0x1F, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00],
        ];
        let mut missing = self.buffer.bytes.len().next_multiple_of(align) - self.buffer.bytes.len();
        while missing > 0 {
            let count = missing.min(NOPS.len());
            self.buffer.bytes.extend_from_slice(NOPS[count - 1]);
            missing -= count;
        }
    }
}

/// A type stands for 32 bits that are written when the code is mapped.
impl From<TypeWord> for x64::Imm32 {
    fn from(_: TypeWord) -> x64::Imm32 {
        x64::Imm32::from(0u32)
    }
}
