//! Statements that passes of an optimizing compiler are for: what is computed, loaded or
//! checked again behind something that may have changed it; loops around what does not
//! change; objects that escape late or not at all; calls in loops under try; machines of
//! states in one table of branches; more values than registers.

use super::Signature;
use super::body::Body;
use super::code::*;
use crate::mutate::draw;
use crate::opcodes::objects::*;
use crate::ops::{self, ACCESSES, Group};
use crate::ty::{Heap, Ty};

impl Body<'_> {
    /// Something that a pass is for.
    pub fn pattern(&mut self, depth: u32) {
        self.budget -= 4;
        match self.rng.below(22) {
            0 | 1 => self.invariants(depth),
            2 | 3 => self.again(depth),
            4 | 17 => self.walk(depth),
            5 | 18 => self.search(),
            6 | 19 => self.cast_again(depth),
            7 => self.asked_again(depth),
            8 | 9 => self.escaping(depth),
            10 => self.caught_in_loop(depth),
            11 => self.machine(depth),
            12 => self.pressure(),
            13 => self.short_bulk(),
            14 | 15 => self.neighbours(depth),
            16 => self.chosen(),
            _ => {
                let ty = if self.once_in(2) { Ty::I32 } else { Ty::I64 };
                self.idiom(ty);
                self.show(ty);
            }
        }
    }

    /// Writes code again that has been recorded.
    fn replay(&mut self, bytes: &[u8]) {
        self.code.0.extend(bytes);
    }

    /// A value that a loop computes in each round, though it may not change, and that is
    /// computed behind it once more.
    fn invariants(&mut self, depth: u32) {
        let tys: Vec<Ty> = (0..1 + self.rng.below(3)).map(|_| self.any_ty()).collect();
        let values: Vec<Vec<u8>> = tys.iter().map(|ty| self.recorded_value(*ty, 2)).collect();
        let Some(counter) = self.start_counter() else { return self.assign(2) };
        self.code.block(LOOP, None);
        self.within(None, |body| {
            for (ty, value) in tys.iter().zip(&values) {
                if body.once_in(3) {
                    body.statement(depth);
                }
                body.replay(value);
                body.show(*ty);
            }
            body.step(&counter);
            body.code.with(BR_IF, 0);
        });
        for (ty, value) in tys.iter().zip(&values) {
            self.replay(value);
            self.show(*ty);
        }
    }

    /// A load and a store of the same or nearly the same place, in one of the memories.
    fn accesses(&mut self, ty: Ty) -> Option<(Vec<u8>, Vec<u8>)> {
        let loads = ACCESSES.iter().find(|group| group.result == Some(ty))?;
        let stores = |group: &&Group| group.result.is_none() && group.params == [ty];
        let stores = ACCESSES.iter().find(stores)?;
        let memory = self.rng.below(self.layout.memories.len()) as u32;
        let is_64 = self.layout.memories[memory as usize];
        let base = self.recorded(|body| {
            body.value(if is_64 { Ty::I64 } else { Ty::I32 }, 1);
            if is_64 {
                body.code.i64_const(0xfff8);
                body.code.op(I64_AND);
            } else {
                body.code.i32_const(0xfff8);
                body.code.op(I32_AND);
            }
        });
        let near = [0, 0, 0, 1, 4, 8][self.rng.below(6)];
        let access = |body: &mut Self, group: &Group, offset: u32, value: Option<Ty>| {
            body.recorded(|body| {
                body.replay(&base);
                value.into_iter().for_each(|ty| body.value(ty, 1));
                ops::push(&mut body.code.0, group.prefix, draw(group, body.rng));
                // No alignment is promised.
                let memory = if memory == 0 { vec![0] } else { vec![0x40, memory as u8] };
                body.code.0.extend(memory);
                body.code.number(offset);
            })
        };
        let offset = 8 + self.rng.below(16) as u32;
        let load = access(self, loads, offset, None);
        let store = access(self, stores, offset + near, Some(ty));
        Some((load, store))
    }

    /// A read of a global, of memory or of a field, and a write to about the same place.
    fn place(&mut self) -> (Ty, Vec<u8>, Vec<u8>) {
        let ty = self.any_ty();
        if self.once_in(2)
            && let Some((load, store)) = self.accesses(ty)
        {
            return (ty, load, store);
        }
        if let Ty::Ref(Heap::Type(index)) = ty
            && let Some((ty, read, write)) = self.field(index)
        {
            return (ty, read, write);
        }
        let global = self.rng.below(self.layout.globals.len()) as u32;
        let other = self.rng.below(self.layout.globals.len()) as u32;
        let read = self.recorded(|body| body.code.with(GLOBAL_GET, global));
        let write = self.recorded(|body| {
            let to = if body.once_in(3) { other } else { global };
            body.value(body.layout.globals[to as usize], 1);
            body.code.with(GLOBAL_SET, to);
        });
        (self.layout.globals[global as usize], read, write)
    }

    /// The same of a field of a structure in a local, which is made where it may be null.
    fn field(&mut self, index: u32) -> Option<(Ty, Vec<u8>, Vec<u8>)> {
        let object = self.layout.objects.get(index as usize)?.clone();
        let fields = object.fields.len();
        if object.is_array || fields == 0 {
            return None;
        }
        let local = self.local(Ty::Ref(Heap::Type(index)), false)?;
        let (first, second) = (self.rng.below(fields), self.rng.below(fields));
        let packed = |at: usize| object.fields[at].is_packed();
        let get = if packed(first) { STRUCT_GET_S + self.rng.below(2) as u8 } else { STRUCT_GET };
        let read = self.recorded(|body| {
            body.code.with(LOCAL_GET, local);
            body.code.0.extend([OBJECTS, get]);
            body.code.number(index);
            body.code.number(first as u32);
        });
        let to = if self.once_in(3) { second } else { first };
        let ty = object.fields[to].ty();
        let alias = self.local(Ty::Ref(Heap::Type(index)), false).unwrap_or(local);
        let write = self.recorded(|body| {
            let through = if body.once_in(2) { alias } else { local };
            body.code.with(LOCAL_GET, through);
            body.value(ty, 1);
            body.code.0.extend([OBJECTS, STRUCT_SET]);
            body.code.number(index);
            body.code.number(to as u32);
        });
        // Neither is null from here on, mostly.
        for local in [local, alias] {
            if !self.once_in(24) {
                self.code.with(LOCAL_GET, local);
                self.code.op(REF_IS_NULL);
                self.code.block(IF, None);
                self.within(Some(vec![]), |body| {
                    body.fresh(Heap::Type(index), 0);
                    body.code.with(LOCAL_SET, local);
                });
            }
        }
        Some((object.fields[first].ty(), read, write))
    }

    /// Something read twice, with a write, a call or anything in between.
    fn again(&mut self, depth: u32) {
        let (ty, read, write) = self.place();
        let in_loop = if self.once_in(3) { self.start_counter() } else { None };
        if in_loop.is_some() {
            self.code.block(LOOP, None);
            self.labels.push(None);
        }
        self.replay(&read);
        self.show(ty);
        for _ in 0..1 + self.rng.below(3) {
            match self.rng.below(6) {
                0 | 1 => self.replay(&write),
                2 => self.store(),
                3 => self.set_global(),
                4 => self.call(1),
                _ => {
                    // On one of two ways.
                    self.condition(1);
                    self.code.block(IF, None);
                    self.within(Some(vec![]), |body| {
                        if body.once_in(2) { body.replay(&write) } else { body.statement(depth) }
                    });
                }
            }
            self.replay(&read);
            self.show(ty);
        }
        if let Some(counter) = in_loop {
            self.step(&counter);
            self.code.with(BR_IF, 0);
            self.labels.pop();
            self.code.op(END);
        }
    }

    /// Elements of memory read and written one after the other, at several distances from
    /// an address that grows with the loop's counter.
    fn walk(&mut self, depth: u32) {
        let ty = self.any_ty();
        let found = ACCESSES.iter().find(|group| group.result == Some(ty));
        let stores = |group: &&Group| group.result.is_none() && group.params == [ty];
        let (Some(loads), Some(stores)) = (found, ACCESSES.iter().find(stores)) else {
            return self.again(depth);
        };
        let memory = self.rng.below(self.layout.memories.len()) as u32;
        let memory_64 = self.layout.memories[memory as usize];
        let Some(counter) = self.start_counter() else { return self.assign(2) };
        let scale = self.rng.below(4) as i32;
        // Near the end of the memory it runs out at some round.
        let start = [64, 64, 64, 4096, 4096, 0x1_0000 - 20][self.rng.below(6)];
        let address = self.recorded(|body| {
            body.code.with(LOCAL_GET, counter.local);
            match (counter.is_64, memory_64) {
                (true, false) => body.code.op(I32_WRAP),
                (false, true) => body.code.op(I64_EXTEND_I32_U),
                _ => {}
            }
            if memory_64 {
                body.code.i64_const(15);
                body.code.op(I64_AND);
                body.code.i64_const(i64::from(scale));
                body.code.op(I64_SHL);
                body.code.i64_const(start);
                body.code.op(I64_ADD);
            } else {
                body.code.i32_const(15);
                body.code.op(I32_AND);
                body.code.i32_const(scale);
                body.code.op(I32_SHL);
                body.code.i32_const(start as i32);
                body.code.op(I32_ADD);
            }
        });
        let access = |body: &mut Self, group: &Group| {
            ops::push(&mut body.code.0, group.prefix, draw(group, body.rng));
            let memory = if memory == 0 { vec![0] } else { vec![0x40, memory as u8] };
            body.code.0.extend(memory);
            let offset = body.rng.below(24) as u32;
            body.code.number(offset);
        };
        self.code.block(LOOP, None);
        self.within(None, |body| {
            for _ in 0..1 + body.rng.below(3) {
                body.replay(&address);
                if body.once_in(2) {
                    access(body, loads);
                    body.show(ty);
                } else {
                    if body.once_in(2) {
                        body.replay(&address);
                        access(body, loads);
                    } else {
                        body.value(ty, 1);
                    }
                    access(body, stores);
                }
            }
            if body.once_in(3) {
                body.statement(depth);
            }
            body.step(&counter);
            body.code.with(BR_IF, 0);
        });
    }

    /// A loop that ends at the first byte of some kind, or when it has been long enough.
    fn search(&mut self) {
        let Some(memory) = self.layout.memories.iter().position(|is_64| !is_64) else {
            return self.store();
        };
        let Some(at) = self.local(Ty::I32, false) else { return self.store() };
        let Some(counter) = self.start_counter() else { return self.assign(2) };
        let loads = ACCESSES.iter().find(|group| group.result == Some(Ty::I32));
        let Some(loads) = loads else { return };
        let step = [1, 1, 2, 4, -1][self.rng.below(5)];
        self.code.with(LOCAL_GET, at);
        self.code.i32_const(0x7fff);
        self.code.op(I32_AND);
        self.code.with(LOCAL_SET, at);
        self.code.block(BLOCK, None);
        self.labels.push(Some(vec![]));
        self.code.block(LOOP, None);
        self.within(None, |body| {
            body.code.with(LOCAL_GET, at);
            ops::push(&mut body.code.0, loads.prefix, draw(loads, body.rng));
            body.code.0.extend(if memory == 0 { vec![0] } else { vec![0x40, memory as u8] });
            let offset = 1 + body.rng.below(3) as u32;
            body.code.number(offset);
            if body.once_in(2) {
                body.code.op(I32_EQZ);
            } else {
                body.leaf(Ty::I32);
                body.code.op(I32_LT_S);
            }
            body.code.with(BR_IF, 1);
            body.code.with(LOCAL_GET, at);
            body.code.i32_const(step);
            body.code.op(I32_ADD);
            body.code.with(LOCAL_SET, at);
            body.step(&counter);
            body.code.with(BR_IF, 0);
        });
        self.labels.pop();
        self.code.op(END);
    }

    /// A reference in a local that is cast and tested, and again where that is known.
    fn cast_again(&mut self, depth: u32) {
        let casts = |body: &mut Self| {
            let objects = body.layout.objects.len();
            let target = Heap::Type(body.rng.below(objects) as u32);
            let above: Vec<u32> = (0..body.counters as u32)
                .filter(|at| match body.locals[*at as usize] {
                    Ty::Ref(heap) => body.layout.is_sub(target, heap),
                    _ => false,
                })
                .collect();
            Some((body.rng.pick(&above).copied()?, target))
        };
        if self.layout.objects.is_empty() {
            return self.again(depth);
        }
        let Some((local, target)) = casts(self) else { return self.again(depth) };
        if self.once_in(2) {
            self.fresh(target, 1);
            self.code.with(LOCAL_SET, local);
        }
        let test = |body: &mut Self| {
            body.code.with(LOCAL_GET, local);
            body.code.0.extend([OBJECTS, REF_TEST + body.rng.below(2) as u8]);
            target.push(&mut body.code.0);
        };
        let cast = |body: &mut Self| {
            body.code.with(LOCAL_GET, local);
            // A null passes the second of them.
            body.code.0.extend([OBJECTS, REF_CAST + body.rng.below(2) as u8]);
            target.push(&mut body.code.0);
            body.show(Ty::Ref(target));
        };
        let counter = if self.once_in(3) { self.start_counter() } else { None };
        if counter.is_some() {
            self.code.block(LOOP, None);
            self.labels.push(None);
        }
        test(self);
        self.code.block(IF, None);
        self.within(Some(vec![]), |body| {
            cast(body);
            if body.once_in(2) {
                body.statement(depth);
            }
            cast(body);
            if body.once_in(2) {
                test(body);
                body.show(Ty::I32);
            }
            if body.once_in(2) {
                body.code.op(ELSE);
                test(body);
                body.show(Ty::I32);
            }
        });
        if let Some(counter) = counter {
            self.step(&counter);
            self.code.with(BR_IF, 0);
            self.labels.pop();
            self.code.op(END);
        }
    }

    /// Checks for null and bounds that the ones before have made.
    fn asked_again(&mut self, depth: u32) {
        let arrays: Vec<(u32, u32)> = (0..self.counters as u32)
            .filter_map(|local| match self.locals[local as usize] {
                Ty::Ref(Heap::Type(index)) => Some((local, index)),
                _ => None,
            })
            .filter(|(_, index)| {
                let object = self.layout.objects.get(*index as usize);
                object.is_some_and(|object| object.is_array)
            })
            .collect();
        let Some(&(local, index)) = self.rng.pick(&arrays) else { return self.again(depth) };
        let storage = self.layout.objects[index as usize].fields[0];
        let at = self.recorded(|body| {
            body.value(Ty::I32, 0);
            body.code.i32_const(3);
            body.code.op(I32_AND);
        });
        let get =
            if storage.is_packed() { ARRAY_GET_S + self.rng.below(2) as u8 } else { ARRAY_GET };
        // Under a check of its own for the length, or not.
        self.code.with(LOCAL_GET, local);
        self.code.op(REF_IS_NULL);
        self.code.op(I32_EQZ);
        self.code.block(IF, None);
        self.within(Some(vec![]), |body| {
            body.replay(&at);
            body.code.with(LOCAL_GET, local);
            body.code.0.extend([OBJECTS, ARRAY_LEN]);
            body.code.op(I32_LT_U);
            body.code.block(IF, None);
            body.within(Some(vec![]), |body| {
                for _ in 0..2 + body.rng.below(2) {
                    body.code.with(LOCAL_GET, local);
                    body.replay(&at);
                    if body.once_in(3) {
                        body.value(storage.ty(), 1);
                        body.code.0.extend([OBJECTS, ARRAY_SET]);
                        body.code.number(index);
                    } else {
                        body.code.0.extend([OBJECTS, get]);
                        body.code.number(index);
                        body.show(storage.ty());
                    }
                    if body.once_in(4) {
                        body.statement(depth);
                    }
                }
            });
        });
    }

    /// Writes a field of the structure in a local.
    fn write_field(&mut self, local: u32, index: u32, field: u32, ty: Ty) {
        self.code.with(LOCAL_GET, local);
        self.leaf(ty);
        self.code.0.extend([OBJECTS, STRUCT_SET]);
        self.code.number(index);
        self.code.number(field);
    }

    /// A structure that is made, written and read, and escapes at the end, in some cases,
    /// or never.
    fn escaping(&mut self, depth: u32) {
        let small = |at: &u32| {
            let object = &self.layout.objects[*at as usize];
            !object.is_array && (1..16).contains(&object.fields.len())
        };
        let all: Vec<u32> = (0..self.layout.objects.len() as u32).filter(small).collect();
        let Some(&index) = self.rng.pick(&all) else { return self.again(depth) };
        let heap = Heap::Type(index);
        let Some(local) = self.local(Ty::Ref(heap), false) else { return self.again(depth) };
        let object = self.layout.objects[index as usize].clone();
        let counter = if self.once_in(2) { self.start_counter() } else { None };
        if counter.is_some() {
            self.code.block(LOOP, None);
            self.labels.push(None);
        }
        if self.once_in(3) {
            self.code.0.extend([OBJECTS, STRUCT_NEW_DEFAULT]);
        } else {
            object.fields.iter().for_each(|field| self.leaf(field.ty()));
            self.code.0.extend([OBJECTS, STRUCT_NEW]);
        }
        self.code.number(index);
        self.code.with(LOCAL_SET, local);
        for _ in 0..1 + self.rng.below(5) {
            let field = self.rng.below(object.fields.len());
            let storage = object.fields[field];
            match self.rng.below(8) {
                0..3 => {
                    self.code.with(LOCAL_GET, local);
                    let packed = storage.is_packed();
                    let unsigned = self.rng.below(2) as u8;
                    self.code.0.extend([
                        OBJECTS,
                        if packed { STRUCT_GET_S + unsigned } else { STRUCT_GET },
                    ]);
                    self.code.number(index);
                    self.code.number(field as u32);
                    self.show(storage.ty());
                }
                3..5 => self.write_field(local, index, field as u32, storage.ty()),
                5 => {
                    // On one of two ways, which both keep the object.
                    self.condition(1);
                    self.code.block(IF, None);
                    self.within(Some(vec![]), |body| {
                        body.write_field(local, index, field as u32, storage.ty());
                    });
                }
                6 => {
                    self.code.with(LOCAL_GET, local);
                    if self.once_in(2) {
                        self.code.with(LOCAL_GET, local);
                    } else {
                        self.leaf(Ty::Ref(heap));
                    }
                    self.code.op(REF_EQ);
                    self.show(Ty::I32);
                }
                _ => {
                    // Here it may escape, or another take its place.
                    self.condition(1);
                    self.code.block(IF, None);
                    self.within(Some(vec![]), |body| match body.rng.below(3) {
                        0 => {
                            body.code.with(LOCAL_GET, local);
                            body.show(Ty::Ref(heap));
                        }
                        1 => {
                            body.fresh(heap, 0);
                            body.code.with(LOCAL_SET, local);
                        }
                        _ => body.call(1),
                    });
                    // What the other is may be null; not so what a structure has to be.
                    self.code.with(LOCAL_GET, local);
                    self.code.op(REF_IS_NULL);
                    self.code.block(IF, None);
                    self.within(Some(vec![]), |body| {
                        body.code.0.extend([OBJECTS, STRUCT_NEW_DEFAULT]);
                        body.code.number(index);
                        body.code.with(LOCAL_SET, local);
                    });
                }
            }
        }
        if self.once_in(4) {
            self.code.0.extend([REF_NULL]);
            heap.push(&mut self.code.0);
            self.code.with(LOCAL_SET, local);
        }
        if let Some(counter) = counter {
            self.step(&counter);
            self.code.with(BR_IF, 0);
            self.labels.pop();
            self.code.op(END);
        }
    }

    /// A loop of calls, each of which may throw into the loop, with locals written before
    /// and behind them.
    fn caught_in_loop(&mut self, depth: u32) {
        if self.layout.tags.is_empty() {
            return self.again(depth);
        }
        let tag = self.rng.below(self.layout.tags.len());
        let all = self.once_in(3);
        let payload = if all { vec![] } else { self.layout.of_type(self.layout.tags[tag]).params };
        let caught = Signature { params: vec![], results: payload.clone() };
        let caught = self.layout.signature(caught);
        let Some(counter) = self.start_counter() else { return self.assign(2) };
        self.code.block(LOOP, None);
        self.within(None, |body| {
            body.code.block(BLOCK, None);
            body.within(Some(vec![]), |body| {
                body.code.typed_block(BLOCK, caught);
                body.within(Some(payload.clone()), |body| {
                    body.code.block(TRY_TABLE, None);
                    body.code.number(1);
                    body.code.op(if all { 2 } else { 0 });
                    if !all {
                        body.code.number(tag as u32);
                    }
                    body.code.number(0);
                    body.within(Some(vec![]), |body| {
                        for _ in 0..1 + body.rng.below(3) {
                            body.assign(1);
                            if body.once_in(3) {
                                body.throw(1)
                            } else {
                                body.call(1)
                            }
                            body.assign(1);
                        }
                        if body.once_in(3) {
                            body.statement(depth);
                        }
                    });
                    body.code.with(BR, 1);
                });
                for &ty in payload.iter().rev() {
                    body.show(ty);
                }
            });
            body.assign(1);
            body.step(&counter);
            body.code.with(BR_IF, 0);
        });
    }

    /// A loop around a table of branches that decides by a local, which the places it leads
    /// to write: blocks that reach each other in any order.
    fn machine(&mut self, depth: u32) {
        let Some(state) = self.local(Ty::I32, false) else { return self.again(depth) };
        let Some(counter) = self.start_counter() else { return self.assign(2) };
        let places = 2 + self.rng.below(4) as u32;
        self.code.block(BLOCK, None);
        self.labels.push(Some(vec![]));
        self.code.block(LOOP, None);
        self.labels.push(None);
        for _ in 0..places {
            self.code.block(BLOCK, None);
            self.labels.push(Some(vec![]));
        }
        self.code.with(LOCAL_GET, state);
        if self.once_in(2) {
            self.code.i32_const(7);
            self.code.op(I32_AND);
        }
        let targets = places + self.rng.below(3) as u32;
        self.code.with(BR_TABLE, targets);
        for _ in 0..targets {
            let to = self.rng.below(places as usize) as u32;
            self.code.number(to);
        }
        // The last leaves, or is one of the places.
        let last =
            if self.once_in(2) { places + 1 } else { self.rng.below(places as usize) as u32 };
        self.code.number(last);
        for place in 0..places {
            self.labels.pop();
            self.code.op(END);
            self.statement(depth.min(1));
            if self.once_in(2) {
                let next = self.rng.below(places as usize + 2) as i32;
                self.code.i32_const(next);
            } else {
                self.value(Ty::I32, 1);
                self.code.i32_const(3);
                self.code.op(I32_AND);
            }
            self.code.with(LOCAL_SET, state);
            // Back to the table, out of it, or on to the next.
            let above = places - 1 - place;
            match self.rng.below(4) {
                0 => {}
                1 => {
                    self.condition(1);
                    self.code.with(BR_IF, above + 1);
                }
                _ => {
                    self.step(&counter);
                    self.code.with(BR_IF, above);
                    self.code.with(BR, above + 1);
                }
            }
        }
        self.step(&counter);
        self.code.with(BR_IF, 0);
        for _ in 0..2 {
            self.labels.pop();
            self.code.op(END);
        }
    }

    /// More values at once than there are registers, folded in the order in which they
    /// were made, with a call among them.
    fn pressure(&mut self) {
        let numbers: Vec<Ty> =
            self.layout.tys.iter().copied().filter(|ty| !matches!(ty, Ty::Ref(_))).collect();
        let ty = numbers[self.rng.below(numbers.len())];
        let many = 14 + self.rng.below(30);
        self.budget -= many as i32 / 2;
        for _ in 0..many {
            let value = self.recorded_value(ty, 1);
            self.replay(&value);
        }
        if self.once_in(2) {
            self.call(1);
        }
        let folds = |group: &&Group| group.params == [ty, ty] && group.result == Some(ty);
        let groups: Vec<&Group> =
            ops::PURE.iter().filter(folds).filter(|group| self.has(group)).collect();
        for _ in 1..many {
            let Some(group) = self.rng.pick(&groups).copied() else { return };
            let code = draw(group, self.rng);
            // What may trap would, among so many.
            let (prefix, code) = match ty {
                Ty::I32 if group.prefix == ops::SINGLE => (ops::SINGLE, tamed(code, I32_DIV_S)),
                Ty::I64 if group.prefix == ops::SINGLE => (ops::SINGLE, tamed(code, I64_DIV_S)),
                _ => (group.prefix, code),
            };
            ops::push(&mut self.code.0, prefix, code);
        }
        self.show(ty);
    }
}

/// An operator, or for the four divisions the one behind them.
fn tamed(code: u32, division: u8) -> u32 {
    let division = u32::from(division);
    if (division..division + 4).contains(&code) { division + 4 } else { code }
}
