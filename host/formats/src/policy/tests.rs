//! Policy files and tests of policies: what is read, and what is said of what cannot be.

use std::collections::BTreeMap;

use expect_test::expect;
use perennial_domain::manifest::Kind;
use perennial_domain::manifest::Manifest;
use perennial_domain::manifest::PolicyRefusal;
use perennial_domain::plan::Refusal;
use perennial_domain::policy::PolicyAnswer;
use perennial_domain::policy::Ruling;

use super::*;

fn manifest(id: &str, kinds: &[&str]) -> Manifest {
    let kind = Kind { label: String::new(), attaches_to: Vec::new(), terms: Vec::new(), is_package: false };
    let refusal = Refusal { code: "no".to_owned(), message: "no".to_owned() };
    Manifest {
        id: id.to_owned(),
        name: id.to_owned(),
        kinds: kinds.iter().map(|name| ((*name).to_owned(), kind.clone())).collect(),
        settings: Vec::new(),
        notices: Vec::new(),
        reads: Vec::new(),
        utc_offset_minutes: 480,
        insufficient_balance: refusal.clone(),
        unknown_resource: refusal.clone(),
        unknown_resource_of: BTreeMap::new(),
        policy_denied: PolicyRefusal { refusal: refusal.clone(), code_setting: None },
        policy_deferred: PolicyRefusal { refusal, code_setting: None },
        idempotency: None,
    }
}

/// Runs `with` with two providers: `baidu` has `bcc`, `huawei` has `ecs` and `evs`.
fn with_providers<T>(with: impl FnOnce(&BTreeMap<String, &Manifest>) -> T) -> T {
    let manifests = [manifest("baidu", &["bcc"]), manifest("huawei", &["ecs", "evs"])];
    with(&manifests.iter().map(|manifest| (manifest.id.clone(), manifest)).collect())
}

fn parse(text: &str) -> Result<PolicySet, Problems> {
    let script = |name: &str| match name {
        "gone.rhai" => Err("no such file".to_owned()),
        name => Ok(format!("// {name}")),
    };
    with_providers(|providers| read(text, providers, &script))
}

fn problems(text: &str) -> String {
    parse(text).unwrap_err().to_string()
}

#[test]
fn a_policy_file_is_read_in_the_order_of_the_chain() {
    let set = parse(
        r#"
        [[policy]]
        name = "b"
        script = "b.rhai"

        [[policy]]
        name = "a"
        script = "a.rhai"
        mode = "shadow"
        accounts = ["acme-*"]
        providers = ["huawei"]
        kinds = ["ecs"]
        tags = ["env=prod=x", "owner"]
        commands = ["renew"]
        on_failure = "deny"

        [[policy]]
        name = "first"
        script = "first.rhai"
        order = -1

        [[calendar]]
        name = "freeze"
        days = ["1970-01-01..1970-01-03", "1969-12-31", 2026-10-01]
        "#,
    );
    let set = set.unwrap();
    let names = set.policies.iter().map(|policy| (policy.name.as_str(), policy.rank)).collect::<Vec<_>>();
    assert_eq!(names, [("first", -1), ("a", 100), ("b", 100)]);
    assert_eq!(set.policies[2].selector, Selector::default());
    assert_eq!((set.policies[1].mode, set.policies[1].on_failure), (PolicyMode::Shadow, OnFailure::Deny));
    assert_eq!(set.policies[1].selector.tags[0].value.as_deref(), Some("prod=x"));
    assert_eq!(set.policies[1].text, "// a.rhai");
    assert_eq!(set.calendars[0].days, [(0, 2), (-1, -1), (20_727, 20_727)]);
}

