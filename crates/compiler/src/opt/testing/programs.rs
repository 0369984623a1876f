//! Programs at random: functions of variables, with branches, loops, memories and objects.

use super::STRUCTS;
use super::interpreter::MEMORIES;
use crate::ssa::{Access, Block, Edge, Func, Likely, Op, Terminator, Value};
use zwasm_regir::gc::{Extend, GcOp, HeapTarget, RefTarget};
use zwasm_regir::{
    BinaryOp, CompareOp, LoadOp, SourceLoc, Storage, StoreOp, TrapCode, Type, UnaryOp,
};

/// Numbers that look random.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        let mixed = self.0 ^ self.0 >> 29;
        mixed.wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 7
    }

    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub(super) fn one<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }
}

/// Builds a function of variables, which are parameters of every block.
pub(super) struct Builder {
    pub(super) func: Func,
    pub(super) block: Block,
    pub(super) vars: Vec<Value>,
    /// References that are not null, with their types, from blocks that dominate this one.
    objects: Vec<(Value, u32)>,
}

/// A parameter of every block behind the variables.
const REFERENCE: usize = VARS.len();

/// The types of the variables.
pub(super) const VARS: [Type; 6] =
    [Type::I32, Type::I32, Type::I32, Type::I64, Type::I64, Type::I64];

impl Builder {
    pub(super) fn new() -> Builder {
        let mut func = Func { results: VARS.to_vec(), ..Func::default() };
        let block = func.add_block();
        let types = VARS.into_iter().chain([Type::Ref]);
        let vars = types.map(|ty| func.add_param(block, ty)).collect();
        Builder { func, block, vars, objects: Vec::new() }
    }

    pub(super) fn emit(&mut self, op: Op, args: &[Value], results: &[Type]) -> Vec<Value> {
        let inst = self.func.add_inst(op, args.into(), results, SourceLoc::default());
        self.func.block_mut(self.block).insts.push(inst);
        self.func.inst(inst).results.to_vec()
    }

    pub(super) fn value(&mut self, op: Op, args: &[Value], ty: Type) -> Value {
        self.emit(op, args, &[ty])[0]
    }

    pub(super) fn start(&mut self) -> Block {
        let block = self.func.add_block();
        for ty in VARS.into_iter().chain([Type::Ref]) {
            self.func.add_param(block, ty);
        }
        block
    }

    pub(super) fn edge(&self, block: Block) -> Edge {
        Edge { block, args: self.vars.clone() }
    }

    pub(super) fn end(&mut self, terminator: Terminator, next: Block) {
        self.func.block_mut(self.block).terminator = terminator;
        self.block = next;
        self.vars = self.func.block(next).params.clone();
    }

    pub(super) fn finish(mut self) -> Func {
        self.vars.truncate(VARS.len());
        self.func.block_mut(self.block).terminator = Terminator::Return(self.vars.into());
        self.func
    }

    fn constant(&mut self, random: &mut Random, ty: Type) -> Value {
        let bits = match random.below(4) {
            0 => random.below(4),
            1 => random.one(&[31, 32, 33, 7, 10, 8, 16, 24, 0xFF, 0xFFFF, 1000, 3, 0x7FFF_FFFF]),
            2 => random.one(&[u64::MAX, 1 << 31, 1 << 63, 0xFFFF_FFFF, u64::MAX - 6, 1 << 40]),
            _ => random.next(),
        };
        let bits = if ty == Type::I32 { u64::from(bits as u32) } else { bits };
        self.value(Op::Const(bits), &[], ty)
    }

    fn operand(&mut self, random: &mut Random, ty: Type, deep: u64) -> Value {
        match random.below(10) {
            0..3 => self.constant(random, ty),
            3..7 if deep > 0 => self.expression(random, ty, deep - 1),
            _ => {
                let first = if ty == Type::I32 { 0 } else { 3 };
                self.vars[first + random.below(3) as usize]
            }
        }
    }

    pub(super) fn expression(&mut self, random: &mut Random, ty: Type, deep: u64) -> Value {
        let op = match random.below(12) {
            0..6 => {
                let all: Vec<BinaryOp> =
                    (BinaryOp::ALL.iter().copied()).filter(|op| op.result() == ty).collect();
                Op::Binary(random.one(&all))
            }
            6..8 => {
                let all: Vec<UnaryOp> = (UnaryOp::ALL.iter().copied())
                    .filter(|op| op.result() == ty)
                    .filter(|op| matches!(op.operand(), Type::I32 | Type::I64))
                    .collect();
                Op::Unary(random.one(&all))
            }
            8 if ty == Type::I32 => {
                let all: Vec<CompareOp> = (CompareOp::ALL.iter().copied())
                    .filter(|op| matches!(op.operand(), Type::I32 | Type::I64))
                    .collect();
                Op::Compare(random.one(&all))
            }
            9 => return self.access(random, Some(ty)),
            10 if ty == Type::I64 => Op::GlobalGet(random.below(4) as u32),
            _ => Op::Select,
        };
        let args = match op {
            Op::Binary(_) => vec![ty, ty],
            Op::Unary(op) => vec![op.operand()],
            Op::Compare(op) => vec![op.operand(); 2],
            Op::Select => vec![Type::I32, ty, ty],
            _ => Vec::new(),
        };
        let args: Vec<Value> = args.into_iter().map(|ty| self.operand(random, ty, deep)).collect();
        self.value(op, &args, ty)
    }

