-- Schema 18 to 19.

-- Calls also carry commands that are no renewals: what they change, and one for each thing of a resource that they are about.
create table call_17 (
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
insert into call_17 (row, account, resource, expires_before, slot, change, is_automatic, term_count, term_unit, state, declines,
    called_at, queries, act_at, deadline, options, orders, said_code, said_message)
select row, account, resource, expires_before, 0, 0, 0, term_count, term_unit, state, declines, called_at, queries, act_at,
    deadline, options, orders, said_code, said_message from call;
drop table call;
alter table call_17 rename to call;
create index call_due on call (act_at, resource, expires_before) where act_at is not null;
create index call_interrupted on call (row) where state = 3;
create index call_sent on call (called_at) where called_at is not null;
create index call_account on call (account);
create index call_reserved on call (account, deadline) where state = 2 and slot = 0;