#[test]
fn every_problem_of_a_policy_file_is_listed() {
    expect![[r#"
        20 problems:
          calendar[0].days[0]: expected a day such as "2026-10-01" or a range such as "2026-12-24..2027-01-02", found the text `2026-02-30`
          calendar[0].days[1]: the range `2026-10-02..2026-10-01` ends before it begins
          calendar[0].days[2]: expected a day such as "2026-10-01" or a range such as "2026-12-24..2027-01-02", found the text `today`
          calendar[1].days: the field is missing
          calendar[1].name: there is another calendar `freeze`; a name is given once
          calendar[2].days: the list is empty, so no day would be in it; leave the calendar out if no script asks for it
          policy[0].accounts: the list is empty, so the policy would never be asked; leave it out to match all
          policy[0].mode: there is no `dark`; expected `active` or `shadow`
          policy[0].name: the name `Large` is not one of lower case letters, digits and dashes
          policy[0].on_failure: there is no `retry`; expected `default`, `approve`, `deny` or `require_approval`
          policy[0].order: expected a whole number, found the text `first`
          policy[0].providers[0]: there is no provider `hwawei` (did you mean `huawei`?); expected `baidu` or `huawei`
          policy[0].script: cannot read the script `gone.rhai`: no such file
          policy[1].account: unknown field `account` (did you mean `accounts`?)
          policy[1].commands[0]: there is no command `renw` (did you mean `renew`?); expected `renew`, `set_auto_renew`, `unsubscribe`, `buy_again`, `change`, `subscribe`, `pay_order`, `cancel_order`, `cancel_auto_renew`, `convert_on_expiry`, `cancel_conversion` or `convert_now`
          policy[1].kinds[0]: there is no kind `bcc`; expected `ecs` or `evs`
          policy[1].tags[0]: the tag has no name; write `name` or `name=value`
          policy[1].tags[1]: it is empty; expected some text
          policy[2].script: the field is missing
          policy[2].name: there is another policy `a`; a name is given once"#]].assert_eq(&problems(
        r#"
        [[policy]]
        name = "Large"
        script = "gone.rhai"
        order = "first"
        mode = "dark"
        accounts = []
        providers = ["hwawei"]
        on_failure = "retry"

        [[policy]]
        name = "a"
        script = "a.rhai"
        kinds = ["bcc"]
        providers = ["huawei"]
        tags = ["=prod", ""]
        commands = ["renw"]
        account = "x"

        [[policy]]
        name = "a"

        [[calendar]]
        name = "freeze"
        days = ["2026-02-30", "2026-10-02..2026-10-01", "today"]

        [[calendar]]
        name = "freeze"

        [[calendar]]
        name = "none"
        days = []
        "#,
    ));
}

