//! An interpreter of SSA, and programs to run it on: what a function does must not change,
//! whatever passes do to it.

use super::{Context, ORDER, fold};
use crate::environment::MemoryInfo;
use crate::ssa::graph::Graph;
use crate::ssa::{Access, Block, Edge, Func, Likely, Op, Terminator, Value};
use crate::testing::TestModule;
use zwasm_regir::gc::{Extend, GcOp, HeapTarget, RefTarget};
use zwasm_regir::inst::WideOp;
use zwasm_regir::{
    BinaryOp, CompareOp, LoadOp, SourceLoc, Storage, StoreOp, TrapCode, Type, UnaryOp,
};

const STRUCTS: [&[Storage]; 3] = [
    &[Storage::I32, Storage::I8, Storage::I64, Storage::HeapRef],
    &[Storage::I32, Storage::I8, Storage::I64, Storage::HeapRef, Storage::I16],
    &[Storage::I64, Storage::I32, Storage::HeapRef],
];

const MEMORIES: usize = 4;
const MEMORY: u64 = 256;

/// Memories 0 and 1 are the module's own, without and with checks; 2 and 3 are imports,
/// and the same. Structure type 1 is below 0.
fn module() -> TestModule {
    TestModule {
        signatures: &[(&[Type::I32], &[Type::I32])],
        memory: |memory| MemoryInfo {
            is_64: false,
            shared: false,
            page_size_log2: 0,
            guard: (memory == 0).then_some(1 << 16),
            imported: memory > 1,
            minimum: MEMORY,
        },
        structs: &[(None, STRUCTS[0]), (Some(0), STRUCTS[1]), (None, STRUCTS[2])],
        ..TestModule::new(&[])
    }
}

/// Everything that is seen of a run.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Seen {
    end: Result<Vec<u64>, TrapCode>,
    memories: Vec<Vec<u8>>,
    globals: Vec<u64>,
    calls: Vec<u64>,
}

/// Runs a function; nothing if it takes too long.
pub(super) fn run(func: &Func, args: &[u64]) -> Option<Seen> {
    let mut seen = Seen {
        end: Ok(Vec::new()),
        memories: (0..MEMORIES).map(|_| (0..MEMORY).map(|at| (at * 37) as u8).collect()).collect(),
        globals: (0..4).map(|at| 0x1111 * at).collect(),
        calls: Vec::new(),
    };
    let mut heap = Heap::default();
    let mut values = vec![None; func.values.len()];
    let mut block = func.entry;
    // References are null.
    for (param, arg) in func.block(block).params.iter().zip(args.iter().chain([&0])) {
        values[param.0 as usize] = Some(*arg);
    }
    for _ in 0..2000 {
        for &inst in &func.block(block).insts {
            let data = func.inst(inst);
            let args: Vec<u64> = (data.args.iter())
                .map(|arg| values[arg.0 as usize].expect("defined before its use"))
                .collect();
            let ty = data.results.first().map(|result| func.ty(*result));
            match step(&data.op, &args, ty, &mut seen, &mut heap) {
                Ok(results) => {
                    for (result, bits) in data.results.iter().zip(results) {
                        values[result.0 as usize] = Some(bits);
                    }
                }
                Err(trap) => {
                    seen.end = Err(trap);
                    return Some(seen);
                }
            }
        }
        let get = |value: &Value| values[value.0 as usize].expect("defined before its use");
        let edge: &Edge = match &func.block(block).terminator {
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
                seen.end = Ok(results.iter().map(get).collect());
                return Some(seen);
            }
            Terminator::Trap(trap) => {
                seen.end = Err(*trap);
                return Some(seen);
            }
            other => panic!("{other}"),
        };
        let passed: Vec<u64> = edge.args.iter().map(get).collect();
        block = edge.block;
        assert_eq!(func.block(block).params.len(), passed.len());
        for (param, bits) in func.block(block).params.iter().zip(passed) {
            values[param.0 as usize] = Some(bits);
        }
    }
    None
}

