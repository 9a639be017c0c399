-- Schema 11 to 12.

-- Accounts that their provider keeps.

-- How a connected account is called. Its secret is sealed, or named: an environment variable, a file, or a command.
create table connection (
    account       integer primary key references account,
    driver        text not null,       -- who drives: watch, provider or host
    endpoint      text,                -- the URL to call instead of the provider's own hosts
    access_key    text not null,
    secret_source text not null,       -- sealed, env, file or command
    secret_name   text,                -- the variable, the path or the command; null for a sealed one
    sealed_secret blob,                -- null for one that is named
    created_at    integer not null,
    created_by    text not null,
    rotated_at    integer,
    balance       integer,             -- what the provider says can be spent, in millionths
    balance_currency text,
    balance_at    integer
);

-- The reads that an operator granted; no other request leaves while the account is watched.
create table connection_grant (
    account    integer not null references account,
    name       text not null,
    granted_at integer not null,
    granted_by text not null,
    primary key (account, name)
) without rowid;

-- A reading of a provider's inventory, from its first page to its end. The newest of an account is the present one.
create table sync (
    row         integer primary key,
    account     integer not null references account,
    state       text not null,         -- listing, checking, quoting, done or suspicious
    cursor      text,                  -- where the list goes on
    listed      integer not null,
    total       integer,               -- what the provider says there is
    problem     text,                  -- why it stopped, or what is suspicious
    started_at  integer not null,
    changed_at  integer not null,
    is_first    integer not null,      -- what is new then is no drift
    unknown     text not null          -- JSON list of what the rules have no kind for
);
create index sync_account on sync (account);

-- What a sync under way has read; deleted at its end.
create table sync_item (
    sync integer not null references sync,
    id   text not null,
    item text not null,                -- JSON
    is_quoted integer not null,        -- whether its price was asked for, or need not be
    primary key (sync, id)
) without rowid;

-- Differences between what this host knew and what a provider said.
create table drift (
    row      integer primary key,
    account  integer not null references account,
    resource text not null,
    kind     text not null,
    here     text,
    there    text,
    found_at integer not null
);
create index drift_account on drift (account);
