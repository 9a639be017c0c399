-- The tables of one host. `migrations/` has the steps from older schemas to this one, and its last file the number of this
-- one; a test compares the results.
--
-- `row` is the surrogate key of every table that has one: other tables refer to it, and it grows with every insert. `id`
-- is the public id. `at` is the instant that the row is about. Instants are seconds since 1970-01-01T00:00:00Z, amounts
-- are millionths, and small integers for words are the codes that the domain gives them (`code()` of each type).

create table clock (
    id        integer primary key check (id = 1),  -- the only row
    ticked_at integer,           -- everything up to here has been done; null before the first tick
    is_virtual integer           -- the kind of clock: 1 stands until somebody moves it, 0 is the system's; null before it ticks
);
insert into clock values (1, null, null);

create table account (
    row       integer primary key,
    id        text not null unique,
    provider  text not null,
    mode      text not null,
    currency  text not null,
    available integer not null,  -- the projection of the ledger entries
    held      integer not null,  -- the projection of the ledger entries
    settings  text not null,     -- JSON object of strings
    approval_above integer,      -- plans that cost more wait for an approval; null: no plan waits
    budget    integer,           -- what may be spent in a month of the provider's, for policies; null: there is none
    raise_to  text,              -- the higher limit that somebody asked for, in millionths, or `none`; null: nobody did
    raise_by  text,              -- the id of the token that asked
    raise_at  integer,
    scheduled_by text            -- the revision that the wakes of its bundles are from: another one is asked anew; null: every one is
);

-- Columns that rarely change.
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
    tags         text not null   -- JSON object of strings
);
create index resource_account on resource (account);

-- Columns that the clock changes. A bundle's cursor, wake and failures are those of its primary's row.
create table schedule (
    resource      integer primary key references resource,
    bundle        integer not null references resource,  -- the primary; itself for a primary
    charging      integer not null,
    stage         integer not null,
    expires_at    integer,
    on_expiry     integer not null,
    renewals_left integer,
    cursor_at     integer not null,
    wake_at       integer,
    consecutive_failures integer not null default 0      -- calls in a row in which the plugin failed
);
create index schedule_wake on schedule (wake_at) where wake_at is not null;
create index schedule_bundle on schedule (bundle);

-- Who last changed each setting by which a resource renews by itself, or what that costs; none of what nobody changed since it was
-- imported.
create table renewal_author (
    resource integer not null references resource,
    setting  text not null,       -- as events name it, such as `renewal_term`
    author   text not null,       -- the id of the token or key of a provider's own API, `cli` for the command line
    primary key (resource, setting)
) without rowid;

-- The bundles whose plugin failed at its last call: since when it has, and why. A bundle that it fails over alone again and again
-- is parked.
create table plugin_failure (
    bundle  integer primary key references resource,
    at      integer not null,
    message text not null,
    revision text,                -- the digest of the revision that failed last; null when there was none
    failures_alone integer not null default 0,  -- how many times in a row that failed over the bundle alone
    parked_at integer,            -- null while it is not parked
    is_changed integer not null default 0  -- whether an inventory changed the bundle and no plugin has answered since
);
create index plugin_failure_parked on plugin_failure (bundle) where parked_at is not null;

-- What keeps revisions of plugins from being asked that fail over everything; there is none of a revision that answers.
create table plugin_breaker (
    digest     text primary key,  -- of the revision
    provider   text not null,
    failures   integer not null,  -- how many bundles it failed over one after the other
    openings   integer not null,  -- how often it was opened without an answer in between; 0 while it only counts
    opened_at  integer,           -- when it was opened first
    open_until integer,           -- nothing is asked before this instant, and one bundle then
    message    text not null
) without rowid;

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

-- Renewals that a policy put off: tried at this instant, and not before.
create table deferral (
    resource       integer primary key references resource,
    account        integer not null references account,
    expires_before integer,      -- the resource's expiry then; with another one, the deferral is over
    until          integer not null,
    policy         text not null,
    reason         text not null
);
create index deferral_account on deferral (account);

-- Versions of policies' scripts. None is ever changed or deleted.
create table policy_script (
    digest text primary key,     -- SHA-256 of the source, in hexadecimal
    source text not null
) without rowid;

