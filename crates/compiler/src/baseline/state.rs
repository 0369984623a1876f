//! Where the values of slots are while a block is compiled.
//!
//! Every slot has a home in the frame. In between, a value may be in a register
//! (and the frame may be stale) or be a constant that has not been written
//! anywhere. Registers are handed out on demand; when none is free, the value
//! used longest ago goes to its slot.
//!
//! Operand-stack slots ("temporaries") die when the instruction that pops them
//! has read them; that is what saves most stores.

use crate::asm::Reg;
use zwasm_regir::work;

/// A set of registers.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct RegSet(u64);

impl RegSet {
    pub(crate) fn insert(&mut self, reg: Reg) {
        self.0 |= 1 << reg.0;
    }

    pub(crate) fn remove(&mut self, reg: Reg) {
        self.0 &= !(1 << reg.0);
    }

    pub(crate) fn contains(self, reg: Reg) -> bool {
        self.0 >> reg.0 & 1 != 0
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = Reg> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let reg = Reg(rest.trailing_zeros() as u8);
            rest &= rest.wrapping_sub(1);
            (usize::from(reg.0) < Reg::COUNT).then_some(reg)
        })
    }
}

/// Which registers a value wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    Int,
    Float,
    /// A whole vector: two slots.
    Vector,
}

impl Class {
    /// Whether a value of this class may be in a register.
    fn fits(self, reg: Reg) -> bool {
        (self == Class::Int) != reg.is_vector()
    }
}

/// Where a slot's value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Location {
    Frame,
    Reg(Reg),
    Const(u64),
    /// In the upper half of the register that holds the slot below as well.
    Upper(Reg),
}

/// What a register holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) slot: u32,
    pub(crate) class: Class,
    /// Whether the frame's copy is stale.
    pub(crate) dirty: bool,
}

/// A register that holds a slot's value where control joins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Joined {
    pub(crate) reg: Reg,
    pub(crate) held: Held,
}

const IN_FRAME: u8 = 0xFF;
const CONSTANT: u8 = 0xFE;
/// Added to a register's number for the upper half of a vector.
const UPPER: u8 = Reg::COUNT as u8;

/// The locations of all slots.
#[derive(Clone)]
pub(crate) struct State {
    /// General registers for values, and vector ones; those with special uses last.
    registers: [&'static [Reg]; 2],
    slots: Vec<u8>,
    held: [Option<Held>; Reg::COUNT],
    used: RegSet,
    /// Registers whose upper 32 bits are zero, as far as that is known. This is about the
    /// register, whatever value it was loaded for: references need not be cut again.
    narrow: RegSet,
    /// Registers that the instruction being compiled works with.
    pub(crate) locked: RegSet,
    constants: Vec<(u32, u64)>,
    stamps: [u32; Reg::COUNT],
    clock: u32,
    /// When each slot got its register or constant, for a check.
    #[cfg(debug_assertions)]
    born: Vec<u32>,
    /// The register a slot had at the innermost loop header, to be used again.
    homes: Vec<u8>,
    homes_taken: RegSet,
    with_home: Vec<u32>,
}

impl State {
    /// All values in the frame.
    pub(crate) fn new(slots: usize, ints: &'static [Reg], floats: &'static [Reg]) -> State {
        work::count(slots);
        State {
            registers: [ints, floats],
            slots: vec![IN_FRAME; slots],
            held: [None; Reg::COUNT],
            used: RegSet::default(),
            narrow: RegSet::default(),
            locked: RegSet::default(),
            constants: Vec::new(),
            stamps: [0; Reg::COUNT],
            clock: 0,
            #[cfg(debug_assertions)]
            born: vec![0; slots],
            homes: vec![IN_FRAME; slots],
            homes_taken: RegSet::default(),
            with_home: Vec::new(),
        }
    }

    /// The registers of a class.
    fn registers(&self, class: Class) -> &'static [Reg] {
        self.registers[usize::from(class != Class::Int)]
    }

