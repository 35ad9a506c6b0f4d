//! The managers of an object and what each of them owns.

use serde_json::{Map, Value, json};

use super::{
    super::json::{list, text},
    Root,
    compare::{Comparison, all, compare},
    fields::Fields,
};

/// Fields without a manager: the server keeps them.
const NOBODYS: [&[&str]; 10] = [
    &["f:apiVersion"],
    &["f:kind"],
    &["f:metadata"],
    &["f:metadata", "f:name"],
    &["f:metadata", "f:namespace"],
    &["f:metadata", "f:creationTimestamp"],
    &["f:metadata", "f:selfLink"],
    &["f:metadata", "f:uid"],
    &["f:metadata", "f:generation"],
    &["f:metadata", "f:resourceVersion"],
];

/// Who writes, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    /// The name that the client gives itself.
    pub manager: String,
    /// Whether it applies; otherwise it updates.
    pub applies: bool,
    /// The version that it writes.
    pub api_version: String,
    /// The subresource that it writes; empty for the object itself.
    pub subresource: String,
}

#[derive(Clone, Debug)]
struct Entry {
    owner: Owner,
    time: String,
    fields: Fields,
}

/// The managers of an object.
#[derive(Clone, Debug, Default)]
pub(crate) struct Managers(Vec<Entry>);

/// Another manager owns these fields with other values.
#[derive(Debug)]
pub(crate) struct Contested {
    /// Who.
    pub owner: Owner,
    /// Which.
    pub fields: Fields,
}

impl Managers {
    /// Reads `metadata.managedFields`.
    pub fn read(object: &Value) -> Self {
        let entries = list(object, &["metadata", "managedFields"]).iter();
        let entries = entries.filter(|entry| entry.get("fieldsV1").is_some()).map(|entry| Entry {
            owner: Owner {
                manager: text(entry, &["manager"]).to_owned(),
                applies: text(entry, &["operation"]) == "Apply",
                api_version: text(entry, &["apiVersion"]).to_owned(),
                subresource: text(entry, &["subresource"]).to_owned(),
            },
            time: text(entry, &["time"]).to_owned(),
            fields: Fields::read(entry.get("fieldsV1").unwrap_or(&Value::Null)),
        });
        Managers(entries.collect())
    }

    /// Writes `metadata.managedFields`: appliers first, then by time and name. None when no field has a manager.
    pub fn json(&self) -> Option<Value> {
        let mut entries: Vec<&Entry> = self.0.iter().filter(|entry| !entry.fields.is_empty()).collect();
        entries.sort_by_key(|entry| {
            let owner = &entry.owner;
            (!owner.applies, &entry.time, &owner.manager, &owner.api_version, &owner.subresource)
        });
        (!entries.is_empty()).then(|| entries.into_iter().map(Entry::json).collect())
    }

