//! Programs made for what compilers get wrong and random modules rarely reach:
//! loops over many locals, values carried by branches, comparisons fused into
//! branches, accesses at the edges of memories, calls of every kind; small functions
//! called one after the other, whose locals are read before they are written, or ending
//! with each other and the comparison that a branch asks for; in a third of the programs
//! objects next to the sizes at which allocation changes, with references to them in all
//! places where values can be; operand stacks and signatures of dozens of values; NaNs
//! with any bits; and what every pass of the optimizing compiler is for: the same computed
//! and loaded again, in loops and behind stores, checks behind checks, objects that escape
//! late or not at all, idioms and what is almost one.
//!
//! Every function is well typed by construction, and every loop ends; only calls
//! have to be counted from outside.

mod body;
#[cfg(test)]
mod changes;
mod code;
mod edges;
mod expressions;
mod idioms;
mod objects;
#[cfg(test)]
mod passes;
mod patterns;
#[cfg(test)]
mod reach;
mod references;
mod small;
mod statements;

use crate::ty::{Heap, Ty};
use crate::value;
use body::Body;
use objects::Object;
use wasm_encoder::{
    CodeSection, ConstExpr, DataSection, ElementSection, Elements, Function, FunctionSection,
    GlobalSection, GlobalType, MemorySection, MemoryType, Module, RefType, TableSection, TableType,
    TagKind, TagSection, TagType, TypeSection,
};
use zwasm_wast::mutate::Rng;

/// The types of parameters and results.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Signature {
    pub params: Vec<Ty>,
    pub results: Vec<Ty>,
}

/// What a function is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// It has statements of every kind.
    Ordinary,
    /// It is small enough to be inlined.
    Small,
    /// Small as well, it answers a question: it ends with a comparison, or with a call
    /// of another that does.
    Test { last: Option<u32> },
}

/// What functions can refer to.
pub struct Layout {
    /// The types of values there are.
    tys: Vec<Ty>,
    /// The first types in the type section.
    objects: Vec<Object>,
    /// The types behind them, to which bodies add those of their blocks.
    types: Vec<Signature>,
    /// For each function, its type.
    functions: Vec<u32>,
    /// For each function, what it is for.
    roles: Vec<Role>,
    /// How often a large structure may still be made of values.
    huge: u32,
    globals: Vec<Ty>,
    /// For each memory, whether it has 64-bit addresses.
    memories: Vec<bool>,
    /// For each tag, its type.
    tags: Vec<u32>,
    wide: bool,
    relaxed: bool,
    /// Whether functions are called by typed references.
    references: bool,
}

/// Elements of the one table; the last is null.
const TABLE: u32 = 32;
/// Bytes of each data segment.
const DATA: usize = 64;

impl Layout {
    fn draw(rng: &mut Rng) -> Self {
        let mut tys = vec![Ty::I32, Ty::I64, Ty::F32, Ty::F64];
        if rng.below(3) == 0 {
            tys.push(Ty::V128);
        }
        if rng.below(4) == 0 {
            tys.retain(|ty| !matches!(ty, Ty::F32 | Ty::F64));
        }
        let memories = match rng.below(8) {
            0 => vec![false, true],
            1 => vec![true],
            2 => vec![false, false],
            _ => vec![false],
        };
        let numbers = tys.clone();
        // Some engines know none of them, some those of the host, some all.
        let (objects, references) = match rng.below(6) {
            0 => {
                tys.extend([Ty::Ref(Heap::Func), Ty::Ref(Heap::Extern)]);
                (Vec::new(), false)
            }
            1 | 2 => (Object::draw_all(&numbers, rng), true),
            _ => (Vec::new(), rng.below(4) == 0),
        };
        if !objects.is_empty() {
            tys.extend(Self::draw_references(&objects, rng));
        }
        let globals = tys.clone();
        let relaxed = tys.contains(&Ty::V128) && rng.below(4) == 0;
        let wide = rng.below(5) == 0;
        let (types, functions, roles, tags) = Default::default();
        let mut layout = Self {
            tys,
            objects,
            types,
            functions,
            roles,
            huge: 1,
            globals,
            memories,
            tags,
            wide,
            relaxed,
            references,
        };
        if rng.below(3) == 0 {
            for params in
                [vec![], vec![Ty::I32], vec![Ty::I64, layout.tys[rng.below(layout.tys.len())]]]
            {
                let tag = layout.signature(Signature { params, results: vec![] });
                layout.tags.push(tag);
            }
            if !layout.objects.is_empty() {
                layout.tys.push(Ty::Ref(Heap::Exn));
            }
        }
        let shared = layout.draw_signature(rng);
        if layout.references && rng.below(2) == 0 {
            layout.tys.push(Ty::Ref(Heap::Type(shared)));
        }
        for _ in 0..2 + rng.below(4) {
            // Functions of one type can tail-call and stand in for each other.
            let new = layout.draw_signature(rng);
            let ty = if rng.below(2) == 0 { shared } else { new };
            layout.functions.push(ty);
            layout.roles.push(Role::Ordinary);
        }
        for _ in 0..[0, 2, 4, 8][rng.below(4)] {
            let ty = layout.draw_small_signature(rng);
            layout.functions.push(ty);
            layout.roles.push(Role::Small);
        }
        layout.draw_tests(rng);
        layout
    }

