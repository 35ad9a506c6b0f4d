//! The primary's copies of ConfigMaps and Secrets: `<name>-primary`, with the content that was analysed.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use vexil_object::{
    Action, Change, JsonOp, Kind, MAX_NAME_BYTES, ObjectKey, Objects, Precondition, Seen, meta,
};

use super::{checksum, references::ConfigReferences, tracked::TrackedConfigs};
use crate::{
    ConfigName, Subject, WorkloadError,
    metadata::pairs,
    subject::{primary, within},
};

/// Fields that are copied, and the type of a Secret.
const CONTENT: [&str; 2] = ["data", "binaryData"];

/// The primary's copy as seen, `None` if there is none.
///
/// # Errors
/// If it is not known, or belongs to no Canary.
pub(crate) fn own<'h>(
    subject: &Subject<'_>,
    name: &ConfigName,
    have: &'h Objects,
) -> Result<Option<&'h Value>, WorkloadError> {
    within("name of the primary's copy", primary(name.name()), MAX_NAME_BYTES)?;
    let key = name.copy(subject.namespace);
    match have.get(&key) {
        Seen::Absent => Ok(None),
        Seen::NotKnown => Err(WorkloadError::NotKnown { object: key.to_string() }),
        Seen::Present(copy) if owners(copy).any(is_canary) => Ok(Some(copy)),
        Seen::Present(_) => {
            Err(WorkloadError::Unowned { object: key.to_string(), canary: subject.owner.name.clone() })
        }
    }
}

/// The names of the copies that are missing or have another content than their source, or are not known to be this
/// Canary's.
pub fn outdated_copies(
    subject: &Subject<'_>,
    tracked: &TrackedConfigs,
    have: &Objects,
) -> Result<Vec<ConfigName>, WorkloadError> {
    let mut outdated = Vec::new();
    for (name, sum) in tracked.iter().filter_map(|(text, sum)| Some((ConfigName::parse(text)?, sum))) {
        let copy = own(subject, &name, have)?;
        let as_wanted = |copy: &Value| {
            checksum::of(copy).as_deref() == Some(sum) && owners(copy).any(|owner| is_ours(subject, owner))
        };
        if !copy.is_some_and(as_wanted) {
            outdated.push(name);
        }
    }
    Ok(outdated)
}

/// Whether each copy has the content of its source, as far as Flagger copies it.
pub(crate) fn hold_flaggers_content(subject: &Subject<'_>, tracked: &TrackedConfigs, have: &Objects) -> bool {
    tracked.keys().filter_map(|text| ConfigName::parse(text)).all(|name| {
        let of = |key: ObjectKey| have.get(&key).object().and_then(checksum::flaggers);
        let copy = of(name.copy(subject.namespace));
        copy.is_some() && copy == of(name.source(subject.namespace))
    })
}

/// What makes the copy of `source`, which is the whole object, and `copy` the live one, whole or reduced.
///
/// An immutable copy is replaced, because its content cannot be changed.
///
/// # Errors
/// If its name would be too long.
pub fn write_copy(
    subject: &Subject<'_>,
    name: &ConfigName,
    source: &Value,
    copy: Option<&Value>,
) -> Result<Vec<Change>, WorkloadError> {
    let key = name.copy(subject.namespace);
    let Some(live) = copy else { return Ok(vec![Change::create(key, created(subject, name, source)?)]) };
    let same = checksum::of(live) == checksum::of(source);
    let mut owned: Vec<Value> = owners(live).cloned().collect();
    let ours = owned.iter().any(|owner| is_ours(subject, owner));
    if !ours {
        owned.push(shared_reference(subject));
    }
    if same && ours {
        return Ok(Vec::new());
    }
    if !same && live.get("immutable") == Some(&Value::Bool(true)) {
        let mut object = created(subject, name, source)?;
        meta::set(&mut object, &["metadata", "ownerReferences"], owned.into());
        return Ok(vec![Change::delete(key.clone(), live), Change::create(key, object)]);
    }
    let mut ops = Vec::new();
    if !same {
        ops.extend(content(source).into_iter().map(|(field, value)| JsonOp::Add(format!("/{field}"), value)));
    }
    if !ours {
        ops.push(JsonOp::Add("/metadata/ownerReferences".to_owned(), owned.into()));
    }
    Ok(vec![Change { key, action: Action::Json { ops, on: Precondition::of(live) } }])
}

