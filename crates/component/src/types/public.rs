//! Types as whoever embeds or prints a component sees them: handles into the table.

use std::sync::Arc;

use super::{FuncIndex, TypeIndex, Types};
use crate::ResourceType;

/// The type of a value.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "each is the type of its name")]
pub enum Type {
    Bool,
    S8,
    U8,
    S16,
    U16,
    S32,
    U32,
    S64,
    U64,
    Float32,
    Float64,
    Char,
    String,
    List(List),
    Map(Map),
    Record(Record),
    Tuple(Tuple),
    Variant(Variant),
    Enum(Enum),
    Option(OptionType),
    Result(ResultType),
    Flags(Flags),
    Own(ResourceType),
    Borrow(ResourceType),
    FixedLengthList(FixedLengthList),
}

/// A type in a table.
#[derive(Clone, Debug)]
struct Handle {
    types: Arc<Types>,
    resources: Arc<[ResourceType]>,
    index: TypeIndex,
}

macro_rules! handles {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug)]
        #[allow(dead_code, reason = "read by the accessors that are to come")]
        pub struct $name(Handle);
    )*};
}

handles! {
    /// `list`
    List
    /// `map`
    Map
    /// `record`
    Record
    /// `tuple`
    Tuple
    /// `variant`
    Variant
    /// `enum`
    Enum
    /// `option`
    OptionType
    /// `result`
    ResultType
    /// `flags`
    Flags
    /// `list` of fixed length
    FixedLengthList
}

/// A field of a record.
pub struct Field<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its type.
    pub ty: Type,
}

/// A case of a variant.
pub struct Case<'a> {
    /// Its name.
    pub name: &'a str,
    /// The type of its payload.
    pub ty: Option<Type>,
}

impl List {
    /// The type of the elements.
    pub fn ty(&self) -> Type {
        todo!()
    }
}

impl FixedLengthList {
    /// The type of the elements.
    pub fn ty(&self) -> Type {
        todo!()
    }
    /// How many there are.
    pub fn len(&self) -> u32 {
        todo!()
    }
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Map {
    /// The type of the keys.
    pub fn key(&self) -> Type {
        todo!()
    }
    /// The type of the values.
    pub fn value(&self) -> Type {
        todo!()
    }
}

impl Record {
    /// The fields in order.
    pub fn fields(&self) -> impl ExactSizeIterator<Item = Field<'_>> {
        std::iter::empty()
    }
}

impl Tuple {
    /// The types in order.
    pub fn types(&self) -> impl ExactSizeIterator<Item = Type> + '_ {
        std::iter::empty()
    }
}

impl Variant {
    /// The cases in order.
    pub fn cases(&self) -> impl ExactSizeIterator<Item = Case<'_>> {
        std::iter::empty()
    }
}

impl Enum {
    /// The names in order.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        std::iter::empty()
    }
}

impl OptionType {
    /// The type of what may be there.
    pub fn ty(&self) -> Type {
        todo!()
    }
}

impl ResultType {
    /// The type of what success gives.
    pub fn ok(&self) -> Option<Type> {
        todo!()
    }
    /// The type of what failure gives.
    pub fn err(&self) -> Option<Type> {
        todo!()
    }
}

impl Flags {
    /// The names in order.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        std::iter::empty()
    }
}

/// The type of a function.
#[derive(Clone, Debug)]
#[allow(dead_code, reason = "read by the accessors that are to come")]
pub struct ComponentFunc {
    types: Arc<Types>,
    resources: Arc<[ResourceType]>,
    index: FuncIndex,
}

impl ComponentFunc {
    /// Names and types of the parameters.
    pub fn params(&self) -> impl ExactSizeIterator<Item = (&str, Type)> + '_ {
        std::iter::empty()
    }
    /// The type of the result, if there is one.
    pub fn results(&self) -> impl ExactSizeIterator<Item = Type> + '_ {
        std::iter::empty()
    }
}

/// The type of something that a component imports or exports.
#[derive(Clone, Debug)]
pub enum ComponentItem {
    /// A function.
    ComponentFunc(ComponentFunc),
    /// A core function.
    CoreFunc(zwasm::FuncType),
    /// A core module.
    Module(Module),
    /// A component.
    Component(Component),
    /// An instance.
    ComponentInstance(ComponentInstance),
    /// A type.
    Type(Type),
    /// A resource.
    Resource(ResourceType),
}

/// The type of a core module.
#[derive(Clone, Debug)]
pub struct Module {}

/// The type of a component: what it imports and exports.
#[derive(Clone, Debug)]
pub struct Component {}

/// The type of an instance: what it exports.
#[derive(Clone, Debug)]
pub struct ComponentInstance {}

impl Module {
    /// What the module imports: the module's name, its name there, its type.
    pub fn imports(&self) -> impl Iterator<Item = (&str, &str, zwasm::ExternType)> + '_ {
        std::iter::empty()
    }
    /// What the module exports.
    pub fn exports(&self) -> impl Iterator<Item = (&str, zwasm::ExternType)> + '_ {
        std::iter::empty()
    }
}

impl Component {
    /// What the component imports, in order.
    pub fn imports(&self) -> impl ExactSizeIterator<Item = (&str, ComponentItem)> + '_ {
        std::iter::empty()
    }
    /// What the component exports, in order.
    pub fn exports(&self) -> impl ExactSizeIterator<Item = (&str, ComponentItem)> + '_ {
        std::iter::empty()
    }
}

impl ComponentInstance {
    /// What the instance exports, in order.
    pub fn exports(&self) -> impl ExactSizeIterator<Item = (&str, ComponentItem)> + '_ {
        std::iter::empty()
    }
}
