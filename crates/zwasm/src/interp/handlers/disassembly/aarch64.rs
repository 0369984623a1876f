//! Instructions of AArch64, which are words that are told apart by some of their bits.

use super::Kind;

/// Atomic accesses call functions of these names, which look what the machine has.
pub(super) const ATOMICS: Option<&str> = Some("__aarch64_");

/// The instructions of a piece of code, with their addresses.
pub(super) fn instructions(code: &[u8], address: u64) -> impl Iterator<Item = (u64, Kind)> {
    let words = code.chunks_exact(4).map(|word| u32::from_le_bytes(word.try_into().unwrap()));
    (address..).step_by(4).zip(words).map(|(at, word)| (at, kind(at, word)))
}

fn kind(at: u64, word: u32) -> Kind {
    if word & 0xfc00_0000 == 0x9400_0000 {
        // `bl` with a distance of 26 bits, in words.
        let distance = i64::from((word << 6) as i32 >> 6) * 4;
        Kind::Call(Some(at.wrapping_add_signed(distance)))
    } else if word & 0xffff_fc1f == 0xd63f_0000 {
        Kind::Call(None)
    } else if word & 0xffff_fc1f == 0xd65f_0000 {
        Kind::Return
    } else if saves(word) {
        Kind::Save
    } else {
        Kind::Other
    }
}

/// Whether a word stores registers that a callee has to preserve relative to the stack
/// pointer.
fn saves(word: u32) -> bool {
    const STACK_POINTER: u32 = 31;
    let field = |at: u32| word >> at & 31;
    let vector = word >> 26 & 1 == 1;
    let preserved = |register: u32| match vector {
        true => (8..16).contains(&register),
        false => (19..31).contains(&register),
    };
    let stores = match word & 0x3a00_0000 {
        // Pairs of registers.
        0x2800_0000 => word >> 22 & 1 == 0 && (preserved(field(0)) || preserved(field(10))),
        // Single ones; of the two bits that tell what is done, the upper says of a
        // vector register whether it is all of it.
        0x3800_0000 => word >> 22 & if vector { 1 } else { 3 } == 0 && preserved(field(0)),
        _ => false,
    };
    stores && field(5) == STACK_POINTER
}

#[test]
fn words_are_told_apart() {
    let known = [
        (0x9400_0004, Kind::Call(Some(0x1010))), // bl pc + 16
        (0x97ff_ffff, Kind::Call(Some(0xffc))),  // bl pc - 4
        (0xd63f_0100, Kind::Call(None)),         // blr x8
        (0xd65f_03c0, Kind::Return),             // ret
        (0xd61f_00c0, Kind::Other),              // br x6
        (0x1400_0004, Kind::Other),              // b pc + 16
        (0xa9be_7bfd, Kind::Save),               // stp x29, x30, [sp, #-32]!
        (0x6db6_23e9, Kind::Save),               // stp d9, d8, [sp, #-160]!
        (0xa8c2_7bfd, Kind::Other),              // ldp x29, x30, [sp], #32
        (0xf900_07f7, Kind::Save),               // str x23, [sp, #8]
        (0xf900_07e3, Kind::Other),              // str x3, [sp, #8]
        (0x7940_1bf7, Kind::Other),              // ldrh w23, [sp, #12]
        (0xfc1f_0fe8, Kind::Save),               // str d8, [sp, #-16]!
        (0x3c9f_0fe2, Kind::Other),              // str q2, [sp, #-16]!
        (0x3dc0_03e8, Kind::Other),              // ldr q8, [sp]
        (0xf800_0433, Kind::Other),              // str x19, [x1], #0
    ];
    for (word, expected) in known {
        assert_eq!(kind(0x1000, word), expected, "{word:#x}");
    }
}
