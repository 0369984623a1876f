//! Makes any valid module fit to be compared: it terminates, it computes the same
//! everywhere, and all that it has can be looked at.
//!
//! - *Fuel*: a global counts down at function entries and loop headers and by the
//!   length of bulk operations; at zero the guest traps. Programs that end anyway are
//!   only counted at entries, so that their loops stay as they are.
//! - *NaN*: the payload of a computed scalar NaN shows where it is stored,
//!   reinterpreted, put into a vector or gives its sign away; it is made canonical
//!   there, and every vector of floats where it is computed.
//! - *Sizes*: memories and tables get a small maximum; waits get no time.
//! - *Exports*: every function, global, memory and table, under its index.
//!
//! Bodies are copied byte by byte with code put in between, since no index changes.
//! On the way, operators can be exchanged for others of the same type, which is how
//! real modules become new ones.

use crate::mutate;
use crate::ops::VECTOR;
use std::fmt::{self, Display};
use wasm_encoder::reencode::{self, Reencode, utils};
use wasm_encoder::{
    CodeSection, ConstExpr, Encode, ExportKind, ExportSection, Function, GlobalSection, GlobalType,
    MemoryType, Module, SectionId, TableType, ValType,
};
use wasmparser::types::TypesRef;
use wasmparser::{FunctionBody, Operator, Parser};
use zwasm_wast::mutate::Rng;

/// The export that holds the fuel.
pub const FUEL: &str = "fuel";
/// The fuel of the start function, and of each call.
pub const FUEL_PER_CALL: i32 = 400;
/// Bytes that a memory may grow to.
pub const MEMORY: u64 = 1 << 20;
/// Elements that a table may grow to.
const TABLE: u64 = 1 << 12;

/// What is done beside the necessary.
#[derive(Default)]
pub struct Options<'r> {
    /// Loops end by themselves.
    pub loops_end: bool,
    /// Where chance is from that exchanges operators, if it shall.
    pub mutate: Option<&'r mut Rng>,
}

/// The module made fit; nothing if it cannot be, for its size.
pub fn tame(bytes: &[u8], types: TypesRef<'_>, options: Options<'_>) -> Option<Vec<u8>> {
    let mut taming = Taming {
        types,
        options,
        fuel: types.global_count(),
        function: types.function_count(),
        globals_done: false,
        exports_done: false,
    };
    // The bodies come in the order of the functions, after the imported ones.
    taming.function -= defined_functions(bytes)?;
    let mut module = Module::new();
    taming.parse_core_module(&mut module, Parser::new(0), bytes).ok()?;
    Some(module.finish())
}

fn defined_functions(bytes: &[u8]) -> Option<u32> {
    for payload in Parser::new(0).parse_all(bytes) {
        if let wasmparser::Payload::FunctionSection(section) = payload.ok()? {
            return Some(section.count());
        }
    }
    Some(0)
}

/// The module asks for too much.
#[derive(Debug)]
pub struct Unfit;

impl Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the module asks for too much")
    }
}

type Result<T> = std::result::Result<T, reencode::Error<Unfit>>;

struct Taming<'a> {
    types: TypesRef<'a>,
    options: Options<'a>,
    /// The global with the fuel.
    fuel: u32,
    /// The function whose body comes next.
    function: u32,
    globals_done: bool,
    exports_done: bool,
}

