//! The guest's frames when something went wrong.

use std::cell::Cell;
use std::fmt::{self, Debug, Display, Formatter};
use std::sync::{Arc, OnceLock};

use crate::module::Module;
use crate::stack::backtrace::Place;
use crate::store::instance::InstanceData;
use crate::store::stored::Stored;
use crate::tuning::BACKTRACE_WORK;

/// One frame of a [`WasmBacktrace`].
#[derive(Clone, Debug)]
pub struct FrameInfo {
    pub(crate) module: Module,
    pub(crate) instance: Stored<InstanceData>,
    pub(crate) func_index: u32,
    pub(crate) func_start: usize,
    pub(crate) func_name: Option<String>,
    pub(crate) offset: Option<usize>,
    /// Found when somebody asks.
    pub(crate) symbols: OnceLock<Vec<FrameSymbol>>,
    /// What its frame held, see [`crate::api::coredump`].
    pub(crate) slots: Option<Arc<[u64]>>,
}

impl FrameInfo {
    /// The function's index in its module.
    pub fn func_index(&self) -> u32 {
        self.func_index
    }

    /// The function's name, from the name section.
    pub fn func_name(&self) -> Option<&str> {
        self.func_name.as_deref()
    }

    /// The module.
    pub fn module(&self) -> &Module {
        &self.module
    }

    /// The module's name, from the name section.
    pub fn module_name(&self) -> Option<&str> {
        self.module.name()
    }

    /// The byte offset in the module of the instruction being executed.
    pub fn module_offset(&self) -> Option<usize> {
        self.offset
    }

    /// The same from the start of the function's body.
    pub fn func_offset(&self) -> Option<usize> {
        self.offset?.checked_sub(self.func_start)
    }

    /// The place in the program's source, if the module has line tables and this build reads
    /// them (feature `addr2line`). Functions inlined there are not told apart.
    pub fn symbols(&self) -> &[FrameSymbol] {
        self.symbols.get_or_init(|| self.find_symbols())
    }

    #[cfg(feature = "addr2line")]
    fn find_symbols(&self) -> Vec<FrameSymbol> {
        let lines = self.offset.map(|offset| self.module.source_lines(&[offset]));
        let lines = lines.into_iter().flatten().flatten();
        let known = |number: u32| (number > 0).then_some(number);
        lines
            .map(|line| FrameSymbol {
                name: self.func_name.clone(),
                line: known(line.line),
                column: known(line.column),
                file: line.file,
            })
            .collect()
    }

    #[cfg(not(feature = "addr2line"))]
    fn find_symbols(&self) -> Vec<FrameSymbol> {
        Vec::new()
    }
}

/// A place in a program's source, see [`FrameInfo::symbols`].
#[derive(Clone, Debug)]
pub struct FrameSymbol {
    name: Option<String>,
    file: String,
    line: Option<u32>,
    column: Option<u32>,
}

impl FrameSymbol {
    /// The function's name.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The file's name.
    pub fn file(&self) -> Option<&str> {
        Some(&self.file)
    }

    /// The line, from 1.
    pub fn line(&self) -> Option<u32> {
        self.line
    }

    /// The column, from 1.
    pub fn column(&self) -> Option<u32> {
        self.column
    }
}

/// What the places of a backtrace are.
#[derive(Clone, Default)]
struct Frames {
    kept: Vec<FrameInfo>,
    /// Whether there were more.
    more: bool,
}

/// The guest's frames, innermost first.
#[derive(Clone, Default)]
pub struct WasmBacktrace {
    pub(crate) places: Vec<Place>,
    /// What the places are, once somebody has asked.
    frames: OnceLock<Frames>,
    /// How many frames there are at most. One place may be several, of inlined functions.
    pub(crate) limit: usize,
    /// Frames beyond the ones kept.
    pub(crate) omitted: bool,
}

impl WasmBacktrace {
    /// The frames, innermost first; deep stacks keep only the innermost ones.
    pub fn frames(&self) -> &[FrameInfo] {
        &self.described().kept
    }

    fn described(&self) -> &Frames {
        self.frames.get_or_init(|| {
            let mut kept = Vec::with_capacity(self.places.len());
            let left = Cell::new(BACKTRACE_WORK);
            let stop = || left.replace(left.get().saturating_sub(1)) == 0;
            self.places.iter().for_each(|place| place.describe(&mut kept, &stop));
            let more = self.omitted || kept.len() > self.limit;
            kept.truncate(self.limit);
            Frames { kept, more }
        })
    }
}

impl Debug for WasmBacktrace {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("WasmBacktrace").field("frames", &self.frames()).finish_non_exhaustive()
    }
}

/// The context of an error: a line that says so, and a line for each frame.
impl Display for WasmBacktrace {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("error while executing at wasm backtrace:")?;
        for (number, frame) in self.frames().iter().enumerate() {
            write!(f, "\n  {number:>3}: ")?;
            if let Some(offset) = frame.offset {
                write!(f, "{offset:#8x} - ")?;
            }
            write!(f, "{}!", frame.module_name().unwrap_or("<unknown>"))?;
            match &frame.func_name {
                Some(name) => f.write_str(name)?,
                None => write!(f, "<wasm function {}>", frame.func_index)?,
            }
        }
        if self.described().more {
            f.write_str("\n       …")?;
        }
        Ok(())
    }
}
