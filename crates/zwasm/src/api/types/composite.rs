//! The types of structures, arrays and exceptions.
//!
//! A [`StructType`] or [`ArrayType`] names a defined type of an engine: the one a
//! module declares, or one given field by field, which is the same type as any
//! module's with the same declaration.

use std::fmt::{self, Debug, Display, Formatter};
use std::hash::{Hash, Hasher};

use super::func::FuncType;
use super::items::TagType;
use super::{RefType, ValType};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::types::{self, Composite, Held, Mutability, SubType, TypeId};

/// Fields that a structure of a module may have.
const MAX_STRUCT_FIELDS: usize = 10_000;

/// Whether there may be subtypes of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Finality {
    /// There are none.
    Final,
    /// There may be.
    NonFinal,
}

impl Finality {
    /// Whether there are none.
    pub fn is_final(&self) -> bool {
        *self == Finality::Final
    }

    /// Whether there may be.
    pub fn is_non_final(&self) -> bool {
        *self == Finality::NonFinal
    }

    pub(super) fn of(engine: &Engine, id: TypeId) -> Finality {
        match engine.types().read().get(id).is_final {
            true => Finality::Final,
            false => Finality::NonFinal,
        }
    }
}

/// Defines a type, which stands alone in its group.
pub(super) fn define(
    engine: &Engine,
    finality: Finality,
    supertype: Option<(&Engine, TypeId)>,
    composite: Composite,
) -> Result<Held> {
    match &composite {
        Composite::Func(ty) => engine.types().check(ty.all())?,
        Composite::Struct(fields) => {
            engine.types().check(fields.iter().map(|field| field.storage.unpack()))?;
        }
        Composite::Array(field) => engine.types().check([field.storage.unpack()])?,
    }
    if let Some((of, above)) = supertype {
        if !Engine::same(engine, of) {
            return Err(Error::msg("the supertype is a type of another engine"));
        }
        let types = engine.types().read();
        let above = types.get(above);
        if above.is_final {
            return Err(Error::msg("cannot create a subtype of a final supertype"));
        }
        if !types.composite_matches(&composite, &above.composite) {
            return Err(Error::msg("the type does not match its supertype"));
        }
    }
    let ty = SubType {
        is_final: finality.is_final(),
        supertype: supertype.map(|(_, above)| above),
        composite,
    };
    let held = engine.types().intern(vec![ty]);
    held.ok_or_else(|| Error::msg("the type has too many supertypes"))
}

/// What a field or an array element stores.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum StorageType {
    /// The low 8 bits of an `i32`.
    I8,
    /// The low 16 bits of an `i32`.
    I16,
    /// A value.
    ValType(ValType),
}

impl StorageType {
    /// Whether this is an `i8`.
    pub fn is_i8(&self) -> bool {
        matches!(self, StorageType::I8)
    }

    /// Whether this is an `i16`.
    pub fn is_i16(&self) -> bool {
        matches!(self, StorageType::I16)
    }

    /// Whether this is a value.
    pub fn is_val_type(&self) -> bool {
        matches!(self, StorageType::ValType(_))
    }

    /// The type of the value, if it is stored whole.
    pub fn as_val_type(&self) -> Option<&ValType> {
        match self {
            StorageType::ValType(ty) => Some(ty),
            StorageType::I8 | StorageType::I16 => None,
        }
    }

    /// The type of the value.
    ///
    /// # Panics
    ///
    /// If it is packed.
    #[track_caller]
    pub fn unwrap_val_type(&self) -> &ValType {
        self.as_val_type().expect("the value is stored whole")
    }

    /// The type of the values that are read and written.
    pub fn unpack(&self) -> &ValType {
        self.as_val_type().unwrap_or(&ValType::I32)
    }

    /// Whether what is stored as this can be read as the other.
    pub fn matches(&self, other: &StorageType) -> bool {
        match (self, other) {
            (StorageType::ValType(a), StorageType::ValType(b)) => a.matches(b),
            _ => self == other,
        }
    }

    fn inner(&self) -> types::StorageType {
        match self {
            StorageType::I8 => types::StorageType::I8,
            StorageType::I16 => types::StorageType::I16,
            StorageType::ValType(ty) => types::StorageType::ValType(ty.inner()),
        }
    }
}

impl From<ValType> for StorageType {
    fn from(ty: ValType) -> StorageType {
        StorageType::ValType(ty)
    }
}

impl From<RefType> for StorageType {
    fn from(ty: RefType) -> StorageType {
        StorageType::ValType(ty.into())
    }
}

impl Display for StorageType {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            StorageType::I8 => f.write_str("i8"),
            StorageType::I16 => f.write_str("i16"),
            StorageType::ValType(ty) => Display::fmt(ty, f),
        }
    }
}

/// A field of a structure, or the element of an array.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FieldType {
    mutability: Mutability,
    element_type: StorageType,
}

