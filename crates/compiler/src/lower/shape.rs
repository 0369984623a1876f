//! Which arguments and results of calls are in registers.
//!
//! Integers and references go to the first registers of a list, floats and vectors to
//! those of another, in the order of the signature. What finds none left goes to the
//! *overflow*: the words from the value stack's top on, each value at the slot it would
//! have in a frame of the callee. Stubs between native frames and frames of slots depend
//! on nothing but this.

use crate::asm::Reg;
use zwasm_regir::{Signature, Type};

/// How many integers are passed in registers.
pub const INT_ARGS: usize = 6;
/// How many floats and vectors are passed in registers.
pub const FLOAT_ARGS: usize = 8;
/// How many integers are returned in registers.
pub const INT_RESULTS: usize = 4;
/// How many floats and vectors are returned in registers.
pub const FLOAT_RESULTS: usize = 4;

/// Where a value is passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Passed {
    /// In a register.
    Reg(Reg),
    /// In the overflow, at this slot.
    Slot(u32),
}

/// The registers of a processor for arguments and results.
pub(crate) struct Registers {
    pub(crate) ints: [Reg; INT_ARGS],
    pub(crate) floats: [Reg; FLOAT_ARGS],
}

/// Where the parameters of a signature are passed.
pub(crate) fn params(signature: Signature<'_>, registers: &Registers) -> Vec<Passed> {
    place(signature.params, &registers.ints, &registers.floats)
}

/// Where the results of a signature are passed.
pub(crate) fn results(signature: Signature<'_>, registers: &Registers) -> Vec<Passed> {
    place(signature.results, &registers.ints[..INT_RESULTS], &registers.floats[..FLOAT_RESULTS])
}

fn place(types: &[Type], ints: &[Reg], floats: &[Reg]) -> Vec<Passed> {
    let (mut ints, mut floats) = (ints.iter(), floats.iter());
    let mut slot = 0;
    let place = |&ty: &Type| {
        let at = slot;
        slot += ty.slots();
        let reg = match ty {
            Type::I32 | Type::I64 | Type::Ref => ints.next(),
            Type::F32 | Type::F64 | Type::V128 => floats.next(),
        };
        reg.map_or(Passed::Slot(at), |reg| Passed::Reg(*reg))
    };
    types.iter().map(place).collect()
}
