//! Plays a case from a new cluster to its end, and gathers what the laws say of it.

use std::{collections::BTreeSet, sync::Arc};

use futures::FutureExt as _;
use vexil_testbed_rig::{KillSwitch, OPERATOR};

use super::{
    deed::Done,
    features::usual_answer,
    finding::{Finding, Law},
    laws,
    outcome::{LAST, Outcome, Reads},
    place::NAME,
    record::Ms,
    step::{Case, Moment, Step},
    story,
    world::World,
};

/// How long the last rollout may take, from the push of a good revision.
const BOUND: Ms = 600_000;
/// How long the delivery of notices may take once every receiver answers.
const DELIVERY: Ms = 300_000;
/// How long nothing may be asked for at rest.
const REST: Ms = 120_000;

/// Plays a case.
///
/// # Errors
/// When the case itself cannot be played.
pub async fn play(case: &Case, tell: bool) -> anyhow::Result<Outcome> {
    let mut world = World::open(case.place, &case.features, KillSwitch::new(case.cut_after)).await?;
    let first = Arc::clone(&world.kill_switch);
    if let Some((which, after, action)) = &case.harm {
        world.harm(*which, *after, 1, action.clone());
    }
    let mut outcome = Outcome::default();
    let played = std::panic::AssertUnwindSafe(run(&mut world, case, &mut outcome)).catch_unwind().await;
    match played {
        Ok(done) => done?,
        Err(_) => outcome.findings.push(Finding::new(Law::Panic, world.recorder.ms(), "the case panicked")),
    }
    outcome.writes = first.writes();
    let audit = world.cluster.server().audit().of(OPERATOR);
    outcome.faults = audit.iter().filter(|entry| entry.code == 0 || entry.code >= 429).count() as u64;
    laws::judge(&mut world, case, &mut outcome);
    if tell {
        outcome.story = story::tell(&world);
    }
    Ok(outcome)
}

async fn run(world: &mut World, case: &Case, outcome: &mut Outcome) -> anyhow::Result<()> {
    for step in &case.steps {
        match world.carry_out(step).await? {
            Done::Well => {}
            Done::Refused => {
                outcome.refused = true;
                return Ok(());
            }
            Done::Stuck(moment) => {
                let at = world.recorder.ms();
                let text = format!("{moment:?} does not come; phase {}", world.phase());
                outcome.findings.push(Finding::new(Law::Ends, at, text));
                break;
            }
        }
    }
    heal(world).await?;
    world.carry_out(&Step::Push(LAST)).await?;
    let is_over = |world: &World| {
        // A Canary that was never initialised is so now, from the last revision.
        let phase = world.phase();
        let ended = phase == "Succeeded" || phase == "Initialized";
        ended && world.tag_of("podinfo-primary") == LAST && world.is_at(Moment::Rest)
    };
    if !world.until(BOUND, is_over).await {
        let (at, phase, tag) = (world.recorder.ms(), world.phase(), world.tag_of("podinfo-primary"));
        let text = format!("a good revision does not end as Succeeded: phase {phase}, primary {tag}");
        outcome.findings.push(Finding::new(Law::Ends, at, text));
        return Ok(());
    }
    world.pass(20_000).await;
    if !world.until(DELIVERY, |world| world.notices() == 0).await {
        let text = format!("{} notices are not delivered", world.notices());
        outcome.findings.push(Finding::new(Law::Events, world.recorder.ms(), text));
    }
    laws::check_end(world, outcome);
    rest(world, outcome).await;
    Ok(())
}

/// Everything that was broken is whole again.
async fn heal(world: &mut World) -> anyhow::Result<()> {
    world.cluster.server().faults().clear();
    let now = world.recorder.ms();
    world
        .impaired
        .iter_mut()
        .filter(|span| span.to != Ms::MAX)
        .for_each(|span| span.to = span.to.min(now + 30_000));
    if world.recorder.object("canaries.flagger.app", NAME).is_none() {
        world.apply_canary().await?;
    }
    for name in world.turned.iter().map(|turn| turn.name).collect::<BTreeSet<_>>() {
        world.carry_out(&Step::Hook(name, usual_answer(name))).await?;
    }
    if let Ok(mut hooks) = world.hooks.lock() {
        hooks.clear();
    }
    if world.place.mesh.is_some() {
        world.carry_out(&Step::Annotate(None)).await?;
    }
    world.carry_out(&Step::EditBack).await?;
    if world.target().is_none() {
        let tag: &'static str = "6.8.0";
        world.carry_out(&Step::MakeTarget(tag)).await?;
    }
    let asleep: Vec<String> = world
        .deeds
        .iter()
        .filter(|span| span.to == Ms::MAX)
        .filter_map(|span| span.what.strip_suffix(" sleeps").map(str::to_owned))
        .collect();
    for name in asleep {
        world.carry_out(&Step::Scale(name, 2)).await?;
    }
    world.carry_out(&Step::Start).await?;
    world.pass(5_000).await;
    world.forget_addresses().await;
    Ok(())
}

/// At rest nothing is asked of the API server but watches.
async fn rest(world: &mut World, outcome: &mut Outcome) {
    let reads = |verb: &str| {
        let count = world.cluster.server().audit().of(OPERATOR).iter().filter(|one| one.verb == verb).count();
        u32::try_from(count).unwrap_or(u32::MAX)
    };
    outcome.reads = Reads { lists: reads("list"), gets: reads("get"), watches: reads("watch") };
    let audit = world.cluster.server().audit().clone();
    let before = audit.of(OPERATOR).len();
    let from = world.recorder.ms();
    world.clients.shutdown().await;
    world.pass(REST).await;
    let asked: Vec<String> = audit
        .of(OPERATOR)
        .iter()
        .skip(before)
        .filter(|entry| entry.verb != "watch")
        .map(vexil_testbed_apiserver::AuditEntry::line)
        .collect();
    if let Some(first) = asked.first() {
        let text = format!("{} requests at rest in {} s: {first}, …", asked.len(), REST / 1_000);
        outcome.findings.push(Finding::new(Law::Bounded, from, text));
    }
}
