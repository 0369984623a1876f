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
use super::{Inst, TABLES, imm, inst};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::Command;

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
