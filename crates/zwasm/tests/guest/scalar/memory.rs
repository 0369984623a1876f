//! Loads, stores and atomic accesses of every width: at every offset and address form,
//! up to the last byte of the memory and beyond.

use std::fmt::Write as _;
use zwasm::{Config, Engine, Instance, Linker, Module, Store, Strategy, Trap};
use zwasm_regir::ops::{LoadOp, StoreOp};
use zwasm_regir::{AtomicKind, AtomicOp, Type};

use super::edges::{constant, edges, name};

/// Bytes of the memory.
const SIZE: u64 = 0x1_0000;

/// What an access is.
#[derive(Clone, Copy)]
enum Access {
    Load(LoadOp),
    Store(StoreOp),
    Atomic(AtomicOp),
}

impl Access {
    fn all() -> impl Iterator<Item = Access> {
        let loads = LoadOp::ALL.iter().map(|&op| Access::Load(op));
        let stores = StoreOp::ALL.iter().map(|&op| Access::Store(op));
        let atomics = AtomicOp::ALL.iter().map(|&op| Access::Atomic(op));
        let threads = cfg!(feature = "threads");
        loads.chain(stores).chain(atomics.filter(move |_| threads))
    }

    fn text(self) -> &'static str {
        match self {
            Access::Load(op) => op.text(),
            Access::Store(op) => op.text(),
            Access::Atomic(op) => op.text(),
        }
    }

    /// The type of the value: what the name begins with.
    fn ty(self) -> Type {
        match &self.text()[..3] {
            "i32" => Type::I32,
            "i64" => Type::I64,
            "f32" => Type::F32,
            _ => Type::F64,
        }
    }

    /// Bytes accessed: what the name says, or those of the type.
    fn width(self) -> u64 {
        let digits = |text: &str| -> String {
            text.chars()
                .skip_while(|c| !c.is_ascii_digit())
                .take_while(char::is_ascii_digit)
                .collect()
        };
        let named = digits(&self.text()[4..]);
        named.parse().unwrap_or_else(|_| digits(self.text()).parse::<u64>().unwrap()) / 8
    }

    fn is_signed(self) -> bool {
        self.text().ends_with("_s")
    }

    /// Operands behind the address.
    fn operands(self) -> usize {
        match self {
            Access::Load(_) => 0,
            Access::Store(_) => 1,
            Access::Atomic(op) => match op.kind() {
                AtomicKind::Load => 0,
                AtomicKind::Cmpxchg => 2,
                _ => 1,
            },
        }
    }

    fn has_result(self) -> bool {
        !self.text().contains("store")
    }

    /// The bits it yields of a cell and its operands, and what is in the cell then.
    fn applied(self, cell: u64, x: u64, y: u64) -> (u64, u64) {
        let mask = u64::MAX >> (64 - 8 * self.width());
        let yields = match self.is_signed() {
            true => {
                let unused = 64 - 8 * self.width() as u32;
                let extended = ((cell << unused) as i64 >> unused) as u64;
                if self.ty() == Type::I32 { extended & 0xFFFF_FFFF } else { extended }
            }
            false => cell,
        };
        let then = match self {
            Access::Load(_) => cell,
            Access::Store(_) => x,
            Access::Atomic(op) => match op.kind() {
                AtomicKind::Load => cell,
                AtomicKind::Store | AtomicKind::Xchg => x,
                AtomicKind::Add => cell.wrapping_add(x),
                AtomicKind::Sub => cell.wrapping_sub(x),
                AtomicKind::And => cell & x,
                AtomicKind::Or => cell | x,
                AtomicKind::Xor => cell ^ x,
                // Of what is expected, only as much counts as the cell has room for.
                AtomicKind::Cmpxchg => {
                    if cell == x & mask {
                        y
                    } else {
                        cell
                    }
                }
            },
        };
        (yields, then & mask)
    }

    fn is_atomic(self) -> bool {
        matches!(self, Access::Atomic(_))
    }
}

/// How the address is made of the parameter `$p`, and what it is then.
struct Form {
    index: String,
    offset: u64,
    /// The address without the offset; none where the parameter does not matter.
    moved: i64,
    fixed: bool,
}

fn forms(memory64: bool) -> Vec<Form> {
    let ty = if memory64 { "i64" } else { "i32" };
    let p = "(local.get $p)";
    let mut forms = Vec::new();
    for offset in [0, 1, 7, 16, 255, 4096, 0xFFF8] {
        forms.push(Form { index: p.to_string(), offset, moved: 0, fixed: false });
    }
    for (moved, offset) in [(5, 0), (3, 9), (8, 8), (-8, 16), (-1, 0)] {
        let index = format!("({ty}.add {p} ({ty}.const {moved}))");
        forms.push(Form { index, offset, moved, fixed: false });
    }
    let doubled = format!("({ty}.shl ({ty}.shr_u {p} ({ty}.const 3)) ({ty}.const 3))");
    forms.push(Form { index: doubled, offset: 0, moved: 0, fixed: false });
    for (address, offset) in [(0, 0), (40, 3), (0, 48), (0xFFF8, 0), (0xFFF0, 8), (0xFFFF, 0)] {
        let index = format!("({ty}.const {address})");
        forms.push(Form { index, offset, moved: address, fixed: true });
    }
    forms
}

