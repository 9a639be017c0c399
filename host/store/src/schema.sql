-- The tables of one host. Instants are seconds since 1970-01-01T00:00:00Z, amounts are millionths, and a small integer
-- that stands for a word is the word's place in the domain's list of them.

create table clock (
    one       integer primary key check (one = 1),
    ticked_at integer            -- everything up to here has been done; null before the first tick
);
insert into clock values (1, null);

create table account (
    row       integer primary key,
    id        text not null unique,
    provider  text not null,
    mode      text not null,
    currency  text not null,
    available integer not null,  -- a projection of the entries
    held      integer not null,  -- likewise
    settings  text not null,     -- JSON object of strings
    approval_above integer       -- plans that cost more are held; null holds none
);

-- What is wide and rarely changes.
create table resource (
    row          integer primary key,
    id           text not null unique,
    account      integer not null references account,
    kind         text not null,
    region       text not null,
    attached_to  integer references resource,
    started_at   integer not null,
    anchor_day   integer,
    term_count   integer,
    term_unit    integer,
    price        integer,
    renewal_term_count integer,
    renewal_term_unit  integer,
    attributes   text not null,  -- JSON object of strings
    tags         text not null   -- likewise
);
create index resource_account on resource (account);

-- What the clock touches. A bundle's cursor, wake and failures are those of its primary's row.
create table hot (
    resource      integer primary key references resource,
    bundle        integer not null references resource,  -- the primary; itself for a primary
    charging      integer not null,
    stage         integer not null,
    expires_at    integer,
    on_expiry     integer not null,
    renewals_left integer,
    cursor_at     integer not null,
    wake_at       integer,
    failures      integer not null default 0             -- times in a row that the plugin gave no usable answer
);
create index hot_wake on hot (wake_at) where wake_at is not null;
create index hot_bundle on hot (bundle);

-- Why a bundle's plugin gave no usable answer, while that is so.
create table problem (
    bundle  integer primary key references resource,
    at      integer not null,
    message text not null
);

create table package (
    resource      integer primary key references resource,
    account       integer not null references account,
    resource_type text not null,
    quota         integer not null,
    used          integer not null,
    unit          text not null,
    bought_at     integer not null
);
create index package_type on package (account, resource_type, bought_at);

-- Packages ordered now and paid later.
create table deferred_purchase (
    row          integer primary key,
    resource     integer not null references resource,
    pay_at       integer not null,
    effective_at integer not null
);
create index deferred_purchase_due on deferred_purchase (pay_at, row);

create table revision (
    row    integer primary key,
    digest text not null unique,
    plugin text not null
);

create table attempt (
    row            integer primary key,
    resource       integer not null references resource,
    expires_before integer not null,
    term_count     integer not null,
    term_unit      integer not null,
    state          text not null,
    class          text,
    at             integer not null,
    tries          integer not null
);
-- The key of the renewal protocol: one attempt that is not void for each.
create unique index attempt_key on attempt (resource, expires_before, term_unit, term_count) where state <> 'void';
create index attempt_in_doubt on attempt (row) where state = 'in_doubt';

-- Periods that were paid for. None is paid for twice, unless it was refunded in between.
create table orders (
    row         integer primary key,
    id          text not null,
    resource    integer not null references resource,
    starts_at   integer not null,
    ends_at     integer not null,
    paid        integer not null,
    paid_at     integer not null,
    is_renewal  integer not null,
    refunded_at integer
);
create unique index orders_period on orders (resource, starts_at) where refunded_at is null;
create index orders_refunded on orders (resource) where refunded_at is not null;

-- What a plugin was asked and what it answered, so that any decision can be asked again.
create table decision (
    row      integer primary key,
    at       integer not null,
    resource integer not null references resource,
    revision integer not null references revision,
    question text not null,
    answer   text not null
);
create index decision_resource on decision (resource);

-- Append-only.
create table entry (
    row       integer primary key,
    at        integer not null,
    account   integer not null references account,
    from_book integer not null,
    to_book   integer not null,
    amount    integer not null check (amount >= 0),
    reason    integer not null,
    resource  text,
    reference text
);
create index entry_account on entry (account);

