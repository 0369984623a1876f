//! Random functions, interpreted as register IR and as the SSA form built from it: at their
//! start, and from loop headers on with the frame that the register IR has there.
//!
//! What a function does is the list of calls that it makes, some of which throw, and what
//! it returns. As not all of them end, only so many calls are compared.

mod programs;
mod runs;

use super::{Entry, build};
use crate::CompileError;
use crate::ssa::graph::{Graph, split_critical_edges};
use crate::ssa::verify::verify;
use crate::testing::TestModule;
use programs::{Random, Writer};
use runs::{End, run_slots, run_ssa};
use zwasm_regir::{Frame, Function, Inlining, Signature, Storage, Translator, Type, Types, work};

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

/// What is declared, for translation.
struct Declared;

impl Types for Declared {
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

/// What the compiler is told of it.
fn module() -> TestModule {
    TestModule {
        signatures: &TYPES,
        func_type: Declared.func_type(0),
        tag_type: Declared.tag_type(0),
        global_type: I32,
        ..TestModule::new(&[])
    }
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
    Translator::translate(&Declared, 0, bytes, 0, Inlining::Large, &|| false).unwrap()
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

        let mut func = build(&function, &module(), Entry::Start).unwrap();
        verify(&func, &module(), "build");
        let mut ssa_calls = Vec::new();
        let ssa_end = run_ssa(&func, &args, &[], &mut ssa_calls);
        assert_same((&end, &calls), (&ssa_end, &ssa_calls), &|| format!("{function}\n{func}"));
        split_critical_edges(&mut func);
        verify(&func, &module(), "split_critical_edges");
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
            let func = match build(&function, &module(), entry) {
                Ok(func) => func,
                // Too many loops around it.
                Err(CompileError::Unsupported) => {
                    refused += 1;
                    continue;
                }
                Err(error) => panic!("{error:?}"),
            };
            verify(&func, &module(), "build");
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

/// A function made of these bytes in a row, after its locals, is built in steps that grow
/// with it.
fn shape(locals: u32, start: &[u8], many: impl Fn(usize, &mut Vec<u8>), end: &[u8]) {
    let steps = |count: usize| {
        let mut bytes = vec![1];
        leb(locals, &mut bytes);
        bytes.push(0x7F);
        bytes.extend_from_slice(start);
        (0..count).for_each(|index| many(index, &mut bytes));
        bytes.extend_from_slice(end);
        let function = function(&bytes);
        let before = work::steps();
        let built = build(&function, &module(), Entry::Start);
        assert!(matches!(built, Ok(_) | Err(CompileError::Unsupported)));
        work::steps() - before
    };
    let (few, all) = (steps(2_000), steps(8_000));
    // What is logarithmic has two more levels.
    assert!(all <= 6 * few, "{few} and {all} steps");
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
    // Tries in each other, without clauses.
    let tries = |count: usize| [0x1F, 0x40, 0].repeat(count);
    shape(
        1,
        &tries(5000),
        |_, bytes| bytes.extend([0x20, 4, 0x10, 0, 0x21, 4]),
        &[vec![0x0B; 5000], end(&[])].concat(),
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
