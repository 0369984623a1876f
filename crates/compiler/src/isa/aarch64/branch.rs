//! Branches, addresses of labels, and instructions for the system.

use super::form::forms;
use super::operand::*;

forms! {
    b "b" 0x1400_0000 () -> Branch26;
    bl "bl" 0x9400_0000 () -> Branch26;
    b_cond "b." 0x5400_0000 (BranchOn) -> Branch19;
    cbz "cbz" 0x3400_0000 (Sf Rt) -> Branch19;
    cbnz "cbnz" 0x3500_0000 (Sf Rt) -> Branch19;
    tbz "tbz" 0x3600_0000 (RtBit Bit) -> Branch14;
    tbnz "tbnz" 0x3700_0000 (RtBit Bit) -> Branch14;
    br "br" 0xD61F_0000 (Xn);
    blr "blr" 0xD63F_0000 (Xn);
    /// Returns to where `bl` came from.
    ret "ret" 0xD65F_03C0 ();
    ret_to "ret" 0xD65F_0000 (Xn);
    adr "adr" 0x1000_0000 (Xd) -> Adr21;
    /// The start of the page of 4 KiB that the label is in.
    adrp "adrp" 0x9000_0000 (Xd) -> AdrPage21;

    // What is at a label.
    ldr_literal_w "ldr" 0x1800_0000 (Wt) -> Branch19;
    ldr_literal_x "ldr" 0x5800_0000 (Xt) -> Branch19;
    ldrsw_literal "ldrsw" 0x9800_0000 (Xt) -> Branch19;
    ldr_literal_s "ldr" 0x1C00_0000 (St) -> Branch19;
    ldr_literal_d "ldr" 0x5C00_0000 (Dt) -> Branch19;
    ldr_literal_q "ldr" 0x9C00_0000 (Qt) -> Branch19;

    nop "nop" 0xD503_201F ();
    /// Where calls, jumps, or both may lead if the processor checks that.
    bti_c "bti c" 0xD503_245F ();
    bti_j "bti j" 0xD503_249F ();
    bti_jc "bti jc" 0xD503_24DF ();
    hint "hint" 0xD503_201F (Hint7);
    /// A breakpoint.
    brk "brk" 0xD420_0000 (Imm16);
    /// Never an instruction.
    udf "udf" 0x0000_0000 (Udf);
    dmb "dmb" 0xD503_30BF (Dmb);
    dsb "dsb" 0xD503_309F (Dmb);
    isb "isb" 0xD503_3FDF ();
    mrs "mrs" 0xD530_0000 (Xt System);
    msr "msr" 0xD510_0000 (System Xt);
}
