//! Server-side apply: the client says what it wants, the server knows who owns what.

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::{
    errors::{Cause, Fault, Reply, Status},
    json::{list, name, namespace, take},
    kinds,
    managed::{Contested, Fields, Managers, Owner, claims, merge, prune},
    request::Request,
    state::{Call, State, Unknown},
    write::decode,
};

impl State {
    /// Applies the object in the body: 201 when that creates it.
    ///
    /// # Errors
    /// As an update; 409 when another manager owns a field with another value, unless the client forces it.
    pub fn apply(&mut self, call: &mut Call, request: &Request) -> Reply<(u16, Arc<Value>)> {
        if request.param("fieldManager").is_empty() {
            let cause = Cause::new("fieldManager", Fault::Required, "is required for apply patch");
            return Err(Status::invalid_options("PatchOptions", &cause));
        }
        let config = decode(call, request)?;
        if !name(&config).is_empty() && name(&config) != call.name {
            return Err(Status::wrong_name(name(&config), &call.name));
        }
        if !list(&config, &["metadata", "managedFields"]).is_empty() {
            return Err(Status::bad_request("metadata.managedFields must be nil"));
        }
        declared(call, &config)?;
        let owner = Owner { applies: true, ..call.owner() };
        match self.store.get(&call.resource.bucket(), &call.namespace, &call.name).cloned() {
            Some(live) => {
                let live = super::versioned(&call.resource, &live);
                let (merged, managers) = applied(call, &owner, &live, &config)?;
                let old = self.found(call)?;
                self.replace(call, &old, merged, Some(managers)).map(|object| (200, object))
            }
            None => {
                if name(&config).is_empty() {
                    return Err(Status::wrong_name("", &call.name));
                }
                let blank = kinds::blank(&call.resource);
                let (merged, managers) = applied(call, &owner, &blank, &config)?;
                self.create_object(call, merged, Some(managers)).map(|object| (201, object))
            }
        }
    }
}

/// Whether everything that is applied has a place in the kind.
///
/// # Errors
/// 400 for values of a wrong type, 500 for unknown fields: there is no owner for them.
fn declared(call: &mut Call, config: &Value) -> Reply<()> {
    let unknown = std::mem::replace(&mut call.unknown, Unknown::Warn);
    let read = kinds::read(call, config);
    call.unknown = unknown;
    read?;
    let Some(first) = std::mem::take(&mut call.warnings).into_iter().next() else { return Ok(()) };
    let field = first.trim_start_matches("unknown field ").trim_matches('"');
    let (place, kind) = (format!("{}/{}", namespace(config), name(config)), &call.resource.kind);
    Err(Status::internal(format!(
        "failed to create typed patch object ({place}; {}/{}, Kind={kind}): .{field}: field not declared in schema",
        call.resource.group, call.resource.version
    )))
}

/// The live object with what is applied, and who owns what after that.
fn applied(call: &Call, owner: &Owner, live: &Value, config: &Value) -> Reply<(Value, Managers)> {
    let resource = call.resource.clone();
    let root = kinds::root(&resource);
    let mut managers = Managers::read(live);
    if managers.is_empty() && !name(live).is_empty() {
        let before = Owner { manager: "before-first-apply".to_owned(), applies: false, ..owner.clone() };
        managers.updated(root, &before, &kinds::blank(&resource), live, &call.stamp);
        managers.lose(&before, &call.foreign_fields());
    }
    let (last, last_time) = (managers.of(owner), managers.time_of(owner));
    let mut fields = claims(root, config);
    for foreign in call.foreign_fields() {
        fields.remove_tree(&foreign);
    }
    managers.set(owner, fields, &call.stamp);
    let mut merged = merge(root, live, config);
    prune(root, &mut merged, &last, &managers.all());
    take(&mut merged, &["metadata", "managedFields"]);
    managers.applied(root, owner, (live, &merged), call.force).map_err(|contested| refusal(&contested))?;
    let mut before = live.clone();
    take(&mut before, &["metadata", "managedFields"]);
    if before == merged {
        managers.forget_time(owner, &last_time);
    }
    Ok((merged, managers))
}

fn refusal(contested: &[Contested]) -> Box<Status> {
    let mut causes = Vec::new();
    let mut sentences = Vec::new();
    for Contested { owner, fields } in contested {
        let who = shown(owner);
        let paths = Fields::paths(fields);
        for path in &paths {
            causes.push(json!({
                "reason": "FieldManagerConflict", "message": format!("conflict with {who}"), "field": path,
            }));
        }
        sentences.push((who, paths));
    }
    let message = match sentences.as_slice() {
        [(who, paths)] if paths.len() == 1 => {
            format!("Apply failed with 1 conflict: conflict with {who}: {}", paths.concat())
        }
        many => {
            let lines = many.iter().map(|(who, paths)| {
                let plural = if paths.len() == 1 { "conflict" } else { "conflicts" };
                let paths: Vec<String> = paths.iter().map(|path| format!("\n- {path}")).collect();
                format!("{plural} with {who}:{}", paths.concat())
            });
            let count = causes.len();
            let plural = if count == 1 { "conflict" } else { "conflicts" };
            format!("Apply failed with {count} {plural}: {}", lines.collect::<Vec<_>>().join("\n"))
        }
    };
    Status::apply_conflict(message, causes)
}

/// `"kubectl" with subresource "status" using apps/v1`; appliers are named without a version.
fn shown(owner: &Owner) -> String {
    let mut text = json!(owner.manager).to_string();
    if !owner.subresource.is_empty() {
        text.push_str(&format!(" with subresource {}", json!(owner.subresource)));
    }
    if !owner.applies {
        text.push_str(&format!(" using {}", owner.api_version));
    }
    text
}
