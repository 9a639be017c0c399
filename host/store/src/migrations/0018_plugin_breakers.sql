-- Schema 17 to 18.

alter table plugin_failure add column revision text;
alter table plugin_failure add column failures_alone integer not null default 0;
alter table plugin_failure add column parked_at integer;
create index plugin_failure_parked on plugin_failure (bundle) where parked_at is not null;

create table plugin_breaker (
    digest     text primary key,  -- of the revision
    provider   text not null,
    failures   integer not null,  -- how many bundles it failed over one after the other
    openings   integer not null,  -- how often it was opened without an answer in between; 0 while it only counts
    opened_at  integer,           -- when it was opened first
    open_until integer,           -- nothing is asked before this instant, and one bundle then
    message    text not null
) without rowid;
