//! The instructions behind the prefix `0xFD`.

use super::immediates::{Immediate, MemArg};
use super::operators;
use crate::reader::{Malformed, Reader};
#[cfg(feature = "simd")]
use crate::simd_ops::{
    BinaryOp, ExtractOp, LoadOp, ShiftOp, SplatOp, TernaryOp, TestOp, UnaryOp, strict,
};

operators! {
    /// An instruction on vectors with its immediates. Relaxed ops that are a strict one are
    /// that one.
    enum VectorOperator,
    /// The opcodes that no table has.
    enum VectorOpcode:
    0x0B V128Store { memory: MemArg };
    0x0C V128Const { bytes: [u8; 16] };
    0x0D I8x16Shuffle { lanes: [u8; 16] };
    0x17 I8x16ReplaceLane { lane: u8 };
    0x1A I16x8ReplaceLane { lane: u8 };
    0x1C I32x4ReplaceLane { lane: u8 };
    0x1E I64x2ReplaceLane { lane: u8 };
    0x20 F32x4ReplaceLane { lane: u8 };
    0x22 F64x2ReplaceLane { lane: u8 };
    0x54 V128Load8Lane { memory: MemArg, lane: u8 };
    0x55 V128Load16Lane { memory: MemArg, lane: u8 };
    0x56 V128Load32Lane { memory: MemArg, lane: u8 };
    0x57 V128Load64Lane { memory: MemArg, lane: u8 };
    0x58 V128Store8Lane { memory: MemArg, lane: u8 };
    0x59 V128Store16Lane { memory: MemArg, lane: u8 };
    0x5A V128Store32Lane { memory: MemArg, lane: u8 };
    0x5B V128Store64Lane { memory: MemArg, lane: u8 };
    and {
        /// Of the tables of vector ops.
        #[cfg(feature = "simd")]
        Unary(UnaryOp);
        /// The same, with two operands.
        #[cfg(feature = "simd")]
        Binary(BinaryOp);
        /// The same, with three operands.
        #[cfg(feature = "simd")]
        Ternary(TernaryOp);
        /// A shift.
        #[cfg(feature = "simd")]
        Shift(ShiftOp);
        /// To an integer.
        #[cfg(feature = "simd")]
        Test(TestOp);
        /// From a scalar.
        #[cfg(feature = "simd")]
        Splat(SplatOp);
        /// Takes a lane out.
        #[cfg(feature = "simd")]
        Extract(ExtractOp, u8);
        /// A load.
        #[cfg(feature = "simd")]
        Load(LoadOp, MemArg);
        /// Anything but a constant in a build without vectors; its immediates are not
        /// read.
        #[cfg(not(feature = "simd"))]
        Unknown;
    }
}

impl Reader<'_> {
    /// What follows the prefix.
    #[inline(never)]
    pub(super) fn vector_operator(&mut self) -> Result<VectorOperator, Malformed> {
        let code = u16::try_from(self.u32()?).map_err(|_| Malformed)?;
        match self.tabled_vector_operator(code)? {
            Some(operator) => Ok(operator),
            None => VectorOperator::of_row(code, self, |_| Err(Malformed)),
        }
    }

    #[cfg(feature = "simd")]
    fn tabled_vector_operator(&mut self, code: u16) -> Result<Option<VectorOperator>, Malformed> {
        let code = strict(code);
        Ok(Some(if let Some(op) = BinaryOp::from_opcode(code) {
            VectorOperator::Binary(op)
        } else if let Some(op) = LoadOp::from_opcode(code) {
            VectorOperator::Load(op, Immediate::read(self)?)
        } else if let Some(op) = ShiftOp::from_opcode(code) {
            VectorOperator::Shift(op)
        } else if let Some(op) = TestOp::from_opcode(code) {
            VectorOperator::Test(op)
        } else if let Some(op) = SplatOp::from_opcode(code) {
            VectorOperator::Splat(op)
        } else if let Some(op) = ExtractOp::from_opcode(code) {
            VectorOperator::Extract(op, Immediate::read(self)?)
        } else if let Some(op) = TernaryOp::from_opcode(code) {
            VectorOperator::Ternary(op)
        } else if code < FIRST_OWN
            && let Some(op) = UnaryOp::from_opcode(code)
        {
            VectorOperator::Unary(op)
        } else {
            return Ok(None);
        }))
    }

    #[cfg(not(feature = "simd"))]
    fn tabled_vector_operator(&mut self, code: u16) -> Result<Option<VectorOperator>, Malformed> {
        // A constant is all that may stand in a constant expression.
        let constant = code == VectorOpcode::V128Const as u16;
        Ok((!constant).then_some(VectorOperator::Unknown))
    }
}

/// From here on opcodes are of ops that the translation makes.
#[cfg(feature = "simd")]
const FIRST_OWN: u16 = 0x200;

#[cfg(all(test, feature = "simd"))]
mod tests {
    use super::*;
    use crate::opcodes::Operator;

    /// Where an instruction with zeros behind its opcode ends.
    fn length(code: u8) -> Option<usize> {
        let mut bytes = [0; 40];
        bytes[..3].copy_from_slice(&[0xFD, code | 0x80, 0]);
        if code < 0x80 {
            bytes[1] = code;
        } else {
            bytes[2] = 1;
        }
        let mut reader = Reader::new(&bytes);
        let Operator::Vector(_) = reader.operator().ok()? else { return None };
        Some(reader.position() - if code < 0x80 { 2 } else { 3 })
    }

    #[test]
    fn immediates_have_their_lengths() {
        for code in 0..=u8::MAX {
            let expected = match code {
                0x00..=0x0B | 0x5C | 0x5D => 2,
                0x0C | 0x0D => 16,
                0x15..=0x22 => 1,
                0x54..=0x5B => 3,
                _ => 0,
            };
            assert_eq!(length(code).unwrap_or(expected), expected, "{code:#x}");
        }
        let unknown = (0..=u8::MAX).filter(|code| length(*code).is_none()).count();
        assert_eq!(unknown, 20);
        // No module can have what the translation makes.
        assert!(Reader::new(&[0xFD, 0x80, 0x04]).operator().is_err());
    }
}
