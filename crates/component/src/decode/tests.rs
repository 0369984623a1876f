//! What components are flattened to.

use std::sync::Arc;

use zwasm::Engine;

use super::decode;
use crate::plan::{CoreDef, Export, FuncDef, ModuleUse, Origin, Plan, Step};
use crate::types::InterfaceType;
use crate::types::items::ItemType;

fn plan(text: &str) -> Plan {
    let binary = wat::parse_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    decode(&Engine::default(), &Arc::new(binary)).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// The steps in a few words each.
fn steps(plan: &Plan) -> Vec<String> {
    let core = |def: &CoreDef| match def {
        CoreDef::Func(index) => format!("f{index}"),
        CoreDef::Export(instance, export) => format!("i{instance}.{}", export.name),
    };
    let step = |step: &Step| match step {
        Step::Destructor { resource, destructor } => {
            format!("destructor r{} {}", resource.0, core(destructor))
        }
        Step::Instantiate(ModuleUse::Static(module, imports)) => {
            let imports: Vec<_> = imports.iter().map(core).collect();
            format!("instantiate m{module} ({})", imports.join(" "))
        }
        Step::Instantiate(ModuleUse::Import(import, given)) => {
            let given: Vec<_> = given
                .iter()
                .map(|given| format!("{}.{}={}", given.module, given.name, core(&given.def)))
                .collect();
            format!("instantiate import{import} ({})", given.join(" "))
        }
        Step::Lift { core: func, options, .. } => {
            format!("lift {} in {}", core(func), options.instance)
        }
        Step::Lower { func: FuncDef::Import(import), options, .. } => {
            format!("lower import{import} in {}", options.instance)
        }
        Step::Lower { func: FuncDef::Lifted(lifted), options, .. } => {
            format!("lower l{lifted} in {}", options.instance)
        }
        Step::Lower { func: FuncDef::Abstract, .. } => "lower nothing".to_owned(),
        Step::ResourceNew { resource, instance } => format!("new r{} in {instance}", resource.0),
        Step::ResourceRep { resource, instance } => format!("rep r{} in {instance}", resource.0),
        Step::ResourceDrop { resource, instance } => format!("drop r{} in {instance}", resource.0),
        Step::BuiltIn { built_in, instance } => format!("{built_in:?} in {instance}"),
    };
    plan.steps.iter().map(step).collect()
}

fn paths(plan: &Plan) -> Vec<String> {
    plan.imports.iter().map(|import| import.path.join("#")).collect()
}

#[test]
fn what_is_imported_has_paths() {
    let plan = plan(
        r#"(component
            (import "f" (func))
            (import "i" (instance
                (export "r" (type $r (sub resource)))
                (export "again" (type (eq $r)))
                (export "g" (func (param "x" (own $r))))
                (export "in" (instance (export "h" (func))))))
            (import "t" (type (sub resource)))
            (import "m" (core module (import "a" "b" (func)))))"#,
    );
    assert_eq!(paths(&plan), ["f", "i#r", "i#g", "i#in#h", "t", "m"]);
    assert_eq!(plan.resources, [Origin::Import(1), Origin::Import(4)]);
    assert_eq!(plan.instances, [None]);
    assert!(plan.steps.is_empty());
}

#[test]
fn each_instance_has_its_own_resources() {
    let plan = plan(
        r#"(component
            (component $c
                (core module $m (func (export "d") (param i32)))
                (core instance $m (instantiate $m))
                (type $r (resource (rep i32) (dtor (core func $m "d"))))
                (core func (canon resource.new $r))
                (core func (canon resource.rep $r))
                (core func (canon resource.drop $r))
                (export "r" (type $r)))
            (instance $a (instantiate $c))
            (instance $b (instantiate $c))
            (alias export $b "r" (type $r))
            (core func (canon resource.drop $r))
            (export "a" (instance $a))
            (export "b" (instance $b)))"#,
    );
    assert_eq!(plan.instances, [None, Some(0), Some(0)]);
    assert_eq!(plan.resources, [Origin::Defined(1), Origin::Defined(2)]);
    let one = |at: u32, instance: u32| {
        [
            "instantiate m0 ()".to_owned(),
            format!("destructor r{at} i{at}.d"),
            format!("new r{at} in {instance}"),
            format!("rep r{at} in {instance}"),
            format!("drop r{at} in {instance}"),
        ]
    };
    let last = ["drop r1 in 0".to_owned()];
    assert_eq!(steps(&plan), [&one(0, 1)[..], &one(1, 2)[..], &last[..]].concat());
    // The levels of exports, the outermost first.
    let resources: Vec<_> = plan
        .exports
        .iter()
        .flat_map(|level| &level.entries)
        .filter_map(|entry| match entry.export {
            Export::Resource(resource) => Some(resource.0),
            _ => None,
        })
        .collect();
    assert_eq!(resources, [0, 1]);
}

