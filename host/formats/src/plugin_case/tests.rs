//! Cases of plugins: what is wrong with a file, what differs, and what blessing changes.

use std::collections::BTreeMap;

use perennial_domain::manifest::Kind;
use perennial_domain::manifest::Manifest;
use perennial_domain::manifest::PolicyRefusal;
use perennial_domain::plan::Refusal;

use super::*;

fn manifest() -> Manifest {
    let refusal = Refusal { code: "No".to_owned(), message: String::new() };
    let policy = PolicyRefusal { refusal: refusal.clone(), code_setting: None };
    let kind = Kind {
        label: "Server".to_owned(),
        attaches_to: vec!["server".to_owned()],
        terms: Vec::new(),
        is_package: false,
    };
    Manifest {
        id: "nimbus".to_owned(),
        name: "Nimbus".to_owned(),
        kinds: BTreeMap::from([("server".to_owned(), kind)]),
        settings: Vec::new(),
        notices: Vec::new(),
        reads: Vec::new(),
        utc_offset_minutes: 0,
        insufficient_balance: refusal.clone(),
        unknown_resource: refusal,
        unknown_resource_of: BTreeMap::new(),
        policy_denied: policy.clone(),
        policy_deferred: policy,
        idempotency: None,
    }
}

fn read_all(text: &str) -> Result<Vec<Case>, Problems> {
    let check = |_: &str, settings: &BTreeMap<String, String>| {
        Ok(settings.keys().map(|name| format!("`{name}` is no setting")).collect())
    };
    read(text, &manifest(), &check)
}

const CASE: &str = r#"
# What is asked of whom.
[[case]]
name = "it ends"
resources = [{ id = "web", expires_at = "2026-03-10T12:00:00Z", on_expiry = "renew" }]
after = "2026-03-01T00:00:00Z"
answer = """
2026-03-10T12:00:00Z web enter released
"""

[[case]]
name = "it is refused" # as the document says
resources = [{ expires_at = "2026-03-10T12:00:00Z" }, { id = "disk", attached_to = "r-1", expires_at = "2026-04-10T12:00:00Z" }]
at = "2026-03-01T00:00:00Z"
command = { renew = { term = { count = 1, unit = "month" } } }
automatic = true
resource = "disk"
answer = "refused No"
"#;

#[test]
fn what_a_case_leaves_out_has_a_default() {
    let cases = read_all(CASE).unwrap();
    let (first, second) = (&cases[0], &cases[1]);
    assert_eq!(first.bundle.primary().kind, "server");
    assert_eq!(first.bundle.primary().term.unwrap().count.get(), 1);
    assert!(matches!(first.question, CaseRequest::Timeline { .. }));
    assert_eq!(second.bundle.primary().id, "r-1");
    let CaseRequest::Plan { member, command: Command::Renew(renewal), .. } = &second.question else {
        panic!()
    };
    assert_eq!((member.get(), renewal.cause), (1, Cause::Auto));
}

#[test]
fn every_problem_of_a_file_of_cases_is_told() {
    let wrong = r#"
[[case]]
name = "one"
resources = [{ kind = "ship", expires_at = "soon" }]
settings = { pace = "1" }
after = "2026-03-01T00:00:00Z"
answer = ""

[[case]]
name = "one"
resources = [{ expires_at = "2026-03-10T12:00:00Z" }, { expires_at = "2026-03-10T12:00:00Z" }]
after = "2026-03-01T00:00:00Z"

[[case]]
name = "both"
resources = [{ expires_at = "2026-03-10T12:00:00Z" }]
after = "2026-03-01T00:00:00Z"
at = "2026-03-01T00:00:00Z"
answer = ""

[[case]]
name = "neither"
resources = [{ expires_at = "2026-03-10T12:00:00Z" }]
answer = ""
price = 3

[[case]]
name = "no bundle"
at = "2026-03-01T00:00:00Z"
command = "cancel_auto_renew"
automatic = true
answer = ""
"#;
    let problems = read_all(wrong).unwrap_err();
    let told = problems.to_string();
    for problem in [
        "`nimbus` has no kind `ship`",
        "expires_at",
        "`pace` is no setting",
        "case[1].name: another case has this name",
        "case[1].answer: the field is missing",
        "and this one has 2: say what is attached to what",
        "case[2].at: a case asks for a timeline, with `after`, or for the plan of a command",
        "case[3].price: unknown field `price`",
        "case[3].at: the field is missing",
        "case[3].command: the field is missing",
        "case[4]: a case has `resources`",
    ] {
        assert!(told.contains(problem), "{problem}:\n{told}");
    }
    assert!(!problems.has_more());
}

#[test]
fn a_difference_shows_the_lines_of_both() {
    let cases = read_all(CASE).unwrap();
    let lines = |lines: &[&str]| lines.iter().map(|line| String::from(*line)).collect::<Vec<_>>();
    assert_eq!(cases[0].difference(&lines(&["2026-03-10T12:00:00Z web enter released"])), None);
    let other = lines(&["2026-03-10T12:00:00Z web enter grace", "2026-03-11T12:00:00Z web enter released"]);
    let difference = cases[0].difference(&other).unwrap();
    let mut marked = difference.lines().collect::<Vec<_>>();
    marked.sort_unstable();
    let expected = [
        "+2026-03-10T12:00:00Z web enter grace",
        "+2026-03-11T12:00:00Z web enter released",
        "-2026-03-10T12:00:00Z web enter released",
    ];
    assert_eq!(marked, expected, "{difference}");
    assert_eq!(cases[1].difference(&lines(&["refused No: whatever the words are"])), None);
    assert!(cases[1].difference(&lines(&["refused Never: no"])).is_some());
    assert!(
        cases[1].difference(&lines(&["refused Nothing: no"])).is_some(),
        "a code is not the start of another"
    );
    assert!(cases[1].difference(&lines(&["refused No: no", "more"])).is_some());
}

#[test]
fn blessing_changes_answers_and_nothing_else() {
    let answers = BTreeMap::from([
        ("it ends".to_owned(), vec!["a \\ line".to_owned(), "with \"\"\"".to_owned()]),
        ("another".to_owned(), vec!["unused".to_owned()]),
    ]);
    let blessed = with_answers(CASE, &answers);
    let cases = read_all(&blessed).unwrap();
    assert_eq!(cases[0].answer, answers["it ends"]);
    assert_eq!(cases[1], read_all(CASE).unwrap()[1]);
    assert!(blessed.contains("# What is asked of whom.") && blessed.contains("# as the document says"));
    let same =
        BTreeMap::from([("it ends".to_owned(), vec!["2026-03-10T12:00:00Z web enter released".to_owned()])]);
    assert_eq!(with_answers(CASE, &same), CASE);
}
