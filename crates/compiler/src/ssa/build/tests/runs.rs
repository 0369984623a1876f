//! Interpreters of the slot form and of SSA, for the few ops that the programs have.

use super::V128;
use crate::ssa::{Clause, Func, Op, Terminator, Value, VectorOp};
use zwasm_regir::simd::SimdInst;
use zwasm_regir::{BinaryOp, CompareOp, Function, Inst, Label, Operand, Slot, UnaryOp};

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum End {
    Returned(Vec<u128>),
    Thrown,
    /// It made as many calls as are looked at.
    Enough,
    /// It took too long.
    Lost,
}

/// The calls that are looked at, and the steps in which they have to happen.
const CALLS: usize = 40;
const STEPS: usize = 20_000;

/// What the host does: its result, or none if it throws.
fn host(arg: u64, calls: &mut Vec<u64>) -> Option<u64> {
    calls.push(arg);
    (arg % 8 != 5).then(|| u64::from((arg as u32).wrapping_mul(2_654_435_761).rotate_left(7)))
}

/// What it throws.
fn thrown(arg: u64) -> (u64, u128) {
    (arg ^ 0x55, u128::from(arg) << 64 | 7)
}

fn unary(op: UnaryOp, a: u64) -> u64 {
    match op {
        UnaryOp::I32ReinterpretF32
        | UnaryOp::F32ReinterpretI32
        | UnaryOp::I64ExtendI32U
        | UnaryOp::I32WrapI64 => u64::from(a as u32),
        other => panic!("{other:?}"),
    }
}

fn binary(op: BinaryOp, a: u64, b: u64) -> u64 {
    match op {
        BinaryOp::I32Add => u64::from((a as u32).wrapping_add(b as u32)),
        BinaryOp::I32Sub => u64::from((a as u32).wrapping_sub(b as u32)),
        BinaryOp::I32Xor => u64::from(a as u32 ^ b as u32),
        BinaryOp::I64Add => a.wrapping_add(b),
        BinaryOp::I64Sub => a.wrapping_sub(b),
        BinaryOp::I64Xor => a ^ b,
        other => panic!("{other:?}"),
    }
}

fn compare(op: CompareOp, a: u64, b: u64) -> bool {
    match op {
        CompareOp::I32LtU => (a as u32) < b as u32,
        CompareOp::I32GeU => a as u32 >= b as u32,
        other => panic!("{other:?}"),
    }
}

/// Register IR at a loop header.
pub(super) struct Stop {
    pub(super) label: Label,
    pub(super) slots: Vec<u64>,
    pub(super) calls: usize,
}

