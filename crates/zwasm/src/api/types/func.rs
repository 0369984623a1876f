//! The types of functions.

use std::fmt::{self, Display, Formatter};
use std::hash::{Hash, Hasher};

use super::ValType;
use super::composite::{Finality, define};
use crate::engine::Engine;
use crate::error::Result;
use crate::types::{self, Composite, TypeId};

/// The type of a function: a defined type of an engine.
///
/// ```
/// use zwasm::{Engine, FuncType, ValType};
/// let engine = Engine::default();
/// let ty = FuncType::new(&engine, [ValType::I32, ValType::I32], [ValType::I64]);
/// assert_eq!(ty.to_string(), "func (param i32 i32) (result i64)");
/// assert_eq!(ty.param(1), Some(ValType::I32));
/// ```
#[derive(Clone)]
pub struct FuncType {
    engine: Engine,
    /// Taken from the engine, which gives its number.
    ty: types::FuncType,
}

impl FuncType {
    /// The final function type without a supertype that has these parameters and results.
    ///
    /// # Panics
    ///
    /// If one of them is a type of another engine.
    #[track_caller]
    pub fn new(
        engine: &Engine,
        params: impl IntoIterator<Item = ValType>,
        results: impl IntoIterator<Item = ValType>,
    ) -> FuncType {
        match FuncType::try_new(engine, params, results) {
            Ok(ty) => ty,
            Err(error) => panic!("{error}"),
        }
    }

    /// As [`FuncType::new`].
    ///
    /// # Errors
    ///
    /// If one of the types is of another engine.
    pub fn try_new(
        engine: &Engine,
        params: impl IntoIterator<Item = ValType>,
        results: impl IntoIterator<Item = ValType>,
    ) -> Result<FuncType> {
        FuncType::with_finality_and_supertype(engine, Finality::Final, None, params, results)
    }

    /// A function type with a supertype, or of which there may be subtypes.
    ///
    /// # Errors
    ///
    /// If the supertype is final or the type does not match it, or one of the types is of
    /// another engine.
    pub fn with_finality_and_supertype(
        engine: &Engine,
        finality: Finality,
        supertype: Option<&FuncType>,
        params: impl IntoIterator<Item = ValType>,
        results: impl IntoIterator<Item = ValType>,
    ) -> Result<FuncType> {
        // The types are kept until they are part of another.
        let params: Vec<ValType> = params.into_iter().collect();
        let results: Vec<ValType> = results.into_iter().collect();
        let ty = types::FuncType::new(
            params.iter().map(ValType::inner),
            results.iter().map(ValType::inner),
        );
        let above = supertype.map(|ty| (&ty.engine, ty.id()));
        let held = define(engine, finality, above, Composite::Func(ty))?;
        Ok(FuncType { engine: engine.clone(), ty: engine.types().func_type(held.ids()[0]) })
    }

    pub(crate) fn of(engine: &Engine, ty: types::FuncType) -> FuncType {
        FuncType { engine: engine.clone(), ty: engine.types().define_func(ty) }
    }

    /// The type as it is below the interface.
    pub(crate) fn inner(&self) -> &types::FuncType {
        &self.ty
    }

    fn id(&self) -> TypeId {
        self.ty.id().expect("the type was taken from its engine")
    }

    pub(crate) fn heap_type(&self) -> types::HeapType {
        self.engine.types().heap_type(self.id())
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Whether there may be subtypes.
    pub fn finality(&self) -> Finality {
        Finality::of(&self.engine, self.id())
    }

    /// The supertype, if one was declared.
    pub fn supertype(&self) -> Option<FuncType> {
        let above = self.engine.types().read().get(self.id()).supertype?;
        Some(FuncType { engine: self.engine.clone(), ty: self.engine.types().func_type(above) })
    }

    /// A parameter, if there are so many.
    pub fn param(&self, index: usize) -> Option<ValType> {
        Some(ValType::of(&self.engine, *self.ty.params_slice().get(index)?))
    }

    /// The parameters.
    pub fn params(&self) -> impl ExactSizeIterator<Item = ValType> + '_ {
        self.ty.params().map(|ty| ValType::of(&self.engine, ty))
    }

    /// A result, if there are so many.
    pub fn result(&self, index: usize) -> Option<ValType> {
        Some(ValType::of(&self.engine, *self.ty.results_slice().get(index)?))
    }

    /// The results.
    pub fn results(&self) -> impl ExactSizeIterator<Item = ValType> + '_ {
        self.ty.results().map(|ty| ValType::of(&self.engine, ty))
    }

    /// Whether a function of this type can be used as one of the other: this type is the
    /// other or declares it as an ancestor, or takes what the other takes and gives what
    /// it gives.
    pub fn matches(&self, other: &FuncType) -> bool {
        let types = self.engine.types().read();
        let (ours, theirs) = (self.heap_type(), other.heap_type());
        if types.heap_matches(ours, theirs) {
            return true;
        }
        let all = |a: &[types::ValType], b: &[types::ValType]| {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| types.val_matches(*a, *b))
        };
        Engine::same(&self.engine, &other.engine)
            && all(other.ty.params_slice(), self.ty.params_slice())
            && all(self.ty.results_slice(), other.ty.results_slice())
    }
}

/// Whether both are the same type of the same engine.
impl PartialEq for FuncType {
    fn eq(&self, other: &FuncType) -> bool {
        self.id() == other.id() && Engine::same(&self.engine, &other.engine)
    }
}

impl Eq for FuncType {}

impl Hash for FuncType {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id().hash(state);
    }
}

impl fmt::Debug for FuncType {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "FuncType({self})")
    }
}

impl Display for FuncType {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.ty.fmt(f)
    }
}
