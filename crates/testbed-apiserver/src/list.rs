//! Lists: selection, pages, and the revision that a list speaks of.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};

use super::{
    errors::{Cause, Fault, Reply, Status},
    request::Request,
    select::Selector,
    state::{Call, State},
    store::Key,
};

/// One page of a list.
#[derive(Debug)]
pub(crate) struct Page {
    /// The objects, by namespace and name.
    pub items: Vec<Arc<Value>>,
    /// `metadata` of the list.
    pub metadata: Value,
}

/// Where the next page begins.
struct Continue {
    revision: u64,
    after: Key,
}

impl State {
    /// Answers a list.
    ///
    /// # Errors
    /// 400 for selectors and options that cannot be read, 410 for a page of a list that is forgotten, 504 for a
    /// revision that has not come yet.
    pub fn list(&self, call: &Call, request: &Request) -> Reply<Page> {
        let (labels, fields) = (request.param("labelSelector"), request.param("fieldSelector"));
        let selector = Selector::parse(&call.resource, &call.namespace, labels, fields)?;
        let limit: usize = match request.param("limit") {
            "" => 0,
            text if text.parse::<i64>().is_ok_and(|limit| limit < 0) => 0,
            text => text.parse().map_err(|_| {
                Status::bad_request(format!("strconv.ParseInt: parsing {}: invalid syntax", json!(text)))
            })?,
        };
        let from = token(request.param("continue"))?;
        if from.is_some() && !matches!(request.param("resourceVersion"), "" | "0") {
            return Err(Status::bad_request(
                "specifying resource version is not allowed when using continue",
            ));
        }
        let revision = match &from {
            Some(from) => from.revision,
            None => self.list_revision(request)?,
        };
        let bucket = call.resource.bucket();
        let undone = self.store.undone(&bucket, revision).ok_or_else(|| gone(from.is_some()))?;
        let after = from.map(|from| from.after);
        // As etcd, a page is not dearer because there are more pages.
        let mut rest = self
            .store
            .after(&bucket, &undone, after.as_ref())
            .filter(|(_, object)| selector.selects(object))
            .peekable();
        let most = if limit == 0 { usize::MAX } else { limit };
        let items: Vec<(&Key, &Arc<Value>)> = rest.by_ref().take(most).collect();
        let mut metadata = Map::from_iter([("resourceVersion".to_owned(), json!(revision.to_string()))]);
        if let Some((last, _)) = items.last().filter(|_| rest.peek().is_some()) {
            metadata.insert("continue".to_owned(), json!(token_text(revision, last)));
            if labels.is_empty() && fields.is_empty() {
                metadata.insert("remainingItemCount".to_owned(), json!(rest.count()));
            }
        }
        let items = items.into_iter().map(|(_, object)| object.clone()).collect();
        Ok(Page { items, metadata: Value::Object(metadata) })
    }

    /// The revision that a first page speaks of: the present one unless an exact one is asked for.
    fn list_revision(&self, request: &Request) -> Reply<u64> {
        let current = self.store.revision();
        let wanted = request.param("resourceVersion");
        let version: u64 = match wanted {
            "" => 0,
            text => text.parse().map_err(|_| {
                Status::bad_request(format!("invalid resource version: {}", invalid_version(text)))
            })?,
        };
        let matching = request.param("resourceVersionMatch");
        let refused = |fault: Fault, why: &str| {
            let cause = Cause::new("resourceVersionMatch", fault, why);
            Err(Status::invalid_options("ListOptions", &cause))
        };
        match matching {
            "" | "NotOlderThan" | "Exact" if version > current => {
                Err(Status::too_large_version(version, current))
            }
            "NotOlderThan" | "Exact" if wanted.is_empty() => refused(
                Fault::Forbidden,
                "resourceVersionMatch is forbidden unless resourceVersion is provided",
            ),
            "Exact" if version == 0 => refused(
                Fault::Forbidden,
                "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"",
            ),
            "Exact" => Ok(version),
            other if !matches!(other, "" | "NotOlderThan") => refused(
                Fault::NotSupported(json!(other)),
                "supported values: \"Exact\", \"NotOlderThan\", \"\"",
            ),
            _ => Ok(current),
        }
    }
}

/// What is wrong with a resourceVersion that is no number.
pub(crate) fn invalid_version(text: &str) -> String {
    let text = json!(text);
    format!("resourceVersion: Invalid value: {text}: strconv.ParseUint: parsing {text}: invalid syntax")
}

fn gone(continued: bool) -> Box<Status> {
    match continued {
        true => Status::expired(
            "The provided continue parameter is too old to display a consistent list result. You can start a \
                new list without the continue parameter.",
        ),
        false => Status::expired("The resourceVersion for the provided list is too old."),
    }
}

fn token_text(revision: u64, last: &Key) -> String {
    STANDARD.encode(json!({"v": "meta.k8s.io/v1", "rv": revision, "start": [last.0, last.1]}).to_string())
}

fn token(text: &str) -> Reply<Option<Continue>> {
    if text.is_empty() {
        return Ok(None);
    }
    let read = || {
        let token: Value = serde_json::from_slice(&STANDARD.decode(text).ok()?).ok()?;
        let step = |index: usize| Some(token.get("start")?.get(index)?.as_str()?.to_owned());
        Some(Continue { revision: token.get("rv")?.as_u64()?, after: (step(0)?, step(1)?) })
    };
    match read() {
        Some(found) => Ok(Some(found)),
        None => Err(Status::bad_request(
            "invalid continue token: continue key is not valid: the token cannot be read",
        )),
    }
}
