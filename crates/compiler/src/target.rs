//! What code is made for: an instruction set and what a processor has of it.
//!
//! A value, not the host: code for another processor can be looked at, and one day be
//! written to a file, on any machine. Which target the host is, the runtime finds out.

/// What machine code is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// The instruction set.
    pub isa: Isa,
    /// What the processor has beyond the floor of its instruction set.
    pub features: Features,
}

/// An instruction set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isa {
    /// x86-64 with SSE4.1, which is the floor.
    X64,
    /// AArch64, ARMv8.0 with NEON, which is the floor.
    Aarch64,
}

macro_rules! features {
    ($($(#[$doc:meta])* $name:ident: $isa:ident,)*) => {
        /// What a processor has beyond the floor of its instruction set. Tests switch
        /// features off to reach the code for processors without.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Features {
            $($(#[$doc])* pub $name: bool,)*
        }

        impl Target {
            /// Adds the feature of the instruction set with a name; whether there is one.
            pub fn add(&mut self, name: &str) -> bool {
                match (name, self.isa) {
                    $((stringify!($name), Isa::$isa) => self.features.$name = true,)*
                    _ => return false,
                }
                true
            }
        }
    };
}

features! {
    /// Three-operand vector instructions.
    avx: X64,
    /// 256-bit integers, and broadcasts from memory.
    avx2: X64,
    /// `andn` and the like.
    bmi1: X64,
    /// Shifts that leave the flags alone and take any count register.
    bmi2: X64,
    /// Fused multiply-add.
    fma: X64,
    /// Counting leading zeros, with a defined result for zero.
    lzcnt: X64,
    /// Counting ones.
    popcnt: X64,
    /// Atomic instructions that read, change and write at once.
    lse: Aarch64,
}

impl Target {
    /// The least that an instruction set has.
    pub fn floor(isa: Isa) -> Target {
        Target { isa, features: Features::default() }
    }
}