/// The annotation of a primary: the kinds of which it has, or had, copies.
pub(crate) const COPIED: &str = "flagger.app/config-copies";

/// The value of [`COPIED`] for a primary with copies of what is tracked, which was `live` before; `None` if it never
/// had any.
pub(crate) fn copied_kinds(tracked: &TrackedConfigs, live: Option<&Value>) -> Option<String> {
    let now =
        tracked.keys().filter_map(|text| ConfigName::parse(text)).map(|name| name.kind().kind.to_owned());
    let before = live.and_then(|live| meta::annotation(live, COPIED)).unwrap_or_default();
    let kinds: BTreeSet<String> =
        before.split(',').filter(|kind| !kind.is_empty()).map(str::to_owned).chain(now).collect();
    (!kinds.is_empty()).then(|| kinds.into_iter().collect::<Vec<_>>().join(","))
}

/// Whether a primary has, or had, copies of this kind.
pub fn has_copies(primary: &Value, kind: Kind) -> bool {
    meta::annotation(primary, COPIED).is_some_and(|kinds| kinds.split(',').any(|known| known == kind.kind))
}

/// What removes the copies of this Canary, `listed`, that neither the target nor the primary names any more. One that
/// another Canary uses too is only left.
pub fn unused_copies(
    subject: &Subject<'_>,
    tracked: &TrackedConfigs,
    primary: &ConfigReferences,
    listed: &[(ObjectKey, &Value)],
) -> Vec<Change> {
    let copies: Vec<ObjectKey> =
        tracked.keys().filter_map(|text| Some(ConfigName::parse(text)?.copy(subject.namespace))).collect();
    let unused = listed.iter().filter(|(key, _)| !copies.contains(key) && !primary.names(key));
    unused
        .map(|(key, live)| {
            let others: Vec<&Value> = owners(live).filter(|owner| !is_ours(subject, owner)).collect();
            if others.is_empty() {
                return Change::delete(key.clone(), live);
            }
            let ops = vec![JsonOp::Add("/metadata/ownerReferences".to_owned(), json!(others))];
            Change { key: key.clone(), action: Action::Json { ops, on: Precondition::of(live) } }
        })
        .collect()
}

fn created(subject: &Subject<'_>, name: &ConfigName, source: &Value) -> Result<Value, WorkloadError> {
    let mut labels = pairs(source, "/metadata/labels");
    labels.retain(|key, _| subject.settings.includes(key));
    let mut object = json!({
        "apiVersion": name.kind().api_version(), "kind": name.kind().kind,
        "metadata": {
            "name": within("name of the primary's copy", primary(name.name()), MAX_NAME_BYTES)?,
            "namespace": subject.namespace,
            "labels": labels,
            "ownerReferences": [subject.owner.reference()],
        },
    });
    if let Some(kind) = source.get("type") {
        meta::set(&mut object, &["type"], kind.clone());
    }
    for (field, value) in content(source) {
        if value.as_object().is_some_and(|map| !map.is_empty()) {
            meta::set(&mut object, &[field], value);
        }
    }
    Ok(object)
}

/// The content of the source, field by field. Fields that it does not have are empty: they are removed from a copy.
fn content(source: &Value) -> Vec<(&'static str, Value)> {
    let field = |field: &'static str| {
        // Secrets have no `binaryData`.
        if field == "binaryData" && source.get("type").is_some() {
            return None;
        }
        let value = source.get(field).filter(|value| value.is_object()).cloned();
        Some((field, value.unwrap_or_else(|| Value::Object(Map::new()))))
    };
    CONTENT.into_iter().filter_map(field).collect()
}

fn owners(object: &Value) -> impl Iterator<Item = &Value> {
    object.pointer("/metadata/ownerReferences").and_then(Value::as_array).into_iter().flatten()
}

fn is_canary(owner: &Value) -> bool {
    meta::text(owner, "/kind") == "Canary" && meta::text(owner, "/apiVersion").starts_with("flagger.app/")
}

fn is_ours(subject: &Subject<'_>, owner: &Value) -> bool {
    meta::text(owner, "/uid") == subject.owner.uid
}

/// The owner reference of a copy that another Canary controls: an object has one controller.
fn shared_reference(subject: &Subject<'_>) -> Value {
    let mut reference = subject.owner.reference();
    meta::set(&mut reference, &["controller"], false.into());
    reference
}
