//! The functions of the canonical ABI for tasks, streams and futures.

use wasmparser::{CanonicalFunction as F, ExternalKind, ValType};
use zwasm::Result;

use super::flatten::Flattener;
use super::scope::ScopeId;
use super::{inconsistent, unsupported};
use crate::plan::{BuiltIn, CoreDef, PipeOperation};
use crate::types::{Defined, InterfaceType, TypeIndex};

impl Flattener<'_> {
    /// What a function that is neither lifted nor lowered nor of resources does.
    pub(super) fn built_in(&mut self, scope: ScopeId, func: &F) -> Result<BuiltIn> {
        Ok(match func {
            F::ContextGet { ty, slot } => {
                BuiltIn::ContextGet { slot: *slot, wide: *ty == ValType::I64 }
            }
            F::ContextSet { ty, slot } => {
                BuiltIn::ContextSet { slot: *slot, wide: *ty == ValType::I64 }
            }
            F::BackpressureInc => BuiltIn::BackpressureInc,
            F::BackpressureDec => BuiltIn::BackpressureDec,
            F::TaskReturn { result, options } => {
                let result = self.optional_type(scope, *result)?;
                let results = self.types.intern(Defined::Tuple(result.into_iter().collect()));
                let (options, _) = self.options(scope, options)?;
                BuiltIn::TaskReturn { result, results, options }
            }
            F::TaskCancel => BuiltIn::TaskCancel,
            F::SubtaskDrop => BuiltIn::SubtaskDrop,
            F::SubtaskCancel { async_ } => BuiltIn::SubtaskCancel { asynchronous: *async_ },
            F::WaitableSetNew => BuiltIn::SetNew,
            F::WaitableSetWait { memory } => {
                BuiltIn::SetWait { memory: self.memory(scope, *memory)? }
            }
            F::WaitableSetPoll { memory } => {
                BuiltIn::SetPoll { memory: self.memory(scope, *memory)? }
            }
            F::WaitableSetDrop => BuiltIn::SetDrop,
            F::WaitableJoin => BuiltIn::Join,
            F::ErrorContextNew { options } => BuiltIn::ErrorNew(self.options(scope, options)?.0),
            F::ErrorContextDebugMessage { options } => {
                BuiltIn::ErrorMessage(self.options(scope, options)?.0)
            }
            F::ErrorContextDrop => BuiltIn::ErrorDrop,
            F::ThreadIndex => BuiltIn::ThreadIndex,
            F::ThreadNewIndirect { table_index, .. } => {
                let table = self.core_item(scope, ExternalKind::Table, *table_index)?;
                BuiltIn::ThreadNew { table }
            }
            F::ThreadResumeLater => BuiltIn::ThreadResumeLater,
            F::ThreadSuspend => BuiltIn::ThreadSuspend,
            F::ThreadYield => BuiltIn::ThreadYield,
            F::ThreadSuspendThenResume => BuiltIn::ThreadSwitch { yields: false, promotes: false },
            F::ThreadYieldThenResume => BuiltIn::ThreadSwitch { yields: true, promotes: false },
            F::ThreadSuspendThenPromote => BuiltIn::ThreadSwitch { yields: false, promotes: true },
            F::ThreadYieldThenPromote => BuiltIn::ThreadSwitch { yields: true, promotes: true },
            F::StreamNew { ty } | F::FutureNew { ty } => {
                self.pipe(scope, *ty, PipeOperation::New)?
            }
            F::StreamRead { ty, options } | F::FutureRead { ty, options } => {
                let options = self.options(scope, options)?.0;
                self.pipe(scope, *ty, PipeOperation::Copy { reads: true, options })?
            }
            F::StreamWrite { ty, options } | F::FutureWrite { ty, options } => {
                let options = self.options(scope, options)?.0;
                self.pipe(scope, *ty, PipeOperation::Copy { reads: false, options })?
            }
            F::StreamCancelRead { ty, async_ } | F::FutureCancelRead { ty, async_ } => {
                let asynchronous = *async_;
                self.pipe(scope, *ty, PipeOperation::Cancel { reads: true, asynchronous })?
            }
            F::StreamCancelWrite { ty, async_ } | F::FutureCancelWrite { ty, async_ } => {
                let asynchronous = *async_;
                self.pipe(scope, *ty, PipeOperation::Cancel { reads: false, asynchronous })?
            }
            F::StreamDropReadable { ty } | F::FutureDropReadable { ty } => {
                self.pipe(scope, *ty, PipeOperation::Drop { reads: true })?
            }
            F::StreamDropWritable { ty } | F::FutureDropWritable { ty } => {
                self.pipe(scope, *ty, PipeOperation::Drop { reads: false })?
            }
            F::StreamForward { .. } | F::FutureForward { .. } => {
                return Err(unsupported("`stream.forward` or `future.forward`"));
            }
            F::ThreadSpawnRef { .. }
            | F::ThreadSpawnIndirect { .. }
            | F::ThreadAvailableParallelism => {
                return Err(unsupported("threads that share memory"));
            }
            F::Lift { .. }
            | F::Lower { .. }
            | F::ResourceNew { .. }
            | F::ResourceDrop { .. }
            | F::ResourceRep { .. } => return Err(inconsistent("a canonical function")),
        })
    }

    fn memory(&mut self, scope: ScopeId, index: u32) -> Result<CoreDef> {
        self.core_item(scope, ExternalKind::Memory, index)
    }

    fn pipe(&mut self, scope: ScopeId, ty: u32, operation: PipeOperation) -> Result<BuiltIn> {
        let ty: TypeIndex = match self.value_type_at(scope, ty)? {
            InterfaceType::Defined(index) => index,
            _ => return Err(inconsistent("the type of a stream or future")),
        };
        Ok(BuiltIn::Pipe { ty, operation })
    }
}
