//! Objects of the guest's heap that the host makes, reads and keeps.
//!
//! run: cargo run -p zwasm-examples --bin gc
//! expect: the guest adds the list the host made: 6
//! expect: the host changes its head: 105
//! expect: kept beyond the scope: 100

use zwasm::{
    ArrayRef, ArrayRefPre, ArrayType, Engine, FieldType, Instance, Module, Mutability, Result,
    RootScope, Store, StructRef, StructRefPre, Val, ValType,
};

const TEXT: &str = r#"(module
    (type $node (struct (field (mut i32)) (field (ref null $node))))
    (func (export "sum") (param $list (ref null $node)) (result i32)
        (local $sum i32)
        (block $end (loop $again
            (local.set $sum (i32.add (local.get $sum)
                (struct.get $node 0 (br_on_null $end (local.get $list)))))
            (local.set $list (struct.get $node 1 (local.get $list)))
            (br $again))
            (unreachable))
        (local.get $sum)))"#;

fn main() -> Result<()> {
    let engine = Engine::default();
    let module = Module::new(&engine, TEXT)?;
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[])?;
    let sum = instance.get_func(&mut store, "sum").expect("it is exported");

    // The type is the one of the parameter.
    let Some(ValType::Ref(list_type)) = sum.ty(&store).params().next() else {
        return Err(zwasm::Error::msg("sum takes a reference"));
    };
    let node = list_type.heap_type().unwrap_concrete_struct().clone();
    let node = StructRefPre::new(&mut store, node);

    // References made in a scope end with it.
    let kept = {
        let mut scope = RootScope::new(&mut store);
        let mut list = None;
        for number in [3, 2, 1] {
            let fields = [Val::I32(number), Val::AnyRef(list)];
            list = Some(StructRef::new(&mut scope, &node, &fields)?.to_anyref());
        }
        let mut results = [Val::I32(0)];
        sum.call(&mut scope, &[Val::AnyRef(list)], &mut results)?;
        println!("the guest adds the list the host made: {}", results[0].unwrap_i32());

        let head = list.expect("there is a list");
        let head_struct = head.as_struct(&scope)?.expect("it is a structure");
        head_struct.set_field(&mut scope, 0, Val::I32(100))?;
        sum.call(&mut scope, &[Val::AnyRef(list)], &mut results)?;
        println!("the host changes its head: {}", results[0].unwrap_i32());
        head.to_owned_rooted(&mut scope)?
    };

    // A type need not come from a module.
    let bytes = ArrayType::new(&engine, FieldType::new(Mutability::Var, ValType::I64.into()));
    let bytes = ArrayRefPre::new(&mut store, bytes);
    ArrayRef::new(&mut store, &bytes, &Val::I64(-1), 1000)?;

    let head = kept.unwrap_struct(&store)?;
    println!("kept beyond the scope: {}", head.field(&mut store, 0)?.unwrap_i32());
    Ok(())
}