/// Interprets register IR from its start; with the frames at some loop headers.
pub(super) fn run_slots(
    function: &Function,
    args: &[u64],
    calls: &mut Vec<u64>,
) -> (End, Vec<Stop>) {
    let mut slots = vec![0xDEAD_u64; function.frame.size as usize + 2];
    slots[..args.len()].copy_from_slice(args);
    let mut places = vec![0; function.label_heights.len()];
    let mut regions = Vec::new();
    let mut region = None;
    for (index, inst) in function.insts.iter().enumerate() {
        match *inst {
            Inst::Label { label, .. } => places[label.0 as usize] = index,
            Inst::TryBegin { region: inner } => region = Some(inner),
            Inst::TryEnd { region: inner } => region = function.tries[inner as usize].parent,
            _ => {}
        }
        regions.push(region);
    }
    let mut stops = Vec::new();
    let mut at = 0;
    for step in 0..STEPS {
        if calls.len() >= CALLS {
            return (End::Enough, stops);
        }
        let get = |operand| match operand {
            Operand::Slot(slot) => slots[slot.0 as usize],
            Operand::Const(bits) => bits,
        };
        let vector = |slot: Slot| {
            let slot = slot.0 as usize;
            u128::from(slots[slot]) | u128::from(slots[slot + 1]) << 64
        };
        let of = |slot: Slot| slots[slot.0 as usize];
        let mut write: Option<(Slot, u128, usize)> = None;
        let mut next = at + 1;
        match function.insts[at] {
            Inst::Label { label, loop_header } => {
                if loop_header && step % 3 == 0 && stops.len() < 6 {
                    stops.push(Stop { label, slots: slots.clone(), calls: calls.len() });
                }
            }
            Inst::TryBegin { .. } | Inst::TryEnd { .. } => {}
            Inst::Zero { from, count } => {
                slots[from.0 as usize..(from.0 + count) as usize].fill(0);
            }
            Inst::Const { dst, value } => write = Some((dst, value.into(), 1)),
            Inst::Copy { dst, src } => write = Some((dst, of(src).into(), 1)),
            Inst::CopySlots { dst, src, count } => {
                for each in 0..count as usize {
                    slots[dst.0 as usize + each] = slots[src.0 as usize + each];
                }
            }
            Inst::Unary { op, dst, a } => write = Some((dst, unary(op, of(a)).into(), 1)),
            Inst::Binary { op, dst, a, b } => {
                write = Some((dst, binary(op, get(a), get(b)).into(), 1));
            }
            Inst::Compare { op, dst, a, b } => {
                write = Some((dst, compare(op, get(a), get(b)).into(), 1));
            }
            Inst::Select { dst, cond, a, b, .. } => {
                let value = if of(cond) as u32 != 0 { get(a) } else { get(b) };
                write = Some((dst, value.into(), 1));
            }
            Inst::Simd(SimdInst::Const { dst, halves: [low, high] }) => {
                write = Some((dst, u128::from(low) | u128::from(high) << 64, 2));
            }
            Inst::Simd(SimdInst::Copy { dst, src }) => write = Some((dst, vector(src), 2)),
            Inst::Simd(SimdInst::Select { dst, cond, a, b }) => {
                let value = if of(cond) as u32 != 0 { vector(a) } else { vector(b) };
                write = Some((dst, value, 2));
            }
            Inst::Simd(SimdInst::Splat { dst, a, .. }) => {
                write = Some((dst, u128::from(of(a)) | u128::from(of(a)) << 64, 2));
            }
            Inst::Simd(SimdInst::Extract { dst, a, lane, .. }) => {
                write = Some((dst, vector(a) >> (64 * u32::from(lane)) & u128::from(u64::MAX), 1));
            }
            Inst::Br { target } => next = places[target.0 as usize],
            Inst::BrIf { cond, negate, target } => {
                if (of(cond) as u32 != 0) != negate {
                    next = places[target.0 as usize];
                }
            }
            Inst::BrTable { index, first, count } => {
                let entry = (of(index) as u32).min(count - 1);
                next = places[function.br_targets[(first + entry) as usize].0 as usize];
            }
            Inst::Call { base, .. } => {
                let arg = of(base);
                match host(arg, calls) {
                    Some(result) => write = Some((base, result.into(), 1)),
                    None => {
                        let Some(clause) = clause(function, regions[at]) else {
                            return (End::Thrown, stops);
                        };
                        let catch = function.catches[clause];
                        if catch.tag.is_some() {
                            let (first, second) = thrown(arg);
                            let base = catch.base.0 as usize;
                            slots[base] = first;
                            slots[base + 1] = second as u64;
                            slots[base + 2] = (second >> 64) as u64;
                        }
                        next = places[catch.target.0 as usize];
                    }
                }
            }
            Inst::ReturnSlots { from, .. } => {
                let values =
                    vec![of(from).into(), vector(Slot(from.0 + 1)), of(Slot(from.0 + 3)).into()];
                return (End::Returned(values), stops);
            }
            ref other => panic!("{other}"),
        }
        if let Some((dst, bits, count)) = write {
            for each in 0..count {
                slots[dst.0 as usize + each] = (bits >> (64 * each)) as u64;
            }
        }
        at = next;
    }
    (End::Lost, stops)
}

