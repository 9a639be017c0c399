-- Schema 19 to 20.

alter table client_token add column valid_until integer not null default 0;
-- For how long each was promised is not known here: a year is more than any provider says.
update client_token set valid_until = used_at + 366 * 86400;
create index client_token_end on client_token (valid_until);
