//! Every form against GNU `as`: words are made from samples of all operands, shown, and
//! assembled from that text. Both roads must lead to the same word.
//!
//! Where `aarch64-linux-gnu-as` is missing, the test says so and only the pinned words
//! are compared; with `ZWASM_REQUIRE_AARCH64_AS` set it fails instead.

use super::form::Form;
use super::operand::Kind;
use super::regs::Width::{W, X};
use super::regs::*;
use super::text::{text, text_as, text_to};
use super::{Inst, TABLES, imm, inst, vec};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::Command;

/// The stack pointer, where an instruction does not mean zero.
const SP: Reg = Reg(31);

/// Steps through numbers without an order, the same at each run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % limit
    }
}

/// A word of a form whose first operand is sample `first`, and operand `varied` sample
/// `sample`, if there are as many. The other operands are random.
fn word(
    form: &Form,
    first: usize,
    (varied, sample): (usize, usize),
    random: &mut Random,
) -> Option<u32> {
    let mut word = form.bits;
    for (index, operand) in form.operands.iter().enumerate() {
        let samples = operand.samples(word);
        assert!(!samples.is_empty(), "{operand:?} behind {word:#x} has no samples");
        word |= match index {
            _ if index == varied => *samples.get(sample)?,
            0 => *samples.get(first)?,
            _ => samples[random.below(samples.len())],
        };
    }
    let mut before = form.bits;
    for operand in &form.operands {
        let bits = operand.again(word, before);
        assert_eq!(bits & !word, 0, "another operand of {word:#010x} changed {operand:?}");
        before |= bits;
    }
    assert_eq!(before, word, "operands of {word:#010x} change each other");
    Some(word)
}

/// Words of a form: for each value of the first operand, which may say how the others
/// look, each of the others through all its values.
fn words(form: &Form) -> Vec<u32> {
    let mut random = Random(u64::from(form.bits));
    let mut words = Vec::new();
    let arity = form.operands.iter().filter(|operand| **operand != Kind::None).count();
    for first in 0..form.operands[0].samples(form.bits).len() {
        for varied in 0..arity {
            let some = |sample| word(form, first, (varied, sample), &mut random);
            words.extend((0..).map_while(some));
        }
    }
    if arity == 0 {
        words.push(form.bits);
    }
    words.sort_unstable();
    words.dedup();
    words
}

/// What only a linker encodes from text.
fn is_left_to_linkers(form: &Form) -> bool {
    form.operands.contains(&Kind::AdrPage21)
}

/// Where files of this test go.
fn place(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("zwasm-aarch64-{}-{name}", std::process::id()))
}

/// The words that the assembler makes of the text; none if there is no assembler.
fn assemble(name: &str, source: &str) -> Option<Vec<u32>> {
    let [text, object, binary] = ["s", "o", "bin"].map(|kind| place(&format!("{name}.{kind}")));
    std::fs::write(&text, source).unwrap();
    let assembled = Command::new("aarch64-linux-gnu-as")
        .args(["-W", "-march=armv8.5-a+dotprod+fp16", "-o"])
        .args([&object, &text])
        .output();
    let assembled = match assembled {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            assert!(
                std::env::var_os("ZWASM_REQUIRE_AARCH64_AS").is_none(),
                "aarch64-linux-gnu-as is not installed"
            );
            return None;
        }
        other => other.unwrap(),
    };
    let errors = String::from_utf8_lossy(&assembled.stderr);
    let lines: Vec<&str> = errors.lines().take(40).collect();
    assert!(assembled.status.success(), "{} lines: {}", errors.lines().count(), lines.join("\n"));
    let copied = Command::new("aarch64-linux-gnu-objcopy")
        .args(["-O", "binary", "-j", ".text"])
        .args([&object, &binary])
        .status()
        .unwrap();
    assert!(copied.success());
    let bytes = std::fs::read(&binary).unwrap();
    for file in [text, object, binary] {
        std::fs::remove_file(file).unwrap();
    }
    let (words, rest) = bytes.as_chunks();
    assert_eq!(rest, []);
    Some(words.iter().map(|&word| u32::from_le_bytes(word)).collect())
}

