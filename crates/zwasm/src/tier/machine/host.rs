//! The processor this program runs on, as a target for code.

use zwasm_compiler::target::{Features, Isa, Target};

/// What code is made for here; with `oldest`, the least that processors of the kind have.
#[cfg(target_arch = "x86_64")]
pub(super) fn target(oldest: bool) -> Target {
    if oldest {
        return Target::floor(Isa::X64);
    }
    let features = Features {
        avx: std::arch::is_x86_feature_detected!("avx"),
        avx2: std::arch::is_x86_feature_detected!("avx2"),
        bmi1: std::arch::is_x86_feature_detected!("bmi1"),
        bmi2: std::arch::is_x86_feature_detected!("bmi2"),
        fma: std::arch::is_x86_feature_detected!("fma"),
        lzcnt: std::arch::is_x86_feature_detected!("lzcnt"),
        popcnt: std::arch::is_x86_feature_detected!("popcnt"),
        ..Features::default()
    };
    Target { isa: Isa::X64, features }
}

/// What code is made for here; with `oldest`, the least that processors of the kind have.
#[cfg(target_arch = "aarch64")]
pub(super) fn target(oldest: bool) -> Target {
    if oldest {
        return Target::floor(Isa::Aarch64);
    }
    let features =
        Features { lse: std::arch::is_aarch64_feature_detected!("lse"), ..Features::default() };
    Target { isa: Isa::Aarch64, features }
}

/// The target with a name: an instruction set, `x64` or `aarch64`, and behind it the
/// features it has beyond the floor, each after a `+`.
#[cfg(feature = "trace")]
pub(super) fn named(name: &str) -> Option<Target> {
    let mut parts = name.split('+');
    let mut target = Target::floor(match parts.next()? {
        "x64" => Isa::X64,
        "aarch64" => Isa::Aarch64,
        _ => return None,
    });
    parts.all(|feature| target.add(feature)).then_some(target)
}