    /// Some register of a class, for code that is thrown away.
    pub(crate) fn any(&self, class: Class) -> Reg {
        self.registers(class)[0]
    }

    pub(crate) fn location(&self, slot: u32) -> Location {
        match self.slots[slot as usize] {
            IN_FRAME => Location::Frame,
            CONSTANT => {
                work::count(self.constants.len());
                let constant = self.constants.iter().find(|(each, _)| *each == slot);
                constant.map_or(Location::Frame, |(_, value)| Location::Const(*value))
            }
            code if code & UPPER != 0 => Location::Upper(Reg(code & !UPPER)),
            code => Location::Reg(Reg(code)),
        }
    }

    pub(crate) fn held(&self, reg: Reg) -> Option<Held> {
        self.held[usize::from(reg.0)]
    }

    /// The registers that hold values.
    pub(crate) fn used(&self) -> RegSet {
        self.used
    }

    pub(crate) fn constants(&self) -> &[(u32, u64)] {
        &self.constants
    }

    /// Marks a register as just used, and keeps it from being given away before
    /// the instruction is done.
    pub(crate) fn lock(&mut self, reg: Reg) {
        self.clock += 1;
        self.stamps[usize::from(reg.0)] = self.clock;
        self.locked.insert(reg);
    }

    /// Forgets what a register holds.
    pub(crate) fn release(&mut self, reg: Reg) {
        self.narrow.remove(reg);
        if let Some(held) = self.held[usize::from(reg.0)].take() {
            self.used.remove(reg);
            self.slots[held.slot as usize] = IN_FRAME;
            if held.class == Class::Vector {
                self.slots[held.slot as usize + 1] = IN_FRAME;
            }
        }
    }

    /// Forgets a slot's value, which is dead or about to be overwritten.
    pub(crate) fn forget(&mut self, slot: u32) {
        match self.location(slot) {
            Location::Frame => {}
            Location::Reg(reg) | Location::Upper(reg) => self.release(reg),
            Location::Const(_) => {
                work::count(self.constants.len());
                self.constants.retain(|(each, _)| *each != slot);
                self.slots[slot as usize] = IN_FRAME;
            }
        }
    }

    /// Forgets every slot from `height` on.
    pub(crate) fn truncate(&mut self, height: u32) {
        work::count(self.constants.len());
        for reg in self.used.iter() {
            if self.held(reg).is_some_and(|held| held.slot >= height) {
                self.release(reg);
            }
        }
        let slots = &mut self.slots;
        self.constants.retain(|(slot, _)| {
            let keep = *slot < height;
            if !keep {
                slots[*slot as usize] = IN_FRAME;
            }
            keep
        });
    }

    /// Forgets everything: all values are in the frame.
    pub(crate) fn clear(&mut self) {
        self.truncate(0);
    }

    /// Notes that a register holds a slot's value.
    pub(crate) fn bind(&mut self, reg: Reg, slot: u32, class: Class, dirty: bool) {
        self.forget(slot);
        if class == Class::Vector {
            self.forget(slot + 1);
            self.slots[slot as usize + 1] = reg.0 | UPPER;
        }
        self.release(reg);
        self.held[usize::from(reg.0)] = Some(Held { slot, class, dirty });
        self.used.insert(reg);
        self.slots[slot as usize] = reg.0;
        self.lock(reg);
        #[cfg(debug_assertions)]
        self.bear(slot, if class == Class::Vector { 2 } else { 1 });
    }

    #[cfg(debug_assertions)]
    fn bear(&mut self, slot: u32, count: u32) {
        self.clock += 1;
        self.born[slot as usize..(slot + count) as usize].fill(self.clock);
    }

    /// What [`State::is_since`] compares with.
    #[cfg(debug_assertions)]
    pub(crate) fn now(&self) -> u32 {
        self.clock
    }

