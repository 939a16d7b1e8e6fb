//! Tests of a build without any feature: an option that needs one is an error.

use serde_json::{Value, json};

use crate::{ErrorCode, Options, Server};

fn start(options: &Value) -> crate::Result<Server> {
    Server::new(Options::from_json(options)?).map(|(server, _)| server)
}

#[test]
fn what_needs_an_absent_feature_is_refused_and_names_it() {
    for (options, feature) in [
        (json!({ "tls": { "cert": "", "key": "" } }), "tls"),
        (json!({ "cluster": { "redis": "redis://127.0.0.1" } }), "cluster"),
        (json!({ "perMessageDeflate": true }), "compression"),
        (json!({ "httpCompression": { "threshold": 1 } }), "compression"),
        (json!({ "cors": { "origin": [{ "regex": "x" }] } }), "regex"),
    ] {
        let error = start(&options).map(drop).unwrap_err();
        assert_eq!((error.code(), error.code().name()), (ErrorCode::Feature, "FEATURE"));
        assert!(error.message().contains(&format!("\"{feature}\"")), "{error}");
        assert!(options.as_object().unwrap().keys().any(|name| error.message().starts_with(name)), "{error}");
    }
}

#[test]
fn the_defaults_ask_for_nothing_that_is_absent() {
    start(&Value::Null).unwrap().close();
}
