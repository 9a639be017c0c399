//! Checks what a connector says against the bounds of the contract, before anything is signed or believed.

use std::collections::BTreeSet;

use crate::answer_limits;
use crate::connector::CallContext;
use crate::connector::Capabilities;
use crate::connector::CloudOrder;
use crate::connector::CloudResource;
use crate::connector::Cursor;
use crate::connector::Mutation;
use crate::connector::Outcome;
use crate::connector::Query;
use crate::connector::QueryAnswer;
use crate::connector::UnsignedRequest;
use crate::micros::Micros;
use crate::provider_api;

/// The most items of a list in a connector's capabilities, and the most headers of a request.
const ITEMS_MAX: usize = 256;
/// The longest name of something in its capabilities, in bytes.
const NAME_BYTES_MAX: usize = 64;
/// The longest text of its capabilities, host name or path, in bytes.
const TEXT_BYTES_MAX: usize = 2_000;
/// The longest cursor, in bytes.
const CURSOR_BYTES_MAX: usize = 1_000;
/// The longest query of a request, in bytes.
const QUERY_BYTES_MAX: usize = 8_000;
/// The longest body of a request, in bytes.
const BODY_BYTES_MAX: usize = 1 << 20;
/// The most resources or orders of one page.
const PAGE_MAX: usize = 10_000;

/// Checks that capabilities can be granted, counted and shown.
///
/// # Errors
///
/// Every problem, in words.
pub fn check_capabilities(capabilities: &Capabilities) -> Result<(), Vec<String>> {
    let mut problems = Vec::new();
    let Capabilities { hosts, apis, reads, mutations, find_targets_max, .. } = capabilities;
    let lists = [("hosts", hosts.len()), ("apis", apis.len()), ("reads", reads.len())];
    for (what, length) in lists {
        if length == 0 || length > ITEMS_MAX {
            problems.push(format!("it has {length} {what}; 1 to {ITEMS_MAX} are accepted"));
        }
    }
    let strange_hosts = hosts.iter().filter(|host| !is_host_name(host));
    problems.extend(strange_hosts.map(|host| format!("`{}` is no name of a host", shown(host))));
    names("API", apis.iter().map(|api| api.name.as_str()), &mut problems);
    names("read", reads.iter().map(|read| read.name.as_str()), &mut problems);
    for api in apis.iter().filter(|api| api.calls == 0 || api.seconds == 0) {
        problems.push(format!(
            "the API `{}` may be called {} times in {} seconds",
            shown(&api.name),
            api.calls,
            api.seconds
        ));
    }
    for read in reads {
        let is_method = !read.method.is_empty() && read.method.bytes().all(|byte| byte.is_ascii_uppercase());
        if !is_method || !is_path(&read.path.replace(['{', '}'], "")) || read.label.len() > TEXT_BYTES_MAX {
            problems.push(format!(
                "the read `{}` has the method `{}`, the path `{}` and a label of {} bytes",
                shown(&read.name),
                shown(&read.method),
                shown(&read.path),
                read.label.len()
            ));
        }
    }
    let mut seen = BTreeSet::new();
    for limit in mutations {
        if limit.targets_max == 0 || !seen.insert(limit.mutation) {
            problems
                .push(format!("the mutation `{}` is there twice, or for no resource", limit.mutation.name()));
        }
    }
    if *find_targets_max == 0 {
        problems.push("its searches name no resource".to_owned());
    }
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

fn names<'a>(what: &str, names: impl Iterator<Item = &'a str>, problems: &mut Vec<String>) {
    let mut seen = BTreeSet::new();
    for name in names {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if name.is_empty() || name.len() > NAME_BYTES_MAX || !name.bytes().all(fits) || !seen.insert(name) {
            problems.push(format!("the name `{}` of {what} is there twice, or is none", shown(name)));
        }
    }
}

