//! Damages a module or component.
//!
//! Blind damage (bits, bytes, truncation, splices) mostly dies in the first
//! length field it breaks. Three quarters of it therefore know the two frames
//! of the binary format, sections and function bodies, and repair their
//! lengths around the damage, so that it reaches the validator. What is within a
//! component is damaged likewise.

use super::corpus::Corpus;
use super::frames::{Section, functions, id, is_component, push_framed, sections};
use super::rng::Rng;
use std::ops::Range;

/// Mutants stop growing here.
const LONGEST: usize = 8 << 20;

/// Byte strings that mean something at many places: opcodes, types, and LEB128
/// numbers at, just above and far beyond their limits.
const INTERESTING: [&[u8]; 22] = [
    &[0x00],
    &[0x01],
    &[0x0b],
    &[0x40],
    &[0x60],
    &[0x6f],
    &[0x70],
    &[0x7b],
    &[0x7f],
    &[0x80],
    &[0xfb],
    &[0xfc],
    &[0xfd],
    &[0xfe],
    &[0xff],
    &[0xff, 0xff, 0x03],
    &[0xff, 0xff, 0xff, 0xff, 0x07],
    &[0xff, 0xff, 0xff, 0xff, 0x0f],
    &[0x80, 0x80, 0x80, 0x80, 0x10],
    &[0x80, 0x80, 0x80, 0x80, 0x80, 0x00],
    &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
    &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
];

/// The mutant that `rng` makes of a module of the corpus.
pub fn mutant(corpus: &Corpus, rng: &mut Rng) -> Vec<u8> {
    let mut bytes = corpus.draw(rng).to_vec();
    let most = rng.below(4) + 1;
    for _ in 0..=rng.below(most) {
        if rng.below(4) == 0 {
            damage(&mut bytes, corpus, rng);
        } else {
            damage_framed(&mut bytes, corpus, rng);
        }
        bytes.truncate(LONGEST);
    }
    bytes
}

/// Damage that knows nothing of the format.
fn damage(bytes: &mut Vec<u8>, corpus: &Corpus, rng: &mut Rng) {
    match rng.below(8) {
        0 | 1 => flip_bits(bytes, rng),
        2 | 3 => overwrite(bytes, rng),
        4 => bytes.truncate(rng.below(bytes.len())),
        5 => inflate(bytes, rng),
        6 => {
            let donor = corpus.draw(rng);
            let taken = donor[rng.range(donor.len())].to_vec();
            let place = rng.range(bytes.len());
            bytes.splice(place, taken);
        }
        _ => {
            let taken = bytes[rng.range(bytes.len())].to_vec();
            let place = rng.below(bytes.len());
            bytes.splice(place..place, taken);
        }
    }
}

fn flip_bits(bytes: &mut [u8], rng: &mut Rng) {
    let most = rng.below(4) + 1;
    for _ in 0..=rng.below(most) {
        let at = rng.below(bytes.len());
        if let Some(byte) = bytes.get_mut(at) {
            *byte ^= 1 << rng.below(8);
        }
    }
}

/// Puts an interesting byte string in the place of as many bytes or of one.
fn overwrite(bytes: &mut Vec<u8>, rng: &mut Rng) {
    let value = INTERESTING[rng.below(INTERESTING.len())];
    let at = rng.below(bytes.len());
    let replaced = [0, 1, value.len()][rng.below(3)];
    let end = (at + replaced).min(bytes.len());
    bytes.splice(at..end, value.iter().copied());
}

/// Writes a number that may stand here with more bytes than it needs, at times
/// more than are allowed.
fn inflate(bytes: &mut Vec<u8>, rng: &mut Rng) {
    let at = rng.below(bytes.len());
    let Some(byte) = bytes.get_mut(at).filter(|byte| **byte < 0x80) else {
        return;
    };
    *byte |= 0x80;
    let mut tail = vec![0x80; rng.below(10)];
    tail.push(0);
    bytes.splice(at + 1..at + 1, tail);
}

/// Damage in the terms of the format.
fn damage_framed(bytes: &mut Vec<u8>, corpus: &Corpus, rng: &mut Rng) {
    let found = sections(bytes);
    let Some(section) = rng.pick(&found) else {
        return damage(bytes, corpus, rng);
    };
    match rng.below(8) {
        0 => {
            bytes.drain(section.start..section.body.end);
        }
        1 => {
            let copy = bytes[section.start..section.body.end].to_vec();
            let place = rng.pick(&found).map_or(section.body.end, |other| other.start);
            bytes.splice(place..place, copy);
        }
        2 => {
            let moved: Vec<u8> = bytes.drain(section.start..section.body.end).collect();
            let left = sections(bytes);
            let place = rng.pick(&left).map_or(bytes.len(), |other| other.start);
            bytes.splice(place..place, moved);
        }
        3 => {
            let donor = corpus.draw(rng);
            let offered = sections(donor);
            let same: Vec<&Section> =
                offered.iter().filter(|other| other.id == section.id).collect();
            if let Some(other) = rng.pick(&same) {
                let taken = donor[other.start..other.body.end].to_vec();
                bytes.splice(section.start..section.body.end, taken);
            }
        }
        _ => {
            let mut body = bytes[section.body.clone()].to_vec();
            let knowing = rng.below(4) != 0;
            if knowing && is_component(bytes) && id::WITHIN.contains(&section.id) {
                damage_framed(&mut body, corpus, rng);
            } else if knowing && section.id == id::CODE && !is_component(bytes) {
                damage_function(&mut body, corpus, rng);
            } else {
                damage(&mut body, corpus, rng);
            }
            replace(bytes, section.start + 1..section.body.end, &body);
        }
    }
}

/// Damages one function of a code section and repairs its length.
fn damage_function(code: &mut Vec<u8>, corpus: &Corpus, rng: &mut Rng) {
    let functions = functions(code);
    match rng.pick(&functions) {
        Some((start, body)) => {
            let mut function = code[body.clone()].to_vec();
            damage(&mut function, corpus, rng);
            replace(code, *start..body.end, &function);
        }
        None => damage(code, corpus, rng),
    }
}

/// Puts `body` with its length before it in the place of `place`.
fn replace(bytes: &mut Vec<u8>, place: Range<usize>, body: &[u8]) {
    let mut framed = Vec::with_capacity(body.len() + 5);
    push_framed(&mut framed, body);
    bytes.splice(place, framed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_that_grows_stays_framed() {
        let mut bytes = b"\0asm\x01\0\0\0\x01\x01\0\x03\x01\0".to_vec();
        let first = sections(&bytes).remove(0);
        replace(&mut bytes, first.start + 1..first.body.end, &[7; 200]);
        let found = sections(&bytes);
        assert_eq!(found.iter().map(|section| section.id).collect::<Vec<_>>(), [1, 3]);
        assert_eq!(bytes[found[0].body.clone()], [7; 200]);
    }

    #[test]
    fn mutants_follow_from_seed_and_case() {
        let mut corpus = Corpus::default();
        corpus.add_script("(func) (memory 1)");
        corpus.add_script("(func (param i32)) (global i32 (i32.const 1))");
        let make = |seed, case| mutant(&corpus, &mut Rng::for_case(seed, case));
        assert!((0..50).all(|case| make(1, case) == make(1, case)));
        assert!((0..50).any(|case| make(1, case) != make(2, case)));
        let empty = Corpus::default();
        assert!((0..50).all(|case| mutant(&empty, &mut Rng::for_case(1, case)).len() < 1000));
    }
}