impl FieldType {
    /// A field that stores this.
    pub fn new(mutability: Mutability, element_type: StorageType) -> FieldType {
        FieldType { mutability, element_type }
    }

    /// Whether it can be written.
    pub fn mutability(&self) -> Mutability {
        self.mutability
    }

    /// What is stored.
    pub fn element_type(&self) -> &StorageType {
        &self.element_type
    }

    /// Whether a field of this type can be used as one of the other.
    pub fn matches(&self, other: &FieldType) -> bool {
        self.mutability == other.mutability
            && match self.mutability {
                Mutability::Var => self.element_type == other.element_type,
                Mutability::Const => self.element_type.matches(&other.element_type),
            }
    }

    pub(crate) fn of(engine: &Engine, ty: types::FieldType) -> FieldType {
        let element_type = match ty.storage {
            types::StorageType::I8 => StorageType::I8,
            types::StorageType::I16 => StorageType::I16,
            types::StorageType::ValType(ty) => StorageType::ValType(ValType::of(engine, ty)),
        };
        FieldType { mutability: ty.mutability(), element_type }
    }

    fn inner(&self) -> types::FieldType {
        types::FieldType { storage: self.element_type.inner(), mutable: self.mutability.is_var() }
    }
}

impl Display for FieldType {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.mutability {
            Mutability::Const => Display::fmt(&self.element_type, f),
            Mutability::Var => write!(f, "(mut {})", self.element_type),
        }
    }
}

macro_rules! defined_type {
    ($ty:ident $composite:ident) => {
        impl $ty {
            /// The engine.
            pub fn engine(&self) -> &Engine {
                &self.engine
            }

            /// Whether there may be subtypes.
            pub fn finality(&self) -> Finality {
                Finality::of(&self.engine, self.id)
            }

            /// The supertype, if one was declared.
            pub fn supertype(&self) -> Option<$ty> {
                let above = self.engine.types().read().get(self.id).supertype?;
                $ty::of(&self.engine, above)
            }

            /// Whether this type is the other or declares it as an ancestor.
            pub fn matches(&self, other: &$ty) -> bool {
                self.engine.types().read().heap_matches(self.heap_type(), other.heap_type())
            }

            pub(crate) fn heap_type(&self) -> types::HeapType {
                self.engine.types().heap_type(self.id)
            }

            /// The number, and what keeps it defined.
            pub(crate) fn defined(&self) -> (TypeId, &Held) {
                (self.id, &self.held)
            }

            /// The type with this number, if it is one of these.
            pub(crate) fn of(engine: &Engine, id: TypeId) -> Option<$ty> {
                let types = engine.types().read();
                let Composite::$composite(contents) = &types.find(id)?.composite else {
                    return None;
                };
                let (contents, held) = (contents.clone(), types.held(id)?);
                Some($ty { engine: engine.clone(), id, held, contents })
            }
        }

        /// Whether both are the same type of the same engine.
        impl PartialEq for $ty {
            fn eq(&self, other: &Self) -> bool {
                self.id == other.id && Engine::same(&self.engine, &other.engine)
            }
        }

        impl Eq for $ty {}

        impl Hash for $ty {
            fn hash<H: Hasher>(&self, state: &mut H) {
                self.id.hash(state);
            }
        }

        impl Debug for $ty {
            fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($ty), "({})"), self)
            }
        }
    };
}

/// The type of a structure.
#[derive(Clone)]
pub struct StructType {
    engine: Engine,
    id: TypeId,
    /// Keeps it defined.
    held: Held,
    contents: std::sync::Arc<[types::FieldType]>,
}

defined_type!(StructType Struct);

impl StructType {
    /// The final type without a supertype that has these fields.
    ///
    /// # Errors
    ///
    /// If there are more fields than a module may declare, or one refers to a
    /// type of another engine.
    pub fn new(engine: &Engine, fields: impl IntoIterator<Item = FieldType>) -> Result<StructType> {
        StructType::with_finality_and_supertype(engine, Finality::Final, None, fields)
    }

    /// A structure type with a supertype, or of which there may be subtypes.
    ///
    /// # Errors
    ///
    /// As [`StructType::new`], and if the supertype is final or the type does not match it.
    pub fn with_finality_and_supertype(
        engine: &Engine,
        finality: Finality,
        supertype: Option<&StructType>,
        fields: impl IntoIterator<Item = FieldType>,
    ) -> Result<StructType> {
        // The types of fields are kept until they are part of another.
        let fields: Vec<FieldType> = fields.into_iter().collect();
        if fields.len() > MAX_STRUCT_FIELDS {
            return Err(Error::msg(format!(
                "a structure of {} fields: at most {MAX_STRUCT_FIELDS} are allowed",
                fields.len()
            )));
        }
        let contents: std::sync::Arc<[types::FieldType]> =
            fields.iter().map(FieldType::inner).collect();
        let above = supertype.map(|ty| (&ty.engine, ty.id));
        let held = define(engine, finality, above, Composite::Struct(contents.clone()))?;
        Ok(StructType { engine: engine.clone(), id: held.ids()[0], held, contents })
    }

