//! Components that several tests run.

/// A memory, and a `realloc` that never gives anything back.
macro_rules! libc {
    () => {
        r#"(core module $libc-module
          (memory (export "memory") 1)
          (global $next (mut i32) (i32.const 1024))
          (func (export "realloc") (param i32 i32 i32 i32) (result i32)
            (local $at i32)
            (local.set $at
              (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
            (global.set $next (i32.add (local.get $at) (local.get 3)))
            (local.get $at)))
        (core instance $libc (instantiate $libc-module))
        (alias core export $libc "memory" (core memory $memory))
        (alias core export $libc "realloc" (core func $realloc))
"#
    };
}

/// Functions of all kinds of types in an interface, and one of a name that is in two.
pub const LIBRARY: &str = concat!(
    r#"(component
      (component $api
"#,
    libc!(),
    r#"
        (type $point-type (record (field "x" s32) (field "y" (option u8))))
        (export $point "point" (type $point-type))
        (type $color-type (enum "red" "err"))
        (export $color "color" (type $color-type))
        (type $thing-type (resource (rep i32)))
        (export $thing "thing" (type $thing-type))
        (core func $new (canon resource.new $thing-type))
        (core module $m
          (import "libc" "memory" (memory 1))
          (import "thing" "new" (func $new (param i32) (result i32)))
          (global $count (mut i32) (i32.const 0))
          (func (export "add") (param i32 i32) (result i32)
            (i32.add (local.get 0) (local.get 1)))
          (func (export "greet") (param $at i32) (param $size i32) (result i32)
            (i32.store8 (i32.add (local.get $at) (local.get $size)) (i32.const 33))
            (i32.store (i32.const 64) (local.get $at))
            (i32.store (i32.const 68) (i32.add (local.get $size) (i32.const 1)))
            (i32.const 64))
          (func (export "move") (param $x i32) (param $some i32) (param $y i32) (result i32)
            (i32.store (i32.const 64) (i32.add (local.get $x) (i32.const 1)))
            (i32.store8 (i32.const 68) (local.get $some))
            (i32.store8 (i32.const 69) (local.get $y))
            (i32.const 64))
          (func (export "maybe") (param i32 i32) (result i32)
            (i32.store8 (i32.const 64) (local.get 0))
            (i32.store8 (i32.const 65) (local.get 1))
            (i32.const 64))
          (func (export "flip") (param i32) (result i32)
            (i32.sub (i32.const 1) (local.get 0)))
          (func (export "check") (param i32) (result i32)
            (i32.store8 (i32.const 64) (i32.ne (local.get 0) (i32.const 0)))
            (i32.store (i32.const 68) (local.get 0))
            (i32.const 64))
          (func (export "nothing"))
          (func (export "big") (result i64) (i64.const -1))
          (func (export "stop") unreachable)
          (func (export "bad-string") (result i32)
            (i32.store (i32.const 64) (i32.const -8))
            (i32.store (i32.const 68) (i32.const 8))
            (i32.const 64))
          (func (export "bad-bool") (result i32) (i32.const 2))
          (func (export "bad-char") (result i32) (i32.const 0x110000))
          (func (export "count") (result i32)
            (global.set $count (i32.add (global.get $count) (i32.const 1)))
            (global.get $count))
          (func (export "make") (result i32) (call $new (i32.const 7)))
          (func (export "size") (param i32) (result i32) (local.get 0))
          (func (export "twin") (result i32) (i32.const 1)))
        (core instance $i (instantiate $m
          (with "libc" (instance $libc))
          (with "thing" (instance (export "new" (func $new))))))
        (func (export "add") (param "a" u32) (param "b" u32) (result u32)
          (canon lift (core func $i "add")))
        (func (export "greet") (param "name" string) (result string)
          (canon lift (core func $i "greet") (memory $memory) (realloc (core func $realloc))))
        (func (export "move") (param "p" $point) (result $point)
          (canon lift (core func $i "move") (memory $memory)))
        (func (export "maybe") (param "v" (option u8)) (result (option u8))
          (canon lift (core func $i "maybe") (memory $memory)))
        (func (export "flip") (param "c" $color) (result $color)
          (canon lift (core func $i "flip")))
        (func (export "check") (param "n" u32) (result (result (error u32)))
          (canon lift (core func $i "check") (memory $memory)))
        (func (export "nothing") (canon lift (core func $i "nothing")))
        (func (export "big") (result u64) (canon lift (core func $i "big")))
        (func (export "stop") (canon lift (core func $i "stop")))
        (func (export "bad-string") (result string)
          (canon lift (core func $i "bad-string") (memory $memory)))
        (func (export "bad-bool") (result bool) (canon lift (core func $i "bad-bool")))
        (func (export "bad-char") (result char) (canon lift (core func $i "bad-char")))
        (func (export "count") (result u32) (canon lift (core func $i "count")))
        (func (export "make") (result (own $thing)) (canon lift (core func $i "make")))
        (func (export "size") (param "t" (borrow $thing)) (result u32)
          (canon lift (core func $i "size")))
        (func (export "twin") (result u32) (canon lift (core func $i "twin"))))
      (instance $api (instantiate $api))
      (export "test:lib/api@1.2.0" (instance $api))
      (component $other
        (core module $m (func (export "twin") (result i32) (i32.const 2)))
        (core instance $i (instantiate $m))
        (func (export "twin") (result u32) (canon lift (core func $i "twin"))))
      (instance $other (instantiate $other))
      (export "test:lib/other" (instance $other)))"#
);