-- The policies that hold.
create table policy (
    row          integer primary key,
    name         text not null unique,
    script       text not null,  -- the file that it was installed from
    digest       text not null references policy_script,
    rank         integer not null,
    mode         text not null,
    selector     text not null,  -- JSON object of lists
    on_failure   text not null,
    installed_at integer not null,
    installed_by text not null   -- the token's id, or `cli`
);

-- The calendars that scripts ask for. Feeds are in `calendar`.
create table policy_calendar (
    row          integer primary key,
    name         text not null unique,
    days         text not null,  -- JSON list of pairs: first and last day, in days since 1970-01-01
    installed_at integer not null,
    installed_by text not null
);

-- Append-only: who changed which policy or calendar when. Only a confirmation is added to a row later.
create table policy_change (
    row          integer primary key,
    at           integer not null,
    subject      text not null,  -- `policy` or `calendar`
    name         text not null,
    before       text,           -- JSON, as it was bound; null when there was none
    after        text,           -- JSON; null when it was removed
    changed_by   text not null,  -- the token's id, or `cli`
    reason       text,
    confirmed_at integer,        -- null until another person confirmed it
    confirmed_by text
);
create index policy_change_name on policy_change (subject, name);

-- What all of them are together: another digest whenever one of them changes.
create table policy_set (
    id     integer primary key check (id = 1),  -- the only row
    digest text not null         -- empty while no policy was ever installed
);
insert into policy_set values (1, '');

-- What shadow policies would have done otherwise: one row for each plan, however often it was tried.
create table policy_difference (
    row            integer primary key,
    policy         text not null,
    digest         text not null,   -- that of its script
    account        integer not null references account,
    resource       integer not null references resource,
    command        text not null,
    cause          text not null,
    expires_before integer,
    ruling         text not null,   -- what it would have done
    followed       text not null,   -- what was done
    reason         text not null,
    until          integer,
    cost           integer,         -- of the plan as it was asked for; null when nobody knows it
    amended_cost   integer,         -- of the plan as it would amend it
    first_at       integer not null,
    last_at        integer not null,
    times          integer not null
);
create unique index policy_difference_key
    on policy_difference (policy, digest, resource, command, cause, ruling, followed, coalesce(expires_before, 0));
create index policy_difference_time on policy_difference (last_at);

create table revision (
    row    integer primary key,
    digest text not null unique,
    plugin text not null
);

-- Revisions of plugins that are kept, with what they are made of: the component and, of a table, its text. None is ever changed.
create table plugin_component (
    digest text primary key,     -- SHA-256 of the bytes, in hexadecimal
    bytes  blob not null
);

create table plugin_revision (
    row          integer primary key,
    digest       text not null unique,
    provider     text not null,
    component    text not null references plugin_component,
    source       text,           -- a table's TOML; null for a component that has the rules itself
    origin       text not null,  -- `bundled`, or the file that it came from
    signed_by    text,           -- the trusted key that signed it; null without a signature
    installed_at integer not null,
    installed_by text not null,  -- the token's id; `cli` for the command line, `host` for what it loads itself
    granted      text            -- what it has beyond every plugin, such as `memory=64MiB,wasi`; null for nothing
);
create index plugin_revision_component on plugin_revision (component);

-- Which revision decides for which accounts, and which is asked beside it.
create table plugin_binding (
    row      integer primary key,
    provider text not null,
    accounts text not null,      -- an account's id, or a pattern in which `*` is any run of characters
    mode     integer not null,
    digest   text not null,
    origin   integer not null,   -- 0: what the host loads, followed; 1: an operator's
    bound_at integer not null,
    bound_by text not null,
    unique (provider, accounts, mode)
);

-- Append-only: which revision was bound to what, and which before it.
create table plugin_binding_change (
    row        integer primary key,
    at         integer not null,
    provider   text not null,
    accounts   text not null,
    mode       integer not null,
    before     text,             -- null when none was bound
    after      text,             -- null when none is
    changed_by text not null,
    reason     text,
    is_roll_back integer not null default 0  -- whether it took back the last change that was not taken back before
);
create index plugin_binding_change_subject on plugin_binding_change (provider, accounts, mode);

