//! Calls of the host out of all worlds and back into them.

use super::*;
use zwasm::Trap;

const BACK: &str = r#"(module
    (import "host" "again" (func $again (param i64) (result i64)))
    (memory (export "memory") 1)
    (func $step (export "back") (param i64) (result i64) (local $kept f64)
        (local.set $kept (f64.convert_i64_s (local.get 0)))
        (i64.store (i32.const 16) (local.get 0))
        (i64.add
            (call $other (i64.sub (local.get 0) (i64.const 1)))
            (i64.sub (i64.trunc_f64_s (local.get $kept)) (i64.sub (local.get 0) (i64.const 1)))))
    (func $other (param i64) (result i64)
        (i64.add (call $again (local.get 0)) (i64.const 1)))
    (func $rare (param i64) (result i64)
        (call $again (local.get 0)))
    (func (export "many") (param $n i64) (result i64) (local $sum i64) (local $f f32)
        (loop $again
            (local.set $f (f32.convert_i64_s (i64.and (local.get $n) (i64.const 0xffff))))
            (local.set $sum (i64.add (local.get $sum) (call $rare (local.get $n))))
            (local.set $sum (i64.add (local.get $sum) (i64.trunc_f32_s (local.get $f))))
            (br_if $again (i64.ne (i64.const 0)
                (local.tee $n (i64.sub (local.get $n) (i64.const 1))))))
        (local.get $sum)))"#;

#[test]
fn hosts_are_called_many_times_out_of_every_world() {
    for pins in PINS {
        let mut guest = Guest::pinned(pins, BACK);
        guest.store.data_mut().depth = 0;
        let expected = (1..=MANY).fold(0i64, |sum, n| sum + n + (n & 0xffff));
        assert_eq!(guest.call("many", &[MANY]).unwrap(), expected, "{pins:?}");
        assert_eq!(guest.store.data().calls, MANY as u64);
    }
}

/// Through as many host functions as the native stack has room for: how many follows from
/// the host's frames, so only what does not depend on them is looked at.
#[test]
fn nesting_through_the_host_is_deep_and_ends() {
    for pins in PINS {
        let mut guest = Guest::pinned(pins, BACK);
        guest.store.data_mut().depth = 500;
        // Each level takes one off and gives two.
        assert_eq!(guest.call("back", &[0]).unwrap(), 501, "{pins:?}");
        for _ in 0..3 {
            guest.store.data_mut().depth = u32::MAX;
            let error = guest.call("back", &[0]).unwrap_err();
            assert_eq!(error.trap(), Some(Trap::StackOverflow), "{pins:?}");
            guest.store.data_mut().depth = 3;
            assert_eq!(guest.call("back", &[0]).unwrap(), 4, "{pins:?}");
        }
    }
}
