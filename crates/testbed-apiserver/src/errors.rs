//! Failures as the API server words them: `meta/v1` Status objects with the same codes, reasons and sentences.

use serde_json::{Map, Value, json};

use super::registry::Resource;

pub(crate) use super::causes::{Cause, Fault};

/// The outcome of a request that may be refused.
pub(crate) type Reply<T> = Result<T, Box<Status>>;

/// A refusal, as its Status object will be written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Status {
    /// HTTP status code.
    pub code: u16,
    /// Machine-readable reason; empty where the real server gives none.
    pub reason: &'static str,
    /// One sentence for people.
    pub message: String,
    /// `details`, when the real server gives them.
    pub details: Option<Value>,
}

impl Status {
    fn of(code: u16, reason: &'static str, message: impl Into<String>, details: Option<Value>) -> Box<Self> {
        Box::new(Status { code, reason, message: message.into(), details })
    }

    /// The Status object.
    pub fn json(&self) -> Value {
        let mut body = Map::from_iter([
            ("kind".to_owned(), json!("Status")),
            ("apiVersion".to_owned(), json!("v1")),
            ("metadata".to_owned(), json!({})),
            ("status".to_owned(), json!("Failure")),
            ("message".to_owned(), json!(self.message)),
            ("code".to_owned(), json!(self.code)),
        ]);
        if !self.reason.is_empty() {
            body.insert("reason".to_owned(), json!(self.reason));
        }
        if let Some(details) = &self.details {
            body.insert("details".to_owned(), details.clone());
        }
        Value::Object(body)
    }

    /// 404: no object of that name.
    pub fn not_found(resource: &Resource, name: &str) -> Box<Self> {
        let message = format!("{} \"{name}\" not found", resource.qualified());
        Self::of(404, "NotFound", message, Some(details(resource, name)))
    }

    /// 404: no such resource or group.
    pub fn no_such_resource() -> Box<Self> {
        Self::of(404, "NotFound", "the server could not find the requested resource", Some(json!({})))
    }

    /// 405: the resource has no such verb.
    pub fn method_not_allowed() -> Box<Self> {
        let message = "the server does not allow this method on the requested resource";
        Self::of(405, "MethodNotAllowed", message, Some(json!({})))
    }

    /// 405: custom kinds say what they do not have.
    pub fn not_supported(resource: &Resource, verb: &str) -> Box<Self> {
        let message = format!("{verb} is not supported on resources of kind \"{}\"", resource.qualified());
        Self::of(405, "MethodNotAllowed", message, Some(details(resource, "")))
    }

    /// 409 for a create.
    pub fn already_exists(resource: &Resource, name: &str) -> Box<Self> {
        let message = format!("{} \"{name}\" already exists", resource.qualified());
        Self::of(409, "AlreadyExists", message, Some(details(resource, name)))
    }

    /// 409: the resourceVersion that was sent is not the present one.
    pub fn modified(resource: &Resource, name: &str) -> Box<Self> {
        let why =
            "the object has been modified; please apply your changes to the latest version and try again";
        Self::conflict(resource, name, why)
    }

    /// 409 with a reason of its own.
    pub fn conflict(resource: &Resource, name: &str, why: &str) -> Box<Self> {
        let message = format!("Operation cannot be fulfilled on {} \"{name}\": {why}", resource.qualified());
        Self::of(409, "Conflict", message, Some(details(resource, name)))
    }

    /// 409 for a delete whose precondition does not hold. The real server names the kind here, not the resource.
    pub fn precondition(resource: &Resource, name: &str, why: &str) -> Box<Self> {
        let message =
            format!("Operation cannot be fulfilled on {} \"{name}\": {why}", resource.qualified_kind());
        let mut details = details(resource, name);
        super::json::put(&mut details, &["kind"], json!(resource.kind));
        Self::of(409, "Conflict", message, Some(details))
    }

    /// 409 of a server-side apply: another manager has these fields with other values.
    pub fn apply_conflict(message: String, causes: Vec<Value>) -> Box<Self> {
        Self::of(409, "Conflict", message, Some(json!({ "causes": causes })))
    }

    /// 422: the object is understood and not acceptable.
    pub fn invalid(resource: &Resource, name: &str, causes: &[Cause]) -> Box<Self> {
        let mut lines: Vec<String> = causes.iter().map(Cause::line).collect();
        lines.dedup();
        let list = match lines.as_slice() {
            [one] => one.clone(),
            many => format!("[{}]", many.join(", ")),
        };
        let message = format!("{} \"{name}\" is invalid: {list}", resource.qualified_kind());
        let mut details = details(resource, name);
        super::json::put(&mut details, &["kind"], json!(resource.kind));
        super::json::put(&mut details, &["causes"], causes.iter().map(Cause::json).collect());
        Self::of(422, "Invalid", message, Some(details))
    }

