//! The code of an adapter: `abi::transfer`, as instructions.
//!
//! A place is in locals or in memory, as there; the walk over a type is the same, only
//! that it emits what it would do.

use super::emit::{Access, Body, Import, Op, Ty};
use super::trap::Trap;
use crate::abi::StringEncoding;
use crate::abi::signature::{Passed, Signature};
use crate::state::Options;
use crate::tuning::{MAX_ADAPTER_BYTES, MAX_ADAPTER_CASES, MAX_ADAPTER_PARTS};
use crate::types::{Defined, Flat, InterfaceType, Part, TypeIndex, Types};

/// What an adapter imports, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    Callee,
    Trap,
    /// Whether the caller, or the callee, may leave.
    CallerFlag,
    CalleeFlag,
    CallerMemory,
    CalleeMemory,
    CallerRealloc,
    CalleeRealloc,
    /// Checks a string in the caller's memory, or the callee's.
    CallerUtf8,
    CalleeUtf8,
    PostReturn,
}

/// One of two guests: the places of its imports.
#[derive(Clone, Copy)]
pub(super) struct Guest {
    flag: u32,
    pub(super) memory: u32,
    realloc: u32,
    pub(super) utf8: u32,
}

/// Where a value lies.
#[derive(Clone, Copy)]
pub(super) enum Place {
    /// In locals from this one on.
    Flat(u32),
    /// In memory: so many bytes after the address in a local.
    Memory(u32, u32),
}

impl Place {
    fn part(self, part: Part) -> Place {
        match self {
            Place::Flat(local) => Place::Flat(local + part.flat),
            Place::Memory(base, offset) => Place::Memory(base, offset + part.offset),
        }
    }

    fn second(self) -> Place {
        self.part(Part { offset: 4, flat: 1 })
    }
}

/// That a function is none to have an adapter.
#[derive(Debug)]
pub(super) struct Unfit;

type Fit<T = ()> = Result<T, Unfit>;

/// A function and who is on its sides.
pub(super) struct Call<'a> {
    pub(super) types: &'a Types,
    pub(super) signature: &'a Signature,
    pub(super) caller: &'a Options,
    pub(super) callee: &'a Options,
    pub(super) post_return: bool,
    /// Whether guests can throw.
    pub(super) exceptions: bool,
}

/// What is used of the two guests; found before anything is emitted, as the places of
/// imports depend on it.
#[derive(Default)]
struct Uses {
    /// Lists or strings among what is passed.
    pointed: bool,
    strings: bool,
    /// Types seen: one may be a part of others often, and they of others.
    seen: usize,
}

fn uses(types: &Types, ty: InterfaceType, uses_: &mut Uses) -> Fit {
    use InterfaceType as T;
    uses_.seen += 1;
    if uses_.seen > MAX_ADAPTER_PARTS {
        return Err(Unfit);
    }
    match ty {
        T::Bool
        | T::S8
        | T::U8
        | T::S16
        | T::U16
        | T::S32
        | T::U32
        | T::S64
        | T::U64
        | T::F32
        | T::F64
        | T::Char => Ok(()),
        T::String => {
            uses_.pointed = true;
            uses_.strings = true;
            Ok(())
        }
        T::Own(_) | T::Borrow(_) | T::ErrorContext => Err(Unfit),
        T::Defined(index) => uses_of_defined(types, index, uses_),
    }
}

fn uses_of_defined(types: &Types, index: TypeIndex, uses_: &mut Uses) -> Fit {
    match &types[index] {
        Defined::Record(fields) => fields.iter().try_for_each(|(_, ty)| uses(types, *ty, uses_)),
        Defined::Tuple(parts) => parts.iter().try_for_each(|ty| uses(types, *ty, uses_)),
        Defined::Variant(cases) => {
            let payloads = cases.iter().filter_map(|(_, ty)| *ty);
            if payloads.clone().count() > MAX_ADAPTER_CASES {
                return Err(Unfit);
            }
            payloads.into_iter().try_for_each(|ty| uses(types, ty, uses_))
        }
        Defined::Option(ty) => uses(types, *ty, uses_),
        Defined::Result { ok, err } => {
            [ok, err].into_iter().flatten().try_for_each(|ty| uses(types, *ty, uses_))
        }
        Defined::Enum(_) | Defined::Flags(_) => Ok(()),
        Defined::List(ty) if types.shape(*ty).numbers => {
            uses_.pointed = true;
            Ok(())
        }
        Defined::List(_)
        | Defined::FixedList(..)
        | Defined::Map(..)
        | Defined::Stream(_)
        | Defined::Future(_) => Err(Unfit),
    }
}

