//! Hosts made with `bindgen!` whose functions are futures, and the guests of `components/`:
//! called by futures, on an executor made by hand.

use zwasm::{Engine, Error, Result, Store};
use zwasm_component::{Component, HasSelf, Linker, Resource, ResourceTable};

use crate::asynchronous::{After, block_on};

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
                enum failure { not-found, denied }
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
        imports: {
            "test:echo/kinds.restrict": trappable,
            "test:echo/kinds.paint": async | trappable,
            default: async,
        },
        exports: { "test:echo/kinds.move-point": trappable, default: async },
        trappable_error_type: { "test:echo/kinds.failure" => super::NotPainted },
        additional_derives: [PartialEq],
    });
}

use echo::test::echo::kinds;

/// Why something was not painted.
pub enum NotPainted {
    Told(kinds::Failure),
    Stopped,
}

/// Waits so many times in each function.
#[derive(Default)]
struct Host {
    waits: u32,
    shapes: Vec<kinds::Shape>,
}

impl Host {
    async fn wait(&mut self) {
        After::new(self.waits).await;
    }
}

impl kinds::Host for Host {
    async fn move_point(&mut self, p: kinds::Point, by: (i32, i32)) -> kinds::Point {
        self.wait().await;
        kinds::Point { x: p.x + by.0, y_coordinate: p.y_coordinate + by.1 }
    }

    async fn rename(&mut self, mut n: kinds::Named, type_: String) -> kinds::Named {
        self.wait().await;
        n.name = format!("{} the {type_}", n.name);
        n
    }

    async fn largest(&mut self, of: Vec<kinds::Shape>) -> Option<kinds::Shape> {
        self.shapes = of;
        self.wait().await;
        self.shapes.last().cloned()
    }

    async fn paint(
        &mut self,
        s: kinds::Shape,
        c: kinds::Colour,
    ) -> std::result::Result<kinds::Colour, NotPainted> {
        self.wait().await;
        match s {
            kinds::Shape::Dot => Err(NotPainted::Told(kinds::Failure::Denied)),
            kinds::Shape::Circle(_) => Err(NotPainted::Stopped),
            kinds::Shape::Polygon(_) | kinds::Shape::Named(_) => Ok(c),
        }
    }

    fn restrict(&mut self, r: kinds::Rights) -> Result<kinds::Rights> {
        Ok(r & !kinds::Rights::WRITE)
    }

    fn convert_failure(&mut self, error: NotPainted) -> Result<kinds::Failure> {
        match error {
            NotPainted::Told(failure) => Ok(failure),
            NotPainted::Stopped => Err(Error::msg("circles are not painted")),
        }
    }
}

impl echo::EchoImports for Host {
    async fn answer(&mut self, question: String) -> u32 {
        self.wait().await;
        question.len() as u32
    }
}

fn component(engine: &Engine, text: &str) -> Component {
    Component::new(engine, text).unwrap_or_else(|error| panic!("{error}"))
}

/// All that a call needs can go to other threads.
fn sent<F: Future + Send>(future: F) -> F {
    future
}

