//! Collects instructions, with labels and literals.
//!
//! A function usually is short enough for the branches that the architecture has. One that
//! is not is made again with `far` ones: conditions jump over an unconditional branch, which
//! reaches 128 MiB, and addresses of labels are a sum. Nothing is known of distances while
//! code is made, so it is all or nothing; such functions are rare and large.

use super::Inst;
use super::fixup::{Fixup, Labelled, invert};
use super::inst;
use super::regs::{Extend, Reg, Width};
use super::text::{text, text_to};
use super::{ADDRESS, VALUE};
use crate::asm::{AsmLabel, Buffer};
use crate::target::Features;
use std::ops::{Deref, DerefMut};

/// Collects the code of one function.
pub(crate) struct Assembler {
    buffer: Buffer,
    pub(crate) features: Features,
    far: bool,
}

impl Deref for Assembler {
    type Target = Buffer;

    fn deref(&self) -> &Buffer {
        &self.buffer
    }
}

impl DerefMut for Assembler {
    fn deref_mut(&mut self) -> &mut Buffer {
        &mut self.buffer
    }
}

/// The kind of fixup that is four instructions, of which the last adds to the address of the
/// first the distance that the two between make.
const SUM: u8 = Fixup::ALL.len() as u8;

/// Makes the instruction that the bytes start with name what is so far away.
pub(super) fn patch(kind: u8, bytes: &mut [u8], distance: i64) -> bool {
    match Fixup::ALL.get(usize::from(kind)) {
        Some(fixup) => patch_word(bytes, |word| fixup.patch(word, distance)),
        None => i32::try_from(distance).is_ok_and(|distance| {
            [distance as u32, distance as u32 >> 16].into_iter().enumerate().all(|(index, half)| {
                let immediate = |word| Some(word & !(0xFFFF << 5) | (half & 0xFFFF) << 5);
                bytes.get_mut(4 + index * 4..).is_some_and(|bytes| patch_word(bytes, immediate))
            })
        }),
    }
}

fn patch_word(bytes: &mut [u8], patch: impl FnOnce(u32) -> Option<u32>) -> bool {
    let Some(word) = bytes.first_chunk_mut::<4>() else { return false };
    let Some(patched) = patch(u32::from_le_bytes(*word)) else { return false };
    *word = patched.to_le_bytes();
    true
}

impl Assembler {
    pub(super) fn start(features: Features, far: bool, listing: bool) -> Assembler {
        Assembler { buffer: Buffer::new(listing), features, far }
    }

    pub(super) fn into_buffer(self) -> Buffer {
        self.buffer
    }

    /// Appends an instruction.
    #[inline]
    pub(crate) fn emit(&mut self, inst: Inst) {
        if self.buffer.lists() {
            self.buffer.list(text(inst));
        }
        self.append(inst);
    }

    /// Appends an instruction that is not listed.
    pub(super) fn append(&mut self, inst: Inst) {
        self.buffer.bytes.extend_from_slice(&inst.0.to_le_bytes());
    }

    /// Appends an instruction that names a label.
    fn emit_to(&mut self, labelled: Labelled, label: AsmLabel) {
        if self.buffer.lists() {
            self.buffer.list(text_to(labelled.inst, &label.to_string()));
        }
        let kind = Fixup::ALL.iter().position(|fixup| *fixup == labelled.fixup);
        self.buffer.refer(label, kind.unwrap_or(0) as u8);
        self.append(labelled.inst);
    }

    /// Jumps to a label.
    pub(crate) fn branch(&mut self, label: AsmLabel) {
        self.emit_to(inst::b(), label);
    }

    /// A conditional branch to a label.
    pub(crate) fn branch_on(&mut self, branch: Labelled, label: AsmLabel) {
        if !self.far {
            return self.emit_to(branch, label);
        }
        let skip = self.new_label();
        let word = invert(branch.inst.0).unwrap_or(branch.inst.0);
        self.emit_to(Labelled { inst: Inst(word), fixup: branch.fixup }, skip);
        self.branch(label);
        self.bind(skip);
    }

    /// The address of a label.
    pub(crate) fn address_of_label(&mut self, dst: Reg, label: AsmLabel) {
        if !self.far {
            return self.emit_to(inst::adr(dst), label);
        }
        if self.buffer.lists() {
            self.buffer.list(format!("address of {label}"));
        }
        self.buffer.refer(label, SUM);
        self.append(inst::adr(dst).inst);
        self.append(inst::movz(Width::W, ADDRESS, 0, 0));
        self.append(inst::movk(Width::W, ADDRESS, 0, 1));
        self.append(inst::add_ext(Width::X, dst, dst, ADDRESS, (Extend::Sxtw, 0)));
    }

    /// Loads what is at a label with an instruction such as [`inst::ldr_literal_x`]; from a
    /// label that it does not reach, with `access`, which is given a register with the
    /// label's address.
    pub(crate) fn load_from_label(
        &mut self,
        load: Labelled,
        label: AsmLabel,
        access: impl FnOnce(Reg) -> Inst,
    ) {
        if !self.far {
            return self.emit_to(load, label);
        }
        self.address_of_label(VALUE, label);
        self.emit(access(VALUE));
    }
}
