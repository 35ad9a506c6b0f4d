//! Answers the engine's questions: hooks, metric checks, and what keeps pods from being ready.

use vexil_analysis::{Answer, Memory, Phase, Question, Readiness, Revision, Side, Verdict};
use vexil_metrics::{Check, Subject, available, check, checks, needs};
use vexil_object::{ObjectKey, Objects, Seen, kinds};
use vexil_webhook::{Hook, HookError, Payload, checksum, send};
use vexil_workload::explain;

use crate::{
    Context,
    act::{Acted, fetch},
    case::Case,
    look::View,
    plan::deciding,
};

/// Answers one question.
pub(crate) async fn answer(
    context: &Context,
    case: &Case,
    view: &View,
    memory: &Memory,
    question: Question,
) -> Answer {
    match question {
        Question::Hook(place, phase) => hook(context, case, memory, place, phase).await,
        Question::Check(place) => metric(context, case, place).await,
        Question::Providers => providers(context, case).await,
        Question::Pods(side) => pods(context, case, view, side).await,
    }
}

async fn hook(context: &Context, case: &Case, memory: &Memory, place: usize, phase: Phase) -> Answer {
    let webhook = case.canary.spec.analysis().and_then(|analysis| deciding(analysis).nth(place));
    let Some((webhook, _)) = webhook else { return Answer::Unavailable("the hook is gone".to_owned()) };
    let applied = memory.applied.as_ref().map(Revision::as_str).unwrap_or_default();
    let payload = Payload {
        name: case.key.name().to_owned(),
        namespace: case.key.namespace().to_owned(),
        phase: phase.as_str().to_owned(),
        checksum: checksum(case.status().tracked_configs.as_ref(), applied),
        metadata: webhook.metadata.clone(),
        key: None,
    };
    let asked = match Hook::of(webhook) {
        Ok(hook) => send(context.transport.as_ref(), &hook, &payload).await,
        Err(error) => Err(error),
    };
    match asked {
        Ok(()) => Answer::Passed,
        Err(error @ HookError::Refused { .. }) => Answer::Failed(error.to_string()),
        Err(error) => Answer::Unavailable(error.to_string()),
    }
}

fn subject<'a>(context: &'a Context, case: &'a Case) -> Subject<'a> {
    Subject {
        canary: case.key.name(),
        namespace: case.key.namespace(),
        spec: &case.canary.spec,
        provider: case.canary.spec.provider().unwrap_or(&context.settings.provider),
        queries: case.router.queries(),
        metrics_server: &context.settings.metrics_server,
    }
}

async fn metric(context: &Context, case: &Case, place: usize) -> Answer {
    let Some(analysis) = case.canary.spec.analysis() else { return Answer::Passed };
    let Some(asked) = checks(&analysis.metrics).get(place).copied() else { return Answer::Passed };
    let subject = subject(context, case);
    let have = match gather(context, &subject, &asked).await {
        Ok(have) => have,
        Err(error) => {
            return Answer::Unavailable(format!("Metric query failed for {}: {error}", asked.name()));
        }
    };
    match check(context.transport.as_ref(), &subject, &asked, &have).await {
        Ok(checked) => {
            if let Some(value) = checked.value {
                context.telemetry.measured(case, asked.name(), value);
            }
            match checked.verdict {
                Verdict::Pass => Answer::Passed,
                Verdict::Fail(message) => Answer::Failed(message),
                Verdict::Unavailable(message) => Answer::Unavailable(message),
            }
        }
        Err(error) => Answer::Unavailable(format!("Metric query failed for {}: {error}", asked.name())),
    }
}

/// The template and its secret. Secrets are read when they are used and never kept.
async fn gather(context: &Context, subject: &Subject<'_>, asked: &Check<'_>) -> Result<Objects, String> {
    let mut have = Objects::default();
    loop {
        let missing = needs(subject, asked, &have);
        if missing.is_empty() {
            return Ok(have);
        }
        for key in missing {
            let seen = read(context, &key).await?;
            have.insert(key, seen);
        }
    }
}

async fn read(context: &Context, key: &ObjectKey) -> Result<Seen, String> {
    if key.kind() != kinds::SECRET {
        let seen = context.cluster.look(key);
        if seen.is_known() {
            return Ok(seen);
        }
    }
    context.cluster.fetch(key).await.map_err(|error| format!("{key}: {error}"))
}

async fn providers(context: &Context, case: &Case) -> Answer {
    let Some(analysis) = case.canary.spec.analysis() else { return Answer::Passed };
    let subject = subject(context, case);
    let mut have = Objects::default();
    for asked in checks(&analysis.metrics) {
        match gather(context, &subject, &asked).await {
            Ok(more) => {
                for (key, seen) in more.iter() {
                    have.insert(key.clone(), seen.clone());
                }
            }
            Err(error) => return Answer::Unavailable(error),
        }
    }
    match available(context.transport.as_ref(), &subject, &analysis.metrics, &have).await {
        Ok(()) => Answer::Passed,
        Err(error) => Answer::Unavailable(error.to_string()),
    }
}

/// One list of pods for one wait, to name what keeps them.
async fn pods(context: &Context, case: &Case, view: &View, side: Side) -> Answer {
    let subject = case.subject(&context.settings);
    let side = match side {
        Side::Primary => vexil_workload::Side::Primary,
        Side::Canary => vexil_workload::Side::Canary,
    };
    let Some(query) = case.workload.pod_query(&subject, side, &view.have) else { return Answer::Passed };
    let workload = view.have.get(&subject.key(case.workload.kind(), side)).object().cloned();
    match context.cluster.list_live(kinds::POD, case.key.namespace(), &query).await {
        Ok(pods) => match explain(Readiness::Waiting(String::new()), &workload.unwrap_or_default(), &pods) {
            Readiness::Waiting(text) | Readiness::Failed(text) if !text.is_empty() => {
                Answer::Failed(text.trim_start_matches(": ").to_owned())
            }
            _ => Answer::Passed,
        },
        // The wait is told without its reason.
        Err(error) => {
            tracing::warn!(canary = %case.name(), "pods could not be listed: {error}");
            Answer::Passed
        }
    }
}

/// What the primary of a Canary that another operator left behind holds: the target's revision, if a copy of the target
/// would be the same. Two reads, once per Canary.
///
/// # Errors
/// When the API server did not answer: that is no answer, and nothing is adopted on it. The pause that it asks for, in
/// milliseconds, if any.
pub(crate) async fn adopted(context: &Context, case: &Case) -> Result<Option<Revision>, Option<u64>> {
    let subject = case.subject(&context.settings);
    let kind = case.workload.kind();
    let mut have = Objects::default();
    for side in [vexil_workload::Side::Canary, vexil_workload::Side::Primary] {
        let key = subject.key(kind, side);
        let seen = match fetch(context, &key).await {
            Ok(Some(object)) => Seen::Present(object),
            Ok(None) => return Ok(None),
            Err(Acted::Later(pause_ms)) => return Err(Some(pause_ms)),
            Err(_) => return Err(None),
        };
        have.insert(key, seen);
    }
    let Some(target) = have.get(&subject.key(kind, vexil_workload::Side::Canary)).object().cloned() else {
        return Ok(None);
    };
    let tracked = case.status().tracked_configs.unwrap_or_default();
    let same = case.workload.matches_primary(&subject, &target, &tracked, &have).unwrap_or(false);
    Ok(same.then(|| case.workload.revision(&target)).flatten())
}
