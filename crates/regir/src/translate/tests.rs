use super::{
    Checks, Function, Inlining, Inst, Signature, Storage, TranslateError, Translator, Type, Types,
};
use crate::tuning::INLINE_BUDGET;

/// A module with one type `(i32 i32) -> i32` for every function.
#[derive(Default)]
struct Fixture(Checks);

const I32: &[Type] = &[Type::I32];
const PAIR: &[Type] = &[Type::I32, Type::I32];

impl Types for Fixture {
    fn signature(&self, _: u32) -> Signature<'_> {
        Signature { params: PAIR, results: I32 }
    }
    fn func_type(&self, _: u32) -> u32 {
        0
    }
    fn global_type(&self, _: u32) -> Type {
        Type::I32
    }
    fn memory_index(&self, _: u32) -> Type {
        Type::I32
    }
    fn table_index(&self, _: u32) -> Type {
        Type::I32
    }
    fn storage(&self, ty: u32) -> &[Storage] {
        if ty == LARGE { &[Storage::V128; 10_000] } else { &[Storage::I8, Storage::HeapRef] }
    }
    fn has_gc(&self) -> bool {
        true
    }
    fn tag_type(&self, _: u32) -> u32 {
        0
    }
    fn checks(&self) -> Checks {
        self.0
    }
    fn inlinable(&self, func: u32) -> Option<(&[u8], u32)> {
        let body: &[u8] = match func {
            SUM => &[0, 0x20, 0, 0x20, 1, 0x6A, 0x0B],
            // local.0 = local.0 + local.1; return local.0
            SUM_IN_PLACE => &[0, 0x20, 0, 0x20, 1, 0x6A, 0x21, 0, 0x20, 0, 0x0B],
            SUM_OF_SUM => &[0, 0x20, 0, 0x20, 1, 0x10, SUM as u8, 0x0B],
            LOOP => &[0, 0x03, 0x40, 0x0B, 0x20, 0, 0x0B],
            _ => return None,
        };
        Some((body, 100 * func))
    }
}

/// A structure type that costs much.
const LARGE: u32 = 9;

/// Functions that may be inlined.
const SUM: u32 = 1;
const SUM_IN_PLACE: u32 = 2;
const SUM_OF_SUM: u32 = 3;
const LOOP: u32 = 4;

fn translate(body: &[u8]) -> String {
    translate_with(Checks::default(), body)
}

fn translate_with(checks: Checks, body: &[u8]) -> String {
    let function = Translator::translate(&Fixture(checks), 0, body, 0, Inlining::Small, &|| false)
        .expect("translates");
    let text = function.to_string();
    text.lines().skip(1).map(|line| line.trim().to_owned() + "\n").collect()
}

#[test]
fn locals_and_constants_cost_nothing() {
    // (i32.add (local.get 0) (i32.const 5))
    let text = translate(&[0, 0x20, 0, 0x41, 5, 0x6A, 0x0B]);
    assert_eq!(text, "s5 = i32.add s0 0x5\nreturn s5\n");
}

#[test]
fn local_set_redirects_the_producer() {
    // local.0 = local.0 + local.1; return local.0
    let text = translate(&[0, 0x20, 0, 0x20, 1, 0x6A, 0x21, 0, 0x20, 0, 0x0B]);
    assert_eq!(text, "s0 = i32.add s0 s1\nreturn s0\n");
}

#[test]
fn writing_a_local_keeps_pending_reads_of_its_old_value() {
    // local.get 0; local.0 = 7; local.get 0; i32.sub
    let text = translate(&[0, 0x20, 0, 0x41, 7, 0x21, 0, 0x20, 0, 0x6B, 0x0B]);
    assert_eq!(text, "s5 = s0\ns0 = 0x7\ns5 = i32.sub s5 s0\nreturn s5\n");
}

#[test]
fn tee_leaves_a_reference_to_the_local() {
    // (i32.mul (local.tee 1 (i32.add (local.get 0) (local.get 1))) (local.get 1))
    let text = translate(&[0, 0x20, 0, 0x20, 1, 0x6A, 0x22, 1, 0x20, 1, 0x6C, 0x0B]);
    assert_eq!(text, "s1 = i32.add s0 s1\ns5 = i32.mul s1 s1\nreturn s5\n");
}

