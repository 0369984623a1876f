//! Instructions on one float.

use super::form::forms;
use super::operand::*;

forms! {
    fadd "fadd" 0x1E20_2800 (Fp Sd Sn Sm);
    fsub "fsub" 0x1E20_3800 (Fp Sd Sn Sm);
    fmul "fmul" 0x1E20_0800 (Fp Sd Sn Sm);
    fnmul "fnmul" 0x1E20_8800 (Fp Sd Sn Sm);
    fdiv "fdiv" 0x1E20_1800 (Fp Sd Sn Sm);
    fmin "fmin" 0x1E20_5800 (Fp Sd Sn Sm);
    fmax "fmax" 0x1E20_4800 (Fp Sd Sn Sm);
    // A number rather than a quiet NaN.
    fminnm "fminnm" 0x1E20_7800 (Fp Sd Sn Sm);
    fmaxnm "fmaxnm" 0x1E20_6800 (Fp Sd Sn Sm);
    // a + n m, a - n m, -a - n m, -a + n m, rounded once.
    fmadd "fmadd" 0x1F00_0000 (Fp Sd Sn Sm Sa);
    fmsub "fmsub" 0x1F00_8000 (Fp Sd Sn Sm Sa);
    fnmadd "fnmadd" 0x1F20_0000 (Fp Sd Sn Sm Sa);
    fnmsub "fnmsub" 0x1F20_8000 (Fp Sd Sn Sm Sa);

    fabs "fabs" 0x1E20_C000 (Fp Sd Sn);
    fneg "fneg" 0x1E21_4000 (Fp Sd Sn);
    fsqrt "fsqrt" 0x1E21_C000 (Fp Sd Sn);
    // To integers that are floats: ties to even, up, down, towards zero, ties away, as
    // FPCR says and telling if inexact, as FPCR says.
    frintn "frintn" 0x1E24_4000 (Fp Sd Sn);
    frintp "frintp" 0x1E24_C000 (Fp Sd Sn);
    frintm "frintm" 0x1E25_4000 (Fp Sd Sn);
    frintz "frintz" 0x1E25_C000 (Fp Sd Sn);
    frinta "frinta" 0x1E26_4000 (Fp Sd Sn);
    frintx "frintx" 0x1E27_4000 (Fp Sd Sn);
    frinti "frinti" 0x1E27_C000 (Fp Sd Sn);

    // `fcmpe` is for comparisons that quiet NaNs make invalid.
    fcmp "fcmp" 0x1E20_2000 (Fp Sn Sm);
    fcmpe "fcmpe" 0x1E20_2010 (Fp Sn Sm);
    fcmp_zero "fcmp" 0x1E20_2008 (Fp Sn) [FpZero];
    fcmpe_zero "fcmpe" 0x1E20_2018 (Fp Sn) [FpZero];
    fccmp "fccmp" 0x1E20_0400 (Fp Sn Sm Nzcv Condition);
    fccmpe "fccmpe" 0x1E20_0410 (Fp Sn Sm Nzcv Condition);
    fcsel "fcsel" 0x1E20_0C00 (Fp Sd Sn Sm Condition);

    fmov "fmov" 0x1E20_4000 (Fp Sd Sn);
    fmov_imm "fmov" 0x1E20_1000 (Fp Sd FpImm);
    // Bits between the banks of registers.
    fmov_to_general "fmov" 0x1E26_0000 (Word Rd Sn);
    fmov_from_general "fmov" 0x1E27_0000 (Word Sd Rn);

    fcvt_to_d "fcvt" 0x1E22_C000 (Dt Ss);
    fcvt_to_s "fcvt" 0x1E62_4000 (St Ds);
    // Towards zero; what is too large becomes the nearest, NaN zero.
    fcvtzs "fcvtzs" 0x1E38_0000 (Sf Fp Rd Sn);
    fcvtzu "fcvtzu" 0x1E39_0000 (Sf Fp Rd Sn);
    scvtf "scvtf" 0x1E22_0000 (Sf Fp Sd Rn);
    ucvtf "ucvtf" 0x1E23_0000 (Sf Fp Sd Rn);
}
