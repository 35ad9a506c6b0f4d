//! One effect, carried out: rendered to changes, each applied with its fence.

use std::sync::Arc;

use serde_json::Value;
use vexil_analysis::{Effect, Memory, Revision};
use vexil_kube::{ReadError, WriteError};
use vexil_object::{Action, Change, ObjectKey, Seen};
use vexil_routing::RouteError;
use vexil_workload::{PrimaryCopy, Side, Write};

use crate::{Context, case::Case, look::View, release};

/// What became of an effect.
pub(crate) enum Acted {
    /// It is done; look again.
    Done,
    /// The target is no longer at the revision that was to be copied.
    Moved,
    /// Somebody else wrote, or the outcome is not known: the tick ends and the next one looks anew.
    Again,
    /// The API server asks to wait this long, in milliseconds.
    Later(u64),
    /// It was refused; the text says why.
    Refused(String),
    /// It was written and is not stored as it was written; the text says which fields of which object, and why.
    Altered(String),
}

/// Carries out an effect.
pub(crate) async fn act(
    context: &Context,
    case: &Case,
    memory: &Memory,
    view: &View,
    effect: &Effect,
) -> Acted {
    match effect {
        Effect::CreatePrimary(revision) => copy(context, case, view, revision, Write::CreatePrimary).await,
        Effect::Promote(revision) => copy(context, case, view, revision, Write::Promote).await,
        other => {
            let (changes, write) = match render(context, case, memory, view, other) {
                Ok(rendered) => rendered,
                Err(text) => return Acted::Refused(text),
            };
            let acted = apply(context, case, &changes, write).await;
            as_asked(context, case, view, effect, acted)
        }
    }
}

type Rendered = (Vec<Change>, Option<Write>);

/// The changes of an effect that needs nothing but what was seen.
fn render(
    context: &Context,
    case: &Case,
    memory: &Memory,
    view: &View,
    effect: &Effect,
) -> Result<Rendered, String> {
    let (services, target) = (context.registry.services(), view.target(case));
    let (subject, scalers) = (case.subject(&context.settings), case.scalers(&context.settings));
    let changes = match effect {
        Effect::Backends => services.backends(&target, &view.have).map_err(|e| e.to_string())?,
        Effect::Scaler => scalers.primary(&view.have).map_err(|e| e.to_string())?,
        Effect::Apex => services.apex(&target, &view.have).map_err(|e| e.to_string())?,
        Effect::Route(want) => case.router.render(&target, want, &view.have).map_err(|e| e.to_string())?,
        Effect::ScaleToZero => {
            // Its scaler's hands are off before: else it would give back what is taken.
            let pause = scalers.pause(&view.have).map_err(|e| e.to_string())?;
            let change = case.workload.scale_to_zero(&subject, &view.have).map_err(|e| e.to_string())?;
            return Ok((pause.into_iter().chain(change).collect(), Some(Write::ScaleToZero)));
        }
        Effect::ScaleUp => {
            let scaling = case.workload.scale_up(&subject, &view.have).map_err(|e| e.to_string())?;
            let write = scaling.as_ref().map(|scaling| Write::ScaleUp(scaling.replicas));
            let resume = scalers.resume(&view.have).map_err(|e| e.to_string())?;
            let changes = resume.into_iter().chain(scaling.map(|scaling| scaling.change));
            return Ok((changes.collect(), write));
        }
        Effect::Release => {
            return release::changes(context, case, memory, view).map(|changes| (changes, None)).map_err(
                |held| match held {
                    release::Held::NotKnown => "what the earlier binding left is not known yet".to_owned(),
                    release::Held::InUse(text) => text,
                },
            );
        }
        Effect::CreatePrimary(_) | Effect::Promote(_) => Vec::new(),
    };
    Ok((changes, None))
}

/// Copies the target to the primary: one GET, hashed, and exactly those bytes, if they are the expected ones.
async fn copy(context: &Context, case: &Case, view: &View, revision: &Revision, write: Write) -> Acted {
    let subject = case.subject(&context.settings);
    let key = subject.key(case.workload.kind(), Side::Canary);
    let target = match fetch(context, &key).await {
        Ok(Some(target)) => target,
        Ok(None) => return Acted::Moved,
        Err(acted) => return acted,
    };
    let copy = match write {
        Write::CreatePrimary => case.workload.create_primary(&subject, &target, Some(revision), &view.have),
        _ => case.workload.promote(&subject, &target, revision, &view.have),
    };
    match copy {
        Ok(PrimaryCopy::Held) => Acted::Done,
        Ok(PrimaryCopy::Moved { .. }) => Acted::Moved,
        Ok(PrimaryCopy::Exists) => Acted::Again,
        Ok(PrimaryCopy::Write { change, .. }) => apply(context, case, &[change], Some(write)).await,
        Err(error) => Acted::Refused(error.to_string()),
    }
}

