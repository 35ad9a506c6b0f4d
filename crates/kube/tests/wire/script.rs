//! An API server that gives the answers of a script, well-formed or not.

use std::{
    collections::VecDeque,
    convert::Infallible,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use futures::StreamExt;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, combinators::UnsyncBoxBody};
use hyper::body::Frame;
use kube::client::Body;
use serde_json::Value;
use tokio::time::Instant;

/// One answer of the script.
pub enum Answer {
    Json(u16, Value),
    Text(u16, &'static str),
    /// An error with `Retry-After` in seconds.
    Busy(u16, u64, Value),
    /// Lines of a watch; then silence, or the end.
    Lines {
        lines: Vec<Value>,
        ends: bool,
    },
}

/// Answers in the order of a script; later requests get no answer. Records when each request was received.
#[derive(Clone)]
pub struct Script {
    answers: Arc<Mutex<VecDeque<Answer>>>,
    asked: Arc<Mutex<Vec<(u64, String)>>>,
    start: Instant,
}

impl Script {
    pub fn new(answers: Vec<Answer>) -> Self {
        let answers = Arc::new(Mutex::new(answers.into()));
        Script { answers, asked: Arc::default(), start: Instant::now() }
    }

    pub fn client(&self) -> kube::Client {
        let script = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let script = script.clone();
            async move { Ok::<_, Infallible>(script.answer(request).await) }
        });
        kube::Client::new(service, "default")
    }

    async fn answer(&self, request: Request<Body>) -> Response<UnsyncBoxBody<Bytes, Infallible>> {
        let target = request.uri().path_and_query().unwrap().as_str().to_owned();
        self.asked
            .lock()
            .unwrap()
            .push((self.start.elapsed().as_secs(), format!("{} {target}", request.method())));
        let answer = self.answers.lock().unwrap().pop_front();
        let mut builder = Response::builder();
        if let Some(Answer::Busy(_, seconds, _)) = &answer {
            builder = builder.header("Retry-After", *seconds);
        }
        let (code, body) = match answer {
            None => std::future::pending().await,
            Some(Answer::Json(code, value) | Answer::Busy(code, _, value)) => {
                (code, Full::new(Bytes::from(value.to_string())).boxed_unsync())
            }
            Some(Answer::Text(code, text)) => (code, Full::new(Bytes::from(text)).boxed_unsync()),
            Some(Answer::Lines { lines, ends }) => (200, stream(lines, ends)),
        };
        builder.status(code).body(body).unwrap()
    }

    /// The requests so far: the second at which each came, its method and its target.
    pub fn requests(&self) -> Vec<(u64, String)> {
        self.asked.lock().unwrap().clone()
    }

    /// Seconds at which watches were opened.
    pub fn watches(&self) -> Vec<u64> {
        let asked = self.asked.lock().unwrap();
        asked.iter().filter(|(_, target)| target.contains("watch=true")).map(|(at, _)| *at).collect()
    }

    /// How many pages of lists were requested.
    pub fn lists(&self) -> usize {
        let asked = self.asked.lock().unwrap();
        asked.iter().filter(|(_, target)| target.contains("limit=")).count()
    }
}

fn stream(lines: Vec<Value>, ends: bool) -> UnsyncBoxBody<Bytes, Infallible> {
    let sent: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let frames = futures::stream::iter([Ok(Frame::data(Bytes::from(sent)))]);
    if ends {
        return BodyExt::boxed_unsync(http_body_util::StreamBody::new(frames));
    }
    BodyExt::boxed_unsync(http_body_util::StreamBody::new(frames.chain(futures::stream::pending())))
}
