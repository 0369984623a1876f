//! `memcpy` and `memmove`, which guests reach through `memory.copy`.
//!
//! musl copies backwards by a string instruction that moves eight bytes in several
//! cycles, an eighth of what 16-byte moves reach, and pays for starting one also where
//! a few bytes are copied. Here up to 64 bytes are read whole before any are written,
//! which needs no order. More are moved 64 at a time, towards the end or from it,
//! whichever reads what it would otherwise overwrite; the last bytes in that direction
//! were read at the beginning, so that they may overlap. Long ways forward are left to
//! the processor's own loop, which then is the fastest.
//!
//! It is assembly, because a compiler may turn a loop that copies into a call of
//! `memcpy`.
//!
//! # Safety
//!
//! As in C: `rsi` names `rdx` readable bytes and `rdi` as many writable ones. Only these
//! are accessed: each move has its first or its last byte at an end of the ranges, and
//! ranges are at least as long as the moves. Nothing but registers that a call may
//! change is written, and no stack is used.

use std::arch::global_asm;

global_asm!(
    ".pushsection .text.zwasm_copy, \"ax\", @progbits",
    ".globl memcpy",
    ".globl memmove",
    ".type memcpy, @function",
    ".type memmove, @function",
    ".p2align 5",
    "memcpy:",
    "memmove:",
    "    mov rax, rdi",
    "    cmp rdx, 16",
    "    jb 20f",
    "    cmp rdx, 32",
    "    ja 2f",
    // 16 to 32
    "    movups xmm0, [rsi]",
    "    movups xmm1, [rsi + rdx - 16]",
    "    movups [rdi], xmm0",
    "    movups [rdi + rdx - 16], xmm1",
    "    ret",
    "2:",
    "    cmp rdx, 64",
    "    ja 3f",
    // 33 to 64
    "    movups xmm0, [rsi]",
    "    movups xmm1, [rsi + 16]",
    "    movups xmm2, [rsi + rdx - 32]",
    "    movups xmm3, [rsi + rdx - 16]",
    "    movups [rdi], xmm0",
    "    movups [rdi + 16], xmm1",
    "    movups [rdi + rdx - 32], xmm2",
    "    movups [rdi + rdx - 16], xmm3",
    "    ret",
    "3:",
    // The destination begins within the source: from the end.
    "    mov rcx, rdi",
    "    sub rcx, rsi",
    "    cmp rcx, rdx",
    "    jb 6f",
    "    cmp rdx, {LONG}",
    "    jae 8f",
    "4:",
    "    movups xmm4, [rsi + rdx - 64]",
    "    movups xmm5, [rsi + rdx - 48]",
    "    movups xmm6, [rsi + rdx - 32]",
    "    movups xmm7, [rsi + rdx - 16]",
    "    lea r8, [rdi + rdx - 64]",
    "5:",
    "    movups xmm0, [rsi]",
    "    movups xmm1, [rsi + 16]",
    "    movups xmm2, [rsi + 32]",
    "    movups xmm3, [rsi + 48]",
    "    movups [rdi], xmm0",
    "    movups [rdi + 16], xmm1",
    "    movups [rdi + 32], xmm2",
    "    movups [rdi + 48], xmm3",
    "    add rsi, 64",
    "    add rdi, 64",
    "    cmp rdi, r8",
    "    jb 5b",
    "    movups [r8], xmm4",
    "    movups [r8 + 16], xmm5",
    "    movups [r8 + 32], xmm6",
    "    movups [r8 + 48], xmm7",
    "    ret",
    "6:",
    "    test rcx, rcx",
    "    je 9f",
    "    movups xmm4, [rsi]",
    "    movups xmm5, [rsi + 16]",
    "    movups xmm6, [rsi + 32]",
    "    movups xmm7, [rsi + 48]",
    "7:",
    "    movups xmm0, [rsi + rdx - 16]",
    "    movups xmm1, [rsi + rdx - 32]",
    "    movups xmm2, [rsi + rdx - 48]",
    "    movups xmm3, [rsi + rdx - 64]",
    "    movups [rdi + rdx - 16], xmm0",
    "    movups [rdi + rdx - 32], xmm1",
    "    movups [rdi + rdx - 48], xmm2",
    "    movups [rdi + rdx - 64], xmm3",
    "    sub rdx, 64",
    "    cmp rdx, 64",
    "    ja 7b",
    "    movups [rdi], xmm4",
    "    movups [rdi + 16], xmm5",
    "    movups [rdi + 32], xmm6",
    "    movups [rdi + 48], xmm7",
    "    ret",
    "8:",
    // The processor's loop is slow where the source is just ahead.
    "    neg rcx",
    "    cmp rcx, 64",
    "    jb 4b",
    "    mov rcx, rdx",
    "    rep movsb",
    "9:",
    "    ret",
    "20:",
    "    cmp rdx, 8",
    "    jb 21f",
    "    mov r8, [rsi]",
    "    mov r9, [rsi + rdx - 8]",
    "    mov [rdi], r8",
    "    mov [rdi + rdx - 8], r9",
    "    ret",
    "21:",
    "    cmp rdx, 4",
    "    jb 22f",
    "    mov r8d, [rsi]",
    "    mov r9d, [rsi + rdx - 4]",
    "    mov [rdi], r8d",
    "    mov [rdi + rdx - 4], r9d",
    "    ret",
    "22:",
    "    test rdx, rdx",
    "    je 23f",
    // The first, the middle one and the last of up to three.
    "    mov rcx, rdx",
    "    shr rcx, 1",
    "    movzx r8d, byte ptr [rsi]",
    "    movzx r9d, byte ptr [rsi + rcx]",
    "    movzx r10d, byte ptr [rsi + rdx - 1]",
    "    mov [rdi], r8b",
    "    mov [rdi + rcx], r9b",
    "    mov [rdi + rdx - 1], r10b",
    "23:",
    "    ret",
    ".size memcpy, . - memcpy",
    ".size memmove, . - memmove",
    ".popsection",
    LONG = const LONG,
);

/// From how many bytes on the processor's own loop is worth its start.
const LONG: usize = 2048;

#[cfg(test)]
mod tests {
    /// All lengths up to a few hundred and some long ones, at all distances between
    /// source and destination that matter.
    #[test]
    fn bytes_arrive_and_no_others_change() {
        let fresh: Vec<u8> = (0..16_384).map(|at| (at * 7 + at / 251) as u8).collect();
        let lengths = (0..300).chain([511, 512, 513, 2047, 2048, 2049, 4096, 5000]);
        for len in lengths {
            let near = [0, 1, 2, 3, 7, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 300];
            for distance in near.into_iter().chain([len / 2, len, len + 1]) {
                for (from, to) in [(5000, 5000 + distance), (5000 + distance, 5000)] {
                    let mut bytes = fresh.clone();
                    let start = bytes.as_mut_ptr();
                    // SAFETY: both ranges are within the bytes.
                    unsafe { std::ptr::copy(start.add(from), start.add(to), len) };
                    let mut expected = fresh.clone();
                    for at in 0..len {
                        expected[to + at] = fresh[from + at];
                    }
                    assert!(bytes == expected, "{len} bytes from {from} to {to}");
                }
            }
        }
    }
}
