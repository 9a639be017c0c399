//! Lantern's API.
//!
//! `authorization: Lantern KEY SECONDS DIGITS` signs `METHOD PATH?QUERY`, a line end and the body, under a key made of
//! the secret behind `lamp:` and the seconds; it holds for five minutes. `POST /session` with `KEY SECRET` gives a token
//! for `authorization: Token TOKEN`.

use plugin_sdk::endpoint::{
    Action, AttributeChange, Claim, Deed, Derivation, Failure, Form, Guest, Instruction, Manner,
    OrderSelection, Outcome, Presented, Proof, Query, Request, Response, Selection, Signature, Signed, Step,
    Turn,
};
use plugin_sdk::request;
use plugin_sdk::{Command, Renewal, Scope, Term, TermUnit, Timestamp};

use crate::Lantern;

const VALID: i64 = 300;

fn text(status: u16, body: impl Into<String>) -> Response {
    let headers = vec![("content-type".to_owned(), "text/x-lantern".to_owned())];
    Response { status, headers, body: body.into().into_bytes() }
}

impl Guest for Lantern {
    fn identify(at: Timestamp, request: Request) -> Result<Claim, Response> {
        if request.path.starts_with("/crash") {
            panic!("as asked");
        }
        if request.method == "POST" && request.path == "/session" {
            let body = String::from_utf8_lossy(&request.body).into_owned();
            let (access_key, secret) = body.split_once(' ').ok_or_else(|| text(400, "mumble"))?;
            let presented = Presented { access_key: access_key.to_owned(), secret: secret.to_owned() };
            return Ok(Claim { proof: Proof::Secret(presented), valid_until: at });
        }
        let header = request::header(&request, "authorization").ok_or_else(|| text(401, "who"))?;
        let words = header.split(' ').collect::<Vec<_>>();
        match words[..] {
            ["Token", token] => Ok(Claim { proof: Proof::Token(token.to_owned()), valid_until: at }),
            ["Lantern", access_key, seconds, digits] => {
                let valid_until = seconds.parse::<i64>().map_err(|_| text(400, "mumble"))? + VALID;
                if valid_until <= at || valid_until > at + 2 * VALID {
                    return Err(text(401, "late"));
                }
                let derivation = Derivation {
                    key: 0,
                    prefix: b"lamp:".to_vec(),
                    message: seconds.as_bytes().to_vec(),
                    form: Form::Hexadecimal,
                };
                let line = format!("{} {}?{}\n", request.method, request.path, request.query);
                let signature = Signature {
                    derivations: vec![derivation],
                    key: if request.path == "/wrong-key" { 7 } else { 1 },
                    message: [line.as_bytes(), &request.body].concat(),
                    value: request::from_hexadecimal(digits).ok_or_else(|| text(400, "mumble"))?,
                };
                let signed = Signed { access_key: access_key.to_owned(), signature };
                Ok(Claim { proof: Proof::Signature(signed), valid_until })
            }
            _ => Err(text(400, "mumble")),
        }
    }

    fn handle(turn: Turn) -> Step {
        let path = turn.request.path.split('/').skip(1).collect::<Vec<_>>();
        match (turn.request.method.as_str(), &path[..], &turn.outcomes[..]) {
            ("GET", ["forever"], _) => Step::Look(vec![Query::Balance]),
            ("GET", ["bad"], _) => Step::Answer(text(99, "")),
            ("POST", ["twice"], _) => act(vec![Deed::IssueToken(60)], Manner::Each),
            (_, _, []) => begin(&turn.request, &path),
            (_, _, outcomes) => Step::Answer(text(200, outcomes.iter().map(line).collect::<String>())),
        }
    }

    fn fail(_: Timestamp, request: Request, failure: Failure) -> Response {
        if request.path == "/crash/twice" {
            panic!("as asked");
        }
        match failure {
            Failure::UnknownKey => text(401, "stranger"),
            Failure::WrongProof => text(401, "forger"),
            Failure::UnknownToken => text(401, "token"),
            Failure::Repeated => text(409, "echo"),
            Failure::Malformed => text(400, "mumble"),
            Failure::TooLarge(bytes) => text(413, format!("more than {bytes}")),
            Failure::TooSlow => text(504, "slow"),
            Failure::Busy(seconds) => text(503, format!("in {seconds}")),
            Failure::Internal => text(500, "smoke"),
        }
    }
}