/// What is in the memory at first.
fn filled() -> Vec<u8> {
    (0..SIZE).map(|at| (at * 37 + at / 256 + 0x81) as u8).collect()
}

struct Function {
    export: String,
    access: Access,
    form: usize,
    /// Operands, where they are constants.
    constants: Option<(u64, u64)>,
}

/// Functions of an address and two operands that access the memory in all forms.
fn module(accesses: &[Access], memory: &str, memory64: bool) -> (String, Vec<Function>) {
    let address = if memory64 { "i64" } else { "i32" };
    let (mut text, mut functions) = (String::new(), Vec::new());
    for &access in accesses {
        let ty = name(access.ty());
        for (form, Form { index, offset, .. }) in forms(memory64).iter().enumerate() {
            let mut constants = vec![None];
            if form == 0 && access.operands() > 0 {
                let edges = edges(access.ty());
                constants.extend(edges.iter().map(|&edge| Some((edge, edge.rotate_left(3)))));
            }
            for constants in constants {
                let operands = match constants {
                    None => ["(local.get $x)".to_string(), "(local.get $y)".to_string()],
                    Some((x, y)) => [x, y].map(|bits| constant(access.ty(), bits & limit(access))),
                };
                let operands = operands[..access.operands()].join(" ");
                let export = format!("f{}", functions.len());
                let result =
                    if access.has_result() { format!("(result {ty})") } else { String::new() };
                let _ = writeln!(
                    text,
                    "(func (export \"{export}\") (param $p {address}) (param $x {ty}) (param $y {ty}) {result}
                        ({} offset={offset} {index} {operands}))",
                    access.text()
                );
                let constants = constants.map(|(x, y)| (x & limit(access), y & limit(access)));
                functions.push(Function { export, access, form, constants });
            }
        }
    }
    (format!("(module (memory (export \"memory\") {memory}) {text})"), functions)
}

/// The bits that a value of the access's type can have.
fn limit(access: Access) -> u64 {
    match access.ty() {
        Type::I32 | Type::F32 => 0xFFFF_FFFF,
        _ => u64::MAX,
    }
}

/// The bits of a value, or the trap.
fn call(
    store: &mut Store<()>,
    instance: &Instance,
    function: &Function,
    memory64: bool,
    address: u64,
    operands: (u64, u64),
) -> Result<u64, Trap> {
    use zwasm::Val;
    let value = |bits: u64| match function.access.ty() {
        Type::I32 => Val::I32(bits as i32),
        Type::I64 => Val::I64(bits as i64),
        Type::F32 => Val::F32(bits as u32),
        _ => Val::F64(bits),
    };
    let address = if memory64 { Val::I64(address as i64) } else { Val::I32(address as i32) };
    let mut results = vec![Val::I32(0); function.access.has_result().into()];
    let func = instance.get_func(&mut *store, &function.export).unwrap();
    func.call(&mut *store, &[address, value(operands.0), value(operands.1)], &mut results)
        .map_err(|error| error.trap().unwrap_or_else(|| panic!("{error:?}")))?;
    Ok(match results.first() {
        None => 0,
        Some(Val::I32(value)) => u64::from(*value as u32),
        Some(Val::I64(value)) => *value as u64,
        Some(Val::F32(bits)) => u64::from(*bits),
        Some(Val::F64(bits)) => *bits,
        Some(other) => panic!("{other:?} is no scalar"),
    })
}

/// What an access is to do: the bits it yields or its trap, and the memory behind it.
fn expected(
    function: &Function,
    form: &Form,
    memory64: bool,
    address: u64,
    operands: (u64, u64),
    bytes: &mut [u8],
) -> Result<u64, Trap> {
    let access = function.access;
    let mut index = match form.fixed {
        true => form.moved as u64,
        false if form.index.contains("shl") => address & !7,
        false => address.wrapping_add(form.moved as u64),
    };
    if !memory64 {
        index &= 0xFFFF_FFFF;
    }
    let start = u128::from(index) + u128::from(form.offset);
    let outside = start + u128::from(access.width()) > u128::from(SIZE);
    // An address that is no multiple of the width is worse than one outside, if it is an
    // address at all.
    let is_address = start <= u128::from(u64::MAX);
    if access.is_atomic() && is_address && !start.is_multiple_of(access.width().into()) {
        return Err(Trap::HeapMisaligned);
    }
    if outside {
        return Err(Trap::MemoryOutOfBounds);
    }
    let range = start as usize..(start as u64 + access.width()) as usize;
    let mut cell = [0; 8];
    cell[..range.len()].copy_from_slice(&bytes[range.clone()]);
    let (yields, then) = access.applied(u64::from_le_bytes(cell), operands.0, operands.1);
    bytes[range.clone()].copy_from_slice(&then.to_le_bytes()[..range.len()]);
    Ok(if access.has_result() { yields } else { 0 })
}

