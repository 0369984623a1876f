//! A host of components: its interface is written in WIT, has a resource, and
//! `bindgen!` makes traits and calls of it.
//!
//! run: cargo run -p zwasm-examples --bin components
//! expect: there are not enough pears
//! expect: the basket of Ada is put back
//! expect: Ada pays 7
//! expect: the basket of Bob is put back
//! expect: Bob cannot be served: there are no bricks
//! expect: baskets that are left: 0

use std::collections::HashMap;

use zwasm::{Config, Engine, Result, Store};
use zwasm_component::{Component, HasSelf, Linker, Resource, ResourceTable, bindgen};
use zwasm_wasi::{WasiCtx, WasiCtxView, WasiView};

bindgen!({
    inline: r#"
        package example:shop;

        interface stock {
            record item { name: string, count: u32 }
            variant refusal { unknown(string), sold-out }

            resource basket {
                constructor(customer: string);
                add: func(item: item) -> result<u32, refusal>;
                total: func() -> u32;
            }
        }

        world clerk {
            import stock;
            import log: func(message: string);
            export serve: func(customer: string, wishes: list<string>) -> result<u32, string>;
        }
    "#,
    // What a basket is for the host.
    with: { "example:shop/stock.basket": Basket },
    // The table of resources refuses handles that are not its own, which stops the guest.
    imports: { default: trappable },
});

use example::shop::stock;

/// What a basket is.
pub struct Basket {
    customer: String,
    total: u32,
}

/// What the host keeps for the guest.
struct Shop {
    wasi: WasiCtx,
    table: ResourceTable,
    prices: HashMap<&'static str, (u32, u32)>,
    baskets: u32,
}

impl WasiView for Shop {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl stock::Host for Shop {}

impl stock::HostBasket for Shop {
    fn new(&mut self, customer: String) -> Result<Resource<Basket>> {
        self.baskets += 1;
        Ok(self.table.push(Basket { customer, total: 0 })?)
    }

    fn add(
        &mut self,
        basket: Resource<Basket>,
        item: stock::Item,
    ) -> Result<Result<u32, stock::Refusal>> {
        let Some((price, left)) = self.prices.get_mut(item.name.as_str()) else {
            return Ok(Err(stock::Refusal::Unknown(format!("there are no {}", item.name))));
        };
        if *left < item.count {
            return Ok(Err(stock::Refusal::SoldOut));
        }
        let basket = self.table.get_mut(&basket)?;
        *left -= item.count;
        basket.total += *price * item.count;
        Ok(Ok(basket.total))
    }

    fn total(&mut self, basket: Resource<Basket>) -> Result<u32> {
        Ok(self.table.get(&basket)?.total)
    }