-- What all bindings are together: another digest whenever one of them changes.
create table plugin_binding_set (
    id     integer primary key check (id = 1),  -- the only row
    digest text not null         -- empty while nothing was ever bound
);
insert into plugin_binding_set values (1, '');

-- How often a shadow revision was asked beside the one that was followed, and what both took: fuel of plans, time of all calls.
create table revision_trial (
    digest         text not null,
    followed       text not null,
    asked          integer not null,
    differed       integer not null,
    failed         integer not null,
    fuel           integer not null,
    fuel_followed  integer not null,
    micros         integer not null,
    micros_followed integer not null,
    first_at       integer not null,
    last_at        integer not null,
    primary key (digest, followed)
) without rowid;

-- What shadow revisions answered otherwise: one row for each question about a bundle, however often it was asked.
create table revision_difference (
    row            integer primary key,
    digest         text not null,   -- of the shadow
    followed       text not null,   -- of the revision that was followed
    account        integer not null references account,
    resource       integer not null references resource,
    question       text not null,   -- `timeline`, or the name of a command
    kind           integer not null,
    expires_before integer,
    followed_answer text not null,  -- in lines, as cases of plugins are written
    answer         text not null,
    followed_cost  integer,         -- null where nothing is paid
    cost           integer,
    first_at       integer not null,
    last_at        integer not null,
    times          integer not null
);
create unique index revision_difference_key
    on revision_difference (digest, resource, question, kind, coalesce(expires_before, 0));
create index revision_difference_time on revision_difference (last_at);

create table attempt (
    row            integer primary key,
    resource       integer not null references resource,
    expires_before integer not null,
    term_count     integer not null,
    term_unit      integer not null,
    state          text not null,
    decline_class  text,         -- null unless it is declined
    changed_at     integer not null,
    tries          integer not null
);
-- An attempt's id. Its key is the id without the term: where an attempt is neither void, declined nor awaiting an approval,
-- whoever writes makes no other with its key.
create unique index attempt_key on attempt (resource, expires_before, term_unit, term_count) where state <> 'void';
create index attempt_in_doubt on attempt (row) where state = 'in_doubt';

-- Calls to clouds that renew or change: one for each expiry and slot of a resource, from the reservation to its end, whatever
-- was tried in between.
create table call (
    row            integer primary key,
    account        integer not null references account,
    resource       integer not null references resource,  -- the one that the call names
    expires_before integer not null,
    slot           integer not null,     -- what of the resource it is about: its period, what happens on expiry, or its end
    change         integer not null,     -- what it asks for
    is_automatic   integer not null,     -- 1 where this host asked for it by itself
    term_count     integer,              -- of a renewal, or of each automatic one
    term_unit      integer,
    renewals       integer,              -- the automatic renewals that are allowed; null for no limit
    state          integer not null,     -- of the protocol
    declines       integer not null,     -- tries that were proven to have done nothing: idempotency tokens are made of it
    called_at      integer,              -- when it was last written as sent
    queries        integer not null,
    act_at         integer,              -- when something is done about it next
    deadline       integer not null,
    options        text not null default '{}', -- JSON, the provider's own options
    orders         text not null default '[]', -- JSON list of the orders that the provider named
    said_code      text,                 -- what the provider said last
    said_message   text,
    unique (resource, expires_before, slot)
);
create index call_due on call (act_at, resource, expires_before) where act_at is not null;
create index call_interrupted on call (row) where state = 3;
create index call_sent on call (called_at) where called_at is not null;
create index call_account on call (account);
create index call_reserved on call (account, deadline) where state = 2 and slot = 0;

-- What a call changes. No two calls that are under way, unclear or settled pay for one period or end it.
create table call_extension (
    call            integer not null references call,
    position        integer not null,    -- the named resource is the first
    resource        integer not null references resource,
    expires_before  integer not null,
    expires_planned integer not null,
    cost            integer not null,
    is_locked       integer not null,    -- 1 while no other call may pay for this period or end it
    primary key (call, position)
) without rowid;
create unique index call_extension_key on call_extension (resource, expires_before) where is_locked = 1;

