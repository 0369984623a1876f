//! Records, variants, enums and flags of WIT as Rust types.
//!
//! Each macro declares a type and tells the canonical ABI of its parts. Names are
//! checked when a component is linked.

/// `enum`: names only.
macro_rules! wit_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$case_doc:meta])* $case:ident = $wit:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u8)]
        pub(crate) enum $name {
            $($(#[$case_doc])* $case,)*
        }

        impl $name {
            const ALL: &[$name] = &[$($name::$case,)*];
        }

        impl zwasm_component::ComponentType for $name {
            fn typecheck(
                ty: zwasm_component::InterfaceType,
                cx: &zwasm_component::TypeContext<'_>,
            ) -> zwasm::Result<()> {
                cx.check_enum(ty, &[$($wit,)*])
            }
        }

        impl zwasm_component::Lift for $name {
            fn lift(
                cx: &mut zwasm_component::LiftContext<'_>,
                ty: zwasm_component::InterfaceType,
                at: zwasm_component::Place,
            ) -> zwasm::Result<$name> {
                // What the type was checked against has as many cases.
                Ok(Self::ALL[cx.case(ty, at)?])
            }
        }

        impl zwasm_component::Lower for $name {
            fn lower(
                &self,
                cx: &mut zwasm_component::LowerContext<'_>,
                ty: zwasm_component::InterfaceType,
                at: zwasm_component::Place,
            ) -> zwasm::Result<()> {
                cx.set_case(ty, at, *self as usize)
            }
        }
    };
}

