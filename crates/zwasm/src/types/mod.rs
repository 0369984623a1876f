//! The types of WebAssembly as the runtime sees them: small values, in which defined types
//! are numbers. Those of the interface hold what they name.

pub(crate) mod registry;

use std::fmt::{self, Display, Formatter};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::error::{Error, Result};

pub(crate) use registry::{
    Composite, DefinedType, FieldType, Held, StorageType, SubType, TypeId, TypeRegistry, Types,
    abstract_matches, relative,
};
use zwasm_regir::Type;

/// The type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum ValType {
    /// A 32-bit integer.
    I32,
    /// A 64-bit integer.
    I64,
    /// A 32-bit float.
    F32,
    /// A 64-bit float.
    F64,
    /// A 128-bit vector.
    V128,
    /// A reference.
    Ref(RefType),
}

impl ValType {
    /// Whether this is an integer, a float or a vector.
    pub fn is_numeric(self) -> bool {
        !matches!(self, ValType::Ref(_))
    }

    pub(crate) fn kind(self) -> Type {
        match self {
            ValType::I32 => Type::I32,
            ValType::I64 => Type::I64,
            ValType::F32 => Type::F32,
            ValType::F64 => Type::F64,
            ValType::V128 => Type::V128,
            ValType::Ref(_) => Type::Ref,
        }
    }
}

/// The type of a reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct RefType {
    nullable: bool,
    heap_type: HeapType,
}

impl RefType {
    /// A reference to `heap_type`, perhaps null.
    pub const fn new(nullable: bool, heap_type: HeapType) -> RefType {
        RefType { nullable, heap_type }
    }

    /// Whether null is a value of this type.
    pub const fn is_nullable(&self) -> bool {
        self.nullable
    }

    /// What is referred to.
    pub const fn heap_type(&self) -> HeapType {
        self.heap_type
    }
}

impl From<RefType> for ValType {
    fn from(ty: RefType) -> ValType {
        ValType::Ref(ty)
    }
}

/// What a reference refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum HeapType {
    /// Any function.
    Func,
    /// No function: only null.
    NoFunc,
    /// Any value of the host.
    Extern,
    /// No value of the host: only null.
    NoExtern,
    /// Any value internal to WebAssembly.
    Any,
    /// Values that can be compared.
    Eq,
    /// Unboxed 31-bit integers.
    I31,
    /// Any structure.
    Struct,
    /// Any array.
    Array,
    /// No internal value: only null.
    None,
    /// Exceptions.
    Exn,
    /// No exception: only null.
    NoExn,
    /// A type that a module or the host has defined.
    Concrete(DefinedType),
}

impl Display for HeapType {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            HeapType::Func => "func",
            HeapType::NoFunc => "nofunc",
            HeapType::Extern => "extern",
            HeapType::NoExtern => "noextern",
            HeapType::Any => "any",
            HeapType::Eq => "eq",
            HeapType::I31 => "i31",
            HeapType::Struct => "struct",
            HeapType::Array => "array",
            HeapType::None => "none",
            HeapType::Exn => "exn",
            HeapType::NoExn => "noexn",
            HeapType::Concrete(ty) => return ty.fmt(f),
        })
    }
}

impl Display for RefType {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match (self.nullable, self.heap_type) {
            (true, HeapType::Func) => f.write_str("funcref"),
            (true, HeapType::Extern) => f.write_str("externref"),
            (true, heap) => write!(f, "(ref null {heap})"),
            (false, heap) => write!(f, "(ref {heap})"),
        }
    }
}

impl Display for ValType {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            ValType::I32 => f.write_str("i32"),
            ValType::I64 => f.write_str("i64"),
            ValType::F32 => f.write_str("f32"),
            ValType::F64 => f.write_str("f64"),
            ValType::V128 => f.write_str("v128"),
            ValType::Ref(ty) => ty.fmt(f),
        }
    }
}

/// The type of a function.
///
/// Types are equal when their parameters and results are. One that was taken from a
/// module or a function also stays the type that is defined there, with its
/// supertypes, when something is made with it in the same engine.
#[derive(Clone, Debug)]
pub(crate) struct FuncType {
    /// Parameters, then results.
    types: Arc<[ValType]>,
    params: usize,
    /// What it is defined as in an engine, and its number there.
    origin: Option<(Held, TypeId)>,
}

impl PartialEq for FuncType {
    fn eq(&self, other: &FuncType) -> bool {
        self.params == other.params && self.types == other.types
    }
}

impl Eq for FuncType {}

impl Hash for FuncType {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.types.hash(state);
        self.params.hash(state);
    }
}

impl FuncType {
    /// A function type from its parameters and results.
    pub fn new(
        params: impl IntoIterator<Item = ValType>,
        results: impl IntoIterator<Item = ValType>,
    ) -> FuncType {
        let mut types: Vec<ValType> = params.into_iter().collect();
        let params = types.len();
        types.extend(results);
        FuncType { types: types.into(), params, origin: None }
    }

