//! Types as whoever embeds or prints a component sees them: handles into the table.

use std::sync::Arc;

use super::items::{ComponentItems, ItemType, Items, ModuleItems};
use super::{Defined, FuncIndex, InterfaceType, TypeIndex, Types};
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
    Stream(StreamType),
    Future(FutureType),
    ErrorContext,
}

impl Type {
    /// A type of a table, in which a place among the resources is one of `resources`.
    pub(crate) fn new(
        types: &Arc<Types>,
        resources: &Arc<[ResourceType]>,
        ty: InterfaceType,
    ) -> Type {
        use InterfaceType as T;
        let index = match ty {
            T::Bool => return Type::Bool,
            T::S8 => return Type::S8,
            T::U8 => return Type::U8,
            T::S16 => return Type::S16,
            T::U16 => return Type::U16,
            T::S32 => return Type::S32,
            T::U32 => return Type::U32,
            T::S64 => return Type::S64,
            T::U64 => return Type::U64,
            T::F32 => return Type::Float32,
            T::F64 => return Type::Float64,
            T::Char => return Type::Char,
            T::String => return Type::String,
            T::Own(index) => return Type::Own(resources[index.0 as usize]),
            T::Borrow(index) => return Type::Borrow(resources[index.0 as usize]),
            T::ErrorContext => return Type::ErrorContext,
            T::Defined(index) => index,
        };
        let handle = Handle { types: types.clone(), resources: resources.clone(), index };
        match &types[index] {
            Defined::Record(_) => Type::Record(Record(handle)),
            Defined::Tuple(_) => Type::Tuple(Tuple(handle)),
            Defined::Variant(_) => Type::Variant(Variant(handle)),
            Defined::Enum(_) => Type::Enum(Enum(handle)),
            Defined::Option(_) => Type::Option(OptionType(handle)),
            Defined::Result { .. } => Type::Result(ResultType(handle)),
            Defined::Flags(_) => Type::Flags(Flags(handle)),
            Defined::List(_) => Type::List(List(handle)),
            Defined::FixedList(..) => Type::FixedLengthList(FixedLengthList(handle)),
            Defined::Map(..) => Type::Map(Map(handle)),
            Defined::Stream(_) => Type::Stream(StreamType(handle)),
            Defined::Future(_) => Type::Future(FutureType(handle)),
        }
    }

    /// The place in its table of a type with parts.
    pub(crate) fn index(&self) -> Option<TypeIndex> {
        match self {
            Type::Bool
            | Type::S8
            | Type::U8
            | Type::S16
            | Type::U16
            | Type::S32
            | Type::U32
            | Type::S64
            | Type::U64
            | Type::Float32
            | Type::Float64
            | Type::Char
            | Type::String
            | Type::Own(_)
            | Type::Borrow(_)
            | Type::ErrorContext => None,
            Type::List(List(handle))
            | Type::Map(Map(handle))
            | Type::Record(Record(handle))
            | Type::Tuple(Tuple(handle))
            | Type::Variant(Variant(handle))
            | Type::Enum(Enum(handle))
            | Type::Option(OptionType(handle))
            | Type::Result(ResultType(handle))
            | Type::Flags(Flags(handle))
            | Type::FixedLengthList(FixedLengthList(handle))
            | Type::Stream(StreamType(handle))
            | Type::Future(FutureType(handle)) => Some(handle.index),
        }
    }
}

/// A type in a table.
#[derive(Clone)]
struct Handle {
    types: Arc<Types>,
    resources: Arc<[ResourceType]>,
    index: TypeIndex,
}

impl Handle {
    fn defined(&self) -> &Defined {
        &self.types[self.index]
    }

    /// A type that this one is made of.
    fn part(&self, ty: InterfaceType) -> Type {
        Type::new(&self.types, &self.resources, ty)
    }
}

impl std::fmt::Debug for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.defined().fmt(f)
    }
}

macro_rules! handles {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $name(Handle);
    )*};
}