#[test]
fn both_sides_may_be_futures() -> Result<()> {
    use echo::exports::test::echo::kinds::{Colour, Failure, Named, Point, Rights, Shape};

    let engine = Engine::default();
    let component = component(&engine, include_str!("../components/echo.wat"));
    let mut linker = Linker::new(&engine);
    echo::Echo::add_to_linker::<_, HasSelf<_>>(&mut linker, |host: &mut Host| host)?;
    for waits in [0, 3] {
        let mut store = Store::new(&engine, Host { waits, ..Host::default() });
        let instantiated = echo::Echo::instantiate_async(&mut store, &component, &linker);
        let (echo, polls) = block_on(sent(instantiated));
        let echo = echo?;
        assert_eq!(polls, 0);
        let guest = echo.test_echo_kinds();

        let question = String::from("how long?");
        let (length, polls) = block_on(sent(echo.call_run(&mut store, &question)));
        assert_eq!((length?, polls), (9, waits));
        let point = Point { x: -1, y_coordinate: i32::MAX };
        let named = Named { name: "é".into(), at: point, tags: vec!["".into(), "é".into()] };
        let (renamed, polls) = block_on(guest.call_rename(&mut store, &named, "accent"));
        let renamed = renamed?;
        assert_eq!((&*renamed.name, polls), ("é the accent", waits));
        assert_eq!((renamed.at, renamed.tags), (point, named.tags.clone()));

        let shapes = [Shape::Polygon(vec![point; 3]), Shape::Dot, Shape::Circle(1.5)];
        let (last, polls) = block_on(guest.call_largest(&mut store, &shapes));
        assert_eq!((last?.as_ref(), polls), (shapes.last(), waits));
        assert_eq!(store.data().shapes.len(), 3);

        let mut paint = |shape| block_on(guest.call_paint(&mut store, shape, Colour::Red)).0;
        assert_eq!(paint(&shapes[0])?, Ok(Colour::Red));
        assert_eq!(paint(&shapes[1])?, Err(Failure::Denied));
        // A function that does not wait is called by futures as well.
        let (restricted, polls) = block_on(guest.call_restrict(&mut store, Rights::all()));
        assert_eq!((restricted?, polls), (!Rights::WRITE, 0));
        let error = block_on(guest.call_paint(&mut store, &shapes[2], Colour::Red)).0.unwrap_err();
        assert!(error.summary().contains("circles are not painted"), "{error}");

        // A call that is no future goes as far as there is something to wait for.
        let mut store = Store::new(&engine, Host { waits, ..Host::default() });
        let guest = echo::Echo::instantiate(&mut store, &component, &linker)?;
        let error = guest.test_echo_kinds().call_move_point(&mut store, point, (1, -1));
        let error = error.unwrap_err().summary();
        assert!(error.contains("cannot wait in a synchronous call"), "{error}");
    }
    Ok(())
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
        imports: { "logs.[static]log.count": trappable, default: async | trappable },
        exports: { default: async },
        require_store_data_send: true,
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
    async fn new(&mut self, name: String) -> Result<Resource<Log>> {
        After::new(1).await;
        Ok(self.table.push(Log(format!("{name}:")))?)
    }

    async fn write(&mut self, self_: Resource<Log>, text: String) -> Result<()> {
        After::new(2).await;
        let log = self.table.get_mut(&self_)?;
        log.0 = format!("{} {text}", log.0);
        Ok(())
    }

    fn count(&mut self) -> Result<u32> {
        Ok(self.dropped.len() as u32)
    }

    async fn drop(&mut self, rep: Resource<Log>) -> Result<()> {
        After::new(4).await;
        let log = self.table.delete(rep)?;
        self.dropped.push(log.0);
        Ok(())
    }
}

impl counters::logs::Host for Logs {
    async fn read(&mut self, log: Resource<Log>) -> Result<String> {
        Ok(self.table.get(&log)?.0.clone())
    }
}

#[test]
fn methods_and_destructors_may_be_futures() -> Result<()> {
    let engine = Engine::default();
    let component = component(&engine, include_str!("../components/counters.wat"));
    let mut linker = Linker::new(&engine);
    counters::Counting::add_to_linker::<_, HasSelf<_>>(&mut linker, |logs: &mut Logs| logs)?;
    let mut store = Store::new(&engine, Logs::default());
    let pre = counters::CountingPre::new(linker.instantiate_pre(&component)?)?;
    let guest = block_on(pre.instantiate_async(&mut store)).0?;
    let counter = guest.test_counters_counters().counter();
    let (first, polls) = block_on(counter.call_constructor(&mut store, 5, "first"));
    assert_eq!(polls, 1);
    let (first, second) = (first?, block_on(counter.call_constructor(&mut store, 7, "second")).0?);
    let (count, polls) = block_on(counter.call_add(&mut store, first, 10));
    assert_eq!((count?, polls), (15, 2));
    // The second is given away, and with it its log.
    let (sum, polls) = block_on(counter.call_sum(&mut store, first, second));
    assert_eq!((sum?, polls), (22, 4));
    assert_eq!(store.data().dropped, ["second:"]);
    let (dropped, polls) = block_on(sent(first.resource_drop_async(&mut store)));
    dropped?;
    assert_eq!(polls, 4);
    assert_eq!(store.data().dropped, ["second:", "first: counted"]);
    Ok(())
}