#[test]
fn every_form_is_what_the_assembler_makes_of_its_text() {
    let mut source = String::new();
    let mut ours = Vec::new();
    for table in TABLES {
        assert_eq!(table.mnemonics.lines().count(), table.forms.len());
        for (row, form) in table.forms.iter().enumerate() {
            let words = words(form);
            for &word in words.iter().filter(|_| !is_left_to_linkers(form)) {
                // Once as what it is meant to be, once as what it is shown as.
                let meant = text_as(table, row, Inst(word), None);
                let meant = meant.unwrap_or_else(|| panic!("{word:#010x} is not of {form:?}"));
                let shown = text(Inst(word));
                for text in [&meant, &shown].into_iter().take(1 + usize::from(shown != meant)) {
                    source.push_str(text);
                    source.push('\n');
                    ours.push((word, text.clone()));
                }
            }
        }
    }
    let Some(theirs) = assemble("forms", &source) else {
        eprintln!("WARNING: no aarch64-linux-gnu-as: {} words are not compared", ours.len());
        return;
    };
    assert_eq!(ours.len(), theirs.len());
    let wrong: Vec<_> =
        ours.iter().zip(&theirs).filter(|((our, _), their)| our != *their).collect();
    let mut report = String::new();
    for ((our, text), their) in wrong.iter().take(40) {
        let _ = writeln!(report, "{our:#010x}, not {their:#010x}: {text}");
    }
    assert!(wrong.is_empty(), "{} words are wrong:\n{report}", wrong.len());
    eprintln!(
        "{} words of {} forms are alike",
        ours.len(),
        TABLES.iter().map(|table| table.forms.len()).sum::<usize>()
    );
}

/// The functions are called like the instructions, so a row that makes another one is seen.
#[test]
fn functions_have_the_names_of_instructions() {
    for table in TABLES {
        assert_eq!(table.names.len(), table.forms.len());
        for (name, mnemonic) in table.names.iter().zip(table.mnemonics.lines()) {
            let mnemonic = mnemonic.replace([' ', '.'], "_");
            let alike = match mnemonic.as_str() {
                // Loads and stores in one.
                "r" | "ur" => name.starts_with("access_"),
                "p" => name.starts_with("pair"),
                "b_" => *name == "b_cond",
                // The number of registers of the table is part of the function's name.
                "tbl" | "tbx" => {
                    name.trim_end_matches(|each: char| each.is_ascii_digit()) == mnemonic
                }
                _ => *name == mnemonic || name.starts_with(&format!("{mnemonic}_")),
            };
            assert!(alike, "{name} is called {mnemonic}");
        }
    }
}

