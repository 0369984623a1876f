//! The opcodes that programs are written with, by names as in the text format.

use zwasm_regir::opcodes::{GcOpcode, Opcode, VectorOpcode, prefix};
use zwasm_regir::{BinaryOp, CompareOp, UnaryOp};

/// The prefix of instructions on objects.
pub const OBJECTS: u8 = prefix::GC;

pub const UNREACHABLE: u8 = Opcode::Unreachable as u8;
pub const BLOCK: u8 = Opcode::Block as u8;
pub const LOOP: u8 = Opcode::Loop as u8;
pub const IF: u8 = Opcode::If as u8;
pub const ELSE: u8 = Opcode::Else as u8;
pub const THROW: u8 = Opcode::Throw as u8;
pub const THROW_REF: u8 = Opcode::ThrowRef as u8;
pub const END: u8 = Opcode::End as u8;
pub const BR: u8 = Opcode::Br as u8;
pub const BR_IF: u8 = Opcode::BrIf as u8;
pub const BR_TABLE: u8 = Opcode::BrTable as u8;
pub const RETURN: u8 = Opcode::Return as u8;
pub const CALL: u8 = Opcode::Call as u8;
pub const CALL_INDIRECT: u8 = Opcode::CallIndirect as u8;
pub const RETURN_CALL: u8 = Opcode::ReturnCall as u8;
pub const RETURN_CALL_INDIRECT: u8 = Opcode::ReturnCallIndirect as u8;
pub const CALL_REF: u8 = Opcode::CallRef as u8;
pub const RETURN_CALL_REF: u8 = Opcode::ReturnCallRef as u8;
pub const DROP: u8 = Opcode::Drop as u8;
pub const SELECT: u8 = Opcode::Select as u8;
pub const SELECT_TYPED: u8 = Opcode::SelectTyped as u8;
pub const TRY_TABLE: u8 = Opcode::TryTable as u8;
pub const LOCAL_GET: u8 = Opcode::LocalGet as u8;
pub const LOCAL_SET: u8 = Opcode::LocalSet as u8;
pub const LOCAL_TEE: u8 = Opcode::LocalTee as u8;
pub const GLOBAL_GET: u8 = Opcode::GlobalGet as u8;
pub const GLOBAL_SET: u8 = Opcode::GlobalSet as u8;
pub const TABLE_GET: u8 = Opcode::TableGet as u8;
pub const MEMORY_SIZE: u8 = Opcode::MemorySize as u8;
pub const MEMORY_GROW: u8 = Opcode::MemoryGrow as u8;
pub const I32_CONST: u8 = Opcode::I32Const as u8;
pub const I64_CONST: u8 = Opcode::I64Const as u8;
pub const F32_CONST: u8 = Opcode::F32Const as u8;
pub const F64_CONST: u8 = Opcode::F64Const as u8;
pub const I32_EQZ: u8 = Opcode::I32Eqz as u8;
pub const I64_EQZ: u8 = Opcode::I64Eqz as u8;
pub const REF_NULL: u8 = Opcode::RefNull as u8;
pub const REF_IS_NULL: u8 = Opcode::RefIsNull as u8;
pub const REF_FUNC: u8 = Opcode::RefFunc as u8;
pub const REF_EQ: u8 = Opcode::RefEq as u8;
pub const REF_AS_NON_NULL: u8 = Opcode::RefAsNonNull as u8;
pub const BR_ON_NULL: u8 = Opcode::BrOnNull as u8;
pub const BR_ON_NON_NULL: u8 = Opcode::BrOnNonNull as u8;

pub const I32_NE: u8 = CompareOp::I32Ne.opcode() as u8;
pub const I32_LT_S: u8 = CompareOp::I32LtS.opcode() as u8;
pub const I32_LT_U: u8 = CompareOp::I32LtU.opcode() as u8;
pub const I32_GT_U: u8 = CompareOp::I32GtU.opcode() as u8;
pub const I64_LT_U: u8 = CompareOp::I64LtU.opcode() as u8;
pub const F32_EQ: u8 = CompareOp::F32Eq.opcode() as u8;
pub const F64_EQ: u8 = CompareOp::F64Eq.opcode() as u8;

