//! Tables of branches, whose index is part of an address.

use super::*;

/// The index is the lower half of a number, whatever its upper half.
#[test]
fn indices_are_cut_to_32_bits() {
    let wat = r#"(module
        (func (export "run") (param $n i64) (result i64)
            (block $two (block $one (block $zero
                (br_table $zero $one $two $one (i32.wrap_i64 (local.get $n))))
                (return (i64.const 10)))
                (return (i64.const 11)))
            (i64.const 12)))"#;
    let results = everywhere(
        wat,
        |_| {},
        |guest| {
            let above = [0, 1 << 32, -1 << 32, i64::MIN, 0x7F << 56, 0xFE << 24 << 32];
            let numbers = above.iter().flat_map(|above| (0..4).map(move |low| above | low));
            numbers.map(|number| guest.call("run", &[number]).unwrap()).collect::<Vec<_>>()
        },
    );
    assert_eq!(results, [10, 11, 12, 11].repeat(6));
}
