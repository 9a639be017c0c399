-- Schema 12 to 13.

create table call (
    row            integer primary key,
    account        integer not null references account,
    resource       integer not null references resource,  -- the one that the renewal names
    expires_before integer not null,
    term_count     integer not null,
    term_unit      integer not null,
    state          integer not null,     -- of the protocol
    declines       integer not null,     -- tries that were proven to have done nothing: idempotency tokens are made of it
    called_at      integer,              -- when it was last written as sent
    queries        integer not null,
    act_at         integer,              -- when something is done about it next
    deadline       integer not null,
    unique (resource, expires_before)
);
create index call_due on call (act_at, resource, expires_before) where act_at is not null;
create index call_interrupted on call (row) where state = 3;
create index call_sent on call (called_at) where called_at is not null;
create index call_account on call (account);

create table call_extension (
    call            integer not null references call,
    position        integer not null,    -- the named resource is the first
    resource        integer not null references resource,
    expires_before  integer not null,
    expires_planned integer not null,
    cost            integer not null,
    is_locked       integer not null,    -- 1 while no other call may pay for this period
    primary key (call, position)
) without rowid;
create unique index call_extension_key on call_extension (resource, expires_before) where is_locked = 1;
