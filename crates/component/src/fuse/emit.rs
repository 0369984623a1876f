//! A writer of small core modules: imports, one function, its export.
//!
//! Specification: WebAssembly Core, "Binary Format".

use crate::types::Flat;

/// A type of a local, as the binary format writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Ty {
    I32 = 0x7f,
    I64 = 0x7e,
    F32 = 0x7d,
    F64 = 0x7c,
}

impl From<Flat> for Ty {
    fn from(flat: Flat) -> Ty {
        match flat {
            Flat::I32 => Ty::I32,
            Flat::I64 => Ty::I64,
            Flat::F32 => Ty::F32,
            Flat::F64 => Ty::F64,
        }
    }
}

/// Instructions without immediates.
#[derive(Clone, Copy)]
#[repr(u8)]
pub(super) enum Op {
    Unreachable = 0x00,
    Loop = 0x03,
    End = 0x0b,
    Return = 0x0f,
    I32Eqz = 0x45,
    I32Eq = 0x46,
    I32Ne = 0x47,
    I32LtS = 0x48,
    I32LtU = 0x49,
    I32GeU = 0x4f,
    I64Eqz = 0x50,
    I64GtU = 0x56,
    I32Add = 0x6a,
    I32Sub = 0x6b,
    I32And = 0x71,
    I32Or = 0x72,
    I64Add = 0x7c,
    I64Mul = 0x7e,
    I64And = 0x83,
    I64Or = 0x84,
    I64Shl = 0x86,
    I32WrapI64 = 0xa7,
    I64ExtendI32U = 0xad,
    I32ReinterpretF32 = 0xbc,
    I64ReinterpretF64 = 0xbd,
    F32ReinterpretI32 = 0xbe,
    F64ReinterpretI64 = 0xbf,
    I32Extend8S = 0xc0,
    I32Extend16S = 0xc1,
}

/// Accesses to memory.
#[derive(Clone, Copy)]
#[repr(u8)]
pub(super) enum Access {
    I32Load = 0x28,
    I64Load = 0x29,
    F32Load = 0x2a,
    F64Load = 0x2b,
    I32Load8S = 0x2c,
    I32Load8U = 0x2d,
    I32Load16S = 0x2e,
    I32Load16U = 0x2f,
    I32Store = 0x36,
    I64Store = 0x37,
    F32Store = 0x38,
    F64Store = 0x39,
    I32Store8 = 0x3a,
    I32Store16 = 0x3b,
}

pub(super) fn unsigned(bytes: &mut Vec<u8>, mut number: u64) {
    loop {
        let low = number as u8 & 0x7f;
        number >>= 7;
        if number == 0 {
            return bytes.push(low);
        }
        bytes.push(low | 0x80);
    }
}

fn signed(bytes: &mut Vec<u8>, mut number: i64) {
    loop {
        let low = number as u8 & 0x7f;
        number >>= 7;
        // The rest must be copies of the last bit.
        if number == -i64::from(low >> 6) {
            return bytes.push(low);
        }
        bytes.push(low | 0x80);
    }
}

/// The code of a function.
pub(super) struct Body {
    code: Vec<u8>,
    /// The types of all locals, parameters first.
    locals: Vec<Ty>,
    params: usize,
}

impl Body {
    pub(super) fn new(params: Vec<Ty>) -> Body {
        Body { code: Vec::new(), params: params.len(), locals: params }
    }

    /// Bytes so far.
    pub(super) fn len(&self) -> usize {
        self.code.len()
    }

    /// A new local. It is zero.
    pub(super) fn local(&mut self, ty: Ty) -> u32 {
        self.locals.push(ty);
        self.locals.len() as u32 - 1
    }

    pub(super) fn ty(&self, local: u32) -> Ty {
        self.locals[local as usize]
    }

    fn with(&mut self, opcode: u8, number: u32) {
        self.code.push(opcode);
        unsigned(&mut self.code, number.into());
    }

    pub(super) fn op(&mut self, op: Op) {
        self.code.push(op as u8);
        if let Op::Loop = op {
            self.code.push(0x40);
        }
    }

    pub(super) fn ops(&mut self, ops: &[Op]) {
        ops.iter().for_each(|op| self.op(*op));
    }

    pub(super) fn get(&mut self, local: u32) {
        self.with(0x20, local);
    }

    pub(super) fn set(&mut self, local: u32) {
        self.with(0x21, local);
    }

    pub(super) fn tee(&mut self, local: u32) {
        self.with(0x22, local);
    }

    pub(super) fn get_global(&mut self, global: u32) {
        self.with(0x23, global);
    }

    pub(super) fn set_global(&mut self, global: u32) {
        self.with(0x24, global);
    }

    pub(super) fn call(&mut self, func: u32) {
        self.with(0x10, func);
    }

    pub(super) fn block(&mut self) {
        self.code.extend([0x02, 0x40]);
    }

    pub(super) fn begin_if(&mut self) {
        self.code.extend([0x04, 0x40]);
    }

    pub(super) fn begin_else(&mut self) {
        self.code.push(0x05);
    }

