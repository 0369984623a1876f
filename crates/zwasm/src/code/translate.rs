//! From the body of a function to register IR, for whichever tier asks.
//!
//! Says what the translator may know of the module and its engine's configuration, how
//! large a frame may be, and how large one is: frames change hands between the tiers,
//! which therefore agree about that.

use crate::error::{Error, ErrorKind, Result, Trap};
use crate::module::Inner;
#[cfg(optimizer)]
use crate::tier::Strategy;
use zwasm_regir::inst::SCRATCH_SLOTS;
use zwasm_regir::{
    Checks, Function, Inlining, Signature, Storage, TranslateError, Translator, Type, Types,
};

/// The size of a function's frames in bytes, in every tier.
pub(crate) fn frame_bytes(function: &Function) -> u64 {
    u64::from(function.frame.size + SCRATCH_SLOTS) * 8
}

/// The slot form of a defined function as interpreter and baseline code have it. `stop` is
/// asked now and then whether to give up.
///
/// # Errors
///
/// Those of [`translate_with`].
pub(crate) fn translate(module: &Inner, defined: u32, stop: &dyn Fn() -> bool) -> Result<Function> {
    translate_with(module, defined, Inlining::Small, stop)
}

/// The slot form of a defined function. `stop` is asked now and then whether to give
/// up.
///
/// # Errors
///
/// [`ErrorKind::Unsupported`] if it uses what no tier runs, a stack overflow if its
/// frame is larger than the stack, and an interrupt when it was to give up.
pub(crate) fn translate_with(
    module: &Inner,
    defined: u32,
    inlining: Inlining,
    stop: &dyn Fn() -> bool,
) -> Result<Function> {
    let func = module.func_index(defined);
    let ty = module.funcs[func as usize];
    let start = module.bodies[defined as usize].start;
    let body = module.body(defined);
    let function = Translator::translate(module, ty, body, start, inlining, stop);
    function.map_err(|error| match error {
        TranslateError::Unsupported { feature, offset } => Error::of_kind(
            ErrorKind::Unsupported,
            format!(
                "unsupported: function {func} uses {feature} (at byte offset {:#x})",
                start as usize + offset
            ),
        ),
        TranslateError::Malformed { offset } => {
            Error::invalid_in("malformed function body", start as usize + offset, func)
        }
        TranslateError::FrameTooLarge => Trap::StackOverflow.into(),
        TranslateError::Stopped => Trap::Interrupt.into(),
    })
}

impl Types for Inner {
    fn max_slots(&self) -> u32 {
        let slots = self.engine.config().max_stack / size_of::<u64>();
        u32::try_from(slots).unwrap_or(u32::MAX)
    }

    fn always_window(&self) -> bool {
        self.engine.config().far_frames
    }

    fn signature(&self, ty: u32) -> Signature<'_> {
        Inner::signature(self, ty)
    }

    fn func_type(&self, func: u32) -> u32 {
        self.funcs[func as usize]
    }

    fn global_type(&self, global: u32) -> Type {
        self.globals[global as usize].content().kind()
    }

    fn memory_index(&self, memory: u32) -> Type {
        if self.memories[memory as usize].is_64() { Type::I64 } else { Type::I32 }
    }

    fn table_index(&self, table: u32) -> Type {
        if self.tables[table as usize].is_64() { Type::I64 } else { Type::I32 }
    }

    fn storage(&self, ty: u32) -> &[Storage] {
        &self.storages[ty as usize]
    }

    fn struct_bytes(&self, ty: u32) -> usize {
        self.field_bytes[ty as usize]
    }

    fn has_gc(&self) -> bool {
        cfg!(feature = "gc")
    }

    fn tag_type(&self, tag: u32) -> u32 {
        self.tags[tag as usize]
    }

    fn inlinable(&self, func: u32) -> Option<(&[u8], u32)> {
        let defined = self.defined_func(func)?;
        let inlining = self.engine.config().inlining;
        inlining.then(|| (self.body(defined), self.bodies[defined as usize].start))
    }

    #[cfg(optimizer)]
    fn heat(&self, func: u32, _: u32, loops: u32) -> Option<u32> {
        // Where functions are promoted, what matters has been called by now.
        let is_known = self.engine.config().strategy == Strategy::Auto;
        let has_run = |func| self.codes[func as usize].get().is_some();
        let is_cold = is_known && !self.defined_func(func).is_some_and(has_run);
        (!is_cold).then_some(loops)
    }

    #[cfg(optimizer)]
    fn call_target(&self, call: u32) -> Option<u32> {
        self.compiled.promotions.target(call)
    }

    fn checks(&self) -> Checks {
        let config = self.engine.config();
        Checks {
            fuel: config.consume_fuel,
            epochs: config.epoch_interruption,
            canonical_nans: config.deterministic,
        }
    }
}
