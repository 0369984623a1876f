//! The operators without immediates, and the loads and stores, by signature: what
//! may stand in the place of what, and what a program can be made of.

use crate::ty::Ty::{self, F32, F64, I32, I64, V128};
use std::ops::RangeInclusive;

/// The prefixes of opcodes; single bytes have none.
pub const SINGLE: u8 = 0;
pub const NUMERIC: u8 = 0xfc;
pub const VECTOR: u8 = 0xfd;
/// Vector opcodes from here on may compute different things on different machines.
pub const RELAXED: u32 = 0x100;

/// Operators of one signature and one prefix.
pub struct Group {
    pub params: &'static [Ty],
    pub result: Option<Ty>,
    pub prefix: u8,
    pub codes: &'static [RangeInclusive<u32>],
}

macro_rules! groups {
    ($($params:tt -> $result:expr, $prefix:expr, [$($codes:expr),+];)*) => {
        &[$(Group {
            params: &$params,
            result: $result,
            prefix: $prefix,
            codes: &[$($codes),+],
        },)*]
    };
}

/// Operators whose operands are all on the stack.
pub static PURE: &[Group] = groups! {
    [I32] -> Some(I32), SINGLE, [0x45..=0x45, 0x67..=0x69, 0xc0..=0xc1];
    [I32, I32] -> Some(I32), SINGLE, [0x46..=0x4f, 0x6a..=0x78];
    [I64] -> Some(I32), SINGLE, [0x50..=0x50, 0xa7..=0xa7];
    [I64, I64] -> Some(I32), SINGLE, [0x51..=0x5a];
    [F32, F32] -> Some(I32), SINGLE, [0x5b..=0x60];
    [F64, F64] -> Some(I32), SINGLE, [0x61..=0x66];
    [I64] -> Some(I64), SINGLE, [0x79..=0x7b, 0xc2..=0xc4];
    [I64, I64] -> Some(I64), SINGLE, [0x7c..=0x8a];
    [F32] -> Some(F32), SINGLE, [0x8b..=0x91];
    [F32, F32] -> Some(F32), SINGLE, [0x92..=0x98];
    [F64] -> Some(F64), SINGLE, [0x99..=0x9f];
    [F64, F64] -> Some(F64), SINGLE, [0xa0..=0xa6];
    [F32] -> Some(I32), SINGLE, [0xa8..=0xa9, 0xbc..=0xbc];
    [F64] -> Some(I32), SINGLE, [0xaa..=0xab];
    [I32] -> Some(I64), SINGLE, [0xac..=0xad];
    [F32] -> Some(I64), SINGLE, [0xae..=0xaf];
    [F64] -> Some(I64), SINGLE, [0xb0..=0xb1, 0xbd..=0xbd];
    [I32] -> Some(F32), SINGLE, [0xb2..=0xb3, 0xbe..=0xbe];
    [I64] -> Some(F32), SINGLE, [0xb4..=0xb5];
    [F64] -> Some(F32), SINGLE, [0xb6..=0xb6];
    [I32] -> Some(F64), SINGLE, [0xb7..=0xb8];
    [I64] -> Some(F64), SINGLE, [0xb9..=0xba, 0xbf..=0xbf];
    [F32] -> Some(F64), SINGLE, [0xbb..=0xbb];
    [F32] -> Some(I32), NUMERIC, [0..=1];
    [F64] -> Some(I32), NUMERIC, [2..=3];
    [F32] -> Some(I64), NUMERIC, [4..=5];
    [F64] -> Some(I64), NUMERIC, [6..=7];
    [V128, V128] -> Some(V128), VECTOR, [
        0x0e..=0x0e, 0x23..=0x4c, 0x4e..=0x51, 0x65..=0x66, 0x6e..=0x73, 0x76..=0x79, 0x7b..=0x7b,
        0x82..=0x82, 0x85..=0x86, 0x8e..=0x93, 0x95..=0x99, 0x9b..=0x9f, 0xae..=0xae, 0xb1..=0xb1,
        0xb5..=0xba, 0xbc..=0xbf, 0xce..=0xce, 0xd1..=0xd1, 0xd5..=0xdf, 0xe4..=0xeb, 0xf0..=0xf7
    ];
    [V128, V128] -> Some(V128), VECTOR, [0x100..=0x100, 0x10d..=0x112];
    [V128] -> Some(V128), VECTOR, [
        0x4d..=0x4d, 0x5e..=0x62, 0x67..=0x6a, 0x74..=0x75, 0x7a..=0x7a, 0x7c..=0x81, 0x87..=0x8a,
        0x94..=0x94, 0xa0..=0xa1, 0xa7..=0xaa, 0xc0..=0xc1, 0xc7..=0xca, 0xe0..=0xe1, 0xe3..=0xe3,
        0xec..=0xed, 0xef..=0xef, 0xf8..=0xff
    ];
    [V128] -> Some(V128), VECTOR, [0x101..=0x104];
    [V128, I32] -> Some(V128), VECTOR, [0x6b..=0x6d, 0x8b..=0x8d, 0xab..=0xad, 0xcb..=0xcd];
    [V128] -> Some(I32), VECTOR, [0x53..=0x53, 0x63..=0x64, 0x83..=0x84, 0xa3..=0xa4, 0xc3..=0xc4];
    [V128, V128, V128] -> Some(V128), VECTOR, [0x52..=0x52];
    [V128, V128, V128] -> Some(V128), VECTOR, [0x105..=0x10c, 0x113..=0x113];
    [I32] -> Some(V128), VECTOR, [0x0f..=0x11];
    [I64] -> Some(V128), VECTOR, [0x12..=0x12];
    [F32] -> Some(V128), VECTOR, [0x13..=0x13];
    [F64] -> Some(V128), VECTOR, [0x14..=0x14];
};

