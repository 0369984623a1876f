//! Sums and products of floats in which the first NaN is the result.
//!
//! The reference definitions find that out with comparisons, as the compiler may
//! exchange the operands of sums and products. x86-64 has it in its instructions,
//! if these get the operands in order.

/// The meanings of all ops, as handlers compute them.
pub(in crate::interp) mod meaning {
    pub(in crate::interp) use zwasm_regir::ops::meaning::*;

    #[cfg(target_arch = "x86_64")]
    macro_rules! ordered {
        ($($name:ident: $float:ty = $inst:literal;)*) => {$(
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
                            concat!($inst, " {a}, {b}"),
                            a = inout(xmm_reg) a,
                            b = in(xmm_reg) b,
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
        F32Add: f32 = "addss";
        F32Mul: f32 = "mulss";
        F64Add: f64 = "addsd";
        F64Mul: f64 = "mulsd";
    }
}