    /// The parameters.
    pub fn params(&self) -> impl ExactSizeIterator<Item = ValType> + '_ {
        self.params_slice().iter().copied()
    }

    /// The results.
    pub fn results(&self) -> impl ExactSizeIterator<Item = ValType> + '_ {
        self.results_slice().iter().copied()
    }

    /// Parameters and results.
    pub(crate) fn all(&self) -> impl Iterator<Item = ValType> + '_ {
        self.types.iter().copied()
    }

    /// The number in the engine that the type was taken from.
    pub(crate) fn id(&self) -> Option<TypeId> {
        self.origin.as_ref().map(|(_, id)| *id)
    }

    pub(crate) fn params_slice(&self) -> &[ValType] {
        &self.types[..self.params]
    }

    pub(crate) fn results_slice(&self) -> &[ValType] {
        &self.types[self.params..]
    }
}

impl Display for FuncType {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("func")?;
        for (word, types) in [("param", self.params_slice()), ("result", self.results_slice())] {
            if !types.is_empty() {
                write!(f, " ({word}")?;
                for ty in types {
                    write!(f, " {ty}")?;
                }
                f.write_str(")")?;
            }
        }
        Ok(())
    }
}

/// The type of a memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MemoryType {
    pub(crate) minimum: u64,
    pub(crate) maximum: Option<u64>,
    pub(crate) memory64: bool,
    pub(crate) shared: bool,
    pub(crate) page_size_log2: u8,
}

impl MemoryType {
    /// A 32-bit memory; sizes are in pages of 64 KiB.
    pub fn new(minimum: u32, maximum: Option<u32>) -> MemoryType {
        MemoryType {
            minimum: minimum.into(),
            maximum: maximum.map(Into::into),
            memory64: false,
            shared: false,
            page_size_log2: 16,
        }
    }

    /// A 64-bit memory; sizes are in pages of 64 KiB.
    pub fn new64(minimum: u64, maximum: Option<u64>) -> MemoryType {
        MemoryType { minimum, maximum, memory64: true, shared: false, page_size_log2: 16 }
    }

    /// A 32-bit memory that threads can share; sizes are in pages of 64 KiB.
    pub fn shared(minimum: u32, maximum: u32) -> MemoryType {
        MemoryType { shared: true, ..MemoryType::new(minimum, Some(maximum)) }
    }

    /// A memory with settings of its own.
    pub fn builder() -> MemoryTypeBuilder {
        MemoryTypeBuilder::new()
    }

    /// The initial size in pages.
    pub fn minimum(&self) -> u64 {
        self.minimum
    }

    /// The largest size in pages, if there is one.
    pub fn maximum(&self) -> Option<u64> {
        self.maximum
    }

    /// Whether addresses are 64 bits wide.
    pub fn is_64(&self) -> bool {
        self.memory64
    }

    /// Whether threads may share it.
    pub fn is_shared(&self) -> bool {
        self.shared
    }

    /// Bytes in a page.
    pub fn page_size(&self) -> u64 {
        1 << self.page_size_log2
    }

    /// The binary logarithm of that.
    pub fn page_size_log2(&self) -> u8 {
        self.page_size_log2
    }
}

/// Builds a [`MemoryType`] of any kind.
///
/// ```
/// use zwasm::MemoryTypeBuilder;
/// let bytes = MemoryTypeBuilder::new().min(10).max(Some(20)).page_size_log2(0).build()?;
/// assert_eq!((bytes.minimum(), bytes.page_size()), (10, 1));
/// # Ok::<(), zwasm::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct MemoryTypeBuilder(MemoryType);

impl Default for MemoryTypeBuilder {
    fn default() -> MemoryTypeBuilder {
        MemoryTypeBuilder::new()
    }
}

impl MemoryTypeBuilder {
    /// A 32-bit memory of no pages at first and without a maximum.
    pub fn new() -> MemoryTypeBuilder {
        MemoryTypeBuilder(MemoryType::new(0, None))
    }

    /// The initial size in pages.
    pub fn min(&mut self, minimum: u64) -> &mut Self {
        self.0.minimum = minimum;
        self
    }

    /// The largest size in pages, if there is to be one.
    pub fn max(&mut self, maximum: Option<u64>) -> &mut Self {
        self.0.maximum = maximum;
        self
    }

    /// Whether addresses are 64 bits wide.
    pub fn memory64(&mut self, memory64: bool) -> &mut Self {
        self.0.memory64 = memory64;
        self
    }

    /// Whether threads may share it.
    pub fn shared(&mut self, shared: bool) -> &mut Self {
        self.0.shared = shared;
        self
    }

    /// The binary logarithm of the bytes in a page: 16 or 0.
    pub fn page_size_log2(&mut self, page_size_log2: u8) -> &mut Self {
        self.0.page_size_log2 = page_size_log2;
        self
    }