/// Accesses to memory: the address is the first operand, a memory argument follows
/// the opcode. Of these, the parameters are those beside the address.
pub static ACCESSES: &[Group] = groups! {
    [] -> Some(I32), SINGLE, [0x28..=0x28, 0x2c..=0x2f];
    [] -> Some(I64), SINGLE, [0x29..=0x29, 0x30..=0x35];
    [] -> Some(F32), SINGLE, [0x2a..=0x2a];
    [] -> Some(F64), SINGLE, [0x2b..=0x2b];
    [] -> Some(V128), VECTOR, [0x00..=0x0a, 0x5c..=0x5d];
    [I32] -> None, SINGLE, [0x36..=0x36, 0x3a..=0x3b];
    [I64] -> None, SINGLE, [0x37..=0x37, 0x3c..=0x3e];
    [F32] -> None, SINGLE, [0x38..=0x38];
    [F64] -> None, SINGLE, [0x39..=0x39];
    [V128] -> None, VECTOR, [0x0b..=0x0b];
};

/// Operators on lanes, whose number follows the opcode.
pub static LANES: &[Group] = groups! {
    [V128] -> Some(I32), VECTOR, [0x15..=0x16, 0x18..=0x19, 0x1b..=0x1b];
    [V128, I32] -> Some(V128), VECTOR, [0x17..=0x17, 0x1a..=0x1a, 0x1c..=0x1c];
    [V128] -> Some(I64), VECTOR, [0x1d..=0x1d];
    [V128, I64] -> Some(V128), VECTOR, [0x1e..=0x1e];
    [V128] -> Some(F32), VECTOR, [0x1f..=0x1f];
    [V128, F32] -> Some(V128), VECTOR, [0x20..=0x20];
    [V128] -> Some(F64), VECTOR, [0x21..=0x21];
    [V128, F64] -> Some(V128), VECTOR, [0x22..=0x22];
};

/// How many lanes the vector has that an operator of [`LANES`] takes apart.
pub fn lane_count(code: u32) -> u8 {
    match code {
        0x15..=0x17 => 16,
        0x18..=0x1a => 8,
        0x1b..=0x1c | 0x1f..=0x20 => 4,
        _ => 2,
    }
}

impl Group {
    /// All opcodes of the group.
    pub fn all(&self) -> impl Iterator<Item = u32> {
        self.codes.iter().flat_map(Clone::clone)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.codes.iter().map(|range| (range.end() - range.start() + 1) as usize).sum()
    }

    /// Whether a value of it is one of its operands or the result.
    pub fn has(&self, ty: Ty) -> bool {
        self.params.contains(&ty) || self.result == Some(ty)
    }

    /// Whether it needs the vector instructions.
    pub fn uses_vectors(&self) -> bool {
        self.prefix == VECTOR
    }

    /// Whether machines may differ about it.
    pub fn is_relaxed(&self) -> bool {
        self.uses_vectors() && *self.codes[0].start() >= RELAXED
    }
}

/// The group and the code of the opcode at the start of `bytes`, and its length.
pub fn find(groups: &'static [Group], bytes: &[u8]) -> Option<(&'static Group, u32, usize)> {
    let (prefix, code, length) = match *bytes {
        [prefix @ (NUMERIC | VECTOR), low, high, ..] if low >= 0x80 => {
            (prefix, u32::from(low & 0x7f) | u32::from(high) << 7, 3)
        }
        [prefix @ (NUMERIC | VECTOR), code, ..] => (prefix, u32::from(code), 2),
        [code, ..] => (SINGLE, u32::from(code), 1),
        [] => return None,
    };
    let holds = |group: &&Group| {
        group.prefix == prefix && group.codes.iter().any(|range| range.contains(&code))
    };
    Some((groups.iter().find(holds)?, code, length))
}

/// Appends an opcode.
pub fn push(bytes: &mut Vec<u8>, prefix: u8, code: u32) {
    if prefix != SINGLE {
        bytes.push(prefix);
    }
    if prefix != SINGLE && code >= 0x80 {
        bytes.extend([code as u8 | 0x80, (code >> 7) as u8]);
    } else {
        bytes.push(code as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_opcode_is_in_one_group_and_found_again() {
        for groups in [PURE, ACCESSES, LANES] {
            for group in groups {
                assert_eq!(group.all().count(), group.len());
                for code in group.all() {
                    let mut bytes = Vec::new();
                    push(&mut bytes, group.prefix, code);
                    let (found, same, length) = find(groups, &bytes).expect("it is listed");
                    assert!(std::ptr::eq(found, group), "{code:#x} is in two groups");
                    assert_eq!((same, length), (code, bytes.len()));
                }
            }
        }
        assert!(find(PURE, &[0x00]).is_none() && find(PURE, &[]).is_none());
    }
}