-- The states that calls entered, in their order.
create table call_step (
    row     integer primary key,
    call    integer not null references call,
    at      integer not null,
    state   integer not null,     -- the one that was entered
    code    text,                 -- what the provider said with it; null where it said nothing
    message text
);
create index call_step_call on call_step (call);

-- The token bucket and the breaker of each account and API.
create table call_gate (
    account      integer not null references account,
    api          integer not null,
    level_at     integer,         -- when the bucket was looked at last; null before the first call
    level        integer,         -- what was left of it, in sixtieths of a call
    failures     integer not null,
    obstacle     integer,         -- why nothing is sent ...
    closed_until integer,         -- ... before this instant
    primary key (account, api)
) without rowid;

-- One row while nothing is sent to any provider.
create table sending_pause (
    id        integer primary key check (id = 1),
    paused_at integer not null,
    paused_by text not null
);

-- Periods of resources, and the order that pays for each: the rows of one order share its id. None is paid for twice, unless
-- it was refunded in between. (`order` is a keyword.)
create table orders (
    row         integer primary key,
    id          text not null,
    resource    integer not null references resource,
    kind        integer not null,
    state       integer not null,
    starts_at   integer not null,
    ends_at     integer not null,
    cost        integer not null, -- negative: what a downgrade gave back
    created_at  integer not null,
    pay_until   integer,          -- null unless it waited to be paid
    paid_at     integer,          -- null unless it is paid
    command     text,             -- JSON, what is done once it is paid; null unless it waited to be paid
    command_resource integer references resource, -- the resource that the command names
    reduces     integer references orders,        -- of a downgrade: the period that the money came back for
    anchor_day_before    integer, -- what giving it back restores; null when it changed none
    renewals_left_before integer,
    ended_auto_renew     integer not null,
    refunded_at integer,
    refunded    integer,          -- what came back; null unless it was refunded
    refund_fee  integer,          -- what was kept as a handling fee; null unless it was refunded by a version that says so
    refund_number integer         -- the same for what one command gave back of a bundle, from 1 at each instant; null unless refunded
);
create unique index orders_period
    on orders (resource, starts_at, case when kind <= 1 then '' else id || '/' || coalesce(reduces, '') end)
    where state = 1 and refunded_at is null;
create index orders_refunded on orders (resource) where refunded_at is not null;
create index orders_not_paid on orders (resource) where state <> 1;
create index orders_deadline on orders (pay_until, row) where state = 0;

-- Requests to plugins and policies and their responses, so that any decision can be replayed; the oldest are deleted in time. What was
-- kept before schema 10 is JSON and has no fuel; since then it is packed, as `decision::packed` of `perennial-formats` says.
create table decision (
    row      integer primary key,
    at       integer not null,
    resource integer not null references resource,
    revision integer not null references revision,
    contract text not null,      -- the version of the contract in which both are written: `0.1`, or of policies, `policy/0.1`
    fuel     integer,            -- what it took: its part of what the call took in which it was asked
    request  blob not null,
    response blob not null
);
create index decision_resource on decision (resource);