impl Reencode for Taming<'_> {
    type Error = Unfit;

    fn memory_type(&mut self, ty: wasmparser::MemoryType) -> Result<MemoryType> {
        let most = MEMORY >> ty.page_size_log2.unwrap_or(16);
        if ty.initial > most {
            return Err(reencode::Error::UserError(Unfit));
        }
        let maximum = Some(ty.maximum.unwrap_or(most).min(most));
        Ok(MemoryType { maximum, ..ty.into() })
    }

    fn table_type(&mut self, ty: wasmparser::TableType) -> Result<TableType> {
        if ty.initial > TABLE {
            return Err(reencode::Error::UserError(Unfit));
        }
        let maximum = Some(ty.maximum.unwrap_or(TABLE).min(TABLE));
        Ok(TableType { maximum, ..utils::table_type(self, ty)? })
    }

    fn intersperse_section_hook(
        &mut self,
        module: &mut Module,
        _after: Option<SectionId>,
        before: Option<SectionId>,
    ) -> Result<()> {
        let past_globals = !matches!(
            before,
            Some(
                SectionId::Custom
                    | SectionId::Type
                    | SectionId::Import
                    | SectionId::Function
                    | SectionId::Table
                    | SectionId::Memory
                    | SectionId::Tag
                    | SectionId::Global
            )
        );
        if past_globals && !self.globals_done {
            let mut globals = GlobalSection::new();
            self.add_fuel(&mut globals);
            module.section(&globals);
        }
        if past_globals && before != Some(SectionId::Export) && !self.exports_done {
            let mut exports = ExportSection::new();
            self.export_all(&mut exports);
            module.section(&exports);
        }
        Ok(())
    }

    fn parse_global_section(
        &mut self,
        globals: &mut GlobalSection,
        section: wasmparser::GlobalSectionReader<'_>,
    ) -> Result<()> {
        utils::parse_global_section(self, globals, section)?;
        self.add_fuel(globals);
        Ok(())
    }

    fn parse_export_section(
        &mut self,
        exports: &mut ExportSection,
        _section: wasmparser::ExportSectionReader<'_>,
    ) -> Result<()> {
        self.export_all(exports);
        Ok(())
    }

    /// Custom sections speak of what has changed.
    fn parse_custom_section(
        &mut self,
        _module: &mut Module,
        _section: wasmparser::CustomSectionReader<'_>,
    ) -> Result<()> {
        Ok(())
    }

    fn parse_function_body(
        &mut self,
        code: &mut CodeSection,
        body: FunctionBody<'_>,
    ) -> Result<()> {
        let ty = &self.types[self.types.core_function_at(self.function)];
        self.function += 1;
        let params = ty.unwrap_func().params().len() as u32;
        let mut locals = Vec::new();
        let mut count = params;
        for group in body.get_locals_reader()? {
            let (many, ty) = group?;
            count += many;
            locals.push((many, self.val_type(ty)?));
        }
        let mut scratch = Scratch { first: count, types: Vec::new() };
        let mut out = Vec::with_capacity(2 * body.as_bytes().len());
        self.charge_one(&mut out);
        let (bytes, base) = (body.as_bytes(), body.range().start);
        let mut reader = body.get_operators_reader()?;
        while !reader.eof() {
            let start = reader.original_position();
            let operator = reader.read()?;
            let original =
                &bytes[(start - base) as usize..(reader.original_position() - base) as usize];
            let exchanged = match &mut self.options.mutate {
                Some(rng) => {
                    (rng.below(10) == 0).then(|| mutate::operator(original, rng)).flatten()
                }
                None => None,
            };
            let bytes = exchanged.as_deref().unwrap_or(original);
            self.before(&operator, bytes, &mut scratch, &mut out);
            out.extend_from_slice(bytes);
            if matches!(operator, Operator::Loop { .. }) && !self.options.loops_end {
                self.charge_one(&mut out);
            }
            if let Some(lanes) = computed_lanes(bytes) {
                canonical_lanes(lanes, &mut scratch, &mut out);
            }
        }
        locals.extend(scratch.types.into_iter().map(|ty| (1, ty)));
        let mut function = Function::new(locals);
        function.raw(out);
        code.function(&function);
        Ok(())
    }
}

/// Locals that the code put in between needs.
struct Scratch {
    first: u32,
    types: Vec<ValType>,
}

impl Scratch {
    fn local(&mut self, ty: ValType) -> u32 {
        let at = self.types.iter().position(|each| *each == ty).unwrap_or_else(|| {
            self.types.push(ty);
            self.types.len() - 1
        });
        self.first + at as u32
    }
}

/// Instructions that the code put in between is made of.
trait Emit {
    fn with(&mut self, opcode: u8, immediate: u32);
}

impl Emit for Vec<u8> {
    fn with(&mut self, opcode: u8, immediate: u32) {
        self.push(opcode);
        immediate.encode(self);
    }
}