-- Append-only.
create table event (
    row      integer primary key,
    at       integer not null,
    account  integer references account,
    resource text,
    type     text not null,
    body     text not null       -- JSON object of what the type adds
);
create index event_resource on event (resource);

-- Plans that were held, and what became of them. None is ever deleted.
create table approval (
    row            integer primary key,
    id             text not null unique,
    account        integer not null references account,
    resource       integer not null references resource,  -- the one that was named
    state          text not null,
    cause          text not null,
    command        text not null,    -- equal for equal commands
    question       text not null,    -- what the plugin was asked last
    answer         text not null,    -- its plan
    revision       text not null,    -- the digest of the revision that answered
    hash           text not null,    -- equal as long as it would do the same for the same money
    cost           integer not null,
    available      integer not null, -- what the account had then
    attempt        integer references attempt,            -- null for what is no renewal
    expires_before integer,          -- of the resource
    asked_at       integer not null,
    asked_by       text,             -- the id of the token or provider key; null for the clock
    lapses_at      integer not null,
    closed_at      integer,          -- null while it is open
    decided_by     text,             -- the token's id
    reason         text,             -- why, if they said
    lapse          text              -- why it lapsed, if it did
);
create index approval_resource on approval (resource);
create index approval_open on approval (account) where state = 'open';
create index approval_lapse on approval (lapses_at, row) where state = 'open';

-- Commands that carried a token, and what they were answered.
create table token (
    account         integer not null references account,
    token           text not null,
    fingerprint     text not null,
    refusal_code    text,        -- null when it was carried out
    refusal_message text,
    seen_at         integer not null,
    primary key (account, token)
) without rowid;

-- The admin API.

-- Who may call it. The token itself is not here, only what it hashes to.
create table api_token (
    row          integer primary key,
    id           text not null unique,
    hash         blob not null,      -- SHA-256 of the secret
    name         text not null,
    role         text not null,
    accounts     text,               -- JSON list of account ids; null is all of them
    created_at   integer not null,
    created_by   text not null,
    expires_at   integer,
    revoked_at   integer,
    last_used_at integer
);

-- What a request with an idempotency key was answered, so that it is answered the same again.
create table answered (
    token       text not null,
    key         text not null,
    fingerprint text not null,       -- equal for equal requests
    at          integer not null,
    status      integer not null,
    headers     text not null,       -- JSON object of strings
    body        text not null,
    primary key (token, key)
) without rowid;
create index answered_at on answered (at);

-- Append-only: every write of a person or program.
create table audit (
    row        integer primary key,
    at         integer not null,
    token      text not null,        -- the token's id, or `cli`
    name       text not null,        -- what the token was called then
    request    text not null,        -- the request's id
    account    text,                 -- the account that it is about; null when it is about the host
    resource   text,
    operation  text not null,        -- such as `POST /v1/accounts/{id}:top-up`
    reason     text,
    status     integer not null,
    outcome    text not null         -- `done`, `looked_at` or the type of the problem
);
create index audit_account on audit (account);

-- Where events are sent to.
create table webhook (
    row             integer primary key,
    id              text not null unique,
    url             text not null,
    description     text not null,
    accounts        text,             -- JSON list of account ids; null is all of them, and the host
    types           text,             -- JSON list of event types; null is all of them
    secret          blob not null,    -- what it signs with, as `webhooks::secret` keeps it
    previous_secret blob,             -- what it signed with before ...
    previous_until  integer,          -- ... and signs with beside it until then
    created_at      integer not null,
    created_by      text not null,    -- the token's id
    disabled_at     integer,          -- null while it is enabled
    disabled_why    text,             -- `asked`, `gone` or `failing`
    failing_since   integer,          -- the first of the tries that failed in a row; null after one that succeeded
    cursor          integer not null  -- the event up to which every one was tried once
);