    /// A load of a type, or a store.
    pub(super) fn access(&mut self, random: &mut Random, load: Option<Type>) -> Value {
        let mem = random.below(MEMORIES as u64) as u32;
        let checked = mem > 0;
        let base = self.value(Op::MemoryBase(mem), &[], Type::I64);
        let at = self.operand(random, Type::I32, 1);
        let addr = match random.below(4) {
            0 => at,
            1 => self.value(Op::Const(8 * (at.0 as u64 % 8)), &[], Type::I32),
            _ => {
                let mask = self.value(Op::Const(0x3F), &[], Type::I32);
                let low = self.value(Op::Binary(BinaryOp::I32And), &[at, mask], Type::I32);
                let more = self.value(Op::Const(random.below(3) * 4), &[], Type::I32);
                self.value(Op::Binary(BinaryOp::I32Add), &[low, more], Type::I32)
            }
        };
        let access = Access { mem, offset: random.below(3) * 4, checked };
        let mut args = vec![base, addr];
        if checked {
            args.push(self.value(Op::MemoryLen(mem), &[], Type::I64));
        }
        match load {
            Some(ty) => {
                let all: Vec<LoadOp> =
                    LoadOp::ALL.iter().copied().filter(|op| op.result() == ty).collect();
                self.value(Op::Load(random.one(&all), access), &args, ty)
            }
            None => {
                let all: Vec<StoreOp> = (StoreOp::ALL.iter().copied())
                    .filter(|op| matches!(op.operand(), Type::I32 | Type::I64))
                    .collect();
                let op = random.one(&all);
                args.push(self.operand(random, op.operand(), 1));
                self.emit(Op::Store(op, access), &args, &[]);
                base
            }
        }
    }

    /// Makes an object, or gets at one.
    fn object(&mut self, random: &mut Random) -> (Value, u32) {
        if !self.objects.is_empty() && random.below(3) > 0 {
            return random.one(&self.objects);
        }
        let ty = random.below(3) as u32;
        let value = match random.below(5) {
            0 => {
                let target = RefTarget { nullable: false, heap: HeapTarget::Type(ty) };
                let reference = match random.below(4) {
                    0 => self.reference(random),
                    _ => {
                        // Few are of the right type otherwise.
                        let made = self.make(random, ty);
                        let cond = self.operand(random, Type::I32, 1);
                        let other = self.reference(random);
                        self.value(Op::Select, &[cond, made, other], Type::Ref)
                    }
                };
                self.value(Op::RefCast(target), &[reference], Type::Ref)
            }
            1 => {
                let made = self.make(random, 1);
                return self.known(made, random.below(2) as u32);
            }
            _ => self.make(random, ty),
        };
        self.known(value, ty)
    }

    fn known(&mut self, value: Value, ty: u32) -> (Value, u32) {
        self.objects.push((value, ty));
        (value, ty)
    }

    fn make(&mut self, random: &mut Random, ty: u32) -> Value {
        if random.below(4) == 0 {
            return self.value(Op::Gc(GcOp::StructNewDefault { ty }), &[], Type::Ref);
        }
        let fields = STRUCTS[ty as usize].iter();
        let fields: Vec<Value> = fields.map(|field| self.field(random, *field)).collect();
        self.value(Op::Gc(GcOp::StructNew { ty }), &fields, Type::Ref)
    }

    fn field(&mut self, random: &mut Random, storage: Storage) -> Value {
        match storage.kind() {
            Type::Ref => self.reference(random),
            ty => self.operand(random, ty, 1),
        }
    }

    /// Any reference.
    fn reference(&mut self, random: &mut Random) -> Value {
        match random.below(6) {
            0 => self.value(Op::Const(0), &[], Type::Ref),
            1 => {
                let index = self.value(Op::Const(0), &[], Type::I32);
                self.value(Op::TableGet(0), &[index], Type::Ref)
            }
            2 | 3 if !self.objects.is_empty() => random.one(&self.objects).0,
            _ => self.vars[REFERENCE],
        }
    }