#[test]
fn loop_headers_see_canonical_slots() {
    // local.get 0; loop (param i32) (result i32) is a type index; here: local.get 0, loop, end, drop-free
    let text = translate(&[0, 0x20, 0, 0x03, 0x40, 0x20, 1, 0x0D, 0, 0x0B, 0x0B]);
    assert_eq!(text, "s5 = s0\nL1: (loop)\nbr_if s1 L1\nreturn s5\n");
}

#[test]
fn eqz_turns_a_comparison_around() {
    // i32.lt_s; i32.eqz
    let text = translate(&[0, 0x20, 0, 0x20, 1, 0x48, 0x45, 0x0B]);
    assert_eq!(text, "s5 = i32.ge_s s0 s1\nreturn s5\n");
}

#[test]
fn a_conditional_branch_with_values_moves_them_only_when_taken() {
    // block (result i32) local.get 0; local.get 1; br_if 0; end
    let text = translate(&[0, 0x02, 0x7F, 0x20, 0, 0x20, 1, 0x0D, 0, 0x0B, 0x0B]);
    assert_eq!(text, "br_unless s1 L2\ns5 = s0\nbr L1\nL2:\ns5 = s0\nL1:\nreturn s5\n");
}

#[test]
fn code_after_a_branch_is_passed_over() {
    // return (local.get 0); unreachable nested blocks with immediates
    let body = [0, 0x20, 0, 0x0F, 0x02, 0x40, 0x41, 0x80, 1, 0x1A, 0x0E, 1, 0, 0, 0x0B, 0x00, 0x0B];
    assert_eq!(translate(&body), "return s0\n");
}

#[test]
fn objects_are_named_by_any_slot() {
    // struct.set 0 0 (local.get 0) (struct.get_s 0 0 (local.get 1))
    let text = translate(&[0, 0x20, 0, 0x20, 1, 0xFB, 3, 0, 0, 0xFB, 5, 0, 0, 0x20, 0, 0x0B]);
    assert_eq!(text, "s6 = struct.get_s type 0 s1[0]\nstruct.set type 0 s0[0] s6\nreturn s0\n");
}

#[test]
fn arguments_are_placed_for_the_callee() {
    // call f9 (local.get 1) (i32.const 3)
    let text = translate(&[0, 0x20, 1, 0x41, 3, 0x10, 9, 0x0B]);
    assert_eq!(text, "s6 = 0x3\ns5 = s1\ncall f9 s5\nreturn s5\n");
}

#[test]
fn bodies_that_are_not_valid_give_an_error() {
    for body in [&[0u8, 0x6A, 0x0B][..], &[0], &[], &[0, 0x0C, 9], &[0, 0xC7], &[0, 0x20, 7, 0x0B]]
    {
        let result =
            Translator::translate(&Fixture::default(), 0, body, 0, Inlining::Small, &|| false);
        assert!(matches!(result, Err(TranslateError::Malformed { .. })), "{body:?}");
    }
}

#[cfg(feature = "simd")]
#[test]
fn vectors_are_redirected_and_moved_as_one() {
    // (local v128) local.2 = not(splat(local.0)); local.tee 2 (and l2 l2); any_true
    let text = translate(&[
        1, 1, 0x7B, 0x20, 0, 0xFD, 0x11, 0xFD, 0x4D, 0x21, 2, 0x20, 2, 0x20, 2, 0xFD, 0x4E, 0x22,
        2, 0xFD, 0x53, 0x0B,
    ]);
    assert_eq!(
        text,
        "zero s5 x2\ns7 = i32x4.splat s0\ns5 = v128.not s7\ns5 = v128.and s5 s5\n\
         s7 = v128.any_true s5\nreturn s7\n"
    );
    // (local v128) local.get 2; local.2 = const; (i8x16.eq); extract lane 15
    let mut body = vec![1, 1, 0x7B, 0x20, 2, 0xFD, 0x0C];
    body.extend(0..16);
    body.extend([0x21, 2, 0x20, 2, 0xFD, 0x23, 0xFD, 0x16, 15, 0x0B]);
    assert_eq!(
        translate(&body),
        "zero s5 x2\ns9 = v128.const 0x0f0e0d0c0b0a09080706050403020100\ns7 = v128.copy s5\n\
         s5 = v128.copy s9\ns7 = i8x16.eq s7 s5\ns7 = i8x16.extract_lane_u s7 15\nreturn s7\n"
    );
}

#[cfg(feature = "simd")]
#[test]
fn lanes_beyond_a_vector_are_malformed() {
    let body = [0, 0x20, 0, 0xFD, 0x11, 0xFD, 0x1B, 4, 0x0B];
    assert_eq!(
        Translator::translate(&Fixture::default(), 0, &body, 0, Inlining::Small, &|| false).err(),
        Some(TranslateError::Malformed { offset: 5 })
    );
}

