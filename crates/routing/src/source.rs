//! The user's object that a generated route follows: how the Canary names it, and what is wrong with that.

use serde_json::Value;
use vexil_api::{Defect, ObjectReference, canary::CanarySpec};
use vexil_object::{Kind, MAX_NAME_BYTES, ObjectKey, Seen, kinds};

use crate::{RouteContext, RouteError, RouteTarget};

/// How Canaries name the objects that a router follows, and how the generated ones are called.
#[derive(Clone, Copy, Debug)]
pub struct SourceKind {
    /// The kind of the user's object and of the generated one.
    pub kind: Kind,
    /// The groups that a reference may name: those that have had the kind.
    pub groups: &'static [&'static str],
    /// The field of the Canary that names the user's object.
    pub reference: ObjectReference,
    /// What Flagger's messages call the user's object: `ingress`.
    pub noun: &'static str,
    /// What our messages call it, with its article: `an Ingress`.
    pub described: &'static str,
    /// The name of the generated object, from the names of the user's and of the apex.
    pub generated: fn(&str, &str) -> String,
}

/// The user's object, as it was observed.
#[derive(Clone, Debug)]
pub struct Source<'a> {
    /// The object.
    pub key: ObjectKey,
    /// What it says.
    pub live: &'a Value,
}

impl SourceKind {
    /// What is wrong with the Canary's reference; `None` also when it has no name, which is a defect with any provider.
    pub fn defect(&self, spec: &CanarySpec) -> Option<Defect> {
        let nameless = self.reference.name(spec).is_some_and(str::is_empty);
        self.names(spec, spec.apex_name()).err().filter(|_| !nameless)
    }

    /// The names of the user's object and of the generated one.
    ///
    /// # Errors
    /// What is wrong with the Canary's reference, whatever the cluster contains.
    fn names<'s>(&self, spec: &'s CanarySpec, apex: &str) -> Result<(&'s str, String), Defect> {
        let defect = |field: &str, message: String| Err(Defect { path: self.path(field), message });
        let Some(reference) = self.reference.object(spec).filter(|reference| !reference.name.is_empty())
        else {
            let text = format!("is missing: {} selector is empty", self.noun.to_lowercase());
            return defect("name", text);
        };
        let version = reference.api_version;
        if !version.is_empty() && !version.split('/').next().is_some_and(|group| self.groups.contains(&group))
        {
            return defect("apiVersion", format!("is {version:?}, not one of {}", self.groups.join(", ")));
        }
        if !reference.kind.is_empty() && reference.kind != self.kind.kind {
            return defect("kind", format!("is {:?}, not {}", reference.kind, self.kind.kind));
        }
        let generated = (self.generated)(reference.name, apex);
        if generated.len() > MAX_NAME_BYTES {
            let text = format!(
                "is too long: the generated {generated} would be longer than {MAX_NAME_BYTES} characters"
            );
            return defect("name", text);
        }
        Ok((reference.name, generated))
    }

    /// The user's object, and the generated one.
    ///
    /// # Errors
    /// What is wrong with the Canary's reference.
    pub fn keys(&self, target: &RouteTarget<'_>) -> Result<(ObjectKey, ObjectKey), RouteError> {
        let (users, generated) = self
            .names(target.spec, target.apex)
            .map_err(|defect| RouteError::malformed(&canary(target), defect.path, defect.message))?;
        let key = |name: &str| ObjectKey::new(self.kind, target.namespace, name);
        Ok((key(users), key(&generated)))
    }

    /// The user's object as it was observed.
    ///
    /// # Errors
    /// [`RouteError::NotKnown`], and a defect of the Canary with Flagger's text when there is no such object.
    pub fn source<'a>(&self, route: &RouteContext<'a>) -> Result<Source<'a>, RouteError> {
        let (key, _) = self.keys(route.target)?;
        match route.have.get(&key) {
            Seen::NotKnown => Err(RouteError::NotKnown { object: key.to_string() }),
            Seen::Absent => {
                let name = format!("{} {}.{}", self.noun, key.name(), key.namespace());
                let described = self.described;
                let problem =
                    format!("names {described} that does not exist: {name} get query error: not found");
                Err(RouteError::malformed(&canary(route.target), self.path("name"), problem))
            }
            Seen::Present(live) => Ok(Source { key, live }),
        }
    }

    fn path(&self, field: &str) -> String {
        format!("spec.{}.{field}", self.reference.field())
    }
}

fn canary(target: &RouteTarget<'_>) -> ObjectKey {
    ObjectKey::new(kinds::CANARY, target.namespace, &target.owner.name)
}
