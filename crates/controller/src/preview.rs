//! What an operator would do to a Canary next: the same steps as a reconcile, up to the first that depends on time, on
//! pods, or on an answer from outside of the cluster.

use std::time::Duration;

use futures::StreamExt as _;
use vexil_analysis::{Convergence, Known, Memory, Pending, Phase, Question, Side, Step, Transition, advance};
use vexil_api::Defect;
use vexil_object::{ObjectKey, Seen};
use vexil_plan::CanaryContext;

use crate::{
    Context, answers,
    converge::{Converged, converge},
    decide::facts,
    duplicate_target, invalid_spec,
    observe::Observation,
    reconcile::{load_memory, reread, status_is_current},
    runtime::CanaryRuntime,
    status_writes::write_status,
    warnings,
};

/// Decisions that are previewed; a rollout has to wait before it has made so many.
const MAX_DECISIONS: usize = 12;

const TARGET_MISSING: &str = "the target, which does not exist";
/// How long lists are awaited.
const LISTS: Duration = Duration::from_secs(60);

/// What would be done to one Canary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// Mistakes in its spec, and targets that another Canary manages. Only what is in force already is kept up then.
    pub defects: Vec<Defect>,
    /// Its phase and the weight of the canary before; the weight is that of the live routes if the status is Flagger's.
    pub before: (Phase, u32),
    /// The same after the last decision that was previewed.
    pub after: (Phase, u32),
    /// Whether a rollout would be started, or one in progress begun anew.
    pub starts: bool,
    /// The texts of the Events, in their order.
    pub events: Vec<String>,
    /// What follows.
    pub next: Next,
}

/// What follows on the decisions of a [`Preview`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing, until something changes.
    Rest,
    /// The next step of a rollout, at its time.
    Step,
    /// This is called or measured, and decides.
    Asks(String),
    /// This has to come true first.
    Waits(String),
    /// This is refused by the API server, or cannot be done.
    Refused(String),
}

/// Previews the reconciles of a Canary.
///
/// The writes are made: give the context a cluster on a [`DryRun`](vexil_kube::DryRun). Hooks and metrics are not
/// called. The watches must be driven by the caller meanwhile.
pub async fn preview(context: &Context, key: &ObjectKey) -> Preview {
    let unknown = |next| Preview::at((Phase::New, 0), next);
    let live = match read(context, key).await {
        Seen::Present(live) => live,
        Seen::Absent => return unknown(Next::Waits("the Canary does not exist".to_owned())),
        Seen::NotKnown => return unknown(Next::Waits("Canaries cannot be read".to_owned())),
    };
    let (opened, mut defects) = match context.planner().open(std::sync::Arc::clone(&live)) {
        Ok(canary) => (Some(canary), Vec::new()),
        Err(defects) => (None, defects),
    };
    if let Some(canary) = &opened {
        defects.extend(duplicate_target::first_owner(context, canary).map(|(_, defect)| defect));
    }
    let canary = match opened.filter(|_| defects.is_empty()) {
        Some(canary) => Some(canary),
        None => invalid_spec::in_force(context, &live, key, &defects),
    };
    let previewed = match canary {
        Some(canary) => decisions(context, canary).await,
        None => {
            let status = live.get("status").and_then(|status| serde_json::from_value(status.clone()).ok());
            let memory = vexil_plan::load(&status.unwrap_or_default());
            Preview::at(state(&memory), Next::Rest)
        }
    };
    Preview { defects, ..previewed }
}

impl Preview {
    fn at(state: (Phase, u32), next: Next) -> Self {
        Preview { defects: Vec::new(), before: state, after: state, starts: false, events: Vec::new(), next }
    }
}

fn state(memory: &Memory) -> (Phase, u32) {
    (memory.phase, memory.weight.percent().into())
}

/// The Canary, once the list has arrived.
async fn read(context: &Context, key: &ObjectKey) -> Seen {
    let looked = async {
        let mut changes = context.cluster.changes();
        loop {
            match context.cluster.look(key) {
                Seen::NotKnown => drop(changes.next().await),
                seen => return seen,
            }
        }
    };
    tokio::time::timeout(LISTS, looked).await.unwrap_or(Seen::NotKnown)
}

/// Waits until the lists are complete that the observation of a Canary needs. Those that fail are not awaited.
async fn lists(context: &Context, canary: &CanaryContext, memory: &Memory) {
    let complete = async {
        let mut changes = context.cluster.changes();
        loop {
            // Looking starts the watches of kinds that are needed for the first time.
            let _observed = Observation::take(context, canary, memory, context.clock.now());
            if context.cluster.listing().is_none() {
                return;
            }
            changes.next().await;
        }
    };
    let _in_time = tokio::time::timeout(LISTS, complete).await;
}

