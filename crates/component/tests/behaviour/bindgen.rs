//! Hosts made with `bindgen!` and the guests of `components/`, which are text: values of
//! all kinds go both ways, resources of both sides live and die.

use zwasm::{Engine, Result, Store};
use zwasm_component::{Component, HasSelf, Linker, Resource, ResourceTable};

mod echo {
    zwasm_component::bindgen!({
        world: "echo",
        inline: r#"
            package test:echo;

            interface kinds {
                record point { x: s32, y-coordinate: s32 }
                record named { name: string, at: point, tags: list<string> }
                variant shape { dot, circle(f64), polygon(list<point>), named(named) }
                enum colour { red, dark-green, blue }
                flags rights { read, write, really-execute }
                enum failure {
                    /// It is not there.
                    not-found,
                    denied,
                }
                move-point: func(p: point, by: tuple<s32, s32>) -> point;
                rename: func(n: named, %type: string) -> named;
                largest: func(of: list<shape>) -> option<shape>;
                paint: func(s: shape, c: colour) -> result<colour, failure>;
                restrict: func(r: rights) -> rights;
            }

            world echo {
                import kinds;
                import answer: func(question: string) -> u32;
                export kinds;
                export run: func(question: string) -> u32;
            }
        "#,
        additional_derives: [PartialEq],
    });
}

use echo::test::echo::kinds;

/// What the guest hands on was what the test gave it, and the answers are told apart.
#[derive(Default)]
struct Host {
    shapes: Vec<kinds::Shape>,
}

impl kinds::Host for Host {
    fn move_point(&mut self, p: kinds::Point, by: (i32, i32)) -> kinds::Point {
        kinds::Point { x: p.x + by.0, y_coordinate: p.y_coordinate + by.1 }
    }

    fn rename(&mut self, n: kinds::Named, type_: String) -> kinds::Named {
        let mut tags = n.tags;
        let first = std::mem::replace(&mut tags[0], type_.clone());
        tags.push(first);
        kinds::Named { name: format!("{} the {type_}", n.name), at: n.at, tags }
    }

    fn largest(&mut self, of: Vec<kinds::Shape>) -> Option<kinds::Shape> {
        self.shapes = of;
        self.shapes.last().cloned()
    }

    fn paint(
        &mut self,
        s: kinds::Shape,
        c: kinds::Colour,
    ) -> std::result::Result<kinds::Colour, kinds::Failure> {
        match s {
            kinds::Shape::Dot => Err(kinds::Failure::NotFound),
            kinds::Shape::Circle(radius) if radius > 1.0 => Err(kinds::Failure::Denied),
            kinds::Shape::Circle(_) => Ok(kinds::Colour::Blue),
            kinds::Shape::Polygon(points) => {
                assert_eq!(points[1], kinds::Point { x: -1, y_coordinate: i32::MAX });
                Ok(c)
            }
            kinds::Shape::Named(named) => {
                assert_eq!(named.tags, ["", "é"]);
                Ok(kinds::Colour::DarkGreen)
            }
        }
    }

    fn restrict(&mut self, r: kinds::Rights) -> kinds::Rights {
        r & !kinds::Rights::WRITE
    }
}

impl echo::EchoImports for Host {
    fn answer(&mut self, question: String) -> u32 {
        question.len() as u32
    }
}

