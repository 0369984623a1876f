//! Lists and strings in an adapter: their bytes are checked and copied.

use super::adapter::{Adapter, Guest, Place};
use super::emit::{Access, Body, Op, Ty};
use super::trap::Trap;
use crate::types::Shape;

/// Bits of eight bytes that ASCII has not.
const NOT_ASCII: u64 = 0x8080_8080_8080_8080;

/// Bytes that are copied: locals with address and size, and what they are.
struct Bytes {
    source: u32,
    size: u32,
    align: u32,
    text: bool,
    trap: Trap,
}

impl Adapter<'_> {
    /// Moves a list whose elements are copied as bytes.
    pub(super) fn list(&mut self, shape: Shape, from: (Place, Guest), to: (Place, Guest)) {
        let (source, length) = self.pair(from);
        self.check_align(source, shape.align);
        let wide = self.body.local(Ty::I64);
        self.body.get(length);
        self.body.op(Op::I64ExtendI32U);
        self.body.i64(shape.size.into());
        self.body.op(Op::I64Mul);
        self.body.set(wide);
        self.check_bounds(source, |body| body.get(wide), from.1, Trap::List);
        let size = self.body.local(Ty::I32);
        self.body.get(wide);
        self.body.op(Op::I32WrapI64);
        self.body.set(size);
        // All of a memory of 2^32 bytes is no size of 32 bits.
        self.body.get(size);
        self.body.op(Op::I32Eqz);
        self.body.get(wide);
        self.body.ops(&[Op::I64Eqz, Op::I32Eqz, Op::I32And]);
        self.trap_if(Trap::List);
        let bytes = Bytes { source, size, align: shape.align, text: false, trap: Trap::List };
        self.copy(&bytes, from.1, to, length);
    }

    pub(super) fn string(&mut self, from: (Place, Guest), to: (Place, Guest)) {
        let (source, length) = self.pair(from);
        // No string is longer than 2^31 - 1 bytes.
        self.body.get(length);
        self.body.i32(0);
        self.body.op(Op::I32LtS);
        self.trap_if(Trap::String);
        let wide = |body: &mut Body| {
            body.get(length);
            body.op(Op::I64ExtendI32U);
        };
        self.check_bounds(source, wide, from.1, Trap::String);
        let bytes = Bytes { source, size: length, align: 1, text: true, trap: Trap::String };
        self.copy(&bytes, from.1, to, length);
    }

    /// Traps unless bytes are UTF-8. ASCII is looked for here, eight bytes at a time, and
    /// for anything else the host asked.
    fn check_utf8(&mut self, source: u32, length: u32, guest: Guest) {
        let (at, left) = (self.body.local(Ty::I32), self.body.local(Ty::I32));
        let body = &mut self.body;
        body.get(source);
        body.set(at);
        body.get(length);
        body.set(left);
        body.block();
        body.block();
        // Eights.
        body.block();
        body.op(Op::Loop);
        body.get(left);
        body.i32(8);
        body.op(Op::I32LtU);
        body.branch_if(1);
        body.get(at);
        body.access(Access::I64Load, guest.memory, 0);
        body.i64(NOT_ASCII);
        body.ops(&[Op::I64And, Op::I64Eqz, Op::I32Eqz]);
        body.branch_if(2);
        step(body, at, left, 8);
        body.branch(0);
        body.op(Op::End);
        body.op(Op::End);
        // The rest, fewer than eight.
        body.op(Op::Loop);
        body.get(left);
        body.op(Op::I32Eqz);
        body.branch_if(2);
        body.get(at);
        body.access(Access::I32Load8U, guest.memory, 0);
        body.i32(0x80);
        body.op(Op::I32And);
        body.branch_if(1);
        step(body, at, left, 1);
        body.branch(0);
        body.op(Op::End);
        body.op(Op::End);
        body.get(at);
        body.get(left);
        body.call(guest.utf8);
        body.op(Op::End);
    }

    /// Moves bytes to new memory, whose address and a length go to a place.
    ///
    /// Eight to sixteen of them are their first eight and their last eight: these are
    /// checked and copied as two numbers, for the general ways have a call or a loop.
    fn copy(&mut self, bytes: &Bytes, from: Guest, to: (Place, Guest), length: u32) {
        let &Bytes { source, size, align, text, trap } = bytes;
        let (first, last) = (self.body.local(Ty::I64), self.body.local(Ty::I64));
        // Where the last eight begin.
        let rest = self.body.local(Ty::I32);
        self.body.get(size);
        self.body.i32(8);
        self.body.op(Op::I32Sub);
        self.body.set(rest);

        self.begin_if_short(rest);
        self.body.get(source);
        self.body.access(Access::I64Load, from.memory, 0);
        self.body.set(first);
        self.body.get(source);
        self.body.get(rest);
        self.body.op(Op::I32Add);
        self.body.access(Access::I64Load, from.memory, 0);
        self.body.set(last);
        if text {
            self.body.get(first);
            self.body.get(last);
            self.body.op(Op::I64Or);
            self.body.i64(NOT_ASCII);
            self.body.ops(&[Op::I64And, Op::I64Eqz, Op::I32Eqz]);
            self.body.begin_if();
            self.body.get(source);
            self.body.get(size);
            self.body.call(from.utf8);
            self.body.op(Op::End);
            self.body.begin_else();
            self.check_utf8(source, size, from);
        }
        self.body.op(Op::End);

        let target = self.body.local(Ty::I32);
        self.allocate(target, to.1, align, |body| body.get(size), trap);

        self.begin_if_short(rest);
        self.body.get(target);
        self.body.get(first);
        self.body.access(Access::I64Store, to.1.memory, 0);
        self.body.get(target);
        self.body.get(rest);
        self.body.op(Op::I32Add);
        self.body.get(last);
        self.body.access(Access::I64Store, to.1.memory, 0);
        self.body.begin_else();
        self.body.get(target);
        self.body.get(source);
        self.body.get(size);
        self.body.memory_copy(to.1.memory, from.memory);
        self.body.op(Op::End);
        self.put_pair(to, target, length);
    }

    /// Begins what is done if a size, of which eight were taken, was eight to sixteen.
    fn begin_if_short(&mut self, rest: u32) {
        self.body.get(rest);
        self.body.i32(9);
        self.body.op(Op::I32LtU);
        self.body.begin_if();
    }
}

/// Goes on by some bytes: adds them to one local, and takes them from another.
fn step(body: &mut Body, at: u32, left: u32, bytes: u32) {
    for (local, op) in [(at, Op::I32Add), (left, Op::I32Sub)] {
        body.get(local);
        body.i32(bytes);
        body.op(op);
        body.set(local);
    }
}
