//! Instructions on vectors.
//!
//! The names are the architecture's. Where two halves are meant, the lanes given are
//! those of the narrower side, and say by filling the register that it is the upper half:
//! `smull(B16, d, n, m)` is `smull2 d.8h, n.16b, m.16b`.

use super::form::forms;
use super::operand::*;

forms! {
    // Integers, lane by lane.
    add "add" 0x0E20_8400 (Arr Vd Vn Vm);
    sub "sub" 0x2E20_8400 (Arr Vd Vn Vm);
    mul "mul" 0x0E20_9C00 (ArrBhs Vd Vn Vm);
    mla "mla" 0x0E20_9400 (ArrBhs Vd Vn Vm);
    mls "mls" 0x2E20_9400 (ArrBhs Vd Vn Vm);
    sqadd "sqadd" 0x0E20_0C00 (Arr Vd Vn Vm);
    uqadd "uqadd" 0x2E20_0C00 (Arr Vd Vn Vm);
    sqsub "sqsub" 0x0E20_2C00 (Arr Vd Vn Vm);
    uqsub "uqsub" 0x2E20_2C00 (Arr Vd Vn Vm);
    shadd "shadd" 0x0E20_0400 (ArrBhs Vd Vn Vm);
    uhadd "uhadd" 0x2E20_0400 (ArrBhs Vd Vn Vm);
    srhadd "srhadd" 0x0E20_1400 (ArrBhs Vd Vn Vm);
    urhadd "urhadd" 0x2E20_1400 (ArrBhs Vd Vn Vm);
    smax "smax" 0x0E20_6400 (ArrBhs Vd Vn Vm);
    umax "umax" 0x2E20_6400 (ArrBhs Vd Vn Vm);
    smin "smin" 0x0E20_6C00 (ArrBhs Vd Vn Vm);
    umin "umin" 0x2E20_6C00 (ArrBhs Vd Vn Vm);
    sabd "sabd" 0x0E20_7400 (ArrBhs Vd Vn Vm);
    uabd "uabd" 0x2E20_7400 (ArrBhs Vd Vn Vm);
    sqdmulh "sqdmulh" 0x0E20_B400 (ArrHs Vd Vn Vm);
    sqrdmulh "sqrdmulh" 0x2E20_B400 (ArrHs Vd Vn Vm);
    abs "abs" 0x0E20_B800 (Arr Vd Vn);
    neg "neg" 0x2E20_B800 (Arr Vd Vn);
    sqabs "sqabs" 0x0E20_7800 (Arr Vd Vn);
    sqneg "sqneg" 0x2E20_7800 (Arr Vd Vn);
    clz "clz" 0x2E20_4800 (ArrBhs Vd Vn);
    cls "cls" 0x0E20_4800 (ArrBhs Vd Vn);
    /// Counts ones.
    cnt "cnt" 0x0E20_5800 (ArrB Vd Vn);

    // Comparisons: all ones or zero.
    cmeq "cmeq" 0x2E20_8C00 (Arr Vd Vn Vm);
    cmgt "cmgt" 0x0E20_3400 (Arr Vd Vn Vm);
    cmge "cmge" 0x0E20_3C00 (Arr Vd Vn Vm);
    cmhi "cmhi" 0x2E20_3400 (Arr Vd Vn Vm);
    cmhs "cmhs" 0x2E20_3C00 (Arr Vd Vn Vm);
    /// Whether there are common ones.
    cmtst "cmtst" 0x0E20_8C00 (Arr Vd Vn Vm);
    cmeq_zero "cmeq" 0x0E20_9800 (Arr Vd Vn) [Zero];
    cmgt_zero "cmgt" 0x0E20_8800 (Arr Vd Vn) [Zero];
    cmge_zero "cmge" 0x2E20_8800 (Arr Vd Vn) [Zero];
    cmlt_zero "cmlt" 0x0E20_A800 (Arr Vd Vn) [Zero];
    cmle_zero "cmle" 0x2E20_9800 (Arr Vd Vn) [Zero];

    // Bits. `bsl` has the mask in the destination, and takes the first operand where it is
    // one; `bit` inserts the first operand where the second is one, `bif` where it is zero.
    mov "mov" 0x0EA0_1C00 (ArrB Vd VnTwice);
    and "and" 0x0E20_1C00 (ArrB Vd Vn Vm);
    bic "bic" 0x0E60_1C00 (ArrB Vd Vn Vm);
    orr "orr" 0x0EA0_1C00 (ArrB Vd Vn Vm);
    orn "orn" 0x0EE0_1C00 (ArrB Vd Vn Vm);
    eor "eor" 0x2E20_1C00 (ArrB Vd Vn Vm);
    bsl "bsl" 0x2E60_1C00 (ArrB Vd Vn Vm);
    bit "bit" 0x2EA0_1C00 (ArrB Vd Vn Vm);
    bif "bif" 0x2EE0_1C00 (ArrB Vd Vn Vm);
    mvn "mvn" 0x2E20_5800 (ArrB Vd Vn);
    rbit "rbit" 0x2E60_5800 (ArrB Vd Vn);

    // Shifts. `sshl` and `ushl` shift by the signed low byte of each lane, to the right if
    // it is negative. `ssra` and `usra` add, `sli` and `sri` insert.
    sshl "sshl" 0x0E20_4400 (Arr Vd Vn Vm);
    ushl "ushl" 0x2E20_4400 (Arr Vd Vn Vm);
    shl "shl" 0x0F00_5400 (ArrShift Vd Vn ShiftLeft);
    sshr "sshr" 0x0F00_0400 (ArrShift Vd Vn ShiftRight);
    ushr "ushr" 0x2F00_0400 (ArrShift Vd Vn ShiftRight);
    ssra "ssra" 0x0F00_1400 (ArrShift Vd Vn ShiftRight);
    usra "usra" 0x2F00_1400 (ArrShift Vd Vn ShiftRight);
    srshr "srshr" 0x0F00_2400 (ArrShift Vd Vn ShiftRight);
    urshr "urshr" 0x2F00_2400 (ArrShift Vd Vn ShiftRight);
    sli "sli" 0x2F00_5400 (ArrShift Vd Vn ShiftLeft);
    sri "sri" 0x2F00_4400 (ArrShift Vd Vn ShiftRight);
    /// To lanes of half the size.
    shrn "shrn" 0x0F00_8400 (ArrShiftLong Vd VnWide ShiftRight);
    sxtl "sxtl" 0x0F00_A400 (ArrExtend VdWide Vn);
    uxtl "uxtl" 0x2F00_A400 (ArrExtend VdWide Vn);
    sshll "sshll" 0x0F00_A400 (ArrShiftLong VdWide Vn ShiftLeft);
    ushll "ushll" 0x2F00_A400 (ArrShiftLong VdWide Vn ShiftLeft);

    // To lanes of half the size: the lower bits, or the nearest signed or unsigned number;
    // of signed numbers the nearest unsigned. The upper half leaves the lower alone.
    xtn "xtn" 0x0E21_2800 (ArrLong Vd VnWide);
    sqxtn "sqxtn" 0x0E21_4800 (ArrLong Vd VnWide);
    uqxtn "uqxtn" 0x2E21_4800 (ArrLong Vd VnWide);
    sqxtun "sqxtun" 0x2E21_2800 (ArrLong Vd VnWide);

    // To lanes of twice the size.
    smull "smull" 0x0E20_C000 (ArrLong VdWide Vn Vm);
    umull "umull" 0x2E20_C000 (ArrLong VdWide Vn Vm);
    smlal "smlal" 0x0E20_8000 (ArrLong VdWide Vn Vm);
    umlal "umlal" 0x2E20_8000 (ArrLong VdWide Vn Vm);
    smlsl "smlsl" 0x0E20_A000 (ArrLong VdWide Vn Vm);
    umlsl "umlsl" 0x2E20_A000 (ArrLong VdWide Vn Vm);
    saddl "saddl" 0x0E20_0000 (ArrLong VdWide Vn Vm);
    uaddl "uaddl" 0x2E20_0000 (ArrLong VdWide Vn Vm);
    ssubl "ssubl" 0x0E20_2000 (ArrLong VdWide Vn Vm);
    usubl "usubl" 0x2E20_2000 (ArrLong VdWide Vn Vm);
    saddw "saddw" 0x0E20_1000 (ArrLong VdWide VnWide Vm);
    uaddw "uaddw" 0x2E20_1000 (ArrLong VdWide VnWide Vm);
    /// Adds products of four bytes each (extension DotProd).
    sdot "sdot" 0x0E80_9400 (ArrDot Vd VnBytes VmBytes);
    udot "udot" 0x2E80_9400 (ArrDot Vd VnBytes VmBytes);

    // Pairs of lanes. `saddlp` and `uaddlp` make lanes of twice the size, `sadalp` and
    // `uadalp` add to such.
    addp "addp" 0x0E20_BC00 (Arr Vd Vn Vm);
    smaxp "smaxp" 0x0E20_A400 (ArrBhs Vd Vn Vm);
    umaxp "umaxp" 0x2E20_A400 (ArrBhs Vd Vn Vm);
    sminp "sminp" 0x0E20_AC00 (ArrBhs Vd Vn Vm);
    uminp "uminp" 0x2E20_AC00 (ArrBhs Vd Vn Vm);
    saddlp "saddlp" 0x0E20_2800 (ArrPairs VdWide Vn);
    uaddlp "uaddlp" 0x2E20_2800 (ArrPairs VdWide Vn);
    sadalp "sadalp" 0x0E20_6800 (ArrPairs VdWide Vn);
    uadalp "uadalp" 0x2E20_6800 (ArrPairs VdWide Vn);
    addp_scalar "addp" 0x5EF1_B800 (Dt VnDoubles);

    // All lanes to one number.
    addv "addv" 0x0E31_B800 (ArrAcross Sd Vn);
    smaxv "smaxv" 0x0E30_A800 (ArrAcross Sd Vn);
    umaxv "umaxv" 0x2E30_A800 (ArrAcross Sd Vn);
    sminv "sminv" 0x0E31_A800 (ArrAcross Sd Vn);
    uminv "uminv" 0x2E31_A800 (ArrAcross Sd Vn);
    saddlv "saddlv" 0x0E30_3800 (ArrAcrossLong Sd Vn);
    uaddlv "uaddlv" 0x2E30_3800 (ArrAcrossLong Sd Vn);

    // Floats, lane by lane.
    fadd "fadd" 0x0E20_D400 (ArrFp Vd Vn Vm);
    fsub "fsub" 0x0EA0_D400 (ArrFp Vd Vn Vm);
    fmul "fmul" 0x2E20_DC00 (ArrFp Vd Vn Vm);
    fdiv "fdiv" 0x2E20_FC00 (ArrFp Vd Vn Vm);
    fmin "fmin" 0x0EA0_F400 (ArrFp Vd Vn Vm);
    fmax "fmax" 0x0E20_F400 (ArrFp Vd Vn Vm);
    fminnm "fminnm" 0x0EA0_C400 (ArrFp Vd Vn Vm);
    fmaxnm "fmaxnm" 0x0E20_C400 (ArrFp Vd Vn Vm);
    fabd "fabd" 0x2EA0_D400 (ArrFp Vd Vn Vm);
    fmla "fmla" 0x0E20_CC00 (ArrFp Vd Vn Vm);
    fmls "fmls" 0x0EA0_CC00 (ArrFp Vd Vn Vm);
    fabs "fabs" 0x0EA0_F800 (ArrFp Vd Vn);
    fneg "fneg" 0x2EA0_F800 (ArrFp Vd Vn);
    fsqrt "fsqrt" 0x2EA1_F800 (ArrFp Vd Vn);
    frintn "frintn" 0x0E21_8800 (ArrFp Vd Vn);
    frintp "frintp" 0x0EA1_8800 (ArrFp Vd Vn);
    frintm "frintm" 0x0E21_9800 (ArrFp Vd Vn);
    frintz "frintz" 0x0EA1_9800 (ArrFp Vd Vn);
    frinta "frinta" 0x2E21_8800 (ArrFp Vd Vn);
    frintx "frintx" 0x2E21_9800 (ArrFp Vd Vn);
    frinti "frinti" 0x2EA1_9800 (ArrFp Vd Vn);
    fcmeq "fcmeq" 0x0E20_E400 (ArrFp Vd Vn Vm);
    fcmge "fcmge" 0x2E20_E400 (ArrFp Vd Vn Vm);
    fcmgt "fcmgt" 0x2EA0_E400 (ArrFp Vd Vn Vm);
    fcmeq_zero "fcmeq" 0x0EA0_D800 (ArrFp Vd Vn) [FpZero];
    fcmgt_zero "fcmgt" 0x0EA0_C800 (ArrFp Vd Vn) [FpZero];
    fcmge_zero "fcmge" 0x2EA0_C800 (ArrFp Vd Vn) [FpZero];
    fcmlt_zero "fcmlt" 0x0EA0_E800 (ArrFp Vd Vn) [FpZero];
    fcmle_zero "fcmle" 0x2EA0_D800 (ArrFp Vd Vn) [FpZero];
    fcvtzs "fcvtzs" 0x0EA1_B800 (ArrFp Vd Vn);
    fcvtzu "fcvtzu" 0x2EA1_B800 (ArrFp Vd Vn);
    scvtf "scvtf" 0x0E21_D800 (ArrFp Vd Vn);
    ucvtf "ucvtf" 0x2E21_D800 (ArrFp Vd Vn);
    /// To 32 bits.
    fcvtn "fcvtn" 0x0E61_6800 (ArrCvt Vd VnWide);
    /// To 64 bits.
    fcvtl "fcvtl" 0x0E61_7800 (ArrCvt VdWide Vn);
    // By one lane.
    fmul_lane "fmul" 0x0F80_9000 (ArrFp Vd Vn VmIndexed LaneIndexed);
    fmla_lane "fmla" 0x0F80_1000 (ArrFp Vd Vn VmIndexed LaneIndexed);
    fmls_lane "fmls" 0x0F80_5000 (ArrFp Vd Vn VmIndexed LaneIndexed);
    // Pairs of lanes.
    faddp "faddp" 0x2E20_D400 (ArrFp Vd Vn Vm);
    fmaxp "fmaxp" 0x2E20_F400 (ArrFp Vd Vn Vm);
    fminp "fminp" 0x2EA0_F400 (ArrFp Vd Vn Vm);
    faddp_scalar "faddp" 0x7E30_D800 (FpPair Sd Vn);

    // Orders of lanes.
    zip1 "zip1" 0x0E00_3800 (Arr Vd Vn Vm);
    zip2 "zip2" 0x0E00_7800 (Arr Vd Vn Vm);
    uzp1 "uzp1" 0x0E00_1800 (Arr Vd Vn Vm);
    uzp2 "uzp2" 0x0E00_5800 (Arr Vd Vn Vm);
    trn1 "trn1" 0x0E00_2800 (Arr Vd Vn Vm);
    trn2 "trn2" 0x0E00_6800 (Arr Vd Vn Vm);
    rev64 "rev64" 0x0E20_0800 (ArrBhs Vd Vn);
    rev32 "rev32" 0x2E20_0800 (ArrBh Vd Vn);
    rev16 "rev16" 0x0E20_1800 (ArrB Vd Vn);
    /// Bytes from one in the first operand on, followed by those of the second.
    ext "ext" 0x2E00_0000 (ArrB Vd Vn Vm ExtIndex);
    // Bytes that the last operand numbers in a table; behind its end zero, or with `tbx`
    // what was there.
    tbl1 "tbl" 0x0E00_0000 (ArrB Vd Table1 Vm);
    tbl2 "tbl" 0x0E00_2000 (ArrB Vd Table2 Vm);
    tbl3 "tbl" 0x0E00_4000 (ArrB Vd Table3 Vm);
    tbl4 "tbl" 0x0E00_6000 (ArrB Vd Table4 Vm);
    tbx1 "tbx" 0x0E00_1000 (ArrB Vd Table1 Vm);
    tbx2 "tbx" 0x0E00_3000 (ArrB Vd Table2 Vm);

    // Single lanes.
    dup "dup" 0x0E00_0C00 (ArrDup Vd RnElem);
    dup_lane "dup" 0x0E00_0400 (ArrElem Vd VnLane Lane);
    /// A lane to the lowest, the others become zero.
    dup_scalar "dup" 0x5E00_0400 (ElemAny Sd VnLane Lane);
    ins "ins" 0x4E00_1C00 (ElemAny VdLane Lane RnElem);
    ins_lane "ins" 0x6E00_0400 (ElemAny VdLane Lane VnLane4 Lane4);
    umov "umov" 0x0E00_3C00 (ElemUmov Rd VnLane Lane);
    smov "smov" 0x0E00_2C00 (Double ElemSmov Rd VnLane Lane);
    ld1r "ld1r" 0x0D40_C000 (ArrLoad List BaseOnly);
    ld1_lane "ld1" 0x0D40_0000 (ElemMem VtLane MemLane BaseOnly);
    st1_lane "st1" 0x0D00_0000 (ElemMem VtLane MemLane BaseOnly);

    // Constants of 8 bits, shifted, inverted, or each bit for a byte.
    movi_b "movi" 0x0F00_E400 (ArrB Vd Imm8);
    movi_h "movi" 0x0F00_8400 (ArrH Vd Imm8 LslH);
    mvni_h "mvni" 0x2F00_8400 (ArrH Vd Imm8 LslH);
    movi_s "movi" 0x0F00_0400 (ArrS Vd Imm8 LslS);
    mvni_s "mvni" 0x2F00_0400 (ArrS Vd Imm8 LslS);
    movi_s_ones "movi" 0x0F00_C400 (ArrS Vd Imm8 Msl);
    mvni_s_ones "mvni" 0x2F00_C400 (ArrS Vd Imm8 Msl);
    movi_d "movi" 0x6F00_E400 (VdDoubles ByteMask);
    movi_d_scalar "movi" 0x2F00_E400 (Dt ByteMask);
    fmov_s_imm "fmov" 0x0F00_F400 (ArrS Vd VecFp);
    fmov_d_imm "fmov" 0x6F00_F400 (VdDoubles VecFp);
    orr_h_imm "orr" 0x0F00_9400 (ArrH Vd Imm8 LslH);
    bic_h_imm "bic" 0x2F00_9400 (ArrH Vd Imm8 LslH);
    orr_s_imm "orr" 0x0F00_1400 (ArrS Vd Imm8 LslS);
    bic_s_imm "bic" 0x2F00_1400 (ArrS Vd Imm8 LslS);
}
