//! From a request to its answer: which part of the server it is for.

use std::sync::Arc;

use axum::body::Body;
use serde_json::Value;

use super::{
    discovery,
    errors::{Reply, Status},
    output::Form,
    request::Request,
    scale,
    server::Inner,
    state::{Call, Part, State},
    watch,
};

/// An answer before it is an HTTP response.
pub(crate) struct Answer {
    /// HTTP status.
    pub code: u16,
    /// Media type.
    pub content_type: &'static str,
    /// Content.
    pub body: Body,
    /// Sentences for `Warning` headers.
    pub warnings: Vec<String>,
    /// Seconds for `Retry-After`.
    pub retry_after: Option<u32>,
}

impl Answer {
    /// An object.
    pub fn json(code: u16, value: &Value) -> Self {
        Self::of(code, "application/json", Body::from(value.to_string()))
    }

    /// Text.
    pub fn text(code: u16, text: &str) -> Self {
        Self::of(code, "text/plain; charset=utf-8", Body::from(text.to_owned()))
    }

    /// A Status object.
    pub fn refused(status: &Status) -> Self {
        let mut answer = Self::json(status.code, &status.json());
        if status.reason == "Timeout" && status.details.is_some() {
            answer.retry_after = Some(1);
        }
        answer
    }

    fn of(code: u16, content_type: &'static str, body: Body) -> Self {
        Answer { code, content_type, body, warnings: Vec::new(), retry_after: None }
    }
}

/// Answers a request.
pub(crate) fn answer(server: &Arc<Inner>, request: &Request) -> Answer {
    let answered = match &request.address {
        Some(_) => resource(server, request),
        None => return discovery::answer(&server.state().registry, request),
    };
    answered.unwrap_or_else(|status| Answer::refused(&status))
}

fn resource(server: &Arc<Inner>, request: &Request) -> Reply<Answer> {
    let address = request.address.clone().unwrap_or_default();
    let mut state = server.state();
    if let Some(review) = discovery::review(request) {
        return Ok(review);
    }
    if state.registry.find(&address.group, &address.version, &address.plural).is_none() {
        return Ok(discovery::nothing_there(&state.registry, &address.group));
    }
    let mut call = state.call(request, server.clock.stamp())?;
    if call.resource.is("", "Endpoints") {
        let hint = "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice";
        call.warnings.push(hint.to_owned());
    }
    let answered = verb(server, &mut state, &mut call, request);
    let mut answer = answered.unwrap_or_else(|status| Answer::refused(&status));
    answer.warnings.clone_from(&call.warnings);
    Ok(answer)
}

/// Carries out what a request asks of a resource.
fn verb(server: &Arc<Inner>, state: &mut State, call: &mut Call, request: &Request) -> Reply<Answer> {
    let form = Form::asked(request);
    let shown = |call: &Call, code: u16, object: &Value| {
        let text = form.text(&call.resource, object, &server.clock);
        Answer::of(code, "application/json", Body::from(text))
    };
    match (request.verb(), call.part) {
        ("watch", Part::Whole) => {
            let body = watch::open(server, state, call, request, form)?;
            Ok(Answer::of(200, "application/json", body))
        }
        ("list", Part::Whole) => {
            let page = state.list(call, request)?;
            let text = form.list_text(&call.resource, &page, &server.clock);
            Ok(Answer::of(200, "application/json", Body::from(text)))
        }
        ("get", Part::Scale) => {
            let object = state.found(call)?;
            Ok(Answer::json(200, &scale::view(&call.resource, &object)))
        }
        ("update" | "patch", Part::Scale) => Ok(Answer::json(200, &state.scale(call, request)?)),
        ("get", Part::Whole | Part::Status) => {
            let object = state.found(call)?;
            Ok(shown(call, 200, &object))
        }
        ("create", Part::Status) if call.resource.custom.is_some() => {
            Err(Status::not_supported(&call.resource, "create"))
        }
        ("update", _) if call.resource.custom.is_some() && call.name.is_empty() => {
            Err(Status::bad_request("name must be provided"))
        }
        ("create", Part::Whole) if call.name.is_empty() && !is_nowhere(call) => {
            let object = state.create(call, request)?;
            Ok(shown(call, 201, &object))
        }
        ("update", Part::Whole | Part::Status) if !call.name.is_empty() => {
            let (code, object) = state.update(call, request)?;
            Ok(shown(call, code, &object))
        }
        ("patch", Part::Whole | Part::Status) if !call.name.is_empty() => {
            let (code, object) = state.patch(call, request)?;
            Ok(shown(call, code, &object))
        }
        ("delete", Part::Whole) => {
            let (code, body) = state.delete(call, request)?;
            Ok(Answer::json(code, &body))
        }
        ("deletecollection", Part::Whole) if !call.resource.is("", "Namespace") => {
            let page = state.delete_all(call, request)?;
            Ok(Answer::json(200, &form.list(&call.resource, &page, &server.clock)))
        }
        _ => Err(Status::method_not_allowed()),
    }
}

/// Whether an object of a built-in kind would have no namespace.
fn is_nowhere(call: &Call) -> bool {
    call.resource.custom.is_none() && call.resource.namespaced && call.namespace.is_empty()
}
