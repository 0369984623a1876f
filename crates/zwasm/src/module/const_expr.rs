//! Constant expressions: initial values of globals, tables and segments.
//!
//! They are decoded once, when the module is compiled, and evaluated at each
//! instantiation by a stack machine of a dozen ops. Those of element segments, of
//! which there may be millions, are not kept but decoded again.

use super::NO_FUNC;
use crate::error::Result;
use zwasm_regir::BinaryOp;
use zwasm_regir::object::i31;
use zwasm_regir::opcodes::{GcOperator, Operator, VectorOperator};
use zwasm_regir::reader::{Malformed, Reader};

/// An op of a constant expression.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum ConstOp {
    /// Any number or null, as its slot holds it.
    Const(u64),
    V128(u128),
    GlobalGet(u32),
    RefFunc(u32),
    I32Add,
    I32Sub,
    I32Mul,
    I64Add,
    I64Sub,
    I64Mul,
    StructNew(u32),
    StructNewDefault(u32),
    ArrayNew(u32),
    ArrayNewDefault(u32),
    /// Type and number of elements.
    ArrayNewFixed(u32, u32),
    I31New,
}

/// What constant expressions are evaluated in.
pub(crate) trait Context {
    /// The value of a global.
    fn global(&self, index: u32) -> u128;
    /// A reference to a function.
    fn func(&self, index: u32) -> u64;
    /// The number of fields of a structure type.
    fn fields(&self, ty: u32) -> usize;
    /// A new structure with these fields, or zeros if there are none.
    fn structure(&self, ty: u32, fields: &[u128]) -> Result<u64>;
    /// A new array with these elements, repeated to `len`; or zeros.
    fn array(&self, ty: u32, elements: &[u128], len: u32) -> Result<u64>;
}

/// A decoded constant expression.
#[derive(Clone, Debug)]
pub(crate) struct ConstExpr(Box<[ConstOp]>);

/// Why an expression could not be decoded.
pub(crate) enum ConstError {
    Malformed,
    Unsupported(&'static str),
}

impl From<Malformed> for ConstError {
    fn from(_: Malformed) -> Self {
        ConstError::Malformed
    }
}

impl ConstExpr {
    /// The value, if it is the same in every instance.
    pub(crate) fn constant(&self) -> Option<u64> {
        match self.0[..] {
            [ConstOp::Const(value)] => Some(value),
            _ => None,
        }
    }

    /// Decodes the next expression, which the validator accepted.
    pub(crate) fn decode(reader: &mut Reader<'_>) -> std::result::Result<ConstExpr, ConstError> {
        let mut ops = Vec::new();
        loop {
            ops.push(match reader.operator()? {
                Operator::End => break,
                Operator::GlobalGet { global } => ConstOp::GlobalGet(global),
                Operator::I32Const { value } => ConstOp::Const(u64::from(value as u32)),
                Operator::I64Const { value } => ConstOp::Const(value as u64),
                Operator::F32Const { bytes } => {
                    ConstOp::Const(u64::from(u32::from_le_bytes(bytes)))
                }
                Operator::F64Const { bytes } => ConstOp::Const(u64::from_le_bytes(bytes)),
                Operator::Binary(BinaryOp::I32Add) => ConstOp::I32Add,
                Operator::Binary(BinaryOp::I32Sub) => ConstOp::I32Sub,
                Operator::Binary(BinaryOp::I32Mul) => ConstOp::I32Mul,
                Operator::Binary(BinaryOp::I64Add) => ConstOp::I64Add,
                Operator::Binary(BinaryOp::I64Sub) => ConstOp::I64Sub,
                Operator::Binary(BinaryOp::I64Mul) => ConstOp::I64Mul,
                Operator::RefNull { .. } => ConstOp::Const(0),
                Operator::RefFunc { func } => ConstOp::RefFunc(func),
                Operator::Gc(_) if !cfg!(feature = "gc") => {
                    return Err(ConstError::Unsupported("garbage collection"));
                }
                Operator::Gc(operator) => match operator {
                    GcOperator::StructNew { ty } => ConstOp::StructNew(ty),
                    GcOperator::StructNewDefault { ty } => ConstOp::StructNewDefault(ty),
                    GcOperator::ArrayNew { ty } => ConstOp::ArrayNew(ty),
                    GcOperator::ArrayNewDefault { ty } => ConstOp::ArrayNewDefault(ty),
                    GcOperator::ArrayNewFixed { ty, count } => ConstOp::ArrayNewFixed(ty, count),
                    // Internal and external references are the same.
                    GcOperator::AnyConvertExtern | GcOperator::ExternConvertAny => continue,
                    GcOperator::RefI31 => ConstOp::I31New,
                    _ => return Err(ConstError::Malformed),
                },
                Operator::Vector(VectorOperator::V128Const { bytes }) => {
                    ConstOp::V128(u128::from_le_bytes(bytes))
                }
                // The validator lets no other instruction be constant.
                _ => return Err(ConstError::Malformed),
            });
        }
        Ok(ConstExpr(ops.into()))
    }

