//! Makes any valid module fit to be compared: it terminates, it computes the same
//! everywhere, and all that it has can be looked at.
//!
//! - *Fuel*: a global counts down at function entries and loop headers and by the
//!   length of bulk operations; at zero the guest traps. Programs that end anyway are
//!   only counted at entries, so that their loops stay as they are; and functions that
//!   call nothing, or only such, are not, so that they stay small enough to be inlined.
//!   Objects count as well, those before the first loop of a body at its entry: one of
//!   our modes collects garbage for each.
//! - *Sizes*: memories and tables get a small maximum; waits get no time.
//! - *Exports*: every function, global, memory and table, under its index.
//!
//! Bodies are copied byte by byte with code put in between, since no index changes.
//! On the way, operators can be exchanged for others of the same type, which is how
//! real modules become new ones.

use crate::between::{EMPTY, Emit, Scratch, rewritten};
use crate::mutate;
use crate::opcodes::{
    DROP, END, GLOBAL_GET, GLOBAL_SET, I32_AND, I32_CONST, I32_EQZ, I32_GT_U, I32_LT_U, I32_SHR_U,
    I32_SUB, I32_WRAP, I64_CONST, IF, LOCAL_GET, LOCAL_TEE, UNREACHABLE,
};
use std::fmt::{self, Display};
use wasm_encoder::reencode::{self, Reencode, utils};
use wasm_encoder::{
    CodeSection, ConstExpr, Encode, ExportKind, ExportSection, GlobalSection, GlobalType,
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
    let bodies = look(bytes)?;
    // The bodies come in the order of the functions, after the imported ones.
    let imported = types.function_count() - bodies.len() as u32;
    let mut taming = Taming {
        types,
        options,
        fuel: types.global_count(),
        function: imported,
        body: 0,
        bodies: costs(&bodies, imported),
        globals_done: false,
        exports_done: false,
    };
    let mut module = Module::new();
    taming.parse_core_module(&mut module, Parser::new(0), bytes).ok()?;
    Some(module.finish())
}

/// Whether an operator makes an object.
fn makes_object(operator: &Operator<'_>) -> bool {
    matches!(
        operator,
        Operator::StructNew { .. }
            | Operator::StructNewDefault { .. }
            | Operator::ArrayNew { .. }
            | Operator::ArrayNewDefault { .. }
            | Operator::ArrayNewFixed { .. }
            | Operator::ArrayNewData { .. }
            | Operator::ArrayNewElem { .. }
    )
}

/// What is known of a body.
#[derive(Default)]
struct Look {
    /// The functions that it calls.
    calls: Vec<u32>,
    /// Whether it may go on for long by itself, or calls what is not known.
    lasts: bool,
    /// The objects it makes before its first loop.
    objects: i32,
}

fn look(bytes: &[u8]) -> Option<Vec<Look>> {
    let mut all = Vec::new();
    for payload in Parser::new(0).parse_all(bytes) {
        if let wasmparser::Payload::CodeSectionEntry(body) = payload.ok()? {
            let (mut look, mut loops) = (Look::default(), false);
            for operator in body.get_operators_reader().ok()? {
                match operator.ok()? {
                    Operator::Call { function_index } => look.calls.push(function_index),
                    Operator::Loop { .. } => (look.lasts, loops) = (true, true),
                    Operator::CallIndirect { .. }
                    | Operator::CallRef { .. }
                    | Operator::ReturnCall { .. }
                    | Operator::ReturnCallIndirect { .. }
                    | Operator::ReturnCallRef { .. } => look.lasts = true,
                    operator => look.objects += i32::from(makes_object(&operator) && !loops),
                }
            }
            all.push(look);
        }
    }
    Some(all)
}

/// What entering each body costs: nothing if it ends soon, for it calls nothing or
/// only what calls nothing.
fn costs(bodies: &[Look], imported: u32) -> Vec<i32> {
    let ends = |body: &Look| !body.lasts && body.objects == 0;
    let is_leaf = |function: &u32| {
        let body = function.checked_sub(imported).and_then(|at| bodies.get(at as usize));
        body.is_some_and(|body| ends(body) && body.calls.is_empty())
    };
    let cost = |body: &Look| match ends(body) && body.calls.iter().all(is_leaf) {
        true => 0,
        false => 1 + body.objects,
    };
    bodies.iter().map(cost).collect()
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
    /// Its number among the bodies.
    body: usize,
    /// What entering each costs.
    bodies: Vec<i32>,
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
        let counts = self.bodies[self.body];
        self.body += 1;
        let mut start = Vec::new();
        if counts > 0 {
            self.charge(counts, &mut start);
        }
        let mut rng = self.options.mutate.take();
        let mut loops = false;
        let function = rewritten(params, &body, start, |operator, original, scratch, out| {
            let exchanged = rng.as_deref_mut().and_then(|rng| {
                (rng.below(10) == 0).then(|| mutate::operator(original, rng)).flatten()
            });
            loops |= matches!(operator, Operator::Loop { .. });
            if loops && makes_object(operator) {
                self.charge(1, out);
            }
            self.before(operator, scratch, out);
            out.extend_from_slice(exchanged.as_deref().unwrap_or(original));
            if matches!(operator, Operator::Loop { .. }) && !self.options.loops_end {
                self.charge(1, out);
            }
        });
        self.options.mutate = rng;
        let function = function.map_err(|error| match error {
            reencode::Error::ParseError(error) => reencode::Error::ParseError(error),
            _ => reencode::Error::UserError(Unfit),
        })?;
        code.function(&function);
        Ok(())
    }
}

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

    /// Takes some units of fuel, or traps.
    fn charge(&self, units: i32, out: &mut Vec<u8>) {
        out.with(GLOBAL_GET, self.fuel);
        if units == 1 {
            out.push(I32_EQZ);
        } else {
            out.push(I32_CONST);
            units.encode(out);
            out.push(I32_LT_U);
        }
        out.extend([IF, EMPTY, UNREACHABLE, END]);
        out.with(GLOBAL_GET, self.fuel);
        out.push(I32_CONST);
        units.encode(out);
        out.push(I32_SUB);
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

    /// What an operator needs before it.
    fn before(&self, operator: &Operator<'_>, scratch: &mut Scratch, out: &mut Vec<u8>) {
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
            | Operator::ArrayInitElem { .. } => self.charge_length(false, 32, 6, scratch, out),
            Operator::MemoryAtomicWait32 { .. } | Operator::MemoryAtomicWait64 { .. } => {
                out.extend([DROP, I64_CONST, 0]);
            }
            _ => {}
        }
    }
}
