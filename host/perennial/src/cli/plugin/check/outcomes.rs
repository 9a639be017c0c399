//! What a plugin made of each command, in which stages: how often it was planned, and refused with which code.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use perennial_domain::bundle::Stage;
use perennial_domain::plan::Plan;
use perennial_domain::plan::Refusal;

/// A command's name, and the stage of the resource that it is about.
type CommandInStage<'a> = (&'a str, Stage);

/// What became of the questions about one command.
#[derive(Default)]
struct Outcomes<'a> {
    planned: BTreeSet<Stage>,
    plans: usize,
    /// How often each code was the answer, and in which stages.
    refused: BTreeMap<&'a str, (usize, BTreeSet<Stage>)>,
}

/// A line for each command, such as `renew: 12 planned (active); refused: 8 not_found (released, unsubscribed)`.
pub(super) fn lines<'a, E: 'a>(
    answers: impl Iterator<Item = (CommandInStage<'a>, &'a Result<Result<Plan, Refusal>, E>)>,
) -> Vec<String> {
    let mut outcomes = BTreeMap::<&str, Outcomes<'_>>::new();
    for ((command, stage), answer) in answers {
        let of_command = outcomes.entry(command).or_default();
        match answer {
            Ok(Ok(_)) => {
                of_command.plans += 1;
                of_command.planned.insert(stage);
            }
            Ok(Err(refusal)) => {
                let (times, stages) = of_command.refused.entry(&refusal.code).or_default();
                *times += 1;
                stages.insert(stage);
            }
            Err(_) => {}
        }
    }
    outcomes.into_iter().map(|(command, outcomes)| outcomes.line(command)).collect()
}

impl Outcomes<'_> {
    fn line(&self, command: &str) -> String {
        let refused =
            self.refused.iter().map(|(code, (times, stages))| format!("{times} {code}{}", listed(stages)));
        let refused = refused.collect::<Vec<_>>().join(", ");
        let refused = if refused.is_empty() { "none" } else { &refused };
        format!("{command}: {} planned{}; refused: {refused}", self.plans, listed(&self.planned))
    }
}

/// Stages in brackets, in the order of a resource's life; nothing where there are none.
fn listed(stages: &BTreeSet<Stage>) -> String {
    match stages.is_empty() {
        true => String::new(),
        false => format!(" ({})", stages.iter().map(|stage| stage.name()).collect::<Vec<_>>().join(", ")),
    }
}
