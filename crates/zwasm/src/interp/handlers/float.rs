//! Ops on two floats for which NaN are compared only because of the compiler.
//!
//! The reference definitions find out with comparisons which NaN is the result, as the
//! compiler may exchange the operands of sums and products. Processors have a rule of
//! their own in their instructions, if these get the operands in order: in x86-64 the
//! first NaN is the result, in AArch64 the first that signals, or else the first. That
//! has `min` and `max` as well.

/// The meanings of all ops, as handlers compute them.
pub(in crate::interp) mod meaning {
    pub(in crate::interp) use zwasm_regir::ops::meaning::*;

    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    macro_rules! ordered {
        ($($name:ident: $float:ty = $inst:literal in $register:ident;)*) => {$(
            pub(in crate::interp) struct $name;

            impl zwasm_regir::ops::Binary for $name {
                type A = $float;
                type R = $float;
                #[inline(always)]
                fn eval(mut a: $float, b: $float) -> Result<$float, zwasm_regir::TrapCode> {
                    // SAFETY: every machine has the instruction, which reads and
                    // writes these registers only.
                    unsafe {
                        std::arch::asm!(
                            $inst,
                            a = inout($register) a,
                            b = in($register) b,
                            options(pure, nomem, nostack)
                        );
                    }
                    Ok(a)
                }
            }
        )*};
    }

    #[cfg(target_arch = "x86_64")]
    ordered! {
        F32Add: f32 = "addss {a}, {b}" in xmm_reg;
        F32Mul: f32 = "mulss {a}, {b}" in xmm_reg;
        F64Add: f64 = "addsd {a}, {b}" in xmm_reg;
        F64Mul: f64 = "mulsd {a}, {b}" in xmm_reg;
    }

    #[cfg(target_arch = "aarch64")]
    ordered! {
        F32Add: f32 = "fadd {a:s}, {a:s}, {b:s}" in vreg;
        F32Mul: f32 = "fmul {a:s}, {a:s}, {b:s}" in vreg;
        F32Min: f32 = "fmin {a:s}, {a:s}, {b:s}" in vreg;
        F32Max: f32 = "fmax {a:s}, {a:s}, {b:s}" in vreg;
        F64Add: f64 = "fadd {a:d}, {a:d}, {b:d}" in vreg;
        F64Mul: f64 = "fmul {a:d}, {a:d}, {b:d}" in vreg;
        F64Min: f64 = "fmin {a:d}, {a:d}, {b:d}" in vreg;
        F64Max: f64 = "fmax {a:d}, {a:d}, {b:d}" in vreg;
    }
}
