//! Writes into code what its relocations say.
//!
//! Handlers have no numbers of their own: the compiler names one by its distance from
//! another, which is the same in every run of this program.

use crate::interp;
use crate::module::Inner;
use crate::types::Composite;
use zwasm_compiler::code::{Field, Relocation, TypeForm, Value};
use zwasm_regir::object::{Kind, word};

/// The number of the handler at an address.
pub(super) fn handler(address: u64) -> i64 {
    address.wrapping_sub(interp::raise()) as i64
}

/// The address of the handler with a number.
fn address(handler: i64) -> u64 {
    interp::raise().wrapping_add_signed(handler)
}

/// What stands for a type in this process.
fn type_word(module: &Inner, ty: u32, form: TypeForm) -> u32 {
    let id = module.types[ty as usize];
    match form {
        TypeForm::Number => id,
        TypeForm::Header => match module.engine.types().read().get(id).composite {
            Composite::Func(_) | Composite::Struct(_) => word(id, Kind::Struct),
            Composite::Array(_) => word(id, Kind::Array),
        },
    }
}

/// Writes what is known before the place of the code is into `bytes`, which stand at
/// `start` of what will be mapped. What has to wait is appended to `own`: the offsets of
/// words that hold an offset there and must become addresses.
///
/// None if a field lies outside, or names a type of no module.
pub(super) fn link(
    module: Option<&Inner>,
    relocations: &[Relocation],
    bytes: &mut [u8],
    start: usize,
    own: &mut Vec<u32>,
) -> Option<()> {
    for &Relocation { at, field, value } in relocations {
        let value = match value {
            Value::Own(offset) => {
                own.push(u32::try_from(start + at as usize).ok()?);
                start as u64 + u64::from(offset)
            }
            Value::Handler(id) => address(id),
            #[cfg(optimizer)]
            Value::Runtime(routine) => super::routines::address(routine) as u64,
            // A build with the optimizing compiler for a processor that it is not for.
            #[cfg(all(feature = "optimize", not(optimizer)))]
            Value::Runtime(_) => return None,
            Value::Type(ty, form) => u64::from(type_word(module?, ty, form)),
        };
        let place = bytes.get_mut(at as usize..)?;
        match field {
            Field::Word64 => *place.first_chunk_mut()? = value.to_ne_bytes(),
            Field::Word32 => *place.first_chunk_mut()? = (value as u32).to_ne_bytes(),
            Field::Moves => {
                let (moves, _) = place.first_chunk_mut::<8>()?.as_chunks_mut::<4>();
                for (inst, half) in moves.iter_mut().zip([value, value >> 16]) {
                    let immediate = (half as u32 & 0xFFFF) << 5;
                    let encoded = u32::from_le_bytes(*inst) & !(0xFFFF << 5) | immediate;
                    *inst = encoded.to_le_bytes();
                }
            }
        }
    }
    Some(())
}