/// Checks that a request may be sent for an account: to which host, and that nothing in it is taken for something else on
/// the way.
///
/// # Errors
///
/// The first problem, in words.
pub fn check_request(
    capabilities: &Capabilities,
    context: &CallContext<'_>,
    request: &UnsignedRequest,
) -> Result<(), String> {
    if request.api.get() >= capabilities.apis.len() {
        return Err(format!("the API {}, of {}", request.api, capabilities.apis.len()));
    }
    let is_known = match context.endpoint {
        Some(endpoint) => request.host == endpoint,
        None => capabilities.hosts.contains(&request.host),
    };
    if !is_known {
        return Err(format!("a request to the host `{}`, which it does not name", shown(&request.host)));
    }
    if request.method.is_empty() || !request.method.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Err(format!("the method `{}`", shown(&request.method)));
    }
    if !is_path(&request.path) {
        return Err(format!("the path `{}`", shown(&request.path)));
    }
    let is_query = |byte: u8| byte.is_ascii_graphic() && !b"#\"<>\\^`{|}".contains(&byte);
    if request.query.len() > QUERY_BYTES_MAX || !request.query.bytes().all(is_query) {
        return Err(format!("the query `{}`", shown(&request.query)));
    }
    if request.body.len() > BODY_BYTES_MAX {
        return Err(format!("a body of {} bytes; at most {BODY_BYTES_MAX} are accepted", request.body.len()));
    }
    check_headers(request)?;
    let derivations = request.signing.derivations.iter().map(|derivation| derivation.key);
    provider_api::check_keys(derivations, request.signing.key)
}

fn check_headers(request: &UnsignedRequest) -> Result<(), String> {
    const HOSTS: [&str; 11] = [
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ];
    let signing = &request.signing;
    let signature = [(&signing.header, &signing.prefix), (&signing.header, &signing.suffix)];
    let sent = request.headers.iter().map(|(name, value)| (name, value));
    if request.headers.len() > ITEMS_MAX {
        return Err(format!("{} headers; at most {ITEMS_MAX} are accepted", request.headers.len()));
    }
    for (name, value) in sent.chain(signature) {
        let is_token = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
        if name.is_empty() || !name.bytes().all(is_token) || HOSTS.contains(&name.as_str()) {
            return Err(format!("the header name `{}`, which is none or the host's own", shown(name)));
        }
        if value.len() > TEXT_BYTES_MAX || !value.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            return Err(format!("the header `{name}` with `{}`", shown(value)));
        }
    }
    if request.headers.iter().any(|(name, _)| *name == signing.header) {
        return Err(format!("the header `{}` of the signature twice", signing.header));
    }
    Ok(())
}

/// Whether it is a path in one form only: from the root, without empty segments or dots, and without encoded separators.
fn is_path(path: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@%/".contains(&byte);
    let is_segment = |segment: &str| !matches!(segment, "." | "..");
    let lower = path.to_ascii_lowercase();
    path.starts_with('/')
        && path.len() <= TEXT_BYTES_MAX
        && path.bytes().all(is_plain)
        && path.split('/').all(is_segment)
        && !path.contains("//")
        && !["%2e", "%2f", "%5c", "%00"].iter().any(|encoded| lower.contains(encoded))
}

fn is_host_name(host: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && label.len() <= NAME_BYTES_MAX
            && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    // A name of letters at its end is no address of the machine's own network.
    let is_name =
        host.rsplit('.').next().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_lowercase()));
    host.contains('.') && is_name && host.len() <= 253 && host.split('.').all(is_label)
}

/// Checks that an answer is one to its query, and within bounds.
///
/// # Errors
///
/// The first problem, in words.
pub fn check_query_answer(query: &Query, answer: &QueryAnswer) -> Result<(), String> {
    match (query, answer) {
        (
            Query::List { cursor, .. } | Query::Find { cursor, .. } | Query::Changes { cursor, .. },
            QueryAnswer::Resources(page),
        ) => {
            check_page(page.resources.len() + page.unknown.len(), cursor.as_ref(), page.next.as_ref())?;
            page.resources.iter().try_for_each(check_resource)
        }
        (Query::Orders(asked), QueryAnswer::Orders(page)) => {
            check_page(page.orders.len(), asked.cursor.as_ref(), page.next.as_ref())?;
            page.orders.iter().try_for_each(check_order)
        }
        (Query::Quote { targets, .. }, QueryAnswer::Quotes(quotes)) => {
            let stranger = quotes.iter().find(|quote| {
                quote.amount < Micros::ZERO || !targets.iter().any(|target| target.id == quote.resource)
            });
            match stranger {
                Some(quote) => {
                    Err(format!("a price of `{}`, which nobody asked for", shown(&quote.resource)))
                }
                None => Ok(()),
            }
        }
        (Query::Balance, QueryAnswer::Balance(_)) => Ok(()),
        (
            Query::List { .. }
            | Query::Find { .. }
            | Query::Changes { .. }
            | Query::Orders(_)
            | Query::Quote { .. }
            | Query::Balance,
            QueryAnswer::Resources(_)
            | QueryAnswer::Orders(_)
            | QueryAnswer::Quotes(_)
            | QueryAnswer::Balance(_),
        ) => Err(format!("the answer to another query than `{}`", query.name())),
    }
}

