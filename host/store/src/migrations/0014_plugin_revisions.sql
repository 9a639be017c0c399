-- Schema 13 to 14.

create table plugin_component (
    digest text primary key,
    bytes  blob not null
);

create table plugin_revision (
    row          integer primary key,
    digest       text not null unique,
    provider     text not null,
    component    text not null references plugin_component,
    source       text,
    origin       text not null,
    signed_by    text,
    installed_at integer not null,
    installed_by text not null
);
create index plugin_revision_component on plugin_revision (component);

create table plugin_binding (
    row      integer primary key,
    provider text not null,
    accounts text not null,
    mode     integer not null,
    digest   text not null,
    origin   integer not null,
    bound_at integer not null,
    bound_by text not null,
    unique (provider, accounts, mode)
);

create table plugin_binding_change (
    row        integer primary key,
    at         integer not null,
    provider   text not null,
    accounts   text not null,
    mode       integer not null,
    before     text,
    after      text,
    changed_by text not null,
    reason     text
);
create index plugin_binding_change_subject on plugin_binding_change (provider, accounts, mode);

create table plugin_binding_set (
    id     integer primary key check (id = 1),
    digest text not null
);
insert into plugin_binding_set values (1, '');

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

create table revision_difference (
    row            integer primary key,
    digest         text not null,
    followed       text not null,
    account        integer not null references account,
    resource       integer not null references resource,
    question       text not null,
    kind           integer not null,
    expires_before integer,
    followed_answer text not null,
    answer         text not null,
    followed_cost  integer,
    cost           integer,
    first_at       integer not null,
    last_at        integer not null,
    times          integer not null
);
create unique index revision_difference_key
    on revision_difference (digest, resource, question, kind, coalesce(expires_before, 0));
create index revision_difference_time on revision_difference (last_at);

alter table account add column scheduled_by text;
update account set scheduled_by = (select s.digest from scheduling_revision s where s.provider = account.provider);
drop table scheduling_revision;