    /// Whether a slot's value is in the frame or was noted after `then`.
    #[cfg(debug_assertions)]
    pub(crate) fn is_since(&self, slot: u32, then: u32) -> bool {
        self.location(slot) == Location::Frame || self.born[slot as usize] > then
    }

    /// Whether the upper 32 bits of a register are known to be zero.
    pub(crate) fn is_narrow(&self, reg: Reg) -> bool {
        self.narrow.contains(reg)
    }

    /// Notes that the upper 32 bits of a register that holds a value are zero.
    pub(crate) fn set_narrow(&mut self, reg: Reg) {
        if self.used.contains(reg) {
            self.narrow.insert(reg);
        }
    }

    /// Forgets which registers are narrow, because they may be loaded again.
    pub(crate) fn forget_narrow(&mut self) {
        self.narrow = RegSet::default();
    }

    /// Notes that a slot is a constant that has not been written anywhere.
    pub(crate) fn bind_constant(&mut self, slot: u32, value: u64) {
        self.forget(slot);
        self.constants.push((slot, value));
        self.slots[slot as usize] = CONSTANT;
        #[cfg(debug_assertions)]
        self.bear(slot, 1);
    }

    /// The frame has the register's value too.
    pub(crate) fn clean(&mut self, reg: Reg) {
        if let Some(held) = &mut self.held[usize::from(reg.0)] {
            held.dirty = false;
        }
    }

    /// A register for a value of `slot`, if one is free.
    pub(crate) fn free(&self, class: Class, slot: Option<u32>) -> Option<Reg> {
        let is_free = |reg: Reg| !self.used.contains(reg) && !self.locked.contains(reg);
        if let Some(slot) = slot {
            let home = self.homes[slot as usize];
            if home != IN_FRAME && class.fits(Reg(home)) && is_free(Reg(home)) {
                return Some(Reg(home));
            }
        }
        // A home is used for something else only when nothing else is free.
        let at_home = |reg: Reg| self.homes_taken.contains(reg);
        let mut free = self.registers(class).iter().copied().filter(|reg| is_free(*reg));
        free.clone().find(|reg| !at_home(*reg)).or_else(|| free.next())
    }

    /// The register whose value should go to its slot to make room.
    pub(crate) fn victim(&self, class: Class) -> Option<Reg> {
        let candidates = self.registers(class).iter().copied();
        candidates
            .filter(|reg| self.used.contains(*reg) && !self.locked.contains(*reg))
            .min_by_key(|reg| self.stamps[usize::from(reg.0)])
    }

    /// What a join finds here: registers with slots below `height`. Of those that
    /// the frame has too, only the values of the loop around: the other ways to
    /// the join would have to load them without knowing whether anyone asks.
    pub(crate) fn snapshot(&self, height: u32) -> Vec<Joined> {
        let joined = |reg| self.held(reg).map(|held| Joined { reg, held });
        let keeps = |each: &Joined| {
            let held = each.held;
            held.slot < height && (held.dirty || self.homes[held.slot as usize] != IN_FRAME)
        };
        self.used.iter().filter_map(joined).filter(keeps).collect()
    }

    /// Continues as a join found it.
    pub(crate) fn adopt(&mut self, joined: &[Joined]) {
        work::count(joined.len());
        self.clear();
        for Joined { reg, held } in joined {
            self.bind(*reg, held.slot, held.class, held.dirty);
        }
        self.locked = RegSet::default();
    }

    /// Remembers the registers of a loop's values.
    pub(crate) fn set_homes(&mut self, joined: &[Joined]) {
        for slot in self.with_home.drain(..) {
            work::count(1);
            self.homes[slot as usize] = IN_FRAME;
        }
        self.homes_taken = RegSet::default();
        for Joined { reg, held } in joined {
            self.homes[held.slot as usize] = reg.0;
            self.with_home.push(held.slot);
            self.homes_taken.insert(*reg);
        }
    }
}
