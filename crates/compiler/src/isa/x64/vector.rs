//! Encodes vector instructions, from one table for two encodings.
//!
//! An instruction is written as prefix, opcode map and opcode, which the legacy
//! encoding and the three-operand one (VEX) share. [`Assembler::v3`] and its
//! siblings emit the latter if the processor has it, and otherwise copy the first
//! operand to the destination first. So whatever is built from them exists once and
//! suits both; the structs of the assembler crate would be one type per instruction
//! and encoding.
//!
//! Without VEX the destination must not be the second operand's register unless it
//! is the first's as well, and memory operands of 16 bytes must be aligned: literals
//! are, slots are not.

use super::Assembler;
use super::assembler::Shown;
use crate::asm::{Mem, Reg, Rm};
use crate::isa::Primitives;

/// A vector instruction: bits 16 to 23 are the mandatory prefix, 8 to 15 name the
/// opcode map, 0 to 7 are the opcode. Bit 24 makes integers 64 bits wide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Vector(u32);

macro_rules! instructions {
    ($($name:ident $code:literal)*) => {
        $(pub(crate) const $name: Vector = Vector($code);)*

        /// The codes in the order of [`NAMES`].
        const CODES: &[u32] = &[$($code),*];
        const NAMES: &str = concat!($(stringify!($name), " "),*);
    };
}

instructions! {
    // Moves.
    MOVUPS 0x0000_0F10
    MOVUPS_STORE 0x0000_0F11
    MOVAPS 0x0000_0F28
    MOVSS 0x00F3_0F10
    MOVSS_STORE 0x00F3_0F11
    MOVSD 0x00F2_0F10
    MOVSD_STORE 0x00F2_0F11
    MOVD 0x0066_0F6E
    MOVQ 0x0166_0F6E
    MOVD_STORE 0x0066_0F7E
    MOVQ_STORE 0x0166_0F7E
    MOVDDUP 0x00F2_0F12
    VBROADCASTSS 0x0066_3818
    VPBROADCASTB 0x0066_3878
    VPBROADCASTW 0x0066_3879
    PINSRB 0x0066_3A20
    PINSRW 0x0066_0FC4
    PINSRD 0x0066_3A22
    PINSRQ 0x0166_3A22
    PEXTRB 0x0066_3A14
    PEXTRW 0x0066_3A15
    PEXTRD 0x0066_3A16
    PEXTRQ 0x0166_3A16
    INSERTPS 0x0066_3A21
    PMOVMSKB 0x0066_0FD7
    MOVMSKPS 0x0000_0F50
    MOVMSKPD 0x0066_0F50
    PTEST 0x0066_3817
    // Bits.
    ANDPS 0x0000_0F54
    ANDNPS 0x0000_0F55
    ORPS 0x0000_0F56
    XORPS 0x0000_0F57
    PAND 0x0066_0FDB
    PANDN 0x0066_0FDF
    POR 0x0066_0FEB
    PXOR 0x0066_0FEF
    // Orders of lanes.
    PSHUFB 0x0066_3800
    PSHUFD 0x0066_0F70
    PSHUFLW 0x00F2_0F70
    SHUFPS 0x0000_0FC6
    UNPCKLPS 0x0000_0F14
    UNPCKLPD 0x0066_0F14
    PALIGNR 0x0066_3A0F
    PBLENDW 0x0066_3A0E
    PUNPCKLBW 0x0066_0F60
    PUNPCKLWD 0x0066_0F61
    PUNPCKLDQ 0x0066_0F62
    PUNPCKLQDQ 0x0066_0F6C
    PUNPCKHBW 0x0066_0F68
    PUNPCKHWD 0x0066_0F69
    PUNPCKHDQ 0x0066_0F6A
    PUNPCKHQDQ 0x0066_0F6D
    PACKSSWB 0x0066_0F63
    PACKSSDW 0x0066_0F6B
    PACKUSWB 0x0066_0F67
    PACKUSDW 0x0066_382B
    PMOVSXBW 0x0066_3820
    PMOVSXWD 0x0066_3823
    PMOVSXDQ 0x0066_3825
    PMOVZXBW 0x0066_3830
    PMOVZXWD 0x0066_3833
    PMOVZXDQ 0x0066_3835
    // Integers.
    PADDB 0x0066_0FFC
    PADDW 0x0066_0FFD
    PADDD 0x0066_0FFE
    PADDQ 0x0066_0FD4
    PADDSB 0x0066_0FEC
    PADDSW 0x0066_0FED
    PADDUSB 0x0066_0FDC
    PADDUSW 0x0066_0FDD
    PSUBB 0x0066_0FF8
    PSUBW 0x0066_0FF9
    PSUBD 0x0066_0FFA
    PSUBQ 0x0066_0FFB
    PSUBSB 0x0066_0FE8
    PSUBSW 0x0066_0FE9
    PSUBUSB 0x0066_0FD8
    PSUBUSW 0x0066_0FD9
    PMULLW 0x0066_0FD5
    PMULHW 0x0066_0FE5
    PMULHUW 0x0066_0FE4
    PMULHRSW 0x0066_380B
    PMULLD 0x0066_3840
    PMULDQ 0x0066_3828
    PMULUDQ 0x0066_0FF4
    PMADDWD 0x0066_0FF5
    PMADDUBSW 0x0066_3804
    PAVGB 0x0066_0FE0
    PAVGW 0x0066_0FE3
    PABSB 0x0066_381C
    PABSW 0x0066_381D
    PABSD 0x0066_381E
    PMINSB 0x0066_3838
    PMINSW 0x0066_0FEA
    PMINSD 0x0066_3839
    PMINUB 0x0066_0FDA
    PMINUW 0x0066_383A
    PMINUD 0x0066_383B
    PMAXSB 0x0066_383C
    PMAXSW 0x0066_0FEE
    PMAXSD 0x0066_383D
    PMAXUB 0x0066_0FDE
    PMAXUW 0x0066_383E
    PMAXUD 0x0066_383F
    PCMPEQB 0x0066_0F74
    PCMPEQW 0x0066_0F75
    PCMPEQD 0x0066_0F76
    PCMPEQQ 0x0066_3829
    PCMPGTB 0x0066_0F64
    PCMPGTW 0x0066_0F65
    PCMPGTD 0x0066_0F66
    // Not part of the floor; all processors with VEX have it.
    PCMPGTQ 0x0066_3837
    // Shifts: by a register, and, with the number of the operation, by an immediate.
    PSLLW 0x0066_0FF1
    PSLLD 0x0066_0FF2
    PSLLQ 0x0066_0FF3
    PSRLW 0x0066_0FD1
    PSRLD 0x0066_0FD2
    PSRLQ 0x0066_0FD3
    PSRAW 0x0066_0FE1
    PSRAD 0x0066_0FE2
    PSHIFTW 0x0066_0F71
    PSHIFTD 0x0066_0F72
    PSHIFTQ 0x0066_0F73
    // Floats.
    ADDPS 0x0000_0F58
    ADDPD 0x0066_0F58
    SUBPS 0x0000_0F5C
    SUBPD 0x0066_0F5C
    MULPS 0x0000_0F59
    MULPD 0x0066_0F59
    DIVPS 0x0000_0F5E
    DIVPD 0x0066_0F5E
    MINPS 0x0000_0F5D
    MINPD 0x0066_0F5D
    MAXPS 0x0000_0F5F
    MAXPD 0x0066_0F5F
    SQRTPS 0x0000_0F51
    SQRTPD 0x0066_0F51
    ROUNDPS 0x0066_3A08
    ROUNDPD 0x0066_3A09
    CMPPS 0x0000_0FC2
    CMPPD 0x0066_0FC2
    CVTDQ2PS 0x0000_0F5B
    CVTTPS2DQ 0x00F3_0F5B
    CVTDQ2PD 0x00F3_0FE6
    CVTTPD2DQ 0x0066_0FE6
    CVTPS2PD 0x0000_0F5A
    CVTPD2PS 0x0066_0F5A
}

