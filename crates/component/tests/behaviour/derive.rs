//! Derived types through a guest that gives back what it was given, and what is said of
//! types that do not fit.

use zwasm::{Engine, Error, Result, Store};
use zwasm_component::{Component, ComponentType, Lift, Linker, Lower, TypedFunc, flags};

/// A guest with `echo`, of lists, and `same`, of one value that is one `i32`.
fn guest(types: &str, ty: &str, flat: bool) -> String {
    let same = format!(
        r#"(func (export "same") (param "value" {ty}) (result {ty})
            (canon lift (core func $m "same")))"#
    );
    let same = if flat { same.as_str() } else { "" };
    format!(
        r#"(component
            {types}
            (core module $m
                (memory (export "memory") 4)
                (global $end (mut i32) (i32.const 64))
                (func (export "same") (param i32) (result i32) (local.get 0))
                (func (export "echo") (param i32 i32) (result i32)
                    (i32.store (i32.const 16) (local.get 0))
                    (i32.store (i32.const 20) (local.get 1))
                    (i32.const 16))
                (func (export "realloc") (param i32 i32 i32 i32) (result i32)
                    (local $at i32)
                    (local.set $at (i32.and (i32.add (global.get $end) (i32.const 7))
                        (i32.const -8)))
                    (global.set $end (i32.add (local.get $at) (local.get 3)))
                    (local.get $at)))
            (core instance $m (instantiate $m))
            (func (export "echo") (param "list" (list {ty})) (result (list {ty}))
                (canon lift (core func $m "echo") (memory (core memory $m "memory"))
                    (realloc (core func $m "realloc"))))
            {same})"#
    )
}

fn instance(text: &str) -> Result<(Store<()>, zwasm_component::Instance)> {
    let engine = Engine::default();
    let component = Component::new(&engine, text)?;
    let mut store = Store::new(&engine, ());
    let instance = Linker::new(&engine).instantiate(&mut store, &component)?;
    Ok((store, instance))
}

/// What comes back of a list of these.
fn echo<T>(types: &str, ty: &str, list: &[T]) -> Result<Vec<T>>
where
    T: ComponentType + Lift + Lower + 'static,
{
    let (mut store, instance) = instance(&guest(types, ty, false))?;
    let echo: TypedFunc<(&[T],), (Vec<T>,)> = instance.get_typed_func(&mut store, "echo")?;
    Ok(echo.call(&mut store, (list,))?.0)
}

/// What comes back of each of these alone.
fn same<T>(types: &str, ty: &str, list: &[T]) -> Result<Vec<T>>
where
    T: ComponentType + Lift + Lower + Copy + 'static,
{
    let (mut store, instance) = instance(&guest(types, ty, true))?;
    let same: TypedFunc<(T,), (T,)> = instance.get_typed_func(&mut store, "same")?;
    list.iter().map(|value| Ok(same.call(&mut store, (*value,))?.0)).collect()
}

#[derive(ComponentType, Lift, Lower, Clone, PartialEq, Debug)]
#[component(record)]
struct Entry<K, V> {
    key: K,
    #[component(name = "the-value")]
    value: V,
    r#type: bool,
}

#[derive(ComponentType, Lift, Lower, Clone, PartialEq, Debug)]
#[component(variant)]
enum Either<A> {
    #[component(name = "nothing")]
    Nothing,
    #[component(name = "one")]
    One(A),
    #[component(name = "both")]
    Both((A, i64)),
}

