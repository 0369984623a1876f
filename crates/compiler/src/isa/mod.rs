//! The instruction sets. Nothing outside this module names a register.

mod aarch64;
#[cfg(target_arch = "x86_64")]
mod x64;

#[cfg(target_arch = "x86_64")]
pub(crate) use x64::{
    AsmLabel, Assembler, Condition, FLOAT_REGS, FLOAT_SCRATCH, INT_REGS, INT_SCRATCH, Late, Reg, Rm,
};

/// What the processor has beyond the floor of its instruction set.
///
/// On x86-64 the floor is SSE4.1. Tests switch features off to reach the code for
/// processors without.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CpuFeatures {
    /// Three-operand vector instructions.
    pub avx: bool,
    /// 256-bit integers, and broadcasts from memory.
    pub avx2: bool,
    /// `andn` and the like.
    pub bmi1: bool,
    /// Shifts that leave the flags alone and take any count register.
    pub bmi2: bool,
    /// Fused multiply-add.
    pub fma: bool,
    /// Counting leading zeros, with a defined result for zero.
    pub lzcnt: bool,
    /// Counting ones.
    pub popcnt: bool,
}

impl CpuFeatures {
    /// What this processor has.
    #[cfg(target_arch = "x86_64")]
    pub fn detect() -> CpuFeatures {
        CpuFeatures {
            avx: std::arch::is_x86_feature_detected!("avx"),
            avx2: std::arch::is_x86_feature_detected!("avx2"),
            bmi1: std::arch::is_x86_feature_detected!("bmi1"),
            bmi2: std::arch::is_x86_feature_detected!("bmi2"),
            fma: std::arch::is_x86_feature_detected!("fma"),
            lzcnt: std::arch::is_x86_feature_detected!("lzcnt"),
            popcnt: std::arch::is_x86_feature_detected!("popcnt"),
        }
    }

    /// What this processor has.
    #[cfg(not(target_arch = "x86_64"))]
    pub fn detect() -> CpuFeatures {
        CpuFeatures::default()
    }
}
