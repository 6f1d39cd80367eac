//! The stages of a command: each with its name, how long it took and whether it passed.

use crate::sh::Result;
use std::time::{Duration, Instant};

/// The stages so far. A stage that needs an earlier one is guarded with `?`; the others run in any case, so that one
/// run reports everything that is wrong.
#[derive(Default)]
pub(crate) struct Stages {
    done: Vec<Stage>,
}

struct Stage {
    name: String,
    took: Duration,
    error: Option<String>,
}

impl Stages {
    /// Runs one stage, says how it went, and remembers it.
    ///
    /// # Errors
    /// The stage's own; it is in [`Stages::finish`]'s summary too.
    pub(crate) fn run(&mut self, name: &str, work: impl FnOnce() -> Result) -> Result {
        println!("\n▶ {name}");
        let start = Instant::now();
        let outcome = work();
        let took = start.elapsed();
        match &outcome {
            Ok(()) => println!("✔ {name} ({})", seconds(took)),
            Err(error) => println!("✘ {name} ({}): {error}", seconds(took)),
        }
        self.done.push(Stage {
            name: name.to_owned(),
            took,
            error: outcome.clone().err(),
        });
        outcome
    }

    /// Prints the summary.
    ///
    /// # Errors
    /// Names the stages that failed.
    pub(crate) fn finish(self) -> Result {
        let width = self
            .done
            .iter()
            .map(|stage| stage.name.chars().count())
            .max()
            .unwrap_or(0);
        println!("\nSummary");
        for Stage { name, took, error } in &self.done {
            let mark = if error.is_some() { "✘" } else { "✔" };
            println!("  {mark} {name:<width$}  {:>8}", seconds(*took));
            if let Some(error) = error {
                println!("      {error}");
            }
        }
        let total: Duration = self.done.iter().map(|stage| stage.took).sum();
        println!("    {:<width$}  {:>8}", "in all", seconds(total));
        let failed: Vec<&str> = self
            .done
            .iter()
            .filter(|stage| stage.error.is_some())
            .map(|stage| stage.name.as_str())
            .collect();
        if failed.is_empty() {
            Ok(())
        } else {
            Err(format!("failed: {}.", failed.join(", ")))
        }
    }
}

fn seconds(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds < 60.0 {
        format!("{seconds:.1} s")
    } else {
        format!("{} min {:02} s", time.as_secs() / 60, time.as_secs() % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_that_failed_is_named_at_the_end_though_later_ones_passed() {
        let mut stages = Stages::default();
        assert!(stages.run("first", || Err("broken".into())).is_err());
        assert!(stages.run("second", || Ok(())).is_ok());
        assert_eq!(stages.finish(), Err("failed: first.".into()));
    }

    #[test]
    fn a_long_time_is_told_in_minutes() {
        assert_eq!(seconds(Duration::from_millis(1234)), "1.2 s");
        assert_eq!(seconds(Duration::from_secs(185)), "3 min 05 s");
    }
}
