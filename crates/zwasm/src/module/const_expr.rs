//! Constant expressions: initial values of globals, tables and segments.
//!
//! They are decoded once, when the module is compiled, and evaluated at each
//! instantiation by a stack machine of a dozen ops.

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
    /// Decodes an expression that the validator accepted.
    pub(crate) fn decode(bytes: &[u8]) -> Result<ConstExpr, ConstError> {
        let mut reader = Reader::new(bytes);
        let mut ops = Vec::new();
        loop {
            ops.push(match reader.byte()? {
                0x0B => break,
                0x23 => ConstOp::GlobalGet(reader.u32()?),
                0x41 => ConstOp::Const(u64::from(reader.i64()? as u32)),
                0x42 => ConstOp::Const(reader.i64()? as u64),
                0x43 => ConstOp::Const(u64::from(u32::from_le_bytes(reader.array()?))),
                0x44 => ConstOp::Const(u64::from_le_bytes(reader.array()?)),
                0x6A => ConstOp::I32Add,
                0x6B => ConstOp::I32Sub,
                0x6C => ConstOp::I32Mul,
                0x7C => ConstOp::I64Add,
                0x7D => ConstOp::I64Sub,
                0x7E => ConstOp::I64Mul,
                0xD0 => {
                    reader.i64()?;
                    ConstOp::Const(0)
                }
                0xD2 => ConstOp::RefFunc(reader.u32()?),
                0xFB => return Err(ConstError::Unsupported("garbage collection")),
                0xFD => {
                    // `v128.const` is the only vector op that is constant.
                    reader.u32()?;
                    ConstOp::V128(u128::from_le_bytes(reader.array()?))
                }
                _ => return Err(ConstError::Malformed),
            });
        }
        Ok(ConstExpr(ops.into()))
    }

    /// Evaluates the expression. A slot value is in the low half of the result.
    pub(crate) fn eval(&self, global: impl Fn(u32) -> u128, func: impl Fn(u32) -> u64) -> u128 {
        let mut stack: Vec<u128> = Vec::new();
        for op in &self.0 {
            let value = match *op {
                ConstOp::Const(value) => u128::from(value),
                ConstOp::V128(value) => value,
                ConstOp::GlobalGet(index) => global(index),
                ConstOp::RefFunc(index) => u128::from(func(index)),
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
        stack.pop().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn eval(bytes: &[u8]) -> u128 {
        let expr = ConstExpr::decode(bytes).ok().expect("decodes");
        expr.eval(|index| u128::from(index) + 100, |index| u64::from(index) + 1000)
    }

    #[test]
    fn extended_constants_compute() {
        // 3 * (global 1 - 2)
        assert_eq!(eval(&[0x41, 3, 0x23, 1, 0x41, 2, 0x6B, 0x6C, 0x0B]), 297);
        assert_eq!(eval(&[0x41, 0x7F, 0x0B]), 0xFFFF_FFFF);
        assert_eq!(eval(&[0xD2, 7, 0x0B]), 1007);
        assert_eq!(eval(&[0xD0, 0x70, 0x0B]), 0);
    }

    #[test]
    fn broken_expressions_are_errors() {
        assert!(ConstExpr::decode(&[0x41]).is_err());
        assert!(ConstExpr::decode(&[0xFF, 0x0B]).is_err());
    }
}
