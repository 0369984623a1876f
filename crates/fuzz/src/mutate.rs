//! Exchanges an operator for another of the same type, or its immediate for one at
//! which something changes, so that a valid module stays valid.

use crate::opcodes::{F32_CONST, F64_CONST, I32_CONST, I64_CONST, V128_CONST};
use crate::ops::{self, ACCESSES, Group, LANES, PURE, VECTOR};
use crate::value;
use wasm_encoder::Encode;
use zwasm_wast::mutate::Rng;

/// Offsets at and around the ends of memories, of guard regions and of signed
/// numbers.
pub const OFFSETS: [u32; 14] = [
    0,
    1,
    3,
    7,
    15,
    64,
    0xffff,
    0x1_0000,
    0xf_fff8,
    0x10_0000,
    0x7fff_fffc,
    0x8000_0000,
    0xffff_fff0,
    0xffff_ffff,
];

/// What may stand for an operator; none if nothing may.
pub fn operator(bytes: &[u8], rng: &mut Rng) -> Option<Vec<u8>> {
    let mut new = Vec::with_capacity(bytes.len());
    match bytes {
        [I32_CONST, ..] => {
            new.push(I32_CONST);
            (value::integer(rng) as i32).encode(&mut new);
        }
        [I64_CONST, ..] => {
            new.push(I64_CONST);
            (value::integer(rng) as i64).encode(&mut new);
        }
        [F32_CONST, ..] => {
            new.push(F32_CONST);
            new.extend(value::float32(rng).to_le_bytes());
        }
        [F64_CONST, ..] => {
            new.push(F64_CONST);
            new.extend(value::float64(rng).to_le_bytes());
        }
        [VECTOR, V128_CONST, ..] => {
            new.extend([VECTOR, V128_CONST]);
            new.extend(value::vector(rng).to_le_bytes());
        }
        _ => {
            if let Some((group, _, length)) = ops::find(&ACCESSES, bytes) {
                access(group, &bytes[length..], rng, &mut new)?;
            } else if let Some((group, _, length)) = ops::find(&LANES, bytes) {
                let code = draw(group, rng);
                ops::push(&mut new, group.prefix, code);
                new.push(bytes[length] % ops::lane_count(code));
            } else {
                let (group, ..) = ops::find(&PURE, bytes)?;
                ops::push(&mut new, group.prefix, draw(group, rng));
            }
        }
    }
    Some(new)
}

/// One of the group's opcodes.
pub fn draw(group: &Group, rng: &mut Rng) -> u32 {
    let at = rng.below(group.len());
    group.all().nth(at).unwrap_or_default()
}

/// An access like another, or to another address, with no alignment promised.
fn access(group: &Group, memarg: &[u8], rng: &mut Rng, new: &mut Vec<u8>) -> Option<()> {
    ops::push(new, group.prefix, draw(group, rng));
    let (&flags, rest) = memarg.split_first()?;
    // What remains says whether a memory is named.
    new.push(flags & 0x40);
    if rng.below(2) == 0 {
        new.extend_from_slice(rest);
        return Some(());
    }
    if flags & 0x40 != 0 {
        let end = rest.iter().position(|byte| *byte < 0x80)? + 1;
        new.extend_from_slice(&rest[..end]);
    }
    OFFSETS[rng.below(OFFSETS.len())].encode(new);
    Some(())
}
