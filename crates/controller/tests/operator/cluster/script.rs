//! The scripts of the rollouts: one command a line, for people to read.
//!
//! `canary {…}` and `target {…}` lay JSON over the manifests, before `apply` and after it; `load 20` sends
//! requests to the
//! site every second from then on; `push`, `crash pods of`, `hook … answers`, `kill operator`, `start
//! operator`, `wait`
//! are what they say; `clients` writes what clients have seen since the last such line.

use std::{collections::BTreeSet, time::Duration};

use serde_json::{Value, json};
use tokio::time::Instant;
use vexil_testbed_cluster::{Load, Running, Tally};

use super::{Stage, manifests::merge};

const NAME: &str = "podinfo";
/// How finely errors of clients are distinguished in time.
const LOOK: Duration = Duration::from_millis(100);

struct Play {
    stage: Stage,
    canary: Value,
    applied: bool,
    load: Option<Running>,
    reported: Tally,
}

/// Plays a script; what came of it as lines.
pub async fn play(script: &str) -> String {
    let mut stage = Stage::open().await;
    stage.start();
    let mut play = Play { stage, canary: json!({}), applied: false, load: None, reported: Tally::default() };
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        play.command(line).await;
    }
    play.stage.check_laws(NAME);
    let story = play.stage.story(NAME);
    let twice: Vec<_> = play.repeated();
    assert_eq!(twice, Vec::<String>::new(), "recorded twice:\n{}", story.text());
    story.text()
}

impl Play {
    async fn command(&mut self, line: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            ["canary", ..] => {
                let change = json(line.trim_start_matches("canary "));
                merge(&mut self.canary, &change);
                if self.applied {
                    self.note(line);
                    let kind = ("flagger.app/v1beta1", "Canary");
                    self.stage.cluster.merge(kind, ("test", NAME), &change).await.unwrap();
                }
            }
            ["apply"] => {
                self.applied = true;
                self.stage.apply(NAME, &[&self.canary]).await;
            }
            ["target", ..] => {
                self.note(line);
                self.stage.change(NAME, &json(line.trim_start_matches("target "))).await;
            }
            ["load", rate] => {
                let load = Load::of_site("podinfo.example.com").per_second(rate.parse().unwrap());
                self.load = Some(self.stage.cluster.load(load.lasting(Duration::from_secs(3_600))));
            }
            ["push", tag] => {
                self.note(line);
                self.stage.push(NAME, tag).await;
            }
            ["crash", "pods", "of", app] => {
                self.note(line);
                self.stage.cluster.crash_pods("test", &[("app", app)]);
            }
            ["crash", "pods", "of", app, tag, "for", time] => {
                self.note(line);
                self.keep_down(app, tag, time.trim_end_matches('s').parse().unwrap()).await;
            }
            ["hook", name, "answers", status] => {
                self.note(line);
                self.stage.hooks.lock().unwrap().push(((*name).to_owned(), status.parse().unwrap()));
            }
            ["kill", "operator"] => {
                self.note(line);
                self.stage.kill().await;
            }
            ["start", "operator"] => {
                self.note(line);
                self.stage.start();
            }
            ["wait", "for", "weight", weight] => {
                let weight: u64 = weight.parse().unwrap();
                self.stage.until(NAME, Duration::from_secs(300), |s| s["canaryWeight"] == weight).await;
            }
            ["wait", "for", phase] => self.stage.until_phase(NAME, phase).await,
            ["wait", time] => self.stage.pass(time.trim_end_matches('s').parse().unwrap()).await,
            ["clients"] => self.clients(),
            ["watch", "clients", "for", time] => {
                self.watch(time.trim_end_matches('s').parse().unwrap()).await
            }
            _ => panic!("no such command: {line}"),
        }
    }

    fn note(&self, text: &str) {
        self.stage.recorder.note("user", text.to_owned());
    }

    /// Crashes the pods of one version of a Deployment as often as they start.
    async fn keep_down(&mut self, app: &str, tag: &str, seconds: f64) {
        let end = Instant::now() + Duration::from_secs_f64(seconds);
        while Instant::now() < end {
            let request =
                http::Request::get("/apis/apps/v1/namespaces/test/replicasets").body(Vec::new()).unwrap();
            let all: Value = self.stage.cluster.client().request(request).await.unwrap();
            for set in all["items"].as_array().unwrap() {
                let image = set["spec"]["template"]["spec"]["containers"][0]["image"].as_str().unwrap();
                let labels = &set["metadata"]["labels"];
                if labels["app"] == app && image.ends_with(tag) {
                    let hash = labels["pod-template-hash"].as_str().unwrap();
                    self.stage.cluster.crash_pods("test", &[("app", app), ("pod-template-hash", hash)]);
                }
            }
            self.stage.pass(0.2).await;
        }
    }

    fn clients(&mut self) {
        let tally = self.load.as_ref().unwrap().tally();
        let since = tally.since(&self.reported);
        let versions: Vec<&str> = since.by_version.keys().map(String::as_str).collect();
        let text = format!("were served by {}, {}", versions.join(" and "), errors(&since));
        self.stage.recorder.note("clients", text);
        self.reported = tally;
    }

    /// Tells for how long clients see errors; a second without any ends a spell of them.
    async fn watch(&mut self, seconds: f64) {
        let (mut errors, mut spells) =
            (self.load.as_ref().unwrap().tally().errors(), Vec::<(f64, f64)>::new());
        let begin = Instant::now();
        while begin.elapsed().as_secs_f64() < seconds {
            self.stage.pass(LOOK.as_secs_f64()).await;
            let (now, at) = (self.load.as_ref().unwrap().tally().errors(), begin.elapsed().as_secs_f64());
            if now > errors {
                match spells.last_mut().filter(|(_, last)| at - *last < 1.0) {
                    Some((_, last)) => *last = at,
                    None => spells.push((at - LOOK.as_secs_f64(), at)),
                }
            }
            errors = now;
        }
        let spells: Vec<String> =
            spells.iter().map(|(first, last)| format!("{:.1} s", last - first)).collect();
        let text = if spells.is_empty() {
            "saw no error".to_owned()
        } else {
            format!("saw errors for {}", spells.join(", then for "))
        };
        self.stage.recorder.note("clients", text);
    }

    /// Events that stand there twice: with one name, nothing is.
    fn repeated(&self) -> Vec<String> {
        let mut seen = BTreeSet::new();
        let story = self.stage.story(NAME);
        let events = story.lines.iter().filter(|line| line.contains(" event "));
        events.filter(|line| !seen.insert(line.as_str())).cloned().collect()
    }
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Who made the errors that clients saw.
fn errors(tally: &Tally) -> String {
    let mut makers: Vec<String> = tally
        .errors_by_version
        .keys()
        .map(|of| if of.is_empty() { "errors of the gateway".to_owned() } else { format!("errors of {of}") })
        .collect();
    let others: u64 =
        tally.by_status.iter().filter(|(status, _)| (400..500).contains(*status)).map(|(_, n)| n).sum();
    makers.extend((others > 0).then(|| format!("{others} answers 4xx")));
    makers.extend(tally.failed.iter().map(|(reason, count)| format!("{count} without answer: {reason}")));
    if makers.is_empty() { "no error".to_owned() } else { makers.join(", ") }
}
