//! Instructions as bytes.

pub use crate::opcodes::*;
use crate::ty::Ty;
use wasm_encoder::Encode;

/// Begins a type of references that are not null.
pub const NON_NULL: u8 = 0x64;

/// Code being written.
#[derive(Default)]
pub struct Code(pub Vec<u8>);

impl Code {
    /// An instruction without immediate.
    pub fn op(&mut self, opcode: u8) {
        self.0.push(opcode);
    }

    /// A number in LEB128.
    pub fn number(&mut self, number: u32) {
        number.encode(&mut self.0);
    }

    /// An instruction with an index.
    pub fn with(&mut self, opcode: u8, index: u32) {
        self.op(opcode);
        self.number(index);
    }

    pub fn i32_const(&mut self, value: i32) {
        self.op(I32_CONST);
        value.encode(&mut self.0);
    }

    pub fn i64_const(&mut self, value: i64) {
        self.op(I64_CONST);
        value.encode(&mut self.0);
    }

    /// The start of a block without parameters that has one result or none.
    pub fn block(&mut self, opcode: u8, result: Option<Ty>) {
        self.op(opcode);
        match result {
            Some(ty) => ty.push(&mut self.0),
            None => self.op(0x40),
        }
    }

    /// The start of a block whose type is in the type section.
    pub fn typed_block(&mut self, opcode: u8, ty: u32) {
        self.op(opcode);
        i64::from(ty).encode(&mut self.0);
    }
}
