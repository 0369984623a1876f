//! Random functions, interpreted as register IR and as the SSA form built from it: at their
//! start, and from loop headers on with the frame that the register IR has there.
//!
//! What a function does is the list of calls that it makes, some of which throw, and what
//! it returns. As not all of them end, only so many calls are compared.

use super::{Entry, build};
use crate::environment::{HeapType, MemoryInfo, Place, StructType, Threaded, VmLayout};
use crate::ssa::graph::{Graph, split_critical_edges};
use crate::ssa::verify::verify;
use crate::ssa::{Clause, Func, Op, Terminator, Value, VectorOp};
use crate::target::Target;
use crate::{CompileError, Environment};
use core::cell::Cell;
use zwasm_regir::simd::SimdInst;
use zwasm_regir::{
    BinaryOp, CompareOp, Frame, Function, Inlining, Inst, Label, Operand, Signature, Storage,
    Translator, Type, Types, UnaryOp,
};

const I32: Type = Type::I32;
const I64: Type = Type::I64;
const F32: Type = Type::F32;
const V128: Type = Type::V128;

/// The function's own type, the host's, that of blocks, the tag's, that of blocks for what
/// it catches.
const TYPES: [(&[Type], &[Type]); 5] = [
    (&[I32, I64, F32, V128, I32], &[I64, V128, I32]),
    (&[I32], &[I32]),
    (&[I32, I64], &[I32, I64]),
    (&[I32, V128], &[]),
    (&[], &[I32, V128]),
];
/// What is declared behind the parameters.
const LOCALS: [Type; 5] = [V128, F32, I32, I64, I32];

struct TestModule;

impl Types for TestModule {
    fn signature(&self, ty: u32) -> Signature<'_> {
        let (params, results) = TYPES[ty as usize];
        Signature { params, results }
    }
    fn func_type(&self, _: u32) -> u32 {
        1
    }
    fn tag_type(&self, _: u32) -> u32 {
        3
    }
    fn global_type(&self, _: u32) -> Type {
        I32
    }
    fn memory_index(&self, _: u32) -> Type {
        I32
    }
    fn table_index(&self, _: u32) -> Type {
        I32
    }
    fn storage(&self, _: u32) -> &[Storage] {
        &[]
    }
    fn has_gc(&self) -> bool {
        false
    }
}

impl Environment for TestModule {
    fn signature(&self, ty: u32) -> Signature<'_> {
        Types::signature(self, ty)
    }
    fn func_type(&self, func: u32) -> u32 {
        Types::func_type(self, func)
    }
    fn tag_type(&self, tag: u32) -> u32 {
        Types::tag_type(self, tag)
    }
    fn stopped(&self) -> bool {
        false
    }
    fn memory(&self, _: u32) -> MemoryInfo {
        unreachable!("there is no memory")
    }
    fn global(&self, _: u32) -> Place {
        unreachable!("there are no globals")
    }
    fn global_type(&self, _: u32) -> Type {
        I32
    }
    fn table_is_imported(&self, _: u32) -> bool {
        false
    }
    fn table_holds_functions(&self, _: u32) -> bool {
        false
    }
    fn table_is_64(&self, _: u32) -> bool {
        false
    }
    fn consumes_fuel(&self) -> bool {
        false
    }
    fn layout(&self) -> &VmLayout {
        unreachable!("nothing is laid out")
    }
    fn func(&self, _: u32) -> Place {
        unreachable!("functions have no place")
    }
    fn frame(&self, _: u32) -> Frame {
        unreachable!("there are no frames")
    }
    fn field(&self, _: u32, _: u32) -> (Storage, u32) {
        unreachable!("there are no fields")
    }
    fn heap_type(&self, _: u32) -> HeapType {
        unreachable!("there are no objects")
    }
    fn struct_type(&self, _: u32) -> StructType {
        unreachable!("there are no objects")
    }
    fn threaded(&self, _: &Inst) -> Threaded {
        Threaded::default()
    }
    fn threaded_on_scratch(&self, _: &Inst, _: u32) -> Threaded {
        Threaded::default()
    }
    fn raise(&self) -> i64 {
        0
    }
    fn scratch_slots(&self) -> u32 {
        2
    }
    fn target(&self) -> Target {
        unreachable!("no code is made")
    }
    fn max_code(&self) -> usize {
        usize::MAX
    }
}