fn trapping<T>(value: Option<T>, trap: TrapCode) -> Result<T, TrapCode> {
    value.ok_or(trap)
}

/// Objects, and the table that calls know of.
#[derive(Default)]
struct Heap {
    objects: Vec<(u32, Vec<u64>)>,
    table: u64,
}

impl Heap {
    fn object(&mut self, reference: u64) -> Option<&mut (u32, Vec<u64>)> {
        self.objects.get_mut((reference / 16).checked_sub(1)? as usize)
    }

    /// Whether a reference passes a check for a structure type.
    fn passes(&mut self, reference: u64, target: RefTarget) -> bool {
        let HeapTarget::Type(wanted) = target.heap else { panic!("{target}") };
        match self.object(reference) {
            Some((ty, _)) => *ty == wanted || (*ty, wanted) == (1, 0),
            None => target.nullable,
        }
    }
}

fn step(
    op: &Op,
    args: &[u64],
    ty: Option<Type>,
    seen: &mut Seen,
    heap: &mut Heap,
) -> Result<Vec<u64>, TrapCode> {
    let wide = |low: u64, high: u64| u128::from(high) << 64 | u128::from(low);
    let halves = |number: u128| vec![number as u64, (number >> 64) as u64];
    let one = |mem: u32| if mem == 3 { 2 } else { mem as usize };
    let at = |args: &[u64], access: Access, size: u64| {
        let start = args[1] + access.offset;
        trapping((start + size <= MEMORY).then_some(start as usize), TrapCode::MemoryOutOfBounds)
    };
    Ok(match *op {
        Op::Const(bits) => vec![bits],
        Op::Copy => vec![args[0]],
        Op::ByteSwap if ty == Some(Type::I32) => vec![(args[0] as u32).swap_bytes().into()],
        Op::ByteSwap => vec![args[0].swap_bytes()],
        Op::Unary(op) => vec![trapping(fold::unary(op, args[0]), TrapCode::IntegerOverflow)?],
        Op::Binary(op) => {
            vec![trapping(fold::binary(op, args[0], args[1]), TrapCode::IntegerDivisionByZero)?]
        }
        Op::Compare(op) => vec![fold::compare(op, args[0], args[1]).into()],
        Op::Select => vec![if args[0] as u32 != 0 { args[1] } else { args[2] }],
        Op::Wide(WideOp::MulWideU) => halves(u128::from(args[0]) * u128::from(args[1])),
        Op::Wide(WideOp::MulWideS) => {
            halves((i128::from(args[0] as i64) * i128::from(args[1] as i64)) as u128)
        }
        Op::Wide(WideOp::Add128) => {
            halves(wide(args[0], args[1]).wrapping_add(wide(args[2], args[3])))
        }
        Op::Wide(WideOp::Sub128) => {
            halves(wide(args[0], args[1]).wrapping_sub(wide(args[2], args[3])))
        }
        Op::MemoryBase(mem) => vec![one(mem) as u64 + 1],
        Op::MemoryLen(_) => vec![MEMORY],
        Op::Load(op, access) => {
            let size = op.size() as usize;
            let start = at(args, access, op.size())?;
            let mut bytes = [0; 8];
            bytes[..size].copy_from_slice(&seen.memories[one(access.mem)][start..start + size]);
            let bits = u64::from_le_bytes(bytes);
            let shift = 64 - 8 * size as u32;
            let sign = (bits << shift) as i64 >> shift;
            let signed = op.text().ends_with("_s");
            let bits = if signed { sign as u64 } else { bits };
            vec![if ty == Some(Type::I32) { u64::from(bits as u32) } else { bits }]
        }
        Op::Store(op, access) => {
            let size = op.size() as usize;
            let start = at(args, access, op.size())?;
            let bytes = args[args.len() - 1].to_le_bytes();
            seen.memories[one(access.mem)][start..start + size].copy_from_slice(&bytes[..size]);
            Vec::new()
        }
        Op::GlobalGet(global) => vec![seen.globals[global.min(2) as usize]],
        Op::GlobalSet(global) => {
            seen.globals[global.min(2) as usize] = args[0];
            Vec::new()
        }
        Op::Call { func } => {
            seen.calls.push(args[0]);
            seen.memories[func as usize % 3][(args[0] % MEMORY) as usize] ^= 0x55;
            seen.globals[func as usize % 3] ^= args[0];
            let table = heap.table;
            if let Some((_, fields)) = heap.object(table) {
                fields[func as usize % 2] ^= args[0] & 0x7F;
            }
            vec![u64::from((args[0] as u32).rotate_left(3))]
        }
        Op::Gc(GcOp::StructNew { ty }) => {
            heap.objects.push((ty, args.to_vec()));
            vec![heap.objects.len() as u64 * 16]
        }
        Op::Gc(GcOp::StructNewDefault { ty }) => {
            heap.objects.push((ty, vec![0; STRUCTS[ty as usize].len()]));
            vec![heap.objects.len() as u64 * 16]
        }
        Op::StructGet { ty, field, extend } => {
            let (_, fields) = trapping(heap.object(args[0]), TrapCode::NullStructReference)?;
            let bits = fields[field as usize];
            let packed = |bits: u64, kept: u32| match extend {
                Extend::Zero => bits & ((1 << kept) - 1),
                Extend::Sign => u64::from((((bits << (64 - kept)) as i64) >> (64 - kept)) as u32),
            };
            vec![match STRUCTS[ty as usize][field as usize] {
                Storage::I8 => packed(bits, 8),
                Storage::I16 => packed(bits, 16),
                _ => bits,
            }]
        }
        Op::StructSet { field, .. } => {
            let (_, fields) = trapping(heap.object(args[0]), TrapCode::NullStructReference)?;
            fields[field as usize] = args[1];
            Vec::new()
        }
        Op::RefTest(target) => vec![heap.passes(args[0], target).into()],
        Op::RefCast(target) => {
            trapping(heap.passes(args[0], target).then_some(()), TrapCode::CastFailure)?;
            vec![args[0]]
        }
        Op::RefAsNonNull => {
            trapping((args[0] != 0).then_some(()), TrapCode::NullReference)?;
            vec![args[0]]
        }
        Op::TableSet(_) => {
            heap.table = args[1];
            Vec::new()
        }
        Op::TableGet(_) => vec![heap.table],
        ref other => panic!("{other}"),
    })
}

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

    fn one<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }
}

