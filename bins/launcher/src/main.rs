//! `cargo xtask`: builds the program that has the command, and becomes it.

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    match arguments.first() {
        Some(name) if vexil_launcher::LAB.iter().any(|command| name == command) => {
            vexil_launcher::lab(&arguments)
        }
        _ => vexil_launcher::chore(&arguments),
    }
}
