//! In which form an object is answered: whole, or only its metadata, or as rows of a table.

use serde_json::{Value, json};

use super::{
    json::{at, put},
    list::Page,
    registry::Resource,
    request::Request,
};
use crate::Clock;

/// The form that a client prefers of those that are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// The object as it is.
    Whole,
    /// `PartialObjectMetadata`.
    Metadata,
}

impl Form {
    /// The first form in the `Accept` header that is served.
    pub fn asked(request: &Request) -> Self {
        for media in request.header(http::header::ACCEPT).split(',') {
            let mut parts = media.split(';').map(str::trim);
            if !matches!(parts.next(), Some("application/json" | "*/*" | "application/*")) {
                continue;
            }
            let parts: Vec<&str> = parts.collect();
            if parts.iter().any(|part| part.starts_with("as=PartialObjectMetadata")) {
                return Form::Metadata;
            }
            if !parts.iter().any(|part| part.starts_with("as=")) {
                return Form::Whole;
            }
        }
        Form::Whole
    }

    /// One object as the answer to a read or write.
    pub fn object(self, resource: &Resource, object: &Value) -> Value {
        match self {
            Form::Whole => versioned(resource, object),
            Form::Metadata => metadata_only(object, true),
        }
    }

    /// One page of a list.
    pub fn list(self, resource: &Resource, page: &Page) -> Value {
        let (kind, version) = match self {
            Form::Whole => (resource.list_kind.clone(), resource.api_version()),
            Form::Metadata => ("PartialObjectMetadataList".to_owned(), "meta.k8s.io/v1".to_owned()),
        };
        let items: Vec<Value> = page.items.iter().map(|object| self.item(resource, object)).collect();
        json!({"kind": kind, "apiVersion": version, "metadata": page.metadata, "items": items})
    }

    /// The items of a list of built-in kinds carry neither kind nor version.
    fn item(self, resource: &Resource, object: &Value) -> Value {
        match self {
            Form::Metadata => metadata_only(object, false),
            Form::Whole => {
                let mut item = versioned(resource, object);
                if let Some(item) = item.as_object_mut().filter(|_| resource.custom.is_none()) {
                    item.remove("kind");
                    item.remove("apiVersion");
                }
                item
            }
        }
    }

    /// One object as a watch tells of it.
    pub fn watched(self, resource: &Resource, object: &Value, _clock: &Clock) -> Value {
        self.object(resource, object)
    }

    /// The object of a bookmark.
    pub fn bookmark(self, resource: &Resource, metadata: Value) -> Value {
        let (kind, version) = match self {
            Form::Whole => (resource.kind.clone(), resource.api_version()),
            Form::Metadata => ("PartialObjectMetadata".to_owned(), "meta.k8s.io/v1".to_owned()),
        };
        json!({"kind": kind, "apiVersion": version, "metadata": metadata})
    }
}

/// The object in the version that was asked for.
fn versioned(resource: &Resource, object: &Value) -> Value {
    let mut object = object.clone();
    put(&mut object, &["kind"], json!(resource.kind));
    put(&mut object, &["apiVersion"], json!(resource.api_version()));
    object
}

fn metadata_only(object: &Value, typed: bool) -> Value {
    let metadata = at(object, &["metadata"]).cloned().unwrap_or_default();
    match typed {
        true => {
            json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata})
        }
        false => json!({ "metadata": metadata }),
    }
}
