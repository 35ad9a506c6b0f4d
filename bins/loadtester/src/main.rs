//! The load tester's process: flags in, exit code out.

mod args;
mod gates;
mod handlers;
mod kinds;
mod metrics;
mod namespaces;
mod payload;
mod process;
mod reply;
mod routes;
mod run;
mod tasks;
mod work;

use std::process::ExitCode;

use args::Args;

fn main() -> ExitCode {
    let args = Args::from_command_line();
    if args.version {
        println!("Load tester version {}", env!("CARGO_PKG_VERSION"));
        return ExitCode::SUCCESS;
    }
    let ours = ["loadtester", "vexil_egress"];
    // What commands print has a limit of its own: -max-output-bytes.
    let log = vexil_program::install_log(&args.log_level, &args.zap_encoding, &ours, |text| text);
    if let Err(error) = log {
        eprintln!("{error}");
        return ExitCode::FAILURE;
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("no runtime: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(run::run(args)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
