//! Sums and products of floats in which the first NaN is the result.
//!
//! The reference definitions find that out with comparisons, as the compiler may
//! exchange the operands of sums and products. Processors have it in their
//! instructions, if these get the operands in order.

/// The meanings of all ops, as handlers compute them.
pub(in crate::interp) mod meaning {
    pub(in crate::interp) use zwasm_regir::ops::meaning::*;

    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    macro_rules! ordered {
        ($($name:ident: $float:ty = $inst:literal in $class:ident;)*) => {$(
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
                            a = inout($class) a,
                            b = in($class) b,
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
        F64Add: f64 = "fadd {a:d}, {a:d}, {b:d}" in vreg;
        F64Mul: f64 = "fmul {a:d}, {a:d}, {b:d}" in vreg;
    }
}