/// Builds a function of variables, which are parameters of every block.
pub(super) struct Builder {
    pub(super) func: Func,
    block: Block,
    vars: Vec<Value>,
    /// References that are not null, with their types, from blocks that dominate this one.
    objects: Vec<(Value, u32)>,
}

/// A parameter of every block behind the variables.
const REFERENCE: usize = VARS.len();

/// The types of the variables.
const VARS: [Type; 6] = [Type::I32, Type::I32, Type::I32, Type::I64, Type::I64, Type::I64];

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

    fn value(&mut self, op: Op, args: &[Value], ty: Type) -> Value {
        self.emit(op, args, &[ty])[0]
    }

    fn start(&mut self) -> Block {
        let block = self.func.add_block();
        for ty in VARS.into_iter().chain([Type::Ref]) {
            self.func.add_param(block, ty);
        }
        block
    }

    fn edge(&self, block: Block) -> Edge {
        Edge { block, args: self.vars.clone() }
    }

    fn end(&mut self, terminator: Terminator, next: Block) {
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

    fn expression(&mut self, random: &mut Random, ty: Type, deep: u64) -> Value {
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
    fn access(&mut self, random: &mut Random, load: Option<Type>) -> Value {
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

/// Runs passes one after the other and compares what the function does.
pub(super) fn check(func: &mut Func, inputs: &[Vec<u64>], name: &str) {
    let module = module();
    let before: Vec<Option<Seen>> = inputs.iter().map(|args| run(func, args)).collect();
    for pass in &ORDER {
        let text = func.to_string();
        let context = Context { env: &module, graph: Graph::of(func) };
        (pass.run)(func, &context);
        crate::ssa::verify::verify(func, &module, pass.name);
        for (args, before) in inputs.iter().zip(&before) {
            if let Some(before) = before {
                let after = run(func, args);
                assert!(
                    after.as_ref() == Some(before),
                    "{name}: {} on {args:x?}\n{before:x?}\n{after:x?}\n{text}\n{func}",
                    pass.name,
                );
            }
        }
    }
}

#[test]
fn programs_do_what_they_did() {
    let mut made = (0, 0);
    for seed in 0..3000 {
        let mut random = Random(seed);
        let mut builder = Builder::new();
        builder.statements(&mut random, 3);
        builder.statements(&mut random, 3);
        let mut func = builder.finish();
        let inputs: Vec<Vec<u64>> = (0..4)
            .map(|_| {
                (VARS.iter())
                    .map(|ty| {
                        let bits = match random.below(3) {
                            0 => random.below(40),
                            1 => 0u64.wrapping_sub(random.below(3)),
                            _ => random.next().wrapping_mul(0x9E37_79B9),
                        };
                        if *ty == Type::I32 { u64::from(bits as u32) } else { bits }
                    })
                    .collect()
            })
            .collect();
        made.0 += count_made(&func);
        check(&mut func, &inputs, &format!("program {seed}"));
        made.1 += count_made(&func);
    }
    assert!(made.1 * 4 < made.0 * 3, "of {} objects {} are left", made.0, made.1);
}

/// The objects that a function makes.
fn count_made(func: &Func) -> usize {
    let graph = Graph::of(func);
    let insts = graph.order.iter().flat_map(|block| &func.block(*block).insts);
    insts.filter(|inst| matches!(func.inst(**inst).op, Op::Gc(_))).count()
}

/// Values as edge cases have them.
fn edges(random: &mut Random) -> u64 {
    let near = random.one(&[0, 1 << 31, 1 << 32, 1 << 63, 0xFFFF_FFFF]);
    match random.below(3) {
        0 => near + random.below(3),
        1 => near.wrapping_sub(random.below(3)),
        _ => random.next().wrapping_mul(0x9E37_79B9) >> random.below(64),
    }
}

#[test]
fn division_by_constants() {
    let mut random = Random(7);
    for round in 0..1500 {
        let mut builder = Builder::new();
        let mut divisors = Vec::new();
        for (index, ty) in VARS.into_iter().enumerate() {
            let by = edges(&mut random).max(1);
            let by = if ty == Type::I32 { u64::from(by as u32).max(1) } else { by };
            let ops = match ty {
                Type::I32 => [BinaryOp::I32DivS, BinaryOp::I32DivU, BinaryOp::I32RemS],
                _ => [BinaryOp::I64DivS, BinaryOp::I64DivU, BinaryOp::I64RemS],
            };
            divisors.push(by);
            let by = builder.value(Op::Const(by), &[], ty);
            let op = Op::Binary(random.one(&ops));
            builder.vars[index] = builder.value(op, &[builder.vars[index], by], ty);
        }
        let mut func = builder.finish();
        let inputs: Vec<Vec<u64>> = (0..60)
            .map(|_| {
                (VARS.iter().zip(&divisors))
                    .map(|(ty, by)| {
                        let number = match random.below(2) {
                            0 => edges(&mut random),
                            _ => by.wrapping_mul(edges(&mut random)).wrapping_sub(random.below(2)),
                        };
                        if *ty == Type::I32 { u64::from(number as u32) } else { number }
                    })
                    .collect()
            })
            .collect();
        check(&mut func, &inputs, &format!("round {round}"));
        let trapping = |inst: &crate::ssa::Inst| match func.inst(*inst).op {
            Op::Binary(op) => op.traps(),
            _ => false,
        };
        // What is left divides by -1.
        let left = func.blocks[0].insts.iter().filter(|inst| trapping(inst)).count();
        let minus_one = divisors.iter().zip(VARS).filter(|(by, ty)| **by == super::ints::mask(*ty));
        assert!(left <= minus_one.count(), "{func}");
    }
}

/// The two ways to compute a product of 128 bits in parts, as compilers write them.
#[test]
fn wide_products_are_found() {
    for (at_once, masks, swapped) in
        [(false, false, false), (true, false, true), (false, true, true), (true, true, false)]
    {
        let mut builder = Builder::new();
        let i64 = Type::I64;
        let mut a = builder.vars[3];
        let b = builder.vars[4];
        if swapped {
            let mask = builder.value(Op::Const(0x7_FFFF_FFFF_FFFF), &[], i64);
            a = builder.value(Op::Binary(BinaryOp::I64And), &[a, mask], i64);
        }
        let mut constant = |bits| builder.value(Op::Const(bits), &[], i64);
        let (low_mask, half) = (constant(0xFFFF_FFFF), constant(32));
        let low = |builder: &mut Builder, value| {
            if masks {
                return builder.value(Op::Binary(BinaryOp::I64And), &[value, low_mask], i64);
            }
            let low = builder.value(Op::Unary(UnaryOp::I32WrapI64), &[value], Type::I32);
            builder.value(Op::Unary(UnaryOp::I64ExtendI32U), &[low], i64)
        };
        let high = |builder: &mut Builder, value| {
            builder.value(Op::Binary(BinaryOp::I64ShrU), &[value, half], i64)
        };
        let binary = |builder: &mut Builder, op: BinaryOp, a: Value, b: Value| {
            let (a, b) = if swapped && op.commutes() { (b, a) } else { (a, b) };
            builder.value(Op::Binary(op), &[a, b], i64)
        };
        let b2 = &mut builder;
        let (a0, a1) = (low(b2, a), high(b2, a));
        let (b0, b1) = (low(b2, b), high(b2, b));
        let p00 = binary(b2, BinaryOp::I64Mul, a0, b0);
        let p01 = binary(b2, BinaryOp::I64Mul, a0, b1);
        let p10 = binary(b2, BinaryOp::I64Mul, a1, b0);
        let p11 = binary(b2, BinaryOp::I64Mul, a1, b1);
        let carried = high(b2, p00);
        let (s, t) = if at_once {
            let (m1, m2) = (low(b2, p01), low(b2, p10));
            let sum = binary(b2, BinaryOp::I64Add, m1, carried);
            (binary(b2, BinaryOp::I64Add, sum, m2), None)
        } else {
            let t = binary(b2, BinaryOp::I64Add, p10, carried);
            let rest = low(b2, t);
            (binary(b2, BinaryOp::I64Add, p01, rest), Some(t))
        };
        let s_high = high(b2, s);
        let mut upper = binary(b2, BinaryOp::I64Add, p11, s_high);
        // Something else among the terms.
        upper = binary(b2, BinaryOp::I64Add, upper, a);
        match t {
            Some(t) => {
                let t = high(b2, t);
                upper = binary(b2, BinaryOp::I64Add, upper, t);
            }
            None => {
                let (one, two) = (high(b2, p01), high(b2, p10));
                let both = binary(b2, BinaryOp::I64Add, one, two);
                upper = binary(b2, BinaryOp::I64Add, both, upper);
            }
        }
        let shifted = binary(b2, BinaryOp::I64Shl, s, half);
        let lowest = low(b2, p00);
        let lower = binary(b2, BinaryOp::I64Or, shifted, lowest);
        builder.vars[3] = upper;
        builder.vars[5] = lower;
        let mut func = builder.finish();
        let mut random = Random(3);
        let inputs: Vec<Vec<u64>> =
            (0..200).map(|_| (0..6).map(|_| edges(&mut random)).collect()).collect();
        check(&mut func, &inputs, "a product");
        let text = func.to_string();
        let count = |word: &str| text.matches(word).count();
        assert_eq!((count("mul"), count("mul_wide_u"), count("i64.add")), (1, 1, 1), "{text}");
    }
}

/// Shapes that a guest may make as large as it likes.
#[test]
fn cost_grows_with_size() {
    /// Loops in loops, each with its counter and what it computes of outer ones.
    fn nested(size: u64) -> Func {
        let mut builder = Builder::new();
        let mut headers = Vec::new();
        for _ in 0..size / 8 {
            let header = builder.start();
            builder.end(Terminator::Jump(builder.edge(header)), header);
            let [a, b] = [builder.vars[3], builder.vars[4]];
            builder.vars[3] = builder.value(Op::Binary(BinaryOp::I64Mul), &[a, b], Type::I64);
            builder.value(Op::GlobalGet(0), &[], Type::I64);
            headers.push(header);
        }
        for header in headers.into_iter().rev() {
            let behind = builder.start();
            let arg = builder.vars[0];
            let cond = builder.value(Op::Call { func: 0 }, &[arg], Type::I32);
            let (then, otherwise) = (builder.edge(header), builder.edge(behind));
            builder.end(Terminator::Branch { cond, then, otherwise, likely: Likely::Then }, behind);
        }
        builder.finish()
    }
    /// A table with a block for each edge, all of which lead to the same.
    fn wide(size: u64) -> Func {
        let mut builder = Builder::new();
        let targets: Vec<Block> = (0..size / 8).map(|_| builder.start()).collect();
        let behind = builder.start();
        let edges = targets.iter().map(|block| builder.edge(*block)).collect();
        let index = builder.vars[0];
        builder.end(Terminator::Table { index, edges }, behind);
        for &target in &targets {
            builder.block = target;
            builder.vars = builder.func.block(target).params.clone();
            builder.access(&mut Random(u64::from(target.0)), Some(Type::I32));
            builder.end(Terminator::Jump(builder.edge(behind)), behind);
        }
        builder.finish()
    }
    /// One block, whose values depend on each other, and all addresses differ.
    fn long(size: u64) -> Func {
        let mut builder = Builder::new();
        let mut random = Random(1);
        for _ in 0..size / 4 {
            let ty = Type::I64;
            builder.vars[3] = builder.expression(&mut random, ty, 1);
            builder.access(&mut random, None);
        }
        builder.finish()
    }
    /// Choices one behind the other, each decided by the same.
    fn chained(size: u64) -> Func {
        let mut builder = Builder::new();
        for _ in 0..size / 8 {
            let [then, behind] = [builder.start(), builder.start()];
            let cond = builder.vars[0];
            let (one, other) = (builder.edge(then), builder.edge(behind));
            let likely = Likely::Unknown;
            builder.end(Terminator::Branch { cond, then: one, otherwise: other, likely }, then);
            builder.emit(Op::Call { func: 0 }, &[cond], &[Type::I32]);
            builder.end(Terminator::Jump(builder.edge(behind)), behind);
        }
        builder.finish()
    }
    for (name, shape) in [
        ("nested", nested as fn(u64) -> Func),
        ("wide", wide),
        ("long", long),
        ("chained", chained),
    ] {
        let module = module();
        let time = |size| {
            let mut func = shape(size);
            let mut times = Vec::new();
            for pass in &ORDER {
                let context = Context { env: &module, graph: Graph::of(&func) };
                let start = std::time::Instant::now();
                (pass.run)(&mut func, &context);
                times.push((pass.name, start.elapsed().as_secs_f64()));
            }
            times
        };
        let (small, large) = (time(20_000), time(80_000));
        for ((pass, small), (_, large)) in small.into_iter().zip(large) {
            assert!(large < 16.0 * small + 0.5, "{name}: {pass} took {small} s, then {large} s");
        }
    }
}
