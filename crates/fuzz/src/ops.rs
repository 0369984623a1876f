//! The operators without immediates, and the loads and stores, by signature: what
//! may stand in the place of what, and what a program can be made of.

use crate::ty::Ty;
use std::sync::LazyLock;
use zwasm_regir::opcodes::{Opcode, VectorOpcode, prefix};
use zwasm_regir::simd_ops as vector;
use zwasm_regir::{BinaryOp, CompareOp, LoadOp, StoreOp, Type, UnaryOp};

/// The prefixes of opcodes; single bytes have none.
pub const SINGLE: u8 = 0;
pub const NUMERIC: u8 = prefix::MISC;
pub const VECTOR: u8 = prefix::VECTOR;
/// Vector opcodes from here on may compute different things on different machines.
pub const RELAXED: u32 = 0x100;

/// Operators of one signature and one prefix.
pub struct Group {
    pub params: Vec<Ty>,
    pub result: Option<Ty>,
    pub prefix: u8,
    /// In ascending order.
    pub codes: Vec<u32>,
}

/// An operator.
struct Row {
    prefix: u8,
    code: u32,
    params: Vec<Ty>,
    result: Option<Ty>,
}

/// The type of a program that a slot's type is.
fn ty(ty: Type) -> Ty {
    match ty {
        Type::I32 => Ty::I32,
        Type::I64 => Ty::I64,
        Type::F32 => Ty::F32,
        Type::F64 => Ty::F64,
        Type::V128 => Ty::V128,
        Type::Ref => unreachable!("no operator of the tables has references"),
    }
}

/// A scalar operator, if WebAssembly has it.
fn scalar(opcode: u16, params: &[Type], result: Option<Type>) -> Option<Row> {
    let [prefix, code] = opcode.to_be_bytes();
    let params = params.iter().copied().map(ty).collect();
    let row = Row { prefix, code: code.into(), params, result: result.map(ty) };
    matches!(prefix, SINGLE | NUMERIC).then_some(row)
}

/// A vector operator, if WebAssembly has it.
fn on_vectors(opcode: u16, params: &[Ty], result: Option<Ty>) -> Option<Row> {
    let row = Row { prefix: VECTOR, code: opcode.into(), params: params.to_vec(), result };
    (opcode < 0x200).then_some(row)
}

/// Operators by signature, relaxed ones by themselves.
fn grouped(rows: impl IntoIterator<Item = Option<Row>>) -> Vec<Group> {
    let mut rows: Vec<Row> = rows.into_iter().flatten().collect();
    rows.sort_by_key(|row| (row.prefix, row.code));
    let mut groups: Vec<Group> = Vec::new();
    for Row { prefix, code, params, result } in rows {
        let relaxed = prefix == VECTOR && code >= RELAXED;
        let alike = |group: &&mut Group| {
            group.prefix == prefix
                && group.is_relaxed() == relaxed
                && (&group.params, group.result) == (&params, result)
        };
        match groups.iter_mut().find(alike) {
            Some(group) => group.codes.push(code),
            None => groups.push(Group { params, result, prefix, codes: vec![code] }),
        }
    }
    groups
}

/// Operators whose operands are all on the stack.
pub static PURE: LazyLock<Vec<Group>> = LazyLock::new(|| {
    let v128 = Some(Ty::V128);
    let zero = [
        scalar(Opcode::I32Eqz as u16, &[Type::I32], Some(Type::I32)),
        scalar(Opcode::I64Eqz as u16, &[Type::I64], Some(Type::I32)),
    ];
    let unary =
        UnaryOp::ALL.iter().map(|op| scalar(op.opcode(), &[op.operand()], Some(op.result())));
    let binary =
        BinaryOp::ALL.iter().map(|op| scalar(op.opcode(), &[op.result(); 2], Some(op.result())));
    let compare =
        CompareOp::ALL.iter().map(|op| scalar(op.opcode(), &[op.operand(); 2], Some(Type::I32)));
    let scalars = zero.into_iter().chain(unary).chain(binary).chain(compare);
    let on = |opcode, params: &[Ty]| on_vectors(opcode, params, v128);
    let unary = vector::UnaryOp::ALL.iter().map(|op| (op.opcode(), 1));
    let binary = vector::BinaryOp::ALL.iter().map(|op| (op.opcode(), 2));
    let ternary = vector::TernaryOp::ALL.iter().map(|op| (op.opcode(), 3));
    let computing: Vec<(u16, usize)> = unary.chain(binary).chain(ternary).collect();
    let relaxed: Vec<(u16, usize)> = vector::RELAXED
        .iter()
        .filter_map(|(opcode, strict)| {
            Some((*opcode, computing.iter().find(|(opcode, _)| opcode == strict)?.1))
        })
        .collect();
    let computing = computing.into_iter().chain(relaxed);
    let computing = computing.map(|(opcode, operands)| on(opcode, &[Ty::V128; 3][..operands]));
    let shift = vector::ShiftOp::ALL.iter().map(|op| on(op.opcode(), &[Ty::V128, Ty::I32]));
    let test =
        vector::TestOp::ALL.iter().map(|op| on_vectors(op.opcode(), &[Ty::V128], Some(Ty::I32)));
    let splat = vector::SplatOp::ALL.iter().map(|op| on(op.opcode(), &[ty(op.operand())]));
    grouped(scalars.chain(computing).chain(shift).chain(test).chain(splat))
});

