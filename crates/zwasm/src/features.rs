//! The proposals this engine knows, in one table.
//!
//! A row is what `zwasm features` prints, what an embedder can switch off and
//! what the validator is told, so that none of these can say something else than
//! the others.

use std::fmt::{self, Display, Formatter};
use std::str::FromStr;

use wasmparser::WasmFeatures;

use crate::error::{Error, Result};
use crate::module::is_valid;

/// Where a proposal stands.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeatureStatus {
    /// Part of WebAssembly since 1.0.
    Wasm1,
    /// Part of WebAssembly since 2.0.
    Wasm2,
    /// Part of WebAssembly since 3.0.
    Wasm3,
    /// Not part of a version yet.
    Proposal,
}

impl Display for FeatureStatus {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            FeatureStatus::Wasm1 => "wasm 1.0",
            FeatureStatus::Wasm2 => "wasm 2.0",
            FeatureStatus::Wasm3 => "wasm 3.0",
            FeatureStatus::Proposal => "proposal",
        })
    }
}

/// What this build does with a feature.
#[derive(Clone, Copy, PartialEq)]
enum Build {
    /// Modules that use it run.
    Executes,
    /// Modules that use it are valid, but functions that do stop with an error.
    Validates,
    /// Modules that use it are refused.
    #[cfg_attr(feature = "threads", allow(dead_code, reason = "a full build leaves out nothing"))]
    Absent,
}

struct Row {
    name: &'static str,
    status: FeatureStatus,
    flags: WasmFeatures,
    build: Build,
}

/// What a feature that can be left out of a build is in this one.
macro_rules! optional {
    ($feature:literal) => {
        if cfg!(feature = $feature) { Executes } else { Build::Absent }
    };
}

