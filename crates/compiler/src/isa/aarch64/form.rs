//! Tables of instructions: what a row is and what is made from it.

use super::operand::Kind;

/// What a row says, for showing words.
#[derive(Clone, Copy, Debug)]
pub(super) struct Form {
    /// The bits that are always the same; the operands' are zero.
    pub(super) bits: u32,
    /// Which bits these are.
    pub(super) mask: u32,
    /// The operands in the order in which they are written, filled up with `None`.
    pub(super) operands: [Kind; 6],
}

impl Form {
    pub(super) const fn new(bits: u32, operands: &[Kind]) -> Form {
        let mut form = Form { bits, mask: !0, operands: [Kind::None; 6] };
        let mut index = 0;
        while index < operands.len() {
            let mask = operands[index].mask();
            assert!(form.mask & mask == mask || operands[index].shares(), "operands overlap");
            form.operands[index] = operands[index];
            form.mask &= !mask;
            index += 1;
        }
        assert!(bits & !form.mask == 0, "the fixed bits reach into operands");
        form
    }
}

/// The rows of one file.
#[derive(Clone, Copy)]
pub(super) struct Table {
    /// What assemblers call them, each a line. One string takes less room
    /// than many.
    pub(super) mnemonics: &'static str,
    pub(super) forms: &'static [Form],
    /// What the functions are called.
    #[cfg(test)]
    pub(super) names: &'static [&'static str],
}

/// Makes functions and a table from rows `name "mnemonic" bits (operands);`, where an
/// operand names a type in `operand`. Behind them may stand, in brackets, one that is
/// written but is always the same. A row that ends in `-> fixup` names a label as the last
/// operand.
macro_rules! forms {
    ($(
        $(#[$doc:meta])*
        $name:ident $mnemonic:literal $bits:literal ($($kind:ident)*) $([$constant:ident])? $(-> $fixup:ident)?;
    )*) => {
        $(
            $(#[$doc])*
            #[doc = concat!("\n\n`", $mnemonic, "`")]
            #[inline]
            #[allow(dead_code, reason = "a table states the instruction set, whatever is used")]
            #[allow(non_snake_case, reason = "parameters have the names of operands")]
            pub(crate) fn $name(
                $($kind: <$kind as $crate::isa::aarch64::operand::Operand>::Value),*
            ) -> $crate::isa::aarch64::form::forms!(@type $($fixup)?) {
                let word: u32 = $bits;
                $(
                    debug_assert!(
                        <$kind as $crate::isa::aarch64::operand::Operand>::fits($kind, word),
                        "{} of {}: {:?}", stringify!($kind), stringify!($name), $kind
                    );
                    let word =
                        word | <$kind as $crate::isa::aarch64::operand::Operand>::put($kind, word);
                )*
                $crate::isa::aarch64::form::forms!(@value word $($fixup)?)
            }
        )*

        pub(super) const TABLE: $crate::isa::aarch64::form::Table =
            $crate::isa::aarch64::form::Table {
                mnemonics: concat!($($mnemonic, "\n"),*),
                forms: &[$(
                    $crate::isa::aarch64::form::Form::new(
                        $bits,
                        &[
                            $($crate::isa::aarch64::operand::Kind::$kind,)*
                            $($crate::isa::aarch64::operand::Kind::$constant,)?
                            $($crate::isa::aarch64::operand::Kind::$fixup)?
                        ],
                    )
                ),*],
                #[cfg(test)]
                names: &[$(stringify!($name)),*],
            };
    };
    (@type) => { $crate::isa::aarch64::Inst };
    (@type $fixup:ident) => { $crate::isa::aarch64::fixup::Labelled };
    (@value $word:ident) => { $crate::isa::aarch64::Inst($word) };
    (@value $word:ident $fixup:ident) => {
        $crate::isa::aarch64::fixup::Labelled {
            inst: $crate::isa::aarch64::Inst($word),
            fixup: $crate::isa::aarch64::fixup::Fixup::$fixup,
        }
    };
}
pub(super) use forms;
