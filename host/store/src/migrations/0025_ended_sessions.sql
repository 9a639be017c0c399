-- Schema 24 to 25.

alter table audit add column revision text;

create table ended_session (
    id       text primary key,
    ended_at integer not null
) without rowid;
create index ended_session_time on ended_session (ended_at);