/// An adapter in the making.
pub(super) struct Adapter<'a> {
    types: &'a Types,
    pub(super) body: Body,
    trap: u32,
}

/// A module with the adapter, and what it needs.
pub(super) struct Module {
    pub(super) bytes: Vec<u8>,
    pub(super) needs: Vec<Need>,
}

fn core(passed: &Passed) -> Vec<Ty> {
    match &passed.flat {
        Some(flat) => flat.iter().map(|&flat| flat.into()).collect(),
        None => vec![Flat::I32.into()],
    }
}

/// Makes the adapter of a function.
///
/// # Errors
///
/// If it is one for `abi::transfer`.
pub(super) fn make(call: &Call<'_>) -> Fit<Module> {
    let Call { types, signature, caller, callee, post_return, exceptions } = *call;
    let Signature { params, results, .. } = signature;
    let (mut given, mut returned) = (Uses::default(), Uses::default());
    uses(types, params.ty(), &mut given)?;
    uses(types, results.ty(), &mut returned)?;
    let strings = given.strings || returned.strings;
    let utf8 = |options: &Options| options.encoding == StringEncoding::Utf8;
    if strings && !(utf8(caller) && utf8(callee)) {
        return Err(Unfit);
    }
    let (spilled, returns) = (params.flat.is_none(), results.flat.is_none());

    let mut needs = Vec::new();
    let mut imports = Vec::new();
    // Functions, globals and memories are counted apart.
    let mut counts = [0_u32; 3];
    let mut import = |needed: bool, need: Need, import: Import| {
        if !needed {
            return 0;
        }
        let kind = match import {
            Import::Func(..) => 0,
            Import::Global => 1,
            Import::Memory => 2,
        };
        needs.push(need);
        imports.push(import);
        counts[kind] += 1;
        counts[kind] - 1
    };
    let realloc = || Import::Func(vec![Ty::I32; 4], vec![Ty::I32]);
    let check = || Import::Func(vec![Ty::I32; 2], vec![]);
    let to_callee = given.pointed || spilled;
    let memories = to_callee || returned.pointed || returns;
    let from = Guest {
        flag: import(true, Need::CallerFlag, Import::Global),
        memory: import(memories, Need::CallerMemory, Import::Memory),
        realloc: import(returned.pointed, Need::CallerRealloc, realloc()),
        utf8: import(given.strings, Need::CallerUtf8, check()),
    };
    let to = Guest {
        flag: import(to_callee || post_return, Need::CalleeFlag, Import::Global),
        memory: import(memories, Need::CalleeMemory, Import::Memory),
        realloc: import(to_callee, Need::CalleeRealloc, realloc()),
        utf8: import(returned.strings, Need::CalleeUtf8, check()),
    };
    let target = import(true, Need::Callee, Import::Func(core(params), core(results)));
    let trap = import(true, Need::Trap, Import::Func(vec![Ty::I32], vec![]));
    let post = import(post_return, Need::PostReturn, Import::Func(core(results), vec![]));

    let mut own = core(params);
    if returns {
        own.push(Ty::I32);
    }
    let mut adapter = Adapter { types, body: Body::new(own), trap };
    adapter.body.get_global(from.flag);
    adapter.body.op(Op::I32Eqz);
    adapter.trap_if(Trap::Leave);

    let args: Vec<u32> = core(params).into_iter().map(|ty| adapter.body.local(ty)).collect();
    if to_callee {
        adapter.may_leave(to, false);
    }
    let mut target_place = Place::Flat(args.first().copied().unwrap_or_default());
    let mut source = Place::Flat(0);
    if spilled {
        adapter.check_pointer(0, params, from);
        source = Place::Memory(0, 0);
        adapter.allocate(args[0], to, params.align, |body| body.i32(params.size), Trap::Pointer);
        target_place = Place::Memory(args[0], 0);
    }
    adapter.value(params.ty(), (source, from), (target_place, to))?;
    if to_callee {
        adapter.may_leave(to, true);
    }

    args.iter().for_each(|&local| adapter.body.get(local));
    adapter.body.call(target);
    let result = core(results).first().map(|&ty| adapter.body.local(ty));
    if let Some(local) = result {
        adapter.body.set(local);
    }

    if returned.pointed {
        adapter.may_leave(from, false);
    }
    let mut own_result = None;
    if let Some(local) = result {
        let (mut source, mut place) = (Place::Flat(local), Place::Flat(0));
        if returns {
            adapter.check_pointer(local, results, to);
            source = Place::Memory(local, 0);
            let address = params.count() as u32;
            adapter.check_pointer(address, results, from);
            place = Place::Memory(address, 0);
        } else {
            let local = adapter.body.local(adapter.body.ty(local));
            own_result = Some(local);
            place = place.part(Part { offset: 0, flat: local });
        }
        adapter.value(results.ty(), (source, to), (place, from))?;
    }
    if returned.pointed {
        adapter.may_leave(from, true);
    }

    if post_return {
        adapter.may_leave(to, false);
        if let Some(local) = result {
            adapter.body.get(local);
        }
        adapter.body.call(post);
        adapter.may_leave(to, true);
    }
    if let Some(local) = own_result {
        adapter.body.get(local);
    }
    let results = if returns { Vec::new() } else { core(results) };
    if exceptions {
        adapter.body.guard(&results, |body| {
            body.i32(Trap::Exception as u32);
            body.call(trap);
        });
    }
    Ok(Module { bytes: super::emit::module(&imports, &adapter.body, &results), needs })
}