/// What [`Type::new`] checked.
macro_rules! expect {
    ($handle:expr, $pattern:pat => $value:expr) => {
        match $handle.defined() {
            $pattern => $value,
            other => unreachable!("a handle of another type: {other:?}"),
        }
    };
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
    /// `stream`
    StreamType
    /// `future`
    FutureType
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
        expect!(self.0, Defined::List(ty) => self.0.part(*ty))
    }
}

impl FixedLengthList {
    /// The type of the elements.
    pub fn ty(&self) -> Type {
        expect!(self.0, Defined::FixedList(ty, _) => self.0.part(*ty))
    }
    /// How many there are.
    pub fn len(&self) -> u32 {
        expect!(self.0, Defined::FixedList(_, length) => *length)
    }
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Map {
    /// The type of the keys.
    pub fn key(&self) -> Type {
        expect!(self.0, Defined::Map(key, _) => self.0.part(*key))
    }
    /// The type of the values.
    pub fn value(&self) -> Type {
        expect!(self.0, Defined::Map(_, value) => self.0.part(*value))
    }
}

impl Record {
    /// The fields in order.
    pub fn fields(&self) -> impl ExactSizeIterator<Item = Field<'_>> {
        let fields = expect!(self.0, Defined::Record(fields) => fields);
        fields.iter().map(|(name, ty)| Field { name, ty: self.0.part(*ty) })
    }
}

impl Tuple {
    /// The types in order.
    pub fn types(&self) -> impl ExactSizeIterator<Item = Type> + '_ {
        let types = expect!(self.0, Defined::Tuple(types) => types);
        types.iter().map(|ty| self.0.part(*ty))
    }
}

impl Variant {
    /// The cases in order.
    pub fn cases(&self) -> impl ExactSizeIterator<Item = Case<'_>> {
        let cases = expect!(self.0, Defined::Variant(cases) => cases);
        cases.iter().map(|(name, ty)| Case { name, ty: ty.map(|ty| self.0.part(ty)) })
    }
}

impl Enum {
    /// The names in order.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        expect!(self.0, Defined::Enum(names) => names).iter().map(|name| &**name)
    }
}

impl OptionType {
    /// The type of what may be there.
    pub fn ty(&self) -> Type {
        expect!(self.0, Defined::Option(ty) => self.0.part(*ty))
    }
}

impl ResultType {
    /// The type of what success gives.
    pub fn ok(&self) -> Option<Type> {
        expect!(self.0, Defined::Result { ok, .. } => ok.map(|ty| self.0.part(ty)))
    }
    /// The type of what failure gives.
    pub fn err(&self) -> Option<Type> {
        expect!(self.0, Defined::Result { err, .. } => err.map(|ty| self.0.part(ty)))
    }
}

impl StreamType {
    /// The type of what moves through it, if anything does.
    pub fn ty(&self) -> Option<Type> {
        expect!(self.0, Defined::Stream(ty) => ty.map(|ty| self.0.part(ty)))
    }
}

impl FutureType {
    /// The type of its value, if it has one.
    pub fn ty(&self) -> Option<Type> {
        expect!(self.0, Defined::Future(ty) => ty.map(|ty| self.0.part(ty)))
    }
}

impl Flags {
    /// The names in order.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        expect!(self.0, Defined::Flags(names) => names).iter().map(|name| &**name)
    }
}

/// The type of a function.
#[derive(Clone)]
pub struct ComponentFunc {
    types: Arc<Types>,
    resources: Arc<[ResourceType]>,
    index: FuncIndex,
}

impl std::fmt::Debug for ComponentFunc {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.types[self.index].fmt(f)
    }
}

impl ComponentFunc {
    /// A function type of a table, as [`Type::new`].
    pub(crate) fn new(
        types: &Arc<Types>,
        resources: &Arc<[ResourceType]>,
        index: FuncIndex,
    ) -> ComponentFunc {
        ComponentFunc { types: types.clone(), resources: resources.clone(), index }
    }
    /// Whether calls may wait.
    pub fn async_(&self) -> bool {
        self.types[self.index].asynchronous
    }
    /// Names and types of the parameters.
    pub fn params(&self) -> impl ExactSizeIterator<Item = (&str, Type)> + '_ {
        let params = self.types[self.index].params.iter();
        params.map(|(name, ty)| (&**name, Type::new(&self.types, &self.resources, *ty)))
    }
    /// The type of the result, if there is one.
    pub fn results(&self) -> impl ExactSizeIterator<Item = Type> + '_ {
        let result = self.types[self.index].result.iter();
        result.map(|ty| Type::new(&self.types, &self.resources, *ty))
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

