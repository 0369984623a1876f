//! The component that runs programs: two instances of one guest, whose code asks the host
//! for each operation and tells what the one before gave.
//!
//! It is the same for all programs, so that it is compiled once for each mode. An
//! operation is one number: the shape of the function that it calls, which one in the
//! guest's table, and three numbers to call it with. With the result the guest tells what
//! the first bytes of its memory come to, so that no byte is copied unnoticed.

use super::program::{Element, Func, Kind, PIPES};
use std::fmt::Write;
use std::sync::LazyLock;

/// The bytes that are looked at.
pub const MEMORY: usize = 1024;
/// Where elements lie that programs read and write.
pub const WORK: usize = 256;
/// Where results of calls are put, 8 bytes for each number of a call.
pub const OUT: usize = 256;
/// How many results there is room for.
pub const OUTS: usize = 32;
/// Where `realloc` finds room, up to the end of what is looked at.
pub const ROOM: usize = OUT + 8 * OUTS;
/// Where events are written, which the guest reads at once.
const SCRATCH: usize = MEMORY;

/// What the guest tells.
pub const RESULT: u32 = 0;
pub const ENTERED: u32 = 1;
pub const EVENT: u32 = 2;

/// How an operation is called, and what is told of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// `() -> i64`
    Wide,
    /// `(i32 i32 i32) -> i32`
    Three,
    /// `(i32 i32) -> i32`
    Two,
    /// `(i32 i32) -> i32`, which writes an event.
    Event,
    /// `(i32) -> i32`
    One,
    /// `(i32) -> ()`
    OneOnly,
    /// `() -> i32`
    Give,
    /// `() -> ()`
    Only,
    /// `(i32 i32) -> ()`
    TwoOnly,
    /// `(i32 i32 i32 i32) -> i32`: a call, which has a place for its result.
    Call,
    /// `(i32 i32 i32 i32) -> ()`: the same, whose result is told.
    CallOnly,
    /// Returns a number.
    Exit,
    /// Returns the address of a result.
    ExitWith,
    /// Writes a number to memory.
    Store,
    /// Traps.
    Trap,
}

/// An operation as the guest gets it.
pub fn packed(shape: Shape, func: usize, [x, y, z]: [u32; 3]) -> u64 {
    let word = |value: u32, at: u32| u64::from(value & 0xffff) << at;
    (shape as u64) << 56 | func as u64 & 0xff | word(x, 8) | word(y, 24) | word(z, 40)
}

/// The place of a function in the guest's table.
pub fn index(func: Func) -> usize {
    static ALL: LazyLock<Vec<Func>> = LazyLock::new(Func::all);
    ALL.iter().position(|other| *other == func).unwrap_or_default()
}

/// What a guest's memory begins with.
pub fn memory() -> Vec<u8> {
    (0..MEMORY).map(|at| if at < WORK { (at * 7 + 1) as u8 & 0x7f } else { 0 }).collect()
}

/// What the guest makes of its memory.
pub fn hash(memory: &[u8]) -> u64 {
    memory.chunks_exact(8).fold(0, |hash: u64, bytes| {
        let word = bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
        (hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23)
    })
}

fn element(element: Element) -> &'static str {
    match element {
        Element::None => "",
        Element::U8 => "u8",
        Element::U32 => "u32",
        Element::String => "string",
        Element::Own => "(own $r)",
    }
}

/// The types of the pipes, and the variant of their readable ends, as `$NAME`.
fn types(name: &str) -> String {
    let mut text = String::new();
    let mut cases = String::from(r#"(case "nothing")"#);
    for (at, pipe) in PIPES.iter().enumerate() {
        let what = if pipe.future { "future" } else { "stream" };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "(type $P{at} ({what} {}))", element(pipe.element));
        let _ = write!(cases, r#" (case "p{at}" $P{at})"#);
    }
    format!("{text}(type {name} (variant {cases}))")
}

const STEP: &str = r#"(func (param "task" u32) (param "what" u32) (param "a" u64)
    (param "b" u32) (param "hash" u64) (result u64))"#;

const MAKE: &str = r#"(func (param "rep" u32) (result (own $r)))"#;

