//! From bytes to a module in our own types.
//!
//! `wasmparser` reads and validates each section; this file turns what it read
//! into the structures the runtime uses, so that no type of the parser is seen
//! outside this folder.

use std::ops::Range;
use std::sync::OnceLock;

use wasmparser::{
    CompositeInnerType, DataKind, ElementItems, ElementKind, ExternalKind, Parser, Payload,
    TableInit, TypeRef, UnpackedIndex, ValidPayload, Validator, WasmFeatures,
};
use zwasm_regir::object::struct_layout;
use zwasm_regir::reader::Reader;
use zwasm_regir::work;

use super::bytes::Bytes;
use super::const_expr::{ConstError, ConstExpr};
use super::hints::{self, Hints};
use super::validate::Stop;
use super::{
    DataSegment, ElementSegment, Elements, Entity, Export, Import, Inner, SegmentMode, Trims,
    validate,
};
use crate::engine::Engine;
use crate::error::{Error, ErrorKind};
use crate::features::Feature;
use crate::store::gc::layout;
use crate::tuning;
use crate::types::{
    Composite, FieldType, FuncType, GlobalType, HeapType, MemoryType, Mutability, RefType,
    StorageType, SubType, TableType, TypeId, ValType, relative,
};

/// An error of the parser or one of ours, before they become one type.
struct Failure(Error);

impl From<wasmparser::BinaryReaderError> for Failure {
    fn from(error: wasmparser::BinaryReaderError) -> Failure {
        Failure(Error::invalid(error.message(), error.offset() as usize))
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure(error)
    }
}

type Result<T, E = Failure> = std::result::Result<T, E>;

/// Decodes and validates a module. `stop` is asked now and then whether to give up.
pub(super) fn decode(engine: &Engine, bytes: Bytes, stop: &Stop<'_>) -> Result<Inner, Error> {
    match decode_sections(engine, &bytes, stop) {
        Ok(inner) => Ok(Inner { bytes, ..inner }),
        Err(Failure(error)) if error.kind() == ErrorKind::Invalid => {
            Err(engine.config().disabled.explain(&bytes, &error).unwrap_or(error))
        }
        Err(Failure(error)) => Err(error),
    }
}

fn decode_sections(engine: &Engine, bytes: &[u8], stop: &Stop<'_>) -> Result<Inner> {
    if bytes.len() > u32::MAX as usize {
        return Err(Error::invalid("the module is larger than 4 GiB", u32::MAX as usize).into());
    }
    let mut decoder = Decoder {
        inner: Inner {
            engine: engine.clone(),
            bytes: Bytes::default(),
            types: Vec::new(),
            held_types: Vec::new(),
            signatures: Vec::new(),
            storages: Vec::new(),
            layouts: Vec::new(),
            field_bytes: Vec::new(),
            imports: Vec::new(),
            funcs: Vec::new(),
            imported_funcs: 0,
            tables: Vec::new(),
            imported_tables: 0,
            table_inits: Vec::new(),
            memories: Vec::new(),
            imported_memories: 0,
            globals: Vec::new(),
            imported_globals: 0,
            global_inits: Vec::new(),
            tags: Vec::new(),
            exports: Vec::new(),
            exports_by_name: Vec::new(),
            start: None,
            elements: Vec::new(),
            data: Vec::new(),
            bodies: Vec::new(),
            codes: Vec::new(),
            #[cfg(feature = "trace")]
            observed: crate::observe::Observed::default(),
            compiled: Default::default(),
            hints: Hints::default(),
            names: 0..0,
            function_names: Default::default(),
            module_name: Default::default(),
            image: Default::default(),
            #[cfg(all(feature = "gdb", feature = "addr2line", target_os = "linux"))]
            lines: Default::default(),
            _trims: Trims(bytes.len() >= tuning::LARGE_MODULE),
        },
    };
    let features = engine.config().disabled.flags();
    let bodies = read(features, bytes, stop, &mut |payload| decoder.section(bytes, payload))?;
    decoder.inner.bodies = bodies.ranges().collect();
    validate::bodies(&bodies, stop)?;
    drop(bodies);
    let mut inner = decoder.inner;
    inner.hints.resolve(bytes, inner.imported_funcs, &inner.bodies);
    #[cfg(feature = "trace")]
    {
        let observer = &inner.engine.config().observer;
        inner.observed = crate::observe::Observed::new(observer, inner.bodies.len());
    }
    inner.codes = inner.bodies.iter().map(|_| OnceLock::new()).collect();
    let mut by_name: Vec<u32> = (0..inner.exports.len() as u32).collect();
    by_name.sort_unstable_by_key(|&place| &*inner.exports[place as usize].name);
    inner.exports_by_name = by_name;
    Ok(inner)
}

