//! The helper of git as a whole process, alone and under git.

use crate::process_start::succeed;
use crate::report::Row;
use crate::sample::Sample;
use crate::stage::{MACHINE, Stage, connect_machines, label};
use std::fs::File;
use std::path::Path;
use std::process::Command;
use tokenry_e2e::process::program;

const RUNS: usize = 1000;
/// What git asks for.
const REQUEST: &str = "protocol=https\nhost=forge.example\n\n";

/// `tokenry git-credential get`, which finds the connection of a host and gets its token, beside `tokenry token`; and `git
/// credential fill` through it, beside git with a helper of a line of shell around `tokenry token`.
pub(crate) fn measure() -> Vec<Row> {
    let stage = Stage::build();
    connect_machines(stage.open(), 1..11);
    let name = format!("{MACHINE}/{}", label(5));
    stage
        .profile
        .tokenry(&["bind", "https://forge.example", "--connection", &name])
        .success();
    let input = stage.profile.scratch().join("request");
    std::fs::write(&input, REQUEST).unwrap();
    let program = program("tokenry");
    let program = program.display();
    let ours = format!("!'{program}' git-credential");
    let line = format!("!f() {{ echo username=a; echo \"password=$('{program}' token {name})\"; }}; f");
    let [helper, token] = alternately(
        [
            stage.profile.command("tokenry", &["git-credential", "get"]),
            stage.profile.command("tokenry", &["token", &name]),
        ],
        &input,
    );
    let [through_helper, through_line] = alternately([git(&stage, &ours), git(&stage, &line)], &input);
    vec![
        Row::ratio(
            "git's helper, token at hand, the whole process",
            &helper,
            ("`tokenry token`", &token),
            1.15,
        ),
        Row::ratio(
            "`git credential fill` through it",
            &through_helper,
            ("a line of shell around `tokenry token`", &through_line),
            1.15,
        ),
    ]
}

/// How long each takes. Each is the first one in every other run: what runs before a program decides what is in the caches.
fn alternately(mut commands: [Command; 2], input: &Path) -> [Sample; 2] {
    let mut times: [Sample; 2] = Default::default();
    for run in 0..RUNS + 20 {
        // The first ones only bring the programs into memory.
        if run == 20 {
            times = Default::default();
        }
        for turn in [run % 2, (run + 1) % 2] {
            let request = File::open(input).unwrap();
            times[turn].time(|| succeed(commands[turn].stdin(request)));
        }
    }
    times
}

fn git(stage: &Stage, helper: &str) -> Command {
    let mut git = Command::new("git");
    git.env_clear()
        .envs(stage.profile.env())
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_TERMINAL_PROMPT", "0")
        .current_dir::<&Path>(stage.profile.scratch())
        .args(["-c", "credential.helper="])
        .args(["-c", &format!("credential.helper={helper}")])
        .args(["credential", "fill"]);
    git
}
