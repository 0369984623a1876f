//! Vectors.
//!
//! What an op becomes is said where both compilers find it ([`crate::isa::x64::vector_ops`]
//! and its neighbours); here its operands are found. With VEX the last one may be in
//! memory, if the instruction reads all 16 bytes: a load of which fewer were read would
//! not trap where it has to. Without, only literals may, which are aligned.

use super::vector_inst::{VectorInst, flag};
use super::{Address, Inst, Literal, Ops, Select, Src};
use crate::isa::Size;
use crate::isa::x64::Condition;
use crate::isa::x64::vector::{MOVAPS, POR, PSHUFB, PSHUFD, Vector};
use crate::isa::x64::vector_lanes::{insert, splats_float};
use crate::isa::x64::vector_ops::{
    Needs, One, binary_instruction, binary_needs, reads_whole, shift_by_needs, shift_needs,
    shift_width, ternary_needs, unary_instruction, unary_needs, unary_with_literal,
};
use crate::isa::x64::vector_shuffle::{Shuffle, Single, shuffle};
use crate::lower::machine::{read, read_any, write, write_early, write_over};
use crate::ssa::{Access, InstData, Op, Value, Values, VectorOp};
use regalloc2::VReg;
use zwasm_regir::simd::Width;
use zwasm_regir::simd_ops::{
    BinaryOp, ExtractOp, LoadOp, ShiftOp, SplatOp, TernaryOp, TestOp, UnaryOp,
};
use zwasm_regir::{LoadOp as ScalarLoad, Type};