fn call_type(kind: Kind, end: &str) -> String {
    let asynchronous = if kind.blocks() { "async" } else { "" };
    format!(r#"(func {asynchronous} (param "id" u32) (param "end" {end}) (result {end}))"#)
}

/// How a function of the table is made.
fn canon(func: Func) -> String {
    const ALL: &str = r#"(memory (core memory $lib "m")) (realloc (core func $lib "realloc"))"#;
    const MEMORY: &str = r#"(memory (core memory $lib "m"))"#;
    let way = |sync: bool| if sync { "" } else { "async" };
    let pipe = |ty: usize| if PIPES[ty].future { "future" } else { "stream" };
    match func {
        Func::New { ty } => format!("{}.new $P{ty}", pipe(ty)),
        Func::Copy { ty, reads, sync } => {
            let verb = if reads { "read" } else { "write" };
            format!("{}.{verb} $P{ty} {} {ALL}", pipe(ty), way(sync))
        }
        Func::Cancel { ty, reads, sync } => {
            let verb = if reads { "read" } else { "write" };
            format!("{}.cancel-{verb} $P{ty} {}", pipe(ty), way(sync))
        }
        Func::Drop { ty, reads } => {
            let side = if reads { "readable" } else { "writable" };
            format!("{}.drop-{side} $P{ty}", pipe(ty))
        }
        Func::SetNew => "waitable-set.new".into(),
        Func::SetWait => format!("waitable-set.wait {MEMORY}"),
        Func::SetPoll => format!("waitable-set.poll {MEMORY}"),
        Func::SetDrop => "waitable-set.drop".into(),
        Func::Join => "waitable.join".into(),
        Func::SubtaskCancel { sync } => format!("subtask.cancel {}", way(sync)),
        Func::SubtaskDrop => "subtask.drop".into(),
        Func::Yield => "thread.yield".into(),
        Func::Pressure { more: true } => "backpressure.inc".into(),
        Func::Pressure { more: false } => "backpressure.dec".into(),
        Func::Return => format!("task.return (result $end) {MEMORY}"),
        Func::TaskCancel => "task.cancel".into(),
        Func::Make => "lower (func $make)".into(),
        Func::ResourceDrop => "resource.drop $r".into(),
        Func::Call { kind, sync } => {
            format!("lower (func ${}) {} {ALL}", kind.name(), way(sync))
        }
    }
}

/// The core type of a shape.
fn signature(shape: Shape) -> &'static str {
    match shape {
        Shape::Wide => "(result i64)",
        Shape::Three => "(param i32 i32 i32) (result i32)",
        Shape::Two | Shape::Event => "(param i32 i32) (result i32)",
        Shape::One => "(param i32) (result i32)",
        Shape::OneOnly => "(param i32)",
        Shape::Give => "(result i32)",
        Shape::Only | Shape::Exit | Shape::ExitWith | Shape::Store | Shape::Trap => "",
        Shape::TwoOnly => "(param i32 i32)",
        Shape::Call => "(param i32 i32 i32 i32) (result i32)",
        Shape::CallOnly => "(param i32 i32 i32 i32)",
    }
}

const SHAPES: [Shape; 15] = [
    Shape::Wide,
    Shape::Three,
    Shape::Two,
    Shape::Event,
    Shape::One,
    Shape::OneOnly,
    Shape::Give,
    Shape::Only,
    Shape::TwoOnly,
    Shape::Call,
    Shape::CallOnly,
    Shape::Exit,
    Shape::ExitWith,
    Shape::Store,
    Shape::Trap,
];

/// What the guest does with an operation of a shape: `$a` and `$b` are told.
fn action(shape: Shape) -> String {
    let ty = signature(shape);
    let call = |args: &str| format!("(call_indirect {ty} {args} (local.get $f))");
    let narrow = |args: &str| format!("(local.set $a (i64.extend_i32_u {}))", call(args));
    let (x, xy) = ("(local.get $x)", "(local.get $x) (local.get $y)");
    let xyz = "(local.get $x) (local.get $y) (local.get $z)";
    let place = format!(
        "(local.tee $out (i32.add (i32.const {OUT})
           (i32.shl (i32.and (local.get $x) (i32.const {})) (i32.const 3))))",
        OUTS - 1
    );
    let pair = |low: &str, high: &str| {
        format!(
            "(local.set $a (i64.or (i64.extend_i32_u {low})
               (i64.shl (i64.extend_i32_u {high}) (i64.const 32))))"
        )
    };
    match shape {
        Shape::Wide => format!("(local.set $a {})", call("")),
        Shape::Three => narrow(xyz),
        Shape::Two => narrow(xy),
        Shape::Event => {
            let code = call(&format!("{x} (i32.const {SCRATCH})"));
            let first = format!("(i32.load (i32.const {SCRATCH}))");
            let event = pair(&code, &first);
            format!("{event} (local.set $b (i32.load (i32.const {})))", SCRATCH + 4)
        }
        Shape::One => narrow(x),
        Shape::Give => narrow(""),
        Shape::OneOnly => call(x),
        Shape::Only => call(""),
        Shape::TwoOnly => call(xy),
        Shape::Call => narrow(&format!("{xyz} {place}")),
        Shape::CallOnly => format!(
            "{} {}",
            call(&format!("{xyz} {place}")),
            pair("(i32.load8_u (local.get $out))", "(i32.load offset=4 (local.get $out))")
        ),
        Shape::Exit => {
            "(return (i32.or (local.get $x) (i32.shl (local.get $y) (i32.const 16))))".into()
        }
        Shape::ExitWith => format!(
            "(i32.store (i32.const {at}) (local.get $x))
             (i32.store (i32.const {}) (local.get $y)) (return (i32.const {at}))",
            SCRATCH + 12,
            at = SCRATCH + 8
        ),
        Shape::Store => format!(
            "(i32.store {x} (i32.or (local.get $y) (i32.shl (local.get $z) (i32.const 16))))"
        ),
        Shape::Trap => "unreachable".into(),
    }
}