macro_rules! features {
    ($($(#[$doc:meta])* $variant:ident $name:literal $status:ident $flags:expr, $build:expr;)*) => {
        /// A feature of WebAssembly that can be switched off.
        ///
        /// ```
        /// use zwasm::{Config, Engine, Feature, Module};
        /// let mut config = Config::new();
        /// config.wasm_feature(Feature::MultiMemory, false);
        /// let engine = Engine::new(&config)?;
        /// let error = Module::new(&engine, "(module (memory 1) (memory 1))").unwrap_err();
        /// assert!(error.to_string().contains("'multi-memory' is disabled"));
        /// assert_eq!("multi-memory".parse::<Feature>()?, Feature::MultiMemory);
        /// # Ok::<(), zwasm::Error>(())
        /// ```
        #[non_exhaustive]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Feature {
            $($(#[$doc])* $variant,)*
        }

        impl Feature {
            /// All features, the oldest first.
            pub const ALL: &'static [Feature] = &[$(Feature::$variant,)*];
        }

        static TABLE: &[Row] = &[$(Row {
            name: $name,
            status: FeatureStatus::$status,
            flags: $flags,
            build: $build,
        },)*];
    };
}

use Build::{Executes, Validates};

/// What this build does with vectors: without them, large modules that hardly use
/// any still run.
const fn vectors() -> Build {
    if cfg!(feature = "simd") { Executes } else { Validates }
}

features! {
    /// Globals that can be written, imported and exported.
    MutableGlobal "mutable-global" Wasm1 WasmFeatures::MUTABLE_GLOBAL, Executes;
    /// Conversions to integers that saturate.
    SaturatingFloatToInt "saturating-float-to-int" Wasm2 WasmFeatures::SATURATING_FLOAT_TO_INT, Executes;
    /// Sign extension of parts of integers.
    SignExtension "sign-extension" Wasm2 WasmFeatures::SIGN_EXTENSION, Executes;
    /// Several results, and blocks with parameters.
    MultiValue "multi-value" Wasm2 WasmFeatures::MULTI_VALUE, Executes;
    /// Bulk operations on memories and tables.
    BulkMemory "bulk-memory" Wasm2 WasmFeatures::BULK_MEMORY, Executes;
    /// References as values, and several tables.
    ReferenceTypes "reference-types" Wasm2 WasmFeatures::REFERENCE_TYPES, Executes;
    /// 128-bit vectors.
    Simd "simd" Wasm2 WasmFeatures::SIMD, vectors();
    /// Calls that replace the caller's frame.
    TailCall "tail-call" Wasm3 WasmFeatures::TAIL_CALL, Executes;
    /// Arithmetic in constant expressions.
    ExtendedConst "extended-const" Wasm3 WasmFeatures::EXTENDED_CONST, Executes;
    /// Typed function references.
    FunctionReferences "function-references" Wasm3 WasmFeatures::FUNCTION_REFERENCES, Executes;
    /// Structures and arrays on a collected heap.
    Gc "gc" Wasm3 WasmFeatures::GC, if cfg!(feature = "gc") { Executes } else { Validates };
    /// Exceptions.
    Exceptions "exceptions" Wasm3 WasmFeatures::EXCEPTIONS, Executes;
    /// Vector operations with results that hosts may choose.
    RelaxedSimd "relaxed-simd" Wasm3 WasmFeatures::RELAXED_SIMD, vectors();
    /// Several memories.
    MultiMemory "multi-memory" Wasm3 WasmFeatures::MULTI_MEMORY, Executes;
    /// Memories and tables with 64-bit indices.
    Memory64 "memory64" Wasm3 WasmFeatures::MEMORY64, Executes;
    /// Hints which way a branch goes, in a custom section. Switched off, the
    /// section is passed over.
    BranchHinting "branch-hinting" Wasm3 WasmFeatures::empty(), Executes;
    /// Shared memories and atomic instructions.
    Threads "threads" Proposal WasmFeatures::THREADS, optional!("threads");
    /// Integer arithmetic on 128 bits.
    WideArithmetic "wide-arithmetic" Proposal WasmFeatures::WIDE_ARITHMETIC, Executes;
    /// Memories with pages of other sizes than 64 KiB.
    CustomPageSizes "custom-page-sizes" Proposal WasmFeatures::CUSTOM_PAGE_SIZES, Executes;
    /// Imports that share their module's name.
    CompactImports "compact-imports" Proposal WasmFeatures::COMPACT_IMPORTS, Executes;
    /// Components, of the features that follow none.
    ComponentModel "component-model" Proposal WasmFeatures::COMPONENT_MODEL, optional!("component");
    /// The type `map` of components.
    ComponentMap "component-map" Proposal WasmFeatures::CM_MAP, optional!("component");
    /// Lists of components whose length belongs to their type.
    ComponentFixedLengthLists "component-fixed-length-lists" Proposal WasmFeatures::CM_FIXED_LENGTH_LISTS, optional!("component");
    /// What interface an import or export of a component is of, apart from its name.
    ComponentImplements "component-implements" Proposal WasmFeatures::CM_IMPLEMENTS, optional!("component");
    /// Names of packages and interfaces within others, in components. Off unless
    /// switched on.
    ComponentNestedNames "component-nested-names" Proposal WasmFeatures::CM_NESTED_NAMES, optional!("component");
    /// Asynchronous functions, streams and futures of components.
    ComponentAsync "component-async" Proposal WasmFeatures::CM_ASYNC, optional!("component");
    /// Functions of components that wait on a stack of their own. Off unless switched on,
    /// as what follows is.
    ComponentAsyncStackful "component-async-stackful" Proposal WasmFeatures::CM_ASYNC_STACKFUL, optional!("component");
    /// Built-in functions that wait on the stack of whoever calls them, in components.
    ComponentMoreAsyncBuiltins "component-more-async-builtins" Proposal WasmFeatures::CM_MORE_ASYNC_BUILTINS, optional!("component");
    /// Threads of components, which take turns.
    ComponentThreading "component-threading" Proposal WasmFeatures::CM_THREADING, optional!("component");
    /// The type `error-context` of components.
    ComponentErrorContext "component-error-context" Proposal WasmFeatures::CM_ERROR_CONTEXT, optional!("component");
}

/// The flags that mean nothing to a module.
const OF_COMPONENTS: WasmFeatures = WasmFeatures::COMPONENT_MODEL
    .union(WasmFeatures::CM_MAP)
    .union(WasmFeatures::CM_FIXED_LENGTH_LISTS)
    .union(WasmFeatures::CM_IMPLEMENTS)
    .union(WasmFeatures::CM_NESTED_NAMES)
    .union(WasmFeatures::CM_ASYNC)
    .union(WasmFeatures::CM_ASYNC_STACKFUL)
    .union(WasmFeatures::CM_MORE_ASYNC_BUILTINS)
    .union(WasmFeatures::CM_THREADING)
    .union(WasmFeatures::CM_ERROR_CONTEXT);

impl Feature {
    fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }

    /// The name, as the command line knows it.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// Where the proposal stands.
    pub fn status(self) -> FeatureStatus {
        self.row().status
    }

    /// Whether this build runs modules that use the feature.
    pub fn is_executed(self) -> bool {
        self.row().build == Executes
    }

    /// Whether modules may use the feature unless a [`Config`](crate::Config) says
    /// otherwise.
    pub fn is_default(self) -> bool {
        !Disabled::default().contains(self)
    }

    /// The features this one builds on: without them, it is off as well.
    fn needs(self) -> &'static [Feature] {
        match self {
            Feature::RelaxedSimd => &[Feature::Simd],
            Feature::FunctionReferences | Feature::Exceptions => &[Feature::ReferenceTypes],
            Feature::Gc => &[Feature::FunctionReferences],
            Feature::ComponentMap
            | Feature::ComponentFixedLengthLists
            | Feature::ComponentImplements
            | Feature::ComponentNestedNames
            | Feature::ComponentAsync => &[Feature::ComponentModel],
            Feature::ComponentAsyncStackful
            | Feature::ComponentMoreAsyncBuiltins
            | Feature::ComponentThreading
            | Feature::ComponentErrorContext => &[Feature::ComponentAsync],
            _ => &[],
        }
    }

    /// Whether this build accepts modules that use the feature.
    pub fn is_supported(self) -> bool {
        self.row().build != Build::Absent
    }
}

impl FromStr for Feature {
    type Err = Error;

    fn from_str(name: &str) -> Result<Feature> {
        let found = Feature::ALL.iter().find(|feature| feature.name() == name);
        found.copied().ok_or_else(|| Error::msg(format!("unknown feature '{name}'")))
    }
}

/// The features that are switched off.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Disabled(u32);

impl Default for Disabled {
    /// Nested names, which make names valid that the specification refuses, and what is not
    /// finished of asynchronous components.
    fn default() -> Disabled {
        let off = [
            Feature::ComponentNestedNames,
            Feature::ComponentAsyncStackful,
            Feature::ComponentMoreAsyncBuiltins,
            Feature::ComponentThreading,
            Feature::ComponentErrorContext,
        ];
        Disabled(off.iter().fold(0, |bits, feature| bits | 1 << *feature as u32))
    }
}

impl Disabled {
    pub(crate) fn set(&mut self, feature: Feature, disable: bool) {
        let bit = 1 << feature as u32;
        if disable {
            self.0 |= bit;
        } else {
            self.0 &= !bit;
        }
    }

    pub(crate) fn contains(self, feature: Feature) -> bool {
        self.0 & 1 << feature as u32 != 0
            || !feature.is_supported()
            || feature.needs().iter().any(|needed| self.contains(*needed))
    }

    /// What the validator of modules is told.
    pub(crate) fn flags(self) -> WasmFeatures {
        self.component_flags().difference(OF_COMPONENTS)
    }

    /// What the validator of components is told.
    pub(crate) fn component_flags(self) -> WasmFeatures {
        flags(|feature| !self.contains(feature))
    }

    /// The error for a module that the validator refused with `error`, if all that
    /// is wrong with it is that it uses disabled features.
    ///
    /// The validator's own words do not always name the feature, so the module is
    /// validated again with everything, and without each one of them.
    #[cold]
    pub(crate) fn explain(self, bytes: &[u8], error: &Error) -> Option<Error> {
        let valid = |flags: WasmFeatures| is_valid(flags.difference(OF_COMPONENTS), bytes);
        let of_modules =
            Feature::ALL.iter().filter(|each| !OF_COMPONENTS.contains(each.row().flags));
        let mut disabled = of_modules.copied().filter(|each| self.contains(*each));
        if disabled.clone().next().is_none() || !valid(flags(|_| true)) {
            return None;
        }
        let feature = disabled.find(|each| !valid(Disabled(1 << *each as u32).flags()))?;
        let why = if feature.is_supported() { "disabled" } else { "not part of this build" };
        let name = feature.name();
        Some(Error::because(format_args!("the feature '{name}' is {why}"), error))
    }
}

fn flags(on: impl Fn(Feature) -> bool) -> WasmFeatures {
    let mut flags = WasmFeatures::MVP;
    for &feature in Feature::ALL.iter().filter(|feature| on(**feature)) {
        flags |= feature.row().flags;
    }
    flags
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Config, Engine, ErrorKind, Module};

    #[test]
    fn the_table_is_all_of_wasm_3_and_more() {
        let more = WasmFeatures::THREADS
            | WasmFeatures::WIDE_ARITHMETIC
            | WasmFeatures::CUSTOM_PAGE_SIZES
            | WasmFeatures::COMPACT_IMPORTS;
        assert_eq!(flags(|_| true).difference(OF_COMPONENTS), WasmFeatures::WASM3 | more);
        assert!(flags(|_| true).contains(OF_COMPONENTS));
        assert!(!Disabled::default().component_flags().contains(WasmFeatures::CM_NESTED_NAMES));
        assert!(!Disabled::default().flags().intersects(OF_COMPONENTS));
        for (row, feature) in TABLE.iter().zip(Feature::ALL) {
            assert_eq!(row.name, feature.name());
            assert_eq!(feature.name().parse::<Feature>().ok(), Some(*feature));
        }
        assert!(Feature::ALL.len() <= 32);
        assert!("no-such".parse::<Feature>().is_err());
    }

    fn compile(disabled: &[Feature], text: &str) -> Result<Module> {
        let mut config = Config::new();
        disabled.iter().for_each(|feature| {
            config.wasm_feature(*feature, false);
        });
        Module::new(&Engine::new(&config)?, text)
    }

    #[cfg(all(feature = "wat", feature = "threads"))]
    #[test]
    fn a_disabled_feature_is_named() {
        use Feature::*;
        let uses = [
            (MutableGlobal, r#"(global (export "g") (mut i32) (i32.const 0))"#),
            (SaturatingFloatToInt, "(func (drop (i32.trunc_sat_f32_s (f32.const 0))))"),
            (SignExtension, "(func (drop (i32.extend8_s (i32.const 0))))"),
            (MultiValue, "(func (result i32 i32) (i32.const 0) (i32.const 0))"),
            (
                BulkMemory,
                "(memory 1) (func (memory.init 0 (i32.const 0) (i32.const 0) (i32.const 0))) (data \"\")",
            ),
            (ReferenceTypes, "(table 1 externref)"),
            (Simd, "(func (param v128))"),
            (TailCall, "(func $f (return_call $f))"),
            (ExtendedConst, "(global i32 (i32.add (i32.const 1) (i32.const 1)))"),
            (FunctionReferences, "(type $t (func)) (func (param (ref null $t)))"),
            (Gc, "(type (struct))"),
            (Exceptions, "(tag)"),
            (RelaxedSimd, "(func (param v128) (drop (i32x4.relaxed_trunc_f32x4_s (local.get 0))))"),
            (MultiMemory, "(memory 1) (memory 1)"),
            (Memory64, "(memory i64 1)"),
            (Threads, "(memory 1 1 shared)"),
            (
                WideArithmetic,
                "(func (param i64) (result i64 i64) (i64.mul_wide_s (local.get 0) (local.get 0)))",
            ),
            (CustomPageSizes, "(memory 1 (pagesize 1))"),
        ];
        for (feature, body) in uses {
            let text = format!("(module {body})");
            assert!(compile(&[], &text).is_ok(), "{text}");
            let others: Vec<Feature> = match feature {
                // What builds on another feature goes with it.
                Gc => vec![Simd, Threads],
                _ => vec![WideArithmetic, CustomPageSizes, Threads],
            };
            for disabled in [vec![feature], [vec![feature], others].concat()] {
                let error = compile(&disabled, &text).expect_err(&text);
                assert_eq!(error.kind(), ErrorKind::Invalid);
                let name = format!("the feature '{}' is disabled: ", feature.name());
                assert!(error.to_string().contains(&name), "{error}");
                assert!(error.offset().is_some());
            }
        }
    }

    #[cfg(feature = "wat")]
    #[test]
    fn what_is_invalid_anyway_is_no_matter_of_features() {
        let error = compile(&[Feature::Simd], "(module (func (result i32)))").unwrap_err();
        assert!(!error.to_string().contains("feature"), "{error}");
    }

    #[cfg(all(feature = "wat", not(feature = "threads")))]
    #[test]
    fn a_feature_left_out_is_named() {
        let error = compile(&[], "(module (memory 1 1 shared))").unwrap_err();
        assert!(error.to_string().contains("'threads' is not part of this build"), "{error}");
        assert!(compile(&[], "(module (memory 1))").is_ok());
    }
}
