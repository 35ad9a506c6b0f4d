//! Plays cases, several at once, until they are over or the time is.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::bail;

use super::{
    Args, Mode,
    finding::{Finding, Law},
    harms,
    outcome::Outcome,
    plan::Plan,
    play::play,
    shrink::shrink,
    step::Case,
    summary::Summary,
};

/// How long a case may take, of real time: virtual time stops while a task works without end.
const PATIENCE: Duration = Duration::from_secs(120);

/// Plays one case on this thread.
///
/// # Errors
/// When it cannot be played.
pub fn once(case: &Case, tell: bool) -> anyhow::Result<Outcome> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
    runtime.block_on(play(case, tell))
}

/// Plays one case again and prints all of it.
///
/// # Errors
/// When it breaks a law or cannot be played.
pub fn replay(args: &Args, number: u64) -> anyhow::Result<()> {
    let Some(mode) = args.mode else { bail!("--seed needs a mode") };
    let case = Plan::new(args)?.case(mode, number)?;
    println!("{} {number}: {}", case.mode, case.title);
    for step in &case.steps {
        println!("  {step:?}");
    }
    let mut outcome = once(&case, true)?;
    if let Some((_, clean)) =
        harms::case(mode.name(), number).filter(|_| matches!(mode, Mode::Crashes | Mode::Faults))
    {
        let clean = once(&clean, false)?;
        compare(&mut outcome, &clean.events);
    }
    println!("{}", outcome.story);
    println!(
        "{} requests; lost: {:?}; errors of versions: {}",
        outcome.requests, outcome.lost, outcome.by_version
    );
    for finding in &outcome.findings {
        println!("FINDING law {} at {:.1} s: {}", finding.law, finding.at as f64 / 1_000.0, finding.text);
    }
    if let Some(first) = outcome.findings.first().filter(|_| mode == Mode::Seeds) {
        let smallest = shrink(&case, first.law, |case| once(case, false));
        println!("the smallest script that breaks law {}, on {}:", first.law, case.place.name);
        smallest.steps.iter().for_each(|step| println!("  {step:?}"));
    }
    if outcome.findings.is_empty() { Ok(()) } else { bail!("{} laws broken", outcome.findings.len()) }
}

/// What a harm must not change: which Events there are.
fn compare(outcome: &mut Outcome, clean: &std::collections::BTreeMap<String, usize>) {
    let kills = outcome.kills as usize;
    // How a wait is reported depends on the moment: which of the pods is where, and whether it lasted long enough.
    for (event, times) in clean.iter().filter(|(event, _)| !event.contains("not ready")) {
        let now = outcome.events.get(event).copied().unwrap_or(0);
        let what = match now {
            now if now < *times => "lost",
            now if now > times + kills => "repeated",
            _ => continue,
        };
        let text = format!("{what}: {now} instead of {times} times: {event}");
        outcome.findings.push(Finding::new(Law::Events, 0, text));
        return;
    }
}

/// Plays all that the arguments ask for.
///
/// # Errors
/// When a law was broken or a case cannot be played.
pub fn all(args: &Args) -> anyhow::Result<()> {
    let began = Instant::now();
    let plan = Arc::new(Mutex::new(Plan::new(args)?));
    let summary = Arc::new(Mutex::new(Summary::default()));
    let over = Arc::new(AtomicBool::new(false));
    let limit = args.minutes.map(|minutes| Duration::from_secs(60 * minutes));
    let workers: Vec<_> = (0..args.jobs)
        .map(|_| {
            let doing = Arc::new(Mutex::new(None));
            let (plan, summary, over) = (Arc::clone(&plan), Arc::clone(&summary), Arc::clone(&over));
            let mine = Arc::clone(&doing);
            (doing, thread::spawn(move || work(&plan, &summary, &over, &mine)))
        })
        .collect();
    while workers.iter().any(|(_, worker)| !worker.is_finished()) {
        #[expect(
            clippy::disallowed_methods,
            reason = "the main thread waits for the workers; there is no executor"
        )]
        thread::sleep(Duration::from_millis(100));
        if limit.is_some_and(|limit| began.elapsed() > limit) {
            over.store(true, Ordering::Relaxed);
        }
        for (doing, _) in &workers {
            let doing = doing.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if let Some((title, _)) =
                doing.filter(|(_, since): &(String, Instant)| since.elapsed() > PATIENCE)
            {
                bail!("time stands still: a task works without end in {title}");
            }
        }
    }
    for (_, worker) in workers {
        match worker.join() {
            Ok(done) => done?,
            Err(_) => bail!("a worker panicked"),
        }
    }
    let pairs = plan.lock().unwrap_or_else(PoisonError::into_inner).pairs();
    let summary = summary.lock().unwrap_or_else(PoisonError::into_inner);
    summary.print(pairs, began.elapsed());
    if summary.is_clean() { Ok(()) } else { bail!("laws are broken") }
}

type Doing = Mutex<Option<(String, Instant)>>;

fn work(
    plan: &Mutex<Plan>,
    summary: &Mutex<Summary>,
    over: &AtomicBool,
    doing: &Doing,
) -> anyhow::Result<()> {
    while !over.load(Ordering::Relaxed) {
        let Some(case) = plan.lock().unwrap_or_else(PoisonError::into_inner).next()? else { break };
        let title = format!("{} {}: {}", case.mode, case.number, case.title);
        *doing.lock().unwrap_or_else(PoisonError::into_inner) = Some((title, Instant::now()));
        let mut outcome = once(&case, false)?;
        {
            let mut plan = plan.lock().unwrap_or_else(PoisonError::into_inner);
            plan.learn(&case, &outcome);
            let scenario = case.number / 1_000_000 * 1_000_000;
            if let Some(clean) = plan.clean.get(&(case.mode, scenario)) {
                compare(&mut outcome, clean);
            }
        }
        summary.lock().unwrap_or_else(PoisonError::into_inner).add(&case, &outcome);
    }
    *doing.lock().unwrap_or_else(PoisonError::into_inner) = None;
    Ok(())
}
