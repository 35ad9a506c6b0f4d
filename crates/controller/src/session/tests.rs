//! Calls to the outside are limited, and a thousand slow answers in one namespace delay no other namespace.

use std::time::Duration;

use futures::{StreamExt, stream::FuturesUnordered};
use tokio::time::{Instant, sleep};
use vexil_analysis::Phase;
use vexil_object::kinds::CANARY;

use super::*;
use crate::fair_semaphore::FairSemaphore;

const HOOK: Question = Question::Hook(String::new(), Phase::Progressing);
const CHECK: Question = Question::Check(String::new());

fn session(limits: &Limits, namespace: &str, name: &str) -> Session {
    let key = ObjectKey::new(CANARY, namespace, name);
    let permit = limits.reconciles.try_acquire(&key).map(HeldPermit::of).unwrap_or_default();
    Session::new(&key, &SharedWatchIndex::default(), limits, permit)
}

/// A thousand Canaries of one namespace ask what takes ten minutes. How long one of another namespace waits for an
/// answer that takes a second.
async fn waits(crowd: &Question, other: &Question) -> Duration {
    let limits = Limits::default();
    let crowd: FuturesUnordered<_> = (0..1000)
        .map(|number| {
            let session = session(&limits, "crowd", &number.to_string());
            async move { session.ask_outside(crowd, sleep(Duration::from_secs(600))).await }
        })
        .collect();
    let start = Instant::now();
    let quiet = async {
        sleep(Duration::from_secs(1)).await;
        session(&limits, "quiet", "podinfo").ask_outside(other, sleep(Duration::from_secs(1))).await;
        start.elapsed() - Duration::from_secs(1)
    };
    tokio::select! {
        biased;
        waited = quiet => waited,
        () = crowd.for_each(async |()| {}) => panic!("the crowd was faster"),
    }
}

#[tokio::test(start_paused = true)]
async fn slow_answers_of_a_thousand_canaries_keep_no_other_namespace_waiting() {
    let second = Duration::from_secs(1);
    for (crowd, other) in [(HOOK, HOOK), (CHECK, CHECK), (HOOK, Question::Providers)] {
        let waited = waits(&crowd, &other).await;
        assert!(waited < second + Duration::from_millis(10), "{crowd:?} {other:?}: {waited:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_more_is_asked_at_once_than_the_bound_and_all_have_their_turn() {
    let limits = Limits { hooks: FairSemaphore::new(8, 1), ..Limits::default() };
    let now = Arc::new(Mutex::new((0_usize, 0_usize)));
    let all: FuturesUnordered<_> = (0..100)
        .map(|number| {
            let (session, now) = (session(&limits, "crowd", &number.to_string()), Arc::clone(&now));
            async move {
                let ask = async {
                    {
                        let mut counts = now.lock().unwrap();
                        *counts = (counts.0 + 1, counts.1.max(counts.0 + 1));
                    }
                    sleep(Duration::from_secs(1)).await;
                    now.lock().unwrap().0 -= 1;
                };
                session.ask_outside(&HOOK, ask).await;
            }
        })
        .collect();
    let start = Instant::now();
    assert_eq!(all.count().await, 100);
    assert_eq!(*now.lock().unwrap(), (0, 4), "one namespace leaves as many as it has");
    assert_eq!(start.elapsed().as_secs(), 25);
}