/// How a number of a type is read, changed and written: its core type, its accesses to
/// memory, and the instructions that make it a value of its type.
struct Number {
    ty: Ty,
    load: Access,
    store: Access,
    /// What makes the slot's value the type's, with a constant before it.
    mask: Option<u32>,
    fix: &'static [Op],
}

fn number(ty: InterfaceType) -> Option<Number> {
    use Access as A;
    use InterfaceType as T;
    let plain = |ty, load, store| Number { ty, load, store, mask: None, fix: &[] };
    let word = plain(Ty::I32, A::I32Load, A::I32Store);
    Some(match ty {
        T::U8 => Number {
            load: A::I32Load8U,
            store: A::I32Store8,
            mask: Some(0xff),
            fix: &[Op::I32And],
            ..word
        },
        T::S8 => {
            Number { load: A::I32Load8S, store: A::I32Store8, fix: &[Op::I32Extend8S], ..word }
        }
        T::U16 => Number {
            load: A::I32Load16U,
            store: A::I32Store16,
            mask: Some(0xffff),
            fix: &[Op::I32And],
            ..word
        },
        T::S16 => {
            Number { load: A::I32Load16S, store: A::I32Store16, fix: &[Op::I32Extend16S], ..word }
        }
        T::Bool => Number {
            load: A::I32Load8U,
            store: A::I32Store8,
            mask: Some(0),
            fix: &[Op::I32Ne],
            ..word
        },
        T::S32 | T::U32 | T::Char => word,
        T::S64 | T::U64 => plain(Ty::I64, A::I64Load, A::I64Store),
        T::F32 => plain(Ty::F32, A::F32Load, A::F32Store),
        T::F64 => plain(Ty::F64, A::F64Load, A::F64Store),
        T::String | T::Own(_) | T::Borrow(_) | T::ErrorContext | T::Defined(_) => return None,
    })
}

/// A word of flags or a discriminant in so many bytes.
fn word(size: u32) -> Number {
    let ty = match size {
        1 => InterfaceType::U8,
        2 => InterfaceType::U16,
        _ => InterfaceType::U32,
    };
    let number = number(ty).unwrap_or_else(|| unreachable!("numbers have accesses"));
    // The whole slot counts, and is compared or masked by whoever reads it.
    Number { mask: None, fix: &[], ..number }
}

