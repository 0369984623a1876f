//! What `bindgen!` is told: the syntax is wasmtime's.

use std::cell::Cell;

use proc_macro2::Span;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, Ident, LitBool, LitStr, Path, Result, Token, braced, bracketed, token};
use wit_parser::Function;

use crate::default_crate;

/// All options.
pub(crate) struct Options {
    pub(super) world: Option<LitStr>,
    pub(super) paths: Vec<LitStr>,
    pub(super) inline: Option<LitStr>,
    /// Whether there is no world, but interfaces only.
    pub(super) only_interfaces: bool,
    pub(super) with: Vec<With>,
    pub(super) imports: Functions,
    pub(super) exports: Functions,
    pub(super) trappable_errors: Vec<(LitStr, Path)>,
    pub(super) derives: Vec<Path>,
    pub(super) require_send: bool,
    pub(super) skip_forwarding: bool,
    pub(super) krate: Path,
}

/// Something of WIT that Rust code elsewhere stands for.
pub(super) struct With {
    pub(super) name: LitStr,
    pub(super) path: Path,
    pub(super) used: Cell<bool>,
}

/// Which functions are generated how.
#[derive(Default)]
pub(super) struct Functions {
    rules: Vec<Rule>,
    default: Flags,
}

struct Rule {
    name: LitStr,
    flags: Flags,
    used: Cell<bool>,
}

/// How a function is generated.
#[derive(Clone, Copy, Default)]
pub(super) struct Flags {
    /// It is a future.
    pub(super) asynchronous: bool,
    /// It has the store: if it is a future, by an accessor.
    pub(super) store: bool,
    /// Its implementation may fail, which stops the guest.
    pub(super) trappable: bool,
    /// The rule is for the very name, not for what it is a part of.
    exact: bool,
}

impl Flags {
    /// The same for a function: one that is asynchronous in WIT is a future with the store.
    pub(super) fn of(mut self, func: &Function) -> Flags {
        if func.kind.is_async() {
            (self.asynchronous, self.store) = (true, true);
        }
        self
    }
}

impl Functions {
    /// How a function is generated. Its own names come first, then those of what it is a
    /// part of; each with and without version.
    pub(super) fn flags(&self, own: &[String], within: &[String]) -> Flags {
        let names = own.iter().map(|name| (name, true)).chain(within.iter().map(|n| (n, false)));
        for (name, own) in names {
            let fits = |rule: &&Rule| rule.name.value() == *name && (own || !rule.flags.exact);
            if let Some(rule) = self.rules.iter().find(fits) {
                rule.used.set(true);
                return rule.flags;
            }
        }
        self.default
    }

    /// Whether any function is a future.
    pub(super) fn any_asynchronous(&self) -> bool {
        self.rules.iter().map(|rule| rule.flags).chain([self.default]).any(|it| it.asynchronous)
    }

    /// Checks that each rule was for some function.
    pub(super) fn check_used(&self) -> Result<()> {
        match self.rules.iter().find(|rule| !rule.used.get()) {
            None => Ok(()),
            Some(rule) => {
                Err(Error::new(rule.name.span(), "no function of the world has this name"))
            }
        }
    }
}

const KNOWN: &str = "`world`, `path`, `inline`, `interfaces`, `with`, `imports`, `exports`, \
    `trappable_error_type`, `additional_derives`, `ownership`, `require_store_data_send`, \
    `skip_mut_forwarding_impls` and `component_crate`";

impl Parse for Options {
    fn parse(input: ParseStream<'_>) -> Result<Options> {
        let mut options = Options {
            world: None,
            paths: Vec::new(),
            inline: None,
            only_interfaces: false,
            with: Vec::new(),
            imports: Functions::default(),
            exports: Functions::default(),
            trappable_errors: Vec::new(),
            derives: Vec::new(),
            require_send: false,
            skip_forwarding: false,
            krate: default_crate(),
        };
        if input.peek(token::Brace) {
            let content;
            braced!(content in input);
            let mut seen = Vec::<Ident>::new();
            while !content.is_empty() {
                let name: Ident = content.parse()?;
                if seen.contains(&name) {
                    return Err(Error::new(name.span(), format!("`{name}` is given twice")));
                }
                content.parse::<Token![:]>()?;
                options.option(&name, &content)?;
                seen.push(name);
                if !content.is_empty() {
                    content.parse::<Token![,]>()?;
                }
            }
        } else {
            options.world = input.parse()?;
            if input.parse::<Option<Token![in]>>()?.is_some() {
                options.paths.push(input.parse()?);
            }
        }
        Ok(options)
    }
}