/// The first clause around an instruction in a try: there is one tag.
fn clause(function: &Function, mut region: Option<u32>) -> Option<usize> {
    while let Some(each) = region {
        let each = function.tries[each as usize];
        if each.count > 0 {
            return Some(each.first as usize);
        }
        region = each.parent;
    }
    None
}

/// Interprets SSA, with a frame behind it.
pub(super) fn run_ssa(func: &Func, args: &[u128], frame: &[u64], calls: &mut Vec<u64>) -> End {
    let mut values = vec![None; func.values.len()];
    let mut block = func.entry;
    for (param, arg) in func.block(block).params.iter().zip(args) {
        values[param.0 as usize] = Some(*arg);
    }
    let mut caught = (0, 0);
    for _ in 0..STEPS {
        let mut has_thrown = false;
        for &inst in &func.block(block).insts {
            let data = func.inst(inst);
            let arg = |number: usize| -> u128 {
                values[data.args[number].0 as usize].expect("defined before its use")
            };
            let low = |number: usize| arg(number) as u64;
            let result: u128 = match data.op {
                Op::Const(bits) => bits.into(),
                Op::VectorConst([low, high]) => u128::from(low) | u128::from(high) << 64,
                Op::Unary(op) => unary(op, low(0)).into(),
                Op::Binary(op) => binary(op, low(0), low(1)).into(),
                Op::Compare(op) => compare(op, low(0), low(1)).into(),
                Op::Select => arg(if arg(0) as u32 != 0 { 1 } else { 2 }),
                Op::Vector(VectorOp::Splat(_)) => arg(0) | arg(0) << 64,
                Op::Vector(VectorOp::Extract(_, lane)) => {
                    arg(0) >> (64 * u32::from(lane)) & u128::from(u64::MAX)
                }
                Op::FrameSlot(slot) => {
                    let slot = slot as usize;
                    let wide = func.ty(data.results[0]) == V128;
                    let high = if wide { frame[slot + 1] } else { 0 };
                    u128::from(frame[slot]) | u128::from(high) << 64
                }
                Op::Landed(slot) => {
                    let (first, second) = thrown(caught.0);
                    if slot == 0 { first.into() } else { second }
                }
                Op::Call { .. } => {
                    if calls.len() >= CALLS {
                        return End::Enough;
                    }
                    let arg = low(0);
                    caught.0 = arg;
                    match host(arg, calls) {
                        Some(result) => result.into(),
                        // Only the last of a block is inside a try.
                        None if func.block(block).insts.last() != Some(&inst) => {
                            return End::Thrown;
                        }
                        None => {
                            has_thrown = true;
                            break;
                        }
                    }
                }
                ref other => panic!("{other}"),
            };
            values[data.results[0].0 as usize] = Some(result);
        }
        let get = |value: &Value| values[value.0 as usize].expect("defined before its use");
        let edge = match &func.block(block).terminator {
            Terminator::Try { returns, clauses } => {
                block = *returns;
                if has_thrown {
                    let &Clause { block: clause, .. } = clauses.first().expect("a clause");
                    block = clause;
                }
                continue;
            }
            _ if has_thrown => return End::Thrown,
            Terminator::Jump(edge) => edge,
            Terminator::Branch { cond, then, otherwise, .. } => {
                if get(cond) as u32 != 0 {
                    then
                } else {
                    otherwise
                }
            }
            Terminator::Table { index, edges } => {
                &edges[(get(index) as u32 as usize).min(edges.len() - 1)]
            }
            Terminator::Return(results) => {
                return End::Returned(results.iter().map(get).collect());
            }
            other => panic!("{other}"),
        };
        let passed: Vec<u128> = edge.args.iter().map(get).collect();
        block = edge.block;
        for (param, bits) in func.block(block).params.iter().zip(passed) {
            values[param.0 as usize] = Some(bits);
        }
    }
    End::Lost
}
