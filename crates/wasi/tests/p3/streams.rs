//! What the host holds of streams, and guests that only ever give their turn away.

use super::*;
use zwasm_component::Instance;

/// `run(n)` has `n` streams written to standard output, and writes 64 KiB to each without
/// letting the host go on; it gives how much of that was taken.
const WRITES: &str = r#"(component
  (import "wasi:cli/types@0.3.0" (instance $types
    (type $e (enum "io" "illegal-byte-sequence" "pipe"))
    (export "error-code" (type (eq $e)))))
  (alias export $types "error-code" (type $error))
  (import "wasi:cli/stdout@0.3.0" (instance $stdout
    (alias outer 1 $error (type $e'))
    (export "error-code" (type $e (eq $e')))
    (type $s (stream u8))
    (type $f (future (result (error $e))))
    (export "write-via-stream" (func (param "data" $s) (result $f)))))
  (type $s (stream u8))
  (type $f (future (result (error $error))))
  (core module $Memory (memory (export "mem") 2))
  (core instance $memory (instantiate $Memory))
  (core func $write-via (canon lower (func $stdout "write-via-stream")))
  (core func $new (canon stream.new $s))
  (core func $write (canon stream.write $s async (memory (core memory $memory "mem"))))
  (core func $drop (canon future.drop-readable $f))
  (core module $m
    (import "" "write-via" (func $write-via (param i32) (result i32)))
    (import "" "new" (func $new (result i64)))
    (import "" "write" (func $write (param i32 i32 i32) (result i32)))
    (import "" "drop" (func $drop (param i32)))
    (func (export "run") (param $n i32) (result i64)
      (local $ends i64) (local $sum i64) (local $taken i32)
      (loop $each
        (local.set $ends (call $new))
        (call $drop (call $write-via (i32.wrap_i64 (local.get $ends))))
        (local.set $taken (call $write
          (i32.wrap_i64 (i64.shr_u (local.get $ends) (i64.const 32)))
          (i32.const 1024) (i32.const 65536)))
        (if (i32.ne (local.get $taken) (i32.const -1))
          (then (local.set $sum (i64.add (local.get $sum)
            (i64.extend_i32_u (i32.shr_u (local.get $taken) (i32.const 4)))))))
        (br_if $each (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
      (local.get $sum)))
  (core instance $i (instantiate $m (with "" (instance
    (export "write-via" (func $write-via)) (export "new" (func $new))
    (export "write" (func $write)) (export "drop" (func $drop))))))
  (func (export "run") async (param "n" u32) (result u64)
    (canon lift (core func $i "run"))))"#;

fn guest(text: &str) -> Result<(Store<State>, Instance)> {
    let engine = Engine::default();
    let mut linker: Linker<State> = Linker::new(&engine);
    p3::add_to_linker(&mut linker)?;
    let wasi = WasiCtx::builder().build();
    let mut store = Store::new(&engine, State { wasi, table: ResourceTable::new() });
    let instance = linker.instantiate(&mut store, &Component::new(&engine, text)?)?;
    Ok((store, instance))
}

#[test]
fn what_the_host_holds_of_streams_is_bounded_all_in_all() -> Result<()> {
    let taken = |streams: u32| {
        let (mut store, instance) = guest(WRITES)?;
        let run = instance.get_typed_func::<(u32,), (u64,)>(&mut store, "run")?;
        Ok::<u64, zwasm::Error>(run.call(&mut store, (streams,))?.0)
    };
    assert_eq!(taken(10)?, 10 << 16);
    // Of those for which nothing is left, each takes no more than it takes itself.
    let (some, more) = (taken(1000)?, taken(3000)?);
    assert!(some <= 17 << 20 && more - some <= 2000 << 10, "{some} {more}");
    Ok(())
}

/// Waits for a tenth of a second, and looks whether it is over whenever it has its turn.
const YIELDS: &str = r#"(component
  (import "wasi:clocks/monotonic-clock@0.3.0" (instance $clock
    (export "wait-for" (func async (param "how-long" u64)))))
  (core module $Memory (memory (export "mem") 1))
  (core instance $memory (instantiate $Memory))
  (core func $wait-for (canon lower (func $clock "wait-for") async (memory (core memory $memory "mem"))))
  (core func $return (canon task.return (result (result))))
  (core func $set.new (canon waitable-set.new))
  (core func $set.poll (canon waitable-set.poll (memory (core memory $memory "mem"))))
  (core func $join (canon waitable.join))
  (core func $subtask.drop (canon subtask.drop))
  (core module $Code
    (import "" "wait-for" (func $wait-for (param i64) (result i32)))
    (import "" "return" (func $return (param i32)))
    (import "" "set.new" (func $set.new (result i32)))
    (import "" "set.poll" (func $set.poll (param i32 i32) (result i32)))
    (import "" "join" (func $join (param i32 i32)))
    (global $set (mut i32) (i32.const 0))
    (func (export "run") (result i32)
      (local $status i32)
      (local.set $status (call $wait-for (i64.const 100000000)))
      (global.set $set (call $set.new))
      (call $join (i32.shr_u (local.get $status) (i32.const 4)) (global.get $set))
      (i32.const 1))
    (func (export "cb") (param i32 i32 i32) (result i32)
      (if (call $set.poll (global.get $set) (i32.const 0))
        (then (call $return (i32.const 0)) (return (i32.const 0))))
      (i32.const 1)))
  (core instance $code (instantiate $Code (with "" (instance
    (export "wait-for" (func $wait-for))
    (export "return" (func $return))
    (export "set.new" (func $set.new))
    (export "set.poll" (func $set.poll))
    (export "join" (func $join))))))
  (func $run async (result (result))
    (canon lift (core func $code "run") async (callback (core func $code "cb"))))
  (export "run" (func $run)))"#;

#[test]
fn a_guest_that_gives_its_turn_away_hears_of_time() -> Result<()> {
    let (mut store, instance) = guest(YIELDS)?;
    let run = instance.get_typed_func::<(), (std::result::Result<(), ()>,)>(&mut store, "run")?;
    assert_eq!(run.call(&mut store, ())?, (Ok(()),));
    Ok(())
}
