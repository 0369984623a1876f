//! The locals of a frame, as a core dump has them: each by its type, or as one that is
//! missing, which the form has for values that were optimized out. Vectors and references are
//! missing, because it has no form for them.

use super::{number, signed};
use crate::error::FrameInfo;
use wasmparser::{BinaryReader, FunctionBody, ValType, WasmFeatures};
use zwasm_regir::Type;
use zwasm_regir::inst::HEADER_SLOTS;

const MISSING: u8 = 0x01;

/// Appends the locals of a frame, parameters first.
#[inline(never)]
pub(super) fn write(frame: &FrameInfo, bytes: &mut Vec<u8>) {
    let inner = frame.module.inner();
    let signature = &inner.signatures[inner.funcs[frame.func_index as usize] as usize];
    let (params, results) = signature.0.split_at(signature.1);
    let own = frame
        .func_index
        .checked_sub(inner.imported_funcs)
        .and_then(|defined| inner.bodies.get(defined as usize))
        .and_then(|body| declared(&inner.bytes[body.start as usize..body.end as usize]))
        .unwrap_or_default();
    let slots_of = |types: &[Type]| types.iter().map(|ty| ty.slots() as usize).sum::<usize>();
    let header = slots_of(params).max(slots_of(results));
    let count = own.iter().map(|(count, _)| *count as usize).sum::<usize>() + params.len();
    number(bytes, count as u64);
    let own = own.iter().flat_map(|(count, ty)| std::iter::repeat_n(*ty, *count as usize));
    let mut slot = 0;
    for (at, ty) in params.iter().copied().chain(own).enumerate() {
        if at == params.len() {
            slot = header + HEADER_SLOTS as usize;
        }
        let value = frame.slots.as_ref().and_then(|slots| slots.get(slot)).copied();
        slot += ty.slots() as usize;
        match (ty, value) {
            (Type::I32, Some(value)) => {
                bytes.push(0x7f);
                signed(bytes, (value as i32).into());
            }
            (Type::I64, Some(value)) => {
                bytes.push(0x7e);
                signed(bytes, value as i64);
            }
            (Type::F32, Some(value)) => {
                bytes.push(0x7d);
                bytes.extend((value as u32).to_le_bytes());
            }
            (Type::F64, Some(value)) => {
                bytes.push(0x7c);
                bytes.extend(value.to_le_bytes());
            }
            (Type::V128 | Type::Ref, Some(_)) | (_, None) => bytes.push(MISSING),
        }
    }
}

/// The locals that a valid body declares, each type with its number.
fn declared(body: &[u8]) -> Option<Vec<(u32, Type)>> {
    let body = BinaryReader::new_features(body, 0, WasmFeatures::all());
    let locals = FunctionBody::new(body).get_locals_reader().ok()?;
    let typed = |(count, ty)| {
        let ty = match ty {
            ValType::I32 => Type::I32,
            ValType::I64 => Type::I64,
            ValType::F32 => Type::F32,
            ValType::F64 => Type::F64,
            ValType::V128 => Type::V128,
            ValType::Ref(_) => Type::Ref,
        };
        (count, ty)
    };
    locals.into_iter().map(|local| local.ok().map(typed)).collect()
}
