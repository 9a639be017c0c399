-- Schema 4 to 5.

update job_item set outcome = 'applied' where outcome = 'carried_out';
update job_tally set outcome = 'applied' where outcome = 'carried_out';

-- UIDs of calendar entries are unique in the world: RFC 5545, section 3.8.4.7.
alter table calendar add column uid text not null default '';
-- The hash of a random secret is random, too, and says nothing of the secret; a migration does the same each time.
update calendar set uid = lower(hex(substr(secret_hash, 1, 16)));

-- Which kind of clock ticked in a database of schema 4 is not known: the next one that ticks says.
alter table clock add column is_virtual integer;