impl Vector {
    fn prefix(self) -> u8 {
        (self.0 >> 16) as u8
    }

    fn map(self) -> u8 {
        (self.0 >> 8) as u8
    }

    fn opcode(self) -> u8 {
        self.0 as u8
    }

    fn wide(self) -> bool {
        self.0 >> 24 != 0
    }

    /// Whether the register is the source.
    fn stores(self) -> bool {
        let moves = [MOVUPS_STORE, MOVSS_STORE, MOVSD_STORE, MOVD_STORE, MOVQ_STORE];
        moves.contains(&self) || [PEXTRB, PEXTRW, PEXTRD, PEXTRQ].contains(&self)
    }

    /// The form of a shift by an immediate: which instruction, and the number that
    /// stands where others name a register.
    fn by_immediate(self) -> (Vector, Reg) {
        match self {
            PSRLW => (PSHIFTW, Reg(2)),
            PSRAW => (PSHIFTW, Reg(4)),
            PSLLW => (PSHIFTW, Reg(6)),
            PSRLD => (PSHIFTD, Reg(2)),
            PSRAD => (PSHIFTD, Reg(4)),
            PSLLD => (PSHIFTD, Reg(6)),
            PSRLQ => (PSHIFTQ, Reg(2)),
            _ => (PSHIFTQ, Reg(6)),
        }
    }
}

/// The parts of an instruction.
struct Encoding {
    inst: Vector,
    reg: Reg,
    /// The operand that only VEX has room for.
    middle: Option<Reg>,
    rm: Rm,
    imm: Option<u8>,
}

impl Encoding {
    /// The extension bits of the three places: register, index, base.
    fn extensions(&self) -> [bool; 3] {
        let high = |reg: Reg| reg.enc() >= 8;
        let (index, base) = match self.rm {
            Rm::Reg(reg) => (false, high(reg)),
            Rm::Mem(Mem { base, index, .. }) => {
                (index.is_some_and(|(reg, _)| high(reg)), high(base))
            }
            Rm::Label(_) => (false, false),
        };
        [high(self.reg), index, base]
    }
}

