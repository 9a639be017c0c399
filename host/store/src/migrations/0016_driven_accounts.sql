-- Schema 15 to 16.

alter table connection add column spending_per_hour integer;
alter table connection add column paused_at integer;
alter table connection add column paused_by text;

alter table call add column options text not null default '{}';
alter table call add column orders text not null default '[]';
alter table call add column said_code text;
alter table call add column said_message text;

create table call_step (
    row     integer primary key,
    call    integer not null references call,
    at      integer not null,
    state   integer not null,     -- the one that was entered
    code    text,                 -- what the provider said with it; null where it said nothing
    message text
);
create index call_step_call on call_step (call);

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

create table sending_pause (
    id        integer primary key check (id = 1),
    paused_at integer not null,
    paused_by text not null
);
