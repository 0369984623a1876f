//! The code of functions, as those who walk frames know it, whichever tier made it.
//!
//! A body starts with the size of its frames in bytes and continues with words
//! through which handlers jump: threaded code, or the address of machine code.
//! Every place in the code is named by its byte offset from there.

pub(crate) mod catches;
pub(crate) mod translate;

use crate::interp;
use crate::module::Inner;
use crate::tier::MachineCode;
#[cfg(optimizer)]
use crate::tier::NativeCode;
use catches::{CatchTable, Clause};
use zwasm_regir::SourceLoc;

/// The code of one function; shared by the instances of its module.
pub(crate) struct Code {
    /// Which of the functions that the module defines it is.
    pub(crate) defined: u32,
    /// The slot of the frame's header.
    pub(crate) header: u32,
    /// Where exceptions are caught.
    pub(crate) catches: CatchTable,
    pub(crate) text: Text,
}

/// What a function consists of.
pub(crate) enum Text {
    /// The frame's size, then instructions of the interpreter.
    Threaded(Box<[u64]>),
    /// The frame's size, then the address of the entry.
    #[cfg_attr(not(compiler), expect(dead_code, reason = "there is no machine code"))]
    Machine(MachineCode),
    /// Optimized code, whose frames are native.
    #[cfg(optimizer)]
    Native(NativeCode),
}

/// What leads from a place in the code to the Wasm instruction it is part of.
#[derive(Clone)]
pub(crate) enum Origin {
    /// A word of the function's threaded code.
    Word(usize),
    /// The place in the function's register IR.
    Source(Option<SourceLoc>),
    /// The module offsets of the instruction and of the inlined calls around it,
    /// innermost first.
    #[cfg(optimizer)]
    Offsets(Box<[u32]>),
}

impl Code {
    /// What function records point at.
    pub(crate) fn body(&self) -> *const u64 {
        match &self.text {
            Text::Threaded(words) => words.as_ptr(),
            Text::Machine(code) => code.start().cast(),
            #[cfg(optimizer)]
            Text::Native(code) => code.body(),
        }
    }

    /// Its first byte, from which offsets count: the body, unless it is native code.
    pub(crate) fn start(&self) -> *const u64 {
        match &self.text {
            #[cfg(optimizer)]
            Text::Native(code) => code.start().cast(),
            Text::Threaded(_) | Text::Machine(_) => self.body(),
        }
    }

    /// Bytes from the frame pointer down to the stack pointer, if frames are native.
    #[cfg(optimizer)]
    pub(crate) fn native_frame(&self) -> Option<usize> {
        match &self.text {
            Text::Threaded(_) | Text::Machine(_) => None,
            Text::Native(code) => Some(code.frame()),
        }
    }

    /// The first clause that `catches` accepts of those around the call at an offset,
    /// innermost first.
    pub(crate) fn find_clause(
        &self,
        position: usize,
        catches: impl FnMut(&Clause) -> bool,
    ) -> Option<Clause> {
        match &self.text {
            #[cfg(optimizer)]
            Text::Native(code) => code.clauses(position).find(catches),
            Text::Threaded(_) | Text::Machine(_) => self.catches.find(position, catches),
        }
    }

    /// Whether it is machine code.
    pub(crate) fn is_machine_code(&self) -> bool {
        !matches!(self.text, Text::Threaded(_))
    }

    /// The offset of an address, if it is in this code.
    pub(crate) fn position(&self, ip: *const u64) -> Option<usize> {
        let position = (ip as usize).wrapping_sub(self.start() as usize);
        (position < self.len()).then_some(position)
    }

    /// Its size in bytes.
    pub(crate) fn len(&self) -> usize {
        match &self.text {
            Text::Threaded(words) => size_of_val(&**words),
            Text::Machine(code) => code.len(),
            #[cfg(optimizer)]
            Text::Native(code) => code.len(),
        }
    }

    /// The offset of the word through which an interpreter at the loop header with
    /// this label continues, if it is machine code.
    pub(crate) fn loop_entry(&self, label: u32) -> Option<usize> {
        match &self.text {
            Text::Threaded(_) => None,
            Text::Machine(code) => code.loop_entry(label),
            #[cfg(optimizer)]
            Text::Native(_) => None,
        }
    }

    /// Where the code at an offset came from.
    pub(crate) fn origin(&self, position: usize) -> Origin {
        match &self.text {
            Text::Threaded(_) => Origin::Word(position / size_of::<u64>()),
            Text::Machine(code) => Origin::Source(code.source(position)),
            #[cfg(optimizer)]
            Text::Native(code) => Origin::Offsets(code.offsets(position)),
        }
    }
}

impl Origin {
    /// The module offset of the Wasm instruction; behind it, if it is in an inlined
    /// function, those of the calls around it. Empty if it is not known, or takes too
    /// long to be found: `stop` is asked.
    ///
    /// Translating once more costs less than keeping a map for every function.
    pub(crate) fn wasm_offsets(
        &self,
        module: &Inner,
        defined: u32,
        stop: &dyn Fn() -> bool,
    ) -> Vec<u32> {
        #[cfg(optimizer)]
        if let Origin::Offsets(offsets) = self {
            return offsets.to_vec();
        }
        if let Origin::Source(Some(source)) = *self
            && !source.is_inlined()
        {
            return vec![source.offset(&[])];
        }
        let Ok(function) = translate::translate(module, defined, stop) else {
            return Vec::new();
        };
        let source = match *self {
            Origin::Word(word) => interp::code::source(module, defined, &function, word),
            Origin::Source(source) => source,
            #[cfg(optimizer)]
            Origin::Offsets(_) => None,
        };
        source.map_or_else(Vec::new, |source| source.offsets(&function.inlined).collect())
    }
}