/// The code of the guest.
fn code() -> String {
    let funcs: Vec<Func> = Func::all();
    let mut imports = String::new();
    let mut names = String::new();
    for (at, func) in funcs.iter().enumerate() {
        let ty = signature(func.shape());
        let _ = writeln!(imports, r#"(import "" "f{at}" (func $f{at} {ty}))"#);
        let _ = write!(names, " $f{at}");
    }
    let mut switch = String::new();
    let mut labels = String::new();
    for shape in SHAPES {
        let _ = write!(labels, " $s{}", shape as u32);
    }
    for shape in SHAPES {
        let at = shape as u32;
        let begin = match at {
            0 => format!("(block $s0 (br_table{labels} (local.get $shape)))"),
            _ => format!("(block $s{at} {switch})"),
        };
        // The block of a shape ends before what is done with it.
        switch = format!("{begin} {} (br $told)", action(shape));
    }
    let field = |at: u32| {
        format!(
            "(i32.and (i32.wrap_i64 (i64.shr_u (local.get $op) (i64.const {at})))
               (i32.const 0xffff))"
        )
    };
    let entered = "(call $go (local.get $id) (i32.const 1)
        (i64.or (i64.extend_i32_u (local.get $case))
          (i64.shl (i64.extend_i32_u (local.get $end)) (i64.const 32))) (i32.const 0))";
    let params = "(param $id i32) (param $case i32) (param $end i32)";
    format!(
        r#"(import "" "m" (memory 1))
        (import "" "step" (func $step (param i32 i32 i64 i32 i64) (result i64)))
        (import "" "context.get" (func $context.get (result i32)))
        (import "" "context.set" (func $context.set (param i32)))
        {imports}
        (table {count} funcref) (elem (i32.const 0) func{names})
        (func $hash (result i64) (local $at i32) (local $hash i64)
          (loop $each
            (local.set $hash (i64.rotl
              (i64.mul (i64.xor (local.get $hash) (i64.load (local.get $at)))
                (i64.const 0x9e3779b97f4a7c15)) (i64.const 23)))
            (local.set $at (i32.add (local.get $at) (i32.const 8)))
            (br_if $each (i32.lt_u (local.get $at) (i32.const {MEMORY}))))
          (local.get $hash))
        (func $go (param $id i32) (param $what i32) (param $a i64) (param $b i32) (result i32)
          (local $op i64) (local $f i32) (local $x i32) (local $y i32) (local $z i32)
          (local $out i32) (local $shape i32)
          (loop $next
            (local.set $op (call $step (local.get $id) (local.get $what) (local.get $a)
              (local.get $b) (call $hash)))
            (local.set $what (i32.const 0))
            (local.set $a (i64.const 0))
            (local.set $b (i32.const 0))
            (local.set $f (i32.and (i32.wrap_i64 (local.get $op)) (i32.const 0xff)))
            (local.set $x {x})
            (local.set $y {y})
            (local.set $z {z})
            (local.set $shape (i32.wrap_i64 (i64.shr_u (local.get $op) (i64.const 56))))
            (block $told {switch})
            (br $next))
          unreachable)
        (func (export "cb") {params} (result i32)
          (call $context.set (local.get $id)) {entered})
        (func (export "callback") (param i32 i32 i32) (result i32)
          (call $go (call $context.get) (i32.const 2)
            (i64.or (i64.extend_i32_u (local.get 0))
              (i64.shl (i64.extend_i32_u (local.get 1)) (i64.const 32)))
            (local.get 2)))
        (func (export "st") {params} (call $context.set (local.get $id)) (drop {entered}))
        (func (export "sy") {params} (result i32)
          (call $context.set (local.get $id)) {entered})"#,
        count = funcs.len(),
        x = field(8),
        y = field(24),
        z = field(40),
    )
}

