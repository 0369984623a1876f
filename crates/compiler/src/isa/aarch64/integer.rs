//! Instructions on general registers.

use super::Inst;
use super::form::forms;
use super::imm::Imm12;
use super::operand::*;
use super::regs::{Reg, Width};

forms! {
    // Additions and comparisons with a constant.
    cmp_imm "cmp" 0x7100_001F (Sf RnSp Add12);
    cmn_imm "cmn" 0x3100_001F (Sf RnSp Add12);
    add_imm "add" 0x1100_0000 (Sf RdSp RnSp Add12);
    adds_imm "adds" 0x3100_0000 (Sf Rd RnSp Add12);
    sub_imm "sub" 0x5100_0000 (Sf RdSp RnSp Add12);
    subs_imm "subs" 0x7100_0000 (Sf Rd RnSp Add12);

    // With a register.
    cmp "cmp" 0x6B00_001F (Sf Rn Rm);
    cmn "cmn" 0x2B00_001F (Sf Rn Rm);
    neg "neg" 0x4B00_03E0 (Sf Rd Rm);
    negs "negs" 0x6B00_03E0 (Sf Rd Rm);
    add "add" 0x0B00_0000 (Sf Rd Rn Rm);
    adds "adds" 0x2B00_0000 (Sf Rd Rn Rm);
    sub "sub" 0x4B00_0000 (Sf Rd Rn Rm);
    subs "subs" 0x6B00_0000 (Sf Rd Rn Rm);

    // With a register that is shifted.
    cmp_shifted "cmp" 0x6B00_001F (Sf Rn Rm ShiftAdd);
    cmn_shifted "cmn" 0x2B00_001F (Sf Rn Rm ShiftAdd);
    neg_shifted "neg" 0x4B00_03E0 (Sf Rd Rm ShiftAdd);
    add_shifted "add" 0x0B00_0000 (Sf Rd Rn Rm ShiftAdd);
    adds_shifted "adds" 0x2B00_0000 (Sf Rd Rn Rm ShiftAdd);
    sub_shifted "sub" 0x4B00_0000 (Sf Rd Rn Rm ShiftAdd);
    subs_shifted "subs" 0x6B00_0000 (Sf Rd Rn Rm ShiftAdd);

    // With a register that is extended; the only ones that add to the stack pointer.
    cmp_ext "cmp" 0x6B20_001F (Sf RnSp RmExt Ext);
    cmn_ext "cmn" 0x2B20_001F (Sf RnSp RmExt Ext);
    add_ext "add" 0x0B20_0000 (Sf RdSp RnSp RmExt Ext);
    adds_ext "adds" 0x2B20_0000 (Sf Rd RnSp RmExt Ext);
    sub_ext "sub" 0x4B20_0000 (Sf RdSp RnSp RmExt Ext);
    subs_ext "subs" 0x6B20_0000 (Sf Rd RnSp RmExt Ext);

    // With the carry, which subtractions clear if they borrow.
    ngc "ngc" 0x5A00_03E0 (Sf Rd Rm);
    adc "adc" 0x1A00_0000 (Sf Rd Rn Rm);
    adcs "adcs" 0x3A00_0000 (Sf Rd Rn Rm);
    sbc "sbc" 0x5A00_0000 (Sf Rd Rn Rm);
    sbcs "sbcs" 0x7A00_0000 (Sf Rd Rn Rm);

    // Logical, with a constant. The destination may be the stack pointer.
    tst_imm "tst" 0x7200_001F (Sf Rn Logic);
    and_imm "and" 0x1200_0000 (Sf RdSp Rn Logic);
    orr_imm "orr" 0x3200_0000 (Sf RdSp Rn Logic);
    eor_imm "eor" 0x5200_0000 (Sf RdSp Rn Logic);
    ands_imm "ands" 0x7200_0000 (Sf Rd Rn Logic);

    // Logical, with a register. `bic`, `orn`, `eon` invert it first.
    mov "mov" 0x2A00_03E0 (Sf Rd Rm);
    mvn "mvn" 0x2A20_03E0 (Sf Rd Rm);
    tst "tst" 0x6A00_001F (Sf Rn Rm);
    and "and" 0x0A00_0000 (Sf Rd Rn Rm);
    bic "bic" 0x0A20_0000 (Sf Rd Rn Rm);
    orr "orr" 0x2A00_0000 (Sf Rd Rn Rm);
    orn "orn" 0x2A20_0000 (Sf Rd Rn Rm);
    eor "eor" 0x4A00_0000 (Sf Rd Rn Rm);
    eon "eon" 0x4A20_0000 (Sf Rd Rn Rm);
    ands "ands" 0x6A00_0000 (Sf Rd Rn Rm);
    bics "bics" 0x6A20_0000 (Sf Rd Rn Rm);

    // Logical, with a register that is shifted.
    mvn_shifted "mvn" 0x2A20_03E0 (Sf Rd Rm ShiftLogic);
    tst_shifted "tst" 0x6A00_001F (Sf Rn Rm ShiftLogic);
    and_shifted "and" 0x0A00_0000 (Sf Rd Rn Rm ShiftLogic);
    bic_shifted "bic" 0x0A20_0000 (Sf Rd Rn Rm ShiftLogic);
    orr_shifted "orr" 0x2A00_0000 (Sf Rd Rn Rm ShiftLogic);
    orn_shifted "orn" 0x2A20_0000 (Sf Rd Rn Rm ShiftLogic);
    eor_shifted "eor" 0x4A00_0000 (Sf Rd Rn Rm ShiftLogic);
    eon_shifted "eon" 0x4A20_0000 (Sf Rd Rn Rm ShiftLogic);
    ands_shifted "ands" 0x6A00_0000 (Sf Rd Rn Rm ShiftLogic);
    bics_shifted "bics" 0x6A20_0000 (Sf Rd Rn Rm ShiftLogic);

    // Constants of 16 bits: of all zeros, of all ones and inverted, into what is there.
    movz "movz" 0x5280_0000 (Sf Rd Imm16 Quarter);
    movn "movn" 0x1280_0000 (Sf Rd Imm16 Quarter);
    movk "movk" 0x7280_0000 (Sf Rd Imm16 Quarter);

    // Shifts by a constant and extensions.
    uxtb "uxtb" 0x5300_1C00 (Wd Wn);
    uxth "uxth" 0x5300_3C00 (Wd Wn);
    sxtb "sxtb" 0x1300_1C00 (SfN Rd Wn);
    sxth "sxth" 0x1300_3C00 (SfN Rd Wn);
    sxtw "sxtw" 0x9340_7C00 (Xd Wn);
    lsr_imm "lsr" 0x5300_0000 (SfN Rd Rn Lsr);
    asr_imm "asr" 0x1300_0000 (SfN Rd Rn Lsr);
    lsl_imm "lsl" 0x5300_0000 (SfN Rd Rn Lsl);

    // Fields of bits. `ubfx` and `sbfx` read one, `ubfiz` and `sbfiz` place the lowest
    // bits, with zeros or signs around; `bfxil` and `bfi` do so but leave what is around.
    ubfx "ubfx" 0x5300_0000 (SfN Rd Rn Lsb FieldWidth);
    sbfx "sbfx" 0x1300_0000 (SfN Rd Rn Lsb FieldWidth);
    bfxil "bfxil" 0x3300_0000 (SfN Rd Rn Lsb FieldWidth);
    ubfiz "ubfiz" 0x5300_0000 (SfN Rd Rn InsertLsb InsertWidth);
    sbfiz "sbfiz" 0x1300_0000 (SfN Rd Rn InsertLsb InsertWidth);
    bfi "bfi" 0x3300_0000 (SfN Rd Rn InsertLsb InsertWidth);
    ubfm "ubfm" 0x5300_0000 (SfN Rd Rn Immr Imms);
    sbfm "sbfm" 0x1300_0000 (SfN Rd Rn Immr Imms);
    bfm "bfm" 0x3300_0000 (SfN Rd Rn Immr Imms);
    ror_imm "ror" 0x1380_0000 (SfN Rd RnTwice Imms);
    extr "extr" 0x1380_0000 (SfN Rd Rn Rm Imms);

    // Shifts by a register, of which the lowest 5 or 6 bits count.
    lsl "lsl" 0x1AC0_2000 (Sf Rd Rn Rm);
    lsr "lsr" 0x1AC0_2400 (Sf Rd Rn Rm);
    asr "asr" 0x1AC0_2800 (Sf Rd Rn Rm);
    ror "ror" 0x1AC0_2C00 (Sf Rd Rn Rm);

    // Multiplications and divisions. A division by zero gives zero.
    mul "mul" 0x1B00_7C00 (Sf Rd Rn Rm);
    mneg "mneg" 0x1B00_FC00 (Sf Rd Rn Rm);
    madd "madd" 0x1B00_0000 (Sf Rd Rn Rm Ra);
    msub "msub" 0x1B00_8000 (Sf Rd Rn Rm Ra);
    smull "smull" 0x9B20_7C00 (Xd Wn Wm);
    umull "umull" 0x9BA0_7C00 (Xd Wn Wm);
    smnegl "smnegl" 0x9B20_FC00 (Xd Wn Wm);
    umnegl "umnegl" 0x9BA0_FC00 (Xd Wn Wm);
    smaddl "smaddl" 0x9B20_0000 (Xd Wn Wm Xa);
    umaddl "umaddl" 0x9BA0_0000 (Xd Wn Wm Xa);
    smsubl "smsubl" 0x9B20_8000 (Xd Wn Wm Xa);
    umsubl "umsubl" 0x9BA0_8000 (Xd Wn Wm Xa);
    smulh "smulh" 0x9B40_7C00 (Xd Xn Xm);
    umulh "umulh" 0x9BC0_7C00 (Xd Xn Xm);
    udiv "udiv" 0x1AC0_0800 (Sf Rd Rn Rm);
    sdiv "sdiv" 0x1AC0_0C00 (Sf Rd Rn Rm);

    // Counts and orders of bits and bytes.
    clz "clz" 0x5AC0_1000 (Sf Rd Rn);
    cls "cls" 0x5AC0_1400 (Sf Rd Rn);
    rbit "rbit" 0x5AC0_0000 (Sf Rd Rn);
    rev "rev" 0x5AC0_0800 (SfRev Rd Rn);
    rev16 "rev16" 0x5AC0_0400 (Sf Rd Rn);
    rev32 "rev32" 0xDAC0_0800 (Xd Xn);

    // Choices by a condition: the second operand if it does not hold, plus one, inverted
    // or negated.
    cset "cset" 0x1A9F_07E0 (Sf Rd Inverted);
    csetm "csetm" 0x5A9F_03E0 (Sf Rd Inverted);
    cinc "cinc" 0x1A80_0400 (Sf Rd RnTwice Inverted);
    cinv "cinv" 0x5A80_0000 (Sf Rd RnTwice Inverted);
    cneg "cneg" 0x5A80_0400 (Sf Rd RnTwice Inverted);
    csel "csel" 0x1A80_0000 (Sf Rd Rn Rm Condition);
    csinc "csinc" 0x1A80_0400 (Sf Rd Rn Rm Condition);
    csinv "csinv" 0x5A80_0000 (Sf Rd Rn Rm Condition);
    csneg "csneg" 0x5A80_0400 (Sf Rd Rn Rm Condition);

    // Comparisons if a condition holds; else the flags become the number.
    ccmp "ccmp" 0x7A40_0000 (Sf Rn Rm Nzcv Condition);
    ccmn "ccmn" 0x3A40_0000 (Sf Rn Rm Nzcv Condition);
    ccmp_imm "ccmp" 0x7A40_0800 (Sf Rn Imm5 Nzcv Condition);
    ccmn_imm "ccmn" 0x3A40_0800 (Sf Rn Imm5 Nzcv Condition);
}

/// Adds a constant, or subtracts its opposite; none if neither is short.
#[inline]
pub(crate) fn add_constant(width: Width, dst: Reg, src: Reg, value: i64) -> Option<Inst> {
    match Imm12::new(value as u64) {
        Some(value) => Some(add_imm(width, dst, src, value)),
        None => Some(sub_imm(width, dst, src, Imm12::new(value.wrapping_neg() as u64)?)),
    }
}

/// Compares with a constant; none if neither it nor its opposite is short. At 32 bits the
/// constant has to be given as a signed one.
#[inline]
pub(crate) fn cmp_constant(width: Width, src: Reg, value: i64) -> Option<Inst> {
    match Imm12::new(value as u64) {
        Some(value) => Some(cmp_imm(width, src, value)),
        None => Some(cmn_imm(width, src, Imm12::new(value.wrapping_neg() as u64)?)),
    }
}
