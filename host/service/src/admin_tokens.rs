//! Who may do what: tokens, their roles, and the accounts they see.
//!
//! A token is `pn_`, its id, `_` and 256 random bits in hexadecimal. Only the SHA-256 of those is kept.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::RwLock;

use perennial_domain::timestamp::Timestamp;
use perennial_store::ReadTx;
use serde::Serialize;
use sha2::Digest;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use utoipa::ToSchema;

use perennial_store::api_tokens;
use perennial_store::api_tokens::StoredToken;
use perennial_store::error::StoreError;

/// What a token may do; each role may do what the ones before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Look at everything of its accounts, and see what a command would do.
    Viewer,
    /// Command resources, import them, change tags and attributes, record use, pay in, and look after webhooks.
    Operator,
    /// Decide on pending approvals.
    Approver,
    /// Make tokens, webhooks and calendars and read the audit log; unless bound to accounts, also make accounts and set a
    /// virtual clock.
    Admin,
}

impl Role {
    /// Every role, the one that may least first.
    pub const ALL: [Role; 4] = [Role::Viewer, Role::Operator, Role::Approver, Role::Admin];

    /// The word for it everywhere.
    pub const fn name(self) -> &'static str {
        match self {
            Role::Viewer => "viewer",
            Role::Operator => "operator",
            Role::Approver => "approver",
            Role::Admin => "admin",
        }
    }
}

/// A token that was recognised: who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The token's id.
    pub id: Arc<str>,
    /// What it is called.
    pub name: Arc<str>,
    /// What it may do.
    pub role: Role,
    /// The accounts that it sees; `None` is all of them.
    accounts: Option<Arc<BTreeSet<String>>>,
}

impl Caller {
    /// Whether it sees the account called `account`.
    pub fn can_access(&self, account: &str) -> bool {
        self.accounts.as_ref().is_none_or(|accounts| accounts.contains(account))
    }

    /// Whether it sees every account, and so what concerns the host as a whole.
    pub fn can_access_all(&self) -> bool {
        self.accounts.is_none()
    }

    /// The accounts that it sees, in order; `None` is all of them.
    pub fn accounts(&self) -> Option<Vec<String>> {
        self.accounts.as_ref().map(|accounts| accounts.iter().cloned().collect())
    }

    /// The accounts that it sees, as the store's lists take them.
    pub fn accounts_json(&self) -> Option<String> {
        let accounts = self.accounts.as_ref()?;
        Some(serde_json::to_string(accounts.as_ref()).expect("strings are JSON"))
    }

    /// Whether it sees everything of something that is bound to `accounts`; `None` is all of them.
    pub fn can_access_each(&self, accounts: Option<&[String]>) -> bool {
        self.can_access_all()
            || accounts.is_some_and(|accounts| accounts.iter().all(|account| self.can_access(account)))
    }
}

/// A token that was just made. Its secret is shown once and kept nowhere.
#[derive(Clone, Debug)]
pub struct IssuedToken {
    /// What is kept.
    pub stored: StoredToken,
    /// What is shown.
    pub secret: String,
}

/// What a token is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateToken {
    /// What it is for, in words.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// The accounts that it sees; `None` is all of them.
    pub accounts: Option<BTreeSet<String>>,
    /// From when on it is refused.
    pub expires_at: Option<Timestamp>,
}

/// Makes a token, from bits of the system's own generator.
///
/// # Errors
///
/// What the system says when it has no random bits to give.
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
        id: id.clone(),
    };
    Ok(IssuedToken { stored, secret: format!("pn_{id}_{secret}") })
}

/// The tokens of the database, at hand for every request.
#[derive(Default)]
pub struct Tokens {
    records: RwLock<BTreeMap<String, TokenRecord>>,
    /// When each was last used, until that is written down.
    last_used: Mutex<BTreeMap<String, Timestamp>>,
    /// Held by whoever reads them anew, so that nobody puts back what was read before a token was revoked.
    loading: Mutex<()>,
}

struct TokenRecord {
    hash: [u8; 32],
    caller: Caller,
    expires_at: Option<Timestamp>,
}

impl Tokens {
    /// Reads the tokens anew.
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
            let caller = Caller {
                id: stored.id.as_str().into(),
                name: stored.name.as_str().into(),
                role: role.ok_or_else(damaged)?,
                accounts: stored.accounts.map(|accounts| Arc::new(accounts.into_iter().collect())),
            };
            records
                .insert(stored.id, TokenRecord { hash: stored.hash, caller, expires_at: stored.expires_at });
        }
        *self.records.write().expect("no holder of the tokens panics") = records;
        Ok(())
    }

    /// Whose token `token` is, if it is known and in force; notes that it was used.
    pub fn authenticate(&self, token: &str, now: Timestamp) -> Option<Caller> {
        let caller = self.find(token, now)?;
        self.last_used.lock().expect("no holder of the tokens panics").insert(caller.id.to_string(), now);
        Some(caller)
    }

    fn find(&self, token: &str, now: Timestamp) -> Option<Caller> {
        let (id, secret) = token.strip_prefix("pn_")?.split_once('_')?;
        let records = self.records.read().expect("no holder of the tokens panics");
        let records = records.get(id)?;
        let hash: [u8; 32] = Sha256::digest(secret).into();
        let is_it = bool::from(hash.ct_eq(&records.hash));
        let is_in_force = records.expires_at.is_none_or(|expires_at| now < expires_at);
        (is_it && is_in_force).then(|| records.caller.clone())
    }

    /// Whose the token called `id` is, if it is in force: for what goes on after the request that asked for it.
    pub fn active_caller(&self, id: &str, now: Timestamp) -> Option<Caller> {
        let records = self.records.read().expect("no holder of the tokens panics");
        let records = records.get(id)?;
        records.expires_at.is_none_or(|expires_at| now < expires_at).then(|| records.caller.clone())
    }

    /// When each token was used since this was last asked.
    pub fn take_usage(&self) -> BTreeMap<String, Timestamp> {
        std::mem::take(&mut *self.last_used.lock().expect("no holder of the tokens panics"))
    }

    /// When a token was last used, if that is not written down yet.
    pub fn last_used_at(&self, id: &str) -> Option<Timestamp> {
        self.last_used.lock().expect("no holder of the tokens panics").get(id).copied()
    }

    /// Whether there is any.
    pub fn is_empty(&self) -> bool {
        self.records.read().expect("no holder of the tokens panics").is_empty()
    }
}