/// Addresses around everything that an access could get wrong.
fn addresses(memory64: bool) -> Vec<u64> {
    let mut addresses: Vec<u64> = (60..76).collect();
    addresses.extend(SIZE - 10..SIZE + 2);
    addresses.extend([0, 1, SIZE - 0x1000, SIZE - 16, 0x7FFF_FFFF, 0x8000_0000]);
    addresses.extend(0xFFFF_FFF0..=0xFFFF_FFFF);
    if memory64 {
        addresses.extend([1 << 32, (1 << 32) + 64, 1 << 63, (1 << 63) - 1]);
        addresses.extend([u64::MAX, u64::MAX - 7, u64::MAX - 0xFFF7, 64_u64.wrapping_neg()]);
    }
    addresses
}

fn check(accesses: &[Access], memory: &str, memory64: bool, config: &Config, mode: &str) {
    let (wat, functions) = module(accesses, memory, memory64);
    let forms = forms(memory64);
    let engine = Engine::new(config).unwrap();
    let module = Module::new(&engine, wat).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = Linker::new(&engine).instantiate(&mut store, &module).unwrap();
    let memory_of = instance.get_memory(&mut store, "memory").unwrap();
    let mut bytes = filled();
    memory_of.write(&mut store, 0, &bytes).unwrap();
    let (mut cases, mut found_bytes) = (0, vec![0; bytes.len()]);
    for function in &functions {
        let form = &forms[function.form];
        let edges = edges(function.access.ty());
        let mut tries: Vec<(u64, (u64, u64))> = Vec::new();
        if let Some(operands) = function.constants {
            tries.extend([64, 65, SIZE - 8, SIZE].map(|address| (address, operands)));
        } else {
            for (index, address) in addresses(memory64).into_iter().enumerate() {
                tries.push((
                    address,
                    (edges[index % edges.len()], edges[(index * 7) % edges.len()]),
                ));
            }
            if function.form == 0 && function.access.operands() > 0 {
                tries
                    .extend(edges.iter().map(|&edge| (64, (edge, !edge & limit(function.access)))));
            }
        }
        for (address, operands) in tries {
            // So that exchanges happen: the cell is what is expected, every other time.
            let before = if cases % 2 == 0 { operands.0 } else { 0xF1E2_D3C4_B5A6_9788 };
            cases += 1;
            bytes[64..72].copy_from_slice(&before.to_le_bytes());
            memory_of.write(&mut store, 64, &before.to_le_bytes()).unwrap();
            let wanted = expected(function, form, memory64, address, operands, &mut bytes);
            let found = call(&mut store, &instance, function, memory64, address, operands);
            let what = || {
                format!(
                    "{}, {mode}, {memory}: {} offset={} at {address:#x} with {operands:#x?} over {before:#x}",
                    function.access.text(),
                    form.index,
                    form.offset
                )
            };
            assert!(found == wanted, "{}\nis {found:#x?}\nnot {wanted:#x?}", what());
            memory_of.read(&store, 0, &mut found_bytes).unwrap();
            assert!(found_bytes == bytes, "{}\nchanges other bytes, or not these", what());
        }
    }
    assert!(cases > accesses.len());
}

/// Compares accesses in every mode, memories of both address types, with guard pages
/// and without.
fn check_everywhere(accesses: &[Access]) {
    for memory64 in [false, true] {
        let memory = if memory64 { "i64 1 1" } else { "1 1" };
        for strategy in
            [Strategy::Interpreter, Strategy::Baseline, Strategy::Stress, Strategy::Mixed(1)]
        {
            if !strategy.is_available() {
                continue;
            }
            for (guards, oldest) in [(true, false), (false, false), (true, true)] {
                if oldest && strategy != Strategy::Baseline {
                    continue;
                }
                let mut config = Config::new();
                config.strategy(strategy).guard_pages(guards).oldest_processor(oldest);
                let mode = format!("{strategy:?}, guards {guards}, oldest {oldest}");
                check(accesses, memory, memory64, &config, &mode);
            }
        }
    }
}

fn of(kind: fn(&Access) -> bool) -> Vec<Access> {
    let accesses: Vec<Access> = Access::all().filter(kind).collect();
    assert!(!accesses.is_empty());
    accesses
}

#[test]
fn loads() {
    check_everywhere(&of(|access| matches!(access, Access::Load(_))));
}

#[test]
fn stores() {
    check_everywhere(&of(|access| matches!(access, Access::Store(_))));
}

#[cfg(feature = "threads")]
#[test]
fn atomic_accesses() {
    check_everywhere(&of(|access| access.is_atomic()));
}
