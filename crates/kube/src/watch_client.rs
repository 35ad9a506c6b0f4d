//! The client of one watch: adds what `kube::runtime::watcher` leaves to its caller.
//!
//! `watcher` opens a watch that has ended again without a pause and without an event; it waits for the head of an
//! answer without a limit; and it reports neither that a watch was opened nor the `Retry-After` of an error.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::{BodyExt, Limited, combinators::UnsyncBoxBody};
use kube::client::{Body, Client};
use tokio::time::{Instant, sleep, timeout};
use vexil_object::{Backoff, Kind};

use crate::{
    call::{SIZE_LIMIT, USER_AGENT},
    retry_after::after,
    shared::Shared,
    watch_error::FailedAnswer,
    watch_pauses::{OUTAGE, WatchPauses},
};

/// Longest wait for the head of a watch's answer.
const OPEN_LIMIT: Duration = Duration::from_secs(30);

/// A watch that was open this long, or sent anything, works.
const WORKS_AFTER: Duration = Duration::from_secs(5);

type AnswerBody = UnsyncBoxBody<Bytes, Box<dyn std::error::Error + Send + Sync>>;

/// The state that the requests of one watch share.
pub(crate) struct WatchState {
    shared: Arc<Shared>,
    kind: Kind,
    progress: Mutex<Progress>,
}

struct Progress {
    pauses: WatchPauses,
    /// The last watch ended before it had shown that it works.
    ended_at_once: bool,
    failed: Option<FailedAnswer>,
}

impl WatchState {
    pub(crate) fn new(shared: &Arc<Shared>, kind: Kind) -> Arc<Self> {
        let progress = Progress { pauses: WatchPauses::new(kind), ended_at_once: false, failed: None };
        Arc::new(WatchState { shared: Arc::clone(shared), kind, progress: Mutex::new(progress) })
    }

    /// A client for a new stream. A watch that was dropped with the stream before it did not end at once.
    pub(crate) fn client(self: &Arc<Self>) -> Client {
        self.progress().ended_at_once = false;
        let state = Arc::clone(self);
        let service = tower::service_fn(move |request: Request<Body>| {
            let state = Arc::clone(&state);
            async move { state.send(request).await }
        });
        Client::new(service, "default")
    }

    /// The pause after one more failure, by this backoff.
    pub(crate) fn pause(&self, backoff: Backoff) -> Duration {
        self.progress().pauses.pause(backoff)
    }

    /// How long a watch stays open, in seconds.
    pub(crate) fn watch_s(&self) -> u32 {
        self.progress().pauses.watch_s()
    }

    /// The head of the last unsuccessful answer, once.
    pub(crate) fn take_failed(&self) -> Option<FailedAnswer> {
        self.progress().failed.take()
    }

    async fn send(self: Arc<Self>, mut request: Request<Body>) -> Result<Response<AnswerBody>, kube::Error> {
        request.headers_mut().insert(header::USER_AGENT, http::HeaderValue::from_static(USER_AGENT));
        let watches =
            request.uri().query().is_some_and(|query| query.split('&').any(|pair| pair == "watch=true"));
        let answer =
            if watches { self.open(request).await? } else { self.shared.client.send(request).await? };
        let (head, body) = answer.into_parts();
        let mut opened = None;
        if !head.status.is_success() {
            let retry_after = head.headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
            let retry_after = retry_after.map(str::to_owned);
            self.progress().failed = Some(FailedAnswer { code: head.status.as_u16(), retry_after });
        } else if watches {
            self.shared.set_trouble(self.kind, None);
            opened = Some(OpenWatch { since: after(Duration::ZERO), works: false, state: self });
        }
        let limit = if watches { usize::MAX } else { SIZE_LIMIT };
        let body = Limited::new(body, limit).inspect_frame(move |frame| {
            let has_data = frame.data_ref().is_some_and(|data| !data.is_empty());
            if let Some(opened) = opened.as_mut().filter(|_| has_data) {
                opened.works();
            }
        });
        let body = body.boxed_unsync();
        Ok(Response::from_parts(head, body))
    }

    /// Opens a watch, after a pause if the one before it ended at once.
    async fn open(&self, request: Request<Body>) -> Result<Response<Body>, kube::Error> {
        let ended_at_once = std::mem::take(&mut self.progress().ended_at_once);
        if ended_at_once {
            self.shared.set_trouble(self.kind, Some("the watch ended at once".to_owned()));
            sleep(self.pause(OUTAGE)).await;
        }
        match timeout(OPEN_LIMIT, self.shared.client.send(request)).await {
            Ok(answer) => answer,
            Err(_) => Err(kube::Error::Service("no answer to a watch".into())),
        }
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A watch that is open. It ends when it is dropped.
struct OpenWatch {
    since: Instant,
    works: bool,
    state: Arc<WatchState>,
}

impl OpenWatch {
    fn works(&mut self) {
        if !self.works {
            self.works = true;
            self.state.progress().pauses.reset();
        }
    }
}

impl Drop for OpenWatch {
    fn drop(&mut self) {
        // Outside of a runtime there is no clock, and no further watch.
        if tokio::runtime::Handle::try_current().is_err() {
            return;
        }
        if after(Duration::ZERO) >= self.since + WORKS_AFTER {
            self.works();
        }
        self.state.progress().ended_at_once = !self.works;
    }
}