    /// The type.
    ///
    /// # Errors
    ///
    /// If the maximum is below the minimum or missing though the memory is shared, pages
    /// have another size than these, or a size is beyond what addresses reach.
    pub fn build(&self) -> Result<MemoryType> {
        let ty = self.0;
        if ty.maximum.is_some_and(|maximum| maximum < ty.minimum) {
            return Err(Error::msg(
                "maximum page size cannot be smaller than the minimum page size",
            ));
        }
        if !matches!(ty.page_size_log2, 0 | 16) {
            return Err(Error::msg(format!(
                "page size must be 2**16 or 2**0, but was given 2**{}",
                ty.page_size_log2
            )));
        }
        if ty.shared && ty.maximum.is_none() {
            return Err(Error::msg("shared memories must have a maximum size"));
        }
        // No memory has all that 64 bits can address.
        let reach: u128 = if ty.memory64 { u128::from(u64::MAX) } else { 1 << 32 };
        let bytes = |pages: u64| u128::from(pages) << ty.page_size_log2;
        for (what, pages) in [("minimum", Some(ty.minimum)), ("maximum", ty.maximum)] {
            if pages.is_some_and(|pages| bytes(pages) > reach) {
                return Err(Error::msg(format!(
                    "{what} size is too large for this memory type's index type"
                )));
            }
        }
        Ok(ty)
    }
}

impl Display for MemoryType {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "memory {}{}", if self.memory64 { "i64 " } else { "" }, self.minimum)?;
        if let Some(maximum) = self.maximum {
            write!(f, " {maximum}")?;
        }
        if self.shared {
            f.write_str(" shared")?;
        }
        if self.page_size_log2 != 16 {
            write!(f, " (pagesize {})", self.page_size())?;
        }
        Ok(())
    }
}

/// The type of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct TableType {
    pub(crate) element: RefType,
    pub(crate) minimum: u64,
    pub(crate) maximum: Option<u64>,
    pub(crate) table64: bool,
}

impl TableType {
    /// A table with 32-bit indices.
    pub fn new(element: RefType, minimum: u32, maximum: Option<u32>) -> TableType {
        TableType {
            element,
            minimum: minimum.into(),
            maximum: maximum.map(Into::into),
            table64: false,
        }
    }

    /// A table with 64-bit indices.
    pub fn new64(element: RefType, minimum: u64, maximum: Option<u64>) -> TableType {
        TableType { element, minimum, maximum, table64: true }
    }

    /// The type of the elements.
    pub fn element(&self) -> RefType {
        self.element
    }

    /// The initial size in elements.
    pub fn minimum(&self) -> u64 {
        self.minimum
    }

    /// The largest size in elements, if there is one.
    pub fn maximum(&self) -> Option<u64> {
        self.maximum
    }

    /// Whether indices are 64 bits wide.
    pub fn is_64(&self) -> bool {
        self.table64
    }
}

impl Display for TableType {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "table {}{}", if self.table64 { "i64 " } else { "" }, self.minimum)?;
        if let Some(maximum) = self.maximum {
            write!(f, " {maximum}")?;
        }
        write!(f, " {}", self.element)
    }
}

/// Whether a global can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mutability {
    /// It keeps its initial value.
    Const,
    /// It can be written.
    Var,
}

impl Mutability {
    /// Whether it keeps its initial value.
    pub fn is_const(&self) -> bool {
        *self == Mutability::Const
    }

    /// Whether it can be written.
    pub fn is_var(&self) -> bool {
        *self == Mutability::Var
    }
}

/// The type of a global.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct GlobalType {
    content: ValType,
    mutability: Mutability,
}

impl GlobalType {
    /// A global type.
    pub fn new(content: ValType, mutability: Mutability) -> GlobalType {
        GlobalType { content, mutability }
    }

    /// The type of the value.
    pub fn content(&self) -> ValType {
        self.content
    }

    /// Whether it can be written.
    pub fn mutability(&self) -> Mutability {
        self.mutability
    }
}

impl Display for GlobalType {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.mutability {
            Mutability::Const => write!(f, "global {}", self.content),
            Mutability::Var => write!(f, "global (mut {})", self.content),
        }
    }
}

/// The type of an exception tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TagType {
    func: FuncType,
}

impl TagType {
    /// A tag whose payload is the function type's parameters.
    pub fn new(func: FuncType) -> TagType {
        TagType { func }
    }

    /// The function type whose parameters are the payload.
    pub fn ty(&self) -> &FuncType {
        &self.func
    }
}

impl Display for TagType {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("tag")?;
        if self.func.params > 0 {
            f.write_str(" (param")?;
            for ty in self.func.params() {
                write!(f, " {ty}")?;
            }
            f.write_str(")")?;
        }
        Ok(())
    }
}

/// The type of something imported or exported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ExternType {
    /// A function.
    Func(FuncType),
    /// A table.
    Table(TableType),
    /// A memory.
    Memory(MemoryType),
    /// A global.
    Global(GlobalType),
    /// An exception tag.
    Tag(TagType),
}

impl Display for ExternType {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            ExternType::Func(ty) => ty.fmt(f),
            ExternType::Table(ty) => ty.fmt(f),
            ExternType::Memory(ty) => ty.fmt(f),
            ExternType::Global(ty) => ty.fmt(f),
            ExternType::Tag(ty) => ty.fmt(f),
        }
    }
}