/// Words that the assembler made, for where there is none: each form of operand once.
#[test]
fn pinned_words() {
    let lsl = |amount| (Shift::Lsl, amount);
    let index = Index { reg: x(3), extend: Extend::Uxtw, scaled: true };
    let pinned = [
        (inst::add(X, x(0), x(1), x(2)), 0x8B020020, "add x0, x1, x2"),
        (inst::sub(W, x(9), ZR, x(30)), 0x4B1E03E9, "neg w9, w30"),
        (
            inst::add_imm(X, SP, x(1), imm::Imm12::new(0x5000).unwrap()),
            0x9140143F,
            "add sp, x1, #5, lsl #12",
        ),
        (inst::eor_shifted(X, x(1), x(2), x(3), lsl(7)), 0xCA031C41, "eor x1, x2, x3, lsl #7"),
        (
            inst::add_ext(X, x(0), SP, x(1), (Extend::Sxtw, 2)),
            0x8B21CBE0,
            "add x0, sp, w1, sxtw #2",
        ),
        (inst::lsl_imm(W, x(1), x(2), 3), 0x531D7041, "lsl w1, w2, #3"),
        (inst::lsl_imm(X, x(1), x(2), 63), 0xD3410041, "lsl x1, x2, #63"),
        (inst::asr_imm(X, x(1), x(2), 63), 0x937FFC41, "asr x1, x2, #63"),
        (inst::bfi(X, x(1), x(2), 32, 32), 0xB3607C41, "bfi x1, x2, #32, #32"),
        (inst::cset(W, x(0), Cond::Hi), 0x1A9F97E0, "cset w0, hi"),
        (inst::access_scaled(Access::LdX, x(0), SP, 32760), 0xF97FFFE0, "ldr x0, [sp, #32760]"),
        (inst::access_scaled(Access::StVq, v(1), x(2), 16), 0x3D800441, "str q1, [x2, #16]"),
        (
            inst::access_indexed(Access::LdShX, x(1), x(2), index),
            0x78A35841,
            "ldrsh x1, [x2, w3, uxtw #1]",
        ),
        (inst::pair_pre(Pair::StX, x(29), x(30), SP, -32), 0xA9BE7BFD, "stp x29, x30, [sp, #-32]!"),
        (inst::stlxr(Size::H, x(1), x(2), x(3)), 0x4801FC62, "stlxrh w1, w2, [x3]"),
        (inst::ldadd(Order::Full, Size::X, x(1), x(2), x(3)), 0xF8E10062, "ldaddal x1, x2, [x3]"),
        (inst::cas(Order::Full, Size::B, x(1), x(2), x(3)), 0x08E1FC62, "casalb w1, w2, [x3]"),
        (inst::ret(), 0xD65F03C0, "ret"),
        (inst::movk(X, x(7), 0x1234, 3), 0xF2E24687, "movk x7, #4660, lsl #48"),
        (
            inst::and_imm(X, x(7), x(8), imm::logical_imm(0xFF00, X).unwrap()),
            0x92781D07,
            "and x7, x8, #0xff00",
        ),
        (inst::umulh(x(1), x(2), x(3)), 0x9BC37C41, "umulh x1, x2, x3"),
        (inst::fadd(Float::D, v(1), v(2), v(3)), 0x1E632841, "fadd d1, d2, d3"),
        (inst::fmadd(Float::S, v(1), v(2), v(3), v(4)), 0x1F031041, "fmadd s1, s2, s3, s4"),
        (
            inst::fmov_imm(Float::D, v(31), imm::fp_imm8(-1.5).unwrap()),
            0x1E7F101F,
            "fmov d31, #-1.5",
        ),
        (inst::fcmp_zero(Float::S, v(2)), 0x1E202048, "fcmp s2, #0.0"),
        (inst::fcvtzs(X, Float::S, x(1), v(2)), 0x9E380041, "fcvtzs x1, s2"),
        (inst::scvtf(W, Float::D, v(1), x(2)), 0x1E620041, "scvtf d1, w2"),
        (inst::fmov_from_general(X, v(1), x(2)), 0x9E670041, "fmov d1, x2"),
        (inst::fmov_to_general(W, x(1), v(2)), 0x1E260041, "fmov w1, s2"),
        (vec::add(Lanes::H8, v(1), v(2), v(3)), 0x4E638441, "add v1.8h, v2.8h, v3.8h"),
        (vec::fmax(Lanes::D2, v(1), v(2), v(3)), 0x4E63F441, "fmax v1.2d, v2.2d, v3.2d"),
        (vec::bsl(Lanes::B16, v(1), v(2), v(3)), 0x6E631C41, "bsl v1.16b, v2.16b, v3.16b"),
        (vec::smull(Lanes::B16, v(1), v(2), v(3)), 0x4E23C041, "smull2 v1.8h, v2.16b, v3.16b"),
        (vec::sqxtun(Lanes::H4, v(1), v(2)), 0x2E612841, "sqxtun v1.4h, v2.4s"),
        (vec::sxtl(Lanes::S2, v(1), v(2)), 0x0F20A441, "sxtl v1.2d, v2.2s"),
        (vec::sshr(Lanes::S4, v(1), v(2), 31), 0x4F210441, "sshr v1.4s, v2.4s, #31"),
        (vec::shl(Lanes::D2, v(1), v(2), 63), 0x4F7F5441, "shl v1.2d, v2.2d, #63"),
        (vec::addv(Lanes::H8, v(1), v(2)), 0x4E71B841, "addv h1, v2.8h"),
        (vec::uaddlp(Lanes::B16, v(1), v(2)), 0x6E202841, "uaddlp v1.8h, v2.16b"),
        (vec::cmeq_zero(Lanes::D2, v(1), v(2)), 0x4EE09841, "cmeq v1.2d, v2.2d, #0"),
        (vec::ext(Lanes::B16, v(1), v(2), v(3), 5), 0x6E032841, "ext v1.16b, v2.16b, v3.16b, #5"),
        (
            vec::tbl2(Lanes::B16, v(1), v(31), v(3)),
            0x4E0323E1,
            "tbl v1.16b, {v31.16b, v0.16b}, v3.16b",
        ),
        (vec::dup(Lanes::D2, v(1), x(2)), 0x4E080C41, "dup v1.2d, x2"),
        (vec::ins(Elem::H, v(1), 5, x(2)), 0x4E161C41, "ins v1.h[5], w2"),
        (vec::ins_lane(Elem::S, v(1), 3, v(2), 1), 0x6E1C2441, "ins v1.s[3], v2.s[1]"),
        (vec::umov(Elem::D, x(1), v(2), 1), 0x4E183C41, "umov x1, v2.d[1]"),
        (vec::smov(X, Elem::B, x(1), v(2), 15), 0x4E1F2C41, "smov x1, v2.b[15]"),
        (vec::ld1r(Lanes::S4, v(1), x(2)), 0x4D40C841, "ld1r {v1.4s}, [x2]"),
        (vec::ld1_lane(Elem::H, v(1), 7, x(2)), 0x4D405841, "ld1 {v1.h}[7], [x2]"),
        (vec::st1_lane(Elem::D, v(1), 1, SP), 0x4D0087E1, "st1 {v1.d}[1], [sp]"),
        (vec::movi_b(Lanes::B16, v(1), 0xA5), 0x4F05E4A1, "movi v1.16b, #165"),
        (vec::movi_d(v(1), 0x81), 0x6F04E421, "movi v1.2d, #0xff000000000000ff"),
        (inst::msr(SysReg::Fpcr, x(5)), 0xD51B4405, "msr fpcr, x5"),
    ];
    let mut source = String::new();
    for (Inst(word), expected, shown) in pinned {
        assert_eq!(word, expected, "{word:#010x}, not {expected:#010x}: {shown}");
        assert_eq!(text(Inst(word)), shown);
        let _ = writeln!(source, "{shown}");
    }
    if let Some(theirs) = assemble("pinned", &source) {
        assert_eq!(theirs, pinned.map(|(_, word, _)| word));
    }
}

