//! Lantern's API.
//!
//! `authorization: Lantern KEY SECONDS DIGITS` signs `METHOD PATH?QUERY`, a line end and the body, under a key made of
//! the secret behind `lamp:` and the seconds; it holds for five minutes. `POST /session` with `KEY SECRET` gives a token
//! for `authorization: Token TOKEN`.

use plugin_sdk::Command;
use plugin_sdk::Renewal;
use plugin_sdk::Scope;
use plugin_sdk::Term;
use plugin_sdk::TermUnit;
use plugin_sdk::Timestamp;
use plugin_sdk::provider_api::Atomicity;
use plugin_sdk::provider_api::AttributeChange;
use plugin_sdk::provider_api::Authentication;
use plugin_sdk::provider_api::CommandRequest;
use plugin_sdk::provider_api::Context;
use plugin_sdk::provider_api::Credentials;
use plugin_sdk::provider_api::Derivation;
use plugin_sdk::provider_api::Failure;
use plugin_sdk::provider_api::Guest;
use plugin_sdk::provider_api::KeyEncoding;
use plugin_sdk::provider_api::Mutation;
use plugin_sdk::provider_api::NextStep;
use plugin_sdk::provider_api::OrderFilter;
use plugin_sdk::provider_api::Outcome;
use plugin_sdk::provider_api::PasswordCredentials;
use plugin_sdk::provider_api::Query;
use plugin_sdk::provider_api::Request;
use plugin_sdk::provider_api::ResourceFilter;
use plugin_sdk::provider_api::Response;
use plugin_sdk::provider_api::Signature;
use plugin_sdk::provider_api::SignatureCredentials;
use plugin_sdk::provider_api::Transaction;
use plugin_sdk::provider_api::request;

use crate::Lantern;

const VALID: i64 = 300;

fn text(status: u16, body: impl Into<String>) -> Response {
    let headers = vec![("content-type".to_owned(), "text/x-lantern".to_owned())];
    Response { status, headers, body: body.into().into_bytes() }
}

impl Guest for Lantern {
    fn identify(at: Timestamp, request: Request) -> Result<Authentication, Response> {
        if request.path.starts_with("/crash") {
            panic!("as asked");
        }
        if request.method == "POST" && request.path == "/session" {
            let body = String::from_utf8_lossy(&request.body).into_owned();
            let (access_key, secret) = body.split_once(' ').ok_or_else(|| text(400, "mumble"))?;
            let credentials =
                PasswordCredentials { access_key: access_key.to_owned(), password: secret.to_owned() };
            return Ok(Authentication { credentials: Credentials::Password(credentials), valid_until: at });
        }
        let header = request::header(&request, "authorization").ok_or_else(|| text(401, "who"))?;
        let words = header.split(' ').collect::<Vec<_>>();
        match words[..] {
            ["Token", token] => Ok(Authentication {
                credentials: Credentials::BearerToken(token.to_owned()),
                valid_until: at,
            }),
            ["Lantern", access_key, seconds, digits] => {
                let valid_until = seconds.parse::<i64>().map_err(|_| text(400, "mumble"))? + VALID;
                if valid_until <= at || valid_until > at + 2 * VALID {
                    return Err(text(401, "late"));
                }
                let derivation = Derivation {
                    key: 0,
                    prefix: b"lamp:".to_vec(),
                    message: seconds.as_bytes().to_vec(),
                    encoding: KeyEncoding::Hexadecimal,
                };
                let line = format!("{} {}?{}\n", request.method, request.path, request.query);
                let signature = Signature {
                    derivations: vec![derivation],
                    key: if request.path == "/wrong-key" { 7 } else { 1 },
                    message: [line.as_bytes(), &request.body].concat(),
                    value: request::from_hexadecimal(digits).ok_or_else(|| text(400, "mumble"))?,
                };
                let credentials = SignatureCredentials { access_key: access_key.to_owned(), signature };
                Ok(Authentication { credentials: Credentials::Signature(credentials), valid_until })
            }
            _ => Err(text(400, "mumble")),
        }
    }

    fn handle(context: Context) -> NextStep {
        let path = context.request.path.split('/').skip(1).collect::<Vec<_>>();
        match (context.request.method.as_str(), &path[..], &context.outcomes[..]) {
            ("GET", ["forever"], _) => NextStep::Query(vec![Query::Balance]),
            ("GET", ["bad"], _) => NextStep::Respond(text(99, "")),
            ("POST", ["twice"], _) => act(vec![Mutation::IssueToken(60)], Atomicity::Independent),
            (_, _, []) => begin(&context.request, &path),
            (_, _, outcomes) => NextStep::Respond(text(200, outcomes.iter().map(line).collect::<String>())),
        }
    }