#[test]
fn arguments_and_aliases_are_followed() {
    let plan = plan(
        r#"(component
            (import "host" (func $host (param "x" u32)))
            (core module $shared (func (export "f") (param i32)))
            (component $lib
                (import "f" (func $f (param "x" u32)))
                (import "m" (core module $m (export "f" (func (param i32)))))
                (core func $f (canon lower (func $f)))
                (core instance $i (instantiate $m))
                (core instance $bag (export "renamed" (func $i "f")) (export "f" (func $f)))
                (core module $user (import "" "f" (func (param i32)))
                    (import "" "renamed" (func (param i32)))
                    (func (export "g") (param i32)))
                (core instance $u (instantiate $user (with "" (instance $bag))))
                (func (export "g") (param "x" u32) (canon lift (core func $u "g"))))
            (component $outer
                (alias outer 1 $shared (core module $m))
                (alias outer 1 $lib (component $lib))
                (import "f" (func $f (param "x" u32)))
                (instance $first (instantiate $lib (with "f" (func $f)) (with "m" (core module $m))))
                (instance $next (instantiate $lib
                    (with "f" (func $first "g")) (with "m" (core module $m))))
                (export "g" (func $next "g")))
            (instance $o (instantiate $outer (with "f" (func $host))))
            (export "g" (func $o "g")))"#,
    );
    assert_eq!(plan.instances, [None, Some(0), Some(1), Some(1)]);
    assert_eq!(
        steps(&plan),
        [
            "lower import0 in 2",
            "instantiate m0 ()",
            "instantiate m1 (f0 i0.f)",
            "lift i1.g in 2",
            "lower l0 in 3",
            "instantiate m0 ()",
            "instantiate m1 (f1 i2.f)",
            "lift i3.g in 3",
        ]
    );
    let exported = &plan.exports[0].entries[0];
    assert!(matches!(exported.export, Export::Func(FuncDef::Lifted(1))), "{:?}", exported.export);
}

#[test]
fn an_imported_module_gets_what_its_type_asks_for() {
    let plan = plan(
        r#"(component
            (import "m" (core module $m (import "a" "x" (func)) (import "a" "y" (memory 1))))
            (core module $given (func (export "x")) (memory (export "y") 1))
            (core instance $given (instantiate $given))
            (core instance (instantiate $m (with "a" (instance $given)))))"#,
    );
    assert_eq!(steps(&plan), ["instantiate m0 ()", "instantiate import0 (a.x=i0.x a.y=i0.y)"]);
}

#[test]
fn what_only_has_a_type_has_no_steps() {
    let plan = plan(
        r#"(component
            (component $c
                (import "i" (instance $i (export "r" (type (sub resource)))
                    (export "f" (func (result string)))))
                (core module $m (memory (export "m") 1)
                    (func (export "r") (param i32 i32 i32 i32) (result i32) unreachable))
                (core instance $m (instantiate $m))
                (core func (canon lower (func $i "f") (memory (core memory $m "m"))
                    (realloc (core func $m "r"))))
                (type $own (resource (rep i32)))
                (export "own" (type $own)))
            (export "c" (component $c)))"#,
    );
    assert!(plan.steps.is_empty() && plan.imports.is_empty());
    assert_eq!(plan.instances, [None]);
    assert!(plan.resources.iter().all(|origin| *origin == Origin::Abstract));
    let [(name, ItemType::Component(items))] = &plan.items.exports[..] else {
        panic!("{:?}", plan.items);
    };
    assert_eq!(&**name, "c");
    let names = |items: &[(Arc<str>, ItemType)]| -> Vec<String> {
        items.iter().map(|(name, _)| name.to_string()).collect()
    };
    assert_eq!(
        (names(&items.imports), names(&items.exports)),
        (vec!["i".into()], vec!["own".into()])
    );
}

/// What a type declares hides what else an instance has.
#[test]
fn instances_have_no_more_than_their_types() {
    let plan = plan(
        r#"(component
            (import "i" (instance $i (export "a" (func)) (export "b" (func))))
            (component $narrow
                (import "i" (instance $i (export "b" (func))))
                (export "i" (instance $i)))
            (instance $n (instantiate $narrow (with "i" (instance $i))))
            (export "n" (instance $n)))"#,
    );
    assert_eq!(plan.exports.len(), 3);
    let names: Vec<_> = plan.exports[2].entries.iter().map(|entry| &*entry.name).collect();
    assert_eq!(names, ["b"]);
}

#[test]
fn types_of_instances_are_those_of_their_arguments() {
    let plan = plan(
        r#"(component
            (import "r" (type $r (sub resource)))
            (component $c
                (import "r" (type $r (sub resource)))
                (type $t (list (own $r)))
                (export "r2" (type $r))
                (export "t" (type $t)))
            (instance $c (instantiate $c (with "r" (type $r))))
            (alias export $c "t" (type $t))
            (type $outer (list (own $r)))
            (export "outer" (type $outer))
            (export "inner" (type $t)))"#,
    );
    let value = |name: &str| {
        let found = plan.items.exports.iter().find(|(other, _)| **other == *name);
        match found {
            Some((_, ItemType::Value(ty @ InterfaceType::Defined(_)))) => *ty,
            other => panic!("{name}: {other:?}"),
        }
    };
    assert_eq!(value("outer"), value("inner"));
    assert_eq!(plan.resources, [Origin::Import(0)]);
}
