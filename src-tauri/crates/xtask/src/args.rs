//! The command line of xtask.

use crate::run::Options;

/// Shown by `--help`, and under an error about the arguments.
pub(crate) const USAGE: &str = "\
Usage: cargo xtask COMMAND

  run [OPTION…]        build everything and open the app on a development profile, beside a local
                       authorization server to connect to; without a display, walk through it instead
      --no-sandbox     without that server, on an empty profile of its own
      --no-build       take what was built last
      --profile FOLDER on this profile
  test [FILTER…]       everything that CI runs; with filters, only the Rust tests whose names hold one of them
  lint                 formatting, clippy, dependencies, the UI's checks, stale generated files, tidiness
  codegen              write openapi.json and the UI's contract.ts again
  bench [ARG…]         measure, side by side with the floor
  dist                 release programs, .deb and .rpm
  setup                only install what the other commands need

What is missing on a Debian or Ubuntu machine is installed with apt-get (as root, or by sudo).";

/// One command of xtask.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Task {
    Help,
    Setup,
    Run(Options),
    Test { filters: Vec<String> },
    Lint,
    Codegen,
    Bench { args: Vec<String> },
    Dist,
}

/// Reads the command line, the program's own name left out.
pub(crate) fn parse(args: impl Iterator<Item = String>) -> Result<Task, String> {
    let mut args: Vec<String> = args.collect();
    if args.is_empty() || args.iter().any(|a| a == "--help" || a == "-h") || args[0] == "help" {
        return Ok(Task::Help);
    }
    let command = args.remove(0);
    match command.as_str() {
        "run" => parse_run(&args),
        "test" => match args.iter().find(|a| a.starts_with('-')) {
            Some(option) => Err(format!("xtask test: there is no option `{option}`.")),
            None => Ok(Task::Test { filters: args }),
        },
        "bench" => Ok(Task::Bench { args }),
        "setup" => bare(Task::Setup, &command, &args),
        "lint" => bare(Task::Lint, &command, &args),
        "codegen" => bare(Task::Codegen, &command, &args),
        "dist" => bare(Task::Dist, &command, &args),
        other => Err(format!("xtask: there is no command `{other}`.")),
    }
}

fn parse_run(args: &[String]) -> Result<Task, String> {
    let mut options = Options {
        sandbox: true,
        build: true,
        profile: None,
    };
    let mut args = args.iter();
    while let Some(option) = args.next() {
        match option.as_str() {
            "--no-sandbox" => options.sandbox = false,
            "--no-build" => options.build = false,
            "--profile" => {
                let folder = args.next().filter(|folder| !folder.is_empty());
                options.profile = Some(folder.ok_or("xtask run: `--profile` needs a folder.")?.into());
            }
            other => {
                return Err(format!(
                    "xtask run: `{other}` is not known; it takes `--no-sandbox`, `--no-build` and `--profile FOLDER`."
                ));
            }
        }
    }
    Ok(Task::Run(options))
}

fn bare(task: Task, command: &str, args: &[String]) -> Result<Task, String> {
    match args.first() {
        None => Ok(task),
        Some(extra) => Err(format!(
            "xtask {command}: `{extra}` is too much, it takes no argument."
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Result<Task, String> {
        parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn every_command_of_the_usage_text_is_understood() {
        for line in USAGE
            .lines()
            .filter(|l| l.starts_with("  ") && !l.starts_with("   "))
        {
            let name = line.split_whitespace().next().unwrap();
            assert!(of(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn an_argument_that_would_be_ignored_is_refused() {
        assert!(of("run --sandbox").is_err());
        assert!(of("run --profile").is_err());
        assert!(of("lint now").is_err());
        assert!(of("test --nocapture").is_err());
        assert!(of("fly").is_err());
    }

    #[test]
    fn filters_and_switches_are_kept() {
        assert_eq!(
            of("run --no-sandbox"),
            Ok(Task::Run(Options {
                sandbox: false,
                build: true,
                profile: None
            }))
        );
        assert_eq!(
            of("test refresh vault"),
            Ok(Task::Test {
                filters: vec!["refresh".into(), "vault".into()]
            })
        );
        assert_eq!(of(""), Ok(Task::Help));
    }
}
