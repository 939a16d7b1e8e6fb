//! What stands in the place of a part that the build was made without: the same names, and whoever needs the part is told
//! which feature brings it.

#[cfg(not(feature = "cluster"))]
pub(crate) mod cluster;
#[cfg(not(feature = "compression"))]
pub(crate) mod deflate;
#[cfg(not(feature = "regex"))]
pub(crate) mod pattern;
#[cfg(not(feature = "tls"))]
pub(crate) mod tls;

pub(crate) fn needs(option: &str, feature: &str) -> crate::error::Error {
    crate::error::Error::new(
        crate::error::ErrorCode::Feature,
        format!(
            "{option}: expected a build of kraken-ws-core with the feature \"{feature}\", this one is without it"
        ),
    )
}

#[cfg(all(test, not(any(feature = "cluster", feature = "compression", feature = "regex", feature = "tls"))))]
mod tests {
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
            assert!(
                options.as_object().unwrap().keys().any(|name| error.message().starts_with(name)),
                "{error}"
            );
        }
    }

    #[test]
    fn the_defaults_ask_for_nothing_that_is_absent() {
        start(&Value::Null).unwrap().close();
    }
}
