//! Faults that a test asks for: which request is hit, and what happens to it.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use super::request::Request;

/// Which requests a fault hits. Every field that is set must fit; the default fits all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matcher {
    /// Verb, as in [`super::AuditEntry::verb`].
    pub verb: Option<String>,
    /// API group.
    pub group: Option<String>,
    /// Resource name.
    pub resource: Option<String>,
    /// Subresource; empty text fits only the object itself.
    pub subresource: Option<String>,
    /// Namespace.
    pub namespace: Option<String>,
    /// Name.
    pub name: Option<String>,
    /// Beginning of the user agent.
    pub user_agent: Option<String>,
    /// Only requests that ask for a change.
    pub writes: bool,
}

impl Matcher {
    /// Requests with this verb for this resource.
    pub fn new(verb: &str, resource: &str) -> Self {
        Matcher { verb: Some(verb.to_owned()), resource: Some(resource.to_owned()), ..Matcher::default() }
    }

    /// Requests that ask for a change, of whatever.
    pub fn writes() -> Self {
        Matcher { writes: true, ..Matcher::default() }
    }

    fn fits(&self, request: &Request) -> bool {
        let address = request.address.clone().unwrap_or_default();
        let is = |wanted: &Option<String>, have: &str| wanted.as_deref().is_none_or(|wanted| wanted == have);
        let agent = request.header(http::header::USER_AGENT);
        is(&self.verb, request.verb())
            && is(&self.group, &address.group)
            && is(&self.resource, &address.plural)
            && is(&self.subresource, &address.subresource)
            && is(&self.namespace, &address.namespace)
            && is(&self.name, &address.name)
            && self.user_agent.as_deref().is_none_or(|wanted| agent.starts_with(wanted))
            && (!self.writes || !matches!(request.verb(), "get" | "list" | "watch"))
    }
}

/// What happens to a request that a fault hits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultAction {
    /// Nothing is done and this status is answered; with `Retry-After` in seconds when given.
    Answer {
        /// HTTP status, such as 409, 429, 500, 503, 504 or 403.
        code: u16,
        /// Seconds for the `Retry-After` header.
        retry_after: Option<u32>,
    },
    /// The request is carried out and its answer is lost.
    LoseAnswer(Loss),
    /// There is no answer; nothing is carried out.
    Hang,
    /// The request arrives this much later, and is carried out then.
    Delay(Duration),
    /// All open watches end, then the request is carried out.
    DropWatches,
    /// The history is forgotten, so that watches and continues from before get 410; then the request is carried out.
    Compact,
    /// Both: every watch ends, has to list anew, and receives all objects again; then the request is carried out.
    Replay,
    /// A watch that is opened sends everything this much too late. Other requests are carried out as ever.
    DelayWatch(Duration),
}

/// How an answer gets lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// The connection breaks.
    Reset,
    /// The caller sees 504, as from a proxy that gave up waiting.
    Timeout,
    /// Nothing is sent.
    Silence,
}

/// A fault that waits for its request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Which requests it hits.
    pub matcher: Matcher,
    /// What happens to them.
    pub action: FaultAction,
    /// How many fitting requests pass unharmed before.
    pub after: u32,
    /// How many requests it then hits.
    pub times: u32,
}

impl Fault {
    /// A fault that hits the next fitting request.
    pub fn once(matcher: Matcher, action: FaultAction) -> Self {
        Fault { matcher, action, after: 0, times: 1 }
    }

    /// The same fault, hitting only the request after `count` fitting ones.
    pub fn after(self, count: u32) -> Self {
        Fault { after: count, ..self }
    }

    /// The same fault, hitting `count` requests.
    pub fn times(self, count: u32) -> Self {
        Fault { times: count, ..self }
    }
}

/// The faults of one server, in the order in which they are tried. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<Mutex<Vec<Fault>>>);

impl Faults {
    /// Adds a fault behind those that are there.
    pub fn push(&self, fault: Fault) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(fault);
    }

    /// Removes all faults.
    pub fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// How many faults still wait for a request.
    pub fn pending(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// What happens to this request. Only the first fault that fits is counted down.
    pub(crate) fn strike(&self, request: &Request) -> Option<FaultAction> {
        let mut faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let index = faults.iter().position(|fault| fault.times > 0 && fault.matcher.fits(request))?;
        let fault = faults.get_mut(index)?;
        if fault.after > 0 {
            fault.after -= 1;
            return None;
        }
        fault.times -= 1;
        let action = fault.action.clone();
        if fault.times == 0 {
            faults.remove(index);
        }
        Some(action)
    }
}
