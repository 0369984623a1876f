//! Resources of requests that a guest answers, which nothing makes yet.

use std::sync::{Arc, Mutex};

use zwasm_component::{Resource, ResourceTable};

use super::*;
use crate::http::fields::Fields;
use crate::p2::WasiCtxView;
use crate::p2::table::Failed;
use crate::{Capabilities, WasiCtx};

pub(crate) fn with_view<R>(test: impl FnOnce(&mut WasiCtxView<'_>) -> R) -> R {
    let mut ctx = WasiCtx::builder().caps(Capabilities::HTTP).build();
    let mut table = ResourceTable::new();
    test(&mut WasiCtxView { ctx: &mut ctx, table: &mut table })
}

pub(crate) fn again<T: 'static>(resource: &Resource<T>) -> Resource<T> {
    Resource::new_own(resource.rep())
}

#[test]
fn a_request_to_answer_tells_what_it_is() {
    with_view(|cx| {
        let mut headers = Fields::new(&cx.ctx.0.host.budget).unwrap();
        headers.append("x-a", b"b".to_vec()).unwrap();
        let request = IncomingRequest {
            method: Method::Other(String::from("PURGE")),
            path: Some(String::from("/x")),
            scheme: Some(Scheme::Http),
            authority: None,
            headers,
            body: None,
        };
        let request = cx.push(request).unwrap();
        let Method::Other(name) = incoming_method(cx, again(&request)).unwrap().0 else {
            panic!("another method");
        };
        assert_eq!(name, "PURGE");
        assert_eq!(incoming_path(cx, again(&request)).unwrap().0.as_deref(), Some("/x"));
        assert!(matches!(incoming_scheme(cx, again(&request)).unwrap().0, Some(Scheme::Http)));
        assert_eq!(incoming_authority(cx, again(&request)).unwrap().0, None);
        let headers = incoming_request_headers(cx, again(&request)).unwrap().0;
        assert!(has_field(cx, again(&headers), String::from("X-A")).unwrap().0);
        let immutable = delete_field(cx, headers, String::from("x-a"));
        assert!(matches!(immutable, Err(Failed::With(HeaderError::Immutable))));
        // It has no body, or the guest has got it.
        assert!(matches!(consume_request(cx, request), Err(Failed::With(()))));
    });
}

#[test]
fn a_response_is_given_once() {
    with_view(|cx| {
        let given = Arc::new(Mutex::new(Vec::new()));
        let to = |cx: &mut WasiCtxView<'_>| {
            let given = given.clone();
            let respond = move |response: Result<OutgoingResponse, ErrorCode>| {
                let status = response.map(|response| response.status);
                given.lock().unwrap().push(status.map_err(|error| format!("{error:?}")));
            };
            cx.push(ResponseOutparam(Box::new(respond))).unwrap()
        };
        let headers = new_fields(cx).unwrap().0;
        let response = new_response(cx, headers).unwrap().0;
        assert!(set_status_code(cx, again(&response), 404).is_ok());
        let first = to(cx);
        set_response(cx, again(&first), Ok(response)).unwrap();
        assert!(set_response(cx, first, Err(ErrorCode::LoopDetected)).is_err());
        let second = to(cx);
        let headers = new_fields(cx).unwrap().0;
        let early = send_informational(cx, again(&second), 103, headers);
        assert!(matches!(early, Err(Failed::With(ErrorCode::InternalError(Some(_))))));
        let headers = new_fields(cx).unwrap().0;
        let wrong = send_informational(cx, again(&second), 200, headers);
        assert!(matches!(wrong, Err(Failed::With(ErrorCode::HttpProtocolError))));
        set_response(cx, second, Err(ErrorCode::LoopDetected)).unwrap();
        let given = given.lock().unwrap();
        assert_eq!(*given, [Ok(404), Err(String::from("LoopDetected"))]);
    });
}

#[test]
fn a_guest_has_only_so_much_of_messages() {
    with_view(|cx| {
        let mut more = || {
            let headers = new_fields(cx)?.0;
            let request = new_request(cx, headers)?.0;
            match request_body(cx, request) {
                Err(Failed::Stop(error)) => Err(error),
                Ok(_) | Err(Failed::With(())) => Ok(()),
            }
        };
        let error = (0..2000).find_map(|_| more().err()).expect("there is no end to it");
        assert!(error.to_string().contains("bytes of HTTP messages"), "{error}");
    });
}
