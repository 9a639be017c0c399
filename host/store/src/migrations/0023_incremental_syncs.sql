-- Schema 22 to 23.

alter table sync add column changes_since integer;
alter table sync add column expires_until integer;
alter table sync add column requests integer not null default 0;
