//! Admin API tokens: their roles, and the accounts that they can access.
//!
//! A token is `pn_`, its ID, `_` and 256 random bits in hexadecimal. The database has only the SHA-256 of the bits.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::RwLock;

use perennial_domain::timestamp::Timestamp;
use perennial_engine::approval_parts::ApproverLabels;
use perennial_store::ReadTx;
use serde::Serialize;
use sha2::Digest;
use sha2::Sha256;
use utoipa::ToSchema;

use perennial_store::api_tokens;
use perennial_store::api_tokens::StoredToken;
use perennial_store::error::StoreError;

use crate::secret_digest::SecretDigest;

/// The ID and the name of the command line in the audit log, among those who asked and among those who decided.
pub const COMMAND_LINE: &str = "cli";

/// The role of a token. Each role may do what the roles before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Read everything of its accounts, and preview commands.
    Viewer,
    /// Command and import resources, change tags and attributes, record usage, top up accounts, and operate webhooks.
    Operator,
    /// Decide on pending approvals.
    Approver,
    /// Create tokens, webhooks and calendars and read the audit log; unless bound to accounts, also create accounts and
    /// advance a virtual clock.
    Admin,
}

impl Role {
    /// Every role, from the least to the most powerful.
    pub const ALL: [Role; 4] = [Role::Viewer, Role::Operator, Role::Approver, Role::Admin];

    /// The name in the API and the database.
    pub const fn name(self) -> &'static str {
        match self {
            Role::Viewer => "viewer",
            Role::Operator => "operator",
            Role::Approver => "approver",
            Role::Admin => "admin",
        }
    }
}

/// The holder of a valid token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The token's ID.
    pub id: Arc<str>,
    /// The token's name.
    pub name: Arc<str>,
    /// The token's role.
    pub role: Role,
    /// The person behind it.
    pub owner: Arc<str>,
    /// The labels by which policies ask for approvers; `None` is all of them.
    pub approves: Option<Arc<BTreeSet<String>>>,
    /// The accounts that it can access; `None` is all of them.
    accounts: Option<Arc<BTreeSet<String>>>,
}

impl Caller {
    /// The command line on the machine of the database, which belongs to the database's owner: it may do everything, and
    /// is one person of its own, who approves of nothing that the command line asked for.
    pub fn command_line() -> Caller {
        Caller {
            id: COMMAND_LINE.into(),
            name: COMMAND_LINE.into(),
            role: Role::Admin,
            owner: COMMAND_LINE.into(),
            approves: None,
            accounts: None,
        }
    }

    /// Whether it is the command line on the machine of the database; no token has its ID.
    pub fn is_command_line(&self) -> bool {
        &*self.id == COMMAND_LINE
    }

    /// What it may approve of.
    pub fn labels(&self) -> ApproverLabels<'_> {
        self.approves.as_deref().map_or(ApproverLabels::All, ApproverLabels::Of)
    }

    /// Whether it can access the account `account`.
    pub fn can_access(&self, account: &str) -> bool {
        self.accounts.as_ref().is_none_or(|accounts| accounts.contains(account))
    }

    /// Whether it can access every account, and so what concerns the host as a whole.
    pub fn can_access_all(&self) -> bool {
        self.accounts.is_none()
    }

    /// The accounts that it can access, in order; `None` is all of them.
    pub fn accounts(&self) -> Option<Vec<String>> {
        self.accounts.as_ref().map(|accounts| accounts.iter().cloned().collect())
    }

    /// The accounts that it can access, as a JSON list for the filters of the store.
    pub fn accounts_json(&self) -> Option<String> {
        let accounts = self.accounts.as_ref()?;
        Some(serde_json::to_string(accounts.as_ref()).expect("strings are JSON"))
    }

    /// Whether it can access all of `accounts`; `None` is every account.
    pub fn can_access_each(&self, accounts: Option<&[String]>) -> bool {
        self.can_access_all()
            || accounts.is_some_and(|accounts| accounts.iter().all(|account| self.can_access(account)))
    }
}

/// A new token. Its secret is shown once and kept nowhere.
#[derive(Clone, Debug)]
pub struct IssuedToken {
    /// The token as the database has it.
    pub stored: StoredToken,
    /// The secret, which is not kept and cannot be shown again.
    pub secret: String,
}

/// The properties of a new token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateToken {
    /// The purpose, for people.
    pub name: String,
    /// What the token may do.
    pub role: Role,
    /// The accounts that it can access; `None` is all of them.
    pub accounts: Option<BTreeSet<String>>,
    /// The instant at which the token expires; `None` is never.
    pub expires_at: Option<Timestamp>,
    /// The person behind it; `None` is somebody who has no other token.
    pub owner: Option<String>,
    /// The labels by which policies ask for approvers.
    pub approves: BTreeSet<String>,
}

