//! The narrow view of a TraefikService: the list that holds the weights, and whose each of its entries is.

use serde_json::Value;
use vexil_object::ObjectKey;
use vexil_routing::{NAMELESS, RouteError, RouteTarget};

/// Where the weights stand, as messages name it.
pub(crate) const LIST: &str = "spec.weighted.services";

/// Whom an entry names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    /// The Service of the primary pods.
    Primary,
    /// The Service of the canary pods.
    Canary,
    /// Anything else: a Service or TraefikService of the user's.
    Others,
    /// Nothing: what an API server leaves of an entry whose definition has no such field.
    Nothing,
}

impl Whose {
    /// An entry of the list is a reference: to a Service unless it says otherwise, in the TraefikService's own
    /// namespace unless it names one.
    pub(crate) fn is(entry: &Value, target: &RouteTarget<'_>) -> Self {
        let says = |field: &str, default: &str, expected: &str| match entry.get(field) {
            None | Some(Value::Null) => default == expected,
            Some(Value::String(text)) => (if text.is_empty() { default } else { text }) == expected,
            Some(_) => false,
        };
        if entry.get("name").is_none_or(Value::is_null) {
            Whose::Nothing
        } else if !says("kind", "Service", "Service")
            || !says("namespace", target.namespace, target.namespace)
        {
            Whose::Others
        } else if says("name", "", &target.primary()) {
            Whose::Primary
        } else if says("name", "", &target.canary()) {
            Whose::Canary
        } else {
            Whose::Others
        }
    }
}

/// The entries of the list, in their order.
#[derive(Debug)]
pub(crate) struct View<'a> {
    object: String,
    pub(crate) entries: Vec<(Whose, &'a Value)>,
}

impl<'a> View<'a> {
    /// Finds the list. One that is missing is an empty one.
    pub(crate) fn of(key: &ObjectKey, target: &RouteTarget<'_>, live: &'a Value) -> Result<Self, RouteError> {
        let mut view = View { object: key.to_string(), entries: Vec::new() };
        let mut place = live;
        for (step, path) in [("spec", "spec"), ("weighted", "spec.weighted"), ("services", LIST)] {
            place = match place.get(step) {
                None | Some(Value::Null) => return Ok(view),
                Some(next) if step == "services" || next.is_object() => next,
                Some(_) => return Err(view.malformed(path, "is not an object")),
            };
        }
        let Value::Array(list) = place else { return Err(view.malformed(LIST, "is not a list")) };
        for (at, entry) in list.iter().enumerate() {
            if !entry.is_object() {
                return Err(view.malformed(&format!("{LIST}[{at}]"), "is not an object"));
            }
            view.entries.push((Whose::is(entry, target), entry));
        }
        Ok(view)
    }

    /// Where the first entry is that names nothing.
    pub(crate) fn nameless(&self) -> Option<String> {
        let at = self.entries.iter().position(|(whose, _)| *whose == Whose::Nothing)?;
        Some(format!("{LIST}[{at}]"))
    }

    /// Refuses a list of a user's with entries that name nothing: whose they are cannot be told.
    pub(crate) fn all_named(&self) -> Result<(), RouteError> {
        self.nameless().map_or(Ok(()), |path| Err(self.malformed(&path, NAMELESS)))
    }

    fn malformed(&self, path: &str, problem: &str) -> RouteError {
        RouteError::Malformed {
            object: self.object.clone(),
            path: path.to_owned(),
            problem: problem.to_owned(),
        }
    }

    /// A field of ours that this router did not leave so.
    pub(crate) fn edited(&self, path: String, problem: String) -> RouteError {
        RouteError::Edited { object: self.object.clone(), path, problem }
    }
}