    pub(super) fn branch(&mut self, depth: u32) {
        self.with(0x0c, depth);
    }

    pub(super) fn branch_if(&mut self, depth: u32) {
        self.with(0x0d, depth);
    }

    pub(super) fn i32(&mut self, number: u32) {
        self.code.push(0x41);
        signed(&mut self.code, i64::from(number as i32));
    }

    pub(super) fn i64(&mut self, number: u64) {
        self.code.push(0x42);
        signed(&mut self.code, number as i64);
    }

    pub(super) fn memory_size(&mut self, memory: u32) {
        self.with(0x3f, memory);
    }

    pub(super) fn memory_copy(&mut self, to: u32, from: u32) {
        self.code.push(0xfc);
        self.with(10, to);
        unsigned(&mut self.code, from.into());
    }

    /// Goes on with `otherwise`, which does not end, if the code so far throws. It leaves
    /// the results of the function, of which there is at most one.
    pub(super) fn guard(&mut self, results: &[Ty], otherwise: impl FnOnce(&mut Body)) {
        let code = std::mem::take(&mut self.code);
        self.block();
        // A try with one clause: whatever is thrown ends the block around it.
        let ty = results.first().map_or(0x40, |&ty| ty as u8);
        self.code.extend([0x1f, ty, 1, 2, 0]);
        self.code.extend(code);
        self.op(Op::End);
        self.op(Op::Return);
        self.op(Op::End);
        otherwise(self);
        self.op(Op::Unreachable);
    }

    /// Reads or writes what needs no alignment.
    pub(super) fn access(&mut self, access: Access, memory: u32, offset: u32) {
        self.code.push(access as u8);
        if memory == 0 {
            self.code.push(0);
        } else {
            self.code.push(0x40);
            unsigned(&mut self.code, memory.into());
        }
        unsigned(&mut self.code, offset.into());
    }
}

/// What a module imports.
#[derive(Clone, Debug)]
pub(super) enum Import {
    Func(Vec<Ty>, Vec<Ty>),
    /// A variable of 32 bits.
    Global,
    Memory,
}

fn section(module: &mut Vec<u8>, id: u8, content: &[u8]) {
    module.push(id);
    unsigned(module, content.len() as u64);
    module.extend(content);
}

fn func_type(params: &[Ty], results: &[Ty]) -> Vec<u8> {
    let mut bytes = vec![0x60];
    for types in [params, results] {
        unsigned(&mut bytes, types.len() as u64);
        bytes.extend(types.iter().map(|&ty| ty as u8));
    }
    bytes
}

/// A module of imports and a function that it exports under the empty name.
pub(super) fn module(imports: &[Import], body: &Body, results: &[Ty]) -> Vec<u8> {
    let mut module = b"\0asm\x01\0\0\0".to_vec();
    let mut types = Vec::new();
    let mut count = 0_u64;
    let mut imported = Vec::new();
    unsigned(&mut imported, imports.len() as u64);
    for import in imports {
        // No names.
        imported.extend([0, 0]);
        match import {
            Import::Func(params, results) => {
                types.extend(func_type(params, results));
                imported.push(0);
                unsigned(&mut imported, count);
                count += 1;
            }
            Import::Global => imported.extend([3, Ty::I32 as u8, 1]),
            Import::Memory => imported.extend([2, 0, 0]),
        }
    }
    types.extend(func_type(&body.locals[..body.params], results));
    let mut all = Vec::new();
    unsigned(&mut all, count + 1);
    all.extend(types);
    section(&mut module, 1, &all);
    section(&mut module, 2, &imported);

    let mut funcs = vec![1];
    unsigned(&mut funcs, count);
    section(&mut module, 3, &funcs);
    let mut exports = vec![1, 0, 0];
    unsigned(&mut exports, count);
    section(&mut module, 7, &exports);

    let mut code = Vec::new();
    let locals = &body.locals[body.params..];
    unsigned(&mut code, locals.len() as u64);
    code.extend(locals.iter().flat_map(|&ty| [1, ty as u8]));
    code.extend(&body.code);
    code.push(Op::End as u8);
    let mut bodies = vec![1];
    unsigned(&mut bodies, code.len() as u64);
    bodies.extend(code);
    section(&mut module, 10, &bodies);
    section(&mut module, 0, MODULE_NAME);
    module
}

/// What backtraces call the module: a section of names with that of the module.
const MODULE_NAME: &[u8] = b"\x04name\x00\x08\x07adapter";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_leb128() {
        let write = |number| {
            let mut bytes = Vec::new();
            signed(&mut bytes, number);
            bytes
        };
        assert_eq!(write(0), [0]);
        assert_eq!(write(63), [63]);
        assert_eq!(write(64), [0xc0, 0]);
        assert_eq!(write(-64), [0x40]);
        assert_eq!(write(-65), [0xbf, 0x7f]);
        assert_eq!(write(i64::MIN).len(), 10);
        let mut bytes = Vec::new();
        unsigned(&mut bytes, 624_485);
        assert_eq!(bytes, [0xe5, 0x8e, 0x26]);
    }
}