/// Accesses to memory: the address is the first operand, a memory argument follows
/// the opcode. Of these, the parameters are those beside the address.
pub static ACCESSES: LazyLock<Vec<Group>> = LazyLock::new(|| {
    let load = LoadOp::ALL.iter().map(|op| scalar(op.opcode(), &[], Some(op.result())));
    let store = StoreOp::ALL.iter().map(|op| scalar(op.opcode(), &[op.operand()], None));
    let vectors = vector::LoadOp::ALL.iter().map(|op| on_vectors(op.opcode(), &[], Some(Ty::V128)));
    let whole = on_vectors(VectorOpcode::V128Store as u16, &[Ty::V128], None);
    grouped(load.chain(store).chain(vectors).chain([whole]))
});

/// The operators that replace a lane, of so many, by a value of a type.
const REPLACEMENTS: [(VectorOpcode, Ty, u8); 6] = [
    (VectorOpcode::I8x16ReplaceLane, Ty::I32, 16),
    (VectorOpcode::I16x8ReplaceLane, Ty::I32, 8),
    (VectorOpcode::I32x4ReplaceLane, Ty::I32, 4),
    (VectorOpcode::I64x2ReplaceLane, Ty::I64, 2),
    (VectorOpcode::F32x4ReplaceLane, Ty::F32, 4),
    (VectorOpcode::F64x2ReplaceLane, Ty::F64, 2),
];

/// Operators on lanes, whose number follows the opcode.
pub static LANES: LazyLock<Vec<Group>> = LazyLock::new(|| {
    let extract = vector::ExtractOp::ALL
        .iter()
        .map(|op| on_vectors(op.opcode(), &[Ty::V128], Some(ty(op.result()))));
    let replace = REPLACEMENTS
        .iter()
        .map(|(opcode, ty, _)| on_vectors(*opcode as u16, &[Ty::V128, *ty], Some(Ty::V128)));
    grouped(extract.chain(replace))
});

/// How many lanes the vector has that an operator of [`LANES`] takes apart.
pub fn lane_count(code: u32) -> u8 {
    let replaced = REPLACEMENTS.iter().find(|(opcode, ..)| *opcode as u32 == code);
    let extracted = || vector::ExtractOp::from_opcode(u16::try_from(code).ok()?);
    match replaced {
        Some((.., lanes)) => *lanes,
        None => extracted().map_or(2, |op| (16 / op.lane_bytes()) as u8),
    }
}

impl Group {
    /// All opcodes of the group.
    pub fn all(&self) -> impl Iterator<Item = u32> {
        self.codes.iter().copied()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.codes.len()
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
        self.uses_vectors() && self.codes[0] >= RELAXED
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
    let holds = |group: &&Group| group.prefix == prefix && group.codes.contains(&code);
    Some((groups.iter().find(holds)?, code, length))
}

/// Appends the opcode of an instruction that no table has.
pub fn push_opcode(bytes: &mut Vec<u8>, opcode: Opcode) {
    let [prefix, code] = (opcode as u16).to_be_bytes();
    push(bytes, prefix, code.into());
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
        let all: [&'static [Group]; 3] = [&PURE, &ACCESSES, &LANES];
        for groups in all {
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
        assert!(find(&PURE, &[0x00]).is_none() && find(&PURE, &[]).is_none());
        let count = |groups: &[Group], prefix| -> usize {
            groups.iter().filter(|group| group.prefix == prefix).map(Group::len).sum()
        };
        // All operators of WebAssembly without immediates, loads, stores, and on lanes.
        assert_eq!([SINGLE, NUMERIC, VECTOR].map(|prefix| count(&PURE, prefix)), [128, 8, 218]);
        assert_eq!([SINGLE, VECTOR].map(|prefix| count(&ACCESSES, prefix)), [23, 14]);
        assert_eq!(count(&LANES, VECTOR), 14);
    }
}
