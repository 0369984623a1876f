//! Encoding of calls and tail calls.

use super::{Encoder, fields, with_upper};
use crate::interp::handlers::{Handler, call};
use crate::module::places::Place;
use zwasm_regir::Inst;
use zwasm_regir::types::slots_of;

impl Encoder<'_> {
    /// The slots of a function type's parameters, and where its header goes.
    pub(super) fn layout(&self, ty: u32) -> (u32, u32) {
        let signature = self.module.signature(ty);
        let params = slots_of(signature.params);
        (params, params.max(slots_of(signature.results)))
    }

    pub(super) fn call(&mut self, inst: &Inst) {
        match *inst {
            Inst::Call { func, base } => {
                let (_, header) = self.layout(self.module.funcs[func as usize]);
                let (handler, place): (Handler, u32) = match self.module.func_place(func) {
                    Place::Own(offset) => (call::call, offset),
                    Place::Imported(index) => (call::call_imported, index),
                };
                self.op(handler, with_upper(base.0, base.0 + header, place));
            }
            Inst::CallIndirect { ty, table, index, base } => {
                let (_, header) = self.layout(ty);
                let index = self.in_slot(index, 0);
                self.op(call::call_indirect, fields(base.0, base.0 + header, index, 0));
                self.with_type(table, ty);
            }
            Inst::CallRef { ty, callee, base } => {
                let (_, header) = self.layout(ty);
                self.op(call::call_ref, fields(base.0, base.0 + header, callee.0, 0));
                self.with_type(0, ty);
            }
            _ => {}
        }
    }

    pub(super) fn return_call(&mut self, inst: &Inst) {
        let own = self.function.frame.header;
        match *inst {
            Inst::ReturnCall { func, base } => {
                let (params, header) = self.layout(self.module.funcs[func as usize]);
                let (handler, place): (Handler, u32) = match self.module.func_place(func) {
                    Place::Own(offset) if own == header => (call::return_call, offset),
                    Place::Own(offset) => (call::return_call_moved, offset),
                    Place::Imported(index) => (call::return_call_imported, index),
                };
                self.op(handler, fields(base.0, own, header, params));
                self.words.push(u64::from(place));
            }
            Inst::ReturnCallIndirect { ty, table, index, base } => {
                let (params, header) = self.layout(ty);
                let index = self.in_slot(index, 0);
                let handler = match own == header {
                    true => call::return_call_indirect,
                    false => call::return_call_indirect_moved,
                };
                self.op(handler, fields(base.0, own, header, params));
                self.with_type(table, ty);
                self.words.push(u64::from(index));
            }
            Inst::ReturnCallRef { ty, callee, base } => {
                let (params, header) = self.layout(ty);
                let handler = match own == header {
                    true => call::return_call_ref,
                    false => call::return_call_ref_moved,
                };
                self.op(handler, fields(base.0, own, header, params));
                self.with_type(callee.0, ty);
            }
            _ => {}
        }
    }
}
