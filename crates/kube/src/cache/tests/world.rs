//! A small API server with a watch that lags, and the cache beside it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use vexil_object::{ObjectKey, Precondition, Seen, kinds::DEPLOYMENT, meta};

use super::super::{Cache, Packing, reads::Question, version};

/// What happens next.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// Somebody else creates or changes the object.
    TheyWrite,
    TheyDelete,
    /// Somebody writes another object: versions move on.
    OtherWrite,
    /// We write or delete on what we see; the answer comes later, or never.
    WeWrite,
    WeDelete,
    Answer,
    LoseAnswer,
    /// A request of ours is lost before it arrives.
    LoseRequest,
    /// The watch tells this many events.
    Tell(u8),
    Bookmark,
    /// A list is read now and arrives later.
    ListSent,
    ListArrives,
    /// A read is asked, looked up and answered, each at its own time.
    Ask,
    LookUp,
    Reply,
}

/// What the server holds after a version.
type State = Option<Value>;

enum Reply {
    Object(Value),
    Deleted(Precondition),
    Conflict(Option<Precondition>),
}

pub(super) struct World {
    pub(super) cache: Cache,
    pub(super) key: ObjectKey,
    /// States of the object by the version that brought them; the other object's versions lie between.
    history: BTreeMap<u64, State>,
    others: BTreeSet<u64>,
    head: u64,
    told: u64,
    list: Option<(u64, State)>,
    answer: Option<(Option<Precondition>, Reply)>,
    read: Option<(Question, Option<(u64, State)>)>,
    uids: u64,
    /// Nothing before this version may be shown.
    floor: u64,
    doubt: bool,
}

impl World {
    pub(super) fn new() -> Self {
        let mut cache = Cache::new(DEPLOYMENT);
        cache.relist(1, Packing::default()).unwrap();
        World {
            cache,
            key: ObjectKey::new(DEPLOYMENT, "test", "podinfo"),
            history: BTreeMap::from([(1, None)]),
            others: BTreeSet::new(),
            head: 1,
            told: 1,
            list: None,
            answer: None,
            read: None,
            uids: 0,
            floor: 1,
            doubt: false,
        }
    }

    fn live(&self) -> State {
        self.at(self.head)
    }

    fn at(&self, version: u64) -> State {
        self.history.range(..=version).next_back().unwrap().1.clone()
    }

    fn object(&self, name: &str, uid: &str, version: u64) -> Value {
        json!({"metadata": {"namespace": "test", "name": name, "uid": uid, "resourceVersion": version.to_string()}})
    }

    pub(super) fn write(&mut self) -> Value {
        self.head += 1;
        let uid = match self.at(self.head) {
            Some(live) => meta::uid(&live).to_owned(),
            None => {
                self.uids += 1;
                format!("u{}", self.uids)
            }
        };
        let object = self.object("podinfo", &uid, self.head);
        self.history.insert(self.head, Some(object.clone()));
        object
    }

    pub(super) fn delete(&mut self) {
        if self.live().is_some() {
            self.head += 1;
            self.history.insert(self.head, None);
        }
    }

    fn we(&mut self, deletes: bool) {
        let seen = self.cache.look(&self.key);
        if self.answer.is_some() || seen == Seen::NotKnown {
            return;
        }
        let on = seen.object().map(Precondition::of);
        let fits = on == self.live().as_ref().map(Precondition::of);
        let reply = match (&on, fits, deletes) {
            (_, false, _) => Reply::Conflict(on.clone()),
            (None, true, true) => return,
            (Some(on), true, true) => {
                self.delete();
                Reply::Deleted(on.clone())
            }
            (_, true, false) => Reply::Object(self.write()),
        };
        self.answer = Some((on, reply));
    }

    fn answer(&mut self) {
        let key = self.key.clone();
        match self.answer.take() {
            None => {}
            Some((_, Reply::Object(object))) => {
                self.floor = self.floor.max(version(&object));
                self.cache.wrote(&object);
            }
            Some((_, Reply::Deleted(on))) => {
                let at: u64 = on.resource_version.parse().unwrap();
                let end = self.history.range(at + 1..).next().unwrap();
                assert!(end.1.is_none());
                self.floor = self.floor.max(*end.0);
                self.cache.deleted(&key, &on);
            }
            Some((_, Reply::Conflict(on))) => self.unsure(on.as_ref()),
        }
    }

