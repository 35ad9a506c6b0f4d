//! The API server, a watch that lags, answers on their way, and the cache that hears of all this.

use std::sync::Arc;

use serde_json::Value;
use vexil_object::{ObjectKey, Precondition, Seen, kinds::DEPLOYMENT, meta};

use super::{
    super::{Cache, reads::ReadStart, version},
    by_generation::{ByGeneration, check_index, list},
    server::{Server, State, object},
};

/// What happens next.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// Another client creates or changes the object.
    TheyWrite,
    TheyDelete,
    /// Another client writes another object: versions move on.
    OtherWrite,
    /// We write or delete on what we see; the answer arrives later, or never.
    WeWrite,
    WeDelete,
    Answer,
    LoseAnswer,
    /// A request of ours is lost before it arrives.
    LoseRequest,
    /// The watch reports this many events.
    Report(u8),
    /// A list is requested, read and complete, each at its own time. No event is reported meanwhile.
    ListRequested,
    ListRead,
    ListArrives,
    /// A GET is sent, executed and answered, each at its own time.
    GetSent,
    GetExecuted,
    GetAnswered,
}

enum Reply {
    Object(Value),
    Deleted(Precondition),
    Conflict(Option<Precondition>),
}

pub(super) struct World {
    pub(super) cache: Cache,
    pub(super) key: ObjectKey,
    pub(super) server: Server,
    reported: u64,
    list: Option<Option<(u64, State)>>,
    answer: Option<(Option<Precondition>, Reply, u64)>,
    read: Option<(ReadStart, Option<(u64, State)>)>,
    /// An answer has arrived since the list was requested.
    answered: bool,
    /// Nothing before this version may be shown.
    floor: u64,
    /// There was a reason not to know the object.
    unknown: bool,
}

impl World {
    pub(super) fn new() -> Self {
        let mut cache = Cache::indexed(Arc::new(ByGeneration));
        cache.list_started();
        cache.list_finished(list([])).unwrap();
        World {
            cache,
            key: ObjectKey::new(DEPLOYMENT, "test", "podinfo"),
            server: Server::new(),
            reported: 1,
            list: None,
            answer: None,
            read: None,
            answered: false,
            floor: 1,
            unknown: false,
        }
    }

    fn we(&mut self, deletes: bool) {
        let seen = self.cache.look(&self.key);
        if self.answer.is_some() || seen == Seen::NotKnown {
            return;
        }
        let on = seen.object().map(Precondition::of);
        let fits = on == self.server.live().as_ref().map(Precondition::of);
        let reply = match (&on, fits, deletes) {
            (_, false, _) => Reply::Conflict(on.clone()),
            (None, true, true) => return,
            (Some(on), true, true) => {
                self.server.delete();
                Reply::Deleted(on.clone())
            }
            (_, true, false) => Reply::Object(self.server.write()),
        };
        self.answer = Some((on, reply, self.cache.epoch()));
    }

    fn answer(&mut self) {
        let key = self.key.clone();
        self.answered = true;
        match self.answer.take() {
            None => {}
            Some((_, Reply::Object(object), epoch)) => {
                self.floor = self.floor.max(version(&object));
                self.cache.write_acknowledged(object, epoch);
            }
            Some((_, Reply::Deleted(on), _)) => {
                let at: u64 = on.resource_version.parse().unwrap();
                let end = self.server.history.range(at + 1..).next().unwrap();
                assert!(end.1.is_none());
                self.floor = self.floor.max(*end.0);
                self.cache.delete_acknowledged(&key, &on);
            }
            Some((_, Reply::Conflict(on), _)) => self.write_unknown(on.as_ref()),
        }
    }

    fn write_unknown(&mut self, on: Option<&Precondition>) {
        self.unknown = true;
        let key = self.key.clone();
        self.cache.write_unknown(&key, on);
    }

    pub(super) fn report(&mut self, count: u8) {
        for _ in 0..count {
            if self.list.is_some() || self.reported == self.server.head {
                return;
            }
            self.reported += 1;
            let (at, before) = (self.reported, self.server.at(self.reported - 1));
            match self.server.history.get(&at).cloned() {
                None => {
                    let other = object("other", "o", at);
                    self.cache.object_applied(other);
                }
                Some(Some(object)) => {
                    self.cache.object_applied(object);
                }
                Some(None) => {
                    let gone = object("podinfo", meta::uid(&before.unwrap()), at);
                    self.cache.object_deleted(&gone);
                }
            }
        }
    }