const UNREACHABLE: u8 = 0x00;
const IF: u8 = 0x04;
const EMPTY: u8 = 0x40;
const END: u8 = 0x0b;
const DROP: u8 = 0x1a;
const SELECT: u8 = 0x1b;
const LOCAL_GET: u8 = 0x20;
const LOCAL_TEE: u8 = 0x22;
const GLOBAL_GET: u8 = 0x23;
const GLOBAL_SET: u8 = 0x24;
const I32_CONST: u8 = 0x41;
const I64_CONST: u8 = 0x42;
const F32_CONST: u8 = 0x43;
const F64_CONST: u8 = 0x44;
const I32_EQZ: u8 = 0x45;
const I32_GT_U: u8 = 0x4b;
const F32_EQ: u8 = 0x5b;
const F64_EQ: u8 = 0x61;
const I32_SUB: u8 = 0x6b;
const I32_AND: u8 = 0x71;
const I32_SHR_U: u8 = 0x76;
const I32_WRAP: u8 = 0xa7;

impl Taming<'_> {
    fn add_fuel(&mut self, globals: &mut GlobalSection) {
        self.globals_done = true;
        let ty = GlobalType { val_type: ValType::I32, mutable: true, shared: false };
        globals.global(ty, &ConstExpr::i32_const(FUEL_PER_CALL));
    }

    fn export_all(&mut self, exports: &mut ExportSection) {
        self.exports_done = true;
        let mut all = |name, kind, count| {
            for index in 0..count {
                exports.export(&format!("{name}{index}"), kind, index);
            }
        };
        all('f', ExportKind::Func, self.types.function_count());
        all('g', ExportKind::Global, self.types.global_count());
        all('m', ExportKind::Memory, self.types.memory_count());
        all('t', ExportKind::Table, self.types.table_count());
        exports.export(FUEL, ExportKind::Global, self.fuel);
    }

    /// Takes a unit of fuel, or traps.
    fn charge_one(&self, out: &mut Vec<u8>) {
        out.with(GLOBAL_GET, self.fuel);
        out.extend([I32_EQZ, IF, EMPTY, UNREACHABLE, END]);
        out.with(GLOBAL_GET, self.fuel);
        out.extend([I32_CONST, 1, I32_SUB]);
        out.with(GLOBAL_SET, self.fuel);
    }

    /// Takes fuel for the length on the stack, or traps: a unit for `1 << shift`
    /// elements of its lowest `bits` bits; what is longer than that traps by itself.
    fn charge_length(
        &self,
        is_64: bool,
        bits: u32,
        shift: i32,
        scratch: &mut Scratch,
        out: &mut Vec<u8>,
    ) {
        let length = scratch.local(if is_64 { ValType::I64 } else { ValType::I32 });
        // The length stays on the stack, so that its local may be used again.
        let cost = scratch.local(ValType::I32);
        out.with(LOCAL_TEE, length);
        out.with(LOCAL_GET, length);
        if is_64 {
            out.push(I32_WRAP);
        }
        if bits < 32 {
            out.push(I32_CONST);
            ((1_i32 << bits) - 1).encode(out);
            out.push(I32_AND);
        }
        out.push(I32_CONST);
        shift.encode(out);
        out.push(I32_SHR_U);
        out.with(LOCAL_TEE, cost);
        out.with(GLOBAL_GET, self.fuel);
        out.extend([I32_GT_U, IF, EMPTY, UNREACHABLE, END]);
        out.with(GLOBAL_GET, self.fuel);
        out.with(LOCAL_GET, cost);
        out.push(I32_SUB);
        out.with(GLOBAL_SET, self.fuel);
    }

    /// What an operator needs before it. `bytes` is what it was exchanged for.
    fn before(
        &self,
        operator: &Operator<'_>,
        bytes: &[u8],
        scratch: &mut Scratch,
        out: &mut Vec<u8>,
    ) {
        let memory64 = |index: u32| self.types.memory_at(index).memory64;
        let table64 = |index: u32| self.types.table_at(index).table64;
        let mut memory = |is_64| self.charge_length(is_64, 20, 10, scratch, out);
        match *operator {
            Operator::MemoryFill { mem } => memory(memory64(mem)),
            Operator::MemoryCopy { dst_mem, src_mem } => {
                memory(memory64(dst_mem) && memory64(src_mem))
            }
            Operator::MemoryInit { .. } => memory(false),
            Operator::TableFill { table } => {
                self.charge_length(table64(table), 12, 4, scratch, out)
            }
            Operator::TableCopy { dst_table, src_table } => {
                let is_64 = table64(dst_table) && table64(src_table);
                self.charge_length(is_64, 12, 4, scratch, out);
            }
            Operator::TableInit { .. } => self.charge_length(false, 12, 4, scratch, out),
            Operator::ArrayNew { .. }
            | Operator::ArrayNewDefault { .. }
            | Operator::ArrayNewData { .. }
            | Operator::ArrayNewElem { .. }
            | Operator::ArrayFill { .. }
            | Operator::ArrayCopy { .. }
            | Operator::ArrayInitData { .. }
            | Operator::ArrayInitElem { .. } => self.charge_length(false, 32, 3, scratch, out),
            Operator::MemoryAtomicWait32 { .. } | Operator::MemoryAtomicWait64 { .. } => {
                out.extend([DROP, I64_CONST, 0]);
            }
            _ => canonical_scalar(bytes, scratch, out),
        }
    }
}

