//! An interpreter of SSA, and all that is seen of a run.

use super::STRUCTS;
use crate::opt::fold;
use crate::ssa::{Access, Edge, Func, Op, Terminator, Value};
use zwasm_regir::gc::{Extend, GcOp, HeapTarget, RefTarget};
use zwasm_regir::inst::WideOp;
use zwasm_regir::{Storage, TrapCode, Type};

pub(super) const MEMORIES: usize = 4;
pub(super) const MEMORY: u64 = 256;

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
