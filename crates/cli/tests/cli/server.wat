;; A component that answers requests, behind the types of WASI: what it does is in the
;; first letter of the path. Its end closes the component.
  (core module $libc
    (memory (export "memory") 4)
    ;; Whatever is received lies in the same place.
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 65536)))
  (core instance $libc (instantiate $libc))
  (alias core export $libc "memory" (core memory $memory))
  (alias core export $libc "realloc" (core func $realloc))
  (alias export $wasi:http/types@0.2.12 "incoming-request" (type $incoming-request))
  (alias export $wasi:http/types@0.2.12 "response-outparam" (type $response-outparam))
  (alias export $wasi:io/streams@0.2.12 "output-stream" (type $to-write))
  (alias export $wasi:io/streams@0.2.12 "input-stream" (type $to-read))
  (core func $drop-output (canon resource.drop $to-write))
  (core func $drop-input (canon resource.drop $to-read))
  (core func $fields (canon lower (func $wasi:http/types@0.2.12 "[constructor]fields")))
  (core func $append (canon lower
    (func $wasi:http/types@0.2.12 "[method]fields.append") (memory $memory)))
  (core func $path (canon lower
    (func $wasi:http/types@0.2.12 "[method]incoming-request.path-with-query")
    (memory $memory) (realloc $realloc)))
  (core func $consume (canon lower
    (func $wasi:http/types@0.2.12 "[method]incoming-request.consume") (memory $memory)))
  (core func $incoming (canon lower
    (func $wasi:http/types@0.2.12 "[method]incoming-body.stream") (memory $memory)))
  (core func $response (canon lower
    (func $wasi:http/types@0.2.12 "[constructor]outgoing-response")))
  (core func $status (canon lower
    (func $wasi:http/types@0.2.12 "[method]outgoing-response.set-status-code")))
  (core func $body (canon lower
    (func $wasi:http/types@0.2.12 "[method]outgoing-response.body") (memory $memory)))
  (core func $outgoing (canon lower
    (func $wasi:http/types@0.2.12 "[method]outgoing-body.write") (memory $memory)))
  (core func $finish (canon lower
    (func $wasi:http/types@0.2.12 "[static]outgoing-body.finish")
    (memory $memory) (realloc $realloc)))
  (core func $respond (canon lower
    (func $wasi:http/types@0.2.12 "[static]response-outparam.set")
    (memory $memory) (realloc $realloc)))
  (core func $read (canon lower
    (func $wasi:io/streams@0.2.12 "[method]input-stream.blocking-read")
    (memory $memory) (realloc $realloc)))
  (core func $write (canon lower
    (func $wasi:io/streams@0.2.12 "[method]output-stream.blocking-write-and-flush")
    (memory $memory)))
  (core func $duration (canon lower
    (func $wasi:clocks/monotonic-clock@0.2.12 "subscribe-duration")))
  (core func $block (canon lower (func $wasi:io/poll@0.2.12 "[method]pollable.block")))
  (core module $main
    (import "" "memory" (memory 4))
    (import "" "fields" (func $fields (result i32)))
    (import "" "append" (func $append (param i32 i32 i32 i32 i32 i32)))
    (import "" "path" (func $path (param i32 i32)))
    (import "" "consume" (func $consume (param i32 i32)))
    (import "" "incoming" (func $incoming (param i32 i32)))
    (import "" "response" (func $response (param i32) (result i32)))
    (import "" "status" (func $status (param i32 i32) (result i32)))
    (import "" "body" (func $body (param i32 i32)))
    (import "" "outgoing" (func $outgoing (param i32 i32)))
    (import "" "finish" (func $finish (param i32 i32 i32 i32)))
    (import "" "respond" (func $respond (param i32 i32 i32 i32 i64 i32 i32 i32 i32)))
    (import "" "read" (func $read (param i32 i64 i32)))
    (import "" "write" (func $write (param i32 i32 i32 i32)))
    (import "" "duration" (func $duration (param i64) (result i32)))
    (import "" "block" (func $block (param i32)))
    (import "" "drop-output" (func $drop-output (param i32)))
    (import "" "drop-input" (func $drop-input (param i32)))
    (data (i32.const 1024) "content-typetext/plaincontent-length10hello\n")
    (global $stream (mut i32) (i32.const 0))
    (global $text (mut i32) (i32.const 0))

    (func $sleep (param $milliseconds i64)
      (call $block (call $duration
        (i64.mul (local.get $milliseconds) (i64.const 1000000)))))

    ;; Begins a response; with `long`, one that says that it has ten bytes.
    (func $begin (param $to i32) (param $code i32) (param $long i32)
      (local $headers i32) (local $made i32)
      (local.set $headers (call $fields))
      (call $append (local.get $headers) (i32.const 1024) (i32.const 12)
        (i32.const 1036) (i32.const 10) (i32.const 0))
      (if (local.get $long) (then
        (call $append (local.get $headers) (i32.const 1046) (i32.const 14)
          (i32.const 1060) (i32.const 2) (i32.const 0))))
      (local.set $made (call $response (local.get $headers)))
      (drop (call $status (local.get $made) (local.get $code)))
      (call $body (local.get $made) (i32.const 0))
      (global.set $text (i32.load (i32.const 4)))
      (call $respond (local.get $to) (i32.const 0) (local.get $made) (i32.const 0)
        (i64.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))
      (call $outgoing (global.get $text) (i32.const 0))
      (global.set $stream (i32.load (i32.const 4))))

    ;; Writes bytes; whether somebody takes them.
    (func $put (param $at i32) (param $len i32) (result i32) (local $now i32)
      (loop $more
        (if (i32.eqz (local.get $len)) (then (return (i32.const 1))))
        (local.set $now (select (i32.const 4096) (local.get $len)
          (i32.gt_u (local.get $len) (i32.const 4096))))
        (call $write (global.get $stream) (local.get $at) (local.get $now) (i32.const 0))
        (if (i32.load8_u (i32.const 0)) (then (return (i32.const 0))))
        (local.set $at (i32.add (local.get $at) (local.get $now)))
        (local.set $len (i32.sub (local.get $len) (local.get $now)))
        (br $more))
      (unreachable))

    (func $end
      (call $drop-output (global.get $stream))
      (call $finish (global.get $text) (i32.const 0) (i32.const 0) (i32.const 0)))

    (func $hello (drop (call $put (i32.const 1062) (i32.const 6))))

    (func (export "handle") (param $request i32) (param $to i32)
      (local $what i32) (local $in i32) (local $left i32)
      (call $path (local.get $request) (i32.const 0))
      (if (i32.gt_u (i32.load (i32.const 8)) (i32.const 1)) (then
        (local.set $what (i32.load8_u offset=1 (i32.load (i32.const 4))))))
      ;; t: traps.
      (if (i32.eq (local.get $what) (i32.const 0x74)) (then (unreachable)))
      ;; n: gives no response.
      (if (i32.eq (local.get $what) (i32.const 0x6e)) (then (return)))
      ;; l: computes for ever.
      (if (i32.eq (local.get $what) (i32.const 0x6c)) (then (loop $ever (br $ever))))
      ;; p: sleeps for ever.
      (if (i32.eq (local.get $what) (i32.const 0x70)) (then
        (call $sleep (i64.const 3600000))))
      ;; x: answers with an error.
      (if (i32.eq (local.get $what) (i32.const 0x78)) (then
        (call $respond (local.get $to) (i32.const 1) (i32.const 36) (i32.const 0)
          (i64.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))
        (return)))
      ;; z: has nothing to say, and says so.
      (if (i32.eq (local.get $what) (i32.const 0x7a)) (then
        (call $begin (local.get $to) (i32.const 204) (i32.const 0))
        (call $end)
        (return)))
      ;; e: sends back what it gets.
      (if (i32.eq (local.get $what) (i32.const 0x65)) (then
        (call $consume (local.get $request) (i32.const 0))
        (call $incoming (i32.load (i32.const 4)) (i32.const 0))
        (local.set $in (i32.load (i32.const 4)))
        (call $begin (local.get $to) (i32.const 200) (i32.const 0))
        (block $done (loop $more
          (call $read (local.get $in) (i64.const 65536) (i32.const 16))
          ;; What is broken is no whole answer.
          (if (i32.load8_u (i32.const 16)) (then
            (br_if $done (i32.load8_u (i32.const 20)))
            (unreachable)))
          (br_if $more
            (call $put (i32.load (i32.const 20)) (i32.load (i32.const 24))))))
        (call $end)
        (return)))
      ;; c: sends less than it says.
      (call $begin (local.get $to) (i32.const 200)
        (i32.eq (local.get $what) (i32.const 0x63)))
      ;; b: sends 64 KiB; g: as much as somebody takes.
      (local.set $left (i32.const 16))
      (if (i32.eq (local.get $what) (i32.const 0x67)) (then
        (local.set $left (i32.const 1000000))))
      (if (i32.or (i32.eq (local.get $what) (i32.const 0x62))
                  (i32.eq (local.get $what) (i32.const 0x67))) (then
        (block $gone (loop $more
          (br_if $gone (i32.eqz (call $put (i32.const 131072) (i32.const 4096))))
          (local.set $left (i32.sub (local.get $left) (i32.const 1)))
          (br_if $more (local.get $left))))
        (call $end)
        (return)))
      (call $hello)
      ;; f: computes for ever, when it has answered.
      (if (i32.eq (local.get $what) (i32.const 0x66)) (then (loop $ever (br $ever))))
      ;; s: has more to say after a while; w: traps then.
      (if (i32.or (i32.eq (local.get $what) (i32.const 0x73))
                  (i32.eq (local.get $what) (i32.const 0x77))) (then
        (call $sleep (i64.const 300))
        (if (i32.eq (local.get $what) (i32.const 0x77)) (then (unreachable)))
        (call $hello)))
      (call $end)))
  (core instance $main (instantiate $main (with "" (instance
    (export "memory" (memory $memory))
    (export "fields" (func $fields))
    (export "append" (func $append))
    (export "path" (func $path))
    (export "consume" (func $consume))
    (export "incoming" (func $incoming))
    (export "response" (func $response))
    (export "status" (func $status))
    (export "body" (func $body))
    (export "outgoing" (func $outgoing))
    (export "finish" (func $finish))
    (export "respond" (func $respond))
    (export "read" (func $read))
    (export "write" (func $write))
    (export "duration" (func $duration))
    (export "block" (func $block))
    (export "drop-output" (func $drop-output))
    (export "drop-input" (func $drop-input))))))
  (type $handle (func (param "request" (own $incoming-request))
    (param "response-out" (own $response-outparam))))
  (func $handle (type $handle) (canon lift (core func $main "handle")))
  (instance $handler (export "handle" (func $handle)))
  (export "wasi:http/incoming-handler@0.2.12" (instance $handler)))
