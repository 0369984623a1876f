//! The ops of AArch64: as the reference definitions say, but for the NaN of those on
//! floats, which is the processor's: of operands that are NaN the first one that
//! signals, or else the first, made quiet. Compiled code has the same instructions.

#[path = "portable.rs"]
mod portable;

/// What every machine has.
pub mod baseline {
    pub use super::portable::baseline::*;

    use super::portable::baseline as reference;
    use std::arch::aarch64::{float32x4_t, float64x2_t};
    use std::arch::asm;
    use zwasm_regir::simd_ops::{Binary, Ternary};

    /// A vector in the machine's view of it, or back.
    #[inline(always)]
    fn cast<A: Copy, B: Copy>(a: A) -> B {
        const { assert!(size_of::<A>() == 16 && size_of::<B>() == 16) }
        // SAFETY: both are 16 bytes of numbers: arrays of lanes or registers.
        unsafe { std::mem::transmute_copy(&a) }
    }

    /// Declares ops on floats as instructions, in which the order of the operands
    /// decides which NaN is the result; the compiler would exchange them.
    macro_rules! ordered {
        ($($name:ident: $register:ty, $lanes:literal = $inst:literal;)*) => {$(
            pub struct $name;

            impl Binary for $name {
                type A = <reference::$name as Binary>::A;
                type R = <reference::$name as Binary>::R;
                #[inline(always)]
                fn eval(a: Self::A, b: Self::A) -> Self::R {
                    let (a, b): ($register, $register) = (cast(a), cast(b));
                    let r: $register;
                    // SAFETY: every machine has the instruction, which reads and
                    // writes these registers only.
                    unsafe {
                        asm!(
                            concat!($inst, " {r:v}.", $lanes, ", {a:v}.", $lanes, ", {b:v}.", $lanes),
                            r = lateout(vreg) r,
                            a = in(vreg) a,
                            b = in(vreg) b,
                            options(pure, nomem, nostack, preserves_flags)
                        );
                    }
                    cast(r)
                }
            }
        )*};
        ($($name:ident: $register:ty, $lanes:literal = $first:literal, $last:literal;)*) => {$(
            pub struct $name;

            impl Ternary for $name {
                type A = <reference::$name as Ternary>::A;
                type C = <reference::$name as Ternary>::C;
                #[inline(always)]
                fn eval(a: Self::A, b: Self::A, c: Self::C) -> Self::C {
                    let (mut a, b): ($register, $register) = (cast(a), cast(b));
                    let c: $register = cast(c);
                    // SAFETY: every machine has the instructions, which read and
                    // write these registers only.
                    unsafe {
                        asm!(
                            concat!($first, " {a:v}.", $lanes, ", {a:v}.", $lanes, ", {b:v}.", $lanes),
                            concat!($last, " {a:v}.", $lanes, ", {c:v}.", $lanes, ", {a:v}.", $lanes),
                            a = inout(vreg) a,
                            b = in(vreg) b,
                            c = in(vreg) c,
                            options(pure, nomem, nostack, preserves_flags)
                        );
                    }
                    cast(a)
                }
            }
        )*};
    }

    ordered! {
        F32x4Add: float32x4_t, "4s" = "fadd";
        F32x4Mul: float32x4_t, "4s" = "fmul";
        F32x4Min: float32x4_t, "4s" = "fmin";
        F32x4Max: float32x4_t, "4s" = "fmax";
        F64x2Add: float64x2_t, "2d" = "fadd";
        F64x2Mul: float64x2_t, "2d" = "fmul";
        F64x2Min: float64x2_t, "2d" = "fmin";
        F64x2Max: float64x2_t, "2d" = "fmax";
    }

    ordered! {
        F32x4RelaxedMadd: float32x4_t, "4s" = "fmul", "fadd";
        F32x4RelaxedNmadd: float32x4_t, "4s" = "fmul", "fsub";
        F64x2RelaxedMadd: float64x2_t, "2d" = "fmul", "fadd";
        F64x2RelaxedNmadd: float64x2_t, "2d" = "fmul", "fsub";
    }
}