async fn decisions(context: &Context, mut canary: CanaryContext) -> Preview {
    let mut runtime = CanaryRuntime::default();
    lists(context, &canary, &vexil_plan::load(canary.status())).await;
    let mut preview: Option<Preview> = None;
    for _ in 0..MAX_DECISIONS {
        let Ok(memory) = load_memory(context, &canary).await else {
            let waits = Next::Waits("the API server does not answer".to_owned());
            return preview.unwrap_or_else(|| Preview::at(state(&memory_of(&canary)), waits));
        };
        let so_far = preview.get_or_insert_with(|| Preview::at(state(&memory), Next::Rest));
        lists(context, &canary, &memory).await;
        let converged = converge(context, &canary, &memory, &mut runtime).await;
        let warnings = warnings::of_cluster(context, &canary, &memory, &converged.observation, &mut runtime);
        let transition = match decide(context, &canary, &memory, &runtime, &converged, &warnings.texts).await
        {
            Ok(transition) => transition,
            Err(next) => {
                so_far.next = next;
                break;
            }
        };
        runtime.waiting = transition.waiting;
        so_far.decided(&memory, &transition);
        let tracked = converged.observation.tracked(&transition.memory);
        if transition.memory == memory && status_is_current(context, &canary, &memory, tracked) {
            so_far.next = next(context, &converged, &transition);
            break;
        }
        if let Err(error) = write_status(context, &canary, &transition.memory, tracked).await {
            so_far.next = Next::Refused(format!("the status: {error}"));
            break;
        }
        match reread(context, &canary) {
            Some(next) => canary = next,
            None => break,
        }
    }
    preview.unwrap_or_else(|| Preview::at(state(&memory_of(&canary)), Next::Rest))
}

fn memory_of(canary: &CanaryContext) -> Memory {
    vexil_plan::load(canary.status())
}

impl Preview {
    fn decided(&mut self, before: &Memory, transition: &Transition) {
        self.after = state(&transition.memory);
        let after = &transition.memory;
        let entered = after.phase == Phase::Progressing && before.phase != Phase::Progressing;
        self.starts |= after.run != before.run || entered;
        self.events.extend(transition.notices.iter().map(|notice| notice.message.clone()));
    }
}

/// The decision, or what it depends on.
async fn decide(
    context: &Context,
    canary: &CanaryContext,
    memory: &Memory,
    runtime: &CanaryRuntime,
    converged: &Converged,
    warnings: &[String],
) -> Result<Transition, Next> {
    let mut facts = facts(context, canary, memory, runtime, converged, warnings);
    loop {
        let question = match advance(canary.plan(), memory, &facts) {
            Step::Done(transition) => return Ok(transition),
            Step::Unlawful(law) => return Err(Next::Refused(format!("a defect of Vexil: {law}"))),
            Step::Ask(question) => question,
        };
        match &question {
            Question::Hook(id, _) => return Err(Next::Asks(format!("hook {id}"))),
            Question::Check(name) => return Err(Next::Asks(format!("metric {name}"))),
            Question::Providers => {
                return Err(Next::Asks("whether the metric servers can be reached".to_owned()));
            }
            Question::Pods(_) => {}
        }
        let answer = answers::answer(context, canary, &converged.observation, memory, &question).await;
        facts.answers.insert(question, answer);
    }
}

fn next(context: &Context, converged: &Converged, transition: &Transition) -> Next {
    let unobserved = || Next::Waits(unobserved(context, &converged.observation));
    match &converged.state {
        Convergence::Settled if transition.memory.at_rest() => Next::Rest,
        Convergence::Settled => Next::Step,
        Convergence::Blocked { error, .. } => Next::Refused(error.clone()),
        Convergence::NotKnown => unobserved(),
        Convergence::Pending(pending) => match pending {
            Pending::NotObserved => unobserved(),
            Pending::TargetMissing => Next::Waits(TARGET_MISSING.to_owned()),
            Pending::PrimaryMissing => Next::Waits(
                "the primary, which does not exist while the target has another revision".to_owned(),
            ),
            Pending::PrimaryNotReady(why) => Next::Waits(pods(Side::Primary, why.as_deref())),
            Pending::CanaryNotReady => Next::Waits(pods(Side::Canary, None)),
            Pending::TargetScalingDown => {
                Next::Waits("the target's pods, which are still being deleted".to_owned())
            }
            Pending::Invalid(text) | Pending::DegradedOptional(text) => Next::Refused(text.clone()),
            Pending::TargetChanged => Next::Waits("the target, which was changed meanwhile".to_owned()),
            Pending::TrafficReturned | Pending::DrainNotObserved | Pending::Draining(_) => {
                Next::Waits("open connections, for one interval".to_owned())
            }
        },
    }
}

/// Why objects could not be read, or which if that is not known. Without the target it is not known what the Services
/// are to select.
fn unobserved(context: &Context, observation: &Observation) -> String {
    if observation.observed.target == Known::Absent {
        return TARGET_MISSING.to_owned();
    }
    if let Some(why) = warnings::unobserved(context, observation) {
        return why;
    }
    let unknown = observation.objects.iter().filter(|(_, seen)| !seen.is_known());
    let unknown: Vec<String> = unknown.map(|(key, _)| key.to_string()).collect();
    match unknown.as_slice() {
        [] => "objects that could not be read".to_owned(),
        keys => format!("what could not be read: {}", keys.join(", ")),
    }
}

fn pods(side: Side, why: Option<&str>) -> String {
    let side = if side == Side::Primary { "primary" } else { "canary" };
    why.map_or_else(|| format!("ready pods of the {side}"), |why| format!("ready pods of the {side}: {why}"))
}