impl Adapter<'_> {
    /// Ends in a trap if what is on the stack is not zero.
    pub(super) fn trap_if(&mut self, trap: Trap) {
        self.body.begin_if();
        self.body.i32(trap as u32);
        self.body.call(self.trap);
        self.body.op(Op::End);
    }

    fn may_leave(&mut self, guest: Guest, may: bool) {
        self.body.i32(may.into());
        self.body.set_global(guest.flag);
    }

    /// Traps if the address in a local has not an alignment.
    pub(super) fn check_align(&mut self, local: u32, align: u32) {
        if align > 1 {
            self.body.get(local);
            self.body.i32(align - 1);
            self.body.op(Op::I32And);
            self.trap_if(Trap::Unaligned);
        }
    }

    /// Traps unless as many bytes as `size` leaves on the stack, as 64 bits, lie at the
    /// address in a local.
    pub(super) fn check_bounds(
        &mut self,
        local: u32,
        size: impl FnOnce(&mut Body),
        guest: Guest,
        trap: Trap,
    ) {
        self.body.get(local);
        self.body.op(Op::I64ExtendI32U);
        size(&mut self.body);
        self.body.op(Op::I64Add);
        self.body.memory_size(guest.memory);
        self.body.op(Op::I64ExtendI32U);
        self.body.i64(16);
        self.body.ops(&[Op::I64Shl, Op::I64GtU]);
        self.trap_if(trap);
    }

    fn check_pointer(&mut self, local: u32, passed: &Passed, guest: Guest) {
        self.check_align(local, passed.align);
        let size = u64::from(passed.size);
        self.check_bounds(local, |body| body.i64(size), guest, Trap::Pointer);
    }

    /// Sets a local to the address of new memory, as many bytes as `size` leaves on the
    /// stack.
    pub(super) fn allocate(
        &mut self,
        local: u32,
        guest: Guest,
        align: u32,
        size: impl Fn(&mut Body),
        trap: Trap,
    ) {
        self.body.i32(0);
        self.body.i32(0);
        self.body.i32(align);
        size(&mut self.body);
        self.body.call(guest.realloc);
        self.body.set(local);
        self.check_align(local, align);
        let wide = |body: &mut Body| {
            size(body);
            body.op(Op::I64ExtendI32U);
        };
        self.check_bounds(local, wide, guest, trap);
    }

    /// Leaves a number on the stack.
    fn push(&mut self, number: &Number, (place, guest): (Place, Guest)) {
        match place {
            Place::Memory(base, offset) => {
                self.body.get(base);
                self.body.access(number.load, guest.memory, offset);
            }
            Place::Flat(local) => {
                self.body.get(local);
                // Cases of a variant share locals of a type that has room for each.
                self.body.ops(match (self.body.ty(local), number.ty) {
                    (Ty::I32, Ty::F32) => &[Op::F32ReinterpretI32],
                    (Ty::I64, Ty::I32) => &[Op::I32WrapI64],
                    (Ty::I64, Ty::F32) => &[Op::I32WrapI64, Op::F32ReinterpretI32],
                    (Ty::I64, Ty::F64) => &[Op::F64ReinterpretI64],
                    _ => &[],
                });
            }
        }
    }

    /// Writes a number that `value` leaves on the stack.
    fn pop(
        &mut self,
        number: &Number,
        (place, guest): (Place, Guest),
        value: impl FnOnce(&mut Self),
    ) {
        match place {
            Place::Memory(base, offset) => {
                self.body.get(base);
                value(self);
                self.body.access(number.store, guest.memory, offset);
            }
            Place::Flat(local) => {
                value(self);
                self.body.ops(match (number.ty, self.body.ty(local)) {
                    (Ty::F32, Ty::I32) => &[Op::I32ReinterpretF32],
                    (Ty::I32, Ty::I64) => &[Op::I64ExtendI32U],
                    (Ty::F32, Ty::I64) => &[Op::I32ReinterpretF32, Op::I64ExtendI32U],
                    (Ty::F64, Ty::I64) => &[Op::I64ReinterpretF64],
                    _ => &[],
                });
                self.body.set(local);
            }
        }
    }

    fn value(&mut self, ty: InterfaceType, from: (Place, Guest), to: (Place, Guest)) -> Fit {
        if self.body.len() > MAX_ADAPTER_BYTES {
            return Err(Unfit);
        }
        match ty {
            InterfaceType::Char => self.char(from, to),
            InterfaceType::String => self.string(from, to),
            InterfaceType::Defined(index) => return self.defined(index, from, to),
            _ => {
                let number = number(ty).ok_or(Unfit)?;
                self.pop(&number, to, |adapter| {
                    adapter.push(&number, from);
                    if let Some(mask) = number.mask {
                        adapter.body.i32(mask);
                    }
                    adapter.body.ops(number.fix);
                });
            }
        }
        Ok(())
    }

    fn char(&mut self, from: (Place, Guest), to: (Place, Guest)) {
        let number = word(4);
        let local = self.body.local(Ty::I32);
        self.push(&number, from);
        self.body.tee(local);
        self.body.i32(0x11_0000);
        self.body.op(Op::I32GeU);
        // Surrogates.
        self.body.get(local);
        self.body.i32(0xd800);
        self.body.op(Op::I32Sub);
        self.body.i32(0x800);
        self.body.ops(&[Op::I32LtU, Op::I32Or]);
        self.trap_if(Trap::Char);
        self.pop(&number, to, |adapter| adapter.body.get(local));
    }

    fn defined(&mut self, index: TypeIndex, from: (Place, Guest), to: (Place, Guest)) -> Fit {
        let types = self.types;
        let layout = types.layout(index);
        let part =
            |index: usize, (place, guest): (Place, Guest)| (place.part(layout.parts[index]), guest);
        match &types[index] {
            Defined::Record(fields) => {
                for (index, (_, ty)) in fields.iter().enumerate() {
                    self.value(*ty, part(index, from), part(index, to))?;
                }
            }
            Defined::Tuple(parts) => {
                for (index, ty) in parts.iter().enumerate() {
                    self.value(*ty, part(index, from), part(index, to))?;
                }
            }
            Defined::Enum(names) => {
                self.case(layout.discriminant, names.len(), from, to);
            }
            Defined::Flags(names) => {
                let number = word(layout.discriminant);
                for (index, names) in names.chunks(32).enumerate() {
                    let at =
                        Part { offset: index as u32 * layout.discriminant, flat: index as u32 };
                    let mask = if names.len() == 32 { u32::MAX } else { (1 << names.len()) - 1 };
                    self.pop(&number, (to.0.part(at), to.1), |adapter| {
                        adapter.push(&number, (from.0.part(at), from.1));
                        adapter.body.i32(mask);
                        adapter.body.op(Op::I32And);
                    });
                }
            }
            Defined::Variant(cases) => {
                let case = self.case(layout.discriminant, cases.len(), from, to);
                for (index, (_, ty)) in cases.iter().enumerate() {
                    self.payload(case, index, *ty, part(index, from), part(index, to))?;
                }
            }
            Defined::Option(ty) => {
                let case = self.case(layout.discriminant, 2, from, to);
                self.payload(case, 1, Some(*ty), part(1, from), part(1, to))?;
            }
            Defined::Result { ok, err } => {
                let case = self.case(layout.discriminant, 2, from, to);
                self.payload(case, 0, *ok, part(0, from), part(0, to))?;
                self.payload(case, 1, *err, part(1, from), part(1, to))?;
            }
            Defined::List(element) => {
                let shape = self.types.shape(*element);
                if !shape.numbers {
                    return Err(Unfit);
                }
                self.list(shape, from, to);
            }
            Defined::FixedList(..) | Defined::Map(..) | Defined::Stream(_) | Defined::Future(_) => {
                return Err(Unfit);
            }
        }
        Ok(())
    }

    /// Moves which case it is, and returns the local that holds it.
    fn case(&mut self, size: u32, cases: usize, from: (Place, Guest), to: (Place, Guest)) -> u32 {
        let number = word(size);
        let local = self.body.local(Ty::I32);
        self.push(&number, from);
        self.body.tee(local);
        self.body.i32(cases as u32);
        self.body.op(Op::I32GeU);
        self.trap_if(Trap::Case);
        self.pop(&number, to, |adapter| adapter.body.get(local));
        local
    }

    /// Moves a payload if it is the case's. Locals that the case does not have are zero,
    /// as each is written at most once.
    fn payload(
        &mut self,
        case: u32,
        index: usize,
        ty: Option<InterfaceType>,
        from: (Place, Guest),
        to: (Place, Guest),
    ) -> Fit {
        let Some(ty) = ty else { return Ok(()) };
        self.body.get(case);
        self.body.i32(index as u32);
        self.body.op(Op::I32Eq);
        self.body.begin_if();
        self.value(ty, from, to)?;
        self.body.op(Op::End);
        Ok(())
    }

    /// Reads an address and a length into new locals.
    pub(super) fn pair(&mut self, (place, guest): (Place, Guest)) -> (u32, u32) {
        let number = word(4);
        let (address, length) = (self.body.local(Ty::I32), self.body.local(Ty::I32));
        for (local, place) in [(address, place), (length, place.second())] {
            self.push(&number, (place, guest));
            self.body.set(local);
        }
        (address, length)
    }

    pub(super) fn put_pair(&mut self, (place, guest): (Place, Guest), address: u32, length: u32) {
        let number = word(4);
        for (local, place) in [(address, place), (length, place.second())] {
            self.pop(&number, (place, guest), |adapter| adapter.body.get(local));
        }
    }
}