/// Reads one object whole.
pub(crate) async fn fetch(context: &Context, key: &ObjectKey) -> Result<Option<Arc<Value>>, Acted> {
    match context.cluster.fetch(key).await {
        Ok(Seen::Present(object)) => Ok(Some(object)),
        Ok(Seen::Absent | Seen::NotKnown) => Ok(None),
        Err(ReadError::Throttled { retry_after_ms }) => Err(Acted::Later(retry_after_ms)),
        Err(ReadError::Unavailable { .. }) => Err(Acted::Again),
        Err(error @ (ReadError::Forbidden { .. } | ReadError::Invalid { .. })) => {
            Err(Acted::Refused(format!("{key}: {error}")))
        }
    }
}

async fn apply(context: &Context, case: &Case, changes: &[Change], write: Option<Write>) -> Acted {
    let mut acted = Acted::Done;
    for change in changes {
        if let Err(error) = context.cluster.apply(change).await {
            if !matches!(&error, WriteError::Altered(altered) if altered.repeated) {
                context.telemetry.write_failed(&error);
            }
            match refused(context, case, change, write, &error).await {
                // It was written: what comes after it is too.
                altered @ Acted::Altered(_) => acted = altered,
                refused => return refused,
            }
            continue;
        }
        tracing::info!(canary = %case.name(), "{} {}", change.key, done(change));
    }
    acted
}

/// A route that was written says what was asked, or the write was no success: whatever the router made of it, and
/// whatever the API server.
fn as_asked(context: &Context, case: &Case, view: &View, effect: &Effect, acted: Acted) -> Acted {
    let (Effect::Route(want), Acted::Done) = (effect, &acted) else { return acted };
    let mut have = view.have.clone();
    let keys: Vec<ObjectKey> = have.iter().map(|(key, _)| key.clone()).collect();
    for key in keys {
        let seen = context.cluster.look(&key);
        have.insert(key, seen);
    }
    match case.router.read(&view.target(case), &have) {
        Ok(routes) if routes == *want => acted,
        Err(RouteError::NotKnown { .. }) => Acted::Again,
        Ok(routes) => Acted::Altered(format!(
            "the route of {} says primary {}, canary {} after primary {}, canary {} was written",
            case.name(),
            routes.primary(),
            routes.canary(),
            want.primary(),
            want.canary()
        )),
        Err(error) => {
            Acted::Altered(format!("the route of {} is not as it was written: {error}", case.name()))
        }
    }
}

/// What a failed write means for the tick.
async fn refused(
    context: &Context,
    case: &Case,
    change: &Change,
    write: Option<Write>,
    error: &WriteError,
) -> Acted {
    match error {
        WriteError::Conflict { .. } | WriteError::AlreadyExists => Acted::Again,
        WriteError::Unknown { .. } => {
            // One GET settles what became of it; if that fails too, the next tick tries.
            let _settled = context.cluster.fetch(&change.key).await;
            Acted::Again
        }
        WriteError::Throttled { retry_after_ms } => Acted::Later(*retry_after_ms),
        WriteError::Altered(_) => Acted::Altered(error.to_string()),
        WriteError::NotFound { .. }
        | WriteError::Forbidden { .. }
        | WriteError::Invalid { .. }
        | WriteError::Pruned { .. }
        | WriteError::NotServed { .. } => Acted::Refused(match write {
            Some(write) if change.key.kind() == case.workload.kind() => {
                case.workload.refused(&case.subject(&context.settings), write, &error.to_string())
            }
            _ => format!("{} could not be written: {error}", change.key),
        }),
    }
}

/// What happened to the object, for the log.
fn done(change: &Change) -> &'static str {
    match change.action {
        Action::Create(_) => "created",
        Action::Merge { .. } | Action::Json { .. } => "updated",
        Action::Delete(_) => "deleted",
    }
}