fn check_page(count: usize, from: Option<&Cursor>, next: Option<&Cursor>) -> Result<(), String> {
    if let Some(problem) = answer_limits::count_problem("items of a page", count, PAGE_MAX) {
        return Err(problem);
    }
    match next {
        Some(next) if next.0.len() > CURSOR_BYTES_MAX => {
            Err(format!("a cursor of {} bytes; at most {CURSOR_BYTES_MAX} are accepted", next.0.len()))
        }
        Some(next) if Some(next) == from => Err("a page that is followed by itself".to_owned()),
        Some(_) | None => Ok(()),
    }
}

fn check_resource(resource: &CloudResource) -> Result<(), String> {
    let pairs = resource.attributes.iter().chain(&resource.tags);
    let long = pairs.clone().find_map(|(name, value)| {
        answer_limits::text_problem("an attribute with a name", name, answer_limits::ATTRIBUTE_NAME_BYTES_MAX)
            .or_else(|| {
                answer_limits::text_problem(
                    "an attribute with a value",
                    value,
                    answer_limits::ATTRIBUTE_BYTES_MAX,
                )
            })
    });
    let many = answer_limits::count_problem("attributes", pairs.count(), answer_limits::ATTRIBUTES_MAX);
    match long.or(many) {
        Some(problem) => Err(format!("`{}` has {problem}", shown(&resource.id))),
        None if !is_id(&resource.id) || resource.attached_to.as_deref().is_some_and(|to| !is_id(to)) => {
            Err(format!("a resource called `{}`", shown(&resource.id)))
        }
        None if resource.price.is_some_and(|price| price < Micros::ZERO) => {
            Err(format!("`{}` has a price below 0", shown(&resource.id)))
        }
        None => Ok(()),
    }
}

fn check_order(order: &CloudOrder) -> Result<(), String> {
    if is_id(&order.id) { Ok(()) } else { Err(format!("an order called `{}`", shown(&order.id))) }
}

fn is_id(id: &str) -> bool {
    !id.is_empty() && id.len() <= TEXT_BYTES_MAX && !id.chars().any(char::is_control)
}

/// Checks that there is one outcome for each target, with texts that can be kept.
///
/// # Errors
///
/// The first problem, in words.
pub fn check_outcomes(mutation: &Mutation, outcomes: &[Outcome]) -> Result<(), String> {
    if outcomes.len() != mutation.targets.len() {
        return Err(format!("{} outcomes for {} resources", outcomes.len(), mutation.targets.len()));
    }
    let problem = |outcome: &Outcome| match outcome {
        Outcome::Applied(orders) | Outcome::Submitted(orders) => {
            let strange = orders.iter().find(|order| !is_id(order));
            strange.map(|order| format!("an order called `{}`", shown(order)))
        }
        Outcome::Declined(decline) => answer_limits::refusal_problem(&decline.refusal),
        Outcome::InDoubt(reason) => {
            answer_limits::text_problem("a reason", reason, answer_limits::MESSAGE_BYTES_MAX)
        }
    };
    outcomes.iter().find_map(problem).map_or(Ok(()), Err)
}

/// Enough of a text to recognise it by, without what a terminal would obey.
fn shown(text: &str) -> String {
    text.chars().take(NAME_BYTES_MAX).flat_map(char::escape_debug).collect()
}