fn begin(request: &Request, path: &[&str]) -> Step {
    let months = request::value(&request.query, "months").and_then(|months| months.parse().ok()).unwrap_or(1);
    let term = Some(Term { count: months, unit: TermUnit::Month });
    let renew = || Command::Renew(Renewal { term, automatic: true, options: Vec::new() });
    let told = |id: &str, command| Instruction { resource: id.to_owned(), command };
    match (request.method.as_str(), path) {
        ("POST", ["session"]) => act(vec![Deed::IssueToken(60)], Manner::Each),
        ("GET", ["lamps"]) => Step::Look(vec![Query::Resources(selection(&request.query))]),
        ("GET", ["lamps", id, "price"]) => Step::Look(vec![Query::Proposal(told(id, renew()))]),
        ("POST", ["lamps", id, "oil"]) => act(vec![Deed::Command(told(id, renew()))], Manner::Each),
        ("POST", ["lamps", "oil"]) => {
            let ids = String::from_utf8_lossy(&request.body).into_owned();
            let deeds = ids.lines().map(|id| Deed::Command(told(id, renew()))).collect();
            act(deeds, if request.query == "each" { Manner::Each } else { Manner::Whole })
        }
        ("POST", ["lamps", id, "smash"]) => {
            act(vec![Deed::Command(told(id, Command::Unsubscribe(Scope::Everything)))], Manner::Each)
        }
        ("POST", ["lamps", id, "mark"]) => {
            let (name, value) = request.query.split_once('=').unwrap_or((&request.query, ""));
            let change = AttributeChange {
                resource: (*id).to_owned(),
                name: name.to_owned(),
                value: value.to_owned(),
            };
            act(vec![Deed::SetAttribute(change)], Manner::Each)
        }
        ("POST", ["rules"]) => {
            let change =
                |(name, value): (&str, &str)| (name.to_owned(), (value != "none").then(|| value.to_owned()));
            act(
                vec![Deed::ChangeSettings(request::pairs(&request.query).map(change).collect())],
                Manner::Each,
            )
        }
        ("GET", ["purse"]) => Step::Look(vec![Query::Balance]),
        ("GET", ["bills"]) => Step::Look(vec![Query::Orders(OrderSelection {
            ids: Vec::new(),
            resources: Vec::new(),
            refunded_at: None,
            limit: 100,
        })]),
        _ => Step::Answer(text(404, "nothing here")),
    }
}

fn act(deeds: Vec<Deed>, manner: Manner) -> Step {
    Step::CarryOut(Action { deeds, manner, once: true })
}

fn selection(query: &str) -> Selection {
    let number = |name, otherwise| {
        request::value(query, name).and_then(|value| value.parse().ok()).unwrap_or(otherwise)
    };
    let instant = |name| request::value(query, name).and_then(|value| value.parse().ok());
    Selection {
        ids: request::value(query, "ids")
            .map(|ids| ids.split(',').map(str::to_owned).collect())
            .unwrap_or_default(),
        with_attached: query.contains("with-attached"),
        only_primaries: query.contains("only-primaries"),
        kinds: request::value(query, "kind").into_iter().collect(),
        stages: Vec::new(),
        charging: None,
        expires_from: instant("from"),
        expires_until: instant("until"),
        offset: number("offset", 0),
        limit: number("limit", 10),
    }
}

fn line(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Resources(listing) => {
            let lamps = listing.resources.iter().map(|lamp| {
                format!(
                    "{} on {:?} until {:?} before {:?} {:?}\n",
                    lamp.id,
                    lamp.attached_to,
                    lamp.expires_at,
                    lamp.renewed.map(|renewed| renewed.expired_at),
                    lamp.attributes,
                )
            });
            format!("{} lamps\n{}", listing.total, lamps.collect::<String>())
        }
        Outcome::Orders(orders) => {
            let bills = orders.iter().map(|order| {
                let back = order.refunded.map(|refunded| refunded.amount);
                format!("{} for {}: {} back {back:?}\n", order.id, order.resource, order.paid)
            });
            bills.collect()
        }
        Outcome::Balance(funds) => format!("{} {} and {}\n", funds.currency, funds.available, funds.held),
        Outcome::Proposal(proposal) => {
            let refused = proposal.refusal.as_ref().map(|refusal| refusal.code.as_str());
            let steps = proposal.steps.iter().map(|step| format!(" {} {}", step.resource, step.cost));
            format!("{}{} {refused:?}\n", proposal.currency, steps.collect::<String>())
        }
        Outcome::Done(done) => format!("done {:?} {} {}\n", done.orders, done.cost, done.refund),
        Outcome::Held(approval) => format!("held {approval}\n"),
        Outcome::Refused(refusal) => format!("no: {} {}\n", refusal.code, refusal.message),
        Outcome::Undone => "undone\n".to_owned(),
        Outcome::Token(token) => format!("{} {}\n", token.value, token.valid_until),
    }
}
