//! Which kinds are served: the built-in ones and those that CustomResourceDefinitions add.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::Value;

use super::{crd, schema::types::Shape};

/// One kind in one version, as URLs and discovery know it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Resource {
    /// API group; empty for the core group.
    pub group: String,
    /// Version in the group.
    pub version: String,
    /// Kind in the singular.
    pub kind: String,
    /// Kind of lists of it.
    pub list_kind: String,
    /// Name in URLs.
    pub plural: String,
    /// Name for people, in the singular.
    pub singular: String,
    /// Abbreviations that clients accept.
    pub short_names: Vec<String>,
    /// Groups of kinds, such as `all`.
    pub categories: Vec<String>,
    /// Whether its objects live in namespaces.
    pub namespaced: bool,
    /// Whether status is written through a subresource of its own.
    pub has_status: bool,
    /// Where the scale subresource finds its numbers, when there is one.
    pub scale: Option<Scale>,
    /// Whether `metadata.generation` counts changes of the specification.
    pub counts_generations: bool,
    /// What its objects are made of, for built-in kinds.
    pub shape: Shape,
    /// What a CustomResourceDefinition says of this version; none for built-in kinds.
    pub custom: Option<Arc<crd::Served>>,
}

/// JSON pointers of the scale subresource.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Scale {
    /// Wanted replicas.
    pub spec: String,
    /// Present replicas.
    pub status: String,
    /// The selector, as text or as a label selector.
    pub selector: Option<String>,
}

impl Resource {
    /// `apps/v1`, or `v1` for the core group.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }

    /// `deployments.apps`, or `pods` for the core group: how sentences name the resource.
    pub fn qualified(&self) -> String {
        if self.group.is_empty() { self.plural.clone() } else { format!("{}.{}", self.plural, self.group) }
    }

    /// `Deployment.apps`, or `Pod` for the core group: how sentences name the kind.
    pub fn qualified_kind(&self) -> String {
        if self.group.is_empty() { self.kind.clone() } else { format!("{}.{}", self.kind, self.group) }
    }

    /// Where objects are kept: all versions of a kind share one place, and so do both kinds of events.
    pub fn bucket(&self) -> String {
        if self.group == "events.k8s.io" { "events".to_owned() } else { self.qualified() }
    }

    /// The name of its type in the table of types, as it is stored.
    pub fn type_name(&self) -> &str {
        if let Shape::Type(name) = &self.shape { name } else { "" }
    }

    /// The name of its type in the table of types, as clients send it.
    pub fn wire_name(&self) -> &str {
        if self.is("events.k8s.io", "Event") { "events.Event" } else { self.type_name() }
    }

    /// Whether this is the built-in kind `kind` of `group`.
    pub fn is(&self, group: &str, kind: &str) -> bool {
        self.custom.is_none() && self.group == group && self.kind == kind
    }
}

/// All kinds that are served now.
#[derive(Debug)]
pub(crate) struct Registry {
    built_in: Vec<Arc<Resource>>,
    custom: BTreeMap<String, Vec<Arc<Resource>>>,
}

impl Registry {
    /// The built-in kinds.
    pub fn new() -> Self {
        let built_in =
            include_str!("kinds/resources.txt").lines().filter_map(built_in).map(Arc::new).collect();
        Registry { built_in, custom: BTreeMap::new() }
    }

    /// Every kind in every version, in the order of discovery.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Resource>> {
        self.built_in.iter().chain(self.custom.values().flatten())
    }

    /// The kind behind a URL.
    pub fn find(&self, group: &str, version: &str, plural: &str) -> Option<Arc<Resource>> {
        self.all().find(|r| r.group == group && r.version == version && r.plural == plural).cloned()
    }

    /// One version of the kind that is stored in `bucket`.
    pub fn of_bucket(&self, bucket: &str) -> Option<Arc<Resource>> {
        self.all().find(|r| r.bucket() == bucket && r.group != "events.k8s.io").cloned()
    }

    /// The version in which objects of `resource` are kept; itself when there is no other.
    pub fn stored(&self, resource: &Arc<Resource>) -> Arc<Resource> {
        let versions = self.custom.values().flatten().filter(|r| r.qualified() == resource.qualified());
        let mut stored = versions.filter(|r| r.custom.as_ref().is_some_and(|served| served.storage));
        stored.next().unwrap_or(resource).clone()
    }

    /// Serves what a CustomResourceDefinition defines, in place of what it defined before.
    pub fn define(&mut self, definition: &Value) {
        self.custom.insert(super::json::name(definition).to_owned(), crd::resources(definition));
    }

    /// Serves the kind of that CustomResourceDefinition no more.
    pub fn forget(&mut self, name: &str) {
        self.custom.remove(name);
    }
}

fn built_in(line: &str) -> Option<Resource> {
    let mut words = line.split_whitespace().filter(|_| !line.starts_with('#'));
    let mut word = || words.next();
    let (group, version, kind, plural) = (word()?, word()?, word()?, word()?);
    let list = |text: &str| -> Vec<String> {
        text.split(',').filter(|item| *item != "-").map(str::to_owned).collect()
    };
    let (short_names, categories, flags) = (list(word()?), list(word()?), word()?);
    Some(Resource {
        group: group.trim_matches('-').to_owned(),
        version: version.to_owned(),
        kind: kind.to_owned(),
        list_kind: format!("{kind}List"),
        plural: plural.to_owned(),
        singular: kind.to_lowercase(),
        short_names,
        categories,
        namespaced: flags.contains('n'),
        has_status: flags.contains('s'),
        scale: flags.contains('S').then(|| Scale {
            spec: "/spec/replicas".to_owned(),
            status: "/status/replicas".to_owned(),
            selector: Some("/spec/selector".to_owned()),
        }),
        counts_generations: flags.contains('g'),
        shape: Shape::Type(kind.to_owned()),
        custom: None,
    })
}