/// The guest as a component.
fn guest() -> String {
    let funcs = Func::all();
    let mut made = String::new();
    let mut given = String::new();
    for (at, func) in funcs.iter().enumerate() {
        let _ = writeln!(made, "(core func $f{at} (canon {}))", canon(*func));
        let _ = writeln!(given, r#"(export "f{at}" (func $f{at}))"#);
    }
    let mut imports = String::new();
    let mut exports = String::new();
    for kind in Kind::ALL {
        let (name, ty) = (kind.name(), call_type(kind, "$end"));
        let _ = writeln!(imports, r#"(import "{name}" (func ${name} {}))"#, inner(&ty));
        let (core, options) = match kind {
            Kind::Callback => ("cb", r#"async (callback (core func $code "callback"))"#),
            Kind::Stackful => ("st", "async"),
            Kind::Waiting | Kind::Sync => ("sy", ""),
        };
        let _ = writeln!(
            exports,
            r#"(func (export "{name}-out") {} (canon lift (core func $code "{core}") {options}
                (memory (core memory $lib "m"))))"#,
            inner(&ty)
        );
    }
    let data: String = memory().iter().map(|byte| format!("\\{byte:02x}")).collect();
    format!(
        r#"(component $guest
        (import "r" (type $r (sub resource)))
        {}
        (import "end" (type $end (eq $v)))
        (import "step" (func $step {}))
        (import "make" (func $make {}))
        {imports}
        (core module $Lib
          (memory (export "m") 1)
          (global $end (mut i32) (i32.const {ROOM}))
          (func (export "realloc") (param i32 i32 i32 i32) (result i32) (local $at i32)
            (local.set $at (i32.and
              (i32.add (global.get $end) (i32.sub (local.get 2) (i32.const 1)))
              (i32.sub (i32.const 0) (local.get 2))))
            (global.set $end (i32.add (local.get $at) (local.get 3)))
            (if (i32.gt_u (global.get $end) (i32.const {MEMORY})) (then unreachable))
            (local.get $at))
          (data (i32.const 0) "{data}"))
        (core instance $lib (instantiate $Lib))
        (core func $step' (canon lower (func $step)))
        (core func $context.get (canon context.get i32 0))
        (core func $context.set (canon context.set i32 0))
        {made}
        (core module $Code {})
        (core instance $code (instantiate $Code (with "" (instance
          (export "m" (memory $lib "m"))
          (export "step" (func $step'))
          (export "context.get" (func $context.get))
          (export "context.set" (func $context.set))
          {given}))))
        {exports})"#,
        types("$v"),
        inner(STEP),
        inner(MAKE),
        code(),
    )
}

/// What stands behind `(func` in its parentheses.
fn inner(ty: &str) -> &str {
    ty.strip_prefix("(func").and_then(|ty| ty.strip_suffix(')')).unwrap_or(ty)
}

/// The whole component: instance `b` calls functions of `a`, which calls the host's.
pub fn component() -> String {
    let mut host = String::new();
    let [mut of_host, mut of_a, mut exports] = [const { String::new() }; 3];
    for kind in Kind::ALL {
        let (name, ty) = (kind.name(), call_type(kind, "$end"));
        let _ = writeln!(host, r#"(export "{name}" {ty})"#);
        let _ = write!(of_host, r#"(with "{name}" (func $h "{name}"))"#);
        let _ = write!(of_a, r#"(with "{name}" (func $a "{name}-out"))"#);
        for instance in ["a", "b"] {
            let _ = writeln!(
                exports,
                r#"(export "{instance}-{name}" (func ${instance} "{name}-out"))"#
            );
        }
    }
    let same = r#"(with "r" (type $h "r")) (with "end" (type $h "end"))
        (with "step" (func $h "step")) (with "make" (func $h "make"))"#;
    format!(
        r#"(component
        (import "host" (instance $h
          (export "r" (type $r (sub resource)))
          {}
          (export "end" (type $end (eq $v)))
          (export "step" {STEP})
          (export "make" {MAKE})
          {host}))
        {}
        (instance $a (instantiate $guest {same} {of_host}))
        (instance $b (instantiate $guest {same} {of_a}))
        {exports})"#,
        types("$v"),
        guest(),
    )
}