impl Options {
    fn option(&mut self, name: &Ident, input: ParseStream<'_>) -> Result<()> {
        match name.to_string().as_str() {
            "world" => self.world = Some(input.parse()?),
            "path" if input.peek(token::Bracket) => {
                let paths;
                bracketed!(paths in input);
                let paths = Punctuated::<LitStr, Token![,]>::parse_terminated(&paths)?;
                self.paths = paths.into_iter().collect();
            }
            "path" => self.paths = vec![input.parse()?],
            "inline" => self.source(name, input.parse()?)?,
            "interfaces" => {
                let items: LitStr = input.parse()?;
                let world = format!(
                    "package zwasm:interfaces;\nworld interfaces {{\n{}\n}}",
                    items.value()
                );
                self.source(name, LitStr::new(&world, items.span()))?;
                self.only_interfaces = true;
            }
            "with" => {
                let with;
                braced!(with in input);
                let parse = |input: ParseStream<'_>| {
                    let name = input.parse()?;
                    input.parse::<Token![:]>()?;
                    let path = input.call(Path::parse_mod_style)?;
                    Ok(With { name, path, used: Cell::new(false) })
                };
                self.with = with.parse_terminated(parse, Token![,])?.into_iter().collect();
            }
            "imports" => self.imports = functions(input)?,
            "exports" => self.exports = functions(input)?,
            "trappable_error_type" => {
                let errors;
                braced!(errors in input);
                let parse = |input: ParseStream<'_>| {
                    let name = input.parse()?;
                    input.parse::<Token![=>]>()?;
                    Ok((name, input.parse()?))
                };
                let errors = errors.parse_terminated(parse, Token![,])?;
                self.trappable_errors = errors.into_iter().collect();
            }
            "additional_derives" => {
                let derives;
                bracketed!(derives in input);
                let derives = Punctuated::<Path, Token![,]>::parse_terminated(&derives)?;
                self.derives = derives.into_iter().collect();
            }
            "ownership" => {
                let ownership: Ident = input.parse()?;
                if ownership != "Owning" {
                    return Err(Error::new(
                        ownership.span(),
                        "generated types own what they hold: only `Owning` is supported",
                    ));
                }
            }
            "require_store_data_send" => self.require_send = input.parse::<LitBool>()?.value,
            "skip_mut_forwarding_impls" => self.skip_forwarding = input.parse::<LitBool>()?.value,
            "component_crate" => self.krate = input.call(Path::parse_mod_style)?,
            "wasmtime_crate" => {
                return Err(Error::new(
                    name.span(),
                    "the path to this crate is given by `component_crate`",
                ));
            }
            "named_imports"
            | "anyhow"
            | "debug"
            | "stringify"
            | "include_component_type"
            | "include_generated_code_from_file" => {
                return Err(Error::new(
                    name.span(),
                    format!("the option `{name}` is not supported; those that are: {KNOWN}"),
                ));
            }
            _ => {
                return Err(Error::new(
                    name.span(),
                    format!("there is no option `{name}`; the options are {KNOWN}"),
                ));
            }
        }
        Ok(())
    }

    fn source(&mut self, option: &Ident, source: LitStr) -> Result<()> {
        match self.inline.replace(source) {
            None => Ok(()),
            Some(_) => {
                Err(Error::new(option.span(), "`inline` and `interfaces` cannot both be given"))
            }
        }
    }
}

fn functions(input: ParseStream<'_>) -> Result<Functions> {
    let content;
    braced!(content in input);
    let mut functions = Functions::default();
    while !content.is_empty() {
        let next = content.lookahead1();
        let name = if next.peek(LitStr) {
            Some(content.parse::<LitStr>()?)
        } else if next.peek(Token![default]) {
            content.parse::<Token![default]>()?;
            None
        } else {
            return Err(next.error());
        };
        content.parse::<Token![:]>()?;
        let flags = flags(&content)?;
        match name {
            Some(name) => functions.rules.push(Rule { name, flags, used: Cell::new(false) }),
            None => functions.default = flags,
        }
        if !content.is_empty() {
            content.parse::<Token![,]>()?;
        }
    }
    Ok(functions)
}

fn flags(input: ParseStream<'_>) -> Result<Flags> {
    let mut flags = Flags::default();
    while !input.is_empty() && !input.peek(Token![,]) {
        let span: Span = input.span();
        if input.parse::<Option<Token![async]>>()?.is_some() {
            flags.asynchronous = true;
        } else {
            let flag: Ident = input.parse()?;
            match flag.to_string().as_str() {
                "trappable" => flags.trappable = true,
                "exact" => flags.exact = true,
                "store" => flags.store = true,
                _ => {
                    let message = format!(
                        "there is no flag `{flag}`; the flags are `async`, `store`, `trappable` \
                         and `exact`"
                    );
                    return Err(Error::new(span, message));
                }
            }
        }
        if input.parse::<Option<Token![|]>>()?.is_none() {
            break;
        }
    }
    Ok(flags)
}