    /// A few references, to objects for the most part.
    fn draw_references(objects: &[Object], rng: &mut Rng) -> Vec<Ty> {
        let others = [
            Heap::Func,
            Heap::Extern,
            Heap::Any,
            Heap::Eq,
            Heap::I31,
            Heap::Struct,
            Heap::Array,
            Heap::None,
            Heap::NoFunc,
            Heap::NoExtern,
        ];
        let last = objects.len() as u32 - 1;
        let mut heaps = vec![Heap::Type(last)];
        for _ in 0..2 + rng.below(4) {
            heaps.push(match rng.below(3) {
                0 => Heap::Type(rng.below(objects.len()) as u32),
                _ => others[rng.below(others.len())],
            });
        }
        heaps.into_iter().map(Ty::Ref).collect()
    }

    fn draw_signature(&mut self, rng: &mut Rng) -> u32 {
        let most = [2, 4, 10, 2, 4, 10, 2, 40][rng.below(8)];
        let mut tys =
            |most| (0..rng.below(most)).map(|_| self.tys[rng.below(self.tys.len())]).collect();
        let (params, results) = (tys(most + 1), tys(if most == 40 { 20 } else { 4 }));
        self.signature(Signature { params, results })
    }

    /// The index of a type.
    fn signature(&mut self, signature: Signature) -> u32 {
        let known = self.types.iter().position(|each| *each == signature);
        let at = known.unwrap_or_else(|| {
            self.types.push(signature);
            self.types.len() - 1
        });
        (self.objects.len() + at) as u32
    }

    fn of_type(&self, ty: u32) -> Signature {
        self.types[ty as usize - self.objects.len()].clone()
    }

    fn of_function(&self, function: u32) -> Signature {
        self.of_type(self.functions[function as usize])
    }
}

/// A program, as the binary of a module.
pub fn program(rng: &mut Rng) -> Vec<u8> {
    let mut layout = Layout::draw(rng);
    let mut code = CodeSection::new();
    for index in 0..layout.functions.len() {
        let (locals, bytes) = Body::draw(&mut layout, index as u32, rng);
        let mut function = Function::new_with_locals_types(locals.into_iter().map(Ty::encoded));
        function.raw(bytes);
        code.function(&function);
    }
    let mut module = Module::new();
    let mut types = TypeSection::new();
    for object in &layout.objects {
        types.ty().subtype(&object.encoded());
    }
    for Signature { params, results } in &layout.types {
        let encoded = |tys: &[Ty]| tys.iter().map(|ty| ty.encoded()).collect::<Vec<_>>();
        types.ty().function(encoded(params), encoded(results));
    }
    module.section(&types);
    let mut functions = FunctionSection::new();
    layout.functions.iter().for_each(|ty| {
        functions.function(*ty);
    });
    module.section(&functions);
    module.section(TableSection::new().table(TableType {
        element_type: RefType::FUNCREF,
        table64: false,
        minimum: u64::from(TABLE),
        maximum: None,
        shared: false,
    }));
    let mut memories = MemorySection::new();
    for &memory64 in &layout.memories {
        memories.memory(MemoryType {
            minimum: 1,
            maximum: Some(3),
            memory64,
            shared: false,
            page_size_log2: None,
        });
    }
    module.section(&memories);
    if !layout.tags.is_empty() {
        let mut tags = TagSection::new();
        for &func_type_idx in &layout.tags {
            tags.tag(TagType { kind: TagKind::Exception, func_type_idx });
        }
        module.section(&tags);
    }
    let mut globals = GlobalSection::new();
    for &ty in &layout.globals {
        let ty_encoded = GlobalType { val_type: ty.encoded(), mutable: true, shared: false };
        globals.global(ty_encoded, &initial(ty, rng));
    }
    module.section(&globals);
    let mut elements = ElementSection::new();
    // Each function is in it, at its own index, so that all may be referred to.
    let count = layout.functions.len() as u32;
    let listed: Vec<u32> = (0..TABLE - 1)
        .map(|at| if at < count { at } else { rng.below(count as usize) as u32 })
        .collect();
    elements.active(None, &ConstExpr::i32_const(0), Elements::Functions(listed.into()));
    module.section(&elements);
    module.section(&code);
    let mut data = DataSection::new();
    for (memory, &is_64) in layout.memories.iter().enumerate() {
        for offset in [0, 0x1_0000 - DATA as i32] {
            let offset = if is_64 {
                ConstExpr::i64_const(i64::from(offset))
            } else {
                ConstExpr::i32_const(offset)
            };
            let bytes: Vec<u8> = (0..DATA).map(|_| rng.bits() as u8).collect();
            data.active(memory as u32, &offset, bytes);
        }
    }
    module.section(&data);
    module.finish()
}

fn initial(ty: Ty, rng: &mut Rng) -> ConstExpr {
    match ty {
        Ty::I32 => ConstExpr::i32_const(value::integer(rng) as i32),
        Ty::I64 => ConstExpr::i64_const(value::integer(rng) as i64),
        Ty::F32 => ConstExpr::f32_const(f32::from_bits(value::float32(rng)).into()),
        Ty::F64 => ConstExpr::f64_const(f64::from_bits(value::float64(rng)).into()),
        Ty::V128 => ConstExpr::v128_const(value::vector(rng) as i128),
        Ty::Ref(heap) => ConstExpr::ref_null(heap.encoded()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasmparser::{Validator, WasmFeatures};

    #[test]
    fn programs_are_valid() {
        for case in 0..400 {
            let bytes = program(&mut Rng::for_case(7, case));
            let features = WasmFeatures::WASM3 | WasmFeatures::WIDE_ARITHMETIC;
            if let Err(error) = Validator::new_with_features(features).validate_all(&bytes) {
                panic!("program {case}: {error}");
            }
        }
    }
}