/// A program whose `run` has this body; it may call itself.
pub fn run_of(body: &str) -> String {
    format!(
        r#"(component
          (core module $m (func $run (export "run") (result i32) {body}))
          (core instance $i (instantiate $m))
          (func $run (result (result)) (canon lift (core func $i "run")))
          (instance $run (export "run" (func $run)))
          (export "wasi:cli/run@0.2.3" (instance $run)))"#
    )
}

/// A component with a memory, whose function `f` has this body.
pub fn store_of(body: &str) -> String {
    format!(
        r#"(component
          (core module $m (memory 1) (func (export "f") (result i32) {body}))
          (core instance $i (instantiate $m))
          (func (export "f") (result s32) (canon lift (core func $i "f"))))"#
    )
}

/// Writes its arguments and its environment, one a line.
pub const PROGRAM: &str = concat!(
    r#"(component
      (import "wasi:io/error@0.2.0" (instance $error-i (export "error" (type (sub resource)))))
      (alias export $error-i "error" (type $error))
      (import "wasi:io/streams@0.2.0" (instance $streams
        (export "output-stream" (type $out (sub resource)))
        (alias outer 1 $error (type $outer))
        (export "error" (type $error (eq $outer)))
        (type $failure (variant (case "last-operation-failed" (own $error)) (case "closed")))
        (export "stream-error" (type $stream-error (eq $failure)))
        (export "[method]output-stream.blocking-write-and-flush"
          (func (param "self" (borrow $out)) (param "contents" (list u8))
            (result (result (error $stream-error)))))))
      (alias export $streams "output-stream" (type $out))
      (import "wasi:cli/stdout@0.2.0" (instance $stdout
        (alias outer 1 $out (type $outer))
        (export "output-stream" (type $out (eq $outer)))
        (export "get-stdout" (func (result (own $out))))))
      (import "wasi:cli/environment@0.2.0" (instance $environment
        (export "get-environment" (func (result (list (tuple string string)))))
        (export "get-arguments" (func (result (list string))))))
"#,
    libc!(),
    r#"
      (core func $stdout (canon lower (func $stdout "get-stdout")))
      (core func $write
        (canon lower (func $streams "[method]output-stream.blocking-write-and-flush")
          (memory $memory)))
      (core func $arguments
        (canon lower (func $environment "get-arguments") (memory $memory)
          (realloc (core func $realloc))))
      (core func $variables
        (canon lower (func $environment "get-environment") (memory $memory)
          (realloc (core func $realloc))))
      (core module $m
        (import "libc" "memory" (memory 1))
        (import "wasi" "stdout" (func $stdout (result i32)))
        (import "wasi" "write" (func $write (param i32 i32 i32 i32)))
        (import "wasi" "arguments" (func $arguments (param i32)))
        (import "wasi" "variables" (func $variables (param i32)))
        (data (i32.const 32) "\0a=")
        ;; Writes the string whose address and length are at `at`, and a byte after it.
        (func $put (param $out i32) (param $at i32) (param $end i32)
          (call $write (local.get $out) (i32.load (local.get $at))
            (i32.load (i32.add (local.get $at) (i32.const 4))) (i32.const 16))
          (call $write (local.get $out) (local.get $end) (i32.const 1) (i32.const 16)))
        (func (export "run") (result i32)
          (local $out i32) (local $at i32) (local $left i32)
          (local.set $out (call $stdout))
          (call $arguments (i32.const 0))
          (local.set $at (i32.load (i32.const 0)))
          (local.set $left (i32.load (i32.const 4)))
          (block $done (loop $next
            (br_if $done (i32.eqz (local.get $left)))
            (call $put (local.get $out) (local.get $at) (i32.const 32))
            (local.set $at (i32.add (local.get $at) (i32.const 8)))
            (local.set $left (i32.sub (local.get $left) (i32.const 1)))
            (br $next)))
          (call $variables (i32.const 0))
          (local.set $at (i32.load (i32.const 0)))
          (local.set $left (i32.load (i32.const 4)))
          (block $done (loop $next
            (br_if $done (i32.eqz (local.get $left)))
            (call $put (local.get $out) (local.get $at) (i32.const 33))
            (call $put (local.get $out) (i32.add (local.get $at) (i32.const 8)) (i32.const 32))
            (local.set $at (i32.add (local.get $at) (i32.const 16)))
            (local.set $left (i32.sub (local.get $left) (i32.const 1)))
            (br $next)))
          (i32.const 0)))
      (core instance $i (instantiate $m
        (with "libc" (instance $libc))
        (with "wasi" (instance
          (export "stdout" (func $stdout)) (export "write" (func $write))
          (export "arguments" (func $arguments)) (export "variables" (func $variables))))))
      (func $run (result (result)) (canon lift (core func $i "run")))
      (instance $run (export "run" (func $run)))
      (export "wasi:cli/run@0.2.0" (instance $run)))"#
);

