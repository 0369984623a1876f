//! Where the exceptions of a function are caught.
//!
//! A table beside the code, read only when something has been thrown: for each
//! part of the code the innermost try around it, and for each try its clauses and
//! the try around it.

use zwasm_regir::inst::Try;
use zwasm_regir::{Function, Label, work};

/// The catch clauses of a function's code.
pub(crate) struct CatchTable {
    /// The bytes from which on another try is the innermost, or none; ascending.
    regions: Box<[(u32, Option<u32>)]>,
    tries: Box<[Try]>,
    clauses: Box<[Clause]>,
}

/// A catch clause.
#[derive(Clone, Copy)]
pub(crate) struct Clause {
    /// The index of the tag it catches; none for all exceptions.
    pub(crate) tag: Option<u32>,
    /// Whether the exception itself follows the values.
    pub(crate) by_ref: bool,
    /// The slot for the first value.
    pub(crate) base: u32,
    /// The byte to continue at.
    pub(crate) target: u32,
}

impl CatchTable {
    /// The table of a function whose labels are at these bytes of its code.
    pub(crate) fn new(
        function: &Function,
        regions: Vec<(u32, Option<u32>)>,
        place: impl Fn(Label) -> u32,
    ) -> CatchTable {
        work::count(function.catches.len() + regions.len());
        let clauses = function.catches.iter().map(|catch| Clause {
            tag: catch.tag,
            by_ref: catch.by_ref,
            base: catch.base.0,
            target: place(catch.target),
        });
        CatchTable {
            regions: regions.into(),
            tries: function.tries.clone().into(),
            clauses: clauses.collect(),
        }
    }

    /// The table of code that has its clauses elsewhere.
    #[cfg(optimizer)]
    pub(crate) fn none() -> CatchTable {
        CatchTable { regions: Box::default(), tries: Box::default(), clauses: Box::default() }
    }

    /// The first clause, from the innermost try around the byte at `position`
    /// outwards, that `catches` accepts.
    pub(crate) fn find(
        &self,
        position: usize,
        mut catches: impl FnMut(&Clause) -> bool,
    ) -> Option<Clause> {
        let after = self.regions.partition_point(|(byte, _)| *byte as usize <= position);
        let mut region = self.regions[..after].last()?.1;
        while let Some(index) = region {
            let Try { parent, first, count } = self.tries[index as usize];
            let clauses = &self.clauses[first as usize..(first + count) as usize];
            if let Some(clause) = clauses.iter().find(|clause| catches(clause)) {
                return Some(*clause);
            }
            region = parent;
        }
        None
    }
}
