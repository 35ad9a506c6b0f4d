//! The clients: real requests through the gateway at a steady rate, each with its answer.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http::{
    Request,
    header::{COOKIE, HOST, SET_COOKIE},
};
use tokio::{
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};
use vexil_testbed_cluster::{Network, VERSION_HEADER};

use super::{
    record::{Answer, Answers, Recorder},
    strategy::MATCHED,
};

/// Time between two requests.
const EVERY: Duration = Duration::from_millis(200);
/// One of so many requests is one that an A/B test is about.
const MATCHED_EVERY: u64 = 5;

/// One of as many is one of a client who keeps its cookies: that with this number.
const RETURNING: u64 = 2;

/// The cookie of a client who comes back.
#[derive(Clone, Debug, Default)]
struct Jar(Arc<Mutex<Option<String>>>);

impl Jar {
    fn cookie(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps the cookie of an answer, `name=value; Max-Age=seconds`; one without time is deleted.
    fn keep(&self, answer: &Answer) {
        let Some(set) = &answer.sets else { return };
        let mut parts = set.split(';').map(str::trim);
        let cookie = parts.next().map(str::to_owned);
        let seconds = parts.find_map(|part| part.strip_prefix("Max-Age=")?.parse::<i64>().ok());
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = cookie.filter(|_| seconds > Some(0));
    }
}

/// Where clients go: URLs and hosts. The first that leads to a version counts; there is more than one only while a user
/// changes the address on purpose.
pub type Entrances = Arc<Mutex<Vec<(String, String)>>>;

/// Sends until it is dropped.
pub fn start(network: Network, entrances: Entrances, recorder: Recorder, answers: Answers) -> JoinSet<()> {
    let mut task = JoinSet::new();
    task.spawn(async move {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let (mut under_way, mut count, jar) = (JoinSet::new(), 0_u64, Jar::default());
        loop {
            ticks.tick().await;
            while under_way.try_join_next().is_some() {}
            let to = entrances.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let (network, answers, at) = (network.clone(), answers.clone(), recorder.ms());
            count += 1;
            let matched = count % MATCHED_EVERY == 0;
            let jar = (count % MATCHED_EVERY == RETURNING).then(|| jar.clone());
            under_way.spawn(async move {
                let mut last = None;
                for (url, host) in to {
                    let cookie = jar.as_ref().and_then(Jar::cookie);
                    let empty = Answer { at, matched, cookie, ..Answer::default() };
                    let answer = ask(&network, &url, &host, empty).await;
                    if let Some(jar) = &jar {
                        jar.keep(&answer);
                    }
                    let served = !answer.is_lost();
                    last = Some(answer);
                    if served {
                        break;
                    }
                }
                if let Some(answer) = last {
                    answers.push(answer);
                }
            });
        }
    });
    task
}

/// Sends one request; `answer` says what is special about it.
async fn ask(network: &Network, url: &str, host: &str, mut answer: Answer) -> Answer {
    let mut request = Request::get(url).header(HOST, host);
    if let Some(cookie) = &answer.cookie {
        request = request.header(COOKIE, cookie);
    }
    if answer.matched {
        request = request.header(MATCHED.0, MATCHED.1);
    }
    let request = request.body(Bytes::new());
    let request = match request {
        Ok(request) => request,
        Err(error) => return Answer { why: error.to_string(), ..answer },
    };
    match network.send(request).await {
        Ok(response) => {
            answer.status = response.status().as_u16();
            let version = response.headers().get(VERSION_HEADER).and_then(|value| value.to_str().ok());
            answer.version = version.unwrap_or_default().to_owned();
            let set = response.headers().get(SET_COOKIE).and_then(|value| value.to_str().ok());
            answer.sets = set.map(str::to_owned);
            if answer.is_lost() {
                answer.why = String::from_utf8_lossy(response.body()).trim().to_owned();
            }
        }
        Err(error) => answer.why = error.to_string(),
    }
    answer
}
