//! Instructions as bytes.

use crate::ty::Ty;
use wasm_encoder::Encode;

pub const UNREACHABLE: u8 = 0x00;
pub const BLOCK: u8 = 0x02;
pub const LOOP: u8 = 0x03;
pub const IF: u8 = 0x04;
pub const ELSE: u8 = 0x05;
pub const THROW: u8 = 0x08;
pub const THROW_REF: u8 = 0x0a;
pub const END: u8 = 0x0b;
pub const BR: u8 = 0x0c;
pub const BR_IF: u8 = 0x0d;
pub const BR_TABLE: u8 = 0x0e;
pub const RETURN: u8 = 0x0f;
pub const CALL: u8 = 0x10;
pub const CALL_INDIRECT: u8 = 0x11;
pub const RETURN_CALL: u8 = 0x12;
pub const RETURN_CALL_INDIRECT: u8 = 0x13;
pub const CALL_REF: u8 = 0x14;
pub const RETURN_CALL_REF: u8 = 0x15;
pub const DROP: u8 = 0x1a;
pub const SELECT: u8 = 0x1b;
pub const SELECT_TYPED: u8 = 0x1c;
pub const TRY_TABLE: u8 = 0x1f;
pub const LOCAL_GET: u8 = 0x20;
pub const LOCAL_SET: u8 = 0x21;
pub const LOCAL_TEE: u8 = 0x22;
pub const GLOBAL_GET: u8 = 0x23;
pub const GLOBAL_SET: u8 = 0x24;
pub const TABLE_GET: u8 = 0x25;
pub const MEMORY_SIZE: u8 = 0x3f;
pub const MEMORY_GROW: u8 = 0x40;
pub const I32_CONST: u8 = 0x41;
pub const I64_CONST: u8 = 0x42;
pub const F32_CONST: u8 = 0x43;
pub const F64_CONST: u8 = 0x44;
pub const I32_EQZ: u8 = 0x45;
pub const I32_NE: u8 = 0x47;
pub const I32_LT_S: u8 = 0x48;
pub const I64_EQZ: u8 = 0x50;
pub const I64_LT_U: u8 = 0x54;
pub const I32_ADD: u8 = 0x6a;
pub const I32_SUB: u8 = 0x6b;
pub const I32_AND: u8 = 0x71;
pub const I32_OR: u8 = 0x72;
pub const I64_ADD: u8 = 0x7c;
pub const I64_SUB: u8 = 0x7d;
pub const I64_AND: u8 = 0x83;
pub const I64_OR: u8 = 0x84;
pub const I64_XOR: u8 = 0x85;
pub const I64_EXTEND_I32_U: u8 = 0xad;
pub const NON_NULL: u8 = 0x64;
pub const REF_NULL: u8 = 0xd0;
pub const REF_IS_NULL: u8 = 0xd1;
pub const REF_FUNC: u8 = 0xd2;
pub const REF_EQ: u8 = 0xd3;
pub const REF_AS_NON_NULL: u8 = 0xd4;
pub const BR_ON_NULL: u8 = 0xd5;
pub const BR_ON_NON_NULL: u8 = 0xd6;
/// The prefix of instructions on objects.
pub const OBJECTS: u8 = 0xfb;

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