/// Reads all sections, handing over each that is valid, and gives the bodies that
/// are still to be validated.
fn read<'a>(
    features: WasmFeatures,
    bytes: &'a [u8],
    stop: &Stop<'_>,
    take: &mut dyn FnMut(Payload<'a>) -> Result<()>,
) -> Result<validate::Bodies<'a>> {
    let mut validator = Validator::new_with_features(features);
    let mut bodies = validate::Bodies::new(bytes);
    let mut parser = Parser::new(0);
    parser.set_features(features);
    for payload in parser.parse_all(bytes) {
        let payload = payload?;
        if stop() {
            return Err(validate::stopped().into());
        }
        match validator.payload(&payload)? {
            ValidPayload::Func(func, body) => bodies.push(func, body.range()),
            _ => take(payload)?,
        }
    }
    Ok(bodies)
}

/// Whether a module is valid when it may use just these features.
pub(crate) fn is_valid(features: WasmFeatures, bytes: &[u8]) -> bool {
    let never = &|| false;
    let bodies = read(features, bytes, never, &mut |_| Ok(()));
    bodies.is_ok_and(|bodies| validate::bodies(&bodies, never).is_ok())
}

struct Decoder {
    inner: Inner,
}

impl Decoder {
    /// Takes over a section that the validator has accepted.
    fn section(&mut self, bytes: &[u8], payload: Payload<'_>) -> Result<()> {
        let inner = &mut self.inner;
        match payload {
            Payload::TypeSection(section) => {
                for group in section {
                    self.rec_group(group?)?;
                }
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    self.import(import?)?;
                }
            }
            Payload::FunctionSection(section) => {
                for ty in section {
                    inner.funcs.push(ty?);
                }
            }
            Payload::TableSection(section) => {
                for table in section {
                    let table = table?;
                    let init = match &table.init {
                        TableInit::RefNull => None,
                        TableInit::Expr(expr) => Some(const_expr(bytes, expr)?),
                    };
                    let ty = self.table_type(table.ty)?;
                    self.inner.tables.push(ty);
                    self.inner.table_inits.push(init);
                }
            }
            Payload::MemorySection(section) => {
                for ty in section {
                    inner.memories.push(memory_type(ty?));
                }
            }
            Payload::TagSection(section) => {
                for ty in section {
                    inner.tags.push(ty?.func_type_idx);
                }
            }
            Payload::GlobalSection(section) => {
                for global in section {
                    let global = global?;
                    let init = const_expr(bytes, &global.init_expr)?;
                    let ty = self.global_type(global.ty)?;
                    self.inner.globals.push(ty);
                    self.inner.global_inits.push(init);
                }
            }
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export?;
                    let entity = match export.kind {
                        ExternalKind::Func | ExternalKind::FuncExact => Entity::Func(export.index),
                        ExternalKind::Table => Entity::Table(export.index),
                        ExternalKind::Memory => Entity::Memory(export.index),
                        ExternalKind::Global => Entity::Global(export.index),
                        ExternalKind::Tag => Entity::Tag(export.index),
                    };
                    inner.exports.push(Export { name: export.name.into(), entity });
                }
            }
            Payload::StartSection { func, .. } => inner.start = Some(func),
            Payload::ElementSection(section) => {
                for element in section {
                    inner.elements.push(element_segment(bytes, element?)?);
                }
            }
            Payload::DataSection(section) => {
                for data in section {
                    let data = data?;
                    let mode = match &data.kind {
                        DataKind::Passive => SegmentMode::Passive,
                        DataKind::Active { memory_index, offset_expr } => SegmentMode::Active {
                            target: *memory_index,
                            offset: const_expr(bytes, offset_expr)?,
                        },
                    };
                    // The segment's range ends with its contents.
                    let end = data.range.end as usize;
                    inner.data.push(DataSegment { mode, range: end - data.data.len()..end });
                }
            }
            Payload::CustomSection(section) if section.name() == "name" => {
                let start = section.data_offset() as usize;
                inner.names = start..start + section.data().len();
            }
            Payload::CustomSection(section) if section.name() == hints::SECTION => {
                let enabled = !inner.engine.config().disabled.contains(Feature::BranchHinting);
                if enabled {
                    inner.hints = Hints::decode(section.data());
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn rec_group(&mut self, group: wasmparser::RecGroup) -> Result<()> {
        let first = self.inner.types.len() as u32;
        let mut members = Vec::with_capacity(group.types().len());
        for ty in group.types() {
            work::count(1);
            members.push(self.sub_type(ty, first)?);
        }
        for ty in &members {
            let (kinds, params) = match &ty.composite {
                Composite::Func(ty) => (
                    ty.params().chain(ty.results()).map(ValType::kind).collect(),
                    ty.params().len(),
                ),
                _ => (Box::default(), 0),
            };
            self.inner.signatures.push((kinds, params));
        }
        let held = self.inner.engine.types().intern(members);
        let held = held.ok_or_else(|| unsupported("types that are not defined"))?;
        let types = self.inner.engine.types().read();
        for &id in held.ids() {
            let storage = |field: &FieldType| layout::storage(&types, *field);
            self.inner.storages.push(match &types.get(id).composite {
                Composite::Func(_) => Box::default(),
                Composite::Struct(fields) => fields.iter().map(storage).collect(),
                Composite::Array(element) => [storage(element)].into(),
            });
        }
        for storages in &self.inner.storages[self.inner.layouts.len()..] {
            self.inner.layouts.push(struct_layout(storages));
            let bytes = storages.iter().map(|storage| storage.size()).sum();
            self.inner.field_bytes.push(bytes);
        }
        drop(types);
        self.inner.types.extend(held.ids());
        self.inner.held_types.push(held);
        Ok(())
    }

    /// The reference to a type index from within the group that starts at `first`.
    fn type_id(&self, index: UnpackedIndex, first: u32) -> Result<TypeId> {
        match index {
            UnpackedIndex::Module(index) if index >= first => Ok(relative(index - first)),
            UnpackedIndex::Module(index) => Ok(self.inner.types[index as usize]),
            UnpackedIndex::RecGroup(index) => Ok(relative(index)),
            UnpackedIndex::Id(_) => Err(unsupported("a type of the parser's own")),
        }
    }

    fn sub_type(&self, ty: &wasmparser::SubType, first: u32) -> Result<SubType> {
        let value = |ty| self.val_type(ty, first);
        let field = |ty: &wasmparser::FieldType| -> Result<FieldType> {
            let storage = match ty.element_type {
                wasmparser::StorageType::I8 => StorageType::I8,
                wasmparser::StorageType::I16 => StorageType::I16,
                wasmparser::StorageType::Val(ty) => StorageType::ValType(value(ty)?),
            };
            Ok(FieldType { storage, mutable: ty.mutable })
        };
        let composite = match &ty.composite_type.inner {
            CompositeInnerType::Func(ty) => {
                let types = |types: &[wasmparser::ValType]| -> Result<Vec<ValType>> {
                    types.iter().map(|&ty| value(ty)).collect()
                };
                Composite::Func(FuncType::new(types(ty.params())?, types(ty.results())?))
            }
            CompositeInnerType::Struct(ty) => {
                Composite::Struct(ty.fields.iter().map(field).collect::<Result<_>>()?)
            }
            CompositeInnerType::Array(ty) => Composite::Array(field(&ty.0)?),
            CompositeInnerType::Cont(_) => return Err(unsupported("stack switching")),
        };
        let supertype = match ty.supertype_idxs.first() {
            Some(index) => Some(self.type_id(index.unpack(), first)?),
            None => None,
        };
        Ok(SubType { is_final: ty.is_final, supertype, composite })
    }

    /// A value type; with `first` inside a group, else outside any.
    fn val_type(&self, ty: wasmparser::ValType, first: u32) -> Result<ValType> {
        Ok(match ty {
            wasmparser::ValType::I32 => ValType::I32,
            wasmparser::ValType::I64 => ValType::I64,
            wasmparser::ValType::F32 => ValType::F32,
            wasmparser::ValType::F64 => ValType::F64,
            wasmparser::ValType::V128 => ValType::V128,
            wasmparser::ValType::Ref(ty) => ValType::Ref(self.ref_type(ty, first)?),
        })
    }

    fn ref_type(&self, ty: wasmparser::RefType, first: u32) -> Result<RefType> {
        use wasmparser::AbstractHeapType as Abstract;
        let heap = match ty.heap_type() {
            wasmparser::HeapType::Concrete(index) | wasmparser::HeapType::Exact(index) => {
                self.inner.engine.types().heap_type(self.type_id(index, first)?)
            }
            wasmparser::HeapType::Abstract { ty, .. } => match ty {
                Abstract::Func => HeapType::Func,
                Abstract::NoFunc => HeapType::NoFunc,
                Abstract::Extern => HeapType::Extern,
                Abstract::NoExtern => HeapType::NoExtern,
                Abstract::Any => HeapType::Any,
                Abstract::Eq => HeapType::Eq,
                Abstract::I31 => HeapType::I31,
                Abstract::Struct => HeapType::Struct,
                Abstract::Array => HeapType::Array,
                Abstract::None => HeapType::None,
                Abstract::Exn => HeapType::Exn,
                Abstract::NoExn => HeapType::NoExn,
                Abstract::Cont | Abstract::NoCont => return Err(unsupported("stack switching")),
            },
        };
        Ok(RefType::new(ty.is_nullable(), heap))
    }

    fn global_type(&self, ty: wasmparser::GlobalType) -> Result<GlobalType> {
        let mutability = if ty.mutable { Mutability::Var } else { Mutability::Const };
        Ok(GlobalType::new(self.val_type(ty.content_type, u32::MAX)?, mutability))
    }

    fn table_type(&self, ty: wasmparser::TableType) -> Result<TableType> {
        Ok(TableType {
            element: self.ref_type(ty.element_type, u32::MAX)?,
            minimum: ty.initial,
            maximum: ty.maximum,
            table64: ty.table64,
        })
    }

    fn import(&mut self, import: wasmparser::Import<'_>) -> Result<()> {
        let entity = match import.ty {
            TypeRef::Func(ty) | TypeRef::FuncExact(ty) => {
                self.inner.funcs.push(ty);
                self.inner.imported_funcs += 1;
                Entity::Func(self.inner.imported_funcs - 1)
            }
            TypeRef::Table(ty) => {
                let ty = self.table_type(ty)?;
                self.inner.tables.push(ty);
                self.inner.imported_tables += 1;
                Entity::Table(self.inner.imported_tables - 1)
            }
            TypeRef::Memory(ty) => {
                self.inner.memories.push(memory_type(ty));
                self.inner.imported_memories += 1;
                Entity::Memory(self.inner.imported_memories - 1)
            }
            TypeRef::Global(ty) => {
                let ty = self.global_type(ty)?;
                self.inner.globals.push(ty);
                self.inner.imported_globals += 1;
                Entity::Global(self.inner.imported_globals - 1)
            }
            TypeRef::Tag(ty) => {
                self.inner.tags.push(ty.func_type_idx);
                Entity::Tag(self.inner.tags.len() as u32 - 1)
            }
        };
        self.inner.imports.push(Import {
            module: import.module.into(),
            name: import.name.into(),
            entity,
        });
        Ok(())
    }
}

fn memory_type(ty: wasmparser::MemoryType) -> MemoryType {
    MemoryType {
        minimum: ty.initial,
        maximum: ty.maximum,
        memory64: ty.memory64,
        shared: ty.shared,
        page_size_log2: ty.page_size_log2() as u8,
    }
}

fn element_segment(bytes: &[u8], element: wasmparser::Element<'_>) -> Result<ElementSegment> {
    let mode = match &element.kind {
        ElementKind::Passive => SegmentMode::Passive,
        ElementKind::Declared => SegmentMode::Declared,
        ElementKind::Active { table_index, offset_expr } => SegmentMode::Active {
            target: table_index.unwrap_or(0),
            offset: const_expr(bytes, offset_expr)?,
        },
    };
    let items = match element.items {
        ElementItems::Functions(funcs) => {
            let funcs: std::result::Result<_, _> = funcs.into_iter().collect();
            Elements::Funcs(funcs?)
        }
        ElementItems::Expressions(_, exprs) => {
            let count = exprs.count() as usize;
            let (mut funcs, mut only_funcs) = (Vec::with_capacity(count), true);
            let mut range: Option<Range<usize>> = None;
            for expr in exprs {
                work::count(1);
                let expr = expr?;
                // Decoded even if it is not kept, to know that it can be.
                let func = const_expr(bytes, &expr)?.func();
                only_funcs &= func.is_some();
                funcs.extend(func.filter(|_| only_funcs));
                let here = expr.get_binary_reader().range();
                let start = range.map_or(here.start as usize, |range| range.start);
                range = Some(start..here.end as usize);
            }
            match only_funcs {
                true => Elements::Funcs(funcs.into()),
                false => Elements::Exprs { count, range: range.unwrap_or_default() },
            }
        }
    };
    Ok(ElementSegment { mode, items })
}

fn const_expr(bytes: &[u8], expr: &wasmparser::ConstExpr<'_>) -> Result<ConstExpr> {
    let range = expr.get_binary_reader().range();
    let start = range.start as usize;
    let mut reader = Reader::new(&bytes[start..range.end as usize]);
    ConstExpr::decode(&mut reader).map_err(|error| match error {
        ConstError::Malformed => Error::invalid("malformed constant expression", start).into(),
        ConstError::Unsupported(feature) => unsupported(feature),
    })
}

fn unsupported(feature: &str) -> Failure {
    let message = format!("unsupported: the module needs {feature}");
    Failure(Error::of_kind(ErrorKind::Unsupported, message))
}
