//! Which case is next: each mode has its turn, and within a mode the cases come well mixed.

use std::collections::{BTreeMap, VecDeque};

use super::{
    Args, Mode,
    dice::Dice,
    edits,
    fields::Fields,
    harms,
    outcome::Outcome,
    place::{PLACES, Place},
    seeds,
    step::Case,
};

/// How many seeds are played unless something else is asked for.
const SEEDS: u64 = 1_000;

/// What is still to be played.
pub struct Plan {
    modes: Vec<Mode>,
    router: Option<String>,
    fields: Fields,
    edits: Vec<Case>,
    queues: BTreeMap<Mode, VecDeque<u64>>,
    next_seed: u64,
    turn: usize,
    left: Option<u64>,
    /// Events of the scenarios without harm, by mode and number.
    pub clean: BTreeMap<(&'static str, u64), BTreeMap<String, usize>>,
}

impl Plan {
    /// Everything that the arguments ask for.
    ///
    /// # Errors
    /// When the CRD has no schema.
    pub fn new(args: &Args) -> anyhow::Result<Plan> {
        let all = [Mode::Edits, Mode::Crashes, Mode::Faults, Mode::Seeds];
        let modes: Vec<Mode> = args.mode.map_or(all.to_vec(), |mode| vec![mode]);
        let endless = args.minutes.is_some();
        let fields = Fields::read()?;
        // There are thousands of them.
        let edits = if modes.contains(&Mode::Edits) { all_edits(&fields) } else { Vec::new() };
        let mut plan = Plan {
            router: args.router.clone(),
            queues: BTreeMap::new(),
            next_seed: args.from,
            turn: 0,
            left: args.seeds.or((!endless && modes == [Mode::Seeds]).then_some(SEEDS)),
            clean: BTreeMap::new(),
            edits,
            fields,
            modes,
        };
        let is_meant = |place: &Place| args.router.as_deref().is_none_or(|name| name == place.name);
        for mode in plan.modes.clone() {
            let numbers: Vec<u64> = match mode {
                Mode::Edits => {
                    let meant = plan
                        .edits
                        .iter()
                        .filter(|case| is_meant(case.place) && case.title.contains(&args.only));
                    meant.map(|case| case.number).collect()
                }
                Mode::Crashes | Mode::Faults => harms::clean(args.router.as_deref()),
                Mode::Seeds => Vec::new(),
            };
            plan.queues.insert(mode, mixed(numbers, args.from));
        }
        Ok(plan)
    }

    /// The next case; none when all are played.
    ///
    /// # Errors
    /// When a case cannot be made.
    pub fn next(&mut self) -> anyhow::Result<Option<Case>> {
        if self.left == Some(0) {
            return Ok(None);
        }
        for _ in 0..self.modes.len() {
            let Some(mode) = self.modes.get(self.turn % self.modes.len().max(1)).copied() else { break };
            self.turn += 1;
            let number = match mode {
                Mode::Seeds => {
                    self.next_seed += 1;
                    Some(self.next_seed - 1)
                }
                mode => self.queues.get_mut(&mode).and_then(VecDeque::pop_front),
            };
            if let Some(number) = number {
                self.left = self.left.map(|left| left - 1);
                return self.case(mode, number).map(Some);
            }
        }
        Ok(None)
    }

    /// The case with a number.
    ///
    /// # Errors
    /// When there is none.
    pub fn case(&self, mode: Mode, number: u64) -> anyhow::Result<Case> {
        let none = || anyhow::anyhow!("{} has no case {number}", mode.name());
        match mode {
            Mode::Seeds => seeds::case(&self.fields, number, self.router.as_deref()),
            Mode::Edits => {
                let place = usize::try_from(number).map_err(|_| none())?;
                self.edits.get(place).cloned().ok_or_else(none)
            }
            Mode::Crashes | Mode::Faults => {
                harms::case(mode.name(), number).map(|(case, _)| case).ok_or_else(none)
            }
        }
    }

    /// What a scenario without harm has shown: which harms there can be.
    pub fn learn(&mut self, case: &Case, outcome: &Outcome) {
        let is_clean = case.cut_after.is_none() && case.harm.is_none();
        let mode = match case.mode {
            "crashes" => Mode::Crashes,
            "faults" => Mode::Faults,
            _ => return,
        };
        // What a takeover does again depends on how far it came before.
        let events = if case.title.ends_with("takeover") { BTreeMap::new() } else { outcome.events.clone() };
        if is_clean && let Some(queue) = self.queues.get_mut(&mode) {
            self.clean.insert((case.mode, case.number), events);
            let all = harms::all(case.mode, case.number, outcome);
            let old: Vec<u64> = queue.drain(..).collect();
            queue.extend(mixed(old.into_iter().chain(all).collect(), case.number));
        }
    }

    /// How many pairs of field and moment there are.
    pub fn pairs(&self) -> usize {
        self.edits.len()
    }
}

fn all_edits(fields: &Fields) -> Vec<Case> {
    let mut all = edits::cases(fields, &PLACES.iter().collect::<Vec<_>>());
    all.iter_mut().zip(0..).for_each(|(case, number)| case.number = number);
    all
}

/// The same numbers in an order in which near ones are far apart.
fn mixed(mut numbers: Vec<u64>, seed: u64) -> VecDeque<u64> {
    let mut dice = Dice::new(seed);
    let mut keyed: Vec<(u64, u64)> = numbers.drain(..).map(|number| (dice.roll(u64::MAX), number)).collect();
    keyed.sort_unstable();
    keyed.into_iter().map(|(_, number)| number).collect()
}
