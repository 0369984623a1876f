//! The text of instructions, as GNU `as` reads it back.

use super::form::Table;
use super::operand::{Context, Kind};
use super::{Inst, TABLES};
use std::fmt::Write as _;

/// An instruction as text. Distances are counted from the instruction itself, `.+8`.
pub(crate) fn text(inst: Inst) -> String {
    text_with(inst, None)
}

/// An instruction that names a label as text, with the label's name.
pub(crate) fn text_to(inst: Inst, label: &str) -> String {
    text_with(inst, Some(label))
}

fn text_with(inst: Inst, label: Option<&str>) -> String {
    for table in TABLES {
        for row in 0..table.forms.len() {
            if let Some(text) = text_as(table, row, inst, label) {
                return text;
            }
        }
    }
    let mut out = String::new();
    let _ = write!(out, ".inst {:#010x}", inst.0);
    out
}

/// An instruction as text of a certain form, if it is of that.
pub(super) fn text_as(
    table: &Table,
    row: usize,
    inst: Inst,
    label: Option<&str>,
) -> Option<String> {
    let form = &table.forms[row];
    if inst.0 & form.mask != form.bits {
        return None;
    }
    let mut context = Context::new(inst.0, label);
    if !form.operands.iter().all(|operand| operand.context(&mut context)) {
        return None;
    }
    let mnemonic = table.mnemonics.lines().nth(row)?;
    Some(show(mnemonic, &form.operands, &context))
}

fn show(mnemonic: &str, operands: &[Kind], context: &Context<'_>) -> String {
    let mut out = String::new();
    out.push_str(context.prefix);
    out.push_str(mnemonic);
    context.suffix.iter().for_each(|suffix| out.push_str(suffix));
    let mut separator = " ";
    for operand in operands {
        let start = out.len();
        out.push_str(separator);
        let shown = out.len();
        operand.show(context, &mut out);
        if out.len() == shown {
            out.truncate(start);
        } else {
            separator = ", ";
        }
    }
    out
}