    /// A field, if there are so many.
    pub fn field(&self, index: usize) -> Option<FieldType> {
        Some(FieldType::of(&self.engine, *self.contents.get(index)?))
    }

    /// The fields.
    pub fn fields(&self) -> impl ExactSizeIterator<Item = FieldType> + '_ {
        self.contents.iter().map(|&field| FieldType::of(&self.engine, field))
    }

    /// The fields as they are below the interface.
    pub(crate) fn inner_fields(&self) -> &[types::FieldType] {
        &self.contents
    }
}

impl Display for StructType {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("(struct")?;
        self.fields().try_for_each(|field| write!(f, " (field {field})"))?;
        f.write_str(")")
    }
}

/// The type of an array.
#[derive(Clone)]
pub struct ArrayType {
    engine: Engine,
    id: TypeId,
    /// Keeps it defined.
    held: Held,
    contents: types::FieldType,
}

defined_type!(ArrayType Array);

impl ArrayType {
    /// The final type without a supertype that has these elements.
    ///
    /// # Panics
    ///
    /// If the element refers to a type of another engine.
    #[track_caller]
    pub fn new(engine: &Engine, field_type: FieldType) -> ArrayType {
        let made =
            ArrayType::with_finality_and_supertype(engine, Finality::Final, None, field_type);
        match made {
            Ok(ty) => ty,
            Err(error) => panic!("{error}"),
        }
    }

    /// An array type with a supertype, or of which there may be subtypes.
    ///
    /// # Errors
    ///
    /// If the element refers to a type of another engine, the supertype is final, or the
    /// type does not match it.
    pub fn with_finality_and_supertype(
        engine: &Engine,
        finality: Finality,
        supertype: Option<&ArrayType>,
        field_type: FieldType,
    ) -> Result<ArrayType> {
        let contents = field_type.inner();
        let above = supertype.map(|ty| (&ty.engine, ty.id));
        let held = define(engine, finality, above, Composite::Array(contents))?;
        Ok(ArrayType { engine: engine.clone(), id: held.ids()[0], held, contents })
    }

    /// The elements.
    pub fn field_type(&self) -> FieldType {
        FieldType::of(&self.engine, self.contents)
    }

    /// Whether elements can be written.
    pub fn mutability(&self) -> Mutability {
        self.contents.mutability()
    }

    /// What an element stores.
    pub fn element_type(&self) -> StorageType {
        self.field_type().element_type
    }

    /// The elements as they are below the interface.
    pub(crate) fn inner_field(&self) -> types::FieldType {
        self.contents
    }
}

impl Display for ArrayType {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "(array {})", self.field_type())
    }
}

/// The type of an exception: that of the tags it can be made with.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ExnType {
    func: FuncType,
}

impl ExnType {
    /// Exceptions that carry values of these types.
    ///
    /// # Errors
    ///
    /// If one is a type of another engine.
    pub fn new(engine: &Engine, fields: impl IntoIterator<Item = ValType>) -> Result<ExnType> {
        Ok(ExnType { func: FuncType::try_new(engine, fields, [])? })
    }

    /// Exceptions that are made with a tag of this type.
    ///
    /// # Errors
    ///
    /// If the tag has results.
    pub fn from_tag_type(tag: &TagType) -> Result<ExnType> {
        if tag.ty().results().len() > 0 {
            return Err(Error::msg("an exception's tag has no results"));
        }
        Ok(ExnType { func: tag.ty().clone() })
    }

    /// The type of the tags.
    pub fn tag_type(&self) -> TagType {
        TagType::new(self.func.clone())
    }

    /// A value that is carried, if there are so many: always constant.
    pub fn field(&self, index: usize) -> Option<FieldType> {
        let ty = self.func.param(index)?;
        Some(FieldType::new(Mutability::Const, StorageType::ValType(ty)))
    }

    /// The values that are carried.
    pub fn fields(&self) -> impl ExactSizeIterator<Item = FieldType> + '_ {
        self.func.params().map(|ty| FieldType::new(Mutability::Const, StorageType::ValType(ty)))
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        self.func.engine()
    }

    /// Whether this type is the other.
    pub fn matches(&self, other: &ExnType) -> bool {
        self == other
    }

    pub(crate) fn func(&self) -> &FuncType {
        &self.func
    }
}

impl Debug for ExnType {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "ExnType({self})")
    }
}

impl Display for ExnType {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("(exn")?;
        self.fields().try_for_each(|field| write!(f, " (field {field})"))?;
        f.write_str(")")
    }
}