/// A program that exits with a result: 0 for `ok`, 1 for `err`.
pub fn exit(status: i32) -> String {
    format!(
        r#"(component
          (import "wasi:cli/exit@0.2.1" (instance $exit
            (export "exit" (func (param "status" (result))))))
          (core func $exit (canon lower (func $exit "exit")))
          (core module $m
            (import "" "exit" (func $exit (param i32)))
            (func (export "run") (result i32) (call $exit (i32.const {status})) unreachable))
          (core instance $i (instantiate $m (with "" (instance (export "exit" (func $exit))))))
          (func $run (result (result)) (canon lift (core func $i "run")))
          (instance $run (export "run" (func $run)))
          (export "wasi:cli/run@0.2.1" (instance $run)))"#
    )
}

/// A program that exits with a code of its own.
pub const EXIT_WITH_CODE: &str = r#"(component
  (import "wasi:cli/exit@0.2.1" (instance $exit
    (export "exit-with-code" (func (param "status-code" u8)))))
  (core func $exit (canon lower (func $exit "exit-with-code")))
  (core module $m
    (import "" "exit" (func $exit (param i32)))
    (func (export "run") (result i32) (call $exit (i32.const 42)) unreachable))
  (core instance $i (instantiate $m (with "" (instance (export "exit" (func $exit))))))
  (func $run (result (result)) (canon lift (core func $i "run")))
  (instance $run (export "run" (func $run)))
  (export "wasi:cli/run@0.2.1" (instance $run)))"#;