    /// Does something with objects.
    fn use_objects(&mut self, random: &mut Random) {
        let (object, ty) = self.object(random);
        let field = random.below(STRUCTS[ty as usize].len() as u64) as u32;
        let storage = STRUCTS[ty as usize][field as usize];
        match random.below(12) {
            0..4 => {
                let value = self.field(random, storage);
                self.emit(Op::StructSet { ty, field }, &[object, value], &[]);
            }
            4..8 => {
                let extend = match storage {
                    Storage::I8 | Storage::I16 if random.below(2) == 0 => Extend::Sign,
                    _ => Extend::Zero,
                };
                let op = Op::StructGet { ty, field, extend };
                let value = self.value(op, &[object], storage.kind());
                match storage.kind() {
                    Type::Ref => self.vars[REFERENCE] = value,
                    Type::I64 => self.vars[3] = value,
                    _ => self.vars[random.below(2) as usize] = value,
                }
            }
            8 => {
                let other = self.reference(random);
                let op = random.one(&[CompareOp::I64Eq, CompareOp::I64Ne]);
                self.vars[0] = self.value(Op::Compare(op), &[object, other], Type::I32);
            }
            9 => {
                let heap = HeapTarget::Type(random.below(3) as u32);
                let target = RefTarget { nullable: random.below(2) == 0, heap };
                let reference = if random.below(2) == 0 { object } else { self.reference(random) };
                self.vars[1] = self.value(Op::RefTest(target), &[reference], Type::I32);
            }
            10 => {
                let other = self.value(Op::RefAsNonNull, &[object], Type::Ref);
                self.known(other, ty);
            }
            _ if random.below(2) == 0 => self.vars[REFERENCE] = object,
            _ => {
                let index = self.value(Op::Const(0), &[], Type::I32);
                self.emit(Op::TableSet(0), &[index, object], &[]);
            }
        }
    }

    pub(super) fn statements(&mut self, random: &mut Random, deep: u64) {
        let known = self.objects.len();
        for _ in 0..1 + random.below(4) {
            for _ in 0..random.below(3) {
                self.use_objects(random);
            }
            match random.below(16) {
                0..6 => {
                    let var = random.below(6) as usize;
                    self.vars[var] = self.expression(random, VARS[var], 3);
                }
                6..9 => {
                    self.access(random, None);
                }
                9 => {
                    let value = self.operand(random, Type::I64, 1);
                    self.emit(Op::GlobalSet(random.below(4) as u32), &[value], &[]);
                }
                10 => {
                    let arg = self.operand(random, Type::I32, 1);
                    let func = random.below(3) as u32;
                    self.vars[0] = self.value(Op::Call { func }, &[arg], Type::I32);
                }
                11..13 if deep > 0 => self.choice(random, deep - 1),
                13..15 if deep > 0 => self.repeat(random, deep - 1),
                15 if deep > 0 => self.table(random, deep - 1),
                _ => {}
            }
        }
        self.objects.truncate(known);
    }

    fn choice(&mut self, random: &mut Random, deep: u64) {
        let cond = self.operand(random, Type::I32, 2);
        let [yes, no, behind] = [self.start(), self.start(), self.start()];
        let (then, otherwise) = (self.edge(yes), self.edge(no));
        self.end(Terminator::Branch { cond, then, otherwise, likely: Likely::Unknown }, yes);
        self.statements(random, deep);
        self.end(Terminator::Jump(self.edge(behind)), no);
        if random.below(2) == 0 {
            self.statements(random, deep);
        }
        if random.below(12) == 0 {
            self.end(Terminator::Trap(TrapCode::Unreachable), behind);
        } else {
            self.end(Terminator::Jump(self.edge(behind)), behind);
        }
    }

    fn table(&mut self, random: &mut Random, deep: u64) {
        let index = self.operand(random, Type::I32, 1);
        let three = self.value(Op::Const(3), &[], Type::I32);
        let index = self.value(Op::Binary(BinaryOp::I32And), &[index, three], Type::I32);
        let [one, two, behind] = [self.start(), self.start(), self.start()];
        let edges = [one, two, behind, two].map(|block| self.edge(block)).to_vec();
        self.end(Terminator::Table { index, edges }, one);
        self.statements(random, deep);
        self.end(Terminator::Jump(self.edge(two)), two);
        self.statements(random, deep);
        self.end(Terminator::Jump(self.edge(behind)), behind);
    }

    /// A loop that counts in a variable; the test comes first or last.
    fn repeat(&mut self, random: &mut Random, deep: u64) {
        self.vars[2] = self.value(Op::Const(1 + random.below(4)), &[], Type::I32);
        let [header, body, behind] = [self.start(), self.start(), self.start()];
        let first = random.below(2) == 0;
        self.end(Terminator::Jump(self.edge(header)), header);
        if first {
            let (cond, then, otherwise) = (self.vars[2], self.edge(body), self.edge(behind));
            self.end(Terminator::Branch { cond, then, otherwise, likely: Likely::Then }, body);
        } else {
            self.end(Terminator::Jump(self.edge(body)), body);
        }
        let counter = self.vars[2];
        self.statements(random, deep);
        let one = self.value(Op::Const(1), &[], Type::I32);
        self.vars[2] = self.value(Op::Binary(BinaryOp::I32Sub), &[counter, one], Type::I32);
        if first {
            self.end(Terminator::Jump(self.edge(header)), behind);
        } else {
            let (cond, then, otherwise) = (self.vars[2], self.edge(header), self.edge(behind));
            self.end(Terminator::Branch { cond, then, otherwise, likely: Likely::Then }, behind);
        }
    }
}