#[test]
fn records_and_variants_come_back() -> Result<()> {
    let types = r#"
        (type $either' (variant (case "nothing") (case "one" string)
            (case "both" (tuple string s64))))
        (export $either "either" (type $either'))
        (type $entry' (record (field "key" u8) (field "the-value" $either) (field "type" bool)))
        (export $entry "entry" (type $entry'))"#;
    let values = [
        Either::Nothing,
        Either::One("é".to_string()),
        Either::Both((String::new(), i64::MIN)),
        Either::Nothing,
    ];
    let entries =
        values.map(|value| Entry { key: 0xffu8, r#type: value == Either::Nothing, value });
    for count in 0..=entries.len() {
        assert_eq!(echo(types, "$entry", &entries[..count])?, entries[..count]);
    }
    Ok(())
}

flags! {
    /// More than one byte of them.
    Ten {
        const A; const B; const C; const D; const E; const F; const G; const H;
        #[component(name = "i")] const EYE;
        const J;
    }
}

flags! {
    /// Nothing.
    None { }
}

#[test]
fn flags_come_back_and_count() -> Result<()> {
    let types = |last: &str| {
        format!(
            r#"(type $ten' (flags "A" "B" "C" "D" "E" "F" "G" "H" "i" "{last}"))
                (export $ten "ten" (type $ten'))"#
        )
    };
    let error = echo::<Ten>(&types("j"), "$ten", &[]).unwrap_err().summary();
    assert!(error.contains("expected flag 'J', found 'j'"), "{error}");
    let all = [Ten::empty(), Ten::EYE, Ten::J | Ten::A, Ten::all(), !Ten::H];
    assert_eq!(echo(&types("J"), "$ten", &all)?, all);
    assert_eq!(same(&types("J"), "$ten", &all)?, all);
    assert_eq!(Ten::all().as_array(), [0x3ff]);
    assert!(Ten::all().intersects(Ten::J) && !(!Ten::J).intersects(Ten::J));
    assert_eq!(format!("{:?}", Ten::B | Ten::EYE), "(B|EYE)");
    assert_eq!(None::all(), None::empty());
    assert_eq!(None::all().as_array(), [0; 0]);
    Ok(())
}

macro_rules! many {
    ($($name:ident)*) => {
        #[derive(ComponentType, Lift, Lower, Clone, Copy, PartialEq, Debug)]
        #[component(enum)]
        enum Many { $($name),* }
        const MANY: &[(Many, &str)] = &[$((Many::$name, stringify!($name))),*];
    };
}

many! {
    AA AB AC AD AE AF AG AH AI AJ AK AL AM AN AO AP AQ AR AS AT BA BB BC BD BE BF
    BG BH BI BJ BK BL BM BN BO BP BQ BR BS BT CA CB CC CD CE CF CG CH CI CJ CK CL
    CM CN CO CP CQ CR CS CT DA DB DC DD DE DF DG DH DI DJ DK DL DM DN DO DP DQ DR
    DS DT EA EB EC ED EE EF EG EH EI EJ EK EL EM EN EO EP EQ ER ES ET FA FB FC FD
    FE FF FG FH FI FJ FK FL FM FN FO FP FQ FR FS FT GA GB GC GD GE GF GG GH GI GJ
    GK GL GM GN GO GP GQ GR GS GT HA HB HC HD HE HF HG HH HI HJ HK HL HM HN HO HP
    HQ HR HS HT IA IB IC ID IE IF IG IH II IJ IK IL IM IN IO IP IQ IR IS IT JA JB
    JC JD JE JF JG JH JI JJ JK JL JM JN JO JP JQ JR JS JT KA KB KC KD KE KF KG KH
    KI KJ KK KL KM KN KO KP KQ KR KS KT LA LB LC LD LE LF LG LH LI LJ LK LL LM LN
    LO LP LQ LR LS LT MA MB MC MD ME MF MG MH MI MJ MK ML MM MN MO MP MQ MR MS MT
}

#[test]
fn more_cases_than_a_byte_counts_come_back() -> Result<()> {
    let names = MANY.iter().map(|(_, name)| format!("\"{name}\" ")).collect::<String>();
    let types = format!("(type $many' (enum {names})) (export $many \"many\" (type $many'))");
    let all: Vec<Many> = MANY.iter().map(|(case, _)| *case).collect();
    assert_eq!(all.len(), 260);
    assert_eq!(echo(&types, "$many", &all)?, all);
    assert_eq!(same(&types, "$many", &all)?, all);
    Ok(())
}

#[test]
fn a_case_that_is_none_is_an_error() -> Result<()> {
    // A guest of 260 cases gives the last of 512.
    let names = MANY.iter().map(|(_, name)| format!("\"{name}\" ")).collect::<String>();
    let text = format!(
        r#"(component (type $many' (enum {names})) (export $many "many" (type $many'))
            (core module $m (func (export "f") (result i32) (i32.const 511)))
            (core instance $m (instantiate $m))
            (func (export "f") (result $many) (canon lift (core func $m "f"))))"#
    );
    let (mut store, instance) = instance(&text)?;
    let func: TypedFunc<(), (Many,)> = instance.get_typed_func(&mut store, "f")?;
    let error = func.call(&mut store, ()).unwrap_err().summary();
    assert!(error.contains("511"), "{error}");
    Ok(())
}

#[test]
fn what_does_not_fit_is_named() {
    type Pair = Entry<u8, Either<u32>>;
    let refused = |record: &str| {
        let types = format!("(type $r' (record {record})) (export $r \"r\" (type $r'))");
        let error: Error = echo::<Pair>(&types, "$r", &[]).unwrap_err();
        error.summary()
    };
    let contains = |text: String, parts: &[&str]| {
        for part in parts {
            assert!(text.contains(part), "no `{part}` in: {text}");
        }
    };
    contains(refused(r#"(field "key" u8)"#), &["expected 3 fields, found 1"]);
    contains(
        refused(r#"(field "key" u8) (field "value" u8) (field "type" bool)"#),
        &["expected field 'the-value', found 'value'"],
    );
    contains(
        refused(r#"(field "key" u8) (field "the-value" u8) (field "type" bool)"#),
        &["field 'the-value'", "expected a variant"],
    );
    contains(
        refused(r#"(field "key" s8) (field "the-value" u8) (field "type" bool)"#),
        &["field 'key'", "u8"],
    );
}