/// A program that makes the directory `new` in the first that it is given; it fails if it
/// cannot.
pub const MAKE_DIRECTORY: &str = concat!(
    r#"(component
      (import "wasi:filesystem/types@0.2.0" (instance $types
        (export "descriptor" (type $descriptor (sub resource)))
        (type $code (enum "access" "would-block" "already" "bad-descriptor" "busy" "deadlock"
          "quota" "exist" "file-too-large" "illegal-byte-sequence" "in-progress" "interrupted"
          "invalid" "io" "is-directory" "loop" "too-many-links" "message-size" "name-too-long"
          "no-device" "no-entry" "no-lock" "insufficient-memory" "insufficient-space"
          "not-directory" "not-empty" "not-recoverable" "unsupported" "no-tty" "no-such-device"
          "overflow" "not-permitted" "pipe" "read-only" "invalid-seek" "text-file-busy"
          "cross-device"))
        (export "error-code" (type $error-code (eq $code)))
        (export "[method]descriptor.create-directory-at"
          (func (param "self" (borrow $descriptor)) (param "path" string)
            (result (result (error $error-code)))))))
      (alias export $types "descriptor" (type $descriptor))
      (import "wasi:filesystem/preopens@0.2.0" (instance $preopens
        (alias outer 1 $descriptor (type $outer))
        (export "descriptor" (type $descriptor (eq $outer)))
        (export "get-directories" (func (result (list (tuple (own $descriptor) string)))))))
"#,
    libc!(),
    r#"
      (core func $directories
        (canon lower (func $preopens "get-directories") (memory $memory)
          (realloc (core func $realloc))))
      (core func $make
        (canon lower (func $types "[method]descriptor.create-directory-at") (memory $memory)))
      (core module $m
        (import "libc" "memory" (memory 1))
        (import "wasi" "directories" (func $directories (param i32)))
        (import "wasi" "make" (func $make (param i32 i32 i32 i32)))
        (data (i32.const 32) "new")
        (func (export "run") (result i32)
          (call $directories (i32.const 0))
          (if (i32.eqz (i32.load (i32.const 4))) (then (return (i32.const 1))))
          (call $make (i32.load (i32.load (i32.const 0))) (i32.const 32) (i32.const 3)
            (i32.const 16))
          (i32.load8_u (i32.const 16))))
      (core instance $i (instantiate $m
        (with "libc" (instance $libc))
        (with "wasi" (instance
          (export "directories" (func $directories)) (export "make" (func $make))))))
      (func $run (result (result)) (canon lift (core func $i "run")))
      (instance $run (export "run" (func $run)))
      (export "wasi:cli/run@0.2.0" (instance $run)))"#
);

/// An interface with strings and a resource, whose destructor counts.
pub const SHOUTER: &str = concat!(
    r#"(component
      (component $shouter
"#,
    libc!(),
    r#"
        (core module $counter
          (global $drops (mut i32) (i32.const 0))
          (func (export "dtor") (param i32)
            (global.set $drops (i32.add (global.get $drops) (i32.const 1))))
          (func (export "drops") (result i32) (global.get $drops)))
        (core instance $counter (instantiate $counter))
        (type $voice-type (resource (rep i32) (dtor (core func $counter "dtor"))))
        (export $voice "voice" (type $voice-type))
        (core func $new (canon resource.new $voice-type))
        (core module $m
          (import "libc" "memory" (memory 1))
          (import "voice" "new" (func $new (param i32) (result i32)))
          (func (export "new") (param i32) (result i32) (call $new (local.get 0)))
          (func (export "size") (param i32) (result i32) (local.get 0))
          (func (export "shout") (param $at i32) (param $size i32) (result i32)
            (i32.store8 (i32.add (local.get $at) (local.get $size)) (i32.const 33))
            (i32.store (i32.const 64) (local.get $at))
            (i32.store (i32.const 68) (i32.add (local.get $size) (i32.const 1)))
            (i32.const 64)))
        (core instance $i (instantiate $m
          (with "libc" (instance $libc))
          (with "voice" (instance (export "new" (func $new))))))
        (func (export "[constructor]voice") (param "size" u32) (result (own $voice))
          (canon lift (core func $i "new")))
        (func (export "[method]voice.size") (param "self" (borrow $voice)) (result u32)
          (canon lift (core func $i "size")))
        (func (export "shout") (param "s" string) (result string)
          (canon lift (core func $i "shout") (memory $memory) (realloc (core func $realloc))))
        (func (export "drops") (result u32) (canon lift (core func $counter "drops"))))
      (instance $shouter (instantiate $shouter))
      (export "test:link/shouter" (instance $shouter)))"#
);