    /// The function that a constant reference is to, with null being [`NO_FUNC`]; none if
    /// the reference is to something else or is computed.
    pub(crate) fn func(&self) -> Option<u32> {
        match *self.0 {
            [ConstOp::Const(0)] => Some(NO_FUNC),
            [ConstOp::RefFunc(func)] => Some(func),
            _ => None,
        }
    }

    /// Evaluates the expression. A slot value is in the low half of the result.
    ///
    /// # Errors
    ///
    /// Those of allocating objects.
    pub(crate) fn eval(&self, context: &dyn Context) -> Result<u128> {
        let mut stack: Vec<u128> = Vec::new();
        for op in &self.0 {
            let value = match *op {
                ConstOp::Const(value) => u128::from(value),
                ConstOp::V128(value) => value,
                ConstOp::GlobalGet(index) => context.global(index),
                ConstOp::RefFunc(index) => u128::from(context.func(index)),
                ConstOp::StructNew(ty) => {
                    let fields = take(&mut stack, context.fields(ty));
                    u128::from(context.structure(ty, &fields)?)
                }
                ConstOp::StructNewDefault(ty) => u128::from(context.structure(ty, &[])?),
                ConstOp::ArrayNew(ty) => {
                    let operands = take(&mut stack, 2);
                    let len = operands.last().map_or(0, |len| *len as u32);
                    u128::from(context.array(ty, &operands[..operands.len().min(1)], len)?)
                }
                ConstOp::ArrayNewDefault(ty) => {
                    let len = stack.pop().unwrap_or_default() as u32;
                    u128::from(context.array(ty, &[], len)?)
                }
                ConstOp::ArrayNewFixed(ty, count) => {
                    let elements = take(&mut stack, count as usize);
                    u128::from(context.array(ty, &elements, count)?)
                }
                ConstOp::I31New => {
                    let value = stack.pop().unwrap_or_default() as u32;
                    u128::from(i31(value))
                }
                binary => {
                    let b = stack.pop().unwrap_or_default() as u64;
                    let a = stack.pop().unwrap_or_default() as u64;
                    u128::from(match binary {
                        ConstOp::I32Add => u64::from((a as u32).wrapping_add(b as u32)),
                        ConstOp::I32Sub => u64::from((a as u32).wrapping_sub(b as u32)),
                        ConstOp::I32Mul => u64::from((a as u32).wrapping_mul(b as u32)),
                        ConstOp::I64Add => a.wrapping_add(b),
                        ConstOp::I64Sub => a.wrapping_sub(b),
                        _ => a.wrapping_mul(b),
                    })
                }
            };
            stack.push(value);
        }
        Ok(stack.pop().unwrap_or_default())
    }
}

/// Pops the topmost `count` values.
fn take(stack: &mut Vec<u128>, count: usize) -> Vec<u128> {
    stack.split_off(stack.len().saturating_sub(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Numbers;

    impl Context for Numbers {
        fn global(&self, index: u32) -> u128 {
            u128::from(index) + 100
        }
        fn func(&self, index: u32) -> u64 {
            u64::from(index) + 1000
        }
        fn fields(&self, _: u32) -> usize {
            2
        }
        fn structure(&self, ty: u32, fields: &[u128]) -> Result<u64> {
            Ok(u64::from(ty) + fields.iter().sum::<u128>() as u64)
        }
        fn array(&self, ty: u32, elements: &[u128], len: u32) -> Result<u64> {
            Ok(u64::from(ty) * 100 + elements.len() as u64 * 10 + u64::from(len))
        }
    }

    fn eval(bytes: &[u8]) -> u128 {
        let expr = ConstExpr::decode(&mut Reader::new(bytes)).ok().expect("decodes");
        expr.eval(&Numbers).expect("allocates")
    }

    #[test]
    fn extended_constants_compute() {
        // 3 * (global 1 - 2)
        assert_eq!(eval(&[0x41, 3, 0x23, 1, 0x41, 2, 0x6B, 0x6C, 0x0B]), 297);
        assert_eq!(eval(&[0x41, 0x7F, 0x0B]), 0xFFFF_FFFF);
        assert_eq!(eval(&[0xD2, 7, 0x0B]), 1007);
        assert_eq!(eval(&[0xD0, 0x70, 0x0B]), 0);
    }

    #[cfg(feature = "gc")]
    #[test]
    fn objects_take_their_operands() {
        // struct.new 5 (i32.const 1) (ref.i31 (i32.const 2))
        assert_eq!(eval(&[0x41, 1, 0x41, 2, 0xFB, 28, 0xFB, 0, 5, 0x0B]), 11);
        // array.new 1 (i32.const 9) (i32.const 3)
        assert_eq!(eval(&[0x41, 9, 0x41, 3, 0xFB, 6, 1, 0x0B]), 113);
    }

    #[test]
    fn broken_expressions_are_errors() {
        assert!(ConstExpr::decode(&mut Reader::new(&[0x41])).is_err());
        assert!(ConstExpr::decode(&mut Reader::new(&[0xFF, 0x0B])).is_err());
    }
}
