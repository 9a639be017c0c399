//! Issues tokens as Identity and Access Management does: for a user's name and password, which here are an access key
//! and its secret.
//!
//! Source: Obtaining a User Token Through Password Authentication (iam_30_0001). Other ways to get a token (by
//! another token, agencies, multi-factor authentication) are not supported.

use plugin_sdk::Timestamp;
use plugin_sdk::provider_api::Authentication;
use plugin_sdk::provider_api::Credentials;
use plugin_sdk::provider_api::PasswordCredentials;
use plugin_sdk::provider_api::Request;
use plugin_sdk::provider_api::body::at_most;
use serde::Deserialize;

use crate::provider_api::Call;
use crate::provider_api::OperationResult;
use crate::provider_api::Replay;
use crate::provider_api::body;
use crate::provider_api::instant::precise;
use crate::provider_api::json::Json;
use crate::provider_api::problem::Problem;
use crate::provider_api::response;
use crate::provider_api::signature::TOKEN_VALID;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Body {
    auth: Option<Auth>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Auth {
    identity: Option<Identity>,
    scope: Option<Scope>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Identity {
    #[serde(deserialize_with = "at_most::<_, _, 8>")]
    methods: Option<Vec<String>>,
    password: Option<Password>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Password {
    user: Option<User>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct User {
    name: Option<String>,
    password: Option<String>,
    domain: Option<IdOrName>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Scope {
    project: Option<IdOrName>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct IdOrName {
    id: Option<String>,
    name: Option<String>,
}

/// The credentials of a request for a token.
pub fn authentication(at: Timestamp, request: &Request) -> Result<Authentication, Problem> {
    let (user, _) = read(request)?;
    let (Some(access_key), Some(secret)) = (user.name, user.password) else {
        return Err(wrong("auth.identity.password.user has no name or no password"));
    };
    if access_key.is_empty() || user.domain.is_none() {
        return Err(wrong("auth.identity.password.user has no name or no domain"));
    }
    // A password does not age: nothing is remembered of it, since a token may be asked for as often as one likes.
    let valid_until = at.saturating_add(Timestamp::from(TOKEN_VALID));
    Ok(Authentication {
        credentials: Credentials::Password(PasswordCredentials { access_key, password: secret }),
        valid_until,
    })
}

/// Issues a token for the account of the access key, which has to be the domain in the request.
pub fn issue(call: &Call, replay: &mut Replay) -> OperationResult {
    let (user, project) = read(call.request)?;
    let domain = user.domain.and_then(|domain| domain.name.or(domain.id));
    if domain.as_deref() != Some(call.account.id.as_str()) {
        return Err(Problem::wrong_password().for_iam().into());
    }
    let token = replay.issue_token(TOKEN_VALID).map_err(|stop| stop.map_error(Problem::for_iam))?;
    let mut fields = vec![
        ("expires_at", Json::from(precise(token.valid_until))),
        ("methods", Json::List(vec![Json::from("password")])),
        ("catalog", Json::List(Vec::new())),
        ("roles", Json::List(Vec::new())),
        ("issued_at", Json::from(precise(call.at))),
        ("domain", domain_of(call)),
        ("user", user_of(call, &user.name.unwrap_or_default())),
    ];
    if let Some(project) = project {
        let id = project.id.clone().or_else(|| project.name.clone());
        let name = project.name.or(project.id);
        let project = vec![("domain", domain_of(call)), ("id", Json::from(id)), ("name", Json::from(name))];
        fields.push(("project", Json::Object(project)));
    }
    let body = Json::Object(vec![("token", Json::Object(fields))]);
    let mut response = response::json(&call.request.id, 201, &body);
    response.headers.push(("x-subject-token".to_owned(), token.value.clone()));
    Ok(response)
}

/// The user in the request, and the project that it names.
fn read(request: &Request) -> Result<(User, Option<IdOrName>), Problem> {
    // What exactly is wrong is not said: it could be a part of a password.
    let body = body::read::<Body>(request).map_err(|_| wrong("the body is not as it should be"))?;
    let auth = body.auth.unwrap_or_default();
    let identity = auth.identity.unwrap_or_default();
    if identity.methods.as_deref() != Some(&["password".to_owned()]) {
        return Err(wrong("auth.identity.methods is not [\"password\"]"));
    }
    let user = identity.password.and_then(|password| password.user);
    let user = user.ok_or_else(|| wrong("auth.identity.password.user is missing"))?;
    Ok((user, auth.scope.and_then(|scope| scope.project)))
}

fn wrong(what: &str) -> Problem {
    Problem::unreadable(what).for_iam()
}

fn domain_of(call: &Call) -> Json {
    let id = call.account.id.as_str();
    Json::Object(vec![("id", Json::from(id)), ("name", Json::from(id))])
}

fn user_of(call: &Call, access_key: &str) -> Json {
    Json::Object(vec![
        ("domain", domain_of(call)),
        ("id", Json::from(access_key)),
        ("name", Json::from(access_key)),
        ("password_expires_at", Json::from("")),
    ])
}
