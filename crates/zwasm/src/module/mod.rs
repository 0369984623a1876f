//! Modules: decoded, validated and ready to be instantiated.

mod bytes;
pub(crate) mod const_expr;
mod decode;
mod hints;
pub(crate) mod image;
#[cfg(feature = "addr2line")]
pub(crate) mod lines;
mod names;
pub(crate) mod places;
pub mod source;
mod validate;

use std::fmt::{self, Debug, Formatter};
use std::io::Read;
use std::ops::Range;
use std::path::Path;
#[cfg(optimizer)]
use std::sync::Weak;
use std::sync::{Arc, OnceLock};

use zwasm_regir::types::slots_of;
use zwasm_regir::uses::Length;
use zwasm_regir::{Signature, Storage, Type};

use crate::code::Code;
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};
use crate::store::gc::layout;
use crate::tier::Strategy;
use crate::types::{
    ExternType, FuncType, GlobalType, Held, MemoryType, TableType, TagType, TypeId,
};
use bytes::Bytes;
use const_expr::ConstExpr;
pub(crate) use decode::is_valid;
#[cfg(feature = "addr2line")]
pub use lines::SourceLine;
use source::Kind;

/// What is said of modules that an engine does not take; see `Config::enable_compiler`.
const NO_SOURCE: &str = "Engine was not configured with a compiler: it takes serialized modules";

/// What is said of modules for another processor or system; see `Config::target`.
const FOREIGN: &str = "the configuration does not match the host: its target is another";

/// A compiled module. Cheap to clone, and can be shared between threads and
/// instantiated in any number of stores.
///
/// ```
/// let engine = zwasm::Engine::default();
/// let module = zwasm::Module::new(&engine, r#"(module (func (export "f")))"#)?;
/// assert!(module.get_export("f").is_some());
/// # Ok::<(), zwasm::Error>(())
/// ```
#[derive(Clone)]
pub struct Module(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) engine: Engine,
    pub(crate) bytes: Bytes,
    /// Canonical numbers of the module's types.
    pub(crate) types: Vec<TypeId>,
    /// Keeps them defined.
    pub(crate) held_types: Vec<Held>,
    /// The slot kinds of each function type: parameters, then results.
    pub(crate) signatures: Vec<(Box<[Type]>, usize)>,
    /// The fields of each structure type, or the element of each array type.
    pub(crate) storages: Vec<Box<[Storage]>>,
    /// The offset of each of these in its objects, and their size; of no use for arrays.
    pub(crate) layouts: Vec<(Vec<u32>, usize)>,
    /// Bytes of the fields of each type, without what lies between them.
    pub(crate) field_bytes: Vec<usize>,
    pub(crate) imports: Vec<Import>,
    /// Type indices of all functions, imported ones first.
    pub(crate) funcs: Vec<u32>,
    pub(crate) imported_funcs: u32,
    pub(crate) tables: Vec<TableType>,
    pub(crate) imported_tables: u32,
    /// Initial elements of the defined tables that have them.
    pub(crate) table_inits: Vec<Option<ConstExpr>>,
    pub(crate) memories: Vec<MemoryType>,
    pub(crate) imported_memories: u32,
    pub(crate) globals: Vec<GlobalType>,
    pub(crate) imported_globals: u32,
    /// Initial values of the defined globals.
    pub(crate) global_inits: Vec<ConstExpr>,
    /// Type indices of all tags.
    pub(crate) tags: Vec<u32>,
    pub(crate) exports: Vec<Export>,
    /// Indices into `exports`, ordered by name.
    pub(crate) exports_by_name: Vec<u32>,
    pub(crate) start: Option<u32>,
    pub(crate) elements: Vec<ElementSegment>,
    pub(crate) data: Vec<DataSegment>,
    /// Ranges of the bodies of the defined functions.
    pub(crate) bodies: Vec<Range<u32>>,
    /// The interpreter's code of the defined functions, made on first call.
    pub(crate) codes: Vec<OnceLock<Box<Code>>>,
    /// What is being watched or counted.
    #[cfg(feature = "trace")]
    pub(crate) observed: crate::observe::Observed,
    /// The machine code of the defined functions, made when they are warm.
    pub(crate) compiled: crate::tier::Compiled,
    /// Which way branches are expected to go.
    pub(crate) hints: hints::Hints,
    /// The contents of the name section.
    pub(crate) names: Range<usize>,
    pub(crate) module_name: names::ModuleName,
    pub(crate) function_names: names::FunctionNames,
    /// What its data makes of its memory.
    image: image::MadeImage,
    /// Lines of source, read when debuggers are told of code.
    #[cfg(all(feature = "gdb", feature = "addr2line", target_os = "linux"))]
    pub(crate) lines: OnceLock<lines::table::LineTable>,
    /// Dropped when all else is.
    _trims: Trims,
}