/// Makes the scalar canonical that the operator shows the bits of.
fn canonical_scalar(operator: &[u8], scratch: &mut Scratch, out: &mut Vec<u8>) {
    // Stores, reinterpretations, sign copies; splats and replacements of lanes.
    let single = match operator {
        [0x38 | 0xbc | 0x98, ..] | [VECTOR, 0x13 | 0x20, ..] => true,
        [0x39 | 0xbd | 0xa6, ..] | [VECTOR, 0x14 | 0x22, ..] => false,
        _ => return,
    };
    let local = scratch.local(if single { ValType::F32 } else { ValType::F64 });
    out.with(LOCAL_TEE, local);
    if single {
        out.push(F32_CONST);
        out.extend(0x7fc0_0000_u32.to_le_bytes());
    } else {
        out.push(F64_CONST);
        out.extend(0x7ff8_0000_0000_0000_u64.to_le_bytes());
    }
    out.with(LOCAL_GET, local);
    out.with(LOCAL_GET, local);
    out.extend([if single { F32_EQ } else { F64_EQ }, SELECT]);
}

/// Floats in a vector.
#[derive(Clone, Copy, PartialEq)]
enum Lanes {
    F32,
    F64,
}

/// What floats an operator on vectors computes.
fn computed_lanes(operator: &[u8]) -> Option<Lanes> {
    Some(match operator {
        [VECTOR, 0x5e | 0x67..=0x6a] | [VECTOR, 0xe3..=0xe9, 1] => Lanes::F32,
        [VECTOR, 0x5f | 0x74 | 0x75 | 0x7a] | [VECTOR, 0x94 | 0xef..=0xf5, 1] => Lanes::F64,
        [VECTOR, 0x85 | 0x86 | 0x8d | 0x8e, 2] => Lanes::F32,
        [VECTOR, 0x87 | 0x88 | 0x8f | 0x90, 2] => Lanes::F64,
        _ => return None,
    })
}

/// Makes the floats of the vector on the stack canonical.
fn canonical_lanes(lanes: Lanes, scratch: &mut Scratch, out: &mut Vec<u8>) {
    let local = scratch.local(ValType::V128);
    out.with(LOCAL_TEE, local);
    out.extend([VECTOR, 0x0c]);
    match lanes {
        Lanes::F32 => (0..4).for_each(|_| out.extend(0x7fc0_0000_u32.to_le_bytes())),
        Lanes::F64 => (0..2).for_each(|_| out.extend(0x7ff8_0000_0000_0000_u64.to_le_bytes())),
    }
    out.with(LOCAL_GET, local);
    out.with(LOCAL_GET, local);
    // Equal to themselves; selected bit by bit.
    out.extend([VECTOR, if lanes == Lanes::F32 { 0x41 } else { 0x47 }, VECTOR, 0x52]);
}
