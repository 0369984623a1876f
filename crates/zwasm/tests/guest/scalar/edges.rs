//! Values at which something changes, as the bits of slots.

use zwasm_regir::Type;

/// The value and its neighbours.
fn singles_around(value: f32) -> [f32; 3] {
    [value.next_down(), value, value.next_up()]
}

/// The value and its neighbours.
fn doubles_around(value: f64) -> [f64; 3] {
    [value.next_down(), value, value.next_up()]
}

/// The edges of a type, as bits.
pub fn edges(ty: Type) -> Vec<u64> {
    match ty {
        Type::I32 => integers(32),
        Type::I64 => integers(64),
        Type::F32 => singles(),
        Type::F64 => doubles(),
        _ => panic!("{ty:?} is no scalar"),
    }
}

fn integers(bits: u32) -> Vec<u64> {
    let mask = u64::MAX >> (64 - bits);
    let mut edges = vec![0, 1, 2, 3, 5, 7, 10, 31, 33, 63, 65];
    edges.extend([0x1234_5678_9ABC_DEF0, 0x5555_5555_5555_5555, 0xDEAD_BEEF_0BAD_F00D]);
    for border in [7, 8, 15, 16, 31, 32, 63] {
        let power = 1u64 << border;
        edges.extend([power - 1, power, power + 1, power.wrapping_neg(), !power]);
    }
    edges.extend([u64::MAX, u64::MAX - 1, u64::MAX - 4]);
    edges.iter_mut().for_each(|edge| *edge &= mask);
    edges.sort_unstable();
    edges.dedup();
    edges
}

fn singles() -> Vec<u64> {
    let mut edges = vec![0.0, 0.5, 1.5, 2.5, 3.5, 0.1, 1e-10, 1e-45, 8388607.5, 3e20];
    edges.extend([f32::MIN_POSITIVE, f32::MIN_POSITIVE.next_down(), f32::MAX, f32::INFINITY]);
    for power in [0, 23, 31, 32, 63, 64] {
        edges.extend(singles_around(2f32.powi(power)));
    }
    edges.push(0.49999997);
    let mut bits: Vec<u32> = edges.iter().flat_map(|x| [x.to_bits(), (-x).to_bits()]).collect();
    bits.extend([0x7FC0_0000, 0xFFC0_0003, 0x7F80_0001, 0xFFA0_0002, 0x7FD2_3456, u32::MAX]);
    bits.into_iter().map(u64::from).collect()
}

fn doubles() -> Vec<u64> {
    let mut edges = vec![0.0, 0.5, 1.5, 2.5, 3.5, 0.1, 1e-300, 5e-324, 4503599627370495.5, 3e200];
    edges.extend([f64::MIN_POSITIVE, f64::MIN_POSITIVE.next_down(), f64::MAX, f64::INFINITY]);
    // What becomes the largest single, infinity, the smallest, and zero.
    edges.extend([f64::from(f32::MAX), 3.4028235677973366e38, 1e-45, 7.006492321624085e-46]);
    for power in [0, 31, 32, 52, 53, 63, 64] {
        edges.extend(doubles_around(2f64.powi(power)));
    }
    edges.extend([2147483647.0, 2147483647.9, 2147483648.9, 2147483649.0, 4294967295.0]);
    edges.extend([4294967295.9, 0.49999999999999994]);
    let mut bits: Vec<u64> = edges.iter().flat_map(|x| [x.to_bits(), (-x).to_bits()]).collect();
    bits.extend([
        0x7FF8_0000_0000_0000,
        0xFFF8_0000_0000_0003,
        0x7FF0_0000_0000_0001,
        0xFFF4_0000_0000_0002,
        0x7FFA_1234_5678_9ABC,
        u64::MAX,
    ]);
    bits
}

/// The instruction that makes a constant.
pub fn constant(ty: Type, bits: u64) -> String {
    match ty {
        Type::I32 => format!("(i32.const {})", bits as u32 as i32),
        Type::I64 => format!("(i64.const {})", bits as i64),
        Type::F32 => {
            let (value, payload) = (f32::from_bits(bits as u32), bits & 0x7F_FFFF);
            format!("(f32.const {})", float(value.into(), payload, &format!("{value:?}")))
        }
        Type::F64 => {
            let (value, payload) = (f64::from_bits(bits), bits & 0xF_FFFF_FFFF_FFFF);
            format!("(f64.const {})", float(value, payload, &format!("{value:?}")))
        }
        _ => panic!("{ty:?} is no scalar"),
    }
}

fn float(value: f64, payload: u64, text: &str) -> String {
    let sign = if value.is_sign_negative() { "-" } else { "" };
    if value.is_nan() { format!("{sign}nan:{payload:#x}") } else { text.to_string() }
}

/// The name of a type.
pub fn name(ty: Type) -> &'static str {
    match ty {
        Type::I32 => "i32",
        Type::I64 => "i64",
        Type::F32 => "f32",
        Type::F64 => "f64",
        _ => panic!("{ty:?} is no scalar"),
    }
}