/// Numbers that look random.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        ((self.0 ^ self.0 >> 31) >> 16) as usize % end
    }
}

/// Writes a body.
struct Writer<'a> {
    random: &'a mut Random,
    bytes: Vec<u8>,
    /// For each open label the types that a branch to it carries; innermost last.
    labels: Vec<&'static [Type]>,
    /// What may still be written.
    budget: usize,
}

impl Writer<'_> {
    fn body(random: &mut Random) -> Vec<u8> {
        let mut bytes = vec![LOCALS.len() as u8];
        LOCALS.iter().for_each(|ty| bytes.extend([1, code(*ty)]));
        let mut writer = Writer { random, bytes, labels: Vec::new(), budget: 120 };
        writer.statements();
        TYPES[0].1.iter().for_each(|ty| writer.expression(*ty, 2));
        writer.bytes.push(0x0B);
        writer.bytes
    }

    fn local(&mut self, ty: Type) -> u8 {
        let all: Vec<Type> = TYPES[0].0.iter().chain(&LOCALS).copied().collect();
        loop {
            let index = self.random.below(all.len());
            if all[index] == ty {
                return index as u8;
            }
        }
    }

    fn expression(&mut self, ty: Type, deep: usize) {
        self.budget = self.budget.saturating_sub(1);
        let pick = if deep == 0 || self.budget == 0 { 0 } else { self.random.below(10) };
        match (pick, ty) {
            (0..2, _) => {
                let local = self.local(ty);
                self.bytes.extend([0x20, local]);
            }
            (2, I32) => {
                let bits = self.random.below(64) as u8;
                self.bytes.extend([0x41, bits]);
            }
            (2, I64) => {
                let bits = self.random.below(64) as u8;
                self.bytes.extend([0x42, bits]);
            }
            (2, F32) => {
                let bits = self.random.below(200) as u8;
                self.bytes.extend([0x43, bits, 1, 2, 3]);
            }
            (2, _) => {
                self.bytes.extend([0xFD, 0x0C]);
                let bytes: [u8; 16] = core::array::from_fn(|_| self.random.below(256) as u8);
                self.bytes.extend(bytes);
            }
            (3, I32) => {
                self.expression(F32, deep - 1);
                self.bytes.push(0xBC);
            }
            (3, I64) => {
                self.expression(V128, deep - 1);
                let lane = self.random.below(2) as u8;
                self.bytes.extend([0xFD, 0x1D, lane]);
            }
            (3, F32) => {
                self.expression(I32, deep - 1);
                self.bytes.push(0xBE);
            }
            (3, _) => {
                self.expression(I64, deep - 1);
                self.bytes.extend([0xFD, 0x12]);
            }
            (4, _) => {
                self.expression(I32, deep - 1);
                self.bytes.extend([0x04, code(ty)]);
                self.labels.push(list(ty));
                self.expression(ty, deep - 1);
                self.bytes.push(0x05);
                self.expression(ty, deep - 1);
                self.bytes.push(0x0B);
                self.labels.pop();
            }
            (5, _) => {
                self.bytes.extend([0x02, code(ty)]);
                self.labels.push(list(ty));
                self.statement();
                self.expression(ty, deep - 1);
                self.expression(I32, deep - 1);
                // Perhaps out of an outer block that takes the same.
                let depth = self.label(list(ty));
                self.bytes.extend([0x0D, depth, 0x0B]);
                self.labels.pop();
            }
            (6, _) => {
                self.expression(ty, deep - 1);
                self.expression(ty, deep - 1);
                self.expression(I32, deep - 1);
                self.bytes.extend([0x1C, 1, code(ty)]);
            }
            (7, _) => {
                self.expression(ty, deep - 1);
                let local = self.local(ty);
                self.bytes.extend([0x22, local]);
            }
            (8, I32) => {
                self.expression(I32, deep - 1);
                self.bytes.extend([0x10, 0]);
            }
            (_, I32 | I64) => {
                self.expression(ty, deep - 1);
                self.expression(ty, deep - 1);
                let ops: [u8; 4] =
                    if ty == I32 { [0x6A, 0x73, 0x6B, 0x49] } else { [0x7C, 0x85, 0x7D, 0x7C] };
                let op = ops[self.random.below(4)];
                self.bytes.push(op);
            }
            _ => self.expression(ty, deep - 1),
        }
    }

    /// A label that takes these types, of the innermost or any.
    fn label(&mut self, types: &[Type]) -> u8 {
        let depths = 0..self.labels.len();
        let fits: Vec<usize> =
            depths.filter(|depth| self.labels[self.labels.len() - 1 - depth] == types).collect();
        fits[self.random.below(fits.len())] as u8
    }

    fn statements(&mut self) {
        for _ in 0..1 + self.random.below(4) {
            self.statement();
        }
    }

    fn statement(&mut self) {
        if self.budget == 0 {
            return;
        }
        self.budget -= 1;
        let open = self.labels.iter().any(|types| types.is_empty());
        match self.random.below(14) {
            0..5 => {
                let ty = [I32, I64, F32, V128, I32][self.random.below(5)];
                self.expression(ty, 3);
                let local = self.local(ty);
                self.bytes.extend([0x21, local]);
            }
            5 => {
                self.bytes.extend([0x02, 0x40]);
                self.inside(&[]);
            }
            6 | 7 => {
                self.bytes.extend([0x03, 0x40]);
                self.labels.push(&[]);
                self.statements();
                self.expression(I32, 2);
                let depth = self.label(&[]);
                self.bytes.extend([0x0D, depth, 0x0B]);
                self.labels.pop();
            }
            8 => {
                self.expression(I32, 2);
                self.bytes.extend([0x04, 0x40]);
                self.labels.push(&[]);
                self.statements();
                self.bytes.push(0x05);
                self.statement();
                if self.random.below(4) == 0 {
                    let depth = self.label(&[]);
                    self.bytes.extend([0x0C, depth]);
                }
                self.bytes.push(0x0B);
                self.labels.pop();
            }
            9 if open => {
                self.expression(I32, 2);
                let depth = self.label(&[]);
                self.bytes.extend([0x0D, depth]);
            }
            10 if open => {
                self.bytes.extend([0x02, 0x40]);
                self.labels.push(&[]);
                self.expression(I32, 2);
                let count = 1 + self.random.below(4);
                self.bytes.extend([0x0E, count as u8]);
                for _ in 0..=count {
                    let depth = self.label(&[]);
                    self.bytes.push(depth);
                }
                self.bytes.push(0x0B);
                self.labels.pop();
            }
            11 => {
                // A loop with values on the stack below it and as its parameters.
                self.expression(F32, 2);
                self.expression(I32, 2);
                self.expression(I64, 2);
                self.bytes.extend([0x03, 2]);
                self.labels.push(TYPES[2].0);
                let (i32, i64) = (self.local(I32), self.local(I64));
                self.bytes.extend([0x21, i64, 0x21, i32]);
                self.statement();
                self.expression(I32, 2);
                self.bytes.extend([0x20, i64]);
                self.expression(I32, 1);
                let depth = self.label(TYPES[2].0);
                self.bytes.extend([0x0D, depth, 0x0B]);
                self.labels.pop();
                let (i32, i64, f32) = (self.local(I32), self.local(I64), self.local(F32));
                self.bytes.extend([0x21, i64, 0x21, i32, 0x21, f32]);
            }
            12 => {
                // What is caught is stored.
                self.bytes.extend([0x02, 0x40, 0x02, 4]);
                self.labels.push(&[]);
                self.labels.push(TYPES[3].0);
                let all = self.random.below(2) as u8;
                self.bytes.extend([0x1F, 0x40, 1 + all, 0, 0, 0]);
                if all == 1 {
                    self.bytes.extend([2, 1]);
                }
                self.labels.push(&[]);
                self.statements();
                self.bytes.push(0x0B);
                self.labels.pop();
                let (i32, v128) = (self.local(I32), self.local(V128));
                self.bytes.extend([0x0C, 1, 0x0B]);
                self.labels.pop();
                self.bytes.extend([0x21, v128, 0x21, i32, 0x0B]);
                self.labels.pop();
            }
            _ => {
                self.expression(I32, 2);
                self.bytes.extend([0x10, 0, 0x1A]);
            }
        }
    }

    fn inside(&mut self, types: &'static [Type]) {
        self.labels.push(types);
        self.statements();
        self.bytes.push(0x0B);
        self.labels.pop();
    }
}

