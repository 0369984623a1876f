//! Loads and stores.

use super::Inst;
use super::form::forms;
use super::operand::*;
use super::regs::{Access, Pair, Reg};

forms! {
    access_scaled "r" 0x3900_0000 (Acc Data Base Scaled12);
    access_unscaled "ur" 0x3800_0000 (Acc Data Base Off9);
    access_indexed "r" 0x3820_0800 (Acc Data Base Indexed);
    access_pre "r" 0x3800_0C00 (Acc Data Base Pre9);
    access_post "r" 0x3800_0400 (Acc Data At Post9);

    pair "p" 0x2900_0000 (AccPair Data Data2 Base PairOff);
    pair_pre "p" 0x2980_0000 (AccPair Data Data2 Base PairPre);
    pair_post "p" 0x2880_0000 (AccPair Data Data2 At PairPost);
}

/// A load or store with an offset in bytes, in whichever form takes it; none if no form
/// does.
#[inline]
pub(crate) fn access(access: Access, data: Reg, base: Reg, offset: i32) -> Option<Inst> {
    let word = Acc::put(access, 0);
    if let Ok(scaled) = u32::try_from(offset)
        && Scaled12::fits(scaled, word)
    {
        return Some(access_scaled(access, data, base, scaled));
    }
    Off9::fits(offset, word).then(|| access_unscaled(access, data, base, offset))
}

/// Whether [`pair`] and its siblings take an offset in bytes.
pub(crate) fn pair_fits(pair: Pair, offset: i32) -> bool {
    PairOff::fits(offset, AccPair::put(pair, 0))
}
