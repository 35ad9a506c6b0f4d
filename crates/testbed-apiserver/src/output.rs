//! In which form an object is answered: whole, or only its metadata, or as rows of a table.

use serde_json::{Value, json};

use super::{
    json::{at, put, text},
    kinds::blank,
    kubectl,
    kubectl::table::{Include, table},
    list::Page,
    registry::Resource,
    request::Request,
    versions::versioned,
};
use crate::Clock;

/// The form that a client prefers of those that are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// The object as it is.
    Whole,
    /// `PartialObjectMetadata`.
    Metadata,
    /// `Table`, with so much of each object.
    Table(Include),
}

impl Form {
    /// The first form in the `Accept` header that is served.
    pub fn asked(request: &Request) -> Self {
        for media in request.header(http::header::ACCEPT).split(',') {
            let mut parts = media.split(';').map(str::trim);
            if !matches!(parts.next(), Some("application/json" | "*/*" | "application/*")) {
                continue;
            }
            let asked: Vec<&str> = parts.filter_map(|part| part.strip_prefix("as=")).collect();
            match asked.as_slice() {
                [] => return Form::Whole,
                ["PartialObjectMetadata" | "PartialObjectMetadataList"] => return Form::Metadata,
                ["Table"] if kubectl::IS_SERVED => {
                    return Form::Table(match request.param("includeObject") {
                        "Object" => Include::Object,
                        "None" => Include::None,
                        _ => Include::Metadata,
                    });
                }
                _ => {}
            }
        }
        Form::Whole
    }

    /// One object as the answer to a read or write, or in a watch.
    pub fn object(self, resource: &Resource, object: &Value, clock: &Clock) -> Value {
        match self {
            Form::Whole => versioned(resource, object),
            Form::Metadata => metadata_only(object),
            Form::Table(include) => {
                let version = at(object, &["metadata", "resourceVersion"]).cloned().unwrap_or_default();
                let metadata = json!({ "resourceVersion": version });
                table(resource, &[object], metadata, include, clock)
            }
        }
    }

    /// The same as JSON.
    pub fn text(self, resource: &Resource, object: &Value, clock: &Clock) -> String {
        match self == Form::Whole && is_as_asked(resource, object) {
            true => object.to_string(),
            false => self.object(resource, object, clock).to_string(),
        }
    }

    /// One page of a list.
    pub fn list(self, resource: &Resource, page: &Page, clock: &Clock) -> Value {
        let metadata =
            if self == Form::Whole { list_metadata(resource, page) } else { page.metadata.clone() };
        let (kind, version) = match self {
            Form::Whole => (resource.list_kind.clone(), resource.api_version()),
            Form::Metadata => ("PartialObjectMetadataList".to_owned(), "meta.k8s.io/v1".to_owned()),
            Form::Table(include) => {
                let objects: Vec<&Value> = page.items.iter().map(AsRef::as_ref).collect();
                return table(resource, &objects, metadata, include, clock);
            }
        };
        let items: Vec<Value> = page.items.iter().map(|object| self.item(resource, object)).collect();
        json!({"kind": kind, "apiVersion": version, "metadata": metadata, "items": items})
    }

    /// The same as JSON. A page of objects that are kept as they are asked for is written without copies of them:
    /// servers of ten thousand objects spend most of their time on lists.
    pub fn list_text(self, resource: &Resource, page: &Page, clock: &Clock) -> String {
        if self != Form::Whole || !page.items.iter().all(|object| is_as_asked(resource, object)) {
            return self.list(resource, page, clock).to_string();
        }
        let built_in = resource.custom.is_none();
        let item = |object: &Value| {
            let members = object.as_object().into_iter().flatten();
            let shown =
                members.filter(|(name, _)| !built_in || !matches!(name.as_str(), "kind" | "apiVersion"));
            let shown: Vec<String> = shown.map(|(name, value)| format!("{}:{value}", json!(name))).collect();
            format!("{{{}}}", shown.join(","))
        };
        let items: Vec<String> = page.items.iter().map(|object| item(object)).collect();
        let (kind, version) = (json!(resource.list_kind), json!(resource.api_version()));
        let (items, metadata) = (items.join(","), list_metadata(resource, page));
        format!("{{\"apiVersion\":{version},\"items\":[{items}],\"kind\":{kind},\"metadata\":{metadata}}}")
    }

    /// The items of a list of built-in kinds carry neither kind nor version.
    fn item(self, resource: &Resource, object: &Value) -> Value {
        if self == Form::Metadata {
            return metadata_only(object);
        }
        let mut item = versioned(resource, object);
        if let Some(item) = item.as_object_mut().filter(|_| resource.custom.is_none()) {
            item.remove("kind");
            item.remove("apiVersion");
        }
        item
    }

    /// The object of a bookmark.
    pub fn bookmark(self, resource: &Resource, metadata: Value, clock: &Clock) -> Value {
        let mut blank = blank(resource);
        put(&mut blank, &["metadata"], metadata);
        self.object(resource, &blank, clock)
    }
}

/// `metadata` of a list of whole objects.
fn list_metadata(resource: &Resource, page: &Page) -> Value {
    let mut metadata = page.metadata.clone();
    if resource.custom.is_some() && metadata.get("continue").is_none() {
        put(&mut metadata, &["continue"], json!(""));
    }
    metadata
}

/// Whether an object is kept in the version that was asked for.
pub(crate) fn is_as_asked(resource: &Resource, object: &Value) -> bool {
    text(object, &["kind"]) == resource.kind
        && text(object, &["apiVersion"]) == resource.api_version()
        && !resource.is("events.k8s.io", "Event")
}

fn metadata_only(object: &Value) -> Value {
    let metadata = at(object, &["metadata"]).cloned().unwrap_or_default();
    json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata})
}