    pub(super) fn step(&mut self, step: &Step) {
        match step {
            Step::TheyWrite => drop(self.server.write()),
            Step::TheyDelete => self.server.delete(),
            Step::OtherWrite => self.server.write_other(),
            Step::WeWrite => self.we(false),
            Step::WeDelete => self.we(true),
            Step::Answer => self.answer(),
            Step::LoseAnswer => {
                if let Some((on, ..)) = self.answer.take() {
                    self.write_unknown(on.as_ref());
                }
            }
            Step::LoseRequest => {
                let seen = self.cache.look(&self.key);
                if self.answer.is_none() && seen != Seen::NotKnown {
                    self.write_unknown(seen.object().map(Precondition::of).as_ref());
                }
            }
            Step::Report(count) => self.report(*count),
            Step::ListRequested => {
                self.list = Some(None);
                self.answered = false;
                self.cache.list_started();
            }
            Step::ListRead => {
                let live = (self.server.head, self.server.live());
                if let Some(list @ None) = &mut self.list {
                    *list = Some(live);
                }
            }
            Step::ListArrives => self.list_arrives(),
            Step::GetSent => self.read = Some((self.cache.read_started(&self.key), None)),
            Step::GetExecuted => {
                let live = (self.server.head, self.server.live());
                if let Some((_, executed)) = &mut self.read {
                    *executed = Some(live);
                }
            }
            Step::GetAnswered => {
                if let Some((start, Some((at, state)))) = self.read.take() {
                    let key = self.key.clone();
                    self.answered = true;
                    // "Not found" has no version: a watch that is behind may still report an earlier life.
                    if state.is_some() {
                        self.floor = self.floor.max(at);
                    }
                    self.unknown |= state.is_none();
                    self.cache.read_finished(&key, &start, state);
                }
            }
        }
        self.check();
    }

    fn list_arrives(&mut self) {
        let Some(Some((at, state))) = self.list.take_if(|list| list.is_some()) else { return };
        // Whether the list is from before an answer that it crosses is not known.
        self.unknown |= self.answered || self.answer.is_some() || self.read.is_some();
        let other = self.server.others.range(..=at).next_back().map(|at| object("other", "o", *at));
        self.cache.list_finished(list(state.into_iter().chain(other))).unwrap();
        self.reported = at;
    }

    /// What is shown was true at some time not before the floor, and that time never goes back.
    fn check(&mut self) {
        match self.cache.look(&self.key) {
            Seen::NotKnown => assert!(self.unknown, "not known without reason"),
            Seen::Present(object) => {
                let at = version(&object);
                assert_eq!(self.server.history.get(&at), Some(&Some((*object).clone())));
                let until = self.server.history.range(at + 1..).next().map_or(u64::MAX, |(next, _)| *next);
                assert!(until > self.floor, "shows version {at}, but {} is known", self.floor);
                self.floor = self.floor.max(at);
            }
            Seen::Absent => {
                let gone = self.server.history.iter().filter(|(_, state)| state.is_none()).find(|(at, _)| {
                    self.server.history.range(**at + 1..).next().is_none_or(|(next, _)| *next > self.floor)
                });
                let (from, _) = gone.expect("shows absent, but it was not since the floor");
                self.floor = self.floor.max(*from);
            }
        }
        let listed = self.cache.keys_in("test").map(|keys| keys.iter().any(|key| key.name() != "other"));
        match self.cache.look(&self.key) {
            Seen::NotKnown => assert_eq!(listed, None),
            seen => assert_eq!(listed, Some(seen.object().is_some())),
        }
        check_index(&self.cache, &self.key);
    }

    /// Everything arrives: then the live object is shown, and a list leaves nothing pending.
    pub(super) fn settle(&mut self) {
        self.step(&Step::Answer);
        self.step(&Step::ListRead);
        self.step(&Step::ListArrives);
        self.report(u8::MAX);
        self.check();
        if self.cache.look(&self.key) == Seen::NotKnown {
            for step in [Step::GetSent, Step::GetExecuted, Step::GetAnswered] {
                self.step(&step);
            }
        }
        assert_eq!(self.cache.look(&self.key).object(), self.server.live().as_ref());
        for step in [Step::ListRequested, Step::ListRead, Step::ListArrives] {
            self.step(&step);
        }
        assert_eq!(self.cache.look(&self.key).object(), self.server.live().as_ref());
        assert!(self.cache.pending.is_empty(), "{:?}", self.cache.pending);
    }
}