fn component(engine: &Engine, text: &str) -> Component {
    Component::new(engine, text).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn values_of_all_kinds_go_both_ways() -> Result<()> {
    use echo::exports::test::echo::kinds::{Colour, Failure, Named, Point, Rights, Shape};

    let engine = Engine::default();
    let component = component(&engine, include_str!("../components/echo.wat"));
    let mut linker = Linker::new(&engine);
    echo::Echo::add_to_linker::<_, HasSelf<_>>(&mut linker, |host: &mut Host| host)?;
    let mut store = Store::new(&engine, Host::default());
    let echo = echo::Echo::instantiate(&mut store, &component, &linker)?;

    assert_eq!(echo.call_run(&mut store, "how long?")?, 9);
    assert_eq!(echo.call_run(&mut store, "")?, 0);

    let guest = echo.test_echo_kinds();
    let point = Point { x: -1, y_coordinate: i32::MAX };
    let moved = guest.call_move_point(&mut store, point, (3, -4))?;
    assert_eq!(moved, Point { x: 2, y_coordinate: i32::MAX - 4 });

    let named = Named { name: "é".into(), at: point, tags: vec!["".into(), "é".into()] };
    let renamed = guest.call_rename(&mut store, &named, "accent")?;
    assert_eq!(renamed.name, "é the accent");
    assert_eq!((renamed.at, renamed.tags), (point, vec!["accent".into(), "é".into(), "".into()]));

    let shapes = [
        Shape::Dot,
        Shape::Circle(f64::MIN_POSITIVE),
        Shape::Polygon(vec![point; 3]),
        Shape::Named(named.clone()),
    ];
    for count in 0..=shapes.len() {
        let last = guest.call_largest(&mut store, &shapes[..count])?;
        assert_eq!(last.as_ref(), shapes[..count].last());
        assert_eq!(store.data().shapes.len(), count);
    }

    let mut paint = |shape: &Shape| guest.call_paint(&mut store, shape, Colour::Red);
    assert_eq!(paint(&shapes[0])?, Err(Failure::NotFound));
    assert_eq!(paint(&Shape::Circle(1.5))?, Err(Failure::Denied));
    assert_eq!(paint(&Shape::Circle(-0.0))?, Ok(Colour::Blue));
    assert_eq!(paint(&shapes[2])?, Ok(Colour::Red));
    assert_eq!(paint(&shapes[3])?, Ok(Colour::DarkGreen));

    assert_eq!(guest.call_restrict(&mut store, Rights::all())?, !Rights::WRITE);
    assert_eq!(guest.call_restrict(&mut store, Rights::WRITE)?, Rights::empty());
    Ok(())
}

#[test]
fn types_that_were_generated_print_as_in_wit() {
    use kinds::{Colour, Failure, Point, Rights, Shape};
    assert_eq!(
        format!("{:?}", Shape::Polygon(vec![Point { x: 1, y_coordinate: 2 }])),
        "Shape::Polygon([Point { x: 1, y_coordinate: 2 }])"
    );
    assert_eq!(format!("{:?} {:?}", Shape::Dot, Colour::DarkGreen), "Shape::Dot Colour::DarkGreen");
    assert_eq!(format!("{:?}", Rights::READ | Rights::REALLY_EXECUTE), "(READ|REALLY_EXECUTE)");
    assert_eq!(Failure::NotFound.to_string(), "not-found (error 0)");
    assert_eq!(Failure::NotFound.message(), "It is not there.");
    let error: &dyn std::error::Error = &Failure::Denied;
    assert!(format!("{error:?}").contains("name: \"denied\""));
}

#[test]
fn a_component_of_another_world_is_refused() {
    let engine = Engine::default();
    let mut linker = Linker::new(&engine);
    echo::Echo::add_to_linker::<_, HasSelf<_>>(&mut linker, |host: &mut Host| host).unwrap();
    let refused = |text: &str| {
        let mut store = Store::new(&engine, Host::default());
        let component = component(&engine, text);
        match echo::Echo::instantiate(&mut store, &component, &linker) {
            Ok(_) => panic!("was accepted"),
            Err(error) => error.summary(),
        }
    };
    assert!(refused("(component)").contains("no export `run`"));
    let without_instance = refused(
        r#"(component (import "answer" (func $f (param "question" string) (result u32)))
            (core module $m (memory (export "m") 1)
                (func (export "f") (param i32 i32) (result i32) (i32.const 0))
                (func (export "r") (param i32 i32 i32 i32) (result i32) (i32.const 0)))
            (core instance $i (instantiate $m))
            (func (export "run") (param "question" string) (result u32)
                (canon lift (core func $i "f") (memory (core memory $i "m"))
                    (realloc (core func $i "r")))))"#,
    );
    assert!(without_instance.contains("`test:echo/kinds`"), "{without_instance}");
    let other_import = refused(r#"(component (import "answer" (func (param "question" u32))))"#);
    assert!(other_import.contains("answer"), "{other_import}");
}

mod counters {
    zwasm_component::bindgen!({
        inline: r#"
            package test:counters@1.2.0;

            interface counters {
                resource counter {
                    constructor(count: u32, name: string);
                    add: func(by: u32) -> u32;
                    sum: static func(a: borrow<counter>, b: counter) -> u32;
                }
            }

            world counting {
                import logs: interface {
                    resource log {
                        constructor(name: string);
                        write: func(text: string);
                        count: static func() -> u32;
                    }
                    read: func(log: borrow<log>) -> string;
                }
                export counters;
            }
        "#,
        with: { "logs.log": super::Log },
        imports: { default: trappable },
    });
}

/// What a log of the guest's is.
pub struct Log(String);

#[derive(Default)]
struct Logs {
    table: ResourceTable,
    dropped: Vec<String>,
}

impl counters::logs::HostLog for Logs {
    fn new(&mut self, name: String) -> Result<Resource<Log>> {
        if name.is_empty() {
            return Err(zwasm::Error::msg("a log has a name"));
        }
        Ok(self.table.push(Log(format!("{name}:")))?)
    }

    fn write(&mut self, self_: Resource<Log>, text: String) -> Result<()> {
        let log = self.table.get_mut(&self_)?;
        log.0 = format!("{} {text}", log.0);
        Ok(())
    }

    fn count(&mut self) -> Result<u32> {
        Ok(self.dropped.len() as u32)
    }

    fn drop(&mut self, rep: Resource<Log>) -> Result<()> {
        let log = self.table.delete(rep)?;
        self.dropped.push(log.0);
        Ok(())
    }
}

impl counters::logs::Host for Logs {
    fn read(&mut self, log: Resource<Log>) -> Result<String> {
        Ok(self.table.get(&log)?.0.clone())
    }
}

#[test]
fn resources_of_host_and_guest_live_as_long_as_their_owners() -> Result<()> {
    let engine = Engine::default();
    let component = component(&engine, include_str!("../components/counters.wat"));
    let mut linker = Linker::new(&engine);
    counters::Counting::add_to_linker::<_, HasSelf<_>>(&mut linker, |logs: &mut Logs| logs)?;
    let mut store = Store::new(&engine, Logs::default());
    let pre = counters::CountingPre::new(linker.instantiate_pre(&component)?)?;
    let guest = pre.clone().instantiate(&mut store)?;

    let counter = guest.test_counters_counters().counter();
    let first = counter.call_constructor(&mut store, 5, "first")?;
    let second = counter.call_constructor(&mut store, 7, "second")?;
    assert_eq!(counter.call_add(&mut store, first, 10)?, 15);
    assert_eq!(counter.call_add(&mut store, first, 1)?, 16);
    assert_eq!(store.data().dropped, [""; 0]);
    // The second is given away, and with it its log.
    assert_eq!(counter.call_sum(&mut store, first, second)?, 23);
    assert_eq!(store.data().dropped, ["second:"]);
    first.resource_drop(&mut store)?;
    assert_eq!(store.data().dropped, ["second:", "first: counted counted"]);
    // Neither handle is worth anything now.
    for gone in [first, second] {
        let mut store = Store::new(&engine, Logs::default());
        let guest = pre.instantiate(&mut store)?;
        let counter = guest.test_counters_counters().counter();
        assert!(counter.call_add(&mut store, gone, 1).is_err());
    }
    assert!(counter.call_add(&mut store, second, 1).is_err());
    Ok(())
}

#[test]
fn an_error_of_the_host_stops_the_guest() -> Result<()> {
    let engine = Engine::default();
    let component = component(&engine, include_str!("../components/counters.wat"));
    let mut linker = Linker::new(&engine);
    counters::Counting::add_to_linker::<_, HasSelf<_>>(&mut linker, |logs: &mut Logs| logs)?;
    let mut store = Store::new(&engine, Logs::default());
    let guest = counters::Counting::instantiate(&mut store, &component, &linker)?;
    let counter = guest.test_counters_counters().counter();
    let error = counter.call_constructor(&mut store, 1, "").unwrap_err();
    assert!(error.summary().contains("a log has a name"), "{error}");
    Ok(())
}
