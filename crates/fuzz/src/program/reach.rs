//! What programs are for is among them.

use super::program;
use crate::plan::FEATURES;
use wasm_encoder::Encode;
use wasm_encoder::reencode::{Reencode, RoundtripReencoder};
use wasmparser::types::TypesRef;
use wasmparser::{FunctionBody, Operator, Parser, StorageType, ValType, ValidPayload, Validator};
use zwasm_wast::mutate::Rng;

/// The longest body of a function that is inlined everywhere, in bytes.
const INLINED: usize = 32;
/// The most parameters and locals of one.
const SLOTS: usize = 6;

/// How often something was seen.
#[derive(Default)]
struct Reach {
    /// Instructions on objects, by their number behind the prefix.
    objects: [u32; 31],
    /// Structures made of values and by default, up to the size from which our heap
    /// makes them elsewhere and above it.
    borders: [[u32; 2]; 2],
    /// Small functions reading a local that was not written: a number, a reference.
    unwritten: [u32; 2],
    /// Conversions that may trap in small functions.
    conversions: u32,
    /// Calls of small functions one right after the other.
    neighbours: u32,
    /// Conditions of `if`, `br_if` and `select`, with operands waiting, that are calls of
    /// small functions which end with a call of another and so with its comparison.
    ends: [u32; 3],
    /// Functions of many parameters and results.
    wide: u32,
    /// The longest run of constants.
    constants: u32,
}

impl Reach {
    fn look(&mut self, bytes: &[u8]) {
        let mut validator = Validator::new_with_features(FEATURES);
        let (mut bodies, mut to_validate, mut types) = (Vec::new(), Vec::new(), None);
        for payload in Parser::new(0).parse_all(bytes) {
            match validator.payload(&payload.unwrap()).unwrap() {
                ValidPayload::Func(function, body) => {
                    bodies.push(body);
                    to_validate.push(function);
                }
                ValidPayload::End(all) => types = Some(all),
                ValidPayload::Ok | ValidPayload::Parser(_) => {}
            }
        }
        let types = types.as_ref().unwrap().as_ref();
        let locals: Vec<Vec<ValType>> = bodies.iter().map(locals).collect();
        let signature = |at: usize| types[types.core_function_at(at as u32)].unwrap_func();
        let is_small = |at: usize| {
            let slots = signature(at).params().len() + locals[at].len();
            bodies[at].as_bytes().len() <= INLINED && slots <= SLOTS
        };
        let compares = |at: usize| is_small(at) && last(&bodies[at]).is_some_and(is_comparison);
        let ends_with_two = |at: usize| match last(&bodies[at]) {
            Some(Operator::Call { function_index }) => {
                is_small(at) && compares(function_index as usize)
            }
            _ => false,
        };
        for ((at, body), function) in bodies.iter().enumerate().zip(to_validate) {
            let mut heights = function.into_validator(Default::default());
            heights.read_locals(&mut body.get_binary_reader()).unwrap();
            let mut condition = false;
            let params = signature(at).params().len();
            self.wide += u32::from(params + signature(at).results().len() > 20);
            let mut unwritten = locals[at].clone().into_iter().map(Some).collect::<Vec<_>>();
            let (mut after_call, mut constants) = (false, 0);
            for operator in body.get_operators_reader().unwrap().into_iter_with_offsets() {
                let (operator, offset) = operator.unwrap();
                self.look_at(&operator, types);
                // A condition and what waits below it, or in a select its two operands.
                match operator {
                    _ if !condition => {}
                    Operator::If { .. } if heights.operand_stack_height() > 1 => self.ends[0] += 1,
                    Operator::BrIf { .. } if heights.operand_stack_height() > 1 => {
                        self.ends[1] += 1;
                    }
                    Operator::Select | Operator::TypedSelect { .. } => self.ends[2] += 1,
                    _ => {}
                }
                condition = matches!(
                    operator,
                    Operator::Call { function_index } if ends_with_two(function_index as usize)
                );
                heights.op(offset, &operator).unwrap();
                match operator {
                    Operator::LocalGet { local_index } if is_small(at) => {
                        let local = (local_index as usize).checked_sub(params);
                        if let Some(ty) = local.and_then(|local| unwritten[local]) {
                            self.unwritten[usize::from(matches!(ty, ValType::Ref(_)))] += 1;
                        }
                    }
                    Operator::LocalSet { local_index } | Operator::LocalTee { local_index } => {
                        if let Some(local) = (local_index as usize).checked_sub(params) {
                            unwritten[local] = None;
                        }
                    }
                    Operator::I32TruncF32S
                    | Operator::I32TruncF64S
                    | Operator::I64TruncF32S
                    | Operator::I64TruncF64S => self.conversions += u32::from(is_small(at)),
                    _ => {}
                }
                after_call = match operator {
                    Operator::Call { function_index } if is_small(function_index as usize) => {
                        self.neighbours += u32::from(after_call);
                        true
                    }
                    Operator::LocalGet { .. } => after_call,
                    _ => false,
                };
                constants = match operator {
                    Operator::I32Const { .. }
                    | Operator::I64Const { .. }
                    | Operator::F32Const { .. }
                    | Operator::F64Const { .. }
                    | Operator::V128Const { .. }
                    | Operator::RefNull { .. } => constants + 1,
                    _ => 0,
                };
                self.constants = self.constants.max(constants);
            }
        }
    }

