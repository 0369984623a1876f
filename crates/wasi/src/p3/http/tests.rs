//! What messages are made of. How they are sent and received shows in the tests of the
//! server, and in the official ones.

use zwasm_component::Resource;

use super::body::Body;
use super::*;
use crate::host::poll::Need;
use crate::host::{self, Host};
use crate::http::error::Error;
use crate::http::fields::Fields;
use crate::http::flow::{Flow, Piece, Trailers, Want};
use crate::p2::WasiCtxView;
use crate::p2::http::tests::{again, with_view};
use crate::p2::http::types::{Method, Scheme};
use crate::p2::table::{Answer, Failed};

/// A connection of which nothing comes.
struct Nothing;

impl Flow for Nothing {
    fn push(&self, _: &Host) -> host::Result {
        Ok(())
    }

    fn read(&self, _: &Host, _: usize) -> host::Result<Piece> {
        Ok(Piece::End)
    }

    fn trailers(&self, _: &Host) -> host::Result<Trailers> {
        Ok(Some(Ok(None)))
    }

    fn sent(&self) -> Option<Result<(), Error>> {
        Some(Ok(()))
    }

    fn is_ready(&self, _: &Host, _: Want, _: &mut Vec<Need>) -> host::Result<bool> {
        Ok(true)
    }
}

fn body() -> Body {
    Body::Received(std::sync::Arc::new(Nothing))
}

fn request(cx: &mut WasiCtxView<'_>) -> Resource<Request> {
    let headers = Fields::new(&cx.ctx.0.host.budget).unwrap();
    let request = Request::new(cx, headers, None, body()).unwrap();
    cx.push(request).unwrap()
}

fn failed<T, E>(answer: Answer<T, E>) -> E {
    match answer {
        Err(Failed::With(error)) => error,
        Err(Failed::Stop(error)) => panic!("{error}"),
        Ok(_) => panic!("it is accepted"),
    }
}

fn fine<T, E: std::fmt::Debug>(answer: Answer<T, E>) -> T {
    match answer {
        Ok(value) => value,
        Err(Failed::With(error)) => panic!("{error:?}"),
        Err(Failed::Stop(error)) => panic!("{error}"),
    }
}

#[test]
fn names_are_written_as_they_were_first() {
    with_view(|cx| {
        let list = [("X-One", "1"), ("two", "2"), ("x-ONE", "3")];
        let list = list.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
        let fields = fine(fields_from_list(cx, list.into()));
        fine(append_field(cx, again(&fields), "TWO".into(), b"4".to_vec()));
        let all = entries(cx, again(&fields)).unwrap().0;
        let names: Vec<_> = all.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["X-One", "two", "X-One", "two"]);
        let gone = fine(get_and_delete_field(cx, again(&fields), "x-one".into()));
        assert_eq!(gone, [b"1", b"3"]);
        assert!(fine(get_and_delete_field(cx, again(&fields), "x-one".into())).is_empty());
        fine(set_field(cx, again(&fields), "Two".into(), vec![]));
        assert!(entries(cx, fields).unwrap().0.is_empty());
    });
}

#[test]
fn what_fields_can_not_be_is_told_and_changes_nothing() {
    with_view(|cx| {
        let fields = new_fields(cx).unwrap().0;
        let append = |cx: &mut WasiCtxView<'_>, name: &str, value: Vec<u8>| {
            append_field(cx, again(&fields), name.into(), value)
        };
        fine(append(cx, "a", b"1".to_vec()));
        assert_eq!(failed(append(cx, "a b", vec![])), HeaderError::InvalidSyntax);
        assert_eq!(failed(append(cx, "a", b"\r\n".to_vec())), HeaderError::InvalidSyntax);
        assert_eq!(failed(append(cx, "Host", vec![])), HeaderError::Forbidden);
        let long = failed(append(cx, "b", vec![b'x'; 1 << 20]));
        assert_eq!(long, HeaderError::SizeExceeded);
        let long = set_field(cx, again(&fields), "a".into(), vec![vec![b'x'; 70 << 10]; 2]);
        assert_eq!(failed(long), HeaderError::SizeExceeded);
        assert_eq!(entries(cx, again(&fields)).unwrap().0, [(String::from("a"), b"1".to_vec())]);
        cx.table.get_mut(&fields).unwrap().mutable = false;
        let name = || String::from("a");
        for refused in [
            failed(append(cx, "a", vec![])),
            failed(set_field(cx, again(&fields), name(), vec![])),
            failed(delete_field(cx, again(&fields), name())),
            failed(get_and_delete_field(cx, again(&fields), name())),
        ] {
            assert_eq!(refused, HeaderError::Immutable);
        }
        let copy = clone_fields(cx, fields).unwrap().0;
        fine(delete_field(cx, copy, name()));
    });
}