impl Select<'_> {
    /// An op on vectors.
    pub(super) fn vector(&mut self, op: VectorOp, data: &InstData) {
        match op {
            VectorOp::Unary(op) => self.vector_unary(op, data),
            VectorOp::Binary(op) => self.vector_binary(op, data),
            VectorOp::Ternary(op) => self.vector_ternary(op, data),
            VectorOp::Shift(op) => self.vector_shift(op, data),
            VectorOp::Test(op) => self.vector_test(op, data),
            VectorOp::Splat(op) => self.splat(op, data),
            VectorOp::Extract(op, lane) => self.extract(op, lane, data),
            VectorOp::Replace(width, lane) => self.replace(width, lane, data),
            VectorOp::Shuffle(lanes) => self.shuffle(lanes, data),
        }
    }

    fn put_vector(&mut self, inst: VectorInst, ops: &Ops) {
        self.put_ops(Inst::Vector(inst), ops);
    }

    /// A constant.
    pub(super) fn vector_constant(&mut self, halves: [u64; 2], data: &InstData) {
        let dst = self.result(data);
        let inst = match halves {
            [0, 0] => VectorInst::Fill { ones: false },
            [u64::MAX, u64::MAX] => VectorInst::Fill { ones: true },
            _ => {
                let src = Src::Label(self.literal(Literal::Pair(halves)));
                VectorInst::Two { inst: MOVAPS, imm: None, src }
            }
        };
        self.put_vector(inst, &Ops::of(&[write(dst)]));
    }

    /// The last operand of an instruction that reads all of it.
    fn vector_src(&mut self, value: Value, ops: &mut Ops) -> Src {
        if let Some(&InstData { op: Op::VectorConst(halves), .. }) = self.def(value) {
            return Src::Label(self.literal(Literal::Pair(halves)));
        }
        let reg = match self.features.avx {
            true => match self.take_vector(value, ops) {
                Some(address) => return Src::Mem(address),
                None => read_any(self.reg(value)),
            },
            false => read(self.reg(value)),
        };
        ops.push(reg);
        Src::Operand
    }

    /// Whether an operand had better be the last.
    fn is_last(&self, value: Value) -> bool {
        matches!(self.def(value), Some(InstData { op: Op::VectorConst(_), .. }))
            || self.features.avx && self.can_take_vector(value)
    }

    /// Whether a vector is loaded for the instruction that is selected only, and nothing
    /// with an effect stands in between.
    fn can_take_vector(&self, value: Value) -> bool {
        let Some(inst) = self.facts.inst_of(self.func, value) else { return false };
        matches!(self.func.inst(inst).op, Op::VectorLoad(LoadOp::V128Load, _))
            && self.facts.is_single(value)
            && self.facts.region(inst) + 1 == self.region
    }

    /// Makes a load of a vector part of the instruction that is selected, if it can be.
    fn take_vector(&mut self, value: Value, ops: &mut Ops) -> Option<Address> {
        if !self.can_take_vector(value) {
            return None;
        }
        let func = self.func;
        let inst = self.facts.inst_of(func, value)?;
        let data = func.inst(inst);
        let Op::VectorLoad(_, access) = data.op else { return None };
        self.taken[inst.0 as usize] = true;
        // Nothing else of what is selected traps.
        self.source = data.source;
        let place = self.place(access, &data.args, LoadOp::V128Load.size());
        place.push(ops);
        Some(place.address)
    }

    /// `dst = inst(a, b)`.
    fn three(&mut self, inst: Vector, imm: Option<u8>, dst: VReg, a: VReg, b: Value) {
        let mut ops = self.over(dst, a);
        let src = self.vector_src(b, &mut ops);
        self.put_vector(VectorInst::Three { inst, imm, src }, &ops);
    }

    /// The operands of an instruction up to the first: without VEX, that is overwritten.
    fn over(&self, dst: VReg, a: VReg) -> Ops {
        let dst = if self.features.avx { write(dst) } else { write_over(dst, 1) };
        Ops::of(&[dst, read(a)])
    }

    /// The operands of a sequence that are written.
    fn written(&mut self, needs: Needs, data: &InstData) -> Ops {
        let dst = self.result(data);
        let mut ops = Ops::of(&[if needs.apart { write_early(dst) } else { write(dst) }]);
        for _ in 0..needs.temps {
            let temp = self.fresh(Type::V128);
            ops.push(write_early(temp));
        }
        ops
    }

    fn push_args(&mut self, data: &InstData, ops: &mut Ops) {
        for &arg in &data.args {
            let reg = self.reg(arg);
            ops.push(read(reg));
        }
    }

    fn vector_unary(&mut self, op: UnaryOp, data: &InstData) {
        if let Some((inst, imm)) = unary_instruction(op) {
            let dst = self.result(data);
            let mut ops = Ops::of(&[write(dst)]);
            let src = if reads_whole(op) {
                self.vector_src(data.args[0], &mut ops)
            } else {
                self.push_args(data, &mut ops);
                Src::Operand
            };
            return self.put_vector(VectorInst::Two { inst, imm, src }, &ops);
        }
        if let Some((inst, literal)) = unary_with_literal(op) {
            let dst = self.result(data);
            let a = self.reg(data.args[0]);
            let ops = self.over(dst, a);
            let src = Src::Label(self.literal(Literal::Pair(literal)));
            return self.put_vector(VectorInst::Three { inst, imm: None, src }, &ops);
        }
        let mut ops = self.written(unary_needs(op), data);
        self.push_args(data, &mut ops);
        self.put_vector(VectorInst::Unary(op), &ops);
    }

    fn vector_binary(&mut self, op: BinaryOp, data: &InstData) {
        let (mut a, mut b) = (data.args[0], data.args[1]);
        if let Some(One { inst, imm, swapped }) = binary_instruction(op) {
            if swapped || op.commutes() && self.is_last(a) && !self.is_last(b) {
                (a, b) = (b, a);
            }
            let dst = self.result(data);
            let a = self.reg(a);
            return self.three(inst, imm, dst, a, b);
        }
        let mut ops = self.written(binary_needs(op), data);
        self.push_args(data, &mut ops);
        self.put_vector(VectorInst::Binary(op), &ops);
    }

    fn vector_ternary(&mut self, op: TernaryOp, data: &InstData) {
        let mut ops = self.written(ternary_needs(op), data);
        self.push_args(data, &mut ops);
        self.put_vector(VectorInst::Ternary(op), &ops);
    }

    fn vector_shift(&mut self, op: ShiftOp, data: &InstData) {
        let (a, count) = (data.args[0], data.args[1]);
        let Some(count) = self.func.constant(self.facts.root(count)) else {
            let mut ops = self.written(shift_needs(op), data);
            self.push_args(data, &mut ops);
            return self.put_vector(VectorInst::Shift(op), &ops);
        };
        let a = self.reg(a);
        let count = (count as u32 % shift_width(op)) as u8;
        if count == 0 {
            return self.same(data, a);
        }
        let mut ops = self.written(shift_by_needs(op), data);
        ops.push(read(a));
        self.put_vector(VectorInst::ShiftBy(op, count), &ops);
    }

    /// The result is an operand as it is.
    fn same(&mut self, data: &InstData, a: VReg) {
        let dst = self.result(data);
        self.put(Inst::Move, &[write(dst), read(a)]);
    }

    /// Puts a test whose result is a flag, and says which; none if it is no such test.
    pub(super) fn vector_flag(&mut self, data: &InstData) -> Option<Condition> {
        let Op::Vector(VectorOp::Test(op)) = data.op else { return None };
        let condition = flag(op)?;
        let a = self.reg(data.args[0]);
        self.put_vector(VectorInst::Flag(op), &Ops::of(&[read(a)]));
        Some(condition)
    }

    fn vector_test(&mut self, op: TestOp, data: &InstData) {
        let dst = self.result(data);
        let mut ops = Ops::of(&[write(dst)]);
        self.push_args(data, &mut ops);
        self.put_vector(VectorInst::Test(op), &ops);
    }

    /// A load of a scalar that is made part of the instruction that is selected if `fits`
    /// says that it can be.
    fn take_scalar<T>(
        &mut self,
        value: Value,
        fits: impl FnOnce(ScalarLoad) -> Option<T>,
    ) -> Option<(T, Access, Values)> {
        let inst = self.facts.inst_of(self.func, value)?;
        let data = self.func.inst(inst);
        let Op::Load(op, access) = data.op else { return None };
        if !self.facts.is_single(value) || self.facts.region(inst) + 1 != self.region {
            return None;
        }
        let found = fits(op)?;
        self.taken[inst.0 as usize] = true;
        // Nothing else of what is selected traps.
        self.source = data.source;
        Some((found, access, data.args.clone()))
    }

    fn splat(&mut self, op: SplatOp, data: &InstData) {
        let dst = self.result(data);
        let a = data.args[0];
        if let Some((op, access, args)) = self.take_scalar(a, |load| op.of_loaded(load)) {
            let place = self.place(access, &args, op.size());
            let mut ops = Ops::of(&[write(dst)]);
            place.push(&mut ops);
            return self.put_vector(VectorInst::Load { op, address: place.address }, &ops);
        }
        let mut ops = Ops::of(&[write(dst)]);
        let inst = if splats_float(op) {
            let a = self.reg(a);
            ops.push(read(a));
            VectorInst::SplatFloat(op)
        } else {
            let a = if op == SplatOp::I64x2Splat { self.reg(a) } else { self.reg_32(a) };
            ops.push(read_any(a));
            VectorInst::SplatInteger { op, src: Src::Operand }
        };
        self.put_vector(inst, &ops);
    }

    fn extract(&mut self, op: ExtractOp, lane: u8, data: &InstData) {
        let dst = self.result(data);
        let mut ops = Ops::of(&[write(dst)]);
        self.push_args(data, &mut ops);
        let inst = match op.result() {
            Type::F32 | Type::F64 => VectorInst::ExtractFloat(op, lane),
            Type::I32 | Type::I64 | Type::Ref | Type::V128 => VectorInst::ExtractInteger(op, lane),
        };
        self.put_vector(inst, &ops);
    }

    fn replace(&mut self, width: Width, lane: u8, data: &InstData) {
        let (vector, value) = (data.args[0], data.args[1]);
        let dst = self.result(data);
        let size = u64::from(width.bytes());
        // What is loaded has the lane's size, however it would be extended.
        let fits = |load: ScalarLoad| (load.size() == size).then_some(());
        if let Some(((), access, args)) = self.take_scalar(value, fits) {
            let vector = self.reg(vector);
            return self.insert_loaded(dst, vector, width, lane, access, &args);
        }
        let vector = self.reg(vector);
        if let Type::F32 | Type::F64 = self.func.ty(value) {
            let mut ops = self.over(dst, vector);
            let value = self.reg(value);
            ops.push(read(value));
            return self.put_vector(VectorInst::ReplaceFloat(width, lane), &ops);
        }
        let mut ops = self.over(dst, vector);
        let value = if width == Width::B64 { self.reg(value) } else { self.reg_32(value) };
        ops.push(read(value));
        let inst = VectorInst::Three { inst: insert(width), imm: Some(lane), src: Src::Operand };
        self.put_vector(inst, &ops);
    }

    /// Replaces a lane by what is loaded.
    fn insert_loaded(
        &mut self,
        dst: VReg,
        vector: VReg,
        width: Width,
        lane: u8,
        access: Access,
        args: &[Value],
    ) {
        let place = self.place(access, args, u64::from(width.bytes()));
        let mut ops = self.over(dst, vector);
        place.push(&mut ops);
        let src = Src::Mem(place.address);
        let inst = VectorInst::Three { inst: insert(width), imm: Some(lane), src };
        self.put_vector(inst, &ops);
    }

    fn shuffle(&mut self, lanes: [u8; 16], data: &InstData) {
        let [a, b] = [data.args[0], data.args[1]];
        let same = self.facts.root(a) == self.facts.root(b);
        match shuffle(lanes, same) {
            Shuffle::Single { second, how } => {
                let used = if second { b } else { a };
                match how {
                    Single::Same => {
                        let used = self.reg(used);
                        self.same(data, used);
                    }
                    Single::Words(selector) => {
                        let dst = self.result(data);
                        let mut ops = Ops::of(&[write(dst)]);
                        let src = self.vector_src(used, &mut ops);
                        let inst = VectorInst::Two { inst: PSHUFD, imm: Some(selector), src };
                        self.put_vector(inst, &ops);
                    }
                    Single::Table(table) => {
                        let dst = self.result(data);
                        let used = self.reg(used);
                        self.look_up(dst, used, table);
                    }
                }
            }
            Shuffle::One(One { inst, imm, swapped }) => {
                let (a, b) = if swapped { (b, a) } else { (a, b) };
                let dst = self.result(data);
                let a = self.reg(a);
                self.three(inst, imm, dst, a, b);
            }
            Shuffle::Tables([first, second]) => {
                let dst = self.result(data);
                let [from_a, from_b] =
                    [a, b].map(|value| (self.reg(value), self.fresh(Type::V128)));
                self.look_up(from_a.1, from_a.0, first);
                self.look_up(from_b.1, from_b.0, second);
                let mut ops = self.over(dst, from_a.1);
                ops.push(read(from_b.1));
                let inst = VectorInst::Three { inst: POR, imm: None, src: Src::Operand };
                self.put_vector(inst, &ops);
            }
        }
    }

    /// Looks bytes up by a table.
    fn look_up(&mut self, dst: VReg, a: VReg, table: [u64; 2]) {
        let src = Src::Label(self.literal(Literal::Pair(table)));
        let ops = self.over(dst, a);
        self.put_vector(VectorInst::Three { inst: PSHUFB, imm: None, src }, &ops);
    }

    // Memory.

    pub(super) fn vector_load(&mut self, op: LoadOp, access: Access, data: &InstData) {
        let dst = self.result(data);
        let place = self.place(access, &data.args, op.size());
        let mut ops = Ops::of(&[write(dst)]);
        place.push(&mut ops);
        self.put_vector(VectorInst::Load { op, address: place.address }, &ops);
    }

    pub(super) fn load_lane(&mut self, width: Width, lane: u8, access: Access, data: &InstData) {
        let Some((&vector, place)) = data.args.split_last() else { return };
        let dst = self.result(data);
        let vector = self.reg(vector);
        self.insert_loaded(dst, vector, width, lane, access, place);
    }

    pub(super) fn vector_store(&mut self, access: Access, data: &InstData) {
        let Some((&vector, place)) = data.args.split_last() else { return };
        let src = self.reg(vector);
        let place = self.place(access, place, LoadOp::V128Load.size());
        let mut ops = Ops::of(&[read(src)]);
        place.push(&mut ops);
        self.put_ops(Inst::Store { size: Size::B16, address: place.address }, &ops);
    }

    pub(super) fn store_lane(&mut self, width: Width, lane: u8, access: Access, data: &InstData) {
        let Some((&vector, place)) = data.args.split_last() else { return };
        let src = self.reg(vector);
        let place = self.place(access, place, u64::from(width.bytes()));
        let mut ops = Ops::of(&[read(src)]);
        place.push(&mut ops);
        self.put_vector(VectorInst::StoreLane { width, lane, address: place.address }, &ops);
    }
}