/// Whether what is free of the heap goes back to the system now: of a large module that is
/// much, in many pieces, which allocators would keep.
struct Trims(bool);

impl Drop for Trims {
    fn drop(&mut self) {
        if self.0 {
            crate::sys::trim_heap();
        }
    }
}

/// An import as the module declares it; types are module indices.
pub(crate) struct Import {
    pub(crate) module: Box<str>,
    pub(crate) name: Box<str>,
    pub(crate) entity: Entity,
}

/// The kind and index of something in the module's index spaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entity {
    Func(u32),
    Table(u32),
    Memory(u32),
    Global(u32),
    Tag(u32),
}

pub(crate) struct Export {
    pub(crate) name: Box<str>,
    pub(crate) entity: Entity,
}

/// Where a segment goes at instantiation.
pub(crate) enum SegmentMode {
    Passive,
    /// Written to a memory or table at an offset, then dropped.
    Active {
        target: u32,
        offset: ConstExpr,
    },
    /// Only declares function references.
    Declared,
}

pub(crate) struct ElementSegment {
    pub(crate) mode: SegmentMode,
    pub(crate) items: Elements,
}

/// The references of an element segment. They are as compact as in the module's bytes,
/// which may hold millions.
pub(crate) enum Elements {
    /// Functions, [`NO_FUNC`] being null.
    Funcs(Box<[u32]>),
    /// So many constant expressions, one behind the other in these bytes of the module.
    Exprs { count: usize, range: Range<usize> },
}

/// What stands for null among the functions of an element segment.
pub(crate) const NO_FUNC: u32 = u32::MAX;

impl Elements {
    pub(crate) fn len(&self) -> usize {
        match self {
            Elements::Funcs(funcs) => funcs.len(),
            Elements::Exprs { count, .. } => *count,
        }
    }
}

pub(crate) struct DataSegment {
    pub(crate) mode: SegmentMode,
    pub(crate) range: Range<usize>,
}

impl Module {
    /// Compiles a module from its binary form or, with the feature `wat`, from
    /// its text form.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) with the byte offset, or line and column of text.
    pub fn new(engine: &Engine, bytes: impl AsRef<[u8]>) -> Result<Module> {
        let binary = source::to_binary(Kind::Module, bytes.as_ref().into(), None)?;
        Module::compile(engine, binary.into_owned())
    }

    /// Compiles a module from its binary form.
    pub fn from_binary(engine: &Engine, bytes: &[u8]) -> Result<Module> {
        Module::compile(engine, bytes.to_vec())
    }

    /// The same from bytes that need no copy.
    ///
    /// # Errors
    ///
    /// As [`Module::new`].
    pub fn from_vec(engine: &Engine, bytes: Vec<u8>) -> Result<Module> {
        Module::compile(engine, bytes)
    }

    /// Compiles a module from a part of bytes that it shares with others.
    #[doc(hidden)]
    pub fn from_part(engine: &Engine, bytes: &Arc<Vec<u8>>, range: Range<usize>) -> Result<Module> {
        let part = Bytes::part(bytes, range);
        let part = part.ok_or_else(|| Error::msg("the module is no part of the bytes"))?;
        Module::compile_until(engine, part, &|| false)
    }