#[test]
fn what_has_a_name_of_its_own_gets_it() {
    with_view(|cx| {
        let request = request(cx);
        fine(set_method(cx, again(&request), Method::Other("PUT".into())));
        assert!(matches!(method(cx, again(&request)).unwrap().0, Method::Put));
        failed(set_method(cx, again(&request), Method::Other("a b".into())));
        assert!(matches!(method(cx, again(&request)).unwrap().0, Method::Put));
        fine(set_scheme(cx, again(&request), Some(Scheme::Other("hTTps".into()))));
        assert!(matches!(scheme(cx, again(&request)).unwrap().0, Some(Scheme::Https)));
        failed(set_scheme(cx, again(&request), Some(Scheme::Other("1".into()))));
        fine(set_path(cx, again(&request), Some(String::new())));
        assert_eq!(path(cx, again(&request)).unwrap().0.as_deref(), Some("/"));
        for refused in ["/ ", "/#a", "/\n", "/<", "/\x7f"] {
            failed(set_path(cx, again(&request), Some(refused.into())));
        }
        fine(set_path(cx, again(&request), Some("a?b[]=ü".into())));
        for good in ["a", "a:80", "[::1]:80", "user@a", "user:pass%20@a:80"] {
            fine(set_authority(cx, again(&request), Some(good.into())));
        }
        for refused in ["", "@", "a@", "a@b@c", "a b@c", "a:b", "a@b:c", "[::1"] {
            failed(set_authority(cx, again(&request), Some(refused.into())));
        }
        let kept = authority(cx, again(&request)).unwrap().0;
        assert_eq!(kept.as_deref(), Some("user:pass%20@a:80"));
    });
}

#[test]
fn options_of_a_request_are_copies_that_do_not_change() {
    with_view(|cx| {
        let options_of_none = request(cx);
        assert!(options(cx, options_of_none).unwrap().0.is_none());
        let own = new_options(cx).unwrap().0;
        fine(set_first_byte_timeout(cx, again(&own), Some(5)));
        let copy = clone_options(cx, again(&own)).unwrap().0;
        fine(set_first_byte_timeout(cx, again(&copy), Some(6)));
        assert_eq!(first_byte_timeout(cx, own).unwrap().0, Some(5));
        let request = request(cx);
        let times = crate::p2::http::request::RequestOptions::default();
        cx.table.get_mut(&request).unwrap().options = Some(times);
        let read = options(cx, request).unwrap().0.unwrap();
        for refused in [
            set_connect_timeout(cx, again(&read), None),
            set_first_byte_timeout(cx, again(&read), None),
            set_between_bytes_timeout(cx, again(&read), None),
        ] {
            assert_eq!(failed(refused), OptionsError::Immutable);
        }
    });
}

#[test]
fn a_status_is_of_one_of_five_classes() {
    with_view(|cx| {
        let headers = Fields::new(&cx.ctx.0.host.budget).unwrap();
        let response = cx.push(Response { status: 200, headers, body: body() }).unwrap();
        for refused in [0, 99, 600, 1000, u16::MAX] {
            failed(set_status(cx, again(&response), refused));
        }
        fine(set_status(cx, again(&response), 599));
        assert_eq!(status(cx, response).unwrap().0, 599);
    });
}

#[test]
fn a_guest_has_only_so_many_requests() {
    with_view(|cx| {
        let mut more = || {
            let headers = Fields::new(&cx.ctx.0.host.budget).ok_or("fields")?;
            let request = Request::new(cx, headers, None, body()).map_err(|_| "requests")?;
            let request = cx.push(request).map_err(|_| "resources")?;
            let path = Some("x".repeat(crate::http::MAX_TARGET));
            match set_path(cx, request, path) {
                Ok(()) => Ok(()),
                Err(Failed::Stop(_)) => Err("texts"),
                Err(Failed::With(())) => Err("paths"),
            }
        };
        let reason = (0..5000).find_map(|_| more().err());
        assert_eq!(reason, Some("texts"));
    });
}