pub const I32_ADD: u8 = BinaryOp::I32Add.opcode() as u8;
pub const I32_SUB: u8 = BinaryOp::I32Sub.opcode() as u8;
pub const I32_AND: u8 = BinaryOp::I32And.opcode() as u8;
pub const I32_OR: u8 = BinaryOp::I32Or.opcode() as u8;
pub const I32_MUL: u8 = BinaryOp::I32Mul.opcode() as u8;
pub const I32_XOR: u8 = BinaryOp::I32Xor.opcode() as u8;
pub const I32_SHL: u8 = BinaryOp::I32Shl.opcode() as u8;
pub const I32_DIV_S: u8 = BinaryOp::I32DivS.opcode() as u8;
pub const I32_SHR_U: u8 = BinaryOp::I32ShrU.opcode() as u8;
pub const I64_ADD: u8 = BinaryOp::I64Add.opcode() as u8;
pub const I64_SUB: u8 = BinaryOp::I64Sub.opcode() as u8;
pub const I64_AND: u8 = BinaryOp::I64And.opcode() as u8;
pub const I64_OR: u8 = BinaryOp::I64Or.opcode() as u8;
pub const I64_SHL: u8 = BinaryOp::I64Shl.opcode() as u8;
pub const I64_DIV_S: u8 = BinaryOp::I64DivS.opcode() as u8;
pub const I64_XOR: u8 = BinaryOp::I64Xor.opcode() as u8;

pub const I32_WRAP: u8 = UnaryOp::I32WrapI64.opcode() as u8;
pub const I64_EXTEND_I32_U: u8 = UnaryOp::I64ExtendI32U.opcode() as u8;

/// What stands behind the prefix of a constant vector.
pub const V128_CONST: u8 = VectorOpcode::V128Const as u8;

/// What stands behind the prefix of instructions on objects.
pub mod objects {
    use super::GcOpcode;

    pub const STRUCT_NEW: u8 = GcOpcode::StructNew as u8;
    pub const STRUCT_NEW_DEFAULT: u8 = GcOpcode::StructNewDefault as u8;
    pub const STRUCT_GET: u8 = GcOpcode::StructGet as u8;
    pub const STRUCT_GET_S: u8 = GcOpcode::StructGetS as u8;
    pub const STRUCT_SET: u8 = GcOpcode::StructSet as u8;
    pub const ARRAY_NEW: u8 = GcOpcode::ArrayNew as u8;
    pub const ARRAY_NEW_DEFAULT: u8 = GcOpcode::ArrayNewDefault as u8;
    pub const ARRAY_NEW_FIXED: u8 = GcOpcode::ArrayNewFixed as u8;
    pub const ARRAY_GET: u8 = GcOpcode::ArrayGet as u8;
    pub const ARRAY_GET_S: u8 = GcOpcode::ArrayGetS as u8;
    pub const ARRAY_SET: u8 = GcOpcode::ArraySet as u8;
    pub const ARRAY_LEN: u8 = GcOpcode::ArrayLen as u8;
    pub const ARRAY_FILL: u8 = GcOpcode::ArrayFill as u8;
    pub const ARRAY_COPY: u8 = GcOpcode::ArrayCopy as u8;
    pub const REF_TEST: u8 = GcOpcode::RefTest as u8;
    pub const REF_CAST: u8 = GcOpcode::RefCast as u8;
    pub const BR_ON_CAST: u8 = GcOpcode::BrOnCast as u8;
    pub const BR_ON_CAST_FAIL: u8 = GcOpcode::BrOnCastFail as u8;
    pub const ANY_CONVERT_EXTERN: u8 = GcOpcode::AnyConvertExtern as u8;
    pub const EXTERN_CONVERT_ANY: u8 = GcOpcode::ExternConvertAny as u8;
    pub const REF_I31: u8 = GcOpcode::RefI31 as u8;
    pub const I31_GET_S: u8 = GcOpcode::I31GetS as u8;
}
