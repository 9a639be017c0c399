//! Lantern's API.
//!
//! `authorization: Lantern KEY SECONDS DIGITS` signs `METHOD PATH?QUERY`, a line end and the body, under a key derived
//! from the secret after `lamp:` and from the seconds; it is valid for five minutes. `POST /session` with `KEY SECRET`
//! issues a token for `authorization: Token TOKEN`.

use plugin_sdk::Command;
use plugin_sdk::Renewal;
use plugin_sdk::Scope;
use plugin_sdk::Term;
use plugin_sdk::TermUnit;
use plugin_sdk::Timestamp;
use plugin_sdk::provider_api::Atomicity;
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
use plugin_sdk::provider_api::OrderView;
use plugin_sdk::provider_api::PasswordCredentials;
use plugin_sdk::provider_api::Proposal;
use plugin_sdk::provider_api::Request;
use plugin_sdk::provider_api::ResourceFilter;
use plugin_sdk::provider_api::ResourcePage;
use plugin_sdk::provider_api::Response;
use plugin_sdk::provider_api::Signature;
use plugin_sdk::provider_api::SignatureCredentials;
use plugin_sdk::provider_api::Transaction;
use plugin_sdk::provider_api::filter;
use plugin_sdk::provider_api::mutation;
use plugin_sdk::provider_api::mutation::MutationResult;
use plugin_sdk::provider_api::mutation::UnexpectedOutcome;
use plugin_sdk::provider_api::replay;
use plugin_sdk::provider_api::replay::OperationResult;
use plugin_sdk::provider_api::replay::Replay;
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
        replay::run(&context.outcomes, |replay| operate(&context.request, replay))
            .unwrap_or_else(|Broken| NextStep::Respond(text(500, "smoke")))
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

/// The host broke the contract.
struct Broken;

impl From<UnexpectedOutcome> for Broken {
    fn from(_: UnexpectedOutcome) -> Broken {
        Broken
    }
}

fn operate(request: &Request, replay: &mut Replay<Broken>) -> OperationResult<Broken> {
    let months = request::value(&request.query, "months").and_then(|months| months.parse().ok()).unwrap_or(1);
    let term = Some(Term { count: months, unit: TermUnit::Month });
    let renew = || Command::Renew(Renewal { term, automatic: true, options: Vec::new() });
    let path = request.path.split('/').skip(1).collect::<Vec<_>>();
    match (request.method.as_str(), &*path) {
        ("GET", ["forever"]) => loop {
            replay.balance()?;
        },
        ("GET", ["bad"]) => Ok(text(99, "")),
        ("POST", ["twice"]) => {
            replay.issue_token(60)?;
            token(replay)
        }
        ("POST", ["session"]) => token(replay),
        ("GET", ["lamps"]) => Ok(text(200, lamps(replay.resources(selection(&request.query))?))),
        ("GET", ["lamps", id, "price"]) => {
            let command = CommandRequest { resource: (*id).to_owned(), command: renew() };
            Ok(text(200, replay.proposals(vec![command])?.into_iter().map(price).collect::<String>()))
        }
        ("POST", ["lamps", id, "oil"]) => {
            execute(replay, vec![mutation::command(id, renew())], Atomicity::Independent)
        }
        ("POST", ["lamps", "oil"]) => {
            let ids = String::from_utf8_lossy(&request.body);
            let mutations = ids.lines().map(|id| mutation::command(id, renew())).collect();
            let is_each = request.query == "each";
            execute(replay, mutations, if is_each { Atomicity::Independent } else { Atomicity::AllOrNothing })
        }
        ("POST", ["lamps", id, "smash"]) => {
            let command = Command::Unsubscribe(Scope::Everything);
            execute(replay, vec![mutation::command(id, command)], Atomicity::Independent)
        }
        ("POST", ["lamps", id, "free"]) => {
            execute(replay, vec![mutation::command(id, Command::ConvertNow)], Atomicity::Independent)
        }
        ("POST", ["lamps", id, "mark"]) => {
            let (name, value) = request.query.split_once('=').unwrap_or((&request.query, ""));
            execute(replay, vec![mutation::set_attribute(id, name, value)], Atomicity::Independent)
        }
        ("POST", ["rules"]) => {
            let change =
                |(name, value): (&str, &str)| (name.to_owned(), (value != "none").then(|| value.to_owned()));
            let changes = request::pairs(&request.query).map(change).collect();
            execute(replay, vec![Mutation::ChangeSettings(changes)], Atomicity::Independent)
        }
        ("GET", ["purse"]) => {
            let balance = replay.balance()?;
            let (currency, available) = (&balance.currency, balance.available);
            Ok(text(200, format!("{currency} {available} and {}\n", balance.held)))
        }
        ("GET", ["bills"]) => {
            let orders = replay.orders(OrderFilter { limit: 100, ..filter::paid_orders() })?;
            Ok(text(200, orders.iter().map(bill).collect::<String>()))
        }
        _ => Ok(text(404, "nothing here")),
    }
}

fn token(replay: &mut Replay<Broken>) -> OperationResult<Broken> {
    let token = replay.issue_token(60)?;
    Ok(text(200, format!("{} {}\n", token.value, token.valid_until)))
}

fn execute(
    replay: &mut Replay<Broken>,
    mutations: Vec<Mutation>,
    atomicity: Atomicity,
) -> OperationResult<Broken> {
    let results =
        replay.execute(Transaction { mutations, atomicity, reject_replay: true, omit_orders: false })?;
    Ok(text(200, results.iter().map(result).collect::<String>()))
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
        expires_from: instant("from"),
        expires_until: instant("until"),
        ..filter::all(number("offset", 0), number("limit", 10))
    }
}

fn lamps(page: &ResourcePage) -> String {
    let lamps = page.resources.iter().map(|lamp| {
        format!(
            "{} on {:?} until {:?} before {:?} {:?}\n",
            lamp.id,
            lamp.attached_to,
            lamp.expires_at,
            lamp.last_renewal.map(|renewal| renewal.previous_expires_at),
            lamp.attributes,
        )
    });
    format!("{} lamps\n{}", page.total, lamps.collect::<String>())
}

fn bill(order: &OrderView) -> String {
    let back = order.refund.map(|refund| (refund.amount, refund.fee.unwrap_or(-1)));
    format!("{} for {}: {} back {back:?}\n", order.id, order.resource, order.cost)
}

fn price(proposal: &Proposal) -> String {
    let refused = proposal.refusal.as_ref().map(|refusal| refusal.code.as_str());
    let steps = proposal.steps.iter().map(|step| format!(" {} {}", step.resource, step.cost));
    format!("{}{} {refused:?}\n", proposal.currency, steps.collect::<String>())
}

fn result(result: &MutationResult) -> String {
    match result {
        MutationResult::Applied(done) => format!("done {:?} {} {}\n", done.orders, done.cost, done.refund),
        MutationResult::Pending(approval) => format!("held {approval}\n"),
        MutationResult::Refused(refusal) => format!("no: {} {}\n", refusal.code, refusal.message),
        MutationResult::Aborted => "undone\n".to_owned(),
    }
}