    /// As [`Module::from_binary`], asking `stop` now and then, on any thread, whether to
    /// give up: for hosts that limit the time that a large module may take.
    ///
    /// ```
    /// use zwasm::{Engine, ErrorKind, Module};
    /// let module = b"\0asm\x01\0\0\0";
    /// let error = Module::from_binary_until(&Engine::default(), module, || true).unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Interrupted);
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Interrupted`](crate::ErrorKind::Interrupted) if it was to give up, else as [`Module::new`].
    pub fn from_binary_until(
        engine: &Engine,
        bytes: &[u8],
        stop: impl Fn() -> bool + Sync,
    ) -> Result<Module> {
        Module::compile_until(engine, bytes.to_vec().into(), &stop)
    }

    /// Reads and compiles a module from a file in binary or text form. The module keeps what
    /// was read, and nothing of it changes with the file: what is validated is what runs.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`](crate::ErrorKind::Io) if the file cannot be read, else as [`Module::new`].
    pub fn from_file(engine: &Engine, path: impl AsRef<Path>) -> Result<Module> {
        let path = path.as_ref();
        let bytes = source::read_file(path)?;
        let binary = source::to_binary(Kind::Module, bytes.into(), Some(path))?;
        Module::compile(engine, binary.into_owned())
    }

    /// Reads and compiles a module from a stream in binary or text form. Error
    /// messages call it by `name`; one that ends in `.wat` says that it is text.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`](crate::ErrorKind::Io) if reading fails, else as [`Module::new`].
    pub fn from_reader(
        engine: &Engine,
        reader: &mut dyn Read,
        name: impl AsRef<Path>,
    ) -> Result<Module> {
        let name = name.as_ref();
        let bytes = source::read(reader, name)?;
        let binary = source::to_binary(Kind::Module, bytes.into(), Some(name))?;
        Module::compile(engine, binary.into_owned())
    }

    fn compile(engine: &Engine, bytes: Vec<u8>) -> Result<Module> {
        Module::compile_until(engine, bytes.into(), &|| false)
    }

    fn compile_until(engine: &Engine, bytes: Bytes, stop: &validate::Stop<'_>) -> Result<Module> {
        if !engine.config().takes_source {
            return Err(Error::of_kind(ErrorKind::Unsupported, NO_SOURCE));
        }
        Module::decode(engine, bytes, stop)
    }

    /// As [`Module::from_binary`], also where only serialized modules are taken.
    pub(crate) fn of_serialized(engine: &Engine, bytes: Vec<u8>) -> Result<Module> {
        Module::decode(engine, bytes.into(), &|| false)
    }

    fn decode(engine: &Engine, bytes: Bytes, stop: &validate::Stop<'_>) -> Result<Module> {
        if engine.config().is_foreign {
            return Err(Error::of_kind(ErrorKind::Unsupported, FOREIGN));
        }
        Module::checked(engine, bytes, stop)
    }

    /// A module that need not run here.
    pub(crate) fn of_text_or_binary(engine: &Engine, bytes: &[u8]) -> Result<Module> {
        if !engine.config().takes_source {
            return Err(Error::of_kind(ErrorKind::Unsupported, NO_SOURCE));
        }
        let binary = source::to_binary(Kind::Module, bytes.into(), None)?;
        Module::checked(engine, binary.into_owned().into(), &|| false)
    }

    fn checked(engine: &Engine, bytes: Bytes, stop: &validate::Stop<'_>) -> Result<Module> {
        source::check_binary(Kind::Module, &bytes)?;
        let inner = decode::decode(engine, bytes, stop)?;
        Ok(Module(Arc::new(inner)))
    }

    /// Whether the module expects a branch to be taken (`br_if`) or its condition to
    /// hold (`if`). The branch is at this byte offset of the function's body; imported
    /// functions are counted.
    pub fn branch_hint(&self, func: u32, offset: u32) -> Option<bool> {
        self.0.hints.get(func, offset)
    }

    /// Checks that the module's branch hints are for branches. Others are ignored:
    /// whatever is in a custom section, the module is valid.
    ///
    /// # Errors
    ///
    /// Where the first hint points that is for something else.
    pub fn check_branch_hints(&self) -> Result<()> {
        self.0.hints.check()
    }

    /// Checks that a module is valid.
    pub fn validate(engine: &Engine, bytes: &[u8]) -> Result<()> {
        Module::new(engine, bytes).map(|_| ())
    }

    /// The engine the module was compiled for.
    pub fn engine(&self) -> &Engine {
        &self.0.engine
    }

    /// The bytes of all function bodies.
    pub fn code_size(&self) -> usize {
        self.0.bodies.iter().map(|body| body.len()).sum()
    }

    /// Compiles every function now, so that none is interpreted first, and returns
    /// the bytes of machine code; zero if this build or the engine's
    /// [strategy](crate::Strategy) does not compile. That is baseline code unless the
    /// strategy is to optimize everything. What runs is compiled when it is
    /// worth it without this: it is for programs that must not warm up.
    pub fn compile_all(&self) -> usize {
        let config = self.0.engine.config();
        if config.strategy == Strategy::Interpreter {
            return 0;
        }
        let guarded = config.guard_pages
            && config.code.signals_based_traps
            && self.0.memories.iter().any(|ty| crate::store::MemoryInst::can_be_guarded(*ty));
        self.0.compiled.all(&self.0, guarded)
    }

    /// How many functions there is optimized code for by now, and how many the module
    /// defines.
    #[doc(hidden)]
    pub fn optimized_functions(&self) -> (usize, usize) {
        let inner = &self.0;
        #[cfg(optimizer)]
        let optimized = inner.compiled.optimized();
        #[cfg(not(optimizer))]
        let optimized = 0;
        (optimized, inner.bodies.len())
    }

    /// The module's name from its name section.
    pub fn name(&self) -> Option<&str> {
        self.0.module_name.get(self.0.bytes.get(self.0.names.clone())?)
    }

    /// The name of a function from the name section.
    pub(crate) fn function_name(&self, func: u32) -> Option<String> {
        self.0.function_name(func)
    }

    /// The module in its binary form.
    pub fn binary(&self) -> &[u8] {
        &self.0.bytes
    }

    /// Whether two handles are the same module.
    pub fn same(a: &Module, b: &Module) -> bool {
        Arc::ptr_eq(&a.0, &b.0)
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.0
    }

    /// The module for whom does not keep it.
    #[cfg(optimizer)]
    pub(crate) fn downgrade(&self) -> Weak<Inner> {
        Arc::downgrade(&self.0)
    }
}

