//! The helper of git as a whole process, alone and under git.

use crate::process_start::succeed;
use crate::report::Row;
use crate::sample::Sample;
use crate::stage::{MACHINE, Stage, connect_machines, label};
use std::fs::File;
use std::path::Path;
use std::process::Command;
use tokenry_e2e::process::program;

const RUNS: usize = 300;
/// What git asks for.
const REQUEST: &str = "protocol=https\nhost=forge.example\n\n";
/// A helper that costs git no further process.
const BUILT_IN: &str = "!f() { echo username=a; echo password=b; }; f";

/// `tokenry git-credential get`, which finds the connection of a host and then asks for its token, beside `tokenry token`;
/// and `git credential fill` through it, beside git with a helper of two lines of shell.
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
    let ours = format!("!'{}' git-credential", program("tokenry").display());
    let mut commands = [
        stage.profile.command("tokenry", &["git-credential", "get"]),
        stage.profile.command("tokenry", &["token", &name]),
        git(&stage, &ours),
        git(&stage, BUILT_IN),
    ];
    let mut times: [Sample; 4] = Default::default();
    for run in 0..RUNS + 20 {
        // The first ones only bring the programs into memory.
        if run == 20 {
            times = Default::default();
        }
        for (command, sample) in commands.iter_mut().zip(&mut times) {
            let request = File::open(&input).unwrap();
            sample.time(|| succeed(command.stdin(request)));
        }
    }
    let [helper, token, git, bare_git] = times;
    vec![
        Row::ratio(
            "git's helper, token at hand, the whole process",
            &helper,
            ("`tokenry token`", &token),
            1.15,
        ),
        Row::ratio(
            "`git credential fill` through it, less git's own time",
            &git.beyond(&bare_git),
            ("`tokenry token`", &token),
            1.15,
        )
        .note(&format!("git's own: {:.2} ms", bare_git.median())),
    ]
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
