//! Code put in between the instructions of a body, which are copied byte by byte.

use std::convert::Infallible;
use wasm_encoder::reencode::{self, Reencode, RoundtripReencoder};
use wasm_encoder::{Encode, Function, ValType};
use wasmparser::{FunctionBody, Operator};

/// The body of a function with `params` parameters, each of its instructions written
/// by `each`, which gets it as it is and as bytes.
pub fn rewritten(
    params: u32,
    body: &FunctionBody<'_>,
    start: Vec<u8>,
    mut each: impl FnMut(&Operator<'_>, &[u8], &mut Scratch, &mut Vec<u8>),
) -> Result<Function, reencode::Error<Infallible>> {
    let mut locals = Vec::new();
    let mut count = params;
    for group in body.get_locals_reader()? {
        let (many, ty) = group?;
        count += many;
        locals.push((many, RoundtripReencoder.val_type(ty)?));
    }
    let mut scratch = Scratch { first: count, types: Vec::new() };
    let mut out = start;
    out.reserve(2 * body.as_bytes().len());
    let (bytes, base) = (body.as_bytes(), body.range().start);
    let mut reader = body.get_operators_reader()?;
    while !reader.eof() {
        let start = reader.original_position();
        let operator = reader.read()?;
        let end = reader.original_position();
        each(
            &operator,
            &bytes[(start - base) as usize..(end - base) as usize],
            &mut scratch,
            &mut out,
        );
    }
    locals.extend(scratch.types.into_iter().map(|ty| (1, ty)));
    let mut function = Function::new(locals);
    function.raw(out);
    Ok(function)
}

/// Locals that the code put in between needs.
pub struct Scratch {
    first: u32,
    types: Vec<ValType>,
}

impl Scratch {
    pub fn local(&mut self, ty: ValType) -> u32 {
        let at = self.types.iter().position(|each| *each == ty).unwrap_or_else(|| {
            self.types.push(ty);
            self.types.len() - 1
        });
        self.first + at as u32
    }
}

/// Instructions that the code put in between is made of.
pub trait Emit {
    fn with(&mut self, opcode: u8, immediate: u32);
}

impl Emit for Vec<u8> {
    fn with(&mut self, opcode: u8, immediate: u32) {
        self.push(opcode);
        immediate.encode(self);
    }
}

pub const UNREACHABLE: u8 = 0x00;
pub const IF: u8 = 0x04;
pub const EMPTY: u8 = 0x40;
pub const END: u8 = 0x0b;
pub const DROP: u8 = 0x1a;
pub const SELECT: u8 = 0x1b;
pub const LOCAL_GET: u8 = 0x20;
pub const LOCAL_TEE: u8 = 0x22;
pub const GLOBAL_GET: u8 = 0x23;
pub const GLOBAL_SET: u8 = 0x24;
pub const I32_CONST: u8 = 0x41;
pub const I64_CONST: u8 = 0x42;
pub const F32_CONST: u8 = 0x43;
pub const F64_CONST: u8 = 0x44;
pub const I32_EQZ: u8 = 0x45;
pub const I32_LT_U: u8 = 0x49;
pub const I32_GT_U: u8 = 0x4b;
pub const F32_EQ: u8 = 0x5b;
pub const F64_EQ: u8 = 0x61;
pub const I32_SUB: u8 = 0x6b;
pub const I32_AND: u8 = 0x71;
pub const I32_SHR_U: u8 = 0x76;
pub const I32_WRAP: u8 = 0xa7;