-- Append-only.
create table ledger_entry (
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
create index ledger_entry_account on ledger_entry (account);

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
create index event_time on event (at);

-- Plans that needed an approval, and how each ended. None is ever deleted.
create table approval (
    row            integer primary key,
    id             text not null unique,
    account        integer not null references account,
    resource       integer not null references resource,  -- the resource that the command names
    state          text not null,    -- `pending`, `approved`, `rejected` or `expired`
    cause          text not null,
    command        text not null,    -- equal for equal commands
    contract       text not null,    -- the version of the provider contract in which request and response are written
    request        text not null,    -- the last plan request, JSON
    response       text not null,    -- the plan, JSON
    revision       text not null,    -- the digest of the plugin revision that planned
    plan_hash      text not null,    -- equal as long as the plan does the same for the same money
    cost           integer not null,
    available      integer not null, -- the account's available balance when the plan was priced
    attempt        integer references attempt,            -- null unless the plan is a renewal
    expires_before integer,          -- the resource's expiry when the approval was requested
    requested_at   integer not null,
    requested_by   text,             -- the id of the token or provider key; null for the clock
    expires_at     integer not null, -- when the approval expires if nobody decides
    closed_at      integer,          -- null while it is pending
    decided_by     text,             -- the token's id
    decision_reason text,            -- null when no reason was given
    expiry_reason  text,             -- null unless it expired
    required       text not null default '[]' -- JSON list: the policies that require it, each with its label, its words and the token that gave it
);
create index approval_resource on approval (resource);
create index approval_pending on approval (account) where state = 'pending';
create index approval_expiry on approval (expires_at, row) where state = 'pending';

-- Client tokens of commands, and the result of each command.
create table client_token (
    account         integer not null references account,
    token           text not null,
    fingerprint     text not null,
    refusal_code    text,        -- null when the command was applied
    refusal_message text,
    used_at         integer not null,
    orders          text not null default '[]', -- the ids of the orders that the command made: a JSON list
    valid_until     integer not null default 0, -- when the token means nothing any more
    primary key (account, token)
) without rowid;
create index client_token_end on client_token (valid_until);

-- The admin API.

-- Credentials of the admin API. The secret itself is not stored.
create table api_token (
    row          integer primary key,
    id           text not null unique,
    secret_hash  blob not null,      -- SHA-256 of the secret
    name         text not null,
    role         text not null,
    accounts     text,               -- JSON list of account ids; null is all of them
    created_at   integer not null,
    created_by   text not null,
    expires_at   integer,
    revoked_at   integer,
    last_used_at integer,
    owner        text not null default '', -- the person behind it: the id of the first token of theirs, or a name
    approves     text not null default '[]' -- JSON list: the labels by which policies ask for approvers
);

-- Responses to requests with an idempotency key, so that a repeated request gets the same response.
create table idempotency_key (
    api_token        text not null,  -- the token's id
    key              text not null,
    fingerprint      text not null,  -- equal for equal requests
    created_at       integer not null,
    response_status  integer not null,
    response_headers text not null,  -- JSON object of strings
    response_body    text not null,
    primary key (api_token, key)
) without rowid;
create index idempotency_key_created on idempotency_key (created_at);

-- Append-only: every write of a person or program.
create table audit (
    row        integer primary key,
    at         integer not null,
    api_token  text not null,        -- the token's id, or `cli`
    token_name text not null,        -- the token's name at that time
    request_id text not null,
    account    text,                 -- the account's id; null when the request concerns the host
    resource   text,
    operation  text not null,        -- such as `POST /v1/accounts/{id}:top-up`
    reason     text,
    status     integer not null,
    outcome    text not null,        -- `done`, `dry_run` or the type of the problem
    revision   text                  -- the digest of the plugin's revision that it is about, if it is about one
);
create index audit_account on audit (account);

-- Sessions of the console that somebody signed out of, until they would have been over by themselves: their cookies are
-- sealed with the secrets key, and would open again after a restart. The instants are of real time.
create table ended_session (
    id       text primary key,       -- a digest of what the cookie holds
    ended_at integer not null
) without rowid;
create index ended_session_time on ended_session (ended_at);

-- Receivers of events.
create table webhook (
    row             integer primary key,
    id              text not null unique,
    url             text not null,
    description     text not null,
    accounts        text,             -- JSON list of account ids; null is all of them, and the host
    types           text,             -- JSON list of event types; null is all of them
    secret          blob not null,    -- the signing secret, as `webhooks::secret` stores it
    previous_secret blob,             -- the signing secret before the last rotation ...
    previous_until  integer,          -- ... which also signs until this instant
    created_at      integer not null,
    created_by      text not null,    -- the token's id
    disabled_at     integer,          -- null while it is enabled
    disabled_reason text,             -- `requested`, `gone` or `failing`
    failing_since   integer,          -- the first of the tries that failed in a row; null after one that succeeded
    event_cursor    integer not null  -- every event up to this row was tried once
);

-- The state of each event, test message or replay that a webhook was sent.
create table delivery (
    row         integer primary key,
    webhook     integer not null references webhook,
    message_id  text not null,        -- the `webhook-id` header: the event's id, or that of a test
    event       integer,              -- the event's row; null for a test
    state       text not null,        -- `pending`, `delivered` or `failed`
    attempts    integer not null,
    created_at  integer not null,
    tried_at    integer,
    response_status integer,          -- the HTTP status of the last response; null without one
    error       text,                 -- why the last try failed
    next_try_at integer,              -- null unless it is pending
    unique (webhook, message_id)
);
create index delivery_due on delivery (webhook, next_try_at) where state = 'pending';
create index delivery_settled on delivery (tried_at) where state <> 'pending';

-- Where people are told of events: addresses of e-mail, or the robot of a group.
create table channel (
    row             integer primary key,
    id              text not null unique,
    kind            text not null,    -- `email`, `dingtalk`, `wecom`, `feishu` or `slack`
    description     text not null,
    address         text not null,    -- what is shown of it: the addresses of e-mail, or the host of the URL
    readers         text not null,    -- JSON list of addresses of e-mail; empty for a robot
    credentials     blob,             -- the URL and the secret of a robot, as `channels::credentials` stores them
    language        text not null,    -- the tag of a language
    time_zone       text not null,    -- the zone of the readers
    accounts        text,             -- JSON list of account ids; null is all of them, and the host
    types           text,             -- JSON list of event types; null is all of them
    severity        text not null,    -- the least severity that is sent
    digest_at       integer,          -- minutes after midnight of the zone; null sends at once
    quiet_from      integer,          -- minutes after midnight from which nothing is sent ...
    quiet_until     integer,          -- ... and until which; null without quiet hours
    critical_at_once integer not null, -- whether what is critical waits for neither
    created_at      integer not null,
    created_by      text not null,    -- the token's id
    disabled_at     integer,          -- null while it is enabled
    failing_since   integer,          -- the first of the tries that failed in a row; null after one that succeeded
    alarmed_at      integer,          -- when other channels were told that it fails; null after a try that succeeded
    event_cursor    integer not null, -- every event up to this row is in a message, or passes no filter
    critical_cursor integer not null, -- every critical event up to this row is in a message
    composed_at     integer not null  -- when what is not sent at once was last put into a message
);

-- A message to one reader of a channel, and what became of it.
create table channel_delivery (
    row             integer primary key,
    channel         integer not null references channel,
    message_id      text not null unique,
    reader          text not null,    -- an address of e-mail; empty for the group of a robot
    event_count     integer not null, -- how many events it reports; 0 for a test and for an alarm
    title           text not null,
    body            text not null,
    state           text not null,    -- `pending`, `sending`, `delivered`, `failed` or `in_doubt`
    attempts        integer not null,
    created_at      integer not null,
    tried_at        integer,
    response_status integer,          -- the status of the last response, of HTTP or of SMTP; null without one
    error           text,             -- why the last try failed
    next_try_at     integer           -- null unless it is pending
);
create index channel_delivery_of on channel_delivery (channel, row);
create index channel_delivery_due on channel_delivery (channel, next_try_at) where state = 'pending';
create index channel_delivery_sending on channel_delivery (row) where state = 'sending';
create index channel_delivery_settled on channel_delivery (tried_at) where state not in ('pending', 'sending');

-- Warnings about resources that somebody has seen to, or has put aside until an instant.
create table acknowledgement (
    resource        integer primary key references resource,
    stage           integer not null, -- that of the resource then: at another one it counts no more
    expires_at      integer,          -- the expiry of the resource then: with another one it counts no more
    until           integer,          -- from this instant on it counts no more; null leaves that to the resource
    acknowledged_by text not null,    -- the token's id
    acknowledged_at integer not null,
    reason          text
);

-- Commands over many resources, and the progress of each.
create table job (
    row        integer primary key autoincrement,  -- never given out again, though old jobs are deleted
    command    text not null,        -- JSON, as in plan requests
    is_dry_run integer not null,
    from_dry_run integer,            -- the job whose plans this job applies; null: it plans by itself
    state      text not null,        -- `running`, `done` or `cancelled`
    cancel_reason text,              -- null unless it was cancelled
    item_count integer not null,
    next_position integer not null,  -- of the next item to process; every item before it is finished
    has_more   integer not null,     -- whether more resources passed the filter than a job takes
    api_token  text not null,        -- the id of the token that made it
    token_name text not null,        -- the token's name at that time
    accounts   text,                 -- JSON list of the accounts that the token saw; null is all of them
    request_id text not null,        -- as in the audit log
    reason     text,
    created_at integer not null,
    started_at integer,
    ended_at   integer,
    unknown_ids integer not null default 0 -- how many ids of unknown resources were counted and not kept
);
create index job_running on job (row) where state = 'running';

-- The resources of a job, and the outcome of the command for each.
create table job_item (
    job        integer not null references job,
    position   integer not null,     -- from 0
    resource   text not null,        -- the id as it was given, whether the resource exists or not
    plan_hash  text,                 -- the hash that the plan must have; of a dry run, the hash that it has
    outcome    text,                 -- null until it is finished
    finished_at integer,
    code       text,
    message    text,
    currency   text,
    cost       integer not null default 0,
    refund     integer not null default 0,
    plan       text,                 -- of a dry run: public JSON in the shape of the admin API's version when it was made
    primary key (job, position)
) without rowid;

-- The projection of the items: the number and the cost of those with each outcome.
create table job_tally (
    job      integer not null references job,
    outcome  text not null,
    currency text not null,          -- empty when nothing was paid
    items    integer not null,
    cost     integer not null,
    refund   integer not null,
    primary key (job, outcome, currency)
) without rowid;

-- Calendar feeds. The secret in a feed's address is not stored.
create table calendar (
    row         integer primary key,
    secret_hash blob not null unique,  -- SHA-256 of the secret
    name        text not null,
    accounts    text,                  -- JSON list of account ids; null is all of them
    occurrences text not null,         -- JSON list of words
    fingerprint text,                  -- equal as long as nothing that the entries depend on has changed
    created_at  integer not null,
    created_by  text not null,
    rotated_at  integer,
    revoked_at  integer,
    uid         text not null default ''  -- random; makes the UIDs of its entries unique in the world
);

-- The last published version of each entry, so that its sequence number grows when it changes.
create table calendar_entry (
    calendar     integer not null references calendar,
    resource     integer not null references resource,
    occurrence   text not null,        -- `try`, `expiry` or `release`
    sequence     integer not null,
    starts_at    integer not null,
    summary      text not null,
    description  text not null,
    is_cancelled integer not null,     -- it will not take place
    modified_at  integer not null,
    primary key (calendar, resource, occurrence)
) without rowid;

-- The providers' own APIs.

-- Access keys of managed accounts' tools. The secret is stored as `secrets.rs` encrypts it.
create table provider_key (
    row          integer primary key,
    access_key   text not null unique,
    account      integer not null references account,
    sealed_secret blob not null,
    name         text not null,
    created_at   integer not null,
    created_by   text not null,
    expires_at   integer,
    revoked_at   integer,
    last_used_at integer
);
create index provider_key_account on provider_key (account);

-- Tokens that were issued to a key. They are valid as long as their key is.
create table provider_token (
    token_hash  blob primary key,    -- SHA-256 of the token
    access_key  text not null,
    valid_until integer not null
) without rowid;
create index provider_token_valid on provider_token (valid_until);

-- Signatures of requests that may be sent once, kept until they expire by themselves, so that a replay is refused.
create table used_signature (
    digest      blob primary key,    -- SHA-256 of the signature
    valid_until integer not null,
    request     blob                 -- SHA-256 of the request; null when a version used it that does not say
) without rowid;
create index used_signature_valid on used_signature (valid_until);

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
    balance_at    integer,
    spending_per_hour integer,         -- the most that calls within an hour may cost; null for no ceiling
    paused_at     integer,             -- since when nothing is sent for it; null while it is
    paused_by     text
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
    unknown     text not null,         -- JSON list of what the rules have no kind for
    changes_since integer,             -- of an incremental one: what was ordered since then is asked for
    expires_until integer,             -- of an incremental one: what expires by then is read; null reads everything
    requests    integer not null default 0 -- how many were sent for lists and searches
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