    fn fail(_: Timestamp, request: Request, failure: Failure) -> Response {
        if request.path == "/crash/twice" {
            panic!("as asked");
        }
        match failure {
            Failure::UnknownAccessKey => text(401, "stranger"),
            Failure::WrongCredentials => text(401, "forger"),
            Failure::InvalidToken => text(401, "token"),
            Failure::Replayed => text(409, "echo"),
            Failure::Malformed => text(400, "mumble"),
            Failure::TooLarge(bytes) => text(413, format!("more than {bytes}")),
            Failure::TimedOut => text(504, "slow"),
            Failure::Busy(seconds) => text(503, format!("in {seconds}")),
            Failure::Internal => text(500, "smoke"),
        }
    }
}

fn begin(request: &Request, path: &[&str]) -> NextStep {
    let months = request::value(&request.query, "months").and_then(|months| months.parse().ok()).unwrap_or(1);
    let term = Some(Term { count: months, unit: TermUnit::Month });
    let renew = || Command::Renew(Renewal { term, automatic: true, options: Vec::new() });
    let told = |id: &str, command| CommandRequest { resource: id.to_owned(), command };
    match (request.method.as_str(), path) {
        ("POST", ["session"]) => act(vec![Mutation::IssueToken(60)], Atomicity::Independent),
        ("GET", ["lamps"]) => NextStep::Query(vec![Query::Resources(selection(&request.query))]),
        ("GET", ["lamps", id, "price"]) => NextStep::Query(vec![Query::Proposal(told(id, renew()))]),
        ("POST", ["lamps", id, "oil"]) => {
            act(vec![Mutation::Command(told(id, renew()))], Atomicity::Independent)
        }
        ("POST", ["lamps", "oil"]) => {
            let ids = String::from_utf8_lossy(&request.body).into_owned();
            let mutations = ids.lines().map(|id| Mutation::Command(told(id, renew()))).collect();
            act(
                mutations,
                if request.query == "each" { Atomicity::Independent } else { Atomicity::AllOrNothing },
            )
        }
        ("POST", ["lamps", id, "smash"]) => act(
            vec![Mutation::Command(told(id, Command::Unsubscribe(Scope::Everything)))],
            Atomicity::Independent,
        ),
        ("POST", ["lamps", id, "mark"]) => {
            let (name, value) = request.query.split_once('=').unwrap_or((&request.query, ""));
            let change = AttributeChange {
                resource: (*id).to_owned(),
                name: name.to_owned(),
                value: value.to_owned(),
            };
            act(vec![Mutation::SetAttribute(change)], Atomicity::Independent)
        }
        ("POST", ["rules"]) => {
            let change =
                |(name, value): (&str, &str)| (name.to_owned(), (value != "none").then(|| value.to_owned()));
            act(
                vec![Mutation::ChangeSettings(request::pairs(&request.query).map(change).collect())],
                Atomicity::Independent,
            )
        }
        ("GET", ["purse"]) => NextStep::Query(vec![Query::Balance]),
        ("GET", ["bills"]) => NextStep::Query(vec![Query::Orders(OrderFilter {
            ids: Vec::new(),
            resources: Vec::new(),
            refunded_at: None,
            limit: 100,
        })]),
        _ => NextStep::Respond(text(404, "nothing here")),
    }
}

fn act(mutations: Vec<Mutation>, atomicity: Atomicity) -> NextStep {
    NextStep::Execute(Transaction { mutations, atomicity, reject_replay: true })
}

fn selection(query: &str) -> ResourceFilter {
    let number = |name, otherwise| {
        request::value(query, name).and_then(|value| value.parse().ok()).unwrap_or(otherwise)
    };
    let instant = |name| request::value(query, name).and_then(|value| value.parse().ok());
    ResourceFilter {
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
                    lamp.last_renewal.map(|renewal| renewal.previous_expires_at),
                    lamp.attributes,
                )
            });
            format!("{} lamps\n{}", listing.total, lamps.collect::<String>())
        }
        Outcome::Orders(orders) => {
            let bills = orders.iter().map(|order| {
                let back = order.refund.map(|refunded| refunded.amount);
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
        Outcome::Applied(done) => format!("done {:?} {} {}\n", done.orders, done.cost, done.refund),
        Outcome::Pending(approval) => format!("held {approval}\n"),
        Outcome::Refused(refusal) => format!("no: {} {}\n", refusal.code, refusal.message),
        Outcome::Aborted => "undone\n".to_owned(),
        Outcome::Token(token) => format!("{} {}\n", token.value, token.valid_until),
    }
}
