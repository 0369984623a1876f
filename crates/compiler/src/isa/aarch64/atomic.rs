//! Atomic accesses: exclusive ones, ordered ones, and those of the extension LSE, which
//! do in one instruction what others do in a loop.

use super::form::forms;
use super::operand::*;

forms! {
    // Exclusive: the store gives 0 if nobody else wrote in between, else 1. Its outcome
    // must not go to one of its other registers.
    ldxr "ldxr" 0x085F_7C00 (Sized Rt BaseOnly);
    ldaxr "ldaxr" 0x085F_FC00 (Sized Rt BaseOnly);
    stxr "stxr" 0x0800_7C00 (Sized Ws Rt BaseOnly);
    stlxr "stlxr" 0x0800_FC00 (Sized Ws Rt BaseOnly);
    ldxp "ldxp" 0x887F_0000 (Double Rt Rt2 BaseOnly);
    ldaxp "ldaxp" 0x887F_8000 (Double Rt Rt2 BaseOnly);
    stxp "stxp" 0x8820_0000 (Double Ws Rt Rt2 BaseOnly);
    stlxp "stlxp" 0x8820_8000 (Double Ws Rt Rt2 BaseOnly);
    clrex "clrex" 0xD503_3F5F ();

    // Ordered. `ldapr` (extension RCpc) may overtake earlier `stlr`.
    ldar "ldar" 0x08DF_FC00 (Sized Rt BaseOnly);
    stlr "stlr" 0x089F_FC00 (Sized Rt BaseOnly);
    ldapr "ldapr" 0x38BF_C000 (Sized Rt BaseOnly);

    // LSE: `Rs` is what is added and so on, `Rt` becomes what was there. `ldclr` clears
    // the bits that are set in `Rs`.
    ldadd "ldadd" 0x3820_0000 (Ordered Sized Rs Rt BaseOnly);
    ldclr "ldclr" 0x3820_1000 (Ordered Sized Rs Rt BaseOnly);
    ldeor "ldeor" 0x3820_2000 (Ordered Sized Rs Rt BaseOnly);
    ldset "ldset" 0x3820_3000 (Ordered Sized Rs Rt BaseOnly);
    swp "swp" 0x3820_8000 (Ordered Sized Rs Rt BaseOnly);
    /// If `Rs` is what is there, `Rt` is stored; `Rs` becomes what was there.
    cas "cas" 0x08A0_7C00 (OrderedCas Sized Rs Rt BaseOnly);
}