    fn drop(&mut self, basket: Resource<Basket>) -> Result<()> {
        let basket = self.table.delete(basket)?;
        println!("the basket of {} is put back", basket.customer);
        self.baskets -= 1;
        Ok(())
    }
}

impl ClerkImports for Shop {
    fn log(&mut self, message: String) -> Result<()> {
        println!("there are not enough {message}");
        Ok(())
    }
}

/// Adds one of each wish to a basket. What is sold out is logged; what is unknown ends
/// the service.
const CLERK: &str = r#"(component
    (import "example:shop/stock" (instance $stock
        (type $item' (record (field "name" string) (field "count" u32)))
        (export "item" (type $item (eq $item')))
        (type $refusal' (variant (case "unknown" string) (case "sold-out")))
        (export "refusal" (type $refusal (eq $refusal')))
        (export "basket" (type $basket (sub resource)))
        (export "[constructor]basket" (func (param "customer" string) (result (own $basket))))
        (export "[method]basket.add" (func (param "self" (borrow $basket)) (param "item" $item)
            (result (result u32 (error $refusal)))))
        (export "[method]basket.total" (func (param "self" (borrow $basket)) (result u32)))))
    (import "log" (func $log (param "message" string)))
    (alias export $stock "basket" (type $basket))

    (core module $memory
        (memory (export "memory") 1)
        (global $end (mut i32) (i32.const 1024))
        (func (export "realloc") (param $old i32) (param $was i32) (param $align i32)
            (param $size i32) (result i32)
            (local $at i32)
            (local.set $at (i32.and (i32.add (global.get $end) (i32.const 7)) (i32.const -8)))
            (global.set $end (i32.add (local.get $at) (local.get $size)))
            (local.get $at)))
    (core instance $memory (instantiate $memory))
    (alias core export $memory "memory" (core memory $mem))
    (alias core export $memory "realloc" (core func $realloc))
    (core func $basket (canon lower (func $stock "[constructor]basket") (memory $mem)))
    (core func $add (canon lower (func $stock "[method]basket.add")
        (memory $mem) (realloc $realloc)))
    (core func $total (canon lower (func $stock "[method]basket.total")))
    (core func $drop (canon resource.drop $basket))
    (core func $log (canon lower (func $log) (memory $mem)))

    ;; Address 16 has the result of `serve`, 32 that of `add`: a discriminant, and from
    ;; the fourth byte on a number, or again a discriminant and then a string.
    (core module $clerk
        (import "memory" "memory" (memory 1))
        (import "host" "basket" (func $basket (param i32 i32) (result i32)))
        (import "host" "add" (func $add (param i32 i32 i32 i32 i32)))
        (import "host" "total" (func $total (param i32) (result i32)))
        (import "host" "drop" (func $drop (param i32)))
        (import "host" "log" (func $log (param i32 i32)))
        (func (export "serve") (param $customer i32) (param $length i32)
            (param $wish i32) (param $left i32) (result i32)
            (local $basket i32)
            (local.set $basket (call $basket (local.get $customer) (local.get $length)))
            (block $done
                (loop $next
                    (i32.store8 (i32.const 16) (i32.const 0))
                    (br_if $done (i32.eqz (local.get $left)))
                    (call $add (local.get $basket)
                        (i32.load (local.get $wish)) (i32.load offset=4 (local.get $wish))
                        (i32.const 1) (i32.const 32))
                    (if (i32.load8_u (i32.const 32))
                        (then
                            (if (i32.load8_u (i32.const 36))
                                (then (call $log (i32.load (local.get $wish))
                                    (i32.load offset=4 (local.get $wish))))
                                (else
                                    (i32.store8 (i32.const 16) (i32.const 1))
                                    (i64.store align=4 (i32.const 20)
                                        (i64.load align=4 (i32.const 40)))
                                    (br $done)))))
                    (local.set $wish (i32.add (local.get $wish) (i32.const 8)))
                    (local.set $left (i32.sub (local.get $left) (i32.const 1)))
                    (br $next)))
            (if (i32.eqz (i32.load8_u (i32.const 16)))
                (then (i32.store (i32.const 20) (call $total (local.get $basket)))))
            (call $drop (local.get $basket))
            (i32.const 16)))
    (core instance $clerk (instantiate $clerk
        (with "memory" (instance $memory))
        (with "host" (instance
            (export "basket" (func $basket))
            (export "add" (func $add))
            (export "total" (func $total))
            (export "drop" (func $drop))
            (export "log" (func $log))))))
    (func (export "serve") (param "customer" string) (param "wishes" (list string))
        (result (result u32 (error string)))
        (canon lift (core func $clerk "serve") (memory $mem) (realloc $realloc))))"#;

fn main() -> Result<()> {
    let engine = Engine::new(&Config::new())?;
    let component = Component::new(&engine, CLERK)?;

    let mut linker: Linker<Shop> = Linker::new(&engine);
    zwasm_wasi::p2::add_to_linker_sync(&mut linker)?;
    Clerk::add_to_linker::<_, HasSelf<_>>(&mut linker, |shop| shop)?;

    let shop = Shop {
        wasi: WasiCtx::builder().build(),
        table: ResourceTable::new(),
        prices: [("apples", (2, 10)), ("pears", (5, 1))].into(),
        baskets: 0,
    };
    let mut store = Store::new(&engine, shop);
    let clerk = Clerk::instantiate(&mut store, &component, &linker)?;
    for (customer, wishes) in
        [("Ada", ["apples", "pears", "pears"]), ("Bob", ["apples", "bricks", "pears"])]
    {
        let wishes = wishes.map(str::to_string);
        match clerk.call_serve(&mut store, customer, &wishes)? {
            Ok(price) => println!("{customer} pays {price}"),
            Err(reason) => println!("{customer} cannot be served: {reason}"),
        }
    }
    println!("baskets that are left: {}", store.data().baskets);
    Ok(())
}