#[cfg(not(feature = "simd"))]
#[test]
fn vectors_are_refused() {
    let body = [0, 0x20, 0, 0xFD, 0x11, 0xFD, 0x53, 0x0B];
    assert_eq!(
        Translator::translate(&Fixture::default(), 0, &body, 0, Inlining::Small, &|| false).err(),
        Some(TranslateError::Unsupported { feature: "SIMD", offset: 3 })
    );
}

#[test]
fn catch_clauses_name_the_slots_of_their_label() {
    // block (result i32); try_table (catch 0 0) (catch_all_ref 1); throw 0; end; end
    let text = translate(&[
        0, 0x02, 0x7F, 0x1F, 0x40, 2, 0, 0, 0, 3, 1, 0x20, 0, 0x41, 3, 0x08, 0, 0x0B, 0x00, 0x0B,
        0x0B,
    ]);
    assert_eq!(
        text,
        "try 0 (catch e0 s5 L1) (catch_all_ref s5 L2)\n\
         s6 = 0x3\ns5 = s0\nthrow e0 s5\nend_try 0\n\
         L1:\nreturn s5\nL2:\nreturn s5\n"
    );
}

#[test]
fn unreachable_tries_are_passed_over() {
    // unreachable; try_table (catch_ref 0 0) throw_ref end
    let text = translate(&[0, 0x00, 0x1F, 0x40, 1, 1, 0, 0, 0x0A, 0x0B, 0x0B]);
    assert_eq!(text, "unreachable\n");
}

#[test]
fn every_straight_run_is_paid_for_where_it_starts() {
    let fuel = |body: &[u8]| translate_with(Checks { fuel: true, ..Checks::default() }, body);
    // The entry, two operands and the sum; nops and blocks are free.
    assert_eq!(
        fuel(&[0, 0x01, 0x02, 0x40, 0x01, 0x0B, 0x20, 0, 0x41, 5, 0x6A, 0x0B]),
        "fuel 4\ns5 = i32.add s0 0x5\nreturn s5\n"
    );
    // loop; local.get 1; br_if 0; nop; end; local.get 0: the end starts no run.
    assert_eq!(
        fuel(&[0, 0x03, 0x40, 0x20, 1, 0x0D, 0, 0x01, 0x0B, 0x20, 0, 0x0B]),
        "fuel 1\nL1: (loop)\nfuel 2\nbr_if s1 L1\nfuel 1\nreturn s0\n"
    );
    // if (result i32) (local.get 0) else (local.get 1) (i32.eqz) end
    assert_eq!(
        fuel(&[0, 0x20, 0, 0x04, 0x7F, 0x20, 0, 0x05, 0x20, 1, 0x45, 0x0B, 0x0B]),
        "fuel 3\nbr_unless s0 L1\nfuel 1\ns5 = s0\nbr L2\nL1:\nfuel 2\n\
         s5 = i32.eq s1 0x0\nL2:\nreturn s5\n"
    );
    // A branch that has to move a value: block (result i32) get 0; get 1; br_if 0; end
    assert_eq!(
        fuel(&[0, 0x02, 0x7F, 0x20, 0, 0x20, 1, 0x0D, 0, 0x0B, 0x0B]),
        "fuel 4\nbr_unless s1 L2\ns5 = s0\nbr L1\nL2:\ns5 = s0\nL1:\nreturn s5\n"
    );
}

#[test]
fn no_run_is_too_long_to_be_paid_for() {
    // (drop (struct.new_default $large)), so often that the sum has more than 32 bits.
    let (each, count) = (1 + (160_000 - 64) / 8, 220_000);
    let mut body = vec![0];
    for _ in 0..count {
        body.extend([0xFB, 1, LARGE as u8, 0x1A]);
    }
    body.extend([0x20, 0, 0x0B]);
    let checks = Checks { fuel: true, ..Checks::default() };
    let function = Translator::translate(&Fixture(checks), 0, &body, 0, Inlining::Small, &|| false)
        .expect("translates");
    let paid = function.insts.iter().map(|inst| match inst {
        Inst::Fuel { cost } => u64::from(*cost),
        _ => 0,
    });
    // And the entry, and the operand.
    assert_eq!(paid.sum::<u64>(), each * count + 2);
    assert!(each * count > u64::from(u32::MAX));
}

