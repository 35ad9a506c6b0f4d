//! Answers the engine's questions: hooks, metric checks, and why pods are not ready.

use vexil_analysis::{Answer, Known, Memory, Phase, Question, Readiness, Revision, Side, Verdict};
use vexil_api::{Check, checks};
use vexil_metrics::{Environment, Subject, available, check, needs};
use vexil_object::{ObjectKey, Objects, Seen, kinds};
use vexil_plan::{CanaryContext, deciding_hook, named_check};
use vexil_webhook::{Hook, HookError, Payload, checksum, send};
use vexil_workload::explain;

use crate::{
    Context,
    apply::{EffectResult, fetch},
    configs,
    observe::Observation,
    platform::OfProcess,
};

/// Answers one question.
pub(crate) async fn answer(
    context: &Context,
    canary: &CanaryContext,
    observation: &Observation,
    memory: &Memory,
    question: &Question,
) -> Answer {
    match question {
        Question::Hook(id, phase) => hook(context, canary, memory, id, *phase).await,
        Question::Check(name) => metric(context, canary, observation, name).await,
        Question::Providers => providers(context, canary, observation).await,
        Question::Pods(side) => pods(context, canary, observation, *side).await,
    }
}

async fn hook(context: &Context, canary: &CanaryContext, memory: &Memory, id: &str, phase: Phase) -> Answer {
    let webhook = canary.spec().analysis().and_then(|analysis| deciding_hook(analysis, id));
    let Some(webhook) = webhook else { return Answer::Unavailable("the hook is gone".to_owned()) };
    let applied = memory.applied.as_ref().map(Revision::as_str).unwrap_or_default();
    let payload = Payload {
        name: canary.key().name().to_owned(),
        namespace: canary.key().namespace().to_owned(),
        phase: phase.as_str().to_owned(),
        checksum: checksum(canary.status().tracked_configs.as_ref(), applied),
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

fn subject<'a>(context: &'a Context, canary: &'a CanaryContext, observation: &'a Observation) -> Subject<'a> {
    let route = canary.workload().query_route(&canary.subject(&context.settings), &observation.objects);
    Subject {
        route,
        view: canary.view(),
        provider: canary.spec().provider().unwrap_or(&context.settings.provider),
        queries: context.registry.queries(&context.settings.provider, canary.router()),
        metrics_server: &context.settings.metrics_server,
        catalog: &context.metrics,
    }
}

fn environment<'a>(context: &'a Context, platform: &'a OfProcess<'a>) -> Environment<'a> {
    Environment { transport: context.transport.as_ref(), platform, now_ms: context.clock.now().0 }
}

async fn metric(context: &Context, canary: &CanaryContext, observation: &Observation, name: &str) -> Answer {
    let Some(analysis) = canary.spec().analysis() else { return Answer::Passed };
    let Some(asked) = named_check(analysis, name) else {
        return Answer::Unavailable(format!("Metric {name} is gone"));
    };
    let subject = subject(context, canary, observation);
    let have = match gather(context, &subject, &asked).await {
        Ok(have) => have,
        Err(error) => {
            return Answer::Unavailable(format!("Metric query failed for {}: {error}", asked.name()));
        }
    };
    let platform = OfProcess { cluster: &context.cluster };
    match check(&environment(context, &platform), &subject, &asked, &have).await {
        Ok(checked) => {
            if let Some(value) = checked.value {
                context.telemetry.measured(canary, asked.name(), value);
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

/// The template and its secret. A secret is read each time it is used and never kept.
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

pub(crate) async fn read(context: &Context, key: &ObjectKey) -> Result<Seen, String> {
    if key.kind() != kinds::SECRET {
        let seen = context.cluster.look(key);
        if seen.is_known() {
            return Ok(seen);
        }
    }
    context.cluster.fetch(key).await.map_err(|error| format!("{key}: {error}"))
}

async fn providers(context: &Context, canary: &CanaryContext, observation: &Observation) -> Answer {
    let Some(analysis) = canary.spec().analysis() else { return Answer::Passed };
    let subject = subject(context, canary, observation);
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
    let platform = OfProcess { cluster: &context.cluster };
    match available(&environment(context, &platform), &subject, &analysis.metrics, &have).await {
        Ok(()) => Answer::Passed,
        Err(error) => Answer::Unavailable(error.to_string()),
    }
}

/// Lists the pods once in a wait, to name why they are not ready.
async fn pods(context: &Context, canary: &CanaryContext, observation: &Observation, side: Side) -> Answer {
    let subject = canary.subject(&context.settings);
    let Some(query) = canary.workload().pod_query(&subject, side, &observation.objects) else {
        return Answer::Passed;
    };
    let workload = observation.objects.get(&subject.key(canary.workload().kind(), side)).object().cloned();
    match context.cluster.list_live(kinds::POD, canary.key().namespace(), &query).await {
        Ok(pods) => match explain(Readiness::Waiting(String::new()), &workload.unwrap_or_default(), &pods) {
            Readiness::Waiting(text) | Readiness::Failed(text) if !text.is_empty() => {
                Answer::Failed(text.trim_start_matches(": ").to_owned())
            }
            _ => Answer::Passed,
        },
        // The wait is reported without its reason.
        Err(error) => {
            tracing::warn!("pods could not be listed: {error}");
            Answer::Passed
        }
    }
}

/// The revision of a primary that Flagger made: the target's, if a copy of the target would be the same. Two reads,
/// once per Canary.
///
/// # Errors
/// If the API server did not answer; nothing is adopted then. The pause that it asks for, in milliseconds, if any.
pub(crate) async fn adopted(
    context: &Context,
    canary: &CanaryContext,
) -> Result<Option<Revision>, Option<u64>> {
    let subject = canary.subject(&context.settings);
    let mut have = Objects::default();
    for side in [Side::Canary, Side::Primary] {
        let Known::Present(key) = canary.workload().object(&subject, side, &have) else { return Ok(None) };
        let seen = match fetch(context, &key).await {
            Ok(Some(object)) => Seen::Present(object),
            Ok(None) => return Ok(None),
            Err(EffectResult::RetryAfter(backoff_ms)) => return Err(Some(backoff_ms)),
            Err(_) => return Err(None),
        };
        have.insert(key, seen);
    }
    let target = subject.key(canary.workload().kind(), Side::Canary);
    let Some(target) = have.get(&target).object().cloned() else {
        return Ok(None);
    };
    configs::read_all(context, canary, &canary.workload().configs(&target), &mut have).await?;
    let tracked = canary.status().tracked_configs.clone().unwrap_or_default();
    let same = canary.workload().matches_primary(&subject, &target, &tracked, &have).unwrap_or(false);
    let revision = canary.workload().target_revision(&subject, &target, &have).ok().flatten();
    Ok(revision.filter(|_| same))
}
