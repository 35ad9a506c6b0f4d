//! Runs the script of a story against the engine, in a small cluster on virtual time, and records what happens.

mod effects;
mod plan;
mod script;
mod shell;
mod workload;
mod world;

use script::{Action, Script};
use shell::Shell;

/// Runs a script and returns the timeline.
pub fn run(text: &str) -> String {
    let script = Script::parse(text);
    let mut shell = Shell::new(&script);
    for action in &script.actions {
        act(&mut shell, action);
    }
    shell.timeline.join("\n") + "\n"
}

fn act(shell: &mut Shell, action: &Action) {
    match action {
        Action::Wait(span_ms) => shell.run_for(*span_ms),
        Action::WaitFor(what, condition) => {
            let limit = shell.now.0 + 3_600_000;
            shell.run_while(|shell| !condition(&shell.memory) && shell.now.0 < limit);
            assert!(condition(&shell.memory), "never came: {what}\n{}", shell.timeline.join("\n"));
        }
        Action::User(what, change) => {
            shell.note("user", what);
            change(&mut shell.world, shell.now);
            shell.settle();
        }
        Action::Plan(what, change) => {
            shell.note("user", what);
            change(&mut shell.plan);
            shell.settle();
        }
        Action::TakeOver(phase) => {
            shell.note("user", "take over from flagger");
            let theirs = Some(vexil_analysis::Revision::new("flaggers"));
            (shell.memory.applied, shell.memory.promoted, shell.memory.held) = (theirs.clone(), theirs, None);
            shell.memory.phase = phase.unwrap_or(shell.memory.phase);
            (shell.memory.from_flagger, shell.memory.last_step) = (true, None);
            shell.settle();
        }
        Action::Clock(by_ms) => {
            shell.now = vexil_analysis::Millis(shell.now.0.saturating_add_signed(*by_ms));
            shell.world.shift(*by_ms);
            shell.restart("user", &format!("set the clock by {} s", by_ms / 1000));
        }
        Action::Down(span_ms) => {
            shell.note("user", &format!("stop the operator for {} s", span_ms / 1000));
            shell.now = shell.now.plus(*span_ms);
            shell.restart("user", "start the operator");
        }
        Action::CrashEachEffect => shell.crash_each_effect = true,
    }
}