/// Imports what [`SHOUTER`] exports.
pub const BOTH: &str = concat!(
    r#"(component
      (import "test:link/shouter" (instance $shouter
        (export "voice" (type $voice (sub resource)))
        (export "[constructor]voice" (func (param "size" u32) (result (own $voice))))
        (export "[method]voice.size" (func (param "self" (borrow $voice)) (result u32)))
        (export "shout" (func (param "s" string) (result string)))
        (export "drops" (func (result u32)))))
      (alias export $shouter "voice" (type $voice))
"#,
    libc!(),
    r#"
      (core func $new (canon lower (func $shouter "[constructor]voice")))
      (core func $size (canon lower (func $shouter "[method]voice.size")))
      (core func $drops (canon lower (func $shouter "drops")))
      (core func $drop (canon resource.drop $voice))
      (core func $shout
        (canon lower (func $shouter "shout") (memory $memory) (realloc (core func $realloc))))
      (core module $m
        (import "libc" "memory" (memory 1))
        (import "s" "new" (func $new (param i32) (result i32)))
        (import "s" "size" (func $size (param i32) (result i32)))
        (import "s" "drop" (func $drop (param i32)))
        (import "s" "drops" (func $drops (result i32)))
        (import "s" "shout" (func $shout (param i32 i32 i32)))
        (func (export "shout") (param i32 i32) (result i32)
          (call $shout (local.get 0) (local.get 1) (i32.const 64))
          (i32.const 64))
        (func (export "lend") (param i32) (result i32) (local $voice i32)
          (local.set $voice (call $new (local.get 0)))
          (call $size (local.get $voice))
          (call $drop (local.get $voice)))
        (func (export "dropped") (result i32)
          (call $drop (call $new (i32.const 1)))
          (call $drops)))
      (core instance $i (instantiate $m
        (with "libc" (instance $libc))
        (with "s" (instance
          (export "new" (func $new)) (export "size" (func $size)) (export "drop" (func $drop))
          (export "drops" (func $drops)) (export "shout" (func $shout))))))
      (func (export "shout") (param "s" string) (result string)
        (canon lift (core func $i "shout") (memory $memory) (realloc (core func $realloc))))
      (func (export "lend") (param "n" u32) (result u32) (canon lift (core func $i "lend")))
      (func (export "dropped") (result u32) (canon lift (core func $i "dropped"))))"#
);

/// Exports a function in no interface.
pub const FLAT: &str = r#"(component
  (core module $m (func (export "five") (result i32) (i32.const 5)))
  (core instance $i (instantiate $m))
  (func (export "five") (result u32) (canon lift (core func $i "five"))))"#;

/// Imports that from an instance, and calls it.
pub const NEEDS_FLAT: &str = r#"(component
  (import "flat" (instance $flat (export "five" (func (result u32)))))
  (core func $five (canon lower (func $flat "five")))
  (core module $m
    (import "" "five" (func $five (result i32)))
    (func (export "f") (result i32) (call $five)))
  (core instance $i (instantiate $m (with "" (instance (export "five" (func $five))))))
  (func (export "f") (result u32) (canon lift (core func $i "f"))))"#;

/// A program that waits for an hour.
pub const WAITS: &str = r#"(component
  (import "wasi:io/poll@0.2.0" (instance $poll
    (export "pollable" (type $pollable (sub resource)))
    (export "[method]pollable.block" (func (param "self" (borrow $pollable))))))
  (alias export $poll "pollable" (type $pollable))
  (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock
    (alias outer 1 $pollable (type $outer))
    (export "pollable" (type $pollable (eq $outer)))
    (export "subscribe-duration" (func (param "when" u64) (result (own $pollable))))))
  (core func $block (canon lower (func $poll "[method]pollable.block")))
  (core func $subscribe (canon lower (func $clock "subscribe-duration")))
  (core module $m
    (import "" "block" (func $block (param i32)))
    (import "" "subscribe" (func $subscribe (param i64) (result i32)))
    (func (export "run") (result i32)
      (call $block (call $subscribe (i64.const 3600_000_000_000)))
      (i32.const 0)))
  (core instance $i (instantiate $m
    (with "" (instance (export "block" (func $block)) (export "subscribe" (func $subscribe))))))
  (func $run (result (result)) (canon lift (core func $i "run")))
  (instance $run (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $run)))"#;