impl Assembler {
    fn vector_inst(&mut self, encoding: Encoding, vex: bool) {
        let Encoding { inst, reg, middle, rm, imm } = encoding;
        let [r, x, b] = encoding.extensions();
        let prefix = inst.prefix();
        let bytes = self;
        if vex {
            // The prefixes and maps have numbers; extension bits are inverted.
            let pp = match prefix {
                0x66 => 1,
                0xF3 => 2,
                0xF2 => 3,
                _ => 0,
            };
            let map = match inst.map() {
                0x38 => 2,
                0x3A => 3,
                _ => 1,
            };
            let last = (!middle.map_or(0, Reg::enc) & 15) << 3 | pp;
            if map == 1 && !x && !b && !inst.wide() {
                bytes.raw(&[0xC5, u8::from(!r) << 7 | last]);
            } else {
                let high = u8::from(!r) << 7 | u8::from(!x) << 6 | u8::from(!b) << 5;
                bytes.raw(&[0xC4, high | map, u8::from(inst.wide()) << 7 | last]);
            }
        } else {
            if prefix != 0 {
                bytes.raw(&[prefix]);
            }
            let rex =
                u8::from(inst.wide()) << 3 | u8::from(r) << 2 | u8::from(x) << 1 | u8::from(b);
            if rex != 0 {
                bytes.raw(&[0x40 | rex]);
            }
            bytes.raw(&[0x0F]);
            if inst.map() != 0x0F {
                bytes.raw(&[inst.map()]);
            }
        }
        bytes.raw(&[inst.opcode()]);
        bytes.modrm(reg, rm, imm.is_some());
        if let Some(imm) = imm {
            bytes.raw(&[imm]);
        }
    }

    #[cold]
    fn list_vector(&mut self, inst: Vector, operands: &[&dyn Shown]) {
        let index = CODES.iter().position(|code| *code == inst.0).unwrap_or(0);
        let name = NAMES.split(' ').nth(index).unwrap_or("").to_ascii_lowercase();
        self.show(&name, operands);
    }

    /// `dst = inst(src)`, or, for the instructions that store, `src = dst`.
    pub(crate) fn v2(&mut self, inst: Vector, dst: Reg, src: impl Into<Rm>) {
        self.two_operands(inst, dst, src.into(), None);
    }

    /// As [`Assembler::v2`], with an immediate.
    pub(crate) fn v2i(&mut self, inst: Vector, dst: Reg, src: impl Into<Rm>, imm: u8) {
        self.two_operands(inst, dst, src.into(), Some(imm));
    }

    /// `dst = inst(a, b)`.
    pub(crate) fn v3(&mut self, inst: Vector, dst: Reg, a: Reg, b: impl Into<Rm>) {
        self.three_operands(inst, dst, a, b.into(), None);
    }

    /// As [`Assembler::v3`], with an immediate.
    pub(crate) fn v3i(&mut self, inst: Vector, dst: Reg, a: Reg, b: impl Into<Rm>, imm: u8) {
        self.three_operands(inst, dst, a, b.into(), Some(imm));
    }

    fn two_operands(&mut self, inst: Vector, dst: Reg, rm: Rm, imm: Option<u8>) {
        if self.lists() {
            let mut operands: [&dyn Shown; 3] = [&dst, &rm, &imm.unwrap_or(0)];
            if inst.stores() {
                operands.swap(0, 1);
            }
            self.list_vector(inst, &operands[..2 + usize::from(imm.is_some())]);
        }
        let encoding = Encoding { inst, reg: dst, middle: None, rm, imm };
        self.vector_inst(encoding, self.features.avx);
    }

    /// As [`Assembler::v3`], with or without an immediate.
    pub(crate) fn three_operands(
        &mut self,
        inst: Vector,
        dst: Reg,
        a: Reg,
        rm: Rm,
        imm: Option<u8>,
    ) {
        let vex = self.features.avx;
        let middle = vex.then_some(a);
        if !vex && dst != a {
            debug_assert!(!matches!(rm, Rm::Reg(b) if b == dst), "the operand is overwritten");
            self.mov(dst, a);
        }
        if self.lists() {
            let operands: [&dyn Shown; 4] = [&dst, &a, &rm, &imm.unwrap_or(0)];
            self.list_vector(inst, &operands[..3 + usize::from(imm.is_some())]);
        }
        self.vector_inst(Encoding { inst, reg: dst, middle, rm, imm }, vex);
    }

    /// `dst = a` with every lane shifted by `count`; the instruction is named by
    /// the form that takes a register.
    pub(crate) fn v_shift(&mut self, inst: Vector, dst: Reg, a: Reg, count: u8) {
        let vex = self.features.avx;
        if !vex && dst != a {
            self.mov(dst, a);
        }
        if self.lists() {
            self.list_vector(inst, &[&dst, &a, &count]);
        }
        let (inst, reg) = inst.by_immediate();
        let (middle, rm) = if vex { (Some(dst), a) } else { (None, dst) };
        let encoding = Encoding { inst, reg, middle, rm: rm.into(), imm: Some(count) };
        self.vector_inst(encoding, vex);
    }
}