    /// Whether no field has a manager.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|entry| entry.fields.is_empty())
    }

    /// What an owner owns.
    pub fn of(&self, owner: &Owner) -> Fields {
        self.0.iter().find(|entry| entry.is(owner)).map(|entry| entry.fields.clone()).unwrap_or_default()
    }

    /// What any manager owns.
    pub fn all(&self) -> Fields {
        self.0.iter().fold(Fields::default(), |all, entry| all.union(&entry.fields))
    }

    /// After an update: the client that changed a field owns it, and what is gone has no manager.
    pub fn updated(&mut self, root: Root<'_>, owner: &Owner, old: &Value, new: &Value, stamp: &str) {
        let found = stripped(compare(root, old, new));
        let taken = found.modified.union(&found.added);
        for entry in &mut self.0 {
            entry.fields = entry.fields.difference(&found.removed);
            if !entry.is(owner) {
                entry.fields = entry.fields.difference(&taken);
            }
        }
        if !taken.is_empty() {
            let fields = self.of(owner).union(&taken);
            self.0.retain(|entry| !entry.is(owner));
            self.set(owner, fields, stamp);
        }
        self.0.retain(|entry| !entry.fields.is_empty());
    }

    /// After an apply: the owner owns exactly what it applied, and no other manager what it changed.
    ///
    /// # Errors
    /// When another manager owns a field that would change, unless `force`.
    pub fn applied(
        &mut self,
        root: Root<'_>,
        owner: &Owner,
        (old, new): (&Value, &Value),
        force: bool,
    ) -> Result<(), Vec<Contested>> {
        let found = stripped(compare(root, old, new));
        let taken = found.modified.union(&found.added);
        let others = || self.0.iter().filter(|entry| !entry.is(owner));
        let contested: Vec<Contested> = others()
            .map(|entry| Contested { owner: entry.owner.clone(), fields: entry.fields.intersection(&taken) })
            .filter(|contested| !contested.fields.is_empty())
            .collect();
        if !force && !contested.is_empty() {
            return Err(contested);
        }
        for entry in self.0.iter_mut().filter(|entry| !entry.is(owner)) {
            entry.fields = entry.fields.difference(&taken).difference(&found.removed);
        }
        self.0.retain(|entry| !entry.fields.is_empty());
        Ok(())
    }

    /// Sets what an owner owns.
    pub fn set(&mut self, owner: &Owner, fields: Fields, stamp: &str) {
        let before = self.0.iter().position(|entry| entry.is(owner)).map(|place| self.0.remove(place));
        let same = before.filter(|entry| entry.fields == fields && entry.owner == *owner);
        let time = same.map_or_else(|| stamp.to_owned(), |entry| entry.time);
        self.0.push(Entry { owner: owner.clone(), time, fields });
    }

    /// An apply that changed nothing is no moment to remember.
    pub fn forget_time(&mut self, owner: &Owner, before: &str) {
        for entry in self.0.iter_mut().filter(|entry| entry.is(owner)) {
            before.clone_into(&mut entry.time);
        }
    }

    /// When an owner last wrote; empty when that is not known.
    pub fn time_of(&self, owner: &Owner) -> String {
        self.0.iter().find(|entry| entry.is(owner)).map(|entry| entry.time.clone()).unwrap_or_default()
    }

    /// Takes whole members of the object from an owner.
    pub fn lose(&mut self, owner: &Owner, members: &[String]) {
        for entry in self.0.iter_mut().filter(|entry| entry.is(owner)) {
            members.iter().for_each(|member| entry.fields.remove_tree(member));
        }
        self.0.retain(|entry| !entry.fields.is_empty());
    }
}

/// What a client that applies `config` claims.
pub(crate) fn claims(root: Root<'_>, config: &Value) -> Fields {
    strip(all(root, config))
}

/// Removes from a set what has no manager.
fn strip(mut fields: Fields) -> Fields {
    for path in NOBODYS {
        fields.remove(path);
    }
    fields.remove(&["f:metadata", "f:managedFields"]);
    fields
}

fn stripped(found: Comparison) -> Comparison {
    Comparison { added: strip(found.added), modified: strip(found.modified), removed: found.removed }
}

impl Entry {
    /// Appliers are the same whatever version they write.
    fn is(&self, owner: &Owner) -> bool {
        let have = &self.owner;
        have.manager == owner.manager
            && have.applies == owner.applies
            && have.subresource == owner.subresource
            && (owner.applies || have.api_version == owner.api_version)
    }

    fn json(&self) -> Value {
        let mut entry = Map::from_iter([
            ("manager".to_owned(), json!(self.owner.manager)),
            ("operation".to_owned(), json!(if self.owner.applies { "Apply" } else { "Update" })),
            ("apiVersion".to_owned(), json!(self.owner.api_version)),
            ("fieldsType".to_owned(), json!("FieldsV1")),
            ("fieldsV1".to_owned(), self.fields.json()),
        ]);
        if !self.time.is_empty() {
            entry.insert("time".to_owned(), json!(self.time));
        }
        if !self.owner.subresource.is_empty() {
            entry.insert("subresource".to_owned(), json!(self.owner.subresource));
        }
        Value::Object(entry)
    }
}