#[test]
fn epochs_are_checked_at_entries_and_loop_headers() {
    let body = [0, 0x03, 0x40, 0x20, 1, 0x0D, 0, 0x0B, 0x20, 0, 0x0B];
    let both = Checks { fuel: true, epochs: true, ..Checks::default() };
    assert_eq!(
        translate_with(both, &body),
        "fuel 1\nepoch\nL1: (loop)\nepoch\nfuel 2\nbr_if s1 L1\nfuel 1\nreturn s0\n"
    );
    assert_eq!(translate(&body), "L1: (loop)\nbr_if s1 L1\nreturn s0\n");
}

#[test]
fn a_comparison_set_to_a_local_stays_before_what_is_pushed_later() {
    // local.0 = 1 < 2; 9; if (local.0) end; drop; local.1. The 9 has the slot of the 1.
    let text = translate(&[
        0, 0x41, 1, 0x41, 2, 0x48, 0x21, 0, 0x41, 9, 0x20, 0, 0x04, 0x40, 0x0B, 0x1A, 0x20, 1, 0x0B,
    ]);
    assert_eq!(text, "s5 = 0x1\ns0 = i32.lt_s s5 0x2\ns5 = 0x9\nbr_unless s0 L1\nL1:\nreturn s1\n");
}

#[test]
fn small_functions_take_the_place_of_their_calls() {
    let call = |func: u32| translate(&[0, 0x20, 0, 0x41, 5, 0x10, func as u8, 0x0B]);
    assert_eq!(call(SUM), "s11 = i32.add s0 0x5\nreturn s11\n");
    assert_eq!(call(SUM_OF_SUM), "s11 = i32.add s0 0x5\nreturn s11\n");
    // What is written gets a slot of its own.
    assert_eq!(call(SUM_IN_PLACE), "s5 = s0\ns5 = i32.add s5 0x5\ns11 = s5\nreturn s11\n");
    assert_eq!(call(LOOP), "s6 = 0x5\ns5 = s0\ncall f4 s5\nreturn s5\n");
    assert_eq!(call(9), "s6 = 0x5\ns5 = s0\ncall f9 s5\nreturn s5\n");
}

#[test]
fn calls_are_not_inlined_without_end() {
    // A call takes 4 bytes, and its body 7.
    let calls = INLINE_BUDGET;
    let mut body = vec![0, 0x20, 0];
    for _ in 0..calls {
        body.extend([0x20, 1, 0x10, SUM as u8]);
    }
    body.push(0x0B);
    let text = translate(&body);
    let inlined = text.matches("i32.add").count();
    assert_eq!(inlined, (body.len() + INLINE_BUDGET) / 7);
    assert_eq!(text.matches("call").count(), calls - inlined);
}

#[test]
fn instructions_know_the_calls_they_were_inlined_for() {
    let body = [0, 0x20, 0, 0x41, 5, 0x10, SUM_OF_SUM as u8, 0x0B];
    let function =
        Translator::translate(&Fixture::default(), 0, &body, 1000, Inlining::Small, &|| false)
            .expect("translates");
    let offsets =
        |index: usize| -> Vec<u32> { function.sources[index].offsets(&function.inlined).collect() };
    assert_eq!(offsets(0), [100 * SUM + 5, 100 * SUM_OF_SUM + 5, 1000 + 5]);
    assert_eq!(offsets(1), [1000 + 7]);
    assert!(function.sources[0].is_inlined() && !function.sources[1].is_inlined());
}

/// A module of functions `(i32 i32) -> i32` with bodies of a test.
struct Bodies<'a> {
    bodies: &'a [&'a [u8]],
    /// Whom calls through tables and references call.
    target: Option<u32>,
    checks: Checks,
}

/// The module offset of a body.
fn offset_of(func: u32) -> u32 {
    10_000 * func
}

impl Types for Bodies<'_> {
    fn signature(&self, _: u32) -> Signature<'_> {
        Signature { params: PAIR, results: I32 }
    }
    fn func_type(&self, _: u32) -> u32 {
        0
    }
    fn global_type(&self, _: u32) -> Type {
        Type::I32
    }
    fn memory_index(&self, _: u32) -> Type {
        Type::I32
    }
    fn table_index(&self, _: u32) -> Type {
        Type::I32
    }
    fn storage(&self, _: u32) -> &[Storage] {
        &[Storage::HeapRef]
    }
    fn has_gc(&self) -> bool {
        true
    }
    fn tag_type(&self, _: u32) -> u32 {
        0
    }
    fn checks(&self) -> Checks {
        self.checks
    }
    fn inlinable(&self, func: u32) -> Option<(&[u8], u32)> {
        self.bodies.get(func as usize).map(|body| (*body, offset_of(func)))
    }
    fn call_target(&self, _: u32) -> Option<u32> {
        self.target
    }
}