/// `flags`: a set of at most 32 names.
macro_rules! wit_flags {
    ($(#[$doc:meta])* $name:ident { $($(#[$flag_doc:meta])* $flag:ident = $wit:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
        pub(crate) struct $name(u32);

        impl $name {
            $crate::p2::wit::wit_flags!(@bits 0, $($(#[$flag_doc])* $flag,)*);

            /// Whether all flags of another set are in this one.
            pub(crate) const fn contains(self, other: $name) -> bool {
                self.0 & other.0 == other.0
            }

            /// Adds the flags of another set if `on`.
            #[allow(dead_code, reason = "some sets are only taken from guests")]
            pub(crate) const fn set(&mut self, other: $name, on: bool) {
                if on {
                    self.0 |= other.0;
                }
            }

            /// Takes the flags of another set away if `off`.
            #[allow(dead_code, reason = "few sets are told with fewer flags")]
            pub(crate) const fn clear(&mut self, other: $name, off: bool) {
                if off {
                    self.0 &= !other.0;
                }
            }
        }

        impl zwasm_component::ComponentType for $name {
            fn typecheck(
                ty: zwasm_component::InterfaceType,
                cx: &zwasm_component::TypeContext<'_>,
            ) -> zwasm::Result<()> {
                cx.check_flags(ty, &[$($wit,)*])
            }
        }

        impl zwasm_component::Lift for $name {
            fn lift(
                cx: &mut zwasm_component::LiftContext<'_>,
                ty: zwasm_component::InterfaceType,
                at: zwasm_component::Place,
            ) -> zwasm::Result<$name> {
                Ok($name(cx.flags(ty, at, 0)?))
            }
        }

        impl zwasm_component::Lower for $name {
            fn lower(
                &self,
                cx: &mut zwasm_component::LowerContext<'_>,
                ty: zwasm_component::InterfaceType,
                at: zwasm_component::Place,
            ) -> zwasm::Result<()> {
                cx.set_flags(ty, at, 0, self.0)
            }
        }
    };
    (@bits $bit:expr,) => {};
    (@bits $bit:expr, $(#[$doc:meta])* $flag:ident, $($rest:tt)*) => {
        $(#[$doc])*
        pub(crate) const $flag: Self = Self(1 << ($bit));
        $crate::p2::wit::wit_flags!(@bits $bit + 1, $($rest)*);
    };
}

/// `record`: fields.
macro_rules! wit_record {
    (
        $(#[$doc:meta])* $name:ident {
            $($(#[$field_doc:meta])* $field:ident: $ty:ty = $wit:literal,)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub(crate) struct $name {
            $($(#[$field_doc])* pub(crate) $field: $ty,)*
        }

        impl zwasm_component::ComponentType for $name {
            fn typecheck(
                ty: zwasm_component::InterfaceType,
                cx: &zwasm_component::TypeContext<'_>,
            ) -> zwasm::Result<()> {
                cx.check_record(ty, &[
                    $(($wit, <$ty as zwasm_component::ComponentType>::typecheck),)*
                ])
            }
        }

        impl zwasm_component::Lift for $name {
            fn lift(
                cx: &mut zwasm_component::LiftContext<'_>,
                ty: zwasm_component::InterfaceType,
                at: zwasm_component::Place,
            ) -> zwasm::Result<$name> {
                let mut fields = 0..;
                Ok($name {
                    $($field: cx.lift_part(ty, at, fields.next().unwrap_or(0))?,)*
                })
            }
        }

        impl zwasm_component::Lower for $name {
            fn lower(
                &self,
                cx: &mut zwasm_component::LowerContext<'_>,
                ty: zwasm_component::InterfaceType,
                at: zwasm_component::Place,
            ) -> zwasm::Result<()> {
                let mut fields = 0..;
                $(cx.lower_part(ty, at, fields.next().unwrap_or(0), &self.$field)?;)*
                Ok(())
            }
        }
    };
}

/// `variant`: cases, of which some have a payload, which is given a name.
macro_rules! wit_variant {
    (
        $(#[$doc:meta])* $name:ident {
            $($(#[$case_doc:meta])* $case:ident $(($payload:ident: $ty:ty))? = $wit:literal,)*
        }
    ) => {
        $(#[$doc])*
        pub(crate) enum $name {
            $($(#[$case_doc])* $case $(($ty))?,)*
        }

        impl zwasm_component::ComponentType for $name {
            fn typecheck(
                ty: zwasm_component::InterfaceType,
                cx: &zwasm_component::TypeContext<'_>,
            ) -> zwasm::Result<()> {
                cx.check_variant(ty, &[$(($wit, {
                    #[allow(unused_mut, unused_assignments, reason = "not all have a payload")]
                    let mut check: Option<zwasm_component::Check> = None;
                    $(check = Some(<$ty as zwasm_component::ComponentType>::typecheck);)?
                    check
                }),)*])
            }
        }

        const _: () = {
            /// The places of the cases.
            #[derive(Clone, Copy)]
            enum Case {
                $($case,)*
            }

            impl zwasm_component::Lift for $name {
                fn lift(
                    cx: &mut zwasm_component::LiftContext<'_>,
                    ty: zwasm_component::InterfaceType,
                    at: zwasm_component::Place,
                ) -> zwasm::Result<$name> {
                    let case = cx.case(ty, at)?;
                    $(
                        if case == Case::$case as usize {
                            return Ok($name::$case $((cx.lift_part::<$ty>(ty, at, case)?))?);
                        }
                    )*
                    Err(zwasm::Error::msg(format!("there is no case {case}")))
                }
            }

            impl zwasm_component::Lower for $name {
                fn lower(
                    &self,
                    cx: &mut zwasm_component::LowerContext<'_>,
                    ty: zwasm_component::InterfaceType,
                    at: zwasm_component::Place,
                ) -> zwasm::Result<()> {
                    match self {
                        $($name::$case $(($payload))? => {
                            cx.set_case(ty, at, Case::$case as usize)?;
                            $(cx.lower_part(ty, at, Case::$case as usize, $payload)?;)?
                        })*
                    }
                    Ok(())
                }
            }
        };
    };
}

pub(crate) use {wit_enum, wit_flags, wit_record, wit_variant};
