//! Tables: what `kubectl get` shows is made by the server, so that clients need not know the kinds.

mod age;
mod built_in;
mod custom;
mod network;
mod path;
mod pod;
mod workload;

use serde_json::{Value, json};

use crate::registry::Resource;
use crate::{Clock, versions::versioned};

/// How much of each object a table carries besides its cells (`includeObject`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Include {
    /// Its metadata.
    Metadata,
    /// All of it.
    Object,
    /// Nothing.
    None,
}

/// A table of objects as they are stored.
pub(crate) fn table(
    resource: &Resource,
    objects: &[&Value],
    metadata: Value,
    include: Include,
    clock: &Clock,
) -> Value {
    let columns = match &resource.custom {
        Some(served) => custom::columns(served),
        None => built_in::columns(&resource.bucket()),
    };
    let rows: Vec<Value> = objects
        .iter()
        .map(|object| {
            let cells = match &resource.custom {
                Some(served) => custom::cells(served, object, clock.now()),
                None => built_in::cells(&resource.bucket(), object, clock.now()),
            };
            match include {
                Include::None => json!({"cells": cells, "object": null}),
                Include::Object => json!({"cells": cells, "object": versioned(resource, object)}),
                Include::Metadata => {
                    let metadata = object.get("metadata").cloned().unwrap_or_default();
                    json!({"cells": cells, "object": {
                        "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata,
                    }})
                }
            }
        })
        .collect();
    json!({
        "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": metadata,
        "columnDefinitions": columns, "rows": rows,
    })
}

/// The definition of a column.
fn column(name: &str, kind: &str, format: &str, priority: i64, description: &str) -> Value {
    json!({"name": name, "type": kind, "format": format, "priority": priority, "description": description})
}