/// Function 0 as the optimizing compiler wants it.
fn enlarge(types: &Bodies<'_>) -> Function {
    let body = types.bodies[0];
    Translator::translate(types, 0, body, 0, Inlining::Large, &|| false).expect("translates")
}

fn text(function: &Function) -> String {
    let text = function.to_string();
    text.lines().skip(1).map(|line| line.trim().to_owned() + "\n").collect()
}

/// A body without locals of its own.
fn body(code: &[&[u8]]) -> Vec<u8> {
    [&[0][..], &code.concat(), &[0x0B]].concat()
}

/// The arguments passed on.
const BOTH: &[u8] = &[0x20, 0, 0x20, 1];
const DROP: &[u8] = &[0x1A];
/// As many as make a body long.
const NOPS: &[u8] = &[0x01; 300];

fn call(func: u8) -> Vec<u8> {
    [BOTH, &[0x10, func]].concat()
}

fn large(bodies: &[&[u8]]) -> Function {
    enlarge(&Bodies { bodies, target: None, checks: Checks::default() })
}

#[test]
fn loops_and_tries_are_inlined_for_the_optimizing_compiler() {
    // local.2 counts: loop (br_if 0 (local.2 < local.0, after local.2 += 1)) end; local.2
    let counts = [
        1, 1, 0x7F, 0x03, 0x40, 0x20, 2, 0x41, 1, 0x6A, 0x22, 2, 0x20, 0, 0x48, 0x0D, 0, 0x0B,
        0x20, 2, 0x0B,
    ];
    let function = large(&[&body(&[&call(1)]), &counts]);
    assert_eq!(
        text(&function),
        "zero s5 x1\nL2: (loop)\ns5 = i32.add s5 0x1\ns8 = i32.lt_s s5 s0\nbr_if s8 L2\n\
         s8 = s5\nreturn s8\n"
    );
    // block; try_table (catch_all 0) throw 0 (local.get 0) (local.get 1) end; end; local.get 1
    let catches =
        body(&[&[0x02, 0x40, 0x1F, 0x40, 1, 2, 0], BOTH, &[0x08, 0, 0x0B, 0x0B, 0x20, 1]]);
    let function = large(&[&body(&[&call(1)]), &catches]);
    assert_eq!(
        text(&function),
        "try 0 (catch_all s7 L2)\ns8 = s1\ns7 = s0\nthrow e0 s7\nend_try 0\nL2:\ns7 = s1\n\
         return s7\n"
    );
}

#[test]
fn tail_calls_stay_in_functions_of_their_own() {
    let function = large(&[&body(&[&call(1)]), &body(&[BOTH, &[0x12, 2]])]);
    assert_eq!(text(&function), "s6 = s1\ns5 = s0\ncall f1 s5\nreturn s5\n");
}

#[test]
fn recursion_is_inlined_some_levels_deep() {
    let calls_itself_twice = body(&[&call(0), &call(0), &[0x6A]]);
    let function = large(&[&calls_itself_twice]);
    // Two on the first level, four on the second, and from the third on calls.
    assert_eq!(function.inlined.len(), 2 + 4);
    assert_eq!(text(&function).matches("call f0").count(), 8);
}

#[test]
fn the_budget_goes_to_calls_in_loops_first() {
    // Each fits the budget of a short function, and not both.
    let sized = |len: usize, value: u8| body(&[&vec![0x01; len], &[0x41, value]]);
    let (outside, inside) = (sized(140, 11), sized(300, 22));
    let looped = [&[0x03, 0x40][..], &call(2), DROP, &[0x0B]].concat();
    let main = body(&[&call(1), DROP, &looped, &[0x41, 0]]);
    let function = large(&[&main, &outside, &inside]);
    let inlined: Vec<u32> = function.inlined.iter().map(|call| call.body).collect();
    assert_eq!(inlined, [offset_of(2)]);
    assert!(text(&function).contains("call f1"));
}

