//! A record of every request, so that tests can say what an operator cost and what it touched.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

/// One request and how it was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// When it was answered.
    pub at: Timestamp,
    /// The `User-Agent` header; empty when there was none.
    pub user_agent: String,
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete` or `deletecollection`.
    pub verb: String,
    /// API group; empty for the core group and for paths outside of the API.
    pub group: String,
    /// Resource name such as `deployments`; the path, where the request is for no resource.
    pub resource: String,
    /// Subresource such as `status`; empty for the object itself.
    pub subresource: String,
    /// Namespace; empty for cluster-scoped resources.
    pub namespace: String,
    /// Name; empty for collections.
    pub name: String,
    /// The HTTP status of the answer; 0 when none was sent.
    pub code: u16,
    /// Whether the request changed anything that is stored.
    pub changed: bool,
}

impl AuditEntry {
    /// `patch apps/deployments/status test/podinfo 200`: one line for messages and golden files.
    pub fn line(&self) -> String {
        let group = if self.group.is_empty() { String::new() } else { format!("{}/", self.group) };
        let sub = if self.subresource.is_empty() { String::new() } else { format!("/{}", self.subresource) };
        let namespace =
            if self.namespace.is_empty() { String::new() } else { format!("{}/", self.namespace) };
        let resource = &self.resource;
        format!("{} {group}{resource}{sub} {namespace}{} {}", self.verb, self.name, self.code)
    }

    /// Whether the verb is one that asks for a change.
    pub fn is_write(&self) -> bool {
        matches!(self.verb.as_str(), "create" | "update" | "patch" | "delete" | "deletecollection")
    }
}

/// The record of all requests since the server began, or since it was cleared. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Audit(Arc<Mutex<Vec<AuditEntry>>>);

impl Audit {
    /// Everything so far, oldest first.
    pub fn entries(&self) -> Vec<AuditEntry> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The entries of clients whose user agent begins with `agent`.
    pub fn of(&self, agent: &str) -> Vec<AuditEntry> {
        self.entries().into_iter().filter(|entry| entry.user_agent.starts_with(agent)).collect()
    }

    /// How many entries satisfy `test`.
    pub fn count(&self, test: impl Fn(&AuditEntry) -> bool) -> usize {
        self.entries().iter().filter(|entry| test(entry)).count()
    }

    /// Forgets everything so far.
    pub fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    pub(crate) fn record(&self, entry: AuditEntry) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(entry);
    }
}
