-- Schema 21 to 22.

alter table plugin_failure add column is_changed integer not null default 0;