    fn look_at(&mut self, operator: &Operator<'_>, types: TypesRef<'_>) {
        let object = match operator {
            Operator::StructNew { .. } => 0,
            Operator::StructNewDefault { .. } => 1,
            Operator::StructGet { .. } => 2,
            Operator::StructGetS { .. } => 3,
            Operator::StructGetU { .. } => 4,
            Operator::StructSet { .. } => 5,
            Operator::ArrayNew { .. } => 6,
            Operator::ArrayNewDefault { .. } => 7,
            Operator::ArrayNewFixed { .. } => 8,
            Operator::ArrayGet { .. } => 11,
            Operator::ArrayGetS { .. } => 12,
            Operator::ArrayGetU { .. } => 13,
            Operator::ArraySet { .. } => 14,
            Operator::ArrayLen => 15,
            Operator::ArrayFill { .. } => 16,
            Operator::ArrayCopy { .. } => 17,
            Operator::RefTestNonNull { .. } => 20,
            Operator::RefTestNullable { .. } => 21,
            Operator::RefCastNonNull { .. } => 22,
            Operator::RefCastNullable { .. } => 23,
            Operator::BrOnCast { .. } => 24,
            Operator::BrOnCastFail { .. } => 25,
            Operator::AnyConvertExtern => 26,
            Operator::ExternConvertAny => 27,
            Operator::RefI31 => 28,
            Operator::I31GetS => 29,
            Operator::I31GetU => 30,
            _ => return,
        };
        self.objects[object] += 1;
        let (Operator::StructNew { struct_type_index: index }
        | Operator::StructNewDefault { struct_type_index: index }) = *operator
        else {
            return;
        };
        let fields = &types[types.core_type_at_in_module(index)].unwrap_struct().fields;
        let is_long =
            |field: &wasmparser::FieldType| field.element_type == StorageType::Val(ValType::I64);
        if (1000..1050).contains(&fields.len()) && fields.iter().all(is_long) {
            // The header takes as much as one of them.
            self.borders[usize::from(fields.len() > 1023)][object] += 1;
        }
    }
}

fn locals(body: &FunctionBody<'_>) -> Vec<ValType> {
    let groups = body.get_locals_reader().unwrap().into_iter().map(Result::unwrap);
    groups.flat_map(|(many, ty)| (0..many).map(move |_| ty)).collect()
}

/// The last instruction of a body before its end.
fn last<'a>(body: &FunctionBody<'a>) -> Option<Operator<'a>> {
    let operators = body.get_operators_reader().unwrap().into_iter();
    let all: Vec<Operator<'a>> = operators.map(Result::unwrap).collect();
    all.into_iter().rev().nth(1)
}

fn is_comparison(operator: Operator<'_>) -> bool {
    let mut bytes = Vec::new();
    // Those of scalars have the numbers from `i32.eqz` to `f64.ge`.
    RoundtripReencoder.instruction(operator).unwrap().encode(&mut bytes);
    matches!(bytes[..], [0x45..=0x66])
}

#[test]
fn programs_reach_what_they_are_for() {
    let mut reach = Reach::default();
    for case in 0..3000 {
        reach.look(&program(&mut Rng::for_case(3, case)));
    }
    for (number, count) in reach.objects.iter().enumerate() {
        // Those of segments are left to other modules.
        let known = !matches!(number, 9 | 10 | 18 | 19);
        assert!(*count > 20 || !known, "{number} behind the prefix: {count}");
    }
    let [below, above] = reach.borders;
    assert!(below.iter().chain(&above).all(|count| *count > 5), "{below:?} {above:?}");
    assert!(reach.unwritten.iter().all(|count| *count > 500), "{:?}", reach.unwritten);
    assert!(reach.conversions > 100, "{}", reach.conversions);
    assert!(reach.neighbours > 1000, "{}", reach.neighbours);
    assert!(reach.ends.iter().all(|count| *count > 100), "{:?}", reach.ends);
    assert!(reach.wide > 100, "{}", reach.wide);
    assert!(reach.constants > 20, "{}", reach.constants);
}