    /// 422 that names the resource where others name the kind, as the real server does before it looks at the object.
    pub fn invalid_resource(resource: &Resource, name: &str, cause: &Cause) -> Box<Self> {
        let mut status = Self::invalid(resource, name, std::slice::from_ref(cause));
        status.message = status.message.replacen(&resource.qualified_kind(), &resource.qualified(), 1);
        if let Some(details) = &mut status.details {
            super::json::put(details, &["kind"], json!(resource.plural));
        }
        status
    }

    /// 422: a custom object of another kind than the URL's.
    pub fn wrong_kind(resource: &Resource, kind: &str, name: &str) -> Box<Self> {
        let cause = Cause::new("kind", Fault::Invalid(json!(kind)), format!("must be {}", resource.kind));
        let resource = Resource { kind: kind.to_owned(), ..resource.clone() };
        Self::invalid(&resource, name, &[cause])
    }

    /// 422 for options of a request: `kind` is `ListOptions`, `PatchOptions` or `DeleteOptions`.
    pub fn invalid_options(kind: &str, cause: &Cause) -> Box<Self> {
        let message = format!("{kind}.meta.k8s.io \"\" is invalid: {}: {}", cause.field, cause.sentence());
        let details = json!({"group": "meta.k8s.io", "kind": kind, "causes": [cause.json()]});
        Self::of(422, "Invalid", message, Some(details))
    }

    /// 422 for a patch after which the object cannot be read.
    pub fn invalid_patch(patched: &str, why: &str) -> Box<Self> {
        let cause = Cause::new("patch", Fault::Invalid(json!(patched)), why);
        let message = format!(" \"\" is invalid: patch: {}", cause.sentence());
        Self::of(422, "Invalid", message, Some(json!({"causes": [cause.json()]})))
    }

    /// 422 for a patch that cannot be applied to the object.
    pub fn unprocessable(message: impl Into<String>) -> Box<Self> {
        Self::of(422, "Invalid", message, Some(json!({})))
    }

    /// 400.
    pub fn bad_request(message: impl Into<String>) -> Box<Self> {
        Self::of(400, "BadRequest", message, None)
    }

    /// 403 of an admission rule.
    pub fn forbidden(resource: &Resource, name: &str, why: &str) -> Box<Self> {
        let message = format!("{} \"{name}\" is forbidden: {why}", resource.qualified());
        Self::of(403, "Forbidden", message, Some(details(resource, name)))
    }

    /// 403: the namespace is on its way out.
    pub fn terminating(resource: &Resource, name: &str, namespace: &str, why: &str) -> Box<Self> {
        let mut status = Self::forbidden(resource, name, why);
        let cause = json!({
            "reason": "NamespaceTerminating", "field": "metadata.namespace",
            "message": format!("namespace {namespace} is being terminated"),
        });
        if let Some(details) = &mut status.details {
            super::json::put(details, &["causes"], json!([cause]));
        }
        status
    }

    /// 400: the object has another name than the URL.
    pub fn wrong_name(object: &str, url: &str) -> Box<Self> {
        Self::bad_request(match object.is_empty() {
            true => {
                format!(
                    "the name of the object ({url} based on URL) was undeterminable: name must be provided"
                )
            }
            false => format!("the name of the object ({object}) does not match the name on the URL ({url})"),
        })
    }

    /// 410: history that far back is gone.
    pub fn expired(message: impl Into<String>) -> Box<Self> {
        Self::of(410, "Expired", message, None)
    }

    /// 415: no patch of that type for this kind.
    pub fn unsupported_media(message: impl Into<String>) -> Box<Self> {
        Self::of(415, "UnsupportedMediaType", message, Some(json!({})))
    }

    /// 415 for a patch of a type that this kind does not take.
    pub fn unsupported_patch(message: impl Into<String>) -> Box<Self> {
        Self::of(415, "UnsupportedMediaType", message, None)
    }

    /// 500 without a reason: what the real server answers to a create that carries a resourceVersion.
    pub fn internal(message: impl Into<String>) -> Box<Self> {
        Self::of(500, "", message, None)
    }

    /// 504: a resourceVersion that the server has not reached.
    pub fn too_large_version(asked: u64, current: u64) -> Box<Self> {
        let cause = json!({"reason": "ResourceVersionTooLarge", "message": "Too large resource version"});
        let message = format!("Timeout: Too large resource version: {asked}, current: {current}");
        let details = json!({"causes": [cause], "retryAfterSeconds": 1});
        Self::of(504, "Timeout", message, Some(details))
    }

    /// Any other code, for the fault hook.
    pub fn plain(code: u16, reason: &'static str, message: impl Into<String>) -> Box<Self> {
        Self::of(code, reason, message, None)
    }
}

fn details(resource: &Resource, name: &str) -> Value {
    let mut details = Map::new();
    if !name.is_empty() {
        details.insert("name".to_owned(), json!(name));
    }
    if !resource.group.is_empty() {
        details.insert("group".to_owned(), json!(resource.group));
    }
    details.insert("kind".to_owned(), json!(resource.plural));
    Value::Object(details)
}