    fn unsure(&mut self, on: Option<&Precondition>) {
        self.doubt = true;
        let key = self.key.clone();
        self.cache.unsure(&key, on);
    }

    pub(super) fn tell(&mut self, count: u8) {
        for _ in 0..count {
            if self.list.is_some() || self.told == self.head {
                return;
            }
            self.told += 1;
            let (at, before) = (self.told, self.at(self.told - 1));
            match self.history.get(&at).cloned() {
                None => {
                    let other = self.object("other", "o", at);
                    self.cache.told(&other);
                }
                Some(Some(object)) => {
                    self.cache.told(&object);
                }
                Some(None) => {
                    let gone = self.object("podinfo", meta::uid(&before.unwrap()), at);
                    self.cache.told_deleted(&gone);
                }
            }
        }
    }

    pub(super) fn step(&mut self, step: &Step) {
        match step {
            Step::TheyWrite => drop(self.write()),
            Step::TheyDelete => self.delete(),
            Step::OtherWrite => {
                self.head += 1;
                self.others.insert(self.head);
            }
            Step::WeWrite => self.we(false),
            Step::WeDelete => self.we(true),
            Step::Answer => self.answer(),
            Step::LoseAnswer => {
                if let Some((on, _)) = self.answer.take() {
                    self.unsure(on.as_ref());
                }
            }
            Step::LoseRequest => {
                let seen = self.cache.look(&self.key);
                if self.answer.is_none() && seen != Seen::NotKnown {
                    self.unsure(seen.object().map(Precondition::of).as_ref());
                }
            }
            Step::Tell(count) => self.tell(*count),
            Step::Bookmark if self.list.is_none() => drop(self.cache.told_nothing_until(self.told)),
            Step::Bookmark => {}
            Step::ListSent => self.list = Some((self.head, self.live())),
            Step::ListArrives => {
                if let Some((at, state)) = self.list.take() {
                    let other = self.others.range(..=at).next_back().map(|at| self.object("other", "o", *at));
                    self.cache.relist(at, state.into_iter().chain(other).collect()).unwrap();
                    self.told = at;
                }
            }
            Step::Ask => self.read = Some((self.cache.ask(&self.key), None)),
            Step::LookUp => {
                let live = (self.head, self.live());
                if let Some((_, looked_up)) = &mut self.read {
                    *looked_up = Some(live);
                }
            }
            Step::Reply => {
                if let Some((question, Some((at, state)))) = self.read.take() {
                    let key = self.key.clone();
                    // "Not found" tells no version: a watch that is behind may still tell of a life before.
                    if state.is_some() {
                        self.floor = self.floor.max(at);
                    }
                    self.doubt |= state.is_none();
                    self.cache.answered(&key, &question, state.as_ref());
                }
            }
        }
        self.check();
    }

    /// What is shown was true at some time not before the floor, and that time never goes back.
    fn check(&mut self) {
        match self.cache.look(&self.key) {
            Seen::NotKnown => assert!(self.doubt, "not known without reason"),
            Seen::Present(object) => {
                let at = version(&object);
                assert_eq!(self.history.get(&at), Some(&Some((*object).clone())));
                let until = self.history.range(at + 1..).next().map_or(u64::MAX, |(next, _)| *next);
                assert!(until > self.floor, "shows version {at}, but {} is known", self.floor);
                self.floor = self.floor.max(at);
            }
            Seen::Absent => {
                let gone = self.history.iter().filter(|(_, state)| state.is_none()).find(|(at, _)| {
                    self.history.range(**at + 1..).next().is_none_or(|(next, _)| *next > self.floor)
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
    }

    /// Everything arrives: then the truth is shown and nothing is laid over any more.
    pub(super) fn settle(&mut self) {
        self.step(&Step::Answer);
        self.step(&Step::ListArrives);
        self.tell(u8::MAX);
        self.check();
        if self.cache.look(&self.key) == Seen::NotKnown {
            for step in [Step::Ask, Step::LookUp, Step::Reply] {
                self.step(&step);
            }
        }
        assert_eq!(self.cache.look(&self.key).object(), self.live().as_ref());
        assert!(self.cache.laid.is_empty(), "{:?}", self.cache.laid);
    }
}