#[test]
fn a_file_that_is_no_toml_is_one_problem_with_its_place() {
    expect![[r#"
        1 problem:
          line 2, column 10: this is not TOML: invalid basic string, expected `"`"#]]
    .assert_eq(&problems("[[policy]]\nname = \"a\nscript = 1"));
    expect![[r#"
        1 problem:
          polices: unknown field `polices` (did you mean `policy`?)"#]]
    .assert_eq(&problems("polices = []"));
}

fn cases(text: &str) -> Result<Vec<case::Case>, Problems> {
    with_providers(|providers| case::read(text, providers))
}

#[test]
fn a_plan_that_states_nothing_has_the_documented_defaults() {
    let plan = with_providers(|providers| plan::read("{}", providers)).unwrap();
    expect![[r#"
        SamplePlan {
            account: AccountFacts {
                id: "account-1",
                provider: "huawei",
                currency: "CNY",
                settings: {},
                utc_offset_minutes: 480,
                balance: Micros(
                    10000000000,
                ),
                budget: None,
            },
            facts: PlanFacts {
                account: 0,
                command: "renew",
                cause: Auto,
                cost: Some(
                    Micros(
                        100000000,
                    ),
                ),
                refund: Some(
                    Micros(
                        0,
                    ),
                ),
                at: Timestamp(
                    1771614000,
                ),
                tries: Tries {
                    first: Some(
                        Timestamp(
                            1771614000,
                        ),
                    ),
                    next: Some(
                        Timestamp(
                            1771700400,
                        ),
                    ),
                    last: Some(
                        Timestamp(
                            1772218800,
                        ),
                    ),
                },
                term: Some(
                    Term {
                        count: 1,
                        unit: Month,
                    },
                ),
                options: None,
                members: [
                    (
                        Resource {
                            id: "resource-1",
                            kind: "ecs",
                            region: "region-1",
                            charging: Prepaid,
                            stage: Active,
                            started_at: Timestamp(
                                1766430000,
                            ),
                            expires_at: Some(
                                Timestamp(
                                    1772305200,
                                ),
                            ),
                            anchor_day: None,
                            term: Some(
                                Term {
                                    count: 1,
                                    unit: Month,
                                },
                            ),
                            price: Some(
                                Micros(
                                    100000000,
                                ),
                            ),
                            on_expiry: Renew,
                            renewals_left: None,
                            renewal_term: None,
                            attached_to: None,
                            has_unpaid_order: false,
                            package: None,
                            attributes: {},
                            tags: {},
                        },
                        0,
                    ),
                ],
                expires_after: Some(
                    Timestamp(
                        1774897200,
                    ),
                ),
                requested_by: None,
                extensions: [
                    ExtensionPrice {
                        price: Micros(
                            100000000,
                        ),
                        per: Term {
                            count: 1,
                            unit: Month,
                        },
                        extra_days: 0,
                    },
                ],
                quotes: [],
                policies: [],
                is_pending: false,
            },
        }
    "#]]
    .assert_eq(&format!("{plan:#?}\n"));
}

#[test]
fn what_a_plan_states_changes_what_follows_from_it() {
    let parse = |text: &str| with_providers(|providers| plan::read(text, providers)).unwrap();
    let unsubscription = parse(r#"command = "unsubscribe""#).facts;
    assert_eq!(
        (unsubscription.cost, unsubscription.term),
        (Some(perennial_domain::micros::Micros::ZERO), None)
    );
    assert_eq!(unsubscription.requested_by.as_deref(), Some("operator"));
    assert_eq!(unsubscription.tries.last, None);
    let yearly = parse(r#"term = { count = 1, unit = "year" }"#).facts;
    assert_eq!(yearly.cost.unwrap().to_string(), "1200.00");
    let priced =
        parse(r#"{"cost": "600.00", "budget": {"left": "50.00"}, "account": {"provider": "baidu"}}"#);
    assert_eq!(priced.facts.members[0].0.price, priced.facts.cost);
    assert_eq!(priced.account.budget.map(|budget| budget.limit.to_string()).as_deref(), Some("50.00"));
    assert_eq!(priced.account.provider, "baidu");
    let unknown = parse(r#"{"cost": null, "term": "()", "last_try_at": "()"}"#).facts;
    assert_eq!((unknown.cost, unknown.term, unknown.tries.last), (None, None, None));
    let bundle = parse("members = [{ id = \"a\" }, { id = \"b\", kind = \"evs\", price = \"7.00\" }]").facts;
    assert_eq!(bundle.cost.unwrap().to_string(), "107.00");
}

#[test]
fn every_problem_of_a_test_file_is_listed() {
    let text = r#"
        [[case]]
        name = "a"
        plan = { prise = "5", cost = 5, resource = { tags = ["x"] }, account = { provider = "azure" } }
        ruling = "deny"

        [[case]]
        name = "a"
        plan = { resource = {}, members = [], command = "stop", budget = { limit = "5", spent = "1", left = "4" } }
        ruling = { amend = { price = "5" }, why = "x" }

        [[case]]
        ruling = { refuse = "x" }
    "#;
    expect![[r#"
        13 problems:
          case[0].plan.account.provider: there is no provider `azure`; expected `baidu` or `huawei`
          case[0].plan.cost: expected a decimal in quotes such as "1200.00", found the number 5
          case[0].plan.prise: unknown field `prise`; expected `command`, `cause`, `cost`, `refund`, `currency`, `at`, `first_try_at`, `next_try_at`, `last_try_at`, `term`, `options`, `resource`, `members`, `expires_after`, `account`, `budget`, `requested_by` or `quotes`
          case[0].plan.resource.tags: expected an object, found a list
          case[0].ruling: expected "approve", or a table whose first field is `deny`, `require_approval`, `defer`, `amend` or `failed`, found the text `deny`
          case[1].name: another case has this name; a failure would not say which of them it is
          case[1].plan.budget: `limit`, `spent` and `left` follow from one another; state two of them
          case[1].plan.command: there is no command `stop`; expected `renew`, `set_auto_renew`, `unsubscribe`, `buy_again`, `change`, `subscribe`, `pay_order`, `cancel_order`, `cancel_auto_renew`, `convert_on_expiry`, `cancel_conversion` or `convert_now`
          case[1].plan.members: `members` has the primary as its first item; leave `resource` out
          case[1].ruling.amend.price: unknown field `price`; expected `term` or `options`
          case[1].ruling.why: unknown field `why`; expected `amend` or `reason`
          case[2].name: the field is missing
          case[2].ruling: expected "approve", or a table whose first field is `deny`, `require_approval`, `defer`, `amend` or `failed`, found an object"#]].assert_eq(&cases(text).unwrap_err().to_string());
}

#[test]
fn a_case_holds_when_what_it_states_is_ruled() {
    let text = r#"
        case = [
            { name = "1", ruling = "approve" },
            { name = "2", ruling = { deny = "no" } },
            { name = "3", ruling = { require_approval = "ask", by = "finance" } },
            { name = "4", ruling = { require_approval = "ask" } },
            { name = "5", ruling = { defer = "2026-03-01T00:00:00Z" } },
            { name = "6", ruling = { amend = { term = { count = 3, unit = "month" } }, reason = "short" } },
            { name = "7", ruling = { failed = "no field" } },
            { name = "8", ruling = "approve", notes = ["n"] },
        ]
    "#;
    let reason = |text: &str| text.to_owned();
    let amendment = perennial_domain::policy::Amendment {
        term: perennial_domain::term::Term::new(3, perennial_domain::term::TermUnit::Month),
        options: None,
    };
    let rulings = [
        Ruling::Approve,
        Ruling::Deny { reason: reason("no") },
        Ruling::RequireApproval { reason: reason("ask"), by: Some(reason("finance")), expires_at: None },
        Ruling::RequireApproval { reason: reason("ask"), by: None, expires_at: None },
        Ruling::Defer { until: "2026-03-01T00:00:00Z".parse().unwrap(), reason: reason("later") },
        Ruling::Amend { amendment, reason: reason("short") },
        Ruling::Fail(perennial_domain::policy::ScriptFailure::whole(reason("a plan has no field `x`"))),
    ];
    let mut table = String::new();
    for case in cases(text).unwrap() {
        for ruling in &rulings {
            let answer = PolicyAnswer { ruling: ruling.clone(), notes: vec!["n".to_owned()] };
            let holds = if case.check(&answer).is_ok() { "x" } else { "." };
            table += holds;
        }
        let answer = PolicyAnswer { ruling: Ruling::Deny { reason: reason("other") }, notes: Vec::new() };
        table += &format!(" {}: {}\n", case.name, case.check(&answer).unwrap_err());
    }
    expect![[r#"
        x...... 1: expected approve, got deny: other
        .x..... 2: expected deny: no, got deny: other
        ..x.... 3: expected require approval by `finance`: ask, got deny: other
        ..xx... 4: expected require approval: ask, got deny: other
        ....x.. 5: expected defer to 2026-03-01T00:00:00Z: …, got deny: other
        .....x. 6: expected amend to 3 months: short, got deny: other
        ......x 7: expected a failure that says `no field`, got deny: other
        x...... 8: expected approve, got deny: other
    "#]]
    .assert_eq(&table);
}
