//! The section `[kinds]`: what there is, what it attaches to, and what goes along with what.

use crate::read::section::Findings;
use crate::read::section::Section;
use crate::table::Cascade;
use crate::table::Joining;
use crate::table::Kind;
use crate::words;
use crate::words::quoted;

/// The most kinds of a table.
const KINDS_MAX: usize = 200;

pub(crate) fn read(file: &mut Section<'_>, findings: &Findings) -> Vec<Kind> {
    file.require("kinds");
    let Some(mut section) = file.section("kinds") else { return Vec::new() };
    let sections = section.named_sections();
    if !(1..=KINDS_MAX).contains(&sections.len()) {
        let message = format!("[kinds] has {} kinds; 1 to {KINDS_MAX} are possible", sections.len());
        findings.say(section.at(), message);
    }
    let names = sections.iter().map(|(name, _)| *name).collect::<Vec<_>>();
    sections.into_iter().map(|(name, section)| kind(name, section, &names, findings)).collect()
}

fn kind(name: &str, mut section: Section<'_>, names: &[&str], findings: &Findings) -> Kind {
    let label = section.required_text("label").map(|label| label.text.to_owned());
    let mut attaches_to = Vec::new();
    for to in section.texts("attaches_to") {
        match names.contains(&to.text) {
            true => attaches_to.push(to.text.to_owned()),
            false => {
                let known = quoted(names.iter().copied());
                findings.say(to.at, format!("`{}` is no kind; there are {known}", to.text));
            }
        }
    }
    let mut terms = Vec::new();
    for text in section.texts("terms") {
        match words::terms(text.text) {
            Ok(some) => terms.extend(some),
            Err(problem) => findings.say(text.at, format!("`terms` of [kinds.{name}]: {problem}")),
        }
    }
    let try_days = section.wholes("try_days", words::check_days);
    let (grace, retention) = (section.read("grace", words::length), section.read("retention", words::length));
    let cascade =
        section.section("cascade").map(|cascade| self::cascade(name, cascade, &attaches_to, findings));
    section.finish();
    Kind {
        name: name.to_owned(),
        label: label.unwrap_or_default(),
        attaches_to,
        terms,
        try_days,
        grace,
        retention,
        cascade: cascade.unwrap_or_default(),
    }
}

fn cascade(kind: &str, mut section: Section<'_>, attaches_to: &[String], findings: &Findings) -> Cascade {
    let at = section.at();
    let choices = [("aligned", Joining::Aligned), ("same_term", Joining::SameTerm)];
    let is_said = section.has("renewal");
    let renewal = section.choice("renewal", &choices);
    let option = section.text("option").map(|option| option.text.to_owned());
    let unsubscription = section.flag("unsubscription").unwrap_or(false);
    section.finish();
    if attaches_to.is_empty() {
        findings.say(
            at,
            format!("[kinds.{kind}] has a cascade and attaches to nothing; name what in `attaches_to`"),
        );
    }
    if option.is_some() && !is_said {
        let message = format!(
            "[kinds.{kind}.cascade] has an option of a renewal that takes nothing along: say how with `renewal`"
        );
        findings.say(at, message);
    }
    Cascade { renewal, option, unsubscription }
}
