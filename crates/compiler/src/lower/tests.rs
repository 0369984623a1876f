//! What functions become, as text. Whether they compute what they should, tests of the
//! runtime find out.

use super::lower;
use crate::ssa::build::Entry;
use crate::ssa::{Access, Edge, Func, Likely, Op, Terminator, Value};
use crate::testing::TestModule;
use zwasm_regir::{BinaryOp, CompareOp, LoadOp, SourceLoc, StoreOp, Type};

/// A function that is put together.
pub(super) struct Build {
    pub(super) func: Func,
    pub(super) at: crate::ssa::Block,
}

impl Build {
    pub(super) fn new(params: &[Type], results: &[Type]) -> Build {
        let mut func = Func { results: results.to_vec(), ..Func::default() };
        let at = func.add_block();
        for &ty in params {
            func.add_param(at, ty);
        }
        Build { func, at }
    }

    pub(super) fn param(&self, index: usize) -> Value {
        self.func.block(self.at).params[index]
    }

    pub(super) fn op(&mut self, op: Op, args: &[Value], results: &[Type]) -> Value {
        let inst = self.func.add_inst(op, args.into(), results, SourceLoc::default());
        self.func.block_mut(self.at).insts.push(inst);
        self.func.inst(inst).results.first().copied().unwrap_or(Value(0))
    }

    pub(super) fn constant(&mut self, bits: u64) -> Value {
        self.op(Op::Const(bits), &[], &[Type::I32])
    }

    pub(super) fn end(&mut self, terminator: Terminator) {
        self.func.block_mut(self.at).terminator = terminator;
    }

    /// The instructions up to the data.
    pub(super) fn listing(mut self, module: &TestModule) -> String {
        let code = lower(&mut self.func, module, Entry::Start, true).expect("compiles");
        let lines = code.listing.expect("a listing was asked for");
        let lines = lines.iter().take_while(|(at, _)| *at < code.data);
        lines.map(|(_, line)| format!("{line}\n")).collect()
    }
}

fn edge(block: crate::ssa::Block, args: &[Value]) -> Edge {
    Edge { block, args: args.to_vec() }
}