/// Creates a token from random bits of the system.
///
/// # Errors
///
/// [`getrandom::Error`] when the system has no random bits.
pub fn issue(spec: CreateToken, created_by: &str, at: Timestamp) -> Result<IssuedToken, getrandom::Error> {
    let (id, secret) = (crate::random_hex::random_hex::<6>()?, crate::random_hex::random_hex::<32>()?);
    let stored = StoredToken {
        hash: Sha256::digest(&secret).into(),
        name: spec.name,
        role: spec.role.name().to_owned(),
        accounts: spec.accounts.map(|accounts| accounts.into_iter().collect()),
        created_at: at,
        created_by: created_by.to_owned(),
        expires_at: spec.expires_at,
        revoked_at: None,
        last_used_at: None,
        owner: spec.owner.unwrap_or_else(|| id.clone()),
        approves: spec.approves.into_iter().collect(),
        id: id.clone(),
    };
    Ok(IssuedToken { stored, secret: format!("pn_{id}_{secret}") })
}

/// The tokens among `tokens` that the token `maker` created, those that they created, and so on, in the same order. A
/// token is always created after its maker, so `tokens` in the order of their creation is looked through once.
pub fn descendants(tokens: Vec<StoredToken>, maker: &str) -> Vec<StoredToken> {
    let mut makers = BTreeSet::from([maker.to_owned()]);
    let mut is_descendant = |token: &StoredToken| {
        let is_made = makers.contains(&token.created_by);
        if is_made {
            makers.insert(token.id.clone());
        }
        is_made
    };
    tokens.into_iter().filter(|token| is_descendant(token)).collect()
}

/// The tokens of the database, cached in memory.
#[derive(Default)]
pub struct Tokens {
    records: RwLock<BTreeMap<String, TokenRecord>>,
    /// The last use of each token, until maintenance stores it.
    last_used: Mutex<BTreeMap<String, Timestamp>>,
    /// Held while tokens are loaded, so that an older read does not bring a revoked token back.
    loading: Mutex<()>,
}

struct TokenRecord {
    digest: SecretDigest,
    caller: Caller,
    expires_at: Option<Timestamp>,
}

impl Tokens {
    /// Loads the tokens that are not revoked.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when they cannot be read.
    pub fn load(&self, db: &ReadTx) -> Result<(), StoreError> {
        let _loading = self.loading.lock().expect("no holder of the tokens panics");
        let mut records = BTreeMap::new();
        for stored in api_tokens::list(db)?.into_iter().filter(|stored| stored.revoked_at.is_none()) {
            let role = Role::ALL.into_iter().find(|role| role.name() == stored.role);
            let damaged = || StoreError::Damaged { what: "a token's role", found: stored.role.clone() };
            let digest = SecretDigest::stored(stored.hash);
            let caller = Caller {
                id: stored.id.as_str().into(),
                name: stored.name.as_str().into(),
                role: role.ok_or_else(damaged)?,
                owner: stored.owner.as_str().into(),
                approves: Some(Arc::new(stored.approves.into_iter().collect())),
                accounts: stored.accounts.map(|accounts| Arc::new(accounts.into_iter().collect())),
            };
            records.insert(stored.id, TokenRecord { digest, caller, expires_at: stored.expires_at });
        }
        *self.records.write().expect("no holder of the tokens panics") = records;
        Ok(())
    }

    /// Finds the caller of a token that is known and not expired, and records its use.
    pub fn authenticate(&self, token: &str, now: Timestamp) -> Option<Caller> {
        let caller = self.find(token, now)?;
        self.last_used.lock().expect("no holder of the tokens panics").insert(caller.id.to_string(), now);
        Some(caller)
    }

    fn find(&self, token: &str, now: Timestamp) -> Option<Caller> {
        let (id, secret) = token.strip_prefix("pn_")?.split_once('_')?;
        let records = self.records.read().expect("no holder of the tokens panics");
        let record = records.get(id)?;
        let is_right = SecretDigest::of(secret).matches(&record.digest);
        let is_in_force = record.expires_at.is_none_or(|expires_at| now < expires_at);
        (is_right && is_in_force).then(|| record.caller.clone())
    }

    /// Finds the caller of the token `id`, if it is in force. For what outlives its request, such as a job or a
    /// session of the console. The command
    /// line is always in force, and no token has its ID.
    pub fn active_caller(&self, id: &str, now: Timestamp) -> Option<Caller> {
        if id == COMMAND_LINE {
            return Some(Caller::command_line());
        }
        let records = self.records.read().expect("no holder of the tokens panics");
        let record = records.get(id)?;
        record.expires_at.is_none_or(|expires_at| now < expires_at).then(|| record.caller.clone())
    }

    /// Takes the uses since the previous call.
    pub(crate) fn take_usage(&self) -> BTreeMap<String, Timestamp> {
        std::mem::take(&mut *self.last_used.lock().expect("no holder of the tokens panics"))
    }

    /// The last use of a token, if it is not stored yet.
    pub fn last_used_at(&self, id: &str) -> Option<Timestamp> {
        self.last_used.lock().expect("no holder of the tokens panics").get(id).copied()
    }

    /// Whether there are no tokens.
    pub fn is_empty(&self) -> bool {
        self.records.read().expect("no holder of the tokens panics").is_empty()
    }
}
