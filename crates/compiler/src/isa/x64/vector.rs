//! Encodes vector instructions, from one table for two encodings.
//!
//! An instruction is written as prefix, opcode map and opcode, which the legacy
//! encoding and the three-operand one (VEX) share. [`Compiler::v3`] and its
//! siblings emit the latter if the processor has it, and otherwise copy the first
//! operand to the destination first. So whatever is built from them exists once and
//! suits both; the structs of the assembler crate would be one type per instruction
//! and encoding.
//!
//! Without VEX the destination must not be the second operand's register unless it
//! is the first's as well, and memory operands of 16 bytes must be aligned: literals
//! are, slots are not.

use super::asm::{Mem, Reg, Rm, Shown};
use crate::baseline::Compiler;

/// A vector instruction: bits 16 to 23 are the mandatory prefix, 8 to 15 name the
/// opcode map, 0 to 7 are the opcode. Bit 24 makes integers 64 bits wide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Vector(u32);

macro_rules! instructions {
    ($($name:ident $code:literal)*) => {
        $(pub(super) const $name: Vector = Vector($code);)*

        /// The codes in the order of [`NAMES`].
        const CODES: &[u32] = &[$($code),*];
        const NAMES: &str = concat!($(stringify!($name), " "),*);
    };
}

instructions! {
    // Moves.
    MOVUPS 0x00_0F_10
    MOVUPS_STORE 0x00_0F_11
    MOVAPS 0x00_0F_28
    MOVSS 0xF3_0F_10
    MOVSS_STORE 0xF3_0F_11
    MOVSD 0xF2_0F_10
    MOVSD_STORE 0xF2_0F_11
    MOVD 0x66_0F_6E
    MOVQ 0x0166_0F_6E
    MOVD_STORE 0x66_0F_7E
    MOVQ_STORE 0x0166_0F_7E
    MOVDDUP 0xF2_0F_12
    VBROADCASTSS 0x66_38_18
    VPBROADCASTB 0x66_38_78
    VPBROADCASTW 0x66_38_79
    PINSRB 0x66_3A_20
    PINSRW 0x66_0F_C4
    PINSRD 0x66_3A_22
    PINSRQ 0x0166_3A_22
    PEXTRB 0x66_3A_14
    PEXTRW 0x66_3A_15
    PEXTRD 0x66_3A_16
    PEXTRQ 0x0166_3A_16
    INSERTPS 0x66_3A_21
    PMOVMSKB 0x66_0F_D7
    MOVMSKPS 0x00_0F_50
    MOVMSKPD 0x66_0F_50
    PTEST 0x66_38_17
    // Bits.
    ANDPS 0x00_0F_54
    ANDNPS 0x00_0F_55
    ORPS 0x00_0F_56
    XORPS 0x00_0F_57
    PAND 0x66_0F_DB
    PANDN 0x66_0F_DF
    POR 0x66_0F_EB
    PXOR 0x66_0F_EF
    // Orders of lanes.
    PSHUFB 0x66_38_00
    PSHUFD 0x66_0F_70
    PSHUFLW 0xF2_0F_70
    SHUFPS 0x00_0F_C6
    UNPCKLPS 0x00_0F_14
    UNPCKLPD 0x66_0F_14
    PALIGNR 0x66_3A_0F
    PBLENDW 0x66_3A_0E
    PUNPCKLBW 0x66_0F_60
    PUNPCKLWD 0x66_0F_61
    PUNPCKLDQ 0x66_0F_62
    PUNPCKLQDQ 0x66_0F_6C
    PUNPCKHBW 0x66_0F_68
    PUNPCKHWD 0x66_0F_69
    PUNPCKHDQ 0x66_0F_6A
    PUNPCKHQDQ 0x66_0F_6D
    PACKSSWB 0x66_0F_63
    PACKSSDW 0x66_0F_6B
    PACKUSWB 0x66_0F_67
    PACKUSDW 0x66_38_2B
    PMOVSXBW 0x66_38_20
    PMOVSXWD 0x66_38_23
    PMOVSXDQ 0x66_38_25
    PMOVZXBW 0x66_38_30
    PMOVZXWD 0x66_38_33
    PMOVZXDQ 0x66_38_35
    // Integers.
    PADDB 0x66_0F_FC
    PADDW 0x66_0F_FD
    PADDD 0x66_0F_FE
    PADDQ 0x66_0F_D4
    PADDSB 0x66_0F_EC
    PADDSW 0x66_0F_ED
    PADDUSB 0x66_0F_DC
    PADDUSW 0x66_0F_DD
    PSUBB 0x66_0F_F8
    PSUBW 0x66_0F_F9
    PSUBD 0x66_0F_FA
    PSUBQ 0x66_0F_FB
    PSUBSB 0x66_0F_E8
    PSUBSW 0x66_0F_E9
    PSUBUSB 0x66_0F_D8
    PSUBUSW 0x66_0F_D9
    PMULLW 0x66_0F_D5
    PMULHW 0x66_0F_E5
    PMULHUW 0x66_0F_E4
    PMULHRSW 0x66_38_0B
    PMULLD 0x66_38_40
    PMULDQ 0x66_38_28
    PMULUDQ 0x66_0F_F4
    PMADDWD 0x66_0F_F5
    PMADDUBSW 0x66_38_04
    PAVGB 0x66_0F_E0
    PAVGW 0x66_0F_E3
    PABSB 0x66_38_1C
    PABSW 0x66_38_1D
    PABSD 0x66_38_1E
    PMINSB 0x66_38_38
    PMINSW 0x66_0F_EA
    PMINSD 0x66_38_39
    PMINUB 0x66_0F_DA
    PMINUW 0x66_38_3A
    PMINUD 0x66_38_3B
    PMAXSB 0x66_38_3C
    PMAXSW 0x66_0F_EE
    PMAXSD 0x66_38_3D
    PMAXUB 0x66_0F_DE
    PMAXUW 0x66_38_3E
    PMAXUD 0x66_38_3F
    PCMPEQB 0x66_0F_74
    PCMPEQW 0x66_0F_75
    PCMPEQD 0x66_0F_76
    PCMPEQQ 0x66_38_29
    PCMPGTB 0x66_0F_64
    PCMPGTW 0x66_0F_65
    PCMPGTD 0x66_0F_66
    // Not part of the floor; all processors with VEX have it.
    PCMPGTQ 0x66_38_37
    // Shifts: by a register, and, with the number of the operation, by an immediate.
    PSLLW 0x66_0F_F1
    PSLLD 0x66_0F_F2
    PSLLQ 0x66_0F_F3
    PSRLW 0x66_0F_D1
    PSRLD 0x66_0F_D2
    PSRLQ 0x66_0F_D3
    PSRAW 0x66_0F_E1
    PSRAD 0x66_0F_E2
    PSHIFTW 0x66_0F_71
    PSHIFTD 0x66_0F_72
    PSHIFTQ 0x66_0F_73
    // Floats.
    ADDPS 0x00_0F_58
    ADDPD 0x66_0F_58
    SUBPS 0x00_0F_5C
    SUBPD 0x66_0F_5C
    MULPS 0x00_0F_59
    MULPD 0x66_0F_59
    DIVPS 0x00_0F_5E
    DIVPD 0x66_0F_5E
    MINPS 0x00_0F_5D
    MINPD 0x66_0F_5D
    MAXPS 0x00_0F_5F
    MAXPD 0x66_0F_5F
    SQRTPS 0x00_0F_51
    SQRTPD 0x66_0F_51
    ROUNDPS 0x66_3A_08
    ROUNDPD 0x66_3A_09
    CMPPS 0x00_0F_C2
    CMPPD 0x66_0F_C2
    CVTDQ2PS 0x00_0F_5B
    CVTTPS2DQ 0xF3_0F_5B
    CVTDQ2PD 0xF3_0F_E6
    CVTTPD2DQ 0x66_0F_E6
    CVTPS2PD 0x00_0F_5A
    CVTPD2PS 0x66_0F_5A
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

impl Compiler<'_> {
    fn vector_inst(&mut self, encoding: Encoding, vex: bool) {
        let Encoding { inst, reg, middle, rm, imm } = encoding;
        let [r, x, b] = encoding.extensions();
        let prefix = inst.prefix();
        let bytes = &mut self.asm;
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
        self.asm.list(&name, operands);
    }

    /// `dst = inst(src)`, or, for the instructions that store, `src = dst`.
    pub(super) fn v2(&mut self, inst: Vector, dst: Reg, src: impl Into<Rm>) {
        self.two_operands(inst, dst, src.into(), None);
    }

    /// As [`Compiler::v2`], with an immediate.
    pub(super) fn v2i(&mut self, inst: Vector, dst: Reg, src: impl Into<Rm>, imm: u8) {
        self.two_operands(inst, dst, src.into(), Some(imm));
    }

    /// `dst = inst(a, b)`.
    pub(super) fn v3(&mut self, inst: Vector, dst: Reg, a: Reg, b: impl Into<Rm>) {
        self.three_operands(inst, dst, a, b.into(), None);
    }

    /// As [`Compiler::v3`], with an immediate.
    pub(super) fn v3i(&mut self, inst: Vector, dst: Reg, a: Reg, b: impl Into<Rm>, imm: u8) {
        self.three_operands(inst, dst, a, b.into(), Some(imm));
    }

    fn two_operands(&mut self, inst: Vector, dst: Reg, rm: Rm, imm: Option<u8>) {
        if self.asm.lists() {
            let mut operands: [&dyn Shown; 3] = [&dst, &rm, &imm.unwrap_or(0)];
            if inst.stores() {
                operands.swap(0, 1);
            }
            self.list_vector(inst, &operands[..2 + usize::from(imm.is_some())]);
        }
        let encoding = Encoding { inst, reg: dst, middle: None, rm, imm };
        self.vector_inst(encoding, self.cpu.avx);
    }

    /// As [`Compiler::v3`], with or without an immediate.
    pub(super) fn three_operands(
        &mut self,
        inst: Vector,
        dst: Reg,
        a: Reg,
        rm: Rm,
        imm: Option<u8>,
    ) {
        let vex = self.cpu.avx;
        let middle = vex.then_some(a);
        if !vex && dst != a {
            debug_assert!(!matches!(rm, Rm::Reg(b) if b == dst), "the operand is overwritten");
            self.move_reg(dst, a);
        }
        if self.asm.lists() {
            let operands: [&dyn Shown; 4] = [&dst, &a, &rm, &imm.unwrap_or(0)];
            self.list_vector(inst, &operands[..3 + usize::from(imm.is_some())]);
        }
        self.vector_inst(Encoding { inst, reg: dst, middle, rm, imm }, vex);
    }

    /// `dst = a` with every lane shifted by `count`; the instruction is named by
    /// the form that takes a register.
    pub(super) fn v_shift(&mut self, inst: Vector, dst: Reg, a: Reg, count: u8) {
        let vex = self.cpu.avx;
        if !vex && dst != a {
            self.move_reg(dst, a);
        }
        if self.asm.lists() {
            self.list_vector(inst, &[&dst, &a, &count]);
        }
        let (inst, reg) = inst.by_immediate();
        let (middle, rm) = if vex { (Some(dst), a) } else { (None, dst) };
        let encoding = Encoding { inst, reg, middle, rm: rm.into(), imm: Some(count) };
        self.vector_inst(encoding, vex);
    }
}
