//! How the values of a function type are passed: what is found once when a function is
//! lifted or lowered, so that a call finds nothing.
//!
//! Specification: Canonical ABI, "Flattening", `flatten_functype`.

use zwasm::{Engine, FuncType, ValType};

use crate::types::{Flat, FuncIndex, InterfaceType, TypeIndex, Types};

/// The most core parameters; more values are passed in memory.
const MAX_FLAT_PARAMS: usize = 16;
/// The same of calls that are asynchronous.
const MAX_FLAT_ASYNC_PARAMS: usize = 4;
/// The most core results.
const MAX_FLAT_RESULTS: usize = 1;

/// Slots that any call needs: the parameters, and an address for the result.
pub(crate) const CALL_SLOTS: usize = MAX_FLAT_PARAMS + 1;

/// How one side of a function is passed.
#[derive(Clone, Debug)]
pub(crate) struct Passed {
    /// As a tuple.
    pub(crate) tuple: TypeIndex,
    /// The core types, unless there are too many.
    pub(crate) flat: Option<Box<[Flat]>>,
    pub(crate) size: u32,
    pub(crate) align: u32,
}

impl Passed {
    fn new(types: &Types, tuple: TypeIndex, limit: usize) -> Passed {
        let layout = types.layout(tuple);
        let mut flat = Vec::new();
        let fits = types.flatten(InterfaceType::Defined(tuple), limit, &mut flat);
        Passed { tuple, flat: fits.then(|| flat.into()), size: layout.size, align: layout.align }
    }

    /// The type of the tuple.
    pub(crate) fn ty(&self) -> InterfaceType {
        InterfaceType::Defined(self.tuple)
    }

    fn core(&self) -> Vec<ValType> {
        let spilled = [Flat::I32];
        let flat = self.flat.as_deref().unwrap_or(&spilled);
        flat.iter().map(|flat| flat.core()).collect()
    }

    /// How many core values are passed.
    pub(crate) fn count(&self) -> usize {
        self.flat.as_ref().map_or(1, |flat| flat.len())
    }
}

impl Flat {
    fn core(self) -> ValType {
        match self {
            Flat::I32 => ValType::I32,
            Flat::I64 => ValType::I64,
            Flat::F32 => ValType::F32,
            Flat::F64 => ValType::F64,
        }
    }
}

/// How a function type is passed.
#[derive(Clone, Debug)]
pub(crate) struct Signature {
    pub(crate) params: Passed,
    pub(crate) results: Passed,
    /// Whether calls lend handles.
    pub(crate) borrows: bool,
    /// Whether the core function gives how far the call is, and not its results.
    status: bool,
}

impl Signature {
    pub(crate) fn new(types: &Types, ty: FuncIndex) -> Signature {
        Signature::within(types, ty, MAX_FLAT_PARAMS, MAX_FLAT_RESULTS, false)
    }

    /// How a function is passed that is lifted asynchronously: the results are parameters
    /// of `task.return`.
    pub(crate) fn lifted_async(types: &Types, ty: FuncIndex) -> Signature {
        Signature::within(types, ty, MAX_FLAT_PARAMS, MAX_FLAT_PARAMS, false)
    }

    /// How one is passed that is lowered asynchronously: results come later, in memory.
    pub(crate) fn lowered_async(types: &Types, ty: FuncIndex) -> Signature {
        Signature::within(types, ty, MAX_FLAT_ASYNC_PARAMS, 0, true)
    }

    fn within(
        types: &Types,
        ty: FuncIndex,
        params: usize,
        results: usize,
        status: bool,
    ) -> Signature {
        let tuples = types.tuples(ty);
        Signature {
            params: Passed::new(types, tuples.params, params),
            results: Passed::new(types, tuples.results, results),
            borrows: types.layout(tuples.params).borrows,
            status,
        }
    }

    /// The core parameters of `task.return`.
    pub(crate) fn returned(types: &Types, results: TypeIndex) -> Vec<ValType> {
        Passed::new(types, results, MAX_FLAT_PARAMS).core()
    }

    /// The type of the core function that an import is lowered to.
    pub(crate) fn lowered(&self, engine: &Engine) -> FuncType {
        let mut params = self.params.core();
        match self.results.flat {
            Some(_) if self.status => FuncType::new(engine, params, [ValType::I32]),
            None if self.status => {
                params.push(ValType::I32);
                FuncType::new(engine, params, [ValType::I32])
            }
            Some(_) => FuncType::new(engine, params, self.results.core()),
            None => {
                params.push(ValType::I32);
                FuncType::new(engine, params, [])
            }
        }
    }

    /// The slot in which a caller says where the result is to lie, if it does.
    pub(crate) fn result_slot(&self) -> Option<usize> {
        self.results.flat.is_none().then(|| self.params.count())
    }
}