impl Debug for Module {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Module").field("name", &self.name()).finish_non_exhaustive()
    }
}

impl Inner {
    /// The name of a function from the name section.
    pub(crate) fn function_name(&self, func: u32) -> Option<String> {
        self.function_names.get(self.bytes.get(self.names.clone())?, func)
    }

    /// The entity exported under a name.
    pub(crate) fn export(&self, name: &str) -> Option<Entity> {
        let found = self
            .exports_by_name
            .binary_search_by(|&index| (*self.exports[index as usize].name).cmp(name))
            .ok()?;
        Some(self.exports[self.exports_by_name[found] as usize].entity)
    }

    /// Whether the elements of a table are functions.
    pub(crate) fn holds_functions(&self, table: u32) -> bool {
        layout::holds_functions(&self.engine, self.tables[table as usize])
    }

    /// The canonical type of a function.
    pub(crate) fn func_type_id(&self, func: u32) -> TypeId {
        self.types[self.funcs[func as usize] as usize]
    }

    /// The slot kinds of a function type.
    pub(crate) fn signature(&self, ty: u32) -> Signature<'_> {
        let (kinds, params) = &self.signatures[ty as usize];
        Signature { params: &kinds[..*params], results: &kinds[*params..] }
    }

    /// The length of a run of slots.
    pub(crate) fn slots_of(&self, length: Length) -> u32 {
        let slots = |storage: &Storage| storage.kind().slots();
        match length {
            Length::Slots(count) => count,
            Length::Params(ty) => slots_of(self.signature(ty).params),
            Length::ParamsOf(func) => slots_of(self.signature(self.funcs[func as usize]).params),
            Length::Tag(tag) => slots_of(self.signature(self.tags[tag as usize]).params),
            Length::Fields(ty) => self.storages[ty as usize].iter().map(slots).sum(),
            Length::Field { ty, field } => slots(&self.storages[ty as usize][field as usize]),
            Length::Elements { ty, count, more } => {
                slots(&self.storages[ty as usize][0]) * count + more
            }
            Length::Rest => u32::MAX,
        }
    }

    pub(crate) fn entity_type(&self, entity: Entity) -> ExternType {
        let func = |ty: u32| -> FuncType { self.engine.types().func_type(self.types[ty as usize]) };
        match entity {
            Entity::Func(index) => ExternType::Func(func(self.funcs[index as usize])),
            Entity::Table(index) => ExternType::Table(self.tables[index as usize]),
            Entity::Memory(index) => ExternType::Memory(self.memories[index as usize]),
            Entity::Global(index) => ExternType::Global(self.globals[index as usize]),
            Entity::Tag(index) => ExternType::Tag(TagType::new(func(self.tags[index as usize]))),
        }
    }

    /// The bytes of a defined function's body, and its index among all.
    pub(crate) fn body(&self, defined: u32) -> &[u8] {
        let range = &self.bodies[defined as usize];
        &self.bytes[range.start as usize..range.end as usize]
    }

    /// The defined function whose body has this module offset.
    pub(crate) fn defined_at(&self, offset: u32) -> u32 {
        self.bodies.partition_point(|body| body.start <= offset).saturating_sub(1) as u32
    }
}