impl ComponentItem {
    /// The type of an item, as [`Type::new`].
    pub(crate) fn new(
        types: &Arc<Types>,
        resources: &Arc<[ResourceType]>,
        ty: &ItemType,
    ) -> ComponentItem {
        match ty {
            ItemType::Func(ty) => {
                ComponentItem::ComponentFunc(ComponentFunc::new(types, resources, *ty))
            }
            ItemType::Module(items) => ComponentItem::Module(Module(items.clone())),
            ItemType::Instance(items) => ComponentItem::ComponentInstance(ComponentInstance {
                types: types.clone(),
                resources: resources.clone(),
                items: items.clone(),
            }),
            ItemType::Component(items) => {
                ComponentItem::Component(Component::new(types, resources, items))
            }
            ItemType::Value(ty) => ComponentItem::Type(Type::new(types, resources, *ty)),
            ItemType::Resource(index) => ComponentItem::Resource(resources[index.0 as usize]),
        }
    }
}

/// The type of a core module.
#[derive(Clone, Debug)]
pub struct Module(Arc<ModuleItems>);

impl Module {
    /// What the module imports: the module's name, its name there, its type.
    pub fn imports(&self) -> impl Iterator<Item = (&str, &str, zwasm::ExternType)> + '_ {
        let imports = self.0.imports.iter();
        imports.map(|(module, name, ty)| (&**module, &**name, ty.clone()))
    }
    /// What the module exports.
    pub fn exports(&self) -> impl Iterator<Item = (&str, zwasm::ExternType)> + '_ {
        self.0.exports.iter().map(|(name, ty)| (&**name, ty.clone()))
    }
}

/// The type of a component: what it imports and exports.
#[derive(Clone)]
pub struct Component {
    types: Arc<Types>,
    resources: Arc<[ResourceType]>,
    items: Arc<ComponentItems>,
}

impl Component {
    /// The type of a component, as [`Type::new`].
    pub(crate) fn new(
        types: &Arc<Types>,
        resources: &Arc<[ResourceType]>,
        items: &Arc<ComponentItems>,
    ) -> Component {
        Component { types: types.clone(), resources: resources.clone(), items: items.clone() }
    }
    /// What the component imports, in order.
    pub fn imports(&self) -> impl ExactSizeIterator<Item = (&str, ComponentItem)> + '_ {
        named(&self.types, &self.resources, &self.items.imports)
    }
    /// What the component exports, in order.
    pub fn exports(&self) -> impl ExactSizeIterator<Item = (&str, ComponentItem)> + '_ {
        named(&self.types, &self.resources, &self.items.exports)
    }
}

impl std::fmt::Debug for Component {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.items.fmt(f)
    }
}

/// The type of an instance: what it exports.
#[derive(Clone)]
pub struct ComponentInstance {
    types: Arc<Types>,
    resources: Arc<[ResourceType]>,
    items: Arc<Items>,
}

impl ComponentInstance {
    /// What the instance exports, in order.
    pub fn exports(&self) -> impl ExactSizeIterator<Item = (&str, ComponentItem)> + '_ {
        named(&self.types, &self.resources, &self.items)
    }
}

impl std::fmt::Debug for ComponentInstance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.items.fmt(f)
    }
}

fn named<'a>(
    types: &'a Arc<Types>,
    resources: &'a Arc<[ResourceType]>,
    items: &'a Items,
) -> impl ExactSizeIterator<Item = (&'a str, ComponentItem)> + 'a {
    items.iter().map(|(name, ty)| (&**name, ComponentItem::new(types, resources, ty)))
}
