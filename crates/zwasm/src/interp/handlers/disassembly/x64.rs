//! Instructions of x86-64.

use iced_x86::{Code, Decoder, DecoderOptions, FlowControl, Instruction};

use super::Kind;

/// Every machine has instructions for what is atomic, so nothing is called for it.
pub(super) const ATOMICS: Option<&str> = None;

/// The instructions of a piece of code, with their addresses.
pub(super) fn instructions(code: &[u8], address: u64) -> impl Iterator<Item = (u64, Kind)> {
    Decoder::with_ip(64, code, address, DecoderOptions::NONE)
        .into_iter()
        .map(|instruction| (instruction.ip(), kind(&instruction)))
        .collect::<Vec<_>>()
        .into_iter()
}

fn kind(instruction: &Instruction) -> Kind {
    match instruction.flow_control() {
        FlowControl::Call => Kind::Call(Some(instruction.near_branch_target())),
        FlowControl::IndirectCall => Kind::Call(None),
        FlowControl::Return => Kind::Return,
        _ if matches!(instruction.code(), Code::Push_r64 | Code::Push_rm64) => Kind::Save,
        _ => Kind::Other,
    }
}