#[test]
fn a_call_that_nearly_always_goes_to_one_function_is_inlined_behind_a_check() {
    let sum = body(&[BOTH, &[0x6A]]);
    let indirect = body(&[&[0x20, 0, 0x41, 5, 0x20, 1, 0x11, 0, 3]]);
    let bodies: &[&[u8]] = &[&indirect, &sum];
    let types =
        |target, fuel| Bodies { bodies, target, checks: Checks { fuel, ..Checks::default() } };
    // The call finds its arguments in slots, the sum finds them anywhere.
    assert_eq!(
        text(&enlarge(&types(Some(1), false))),
        "s8 = 0x5\ns7 = s0\ns10 = s1\ns12 = table.holds t3 s10 f1\nbr_unless s12 L1\n\
         s5 = s8\ns6 = s7\ns7 = i32.add s6 s5\nbr L3\n\
         L1:\ncall_indirect type 0 t3[s1] s7\nL3:\nreturn s7\n"
    );
    assert_eq!(
        text(&enlarge(&types(None, false))),
        "s6 = 0x5\ns5 = s0\ncall_indirect type 0 t3[s1] s5\nreturn s5\n"
    );
    // Three operands, the call and the entry are one run with what follows; the callee
    // has its own.
    let paid = text(&enlarge(&types(Some(1), true)));
    assert_eq!(paid.lines().filter(|line| line.starts_with("fuel")).count(), 2);
    assert!(paid.starts_with("fuel 5\n") && paid.contains("fuel 4\n"), "{paid}");
    // ref.func 1; call_ref 0
    let reference = body(&[BOTH, &[0xD2, 1, 0x14, 0]]);
    let bodies: &[&[u8]] = &[&reference, &sum];
    let function = enlarge(&Bodies { bodies, target: Some(1), checks: Checks::default() });
    assert_eq!(
        text(&function),
        "s9 = ref.func f1\ns8 = s1\ns7 = s0\ns10 = s9\ns11 = ref.func f1\ns12 = i64.eq s10 s11\n\
         br_unless s12 L1\ns5 = s8\ns6 = s7\ns7 = i32.add s6 s5\nbr L3\n\
         L1:\ncall_ref type 0 s9 s7\nL3:\nreturn s7\n"
    );
}

#[test]
fn places_deep_in_long_bodies_are_known() {
    // Function 0 calls 1, 1 calls 2, and 2 adds, each behind 300 bytes, and 0 in a loop.
    let add = body(&[NOPS, BOTH, &[0x6A]]);
    let middle = body(&[NOPS, &call(2)]);
    let main = body(&[&[0x03, 0x7F], NOPS, &call(1), &[0x0B]]);
    let function = large(&[&main, &middle, &add]);
    let is_add = |inst: &Inst| matches!(inst, Inst::Binary { .. });
    let index = function.insts.iter().position(is_add).expect("it adds");
    let offsets: Vec<u32> = function.sources[index].offsets(&function.inlined).collect();
    assert_eq!(offsets, [offset_of(2) + 1 + 304, offset_of(1) + 1 + 304, 1 + 306]);
    let last = function.sources.last().expect("it returns").offsets(&function.inlined);
    assert_eq!(last.collect::<Vec<_>>(), [main.len() as u32 - 1]);
}

#[test]
fn planning_costs_no_more_than_the_budget() {
    // A thousand functions that call each other, and calls that are refused.
    let calls: Vec<u8> = (0..40).flat_map(|_| [call(1), DROP.to_vec()].concat()).collect();
    let main = body(&[&calls.repeat(25), &[0x41, 0]]);
    let refused = body(&[NOPS, BOTH, &[0x12, 2]]);
    let cost = |bodies: &[&[u8]]| {
        let before = crate::work::steps();
        large(bodies);
        crate::work::steps() - before
    };
    let alone = cost(&[&main]);
    let with_refused = cost(&[&main, &refused]);
    assert!(with_refused <= 5 * alone, "{alone} {with_refused}");
    let small = body(&[&call(1)]);
    assert!(cost(&[&main, &small]) <= 10 * alone);
}

#[cfg(feature = "simd")]
#[test]
fn vectors_are_inlined_for_the_optimizing_compiler() {
    // (local v128) local.2 = splat(local.0); extract lane 0 of it
    let callee = [1, 1, 0x7B, 0x20, 0, 0xFD, 0x11, 0x21, 2, 0x20, 2, 0xFD, 0x1B, 0, 0x0B];
    let function = large(&[&body(&[&call(1)]), &callee]);
    assert_eq!(text(&function), "s5 = i32x4.splat s0\ns9 = i32x4.extract_lane s5 0\nreturn s9\n");
}
