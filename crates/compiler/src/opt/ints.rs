//! Integer ops without their width, so that what holds for both is said once.

use zwasm_regir::{BinaryOp, CompareOp, Type};

macro_rules! by_width {
    ($(#[$doc:meta])* $kind:ident of $enum:ident: $($name:ident $narrow:ident $wide:ident;)*) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum $kind { $($name,)* }

        impl $kind {
            /// The op and the type of its operands, if they are integers.
            pub(super) fn of(op: $enum) -> Option<($kind, Type)> {
                match op {
                    $($enum::$narrow => Some(($kind::$name, Type::I32)),
                    $enum::$wide => Some(($kind::$name, Type::I64)),)*
                    _ => None,
                }
            }

            /// The op on operands of this type.
            pub(super) fn on(self, ty: Type) -> $enum {
                match self {
                    $($kind::$name => if ty == Type::I64 { $enum::$wide } else { $enum::$narrow },)*
                }
            }
        }
    };
}

by_width! {
    /// Two-operand ops.
    Int of BinaryOp:
    Add I32Add I64Add;
    Sub I32Sub I64Sub;
    Mul I32Mul I64Mul;
    DivS I32DivS I64DivS;
    DivU I32DivU I64DivU;
    RemS I32RemS I64RemS;
    RemU I32RemU I64RemU;
    And I32And I64And;
    Or I32Or I64Or;
    Xor I32Xor I64Xor;
    Shl I32Shl I64Shl;
    ShrS I32ShrS I64ShrS;
    ShrU I32ShrU I64ShrU;
    Rotl I32Rotl I64Rotl;
    Rotr I32Rotr I64Rotr;
}

by_width! {
    /// Comparisons.
    IntCompare of CompareOp:
    Eq I32Eq I64Eq;
    Ne I32Ne I64Ne;
    LtS I32LtS I64LtS;
    LtU I32LtU I64LtU;
    GtS I32GtS I64GtS;
    GtU I32GtU I64GtU;
    LeS I32LeS I64LeS;
    LeU I32LeU I64LeU;
    GeS I32GeS I64GeS;
    GeU I32GeU I64GeU;
}

impl IntCompare {
    /// Whether it only asks whether the operands are the same.
    pub(super) fn is_equality(self) -> bool {
        matches!(self, IntCompare::Eq | IntCompare::Ne)
    }
}

/// The bits that a type has.
pub(super) fn width(ty: Type) -> u32 {
    if ty == Type::I32 { 32 } else { 64 }
}

/// All bits that a type has.
pub(super) fn mask(ty: Type) -> u64 {
    if ty == Type::I32 { u64::from(u32::MAX) } else { u64::MAX }
}

/// A constant of a type as a number with sign.
pub(super) fn signed(ty: Type, bits: u64) -> i64 {
    if ty == Type::I32 { i64::from(bits as i32) } else { bits as i64 }
}