#[track_caller]
pub(super) fn expect(listing: &str, expected: &str) {
    let trim = |text: &str| -> String {
        text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(trim(listing), trim(expected), "\n{listing}");
}

#[test]
fn a_sum_is_one_instruction() {
    let mut build = Build::new(&[Type::I32, Type::I32], &[Type::I32]);
    let (a, b) = (build.param(0), build.param(1));
    let sum = build.op(Op::Binary(BinaryOp::I32Add), &[a, b], &[Type::I32]);
    build.end(Terminator::Return(smallvec::smallvec![sum]));
    expect(
        &build.listing(&TestModule::new(&[])),
        "
        L0:
        pushq rbp
        movq rbp, rsp
        L1:
        addl rax, rcx
        popq rbp
        ret
        ",
    );
}

#[test]
fn a_loop_over_memory() {
    let mut build = Build::new(&[Type::I32], &[Type::I32]);
    let count = build.param(0);
    let (entry, head, exit) = (build.at, build.func.add_block(), build.func.add_block());
    let base = build.op(Op::MemoryBase(0), &[], &[Type::I64]);
    let zero = build.constant(0);
    build.end(Terminator::Jump(edge(head, &[zero, zero])));
    let _ = entry;
    build.at = head;
    let index = build.func.add_param(head, Type::I32);
    let sum = build.func.add_param(head, Type::I32);
    let two = build.constant(2);
    let mask = build.constant(0xFFFF);
    let low = build.op(Op::Binary(BinaryOp::I32And), &[index, mask], &[Type::I32]);
    let addr = build.op(Op::Binary(BinaryOp::I32Shl), &[low, two], &[Type::I32]);
    let access = Access { mem: 0, offset: 16, checked: false };
    let loaded = build.op(Op::Load(LoadOp::I32Load, access), &[base, addr], &[Type::I32]);
    let next_sum = build.op(Op::Binary(BinaryOp::I32Add), &[sum, loaded], &[Type::I32]);
    let one = build.constant(1);
    let next = build.op(Op::Binary(BinaryOp::I32Add), &[index, one], &[Type::I32]);
    let more = build.op(Op::Compare(CompareOp::I32LtU), &[next, count], &[Type::I32]);
    build.end(Terminator::Branch {
        cond: more,
        then: edge(head, &[next, next_sum]),
        otherwise: edge(exit, &[]),
        likely: Likely::Unknown,
    });
    build.at = exit;
    let place = build.constant(8);
    let eight = build.op(
        Op::Load(LoadOp::I32Load, Access { mem: 0, offset: 0, checked: false }),
        &[base, place],
        &[Type::I32],
    );
    let more = build.op(Op::Binary(BinaryOp::I32Add), &[eight, next_sum], &[Type::I32]);
    build.op(
        Op::Store(StoreOp::I32Store, Access { mem: 0, offset: 0, checked: false }),
        &[base, place, more],
        &[],
    );
    let quotient = build.op(Op::Binary(BinaryOp::I32DivS), &[next_sum, count], &[Type::I32]);
    let result = build.op(Op::Call { func: 1 }, &[quotient, count], &[Type::I32]);
    let result = build.op(Op::Call { func: 0 }, &[result, next_sum], &[Type::I32]);
    build.end(Terminator::Return(smallvec::smallvec![result]));
    expect(
        &build.listing(&TestModule::new(&[])),
        "
        L0:
        pushq rbp
        movq rbp, rsp
        subq rsp, 0x10
        movq r11, [rdi + 0x70]
        cmpq rsp, [r11 + 0x8]
        jb L5
        movq [rbp - 0x8], rdi
        L1:
        movq rsi, rax
        movl rax, 0x0
        movl rcx, 0x0
        L2:
        movzwl rdx, rax
        addl rcx, [rbx + rdx*4 + 0x10]
        addl rax, 0x1
        movq rdx, rsi
        cmpl rax, rdx
        jb L2
        L4:
        addl [rbx + 0x8], rcx
        movq rax, rcx
        testl rsi, rsi
        je L6
        cmpl rsi, 0xff
        jne L8
        cmpl rax, 0x1
        jo L9
        L8:
        cltd rdx, rax
        idivl rax, rdx, rsi, trap
        L7:
        movq [rbp - 0x10], rcx
        movq rcx, rsi
        leaq r11, [rdi + 0x1040]
        callq [r11 + 0x8]
        movq rcx, [rbp - 0x10]
        movq r11, [rdi + 0x40]
        movq r11, [r11]
        movq rdi, [r11 + 0x10]
        movq rbx, [rdi + 0x20]
        movq rbx, [rbx]
        callq [r11 + 0x8]
        movq rdi, [rbp - 0x8]
        movq rbx, [rdi + 0x20]
        movq rbx, [rbx]
        movq rsp, rbp
        popq rbp
        ret
        L5:
        movl rcx, 0xa
        callq L10
        L6:
        movl rcx, 0x8
        callq L10
        L9:
        movl rcx, 0x7
        callq L10
        ",
    );
}

#[test]
fn a_loop_goes_round_by_one_jump() {
    let mut build = Build::new(&[Type::I32; 3], &[Type::I32]);
    let start = [0, 1, 2].map(|index| build.param(index));
    let (head, exit) = (build.func.add_block(), build.func.add_block());
    build.end(Terminator::Jump(edge(head, &start)));
    build.at = head;
    let [count, a, b] = [(); 3].map(|()| build.func.add_param(head, Type::I32));
    let one = build.constant(1);
    let next = build.op(Op::Binary(BinaryOp::I32Sub), &[count, one], &[Type::I32]);
    // Each round exchanges two registers, behind what decides whether there is another.
    build.end(Terminator::Branch {
        cond: next,
        then: edge(head, &[next, b, a]),
        otherwise: edge(exit, &[]),
        likely: Likely::Unknown,
    });
    build.at = exit;
    build.end(Terminator::Return(smallvec::smallvec![a]));
    let listing = build.listing(&TestModule::new(&[]));
    let lines: Vec<&str> = listing.lines().map(str::trim).collect();
    let branch = lines.iter().position(|line| line.starts_with("jne"));
    let behind = branch.map(|at| &lines[at..]).unwrap_or_default();
    assert!(!behind.is_empty(), "{listing}");
    assert!(!behind.iter().any(|line| line.starts_with("jmp")), "{listing}");
}