fn code(ty: Type) -> u8 {
    match ty {
        Type::I32 => 0x7F,
        Type::I64 => 0x7E,
        Type::F32 => 0x7D,
        Type::V128 => 0x7B,
        Type::F64 | Type::Ref => unreachable!("there are none"),
    }
}

fn list(ty: Type) -> &'static [Type] {
    match ty {
        Type::I32 => &[I32],
        Type::I64 => &[I64],
        Type::F32 => &[F32],
        Type::V128 => &[V128],
        Type::F64 | Type::Ref => unreachable!("there are none"),
    }
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
enum End {
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
struct Stop {
    label: Label,
    slots: Vec<u64>,
    calls: usize,
}

/// Interprets register IR from its start; with the frames at some loop headers.
fn run_slots(function: &Function, args: &[u64], calls: &mut Vec<u64>) -> (End, Vec<Stop>) {
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
        let vector = |slot: zwasm_regir::Slot| {
            let slot = slot.0 as usize;
            u128::from(slots[slot]) | u128::from(slots[slot + 1]) << 64
        };
        let of = |slot: zwasm_regir::Slot| slots[slot.0 as usize];
        let mut write: Option<(zwasm_regir::Slot, u128, usize)> = None;
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
                        let mut clauses = super::plan::clauses(function, regions[at]);
                        let Some(clause) = clauses.next() else { return (End::Thrown, stops) };
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
                let values = vec![
                    of(from).into(),
                    vector(zwasm_regir::Slot(from.0 + 1)),
                    of(zwasm_regir::Slot(from.0 + 3)).into(),
                ];
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

/// Interprets SSA, with a frame behind it.
fn run_ssa(func: &Func, args: &[u128], frame: &[u64], calls: &mut Vec<u64>) -> End {
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

/// Whether two runs did the same, as far as both got.
fn assert_same(one: (&End, &[u64]), other: (&End, &[u64]), what: &dyn Fn() -> String) {
    let (end, calls) = one;
    let (other_end, other_calls) = other;
    if *end != End::Lost && *other_end != End::Lost {
        assert!(end == other_end && calls == other_calls, "{one:?}\n{other:?}\n{}", what());
    }
}

fn function(bytes: &[u8]) -> Function {
    Translator::translate(&TestModule, 0, bytes, 0, Inlining::Large, &|| false).unwrap()
}

#[test]
fn forms_do_what_slots_do() {
    let mut random = Random(11);
    let (mut returned, mut entered, mut thrown, mut refused) = (0, 0, 0, 0);
    for _ in 0..3000 {
        let bytes = Writer::body(&mut random);
        let function = function(&bytes);
        let scalars: [u64; 6] = [9, 1 << 40 | 3, 0x4049_0FDB, 77, 88, 2];
        let args: [u128; 5] = [9, 1 << 40 | 3, 0x4049_0FDB, 88 << 64 | 77, 2];
        let mut calls = Vec::new();
        let (end, stops) = run_slots(&function, &scalars, &mut calls);
        returned += usize::from(matches!(end, End::Returned(_)));
        thrown += usize::from(calls.iter().any(|arg| arg % 8 == 5));

        let mut func = build(&function, &TestModule, Entry::Start).unwrap();
        verify(&func, &TestModule, "build");
        let mut ssa_calls = Vec::new();
        let ssa_end = run_ssa(&func, &args, &[], &mut ssa_calls);
        assert_same((&end, &calls), (&ssa_end, &ssa_calls), &|| format!("{function}\n{func}"));
        split_critical_edges(&mut func);
        verify(&func, &TestModule, "split_critical_edges");
        assert!(Graph::of(&func).order.len() >= func.blocks.len() / 2);

        for stop in stops {
            // The other frame has its locals and its stack somewhere else.
            let Frame { locals, stack, .. } = function.frame;
            let frame = Frame { locals: locals + 3, stack: stack + 10, ..function.frame };
            let mut other = vec![0xBAD; stop.slots.len() + 10];
            other[..locals as usize].copy_from_slice(&stop.slots[..locals as usize]);
            let count = (stack - locals) as usize;
            other[frame.locals as usize..][..count]
                .copy_from_slice(&stop.slots[locals as usize..][..count]);
            let count = stop.slots.len() - stack as usize;
            other[frame.stack as usize..][..count].copy_from_slice(&stop.slots[stack as usize..]);

            let entry = Entry::Loop { label: stop.label, frame };
            let func = match build(&function, &TestModule, entry) {
                Ok(func) => func,
                // Too many loops around it.
                Err(CompileError::Unsupported) => {
                    refused += 1;
                    continue;
                }
                Err(error) => panic!("{error:?}"),
            };
            verify(&func, &TestModule, "build");
            let mut ssa_calls = calls[..stop.calls].to_vec();
            let ssa_end = run_ssa(&func, &[], &other, &mut ssa_calls);
            assert_same((&end, &calls), (&ssa_end, &ssa_calls), &|| {
                format!("from {}: {function}\n{func}", stop.label)
            });
            entered += 1;
        }
    }
    let reached = (returned, entered, thrown);
    assert!(
        returned > 300 && entered > 1000 && thrown > 100 && refused < 50,
        "{reached:?} {refused}"
    );
}

/// A function made of these bytes in a row, after its locals, is built in a time that
/// grows with it.
fn shape(locals: u32, start: &[u8], many: impl Fn(usize, &mut Vec<u8>), end: &[u8]) {
    let steps = |count: usize| {
        let mut bytes = vec![1];
        leb(locals, &mut bytes);
        bytes.push(0x7F);
        bytes.extend_from_slice(start);
        (0..count).for_each(|index| many(index, &mut bytes));
        bytes.extend_from_slice(end);
        let function = function(&bytes);
        let asked = Cell::new(0);
        let start = std::time::Instant::now();
        let built = build(&function, &TestModule, Entry::Start);
        asked.set(start.elapsed().as_micros());
        assert!(matches!(built, Ok(_) | Err(CompileError::Unsupported)));
        asked.get()
    };
    let (few, all) = (steps(5_000), steps(20_000));
    // Four times as much in sixteen times the time would be its square.
    assert!(all < 10 * few.max(20_000), "{few} and {all} microseconds");
}

fn leb(mut number: u32, bytes: &mut Vec<u8>) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// The results of the function.
const RESULTS: [u8; 6] = [0x20, 1, 0x20, 3, 0x20, 0];

#[test]
fn costs_grow_with_the_function() {
    let end = |bytes: &[u8]| [bytes, &RESULTS, &[0x0B]].concat();
    // Ways out one behind the other, all of which write the same local.
    shape(
        1,
        &[],
        |_, bytes| {
            bytes.extend([0x20, 0, 0x04, 0x40, 0x41, 1, 0x21, 4]);
            bytes.extend(RESULTS);
            bytes.extend([0x0F, 0x0B]);
        },
        &end(&[0x20, 4, 0x10, 0, 0x1A]),
    );
    // Joins that all locals live through and nobody needs.
    shape(
        1000,
        &[],
        |index, bytes| {
            bytes.extend([0x20, 0, 0x04, 0x40, 0x41, 1, 0x21]);
            leb(5 + index as u32 % 1000, bytes);
            bytes.push(0x0B);
        },
        &end(&[]),
    );
    // Many locals, read behind many joins.
    shape(
        20_000,
        &[],
        |index, bytes| {
            bytes.extend([0x20, 0, 0x04, 0x40, 0x0B, 0x20]);
            leb(5 + index as u32, bytes);
            bytes.extend([0x21, 0]);
        },
        &end(&[]),
    );
    // A chain of copies and of selections.
    shape(
        1,
        &[],
        |_, bytes| {
            bytes.extend([0x20, 4, 0x20, 5, 0x20, 0, 0x1B, 0x21, 5, 0x20, 5, 0x21, 4]);
        },
        &end(&[0x20, 4, 0x10, 0, 0x1A]),
    );
    // Loops one behind the other.
    shape(
        1,
        &[],
        |_, bytes| {
            bytes.extend([0x03, 0x40, 0x20, 4, 0x41, 1, 0x6A, 0x22, 4, 0x0D, 0, 0x0B]);
        },
        &end(&[0x20, 4, 0x10, 0, 0x1A]),
    );
}