#[test]
fn labels_are_shown_by_name() {
    let branch = inst::cbz(W, x(3));
    assert_eq!(text_to(branch.inst, "L7"), "cbz w3, L7");
    assert_eq!(text(branch.inst), "cbz w3, .+0");
    // No linker is at hand for pages.
    let page = inst::adrp(x(1));
    let far = page.fixup.patch(page.inst.0, -0x1000).unwrap();
    assert_eq!(far, 0xF0FFFFE1);
    assert_eq!(text(Inst(far)), "adrp x1, .-4096");
}

#[test]
fn what_is_not_known_is_shown_as_a_number() {
    assert_eq!(text(Inst(0xFFFF_FFFF)), ".inst 0xffffffff");
}

#[test]
fn offsets_choose_the_form() {
    let shown = |offset| inst::access(Access::LdX, x(1), x(2), offset).map(text);
    assert_eq!(shown(0).unwrap(), "ldr x1, [x2, #0]");
    assert_eq!(shown(32760).unwrap(), "ldr x1, [x2, #32760]");
    assert_eq!(shown(12).unwrap(), "ldur x1, [x2, #12]");
    assert_eq!(shown(-256).unwrap(), "ldur x1, [x2, #-256]");
    assert_eq!([32768, -257, 257].map(shown), [None, None, None]);
    assert!(inst::pair_fits(Pair::StX, 504) && inst::pair_fits(Pair::StX, -512));
    assert!(![512, -520, 4].into_iter().any(|offset| inst::pair_fits(Pair::StX, offset)));
    assert!(inst::pair_fits(Pair::LdVq, 1008) && !inst::pair_fits(Pair::LdVq, 504));
}

#[test]
fn constants_choose_the_form() {
    let added = |value| inst::add_constant(X, x(1), SP, value).map(text);
    assert_eq!(added(16).unwrap(), "add x1, sp, #16");
    assert_eq!(added(-0x7000).unwrap(), "sub x1, sp, #7, lsl #12");
    assert_eq!([0x1001, -0x100_0000, i64::MIN].map(added), [None, None, None]);
    let compared = |value| inst::cmp_constant(W, x(1), value).map(text);
    assert_eq!(compared(4095).unwrap(), "cmp w1, #4095");
    assert_eq!(compared(-1).unwrap(), "cmn w1, #1");
    // Zero does not get there by its opposite, with which the carry would differ.
    assert_eq!(compared(0).unwrap(), "cmp w1, #0");
}