-- What became of an event that was tried, of a test, or of what is to be sent again.
create table delivery (
    row         integer primary key,
    webhook     integer not null references webhook,
    message     text not null,        -- the `webhook-id`: the event's id, or that of a test
    event       integer,              -- the event's row; null for a test
    state       text not null,        -- `pending`, `delivered` or `failed`
    attempts    integer not null,
    created_at  integer not null,
    tried_at    integer,
    status      integer,              -- the HTTP status that the last try was answered with, if it was
    error       text,                 -- why the last try failed
    next_try_at integer,              -- null unless it is pending
    unique (webhook, message)
);
create index delivery_due on delivery (webhook, next_try_at) where state = 'pending';
create index delivery_settled on delivery (tried_at) where state <> 'pending';

-- Commands over many resources, and how far each has got.
create table job (
    row        integer primary key autoincrement,  -- never given out again, though old jobs are deleted
    command    text not null,        -- as decisions have it
    is_dry_run integer not null,
    planned_by integer,              -- the dry run whose plans are carried out
    state      text not null,        -- `running`, `done` or `cancelled`
    why        text,                 -- it was cancelled
    total      integer not null,
    next_place integer not null,     -- that of the next item to look at; those before it are answered
    has_more   integer not null,     -- whether more passed the filter than a job takes
    token      text not null,        -- whose it is
    name       text not null,        -- what the token was called then
    accounts   text,                 -- JSON list of the accounts that the token saw; null is all of them
    request    text not null,        -- the request's id, as in the audit log
    reason     text,
    created_at integer not null,
    started_at integer,
    ended_at   integer
);
create index job_running on job (row) where state = 'running';

-- The resources of a job, and what became of the command on each.
create table job_item (
    job      integer not null references job,
    place    integer not null,       -- from 0
    resource text not null,          -- the id that was asked for, whether there is such a resource or not
    planned  text,                   -- what its plan has to be, a hash; of a dry run, what it is
    answer   text,                   -- null until it has one
    at       integer,                -- when it got it
    code     text,
    message  text,
    currency text,
    cost     integer not null default 0,
    refund   integer not null default 0,
    plan     text,                   -- of a dry run, as clients are shown it
    primary key (job, place)
) without rowid;

-- A projection of the items: how many have which answer, and what those cost.
create table job_tally (
    job      integer not null references job,
    answer   text not null,
    currency text not null,          -- empty when it cost nothing
    items    integer not null,
    cost     integer not null,
    refund   integer not null,
    primary key (job, answer, currency)
) without rowid;

-- Calendar feeds. The secret of a feed's address is not here, only what it hashes to.
create table calendar (
    row         integer primary key,
    hash        blob not null unique,  -- SHA-256 of the secret
    name        text not null,
    accounts    text,                  -- JSON list of account ids; null is all of them
    occurrences text not null,         -- JSON list of words
    stamp       text,                  -- equal as long as nothing has changed that entries are made of
    created_at  integer not null,
    created_by  text not null,
    rotated_at  integer,
    revoked_at  integer
);

-- What was last shown of each entry, so that its number grows when it changes.
create table calendar_entry (
    calendar     integer not null references calendar,
    resource     integer not null references resource,
    what         text not null,
    sequence     integer not null,
    starts_at    integer not null,
    summary      text not null,
    description  text not null,
    is_cancelled integer not null,     -- it will not come true
    modified_at  integer not null,
    primary key (calendar, resource, what)
) without rowid;

-- The providers' own APIs.

-- With what the tools of a managed account prove who they are. The secret is here only as `secrets.rs` seals it.
create table provider_key (
    row          integer primary key,
    access_key   text not null unique,
    account      integer not null references account,
    sealed       blob not null,
    name         text not null,
    created_at   integer not null,
    created_by   text not null,
    expires_at   integer,
    revoked_at   integer,
    last_used_at integer
);
create index provider_key_account on provider_key (account);

-- Tokens that a key asked for. They are in force as long as their key is.
create table provider_token (
    hash        blob primary key,    -- SHA-256 of the token
    access_key  text not null,
    valid_until integer not null
) without rowid;
create index provider_token_valid on provider_token (valid_until);

-- Proofs that did what they may do once, until they expire by themselves.
create table spent_proof (
    digest      blob primary key,    -- SHA-256 of the proof
    valid_until integer not null
) without rowid;
create index spent_proof_valid on spent_proof (valid_until);
