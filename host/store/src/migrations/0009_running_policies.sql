-- Schema 8 to 9.

-- Policies that hold on a running host: immutable versions of scripts, what binds them, and every change.
create table policy_script (
    digest text primary key,
    source text not null
) without rowid;
create table policy (
    row          integer primary key,
    name         text not null unique,
    script       text not null,
    digest       text not null references policy_script,
    rank         integer not null,
    mode         text not null,
    selector     text not null,
    on_failure   text not null,
    installed_at integer not null,
    installed_by text not null
);
create table policy_calendar (
    row          integer primary key,
    name         text not null unique,
    days         text not null,
    installed_at integer not null,
    installed_by text not null
);
create table policy_change (
    row          integer primary key,
    at           integer not null,
    subject      text not null,
    name         text not null,
    before       text,
    after        text,
    changed_by   text not null,
    reason       text,
    confirmed_at integer,
    confirmed_by text
);
create index policy_change_name on policy_change (subject, name);
create table policy_set (
    id     integer primary key check (id = 1),
    digest text not null
);
insert into policy_set values (1, '');
create table policy_difference (
    row            integer primary key,
    policy         text not null,
    digest         text not null,
    account        integer not null references account,
    resource       integer not null references resource,
    command        text not null,
    cause          text not null,
    expires_before integer,
    ruling         text not null,
    followed       text not null,
    reason         text not null,
    until          integer,
    cost           integer,
    amended_cost   integer,
    first_at       integer not null,
    last_at        integer not null,
    times          integer not null
);
create unique index policy_difference_key
    on policy_difference (policy, digest, resource, command, cause, ruling, followed, coalesce(expires_before, 0));
create index policy_difference_time on policy_difference (last_at);

-- The labels by which policies ask for approvers.
alter table api_token add column approves text not null default '[]';
