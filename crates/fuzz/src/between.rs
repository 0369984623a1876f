//! Code put in between the instructions of bodies, which are copied byte by byte.

use crate::plan::validate;
use std::convert::Infallible;
use wasm_encoder::reencode::{self, Reencode, RoundtripReencoder, utils};
use wasm_encoder::{CodeSection, Encode, Function, FunctionSection, Module, ValType};
use wasmparser::types::TypesRef;
use wasmparser::{FunctionBody, Operator, Parser};

/// The module with each instruction written by `each`, as by [`rewritten`]; none if it is
/// not valid.
pub fn rewritten_module(
    bytes: &[u8],
    each: impl FnMut(&Operator<'_>, &[u8], &mut Scratch, &mut Vec<u8>),
) -> Option<Vec<u8>> {
    let types = validate(bytes)?;
    let mut module = Module::new();
    Bodies { types: types.as_ref(), function: 0, each }
        .parse_core_module(&mut module, Parser::new(0), bytes)
        .ok()?;
    Some(module.finish())
}

struct Bodies<'a, F> {
    types: TypesRef<'a>,
    /// The function whose body comes next.
    function: u32,
    each: F,
}

impl<F: FnMut(&Operator<'_>, &[u8], &mut Scratch, &mut Vec<u8>)> Reencode for Bodies<'_, F> {
    type Error = Infallible;

    fn parse_function_section(
        &mut self,
        functions: &mut FunctionSection,
        section: wasmparser::FunctionSectionReader<'_>,
    ) -> Result<(), reencode::Error> {
        // The bodies come in this order, after the imported functions.
        self.function = self.types.function_count() - section.count();
        utils::parse_function_section(self, functions, section)
    }

    fn parse_function_body(
        &mut self,
        code: &mut CodeSection,
        body: FunctionBody<'_>,
    ) -> Result<(), reencode::Error> {
        let ty = &self.types[self.types.core_function_at(self.function)];
        self.function += 1;
        let params = ty.unwrap_func().params().len() as u32;
        code.function(&rewritten(params, &body, Vec::new(), &mut self.each)?);
        Ok(())
    }
}

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
        let [local] = self.locals(ty);
        local
    }

    /// Several of a type, the same ones each time.
    pub fn locals<const N: usize>(&mut self, ty: ValType) -> [u32; N] {
        let have = self.types.iter().filter(|each| **each == ty).count();
        self.types.extend((have..N).map(|_| ty));
        let mut all = (self.first..).zip(&self.types).filter(|(_, each)| **each == ty);
        std::array::from_fn(|_| all.next().map_or(self.first, |(local, _)| local))
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

/// The type of a block without operands and results.
pub const EMPTY: u8 = 0x40;
