//! ConfigMaps and Secrets: what they must have, and what cannot change.

use serde_json::{Value, json};

use super::super::{
    errors::{Cause, Fault},
    json::{at, text},
};

const IMMUTABLE: &str = "field is immutable when `immutable` is set";

/// What is wrong with the content of a ConfigMap or Secret, besides its keys.
pub(super) fn check(kind: &str, object: &Value, old: Option<&Value>) -> Vec<Cause> {
    let mut causes = Vec::new();
    let before = old.map(|old| text(old, &["type"])).unwrap_or_default();
    let now = text(object, &["type"]);
    if kind == "Secret" && old.is_some() && before != now {
        causes.push(Cause::new("type", Fault::Invalid(json!(now)), "field is immutable"));
    }
    if let Some(old) = old.filter(|old| at(old, &["immutable"]) == Some(&json!(true))) {
        if at(object, &["immutable"]) != Some(&json!(true)) {
            causes.push(Cause::new("immutable", Fault::Forbidden, IMMUTABLE));
        }
        for field in ["data", "binaryData"] {
            if at(object, &[field]) != at(old, &[field]) {
                causes.push(Cause::new(field, Fault::Forbidden, IMMUTABLE));
            }
        }
    }
    let data = |key: &str| at(object, &["data", key]).is_some();
    let required: &[&str] = match now {
        "kubernetes.io/tls" => &["tls.crt", "tls.key"],
        "kubernetes.io/dockerconfigjson" => &[".dockerconfigjson"],
        "kubernetes.io/ssh-auth" => &["ssh-privatekey"],
        "kubernetes.io/basic-auth" if !data("username") && !data("password") => &["username", "password"],
        _ => &[],
    };
    for key in required.iter().filter(|key| !data(key)) {
        causes.push(Cause::new(format!("data[{key}]"), Fault::Required, ""));
    }
    let binary = at(object, &["binaryData"]).and_then(Value::as_object).into_iter().flatten();
    for (key, _) in binary.filter(|(key, _)| kind == "ConfigMap" && data(key)) {
        let detail = "duplicate of key present in binaryData";
        causes.push(Cause::new(format!("data[{key}]"), Fault::Invalid(json!(key)), detail));
    }
    causes
}
