//! What is done with a module: which exports are called with what, and what is
//! looked at afterwards. Names and a seed determine it, so that it stays the same
//! while a failing module is made smaller.

use crate::outcome::Event;
use crate::value::{Kind, Top, Value};
use wasmparser::types::{Types, TypesRef};
use wasmparser::{
    AbstractHeapType, CompositeInnerType, ExternalKind, HeapType, Parser, Payload, TypeRef,
    UnpackedIndex, ValType, Validator, WasmFeatures,
};
use zwasm_wast::mutate::Rng;

/// Exports called in each round.
const CALLED: usize = 8;
/// How often: what is called again may be compiled by then.
const ROUNDS: u64 = 3;
/// What is drawn with this number is whether fuel is counted.
const FUELLED: u64 = 0xf0e1;
/// What is drawn with this number is whether NaNs are made canonical.
const NANS: u64 = 0x0a05;
/// Host calls told of; the further ones are only answered.
const TOLD: usize = 200;

/// The features that are on everywhere they exist.
pub const FEATURES: WasmFeatures = WasmFeatures::WASM3
    .union(WasmFeatures::THREADS)
    .union(WasmFeatures::WIDE_ARITHMETIC)
    .union(WasmFeatures::CUSTOM_PAGE_SIZES);

/// Types of parameters and results.
#[derive(Clone, Debug)]
pub struct Signature {
    pub params: Vec<Kind>,
    pub results: Vec<Kind>,
}

/// A call of an export.
pub struct Call {
    pub name: String,
    pub arguments: Vec<Value>,
}

/// What is done with a module.
pub struct Plan {
    pub seed: u64,
    /// What our engine may consume in each call, in the cases that count it.
    pub fuel: Option<u64>,
    /// After how much of it others have their turn, in some of these cases: that changes
    /// nothing.
    pub turns: Option<u64>,
    /// Whether our engine makes every NaN canonical that is computed.
    pub deterministic: bool,
    /// The imported functions.
    pub imports: Vec<Signature>,
    pub calls: Vec<Call>,
    /// What is looked at, by name.
    pub globals: Vec<String>,
    pub memories: Vec<String>,
    pub tables: Vec<String>,
}

/// The types of a module, if it is valid.
pub fn validate(bytes: &[u8]) -> Option<Types> {
    Validator::new_with_features(FEATURES).validate_all(bytes).ok()
}

impl Plan {
    /// The plan for a tamed module; none if it is not valid.
    pub fn new(bytes: &[u8], seed: u64) -> Option<Self> {
        let types = validate(bytes)?;
        let types = types.as_ref();
        let (mut imports, mut functions) = (Vec::new(), Vec::new());
        let (mut globals, mut memories, mut tables) = (Vec::new(), Vec::new(), Vec::new());
        for payload in Parser::new(0).parse_all(bytes) {
            match payload.ok()? {
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        if let TypeRef::Func(_) = import.ok()?.ty {
                            imports.push(signature(types, imports.len() as u32));
                        }
                    }
                }
                Payload::ExportSection(section) => {
                    for export in section {
                        let export = export.ok()?;
                        let name = export.name.to_owned();
                        match export.kind {
                            ExternalKind::Func if export.index >= imports.len() as u32 => {
                                functions.push((name, signature(types, export.index)));
                            }
                            ExternalKind::Global => globals.push(name),
                            ExternalKind::Memory => memories.push(name),
                            ExternalKind::Table => tables.push(name),
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
        }
        functions.sort_by_key(|(name, _)| Rng::for_case(seed, text(name)).bits());
        functions.truncate(CALLED);
        let mut calls = Vec::new();
        for round in 0..ROUNDS {
            for (name, signature) in &functions {
                let mut rng = Rng::for_case(seed ^ round, text(name));
                let arguments = signature.params.iter().map(|kind| kind.draw(&mut rng)).collect();
                if let Some(arguments) = arguments {
                    calls.push(Call { name: name.clone(), arguments });
                }
            }
        }
        let mut rng = Rng::for_case(seed, FUELLED);
        let fuel = match rng.below(8) {
            0 => Some(rng.below(3000) as u64),
            1 => Some(u64::MAX >> 1),
            _ => None,
        };
        let turns = (fuel.is_some() && rng.below(4) > 0).then(|| 1 + rng.below(200) as u64);
        let deterministic = Rng::for_case(seed, NANS).below(4) > 0;
        Some(Self { seed, fuel, turns, deterministic, imports, calls, globals, memories, tables })
    }
}

/// A number for a name (FNV-1a).
fn text(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn signature(types: TypesRef<'_>, function: u32) -> Signature {
    let ty = types[types.core_function_at(function)].unwrap_func();
    let kinds = |tys: &[ValType]| tys.iter().map(|ty| kind(types, *ty)).collect();
    Signature { params: kinds(ty.params()), results: kinds(ty.results()) }
}

fn kind(types: TypesRef<'_>, ty: ValType) -> Kind {
    use AbstractHeapType as Abstract;
    let ty = match ty {
        ValType::I32 => return Kind::I32,
        ValType::I64 => return Kind::I64,
        ValType::F32 => return Kind::F32,
        ValType::F64 => return Kind::F64,
        ValType::V128 => return Kind::V128,
        ValType::Ref(ty) => ty,
    };
    let (top, i31) = match ty.heap_type() {
        HeapType::Abstract { ty, .. } => match ty {
            Abstract::Func | Abstract::NoFunc => (Top::Func, false),
            Abstract::Extern | Abstract::NoExtern => (Top::Extern, false),
            Abstract::Exn | Abstract::NoExn => (Top::Exn, false),
            Abstract::Any | Abstract::Eq | Abstract::I31 => (Top::Any, true),
            _ => (Top::Any, false),
        },
        HeapType::Concrete(UnpackedIndex::Id(id)) | HeapType::Exact(UnpackedIndex::Id(id)) => {
            let is_func = matches!(types[id].composite_type.inner, CompositeInnerType::Func(_));
            (if is_func { Top::Func } else { Top::Any }, false)
        }
        _ => (Top::Any, false),
    };
    Kind::Ref { top, nullable: ty.is_nullable(), i31 }
}

/// The host of one run: it answers calls as the seed says, and takes them down.
pub struct Host {
    seed: u64,
    imports: Vec<Signature>,
    told: Vec<Event>,
}

impl Host {
    /// The host for a plan.
    pub fn new(plan: &Plan) -> Self {
        Self { seed: plan.seed, imports: plan.imports.clone(), told: Vec::new() }
    }

    /// The results of an imported function; none if it fails.
    pub fn answer(&mut self, import: u32, arguments: Vec<Value>) -> Option<Vec<Value>> {
        let numbers = arguments.iter().fold(0, |hash: u64, value| {
            // Engines may differ about the bits of a NaN.
            hash.rotate_left(5).wrapping_add(match value.canonical() {
                Value::I32(bits) => bits as u64,
                Value::I64(bits) => bits as u64,
                Value::F32(bits) => u64::from(bits),
                Value::F64(bits) => bits,
                Value::V128(bits) => bits as u64 ^ (bits >> 64) as u64,
                Value::I31(bits) => u64::from(bits),
                Value::Null(_) | Value::Reference(_) => 1,
            })
        });
        let mut rng = Rng::for_case(self.seed ^ numbers, u64::from(import));
        let results = self.imports.get(import as usize)?.results.iter();
        let results = results.map(|kind| kind.draw(&mut rng)).collect();
        if self.told.len() < TOLD {
            self.told.push(Event::Host(import, arguments));
        }
        results
    }

    /// The calls since last asked.
    pub fn take(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.told)
    }
}
